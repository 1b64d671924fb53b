/*
 * Reading and rewriting in place. The checksum is summed over bytes, two at a
 * time; speed does not matter here, independence does.
 */
#include "sim/tcp_frame.h"

#include "packet/frame.h"

#define ETH 14

static uint32_t sum_words(const uint8_t *at, size_t len, uint32_t sum)
{
	for (size_t i = 0; i + 1 < len; i += 2)
		sum += load16(at + i);
	if (len & 1)
		sum += (uint32_t)at[len - 1] << 8;
	return sum;
}

static uint16_t fold(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

/* Over pseudo-header, header and data; 0xffff where the checksum in it is right. */
static uint16_t sum_of(const struct tcp_frame *f)
{
	const uint8_t *b = f->parcel->bytes;
	uint32_t len = f->data + f->len - f->tcp;
	uint32_t sum = 6 + len;
	sum = f->v6 ? sum_words(b + f->ip + 8, 32, sum) : sum_words(b + f->ip + 12, 8, sum);
	return fold(sum_words(b + f->tcp, len, sum));
}

static bool read_ip(struct tcp_frame *f, uint32_t *end)
{
	const struct parcel *p = f->parcel;
	const uint8_t *b = p->bytes;
	f->ip = ETH;
	uint16_t type = load16(b + 12);
	if (type == 0x0800) {
		uint32_t header = (b[f->ip] & 15u) * 4u, total = load16(b + f->ip + 2);
		f->v6 = false;
		f->tcp = f->ip + header;
		*end = f->ip + total;
		return header >= 20 && total >= header && *end <= p->len && b[f->ip + 9] == 6 &&
			!(load16(b + f->ip + 6) & 0x3fff) &&
			fold(sum_words(b + f->ip, header, 0)) == 0xffff;
	}
	f->v6 = true;
	f->tcp = f->ip + 40;
	if (type != 0x86dd || p->len < f->tcp || b[f->ip + 6] != 6)
		return false;
	*end = f->tcp + load16(b + f->ip + 4);
	return *end <= p->len;
}

bool tcp_frame_read(struct tcp_frame *f, struct parcel *p)
{
	uint32_t end;
	*f = (struct tcp_frame){ .parcel = p };
	if (p->len < ETH + 40 || p->seg_count != 1 || p->checksum == CHECKSUM_PARTIAL ||
		!read_ip(f, &end) || end < f->tcp + 20)
		return false;
	const uint8_t *h = p->bytes + f->tcp;
	f->data = f->tcp + (h[12] >> 4) * 4u;
	if (f->data < f->tcp + 20 || f->data > end)
		return false;
	f->len = end - f->data;
	f->source = load16(h);
	f->destination = load16(h + 2);
	f->seq = load32(h + 4);
	f->ack = load32(h + 8);
	f->flags = h[13];
	f->window = load16(h + 14);
	return sum_of(f) == 0xffff;
}

uint64_t tcp_frame_flow(const struct tcp_frame *f, unsigned way)
{
	uint16_t first = way ? f->destination : f->source,
		 second = way ? f->source : f->destination;
	return (uint64_t)f->v6 << 32 | (uint32_t)first << 16 | second;
}

uint32_t tcp_frame_option(const struct tcp_frame *f, unsigned kind, uint32_t *len)
{
	const uint8_t *b = f->parcel->bytes;
	for (uint32_t at = f->tcp + 20; at < f->data;) {
		if (b[at] == 0)
			return 0;
		if (b[at] == 1) {
			at++;
			continue;
		}
		if (at + 2 > f->data || b[at + 1] < 2 || at + b[at + 1] > f->data)
			return 0;
		if (b[at] == kind) {
			*len = b[at + 1];
			return at;
		}
		at += b[at + 1];
	}
	return 0;
}

void tcp_frame_write(struct tcp_frame *f)
{
	uint8_t *b = f->parcel->bytes, *h = b + f->tcp;
	uint32_t end = f->data + f->len;
	f->parcel->len = end;
	store16(h, f->source);
	store16(h + 2, f->destination);
	store32(h + 4, f->seq);
	store32(h + 8, f->ack);
	h[12] = (uint8_t)((f->data - f->tcp) / 4 << 4 | (h[12] & 15));
	h[13] = f->flags;
	store16(h + 14, f->window);
	store16(h + 16, 0);
	if (f->v6) {
		store16(b + f->ip + 4, (uint16_t)(end - f->tcp));
	} else {
		store16(b + f->ip + 2, (uint16_t)(end - f->ip));
		store16(b + f->ip + 10, 0);
		store16(b + f->ip + 10, (uint16_t)~fold(sum_words(b + f->ip, f->tcp - f->ip, 0)));
	}
	store16(h + 16, (uint16_t)~sum_of(f));
}

void tcp_frame_cut(struct tcp_frame *f, uint32_t from, uint32_t len)
{
	uint8_t *data = f->parcel->bytes + f->data;
	assert(from + len <= f->len);
	memmove(data, data + from, len);
	f->seq += from;
	f->len = len;
}

bool tcp_frame_append(struct tcp_frame *f, const uint8_t *bytes, uint32_t len)
{
	if (f->data + f->len + len > f->parcel->cap)
		return false;
	memcpy(f->parcel->bytes + f->data + f->len, bytes, len);
	f->len += len;
	return true;
}

void tcp_frame_remove_option(struct tcp_frame *f, uint32_t at, uint32_t len, bool by_nops)
{
	uint8_t *b = f->parcel->bytes;
	if (by_nops) {
		memset(b + at, 1, len);
		return;
	}
	/* The options close up; END and zeroes fill the last word, then whole words go. */
	uint32_t tail = f->data - at - len, pad = len % 4;
	memmove(b + at, b + at + len, tail);
	memset(b + at + tail, 0, len);
	if (pad)
		len -= pad;
	memmove(b + f->data - len, b + f->data, f->len);
	f->data -= len;
}

static void turn_round(struct tcp_frame *f)
{
	uint8_t *b = f->parcel->bytes, keep[16];
	uint32_t size = f->v6 ? 16 : 4, at = f->ip + (f->v6 ? 8u : 12u);
	uint16_t port = f->source;
	memcpy(keep, b, 6);
	memcpy(b, b + 6, 6);
	memcpy(b + 6, keep, 6);
	memcpy(keep, b + at, size);
	memcpy(b + at, b + at + size, size);
	memcpy(b + at + size, keep, size);
	f->source = f->destination;
	f->destination = port;
}

struct parcel *tcp_frame_bare(
	struct world *w, const struct tcp_frame *f, bool back, struct tcp_frame *out)
{
	struct parcel *p = parcel_copy(w, f->parcel);
	*out = *f;
	out->parcel = p;
	out->data = out->tcp + 20;
	out->len = 0;
	p->bytes[out->tcp + 18] = p->bytes[out->tcp + 19] = 0;
	if (back)
		turn_round(out);
	return p;
}

void tcp_frame_stamp(struct tcp_frame *f, uint32_t value, uint32_t echo)
{
	uint8_t *at = f->parcel->bytes + f->data;
	assert(f->len == 0 && f->data + 12 <= f->parcel->cap);
	store32(at, 0x0101080a);
	store32(at + 4, value);
	store32(at + 8, echo);
	f->data += 12;
}

struct flow_memo *flow_memo(struct flow_memos *m, uint64_t key, bool make)
{
	for (unsigned i = 0; i < FLOW_MEMOS; i++)
		if (m->memo[i].used && m->memo[i].key == key)
			return &m->memo[i];
	if (!make)
		return NULL;
	struct flow_memo *fresh = &m->memo[m->next++ % FLOW_MEMOS];
	*fresh = (struct flow_memo){ .key = key, .used = true };
	return fresh;
}
