/*
 * A site: where a stack lives and who moves it. Two there are: a machine of this
 * host (a TAP device, real time) and a node of a simulated world (a lab, virtual
 * time). Commands and the public interface open one from the user's words and
 * drive both alike:
 *
 *	struct site *site = site_open(&options, &error, why, sizeof why);
 *	site_add_app(site, fetch_app(f));
 *	switch (site_run(site, until, done, user)) ...
 *	site_close(site);
 *
 * Several sites may share one simulated world (`beside`): each is another of its
 * machines. One thread at a time.
 */
#ifndef STRATA_API_SITE_H
#define STRATA_API_SITE_H

#include "host/machine.h"
#include "sim/lab.h"

#define SITE_DNS_MAX 8

/* The user's words; see strata_options in strata/net.h and the command line's --help. */
struct site_options {
	const char *link; /* "tap:NAME[?mtu=N&offload=1]", "lab:NAME[?seed=N&delay=20ms&...]" */
	const char *address[MACHINE_ADDRESSES]; /* "192.0.2.2/24"; NULL: none */
	const char *gateway[MACHINE_ADDRESSES];
	const char *dns; /* "A[,B...]" */
	const char *mac;
	const char *pcap;
	const char *machine;    /* a lab: the node; NULL: its client */
	struct site *beside;    /* a lab: share its world */
	struct lab_options lab; /* what the link's own words do not say */
	/* NULL: the default of the kind of site. */
	const struct stack_config *config;
};

/* One simulated world and the sites in it. */
struct site_world {
	struct lab *lab;
	struct sim_capture *capture;
	unsigned sites;
	atomic_bool inside; /* somebody runs it: for who checks thread rules */
};

struct site {
	bool simulated;
	struct stack *stack;
	uint8_t secret[32]; /* for applications' own keys */
	struct addr dns[SITE_DNS_MAX];
	unsigned dns_count;
	/* On this host: */
	struct machine *machine;
	/* In a world: */
	struct site_world *world;
	struct node *node;
	struct node_sink sink;
	void (*listener)(void *user, const struct trace_event *event);
	void *listener_user;
};

enum site_end {
	SITE_DONE,     /* the predicate is true */
	SITE_TIME,     /* the time was reached */
	SITE_DEADLOCK, /* a simulated world in which nothing can ever happen */
	SITE_BROKEN, /* the device is gone, or an invariant of the world does not hold: site_why */
};

/* NULL, *error and in `why` one line: what, why, and what to do. */
struct site *site_open(const struct site_options *o, enum error *error, char *why, size_t cap);
/* False: the capture could not be written whole. */
bool site_close(struct site *site);

/* The site's time. */
nanotime site_now(const struct site *site);
/* What to add to it for nanoseconds since 1970. */
nanodiff site_wall(const struct site *site);
/* For calls of sockets from outside: the stack, with its clock set. site_flush after them. */
struct stack *site_use(struct site *site);
void site_flush(struct site *site);
/* An application runs until its link is taken out of its list. */
void site_add_app(struct site *site, struct app *a);
/* Runs until `done(user)` is true (NULL: never), or until a time (NANOTIME_NEVER: no limit). */
enum site_end site_run(struct site *site, nanotime until, bool (*done)(void *user), void *user);
/* After SITE_BROKEN: why, in one line. */
const char *site_why(const struct site *site);
/* Hears what this site's stack traces; NULL: nobody. */
void site_listen(
	struct site *site, void (*sink)(void *user, const struct trace_event *event), void *user);
/* The site's first interface. */
struct netif *site_netif(const struct site *site);

#endif
