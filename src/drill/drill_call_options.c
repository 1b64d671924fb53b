/* Calls about descriptors: their flags and options, and waiting for several of them. */
#include "drill/drill_call.h"

bool drill_begin_fcntl(struct drill_host *h, struct drill_running *r, int live)
{
	int command;
	int64_t argument = 0;
	if (!drill_flags_of(r, 1, &command))
		return false;
	if (r->call->count > 2 && !drill_number_of(r, drill_argument(r->call, 2), &argument))
		return false;
	r->result = posix_fcntl(h->posix, live, command, (long)argument);
	return true;
}

bool drill_begin_ioctl(struct drill_host *h, struct drill_running *r, int live)
{
	int64_t request, value = 0;
	const struct drill_expr *e = drill_argument(r->call, 2);
	if (!drill_number_of(r, drill_argument(r->call, 1), &request))
		return false;
	if (request == LINUX_FIONBIO && !drill_number_of(r, e, &value))
		return false;
	r->pair[0] = (int)value;
	r->result = posix_ioctl(h->posix, live, (unsigned long)request, &r->pair[0]);
	return true;
}

/* The value of a socket option as bytes: [1], "cubic", {onoff=1, linger=2} */
static bool option_value(struct drill_running *r, const struct drill_expr *e, int64_t len)
{
	int64_t v, seconds;
	memset(r->value, 0, sizeof r->value);
	if (e->kind == DRILL_LIST && e->first &&
		(e->first->kind == DRILL_STRING || e->first->kind == DRILL_STRUCT))
		e = e->first;
	if (e->kind == DRILL_STRING) {
		size_t n = e->name.len < sizeof r->value ? e->name.len : sizeof r->value;
		memcpy(r->value, e->name.at, n);
		return true;
	}
	if (e->kind == DRILL_STRUCT && drill_field(e, "onoff")) {
		if (!drill_number_of(r, drill_field(e, "onoff"), &v) ||
			!drill_number_of(r, drill_field(e, "linger"), &seconds))
			return false;
		struct linux_linger linger = { (int)v, (int)seconds };
		memcpy(r->value, &linger, sizeof linger);
		return true;
	}
	if (e->kind == DRILL_STRUCT && drill_field(e, "tv_sec")) {
		if (!drill_number_of(r, drill_field(e, "tv_sec"), &v) ||
			!drill_number_of(r, drill_field(e, "tv_usec"), &seconds))
			return false;
		struct linux_timeval time = { v, seconds };
		memcpy(r->value, &time, sizeof time);
		return true;
	}
	if (e->kind == DRILL_ELLIPSIS)
		return true;
	if (!drill_number_of(r, e, &v))
		return false;
	memcpy(r->value, &v, len < 8 ? (size_t)len : 8);
	return true;
}

bool drill_begin_setsockopt(struct drill_host *h, struct drill_running *r, int live)
{
	int64_t level, name, len;
	if (!drill_number_of(r, drill_argument(r->call, 1), &level) ||
		!drill_number_of(r, drill_argument(r->call, 2), &name) ||
		!drill_number_of(r, drill_argument(r->call, 4), &len))
		return false;
	if (len < 0 || len > (int64_t)sizeof r->value)
		return drill_call_fail(r, "an option of %lld bytes", (long long)len);
	if (!option_value(r, drill_argument(r->call, 3), len))
		return false;
	r->result = posix_setsockopt(
		h->posix, live, (int)level, (int)name, r->value, (uint32_t)len);
	return true;
}

bool drill_begin_getsockopt(struct drill_host *h, struct drill_running *r, int live)
{
	int64_t level, name, len = sizeof r->value;
	const struct drill_expr *e = drill_argument(r->call, 4);
	if (!drill_number_of(r, drill_argument(r->call, 1), &level) ||
		!drill_number_of(r, drill_argument(r->call, 2), &name))
		return false;
	if (e->kind != DRILL_ELLIPSIS && !drill_number_of(r, e, &len))
		return false;
	if (len < 0 || len > (int64_t)sizeof r->value)
		return drill_call_fail(r, "an option of %lld bytes", (long long)len);
	r->value_len = (uint32_t)len;
	r->result = posix_getsockopt(
		h->posix, live, (int)level, (int)name, r->value, &r->value_len);
	return true;
}

bool drill_begin_name(struct drill_host *h, struct drill_running *r, int live)
{
	r->address_len = sizeof r->address;
	r->result = drill_is(r->call->name, "getsockname")
		? posix_getsockname(h->posix, live, &r->address, &r->address_len)
		: posix_getpeername(h->posix, live, &r->address, &r->address_len);
	return true;
}

bool drill_begin_poll(struct drill_host *h, struct drill_running *r, int live)
{
	int64_t fd, events, count;
	int timeout;
	unsigned n = 0;
	(void)live;
	for (const struct drill_expr *e = drill_argument(r->call, 0)->first; e; e = e->next) {
		if (n == DRILL_VECTOR)
			return drill_call_fail(r, "more than %d descriptors", DRILL_VECTOR);
		if (!drill_number_of(r, drill_field(e, "fd"), &fd) ||
			!drill_number_of(r, drill_field(e, "events"), &events))
			return false;
		r->poll[n++] = (struct linux_pollfd){ drill_live(h, fd), (int16_t)events, 0 };
	}
	if (!drill_number_of(r, drill_argument(r->call, 1), &count) ||
		!drill_flags_of(r, 2, &timeout))
		return false;
	if (count < 0 || count > n)
		return drill_call_fail(
			r, "%lld descriptors, of which %u are written down", (long long)count, n);
	r->result = posix_poll(h->posix, &r->state, r->poll, (uint32_t)count, timeout);
	return true;
}

bool drill_begin_epoll_create(struct drill_host *h, struct drill_running *r, int live)
{
	int size;
	(void)live;
	if (!drill_flags_of(r, 0, &size))
		return false;
	r->result = posix_epoll_create(h->posix, size);
	return true;
}

/* {events=EPOLLIN, fd=4}: what comes back as data is what the script wrote. */
static bool event_of(
	struct drill_running *r, const struct drill_expr *e, struct linux_epoll_event *event)
{
	int64_t events, data = 0;
	static const char *const names[] = { "fd", "ptr", "u32", "u64" };
	if (!drill_number_of(r, drill_field(e, "events"), &events))
		return false;
	for (unsigned i = 0; i < 4; i++)
		if (drill_field(e, names[i]) &&
			!drill_number_of(r, drill_field(e, names[i]), &data))
			return false;
	event->events = (uint32_t)events;
	event->data = (uint64_t)data;
	return true;
}

bool drill_begin_epoll_ctl(struct drill_host *h, struct drill_running *r, int live)
{
	int64_t operation, fd;
	if (!drill_number_of(r, drill_argument(r->call, 1), &operation) ||
		!drill_number_of(r, drill_argument(r->call, 2), &fd))
		return false;
	const struct drill_expr *e = drill_argument(r->call, 3);
	if (e->kind == DRILL_STRUCT && !event_of(r, e, &r->events[0]))
		return false;
	r->result = posix_epoll_ctl(
		h->posix, live, (int)operation, drill_live(h, fd), &r->events[0]);
	return true;
}

bool drill_begin_epoll_wait(struct drill_host *h, struct drill_running *r, int live)
{
	int most, timeout;
	if (!drill_flags_of(r, 2, &most) || !drill_flags_of(r, 3, &timeout))
		return false;
	most = most < DRILL_VECTOR ? most : DRILL_VECTOR;
	r->result = posix_epoll_wait(h->posix, &r->state, live, r->events, most, timeout);
	return true;
}

bool drill_begin_pipe(struct drill_host *h, struct drill_running *r, int live)
{
	(void)live;
	r->result = posix_pipe(h->posix, r->pair);
	return true;
}

bool drill_begin_splice(struct drill_host *h, struct drill_running *r, int live)
{
	int64_t to, len, flags;
	if (!drill_number_of(r, drill_argument(r->call, 2), &to) ||
		!drill_number_of(r, drill_argument(r->call, 4), &len) ||
		!drill_number_of(r, drill_argument(r->call, 5), &flags))
		return false;
	r->result = posix_splice(
		h->posix, live, NULL, drill_live(h, to), NULL, (size_t)len, (unsigned)flags);
	return true;
}
