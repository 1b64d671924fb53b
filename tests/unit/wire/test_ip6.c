/*
 * IPv6's codec and the walk over extension headers: both ways over random headers, random chains
 * whose end is known because the test built them, and each bound with the packet that breaks it
 * (attacks IP6-01, 03, 05, 06, 08, 25, 26; FRAG-05).
 */
#include "wire_random.h"

#include "wire/ip6.h"

static struct ip6_header random_header(void)
{
	struct ip6_header h = {
		.traffic_class = random8(),
		.flow_label = random_bits(20),
		.payload_len = random16(),
		.next = random8(),
		.hop_limit = random8(),
		.source = random_addr6(),
		.destination = random_addr6(),
	};
	if (h.payload_len == 0)
		h.next = IP6_NO_NEXT;
	return h;
}

static uint64_t expect(const char *key, const void *header)
{
	const struct ip6_header *h = header;
	if (strcmp(key, "version") == 0)
		return 6;
	if (strcmp(key, "dscp") == 0)
		return h->traffic_class >> 2;
	if (strcmp(key, "ecn") == 0)
		return h->traffic_class & 3;
	if (strcmp(key, "flow_label") == 0)
		return h->flow_label;
	if (strcmp(key, "payload_length") == 0)
		return h->payload_len;
	if (strcmp(key, "next") == 0)
		return h->next;
	if (strcmp(key, "hop_limit") == 0)
		return h->hop_limit;
	if (strcmp(key, "source") == 0)
		return number_of_address(&h->source);
	if (strcmp(key, "destination") == 0)
		return number_of_address(&h->destination);
	fail_msg("no member for %s", key);
	return 0;
}

static bool same(const struct ip6_header *a, const struct ip6_header *b)
{
	return a->traffic_class == b->traffic_class && a->flow_label == b->flow_label &&
		a->payload_len == b->payload_len && a->next == b->next &&
		a->hop_limit == b->hop_limit && addr_equal(&a->source, &b->source) &&
		addr_equal(&a->destination, &b->destination);
}

static void test_emit_then_parse(void **state)
{
	(void)state;
	FOR_ROUNDS(1)
	{
		struct ip6_header h = random_header(), back;
		uint8_t bytes[IP6_HEADER];
		CHECK(ip6_emit(&h, bytes, sizeof bytes) == IP6_HEADER);
		size_t present = IP6_HEADER + (size_t)h.payload_len;
		CHECK(ip6_parse(span_of(bytes, 40), present + random_below(9), &back) == DROP_NONE);
		CHECK(same(&h, &back));
		check_table(&ip6_info, span_of(bytes, 40), expect, &back);
		if (h.payload_len > 0)
			CHECK(ip6_parse(span_of(bytes, 40), present - 1, &back) ==
				DROP_IP6_PAYLOAD_LENGTH);
		CHECK(ip6_emit(&h, bytes, random_below(IP6_HEADER)) == 0);
	}
}

static void test_parse_then_emit(void **state)
{
	(void)state;
	unsigned accepted = 0;
	FOR_ROUNDS(2)
	{
		uint8_t bytes[64], out[IP6_HEADER];
		random_fill(bytes, sizeof bytes);
		if (random_below(8) > 0)
			bytes[0] = 0x60 | (bytes[0] & 15);
		store16(bytes + 4, (uint16_t)random_below(40));
		size_t len = random_below(4) == 0 ? random_below(65) : sizeof bytes;
		uint8_t *copy = exact(bytes, len);
		struct ip6_header h;
		enum drop drop = ip6_parse(span_of(copy, len), len, &h);
		CHECK((drop == DROP_IP6_SHORT) == (len < 40));
		if (drop == DROP_NONE) {
			accepted++;
			CHECK(ip6_emit(&h, out, sizeof out) == IP6_HEADER);
			CHECK(memcmp(out, copy, IP6_HEADER) == 0);
		}
		free(copy);
	}
	assert_in_range(accepted, ROUNDS / 10, ROUNDS - ROUNDS / 10);
}

static void test_refused(void **state)
{
	(void)state;
	uint8_t bytes[64] = { [0] = 0x60, [5] = 24, [6] = 6, [8] = 0x20, [24] = 0x20 };
	struct ip6_header h;
	struct span packet = span_of(bytes, sizeof bytes);
	assert_int_equal(ip6_parse(packet, 64, &h), DROP_NONE);
	assert_int_equal(ip6_parse(packet, 63, &h), DROP_IP6_PAYLOAD_LENGTH);
	assert_int_equal(ip6_parse(packet, 39, &h), DROP_IP6_SHORT);
	assert_int_equal(ip6_parse(span_first(packet, 39), 64, &h), DROP_IP6_SHORT);
	bytes[0] = 0x45;
	assert_int_equal(ip6_parse(packet, 64, &h), DROP_IP6_VERSION);
	bytes[0] = 0x60;
	bytes[5] = 0;
	assert_int_equal(ip6_parse(packet, 64, &h), DROP_IP6_EMPTY);
	bytes[6] = IP6_HOP_BY_HOP; /* a jumbogram */
	assert_int_equal(ip6_parse(packet, 64, &h), DROP_IP6_EMPTY);
	bytes[6] = IP6_NO_NEXT;
	assert_int_equal(ip6_parse(packet, 64, &h), DROP_NONE);
	struct addr mapped = addr_from4((const uint8_t *)"\x7f\0\0\1");
	memcpy(bytes + 8, mapped.b, 16);
	assert_int_equal(ip6_parse(packet, 64, &h), DROP_IP_SOURCE);
	memcpy(bytes + 24, mapped.b, 16);
	bytes[8] = 0x20;
	assert_int_equal(ip6_parse(packet, 64, &h), DROP_IP_DESTINATION);
	h = (struct ip6_header){ .flow_label = 1 << 20 };
	assert_int_equal(ip6_emit(&h, bytes, sizeof bytes), 0);
}

/* A chain under construction. */
struct chain {
	uint8_t bytes[4096];
	size_t len;
	uint8_t first;  /* the fixed header's "next" */
	size_t next_at; /* where the next header is to be named; SIZE_MAX: in `first` */
	unsigned headers;
};

static void chain_begin(struct chain *c)
{
	memset(c, 0, sizeof *c);
	c->next_at = SIZE_MAX;
}

static void chain_name(struct chain *c, uint8_t next)
{
	if (c->next_at == SIZE_MAX)
		c->first = next;
	else
		c->bytes[c->next_at] = next;
}

/* Appends a header of `units` times eight bytes whose body is `body` and then zeroes. */
static uint8_t *chain_add(struct chain *c, uint8_t kind, size_t units, const char *body, size_t len)
{
	uint8_t *at = c->bytes + c->len;
	assert_true(c->len + units * 8 <= sizeof c->bytes && len + 2 <= units * 8);
	chain_name(c, kind);
	memset(at, 0, units * 8);
	at[1] = kind == IP6_FRAGMENT ? 0 : (uint8_t)(units - 1);
	memcpy(at + 2, body, len);
	c->next_at = c->len;
	c->len += units * 8;
	c->headers++;
	return at;
}

static enum drop chain_walk(const struct chain *c, size_t upper, struct ip6_chain *found)
{
	size_t len = c->len + upper;
	uint8_t *copy = exact(c->bytes, len);
	enum drop drop = ip6_walk(span_of(copy, len), c->first, found);
	free(copy);
	return drop;
}

/* Pads an options header from `used` on, never with more than 7 bytes in a row. */
static void pad_options(uint8_t *at, size_t used, size_t len)
{
	while (used < len) {
		size_t left = len - used;
		size_t size = left <= 7 ? left : 4;
		if (size == 1) {
			at[used] = 0;
		} else if (left <= 7) {
			at[used] = 1;
			at[used + 1] = (uint8_t)(size - 2);
		} else {
			at[used] = 0x1e; /* an experiment that may be skipped, RFC 4727 */
			at[used + 1] = 2;
		}
		used += size;
	}
}

static void add_random(struct chain *c, bool first, bool *fragment)
{
	uint32_t pick = random_below(4);
	if (pick == 0 && first) {
		size_t units = 1 + random_below(3);
		pad_options(chain_add(c, IP6_HOP_BY_HOP, units, "\5\2\0\0", 4), 6, units * 8);
	} else if (pick == 1) {
		size_t units = 1 + random_below(3);
		pad_options(chain_add(c, IP6_DESTINATION, units, "", 0), 2, units * 8);
	} else if (pick == 2 && !*fragment) {
		store32(chain_add(c, IP6_FRAGMENT, 1, "", 0) + 4, 0xfeedbeef);
		*fragment = true;
	} else {
		chain_add(c, IP6_ROUTING, 1 + random_below(4), "\4\0", 2);
	}
}

static void test_random_chains(void **state)
{
	(void)state;
	static const uint8_t uppers[] = { 6, 17, 58, 50, 51, 89, 132 };
	static struct chain c;
	FOR_ROUNDS(3)
	{
		chain_begin(&c);
		bool fragment = false;
		unsigned headers = random_below(9);
		for (unsigned i = 0; i < headers; i++)
			add_random(&c, i == 0, &fragment);
		uint8_t upper = uppers[random_below(sizeof uppers)];
		chain_name(&c, upper);
		struct ip6_chain found;
		CHECK(chain_walk(&c, 20, &found) == DROP_NONE);
		CHECK(found.protocol == upper && found.len == c.len && found.headers == headers);
		CHECK(found.last_next_at == (headers == 0 ? 6 : 40 + c.next_at));
		CHECK(found.fragment == fragment && !found.problem.send);
		CHECK(!found.more_fragments && found.fragment_offset == 0);
		CHECK(!fragment || found.fragment_id == 0xfeedbeef);
		/* The explainer's walk goes the same way. */
		struct span rest = span_of(c.bytes, c.len + 20);
		struct ip6_extension e;
		uint8_t kind = c.first;
		while (kind != upper && ip6_extension_next(rest, kind, &e)) {
			kind = e.next;
			rest = span_after(rest, e.bytes.len);
			headers--;
		}
		CHECK(kind == upper && headers == 0 && rest.len == 20);
		/* Cut anywhere inside it, the chain is refused. */
		if (c.len > 0) {
			size_t cut = random_below((uint32_t)c.len);
			uint8_t *copy = exact(c.bytes, cut);
			CHECK(ip6_walk(span_of(copy, cut), c.first, &found) == DROP_IP6_EXTENSION);
			free(copy);
		}
	}
}

static void test_garbage(void **state)
{
	(void)state;
	static const uint8_t kinds[] = { 0, 43, 44, 60, 51, 135 };
	FOR_ROUNDS(4)
	{
		uint8_t bytes[128];
		size_t len = random_below(sizeof bytes + 1);
		random_fill(bytes, sizeof bytes);
		for (size_t i = 0; i < sizeof bytes; i += 8) {
			bytes[i] = kinds[random_below(sizeof kinds)];
			bytes[i + 1] &= random_bool() ? 0 : 3;
		}
		uint8_t *copy = exact(bytes, len);
		struct ip6_chain c;
		struct ip6_extension e;
		uint8_t kind = kinds[random_below(sizeof kinds)];
		enum drop drop = ip6_walk(span_of(copy, len), kind, &c);
		if (drop == DROP_NONE)
			CHECK(c.len <= len && c.headers <= 8);
		if (c.problem.send)
			CHECK(drop != DROP_NONE && c.problem.pointer < 40 + len);
		if (ip6_extension_next(span_of(copy, len), kind, &e))
			CHECK(e.bytes.len >= 8 && e.bytes.len <= len);
		free(copy);
	}
}

static void test_options(void **state)
{
	(void)state;
	static const struct {
		const char *body; /* six bytes after "next" and the length */
		enum drop drop;
		bool send, even_multicast;
		uint8_t code;
		uint32_t pointer;
	} cases[] = {
		{ "\5\2\0\0\1\0", DROP_NONE, false, false, 0, 0 },
		{ "\1\4\0\0\0\0", DROP_NONE, false, false, 0, 0 },
		{ "\0\0\0\0\0\0", DROP_NONE, false, false, 0, 0 },
		{ "\x1e\4\0\0\0\0", DROP_NONE, false, false, 0, 0 },       /* 00: skip */
		{ "\x5e\4\0\0\0\0", DROP_IP6_OPTION, false, false, 0, 0 }, /* 01: discard */
		{ "\x9e\4\0\0\0\0", DROP_IP6_OPTION, true, true, 2, 42 },  /* 10: and say so */
		{ "\xde\4\0\0\0\0", DROP_IP6_OPTION, true, false, 2, 42 }, /* 11: not to groups */
		{ "\0\0\xde\2\0\0", DROP_IP6_OPTION, true, false, 2, 44 },
		{ "\xc2\4\0\1\0\0", DROP_IP6_OPTION, true, false, 2, 42 }, /* jumbo payload */
		{ "\5\5\0\0\0\0", DROP_IP6_EXTENSION, true, false, 0, 42 },
		{ "\5\xff\0\0\0\0", DROP_IP6_EXTENSION, true, false, 0, 42 },
		{ "\0\0\0\0\0\5", DROP_IP6_EXTENSION, true, false, 0, 47 },
	};
	static struct chain c;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		for (unsigned kind = 0; kind <= 60; kind += 60) {
			chain_begin(&c);
			chain_add(&c, (uint8_t)kind, 1, cases[i].body, 6);
			chain_name(&c, 17);
			struct ip6_chain found;
			assert_int_equal(chain_walk(&c, 8, &found), cases[i].drop);
			assert_int_equal(found.problem.send, cases[i].send);
			if (!found.problem.send)
				continue;
			assert_int_equal(found.problem.even_multicast, cases[i].even_multicast);
			assert_int_equal(found.problem.code, cases[i].code);
			assert_int_equal(found.problem.pointer, cases[i].pointer);
		}
	}
}

static void test_bounds(void **state)
{
	(void)state;
	static struct chain c;
	struct ip6_chain found;

	chain_begin(&c); /* nine headers */
	for (unsigned i = 0; i < 9; i++)
		chain_add(&c, IP6_DESTINATION, 1, "\1\4", 2);
	chain_name(&c, 6);
	assert_int_equal(chain_walk(&c, 20, &found), DROP_IP6_EXTENSION_COUNT);

	chain_begin(&c); /* 2048 bytes fit, 2056 do not; 255 in eight bits would be zero */
	chain_add(&c, IP6_ROUTING, 256, "", 0);
	chain_name(&c, 6);
	assert_int_equal(chain_walk(&c, 20, &found), DROP_NONE);
	assert_int_equal(found.len, 2048);
	chain_add(&c, IP6_ROUTING, 1, "", 0);
	assert_int_equal(chain_walk(&c, 20, &found), DROP_IP6_EXTENSION_COUNT);

	chain_begin(&c); /* eight bytes of padding, as Pad1, PadN and both */
	chain_add(&c, IP6_DESTINATION, 2, "\0\0\0\0\0\0\0\0\x1e\4", 10);
	assert_int_equal(chain_walk(&c, 20, &found), DROP_IP6_EXTENSION_COUNT);
	chain_begin(&c);
	chain_add(&c, IP6_DESTINATION, 2, "\1\6\0\0\0\0\0\0\x1e\4", 10);
	assert_int_equal(chain_walk(&c, 20, &found), DROP_IP6_EXTENSION_COUNT);
	chain_begin(&c);
	chain_add(&c, IP6_DESTINATION, 2, "\0\1\4\0\0\0\0\0\x1e\4", 10);
	assert_int_equal(chain_walk(&c, 20, &found), DROP_IP6_EXTENSION_COUNT);

	chain_begin(&c); /* seven are fine, first, after an option, and at the end */
	chain_add(&c, IP6_DESTINATION, 3, "\1\5\0\0\0\0\0\x1e\0\1\5\0\0\0\0\0\x1e\0\0\0\0\0", 22);
	chain_name(&c, 6);
	assert_int_equal(chain_walk(&c, 20, &found), DROP_NONE);
	chain_begin(&c);
	chain_add(&c, IP6_DESTINATION, 2, "\0\0\0\0\0\0\0\x1e\5", 9);
	chain_name(&c, 6);
	assert_int_equal(chain_walk(&c, 20, &found), DROP_NONE);

	chain_begin(&c); /* type 2 is an option like others, and no padding */
	chain_add(&c, IP6_DESTINATION, 2, "\2\x0c", 2);
	chain_name(&c, 6);
	assert_int_equal(chain_walk(&c, 20, &found), DROP_NONE);

	chain_begin(&c); /* eight options are fine, nine are not; padding doesn't count */
	uint8_t *at = chain_add(&c, IP6_DESTINATION, 3, "", 0);
	for (size_t i = 0; i < 8; i++)
		at[2 + 2 * i] = 0x1e;
	memcpy(at + 18, "\1\4", 2);
	chain_name(&c, 6);
	assert_int_equal(chain_walk(&c, 20, &found), DROP_NONE);
	memcpy(at + 18, "\x1e\4", 2);
	assert_int_equal(chain_walk(&c, 20, &found), DROP_IP6_EXTENSION_COUNT);
}

static void test_order(void **state)
{
	(void)state;
	static struct chain c;
	struct ip6_chain found;
	chain_begin(&c); /* hop-by-hop after another header: "unrecognized next header" */
	chain_add(&c, IP6_DESTINATION, 1, "\1\4", 2);
	chain_add(&c, IP6_HOP_BY_HOP, 1, "\1\4", 2);
	chain_name(&c, 6);
	assert_int_equal(chain_walk(&c, 20, &found), DROP_IP6_EXTENSION_ORDER);
	assert_true(found.problem.send && found.problem.code == 1 && found.problem.pointer == 40);

	chain_begin(&c); /* twice */
	chain_add(&c, IP6_HOP_BY_HOP, 1, "\1\4", 2);
	chain_add(&c, IP6_HOP_BY_HOP, 1, "\1\4", 2);
	assert_int_equal(chain_walk(&c, 20, &found), DROP_IP6_EXTENSION_ORDER);

	chain_begin(&c); /* a fragment of a fragment */
	chain_add(&c, IP6_FRAGMENT, 1, "", 0);
	chain_add(&c, IP6_FRAGMENT, 1, "", 0);
	assert_int_equal(chain_walk(&c, 20, &found), DROP_IP6_EXTENSION_ORDER);
}

static void test_routing(void **state)
{
	(void)state;
	static struct chain c;
	struct ip6_chain found;
	for (unsigned type = 0; type < 256; type++) {
		chain_begin(&c);
		uint8_t *at = chain_add(&c, IP6_ROUTING, 3, "", 0);
		chain_name(&c, 6);
		at[2] = (uint8_t)type;
		assert_int_equal(chain_walk(&c, 20, &found), DROP_NONE);
		at[3] = 1;
		assert_int_equal(chain_walk(&c, 20, &found), DROP_IP6_ROUTING);
		assert_true(found.problem.send && found.problem.code == 0);
		assert_int_equal(found.problem.pointer, 42);
	}
}

static void test_fragments(void **state)
{
	(void)state;
	static struct chain c;
	struct ip6_chain found;
	chain_begin(&c); /* a later fragment: what follows is data, even if it says 0 */
	uint8_t *at = chain_add(&c, IP6_FRAGMENT, 1, "", 0);
	at[0] = IP6_HOP_BY_HOP;
	store16(at + 2, 8 | 6 | 1);
	assert_int_equal(chain_walk(&c, 0, &found), DROP_NONE);
	assert_true(found.fragment && found.more_fragments && found.fragment_offset == 8);
	assert_int_equal(found.protocol, IP6_HOP_BY_HOP);
	assert_int_equal(found.len, 8);

	chain_begin(&c); /* a first fragment must hold the transport header (RFC 7112) */
	at = chain_add(&c, IP6_FRAGMENT, 1, "", 0);
	chain_name(&c, 6);
	at[3] = 1;
	assert_int_equal(chain_walk(&c, 20, &found), DROP_NONE);
	assert_int_equal(chain_walk(&c, 19, &found), DROP_IP6_EXTENSION);
	assert_true(found.problem.send && found.problem.code == 3 && found.problem.pointer == 0);
	chain_name(&c, 17);
	assert_int_equal(chain_walk(&c, 8, &found), DROP_NONE);
	assert_int_equal(chain_walk(&c, 7, &found), DROP_IP6_EXTENSION);
	chain_name(&c, IP6_DESTINATION);
	assert_int_equal(chain_walk(&c, 7, &found), DROP_IP6_EXTENSION);
	assert_int_equal(found.problem.code, 3);
	chain_name(&c, 99); /* of what we do not know, nothing can be asked */
	assert_int_equal(chain_walk(&c, 0, &found), DROP_NONE);
	at[3] = 0; /* an atomic fragment is no first fragment: no error of its own */
	chain_name(&c, IP6_DESTINATION);
	assert_int_equal(chain_walk(&c, 7, &found), DROP_IP6_EXTENSION);
	assert_false(found.problem.send);
	chain_name(&c, 17); /* and it is a packet: the transport judges it */
	at[3] = 0;
	assert_int_equal(chain_walk(&c, 0, &found), DROP_NONE);
	assert_true(found.fragment && !found.more_fragments && found.fragment_offset == 0);
}

static void test_no_next(void **state)
{
	(void)state;
	static struct chain c;
	struct ip6_chain found;
	chain_begin(&c);
	chain_name(&c, IP6_NO_NEXT);
	assert_int_equal(chain_walk(&c, 4, &found), DROP_IP6_NO_NEXT);
	chain_add(&c, IP6_DESTINATION, 1, "\1\4", 2);
	chain_name(&c, IP6_NO_NEXT);
	assert_int_equal(chain_walk(&c, 4, &found), DROP_IP6_NO_NEXT);
	assert_false(found.problem.send);
}

static void test_authentication_header(void **state)
{
	(void)state;
	static const uint8_t ah[24] = { 6, 4 }; /* (4 + 2) words */
	struct ip6_extension e;
	assert_true(ip6_extension_next(span_of(ah, 24), IP6_AUTHENTICATION, &e));
	assert_int_equal(e.bytes.len, 24);
	assert_int_equal(e.next, 6);
	assert_false(ip6_extension_next(span_of(ah, 23), IP6_AUTHENTICATION, &e));
}

/* The headers that the explainer steps over, and no others. */
static void test_extension_kinds(void **state)
{
	(void)state;
	static const uint8_t bytes[16] = { 6, 0 };
	static const uint8_t kinds[] = { 0, 43, 44, 51, 60, 135, 139, 140 };
	unsigned known = 0;
	for (unsigned kind = 0; kind < 256; kind++) {
		struct ip6_extension e;
		bool is_kind = memchr(kinds, (int)kind, sizeof kinds) != NULL;
		assert_int_equal(ip6_extension_next(span_of(bytes, 8), (uint8_t)kind, &e), is_kind);
		assert_false(ip6_extension_next(span_of(bytes, 7), (uint8_t)kind, &e));
		known += is_kind;
	}
	assert_int_equal(known, sizeof kinds);
}

/* The explainer's tables of extension headers, against what the walk read. */
static uint64_t expect_fragment(const char *key, const void *chain)
{
	const struct ip6_chain *c = chain;
	if (strcmp(key, "next") == 0)
		return c->protocol;
	if (strcmp(key, "reserved") == 0 || strcmp(key, "reserved_bits") == 0)
		return 0;
	if (strcmp(key, "fragment_offset") == 0)
		return c->fragment_offset / 8u;
	if (strcmp(key, "more_fragments") == 0)
		return c->more_fragments;
	if (strcmp(key, "id") == 0)
		return c->fragment_id;
	fail_msg("no member for %s", key);
	return 0;
}

static uint64_t expect_routing(const char *key, const void *bytes)
{
	const uint8_t *at = bytes;
	static const char *const keys[] = { "next", "length", "type", "segments_left" };
	for (unsigned i = 0; i < 4; i++)
		if (strcmp(key, keys[i]) == 0)
			return at[i];
	fail_msg("no member for %s", key);
	return 0;
}

static void test_tables(void **state)
{
	(void)state;
	FOR_ROUNDS(5)
	{
		uint8_t bytes[28] = { 0 };
		bytes[0] = 6;
		store16(bytes + 2, (uint16_t)(random_bits(13) << 3 | random_below(2)));
		store32(bytes + 4, random32());
		struct ip6_chain c;
		CHECK(ip6_walk(span_of(bytes, 28), IP6_FRAGMENT, &c) == DROP_NONE);
		check_table(&ip6_fragment_info, span_of(bytes, 8), expect_fragment, &c);
		random_fill(bytes, 8);
		check_table(&ip6_routing_info, span_of(bytes, 8), expect_routing, bytes);
		check_table(&ip6_extension_info, span_of(bytes, 8), expect_routing, bytes);
	}
	check_cover(&ip6_info, IP6_HEADER * 8);
	check_cover(&ip6_fragment_info, 8 * 8);
	check_cover(&ip6_routing_info, 4 * 8);
	check_cover(&ip6_extension_info, 2 * 8);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_emit_then_parse),
		cmocka_unit_test(test_parse_then_emit),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_random_chains),
		cmocka_unit_test(test_garbage),
		cmocka_unit_test(test_options),
		cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_routing),
		cmocka_unit_test(test_fragments),
		cmocka_unit_test(test_no_next),
		cmocka_unit_test(test_authentication_header),
		cmocka_unit_test(test_extension_kinds),
		cmocka_unit_test(test_tables),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
