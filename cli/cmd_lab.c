/*
 * strata lab: the networks that ship, and one of them as it is built: what is
 * shown of machines, addresses and links is read from the simulated world itself,
 * so that it can't differ from what a command meets there.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/json.h"
#include "cli/lab_link.h"
#include "cli/link_words.h"
#include "cli/paint.h"
#include "cli/session.h"

#define NAMES    14 /* columns for the names of links */
#define INDENT   17 /* of what is said about a link */
#define TEXT_MAX 32

static const struct option_info options[] = {
	{ .name = "json", .text = "print one JSON object" },
	{ .name = NULL },
};
static const struct option_group own = { "Output", options };
static const struct option_group *const groups[] = { &lab_link_options, &own, &option_group_general,
	NULL };

static const struct example examples[] = {
	{ "strata lab", "the networks that there are" },
	{ "strata lab home", "one of them: its machines, links and names" },
	{ "strata get --link lab:lossy --explain http://www.example.test/",
		"a page from another one than lab:home" },
	{ "strata lab home --pcap home.pcapng", "with a capture of its first second" },
	{ "strata lab --json home | jq '.links[].ways[0].delay_ns'", "for other programs" },
	{ "strata lab link --tap tap0 --tap tap1 --rate 50Mbit --delay 20ms --loss 1%",
		"two network devices of this machine, joined by such a link until Ctrl-C" },
	{ NULL, NULL },
};

/* ---- one lab, for people ---- */

static void heading(const char *text)
{
	printf("\n%s%s%s\n", paint(stdout, PAINT_STRONG), text, paint(stdout, PAINT_PLAIN));
}

static void show_machine(const struct node *n)
{
	printf("  %-9s %s\n", n->name, n->role ? n->role : "");
	for (unsigned i = 0; i < n->interfaces; i++) {
		const struct netif *nif = n->interface[i].netif;
		char mac[MAC_TEXT_MAX];
		mac_format(&nif->mac, mac);
		printf("            %s%-5s %s, MTU %u%s\n", paint(stdout, PAINT_FAINT), nif->name,
			mac, nif->mtu, paint(stdout, PAINT_PLAIN));
		for (unsigned a = 0; a < nif->addresses; a++) {
			char text[ADDR_TEXT_MAX];
			addr_format(&nif->address[a].address, text);
			printf("                  %s/%u\n", text, nif->address[a].prefix);
		}
	}
}

/* One of the lines below a link's name: properties, wrapped at the commas between them. */
static void show_indented(const char *before, const char *text)
{
	unsigned at = INDENT + (unsigned)strlen(before), columns = paint_columns(stdout);
	printf("%*s%s", INDENT, "", before);
	for (bool fresh = true; *text; fresh = false) {
		const char *comma = strstr(text, ", ");
		unsigned len = comma ? (unsigned)(comma + 1 - text) : (unsigned)strlen(text);
		if (!fresh && at + 1 + len > columns) {
			printf("\n%*s", INDENT + 2, "");
			at = INDENT + 2;
			fresh = true;
		}
		printf("%s%.*s", fresh ? "" : " ", (int)len, text);
		at += len + !fresh;
		text += comma ? len + 1 : len;
	}
	fputc('\n', stdout);
}

static void show_link(const struct link *l, const struct link *main_link)
{
	char line[2][LINK_WORDS_MAX];
	printf("  %-*s %s -- %s\n", NAMES, l->name, l->way[0].from->name, l->way[0].to->name);
	for (unsigned i = 0; i < 2; i++)
		link_words(line[i], &l->way[i].config, " each way");
	if (strcmp(line[0], line[1]) == 0) {
		show_indented("", line[0]);
	} else {
		for (unsigned i = 0; i < 2; i++) {
			char to[LINK_WORDS_MAX];
			link_words(line[i], &l->way[i].config, "");
			snprintf(to, sizeof to, "to %s: ", l->way[i].to->name);
			show_indented(to, line[i]);
		}
	}
	if (l == main_link)
		show_indented("", "(--delay, --rate and --loss change this one)");
}

static void show_names(const struct lab *l)
{
	const char *name, *last = "";
	struct addr address;
	for (unsigned i = 0; lab_name(l, i, &name, &address); i++) {
		char text[ADDR_TEXT_MAX];
		addr_format(&address, text);
		if (strcmp(name, last) == 0)
			printf(", %s", text);
		else
			printf("%s  %-20s %s", i ? "\n" : "", name, text);
		last = name;
	}
	fputc('\n', stdout);
}

static void show(struct lab *l)
{
	const struct lab_info *info = lab_about(l);
	const struct world *w = lab_world(l);
	printf("%slab:%s%s - ", paint(stdout, PAINT_STRONG), info->name,
		paint(stdout, PAINT_PLAIN));
	paint_wrap(stdout, info->line, (unsigned)strlen(info->name) + 7, 2, paint_columns(stdout));
	printf("\n\n%s", info->drawing);
	heading("Machines");
	list_each(at, &w->nodes) show_machine(list_entry(at, struct node, in_world));
	heading("Links");
	list_each(at, &w->links) show_link(list_entry(at, struct link, in_world), lab_main_link(l));
	heading("Names that resolve");
	show_names(l);
	heading("To try");
	printf("  strata get --explain --link lab:%s %s\n", info->name, info->url);
	printf("  strata ping --link lab:%s %s\n", info->name, "www.example.test");
}

/* ---- the same as data ---- */

static void put_machine(struct json *j, const struct node *n)
{
	json_object(j, NULL);
	json_string(j, "name", n->name);
	json_string(j, "role", n->role);
	json_array(j, "interfaces");
	for (unsigned i = 0; i < n->interfaces; i++) {
		const struct netif *nif = n->interface[i].netif;
		json_object(j, NULL);
		json_string(j, "name", nif->name);
		json_mac(j, "mac", &nif->mac);
		json_unsigned(j, "mtu", nif->mtu);
		json_array(j, "addresses");
		for (unsigned a = 0; a < nif->addresses; a++) {
			json_object(j, NULL);
			json_addr(j, "address", &nif->address[a].address);
			json_unsigned(j, "prefix", nif->address[a].prefix);
			json_close(j);
		}
		json_close(j);
		json_close(j);
	}
	json_close(j);
	json_close(j);
}

static void put_way(struct json *j, const struct link_way *way)
{
	const struct link_config *c = &way->config;
	json_object(j, NULL);
	json_string(j, "from", way->from->name);
	json_string(j, "to", way->to->name);
	json_unsigned(j, "rate_bps", c->rate);
	json_signed(j, "delay_ns", c->delay);
	json_unsigned(j, "mtu", c->mtu);
	json_unsigned(j, "queue_frames", c->queue_frames);
	json_unsigned(j, "queue_bytes", c->queue_bytes);
	json_unsigned(j, "loss_ppm", c->faults.loss);
	json_unsigned(j, "burst_ppm", c->faults.burst_enter);
	json_unsigned(j, "corrupt_ppm", c->faults.corrupt);
	json_unsigned(j, "reorder_ppm", c->faults.reorder);
	json_unsigned(j, "duplicate_ppm", c->faults.duplicate);
	json_signed(j, "jitter_ns", c->faults.jitter);
	json_close(j);
}

static void put_link(struct json *j, const struct link *l, const struct link *main_link)
{
	json_object(j, NULL);
	json_string(j, "name", l->name);
	json_bool(j, "main", l == main_link);
	json_array(j, "ways");
	for (unsigned i = 0; i < 2; i++)
		put_way(j, &l->way[i]);
	json_close(j);
	json_close(j);
}

static void put_info(struct json *j, const struct lab_info *info)
{
	char link[TEXT_MAX];
	snprintf(link, sizeof link, "lab:%s", info->name);
	json_string(j, "name", info->name);
	json_string(j, "link", link);
	json_string(j, "line", info->line);
	json_string(j, "url", info->url);
}

static void put(struct lab *l)
{
	struct json j;
	const struct world *w = lab_world(l);
	struct addr dns[SITE_DNS_MAX], address;
	const char *name;
	json_begin(&j, stdout, "strata.lab/1");
	put_info(&j, lab_about(l));
	json_string(&j, "drawing", lab_about(l)->drawing);
	json_string(&j, "client", lab_client(l)->name);
	json_array(&j, "machines");
	list_each(at, &w->nodes) put_machine(&j, list_entry(at, struct node, in_world));
	json_close(&j);
	json_array(&j, "links");
	list_each(at, &w->links)
		put_link(&j, list_entry(at, struct link, in_world), lab_main_link(l));
	json_close(&j);
	json_array(&j, "name_servers");
	unsigned servers = lab_dns_servers(l, dns, SITE_DNS_MAX);
	for (unsigned i = 0; i < servers; i++)
		json_addr(&j, NULL, &dns[i]);
	json_close(&j);
	json_array(&j, "names");
	for (unsigned i = 0; lab_name(l, i, &name, &address); i++) {
		json_object(&j, NULL);
		json_string(&j, "name", name);
		json_addr(&j, "address", &address);
		json_close(&j);
	}
	json_close(&j);
	json_finish(&j);
}

/* ---- all of them ---- */

static void put_labs(void)
{
	struct json j;
	json_begin(&j, stdout, "strata.lab/1");
	json_array(&j, "labs");
	for (unsigned i = 0; i < lab_count(); i++) {
		json_object(&j, NULL);
		put_info(&j, lab_info(i));
		json_close(&j);
	}
	json_close(&j);
	json_finish(&j);
}

static void list_labs(void)
{
	unsigned names = 0;
	for (unsigned i = 0; i < lab_count(); i++) {
		unsigned len = (unsigned)strlen(lab_info(i)->name);
		names = len > names ? len : names;
	}
	unsigned at = 2 + 4 + names + 2; /* behind "  lab:NAME  " */
	for (unsigned i = 0; i < lab_count(); i++) {
		const struct lab_info *info = lab_info(i);
		printf("  %slab:%-*s%s  ", paint(stdout, PAINT_STRONG), (int)names, info->name,
			paint(stdout, PAINT_PLAIN));
		paint_wrap(stdout, info->line, at, at, paint_columns(stdout));
		fputc('\n', stdout);
	}
	printf("\n'strata lab NAME' shows one; '--link lab:NAME' takes a command there.\n");
}

/* ---- its first second, as a file ---- */

struct capturing {
	const char *path; /* NULL: not wanted */
	struct sim_capture *file;
	char why[256];
};

static void begin_capture(void *user, struct lab *l)
{
	struct capturing *c = user;
	const char *name;
	struct addr address;
	if (!c->path)
		return;
	c->file = sim_capture_open(lab_world(l), c->path, LAB_EPOCH, c->why, sizeof c->why);
	if (!c->file) {
		snprintf(c->why, sizeof c->why,
			"cannot write the capture to %s: %s: name another file", c->path,
			strerror(errno));
		return;
	}
	sim_capture_world(c->file);
	for (unsigned i = 0; lab_name(l, i, &name, &address); i++)
		sim_capture_name(c->file, &address, name);
}

static enum verdict end_capture(struct capturing *c, const struct arguments *a)
{
	if (!c->path)
		return VERDICT_FINE;
	if (!c->file)
		return complain(a->command, VERDICT_ENVIRONMENT, "%s", c->why);
	if (!sim_capture_close(c->file))
		return complain(a->command, VERDICT_ENVIRONMENT,
			"--pcap: not everything could be written: is the disk full?");
	return VERDICT_FINE;
}

static enum verdict run(const struct arguments *a)
{
	char why[256] = "";
	bool as_json = given(a, "json");
	if (a->operands && strcmp(a->operand[0], "link") == 0)
		return lab_link(a);
	if (!lab_link_unused(a))
		return VERDICT_USAGE;
	if (!a->operands && given(a, "pcap"))
		return complain(a->command, VERDICT_USAGE,
			"--pcap: of which network? name one: 'strata lab' lists them");
	if (!a->operands) {
		if (as_json)
			put_labs();
		else
			list_labs();
		return VERDICT_FINE;
	}
	struct capturing c = { .path = given_value(a, "pcap", NULL) };
	struct lab_options o = { .seed = SESSION_SEED, .built = begin_capture, .user = &c };
	struct lab *l = lab_open(a->operand[0], &o, why, sizeof why);
	if (!l)
		return complain(a->command, VERDICT_USAGE, "%s", why);
	enum verdict v = end_capture(&c, a);
	if (v == VERDICT_FINE && as_json)
		put(l);
	else if (v == VERDICT_FINE)
		show(l);
	lab_close(l);
	return v;
}

extern const struct command command_lab;
const struct command command_lab = {
	.name = "lab",
	.line = "list the simulated networks, show one, or join two devices by a link",
	.operands = "[NAME|link]",
	.about =
		"With 'link': two TAP devices are joined in real time by the link of the simulated "
		"networks, which is slow, long and lossy as told. Values hold for both "
		"directions; with two and a comma between, for the first device's frames and for "
		"the second's. Which frames are lost is the seed's choice, by their number: the "
		"same in each run.",
	.exits = "2: there is no such network, or a value makes no sense. 4: no permission to use "
		 "the devices, or one was deleted.",
	.purpose = PURPOSE_LEARN,
	.operands_max = 1,
	.groups = groups,
	.examples = examples,
	.run = run,
};
