/*
 * The parts of frames and receive contexts that are not worth inlining: text
 * of reasons, gathering, copying and summing over a head and its bodies.
 */
#include "packet/rx.h"

static const struct {
	const char *name, *text;
} why_table[WHY_COUNT] = {
#define WHY_ROW(name, text) [WHY_##name] = { #name, text },
	TX_WHYS(WHY_ROW)
#undef WHY_ROW
};

const char *tx_why_text(enum tx_why why)
{
	return why < WHY_COUNT ? why_table[why].text : "";
}

const char *tx_why_name(enum tx_why why)
{
	return why < WHY_COUNT ? why_table[why].name : "";
}

size_t frame_copy(const struct tx_frame *f, uint8_t *out, size_t cap)
{
	struct span head = span_first(frame_head(f), cap);
	size_t len = head.len;
	memcpy(out, head.at, head.len);
	for (unsigned i = 0; i < f->spans && len < cap; i++) {
		struct span s = span_first(f->body[i], cap - len);
		memcpy(out + len, s.at, s.len);
		len += s.len;
	}
	return len;
}

unsigned rx_text(const struct rx *rx, struct span *out, unsigned max)
{
	uint32_t left = rx->len;
	unsigned n = 0;
	struct span s = span_first(rx->head, left);
	if (s.len && n < max) {
		out[n++] = s;
		left -= (uint32_t)s.len;
	}
	for (unsigned i = 0; i < rx->frame->bodies && left && n < max; i++) {
		s = span_first(rx->frame->body[i], left);
		if (!s.len)
			continue;
		out[n++] = s;
		left -= (uint32_t)s.len;
	}
	return n;
}

size_t rx_copy(const struct rx *rx, uint8_t *out, size_t cap)
{
	size_t want = rx->len < cap ? rx->len : cap;
	struct span s = span_first(rx->head, want);
	size_t len = s.len;
	memcpy(out, s.at, s.len);
	for (unsigned i = 0; i < rx->frame->bodies && len < want; i++) {
		s = span_first(rx->frame->body[i], want - len);
		memcpy(out + len, s.at, s.len);
		len += s.len;
	}
	return len;
}

uint64_t rx_sum(const struct rx *rx, const struct checksum_ops *ops)
{
	uint32_t left = rx->len;
	struct span s = span_first(rx->head, left);
	uint64_t sum = ops->sum(s.at, s.len);
	uint32_t done = (uint32_t)s.len;
	for (unsigned i = 0; i < rx->frame->bodies && done < left; i++) {
		s = span_first(rx->frame->body[i], left - done);
		uint32_t part = ops->sum(s.at, s.len);
		sum += done & 1 ? checksum_odd(part) : part;
		done += (uint32_t)s.len;
	}
	return sum;
}
