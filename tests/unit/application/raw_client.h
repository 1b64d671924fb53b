/*
 * A client that is nothing but a TCP connection: sends the bytes a test gives it,
 * as fast or slowly as told, and keeps what comes back.
 */
#ifndef STRATA_TESTS_RAW_CLIENT_H
#define STRATA_TESTS_RAW_CLIENT_H

#include <string.h>

#include "support/duo.h"

#define RAW_MAX (4u << 20)

struct raw {
	struct app app;
	struct duo_host *host;
	struct sock_queue queue;
	sock_id sock;
	bool deaf; /* does not read */
	const uint8_t *out;
	size_t out_len, out_at;
	size_t piece;      /* bytes written at once; 0: all */
	nanodiff interval; /* between pieces */
	nanotime next;
	char *in; /* what came, with a NUL */
	size_t in_len;
	bool ended, failed;
	enum error error;
	nanotime last; /* when something came last */
};

static void raw_run(struct app *a, struct stack *s, nanotime now)
{
	struct raw *r = list_entry(a, struct raw, app);
	struct sock_event e;

	while (sock_next(s, &r->queue, &e))
		;
	if (!r->sock)
		return;
	while (r->out_at < r->out_len && now >= r->next) {
		size_t n = r->out_len - r->out_at;
		if (r->piece && n > r->piece)
			n = r->piece;
		int64_t took = sock_write(s, r->sock, r->out + r->out_at, n);
		if (took <= 0)
			break;
		r->out_at += (size_t)took;
		r->next = now + r->interval;
	}
	while (!r->deaf && !r->ended && r->in_len < RAW_MAX) {
		int64_t n = sock_read(s, r->sock, r->in + r->in_len, RAW_MAX - r->in_len);
		if (n == -ERR_AGAIN)
			break;
		r->last = now;
		if (n > 0) {
			r->in_len += (size_t)n;
			continue;
		}
		r->ended = true;
		r->failed = n < 0;
		r->error = n < 0 ? (enum error) - n : ERR_OK;
	}
	r->in[r->in_len] = '\0';
}

static nanotime raw_deadline(const struct app *a)
{
	const struct raw *r = list_entry(a, const struct raw, app);
	return r->interval && r->out_at < r->out_len && r->next > 0 ? r->next : NANOTIME_NEVER;
}

static inline void raw_open(struct raw *r, struct duo_host *h, const char *to, uint16_t port)
{
	struct addr a = address(to);
	*r = (struct raw){ .host = h, .in = malloc(RAW_MAX + 1) };
	r->app.run = raw_run;
	r->app.deadline = raw_deadline;
	r->in[0] = '\0';
	sock_queue_init(&r->queue);
	struct sock_options o = { .queue = &r->queue, .nodelay = true };
	assert_int_equal(sock_connect(duo_use(h), &o, &a, port, &r->sock), 0);
	duo_add(h, &r->app);
}

static inline void raw_send(struct raw *r, const void *bytes, size_t len)
{
	r->out = bytes;
	r->out_len = len;
	r->out_at = 0;
}

static inline void raw_text(struct raw *r, const char *text)
{
	raw_send(r, text, strlen(text));
}

static inline void raw_close(struct raw *r)
{
	if (r->sock)
		sock_abort(duo_use(r->host), r->sock);
	list_remove(&r->app.link);
	free(r->in);
}

static bool raw_ended(void *user)
{
	return ((struct raw *)user)->ended;
}

/* Everything that comes until the server closes, or for at most `limit`. */
static inline bool raw_finish(struct raw *r, nanodiff limit)
{
	return duo_run(r->host->duo, limit, raw_ended, r);
}

static inline unsigned raw_count(const struct raw *r, const char *what)
{
	unsigned n = 0;
	for (const char *at = r->in; (at = strstr(at, what)); at++)
		n++;
	return n;
}

#endif
