/*
 * Attempts stand in one array in the order in which they start: those before
 * `started` were started, the rest wait. Adding addresses orders only the rest.
 * An attempt is over when its socket has an error; its socket is closed at once,
 * so at most DIAL_ADDRESSES_MAX sockets exist, and none after the dial has ended
 * but the winner's.
 */
#include "application/dial.h"

void dial_begin(struct dial *d, const struct sock_options *options, uint16_t port, nanodiff stagger)
{
	*d = (struct dial){ .options = *options,
		.port = port,
		.stagger = stagger,
		.next = NANOTIME_NEVER,
		.more = true,
		.winner = -1 };
}

static bool known(const struct dial *d, const struct addr *a)
{
	for (unsigned i = 0; i < d->count; i++)
		if (addr_equal(&d->attempt[i].address, a))
			return true;
	return false;
}

/* Lets the families alternate among those not started, IPv6 first (RFC 8305 4). */
static void alternate(struct dial *d)
{
	bool want4 = d->started > 0 && !addr_is4(&d->attempt[d->started - 1].address);

	for (unsigned at = d->started; at < d->count; at++) {
		unsigned found = at;
		while (found < d->count && addr_is4(&d->attempt[found].address) != want4)
			found++;
		if (found == d->count)
			return; /* only one family is left */
		struct dial_attempt moved = d->attempt[found];
		memmove(d->attempt + at + 1, d->attempt + at, (found - at) * sizeof moved);
		d->attempt[at] = moved;
		want4 = !want4;
	}
}

void dial_add(struct dial *d, const struct addr *address, unsigned count, bool more)
{
	for (unsigned i = 0; i < count && d->count < DIAL_ADDRESSES_MAX; i++) {
		if (known(d, address + i))
			continue;
		d->attempt[d->count++] = (struct dial_attempt){
			.address = address[i], .started = NANOTIME_NEVER, .ended = NANOTIME_NEVER
		};
	}
	d->more = more;
	alternate(d);
}

static void fail(struct dial *d, struct dial_attempt *a, nanotime now, enum error why)
{
	a->error = why;
	a->ended = now;
	a->sock = 0;
	d->running--;
	d->next = now; /* RFC 8305 5: a failure starts the next one at once */
}

/* Looks at the attempts under way. The winner's socket, or 0. */
static sock_id look(struct dial *d, struct stack *s, nanotime now)
{
	for (unsigned i = 0; i < d->started; i++) {
		struct dial_attempt *a = &d->attempt[i];
		if (!a->sock)
			continue;
		/* An error that may pass ends no connection (RFC 9293 MUST-56), but another
		 * address may do better (RFC 5461 3.1, RFC 8305). */
		enum error why = sock_error(s, a->sock);
		if (!why)
			why = sock_trouble(s, a->sock);
		if (why != ERR_OK) {
			sock_close(s, a->sock);
			fail(d, a, now, why);
		} else if (sock_poll(s, a->sock) & (EVENT_CONNECTED | EVENT_WRITABLE)) {
			sock_id won = a->sock;
			a->sock = 0;
			a->ended = now;
			d->running--;
			d->winner = (int)i;
			dial_cancel(d, s, now, ERR_ABORTED);
			return won;
		}
	}
	return 0;
}

static void start(struct dial *d, struct stack *s, nanotime now)
{
	struct dial_attempt *a = &d->attempt[d->started++];
	a->started = now;
	d->running++;
	int error = sock_connect(s, &d->options, &a->address, d->port, &a->sock);
	if (error < 0)
		fail(d, a, now, (enum error) - error);
	else
		d->next = now + d->stagger;
}

int64_t dial_run(struct dial *d, struct stack *s, nanotime now)
{
	sock_id won = look(d, s, now);
	if (won)
		return won;
	while (d->started < d->count && (d->running == 0 || now >= d->next))
		start(d, s, now);
	if (d->running > 0 || d->more)
		return 0;
	return -(int64_t)dial_error(d);
}

/* How much an error tells about the host; more is better. */
static int weight(enum error e)
{
	switch (e) {
	case ERR_OK: return 0;
	case ERR_REFUSED: return 6;
	case ERR_RESET: return 5;
	case ERR_TIMEOUT: return 4;
	case ERR_HOST_UNREACHABLE:
	case ERR_NET_UNREACHABLE:
	case ERR_PORT_UNREACHABLE:
	case ERR_PROTOCOL_UNREACHABLE: return 3;
	case ERR_NO_ROUTE:
	case ERR_NO_ADDRESS:
	case ERR_FAMILY: return 1;
	default: return 2;
	}
}

enum error dial_error(const struct dial *d)
{
	enum error best = ERR_OK;
	for (unsigned i = 0; i < d->started; i++)
		if (weight(d->attempt[i].error) > weight(best))
			best = d->attempt[i].error;
	return best == ERR_OK ? ERR_NO_ADDRESS : best;
}

bool dial_family_mismatch(const struct dial *d)
{
	bool four = false, six = false;
	for (unsigned i = 0; i < d->count; i++) {
		if (weight(d->attempt[i].error) != 1)
			return false;
		if (addr_is4(&d->attempt[i].address))
			four = true;
		else
			six = true;
	}
	return four != six; /* both missing is no matter of the family */
}

nanotime dial_deadline(const struct dial *d)
{
	if (d->winner >= 0 || d->started == d->count)
		return NANOTIME_NEVER;
	return d->running ? d->next : 0;
}

void dial_cancel(struct dial *d, struct stack *s, nanotime now, enum error why)
{
	for (unsigned i = 0; i < d->started; i++) {
		if (!d->attempt[i].sock)
			continue;
		sock_abort(s, d->attempt[i].sock);
		fail(d, &d->attempt[i], now, why);
	}
	d->more = false;
}
