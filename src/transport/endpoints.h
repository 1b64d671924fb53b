/*
 * What the parts of the transport layer share: its state, its lists, and how an
 * event reaches an endpoint's owner. Private to transport/ and socket/.
 */
#ifndef STRATA_TRANSPORT_ENDPOINTS_H
#define STRATA_TRANSPORT_ENDPOINTS_H

#include "packet/rx.h"
#include "transport/demux.h"
#include "transport/tcp/fast_open.h"
#include "transport/transport.h"
#include "wire/tcp.h"

/* Events by owner number: a mask for each, and a queue of those that have one. */
struct notify {
	uint8_t *mask;
	uint32_t *queue;
	uint32_t head, count, cap;
};

/* What an owner may set for its endpoint; by owner number. */
struct endpoint_options {
	uint32_t send_buffer, receive_buffer; /* 0: the configured */
	nanodiff user_timeout;                /* 0: the configured */
	nanodiff advertised_timeout;          /* RFC 5482; 0: nothing is told or believed */
	nanodiff keep_idle, keep_interval;    /* 0: the configured */
	nanodiff fin_wait2;                   /* 0: the configured */
	uint64_t pacing_most;                 /* bytes/s; 0: no bound */
	/* While so much is written and unsent, nothing more is taken; 0: no such mark */
	uint32_t unsent_mark;
	uint32_t read_mark;    /* readable from so many bytes on; 0: one */
	uint32_t window_clamp; /* largest window to advertise; 0: the buffer's */
	uint32_t first_window; /* what of both a handshake may offer; 0: the configured buffer */
	uint16_t mss;          /* largest segment, either way; 0: the link's */
	uint8_t keep_probes;   /* 0: the configured */
	uint8_t congestion;    /* enum cc_kind; 0: the configured */
	uint8_t ecn;           /* 1 + enum tcp_ecn_use; 0: the configured */
	uint8_t syn_retries;   /* 0: the configured */
	/* listeners: the ACK of the handshake does not count before so many SYN-ACKs went again:
	 * data is waited for; 0: it counts at once */
	uint8_t defer_accept;
	bool nodelay, keepalive; /* as the connection has them in its flags */
	bool cork;             /* only full segments are sent */
	bool quiet;            /* no EVENT_TROUBLE */
	bool deaf;             /* it will not read what comes */
	bool fragment;         /* routers may fragment: DF is not set */
	uint8_t hop_limit, tos;
	uint8_t syn_cookies;                  /* listeners: enum syn_cookies */
	uint8_t save_syn;                     /* listeners: enum save_syn */
	uint32_t fast_open;                   /* listeners: see tcp_listener; else any but 0 */
};

struct tcp_listener;
struct tcp_conn;
struct datagram_endpoint;

/* Who owns an endpoint, by owner number: the socket layer's record, kept here so that all
 * memory is planned in one place. Transport itself never looks inside. */
struct endpoint_owner {
	struct list ready;    /* in the queue of its application */
	void *queue, *user;
	union {
		struct tcp_conn *conn;
		struct tcp_listener *listener;
		struct datagram_endpoint *datagram;
	};
	uint32_t generation;
	uint16_t events;
	uint8_t kind;         /* 0: free */
	uint32_t next_free;
};

struct tcp_listener {
	struct list link;     /* in its port bucket */
	struct addr local;    /* :: for any */
	uint16_t port;
	bool used, v4_only, v6_only;
	uint32_t sock;
	uint32_t backlog;     /* limit */
	uint32_t waiting, head; /* ring of accepted connections */
	uint32_t *accepted;   /* connection indices */
	/* Fast Open: handshakes that may be open with their data delivered, that are, and those
	 * that ended in a reset not long ago and count as well (RFC 7413 5.1) */
	uint32_t fast_open_max, fast_open_pending, fast_open_resets;
	nanotime fast_open_resets_until;
	struct fast_open_keys fast_open_keys; /* its own; count 0: the host's */
	uint16_t generation;  /* of this slot */
	nanotime cookies_until; /* the last SYN cookie it sent is void from then on */
};

/* A segment that no connection sends: RST, challenge ACK, SYN-ACK. Owns what it says. */
struct tcp_reply {
	struct tcp_tuple tuple;
	uint32_t seq, ack;
	uint16_t flags, window;
	uint8_t why;
	bool timestamps;
	bool sack, scale;     /* options of a SYN-ACK */
	uint16_t mss;         /* its MSS option at most; 0: the link's */
	uint8_t wscale;
	uint8_t tos, hop_limit; /* 0: the configured */
	uint8_t cookie;       /* enum cookie_form of a Fast Open cookie in a SYN-ACK */
	bool accecn;          /* an AccECN option in a SYN-ACK */
	uint32_t tsval, tsecr;
};

/* A datagram in a socket's queue, at the head of a ring block. */
struct datagram {
	struct list link;
	struct addr source, destination;
	nanotime time;
	uint16_t port;
	uint16_t len;
	uint8_t hop_limit, tos;
	bool big;             /* stands in a 32 KB block */
	bool is_error;
	uint8_t icmp_type, icmp_code;
	uint32_t mtu;
};

enum datagram_kind {
	DATAGRAM_UDP,
	DATAGRAM_PING,
};

struct datagram_endpoint {
	struct list link;     /* in its port bucket */
	struct list ready;    /* in the transport's datagram list when it has something to send */
	struct addr local, remote; /* remote :: : not connected */
	uint16_t port, remote_port; /* ping: port is the identifier */
	uint8_t kind;         /* enum datagram_kind */
	bool v4_only, v6_only, dont_fragment, used;
	uint32_t sock;
	struct list received, to_send;
	uint32_t received_count, to_send_count;
	struct path path;
	struct addr path_destination;
};

/* A ring of connection indices, with room for all. */
struct conn_queue {
	uint32_t *conn;
	uint32_t head, count;
};

#define PORT_BUCKETS  256
#define PORT_COUNTERS 256
#define SAVED_SYN_BUCKETS 256u

struct transport {
	struct core *core;
	struct internet *internet;
	struct transport_config config;
	nanotime now;               /* of the latest call */
	uint32_t now_ms;            /* the same in ms, wrapping: timestamps, idle times */
	struct hash_key secret;     /* ISN, ports, timestamp offsets */
	struct hash_key cookie_key; /* SYN cookies */
	struct fast_open_keys fast_open_keys;
	struct fast_open_cache fast_open_cache;
	struct notify notify;
	struct endpoint_options *options; /* by owner number */
	struct endpoint_owner *owner;     /* by owner number */
	uint32_t streams;                 /* connections that have an owner */
	uint32_t settled;                 /* those without one, in FIN-WAIT-2 */
	uint32_t owner_free, owner_fresh; /* free list; never used from here on */
	struct ring_pool blocks;
	struct ring_pool no_blocks;                   /* for writers while others wait for one */
	struct conn_queue short_flight, short_block;  /* who waits for memory: shortage.c */
	struct pool conn_pool, flight_pool, embryo_pool, time_wait_pool, range_pool, held_pool;
	struct pool kept_pool, records_pool, saved_syn_pool;
	struct pool listener_pool, datagram_pool, reply_pool;
	struct demux demux;
	struct list listener_port[PORT_BUCKETS], datagram_port[PORT_BUCKETS];
	struct list *saved_syn_bucket; /* SAVED_SYN_BUCKETS: saved_syn.h */
	struct list ready;          /* connections with something to send, or to be freed */
	struct list blocked;        /* while transmitting: connections whose link is full */
	struct list datagrams;      /* datagram endpoints with something to send */
	struct list embryo_due;     /* SYN-ACKs to send now */
	struct list embryo_wait[8]; /* by number of tries: deadlines in order */
	struct list time_waits;     /* in the order of expiry */
	struct timer embryo_timer, time_wait_timer;
	struct tcp_reply *reply;    /* ring of config.resets */
	uint32_t reply_head, reply_count;
	uint32_t port_counter[PORT_COUNTERS]; /* RFC 6056 3.3.4 */
	struct tcp_tuple port_tuple;  /* the destination that a port was picked for last */
	uint32_t port_offset;         /* where the search for it began ... */
	uint16_t port_steps;          /* ... how it goes on ... */
	uint16_t port_bucket;         /* ... and its counter */
	bool port_offset_known;
	struct addr path_destination; /* the way that was looked up last: a handshake asks often */
	struct path path;
	struct addr path_source;      /* our address for it; ::, where nobody asked yet */
	uint32_t path_source_generation; /* of the routes when it was chosen */
};

static inline void notify_event(struct notify *n, uint32_t sock, unsigned events)
{
	if (!sock)
		return;
	if (!n->mask[sock]) {
		uint32_t at = n->head + n->count++;
		n->queue[at >= n->cap ? at - n->cap : at] = sock;
	}
	n->mask[sock] = (uint8_t)(n->mask[sock] | events);
}

/* The next owner with events, or 0. */
static inline uint32_t notify_next(struct notify *n, unsigned *events)
{
	if (!n->count)
		return 0;
	uint32_t sock = n->queue[n->head];
	n->head = n->head + 1 == n->cap ? 0 : n->head + 1;
	n->count--;
	*events = n->mask[sock];
	n->mask[sock] = 0;
	return sock;
}

bool transport_init(struct transport *t, struct core *core, struct internet *internet,
		    const struct transport_config *c, const uint8_t secret[16],
		    struct arena *arena, nanotime now);
/* A transport packet in, as internet found it. */
void transport_receive(struct transport *t, struct rx *rx, enum proto proto);
/* A packet of ours came back from layer 2, with rx->icmp as for an ICMP error: whoever sent it is
 * told. */
void transport_returned(struct transport *t, struct rx *rx);
/* Sends up to `budget` frames; returns how many. */
unsigned transport_transmit(struct transport *t, unsigned budget);
/* The time of all that follows. */
static inline void transport_set_time(struct transport *t, nanotime now)
{
	t->now = now;
	t->now_ms = (uint32_t)(now / NANO_MS);
}
/* shortage.c: does somebody wait for memory that is there now? */
bool shortage_over(const struct transport *t);
static inline bool transport_has_work(const struct transport *t)
{
	const struct access *a = t->internet->access;
	return !list_empty(&t->ready) || !list_empty(&t->datagrams) ||
	       !list_empty(&t->embryo_due) || t->reply_count || !list_empty(&a->woken) ||
	       !list_empty(&a->failed) ||
	       ((t->short_flight.count | t->short_block.count) && shortage_over(t));
}
void transport_timer(struct transport *t, struct timer *timer);

/* Can the path's link take no frame now? Who finds it so keeps what it has for a later transmit. */
static inline bool transport_blocked(const struct transport *t, const struct path *p)
{
	return t->internet->access->netif[p->nif].blocked;
}

/* internet_path, remembering the last answer. */
static inline enum error transport_path(struct transport *t, struct path *p,
					const struct addr *destination)
{
	if (!addr_equal(&t->path_destination, destination)) {
		t->path.generation = t->path_source_generation = 0;
		t->path_destination = *destination;
	}
	enum error e = internet_path(t->internet, &t->path, destination, t->now);
	*p = t->path;
	return e;
}

/* internet_source for the destination that transport_path was asked for last. */
static inline enum error transport_source(struct transport *t, const struct addr *destination,
					  struct addr *source)
{
	uint32_t generation = t->internet->routes.generation;
	if (addr_equal(&t->path_destination, destination) &&
	    t->path_source_generation == generation) {
		*source = t->path_source;
		return ERR_OK;
	}
	enum error e = internet_source(t->internet, destination, source);
	if (e == ERR_OK && addr_equal(&t->path_destination, destination)) {
		t->path_source = *source;
		t->path_source_generation = generation;
	}
	return e;
}

/* Ports: who listens, and which one is free (RFC 6056). */
struct tcp_listener *listener_find(struct transport *t, const struct addr *local, uint16_t port);
enum error tcp_pick_port(struct transport *t, struct tcp_tuple *tuple);

#endif
