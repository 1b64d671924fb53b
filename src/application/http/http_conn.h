/*
 * One connection of the HTTP server: its state and the steps that move it. The
 * server (http_server.c) accepts, keeps time and hands events on; http_conn.c
 * moves bytes; http_respond.c turns a request's head into a response's. Private
 * to the server.
 */
#ifndef STRATA_APPLICATION_HTTP_CONN_H
#define STRATA_APPLICATION_HTTP_CONN_H

#include "application/http/http_date.h"
#include "application/http/http_hosts.h"
#include "application/http/http_server.h"
#include "base/list.h"
#include "base/wheel.h"

/* Free bytes in the send queue without which no response is begun: a head and a short text. */
#define HTTP_RESPONSE_ROOM 2048

enum http_conn_state {
	HTTP_CONN_IDLE,    /* no byte of a request is here */
	HTTP_CONN_QUEUED,  /* bytes are, but no buffer to read the head into */
	HTTP_CONN_HEAD,    /* reading a head */
	HTTP_CONN_BODY,    /* reading and dropping the request's body */
	HTTP_CONN_RESPOND, /* the response's head waits for room */
	HTTP_CONN_SEND,    /* sending the response's body */
	HTTP_CONN_LINGER,  /* FIN is sent; reading until the peer's */
};

/* "Date: ... CRLF Server: ... CRLF" */
#define HTTP_SECOND_MAX 128

/* A head being read, with what it points into. */
struct http_head_buffer {
	struct http1_parser parser;
	struct http1_field *field;
	uint8_t *storage;
};

struct http_conn {
	struct timer timer;
	struct list link; /* in server->queued or ->runnable */
	struct list all;  /* in server->conns */
	sock_id sock;
	uint8_t state;     /* enum http_conn_state */
	bool keep_alive;   /* after this response */
	bool head_only;    /* the response has no body */
	bool chunked;      /* the response's body is sent in chunks */
	bool open;         /* entity is */
	bool fixed_status; /* the response was decided before its request was understood */
	bool refused;      /* one connection too many: counts for nothing */
	nanotime deadline; /* the timer may fire earlier */
	nanotime started;  /* the request's first byte */
	bool draining;     /* quiet, but the peer has not taken all: `acked` is how far it was */
	uint64_t moved;    /* bytes in this stall window */
	uint64_t acked;
	uint32_t requests;
	struct http_host *host;
	struct sock_peer peer;
	struct http_head_buffer *head;
	struct http1_body body; /* the request's, and what is left of it */
	struct http1_chunked coding;
	/* The response */
	unsigned status;
	const char *reason; /* of a refusal */
	struct http_entity entity;
	uint64_t at, left; /* of the entity */
	uint64_t sent;
	uint8_t method_len, target_len; /* for the log */
	char method[HTTP1_METHOD_MAX];
	char target[HTTP_LOG_TARGET_MAX - 1];
};

struct http_server {
	struct app app;
	struct http_server_config config;
	struct http_server_counters counters;
	struct sock_queue queue;
	sock_id listener;
	struct wheel wheel;
	struct pool pool;  /* struct http_conn */
	struct pool heads; /* struct http_head_buffer with its storage */
	struct http_hosts hosts;
	struct list conns;
	struct list queued;   /* waiting for a head buffer */
	struct list runnable; /* have got what they waited for */
	bool stopping;
	int64_t second; /* that `second_lines` are for: Date and Server */
	size_t second_len;
	uint8_t second_lines[HTTP_SECOND_MAX];
	int64_t modified; /* that `modified_text` says */
	char modified_text[HTTP_DATE_MAX];
};

/* Goes on with a connection until it waits for something, or is gone. */
void http_conn_run(struct http_server *h, struct http_conn *c, struct stack *s, nanotime now);
/* Its deadline has come. */
void http_conn_expire(struct http_server *h, struct http_conn *c, struct stack *s, nanotime now);
/* Frees it; `reset` with RST, else FIN. Logs what was under way. */
void http_conn_close(struct http_server *h, struct http_conn *c, struct stack *s, nanotime now,
	bool reset, const char *reason);
/* The deadline is `after` from now. */
void http_conn_deadline(struct http_server *h, struct http_conn *c, nanotime now, nanodiff after);

/* Decides what a complete head deserves; sets c->body and whether it is answered at once. */
void http_understand(struct http_server *h, struct http_conn *c, struct stack *s);
/* Opens what was asked for and writes the response's head. False: there was no room yet. */
bool http_respond(struct http_server *h, struct http_conn *c, struct stack *s, nanotime now);
/* The response will be this refusal, and the connection ends with it. */
void http_refuse(struct http_conn *c, unsigned status, const char *reason);
void http_head_give(struct http_server *h, struct http_conn *c);

#endif
