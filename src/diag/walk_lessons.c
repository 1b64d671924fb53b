/*
 * What there is to learn. A lesson is given once, at the first step that shows
 * it; its numbers are that step's. Phases have a lesson of their own, given when
 * they begin.
 */
#include "diag/walk_words.h"

enum lesson {
	LESSON_NONE,
	LESSON_ROUTER,
	LESSON_DIRECT,
	LESSON_SOLICITATION,
	LESSON_NEIGHBOUR_KEPT,
	LESSON_DOWN,
	LESSON_BOTH_QUESTIONS,
	LESSON_ASKED_AGAIN,
	LESSON_UP,
	LESSON_LATE,
	LESSON_NO_NAME,
	LESSON_SYN,
	LESSON_SYN_ACK,
	LESSON_THIRD,
	LESSON_THIRD_WITH_DATA,
	LESSON_REQUEST,
	LESSON_RESPONSE,
	LESSON_ACK,
	LESSON_FIN_OURS,
	LESSON_FIN_THEIRS,
	LESSON_LAST_ACK,
	LESSON_REFUSED,
	LESSON_RESET,
	LESSON_TIMEOUT,
	LESSON_FAST,
	LESSON_EARLY,
	LESSON_TWICE,
	LESSON_NO_NEIGHBOUR,
	LESSON_ICMP,
	LESSONS
};
_Static_assert(LESSONS <= 32, "one bit each");

static bool was_given(const struct walk_lessons *l, enum lesson which)
{
	return l->given >> which & 1;
}

/* ---- which ---- */

/* The packet that waits for address resolution: the next that we send. */
static const struct walk_step *waiting(const struct walk *w, const struct walk_step *s)
{
	const struct walk_step *end = w->step + w->steps;
	for (const struct walk_step *n = s + 1; n < end; n++)
		if (n->sent && !n->background && n->kind != STEP_NEIGHBOUR_ASK &&
			n->kind != STEP_NEIGHBOUR_ANSWER)
			return n;
	return NULL;
}

static enum lesson lesson_neighbour(
	const struct walk *w, const struct walk_step *s, const struct walk_lessons *l)
{
	struct anatomy a;
	if (s->kind == STEP_NEIGHBOUR_ANSWER)
		return s->sent ? LESSON_NONE : LESSON_NEIGHBOUR_KEPT;
	if (!s->sent || !walk_anatomy(w, s, &a))
		return LESSON_NONE;
	if (was_given(l, LESSON_ROUTER) || was_given(l, LESSON_DIRECT))
		return a.kind == ANATOMY_ND ? LESSON_SOLICITATION : LESSON_NONE;
	const struct walk_step *n = waiting(w, s);
	return n && n->router != WALK_NONE ? LESSON_ROUTER : n ? LESSON_DIRECT : LESSON_NONE;
}

static enum lesson lesson_name(
	const struct walk *w, const struct walk_step *s, const struct walk_lessons *l)
{
	if (s->kind == STEP_NAME_ASK && s->again)
		return LESSON_ASKED_AGAIN;
	if (s->kind == STEP_NAME_ASK)
		return was_given(l, LESSON_DOWN) ? LESSON_BOTH_QUESTIONS : LESSON_DOWN;
	if (s->phase > WALK_LOOKUP)
		return LESSON_LATE;
	if (s->question != WALK_NONE && w->question[s->question].rcode == DNS_RCODE_NXDOMAIN)
		return LESSON_NO_NAME;
	return LESSON_UP;
}

static enum lesson lesson_again(const struct walk *w, const struct walk_step *s)
{
	const struct moment *m = &w->timeline->moment[s->moment];
	if (!s->sent)
		return LESSON_TWICE;
	return m->why == WHY_FAST_RETRANSMIT ? LESSON_FAST : LESSON_TIMEOUT;
}

static enum lesson lesson_segment(
	const struct walk *w, const struct walk_step *s, const struct walk_lessons *l)
{
	const struct walk_flow *f = &w->flow[s->flow];
	if (s->again)
		return lesson_again(w, s);
	if (s->early)
		return LESSON_EARLY;
	switch (s->kind) {
	case STEP_SYN: return LESSON_SYN;
	case STEP_SYN_ACK: return LESSON_SYN_ACK;
	case STEP_DATA:
		if (f->dns)
			return LESSON_NONE;
		if (s->handshake && !was_given(l, LESSON_THIRD_WITH_DATA))
			return LESSON_THIRD_WITH_DATA;
		return s->sent ? LESSON_REQUEST : LESSON_RESPONSE;
	case STEP_FIN: return s->sent ? LESSON_FIN_OURS : LESSON_FIN_THEIRS;
	case STEP_RESET:
		return !s->sent && f->syn_ack == UINT32_MAX ? LESSON_REFUSED : LESSON_RESET;
	default: break;
	}
	if (s->handshake)
		return LESSON_THIRD;
	if (s->sent && f->fin_received && s->phase == WALK_CLOSE)
		return LESSON_LAST_ACK;
	return s->sent ? LESSON_ACK : LESSON_NONE;
}

static enum lesson choose(
	const struct walk *w, const struct walk_step *s, const struct walk_lessons *l)
{
	if (s->background)
		return LESSON_NONE;
	switch (s->kind) {
	case STEP_NEIGHBOUR_ASK:
	case STEP_NEIGHBOUR_ANSWER: return lesson_neighbour(w, s, l);
	case STEP_NAME_ASK:
	case STEP_NAME_ANSWER: return lesson_name(w, s, l);
	case STEP_UNSENT:
		return w->timeline->moment[s->moment].drop == DROP_NEIGHBOUR_FAILED
			? LESSON_NO_NEIGHBOUR
			: LESSON_NONE;
	case STEP_ICMP: return s->sent ? LESSON_NONE : LESSON_ICMP;
	default: return s->flow == WALK_NONE ? LESSON_NONE : lesson_segment(w, s, l);
	}
}

/* ---- what ---- */

static const char *const plain[LESSONS] = {
	[LESSON_SOLICITATION] =
		"IPv6 asks in its own way: an ICMPv6 message, sent not to everybody but to a group "
		"that few but the owner of the address listen to.",
	[LESSON_NEIGHBOUR_KEPT] =
		"The packet that waited can go now. The answer is kept, so that the next packet "
		"need not ask.",
	[LESSON_BOTH_QUESTIONS] =
		"Both questions go out at once, so that together they cost one round trip.",
	[LESSON_ASKED_AGAIN] =
		"No answer came in time: question or answer got lost. UDP does not care, so the "
		"resolver asks again, with another id and from another port.",
	[LESSON_LATE] =
		"This answer comes too late to matter: the connection is being opened already. Had "
		"that failed, this address would have been next (RFC 8305).",
	[LESSON_NO_NAME] =
		"NXDOMAIN: the name server knows that there is no such name. It is a good answer, "
		"and will be remembered for a while.",
	[LESSON_THIRD] =
		"The third segment: now the server knows, too, that its number has arrived. From "
		"here on both may send.",
	[LESSON_THIRD_WITH_DATA] =
		"The third part of the handshake, the acknowledgment of the server's number, rides "
		"on the first segment with text. HTTP is text: a line that says what is wanted, "
		"fields, an empty line. To TCP it is a run of numbered bytes.",
	[LESSON_REQUEST] =
		"HTTP is text: a line that says what is wanted, fields, an empty line. To TCP "
		"it is "
		"a run of numbered bytes.",
	[LESSON_RESPONSE] =
		"TCP hands the bytes up in order. HTTP finds its own structure in them: a status, "
		"fields, an empty line, then the page, whose length one of the fields tells.",
	[LESSON_ACK] =
		"An acknowledgment: all numbers before ack have come. The window says how "
		"many more "
		"bytes may be on their way at once, so that a fast sender cannot flood us.",
	[LESSON_LAST_ACK] =
		"The last word. Should it get lost, the server will say FIN again: so the client "
		"keeps the connection in mind for a while (TIME-WAIT) and would answer.",
	[LESSON_REFUSED] =
		"A reset in answer to SYN: the machine is there, but no program listens on that "
		"port.",
	[LESSON_RESET] =
		"A reset ends both directions at once. Whatever was still on its way is lost.",
	[LESSON_TIMEOUT] =
		"Every segment must be acknowledged. When no answer comes within the "
		"retransmission time-out, the same bytes are sent again, and the time-out doubles "
		"(RFC 6298).",
	[LESSON_FAST] =
		"The acknowledgments show that later bytes have arrived and these have not: they "
		"are sent again at once, without waiting for the time-out (RFC 6675).",
	[LESSON_EARLY] =
		"A segment from before this one is missing: lost, or overtaken on the way. TCP "
		"keeps these bytes, and says at once what it still waits for.",
	[LESSON_TWICE] =
		"These bytes were here already. TCP throws them away and acknowledges once more: "
		"perhaps its acknowledgment got lost.",
	[LESSON_NO_NEIGHBOUR] =
		"Nobody answered for that address: no such machine is on our cable, or it is "
		"switched off. What waited for it cannot be sent.",
	[LESSON_ICMP] =
		"ICMP is how the internet layer talks about itself: somebody on the way says why a "
		"packet of ours went no further.",
};

static void tell_next_hop(struct text *t, const struct walk *w, const struct walk_step *s)
{
	const struct walk_step *n = waiting(w, s);
	struct anatomy a, ask;
	if (!n || !walk_anatomy(w, n, &a) || !walk_anatomy(w, s, &ask))
		return;
	walk_say_addr(t, &a.destination);
	if (n->router != WALK_NONE) {
		text_string(
			t, " is on another network, so the packet must go by way of the router, ");
		walk_say_addr(t, ask.kind == ANATOMY_ARP ? &ask.arp.target : &ask.nd.target);
		text_string(t,
			". But on the cable only link addresses count, and the router's is "
			"not known yet");
	} else {
		text_string(t,
			" is on our own network. But on the cable only link addresses count, "
			"and that machine's is not known yet");
	}
	text_string(t,
		ask.kind == ANATOMY_ARP
			? ": so everybody is asked, and the packet waits."
			: ": so a group that few but its owner listen to is asked, and the "
			  "packet waits.");
}

static void tell_down(struct text *t, const struct walk *w, const struct walk_step *s)
{
	const struct walk_question *q = s->question == WALK_NONE ? NULL : &w->question[s->question];
	bool mixed = false;
	for (unsigned i = 0; q && i < q->name.len; i++)
		mixed |= q->name.b[i] >= 'A' && q->name.b[i] <= 'Z';
	text_string(t,
		"On its way down each layer puts a header in front, for its own kind of "
		"work: UDP says which program (the port), IP which machine, Ethernet which "
		"neighbour takes it next. The id");
	text_string(t, mixed ? " and the odd capitals are" : " is");
	text_string(t, " random, and the answer must repeat");
	text_string(t, mixed ? " both" : " it");
	text_string(t, ": so nobody can forge one who cannot see the question.");
}

static void tell_up(struct text *t, const struct anatomy *a)
{
	text_string(t,
		"On the way up each layer reads its own header, checks it and takes it off: "
		"Ethernet sees that the frame is for us, ");
	text_string(t, a->v6 ? "IPv6" : "IPv4");
	text_string(t, " that the packet is, ");
	text_string(t, a->kind == ANATOMY_UDP ? "UDP" : "TCP");
	text_string(t,
		" checks every byte by its checksum and finds the program by its port. What "
		"is left is the answer.");
}

static void tell_syn(struct text *t, const struct anatomy *a)
{
	const struct tcp_options *o = &a->tcp.options;
	text_string(t,
		"TCP numbers every byte, so that loss, doubles and disorder can be put right. "
		"The first number is one that outsiders cannot guess (RFC 6528); here it "
		"is called 0, and the number on the wire stands in brackets. SYN itself takes "
		"one number.");
	if (!(o->has & TCP_HAS_MSS))
		return;
	text_string(t, " MSS: a segment to us may carry ");
	text_decimal(t, o->mss);
	text_string(t, " bytes, what a packet of ");
	text_decimal(t, (uint64_t)o->mss + TCP_HEADER + (a->v6 ? IP6_HEADER : IP4_HEADER));
	text_string(t, " leaves behind the headers of ");
	text_string(t, a->v6 ? "IPv6 (40)" : "IPv4 (20)");
	text_string(t, " and TCP (20).");
}

static void tell_syn_ack(struct text *t, const struct walk *w, const struct walk_step *s)
{
	const struct walk_flow *f = &w->flow[s->flow];
	text_string(t,
		"The server counts its own bytes from a number of its own, and acknowledges "
		"ours: ack 1 says that number 0, the SYN, has come, and 1 is expected next. ");
	walk_say_ms(t, walk_time(w, s) - walk_time(w, &w->step[f->syn]));
	text_string(t,
		f->again ? " since the first SYN."
			 : " since the SYN: that is the round-trip time to the server.");
}

static void tell_fin(struct text *t, const struct walk *w, const struct walk_step *s)
{
	const struct walk_flow *f = &w->flow[s->flow];
	if (s->sent) {
		text_string(t,
			"FIN ends one direction only: the server may still send. It takes a "
			"number, too, so that it can be acknowledged.");
		if (s->ack > 1 && f->received && s->ack == f->received + 1)
			text_string(t,
				" The same segment acknowledges the page's last byte: an ACK "
				"rides on whatever goes out anyway.");
		return;
	}
	text_string(t, "The server has nothing more to send either.");
	if (f->fin_sent && s->ack == f->sent + 2)
		text_string(t, " Its ACK counts our FIN, so our direction is closed.");
}

size_t walk_lesson(const struct walk *w, const struct walk_step *s, struct walk_lessons *l,
	char *out, size_t cap)
{
	struct text t = text_of(out, cap);
	struct anatomy a;
	enum lesson which = choose(w, s, l);
	if (which == LESSON_NONE || was_given(l, which))
		return 0;
	l->given |= UINT32_C(1) << which;
	if (which == LESSON_THIRD_WITH_DATA)
		l->given |= UINT32_C(1) << LESSON_REQUEST;
	if (plain[which]) {
		text_string(&t, plain[which]);
		return t.len;
	}
	if (!walk_anatomy(w, s, &a))
		return 0;
	switch (which) {
	case LESSON_ROUTER:
	case LESSON_DIRECT: tell_next_hop(&t, w, s); break;
	case LESSON_DOWN: tell_down(&t, w, s); break;
	case LESSON_UP: tell_up(&t, &a); break;
	case LESSON_SYN: tell_syn(&t, &a); break;
	case LESSON_SYN_ACK: tell_syn_ack(&t, w, s); break;
	default: tell_fin(&t, w, s); break;
	}
	return t.len;
}

/* ---- why ---- */

static void tell_fate(struct text *t, const struct moment *m)
{
	const struct drop_info *info = drop_info((enum drop)m->drop);
	switch (m->fate) {
	case FATE_DROPPED:
		text_string(t, "dropped by the ");
		text_string(t, layer_name(info->layer));
		text_string(t, " layer: ");
		text_string(t, info->text);
		if (info->clause[0]) {
			text_string(t, " (");
			text_string(t, info->clause);
			text_char(t, ')');
		}
		break;
	case FATE_ANSWERED: text_string(t, "taken by the stack itself"); break;
	case FATE_DELIVERED: text_string(t, "taken by who waits for it"); break;
	case FATE_HELD: text_string(t, "held until the rest comes"); break;
	case FATE_FORWARDED: text_string(t, "to be forwarded"); break;
	default: break;
	}
}

size_t walk_why(const struct walk *w, const struct walk_step *s, char *out, size_t cap)
{
	const struct moment *m = &w->timeline->moment[s->moment];
	struct text t = text_of(out, cap);
	if (m->kind == TRACE_TX)
		text_string(&t, tx_why_text((enum tx_why)m->why));
	else if (m->kind == TRACE_RX)
		tell_fate(&t, m);
	else if (m->kind == TRACE_TX_DROP)
		text_string(&t, drop_info((enum drop)m->drop)->clause);
	return t.len;
}

static bool is(const char *a, const char *b)
{
	while (*a && *a == *b)
		a++, b++;
	return *a == *b;
}

const char *walk_state_meaning(const char *state)
{
	static const struct {
		const char *state, *meaning;
	} states[] = {
		{ "SYN-SENT", "the client waits for the server's SYN" },
		{ "SYN-RECEIVED", "both have said SYN; ours is not acknowledged yet" },
		{ "ESTABLISHED", "bytes may flow in both directions" },
		{ "FIN-WAIT-1", "our FIN is on its way" },
		{ "FIN-WAIT-2", "our direction is closed, the server's is not" },
		{ "CLOSE-WAIT", "the server's direction is closed, ours is not" },
		{ "CLOSING", "both said FIN at once" },
		{ "LAST-ACK", "our FIN, the last one, is on its way" },
		{ "TIME-WAIT", "closed; kept in mind in case a segment was delayed" },
		{ "CLOSED", "no connection" },
		{ "incomplete", "asked, no answer yet" },
		{ "reachable", "its link address is known" },
		{ "failed", "nobody answered" },
	};
	for (unsigned i = 0; state && i < sizeof states / sizeof *states; i++)
		if (is(states[i].state, state))
			return states[i].meaning;
	return "";
}

/* ---- phases ---- */

const char *walk_phase_title(enum walk_phase p)
{
	switch (p) {
	case WALK_LOOKUP: return "The name";
	case WALK_CONNECT: return "The connection";
	case WALK_REQUEST: return "The request";
	case WALK_WAIT:
	case WALK_RESPONSE: return "The response";
	default: return "The end";
	}
}

static void lesson_lookup(struct text *t, const struct walk *w, uint16_t hop)
{
	const struct walk_question *q = NULL;
	unsigned asked = 0;
	for (unsigned i = 0; i < w->questions; i++)
		if (w->step[w->question[i].asked].hop == hop) {
			q = q ? q : &w->question[i];
			asked++;
		}
	text_string(t, "Packets carry addresses, not names. So a name server is asked first");
	if (q) {
		text_string(t, " which addresses ");
		walk_say_name(t, &q->name);
		text_string(t, " has");
	}
	text_string(t,
		asked > 1 ? ": one question for IPv6, one for IPv4, each in a single UDP "
			    "datagram. UDP promises nothing; should one get lost, the question "
			    "is asked again."
			  : ", in a single UDP datagram. UDP promises nothing; should it get "
			    "lost, the question is asked again.");
}

static void lesson_connect(struct text *t, const struct walk *w, uint16_t hop)
{
	bool four = false, six = false;
	text_string(t,
		"TCP promises every byte, once, in order. Before the first one both sides "
		"must agree "
		"on the numbers that they count from: the three-way handshake. It costs one round "
		"trip.");
	for (unsigned i = 0; i < w->questions; i++) {
		const struct walk_question *q = &w->question[i];
		four |= q->type == DNS_TYPE_A && w->step[q->asked].hop == hop;
	}
	for (unsigned i = 0; i < w->flows; i++)
		six |= w->flow[i].hop == hop && !w->flow[i].dns && !addr_is4(&w->flow[i].remote);
	if (four && six)
		text_string(t, " The name has an IPv6 address: it is tried first (RFC 8305).");
}

size_t walk_phase_lesson(
	const struct walk *w, enum walk_phase p, uint16_t hop, char *out, size_t cap)
{
	struct text t = text_of(out, cap);
	switch (p) {
	case WALK_LOOKUP: lesson_lookup(&t, w, hop); break;
	case WALK_CONNECT: lesson_connect(&t, w, hop); break;
	case WALK_REQUEST:
		text_string(&t,
			"The connection stands. Now the application speaks, in HTTP, and all "
			"layers below carry it without knowing what it means.");
		break;
	case WALK_WAIT:
	case WALK_RESPONSE:
		text_string(&t,
			"The request takes half a round trip to the server, the answer the "
			"other half back.");
		break;
	default:
		text_string(&t,
			"The page is complete. Each side says FIN when it has nothing more to "
			"send, and each FIN is acknowledged. Nobody waits for this part.");
		break;
	}
	return t.len;
}
