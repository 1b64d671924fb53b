/*
 * Our capture files for scripts. `capture_tool write FILE` takes lines from
 * standard input and writes them as pcapng; `capture_tool read FILE` writes one
 * line for each packet and, last, the fault and its offset. Byte strings are in
 * hexadecimal, "-" where empty; columns are divided by tabs.
 *
 *	I linktype snaplen name description
 *	P interface time direction drops comment,comment piece,piece original
 *	N address name
 */
#include <stdio.h>
#include <stdlib.h>

#include "wire/pcap.h"

#define LINE_MAX_ (1 << 20)
#define COLUMNS   8

static uint8_t block[1 << 20];
static uint8_t unpacked[1 << 20]; /* what the spans of one line point at */
static size_t unpacked_len;

static void give_up(const char *why)
{
	fprintf(stderr, "capture_tool: %s\n", why);
	exit(2);
}

static struct span bytes_of(const char *hex, size_t digits)
{
	uint8_t *at = unpacked + unpacked_len;
	size_t len = digits == 1 ? 0 : digits / 2;
	unsigned byte;

	for (size_t i = 0; i < len; i++) {
		if (sscanf(hex + 2 * i, "%2x", &byte) != 1)
			give_up("not hexadecimal");
		at[i] = (uint8_t)byte;
	}
	unpacked_len += len;
	return span_of(at, len);
}

/* The members of a list with commas between; none for "-". */
static unsigned list_of(char *text, struct span *out, unsigned cap)
{
	unsigned n = 0;

	if (strcmp(text, "-") == 0)
		return 0;
	for (;;) {
		size_t digits = strcspn(text, ",");
		if (n == cap)
			give_up("too many members");
		out[n++] = bytes_of(text, digits);
		if (text[digits] == '\0')
			return n;
		text += digits + 1;
	}
}

static size_t write_line(char **column)
{
	struct span pieces[8], comments[8];

	unpacked_len = 0;
	if (strcmp(column[0], "I") == 0) {
		struct pcapng_interface i = { .link_type = (uint16_t)atoi(column[1]),
			.snaplen = (uint32_t)atoi(column[2]),
			.name = bytes_of(column[3], strlen(column[3])),
			.description = bytes_of(column[4], strlen(column[4])) };
		return pcapng_interface(&i, block, sizeof block);
	}
	if (strcmp(column[0], "N") == 0) {
		struct addr a;
		if (!addr_parse(span_of(column[1], strlen(column[1])), &a))
			give_up("not an address");
		return pcapng_name(&a, bytes_of(column[2], strlen(column[2])), block, sizeof block);
	}
	struct pcapng_packet p = { .interface = (uint32_t)atoi(column[1]),
		.time = strtoll(column[2], NULL, 10),
		.direction = (enum pcapng_direction)atoi(column[3]),
		.has_drops = strcmp(column[4], "-") != 0,
		.drops = strtoull(column[4], NULL, 10),
		.comment = comments,
		.comments = list_of(column[5], comments, 8),
		.piece = pieces,
		.pieces = list_of(column[6], pieces, 8),
		.original_len = (uint32_t)atoi(column[7]) };
	return pcapng_packet(&p, block, sizeof block);
}

static int write_file(const char *path)
{
	static char line[LINE_MAX_];
	struct pcapng_section section = { .hardware = span_of("none", 4),
		.os = span_of("Test", 4),
		.application = span_of("strata", 6) };
	FILE *file = fopen(path, "wb");

	if (!file)
		give_up("can't write");
	fwrite(block, 1, pcapng_section(&section, block, sizeof block), file);
	while (fgets(line, sizeof line, stdin)) {
		char *column[COLUMNS] = { NULL };
		unsigned n = 0;
		line[strcspn(line, "\n")] = '\0';
		for (char *part = strtok(line, "\t"); part && n < COLUMNS;
			part = strtok(NULL, "\t"))
			column[n++] = part;
		size_t len = write_line(column);
		if (len == 0)
			give_up("block does not fit");
		fwrite(block, 1, len, file);
	}
	return fclose(file);
}

static void print_hex(struct span s)
{
	for (size_t i = 0; i < s.len; i++)
		printf("%02x", s.at[i]);
	if (s.len == 0)
		printf("-");
}

static void print_packet(const struct capture_reader *r, const struct capture_packet *p)
{
	const struct capture_interface *i = &r->interface[p->interface];

	printf("%llu\t%u\t%u\t", (unsigned long long)p->number, p->interface, p->link_type);
	if (p->has_time)
		printf("%lld\t", (long long)p->time);
	else
		printf("-\t");
	printf("%u\t%u\t", p->original_len, p->direction);
	if (p->has_drops)
		printf("%llu\t", (unsigned long long)p->drops);
	else
		printf("-\t");
	print_hex(span_of(i->name, i->name_len));
	printf("\t");
	for (unsigned c = 0; c < p->comments; c++) {
		print_hex(p->comment[c]);
		printf(c + 1 < p->comments ? "," : "");
	}
	printf("%s\t", p->comments ? "" : "-");
	print_hex(p->bytes);
	printf("\n");
}

/* Streams the file through a buffer that holds what the reader asks for, and no more. */
static int read_file(const char *path)
{
	static struct capture_reader r;
	static uint8_t buffer[CAPTURE_NEED_MAX];
	struct capture_packet p;
	size_t have = 0, used;
	FILE *file = fopen(path, "rb");

	if (!file)
		give_up("can't read");
	capture_begin(&r);
	for (;;) {
		enum capture_event e = capture_next(&r, span_of(buffer, have), &used, &p);
		if (e == CAPTURE_FAULT)
			break;
		if (e == CAPTURE_PACKET)
			print_packet(&r, &p);
		if (e == CAPTURE_MORE) {
			size_t got = fread(buffer + have, 1, r.need - have, file);
			have += got;
			if (have < r.need) {
				capture_end(&r, have);
				break;
			}
			continue;
		}
		have -= used;
		memmove(buffer, buffer + used, have);
	}
	fclose(file);
	printf("%s\t%llu\n", capture_fault_text(r.fault), (unsigned long long)r.offset);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 3 && strcmp(argv[1], "write") == 0)
		return write_file(argv[2]);
	if (argc == 3 && strcmp(argv[1], "read") == 0)
		return read_file(argv[2]);
	give_up("capture_tool write|read FILE");
}
