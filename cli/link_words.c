/* Quantities stand in the largest unit that they reach; what is off is left out. */
#include "cli/link_words.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define TEXT_MAX 32

struct unit {
	const char *name;
	uint64_t worth;
};

/* "20 ms": in the largest unit that it reaches; units end with a worth of 1. */
static void quantity(char text[TEXT_MAX], uint64_t v, const struct unit *u)
{
	while (v < u->worth && u->worth > 1)
		u++;
	if (v % u->worth)
		snprintf(text, TEXT_MAX, "%.3g %s", (double)v / (double)u->worth, u->name);
	else
		snprintf(text, TEXT_MAX, "%llu %s", (unsigned long long)(v / u->worth), u->name);
}

static void rate_text(char text[TEXT_MAX], uint64_t rate)
{
	static const struct unit units[] = { { "Gbit/s", 1000000000 }, { "Mbit/s", 1000000 },
		{ "kbit/s", 1000 }, { "bit/s", 1 } };
	quantity(text, rate, units);
}

static void time_text(char text[TEXT_MAX], nanodiff t)
{
	static const struct unit units[] = { { "s", NANO_S }, { "ms", NANO_MS }, { "us", NANO_US },
		{ "ns", 1 } };
	quantity(text, (uint64_t)t, units);
}

/* One more property of a link, behind a comma. */
static void add(char line[LINK_WORDS_MAX], const char *format, ...)
	__attribute__((format(printf, 2, 3)));
static void add(char line[LINK_WORDS_MAX], const char *format, ...)
{
	size_t len = strlen(line);
	va_list arguments;
	va_start(arguments, format);
	len += (size_t)snprintf(line + len, LINK_WORDS_MAX - len, "%s", len ? ", " : "");
	vsnprintf(line + len, LINK_WORDS_MAX - len, format, arguments);
	va_end(arguments);
}

static void add_share(char line[LINK_WORDS_MAX], uint32_t ppm, const char *what)
{
	if (ppm)
		add(line, "%.3g %% %s", ppm / 1e4, what);
}

void link_words(char line[LINK_WORDS_MAX], const struct link_config *c, const char *each)
{
	char text[TEXT_MAX];
	const struct fault_config *f = &c->faults;
	line[0] = '\0';
	if (c->rate) {
		rate_text(text, c->rate);
		add(line, "%s", text);
	}
	time_text(text, c->delay);
	add(line, "%s%s", text, each);
	if (c->mtu)
		add(line, "MTU %u", c->mtu);
	if (c->queue_frames)
		add(line, "a queue of %u frames", c->queue_frames);
	if (c->queue_bytes)
		add(line, "a queue of %u bytes", c->queue_bytes);
	add_share(line, f->loss, "loss");
	add_share(line, f->burst_enter, "begin a burst of loss");
	add_share(line, f->corrupt, "corrupted");
	add_share(line, f->reorder, "reordered");
	add_share(line, f->duplicate, "duplicated");
	if (f->jitter) {
		time_text(text, f->jitter);
		add(line, "%s jitter", text);
	}
}
