/*
 * Sockets report to one queue with their connection as user pointer; timers are
 * in one wheel. A run handles the events that are there, then the connections
 * that have got a head buffer, then the timers that are due: its work is in
 * proportion to what happened.
 *
 * Some connections more than allowed are accepted, only to be told 503: a client
 * that learns why can do something about it. Beyond those it is a reset.
 */
#include "application/http/http_conn.h"

#define REFUSALS 16 /* connections that are being told 503 */
#define NAME_MAX 64

static void run(struct app *a, struct stack *s, nanotime now);
static nanotime deadline(const struct app *a);

void http_server_config_default(struct http_server_config *c)
{
	*c = (struct http_server_config){
		.port = 80,
		.index = "index.html",
		.name = "strata",
		.connections = 1024,
		.per_host = 256,
		.heads = 256,
		.limits = http1_limits_default,
		.body_max = 1 << 20,
		.head_timeout = 10 * NANO_S,
		.idle_timeout = 60 * NANO_S,
		.stall_window = 10 * NANO_S,
		.rate_min = 100,
		.linger = 2 * NANO_S,
	};
}

static bool fits(const char *s, size_t max)
{
	size_t len = 0;
	while (len <= max && s[len])
		len++;
	return len <= max && http1_is_value(span_of(s, len));
}

const char *http_server_config_check(const struct http_server_config *c)
{
	if (!c->content)
		return "HTTP server: no content";
	if (c->port == 0)
		return "HTTP server: port is 0";
	if (!c->index || !c->index[0] || !fits(c->index, NAME_MAX))
		return "HTTP server: index is no file name";
	if (c->name && !fits(c->name, NAME_MAX))
		return "HTTP server: name is no field value, or too long";
	if (c->connections == 0 || c->connections > 1 << 20)
		return "HTTP server: connections must be 1 to 2^20";
	if (c->per_host == 0 || c->heads == 0)
		return "HTTP server: per_host and heads must be at least 1";
	if (c->limits.head < 1024 || c->limits.fields == 0 || c->limits.method == 0 ||
		c->limits.method > HTTP1_METHOD_MAX)
		return "HTTP server: limits of heads are too small, or of methods too large";
	if (c->head_timeout <= 0 || c->idle_timeout <= 0 || c->stall_window < NANO_S ||
		c->linger <= 0)
		return "HTTP server: times must be positive, stall_window at least 1 s";
	return NULL;
}

struct http_server *http_server_create(
	const struct http_server_config *c, struct stack *s, struct arena *arena, const char **why)
{
	*why = http_server_config_check(c);
	if (*why)
		return NULL;

	uint32_t connections = c->connections + REFUSALS;
	size_t head = sizeof(struct http_head_buffer) +
		c->limits.fields * sizeof(struct http1_field) + c->limits.head;
	struct http_server measured;
	struct http_server *h = arena_take(arena, sizeof *h, _Alignof(struct http_server));
	struct http_server *at = h ? h : &measured;
	struct hash_key key;
	memcpy(&key, c->secret, sizeof key);
	*at = (struct http_server){ .app = { .run = run, .deadline = deadline }, .config = *c };
	bool enough = pool_init(&at->pool, arena, sizeof(struct http_conn),
		_Alignof(struct http_conn), connections);
	enough &= pool_init(&at->heads, arena, head, _Alignof(struct http_head_buffer), c->heads);
	enough &= http_hosts_init(&at->hosts, arena, connections, &key);
	if (!h || !enough) {
		*why = "HTTP server: not enough memory";
		return NULL;
	}

	list_init(&h->app.link);
	list_init(&h->conns);
	list_init(&h->queued);
	list_init(&h->runnable);
	sock_queue_init(&h->queue);
	wheel_init(&h->wheel, stack_time(s));
	struct sock_options o = { .queue = &h->queue,
		.local = c->address,
		.local_port = c->port,
		.backlog = c->backlog,
		.fast_open = c->fast_open };
	if (sock_listen(s, &o, &h->listener) < 0) {
		*why = "HTTP server: port can't be had";
		return NULL;
	}
	return h;
}

struct app *http_server_app(struct http_server *h)
{
	return &h->app;
}

const struct http_server_counters *http_server_counters(const struct http_server *h)
{
	return &h->counters;
}

/* ---- connections ---- */

/* Is this one too many? Then why. */
static const char *unwelcome(const struct http_server *h, const struct http_conn *c)
{
	if (h->stopping)
		return "the server is being stopped";
	if (h->counters.connections >= h->config.connections)
		return "too many connections";
	if (c->host->connections > h->config.per_host)
		return "too many connections from your address";
	return NULL;
}

static void admit(struct http_server *h, struct stack *s, sock_id sock,
	const struct sock_peer *peer, nanotime now)
{
	struct http_conn *c = pool_take(&h->pool);

	if (!c) {
		h->counters.refused++;
		sock_abort(s, sock);
		return;
	}
	memset(c, 0, sizeof *c);
	list_init(&c->link);
	timer_init(&c->timer, 0);
	c->sock = sock;
	c->peer = *peer;
	c->started = now;
	c->host = http_hosts_take(&h->hosts, &peer->address);
	list_push_back(&h->conns, &c->all);
	sock_attach(s, sock, &h->queue, c);
	sock_set_nodelay(s, sock, true);

	const char *why = unwelcome(h, c);
	c->refused = why != NULL;
	if (why) {
		h->counters.refused++;
		http_refuse(c, 503, why);
		c->state = HTTP_CONN_RESPOND;
		http_conn_deadline(h, c, now, h->config.linger);
	} else {
		h->counters.accepted++;
		h->counters.connections++;
		c->state = HTTP_CONN_IDLE;
		http_conn_deadline(h, c, now, h->config.idle_timeout);
	}
	http_conn_run(h, c, s, now);
}

static void accept_connections(struct http_server *h, struct stack *s, nanotime now)
{
	struct sock_peer peer;
	sock_id sock;

	while (sock_accept(s, h->listener, &h->queue, NULL, &sock, &peer) == 0)
		admit(h, s, sock, &peer, now);
}

void http_server_stop(struct http_server *h, struct stack *s, nanotime now)
{
	if (h->stopping)
		return;
	h->stopping = true;
	sock_close(s, h->listener);
	list_each_safe(pos, &h->conns)
	{
		struct http_conn *c = list_entry(pos, struct http_conn, all);
		c->keep_alive = false;
		if (c->state == HTTP_CONN_IDLE)
			http_conn_close(h, c, s, now, false, NULL);
	}
}

/* ---- the application ---- */

static void run(struct app *a, struct stack *s, nanotime now)
{
	struct http_server *h = list_entry(a, struct http_server, app);
	struct sock_event e;
	struct timer *t;

	while (sock_next(s, &h->queue, &e)) {
		struct http_conn *c = e.user;
		if (e.id == h->listener)
			accept_connections(h, s, now);
		else if (c && c->sock == e.id)
			http_conn_run(h, c, s, now);
	}
	while ((t = wheel_expired(&h->wheel, now)))
		http_conn_expire(h, list_entry(t, struct http_conn, timer), s, now);
	for (struct list *l; (l = list_pop_front(&h->runnable));)
		http_conn_run(h, list_entry(l, struct http_conn, link), s, now);
}

static nanotime deadline(const struct app *a)
{
	return wheel_next(&list_entry(a, const struct http_server, app)->wheel);
}
