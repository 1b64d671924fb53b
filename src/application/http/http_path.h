/*
 * Request paths made safe. Percent signs are decoded exactly once, then the
 * result is refused (never repaired) if a segment is "." or "..", if it has NUL,
 * a control byte or a backslash, or if a slash was written as %2F: two programs
 * that read such a path differently are how pages outside of the root get served.
 * Empty segments are dropped, as everybody does.
 */
#ifndef STRATA_APPLICATION_HTTP_PATH_H
#define STRATA_APPLICATION_HTTP_PATH_H

#include "base/span.h"

enum http_path_verdict {
	HTTP_PATH_OK,
	HTTP_PATH_FORM,  /* no '/' first, a bad escape, a forbidden byte */
	HTTP_PATH_CLIMB, /* a "." or ".." segment */
	HTTP_PATH_LONG,  /* does not fit */
};

/* Decodes `path` (a target's, without query) to `out`; *len without a NUL, which is added. */
enum http_path_verdict http_path_decode(struct span path, char *out, size_t cap, size_t *len);
/* Writes a decoded path as a URI's path again, for Location and pages. Length; 0: does not fit. */
size_t http_path_encode(struct span path, char *out, size_t cap);
/* Content-Type by the extension, "application/octet-stream" where it is not known. */
const char *http_media_type(struct span path);

#endif
