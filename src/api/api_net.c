/*
 * Opening and closing, entering and leaving, waiting.
 *
 * A net with a thread: the thread sleeps in ppoll without the lock, takes it for
 * one turn of the loop, and events that the turn brings wake those who wait. A
 * caller holds the lock for its call and sends what became ready itself, so a
 * write costs no change of threads. The thread steps back once where callers
 * want the lock, because a mutex alone would let it win every time on a busy
 * link.
 *
 * A net without: the caller of a call that waits is the one who runs the loop,
 * or the world, until what he waits for has come. Being inside is marked, so
 * that a second thread is found out.
 */
#include "api/api_net.h"

#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <time.h>

#include "host/hostclock.h"

#define DEFAULT_LINGER  (5 * NANO_S)
#define COURTESY        (500 * NANO_MS) /* for the peer's FIN, when ours is acknowledged */
#define CONNECTIONS_MAX 500000u
#define LAB_DAY         (24 * 3600 * NANO_S)
#define TIMER_SLACK     1000ul /* ns by which the system may delay the thread's timers */

/* ---- entering and leaving ---- */

struct stack *net_use(struct strata *n)
{
	return site_use(n->site);
}

struct stack *net_enter(struct strata *n)
{
	if (!n) {
		api_null_handle();
		return NULL;
	}
	if (n->drive == NET_THREAD) {
		atomic_fetch_add_explicit(&n->wanting, 1, memory_order_relaxed);
		pthread_mutex_lock(&n->lock);
		atomic_fetch_sub_explicit(&n->wanting, 1, memory_order_relaxed);
	} else {
		bool taken = atomic_exchange_explicit(n->inside, true, memory_order_acquire);
		assert(!taken && "a net without a thread of its own is for one thread at a time");
	}
	n->calls++;
	return net_use(n);
}

void net_leave(struct strata *n)
{
	site_flush(n->site);
	n->calls--;
	if (n->drive == NET_THREAD)
		pthread_mutex_unlock(&n->lock);
	else
		atomic_store_explicit(n->inside, false, memory_order_release);
}

/* ---- waiting ---- */

nanotime net_deadline(const struct strata *n, int64_t limit)
{
	nanotime now = site_now(n->site);
	if (limit < 0 || limit > NANOTIME_NEVER - 1 - now)
		return NANOTIME_NEVER;
	return now + limit;
}

/* Gives the lock back until `changed` is signalled, or until the deadline. */
static enum error sleep_on(struct strata *n, pthread_cond_t *changed, nanotime deadline)
{
	if (n->gone)
		return ERR_NO_DEVICE;
	if (deadline == NANOTIME_NEVER) {
		pthread_cond_wait(changed, &n->lock);
		return ERR_OK;
	}
	struct timespec t = { .tv_sec = deadline / NANO_S, .tv_nsec = deadline % NANO_S };
	return pthread_cond_timedwait(changed, &n->lock, &t) ? ERR_TIMEOUT : ERR_OK;
}

/*
 * A wait without a limit in a simulated world ends when nothing is left to happen.
 * A world can also go on for ever and yet not help whom we wait for (a closed
 * window is probed without end: RFC 9293 3.8.6.1), so it ends after a virtual day.
 */
struct endless {
	struct world *world;
	nanotime until;
	bool (*done)(void *user);
	void *user;
};

static bool over(void *user)
{
	const struct endless *e = user;
	return e->done(e->user) || world_next(e->world) > e->until;
}

static enum error run_world(struct strata *n, bool (*done)(void *user), void *user)
{
	struct world *w = lab_world(n->site->world->lab);
	struct endless e = { .world = w, .until = w->now + LAB_DAY, .done = done, .user = user };
	enum site_end end = site_run(n->site, NANOTIME_NEVER, over, &e);
	if (end == SITE_BROKEN)
		return ERR_SYSTEM;
	return done(user) ? ERR_OK : ERR_DEADLOCK;
}

static enum error run_site(
	struct strata *n, nanotime deadline, bool (*done)(void *user), void *user)
{
	if (n->drive == NET_LAB && deadline == NANOTIME_NEVER)
		return run_world(n, done, user);
	switch (site_run(n->site, deadline, done, user)) {
	case SITE_DONE: return ERR_OK;
	case SITE_TIME: return ERR_TIMEOUT;
	case SITE_DEADLOCK: return ERR_DEADLOCK;
	case SITE_BROKEN: break;
	}
	return n->drive == NET_LAB ? ERR_SYSTEM : ERR_NO_DEVICE;
}

struct seen {
	const struct handle *handle;
	uint64_t news;
};

static bool has_news(void *user)
{
	const struct seen *s = user;
	return s->handle->news != s->news;
}

enum error net_wait(struct strata *n, struct handle *h, uint64_t seen, nanotime deadline)
{
	struct seen s = { .handle = h, .news = seen };
	enum error e = ERR_OK;
	if (n->drive != NET_THREAD)
		return run_site(n, deadline, has_news, &s);
	site_flush(n->site);
	h->inside++;
	while (!e && !has_news(&s))
		e = sleep_on(n, &h->changed, deadline);
	h->inside--;
	return has_news(&s) ? ERR_OK : e;
}

/* Stands in the loop as an application while somebody waits: asks after each turn. */
struct awaiter {
	struct app app;
	struct strata *net;
	bool (*done)(void *user);
	void *user;
};

static void ask(struct app *a, struct stack *s, nanotime now)
{
	struct awaiter *w = list_entry(a, struct awaiter, app);
	(void)s;
	(void)now;
	if (w->done(w->user))
		pthread_cond_broadcast(&w->net->changed);
}

enum error net_await(struct strata *n, nanotime deadline, bool (*done)(void *user), void *user)
{
	if (n->drive != NET_THREAD)
		return run_site(n, deadline, done, user);
	struct awaiter w = { .app.run = ask, .net = n, .done = done, .user = user };
	enum error e = ERR_OK;
	site_add_app(n->site, &w.app);
	site_flush(n->site);
	n->waiting++;
	while (!e && !done(user))
		e = sleep_on(n, &n->changed, deadline);
	n->waiting--;
	list_remove(&w.app.link);
	return done(user) ? ERR_OK : e;
}

int net_fail(struct strata *n, enum error e)
{
	switch (e) {
	case ERR_NO_DEVICE:
	case ERR_SYSTEM: return api_fail(e, "%s", site_why(n->site));
	case ERR_DEADLOCK:
		return api_fail(e,
			"nothing can ever happen in this simulated network: nobody there "
			"will send anything");
	default: return api_error((int)e);
	}
}

/* ---- what happened ---- */

/* Runs in the loop, or in the world: takes the events out of the sockets' queue to the handles. */
static void drain(struct app *a, struct stack *s, nanotime now)
{
	struct strata *n = list_entry(a, struct strata, app);
	struct sock_event e;
	(void)now;
	while (sock_next(s, &n->queue, &e)) {
		struct handle *h = e.user;
		h->news++;
		n->happened++;
		if (n->drive == NET_THREAD && h->inside)
			pthread_cond_broadcast(&h->changed);
		if (!h->watched)
			continue;
		h->events |= e.events;
		if (!list_linked(&h->in_events))
			list_push_back(&n->events, &h->in_events);
		if (n->drive == NET_THREAD && n->waiting)
			pthread_cond_broadcast(&n->changed);
	}
}

static void wake_all(struct strata *n)
{
	pthread_cond_broadcast(&n->changed);
	list_each(at, &n->handles)
		pthread_cond_broadcast(&list_entry(at, struct handle, in_net)->changed);
}

/* The net's own thread. */
static void *run_thread(void *user)
{
	struct strata *n = user;
	struct loop *l = &n->site->machine->loop;
	prctl(PR_SET_NAME, "strata");
	prctl(PR_SET_TIMERSLACK, TIMER_SLACK);
	for (;;) {
		if (atomic_load_explicit(&n->wanting, memory_order_relaxed))
			sched_yield();
		pthread_mutex_lock(&n->lock);
		struct loop_sleep sleep = loop_turn(l);
		if (loop_gone(l) && !n->gone) {
			n->gone = true;
			wake_all(n);
		}
		bool stopping = n->stopping;
		pthread_mutex_unlock(&n->lock);
		if (stopping)
			return NULL;
		loop_wait(l, sleep);
	}
}

/* ---- opening ---- */

/* A signal is the program's business, never this thread's. */
static bool start_thread(struct strata *n)
{
	sigset_t all, before;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	int failed = pthread_create(&n->thread, NULL, run_thread, n);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return !failed;
}

static void init_cond(pthread_cond_t *c)
{
	pthread_condattr_t attributes;
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(c, &attributes);
	pthread_condattr_destroy(&attributes);
}

static uint32_t at_least(uint32_t value, uint32_t least)
{
	return value > least ? value : least;
}

/* All tables that follow from the number of connections; none below its default but theirs. */
static void set_connections(struct stack_config *c, uint32_t connections)
{
	struct transport_config *t = &c->transport;
	t->connections = t->flights = connections;
	t->sockets = at_least(t->sockets, connections + t->listeners + t->datagram_sockets);
	t->time_waits = at_least(t->time_waits, 2 * connections);
	t->sent_ranges = at_least(t->sent_ranges, 16 * connections);
	t->blocks = at_least(t->blocks, 8 * connections);
}

static_assert(STRATA_ECN_ACCURATE_ACCEPT == (int)ECN_USES, "numbered alike");

static struct site *open_site(const struct strata_options *o)
{
	struct stack_config config;
	struct site_options s = {
		.link = o->link,
		.address = { o->address, o->address6 },
		.gateway = { o->gateway, o->gateway6 },
		.dns = o->dns,
		.mac = o->mac,
		.pcap = o->pcap,
		.machine = o->machine,
		.beside = o->beside ? o->beside->site : NULL,
		.lab.seed = o->seed,
	};
	if (o->connections > CONNECTIONS_MAX) {
		api_fail(ERR_ARGUMENT, "%u connections: %u at most", o->connections,
			CONNECTIONS_MAX);
		return NULL;
	}
	if ((unsigned)o->ecn > ECN_USES) {
		api_fail(ERR_ARGUMENT, "ecn is %u: it must be one of enum strata_ecn",
			(unsigned)o->ecn);
		return NULL;
	}
	if (o->connections || o->ecn) {
		stack_config_default(&config);
		s.config = &config;
	}
	if (o->connections)
		set_connections(&config, o->connections);
	if (o->ecn)
		config.transport.ecn = (uint8_t)(o->ecn - 1);
	char why[400] = "";
	enum error e = ERR_OK;
	struct site *site = site_open(&s, &e, why, sizeof why);
	if (!site)
		api_fail(e, "%s", why);
	return site;
}

static void init_net(struct strata *n, const struct strata_options *o)
{
	list_init(&n->handles);
	list_init(&n->events);
	list_init(&n->memory);
	sock_queue_init(&n->queue);
	pthread_mutex_init(&n->lock, NULL);
	init_cond(&n->changed);
	n->app = (struct app){ .run = drain };
	n->linger = o->linger ? o->linger : DEFAULT_LINGER;
	if (n->site->simulated)
		n->drive = NET_LAB;
	else
		n->drive = o->drive_self ? NET_SELF : NET_THREAD;
	n->inside = n->site->simulated ? &n->site->world->inside : &n->inside_self;
	site_add_app(n->site, &n->app);
}

static void free_net(struct strata *n)
{
	if (!list_empty(&n->app.link))
		list_remove(&n->app.link);
	site_close(n->site);
	pthread_cond_destroy(&n->changed);
	pthread_mutex_destroy(&n->lock);
	for (struct list *at; (at = list_pop_front(&n->memory));)
		free(at);
	free(n);
}

struct strata *strata_open(const struct strata_options *options)
{
	if (!options || (!options->link && !options->beside)) {
		api_fail(ERR_ARGUMENT, "no link: set .link to \"tap:NAME\" or \"lab:NAME\"");
		return NULL;
	}
	struct strata *n = calloc(1, sizeof *n);
	if (!n) {
		api_error(ERR_MEMORY);
		return NULL;
	}
	n->site = open_site(options);
	if (!n->site) {
		free(n);
		return NULL;
	}
	init_net(n, options);
	if (n->drive == NET_THREAD)
		n->site->machine->loop.shared = true;
	if (n->drive == NET_THREAD && !start_thread(n)) {
		api_fail(ERR_SYSTEM, "cannot start a thread for the stack");
		free_net(n);
		return NULL;
	}
	return n;
}

/* ---- closing ---- */

static bool delivered(void *user)
{
	struct strata *n = user;
	return sock_undelivered(n->site->stack) == 0;
}

static bool quiet(void *user)
{
	struct strata *n = user;
	return sock_unfinished(n->site->stack) == 0;
}

static void stop_thread(struct strata *n)
{
	pthread_mutex_lock(&n->lock);
	n->stopping = true;
	pthread_mutex_unlock(&n->lock);
	loop_kick(&n->site->machine->loop);
	pthread_join(n->thread, NULL);
	n->site->machine->loop.shared = false;
}

void strata_net_close(struct strata *net)
{
	if (!net)
		return;
	if (net->drive == NET_THREAD)
		stop_thread(net);
	assert(net->calls == 0 && "strata_close(net) while another thread is inside a call");
	for (struct list *at; (at = net->handles.next) != &net->handles;) {
		struct handle *h = list_entry(at, struct handle, in_net);
		sock_abort(net_use(net), h->sock);
		handle_end(h);
		free(h);
	}
	net_use(net); /* the sockets' clock */
	if (net->http)
		http_client_destroy(net->http);
	if (net->resolver)
		resolver_destroy(net->resolver);
	site_flush(net->site);
	nanotime until = net_deadline(net, net->linger);
	site_run(net->site, until, delivered, net);
	site_run(net->site, nanotime_min(until, net_deadline(net, COURTESY)), quiet, net);
	free_net(net);
}

/* A stack outlives its net only in a simulated world, which then keeps the memory. */
void *net_memory(struct strata *n, size_t size)
{
	if (n->drive == NET_LAB)
		return world_alloc(lab_world(n->site->world->lab), size);
	struct list *at = aligned_alloc(64, (64 + size + 63) & ~(size_t)63);
	if (!at)
		return NULL;
	list_push_back(&n->memory, at);
	return (char *)at + 64;
}

/* ---- handles ---- */

void handle_init(struct handle *h, enum handle_kind kind, struct strata *n)
{
	*h = (struct handle){ .kind = kind, .net = n, .limit = STRATA_FOREVER };
	list_init(&h->in_events);
	init_cond(&h->changed);
	list_push_back(&n->handles, &h->in_net);
}

void handle_end(struct handle *h)
{
	assert(h->inside == 0 && "closing a handle while another thread waits with it");
	list_remove(&h->in_net);
	list_remove(&h->in_events);
	pthread_cond_destroy(&h->changed);
}

int64_t handle_call(struct handle *h,
	int64_t (*attempt)(struct stack *s, struct handle *h, void *user), void *user)
{
	struct strata *n = h ? h->net : NULL;
	struct stack *s = net_enter(n);
	if (!s)
		return -ERR_ARGUMENT;
	nanotime deadline = h->limit ? net_deadline(n, h->limit) : 0;
	enum error e = ERR_OK;
	int64_t r;
	for (;;) {
		uint64_t seen = h->news;
		r = attempt(s, h, user);
		if (r != -ERR_AGAIN || h->limit == 0)
			break;
		e = net_wait(n, h, seen, deadline);
		if (e)
			break;
		s = net_use(n);
	}
	if (e)
		r = net_fail(n, e);
	else if (r < 0)
		api_error((int)r);
	net_leave(n);
	return r;
}

/* ---- the rest of net.h ---- */

int64_t strata_now(struct strata *net)
{
	if (!net)
		return api_null_handle();
	return site_now(net->site);
}

int strata_sleep(struct strata *net, int64_t duration)
{
	if (!net)
		return api_null_handle();
	if (duration < 0)
		return api_fail(ERR_ARGUMENT, "a negative time to sleep");
	if (net->drive == NET_THREAD) {
		nanotime until = net_deadline(net, duration);
		struct timespec t = { .tv_sec = until / NANO_S, .tv_nsec = until % NANO_S };
		while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL))
			;
		return 0;
	}
	net_enter(net);
	nanotime until = net_deadline(net, duration);
	enum error e = run_site(net, until, NULL, NULL);
	int r = e == ERR_TIMEOUT || e == ERR_DEADLOCK ? 0 : net_fail(net, e);
	net_leave(net);
	return r;
}

int strata_counters(struct strata *net, struct strata_counters *out)
{
	struct stack *s = net_enter(net);
	if (!s)
		return -ERR_ARGUMENT;
	const struct counters *c = stack_counters(s);
	*out = (struct strata_counters){
		.frames_in = c->rx_frames,
		.bytes_in = c->rx_bytes,
		.frames_out = c->tx_frames,
		.bytes_out = c->tx_bytes,
		.segments_in = c->rx_segments,
		.segments_out = c->tx_segments,
		.dropped_in = c->fate[FATE_DROPPED],
		.retransmits = c->sent_why[WHY_FAST_RETRANSMIT] + c->sent_why[WHY_RTO_RETRANSMIT] +
			c->sent_why[WHY_SYN_RETRANSMIT] + c->sent_why[WHY_TAIL_PROBE],
	};
	for (unsigned i = 0; i < DROP_COUNT; i++)
		out->dropped_out += c->tx_drop[i];
	net_leave(net);
	return 0;
}

const char *strata_drop_reason(struct strata *net, unsigned index, uint64_t *count)
{
	struct stack *s = index + 1 < DROP_COUNT ? net_enter(net) : NULL;
	if (!s)
		return NULL;
	const struct counters *c = stack_counters(s);
	*count = c->drop[index + 1] + c->tx_drop[index + 1];
	net_leave(net);
	return drop_info((enum drop)(index + 1))->text;
}

const char *strata_version(void)
{
	return STRATA_VERSION;
}
