/*
 * strata-flow: a source that writes as much as its stack takes, or a sink that
 * counts what comes, on the kernel's stack or (with --link) on ours.
 *
 * The sink's clock starts with the first byte; what has come after the asked time is
 * the goodput. Look-ups and a lost SYN lie before that, slow start lies within.
 * Sources that are told the same time to begin (of CLOCK_MONOTONIC) connect first and
 * then write at once. Each prints one JSON object: the sink its bytes, in total and for
 * each tenth of a second; the source what its stack thought at those times.
 */
#include "flow.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define CHUNK 262144
#define TICK  0.1
#define TICKS 4096
#define GRACE 3.0 /* a source writes so much longer, so that the sink never starves */

static const char usage[] =
	"usage: strata-flow source --to ADDRESS | sink\n"
	"                   --port N --seconds T [--begin TIME] [--congestion NAME]\n"
	"                   [--link tap:NAME --address ADDRESS/LENGTH [--mac MAC] [--pcap FILE]]\n"
	"One bulk transfer, on the kernel's stack or, with --link, on Strata's.\n";

static uint8_t chunk[CHUNK];

void flow_fail(const char *what, const char *why)
{
	fprintf(stderr, "strata-flow: %s: %s\n", what, why);
}

static double seconds(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static int sink(const struct flow_stack *s, const struct flow_options *o, double time)
{
	static uint64_t tick[TICKS];
	uint64_t bytes = 0;
	ssize_t n = FLOW_AGAIN;
	if (!s->accept(o))
		return 1;
	while (n == FLOW_AGAIN)
		n = s->read(chunk, 1);
	double start = seconds(), now = start;
	while (now - start < time) {
		n = s->read(chunk, CHUNK);
		now = seconds();
		if (n == 0 || n == -1)
			break;
		if (n > 0 && now - start < time) {
			unsigned i = (unsigned)((now - start) / TICK);
			tick[i < TICKS ? i : TICKS - 1] += (uint64_t)n;
			bytes += (uint64_t)n;
		}
	}
	s->close();
	double took = now - start < time ? now - start : time;
	printf("{\"role\":\"sink\",\"complete\":%s,\"bytes\":%llu,\"seconds\":%.6f,"
	       "\"ticks\":[",
		now - start >= time ? "true" : "false", (unsigned long long)bytes, took);
	unsigned ticks = (unsigned)(took / TICK + 0.5);
	for (unsigned i = 0; i < ticks && i < TICKS; i++)
		printf("%s%llu", i ? "," : "", (unsigned long long)tick[i]);
	printf("]}\n");
	return now - start >= time ? 0 : 1;
}

static int source(const struct flow_stack *s, const struct flow_options *o, double time)
{
	static struct flow_info sample[TICKS];
	unsigned samples = 0;
	if (!s->connect(o))
		return 1;
	while (seconds() < o->begin)
		usleep(100);
	double start = seconds();
	for (double now = start; now - start < time + GRACE; now = seconds()) {
		if (s->write(chunk, CHUNK) == -1)
			break; /* the sink has what it wanted */
		if (now - start < time && samples < TICKS && now - start >= samples * TICK &&
			s->info(&sample[samples]))
			samples++;
	}
	s->close();
	printf("{\"role\":\"source\",\"samples\":[");
	for (unsigned i = 0; i < samples; i++)
		printf("%s[%u,%u,%u,%.6f,%llu]", i ? "," : "", sample[i].cwnd, sample[i].ssthresh,
			sample[i].in_flight, sample[i].rtt,
			(unsigned long long)sample[i].retransmits);
	printf("]}\n");
	return 0;
}

/* The option's value, by the last word that asks for it. */
static const char **value_of(struct flow_options *o, const char **port, const char **time,
	const char **begin, const char *name)
{
	const struct {
		const char *name, **value;
	} known[] = {
		{ "--link", &o->link },
		{ "--address", &o->address },
		{ "--mac", &o->mac },
		{ "--to", &o->to },
		{ "--congestion", &o->congestion },
		{ "--pcap", &o->pcap },
		{ "--port", port },
		{ "--seconds", time },
		{ "--begin", begin },
	};
	for (unsigned i = 0; i < sizeof known / sizeof *known; i++)
		if (strcmp(known[i].name, name) == 0)
			return known[i].value;
	return NULL;
}

int main(int argc, char **argv)
{
	struct flow_options o = { 0 };
	const char *port = "5001", *time = "10", *begin = "0", *role = argc > 1 ? argv[1] : "";
	bool is_source = strcmp(role, "source") == 0;
	bool good = is_source || strcmp(role, "sink") == 0;
	for (int i = 2; i < argc && good; i += 2) {
		const char **value = value_of(&o, &port, &time, &begin, argv[i]);
		good = value && i + 1 < argc;
		if (good)
			*value = argv[i + 1];
	}
	int number = atoi(port);
	double span = atof(time);
	if (!good || number < 1 || number > 65535 || !(span > 0 && span < TICKS * TICK) ||
		is_source != (o.to != NULL) || (o.link && !o.address)) {
		fputs(usage, stderr);
		return 2;
	}
	o.port = (uint16_t)number;
	o.begin = atof(begin);
	const struct flow_stack *s = o.link ? &flow_strata : &flow_kernel;
	return is_source ? source(s, &o, span) : sink(s, &o, span);
}
