/*
 * What the cache learns from solicitations and advertisements: RFC 4861 7.2.3
 * (somebody asks us and names its own address) and the table of 7.2.5 (somebody
 * answers). ARP's messages are put in the same terms by arp_receive.c.
 *
 * Nothing here is authenticated, and two rules keep the damage small. An answer
 * never makes an entry. And where ARP would give an address that is REACHABLE to
 * another MAC at once, the old MAC is asked first, by unicast: if it answers, it
 * stays; if not, the entry goes and the address is resolved afresh. One such
 * contest in ten seconds, the rate of RFC 5227 2.4. (ND's table has its own
 * rule: a changed address is STALE, and found out by probing when it is used.)
 */
#include "access/access_private.h"

#define CONTEST_INTERVAL (10 * NANO_S)

static void change_mac(struct access *a, struct neighbour *n, const struct mac *mac, nanotime now)
{
	n->mac = *mac;
	neighbour_set_state(a, n, NEIGHBOUR_STALE, now);
}

/* Another MAC claims the address of an ARP entry. True where the claim has been dealt with. */
static bool contest(struct access *a, struct neighbour *n, nanotime now)
{
	if (!addr_is4(&n->address))
		return false;
	if (n->contested)
		return true;
	if (n->state != NEIGHBOUR_REACHABLE)
		return false;
	a->netif[n->nif].conflicts++;
	if (now - n->contest < CONTEST_INTERVAL)
		return true;
	n->contest = now;
	neighbour_set_state(a, n, NEIGHBOUR_PROBE, now);
	n->contested = true;
	neighbour_ask(a, n, now);
	return true;
}

/* The first MAC address of an entry that had none. */
static bool complete(struct access *a, struct neighbour *n, const struct mac *mac,
	enum neighbour_news news, nanotime now)
{
	if (!mac)
		return false;
	n->mac = *mac;
	neighbour_set_state(
		a, n, news == NEWS_ADVERT_SOLICITED ? NEIGHBOUR_REACHABLE : NEIGHBOUR_STALE, now);
	return true;
}

/* RFC 4861 7.2.5, for an entry whose MAC address is known. */
static void advertised(struct access *a, struct neighbour *n, const struct mac *mac,
	enum neighbour_news news, bool override, nanotime now)
{
	bool differs = mac && !mac_equal(mac, &n->mac);
	if (differs && !override) {
		if (n->state == NEIGHBOUR_REACHABLE)
			neighbour_set_state(a, n, NEIGHBOUR_STALE, now);
		return;
	}
	if (differs && contest(a, n, now))
		return;
	if (differs)
		change_mac(a, n, mac, now);
	if (news == NEWS_ADVERT_SOLICITED)
		neighbour_set_state(a, n, NEIGHBOUR_REACHABLE, now);
}

bool neighbour_learn(struct access *a, struct netif *nif, const struct addr *address,
	const struct mac *mac, enum neighbour_news news, bool override, bool create, nanotime now)
{
	struct neighbour *n = neighbour_find(a, nif, address);
	if (!n) {
		if (!create || !mac)
			return false;
		n = neighbour_create(a, nif, address, NEIGHBOUR_STALE, now);
		if (n)
			n->mac = *mac;
		return n != NULL;
	}
	if (n->state == NEIGHBOUR_STATIC)
		return true;
	if (n->state == NEIGHBOUR_INCOMPLETE || n->state == NEIGHBOUR_FAILED)
		return complete(a, n, mac, news, now);
	if (news != NEWS_SOLICIT)
		advertised(a, n, mac, news, override, now);
	else if (mac && !mac_equal(mac, &n->mac) && !contest(a, n, now))
		change_mac(a, n, mac, now);
	return true;
}

enum error neighbour_set_static(
	struct access *a, struct netif *nif, const struct addr *address, const struct mac *mac)
{
	nanotime now = a->core->wheel->now;
	struct neighbour *n = neighbour_find(a, nif, address);
	if (addr_is_any(address) || addr_is_multicast(address) || (mac->b[0] & 1))
		return ERR_ARGUMENT;
	if (!n)
		n = neighbour_create(a, nif, address, NEIGHBOUR_STALE, now);
	if (!n)
		return ERR_MEMORY;
	n->mac = *mac;
	neighbour_set_state(a, n, NEIGHBOUR_STATIC, now);
	return ERR_OK;
}
