/* Both visits are an application's state and a predicate that the world runs to. */
#include "support/visitor.h"

#include <stdio.h>
#include <stdlib.h>

#define PATIENCE (600 * NANO_S)

static bool is_over(void *user)
{
	return ((const struct lookup *)user)->status != RESOLVER_PENDING;
}

int visitor_resolve(struct lab *l, const char *name, unsigned flags, struct addr *out)
{
	struct resolver_config c;
	const char *why;
	enum error error;
	struct world *w = lab_world(l);
	struct stack *s = node_use(lab_client(l));
	const size_t size = 4 << 20;
	struct arena arena = { .at = world_alloc(w, size), .size = size };
	resolver_config_default(&c);
	c.servers = lab_dns_servers(l, c.server, RESOLVER_SERVERS_MAX);
	c.message_max = 4096;
	struct rng secret;
	world_rng(w, "visitor", name, &secret);
	rng_fill(&secret, c.secret, sizeof c.secret);
	struct resolver *r = resolver_create(&c, s, &arena, &why);
	if (!r) {
		fprintf(stderr, "visitor: %s\n", why);
		return -1;
	}
	struct app *app = resolver_app(r);
	node_add_app(lab_client(l), app);
	struct lookup *found = resolver_host(r, span_of(name, strlen(name)), flags, &error);
	int count = -1;
	if (found && world_run(w, w->now + PATIENCE, is_over, found) == WORLD_DONE &&
		found->status == RESOLVER_FOUND) {
		count = (int)found->addresses;
		for (unsigned i = 0; i < found->addresses; i++)
			out[i] = found->address[i].address;
	}
	if (found)
		lookup_release(r, found);
	list_remove(&app->link);
	return count;
}

struct visit {
	struct app app;
	struct sock_queue queue;
	sock_id sock;
	char request[200];
	size_t sent, len;
	uint8_t *got;
	size_t count, cap;
	enum error error;
	bool over;
};

static void end(struct visit *v, struct stack *s, enum error error)
{
	v->error = error;
	v->over = true;
	sock_close(s, v->sock);
}

static void run_visit(struct app *a, struct stack *s, nanotime now)
{
	struct visit *v = list_entry(a, struct visit, app);
	struct sock_event e;
	(void)now;
	while (sock_next(s, &v->queue, &e))
		if (e.events & EVENT_ERROR)
			return end(v, s, sock_error(s, v->sock));
	if (!v->over && v->sent < v->len && (sock_poll(s, v->sock) & EVENT_WRITABLE)) {
		int64_t n = sock_write(s, v->sock, v->request + v->sent, v->len - v->sent);
		v->sent += n > 0 ? (size_t)n : 0;
	}
	while (!v->over) {
		if (v->cap - v->count < 4096)
			v->got = realloc(v->got, v->cap = v->cap * 2 + 8192);
		int64_t n = sock_read(s, v->sock, v->got + v->count, v->cap - v->count);
		if (n == -ERR_AGAIN || n == -ERR_STATE)
			return;
		if (n <= 0)
			return end(v, s, (enum error) - n);
		v->count += (size_t)n;
	}
}

static bool visit_over(void *user)
{
	return ((const struct visit *)user)->over;
}

static int64_t get(struct lab *l, const struct addr *server, const char *path, bool fast_open,
	uint8_t **out)
{
	struct visit v = { .app.run = run_visit };
	struct world *w = lab_world(l);
	struct stack *s = node_use(lab_client(l));
	v.len = (size_t)snprintf(v.request, sizeof v.request,
		"GET %s HTTP/1.1\r\nHost: www.example.test\r\nConnection: close\r\n\r\n", path);
	sock_queue_init(&v.queue);
	struct sock_options o = { .queue = &v.queue, .fast_open = fast_open };
	int e = sock_connect(s, &o, server, 80, &v.sock);
	if (e < 0)
		return e;
	node_add_app(lab_client(l), &v.app);
	enum world_end how = world_run(w, w->now + PATIENCE, visit_over, &v);
	list_remove(&v.app.link);
	if (how != WORLD_DONE) {
		fprintf(stderr, "visitor: %s: %s\n", world_end_name(how), world_why(w));
		v.error = ERR_TIMEOUT;
	}
	if (v.error) {
		free(v.got);
		return -(int64_t)v.error;
	}
	*out = v.got;
	return (int64_t)v.count;
}

int64_t visitor_get(struct lab *l, const struct addr *server, const char *path, uint8_t **out)
{
	return get(l, server, path, false, out);
}

int64_t visitor_get_fast(struct lab *l, const struct addr *server, const char *path, uint8_t **out)
{
	return get(l, server, path, true, out);
}

struct span visitor_body(struct span response)
{
	for (size_t i = 0; i + 4 <= response.len; i++)
		if (memcmp(response.at + i, "\r\n\r\n", 4) == 0)
			return span_after(response, i + 4);
	return span_of(response.at, 0);
}
