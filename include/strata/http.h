/*
 * HTTP/1.1 (RFC 9110, RFC 9112), as a client: one request, its whole response
 * in memory.
 */
#ifndef STRATA_HTTP_H
#define STRATA_HTTP_H

#include "strata/net.h"

#ifdef __cplusplus
extern "C" {
#endif

struct strata_http_field {
	const char *name, *value;
};

/* What is left zero takes the default. */
struct strata_http_options {
	const char *method;  /* "GET" or "HEAD"; NULL: GET */
	const struct strata_http_field *field; /* added to the request */
	unsigned fields;
	int64_t timeout;     /* ns for everything together; 0: 60 s; STRATA_FOREVER */
	size_t content_max;  /* bytes; 0: 64 MB */
	unsigned redirects;  /* how many to follow: none unless asked for */
};

struct strata_http_response {
	unsigned status;     /* 200 */
	const char *reason;  /* "OK"; may be empty */
	const char *url;     /* the one that answered, after redirects */
	unsigned redirects;  /* how many were followed */
	struct strata_address server;
	const struct strata_http_field *field; /* as received, in their order */
	unsigned fields;
	const uint8_t *content; /* without its transfer coding; a NUL follows it */
	size_t content_len;
};

/*
 * Gets a page, "http://host[:port]/path". NULL: STRATA_E_ARGUMENT (the URL), STRATA_E_UNSUPPORTED
 * (https), STRATA_E_MALFORMED, STRATA_E_LIMIT, and what strata_connect gives. A status like 404 is
 * no error. `options` may be NULL. The response is the caller's, to be freed by strata_http_free.
 * NET.
 */
STRATA_API struct strata_http_response *strata_http_get(struct strata *net, const char *url,
							const struct strata_http_options *options);
/* The first field of that name (in any case), or NULL. ANY. */
STRATA_API const char *strata_http_field(const struct strata_http_response *response,
					 const char *name);
/* NULL is allowed. OWN. */
STRATA_API void strata_http_free(struct strata_http_response *response);

#ifdef __cplusplus
}
#endif
#endif
