/*
 * poll and epoll. The level of a descriptor is computed when it is asked for
 * (file_mask); edges come from posix_look and from the calls, which mark everybody
 * who watches a descriptor when something happens to it, as Linux's wake-ups do. A
 * watcher that is marked is looked at once; level-triggered ones stay marked while
 * their level holds.
 */
#include "posix/posix_file.h"

#define READ_BITS  (uint32_t)(LINUX_POLLIN | LINUX_POLLRDNORM)
#define WRITE_BITS (uint32_t)(LINUX_POLLOUT | LINUX_POLLWRNORM)

static uint32_t stream_mask(struct posix *p, struct file *f)
{
	uint32_t mask = 0;
	struct sock_tcp_info i;
	sock_tcp_info(p->stack, f->id, &i);
	bool dead = socket_dead(p, f);
	bool end = i.fin_received || f->read_shut || dead;
	if (dead || (f->write_shut && end))
		mask |= LINUX_POLLHUP;
	if (end)
		mask |= READ_BITS | LINUX_POLLRDHUP;
	bool error = dead && !f->error_told && sock_error(p->stack, f->id) != ERR_OK;
	if (error || f->notes)
		mask |= LINUX_POLLERR;
	if (f->deferred)
		return mask | WRITE_BITS;
	if (f->connecting && !dead && !(sock_poll(p->stack, f->id) & EVENT_CONNECTED))
		return mask;
	/* Where the window is too small for more, this is all there will be. */
	bool enough = i.unread >= (uint32_t)f->read_low || i.rcv_wnd <= i.rcv_mss;
	if (i.unread && enough && !oob_alone(p, f))
		mask |= READ_BITS;
	if (oob_waits(p, f))
		mask |= LINUX_POLLPRI;
	if (f->write_shut || dead || send_is_writable(p, f))
		mask |= WRITE_BITS;
	else
		f->queue.no_space = true; /* it will hear of room */
	return mask;
}

uint32_t file_mask(struct posix *p, struct file *f)
{
	switch (f->kind) {
	case FILE_SOCKET:
		if (f->datagram)
			return udp_mask(p, f);
		if (f->stage == STAGE_STREAM)
			return stream_mask(p, f);
		if (f->stage == STAGE_LISTEN)
			return sock_poll(p->stack, f->id) & EVENT_READABLE ? READ_BITS : 0;
		return WRITE_BITS | LINUX_POLLHUP | (f->pending_error ? LINUX_POLLERR : 0u);
	case FILE_PIPE_READ:
		return (f->pipe_filled ? READ_BITS : 0) | (f->other ? 0 : (uint32_t)LINUX_POLLHUP);
	case FILE_PIPE_WRITE: return f->other ? WRITE_BITS : (uint32_t)LINUX_POLLERR;
	default: return 0;
	}
}

int64_t poll_try(struct posix *p, struct posix_call *c)
{
	struct linux_pollfd *fds = c->events;
	int64_t ready = 0;
	for (uint32_t i = 0; i < c->max; i++) {
		struct file *f = fds[i].fd < 0 ? NULL : file_find(p, fds[i].fd);
		uint32_t mask = f ? file_mask(p, f) : LINUX_POLLNVAL;
		uint32_t told = LINUX_POLLERR | LINUX_POLLHUP | LINUX_POLLNVAL;
		mask &= (uint16_t)fds[i].events | told;
		fds[i].revents = fds[i].fd < 0 ? 0 : (int16_t)mask;
		ready += fds[i].revents != 0;
	}
	return ready || !call_may_wait(p, c) ? ready : POSIX_WAIT;
}

static nanotime deadline_of(const struct posix *p, int timeout)
{
	return timeout < 0 ? NANOTIME_NEVER : p->now + timeout * NANO_MS;
}

int64_t posix_poll(struct posix *p, struct posix_call *keep, struct linux_pollfd *fds,
	uint32_t count, int timeout)
{
	if (count > p->config.descriptors)
		return -LINUX_EINVAL;
	struct posix_call c = {
		.kind = CALL_POLL, .events = fds, .max = count, .deadline = deadline_of(p, timeout)
	};
	return call_begin(p, keep, &c);
}

int64_t posix_epoll_create(struct posix *p, int size)
{
	if (size <= 0)
		return -LINUX_EINVAL;
	struct file *f = file_new(p, FILE_EPOLL);
	return f ? f->number : -LINUX_EMFILE;
}

static struct watched *watched_find(const struct file *e, int number)
{
	for (unsigned i = 0; i < POSIX_WATCHED; i++)
		if (e->watched[i].number == number)
			return &e->watched[i];
	return NULL;
}

void watched_wake(struct posix *p, const struct file *f)
{
	for (uint32_t i = 0; i < p->config.descriptors; i++) {
		struct watched *w = p->file[i].kind == FILE_EPOLL
			? watched_find(&p->file[i], f->number)
			: NULL;
		if (w)
			w->ready = true;
	}
}

void watched_forget(struct posix *p, int number)
{
	for (uint32_t i = 0; i < p->config.descriptors; i++) {
		struct watched *w = p->file[i].kind == FILE_EPOLL
			? watched_find(&p->file[i], number)
			: NULL;
		if (w)
			*w = (struct watched){ 0 };
	}
}

int64_t posix_epoll_ctl(
	struct posix *p, int epfd, int op, int fd, const struct linux_epoll_event *event)
{
	struct file *e = file_find(p, epfd), *f = file_find(p, fd);
	if (!e || !f)
		return -LINUX_EBADF;
	if (e->kind != FILE_EPOLL || e == f)
		return -LINUX_EINVAL;
	if (f->kind == FILE_EPOLL)
		return -LINUX_EINVAL; /* no nests: nothing here needs them */
	struct watched *w = watched_find(e, fd);
	const uint32_t exclusive = (uint32_t)LINUX_EPOLLEXCLUSIVE;
	const uint32_t beside = LINUX_EPOLLIN | LINUX_EPOLLOUT | LINUX_EPOLLERR | LINUX_EPOLLHUP |
		(uint32_t)LINUX_EPOLLET | LINUX_EPOLLWAKEUP;
	bool asks = op != LINUX_EPOLL_CTL_DEL && event && event->events & exclusive;
	/* Who is woken alone is so from the first on, and for little else. */
	if (asks && (op == LINUX_EPOLL_CTL_MOD || event->events & ~(beside | exclusive)))
		return -LINUX_EINVAL;
	if (op == LINUX_EPOLL_CTL_MOD && w && w->events & exclusive)
		return -LINUX_EINVAL;
	if (op != LINUX_EPOLL_CTL_DEL && !event)
		return -LINUX_EFAULT;
	switch (op) {
	case LINUX_EPOLL_CTL_ADD:
		if (w)
			return -LINUX_EEXIST;
		w = watched_find(e, 0);
		if (!w)
			return -LINUX_ENOSPC;
		break;
	case LINUX_EPOLL_CTL_MOD:
	case LINUX_EPOLL_CTL_DEL:
		if (!w)
			return -LINUX_ENOENT;
		break;
	default: return -LINUX_EINVAL;
	}
	if (op == LINUX_EPOLL_CTL_DEL) {
		*w = (struct watched){ 0 };
		return 0;
	}
	*w = (struct watched){
		.number = fd, .events = event->events, .data = event->data, .ready = true
	};
	return 0;
}

/* Is this one to be reported now? */
static bool take_ready(struct posix *p, struct watched *w, struct linux_epoll_event *out)
{
	const uint32_t always = LINUX_EPOLLERR | LINUX_EPOLLHUP;
	bool edge = w->events & (uint32_t)LINUX_EPOLLET;
	struct file *f = file_find(p, w->number);
	if (!f || w->disabled || (edge && !w->ready))
		return false;
	uint32_t mask = file_mask(p, f) & (w->events | always);
	w->ready = false;
	if (!mask)
		return false;
	w->disabled = w->events & LINUX_EPOLLONESHOT;
	out->events = mask;
	out->data = w->data;
	return true;
}

int64_t epoll_try(struct posix *p, struct posix_call *c)
{
	struct file *e = file_find(p, c->fd);
	if (!e)
		return -LINUX_EBADF;
	if (e->kind != FILE_EPOLL)
		return -LINUX_EINVAL;
	struct linux_epoll_event *events = c->events;
	uint32_t count = 0;
	unsigned begin = e->watched_next;
	for (unsigned i = 0; i < POSIX_WATCHED && count < c->max; i++) {
		unsigned at = (begin + i) % POSIX_WATCHED;
		struct watched *w = &e->watched[at];
		if (w->number && take_ready(p, w, &events[count])) {
			count++;
			e->watched_next = at + 1;
		}
	}
	return count || !call_may_wait(p, c) ? (int64_t)count : POSIX_WAIT;
}

int64_t posix_epoll_wait(struct posix *p, struct posix_call *keep, int epfd,
	struct linux_epoll_event *events, int max, int timeout)
{
	if (max <= 0)
		return -LINUX_EINVAL;
	struct posix_call c = { .kind = CALL_EPOLL,
		.fd = epfd,
		.events = events,
		.max = (uint32_t)max,
		.deadline = deadline_of(p, timeout) };
	return call_begin(p, keep, &c);
}
