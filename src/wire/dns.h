/*
 * DNS messages (RFC 1035 4, RFC 2181, RFC 6891): a 12-byte header with four
 * counts, then questions and resource records. The reader walks a message that
 * it borrows and decodes one record at a time; a count only ever ends the walk
 * early, never drives it past the bytes. The builder writes questions and
 * records with compressed names and sets TC where something did not fit.
 *
 * What the members of struct dns_record mean is in wire/dns_rdata.h.
 */
#ifndef STRATA_WIRE_DNS_H
#define STRATA_WIRE_DNS_H

#include "wire/dns_rdata.h"
#include "wire/field.h"

#define DNS_HEADER        12
#define DNS_PORT          53
#define DNS_UDP_MAX       512  /* without EDNS (RFC 1035 2.3.4) */
#define DNS_EDNS_UDP_SIZE 1232 /* what we offer and accept (DNS flag day 2020) */

enum dns_opcode {
	DNS_OPCODE_QUERY = 0,
	DNS_OPCODE_IQUERY = 1,
	DNS_OPCODE_STATUS = 2,
	DNS_OPCODE_NOTIFY = 4,
	DNS_OPCODE_UPDATE = 5,
	DNS_OPCODE_DSO = 6,
};

enum dns_rcode {
	DNS_RCODE_NOERROR = 0,
	DNS_RCODE_FORMERR = 1,
	DNS_RCODE_SERVFAIL = 2,
	DNS_RCODE_NXDOMAIN = 3,
	DNS_RCODE_NOTIMP = 4,
	DNS_RCODE_REFUSED = 5,
	DNS_RCODE_YXDOMAIN = 6,
	DNS_RCODE_YXRRSET = 7,
	DNS_RCODE_NXRRSET = 8,
	DNS_RCODE_NOTAUTH = 9,
	DNS_RCODE_NOTZONE = 10,
	DNS_RCODE_BADVERS = 16, /* from here on only with EDNS */
	DNS_RCODE_BADCOOKIE = 23,
};

enum dns_section { DNS_QUESTION, DNS_ANSWER, DNS_AUTHORITY, DNS_ADDITIONAL, DNS_SECTIONS };

struct dns_header {
	uint16_t id;
	bool response, authoritative, truncated, recursion_desired, recursion_available;
	bool zero; /* the reserved bit Z, as received */
	bool authentic, checking_disabled;
	uint8_t opcode;
	uint8_t rcode; /* the low four bits; see dns_message.rcode */
	uint16_t count[DNS_SECTIONS];
};

struct dns_question {
	struct dns_name name;
	uint16_t type, class;
};

/* The EDNS part of a message (RFC 6891 6.1): what its one OPT record says. */
struct dns_edns {
	uint16_t udp_size;
	uint8_t rcode_high; /* the upper eight bits of the extended RCODE */
	uint8_t version;
	bool dnssec_ok;
	uint16_t flags;      /* the other 15 bits */
	struct span options; /* walk with dns_option_next; borrowed */
};

/* ---- reading ---- */

struct dns_reader {
	struct span message;
	size_t at;                   /* offset of what comes next */
	uint16_t left[DNS_SECTIONS]; /* by the counts, not yet read */
	enum drop fault;             /* why a walk ended early; DROP_NONE at a proper end */
};

/* Reads the header alone (DNS_SHORT). */
enum drop dns_header_parse(struct span message, struct dns_header *h);
/* Writes 12 bytes; returns 12, or 0 where `cap` is too small. */
size_t dns_header_emit(const struct dns_header *h, uint8_t *out, size_t cap);

/* Reads the header and stands before the first question. */
enum drop dns_reader_begin(struct dns_reader *r, struct span message, struct dns_header *h);
/* The next question; false at the end of the questions or with r->fault set. */
bool dns_question_next(struct dns_reader *r, struct dns_question *q);
/*
 * The next record of the answer, authority and additional sections in turn
 * (record->section says which); questions not yet read are passed over. False
 * at the end or with r->fault set. `while (dns_record_next(&r, &record)) ...`
 */
bool dns_record_next(struct dns_reader *r, struct dns_record *record);

/* What a whole message says, once everything in it has been checked. */
struct dns_message {
	struct dns_header header;
	struct dns_question question; /* the first; see header.count[DNS_QUESTION] */
	bool has_edns;
	struct dns_edns edns;
	uint16_t rcode;  /* with EDNS's upper bits: enum dns_rcode */
	size_t trailing; /* bytes behind the last record, which mean nothing */
};

/*
 * Reads every question and record once: DROP_NONE means that the walks above
 * will not fail. Says nothing about whether the message answers a question of
 * ours: that is the resolver's business (RFC 5452 9.1).
 */
enum drop dns_message_parse(struct span message, struct dns_message *m);

/* ---- building ---- */

#define DNS_COMPRESSION_SLOTS 128

struct dns_builder {
	struct writer w;
	struct dns_header header; /* counts and TC grow; written by dns_build_end */
	struct dns_edns edns;
	bool has_edns;
	enum dns_section section; /* the last one written to */
	unsigned names;
	uint16_t name_at[DNS_COMPRESSION_SLOTS]; /* where a suffix was written before */
};

/*
 * Starts a message in `out` (the caller gives its limit as `cap`, at most
 * 65535). `header`'s counts are ignored; the builder counts. With `edns` (may
 * be NULL) room for the OPT record is set aside, and dns_build_end writes it.
 */
void dns_build_begin(struct dns_builder *b, uint8_t *out, size_t cap,
	const struct dns_header *header, const struct dns_edns *edns);
/* False, with the message as before and TC set, where it does not fit. Sections in order. */
bool dns_build_question(struct dns_builder *b, const struct dns_question *q);
bool dns_build_record(
	struct dns_builder *b, enum dns_section section, const struct dns_record *record);
/* Writes the OPT record and the header. The message's length, 0 where not even those fit. */
size_t dns_build_end(struct dns_builder *b);

/* A query for one name with RD set; EDNS where `udp_size` is not 0. Its length or 0. */
size_t dns_query_emit(
	uint16_t id, const struct dns_question *q, uint16_t udp_size, uint8_t *out, size_t cap);

/* ---- names of numbers and text ---- */

const char *dns_opcode_name(uint64_t opcode);           /* "QUERY" or NULL */
const char *dns_rcode_name(uint64_t rcode);             /* "NXDOMAIN" or NULL */
const char *dns_section_name(enum dns_section section); /* "ANSWER" */

extern const struct header_info dns_info;

#endif
