/*
 * Names hang in hash buckets; each name of a record brings its ancestors up to
 * the origin into being, so "exists" is the same as "has a node", also for a
 * name that has only others below it. The keys come from the zone's owner, not
 * from those who ask, hence a plain hash.
 */
#include "application/dns/zone.h"

void zone_init(struct zone *z, const struct dns_name *origin, struct arena *arena)
{
	*z = (struct zone){ .origin = *origin, .arena = arena, .last = *origin, .ttl = 3600 };
}

static unsigned bucket_of(const struct dns_name *name)
{
	uint32_t h = 2166136261u; /* FNV-1a */
	for (unsigned i = 0; i < name->len; i++) {
		uint8_t b = name->b[i];
		h = (h ^ (b >= 'A' && b <= 'Z' ? b | 0x20u : b)) * 16777619u;
	}
	return h % ZONE_BUCKETS;
}

static struct zone_node *find_node(const struct zone *z, const struct dns_name *name)
{
	for (struct zone_node *n = z->bucket[bucket_of(name)]; n; n = n->next)
		if (dns_name_equal(&n->name, name))
			return n;
	return NULL;
}

/* The name without its first label; not for the root. */
static struct dns_name parent_of(const struct dns_name *name)
{
	struct dns_name up;
	size_t cut = 1u + name->b[0];

	up.len = (uint8_t)(name->len - cut);
	memcpy(up.b, name->b + cut, up.len);
	return up;
}

/* The node of a name in the zone, made with all above it where it is not there. */
static struct zone_node *make_node(struct zone *z, const struct dns_name *name)
{
	struct zone_node *made = NULL;
	struct dns_name at = *name;

	for (;;) {
		struct zone_node *n = find_node(z, &at);
		if (n)
			return made ? made : n;
		n = arena_take(z->arena, sizeof *n, _Alignof(struct zone_node));
		if (!n)
			return NULL;
		unsigned bucket = bucket_of(&at);
		*n = (struct zone_node){ .next = z->bucket[bucket], .name = at };
		z->bucket[bucket] = n;
		if (!made)
			made = n;
		if (dns_name_equal(&at, &z->origin))
			return made;
		at = parent_of(&at);
	}
}

static bool keep(struct zone *z, struct span *s)
{
	if (s->len == 0)
		return true;
	uint8_t *copy = arena_take(z->arena, s->len, 1);
	if (!copy)
		return false;
	memcpy(copy, s->at, s->len);
	s->at = copy;
	return true;
}

/* Copies what a record's spans point at to the zone's arena. */
static bool keep_data(struct zone *z, struct dns_record *r)
{
	if (!r->decoded)
		return keep(z, &r->rdata);
	r->rdata = span_of(NULL, 0);
	switch (r->type) {
	case DNS_TYPE_TXT:
	case DNS_TYPE_HINFO: return keep(z, &r->strings);
	case DNS_TYPE_NAPTR:
		return keep(z, &r->naptr.flags) && keep(z, &r->naptr.services) &&
			keep(z, &r->naptr.regexp);
	case DNS_TYPE_SVCB:
	case DNS_TYPE_HTTPS: return keep(z, &r->svcb.parameters);
	case DNS_TYPE_CAA: return keep(z, &r->caa.tag) && keep(z, &r->caa.value);
	default: return true;
	}
}

static const char *refuse(const struct zone *z, const struct dns_record *r)
{
	bool apex = dns_name_equal(&r->owner, &z->origin);

	if (r->class != DNS_CLASS_IN)
		return "class is not IN";
	if (!dns_name_within(&r->owner, &z->origin))
		return "name is not in the zone";
	if (r->type == DNS_TYPE_OPT || r->type == 0 || (r->type >= 128 && r->type <= 255))
		return "type is none that a zone holds (RFC 6895 3.1)";
	if (r->type == DNS_TYPE_SOA && !apex)
		return "SOA below the zone's own name";
	if (r->type == DNS_TYPE_NS && !apex)
		return "NS below the zone's own name: delegations are not served";

	const struct zone_node *n = find_node(z, &r->owner);
	for (const struct zone_record *i = n ? n->records : NULL; i; i = i->next) {
		if (r->type == DNS_TYPE_CNAME || i->record.type == DNS_TYPE_CNAME)
			return "CNAME beside another record (RFC 1034 3.6.2)";
		if (r->type == DNS_TYPE_SOA && i->record.type == DNS_TYPE_SOA)
			return "a second SOA";
		if (r->type == i->record.type && r->ttl != i->record.ttl)
			return "TTL differs from the set's other records (RFC 2181 5.2)";
	}
	return NULL;
}

const char *zone_add(struct zone *z, const struct dns_record *record)
{
	const char *why = refuse(z, record);
	if (why)
		return why;

	struct zone_node *n = make_node(z, &record->owner);
	struct zone_record *r = arena_take(z->arena, sizeof *r, _Alignof(struct zone_record));
	if (!n || !r)
		return "no memory for another record";
	r->next = NULL;
	r->record = *record;
	if (!keep_data(z, &r->record))
		return "no memory for another record";
	struct zone_record **end = &n->records;
	while (*end)
		end = &(*end)->next;
	*end = r;
	z->records++;
	return NULL;
}

const struct zone_record *zone_next(const struct zone_record *from, uint16_t type)
{
	while (from && from->record.type != type)
		from = from->next;
	return from;
}

const struct dns_record *zone_soa(const struct zone *z)
{
	return &zone_next(find_node(z, &z->origin)->records, DNS_TYPE_SOA)->record;
}

const char *zone_check(const struct zone *z)
{
	const struct zone_node *apex = find_node(z, &z->origin);
	return apex && zone_next(apex->records, DNS_TYPE_SOA) ? NULL : "zone has no SOA record";
}

struct zone_match zone_find(const struct zone *z, const struct dns_name *name)
{
	struct zone_match match = { .node = find_node(z, name) };
	struct dns_name encloser = *name, star;

	if (match.node || !dns_name_within(name, &z->origin))
		return match;
	/* RFC 4592 3.3.1: the closest name that exists, and the wildcard right below it. */
	do {
		if (dns_name_equal(&encloser, &z->origin))
			return match;
		encloser = parent_of(&encloser);
	} while (!find_node(z, &encloser));
	if (encloser.len > DNS_NAME_MAX - 2)
		return match;
	star = (struct dns_name){ .len = (uint8_t)(encloser.len + 2), .b = { 1, '*' } };
	memcpy(star.b + 2, encloser.b, encloser.len);
	match.node = find_node(z, &star);
	match.wildcard = match.node != NULL;
	return match;
}
