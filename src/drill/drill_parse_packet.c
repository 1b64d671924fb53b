/*
 * Packets: `< [ect0] S. 0:0(0) ack 1 win 100 <mss 1460,nop,wscale 7>`. What is
 * not written is not compared on the way out, and has a default on the way in.
 */
#include "drill/drill_lexer.h"
#include "wire/tcp.h"

/* "ect0", "ce", "tos 0x10", "ttl 64", "hlim 1", "flowlabel 0x5", separated by commas */
static void parse_ip_words(struct drill_lexer *l, struct drill_packet *p)
{
	static const struct {
		const char *name;
		int ecn;
	} marks[] = { { "noecn", 0 }, { "not_ect", 0 }, { "ect1", 1 }, { "ect0", 2 }, { "ce", 3 },
		{ "NOECN", 0 }, { "ECT1", 1 }, { "ECT0", 2 }, { "CE", 3 } };
	do {
		bool found = false;
		for (unsigned i = 0; i < sizeof marks / sizeof marks[0] && !found; i++) {
			found = drill_accept_word(l, marks[i].name);
			if (found)
				p->ecn = marks[i].ecn;
		}
		if (found)
			continue;
		if (drill_accept_word(l, "tos") || drill_accept_word(l, "tclass"))
			p->tos = (int)(drill_number16(l, "tos") & 0xff);
		else if (drill_accept_word(l, "ttl") || drill_accept_word(l, "hlim"))
			p->hop_limit = (int)(drill_number16(l, "ttl") & 0xff);
		else if (drill_accept_word(l, "flowlabel"))
			p->flow_label = (int32_t)(drill_number32(l, "flowlabel") & 0xfffff);
		else
			drill_fail(l,
				"between '[' and ']' stand ect0, ect1, ce, noecn, tos N, "
				"ttl N or flowlabel N");
	} while (!l->failed && drill_accept(l, ","));
	drill_expect(l, "]");
}

static uint16_t flag_of(char c)
{
	switch (c) {
	case 'F': return TCP_FIN;
	case 'S': return TCP_SYN;
	case 'R': return TCP_RST;
	case 'P': return TCP_PSH;
	case '.': return TCP_ACK;
	case 'U': return TCP_URG;
	case 'E': return TCP_ECE;
	case 'W':
	case 'C': return TCP_CWR;
	case 'A': return TCP_AE;
	default: return 0;
	}
}

static void parse_flags(struct drill_lexer *l, struct drill_packet *p)
{
	drill_skip(l);
	if (drill_peek(l) == '-') {
		l->at++;
		return;
	}
	for (;; l->at++) {
		char c = drill_peek(l);
		bool ace = c >= '0' && c <= '7'; /* RFC 9768's field, as one number */
		uint16_t flag = ace ? (uint16_t)((c - '0') << 6) : flag_of(c);
		if (!flag && !ace)
			break;
		p->flags |= flag;
	}
	if (p->flags == 0 || drill_peek(l) > ' ')
		drill_fail(l, "flags are letters of FSRPUEWA, '.' for ACK, a digit for ACE, "
			      "or '-' for none");
}

/* "1:1001(1000)" */
static void parse_range(struct drill_lexer *l, struct drill_packet *p)
{
	p->seq = drill_number32(l, "the sequence number");
	drill_expect(l, ":");
	uint32_t end = drill_number32(l, "the end of the sequence numbers");
	drill_expect(l, "(");
	p->len = drill_number32(l, "the length");
	drill_expect(l, ")");
	if (!l->failed && p->seq + p->len != end)
		drill_fail(l, "%u:%u(%u): the length is the difference of the two, %u", p->seq, end,
			p->len, end - p->seq);
	if (p->len > 65535)
		drill_fail(l, "%u bytes do not fit a datagram", p->len);
}

static void parse_tcp(struct drill_lexer *l, struct drill_packet *p)
{
	p->protocol = DRILL_TCP;
	parse_flags(l, p);
	parse_range(l, p);
	p->has_ack = drill_accept_word(l, "ack");
	if (p->has_ack)
		p->ack = drill_number32(l, "ack");
	p->has_window = drill_accept_word(l, "win");
	if (p->has_window)
		p->window = drill_number16(l, "win");
	p->has_urgent = drill_accept_word(l, "urg");
	if (p->has_urgent)
		p->urgent = drill_number16(l, "urg");
	if (drill_accept(l, "<"))
		p->options = drill_parse_options(l, &p->any_options);
}

/* "[1:1461(1460)]": what the error quotes */
static void parse_quote(struct drill_lexer *l, struct drill_packet *p)
{
	if (!drill_accept(l, "["))
		return;
	p->has_quote = true;
	if (drill_accept_word(l, "udp")) {
		p->flags = 0;
		drill_expect(l, "(");
		p->len = drill_number32(l, "the length");
		drill_expect(l, ")");
	} else {
		parse_range(l, p);
	}
	drill_expect(l, "]");
}

void drill_parse_packet(struct drill_lexer *l, struct drill_packet *p)
{
	p->outbound = drill_accept(l, ">");
	if (!p->outbound)
		drill_expect(l, "<");
	p->ecn = p->tos = p->hop_limit = -1;
	p->flow_label = -1;
	if (drill_accept(l, "["))
		parse_ip_words(l, p);
	drill_skip(l);
	if (drill_peek(l) >= '0' && drill_peek(l) <= '9') {
		p->from_port = drill_number16(l, "the source port");
		drill_expect(l, ">");
		p->to_port = drill_number16(l, "the destination port");
	}
	if (drill_accept_word(l, "icmp") || drill_accept_word(l, "icmpv6")) {
		p->protocol = DRILL_ICMP;
		drill_parse_icmp(l, p);
		parse_quote(l, p);
	} else if (drill_accept_word(l, "udp")) {
		p->protocol = DRILL_UDP;
		drill_expect(l, "(");
		p->len = drill_number16(l, "the length");
		drill_expect(l, ")");
	} else {
		parse_tcp(l, p);
	}
}
