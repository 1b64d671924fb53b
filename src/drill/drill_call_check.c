/*
 * What a call returned and filled in, held against the script: results and
 * errors, option values, events, and messages with their control data.
 */
#include "drill/drill_call.h"

#include <stdio.h>

/* "-1 ECONNRESET", "1000" */
static void result_text(int64_t result, char *out, size_t cap)
{
	const char *name = result < 0 ? linux_error_name((int)-result) : NULL;
	if (result >= 0)
		snprintf(out, cap, "%lld", (long long)result);
	else if (name)
		snprintf(out, cap, "-1 %s", name);
	else
		snprintf(out, cap, "-1 (errno %lld)", (long long)-result);
}

/* Numbers of descriptors are the script's own: they need not be equal. */
static bool gives_descriptor(const struct drill_call *c)
{
	return drill_is(c->name, "socket") || drill_is(c->name, "accept") ||
		drill_is(c->name, "epoll_create");
}

static bool check_result(struct drill_host *h, struct drill_running *r)
{
	const struct drill_expr *want = r->call->result;
	char got[64];
	if (want->kind == DRILL_ANY || want->kind == DRILL_ELLIPSIS)
		return true;
	if (want->kind != DRILL_NUMBER)
		return drill_call_fail(r, "the result must be a number, '?' or '...'");
	result_text(r->result, got, sizeof got);
	if (want->number == -1 && r->result < 0) {
		if (r->call->error == 0 || r->call->error == -r->result)
			return true;
		return drill_call_fail(
			r, "returned %s, not -1 %s", got, linux_error_name(r->call->error));
	}
	if (r->result >= 0 && gives_descriptor(r->call) && want->number >= 0) {
		if (want->number >= DRILL_DESCRIPTORS)
			return drill_call_fail(
				r, "descriptors end at %d here", DRILL_DESCRIPTORS - 1);
		h->descriptor[want->number] = (int)r->result;
		return true;
	}
	if (r->result == want->number)
		return true;
	if (want->number == -1 && r->call->error)
		return drill_call_fail(
			r, "returned %s, not -1 %s", got, linux_error_name(r->call->error));
	return drill_call_fail(r, "returned %s, not %lld", got, (long long)want->number);
}

static bool check_getsockopt(struct drill_running *r)
{
	const struct drill_expr *e = drill_argument(r->call, 3);
	int64_t want;
	if (e->kind == DRILL_ELLIPSIS)
		return true;
	if (e->kind == DRILL_LIST && e->first && e->first->kind != DRILL_NUMBER)
		e = e->first;
	if (e->kind == DRILL_STRING) {
		size_t len = strnlen((const char *)r->value, r->value_len);
		return span_equal(span_of(r->value, len), e->name)
			? true
			: drill_call_fail(r, "the value is \"%.*s\", not \"%.*s\"", (int)len,
				  (const char *)r->value, (int)e->name.len,
				  (const char *)e->name.at);
	}
	if (e->kind == DRILL_STRUCT && drill_field(e, "onoff")) {
		struct linux_linger linger;
		int64_t seconds;
		memcpy(&linger, r->value, sizeof linger);
		if (!drill_number_of(r, drill_field(e, "onoff"), &want) ||
			!drill_number_of(r, drill_field(e, "linger"), &seconds))
			return false;
		return linger.on == want && linger.seconds == seconds
			? true
			: drill_call_fail(r, "the value is {onoff=%d, linger=%d}", linger.on,
				  linger.seconds);
	}
	if (!drill_number_of(r, e, &want))
		return false;
	uint32_t got = 0;
	memcpy(&got, r->value, r->value_len < 4 ? r->value_len : 4);
	if (got == (uint32_t)want)
		return true;
	const char *name = got ? linux_error_name((int)got) : NULL;
	if (name && drill_argument(r->call, 2)->number == LINUX_SO_ERROR)
		return drill_call_fail(r, "the value is %s, not %lld", name, (long long)want);
	return drill_call_fail(r, "the value is %u, not %u", got, (uint32_t)want);
}

static bool check_ioctl(struct drill_running *r)
{
	const struct drill_expr *e = drill_argument(r->call, 2);
	int64_t want;
	if (e->kind == DRILL_ELLIPSIS)
		return true;
	if (!drill_number_of(r, e, &want))
		return false;
	return r->pair[0] == want
		? true
		: drill_call_fail(r, "the value is %d, not %lld", r->pair[0], (long long)want);
}

static bool check_poll(struct drill_running *r)
{
	unsigned i = 0;
	int64_t want;
	for (const struct drill_expr *e = drill_argument(r->call, 0)->first; e; e = e->next, i++) {
		const struct drill_expr *f = drill_field(e, "revents");
		if (!f || f->kind == DRILL_ELLIPSIS)
			continue;
		if (!drill_number_of(r, f, &want))
			return false;
		if ((uint16_t)r->poll[i].revents != (uint16_t)want)
			return drill_call_fail(r, "revents is %#x, not %#x",
				(unsigned)(uint16_t)r->poll[i].revents, (unsigned)(uint16_t)want);
	}
	return true;
}

static bool check_epoll_wait(struct drill_running *r)
{
	const struct drill_expr *e = drill_argument(r->call, 1);
	int64_t events, data;
	if (e->kind == DRILL_LIST)
		e = e->first;
	for (int64_t i = 0; e && i < r->result; i++, e = e->next) {
		if (e->kind == DRILL_ELLIPSIS)
			continue;
		const struct drill_expr *f = drill_field(e, "fd") ? drill_field(e, "fd")
								  : drill_field(e, "ptr");
		if (!drill_number_of(r, drill_field(e, "events"), &events))
			return false;
		if (r->events[i].events != (uint32_t)events)
			return drill_call_fail(
				r, "events is %#x, not %#x", r->events[i].events, (unsigned)events);
		if (f && !drill_number_of(r, f, &data))
			return false;
		if (f && r->events[i].data != (uint64_t)data)
			return drill_call_fail(r, "the event's data is %llu, not %lld",
				(unsigned long long)r->events[i].data, (long long)data);
		if (drill_argument(r->call, 1)->kind != DRILL_LIST)
			break;
	}
	return true;
}

static bool check_pipe(struct drill_host *h, struct drill_running *r)
{
	int64_t end[2];
	const struct drill_expr *e = drill_argument(r->call, 0)->first;
	if (!e || !e->next || !drill_number_of(r, e, &end[0]) ||
		!drill_number_of(r, e->next, &end[1]))
		return drill_call_fail(r, "takes [A, B]");
	for (unsigned i = 0; i < 2; i++)
		if (end[i] >= 0 && end[i] < DRILL_DESCRIPTORS)
			h->descriptor[end[i]] = r->pair[i];
	return true;
}

bool drill_call_check(struct drill_host *h, struct drill_running *r, struct drill_problem *p)
{
	const struct span name = r->call->name;
	r->problem = p;
	if (!check_result(h, r))
		return false;
	if (r->result < 0)
		return true;
	if (drill_is(name, "getsockopt"))
		return check_getsockopt(r);
	if (drill_is(name, "ioctl"))
		return check_ioctl(r);
	if (drill_is(name, "poll"))
		return check_poll(r);
	if (drill_is(name, "epoll_wait"))
		return check_epoll_wait(r);
	if (drill_is(name, "pipe"))
		return check_pipe(h, r);
	if (drill_is(name, "recvmsg"))
		return drill_message_check(h, r, drill_argument(r->call, 1));
	return true;
}
