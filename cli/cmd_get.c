/*
 * strata get: a page, and the way it came. The fetch runs on the site's stack
 * until it has ended and its connection is closed; who asked for the walk has a
 * timeline listening to that stack meanwhile.
 */
#include <stdlib.h>
#include <string.h>

#include "cli/get_request.h"
#include "cli/output.h"
#include "cli/session.h"
#include "strata/net.h"

#define LINGER (3 * NANO_S) /* for the connection's end, at most */

static const struct option_info options[] = {
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
	{ "strata get http://www.example.test/", "a page from the simulated network lab:home" },
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
	bool show_head, head_shown, verbose, told_request;
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
	case FETCH_PROBLEM_DNS: return VERDICT_UNSURE;
	case FETCH_PROBLEM_SINK:
	case FETCH_PROBLEM_LOCAL: return VERDICT_ENVIRONMENT;
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
	return judge(g);
}

static enum verdict run(const struct arguments *a)
{
	struct get g = {
		.arguments = a,
		.command = a->command,
		.verbose = given(a, "verbose"),
		.show_head = given(a, "include") || given(a, "head"),
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
	if (get_request_read(&g.request, a) &&
		session_open(&g.session, a, span_of(page, page_len), &v)) {
		v = fetch_page(&g);
		v = session_close(&g.session, v);
	}
	get_request_free(&g.request);
	free(page);
	return v;
}

extern const struct command command_get;
const struct command command_get = {
	.name = "get",
	.line = "fetch what a URL names, and show how it came through the layers",
	.operands = "URL",
	.about = "",
	.exits =
		"0: a response came, whatever its status (see --fail). 1: unknown host; refused, "
		"reset or timed out; a response that breaks HTTP. 2: bad URL or options. 3: no name "
		"server answered. 4: no permission, no such device, a file that cannot be written.",
	.purpose = PURPOSE_TALK,
	.operands_min = 1,
	.operands_max = 1,
	.groups = groups,
	.examples = examples,
	.run = run,
};
