/*
 * Neighbour discovery: a message that was accepted and emitted says the same when it is parsed
 * again, and is then emitted byte for byte. (The first bytes may differ: options come in any
 * order.)
 */
#include "explain.h"
#include "wire/nd.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct nd_message m, again;
	explain(&nd_solicit_info, span_of(data, size));
	explain(&nd_advert_info, span_of(data, size));
	if (nd_parse(span_of(data, size), &m) != DROP_NONE)
		return 0;
	assert(m.prefixes <= 8 && !addr_is4(&m.target) && !addr_is4(&m.destination));
	uint8_t first[320], second[320];
	size_t n = nd_emit(&m, first, sizeof first);
	assert((n == 0) == (m.type == ICMP6_REDIRECT));
	if (n == 0)
		return 0;
	assert(n <= size);
	assert(nd_parse(span_of(first, n), &again) == DROP_NONE);
	assert(nd_emit(&again, second, sizeof second) == n && memcmp(first, second, n) == 0);
	assert(again.prefixes == m.prefixes && again.has_mtu == m.has_mtu && again.mtu == m.mtu);
	assert(addr_equal(&again.target, &m.target) && again.lifetime == m.lifetime);
	return 0;
}
