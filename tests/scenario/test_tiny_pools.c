/*
 * Every table of the transport at its smallest sizes, on either side of a handful
 * of transfers that all run at once: whoever finds no room waits or is told a
 * typed error and tries again, every transfer ends, each byte is right, and when
 * all has closed nothing is left in any pool.
 */
#include "support/duo.h"

#include "transport/endpoints.h"

#define TRANSFERS 4
#define BYTES     60000u
#define PORT      7
#define PATIENCE  (2000 * NANO_S)

struct transfer {
	sock_id sock;
	uint32_t sent, got;
	bool shut, done;
	nanotime again; /* when to try to connect */
	unsigned errors;
};

struct party {
	struct app app;
	struct world *world;
	struct sock_queue queue;
	struct transfer t[TRANSFERS];
	sock_id listener, udp;
	unsigned datagrams;
};

struct world {
	struct duo duo;
	struct party client, server;
	const char *wrong;
};

static uint8_t byte_at(uint32_t at)
{
	return (uint8_t)(at * 2654435761u >> 13);
}

/* A typed error: the connection is given up, and what was under way begins anew. */
static void begin_anew(struct stack *s, struct transfer *x, bool client, nanotime now)
{
	x->errors++;
	sock_close(s, x->sock);
	*x = (struct transfer){ .again = now + NANO_S, .errors = x->errors };
	x->done = !client; /* the server's slot is free again */
}

static bool write_part(struct stack *s, struct transfer *x, uint32_t most)
{
	uint8_t piece[3000];
	uint32_t n = 0;
	for (; n < sizeof piece && x->sent + n < most; n++)
		piece[n] = byte_at(x->sent + n);
	int64_t took = n ? sock_write(s, x->sock, piece, n) : 0;
	if (took > 0)
		x->sent += (uint32_t)took;
	return took > 0;
}

/* 1: moved; 0: nothing; -1: it is dead. */
static int read_part(struct world *w, struct stack *s, struct transfer *x, bool *end)
{
	uint8_t piece[3000];
	int64_t n = sock_read(s, x->sock, piece, sizeof piece);
	*end = n == 0;
	if (n <= 0)
		return n == 0 || n == -ERR_AGAIN ? 0 : -1;
	for (uint32_t i = 0; i < n; i++)
		if (piece[i] != byte_at(x->got + i))
			w->wrong = "a wrong byte";
	x->got += (uint32_t)n;
	return 1;
}

/* The client sends all and reads it back; the server echoes. */
static void run_transfer(
	struct party *p, struct stack *s, struct transfer *x, bool client, nanotime now)
{
	bool moved = true, end = false;
	while (moved) {
		int r = read_part(p->world, s, x, &end);
		if (r < 0) {
			begin_anew(s, x, client, now);
			return;
		}
		moved = write_part(s, x, client ? BYTES : x->got) || r > 0;
	}
	bool all = client ? x->sent == BYTES : end && x->sent == x->got;
	if (all && !x->shut && sock_poll(s, x->sock) & (EVENT_CONNECTED | EVENT_WRITABLE)) {
		if (sock_shutdown(s, x->sock) < 0)
			p->world->wrong = "shutdown fails";
		x->shut = true;
	}
	if (!end || !x->shut)
		return;
	if (client && x->got != BYTES) { /* the server gave up */
		begin_anew(s, x, client, now);
		return;
	}
	sock_close(s, x->sock);
	x->sock = 0;
	x->done = true;
}

static void drain_events(struct party *p, struct stack *s)
{
	struct sock_event e;
	while (sock_next(s, &p->queue, &e))
		;
}

/* Beside the streams, datagrams both ways, as many as go. */
static void chat(struct party *p, struct stack *s, const char *to)
{
	struct addr a = address(to);
	uint8_t bytes[600] = { 0 };
	while (p->udp && sock_recv_from(s, p->udp, bytes, sizeof bytes, NULL) >= 0)
		p->datagrams++;
	for (unsigned i = 0; p->udp && i < 3; i++)
		sock_send_to(s, p->udp, bytes, sizeof bytes, &a, PORT);
}

static void run_client(struct app *a, struct stack *s, nanotime now)
{
	struct party *p = list_entry(a, struct party, app);
	struct addr to = address("192.0.2.2");
	drain_events(p, s);
	for (unsigned i = 0; i < TRANSFERS; i++) {
		struct transfer *x = &p->t[i];
		struct sock_options o = { .queue = &p->queue };
		if (!x->done && !x->sock && x->again <= now) {
			if (sock_connect(s, &o, &to, PORT, &x->sock) < 0) {
				x->sock = 0;
				x->again = now + NANO_S;
				x->errors++;
			}
			chat(p, s, "192.0.2.2");
		}
		if (x->sock)
			run_transfer(p, s, x, true, now);
	}
}

static void run_server(struct app *a, struct stack *s, nanotime now)
{
	struct party *p = list_entry(a, struct party, app);
	drain_events(p, s);
	for (unsigned i = 0; i < TRANSFERS; i++) {
		struct transfer *x = &p->t[i];
		if (!x->sock && sock_accept(s, p->listener, &p->queue, NULL, &x->sock, NULL) == 0)
			chat(p, s, "192.0.2.1");
		if (!x->sock)
			continue;
		x->done = false;
		run_transfer(p, s, x, false, now);
		if (x->done)
			*x = (struct transfer){ .errors = x->errors };
	}
}

static nanotime client_deadline(const struct app *a)
{
	const struct party *p = list_entry(a, const struct party, app);
	nanotime next = NANOTIME_NEVER;
	for (unsigned i = 0; i < TRANSFERS; i++)
		if (!p->t[i].done && !p->t[i].sock)
			next = nanotime_min(next, p->t[i].again);
	return next;
}

/* A server whose owners were all taken looks again: no event tells it of a free one. */
static nanotime server_deadline(const struct app *a)
{
	const struct party *p = list_entry(a, const struct party, app);
	return sock_poll(p->world->duo.host[1].stack, p->listener) & EVENT_READABLE
		? p->world->duo.now + 100 * NANO_MS
		: NANOTIME_NEVER;
}

static bool ended(void *user)
{
	struct world *w = user;
	bool all = !w->wrong;
	for (unsigned i = 0; i < TRANSFERS && all; i++)
		all = w->client.t[i].done;
	return all || w->wrong;
}

static struct stack_config base_config(void)
{
	struct stack_config c = duo_config();
	c.transport.sockets = 64;
	c.transport.connections = c.transport.flights = 32;
	c.transport.embryos = c.transport.time_waits = 32;
	c.transport.sent_ranges = 256;
	c.transport.blocks = 256;
	c.transport.backlog_max = 16;
	c.transport.datagram_sockets = 4;
	c.transport.syn_cookie_threshold = 16;
	return c;
}

static void open_party(struct party *p, struct world *w, unsigned host)
{
	struct stack *s = duo_use(&w->duo.host[host]);
	*p = (struct party){ .world = w };
	p->app.run = host ? run_server : run_client;
	p->app.deadline = host ? server_deadline : client_deadline;
	sock_queue_init(&p->queue);
	struct sock_options o = { .queue = &p->queue, .local_port = PORT };
	if (host && sock_listen(s, &o, &p->listener) < 0)
		w->wrong = "no listener";
	/* where there are owners for all, else the streams go first */
	if (transport_settings(stack_transport(s))->sockets > 2 && sock_udp(s, &o, &p->udp) < 0)
		w->wrong = "no datagram socket";
	duo_add(&w->duo.host[host], &p->app);
}

static void expect_empty(struct world *w, const char *what)
{
	for (unsigned h = 0; h < 2; h++) {
		const struct stack *s = w->duo.host[h].stack;
		const struct transport *t = stack_transport((struct stack *)(uintptr_t)s);
		const struct access *a = t->internet->access;
		const struct {
			const char *name;
			uint32_t used;
		} pool[] = {
			{ "connections", t->conn_pool.used },
			{ "flights", t->flight_pool.used },
			{ "embryos", t->embryo_pool.used },
			{ "time_waits", t->time_wait_pool.used },
			{ "ranges", t->range_pool.used },
			{ "held", t->held_pool.used },
			{ "records", t->records_pool.used },
			{ "kept", t->kept_pool.used },
			{ "saved SYNs", t->saved_syn_pool.used },
			{ "listeners", t->listener_pool.used },
			{ "datagrams", t->datagram_pool.used },
			{ "blocks", t->blocks.small.used },
			{ "big blocks", t->blocks.big.used },
			{ "replies", t->reply_count },
			{ "waiting", t->short_flight.count + t->short_block.count },
			{ "table", t->demux.count },
			{ "streams", t->streams },
			{ "settled", t->settled },
			{ "pending", a->pending_pool.used },
		};
		for (unsigned i = 0; i < sizeof pool / sizeof pool[0]; i++)
			if (pool[i].used)
				fail_msg("%s: %s has %u %s left", what, h ? "server" : "client",
					pool[i].used, pool[i].name);
		if (stack_has_work(s))
			fail_msg("%s: there is always work", what);
	}
}

/* Transfers with these two configs, to their end; then everything is closed. */
static void run_with(
	const char *what, const struct stack_config *client, const struct stack_config *server)
{
	static struct world w;
	memset(&w, 0, sizeof w);
	duo_open_with(&w.duo, client, server, false);
	open_party(&w.server, &w, 1);
	open_party(&w.client, &w, 0);
	if (!duo_run(&w.duo, PATIENCE, ended, &w)) {
		unsigned done = 0;
		for (unsigned i = 0; i < TRANSFERS; i++)
			done += w.client.t[i].done;
		fail_msg("%s: %u of %u transfers", what, done, TRANSFERS);
	}
	if (w.wrong)
		fail_msg("%s: %s", what, w.wrong);
	for (unsigned h = 0; h < 2; h++) {
		struct party *p = h ? &w.server : &w.client;
		struct stack *s = duo_use(&w.duo.host[h]);
		list_remove(&p->app.link);
		for (unsigned i = 0; i < TRANSFERS; i++)
			if (p->t[i].sock)
				sock_close(s, p->t[i].sock);
		if (p->listener)
			sock_close(s, p->listener);
		if (p->udp)
			sock_close(s, p->udp);
	}
	duo_pass(&w.duo, 2000 * NANO_S);
	expect_empty(&w, what);
	duo_close(&w.duo);
}

static const struct table {
	const char *name;
	size_t at; /* of the field; all are 32 bits */
	uint32_t least;
} tables[] = {
#define TABLE(field, least) \
	{ \
#field, offsetof(struct transport_config, field), least \
	}
	TABLE(sockets, 1),
	TABLE(listeners, 1),
	TABLE(backlog_max, 1),
	TABLE(connections, 1),
	TABLE(flights, 1),
	TABLE(embryos, 1),
	TABLE(time_waits, 1),
	TABLE(sent_ranges, 16),
	TABLE(datagram_sockets, 1),
	TABLE(blocks, 16),
	TABLE(send_buffer, 2048),
	TABLE(receive_buffer, 2048),
	TABLE(datagram_queue, 1),
	TABLE(resets, 1),
#undef TABLE
};
#define TABLES (sizeof tables / sizeof tables[0])

static void set(struct stack_config *c, const struct table *t, uint32_t value)
{
	memcpy((uint8_t *)&c->transport + t->at, &value, sizeof value);
	if (c->transport.flights > c->transport.connections)
		c->transport.flights = c->transport.connections;
	if (c->transport.syn_cookie_threshold > c->transport.embryos)
		c->transport.syn_cookie_threshold = c->transport.embryos;
}

/* The size, or, where that is below what is allowed, so many times the least. */
static uint32_t size_of(const struct table *t, uint32_t size)
{
	return t->least > 1 ? t->least * size : size;
}

static bool serves(const struct table *t, unsigned side, uint32_t size)
{
	/* A server needs an owner for its listener and one for a connection. */
	return !(side && t->at == offsetof(struct transport_config, sockets) && size < 2);
}

static void each_table_alone(void **state)
{
	(void)state;
	static const uint32_t sizes[] = { 1, 2, 4, 8 };
	for (unsigned i = 0; i < TABLES; i++)
		for (unsigned k = 0; k < 4; k++)
			for (unsigned side = 0; side < 2; side++) {
				struct stack_config c[2] = { base_config(), base_config() };
				uint32_t size = size_of(&tables[i], sizes[k]);
				char what[80];
				snprintf(what, sizeof what, "%s %s %u", side ? "server" : "client",
					tables[i].name, size);
				set(&c[side], &tables[i], size);
				assert_null(stack_config_check(&c[side]));
				if (serves(&tables[i], side, size))
					run_with(what, &c[0], &c[1]);
			}
}

/* All of them at once, on both sides; only owners are enough for a listener and a stream. */
static void all_tables_together(void **state)
{
	(void)state;
	static const uint32_t sizes[] = { 1, 2, 4, 8 };
	for (unsigned k = 0; k < 4; k++) {
		struct stack_config c = base_config();
		char what[40];
		for (unsigned i = 1; i < TABLES; i++)
			set(&c, &tables[i], size_of(&tables[i], sizes[k]));
		c.transport.big_blocks = 0;
		snprintf(what, sizeof what, "all %u", sizes[k]);
		assert_null(stack_config_check(&c));
		run_with(what, &c, &c);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_table_alone),
		cmocka_unit_test(all_tables_together),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
