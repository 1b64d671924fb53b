/*
 * IPv4: as it came, and once more with the checksum made right, which random bytes never have. What
 * is accepted is emitted byte for byte; its options are walked to their end.
 */
#include "explain.h"
#include "wire/ip4.h"

static void check(struct span packet, struct span header)
{
	struct ip4_header h;
	if (ip4_parse(header, packet.len, &h) != DROP_NONE)
		return;
	assert(h.header_len >= IP4_HEADER && h.header_len <= header.len);
	assert(h.total_len >= h.header_len && h.total_len <= packet.len);
	assert(h.options.len == h.header_len - (size_t)IP4_HEADER);
	struct ip4_option o;
	size_t offset = 0;
	while (ip4_option_next(h.options, &offset, &o))
		assert(o.kind != 131 && o.kind != 137);
	assert(offset == h.options.len);
	uint8_t out[60];
	size_t n = ip4_emit(&h, out, sizeof out);
	assert(n == h.header_len);
	/* The two zeroes of one's complement are the same checksum (RFC 1624). */
	if (h.checksum != 0xffff)
		assert(memcmp(out, header.at, n) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span packet = span_of(data, size);
	explain(&ip4_info, packet);
	check(packet, packet);

	uint8_t fixed[60];
	size_t len = size < sizeof fixed ? size : sizeof fixed;
	size_t claimed = size > 0 ? (data[0] & 15u) * 4 : 0;
	if (len < IP4_HEADER || claimed > len)
		return 0;
	memcpy(fixed, data, len);
	memset(fixed + 10, 0, 2);
	uint16_t checksum = checksum_finish(checksum_header(fixed, claimed));
	memcpy(fixed + 10, &checksum, 2);
	check(packet, span_of(fixed, len));
	return 0;
}
