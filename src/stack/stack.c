/*
 * Layers 1 to 3 composed. stack_receive is the definition of decapsulation: each
 * layer strips its header and returns what comes next. stack_transmit is the pull:
 * it asks each layer, lowest first, what it has to say, and every frame is built
 * in one scratch frame on its way to the link.
 */
#include "stack/stack.h"

#include "transport/endpoints.h"

struct stack {
	struct core core;
	struct access access;
	struct internet internet;
	struct transport transport;
	struct wheel wheel;
	struct rng rng;
	struct counters counters;
	struct trace trace;
	struct tx_frame frame;
	nanotime now;
};

void stack_config_default(struct stack_config *c)
{
	memset(c, 0, sizeof *c);
	access_config_default(&c->access);
	internet_config_default(&c->internet);
	transport_config_default(&c->transport);
}

const char *stack_config_check(const struct stack_config *c)
{
	const char *broken = access_config_check(&c->access);
	if (!broken)
		broken = internet_config_check(&c->internet);
	if (!broken)
		broken = transport_config_check(&c->transport);
	return broken;
}

/* The same planning measures and builds. Secrets: one half keys tables, the other numbers. */
static struct stack *plan(const struct stack_config *c, struct arena *arena, struct stack *s,
			  nanotime now)
{
	struct stack *placed = arena_take(arena, sizeof *s, 64);
	if (placed)
		s = placed;
	memset(s, 0, sizeof *s);
	s->now = now;
	s->core = (struct core){
		.wheel = &s->wheel,
		.rng = &s->rng,
		.checksum = c->checksum ? c->checksum : &checksum_plain,
		.counters = &s->counters,
		.trace = &s->trace,
		.frame = &s->frame,
	};
	memcpy(&s->core.key, c->secret, sizeof s->core.key);
	rng_seed(&s->rng, span_of(c->secret, sizeof c->secret));
	wheel_init(&s->wheel, now);
	bool access = access_init(&s->access, &s->core, &c->access, arena);
	bool internet = internet_init(&s->internet, &s->core, &s->access, &c->internet, arena);
	bool transport = transport_init(&s->transport, &s->core, &s->internet, &c->transport,
					c->secret + 16, arena, now);
	return placed && access && internet && transport ? s : NULL;
}

size_t stack_memory(const struct stack_config *c)
{
	struct arena measure = { .at = NULL, .size = SIZE_MAX };
	struct stack scratch;
	plan(c, &measure, &scratch, 0);
	return measure.used + 64;
}

/* Nobody's entropy looks like this: it was not ready, or was never asked. */
static bool guessable(const uint8_t *secret, size_t len)
{
	return memcmp(secret, secret + 1, len - 1) == 0;
}

struct stack *stack_create(const struct stack_config *c, void *memory, size_t size, nanotime now,
			   const char **why)
{
	*why = stack_config_check(c);
	if (!*why && guessable(c->secret, sizeof c->secret))
		*why = "the secret is one byte over and over: fill it from the system's entropy";
	if (*why)
		return NULL;
	struct arena arena = { .at = memory, .size = size };
	struct stack *s = size >= sizeof *s + 64 ? plan(c, &arena, NULL, now) : NULL;
	if (!s)
		*why = "the memory given is smaller than stack_memory asks for";
	return s;
}

struct netif *stack_add_netif(struct stack *s, const struct netif_config *c, const char **why)
{
	return access_add_netif(&s->access, c, why);
}

enum error stack_add_address(struct stack *s, struct netif *nif, const struct addr *a,
			     unsigned prefix)
{
	enum error e = access_add_address(&s->access, nif, a, prefix);
	if (e != ERR_OK)
		return e;
	access_announce(&s->access, nif, a);
	s->internet.routes.generation++; /* paths and source addresses may be others now */
	e = stack_add_route(s, a, prefix, NULL, nif);
	/* a second address of one net brings no second route */
	return e == ERR_IN_USE ? ERR_OK : e;
}

enum error stack_add_route(struct stack *s, const struct addr *prefix, unsigned len,
			   const struct addr *gateway, struct netif *nif)
{
	struct route r = {
		.prefix = *prefix,
		.len = (uint8_t)len,
		.nif = nif->index,
		.on_link = gateway == NULL,
	};
	if (gateway)
		r.gateway = *gateway;
	return route_add(&s->internet.routes, &r);
}

static void rx_end(struct stack *s, struct rx *rx)
{
	assert(rx->fate != FATE_NONE); /* every packet has one fate */
	s->counters.fate[rx->fate]++;
	if (rx->fate == FATE_DROPPED)
		s->counters.drop[rx->drop]++;
	if (trace_on(&s->trace)) {
		struct trace_event e = {
			.kind = TRACE_RX,
			.layer = rx->fate == FATE_DROPPED ? drop_info(rx->drop)->layer : LAYER_NONE,
			.time = rx->now,
			.nif = rx->nif,
			.rx = rx,
			.drop = rx->fate == FATE_DROPPED ? (enum drop)rx->drop : DROP_NONE,
		};
		s->trace.sink(s->trace.user, &e);
	}
}

void stack_receive(struct stack *s, struct netif *nif, const struct rx_frame *frame, nanotime now)
{
	stack_set_time(s, now);
	s->counters.rx_frames++;
	s->counters.rx_bytes += frame->len;
	s->counters.rx_segments += frame->seg_count;
	struct rx rx;
	rx.nif = nif;
	rx.frame = frame;
	rx.now = s->now;
	rx.head = frame->head;
	rx.len = frame->len;
	rx.checksum = frame->checksum;
	rx.fate = FATE_NONE;
	rx.drop = DROP_NONE;
	rx.link_group = rx.group = false;

	enum proto next = access_receive(&s->access, &rx); /* Ethernet, ARP */
	if (next == PROTO_IP4 || next == PROTO_IP6)
		next = internet_receive(&s->internet, &rx, next); /* IP, ICMP, ND */
	if (next != PROTO_NONE)
		transport_receive(&s->transport, &rx, next); /* TCP, UDP, echo */
	rx_end(s, &rx);
}

void stack_timers(struct stack *s, nanotime now)
{
	stack_set_time(s, now);
	struct timer *t;
	while ((t = wheel_expired(&s->wheel, s->now))) {
		switch (t->kind) {
		case TIMER_NEIGHBOUR:
			access_timer(&s->access, t, s->now);
			break;
		case TIMER_INTERNET:
			internet_timer(&s->internet, t, s->now);
			break;
		default:
			transport_timer(&s->transport, t);
			break;
		}
	}
}

/* Packets whose next hop did not answer: who sent them is told. */
static void take_returned(struct stack *s)
{
	struct rx rx;
	while (internet_returned(&s->internet, &rx, s->now)) {
		transport_returned(&s->transport, &rx);
		access_drop_returned(&s->access, s->now);
	}
}

/* What layers 1 and 2 have to say themselves: address resolution, replies, forwarded packets. */
static unsigned transmit_lower(struct stack *s, unsigned budget)
{
	unsigned sent = 0;
	if (access_has_work(&s->access))
		sent += access_transmit(&s->access, budget, s->now);
	if (internet_has_work(&s->internet)) {
		take_returned(s);
		sent += internet_transmit(&s->internet, budget - sent, s->now);
	}
	if (sent < budget && !access_has_work(&s->access) && !internet_has_work(&s->internet)) {
		s->core.queued = false;
		for (unsigned i = 0; i < s->access.netifs; i++)
			s->core.queued |= s->access.netif[i].blocked; /* may hold something back */
	}
	return sent;
}

unsigned stack_transmit(struct stack *s, nanotime now, unsigned budget)
{
	stack_set_time(s, now);
	unsigned sent = 0;
	if (s->core.queued)
		sent += transmit_lower(s, budget);
	if (sent < budget && transport_has_work(&s->transport))
		sent += transport_transmit(&s->transport, budget - sent);
	/* what transport asked of the layers below, e.g. to resolve a next hop */
	if (sent < budget && s->core.queued)
		sent += transmit_lower(s, budget - sent);
	return sent;
}

bool stack_has_work(const struct stack *s)
{
	return transport_has_work(&s->transport) ||
	       (s->core.queued &&
		(access_has_work(&s->access) || internet_has_work(&s->internet)));
}

uint32_t stack_news(const struct stack *s)
{
	return s->transport.notify.count;
}

nanotime stack_next_deadline(const struct stack *s)
{
	return wheel_next(&s->wheel);
}

void stack_set_time(struct stack *s, nanotime now)
{
	if (now > s->now) {
		s->now = now;
		transport_set_time(&s->transport, now);
	}
}

nanotime stack_time(const struct stack *s)
{
	return s->now;
}

void stack_set_trace(struct stack *s, void (*sink)(void *, const struct trace_event *), void *user)
{
	s->trace.sink = sink;
	s->trace.user = user;
}

const struct counters *stack_counters(const struct stack *s)
{
	return &s->counters;
}

struct access *stack_access(struct stack *s)
{
	return &s->access;
}

struct internet *stack_internet(struct stack *s)
{
	return &s->internet;
}

struct transport *stack_transport(struct stack *s)
{
	return &s->transport;
}

struct netif *stack_netif(struct stack *s, unsigned index)
{
	return index < s->access.netifs ? &s->access.netif[index] : NULL;
}
