/*
 * A net: one Strata stack with its link, opened by strata_open and closed by
 * strata_close. Everything else belongs to a net.
 *
 *	link "tap:NAME"   a TAP device of this host (made where it does not exist); real time
 *	link "lab:NAME"   a simulated network in this process; virtual time, no privileges
 *
 * Who runs the stack, and the thread rules. Every function of this library
 * states one of three:
 *
 *	ANY   any thread, at any time.
 *	NET   any thread. Calls on one net take turns; a call that waits lets others in.
 *	      But a net without a thread of its own (lab:, or opened with drive_self)
 *	      is for one thread at a time.
 *	OWN   as NET, and no other call may be inside with the same handle.
 *
 * A net on a TAP device has one thread that runs its stack: acknowledgments,
 * retransmissions and timers go on while the program computes, and blocking
 * calls sleep until that thread wakes them. With `drive_self` there is none: the
 * stack runs inside the program's calls (strata_drive, strata_next_event, or any
 * call that waits). On a lab there is none either: a call that waits runs the
 * simulated world until it is satisfied, and no time passes while the program
 * computes; a call that waits for something that can never happen returns
 * STRATA_E_DEADLOCK. A rule that is broken ends the program by an assertion.
 *
 * Times are in nanoseconds (RFC 9293 and its kin count in anything from
 * microseconds to hours; one unit fits them all).
 */
#ifndef STRATA_NET_H
#define STRATA_NET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "strata/error.h"

#ifdef __cplusplus
extern "C" {
#endif

#define STRATA_VERSION "0.1.0"

#define STRATA_FOREVER INT64_C(-1) /* a time limit that never ends */
#define STRATA_MILLISECOND INT64_C(1000000)
#define STRATA_SECOND INT64_C(1000000000)

struct strata; /* a net */

/*
 * Explicit Congestion Notification (RFC 3168): routers mark packets instead of dropping them. Both
 * ends must want it. With accurate feedback (RFC 9768) a sender learns how much was marked.
 */
enum strata_ecn {
	STRATA_ECN_DEFAULT,        /* STRATA_ECN_ACCEPT, as Linux does */
	STRATA_ECN_OFF,
	STRATA_ECN_ASK,            /* our connections ask for it, and who asks us gets it */
	STRATA_ECN_ACCEPT,         /* who asks us gets it */
	STRATA_ECN_ACCURATE,       /* as ASK, with accurate feedback where the peer can */
	STRATA_ECN_ACCURATE_ASK,   /* accurate feedback for who asks; ours ask for RFC 3168's */
	STRATA_ECN_ACCURATE_ACCEPT /* as ACCEPT, with accurate feedback for who asks */
};

/* What is left zero takes the default. Nothing is kept of the strings. */
struct strata_options {
	/* "tap:NAME", or "lab:NAME[?OPTION=VALUE[&...]]". No default. */
	const char *link;
	/*
	 * Our address with its prefix length, "192.0.2.2/24" or "2001:db8::2/64". Two, so that both
	 * families fit; which is which does not matter. A lab has addresses of its own for its
	 * client: there both may be left out.
	 */
	const char *address, *address6;
	/*
	 * The default router's address, one for each family. Left out: only our own link is
	 * reached.
	 */
	const char *gateway, *gateway6;
	/* Name servers' addresses, "192.0.2.53" or several with commas between. */
	const char *dns;
	/*
	 * Our link address, "02:00:00:00:00:01". Default: made from the device's name and our
	 * address, locally administered, the same at each start.
	 */
	const char *mac;
	/* Writes what passes the link to this file, as pcapng with our reasons as comments. */
	const char *pcap;
	/* A lab: the seed of all its chance, 0: the lab's own. The same seed gives the same run. */
	uint64_t seed;
	/* A lab: which of its machines we are; NULL: its client. See also `beside`. */
	const char *machine;
	/*
	 * A lab: live in the same simulated world as this net (then `link` and `seed` are not
	 * read). The world ends with the last net in it.
	 */
	struct strata *beside;
	/* No thread of its own: the stack runs in the calls of the program only. */
	bool drive_self;
	/*
	 * Connections at once; bounds memory (address space is planned at once, pages are touched
	 * when used). 0: 4096; at most 500000.
	 */
	uint32_t connections;
	/* How long strata_close (of the net) waits until data already written to closed streams has
	 * been acknowledged. 0: 5 s; STRATA_FOREVER is allowed, and so is 1 for "at once". */
	int64_t linger;
	enum strata_ecn ecn; /* of its TCP connections */
};

/*
 * Opens a net; NULL on error: STRATA_E_ARGUMENT, STRATA_E_NO_DEVICE, STRATA_E_PERMISSION,
 * STRATA_E_IN_USE, STRATA_E_NOT_FOUND (no such lab), STRATA_E_SYSTEM. The net is the caller's, to
 * be closed by strata_close. ANY.
 */
STRATA_API struct strata *strata_open(const struct strata_options *options);
/*
 * Closes a net and everything opened on it: their handles are dead with it. Streams closed before
 * are given up to `linger` to bring their last data across; open ones are reset. NULL is allowed.
 * OWN: nothing else may be in a call on this net. Call it as strata_close(net).
 */
STRATA_API void strata_net_close(struct strata *net);

/* The net's time: nanoseconds since some point; virtual on a lab. NET. */
STRATA_API int64_t strata_now(struct strata *net);
/*
 * Lets so much time pass. On a lab the world moves on (it is the way to let virtual time pass);
 * with drive_self the stack runs; else this thread sleeps. 0, or -STRATA_E_ARGUMENT. NET.
 */
STRATA_API int strata_sleep(struct strata *net, int64_t duration);

/* What has happened on the link so far. */
struct strata_counters {
	uint64_t frames_in, bytes_in;
	uint64_t frames_out, bytes_out;
	uint64_t segments_in, segments_out; /* as frames, a super-frame counted by its segments */
	uint64_t dropped_in, dropped_out;   /* with a reason each: see strata_drop_reason */
	uint64_t retransmits;               /* TCP segments sent again */
};
STRATA_API int strata_counters(struct strata *net, struct strata_counters *out); /* NET */
/*
 * The reasons for which frames were dropped: `index` counts from 0 up to a NULL return, `*count`
 * gets how often it was so (received and own frames together). Text like "TCP checksum is wrong".
 * NET.
 */
STRATA_API const char *strata_drop_reason(struct strata *net, unsigned index, uint64_t *count);

/* The version of the library that runs; STRATA_VERSION is that of the header. ANY. */
STRATA_API const char *strata_version(void);

/*
 * An address and a port. IPv4 addresses are in their mapped form ::ffff:a.b.c.d (RFC 4291 2.5.5.2);
 * all zeroes is "any address".
 */
struct strata_address {
	uint8_t ip[16];
	uint16_t port;
};
#define STRATA_ADDRESS_TEXT 64
/* Reads "192.0.2.1", "192.0.2.1:80", "2001:db8::1", "[2001:db8::1]:80", ":80". Names are not looked
 * up. False: it is none of these. ANY. */
STRATA_API bool strata_address_parse(const char *text, struct strata_address *out);
/*
 * Writes it the canonical way (RFC 5952), with the port where there is one; returns the length.
 * ANY.
 */
STRATA_API size_t strata_address_format(const struct strata_address *address,
					char out[STRATA_ADDRESS_TEXT]);
STRATA_API bool strata_address_is_ip4(const struct strata_address *address);

#ifdef __cplusplus
}
#endif
#endif
