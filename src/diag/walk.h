/*
 * The walk: one exchange (a page, usually) told step by step from a timeline. A
 * step is a frame that passed our link, or something that happened without one
 * (a timer, a packet that could not be sent). Each knows its connection, its
 * sequence numbers counted from 0, the host at the other end and the router on
 * the way, the state changes that it brought, and the phase that it belongs to.
 *
 * Nothing here is assumed: every number comes from the timeline's times and
 * bytes, so that who has a capture of the same frames can check it.
 *
 * Phases follow each other without gaps, from the start of the exchange on:
 *
 *	look-up    to the last DNS answer before a connection is opened
 *	connect    to the SYN,ACK of the connection that carries the request
 *	request    to its last byte
 *	wait       to the first byte of the response
 *	response   to its last byte
 *	close      to the last segment of that connection
 *
 * Who follows redirects goes through them again: a new hop.
 */
#ifndef STRATA_DIAG_WALK_H
#define STRATA_DIAG_WALK_H

#include "diag/anatomy.h"
#include "diag/timeline.h"

#define WALK_NONE      UINT16_MAX
#define WALK_HOSTS     12 /* who takes part */
#define WALK_ADDRESSES 6  /* of one host */
#define WALK_FLOWS     32 /* TCP connections */
#define WALK_QUESTIONS 64 /* DNS */
#define WALK_STAGES    48 /* phases of all hops */
#define WALK_TRIPS     64 /* round trips that are listed */
#define WALK_STATES    4  /* changes at one step */
#define WALK_FLIGHT    64 /* segments of a flow that wait for an acknowledgment, followed at once */

enum walk_phase {
	WALK_LOOKUP,
	WALK_CONNECT,
	WALK_REQUEST,
	WALK_WAIT,
	WALK_RESPONSE,
	WALK_CLOSE,
	WALK_PHASES
};
const char *walk_phase_name(enum walk_phase p); /* "lookup" */

/* ---- who ---- */

/* What a host is to us; one may be several. */
enum walk_role { WALK_CLIENT = 1, WALK_ROUTER = 2, WALK_DNS = 4, WALK_SERVER = 8 };

/* "client", "router", "dns", "server", "host"; of several the first in this order. */
const char *walk_role_name(unsigned roles);
struct walk_host {
	unsigned roles;
	unsigned addresses;
	struct addr address[WALK_ADDRESSES];
	nanodiff nearest[WALK_ADDRESSES]; /* the shortest answer time seen; NANOTIME_NEVER: none */
	bool has_mac;                     /* it is on our link */
	struct mac mac;
};

/* ---- what was said ---- */

struct walk_question {
	uint16_t host, id, type, local_port;
	struct dns_name name;
	uint32_t asked, answered; /* steps; UINT32_MAX: not */
	uint16_t rcode;
};

struct walk_flow {
	uint16_t host, hop;
	struct addr local, remote;
	uint16_t local_port, remote_port;
	bool dns; /* carries DNS */
	bool has_irs;
	uint32_t iss, irs;       /* the sequence numbers of the two SYNs */
	uint32_t syn, syn_ack;   /* steps; UINT32_MAX: not */
	uint64_t sent, received; /* bytes of text, each counted once; received: those in order */
	uint32_t request_last, response_first, response_last; /* steps */
	bool carries;                                         /* the request went here */
	uint8_t local_scale, remote_scale;                    /* window scales; 0xff: not agreed */
	uint16_t local_mss, remote_mss;                       /* as announced; 0: not */
	unsigned again;                                       /* segments that we sent again */
	/* private: */
	uint32_t sent_next, received_next; /* the next byte, absolute */
	bool shaken, fin_sent, fin_received;
	uint32_t fin_at; /* the peer's FIN: the number behind it */
	struct walk_flight {
		uint32_t end, step;
		bool again;
	} flight[WALK_FLIGHT];
	unsigned flying;
};

enum walk_step_kind {
	STEP_NEIGHBOUR_ASK,    /* ARP or ND: where is ...? */
	STEP_NEIGHBOUR_ANSWER, /* ... there */
	STEP_NAME_ASK,
	STEP_NAME_ANSWER,
	STEP_SYN,
	STEP_SYN_ACK,
	STEP_DATA, /* a segment with text, whatever else it does */
	STEP_ACK,  /* without text, SYN, FIN, RST */
	STEP_FIN,  /* without text */
	STEP_RESET,
	STEP_ICMP,     /* ICMP of either family but ND */
	STEP_DATAGRAM, /* UDP that is no DNS */
	STEP_OTHER,
	/* Without a frame: */
	STEP_UNSENT, /* a packet could not be sent */
	STEP_TIMER,  /* a TCP timer fired */
	STEP_LOSS,   /* TCP takes something for lost */
	STEP_CHANGE, /* a state changed by itself */
	STEP_KINDS
};
const char *walk_step_name(enum walk_step_kind k); /* "neighbour_ask" */

struct walk_step {
	uint8_t kind, phase; /* the phase under way when it happened */
	uint16_t hop;
	uint32_t moment;
	enum layer layer; /* at work */
	bool sent;
	bool background; /* has nothing to do with the exchange */
	bool handshake;  /* its acknowledgment is the third part of a handshake */
	bool again;      /* repeats what had been sent (or had come) before */
	bool early;      /* came before something that was sent before it: there is a gap */
	bool routine;    /* data in order or its acknowledgment, like the ones before */
	uint16_t host, router, flow, question; /* WALK_NONE: none */
	uint8_t peer;                          /* which of the host's addresses */
	uint32_t seq, ack;                     /* counted from 0 */
	uint8_t states;
	uint32_t state[WALK_STATES]; /* moments: changes that this step brought */
};

/* ---- sums ---- */

struct walk_stage {
	enum walk_phase phase;
	uint16_t hop;
	nanotime from, to;
	unsigned round_trips;
};

/* One round trip of the chain: sent at a step, answered at another. */
struct walk_trip {
	uint32_t sent, answered; /* steps */
	enum walk_phase phase;   /* in which it was sent */
};

struct walk_bytes {
	uint64_t frames, bytes;
	uint64_t layer[ANATOMY_LAYERS];
};

struct walk_input {
	nanotime started; /* of the exchange: time 0 of the walk */
	nanotime done;    /* when the application had its result, or gave up */
	uint64_t page;    /* bytes of content that the application got */
	struct addr dns[8];
	unsigned dns_count; /* the name servers that it uses */
};

struct walk {
	const struct timeline *timeline;
	struct walk_input input;
	struct walk_step *step;
	uint32_t steps, cap;
	unsigned hosts;
	struct walk_host host[WALK_HOSTS]; /* 0: the client */
	unsigned flows;
	struct walk_flow flow[WALK_FLOWS];
	unsigned questions;
	struct walk_question question[WALK_QUESTIONS];
	unsigned stages;
	struct walk_stage stage[WALK_STAGES];
	nanotime page_at, ended; /* the page's last byte came; the last step of the exchange */
	unsigned round_trips;    /* of the chain that ends with the page's last byte */
	nanodiff distance;       /* the shortest answer times of these, summed up */
	unsigned trips;          /* of these, listed; the last one first */
	struct walk_trip trip[WALK_TRIPS];
	struct walk_bytes out, in, background;
	uint64_t dns_bytes, http_bytes; /* of the application layer, both ways */
	unsigned retransmissions;       /* segments of ours that were sent again */
};

/*
 * Builds the walk. `steps` has room for `cap` of them: timeline->count always suffices. The
 * timeline stays the caller's, and is looked at as long as the walk is.
 */
void walk_build(struct walk *w, const struct timeline *t, const struct walk_input *in,
	struct walk_step *steps, uint32_t cap);
/* A step's frame again. False: it has none. */
bool walk_anatomy(const struct walk *w, const struct walk_step *s, struct anatomy *a);
/* By how many bits the window in a segment of the walk's connections is to be shifted. */
uint8_t walk_scale(const struct walk *w, const struct walk_step *s, const struct anatomy *a);
/* Since the start of the exchange. */
static inline nanodiff walk_time(const struct walk *w, const struct walk_step *s)
{
	return w->timeline->moment[s->moment].time - w->input.started;
}

#endif
