/*
 * TCP options as scripts write them, turned into bytes at once, and the names of
 * ICMP's types and codes.
 */
#include "drill/drill_lexer.h"
#include "wire/icmp.h"
#include "wire/tcp.h"

static struct writer data_of(struct drill_option *o)
{
	return writer_of(o->data, sizeof o->data);
}

static void close_data(struct drill_lexer *l, struct drill_option *o, const struct writer *w)
{
	if (w->failed || w->len > DRILL_OPTIONS_MAX - 2)
		drill_fail(l, "options have room for %d bytes", DRILL_OPTIONS_MAX);
	o->len = (uint8_t)w->len;
}

static int nibble(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Hexadecimal digits, or a word that is defined as such; nothing is fine as well. */
static void parse_hex(struct drill_lexer *l, struct writer *w)
{
	struct span word = drill_word(l);
	struct span define = drill_define(l->names, word);
	if (define.len)
		word = define;
	if (word.len > 2 && word.at[0] == '0' && (word.at[1] | 0x20) == 'x')
		word = span_after(word, 2);
	if (word.len % 2)
		drill_fail(l, "'%.*s' is half a byte short", (int)word.len, (const char *)word.at);
	for (size_t i = 0; i + 1 < word.len; i += 2) {
		int high = nibble((char)word.at[i]), low = nibble((char)word.at[i + 1]);
		if (high < 0 || low < 0) {
			drill_fail(l, "'%.*s' is no hexadecimal", (int)word.len,
				(const char *)word.at);
			return;
		}
		write8(w, (uint8_t)(high << 4 | low));
	}
}

static void parse_timestamps(struct drill_lexer *l, struct writer *w)
{
	if (!drill_accept_word(l, "val"))
		drill_fail(l, "'TS' is followed by 'val N ecr N'");
	write32(w, drill_number32(l, "val"));
	if (!drill_accept_word(l, "ecr"))
		drill_fail(l, "'TS val N' is followed by 'ecr N'");
	write32(w, drill_number32(l, "ecr"));
}

static void parse_sack(struct drill_lexer *l, struct writer *w)
{
	do {
		write32(w, drill_number32(l, "the first number of a block"));
		drill_expect(l, ":");
		write32(w, drill_number32(l, "the second number of a block"));
		drill_skip(l);
	} while (!l->failed && drill_peek(l) >= '0' && drill_peek(l) <= '9');
}

/* "ECN e1b 1 ceb 0 e0b 1": the order tells the kind (RFC 9768 3.2.3). */
static void parse_accecn(struct drill_lexer *l, struct drill_option *o, struct writer *w)
{
	static const char *const order[2][3] = { { "e0b", "ceb", "e1b" }, { "e1b", "ceb", "e0b" } };
	unsigned which = drill_next_is(l, "e1b");
	o->kind = which ? TCP_OPT_ACCECN1 : TCP_OPT_ACCECN0;
	for (unsigned i = 0; i < 3 && drill_accept_word(l, order[which][i]); i++) {
		uint32_t v = drill_number32(l, order[which][i]);
		write8(w, (uint8_t)(v >> 16));
		write16(w, (uint16_t)v);
	}
}

static void parse_option(struct drill_lexer *l, struct drill_option *o)
{
	struct writer w = data_of(o);
	int64_t kind;
	if (drill_accept_word(l, "mss")) {
		o->kind = TCP_OPT_MSS;
		write16(&w, drill_number16(l, "mss"));
	} else if (drill_accept_word(l, "nop")) {
		o->kind = TCP_OPT_NOP;
	} else if (drill_accept_word(l, "eol")) {
		o->kind = TCP_OPT_END;
	} else if (drill_accept_word(l, "wscale")) {
		o->kind = TCP_OPT_WSCALE;
		write8(&w, (uint8_t)drill_number16(l, "wscale"));
	} else if (drill_accept_word(l, "sackOK")) {
		o->kind = TCP_OPT_SACK_PERMITTED;
	} else if (drill_accept_word(l, "sack")) {
		o->kind = TCP_OPT_SACK;
		parse_sack(l, &w);
	} else if (drill_accept_word(l, "TS")) {
		o->kind = TCP_OPT_TIMESTAMPS;
		parse_timestamps(l, &w);
	} else if (drill_accept_word(l, "FO")) {
		o->kind = TCP_OPT_FAST_OPEN;
		parse_hex(l, &w);
	} else if (drill_accept_word(l, "FOEXP") || drill_accept(l, "exp-FO")) {
		o->kind = TCP_OPT_EXPERIMENT2;
		write16(&w, 0xf989); /* RFC 7413 appendix */
		parse_hex(l, &w);
	} else if (drill_accept_word(l, "md5")) {
		o->kind = TCP_OPT_MD5;
		parse_hex(l, &w);
		while (w.len < 16 && !w.failed)
			write8(&w, 0);
	} else if (drill_accept_word(l, "uto")) {
		o->kind = TCP_OPT_USER_TIMEOUT;
		write16(&w, drill_number16(l, "uto"));
	} else if (drill_accept_word(l, "ECN") || drill_accept_word(l, "AccECN")) {
		parse_accecn(l, o, &w);
	} else if (drill_number(l, &kind)) {
		if (kind < 0 || kind > 255)
			drill_fail(l, "an option's kind lies between 0 and 255");
		o->kind = (uint8_t)kind;
		parse_hex(l, &w);
	} else {
		drill_fail(l,
			"an option is mss N, wscale N, sackOK, sack A:B, TS val N ecr N, nop, "
			"eol, FO HEX, FOEXP HEX, md5 HEX, ECN ..., or KIND HEX");
	}
	close_data(l, o, &w);
}

struct drill_option *drill_parse_options(struct drill_lexer *l, bool *any)
{
	struct drill_option *first = NULL, **tail = &first;
	size_t len = 0;
	*any = drill_accept(l, "...");
	while (!l->failed && !*any && !drill_next_is(l, ">")) {
		struct drill_option *o = drill_take(l, sizeof *o);
		if (!o)
			break;
		parse_option(l, o);
		*tail = o;
		tail = &o->next;
		len += o->kind <= TCP_OPT_NOP ? 1 : 2u + o->len;
		if (len > DRILL_OPTIONS_MAX)
			drill_fail(l, "%zu bytes of options, where a header has room for %d", len,
				DRILL_OPTIONS_MAX);
		if (!drill_accept(l, ","))
			break;
	}
	drill_expect(l, ">");
	return first;
}

struct icmp_word {
	const char *name;
	uint8_t number;
};

static const struct icmp_word types4[] = { { "echo_reply", 0 }, { "unreachable", 3 },
	{ "source_quench", 4 }, { "redirect", 5 }, { "echo_request", 8 }, { "time_exceeded", 11 },
	{ "parameter_problem", 12 }, { "timestamp_request", 13 }, { "timestamp_reply", 14 },
	{ "information_request", 15 }, { "information_reply", 16 }, { "address_mask_request", 17 },
	{ "address_mask_reply", 18 }, { NULL, 0 } };
static const struct icmp_word unreachable4[] = { { "net_unreachable", 0 },
	{ "host_unreachable", 1 }, { "protocol_unreachable", 2 }, { "port_unreachable", 3 },
	{ "frag_needed", 4 }, { "source_route_failed", 5 }, { "net_unknown", 6 },
	{ "host_unknown", 7 }, { "source_host_isolated", 8 }, { "net_prohibited", 9 },
	{ "host_prohibited", 10 }, { "net_unreachable_for_tos", 11 },
	{ "host_unreachable_for_tos", 12 }, { "packet_filtered", 13 },
	{ "precedence_violation", 14 }, { "precedence_cutoff", 15 }, { NULL, 0 } };
static const struct icmp_word types6[] = { { "unreachable", 1 }, { "packet_too_big", 2 },
	{ "time_exceeded", 3 }, { "parameter_problem", 4 }, { "echo_request", 128 },
	{ "echo_reply", 129 }, { NULL, 0 } };
static const struct icmp_word unreachable6[] = { { "no_route", 0 }, { "admin_prohibited", 1 },
	{ "not_neighbour", 2 }, { "beyond_scope", 2 }, { "addr_unreachable", 3 },
	{ "address_unreachable", 3 }, { "port_unreachable", 4 }, { "policy_fail", 5 },
	{ "reject_route", 6 }, { NULL, 0 } };

/* A name of the table, or "type_7". */
static bool icmp_word(
	struct drill_lexer *l, const struct icmp_word *words, const char *numbered, uint8_t *number)
{
	drill_skip(l);
	size_t at = l->at;
	struct span name = drill_word(l), defined = drill_define(l->names, name);
	if (defined.len)
		name = defined;
	for (; words && words->name; words++)
		if (drill_is(name, words->name)) {
			*number = words->number;
			return true;
		}
	l->at = at;
	if (!drill_accept(l, numbered))
		return false;
	uint16_t v = drill_number16(l, "the number");
	if (v > 255)
		drill_fail(l, "ICMP's types and codes end at 255");
	*number = (uint8_t)v;
	return true;
}

void drill_parse_icmp(struct drill_lexer *l, struct drill_packet *p)
{
	bool ip6 = l->names->ip6;
	if (!icmp_word(l, ip6 ? types6 : types4, "type_", &p->icmp_type)) {
		struct span word = drill_word(l);
		drill_fail(l, "no type of ICMP%s is called '%.*s'; 'type_N' takes a number",
			ip6 ? "v6" : "", (int)word.len, (const char *)word.at);
		return;
	}
	const struct icmp_word *codes = NULL;
	if (!ip6 && p->icmp_type == ICMP4_UNREACHABLE)
		codes = unreachable4;
	else if (ip6 && p->icmp_type == ICMP6_UNREACHABLE)
		codes = unreachable6;
	icmp_word(l, codes, "code_", &p->icmp_code);
	if (drill_accept_word(l, "mtu"))
		p->mtu = drill_number32(l, "mtu");
}
