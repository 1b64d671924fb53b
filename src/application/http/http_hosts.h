/*
 * How many connections each remote host has: so that no one host takes all
 * (attack H1-11). An IPv6 host counts by its /64, which is what one customer gets
 * at least. A keyed hash table of as many entries as there are connections.
 */
#ifndef STRATA_APPLICATION_HTTP_HOSTS_H
#define STRATA_APPLICATION_HTTP_HOSTS_H

#include "base/addr.h"
#include "base/arena.h"
#include "base/hash.h"

struct http_host {
	struct http_host *next;
	struct addr net;
	uint32_t connections;
};

struct http_hosts {
	struct hash_key key;
	struct pool pool;
	struct http_host **bucket;
	uint32_t mask;
};

bool http_hosts_init(struct http_hosts *t, struct arena *arena, uint32_t connections,
	const struct hash_key *key);
/* Counts one connection more; never fails for up to `connections`. */
struct http_host *http_hosts_take(struct http_hosts *t, const struct addr *a);
/* One less. */
void http_hosts_give(struct http_hosts *t, struct http_host *host);

#endif
