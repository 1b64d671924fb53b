/*
 * The arithmetic of RFC 9937 section 6. Products of two windows need 64 bits.
 */
#include "transport/recovery/prr.h"

void prr_begin(struct prr *p, uint32_t flight, uint32_t sacked, uint32_t acked, uint32_t ssthresh)
{
	uint32_t whole = flight + acked;
	p->recover_fs = whole > sacked ? whole - sacked : 1;
	p->ssthresh = ssthresh;
	p->delivered = 0;
	p->out = 0;
}

/* Bytes that may be added to the pipe beyond what was sent for earlier ACKs; may be negative. */
static int64_t prr_count(const struct prr *p, const struct prr_ack *a)
{
	int64_t owed = (int64_t)p->delivered - p->out;
	if (a->in_flight > p->ssthresh) { /* proportional, rounded up to whole segments */
		uint64_t share = (uint64_t)p->delivered * p->ssthresh / p->recover_fs;
		return (int64_t)((share + a->mss - 1) / a->mss * a->mss) - p->out;
	}
	int64_t count = owed > a->delivered ? owed : a->delivered; /* PRR-CRB */
	if (a->advanced && !a->lost)                               /* SafeACK: PRR-SSRB */
		count += a->mss;
	int64_t room = (int64_t)p->ssthresh - a->in_flight;
	return count < room ? count : room;
}

uint32_t prr_ack(struct prr *p, const struct prr_ack *a)
{
	p->delivered += a->delivered;
	int64_t count = prr_count(p, a);
	if (!p->out && count < a->mss)
		return a->in_flight + a->mss; /* the first retransmission goes in any case */
	int64_t cwnd = a->in_flight + (count > 0 ? count : 0);
	/* Without SACK a partial ACK can bring an estimate above all that there was. */
	int64_t most = p->recover_fs > p->ssthresh ? p->recover_fs : p->ssthresh;
	if (cwnd > most)
		cwnd = most;
	return cwnd > a->mss ? (uint32_t)cwnd : a->mss;
}
