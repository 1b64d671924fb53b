/*
 * Records in the stream that is sent (MSG_EOR): where one ends there is a mark, and no
 * segment, new or sent again, carries bytes from both sides of it. A connection has
 * memory for marks while one of them is not acknowledged; there are
 * transport_config.record_marks of them, and while all are in use nothing more is taken
 * from the application: a record's end is never forgotten.
 */
#ifndef STRATA_TRANSPORT_TCP_RECORDS_H
#define STRATA_TRANSPORT_TCP_RECORDS_H

#include "transport/tcp/conn.h"

struct transport;

/* A ring, ascending; all of them lie behind SND.UNA. */
struct record_marks {
	uint32_t head, count, places;
	uint32_t end[]; /* the number behind a record's last byte */
};

/* Bytes that one item of the pool takes. */
static inline size_t records_size(uint32_t places)
{
	return sizeof(struct record_marks) + places * sizeof(uint32_t);
}

/* What was written so far ends a record. */
void records_mark(struct transport *t, struct tcp_conn *c);
/* SND.UNA has moved: marks that it reached are no more. */
void records_acked(struct transport *t, struct tcp_conn *c);
__attribute__((noinline, cold)) void records_drop(struct transport *t, struct tcp_flight *f);
/* Of [seq, seq + len) what lies before the first mark. */
__attribute__((cold)) uint32_t records_before(
	const struct record_marks *m, uint32_t seq, uint32_t len);
/* Where what follows the last mark of [start, end) begins; `start` where there is none. */
__attribute__((cold)) uint32_t records_last(
	const struct record_marks *m, uint32_t start, uint32_t end);

static inline uint32_t record_rest(const struct tcp_flight *f, uint32_t seq, uint32_t len)
{
	return __builtin_expect(f->records != NULL, 0) ? records_before(f->records, seq, len) : len;
}

/* The flight goes, or its bytes do. */
static inline void records_end(struct transport *t, struct tcp_flight *f)
{
	if (__builtin_expect(f->records != NULL, 0))
		records_drop(t, f);
}

static inline bool records_full(const struct tcp_flight *f)
{
	return __builtin_expect(f->records != NULL, 0) && f->records->count == f->records->places;
}

#endif
