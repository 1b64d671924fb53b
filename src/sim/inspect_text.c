/*
 * A node may hold several connections of one client's port, one after the other,
 * and a reboot leaves old ones at the other side: the text must be what one of
 * the flows of that port wrote.
 */
#include "sim/inspect_text.h"

#include <stdio.h>

#include "sim/inspect_rules.h"
#include "sim/world.h"

struct text_inspector {
	struct invariant invariant;
	struct node *node;
	const struct traffic *traffic;
};

static const struct tcp_conn *sender(const struct transport *t, const struct segment *g)
{
	const struct tcp_tuple tuple = { g->from, g->to, g->source, g->destination };
	for (uint32_t i = 0; i < t->conn_pool.fresh; i++) {
		const struct tcp_conn *c = pool_at(&t->conn_pool, i);
		if (tcp_tuple_equal(&c->tuple, &tuple) && c->flags & CONN_IN_DEMUX)
			return c;
	}
	return NULL;
}

static bool frame(
	struct invariant *i, struct node *n, const struct parcel *p, char *why, size_t cap)
{
	struct text_inspector *s = list_entry(i, struct text_inspector, invariant);
	struct segment g;
	if (n != s->node || p->why == WHY_FORWARD || p->seg_count != 1 ||
		!segment_read(&g, parcel_span(p)) || !g.len)
		return true;
	const struct tcp_conn *c = sender(stack_transport(n->stack), &g);
	bool server = n == s->traffic->server.node;
	uint16_t port = server ? g.destination : g.source;
	uint32_t at = g.seq + !!(g.flags & TCP_SYN);
	const uint8_t *text = g.options.at + g.options.len;
	if (c && traffic_wrote(s->traffic, server, port, c->snd_end - at, span_of(text, g.len)))
		return true;
	snprintf(why, cap, "%u bytes at %u, sent as %s (port %u to %u%s)", g.len, at,
		tx_why_name(p->why), g.source, g.destination, c ? "" : ", no connection");
	return false;
}

void inspect_text(struct node *n, const struct traffic *t)
{
	struct text_inspector *s = world_alloc(n->world, sizeof *s);
	s->node = n;
	s->traffic = t;
	s->invariant.name = "I04 (bytes that were written)";
	s->invariant.frame = frame;
	invariant_add(n->world, &s->invariant);
}
