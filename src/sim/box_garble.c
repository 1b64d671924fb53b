/*
 * Damage that a checksum does not show, and damage of length.
 *
 * The Internet checksum is a sum: it does not see that two 16-bit words changed
 * places, nor that one grew by what another shrank. Memory errors in routers do
 * exactly that (Stone and Partridge 2000). TCP can't detect it, so delivered
 * bytes may be wrong here; what must hold is that nothing crashes, overflows or
 * gets stuck, whatever field was hit.
 *
 * Frames cut short or with bytes behind their end are caught by lengths: a cut
 * one is lost, bytes behind the end are no part of the packet.
 */
#include "packet/frame.h"
#include "sim/box.h"
#include "sim/faults.h"
#include "sim/tcp_frame.h"
#include "wire/eth.h"

struct box_garble {
	struct box box;
	enum garble how;
	uint32_t ppm;
};

/* The UDP header of a frame that carries one, whole; 0: none. *end is where its datagram ends. */
static uint32_t find_udp(const struct parcel *p, uint32_t *end)
{
	const uint8_t *ip = p->bytes + ETH_HEADER;
	bool v4 = p->len >= ETH_HEADER + 28 && load16(ip - 2) == ETHERTYPE_IP4 && ip[0] == 0x45 &&
		ip[9] == 17 && !(load16(ip + 6) & 0x3fff);
	bool v6 = p->len >= ETH_HEADER + 48 && load16(ip - 2) == ETHERTYPE_IP6 && ip[6] == 17;
	if (p->checksum == CHECKSUM_PARTIAL || (!v4 && !v6))
		return 0;
	uint32_t udp = ETH_HEADER + (v4 ? 20 : 40), len = load16(p->bytes + udp + 4);
	*end = udp + len;
	return len >= 8 && *end <= p->len ? udp : 0;
}

/* Two words of header and data change places, or one takes from the other. Addresses and ports
 * stay, so that it still is a segment of the connection, or a datagram to the socket. */
static void keep_sum(struct box *b, struct parcel *p)
{
	struct tcp_frame f;
	uint32_t end = 0, header;
	if (tcp_frame_read(&f, p))
		header = f.tcp, end = f.data + f.len;
	else
		header = find_udp(p, &end);
	if (!header)
		return;
	uint32_t words = (end - header - 4) / 2;
	uint8_t *first = p->bytes + header + 4 + 2 * rng_below(&b->rng, words);
	uint8_t *second = p->bytes + header + 4 + 2 * rng_below(&b->rng, words);
	uint16_t x = load16(first), y = load16(second);
	if (rng_below(&b->rng, 2) && x != 0xffff && y != 0) {
		store16(first, (uint16_t)(x + 1));
		if (first != second)
			store16(second, (uint16_t)(y - 1));
		else
			store16(first, x);
	} else {
		store16(first, y);
		store16(second, x);
	}
}

static void change_length(struct box *b, struct parcel *p)
{
	uint32_t n = rng_below(&b->rng, 64);
	if (rng_below(&b->rng, 2)) {
		p->len = n < p->len ? p->len - n : 1;
	} else if (p->len + n <= p->cap) {
		rng_fill(&b->rng, p->bytes + p->len, n);
		p->len += n;
	}
}

static void pass(struct box *box, unsigned way, struct parcel *p)
{
	struct box_garble *b = list_entry(box, struct box_garble, box);
	if (p->seg_count == 1 && box_acts(box, b->ppm)) {
		if (b->how == GARBLE_KEEP_SUM)
			keep_sum(box, p);
		else
			change_length(box, p);
	}
	box_let_pass(box, way, p);
}

struct box *box_garble_new(struct box_chain *c, enum garble how, uint32_t ppm)
{
	struct box_garble *b = box_new(
		c, how == GARBLE_LENGTH ? "length" : "garble", sizeof *b, pass);
	b->how = how;
	b->ppm = ppm;
	return &b->box;
}
