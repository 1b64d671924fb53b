/*
 * Replies: ICMP messages that answer a received packet, copied into pool blocks
 * and sent by the next transmit. A full pool drops the newest, counted with the
 * packet that it would have answered.
 *
 * A reply goes back by the interface its cause came from where the destination
 * is on that link, and else by the routes like anything else.
 */
#include "internet/internet_private.h"

size_t reply_bytes(const struct internet_config *c)
{
	size_t echo = ICMP_HEADER + (size_t)c->echo_max;
	size_t error = ICMP_HEADER + QUOTE6_MAX;
	return echo > error ? echo : error;
}

struct reply *reply_take(struct internet *in, const struct rx *rx)
{
	struct reply *r = pool_take(&in->reply_pool);
	if (!r)
		return NULL;
	list_init(&r->link);
	r->destination = rx->source;
	r->nif = rx->nif->index;
	r->tos = 0;
	return r;
}

/* Does it stay on the link that its cause came from? */
static bool stays(const struct internet *in, const struct reply *r)
{
	return addr_is_linklocal(&r->destination) ||
		netif_on_link(&in->access->netif[r->nif], &r->destination);
}

void reply_queue(struct internet *in, struct reply *r)
{
	const struct route *way = stays(in, r) ? NULL : route_find(&in->routes, &r->destination);
	r->out = way ? way->nif : r->nif;
	list_push_back(&in->replies, &r->link);
	in->core->queued = true;
}

static struct reply *reply_of(struct list *l)
{
	return list_entry(l, struct reply, link);
}

static enum error find_path(
	struct internet *in, const struct reply *r, struct path *p, nanotime now)
{
	struct netif *nif = &in->access->netif[r->nif];
	*p = (struct path){ .generation = 0 };
	if (stays(in, r))
		return path_via(in, p, nif, &r->destination, now);
	return internet_path(in, p, &r->destination, now);
}

static void build(struct internet *in, const struct reply *r, struct tx_frame *f)
{
	const struct checksum_ops *ops = in->core->checksum;
	bool v6 = !addr_is4(&r->destination);
	uint64_t sum = ops->sum(r->bytes, r->len);
	if (v6)
		sum += pseudo_sum(&r->source, &r->destination, IPPROTO_ICMP6, r->len);
	uint16_t field = checksum_finish(sum);
	frame_begin(f, r->why);
	uint8_t *header = frame_push(f, ICMP_HEADER);
	memcpy(header, r->bytes, ICMP_HEADER);
	memcpy(header + 2, &field, 2);
	if (r->len > ICMP_HEADER)
		frame_body(f, span_of(r->bytes + ICMP_HEADER, r->len - (size_t)ICMP_HEADER));
}

/* Its link is full. */
static bool is_held(const struct internet *in, const struct reply *r)
{
	return in->access->netif[r->out].blocked;
}

/* False: it stays. */
static bool send(struct internet *in, struct reply *r, nanotime now)
{
	struct path p;
	enum error e = find_path(in, r, &p, now);
	if (e != ERR_OK) {
		enum drop drop = e == ERR_MEMORY ? DROP_NEIGHBOUR_TABLE_FULL : DROP_IP_NO_ROUTE;
		in->core->counters->tx_drop[drop]++;
		return true;
	}
	r->out = p.nif;
	if (is_held(in, r))
		return false;
	struct ip_send s = {
		.source = &r->source,
		.destination = &r->destination,
		.protocol = addr_is4(&r->destination) ? IPPROTO_ICMP4 : IPPROTO_ICMP6,
		.tos = r->tos,
		.copy_if_waiting = true,
	};
	build(in, r, in->core->frame);
	internet_send(in, &p, in->core->frame, &s, now);
	return true;
}

unsigned reply_transmit(struct internet *in, unsigned budget, nanotime now)
{
	unsigned sent = 0;
	list_each_safe(l, &in->replies)
	{
		if (sent == budget)
			break;
		if (is_held(in, reply_of(l)) || !send(in, reply_of(l), now))
			continue;
		list_remove(l);
		pool_give(&in->reply_pool, reply_of(l));
		sent++;
	}
	return sent;
}

bool reply_has_work(const struct internet *in)
{
	list_each(l, &in->replies) if (!is_held(in, reply_of(l))) return true;
	return false;
}
