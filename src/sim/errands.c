/*
 * The desk is one application that runs a fetch (application/http/fetch.h) with a
 * resolver of its own. Names are few, so that the resolver's cache is used, and
 * connections are kept, so that a page may come over one that has gone stale.
 */
#include "sim/errands.h"

#include <stdio.h>

#include "application/http/fetch.h"
#include "application/http/http_server.h"
#include "sim/bad_names.h"
#include "sim/bad_pages.h"
#include "sim/bad_visitors.h"

#define ARENA     (UINT32_C(4) << 20)
#define PATIENCE  (40 * NANO_S) /* of a fetch */
#define OVERDUE   (60 * NANO_S) /* nothing that has PATIENCE may need so long */
#define GOOD_PORT 80
#define BAD_PORT  8080
#define FORGED    "198.51.100.66"

struct errand {
	nanotime start, began; /* the time for it, and when it was */
	bool begun, ended;
	bool absent; /* the name does not exist */
	char url[48], path[8];
	uint32_t size; /* of the page */
	uint64_t got;
	bool altered; /* a byte was not the page's */
	bool forged;  /* an address was not the shop's */
	unsigned status;
	enum fetch_state state;
	enum fetch_problem problem;
};

struct errands {
	struct app app;
	struct errands_plan plan;
	struct resolver *resolver;
	struct http_client *client;
	struct fetch *fetch;
	struct bad_names *names;
	struct bad_pages *pages;
	struct http_server *server;
	struct http_pages table;
	struct http_page page[ERRANDS];
	bool spoiled[ERRANDS];
	unsigned at; /* the errand under way, or the next */
	struct errand errand[ERRANDS];
};

/* ---- at the desk ---- */

static int64_t take(void *user, struct span bytes)
{
	struct errand *x = user;
	for (size_t i = 0; i < bytes.len; i++)
		x->altered |= bytes.at[i] != http_pattern(x->got + i);
	x->got += bytes.len;
	return (int64_t)bytes.len;
}

static void check_addresses(const struct errands *e, struct errand *x, const struct lookup *l)
{
	for (unsigned i = 0; l && i < l->addresses; i++)
		x->forged |= !addr_equal(&l->address[i].address, &e->plan.shop4) &&
			!addr_equal(&l->address[i].address, &e->plan.shop6);
}

static void look(struct errands *e, struct errand *x)
{
	const struct fetch_info *i = fetch_info(e->fetch);
	check_addresses(e, x, i->lookup);
	if (i->state != FETCH_DONE && i->state != FETCH_FAILED)
		return;
	x->state = i->state;
	x->problem = i->problem;
	x->status = i->status;
	x->ended = true;
	fetch_cancel(e->fetch);
	e->at++;
}

static void begin(struct errands *e, struct errand *x, nanotime now)
{
	x->begun = true;
	x->began = now;
	fetch_start(e->fetch,
		&(struct fetch_request){ .url = span_of(x->url, strlen(x->url)),
			.timeout = PATIENCE,
			.sink = take,
			.user = x });
}

static void run(struct app *a, struct stack *s, nanotime now)
{
	struct errands *e = list_entry(a, struct errands, app);
	struct app *fetch = fetch_app(e->fetch);
	now = e->plan.desk->world->now;
	while (e->at < ERRANDS) {
		struct errand *x = &e->errand[e->at];
		if (!x->begun && now < x->start)
			break;
		if (!x->begun)
			begin(e, x, now);
		fetch->run(fetch, s, now);
		look(e, x);
		if (!x->ended)
			return;
	}
	fetch->run(fetch, s, now); /* kept connections age */
}

static nanotime deadline(const struct app *a)
{
	const struct errands *e = list_entry(a, struct errands, app);
	const struct app *fetch = fetch_app(e->fetch);
	nanotime next = fetch->deadline(fetch);
	if (e->at < ERRANDS && !e->errand[e->at].begun)
		next = nanotime_min(next, e->errand[e->at].start);
	return next;
}

/* ---- making it ---- */

static void draw(struct errands *e, struct rng *r, unsigned index)
{
	struct errand *x = &e->errand[index];
	const struct errands_plan *p = &e->plan;
	nanotime now = p->desk->world->now;
	uint32_t room = (uint32_t)((p->healed - now) / NANO_MS);
	bool last = index >= ERRANDS - ERRANDS_LAST, bad = rng_below(r, 2);
	x->absent = rng_below(r, 6) == 0 && !last;
	x->size = rng_below(r, 1u << (1 + rng_below(r, 15)));
	x->start = last ? p->healed + 5 * NANO_S * (index + 1)
			: now + room / (ERRANDS - ERRANDS_LAST) * index * NANO_MS;
	snprintf(x->path, sizeof x->path, "/%u", index);
	snprintf(x->url, sizeof x->url, "http://%c%u.example:%u/%u", x->absent ? 'n' : 'a',
		rng_below(r, 4), bad ? BAD_PORT : GOOD_PORT, index);
	e->page[index] = (struct http_page){
		.path = x->path, .body = span_of(NULL, x->size), .modified = HTTP_TIME_UNKNOWN
	};
}

static bool open_shop(struct errands *e)
{
	const struct errands_plan *p = &e->plan;
	struct world *w = p->shop->world;
	struct arena arena = { .at = world_alloc(w, ARENA), .size = ARENA };
	struct http_server_config c;
	const char *why;
	struct rng r;
	world_rng(w, "shop", "ttl", &r);
	struct bad_names_config names = {
		.a = p->shop4, .aaaa = p->shop6, .ttl = rng_below(&r, 60), .when = p->names
	};
	addr_parse(span_of(FORGED, strlen(FORGED)), &names.forged);
	e->names = bad_names_new(p->shop, &names);
	e->pages = bad_pages_new(p->shop,
		&(struct bad_pages_config){ .pages = &e->table,
			.spoiled = e->spoiled,
			.port = BAD_PORT,
			.when = p->pages });
	http_server_config_default(&c);
	c.port = GOOD_PORT;
	c.content = &http_pages_content;
	c.content_user = &e->table;
	c.connections = c.per_host = 32;
	c.heads = 16;
	world_rng(w, "shop", "secret", &r);
	rng_fill(&r, c.secret, sizeof c.secret);
	e->server = http_server_create(&c, node_use(p->shop), &arena, &why);
	if (!e->names || !e->pages || !e->server)
		return false;
	node_add_app(p->shop, http_server_app(e->server));
	return true;
}

static bool open_desk(struct errands *e)
{
	const struct errands_plan *p = &e->plan;
	struct world *w = p->desk->world;
	struct stack *s = node_use(p->desk);
	struct arena arena = { .at = world_alloc(w, ARENA), .size = ARENA };
	struct resolver_config rc;
	struct http_client_config hc;
	const char *why;
	struct rng r;
	world_rng(w, "desk", "resolver", &r);
	resolver_config_default(&rc);
	rc.server[rc.servers++] = p->shop4;
	rc.server[rc.servers++] = p->shop6;
	rng_fill(&r, rc.secret, sizeof rc.secret);
	http_client_config_default(&hc);
	e->resolver = resolver_create(&rc, s, &arena, &why);
	e->client = e->resolver ? http_client_create(&hc, s, &arena, &why) : NULL;
	if (!e->client)
		return false;
	e->fetch = fetch_create(&(struct fetch_config){ e->resolver, e->client }, s, &arena, &why);
	return e->fetch != NULL;
}

struct errands *errands_new(const struct errands_plan *p)
{
	struct world *w = p->desk->world;
	struct errands *e = world_alloc(w, sizeof *e);
	struct rng r;
	e->plan = *p;
	world_rng(w, "desk", "errands", &r);
	for (unsigned i = 0; i < ERRANDS; i++)
		draw(e, &r, i);
	http_pages_init(&e->table, e->page, ERRANDS);
	list_init(&e->app.link);
	if (!open_shop(e) || !open_desk(e)) {
		errands_stop(e);
		return NULL;
	}
	e->app.run = run;
	e->app.deadline = deadline;
	node_add_app(p->desk, &e->app);
	if (p->faults & FAULT_BIT(F62))
		bad_visitors_new(p->desk,
			&(struct bad_visitors_config){ .server = p->shop4,
				.port = GOOD_PORT,
				.path = "/1",
				.when = p->pages });
	return e;
}

/* ---- judging ---- */

bool errands_done(const struct errands *e)
{
	return e->at == ERRANDS;
}

static const char *judge(const struct errands *e, unsigned index)
{
	const struct errand *x = &e->errand[index];
	const struct errands_plan *p = &e->plan;
	nanotime now = p->desk->world->now;
	bool arrived = x->state == FETCH_DONE && x->status == 200;
	if (x->forged)
		return "F59: an address was believed that nobody true had told";
	if (!x->begun)
		return NULL;
	if (!x->ended)
		return now - x->began > OVERDUE ? "I20: it does not end" : NULL;
	if (x->absent && x->state == FETCH_DONE)
		return "F59: a name was found that does not exist";
	if (arrived && !e->spoiled[index] && (x->altered || x->got != x->size))
		return "F62: a page was called whole that was not";
	if (index >= ERRANDS - ERRANDS_LAST && !p->may_fail && !arrived)
		return "I20: it failed after all had healed";
	return NULL;
}

const char *errands_judge(const struct errands *e, char *text, size_t cap)
{
	for (unsigned i = 0; i < ERRANDS; i++) {
		const struct errand *x = &e->errand[i];
		const char *wrong = judge(e, i);
		if (!wrong)
			continue;
		snprintf(text, cap, "%s: errand %u, %s: %llu of %u bytes, %s, %s, status %u", wrong,
			i, x->url, (unsigned long long)x->got, x->size, fetch_state_text(x->state),
			fetch_problem_text(x->problem), x->status);
		return text;
	}
	return NULL;
}

void errands_tally(const struct errands *e, struct errands_tally *t)
{
	*t = (struct errands_tally){ .arrived = 0 };
	for (unsigned i = 0; i < ERRANDS; i++) {
		const struct errand *x = &e->errand[i];
		bool done = x->ended && x->state == FETCH_DONE;
		t->arrived += done && x->status == 200;
		t->refused += done && x->status != 200;
		t->failed += x->ended && !done;
		t->spoiled += e->spoiled[i];
		t->late += done && i >= ERRANDS - ERRANDS_LAST;
	}
}

void errands_stop(struct errands *e)
{
	struct node *desk = e->plan.desk, *shop = e->plan.shop;
	node_use(desk);
	list_remove(&e->app.link);
	if (e->fetch)
		fetch_cancel(e->fetch);
	if (e->client)
		http_client_destroy(e->client);
	if (e->resolver)
		resolver_destroy(e->resolver);
	if (e->names)
		bad_names_stop(e->names);
	if (e->pages)
		bad_pages_stop(e->pages);
	if (e->server)
		http_server_stop(e->server, node_use(shop), shop->world->now);
}
