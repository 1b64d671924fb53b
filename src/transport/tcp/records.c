/*
 * The marks stand in their order, since bytes are only written at the end and
 * acknowledged at the start: a new one is the last, and those that SND.UNA has reached
 * are the first. In between they are looked for by halving, because a window may hold
 * hundreds of small records.
 */
#include "transport/tcp/records.h"

#include "transport/endpoints.h"

static uint32_t mark_at(const struct record_marks *m, uint32_t i)
{
	uint32_t at = m->head + i;
	return m->end[at >= m->places ? at - m->places : at];
}

/* How many of them do not lie behind `seq`. */
static uint32_t marks_until(const struct record_marks *m, uint32_t seq)
{
	uint32_t low = 0, high = m->count;
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		if (seq_gt(mark_at(m, middle), seq))
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

void records_mark(struct transport *t, struct tcp_conn *c)
{
	struct tcp_flight *f = c->flight;
	if (!f || c->snd_end == c->snd_una ||
		(c->state == TCP_SYN_SENT && c->snd_end == c->snd_una + 1))
		return; /* what it would end is acknowledged, or was never written */
	struct record_marks *m = f->records;
	if (!m) {
		m = f->records = pool_take(&t->records_pool);
		assert(m); /* there are as many as flights */
		*m = (struct record_marks){ .places = t->config.record_marks };
	}
	if (m->count && mark_at(m, m->count - 1) == c->snd_end)
		return;
	assert(m->count < m->places); /* else tcp_room had none */
	uint32_t at = m->head + m->count++;
	m->end[at >= m->places ? at - m->places : at] = c->snd_end;
}

void records_acked(struct transport *t, struct tcp_conn *c)
{
	struct record_marks *m = c->flight->records;
	uint32_t gone = marks_until(m, c->snd_una);
	m->head += gone;
	if (m->head >= m->places)
		m->head -= m->places;
	m->count -= gone;
	if (!m->count)
		records_drop(t, c->flight);
}

void records_drop(struct transport *t, struct tcp_flight *f)
{
	pool_give(&t->records_pool, f->records);
	f->records = NULL;
}

uint32_t records_before(const struct record_marks *m, uint32_t seq, uint32_t len)
{
	uint32_t i = marks_until(m, seq);
	if (i == m->count || mark_at(m, i) - seq > len)
		return len;
	return mark_at(m, i) - seq;
}

uint32_t records_last(const struct record_marks *m, uint32_t start, uint32_t end)
{
	uint32_t i = marks_until(m, end - 1);
	return i && seq_gt(mark_at(m, i - 1), start) ? mark_at(m, i - 1) : start;
}
