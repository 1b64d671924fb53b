/*
 * A try is one message to one server over a socket of its own. It ends in one of
 * the ways of enum resolver_try_end, and how it ended says what comes next: the
 * same server in another manner (without EDNS, without the case check, over TCP),
 * or the next server, or the end.
 *
 * A response that is doubtful but explains itself (the question in another case,
 * a FORMERR without a question) does not end the try at once: a better one may
 * be on its way, and the doubtful one may be forged. It leaves a hint and cuts
 * the wait to GRACE; the hint then says how the try ended.
 */
#include "application/dns/question.h"

#define GRACE         (200 * NANO_MS)
#define PORT_FIRST    1024 /* RFC 5452 9.2: the largest range there is */
#define PORT_ATTEMPTS 8

static const struct resolver_config *config(const struct question *q)
{
	return q->context->config;
}

static unsigned server_index(const struct question *q)
{
	return (q->first + q->position) % config(q)->servers;
}

static struct resolver_try *current(struct question *q)
{
	return &q->answer.try[q->answer.tries - 1];
}

/* Which of two failures tells the user more? */
static unsigned rank(enum resolver_status status)
{
	switch (status) {
	case RESOLVER_TRUNCATED: return 6;
	case RESOLVER_SERVER_FAILED: return 5;
	case RESOLVER_REFUSED: return 4;
	case RESOLVER_MALFORMED: return 3;
	case RESOLVER_NO_ANSWER: return 2;
	case RESOLVER_UNREACHABLE: return 1;
	default: return 0;
	}
}

static void note_failure(struct question *q, enum resolver_status status)
{
	if (rank(status) > rank(q->failure))
		q->failure = status;
}

/* ---- the end of a try ---- */

static void close_try(struct question *q, enum resolver_try_end end, nanotime now)
{
	if (q->sock) {
		sock_close(q->context->stack, q->sock);
		q->sock = 0;
		current(q)->end = (uint8_t)end;
		current(q)->ended = now;
	}
	q->deadline = NANOTIME_NEVER;
}

static void finish(struct question *q, enum resolver_status status, nanotime now)
{
	close_try(q, TRY_ENDED, now);
	q->answer.status = status;
	q->answer.ended = now;
}

void question_end(struct question *q, enum resolver_status status, nanotime now)
{
	if (q->answer.status == RESOLVER_PENDING)
		finish(q, status, now);
}

/* The next server that may be asked, perhaps in the next round. */
static bool choose_server(struct question *q)
{
	for (;;) {
		for (; q->position < config(q)->servers; q->position++)
			if (!q->spent[server_index(q)])
				return true;
		if (++q->round >= config(q)->rounds)
			return false;
		bool any = false;
		for (unsigned i = 0; i < config(q)->servers; i++)
			any |= !q->spent[i];
		if (!any)
			return false;
		q->position = 0;
	}
}

static bool begin_try(struct question *q, nanotime now);

static void next_try(struct question *q, nanotime now)
{
	while (now < q->give_up && q->answer.tries < RESOLVER_TRIES_MAX && choose_server(q))
		if (begin_try(q, now))
			return;
	finish(q, q->failure, now);
}

/* Ends the try under way and begins what its end asks for. */
static void end_try(struct question *q, enum resolver_try_end end, nanotime now)
{
	unsigned server = server_index(q);
	bool tcp = current(q)->tcp;

	close_try(q, end, now);
	switch (end) {
	case TRY_NO_EDNS: q->context->traits[server] |= SERVER_NO_EDNS; break;
	case TRY_CASE_LOST: q->context->traits[server] |= SERVER_NO_CASE; break;
	case TRY_TRUNCATED:
	case TRY_STORM: q->use_tcp = true; break;
	case TRY_RCODE:
	case TRY_UNREACHABLE:
		q->spent[server] = true;
		q->use_tcp = false;
		q->position++;
		break;
	default: /* silent or broken: its turn comes again */ q->use_tcp = false; q->position++;
	}
	if (tcp && (end == TRY_UNREACHABLE || end == TRY_SILENT || end == TRY_BROKEN) &&
		!(q->flags & LOOKUP_TCP))
		note_failure(q, RESOLVER_TRUNCATED);
	else if (end == TRY_UNREACHABLE)
		note_failure(q, RESOLVER_UNREACHABLE);
	else if (end == TRY_BROKEN)
		note_failure(q, RESOLVER_MALFORMED);
	else if (end == TRY_SILENT)
		note_failure(q, RESOLVER_NO_ANSWER);
	next_try(q, now);
}

/* ---- the beginning of a try ---- */

/* Flips the case of letters at random: up to a bit a letter that a forger must guess. */
static void mix_case(struct rng *rng, struct dns_name *name)
{
	uint64_t bits = 0;
	for (unsigned i = 0; i < name->len; i++) {
		if (i % 64 == 0)
			bits = rng_next(rng);
		uint8_t lower = name->b[i] | 0x20;
		if (lower >= 'a' && lower <= 'z')
			name->b[i] = (uint8_t)(lower ^ (bits & 1 ? 0x20 : 0));
		bits >>= 1;
	}
}

static void write_query(struct question *q, struct resolver_try *t)
{
	struct dns_question asked = {
		.name = q->sent, .type = q->answer.type, .class = DNS_CLASS_IN
	};
	uint16_t udp_size = t->edns ? config(q)->udp_size : 0;
	size_t frame = t->tcp ? 2 : 0;
	size_t len = dns_query_emit(
		t->id, &asked, udp_size, q->query + frame, sizeof q->query - frame);

	assert(len > 0);
	if (t->tcp)
		store16(q->query, (uint16_t)len);
	q->query_len = frame + len;
	q->written = q->received = 0;
}

/* A datagram socket on a random port of our own choice, connected to the server. */
static int open_udp(struct question *q, struct resolver_try *t)
{
	struct stack *s = q->context->stack;
	struct sock_options o = { .queue = &q->context->queue, .user = q };
	int error = -ERR_IN_USE;

	for (unsigned i = 0; i < PORT_ATTEMPTS && error == -ERR_IN_USE; i++) {
		uint32_t port = rng_below(&q->context->rng, UINT16_MAX + 1 - PORT_FIRST);
		o.local_port = (uint16_t)(PORT_FIRST + port);
		error = sock_udp(s, &o, &q->sock);
	}
	if (error < 0) {
		q->sock = 0;
		return error;
	}
	t->local_port = o.local_port;
	error = sock_udp_connect(s, q->sock, &t->server, config(q)->port);
	if (error < 0)
		return error;
	int64_t sent = sock_send_to(s, q->sock, q->query, q->query_len, NULL, 0);
	/* A full queue is a lost datagram: the next try comes. */
	return sent < 0 && sent != -ERR_AGAIN ? (int)sent : 0;
}

static int open_tcp(struct question *q, struct resolver_try *t)
{
	struct sock_options o = { .queue = &q->context->queue, .user = q, .nodelay = true };
	struct sock_peer local, remote;

	q->connected = false;
	q->context->counters.tcp_tries++;
	int error = sock_connect(q->context->stack, &o, &t->server, config(q)->port, &q->sock);
	if (error < 0)
		q->sock = 0;
	else if (sock_name(q->context->stack, q->sock, &local, &remote) == 0)
		t->local_port = local.port;
	return error;
}

/* How long to wait in this round. */
static nanodiff patience(const struct question *q)
{
	nanodiff wait = config(q)->timeout;
	for (unsigned i = 0; i < q->round && wait < config(q)->timeout_max; i++)
		wait *= 2;
	return wait < config(q)->timeout_max ? wait : config(q)->timeout_max;
}

/* False: it could not even be sent, and the schedule has gone on. */
static bool begin_try(struct question *q, nanotime now)
{
	unsigned server = server_index(q);
	uint8_t traits = q->context->traits[server];
	struct resolver_try *t = &q->answer.try[q->answer.tries++];

	*t = (struct resolver_try){ .server = config(q)->server[server],
		.id = (uint16_t)rng_next(&q->context->rng),
		.tcp = q->use_tcp || q->flags & LOOKUP_TCP,
		.edns = config(q)->udp_size > 0 && !(traits & SERVER_NO_EDNS),
		.sent = now,
		.ended = NANOTIME_NEVER };
	t->mixed_case = config(q)->mixed_case && !t->tcp && !(traits & SERVER_NO_CASE);
	q->hint = TRY_WAITING;
	q->sent = q->asking;
	if (t->mixed_case)
		mix_case(&q->context->rng, &q->sent);
	write_query(q, t);
	q->context->counters.tries++;

	int error = t->tcp ? open_tcp(q, t) : open_udp(q, t);
	if (error < 0) {
		if (q->sock)
			sock_close(q->context->stack, q->sock);
		q->sock = 0;
		t->end = TRY_UNREACHABLE;
		t->error = (enum error) - error;
		t->ended = now;
		q->spent[server] = true;
		q->use_tcp = false;
		q->position++;
		note_failure(q, RESOLVER_UNREACHABLE);
		return false;
	}
	q->deadline = nanotime_min(now + patience(q), q->give_up);
	return true;
}

/* Starts asking for q->asking, from the cache or the network. */
static void accept(struct question *q, struct span message, nanotime now);

static void ask(struct question *q, nanotime now)
{
	q->position = q->round = 0;
	q->use_tcp = false;
	memset(q->spent, 0, sizeof q->spent);
	q->failure = RESOLVER_UNREACHABLE;
	if (!(q->flags & LOOKUP_NO_CACHE)) {
		size_t len = dns_cache_find(&q->context->cache, &q->asking, q->answer.type, now,
			q->message, config(q)->message_max);
		if (len > 0) {
			q->context->counters.cache_hits++;
			q->answer.cached = true;
			accept(q, span_of(q->message, len), now);
			return;
		}
	}
	q->answer.cached = false;
	next_try(q, now);
}

void question_begin(struct question *q, struct question_context *context,
	const struct dns_name *name, uint16_t type, unsigned flags, unsigned first, nanotime now)
{
	uint8_t *message = q->message;

	*q = (struct question){ .context = context,
		.flags = flags,
		.asking = *name,
		.first = first,
		.give_up = now + context->config->total,
		.deadline = NANOTIME_NEVER,
		.message = message };
	q->answer = (struct resolver_answer){ .status = RESOLVER_PENDING,
		.name = *name,
		.canonical = *name,
		.type = type,
		.started = now,
		.ended = NANOTIME_NEVER };
	context->counters.questions++;
	if (context->config->servers == 0)
		finish(q, RESOLVER_NO_SERVER, now);
	else
		ask(q, now);
}

/* ---- an answer ---- */

static enum resolver_status status_of(enum dns_chain_end end)
{
	switch (end) {
	case DNS_CHAIN_FOUND: return RESOLVER_FOUND;
	case DNS_CHAIN_NO_NAME: return RESOLVER_NO_NAME;
	case DNS_CHAIN_NO_DATA: return RESOLVER_NO_DATA;
	default: return RESOLVER_ALIAS_LOOP;
	}
}

/* Takes a checked response with a definite code: it ends the question, or leads to another name. */
static void accept(struct question *q, struct span message, nanotime now)
{
	struct resolver_answer *a = &q->answer;
	struct dns_chain chain = dns_chain_follow(
		message, &q->asking, a->type, RESOLVER_ALIASES_MAX - a->aliases);
	uint32_t limit = config(q)->ttl_max;
	struct dns_message m;

	if (!a->cached)
		close_try(q, TRY_ANSWERED, now);
	dns_message_parse(message, &m);
	a->message = message;
	a->rcode = m.rcode;
	a->canonical = chain.canonical;
	a->ttl = a->aliases == 0 || chain.ttl < a->ttl ? chain.ttl : a->ttl;
	a->aliases += chain.aliases;
	q->context->counters.answers++;

	if (chain.end != DNS_CHAIN_FOUND && limit > 3 * 3600)
		limit = 3 * 3600; /* RFC 2308 5: a "no" is kept for hours at most */
	if (!a->cached && !(q->flags & LOOKUP_NO_CACHE) && chain.end != DNS_CHAIN_LOOP)
		dns_cache_keep(&q->context->cache, &q->asking, a->type, message,
			chain.ttl < limit ? chain.ttl : limit, now);

	if (chain.end == DNS_CHAIN_OPEN && a->aliases < RESOLVER_ALIASES_MAX) {
		q->asking = chain.canonical;
		a->message = span_of(NULL, 0); /* its memory is used again */
		ask(q, now);
		return;
	}
	finish(q, status_of(chain.end), now);
}

/* ---- responses ---- */

enum match { MATCH_NO, MATCH_CASE_LOST, MATCH_WITHOUT_QUESTION, MATCH_YES };

/* Does this message answer the query of this try (RFC 5452 9.1)? */
static enum match match(const struct question *q, struct span message)
{
	const struct resolver_try *t = &q->answer.try[q->answer.tries - 1];
	struct dns_reader r;
	struct dns_header h;
	struct dns_question asked;

	if (dns_reader_begin(&r, message, &h) != DROP_NONE || h.id != t->id || !h.response ||
		h.opcode != DNS_OPCODE_QUERY)
		return MATCH_NO;
	if (h.count[DNS_QUESTION] == 0 && t->edns &&
		(h.rcode == DNS_RCODE_FORMERR || h.rcode == DNS_RCODE_NOTIMP))
		return MATCH_WITHOUT_QUESTION;
	if (h.count[DNS_QUESTION] != 1 || !dns_question_next(&r, &asked) ||
		asked.type != q->answer.type || asked.class != DNS_CLASS_IN ||
		!dns_name_equal(&asked.name, &q->sent))
		return MATCH_NO;
	return t->mixed_case && !dns_name_identical(&asked.name, &q->sent) ? MATCH_CASE_LOST
									   : MATCH_YES;
}

static void doubt(struct question *q, enum resolver_try_end hint, nanotime now)
{
	if (q->hint == TRY_WAITING || q->hint == TRY_BROKEN)
		q->hint = hint;
	if (hint != TRY_BROKEN) /* a broken one explains nothing: wait on for a better one */
		q->deadline = nanotime_min(q->deadline, now + GRACE);
}

/* What the response's code means for the server and the question. True: it is an answer. */
static bool judge_code(struct question *q, const struct dns_message *m, nanotime now)
{
	struct resolver_try *t = current(q);

	t->rcode = m->rcode;
	switch (m->rcode) {
	case DNS_RCODE_NOERROR:
	case DNS_RCODE_NXDOMAIN: return true;
	case DNS_RCODE_FORMERR:
	case DNS_RCODE_NOTIMP:
	case DNS_RCODE_BADVERS:
		if (t->edns) {
			end_try(q, TRY_NO_EDNS, now);
			return false;
		}
		note_failure(q, RESOLVER_SERVER_FAILED);
		break;
	case DNS_RCODE_REFUSED:
	case DNS_RCODE_NOTAUTH: note_failure(q, RESOLVER_REFUSED); break;
	default: note_failure(q, RESOLVER_SERVER_FAILED);
	}
	end_try(q, TRY_RCODE, now);
	return false;
}

/* A server that only points to others does not work for a stub resolver: as good as a refusal. */
static bool refers(struct question *q, struct span message)
{
	return dns_chain_follow(message, &q->asking, q->answer.type, 1).end == DNS_CHAIN_REFERRAL;
}

/* One message from the server. False: the try has ended with it. */
static bool take_response(struct question *q, struct span message, nanotime now)
{
	struct resolver_try *t = current(q);
	struct dns_message m;

	switch (match(q, message)) {
	case MATCH_NO:
		q->context->counters.ignored++;
		t->ignored++;
		if (t->ignored < config(q)->mismatches)
			return true;
		/* Somebody is guessing (attack DNS-11): go where guessing is harder. */
		end_try(q, t->tcp ? TRY_BROKEN : TRY_STORM, now);
		return false;
	case MATCH_CASE_LOST: doubt(q, TRY_CASE_LOST, now); return true;
	case MATCH_WITHOUT_QUESTION: doubt(q, TRY_NO_EDNS, now); return true;
	case MATCH_YES: break;
	}
	if (message.at[2] & 0x02 && !t->tcp) { /* TC: what is there is not used (RFC 2181 9) */
		end_try(q, TRY_TRUNCATED, now);
		return false;
	}
	if (dns_message_parse(message, &m) != DROP_NONE) {
		q->context->counters.ignored++;
		t->ignored++;
		doubt(q, TRY_BROKEN, now);
		return true;
	}
	if (!judge_code(q, &m, now))
		return false;
	if (refers(q, message)) {
		note_failure(q, RESOLVER_REFUSED);
		end_try(q, TRY_RCODE, now);
		return false;
	}
	accept(q, message, now);
	return false;
}

/* ---- UDP ---- */

/* What an ICMP error about our datagram means; ERR_OK: nothing that need end the try. */
static enum error icmp_error(const struct question *q, const struct sock_datagram *d)
{
	bool four = addr_is4(&config(q)->server[server_index(q)]);

	if (four ? d->icmp_type != ICMP4_UNREACHABLE : d->icmp_type != ICMP6_UNREACHABLE)
		return ERR_OK;
	if (d->icmp_code == (four ? 3 : 4))
		return ERR_PORT_UNREACHABLE;
	if (four && d->icmp_code == 4) /* fragmentation needed: path MTU's business */
		return ERR_OK;
	if (four && d->icmp_code == 2)
		return ERR_PROTOCOL_UNREACHABLE;
	return d->icmp_code == 0 ? ERR_NET_UNREACHABLE : ERR_HOST_UNREACHABLE;
}

static void read_udp(struct question *q, nanotime now)
{
	unsigned try = q->answer.tries;

	/* The try that this socket belongs to may end with any datagram, and another begin. */
	while (q->sock && q->answer.tries == try) {
		struct sock_datagram d;
		int64_t n = sock_recv_from(
			q->context->stack, q->sock, q->message, config(q)->message_max, &d);
		if (n < 0)
			return;
		if (d.is_error) {
			current(q)->error = icmp_error(q, &d);
			if (current(q)->error != ERR_OK)
				end_try(q, TRY_UNREACHABLE, now);
			continue;
		}
		if (!d.truncated && !take_response(q, span_of(q->message, (size_t)n), now))
			return;
	}
}

/* ---- TCP (RFC 7766 8): each message behind its length ---- */

static void write_tcp(struct question *q)
{
	while (q->written < q->query_len) {
		int64_t n = sock_write(q->context->stack, q->sock, q->query + q->written,
			q->query_len - q->written);
		if (n <= 0)
			return;
		q->written += (size_t)n;
	}
}

/* Reads up to what the frame needs. False: nothing more now, or the connection is over. */
static bool read_tcp(struct question *q, size_t want, nanotime now)
{
	while (q->received < want) {
		int64_t n = sock_read(
			q->context->stack, q->sock, q->message + q->received, want - q->received);
		if (n > 0) {
			q->received += (size_t)n;
			continue;
		}
		if (n != -ERR_AGAIN) {
			current(q)->error = n == 0 ? ERR_CLOSED : (enum error) - n;
			end_try(q, TRY_BROKEN, now);
		}
		return false;
	}
	return true;
}

static void progress_tcp(struct question *q, nanotime now)
{
	struct stack *s = q->context->stack;
	enum error error = sock_error(s, q->sock);
	if (!error && !q->connected) /* it may pass, but another server may do better */
		error = sock_trouble(s, q->sock);

	if (error != ERR_OK && !sock_readable(s, q->sock)) {
		current(q)->error = error;
		end_try(q, q->connected ? TRY_BROKEN : TRY_UNREACHABLE, now);
		return;
	}
	if (!q->connected && !(sock_poll(s, q->sock) & (EVENT_CONNECTED | EVENT_WRITABLE)))
		return;
	q->connected = true;
	write_tcp(q);
	for (;;) {
		if (!read_tcp(q, 2, now))
			return;
		size_t len = load16(q->message);
		if (len < DNS_HEADER || len > config(q)->message_max) {
			current(q)->error = len < DNS_HEADER ? ERR_MALFORMED : ERR_LIMIT;
			end_try(q, TRY_BROKEN, now);
			return;
		}
		if (!read_tcp(q, 2 + len, now) ||
			!take_response(q, span_of(q->message + 2, len), now))
			return;
		q->received = 0;
	}
}

/* ---- from the resolver ---- */

void question_ready(struct question *q, nanotime now)
{
	if (!q->sock)
		return;
	if (current(q)->tcp)
		progress_tcp(q, now);
	else
		read_udp(q, now);
}

void question_timer(struct question *q, nanotime now)
{
	if (q->answer.status != RESOLVER_PENDING || !q->sock || now < q->deadline)
		return;
	if (q->hint == TRY_WAITING)
		q->context->counters.timeouts++;
	end_try(q, q->hint == TRY_WAITING ? TRY_SILENT : q->hint, now);
}

nanotime question_deadline(const struct question *q)
{
	return q->answer.status == RESOLVER_PENDING ? q->deadline : NANOTIME_NEVER;
}
