/*
 * Fetching what a URL names: URL -> addresses -> connection -> request ->
 * response, following redirects where asked (RFC 9110 15.4). Composes the
 * resolver and the client, which it runs itself, into one application with one
 * state, one set of times and one sentence when it fails: what, why, what to do.
 *
 *	struct fetch *f = fetch_create(&config, stack, arena, &why);
 *	fetch_start(f, &request);
 *	... the loop runs fetch_app(f), until fetch_info(f)->state is DONE or FAILED;
 *	... the body goes to request.sink, or is pulled with fetch_read
 */
#ifndef STRATA_APPLICATION_FETCH_H
#define STRATA_APPLICATION_FETCH_H

#include "application/dns/resolver.h"
#include "application/http/http_client.h"

#define FETCH_REDIRECTS_MAX 10
#define FETCH_TEXT_MAX      1024

struct fetch_config {
	struct resolver *resolver; /* NULL: only addresses can be fetched from */
	struct http_client *client;
};

struct fetch_request {
	struct span url;    /* "http://" may be left out */
	struct span method; /* empty: GET, or POST with a body */
	const struct http1_field *field;
	unsigned fields;
	struct span body;
	bool has_body;
	bool follow;            /* redirects */
	unsigned redirects_max; /* 0: FETCH_REDIRECTS_MAX */
	unsigned families;      /* LOOKUP_A, LOOKUP_AAAA or both (0) */
	nanodiff timeout;       /* for all of it; 0: none */
	/* Takes body bytes: how many (0: later, call fetch_resume), or -(enum error) to stop. NULL:
	 * fetch_read. Called from within run; must not call back into the fetch. */
	int64_t (*sink)(void *user, struct span bytes);
	void *user;
};

enum fetch_state {
	FETCH_IDLE,
	FETCH_RESOLVING,
	FETCH_CONNECTING,
	FETCH_SENDING,
	FETCH_WAITING, /* for the response */
	FETCH_BODY,
	FETCH_DONE,
	FETCH_FAILED,
};
const char *fetch_state_text(enum fetch_state state); /* "looking the name up" */

/*       name         text */
#define FETCH_PROBLEMS(X) \
	X(NONE, "no problem") \
	X(URL, "bad URL") \
	X(TLS, "https is not supported") \
	X(NAME, "name not found") \
	X(DNS, "no usable answer from DNS") \
	X(FAMILY, "no address of a family that this machine has") \
	X(REFUSED, "connection refused") \
	X(RESET, "connection reset") \
	X(UNREACHABLE, "host unreachable") \
	X(TIMEOUT, "timed out") \
	X(REQUEST, "bad request") \
	X(RESPONSE, "bad response") \
	X(TRUNCATED, "response cut short") \
	X(REDIRECT, "bad redirect") \
	X(LIMIT, "limit reached") \
	X(SINK, "could not store the response") \
	X(LOCAL, "could not open a connection") \
	X(CANCELLED, "cancelled")

enum fetch_problem {
#define FETCH_PROBLEM_ENUM(name, text) FETCH_PROBLEM_##name,
	FETCH_PROBLEMS(FETCH_PROBLEM_ENUM)
#undef FETCH_PROBLEM_ENUM
		FETCH_PROBLEM_COUNT
};
const char *fetch_problem_text(enum fetch_problem problem);
const char *fetch_problem_name(enum fetch_problem problem); /* "REFUSED" */

/* NANOTIME_NEVER where it has not happened; of the last hop, but for `started`. */
struct fetch_times {
	nanotime started;
	nanotime dns_started, dns_done;
	struct http_times http;
	nanotime done;
};

struct fetch_info {
	enum fetch_state state;
	enum fetch_problem problem;
	enum fetch_state failed_at; /* the step that failed */
	enum error error;           /* the socket's or resolver's, where there is one */
	enum url_error url_error;
	size_t url_at;  /* where in the URL */
	struct url url; /* of the last hop; lent by the fetch */
	struct span url_text;
	unsigned redirects;                   /* followed */
	const struct lookup *lookup;          /* of the last hop; NULL: none was needed */
	const struct http_exchange *exchange; /* of the last hop; NULL: not reached */
	unsigned status;                      /* of the response; 0: none */
	uint64_t body_bytes;
	struct fetch_times times;
	char text[FETCH_TEXT_MAX]; /* FAILED: one line, what, why and what to do */
};

struct fetch;
struct fetch *fetch_create(
	const struct fetch_config *c, struct stack *s, struct arena *arena, const char **why);
struct app *fetch_app(struct fetch *f);
/* Starts; the spans stay the caller's until it has ended. A URL that can't be used fails at once
 * (see info). ERR_STATE: still busy with the one before. */
enum error fetch_start(struct fetch *f, const struct fetch_request *r);
const struct fetch_info *fetch_info(const struct fetch *f);
/* Without a sink: bytes of the body, 0 at its end, -ERR_AGAIN, other -(enum error). */
int64_t fetch_read(struct fetch *f, void *to, size_t cap);
/* The sink can take more. */
void fetch_resume(struct fetch *f);
/* Ends what runs, releases what the last fetch held; fetch_start may follow. */
void fetch_cancel(struct fetch *f);

#endif
