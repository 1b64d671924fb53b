/*
 * TCP Fast Open (RFC 7413) as numbers: the cookie that a server makes of two
 * addresses under its key, and what a client remembers of each server: its cookie,
 * its segment size, and whether SYNs with data get lost on the way. Pure; who sends
 * and receives is in fast_syn.c.
 */
#ifndef STRATA_TRANSPORT_TCP_FAST_OPEN_H
#define STRATA_TRANSPORT_TCP_FAST_OPEN_H

#include "base/addr.h"
#include "base/arena.h"
#include "base/hash.h"
#include "base/nanotime.h"

#define FAST_OPEN_COOKIE     8  /* bytes of ours; others' have 4 .. 16 */
#define FAST_OPEN_COOKIE_MAX 16
#define FAST_OPEN_KEYS       2

/* A server's keys: the first makes cookies, all are believed (RFC 7413 4.1.2). */
struct fast_open_keys {
	struct hash_key key[FAST_OPEN_KEYS];
	unsigned count;
};

/* 16 bytes as they stand, least significant first. */
void fast_open_add_key(struct fast_open_keys *keys, const uint8_t key[16]);
/* The cookie for a client at `remote` that talks to `local`. */
void fast_open_cookie(const struct hash_key *key, const struct addr *local,
		      const struct addr *remote, uint8_t out[FAST_OPEN_COOKIE]);
/* Which key made this cookie, or -1. */
int fast_open_check(const struct fast_open_keys *keys, const struct addr *local,
		    const struct addr *remote, const uint8_t *cookie, size_t len);

/* What a client knows of one server. */
struct fast_open_entry {
	struct addr remote;
	nanotime used;
	nanotime paused_until; /* no Fast Open before: SYNs with data are swallowed */
	uint16_t mss;          /* as the server said last; 0: not known */
	uint8_t losses;        /* SYNs with data that got lost, one after the other */
	uint8_t cookie_len;    /* 0: none */
	bool experimental;     /* option 254 is what it understands, or what is tried next */
	bool early_tried;      /* it was, since the last cookie */
	uint8_t cookie[FAST_OPEN_COOKIE_MAX];
};

/* Sets of four, found by a keyed hash; the one that was not used for longest makes room. */
struct fast_open_cache {
	struct fast_open_entry *entry;
	uint32_t sets; /* a power of two */
	struct hash_key key;
};

/* False: no memory. At least `entries` places. */
bool fast_open_cache_init(struct fast_open_cache *c, struct arena *a, uint32_t entries,
			  const struct hash_key *key);
void fast_open_forget(struct fast_open_cache *c);
/* NULL: nothing is known. */
struct fast_open_entry *fast_open_find(const struct fast_open_cache *c, const struct addr *remote);
/* The server's place, made where there is none. */
struct fast_open_entry *fast_open_place(struct fast_open_cache *c, const struct addr *remote,
					nanotime now);
/*
 * A SYN with data got lost where a plain one came through. The first may be chance; from the
 * second on in a row Fast Open rests towards this server, each time twice as long (RFC 7413
 * 4.1.3.1): pause, times two for each loss, at most 512 pauses.
 */
void fast_open_lost(struct fast_open_entry *e, nanodiff pause, nanotime now);

#endif
