/*
 * One question of the stub resolver: its tries, one after the other, until one
 * gives an answer or nothing is left to try. The resolver starts it, hands it the
 * events of its socket and calls it at its deadline; when status is no longer
 * PENDING it has ended and holds no socket. Private to dns/.
 */
#ifndef STRATA_APPLICATION_QUESTION_H
#define STRATA_APPLICATION_QUESTION_H

#include "application/dns/dns_cache.h"
#include "application/dns/dns_chain.h"
#include "application/dns/resolver.h"

/* What all questions of one resolver share. */
struct question_context {
	const struct resolver_config *config;
	struct stack *stack;
	struct sock_queue queue;
	struct rng rng;
	struct dns_cache cache;
	struct resolver_counters counters;
	uint8_t traits[RESOLVER_SERVERS_MAX]; /* enum server_trait, learned */
};

/* What a server can't do; learned by one question, known to the next. */
enum server_trait {
	SERVER_NO_EDNS = 1, /* it said so */
	SERVER_NO_CASE = 2, /* it changes the case of questions */
};

/* Length before the message (TCP), header, name, type and class, OPT record. */
#define QUESTION_QUERY_MAX (2 + DNS_HEADER + DNS_NAME_MAX + 4 + 11)

struct question {
	struct resolver_answer answer; /* what the user sees */
	struct question_context *context;
	unsigned flags;         /* enum lookup_flags */
	struct dns_name asking; /* the name, or the target of an alias */
	/* The schedule */
	unsigned first;    /* the server that the first round starts with */
	unsigned position; /* in this round */
	unsigned round;
	bool spent[RESOLVER_SERVERS_MAX]; /* not asked again: it gave an error, or is unreachable */
	bool use_tcp;                     /* the next try */
	enum resolver_status failure;     /* what to report if nothing better comes */
	nanotime give_up;
	/* The try under way */
	sock_id sock;
	nanotime deadline;
	struct dns_name sent;       /* the name as sent, in its case */
	enum resolver_try_end hint; /* what a doubtful response made of it; TRY_WAITING: nothing */
	bool connected;             /* TCP */
	size_t query_len, written, received;
	uint8_t query[QUESTION_QUERY_MAX];
	uint8_t *message; /* where responses are received: 2 + config->message_max bytes */
};

void question_begin(struct question *q, struct question_context *context,
	const struct dns_name *name, uint16_t type, unsigned flags, unsigned first, nanotime now);
/* Its socket has news. */
void question_ready(struct question *q, nanotime now);
/* The time has come, or not: harmless to call early. */
void question_timer(struct question *q, nanotime now);
nanotime question_deadline(const struct question *q);
/* Ends it with this status where it is PENDING. */
void question_end(struct question *q, enum resolver_status status, nanotime now);

#endif
