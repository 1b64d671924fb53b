/*
 * Capture files, read. A pcapng file is a run of blocks that say their own
 * length; a classic pcap file is a header and a run of records that do. In both
 * the reader asks for the fixed part first, learns the length from it, holds
 * that against the bound, and then asks for the whole. Lengths inside a block
 * are held against the block. An interface description is kept in a table of
 * fixed size, since packets refer back to it by number.
 */
#include "wire/pcap.h"

#define PCAP_HEADER        24
#define PCAP_RECORD        16
#define DEFAULT_RESOLUTION 6 /* microseconds */

enum magic {
	MAGIC_MICROSECONDS = 0xa1b2c3d4,
	MAGIC_NANOSECONDS = 0xa1b23c4d,
};

static const char *const fault_text[] = {
#define CAPTURE_FAULT_TEXT(name, text) text,
	CAPTURE_FAULTS(CAPTURE_FAULT_TEXT)
#undef CAPTURE_FAULT_TEXT
};

const char *capture_fault_text(enum capture_fault fault)
{
	return fault_text[fault];
}

void capture_begin(struct capture_reader *r)
{
	/* The interface table is written before it is read, and is large. */
	r->format = CAPTURE_UNKNOWN;
	r->fault = CAPTURE_FAULT_NONE;
	r->swapped = r->nanoseconds = false;
	r->offset = r->packets = 0;
	r->need = 0;
	r->interfaces = 0;
}

bool capture_end(struct capture_reader *r, size_t left)
{
	if (!r->fault && (left > 0 || r->format == CAPTURE_UNKNOWN))
		r->fault = left >= 4 || r->format ? CAPTURE_FAULT_CUT_SHORT : CAPTURE_FAULT_MAGIC;
	return !r->fault;
}

static uint16_t get16(const struct capture_reader *r, const uint8_t *p)
{
	uint16_t v;
	memcpy(&v, p, sizeof v);
	return r->swapped ? __builtin_bswap16(v) : v;
}

static uint32_t get32(const struct capture_reader *r, const uint8_t *p)
{
	uint32_t v;
	memcpy(&v, p, sizeof v);
	return r->swapped ? __builtin_bswap32(v) : v;
}

static uint64_t get64(const struct capture_reader *r, const uint8_t *p)
{
	uint64_t v;
	memcpy(&v, p, sizeof v);
	return r->swapped ? __builtin_bswap64(v) : v;
}

static enum capture_event fail(struct capture_reader *r, enum capture_fault fault)
{
	r->fault = fault;
	return CAPTURE_FAULT;
}

static enum capture_event want(struct capture_reader *r, size_t need)
{
	r->need = need;
	return CAPTURE_MORE;
}

/* Seconds and a fraction below one as a time; false where that is later than any. */
static bool make_time(int64_t seconds, int64_t nanoseconds, nanotime *out)
{
	int64_t scaled;
	return !__builtin_mul_overflow(seconds, NANO_S, &scaled) &&
		!__builtin_add_overflow(scaled, nanoseconds, out);
}

/* ---- classic pcap ---- */

static enum capture_event read_pcap_header(struct capture_reader *r, struct span in, size_t *used)
{
	if (in.len < PCAP_HEADER)
		return want(r, PCAP_HEADER);
	if (get16(r, in.at + 4) != 2)
		return fail(r, CAPTURE_FAULT_VERSION);
	r->format = CAPTURE_PCAP;
	r->interfaces = 1;
	/* The upper half of the link type tells of frame check sequences. */
	r->interface[0] = (struct capture_interface){
		.link_type = get32(r, in.at + 20) & 0xffff,
		.snaplen = get32(r, in.at + 16),
		.resolution = r->nanoseconds ? 9 : 6,
	};
	*used = PCAP_HEADER;
	return CAPTURE_PASSED;
}

static enum capture_event read_record(
	struct capture_reader *r, struct span in, size_t *used, struct capture_packet *p)
{
	if (in.len < PCAP_RECORD)
		return want(r, PCAP_RECORD);
	uint32_t seconds = get32(r, in.at), fraction = get32(r, in.at + 4);
	uint32_t captured = get32(r, in.at + 8);
	if (captured > CAPTURE_NEED_MAX - PCAP_RECORD)
		return fail(r, CAPTURE_FAULT_BLOCK_HUGE);
	if (in.len - PCAP_RECORD < captured)
		return want(r, PCAP_RECORD + captured);
	*p = (struct capture_packet){
		.link_type = r->interface[0].link_type,
		.original_len = get32(r, in.at + 12),
		.bytes = span_of(in.at + PCAP_RECORD, captured),
	};
	p->has_time = make_time(seconds, fraction * (r->nanoseconds ? 1 : NANO_US), &p->time);
	*used = PCAP_RECORD + captured;
	return CAPTURE_PACKET;
}

/* ---- pcapng ---- */

/* Takes the next option; false at the end. Sets the fault where one runs past the block. */
static bool option_next(
	struct capture_reader *r, struct reader *options, uint16_t *code, struct span *value)
{
	if (options->rest.len == 0)
		return false;
	struct span head = read_span(options, 4);
	if (head.len == 4) {
		*code = get16(r, head.at);
		size_t len = get16(r, head.at + 2);
		if (*code == PCAPNG_END)
			return false;
		*value = read_span(options, (len + 3) & ~(size_t)3);
		*value = span_first(*value, len);
	}
	if (options->failed)
		r->fault = CAPTURE_FAULT_OPTION;
	return !options->failed;
}

static void read_interface_option(
	struct capture_reader *r, struct capture_interface *i, uint16_t code, struct span value)
{
	if (code == PCAPNG_IF_NAME) {
		value = span_first(value, sizeof i->name);
		i->name_len = (uint8_t)value.len;
		memcpy(i->name, value.at, value.len);
	} else if (code == PCAPNG_IF_RESOLUTION && value.len == 1) {
		i->resolution = value.at[0];
	} else if (code == PCAPNG_IF_OFFSET && value.len == 8) {
		i->offset = (int64_t)get64(r, value.at);
	}
}

static enum capture_event read_interface(struct capture_reader *r, struct span body)
{
	uint16_t code;
	struct span value;

	if (body.len < 8)
		return fail(r, CAPTURE_FAULT_BLOCK_SHORT);
	if (r->interfaces == CAPTURE_INTERFACES_MAX)
		return fail(r, CAPTURE_FAULT_INTERFACES);
	struct capture_interface *i = &r->interface[r->interfaces];
	*i = (struct capture_interface){
		.link_type = get16(r, body.at),
		.snaplen = get32(r, body.at + 4),
		.resolution = DEFAULT_RESOLUTION,
	};
	struct reader options = reader_of(span_after(body, 8));
	while (option_next(r, &options, &code, &value))
		read_interface_option(r, i, code, value);
	if (r->fault)
		return CAPTURE_FAULT;
	r->interfaces++;
	return CAPTURE_PASSED;
}

static uint64_t power_of_ten(unsigned n)
{
	uint64_t v = 1;

	while (n--)
		v *= 10;
	return v;
}

/* A count of 2^-n or 10^-n seconds as a time. */
static bool scale_time(uint64_t count, uint8_t resolution, int64_t offset, nanotime *out)
{
	unsigned power = resolution & 0x7f;
	uint64_t seconds = 0, nanoseconds = 0;

	if (resolution & 0x80) {
		seconds = power < 64 ? count >> power : 0;
		uint64_t fraction = power < 64 ? count - (seconds << power) : count;
		nanoseconds = (uint64_t)((unsigned __int128)fraction * (uint64_t)NANO_S >> power);
	} else if (power < 20) { /* beyond, any 64-bit count is less than a second */
		uint64_t unit = power_of_ten(power), rest = count % unit;
		seconds = count / unit;
		nanoseconds = power > 9 ? rest / power_of_ten(power - 9)
					: rest * power_of_ten(9 - power);
	}
	int64_t sum;
	return seconds <= INT64_MAX && !__builtin_add_overflow((int64_t)seconds, offset, &sum) &&
		make_time(sum, (int64_t)nanoseconds, out);
}

static enum capture_event finish_packet(
	struct capture_reader *r, struct capture_packet *p, bool timed, uint64_t count)
{
	if (p->interface >= r->interfaces)
		return fail(r, CAPTURE_FAULT_INTERFACE);
	const struct capture_interface *i = &r->interface[p->interface];
	p->link_type = i->link_type;
	p->has_time = timed && scale_time(count, i->resolution, i->offset, &p->time);
	return CAPTURE_PACKET;
}

static enum capture_event read_packet_options(
	struct capture_reader *r, struct reader options, struct capture_packet *p)
{
	uint16_t code;
	struct span value;

	while (option_next(r, &options, &code, &value)) {
		if (code == PCAPNG_COMMENT && p->comments < CAPTURE_COMMENTS_MAX) {
			p->comment[p->comments++] = value;
		} else if (code == PCAPNG_PACKET_FLAGS && value.len == 4) {
			uint32_t direction = get32(r, value.at) & 3;
			p->direction = direction < 3 ? direction : PCAPNG_DIRECTION_UNKNOWN;
		} else if (code == PCAPNG_PACKET_DROPS && value.len == 8) {
			p->has_drops = true;
			p->drops = get64(r, value.at);
		}
	}
	return r->fault ? CAPTURE_FAULT : CAPTURE_PACKET;
}

/* The enhanced packet block, and its obsolete forerunner with the drop count in the interface. */
static enum capture_event read_packet(
	struct capture_reader *r, struct span body, bool old, struct capture_packet *p)
{
	if (body.len < 20)
		return fail(r, CAPTURE_FAULT_BLOCK_SHORT);
	uint32_t captured = get32(r, body.at + 12);
	if (captured > body.len - 20)
		return fail(r, CAPTURE_FAULT_PACKET_LENGTH);
	*p = (struct capture_packet){
		.interface = old ? get16(r, body.at) : get32(r, body.at),
		.original_len = get32(r, body.at + 16),
		.bytes = span_of(body.at + 20, captured),
	};
	if (old && get16(r, body.at + 2) != UINT16_MAX) {
		p->has_drops = true;
		p->drops = get16(r, body.at + 2);
	}
	size_t padded = ((size_t)captured + 3) & ~(size_t)3;
	struct reader options = reader_of(span_after(body, 20 + padded));
	if (read_packet_options(r, options, p) == CAPTURE_FAULT)
		return CAPTURE_FAULT;
	uint64_t count = (uint64_t)get32(r, body.at + 4) << 32 | get32(r, body.at + 8);
	return finish_packet(r, p, true, count);
}

/* The simple packet block: interface 0, no time, cut at the snap length. */
static enum capture_event read_simple_packet(
	struct capture_reader *r, struct span body, struct capture_packet *p)
{
	if (body.len < 4)
		return fail(r, CAPTURE_FAULT_BLOCK_SHORT);
	if (r->interfaces == 0)
		return fail(r, CAPTURE_FAULT_INTERFACE);
	uint32_t snaplen = r->interface[0].snaplen, original = get32(r, body.at);
	uint32_t captured = snaplen && snaplen < original ? snaplen : original;
	if (captured > body.len - 4)
		return fail(r, CAPTURE_FAULT_PACKET_LENGTH);
	*p = (struct capture_packet){
		.original_len = original,
		.bytes = span_of(body.at + 4, captured),
	};
	return finish_packet(r, p, false, 0);
}

/* A section header turns the byte order to its own and forgets the interfaces before it. */
static enum capture_event begin_section(struct capture_reader *r, struct span in)
{
	if (in.len < 28)
		return want(r, 28);
	r->swapped = false;
	uint32_t order = get32(r, in.at + 8);
	r->swapped = order != PCAPNG_MAGIC_ORDER;
	if (r->swapped && order != __builtin_bswap32(PCAPNG_MAGIC_ORDER))
		return fail(r, CAPTURE_FAULT_MAGIC);
	if (get16(r, in.at + 12) != 1)
		return fail(r, CAPTURE_FAULT_VERSION);
	r->format = CAPTURE_PCAPNG;
	r->interfaces = 0;
	return CAPTURE_PASSED;
}

static enum capture_event read_block(
	struct capture_reader *r, struct span in, size_t *used, struct capture_packet *p)
{
	if (in.len < PCAPNG_BLOCK_FRAME)
		return want(r, PCAPNG_BLOCK_FRAME);
	uint32_t type = get32(r, in.at);
	bool section = type == PCAPNG_MAGIC_SECTION;
	if (section) {
		enum capture_event e = begin_section(r, in);
		if (e != CAPTURE_PASSED)
			return e;
	}
	uint32_t len = get32(r, in.at + 4);
	if (len < (section ? 28 : PCAPNG_BLOCK_FRAME) || len % 4 != 0)
		return fail(r, CAPTURE_FAULT_BLOCK_LENGTH);
	if (len > CAPTURE_NEED_MAX)
		return fail(r, CAPTURE_FAULT_BLOCK_HUGE);
	if (in.len < len)
		return want(r, len);
	if (get32(r, in.at + len - 4) != len)
		return fail(r, CAPTURE_FAULT_BLOCK_TRAILER);
	*used = len;

	struct span body = span_of(in.at + 8, len - PCAPNG_BLOCK_FRAME);
	switch (type) {
	case PCAPNG_BLOCK_INTERFACE: return read_interface(r, body);
	case PCAPNG_BLOCK_OLD_PACKET: return read_packet(r, body, true, p);
	case PCAPNG_BLOCK_PACKET: return read_packet(r, body, false, p);
	case PCAPNG_BLOCK_SIMPLE_PACKET: return read_simple_packet(r, body, p);
	default: return CAPTURE_PASSED; /* names, statistics, secrets, and what is yet to come */
	}
}

static enum capture_event read_first(
	struct capture_reader *r, struct span in, size_t *used, struct capture_packet *p)
{
	if (in.len < 4)
		return want(r, 4);
	uint32_t magic = get32(r, in.at);
	if (magic == PCAPNG_MAGIC_SECTION)
		return read_block(r, in, used, p);
	r->swapped = magic != MAGIC_MICROSECONDS && magic != MAGIC_NANOSECONDS;
	if (r->swapped)
		magic = __builtin_bswap32(magic);
	r->nanoseconds = magic == MAGIC_NANOSECONDS;
	if (magic != MAGIC_MICROSECONDS && magic != MAGIC_NANOSECONDS)
		return fail(r, CAPTURE_FAULT_MAGIC);
	enum capture_event e = read_pcap_header(r, in, used);
	if (e == CAPTURE_MORE)
		r->swapped = false; /* the magic is read anew when there is more */
	return e;
}

enum capture_event capture_next(
	struct capture_reader *r, struct span in, size_t *used, struct capture_packet *p)
{
	enum capture_event e;

	*used = 0;
	if (r->fault)
		return CAPTURE_FAULT;
	switch (r->format) {
	case CAPTURE_PCAP: e = read_record(r, in, used, p); break;
	case CAPTURE_PCAPNG: e = read_block(r, in, used, p); break;
	default: e = read_first(r, in, used, p);
	}
	if (e == CAPTURE_PACKET) {
		p->number = ++r->packets;
		p->offset = r->offset;
	}
	if (e == CAPTURE_FAULT)
		*used = 0;
	r->offset += *used;
	return e;
}
