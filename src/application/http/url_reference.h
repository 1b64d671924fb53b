/*
 * The URL that a Location field or a page's link means (RFC 3986 5.2): absolute,
 * "//host/...", "/path", "?query" or "path", taken from where it was found. The
 * fragment is cut off; blanks and bytes beyond ASCII, which servers write though
 * they must not, are encoded.
 */
#ifndef STRATA_APPLICATION_URL_REFERENCE_H
#define STRATA_APPLICATION_URL_REFERENCE_H

#include "wire/url.h"

/* Writes the URL's text, NUL-closed. Its length, or 0: it does not fit, or has another scheme's
 * form. Whether it is a good http URL is url_parse's to say. */
size_t url_reference(const struct url *base, struct span reference, char *out, size_t cap);

#endif
