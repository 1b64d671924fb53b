/*
 * One pass over the answer section for each name of the chain, so an order of
 * records that a server made up costs passes, not correctness. A chain that
 * bites its own tail ends at the allowed number of aliases.
 */
#include "application/dns/dns_chain.h"

static uint32_t least(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

static bool is_type(const struct dns_record *record, uint16_t type)
{
	return record->class == DNS_CLASS_IN && (record->type == type || type == DNS_TYPE_ANY);
}

/* What one pass finds at a name. */
struct step {
	bool found, alias;
	struct dns_name target;
	uint32_t ttl;
};

static struct step look(struct span message, const struct dns_name *name, uint16_t type)
{
	struct step step = { .ttl = UINT32_MAX };
	uint32_t alias_ttl = 0;
	struct dns_reader r;
	struct dns_header h;
	struct dns_record record;

	dns_reader_begin(&r, message, &h);
	while (dns_record_next(&r, &record) && record.section == DNS_ANSWER) {
		if (!dns_name_equal(&record.owner, name))
			continue;
		if (is_type(&record, type)) {
			step.found = true;
			step.ttl = least(step.ttl, dns_ttl(&record));
		} else if (is_type(&record, DNS_TYPE_CNAME) && record.decoded && !step.alias) {
			step.alias = true;
			step.target = record.name;
			alias_ttl = dns_ttl(&record);
		}
	}
	if (!step.found)
		step.ttl = alias_ttl;
	return step;
}

/* How a response without the wanted record is meant: by its authority section (RFC 2308 2.2). */
static void judge_absence(struct span message, struct dns_chain *c)
{
	bool soa = false, ns = false;
	uint32_t ttl = 0;
	struct dns_reader r;
	struct dns_header h;
	struct dns_record record;

	dns_reader_begin(&r, message, &h);
	while (dns_record_next(&r, &record)) {
		if (record.section != DNS_AUTHORITY || record.class != DNS_CLASS_IN)
			continue;
		if (record.type == DNS_TYPE_SOA && record.decoded && !soa &&
			dns_name_within(&c->canonical, &record.owner)) {
			soa = true;
			ttl = least(dns_ttl(&record), record.soa.minimum);
		}
		ns |= record.type == DNS_TYPE_NS;
	}
	bool exists = h.rcode != DNS_RCODE_NXDOMAIN;
	if (exists && !soa && c->aliases > 0) {
		c->end = DNS_CHAIN_OPEN; /* with the TTL of the aliases */
		return;
	}
	c->ttl = least(c->ttl, ttl);
	if (!exists)
		c->end = DNS_CHAIN_NO_NAME;
	else if (ns && !soa && !h.authoritative && !h.recursion_available)
		c->end = DNS_CHAIN_REFERRAL;
	else
		c->end = DNS_CHAIN_NO_DATA;
}

struct dns_chain dns_chain_follow(
	struct span message, const struct dns_name *name, uint16_t type, unsigned aliases_max)
{
	struct dns_chain c = { .canonical = *name, .ttl = UINT32_MAX };

	for (;;) {
		struct step step = look(message, &c.canonical, type);
		if (step.found || step.alias)
			c.ttl = least(c.ttl, step.ttl);
		if (step.found) {
			c.end = DNS_CHAIN_FOUND;
			return c;
		}
		if (!step.alias) {
			judge_absence(message, &c);
			return c;
		}
		if (c.aliases == aliases_max) {
			c.end = DNS_CHAIN_LOOP;
			return c;
		}
		c.aliases++;
		c.canonical = step.target;
	}
}

bool dns_chain_holds(const struct dns_chain *c, const struct dns_record *record, uint16_t type)
{
	return record->section == DNS_ANSWER && is_type(record, type) &&
		dns_name_equal(&record->owner, &c->canonical);
}
