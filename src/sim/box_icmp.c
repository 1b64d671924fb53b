/*
 * Forged and stale ICMP errors about segments that pass (RFC 5927): hard and
 * soft unreachables, time exceeded, source quench, packet-too-big with absurd
 * sizes. Half of them quote a sequence number that is nowhere near the window.
 * A synchronized connection must survive all of them (RFC 5927 5.2: hard errors
 * count as soft ones); an attempt to connect may be given up. An MTU may be
 * believed only within bounds, and must not stop the flow.
 */
#include "sim/box.h"
#include "sim/faults.h"
#include "sim/tcp_frame.h"

#define ETH 14

struct box_icmp {
	struct box box;
	uint32_t ppm;
};

static uint16_t sum(const uint8_t *at, size_t len, uint32_t start)
{
	uint32_t s = start;
	for (size_t i = 0; i + 1 < len; i += 2)
		s += load16(at + i);
	if (len & 1)
		s += (uint32_t)at[len - 1] << 8;
	while (s >> 16)
		s = (s & 0xffff) + (s >> 16);
	return (uint16_t)~s;
}

static void choose(struct box *b, bool v6, uint8_t *icmp)
{
	static const uint8_t four[][2] = { { 3, 0 }, { 3, 1 }, { 3, 2 }, { 3, 3 }, { 3, 4 },
		{ 3, 13 }, { 4, 0 }, { 11, 0 }, { 12, 0 } };
	static const uint8_t six[][2] = { { 1, 0 }, { 1, 1 }, { 1, 3 }, { 1, 4 }, { 2, 0 },
		{ 3, 0 }, { 4, 1 } };
	static const uint32_t mtu[] = { 0, 68, 296, 552, 576, 1000, 1280, 1400, 9000 };
	const uint8_t *what = v6 ? six[rng_below(&b->rng, sizeof six / 2)]
				 : four[rng_below(&b->rng, sizeof four / 2)];
	icmp[0] = what[0];
	icmp[1] = what[1];
	if (icmp[0] == (v6 ? 2 : 3) && (v6 || icmp[1] == 4))
		store32(icmp + 4, mtu[rng_below(&b->rng, sizeof mtu / sizeof *mtu)]);
}

/* The quoted packet: its IP header and some bytes behind it, maybe with a wrong number. */
static uint32_t quote(struct box *b, const struct tcp_frame *f, uint8_t *to)
{
	uint32_t most = f->data + f->len - f->ip, len = f->tcp - f->ip + 20;
	if (len > most)
		len = most;
	memcpy(to, f->parcel->bytes + f->ip, len);
	if (rng_below(&b->rng, 2))
		store32(to + (f->tcp - f->ip) + 4, (uint32_t)rng_next(&b->rng));
	return len;
}

static void forge(struct box *b, const struct tcp_frame *f, unsigned way)
{
	struct parcel *p = parcel_take(b->chain->world, 256);
	const uint8_t *from = f->parcel->bytes;
	uint8_t *e = p->bytes, *ip = e + ETH;
	uint32_t head = f->v6 ? 40 : 20;
	uint8_t *icmp = ip + head;
	memset(e, 0, 256);
	memcpy(e, from + 6, 6);
	memcpy(e + 6, from, 6);
	memcpy(e + 12, from + 12, 2);
	uint32_t len = 8 + quote(b, f, icmp + 8);
	choose(b, f->v6, icmp);
	p->len = ETH + head + len;
	if (f->v6) {
		ip[0] = 0x60;
		store16(ip + 4, (uint16_t)len);
		ip[6] = 58;
		ip[7] = 64;
		memcpy(ip + 8, from + f->ip + 24, 16);
		memcpy(ip + 24, from + f->ip + 8, 16);
		uint32_t pseudo = (uint16_t)~sum(ip + 8, 32, 58 + len);
		store16(icmp + 2, sum(icmp, len, pseudo));
	} else {
		ip[0] = 0x45;
		store16(ip + 2, (uint16_t)(head + len));
		ip[8] = 64;
		ip[9] = 1;
		memcpy(ip + 12, from + f->ip + 16, 4);
		memcpy(ip + 16, from + f->ip + 12, 4);
		store16(ip + 10, sum(ip, head, 0));
		store16(icmp + 2, sum(icmp, len, 0));
	}
	box_add(b, !way, p);
}

static void pass(struct box *box, unsigned way, struct parcel *p)
{
	struct box_icmp *b = list_entry(box, struct box_icmp, box);
	struct tcp_frame f;
	if (tcp_frame_read(&f, p) && box_acts(box, b->ppm))
		forge(box, &f, way);
	box_let_pass(box, way, p);
}

struct box *box_icmp_new(struct box_chain *c, uint32_t ppm)
{
	struct box_icmp *b = box_new(c, "icmp", sizeof *b, pass);
	b->ppm = ppm;
	return &b->box;
}
