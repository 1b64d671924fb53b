/*
 * Addresses. Every network address in Strata is one 16-byte type: an IPv6
 * address, or an IPv4 address in its mapped form ::ffff:a.b.c.d (RFC 4291
 * 2.5.5.2). The mapped form never goes on the wire: the IPv4 codec writes the
 * last four bytes, and the IPv6 receive path drops mapped sources.
 */
#ifndef STRATA_BASE_ADDR_H
#define STRATA_BASE_ADDR_H

#include "base/span.h"

struct addr {
	union {
		uint8_t b[16];
		uint64_t w[2]; /* for comparing and hashing, in memory order */
	};
};

struct mac {
	uint8_t b[6];
};

#define ADDR_LITTLE (__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__)
/* the second word of a mapped IPv4 address, but for that address */
#define ADDR_MAPPED (ADDR_LITTLE ? UINT64_C(0xffff0000) : UINT64_C(0xffff) << 32)
#define ADDR_ANY ((struct addr){ .b = { 0 } })
#define MAC_BROADCAST ((struct mac){ .b = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff } })
#define ADDR_TEXT_MAX 46 /* with the closing NUL */
#define MAC_TEXT_MAX 18

static inline struct addr addr_from4(const uint8_t *four)
{
	uint32_t last;
	memcpy(&last, four, 4);
	struct addr a = { .w = { 0, ADDR_MAPPED } };
	a.w[1] |= ADDR_LITTLE ? (uint64_t)last << 32 : last; /* not by bytes: it may be read next */
	return a;
}

static inline struct addr addr_from6(const uint8_t *sixteen)
{
	struct addr a;
	memcpy(a.b, sixteen, 16);
	return a;
}

static inline bool addr_equal(const struct addr *a, const struct addr *b)
{
	return a->w[0] == b->w[0] && a->w[1] == b->w[1];
}

static inline bool addr_is4(const struct addr *a)
{
	return a->w[0] == 0 && a->b[8] == 0 && a->b[9] == 0 && a->b[10] == 0xff &&
	       a->b[11] == 0xff;
}

/* IPv4 address as a host-order number; only for addr_is4 addresses. */
static inline uint32_t addr_four(const struct addr *a)
{
	return load32(a->b + 12);
}

/* :: or 0.0.0.0 */
static inline bool addr_is_any(const struct addr *a)
{
	return a->w[0] == 0 && (a->w[1] == 0 || (addr_is4(a) && addr_four(a) == 0));
}

static inline bool addr_is_multicast(const struct addr *a)
{
	return addr_is4(a) ? (a->b[12] & 0xf0) == 0xe0 : a->b[0] == 0xff;
}

static inline bool addr_is_loopback(const struct addr *a)
{
	if (addr_is4(a))
		return a->b[12] == 127;
	return a->w[0] == 0 && load64(a->b + 8) == 1;
}

/* fe80::/10 or 169.254.0.0/16 */
static inline bool addr_is_linklocal(const struct addr *a)
{
	if (addr_is4(a))
		return a->b[12] == 169 && a->b[13] == 254;
	return a->b[0] == 0xfe && (a->b[1] & 0xc0) == 0x80;
}

static inline bool mac_equal(const struct mac *a, const struct mac *b)
{
	return memcmp(a->b, b->b, 6) == 0;
}

/* Do the first `prefix` bits agree? For IPv4, `prefix` counts its own 32 bits. */
bool addr_in_prefix(const struct addr *a, const struct addr *net, unsigned prefix);

/*
 * Text. addr_parse takes dotted quad or RFC 4291 text (no zone, no port);
 * addr_parse_prefix also takes "/len" (without it: 32 or 128). addr_format
 * writes the canonical form (RFC 5952) with a NUL and returns its length.
 */
bool addr_parse(struct span text, struct addr *out);
bool addr_parse_prefix(struct span text, struct addr *out, unsigned *prefix);
size_t addr_format(const struct addr *a, char out[ADDR_TEXT_MAX]);
bool mac_parse(struct span text, struct mac *out);
size_t mac_format(const struct mac *m, char out[MAC_TEXT_MAX]);

#endif
