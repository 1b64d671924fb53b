/*
 * sendmsg and recvmsg: the pieces of a message, and control data, which a script
 * writes as a list of {cmsg_level=, cmsg_type=, cmsg_data=}.
 */
#include "drill/drill_call.h"

#include <stdio.h>

/* What a timestamp on a message is made of (struct scm_timestamping). */
struct stamps {
	int64_t sec, nsec;
	int64_t others[4];
};

static bool begin_pieces(
	struct drill_host *h, struct drill_running *r, const struct drill_expr *e, bool sends)
{
	uint8_t *at = sends ? h->zeroes : h->scratch;
	size_t left = DRILL_BUFFER, count = 0;
	if (!e || e->kind != DRILL_LIST)
		return drill_call_fail(r, "a message has msg_iov(N)=[{..., LENGTH}]");
	for (const struct drill_expr *i = e->first; i; i = i->next) {
		int64_t len;
		if (count == DRILL_VECTOR)
			return drill_call_fail(r, "more than %d pieces", DRILL_VECTOR);
		if (!drill_number_of(r, i->first ? i->first->next : NULL, &len))
			return false;
		if (len < 0 || (uint64_t)len > left)
			return drill_call_fail(r, "a call moves at most %u bytes", DRILL_BUFFER);
		r->iov[count++] = (struct linux_iovec){ at, (size_t)len };
		at += len;
		left -= (size_t)len;
	}
	r->message.iov = r->iov;
	r->message.iov_len = count;
	return true;
}

/* Control data that the script sends: numbers only. */
static bool begin_control(struct drill_running *r, const struct drill_expr *e)
{
	size_t len = 0;
	for (const struct drill_expr *i = e ? e->first : NULL; i; i = i->next) {
		int64_t level, type, data;
		struct linux_cmsghdr header = { .len = sizeof header + sizeof(int) };
		if (!drill_number_of(r, drill_field(i, "cmsg_level"), &level) ||
			!drill_number_of(r, drill_field(i, "cmsg_type"), &type) ||
			!drill_number_of(r, drill_field(i, "cmsg_data"), &data))
			return false;
		if (len + LINUX_CMSG_SPACE(sizeof(int)) > sizeof r->control)
			return drill_call_fail(r, "too much control data");
		header.level = (int)level;
		header.type = (int)type;
		int number = (int)data;
		memcpy(r->control + len, &header, sizeof header);
		memcpy(r->control + len + sizeof header, &number, sizeof number);
		len += LINUX_CMSG_SPACE(sizeof(int));
	}
	r->message.control = len ? r->control : NULL;
	r->message.control_len = len;
	return true;
}

bool drill_message_begin(
	struct drill_host *h, struct drill_running *r, const struct drill_expr *e, bool sends)
{
	if (!e || e->kind != DRILL_STRUCT)
		return drill_call_fail(
			r, "a message is {msg_name(...)=..., msg_iov(N)=[...], msg_flags=N}");
	if (!begin_pieces(h, r, drill_field(e, "msg_iov"), sends))
		return false;
	if (!drill_address(h, r, drill_field(e, "msg_name"), &h->remote, 8080))
		return false;
	r->message.name = &r->address;
	r->message.name_len = sends ? r->address_len : (uint32_t)sizeof r->address;
	if (sends)
		return begin_control(r, drill_field(e, "msg_control"));
	r->message.control = r->control;
	r->message.control_len = sizeof r->control;
	return true;
}

static bool want_number(
	struct drill_running *r, const struct drill_expr *data, const char *name, int64_t got)
{
	const struct drill_expr *e = drill_field(data, name);
	int64_t want;
	if (!e || e->kind == DRILL_ELLIPSIS)
		return true;
	if (!drill_number_of(r, e, &want))
		return false;
	return got == want
		? true
		: drill_call_fail(r, "%s is %lld, not %lld", name, (long long)got, (long long)want);
}

static bool check_error(struct drill_running *r, const struct drill_expr *data, struct span got)
{
	struct linux_extended_err error;
	if (got.len < sizeof error)
		return drill_call_fail(r, "the error in the message is cut short");
	memcpy(&error, got.at, sizeof error);
	return want_number(r, data, "ee_errno", error.error) &&
		want_number(r, data, "ee_origin", error.origin) &&
		want_number(r, data, "ee_type", error.type) &&
		want_number(r, data, "ee_code", error.code) &&
		want_number(r, data, "ee_info", error.info) &&
		want_number(r, data, "ee_data", error.data);
}

/* Times count from the script's beginning. */
static bool check_stamp(struct drill_host *h, struct drill_running *r,
	const struct drill_expr *data, struct span got)
{
	struct stamps stamps;
	int64_t sec, nsec;
	if (got.len < sizeof stamps)
		return drill_call_fail(r, "the timestamp in the message is cut short");
	memcpy(&stamps, got.at, sizeof stamps);
	if (!drill_number_of(r, drill_field(data, "scm_sec"), &sec) ||
		!drill_number_of(r, drill_field(data, "scm_nsec"), &nsec))
		return false;
	int64_t was = stamps.sec * NANO_S + stamps.nsec - h->start;
	int64_t off = was - (sec * NANO_S + nsec);
	if ((off < 0 ? -off : off) <= h->tolerance)
		return true;
	return drill_call_fail(r, "the timestamp says %lld ns, not %lld ns", (long long)was,
		(long long)(sec * NANO_S + nsec));
}

static bool check_control(struct drill_host *h, struct drill_running *r,
	const struct drill_expr *want, const struct linux_cmsghdr *got, struct span data)
{
	const struct drill_expr *e = drill_field(want, "cmsg_data");
	int64_t level, type, number;
	if (!drill_number_of(r, drill_field(want, "cmsg_level"), &level) ||
		!drill_number_of(r, drill_field(want, "cmsg_type"), &type))
		return false;
	if (got->level != level || got->type != type)
		return drill_call_fail(r,
			"control data of level %d and type %d, not of level %lld and type %lld",
			got->level, got->type, (long long)level, (long long)type);
	if (!e || e->kind == DRILL_ELLIPSIS)
		return true;
	if (drill_field(e, "ee_errno") || drill_field(e, "ee_origin"))
		return check_error(r, e, data);
	if (drill_field(e, "scm_sec"))
		return check_stamp(h, r, e, data);
	int value = 0;
	memcpy(&value, data.at, data.len < sizeof value ? data.len : sizeof value);
	if (!drill_number_of(r, e, &number))
		return false;
	return value == number
		? true
		: drill_call_fail(r, "cmsg_data is %d, not %lld", value, (long long)number);
}

bool drill_message_check(struct drill_host *h, struct drill_running *r, const struct drill_expr *e)
{
	const struct drill_expr *list = drill_field(e, "msg_control");
	if (!want_number(r, e, "msg_flags", r->message.flags))
		return false;
	if (!list || list->kind != DRILL_LIST)
		return true;
	size_t at = 0, end = r->message.control_len;
	end = end < sizeof r->control ? end : sizeof r->control;
	for (const struct drill_expr *want = list->first; want; want = want->next) {
		struct linux_cmsghdr header;
		if (end - at < sizeof header)
			return drill_call_fail(r, "there is less control data than expected");
		memcpy(&header, r->control + at, sizeof header);
		if (header.len < sizeof header || header.len > end - at)
			return drill_call_fail(r, "control data with a length that cannot be");
		struct span data = span_of(
			r->control + at + sizeof header, header.len - sizeof header);
		if (!check_control(h, r, want, &header, data))
			return false;
		size_t step = (header.len + 7) & ~(size_t)7;
		at += step < end - at ? step : end - at;
	}
	return end - at < sizeof(struct linux_cmsghdr)
		? true
		: drill_call_fail(r, "there is more control data than expected");
}
