/* Copies what an event lends. A frame's pieces are gathered up to what is to be kept. */
#include "diag/timeline.h"

void timeline_init(
	struct timeline *t, struct moment *moments, uint32_t cap, uint8_t *store, size_t size)
{
	*t = (struct timeline){ .moment = moments, .cap = cap, .store = store, .size = size };
}

static uint32_t gather_received(const struct rx_frame *f, uint8_t *out, size_t cap)
{
	struct span s = span_first(f->head, cap);
	size_t len = s.len;
	memcpy(out, s.at, s.len);
	for (unsigned i = 0; i < f->bodies && len < cap; i++) {
		s = span_first(f->body[i], cap - len);
		memcpy(out + len, s.at, s.len);
		len += s.len;
	}
	return (uint32_t)len;
}

static void keep_frame(struct timeline *t, struct moment *m, const struct trace_event *e)
{
	size_t room = t->size - t->used;
	size_t cap = room > t->size / 2 ? TIMELINE_KEEP : TIMELINE_HEADS;
	if (cap > room)
		cap = room;
	m->at = t->used;
	if (e->kind == TRACE_RX) {
		const struct rx_frame *f = e->rx->frame;
		m->len = f->len;
		m->segments = f->seg_count;
		m->fate = e->rx->fate;
		m->partial = f->checksum == CHECKSUM_PARTIAL;
		m->kept = gather_received(f, t->store + t->used, cap);
	} else {
		const struct tx_frame *f = e->frame;
		m->len = (uint32_t)frame_len(f);
		m->segments = f->seg_count;
		m->why = f->why;
		m->partial = f->checksum == CHECKSUM_PARTIAL;
		m->kept = (uint32_t)frame_copy(f, t->store + t->used, cap);
	}
	t->used += m->kept;
}

void timeline_event(struct timeline *t, const struct trace_event *e)
{
	bool on_link = e->kind == TRACE_TX || e->kind == TRACE_RX;
	t->frames += on_link;
	if (t->count == t->cap) {
		t->left_out++;
		return;
	}
	struct moment *m = &t->moment[t->count++];
	*m = (struct moment){
		.kind = e->kind,
		.time = e->time,
		.drop = (uint16_t)e->drop,
		.flow = e->flow,
		.from = e->from,
		.to = e->to,
		.number = e->number,
	};
	if (on_link) {
		m->frame = t->frames;
		keep_frame(t, m, e);
	}
}
