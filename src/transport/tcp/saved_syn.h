/*
 * The headers of the SYN that opened a connection, kept for a listener's owner who
 * asks for them (TCP_SAVE_SYN): to learn what kind of machine calls, or by which way.
 * They are read once. A connection that a SYN cookie made has none, for nothing was
 * kept of its SYN, and so has one that came while all transport_config.saved_syns
 * were in use, or with headers longer than SAVED_SYN_MOST.
 */
#ifndef STRATA_TRANSPORT_TCP_SAVED_SYN_H
#define STRATA_TRANSPORT_TCP_SAVED_SYN_H

#include "transport/tcp/tcp_conn.h"

#define SAVED_SYN_MOST 166 /* an Ethernet header, IPv4's and TCP's longest, and some to spare */

/* What is to be saved. */
enum save_syn {
	SAVE_SYN_NOT,
	SAVE_SYN_PACKET, /* IP and TCP headers */
	SAVE_SYN_FRAME,  /* the link's header as well, where there is one */
	SAVE_SYNS
};

struct saved_syn {
	struct list link;  /* in the bucket of its owner */
	const void *owner; /* tcp_embryo or tcp_conn */
	uint16_t len;
	uint8_t bytes[SAVED_SYN_MOST];
};
static_assert(sizeof(struct saved_syn) == 192, "three cache lines");

/* Of the SYN in `rx`, as its listener's owner wants it. */
__attribute__((noinline, cold)) void saved_syn_keep(
	struct transport *t, const struct tcp_listener *l, const void *owner, const struct rx *rx);
/* Another owner of the same: `from` has become `to`. */
__attribute__((noinline, cold)) void saved_syn_pass(
	struct transport *t, const void *from, const void *to);
/* Of an owner that goes, or has read it. */
__attribute__((noinline, cold)) void saved_syn_drop(struct transport *t, const void *owner);

/* Where nobody has asked for any, a connection's life costs no more than these looks. */
static inline void saved_syn_take(
	struct transport *t, const struct tcp_listener *l, const void *owner, const struct rx *rx)
{
	if (__builtin_expect(t->options[l->sock].save_syn, 0))
		saved_syn_keep(t, l, owner, rx);
}

static inline void saved_syn_move(struct transport *t, const void *from, const void *to)
{
	if (__builtin_expect(t->saved_syn_pool.used != 0, 0))
		saved_syn_pass(t, from, to);
}

static inline void saved_syn_forget(struct transport *t, const void *owner)
{
	if (__builtin_expect(t->saved_syn_pool.used != 0, 0))
		saved_syn_drop(t, owner);
}

#endif
