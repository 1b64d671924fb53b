/*
 * Slots for exchanges and for kept connections, all from the arena at start. A
 * kept connection that has anything to say before it is used again has nothing
 * to say to us: it is closed.
 */
#include "application/http/http_exchange.h"

static void run(struct app *a, struct stack *s, nanotime now);
static nanotime deadline(const struct app *a);

static const char *const problems[] = {
#define HTTP_PROBLEM_TEXT(name, text) text,
	HTTP_PROBLEMS(HTTP_PROBLEM_TEXT)
#undef HTTP_PROBLEM_TEXT
};

const char *http_problem_text(enum http_problem problem)
{
	return problems[problem];
}

void http_client_config_default(struct http_client_config *c)
{
	*c = (struct http_client_config){
		.exchanges = 4,
		.idle = 8,
		.request_max = 16384,
		.limits = http1_limits_default,
		.stagger = DIAL_STAGGER,
		.connect_timeout = 30 * NANO_S,
		.stall_timeout = 60 * NANO_S,
		.keep = 30 * NANO_S,
		.agent = "strata",
	};
}

static struct span span_of_string(const char *s)
{
	size_t len = 0;
	while (s[len])
		len++;
	return span_of(s, len);
}

const char *http_client_config_check(const struct http_client_config *c)
{
	if (c->exchanges == 0)
		return "HTTP client: exchanges must be at least 1";
	if (c->request_max < 256)
		return "HTTP client: request_max must be at least 256";
	if (c->limits.head < 256 || c->limits.fields == 0)
		return "HTTP client: limits of heads are too small";
	if (c->stagger <= 0 || c->connect_timeout <= 0 || c->stall_timeout <= 0 || c->keep < 0)
		return "HTTP client: times must be positive";
	if (c->agent && !http1_is_value(span_of_string(c->agent)))
		return "HTTP client: agent is no field value";
	return NULL;
}

struct http_client *http_client_create(
	const struct http_client_config *c, struct stack *s, struct arena *arena, const char **why)
{
	*why = http_client_config_check(c);
	if (*why)
		return NULL;

	uint32_t n = c->exchanges;
	struct http_client *h = arena_take(arena, sizeof *h, _Alignof(struct http_client));
	struct http_slot *slot = arena_take(arena, n * sizeof *slot, _Alignof(struct http_slot));
	struct http_kept *kept = arena_take(
		arena, c->idle * sizeof *kept, _Alignof(struct http_kept));
	uint8_t *heads = arena_take(arena, (size_t)n * c->request_max, 8);
	uint8_t *storage = arena_take(arena, n * c->limits.head, 8);
	struct http1_field *field = arena_take(
		arena, (size_t)n * c->limits.fields * sizeof *field, _Alignof(struct http1_field));
	if (!h || !slot || !kept || !heads || !storage || !field) {
		*why = "HTTP client: not enough memory";
		return NULL;
	}
	*h = (struct http_client){
		.app = { .run = run, .deadline = deadline }, .config = *c, .stack = s, .slot = slot
	};
	list_init(&h->app.link);
	list_init(&h->active);
	list_init(&h->unused);
	list_init(&h->kept);
	list_init(&h->kept_unused);
	sock_queue_init(&h->queue);
	sock_queue_init(&h->kept_queue);
	for (uint32_t i = 0; i < n; i++) {
		slot[i].busy = false;
		slot[i].head = heads + (size_t)i * c->request_max;
		slot[i].storage = storage + i * c->limits.head;
		slot[i].field = field + (size_t)i * c->limits.fields;
		list_push_back(&h->unused, &slot[i].link);
	}
	for (uint32_t i = 0; i < c->idle; i++)
		list_push_back(&h->kept_unused, &kept[i].link);
	return h;
}

struct app *http_client_app(struct http_client *c)
{
	return &c->app;
}

const struct http_client_counters *http_client_counters(const struct http_client *c)
{
	return &c->counters;
}

/* ---- kept connections ---- */

static void forget(struct http_client *c, struct http_kept *k)
{
	list_remove(&k->link);
	list_push_back(&c->kept_unused, &k->link);
}

static bool is_for(const struct http_kept *k, struct span host, uint16_t port)
{
	if (k->port != port || k->host_len != host.len)
		return false;
	for (size_t i = 0; i < host.len; i++) {
		uint8_t b = host.at[i];
		if ((char)(b >= 'A' && b <= 'Z' ? b | 0x20 : b) != k->host[i])
			return false;
	}
	return true;
}

static struct http_kept *find_kept(const struct http_client *c, struct span host, uint16_t port)
{
	/* The one used last is the one that is likeliest to live. */
	for (struct list *pos = c->kept.prev; pos != &c->kept; pos = pos->prev) {
		struct http_kept *k = list_entry(pos, struct http_kept, link);
		if (is_for(k, host, port) && sock_error(c->stack, k->sock) == ERR_OK)
			return k;
	}
	return NULL;
}

bool http_client_has(const struct http_client *c, struct span host, uint16_t port)
{
	return find_kept(c, host, port) != NULL;
}

void http_client_keep(struct http_client *c, const struct http_slot *slot, nanotime now)
{
	struct span host = slot->request.host;

	if (list_empty(&c->kept_unused) && !list_empty(&c->kept)) {
		struct http_kept *oldest = list_entry(c->kept.next, struct http_kept, link);
		sock_close(c->stack, oldest->sock);
		forget(c, oldest);
	}
	struct list *link = list_pop_front(&c->kept_unused);
	if (!link || host.len > URL_HOST_MAX || c->config.keep == 0) {
		if (link)
			list_push_back(&c->kept_unused, link);
		sock_close(c->stack, slot->x.sock);
		return;
	}
	struct http_kept *k = list_entry(link, struct http_kept, link);
	k->sock = slot->x.sock;
	k->expires = now + c->config.keep;
	k->port = slot->request.port;
	k->host_len = (uint8_t)host.len;
	for (size_t i = 0; i < host.len; i++) {
		uint8_t b = host.at[i];
		k->host[i] = (char)(b >= 'A' && b <= 'Z' ? b | 0x20 : b);
	}
	list_push_back(&c->kept, link);
	sock_attach(c->stack, k->sock, &c->kept_queue, k);
}

/* A kept connection has news: all but "you may write" ends it. */
static void look_at_kept(struct http_client *c, struct http_kept *k)
{
	uint32_t bad = EVENT_READABLE | EVENT_PEER_CLOSED | EVENT_ERROR | EVENT_CLOSED;

	if (sock_poll(c->stack, k->sock) & bad) {
		sock_close(c->stack, k->sock);
		forget(c, k);
	}
}

void http_client_forget(struct http_client *c)
{
	while (!list_empty(&c->kept)) {
		struct http_kept *k = list_entry(c->kept.next, struct http_kept, link);
		sock_close(c->stack, k->sock);
		forget(c, k);
	}
}

void http_client_destroy(struct http_client *c)
{
	for (uint32_t i = 0; i < c->config.exchanges; i++)
		if (c->slot[i].busy)
			http_exchange_release(c, &c->slot[i].x);
	http_client_forget(c);
	list_remove(&c->app.link);
}

/* ---- requests ---- */

/* Has the caller a field of that name? */
static bool given(const struct http_request *r, const char *name)
{
	for (unsigned i = 0; i < r->fields; i++)
		if (http1_name_is(r->field[i].name, name))
			return true;
	return false;
}

static bool put_field(struct http1_builder *b, const struct http1_field *f)
{
	char name[256];

	if (!f->value.at)
		return true;
	if (f->name.len >= sizeof name)
		return false;
	memcpy(name, f->name.at, f->name.len);
	name[f->name.len] = '\0';
	/* A NUL in the name would hide its rest. */
	if (!http1_is_token(f->name))
		return false;
	http1_build_field(b, name, f->value);
	return true;
}

/* Writes the request's head. Its length, or 0: it breaks HTTP, or is too long. */
static size_t put_head(const struct http_client *c, const struct http_request *r, uint8_t *out)
{
	struct http1_builder b;
	bool wants_body = span_equal(r->method, span_of("POST", 4)) ||
		span_equal(r->method, span_of("PUT", 3)) ||
		span_equal(r->method, span_of("PATCH", 5));

	http1_build_request(&b, out, c->config.request_max, r->method, r->target);
	if (!given(r, "Host"))
		http1_build_field(&b, "Host", r->authority);
	if (c->config.agent && !given(r, "User-Agent"))
		http1_build_string(&b, "User-Agent", c->config.agent);
	if (!given(r, "Accept"))
		http1_build_string(&b, "Accept", "*/*");
	for (unsigned i = 0; i < r->fields; i++)
		if (!put_field(&b, &r->field[i]))
			return 0;
	/* RFC 9110 8.6: also "nothing" is told, where the method leads to expect something. */
	if ((r->has_body || wants_body) && !given(r, "Content-Length"))
		http1_build_number(&b, "Content-Length", r->body.len);
	return http1_build_end(&b);
}

struct http_exchange *http_exchange_start(
	struct http_client *c, const struct http_request *r, enum error *error)
{
	struct list *link = c->unused.next;
	nanotime now = stack_time(c->stack);

	*error = list_empty(&c->unused) ? ERR_LIMIT : ERR_OK;
	if (*error)
		return NULL;
	struct http_slot *slot = list_entry(link, struct http_slot, link);
	slot->request = *r;
	if (r->method.len == 0)
		slot->request.method = r->has_body ? span_of("POST", 4) : span_of("GET", 3);
	if (!r->has_body)
		slot->request.body = span_of(NULL, 0);
	slot->head_len = put_head(c, &slot->request, slot->head);
	if (slot->head_len == 0) {
		*error = ERR_ARGUMENT;
		return NULL;
	}

	slot->x = (struct http_exchange){ .request = span_of(slot->head, slot->head_len) };
	slot->x.times = (struct http_times){ .started = now,
		.connect_started = NANOTIME_NEVER,
		.connected = NANOTIME_NEVER,
		.request_started = NANOTIME_NEVER,
		.request_sent = NANOTIME_NEVER,
		.first_byte = NANOTIME_NEVER,
		.head_done = NANOTIME_NEVER,
		.last_byte = NANOTIME_NEVER };
	slot->busy = true;
	slot->connected = false;
	slot->idempotent = http_method_idempotent(slot->request.method);
	slot->run = span_of(NULL, 0);
	slot->left = slot->total = 0;
	list_remove(link);
	list_push_back(&c->active, link);
	c->counters.exchanges++;

	/* What must not be sent twice is not sent where it may get lost. */
	struct http_kept *k = r->fresh || !slot->idempotent ? NULL : find_kept(c, r->host, r->port);
	sock_id sock = k ? k->sock : 0;
	if (k) {
		forget(c, k);
		c->counters.reused++;
	}
	http_slot_begin(c, slot, sock, now);
	http_slot_run(c, slot, now);
	return &slot->x;
}

void http_exchange_cancel(struct http_client *c, struct http_exchange *x)
{
	struct http_slot *slot = list_entry(x, struct http_slot, x);

	assert(slot->busy);
	http_slot_fail(c, slot, HTTP_PROBLEM_CANCELLED, ERR_ABORTED, stack_time(c->stack));
}

void http_exchange_release(struct http_client *c, struct http_exchange *x)
{
	struct http_slot *slot = list_entry(x, struct http_slot, x);

	http_exchange_cancel(c, x);
	slot->busy = false;
	list_push_back(&c->unused, &slot->link);
}

/* ---- the application ---- */

static void run(struct app *a, struct stack *s, nanotime now)
{
	struct http_client *c = list_entry(a, struct http_client, app);
	struct sock_event e;

	while (sock_next(s, &c->kept_queue, &e)) {
		struct http_kept *k = e.user;
		if (k->sock == e.id)
			look_at_kept(c, k);
	}
	while (sock_next(s, &c->queue, &e))
		http_slot_run(c, e.user, now);
	list_each_safe(pos, &c->active)
		http_slot_expire(c, list_entry(pos, struct http_slot, link), now);
	while (!list_empty(&c->kept)) {
		struct http_kept *k = list_entry(c->kept.next, struct http_kept, link);
		if (now < k->expires)
			break;
		sock_close(s, k->sock);
		forget(c, k);
	}
}

static nanotime deadline(const struct app *a)
{
	const struct http_client *c = list_entry(a, const struct http_client, app);
	nanotime first = NANOTIME_NEVER;

	list_each(pos, &c->active) first = nanotime_min(
		first, http_slot_deadline(c, list_entry(pos, const struct http_slot, link)));
	if (!list_empty(&c->kept))
		first = nanotime_min(
			first, list_entry(c->kept.next, const struct http_kept, link)->expires);
	return first;
}
