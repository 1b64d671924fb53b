/*
 * An HTTP/1.1 server (RFC 9110, RFC 9112) for GET and HEAD over a content
 * provider. Driven by readiness: an event names its connection, and the work for
 * it does not depend on how many others there are. An idle connection holds its
 * struct and nothing else; a head being read holds one buffer of a pool, given
 * back when the request has been understood. A response is read from the
 * provider straight into the send queue, as much as it has room for: a client
 * that does not read costs nothing but its queue, and stops being served when
 * its rate falls below the minimum.
 *
 * Refused with a status: what the parser refuses (400, 414, 431, 501, 505), slow
 * heads (408), bodies over the limit (413), other methods (405), bad paths (400),
 * more connections than allowed (503). After an error that leaves the request's
 * end unknown, the connection is closed gently (RFC 9112 9.6): FIN, then what
 * still comes is read and dropped for a while, so that no RST takes the response
 * away from the client.
 */
#ifndef STRATA_APPLICATION_HTTP_SERVER_H
#define STRATA_APPLICATION_HTTP_SERVER_H

#include "application/http/content.h"
#include "base/arena.h"
#include "socket/app.h"
#include "wire/http1_chunked.h"

#define HTTP_LOG_TARGET_MAX 256

/* One request answered, or one that could not be read. The spans are lent for the call. */
struct http_access {
	struct sock_peer peer;
	struct span method; /* empty: the head could not be read */
	struct span target; /* cut at HTTP_LOG_TARGET_MAX */
	unsigned status;    /* 0: the connection ended without a response */
	uint64_t bytes;     /* of body sent */
	nanotime started;   /* its first byte came */
	nanodiff duration;  /* until its last byte was handed to the socket */
	bool complete;      /* false: cut off */
	const char *reason; /* why it was refused or cut off, or "" */
};

struct http_server_config {
	struct addr address; /* ::, or one of ours */
	uint16_t port;       /* 80 */
	const struct http_content *content;
	void *content_user;
	const char *index;     /* "index.html": what a folder's '/' stands for */
	const char *name;      /* the Server field; NULL: none */
	nanodiff wall_offset;  /* wall clock (ns since 1970) minus nanotime */
	uint32_t connections;  /* at once: 1024 */
	uint32_t per_host;     /* of these from one IPv4 address or IPv6 /64: 256 */
	uint32_t heads;        /* requests being read at once, about 20 KB each: 256 */
	uint32_t backlog;      /* 0: the stack's maximum */
	uint32_t fast_open;    /* first requests in SYNs at once (RFC 7413 5.1); 0: none */
	uint32_t requests_max; /* on one connection: 0: no limit */
	struct http1_limits limits;
	uint64_t body_max;     /* request body that is read (and dropped): 1 MiB; above: 413 */
	nanodiff head_timeout; /* from a head's first byte to its last: 10 s; then 408 */
	nanodiff idle_timeout; /* between requests: 60 s */
	nanodiff stall_window; /* a transfer moves rate_min bytes a second, averaged over: 10 s */
	uint32_t rate_min;     /* 100 */
	nanodiff linger;       /* 2 s */
	uint8_t secret[16];    /* keys the table of hosts */
	/* Called from within run; must not call back into the server. May be NULL. */
	void (*log)(void *user, const struct http_access *a);
	void *log_user;
};

void http_server_config_default(struct http_server_config *c); /* no content, no secret */
const char *http_server_config_check(const struct http_server_config *c);

struct http_server_counters {
	uint64_t accepted, refused, requests, timeouts, aborted;
	uint64_t status[6]; /* responses 1xx .. 5xx at [1] .. [5] */
	uint64_t body_bytes;
	uint32_t connections; /* now */
};

struct http_server;
/* NULL and *why: broken config, arena too small, port taken. */
struct http_server *http_server_create(
	const struct http_server_config *c, struct stack *s, struct arena *arena, const char **why);
struct app *http_server_app(struct http_server *h);
const struct http_server_counters *http_server_counters(const struct http_server *h);
/* No new connections; what is being answered is finished, then closed. Done when none is left. */
void http_server_stop(struct http_server *h, struct stack *s, nanotime now);

#endif
