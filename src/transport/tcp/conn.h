/*
 * The TCP connection's memory. What every connection needs all the time is
 * tcp_conn (192 bytes); what it needs while data moves is tcp_flight, taken from a
 * pool at first data and given back after an idle time. Half-open and TIME-WAIT
 * connections, which attackers and busy servers have by the million, have
 * structs of their own of at most 96 bytes.
 *
 * All of them begin with the tuple, so that the demultiplexer compares one way.
 */
#ifndef STRATA_TRANSPORT_TCP_CONN_H
#define STRATA_TRANSPORT_TCP_CONN_H

#include "base/interval.h"
#include "base/ring.h"
#include "base/seq.h"
#include "internet/internet.h"
#include "transport/congestion/congestion.h"
#include "transport/recovery/pacer.h"
#include "transport/recovery/prr.h"
#include "transport/recovery/rack.h"
#include "transport/recovery/rate.h"
#include "transport/recovery/rtt.h"

/* RFC 9293 3.3.2. LISTEN is a tcp_listener; SYN-RECEIVED from a listener is a tcp_embryo;
 * TIME-WAIT without a reader is a tcp_time_wait. */
enum tcp_state {
	TCP_CLOSED,
	TCP_LISTEN,
	TCP_SYN_SENT,
	TCP_SYN_RECEIVED,
	TCP_ESTABLISHED,
	TCP_FIN_WAIT_1,
	TCP_FIN_WAIT_2,
	TCP_CLOSE_WAIT,
	TCP_CLOSING,
	TCP_LAST_ACK,
	TCP_TIME_WAIT,
	TCP_STATES
};

/* How a Fast Open cookie stands in a SYN-ACK: RFC 7413 4.1.1, and its appendix for early ones. */
enum cookie_form {
	COOKIE_NONE,
	COOKIE_OPTION,
	COOKIE_EXPERIMENTAL,
};

struct tcp_tuple {
	struct addr local, remote;
	uint16_t local_port, remote_port;
};

static inline bool tcp_tuple_equal(const struct tcp_tuple *a, const struct tcp_tuple *b)
{
	return a->remote_port == b->remote_port && a->local_port == b->local_port &&
	       a->remote.w[1] == b->remote.w[1] && a->remote.w[0] == b->remote.w[0] &&
	       a->local.w[1] == b->local.w[1] && a->local.w[0] == b->local.w[0];
}

enum tcp_conn_flag {
	CONN_TIMESTAMPS = 1 << 0,
	CONN_SACK = 1 << 1,
	CONN_NODELAY = 1 << 2,
	CONN_KEEPALIVE = 1 << 3,
	CONN_ACK_NOW = 1 << 4,     /* an ACK is owed: the next transmit sends it */
	CONN_FIN_QUEUED = 1 << 5,  /* the application is done writing: FIN at snd_end */
	CONN_FIN_RECEIVED = 1 << 6, /* the peer's FIN was taken: rcv_nxt is past it */
	CONN_RESET_OWED = 1 << 7,  /* send RST, then die */
	CONN_IN_DEMUX = 1 << 8,
	CONN_SYN_OWED = 1 << 9,    /* SYN (or SYN-ACK) must be sent (again) */
	CONN_PROBE_OWED = 1 << 10, /* zero-window or keepalive probe */
	CONN_IN_BACKLOG = 1 << 11, /* waits to be accepted */
	CONN_WINDOW_FULL = 1 << 12, /* a write found the queue full: tell when there is room */
	CONN_SHORT = 1 << 13,      /* waits for memory: shortage.c */
	CONN_ACK_SEEN = 1 << 14,   /* the peer acknowledged at least one byte of data */
	CONN_CHALLENGED = 1 << 15, /* challenge_at is valid */
};

/* What of ECN is on, and what is owed; all zero: none of it. */
enum tcp_conn_ecn {
	CONN_ECN = 1 << 0,      /* agreed on; in SYN-SENT: our SYN asks for it */
	/* with the feedback of RFC 3168 ... */
	CONN_ECN_ECHO = 1 << 1, /* CE came: ECE on every segment until CWR comes (6.1.3) */
	CONN_ECN_CWR = 1 << 2,  /* the window was reduced: the next new data says so (6.1.2) */
	CONN_ECN_SEEN = 1 << 3, /* a segment came that was marked ECT or CE */
	/* ... and with that of RFC 9768 */
	CONN_ACCURATE = 1 << 4,
	CONN_ACE_PEER = 3 << 1, /* enum ip_ecn with which the peer's SYN or SYN-ACK came; in
				 * SYN-SENT: SYNs that asked */
	CONN_ACE_EXPECT = 1 << 3,    /* the peer's next ACE field is about our SYN-ACK (3.2.2.1) */
	CONN_ACE_HANDSHAKE = 1 << 5, /* our next pure ACK's is about its SYN-ACK */
	CONN_ACE_NOT_ECT = 1 << 6,   /* nothing of ours is marked any more (3.2.2.3) */
	CONN_ACE_DEAF = 1 << 7,      /* feedback is not believed (3.2.2.4) */
};
#define CONN_ACE_PEER_SHIFT 1

struct tcp_flight;

struct tcp_conn {
	struct tcp_tuple tuple;   /* 40 with padding */
	uint32_t snd_una, snd_nxt;
	uint32_t snd_end;         /* past the last byte the application wrote */
	uint32_t snd_wnd;         /* scaled; no sign: MUST-1, REC-1 */
	uint32_t snd_wl1, snd_wl2;
	uint32_t rcv_nxt;
	uint32_t rcv_edge;        /* right edge that was advertised: never moves left */
	uint32_t last_ack_sent;   /* RFC 7323 4.3 */
	uint32_t ts_recent;
	uint32_t ts_recent_at;    /* ms: when it was set; 24 days void it */
	uint32_t ts_offset;
	struct rtt rtt;
	uint32_t sock;            /* the owner's number; 0: orphan, or waits in a backlog */
	/* ms clock: when the peer was last heard (SYN-SENT: us clock of the SYN) */
	uint32_t heard;
	/* armed at or before the earliest deadline; its `owner` is our hash */
	struct timer timer;
	struct list ready;        /* in the transport's ready list, or parked on a neighbour */
	struct tcp_flight *flight;
	struct path path;
	uint16_t flags;           /* enum tcp_conn_flag */
	uint16_t mss;             /* payload bytes of a full segment, options taken off */
	uint16_t peer_mss;        /* as the peer said; default 536 or 1220 */
	union {
		uint16_t challenge_at; /* ms / 16, wraps */
		uint16_t error;        /* CLOSED: the enum error it died of; SYN-SENT: a soft one */
	};
	uint8_t state;            /* enum tcp_state */
	uint8_t snd_wscale, rcv_wscale;
	uint8_t backoff;          /* RTO doublings, until a round trip is measured (Karn) */
	uint8_t tos, hop_limit;   /* the owner's, and still ours when the owner has gone */
	/* RFC 7413. SYN-SENT: wanted. SYN-RECEIVED: the SYN's data was taken, and answers may go
	 * before the handshake is complete. Later: data that went with the SYN was taken. */
	bool fast_open;
	uint8_t ecn;              /* enum tcp_conn_ecn */
};
static_assert(sizeof(struct tcp_conn) <= 192, "tcp_conn stays small");

enum tcp_phase {
	PHASE_OPEN,
	PHASE_RECOVERY, /* fast recovery: RFC 8985, 6582, 9937 */
	PHASE_LOSS,     /* after an RTO */
};

/* What is sent for its own sake, one segment at a time: the tail loss probe (RFC 8985 7), one that
 * is larger than the path is known to take (mtu_search.c), or an option (user_timeout.c). Below
 * NONE it may be sent, above it is out, and its answer will tell something. */
enum tcp_probing {
	PROBING_TIMEOUT = -3, /* our user timeout: no answer is waited for */
	PROBING_TAIL = -2,   /* its timer fired: the next transmit sends it */
	PROBING_LARGER = -1, /* as soon as there is data and room for it */
	PROBING_NONE,
	PROBING_TAIL_NEW,    /* it was new data */
	PROBING_TAIL_AGAIN,  /* it was the last segment once more */
	PROBING_LARGER_OUT,
};

/* Was the timeout spurious? RFC 5682 2.1, 3.1 */
enum tcp_frto {
	FRTO_NONE,
	FRTO_FIRST,  /* the first segment was sent again; its ACK will tell */
	FRTO_SECOND, /* new data was sent instead of more retransmissions */
};

/* Accurate feedback (RFC 9768 3.2), all of it counted from zero: accecn.c. Bytes are in the order
 * of enum ip_ecn without the first. */
struct accecn {
	uint32_t r_cep, r_bytes[3]; /* what came: packets with CE, and text by marks */
	uint32_t s_cep, s_bytes[3]; /* what of ours came, as the peer says */
	uint16_t per_ack;           /* packets that an ACK covers, smoothed, in sixteenths */
	uint8_t unsaid;             /* CE that no segment of ours has told of */
	uint8_t last;               /* enum ip_ecn of the packet before */
	uint8_t due;                /* fields, ECT(1) first, that no option has told of; 0: none */
	bool heard;                 /* its first ACE field was looked at */
	bool option_seen, option_zeroed;
	bool option_blocked;        /* what went with the option does not seem to arrive */
	bool twice_told;            /* an option went beside a DSACK that began at `twice` */
	uint32_t twice;
};

#define FLIGHT_TOTALS 152 /* bytes of what is counted over a connection's whole life */

struct tcp_flight {
	struct ring tx, rx;
	uint32_t send_buffer, receive_buffer;
	struct scoreboard board;
	struct rack rack;
	struct min_rtt min_rtt;
	struct prr prr;
	struct rate rate;
	struct pacer pacer;
	struct cc cc;
	nanotime rto_at;       /* retransmission, or probe of a closed window */
	nanotime ack_at;       /* delayed ACK */
	nanotime give_up_at;   /* user timeout: R2 */
	nanotime reorder_at;   /* RACK: when time makes a range lost */
	nanotime probe_at;     /* keepalive and orphans' timers */
	nanotime advanced_at;  /* when the RTO was armed last: new data acknowledged, or sent */
	nanotime validated_at; /* RFC 7661: half of the window was acknowledged in a round */
	uint64_t pacing_most;  /* bytes/s that the owner allows; 0: it has set no bound */
	nanotime paced_until;  /* ... and this long the burst that follows a silence is spread */
	uint64_t loss_again;   /* ... bytes_again when a loss came; 0 bytes in flight then: */
	uint32_t loss_flight;  /* the window was validated */
	nanotime resent_at;    /* the first retransmission of this recovery; 0: none yet */
	nanodiff user_timeout;
	nanodiff peer_timeout; /* what it advertised (RFC 5482); 0: nothing that we may use */
	nanodiff fin_wait2;    /* how long it may wait there without an owner */
	uint32_t recover;      /* RFC 6582: recovery ends when this is acknowledged */
	uint32_t tune_mark;    /* our timestamp clock when the round of receiving began ... */
	uint32_t tune_low;     /* ... what had been read by then, and the most in a round */
	uint32_t tune_most;
	uint32_t tune_round;   /* ms: the shortest round; 0: none has ended */
	uint32_t snd_wnd_max;  /* largest window the peer ever offered */
	uint32_t snd_small;    /* end of the last segment that was not full: Minshall's Nagle */
	uint32_t fin_seq;      /* the peer's FIN, where it came ahead of a hole */
	uint32_t urgent;       /* RCV.UP: the first byte that is not urgent */
	uint32_t urgent_end;   /* SND.UP, likewise */
	uint32_t probe_start, probe_end; /* SND.NXT before and after the probe */
	uint32_t undo_una;     /* SND.UNA when the last reduction began */
	/* SND.NXT at the last reduction: until it is acknowledged ECE says nothing new */
	uint32_t ecn_high;
	uint32_t undo_left;    /* bytes sent again since then that no DSACK named (RFC 3708) */
	int8_t probing;        /* enum tcp_probing */
	uint8_t frto;          /* enum tcp_frto */
	bool tail_probed;      /* no RTT was measured since the last tail loss probe */
	bool undo_possible;    /* the last reduction may turn out to have been needless */
	uint8_t phase;         /* enum tcp_phase */
	uint8_t dup_acks;
	uint8_t probes;        /* unanswered probes */
	uint8_t timeouts;      /* RTOs since SND.UNA moved last */
	uint8_t quick;         /* segments to acknowledge at once, at a flow's start */
	bool answers;          /* our text follows the peer's within the delay of an ACK */
	bool ack_when_read;    /* what came ends a write: when all is read, the ACK waits no more */
	uint8_t ack_why;       /* enum tx_why of the ACK that is owed */
	uint8_t retransmit_why;
	uint8_t wait;          /* enum tcp_wait: what held us back last */
	bool fin_ahead;        /* fin_seq is set */
	bool refused;          /* the reset that is owed answers what came */
	uint8_t fin_age;       /* how often held text has changed since fin_seq was set */
	bool again_forced;     /* the first retransmission of a recovery goes whatever cwnd says */
	bool urgent_valid, urgent_sent; /* `urgent`, `urgent_end` are set */
	bool window_zero_told; /* the last window we advertised was below one segment */
	uint8_t fast_open_cookie; /* enum cookie_form that the SYN-ACK brings */
	uint16_t too_big;      /* a path MTU that somebody claims; 0: none */
	uint32_t too_big_seq;  /* of which byte */
	uint16_t probe_mtu;    /* the packet of the larger segment that is out */
	bool timeout_owed;     /* the peer is to be told our user timeout: RFC 5482 */
	bool search_high;      /* the next one is as large as may be, not half way there */
	uint32_t searched_at;  /* ms: when the search for a larger MTU ended last */
	uint16_t fast_open_listener, fast_open_generation; /* SYN-RECEIVED: who counts it */
	uint16_t soft_error;   /* enum error that ICMP told and that may pass */
	bool soft_taken;       /* ... and that its owner has been told of, and dismissed */
	uint8_t hole_segments; /* segments beyond a hole, since text is held */
	uint8_t hole_acks;     /* for text beyond the hole that RCV.NXT stands at: up to three */
	uint8_t sacks_waiting, sack_ranges; /* segments whose ACK waits, and what they grew */
	uint32_t acks_compressed; /* for text beyond a hole, that another told of as well */
	struct interval_set *held; /* out-of-order text, while there is any */
	struct record_marks *records; /* where records end, while some are not acknowledged */
	uint32_t twice_start, twice_end; /* text that came twice, to be told once (RFC 2883) */
	nanotime rto_begun;    /* when the recovery after an RTO began that is under way */
	union { /* of the connection's whole life: kept.c */
		struct {
			uint64_t bytes_sent, bytes_acked, bytes_received, bytes_again;
			uint64_t segments_sent, segments_received, data_segments_received;
			/* bytes/s, the latest good sample; while it is measured */
			uint64_t delivery_rate;
			nanodiff rto_time; /* spent in recoveries after an RTO that are over */
			/* data; for the restart after idle, and the tail loss probe */
			nanotime last_sent;
			nanotime last_text; /* when text came */
			uint32_t retransmits, rtos, recoveries, undos, dsacks, probes_sent;
			/* late arrivals (RFC 8985 6.2 step 3); by how many bytes the latest was */
			uint32_t reorders, late_most;
			uint32_t rto_recoveries;
			uint32_t out_of_order;   /* segments that came beyond a hole */
			uint32_t ecn_reductions; /* of the window, because of marks */
			uint32_t ce_received;    /* segments that came marked ... */
			uint32_t ce_delivered;   /* ... and of ours, as the peer says */
			/* larger segments sent; times that we fell back */
			uint32_t mtu_probes, black_holes;
			uint16_t rcv_mss; /* largest segment that came: "full-sized" for ACKs */
			bool delivery_limited; /* delivery_rate's sample, by the application */
		};
		uint8_t totals[FLIGHT_TOTALS];
	};
	struct accecn accecn;
	uint32_t ecn_delivered;  /* bytes that had been delivered at the last look */
};
static_assert(offsetof(struct tcp_flight, accecn) ==
		      offsetof(struct tcp_flight, totals) + FLIGHT_TOTALS,
	      "nothing of the whole life is lost");

/* In tcp_embryo.options: the handshake's ACK came, and data is waited for; challenge_at holds. */
#define EMBRYO_ACKED	  0x80
#define EMBRYO_CHALLENGED 0x40

struct tcp_embryo {
	struct tcp_tuple tuple;
	struct list link;      /* in the list to send, or waiting for its deadline */
	nanotime deadline;     /* retransmission of SYN-ACK */
	uint32_t iss, irs, ts_recent, ts_offset;
	uint16_t window, peer_mss;
	uint16_t listener;     /* index */
	uint8_t wscale;        /* the peer's; 0xff: none */
	uint8_t options;       /* CONN_TIMESTAMPS | CONN_SACK, EMBRYO_* */
	uint8_t tries;
	uint8_t cookie;        /* enum cookie_form that the SYN-ACK brings */
	uint16_t challenge_at; /* ms / 16, wraps */
	uint8_t ecn;           /* enum tcp_conn_ecn of the connection to be */
};
static_assert(sizeof(struct tcp_embryo) <= 96, "half-open connections stay small");

struct tcp_time_wait {
	struct tcp_tuple tuple;
	struct list link;      /* in the order of expiry */
	nanotime expires;
	uint32_t snd_nxt, rcv_nxt, ts_recent, ts_offset;
	uint16_t window;
	uint8_t options;
	bool challenged;
	uint16_t challenge_at;
	uint8_t tos, hop_limit;
	uint32_t hash;
};
static_assert(sizeof(struct tcp_time_wait) <= 96, "TIME-WAIT stays small");

const char *tcp_state_name(enum tcp_state s);

#endif
