/* UDP: what is accepted has a possible length and is emitted byte for byte. */
#include "explain.h"
#include "wire/udp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct udp_header h;
	uint8_t out[UDP_HEADER];
	explain(&udp_info, span_of(data, size));
	if (udp_parse(span_of(data, size), size, &h) != DROP_NONE)
		return 0;
	assert(h.length >= UDP_HEADER && h.length <= size);
	assert(udp_emit(&h, out, sizeof out) == UDP_HEADER);
	assert(memcmp(out, data, UDP_HEADER) == 0);
	return 0;
}
