/*
 * Requests are remembered in a ring by sequence number, so a reply is matched in
 * one step; a slot is used again PING_WINDOW requests later, when its own reply
 * has long been lost. Requests leave on a fixed schedule (start + n * interval),
 * so a late run does not make the ones after it late; but one that is late by
 * more than an interval begins a new schedule: what it missed is not made up for
 * by a burst, which would measure something else.
 */
#include "application/ping/ping.h"

typedef unsigned __int128 wide; /* sums of squared nanoseconds */

enum ping_slot_state { SLOT_EMPTY, SLOT_WAITING, SLOT_ANSWERED, SLOT_LOST, SLOT_FAILED };

struct ping_slot {
	nanotime sent;
	uint16_t sequence;
	uint8_t state; /* enum ping_slot_state */
};

struct ping {
	struct app app;
	struct ping_config config;
	struct stack *stack;
	struct sock_queue queue;
	sock_id sock;
	uint64_t next;   /* number of the next request; its sequence number is the low 16 bits */
	uint64_t oldest; /* the oldest that may still be WAITING */
	nanotime next_at;
	struct ping_statistics s;
	wide sum, squares; /* of round-trip times in ns */
	uint8_t *body, *received;
	struct ping_slot slot[PING_WINDOW];
};

static void run(struct app *a, struct stack *s, nanotime now);
static nanotime deadline(const struct app *a);

void ping_config_default(struct ping_config *c)
{
	*c = (struct ping_config){
		.interval = NANO_S,
		.timeout = 2 * NANO_S,
		.size = 56,
	};
}

const char *ping_config_check(const struct ping_config *c)
{
	if (addr_is_any(&c->destination))
		return "ping: no destination";
	if (addr_is_multicast(&c->destination))
		return "ping: destination is a group";
	if (c->interval < NANO_MS)
		return "ping: interval must be at least 1 ms";
	if (c->timeout <= 0 || c->timeout / c->interval >= PING_WINDOW)
		return "ping: timeout must be positive and shorter than 1024 intervals";
	if (c->size > PING_BODY_MAX)
		return "ping: size must be at most 65507";
	return NULL;
}

static void fill(struct ping *p)
{
	struct span pattern = p->config.pattern;
	for (uint32_t i = 0; i < p->config.size; i++)
		p->body[i] = pattern.len ? pattern.at[i % pattern.len] : (uint8_t)i;
}

struct ping *ping_create(
	const struct ping_config *c, struct stack *s, struct arena *arena, const char **why)
{
	*why = ping_config_check(c);
	if (*why)
		return NULL;
	struct ping *p = arena_take(arena, sizeof *p, _Alignof(struct ping));
	uint8_t *body = arena_take(arena, c->size, 1);
	/* One byte more than a right reply has, so that a longer one is seen to be longer. */
	uint8_t *received = arena_take(arena, c->size + 1u, 1);
	if (!p || !body || !received) {
		*why = "ping: not enough memory";
		return NULL;
	}
	memset(p, 0, sizeof *p);
	p->app = (struct app){ .run = run, .deadline = deadline };
	p->config = *c;
	p->stack = s;
	p->body = body;
	p->received = received;
	p->next_at = p->s.started = stack_time(s);
	p->s.ended = NANOTIME_NEVER;
	list_init(&p->app.link);
	sock_queue_init(&p->queue);
	fill(p);
	struct sock_options o = {
		.queue = &p->queue, .hop_limit = c->hop_limit, .dont_fragment = c->dont_fragment
	};
	if (sock_ping(s, &o, !addr_is4(&c->destination), &p->sock) < 0) {
		*why = "ping: no socket left";
		return NULL;
	}
	return p;
}

struct app *ping_app(struct ping *p)
{
	return &p->app;
}

static void report(struct ping *p, const struct ping_event *e)
{
	if (p->config.report)
		p->config.report(p->config.user, e);
}

static struct ping_slot *slot_of(struct ping *p, uint16_t sequence)
{
	struct ping_slot *slot = &p->slot[sequence % PING_WINDOW];
	return slot->state != SLOT_EMPTY && slot->sequence == sequence ? slot : NULL;
}

/* ---- sending ---- */

uint32_t ping_body_within(const struct addr *destination, uint32_t mtu)
{
	uint32_t headers = (addr_is4(destination) ? IP4_HEADER : IP6_HEADER) + ICMP_HEADER;
	uint32_t room = mtu > headers ? mtu - headers : 0;
	return room < PING_BODY_MAX ? room : PING_BODY_MAX;
}

/* The MTU that a request of ours met in this stack; 0: it went nowhere. */
static uint32_t local_mtu(const struct ping *p, struct stack *s, nanotime now)
{
	struct path path = { .neighbour = NEIGHBOUR_NO_INDEX };
	enum error e = internet_path(stack_internet(s), &path, &p->config.destination, now);
	return e == ERR_OK ? path.mtu : 0;
}

static void send(struct ping *p, struct stack *s, nanotime now)
{
	uint16_t sequence = (uint16_t)p->next;
	struct ping_slot *slot = &p->slot[sequence % PING_WINDOW];
	int64_t n = sock_send_to(
		s, p->sock, p->body, p->config.size, &p->config.destination, sequence);

	*slot = (struct ping_slot){ .sent = now, .sequence = sequence, .state = SLOT_WAITING };
	p->next++;
	p->next_at += p->config.interval;
	if (p->next_at <= now)
		p->next_at = now + p->config.interval;
	if (n >= 0) {
		p->s.sent++;
		return;
	}
	slot->state = SLOT_FAILED;
	p->s.send_failed++;
	report(p,
		&(struct ping_event){ .kind = PING_SEND_FAILED,
			.sequence = sequence,
			.mtu = n == -ERR_TOO_BIG ? local_mtu(p, s, now) : 0,
			.error = (enum error) - n });
}

static bool more_to_send(const struct ping *p)
{
	return p->config.count == 0 || p->next < p->config.count;
}

/* ---- receiving ---- */

static void count_rtt(struct ping *p, nanodiff rtt)
{
	if (p->s.received == 0 || rtt < p->s.min)
		p->s.min = rtt;
	if (rtt > p->s.max)
		p->s.max = rtt;
	p->s.received++;
	p->sum += (uint64_t)rtt;
	p->squares += (wide)(uint64_t)rtt * (uint64_t)rtt;
}

/* Where a reply's bytes first differ from what was sent; its length if nowhere. */
static size_t compare(const struct ping *p, size_t len)
{
	size_t i = 0;
	while (i < len && i < p->config.size && p->received[i] == p->body[i])
		i++;
	return i;
}

static void take_reply(struct ping *p, const struct sock_datagram *d, size_t len)
{
	struct ping_slot *slot = slot_of(p, d->port);
	if (!slot)
		return; /* to a request that we no longer know */

	struct ping_event e = { .kind = PING_REPLY,
		.sequence = d->port,
		.rtt = d->time - slot->sent,
		.bytes = len,
		.from = d->source,
		.hop_limit = d->hop_limit };
	e.offset = compare(p, len);
	bool wrong = len != p->config.size || d->truncated || e.offset != len;
	if (slot->state == SLOT_ANSWERED) {
		e.kind = PING_DUPLICATE;
		p->s.duplicates++;
	} else if (wrong) {
		e.kind = PING_WRONG_DATA;
		p->s.wrong++;
		slot->state = SLOT_FAILED;
	} else {
		if (slot->state == SLOT_LOST)
			p->s.lost--; /* late, but it came */
		slot->state = SLOT_ANSWERED;
		count_rtt(p, e.rtt);
	}
	report(p, &e);
}

static void take_error(struct ping *p, const struct sock_datagram *d)
{
	bool four = addr_is4(&p->config.destination);
	struct ping_slot *slot = slot_of(p, d->port);
	struct ping_event e = { .kind = PING_ERROR,
		.sequence = d->port,
		.from = d->source,
		.icmp_type = d->icmp_type,
		.icmp_code = d->icmp_code,
		.mtu = d->mtu };

	e.icmp_text = four ? icmp4_name(d->icmp_type, d->icmp_code)
			   : icmp6_name(d->icmp_type, d->icmp_code);
	p->s.errors++;
	if (slot && slot->state == SLOT_LOST)
		p->s.lost--; /* late, but now it is known why */
	if (slot && slot->state != SLOT_ANSWERED)
		slot->state = SLOT_FAILED;
	report(p, &e);
}

static void receive(struct ping *p, struct stack *s)
{
	struct sock_datagram d;
	int64_t n;

	while ((n = sock_recv_from(s, p->sock, p->received, p->config.size + 1u, &d)) >= 0) {
		if (d.is_error)
			take_error(p, &d);
		else if (addr_equal(&d.source, &p->config.destination) ||
			addr_is_loopback(&p->config.destination))
			take_reply(p, &d, (size_t)n);
	}
}

/* ---- time ---- */

/* Gives up on those that waited too long, and passes over those that wait no more. */
static void expire(struct ping *p, nanotime now)
{
	while (p->oldest < p->next) {
		struct ping_slot *slot = &p->slot[p->oldest % PING_WINDOW];
		if (slot->state == SLOT_WAITING) {
			if (now < slot->sent + p->config.timeout)
				return;
			slot->state = SLOT_LOST;
			p->s.lost++;
			report(p,
				&(struct ping_event){
					.kind = PING_LOST, .sequence = slot->sequence });
		}
		p->oldest++;
	}
}

static void run(struct app *a, struct stack *s, nanotime now)
{
	struct ping *p = list_entry(a, struct ping, app);
	struct sock_event e;

	while (sock_next(s, &p->queue, &e))
		;
	if (p->s.ended != NANOTIME_NEVER)
		return;
	receive(p, s);
	expire(p, now);
	if (more_to_send(p) && now >= p->next_at)
		send(p, s, now);
	if (!more_to_send(p) && p->oldest == p->next)
		ping_stop(p, now);
}

static nanotime deadline(const struct app *a)
{
	const struct ping *p = list_entry(a, const struct ping, app);
	nanotime first = NANOTIME_NEVER;

	if (p->s.ended != NANOTIME_NEVER)
		return NANOTIME_NEVER;
	if (more_to_send(p))
		first = p->next_at;
	for (uint64_t i = p->oldest; i < p->next; i++) {
		const struct ping_slot *slot = &p->slot[i % PING_WINDOW];
		if (slot->state == SLOT_WAITING)
			return nanotime_min(first, slot->sent + p->config.timeout);
	}
	return more_to_send(p) ? first : 0; /* nobody waits: it is over */
}

bool ping_done(const struct ping *p)
{
	return p->s.ended != NANOTIME_NEVER;
}

void ping_stop(struct ping *p, nanotime now)
{
	if (p->s.ended != NANOTIME_NEVER)
		return;
	p->s.ended = now;
	sock_close(p->stack, p->sock);
}

/* ---- statistics ---- */

static uint64_t square_root(wide v)
{
	uint64_t root = 0;
	for (uint64_t bit = UINT64_C(1) << 63; bit; bit >>= 1) {
		uint64_t tried = root | bit;
		if ((wide)tried * tried <= v)
			root = tried;
	}
	return root;
}

struct ping_statistics ping_statistics(const struct ping *p)
{
	struct ping_statistics s = p->s;

	for (uint64_t i = p->oldest; i < p->next; i++)
		s.waiting += p->slot[i % PING_WINDOW].state == SLOT_WAITING;
	if (s.received == 0)
		return s;
	uint64_t mean = (uint64_t)(p->sum / s.received);
	wide squares = p->squares / s.received;
	wide square = (wide)mean * mean;
	s.avg = (nanodiff)mean;
	s.mdev = squares > square ? (nanodiff)square_root(squares - square) : 0;
	return s;
}
