/*
 * TCP: the option walk stays in the header and advances; `has` names what the walk met; a header
 * that can be emitted says the same when it is parsed again, and is then emitted byte for byte.
 * (The first bytes may differ: options come in any order, and reserved bits are sent as zero.)
 */
#include "explain.h"
#include "wire/tcp.h"

#define NOT_EMITTED (TCP_HAS_MD5 | TCP_HAS_AO | TCP_HAS_MPTCP | TCP_HAS_UNKNOWN | TCP_HAS_MALFORMED)

/* The kinds met, as a parser without values would see them. */
static bool walk(struct span options)
{
	struct tcp_option o;
	size_t offset = 0, before = 0;
	bool malformed = false;
	while (tcp_option_next(options, &offset, &o)) {
		assert(!malformed && offset > before && offset <= options.len);
		assert(o.bytes.at == options.at + before && o.bytes.len <= options.len - before);
		assert(o.bytes.len > 0 && tcp_option_name(o.kind)[0]);
		malformed = o.malformed;
		before = offset;
	}
	assert(offset == options.len);
	return malformed;
}

static void check_again(const struct tcp_header *h)
{
	uint8_t first[TCP_HEADER_MAX], second[TCP_HEADER_MAX];
	struct tcp_header again;
	size_t n = tcp_emit(h, first, sizeof first);
	/* Options without NOPs between them may not fit once they are aligned. */
	if (n == 0)
		return;
	assert(n >= TCP_HEADER && n % 4 == 0);
	assert(tcp_parse(span_of(first, n), n, &again) == DROP_NONE);
	assert(again.options.has == (h->options.has & ~NOT_EMITTED));
	assert(again.seq == h->seq && again.ack == h->ack && again.flags == h->flags);
	assert(again.window == h->window && again.urgent == h->urgent);
	assert(again.source_port == h->source_port && again.checksum == h->checksum);
	assert(tcp_emit(&again, second, sizeof second) == n && memcmp(first, second, n) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span segment = span_of(data, size);
	struct tcp_header h;
	explain(&tcp_info, segment);
	if (tcp_parse(segment, size, &h) != DROP_NONE)
		return 0;
	assert(h.header_len >= TCP_HEADER && h.header_len <= size && h.flags <= 0x1ff);
	char text[64];
	assert(tcp_flags_format(h.flags, text, sizeof text) > 0);
	bool malformed = walk(span_of(data + TCP_HEADER, h.header_len - (size_t)TCP_HEADER));
	assert(malformed == !!(h.options.has & TCP_HAS_MALFORMED));
	if (h.options.has & TCP_HAS_SACK)
		assert(h.options.sack_count >= 1 && h.options.sack_count <= TCP_SACK_BLOCKS);
	if (h.options.has & TCP_HAS_FAST_OPEN)
		assert(h.options.fast_open_len <= sizeof h.options.fast_open);
	if (h.options.has & TCP_HAS_ACCECN)
		assert(h.options.accecn_count <= 3);
	check_again(&h);
	return 0;
}
