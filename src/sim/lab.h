/*
 * Labs: networks that ship, each built on a simulated world under a name. A lab
 * describes itself: one line, a drawing, and its world, whose nodes, addresses
 * and links anybody can walk through.
 *
 *	struct lab *lab = lab_open("lab:home", &(struct lab_options){ .seed = 1 }, why, sizeof why);
 *	struct stack *s = node_use(lab_client(lab));
 *	... sock_connect(s, ...) ...
 *	world_run(lab_world(lab), until, done, user);
 *	lab_close(lab);
 */
#ifndef STRATA_SIM_LAB_H
#define STRATA_SIM_LAB_H

#include "sim/capture.h"
#include "sim/invariant.h"
#include "sim/link.h"
#include "sim/node.h"
#include "sim/switch.h"

struct lab;

#define LAB_NONE (-1)
/* What a lab's clock calls its time 0: 2026-01-01, 00:00 UTC, in nanoseconds since 1970. */
#define LAB_EPOCH (INT64_C(1767225600) * NANO_S)

struct lab_options {
	uint64_t seed;
	nanodiff delay; /* one way, of the lab's main link; 0: the lab's own, LAB_NONE: none */
	int64_t rate;   /* of that link, bit/s; 0: the lab's own, LAB_NONE: unlimited */
	int64_t loss;   /* on that link, ppm each way; 0: the lab's own, LAB_NONE: none */
	struct span
		page; /* what the web server serves as "/" (text/html), borrowed until lab_close;
			   * empty: the lab's own page */
	uint64_t big; /* bytes of /big; 0: 1 MiB */
	int fill;     /* see world_config */
	struct stack_config *client; /* of the client's stack; NULL: node_config_default */
	/* Called when all is built and nothing has happened, to see the first frame; NULL: no */
	void (*built)(void *user, struct lab *l);
	void *user;
};

/* A lab that ships. */
struct lab_info {
	const char *name; /* "home" */
	const char *line; /* what it is, in one line */
	const char *drawing;
	const char *url; /* worth a visit there */
};
unsigned lab_count(void);
const struct lab_info *lab_info(unsigned index);
/* "home" or "lab:home"; NULL: none is called so. */
const struct lab_info *lab_find(const char *name);

/* NULL, and in `why` one line that says what is wrong. */
struct lab *lab_open(const char *name, const struct lab_options *o, char *why, size_t cap);
void lab_close(struct lab *l);

const struct lab_info *lab_about(const struct lab *l);
struct world *lab_world(struct lab *l);
/* The node that commands act on. */
struct node *lab_client(struct lab *l);
/* The addresses of the lab's name servers, best first; returns how many of them, at most `max`. */
unsigned lab_dns_servers(const struct lab *l, struct addr *out, unsigned max);
/* The link that the options change. */
struct link *lab_main_link(struct lab *l);
/* The names that resolve there, with their addresses; false: no more. */
bool lab_name(const struct lab *l, unsigned index, const char **name, struct addr *address);

#endif
