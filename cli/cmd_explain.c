/*
 * strata explain: what is in a capture. The file streams through one buffer, so its
 * size does not matter; whatever is in it, every packet gets a line, and a file that
 * breaks off is told at the end.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/packet_view.h"
#include "cli/paint.h"
#include "wire/pcap.h"

#define BUFFER_START (256u * 1024)
#define LINE_TEXT    512

static const struct option_info options[] = {
	{ .name = "verbose",
		.letter = 'v',
		.text = "print every field of every layer with its bytes and its meaning" },
	{ .name = "hex", .letter = 'x', .text = "print the bytes, each in its layer's colour" },
	{ .name = "json-lines", .text = "print one JSON object for each packet" },
	{ .name = "problems", .text = "print only packets in which something is wrong" },
	{ .name = NULL },
};
static const struct option_group own = { "Output", options };
static const struct option_group *const groups[] = { &own, &option_group_general, NULL };

static const struct example examples[] = {
	{ "strata explain capture.pcapng", "one line for each packet" },
	{ "strata explain -v capture.pcapng", "all that each header says, and what it means" },
	{ "tcpdump -w - | strata explain -", "packets as they come" },
	{ "strata explain --json-lines capture.pcap | jq .summary", "for other programs" },
	{ NULL, NULL },
};

struct explaining {
	const struct arguments *arguments;
	bool verbose, hex, json, problems_only;
	nanotime first;
	bool begun;
	uint64_t packets, problems;
};

static void show_comments(const struct capture_packet *p)
{
	for (unsigned i = 0; i < p->comments; i++)
		printf("        %s# %.*s%s\n", paint(stdout, PAINT_FAINT), (int)p->comment[i].len,
			(const char *)p->comment[i].at, paint(stdout, PAINT_PLAIN));
}

static void show_json(const struct explaining *e, const struct capture_reader *r,
	const struct capture_packet *p, const struct dissection *d)
{
	struct json j;
	json_begin_line(&j, stdout, "strata.explain/1");
	json_unsigned(&j, "number", p->number);
	if (p->has_time) {
		json_signed(&j, "time_ns", p->time);
		json_signed(&j, "since_first_ns", p->time - e->first);
	} else {
		json_null(&j, "time_ns");
	}
	if (r->format == CAPTURE_PCAPNG && p->interface < r->interfaces)
		json_span(&j, "interface",
			span_of(r->interface[p->interface].name,
				r->interface[p->interface].name_len));
	json_unsigned(&j, "length", d->len);
	json_unsigned(&j, "captured", d->bytes.len);
	json_array(&j, "comments");
	for (unsigned i = 0; i < p->comments; i++)
		json_span(&j, NULL, p->comment[i]);
	json_close(&j);
	packet_view_json(&j, d);
	json_finish(&j);
}

static void show_packet(
	struct explaining *e, const struct capture_reader *r, const struct capture_packet *p)
{
	struct dissection d;
	dissect(p->bytes, p->original_len, p->link_type, &d);
	if (!e->begun && p->has_time) {
		e->first = p->time;
		e->begun = true;
	}
	e->packets++;
	e->problems += d.problem != DROP_NONE;
	if (e->problems_only && d.problem == DROP_NONE)
		return;
	if (e->json) {
		show_json(e, r, p, &d);
		return;
	}
	char line[LINE_TEXT];
	dissect_line(&d, line, sizeof line);
	nanodiff since = p->has_time ? p->time - e->first : 0;
	const char *sign = since < 0 ? "-" : "";
	uint64_t ns = since < 0 ? 0 - (uint64_t)since : (uint64_t)since;
	uint64_t us = (ns + 500) / 1000;
	printf("%5llu %s%llu.%06llu  %s%s%s\n", (unsigned long long)p->number, sign,
		(unsigned long long)(us / 1000000), (unsigned long long)(us % 1000000),
		d.problem ? paint(stdout, PAINT_BAD) : "", line, paint(stdout, PAINT_PLAIN));
	show_comments(p);
	if (e->verbose)
		packet_view_fields(stdout, &d);
	if (e->hex)
		packet_view_hex(stdout, &d);
	if (d.problem) {
		fputs("        ", stdout);
		packet_view_problem(stdout, &d);
	}
}

/* A file that streams through a buffer that grows to what one block needs. */
struct stream {
	FILE *file;
	uint8_t *bytes;
	size_t len, cap;
	bool ended, failed;
};

static bool stream_need(struct stream *s, size_t need)
{
	if (need > s->cap) {
		uint8_t *more = realloc(s->bytes, need);
		if (!more)
			return false;
		s->bytes = more;
		s->cap = need;
	}
	while (s->len < need && !s->ended) {
		/* What is there already, so that packets are told as they come. */
		fflush(stdout);
		ssize_t got = read(fileno(s->file), s->bytes + s->len, s->cap - s->len);
		s->failed = got < 0 && errno != EINTR;
		s->ended = got == 0 || s->failed;
		s->len += got > 0 ? (size_t)got : 0;
	}
	return s->len >= need;
}

static void stream_drop(struct stream *s, size_t used)
{
	memmove(s->bytes, s->bytes + used, s->len - used);
	s->len -= used;
}

/* Not even its first bytes were understood. */
static enum verdict no_capture(
	const struct command *c, const struct capture_reader *r, const char *name)
{
	return complain(c, VERDICT_UNSURE,
		"%s: %s: name a file that tcpdump, Wireshark or --pcap wrote", name,
		capture_fault_text(r->fault));
}

/* Walks the file; the offset of what was used but not yet dropped is kept to move bytes seldom. */
static enum verdict walk(struct explaining *e, struct stream *s, const char *name)
{
	const struct command *c = e->arguments->command;
	struct capture_reader r;
	capture_begin(&r);
	size_t at = 0;
	for (;;) {
		struct capture_packet p;
		size_t used = 0;
		enum capture_event event = capture_next(
			&r, span_of(s->bytes + at, s->len - at), &used, &p);
		if (event == CAPTURE_FAULT && r.offset == 0)
			return no_capture(c, &r, name);
		if (event == CAPTURE_FAULT)
			return complain(c, e->packets ? VERDICT_PROBLEM : VERDICT_UNSURE,
				"%s: %s (at byte %llu): packets behind it can't be read", name,
				capture_fault_text(r.fault), (unsigned long long)r.offset);
		if (event == CAPTURE_MORE) {
			stream_drop(s, at);
			at = 0;
			size_t need = r.need > s->len ? r.need : s->len + 1;
			if (!s->ended && stream_need(s, need))
				continue;
			if (s->len >= r.need && s->len && r.need)
				continue;
			break;
		}
		if (event == CAPTURE_PACKET)
			show_packet(e, &r, &p);
		at += used;
		if (ferror(stdout))
			return VERDICT_ENVIRONMENT;
	}
	if (capture_end(&r, s->len))
		return VERDICT_FINE;
	if (r.offset == 0)
		return no_capture(c, &r, name);
	return complain(c, e->packets ? VERDICT_PROBLEM : VERDICT_UNSURE,
		"%s: %s: the rest is missing; was it copied whole?", name,
		capture_fault_text(r.fault));
}

static enum verdict run(const struct arguments *a)
{
	const char *name = a->operand[0];
	bool standard = strcmp(name, "-") == 0;
	struct explaining e = {
		.arguments = a,
		.verbose = given(a, "verbose"),
		.hex = given(a, "hex"),
		.json = given(a, "json-lines"),
		.problems_only = given(a, "problems"),
	};
	struct stream s = { .file = standard ? stdin : fopen(name, "rb"), .cap = BUFFER_START };
	if (!s.file)
		return complain(a->command, VERDICT_ENVIRONMENT,
			"%s: %s: name a pcap or pcapng file that you may read", name,
			strerror(errno));
	s.bytes = malloc(s.cap);
	if (!s.bytes)
		return complain(a->command, VERDICT_ENVIRONMENT, "no memory: close something else");
	const char *what = standard ? "standard input" : name;
	enum verdict v = VERDICT_ENVIRONMENT;
	if (!stream_need(&s, 1) && s.failed)
		complain(
			a->command, v, "%s: %s: name a pcap or pcapng file", what, strerror(errno));
	else
		v = walk(&e, &s, what);
	if (!e.json && v == VERDICT_FINE)
		fprintf(stderr, "%llu packets, %llu with something wrong\n",
			(unsigned long long)e.packets, (unsigned long long)e.problems);
	free(s.bytes);
	if (!standard)
		fclose(s.file);
	return v == VERDICT_FINE && e.problems ? VERDICT_PROBLEM : v;
}

const struct command command_explain = {
	.name = "explain",
	.line = "tell what every packet of a capture says",
	.operands = "FILE",
	.about = "Reads pcap and pcapng files (Ethernet and raw IP), or standard input for '-'. "
		 "Each packet is one line; what is wrong in it is named with its layer and the "
		 "standard that says so.",
	.exits = "1: a packet is malformed, or the file breaks off; 3: it is no capture file.",
	.purpose = PURPOSE_LOOK,
	.operands_min = 1,
	.operands_max = 1,
	.groups = groups,
	.examples = examples,
	.run = run,
};
