/*
 * What a run stands on: its memory, the option lines of the script, the host
 * with its two addresses, and the settings that hold before the first event.
 */
#include "drill/drill_run.h"

#include <stdio.h>
#include <stdlib.h>

#define TOLERANCE (10 * NANO_MS)
#define MTU       1500
/* Scripts for other stacks are run over IPv6 with a larger MTU, so that their MSS fits. */
#define MTU_SWAPPED 1520

static void apply(struct drill_run *r, const char *name, const char *value)
{
	if (posix_sysctl(r->host.posix, name, value) == 0)
		return;
	if (r->report->ignored++ == 0)
		snprintf(r->report->ignored_first, sizeof r->report->ignored_first, "%.60s=%.60s",
			name, value);
}

static void on_set(void *context, const char *name, const char *value)
{
	apply(context, name, value);
}

static void on_profile_end(void *context)
{
	struct drill_run *r = context;
	for (unsigned i = 0; i < r->options->sets; i++) {
		char name[DRILL_WORD_MAX], value[DRILL_WORD_MAX];
		const struct drill_setting *s = &r->options->set[i];
		snprintf(name, sizeof name, "%.*s", (int)s->name.len, (const char *)s->name.at);
		snprintf(value, sizeof value, "%.*s", (int)s->value.len, (const char *)s->value.at);
		apply(r, name, value);
	}
}

static void on_ignored(void *context, const char *line)
{
	struct drill_run *r = context;
	if (r->report->ignored++ == 0)
		snprintf(r->report->ignored_first, sizeof r->report->ignored_first, "%s", line);
}

static bool on_name(void *context, struct span name, int64_t *value)
{
	struct drill_run *r = context;
	struct linux_tcp_info info;
	uint32_t len = sizeof info;
	uint32_t memory[LINUX_SK_MEMINFO_VARS] = { 0 };
	uint64_t v;
	int fd = r->host.current >= 0 ? drill_live(&r->host, r->host.current) : -1;
	memset(&info, 0, sizeof info);
	posix_getsockopt(r->host.posix, fd, LINUX_SOL_TCP, LINUX_TCP_INFO, &info, &len);
	len = sizeof memory;
	posix_getsockopt(r->host.posix, fd, LINUX_SOL_SOCKET, LINUX_SO_MEMINFO, memory, &len);
	if (!linux_tcp_info_value(&info, (const char *)name.at, name.len, &v) &&
		!linux_meminfo_value(memory, (const char *)name.at, name.len, &v))
		return false;
	*value = (int64_t)v;
	return true;
}

static void on_say(void *context, const char *line)
{
	struct drill_run *r = context;
	if (r->options->say)
		r->options->say(r->options->context, line);
}

static const struct drill_setting *option(const struct drill_run *r, const char *name)
{
	for (unsigned i = r->script.settings; i-- > 0;)
		if (drill_is(r->script.setting[i].name, name))
			return &r->script.setting[i];
	return NULL;
}

static bool option_number(
	struct drill_run *r, const char *name, uint64_t least, uint64_t most, uint64_t *value)
{
	const struct drill_setting *s = option(r, name);
	char text[32], *end;
	if (!s)
		return true;
	snprintf(text, sizeof text, "%.*s", (int)s->value.len, (const char *)s->value.at);
	uint64_t v = strtoull(text, &end, 0);
	if (end == text || *end || v < least || v > most)
		return drill_problem_at(r, s->line,
			"--%s=%s: a number from %llu to %llu belongs "
			"there",
			name, text, (unsigned long long)least, (unsigned long long)most);
	*value = v;
	return true;
}

static bool option_address(struct drill_run *r, const char *name, struct addr *a)
{
	const struct drill_setting *s = option(r, name);
	if (!s || (addr_parse(s->value, a) && addr_is4(a) == !r->host.ip6))
		return true;
	return drill_problem_at(r, s->line, "--%s=%.*s: no IPv%c address", name, (int)s->value.len,
		(const char *)s->value.at, r->host.ip6 ? '6' : '4');
}

static bool read_family(struct drill_run *r)
{
	const struct drill_setting *s = option(r, "ip_version");
	r->host.ip6 = r->options->ip6;
	r->mtu = r->host.ip6 && r->options->swapped ? MTU_SWAPPED : MTU;
	if (!s) {
		/* An address that the script names tells its family as well. */
		const struct drill_setting *a = option(r, "local_ip");
		if (!a)
			a = option(r, "remote_ip");
		if (a)
			r->host.ip6 = memchr(a->value.at, ':', a->value.len) != NULL;
		return true;
	}
	r->mtu = MTU;
	r->host.ip6 = drill_is(s->value, "ipv6");
	r->host.mapped = drill_is(s->value, "ipv4-mapped-ipv6");
	if (r->host.ip6 || r->host.mapped || drill_is(s->value, "ipv4"))
		return true;
	return drill_problem_at(r, s->line,
		"--ip_version=%.*s: ipv4, ipv4-mapped-ipv6 and ipv6 are known here",
		(int)s->value.len, (const char *)s->value.at);
}

static bool read_options(struct drill_run *r)
{
	static const char *const known[] = { "ip_version", "mtu", "tolerance_usecs", "local_ip",
		"remote_ip", "tcp_ts_tick_usecs", "tcp_ts_ecr_scaled", "strict_segments", "mss",
		"bind_port", "connect_port", "gateway_ip", "netmask_ip", "speed", "verbose",
		"non_fatal", "dry_run", "init_scripts", "define", "wire_client", "wire_server",
		"persistent_tun_dev", "send_omit_free", "is_anyip", "tolerance_percent", "debug",
		"code_command", "code_format", "code_sockopt" };
	for (unsigned i = 0; i < r->script.settings; i++) {
		const struct drill_setting *s = &r->script.setting[i];
		unsigned at = 0, count = sizeof known / sizeof known[0];
		while (at < count && !drill_is(s->name, known[at]))
			at++;
		if (at == count)
			return drill_problem_at(r, s->line, "--%.*s: no such option",
				(int)s->name.len, (const char *)s->name.at);
	}
	uint64_t mtu = r->mtu, tick = 0, tolerance = TOLERANCE / NANO_US;
	if (r->options->tolerance)
		tolerance = (uint64_t)(r->options->tolerance / NANO_US);
	if (!option_number(r, "mtu", 576, 65535, &mtu) ||
		!option_number(r, "tcp_ts_tick_usecs", 0, 1000000, &tick) ||
		!option_number(r, "tolerance_usecs", 0, 60000000, &tolerance))
		return false;
	r->mtu = (uint32_t)mtu;
	r->match.tick_us = (int64_t)tick;
	r->match.tolerance = (int64_t)tolerance * NANO_US;
	r->match.lenient = r->options->lenient;
	r->match.segments = option(r, "strict_segments") != NULL;
	r->scaled_ecr = option(r, "tcp_ts_ecr_scaled") != NULL;
	r->host.tolerance = r->match.tolerance;
	const char *local = r->host.ip6 ? "fd3d:fa7b:d17d::1" : "192.168.0.1";
	const char *remote = r->host.ip6 ? "2001:db8::1" : "192.0.2.1";
	addr_parse(span_of(local, strlen(local)), &r->host.local);
	addr_parse(span_of(remote, strlen(remote)), &r->host.remote);
	return option_address(r, "local_ip", &r->host.local) &&
		option_address(r, "remote_ip", &r->host.remote);
}

static bool make_host(struct drill_run *r)
{
	struct posix_config c;
	const char *why = "no memory";
	posix_config_default(&c);
	c.local4 = r->host.ip6 ? ADDR_ANY : r->host.local;
	c.local6 = r->host.ip6 ? r->host.local : ADDR_ANY;
	c.prefix4 = 16;
	c.prefix6 = 64;
	c.mtu = (uint16_t)r->mtu;
	for (unsigned i = 0; i < sizeof c.secret; i++)
		c.secret[i] = (uint8_t)(i * 37 + 11);
	size_t size = posix_memory(&c);
	r->posix_memory = aligned_alloc(64, (size + 63) & ~(size_t)63);
	r->host.zeroes = calloc(1, DRILL_BUFFER);
	r->host.scratch = malloc(DRILL_BUFFER);
	r->queue = malloc(sizeof *r->queue * DRILL_QUEUE);
	r->datagram = malloc(DRILL_DATAGRAM);
	if (!r->posix_memory || !r->host.zeroes || !r->host.scratch || !r->queue || !r->datagram) {
		r->report->outcome = DRILL_NO_MEMORY;
		return drill_problem_at(r, 0, "no memory for a host");
	}
	memset(r->host.descriptor, -1, sizeof r->host.descriptor);
	r->host.current = -1;
	r->host.posix = posix_create(&c, r->posix_memory, size, &why);
	if (!r->host.posix)
		return drill_problem_at(r, 0, "no host can be made: %s", why);
	r->host.start = posix_now(r->host.posix);
	return true;
}

bool drill_set_up(struct drill_run *r, struct span text)
{
	struct drill_problem *p = &r->report->problem;
	if (!drill_parse_settings(text, &r->script, p) || !read_family(r))
		return false;
	size_t size = text.len < DRILL_SCRIPT_MAX ? text.len : 0;
	size = size * DRILL_ARENA_FACTOR + DRILL_ARENA_LEAST;
	r->arena_memory = malloc(size);
	r->arena = (struct arena){ .at = r->arena_memory, .size = size };
	if (!r->arena_memory) {
		r->report->outcome = DRILL_NO_MEMORY;
		return drill_problem_at(r, 0, "no memory for the script");
	}
	struct drill_names names = {
		.ip6 = r->host.ip6, .define = r->options->define, .defines = r->options->defines
	};
	if (!drill_parse(text, &names, &r->arena, &r->script, p))
		return false;
	r->report->events = r->script.events;
	if (!read_options(r) || !make_host(r))
		return false;
	r->code = (struct drill_code){ .ip6 = r->host.ip6,
		.arena = &r->arena,
		.lookup = on_name,
		.context = r,
		.say = on_say };
	r->shell = (struct drill_shell){ r, on_set, on_profile_end, on_ignored };
	drill_shell_profile(&r->shell);
	/* Without a set-up file the receive buffer is the one of older kernels: a scale of 6. */
	apply(r, "net.ipv4.tcp_rmem", "4096 540000 3145728");
	on_profile_end(r);
	return true;
}

void drill_tear_down(struct drill_run *r)
{
	free(r->posix_memory);
	free(r->host.zeroes);
	free(r->host.scratch);
	free(r->queue);
	free(r->datagram);
	free(r->arena_memory);
	free(r);
}
