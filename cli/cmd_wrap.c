/*
 * strata wrap: a payload gets its headers, one layer after the other, as on its way
 * down a stack. What is shown is what was written: the frame is taken apart again
 * for the view.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/packet_view.h"
#include "cli/paint.h"
#include "strata/wrap.h"
#include "wire/pcapng.h"

#define WHY_COLUMN  54
#define PAYLOAD_MAX 65536
#define FRAME_ROOM  (PAYLOAD_MAX + 256)

static const struct option_info options[] = {
	{ .name = "src-port", .kind = OPTION_WORD, .argument = "N", .text = "source port" },
	{ .name = "dst-port", .kind = OPTION_WORD, .argument = "N", .text = "destination port" },
	{ .name = "src-ip",
		.kind = OPTION_WORD,
		.argument = "A",
		.text = "source address, IPv4 or IPv6" },
	{ .name = "dst-ip",
		.kind = OPTION_WORD,
		.argument = "A",
		.text = "destination address of the same family" },
	{ .name = "src-mac", .kind = OPTION_WORD, .argument = "M", .text = "source link address" },
	{ .name = "dst-mac",
		.kind = OPTION_WORD,
		.argument = "M",
		.text = "destination link address" },
	{ .name = "udp", .text = "wrap in UDP instead of TCP" },
	{ .name = "fcs",
		.text = "append the frame check sequence, which a network card would add" },
	{ .name = "hex", .text = "print nothing but the frame in hexadecimal" },
	{ .name = "json", .text = "print one JSON object" },
	{ .name = "output",
		.letter = 'o',
		.kind = OPTION_FILE,
		.argument = "FILE",
		.text = "write the frame to FILE as a pcapng capture" },
	{ .name = NULL },
};
static const struct option_group own = { "Frame", options };
static const struct option_group *const groups[] = { &own, &option_group_general, NULL };

static const struct example examples[] = {
	{ "printf 'GET /api/users HTTP/1.1\\r\\nHost: example.com\\r\\n\\r\\n' | strata wrap "
	  "--src-port 54321 --dst-port 80 --src-ip 192.168.1.100 --dst-ip 93.184.216.34 "
	  "--src-mac aa:bb:cc:dd:ee:ff --dst-mac 00:11:22:33:44:55",
		"46 bytes of request become a frame of 100" },
	{ "echo hello | strata wrap --udp --src-port 9 --dst-port 9 --src-ip 2001:db8::1 --dst-ip "
	  "2001:db8::2 --src-mac 02:00:00:00:00:01 --dst-mac 02:00:00:00:00:02 -o hello.pcapng",
		"a datagram over IPv6, for a packet analyser" },
	{ NULL, NULL },
};

static bool read_port(const struct arguments *a, const char *name, uint16_t *out)
{
	uint64_t port = 0;
	if (!given(a, name)) {
		complain(a->command, VERDICT_USAGE, "--%s is missing: give it a port, 1 to 65535",
			name);
		return false;
	}
	if (!given_number(a, name, 1, 65535, &port))
		return false;
	*out = (uint16_t)port;
	return true;
}

static bool read_address(const struct arguments *a, const char *name, struct strata_address *out)
{
	const char *text = given_value(a, name, "");
	struct addr address;
	if (!addr_parse(span_of(text, strlen(text)), &address)) {
		complain(a->command, VERDICT_USAGE,
			"--%s %s: not an address: write 192.0.2.1 or 2001:db8::1", name, text);
		return false;
	}
	memcpy(out->ip, address.b, sizeof out->ip);
	return true;
}

static bool read_mac(const struct arguments *a, const char *name, uint8_t out[6])
{
	const char *text = given_value(a, name, "");
	struct mac mac;
	if (!mac_parse(span_of(text, strlen(text)), &mac)) {
		complain(a->command, VERDICT_USAGE,
			"--%s %s: not a link address: write six pairs, 02:00:00:00:00:01", name,
			text);
		return false;
	}
	memcpy(out, mac.b, 6);
	return true;
}

/* One row of the table: what comes on, its bytes, the frame's so far, whose work it is, and why. */
static void show_row(const char *what, size_t len, size_t frame, enum layer layer, const char *why)
{
	const char *on = paint(stdout, (enum paint)(PAINT_LAYER1 + (int)layer - (int)LAYER_ACCESS));
	printf("%s%-22s %6zu %6zu  %d %-12s ", on, what, len, frame, (int)layer, layer_name(layer));
	paint_wrap(stdout, why, WHY_COLUMN, WHY_COLUMN, paint_columns(stdout));
	printf("%s\n", paint(stdout, PAINT_PLAIN));
}

/* What each header is there for, from the top down. */
static void show_layers(const struct dissection *d, size_t payload, size_t fcs)
{
	size_t size = payload;
	static const struct {
		enum dissect_part part;
		const char *why;
	} steps[] = {
		{ DISSECT_TCP, "which program, which byte: ports, sequence numbers" },
		{ DISSECT_UDP, "which program: ports" },
		{ DISSECT_IP4, "which machine: addresses, a hop limit" },
		{ DISSECT_IP6, "which machine: addresses, a hop limit" },
		{ DISSECT_ETHERNET, "which neighbour: link addresses" },
	};
	printf("%s%-22s %6s %6s  layer%s\n", paint(stdout, PAINT_STRONG), "", "bytes", "frame",
		paint(stdout, PAINT_PLAIN));
	show_row("  payload", payload, size, LAYER_APPLICATION, "what you gave");
	for (unsigned i = 0; i < sizeof steps / sizeof steps[0]; i++) {
		const struct dissect_layer *l = dissect_find(d, steps[i].part);
		char what[40];
		if (!l)
			continue;
		size += l->len;
		snprintf(what, sizeof what, "+ %s header", l->name);
		show_row(what, l->len, size, l->layer, steps[i].why);
	}
	if (fcs)
		show_row("+ frame check sequence", fcs, size + fcs, LAYER_ACCESS,
			"did a bit fall over?");
	printf("frame: %zu bytes; %zu of them are headers%s (%.1f %%)\n", size + fcs,
		size + fcs - payload, fcs ? " and check" : "",
		100.0 * (double)(size + fcs - payload) / (double)(size + fcs));
	fputs("where the bytes are:  ", stdout);
	packet_view_layers(stdout, d);
}

static bool write_capture(const struct command *c, const char *path, struct span frame)
{
	uint8_t section[256], interface[256];
	struct span piece[1] = { frame };
	const struct pcapng_packet packet = { .piece = piece, .pieces = 1 };
	size_t a = pcapng_section(&(struct pcapng_section){ .application = span_of("strata", 6) },
		section, sizeof section);
	size_t b = pcapng_interface(&(struct pcapng_interface){ .link_type = LINK_TYPE_ETHERNET,
					    .name = span_of("wrap", 4) },
		interface, sizeof interface);
	size_t size = pcapng_packet_size(&packet);
	uint8_t *block = malloc(size);
	FILE *f = block ? fopen(path, "wb") : NULL;
	bool ok = f && a && b && pcapng_packet(&packet, block, size) == size &&
		fwrite(section, 1, a, f) == a && fwrite(interface, 1, b, f) == b &&
		fwrite(block, 1, size, f) == size;
	if (f && fclose(f))
		ok = false;
	free(block);
	if (!ok)
		complain(c, VERDICT_ENVIRONMENT, "%s: %s: name a file that you may write", path,
			strerror(errno));
	return ok;
}

static enum verdict show(const struct arguments *a, struct span frame, size_t payload, bool fcs)
{
	size_t check = fcs ? 4 : 0;
	struct dissection d;
	dissect(span_first(frame, frame.len - check), 0, LINK_TYPE_ETHERNET, &d);
	if (given(a, "json")) {
		struct json j;
		json_begin(&j, stdout, "strata.wrap/1");
		json_unsigned(&j, "frame_length", frame.len);
		json_unsigned(&j, "payload_length", payload);
		json_unsigned(&j, "fcs_length", check);
		char *hex = malloc(frame.len * 2 + 1);
		for (size_t i = 0; hex && i < frame.len; i++)
			snprintf(hex + 2 * i, 3, "%02x", frame.at[i]);
		json_string(&j, "hex", hex);
		free(hex);
		packet_view_json(&j, &d);
		json_finish(&j);
	} else if (given(a, "hex")) {
		for (size_t i = 0; i < frame.len; i++)
			printf("%02x", frame.at[i]);
		putchar('\n');
	} else {
		show_layers(&d, payload, check);
		packet_view_hex(stdout, &d);
	}
	const char *path = given_value(a, "output", NULL);
	if (path && !write_capture(a->command, path, span_first(frame, frame.len - check)))
		return VERDICT_ENVIRONMENT;
	return VERDICT_FINE;
}

static enum verdict run(const struct arguments *a)
{
	struct strata_wrap_options o = { .udp = given(a, "udp"), .fcs = given(a, "fcs") };
	if (!read_port(a, "src-port", &o.source.port) ||
		!read_port(a, "dst-port", &o.destination.port) ||
		!read_address(a, "src-ip", &o.source) ||
		!read_address(a, "dst-ip", &o.destination) ||
		!read_mac(a, "src-mac", o.source_mac) || !read_mac(a, "dst-mac", o.destination_mac))
		return VERDICT_USAGE;
	uint8_t *payload = malloc(PAYLOAD_MAX + 1), *frame = malloc(FRAME_ROOM);
	enum verdict v = VERDICT_ENVIRONMENT;
	if (!payload || !frame) {
		complain(a->command, v, "no memory: close something else");
	} else {
		paint_hint_input("the payload");
		size_t len = fread(payload, 1, PAYLOAD_MAX + 1, stdin);
		ssize_t size = strata_wrap(&o, payload, len, frame, FRAME_ROOM, NULL);
		if (size == -STRATA_E_FAMILY)
			v = complain(a->command, VERDICT_USAGE,
				"one address is IPv4 and the other IPv6: a packet has one family");
		else if (size < 0)
			v = complain(a->command, VERDICT_USAGE,
				"the payload is too big for one packet: give at most 65495 bytes");
		else
			v = show(a, span_of(frame, (size_t)size), len, o.fcs);
	}
	free(payload);
	free(frame);
	return v;
}

const struct command command_wrap = {
	.name = "wrap",
	.line = "put headers around a payload, and show each layer",
	.operands = "",
	.about = "Takes a payload on standard input and wraps it in a transport, an internet and a "
		 "link header, showing what each layer adds and where its bytes are.",
	.exits = "",
	.purpose = PURPOSE_LOOK,
	.groups = groups,
	.examples = examples,
	.run = run,
};
