/*
 * Resource records and what their data means by type (RFC 1035 3.3 and the
 * types' own RFCs). Each known type is checked to the byte: what the type's
 * fields take must be exactly RDLENGTH (RFC 9267 5). Unknown types, and class
 * -dependent types outside class IN, are opaque bytes (RFC 3597). Names inside
 * the data may be compressed where RFC 3597 4 asks receivers to cope with it,
 * and nowhere else; they come out decoded.
 */
#ifndef STRATA_WIRE_DNS_RDATA_H
#define STRATA_WIRE_DNS_RDATA_H

#include "base/addr.h"
#include "wire/dns_name.h"

enum dns_type {
	DNS_TYPE_A = 1,
	DNS_TYPE_NS = 2,
	DNS_TYPE_CNAME = 5,
	DNS_TYPE_SOA = 6,
	DNS_TYPE_PTR = 12,
	DNS_TYPE_HINFO = 13,
	DNS_TYPE_MX = 15,
	DNS_TYPE_TXT = 16,
	DNS_TYPE_AAAA = 28,
	DNS_TYPE_SRV = 33,
	DNS_TYPE_NAPTR = 35,
	DNS_TYPE_DNAME = 39,
	DNS_TYPE_OPT = 41,
	DNS_TYPE_SVCB = 64,
	DNS_TYPE_HTTPS = 65,
	DNS_TYPE_ANY = 255, /* in questions only */
	DNS_TYPE_CAA = 257,
};

enum dns_class {
	DNS_CLASS_IN = 1,
	DNS_CLASS_CH = 3,
	DNS_CLASS_HS = 4,
	DNS_CLASS_NONE = 254,
	DNS_CLASS_ANY = 255,
};

struct dns_record {
	struct dns_name owner;
	uint16_t type, class;
	uint32_t ttl;      /* as received; above 2^31 - 1 it counts as 0: dns_ttl */
	uint8_t section;   /* enum dns_section; set by the reader */
	struct span rdata; /* as received, names still compressed; borrowed */
	bool decoded;      /* the member of the union below that fits `type` is set */
	union {
		struct addr address;  /* A, AAAA */
		struct dns_name name; /* NS, CNAME, PTR, DNAME */
		struct {
			struct dns_name primary, mailbox;
			uint32_t serial, refresh, retry, expire, minimum;
		} soa;
		struct {
			uint16_t preference;
			struct dns_name exchange;
		} mx;
		struct span strings; /* TXT, HINFO: character-strings; dns_string_next */
		struct {
			uint16_t priority, weight, port;
			struct dns_name target;
		} srv;
		struct {
			uint16_t order, preference;
			struct span flags, services, regexp; /* without their length bytes */
			struct dns_name replacement;
		} naptr;
		struct {
			uint16_t priority;
			struct dns_name target;
			struct span parameters; /* dns_svc_parameter_next */
		} svcb;                         /* also HTTPS */
		struct {
			uint8_t flags; /* 0x80: issuer critical */
			struct span tag, value;
		} caa;
		/* OPT: dns_option_next; ttl and class are not what they seem. */
		struct span options;
	};
};

/*
 * Decodes `record->rdata`, which lies in `message` at `at`, by record->type and
 * ->class. DNS_RDLENGTH where the fields do not fill it exactly.
 */
enum drop dns_rdata_parse(struct span message, size_t at, struct dns_record *record);

/* TTL in seconds after RFC 2181 8. */
static inline uint32_t dns_ttl(const struct dns_record *record)
{
	return record->ttl > INT32_MAX ? 0 : record->ttl;
}

/* Walks of what a record's spans hold (checked before). `offset` starts at 0; false at the end. */
bool dns_string_next(struct span strings, size_t *offset, struct span *out);

struct dns_option {
	uint16_t code; /* 3 NSID, 8 client subnet, 10 cookie, 12 padding, 15 extended error ... */
	struct span data;
};
bool dns_option_next(struct span options, size_t *offset, struct dns_option *out);

enum dns_svc_key {
	DNS_SVC_MANDATORY = 0,
	DNS_SVC_ALPN = 1,
	DNS_SVC_NO_DEFAULT_ALPN = 2,
	DNS_SVC_PORT = 3,
	DNS_SVC_IPV4HINT = 4,
	DNS_SVC_ECH = 5,
	DNS_SVC_IPV6HINT = 6,
};

struct dns_svc_parameter {
	uint16_t key; /* enum dns_svc_key, or another */
	struct span value;
};
bool dns_svc_parameter_next(struct span parameters, size_t *offset, struct dns_svc_parameter *out);

/* Text, as in zone files and as dig prints it. Lengths without the NUL that closes it. */
#define DNS_TYPE_TEXT_MAX 11 /* "NSEC3PARAM" */
size_t dns_type_format(uint16_t type, char out[DNS_TYPE_TEXT_MAX]);
const char *dns_type_name(uint64_t type); /* "AAAA", or NULL for those without a name here */
bool dns_type_parse(struct span text, uint16_t *type); /* "aaaa", "TYPE28" */
#define DNS_CLASS_TEXT_MAX 11                          /* "CLASS65535" */
size_t dns_class_format(uint16_t class, char out[DNS_CLASS_TEXT_MAX]);
const char *dns_class_name(uint64_t class);
/* The data alone: "10 mail.example.test."; `\# 4 c0000201` where it is opaque (RFC 3597 5). */
size_t dns_rdata_format(const struct dns_record *record, char *out, size_t cap);
/* The whole record: "www.example.test.\t300\tIN\tA\t192.0.2.1" */
size_t dns_record_format(const struct dns_record *record, char *out, size_t cap);

#endif
