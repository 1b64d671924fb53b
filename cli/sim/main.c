/*
 * strata-sim: random worlds by the thousand. `sweep` runs seeds and shrinks what
 * fails, `replay` runs one world again, `faults` lists the catalogue.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/sim/attempt.h"
#include "cli/sim/sweep.h"

static const char usage[] =
	"usage: strata-sim sweep [--seeds A-B] [--faults LIST] [--jobs N] [--json]\n"
	"                        [--pcap FOLDER] [--ledger FILE] [--keep-going | --no-shrink]\n"
	"       strata-sim replay --seed N [--faults LIST] [--flows MASK] [--datagrams MASK]\n"
	"                         [--settings MASK] [--shift N] [--brief N] [--plain]\n"
	"                         [--pcap FILE]\n"
	"       strata-sim faults\n"
	"\n"
	"A sweep runs one random world for each seed, and shrinks the first that fails to the\n"
	"smallest that still does; --no-shrink only names it, --keep-going names all that fail.\n"
	"LIST is like F01,F05-F07, 'all' or 'none': a sweep draws from it, a replay has exactly\n"
	"these. MASKs are of connections, of UDP flows, and of settings of TCP; with --flows the\n"
	"other two are empty unless given. Exit codes: 0 all is well, 1 a world failed, 2 usage.\n";

enum {
	SEEDS = 256,
	FAULTS_,
	JOBS,
	JSON,
	PCAP,
	LEDGER,
	KEEP,
	BARE,
	SEED,
	FLOWS,
	DATAGRAMS,
	SETTINGS_,
	SHIFT,
	BRIEF,
	PLAIN
};

static const struct option options[] = {
	{ "seeds", required_argument, NULL, SEEDS },
	{ "faults", required_argument, NULL, FAULTS_ },
	{ "jobs", required_argument, NULL, JOBS },
	{ "json", no_argument, NULL, JSON },
	{ "pcap", required_argument, NULL, PCAP },
	{ "ledger", required_argument, NULL, LEDGER },
	{ "keep-going", no_argument, NULL, KEEP },
	{ "no-shrink", no_argument, NULL, BARE },
	{ "seed", required_argument, NULL, SEED },
	{ "flows", required_argument, NULL, FLOWS },
	{ "datagrams", required_argument, NULL, DATAGRAMS },
	{ "settings", required_argument, NULL, SETTINGS_ },
	{ "shift", required_argument, NULL, SHIFT },
	{ "brief", required_argument, NULL, BRIEF },
	{ "plain", no_argument, NULL, PLAIN },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

struct request {
	struct sweep sweep;
	struct trial trial;
	fault_set faults;
	bool faults_given, flows_given, seed_given, help;
	const char *pcap;
};

static bool read_number(const char *text, uint64_t most, uint64_t *out, char **end)
{
	errno = 0;
	*out = strtoull(text, end, 0);
	return *end != text && !errno && *out <= most && *text != '-';
}

static bool whole(const char *name, const char *text, uint64_t most, uint64_t *out)
{
	char *end;
	if (read_number(text, most, out, &end) && !*end)
		return true;
	fprintf(stderr, "strata-sim: --%s %s: not a whole number up to %llu\n", name, text,
		(unsigned long long)most);
	return false;
}

static bool read_seeds(struct sweep *s, const char *text)
{
	char *end;
	if (!read_number(text, UINT64_MAX - 1, &s->first, &end))
		return false;
	s->last = s->first;
	if (*end == '-' && !read_number(end + 1, UINT64_MAX - 1, &s->last, &end))
		return false;
	return !*end && s->last >= s->first;
}

static bool take(struct request *q, int option, const char *name, const char *value)
{
	uint64_t n = 0;
	const char *wrong;
	switch (option) {
	case SEEDS:
		if (read_seeds(&q->sweep, value))
			return true;
		fprintf(stderr, "strata-sim: --seeds %s: no range like 1-1000\n", value);
		return false;
	case FAULTS_:
		q->faults_given = true;
		if (fault_set_read(value, &q->faults, &wrong))
			return true;
		fprintf(stderr,
			"strata-sim: --faults: %s: no such fault: 'strata-sim faults' "
			"lists them\n",
			wrong);
		return false;
	case JOBS:
		if (!whole(name, value, SWEEP_JOBS, &n) || !n)
			return false;
		q->sweep.jobs = (unsigned)n;
		return true;
	case JSON: return q->sweep.json = true;
	case PCAP: q->pcap = value; return true;
	case LEDGER: q->sweep.ledger = value; return true;
	case KEEP: return q->sweep.keep_going = true;
	case BARE: return q->sweep.no_shrink = true;
	case SEED: return q->seed_given = whole(name, value, UINT64_MAX - 1, &q->trial.seed);
	case FLOWS:
		q->flows_given = whole(name, value, UINT32_MAX, &n);
		q->trial.flows = (uint32_t)n;
		return q->flows_given;
	case DATAGRAMS:
		if (!whole(name, value, (1u << DATAGRAM_FLOWS) - 1, &n))
			return false;
		q->trial.datagrams = (uint32_t)n;
		return true;
	case SETTINGS_:
		if (!whole(name, value, SETTING_ALL, &n))
			return false;
		q->trial.settings = (setting_set)n;
		return true;
	case SHIFT:
	case BRIEF:
		if (!whole(name, value, 20, &n))
			return false;
		*(option == SHIFT ? &q->trial.shift : &q->trial.brief) = (unsigned)n;
		return true;
	case PLAIN: return q->trial.plain = true;
	case 'h': return q->help = true;
	default: return false; /* getopt has told */
	}
}

static int list_faults(void)
{
	static const char *const group[] = { "packets", "path", "middlebox", "machine" };
	static const char *const harm[] = { "", "  (may break flows)", "  (may garble bytes)" };
	for (enum fault_id id = 0; id < FAULT_COUNT; id++) {
		const struct fault_info *f = fault_info(id);
		printf("%s  %-10s %s%s\n", f->name, group[f->group], f->text, harm[f->harm]);
	}
	printf("\nsettings of TCP, drawn beside them, and their bits:\n");
	for (enum setting id = 0; id < SETTING_COUNT; id++)
		printf("0x%03x  %s\n", 1u << id, setting_text(id));
	return 0;
}

static int replay(struct request *q)
{
	struct trial drawn, *t = &q->trial;
	struct trial_result r;
	char faults[300];
	if (!q->seed_given) {
		fprintf(stderr, "strata-sim replay: no --seed\n");
		return 2;
	}
	trial_draw(&drawn, t->seed, FAULT_ALL);
	t->faults = q->faults_given ? q->faults : drawn.faults;
	if (!q->flows_given) {
		t->flows = drawn.flows;
		t->datagrams = drawn.datagrams;
		t->settings = drawn.settings;
	}
	attempt(t, q->pcap, false, &r);
	fault_set_write(t->faults, faults, sizeof faults);
	printf("seed %llu, faults %s, flows 0x%x: %s%s\n", (unsigned long long)t->seed, faults,
		t->flows, r.failed ? "FAILED: " : "fine", r.why);
	printf("hash %016llx, %llu events, %llu bytes, %u flows ended with an error, %llu frames "
	       "touched, %llu datagrams whole and %llu garbled, %.3f s of its time\n",
		(unsigned long long)r.hash, (unsigned long long)r.events,
		(unsigned long long)r.bytes, r.broken, (unsigned long long)r.touched,
		(unsigned long long)r.datagrams, (unsigned long long)r.garbled,
		(double)r.ended / NANO_S);
	return r.failed;
}

int main(int argc, char **argv)
{
	struct request q = { .sweep = { .first = 1, .last = 1000, .jobs = 1 } };
	const char *command = argc > 1 ? argv[1] : "";
	int option, index = 0;
	optind = 2;
	while (argc > 1 && (option = getopt_long(argc, argv, "h", options, &index)) != -1)
		if (!take(&q, option, option < 256 ? "" : options[index].name, optarg))
			return 2;
	if (q.help || strcmp(command, "--help") == 0) {
		fputs(usage, stdout);
		return 0;
	}
	if (optind < argc) {
		fprintf(stderr, "strata-sim: %s: not expected here\n", argv[optind]);
		return 2;
	}
	if (strcmp(command, "faults") == 0)
		return list_faults();
	if (strcmp(command, "replay") == 0)
		return replay(&q);
	if (strcmp(command, "sweep") != 0) {
		fputs(usage, stderr);
		return 2;
	}
	q.sweep.faults = q.faults_given ? q.faults : FAULT_ALL;
	q.sweep.pcap = q.pcap;
	return sweep_run(&q.sweep);
}
