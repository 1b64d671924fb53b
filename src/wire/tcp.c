/*
 * The TCP header. Nearly every segment has one of two forms: no options, or twelve bytes that
 * hold NOP, NOP and timestamps, as RFC 7323 appendix A recommends; both are read and written
 * without a loop. Everything else walks the options byte by byte.
 *
 * The walk believes an option only where its length is one that its kind can have; else it stops
 * there, keeps what came before and notes it (MUST-7). Fast Open is the exception that RFC 7413
 * 4.1.1 makes: an odd cookie is ignored and the walk goes on. Of an option that comes twice the
 * last one counts, as in other stacks.
 *
 * Emitting lays options out on word boundaries with NOPs in front, in the order of Linux, so that
 * the common middleboxes and receivers' fast paths see what they know.
 */
#include "wire/tcp.h"

/* All that is not on the straight line stays out of its registers. */
#define OFF_LINE __attribute__((noinline))

#define TIMESTAMPS_WORD           0x0101080a /* NOP, NOP, kind 8, length 10 */
#define SACK_PERMITTED_TIMESTAMPS 0x0402080a
#define FLAGS_MASK                0x01ff
#define FAST_OPEN_MAGIC           0xf989
#define OPTIONS_MAX               (TCP_HEADER_MAX - TCP_HEADER)
#define COOKIE_MIN                4
#define COOKIE_MAX                16

/* RFC 7413 4.1.1: none (a request), or 4 to 16 bytes and even. */
static bool is_cookie_length(size_t len)
{
	return len == 0 || (len >= COOKIE_MIN && len <= COOKIE_MAX && len % 2 == 0);
}

/* Can an option of this kind be `len` bytes long (MUST-7)? Kinds that we do not know: any length
 * from 2 (MUST-6). */
static bool is_legal_length(uint8_t kind, size_t len)
{
	switch (kind) {
	case TCP_OPT_MSS: return len == 4;
	case TCP_OPT_WSCALE: return len == 3;
	case TCP_OPT_SACK_PERMITTED: return len == 2;
	case TCP_OPT_SACK: return len >= 10 && len <= 34 && (len - 2) % 8 == 0;
	case TCP_OPT_TIMESTAMPS: return len == 10;
	case TCP_OPT_MD5: return len == 18;
	case TCP_OPT_USER_TIMEOUT: return len == 4;
	case TCP_OPT_AO: return len >= 4;
	case TCP_OPT_MPTCP: return len >= 3;
	case TCP_OPT_ACCECN0:
	case TCP_OPT_ACCECN1: return len >= 2 && len <= 11 && (len - 2) % 3 == 0;
	case TCP_OPT_EXPERIMENT1:
	case TCP_OPT_EXPERIMENT2: return len >= 4; /* RFC 6994 3: with an identifier */
	default: return len >= 2;
	}
}

/* MUST-4: the two of one byte; MUST-68: all others have a length; MUST-64: wherever they begin. */
bool tcp_option_next(struct span options, size_t *offset, struct tcp_option *o)
{
	size_t at = *offset;
	if (at >= options.len)
		return false;
	size_t left = options.len - at;
	o->kind = options.at[at];
	o->malformed = false;
	if (o->kind == TCP_OPT_END || o->kind == TCP_OPT_NOP) {
		o->bytes = span_of(options.at + at, 1);
		*offset = o->kind == TCP_OPT_END ? options.len : at + 1;
		return true;
	}
	size_t len = left < 2 ? 0 : options.at[at + 1];
	if (len > left || !is_legal_length(o->kind, len)) {
		o->malformed = true;
		o->bytes = span_of(options.at + at, left);
		*offset = options.len;
		return true;
	}
	o->bytes = span_of(options.at + at, len);
	*offset = at + len;
	return true;
}

static void parse_sack(struct span body, struct tcp_options *o)
{
	o->sack_count = (uint8_t)(body.len / 8);
	for (unsigned i = 0; i < o->sack_count; i++) {
		o->sack[i].start = load32(body.at + 8 * (size_t)i);
		o->sack[i].end = load32(body.at + 8 * (size_t)i + 4);
	}
}

static enum tcp_has parse_fast_open(struct span cookie, bool experimental, struct tcp_options *o)
{
	if (!is_cookie_length(cookie.len))
		return TCP_HAS_UNKNOWN;
	o->fast_open_len = (uint8_t)cookie.len;
	o->fast_open_experimental = experimental;
	memcpy(o->fast_open, cookie.at, cookie.len);
	return TCP_HAS_FAST_OPEN;
}

static void parse_accecn(uint8_t kind, struct span body, struct tcp_options *o)
{
	o->accecn_order = kind == TCP_OPT_ACCECN1;
	o->accecn_count = (uint8_t)(body.len / 3);
	for (unsigned i = 0; i < o->accecn_count; i++) {
		const uint8_t *at = body.at + 3 * (size_t)i;
		o->accecn[i] = (uint32_t)at[0] << 16 | load16(at + 1);
	}
}

/* The members of one option whose length is legal (MUST-4); returns its bit. */
static enum tcp_has parse_option(uint8_t kind, struct span body, struct tcp_options *o)
{
	switch (kind) {
	case TCP_OPT_MSS: o->mss = load16(body.at); return TCP_HAS_MSS;
	case TCP_OPT_WSCALE: o->wscale = body.at[0]; return TCP_HAS_WSCALE;
	case TCP_OPT_SACK_PERMITTED: return TCP_HAS_SACK_PERMITTED;
	case TCP_OPT_SACK: parse_sack(body, o); return TCP_HAS_SACK;
	case TCP_OPT_TIMESTAMPS:
		o->tsval = load32(body.at);
		o->tsecr = load32(body.at + 4);
		return TCP_HAS_TIMESTAMPS;
	case TCP_OPT_MD5: return TCP_HAS_MD5;
	case TCP_OPT_USER_TIMEOUT: o->user_timeout = load16(body.at); return TCP_HAS_USER_TIMEOUT;
	case TCP_OPT_AO: return TCP_HAS_AO;
	case TCP_OPT_MPTCP: return TCP_HAS_MPTCP;
	case TCP_OPT_FAST_OPEN: return parse_fast_open(body, false, o);
	case TCP_OPT_ACCECN0:
	case TCP_OPT_ACCECN1: parse_accecn(kind, body, o); return TCP_HAS_ACCECN;
	case TCP_OPT_EXPERIMENT2:
		if (load16(body.at) == FAST_OPEN_MAGIC)
			return parse_fast_open(span_after(body, 2), true, o);
		return TCP_HAS_UNKNOWN;
	default: return TCP_HAS_UNKNOWN;
	}
}

static OFF_LINE enum drop parse_options(struct span options, struct tcp_options *o)
{
	unsigned has = o->has;
	size_t offset = 0;
	struct tcp_option option;
	while (tcp_option_next(options, &offset, &option)) {
		if (option.malformed)
			has |= TCP_HAS_MALFORMED;
		else if (option.bytes.len >= 2)
			has |= parse_option(option.kind, span_after(option.bytes, 2), o);
	}
	o->has = (uint16_t)has;
	return DROP_NONE;
}

#define USUAL_SYN (TCP_HAS_MSS | TCP_HAS_SACK_PERMITTED | TCP_HAS_TIMESTAMPS | TCP_HAS_WSCALE)

/*
 * The twenty bytes of options that nearly every SYN has, in the order that Linux, the BSDs and we
 * write them: MSS, SACK-permitted with timestamps, NOP, window scale. False: another order.
 */
static inline bool parse_usual_syn(const uint8_t *at, struct tcp_options *o)
{
	if (load16(at) != (TCP_OPT_MSS << 8 | 4) || load32(at + 4) != SACK_PERMITTED_TIMESTAMPS ||
		load32(at + 16) >> 8 != (TCP_OPT_NOP << 16 | TCP_OPT_WSCALE << 8 | 3))
		return false;
	o->has = USUAL_SYN;
	o->mss = load16(at + 2);
	o->tsval = load32(at + 8);
	o->tsecr = load32(at + 12);
	o->wscale = at[19];
	return true;
}

enum drop tcp_parse(struct span bytes, size_t present, struct tcp_header *h)
{
	const uint8_t *at = bytes.at;
	size_t have = bytes.len < present ? bytes.len : present;
	if (have < TCP_HEADER)
		return DROP_TCP_SHORT;
	size_t len = at[12] >> 2 & 0x3c; /* the high four bits, in words */
	if (len < TCP_HEADER || len > have)
		return DROP_TCP_OFFSET;
	h->source_port = load16(at);
	h->destination_port = load16(at + 2);
	h->seq = load32(at + 4);
	h->ack = load32(at + 8);
	h->header_len = (uint8_t)len;
	h->flags = load16(at + 12) & FLAGS_MASK;
	h->window = load16(at + 14);
	h->checksum = load16(at + 16);
	h->urgent = load16(at + 18);

	/* MUST-5: whatever the flags are */
	struct span options = span_of(at + TCP_HEADER, len - TCP_HEADER);
	h->options.has = 0;
	if (options.len >= 12 && load32(options.at) == TIMESTAMPS_WORD) {
		h->options.has = TCP_HAS_TIMESTAMPS;
		h->options.tsval = load32(options.at + 4);
		h->options.tsecr = load32(options.at + 8);
		options = span_of(options.at + 12, options.len - 12);
	}
	if (options.len == 20 && parse_usual_syn(options.at, &h->options))
		return DROP_NONE;
	if (__builtin_expect(options.len > 0, 0))
		return parse_options(options, &h->options);
	return DROP_NONE;
}

static size_t in_words(size_t len)
{
	return (len + 3) & ~(size_t)3;
}

static size_t fast_open_length(const struct tcp_options *o)
{
	return (o->fast_open_experimental ? 4u : 2u) + o->fast_open_len;
}

/* SACK-permitted stands in the two bytes that would pad the timestamps. */
static bool shares_word(unsigned has)
{
	return (has & TCP_HAS_SACK_PERMITTED) && (has & TCP_HAS_TIMESTAMPS);
}

/* The bytes that the options take; more than 40 where they can't be written. */
static size_t options_length(const struct tcp_options *o)
{
	size_t len = 0;
	if (o->has & TCP_HAS_MSS)
		len += 4;
	if (o->has & TCP_HAS_TIMESTAMPS)
		len += 12;
	if ((o->has & TCP_HAS_SACK_PERMITTED) && !shares_word(o->has))
		len += 4;
	if (o->has & TCP_HAS_WSCALE)
		len += 4;
	if (o->has & TCP_HAS_FAST_OPEN)
		len += is_cookie_length(o->fast_open_len) ? in_words(fast_open_length(o))
							  : OPTIONS_MAX + 1;
	if (o->has & TCP_HAS_SACK)
		len += o->sack_count - 1u < TCP_SACK_BLOCKS ? 4 + 8u * o->sack_count
							    : OPTIONS_MAX + 1;
	if (o->has & TCP_HAS_USER_TIMEOUT)
		len += 4;
	if (o->has & TCP_HAS_ACCECN)
		len += o->accecn_count <= 3 ? in_words(2 + 3u * o->accecn_count) : OPTIONS_MAX + 1;
	return len;
}

/* Kind and length (MUST-68), after as many NOPs as make the option end at a word, so that no
 * padding is left that would have to be zero (MUST-69); returns its body. */
static uint8_t *emit_option(uint8_t *at, uint8_t kind, size_t len)
{
	for (size_t pad = in_words(len) - len; pad > 0; pad--)
		*at++ = TCP_OPT_NOP;
	at[0] = kind;
	at[1] = (uint8_t)len;
	return at + 2;
}

static uint8_t *emit_timestamps(uint8_t *at, const struct tcp_options *o)
{
	store32(at, TIMESTAMPS_WORD);
	store32(at + 4, o->tsval);
	store32(at + 8, o->tsecr);
	return at + 12;
}

static uint8_t *emit_fast_open(uint8_t *at, const struct tcp_options *o)
{
	uint8_t kind = o->fast_open_experimental ? TCP_OPT_EXPERIMENT2 : TCP_OPT_FAST_OPEN;
	at = emit_option(at, kind, fast_open_length(o));
	if (o->fast_open_experimental) {
		store16(at, FAST_OPEN_MAGIC);
		at += 2;
	}
	memcpy(at, o->fast_open, o->fast_open_len);
	return at + o->fast_open_len;
}

static uint8_t *emit_sack(uint8_t *at, const struct tcp_options *o)
{
	at = emit_option(at, TCP_OPT_SACK, 2 + 8u * o->sack_count);
	for (unsigned i = 0; i < o->sack_count; i++, at += 8) {
		store32(at, o->sack[i].start);
		store32(at + 4, o->sack[i].end);
	}
	return at;
}

static uint8_t *emit_accecn(uint8_t *at, const struct tcp_options *o)
{
	at = emit_option(
		at, o->accecn_order ? TCP_OPT_ACCECN1 : TCP_OPT_ACCECN0, 2 + 3u * o->accecn_count);
	for (unsigned i = 0; i < o->accecn_count; i++, at += 3) {
		at[0] = (uint8_t)(o->accecn[i] >> 16);
		store16(at + 1, (uint16_t)o->accecn[i]);
	}
	return at;
}

/* All options in order; there is room for options_length of them. */
static uint8_t *emit_options(uint8_t *at, const struct tcp_options *o)
{
	if (o->has & TCP_HAS_MSS) {
		at = emit_option(at, TCP_OPT_MSS, 4);
		store16(at, o->mss);
		at += 2;
	}
	uint8_t *word = at;
	if (o->has & TCP_HAS_TIMESTAMPS)
		at = emit_timestamps(at, o);
	if (shares_word(o->has)) {
		word[0] = TCP_OPT_SACK_PERMITTED;
		word[1] = 2;
	} else if (o->has & TCP_HAS_SACK_PERMITTED) {
		at = emit_option(at, TCP_OPT_SACK_PERMITTED, 2);
	}
	if (o->has & TCP_HAS_WSCALE) {
		at = emit_option(at, TCP_OPT_WSCALE, 3);
		*at++ = o->wscale;
	}
	if (o->has & TCP_HAS_FAST_OPEN)
		at = emit_fast_open(at, o);
	if (o->has & TCP_HAS_SACK)
		at = emit_sack(at, o);
	if (o->has & TCP_HAS_USER_TIMEOUT) {
		at = emit_option(at, TCP_OPT_USER_TIMEOUT, 4);
		store16(at, o->user_timeout);
		at += 2;
	}
	if (o->has & TCP_HAS_ACCECN)
		at = emit_accecn(at, o);
	return at;
}

static inline void emit_fixed(const struct tcp_header *h, size_t len, uint8_t *out)
{
	store16(out, h->source_port);
	store16(out + 2, h->destination_port);
	store32(out + 4, h->seq);
	store32(out + 8, h->ack);
	store16(out + 12, (uint16_t)(len << 10 | (h->flags & FLAGS_MASK)));
	store16(out + 14, h->window);
	store16(out + 16, h->checksum);
	store16(out + 18, h->urgent);
}

static OFF_LINE size_t emit_with_options(const struct tcp_header *h, uint8_t *out, size_t cap)
{
	size_t len = TCP_HEADER + options_length(&h->options);
	if (len > TCP_HEADER_MAX || len > cap)
		return 0;
	emit_fixed(h, len, out);
	uint8_t *end = emit_options(out + TCP_HEADER, &h->options);
	assert(end == out + len);
	return len;
}

static inline void emit_usual_syn(uint8_t *at, const struct tcp_options *o)
{
	store16(at, TCP_OPT_MSS << 8 | 4);
	store16(at + 2, o->mss);
	store32(at + 4, SACK_PERMITTED_TIMESTAMPS);
	store32(at + 8, o->tsval);
	store32(at + 12, o->tsecr);
	store32(at + 16, TCP_OPT_NOP << 24 | TCP_OPT_WSCALE << 16 | 3 << 8 | o->wscale);
}

size_t tcp_emit(const struct tcp_header *h, uint8_t *out, size_t cap)
{
	if (h->options.has == USUAL_SYN && cap >= TCP_HEADER + 20) {
		emit_fixed(h, TCP_HEADER + 20, out);
		emit_usual_syn(out + TCP_HEADER, &h->options);
		return TCP_HEADER + 20;
	}
	if (__builtin_expect(cap < TCP_HEADER + 12 || h->options.has & ~TCP_HAS_TIMESTAMPS, 0))
		return emit_with_options(h, out, cap);
	if (!(h->options.has & TCP_HAS_TIMESTAMPS)) {
		emit_fixed(h, TCP_HEADER, out);
		return TCP_HEADER;
	}
	emit_fixed(h, TCP_HEADER + 12, out);
	emit_timestamps(out + TCP_HEADER, &h->options);
	return TCP_HEADER + 12;
}

const char *tcp_option_name(uint8_t kind)
{
	static const char *const names[256] = {
		[0] = "End of options",
		[1] = "No operation",
		[2] = "Maximum segment size",
		[3] = "Window scale",
		[4] = "SACK permitted",
		[5] = "Selective acknowledgment",
		[6] = "Echo (obsolete)",
		[7] = "Echo reply (obsolete)",
		[8] = "Timestamps",
		[9] = "Partial order connection permitted (obsolete)",
		[10] = "Partial order service profile (obsolete)",
		[11] = "T/TCP connection count (obsolete)",
		[12] = "T/TCP new connection count (obsolete)",
		[13] = "T/TCP connection count echo (obsolete)",
		[14] = "Alternate checksum request (obsolete)",
		[15] = "Alternate checksum data (obsolete)",
		[16] = "Skeeter",
		[17] = "Bubba",
		[18] = "Trailer checksum",
		[19] = "MD5 signature",
		[20] = "SCPS capabilities",
		[21] = "Selective negative acknowledgments",
		[22] = "Record boundaries",
		[23] = "Corruption experienced",
		[24] = "SNAP",
		[26] = "TCP compression filter",
		[27] = "Quick-start response",
		[28] = "User timeout",
		[29] = "Authentication (TCP-AO)",
		[30] = "Multipath TCP",
		[34] = "Fast Open cookie",
		[69] = "Encryption negotiation (TCP-ENO)",
		[172] = "Accurate ECN, order 0",
		[174] = "Accurate ECN, order 1",
		[253] = "Experiment 1",
		[254] = "Experiment 2",
	};
	return names[kind] ? names[kind] : "Unknown option";
}

/* Most significant first; tcp_flags_format and the table share them. */
static const char *const flag_names[] = { "AE", "CWR", "ECE", "URG", "ACK", "PSH", "RST", "SYN",
	"FIN" };

static const char *offset_word(uint64_t words)
{
	static const char *const bytes[16] = {
		[5] = "20 bytes",
		"24 bytes",
		"28 bytes",
		"32 bytes",
		"36 bytes",
		"40 bytes",
		"44 bytes",
		"48 bytes",
		"52 bytes",
		"56 bytes",
		"60 bytes",
	};
	return words < 16 ? bytes[words] : NULL;
}

static const char *port_word(uint64_t port)
{
	switch (port) {
	case 7: return "echo";
	case 20: return "FTP data";
	case 21: return "FTP";
	case 22: return "SSH";
	case 23: return "Telnet";
	case 25: return "SMTP";
	case 53: return "DNS";
	case 80: return "HTTP";
	case 110: return "POP3";
	case 143: return "IMAP";
	case 179: return "BGP";
	case 389: return "LDAP";
	case 443: return "HTTPS";
	case 445: return "SMB";
	case 465: return "SMTP submission over TLS";
	case 587: return "SMTP submission";
	case 853: return "DNS over TLS";
	case 993: return "IMAP over TLS";
	case 995: return "POP3 over TLS";
	case 2049: return "NFS";
	case 3306: return "MySQL";
	case 3389: return "remote desktop";
	case 5432: return "PostgreSQL";
	case 6379: return "Redis";
	case 8080: return "HTTP, alternate";
	default: return NULL;
	}
}

static const struct field tcp_fields[] = {
	{ "Source port", "source_port", "tcp.srcport", 0, 16, FIELD_UINT,
		"The program on the sending machine, and where an answer goes.", port_word, NULL },
	{ "Destination port", "destination_port", "tcp.dstport", 16, 16, FIELD_UINT,
		"The program on the receiving machine.", port_word, NULL },
	{ "Sequence number", "seq", "tcp.seq_raw", 32, 32, FIELD_UINT,
		"The place in the stream of the first byte carried here.", NULL, NULL },
	{ "Acknowledgment number", "ack", "tcp.ack_raw", 64, 32, FIELD_UINT,
		"The next byte that the sender waits for: all before it have arrived.", NULL,
		NULL },
	{ "Data offset", "data_offset", "tcp.hdr_len", 96, 4, FIELD_UINT,
		"How long this header is, in words of four bytes.", offset_word, NULL },
	{ "Reserved", "reserved", "tcp.flags.res", 100, 3, FIELD_UINT,
		"Sent as zero, ignored on receipt.", NULL, NULL },
	{ "Flags", "flags", "tcp.flags", 103, 9, FIELD_FLAGS,
		"What it does: open (SYN), acknowledge (ACK), close (FIN), break off (RST).", NULL,
		flag_names },
	{ "Window", "window", "tcp.window_size_value", 112, 16, FIELD_UINT,
		"How many more bytes the sender has room for, before scaling.", NULL, NULL },
	{ "Checksum", "checksum", "tcp.checksum", 128, 16, FIELD_HEX,
		"Shows damage to the data, the header or the addresses.", NULL, NULL },
	{ "Urgent pointer", "urgent", "tcp.urgent_pointer", 144, 16, FIELD_UINT,
		"Where urgent data ends; only with the URG flag, and hardly used.", NULL, NULL },
};

const struct header_info tcp_info = { "TCP", "tcp", LAYER_TRANSPORT, "RFC 9293 3.1", tcp_fields,
	sizeof tcp_fields / sizeof *tcp_fields };

size_t tcp_flags_format(uint16_t flags, char *out, size_t cap)
{
	uint8_t header[TCP_HEADER] = { 0 };
	store16(header + 12, flags & FLAGS_MASK);
	for (unsigned i = 0; i < tcp_info.count; i++)
		if (tcp_info.field[i].kind == FIELD_FLAGS)
			return field_format(
				&tcp_info.field[i], span_of(header, sizeof header), out, cap);
	return 0;
}
