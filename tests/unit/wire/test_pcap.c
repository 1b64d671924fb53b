/*
 * Capture files: what pcapng.h writes pcap.h reads back, packet for packet;
 * hand-made files in both byte orders and formats; streams cut anywhere; and
 * files that lie, each with its fault and place.
 */
#include "unit/base/property.h"

#include "wire/pcap.h"

#define TEXT(s) span_of(s, sizeof(s) - 1)

static struct capture_reader reader;

/* ---- files made by hand, in either byte order ---- */

struct file {
	uint8_t at[65536];
	size_t len;
	bool big;
};

static void u16(struct file *f, uint16_t v)
{
	store16(f->at + f->len, f->big ? v : __builtin_bswap16(v));
	f->len += 2;
}

static void u32(struct file *f, uint32_t v)
{
	store32(f->at + f->len, f->big ? v : __builtin_bswap32(v));
	f->len += 4;
}

static void bytes(struct file *f, struct span s)
{
	memcpy(f->at + f->len, s.at, s.len);
	f->len += s.len;
}

/* A block around `body`, padded; its length may be made to lie by `add`. */
static void block(struct file *f, uint32_t type, const struct file *body, int add)
{
	uint32_t len = (uint32_t)(12 + ((body->len + 3) & ~(size_t)3));

	u32(f, type);
	u32(f, len + (uint32_t)add);
	bytes(f, span_of(body->at, body->len));
	while (f->len % 4)
		f->at[f->len++] = 0;
	u32(f, len);
}

static struct file body_of(bool big)
{
	struct file f;
	f.len = 0;
	f.big = big;
	return f;
}

static void section(struct file *f, bool big)
{
	struct file b = body_of(big);
	f->big = big;
	u32(&b, PCAPNG_MAGIC_ORDER);
	u16(&b, 1);
	u16(&b, 2);
	u32(&b, UINT32_MAX), u32(&b, UINT32_MAX);
	block(f, PCAPNG_MAGIC_SECTION, &b, 0);
}

static void option(struct file *f, uint16_t code, struct span value)
{
	u16(f, code);
	u16(f, (uint16_t)value.len);
	bytes(f, value);
	while (f->len % 4)
		f->at[f->len++] = 0;
}

static void interface(
	struct file *f, uint16_t type, uint32_t snaplen, int resolution, int64_t offset)
{
	struct file b = body_of(f->big);
	uint8_t power = (uint8_t)resolution, seconds[8];

	u16(&b, type);
	u16(&b, 0);
	u32(&b, snaplen);
	option(&b, PCAPNG_IF_NAME, TEXT("eth7"));
	if (resolution >= 0)
		option(&b, PCAPNG_IF_RESOLUTION, span_of(&power, 1));
	store64(seconds, f->big ? (uint64_t)offset : __builtin_bswap64((uint64_t)offset));
	if (offset)
		option(&b, PCAPNG_IF_OFFSET, span_of(seconds, 8));
	block(f, PCAPNG_BLOCK_INTERFACE, &b, 0);
}

static void packet(struct file *f, uint32_t iface, uint64_t time, struct span data)
{
	struct file b = body_of(f->big);
	u32(&b, iface);
	u32(&b, (uint32_t)(time >> 32));
	u32(&b, (uint32_t)time);
	u32(&b, (uint32_t)data.len);
	u32(&b, (uint32_t)data.len + 100);
	bytes(&b, data);
	block(f, PCAPNG_BLOCK_PACKET, &b, 0);
}

/* ---- reading ---- */

/* The next packet, all else passed over; false at the end or with reader.fault set. */
static bool next(struct span *file, struct capture_packet *p)
{
	for (;;) {
		size_t used;
		enum capture_event e = capture_next(&reader, *file, &used, p);
		if (e == CAPTURE_FAULT || e == CAPTURE_MORE) {
			check(used == 0);
			if (e == CAPTURE_MORE) {
				check(reader.need > file->len && reader.need <= CAPTURE_NEED_MAX);
				capture_end(&reader, file->len);
			}
			return false;
		}
		check(used > 0 && used <= file->len);
		*file = span_after(*file, used);
		if (e == CAPTURE_PACKET)
			return true;
	}
}

static void both_orders(bool big)
{
	static struct file f;
	struct capture_packet p;

	f.len = 0;
	section(&f, big);
	interface(&f, LINK_TYPE_ETHERNET, 0, -1, 0);
	interface(&f, LINK_TYPE_RAW, 4, 9, 100);
	packet(&f, 0, 1700000000123456, TEXT("frame"));
	packet(&f, 1, 1700000000123456789, TEXT("ip"));
	struct file simple = body_of(big);
	u32(&simple, 7);
	bytes(&simple, TEXT("seven.."));
	block(&f, PCAPNG_BLOCK_SIMPLE_PACKET, &simple, 0);
	struct file old = body_of(big);
	u16(&old, 1), u16(&old, 9), u32(&old, 0), u32(&old, 5), u32(&old, 3), u32(&old, 60);
	bytes(&old, TEXT("old"));
	old.at[old.len++] = 0;
	option(&old, PCAPNG_COMMENT, TEXT("of old"));
	block(&f, PCAPNG_BLOCK_OLD_PACKET, &old, 0);
	block(&f, 0x0bad, &old, 0); /* unknown */
	section(&f, !big);          /* another machine's section, appended */
	interface(&f, LINK_TYPE_RAW_BSD, 0, 3, 0);
	packet(&f, 0, 1700000000123, TEXT("x"));

	struct span file = span_of(f.at, f.len);
	capture_begin(&reader);
	assert_true(next(&file, &p));
	assert_int_equal(p.number, 1);
	assert_int_equal(p.link_type, LINK_TYPE_ETHERNET);
	assert_true(p.has_time && p.time == 1700000000123456000);
	assert_int_equal(p.original_len, 105);
	assert_true(span_equal(p.bytes, TEXT("frame")));
	assert_memory_equal(reader.interface[1].name, "eth7", 4);
	assert_int_equal(reader.interface[1].name_len, 4);
	assert_true(next(&file, &p));
	assert_int_equal(p.link_type, LINK_TYPE_RAW);
	assert_true(p.has_time && p.time == 1700000100123456789);
	assert_true(next(&file, &p));
	assert_false(p.has_time);
	assert_true(span_equal(p.bytes, TEXT("seven..")));
	assert_true(next(&file, &p));
	assert_int_equal(p.interface, 1);
	assert_true(p.has_drops && p.drops == 9 && p.has_time && p.time == 100 * NANO_S + 5);
	assert_true(span_equal(p.bytes, TEXT("old")) && p.original_len == 60);
	assert_true(p.comments == 1 && span_equal(p.comment[0], TEXT("of old")));
	assert_true(next(&file, &p));
	assert_int_equal(p.number, 5);
	assert_int_equal(p.link_type, LINK_TYPE_RAW_BSD);
	assert_true(p.time == 1700000000123 * NANO_MS);
	assert_false(next(&file, &p));
	assert_int_equal(reader.fault, CAPTURE_FAULT_NONE);
	assert_int_equal(reader.offset, f.len);
}

static void test_pcapng(void **state)
{
	(void)state;
	both_orders(false);
	both_orders(true);
}

static void test_classic(void **state)
{
	(void)state;
	for (unsigned way = 0; way < 4; way++) {
		static struct file f;
		struct capture_packet p;
		f.len = 0;
		f.big = way & 1;
		u32(&f, way & 2 ? 0xa1b23c4d : 0xa1b2c3d4);
		u16(&f, 2), u16(&f, 4), u32(&f, 0), u32(&f, 0), u32(&f, 262144);
		u32(&f, 0xf0000000 | LINK_TYPE_RAW);
		for (unsigned i = 0; i < 2; i++) {
			u32(&f, 4000000000), u32(&f, 999999), u32(&f, 5), u32(&f, 1500);
			bytes(&f, TEXT("hello"));
		}
		struct span file = span_of(f.at, f.len);
		capture_begin(&reader);
		for (unsigned i = 0; i < 2; i++) {
			assert_true(next(&file, &p));
			assert_int_equal(p.link_type, LINK_TYPE_RAW);
			assert_true(p.time == 4000000000 * NANO_S + (way & 2 ? 999999 : 999999000));
			assert_true(span_equal(p.bytes, TEXT("hello")) && p.original_len == 1500);
		}
		assert_false(next(&file, &p));
		assert_int_equal(reader.fault, CAPTURE_FAULT_NONE);
	}
}

static void test_resolutions(void **state)
{
	(void)state;
	static const struct {
		int resolution;
		int64_t offset;
		uint64_t count;
		bool has_time;
		nanotime time;
	} cases[] = {
		{ 0, 0, 7, true, 7 * NANO_S },
		{ 9, 0, INT64_MAX, true, INT64_MAX },
		{ 9, 0, UINT64_MAX, false, 0 },
		{ 9, -1, 5, true, 5 - NANO_S },
		{ 9, 1, INT64_MAX, false, 0 },
		{ 9, INT64_MAX, NANO_S, false, 0 },
		{ 9, INT64_MIN, 0, false, 0 },
		{ 6, 0, UINT64_MAX, false, 0 },
		{ 10, 0, 25000000019, true, 2500000001 },
		{ 12, 0, 1234567890123, true, 1234567890 },
		{ 19, 0, UINT64_MAX, true, 1844674407 },
		{ 20, 0, UINT64_MAX, true, 0 },
		{ 127, 0, UINT64_MAX, true, 0 },
		{ 0x80, 0, 3, true, 3 * NANO_S },
		{ 0x81, 0, 3, true, 1500 * NANO_MS },
		{ 0xa0, 0, UINT64_C(5) << 32 | 0x80000000, true, 5500 * NANO_MS },
		{ 0x80 | 63, 0, UINT64_C(3) << 62, true, 1500 * NANO_MS },
		{ 0x80 | 64, 0, UINT64_C(1) << 63, true, 500 * NANO_MS },
		{ 0xff, 0, UINT64_MAX, true, 0 },
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		static struct file f;
		struct capture_packet p;
		f.len = 0;
		section(&f, i % 2);
		interface(&f, 1, 0, cases[i].resolution, cases[i].offset);
		packet(&f, 0, cases[i].count, TEXT("x"));
		struct span file = span_of(f.at, f.len);
		capture_begin(&reader);
		assert_true(next(&file, &p));
		if (p.has_time != cases[i].has_time || (p.has_time && p.time != cases[i].time))
			fail_msg("case %zu: %lld", i, (long long)p.time);
	}
}

/* ---- files that lie ---- */

static void expect_fault(const struct file *f, enum capture_fault want, size_t at)
{
	uint8_t *copy = malloc(f->len ? f->len : 1);
	struct span file = span_of(copy, f->len);
	struct capture_packet p;
	size_t used;

	memcpy(copy, f->at, f->len);
	capture_begin(&reader);
	while (next(&file, &p))
		;
	if (reader.fault != want || reader.offset != at)
		fail_msg("%s at %llu, not %s at %zu", capture_fault_text(reader.fault),
			(unsigned long long)reader.offset, capture_fault_text(want), at);
	assert_int_equal(capture_next(&reader, file, &used, &p), CAPTURE_FAULT); /* and stays so */
	free(copy);
}

static void test_bad_starts(void **state)
{
	(void)state;
	static struct file f;

	f.len = 0;
	expect_fault(&f, CAPTURE_FAULT_MAGIC, 0); /* empty */
	bytes(&f, TEXT("GIF"));
	expect_fault(&f, CAPTURE_FAULT_MAGIC, 0);
	bytes(&f, TEXT("89a, and more than any header"));
	expect_fault(&f, CAPTURE_FAULT_MAGIC, 0);
	f.len = 0, f.big = false;
	u32(&f, 0xa1b2c3d4);
	u16(&f, 2);
	expect_fault(&f, CAPTURE_FAULT_CUT_SHORT, 0);
	f.len = 0;
	u32(&f, 0xa1b2c3d4);
	u16(&f, 3), u16(&f, 4), u32(&f, 0), u32(&f, 0), u32(&f, 0), u32(&f, 1);
	expect_fault(&f, CAPTURE_FAULT_VERSION, 0);
	f.len = 0;
	section(&f, true);
	f.at[13] = 2;
	expect_fault(&f, CAPTURE_FAULT_VERSION, 0);
	f.at[8] = 0;
	expect_fault(&f, CAPTURE_FAULT_MAGIC, 0);
}

static void test_bad_blocks(void **state)
{
	(void)state;
	static struct file f;
	for (unsigned big = 0; big < 2; big++) {
		struct file empty = body_of(big), b = body_of(big);
		f.len = 0;
		section(&f, big);
		interface(&f, 1, 0, 9, 0);
		size_t start = f.len;
#define TRY(fault, make) \
	do { \
		f.len = start; \
		b.len = 0; \
		make; \
		expect_fault(&f, CAPTURE_FAULT_##fault, start); \
	} while (0)
		TRY(BLOCK_LENGTH, (u32(&f, 5), u32(&f, 8), u32(&f, 8), u32(&f, 8)));
		TRY(BLOCK_LENGTH, (u32(&f, 5), u32(&f, 0), u32(&f, 0)));
		TRY(BLOCK_LENGTH, (u32(&f, 5), u32(&f, 13), u32(&f, 13), u32(&f, 13)));
		TRY(BLOCK_HUGE, (u32(&f, 5), u32(&f, 0xfffffffc), u32(&f, 0)));
		TRY(BLOCK_HUGE, (u32(&f, 5), u32(&f, CAPTURE_NEED_MAX + 4), u32(&f, 0)));
		TRY(CUT_SHORT, (u32(&f, 5), u32(&f, CAPTURE_NEED_MAX), u32(&f, 0)));
		TRY(CUT_SHORT, (u32(&f, 5), u32(&f, 12)));
		TRY(BLOCK_TRAILER, (u32(&b, 0), block(&f, 5, &b, -4)));
		TRY(BLOCK_SHORT, block(&f, PCAPNG_BLOCK_PACKET, &empty, 0));
		TRY(BLOCK_SHORT, block(&f, PCAPNG_BLOCK_OLD_PACKET, &empty, 0));
		TRY(BLOCK_SHORT, block(&f, PCAPNG_BLOCK_SIMPLE_PACKET, &empty, 0));
		TRY(BLOCK_SHORT, block(&f, PCAPNG_BLOCK_INTERFACE, &empty, 0));
		TRY(PACKET_LENGTH, (u32(&b, 5), block(&f, PCAPNG_BLOCK_SIMPLE_PACKET, &b, 0)));
		TRY(INTERFACE, packet(&f, 1, 0, TEXT("x")));
		TRY(INTERFACE, packet(&f, 0xffffffff, 0, TEXT("x")));
		TRY(PACKET_LENGTH,
			(u32(&b, 0), u32(&b, 0), u32(&b, 0), u32(&b, 5), u32(&b, 5), u32(&b, 0),
				block(&f, PCAPNG_BLOCK_PACKET, &b, 0)));
		TRY(PACKET_LENGTH,
			(u32(&b, 0), u32(&b, 0), u32(&b, 0), u32(&b, 0xffffffff), u32(&b, 5),
				block(&f, PCAPNG_BLOCK_PACKET, &b, 0)));
		TRY(OPTION,
			(u32(&b, 0), u32(&b, 0), u32(&b, 0), u32(&b, 0), u32(&b, 0), u16(&b, 1),
				u16(&b, 5), u32(&b, 0), block(&f, PCAPNG_BLOCK_PACKET, &b, 0)));
		TRY(OPTION,
			(u16(&b, 1), u16(&b, 0), u32(&b, 0), u16(&b, 2), u16(&b, 0xffff),
				block(&f, PCAPNG_BLOCK_INTERFACE, &b, 0)));
#undef TRY
	}
	/* One interface more than the table holds. */
	f.len = 0;
	section(&f, false);
	for (unsigned i = 0; i < CAPTURE_INTERFACES_MAX; i++)
		interface(&f, 1, 0, 9, 0);
	size_t start = f.len;
	interface(&f, 1, 0, 9, 0);
	expect_fault(&f, CAPTURE_FAULT_INTERFACES, start);
	/* A simple packet before any interface. */
	f.len = 0;
	section(&f, false);
	start = f.len;
	struct file b = body_of(false);
	u32(&b, 0);
	block(&f, PCAPNG_BLOCK_SIMPLE_PACKET, &b, 0);
	expect_fault(&f, CAPTURE_FAULT_INTERFACE, start);
	/* A classic record of 4 GB. */
	f.len = 0;
	u32(&f, 0xa1b2c3d4);
	u16(&f, 2), u16(&f, 4), u32(&f, 0), u32(&f, 0), u32(&f, 0), u32(&f, 1);
	u32(&f, 0), u32(&f, 0), u32(&f, 0xffffffff), u32(&f, 0);
	expect_fault(&f, CAPTURE_FAULT_BLOCK_HUGE, 24);
}

/* ---- properties ---- */

#define PACKETS 20

struct written {
	struct file file;
	struct pcapng_packet packet[PACKETS];
	struct span piece[PACKETS][3], comment[PACKETS][2];
	uint32_t interfaces;
};

static struct written written;
static uint8_t random_source[4096];

static struct span some_bytes(struct rng *r, uint32_t max)
{
	return span_of(random_source + rng_below(r, 1000), rng_below(r, max));
}

static void append(struct written *w, size_t len)
{
	check(len > 0 && len % 4 == 0);
	w->file.len += len;
}

#define REST(w) (w)->file.at + (w)->file.len, sizeof(w)->file.at - (w)->file.len

static void random_packet(struct rng *r, struct written *w, unsigned i)
{
	struct pcapng_packet *p = &w->packet[i];

	*p = (struct pcapng_packet){ .interface = rng_below(r, w->interfaces),
		.time = (nanotime)(rng_next(r) >> 1),
		.pieces = rng_below(r, 4),
		.piece = w->piece[i],
		.comments = rng_below(r, 3),
		.comment = w->comment[i],
		.direction = rng_below(r, 3),
		.has_drops = rng_below(r, 2),
		.drops = rng_next(r),
		.original_len = rng_below(r, 2) ? rng_below(r, 5000) : 0 };
	for (unsigned k = 0; k < 3; k++)
		w->piece[i][k] = some_bytes(r, 300);
	for (unsigned k = 0; k < 2; k++)
		w->comment[i][k] = span_of(random_source, 1 + rng_below(r, 90));
	size_t size = pcapng_packet_size(p);
	uint8_t *at = w->file.at + w->file.len;
	check(pcapng_packet(p, at, size - 1) == 0);
	check(pcapng_packet(p, at, size) == size);
	append(w, size);
}

static void write_file(struct rng *r, struct written *w)
{
	rng_fill(r, random_source, sizeof random_source);
	w->file.len = 0;
	append(w,
		pcapng_section(&(struct pcapng_section){ .os = some_bytes(r, 50),
				       .application = some_bytes(r, 50) },
			REST(w)));
	w->interfaces = 1 + rng_below(r, 4);
	for (unsigned i = 0; i < w->interfaces; i++)
		append(w,
			pcapng_interface(
				&(struct pcapng_interface){ .link_type = (uint16_t)(100 + i),
					.snaplen = i,
					.name = span_of(random_source, 1 + rng_below(r, 40)),
					.speed = rng_below(r, 2) * rng_next(r),
					.has_mac = rng_below(r, 2) },
				REST(w)));
	struct addr a = addr_from4(random_source);
	append(w, pcapng_name(&a, TEXT("a.example.test"), REST(w)));
	append(w, pcapng_secrets(PCAPNG_SECRETS_TLS, some_bytes(r, 100), REST(w)));
	for (unsigned i = 0; i < PACKETS; i++)
		random_packet(r, w, i);
}

static void same_packet(const struct pcapng_packet *want, const struct capture_packet *got)
{
	uint8_t flat[1000];
	size_t len = 0;

	for (unsigned i = 0; i < want->pieces; len += want->piece[i++].len)
		memcpy(flat + len, want->piece[i].at, want->piece[i].len);
	check(span_equal(got->bytes, span_of(flat, len)));
	check(got->original_len == (want->original_len > len ? want->original_len : len));
	check(got->interface == want->interface && got->link_type == 100 + want->interface);
	check(got->has_time && got->time == want->time);
	check(got->direction == want->direction);
	check(got->has_drops == want->has_drops && (!got->has_drops || got->drops == want->drops));
	check(got->comments == want->comments);
	for (unsigned i = 0; i < got->comments; i++)
		check(span_equal(got->comment[i], want->comment[i]));
}

static void written_reads_back(struct rng *r)
{
	struct capture_packet p;

	write_file(r, &written);
	struct span file = span_of(written.file.at, written.file.len);
	capture_begin(&reader);
	for (unsigned i = 0; i < PACKETS; i++) {
		check(next(&file, &p));
		check(p.number == i + 1);
		same_packet(&written.packet[i], &p);
	}
	check(!next(&file, &p) && reader.fault == CAPTURE_FAULT_NONE);
}

/* The same file through a small window that grows only when asked: nothing changes. */
static void streams(struct rng *r)
{
	struct capture_packet p;
	size_t at = 0, window = 0, used;
	unsigned seen = 0;

	write_file(r, &written);
	capture_begin(&reader);
	while (at < written.file.len) {
		uint8_t *copy = malloc(window ? window : 1);
		memcpy(copy, written.file.at + at, window);
		enum capture_event e = capture_next(&reader, span_of(copy, window), &used, &p);
		check(e != CAPTURE_FAULT);
		check((e == CAPTURE_MORE) == (used == 0));
		if (e == CAPTURE_PACKET)
			same_packet(&written.packet[seen++], &p);
		if (e == CAPTURE_MORE)
			check(reader.need > window && reader.need <= written.file.len - at);
		at += used;
		window = e == CAPTURE_MORE ? reader.need : rng_below(r, 40);
		if (window > written.file.len - at)
			window = written.file.len - at;
		free(copy);
	}
	check(seen == PACKETS && capture_end(&reader, 0));
}

static void garbage_is_survived(struct rng *r)
{
	struct capture_packet p;

	write_file(r, &written);
	struct file *f = &written.file;
	for (unsigned i = 1 + rng_below(r, 10); i; i--) {
		size_t at = rng_below(r, (uint32_t)f->len);
		if (rng_below(r, 2))
			f->at[at] = (uint8_t)rng_next(r);
		else
			f->at[at & ~(size_t)3] = (uint8_t)rng_below(r, 40);
	}
	size_t len = f->len - rng_below(r, 2) * rng_below(r, (uint32_t)f->len);
	uint8_t *copy = malloc(len);
	memcpy(copy, f->at, len);
	struct span file = span_of(copy, len);
	capture_begin(&reader);
	while (next(&file, &p))
		for (size_t i = 0; i < p.bytes.len; i++) {
			volatile uint8_t touched = p.bytes.at[i];
			(void)touched;
		}
	check(reader.offset <= len);
	free(copy);
}

static void test_properties(void **state)
{
	(void)state;
	property_each(500, written_reads_back);
	property_each(200, streams);
	property_each(3000, garbage_is_survived);
}

static void test_writer_limits(void **state)
{
	(void)state;
	static uint8_t out[300000], large[100000];
	struct span piece = span_of(large, sizeof large), comment = span_of(large, sizeof large);
	struct pcapng_packet w = {
		.piece = &piece, .pieces = 1, .comment = &comment, .comments = 1, .time = -5
	};
	struct pcapng_interface i = { .link_type = 1, .name = TEXT("lan") };
	struct capture_packet p;

	/* A comment is cut to what an option holds; a time before 1970 counts as 1970. */
	size_t len = pcapng_section(&(struct pcapng_section){ 0 }, out, sizeof out);
	assert_int_equal(len, 32);
	assert_int_equal(pcapng_interface(&i, out + len, 39), 0);
	len += pcapng_interface(&i, out + len, 40);
	assert_int_equal(len, 32 + 40);
	len += pcapng_packet(&w, out + len, sizeof out - len);
	struct span file = span_of(out, len);
	capture_begin(&reader);
	assert_true(next(&file, &p));
	assert_int_equal(p.bytes.len, sizeof large);
	assert_int_equal(p.comment[0].len, UINT16_MAX - 3);
	assert_true(p.time == 0);
	assert_int_equal(pcapng_section(&(struct pcapng_section){ 0 }, out, 31), 0);
	assert_string_equal(link_type_name(LINK_TYPE_RAW), "raw IP");
	assert_null(link_type_name(999));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pcapng),
		cmocka_unit_test(test_classic),
		cmocka_unit_test(test_resolutions),
		cmocka_unit_test(test_bad_starts),
		cmocka_unit_test(test_bad_blocks),
		cmocka_unit_test(test_properties),
		cmocka_unit_test(test_writer_limits),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
