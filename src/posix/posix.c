/*
 * The host: one stack on one bare interface whose other end is the caller. What the
 * stack sends goes to the outbox, stamped with the time at which it left; time moves
 * from timer to timer and only when it is told to. After everything that may have
 * changed something, posix_look compares each socket with what it was, so that who
 * waits is woken exactly when Linux would.
 */
#include "posix/posix_file.h"

#include "base/arena.h"

#define BURST 1024 /* frames in one go; repeated until the stack has no more */

struct box_header {
	nanotime time;
	uint32_t len;
	uint32_t why;
};

void posix_config_default(struct posix_config *c)
{
	memset(c, 0, sizeof *c);
	c->mtu = 1500;
	c->descriptors = 64;
	c->first_descriptor = 3;
	c->outbox = 1 << 20;
}

static void box_put(struct posix *p, const void *from, size_t len)
{
	size_t at = (p->box_head + p->box_used) % p->config.outbox;
	size_t first = p->config.outbox - at < len ? p->config.outbox - at : len;
	memcpy(p->box + at, from, first);
	memcpy(p->box, (const uint8_t *)from + first, len - first);
	p->box_used += (uint32_t)len;
}

static void box_get(struct posix *p, void *to, size_t len, size_t skip)
{
	size_t at = (p->box_head + skip) % p->config.outbox;
	size_t first = p->config.outbox - at < len ? p->config.outbox - at : len;
	memcpy(to, p->box + at, first);
	memcpy((uint8_t *)to + first, p->box, len - first);
}

static bool box_has_room(const struct posix *p)
{
	return p->config.outbox - p->box_used >= POSIX_DATAGRAM_MAX + sizeof(struct box_header);
}

static bool box_frame(void *link, struct netif *nif, const struct tx_frame *frame, nanotime now)
{
	struct posix *p = link;
	struct box_header h = { now, (uint32_t)frame_len(frame), frame->why };
	if (!box_has_room(p) || h.len > POSIX_DATAGRAM_MAX)
		return false;
	box_put(p, &h, sizeof h);
	struct span head = frame_head(frame);
	box_put(p, head.at, head.len);
	for (unsigned i = 0; i < frame->spans; i++)
		box_put(p, frame->body[i].at, frame->body[i].len);
	nif->blocked = !box_has_room(p);
	return true;
}

static const struct link_ops box_ops = { .name = "posix", .transmit = box_frame };

static const char *config_broken(const struct posix_config *c)
{
	if (addr_is_any(&c->local4) && addr_is_any(&c->local6))
		return "the host needs an address";
	if (!addr_is_any(&c->local4) && !addr_is4(&c->local4))
		return "local4 must be an IPv4 address";
	if (!addr_is_any(&c->local6) && addr_is4(&c->local6))
		return "local6 must be an IPv6 address";
	if (c->mtu < (addr_is_any(&c->local6) ? 576 : 1280))
		return "mtu must be at least 576, with IPv6 1280";
	if (c->descriptors < 1 || c->descriptors > 4096)
		return "descriptors must be 1 .. 4096";
	if (c->first_descriptor < 1)
		return "first_descriptor must be at least 1";
	if (c->outbox < 2 * POSIX_DATAGRAM_MAX)
		return "outbox must hold two of the largest datagrams";
	return NULL;
}

static void stack_config(const struct posix_config *c, struct stack_config *s)
{
	stack_config_default(s);
	sysctl_stack_config(s);
	s->transport.sockets = s->transport.connections = c->descriptors * 2;
	s->transport.flights = s->transport.connections;
	memcpy(s->secret, c->secret, sizeof s->secret);
}

/* The same planning measures and builds. */
static struct posix *plan(const struct posix_config *c, struct arena *arena, bool build)
{
	struct posix *p = arena_take(arena, sizeof *p, 64);
	struct file *files = arena_take(arena, c->descriptors * sizeof *files, 64);
	struct watched *watched = arena_take(
		arena, c->descriptors * POSIX_WATCHED * sizeof *watched, 64);
	uint8_t *pipes = arena_take(arena, (size_t)POSIX_PIPE * POSIX_PIPES, 64);
	uint8_t *box = arena_take(arena, c->outbox, 64);
	if (!build || !p || !files || !watched || !pipes || !box)
		return NULL;
	memset(p, 0, sizeof *p);
	memset(files, 0, c->descriptors * sizeof *files);
	memset(watched, 0, c->descriptors * POSIX_WATCHED * sizeof *watched);
	p->config = *c;
	p->file = files;
	for (uint32_t i = 0; i < c->descriptors; i++)
		files[i].watched = watched + (size_t)i * POSIX_WATCHED;
	p->pipe_bytes = pipes;
	p->box = box;
	list_init(&p->waiting);
	return p;
}

size_t posix_memory(const struct posix_config *c)
{
	struct arena measure = { .at = NULL, .size = SIZE_MAX };
	struct stack_config s;
	stack_config(c, &s);
	plan(c, &measure, false);
	return measure.used + 128 + stack_memory(&s);
}

static bool add_family(struct posix *p, const struct addr *local, unsigned prefix)
{
	static const uint8_t zero[16];
	struct addr all = addr_is4(local) ? addr_from4(zero) : ADDR_ANY;
	return addr_is_any(local) ||
		(stack_add_address(p->stack, p->nif, local, prefix) == ERR_OK &&
			stack_add_route(p->stack, &all, 0, NULL, p->nif) == ERR_OK);
}

struct posix *posix_create(
	const struct posix_config *c, void *memory, size_t size, const char **why)
{
	*why = config_broken(c);
	if (*why)
		return NULL;
	struct arena arena = { .at = memory, .size = size };
	struct posix *p = plan(c, &arena, true);
	size_t used = (arena.used + 63) & ~(size_t)63;
	if (!p || used > size) {
		*why = "the memory given is smaller than posix_memory asks for";
		return NULL;
	}
	struct stack_config s;
	stack_config(c, &s);
	p->now = c->start;
	p->stack = stack_create(&s, (uint8_t *)memory + used, size - used, p->now, why);
	if (!p->stack)
		return NULL;
	struct netif_config n = {
		.name = "bare", .mtu = c->mtu, .features = LINK_BARE, .ops = &box_ops, .link = p
	};
	p->nif = stack_add_netif(p->stack, &n, why);
	if (!p->nif)
		return NULL;
	if (!add_family(p, &c->local4, c->prefix4) || !add_family(p, &c->local6, c->prefix6)) {
		*why = "an address or its prefix length is not a host's";
		return NULL;
	}
	p->next_port = 32768;
	sysctl_defaults(p);
	stack_transmit(p->stack, p->now, BURST); /* what addresses bring with them goes nowhere */
	p->box_used = 0;
	return p;
}

nanotime posix_now(const struct posix *p)
{
	return p->now;
}

struct stack *posix_stack(struct posix *p)
{
	return p->stack;
}

/* What a stretch of time was spent on (tcpi_busy_time and its parts). */
static void account(struct posix *p, struct file *f, nanodiff passed)
{
	struct sock_tcp_info i;
	if (f->stage != STAGE_STREAM || sock_tcp_info(p->stack, f->id, &i) != 0 || f->connecting ||
		!(i.unacked + i.unsent))
		return;
	f->busy += passed;
	if (i.unsent && i.wait_window && i.in_flight + i.mss <= i.cwnd)
		f->window_limited += passed;
	else if (!i.unsent && f->queue.no_space)
		f->buffer_limited += passed;
}

static void move_to(struct posix *p, nanotime to)
{
	if (to <= p->now)
		return;
	for (uint32_t i = 0; i < p->config.descriptors; i++)
		if (p->file[i].kind == FILE_SOCKET)
			account(p, &p->file[i], to - p->now);
	p->now = to;
	stack_set_time(p->stack, to);
}

nanotime posix_next(const struct posix *p)
{
	nanotime next = stack_next_deadline(p->stack);
	list_each(at, &p->waiting)
	{
		nanotime own = list_entry(at, struct posix_call, link)->deadline;
		if (own > p->now) /* else it is over, and says so when it is tried */
			next = nanotime_min(next, own);
	}
	return next;
}

bool posix_advance(struct posix *p, nanotime until)
{
	nanotime next = posix_next(p);
	if (next > until) {
		move_to(p, until);
		return true;
	}
	move_to(p, next);
	stack_timers(p->stack, p->now);
	posix_flush(p);
	return p->now >= until;
}

int posix_receive(struct posix *p, const void *datagram, size_t len)
{
	if (len == 0 || len > POSIX_DATAGRAM_MAX)
		return -LINUX_EINVAL;
	struct rx_frame frame = rx_frame_of(datagram, len);
	for (uint32_t i = 0; i < p->config.descriptors; i++)
		if (p->file[i].more) { /* MSG_MORE holds until something comes, as in Linux */
			p->file[i].more = false;
			sock_set(p->stack, p->file[i].id, SOCK_CORK, p->file[i].corked);
		}
	stack_receive(p->stack, p->nif, &frame, p->now);
	call_writers(p);
	posix_flush(p);
	return 0;
}

bool posix_has_sent(const struct posix *p)
{
	return p->box_used > 0;
}

size_t posix_transmit(struct posix *p, void *buf, size_t cap, nanotime *when, enum tx_why *why)
{
	if (!p->box_used)
		return 0;
	struct box_header h;
	box_get(p, &h, sizeof h, 0);
	size_t len = h.len < cap ? h.len : cap;
	box_get(p, buf, len, sizeof h);
	uint32_t whole = (uint32_t)sizeof h + h.len;
	p->box_head = (p->box_head + whole) % p->config.outbox;
	p->box_used -= whole;
	if (when)
		*when = h.time;
	if (why)
		*why = (enum tx_why)h.why;
	if (p->nif->blocked && box_has_room(p)) {
		p->nif->blocked = false;
		posix_flush(p);
	}
	return len;
}

int posix_set_mtu(struct posix *p, uint32_t mtu)
{
	if (mtu < (addr_is_any(&p->config.local6) ? 576u : 1280u) || mtu > 65535)
		return -LINUX_EINVAL;
	p->nif->mtu = (uint16_t)mtu;
	stack_internet(p->stack)->routes.generation++; /* paths are looked up again */
	return 0;
}

void posix_flush(struct posix *p)
{
	while (stack_transmit(p->stack, p->now, BURST) == BURST)
		;
	posix_look(p);
}

/* Connections that wait to be accepted, or datagrams to be read. */
static void look_at_listener(struct posix *p, struct file *f)
{
	uint32_t waiting = sock_poll(p->stack, f->id) & EVENT_READABLE;
	if (waiting && !f->seen.waiting)
		watched_wake(p, f);
	f->seen.waiting = waiting;
}

static void look_at_stream(struct posix *p, struct file *f)
{
	struct sock_tcp_info i;
	if (sock_tcp_info(p->stack, f->id, &i) != 0)
		return;
	struct seen now = {
		.received = i.bytes_received,
		.unread = i.unread,
		.events = sock_poll(p->stack, f->id) & ~(uint32_t)(EVENT_WRITABLE | EVENT_READABLE),
	};
	send_progress(p, f, &i);
	note_progress(p, f, &i);
	bool news = now.unread > f->seen.unread || now.received != f->seen.received ||
		now.events != f->seen.events;
	if (!f->connected_at && now.events & EVENT_CONNECTED)
		f->connected_at = p->now;
	f->seen = now;
	if (f->queue.no_space && send_is_writable(p, f)) {
		f->queue.no_space = false;
		news = true;
	}
	if (news)
		watched_wake(p, f);
}

void posix_look(struct posix *p)
{
	for (uint32_t i = 0; i < p->config.descriptors; i++) {
		struct file *f = &p->file[i];
		if (f->kind != FILE_SOCKET)
			continue;
		if (f->stage == STAGE_LISTEN || (f->datagram && f->id))
			look_at_listener(p, f);
		else if (f->stage == STAGE_STREAM)
			look_at_stream(p, f);
	}
}
