/*
 * The world stands still but for tap_cable_run, which moves its clock to the
 * host's: what was due since then happens at the times that the link gave it,
 * then what the devices have is sent off at the present time. So a frame is
 * late by what this program was late, and no frame's lateness adds to another's.
 *
 * Sleeping is ppoll to the next event with the finest timer slack, and the
 * program asks for a real-time priority, without which a busy machine is a
 * slower link; where that is not allowed, the figures on lateness tell.
 */
#define _GNU_SOURCE /* ppoll */
#include "cli/tap_cable.h"

#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <sys/prctl.h>

#include "host/hostclock.h"

#define BURST 64              /* frames from one device in a turn */
#define NAP   (200 * NANO_MS) /* the longest sleep */

/* The way's end: the frame's time has come. */
static void deliver(struct port *p, struct parcel *parcel)
{
	struct tap_cable_end *e = list_entry(p, struct tap_cable_end, port);
	struct tap_cable *c = e->cable;
	bool gone = false;
	lateness_add(&c->late, clock_now() - p->world->now);
	tap_write(&e->tap, parcel_span(parcel), &gone);
	if (gone)
		c->gone = e->tap.name;
	parcel_give(p->world, parcel);
}

static bool open_end(
	struct tap_cable *c, unsigned i, const char *name, enum error *error, char *why, size_t cap)
{
	struct tap_cable_end *e = &c->end[i];
	*error = tap_open(&e->tap, name, false, why, cap);
	e->cable = c;
	e->port = (struct port){ .world = c->world, .receive = deliver };
	snprintf(e->port.name, sizeof e->port.name, "%s", name);
	return *error == ERR_OK;
}

static bool open_capture(struct tap_cable *c, const char *path, char *why, size_t cap)
{
	c->capture = sim_capture_open(c->world, path, clock_wall(), why, cap);
	if (!c->capture) {
		snprintf(why, cap, "cannot write the capture to %s: %s", path, strerror(errno));
		return false;
	}
	sim_capture_link(c->capture, c->link);
	return true;
}

bool tap_cable_open(struct tap_cable *c, const struct tap_cable_options *o, enum error *error,
	char *why, size_t cap)
{
	*c = (struct tap_cable){ .started = clock_now() };
	c->end[0].tap.fd = c->end[1].tap.fd = -1;
	c->world = world_new(&(struct world_config){ .seed = o->seed, .start = c->started });
	bool good = true;
	for (unsigned i = 0; i < 2 && good; i++)
		good = open_end(c, i, o->tap[i], error, why, cap);
	if (good)
		c->link = link_connect(c->world, "cable", &c->end[0].port, &c->end[1].port,
			&o->way[0], &o->way[1]);
	if (good && o->pcap && !open_capture(c, o->pcap, why, cap)) {
		*error = ERR_SYSTEM;
		good = false;
	}
	if (!good) {
		tap_cable_close(c);
		return false;
	}
	struct sched_param priority = { .sched_priority = 1 };
	sched_setscheduler(0, SCHED_RR | SCHED_RESET_ON_FORK, &priority);
	prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL);
	return true;
}

/* Sends off what the kernel has for us, up to a burst. */
static void take(struct tap_cable *c, struct tap_cable_end *e)
{
	bool gone = false;
	for (unsigned i = 0; i < BURST; i++) {
		struct span frame = tap_read(&e->tap, &gone);
		if (!frame.len)
			break;
		struct parcel *p = parcel_take(c->world, frame.len);
		memcpy(p->bytes, frame.at, frame.len);
		port_send(&e->port, p);
	}
	if (gone)
		c->gone = e->tap.name;
}

static void sleep_until(struct tap_cable *c, nanotime time)
{
	struct pollfd fds[2];
	for (unsigned i = 0; i < 2; i++)
		fds[i] = (struct pollfd){ .fd = c->end[i].tap.fd, .events = POLLIN };
	nanodiff left = nanotime_min(time - clock_now(), NAP);
	if (left < 0)
		left = 0;
	struct timespec t = { .tv_sec = left / NANO_S, .tv_nsec = left % NANO_S };
	ppoll(fds, 2, &t, NULL);
}

void tap_cable_run(struct tap_cable *c, nanotime until, bool (*stop)(void))
{
	while (!c->gone && !stop()) {
		nanotime now = clock_now();
		if (now >= until)
			return;
		world_run(c->world, now, NULL, NULL);
		take(c, &c->end[0]);
		take(c, &c->end[1]);
		/* What needs no time at all arrives now. */
		world_run(c->world, c->world->now, NULL, NULL);
		sleep_until(c, nanotime_min(world_next(c->world), until));
	}
}

bool tap_cable_close(struct tap_cable *c)
{
	bool good = !c->capture || sim_capture_close(c->capture);
	world_free(c->world);
	for (unsigned i = 0; i < 2; i++)
		tap_close(&c->end[i].tap);
	*c = (struct tap_cable){ .world = NULL };
	return good;
}
