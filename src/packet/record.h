/*
 * A captured frame with its story: turns trace events into pcapng packet blocks
 * whose comment says why the frame was sent, or which fate it met. Pure: the
 * blocks go to the caller's buffer, and files are the business of host/ and sim/.
 *
 * A frame whose transport checksum was left to the receiving side
 * (CHECKSUM_PARTIAL) is recorded with the checksum that the wire would show.
 */
#ifndef STRATA_PACKET_RECORD_H
#define STRATA_PACKET_RECORD_H

#include "packet/rx.h"
#include "packet/trace.h"
#include "wire/pcapng.h"

/* Enough for every frame: 64 KB of packet, link header, comment, block. */
#define RECORD_MAX 66560

/* "sent SYN: open a connection", or "dropped by internet: ... (RFC ...)"; NUL-ended, its length. */
size_t record_story(const struct trace_event *e, char *out, size_t cap);

/*
 * The packet block of a TRACE_TX or TRACE_RX event, on the file's interface of
 * that number; `epoch` is what the file calls the stack's time 0, in nanoseconds
 * since 1970. 0 for other events, and where it does not fit.
 */
size_t record_event(
	const struct trace_event *e, uint32_t interface, nanotime epoch, uint8_t *out, size_t cap);

#endif
