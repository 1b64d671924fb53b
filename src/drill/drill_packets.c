/*
 * A run's packets. What comes in belongs to the newest flow, or opens one where
 * a socket has begun to listen. What leaves is looked at in the order in which it
 * left: segments of flows that are over are passed by, the next one of the
 * current flow must be what the script expects. The stack may cut data into other
 * segments than the script, unless the script says --strict_segments.
 */
#include "drill/drill_run.h"

#include <stdio.h>

#include "wire/tcp.h"

#define FIRST_PORT 50000 /* of the remote host, where it opens connections */

static struct drill_flow *new_flow(struct drill_run *r, uint16_t local, uint16_t remote)
{
	if (r->flows == DRILL_FLOWS) {
		drill_problem_at(r, 0, "more than %d connections", DRILL_FLOWS);
		return NULL;
	}
	struct drill_flow *f = &r->flow[r->flows];
	memset(f, 0, sizeof *f);
	f->local_port = local;
	f->remote_port = remote;
	r->current = (int)r->flows++;
	r->answered = false;
	return f;
}

static int find_flow(const struct drill_run *r, uint16_t local, uint16_t remote)
{
	for (int i = (int)r->flows - 1; i >= 0; i--)
		if (r->flow[i].local_port == local && r->flow[i].remote_port == remote)
			return i;
	return -1;
}

/* The flow that a packet of the script comes in on. */
static struct drill_flow *flow_in(struct drill_run *r, const struct drill_packet *p)
{
	uint16_t fresh = (uint16_t)(FIRST_PORT + r->flows);
	if (p->from_port) {
		uint16_t local = p->to_port ? p->to_port : DRILL_LOCAL_PORT;
		int found = find_flow(r, local, p->from_port);
		if (found < 0)
			return new_flow(r, local, p->from_port);
		r->current = found;
	} else if (p->protocol == DRILL_TCP && (r->host.listening || r->current < 0)) {
		r->host.listening = false;
		return new_flow(r, DRILL_LOCAL_PORT, fresh);
	} else if (r->current < 0) {
		return new_flow(r, DRILL_LOCAL_PORT, fresh);
	}
	return &r->flow[r->current];
}

bool drill_packet_in(struct drill_run *r, const struct drill_event *e)
{
	const struct drill_packet *p = &e->packet;
	struct drill_flow *f = flow_in(r, p);
	struct drill_ends ends = { r->host.local, r->host.remote };
	if (!f)
		return false;
	if (p->protocol == DRILL_TCP && p->flags & TCP_SYN && !r->answered)
		f->remote_isn = p->seq;
	size_t len = drill_build(
		p, f, &ends, r->scaled_ecr, r->match.tick_us, r->datagram, DRILL_DATAGRAM);
	if (!len)
		return drill_problem_at(r, e->line, "the packet does not fit a datagram");
	int error = posix_receive(r->host.posix, r->datagram, len);
	if (error)
		return drill_problem_at(r, e->line, "the host takes no datagram of %zu bytes", len);
	return drill_look(r);
}

static void queue_drop(struct drill_run *r)
{
	r->queue_first = (r->queue_first + 1) % DRILL_QUEUE;
	r->queue_len--;
}

/* Does the oldest segment concern the script? A new connection's SYN makes its flow the current
 * one; old flows are passed by. */
static bool concerns(struct drill_run *r, const struct drill_packet *p, const struct drill_seen *s)
{
	if (s->broken)
		return true;
	if (s->protocol != IPPROTO_TCP_ && s->protocol != IPPROTO_UDP_)
		return p->protocol == DRILL_ICMP;
	bool opens = s->protocol == IPPROTO_UDP_ || (s->flags & (TCP_SYN | TCP_ACK)) == TCP_SYN;
	int found = find_flow(r, s->from_port, s->to_port);
	/* An old flow's ports may be taken again: another SYN than that one's begins anew. */
	bool again = found >= 0 && r->host.opening && s->seq != r->flow[found].local_isn;
	if (opens && (found < 0 || again)) {
		r->host.opening = false;
		struct drill_flow *f = new_flow(r, s->from_port, s->to_port);
		if (f)
			f->last_protocol = s->protocol;
		return f != NULL;
	}
	if (p->from_port && found >= 0)
		return s->from_port == p->from_port &&
			(p->to_port == 0 || s->to_port == p->to_port);
	bool wants_syn = p->protocol == DRILL_TCP && (p->flags & (TCP_SYN | TCP_ACK)) == TCP_SYN;
	if (wants_syn && r->host.opening)
		return false;
	return found >= 0 && found == r->current;
}

/* The next segment that concerns the script; NULL: none left yet. */
static struct drill_seen *queue_next(struct drill_run *r, const struct drill_packet *p)
{
	while (r->queue_len) {
		struct drill_seen *s = &r->queue[r->queue_first];
		if (concerns(r, p, s))
			return s;
		if (r->report->problem.text[0])
			return NULL;
		queue_drop(r);
	}
	return NULL;
}

static void time_text(nanotime t, char *out, size_t cap)
{
	snprintf(out, cap, "%.6f", (double)t / (double)NANO_S);
}

/* "   expected  > . 1:1(0) ack 1      at 0.100000" beside what was seen */
static bool tell_difference(struct drill_run *r, const struct drill_event *e,
	const struct drill_packet *p, const struct drill_seen *s, nanotime due, const char *why)
{
	static const struct drill_flow none;
	char want[320], got[320] = "nothing", due_at[32], seen_at[64] = "";
	drill_describe_packet(p, want, sizeof want);
	if (e->time_kind == DRILL_WHENEVER)
		snprintf(due_at, sizeof due_at, "any time");
	else
		time_text(due, due_at, sizeof due_at);
	if (s) {
		char at[32];
		nanotime off = s->time - due;
		drill_describe_seen(
			s, r->current >= 0 ? &r->flow[r->current] : &none, got, sizeof got);
		time_text(s->time, at, sizeof at);
		snprintf(seen_at, sizeof seen_at, "  at %s (%+.3f ms)", at, (double)off / 1e6);
	}
	return drill_problem_at(r, e->line, "%s\n\texpected  %s  at %s\n\tseen      %s%s", why,
		want, due_at, got, seen_at);
}

static bool in_time(struct drill_run *r, const struct drill_event *e, const struct drill_packet *p,
	const struct drill_seen *s, nanotime due, nanotime latest)
{
	if (e->time_kind == DRILL_WHENEVER)
		return true;
	nanotime early = due - s->time, late = s->time - latest;
	if (early <= r->match.tolerance && late <= r->match.tolerance)
		return true;
	return tell_difference(r, e, p, s, due,
		early > 0 ? "the segment left too early" : "the segment left too late");
}

/* Waits for the next segment; NULL: nothing leaves, and the problem is told. */
static struct drill_seen *await_segment(struct drill_run *r, const struct drill_event *e,
	const struct drill_packet *p, nanotime due, nanotime latest)
{
	nanotime now = drill_now(r), last = latest == NANOTIME_NEVER || latest < now ? now : latest;
	for (;;) {
		struct drill_seen *s = queue_next(r, p);
		bool moved;
		if (s || r->report->problem.text[0])
			return s;
		if (!drill_step_clock(r, last + DRILL_PATIENCE, &moved))
			return NULL;
		if (!moved) {
			tell_difference(r, e, p, NULL, due, "the segment did not leave");
			return NULL;
		}
	}
}

/* The part of the data that a segment brought is done with; a longer segment keeps the rest. */
static void take_part(struct drill_run *r, struct drill_packet *p, struct drill_seen *s)
{
	uint32_t part = s->len < p->len ? s->len : p->len;
	bool rest = s->len > part;
	p->seq += part;
	p->len -= part;
	if (!rest) {
		queue_drop(r);
		return;
	}
	s->seq += part;
	s->len -= part;
}

bool drill_packet_out(
	struct drill_run *r, const struct drill_event *e, nanotime due, nanotime latest)
{
	struct drill_packet p = e->packet; /* shrinks as parts of it leave */
	for (;;) {
		struct drill_seen *s = await_segment(r, e, &p, due, latest);
		char why[256];
		if (!s)
			return false;
		struct drill_flow *f = &r->flow[r->current < 0 ? 0 : r->current];
		bool last = r->match.segments || s->len >= p.len || s->len == 0 ||
			(s->flags | p.flags) & TCP_SYN;
		struct drill_seen copy = *s;
		struct drill_flow before = *f;
		drill_learn(f, &p, s);
		if (!drill_compare(&p, s, f, &r->match, last, why, sizeof why)) {
			*f = before;
			return tell_difference(r, e, &p, &copy, due, why);
		}
		if (!in_time(r, e, &p, s, due, latest))
			return false;
		if ((s->flags & (TCP_ACK | TCP_RST)) == TCP_ACK)
			r->answered = true;
		take_part(r, &p, s);
		if (last)
			return true;
	}
}
