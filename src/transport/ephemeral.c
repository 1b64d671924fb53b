/*
 * Ephemeral ports (RFC 6056, algorithm 3 with a random step): where the search starts
 * is a keyed hash of the destination, so that one destination learns nothing of
 * the ports towards another; how it goes on is a counter. A few tries with a random
 * step find one as long as most are free; then each port of the range is tried
 * once, so "no free port" (TCP-61) is true, and a call is bounded by the range.
 */
#include "transport/tcp/tcp_conn.h"

#define PORT_TRIES 64 /* with a random step */

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

/* 1 .. 4, at random: two bits of a word of randomness that serves 32 ports. */
static uint32_t port_step(struct transport *t)
{
	if (t->port_random < 4) /* its highest bits mark where it ends */
		t->port_random = rng_next(t->core->rng) | UINT64_C(1) << 63;
	uint32_t step = 1 + (uint32_t)(t->port_random & 3);
	t->port_random >>= 2;
	return step;
}

/* Where the search for a destination begins; the last answer is remembered, because who connects
 * often connects to the same place. `tuple` has no local port yet. */
static uint32_t port_offset(struct transport *t, const struct tcp_tuple *tuple)
{
	if (!t->port_offset_known || !tcp_tuple_equal(&t->port_tuple, tuple)) {
		uint64_t word[5] = { tuple->local.w[0], tuple->local.w[1], tuple->remote.w[0],
				     tuple->remote.w[1], tuple->remote_port };
		t->port_tuple = *tuple;
		t->port_offset = (uint32_t)hash_words(&t->secret, word, 5);
		t->port_offset_known = true;
	}
	return t->port_offset;
}

enum error tcp_pick_port(struct transport *t, struct tcp_tuple *tuple)
{
	if (tuple->local_port)
		return tuple_free(t, tuple, t->config.time_wait_reuse_bound) ? ERR_OK : ERR_IN_USE;
	uint32_t range = (uint32_t)(t->config.port_last - t->config.port_first) + 1;
	uint32_t offset = port_offset(t, tuple);
	for (uint32_t i = 0; i < PORT_TRIES + range; i++) {
		t->port_counter += i < PORT_TRIES ? port_step(t) : 1;
		tuple->local_port =
			(uint16_t)(t->config.port_first + (offset + t->port_counter) % range);
		if (tuple_free(t, tuple, t->config.time_wait_reuse))
			return ERR_OK;
	}
	return ERR_NO_PORT;
}
