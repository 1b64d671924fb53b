/*
 * The chunked coding: what the encoder writes the decoder undoes in pieces of
 * any size, trailers stay apart, and what breaks the grammar is refused.
 */
#include "unit/base/property.h"

#include "wire/http1_chunked.h"

struct result {
	enum http1_progress progress;
	enum http1_error error;
	size_t taken, len;
	uint8_t body[4096];
	struct http1_chunked decoder;
	uint8_t storage[256];
	struct http1_field field[4];
};

static void decode(struct span in, size_t step, bool keep, struct result *out)
{
	struct http1_chunked *c = &out->decoder;
	struct span body;
	size_t used;

	if (keep)
		http1_chunked_begin(c, out->storage, sizeof out->storage, out->field, 4);
	else
		http1_chunked_begin(c, NULL, 0, NULL, 0);
	out->progress = HTTP1_MORE;
	out->taken = out->len = 0;
	while (out->progress == HTTP1_MORE && out->taken < in.len) {
		struct span piece = span_first(span_after(in, out->taken), step);
		out->progress = http1_chunked_feed(c, piece, &used, &body);
		out->taken += used;
		check(used > 0 && used <= piece.len);
		check(out->len + body.len <= sizeof out->body);
		memcpy(out->body + out->len, body.at, body.len);
		out->len += body.len;
	}
	out->error = c->error;
	check(c->total == out->len);
}

/* Decodes whole, byte by byte and without storage: always the same. */
static void decode_all_ways(const char *text, struct result *out)
{
	struct span in = span_of(text, strlen(text));
	struct result other;

	decode(in, 1, true, &other);
	decode(in, in.len, false, out);
	check(out->progress == other.progress && out->error == other.error);
	check(out->taken == other.taken && out->len == other.len);
	decode(in, in.len, true, out);
	check(out->progress == other.progress && out->error == other.error);
	check(out->taken == other.taken && out->len == other.len);
	check(memcmp(out->body, other.body, out->len) == 0);
	check(out->decoder.field_count == other.decoder.field_count);
}

static void test_good(void **state)
{
	(void)state;
	static const struct {
		const char *text, *body;
		size_t rest;
	} cases[] = {
		{ "0\r\n\r\n", "", 0 },
		{ "5\r\nhello\r\n0\r\n\r\nGET", "hello", 3 },
		{ "5\r\nhello\r\n00a\r\n0123456789\r\n000\r\n\r\n", "hello0123456789", 0 },
		{ "1;a=b;c=\"d e\"\r\nx\r\n0;z\r\n\r\n", "x", 0 },
		{ "1 \t;a\r\nx\r\n0\r\n\r\n", "x", 0 },
		{ "A\r\n0123\r\n6789\r\n0\r\n\r\n", "0123\r\n6789", 0 },
		{ "0000000000000001\r\nx\r\n0\r\n\r\n", "x", 0 },
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct result got;
		decode_all_ways(cases[i].text, &got);
		assert_int_equal(got.progress, HTTP1_DONE);
		assert_int_equal(got.len, strlen(cases[i].body));
		assert_memory_equal(got.body, cases[i].body, got.len);
		assert_int_equal(strlen(cases[i].text) - got.taken, cases[i].rest);
	}
}

static void test_refused(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		enum http1_error want;
	} cases[] = {
		{ "\r\n", HTTP1_CHUNK_SIZE },
		{ "x\r\n", HTTP1_CHUNK_SIZE },
		{ "0x5\r\n", HTTP1_CHUNK_SIZE },
		{ "+5\r\n", HTTP1_CHUNK_SIZE },
		{ "-1\r\n", HTTP1_CHUNK_SIZE },
		{ " 5\r\n", HTTP1_CHUNK_SIZE },
		{ ";a\r\n", HTTP1_CHUNK_SIZE },
		{ "5 5\r\n", HTTP1_CHUNK_SIZE },
		{ "5 \r\nhello", HTTP1_CHUNK_SIZE },
		{ "5_\r\n", HTTP1_CHUNK_SIZE },
		{ "5\nhello", HTTP1_BARE_LF },
		{ "5;a\nhello", HTTP1_BARE_LF },
		{ "5\rhello", HTTP1_BARE_CR },
		{ "5;a\rb", HTTP1_BARE_CR },
		{ "5;\x01\r\n", HTTP1_CHUNK_EXTENSION },
		{ "8000000000000000\r\n", HTTP1_CHUNK_HUGE },
		{ "ffffffffffffffff\r\n", HTTP1_CHUNK_HUGE },
		{ "00000000000000005\r\n", HTTP1_CHUNK_HUGE },
		{ "5\r\nhelloX", HTTP1_CHUNK_END },
		{ "5\r\nhello\n", HTTP1_CHUNK_END },
		{ "5\r\nhello\rX", HTTP1_CHUNK_END },
		{ "5\r\nhello0\r\n", HTTP1_CHUNK_END },
		{ "0\r\n\n", HTTP1_BARE_LF },
		{ "0\r\n\rX", HTTP1_BARE_CR },
		{ "0\r\nA\r\n\r\n", HTTP1_FIELD_COLON },
		{ "0\r\nA : b\r\n\r\n", HTTP1_FIELD_COLON },
		{ "0\r\n: b\r\n\r\n", HTTP1_FIELD_NAME },
		{ "0\r\nA(: b\r\n\r\n", HTTP1_FIELD_NAME },
		{ "0\r\n A: b\r\n\r\n", HTTP1_FOLD },
		{ "0\r\nA: b\r\n c\r\n\r\n", HTTP1_FOLD },
		{ "0\r\nA: b\x01\r\n", HTTP1_FIELD_VALUE },
		{ "0\r\nA: b\n\r\n", HTTP1_BARE_LF },
		{ "0\r\nA: b\rc", HTTP1_BARE_CR },
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct result got;
		decode_all_ways(cases[i].text, &got);
		if (got.progress != HTTP1_FAULT || got.error != cases[i].want)
			fail_msg("'%s': %s, not %s", cases[i].text,
				http1_error_info(got.error)->name,
				http1_error_info(cases[i].want)->name);
	}
	struct result got;
	decode_all_ways("7fffffffffffffff\r\nabc", &got);
	assert_int_equal(got.progress, HTTP1_MORE);
	assert_true(got.decoder.left == INT64_MAX - 3);
}

static void test_trailers(void **state)
{
	(void)state;
	struct result got;

	decode_all_ways("1\r\nx\r\n0\r\nX-Sum:  abc \r\nContent-Length: 5\r\nhost: evil\r\n"
			"Authorization: me\r\nX-Two:\r\n\r\n",
		&got);
	assert_int_equal(got.progress, HTTP1_DONE);
	assert_int_equal(got.decoder.trailers, 5);
	assert_int_equal(got.decoder.left_out, 3);
	assert_int_equal(got.decoder.field_count, 2);
	assert_true(http1_name_is(got.field[0].name, "x-sum"));
	assert_true(span_equal(got.field[0].value, span_of("abc", 3)));
	assert_true(http1_name_is(got.field[1].name, "X-Two"));

	/* More than the caller keeps are read all the same; more than the limit are not. */
	decode_all_ways("0\r\nA:1\r\nB:2\r\nC:3\r\nD:4\r\nE:5\r\nF:6\r\n\r\n", &got);
	assert_int_equal(got.progress, HTTP1_DONE);
	assert_int_equal(got.decoder.field_count, 4);
	assert_int_equal(got.decoder.left_out, 2);
	char many[20000] = "0\r\n";
	for (int i = 0; i < HTTP1_TRAILERS_MAX; i++)
		strcat(many, "A:1\r\n");
	strcat(many, "\r\n");
	decode_all_ways(many, &got);
	assert_int_equal(got.progress, HTTP1_DONE);
	strcpy(many + strlen(many) - 2, "A:1\r\n\r\n");
	decode_all_ways(many, &got);
	assert_int_equal(got.error, HTTP1_TRAILERS_MANY);
	strcpy(many, "0\r\nA:1\r\nLong:");
	memset(many + strlen(many), 'x', 1000);
	strcpy(many + 1013, "\r\nB:2\r\n\r\n");
	decode_all_ways(many, &got); /* too long to keep: left out, and the next one is whole */
	assert_int_equal(got.progress, HTTP1_DONE);
	assert_int_equal(got.decoder.field_count, 2);
	assert_true(http1_name_is(got.field[1].name, "B"));
	strcpy(many, "0\r\nLong:");
	memset(many + 8, 'x', HTTP1_TRAILER_BYTES_MAX);
	many[8 + HTTP1_TRAILER_BYTES_MAX] = '\0';
	decode_all_ways(many, &got);
	assert_int_equal(got.error, HTTP1_TRAILERS_MANY);
}

static void test_extensions_are_bounded(void **state)
{
	(void)state;
	struct result got;
	char text[40000] = "1;";

	memset(text + 2, 'a', HTTP1_EXTENSIONS_MAX - 1);
	strcpy(text + 1 + HTTP1_EXTENSIONS_MAX, "\r\nx\r\n0\r\n\r\n");
	decode_all_ways(text, &got);
	assert_int_equal(got.progress, HTTP1_DONE);
	strcpy(text + 1 + HTTP1_EXTENSIONS_MAX, "a\r\nx\r\n0\r\n\r\n");
	decode_all_ways(text, &got);
	assert_int_equal(got.error, HTTP1_CHUNK_EXTENSION);
	/* Many small ones: bounded for the whole body (CVE-2023-39326). */
	text[0] = '\0';
	size_t len = 0;
	for (int i = 0; i < 180; i++) {
		memcpy(text + len, "1;", 2);
		memset(text + len + 2, 'a', 99);
		memcpy(text + len + 101, "\r\nx\r\n", 5);
		len += 106;
	}
	text[len] = '\0';
	decode_all_ways(text, &got);
	assert_int_equal(got.error, HTTP1_CHUNK_EXTENSION);
	assert_int_equal(got.decoder.extensions, HTTP1_EXTENSIONS_TOTAL + 1);
}

static void test_encoder(void **state)
{
	(void)state;
	uint8_t out[64];

	assert_int_equal(http1_chunk_head(1, out, sizeof out), 3);
	assert_memory_equal(out, "1\r\n", 3);
	assert_int_equal(http1_chunk_head(0x10, out, sizeof out), 4);
	assert_memory_equal(out, "10\r\n", 4);
	assert_int_equal(http1_chunk_head(UINT64_MAX, out, sizeof out), 18);
	assert_memory_equal(out, "ffffffffffffffff\r\n", 18);
	assert_true(18 + 2 <= HTTP1_CHUNK_FRAME_MAX);
	assert_int_equal(http1_chunk_head(0x10, out, 3), 0);
	assert_int_equal(http1_chunk_emit(span_of("hello", 5), out, sizeof out), 10);
	assert_memory_equal(out, "5\r\nhello\r\n", 10);
	assert_int_equal(http1_chunk_emit(span_of("hello", 5), out, 9), 0);
	assert_int_equal(http1_chunk_emit(span_of("hello", 5), out, 2), 0);
}

static struct result result;

static void encoded_decodes(struct rng *r)
{
	uint8_t body[4000], coded[8000];
	size_t size = rng_below(r, sizeof body), done = 0, len = 0;

	rng_fill(r, body, size);
	while (done < size) {
		size_t n = 1 + rng_below(r, (uint32_t)(size - done < 500 ? size - done : 500));
		size_t wrote = http1_chunk_emit(
			span_of(body + done, n), coded + len, sizeof coded - len);
		if (wrote == 0)
			return; /* many tiny chunks: the buffer is full */
		len += wrote;
		done += n;
	}
	memcpy(coded + len, HTTP1_CHUNK_LAST, 5);
	len += 5;
	decode(span_of(coded, len), 1 + rng_below(r, 600), true, &result);
	check(result.progress == HTTP1_DONE && result.taken == len);
	check(result.len == size && memcmp(result.body, body, size) == 0);
	/* Any byte changed: still the same however it is split. */
	for (unsigned i = 1 + rng_below(r, 3); i; i--)
		coded[rng_below(r, (uint32_t)len)] = (uint8_t) "\r\n ;0f:\xff"[rng_below(r, 8)];
	decode(span_of(coded, len), len, true, &result);
	enum http1_progress progress = result.progress;
	size_t taken = result.taken, bytes = result.len;
	decode(span_of(coded, len), 1 + rng_below(r, 20), true, &result);
	check(progress == result.progress && taken == result.taken && bytes == result.len);
}

static void test_properties(void **state)
{
	(void)state;
	property_each(2000, encoded_decodes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_trailers),
		cmocka_unit_test(test_extensions_are_bounded),
		cmocka_unit_test(test_encoder),
		cmocka_unit_test(test_properties),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
