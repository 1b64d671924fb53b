/*
 * strata serve: a folder as a web site, on a stack of our own. One line for each
 * request goes to standard output. The first Ctrl-C (or SIGTERM) lets what is
 * being sent come to its end, the second stops at once.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "api/folder_content.h"
#include "application/http/http_server.h"
#include "cli/interrupt.h"
#include "cli/json.h"
#include "cli/output.h"
#include "strata/net.h"

#define FAREWELL  (5 * NANO_S)    /* for responses under way, after the first signal */
#define LOG_DELAY (200 * NANO_MS) /* a line of the log waits for others, at most */

static const struct option_info options[] = {
	{ .name = "port",
		.letter = 'p',
		.kind = OPTION_WORD,
		.argument = "PORT",
		.text = "listen on this TCP port (default: 80)" },
	{ .name = "index",
		.kind = OPTION_WORD,
		.argument = "NAME",
		.text = "the file that stands for a folder (default: index.html)" },
	{ .name = "max-connections",
		.kind = OPTION_WORD,
		.argument = "N",
		.text = "connections at once (default: 1024)" },
	{ .name = "max-per-host",
		.kind = OPTION_WORD,
		.argument = "N",
		.text = "of these from one IPv4 address or IPv6 /64 (default: 256)" },
	{ .name = "max-requests",
		.kind = OPTION_WORD,
		.argument = "N",
		.text = "requests on one connection (default: no limit)" },
	{ .name = "idle-timeout",
		.kind = OPTION_WORD,
		.argument = "TIME",
		.text = "a connection without a request is closed after this (default: 60s)" },
	{ .name = "for",
		.kind = OPTION_WORD,
		.argument = "TIME",
		.text = "serve so long, then end as at a signal (default: until one comes)" },
	{ .name = "quiet", .letter = 'q', .text = "no line for each request" },
	{ .name = "json-lines", .text = "each request as a JSON object on a line of its own" },
	{ .name = NULL },
};

static const struct option_group own = { "Server", options };
static const struct option_group *const groups[] = { &own, &option_group_link,
	&option_group_general, NULL };

static const struct example examples[] = {
	{ "strata serve --link tap:tap0 --address 192.0.2.2/24 --port 80 site",
		"the folder 'site', to who reaches tap0; then: ip addr add 192.0.2.1/24 dev tap0, "
		"and curl http://192.0.2.2/" },
	{ "strata serve --link tap:tap0 --address 192.0.2.2/24 --pcap serve.pcapng .",
		"this folder, with a capture of everything" },
	{ "strata serve --link tap:tap0 --address 192.0.2.2/24 --for 30 -q site && echo fine",
		"in a script: half a minute, then exit code 0" },
	{ NULL, NULL },
};

struct serving {
	const struct arguments *arguments;
	struct session session;
	struct directory folder;
	struct http_server *server;
	struct http_server_config config;
	bool json;
	nanodiff time;        /* to serve; 0: until a signal */
	unsigned signals;     /* that ended the serving: 0 or 1 */
	uint64_t connections; /* what was asked for */
	struct app flusher;
	nanotime flush_at; /* lines of the log wait since a while; NANOTIME_NEVER: none does */
};

/* ---- the log ---- */

/* "2026-01-01T00:00:01.250Z" */
static void time_text(int64_t epoch, char *out, size_t cap)
{
	time_t seconds = (time_t)(epoch / NANO_S);
	struct tm tm;
	char text[32];
	gmtime_r(&seconds, &tm);
	strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(out, cap, "%s.%03dZ", text, (int)(epoch % NANO_S / NANO_MS));
}

static void log_line(const struct http_access *a, const char *when, const char *peer)
{
	printf("%s %s ", when, peer);
	if (a->method.len)
		printf("%.*s %.*s ", (int)a->method.len, (const char *)a->method.at,
			(int)a->target.len, (const char *)a->target.at);
	else
		fputs("- - ", stdout);
	printf("%u %" PRIu64 " %.3fms", a->status, a->bytes, (double)a->duration / 1e6);
	printf(*a->reason ? " (%s)\n" : "\n", a->reason);
}

static void log_json(const struct http_access *a, const char *when, const char *peer)
{
	struct json j;
	json_begin_line(&j, stdout, "strata.access/1");
	json_string(&j, "time", when);
	json_string(&j, "peer", peer);
	json_unsigned(&j, "port", a->peer.port);
	json_span(&j, "method", a->method);
	json_span(&j, "target", a->target);
	json_unsigned(&j, "status", a->status);
	json_unsigned(&j, "bytes", a->bytes);
	json_signed(&j, "duration_ns", a->duration);
	json_bool(&j, "complete", a->complete);
	json_string(&j, "reason", a->reason);
	json_finish(&j);
}

static void log_access(void *user, const struct http_access *a)
{
	struct serving *v = user;
	char when[40], peer[ADDR_TEXT_MAX];
	time_text(v->config.wall_offset + a->started, when, sizeof when);
	addr_format(&a->peer.address, peer);
	if (v->json)
		log_json(a, when, peer);
	else
		log_line(a, when, peer);
	if (v->flush_at == NANOTIME_NEVER)
		v->flush_at = site_now(v->session.site) + LOG_DELAY;
}

/* Many lines are written at once, but none waits for long. */
static void flush_log(struct app *a, struct stack *s, nanotime now)
{
	struct serving *v = list_entry(a, struct serving, flusher);
	(void)s;
	if (now < v->flush_at)
		return;
	fflush(stdout);
	v->flush_at = NANOTIME_NEVER;
}

static nanotime flush_deadline(const struct app *a)
{
	return list_entry(a, const struct serving, flusher)->flush_at;
}

/* ---- options ---- */

static bool read_options(struct serving *v)
{
	const struct arguments *a = v->arguments;
	struct http_server_config *c = &v->config;
	uint64_t port = 80, hosts = 256, requests = 0;
	const char *link = given_value(a, "link", NULL);
	http_server_config_default(c);
	v->connections = 1024;
	if (!link || strncmp(link, "tap:", 4) != 0) {
		complain(a->command, VERDICT_USAGE,
			"%s%s: nobody would visit: name a network device by --link tap:NAME",
			link ? "--link " : "no --link", link ? link : "");
		return false;
	}
	if (!given_number(a, "port", 1, 65535, &port) ||
		!given_number(a, "max-connections", 1, 1000000, &v->connections) ||
		!given_number(a, "max-per-host", 1, 1000000, &hosts) ||
		!given_number(a, "max-requests", 1, UINT32_MAX, &requests) ||
		!given_time(a, "idle-timeout", &c->idle_timeout) || !given_time(a, "for", &v->time))
		return false;
	if (given(a, "for") && v->time == 0) {
		complain(a->command, VERDICT_USAGE,
			"--for 0: too short: leave it out, to serve until a signal comes");
		return false;
	}
	c->port = (uint16_t)port;
	c->index = given_value(a, "index", c->index);
	c->connections = (uint32_t)v->connections;
	c->per_host = (uint32_t)hosts;
	c->requests_max = (uint32_t)requests;
	c->name = "Strata";
	c->content = &folder_content;
	c->content_user = &v->folder;
	c->log = given(a, "quiet") ? NULL : log_access;
	c->log_user = v;
	const char *broken = http_server_config_check(c);
	if (broken)
		complain(a->command, VERDICT_USAGE, "%s", broken);
	return !broken;
}

static bool open_folder(struct serving *v, enum verdict *verdict)
{
	char why[320];
	enum error e = directory_open(&v->folder, v->arguments->operand[0], why, sizeof why);
	if (e)
		*verdict = complain(v->arguments->command, VERDICT_ENVIRONMENT, "%s", why);
	return !e;
}

/* ---- serving ---- */

static bool interrupted(void *user)
{
	(void)user;
	return interrupt_count() > 0;
}

static bool stopped(void *user)
{
	const struct serving *v = user;
	return http_server_counters(v->server)->connections == 0 || interrupt_count() > v->signals;
}

static void announce(const struct serving *v)
{
	const struct netif *nif = site_netif(v->session.site);
	for (unsigned i = 0; i < nif->addresses; i++) {
		char text[ADDR_TEXT_MAX];
		const struct addr *a = &nif->address[i].address;
		if (addr_is_linklocal(a))
			continue;
		addr_format(a, text);
		fprintf(stderr,
			addr_is4(a) ? "serving %s at http://%s" : "serving %s at http://[%s]",
			v->arguments->operand[0], text);
		fprintf(stderr, v->config.port == 80 ? "/\n" : ":%u/\n", v->config.port);
	}
}

static void summarise(const struct serving *v, nanodiff time)
{
	const struct http_server_counters *c = http_server_counters(v->server);
	char bytes[32];
	output_bytes(bytes, sizeof bytes, c->body_bytes);
	fprintf(stderr,
		"served %" PRIu64 " requests (%" PRIu64 " fine, %" PRIu64 " refused, %" PRIu64
		" failed) with %s on %" PRIu64 " connections in %.1f s\n",
		c->requests, c->status[2] + c->status[3], c->status[4], c->status[5], bytes,
		c->accepted, (double)time / 1e9);
}

static bool create(struct serving *v, enum verdict *verdict)
{
	struct stack *s = site_use(v->session.site);
	struct arena arena = { .at = NULL };
	const char *why = NULL;
	v->config.wall_offset = site_wall(v->session.site);
	memcpy(v->config.secret, v->session.site->secret, sizeof v->config.secret);
	http_server_create(&v->config, s, &arena, &why);
	arena = session_arena(&v->session, arena.used);
	v->server = http_server_create(&v->config, s, &arena, &why);
	if (!v->server)
		*verdict = complain(v->arguments->command, VERDICT_ENVIRONMENT, "port %u: %s",
			v->config.port, why);
	return v->server != NULL;
}

static enum verdict serve(struct serving *v)
{
	struct site *site = v->session.site;
	enum verdict verdict;
	if (!create(v, &verdict))
		return verdict;
	interrupt_begin(&v->session);
	site_add_app(site, http_server_app(v->server));
	v->flusher = (struct app){ .run = flush_log, .deadline = flush_deadline };
	v->flush_at = NANOTIME_NEVER;
	site_add_app(site, &v->flusher);
	site_flush(site);
	nanotime started = site_now(site);
	announce(v);
	nanotime end = v->time ? started + v->time : NANOTIME_NEVER;
	bool good = session_run(&v->session, end, interrupted, v);
	v->signals = interrupt_count() > 0;
	http_server_stop(v->server, site_use(site), site_now(site));
	site_flush(site);
	if (good)
		site_run(site, site_now(site) + FAREWELL, stopped, v);
	interrupt_end();
	fflush(stdout);
	summarise(v, site_now(site) - started);
	return good ? VERDICT_FINE : VERDICT_ENVIRONMENT;
}

static enum verdict run(const struct arguments *a)
{
	struct serving v = { .arguments = a, .json = given(a, "json-lines") };
	struct stack_config config;
	enum verdict verdict = VERDICT_USAGE;
	if (!read_options(&v) || !open_folder(&v, &verdict))
		return verdict;
	stack_config_default(&config);
	session_connections(&config, (uint32_t)v.connections + 64);
	if (session_open(&v.session, a, &(struct session_wants){ .config = &config }, &verdict))
		verdict = session_close(&v.session, serve(&v));
	directory_close(&v.folder);
	return verdict;
}

extern const struct command command_serve;
const struct command command_serve = {
	.name = "serve",
	.line = "serve a folder over HTTP",
	.operands = "DIR",
	.about = "Answers GET and HEAD with the files below DIR, and with nothing outside of it. "
		 "Ends at Ctrl-C or SIGTERM, or when the time of --for is over, as soon as what is "
		 "being sent has been sent; at once at the second signal.",
	.exits = "0: stopped by a signal, or --for is over. 2: options. 4: no permission, no such "
		 "device or folder.",
	.purpose = PURPOSE_TALK,
	.operands_min = 1,
	.operands_max = 1,
	.groups = groups,
	.examples = examples,
	.run = run,
};
