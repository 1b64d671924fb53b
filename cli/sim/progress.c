/* The ledger has no date: what was swept is told by the seeds, the hash and the rate. */
#include "cli/sim/progress.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cli/json.h"

#define LOG_EVERY 30.0 /* seconds between lines where nobody looks at a terminal */

double progress_clock(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

void progress_begin(struct progress *p, uint64_t total)
{
	*p = (struct progress){ .total = total, .began = progress_clock() };
	p->terminal = isatty(STDERR_FILENO);
	p->shown = p->began;
}

static double rate_of(const struct progress *p, const struct sweep_count *c)
{
	double took = progress_clock() - p->began;
	return took > 0 ? (double)c->done / took : 0;
}

void progress_show(struct progress *p, const struct sweep_count *c)
{
	double now = progress_clock(), rate = rate_of(p, c);
	if (now - p->shown < (p->terminal ? 0.2 : LOG_EVERY))
		return;
	p->shown = now;
	p->drawn = p->terminal;
	fprintf(stderr, "%s%llu of %llu worlds, %.1f a second, %.0f s to go, %llu failed%s",
		p->terminal ? "\r\033[K" : "", (unsigned long long)c->done,
		(unsigned long long)p->total, rate,
		rate > 0 ? (double)(p->total - c->done) / rate : 0.0, (unsigned long long)c->failed,
		p->terminal ? "" : "\n");
	fflush(stderr);
}

void progress_clear(struct progress *p)
{
	if (p->drawn)
		fputs("\r\033[K", stderr);
	p->drawn = false;
}

static bool add_to_ledger(
	const struct sweep *s, const struct sweep_count *c, double rate, const char *faults)
{
	FILE *f = fopen(s->ledger, "a");
	if (!f)
		return false;
	fprintf(f, "| %s | %llu-%llu | %s | %llu | %llu | %llu | %.1f | `%016llx` |\n",
		STRATA_BUILD_TYPE, (unsigned long long)s->first, (unsigned long long)s->last,
		faults, (unsigned long long)c->done, (unsigned long long)c->events,
		(unsigned long long)c->virtual_seconds, rate, (unsigned long long)c->hash);
	return fclose(f) == 0;
}

static void print_json(const struct sweep *s, const struct sweep_count *c, double took)
{
	struct json j = { .depth = 0 };
	char hash[24];
	snprintf(hash, sizeof hash, "%016llx", (unsigned long long)c->hash);
	json_begin(&j, stdout, "strata.sweep/1");
	json_unsigned(&j, "first_seed", s->first);
	json_unsigned(&j, "last_seed", s->last);
	json_unsigned(&j, "worlds", c->done);
	json_unsigned(&j, "failed", c->failed);
	json_unsigned(&j, "events", c->events);
	json_unsigned(&j, "bytes", c->bytes);
	json_unsigned(&j, "virtual_seconds", c->virtual_seconds);
	json_unsigned(&j, "milliseconds", (uint64_t)(took * 1000));
	json_string(&j, "hash", hash);
	json_finish(&j);
}

int progress_end(struct progress *p, const struct sweep *s, const struct sweep_count *c)
{
	double took = progress_clock() - p->began, rate = took > 0 ? (double)c->done / took : 0;
	char faults[300] = "all";
	if (s->faults != FAULT_ALL)
		fault_set_write(s->faults, faults, sizeof faults);
	progress_clear(p);
	if (s->json)
		print_json(s, c, took);
	else
		printf("%llu worlds, %llu failed, %llu events, %llu virtual seconds, %.1f s, %.1f "
		       "worlds a second, hash %016llx\n",
			(unsigned long long)c->done, (unsigned long long)c->failed,
			(unsigned long long)c->events, (unsigned long long)c->virtual_seconds, took,
			rate, (unsigned long long)c->hash);
	if (s->ledger && !c->failed && c->done == p->total && !add_to_ledger(s, c, rate, faults)) {
		fprintf(stderr, "strata-sim: %s: could not be written\n", s->ledger);
		return 4;
	}
	return c->failed != 0;
}
