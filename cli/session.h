/*
 * A command's time on a network: the site that its options name, the resolver
 * and memory for applications, and the end, at which everything that could not
 * be done is told.
 */
#ifndef STRATA_CLI_SESSION_H
#define STRATA_CLI_SESSION_H

#include "api/site.h"
#include "application/dns/resolver.h"
#include "cli/commands.h"

#define SESSION_LINK   "lab:home" /* where --link says nothing */
#define SESSION_SEED   1
#define SESSION_PIECES 16

struct session {
	const struct command *command;
	struct site *site;
	struct resolver *resolver;
	const char *link;
	void *piece[SESSION_PIECES];
	unsigned pieces;
};

/* What a command knows better than its options; all may be left zero. */
struct session_wants {
	struct span page;                  /* a lab's web server serves it as "/" */
	const struct stack_config *config; /* of our stack */
};

/* By the options of the groups "link" and "lab". False: told, and *verdict is why. */
bool session_open(struct session *s, const struct arguments *a, const struct session_wants *wants,
	enum verdict *verdict);
/* Zeroed memory that lives as long as the session; never NULL. */
void *session_memory(struct session *s, size_t size);
/* An arena with so much room. */
struct arena session_arena(struct session *s, size_t size);
/* Made when first asked for; it has still to be run, by site_add_app or by its user. */
struct resolver *session_resolver(struct session *s);
/* A config's connections, and what follows from their number. */
void session_connections(struct stack_config *c, uint32_t connections);
/* Runs as site_run does. False: the network is gone, and the user was told. */
bool session_run(struct session *s, nanotime until, bool (*done)(void *user), void *user);
/* Gives connections that were closed time to end properly, but no longer than `limit`. */
void session_linger(struct session *s, nanodiff limit);
/* `v`, or what went wrong at the very end. */
enum verdict session_close(struct session *s, enum verdict v);

/* What a command says to a failure of the network, rather than of its own business. */
enum verdict verdict_of_error(enum error e);

#endif
