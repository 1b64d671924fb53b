/*
 * A cache of DNS responses, positive and negative (RFC 1034 4.3.4, RFC 2308), by
 * name and type. Whole messages are kept, so what comes out goes through the same
 * checks as what came from the network; their TTLs come out aged. Bounded in
 * entries and bytes; the least recently used one goes first.
 */
#ifndef STRATA_APPLICATION_DNS_CACHE_H
#define STRATA_APPLICATION_DNS_CACHE_H

#include "base/arena.h"
#include "base/hash.h"
#include "base/list.h"
#include "base/nanotime.h"
#include "wire/dns.h"

struct dns_cache {
	struct hash_key key;
	struct pool pool;
	struct list *bucket;
	uint32_t mask;
	size_t message_max;
	struct list lru; /* least recently used first */
};

/* `entries` 0: a cache that never holds anything. False where the arena is too small. */
bool dns_cache_init(struct dns_cache *c, struct arena *arena, uint32_t entries,
	uint32_t message_max, const struct hash_key *key);
/* Copies the response to `out` and ages its TTLs. Its length, or 0: none, or expired. */
size_t dns_cache_find(struct dns_cache *c, const struct dns_name *name, uint16_t type, nanotime now,
	uint8_t *out, size_t cap);
/* Keeps a checked response for `ttl` seconds (0: not at all). */
void dns_cache_keep(struct dns_cache *c, const struct dns_name *name, uint16_t type,
	struct span message, uint32_t ttl, nanotime now);
void dns_cache_flush(struct dns_cache *c);

#endif
