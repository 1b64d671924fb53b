/*
 * The rules for what goes out against what came in: each segment that a node is
 * given is noted before its stack sees it, as what it deserves. Segments are read
 * from their bytes.
 *
 *	a segment with text, FIN or SYN, or one that can't be accepted, deserves
 *	an ACK; a pure ACK in its place does not, and no ACK may answer it
 *	(RFC 9293 3.10.7.4), or two ends would talk for ever
 *	text beyond a hole is acknowledged at once; where the config lets such ACKs
 *	wait, and the peer hears SACK, the first three are (RFC 5681 4.2, 3.2), and
 *	the others within the time that it gives
 *	of full-sized segments in order, every second is acknowledged, or once
 *	all that came at one time (RFC 9293 3.8.6.3)
 *	who is no connection yet, or none any more, gets at most three bytes for
 *	one, and a reset never answers a reset (TCP-38, RFC 9293 3.10.7.1)
 */
#include "sim/inspect_rules.h"

#define ANSWER_FACTOR 3
#define OPTIONS_MAX   40
#define FULL_SIZE     500 /* bytes from which a segment counts as full-sized */

static void breach(struct breach *b, const struct tcp_tuple *tuple, uint8_t state, const char *rule,
	const char *what, uint64_t x, uint64_t y)
{
	if (!b->rule)
		*b = (struct breach){ rule, what, x, y, *tuple, state };
}

/* ---- what comes in ---- */

/* Would an old timestamp refuse it (RFC 7323 5)? */
static bool stamp_is_old(const struct tcp_conn *c, const struct segment *g)
{
	const struct span o = g->options;
	for (size_t i = 0; i < o.len && o.at[i];) {
		if (o.at[i] == 1) {
			i++;
			continue;
		}
		if (i + 1 >= o.len || o.at[i + 1] < 2)
			return true; /* broken: whatever */
		if (o.at[i] == 8 && i + 10 <= o.len)
			return c->flags & CONN_TIMESTAMPS &&
				seq_lt(load32(o.at + i + 2), c->ts_recent);
		i += o.at[i + 1];
	}
	return false;
}

/* A pure ACK that brings nothing odd: nothing is due for it. */
static bool deserves_nothing(const struct tcp_conn *c, const struct segment *g)
{
	return !g->len && (g->flags & 0x17) == TCP_ACK && g->seq == c->rcv_nxt &&
		seq_ge(g->ack, c->snd_una) && seq_le(g->ack, c->snd_nxt) && !stamp_is_old(c, g);
}

/* A full-sized segment counts once it was taken: its checksum was right, and there was memory. */
static void count_taken(struct shadow *was, const struct tcp_conn *c)
{
	if (was->full_came && seq_ge(c->rcv_nxt, was->full_end))
		was->full_segments++;
	was->full_came = false;
}

void inspect_heard(struct shadow *was, const struct tcp_conn *c, const struct segment *g)
{
	count_taken(was, c);
	if (c->state < TCP_ESTABLISHED || !deserves_nothing(c, g))
		was->deserved++;
	was->full_came = g->len >= FULL_SIZE && g->len == was->full_size && g->seq == c->rcv_nxt;
	was->full_end = g->seq + g->len;
	if (g->len > was->full_size)
		was->full_size = g->len;
}

static struct stranger *stranger_of(struct inspector *s, const struct segment *g, bool out)
{
	uint32_t ports = out ? (uint32_t)g->source << 16 | g->destination
			     : (uint32_t)g->destination << 16 | g->source;
	for (unsigned i = 0; i < INSPECT_STRANGERS; i++)
		if (s->stranger[i].ports == ports && s->stranger[i].v6 == g->v6)
			return &s->stranger[i];
	if (out)
		return NULL;
	struct stranger *fresh = &s->stranger[s->strangers++ % INSPECT_STRANGERS];
	*fresh = (struct stranger){ .ports = ports, .v6 = g->v6 };
	return fresh;
}

void inspect_heard_stranger(struct inspector *s, const struct segment *g)
{
	struct stranger *who = stranger_of(s, g, false);
	who->bytes_in += g->ip_len;
	if (g->flags & TCP_RST)
		who->resets++;
	else
		who->others++;
}

/* ---- what goes out ---- */

void inspect_answer(struct shadow *was, const struct tcp_conn *c, const struct segment *g,
	uint8_t why, struct breach *b)
{
	bool news = !was->told || g->ack != was->told_ack ||
		g->ack + ((uint32_t)g->window << c->rcv_wscale) != was->told_edge;
	bool probe = why == WHY_KEEPALIVE || why == WHY_WINDOW_PROBE || why == WHY_USER_TIMEOUT;
	was->full_segments = 0;
	was->told = true;
	was->told_ack = g->ack;
	was->told_edge = g->ack + ((uint32_t)g->window << c->rcv_wscale);
	if (g->len || g->flags & (TCP_FIN | TCP_SYN | TCP_RST) || probe)
		return;
	if (!news && !was->deserved && c->state >= TCP_ESTABLISHED)
		breach(b, &c->tuple, c->state, "I14 (ACK of a pure ACK)",
			"an ACK that nothing deserved, and its reason", g->ack, why);
	if (was->deserved)
		was->deserved--;
}

/* What came before there was a connection to look at was the handshake's, and what came with the
 * last of it. */
void inspect_first_answer(struct inspector *s, struct shadow *was, const struct segment *g)
{
	const struct stranger *who = was->told ? NULL : stranger_of(s, g, true);
	if (who)
		was->deserved += who->others;
}

void inspect_answer_stranger(
	struct inspector *s, const struct segment *g, uint8_t why, struct breach *b)
{
	struct stranger *who = stranger_of(s, g, true);
	struct tcp_tuple tuple = { .local_port = g->source, .remote_port = g->destination };
	/* Not an answer: a timer's, or the last word of a connection that is gone with it. */
	if (!who || why == WHY_SYN_RETRANSMIT || why == WHY_RESET_ABORT ||
		why == WHY_RESET_DATA_LOST)
		return;
	who->bytes_out += g->ip_len;
	if (who->bytes_out > ANSWER_FACTOR * who->bytes_in)
		breach(b, &tuple, TCP_CLOSED, "I21 (amplification)", "bytes out, in",
			who->bytes_out, who->bytes_in);
	if (why != WHY_RESET_NO_CONNECTION)
		return;
	if (!who->others && who->resets)
		breach(b, &tuple, TCP_CLOSED, "I14 (RST to RST)", "resets came", who->resets,
			g->seq);
	if (who->others)
		who->others--;
}

/* After a run: what came is acknowledged, or waits for the link. */
void inspect_second_segment(
	struct inspector *s, struct shadow *was, const struct tcp_conn *c, struct breach *b)
{
	bool owes = c->rcv_nxt != c->last_ack_sent && c->state >= TCP_ESTABLISHED &&
		c->state != TCP_TIME_WAIT && !list_linked(&c->ready) && !s->node->trouble;
	count_taken(was, c);
	/* Twice the largest segment that the peer could send, without options (RFC 5681 4.2). The
	 * first one may have come before there was a connection to look at. */
	uint32_t size = c->flight && c->flight->rcv_mss > was->full_size ? c->flight->rcv_mss
									 : was->full_size;
	if (owes && was->full_segments >= 2 &&
		c->rcv_nxt - c->last_ack_sent >= 2 * (size + OPTIONS_MAX))
		breach(b, &c->tuple, c->state, "I14 (every second segment)",
			"full segments not acknowledged, of", was->full_segments, was->full_size);
	if (!owes)
		was->full_segments = 0;
}

/* After a run: whoever is on the ready list waits for the link, and who has no way to the peer
 * does not tell it. */
void inspect_hole(struct inspector *s, const struct transport *t, struct shadow *was,
	const struct tcp_conn *c, struct breach *b)
{
	const struct tcp_flight *f = c->flight;
	if (!f || !was->known || !was->flight || was->rcv_nxt != c->rcv_nxt)
		was->hole_told = 0;
	if (!f || !was->known || !was->flight) {
		was->untold = 0;
		was->beyond_hole = f ? f->out_of_order : 0;
		was->sent = f ? (uint32_t)f->segments_sent : 0;
		return;
	}
	if (!was->untold)
		was->untold_from = s->now;
	was->untold += f->out_of_order - was->beyond_hole;
	was->beyond_hole = f->out_of_order;
	if ((uint32_t)f->segments_sent != was->sent || f->soft_error) {
		was->hole_told += was->untold > 0;
		was->untold = 0;
	}
	was->sent = (uint32_t)f->segments_sent;
	if (!was->untold || list_linked(&c->ready) || s->node->trouble)
		return;
	bool may_wait = t->config.comp_sack_nr && c->flags & CONN_SACK && was->hole_told >= 3;
	if (!may_wait || s->now - was->untold_from > t->config.comp_sack_delay)
		breach(b, &c->tuple, c->state, "I14 (text beyond a hole)",
			"segments not acknowledged, after so many that were", was->untold,
			was->hole_told);
}
