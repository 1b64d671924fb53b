/* ARP: what is accepted is emitted byte for byte. */
#include "explain.h"
#include "wire/arp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arp_packet p;
	uint8_t out[ARP_LEN];
	explain(&arp_info, span_of(data, size));
	if (arp_parse(span_of(data, size), &p) != DROP_NONE)
		return 0;
	assert(size >= ARP_LEN && addr_is4(&p.sender) && addr_is4(&p.target));
	assert(arp_emit(&p, out, sizeof out) == ARP_LEN && memcmp(out, data, ARP_LEN) == 0);
	return 0;
}
