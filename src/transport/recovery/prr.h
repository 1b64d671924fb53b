/*
 * Proportional Rate Reduction (RFC 9937): how much may be sent for each ACK of a
 * fast recovery, so that the flight arrives at ssthresh when the recovery ends:
 * neither a burst nor a silence of half a round trip. While the flight is above
 * ssthresh, sending is in proportion to what is delivered; below it, the flight is
 * brought up again, by one segment an ACK more than was delivered while all goes
 * well (slow start), and by no more than what was delivered while losses go on.
 *
 * The order of calls: prr_begin when recovery begins, then prr_ack for each ACK
 * including that one, prr_sent for each byte that leaves. What prr_ack returns is
 * cwnd until the next ACK; at the end cwnd is ssthresh (cc_ops.recovered). After
 * an RTO there is no PRR.
 */
#ifndef STRATA_TRANSPORT_RECOVERY_PRR_H
#define STRATA_TRANSPORT_RECOVERY_PRR_H

#include <stdbool.h>
#include <stdint.h>

/* All in bytes. */
struct prr {
	uint32_t recover_fs; /* RecoverFS: the flight from which the reduction goes */
	uint32_t ssthresh;   /* where it goes to */
	uint32_t delivered;  /* to the receiver since recovery began */
	uint32_t out;        /* sent since then */
};

/* One ACK, after the scoreboard took it and losses were marked. */
struct prr_ack {
	/*
	 * DeliveredData: newly acknowledged, selectively or not. Without SACK a duplicate counts
	 * one MSS and a partial ACK what it covers less the duplicates counted before it, if more
	 * than zero (RFC 9937 6).
	 */
	uint32_t delivered;
	uint32_t in_flight; /* the pipe now */
	uint32_t mss;
	bool advanced; /* snd_una moved */
	bool lost;     /* this ACK marked something as lost, a retransmission included */
};

/*
 * Recovery begins. `flight` is snd_nxt - snd_una after the ACK that began it; `sacked` what had
 * been SACKed before that ACK; `acked` what it acknowledged cumulatively. ssthresh comes from
 * congestion control, whose loss operation goes first.
 */
void prr_begin(struct prr *p, uint32_t flight, uint32_t sacked, uint32_t acked, uint32_t ssthresh);

/* Returns cwnd: the pipe and what may be added to it now. */
uint32_t prr_ack(struct prr *p, const struct prr_ack *a);

/* `len` bytes were sent or sent again. */
static inline void prr_sent(struct prr *p, uint32_t len)
{
	p->out += len;
}

#endif
