/*
 * Sockets: handles on the endpoints of one stack, never blocking, with
 * readiness. Pure like the stack beneath: a call takes effect at the stack's
 * time (stack_set_time), sends nothing itself (the next stack_transmit does) and
 * calls nobody. A handle has a generation, so that a stale one is refused.
 *
 * Calls return a value >= 0, or -(enum error). Thread rule: as for the stack.
 *
 * Readiness: each socket belongs to one sock_queue (its owner's memory). When
 * something happens to it, it stands once in that queue until sock_next takes it
 * out: an edge. sock_poll tells the level.
 */
#ifndef STRATA_SOCKET_SOCKET_H
#define STRATA_SOCKET_SOCKET_H

#include "stack/stack.h"

typedef uint32_t sock_id; /* 0: none */

struct sock_queue {
	struct list ready;
};

struct sock_options {
	struct sock_queue *queue; /* NULL: no readiness wanted */
	void *user;               /* comes back with each event */
	struct addr local;        /* ::, or our address */
	uint16_t local_port;      /* 0: an ephemeral one */
	uint32_t send_buffer, receive_buffer; /* 0: the configured */
	uint32_t backlog;         /* listeners; 0: the configured maximum */
	uint8_t hop_limit, tos;   /* 0: the configured, 0 */
	bool nodelay;             /* no Nagle */
	bool keepalive;
	nanodiff user_timeout;    /* 0: the configured */
	const struct tcp_via *via; /* connections: the source route to take; NULL: none. Copied */
	bool v6_only, v4_only;    /* listeners and datagram sockets on the any address */
	bool dont_fragment;       /* datagrams */
	uint8_t syn_cookies;      /* listeners: enum syn_cookies; 0: the configured */
	/*
	 * TCP Fast Open (RFC 7413). Listeners: so many connections at most whose SYN's data was
	 * taken before the handshake is complete; 0: as the config says. Connections: any but 0
	 * asks for it: where the server's cookie is known, sock_connect sends nothing, and the
	 * first sock_write (or sock_read, or sock_shutdown) sends the SYN with its bytes.
	 */
	uint32_t fast_open;
};

struct sock_event {
	sock_id id;
	void *user;
	uint32_t events; /* enum endpoint_event, collected since the last sock_next */
};

struct sock_peer {
	struct addr address;
	uint16_t port;
};

void sock_queue_init(struct sock_queue *q);
/* Takes the next socket that something happened to. False: none. */
bool sock_next(struct stack *s, struct sock_queue *q, struct sock_event *e);
/* What could be done now without ERR_AGAIN; enum endpoint_event. 0 for a stale handle. */
uint32_t sock_poll(struct stack *s, sock_id id);
/* Moves a socket to another queue (and user pointer). */
int sock_attach(struct stack *s, sock_id id, struct sock_queue *q, void *user);

/* TCP. All return 0 (or a count) or -(enum error). */
int sock_listen(struct stack *s, const struct sock_options *o, sock_id *out);
/* The next accepted connection; -ERR_AGAIN: none waits. The new socket gets `queue` and `user`, and
 * the listener's options: buffers, hop limit, tos, nodelay, keepalive, user timeout. */
int sock_accept(struct stack *s, sock_id listener, struct sock_queue *queue, void *user,
		sock_id *out, struct sock_peer *peer);
/* Starts a handshake; EVENT_CONNECTED or EVENT_ERROR follows. */
int sock_connect(struct stack *s, const struct sock_options *o, const struct addr *remote,
		 uint16_t port, sock_id *out);
/* Bytes read; 0: end of stream; -ERR_AGAIN: nothing yet. */
int64_t sock_read(struct stack *s, sock_id id, void *to, size_t cap);
/* Bytes taken, maybe fewer than offered; -ERR_AGAIN: the queue is full, or memory is short;
 * EVENT_WRITABLE follows when there is room (in the order in which sockets found none). */
int64_t sock_write(struct stack *s, sock_id id, const void *from, size_t len);
/*
 * What was written so far ends a record (MSG_EOR): no segment, new or sent again, carries bytes
 * from both sides of its end, and a short one does not wait once more is written. The peer's stream
 * shows nothing of it. While transport_config.record_marks ends are not acknowledged there is no
 * room. 0, or -ERR_ARGUMENT.
 */
int sock_end_record(struct stack *s, sock_id id);
/*
 * Urgent data (RFC 9293 3.8.5), as sock_write: it is so up to the last byte taken. It stays in the
 * stream. RFC 6093 advises against it (SHLD-13): middleboxes clear the mark, and systems disagree
 * by a byte about what it names. We follow RFC 9293: it names the byte after the urgent ones.
 */
int64_t sock_write_urgent(struct stack *s, sock_id id, const void *from, size_t len);
/* Bytes from the next one on that are urgent, read or still to come; 0: none. EVENT_URGENT tells
 * when there are, or more. */
int64_t sock_urgent(struct stack *s, sock_id id);
/* Without a copy: received bytes in ring memory (up to `max` spans), then sock_consume. */
int sock_peek(struct stack *s, sock_id id, struct span *out, unsigned max);
int sock_consume(struct stack *s, sock_id id, size_t len);
/* Without a copy: ring memory to write in, then sock_commit. */
uint8_t *sock_reserve(struct stack *s, sock_id id, size_t want, size_t *got);
int sock_commit(struct stack *s, sock_id id, size_t len);
/* Bytes that sock_read would give, and that sock_write would take. */
size_t sock_readable(struct stack *s, sock_id id);
size_t sock_room(struct stack *s, sock_id id);
/* There is some room, but the caller waits for more: EVENT_WRITABLE follows when there is. */
int sock_want_room(struct stack *s, sock_id id);
/* No more writing: FIN after what is queued. Reading goes on (half-close). */
int sock_shutdown(struct stack *s, sock_id id);
/* No more reading. What has come may still be read, and what comes is taken; but once both ways are
 * shut down, text that comes resets the connection, as after a close (RFC 1122 4.2.2.13). */
int sock_shutdown_read(struct stack *s, sock_id id);
/* Done with it: FIN after what is queued (RST where received data was never read: RFC 9293
 * SHLD-3); the handle is dead at once, the connection lives on until it has closed. */
int sock_close(struct stack *s, sock_id id);
/* RST, and everything is gone. */
int sock_abort(struct stack *s, sock_id id);
/*
 * The headers of the SYN that opened an accepted connection, where its listener had SOCK_SAVE_SYN.
 * Returns their length; where that is at most `cap`, they are copied and forgotten. 0: there are
 * none: SYN cookies keep nothing of a SYN, and no more are kept than the config's saved_syns.
 */
size_t sock_saved_syn(struct stack *s, sock_id id, void *to, size_t cap);
/* Why a connection died: ERR_OK while it lives. */
enum error sock_error(struct stack *s, sock_id id);
/* What ICMP said or a next hop did not say, and may pass (RFC 9293 MUST-47); ERR_OK: nothing that
 * still holds. EVENT_TROUBLE tells when. */
enum error sock_trouble(struct stack *s, sock_id id);
/* The same, told once, as Linux's SO_ERROR does: it is not why the connection ends, if it ends. */
enum error sock_take_trouble(struct stack *s, sock_id id);
int sock_name(struct stack *s, sock_id id, struct sock_peer *local, struct sock_peer *remote);
/* How many connections may wait at a listener from now on; 0: the configured maximum, which none
 * exceeds. Those that wait already stay. */
int sock_set_backlog(struct stack *s, sock_id id, uint32_t backlog);
/* A listener's Fast Open limit from now on; 0: none. */
int sock_set_fast_open(struct stack *s, sock_id id, uint32_t most);
/* A key of its own for a listener's Fast Open cookies; the one before it stays good. */
int sock_set_fast_open_key(struct stack *s, sock_id id, const uint8_t key[16]);
/* A new key for Fast Open cookies; the one before it stays good. */
void sock_fast_open_key(struct stack *s, const uint8_t key[16]);
/* Forgets all cookies of servers, and where Fast Open rests. */
void sock_fast_open_forget(struct stack *s);
int sock_set_nodelay(struct stack *s, sock_id id, bool on);
int sock_set_keepalive(struct stack *s, sock_id id, bool on);

/*
 * Options of a socket that is there; a listener's are inherited by what it accepts. Times are
 * nanoseconds; 0 means "as configured" unless said otherwise.
 */
enum sock_option {
	SOCK_NODELAY,       /* bool: no Nagle (RFC 9293 MUST-17) */
	SOCK_CORK,          /* bool: only full segments are sent; clearing it sends the rest */
	SOCK_KEEPALIVE,     /* bool */
	SOCK_KEEP_IDLE, SOCK_KEEP_INTERVAL, SOCK_KEEP_PROBES,
	SOCK_QUICK_ACK,     /* bool: acknowledge at once for a while; false: delay from now on */
	SOCK_USER_TIMEOUT,  /* no progress for so long ends it (R2), keepalive too */
	SOCK_FIN_WAIT2,     /* a closed one waits so long for the peer's FIN; under 1 ms: reset */
	SOCK_SYN_RETRIES,
	SOCK_DEFER_ACCEPT,  /* listeners: accept when data comes, or after so many SYN-ACKs more */
	SOCK_MSS,           /* largest segment, either way; before the handshake */
	SOCK_WINDOW_CLAMP,  /* bytes: largest window to advertise */
	SOCK_SEND_BUFFER, SOCK_RECEIVE_BUFFER, /* bytes */
	SOCK_UNSENT_MARK,   /* bytes: while so many are unsent nothing more is taken; 0: no mark */
	SOCK_READ_MARK,     /* bytes: readable from so many on; 0: one */
	/* DSCP of what is sent, with UDP the ECN bits too; seldom changed on the way (SHLD-23) */
	SOCK_TOS,
	SOCK_HOP_LIMIT,
	SOCK_FRAGMENT,      /* bool: routers may fragment what is sent */
	SOCK_QUIET,         /* bool: no EVENT_TROUBLE (RFC 9293 SHLD-20) */
	SOCK_CONGESTION,    /* congestion control: 0 as configured, 1 reno, 2 cubic, 3 bbr */
	/* What the peer is told of our user timeout, and leave to adapt ours to what it says,
	 * within the config's limits (RFC 5482); 0: neither. Who sets SOCK_USER_TIMEOUT adapts
	 * nothing. */
	SOCK_ADVERTISED_TIMEOUT,
	SOCK_ECN,           /* 0 as configured, else 1 + enum tcp_ecn_use; before the handshake */
	/* bytes/s: it is paced, and sends no faster; 0: no bound; INT64_MAX: paced by what
	 * congestion control makes of the path */
	SOCK_PACING_MOST,
	/* listeners: 1: the IP and TCP headers of SYNs are saved, for sock_saved_syn; 2: the link's
	 * header as well */
	SOCK_SAVE_SYN,
	SOCK_OPTIONS
};
/* 0, or -ERR_ARGUMENT: stale handle, unknown option, value out of range. */
int sock_set(struct stack *s, sock_id id, enum sock_option option, int64_t value);
/* What was set (0 where it is "as configured"), or -ERR_ARGUMENT. */
int64_t sock_get(struct stack *s, sock_id id, enum sock_option option);

/* Connections without a handle that still live: closed ones whose last bytes or FIN are on their
 * way, and accepted ones that nobody took. What a program that ends should wait for. */
uint32_t sock_unfinished(struct stack *s);

/* Of those, the ones that still have something to deliver: bytes or a FIN that the peer has not
 * acknowledged. The others wait for a FIN that may never come. */
uint32_t sock_undelivered(struct stack *s);

/* The state of a TCP connection, for people and tests. */
struct sock_tcp_info {
	const char *state;          /* RFC 9293's name */
	const char *wait;           /* why nothing is sent now, or "" */
	nanodiff srtt, rttvar, rto;
	uint32_t cwnd, ssthresh, in_flight; /* bytes */
	uint32_t snd_wnd, rcv_wnd;
	uint16_t mss;
	uint8_t snd_wscale, rcv_wscale;
	bool timestamps, sack;
	bool fast_open;             /* data that went with a SYN was taken */
	bool ecn, ecn_seen;         /* agreed on (RFC 3168); something came marked ECT or CE */
	bool ecn_accurate;          /* the feedback is RFC 9768's ... */
	bool accecn_option;         /* ... and its option arrives */
	/* then: bytes that came marked ECT(1), ECT(0), CE; of ours, as the peer says */
	uint32_t ecn_received[3], ecn_delivered[3];
	uint32_t ecn_reductions;    /* of the window because of marks */
	uint32_t ce_received;       /* segments that came marked ... */
	uint32_t ce_delivered;      /* ... and of ours, as the peer says */
	uint64_t bytes_sent, bytes_acked, bytes_received, bytes_retransmitted;
	uint64_t segments_sent, segments_received, retransmits, rtos, fast_recoveries;
	uint32_t unread, unsent, unacked;
	const char *congestion;     /* the algorithm's name; "" before the first data */
	uint32_t sacked, lost, again; /* of what is unacked, bytes; `again`: lost and sent again */
	/* the same in segments as they were sent, and all that is unacked */
	uint32_t unacked_segments, sacked_segments, lost_segments, again_segments;
	nanodiff min_rtt;           /* of the last minutes; 0: no sample */
	uint64_t delivery_rate;     /* bytes/s; 0: not measured (transport_config.measure_rate) */
	bool delivery_limited;      /* ... and the application had no more to send then */
	uint64_t pacing_rate;       /* bytes/s; 0: not paced */
	uint64_t pacing_most;       /* ... which the owner allows; 0: it has set no bound */
	uint32_t dsacks;            /* segments that the peer says came twice (RFC 2883) */
	uint32_t reorders;          /* segments that arrived late, though never sent again */
	uint32_t late_most;         /* bytes by which the latest of them came late */
	uint32_t rto_recoveries;    /* recoveries after an RTO ... */
	nanodiff rto_time;          /* ... and how long they took, the one under way not counted */
	nanodiff read_round;        /* the shortest round of receiving; 0: none has ended */
	uint32_t read_most;         /* bytes read in such a round, at most */
	uint32_t snd_wnd_max;       /* largest window that the peer ever offered */
	uint32_t receive_buffer;
	uint32_t rcv_mss;           /* largest segment that came */
	uint32_t path_mtu;          /* the largest packet that is sent, but for probes */
	uint32_t mtu_high;          /* ... and what is looked for: RFC 4821; 0: nothing ever was */
	uint32_t mtu_probes, black_holes; /* larger segments tried; times that we fell back */
	uint64_t data_segments_received, out_of_order; /* segments */
	uint32_t acks_compressed;   /* for text beyond a hole, that another told of as well */
	nanotime last_sent, last_text, last_heard; /* data sent; data received; anything received */
	nanodiff user_timeout, peer_timeout; /* in force; what the peer advertised, or 0 */
	/* RTO doublings; time-outs since something was acknowledged; probes without an answer */
	uint8_t backoff, timeouts, probes;
	bool recovering, loss, disorder; /* fast recovery; after an RTO; SACKs or duplicates */
	bool wait_window;           /* `wait` is for the peer's window */
	bool fin_queued, fin_sent, fin_received;
	bool records_full;          /* as many record ends are under way as may be: no room */
	enum error soft_error;      /* what ICMP told and may pass */
};
int sock_tcp_info(struct stack *s, sock_id id, struct sock_tcp_info *out);

/* A listener: connections that wait to be accepted, and how many may. 0 or -ERR_ARGUMENT. */
struct sock_listener_info {
	uint32_t waiting, backlog;
};
int sock_listener_info(struct stack *s, sock_id id, struct sock_listener_info *out);

/* Datagrams: UDP, and ICMP echo ("ping"), which has an identifier for a port. */
int sock_udp(struct stack *s, const struct sock_options *o, sock_id *out);
/* Fixes the remote: only its datagrams and ICMP errors arrive. */
int sock_udp_connect(struct stack *s, sock_id id, const struct addr *remote, uint16_t port);
int sock_ping(struct stack *s, const struct sock_options *o, bool v6, sock_id *out);
/* `to` NULL: the connected remote. For ping: `port` is the sequence number, the bytes the echo
 * body. */
int64_t sock_send_to(struct stack *s, sock_id id, const void *from, size_t len,
		     const struct addr *to, uint16_t port);
/*
 * The same from an address of ours: who answers on a socket that is bound to none passes the
 * `destination` of what it answers, so that the asker hears from whom it asked (RFC 1122 4.1.3.5).
 * `source` NULL, :: or a group: chosen. -ERR_NO_ADDRESS: not ours; -ERR_ARGUMENT: the socket is
 * bound to another one; -ERR_FAMILY.
 */
int64_t sock_send_from(struct stack *s, sock_id id, const void *from, size_t len,
		       const struct addr *source, const struct addr *to, uint16_t port);
struct sock_datagram {
	struct addr source, destination;
	uint16_t port;       /* source port; ping: the sequence number */
	uint8_t hop_limit, tos;
	bool truncated;      /* `cap` was too small */
	nanotime time;       /* when it arrived */
	/* An ICMP error about a datagram of ours instead of a datagram: */
	bool is_error;
	uint8_t icmp_type, icmp_code;
	uint32_t mtu;
	struct addr original_destination;
};
/* Bytes of the datagram; -ERR_AGAIN: none. Errors come in the same queue (is_error, 0 bytes). */
int64_t sock_recv_from(struct stack *s, sock_id id, void *to, size_t cap, struct sock_datagram *d);

#endif
