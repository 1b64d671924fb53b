/* stdio does the buffering; progress is one line that is written over itself. */
#include "cli/output.h"

#include <errno.h>
#include <string.h>

#include "cli/paint.h"
#include "host/hostclock.h"

#define SHOW_EVERY (100 * NANO_MS)
#define SHOW_AFTER (300 * NANO_MS)

void output_begin(struct output *o, const struct command *c, const char *path)
{
	bool standard = !path || strcmp(path, "-") == 0;
	*o = (struct output){ .command = c, .path = standard ? NULL : path };
	o->progress = !standard && paint_is_terminal(stderr);
	o->shown = clock_now() + SHOW_AFTER - SHOW_EVERY;
	if (standard)
		o->file = stdout;
}

static bool refuse(struct output *o)
{
	int error = errno;
	o->failed = true;
	complain(o->command, VERDICT_ENVIRONMENT, "%s: cannot write: %s: %s",
		o->path ? o->path : "standard output", strerror(error),
		error == ENOSPC ? "make room" : "name another file with -o");
	return false;
}

static bool ensure_file(struct output *o)
{
	if (!o->file && !o->failed)
		o->file = fopen(o->path, "wb");
	return o->file != NULL;
}

bool output_write(struct output *o, struct span bytes)
{
	if (o->failed)
		return false;
	if (!ensure_file(o) || fwrite(bytes.at, 1, bytes.len, o->file) != bytes.len)
		return refuse(o);
	o->written += bytes.len;
	return true;
}

void output_bytes(char *text, size_t cap, uint64_t bytes)
{
	static const char units[] = " kMGTPE";
	double v = (double)bytes;
	unsigned u = 0;
	for (; v >= 999.5 && u < 6; u++)
		v /= 1000;
	if (u == 0)
		snprintf(text, cap, "%u bytes", (unsigned)bytes);
	else
		snprintf(text, cap, v < 9.95 ? "%.1f %cB" : "%.0f %cB", v, units[u]);
}

static void erase(struct output *o)
{
	if (o->drawn)
		fputs("\r\033[K", stderr);
}

void output_progress(struct output *o, uint64_t expected, nanotime now)
{
	if (!o->progress)
		return;
	nanotime host = clock_now();
	if (!o->started)
		o->started = now;
	if (host - o->shown < SHOW_EVERY)
		return;
	o->shown = host;
	o->drawn = true;
	char done[32], all[32], line[128];
	double seconds = (double)(now - o->started) / 1e9;
	double rate = seconds > 0 ? (double)o->written * 8 / seconds : 0;
	output_bytes(done, sizeof done, o->written);
	output_bytes(all, sizeof all, expected);
	if (expected)
		snprintf(line, sizeof line, "%3u %%  %s of %s",
			(unsigned)(o->written * 100 / expected), done, all);
	else
		snprintf(line, sizeof line, "%s", done);
	fprintf(stderr, "\r\033[K%s  %.1f Mbit/s  %.1f s", line, rate / 1e6, seconds);
	fflush(stderr);
}

bool output_end(struct output *o, bool complete)
{
	erase(o);
	if (o->failed)
		return false;
	if (!o->file && !complete)
		return true;
	if (!ensure_file(o) || fflush(o->file) != 0)
		return refuse(o);
	if (o->path && fclose(o->file) != 0)
		return refuse(o);
	o->file = NULL;
	return true;
}
