/*
 * A web server that says what a test tells it to: for each connection one script
 * of bytes, sent when a whole request head has come (or at once), in pieces, and
 * then FIN, RST or nothing.
 */
#ifndef STRATA_TESTS_WEB_PUPPET_H
#define STRATA_TESTS_WEB_PUPPET_H

#include <string.h>

#include "support/duo.h"

#define WEB_CONNECTIONS 16

enum web_end { WEB_KEEP, WEB_FIN, WEB_RST };

struct web_script {
	const char *bytes; /* for each request on the connection; NULL: silence */
	size_t len;        /* 0: up to the NUL */
	enum web_end end;
	bool at_once;     /* before any request */
	unsigned replies; /* requests that are answered before `end`; 0: one */
	size_t after;     /* not before so many bytes have come */
};

struct web_puppet {
	struct app app;
	struct duo_host *host;
	struct sock_queue queue;
	sock_id listener;
	struct web_script script[WEB_CONNECTIONS];
	size_t piece;      /* bytes at once; 0: all */
	nanodiff interval; /* between pieces */
	unsigned accepted;
	struct {
		sock_id sock;
		char in[70000];
		size_t in_len, parsed;
		unsigned requests, replied;
		size_t at;
		nanotime next;
		bool ending; /* at `next` */
	} conn[WEB_CONNECTIONS];
};

static void web_puppet_serve(struct web_puppet *p, unsigned i, struct stack *s, nanotime now)
{
	struct web_script *script = &p->script[i];
	size_t len = script->len ? script->len : script->bytes ? strlen(script->bytes) : 0;
	int64_t n;

	while (p->conn[i].sock && p->conn[i].in_len + 1 < sizeof p->conn[i].in &&
		(n = sock_read(s, p->conn[i].sock, p->conn[i].in + p->conn[i].in_len,
			 sizeof p->conn[i].in - 1 - p->conn[i].in_len)) > 0)
		p->conn[i].in_len += (size_t)n;
	p->conn[i].in[p->conn[i].in_len] = '\0';
	for (char *end; (end = strstr(p->conn[i].in + p->conn[i].parsed, "\r\n\r\n"));) {
		p->conn[i].parsed = (size_t)(end + 4 - p->conn[i].in);
		p->conn[i].requests++;
	}
	unsigned due = p->conn[i].requests + script->at_once;
	if (p->conn[i].ending && now >= p->conn[i].next) {
		sock_abort(s, p->conn[i].sock);
		p->conn[i].sock = 0;
	}
	while (p->conn[i].sock && script->bytes && p->conn[i].replied < due && !p->conn[i].ending &&
		now >= p->conn[i].next && p->conn[i].in_len >= script->after) {
		size_t want = len - p->conn[i].at;
		if (p->piece && want > p->piece)
			want = p->piece;
		n = want ? sock_write(s, p->conn[i].sock, script->bytes + p->conn[i].at, want) : 0;
		if (n < 0)
			return;
		p->conn[i].at += (size_t)n;
		p->conn[i].next = now + p->interval;
		if (p->conn[i].at < len)
			continue;
		p->conn[i].at = 0;
		p->conn[i].replied++;
		bool last = p->conn[i].replied >= (script->replies ? script->replies : 1);
		if (!last || script->end == WEB_KEEP)
			continue;
		if (script->end == WEB_RST) { /* behind the bytes, not instead of them */
			p->conn[i].ending = true;
			p->conn[i].next = now + 5 * NANO_MS;
			continue;
		}
		sock_close(s, p->conn[i].sock);
		p->conn[i].sock = 0;
	}
}

static void web_puppet_run(struct app *a, struct stack *s, nanotime now)
{
	struct web_puppet *p = list_entry(a, struct web_puppet, app);
	struct sock_event e;
	struct sock_peer peer;
	sock_id sock;

	while (sock_next(s, &p->queue, &e))
		;
	while (sock_accept(s, p->listener, &p->queue, NULL, &sock, &peer) == 0) {
		assert_true(p->accepted < WEB_CONNECTIONS);
		p->conn[p->accepted++].sock = sock;
		sock_set_nodelay(s, sock, true);
	}
	for (unsigned i = 0; i < p->accepted; i++)
		web_puppet_serve(p, i, s, now);
}

static nanotime web_puppet_deadline(const struct app *a)
{
	const struct web_puppet *p = list_entry(a, const struct web_puppet, app);
	nanotime first = NANOTIME_NEVER;
	for (unsigned i = 0; i < p->accepted; i++)
		if (p->conn[i].sock && (p->conn[i].at > 0 || p->conn[i].ending) &&
			p->conn[i].next > p->host->duo->now)
			first = nanotime_min(first, p->conn[i].next);
	return first;
}

static inline void web_puppet_open(struct web_puppet *p, struct duo_host *h, uint16_t port)
{
	memset(p, 0, sizeof *p);
	p->host = h;
	p->app.run = web_puppet_run;
	p->app.deadline = web_puppet_deadline;
	sock_queue_init(&p->queue);
	struct sock_options o = { .queue = &p->queue, .local_port = port };
	assert_int_equal(sock_listen(duo_use(h), &o, &p->listener), 0);
	duo_add(h, &p->app);
}

#endif
