/*
 * Streams: TCP connections (RFC 9293), and the listeners that accept them.
 * Calls wait as long as the handle's time limit says (strata_set_timeout):
 * forever at first, 0 for a handle that never waits.
 *
 * Where to listen and to connect is written as a URL:
 *
 *	"tcp://:80"            port 80 on all our addresses, both families
 *	"tcp://[::]:80"        IPv6 only        "tcp://0.0.0.0:80"   IPv4 only
 *	"tcp://192.0.2.2:80"   one address      "tcp://:0"           any free port
 *	"tcp://www.example.test:80"             (connecting: names are looked up)
 */
#ifndef STRATA_STREAM_H
#define STRATA_STREAM_H

#include "strata/net.h"

#ifdef __cplusplus
extern "C" {
#endif

struct strata_listener;
struct strata_stream;

/*
 * Listens. NULL: STRATA_E_ARGUMENT (the URL), STRATA_E_IN_USE, STRATA_E_NO_ADDRESS,
 * STRATA_E_TOO_MANY. The listener belongs to the net; strata_close(listener) ends it. NET.
 */
STRATA_API struct strata_listener *strata_listen(struct strata *net, const char *where);
/*
 * Takes the next connection that a peer has completed. NULL: STRATA_E_TIMEOUT (STRATA_E_AGAIN with
 * a limit of 0), STRATA_E_DEADLOCK. The stream is the caller's, to be closed by strata_close. NET.
 */
STRATA_API struct strata_stream *strata_accept(struct strata_listener *listener);
/* Stops listening; connections not yet accepted are reset. OWN. */
STRATA_API void strata_listener_close(struct strata_listener *listener);
/* The address and port that it listens on (the port that "tcp://:0" got). NET. */
STRATA_API int strata_listener_address(struct strata_listener *listener,
				       struct strata_address *out);

/*
 * Connects, waiting at most `timeout` for everything together. Of a name with several addresses,
 * the attempts start 250 ms apart and the first that succeeds is taken (RFC 8305). NULL:
 * STRATA_E_ARGUMENT, STRATA_E_NOT_FOUND (no such name), STRATA_E_REFUSED, STRATA_E_TIMEOUT,
 * STRATA_E_HOST_UNREACHABLE ..., STRATA_E_NO_ROUTE, STRATA_E_DEADLOCK. NET.
 */
STRATA_API struct strata_stream *strata_connect(struct strata *net, const char *where,
						int64_t timeout);
/*
 * Starts to connect and returns at once; STRATA_CONNECTED or STRATA_ERROR follows (strata/event.h).
 * The host is an address, since a look-up would wait. NET.
 */
STRATA_API struct strata_stream *strata_connect_start(struct strata *net, const char *where);

/*
 * Connects as strata_connect does, and writes the first bytes at once: TCP Fast Open (RFC 7413).
 * Where an earlier connection got the server's cookie, the SYN carries them, one round trip sooner,
 * and the call does not wait for the handshake: that it failed is told by the next call, and other
 * addresses are not tried then. Else the bytes follow the handshake, and the cookie is asked for.
 * The network may deliver bytes in a SYN twice (RFC 7413 6.1): only for what may be done twice. The
 * errors are those of strata_connect and strata_write_all. Whether it was of use:
 * strata_stream_info. NET.
 */
STRATA_API struct strata_stream *strata_connect_early(struct strata *net, const char *where,
						      const void *first, size_t size,
						      int64_t timeout);

/*
 * Reads what is there, at most `size` bytes; waits for the first byte. Returns how many; 0: the
 * peer has closed its side and everything was read (or `size` is 0); -STRATA_E_AGAIN or
 * -STRATA_E_TIMEOUT, -STRATA_E_RESET, ... One thread may read while another writes. NET.
 */
STRATA_API ssize_t strata_read(struct strata_stream *stream, void *to, size_t size);
/* Reads until `size` bytes are there or the stream ends; returns how many there are, fewer only at
 * the end of the stream. After an error the bytes read before it are lost. NET. */
STRATA_API ssize_t strata_read_all(struct strata_stream *stream, void *to, size_t size);
/*
 * Queues bytes to be sent, and waits until at least one found room. Returns how many were taken, or
 * -STRATA_E_AGAIN, -STRATA_E_TIMEOUT, -STRATA_E_RESET, -STRATA_E_CLOSED (after strata_shutdown) ...
 * The bytes are copied. NET.
 */
STRATA_API ssize_t strata_write(struct strata_stream *stream, const void *from, size_t size);
/* Queues all of it; 0 or an error. After an error it is unknown how much was queued. NET. */
STRATA_API int strata_write_all(struct strata_stream *stream, const void *from, size_t size);
/*
 * The same, and the peer is told at once that urgent data is on its way, also where its window is
 * closed: it is so up to the last byte taken, and stays in the stream (RFC 9293 3.8.5). New
 * programs should not use it (RFC 6093): middleboxes clear the mark, and where its receiver's
 * system takes one byte out of the stream, it is the last. NET.
 */
STRATA_API ssize_t strata_write_urgent(struct strata_stream *stream, const void *from,
				       size_t size);
/*
 * How many bytes from the next one on are urgent, whether they have come or not: they have been
 * read when it is 0. STRATA_URGENT (strata/event.h) tells that there are some, or more. NET.
 */
STRATA_API ssize_t strata_urgent(struct strata_stream *stream);
/* No more writing: the peer reads the end after what was written. Reading goes on (half-close,
 * RFC 9293 3.6). NET. */
STRATA_API int strata_shutdown(struct strata_stream *stream);
/*
 * Waits until the peer has acknowledged everything written so far (which does not mean that its
 * program has read it). 0, -STRATA_E_TIMEOUT, -STRATA_E_RESET ... NET.
 */
STRATA_API int strata_flush(struct strata_stream *stream);
/*
 * Done with it. What was written is still brought across, in the background, and the connection
 * closed in order; where received data was never read, the peer gets a reset instead (RFC 9293
 * SHLD-3), so that it does not take silence for success. The handle is dead. NULL is allowed. OWN.
 */
STRATA_API void strata_stream_close(struct strata_stream *stream);
/* Resets the connection at once; unsent data is gone. The handle is dead. OWN. */
STRATA_API void strata_stream_abort(struct strata_stream *stream);

/* How long each call on this handle waits: STRATA_FOREVER, 0 (never: -STRATA_E_AGAIN), or
 * nanoseconds. NET. Call it as strata_set_timeout(handle, limit). */
STRATA_API void strata_stream_set_timeout(struct strata_stream *stream, int64_t limit);
STRATA_API void strata_listener_set_timeout(struct strata_listener *listener, int64_t limit);
/* No Nagle (RFC 9293 3.7.4): small writes go out at once, for who asks and answers in turn. NET. */
STRATA_API int strata_stream_set_nodelay(struct strata_stream *stream, bool on);
/* Probes of an idle connection (RFC 9293 3.8.4). NET. */
STRATA_API int strata_stream_set_keepalive(struct strata_stream *stream, bool on);


/*
 * What streams and listeners can be told: Linux's options of TCP sockets, with its meaning. A
 * listener's are those of what it accepts from then on. Times are in nanoseconds, sizes in bytes;
 * 0 is "as usual" unless said otherwise. The numbers stay.
 */
enum strata_option {
	STRATA_OPTION_NODELAY = 1,        /* 0, 1: no Nagle (RFC 9293 3.7.4) */
	STRATA_OPTION_CORK = 2,           /* 0, 1: only full segments; 0 sends what is left */
	STRATA_OPTION_QUICK_ACK = 3,      /* 0, 1: acknowledge at once, for a while */
	STRATA_OPTION_KEEPALIVE = 4,      /* 0, 1: probes of an idle connection (3.8.4) */
	STRATA_OPTION_KEEPALIVE_IDLE = 5, /* time until the first probe */
	STRATA_OPTION_KEEPALIVE_INTERVAL = 6, /* time between them */
	STRATA_OPTION_KEEPALIVE_PROBES = 7,   /* so many without an answer end it */
	STRATA_OPTION_USER_TIMEOUT = 8,   /* time without progress that ends it (RFC 5482) */
	STRATA_OPTION_CONGESTION = 9,     /* 1: reno, 2: cubic (RFC 9438), 3: bbr */
	STRATA_OPTION_SEND_BUFFER = 10,   /* size that stays; else it grows with the path */
	STRATA_OPTION_RECEIVE_BUFFER = 11,
	STRATA_OPTION_UNSENT_LOW_WATER = 12, /* size: with so much unsent, writing waits */
	STRATA_OPTION_READ_LOW_WATER = 13,   /* size: readable from so many bytes on */
	STRATA_OPTION_WINDOW_CLAMP = 14,  /* size: largest window to offer */
	STRATA_OPTION_MAX_SEGMENT = 15,   /* size, either way; before the handshake */
	STRATA_OPTION_TRAFFIC_CLASS = 16, /* DSCP in the upper six bits (RFC 2474) */
	STRATA_OPTION_HOP_LIMIT = 17,     /* 1 .. 255 */
	/* listeners: accept when bytes have come, or after so many SYN-ACKs more */
	STRATA_OPTION_DEFER_ACCEPT = 18,
	/* listeners: so many handshakes at once may have their SYN's bytes delivered (RFC 7413
	 * 5.1); 0: none. Not for strata_listener_get. */
	STRATA_OPTION_FAST_OPEN = 19,
	/* time that the peer is told we wait for it, so that it waits as long (RFC 5482), and leave
	 * to wait longer or shorter where it says so, 100 s to an hour; 0: neither. Whoever sets
	 * STRATA_OPTION_USER_TIMEOUT tells, but keeps to that. */
	STRATA_OPTION_ADVERTISED_TIMEOUT = 20,
};
/* 0, or -STRATA_E_ARGUMENT: no such option of this handle, or a value out of its range. NET. */
STRATA_API int strata_stream_set(struct strata_stream *stream, enum strata_option option,
				 int64_t value);
STRATA_API int strata_listener_set(struct strata_listener *listener, enum strata_option option,
				   int64_t value);
/* What was set, 0 where nothing was; or -STRATA_E_ARGUMENT. NET. */
STRATA_API int64_t strata_stream_get(struct strata_stream *stream, enum strata_option option);
STRATA_API int64_t strata_listener_get(struct strata_listener *listener,
				       enum strata_option option);

/* A connection as its stack sees it. */
struct strata_stream_info {
	struct strata_address local, remote;
	const char *state;       /* "ESTABLISHED": RFC 9293 3.3.2 */
	const char *wait;        /* why nothing is sent now: "cwnd", "rwnd" ..., or "" */
	int64_t rtt, rtt_var, rto;        /* ns: RFC 6298 */
	uint32_t congestion_window, slow_start_threshold, in_flight; /* bytes */
	uint32_t send_window, receive_window; /* bytes */
	uint32_t mss;            /* payload bytes of a full segment */
	bool timestamps, sack;   /* agreed on: RFC 7323, RFC 2018 */
	bool early_sent;         /* strata_connect_early put its bytes into the SYN */
	bool early_taken;        /* bytes in the SYN were taken, by the peer or by us */
	uint64_t bytes_sent, bytes_acked, bytes_received, bytes_retransmitted;
	uint64_t segments_sent, segments_received, retransmits, timeouts;
	uint32_t unread, unsent, unacked; /* bytes queued here */
	bool ecn, ecn_accurate;  /* agreed on: RFC 3168, RFC 9768 */
	uint32_t ce_received;    /* segments that came with a congestion mark ... */
	uint32_t ce_delivered;   /* ... and of ours, as the peer says */
	/* What a router said or the next hop did not say, and may pass: unreachable ...; OK:
	 * nothing that still holds. STRATA_TROUBLE (strata/event.h) tells when. */
	enum strata_error trouble;
	/* The largest packet that is sent, but for those that try whether a larger one arrives (RFC
	 * 4821), how many these were, and how often full segments seemed to vanish. */
	uint32_t path_mtu, mtu_probes, black_holes;
	int64_t user_timeout; /* ns without progress that end it, as it stands now */
	int64_t peer_timeout; /* what the peer advertised (RFC 5482); 0: nothing */
};
STRATA_API int strata_stream_info(struct strata_stream *stream,
				  struct strata_stream_info *out); /* NET */

#ifdef __cplusplus
}
#endif
#endif
