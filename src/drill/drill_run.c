/*
 * A script's events in turn. Times are the script's: a relative one counts from
 * where the clock stood when the event before was done. A call that lasts goes
 * on while later events happen, as it would in a thread of its own.
 */
#include "drill/drill_run.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define STEPS_MAX 1000000 /* of the clock, for one event: a stack that spins is found out */

bool drill_problem_at(struct drill_run *r, unsigned line, const char *format, ...)
{
	struct drill_problem *p = &r->report->problem;
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(p->text, sizeof p->text, format, arguments);
	va_end(arguments);
	p->line = line;
	return false;
}

static double seconds(nanotime t)
{
	return (double)t / (double)NANO_S;
}

/* The call under way has returned: in time, and with what the script says? */
static bool finish_call(struct drill_run *r)
{
	const struct drill_event *e = r->busy_event;
	nanotime now = drill_now(r), off = now - r->busy_end;
	r->busy = false;
	if (!drill_call_check(&r->host, &r->running, &r->report->problem))
		return false;
	if ((off < 0 ? -off : off) <= r->match.tolerance)
		return true;
	return drill_problem_at(r, e->line,
		"%.*s returned at %.6f, %.3f ms %s than the script says (%.6f)",
		(int)e->call.name.len, (const char *)e->call.name.at, seconds(now),
		(double)(off < 0 ? -off : off) / 1e6, off < 0 ? "earlier" : "later",
		seconds(r->busy_end));
}

/* "0.100000 > S. 0:0(0) ack 1 win 65535 <...>" */
static void tell_segment(struct drill_run *r, const struct drill_seen *s)
{
	static const struct drill_flow none;
	char line[360];
	if (!r->options->say)
		return;
	int len = snprintf(line, sizeof line, "%.6f ", seconds(s->time));
	drill_describe_seen(s, r->current >= 0 ? &r->flow[r->current] : &none, line + len,
		sizeof line - (size_t)len);
	r->options->say(r->options->context, line);
}

bool drill_look(struct drill_run *r)
{
	nanotime when;
	size_t len;
	if (r->busy) {
		drill_call_retry(&r->host, &r->running);
		if (!r->running.waits && !finish_call(r))
			return false;
	}
	while ((len = posix_transmit(r->host.posix, r->datagram, DRILL_DATAGRAM, &when, NULL))) {
		if (r->queue_len == DRILL_QUEUE)
			return drill_problem_at(r, 0,
				"more than %d segments left that no line expects", DRILL_QUEUE);
		unsigned at = (r->queue_first + r->queue_len++) % DRILL_QUEUE;
		drill_take_apart(span_of(r->datagram, len < DRILL_DATAGRAM ? len : DRILL_DATAGRAM),
			when - r->host.start, &r->queue[at]);
		tell_segment(r, &r->queue[at]);
	}
	return true;
}

bool drill_advance(struct drill_run *r, nanotime until)
{
	for (unsigned i = 0; i < STEPS_MAX; i++) {
		bool there = drill_now(r) >= until ||
			posix_advance(r->host.posix, until + r->host.start);
		if (!drill_look(r))
			return false;
		if (there)
			return true;
	}
	return drill_problem_at(
		r, 0, "the stack does not let the clock get to %.6f", seconds(until));
}

bool drill_step_clock(struct drill_run *r, nanotime latest, bool *moved)
{
	nanotime next = posix_next(r->host.posix);
	*moved = next != NANOTIME_NEVER && next - r->host.start <= latest;
	if (!*moved)
		return true;
	posix_advance(r->host.posix, next);
	return drill_look(r);
}

/* A call must be over before the next one: nothing but time can end it. */
static bool await_call(struct drill_run *r)
{
	nanotime latest = drill_now(r) + DRILL_PATIENCE;
	for (unsigned i = 0; r->busy && i < STEPS_MAX; i++) {
		bool moved;
		if (!drill_step_clock(r, latest, &moved))
			return false;
		if (!moved)
			break;
	}
	if (!r->busy)
		return true;
	const struct drill_event *e = r->busy_event;
	return drill_problem_at(r, e->line,
		"%.*s never returned; the script says at %.6f, and it is %.6f now",
		(int)e->call.name.len, (const char *)e->call.name.at, seconds(r->busy_end),
		seconds(drill_now(r)));
}

static bool run_call(struct drill_run *r, const struct drill_event *e, nanotime end)
{
	if (!await_call(r))
		return false;
	r->busy_event = e;
	r->busy_end = e->has_end ? end : drill_now(r);
	if (!drill_call_begin(&r->host, &e->call, e->line, &r->running, &r->report->problem)) {
		r->report->outcome = DRILL_MALFORMED;
		return false;
	}
	r->busy = r->running.waits;
	if (!r->busy && !finish_call(r))
		return false;
	if (!drill_look(r))
		return false;
	return !r->busy || e->has_end || await_call(r);
}

static bool run_event(struct drill_run *r, const struct drill_event *e)
{
	nanotime base = e->time_kind == DRILL_ABSOLUTE ? 0 : drill_now(r);
	nanotime due = base + e->time, end = base + e->end;
	nanotime latest = e->has_range ? base + e->range : due;
	if (e->time_kind == DRILL_WHENEVER)
		latest = NANOTIME_NEVER;
	if (e->kind == DRILL_PACKET && e->packet.outbound)
		return drill_packet_out(r, e, due, latest);
	nanotime late = drill_now(r) - latest;
	if (late > r->match.tolerance)
		return drill_problem_at(r, e->line,
			"this was to happen at %.6f, but it is %.6f already", seconds(due),
			seconds(drill_now(r)));
	if (!drill_advance(r, due))
		return false;
	switch (e->kind) {
	case DRILL_PACKET: return drill_packet_in(r, e);
	case DRILL_SYSCALL: return run_call(r, e, end);
	case DRILL_SHELL: drill_shell_read(&r->shell, e->text); return true;
	default: return drill_code_run(&r->code, e->text, e->line, &r->report->problem);
	}
}

static void run_events(struct drill_run *r)
{
	r->report->outcome = DRILL_PASSED;
	bool fine = true;
	for (const struct drill_event *e = r->script.first; e && fine; e = e->next) {
		fine = run_event(r, e);
		r->report->events_run += fine;
		if (!fine && r->report->problem.line == 0)
			r->report->problem.line = e->line;
	}
	fine = fine && await_call(r);
	if (!fine && r->report->outcome == DRILL_PASSED)
		r->report->outcome = DRILL_FAILED;
	r->report->lasted = drill_now(r);
}

enum drill_outcome drill_run(
	const struct drill_options *o, struct span text, struct drill_report *report)
{
	memset(report, 0, sizeof *report);
	struct drill_run *r = calloc(1, sizeof *r);
	if (!r)
		return report->outcome = DRILL_NO_MEMORY;
	r->options = o;
	r->report = report;
	r->current = -1;
	report->outcome = DRILL_MALFORMED;
	if (drill_set_up(r, text))
		run_events(r);
	drill_tear_down(r);
	return report->outcome;
}
