/*
 * Frames that wait. Datagrams, replies and forwarded packets whose next hop is
 * being resolved are copied here, bounded for each neighbour and in all; a
 * newcomer pushes out the oldest of its own neighbour (RFC 4861 7.2.2), so the
 * latest packet is always kept (RFC 1122 2.3.2.2).
 *
 * An answer moves a neighbour's queue to the outbox, which the next transmit
 * empties; no answer moves it to `returned`, where layer 2 takes the packets up
 * to tell their senders.
 */
#include "access/access_private.h"

static void give(struct access *a, struct pending *p)
{
	list_remove(&p->link);
	pool_give(&a->pending_pool, p);
}

static struct pending *take(struct access *a, struct neighbour *n, nanotime now)
{
	if (n->pending < a->config.pending_each) {
		struct pending *p = pool_take(&a->pending_pool);
		if (p) {
			n->pending++;
			return p;
		}
	}
	access_tx_drop(a, &a->netif[n->nif], NULL, DROP_NEIGHBOUR_PENDING_FULL, now);
	struct list *oldest = list_pop_front(&n->queue);
	return oldest ? pending_of(oldest) : NULL;
}

bool pending_keep(struct access *a, struct neighbour *n, const struct tx_frame *f,
	uint16_t ethertype, nanotime now)
{
	size_t len = frame_len(f);
	if (len > PENDING_BYTES)
		return access_tx_drop(a, &a->netif[n->nif], f, DROP_NEIGHBOUR_PENDING_SIZE, now);
	struct pending *p = take(a, n, now);
	if (!p)
		return false;
	list_init(&p->link);
	p->nif = n->nif;
	p->why = f->why;
	p->ethertype = ethertype;
	p->len = (uint16_t)len;
	p->checksum = f->checksum;
	if (f->checksum == CHECKSUM_PARTIAL) {
		p->checksum_start = (uint16_t)(f->checksum_start - f->head);
		p->checksum_offset = f->checksum_offset;
	}
	p->seg_size = f->seg_size;
	p->seg_count = f->seg_count;
	frame_copy(f, p->bytes, sizeof p->bytes);
	list_push_back(&n->queue, &p->link);
	return true;
}

void pending_wake(struct access *a, struct neighbour *n)
{
	list_each(l, &n->queue) pending_of(l)->to = n->mac;
	list_splice_back(&a->outbox, &n->queue);
	a->core->queued = true;
	n->pending = 0;
}

void pending_return(struct access *a, struct neighbour *n)
{
	list_splice_back(&a->returned, &n->queue);
	a->core->queued = true;
	n->pending = 0;
}

/* The first bytes become the header area again, for links that look at headers there. */
static void restore(struct tx_frame *f, const struct pending *p)
{
	size_t head = p->len < PENDING_HEAD ? p->len : PENDING_HEAD;
	frame_begin(f, p->why);
	memcpy(frame_push(f, head), p->bytes, head);
	if (p->len > head)
		frame_body(f, span_of(p->bytes + head, p->len - head));
	f->checksum = p->checksum;
	if (p->checksum == CHECKSUM_PARTIAL) {
		f->checksum_start = (uint16_t)(f->head + p->checksum_start);
		f->checksum_offset = p->checksum_offset;
	}
	f->seg_size = p->seg_size;
	f->seg_count = p->seg_count;
}

/* The first that may go out now: one whose link is not full. */
static struct pending *next_out(const struct access *a)
{
	list_each(l, &a->outbox) if (!a->netif[pending_of(l)->nif].blocked) return pending_of(l);
	return NULL;
}

unsigned pending_transmit(struct access *a, unsigned budget, nanotime now)
{
	unsigned sent = 0;
	struct pending *p;
	while (sent < budget && (p = next_out(a)) != NULL) {
		struct tx_frame *f = a->core->frame;
		const struct netif *nif = &a->netif[p->nif];
		restore(f, p);
		if (p->seg_count == 1 && p->len > nif->mtu) /* it shrank while this one waited */
			access_tx_drop(a, nif, f, DROP_IP_TOO_BIG, now);
		else
			access_send_mac(a, &a->netif[p->nif], &p->to, f, p->ethertype, now);
		give(a, p);
		sent++;
	}
	return sent;
}

bool pending_has_work(const struct access *a)
{
	return next_out(a) != NULL;
}

bool access_returned(struct access *a, struct access_returned *r)
{
	if (list_empty(&a->returned))
		return false;
	const struct pending *p = pending_of(a->returned.next);
	*r = (struct access_returned){
		.nif = &a->netif[p->nif],
		.packet = span_of(p->bytes, p->len),
		.ethertype = p->ethertype,
		.why = p->why,
	};
	return true;
}

void access_drop_returned(struct access *a, nanotime now)
{
	struct pending *p = pending_of(a->returned.next);
	access_tx_drop(a, &a->netif[p->nif], NULL, DROP_NEIGHBOUR_FAILED, now);
	give(a, p);
}
