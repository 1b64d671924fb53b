/* The sink reads without a copy, the source writes large chunks: neither costs much. */
#include "support/bulk.h"

#include <stdio.h>
#include <stdlib.h>

#include "sim/plan.h"

#define PORT  5001
#define CHUNK 65536
#define SPANS 16

struct end {
	struct app app;
	struct node *node;
	struct sock_queue queue;
	sock_id sock, listener;
	const struct bulk_path *path;
	nanotime read_at;
	uint64_t read;
	uint32_t window_max, read_most;
};

static void check(bool good, const char *what)
{
	if (good)
		return;
	fprintf(stderr, "bulk: %s\n", what);
	abort();
}

static void run_source(struct app *a, struct stack *s, nanotime now)
{
	static const uint8_t chunk[CHUNK];
	struct end *e = list_entry(a, struct end, app);
	struct sock_event event;
	(void)now;
	while (sock_next(s, &e->queue, &event))
		;
	while (sock_write(s, e->sock, chunk, sizeof chunk) == CHUNK)
		;
}

static void note_window(struct end *e, struct stack *s)
{
	struct sock_tcp_info info;
	check(sock_tcp_info(s, e->sock, &info) == 0, "no information");
	if (info.rcv_wnd > e->window_max)
		e->window_max = info.rcv_wnd;
	if (info.unread > e->read_most)
		e->read_most = info.unread;
}

static void run_sink(struct app *a, struct stack *s, nanotime now)
{
	struct end *e = list_entry(a, struct end, app);
	struct sock_event event;
	struct span span[SPANS];
	while (sock_next(s, &e->queue, &event))
		;
	if (!e->sock && sock_accept(s, e->listener, &e->queue, NULL, &e->sock, NULL) != 0)
		return;
	note_window(e, s);
	if (now < e->read_at)
		return;
	size_t left = e->path->read_most ? e->path->read_most : SIZE_MAX;
	for (int n; left && (n = sock_peek(s, e->sock, span, SPANS)) > 0;) {
		size_t len = 0;
		for (int i = 0; i < n; i++)
			len += span[i].len;
		len = len < left ? len : left;
		left -= len;
		check(sock_consume(s, e->sock, len) == 0, "nothing to consume");
		e->read += len;
	}
	e->read_at = now + e->path->read_every;
}

static nanotime sink_deadline(const struct app *a)
{
	const struct end *e = list_entry(a, const struct end, app);
	return e->path->read_every && e->sock ? e->read_at : NANOTIME_NEVER;
}

void bulk_config(struct stack_config *c)
{
	node_config_default(c);
	c->transport.blocks = 4096;
	c->transport.big_blocks = 512;
	c->transport.sent_ranges = 16384;
}

static struct node *make_node(
	struct world *w, const char *name, const char *address, const struct stack_config *config)
{
	struct stack_config c;
	const char *why = "";
	bulk_config(&c);
	struct node *n = node_new(w, name, config ? config : &c, &why);
	check(n != NULL, why);
	node_port(n, "eth0");
	check(node_address(n, "eth0", address) == ERR_OK, "address");
	return n;
}

static void introduce(struct node *n, const struct addr *address, struct node *peer)
{
	const struct netif *nif = node_netif(peer, "eth0");
	check(node_neighbour(n, "eth0", address, &nif->mac) == ERR_OK, "neighbour");
}

static bool connected(void *user)
{
	return ((struct end *)user)->sock != 0;
}

struct bulk_result bulk_run(const struct bulk_path *p, nanodiff time)
{
	struct world *w = world_new(&(struct world_config){ .seed = p->seed });
	struct end source = { .app.run = run_source }, sink = { .app.run = run_sink };
	const struct link_config line = { .rate = p->rate,
		.delay = p->delay,
		.queue_frames = p->queue_frames ? p->queue_frames : UINT32_MAX,
		.mark_frames = p->mark_frames,
		.queue_bytes = p->queue_bytes,
		.faults.loss = p->loss };
	source.node = make_node(w, "source", "192.0.2.1/24", p->sender);
	sink.node = make_node(w, "sink", "192.0.2.2/24", p->receiver);
	struct addr from = addr_from4((const uint8_t[]){ 192, 0, 2, 1 });
	struct addr to = addr_from4((const uint8_t[]){ 192, 0, 2, 2 });
	introduce(source.node, &to, sink.node);
	introduce(sink.node, &from, source.node);
	struct port *far = &sink.node->interface[0].port;
	if (p->meddle) {
		struct box_chain *chain = box_chain_new(w, "box");
		box_ecn_new(chain, (enum ecn_meddling)(p->meddle - 1));
		link_connect(w, "behind", &chain->port[1], far, &(struct link_config){ 0 }, NULL);
		far = &chain->port[0];
	}
	struct link *l = link_connect(
		w, "line", &source.node->interface[0].port, far, &line, NULL);
	sock_queue_init(&source.queue);
	sock_queue_init(&sink.queue);
	sink.path = p;
	sink.app.deadline = sink_deadline;
	const struct sock_options at = { .queue = &sink.queue, .local_port = PORT };
	const struct sock_options by = { .queue = &source.queue };
	check(sock_listen(node_use(sink.node), &at, &sink.listener) == 0, "listen");
	check(sock_connect(node_use(source.node), &by, &to, PORT, &source.sock) == 0, "connect");
	node_add_app(sink.node, &sink.app);
	node_add_app(source.node, &source.app);
	check(world_run(w, 300 * NANO_S, connected, &sink) == WORLD_DONE, "no connection");

	struct bulk_result r = { 0 };
	nanotime start = w->now;
	check(world_run(w, start + p->warm_up, NULL, NULL) == WORLD_TIME, world_why(w));
	r.warm_bytes = sink.read;
	check(world_run(w, start + time, NULL, NULL) == WORLD_TIME, world_why(w));
	r.bytes = sink.read - r.warm_bytes;
	struct sock_tcp_info info;
	check(sock_tcp_info(node_use(sink.node), sink.sock, &info) == 0, "no information");
	r.receive_window = info.rcv_wnd;
	r.receive_window_max = sink.window_max;
	r.read_most = sink.read_most;
	check(sock_tcp_info(node_use(source.node), source.sock, &r.sender) == 0, "no information");
	r.line = l->way[0].count;
	world_free(w);
	return r;
}

double bulk_rate(const struct bulk_path *p, const struct bulk_result *r, nanodiff time)
{
	return (double)r->bytes * 8e9 / (double)(time - p->warm_up);
}
