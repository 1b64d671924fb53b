/*
 * http and https URLs (RFC 3986, RFC 9110 4.2), taken apart without copying.
 * Refused, with a sentence that says what and where: other schemes, userinfo
 * (RFC 9110 4.2.4: a way to disguise a host), blanks, control and non-ASCII
 * bytes, percent signs without two digits, ports that are none, numbers that
 * only look like an IPv4 address. The fragment is cut off: it stays at home.
 */
#ifndef STRATA_WIRE_URL_H
#define STRATA_WIRE_URL_H

#include "base/addr.h"

#define URL_MAX      8000
#define URL_HOST_MAX 253

/*       name        text */
#define URL_ERRORS(X) \
	X(NONE, "no error") \
	X(EMPTY, "URL is empty") \
	X(LONG, "URL is longer than 8000 bytes") \
	X(BYTE, "URL has a blank, a control character or a byte beyond ASCII; write it as %XX") \
	X(PERCENT, "'%' is not followed by two hexadecimal digits") \
	X(SCHEME, "URL does not begin with http:// or https://") \
	X(USERINFO, "URL has a user name or '@' before the host") \
	X(HOST_EMPTY, "URL has no host") \
	X(HOST_BYTE, "host has a byte that no host name has") \
	X(HOST_LABEL, "host has an empty label, or one of more than 63 bytes") \
	X(HOST_LONG, "host is longer than 253 bytes") \
	X(HOST_NUMBER, "host is made of numbers but is no IPv4 address") \
	X(HOST_LITERAL, "what stands between '[' and ']' is no IPv6 address") \
	X(PORT, "port is not a number from 1 to 65535") \
	X(PATH, "path or query has a byte that no URI has; write it as %XX")

enum url_error {
#define URL_ERROR_ENUM(name, text) URL_##name,
	URL_ERRORS(URL_ERROR_ENUM)
#undef URL_ERROR_ENUM
		URL_ERROR_COUNT
};
const char *url_error_text(enum url_error e);

struct url {
	bool secure;           /* https */
	struct span authority; /* host[:port] as written: the Host field's value */
	struct span host;      /* without brackets; a name or an address */
	bool has_addr;         /* host is an address: see addr */
	struct addr addr;
	uint16_t port; /* 80 or 443 where none is written */
	bool has_port;
	struct span path;  /* "/..." or empty */
	struct span query; /* without '?'; see has_query */
	bool has_query;
};

/*
 * `text` may lack "http://" where `scheme_optional` (what a person types).
 * On an error `*at` (may be NULL) is the offset that it is about.
 */
enum url_error url_parse(struct span text, bool scheme_optional, struct url *out, size_t *at);
/* host[:port], as in Host fields and authority form: the same checks. */
enum url_error url_authority_parse(struct span text, struct url *out, size_t *at);
/* The request target in origin form: path or "/", and "?query". Length, or 0: does not fit. */
size_t url_target(const struct url *u, uint8_t *out, size_t cap);

#endif
