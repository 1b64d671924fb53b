/*
 * What part of a representation a GET or HEAD is answered with: preconditions in
 * the order of RFC 9110 13.2.2, then Range (14.2). One range gives 206; several
 * are merged, and where they do not become one, the whole is sent with 200, as is
 * for more than 16 (attack H1-16). None that can be satisfied: 416.
 */
#ifndef STRATA_APPLICATION_HTTP_SELECT_H
#define STRATA_APPLICATION_HTTP_SELECT_H

#include "application/http/content.h"
#include "wire/http1.h"

#define HTTP_RANGES_MAX 16

struct http_selection {
	unsigned status;        /* 200, 206, 304, 412, 416 */
	uint64_t first, length; /* of the bytes to send (200, 206) */
};

/* `now` is the wall clock in seconds since 1970. */
struct http_selection http_select(
	const struct http1_head *h, const struct http_entity *e, int64_t now);

#endif
