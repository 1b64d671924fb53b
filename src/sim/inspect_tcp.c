/*
 * For each place in the pool of connections a shadow: what the connection there
 * was like when it was looked at last. A place that was free in between, or has
 * another tuple, starts anew.
 */
#include "sim/inspect_tcp.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "sim/inspect_rules.h"

static bool fail(struct inspector *s, char *why, size_t cap, const char *rule, const char *format,
	...) __attribute__((format(printf, 5, 6)));
static bool fail(
	struct inspector *s, char *why, size_t cap, const char *rule, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	vsnprintf(why, cap, format, args);
	va_end(args);
	s->invariant.name = rule;
	return false;
}

/* A broken rule: its name, and the numbers that break it. */
static bool judge(struct inspector *s, const struct breach *b, char *why, size_t cap)
{
	if (!b->rule)
		return true;
	return fail(s, why, cap, b->rule, "%s: %llu, %llu (port %u to %u, %s)", b->what,
		(unsigned long long)b->a, (unsigned long long)b->b, b->tuple.local_port,
		b->tuple.remote_port, tcp_state_name((enum tcp_state)b->state));
}

/* ---- which places are taken ---- */

static void find_live(const struct pool *p, bool *live, uint32_t cap)
{
	uint32_t fresh = p->fresh < cap ? p->fresh : cap;
	for (uint32_t i = 0; i < fresh; i++)
		live[i] = true;
	for (const void *at = p->free, *next; at; at = next) {
		uint32_t i = pool_index(p, at);
		if (i < cap)
			live[i] = false;
		memcpy(&next, at, sizeof next);
	}
}

static void forget_all(struct inspector *s)
{
	memset(s->shadow, 0, sizeof s->shadow);
	memset(s->waiting, 0, sizeof s->waiting);
	memset(s->stranger, 0, sizeof s->stranger);
	s->life = s->node->lives;
}

static bool look_at_conns(struct inspector *s, const struct transport *t, char *why, size_t cap)
{
	bool live[INSPECT_CONNS];
	uint32_t count = t->conn_pool.fresh < INSPECT_CONNS ? t->conn_pool.fresh : INSPECT_CONNS;
	struct breach sums = { .rule = NULL };
	find_live(&t->conn_pool, live, INSPECT_CONNS);
	inspect_memory(t, live, &sums);
	if (!judge(s, &sums, why, cap))
		return false;
	for (uint32_t i = 0; i < count; i++) {
		const struct tcp_conn *c = pool_at(&t->conn_pool, i);
		struct shadow *was = &s->shadow[i];
		struct breach b = { .rule = NULL };
		if (!live[i] || c->state == TCP_CLOSED) {
			was->known = false;
			continue;
		}
		if (was->known && !tcp_tuple_equal(&was->tuple, &c->tuple))
			was->known = false;
		if (was->known)
			inspect_change(s, t, was, c, &b);
		inspect_standing(s, t, was, c, &b);
		inspect_second_segment(s, was, c, &b);
		inspect_hole(s, t, was, c, &b);
		inspect_mark(was, c, &b);
		inspect_remember(was, c);
		if (!judge(s, &b, why, cap))
			return false;
	}
	return true;
}

static bool holds(struct invariant *i, struct node *n, char *why, size_t cap)
{
	struct inspector *s = list_entry(i, struct inspector, invariant);
	struct breach b = { .rule = NULL };
	if (n != s->node)
		return true;
	if (s->life != n->lives)
		forget_all(s);
	const struct transport *t = stack_transport(n->stack);
	s->now = t->now;
	if (s->odd_from) {
		const char *from = s->odd_from;
		s->odd_from = NULL;
		return fail(s, why, cap, "I15 (states)", "from %s to %s", from, s->odd_to);
	}
	if (!look_at_conns(s, t, why, cap))
		return false;
	inspect_waiting(s, t, &b);
	inspect_half_open(t, &b);
	return judge(s, &b, why, cap);
}

/* ---- segments ---- */

/* The tuple of whoever sends a segment, or of whom it is for. */
static struct tcp_tuple tuple_of(const struct segment *g, bool out)
{
	return out ? (struct tcp_tuple){ g->from, g->to, g->source, g->destination }
		   : (struct tcp_tuple){ g->to, g->from, g->destination, g->source };
}

static const struct tcp_conn *conn_of(
	const struct transport *t, const struct segment *g, bool out, uint32_t *index)
{
	struct tcp_tuple tuple = tuple_of(g, out);
	uint32_t count = t->conn_pool.fresh < INSPECT_CONNS ? t->conn_pool.fresh : INSPECT_CONNS;
	for (uint32_t i = 0; i < count; i++) {
		const struct tcp_conn *c = pool_at(&t->conn_pool, i);
		if (tcp_tuple_equal(&c->tuple, &tuple) && c->flags & CONN_IN_DEMUX &&
			c->state != TCP_CLOSED) {
			*index = i;
			return c;
		}
	}
	return NULL;
}

/* The shadow of a connection that may have had no look yet. */
static struct shadow *shadow_of(struct inspector *s, const struct tcp_conn *c, uint32_t index)
{
	struct shadow *was = &s->shadow[index];
	if (!was->known || !tcp_tuple_equal(&was->tuple, &c->tuple)) {
		was->known = false;
		inspect_remember(was, c);
	}
	return was;
}

static bool frame(
	struct invariant *i, struct node *n, const struct parcel *p, char *why, size_t cap)
{
	struct inspector *s = list_entry(i, struct inspector, invariant);
	struct segment g;
	struct breach b = { .rule = NULL };
	uint32_t index;
	if (n != s->node || p->why == WHY_FORWARD || p->seg_count != 1 ||
		!segment_read(&g, parcel_span(p)))
		return true;
	if (s->life != n->lives)
		forget_all(s);
	const struct transport *t = stack_transport(n->stack);
	const struct tcp_conn *c = conn_of(t, &g, true, &index);
	s->now = t->now;
	if (!c)
		inspect_answer_stranger(s, &g, p->why, &b);
	if (!c || g.flags & (TCP_SYN | TCP_RST))
		return judge(s, &b, why, cap);
	struct shadow *was = shadow_of(s, c, index);
	inspect_segment(s, t, was, c, &g, p->why, &b);
	inspect_first_answer(s, was, &g);
	inspect_answer(was, c, &g, p->why, &b);
	return judge(s, &b, why, cap);
}

static void heard(struct invariant *i, struct node *n, const struct rx_frame *frame)
{
	struct inspector *s = list_entry(i, struct inspector, invariant);
	struct segment g;
	uint32_t index;
	if (n != s->node || frame->seg_count != 1 || frame->bodies ||
		!segment_read(&g, frame->head))
		return;
	if (s->life != n->lives)
		forget_all(s);
	const struct tcp_conn *c = conn_of(stack_transport(n->stack), &g, false, &index);
	if (c)
		inspect_heard(shadow_of(s, c, index), c, &g);
	else
		inspect_heard_stranger(s, &g);
}

/* ---- states ---- */

/* A connection lives whose tuple may have been in TIME-WAIT, perhaps for this one run only. */
static void hear_open(struct inspector *s, const struct trace_flow *f)
{
	const struct tcp_tuple tuple = { f->local, f->remote, f->local_port, f->remote_port };
	for (uint32_t i = 0; i < INSPECT_WAITING; i++)
		if (s->waiting[i].known && tcp_tuple_equal(&s->waiting[i].tuple, &tuple))
			s->waiting[i].reopened = true;
}

static void hear(void *user, struct node *n, const struct trace_event *e)
{
	struct inspector *s = user;
	(void)n;
	if (e->kind == TRACE_TCP_STATE && strcmp(e->to, tcp_state_name(TCP_TIME_WAIT)) != 0)
		hear_open(s, &e->flow);
	if (e->kind == TRACE_TCP_STATE && !s->odd_from && !inspect_transition(e->from, e->to)) {
		s->odd_from = e->from;
		s->odd_to = e->to;
	}
}

void inspect_tcp(struct node *n)
{
	struct inspector *s = world_alloc(n->world, sizeof *s);
	s->node = n;
	s->life = n->lives;
	s->invariant.name = "TCP";
	s->invariant.holds = holds;
	s->invariant.frame = frame;
	s->invariant.heard = heard;
	s->sink.sink = hear;
	s->sink.user = s;
	invariant_add(n->world, &s->invariant);
	node_listen(n, &s->sink);
}
