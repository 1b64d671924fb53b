/*
 * A zone: the records below one name, in a caller's arena, for a small
 * authoritative server. Records are added one by one, as structs or as text in
 * the form of zone files (zone_text.c). Looked up by the algorithm of RFC 1034
 * 4.3.2 without delegations: the exact name, else what a wildcard synthesises
 * (RFC 4592), else the name does not exist.
 */
#ifndef STRATA_APPLICATION_ZONE_H
#define STRATA_APPLICATION_ZONE_H

#include "base/arena.h"
#include "wire/dns.h"

#define ZONE_BUCKETS 256

struct zone_record {
	struct zone_record *next; /* of the same name, in the order of adding */
	struct dns_record record;
};

/* A name in the zone; without records where it only has names below it (RFC 4592 2.2.2). */
struct zone_node {
	struct zone_node *next; /* in the bucket */
	struct dns_name name;
	struct zone_record *records;
};

struct zone {
	struct dns_name origin;
	struct arena *arena;
	struct zone_node *bucket[ZONE_BUCKETS];
	unsigned records;
	struct dns_name last; /* text: the owner of a line that begins with a blank */
	uint32_t ttl;         /* text: of lines without one; 3600 */
};

void zone_init(struct zone *z, const struct dns_name *origin, struct arena *arena);
/* NULL, or why not: outside of the zone, CNAME beside other data, NS below the apex, no memory ...
 * What the record's spans point at is copied. */
const char *zone_add(struct zone *z, const struct dns_record *record);
/*
 * One line, "www 300 IN A 192.0.2.1": names relative to the origin or absolute,
 * "@" for the origin; TTL and class may be left out. A AAAA NS CNAME PTR DNAME SOA
 * MX TXT HINFO SRV, any other type as "\# length hex" (RFC 3597 5). NULL, or why not.
 */
const char *zone_add_text(struct zone *z, struct span line);
/* A whole text, line by line; empty lines and ';' comments are passed over. On an error *line (may
 * be NULL) is the number of the line. */
const char *zone_add_lines(struct zone *z, struct span text, unsigned *line);
/* NULL, or what the zone lacks: its SOA. */
const char *zone_check(const struct zone *z);

struct zone_match {
	const struct zone_node *node; /* NULL: no such name */
	bool wildcard;                /* the owner of its records is the name that was asked */
};
struct zone_match zone_find(const struct zone *z, const struct dns_name *name);
/* The first record of that type from `from` on (node->records to start), or NULL. */
const struct zone_record *zone_next(const struct zone_record *from, uint16_t type);
/* The zone's SOA record; only where zone_check says NULL. */
const struct dns_record *zone_soa(const struct zone *z);

#endif
