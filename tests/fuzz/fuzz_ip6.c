/*
 * IPv6: what is accepted is emitted byte for byte. The walk over the chain stays within its bounds
 * and its packet, points problems into the packet, and agrees with the explainer's walk.
 */
#include "explain.h"
#include "wire/ip6.h"

/* Where the explainer's walk stops, or at the first fragment whose payload is in pieces. */
static size_t explain_chain(struct span rest, uint8_t kind, size_t walked)
{
	struct span all = rest;
	struct ip6_extension e;
	while (ip6_extension_next(rest, kind, &e)) {
		explain(&ip6_extension_info, e.bytes);
		explain(&ip6_fragment_info, e.bytes);
		explain(&ip6_routing_info, e.bytes);
		assert(e.bytes.at == rest.at && e.bytes.len >= 8);
		if ((size_t)(rest.at - all.at) == walked)
			break;
		kind = e.next;
		rest = span_after(rest, e.bytes.len);
	}
	return (size_t)(rest.at - all.at);
}

static void check_walk(struct span rest, uint8_t next)
{
	struct ip6_chain c;
	enum drop drop = ip6_walk(rest, next, &c);
	if (c.problem.send)
		assert(drop != DROP_NONE && c.problem.code <= 3 &&
			c.problem.pointer < IP6_HEADER + rest.len);
	if (drop != DROP_NONE)
		return;
	assert(c.headers <= 8 && c.len <= 2048 && c.len <= rest.len && c.len % 8 == 0);
	assert(c.fragment || (c.fragment_offset == 0 && !c.more_fragments));
	assert(c.fragment_offset % 8 == 0);
	assert(c.headers == 0 ? c.last_next_at == 6 && c.protocol == next
			      : c.protocol == rest.at[c.last_next_at - IP6_HEADER]);
	assert(explain_chain(rest, next, c.len) == c.len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span packet = span_of(data, size);
	struct ip6_header h;
	explain(&ip6_info, packet);
	if (ip6_parse(packet, size, &h) == DROP_NONE) {
		uint8_t out[IP6_HEADER];
		assert(h.payload_len <= size - IP6_HEADER);
		assert(!addr_is4(&h.source) && !addr_is4(&h.destination));
		assert(ip6_emit(&h, out, sizeof out) == IP6_HEADER);
		assert(memcmp(out, data, IP6_HEADER) == 0);
	}
	if (size >= IP6_HEADER)
		check_walk(span_after(packet, IP6_HEADER), data[6]);
	return 0;
}
