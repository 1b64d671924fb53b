/*
 * Each worker runs every n-th seed and writes a record for each to its pipe. A
 * worker that dies, or is silent for too long, has failed on the seed after its
 * last record; another takes its place behind it. The results do not depend on
 * the number of workers: the sweep's hash is a sum over its seeds.
 */
#include "cli/sim/sweep.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/sim/attempt.h"
#include "cli/sim/progress.h"

#define SHRINK_TRIES 400

struct record {
	uint64_t seed;
	struct trial_result result;
};

struct worker {
	pid_t pid;
	int pipe;
	uint64_t next; /* the seed that its next record is about */
	double heard;
};

struct sweeping {
	const struct sweep *sweep;
	struct worker worker[SWEEP_JOBS];
	unsigned alive;
	struct progress progress;
	struct sweep_count count;
	bool stop;
};

/* ---- a worker ---- */

static void work(const struct sweep *s, uint64_t seed, int out)
{
	for (; seed >= s->first && seed <= s->last; seed += s->jobs) {
		struct record rec = { .seed = seed };
		struct trial t;
		trial_draw(&t, seed, s->faults);
		trial_run(&t, NULL, &rec.result);
		if (write(out, &rec, sizeof rec) != (ssize_t)sizeof rec)
			_exit(1);
	}
	_exit(0);
}

static void hire(struct sweeping *g, struct worker *w, uint64_t seed)
{
	int ends[2];
	w->pipe = -1;
	if (seed > g->sweep->last || seed < g->sweep->first || g->stop)
		return;
	fflush(NULL);
	if (pipe(ends) < 0)
		return;
	w->pid = fork();
	if (w->pid == 0) {
		close(ends[0]);
		work(g->sweep, seed, ends[1]);
	}
	close(ends[1]);
	w->pipe = ends[0];
	w->next = seed;
	w->heard = progress_clock();
	g->alive++;
}

static int let_go(struct sweeping *g, struct worker *w, bool force)
{
	int status = 0;
	if (force)
		kill(w->pid, SIGKILL);
	close(w->pipe);
	waitpid(w->pid, &status, 0);
	w->pipe = -1;
	g->alive--;
	return status;
}

/* ---- what came out ---- */

static void tell_smallest(struct sweeping *g, struct trial *t)
{
	struct shrink s = { .fails = attempt_fails, .tries_most = SHRINK_TRIES };
	struct trial_result r;
	char options[600], pcap[400];
	fprintf(stderr, "shrinking ...\n");
	shrink_trial(&s, t);
	snprintf(pcap, sizeof pcap, "%s/seed-%llu.pcapng", g->sweep->pcap ? g->sweep->pcap : ".",
		(unsigned long long)t->seed);
	attempt(t, pcap, true, &r);
	trial_options(t, options, sizeof options);
	fprintf(stderr,
		"smallest of %u tries: %s\n%llu events; capture: %s\nagain: strata-sim "
		"replay %s\n",
		s.tries, r.why, (unsigned long long)r.events, pcap, options);
}

static void found(struct sweeping *g, uint64_t seed, const char *why)
{
	struct trial t;
	char faults[300];
	trial_draw(&t, seed, g->sweep->faults);
	fault_set_write(t.faults, faults, sizeof faults);
	progress_clear(&g->progress);
	fprintf(stderr, "seed %llu (%s): %s\n", (unsigned long long)seed, faults, why);
	g->count.failed++;
	if (g->sweep->keep_going)
		return;
	g->stop = true;
	if (!g->sweep->no_shrink)
		tell_smallest(g, &t);
}

static void take_record(struct sweeping *g, const struct record *rec)
{
	struct sweep_count *c = &g->count;
	c->done++;
	c->hash += rec->result.hash;
	c->events += rec->result.events;
	c->bytes += rec->result.bytes;
	c->virtual_seconds += (uint64_t)(rec->result.ended / NANO_S);
	if (rec->result.failed && !g->stop)
		found(g, rec->seed, rec->result.why);
}

/* A worker's pipe has something, or its end. */
static void hear(struct sweeping *g, struct worker *w)
{
	struct record rec;
	char why[64];
	ssize_t n = read(w->pipe, &rec, sizeof rec);
	if (n == (ssize_t)sizeof rec) {
		w->heard = progress_clock();
		w->next = rec.seed + g->sweep->jobs;
		take_record(g, &rec);
		return;
	}
	uint64_t seed = w->next;
	int status = let_go(g, w, false);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return;
	if (WIFSIGNALED(status))
		snprintf(why, sizeof why, "I36: ended by signal %d", WTERMSIG(status));
	else
		snprintf(why, sizeof why, "I36: ended with exit code %d", WEXITSTATUS(status));
	g->count.done++;
	found(g, seed, why);
	hire(g, w, seed + g->sweep->jobs);
}

static void check_silent(struct sweeping *g, struct worker *w)
{
	if (w->pipe < 0 || progress_clock() - w->heard < ATTEMPT_SECONDS)
		return;
	uint64_t seed = w->next;
	let_go(g, w, true);
	g->count.done++;
	found(g, seed, "I21: a loop without an end");
	hire(g, w, seed + g->sweep->jobs);
}

int sweep_run(const struct sweep *s)
{
	struct sweeping g = { .sweep = s };
	struct pollfd p[SWEEP_JOBS];
	progress_begin(&g.progress, s->last - s->first + 1);
	for (unsigned i = 0; i < s->jobs; i++)
		hire(&g, &g.worker[i], s->first + i);
	while (g.alive && !g.stop) {
		for (unsigned i = 0; i < s->jobs; i++)
			p[i] = (struct pollfd){ .fd = g.worker[i].pipe, .events = POLLIN };
		poll(p, s->jobs, 500);
		for (unsigned i = 0; i < s->jobs && !g.stop; i++) {
			if (p[i].fd >= 0 && p[i].revents)
				hear(&g, &g.worker[i]);
			else
				check_silent(&g, &g.worker[i]);
		}
		progress_show(&g.progress, &g.count);
	}
	for (unsigned i = 0; i < s->jobs; i++)
		if (g.worker[i].pipe >= 0)
			let_go(&g, &g.worker[i], true);
	return progress_end(&g.progress, s, &g.count);
}
