/*
 * A strict reader of frames, written apart from the codecs of wire/ so that one
 * judges the other: everything that the stack sends has to pass it. Where a
 * receiver must be liberal, this is not: every length is exact, every reserved bit
 * zero, every checksum right, every option of its one legal form.
 */
#ifndef STRATA_SIM_STRICT_H
#define STRATA_SIM_STRICT_H

#include "base/span.h"

enum strict_depth {
	STRICT_LINK_AND_IP, /* a router's: what lies deeper is not its own */
	STRICT_NO_SUM,      /* the transport checksum was left to the receiver */
	STRICT_ALL,
};

/* NULL, or what is wrong with an Ethernet frame (without FCS and padding). */
const char *strict_frame(struct span frame, enum strict_depth depth);

#endif
