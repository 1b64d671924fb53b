/*
 * Opening reads the user's words (site_words.h) and hands values to host/ or
 * sim/. Driving is the same three calls for both kinds: the host's loop sleeps
 * until something happens, the simulated world jumps to where it does.
 */
#include "api/site.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "api/site_words.h"
#include "host/hostclock.h"

/* ---- on this host ---- */

static enum error open_machine(struct site *s, const struct site_options *o,
	const struct site_link *link, char *why, size_t cap)
{
	struct machine_options m = {
		.tap = link->name,
		.offload = link->offload,
		.mtu = link->mtu,
		.pcap = o->pcap,
		.config = o->config,
	};
	if (o->machine || o->beside) {
		snprintf(why, cap, "only a lab has machines to choose from");
		return ERR_ARGUMENT;
	}
	enum error e = site_words_addresses(o, &m, why, cap);
	if (e)
		return e;
	if (!m.addresses) {
		snprintf(why, cap, "%s: an address is needed, like 192.0.2.2/24", o->link);
		return ERR_ARGUMENT;
	}
	s->machine = machine_open(&m, &e, why, cap);
	if (!s->machine)
		return e;
	s->stack = s->machine->stack;
	memcpy(s->secret, s->machine->secret, sizeof s->secret);
	return ERR_OK;
}

/* ---- in a simulated world ---- */

static enum error open_world(struct site *s, const struct site_options *o,
	const struct site_link *link, char *why, size_t cap)
{
	if (o->beside && !o->beside->simulated) {
		snprintf(why, cap, "only in a simulated world can one live beside another");
		return ERR_ARGUMENT;
	}
	if (o->beside) {
		s->world = o->beside->world;
		s->world->sites++;
		return ERR_OK;
	}
	struct site_world *w = calloc(1, sizeof *w);
	if (!w) {
		snprintf(why, cap, "out of memory");
		return ERR_MEMORY;
	}
	struct lab_options lab = link->lab;
	if (o->config && !lab.client)
		lab.client = (struct stack_config *)(uintptr_t)o->config;
	w->lab = lab_open(link->name, &lab, why, cap);
	if (!w->lab) {
		free(w);
		return ERR_NOT_FOUND;
	}
	w->sites = 1;
	s->world = w;
	return ERR_OK;
}

static enum error find_node(struct site *s, const char *machine, char *why, size_t cap)
{
	struct world *w = lab_world(s->world->lab);
	s->node = machine ? world_node(w, machine) : lab_client(s->world->lab);
	if (s->node)
		return ERR_OK;
	int n = snprintf(why, cap, "no machine '%s' in the lab; there are:", machine);
	list_each(at, &w->nodes)
	{
		if (n > 0 && (size_t)n < cap)
			n += snprintf(why + n, cap - (size_t)n, " %s",
				list_entry(at, struct node, in_world)->name);
	}
	return ERR_NOT_FOUND;
}

/* Addresses and routes beside those that the lab gave the machine. */
static enum error add_addresses(
	struct site *s, const struct machine_options *m, char *why, size_t cap)
{
	struct netif *nif = site_netif(s);
	enum error e = ERR_OK;
	for (unsigned i = 0; i < m->addresses && !e; i++)
		e = stack_add_address(s->stack, nif, &m->address[i].address, m->address[i].prefix);
	for (unsigned i = 0; i < m->gateways && !e; i++) {
		const struct addr *g = &m->gateway[i];
		struct addr any = addr_is4(g) ? addr_from4((const uint8_t[4]){ 0 }) : ADDR_ANY;
		e = stack_add_route(s->stack, &any, 0, g, nif);
	}
	if (e)
		snprintf(why, cap, "the lab's machine does not take the address or gateway: %s",
			e == ERR_IN_USE ? "it has a gateway of its own: leave this one out"
					: error_text(e));
	return e == ERR_IN_USE ? ERR_ARGUMENT : e;
}

static enum error open_capture(struct site *s, const char *path, char *why, size_t cap)
{
	struct site_world *w = s->world;
	if (w->capture) {
		snprintf(why, cap, "%s: the lab writes a capture already", path);
		return ERR_IN_USE;
	}
	w->capture = sim_capture_open(lab_world(w->lab), path, LAB_EPOCH, why, cap);
	if (!w->capture) {
		enum error e = errno == EACCES || errno == EPERM ? ERR_PERMISSION : ERR_SYSTEM;
		snprintf(why, cap, "cannot write the capture to %s: %s: name another file", path,
			strerror(errno));
		return e;
	}
	const char *name;
	struct addr address;
	for (unsigned i = 0; lab_name(w->lab, i, &name, &address); i++)
		sim_capture_name(w->capture, &address, name);
	sim_capture_node(w->capture, s->node);
	return ERR_OK;
}

static enum error open_node(struct site *s, const struct site_options *o,
	const struct site_link *link, char *why, size_t cap)
{
	struct machine_options m = { 0 };
	enum error e = site_words_addresses(o, &m, why, cap);
	if (!e && m.has_mac) {
		snprintf(why, cap, "a lab gives its machines link addresses of their own");
		e = ERR_ARGUMENT;
	}
	if (!e)
		e = open_world(s, o, link, why, cap);
	if (!e)
		e = find_node(s, o->machine, why, cap);
	if (e)
		return e;
	s->stack = s->node->stack;
	struct rng rng;
	world_rng(lab_world(s->world->lab), s->node->name, "site", &rng);
	rng_fill(&rng, s->secret, sizeof s->secret);
	e = add_addresses(s, &m, why, cap);
	if (!e && o->pcap)
		e = open_capture(s, o->pcap, why, cap);
	if (!e && !s->dns_count)
		s->dns_count = lab_dns_servers(s->world->lab, s->dns, SITE_DNS_MAX);
	return e;
}

/* ---- both ---- */

struct site *site_open(const struct site_options *o, enum error *error, char *why, size_t cap)
{
	struct site_link link;
	struct site *s = calloc(1, sizeof *s);
	if (!s) {
		*error = ERR_MEMORY;
		snprintf(why, cap, "out of memory");
		return NULL;
	}
	*error = site_words_link(o, &link, why, cap);
	if (!*error)
		*error = site_words_dns(o->dns, s, why, cap);
	s->simulated = link.simulated;
	if (!*error)
		*error = s->simulated ? open_node(s, o, &link, why, cap)
				      : open_machine(s, o, &link, why, cap);
	if (!*error)
		return s;
	site_close(s);
	return NULL;
}

static bool leave_world(struct site_world *w)
{
	if (--w->sites)
		return true;
	bool good = !w->capture || sim_capture_close(w->capture);
	lab_close(w->lab);
	free(w);
	return good;
}

bool site_close(struct site *site)
{
	bool good = true;
	site_listen(site, NULL, NULL);
	if (site->machine)
		good = machine_close(site->machine);
	if (site->world)
		good = leave_world(site->world);
	free(site);
	return good;
}

nanotime site_now(const struct site *site)
{
	return site->simulated ? lab_world(site->world->lab)->now : clock_now();
}

nanodiff site_wall(const struct site *site)
{
	return site->simulated ? LAB_EPOCH : clock_wall();
}

struct stack *site_use(struct site *site)
{
	if (site->simulated)
		return node_use(site->node);
	stack_set_time(site->stack, clock_now());
	return site->stack;
}

void site_flush(struct site *site)
{
	if (!site->simulated)
		loop_flush(&site->machine->loop);
}

void site_add_app(struct site *site, struct app *a)
{
	if (site->simulated)
		node_add_app(site->node, a);
	else
		loop_add_app(&site->machine->loop, a);
}

static enum site_end run_world(
	struct world *w, nanotime until, bool (*done)(void *user), void *user)
{
	switch (world_run(w, until, done, user)) {
	case WORLD_DONE: return SITE_DONE;
	case WORLD_TIME: return SITE_TIME;
	case WORLD_IDLE: return SITE_DEADLOCK;
	case WORLD_RUNAWAY:
	case WORLD_BROKEN: break;
	}
	return SITE_BROKEN;
}

enum site_end site_run(struct site *site, nanotime until, bool (*done)(void *user), void *user)
{
	if (site->simulated)
		return run_world(lab_world(site->world->lab), until, done, user);
	switch (loop_run(&site->machine->loop, until, done, user)) {
	case LOOP_DONE: return SITE_DONE;
	case LOOP_TIME: return SITE_TIME;
	case LOOP_GONE: break;
	}
	return SITE_BROKEN;
}

const char *site_why(const struct site *site)
{
	if (site->simulated)
		return world_why(lab_world(site->world->lab));
	return loop_gone(&site->machine->loop) ? "the network device was deleted" : "";
}

static void hear_node(void *user, struct node *n, const struct trace_event *event)
{
	(void)n;
	struct site *site = user;
	site->listener(site->listener_user, event);
}

void site_listen(
	struct site *site, void (*sink)(void *user, const struct trace_event *event), void *user)
{
	if (site->machine)
		machine_listen(site->machine, sink, user);
	if (!site->node)
		return;
	if (site->listener)
		node_unlisten(site->node, &site->sink);
	site->listener = sink;
	site->listener_user = user;
	site->sink = (struct node_sink){ .sink = hear_node, .user = site };
	if (sink)
		node_listen(site->node, &site->sink);
}

struct netif *site_netif(const struct site *site)
{
	return stack_netif(site->stack, 0);
}
