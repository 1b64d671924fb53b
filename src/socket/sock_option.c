/*
 * Options of sockets that are there. Most are numbers in the owner's record, which
 * transport reads when it needs them; those that a running connection has copied
 * are changed there too, and what an option held back is looked at again.
 */
#include "socket/owner.h"

#include "transport/tcp/saved_syn.h"

#define QUICK_ACKS 16 /* segments that are acknowledged at once when asked for */

/* Where an option is kept, and what it may be. */
static const struct option_place {
	uint16_t at;
	uint8_t size;
	int64_t most;
} place[SOCK_OPTIONS] = {
#define PLACE(field, most) { offsetof(struct endpoint_options, field),                             \
			     sizeof(((struct endpoint_options *)0)->field), most }
	[SOCK_NODELAY] = PLACE(nodelay, 1),
	[SOCK_CORK] = PLACE(cork, 1),
	[SOCK_KEEPALIVE] = PLACE(keepalive, 1),
	[SOCK_KEEP_IDLE] = PLACE(keep_idle, 32767 * NANO_S),
	[SOCK_KEEP_INTERVAL] = PLACE(keep_interval, 32767 * NANO_S),
	[SOCK_KEEP_PROBES] = PLACE(keep_probes, 127),
	[SOCK_USER_TIMEOUT] = PLACE(user_timeout, INT32_MAX * NANO_MS),
	[SOCK_FIN_WAIT2] = PLACE(fin_wait2, 32767 * NANO_S),
	[SOCK_SYN_RETRIES] = PLACE(syn_retries, 127),
	[SOCK_DEFER_ACCEPT] = PLACE(defer_accept, 255),
	[SOCK_MSS] = PLACE(mss, 65495),
	[SOCK_WINDOW_CLAMP] = PLACE(window_clamp, 1 << 30),
	[SOCK_SEND_BUFFER] = PLACE(send_buffer, 1 << 30),
	[SOCK_RECEIVE_BUFFER] = PLACE(receive_buffer, 1 << 30),
	[SOCK_UNSENT_MARK] = PLACE(unsent_mark, UINT32_MAX),
	[SOCK_READ_MARK] = PLACE(read_mark, 1 << 30),
	[SOCK_TOS] = PLACE(tos, 255),
	[SOCK_HOP_LIMIT] = PLACE(hop_limit, 255),
	[SOCK_FRAGMENT] = PLACE(fragment, 1),
	[SOCK_QUIET] = PLACE(quiet, 1),
	[SOCK_CONGESTION] = PLACE(congestion, CC_KINDS - 1),
	[SOCK_ADVERTISED_TIMEOUT] = PLACE(advertised_timeout, 1000000 * NANO_S),
	[SOCK_ECN] = PLACE(ecn, ECN_USES),
	[SOCK_SAVE_SYN] = PLACE(save_syn, SAVE_SYNS - 1),
	[SOCK_PACING_MOST] = PLACE(pacing_most, INT64_MAX),
#undef PLACE
};

/* Fields have one, two, four or eight bytes. */
static void number_put(void *at, unsigned size, int64_t value)
{
	switch (size) {
	case 1:
		*(uint8_t *)at = (uint8_t)value;
		break;
	case 2:
		*(uint16_t *)at = (uint16_t)value;
		break;
	case 4:
		*(uint32_t *)at = (uint32_t)value;
		break;
	case 8:
		*(int64_t *)at = value;
		break;
	default:
		break;
	}
}

static int64_t number_get(const void *at, unsigned size)
{
	switch (size) {
	case 1:
		return *(const uint8_t *)at;
	case 2:
		return *(const uint16_t *)at;
	case 4:
		return *(const uint32_t *)at;
	case 8:
		return *(const int64_t *)at;
	default:
		return 0;
	}
}

static void conn_flag(struct tcp_conn *c, enum tcp_conn_flag flag, bool on)
{
	c->flags = (uint16_t)(on ? c->flags | flag : c->flags & ~(unsigned)flag);
}

static void set_quick_ack(struct transport *t, struct tcp_conn *c, bool on)
{
	struct tcp_flight *f = conn_flight(t, c);
	if (!f)
		return;
	f->quick = on ? QUICK_ACKS : 0;
	f->answers = !on;
	if (on && f->ack_at != NANOTIME_NEVER)
		conn_owe_ack(t, c, WHY_ACK_NOW);
}

/* The advertised edge stays where it is: it never moves left (RFC 9293 SHLD-14). */
static void set_receive_buffer(const struct endpoint_options *o, struct tcp_flight *f)
{
	if (o->receive_buffer)
		f->receive_buffer = o->receive_buffer;
	if (o->window_clamp && o->window_clamp < f->receive_buffer)
		f->receive_buffer = o->window_clamp;
}

/* A handshake offers no more than the window may ever be: what was offered can't be taken back. */
static void set_first_window(const struct transport *t, struct endpoint_options *o)
{
	uint32_t buffer = o->receive_buffer ? o->receive_buffer : t->config.receive_buffer;
	o->first_window = o->window_clamp && o->window_clamp < buffer ? o->window_clamp
								      : o->receive_buffer;
}

/* What a connection that is there must learn. */
static void apply(struct transport *t, struct tcp_conn *c, const struct endpoint_options *o,
		  enum sock_option option)
{
	struct tcp_flight *f = c->flight;
	switch (option) {
	case SOCK_NODELAY:
		conn_flag(c, CONN_NODELAY, o->nodelay);
		break;
	case SOCK_KEEPALIVE: /* MUST-24 */
	case SOCK_KEEP_IDLE: /* MUST-27 */
		conn_flag(c, CONN_KEEPALIVE, o->keepalive);
		if (o->keepalive && conn_synchronized(c) && c->state != TCP_TIME_WAIT)
			conn_arm(t, c, t->now + conn_keep_idle(t, c));
		return;
	case SOCK_CONGESTION:
		conn_set_congestion(t, c, o->congestion);
		return;
	case SOCK_PACING_MOST:
		if (f)
			conn_set_pace(t, c, o->pacing_most);
		return;
	case SOCK_TOS: /* MUST-48, SHLD-21 */
		c->tos = o->tos;
		return;
	case SOCK_HOP_LIMIT: /* MUST-49 */
		c->hop_limit = o->hop_limit;
		return;
	case SOCK_USER_TIMEOUT: /* MUST-21 */
		conn_set_timeout(t, c);
		return;
	case SOCK_ADVERTISED_TIMEOUT:
		conn_set_timeout(t, c);
		if (o->advertised_timeout)
			conn_tell_timeout(t, c);
		return;
	case SOCK_FIN_WAIT2:
		if (f)
			f->fin_wait2 = o->fin_wait2 ? o->fin_wait2 : t->config.fin_wait2;
		return;
	case SOCK_SEND_BUFFER:
		if (f)
			f->send_buffer = o->send_buffer ? o->send_buffer : t->config.send_buffer;
		return;
	case SOCK_WINDOW_CLAMP:
	case SOCK_RECEIVE_BUFFER:
		if (f)
			set_receive_buffer(o, f);
		return;
	default:
		break;
	}
	if (option == SOCK_NODELAY || option == SOCK_CORK)
		conn_make_ready(t, c); /* what was held back may go */
}

int sock_set(struct stack *s, sock_id id, enum sock_option option, int64_t value)
{
	struct transport *t = stack_transport(s);
	uint32_t n;
	struct endpoint_owner *o = sock_owner(t, id, &n);
	if (!o || (unsigned)option >= SOCK_OPTIONS)
		return -ERR_ARGUMENT;
	struct tcp_conn *c = o->kind == SOCK_STREAM && o->conn->state != TCP_CLOSED ? o->conn
										     : NULL;
	if (option == SOCK_QUICK_ACK) {
		if (c && conn_synchronized(c) && c->state != TCP_TIME_WAIT)
			set_quick_ack(t, c, value != 0);
		return 0;
	}
	const struct option_place *p = &place[option];
	if (value < 0 || value > p->most)
		return -ERR_ARGUMENT;
	if (option == SOCK_TOS && o->kind != SOCK_DATAGRAM)
		value &= ~IP_ECN_MASK; /* TCP's own: RFC 3168 */
	number_put((uint8_t *)&t->options[n] + p->at, p->size, value);
	if (option == SOCK_WINDOW_CLAMP || option == SOCK_RECEIVE_BUFFER)
		set_first_window(t, &t->options[n]);
	if (c)
		apply(t, c, &t->options[n], option);
	return 0;
}

int sock_set_backlog(struct stack *s, sock_id id, uint32_t backlog)
{
	struct transport *t = stack_transport(s);
	uint32_t n;
	struct endpoint_owner *o = sock_owner(t, id, &n);
	if (!o || o->kind != SOCK_LISTENER)
		return -ERR_ARGUMENT;
	tcp_backlog(t, o->listener, backlog);
	return 0;
}

int64_t sock_get(struct stack *s, sock_id id, enum sock_option option)
{
	struct transport *t = stack_transport(s);
	uint32_t n;
	if (!sock_owner(t, id, &n) || (unsigned)option >= SOCK_OPTIONS)
		return -ERR_ARGUMENT;
	return number_get((const uint8_t *)&t->options[n] + place[option].at,
			  place[option].size);
}
