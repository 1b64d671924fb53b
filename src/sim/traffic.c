/*
 * One application on each side serves all its ends: it is run when something
 * happened to its node or an end's pause is over, and looks at what each end may
 * do now. Pauses go by the world's clock.
 */
#include "sim/traffic.h"

#include <stdio.h>

#include "sim/faults.h"

#define CHUNK 16384u

static uint8_t byte_of(unsigned flow, bool from_server, uint32_t at)
{
	uint32_t v = at * 2654435761u + flow * 40503u + from_server * 977u;
	return (uint8_t)(v >> 11 ^ v >> 23);
}

/* ---- one end ---- */

static void finish(struct traffic_end *e, struct stack *s, enum error error)
{
	e->error = error;
	e->done = true;
	sock_close(s, e->sock);
}

static bool write_some(
	struct traffic_end *e, struct stack *s, unsigned flow, bool server, nanotime now)
{
	uint8_t piece[CHUNK];
	if (e->sent == e->out || now < e->next_write || e->shut)
		return false;
	uint32_t n = e->out - e->sent < e->write_chunk ? e->out - e->sent : e->write_chunk;
	/* Bytes are made only where they fit; where none does, one asks to be told of room. */
	size_t room = sock_room(s, e->sock);
	if (n > room)
		n = room ? (uint32_t)room : 1;
	for (uint32_t i = 0; i < n; i++)
		piece[i] = byte_of(flow, server, e->sent + i);
	int64_t took = sock_write(s, e->sock, piece, n);
	if (took <= 0)
		return false;
	e->sent += (uint32_t)took;
	e->next_write = now + e->write_pause;
	const uint64_t place[] = { flow, server, e->sent };
	if (e->records && hash_words(&(struct hash_key){ { 0 } }, place, 3) % PPM < e->records)
		sock_end_record(s, e->sock);
	return true;
}

/* I01: exactly the bytes that were written, at their places. */
static void check_piece(struct traffic *t, struct traffic_end *e, const uint8_t *piece, uint32_t n,
	unsigned flow, bool server)
{
	uint32_t wrong = n > e->peer->sent - e->got;
	for (uint32_t i = 0; i < n; i++)
		wrong += piece[i] != byte_of(flow, !server, e->got + i);
	e->got += n;
	e->wrong_at += wrong;
	if (wrong && !t->garbled)
		e->wrong = e->got > e->peer->sent
			? "I01: more bytes came than were sent"
			: "I01: a byte came that was not sent at that place";
}

static bool read_some(struct traffic *t, struct traffic_end *e, struct stack *s, unsigned flow,
	bool server, nanotime now)
{
	uint8_t piece[CHUNK];
	if (e->eof || now < e->next_read)
		return false;
	int64_t n = sock_read(s, e->sock, piece, e->read_chunk);
	if (n < 0)
		return false;
	if (n == 0) {
		e->eof = true;
		if (!t->garbled && (e->got != e->peer->sent || !e->peer->shut))
			e->wrong = "I02: end of stream before the last byte";
		return true;
	}
	check_piece(t, e, piece, (uint32_t)n, flow, server);
	e->next_read = now + e->read_pause;
	if (e->stop_for && e->got >= e->stop_at) {
		e->next_read = now + e->stop_for;
		e->stop_for = 0;
	}
	return true;
}

static void shut(struct traffic_end *e, struct stack *s)
{
	e->shut = true;
	sock_shutdown(s, e->sock);
}

/* F55: what an application may do at any time, sensible or not. None of it may harm the stack. */
static void act_up(struct traffic_end *e, struct stack *s, struct rng *r)
{
	uint8_t byte = 0;
	size_t got;
	struct sock_peer peer;
	struct sock_tcp_info info;
	sock_id stale = e->sock;
	switch (rng_below(r, 10)) {
	case 0: shut(e, s); break;
	case 1:
		shut(e, s);
		shut(e, s);
		break;
	case 2:
		shut(e, s);
		if (sock_write(s, e->sock, &byte, 1) > 0)
			e->wrong = "F55: a write after shutdown was taken";
		break;
	case 3:
		e->aborted = e->done = true;
		sock_abort(s, e->sock);
		if (sock_read(s, stale, &byte, 1) >= 0 || sock_write(s, stale, &byte, 1) >= 0)
			e->wrong = "F55: a stale handle was taken";
		break;
	case 4:
		e->aborted = e->done = e->shut = true;
		sock_close(s, e->sock);
		if (sock_close(s, stale) >= 0 || sock_abort(s, stale) >= 0)
			e->wrong = "F55: a stale handle was closed";
		break;
	case 5: sock_set_nodelay(s, e->sock, rng_below(r, 2)); break;
	case 6: sock_name(s, e->sock, &peer, &peer); break;
	case 7: sock_tcp_info(s, e->sock, &info); break;
	case 8:
		if (sock_reserve(s, e->sock, 1 + rng_below(r, 5000), &got))
			sock_commit(s, e->sock, 0);
		break;
	case 9: sock_want_room(s, e->sock); break;
	default: break;
	}
}

static void take_leave(struct traffic *t, struct traffic_end *e, struct stack *s, unsigned flow,
	bool server, nanotime now)
{
	/* What came before the error may still be read. */
	while (!e->wrong && read_some(t, e, s, flow, server, now))
		continue;
	if (now >= e->next_read || e->eof)
		finish(e, s, sock_error(s, e->sock));
}

static void run_end(struct traffic *t, unsigned flow, bool server, struct stack *s, nanotime now)
{
	struct traffic_flow *f = &t->flow[flow];
	struct traffic_end *e = server ? &f->server : &f->client;
	bool moved = true;
	if (sock_error(s, e->sock) != ERR_OK) {
		take_leave(t, e, s, flow, server, now);
		return;
	}
	if (e->unruly && rng_below(&f->rng, PPM) < e->unruly)
		act_up(e, s, &f->rng);
	while (moved && !e->wrong && !e->done) {
		moved = write_some(e, s, flow, server, now);
		moved |= read_some(t, e, s, flow, server, now);
		if (e->abort_at && e->sent + e->got >= e->abort_at) {
			e->aborted = e->done = true;
			sock_abort(s, e->sock);
			return;
		}
		if (e->sent == e->out && !e->shut && (sock_poll(s, e->sock) & EVENT_WRITABLE)) {
			shut(e, s);
			moved = true;
		} else if (e->records && e->sent == e->out && !e->shut) {
			sock_want_room(s, e->sock); /* there is none while all marks are in use */
		}
	}
	if (!e->done && e->shut && e->eof)
		finish(e, s, ERR_OK);
}

static nanotime end_deadline(const struct traffic_end *e, nanotime now)
{
	nanotime next = NANOTIME_NEVER;
	if (!e->started || e->done)
		return next;
	if (e->next_write > now && e->sent < e->out)
		next = e->next_write;
	if (e->next_read > now && !e->eof)
		next = nanotime_min(next, e->next_read);
	return next;
}

/* ---- one side ---- */

static void connect_one(struct traffic *t, struct traffic_flow *f, unsigned index, struct stack *s)
{
	struct traffic_end *e = &f->client;
	struct sock_peer local;
	char name[24];
	struct sock_options o = { .queue = &t->client.queue,
		.keepalive = true,
		.nodelay = index % 2,
		.local_port = f->port,
		.send_buffer = e->send_buffer,
		.receive_buffer = e->receive_buffer };
	e->started = true;
	snprintf(name, sizeof name, "client %u", index);
	settings_before(t->settings, t->world, name, &o);
	int error = sock_connect(s, &o, &f->to, TRAFFIC_PORT, &e->sock);
	if (error < 0) {
		e->error = (enum error) - error;
		e->done = true;
		return;
	}
	e->records = settings_after(t->settings, t->world, name, s, e->sock);
	sock_name(s, e->sock, &local, NULL);
	f->port = local.port;
}

static void connect_due(struct traffic *t, struct stack *s, nanotime now)
{
	for (unsigned i = 0; i < t->count; i++) {
		struct traffic_flow *f = &t->flow[i];
		if (f->used && !f->client.started && f->start <= now)
			connect_one(t, f, i, s);
	}
}

/* Has the client of this flow finished its handshake, as far as it knows, from this address?
 * `early`: with Fast Open the server has its connection before the client knows. */
static bool connected(const struct traffic *t, const struct traffic_flow *f,
	const struct sock_peer *peer, bool early)
{
	struct stack *s = t->client.node->stack;
	struct sock_peer local;
	struct sock_tcp_info i;
	return sock_tcp_info(s, f->client.sock, &i) == 0 &&
		(early || strcmp(i.state, "SYN-SENT") != 0) &&
		sock_name(s, f->client.sock, &local, NULL) == 0 && local.port == peer->port &&
		addr_equal(&local.address, &peer->address);
}

/* Ports come again, from other addresses too (F58), and both families have theirs, so only a client
 * that lives and is connected from there can be the one that was accepted. */
static struct traffic_end *expected(
	struct traffic *t, const struct sock_peer *peer, bool early)
{
	for (unsigned i = 0; i < t->count; i++) {
		struct traffic_flow *f = &t->flow[i];
		if (f->used && f->client.started && !f->client.done && !f->server.started &&
			connected(t, f, peer, early))
			return &f->server;
	}
	return NULL;
}

static void accept_all(struct traffic *t, struct stack *s, nanotime now)
{
	struct sock_peer peer;
	struct sock_tcp_info i;
	char name[24];
	sock_id id;
	if (now < t->accepts_from)
		return;
	while (sock_accept(s, t->listener, &t->server.queue, NULL, &id, &peer) == 0) {
		bool early = sock_tcp_info(s, id, &i) == 0 &&
			strcmp(i.state, "SYN-RECEIVED") == 0;
		struct traffic_end *e = sock_error(s, id)
			? NULL
			: expected(t, &peer, early && !t->rebooted);
		if (!e) { /* of a life before a reboot, of a client that gave up, of an old SYN */
			t->strangers++;
			sock_abort(s, id);
			continue;
		}
		e->started = true;
		e->sock = id;
		e->early = early;
		sock_set_keepalive(s, id, true);
		snprintf(name, sizeof name, "server %u", peer.port);
		e->records = settings_after(t->settings, t->world, name, s, id);
	}
}

static void run_side(struct app *a, struct stack *s, nanotime now)
{
	struct traffic_side *side = list_entry(a, struct traffic_side, app);
	struct traffic *t = side->traffic;
	struct sock_event event;
	now = t->world->now;
	while (sock_next(s, &side->queue, &event))
		continue;
	if (side->server)
		accept_all(t, s, now);
	else
		connect_due(t, s, now);
	for (unsigned i = 0; i < t->count; i++) {
		struct traffic_end *e = side->server ? &t->flow[i].server : &t->flow[i].client;
		if (e->started && !e->done && !e->wrong)
			run_end(t, i, side->server, s, now);
		if (e->wrong)
			world_halt(t->world, WORLD_BROKEN, "flow %u, %s: %s", i,
				side->server ? "server" : "client", e->wrong);
	}
	if (side->server) /* an end that closed made room for one that waited */
		accept_all(t, s, now);
}

static nanotime side_deadline(const struct app *a)
{
	const struct traffic_side *side = list_entry(a, struct traffic_side, app);
	const struct traffic *t = side->traffic;
	nanotime now = t->world->now, next = NANOTIME_NEVER;
	if (side->server && t->accepts_from > now)
		next = t->accepts_from;
	for (unsigned i = 0; i < t->count; i++) {
		const struct traffic_flow *f = &t->flow[i];
		const struct traffic_end *e = side->server ? &f->server : &f->client;
		next = nanotime_min(next, end_deadline(e, now));
		if (!side->server && f->used && !e->started)
			next = nanotime_min(next, f->start);
	}
	return next;
}

/* ---- starting them ---- */

static void listen_again(struct traffic *t)
{
	struct stack *s = node_use(t->server.node);
	struct sock_options o = { .queue = &t->server.queue };
	o.local_port = TRAFFIC_PORT;
	o.backlog = t->backlog;
	settings_before(t->settings, t->world, "listener", &o);
	sock_listen(s, &o, &t->listener);
	settings_after(t->settings, t->world, "listener", s, t->listener);
}

static void start_side(struct traffic *t, struct traffic_side *side, struct node *n, bool server)
{
	*side = (struct traffic_side){ .traffic = t, .node = n, .server = server };
	side->app.run = run_side;
	side->app.deadline = side_deadline;
	sock_queue_init(&side->queue);
	if (server)
		listen_again(t);
	node_add_app(n, &side->app);
}

/* Ports that come again before 2 MSL meet segments of their former life, which nothing can tell
 * from new ones (RFC 9293 3.4.3: that is what the quiet time is for). */
static bool old_duplicates(fault_set faults)
{
	return faults & FAULT_BIT(F10) && faults & (FAULT_BIT(F45) | FAULT_BIT(F57));
}

void traffic_start(struct traffic *t, const struct traffic_plan *p)
{
	*t = (struct traffic){ .world = p->client->world,
		.count = TRAFFIC_FLOWS,
		.garbled = fault_set_harm(p->faults) == FAULT_GARBLES || old_duplicates(p->faults),
		.backlog = p->backlog,
		.settings = p->settings,
		.accepts_from = p->accepts_from };
	for (unsigned i = 0; i < TRAFFIC_FLOWS; i++)
		if (p->flows >> i & 1)
			traffic_draw(t, i, p);
	start_side(t, &t->server, p->server, true);
	start_side(t, &t->client, p->client, false);
}

/* A client that lost its socket comes again in a slot of its own, from the same port. */
static void come_again(struct traffic *t, struct traffic_flow *old)
{
	if (t->count == TRAFFIC_MAX || !old->port)
		return;
	struct traffic_flow *f = &t->flow[t->count++];
	const struct traffic_end *c = &old->client, *s = &old->server;
	*f = (struct traffic_flow){ .used = true,
		.to = old->to,
		.port = old->port,
		.rng = old->rng,
		.start = t->world->now,
		.client = { .out = c->out,
			.write_chunk = c->write_chunk,
			.read_chunk = c->read_chunk },
		.server = { .out = s->out,
			.write_chunk = s->write_chunk,
			.read_chunk = s->read_chunk } };
	f->client.peer = &f->server;
	f->server.peer = &f->client;
}

void traffic_rebooted(struct traffic *t, bool server)
{
	unsigned count = t->count;
	t->rebooted = true;
	sock_queue_init(server ? &t->server.queue : &t->client.queue);
	for (unsigned i = 0; i < count; i++) {
		struct traffic_flow *f = &t->flow[i];
		struct traffic_end *e = server ? &f->server : &f->client;
		if (!f->used || !e->started || e->done)
			continue;
		e->aborted = e->done = true;
		if (!server) {
			f->server.done |= !f->server.started;
			come_again(t, f);
		}
	}
	if (server && t->listener)
		listen_again(t);
}

/* ---- judging them ---- */

static bool flow_done(const struct traffic *t, const struct traffic_flow *f)
{
	const struct traffic_end *c = &f->client, *s = &f->server;
	/* A client that broke off or failed early may never have met its server. */
	return !f->used ||
		(c->done && (s->done || (!s->started && (c->aborted || c->error || t->garbled))));
}

bool traffic_done(void *traffic)
{
	const struct traffic *t = traffic;
	for (unsigned i = 0; i < t->count; i++)
		if (!flow_done(t, &t->flow[i]))
			return false;
	return true;
}

bool traffic_wrote(const struct traffic *t, bool server, uint16_t port, uint32_t before,
	struct span text)
{
	for (unsigned i = 0; i < t->count; i++) {
		const struct traffic_flow *f = &t->flow[i];
		uint32_t sent = server ? f->server.sent : f->client.sent, k = 0;
		if (!f->used || f->port != port || before > sent || text.len > before)
			continue;
		while (k < text.len && text.at[k] == byte_of(i, server, sent - before + k))
			k++;
		if (k == text.len)
			return true;
	}
	return false;
}

/* Does an application hold the flow up of its own will? */
static bool pauses(const struct traffic_flow *f, nanotime now)
{
	return end_deadline(&f->client, now) != NANOTIME_NEVER ||
		end_deadline(&f->server, now) != NANOTIME_NEVER || f->start > now;
}

static uint64_t progress(const struct traffic_flow *f)
{
	const struct traffic_end *c = &f->client, *s = &f->server;
	int steps = c->started + s->started + c->shut + s->shut + c->eof + s->eof + c->done +
		s->done;
	return (uint64_t)c->sent + c->got + s->sent + s->got + (unsigned)steps;
}

int traffic_stuck(struct traffic *t, nanodiff patience, nanotime from)
{
	nanotime now = t->world->now, moved = from;
	for (unsigned i = 0; i < t->count; i++) {
		struct traffic_flow *f = &t->flow[i];
		uint64_t seen = f->used ? progress(f) : 0;
		if (seen != f->seen || flow_done(t, f) || pauses(f, now)) {
			f->moved = now;
			if (seen != f->seen || pauses(f, now))
				moved = now;
			f->seen = seen;
		}
		moved = f->moved > moved && !flow_done(t, f) ? f->moved : moved;
	}
	for (unsigned i = 0; i < t->count; i++) {
		const struct traffic_flow *f = &t->flow[i];
		/* Who waits to be accepted may have to wait until others make room. */
		nanotime last = f->server.started && f->moved > from ? f->moved : moved;
		if (now - last >= patience && !flow_done(t, f))
			return (int)i;
	}
	return -1;
}

static const char *judge_end(const struct traffic_end *e, bool broken, bool garbled)
{
	if (e->wrong)
		return e->wrong;
	if (broken || (garbled && !e->started))
		return NULL; /* it has an error, or was through before the other broke off */
	if (!e->done)
		return "I20: it has not ended";
	if (e->error)
		return error_text(e->error);
	if (!e->shut || !e->eof)
		return "I02: it ended without an end of stream";
	return garbled || (e->got == e->peer->sent && e->peer->shut) ? NULL
								     : "I02: bytes are missing";
}

const char *traffic_judge(const struct traffic *t, bool may_break, char *text, size_t cap)
{
	for (unsigned i = 0; i < t->count; i++) {
		const struct traffic_flow *f = &t->flow[i];
		const struct traffic_end *end[2] = { &f->client, &f->server };
		/* A first hop that does not answer for seconds ends a connect: no harm done. */
		bool refused = !end[1]->started &&
			(end[0]->error == ERR_HOST_UNREACHABLE ||
				(end[0]->error == ERR_RESET && t->unreachable));
		/* ... nor does one whose SYN brought data, and whose server gave up on the rest of
		 * the handshake: the data was taken, and the next SYN is another connection's. */
		refused |= end[1]->early && end[1]->error;
		bool broken = end[0]->aborted || end[1]->aborted || refused ||
			(may_break && (end[0]->error || end[1]->error));
		for (unsigned k = 0; k < 2 && f->used; k++) {
			const char *wrong = judge_end(end[k], broken, t->garbled);
			if (!wrong)
				continue;
			int len = snprintf(text, cap, "%s: ", wrong);
			traffic_describe(t, i, k, text + len, cap - (size_t)len);
			return text;
		}
	}
	return NULL;
}

void traffic_describe(const struct traffic *t, unsigned flow, bool server, char *text, size_t cap)
{
	const struct traffic_flow *f = &t->flow[flow];
	const struct traffic_end *e = server ? &f->server : &f->client;
	struct node *n = server ? t->server.node : t->client.node;
	struct sock_tcp_info i = { .state = "", .wait = "" };
	if (e->started && !e->done)
		sock_tcp_info(n->stack, e->sock, &i);
	snprintf(text, cap,
		"flow %u %s: sent %u of %u, got %u of %u, error %s%s%s, %s, waits: %s; unsent %u "
		"unacked %u unread %u snd_wnd %u rcv_wnd %u cwnd %u",
		flow, server ? "server" : "client", e->sent, e->out, e->got, e->peer->sent,
		error_name(e->error), e->aborted ? ", broke off" : "",
		e->started ? "" : ", not started", i.state, i.wait, i.unsent, i.unacked, i.unread,
		i.snd_wnd, i.rcv_wnd, i.cwnd);
}

uint64_t traffic_outcome(const struct traffic *t)
{
	static const struct hash_key key = { { 37, 37 } };
	uint64_t hash = 0;
	for (unsigned i = 0; i < t->count; i++) {
		const struct traffic_end *c = &t->flow[i].client, *s = &t->flow[i].server;
		const uint64_t end[] = { hash, i, c->sent, c->got, s->sent, s->got, c->error,
			s->error, (uint64_t)c->eof << 1 | s->eof };
		if (t->flow[i].used && !c->abort_at && !s->abort_at)
			hash = hash_words(&key, end, sizeof end / sizeof *end);
	}
	return hash;
}

uint64_t traffic_bytes(const struct traffic *t)
{
	uint64_t sum = 0;
	for (unsigned i = 0; i < t->count; i++)
		sum += (uint64_t)t->flow[i].client.got + t->flow[i].server.got;
	return sum;
}

void traffic_stop_listening(struct traffic *t)
{
	sock_close(node_use(t->server.node), t->listener);
	t->listener = 0;
}

void traffic_give_up(struct traffic *t)
{
	for (unsigned i = 0; i < t->count; i++) {
		struct traffic_end *end[2] = { &t->flow[i].client, &t->flow[i].server };
		for (unsigned k = 0; k < 2; k++) {
			if (end[k]->started && !end[k]->done)
				sock_abort(node_use(k ? t->server.node : t->client.node),
					end[k]->sock);
			end[k]->aborted = end[k]->done = true;
		}
	}
}
