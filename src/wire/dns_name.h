/*
 * Domain names (RFC 1035 3.1): labels of 1..63 bytes, each behind its length,
 * closed by the root's zero; at most 255 bytes in all. A struct dns_name holds
 * that form, never a compressed one, so two names compare without a message at
 * hand. Reading one out of a message is where most of the DNS attacks of the
 * last twenty years sit (RFC 9267), hence four rules: a label's length is
 * 0..63; the decoded name never passes 255 bytes; a compression pointer leads
 * strictly backwards from the piece it ends, never into the header; and at
 * most 126 pointers are followed, because a name has at most 127 labels.
 */
#ifndef STRATA_WIRE_DNS_NAME_H
#define STRATA_WIRE_DNS_NAME_H

#include "base/addr.h"
#include "base/drop.h"

#define DNS_LABEL_MAX    63
#define DNS_NAME_MAX     255
#define DNS_POINTERS_MAX 126
/* Every byte as \DDD, the dots, and the NUL, rounded up. */
#define DNS_NAME_TEXT_MAX 1024

struct dns_name {
	uint8_t len; /* 1 (the root) .. 255, with the closing zero */
	uint8_t b[DNS_NAME_MAX];
};

#define DNS_ROOT ((struct dns_name){ .len = 1, .b = { 0 } })

/*
 * Reads the name at `*at` of `message`, following pointers; on success `*at` is
 * behind the name's first piece. `compressed`: may there be pointers at all?
 */
enum drop dns_name_read(struct span message, size_t *at, bool compressed, struct dns_name *out);

/*
 * Text to name: labels with dots between, a dot at the end or not (all names
 * are absolute), escapes \X and \DDD (RFC 1035 5.1), "." for the root. False
 * for an empty label, one above 63 bytes, a name above 255 or a bad escape.
 */
bool dns_name_parse(struct span text, struct dns_name *out);
/* Name to text, absolute ("www.example.test."), escaped where not printable. Length, NUL-closed. */
size_t dns_name_format(const struct dns_name *name, char *out, size_t cap);

/* Equal but for the case of ASCII letters (RFC 4343). */
bool dns_name_equal(const struct dns_name *a, const struct dns_name *b);
/* Equal to the last bit of case, for questions in mixed case (draft-vixie-dnsext-dns0x20). */
bool dns_name_identical(const struct dns_name *a, const struct dns_name *b);
/* Is `name` equal to `zone` or below it? */
bool dns_name_within(const struct dns_name *name, const struct dns_name *zone);
/* Labels without the root's: 3 for "www.example.test." */
unsigned dns_name_labels(const struct dns_name *name);
/* Only letters, digits, hyphens, underscores: fit for HTTP, SMTP, logs (attack DNS-21). */
bool dns_name_is_hostname(const struct dns_name *name);
/* The name under which an address is looked up backwards (RFC 1035 3.5, RFC 3596 2.5). */
void dns_name_reverse(const struct addr *a, struct dns_name *out);

#endif
