/*
 * A capture listens to nodes (their stacks' trace events, which know why and
 * what became of a frame) and to links (their taps). One buffer holds the block
 * that is being written; stdio does the rest. The first write error is kept and
 * told at the end.
 */
#include "sim/capture.h"

#include <stdlib.h>

#include "packet/record.h"

#define CAPTURED_MAX 128

/* One interface of the file. */
struct captured {
	const void *what; /* a netif, or a link's way */
	uint32_t number;
};

struct listening {
	struct list link;
	struct node_sink sink;
	struct node *node;
};

struct sim_capture {
	struct list link; /* in its world */
	struct world *world;
	FILE *stream;
	bool ours, failed;
	nanotime epoch;
	uint64_t frames;
	struct list nodes; /* struct listening */
	unsigned count;
	struct captured captured[CAPTURED_MAX];
	uint8_t block[RECORD_MAX];
};

static void write_block(struct sim_capture *c, size_t len)
{
	if (len == 0 || fwrite(c->block, 1, len, c->stream) != len)
		c->failed = true;
}

static struct span text(const char *s)
{
	return span_of(s, strlen(s));
}

/* The file's number of something; -1: it is not captured. */
static int number_of(const struct sim_capture *c, const void *what)
{
	for (unsigned i = 0; i < c->count; i++)
		if (c->captured[i].what == what)
			return (int)c->captured[i].number;
	return -1;
}

static void describe(struct sim_capture *c, const void *what, const struct pcapng_interface *i)
{
	if (number_of(c, what) >= 0)
		return;
	if (c->count == CAPTURED_MAX) {
		c->failed = true;
		return;
	}
	c->captured[c->count] = (struct captured){ .what = what, .number = c->count };
	c->count++;
	write_block(c, pcapng_interface(i, c->block, sizeof c->block));
}

struct sim_capture *sim_capture_stream(struct world *w, FILE *stream, nanotime epoch)
{
	struct sim_capture *c = calloc(1, sizeof *c);
	if (!c)
		abort();
	c->world = w;
	c->stream = stream;
	c->epoch = epoch;
	list_init(&c->nodes);
	list_push_back(&w->captures, &c->link);
	const struct pcapng_section section = {
		.hardware = text("simulated"),
		.application = text("Strata"),
	};
	write_block(c, pcapng_section(&section, c->block, sizeof c->block));
	return c;
}

struct sim_capture *sim_capture_open(
	struct world *w, const char *path, nanotime epoch, char *why, size_t cap)
{
	if (strcmp(path, "-") == 0)
		return sim_capture_stream(w, stdout, epoch);
	FILE *stream = fopen(path, "wb");
	if (!stream) {
		snprintf(why, cap, "cannot write %s", path);
		return NULL;
	}
	struct sim_capture *c = sim_capture_stream(w, stream, epoch);
	c->ours = true;
	return c;
}

/* Nodes */

static void hear(void *user, struct node *n, const struct trace_event *e)
{
	struct sim_capture *c = user;
	(void)n;
	if (e->kind != TRACE_TX && e->kind != TRACE_RX)
		return;
	int number = number_of(c, e->nif);
	if (number < 0)
		return;
	c->frames++;
	write_block(c, record_event(e, (uint32_t)number, c->epoch, c->block, sizeof c->block));
}

void sim_capture_node(struct sim_capture *c, struct node *n)
{
	for (unsigned i = 0; i < n->interfaces; i++) {
		const struct node_interface *in = &n->interface[i];
		struct pcapng_interface p = {
			.link_type = netif_link_type(in->netif),
			.name = text(in->port.name),
			.speed = in->port.out ? in->port.out->config.rate : 0,
			.has_mac = in->netif->framing != FRAMING_BARE,
		};
		memcpy(p.mac, in->netif->mac.b, sizeof p.mac);
		describe(c, in->netif, &p);
	}
	list_each(l, &c->nodes) if (list_entry(l, struct listening, link)->node == n) return;
	struct listening *l = calloc(1, sizeof *l);
	if (!l)
		abort();
	l->node = n;
	l->sink.sink = hear;
	l->sink.user = c;
	node_listen(n, &l->sink);
	list_push_back(&c->nodes, &l->link);
}

void sim_capture_world(struct sim_capture *c)
{
	list_each(l, &c->world->nodes) sim_capture_node(c, list_entry(l, struct node, in_world));
}

/* Links */

static void tapped(void *user, struct link_way *way, const struct parcel *parcel,
	enum link_loss loss, const char *note)
{
	struct sim_capture *c = user;
	char story[96] = "";
	if (loss != LINK_KEPT)
		snprintf(story, sizeof story, "lost on the link: %s", link_loss_text(loss));
	else if (note)
		snprintf(story, sizeof story, "%s", note);
	const struct span comment = text(story), bytes = parcel_span(parcel);
	const struct pcapng_packet packet = {
		.interface = (uint32_t)number_of(c, way),
		.time = c->epoch + c->world->now,
		.piece = &bytes,
		.pieces = 1,
		.comment = &comment,
		.comments = comment.len ? 1 : 0,
	};
	c->frames++;
	write_block(c, pcapng_packet(&packet, c->block, sizeof c->block));
}

void sim_capture_link(struct sim_capture *c, struct link *l)
{
	char name[PORT_NAME_MAX * 2 + 2];
	assert(!l->tap);
	for (unsigned i = 0; i < 2; i++) {
		struct link_way *way = &l->way[i];
		snprintf(name, sizeof name, "%s>%s", way->from->name, way->to->name);
		const struct pcapng_interface p = {
			.link_type = way->from->bare ? LINK_TYPE_RAW : LINK_TYPE_ETHERNET,
			.name = text(name),
			.description = text(l->name),
			.speed = way->config.rate,
		};
		describe(c, way, &p);
	}
	l->tap = tapped;
	l->tap_user = c;
}

void sim_capture_name(struct sim_capture *c, const struct addr *address, const char *name)
{
	write_block(c, pcapng_name(address, text(name), c->block, sizeof c->block));
}

uint64_t sim_capture_frames(const struct sim_capture *c)
{
	return c->frames;
}

struct sim_capture *sim_capture_first(struct world *w)
{
	return list_empty(&w->captures) ? NULL
					: list_entry(w->captures.next, struct sim_capture, link);
}

bool sim_capture_close(struct sim_capture *c)
{
	for (struct list *l; (l = list_pop_front(&c->nodes));) {
		struct listening *listening = list_entry(l, struct listening, link);
		node_unlisten(listening->node, &listening->sink);
		free(listening);
	}
	list_each(l, &c->world->links)
	{
		struct link *link = list_entry(l, struct link, in_world);
		if (link->tap_user == c)
			link->tap = NULL, link->tap_user = NULL;
	}
	list_remove(&c->link);
	if (fflush(c->stream) != 0)
		c->failed = true;
	if (c->ours && fclose(c->stream) != 0)
		c->failed = true;
	bool good = !c->failed;
	free(c);
	return good;
}
