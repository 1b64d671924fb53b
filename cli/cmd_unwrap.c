/*
 * strata unwrap: the reverse of wrap. A frame, as bytes or in hexadecimal, is taken
 * apart layer by layer, and what it carried is given back.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/packet_view.h"
#include "cli/paint.h"
#include "strata/wrap.h"
#include "wire/pcapng.h"

#define INPUT_MAX (256u * 1024)

static const struct option_info options[] = {
	{ .name = "fcs", .text = "the last four bytes are the frame check sequence" },
	{ .name = "hex", .text = "the frame comes in hexadecimal (found out by itself otherwise)" },
	{ .name = "verbose", .letter = 'v', .text = "print every field with its bytes" },
	{ .name = "payload", .text = "print nothing but what the frame carries" },
	{ .name = "json", .text = "print one JSON object" },
	{ .name = NULL },
};
static const struct option_group own = { "Frame", options };
static const struct option_group *const groups[] = { &own, &option_group_general, NULL };

static const struct example examples[] = {
	{ "strata wrap --hex ... < request | strata unwrap", "there and back" },
	{ "strata unwrap -v < frame.bin", "every field of every header" },
	{ NULL, NULL },
};

static int digit(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (uint8_t)tolower(c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Hexadecimal text to bytes in place, blanks and line ends left out. False: it is no such text. */
static bool from_hex(uint8_t *at, size_t *len)
{
	size_t out = 0;
	int high = -1;
	for (size_t i = 0; i < *len; i++) {
		if (isspace(at[i]) || at[i] == ':')
			continue;
		int v = digit(at[i]);
		if (v < 0)
			return false;
		if (high < 0) {
			high = v;
		} else {
			at[out++] = (uint8_t)(high << 4 | v);
			high = -1;
		}
	}
	if (high >= 0 || !out)
		return false;
	*len = out;
	return true;
}

static bool all_hex(const uint8_t *at, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (!isspace(at[i]) && at[i] != ':' && digit(at[i]) < 0)
			return false;
	return len > 0;
}

static void show(const struct arguments *a, const struct dissection *d,
	const struct strata_frame_layers *layers, struct span frame)
{
	if (given(a, "json")) {
		struct json j;
		json_begin(&j, stdout, "strata.unwrap/1");
		json_unsigned(&j, "frame_length", frame.len);
		json_unsigned(&j, "payload_offset", layers->payload);
		json_unsigned(&j, "payload_length", layers->payload_length);
		json_base64(
			&j, "payload", span_of(frame.at + layers->payload, layers->payload_length));
		packet_view_json(&j, d);
		if (layers->problem)
			json_string(&j, "fault", layers->problem);
		json_finish(&j);
		return;
	}
	if (given(a, "payload")) {
		fwrite(frame.at + layers->payload, 1, layers->payload_length, stdout);
		return;
	}
	printf("frame: %zu bytes\n", frame.len);
	size_t left = frame.len;
	for (unsigned i = 0; i < layers->count; i++) {
		const struct strata_layer *l = &layers->layer[i];
		left -= l->length;
		printf("%s- %-16s %5zu bytes at %5zu  layer %u, %zu left%s\n",
			paint(stdout, (enum paint)(PAINT_LAYER1 + (int)l->floor - 1)), l->name,
			l->length, l->offset, l->floor, left, paint(stdout, PAINT_PLAIN));
	}
	char line[512];
	dissect_line(d, line, sizeof line);
	printf("%s\n", line);
	if (given(a, "verbose"))
		packet_view_fields(stdout, d);
	if (layers->problem)
		printf("%s!! %s (%s)%s\n", paint(stdout, PAINT_BAD), layers->problem,
			layers->clause, paint(stdout, PAINT_PLAIN));
}

static enum verdict run(const struct arguments *a)
{
	uint8_t *in = malloc(INPUT_MAX + 1);
	if (!in)
		return complain(a->command, VERDICT_ENVIRONMENT, "no memory: close something else");
	paint_hint_input("a frame");
	size_t len = fread(in, 1, INPUT_MAX + 1, stdin);
	enum verdict v = VERDICT_USAGE;
	if (len > INPUT_MAX) {
		complain(a->command, v, "more than 256 KiB: give one frame");
	} else if ((given(a, "hex") || all_hex(in, len)) && !from_hex(in, &len)) {
		complain(a->command, v, "not hexadecimal: give pairs of digits");
	} else {
		bool fcs = given(a, "fcs");
		struct strata_frame_layers layers;
		int bad = strata_unwrap(in, len, fcs, &layers);
		struct dissection d;
		dissect(span_of(in, fcs && len >= 4 ? len - 4 : len), 0, LINK_TYPE_ETHERNET, &d);
		show(a, &d, &layers, span_of(in, len));
		v = bad ? VERDICT_PROBLEM : VERDICT_FINE;
	}
	free(in);
	return v;
}

const struct command command_unwrap = {
	.name = "unwrap",
	.line = "take a frame apart, layer by layer",
	.operands = "",
	.about = "Takes one Ethernet frame on standard input, as bytes or in hexadecimal, checks "
		 "and strips each header, and shows what is left.",
	.exits = "1: the frame is malformed; what was read before the fault is shown.",
	.purpose = PURPOSE_LOOK,
	.groups = groups,
	.examples = examples,
	.run = run,
};
