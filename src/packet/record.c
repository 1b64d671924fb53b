/*
 * The bytes of a frame in its pieces, and the one patch that may be needed: the
 * finished checksum in a copy of the headers.
 */
#include "packet/record.h"

#include "base/text.h"
#include "wire/eth.h"
#include "wire/ip4.h"
#include "wire/ip6.h"

#define TYPE_IP4     0x0800
#define TYPE_IP6     0x86dd
#define PROTOCOL_TCP 6
#define PROTOCOL_UDP 17
#define TCP_CHECKSUM 16 /* offsets of the fields in their headers */
#define UDP_CHECKSUM 6

#define HEAD_MAX   256 /* bytes of a frame that are copied to be patched */
#define STORY_MAX  192
#define PIECES_MAX 128

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
	case FATE_DELIVERED: return "taken";
	case FATE_ANSWERED: return "taken, and answered";
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
	if (field == 0 && at - start == UDP_CHECKSUM) /* zero would mean "none": RFC 768 */
		field = 0xffff;
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

/* The transport header of a received frame, and the end of its packet, as offsets in the frame. */
static bool find_transport(const struct rx_frame *f, size_t *start, size_t *end, uint8_t *protocol)
{
	struct eth_header eth;
	struct ip4_header ip4;
	struct ip6_header ip6;
	struct ip6_chain chain;
	struct span packet;
	if (eth_parse(f->head, &eth, &packet) != DROP_NONE)
		return false;
	size_t at = eth.header_len, present = f->len - at;
	if (eth.type == TYPE_IP4 && ip4_parse(packet, present, &ip4) == DROP_NONE) {
		*start = at + ip4.header_len;
		*end = at + ip4.total_len;
		*protocol = ip4.protocol;
		return !ip4.more_fragments && ip4.fragment_offset == 0;
	}
	if (eth.type == TYPE_IP6 && ip6_parse(packet, present, &ip6) == DROP_NONE &&
		ip6_walk(span_after(packet, 40), ip6.next, &chain) == DROP_NONE) {
		*start = at + 40 + chain.len;
		*end = at + 40 + ip6.payload_len;
		*protocol = chain.protocol;
		return !chain.fragment;
	}
	return false;
}

/* Where its checksum field stands, in the first HEAD_MAX bytes; false: nowhere known. */
static bool find_checksum(const struct rx_frame *f, size_t *start, size_t *at, size_t *end)
{
	uint8_t protocol;
	if (!find_transport(f, start, end, &protocol) ||
		(protocol != PROTOCOL_TCP && protocol != PROTOCOL_UDP))
		return false;
	*at = *start + (protocol == PROTOCOL_TCP ? TCP_CHECKSUM : UDP_CHECKSUM);
	return *at + 2 <= f->head.len && *at + 2 <= HEAD_MAX && *at + 2 <= *end;
}

static void gather_received(const struct rx_frame *f, uint8_t copy[HEAD_MAX], struct pieces *p)
{
	struct pieces rest = { .count = 0 };
	size_t start, at, end;
	if (f->checksum != CHECKSUM_PARTIAL || !find_checksum(f, &start, &at, &end)) {
		add(p, f->head);
		for (unsigned i = 0; i < f->bodies; i++)
			add(p, f->body[i]);
		return;
	}
	struct span first = span_first(f->head, HEAD_MAX);
	memcpy(copy, first.at, first.len);
	add(&rest, span_after(f->head, HEAD_MAX));
	for (unsigned i = 0; i < f->bodies; i++)
		add(&rest, f->body[i]);
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
	_Static_assert(PIECES_MAX > FRAME_SPANS, "all of a frame of ours is recorded");
	_Static_assert(HEAD_MAX >= FRAME_AREA, "one buffer serves both directions");
	if (e->kind == TRACE_TX)
		gather_sent(e->frame, head, &p);
	else if (e->kind == TRACE_RX)
		gather_received(e->rx->frame, head, &p);
	else
		return 0;
	struct span comment = span_of(story, record_story(e, story, sizeof story));
	const struct pcapng_packet packet = {
		.interface = interface,
		.time = epoch + e->time,
		.piece = p.piece,
		.pieces = p.count,
		.original_len = e->kind == TRACE_TX ? (uint32_t)frame_len(e->frame)
						    : e->rx->frame->len,
		.direction = e->kind == TRACE_TX ? PCAPNG_OUTBOUND : PCAPNG_INBOUND,
		.comment = &comment,
		.comments = 1,
	};
	return pcapng_packet(&packet, out, cap);
}
