/*
 * What a connection can tell about itself, for people, tests and programs. All
 * figures are read off as they stand; nothing is kept for this alone but counters.
 */
#include "socket/owner.h"

#include "transport/tcp/decide.h"
#include "transport/tcp/kept.h"
#include "transport/tcp/records.h"

static void accurate_info(const struct accecn *a, struct sock_tcp_info *i)
{
	memcpy(i->ecn_received, a->r_bytes, sizeof i->ecn_received);
	memcpy(i->ecn_delivered, a->s_bytes, sizeof i->ecn_delivered);
	i->accecn_option = a->option_seen && !a->option_zeroed;
	i->ecn_seen = a->r_cep | a->r_bytes[0] | a->r_bytes[1] | a->r_bytes[2];
}

/* Of keepalive, or of a closed window: none where the peer was heard since the last one. */
static uint8_t probes_unanswered(const struct transport *t, const struct tcp_conn *c)
{
	const struct tcp_flight *f = c->flight;
	nanodiff silent = (nanodiff)(t->now_ms - c->heard) * NANO_MS;
	if (!f->probes)
		return 0;
	bool answered = f->rto_at != NANOTIME_NEVER ? t->now - silent > f->advanced_at
						    : silent < conn_keep_idle(t, c);
	return answered ? 0 : f->probes;
}

/* What was counted over its whole life. */
static void totals_info(const struct tcp_flight *f, struct sock_tcp_info *i)
{
	i->bytes_sent = f->bytes_sent;
	i->bytes_acked = f->bytes_acked;
	i->bytes_received = f->bytes_received;
	i->bytes_retransmitted = f->bytes_again;
	i->segments_sent = f->segments_sent;
	i->segments_received = f->segments_received;
	i->data_segments_received = f->data_segments_received;
	i->out_of_order = f->out_of_order;
	i->acks_compressed = f->acks_compressed;
	i->retransmits = f->retransmits;
	i->rtos = f->rtos;
	i->ecn_reductions = f->ecn_reductions;
	i->ce_received = f->ce_received;
	i->ce_delivered = f->ce_delivered;
	i->fast_recoveries = f->recoveries;
	i->delivery_rate = f->delivery_rate;
	i->delivery_limited = f->delivery_limited;
	i->dsacks = f->dsacks;
	i->reorders = f->reorders;
	i->late_most = f->late_most;
	i->rto_recoveries = f->rto_recoveries;
	i->rto_time = f->rto_time;
	i->rcv_mss = f->rcv_mss;
	i->mtu_probes = f->mtu_probes;
	i->black_holes = f->black_holes;
	i->last_sent = f->last_sent;
	i->last_text = f->last_text;
}

static void kept_info(const struct tcp_kept *k, struct sock_tcp_info *i)
{
	struct tcp_flight f = { 0 };
	memcpy(f.totals, k->totals, sizeof f.totals);
	totals_info(&f, i);
	i->cwnd = conn_noted_window(k->window);
}

static void flight_info(const struct transport *t, const struct tcp_conn *c,
			struct sock_tcp_info *i)
{
	const struct tcp_flight *f = c->flight;
	totals_info(f, i);
	struct tcp_plan p = tcp_decide(t, c, 0);
	i->wait = p.kind == PLAN_NONE && p.wait != WAIT_NOTHING ? tcp_wait_text(p.wait) : "";
	i->wait_window = p.kind == PLAN_NONE && (p.wait == WAIT_RWND || p.wait == WAIT_SWS);
	i->cwnd = f->cc.cwnd;
	i->ssthresh = f->cc.ssthresh;
	i->congestion = f->cc.ops->name;
	i->in_flight = board_in_flight(&f->board, c->snd_nxt - c->snd_una);
	i->sacked = f->board.sacked;
	i->lost = f->board.lost;
	i->again = f->board.again;
	if (c->ecn & CONN_ACCURATE)
		accurate_info(&f->accecn, i);
	struct board_segments n = board_segments(&f->board);
	i->unacked_segments = n.sent;
	i->sacked_segments = n.sacked;
	i->lost_segments = n.lost;
	i->again_segments = n.again;
	i->min_rtt = f->min_rtt.value;
	i->pacing_rate = f->cc.pacing_rate;
	i->read_round = (nanodiff)f->tune_round * NANO_MS;
	i->read_most = f->tune_most;
	i->recovering = f->phase == PHASE_RECOVERY;
	i->loss = f->phase == PHASE_LOSS;
	i->disorder = f->dup_acks || f->board.sacked;
	i->probes = probes_unanswered(t, c);
	i->timeouts = f->timeouts;
	i->snd_wnd_max = f->snd_wnd_max;
	i->user_timeout = f->user_timeout;
	i->peer_timeout = f->peer_timeout;
	i->receive_buffer = f->receive_buffer;
	i->records_full = records_full(f);
}

int sock_listener_info(struct stack *s, sock_id id, struct sock_listener_info *i)
{
	uint32_t n;
	const struct endpoint_owner *o = sock_owner(stack_transport(s), id, &n);
	if (!o || o->kind != SOCK_LISTENER)
		return -ERR_ARGUMENT;
	i->waiting = o->listener->waiting;
	i->backlog = o->listener->backlog;
	return 0;
}

int sock_tcp_info(struct stack *s, sock_id id, struct sock_tcp_info *i)
{
	struct transport *t = stack_transport(s);
	uint32_t n;
	const struct endpoint_owner *o = sock_owner(t, id, &n);
	if (!o || o->kind != SOCK_STREAM)
		return -ERR_ARGUMENT;
	const struct tcp_conn *c = o->conn;
	bool syn = c->state == TCP_SYN_SENT || c->state == TCP_SYN_RECEIVED;
	*i = (struct sock_tcp_info){
		.state = tcp_state_name(c->state),
		.wait = "",
		.congestion = "",
		.srtt = rtt_smoothed(&c->rtt),
		.rttvar = rtt_deviation(&c->rtt),
		.rto = conn_rto(t, c),
		.backoff = c->backoff,
		.timeouts = syn ? c->backoff : 0,
		.snd_wnd = c->snd_wnd,
		.snd_wnd_max = c->snd_wnd,
		.rcv_wnd = conn_rcv_wnd(c),
		.mss = c->mss,
		.path_mtu = c->path.mtu,
		.mtu_high = c->path.mtu_high,
		.user_timeout = t->options[n].user_timeout ? t->options[n].user_timeout
							   : t->config.user_timeout,
		.pacing_most = t->options[n].pacing_most,
		.snd_wscale = c->snd_wscale,
		.rcv_wscale = c->rcv_wscale,
		.timestamps = c->flags & CONN_TIMESTAMPS,
		.sack = c->flags & CONN_SACK,
		.ecn = c->state != TCP_SYN_SENT && c->ecn & CONN_ECN,
		.ecn_accurate = c->state != TCP_SYN_SENT && c->ecn & CONN_ACCURATE,
		.ecn_seen = !(c->ecn & CONN_ACCURATE) && c->ecn & CONN_ECN_SEEN,
		.fast_open = c->state != TCP_SYN_SENT && c->fast_open,
		.last_heard = syn ? t->now
				  : t->now - (nanodiff)(t->now_ms - c->heard) * NANO_MS,
		.unread = (uint32_t)tcp_readable(c),
		.unacked = c->snd_nxt - c->snd_una,
		.unsent = seq_gt(c->snd_end, c->snd_nxt) ? c->snd_end - c->snd_nxt : 0,
		.fin_queued = c->flags & CONN_FIN_QUEUED,
		.fin_sent = c->flags & CONN_FIN_QUEUED && c->snd_nxt == c->snd_end + 1,
		.fin_received = c->flags & CONN_FIN_RECEIVED,
	};
	i->soft_error = conn_soft_error(c);
	if (c->flight)
		flight_info(t, c, i);
	else if (conn_kept(t, c))
		kept_info(conn_kept(t, c), i);
	if ((c->state == TCP_SYN_RECEIVED || c->state == TCP_CLOSED) && !i->bytes_received &&
	    !i->bytes_acked)
		i->fast_open = false; /* allowed, but nothing came */
	return 0;
}
