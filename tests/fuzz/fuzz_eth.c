/*
 * Ethernet: what is accepted is emitted byte for byte, and the payload lies within the frame behind
 * the header.
 */
#include "explain.h"
#include "wire/eth.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span frame = span_of(data, size), payload;
	struct eth_header h;
	explain(&eth_info, frame);
	explain(&vlan_info, span_after(frame, ETH_HEADER));
	explain(&llc_info, span_after(frame, ETH_HEADER));
	eth_fcs(frame);
	if (eth_parse(frame, &h, &payload) != DROP_NONE)
		return 0;
	assert(h.tags <= 2 && h.header_len >= ETH_HEADER && h.header_len <= 30);
	assert(payload.at == data + h.header_len && payload.len <= size - h.header_len);
	assert(h.llc || payload.len == size - h.header_len);
	uint8_t out[30];
	size_t n = eth_emit(&h, out, sizeof out);
	assert(n == h.header_len && memcmp(out, data, n) == 0);
	assert(eth_emit(&h, out, n - 1) == 0);
	return 0;
}
