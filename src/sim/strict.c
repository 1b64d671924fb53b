/*
 * Reads bytes where the RFCs say they are, with an addition of 16-bit words for
 * the checksum, and shares no code with what it judges.
 */
#include "sim/strict.h"

struct packet {
	struct span rest; /* from the transport header on */
	uint32_t pseudo;  /* the pseudo-header's sum, but protocol and length */
	uint8_t protocol;
	unsigned ecn;    /* the two bits */
	bool v6;
};

static unsigned u16(struct span s, size_t at)
{
	return (unsigned)s.at[at] << 8 | s.at[at + 1];
}

static uint32_t u32(struct span s, size_t at)
{
	return (uint32_t)u16(s, at) << 16 | u16(s, at + 2);
}

static uint32_t add_words(uint32_t sum, struct span s)
{
	for (size_t i = 0; i < s.len; i += 2)
		sum += i + 1 < s.len ? u16(s, i) : (uint32_t)s.at[i] << 8;
	return sum;
}

static bool all_ones(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum == 0xffff;
}

static bool transport_sum_is_right(const struct packet *p)
{
	return all_ones(add_words(p->pseudo + p->protocol + (uint32_t)p->rest.len, p->rest));
}

/* ---- transport ---- */

/* RFC 9293 3.2, RFC 7323, 2018, 5482: each kind has one length, some belong on a SYN only. */
static const char *tcp_option(unsigned kind, struct span o, bool syn, bool acks, uint32_t ack)
{
	switch (kind) {
	case 2: return o.len == 4 && syn ? NULL : "TCP MSS option";
	case 3: return o.len == 3 && syn && o.at[2] <= 14 ? NULL : "TCP window scale option";
	case 4: return o.len == 2 && syn ? NULL : "TCP SACK-permitted option";
	case 5: break;
	case 8: return o.len == 10 ? NULL : "TCP timestamps option";
	case 28: return o.len == 4 && u16(o, 2) & 0x7fff ? NULL : "TCP user timeout option";
	case 34: return syn && o.len % 2 == 0 && o.len <= 18 ? NULL : "TCP Fast Open option";
	case 254: /* the early form of Fast Open, under its magic number (RFC 7413 A) */
		return syn && o.len % 2 == 0 && o.len >= 4 && o.len <= 20 && u16(o, 2) == 0xf989
			? NULL
			: "TCP experimental option";
	case 172:
	case 174: return (syn && !acks) || o.len > 11 || o.len % 3 != 2 ? "AccECN option" : NULL;
	default: return "TCP option that we never send";
	}
	if (syn || o.len < 10 || (o.len - 2) % 8)
		return "TCP SACK option";
	for (size_t i = 2; i < o.len; i += 8) {
		uint32_t start = u32(o, i), end = u32(o, i + 4);
		if ((int32_t)(end - start) <= 0)
			return "TCP SACK block is empty or backwards";
		/* The first may tell of a duplicate (RFC 2883). */
		if (i > 2 && (int32_t)(start - ack) <= 0)
			return "TCP SACK block at or below the acknowledgment";
		for (size_t k = 2; k < i; k += 8)
			if ((int32_t)(start - u32(o, k + 4)) < 0 &&
				(int32_t)(u32(o, k) - end) < 0 && k > 2)
				return "TCP SACK blocks overlap";
	}
	return NULL;
}

static const char *tcp_options(struct span o, bool syn, bool acks, uint32_t ack)
{
	bool seen[256] = { false };
	for (size_t i = 0; i < o.len;) {
		unsigned kind = o.at[i];
		if (kind == 1) {
			i++;
			continue;
		}
		if (kind == 0) {
			for (; i < o.len; i++)
				if (o.at[i])
					return "TCP options end before their padding";
			return NULL;
		}
		if (i + 2 > o.len || o.at[i + 1] < 2 || i + o.at[i + 1] > o.len)
			return "TCP option's length";
		const char *wrong =
			tcp_option(kind, span_of(o.at + i, o.at[i + 1]), syn, acks, ack);
		if (wrong)
			return wrong;
		if (seen[kind])
			return "TCP option twice";
		seen[kind] = true;
		i += o.at[i + 1];
	}
	return NULL;
}

static const char *tcp(const struct packet *p, enum strict_depth depth)
{
	struct span s = p->rest;
	if (s.len < 20)
		return "TCP header is cut short";
	size_t header = (s.at[12] >> 4) * 4u;
	unsigned flags = s.at[13];
	bool syn = flags & 2, reset = flags & 4, ack = flags & 16;
	if (header < 20 || header > s.len)
		return "TCP data offset";
	if (u16(s, 0) == 0 || u16(s, 2) == 0)
		return "TCP port 0";
	if (s.at[12] & 14)
		return "TCP reserved bits";
	if (!ack && !syn && !reset)
		return "TCP segment without ACK, SYN or RST";
	if (syn && (flags & 1 || reset))
		return "TCP SYN with FIN or RST";
	if (!ack && u32(s, 8) != 0)
		return "TCP acknowledgment number without ACK";
	if (!(flags & 32) && u16(s, 18) != 0)
		return "TCP urgent pointer without URG";
	if (p->ecn && (syn || reset || s.len == header)) /* RFC 3168 6.1.1, 6.1.4 */
		return "TCP segment without data is marked ECN-capable";
	if (p->ecn == 3)
		return "TCP segment is sent with a congestion mark";
	if (depth == STRICT_ALL && !transport_sum_is_right(p))
		return "TCP checksum";
	return tcp_options(span_of(s.at + 20, header - 20), syn, ack, u32(s, 8));
}

static const char *udp(const struct packet *p, enum strict_depth depth)
{
	if (p->rest.len < 8 || u16(p->rest, 4) != p->rest.len)
		return "UDP length";
	if (u16(p->rest, 0) == 0 || u16(p->rest, 2) == 0)
		return "UDP port 0";
	if (u16(p->rest, 6) == 0)
		return "UDP without a checksum";
	return depth == STRICT_ALL && !transport_sum_is_right(p) ? "UDP checksum" : NULL;
}

static const char *icmp(const struct packet *p)
{
	if (p->rest.len < 8)
		return "ICMP message is cut short";
	if (p->v6)
		return transport_sum_is_right(p) ? NULL : "ICMPv6 checksum";
	return all_ones(add_words(0, p->rest)) ? NULL : "ICMP checksum";
}

static const char *transport(const struct packet *p, enum strict_depth depth)
{
	if (depth == STRICT_LINK_AND_IP)
		return NULL;
	if (p->protocol == 6)
		return tcp(p, depth);
	if (p->protocol == 17)
		return udp(p, depth);
	if (p->protocol == (p->v6 ? 58 : 1))
		return icmp(p);
	return "IP protocol that we never send";
}

/* ---- internet ---- */

static const char *ip4(struct span s, struct packet *p)
{
	if (s.len < 20 || s.at[0] >> 4 != 4)
		return "IPv4 version";
	size_t header = (s.at[0] & 15u) * 4;
	if (header < 20 || header > s.len)
		return "IPv4 header length";
	if (u16(s, 2) != s.len)
		return "IPv4 total length";
	if (s.at[6] & 0x80)
		return "IPv4 reserved flag";
	if ((s.at[6] & 0x40 ? u16(s, 6) & 0x3fff : 0) != 0)
		return "IPv4 fragment that must not be fragmented";
	if (s.at[8] == 0)
		return "IPv4 time to live is 0";
	if (!all_ones(add_words(0, span_of(s.at, header))))
		return "IPv4 header checksum";
	if (s.at[12] >= 224 || s.at[12] == 127 || s.at[12] == 0)
		return "IPv4 source address";
	p->pseudo = add_words(0, span_of(s.at + 12, 8));
	p->protocol = s.at[9];
	p->ecn = s.at[1] & 3;
	p->rest = span_of(s.at + header, s.len - header);
	return NULL;
}

static const char *ip6(struct span s, struct packet *p)
{
	if (s.len < 40 || s.at[0] >> 4 != 6)
		return "IPv6 version";
	if (u16(s, 4) != s.len - 40)
		return "IPv6 payload length";
	if (s.at[7] == 0)
		return "IPv6 hop limit is 0";
	if (s.at[8] == 0xff)
		return "IPv6 source address";
	p->v6 = true;
	p->pseudo = add_words(0, span_of(s.at + 8, 32));
	p->protocol = s.at[6];
	p->ecn = s.at[1] >> 4 & 3;
	p->rest = span_of(s.at + 40, s.len - 40);
	return NULL;
}

static const char *arp(struct span s)
{
	if (s.len != 28 || u16(s, 0) != 1 || u16(s, 2) != 0x0800 || s.at[4] != 6 || s.at[5] != 4)
		return "ARP form";
	return u16(s, 6) == 1 || u16(s, 6) == 2 ? NULL : "ARP operation";
}

const char *strict_frame(struct span frame, enum strict_depth depth)
{
	struct packet p = { .protocol = 0 };
	size_t at = 12;
	const char *wrong;
	if (frame.len < 14)
		return "frame is shorter than an Ethernet header";
	if (frame.at[6] & 1)
		return "source MAC address is a group";
	if (u16(frame, at) == 0x8100 && frame.len >= 18)
		at += 4;
	struct span rest = span_of(frame.at + at + 2, frame.len - at - 2);
	switch (u16(frame, at)) {
	case 0x0806: return arp(rest);
	case 0x0800: wrong = ip4(rest, &p); break;
	case 0x86dd: wrong = ip6(rest, &p); break;
	default: return "EtherType that we never send";
	}
	return wrong ? wrong : transport(&p, depth);
}
