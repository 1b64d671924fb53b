/*
 * More accurate ECN feedback (RFC 9768). Each end counts the packets that came with
 * CE, and the bytes of text that came with each mark. The three flags of every segment
 * are the low bits of the first count (the ACE field); an option carries the others,
 * where it passes. So nothing needs to be repeated until it is confirmed, and a sender
 * knows how much was marked, not only that something was.
 *
 * The counters start at 5, 1, 0 and 1 on the wire (3.2.1) and at 0 here. The first ACE
 * field of a client tells instead with which mark the SYN-ACK came, as the SYN-ACK told
 * of the SYN: a mark that neither end set, or flags that were zeroed, show a path that
 * meddles, and then we mark nothing more, or also believe nothing (3.2.2.3, 3.2.2.4).
 *
 * What is done about congestion is the same as with RFC 3168: one answer a round trip.
 * Scalable controls (L4S, DCTCP), which need the counts, are not there; that a path
 * marks everything, without end, is not looked for.
 */
#include "transport/tcp/ecn.h"

#define FIRST_CEP	5
#define OPTIONS_ROOM	40
#define STAMPS_ROOM	12
#define CE_UNSAID_DATA	2 /* CE marks that make an ACK due while data is unacknowledged ... */
#define CE_UNSAID_ELSE	3 /* ... and otherwise: 3.2.2.5.1 */
#define ACE_CYCLE	8
#define STRETCHED	4 /* packets an ACK: so many are this peer's habit, not lost ACKs */
#define NO_OPTION	(-1)
#define FIELDS		3
#define BLOCKS_FIRST	2 /* SACK blocks that go before the option: 3.2.3.3 */

/* Indices of byte counters: enum ip_ecn less one. */
enum { ECT1_BYTES, ECT0_BYTES, CE_BYTES };

static uint32_t first_of(unsigned counter)
{
	return counter == CE_BYTES ? 0 : 1;
}

unsigned ace_of_mark(unsigned mark)
{
	static const uint8_t ace[4] = {
		[IP_NOT_ECT] = 2, [IP_ECT1] = 3, [IP_ECT0] = 4, [IP_CE] = 6
	};
	return ace[mark & IP_ECN_MASK];
}

unsigned conn_ace(const struct tcp_conn *c)
{
	return (FIRST_CEP + (c->flight ? c->flight->accecn.r_cep : 0)) % ACE_CYCLE;
}

/* Flags that are all zero would tell of a path that clears them (3.2.2.4). */
uint16_t ecn_uncounted(uint8_t ecn)
{
	return ecn & CONN_ACCURATE ? FIRST_CEP << ACE_SHIFT : 0;
}

/* ---- the option that we send ---- */

static const struct accecn nothing;

static bool always(const struct transport *t)
{
	return t->config.accecn_option >= ACCECN_OPTION_ALWAYS;
}

/* Sparing: as many fields as have ever changed, in the order that needs the fewest (3.2.3.3).
 * Otherwise all that there is room for, ECT(1) first, as in Linux. */
static unsigned fields_of(const struct transport *t, const struct accecn *a, unsigned field[FIELDS])
{
	bool swapped = always(t) || (a->r_bytes[ECT1_BYTES] && !a->r_bytes[ECT0_BYTES]);
	field[0] = swapped ? ECT1_BYTES : ECT0_BYTES;
	field[1] = CE_BYTES;
	field[2] = swapped ? ECT0_BYTES : ECT1_BYTES;
	unsigned count = FIELDS;
	while (!always(t) && count > 1 && !a->r_bytes[field[count - 1]])
		count--;
	return count;
}

/* Bytes of an option, with padding. */
static uint32_t option_len(unsigned fields)
{
	return (2 + 3 * fields + 3) & ~3u;
}

/* In every segment, where the peer's options come through and ours seem to; with fewer fields where
 * room is short, but no fewer than tell of what came. */
static uint32_t option_always(const struct transport *t, const struct accecn *a, uint32_t room)
{
	bool blocked = a->option_blocked && t->config.accecn_option != ACCECN_OPTION_PERSISTENT;
	unsigned fields = a->option_seen && !blocked ? FIELDS : 0;
	while (fields && option_len(fields) > room)
		fields--;
	return fields && fields >= a->due ? option_len(fields) : 0;
}

/* Bytes of the next segment's option, where `room` bytes are free; 0: it has none. */
static uint32_t option_due(const struct transport *t, const struct tcp_conn *c, uint32_t room)
{
	const struct tcp_flight *f = c->flight;
	const struct accecn *a = f ? &f->accecn : &nothing;
	if (always(t))
		return option_always(t, a, room);
	/* The first data tests the path again: 3.2.3.2.1. */
	bool first = f && !f->bytes_sent && c->snd_end != c->snd_nxt;
	if (a->option_blocked || !(a->due || first || c->ecn & CONN_ACE_HANDSHAKE) ||
	    t->config.accecn_option == ACCECN_OPTION_NEVER)
		return 0;
	unsigned field[FIELDS];
	uint32_t len = option_len(fields_of(t, a, field));
	return len <= room ? len : 0;
}

static uint32_t stamps(const struct tcp_conn *c)
{
	return c->flags & CONN_TIMESTAMPS ? STAMPS_ROOM : 0;
}

uint32_t conn_accecn_blocks(const struct transport *t, const struct tcp_conn *c, uint32_t most)
{
	if (always(t) && !(c->flight && c->flight->accecn.due)) /* it can wait */
		return most;
	for (uint32_t n = most; n >= BLOCKS_FIRST; n--)
		if (option_due(t, c, OPTIONS_ROOM - stamps(c) - 4 - 8 * n))
			return n;
	return most;
}

uint32_t conn_accecn_room(const struct transport *t, const struct tcp_conn *c, uint32_t sack)
{
	return option_due(t, c, OPTIONS_ROOM - stamps(c) - sack);
}

void conn_accecn_put(const struct transport *t, struct tcp_conn *c, uint8_t *at, uint32_t room)
{
	const struct accecn *a = c->flight ? &c->flight->accecn : &nothing;
	unsigned field[FIELDS], count = fields_of(t, a, field);
	if (count > (room - 2) / 3)
		count = (room - 2) / 3;
	memset(at, TCP_OPT_NOP, room);
	at[0] = field[0] == ECT0_BYTES ? TCP_OPT_ACCECN0 : TCP_OPT_ACCECN1;
	at[1] = (uint8_t)(2 + 3 * count);
	for (unsigned i = 0; i < count; i++) {
		uint32_t value = a->r_bytes[field[i]] + first_of(field[i]);
		at[2 + 3 * i] = (uint8_t)(value >> 16);
		store16(at + 3 + 3 * i, (uint16_t)value);
	}
	if (!c->flight)
		return;
	c->flight->accecn.due = 0;
	c->flight->accecn.twice_told = c->flight->twice_start != c->flight->twice_end;
	c->flight->accecn.twice = c->flight->twice_start;
}

void conn_accecn_came_twice(struct tcp_flight *f, uint32_t start)
{
	f->accecn.option_blocked |= f->accecn.twice_told && f->accecn.twice == start;
}

/* ---- what comes ---- */

/* The receiver's part: 3.2, and when an ACK is due: 3.2.2.5.1. */
static void count_marks(struct transport *t, struct tcp_conn *c, const struct rx *rx,
			const struct tcp_segment *seg)
{
	unsigned mark = rx->tos & IP_ECN_MASK;
	struct tcp_flight *f = mark == IP_NOT_ECT ? c->flight : conn_flight(t, c);
	if (!f)
		return;
	struct accecn *a = &f->accecn;
	bool anew = a->last != IP_CE;
	a->last = (uint8_t)mark;
	if (mark == IP_NOT_ECT)
		return;
	a->r_bytes[mark - 1] += seg->text_len;
	static const uint8_t fields[] = { 0, 1, FIELDS, 2 }; /* by marks, ECT(1) first */
	if (seg->text_len && a->due < fields[mark])
		a->due = fields[mark];
	if (mark != IP_CE || seg->h.flags & TCP_SYN) /* that one is counted with the handshake */
		return;
	a->r_cep += seg->segments;
	f->ce_received += seg->segments;
	unsigned unsaid = a->unsaid + seg->segments;
	a->unsaid = (uint8_t)(unsaid < UINT8_MAX ? unsaid : UINT8_MAX);
	bool data = seg->text_len || c->rcv_nxt != c->last_ack_sent;
	if ((seg->text_len && anew) || unsaid >= (data ? CE_UNSAID_DATA : CE_UNSAID_ELSE))
		conn_owe_ack(t, c, WHY_ACK_NOW);
}

/* What the client says of our SYN-ACK, which was not marked: table 4. */
static void take_handshake(struct transport *t, struct tcp_conn *c, const struct tcp_segment *seg)
{
	unsigned ace = ace_of(seg);
	if (ace == 0)
		c->ecn |= CONN_ACE_NOT_ECT | CONN_ACE_DEAF;
	bool odd = ace == ace_of_mark(IP_ECT1) || ace == ace_of_mark(IP_ECT0) ||
		   ace == ace_of_mark(IP_CE);
	if (odd && t->config.ecn_fallback)
		c->ecn |= CONN_ACE_NOT_ECT;
	if (ace == ace_of_mark(IP_CE) && conn_flight(t, c)) {
		c->flight->accecn.s_cep = 1;
		c->flight->ce_delivered = 1;
		conn_take_echo(t, c);
	}
}

/* Bytes that the option says were newly marked CE; NO_OPTION where it says nothing. */
static int32_t take_option(struct accecn *a, const struct tcp_options *o)
{
	static const uint8_t order[2][3] = { { ECT0_BYTES, CE_BYTES, ECT1_BYTES },
					     { ECT1_BYTES, CE_BYTES, ECT0_BYTES } };
	if (!(o->has & TCP_HAS_ACCECN))
		return NO_OPTION;
	const uint8_t *field = order[o->accecn_order & 1];
	if (!a->option_seen)
		for (unsigned i = 0; i < o->accecn_count; i++) /* 3.2.3.2.4 */
			a->option_zeroed |= first_of(field[i]) && !o->accecn[i];
	a->option_seen = true;
	if (a->option_zeroed)
		return NO_OPTION;
	int32_t marked = 0;
	for (unsigned i = 0; i < o->accecn_count; i++) {
		uint32_t *count = &a->s_bytes[field[i]];
		uint32_t more = (o->accecn[i] - first_of(field[i]) - *count) & 0xffffff;
		if (more > 0x7fffff) /* it can't go back: an old one */
			continue;
		*count += more;
		if (field[i] == CE_BYTES)
			marked = (int32_t)more;
	}
	return marked;
}

/* By how much the peer's count of CE grew, which has three bits here: the safest likely case
 * (3.2.2.5.2, appendix A.2) where so many packets arrived that it may have gone round. */
static uint32_t unwrap(struct accecn *a, uint32_t delta, uint32_t packets, int32_t marked,
		       uint32_t mss)
{
	uint32_t each = packets < 255 ? packets * 16 : 255 * 16;
	a->per_ack = (uint16_t)(a->per_ack ? a->per_ack - a->per_ack / 8 + each / 8 : each);
	if (packets < delta + ACE_CYCLE)
		return delta;
	uint32_t most = packets - (packets - delta) % ACE_CYCLE;
	if (marked == NO_OPTION)
		return a->per_ack > STRETCHED * 16 ? delta : most;
	uint32_t bytes = (uint32_t)marked;
	if (bytes <= delta * mss || bytes < (uint64_t)most * mss / 2)
		return delta;
	return most;
}

/* The sender's part. */
static void take_feedback(struct transport *t, struct tcp_conn *c, const struct tcp_segment *seg)
{
	struct tcp_flight *f = c->flight;
	struct accecn *a = &f->accecn;
	uint32_t fresh = conn_ecn_delivered(c, seg);
	if (!fresh) /* overtaken, perhaps: it must not move counters back (appendix A.1) */
		return;
	unsigned ace = ace_of(seg);
	if (!a->heard && !ace) /* 3.2.2.4 */
		c->ecn |= CONN_ACE_NOT_ECT | CONN_ACE_DEAF;
	a->heard = true;
	uint32_t packets = (fresh + c->mss - 1) / c->mss;
	uint32_t delta = (ace - FIRST_CEP - a->s_cep) % ACE_CYCLE;
	int32_t marked = take_option(a, &seg->h.options);
	uint32_t more = unwrap(a, delta, packets, marked, c->mss);
	a->s_cep += more;
	if (c->ecn & CONN_ACE_DEAF)
		return;
	f->ce_delivered += more;
	if (marked > 0 && !more && packets < ACE_CYCLE) /* 3.2.3.2.5 */
		c->ecn |= CONN_ACE_NOT_ECT;
	if (more)
		conn_take_echo(t, c);
}

void conn_take_first_option(struct transport *t, struct tcp_conn *c, const struct tcp_segment *seg)
{
	if (always(t) && seg->h.options.has & TCP_HAS_ACCECN && conn_flight(t, c))
		take_option(&c->flight->accecn, &seg->h.options);
}

void conn_take_accurate(struct transport *t, struct tcp_conn *c, const struct rx *rx,
			const struct tcp_segment *seg)
{
	bool told = false;
	if (c->ecn & CONN_ACE_EXPECT && !(seg->h.flags & TCP_SYN)) {
		c->ecn &= (uint8_t)~CONN_ACE_EXPECT;
		told = !seg->text_len && !(seg->flags & TCP_FIN) &&
		       !(seg->h.options.has & TCP_HAS_SACK);
		if (told)
			take_handshake(t, c, seg);
		conn_take_first_option(t, c, seg);
	}
	count_marks(t, c, rx, seg);
	if (told && c->flight) /* what it delivers is not news to the next one */
		conn_ecn_delivered(c, seg);
	else if (c->flight && !(seg->h.flags & TCP_SYN))
		take_feedback(t, c, seg);
}

void conn_take_syn_ack_again(struct tcp_conn *c, const struct rx *rx,
			     const struct tcp_segment *seg)
{
	bool again = (seg->flags & (TCP_SYN | TCP_ACK)) == (TCP_SYN | TCP_ACK) &&
		     seg->h.seq + 1 == c->rcv_nxt && seg->ack == c->snd_una;
	/* Only as long as nothing else came: later it would be taken for a count. */
	if (!again || !(c->flags & CONN_ACK_NOW) || ace_of(seg) == 1)
		return;
	unsigned mark = rx->tos & IP_ECN_MASK;
	c->ecn &= (uint8_t)~CONN_ACE_PEER;
	c->ecn |= (uint8_t)(CONN_ACE_HANDSHAKE | mark << CONN_ACE_PEER_SHIFT);
}
