/*
 * Endpoints stand in buckets by port (or echo identifier); the best match wins: a
 * connected endpoint before one on this address before one on any. Bytes live in
 * ring blocks, so datagrams and streams share one bounded memory.
 */
#include "transport/datagram.h"

#include "wire/udp.h"

#define PORT_TRIES 128
#define UDP_HEADER_OR_ECHO 8 /* both have eight header bytes */

static struct list *bucket_of(struct transport *t, uint16_t port)
{
	return &t->datagram_port[port % PORT_BUCKETS];
}

static bool port_taken(struct transport *t, enum datagram_kind kind, const struct addr *local,
		       uint16_t port)
{
	list_each(at, bucket_of(t, port))
	{
		struct datagram_endpoint *e = list_entry(at, struct datagram_endpoint, link);
		if (e->kind == kind && e->port == port &&
		    (addr_is_any(local) || addr_is_any(&e->local) ||
		     addr_equal(local, &e->local)))
			return true;
	}
	return false;
}

/* A random port (RFC 6056 algorithm 2, UDP-05): unpredictable, because DNS relies on it. Where the
 * dice find none, each port of the range is tried once, from a random one on. 0: all are taken. */
static uint16_t pick_port(struct transport *t, enum datagram_kind kind, const struct addr *local)
{
	uint32_t range = (uint32_t)(t->config.port_last - t->config.port_first) + 1;
	for (unsigned i = 0; i < PORT_TRIES; i++) {
		uint16_t port = (uint16_t)(t->config.port_first + rng_below(t->core->rng, range));
		if (!port_taken(t, kind, local, port))
			return port;
	}
	uint32_t first = rng_below(t->core->rng, range);
	for (uint32_t i = 0; i < range; i++) {
		uint16_t port = (uint16_t)(t->config.port_first + (first + i) % range);
		if (!port_taken(t, kind, local, port))
			return port;
	}
	return 0;
}

enum error datagram_open(struct transport *t, enum datagram_kind kind, const struct addr *local,
			 uint16_t port, bool v4_only, bool v6_only, uint32_t sock,
			 struct datagram_endpoint **out)
{
	if (!addr_is_any(local) && !internet_is_ours(t->internet, local))
		return ERR_NO_ADDRESS;
	if (port && port_taken(t, kind, local, port))
		return ERR_IN_USE;
	if (!port && !(port = pick_port(t, kind, local)))
		return ERR_NO_PORT;
	struct datagram_endpoint *e = pool_take(&t->datagram_pool);
	if (!e)
		return ERR_TOO_MANY;
	memset(e, 0, sizeof *e);
	e->used = true;
	e->kind = (uint8_t)kind;
	e->local = *local;
	e->port = port;
	e->v4_only = v4_only;
	e->v6_only = v6_only;
	e->sock = sock;
	e->path.neighbour = NEIGHBOUR_NO_INDEX;
	list_init(&e->ready);
	list_init(&e->received);
	list_init(&e->to_send);
	list_push_back(bucket_of(t, port), &e->link);
	*out = e;
	return ERR_OK;
}

void datagram_done(struct transport *t, struct datagram *d)
{
	pool_give(d->big ? &t->blocks.big : &t->blocks.small, d);
}

static void queue_clear(struct transport *t, struct list *queue)
{
	struct list *l;
	while ((l = list_pop_front(queue)))
		datagram_done(t, list_entry(l, struct datagram, link));
}

void datagram_close(struct transport *t, struct datagram_endpoint *e)
{
	queue_clear(t, &e->received);
	queue_clear(t, &e->to_send);
	list_remove(&e->ready);
	list_remove(&e->link);
	e->used = false;
	pool_give(&t->datagram_pool, e);
}

enum error datagram_connect(struct transport *t, struct datagram_endpoint *e,
			    const struct addr *remote, uint16_t port)
{
	struct addr local = e->local;
	if (addr_is_any(&local)) {
		enum error bad = internet_source(t->internet, remote, &local);
		if (bad != ERR_OK)
			return bad;
	}
	if (addr_is4(&local) != addr_is4(remote))
		return ERR_FAMILY;
	e->local = local;
	e->remote = *remote;
	e->remote_port = port;
	return ERR_OK;
}

static struct datagram *datagram_new(struct transport *t, size_t len)
{
	bool big = sizeof(struct datagram) + len > RING_BLOCK;
	if (sizeof(struct datagram) + len > RING_BIG)
		return NULL;
	struct datagram *d = pool_take(big ? &t->blocks.big : &t->blocks.small);
	if (!d)
		return NULL;
	memset(d, 0, sizeof *d);
	d->big = big;
	d->len = (uint16_t)len;
	return d;
}

/* Largest payload that goes out whole; there is no fragmentation yet. */
static size_t payload_max(const struct datagram_endpoint *e, const struct addr *to)
{
	size_t headers = (addr_is4(to) ? IP4_HEADER : IP6_HEADER) + UDP_HEADER_OR_ECHO;
	return e->path.mtu > headers ? e->path.mtu - headers : 0;
}

/* RFC 1122 4.1.3.5 (the application may choose it), 3.2.1.3 (never a group's). */
static enum error choose_source(struct transport *t, const struct datagram_endpoint *e,
				const struct addr *wanted, const struct addr *to,
				struct addr *source)
{
	*source = e->local;
	if (wanted && !addr_is_any(wanted) && !internet_is_group(t->internet, wanted)) {
		if (!addr_is_any(&e->local) && !addr_equal(&e->local, wanted))
			return ERR_ARGUMENT;
		if (!internet_is_ours(t->internet, wanted))
			return ERR_NO_ADDRESS;
		*source = *wanted;
	}
	if (addr_is_any(source)) {
		enum error bad = internet_source(t->internet, to, source);
		if (bad != ERR_OK)
			return bad;
	}
	return addr_is4(source) == addr_is4(to) ? ERR_OK : ERR_FAMILY;
}

int64_t datagram_send_from(struct transport *t, struct datagram_endpoint *e, struct span bytes,
			   const struct addr *source, const struct addr *to, uint16_t port)
{
	if (!to) {
		if (addr_is_any(&e->remote))
			return -(int64_t)ERR_ARGUMENT;
		to = &e->remote;
		port = e->kind == DATAGRAM_UDP ? e->remote_port : port;
	}
	if (e->kind == DATAGRAM_UDP && !port)
		return -(int64_t)ERR_ARGUMENT;
	struct addr local;
	enum error bad = choose_source(t, e, source, to, &local);
	if (bad != ERR_OK)
		return -(int64_t)bad;
	if (!addr_equal(to, &e->path_destination)) {
		e->path = (struct path){ .neighbour = NEIGHBOUR_NO_INDEX };
		e->path_destination = *to;
	}
	bad = internet_path(t->internet, &e->path, to, t->now);
	if (bad != ERR_OK)
		return -(int64_t)bad;
	if (bytes.len > payload_max(e, to))
		return -(int64_t)ERR_TOO_BIG;
	if (e->to_send_count >= t->config.datagram_queue)
		return -(int64_t)ERR_AGAIN;
	struct datagram *d = datagram_new(t, bytes.len);
	if (!d)
		return -(int64_t)ERR_MEMORY;
	d->source = local;
	d->destination = *to;
	d->port = port;
	if (bytes.len)
		memcpy(d + 1, bytes.at, bytes.len);
	list_push_back(&e->to_send, &d->link);
	e->to_send_count++;
	if (!list_linked(&e->ready))
		list_push_back(&t->datagrams, &e->ready);
	return (int64_t)bytes.len;
}

struct datagram *datagram_take(struct datagram_endpoint *e)
{
	struct list *l = list_pop_front(&e->received);
	if (!l)
		return NULL;
	e->received_count--;
	return list_entry(l, struct datagram, link);
}

/* Puts a copy of what is left of the packet in the endpoint's queue. */
static bool deliver(struct transport *t, struct datagram_endpoint *e, const struct rx *rx,
		    struct datagram **out)
{
	if (e->received_count >= t->config.datagram_queue)
		return false;
	struct datagram *d = datagram_new(t, rx->len);
	if (!d)
		return false;
	rx_copy(rx, (uint8_t *)(d + 1), rx->len);
	d->source = rx->source;
	d->destination = rx->destination;
	d->hop_limit = rx->hop_limit;
	d->tos = rx->tos;
	d->time = rx->now;
	list_push_back(&e->received, &d->link);
	e->received_count++;
	notify_event(&t->notify, e->sock, EVENT_READABLE);
	*out = d;
	return true;
}

/* How well an endpoint fits; 0: not at all. */
static unsigned match(const struct datagram_endpoint *e, enum datagram_kind kind, uint16_t port,
		      const struct addr *local, const struct addr *remote, uint16_t remote_port)
{
	if (e->kind != kind || e->port != port)
		return 0;
	bool four = addr_is4(remote);
	if ((four && e->v6_only) || (!four && e->v4_only))
		return 0;
	unsigned score = 1;
	if (!addr_is_any(&e->local)) {
		if (!addr_equal(&e->local, local))
			return 0;
		score += 1;
	}
	if (!addr_is_any(&e->remote)) {
		if (!addr_equal(&e->remote, remote) ||
		    (kind == DATAGRAM_UDP && e->remote_port != remote_port))
			return 0;
		score += 2;
	}
	return score;
}

static struct datagram_endpoint *find(struct transport *t, enum datagram_kind kind, uint16_t port,
				      const struct addr *local, const struct addr *remote,
				      uint16_t remote_port)
{
	struct datagram_endpoint *best = NULL;
	unsigned best_score = 0;
	list_each(at, bucket_of(t, port))
	{
		struct datagram_endpoint *e = list_entry(at, struct datagram_endpoint, link);
		unsigned score = match(e, kind, port, local, remote, remote_port);
		if (score > best_score) {
			best = e;
			best_score = score;
		}
	}
	return best;
}

static enum drop udp_verify(const struct transport *t, struct rx *rx, const struct udp_header *h)
{
	if (h->checksum == 0) /* RFC 768: not computed; RFC 8200 8.1: not allowed over IPv6 */
		return addr_is4(&rx->source) ? DROP_NONE : DROP_UDP_ZERO_CHECKSUM;
	if (rx->checksum != CHECKSUM_UNKNOWN)
		return DROP_NONE;
	uint64_t sum = pseudo_sum(&rx->source, &rx->destination, IPPROTO_UDP_, rx->len) +
		       rx_sum(rx, t->core->checksum);
	return checksum_fold(sum) == 0xffff ? DROP_NONE : DROP_UDP_CHECKSUM;
}

void udp_receive(struct transport *t, struct rx *rx)
{
	struct udp_header h;
	enum drop bad = udp_parse(rx->head, rx->len, &h);
	if (!bad) {
		rx_trim(rx, h.length); /* UDP-01: what follows the datagram is not its own */
		bad = udp_verify(t, rx, &h);
	}
	if (bad) {
		rx_drop(rx, bad);
		return;
	}
	struct datagram_endpoint *e = find(t, DATAGRAM_UDP, h.destination_port, &rx->destination,
					   &rx->source, h.source_port);
	/* a broadcast reaches who is bound to the subnet's own address too */
	if (!e && rx->group) {
		struct addr any = ADDR_ANY;
		e = find(t, DATAGRAM_UDP, h.destination_port, &any, &rx->source, h.source_port);
	}
	if (!e) {
		internet_reject(t->internet, rx, REJECT_PORT, 0);
		rx_drop(rx, DROP_UDP_PORT);
		return;
	}
	rx_strip(rx, UDP_HEADER);
	struct datagram *d;
	if (!deliver(t, e, rx, &d)) {
		rx_drop(rx, DROP_UDP_QUEUE_FULL);
		return;
	}
	d->port = h.source_port;
	rx_fate(rx, FATE_DELIVERED);
}

void echo_reply_receive(struct transport *t, struct rx *rx)
{
	struct datagram_endpoint *e =
		find(t, DATAGRAM_PING, rx->echo_id, &rx->destination, &rx->source, 0);
	if (!e) {
		rx_drop(rx, DROP_ICMP_TYPE);
		return;
	}
	struct datagram *d;
	if (!deliver(t, e, rx, &d)) {
		rx_drop(rx, DROP_UDP_QUEUE_FULL);
		return;
	}
	d->port = rx->echo_sequence;
	rx_fate(rx, FATE_DELIVERED);
}

/* What became of a datagram of ours. */
struct error_news {
	uint8_t type, code; /* ICMP's, of the family */
	uint8_t hop_limit;
	uint16_t port;
	uint32_t mtu;
	const struct addr *teller, *destination;
};

/* False: the queue or the memory is full. */
static bool deliver_error(struct transport *t, struct datagram_endpoint *e,
			  const struct error_news *news)
{
	struct datagram *d = e->received_count < t->config.datagram_queue ? datagram_new(t, 0)
									   : NULL;
	if (!d)
		return false;
	d->is_error = true;
	d->icmp_type = news->type;
	d->icmp_code = news->code;
	d->mtu = news->mtu;
	d->source = *news->teller;
	d->destination = *news->destination;
	d->port = news->port;
	d->hop_limit = news->hop_limit;
	d->time = t->now;
	list_push_back(&e->received, &d->link);
	e->received_count++;
	notify_event(&t->notify, e->sock, EVENT_READABLE);
	return true;
}

void datagram_icmp_error(struct transport *t, struct rx *rx)
{
	const struct rx_icmp_error *error = &rx->icmp;
	struct span quote = error->quote;
	bool udp = error->protocol == IPPROTO_UDP_;
	if (quote.len < 8) {
		rx_drop(rx, DROP_ICMP_QUOTE);
		return;
	}
	uint16_t port = load16(quote.at + (udp ? 0 : 4));
	uint16_t remote_port = load16(quote.at + (udp ? 2 : 6)); /* echo: the sequence number */
	struct datagram_endpoint *e = find(t, udp ? DATAGRAM_UDP : DATAGRAM_PING, port,
					   &error->source, &error->destination, remote_port);
	if (!e) {
		rx_drop(rx, DROP_ICMP_QUOTE);
		return;
	}
	struct error_news news = {
		.type = error->type,
		.code = error->code,
		.mtu = error->mtu,
		.teller = &rx->source,
		.destination = &error->destination,
		.port = remote_port,
		.hop_limit = rx->hop_limit,
	};
	if (deliver_error(t, e, &news))
		rx_fate(rx, FATE_DELIVERED);
	else
		rx_drop(rx, DROP_UDP_QUEUE_FULL);
}

/* Eight header bytes in front of the datagram: UDP, or an echo request. */
static void push_header(struct transport *t, const struct datagram_endpoint *e,
			const struct datagram *d, struct tx_frame *f)
{
	uint8_t *h = frame_push(f, UDP_HEADER);
	bool v4 = addr_is4(&d->destination);
	uint32_t total = UDP_HEADER + (uint32_t)d->len;
	uint64_t sum = 0;
	size_t at;
	if (e->kind == DATAGRAM_UDP) {
		store16(h, e->port);
		store16(h + 2, d->port);
		store16(h + 4, (uint16_t)total);
		at = 6;
		sum = pseudo_sum(&d->source, &d->destination, IPPROTO_UDP_, total);
	} else {
		h[0] = v4 ? ICMP4_ECHO : ICMP6_ECHO;
		h[1] = 0;
		store16(h + 4, e->port);
		store16(h + 6, d->port);
		at = 2;
		if (!v4)
			sum = pseudo_sum(&d->source, &d->destination, IPPROTO_ICMP6, total);
	}
	store16(h + at, 0);
	sum += checksum_header(h, UDP_HEADER);
	sum += t->core->checksum->sum(datagram_bytes(d), d->len);
	uint16_t check = checksum_finish(sum);
	if (!check && e->kind == DATAGRAM_UDP)
		check = 0xffff; /* RFC 768: zero means "none" */
	memcpy(h + at, &check, 2);
}

/* The way of this datagram, in e->path. */
static enum path_verdict find_path(struct transport *t, struct datagram_endpoint *e,
				   const struct datagram *d)
{
	if (!addr_equal(&d->destination, &e->path_destination)) {
		e->path = (struct path){ .neighbour = NEIGHBOUR_NO_INDEX };
		e->path_destination = d->destination;
	}
	return internet_path_ready(t->internet, &e->path, &d->destination, t->now);
}

/* There was a way when it was queued, and there is none now. What ICMP would say, had a router
 * found it out (RFC 1122 4.1.3.3). */
static void give_up(struct transport *t, struct datagram_endpoint *e, const struct datagram *d,
		    enum path_verdict verdict)
{
	bool v4 = addr_is4(&d->destination);
	struct error_news news = {
		.type = v4 ? ICMP4_UNREACHABLE : ICMP6_UNREACHABLE,
		.code = verdict == PATH_NO_ROUTE ? 0 : v4 ? 1 : 3,
		.teller = &d->source,
		.destination = &d->destination,
		.port = d->port,
	};
	enum drop reason = verdict == PATH_NO_ROUTE ? DROP_IP_NO_ROUTE
			   : verdict == PATH_DEAD   ? DROP_NEIGHBOUR_FAILED
						    : DROP_NEIGHBOUR_TABLE_FULL;
	t->core->counters->tx_drop[reason]++;
	if (verdict != PATH_FULL) /* too many at once may pass */
		deliver_error(t, e, &news);
}

static void send_one(struct transport *t, struct datagram_endpoint *e, const struct datagram *d)
{
	struct tx_frame *f = t->core->frame;
	bool udp = e->kind == DATAGRAM_UDP;
	frame_begin(f, udp ? WHY_DATAGRAM : WHY_ECHO_ASK);
	if (d->len)
		frame_body(f, span_of(datagram_bytes(d), d->len));
	push_header(t, e, d, f);
	const struct endpoint_options *o = &t->options[e->sock];
	struct ip_send s = {
		.source = &d->source,
		.destination = &d->destination,
		.protocol = udp                          ? IPPROTO_UDP_
			    : addr_is4(&d->destination) ? IPPROTO_ICMP4
							: IPPROTO_ICMP6,
		.tos = o->tos,
		.hop_limit = o->hop_limit,
		.dont_fragment = e->dont_fragment,
		.copy_if_waiting = true,
	};
	internet_send(t->internet, &e->path, f, &s, t->now);
}

/* The first datagram whose link is not full; its way is e->path. NULL: all must wait. */
static struct datagram *next_out(struct transport *t, struct datagram_endpoint *e,
				 enum path_verdict *verdict)
{
	list_each(at, &e->to_send)
	{
		struct datagram *d = list_entry(at, struct datagram, link);
		*verdict = find_path(t, e, d);
		if (*verdict > PATH_WAIT || !transport_blocked(t, &e->path))
			return d;
	}
	return NULL;
}

unsigned datagram_transmit(struct transport *t, unsigned budget)
{
	unsigned sent = 0;
	struct list held;
	list_init(&held);
	while (sent < budget) {
		struct list *l = list_pop_front(&t->datagrams);
		if (!l)
			break;
		struct datagram_endpoint *e = list_entry(l, struct datagram_endpoint, ready);
		enum path_verdict verdict;
		struct datagram *d = next_out(t, e, &verdict);
		if (!d) {
			list_push_back(&held, &e->ready);
			continue;
		}
		list_remove(&d->link);
		bool was_full = e->to_send_count-- >= t->config.datagram_queue;
		if (verdict <= PATH_WAIT)
			send_one(t, e, d);
		else
			give_up(t, e, d, verdict);
		datagram_done(t, d);
		sent++;
		if (was_full)
			notify_event(&t->notify, e->sock, EVENT_WRITABLE);
		if (!list_empty(&e->to_send)) /* one each: sockets take turns */
			list_push_back(&t->datagrams, &e->ready);
	}
	list_splice_back(&t->datagrams, &held); /* for the next call */
	return sent;
}
