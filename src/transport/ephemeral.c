/*
 * Ephemeral ports (RFC 6056, algorithm 4): where the search starts is a keyed hash of
 * the destination, so that one destination learns nothing of the ports towards
 * another; how it goes on is a counter, of which there are many, and the hash says
 * which: so neither does it learn how many connections go elsewhere (3.3.4). Its steps
 * come from the hash as well. A few tries with a step find a port as long as most are
 * free; then each of the range is tried once, so "no free port" (TCP-61) is true, and a
 * call is bounded by the range.
 */
#include "transport/tcp/tcp_conn.h"

#define PORT_TRIES 64 /* with a step */

/* Is this tuple free? A TIME-WAIT entry that RFC 6191 lets us reuse is removed, but only for a
 * connection that there is room for. */
static bool tuple_free(struct transport *t, const struct tcp_tuple *tuple, nanodiff reuse)
{
	enum demux_kind kind;
	void *entry = demux_find(&t->demux, tuple, &kind);
	if (!entry)
		return true;
	if (kind != DEMUX_TIME_WAIT || !time_wait_reusable(t, entry, reuse) ||
	    t->conn_pool.used == t->conn_pool.count)
		return false;
	time_wait_free(t, entry);
	return true;
}

/* 1 .. 4, as a few bits of the hash and the counter say. */
static uint32_t port_step(const struct transport *t, uint32_t counter)
{
	return 1 + (t->port_steps >> 2 * (counter % 8) & 3u);
}

/* Where the search for a destination begins; the last answer is remembered, because who connects
 * often connects to the same place. `tuple` has no local port yet. */
static uint32_t port_offset(struct transport *t, const struct tcp_tuple *tuple)
{
	if (!t->port_offset_known || !tcp_tuple_equal(&t->port_tuple, tuple)) {
		uint64_t word[5] = { tuple->local.w[0], tuple->local.w[1], tuple->remote.w[0],
				     tuple->remote.w[1], tuple->remote_port };
		t->port_tuple = *tuple;
		uint64_t hash = hash_words(&t->secret, word, 5);
		t->port_offset = (uint32_t)hash;
		t->port_steps = (uint16_t)(hash >> 32);
		t->port_bucket = hash >> 48 & (PORT_COUNTERS - 1);
		t->port_offset_known = true;
	}
	return t->port_offset;
}

enum error tcp_pick_port(struct transport *t, struct tcp_tuple *tuple)
{
	if (tuple->local_port)
		return tuple_free(t, tuple, t->config.time_wait_reuse_bound) ? ERR_OK : ERR_IN_USE;
	uint32_t range = (uint32_t)(t->config.port_last - t->config.port_first) + 1;
	uint32_t offset = port_offset(t, tuple), *counter = &t->port_counter[t->port_bucket];
	for (uint32_t i = 0; i < PORT_TRIES + range; i++) {
		*counter += i < PORT_TRIES ? port_step(t, *counter) : 1;
		tuple->local_port = (uint16_t)(t->config.port_first + (offset + *counter) % range);
		if (tuple_free(t, tuple, t->config.time_wait_reuse))
			return ERR_OK;
	}
	return ERR_NO_PORT;
}
