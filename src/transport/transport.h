/*
 * Layer 3, transport: finds the endpoint a packet belongs to, runs UDP, TCP and
 * echo (ping) endpoints, and pulls what they have to send. Knows nothing of
 * sockets: an endpoint carries a number (`sock`), and what happens to it is told
 * by events queued under that number.
 */
#ifndef STRATA_TRANSPORT_TRANSPORT_H
#define STRATA_TRANSPORT_TRANSPORT_H

#include "base/ring.h"
#include "internet/internet.h"

/* What an endpoint's owner may do now; bits. */
enum endpoint_event {
	EVENT_READABLE = 1,  /* data, a datagram, end of stream, or an accepted connection */
	EVENT_WRITABLE = 2,  /* room in the send queue (after it was full), or connected */
	EVENT_CONNECTED = 4,
	EVENT_PEER_CLOSED = 8, /* the peer's FIN was taken */
	EVENT_ERROR = 16,      /* the connection is dead: ask for the error */
	EVENT_CLOSED = 32,     /* graceful close has finished on both sides */
	EVENT_URGENT = 64,     /* urgent data is ahead, or more of it */
	EVENT_TROUBLE = 128,   /* an error that may pass, or the peer is silent: it lives */
};

/* The routers (RFC 791's source route) by which a connection is to go; IPv4. */
struct tcp_via {
	struct addr hop[9]; /* the first `hops` of them, in the order in which they are passed */
	uint8_t hops;
	bool strict;        /* with no other router between them */
};

/* When a listener answers without keeping anything (RFC 4987 3.6). */
enum syn_cookies {
	SYN_COOKIES_CONFIGURED, /* of a listener: as the config says */
	SYN_COOKIES_OFF,
	SYN_COOKIES_PRESSURE,   /* while syn_cookie_threshold half-open connections wait */
	SYN_COOKIES_ALWAYS,
};

/* How losses are found where there is SACK: the bits are those of Linux's tcp_recovery. */
enum rack_use {
	RACK_BY_TIME = 1,       /* RFC 8985; else by counting (RFC 6675) */
	RACK_STATIC_WINDOW = 2, /* DSACKs do not widen the reordering window */
	RACK_NO_DUP_THRESH = 4, /* the window is waited for, however many segments came */
	RACK_USES = 8
};

/* What becomes of a window that the application does not use (reno and cubic). */
enum idle_window {
	IDLE_WINDOW_VALIDATED, /* RFC 7661: kept for five minutes, then halved; the default */
	IDLE_WINDOW_DECAYS, /* RFC 2861: halved each RTO; Linux's tcp_slow_start_after_idle = 1 */
	IDLE_WINDOW_KEPT,   /* kept; Linux's tcp_slow_start_after_idle = 0 */
	IDLE_WINDOWS
};

/* Does TCP find out by itself what the path carries (RFC 4821)? The numbers are Linux's
 * tcp_mtu_probing. */
enum mtu_probing {
	MTU_PROBING_OFF,        /* ICMP says it, or nobody */
	MTU_PROBING_BLACK_HOLE, /* once full segments seem to vanish; the default */
	MTU_PROBING_ALWAYS,     /* each connection begins small */
	MTU_PROBINGS
};

/* Explicit Congestion Notification in TCP: RFC 3168, and the accurate feedback of RFC 9768. The
 * numbers are Linux's tcp_ecn. */
enum tcp_ecn_use {
	ECN_USE_OFF,
	ECN_USE_ASK,    /* our SYNs ask for it, and who asks gets it */
	ECN_USE_ACCEPT, /* who asks gets it */
	ECN_USE_ACCURATE,        /* our SYNs ask for accurate feedback, and who asks gets it */
	ECN_USE_ACCURATE_ASK,    /* who asks gets it; our SYNs ask for RFC 3168's */
	ECN_USE_ACCURATE_ACCEPT, /* who asks gets it */
	ECN_USES
};

/* When RFC 9768's option is sent; the numbers are those of Linux's tcp_ecn_option. */
enum accecn_option {
	ACCECN_OPTION_NEVER,
	ACCECN_OPTION_SPARING,    /* where counters have moved, and fields that ever did */
	ACCECN_OPTION_ALWAYS,     /* in each segment, once the peer's option has come */
	ACCECN_OPTION_PERSISTENT, /* and whatever seems to become of it */
	ACCECN_OPTIONS
};

/* TCP Fast Open (RFC 7413): the bits and their meaning are Linux's. */
enum fast_open_flag {
	FAST_OPEN_CLIENT = 0x1,           /* for connections that ask for it */
	FAST_OPEN_SERVER = 0x2,           /* for listeners that ask for it */
	FAST_OPEN_CLIENT_NO_COOKIE = 0x4, /* data in a SYN without having a cookie */
	FAST_OPEN_SERVER_NO_COOKIE = 0x200, /* data of a SYN is taken without a cookie */
	FAST_OPEN_SERVER_ALL = 0x400,     /* listeners need not ask */
};

struct transport_config {
	uint32_t sockets;        /* endpoints with an owner, all kinds: ids 1 .. sockets */
	uint32_t listeners;
	uint32_t backlog_max;    /* accepted connections that wait in one listener */
	uint32_t connections;    /* tcp_conn items */
	uint32_t flights;        /* tcp_flight items: connections with data in motion at once */
	uint32_t embryos;        /* half-open passive connections */
	uint32_t time_waits;
	uint32_t sent_ranges;    /* for all connections together */
	uint32_t held_ranges;    /* out-of-order ranges of one connection: 32 and more */
	/* record ends that one connection remembers until they are acknowledged; a sender that has
	 * so many under way finds no room for more */
	uint32_t record_marks;
	uint32_t saved_syns;     /* SYNs kept for listeners that ask for it: 192 bytes each */
	uint32_t datagram_sockets;
	uint32_t blocks;         /* ring blocks of 2 KB */
	uint32_t big_blocks;     /* ring blocks of 32 KB */
	uint32_t send_buffer;    /* default bytes for one connection */
	uint32_t receive_buffer;
	/* to which these grow with the path, and the window scale fits; 0: they don't */
	uint32_t send_buffer_max, receive_buffer_max;
	uint32_t datagram_queue; /* datagrams one socket holds, each way */
	uint32_t resets;         /* queued RST and ACK replies that belong to no connection */
	uint16_t port_first, port_last; /* ephemeral ports: RFC 6056 */
	/* super-frame bytes at most (where the link takes them); 0: none */
	uint32_t gso_max;
	/* TCP's times */
	/* RFC 6298: 1 s, 200 ms (Linux's; RFC 8961), 60 s */
	nanodiff rto_initial, rto_min, rto_max;
	nanodiff delayed_ack;    /* 40 ms; MUST-40: below 500 ms */
	/* ACKs of text beyond a hole wait for each other so long (1 ms), but no longer than a part
	 * of a round trip (5), and until so many do (44; 0: none), but not the first so many (128)
	 * that come while there is a hole: tcp/sack_delay.c */
	nanodiff comp_sack_delay;
	uint8_t comp_sack_after, comp_sack_rtt_percent, comp_sack_nr;
	nanodiff peer_ack_delay; /* what a peer may delay an ACK by: 200 ms (RFC 8985 7.2) */
	nanodiff msl;            /* TIME-WAIT is twice that; 30 s */
	/* A TIME-WAIT whose peer sent timestamps gives way to a connection of ours after so long
	 * (RFC 6191: 1 s), where its port was picked, where it was asked for; below 0: never. */
	nanodiff time_wait_reuse, time_wait_reuse_bound;
	nanodiff fin_wait2;      /* orphans in FIN-WAIT-2: 60 s */
	nanodiff user_timeout;   /* R2: give up after so long without progress; 100 s or more */
	/* what the peer may make of it (RFC 5482): 100 s to an hour */
	nanodiff user_timeout_least, user_timeout_most;
	bool icmp_ends_open;     /* any unreachable ends an attempt, not only a hard one */
	nanodiff syn_timeout;    /* R2 for SYN: MUST-23: at least 3 minutes */
	nanodiff keepalive_idle, keepalive_interval; /* 2 h, 75 s; off unless asked for */
	uint8_t keepalive_probes;
	uint8_t syn_ack_retries;
	uint8_t syn_retries;     /* give up after so many; 0: only syn_timeout counts */
	uint8_t syn_steady;      /* SYNs that go again before the time doubles, besides these: 0 */
	uint8_t syn_cookies;     /* enum syn_cookies */
	uint16_t fast_open;      /* enum fast_open_flag */
	uint32_t fast_open_cache; /* servers whose cookies are remembered */
	nanodiff fast_open_pause; /* where SYNs with data get lost; doubles each time */
	uint8_t fast_open_key[16]; /* of a server's cookies; all zero: one of the stack's own */
	uint32_t syn_cookie_threshold; /* half-open connections; 0: three quarters of embryos */
	bool timestamps, sack, window_scaling;
	uint8_t ecn;             /* enum tcp_ecn_use */
	uint8_t accecn_option;   /* enum accecn_option: with accurate feedback */
	bool ecn_fallback;       /* a handshake that was marked on its way ends our marks */
	bool ecn_everywhere;     /* and there, ECT on all but SYNs and resets (ecn.c) */
	bool tail_loss_probe;    /* RFC 8985 7 */
	bool f_rto;              /* RFC 5682 */
	uint8_t rack;            /* enum rack_use: RFC 8985 6 */
	uint8_t dup_thresh;      /* segments beyond one that say that it is lost: 3 */
	bool dsack;              /* what comes twice is told (RFC 2883) */
	bool measure_rate;       /* the delivery rate, where no algorithm needs it; costs an ACK */
	nanodiff min_rtt_window; /* the smallest RTT is that of so long: 5 minutes */
	nanodiff reorder_slack;  /* the reordering timer (RFC 8985 6.2) fires so much later */
	bool rto_restart;        /* RFC 7765 */
	uint16_t mss_min;        /* floor of the effective send MSS: CVE-2019-11479 */
	uint8_t mtu_probing;     /* enum mtu_probing */
	uint16_t mtu_base;       /* segments that every path takes, as is supposed at first: 1024 */
	uint16_t mtu_floor;      /* where these vanish too, no smaller ones are tried: 256 */
	uint16_t mtu_threshold;  /* the search ends where less than so much is open: 8 bytes */
	nanodiff mtu_interval;   /* so long after it the path is tried again: 10 minutes */
	uint32_t initial_window; /* segments: 10, RFC 6928 */
	uint8_t congestion;      /* enum cc_kind: CUBIC where 0 */
	/* CUBIC as in Linux: HyStart, not HyStart++, and what a loss reduces is the window, though
	 * less may have been in flight (RFC 9438 4.6 allows both) */
	bool abrupt_start;
	uint8_t idle_window;     /* enum idle_window */
	nanodiff flight_idle;    /* a connection without work gives its buffers back: 2 s */
	uint32_t challenge_rate; /* challenge ACKs: one a connection in so many ms */
};

void transport_config_default(struct transport_config *c);
const char *transport_config_check(const struct transport_config *c);

struct transport;
/* The config that is in use. What says how TCP behaves (times, retries, features, default sizes)
 * may be changed while the stack runs, within what transport_config_check allows, and holds for
 * what begins afterwards; what memory was planned from may not. */
struct transport_config *transport_settings(struct transport *t);

#endif
