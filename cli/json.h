/*
 * JSON, written as it comes: objects and arrays are opened and closed, members
 * have keys, elements of arrays have NULL for a key. Numbers are whole; strings
 * are escaped, and bytes that are not UTF-8 become U+FFFD, so that what comes
 * out is JSON whatever went in (RFC 8259).
 */
#ifndef STRATA_CLI_JSON_H
#define STRATA_CLI_JSON_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/addr.h"

#define JSON_DEPTH 16

struct json {
	FILE *file;
	unsigned depth;
	bool lines; /* no line breaks inside: one object a line */
	bool array[JSON_DEPTH], filled[JSON_DEPTH];
};

/* Opens the outermost object, with its schema ("strata.get/1"). */
void json_begin(struct json *j, FILE *f, const char *schema);
/* The same on one line, for streams of objects. */
void json_begin_line(struct json *j, FILE *f, const char *schema);
/* Closes it, and the line. */
void json_finish(struct json *j);

void json_object(struct json *j, const char *key);
void json_array(struct json *j, const char *key);
void json_close(struct json *j);

void json_string(struct json *j, const char *key, const char *value); /* NULL: null */
void json_span(struct json *j, const char *key, struct span value);
void json_unsigned(struct json *j, const char *key, uint64_t value);
void json_signed(struct json *j, const char *key, int64_t value);
void json_bool(struct json *j, const char *key, bool value);
void json_null(struct json *j, const char *key);
void json_addr(struct json *j, const char *key, const struct addr *a);
void json_mac(struct json *j, const char *key, const struct mac *m);
/* Is it UTF-8 without control characters but tab and line ends? */
bool json_is_text(struct span s);
void json_base64(struct json *j, const char *key, struct span value);

#endif
