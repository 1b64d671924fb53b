/*
 * strata get: a page, and the way it came. The fetch runs on the site's stack
 * until it has ended and its connection is closed; who asked for the walk has a
 * timeline listening to that stack meanwhile.
 */
#include <stdlib.h>
#include <string.h>

#include "cli/get_request.h"
#include "cli/name.h"
#include "cli/output.h"
#include "cli/view_walk.h"
#include "cli/witness.h"
#include "strata/net.h"

#define LINGER   (3 * NANO_S)      /* for the connection's end, at most */
#define PAGE_MAX ((size_t)1 << 20) /* a page that is part of the JSON object, at most */

static const struct option_info options[] = {
	{ .name = "explain",
		.text = "tell how the page came: every packet, layer by layer, and what it "
			"took; to "
			"standard error" },
	{ .name = "json",
		.text = "print one JSON object with all of it: response, page, every step, every "
			"header, every sum" },
	{ .name = "output",
		.letter = 'o',
		.kind = OPTION_FILE,
		.argument = "FILE",
		.text = "write the page to FILE" },
	{ .name = "fail",
		.letter = 'f',
		.text = "a status of 400 or above is a problem: exit code 1, and no page" },
	{ .name = "include", .letter = 'i', .text = "print the response's head before the page" },
	{ .name = "verbose",
		.letter = 'v',
		.text = "print what is sent (>) and received (<) to standard error" },
	{ .name = "page",
		.kind = OPTION_FILE,
		.argument = "FILE",
		.text = "what a lab's web server serves as '/'" },
	{ .name = NULL },
};

static const struct option_group own = { "Page", options };
static const struct option_group request_group = { "Request", get_request_options };
static const struct option_group *const groups[] = { &own, &request_group, &option_group_link,
	&option_group_lab, &option_group_general, NULL };

static const struct example examples[] = {
	{ "strata get --explain http://www.example.test/",
		"a page from the simulated network lab:home, and how every packet of it came" },
	{ "strata get --explain -4 --delay 300ms http://www.example.test/ > /dev/null",
		"the walk alone, over IPv4 and by satellite" },
	{ "strata get --json --pcap get.pcapng http://www.example.test/",
		"the same as data, and as a capture for Wireshark" },
	{ "strata get --link tap:tap0 --address 192.0.2.2/24 --gateway 192.0.2.1 --dns 192.0.2.1 "
	  "http://intranet.example/",
		"from a real server, over a network device" },
	{ NULL, NULL },
};

struct get {
	const struct arguments *arguments;
	const struct command *command;
	struct session session;
	struct get_request request;
	struct output output;
	struct http_client *client;
	struct fetch *fetch;
	struct witness *witness; /* NULL: nobody asked for the walk */
	bool show_head, head_shown, verbose, told_request;
	bool json;
	FILE *page_file; /* with --json: a page without a file is part of the object */
	char *page;
	size_t page_len;
};

/* ---- what is shown on the way ---- */

static void show_head(FILE *f, const char *mark, const struct http1_head *h)
{
	fprintf(f, "%sHTTP/1.%u %03u %.*s\r\n", mark, h->minor, h->status, (int)h->reason.len,
		(const char *)h->reason.at);
	for (unsigned i = 0; i < h->field_count; i++)
		fprintf(f, "%s%.*s: %.*s\r\n", mark, (int)h->field[i].name.len,
			(const char *)h->field[i].name.at, (int)h->field[i].value.len,
			(const char *)h->field[i].value.at);
	fprintf(f, "%s\r\n", mark);
}

static void show_request(struct span head)
{
	while (head.len) {
		const uint8_t *end = memchr(head.at, '\n', head.len);
		size_t len = end ? (size_t)(end - head.at) + 1 : head.len;
		fprintf(stderr, "> %.*s", (int)len, (const char *)head.at);
		head = span_after(head, len);
	}
}

/* Whatever of the exchange is new and wanted. */
static void show(struct get *g)
{
	const struct http_exchange *x = fetch_info(g->fetch)->exchange;
	if (!x)
		return;
	if (g->verbose && !g->told_request && x->step > HTTP_CONNECT) {
		char peer[ADDR_TEXT_MAX];
		addr_format(&x->remote.address, peer);
		fprintf(stderr, "* connected to %s port %u\n", peer, x->remote.port);
		show_request(x->request);
		g->told_request = true;
	}
	if (!x->head || g->head_shown)
		return;
	g->head_shown = true;
	if (g->verbose)
		show_head(stderr, "< ", x->head);
	if (g->show_head) {
		char head[HTTP1_HEAD_MAX * 2];
		FILE *f = fmemopen(head, sizeof head, "w");
		show_head(f, "", x->head);
		long len = ftell(f);
		fclose(f);
		output_write(&g->output, span_of(head, (size_t)len));
	}
}

static bool unwanted(const struct get *g)
{
	return given(g->arguments, "fail") && fetch_info(g->fetch)->status >= 400;
}

static int64_t take(void *user, struct span bytes)
{
	struct get *g = user;
	const struct http_exchange *x = fetch_info(g->fetch)->exchange;
	show(g);
	if (unwanted(g))
		return (int64_t)bytes.len;
	if (!output_write(&g->output, bytes))
		return -ERR_SYSTEM;
	uint64_t all = x->framing.framing == HTTP1_BODY_LENGTH ? x->framing.length : 0;
	output_progress(&g->output, all, site_now(g->session.site));
	return (int64_t)bytes.len;
}

/* ---- what is told at the end ---- */

static void put_page(struct json *j, struct get *g)
{
	struct span page = span_of(g->page, g->page_len);
	if (!g->page_file)
		return;
	if (g->page_len > PAGE_MAX)
		json_null(j, "content");
	else if (json_is_text(page))
		json_span(j, "content", page);
	else
		json_base64(j, "content_base64", page);
}

static void put_response(struct json *j, struct get *g)
{
	const struct fetch_info *i = fetch_info(g->fetch);
	const struct http1_head *h = i->exchange ? i->exchange->head : NULL;
	if (!h) {
		json_null(j, "response");
		return;
	}
	json_object(j, "response");
	json_unsigned(j, "status", h->status);
	json_span(j, "reason", h->reason);
	json_array(j, "fields");
	for (unsigned f = 0; f < h->field_count; f++) {
		json_object(j, NULL);
		json_span(j, "name", h->field[f].name);
		json_span(j, "value", h->field[f].value);
		json_close(j);
	}
	json_close(j);
	json_unsigned(j, "page_bytes", i->body_bytes);
	json_bool(j, "complete", i->state == FETCH_DONE);
	put_page(j, g);
	json_close(j);
}

static void put_object(struct get *g, FILE *f, const struct walk *w, enum verdict v)
{
	const struct fetch_info *i = fetch_info(g->fetch);
	struct site *site = g->session.site;
	struct json j;
	json_begin(&j, f, "strata.get/1");
	json_string(&j, "url", g->arguments->operand[0]);
	json_string(&j, "link", g->session.link);
	json_bool(&j, "simulated", site->simulated);
	json_unsigned(&j, "exit_code", v);
	json_string(&j, "problem",
		i->problem == FETCH_PROBLEM_NONE ? NULL : fetch_problem_name(i->problem));
	json_string(&j, "problem_text", i->problem == FETCH_PROBLEM_NONE ? NULL : i->text);
	json_signed(&j, "started_epoch_ns", w->input.started + site_wall(site));
	json_signed(&j, "done_ns", w->input.done - w->input.started);
	json_unsigned(&j, "redirects", i->redirects);
	put_response(&j, g);
	view_walk_json(&j, w);
	json_finish(&j);
}

static void tell_walk(struct get *g, enum verdict v)
{
	const struct fetch_info *i = fetch_info(g->fetch);
	struct walk_input in = { .started = i->times.started,
		.done = i->times.done == NANOTIME_NEVER ? site_now(g->session.site) : i->times.done,
		.page = i->body_bytes };
	for (; in.dns_count < SITE_DNS_MAX && in.dns_count < g->session.site->dns_count;
		in.dns_count++)
		in.dns[in.dns_count] = g->session.site->dns[in.dns_count];
	const struct walk *w = witness_end(g->witness, &g->session, &in);
	if (given(g->arguments, "explain")) {
		const struct view_about about = {
			.url = g->arguments->operand[0],
			.link = g->session.link,
			.simulated = g->session.site->simulated,
			.good = i->state == FETCH_DONE,
		};
		fflush(stdout);
		view_walk(stderr, w, &about);
	}
	if (g->json)
		put_object(g, given(g->arguments, "output") && !g->output.path ? stderr : stdout, w,
			v);
}

/* ---- running ---- */

static void make_fetch(struct get *g)
{
	struct stack *s = g->session.site->stack;
	struct arena arena = { .at = NULL };
	const char *why = NULL;
	struct http_client_config c;
	http_client_config_default(&c);
	c.agent = "strata/" STRATA_VERSION;
	c.keep = 0; /* closed when the page is there, so that the end is seen too */
	http_client_create(&c, s, &arena, &why);
	arena = session_arena(&g->session, arena.used);
	g->client = http_client_create(&c, s, &arena, &why);
	const struct fetch_config config = {
		.resolver = session_resolver(&g->session),
		.client = g->client,
	};
	arena = (struct arena){ .at = NULL };
	fetch_create(&config, s, &arena, &why);
	arena = session_arena(&g->session, arena.used);
	g->fetch = fetch_create(&config, s, &arena, &why);
	assert(g->client && g->fetch && "by the default configs");
}

static bool ended(void *user)
{
	struct get *g = user;
	const struct fetch_info *i = fetch_info(g->fetch);
	show(g);
	return i->state == FETCH_DONE || i->state == FETCH_FAILED;
}

static enum verdict verdict_of(const struct fetch_info *i)
{
	switch (i->problem) {
	case FETCH_PROBLEM_NONE: return VERDICT_FINE;
	case FETCH_PROBLEM_URL:
	case FETCH_PROBLEM_TLS:
	case FETCH_PROBLEM_REQUEST: return VERDICT_USAGE;
	case FETCH_PROBLEM_DNS:
		return i->lookup ? verdict_of_lookup(i->lookup->status) : VERDICT_UNSURE;
	case FETCH_PROBLEM_SINK: return VERDICT_ENVIRONMENT;
	case FETCH_PROBLEM_LOCAL:
		return i->error == ERR_ARGUMENT ? VERDICT_USAGE : VERDICT_ENVIRONMENT;
	default: return VERDICT_PROBLEM;
	}
}

/* How it went, told where it went wrong. */
static enum verdict judge(struct get *g)
{
	const struct fetch_info *i = fetch_info(g->fetch);
	enum verdict v = verdict_of(i);
	bool complete = i->state == FETCH_DONE && !unwanted(g);
	if (!output_end(&g->output, complete) || g->output.failed)
		return VERDICT_ENVIRONMENT;
	if (v != VERDICT_FINE)
		return complain(g->command, v, "%s", i->text);
	if (unwanted(g))
		return complain(g->command, VERDICT_PROBLEM,
			"%s: the server answered with status %u: try another URL",
			g->arguments->operand[0], i->status);
	return v;
}

static enum verdict fetch_page(struct get *g)
{
	const struct fetch_info *i;
	if (given(g->arguments, "explain") || g->json) {
		g->witness = witness_begin(&g->session);
		if (!g->witness)
			return VERDICT_ENVIRONMENT;
	}
	make_fetch(g);
	i = fetch_info(g->fetch);
	g->request.fetch.sink = take;
	g->request.fetch.user = g;
	site_use(g->session.site);
	fetch_start(g->fetch, &g->request.fetch);
	site_add_app(g->session.site, fetch_app(g->fetch));
	site_flush(g->session.site);
	if (i->state != FETCH_FAILED && !session_run(&g->session, NANOTIME_NEVER, ended, g))
		return VERDICT_ENVIRONMENT;
	show(g);
	session_linger(&g->session, LINGER);
	enum verdict v = judge(g);
	if (g->witness)
		tell_walk(g, v);
	return v;
}

static enum verdict run(const struct arguments *a)
{
	struct get g = {
		.arguments = a,
		.command = a->command,
		.verbose = given(a, "verbose"),
		.show_head = given(a, "include") || given(a, "head"),
		.json = given(a, "json"),
	};
	enum verdict v = VERDICT_USAGE;
	size_t page_len = 0;
	uint8_t *page = NULL;
	if (given(a, "page")) {
		page = read_whole_file(a->command, given_value(a, "page", ""), &page_len);
		if (!page)
			return VERDICT_ENVIRONMENT;
	}
	output_begin(&g.output, a->command, given_value(a, "output", NULL));
	if (g.json && !given(a, "output"))
		g.page_file = g.output.file = open_memstream(&g.page, &g.page_len);
	const struct session_wants wants = { .page = span_of(page, page_len) };
	if (!get_request_read(&g.request, a))
		v = g.request.verdict;
	else if (session_open(&g.session, a, &wants, &v))
		v = session_close(&g.session, fetch_page(&g));
	witness_free(g.witness);
	if (g.page_file)
		fclose(g.page_file);
	free(g.page);
	get_request_free(&g.request);
	free(page);
	return v;
}

extern const struct command command_get;
const struct command command_get = {
	.name = "get",
	.line = "fetch what a URL names, and show how it came through the layers",
	.operands = "URL",
	.about = "The page goes to standard output. With --explain the way it came is told on "
		 "standard error: each packet that passed our link, its time, the layer at work, "
		 "what each layer added or took off, and why; then what it took.",
	.terms =
		"Phases follow each other without gaps: look-up (until the last answer of a name "
		"server before a connection is opened), connect (until the SYN, ACK of the "
		"connection that carries the request), request (until its last byte has gone "
		"out), wait (until the first byte of the response), response (until its last), "
		"close (until the last segment of the connection).\n\n"
		"Round trips are counted along one chain, from its end: the page's last byte came "
		"from a host; the latest packet that it can be an answer to had gone to that host "
		"at least the host's shortest answer time before; that one was sent because of "
		"what had come last before it; and so on, back to the start. What never leaves our "
		"own link (ARP, neighbour discovery) is no part of it.",
	.exits = "0: a response came, whatever its status (see --fail). 1: unknown host; refused, "
		 "reset or timed out; a response that breaks HTTP. 2: bad URL or options. 3: no "
		 "name server answered. 4: no permission, no such device, a file that cannot be "
		 "written.",
	.purpose = PURPOSE_TALK,
	.operands_min = 1,
	.operands_max = 1,
	.groups = groups,
	.examples = examples,
	.run = run,
};
