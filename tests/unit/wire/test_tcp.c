/*
 * TCP's codec: both ways over random headers with every set of options that fits, the layout that
 * Linux uses byte for byte, and malformed options (attacks TCP-08, TCP-10, TCP-11, TCP-13, TCP-63).
 */
#include "wire_random.h"

#include "wire/tcp.h"

#define EMITTED \
	(TCP_HAS_MSS | TCP_HAS_WSCALE | TCP_HAS_SACK_PERMITTED | TCP_HAS_SACK | \
		TCP_HAS_TIMESTAMPS | TCP_HAS_FAST_OPEN | TCP_HAS_USER_TIMEOUT | TCP_HAS_ACCECN)

static void random_options(struct tcp_options *o)
{
	o->has = (uint16_t)(random64() & random64() & EMITTED);
	if (random_below(4) == 0)
		o->has = (uint16_t)(random64() & EMITTED);
	o->mss = random16();
	o->wscale = random8();
	o->tsval = random32();
	o->tsecr = random32();
	o->sack_count = (uint8_t)(1 + random_below(TCP_SACK_BLOCKS));
	for (unsigned i = 0; i < TCP_SACK_BLOCKS; i++)
		o->sack[i] = (struct tcp_sack_block){ random32(), random32() };
	o->fast_open_len = (uint8_t)(random_bool() ? 0 : 4 + 2 * random_below(7));
	o->fast_open_experimental = random_bool();
	random_fill(o->fast_open, sizeof o->fast_open);
	o->user_timeout = random16();
	o->accecn_order = (uint8_t)random_below(2);
	o->accecn_count = (uint8_t)random_below(4);
	for (unsigned i = 0; i < 3; i++)
		o->accecn[i] = random_bits(24);
}

static struct tcp_header random_header(void)
{
	struct tcp_header h = {
		.source_port = random16(),
		.destination_port = random16(),
		.seq = random32(),
		.ack = random32(),
		.flags = (uint16_t)random_bits(9),
		.window = random16(),
		.checksum = random16(),
		.urgent = random16(),
	};
	random_options(&h.options);
	return h;
}

static size_t words(size_t len)
{
	return (len + 3) / 4 * 4;
}

/* What the options take, said in another way than the codec does. */
static size_t options_size(const struct tcp_options *o)
{
	size_t n = 0;
	bool stamps = o->has & TCP_HAS_TIMESTAMPS, permitted = o->has & TCP_HAS_SACK_PERMITTED;
	n += o->has & TCP_HAS_MSS ? 4 : 0;
	n += stamps ? 12 : permitted ? 4 : 0;
	n += o->has & TCP_HAS_WSCALE ? 4 : 0;
	n += o->has & TCP_HAS_SACK ? 4 + 8u * o->sack_count : 0;
	n += o->has & TCP_HAS_USER_TIMEOUT ? 4 : 0;
	if (o->has & TCP_HAS_FAST_OPEN)
		n += words((o->fast_open_experimental ? 4u : 2u) + o->fast_open_len);
	if (o->has & TCP_HAS_ACCECN)
		n += words(2 + 3u * o->accecn_count);
	return n;
}

static bool same_options(const struct tcp_options *a, const struct tcp_options *b)
{
	uint16_t has = a->has;
	if (has != b->has)
		return false;
	if ((has & TCP_HAS_MSS) && a->mss != b->mss)
		return false;
	if ((has & TCP_HAS_WSCALE) && a->wscale != b->wscale)
		return false;
	if ((has & TCP_HAS_TIMESTAMPS) && (a->tsval != b->tsval || a->tsecr != b->tsecr))
		return false;
	if ((has & TCP_HAS_SACK) &&
		(a->sack_count != b->sack_count ||
			memcmp(a->sack, b->sack, a->sack_count * sizeof *a->sack) != 0))
		return false;
	if ((has & TCP_HAS_FAST_OPEN) &&
		(a->fast_open_len != b->fast_open_len ||
			a->fast_open_experimental != b->fast_open_experimental ||
			memcmp(a->fast_open, b->fast_open, a->fast_open_len) != 0))
		return false;
	if ((has & TCP_HAS_USER_TIMEOUT) && a->user_timeout != b->user_timeout)
		return false;
	return !(has & TCP_HAS_ACCECN) ||
		(a->accecn_order == b->accecn_order && a->accecn_count == b->accecn_count &&
			memcmp(a->accecn, b->accecn, a->accecn_count * sizeof *a->accecn) == 0);
}

static bool same(const struct tcp_header *a, const struct tcp_header *b)
{
	return a->source_port == b->source_port && a->destination_port == b->destination_port &&
		a->seq == b->seq && a->ack == b->ack && a->flags == b->flags &&
		a->window == b->window && a->checksum == b->checksum && a->urgent == b->urgent &&
		same_options(&a->options, &b->options);
}

static uint64_t expect(const char *key, const void *header)
{
	const struct tcp_header *h = header;
	if (strcmp(key, "source_port") == 0)
		return h->source_port;
	if (strcmp(key, "destination_port") == 0)
		return h->destination_port;
	if (strcmp(key, "seq") == 0)
		return h->seq;
	if (strcmp(key, "ack") == 0)
		return h->ack;
	if (strcmp(key, "data_offset") == 0)
		return h->header_len / 4u;
	if (strcmp(key, "reserved") == 0)
		return 0;
	if (strcmp(key, "flags") == 0)
		return h->flags;
	if (strcmp(key, "window") == 0)
		return h->window;
	if (strcmp(key, "checksum") == 0)
		return h->checksum;
	if (strcmp(key, "urgent") == 0)
		return h->urgent;
	fail_msg("no member for %s", key);
	return 0;
}

static void test_both_ways(void **state)
{
	(void)state;
	unsigned written = 0;
	FOR_ROUNDS(1)
	{
		uint8_t bytes[TCP_HEADER_MAX], again[TCP_HEADER_MAX];
		struct tcp_header h = random_header(), back;
		memset(&back, 0xa5, sizeof back);
		size_t n = tcp_emit(&h, bytes, sizeof bytes);
		size_t size = TCP_HEADER + options_size(&h.options);
		CHECK(n == (size <= TCP_HEADER_MAX ? size : 0));
		if (n == 0)
			continue;
		written++;
		CHECK(tcp_parse(span_of(bytes, n), n + random_below(2000), &back) == DROP_NONE);
		CHECK(back.header_len == n);
		CHECK(same(&h, &back));
		CHECK(tcp_emit(&back, again, n) == n && memcmp(bytes, again, n) == 0);
		check_table(&tcp_info, span_of(bytes, n), expect, &back);
		CHECK(tcp_emit(&h, again, random_below((uint32_t)n)) == 0);
	}
	assert_true(written > ROUNDS / 2);
}

/* The two common forms, with random bytes in all their fields. */
static void test_parse_then_emit(void **state)
{
	(void)state;
	FOR_ROUNDS(2)
	{
		uint8_t bytes[32], out[32];
		random_fill(bytes, sizeof bytes);
		bool stamps = random_bool();
		size_t n = stamps ? 32 : 20;
		bytes[12] = (uint8_t)(n << 2 | (bytes[12] & 1));
		memcpy(bytes + 20, "\1\1\x08\x0a", 4);
		struct tcp_header h;
		CHECK(tcp_parse(span_of(bytes, n), n, &h) == DROP_NONE);
		CHECK(h.options.has == (stamps ? TCP_HAS_TIMESTAMPS : 0));
		CHECK(tcp_emit(&h, out, sizeof out) == n && memcmp(bytes, out, n) == 0);
	}
}

static void test_garbage(void **state)
{
	(void)state;
	static const uint8_t kinds[] = { 0, 1, 2, 3, 4, 5, 8, 19, 28, 29, 30, 34, 172, 174, 253,
		254 };
	FOR_ROUNDS(3)
	{
		uint8_t bytes[80];
		size_t len = random_below(sizeof bytes + 1);
		random_fill(bytes, sizeof bytes);
		if (random_bool())
			bytes[12] |= 0x50;
		for (unsigned i = 0; i < 8; i++) {
			size_t at = 20 + random_below(50);
			bytes[at] = kinds[random_below(sizeof kinds)];
			bytes[at + 1] = (uint8_t)random_below(20);
		}
		uint8_t *copy = exact(bytes, len);
		struct tcp_header h;
		enum drop drop = tcp_parse(span_of(copy, len), len, &h);
		if (len < 20)
			CHECK(drop == DROP_TCP_SHORT);
		else if (bytes[12] < 0x50 || (bytes[12] >> 4) * 4u > len)
			CHECK(drop == DROP_TCP_OFFSET);
		else
			CHECK(drop == DROP_NONE);
		size_t offset = 0, before = 0, steps = 0;
		struct tcp_option o;
		while (tcp_option_next(span_of(copy, len), &offset, &o)) {
			CHECK(++steps <= len && o.bytes.len > 0 && offset > before);
			CHECK(o.bytes.at == copy + before && o.bytes.len <= len - before);
			before = offset;
		}
		free(copy);
	}
}

/* The options' values by the plain walk, without the parser's straight lines. */
static struct tcp_options walked(struct span options)
{
	struct tcp_options o = { .has = 0 };
	struct tcp_option one;
	size_t offset = 0;
	while (tcp_option_next(options, &offset, &one)) {
		const uint8_t *body = one.bytes.at + 2;
		if (one.malformed) {
			o.has |= TCP_HAS_MALFORMED;
		} else if (one.kind == TCP_OPT_MSS) {
			o.has |= TCP_HAS_MSS;
			o.mss = load16(body);
		} else if (one.kind == TCP_OPT_WSCALE) {
			o.has |= TCP_HAS_WSCALE;
			o.wscale = body[0];
		} else if (one.kind == TCP_OPT_SACK_PERMITTED) {
			o.has |= TCP_HAS_SACK_PERMITTED;
		} else if (one.kind == TCP_OPT_TIMESTAMPS) {
			o.has |= TCP_HAS_TIMESTAMPS;
			o.tsval = load32(body);
			o.tsecr = load32(body + 4);
		} else if (one.kind > 1) {
			o.has |= 1u << 15; /* some other option: not compared */
		}
	}
	return o;
}

/* The layouts that have a straight line, and their neighbours by a byte or two. */
static void test_straight_lines(void **state)
{
	(void)state;
	static const char syn[] = "\2\4\5\xb4\4\2\x08\x0a\0\0\0\1\0\0\0\2\1\3\3\7";
	static const char stamps[] = "\1\1\x08\x0a\0\0\0\1\0\0\0\2";
	unsigned compared = 0;
	FOR_ROUNDS(4)
	{
		uint8_t bytes[TCP_HEADER_MAX] = { 0 };
		size_t len = 0;
		if (random_bool()) {
			memcpy(bytes + 20, stamps, 12);
			len = 12;
		}
		if (random_bool()) {
			memcpy(bytes + 20 + len, syn, 20);
			len += 20;
		}
		if (random_below(4) == 0)
			len = words(random_below(41));
		for (unsigned n = random_below(3); n > 0 && len > 0; n--)
			bytes[20 + random_below((uint32_t)len)] = (uint8_t)random_below(12);
		bytes[12] = (uint8_t)((20 + len) << 2);
		struct tcp_options o = walked(span_of(bytes + 20, len));
		struct tcp_header h;
		CHECK(tcp_parse(span_of(bytes, 20 + len), 20 + len, &h) == DROP_NONE);
		if (o.has & 1u << 15)
			continue;
		compared++;
		CHECK(same_options(&o, &h.options));
	}
	assert_true(compared > ROUNDS / 2);
}

/* Byte for byte the layout of Linux (its tcp_options_write). */
static void test_linux_layout(void **state)
{
	(void)state;
	static const struct {
		uint16_t has;
		size_t len;
		const char *bytes;
	} cases[] = {
		{ TCP_HAS_MSS | TCP_HAS_SACK_PERMITTED | TCP_HAS_TIMESTAMPS | TCP_HAS_WSCALE, 20,
			"\2\4\5\xb4\4\2\x08\x0a\0\0\0\1\0\0\0\2\1\3\3\7" },
		{ TCP_HAS_MSS | TCP_HAS_SACK_PERMITTED | TCP_HAS_WSCALE, 12,
			"\2\4\5\xb4\1\1\4\2\1\3\3\7" },
		{ TCP_HAS_MSS | TCP_HAS_TIMESTAMPS | TCP_HAS_WSCALE, 20,
			"\2\4\5\xb4\1\1\x08\x0a\0\0\0\1\0\0\0\2\1\3\3\7" },
		{ TCP_HAS_MSS, 4, "\2\4\5\xb4" },
		{ TCP_HAS_TIMESTAMPS, 12, "\1\1\x08\x0a\0\0\0\1\0\0\0\2" },
		{ TCP_HAS_TIMESTAMPS | TCP_HAS_SACK, 24,
			"\1\1\x08\x0a\0\0\0\1\0\0\0\2\1\1\5\x0a\0\0\0\3\0\0\0\4" },
		{ TCP_HAS_SACK, 12, "\1\1\5\x0a\0\0\0\3\0\0\0\4" },
		{ 0, 0, "" },
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct tcp_header h = { .options = { .has = cases[i].has,
						.mss = 1460,
						.wscale = 7,
						.tsval = 1,
						.tsecr = 2,
						.sack_count = 1,
						.sack = { { 3, 4 } } } };
		uint8_t out[TCP_HEADER_MAX];
		assert_int_equal(tcp_emit(&h, out, sizeof out), 20 + cases[i].len);
		assert_memory_equal(out + 20, cases[i].bytes, cases[i].len);
		assert_int_equal(out[12], (20 + cases[i].len) / 4 << 4);
	}
}

/* MUST-68, MUST-69: whatever options we write, a walk by their lengths ends where the header ends,
 * and finds no byte between them but NOPs. */
static void test_emitted_options(void **state)
{
	(void)state;
	const unsigned read_only = TCP_HAS_MD5 | TCP_HAS_AO;
	for (unsigned has = 0; has < TCP_HAS_MPTCP; has++) {
		struct tcp_header h = { .options = { .has = (uint16_t)(has & ~read_only),
						.mss = 1460,
						.sack_count = 1,
						.fast_open_len = 8,
						.accecn_count = 1 } };
		uint8_t out[TCP_HEADER_MAX];
		memset(out, 0xee, sizeof out);
		size_t len = tcp_emit(&h, out, sizeof out), at = TCP_HEADER;
		if (!len)
			continue; /* more than forty bytes */
		while (at < len) {
			if (out[at] == TCP_OPT_NOP) {
				at++;
				continue;
			}
			assert_true(out[at] != TCP_OPT_END && out[at] != 0xee);
			assert_true(at + 1 < len && out[at + 1] >= 2);
			at += out[at + 1];
		}
		assert_int_equal(at, len);
	}
}

/* A header with these option bytes (padded with END), parsed. */
static struct tcp_header parse_options(const char *options, size_t len)
{
	uint8_t bytes[TCP_HEADER_MAX] = { 0 };
	size_t n = 20 + words(len);
	bytes[12] = (uint8_t)(n << 2);
	memcpy(bytes + 20, options, len);
	struct tcp_header h;
	uint8_t *copy = exact(bytes, n);
	assert_int_equal(tcp_parse(span_of(copy, n), n, &h), DROP_NONE);
	free(copy);
	return h;
}

/* MUST-7 */
static void test_malformed_options(void **state)
{
	(void)state;
	static const struct {
		const char *bytes;
		size_t len;
		uint16_t has;
	} cases[] = {
		{ "\2\0\5\xb4", 4, TCP_HAS_MALFORMED },
		{ "\2\1\5\xb4", 4, TCP_HAS_MALFORMED },
		{ "\2\3\5\xb4", 4, TCP_HAS_MALFORMED },
		{ "\2\5\5\xb4", 4, TCP_HAS_MALFORMED },
		{ "\1\1\1\2", 4, TCP_HAS_MALFORMED }, /* cut at the last byte */
		{ "\1\1\2\4", 4, TCP_HAS_MALFORMED }, /* its value lies past the header */
		{ "\x08\x09\0\0\0\0\0\0\0\0\0\0", 12, TCP_HAS_MALFORMED },
		{ "\1\1\x08\x0a\0\0\0\0", 8, TCP_HAS_MALFORMED },
		{ "\3\2\7\0", 4, TCP_HAS_MALFORMED },
		{ "\4\3\0\0", 4, TCP_HAS_MALFORMED },
		{ "\5\2\0\0", 4, TCP_HAS_MALFORMED }, /* no block */
		{ "\5\7\0\0\0\0\0\0", 8, TCP_HAS_MALFORMED },
		{ "\5\x0b\0\0\0\0\0\0\0\0\0\0", 12, TCP_HAS_MALFORMED },
		{ "\5\xff\0\0", 4, TCP_HAS_MALFORMED },
		{ "\x1c\3\0\0", 4, TCP_HAS_MALFORMED },
		{ "\xac\3\0\0", 4, TCP_HAS_MALFORMED },
		{ "\xfe\3\xf9\0", 4, TCP_HAS_MALFORMED },
		{ "\x13\4\0\0", 4, TCP_HAS_MALFORMED },
		{ "\x1d\3\0\0", 4, TCP_HAS_MALFORMED },
		{ "\x1e\2\0\0", 4, TCP_HAS_MALFORMED },
		/* What came before the bad one holds, what comes after does not. */
		{ "\2\4\5\xb4\3\0\4\2", 8, TCP_HAS_MSS | TCP_HAS_MALFORMED },
		{ "\1\1\x08\x0a\0\0\0\0\0\0\0\0\2\0\1\1", 16,
			TCP_HAS_TIMESTAMPS | TCP_HAS_MALFORMED },
		/* Nothing counts after the end. */
		{ "\0\2\0\0", 4, 0 },
		{ "\4\2\0\2", 4, TCP_HAS_SACK_PERMITTED },
		/* Unknown options are stepped over (MUST-6). */
		{ "\x63\6\1\2\3\4\4\2", 8, TCP_HAS_UNKNOWN | TCP_HAS_SACK_PERMITTED },
		{ "\x63\2\4\2", 4, TCP_HAS_UNKNOWN | TCP_HAS_SACK_PERMITTED },
		{ "\xfe\4\1\2\4\2\0\0", 8, TCP_HAS_UNKNOWN | TCP_HAS_SACK_PERMITTED },
		{ "\xfd\4\xf9\x89", 4, TCP_HAS_UNKNOWN },
		/* An illegal cookie is ignored and the walk goes on (RFC 7413 4.1.1). */
		{ "\x22\5\1\2\3\4\2\0", 8, TCP_HAS_UNKNOWN | TCP_HAS_SACK_PERMITTED },
		{ "\x22\4\1\2\4\2\0\0", 8, TCP_HAS_UNKNOWN | TCP_HAS_SACK_PERMITTED },
		{ "\x22\2\4\2", 4, TCP_HAS_FAST_OPEN | TCP_HAS_SACK_PERMITTED },
		{ "\x22\6\1\2\3\4\4\2", 8, TCP_HAS_FAST_OPEN | TCP_HAS_SACK_PERMITTED },
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct tcp_header h = parse_options(cases[i].bytes, cases[i].len);
		if (h.options.has != cases[i].has)
			fail_msg("case %zu: has %#x, not %#x", i, h.options.has, cases[i].has);
	}
}

/* Of what comes twice the last one counts; values at all places (MUST-64). */
static void test_option_values(void **state)
{
	(void)state;
	struct tcp_header h = parse_options("\2\4\0\0\2\4\xff\xff\3\3\xff", 11);
	assert_int_equal(h.options.mss, 65535); /* the last one counts */
	assert_int_equal(h.options.wscale, 255);
	h = parse_options("\xae\x0b\0\0\1\xff\xff\xff\x12\x34\x56\0", 12);
	assert_int_equal(h.options.accecn_order, 1);
	assert_int_equal(h.options.accecn_count, 3);
	assert_int_equal(h.options.accecn[0], 1);
	assert_int_equal(h.options.accecn[1], 0xffffff);
	assert_int_equal(h.options.accecn[2], 0x123456);
	h = parse_options("\xfe\x08\xf9\x89\1\2\3\4", 8);
	assert_int_equal(h.options.has, TCP_HAS_FAST_OPEN);
	assert_true(h.options.fast_open_experimental);
	assert_int_equal(h.options.fast_open_len, 4);
	assert_memory_equal(h.options.fast_open, "\1\2\3\4", 4);
	h = parse_options("\x13\x12\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 18);
	assert_int_equal(h.options.has, TCP_HAS_MD5);
	h = parse_options("\x1d\4\0\0\x1e\3\0\x1c\4\x80\1", 11);
	assert_int_equal(h.options.has, TCP_HAS_AO | TCP_HAS_MPTCP | TCP_HAS_USER_TIMEOUT);
	assert_int_equal(h.options.user_timeout, 0x8001);
}

static void test_offset(void **state)
{
	(void)state;
	uint8_t bytes[60] = { 0 };
	struct tcp_header h;
	for (unsigned words_in = 0; words_in < 16; words_in++) {
		bytes[12] = (uint8_t)(words_in << 4 | 0x0e); /* reserved bits are ignored */
		for (size_t len = 20; len <= 60; len++) {
			enum drop expected = words_in < 5 || words_in * 4 > len ? DROP_TCP_OFFSET
										: DROP_NONE;
			uint8_t *copy = exact(bytes, len);
			assert_int_equal(tcp_parse(span_of(copy, len), len, &h), expected);
			assert_int_equal(tcp_parse(span_of(copy, len), 60, &h), expected);
			assert_int_equal(tcp_parse(span_of(copy, len), 19, &h), DROP_TCP_SHORT);
			free(copy);
		}
	}
	assert_int_equal(h.flags, 0);
}

static void test_refused_headers(void **state)
{
	(void)state;
	uint8_t out[TCP_HEADER_MAX];
	struct tcp_header h = { .options = { .has = TCP_HAS_FAST_OPEN, .fast_open_len = 3 } };
	assert_int_equal(tcp_emit(&h, out, sizeof out), 0);
	h.options.fast_open_len = 18;
	assert_int_equal(tcp_emit(&h, out, sizeof out), 0);
	h.options = (struct tcp_options){ .has = TCP_HAS_SACK, .sack_count = 0 };
	assert_int_equal(tcp_emit(&h, out, sizeof out), 0);
	h.options.sack_count = 5;
	assert_int_equal(tcp_emit(&h, out, sizeof out), 0);
	h.options = (struct tcp_options){ .has = TCP_HAS_ACCECN, .accecn_count = 4 };
	assert_int_equal(tcp_emit(&h, out, sizeof out), 0);
	/* Four blocks leave no room beside timestamps. */
	h.options = (struct tcp_options){ .has = TCP_HAS_SACK | TCP_HAS_TIMESTAMPS,
		.sack_count = 4 };
	assert_int_equal(tcp_emit(&h, out, sizeof out), 0);
	h.options.sack_count = 3;
	assert_int_equal(tcp_emit(&h, out, sizeof out), 60);
}

/* MUST-4, and MUST-64: the MSS option begins at an odd byte. */
static void test_walk(void **state)
{
	(void)state;
	static const uint8_t bytes[] = { 1, 2, 4, 5, 180, 0, 9, 9 };
	struct span options = span_of(bytes, sizeof bytes);
	struct tcp_option o;
	size_t offset = 0;
	assert_true(tcp_option_next(options, &offset, &o));
	assert_true(o.kind == 1 && o.bytes.len == 1 && !o.malformed);
	assert_true(tcp_option_next(options, &offset, &o));
	assert_true(o.kind == 2 && o.bytes.len == 4 && o.bytes.at == bytes + 1);
	assert_true(tcp_option_next(options, &offset, &o));
	assert_true(o.kind == 0 && !o.malformed);
	assert_false(tcp_option_next(options, &offset, &o));
	offset = 6;
	assert_true(tcp_option_next(options, &offset, &o));
	assert_true(o.malformed && o.bytes.len == 2);
	assert_false(tcp_option_next(options, &offset, &o));
}

static void test_text(void **state)
{
	(void)state;
	char text[64];
	tcp_flags_format(TCP_SYN | TCP_ACK, text, sizeof text);
	assert_string_equal(text, "SYN, ACK");
	tcp_flags_format(0, text, sizeof text);
	assert_string_equal(text, "none");
	tcp_flags_format(0xffff, text, sizeof text);
	assert_string_equal(text, "FIN, SYN, RST, PSH, ACK, URG, ECE, CWR, AE");
	assert_int_equal(tcp_flags_format(TCP_RST, text, 3), 2);
	assert_string_equal(text, "RS");
	for (unsigned kind = 0; kind < 256; kind++)
		assert_true(strlen(tcp_option_name((uint8_t)kind)) > 3);
	assert_string_equal(tcp_option_name(2), "Maximum segment size");
	assert_string_equal(tcp_option_name(99), "Unknown option");
	check_cover(&tcp_info, TCP_HEADER * 8);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_both_ways),
		cmocka_unit_test(test_parse_then_emit),
		cmocka_unit_test(test_garbage),
		cmocka_unit_test(test_straight_lines),
		cmocka_unit_test(test_linux_layout),
		cmocka_unit_test(test_emitted_options),
		cmocka_unit_test(test_malformed_options),
		cmocka_unit_test(test_option_values),
		cmocka_unit_test(test_offset),
		cmocka_unit_test(test_refused_headers),
		cmocka_unit_test(test_walk),
		cmocka_unit_test(test_text),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
