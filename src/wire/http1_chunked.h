/*
 * The chunked transfer coding (RFC 9112 7.1): each chunk says its size in
 * hexadecimal, a chunk of size 0 ends the body, then come trailer fields and an
 * empty line. The decoder takes pieces of any size and lends back runs of body
 * bytes without copying them. Chunk extensions are checked for form, bounded
 * and ignored; trailers are checked and bounded like fields but kept apart from
 * the head, and those that may not be trailers (framing, routing, credentials:
 * RFC 9110 6.5.1) are counted and left out.
 */
#ifndef STRATA_WIRE_HTTP1_CHUNKED_H
#define STRATA_WIRE_HTTP1_CHUNKED_H

#include "wire/http1.h"

#define HTTP1_EXTENSIONS_MAX    256   /* bytes of extensions in one chunk */
#define HTTP1_EXTENSIONS_TOTAL  16384 /* and in one body */
#define HTTP1_TRAILERS_MAX      32    /* trailer lines */
#define HTTP1_TRAILER_BYTES_MAX 8192  /* and all of their bytes */

struct http1_chunked {
	enum http1_error error;
	uint8_t state;
	uint8_t digits;        /* of the size being read, leading zeroes too */
	uint64_t left;         /* of the chunk being read */
	uint64_t total;        /* body bytes so far */
	size_t extension;      /* bytes of this chunk's extensions */
	size_t extensions;     /* bytes of all of them */
	unsigned trailers;     /* trailer lines seen */
	unsigned left_out;     /* of these: not allowed as trailers, or no room to keep them */
	size_t trailer_bytes;  /* of all trailer lines */
	struct writer storage; /* the caller's, for trailers that are kept */
	size_t trailer_line;   /* where in it the line being read starts */
	struct http1_field *field;
	unsigned field_cap, field_count;
};

/* `storage` and `field` keep the trailers; with both NULL and 0 they are checked and dropped. */
void http1_chunked_begin(struct http1_chunked *c, uint8_t *storage, size_t storage_cap,
	struct http1_field *field, unsigned field_cap);
/*
 * Takes bytes of `in` until a run of body bytes is found or `in` is used up:
 * `*body` borrows that run (may be empty), `*used` counts what was taken.
 * HTTP1_MORE: call again with the rest. HTTP1_DONE: the empty line has come,
 * what is behind it was not taken. `in` is not empty in a call that shall progress.
 */
enum http1_progress http1_chunked_feed(
	struct http1_chunked *c, struct span in, size_t *used, struct span *body);

/* Room that a chunk's header and end take beside its data, at most. */
#define HTTP1_CHUNK_FRAME_MAX 20
/* Writes the size and CRLF; `size` bytes (not 0) and CRLF must follow. Length, or 0. */
size_t http1_chunk_head(uint64_t size, uint8_t *out, size_t cap);
/* Writes a whole chunk (data is not empty). Length, or 0 where it does not fit. */
size_t http1_chunk_emit(struct span data, uint8_t *out, size_t cap);
#define HTTP1_CHUNK_LAST "0\r\n\r\n" /* the end, without trailers */

#endif
