/*
 * The steps are counted in one place for all stacks of the program, and each call
 * takes the difference. What a call finds to do is read before it from the lists and
 * the wheel, and from the ranges of connections; what it has done with those is read
 * after it, if it took more than it may without them.
 */
#include "sim/work.h"

#include "access/access.h"
#include "stack/stack.h"
#include "transport/endpoints.h"

static uint64_t steps;

/* Called by each step of code that is compiled with -fsanitize-coverage=trace-pc. A fuzzer's
 * runtime has a function of that name; there the build gives ours another, and has the linker call
 * it. */
#ifndef STRATA_STEP
#define STRATA_STEP __sanitizer_cov_trace_pc
#endif
void STRATA_STEP(void);
void STRATA_STEP(void)
{
	steps++;
}

uint64_t work_steps(void)
{
	return steps;
}

/* ---- what there is to do ---- */

static uint32_t count(const struct list *list)
{
	uint32_t n = 0;
	list_each(l, list) n++;
	return n;
}

static uint32_t due_among(const struct wheel_slot *s, nanotime now)
{
	uint32_t n = 0;
	list_each(l, &s->timers) n += list_entry(l, struct timer, link)->deadline <= now;
	return n;
}

static uint32_t count_due(const struct wheel *w, nanotime now)
{
	uint32_t n = due_among(&w->due, now) + due_among(&w->fresh, now) +
		due_among(&w->overflow, now);
	for (unsigned level = 0; level < WHEEL_LEVELS; level++)
		for (uint64_t left = w->occupied[level]; left; left &= left - 1)
			n += due_among(&w->slot[level][__builtin_ctzll(left)], now);
	return n;
}

/* Half-open and TIME-WAIT connections whose time has come; each list is in the order of time. */
static uint32_t count_entries(const struct transport *t, nanotime now)
{
	uint32_t n = 0;
	for (size_t i = 0; i < sizeof t->embryo_wait / sizeof *t->embryo_wait; i++)
		for (const struct list *l = t->embryo_wait[i].next; l != &t->embryo_wait[i] &&
			list_entry(l, struct tcp_embryo, link)->deadline <= now;
			l = l->next)
			n++;
	for (const struct list *l = t->time_waits.next; l != &t->time_waits &&
		list_entry(l, struct tcp_time_wait, link)->expires <= now;
		l = l->next)
		n++;
	return n;
}

/* Steps that are before a board's ranges: they will all be let go, become SACKED or LOST, and go
 * into the tree. */
static uint64_t board_left(const struct scoreboard *b)
{
	uint64_t left = 3 * (uint64_t)b->count;
	if (!b->in_tree)
		return left;
	list_each(l, &b->ranges)
	{
		const struct sent_range *r = list_entry(l, struct sent_range, link);
		left -= 1u + (r->flags & SENT_SACKED || range_waits(r));
		if (r == b->in_tree)
			break;
	}
	return left;
}

/* A place in the pool that is free has no flight. */
static struct work_left look(const struct transport *t)
{
	struct work_left left = { 0 };
	if (!t->range_pool.used && !t->held_pool.used)
		return left;
	for (uint32_t i = 0; i < t->conn_pool.fresh; i++) {
		const struct tcp_conn *c = pool_at(&t->conn_pool, i);
		const struct tcp_flight *f = c->flight;
		if (!f)
			continue;
		left.steps += board_left(&f->board) + (f->held ? f->held->count : 0);
		left.ranges += f->board.count;
		left.turns += f->rtos + f->undos + c->path.mtu;
	}
	return left;
}

static uint32_t count_waiting(const struct transport *t)
{
	uint32_t n = t->reply_count;
	list_each(l, &t->datagrams)
		n += list_entry(l, struct datagram_endpoint, ready)->to_send_count;
	return n;
}

void work_begin(struct work *w, struct stack *s)
{
	const struct transport *t = stack_transport(s);
	const struct access *a = stack_access(s);
	*w = (struct work){ .left = look(t),
		.conns = count(&t->ready) + count(&a->woken) + count(&a->failed) +
			t->short_flight.count + t->short_block.count,
		.waiting = count_waiting(t),
		.blocks = t->blocks.small.used + t->blocks.big.used };
	w->from = steps;
}

void work_begin_timers(struct work *w, struct stack *s, nanotime now)
{
	const struct transport *t = stack_transport(s);
	const struct wheel *wheel = t->core->wheel;
	*w = (struct work){ .left = look(t),
		.armed = wheel->armed,
		.blocks = t->blocks.small.used + t->blocks.big.used };
	if (wheel_next(wheel) <= now) {
		w->due = count_due(wheel, now);
		w->entries = count_entries(t, now);
	}
	w->from = steps;
}

/* ---- what that may take ---- */

static unsigned log_of_room(const struct transport_config *c)
{
	uint64_t room = (uint64_t)c->connections + c->embryos + c->time_waits + c->sockets +
		c->sent_ranges + c->held_ranges;
	return 64u - (unsigned)__builtin_clzll(room | 1);
}

static uint64_t allowed(const struct work *w, const struct transport *t, uint64_t frames)
{
	uint64_t log = WORK_LOG * (uint64_t)log_of_room(&t->config);
	uint32_t blocks = t->blocks.small.used + t->blocks.big.used;
	uint64_t freed = w->blocks > blocks ? w->blocks - blocks : 0;
	return WORK_CALL + log + (WORK_FRAME + log) * frames + WORK_TIMER * (uint64_t)w->due +
		WORK_ARMED * (uint64_t)w->armed + WORK_CONN * (uint64_t)w->conns +
		WORK_ENTRY * (uint64_t)w->entries + WORK_WAITING * (uint64_t)w->waiting +
		WORK_BLOCK * freed;
}

/* ... and for what has become of ranges. */
static uint64_t allowed_for_ranges(const struct work_left *before, const struct transport *t)
{
	struct work_left after = look(t);
	uint64_t done = before->steps > after.steps ? before->steps - after.steps : 0;
	if (after.turns != before->turns)
		done += before->ranges;
	return WORK_RANGE * log_of_room(&t->config) * done;
}

void work_end(const struct work *w, struct stack *s, const char *call, uint32_t frames,
	struct work_excess *e)
{
	const struct transport *t = stack_transport(s);
	uint64_t took = steps - w->from;
	if (took <= WORK_CALL || e->call)
		return;
	uint64_t most = allowed(w, t, frames);
	if (took > most)
		most += allowed_for_ranges(&w->left, t);
	if (took > most)
		*e = (struct work_excess){ call, took, most };
}
