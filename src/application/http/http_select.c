/*
 * Entity tags compare strongly for If-Match and If-Range, weakly for
 * If-None-Match (RFC 9110 8.8.3.2); ours are always strong. A Range that is
 * malformed or of another unit is as if it were not there (14.2).
 */
#include "application/http/http_select.h"

#include "application/http/http_date.h"

static struct span span_of_string(const char *s)
{
	size_t len = 0;
	while (s[len])
		len++;
	return span_of(s, len);
}

static bool is_star(struct span s)
{
	return s.len == 1 && s.at[0] == '*';
}

static bool tag_matches(struct span member, const struct http_entity *e, bool weak)
{
	if (weak && member.len > 2 && member.at[0] == 'W' && member.at[1] == '/')
		member = span_after(member, 2);
	return e->etag[0] && span_equal(member, span_of_string(e->etag));
}

/* Is our entity among the tags of this field? */
static bool tag_listed(
	const struct http1_head *h, const char *name, const struct http_entity *e, bool weak)
{
	struct http1_list cursor = { 0 };
	struct span member;

	while (http1_list_next(h, name, &cursor, &member))
		if (is_star(member) || tag_matches(member, e, weak))
			return true;
	return false;
}

/* The date of a field that stands once; else, and where we know no date ourselves, false. */
static bool date_field(const struct http1_head *h, const char *name, const struct http_entity *e,
	int64_t now, int64_t *date)
{
	return e->modified != HTTP_TIME_UNKNOWN && http1_field_count(h, name) == 1 &&
		http_date_parse(http1_field_find(h, name)->value, now, date);
}

/* RFC 9110 13.2.2: 0 to go on, or the status that ends it. */
static unsigned preconditions(const struct http1_head *h, const struct http_entity *e, int64_t now)
{
	int64_t date;

	if (http1_field_find(h, "If-Match")) {
		if (!tag_listed(h, "If-Match", e, false))
			return 412;
	} else if (date_field(h, "If-Unmodified-Since", e, now, &date) && e->modified > date) {
		return 412;
	}
	if (http1_field_find(h, "If-None-Match"))
		return tag_listed(h, "If-None-Match", e, true) ? 304 : 0;
	if (date_field(h, "If-Modified-Since", e, now, &date) && e->modified <= date)
		return 304;
	return 0;
}

/* RFC 9110 13.1.5: does Range still mean the bytes that the client has a part of? */
static bool range_holds(const struct http1_head *h, const struct http_entity *e, int64_t now)
{
	const struct http1_field *f = http1_field_find(h, "If-Range");
	int64_t date;

	if (!f)
		return true;
	if (f->value.len > 0 && (f->value.at[0] == '"' || f->value.at[0] == 'W'))
		return tag_matches(f->value, e, false);
	/* A date is strong only when it is well past (8.8.2.2). */
	return date_field(h, "If-Range", e, now, &date) && e->modified == date && date + 60 <= now;
}

struct range {
	uint64_t first, last;
};

enum range_verdict { RANGE_OK, RANGE_OUTSIDE, RANGE_MALFORMED };

/* "first-last", "first-" or "-count" (14.1.1) */
static enum range_verdict parse_range(struct span s, uint64_t length, struct range *out)
{
	size_t dash = 0;
	uint64_t value;

	while (dash < s.len && s.at[dash] != '-')
		dash++;
	if (dash == s.len)
		return RANGE_MALFORMED;
	struct span before = span_first(s, dash), after = span_after(s, dash + 1);
	if (before.len == 0) {
		enum http1_error e = http1_length_parse(after, &value);
		if (e && e != HTTP1_LENGTH_HUGE)
			return RANGE_MALFORMED;
		if (e || value > length)
			value = length;
		*out = (struct range){ length - value, length - 1 };
		return value == 0 ? RANGE_OUTSIDE : RANGE_OK;
	}
	enum http1_error first = http1_length_parse(before, &out->first);
	enum http1_error last = after.len ? http1_length_parse(after, &out->last) : HTTP1_NONE;
	if ((first && first != HTTP1_LENGTH_HUGE) || (last && last != HTTP1_LENGTH_HUGE))
		return RANGE_MALFORMED;
	if (!first && !last && after.len && out->last < out->first)
		return RANGE_MALFORMED;
	if (first || out->first >= length)
		return RANGE_OUTSIDE;
	if (last || !after.len || out->last >= length)
		out->last = length - 1;
	return RANGE_OK;
}

/* The last range is new: what it overlaps or touches becomes part of it. The count that is left. */
static unsigned merge(struct range *r, unsigned count)
{
	struct range grown = r[--count];

	for (unsigned i = 0; i < count;) {
		if (r[i].first > grown.last + 1 || grown.first > r[i].last + 1) {
			i++;
			continue;
		}
		grown.first = r[i].first < grown.first ? r[i].first : grown.first;
		grown.last = r[i].last > grown.last ? r[i].last : grown.last;
		r[i] = r[--count];
		i = 0; /* it grew: it may touch those before */
	}
	r[count++] = grown;
	return count;
}

struct http_selection http_select(
	const struct http1_head *h, const struct http_entity *e, int64_t now)
{
	struct http_selection whole = { .status = 200, .length = e->length };
	struct range range[HTTP_RANGES_MAX];
	unsigned count = 0, asked = 0, status = preconditions(h, e, now);

	if (status)
		return (struct http_selection){ .status = status };
	const struct http1_field *f = http1_field_find(h, "Range");
	bool get = span_equal(h->method, span_of_string("GET")); /* 14.2: for GET alone */
	if (!f || !get || e->length == HTTP_LENGTH_UNKNOWN || http1_field_count(h, "Range") != 1 ||
		f->value.len < 6 || !http1_name_is(span_first(f->value, 6), "bytes=") ||
		!range_holds(h, e, now))
		return whole;

	struct http1_field set = { .name = f->name, .value = span_after(f->value, 6) };
	struct http1_head list = { .field = &set, .field_count = 1 };
	struct http1_list cursor = { 0 };
	struct span member;
	while (http1_list_next(&list, "Range", &cursor, &member)) {
		if (asked++ == HTTP_RANGES_MAX)
			return whole;
		enum range_verdict v = parse_range(member, e->length, &range[count]);
		if (v == RANGE_MALFORMED)
			return whole;
		if (v == RANGE_OK)
			count = merge(range, count + 1);
	}
	if (asked == 0 || count > 1)
		return whole;
	if (count == 0)
		return (struct http_selection){ .status = 416 };
	return (struct http_selection){
		.status = 206, .first = range[0].first, .length = range[0].last - range[0].first + 1
	};
}
