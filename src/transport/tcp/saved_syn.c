/*
 * Neither a half-open connection nor an open one has room for a place to keep these, and
 * nearly none has any: they are found by their owner's address, in a table of buckets.
 * While there are none a connection's life costs a look at one number.
 */
#include "transport/tcp/saved_syn.h"

static struct list *bucket_of(const struct transport *t, const void *owner)
{
	uint64_t n = (uint64_t)(uintptr_t)owner * UINT64_C(0x9e3779b97f4a7c15);
	return &t->saved_syn_bucket[n >> 32 & (SAVED_SYN_BUCKETS - 1)];
}

static struct saved_syn *find(const struct transport *t, const void *owner)
{
	list_each(at, bucket_of(t, owner))
	{
		struct saved_syn *s = list_entry(at, struct saved_syn, link);
		if (s->owner == owner)
			return s;
	}
	return NULL;
}

/* What of it belongs to the frame's headers; nothing, where these don't stand in one piece. */
static struct span headers_of(const struct rx *rx, bool with_link)
{
	const uint8_t *from = rx->packet.at, *frame = rx->frame->head.at;
	if (rx->head.at < from || rx->head.at > from + rx->packet.len)
		return span_of(NULL, 0);
	if (with_link && frame <= from && from <= frame + rx->frame->head.len)
		from = frame;
	return span_of(from, (size_t)(rx->head.at - from));
}

void saved_syn_keep(
	struct transport *t, const struct tcp_listener *l, const void *owner, const struct rx *rx)
{
	struct span headers = headers_of(rx, t->options[l->sock].save_syn == SAVE_SYN_FRAME);
	if (!headers.len || headers.len > SAVED_SYN_MOST)
		return;
	struct saved_syn *s = pool_take(&t->saved_syn_pool);
	if (!s)
		return;
	s->owner = owner;
	s->len = (uint16_t)headers.len;
	memcpy(s->bytes, headers.at, headers.len);
	list_push_back(bucket_of(t, owner), &s->link);
}

void saved_syn_pass(struct transport *t, const void *from, const void *to)
{
	struct saved_syn *s = find(t, from);
	if (!s)
		return;
	list_remove(&s->link);
	s->owner = to;
	list_push_back(bucket_of(t, to), &s->link);
}

void saved_syn_drop(struct transport *t, const void *owner)
{
	struct saved_syn *s = find(t, owner);
	if (!s)
		return;
	list_remove(&s->link);
	pool_give(&t->saved_syn_pool, s);
}

size_t tcp_saved_syn(struct transport *t, const struct tcp_conn *c, void *to, size_t cap)
{
	const struct saved_syn *s = find(t, c);
	if (!s)
		return 0;
	size_t len = s->len;
	if (len <= cap) {
		memcpy(to, s->bytes, len);
		saved_syn_drop(t, c);
	}
	return len;
}
