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

/* One flow: what writes, and what reads. */
struct flow {
	struct end source, sink;
};

static bool connected(void *user)
{
	return ((struct flow *)user)->sink.sock != 0;
}

/* Between nodes that are there. */
static void open_flow(
	struct flow *f, const struct bulk_path *p, const struct addr *to, uint16_t port)
{
	sock_queue_init(&f->source.queue);
	sock_queue_init(&f->sink.queue);
	f->source.app.run = run_source;
	f->sink.app.run = run_sink;
	f->sink.app.deadline = sink_deadline;
	f->sink.path = p;
	const struct sock_options at = { .queue = &f->sink.queue, .local_port = port };
	const struct sock_options by = { .queue = &f->source.queue };
	check(sock_listen(node_use(f->sink.node), &at, &f->sink.listener) == 0, "listen");
	check(sock_connect(node_use(f->source.node), &by, to, port, &f->source.sock) == 0,
		"connect");
	node_add_app(f->sink.node, &f->sink.app);
	node_add_app(f->source.node, &f->source.app);
}

struct bulk_result bulk_run(const struct bulk_path *p, nanodiff time)
{
	struct world *w = world_new(&(struct world_config){ .seed = p->seed });
	struct flow flow = { 0 }, other = { 0 };
	const struct link_config line = { .rate = p->rate,
		.delay = p->delay,
		.queue_frames = p->queue_frames ? p->queue_frames : UINT32_MAX,
		.mark_frames = p->mark_frames,
		.queue_bytes = p->queue_bytes,
		.faults.loss = p->loss };
	struct node *source = make_node(w, "source", "192.0.2.1/24", p->sender);
	struct node *sink = make_node(w, "sink", "192.0.2.2/24", p->receiver);
	struct addr from = addr_from4((const uint8_t[]){ 192, 0, 2, 1 });
	struct addr to = addr_from4((const uint8_t[]){ 192, 0, 2, 2 });
	introduce(source, &to, sink);
	introduce(sink, &from, source);
	struct port *far = &sink->interface[0].port;
	if (p->meddle) {
		struct box_chain *chain = box_chain_new(w, "box");
		box_ecn_new(chain, (enum ecn_meddling)(p->meddle - 1));
		link_connect(w, "behind", &chain->port[1], far, &(struct link_config){ 0 }, NULL);
		far = &chain->port[0];
	}
	if (p->hole_mtu) {
		struct box_chain *chain = box_chain_new(w, "hole");
		struct box *hole = box_black_hole_new(chain, p->hole_mtu);
		hole->from = p->hole_from;
		hole->until = p->hole_until ? p->hole_until : NANOTIME_NEVER;
		link_connect(w, "beyond", &chain->port[1], far, &(struct link_config){ 0 }, NULL);
		far = &chain->port[0];
	}
	struct link *l = link_connect(w, "line", &source->interface[0].port, far, &line, NULL);
	flow.source.node = other.source.node = source;
	flow.sink.node = other.sink.node = sink;
	open_flow(&flow, p, &to, PORT);
	if (p->other) {
		check(world_run(w, p->other, NULL, NULL) == WORLD_TIME, world_why(w));
		open_flow(&other, p, &to, PORT + 1);
	}
	check(world_run(w, 300 * NANO_S, connected, p->other ? &other : &flow) == WORLD_DONE,
		"no connection");

	struct bulk_result r = { 0 };
	nanotime start = w->now;
	check(world_run(w, start + p->warm_up, NULL, NULL) == WORLD_TIME, world_why(w));
	r.warm_bytes = flow.sink.read;
	r.other_bytes = other.sink.read;
	check(world_run(w, start + time, NULL, NULL) == WORLD_TIME, world_why(w));
	r.bytes = flow.sink.read - r.warm_bytes;
	r.other_bytes = other.sink.read - r.other_bytes;
	struct sock_tcp_info info;
	check(sock_tcp_info(node_use(sink), flow.sink.sock, &info) == 0, "no information");
	r.receive_window = info.rcv_wnd;
	r.receive_window_max = flow.sink.window_max;
	r.read_most = flow.sink.read_most;
	check(sock_tcp_info(node_use(source), flow.source.sock, &r.sender) == 0, "no information");
	r.line = l->way[0].count;
	world_free(w);
	return r;
}

double bulk_rate(const struct bulk_path *p, const struct bulk_result *r, nanodiff time)
{
	return (double)r->bytes * 8e9 / (double)(time - p->warm_up);
}
