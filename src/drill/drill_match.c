/*
 * What was seen against what was expected, field by field, in the script's
 * numbers; and both as text in the script's language, so that a failure can be
 * read beside the script.
 */
#include "drill/drill_wire.h"

#include <stdarg.h>
#include <stdio.h>

#include "wire/icmp.h"
#include "wire/tcp.h"

static bool differs(char *why, size_t cap, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
static bool differs(char *why, size_t cap, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(why, cap, format, arguments);
	va_end(arguments);
	return false;
}

struct out {
	char *at;
	size_t len, cap;
};

static struct out out_of(char *at, size_t cap)
{
	assert(cap > 0);
	at[0] = '\0';
	return (struct out){ .at = at, .cap = cap };
}

static void put(struct out *o, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void put(struct out *o, const char *format, ...)
{
	if (o->len + 1 >= o->cap)
		return;
	va_list arguments;
	va_start(arguments, format);
	int n = vsnprintf(o->at + o->len, o->cap - o->len, format, arguments);
	va_end(arguments);
	o->len += n > 0 ? (size_t)n : 0;
	if (o->len >= o->cap)
		o->len = o->cap - 1;
}

static void put_flags(struct out *o, uint16_t flags)
{
	static const struct {
		uint16_t flag;
		char letter;
	} letters[] = { { TCP_SYN, 'S' }, { TCP_FIN, 'F' }, { TCP_RST, 'R' }, { TCP_PSH, 'P' },
		{ TCP_URG, 'U' }, { TCP_ECE, 'E' }, { TCP_CWR, 'W' }, { TCP_AE, 'A' },
		{ TCP_ACK, '.' } };
	bool any = false;
	for (unsigned i = 0; i < sizeof letters / sizeof letters[0]; i++)
		if (flags & letters[i].flag) {
			put(o, "%c", letters[i].letter);
			any = true;
		}
	if (!any)
		put(o, "-");
}

static void put_hex(struct out *o, const uint8_t *at, size_t len)
{
	for (size_t i = 0; i < len; i++)
		put(o, "%02x", at[i]);
}

/* `remote`: what sequence numbers of the other side are counted from. */
static void put_option(struct out *o, const struct drill_option *p, uint32_t remote)
{
	switch (p->kind) {
	case TCP_OPT_END: put(o, "eol"); return;
	case TCP_OPT_NOP: put(o, "nop"); return;
	case TCP_OPT_SACK_PERMITTED: put(o, "sackOK"); return;
	case TCP_OPT_MSS:
		if (p->len == 2) {
			put(o, "mss %u", load16(p->data));
			return;
		}
		break;
	case TCP_OPT_WSCALE:
		if (p->len == 1) {
			put(o, "wscale %u", p->data[0]);
			return;
		}
		break;
	case TCP_OPT_TIMESTAMPS:
		if (p->len == 8) {
			put(o, "TS val %u ecr %u", load32(p->data), load32(p->data + 4));
			return;
		}
		break;
	case TCP_OPT_SACK:
		put(o, "sack");
		for (unsigned i = 0; i + 8 <= p->len; i += 8)
			put(o, " %u:%u", load32(p->data + i) - remote,
				load32(p->data + i + 4) - remote);
		return;
	case TCP_OPT_FAST_OPEN:
		put(o, p->len ? "FO " : "FO");
		put_hex(o, p->data, p->len);
		return;
	case TCP_OPT_EXPERIMENT2:
		if (p->len >= 2 && load16(p->data) == 0xf989) {
			put(o, p->len > 2 ? "FOEXP " : "FOEXP");
			put_hex(o, p->data + 2, p->len - 2u);
			return;
		}
		break;
	default: break;
	}
	put(o, "%u ", p->kind);
	put_hex(o, p->data, p->len);
}

static void put_ecn(struct out *o, int ecn)
{
	static const char *const marks[] = { "noecn", "ect1", "ect0", "ce" };
	if (ecn >= 0)
		put(o, "[%s] ", marks[ecn & 3]);
}

void drill_describe_packet(const struct drill_packet *p, char *text, size_t cap)
{
	struct out o = out_of(text, cap);
	put(&o, "%c ", p->outbound ? '>' : '<');
	put_ecn(&o, p->ecn);
	if (p->protocol == DRILL_UDP) {
		put(&o, "udp (%u)", p->len);
		return;
	}
	if (p->protocol == DRILL_ICMP) {
		put(&o, "icmp type_%u code_%u", p->icmp_type, p->icmp_code);
		return;
	}
	put_flags(&o, p->flags);
	put(&o, " %u:%u(%u)", p->seq, p->seq + p->len, p->len);
	if (p->has_ack)
		put(&o, " ack %u", p->ack);
	if (p->has_window)
		put(&o, " win %u", p->window);
	if (p->has_urgent)
		put(&o, " urg %u", p->urgent);
	if (p->any_options)
		put(&o, " <...>");
	for (const struct drill_option *i = p->options; i; i = i->next) {
		put(&o, i == p->options ? " <" : ",");
		put_option(&o, i, 0);
	}
	if (p->options)
		put(&o, ">");
}

void drill_describe_seen(
	const struct drill_seen *s, const struct drill_flow *f, char *text, size_t cap)
{
	struct out o = out_of(text, cap);
	bool syn = s->flags & TCP_SYN;
	put(&o, "> ");
	if (s->broken) {
		put(&o, "%s", s->why_broken);
		return;
	}
	if (s->protocol == IPPROTO_UDP_) {
		put(&o, "udp (%u)", s->len);
		return;
	}
	if (s->protocol != IPPROTO_TCP_) {
		put(&o, "icmp type_%u code_%u", s->icmp_type, s->icmp_code);
		return;
	}
	if (s->tos & 3)
		put_ecn(&o, s->tos & 3);
	put_flags(&o, s->flags);
	uint32_t seq = drill_seq_of(f, s->seq, syn);
	if (syn && f->local_isn == 0)
		seq = f->script_isn;
	put(&o, " %u:%u(%u)", seq, seq + s->len, s->len);
	if (s->flags & TCP_ACK)
		put(&o, " ack %u", drill_ack_of(f, s->ack, syn));
	put(&o, " win %u", s->window);
	if (s->flags & TCP_URG)
		put(&o, " urg %u", s->urgent);
	for (unsigned i = 0; i < s->options; i++) {
		put(&o, i == 0 ? " <" : ",");
		put_option(&o, &s->option[i], f->remote_isn);
	}
	if (s->options)
		put(&o, ">");
}

static bool padding(const struct drill_option *o)
{
	return o->kind <= TCP_OPT_NOP;
}

/* The timestamp's value may be anything, where no tick says how fast it must go. */
static bool same_stamp(const struct drill_option *e, const struct drill_option *s,
	const struct drill_flow *f, const struct drill_match *m)
{
	if (load32(e->data + 4) != load32(s->data + 4))
		return false;
	if (m->tick_us == 0 || !f->stamped)
		return true;
	int64_t want = (int32_t)(load32(e->data) - f->first_script);
	int64_t got = (int32_t)(load32(s->data) - f->first_live);
	int64_t off = (want - got) * m->tick_us * NANO_US;
	return (off < 0 ? -off : off) <= m->tolerance + m->tick_us * NANO_US;
}

static bool same_option(const struct drill_option *e, const struct drill_option *s,
	const struct drill_flow *f, const struct drill_match *m)
{
	if (e->kind != s->kind || e->len != s->len)
		return false;
	if (e->kind == TCP_OPT_TIMESTAMPS && e->len == 8)
		return same_stamp(e, s, f, m);
	for (unsigned i = 0; e->kind == TCP_OPT_SACK && i + 4 <= e->len; i += 4)
		if (load32(e->data + i) != load32(s->data + i) - f->remote_isn)
			return false;
	return e->kind == TCP_OPT_SACK || e->len == 0 || memcmp(e->data, s->data, e->len) == 0;
}

static bool differs_by(
	const char *what, const struct drill_option *o, uint32_t remote, char *why, size_t cap)
{
	char text[128];
	struct out t = out_of(text, sizeof text);
	put_option(&t, o, remote);
	return differs(why, cap, "%s %s", what, text);
}

static bool compare_options_any_order(const struct drill_packet *p, const struct drill_seen *s,
	const struct drill_flow *f, const struct drill_match *m, char *why, size_t cap)
{
	bool used[DRILL_SEEN_LEFT] = { false };
	for (const struct drill_option *e = p->options; e; e = e->next) {
		unsigned at = 0;
		while (at < s->options &&
			(used[at] || padding(e) || !same_option(e, &s->option[at], f, m)))
			at++;
		if (at < s->options)
			used[at] = true;
		else if (!padding(e))
			return differs_by("there is no option", e, 0, why, cap);
	}
	for (unsigned i = 0; i < s->options; i++)
		if (!used[i] && !padding(&s->option[i]))
			return differs_by("there is an option too many:", &s->option[i],
				f->remote_isn, why, cap);
	return true;
}

static bool compare_options(const struct drill_packet *p, const struct drill_seen *s,
	const struct drill_flow *f, const struct drill_match *m, char *why, size_t cap)
{
	if (p->any_options)
		return true;
	if (m->lenient)
		return compare_options_any_order(p, s, f, m, why, cap);
	const struct drill_option *e = p->options;
	for (unsigned i = 0; i < s->options; i++, e = e->next) {
		if (!e)
			return differs_by("there is an option too many:", &s->option[i],
				f->remote_isn, why, cap);
		if (!same_option(e, &s->option[i], f, m))
			return differs_by(
				"where another stands there is no option", e, 0, why, cap);
	}
	return e ? differs_by("there is no option", e, 0, why, cap) : true;
}

static bool compare_ip(
	const struct drill_packet *p, const struct drill_seen *s, char *why, size_t cap)
{
	if (p->ecn >= 0 && p->ecn != (s->tos & 3))
		return differs(why, cap, "the ECN field is %u, not %d", s->tos & 3, p->ecn);
	if (p->tos >= 0 && (p->tos & ~3) != (s->tos & ~3))
		return differs(why, cap, "tos is %#x, not %#x", s->tos, (unsigned)p->tos);
	if (p->hop_limit >= 0 && p->hop_limit != s->hop_limit)
		return differs(why, cap, "ttl is %u, not %d", s->hop_limit, p->hop_limit);
	if (p->flow_label >= 0 && (uint32_t)p->flow_label != s->flow_label)
		return differs(why, cap, "flowlabel is %#x, not %#x", s->flow_label,
			(unsigned)p->flow_label);
	return true;
}

static bool compare_tcp(const struct drill_packet *p, const struct drill_seen *s,
	const struct drill_flow *f, const struct drill_match *m, bool last, char *why, size_t cap)
{
	bool syn = s->flags & TCP_SYN, whole = last || (p->len == 0 && s->len == 0);
	uint16_t mask = 0x1ff;
	if (m->lenient || !last || s->len > p->len)
		mask &= (uint16_t)~TCP_PSH;
	if (!whole || s->len > p->len)
		mask &= (uint16_t)~TCP_FIN;
	if ((p->flags ^ s->flags) & mask)
		return differs(why, cap, "the flags differ");
	uint32_t seq = syn ? p->seq : drill_seq_of(f, s->seq, false);
	if (seq != p->seq)
		return differs(why, cap, "it begins at %u, not at %u", seq, p->seq);
	if (whole && s->len != p->len && (m->segments || s->len < p->len || p->len == 0))
		return differs(why, cap, "%u bytes of data, not %u", s->len, p->len);
	if (p->has_ack || s->flags & TCP_ACK) {
		uint32_t ack = s->flags & TCP_ACK ? drill_ack_of(f, s->ack, syn) : s->ack;
		if (ack != p->ack)
			return differs(why, cap, "ack is %u, not %u", ack, p->ack);
	}
	if (p->has_window && p->window != s->window)
		return differs(why, cap, "win is %u, not %u", s->window, p->window);
	if (p->has_urgent && p->urgent != s->urgent)
		return differs(why, cap, "urg is %u, not %u", s->urgent, p->urgent);
	return compare_options(p, s, f, m, why, cap);
}

bool drill_compare(const struct drill_packet *p, const struct drill_seen *s,
	const struct drill_flow *f, const struct drill_match *m, bool last, char *why, size_t cap)
{
	static const uint8_t wanted[] = { [DRILL_TCP] = IPPROTO_TCP_, [DRILL_UDP] = IPPROTO_UDP_ };
	if (s->broken)
		return differs(why, cap, "%s", s->why_broken);
	if (!compare_ip(p, s, why, cap))
		return false;
	if (p->protocol == DRILL_ICMP) {
		if (s->protocol != IPPROTO_ICMP4 && s->protocol != IPPROTO_ICMP6)
			return differs(why, cap, "it is not ICMP");
		if (s->icmp_type != p->icmp_type || s->icmp_code != p->icmp_code)
			return differs(why, cap, "type and code differ");
		return true;
	}
	if (s->protocol != wanted[p->protocol])
		return differs(why, cap, "it is another protocol");
	if (p->protocol == DRILL_UDP)
		return s->len == p->len
			? true
			: differs(why, cap, "%u bytes of data, not %u", s->len, p->len);
	return compare_tcp(p, s, f, m, last, why, cap);
}

static void learn_stamp(
	struct drill_flow *f, const struct drill_option *e, const struct drill_option *s)
{
	uint32_t script = load32(e->data), live = load32(s->data);
	if (!f->stamped) {
		f->stamped = true;
		f->first_script = script;
		f->first_live = live;
	}
	f->stamp[f->next_stamp].script = script;
	f->stamp[f->next_stamp].live = live;
	f->next_stamp = (f->next_stamp + 1) % DRILL_STAMPS;
	f->stamps += f->stamps < DRILL_STAMPS;
}

void drill_learn(struct drill_flow *f, const struct drill_packet *p, const struct drill_seen *s)
{
	if (p->protocol == DRILL_TCP && p->flags & s->flags & TCP_SYN) {
		f->local_isn = s->seq;
		f->script_isn = p->seq;
	}
	for (const struct drill_option *e = p->options; e; e = e->next)
		for (unsigned i = 0; i < s->options && e->kind == TCP_OPT_TIMESTAMPS; i++)
			if (s->option[i].kind == TCP_OPT_TIMESTAMPS && s->option[i].len == 8 &&
				e->len == 8)
				learn_stamp(f, e, &s->option[i]);
}
