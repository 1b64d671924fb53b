/*
 * Scripts of any bytes at all: what the parser takes is walked whole, packets
 * become datagrams that are taken apart again, code and shell lines are run, and
 * what parses once parses the same way again.
 */
#include <stdlib.h>

#include "drill/drill_code.h"
#include "drill/drill_shell.h"
#include "drill/drill_wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool lookup(void *context, struct span name, int64_t *value)
{
	(void)context;
	*value = (int64_t)name.len;
	return name.len > 0 && name.at[0] == 't';
}

static void on_set(void *context, const char *name, const char *value)
{
	size_t *bytes = context;
	*bytes += strlen(name) + strlen(value);
}

static void on_ignored(void *context, const char *line)
{
	size_t *bytes = context;
	*bytes += strlen(line);
}

static void try_packet(const struct drill_packet *p, bool ip6)
{
	static uint8_t datagram[DRILL_DATAGRAM];
	struct drill_flow f = {
		.local_port = 1, .remote_port = 2, .local_isn = 3, .remote_isn = 4
	};
	struct drill_ends ends = { .local = { .b = { [15] = 1 } },
		.remote = { .b = { [15] = 2 } } };
	struct drill_match m = { .lenient = true, .tick_us = 1000 };
	struct drill_seen s;
	char text[300];
	if (!ip6)
		for (unsigned i = 10; i < 12; i++)
			ends.local.b[i] = ends.remote.b[i] = 0xff;
	drill_describe_packet(p, text, sizeof text);
	size_t len = drill_build(p, &f, &ends, true, 1000, datagram, sizeof datagram);
	if (!len)
		return;
	drill_take_apart(span_of(datagram, len), 1, &s);
	drill_describe_seen(&s, &f, text, sizeof text);
	assert(strlen(text) < sizeof text);
	drill_compare(p, &s, &f, &m, true, text, sizeof text);
	drill_learn(&f, p, &s);
}

static unsigned try_script(struct span text, bool ip6)
{
	struct drill_names names = { .ip6 = ip6 };
	struct drill_script script;
	struct drill_problem p;
	size_t memory = text.len * DRILL_ARENA_FACTOR + DRILL_ARENA_LEAST, bytes = 0;
	struct arena arena = { .at = malloc(memory), .size = memory };
	struct drill_shell shell = { &bytes, on_set, NULL, on_ignored };
	struct drill_code code = { .ip6 = ip6, .arena = &arena, .lookup = lookup };
	unsigned events = 0;
	bool read = drill_parse(text, &names, &arena, &script, &p);
	assert(read == (p.text[0] == '\0'));
	for (const struct drill_event *e = script.first; read && e; e = e->next, events++) {
		if (e->kind == DRILL_PACKET)
			try_packet(&e->packet, ip6);
		else if (e->kind == DRILL_SHELL)
			drill_shell_read(&shell, e->text);
		else if (e->kind == DRILL_CODE)
			drill_code_run(&code, e->text, e->line, &p);
	}
	assert(!read || events == script.events);
	free(arena.at);
	return read ? events : p.line;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span text = span_of(data, size);
	unsigned events = try_script(text, false);
	assert(try_script(text, false) == events);
	try_script(text, true);
	return 0;
}
