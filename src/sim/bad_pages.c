/*
 * A connection is either reading a head or writing a response, which lies in its
 * buffer whole: so "at byte n" is a place in that buffer.
 */
#include "sim/bad_pages.h"

#include <stdio.h>
#include <stdlib.h>

#define CALLERS    8
#define HEAD_MAX   2048
#define PIECE      700 /* of a chunked body */
#define FRAMING    (256 + 10 * (BAD_PAGE_MAX / PIECE + 2))
#define GARBAGE    16
#define STALL_MOST 30000 /* milliseconds */

enum ill { ILL_NOT, ILL_STALLS, ILL_ENDS, ILL_RESETS, ILL_GARBAGE, ILLS };

struct caller {
	sock_id sock;   /* 0: none */
	size_t request; /* bytes of a head so far */
	size_t size, sent;
	enum ill ill;
	size_t ill_at;
	nanotime stalled; /* until then; 0: not */
	uint8_t head[HEAD_MAX];
	uint8_t response[BAD_PAGE_MAX + FRAMING];
};

struct bad_pages {
	struct app app;
	struct node *node;
	struct bad_pages_config config;
	struct sock_queue queue;
	struct rng rng;
	sock_id listener;
	struct caller caller[CALLERS];
};

/* ---- responses ---- */

static void put(struct caller *c, const char *text)
{
	size_t len = strlen(text);
	memcpy(c->response + c->size, text, len);
	c->size += len;
}

static void put_body(struct caller *c, uint64_t at, size_t len)
{
	for (size_t i = 0; i < len; i++)
		c->response[c->size++] = http_pattern(at + i);
}

static void put_chunked(struct caller *c, size_t len)
{
	char line[24];
	put(c, "Transfer-Encoding: chunked\r\n\r\n");
	for (size_t at = 0; at < len; at += PIECE) {
		size_t n = len - at < PIECE ? len - at : PIECE;
		snprintf(line, sizeof line, "%zx\r\n", n);
		put(c, line);
		put_body(c, at, n);
		put(c, "\r\n");
	}
	put(c, "0\r\n\r\n");
}

static void put_plain(struct caller *c, size_t len)
{
	char line[48];
	snprintf(line, sizeof line, "Content-Length: %zu\r\n\r\n", len);
	put(c, line);
	put_body(c, 0, len);
}

static void spoil(struct bad_pages *b, struct caller *c, unsigned page)
{
	c->ill = (enum ill)rng_below(&b->rng, ILLS);
	c->ill_at = rng_below(&b->rng, (uint32_t)c->size);
	if (c->ill != ILL_GARBAGE)
		return;
	b->config.spoiled[page] = true;
	for (size_t i = 0; i < GARBAGE && c->ill_at + i < c->size; i++)
		c->response[c->ill_at + i] = (uint8_t)rng_next(&b->rng);
}

/* "GET /7 HTTP/1.1": the page's number is its place in the table. */
static void respond(struct bad_pages *b, struct caller *c, nanotime now)
{
	const struct http_pages *pages = b->config.pages;
	unsigned long page = pages->count;
	if (c->head[5] >= '0' && c->head[5] <= '9')
		page = strtoul((const char *)c->head + 5, NULL, 10);
	c->size = c->sent = 0;
	c->ill = ILL_NOT;
	c->stalled = 0;
	if (page >= pages->count) {
		put(c, "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
		return;
	}
	put(c, "HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\n");
	if (rng_below(&b->rng, 2))
		put_chunked(c, pages->page[page].body.len);
	else
		put_plain(c, pages->page[page].body.len);
	if (now >= b->config.when.from && now < b->config.when.until)
		spoil(b, c, (unsigned)page);
}

/* ---- connections ---- */

static void hang_up(struct stack *s, struct caller *c, bool reset)
{
	if (reset)
		sock_abort(s, c->sock);
	else
		sock_close(s, c->sock);
	c->sock = 0;
}

/* Has it reached the byte at which it does ill? Then does so. True: nothing is written now. */
static bool does_ill(struct bad_pages *b, struct stack *s, struct caller *c, nanotime now)
{
	if (c->sent < c->ill_at)
		return false;
	switch (c->ill) {
	case ILL_STALLS:
		if (!c->stalled)
			c->stalled = now + (1 + rng_below(&b->rng, STALL_MOST)) * NANO_MS;
		return now < c->stalled;
	case ILL_ENDS:
	case ILL_RESETS: hang_up(s, c, c->ill == ILL_RESETS); return true;
	default: return false;
	}
}

/* True: the response is out. */
static bool write_on(struct bad_pages *b, struct stack *s, struct caller *c, nanotime now)
{
	while (c->sent < c->size) {
		if (does_ill(b, s, c, now))
			return false;
		bool whole = c->ill == ILL_NOT || c->ill == ILL_GARBAGE || c->sent >= c->ill_at;
		size_t until = whole ? c->size : c->ill_at;
		int64_t n = sock_write(s, c->sock, c->response + c->sent, until - c->sent);
		if (n == -ERR_AGAIN)
			return false;
		if (n < 0) {
			hang_up(s, c, true);
			return false;
		}
		c->sent += (size_t)n;
	}
	return true;
}

/* Takes bytes one by one until a head ends, so that what is behind it stays in the socket. */
static bool read_head(struct stack *s, struct caller *c)
{
	for (;;) {
		int64_t n = sock_read(s, c->sock, c->head + c->request, 1);
		if (n == -ERR_AGAIN)
			return false;
		if (n <= 0 || ++c->request == HEAD_MAX - 1) {
			hang_up(s, c, n < 0);
			return false;
		}
		c->head[c->request] = 0;
		if (c->request >= 4 && memcmp(c->head + c->request - 4, "\r\n\r\n", 4) == 0)
			return true;
	}
}

static void serve(struct bad_pages *b, struct stack *s, struct caller *c, nanotime now)
{
	while (c->sock) {
		if (c->sent < c->size && !write_on(b, s, c, now))
			return;
		if (!read_head(s, c))
			return;
		c->request = 0;
		respond(b, c, now);
	}
}

static void accept_callers(struct bad_pages *b, struct stack *s, nanotime now)
{
	struct sock_peer peer;
	sock_id id;
	while (sock_accept(s, b->listener, &b->queue, NULL, &id, &peer) == 0) {
		struct caller *free = NULL;
		for (unsigned i = 0; i < CALLERS; i++)
			if (!b->caller[i].sock)
				free = &b->caller[i];
		if (!free) {
			sock_abort(s, id);
			continue;
		}
		free->sock = id;
		free->request = free->size = free->sent = 0;
		sock_attach(s, id, &b->queue, free);
		serve(b, s, free, now);
	}
}

/* ---- the application ---- */

static void run(struct app *a, struct stack *s, nanotime now)
{
	struct bad_pages *b = list_entry(a, struct bad_pages, app);
	struct sock_event e;
	now = b->node->world->now;
	while (sock_next(s, &b->queue, &e))
		if (e.id == b->listener)
			accept_callers(b, s, now);
	for (unsigned i = 0; i < CALLERS; i++)
		if (b->caller[i].sock)
			serve(b, s, &b->caller[i], now);
}

static nanotime deadline(const struct app *a)
{
	const struct bad_pages *b = list_entry(a, struct bad_pages, app);
	nanotime next = NANOTIME_NEVER;
	for (unsigned i = 0; i < CALLERS; i++) {
		const struct caller *c = &b->caller[i];
		if (c->sock && c->stalled > b->node->world->now)
			next = nanotime_min(next, c->stalled);
	}
	return next;
}

struct bad_pages *bad_pages_new(struct node *n, const struct bad_pages_config *c)
{
	struct bad_pages *b = world_alloc(n->world, sizeof *b);
	sock_queue_init(&b->queue);
	const struct sock_options o = { .queue = &b->queue, .local_port = c->port };
	b->node = n;
	b->config = *c;
	b->app.run = run;
	b->app.deadline = deadline;
	world_rng(n->world, n->name, "pages", &b->rng);
	if (sock_listen(node_use(n), &o, &b->listener) < 0)
		return NULL;
	node_add_app(n, &b->app);
	return b;
}

void bad_pages_stop(struct bad_pages *b)
{
	struct stack *s = node_use(b->node);
	sock_close(s, b->listener);
	for (unsigned i = 0; i < CALLERS; i++)
		if (b->caller[i].sock)
			hang_up(s, &b->caller[i], false);
}
