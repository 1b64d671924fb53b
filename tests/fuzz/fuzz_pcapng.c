/*
 * Capture files: read whole and through a window that is only as large as the
 * reader asks for, with the same packets, the same fault and the same place of
 * it; every packet written again by our writer reads back.
 */
#include <assert.h>

#include "wire/pcap.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct seen {
	uint64_t packets, hash;
	enum capture_fault fault;
	uint64_t offset;
};

static void count(struct seen *s, uint64_t v)
{
	s->hash = (s->hash ^ v) * UINT64_C(0x100000001b3);
}

static void count_packet(struct seen *s, const struct capture_packet *p)
{
	s->packets++;
	count(s, p->offset);
	count(s, p->interface);
	count(s, p->link_type);
	count(s, p->has_time ? (uint64_t)p->time : 0);
	count(s, p->original_len);
	for (size_t i = 0; i < p->bytes.len; i++)
		count(s, p->bytes.at[i]);
	for (unsigned c = 0; c < p->comments; c++)
		for (size_t i = 0; i < p->comment[c].len; i++)
			count(s, p->comment[c].at[i]);
}

/* Writes one packet as a file of its own and reads that. */
static void write_again(const struct capture_packet *p)
{
	static uint8_t out[1 << 20];
	static struct capture_reader r;
	struct pcapng_interface iface = { .link_type = (uint16_t)p->link_type };
	struct pcapng_packet w = { .piece = &p->bytes,
		.pieces = 1,
		.direction = p->direction,
		.time = p->has_time ? p->time : 0,
		.original_len = p->original_len,
		.comment = p->comment,
		.comments = p->comments,
		.has_drops = p->has_drops,
		.drops = p->drops };
	struct capture_packet again;
	size_t used, at = 0;

	size_t len = pcapng_section(&(struct pcapng_section){ 0 }, out, sizeof out);
	len += pcapng_interface(&iface, out + len, sizeof out - len);
	size_t size = pcapng_packet(&w, out + len, sizeof out - len);
	if (size == 0)
		return;
	assert(size == pcapng_packet_size(&w));
	len += size;
	capture_begin(&r);
	enum capture_event e = CAPTURE_PASSED;
	for (; e == CAPTURE_PASSED; at += used)
		e = capture_next(&r, span_of(out + at, len - at), &used, &again);
	assert(e == CAPTURE_PACKET && at == len);
	assert(span_equal(again.bytes, p->bytes) && again.direction == p->direction);
	assert(again.has_drops == p->has_drops && again.drops == p->drops);
	assert(again.has_time && again.time == (w.time > 0 ? w.time : 0));
	unsigned full = 0; /* empty comments are not written */
	for (unsigned i = 0; i < p->comments; i++)
		full += p->comment[i].len > 0;
	assert(again.comments == full);
}

static struct seen read_file(struct span file, bool stream)
{
	static struct capture_reader r;
	struct capture_packet p;
	struct seen s = { 0 };
	size_t at = 0, window = stream ? 0 : file.len;

	capture_begin(&r);
	for (;;) {
		size_t left = file.len - at, used;
		enum capture_event e = capture_next(
			&r, span_of(file.at + at, window < left ? window : left), &used, &p);
		assert(used <= left && r.need <= CAPTURE_NEED_MAX);
		at += used;
		if (e == CAPTURE_PACKET) {
			count_packet(&s, &p);
			if (!stream)
				write_again(&p);
		} else if (e == CAPTURE_MORE && r.need <= left) {
			assert(window < r.need);
			window = r.need;
			continue;
		} else if (e == CAPTURE_MORE) {
			capture_end(&r, left);
			break;
		} else if (e == CAPTURE_FAULT) {
			break;
		}
		assert(used > 0);
		if (stream)
			window = 0;
	}
	s.fault = r.fault;
	s.offset = r.offset;
	assert(r.offset == at);
	return s;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct seen whole = read_file(span_of(data, size), false);
	struct seen stream = read_file(span_of(data, size), true);

	assert(whole.packets == stream.packets && whole.hash == stream.hash);
	assert(whole.fault == stream.fault && whole.offset == stream.offset);
	assert(whole.packets <= size / 12);
	return 0;
}
