/*
 * The options about a lab become words of the link ("lab:home?delay=300ms"), so
 * that one reader understands both ways of writing them.
 */
#include "cli/session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LINK_MAX 512

static const char *const lab_words[] = { "seed", "delay", "rate", "loss" };

enum verdict verdict_of_error(enum error e)
{
	switch (e) {
	case ERR_OK: return VERDICT_FINE;
	case ERR_ARGUMENT:
	case ERR_NOT_FOUND:
	case ERR_NO_ROUTE:
	case ERR_FAMILY: return VERDICT_USAGE;
	default: return VERDICT_ENVIRONMENT;
	}
}

/* The link with the options about labs behind it. False: told. */
static bool make_link(struct session *s, const struct arguments *a)
{
	const char *link = given_value(a, "link", SESSION_LINK);
	char *out = session_memory(s, LINK_MAX);
	int n = snprintf(out, LINK_MAX, "%s", link);
	for (unsigned i = 0; i < sizeof lab_words / sizeof *lab_words; i++) {
		const char *value = takes(s->command, lab_words[i])
			? given_value(a, lab_words[i], NULL)
			: NULL;
		if (!value)
			continue;
		if (strncmp(link, "lab:", 4) != 0) {
			complain(s->command, VERDICT_USAGE,
				"--%s: only a simulated network can be told: leave it out, or use "
				"--link lab:NAME",
				lab_words[i]);
			return false;
		}
		n += snprintf(out + n, n < LINK_MAX ? LINK_MAX - (size_t)n : 0, "%c%s=%s",
			strchr(out, '?') ? '&' : '?', lab_words[i], value);
		if (n >= LINK_MAX)
			break;
	}
	s->link = out;
	if (n < LINK_MAX)
		return true;
	complain(s->command, VERDICT_USAGE, "--link: longer than %d bytes", LINK_MAX - 1);
	return false;
}

static bool read_addresses(const struct arguments *a, struct site_options *o)
{
	static const char *const names[] = { "address", "gateway" };
	const char **out[] = { o->address, o->gateway };
	for (unsigned k = 0; k < 2; k++)
		for (unsigned i = 0;; i++) {
			const char *value = given_each(a, names[k], i);
			if (!value)
				break;
			if (i == MACHINE_ADDRESSES) {
				complain(a->command, VERDICT_USAGE, "--%s: %d at most", names[k],
					MACHINE_ADDRESSES);
				return false;
			}
			out[k][i] = value;
		}
	return true;
}

/* A capture to standard output has it for itself: what else is printed goes to standard error. */
static const char *capture_path(struct session *s, const char *path)
{
	if (!path || strcmp(path, "-") != 0)
		return path;
	fflush(stdout);
	int kept = dup(STDOUT_FILENO);
	if (kept < 0 || dup2(STDERR_FILENO, STDOUT_FILENO) < 0)
		return path;
	char *name = session_memory(s, 32);
	snprintf(name, 32, "/dev/fd/%d", kept);
	return name;
}

bool session_open(struct session *s, const struct arguments *a, const struct session_wants *wants,
	enum verdict *verdict)
{
	char why[512] = "";
	enum error e = ERR_OK;
	struct site_options o = {
		.dns = given_value(a, "dns", NULL),
		.lab = { .seed = SESSION_SEED, .page = wants->page },
		.config = wants->config,
	};
	*s = (struct session){ .command = a->command };
	*verdict = VERDICT_USAGE;
	if (!make_link(s, a) || !read_addresses(a, &o)) {
		session_close(s, VERDICT_USAGE);
		return false;
	}
	o.link = s->link;
	o.pcap = capture_path(s, given_value(a, "pcap", NULL));
	s->site = site_open(&o, &e, why, sizeof why);
	if (s->site)
		return true;
	*verdict = complain(s->command, verdict_of_error(e), "%s", why);
	session_close(s, *verdict);
	return false;
}

void *session_memory(struct session *s, size_t size)
{
	void *p = calloc(1, size ? size : 1);
	if (!p || s->pieces == SESSION_PIECES) {
		complain(s->command, VERDICT_ENVIRONMENT, "out of memory");
		exit(VERDICT_ENVIRONMENT);
	}
	s->piece[s->pieces++] = p;
	return p;
}

struct arena session_arena(struct session *s, size_t size)
{
	return (struct arena){ .at = session_memory(s, size), .size = size };
}

struct resolver *session_resolver(struct session *s)
{
	struct resolver_config c;
	const char *why = "out of memory";
	struct arena arena = { .at = NULL };
	if (s->resolver)
		return s->resolver;
	resolver_config_default(&c);
	c.servers = s->site->dns_count;
	memcpy(c.server, s->site->dns, sizeof s->site->dns);
	memcpy(c.secret, s->site->secret, sizeof c.secret);
	resolver_create(&c, s->site->stack, &arena, &why); /* measures */
	arena = session_arena(s, arena.used);
	s->resolver = resolver_create(&c, s->site->stack, &arena, &why);
	assert(s->resolver && "a resolver by the default config");
	return s->resolver;
}

bool session_run(struct session *s, nanotime until, bool (*done)(void *user), void *user)
{
	if (site_run(s->site, until, done, user) != SITE_BROKEN)
		return true;
	complain(s->command, VERDICT_ENVIRONMENT, "%s: %s", s->link, site_why(s->site));
	return false;
}

void session_connections(struct stack_config *c, uint32_t connections)
{
	struct transport_config *t = &c->transport;
	t->connections = connections;
	t->flights = connections < t->flights ? connections : t->flights;
	if (t->sockets < connections + t->listeners + t->datagram_sockets)
		t->sockets = connections + t->listeners + t->datagram_sockets;
}

static bool settled(void *user)
{
	struct session *s = user;
	return sock_unfinished(s->site->stack) == 0;
}

void session_linger(struct session *s, nanodiff limit)
{
	site_run(s->site, site_now(s->site) + limit, settled, s);
}

enum verdict session_close(struct session *s, enum verdict v)
{
	if (s->site && !site_close(s->site) && v == VERDICT_FINE)
		v = complain(s->command, VERDICT_ENVIRONMENT,
			"--pcap: not everything could be written: is the disk full?");
	for (unsigned i = 0; i < s->pieces; i++)
		free(s->piece[i]);
	*s = (struct session){ .command = s->command };
	return v;
}
