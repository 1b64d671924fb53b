/*
 * Layer 2 put together: its config, its plan of memory, the two doors.
 *
 * Received packets go through one family's file and come out as a transport
 * protocol or as a fate. What this layer has to say itself is queued meanwhile
 * and pulled by internet_transmit, in the order in which others wait for it:
 * neighbour discovery (without it nothing moves), replies, forwarded packets.
 */
#include "internet/internet_private.h"

void internet_config_default(struct internet_config *c)
{
	*c = (struct internet_config){
		.forward = false,
		.hop_limit = 64,
		.replies = 64,
		.echo_max = 1500,
		.forward_frames = 256,
		.error_rate = 100,
		.error_burst = 20,
	};
}

const char *internet_config_check(const struct internet_config *c)
{
	if (c->hop_limit < 1)
		return "internet.hop_limit must be at least 1";
	if (c->replies < 1 || c->replies > 1u << 20)
		return "internet.replies must be 1 to 1048576";
	if (c->echo_max > 65535 - IP4_HEADER - ICMP_HEADER)
		return "internet.echo_max must be at most 65507";
	if (c->forward && (c->forward_frames < 1 || c->forward_frames > 1u << 20))
		return "internet.forward_frames must be 1 to 1048576";
	if (c->error_rate > 100000 || c->error_burst > 100000)
		return "internet.error_rate and error_burst must be at most 100000";
	if (c->error_burst == 1) /* an error may cost one and a half: it would never be paid */
		return "internet.error_burst must be 0 (no errors at all) or at least 2";
	return NULL;
}

bool internet_init(struct internet *in, struct core *core, struct access *access,
	const struct internet_config *c, struct arena *arena)
{
	*in = (struct internet){ .core = core, .access = access, .config = *c };
	list_init(&in->replies);
	for (unsigned i = 0; i < ACCESS_NETIFS; i++)
		list_init(&in->forwards[i]);
	/* A measuring arena gives nothing: everything is asked for before anything is believed. */
	bool replies = pool_init(
		&in->reply_pool, arena, sizeof(struct reply) + reply_bytes(c), 8, c->replies);
	bool forwards = pool_init(&in->forward_pool, arena, sizeof(struct forward), 8,
		c->forward ? c->forward_frames : 0);
	struct internet_private *p = arena_take(arena, sizeof *p, 8);
	struct nd_intent *nd = arena_take(arena, c->replies * sizeof *nd, 8);
	if (!replies || !forwards || !p || !nd)
		return false;
	in->routes.generation = 1;
	in->private = p;
	memset(p->source_route, 0, sizeof p->source_route);
	p->source_route_next = 1;
	p->nd = nd;
	p->nd_head = p->nd_count = 0;
	p->flow_key.k[0] = rng_next(core->rng);
	p->flow_key.k[1] = rng_next(core->rng);
	error_limit_init(in, core->wheel->now);
	return true;
}

enum proto internet_receive(struct internet *in, struct rx *rx, enum proto proto)
{
	if (__builtin_expect(proto == PROTO_IP4, 1))
		return ip4_receive(in, rx);
	return ip6_receive(in, rx);
}

unsigned internet_transmit(struct internet *in, unsigned budget, nanotime now)
{
	unsigned sent = nd_transmit(in, budget, now);
	sent += reply_transmit(in, budget - sent, now);
	return sent + forward_transmit(in, budget - sent, now);
}

bool internet_has_work(const struct internet *in)
{
	return nd_has_work(in) || !list_empty(&in->access->returned) || reply_has_work(in) ||
		forward_has_work(in);
}

void internet_timer(struct internet *in, struct timer *t, nanotime now)
{
	(void)in;
	(void)now;
	/* Nothing here keeps time yet: limits and paths look at the clock when they are used. */
	assert(t->kind != TIMER_INTERNET);
}
