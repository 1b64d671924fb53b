/*
 * Linux's tcp_info, and the smaller two that are asked for beside it (memory, and the
 * congestion control's own figures), from what our connection says about itself.
 * Counts of segments that Linux keeps and we keep as bytes are bytes divided by the
 * segment size, rounded up; what we have no figure for stays zero.
 */
#include "posix/posix_file.h"

#include "transport/transport.h"

#define REORDERING_MOST 300   /* Linux's tcp_max_reordering */
#define ATO             40000 /* ... and TCP_ATO_MIN, in microseconds */

/* RFC 9293's states by name, as Linux numbers them. */
static uint8_t state_number(const char *name)
{
	static const struct {
		const char *name;
		uint8_t number;
	} states[] = {
		{ "SYN-SENT", LINUX_TCP_SYN_SENT }, { "SYN-RECEIVED", LINUX_TCP_SYN_RECV },
		{ "ESTABLISHED", LINUX_TCP_ESTABLISHED }, { "FIN-WAIT-1", LINUX_TCP_FIN_WAIT1 },
		{ "FIN-WAIT-2", LINUX_TCP_FIN_WAIT2 }, { "CLOSE-WAIT", LINUX_TCP_CLOSE_WAIT },
		{ "CLOSING", LINUX_TCP_CLOSING }, { "LAST-ACK", LINUX_TCP_LAST_ACK },
		{ "TIME-WAIT", LINUX_TCP_CLOSE }, /* the socket is done, as in Linux */
	};
	for (size_t i = 0; i < sizeof states / sizeof *states; i++) {
		const char *a = states[i].name, *b = name;
		while (*a && *a == *b) {
			a++;
			b++;
		}
		if (*a == *b)
			return states[i].number;
	}
	return LINUX_TCP_CLOSE;
}

static uint32_t segments(uint64_t bytes, uint32_t mss)
{
	return mss ? (uint32_t)((bytes + mss - 1) / mss) : 0;
}

static uint32_t ms_since(const struct posix *p, nanotime then)
{
	return then && p->now > then ? (uint32_t)((p->now - then) / NANO_MS) : 0;
}

static uint8_t congestion_state(const struct sock_tcp_info *i)
{
	return i->loss          ? LINUX_TCP_CA_Loss
		: i->recovering ? LINUX_TCP_CA_Recovery
		: i->disorder   ? LINUX_TCP_CA_Disorder
				: LINUX_TCP_CA_Open;
}

/* Linux paces everybody or says how it would: twice the window a round trip in slow start, and 1.2
 * times later. */
static uint64_t pacing_rate(const struct sock_tcp_info *i)
{
	uint32_t window = i->cwnd > i->unacked ? i->cwnd : i->unacked;
	if (i->pacing_rate || !i->srtt || !window)
		return i->pacing_rate ? i->pacing_rate : UINT64_MAX;
	uint32_t percent = i->cwnd < i->ssthresh / 2 ? 200 : 120;
	return (uint64_t)window * percent / 100 * NANO_S / (uint64_t)i->srtt;
}

static void fill_sending(const struct sock_tcp_info *i, struct linux_tcp_info *out)
{
	out->unacked = i->unacked_segments;
	out->sacked = i->sacked_segments;
	out->lost = i->lost_segments;
	out->retrans = i->again_segments;
	uint32_t late = segments(i->late_most, i->mss);
	if (late > out->reordering)
		out->reordering = late < REORDERING_MOST ? late : REORDERING_MOST;
	out->reord_seen = i->reorders;
	out->dsack_dups = i->dsacks;
	out->min_rtt = i->min_rtt ? (uint32_t)(i->min_rtt / NANO_US) : UINT32_MAX;
	out->delivery_rate = i->delivery_rate;
	out->limited |= i->delivery_limited;
	uint64_t rate = pacing_rate(i);
	out->pacing_rate = rate < out->max_pacing_rate ? rate : out->max_pacing_rate;
	out->total_rto_recoveries = (uint16_t)i->rto_recoveries;
	out->total_rto_time = (uint32_t)(i->rto_time / NANO_MS);
	out->snd_ssthresh = i->mss && i->cwnd && i->ssthresh < (1u << 30)
		? i->ssthresh / i->mss
		: LINUX_TCP_INFINITE_SSTHRESH;
	out->snd_cwnd = i->cwnd ? i->cwnd / (i->mss ? i->mss : 1) : 10;
	out->total_retrans = (uint32_t)i->retransmits;
	out->bytes_acked = i->bytes_acked;
	out->notsent_bytes = i->unsent;
	out->bytes_sent = i->bytes_sent + i->bytes_retransmitted;
	out->bytes_retrans = i->bytes_retransmitted;
	out->segs_out = (uint32_t)i->segments_sent;
	out->data_segs_out = segments(i->bytes_sent, i->mss) + (uint32_t)i->retransmits;
	out->delivered = 1 + segments(i->bytes_acked + i->sacked, i->mss); /* the SYN counts */
	out->delivered_ce = i->ce_delivered;
	out->delivered_e1_bytes = i->ecn_delivered[0];
	out->delivered_e0_bytes = i->ecn_delivered[1];
	out->delivered_ce_bytes = i->ecn_delivered[2];
	/* Linux's ecn_mode, then accecn_opt_seen */
	out->accurate = i->ecn_accurate ? 2u | (i->accecn_option ? 2u << 2 : 0u) : i->ecn;
	out->total_rto = (uint16_t)i->rtos;
	out->snd_wnd = i->snd_wnd;
}

static void fill_receiving(const struct sock_tcp_info *i, struct linux_tcp_info *out)
{
	out->rcv_mss = i->rcv_mss ? i->rcv_mss : 536;
	out->bytes_received = i->bytes_received;
	out->segs_in = (uint32_t)i->segments_received;
	out->data_segs_in = (uint32_t)i->data_segments_received;
	out->rcv_ooopack = (uint32_t)i->out_of_order;
	/* what a round brought to the reader, and before that an initial window */
	uint32_t initial = 10 * out->advmss;
	bool small = i->receive_buffer && i->receive_buffer < initial;
	out->rcv_space = small ? i->receive_buffer : initial;
	if (i->read_most > out->rcv_space)
		out->rcv_space = i->read_most;
	out->rcv_rtt = (uint32_t)(i->read_round / NANO_US);
	out->rcv_ssthresh = i->rcv_wnd;
	out->rcv_wnd = i->rcv_wnd;
	out->ato = i->data_segments_received ? ATO : 0;
	out->received_ce = i->ce_received;
	out->received_e1_bytes = i->ecn_received[0];
	out->received_e0_bytes = i->ecn_received[1];
	out->received_ce_bytes = i->ecn_received[2];
}

/* Segments of the handshake, which the connection does not count but Linux does, but for the
 * SYN-ACK that it sends. */
static void add_handshake(
	const struct file *f, const struct sock_tcp_info *i, struct linux_tcp_info *out)
{
	bool fast = i->fast_open; /* its last ACK was counted */
	if (f->accepted) {
		out->segs_in += fast ? 1 : 2;
	} else if (!f->connecting || f->connected_at) {
		out->segs_in += !fast;
		out->segs_out += fast ? 1 : 2;
	}
}

void tcp_info_fill(struct posix *p, struct file *f, struct linux_tcp_info *out)
{
	memset(out, 0, sizeof *out);
	out->reordering = transport_settings(stack_transport(p->stack))->dup_thresh;
	out->pacing_rate = out->max_pacing_rate = f->pacing_most;
	if (f->stage == STAGE_LISTEN) { /* two fields have another meaning, the others none */
		struct sock_listener_info l = { 0 };
		sock_listener_info(p->stack, f->id, &l);
		out->state = LINUX_TCP_LISTEN;
		out->snd_cwnd = 10;
		out->unacked = l.waiting;
		out->sacked = f->backlog;
		return;
	}
	if (f->stage != STAGE_STREAM) {
		out->state = LINUX_TCP_CLOSE;
		out->snd_cwnd = 10;
		out->snd_mss = 536;
		out->snd_ssthresh = LINUX_TCP_INFINITE_SSTHRESH;
		return;
	}
	struct sock_tcp_info i;
	if (sock_tcp_info(p->stack, f->id, &i) != 0)
		return;
	bool scaled = i.snd_wscale || i.rcv_wscale;
	out->state = state_number(i.state);
	out->ca_state = congestion_state(&i);
	out->backoff = i.backoff;
	out->retransmits = i.timeouts;
	out->probes = i.probes;
	out->options = (uint8_t)((i.timestamps ? LINUX_TCPI_OPT_TIMESTAMPS : 0) |
		(i.sack ? LINUX_TCPI_OPT_SACK : 0) | (scaled ? LINUX_TCPI_OPT_WSCALE : 0) |
		(i.ecn ? LINUX_TCPI_OPT_ECN : 0) | (i.ecn_seen ? LINUX_TCPI_OPT_ECN_SEEN : 0) |
		(i.fast_open ? LINUX_TCPI_OPT_SYN_DATA : 0));
	out->wscales = (uint8_t)((i.snd_wscale & 15) | i.rcv_wscale << 4);
	out->rto = (uint32_t)(i.rto / NANO_US);
	out->rtt = (uint32_t)(i.srtt / NANO_US);
	out->rttvar = (uint32_t)(i.rttvar / NANO_US);
	out->snd_mss = i.mss;
	out->pmtu = i.path_mtu ? i.path_mtu : p->nif->mtu;
	uint32_t link = p->nif->mtu - (f->v6 && !addr_is4(&f->local) ? 60u : 40u);
	uint32_t own = (uint32_t)f->option[SOCK_MSS];
	out->advmss = own && own < link ? own : link;
	nanotime begun = f->connected_at ? f->connected_at : p->now;
	bool text = i.data_segments_received > 0, sent = i.bytes_sent > 0;
	out->last_data_sent = ms_since(p, sent ? i.last_sent : begun);
	out->last_data_recv = ms_since(p, text ? i.last_text : begun);
	out->last_ack_recv = ms_since(p, i.last_heard);
	fill_sending(&i, out);
	if (out->state == LINUX_TCP_SYN_SENT || out->state == LINUX_TCP_SYN_RECV)
		out->delivered = 0; /* not even the SYN */
	fill_receiving(&i, out);
	add_handshake(f, &i, out);
	out->busy_time = (uint64_t)(f->busy / NANO_US);
	out->rwnd_limited = (uint64_t)(f->window_limited / NANO_US);
	out->sndbuf_limited = (uint64_t)(f->buffer_limited / NANO_US);
}

void meminfo_fill(struct posix *p, const struct file *f, uint32_t out[LINUX_SK_MEMINFO_VARS])
{
	struct sock_tcp_info i;
	memset(out, 0, LINUX_SK_MEMINFO_VARS * sizeof *out);
	out[LINUX_SK_MEMINFO_RCVBUF] = f->receive_buffer;
	out[LINUX_SK_MEMINFO_SNDBUF] = f->send_buffer;
	if (f->stage != STAGE_STREAM || sock_tcp_info(p->stack, f->id, &i) != 0)
		return;
	out[LINUX_SK_MEMINFO_RMEM_ALLOC] = i.unread;
	out[LINUX_SK_MEMINFO_WMEM_QUEUED] = (uint32_t)send_memory(f, &i);
}

uint32_t cc_info_fill(struct posix *p, const struct file *f, struct linux_bbr_info *out)
{
	struct sock_tcp_info i;
	memset(out, 0, sizeof *out);
	if (f->stage != STAGE_STREAM || sock_tcp_info(p->stack, f->id, &i) != 0 ||
		i.congestion[0] != 'b')
		return 0;
	/* The window is what a round trip carries, at the gain with which it cruises. */
	uint64_t rate = i.srtt ? (uint64_t)i.cwnd * NANO_S / (uint64_t)i.srtt : 0;
	out->bw_lo = (uint32_t)rate;
	out->bw_hi = (uint32_t)(rate >> 32);
	out->min_rtt = (uint32_t)(i.srtt / NANO_US);
	out->pacing_gain = 256; /* one, in 256ths */
	out->cwnd_gain = 512;
	return sizeof *out;
}
