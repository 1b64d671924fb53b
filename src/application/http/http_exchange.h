/*
 * One exchange of the HTTP client, from the inside: private to the client.
 * http_exchange.c moves it, http_client.c has the connections that wait for the
 * next one.
 */
#ifndef STRATA_APPLICATION_HTTP_EXCHANGE_H
#define STRATA_APPLICATION_HTTP_EXCHANGE_H

#include "application/http/http_client.h"
#include "base/list.h"

/* A connection between two exchanges. */
struct http_kept {
	struct list link; /* least recently used first; or unused */
	sock_id sock;
	nanotime expires;
	uint16_t port;
	uint8_t host_len;
	char host[URL_HOST_MAX];
};

struct http_slot {
	struct http_exchange x; /* first: the user's pointer */
	struct list link;       /* in client->active, or ->unused */
	bool busy;
	bool connected;
	bool idempotent; /* may be sent again: RFC 9110 9.2.2 */
	struct http_request request;
	nanotime deadline; /* of the step; see moved */
	nanotime moved;    /* when a byte went either way last */
	/* The request */
	uint8_t *head;
	size_t head_len, head_sent, body_sent;
	/* The response */
	struct http1_parser parser;
	struct http1_field *field;
	uint8_t *storage;
	struct http1_chunked coding;
	uint64_t left;   /* of a body of known length */
	uint64_t total;  /* body bytes lent to the caller so far */
	struct span run; /* body bytes in the receive queue, lent and not yet taken */
};

struct http_client {
	struct app app;
	struct http_client_config config;
	struct http_client_counters counters;
	struct stack *stack;
	struct sock_queue queue;      /* of exchanges: user is the slot */
	struct sock_queue kept_queue; /* of kept connections: user is the struct http_kept */
	struct http_slot *slot;
	struct list active, unused; /* slots */
	struct list kept, kept_unused;
};

/* Moves it as far as it goes now. */
void http_slot_run(struct http_client *c, struct http_slot *slot, nanotime now);
void http_slot_expire(struct http_client *c, struct http_slot *slot, nanotime now);
nanotime http_slot_deadline(const struct http_client *c, const struct http_slot *slot);
/* Starts: on this connection, or (0) by dialling. */
void http_slot_begin(struct http_client *c, struct http_slot *slot, sock_id sock, nanotime now);
void http_slot_fail(struct http_client *c, struct http_slot *slot, enum http_problem problem,
	enum error error, nanotime now);

bool http_method_idempotent(struct span method);

/* Keeps a connection for the next exchange with that host, or closes it. */
void http_client_keep(struct http_client *c, const struct http_slot *slot, nanotime now);

#endif
