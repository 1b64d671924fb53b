/*
 * CUBIC's arithmetic, apart from its state, so that it can be held against the real
 * numbers. Time is in units of 2^-16 s, sizes are bytes.
 */
#ifndef STRATA_TRANSPORT_CONGESTION_CUBIC_H
#define STRATA_TRANSPORT_CONGESTION_CUBIC_H

#include <stdint.h>

#define CUBIC_SECOND (1 << 16)

/* The cube root, rounded down. */
uint32_t cubic_root(uint64_t v);
/* The time in which the curve covers `bytes`: K of RFC 9438 4.2 with C = 0.4. */
uint32_t cubic_k(uint32_t bytes, uint32_t mss);
/* C * d^3 in bytes, for a time d before (negative) or after the plateau. */
int64_t cubic_curve(int64_t d, uint32_t mss);

#endif
