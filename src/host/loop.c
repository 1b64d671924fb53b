/*
 * How the loop keeps its promises. Sleep is exact: ppoll takes nanoseconds, and
 * the limit is the earliest of all deadlines, so an idle stack costs no CPU and a
 * timer is not late. Batching comes by itself: a burst is received whole before
 * anything is sent, so one ACK answers many segments.
 *
 * Nothing that a peer does can hold a turn for long: the burst, the frames sent
 * and the rounds of applications are counted. What is left over makes the next
 * wait end at once, after the lock has been free for a moment.
 */
#define _GNU_SOURCE /* ppoll */
#include "host/loop.h"

#include <errno.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "host/hostclock.h"

bool loop_init(struct loop *l, struct stack *s)
{
	*l = (struct loop){ .stack = s, .sleep.until = NANOTIME_NEVER, .poller = -1, .timer = -1 };
	list_init(&l->apps);
	l->kick = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	return l->kick >= 0;
}

void loop_free(struct loop *l)
{
	int *each[] = { &l->kick, &l->poller, &l->timer };
	for (unsigned i = 0; i < sizeof each / sizeof *each; i++) {
		if (*each[i] >= 0)
			close(*each[i]);
		*each[i] = -1;
	}
}

void loop_add_link(struct loop *l, const struct loop_link *link)
{
	assert(l->links < LOOP_LINKS);
	l->link[l->links++] = *link;
}

void loop_add_app(struct loop *l, struct app *a)
{
	list_push_back(&l->apps, &a->link);
}

bool loop_gone(const struct loop *l)
{
	for (unsigned i = 0; i < l->links; i++)
		if (l->link[i].fd >= 0)
			return false;
	return true;
}

/* ---- sleeping ---- */

static bool more_to_receive(const struct loop *l)
{
	for (unsigned i = 0; i < l->links; i++)
		if (l->link[i].more)
			return true;
	return false;
}

static struct timespec time_left(nanotime until, nanotime now)
{
	nanodiff left = until > now ? until - now : 0;
	return (struct timespec){ .tv_sec = left / NANO_S, .tv_nsec = left % NANO_S };
}

void loop_wait(struct loop *l, struct loop_sleep sleep)
{
	struct pollfd fds[1 + LOOP_LINKS];
	fds[0] = (struct pollfd){ .fd = l->kick, .events = POLLIN };
	for (unsigned i = 0; i < l->links; i++) {
		/* A negative descriptor is passed over by poll. */
		fds[1 + i] = (struct pollfd){ .fd = l->link[i].fd, .events = POLLIN };
		if (sleep.for_room)
			fds[1 + i].events |= POLLOUT;
		l->link[i].ready = 0;
	}
	struct timespec left = { 0 };
	if (sleep.until > 0 && sleep.until != NANOTIME_NEVER)
		left = time_left(sleep.until, clock_now());
	int n = ppoll(fds, 1 + l->links, sleep.until == NANOTIME_NEVER ? NULL : &left, NULL);
	if (n <= 0)
		return; /* the time is over, or a signal came: the turn looks for itself */
	for (unsigned i = 0; i < l->links; i++)
		l->link[i].ready = fds[1 + i].revents;
	if (fds[0].revents) {
		uint64_t count;
		ssize_t got = read(l->kick, &count, sizeof count);
		(void)got;
		/*
		 * Who finds `kicked` set between the two has changed the stack before that, under
		 * the lock that the next turn takes: nothing is missed.
		 */
		atomic_store_explicit(&l->kicked, false, memory_order_release);
	}
}

void loop_kick(struct loop *l)
{
	if (atomic_exchange_explicit(&l->kicked, true, memory_order_acq_rel))
		return;
	uint64_t one = 1;
	ssize_t put = write(l->kick, &one, sizeof one);
	(void)put; /* a full counter wakes as well */
}

/* ---- working ---- */

static void receive(struct loop *l, nanotime now)
{
	for (unsigned i = 0; i < l->links; i++) {
		struct loop_link *k = &l->link[i];
		if (k->ready & POLLOUT)
			k->nif->blocked = false;
		if (!k->more && !(k->ready & (POLLIN | POLLERR | POLLHUP)))
			continue;
		bool gone = false;
		unsigned n = k->receive(k->link, l->stack, k->nif, now, LOOP_BURST, &gone);
		k->more = n == LOOP_BURST;
		k->ready = 0;
		if (gone) {
			k->fd = -1;
			k->nif->up = false;
		}
	}
}

static bool link_blocked(const struct loop *l)
{
	for (unsigned i = 0; i < l->links; i++)
		if (l->link[i].fd >= 0 && l->link[i].nif->blocked)
			return true;
	return false;
}

static void run_apps(struct loop *l, nanotime now)
{
	list_each_safe(at, &l->apps)
	{
		struct app *a = list_entry(at, struct app, link);
		a->run(a, l->stack, now);
	}
}

/* Applications and transmit in turns, until nothing is sent and nobody has more to send. */
static void work(struct loop *l, nanotime now)
{
	for (unsigned round = 0; round < LOOP_ROUNDS; round++) {
		run_apps(l, now);
		unsigned sent = stack_transmit(l->stack, now, LOOP_BUDGET);
		if (sent == 0 && (!stack_has_work(l->stack) || link_blocked(l)))
			break;
	}
	/* What transmit itself reported (a next hop that is dead) is news for applications, too. */
	run_apps(l, now);
}

static nanotime next_deadline(const struct loop *l)
{
	nanotime next = stack_next_deadline(l->stack);
	list_each(at, &l->apps)
	{
		const struct app *a = list_entry(at, struct app, link);
		if (a->deadline)
			next = nanotime_min(next, a->deadline(a));
	}
	return next;
}

static struct loop_sleep plan(const struct loop *l)
{
	struct loop_sleep sleep = { .until = next_deadline(l), .for_room = link_blocked(l) };
	if (!sleep.for_room && stack_has_work(l->stack))
		sleep.until = 0;
	return sleep;
}

struct loop_sleep loop_turn(struct loop *l)
{
	nanotime now = clock_now();
	stack_set_time(l->stack, now);
	receive(l, now);
	stack_timers(l->stack, now);
	work(l, now);
	l->sleep = plan(l);
	if (more_to_receive(l))
		l->sleep.until = 0;
	return l->sleep;
}

/* ---- a descriptor for somebody else's loop ---- */

static void poll_links(struct loop *l, int operation)
{
	for (unsigned i = 0; i < l->links; i++) {
		struct epoll_event e = { .events = EPOLLIN };
		if (l->sleep.for_room)
			e.events |= EPOLLOUT;
		if (l->link[i].fd >= 0)
			epoll_ctl(l->poller, operation, l->link[i].fd, &e);
	}
}

/* The timer rings when the loop wants its next turn. */
static void arm(struct loop *l)
{
	struct itimerspec t = { { 0 }, { 0 } };
	if (l->sleep.until <= 0)
		t.it_value.tv_nsec = 1;
	else if (l->sleep.until != NANOTIME_NEVER)
		t.it_value = (struct timespec){ .tv_sec = l->sleep.until / NANO_S,
			.tv_nsec = l->sleep.until % NANO_S };
	timerfd_settime(l->timer, TFD_TIMER_ABSTIME, &t, NULL);
	poll_links(l, EPOLL_CTL_MOD);
}

int loop_fd(struct loop *l)
{
	if (l->poller >= 0)
		return l->poller;
	l->timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	if (l->timer < 0)
		return -1;
	l->poller = epoll_create1(EPOLL_CLOEXEC);
	if (l->poller < 0) {
		close(l->timer);
		return l->timer = -1;
	}
	struct epoll_event e = { .events = EPOLLIN };
	epoll_ctl(l->poller, EPOLL_CTL_ADD, l->timer, &e);
	poll_links(l, EPOLL_CTL_ADD);
	arm(l);
	return l->poller;
}

/* ---- driving ---- */

void loop_flush(struct loop *l)
{
	work(l, stack_time(l->stack));
	struct loop_sleep sleep = plan(l);
	bool earlier = sleep.until < l->sleep.until || (sleep.for_room && !l->sleep.for_room);
	if (!l->shared) {
		l->sleep = sleep;
		if (l->poller >= 0)
			arm(l);
	} else if (earlier) {
		l->sleep.until = nanotime_min(l->sleep.until, sleep.until);
		l->sleep.for_room |= sleep.for_room;
		loop_kick(l);
	}
}

static enum loop_end run(struct loop *l, nanotime until, bool (*done)(void *user), void *user)
{
	/* First it only looks: what has come while nobody ran the loop is there to be taken. */
	struct loop_sleep sleep = { .until = 0, .for_room = l->sleep.for_room };
	for (;;) {
		loop_wait(l, sleep);
		sleep = loop_turn(l);
		if (done && done(user))
			return LOOP_DONE;
		if (clock_now() >= until)
			return LOOP_TIME;
		if (loop_gone(l))
			return LOOP_GONE;
		sleep.until = nanotime_min(sleep.until, until);
	}
}

enum loop_end loop_run(struct loop *l, nanotime until, bool (*done)(void *user), void *user)
{
	enum loop_end end = run(l, until, done, user);
	if (l->poller >= 0)
		arm(l);
	return end;
}
