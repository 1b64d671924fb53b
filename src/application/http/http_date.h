/*
 * HTTP dates (RFC 9110 5.6.7): written as IMF-fixdate, read in all three forms
 * that a recipient must accept. Days are counted with the proleptic Gregorian
 * calendar; no time zone but UTC exists here.
 */
#ifndef STRATA_APPLICATION_HTTP_DATE_H
#define STRATA_APPLICATION_HTTP_DATE_H

#include "base/span.h"

#define HTTP_DATE_MAX 30 /* "Sun, 06 Nov 1994 08:49:37 GMT" and NUL */

/* Seconds since 1970-01-01 00:00:00 UTC, years 0 to 9999; others are clamped. */
void http_date_format(int64_t seconds, char out[HTTP_DATE_MAX]);
/* `now` (same count) decides the century of two-digit years. */
bool http_date_parse(struct span text, int64_t now, int64_t *seconds);

#endif
