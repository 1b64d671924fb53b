/*
 * Days are counted from 1970-01-01 by the method of Howard Hinnant's
 * days_from_civil: years that begin in March, in eras of 400 years, so that the
 * leap day is the last of its year and no table is needed.
 */
#include "application/http/http_date.h"

#include "base/text.h"

#define DAY  INT64_C(86400)
#define LAST INT64_C(253402300799) /* 9999-12-31 23:59:59 */
#define ZERO INT64_C(-62167219200) /* 0000-01-01 00:00:00 */

static const char day_names[7][4] = { "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat" };
static const char *const long_day_names[7] = { "Sunday", "Monday", "Tuesday", "Wednesday",
	"Thursday", "Friday", "Saturday" };
static const char month_names[12][4] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug",
	"Sep", "Oct", "Nov", "Dec" };

struct date {
	int64_t year;
	unsigned month, day; /* from 1 */
	unsigned hour, minute, second;
};

/* Years from 0 on. */
static int64_t days_of(const struct date *d)
{
	int64_t year = d->month <= 2 ? d->year + 399 : d->year + 400; /* not negative */
	int64_t era = year / 400, of_era = year % 400;
	int64_t month = (d->month + 9) % 12;
	int64_t of_year = (153 * month + 2) / 5 + d->day - 1;
	return (era - 1) * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

static struct date date_of(int64_t days)
{
	days += 719468 + 146097; /* from 0000-03-01, one era earlier: not negative */
	int64_t era = days / 146097, of_era = days % 146097;
	int64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
	int64_t of_year = of_era - (365 * year + year / 4 - year / 100);
	int64_t month = (5 * of_year + 2) / 153;
	struct date d = { .day = (unsigned)(of_year - (153 * month + 2) / 5 + 1),
		.month = (unsigned)(month < 10 ? month + 3 : month - 9) };
	d.year = year + (era - 1) * 400 + (d.month <= 2);
	return d;
}

void http_date_format(int64_t seconds, char out[HTTP_DATE_MAX])
{
	struct text t = text_of(out, HTTP_DATE_MAX);

	seconds = seconds < ZERO ? ZERO : seconds > LAST ? LAST : seconds;
	int64_t days = (seconds - ZERO) / DAY + ZERO / DAY;
	unsigned of_day = (unsigned)((seconds - ZERO) % DAY);
	struct date d = date_of(days);
	/* 0000-01-01 was a Saturday. */
	text_string(&t, day_names[((seconds - ZERO) / DAY + 6) % 7]);
	text_string(&t, ", ");
	text_padded(&t, d.day, 2);
	text_char(&t, ' ');
	text_string(&t, month_names[d.month - 1]);
	text_char(&t, ' ');
	text_padded(&t, (uint64_t)d.year, 4);
	text_char(&t, ' ');
	text_padded(&t, of_day / 3600, 2);
	text_char(&t, ':');
	text_padded(&t, of_day / 60 % 60, 2);
	text_char(&t, ':');
	text_padded(&t, of_day % 60, 2);
	text_string(&t, " GMT");
}

/* ---- reading: each step takes what it knows off the front ---- */

static bool take(struct span *s, const char *literal)
{
	size_t len = 0;

	while (literal[len]) {
		if (len == s->len || s->at[len] != (uint8_t)literal[len])
			return false;
		len++;
	}
	*s = span_after(*s, len);
	return true;
}

static bool take_digits(struct span *s, unsigned count, unsigned *out)
{
	*out = 0;
	if (s->len < count)
		return false;
	for (unsigned i = 0; i < count; i++) {
		if (s->at[i] < '0' || s->at[i] > '9')
			return false;
		*out = *out * 10 + (s->at[i] - '0');
	}
	*s = span_after(*s, count);
	return true;
}

static bool take_month(struct span *s, unsigned *out)
{
	for (unsigned i = 0; i < 12; i++) {
		if (take(s, month_names[i])) {
			*out = i + 1;
			return true;
		}
	}
	return false;
}

static bool take_clock(struct span *s, struct date *d)
{
	return take_digits(s, 2, &d->hour) && take(s, ":") && take_digits(s, 2, &d->minute) &&
		take(s, ":") && take_digits(s, 2, &d->second);
}

/* "Sun, 06 Nov 1994 08:49:37 GMT" behind "Sun" */
static bool read_fixdate(struct span s, struct date *d)
{
	unsigned year = 0;
	bool ok = take(&s, ", ") && take_digits(&s, 2, &d->day) && take(&s, " ") &&
		take_month(&s, &d->month) && take(&s, " ") && take_digits(&s, 4, &year) &&
		take(&s, " ") && take_clock(&s, d) && take(&s, " GMT") && s.len == 0;
	d->year = year;
	return ok;
}

/* "Sunday, 06-Nov-94 08:49:37 GMT" behind "Sunday" */
static bool read_rfc850(struct span s, int64_t now, struct date *d)
{
	unsigned year = 0;
	bool ok = take(&s, ", ") && take_digits(&s, 2, &d->day) && take(&s, "-") &&
		take_month(&s, &d->month) && take(&s, "-") && take_digits(&s, 2, &year) &&
		take(&s, " ") && take_clock(&s, d) && take(&s, " GMT") && s.len == 0;
	/* More than 50 years ahead means the past (RFC 9110 5.6.7). */
	int64_t today = now < 0 ? 1970 : now > LAST ? 9999 : date_of(now / DAY).year;
	d->year = today - today % 100 + year;
	if (d->year > today + 50)
		d->year -= 100;
	return ok;
}

/* "Sun Nov  6 08:49:37 1994" behind "Sun" */
static bool read_asctime(struct span s, struct date *d)
{
	unsigned year = 0;
	bool ok = take(&s, " ") && take_month(&s, &d->month) && take(&s, " ") &&
		(take(&s, " ") ? take_digits(&s, 1, &d->day) : take_digits(&s, 2, &d->day)) &&
		take(&s, " ") && take_clock(&s, d) && take(&s, " ") && take_digits(&s, 4, &year) &&
		s.len == 0;
	d->year = year;
	return ok;
}

static bool read_date(struct span text, int64_t now, struct date *d)
{
	struct span s = text;

	for (unsigned i = 0; i < 7; i++) {
		if (take(&s, long_day_names[i]))
			return read_rfc850(s, now, d);
		if (take(&s, day_names[i]))
			return s.len > 0 && s.at[0] == ',' ? read_fixdate(s, d)
							   : read_asctime(s, d);
	}
	return false;
}

bool http_date_parse(struct span text, int64_t now, int64_t *seconds)
{
	static const uint8_t lengths[12] = { 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	struct date d = { 0 };

	if (!read_date(text, now, &d) || d.day == 0 || d.day > lengths[d.month - 1] ||
		d.hour > 23 || d.minute > 59 || d.second > 60)
		return false;
	bool leap = d.year % 4 == 0 && (d.year % 100 != 0 || d.year % 400 == 0);
	if (d.month == 2 && d.day == 29 && !leap)
		return false;
	*seconds = days_of(&d) * DAY + d.hour * 3600 + d.minute * 60 + d.second;
	return true;
}
