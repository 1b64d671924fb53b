/*
 * ICMP, ICMPv6 and neighbour discovery in words. A line says what a message is
 * about: the address that is asked for, the packet that an error quotes, the MTU
 * that did not suffice. The last four bytes of the header mean something else in
 * each type, and are told as what they are.
 */
#include "diag/dissect_words.h"
#include "wire/ip4.h"
#include "wire/ip6.h"
#include "wire/nd.h"

#define ND_OPTIONS_MAX 32 /* of one message */

static bool is_v6(const struct dissect_layer *l)
{
	return l->part == DISSECT_ICMP6;
}

static bool is_echo(uint8_t type, bool v6)
{
	return v6 ? type == ICMP6_ECHO || type == ICMP6_ECHO_REPLY
		  : type == ICMP4_ECHO || type == ICMP4_ECHO_REPLY;
}

static bool is_too_big(const struct icmp_header *h, bool v6)
{
	return v6 ? h->type == ICMP6_TOO_BIG : h->type == ICMP4_UNREACHABLE && h->code == 4;
}

static bool is_error(uint8_t type, bool v6)
{
	if (v6)
		return type < 128;
	return type == ICMP4_UNREACHABLE || type == ICMP4_SOURCE_QUENCH || type == ICMP4_REDIRECT ||
		type == ICMP4_TIME_EXCEEDED || type == ICMP4_PARAMETER;
}

/* ---- one line ---- */

/* The packet that an error quotes, as far as its addresses and ports. */
static void put_quote(struct text *t, struct span quote)
{
	struct addr source, destination;
	uint8_t protocol;
	size_t header;
	if (quote.len >= IP4_HEADER && quote.at[0] >> 4 == 4) {
		header = (quote.at[0] & 15u) * 4;
		protocol = quote.at[9];
		source = addr_from4(quote.at + 12);
		destination = addr_from4(quote.at + 16);
	} else if (quote.len >= IP6_HEADER && quote.at[0] >> 4 == 6) {
		header = IP6_HEADER;
		protocol = quote.at[6];
		source = addr_from6(quote.at + 8);
		destination = addr_from6(quote.at + 24);
	} else {
		return;
	}
	const char *name = ip_protocol_name(protocol);
	text_string(t, ", about ");
	if (name)
		text_string(t, name);
	else
		put_number(t, "protocol ", protocol);
	text_char(t, ' ');
	bool ports = (protocol == IPPROTO_TCP_ || protocol == IPPROTO_UDP_) &&
		header >= IP4_HEADER && quote.len >= header + 4;
	if (ports)
		put_end(t, &source, load16(quote.at + header));
	else
		put_address(t, &source);
	text_string(t, " > ");
	if (ports)
		put_end(t, &destination, load16(quote.at + header + 2));
	else
		put_address(t, &destination);
}

static void put_discovery(struct text *t, struct span message)
{
	struct nd_message m;
	if (nd_parse(message, &m) != DROP_NONE)
		return;
	if (m.type == ICMP6_NEIGHBOUR_SOLICIT) {
		text_string(t, ", who has ");
		put_address(t, &m.target);
		text_char(t, '?');
	} else if (m.type == ICMP6_NEIGHBOUR_ADVERT) {
		text_string(t, ", ");
		put_address(t, &m.target);
		if (m.has_target_mac) {
			text_string(t, " is at ");
			put_mac(t, &m.target_mac);
		} else {
			text_string(t, " is here");
		}
	} else if (m.type == ICMP6_REDIRECT) {
		text_string(t, ", to ");
		put_address(t, &m.destination);
		text_string(t, " by way of ");
		put_address(t, &m.target);
	}
}

void icmp_line(struct text *t, const struct dissection *d, const struct dissect_layer *l)
{
	struct icmp_header h;
	struct span message = span_after(d->bytes, l->at);
	bool v6 = is_v6(l);
	if (icmp_parse(message, &h) != DROP_NONE)
		return;
	text_string(t, v6 ? icmp6_name(h.type, h.code) : icmp4_name(h.type, h.code));
	if (is_echo(h.type, v6)) {
		put_number(t, " id ", icmp_id(&h));
		put_number(t, " seq ", icmp_sequence(&h));
	} else if (is_error(h.type, v6)) {
		if (is_too_big(&h, v6))
			put_number(t, ", mtu ", v6 ? h.rest : h.rest & 0xffff);
		put_quote(t, span_after(message, ICMP_HEADER));
	} else if (v6) {
		put_discovery(t, span_first(message, l->len));
	}
}

/* ---- fields ---- */

/* A number in so many bytes, with a unit behind it. */
static void tell_value(const struct teller *w, struct span bytes, const char *name, const char *key,
	const char *meaning, size_t at, size_t len, const char *unit)
{
	char value[40];
	struct text t = text_of(value, sizeof value);
	if (at + len > bytes.len)
		return;
	put_number(&t, "",
		len == 4           ? load32(bytes.at + at)
			: len == 2 ? load16(bytes.at + at)
				   : bytes.at[at]);
	text_string(&t, unit);
	tell_bytes(w, name, key, meaning, at, len, value);
}

static void tell_address(const struct teller *w, struct span bytes, const char *name,
	const char *key, const char *meaning, size_t at)
{
	char value[ADDR_TEXT_MAX];
	if (at + 16 > bytes.len)
		return;
	struct addr a = addr_from6(bytes.at + at);
	addr_format(&a, value);
	tell_bytes(w, name, key, meaning, at, 16, value);
}

static void tell_advert(const struct teller *w, struct span b)
{
	tell_value(w, b, "Hop limit", "hop_limit",
		"What hosts here should put in their packets; "
		"0: the router does not say.",
		4, 1, "");
	tell_bytes(w, "Flags", "flags",
		"Whether addresses (managed) or other settings come by "
		"DHCPv6.",
		5, 1,
		b.at[5] & 0x80           ? b.at[5] & 0x40 ? "managed, other" : "managed"
			: b.at[5] & 0x40 ? "other"
					 : "none");
	tell_value(w, b, "Router lifetime", "router_lifetime",
		"For so long it is a way to everywhere; 0: it is none.", 6, 2, " s");
	tell_value(w, b, "Reachable time", "reachable_time",
		"How long a neighbour that answered counts as reachable.", 8, 4, " ms");
	tell_value(w, b, "Retransmit timer", "retransmit_timer", "Time between two solicitations.",
		12, 4, " ms");
}

/* RFC 4861 4.6: type, length in units of eight bytes, and what the type says. */
static void nd_option_text(struct text *t, struct span o)
{
	if ((o.at[0] == 1 || o.at[0] == 2) && o.len == 8) {
		struct mac mac;
		memcpy(mac.b, o.at + 2, sizeof mac.b);
		put_mac(t, &mac);
	} else if (o.at[0] == 3 && o.len == 32) {
		struct addr prefix = addr_from6(o.at + 16);
		put_address(t, &prefix);
		put_number(t, "/", o.at[2]);
		put_number(t, ", valid ", load32(o.at + 4));
		put_number(t, " s, preferred ", load32(o.at + 8));
		text_string(t, " s");
		text_string(t, o.at[3] & 0x80 ? ", on link" : "");
		text_string(t, o.at[3] & 0x40 ? ", for own addresses" : "");
	} else if (o.at[0] == 5 && o.len == 8) {
		put_number(t, "", load32(o.at + 4));
		text_string(t, " bytes");
	} else {
		put_number(t, "kind ", o.at[0]);
		put_number(t, ", ", o.len);
		text_string(t, " bytes");
	}
}

static void tell_nd_options(const struct teller *w, struct span bytes, size_t at)
{
	static const struct {
		const char *name, *meaning;
	} kinds[] = {
		{ "Option", "An option that may be skipped by who does not know it." },
		{ "Source link address",
			"The MAC address of who speaks, which saves asking back." },
		{ "Target link address",
			"The MAC address that belongs to the target: the answer." },
		{ "Prefix", "Addresses that begin so are on this link, or may be made here." },
		{ "Redirected packet", "The packet that went the longer way." },
		{ "MTU", "The largest packet that this link takes." },
	};
	for (unsigned i = 0; i < ND_OPTIONS_MAX && at + 8 <= bytes.len; i++) {
		size_t len = (size_t)bytes.at[at + 1] * 8;
		if (len == 0 || len > bytes.len - at)
			return;
		unsigned kind = bytes.at[at] < sizeof kinds / sizeof *kinds ? bytes.at[at] : 0;
		char value[160];
		struct text t = text_of(value, sizeof value);
		nd_option_text(&t, span_of(bytes.at + at, len));
		tell_bytes(w, kinds[kind].name, "option", kinds[kind].meaning, at, len, value);
		at += len;
	}
}

bool icmp_has_fields(struct span bytes, bool v6)
{
	struct icmp_header h;
	if (icmp_parse(bytes, &h) != DROP_NONE)
		return false;
	return is_echo(h.type, v6) || is_too_big(&h, v6) || (v6 && h.type == ICMP6_ROUTER_ADVERT);
}

void icmp_fields(const struct teller *w, struct span bytes)
{
	struct icmp_header h;
	bool v6 = is_v6(w->l);
	if (icmp_parse(bytes, &h) != DROP_NONE)
		return;
	if (is_echo(h.type, v6)) {
		tell_value(w, bytes, "Identifier", "identifier",
			"Which program asks; the answer repeats it.", 4, 2, "");
		tell_value(w, bytes, "Sequence number", "sequence_number",
			"Which of its requests this is; the answer repeats it.", 6, 2, "");
	} else if (is_too_big(&h, v6)) {
		if (!v6)
			tell_value(w, bytes, "Unused", "unused", "Zero.", 4, 2, "");
		tell_value(w, bytes, "MTU", "mtu",
			"The largest packet that the link takes for which this one was too big.",
			v6 ? 4 : 6, v6 ? 4 : 2, " bytes");
	} else if (!v6) {
		return;
	} else if (h.type == ICMP6_ROUTER_SOLICIT) {
		tell_nd_options(w, bytes, 8);
	} else if (h.type == ICMP6_ROUTER_ADVERT && bytes.len >= 16) {
		tell_advert(w, bytes);
		tell_nd_options(w, bytes, 16);
	} else if (h.type == ICMP6_REDIRECT) {
		tell_address(w, bytes, "Target", "target", "The better next hop.", 8);
		tell_address(
			w, bytes, "Destination", "destination", "Where packets were going.", 24);
		tell_nd_options(w, bytes, 40);
	} else if (h.type == ICMP6_NEIGHBOUR_SOLICIT || h.type == ICMP6_NEIGHBOUR_ADVERT) {
		tell_nd_options(w, bytes, 24);
	}
}
