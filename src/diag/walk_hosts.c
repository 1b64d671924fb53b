/*
 * Who takes part. A host on our link is known by its link address, whatever
 * Internet addresses it answers for; a host beyond a router by its address. The
 * router is who is on our link and was handed a packet for somebody else.
 */
#include "diag/walk_build.h"

static uint16_t by_address(const struct walk *w, const struct addr *a)
{
	for (unsigned i = 0; i < w->hosts; i++)
		for (unsigned j = 0; j < w->host[i].addresses; j++)
			if (addr_equal(&w->host[i].address[j], a))
				return (uint16_t)i;
	return WALK_NONE;
}

static uint16_t by_mac(const struct walk *w, const struct mac *m)
{
	for (unsigned i = 0; i < w->hosts; i++)
		if (w->host[i].has_mac && mac_equal(&w->host[i].mac, m))
			return (uint16_t)i;
	return WALK_NONE;
}

static uint16_t new_host(struct walk *w)
{
	if (w->hosts == WALK_HOSTS)
		return WALK_NONE;
	w->host[w->hosts] = (struct walk_host){ 0 };
	return (uint16_t)w->hosts++;
}

static void add_address(struct walk *w, uint16_t host, const struct addr *a)
{
	struct walk_host *h = &w->host[host];
	if (h->addresses == WALK_ADDRESSES)
		return;
	h->nearest[h->addresses] = NANOTIME_NEVER;
	h->address[h->addresses++] = *a;
}

uint16_t walk_host_of(struct walk *w, const struct addr *a)
{
	uint16_t i = by_address(w, a);
	if (i == WALK_NONE)
		i = new_host(w);
	if (i != WALK_NONE && by_address(w, a) == WALK_NONE)
		add_address(w, i, a);
	return i;
}

uint8_t walk_peer_of(const struct walk *w, uint16_t host, const struct addr *a)
{
	for (unsigned j = 0; host != WALK_NONE && j < w->host[host].addresses; j++)
		if (addr_equal(&w->host[host].address[j], a))
			return (uint8_t)j;
	return 0;
}

uint16_t walk_host_join(struct walk *w, uint16_t host, const struct addr *a)
{
	uint16_t other = by_address(w, a);
	if (other == host || host == WALK_NONE)
		return host;
	if (other != WALK_NONE)
		return other; /* it was a host of its own before the name led here */
	add_address(w, host, a);
	return host;
}

void walk_host_learn(struct walk *w, const struct addr *a, const struct mac *m)
{
	uint16_t i = by_mac(w, m), j = by_address(w, a);
	if (i == WALK_NONE)
		i = j != WALK_NONE ? j : new_host(w);
	if (i == WALK_NONE)
		return;
	w->host[i].has_mac = true;
	w->host[i].mac = *m;
	if (j == WALK_NONE) {
		add_address(w, i, a);
	} else if (j != i) {
		/* Known by its address alone until now (it was asked for): the two become one. */
		struct walk_host *gone = &w->host[j];
		if (gone->addresses == 1 && !gone->roles && j == w->hosts - 1) {
			for (uint32_t s = 0; s < w->steps; s++)
				if (w->step[s].host == j)
					w->step[s].host = i;
			w->hosts--;
			add_address(w, i, a);
		}
	}
}

void walk_host_place(struct walk *w, struct walk_step *s, const struct anatomy *a)
{
	const struct addr *ours = s->sent ? &a->source : &a->destination;
	const struct addr *theirs = s->sent ? &a->destination : &a->source;
	const struct mac *next = s->sent ? &a->eth.destination : &a->eth.source;
	if (by_address(w, ours) == WALK_NONE && !addr_is_multicast(ours))
		add_address(w, 0, ours);
	s->host = walk_host_of(w, theirs);
	if (next->b[0] & 1)
		return;
	uint16_t near = by_mac(w, next);
	if (near == WALK_NONE) {
		near = new_host(w);
		if (near == WALK_NONE)
			return;
		w->host[near].has_mac = true;
		w->host[near].mac = *next;
	}
	if (near != s->host) {
		w->host[near].roles |= WALK_ROUTER;
		s->router = near;
	}
}

void walk_host_answer(struct walk *w, const struct walk_step *s, nanodiff after)
{
	if (s->host == WALK_NONE)
		return;
	nanodiff *nearest = &w->host[s->host].nearest[s->peer];
	if (after < *nearest)
		*nearest = after;
}
