/*
 * One application on each side serves all its ends: it is run when something
 * happened to its node or an end's pause is over, and looks at what each end may
 * do now.
 */
#include "support/flows.h"

#include <stdio.h>

#define PORT   7
#define CHUNK  16384u
#define PAUSED (20 * NANO_S) /* all pauses of one end together, at most */

static uint8_t byte_of(unsigned flow, bool from_server, uint32_t at)
{
	uint32_t v = at * 2654435761u + flow * 40503u + from_server * 977u;
	return (uint8_t)(v >> 11 ^ v >> 23);
}

/* ---- one end ---- */

static void finish(struct flow_end *e, struct stack *s, enum error error)
{
	e->error = error;
	e->done = true;
	sock_close(s, e->sock);
}

static bool write_some(
	struct flow_end *e, struct stack *s, unsigned flow, bool server, nanotime now)
{
	uint8_t piece[CHUNK];
	if (e->sent == e->out || now < e->next_write || e->shut)
		return false;
	uint32_t n = e->out - e->sent < e->write_chunk ? e->out - e->sent : e->write_chunk;
	for (uint32_t i = 0; i < n; i++)
		piece[i] = byte_of(flow, server, e->sent + i);
	int64_t took = sock_write(s, e->sock, piece, n);
	if (took <= 0)
		return false;
	e->sent += (uint32_t)took;
	e->next_write = now + e->write_pause;
	return true;
}

static void check_piece(
	struct flow_end *e, const uint8_t *piece, uint32_t n, unsigned flow, bool server)
{
	if (n > e->in - e->got) {
		e->wrong = "more bytes came than were sent";
		return;
	}
	for (uint32_t i = 0; i < n; i++)
		if (piece[i] != byte_of(flow, !server, e->got + i))
			e->wrong = "a byte came that was not sent at that place";
	e->got += n;
}

static bool read_some(struct flow_end *e, struct stack *s, unsigned flow, bool server, nanotime now)
{
	uint8_t piece[CHUNK];
	if (e->eof || now < e->next_read)
		return false;
	int64_t n = sock_read(s, e->sock, piece, e->read_chunk);
	if (n < 0)
		return false;
	if (n == 0) {
		e->eof = true;
		if (e->got != e->in)
			e->wrong = "end of stream before the last byte";
		return true;
	}
	check_piece(e, piece, (uint32_t)n, flow, server);
	e->next_read = now + e->read_pause;
	if (e->stop_for && e->got >= e->stop_at) {
		e->next_read = now + e->stop_for;
		e->stop_for = 0;
	}
	return true;
}

static void run_end(struct flow_end *e, struct stack *s, unsigned flow, bool server, nanotime now)
{
	bool moved = true;
	if (sock_error(s, e->sock) != ERR_OK) {
		/* What came before the error may still be read. */
		while (read_some(e, s, flow, server, now))
			continue;
		if (now >= e->next_read)
			finish(e, s, sock_error(s, e->sock));
		return;
	}
	while (moved && !e->wrong) {
		moved = write_some(e, s, flow, server, now);
		moved |= read_some(e, s, flow, server, now);
		if (e->abort_at && e->sent + e->got >= e->abort_at) {
			e->aborted = e->done = true;
			sock_abort(s, e->sock);
			return;
		}
		if (e->sent == e->out && !e->shut && (sock_poll(s, e->sock) & EVENT_WRITABLE)) {
			e->shut = true;
			sock_shutdown(s, e->sock);
			moved = true;
		}
	}
	if (e->shut && e->eof)
		finish(e, s, ERR_OK);
}

static nanotime end_deadline(const struct flow_end *e, nanotime now)
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

static void connect_due(struct flows *f, struct stack *s, nanotime now)
{
	for (unsigned i = 0; i < f->count; i++) {
		struct flow_end *e = &f->flow[i].client;
		struct sock_peer local;
		const struct sock_options o = { .queue = &f->client.queue,
			.keepalive = true,
			.nodelay = i % 2,
			.send_buffer = e->send_buffer,
			.receive_buffer = e->receive_buffer };
		if (e->started || f->flow[i].start > now)
			continue;
		e->started = true;
		int error = sock_connect(s, &o, &f->flow[i].to, PORT, &e->sock);
		if (error < 0) {
			e->error = (enum error) - error;
			e->wrong = "connect failed at once";
			continue;
		}
		sock_name(s, e->sock, &local, NULL);
		f->flow[i].port = local.port;
	}
}

static void accept_all(struct flows *f, struct stack *s)
{
	struct sock_peer peer;
	sock_id id;
	while (sock_accept(s, f->listener, &f->server.queue, NULL, &id, &peer) == 0) {
		for (unsigned i = 0; i < f->count; i++) {
			struct flow_end *e = &f->flow[i].server;
			if (e->started || f->flow[i].port != peer.port)
				continue;
			e->started = true;
			e->sock = id;
			sock_set_keepalive(s, id, true);
			break;
		}
	}
}

static void run_side(struct app *a, struct stack *s, nanotime now)
{
	struct flow_side *side = list_entry(a, struct flow_side, app);
	struct flows *f = side->flows;
	struct sock_event event;
	while (sock_next(s, &side->queue, &event))
		continue;
	if (side->server)
		accept_all(f, s);
	else
		connect_due(f, s, now);
	for (unsigned i = 0; i < f->count; i++) {
		struct flow_end *e = side->server ? &f->flow[i].server : &f->flow[i].client;
		if (e->started && !e->done && !e->wrong)
			run_end(e, s, i, side->server, now);
	}
}

static nanotime side_deadline(const struct app *a)
{
	const struct flow_side *side = list_entry(a, struct flow_side, app);
	const struct flows *f = side->flows;
	nanotime now = f->world->now, next = NANOTIME_NEVER;
	for (unsigned i = 0; i < f->count; i++) {
		const struct flow_end *e = side->server ? &f->flow[i].server : &f->flow[i].client;
		next = nanotime_min(next, end_deadline(e, now));
		if (!side->server && !e->started)
			next = nanotime_min(next, f->flow[i].start);
	}
	return next;
}

/* ---- all of them ---- */

/* A size of any order of magnitude up to 2^bits. */
static uint32_t draw_size(struct rng *r, unsigned bits)
{
	return rng_below(r, 1u << rng_below(r, bits + 1));
}

static nanodiff draw_pause(struct rng *r, uint32_t total, uint32_t chunk)
{
	if (rng_below(r, 2))
		return 0;
	return (nanodiff)rng_below(r, 1000) * PAUSED / 1000 / (total / chunk + 1);
}

static void draw_end(struct flow_end *e, struct rng *r, uint32_t out, uint32_t in)
{
	*e = (struct flow_end){ .out = out, .in = in };
	e->write_chunk = 1 + draw_size(r, 14);
	e->read_chunk = 1 + draw_size(r, 14);
	e->write_pause = draw_pause(r, out, e->write_chunk);
	e->read_pause = draw_pause(r, in, e->read_chunk);
	if (rng_below(r, 5) == 0) {
		e->stop_at = rng_below(r, in + 1);
		e->stop_for = (nanodiff)rng_below(r, 60) * NANO_S;
	}
	if (rng_below(r, 3) == 0)
		e->send_buffer = 2048 + draw_size(r, 17);
	if (rng_below(r, 3) == 0)
		e->receive_buffer = 2048 + draw_size(r, 17);
	if (rng_below(r, 12) == 0)
		e->abort_at = 1 + rng_below(r, out + in + 1);
}

static void start_side(struct flows *f, struct flow_side *side, struct node *n, bool server)
{
	*side = (struct flow_side){ .flows = f, .node = n, .server = server };
	side->app.run = run_side;
	side->app.deadline = side_deadline;
	sock_queue_init(&side->queue);
	if (server)
		sock_listen(node_use(n),
			&(struct sock_options){ .queue = &side->queue, .local_port = PORT },
			&f->listener);
	node_add_app(n, &side->app);
}

void flows_start(struct flows *f, struct node *client, struct node *server, const struct addr *to4,
	const struct addr *to6, unsigned count, nanodiff spread, struct rng *r)
{
	*f = (struct flows){ .world = client->world, .count = count };
	for (unsigned i = 0; i < count; i++) {
		uint32_t out = draw_size(r, 18), in = draw_size(r, 18);
		f->flow[i].to = rng_below(r, 2) ? *to4 : *to6;
		f->flow[i].start = f->world->now + spread / 1000 * (nanodiff)rng_below(r, 1000);
		draw_end(&f->flow[i].client, r, out, in);
		draw_end(&f->flow[i].server, r, in, out);
	}
	start_side(f, &f->server, server, true);
	start_side(f, &f->client, client, false);
}

bool flows_done(void *flows)
{
	const struct flows *f = flows;
	for (unsigned i = 0; i < f->count; i++) {
		const struct flow_end *c = &f->flow[i].client, *s = &f->flow[i].server;
		if (c->wrong || s->wrong)
			return true;
		/* A client that broke off or failed early may never have met its server. */
		if (!c->done || (!s->done && (s->started || (!c->aborted && !c->error))))
			return false;
	}
	return true;
}

static const char *judge_end(const struct flow_end *e, bool broken)
{
	if (e->wrong)
		return e->wrong;
	if (broken)
		return NULL; /* it has an error, or was through before the other broke off */
	if (!e->done)
		return "it has not ended";
	if (e->error)
		return error_text(e->error);
	return e->got == e->in && e->sent == e->out ? NULL : "bytes are missing";
}

const char *flows_judge(const struct flows *f, char *text, size_t cap)
{
	for (unsigned i = 0; i < f->count; i++) {
		const struct flow_end *end[2] = { &f->flow[i].client, &f->flow[i].server };
		/* A first hop that does not answer for seconds ends a connect: no harm done. */
		bool refused = end[0]->error == ERR_HOST_UNREACHABLE && !end[1]->started;
		bool broken = end[0]->aborted || end[1]->aborted || refused;
		for (unsigned k = 0; k < 2; k++) {
			const char *wrong = judge_end(end[k], broken);
			if (!wrong)
				continue;
			snprintf(text, cap, "flow %u, %s: %s (sent %u of %u, got %u of %u%s)", i,
				k ? "server" : "client", wrong, end[k]->sent, end[k]->out,
				end[k]->got, end[k]->in, broken ? ", broken off" : "");
			return text;
		}
	}
	return NULL;
}
