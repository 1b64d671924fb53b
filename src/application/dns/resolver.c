/*
 * Look-ups stand in one array from the arena, each with room for two questions
 * and their messages (memory that is touched only when a message comes). A
 * look-up is free, or the user's until released; while one of its questions is
 * PENDING it stands in `active`, the only thing that a run walks.
 */
#include "application/dns/question.h"

#include "base/text.h"

#define AAAA_HEAD_START (50 * NANO_MS) /* RFC 8305 3: Resolution Delay */
#define OTHER_FAMILY    (3 * NANO_S)

struct lookup_slot {
	struct lookup lookup; /* first: the user's pointer */
	struct list link;     /* in `active`; or in `unused` */
	bool busy;
	bool gathered[2]; /* this question's addresses are in the list */
	struct question question[2];
};

struct resolver {
	struct app app;
	struct resolver_config config;
	struct question_context context;
	struct lookup_slot *slot;
	struct list active, unused;
	unsigned next_server; /* where the next look-up starts, with config.rotate */
};

static const struct {
	const char *name, *text, *advice;
} statuses[] = {
#define RESOLVER_STATUS_ROW(name, text, advice) { #name, text, advice },
	RESOLVER_STATUSES(RESOLVER_STATUS_ROW)
#undef RESOLVER_STATUS_ROW
};

const char *resolver_status_name(enum resolver_status status)
{
	return statuses[status].name;
}

const char *resolver_status_text(enum resolver_status status)
{
	return statuses[status].text;
}

const char *resolver_status_advice(enum resolver_status status)
{
	return statuses[status].advice;
}

const char *resolver_try_text(enum resolver_try_end end)
{
	switch (end) {
	case TRY_WAITING: return "waiting";
	case TRY_ANSWERED: return "answered";
	case TRY_SILENT: return "no answer in time";
	case TRY_UNREACHABLE: return "could not be reached";
	case TRY_RCODE: return "answered with an error";
	case TRY_NO_EDNS: return "does not know EDNS";
	case TRY_CASE_LOST: return "does not keep the case of the question";
	case TRY_TRUNCATED: return "answer does not fit into a datagram";
	case TRY_STORM: return "too many responses that do not match";
	case TRY_BROKEN: return "response can't be used";
	case TRY_ENDED: break;
	}
	return "ended";
}

void resolver_config_default(struct resolver_config *c)
{
	*c = (struct resolver_config){
		.port = DNS_PORT,
		.timeout = 2 * NANO_S,
		.timeout_max = 8 * NANO_S,
		.total = 15 * NANO_S,
		.rounds = 4,
		.udp_size = DNS_EDNS_UDP_SIZE,
		.mixed_case = true,
		.mismatches = 32,
		.lookups = 8,
		.message_max = UINT16_MAX,
		.cache = 256,
		.cache_message = 512,
		.ttl_max = 86400,
	};
}

const char *resolver_config_check(const struct resolver_config *c)
{
	if (c->servers > RESOLVER_SERVERS_MAX)
		return "resolver: at most 8 servers";
	if (c->port == 0)
		return "resolver: the servers' port is 0";
	if (c->timeout < NANO_MS || c->timeout_max < c->timeout || c->total < c->timeout)
		return "resolver: timeout must be 1 ms at least, timeout_max and total at most";
	if (c->rounds == 0)
		return "resolver: rounds must be at least 1";
	if (c->udp_size > 0 && c->udp_size < DNS_UDP_MAX)
		return "resolver: udp_size is 0 or at least 512 (RFC 6891 6.2.5)";
	if (c->mismatches == 0 || c->mismatches > UINT16_MAX)
		return "resolver: mismatches must be 1 to 65535";
	if (c->lookups == 0)
		return "resolver: lookups must be at least 1";
	if (c->message_max < DNS_UDP_MAX || c->message_max > UINT16_MAX ||
		c->message_max < c->udp_size)
		return "resolver: message_max must be 512 to 65535, and at least udp_size";
	if (c->cache_message > UINT16_MAX)
		return "resolver: cache_message must be at most 65535";
	if (c->ttl_max > INT32_MAX)
		return "resolver: ttl_max must be below 2^31 (RFC 2181 8)";
	for (unsigned i = 0; i < c->servers; i++)
		if (addr_is_any(&c->server[i]) || addr_is_multicast(&c->server[i]))
			return "resolver: a server's address is no host's";
	return NULL;
}

static void run(struct app *a, struct stack *s, nanotime now);
static nanotime deadline(const struct app *a);

struct resolver *resolver_create(
	const struct resolver_config *c, struct stack *s, struct arena *arena, const char **why)
{
	*why = resolver_config_check(c);
	if (*why)
		return NULL;

	struct resolver *r = arena_take(arena, sizeof *r, _Alignof(struct resolver));
	struct lookup_slot *slot = arena_take(
		arena, c->lookups * sizeof *slot, _Alignof(struct lookup_slot));
	size_t message = 2u + c->message_max;
	uint8_t *messages = arena_take(arena, c->lookups * 2 * message, 8);
	struct dns_cache measured;
	struct rng rng;
	rng_seed(&rng, span_of(c->secret, sizeof c->secret));
	struct hash_key key = { { rng_next(&rng), rng_next(&rng) } };
	if (r)
		*r = (struct resolver){ .app = { .run = run, .deadline = deadline },
			.config = *c,
			.context = { .config = &r->config, .stack = s, .rng = rng },
			.slot = slot };
	bool cached = dns_cache_init(
		r ? &r->context.cache : &measured, arena, c->cache, c->cache_message, &key);
	if (!r || !slot || !messages || !cached) {
		*why = "resolver: not enough memory";
		return NULL;
	}

	list_init(&r->app.link);
	list_init(&r->active);
	list_init(&r->unused);
	sock_queue_init(&r->context.queue);
	for (uint32_t i = 0; i < c->lookups; i++) {
		slot[i].busy = false;
		for (unsigned j = 0; j < 2; j++)
			slot[i].question[j].message = messages + (2 * i + j) * message;
		list_push_back(&r->unused, &slot[i].link);
	}
	return r;
}

struct app *resolver_app(struct resolver *r)
{
	return &r->app;
}

const struct resolver_counters *resolver_counters(const struct resolver *r)
{
	return &r->context.counters;
}

void resolver_flush(struct resolver *r)
{
	dns_cache_flush(&r->context.cache);
}

/* ---- what the questions say together ---- */

static void add_address(struct lookup *l, const struct addr *a, uint32_t ttl)
{
	for (unsigned i = 0; i < l->addresses; i++)
		if (addr_equal(&l->address[i].address, a))
			return;
	if (l->addresses < RESOLVER_ADDRESSES_MAX)
		l->address[l->addresses++] = (struct resolver_address){ .address = *a, .ttl = ttl };
}

/* Takes the addresses out of a question's response. */
static void gather(struct lookup *l, const struct resolver_answer *a)
{
	struct dns_chain chain = { .canonical = a->canonical };
	struct dns_reader r;
	struct dns_header h;
	struct dns_record record;

	if (dns_name_is_hostname(&a->canonical))
		l->canonical = a->canonical;
	dns_reader_begin(&r, a->message, &h);
	while (dns_record_next(&r, &record)) {
		bool address = record.type == DNS_TYPE_A || record.type == DNS_TYPE_AAAA;
		if (!address || !record.decoded || !dns_chain_holds(&chain, &record, a->type))
			continue;
		uint32_t ttl = dns_ttl(&record) < a->ttl ? dns_ttl(&record) : a->ttl;
		add_address(l, &record.address, ttl);
	}
}

/* Of two questions about one host, one failed or both: what is true of the host? */
static enum resolver_status join(enum resolver_status a, enum resolver_status b)
{
	if (a == RESOLVER_FOUND || b == RESOLVER_FOUND)
		return RESOLVER_FOUND;
	if (a == RESOLVER_NO_NAME || b == RESOLVER_NO_NAME)
		return RESOLVER_NO_NAME;
	return a == RESOLVER_NO_DATA ? b : a;
}

static void review(struct lookup_slot *slot, nanotime now)
{
	struct lookup *l = &slot->lookup;
	enum resolver_status status = RESOLVER_PENDING;

	for (unsigned i = 0; i < l->answers; i++) {
		const struct resolver_answer *a = l->answer[i];
		if (a->status == RESOLVER_FOUND && !slot->gathered[i]) {
			slot->gathered[i] = true;
			gather(l, a);
		}
	}
	for (unsigned i = 0; i < l->answers; i++) {
		if (l->answer[i]->status == RESOLVER_PENDING)
			return;
		status = i ? join(status, l->answer[i]->status) : l->answer[i]->status;
	}
	l->status = status;
	l->ended = now;
	list_remove(&slot->link);
}

/* ---- look-ups ---- */

static struct lookup_slot *begin(struct resolver *r, enum error *error)
{
	struct list *link = list_pop_front(&r->unused);
	if (!link) {
		*error = ERR_LIMIT;
		return NULL;
	}
	struct lookup_slot *slot = list_entry(link, struct lookup_slot, link);
	nanotime now = stack_time(r->context.stack);
	slot->busy = true;
	slot->gathered[0] = slot->gathered[1] = false;
	slot->lookup = (struct lookup){
		.status = RESOLVER_PENDING, .started = now, .ended = NANOTIME_NEVER
	};
	r->context.counters.lookups++;
	*error = ERR_OK;
	return slot;
}

static void ask(struct resolver *r, struct lookup_slot *slot, const struct dns_name *name,
	uint16_t type, unsigned flags)
{
	struct lookup *l = &slot->lookup;
	struct question *q = &slot->question[l->answers];

	l->answer[l->answers++] = &q->answer;
	question_begin(q, &r->context, name, type, flags, r->next_server, l->started);
}

static void activate(struct resolver *r, struct lookup_slot *slot)
{
	list_push_back(&r->active, &slot->link);
	if (r->config.rotate && r->config.servers > 0)
		r->next_server = (r->next_server + 1) % r->config.servers;
	review(slot, slot->lookup.started);
}

static struct lookup *settle(struct lookup_slot *slot)
{
	struct lookup *l = &slot->lookup;
	l->literal = true;
	l->status = l->addresses ? RESOLVER_FOUND : RESOLVER_NO_DATA;
	l->ended = l->started;
	return l;
}

/* RFC 6761 6.3: localhost, and what is below it, never goes to a server. */
static bool is_localhost(const struct dns_name *name)
{
	static const struct dns_name localhost = { .len = 11, .b = "\011localhost" };
	return dns_name_within(name, &localhost);
}

static void add_loopback(struct lookup *l, unsigned flags)
{
	struct addr six = ADDR_ANY, four = addr_from4((const uint8_t[]){ 127, 0, 0, 1 });

	six.b[15] = 1;
	if (flags & LOOKUP_AAAA)
		add_address(l, &six, 0);
	if (flags & LOOKUP_A)
		add_address(l, &four, 0);
}

struct lookup *resolver_host(
	struct resolver *r, struct span host, unsigned flags, enum error *error)
{
	struct dns_name name = DNS_ROOT;
	struct addr literal;
	bool is_literal = addr_parse(host, &literal);

	if (!is_literal && (!dns_name_parse(host, &name) || !dns_name_is_hostname(&name))) {
		*error = ERR_ARGUMENT;
		return NULL;
	}
	if (!(flags & LOOKUP_BOTH))
		flags |= LOOKUP_BOTH;
	struct lookup_slot *slot = begin(r, error);
	if (!slot)
		return NULL;
	slot->lookup.canonical = name;
	if (is_literal) {
		if (flags & (addr_is4(&literal) ? LOOKUP_A : LOOKUP_AAAA))
			add_address(&slot->lookup, &literal, 0);
		return settle(slot);
	}
	if (is_localhost(&name)) {
		add_loopback(&slot->lookup, flags);
		return settle(slot);
	}
	/* AAAA first (RFC 8305 3), so that its answer tends to come first. */
	if (flags & LOOKUP_AAAA)
		ask(r, slot, &name, DNS_TYPE_AAAA, flags);
	if (flags & LOOKUP_A)
		ask(r, slot, &name, DNS_TYPE_A, flags);
	activate(r, slot);
	return &slot->lookup;
}

struct lookup *resolver_query(struct resolver *r, const struct dns_name *name, uint16_t type,
	unsigned flags, enum error *error)
{
	struct lookup_slot *slot = begin(r, error);
	if (!slot)
		return NULL;
	slot->lookup.canonical = *name;
	ask(r, slot, name, type, flags);
	activate(r, slot);
	return &slot->lookup;
}

void lookup_cancel(struct resolver *r, struct lookup *l)
{
	struct lookup_slot *slot = list_entry(l, struct lookup_slot, lookup);
	nanotime now = stack_time(r->context.stack);

	assert(slot->busy);
	if (l->status != RESOLVER_PENDING)
		return;
	for (unsigned i = 0; i < l->answers; i++)
		question_end(&slot->question[i], RESOLVER_CANCELLED, now);
	review(slot, now);
}

void lookup_release(struct resolver *r, struct lookup *l)
{
	struct lookup_slot *slot = list_entry(l, struct lookup_slot, lookup);

	lookup_cancel(r, l);
	slot->busy = false;
	list_push_back(&r->unused, &slot->link);
}

bool lookup_usable(const struct lookup *l, nanotime now, nanotime *when)
{
	*when = NANOTIME_NEVER;
	if (l->status != RESOLVER_PENDING)
		return true;
	if (l->addresses == 0)
		return false;
	if (!addr_is4(&l->address[0].address))
		return true;
	/* Of two questions, A is the second: its answer waits a little for the other. */
	*when = l->answer[l->answers - 1]->ended + AAAA_HEAD_START;
	return now >= *when;
}

bool lookup_settled(const struct lookup *l, nanotime now, nanotime *when)
{
	*when = NANOTIME_NEVER;
	if (l->status != RESOLVER_PENDING)
		return true;
	for (unsigned i = 0; i < l->answers && l->addresses; i++)
		if (l->answer[i]->status == RESOLVER_FOUND)
			*when = l->answer[i]->ended + OTHER_FAMILY;
	return now >= *when;
}

void resolver_destroy(struct resolver *r)
{
	for (uint32_t i = 0; i < r->config.lookups; i++)
		if (r->slot[i].busy)
			lookup_release(r, &r->slot[i].lookup);
	list_remove(&r->app.link);
}

/* ---- the loop ---- */

static void run(struct app *a, struct stack *s, nanotime now)
{
	struct resolver *r = list_entry(a, struct resolver, app);
	struct sock_event e;

	while (sock_next(s, &r->context.queue, &e)) {
		struct question *q = e.user;
		if (q->sock == e.id)
			question_ready(q, now);
	}
	list_each_safe(pos, &r->active)
	{
		struct lookup_slot *slot = list_entry(pos, struct lookup_slot, link);
		for (unsigned i = 0; i < slot->lookup.answers; i++)
			question_timer(&slot->question[i], now);
		review(slot, now);
	}
}

static nanotime deadline(const struct app *a)
{
	const struct resolver *r = list_entry(a, const struct resolver, app);
	nanotime first = NANOTIME_NEVER;

	list_each(pos, &r->active)
	{
		const struct lookup_slot *slot = list_entry(pos, const struct lookup_slot, link);
		for (unsigned i = 0; i < slot->lookup.answers; i++)
			first = nanotime_min(first, question_deadline(&slot->question[i]));
	}
	return first;
}

/* ---- in words ---- */

static void text_seconds(struct text *t, nanodiff d)
{
	text_decimal(t, (uint64_t)(d / NANO_S));
	text_char(t, '.');
	text_decimal(t, (uint64_t)(d / (NANO_S / 10) % 10));
	text_string(t, " s");
}

/* "192.0.2.53 (3 tries in 14.0 s)" */
static void text_server(struct text *t, const struct resolver_answer *a, const struct addr *server)
{
	char name[ADDR_TEXT_MAX];
	unsigned count = 0;
	nanotime first = NANOTIME_NEVER, last = 0;

	for (unsigned i = 0; i < a->tries; i++) {
		if (!addr_equal(&a->try[i].server, server))
			continue;
		count++;
		first = nanotime_min(first, a->try[i].sent);
		last = a->try[i].ended > last ? a->try[i].ended : last;
	}
	addr_format(server, name);
	text_string(t, name);
	text_string(t, " (");
	text_decimal(t, count);
	text_string(t, count == 1 ? " try in " : " tries in ");
	text_seconds(t, last == NANOTIME_NEVER ? 0 : last - first);
	text_char(t, ')');
}

static void text_servers(struct text *t, const struct resolver_answer *a)
{
	for (unsigned i = 0; i < a->tries; i++) {
		bool before = false;
		for (unsigned j = 0; j < i; j++)
			before |= addr_equal(&a->try[i].server, &a->try[j].server);
		if (before)
			continue;
		text_string(t, i ? ", " : ": asked ");
		text_server(t, a, &a->try[i].server);
	}
}

size_t lookup_explain(const struct lookup *l, char *out, size_t cap)
{
	struct text t = text_of(out, cap);
	const char *advice = resolver_status_advice(l->status);

	text_string(&t, resolver_status_text(l->status));
	/* Of two questions, tell of the one whose end decided. */
	for (unsigned i = 0; i < l->answers; i++) {
		if (l->answer[i]->status != l->status)
			continue;
		if (l->answer[i]->cached)
			text_string(&t, ": known from an earlier answer");
		text_servers(&t, l->answer[i]);
		break;
	}
	if (advice[0]) {
		text_string(&t, "; ");
		text_string(&t, advice);
	}
	return t.len;
}
