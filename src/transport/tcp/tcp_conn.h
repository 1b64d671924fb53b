/*
 * The connection's inner interface: what input, output, timers and the user's
 * calls ask of each other. Everything here works on one connection at a time.
 */
#ifndef STRATA_TRANSPORT_TCP_TCP_CONN_H
#define STRATA_TRANSPORT_TCP_TCP_CONN_H

#include "transport/endpoints.h"

/* A received segment, parsed; text is what is left in rx. */
struct tcp_segment {
	struct tcp_header h;
	uint32_t seq, ack;    /* copies that trimming moves */
	uint32_t text_len;    /* bytes of text that are left to take */
	uint32_t text_at;     /* offset of that text in rx */
	uint16_t flags;
	uint16_t segments;    /* a super-frame stands for so many */
	uint16_t header_len;
	bool in_ring;         /* the text was copied to the ring while it was summed */
	bool verified;
};

static inline uint32_t segment_len(const struct tcp_segment *s)
{
	return s->text_len + !!(s->flags & TCP_SYN) + !!(s->flags & TCP_FIN);
}

/* Tells a sink, if there is one, what happened to a connection. */
void conn_trace_event(struct transport *t, const struct tcp_conn *c, int kind, const char *from,
		      const char *to, uint64_t number);
static inline void conn_trace(struct transport *t, const struct tcp_conn *c, int kind,
			      const char *from, const char *to, uint64_t number)
{
	if (trace_on(t->core->trace))
		conn_trace_event(t, c, kind, from, to, number);
}

/* The one way from state to state. */
static inline void conn_set_state(struct transport *t, struct tcp_conn *c, enum tcp_state state)
{
	if (trace_on(t->core->trace) && c->state != state)
		conn_trace_event(t, c, TRACE_TCP_STATE, tcp_state_name(c->state),
				 tcp_state_name(state), 0);
	c->state = (uint8_t)state;
}

/* conn.c: life and death */
struct tcp_conn *conn_new(struct transport *t, const struct tcp_tuple *tuple);
/* The flight, taken from the pool where the connection has none. NULL: pool is empty. */
struct tcp_flight *conn_flight(struct transport *t, struct tcp_conn *c);
/* What a flight knows of the peer, again: it may be older than the handshake. */
void conn_flight_synchronize(struct transport *t, struct tcp_conn *c);
/* The board tells its rate sampler, where one is wanted; for a board that begins anew. */
void conn_measure(struct transport *t, struct tcp_conn *c);
/* Another algorithm (enum cc_kind), with the window that is. */
void conn_set_congestion(struct transport *t, struct tcp_conn *c, uint8_t kind);
void conn_drop_flight(struct transport *t, struct tcp_conn *c);
/* Ends a connection now: error for the owner, out of the table; the memory goes at the next
 * transmit (orphans) or with the owner's close. */
void conn_die(struct transport *t, struct tcp_conn *c, enum error why);
void conn_free(struct transport *t, struct tcp_conn *c);
/* The same for one that embryo_conn made and that has found no place in the table. */
void conn_give_up(struct transport *t, struct tcp_conn *c);
/* Into TIME-WAIT (RFC 9293 3.6.1): the small struct takes over in the table. */
void conn_time_wait(struct transport *t, struct tcp_conn *c);
/* Puts it on the ready list: transmit will look what there is to do. */
static inline void conn_make_ready(struct transport *t, struct tcp_conn *c)
{
	if (!list_linked(&c->ready))
		list_push_back(&t->ready, &c->ready);
}
void conn_notify(struct transport *t, struct tcp_conn *c, unsigned events);
/* What its owner asked for before the handshake was complete. */
void conn_catch_up(struct transport *t, struct tcp_conn *c);
/* The handshake is complete. */
static inline void conn_established(struct transport *t, struct tcp_conn *c)
{
	conn_set_state(t, c, TCP_ESTABLISHED);
	if (c->flags & (CONN_KEEPALIVE | CONN_FIN_QUEUED) || c->fast_open)
		conn_catch_up(t, c);
}
/* Its owner's; in the backlog the listener's, which the owner will get. */
const struct endpoint_options *conn_options(struct transport *t, const struct tcp_conn *c);
void conn_set_peer_mss(struct transport *t, struct tcp_conn *c, uint16_t mss);
/* mss from the peer's, the path's MTU and the options in use (MUST-16, RFC 6691) */
void conn_update_mss(struct tcp_conn *c);
/* Bytes the peer may send from rcv_nxt on. */
static inline uint32_t conn_rcv_wnd(const struct tcp_conn *c)
{
	return c->rcv_edge - c->rcv_nxt;
}
/* Owes an ACK, which goes when all that has come was looked at (MUST-59); `why` is what the frame
 * will say. */
static inline void conn_owe_ack(struct transport *t, struct tcp_conn *c, enum tx_why why)
{
	if (c->flight && !(c->flags & CONN_ACK_NOW))
		c->flight->ack_why = (uint8_t)why;
	c->flags |= CONN_ACK_NOW;
	conn_make_ready(t, c);
}
/* RFC 5961 7: at most one challenge ACK in challenge_rate for each connection. */
bool conn_may_challenge(struct transport *t, struct tcp_conn *c);
bool conn_synchronized(const struct tcp_conn *c);

/* isn.c */
struct tcp_secret_numbers {
	uint32_t isn, ts_offset;
};
struct tcp_secret_numbers tcp_secret_numbers(const struct transport *t,
					     const struct tcp_tuple *tuple, nanotime now);

/* tcp_input.c */
void tcp_receive(struct transport *t, struct rx *rx);
/* tcp_icmp.c */
void tcp_icmp_error(struct transport *t, struct rx *rx);
/* Something is wrong that may pass: ICMP's error, or ERR_OK where the peer is silent. The owner is
 * told, unless it declined (MUST-47, SHLD-20). */
void conn_trouble(struct transport *t, struct tcp_conn *c, enum error why);
/* What conn_trouble was told last, while nothing got better. */
static inline enum error conn_soft_error(const struct tcp_conn *c)
{
	if (c->flight)
		return c->flight->soft_taken ? ERR_OK : (enum error)c->flight->soft_error;
	return c->state == TCP_SYN_SENT ? (enum error)c->error : ERR_OK;
}
/* The same, told once. */
enum error conn_take_soft_error(struct tcp_conn *c);
/* The RTO fired while a path MTU was in doubt (f->too_big). */
void conn_too_big_timeout(struct transport *t, struct tcp_conn *c);
/* user_timeout.c: RFC 5482 */
/* An acceptable segment brought the option. */
__attribute__((noinline, cold)) void
conn_take_timeout(struct transport *t, struct tcp_conn *c, uint16_t told);
/* The owner has set or unset it. */
void conn_set_timeout(struct transport *t, struct tcp_conn *c);
/* The peer is to be told what we advertise. */
__attribute__((noinline, cold)) void conn_tell_timeout(struct transport *t, struct tcp_conn *c);
/* The option in our SYN, of an owner who advertises. */
__attribute__((noinline, cold)) void
conn_syn_timeout(const struct endpoint_options *own, struct tcp_options *o);
/* An ACK with the option; false: its owner has changed its mind, or has gone. */
__attribute__((noinline, cold)) bool conn_send_timeout(struct transport *t, struct tcp_conn *c);
/* mtu_search.c: what the path carries, where ICMP does not say so (RFC 4821) */
/* The path was looked up again; `before`: what it was. */
void conn_keep_mtu(struct tcp_conn *c, const struct path *before);
/* Somebody who is believed says that the path carries no more. */
void conn_lower_mtu(struct transport *t, struct tcp_conn *c, uint16_t mtu);
/* MTU_PROBING_ALWAYS: from what every path takes upwards. Once the peer's MSS is known. */
__attribute__((noinline, cold)) void conn_search_begin(struct transport *t, struct tcp_conn *c);
/* A flight is there again. */
__attribute__((noinline, cold)) void conn_search_resume(struct transport *t, struct tcp_conn *c);
/* Long after a search has ended: may the path carry more now? */
__attribute__((noinline, cold)) void conn_search_again(struct transport *t, struct tcp_conn *c);
/* The RTO fired: perhaps because segments of this size get lost. */
__attribute__((noinline, cold)) void conn_doubt_mtu(struct transport *t, struct tcp_conn *c);
/* The size of a packet that is larger than the path is known to carry and worth a trial; 0: none
 * is. */
uint32_t conn_mtu_to_try(const struct transport *t, const struct tcp_conn *c);
/* A larger segment left (`whole`: as it was planned) ... */
void conn_sent_larger(struct transport *t, struct tcp_conn *c, uint32_t len, bool whole);
/* ... and all of it is acknowledged, ... */
void conn_larger_arrived(struct transport *t, struct tcp_conn *c);
/* ... or a part of what is newly lost may be its own: true where nothing else is. */
bool conn_larger_lost(struct transport *t, struct tcp_conn *c);
/* ... or a router says that its packet is too large (`claim`; 0: for whatever). False: of another
 * segment. */
bool conn_larger_refused(struct transport *t, struct tcp_conn *c, uint32_t seq, uint32_t claim);
/* No probe is out or owed any more: is the next size wanted? */
void conn_probing_over(struct transport *t, struct tcp_conn *c);
/* Text that had come before: the next ACK says so (RFC 2883), the first of several. */
void conn_note_twice(const struct transport *t, struct tcp_conn *c, uint32_t start, uint32_t end);
/* RFC 9293 3.10.7.4, first: is it in the window? Cuts off what is not. */
bool conn_sequence_odd(struct transport *t, struct tcp_conn *c, struct rx *rx,
		       struct tcp_segment *seg);
static inline bool conn_take_sequence(struct transport *t, struct tcp_conn *c, struct rx *rx,
				      struct tcp_segment *seg)
{
	if (seg->seq == c->rcv_nxt && segment_len(seg) <= conn_rcv_wnd(c))
		return true; /* by far the most common */
	return conn_sequence_odd(t, c, rx, seg);
}
/* listen.c */
/* May one more wait to be accepted? */
static inline bool listener_has_room(const struct tcp_listener *l)
{
	return l->waiting < l->backlog;
}
/* `beyond`: NULL, or, where the SYN ends a TIME-WAIT, what our numbers must begin beyond: those of
 * the old connection (RFC 9293 3.6.1 MAY-2). */
void listener_input(struct transport *t, struct tcp_listener *l, struct rx *rx,
		    struct tcp_segment *seg, const struct tcp_tuple *tuple, const uint32_t *beyond);
void embryo_input(struct transport *t, struct tcp_embryo *e, struct rx *rx,
		  struct tcp_segment *seg);
unsigned embryo_transmit(struct transport *t, unsigned budget);
void embryo_timer(struct transport *t);
/* An ICMP error that ends it, if it quotes our SYN-ACK. False: it does not. */
bool embryo_unreachable(struct transport *t, struct tcp_embryo *e, uint32_t seq);
void embryo_forget_listener(struct transport *t, unsigned listener);
/* A connection of what an embryo remembers, in no table yet; NULL: no memory, or no room. */
struct tcp_conn *embryo_conn(struct transport *t, struct tcp_listener *l,
			     const struct tcp_embryo *e, const struct tcp_segment *seg);
/* At the end of its listener's queue. */
void listener_enqueue(struct transport *t, struct tcp_listener *l, struct tcp_conn *c);
/* fast_syn.c: Fast Open */
void fast_syn_init(struct transport *t);
/* May the data of this SYN be taken now? Else the form in which the SYN-ACK brings a cookie. */
bool fast_syn_allowed(struct transport *t, struct tcp_listener *l, const struct tcp_segment *seg,
		      const struct tcp_tuple *tuple, enum cookie_form *cookie);
/* The keys of a listener, or the host's where it has none (or is gone). */
const struct fast_open_keys *fast_syn_keys(const struct transport *t, const struct tcp_listener *l);
/* A connection that has the data of its SYN; false: no memory for it. */
bool fast_syn_accept(struct transport *t, struct tcp_listener *l, const struct tcp_embryo *e,
		     struct rx *rx, struct tcp_segment *seg);
/* A connection leaves SYN-RECEIVED: its listener counts one less. */
void fast_syn_settled(struct transport *t, struct tcp_conn *c, bool reset);
void fast_syn_established(struct transport *t, struct tcp_conn *c);
/* A client's: is its SYN held back until there is data for it? */
static inline bool fast_syn_waits(const struct tcp_conn *c)
{
	return c->state == TCP_SYN_SENT && c->fast_open &&
	       !(c->flags & CONN_SYN_OWED) && !timer_armed(&c->timer);
}
/* Bytes that its SYN may carry. */
uint32_t fast_syn_room(const struct transport *t, const struct tcp_conn *c);
/* The SYN goes, with what was written so far. */
void fast_syn_start(struct transport *t, struct tcp_conn *c);
/* Prepares a connection that asked for Fast Open; false: its SYN waits for data. */
bool fast_syn_begin(struct transport *t, struct tcp_conn *c);
/* The option of a SYN, and the bytes that go with it. */
uint32_t fast_syn_fill(struct transport *t, struct tcp_conn *c, struct tcp_options *o);
/* The SYN-ACK to such a SYN: cookie, loss, and what of the data was taken. */
void fast_syn_answered(struct transport *t, struct tcp_conn *c, const struct tcp_segment *seg);
/* Our SYN is acknowledged, with what went with it up to `ack`. */
void conn_syn_acked(struct transport *t, struct tcp_conn *c, uint32_t ack);
/* time_wait.c */
void time_wait_input(struct transport *t, struct tcp_time_wait *w, struct rx *rx,
		     struct tcp_segment *seg);
void time_wait_timer(struct transport *t);
void time_wait_free(struct transport *t, struct tcp_time_wait *w);
/* May this port pair be used again for a new connection? RFC 6191 */
bool time_wait_reusable(const struct transport *t, const struct tcp_time_wait *w, nanodiff after);
/* ack.c: what an acknowledgment means */
bool conn_take_ack(struct transport *t, struct tcp_conn *c, struct rx *rx, struct tcp_segment *seg);
void conn_update_window(struct transport *t, struct tcp_conn *c, const struct tcp_segment *seg);
/* recover.c: what is lost, and what is done about it */
struct ack_news {
	struct board_news board;
	uint32_t prior_una;       /* SND.UNA before this ACK */
	uint32_t prior_in_flight;
	uint32_t prior_sacked;
	uint32_t lost;            /* bytes newly marked lost */
	bool advanced;            /* SND.UNA moved */
	bool bare;                /* brought no data and moved nothing */
	bool duplicate;           /* ... while data is outstanding: RFC 5681 2 */
	uint8_t prior_dups;       /* duplicates counted before it */
	bool dsack;               /* RFC 2883: something arrived twice */
	bool dsack_tail;          /* ... and it was the tail loss probe */
	/* ms clock of the segment that this ACK's timestamp echoes; valid: echo_valid */
	uint32_t echo_ms;
	bool echo_valid;
};
/* After the scoreboard took the ACK: detects losses, moves between the phases. */
void conn_judge_losses(struct transport *t, struct tcp_conn *c, struct ack_news *n);
/* The RACK timer fired. */
void conn_reorder_timer(struct transport *t, struct tcp_conn *c);
void conn_retransmission_timeout(struct transport *t, struct tcp_conn *c);
/* A retransmission of `len` bytes left. */
void conn_note_resent(struct transport *t, struct tcp_conn *c, uint32_t len);
/* What duplicate ACKs say has left, in bytes. */
__attribute__((noinline, cold)) uint32_t conn_left_unsacked(const struct tcp_conn *c);
/* Bytes in flight; without SACK each duplicate ACK tells that a segment left (RFC 6582). */
static inline uint32_t conn_pipe(const struct tcp_conn *c)
{
	const struct tcp_flight *f = c->flight;
	uint32_t pipe = board_in_flight(&f->board, c->snd_nxt - c->snd_una);
	if (c->flags & CONN_SACK || __builtin_expect(!f->dup_acks, 1))
		return pipe;
	uint32_t left = conn_left_unsacked(c);
	return left < pipe ? pipe - left : 0;
}
/* pace.c: the owner's bound on the rate, f->pacing_most, where it is not 0 */
/* Congestion control has decided. */
__attribute__((noinline, cold)) void conn_limit_pace(struct tcp_conn *c);
/* Another bound, or 0: none. */
__attribute__((noinline, cold)) void conn_set_pace(
	struct transport *t, struct tcp_conn *c, uint64_t most);
/* Not paced yet: these are its first segments. */
__attribute__((noinline, cold)) bool conn_pace_waits(const struct tcp_conn *c);
/* validation.c: what a window is worth that was not used (RFC 7661) */
/* A look at its use is due: lets it fall where it was not used for long. */
void conn_validate_window(struct transport *t, struct tcp_conn *c);
/* Data follows a silence of more than an RTO. */
void conn_restart_window(struct transport *t, struct tcp_conn *c, nanodiff rto);
/* Something was lost: the flight from which the reduction goes, with what the ACK that tells of it
 * has acknowledged. */
uint32_t conn_loss_flight(struct transport *t, struct tcp_conn *c, uint32_t acked);
/* All of that has arrived, or timed out; before congestion control hears of it. */
void conn_loss_over(struct transport *t, struct tcp_conn *c);
/* In timer.note: who makes a flight has to look; a record is kept there as well (kept.h). */
#define NOTE_LOOK 1
/* ... or that the first flight is one segment. */
#define NOTE_SYN_LOST 2
/*
 * A SYN or SYN-ACK that went several times, the first one `waited` ago, is answered now. What the
 * answer echoes tells which it was for; where nothing does, the RTO is 3 s (RFC 6298 5.7), and
 * where one was lost the initial window is one segment (RFC 5681 3.1).
 */
void conn_syn_repeated(const struct transport *t, struct tcp_conn *c,
		       const struct tcp_segment *seg, nanodiff waited);
/* What is kept of the window while there is no flight, in 24 bits; 0: nothing above the initial
 * window. */
uint32_t conn_window_note(const struct transport *t, const struct tcp_conn *c);
uint32_t conn_noted_window(uint32_t note);
/* There is a flight again. */
void conn_recall_window(struct transport *t, struct tcp_conn *c, uint32_t note);
/* text.c: what text and FIN mean */
bool conn_verify(struct transport *t, struct tcp_conn *c, struct rx *rx, struct tcp_segment *seg);
void conn_take_text(struct transport *t, struct tcp_conn *c, struct rx *rx,
		    struct tcp_segment *seg);
void conn_take_fin(struct transport *t, struct tcp_conn *c, struct tcp_segment *seg);
/* return_route.c: IPv4 source routes */
/* The segment in `rx` was found good, and may have come by a route. */
void tcp_take_route(struct transport *t, const struct rx *rx, const struct tcp_tuple *tuple);
/* A connection that is made now goes by the route that its SYN came by. */
void conn_find_route(struct transport *t, struct tcp_conn *c);
/* The way of a reply that goes by a route; false: it goes by none. */
bool tcp_reply_route(struct transport *t, const struct tcp_tuple *tuple, struct path *path);
/* tcp_connect by way of other hosts. ERR_TOO_MANY: as many connections have routes as can. */
enum error tcp_connect_via(struct transport *t, const struct addr *local, uint16_t local_port,
			   const struct addr *remote, uint16_t port, uint32_t sock, unsigned flags,
			   const struct tcp_via *via, struct tcp_conn **out);
/* urgent.c */
void conn_take_urgent(struct transport *t, struct tcp_conn *c, const struct tcp_segment *seg);
void conn_put_urgent(const struct tcp_conn *c, uint32_t seq, uint8_t *header);
/* The bytes are urgent up to the last of them. Like tcp_write. */
int64_t tcp_write_urgent(struct transport *t, struct tcp_conn *c, const void *from, size_t len);
/* So many bytes from the next one to be read on are urgent, whether they are there or not. */
uint32_t tcp_urgent(const struct tcp_conn *c);
/* output.c */
/* Nobody wants what came, or may come: the next transmit ends it with a reset as a closed port
 * sends it (RFC 9293 3.10.7.1). */
void conn_refuse(struct transport *t, struct tcp_conn *c);
unsigned conn_transmit(struct transport *t, struct tcp_conn *c, unsigned budget);
/* The window to advertise; moves rcv_edge. */
uint32_t conn_advertise(struct tcp_conn *c);
/* Would an update tell the peer of much more room than it knows? */
bool conn_window_opened(const struct tcp_conn *c);
/* tcp_reply.c */
void tcp_reply_reset(struct transport *t, const struct rx *rx, const struct tcp_segment *seg,
		 const struct tcp_tuple *tuple);
struct tcp_reply *tcp_reply_new(struct transport *t);
unsigned tcp_reply_transmit(struct transport *t, unsigned budget);
bool tcp_reply_send(struct transport *t, const struct tcp_reply *r,
		    const struct tcp_options *options, struct path *path);
/* By the way there is now; a SYN-ACK with the options that it names. False: the link is full, and
 * the reply must wait. */
bool tcp_reply_try(struct transport *t, const struct tcp_reply *r);
/* The same with `len` bytes of a connection's send queue from `seq` on. */
bool tcp_reply_send_text(struct transport *t, const struct tcp_reply *r,
			 const struct tcp_options *options, struct path *path,
			 const struct ring *ring, uint32_t seq, uint32_t len);
/* The options of a SYN or SYN-ACK, but for timestamps: MSS from the link's MTU (MUST-14,
 * MUST-67), always (SHLD-5, MAY-3). */
static inline void tcp_syn_options(struct tcp_options *o, const struct addr *remote, uint32_t mtu,
				   bool sack, bool scale, uint8_t wscale)
{
	uint32_t ip = addr_is4(remote) ? IP4_HEADER : IP6_HEADER;
	o->mss = (uint16_t)(mtu - ip - TCP_HEADER);
	o->wscale = wscale;
	o->has = (uint16_t)(TCP_HAS_MSS | (sack ? TCP_HAS_SACK_PERMITTED : 0) |
			    (scale ? TCP_HAS_WSCALE : 0));
}

/* The smallest shift that lets all of a buffer be advertised that may grow (RFC 7323 2.3). */
static inline uint8_t tcp_window_shift(const struct transport *t, uint32_t buffer)
{
	if (buffer < t->config.receive_buffer_max)
		buffer = t->config.receive_buffer_max;
	uint8_t shift = 0;
	while (shift < 14 && buffer >> shift > 65535)
		shift++;
	return shift;
}

/* shortage.c */
/* Puts it in line for a flight, or, where it has one, for a ring block. */
void conn_wait_memory(struct transport *t, struct tcp_conn *c);
void conn_forget_memory(struct transport *t, struct tcp_conn *c);
void shortage_serve(struct transport *t);
/* A flight for who may wait: not past those who do. */
static inline struct tcp_flight *conn_flight_in_turn(struct transport *t, struct tcp_conn *c)
{
	return c->flight || !t->short_flight.count ? conn_flight(t, c) : NULL;
}

/* timers.c */
void conn_timer(struct transport *t, struct tcp_conn *c);
/* Arms the wheel where `deadline` is earlier than what is armed. */
void conn_arm(struct transport *t, struct tcp_conn *c, nanotime deadline);
void conn_arm_rto(struct transport *t, struct tcp_conn *c);
static inline nanodiff conn_keep_idle(const struct transport *t, const struct tcp_conn *c)
{
	nanodiff own = t->options[c->sock].keep_idle;
	return own ? own : t->config.keepalive_idle;
}
/* The same for the first segment of a flight. */
void conn_arm_rto_first(struct transport *t, struct tcp_conn *c);
/* When the tail loss probe is due, NANOTIME_NEVER where none may be sent (RFC 8985 7.2). */
nanotime conn_tail_probe_due(const struct transport *t, const struct tcp_conn *c);
nanodiff conn_rto(const struct transport *t, const struct tcp_conn *c);

/* user.c: the owner's calls */
enum error tcp_listen(struct transport *t, const struct addr *local, uint16_t port, uint32_t sock,
		      uint32_t backlog, bool v4_only, bool v6_only, struct tcp_listener **out);
/* So many may wait to be accepted; 0: as many as the config lets. */
void tcp_backlog(const struct transport *t, struct tcp_listener *l, uint32_t backlog);
void tcp_unlisten(struct transport *t, struct tcp_listener *l);
struct tcp_conn *tcp_accept(struct transport *t, struct tcp_listener *l, uint32_t sock);
enum error tcp_connect(struct transport *t, const struct addr *local, uint16_t local_port,
		       const struct addr *remote, uint16_t port, uint32_t sock, unsigned flags,
		       struct tcp_conn **out);
/* A listener's Fast Open queue from now on; 0: none. */
void tcp_fast_open(struct transport *t, struct tcp_listener *l, uint32_t most);
/* A key of its own for a listener: it makes its cookies from now on; the one before stays good. */
void tcp_listener_key(struct tcp_listener *l, const uint8_t key[16]);
/* One more key for Fast Open cookies: it makes them from now on; the one before stays good. */
void tcp_fast_open_key(struct transport *t, const uint8_t key[16]);
int64_t tcp_read(struct transport *t, struct tcp_conn *c, void *to, size_t cap);
int64_t tcp_write(struct transport *t, struct tcp_conn *c, const void *from, size_t len);
/* What was written ends a record: no segment has bytes from both sides of its end. */
void tcp_end_record(struct transport *t, struct tcp_conn *c);
int tcp_peek(struct transport *t, struct tcp_conn *c, struct span *out, unsigned max);
int tcp_consume(struct transport *t, struct tcp_conn *c, size_t len);
uint8_t *tcp_reserve(struct transport *t, struct tcp_conn *c, size_t want, size_t *got);
int tcp_commit(struct transport *t, struct tcp_conn *c, size_t len);
/* The headers of its SYN, as its listener was to save them: their length (0: none), and where that
 * is at most `cap`, they are copied and gone. */
size_t tcp_saved_syn(struct transport *t, const struct tcp_conn *c, void *to, size_t cap);
int tcp_shutdown(struct transport *t, struct tcp_conn *c);
/* Its owner will not read what comes from now on. */
void tcp_shutdown_read(struct transport *t, struct tcp_conn *c);
void tcp_close(struct transport *t, struct tcp_conn *c);
void tcp_abort(struct transport *t, struct tcp_conn *c);
size_t tcp_readable(const struct tcp_conn *c);
size_t tcp_room(const struct transport *t, const struct tcp_conn *c);
unsigned tcp_poll(const struct transport *t, const struct tcp_conn *c);
enum error tcp_error(const struct tcp_conn *c);

#endif
