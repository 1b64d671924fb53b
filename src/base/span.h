/*
 * Spans: a borrowed run of bytes with its length, and the two cursors that
 * walk one. Every read of received bytes in Strata goes through a span or a
 * reader, so that no access can pass the end (a reader that is asked for more
 * than it has returns zeroes and remembers that it failed).
 */
#ifndef STRATA_BASE_SPAN_H
#define STRATA_BASE_SPAN_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct span {
	const uint8_t *at;
	size_t len;
};

static inline struct span span_of(const void *at, size_t len)
{
	return (struct span){ .at = at, .len = len };
}

/* The first `n` bytes (all of it where it is shorter). */
static inline struct span span_first(struct span s, size_t n)
{
	return span_of(s.at, n < s.len ? n : s.len);
}

/* What follows the first `n` bytes (empty where it is shorter). */
static inline struct span span_after(struct span s, size_t n)
{
	return n < s.len ? span_of(s.at + n, s.len - n) : span_of(s.at + s.len, 0);
}

static inline bool span_equal(struct span a, struct span b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.at, b.at, a.len) == 0);
}

/* Big-endian loads and stores; the caller has checked the length. */
static inline uint16_t load16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static inline uint32_t load32(const uint8_t *p)
{
	uint32_t v;
	memcpy(&v, p, 4);
	return __builtin_bswap32(v);
}

static inline uint64_t load64(const uint8_t *p)
{
	uint64_t v;
	memcpy(&v, p, 8);
	return __builtin_bswap64(v);
}

static inline void store16(uint8_t *p, uint16_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static inline void store32(uint8_t *p, uint32_t v)
{
	v = __builtin_bswap32(v);
	memcpy(p, &v, 4);
}

static inline void store64(uint8_t *p, uint64_t v)
{
	v = __builtin_bswap64(v);
	memcpy(p, &v, 8);
}

/* A reader walks a span; after a read past the end every read gives zero. */
struct reader {
	struct span rest;
	const uint8_t *start;
	bool failed;
};

static inline struct reader reader_of(struct span s)
{
	return (struct reader){ .rest = s, .start = s.at };
}

static inline size_t reader_offset(const struct reader *r)
{
	return (size_t)(r->rest.at - r->start);
}

/* Takes `n` bytes; an empty span and `failed` where fewer are left. */
static inline struct span read_span(struct reader *r, size_t n)
{
	if (n > r->rest.len) {
		r->failed = true;
		r->rest = span_of(r->rest.at + r->rest.len, 0);
		return r->rest;
	}
	struct span taken = span_of(r->rest.at, n);
	r->rest = span_of(r->rest.at + n, r->rest.len - n);
	return taken;
}

static inline uint8_t read8(struct reader *r)
{
	struct span s = read_span(r, 1);
	return s.len == 1 ? s.at[0] : 0;
}

static inline uint16_t read16(struct reader *r)
{
	struct span s = read_span(r, 2);
	return s.len == 2 ? load16(s.at) : 0;
}

static inline uint32_t read32(struct reader *r)
{
	struct span s = read_span(r, 4);
	return s.len == 4 ? load32(s.at) : 0;
}

static inline uint64_t read64(struct reader *r)
{
	struct span s = read_span(r, 8);
	return s.len == 8 ? load64(s.at) : 0;
}

/* A writer fills a buffer; what does not fit sets `failed` and is not written. */
struct writer {
	uint8_t *start;
	size_t len; /* written so far */
	size_t cap;
	bool failed;
};

static inline struct writer writer_of(uint8_t *at, size_t cap)
{
	return (struct writer){ .start = at, .cap = cap };
}

/* Room for `n` bytes, or NULL and `failed`. */
static inline uint8_t *write_room(struct writer *w, size_t n)
{
	if (w->failed || n > w->cap - w->len) {
		w->failed = true;
		return NULL;
	}
	uint8_t *at = w->start + w->len;
	w->len += n;
	return at;
}

static inline void write_bytes(struct writer *w, struct span s)
{
	uint8_t *at = write_room(w, s.len);
	if (at && s.len)
		memcpy(at, s.at, s.len);
}

static inline void write8(struct writer *w, uint8_t v)
{
	uint8_t *at = write_room(w, 1);
	if (at)
		at[0] = v;
}

static inline void write16(struct writer *w, uint16_t v)
{
	uint8_t *at = write_room(w, 2);
	if (at)
		store16(at, v);
}

static inline void write32(struct writer *w, uint32_t v)
{
	uint8_t *at = write_room(w, 4);
	if (at)
		store32(at, v);
}

static inline void write64(struct writer *w, uint64_t v)
{
	uint8_t *at = write_room(w, 8);
	if (at)
		store64(at, v);
}

#endif
