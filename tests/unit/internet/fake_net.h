/*
 * Layers 1 and 2 over recording links: fake_link.h with an internet on top, and
 * the packets that a test throws at it. A `struct net` is one machine in virtual
 * time: 192.0.2.1/24 and 2001:db8::1/64 on its first interface; what comes out at
 * the top stays in f->rx and f->proto.
 */
#ifndef TESTS_UNIT_INTERNET_FAKE_NET_H
#define TESTS_UNIT_INTERNET_FAKE_NET_H

#include "unit/access/fake_link.h"

#include "internet/internet.h"
#include "wire/icmp.h"
#include "wire/tcp.h"
#include "wire/udp.h"

struct net {
	struct fake *f;
	struct internet in;
	struct netif *nif;   /* the first */
	struct netif *outer; /* the second, where there is one: 198.51.100.1/24, 2001:db8:2::1/64 */
	uint8_t *memory;
};

static enum proto net_receive(struct fake *f, struct rx *rx, enum proto next)
{
	struct net *n = f->upper;
	assert_true(next == PROTO_IP4 || next == PROTO_IP6);
	return internet_receive(&n->in, rx, next);
}

static unsigned net_transmit(struct fake *f, unsigned budget)
{
	struct net *n = f->upper;
	bool work = internet_has_work(&n->in);
	struct rx rx;
	while (internet_returned(&n->in, &rx, f->now)) /* as the stack does: ours are told above */
		access_drop_returned(&f->access, f->now);
	unsigned sent = internet_transmit(&n->in, budget, f->now);
	/* Who says that there is nothing to do has nothing to do. */
	assert_true(work || sent == 0);
	return sent;
}

static inline void net_address(struct net *n, struct netif *nif, const char *text, unsigned prefix)
{
	struct addr a = fake_addr(text);
	struct route r = {
		.prefix = a, .len = (uint8_t)prefix, .nif = nif->index, .on_link = true
	};
	fake_add_address(n->f, nif, text, prefix);
	assert_int_equal(route_add(&n->in.routes, &r), ERR_OK);
}

static inline void net_route(struct net *n, const char *prefix, unsigned len, const char *gateway)
{
	struct route r = {
		.prefix = fake_addr(prefix), .len = (uint8_t)len, .gateway = fake_addr(gateway)
	};
	assert_int_equal(route_add(&n->in.routes, &r), ERR_OK);
}

static inline struct net *net_open(const struct internet_config *c, const struct access_config *a)
{
	struct net *n = calloc(1, sizeof *n);
	struct internet_config defaults;
	internet_config_default(&defaults);
	c = c ? c : &defaults;
	assert_null(internet_config_check(c));
	assert_non_null(n);
	n->f = fake_open(a);
	n->nif = n->f->nif;
	n->memory = malloc(FAKE_ARENA);
	assert_non_null(n->memory);
	struct arena arena = { .at = n->memory, .size = FAKE_ARENA };
	assert_true(internet_init(&n->in, &n->f->core, &n->f->access, c, &arena));
	n->f->upper = n;
	n->f->receive = net_receive;
	n->f->transmit = net_transmit;
	net_address(n, n->nif, "192.0.2.1", 24);
	net_address(n, n->nif, "2001:db8::1", 64);
	return n;
}

/* A router: a second interface, and a default route for each family through it. */
static inline struct net *net_open_router(void)
{
	struct internet_config c;
	internet_config_default(&c);
	c.forward = true;
	struct net *n = net_open(&c, NULL);
	n->outer = fake_add_netif(n->f, 0);
	net_address(n, n->outer, "198.51.100.1", 24);
	net_address(n, n->outer, "2001:db8:2::1", 64);
	return n;
}

static inline void net_close(struct net *n)
{
	fake_close(n->f);
	free(n->memory);
	free(n);
}

/* The neighbour is known. */
static inline void net_know(struct net *n, struct netif *nif, const char *text)
{
	struct addr a = fake_addr(text);
	neighbour_lookup(&n->f->access, nif, &a, n->f->now);
	assert_true(neighbour_learn(
		&n->f->access, nif, &a, &FAKE_PEER, NEWS_ADVERT_SOLICITED, true, false, n->f->now));
}

/* A packet under construction: an Ethernet frame whose IP packet begins at `at`. */
struct packet {
	uint8_t frame[3000];
	uint8_t *at;
	size_t len; /* of the IP packet */
	bool v6;
};

struct packet_head {
	const char *source, *destination;
	uint8_t protocol, hop_limit;
	const uint8_t *options; /* IPv4 options, or IPv6 extension headers */
	size_t options_len;
	uint16_t fragment; /* IPv4: flags and offset as on the wire */
};

static inline struct packet packet_of(struct packet_head h, const void *body, size_t len)
{
	struct packet p = { .len = 0 };
	struct addr from = fake_addr(h.source), to = fake_addr(h.destination);
	size_t header;
	p.v6 = !addr_is4(&to);
	if (!p.v6) {
		struct ip4_header ip = {
			.header_len = (uint8_t)(IP4_HEADER + h.options_len),
			.total_len = (uint16_t)(IP4_HEADER + h.options_len + len),
			.dont_fragment = h.fragment & 0x4000,
			.more_fragments = h.fragment & 0x2000,
			.fragment_offset = (uint16_t)((h.fragment & 0x1fff) * 8),
			.ttl = h.hop_limit ? h.hop_limit : 64,
			.protocol = h.protocol,
			.source = from,
			.destination = to,
			.options = span_of(h.options, h.options_len),
		};
		header = ip4_emit(&ip, p.frame + ETH_HEADER, 60);
	} else {
		struct ip6_header ip = {
			.payload_len = (uint16_t)(h.options_len + len),
			.next = h.protocol,
			.hop_limit = h.hop_limit ? h.hop_limit : 64,
			.source = from,
			.destination = to,
		};
		header = ip6_emit(&ip, p.frame + ETH_HEADER, IP6_HEADER);
		if (h.options_len)
			memcpy(p.frame + ETH_HEADER + header, h.options, h.options_len);
		header += h.options_len;
	}
	assert_true(header >= IP4_HEADER && ETH_HEADER + header + len <= sizeof p.frame);
	if (len)
		memcpy(p.frame + ETH_HEADER + header, body, len);
	p.len = header + len;
	return p;
}

static inline void net_put_to(
	struct net *n, struct netif *nif, struct packet *p, const struct mac *to)
{
	p->at = p->frame + ETH_HEADER;
	size_t len = fake_ethernet(
		p->frame, to, &FAKE_PEER, p->v6 ? ETHERTYPE_IP6 : ETHERTYPE_IP4, p->len);
	fake_receive(n->f, nif, p->frame, len);
}

static inline void net_put(struct net *n, struct netif *nif, struct packet p)
{
	net_put_to(n, nif, &p, &nif->mac);
}

/* An ICMP message with its checksum, from `source` to `destination`. */
static inline struct packet icmp_of(struct packet_head h, uint8_t type, uint8_t code, uint32_t rest,
	const void *body, size_t len)
{
	uint8_t message[2600];
	struct addr from = fake_addr(h.source), to = fake_addr(h.destination);
	struct icmp_header icmp = { .type = type, .code = code, .rest = rest };
	assert_true(len <= sizeof message - ICMP_HEADER);
	assert_int_equal(icmp_emit(&icmp, message, ICMP_HEADER), ICMP_HEADER);
	if (len)
		memcpy(message + ICMP_HEADER, body, len);
	uint64_t sum = checksum_plain.sum(message, ICMP_HEADER + len);
	bool v6 = !addr_is4(&to);
	if (v6)
		sum += pseudo_sum(&from, &to, IPPROTO_ICMP6, (uint32_t)(ICMP_HEADER + len));
	uint16_t field = checksum_finish(sum);
	memcpy(message + 2, &field, 2);
	if (h.protocol == 0)
		h.protocol = v6 ? IPPROTO_ICMP6 : IPPROTO_ICMP4;
	return packet_of(h, message, ICMP_HEADER + len);
}

/* A neighbour discovery message. */
static inline struct packet nd_of(struct packet_head h, const struct nd_message *m)
{
	uint8_t bytes[512];
	size_t len = nd_emit(m, bytes, sizeof bytes);
	assert_true(len >= ICMP_HEADER);
	if (h.hop_limit == 0)
		h.hop_limit = 255;
	return icmp_of(h, m->type, 0, load32(bytes + 4), bytes + ICMP_HEADER, len - ICMP_HEADER);
}

/* What was sent, taken apart and checked: checksums are right. */
struct sent_icmp {
	struct addr source, destination;
	uint8_t type, code, hop_limit, tos;
	uint32_t rest;
	struct span body;
	uint16_t id;
};

static inline struct sent_icmp net_sent_icmp(const struct net *n, unsigned index)
{
	struct sent_icmp s = { .type = 0 };
	const struct fake_sent *f = &n->f->sent[index];
	assert_true(index < n->f->count);
	struct span ip = span_of(f->bytes + ETH_HEADER, f->len - ETH_HEADER), message;
	uint64_t sum = 0;
	if (load16(f->bytes + 12) == ETHERTYPE_IP4) {
		struct ip4_header h;
		assert_int_equal(ip4_parse(ip, ip.len, &h), DROP_NONE);
		assert_int_equal(h.total_len, ip.len);
		assert_int_equal(h.protocol, IPPROTO_ICMP4);
		message = span_after(ip, h.header_len);
		s.source = h.source;
		s.destination = h.destination;
		s.hop_limit = h.ttl;
		s.tos = h.tos;
		s.id = h.id;
	} else {
		struct ip6_header h;
		assert_int_equal(load16(f->bytes + 12), ETHERTYPE_IP6);
		assert_int_equal(ip6_parse(ip, ip.len, &h), DROP_NONE);
		assert_int_equal(h.payload_len, ip.len - IP6_HEADER);
		assert_int_equal(h.next, IPPROTO_ICMP6);
		message = span_after(ip, IP6_HEADER);
		s.source = h.source;
		s.destination = h.destination;
		s.hop_limit = h.hop_limit;
		s.tos = h.traffic_class;
		sum = pseudo_sum(&h.source, &h.destination, IPPROTO_ICMP6, (uint32_t)message.len);
	}
	assert_true(message.len >= ICMP_HEADER);
	assert_int_equal(checksum_fold(sum + checksum_plain.sum(message.at, message.len)), 0xffff);
	s.type = message.at[0];
	s.code = message.at[1];
	s.rest = load32(message.at + 4);
	s.body = span_after(message, ICMP_HEADER);
	return s;
}

static inline bool net_is(const struct addr *a, const char *text)
{
	struct addr b = fake_addr(text);
	return addr_equal(a, &b);
}

#endif
