/*
 * The bytes of a frame in its pieces, and the one patch that may be needed: the
 * finished checksum in a copy of the headers.
 */
#include "packet/record.h"

#include "base/text.h"

#define HEAD_MAX   256 /* of a received frame that is copied to be patched */
#define STORY_MAX  192
#define PIECES_MAX (FRAME_SPANS + 2)

struct pieces {
	struct span piece[PIECES_MAX];
	unsigned count;
};

static void add(struct pieces *p, struct span s)
{
	if (s.len && p->count < PIECES_MAX)
		p->piece[p->count++] = s;
}

static const char *fate_text(enum fate fate)
{
	switch (fate) {
	case FATE_DELIVERED: return "taken by an endpoint";
	case FATE_ANSWERED: return "taken by the stack itself";
	case FATE_HELD: return "held until the rest comes";
	case FATE_FORWARDED: return "to be forwarded";
	default: return "";
	}
}

static void tell_received(struct text *t, const struct rx *rx)
{
	if (rx->fate != FATE_DROPPED) {
		text_string(t, "received: ");
		text_string(t, fate_text(rx->fate));
		return;
	}
	const struct drop_info *info = drop_info(rx->drop);
	text_string(t, "dropped by the ");
	text_string(t, layer_name(info->layer));
	text_string(t, " layer: ");
	text_string(t, info->text);
	if (info->clause[0]) {
		text_string(t, " (");
		text_string(t, info->clause);
		text_char(t, ')');
	}
}

static void tell_sent(struct text *t, const struct tx_frame *f)
{
	text_string(t, "sent ");
	text_string(t, tx_why_name(f->why));
	text_string(t, ": ");
	text_string(t, tx_why_text(f->why));
	if (f->seg_count > 1) {
		text_string(t, " (one frame for ");
		text_decimal(t, f->seg_count);
		text_string(t, " segments)");
	}
}

size_t record_story(const struct trace_event *e, char *out, size_t cap)
{
	struct text t = text_of(out, cap);
	if (e->kind == TRACE_TX)
		tell_sent(&t, e->frame);
	else if (e->kind == TRACE_RX)
		tell_received(&t, e->rx);
	return t.len;
}

/* Completes the checksum at `at` in `head`, whose packet ends after `end` bytes of the frame. */
static void finish_checksum(uint8_t *head, size_t head_len, size_t start, size_t at,
	const struct pieces *bodies, size_t end)
{
	const struct checksum_ops *ops = &checksum_plain;
	size_t first = head_len < end ? head_len : end, done = first - start;
	uint64_t sum = ops->sum(head + start, done);
	for (unsigned i = 0; i < bodies->count && start + done < end; i++) {
		struct span s = span_first(bodies->piece[i], end - start - done);
		uint32_t part = ops->sum(s.at, s.len);
		sum += done & 1 ? checksum_odd(part) : part;
		done += s.len;
	}
	uint16_t field = checksum_finish(sum);
	memcpy(head + at, &field, 2);
}

static void gather_sent(const struct tx_frame *f, uint8_t area[FRAME_AREA], struct pieces *p)
{
	struct span head = frame_head(f);
	struct pieces bodies = { .count = 0 };
	memcpy(area, head.at, head.len);
	for (unsigned i = 0; i < f->spans; i++)
		add(&bodies, f->body[i]);
	if (f->checksum == CHECKSUM_PARTIAL)
		finish_checksum(area, head.len, (size_t)(f->checksum_start - f->head),
			(size_t)(f->checksum_start - f->head) + f->checksum_offset, &bodies,
			frame_len(f));
	add(p, span_of(area, head.len));
	for (unsigned i = 0; i < bodies.count; i++)
		add(p, bodies.piece[i]);
}

/* Where the transport checksum of a received frame stands in its head; false: nowhere known. */
static bool received_checksum(const struct rx *rx, size_t *start, size_t *at)
{
	const struct span head = rx->frame->head;
	if (!rx->packet.at || (rx->protocol != 6 && rx->protocol != 17))
		return false;
	*start = (size_t)(rx->packet.at - head.at) + rx->ip_header_len;
	*at = *start + (rx->protocol == 6 ? 16 : 6);
	return *at + 2 <= head.len && *at + 2 <= HEAD_MAX;
}

static void gather_received(const struct rx *rx, uint8_t copy[HEAD_MAX], struct pieces *p)
{
	struct span head = rx->frame->head;
	struct pieces rest = { .count = 0 };
	size_t start, at;
	if (rx->frame->checksum != CHECKSUM_PARTIAL || !received_checksum(rx, &start, &at)) {
		add(p, head);
		for (unsigned i = 0; i < rx->frame->bodies; i++)
			add(p, rx->frame->body[i]);
		return;
	}
	struct span first = span_first(head, HEAD_MAX);
	size_t end = (size_t)(rx->packet.at - head.at) + rx->packet_len;
	memcpy(copy, first.at, first.len);
	add(&rest, span_after(head, HEAD_MAX));
	for (unsigned i = 0; i < rx->frame->bodies; i++)
		add(&rest, rx->frame->body[i]);
	finish_checksum(copy, first.len, start, at, &rest, end);
	add(p, span_of(copy, first.len));
	for (unsigned i = 0; i < rest.count; i++)
		add(p, rest.piece[i]);
}

size_t record_event(
	const struct trace_event *e, uint32_t interface, nanotime epoch, uint8_t *out, size_t cap)
{
	uint8_t head[HEAD_MAX];
	char story[STORY_MAX];
	struct pieces p = { .count = 0 };
	_Static_assert(HEAD_MAX >= FRAME_AREA, "one buffer serves both directions");
	if (e->kind == TRACE_TX)
		gather_sent(e->frame, head, &p);
	else if (e->kind == TRACE_RX)
		gather_received(e->rx, head, &p);
	else
		return 0;
	struct span comment = span_of(story, record_story(e, story, sizeof story));
	const struct pcapng_packet packet = {
		.interface = interface,
		.time = epoch + e->time,
		.piece = p.piece,
		.pieces = p.count,
		.direction = e->kind == TRACE_TX ? PCAPNG_OUTBOUND : PCAPNG_INBOUND,
		.comment = &comment,
		.comments = 1,
	};
	return pcapng_packet(&packet, out, cap);
}
