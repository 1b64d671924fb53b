/*
 * The rules for memory: what the pools gave out is held by somebody, to the last
 * block, after every event; what is neither open yet nor any more holds nothing
 * but its own small struct; and bytes that may be read stay what they are.
 *
 * The last of these is kept by a mark: a hash of the newest bytes that an
 * application could have read when the connection was looked at. As long as they
 * are not read, they must give the same hash.
 */
#include "sim/inspect_rules.h"

#include "base/hash.h"
#include "transport/tcp/kept.h"

#define SMALL_STRUCT 96 /* I25: half-open and TIME-WAIT, with an IPv6 tuple */

static const struct tcp_tuple nobody;

static void breach(struct breach *b, const struct tcp_tuple *tuple, uint8_t state, const char *rule,
	const char *what, uint64_t x, uint64_t y)
{
	if (!b->rule)
		*b = (struct breach){ rule, what, x, y, *tuple, state };
}

/* ---- who holds what ---- */

/* Small blocks of a ring, its table among them; a big one counts for sixteen. */
static uint64_t ring_holds(const struct ring *r)
{
	uint64_t table = 0;
	if (r->slot != r->inline_slot)
		table = (r->mask + 1) * sizeof *r->slot > RING_BLOCK ? RING_BIG / RING_BLOCK : 1;
	return r->blocks + table;
}

/* The same for a set of holes that has outgrown its own places. */
static uint64_t holes_hold(const struct interval_set *s)
{
	if (!s || !interval_lent(s))
		return 0;
	return s->places * INTERVAL_BYTES > RING_BLOCK ? RING_BIG / RING_BLOCK : 1;
}

static uint64_t queue_holds(const struct list *queue)
{
	uint64_t blocks = 0;
	list_each(at, queue)
	{
		const struct datagram *d = list_entry(at, struct datagram, link);
		blocks += d->big ? RING_BIG / RING_BLOCK : 1;
	}
	return blocks;
}

/* Datagrams that wait in their sockets. */
static uint64_t datagrams_hold(const struct transport *t)
{
	uint64_t blocks = 0;
	for (uint32_t i = 0; i < t->datagram_pool.fresh; i++) {
		const struct datagram_endpoint *e = pool_at(&t->datagram_pool, i);
		if (e->used)
			blocks += queue_holds(&e->received) + queue_holds(&e->to_send);
	}
	return blocks;
}

void inspect_memory(const struct transport *t, const bool *live, struct breach *b)
{
	uint64_t flights = 0, ranges = 0, held = 0, records = 0, kept = 0;
	uint64_t blocks = datagrams_hold(t);
	if (t->conn_pool.fresh > INSPECT_CONNS)
		return;
	for (uint32_t i = 0; i < t->conn_pool.fresh; i++) {
		const struct tcp_conn *c = pool_at(&t->conn_pool, i);
		kept += live[i] && c->timer.note >= NOTE_RECORD;
		if (!live[i] || !c->flight)
			continue;
		flights++;
		ranges += c->flight->board.count;
		held += c->flight->held != NULL;
		records += c->flight->records != NULL;
		blocks += ring_holds(&c->flight->rx) + ring_holds(&c->flight->tx) +
			holes_hold(c->flight->held);
	}
	uint64_t given = t->blocks.small.used +
		(uint64_t)t->blocks.big.used * (RING_BIG / RING_BLOCK);
	const struct {
		const char *what;
		uint64_t given, held;
	} sums[] = {
		{ "flights given, held", t->flight_pool.used, flights },
		{ "sent ranges given, held", t->range_pool.used, ranges },
		{ "sets of holes given, held", t->held_pool.used, held },
		{ "marks of records given, held", t->records_pool.used, records },
		{ "totals of idle connections given, held", t->kept_pool.used, kept },
		{ "ring blocks given, held", given, blocks },
	};
	for (size_t i = 0; i < sizeof sums / sizeof *sums; i++)
		if (sums[i].given != sums[i].held)
			breach(b, &nobody, TCP_CLOSED, "I25 (nobody's memory)", sums[i].what,
				sums[i].given, sums[i].held);
	if (t->embryo_pool.item_size > SMALL_STRUCT || t->time_wait_pool.item_size > SMALL_STRUCT)
		breach(b, &nobody, TCP_CLOSED, "I25 (small structs)", "bytes",
			t->embryo_pool.item_size, t->time_wait_pool.item_size);
}

/* ---- I03: what may be read ---- */

static uint64_t hash_of(const struct ring *r, uint32_t from, uint32_t to)
{
	static const struct hash_key key = { { 3, 3 } };
	uint8_t bytes[INSPECT_MARK];
	ring_read(r, from, bytes, to - from);
	return siphash24(&key, span_of(bytes, to - from));
}

void inspect_mark(struct shadow *was, const struct tcp_conn *c, struct breach *b)
{
	const struct tcp_flight *f = c->flight;
	if (!f) {
		was->mark_from = was->mark_to = 0;
		return;
	}
	const struct ring *r = &f->rx;
	uint32_t end = c->rcv_nxt - !!(c->flags & CONN_FIN_RECEIVED);
	bool kept = was->mark_from != was->mark_to && was->flight &&
		seq_ge(was->mark_from, r->low) && seq_le(was->mark_to, end);
	if (kept && hash_of(r, was->mark_from, was->mark_to) != was->mark)
		breach(b, &c->tuple, c->state, "I03 (delivered bytes change)", "from, to",
			was->mark_from, was->mark_to);
	if (kept && was->mark_to == end)
		return;
	was->mark_to = end;
	was->mark_from = end - r->low < INSPECT_MARK ? r->low : end - INSPECT_MARK;
	if (was->mark_from != was->mark_to)
		was->mark = hash_of(r, was->mark_from, was->mark_to);
}
