/*
 * What a response says about a name and a type: the chain of aliases from the
 * name that was asked (RFC 1034 3.6.2), in whatever order its records stand, and
 * how it ends. Records that are not on the chain are not looked at: a response
 * can't bring in data about names that were not asked for.
 */
#ifndef STRATA_APPLICATION_DNS_CHAIN_H
#define STRATA_APPLICATION_DNS_CHAIN_H

#include "wire/dns.h"

enum dns_chain_end {
	DNS_CHAIN_FOUND,    /* records of the type at the canonical name */
	DNS_CHAIN_NO_NAME,  /* NXDOMAIN for the last name of the chain */
	DNS_CHAIN_NO_DATA,  /* that name is there, but has no such record (RFC 2308 2.2) */
	DNS_CHAIN_OPEN,     /* an alias about whose target the response says nothing: ask again */
	DNS_CHAIN_LOOP,     /* more aliases than allowed */
	DNS_CHAIN_REFERRAL, /* "ask those servers": of no use to a stub resolver */
};

struct dns_chain {
	enum dns_chain_end end;
	struct dns_name canonical; /* the last name of the chain */
	unsigned aliases;          /* in this response */
	uint32_t ttl; /* the smallest on the chain; for a "no" after RFC 2308 5, 0 without SOA */
};

/* `message` is a whole, checked response (dns_message_parse). */
struct dns_chain dns_chain_follow(
	struct span message, const struct dns_name *name, uint16_t type, unsigned aliases_max);
/* Is this record part of the answer at the chain's end? */
bool dns_chain_holds(const struct dns_chain *c, const struct dns_record *record, uint16_t type);

#endif
