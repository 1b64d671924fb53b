/*
 * The inspector of TCP: after every run of a node, and for every segment that it
 * sends, looks into its connections and compares them with what they were. It
 * reads only. What must hold is the catalogue's:
 *
 *	I03  bytes that may be read stay what they are
 *	I06  SND.UNA, SND.NXT, RCV.NXT move forward only, SND.NXT stays in the window
 *	I07  the right edge that was offered never moves left, in the connection
 *	     and on the wire
 *	I08  nothing but a probe goes beyond the peer's right edge
 *	I09  no segment is larger than the peer's MSS and the path allow
 *	I10  1 SMSS <= cwnd, 2 SMSS <= ssthresh; new data goes only into the window
 *	I11  cwnd grows by no more than what was acknowledged
 *	I12  an RTO is at most RTO_max away; back-off ends only with news
 *	I13  one loss response a window of data
 *	I14  data is acknowledged within 500 ms, and every second full segment; what
 *	     comes beyond a hole at once, unless SACKs may wait for each other;
 *	     no ACK answers a pure ACK, no RST a RST; challenge ACKs keep their rate
 *	I15  states change along RFC 9293's table
 *	I17  SACK blocks are held, and do not overlap
 *	I18  who waits for something has a timer, armed in time
 *	I19  TIME-WAIT lasts 2 MSL, but for RFC 6191 and a full table
 *	I21  a stranger gets at most three bytes for one
 *	I23  rings hold no more than their buffers
 *	I25  all that pools gave out is held by a connection, to the last block:
 *	     half-open and TIME-WAIT ones hold nothing but their own 96 bytes
 *	I38  only new data is sent as ECN-capable, and with CWR; ECE only after a mark
 *
 * Times are the node's own; where its CPU, timers or driver are in trouble, the
 * rules about punctuality (I14) are not asked.
 */
#ifndef STRATA_SIM_INSPECT_TCP_H
#define STRATA_SIM_INSPECT_TCP_H

#include "sim/invariant.h"

/* Inspects a node from now on, to the end of its world. */
void inspect_tcp(struct node *n);

#endif
