/*
 * A bottleneck for congestion controls: flows that always have data (or as much as the
 * test lets them), one queue that drops at its tail, one rate, one delay. Segments are
 * numbered as sent, so a retransmission is a new number; the path keeps the order, so
 * that three later arrivals mean a loss. The sender is the least that uses a control
 * as the contract says: PRR, rate samples, pacing.
 */
#ifndef TESTS_UNIT_TRANSPORT_BOTTLENECK_H
#define TESTS_UNIT_TRANSPORT_BOTTLENECK_H

#include "unit/base/property.h"

#include "transport/congestion/congestion.h"
#include "transport/recovery/pacer.h"
#include "transport/recovery/prr.h"
#include "transport/recovery/rate.h"

#define LINK_MSS   1460u
#define LINK_FLOWS 4
#define LINK_SENT  (1u << 14) /* segments that a flow can have in flight */
#define LINK_ACKS  (1u << 16)

struct link_segment {
	struct rate_mark mark;
	nanotime sent;
	bool gone; /* acknowledged or lost */
};

struct link_flow {
	struct cc c;
	struct rate rate;
	struct prr prr;
	struct pacer pacer;
	struct link_segment sent[LINK_SENT];
	uint32_t una, next; /* numbers of segments */
	uint32_t recover;
	uint32_t in_flight; /* bytes */
	nanodiff srtt, min_rtt;
	nanotime heard; /* latest ACK, or first segment after silence */
	nanotime starts;
	nanotime last_sent;
	uint64_t delivered; /* bytes, in all */
	uint64_t may_send;  /* bytes that the application offers in all */
	uint64_t offered;   /* of which were sent */
	uint32_t losses, timeouts;
	/* growth: window at the start of this round */
	uint32_t round_cwnd, round_end;
	double worst_growth;
	void (*watch)(struct link_flow *f, nanotime now);
};

struct link {
	uint64_t rate;  /* bytes/s */
	nanodiff delay; /* both ways, without the queue */
	uint64_t queue; /* bytes */
	uint32_t lose;  /* of a million segments */
	nanodiff slot;  /* ACKs come at multiples of it: a radio link. 0: at once */
	struct rng *chance;
	nanotime now;
	nanotime busy_until;
	unsigned flows;
	struct link_flow *flow;
	struct {
		nanotime at;
		uint32_t number;
		uint16_t flow;
	} ack[LINK_ACKS]; /* a ring; in order of time */
	uint32_t ack_first, ack_end;
	double queue_sum; /* integral of the delay in the queue over segments */
	uint64_t queue_count;
};

static inline void link_add(struct link *l, const struct cc_ops *ops, nanotime starts)
{
	struct link_flow *f = &l->flow[l->flows++];
	memset(f, 0, sizeof *f);
	f->starts = starts;
	f->may_send = UINT64_MAX;
	f->una = f->next = UINT32_MAX / LINK_MSS - 1000; /* byte sequence numbers wrap early */
	f->recover = f->una;
	rate_init(&f->rate, starts);
	cc_start(&f->c, ops, LINK_MSS, 10 * LINK_MSS, 12345 + 77 * l->flows, starts);
	f->round_end = f->next;
}

static inline struct link *link_new(uint64_t rate, nanodiff delay, uint64_t queue)
{
	struct link *l = calloc(1, sizeof *l);
	assert_non_null(l);
	l->flow = calloc(LINK_FLOWS, sizeof *l->flow);
	assert_non_null(l->flow);
	l->rate = rate;
	l->delay = delay;
	l->queue = queue;
	l->now = NANO_S;
	l->busy_until = l->now;
	return l;
}

static inline void link_free(struct link *l)
{
	free(l->flow);
	free(l);
}

static inline void link_send(struct link *l, unsigned i)
{
	struct link_flow *f = &l->flow[i];
	struct link_segment *s = &f->sent[f->next % LINK_SENT];
	assert_true(f->next - f->una < LINK_SENT);
	rate_sent(&f->rate, &s->mark, LINK_MSS, f->in_flight, l->now);
	s->sent = l->now;
	s->gone = false;
	if (!f->in_flight)
		f->heard = l->now;
	f->in_flight += LINK_MSS;
	f->offered += LINK_MSS;
	f->last_sent = l->now;
	prr_sent(&f->prr, LINK_MSS);
	uint64_t rate = f->c.pacing_rate;
	if (!rate)
		rate = pacer_window_rate(f->c.cwnd, f->c.ssthresh, f->srtt);
	pacer_sent(&f->pacer, rate, LINK_MSS, 2 * LINK_MSS, l->now);

	uint32_t number = f->next++;
	nanotime start = l->busy_until > l->now ? l->busy_until : l->now;
	nanodiff wait = start - l->now;
	bool lost = l->lose && rng_below(l->chance, 1000000) < l->lose;
	if (lost || (uint64_t)wait * l->rate / NANO_S + LINK_MSS > l->queue)
		return;
	l->busy_until = start + (nanodiff)(LINK_MSS * (uint64_t)NANO_S / l->rate);
	l->queue_sum += (double)wait;
	l->queue_count++;
	assert_true(l->ack_end - l->ack_first < LINK_ACKS);
	nanotime heard = l->busy_until + l->delay;
	if (l->slot)
		heard += l->slot - heard % l->slot;
	l->ack[l->ack_end % LINK_ACKS].at = heard;
	l->ack[l->ack_end % LINK_ACKS].number = number;
	l->ack[l->ack_end % LINK_ACKS].flow = (uint16_t)i;
	l->ack_end++;
}

/* When flow f can send next: now, a time, or NANOTIME_NEVER. */
static inline nanotime link_can_send(const struct link *l, const struct link_flow *f)
{
	if (f->in_flight + LINK_MSS > f->c.cwnd || f->offered + LINK_MSS > f->may_send)
		return NANOTIME_NEVER;
	nanotime at = f->starts > f->pacer.next ? f->starts : f->pacer.next;
	return at > l->now ? at : l->now;
}

static inline void link_lose(struct link_flow *f, uint32_t number)
{
	struct link_segment *s = &f->sent[number % LINK_SENT];
	s->gone = true;
	rate_lost(&f->rate, &s->mark, LINK_MSS);
	f->in_flight -= LINK_MSS;
	f->losses++;
	if (f->may_send != UINT64_MAX)
		f->offered -= LINK_MSS; /* is sent again */
}

static inline struct cc_loss link_loss(
	const struct link_flow *f, nanotime now, uint32_t lost, uint32_t una)
{
	return (struct cc_loss){
		.now = now,
		.flight = (f->next - una) * LINK_MSS,
		.in_flight = f->in_flight,
		.lost = lost,
		.snd_una = f->una * LINK_MSS,
		.snd_nxt = f->next * LINK_MSS,
	};
}

static inline void link_grown(struct link_flow *f)
{
	if (seq_lt(f->una, f->round_end)) {
		double growth = f->round_cwnd ? (double)f->c.cwnd / f->round_cwnd : 1;
		if (growth > f->worst_growth && f->c.phase == CC_OPEN)
			f->worst_growth = growth;
		return;
	}
	f->round_cwnd = f->c.cwnd;
	f->round_end = f->next;
}

static inline void link_ack(struct link *l, struct link_flow *f, uint32_t number)
{
	struct link_segment *s = &f->sent[number % LINK_SENT];
	if (seq_lt(number, f->una) || s->gone) /* a timeout had given it up */
		return;
	uint32_t prior = f->in_flight, before = f->una, lost = 0;
	nanodiff rtt = l->now - s->sent;
	f->srtt = f->srtt ? f->srtt + (rtt - f->srtt) / 8 : rtt;
	f->min_rtt = !f->min_rtt || rtt < f->min_rtt ? rtt : f->min_rtt;
	f->heard = l->now;
	s->gone = true;
	f->in_flight -= LINK_MSS;
	f->delivered += LINK_MSS;
	rate_acked(&f->rate, &s->mark, s->sent, LINK_MSS, l->now);
	for (uint32_t n = f->una; seq_lt(n + 2, number); n++)
		if (!f->sent[n % LINK_SENT].gone) {
			link_lose(f, n);
			lost += LINK_MSS;
		}
	while (f->una != f->next && f->sent[f->una % LINK_SENT].gone)
		f->una++;
	struct rate_sample sample;
	rate_take(&f->rate, f->min_rtt, &sample);
	if (f->c.phase != CC_OPEN && seq_ge(f->una, f->recover))
		f->c.ops->recovered(&f->c, l->now);
	if (lost && f->c.phase == CC_OPEN) {
		struct cc_loss loss = link_loss(f, l->now, lost, before);
		f->c.ops->loss(&f->c, &loss);
		prr_begin(&f->prr, prior, 0, 0, f->c.ssthresh);
		f->recover = f->next;
	}
	if (f->c.ops->own_window || f->c.phase != CC_RECOVERY) {
		struct cc_ack a = {
			.now = l->now,
			.acked = LINK_MSS,
			.prior_in_flight = prior,
			.in_flight = f->in_flight,
			.lost = lost,
			.snd_una = f->una * LINK_MSS,
			.snd_nxt = f->next * LINK_MSS,
			.sack = true,
			.rtt = rtt,
			.srtt = f->srtt,
			.min_rtt = f->min_rtt,
			.rate = f->c.ops->wants_rate ? &sample : NULL,
		};
		f->c.ops->ack(&f->c, &a);
	} else {
		struct prr_ack a = {
			.delivered = LINK_MSS,
			.in_flight = f->in_flight,
			.mss = LINK_MSS,
			.advanced = f->una != before,
			.lost = lost > 0,
		};
		f->c.cwnd = prr_ack(&f->prr, &a);
	}
	if (f->c.holds_back || (f->offered + LINK_MSS > f->may_send && f->in_flight < f->c.cwnd))
		rate_app_limited(&f->rate, f->in_flight);
	assert_true(f->c.cwnd >= LINK_MSS);
	assert_true(f->c.ssthresh >= 2 * LINK_MSS);
	link_grown(f);
	if (f->watch)
		f->watch(f, l->now);
}

static inline nanotime link_rto(const struct link_flow *f)
{
	nanodiff rto = 2 * f->srtt + 200 * NANO_MS;
	return f->in_flight ? f->heard + rto : NANOTIME_NEVER;
}

static inline void link_timeout(struct link *l, struct link_flow *f)
{
	struct cc_loss loss = link_loss(f, l->now, f->in_flight, f->una);
	for (; f->una != f->next; f->una++)
		if (!f->sent[f->una % LINK_SENT].gone)
			link_lose(f, f->una);
	loss.in_flight = 0;
	f->timeouts++;
	f->heard = l->now;
	f->recover = f->next;
	f->c.ops->timeout(&f->c, &loss);
	assert_true(f->c.cwnd >= LINK_MSS);
}

static inline void link_run(struct link *l, nanodiff time)
{
	nanotime end = l->now + time;
	while (l->now < end) {
		nanotime next = end;
		if (l->ack_first != l->ack_end)
			next = nanotime_min(next, l->ack[l->ack_first % LINK_ACKS].at);
		for (unsigned i = 0; i < l->flows; i++) {
			next = nanotime_min(next, link_can_send(l, &l->flow[i]));
			next = nanotime_min(next, link_rto(&l->flow[i]));
		}
		l->now = next;
		while (l->ack_first != l->ack_end && l->ack[l->ack_first % LINK_ACKS].at <= next) {
			uint32_t at = l->ack_first++ % LINK_ACKS;
			link_ack(l, &l->flow[l->ack[at].flow], l->ack[at].number);
		}
		for (unsigned i = 0; i < l->flows; i++) {
			struct link_flow *f = &l->flow[i];
			if (link_rto(f) <= next)
				link_timeout(l, f);
			nanodiff quiet = next - f->last_sent;
			if (!f->in_flight && f->last_sent && link_can_send(l, f) <= next &&
				quiet > 2 * f->srtt + 200 * NANO_MS)
				f->c.ops->idle(&f->c, quiet, 2 * f->srtt + 200 * NANO_MS, next);
			while (link_can_send(l, f) <= next)
				link_send(l, i);
		}
	}
}

/* Measuring starts now. */
static inline void link_mark(struct link *l)
{
	for (unsigned i = 0; i < l->flows; i++)
		l->flow[i].delivered = 0;
	l->queue_sum = 0;
	l->queue_count = 0;
}

/* The part of the link's capacity that was used in `time`. */
static inline double link_used(const struct link *l, nanodiff time)
{
	double sum = 0;
	for (unsigned i = 0; i < l->flows; i++)
		sum += (double)l->flow[i].delivered;
	return sum / ((double)l->rate * (double)time / NANO_S);
}

/* Jain's index: one where all have the same. */
static inline double link_fairness(const struct link *l)
{
	double sum = 0, squares = 0;
	for (unsigned i = 0; i < l->flows; i++) {
		double x = (double)l->flow[i].delivered;
		sum += x;
		squares += x * x;
	}
	return sum * sum / (l->flows * squares);
}

/* Mean time in the queue, s. */
static inline double link_wait(const struct link *l)
{
	return l->queue_sum / (double)l->queue_count / NANO_S;
}

#endif
