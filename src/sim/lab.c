/*
 * The register of labs, and opening one: the plan's world, the options applied
 * to its main link, the servers started, and a second of virtual time for all to
 * settle, so that a command does not begin among the machines' first
 * announcements.
 */
#include <stdio.h>
#include <stdlib.h>

#include "sim/lab_build.h"

#define ARENA  (UINT32_C(16) << 20)
#define SETTLE NANO_S

static const struct lab_kind *const kinds[] = { &lab_home, &lab_lossy, &lab_lan, &lab_satellite,
	&lab_synflood };

unsigned lab_count(void)
{
	return sizeof kinds / sizeof *kinds;
}

const struct lab_info *lab_info(unsigned index)
{
	return index < lab_count() ? &kinds[index]->info : NULL;
}

static const struct lab_kind *find_kind(const char *name)
{
	if (strncmp(name, "lab:", 4) == 0)
		name += 4;
	for (unsigned i = 0; i < lab_count(); i++)
		if (strcmp(kinds[i]->info.name, name) == 0)
			return kinds[i];
	return NULL;
}

const struct lab_info *lab_find(const char *name)
{
	const struct lab_kind *k = find_kind(name);
	return k ? &k->info : NULL;
}

static void tell_labs(const char *name, char *why, size_t cap)
{
	int n = snprintf(why, cap, "no lab is called '%.60s'; there are:", name);
	for (unsigned i = 0; i < lab_count() && n > 0 && (size_t)n < cap; i++)
		n += snprintf(why + n, cap - (size_t)n, " lab:%s", kinds[i]->info.name);
}

/* 0 is the lab's own value, LAB_NONE none at all. NULL, or what is wrong with an option. */
static const char *apply_options(struct lab *l)
{
	const struct lab_options *o = &l->options;
	if (o->delay < LAB_NONE || o->rate < LAB_NONE || o->loss < LAB_NONE)
		return "a number is negative";
	if (o->loss > PPM)
		return "loss is above 100 %";
	for (unsigned i = 0; i < 2; i++) {
		struct link_config c = l->main_link->way[i].config;
		if (o->delay)
			c.delay = o->delay == LAB_NONE ? 0 : o->delay;
		if (o->rate)
			c.rate = o->rate == LAB_NONE ? 0 : (uint64_t)o->rate;
		if (o->loss)
			c.faults.loss = o->loss == LAB_NONE ? 0 : (uint32_t)o->loss;
		const char *broken = link_config_check(&c);
		if (broken)
			return broken;
		link_change(l->main_link, i, &c);
	}
	return NULL;
}

static bool build(struct lab *l, char *why, size_t cap)
{
	const struct lab_kind *k = l->kind;
	if (!plan_build(l->world, k->plan, k->client, l->options.client, why, cap))
		return false;
	l->client = world_node(l->world, k->client);
	l->main_link = world_link(l->world, k->main_link);
	assert(l->client && l->main_link);
	const char *broken = apply_options(l);
	if (!broken)
		broken = lab_serve(l);
	if (!broken && k->more)
		broken = k->more(l);
	if (broken)
		snprintf(why, cap, "lab:%s: %s", k->info.name, broken);
	return !broken;
}

struct lab *lab_open(const char *name, const struct lab_options *o, char *why, size_t cap)
{
	const struct lab_kind *k = find_kind(name);
	if (!k) {
		tell_labs(name, why, cap);
		return NULL;
	}
	struct lab *l = calloc(1, sizeof *l);
	if (!l)
		abort();
	l->kind = k;
	l->options = *o;
	l->world = world_new(&(struct world_config){ .seed = o->seed, .fill = o->fill });
	l->arena = (struct arena){ .at = world_alloc(l->world, ARENA), .size = ARENA };
	invariant_add_builtin(l->world);
	if (build(l, why, cap)) {
		if (o->built)
			o->built(o->user, l);
		enum world_end end = world_run(l->world, SETTLE, NULL, NULL);
		if (end == WORLD_TIME)
			return l;
		snprintf(why, cap, "lab:%s: %s", k->info.name, world_why(l->world));
	}
	lab_close(l);
	return NULL;
}

void lab_close(struct lab *l)
{
	if (!l)
		return;
	world_free(l->world);
	free(l);
}

const struct lab_info *lab_about(const struct lab *l)
{
	return &l->kind->info;
}

struct world *lab_world(struct lab *l)
{
	return l->world;
}

struct node *lab_client(struct lab *l)
{
	return l->client;
}

struct link *lab_main_link(struct lab *l)
{
	return l->main_link;
}

static struct addr address_of(const char *text)
{
	struct addr a = ADDR_ANY;
	bool good = addr_parse(span_of(text, strlen(text)), &a);
	assert(good);
	(void)good;
	return a;
}

unsigned lab_dns_servers(const struct lab *l, struct addr *out, unsigned max)
{
	unsigned n = 0;
	for (; n < max && l->kind->dns_address[n]; n++)
		out[n] = address_of(l->kind->dns_address[n]);
	return n;
}

bool lab_name(const struct lab *l, unsigned index, const char **name, struct addr *address)
{
	const struct lab_host *h = l->kind->host;
	while (h->name && index) {
		h++;
		index--;
	}
	if (!h->name)
		return false;
	*name = h->name;
	*address = address_of(h->address);
	return true;
}
