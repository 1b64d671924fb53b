/*
 * How a lab is made: its kind (a row of tables: a plan, the names that resolve,
 * which machine serves what) and the lab itself. For the files of the labs only.
 */
#ifndef STRATA_SIM_LAB_BUILD_H
#define STRATA_SIM_LAB_BUILD_H

#include "application/dns/zone.h"
#include "application/http/content.h"
#include "base/arena.h"
#include "sim/lab.h"
#include "sim/plan.h"

#define LAB_PAGES   5
#define LAB_DNS_MAX 4

/* A name in the lab's zone. */
struct lab_host {
	const char *name; /* "www.example.test" */
	const char *address;
};

struct lab_kind {
	struct lab_info info;
	const struct plan *plan;
	const char *client;             /* the machine that commands act on */
	const char *main_link;          /* that the options change */
	const char *dns, *web;          /* the machines that serve; may be the same one */
	const char *const *dns_address; /* best first, ends with NULL */
	const struct lab_host *host;    /* ends with a row without name */
	const char *zone_lines;         /* other records, in the form of zone files, or "" */
	/* What no plan can say; NULL, or what went wrong. May be NULL itself. */
	const char *(*more)(struct lab *l);
};

struct lab {
	const struct lab_kind *kind;
	struct lab_options options;
	struct world *world;
	struct node *client;
	struct link *main_link;
	struct arena arena; /* of the applications */
	struct zone zone;
	const struct zone *zones[1];
	struct http_page page[LAB_PAGES];
	struct http_pages pages;
};

extern const struct lab_kind lab_home, lab_lossy, lab_lan, lab_satellite, lab_synflood;

/* The page that a lab serves where the options name none. */
struct span lab_own_page(void);
/* Starts the name server and the web server. NULL, or what went wrong. */
const char *lab_serve(struct lab *l);

#endif
