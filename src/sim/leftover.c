/*
 * The pools that fill and empty with traffic; sockets and listeners are their
 * owners' affair.
 */
#include "sim/leftover.h"

#include "transport/endpoints.h"

const char *node_leftover(const struct node *n)
{
	const struct transport *t = stack_transport(n->stack);
	const struct {
		const struct pool *pool;
		const char *name;
	} pools[] = {
		{ &t->conn_pool, "a connection" },
		{ &t->flight_pool, "a flight" },
		{ &t->embryo_pool, "a half-open connection" },
		{ &t->time_wait_pool, "a TIME-WAIT" },
		{ &t->range_pool, "a sent range" },
		{ &t->held_pool, "a set of holes" },
		{ &t->records_pool, "marks of records" },
		{ &t->kept_pool, "what outlives a flight" },
		{ &t->saved_syn_pool, "a saved SYN" },
		{ &t->datagram_pool, "a datagram socket" },
		{ &t->blocks.small, "a ring block" },
		{ &t->blocks.big, "a big ring block" },
	};
	for (size_t i = 0; i < sizeof pools / sizeof *pools; i++)
		if (pools[i].pool->used)
			return pools[i].name;
	return NULL;
}
