/*
 * The smallest RTT of the last minutes: two generations of equal length, of which
 * the older is forgotten when the younger has come of age. What it gives is the
 * minimum over at least one and at most two generations; a path that became
 * longer is believed after that.
 */
#ifndef STRATA_TRANSPORT_RECOVERY_MIN_RTT_H
#define STRATA_TRANSPORT_RECOVERY_MIN_RTT_H

#include "base/nanotime.h"

#include <stdbool.h>

struct min_rtt {
	nanodiff value;    /* the answer; 0: no sample yet */
	nanodiff young;    /* the smallest of this generation */
	nanotime turns_at; /* when this generation becomes the old one */
};

/* `window`: how long a sample counts at most, two generations. True: a new one began. */
static inline bool min_rtt_take(
	struct min_rtt *m, nanodiff rtt, nanodiff window, nanotime now)
{
	if (rtt < 1)
		rtt = 1;
	if (now >= m->turns_at) {
		m->value = m->value && m->young < rtt ? m->young : rtt;
		m->young = rtt;
		m->turns_at = now + window / 2;
		return true;
	}
	if (rtt < m->young) {
		m->young = rtt;
		if (rtt < m->value)
			m->value = rtt;
	}
	return false;
}

#endif
