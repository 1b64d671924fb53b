/*
 * Blocks are made by packet/record.h, straight into the buffer, and written to
 * the file when there are many, or when the oldest has waited for CAPTURE_DELAY:
 * so a capture costs one system call for dozens of frames, and yet its end is
 * there when the program is killed.
 *
 * A regular file takes what it is given. A pipe is written to without blocking;
 * blocks are left out whole, never cut, so that the file stays readable.
 */
#include "host/capture_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "host/hostclock.h"
#include "packet/record.h"

#define CAPTURE_BUFFER (4u << 20)
#define CAPTURE_WRITE  (256u << 10) /* written at once when so much waits */
#define CAPTURE_DELAY  (200 * NANO_MS)

struct capture_file {
	struct app app;
	int fd;
	const struct netif *nif;
	nanodiff epoch;
	bool failed;
	uint64_t lost;
	nanotime oldest;   /* since when something waits; NANOTIME_NEVER: nothing does */
	size_t begin, end; /* what waits in the buffer */
	uint8_t buffer[CAPTURE_BUFFER];
};

static struct span text(const char *s)
{
	return span_of(s, strlen(s));
}

/* Writes what waits, as far as it goes. */
static void push(struct capture_file *c)
{
	while (c->begin < c->end) {
		ssize_t n = write(c->fd, c->buffer + c->begin, c->end - c->begin);
		if (n > 0) {
			c->begin += (size_t)n;
			continue;
		}
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno != EAGAIN)
			c->failed =
				true; /* the disk is full, or nobody reads: what follows is lost */
		break;
	}
	if (c->begin == c->end || c->failed) {
		c->begin = c->end = 0;
		c->oldest = NANOTIME_NEVER;
	}
}

/* Room for one more block behind what waits; NULL: there is none. */
static uint8_t *room(struct capture_file *c, size_t size)
{
	if (c->failed)
		return NULL;
	if (CAPTURE_BUFFER - c->end < size) {
		push(c);
		memmove(c->buffer, c->buffer + c->begin, c->end - c->begin);
		c->end -= c->begin;
		c->begin = 0;
	}
	return CAPTURE_BUFFER - c->end < size ? NULL : c->buffer + c->end;
}

static void run(struct app *a, struct stack *s, nanotime now)
{
	(void)s;
	struct capture_file *c = list_entry(a, struct capture_file, app);
	if (c->oldest == NANOTIME_NEVER || now < c->oldest + CAPTURE_DELAY)
		return;
	push(c);
	if (c->oldest != NANOTIME_NEVER)
		c->oldest = now; /* the pipe is full: again after a while */
}

static nanotime deadline(const struct app *a)
{
	const struct capture_file *c = list_entry(a, struct capture_file, app);
	return c->oldest == NANOTIME_NEVER ? NANOTIME_NEVER : c->oldest + CAPTURE_DELAY;
}

struct app *capture_file_app(struct capture_file *c)
{
	return &c->app;
}

static bool write_head(struct capture_file *c)
{
	struct utsname system = { 0 };
	uname(&system);
	const struct pcapng_section section = {
		.hardware = text(system.machine),
		.os = text(system.release),
		.application = text("Strata"),
	};
	struct pcapng_interface interface = {
		.link_type = netif_link_type(c->nif),
		.name = text(c->nif->name),
		.has_mac = c->nif->framing != FRAMING_BARE,
	};
	memcpy(interface.mac, c->nif->mac.b, sizeof interface.mac);
	size_t len = pcapng_section(&section, c->buffer, CAPTURE_BUFFER);
	size_t more = pcapng_interface(&interface, c->buffer + len, CAPTURE_BUFFER - len);
	c->end = len + more;
	push(c);
	return len && more && !c->failed;
}

static int open_for_writing(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOCTTY, 0644);
	struct stat st;
	if (fd >= 0 && !fstat(fd, &st) && !S_ISREG(st.st_mode))
		fcntl(fd, F_SETFL, O_NONBLOCK);
	return fd;
}

struct capture_file *capture_file_open(
	const char *path, const struct netif *nif, enum error *error, char *why, size_t cap)
{
	struct capture_file *c = malloc(sizeof *c);
	if (!c) {
		*error = ERR_MEMORY;
		snprintf(why, cap, "out of memory");
		return NULL;
	}
	c->app = (struct app){ .run = run, .deadline = deadline };
	list_init(&c->app.link);
	c->nif = nif;
	c->failed = false;
	c->lost = 0;
	c->begin = c->end = 0;
	c->oldest = NANOTIME_NEVER;
	c->epoch = clock_wall();
	c->fd = open_for_writing(path);
	if (c->fd >= 0 && write_head(c))
		return c;
	*error = errno == EACCES || errno == EPERM ? ERR_PERMISSION : ERR_SYSTEM;
	snprintf(why, cap, "cannot write the capture to %s: %s: name another file", path,
		strerror(errno));
	if (c->fd >= 0)
		close(c->fd);
	free(c);
	return NULL;
}

void capture_file_event(struct capture_file *c, const struct trace_event *event)
{
	if ((event->kind != TRACE_TX && event->kind != TRACE_RX) || event->nif != c->nif)
		return;
	uint8_t *at = room(c, RECORD_MAX);
	size_t len = at ? record_event(event, 0, c->epoch, at, RECORD_MAX) : 0;
	if (!len) {
		c->lost++;
		return;
	}
	c->end += len;
	if (c->oldest == NANOTIME_NEVER)
		c->oldest = event->time;
	if (c->end - c->begin >= CAPTURE_WRITE)
		push(c);
}

uint64_t capture_file_lost(const struct capture_file *c)
{
	return c->lost;
}

bool capture_file_close(struct capture_file *c)
{
	list_remove(&c->app.link);
	fcntl(c->fd, F_SETFL, 0); /* the rest may wait */
	push(c);
	bool good = !c->failed && c->lost == 0;
	if (close(c->fd))
		good = false;
	free(c);
	return good;
}
