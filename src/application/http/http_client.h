/*
 * The HTTP/1.1 client: exchanges (one request, one response) over connections
 * that are kept and used again (RFC 9112 9.3). The response's body is pulled:
 * what is not read stays in the receive queue, and the window tells the server.
 *
 * A reused connection that ends before the first byte of a response is not an
 * error for a request that may be repeated (RFC 9110 9.2.2): it is sent again on
 * a new one. Interim responses are passed over, 16 at most (attack H1-15). A body
 * that ends early (by its length, its chunks, or a reset) is an error, never a
 * short success.
 *
 * Polled like the resolver: start, let it run, look at the exchange.
 */
#ifndef STRATA_APPLICATION_HTTP_CLIENT_H
#define STRATA_APPLICATION_HTTP_CLIENT_H

#include "application/dial.h"
#include "base/arena.h"
#include "socket/app.h"
#include "wire/http1_chunked.h"
#include "wire/url.h"

#define HTTP_INTERIM_MAX 16

struct http_client_config {
	uint32_t exchanges;         /* at once: 4 */
	uint32_t idle;              /* connections kept for reuse: 8 */
	uint32_t request_max;       /* bytes of a request's head: 16384 */
	struct http1_limits limits; /* of a response's head */
	nanodiff stagger;           /* between attempts: DIAL_STAGGER */
	nanodiff connect_timeout;   /* until one address is connected: 30 s */
	nanodiff stall_timeout;     /* without a byte either way: 60 s */
	nanodiff keep;              /* an idle connection is kept: 30 s */
	uint64_t body_max;          /* largest body taken; 0: any */
	const char *agent;          /* User-Agent; NULL: none */
};

void http_client_config_default(struct http_client_config *c);
const char *http_client_config_check(const struct http_client_config *c);

/* All spans are borrowed until the exchange has finished. */
struct http_request {
	struct span method;    /* empty: GET */
	struct span authority; /* Host's value: host[:port] */
	struct span host;      /* the connection's key with port */
	uint16_t port;
	struct span target; /* "/path?query" */
	/* More fields. Host, User-Agent, Accept or Content-Length here replace ours; with
	 * a value whose `at` is NULL they are left out. */
	const struct http1_field *field;
	unsigned fields;
	struct span body;
	bool has_body;
	bool fresh; /* not on a kept connection */
};

/* The step at which an exchange is, or at which it failed. */
enum http_step {
	HTTP_CONNECT, /* reaching the host */
	HTTP_SEND,    /* writing the request */
	HTTP_WAIT,    /* for the response's head */
	HTTP_BODY,
	HTTP_DONE,
};

/*       name           text */
#define HTTP_PROBLEMS(X) \
	X(NONE, "no problem") \
	X(CONNECT, "could not connect") \
	X(FAMILY, "the host has only addresses of a family that this machine has not") \
	X(RESET, "the server broke the connection off") \
	X(EMPTY, "the server closed the connection without a response") \
	X(TIMEOUT, "timed out") \
	X(REQUEST, "the request can't be written as HTTP") \
	X(SYNTAX, "the response is not valid HTTP/1.1") \
	X(INTERIM, "the server sends interim responses without end") \
	X(TRUNCATED, "the response ended before its last byte") \
	X(TOO_LARGE, "the response is larger than allowed") \
	X(UPGRADE, "the server switched to another protocol") \
	X(CANCELLED, "cancelled")

enum http_problem {
#define HTTP_PROBLEM_ENUM(name, text) HTTP_PROBLEM_##name,
	HTTP_PROBLEMS(HTTP_PROBLEM_ENUM)
#undef HTTP_PROBLEM_ENUM
		HTTP_PROBLEM_COUNT
};
const char *http_problem_text(enum http_problem problem);

/* NANOTIME_NEVER where it has not happened. On a reused connection connect_* do not happen. */
struct http_times {
	nanotime started;
	nanotime connect_started, connected;
	nanotime request_started, request_sent; /* first and last byte handed to the socket */
	nanotime first_byte, head_done;         /* of the response */
	nanotime last_byte;
};

/* What a caller may look at; lives until http_exchange_release. */
struct http_exchange {
	enum http_step step;
	enum http_problem problem;     /* NONE while it goes well */
	enum error error;              /* the socket's, where there is one */
	enum http1_error syntax;       /* for SYNTAX */
	const struct http1_head *head; /* the final response's; NULL before it is complete */
	struct http1_body framing;
	struct span request; /* the head as sent */
	uint64_t body_bytes; /* of the response, taken by the caller */
	unsigned interim;    /* 1xx responses passed over */
	bool reused;         /* on a kept connection */
	unsigned resent;     /* times a kept connection had gone stale */
	struct sock_peer local, remote;
	bool needs_addresses; /* http_exchange_addresses, or it gets no further */
	sock_id sock;         /* for sock_tcp_info; 0: none now */
	struct http_times times;
	struct dial dial; /* the attempts that were made */
};

struct http_client;
struct http_client *http_client_create(
	const struct http_client_config *c, struct stack *s, struct arena *arena, const char **why);
struct app *http_client_app(struct http_client *c);
/* Ends all exchanges, closes all connections and takes it out of its loop. The arena's memory may
 * be used otherwise then; exchanges that were not released are gone. */
void http_client_destroy(struct http_client *c);

/* NULL and *error: ERR_LIMIT (all exchanges in use), ERR_ARGUMENT (the request breaks HTTP). Uses a
 * kept connection where one is there, else waits for addresses. */
struct http_exchange *http_exchange_start(
	struct http_client *c, const struct http_request *r, enum error *error);
/* Adds addresses of the host; `more`: others may follow, so a failure of all is not the end yet. */
void http_exchange_addresses(struct http_client *c, struct http_exchange *x,
	const struct addr *address, unsigned count, bool more);
/* Is a kept connection there for this host and port? Then no name need be resolved. */
bool http_client_has(const struct http_client *c, struct span host, uint16_t port);
/*
 * The body without a copy: a run of its bytes, until http_exchange_consume. 1 and
 * *out; 0 at its end; -ERR_AGAIN: nothing yet; other -(enum error): failed.
 */
int http_exchange_peek(struct http_client *c, struct http_exchange *x, struct span *out);
void http_exchange_consume(struct http_client *c, struct http_exchange *x, size_t len);
/* The same with a copy. Bytes; 0 at the end; -ERR_AGAIN; other -(enum error). */
int64_t http_exchange_read(struct http_client *c, struct http_exchange *x, void *to, size_t cap);
/* Ends it where it has not (the connection is reset); what is known stays readable. */
void http_exchange_cancel(struct http_client *c, struct http_exchange *x);
/* The same, and frees it. */
void http_exchange_release(struct http_client *c, struct http_exchange *x);

/* Closes all kept connections. */
void http_client_forget(struct http_client *c);
struct http_client_counters {
	uint64_t exchanges, connections, reused, stale, failed;
};
const struct http_client_counters *http_client_counters(const struct http_client *c);

#endif
