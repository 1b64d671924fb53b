/*
 * The connection table: from a segment's addresses and ports to its connection,
 * half-open or TIME-WAIT entry. Open addressing in lines of 64 bytes (seven tags
 * and references each), so that a look-up reads one cache line and then the entry
 * itself, at ten connections as at ten million. A line that overflowed counts how
 * many entries went on to the next one; deletion needs no tombstones.
 *
 * The hash is keyed: a peer can't choose ports that collide (SYS-06).
 */
#ifndef STRATA_TRANSPORT_DEMUX_H
#define STRATA_TRANSPORT_DEMUX_H

#include "base/hash.h"
#include "transport/tcp/conn.h"

#define DEMUX_SLOTS 7
#define DEMUX_PROBES 16 /* lines looked at, at most */

enum demux_kind {
	DEMUX_NONE,
	DEMUX_CONN,
	DEMUX_EMBRYO,
	DEMUX_TIME_WAIT,
};

struct demux_line {
	uint32_t tag[DEMUX_SLOTS];
	uint32_t ref[DEMUX_SLOTS]; /* kind in the top two bits, index below; 0: free */
	uint32_t passed;           /* entries whose home is here or before, that stand after */
	uint32_t spare;
};
static_assert(sizeof(struct demux_line) == 64, "a line is a cache line");

struct demux {
	struct demux_line *line;
	uint32_t mask;
	uint32_t count;
	const struct hash_key *key;
	const struct pool *pool[4]; /* by kind: entries begin with a tcp_tuple */
	struct tcp_conn *last;      /* the connection found last: segments come in bursts */
	uint64_t searched;          /* hash of the tuple searched last */
};

bool demux_init(struct demux *d, struct arena *a, uint32_t entries, const struct hash_key *key);

/* A tuple as words to hash; returns how many. The mapped form's constant bytes are left out. */
static inline unsigned tuple_words(const struct tcp_tuple *t, uint64_t word[5])
{
	uint64_t ports = (uint64_t)t->local_port << 16 | t->remote_port;
	if (addr_is4(&t->remote)) {
		word[0] = (t->local.w[1] >> 32) << 32 | t->remote.w[1] >> 32;
		word[1] = ports;
		return 2;
	}
	word[0] = t->local.w[0];
	word[1] = t->local.w[1];
	word[2] = t->remote.w[0];
	word[3] = t->remote.w[1];
	word[4] = ports;
	return 5;
}

static inline uint64_t tuple_hash(const struct hash_key *key, const struct tcp_tuple *t)
{
	uint64_t word[5];
	return tuple_words(t, word) == 2 ? hash_words(key, word, 2) : hash_words(key, word, 5);
}

/* The entry of a tuple and its kind; NULL where there is none. */
void *demux_search(struct demux *d, const struct tcp_tuple *t, enum demux_kind *kind);
/* Of the tuple that was searched last: who adds or replaces that very tuple need not hash it
 * again. */
static inline uint64_t demux_searched(const struct demux *d)
{
	return d->searched;
}
static inline void *demux_find(struct demux *d, const struct tcp_tuple *t, enum demux_kind *kind)
{
	if (d->last && tcp_tuple_equal(&d->last->tuple, t)) {
		*kind = DEMUX_CONN;
		return d->last;
	}
	return demux_search(d, t, kind);
}
/* False: the table is too full around this hash. The tuple must not be in the table. */
bool demux_add(struct demux *d, uint64_t hash, enum demux_kind kind, void *entry);
/* `hash`: its low 32 bits, as entries keep them. */
void demux_remove(struct demux *d, uint32_t hash, enum demux_kind kind, const void *entry);
/* The entry stands where `old` stood: same tuple, another kind. */
void demux_replace(struct demux *d, uint32_t hash, enum demux_kind old_kind, const void *old,
		   enum demux_kind kind, void *entry);

#endif
