/*
 * Interfaces and the addresses on them. An interface listens to its own MAC
 * address, to broadcast, and to the groups that its addresses bring with them:
 * all-hosts for IPv4 (RFC 1112 7.2), all-nodes and the solicited-node group of
 * each address for IPv6 (RFC 4291 2.8). Nothing is ever removed.
 */
#include "access/access_private.h"
#include "wire/nd.h"

static size_t name_length(const char *name)
{
	size_t n = 0;
	while (name && n < NETIF_NAME_MAX && name[n])
		n++;
	return n;
}

static bool mac_is_host(const struct mac *m)
{
	static const struct mac zero;
	return !(m->b[0] & 1) && !mac_equal(m, &zero);
}

static const char *config_broken(const struct access *a, const struct netif_config *c)
{
	size_t len = name_length(c->name);
	if (a->netifs == ACCESS_NETIFS)
		return "no more interfaces than 8";
	if (len == 0 || len == NETIF_NAME_MAX)
		return "interface name must have 1 to 15 characters";
	if (!mac_is_host(&c->mac) && !(c->features & LINK_BARE))
		return "interface MAC address must be a single host's";
	if (c->mtu < 576) /* what every host must take, RFC 791 3.1 */
		return "interface MTU must be at least 576";
	if (c->vlan > 4094)
		return "VLAN id must be 0 (untagged) to 4094";
	if (c->vlan && c->features & LINK_BARE)
		return "a link without headers has no VLANs";
	if (!c->ops || !c->ops->transmit)
		return "interface has no link";
	return NULL;
}

struct netif *access_add_netif(struct access *a, const struct netif_config *c, const char **why)
{
	const char *broken = config_broken(a, c);
	if (why)
		*why = broken;
	if (broken)
		return NULL;
	struct netif *nif = &a->netif[a->netifs];
	*nif = (struct netif){
		.index = a->netifs,
		.framing = c->features & LINK_BARE ? FRAMING_BARE
			: c->vlan                  ? FRAMING_VLAN
						   : FRAMING_ETHERNET,
		.up = true,
		.mac = c->mac,
		.mtu = c->mtu,
		.vlan = c->vlan,
		.features = c->features,
		.gso_max = c->gso_max,
		.ops = c->ops,
		.link = c->link,
	};
	memcpy(nif->name, c->name, name_length(c->name));
	a->netifs++;
	return nif;
}

enum error access_join(struct access *a, struct netif *nif, const struct addr *group)
{
	(void)a;
	for (unsigned i = 0; i < nif->groups; i++)
		if (addr_equal(&nif->group[i], group))
			return ERR_OK;
	if (nif->groups == NETIF_GROUPS)
		return ERR_LIMIT;
	nif->group[nif->groups] = *group;
	nif->group_mac[nif->groups] = multicast_mac(group);
	nif->groups++;
	return ERR_OK;
}

/* Can a host have this IPv4 address on a net of this size? (RFC 1122 3.2.1.3, RFC 3021) */
static bool is_host4(const struct addr *address, unsigned prefix)
{
	uint32_t four = addr_four(address);
	uint32_t top = four >> 24;
	if (prefix > 32 || top == 0 || top >= 224)
		return false;
	uint32_t host = prefix < 32 ? four & (UINT32_MAX >> prefix) : 0;
	return prefix >= 31 || (host != 0 && host != UINT32_MAX >> prefix);
}

static bool is_host(const struct netif *nif, const struct addr *address, unsigned prefix)
{
	if (addr_is_any(address) || addr_is_multicast(address) || addr_is_loopback(address))
		return false;
	if (addr_is4(address))
		return is_host4(address, prefix);
	return prefix <= 128 && nif->mtu >= 1280; /* IPv6 needs that much, RFC 8200 5 */
}

static struct addr directed_broadcast(const struct addr *address, unsigned prefix)
{
	if (!addr_is4(address) || prefix >= 31)
		return ADDR_ANY;
	uint8_t four[4];
	store32(four, addr_four(address) | UINT32_MAX >> prefix);
	return addr_from4(four);
}

static enum error join_for(struct access *a, struct netif *nif, const struct addr *address)
{
	static const uint8_t all_hosts[4] = { 224, 0, 0, 1 };
	static const struct addr all_nodes = { .b = { [0] = 0xff, [1] = 0x02, [15] = 1 } };
	struct addr group = addr_from4(all_hosts);
	if (addr_is4(address))
		return access_join(a, nif, &group);
	enum error e = access_join(a, nif, &all_nodes);
	if (e != ERR_OK)
		return e;
	group = nd_solicited_node(address);
	return access_join(a, nif, &group);
}

enum error access_add_address(
	struct access *a, struct netif *nif, const struct addr *address, unsigned prefix)
{
	if (!is_host(nif, address, prefix))
		return ERR_ARGUMENT;
	for (unsigned i = 0; i < a->netifs; i++)
		/* A link-local address names a host on its link only: other links may repeat it. */
		if (netif_has(&a->netif[i], address) &&
			(i == nif->index || !addr_is_linklocal(address)))
			return ERR_IN_USE;
	if (nif->addresses == NETIF_ADDRESSES)
		return ERR_LIMIT;
	enum error e = join_for(a, nif, address);
	if (e != ERR_OK)
		return e;
	nif->address[nif->addresses++] = (struct netif_address){
		.address = *address,
		.prefix = (uint8_t)prefix,
		.broadcast = directed_broadcast(address, prefix),
		.defended = INT64_MIN / 2,
	};
	return ERR_OK;
}

bool netif_on_link(const struct netif *nif, const struct addr *a)
{
	for (unsigned i = 0; i < nif->addresses; i++) {
		const struct netif_address *own = &nif->address[i];
		if (addr_is4(&own->address) == addr_is4(a) &&
			addr_in_prefix(a, &own->address, own->prefix))
			return true;
	}
	return false;
}
