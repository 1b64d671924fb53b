/* ICMP: eight bytes both ways, and a name for whatever they say. */
#include "explain.h"
#include "wire/icmp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct icmp_header h;
	uint8_t out[ICMP_HEADER];
	explain(&icmp4_info, span_of(data, size));
	explain(&icmp6_info, span_of(data, size));
	if (icmp_parse(span_of(data, size), &h) != DROP_NONE) {
		assert(size < ICMP_HEADER);
		return 0;
	}
	assert(icmp4_name(h.type, h.code)[0] && icmp6_name(h.type, h.code)[0]);
	assert(icmp_emit(&h, out, sizeof out) == ICMP_HEADER);
	assert(memcmp(out, data, ICMP_HEADER) == 0);
	return 0;
}
