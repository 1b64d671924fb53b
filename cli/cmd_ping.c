/*
 * strata ping: is a host there, and how far? Prints what ping(8) prints; a
 * router that refuses a request is quoted. On a lab the times are virtual, and
 * right to the nanosecond.
 */
#include <stdlib.h>
#include <string.h>

#include "application/ping/ping.h"
#include "cli/interrupt.h"
#include "cli/json.h"
#include "cli/name.h"
#include "cli/paint.h"

static const char *const fragment_choices[] = { "do", "dont", NULL };

static const struct option_info options[] = {
	{ .name = "count",
		.letter = 'c',
		.kind = OPTION_WORD,
		.argument = "N",
		.text = "send so many requests (default: 4); 0: until interrupted" },
	{ .name = "size",
		.letter = 's',
		.kind = OPTION_WORD,
		.argument = "BYTES",
		.text = "bytes of each request behind the ICMP header (default: 56)" },
	{ .name = "mtu-discovery",
		.letter = 'M',
		.kind = OPTION_CHOICE,
		.argument = "HOW",
		.choices = fragment_choices,
		.text = "do: routers must not cut a request up, but say if it is too big (IPv4's "
			"don't-fragment flag); dont: they may (default)" },
	{ .name = "interval",
		.letter = 'i',
		.kind = OPTION_WORD,
		.argument = "TIME",
		.text = "time between requests (default: 1s)" },
	{ .name = "timeout",
		.letter = 'W',
		.kind = OPTION_WORD,
		.argument = "TIME",
		.text = "an answer later than this counts as lost (default: 2s)" },
	{ .name = "ttl",
		.letter = 't',
		.kind = OPTION_WORD,
		.argument = "N",
		.text = "routers that a request may pass (default: 64)" },
	{ .name = "ipv4", .letter = '4', .text = "use IPv4 only" },
	{ .name = "ipv6", .letter = '6', .text = "use IPv6 only" },
	{ .name = "json", .text = "print one JSON object at the end instead" },
	{ .name = NULL },
};

static const struct option_group own = { "Requests", options };
static const struct option_group *const groups[] = { &own, &option_group_link, &option_group_lab,
	&option_group_general, NULL };

static const struct example examples[] = {
	{ "strata ping www.example.test", "a server of the simulated network lab:home" },
	{ "strata ping -M do -s 1472 192.0.2.80",
		"the largest IPv4 packet that a 1500-byte link takes whole: 1472 + 8 + 20" },
	{ "strata ping --link tap:tap0 --address 192.0.2.2/24 192.0.2.1",
		"this machine's own end of a network device" },
	{ NULL, NULL },
};

struct pinging {
	const struct arguments *arguments;
	struct session session;
	struct ping *ping;
	struct ping_config config;
	struct json json;
	bool as_json;
	bool stuck; /* a request does not even leave: nor would the next */
};

/* ": the path's MTU is 1400, '-s 1372' fits", behind what happened. */
static void print_mtu(const struct pinging *p, const char *whose, uint32_t mtu)
{
	uint32_t fits = ping_body_within(&p->config.destination, mtu);
	printf(": the %s's MTU is %u", whose, mtu);
	if (fits)
		printf(", '-s %u' fits", fits);
	putchar('\n');
}

/* A request that is larger than our own link takes: no later one gets further. */
static void print_stuck(const struct pinging *p, const struct ping_event *e)
{
	const struct addr *to = &p->config.destination;
	uint32_t headers = ICMP_HEADER + (addr_is4(to) ? IP4_HEADER : IP6_HEADER);
	printf("icmp_seq=%u could not be sent: %u bytes with its headers are too big%s",
		e->sequence, p->config.size + headers,
		p->config.dont_fragment ? "" : " (no fragments yet)");
	print_mtu(p, "link", e->mtu);
}

static void put_event(struct json *j, const struct pinging *p, const struct ping_event *e)
{
	static const char *const kinds[] = { "reply", "duplicate", "wrong_data", "error", "lost",
		"send_failed" };
	json_object(j, NULL);
	json_string(j, "kind", kinds[e->kind]);
	json_unsigned(j, "sequence", e->sequence);
	if (e->kind <= PING_WRONG_DATA) {
		json_signed(j, "round_trip_ns", e->rtt);
		json_unsigned(j, "bytes", e->bytes);
		json_unsigned(j, "hop_limit", e->hop_limit);
	}
	if (e->kind <= PING_ERROR)
		json_addr(j, "from", &e->from);
	if (e->kind == PING_ERROR) {
		json_unsigned(j, "icmp_type", e->icmp_type);
		json_unsigned(j, "icmp_code", e->icmp_code);
		json_string(j, "icmp", e->icmp_text);
	}
	if (e->kind == PING_SEND_FAILED)
		json_string(j, "error", error_text(e->error));
	if (e->mtu) {
		json_unsigned(j, "mtu", e->mtu);
		json_unsigned(j, "fitting_size", ping_body_within(&p->config.destination, e->mtu));
	}
	json_close(j);
}

static void print_answer(const struct ping_event *e, const char *from)
{
	printf("%zu bytes from %s: icmp_seq=%u ttl=%u time=%.3f ms%s\n", e->bytes + ICMP_HEADER,
		from, e->sequence, e->hop_limit, (double)e->rtt / 1e6,
		e->kind == PING_DUPLICATE            ? " (DUP!)"
			: e->kind == PING_WRONG_DATA ? " (wrong data!)"
						     : "");
	if (e->kind == PING_WRONG_DATA)
		printf("wrong data: byte %zu is not what was sent\n", e->offset);
}

static void report(void *user, const struct ping_event *e)
{
	struct pinging *p = user;
	char from[ADDR_TEXT_MAX];
	addr_format(&e->from, from);
	p->stuck |= e->kind == PING_SEND_FAILED && e->mtu;
	if (p->as_json) {
		put_event(&p->json, p, e);
		return;
	}
	switch (e->kind) {
	case PING_REPLY:
	case PING_DUPLICATE:
	case PING_WRONG_DATA: print_answer(e, from); break;
	case PING_ERROR:
		printf("From %s: icmp_seq=%u %s", from, e->sequence, e->icmp_text);
		if (e->mtu)
			print_mtu(p, "path", e->mtu);
		else
			putchar('\n');
		break;
	case PING_LOST: printf("no answer yet for icmp_seq=%u\n", e->sequence); break;
	case PING_SEND_FAILED:
		if (e->mtu) {
			print_stuck(p, e);
			break;
		}
		printf("icmp_seq=%u could not be sent: %s\n", e->sequence, error_text(e->error));
		break;
	}
	fflush(stdout);
}

static bool read_options(struct pinging *p)
{
	const struct arguments *a = p->arguments;
	struct ping_config *c = &p->config;
	uint64_t count = 4, size = 56, hops = 64;
	ping_config_default(c);
	if (!given_number(a, "count", 0, UINT32_MAX, &count) ||
		!given_number(a, "size", 0, PING_BODY_MAX, &size) ||
		!given_number(a, "ttl", 1, 255, &hops) ||
		!given_time(a, "interval", &c->interval) || !given_time(a, "timeout", &c->timeout))
		return false;
	c->count = (uint32_t)count;
	c->size = (uint32_t)size;
	c->hop_limit = (uint8_t)hops;
	c->dont_fragment = strcmp(given_value(a, "mtu-discovery", "dont"), "do") == 0;
	c->report = report;
	c->user = p;
	c->destination.b[15] = 1; /* any: it is looked up later */
	if (c->interval < NANO_MS)
		complain(a->command, VERDICT_USAGE, "--interval %s: too short: 1ms at least",
			given_value(a, "interval", ""));
	else if (ping_config_check(c))
		complain(a->command, VERDICT_USAGE,
			"--timeout %s: must be more than 0, and less than %d times the interval",
			given_value(a, "timeout", "2s"), PING_WINDOW);
	else
		return true;
	return false;
}

static bool over(void *user)
{
	const struct pinging *p = user;
	return ping_done(p->ping) || p->stuck || interrupt_count() > 0;
}

static void print_statistics(const struct pinging *p, const struct ping_statistics *s)
{
	printf("\n--- %s ping statistics ---\n", p->arguments->operand[0]);
	printf("%llu packets transmitted, %llu received", (unsigned long long)s->sent,
		(unsigned long long)s->received);
	if (s->duplicates)
		printf(", +%llu duplicates", (unsigned long long)s->duplicates);
	if (s->errors)
		printf(", +%llu errors", (unsigned long long)s->errors);
	if (s->wrong)
		printf(", +%llu with wrong data", (unsigned long long)s->wrong);
	if (s->send_failed)
		printf(", %llu could not be sent", (unsigned long long)s->send_failed);
	if (!s->sent) {
		putchar('\n');
		return;
	}
	if (s->waiting)
		printf(", %llu not waited for", (unsigned long long)s->waiting);
	uint64_t known = s->sent - s->waiting;
	double lost = known ? 100.0 * (double)(known - s->received) / (double)known : 0;
	printf(", %.4g%% packet loss, time %.0f ms\n", lost, (double)(s->ended - s->started) / 1e6);
	if (s->received)
		printf("rtt min/avg/max/mdev = %.3f/%.3f/%.3f/%.3f ms\n", (double)s->min / 1e6,
			(double)s->avg / 1e6, (double)s->max / 1e6, (double)s->mdev / 1e6);
}

/* The object where no request could be sent; `address` NULL: not even that was found. */
static void put_problem(
	struct pinging *p, const struct addr *address, const char *why, enum verdict v)
{
	json_begin(&p->json, stdout, "strata.ping/1");
	json_string(&p->json, "host", p->arguments->operand[0]);
	if (address)
		json_addr(&p->json, "address", address);
	else
		json_null(&p->json, "address");
	json_string(&p->json, "link", p->session.link);
	json_string(&p->json, "problem", why);
	json_unsigned(&p->json, "exit_code", v);
	json_finish(&p->json);
}

static void put_statistics(struct pinging *p, const struct ping_statistics *s, enum verdict v)
{
	struct json *j = &p->json;
	json_close(j);
	json_object(j, "statistics");
	json_unsigned(j, "sent", s->sent);
	json_unsigned(j, "received", s->received);
	json_unsigned(j, "duplicates", s->duplicates);
	json_unsigned(j, "wrong_data", s->wrong);
	json_unsigned(j, "errors", s->errors);
	json_unsigned(j, "lost", s->lost);
	json_unsigned(j, "waiting", s->waiting);
	json_unsigned(j, "send_failed", s->send_failed);
	json_signed(j, "min_ns", s->min);
	json_signed(j, "avg_ns", s->avg);
	json_signed(j, "max_ns", s->max);
	json_signed(j, "mdev_ns", s->mdev);
	json_signed(j, "duration_ns", s->ended - s->started);
	json_close(j);
	json_unsigned(j, "exit_code", v);
	json_finish(j);
}

static void begin_output(struct pinging *p)
{
	const char *host = p->arguments->operand[0];
	const char *link = p->session.link;
	char address[ADDR_TEXT_MAX];
	addr_format(&p->config.destination, address);
	if (!p->as_json) {
		printf("PING %s (%s) with %u bytes of data, over %s\n", host, address,
			p->config.size, link);
		return;
	}
	json_begin(&p->json, stdout, "strata.ping/1");
	json_string(&p->json, "host", host);
	json_string(&p->json, "address", address);
	json_string(&p->json, "link", link);
	json_unsigned(&p->json, "size", p->config.size);
	json_bool(&p->json, "dont_fragment", p->config.dont_fragment);
	json_array(&p->json, "answers");
}

static bool has_family(const struct netif *nif, const struct addr *like)
{
	for (unsigned i = 0; i < nif->addresses; i++)
		if (addr_is4(&nif->address[i].address) == addr_is4(like))
			return true;
	return false;
}

/* What no request could get over: told, and false. */
static bool is_reachable(struct pinging *p, enum verdict *v)
{
	const struct addr *to = &p->config.destination;
	struct internet *in = stack_internet(p->session.site->stack);
	const char *why = NULL;
	struct addr source;
	*v = VERDICT_PROBLEM;
	if (addr_is_any(to) || addr_is_multicast(to)) {
		*v = VERDICT_USAGE;
		why = "no address of one machine: name a single one";
	} else if (addr_is_loopback(to) || internet_is_ours(in, to)) {
		why = "this is our own address, and there is no loopback: ask another machine";
	} else if (internet_source(in, to, &source) == ERR_OK) {
		return true;
	} else if (has_family(site_netif(p->session.site), to)) {
		why = "no route to the destination: name a router that leads there, by --gateway";
	} else {
		why = addr_is4(to) ? "we have no IPv4 address: give one, by --address"
				   : "we have no IPv6 address: give one, by --address";
	}
	complain(p->arguments->command, *v, "%s: %s", p->arguments->operand[0], why);
	if (p->as_json)
		put_problem(p, to, why, *v);
	return false;
}

static enum verdict send_requests(struct pinging *p)
{
	struct stack *s = p->session.site->stack;
	struct arena arena = { .at = NULL };
	const char *why = NULL;
	ping_create(&p->config, s, &arena, &why);
	arena = session_arena(&p->session, arena.used);
	begin_output(p);
	site_use(p->session.site);
	p->ping = ping_create(&p->config, s, &arena, &why);
	assert(p->ping && "the config was checked");
	interrupt_begin(&p->session);
	site_add_app(p->session.site, ping_app(p->ping));
	site_flush(p->session.site);
	bool good = session_run(&p->session, NANOTIME_NEVER, over, p);
	interrupt_end();
	ping_stop(p->ping, stack_time(site_use(p->session.site)));
	const struct ping_statistics sums = ping_statistics(p->ping);
	enum verdict v = !good  ? VERDICT_ENVIRONMENT
		: sums.received ? VERDICT_FINE
				: VERDICT_PROBLEM;
	if (p->as_json)
		put_statistics(p, &sums, v);
	else
		print_statistics(p, &sums);
	return v;
}

static enum verdict run(const struct arguments *a)
{
	struct pinging p = { .arguments = a, .as_json = given(a, "json") };
	enum verdict v = VERDICT_USAGE;
	if (!read_options(&p) || !session_open(&p.session, a, &(struct session_wants){ 0 }, &v))
		return v;
	char why[NAME_WHY];
	if (name_address(&p.session, a, a->operand[0], &p.config.destination, &v, why))
		v = is_reachable(&p, &v) ? send_requests(&p) : v;
	else if (p.as_json)
		put_problem(&p, NULL, why, v);
	return session_close(&p.session, v);
}

extern const struct command command_ping;
const struct command command_ping = {
	.name = "ping",
	.line = "ask a host whether it is there, and how far away",
	.operands = "HOST",
	.about = "Sends ICMP echo requests and prints the answers, and what routers say about "
		 "requests that they could not pass on.",
	.exits = "0: at least one answer came. 1: none did, or there is no such host. 3: no name "
		 "server answered.",
	.purpose = PURPOSE_TALK,
	.operands_min = 1,
	.operands_max = 1,
	.groups = groups,
	.examples = examples,
	.run = run,
};
