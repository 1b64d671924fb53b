/*
 * The stub resolver (RFC 1034 5.3.1, RFC 1035 7): asks recursive servers, does
 * not recurse itself. What makes an answer hard to forge (RFC 5452): each try has
 * a random ID, a random source port of its own on a socket connected to the
 * server, and a question in random case; a response counts only if server, port,
 * ID and question agree, to the last bit of case. Anything else is ignored and
 * the wait goes on (attack DNS-15): nobody can end a look-up by sending noise.
 *
 * A question is sent to the servers in turn. Silence: the next server, and after
 * a round the first again, waiting twice as long. An error answer, or "nothing
 * listens there": the next server, and this one is not asked again. FORMERR to a
 * query with EDNS: again without (RFC 6891 7). TC, or a storm of responses that
 * do not match: again over TCP (RFC 7766 5). A server that does not keep the
 * case of questions: again in the case that was given.
 *
 * Results are polled: start a look-up, let the resolver run, read its status.
 * Nothing here calls back. Memory is taken once from the caller's arena.
 */
#ifndef STRATA_APPLICATION_RESOLVER_H
#define STRATA_APPLICATION_RESOLVER_H

#include "base/arena.h"
#include "socket/app.h"
#include "wire/dns.h"

#define RESOLVER_SERVERS_MAX   8
#define RESOLVER_TRIES_MAX     24 /* of one question */
#define RESOLVER_ADDRESSES_MAX 16 /* of one look-up */
#define RESOLVER_ALIASES_MAX   16 /* CNAMEs followed */

/*       name           text (what happened), advice (what to do) */
#define RESOLVER_STATUSES(X) \
	X(PENDING, "not finished", "") \
	X(FOUND, "found", "") \
	X(NO_NAME, "the name does not exist", "check its spelling") \
	X(NO_DATA, "the name exists, but has no record of this type", "ask for another type") \
	X(NO_ANSWER, "no DNS server answered", "check the way to the server, or name another one") \
	X(UNREACHABLE, "no DNS server can be reached", \
		"check address and route, or name another one") \
	X(REFUSED, "the DNS server refuses to answer", "name a server that serves this network") \
	X(SERVER_FAILED, "the DNS server reports a failure of its own", \
		"try again, or name another one") \
	X(MALFORMED, "the DNS server's answers can't be used", "name another server") \
	X(TRUNCATED, "the answer needs TCP, and TCP to the DNS server failed", \
		"let TCP port 53 pass") \
	X(ALIAS_LOOP, "the name's chain of aliases does not end", "tell the owner of the zone") \
	X(NO_SERVER, "no DNS server is configured", "name one with --dns") \
	X(CANCELLED, "the look-up was cancelled", "")

enum resolver_status {
#define RESOLVER_STATUS_ENUM(name, text, advice) RESOLVER_##name,
	RESOLVER_STATUSES(RESOLVER_STATUS_ENUM)
#undef RESOLVER_STATUS_ENUM
		RESOLVER_STATUS_COUNT
};
const char *resolver_status_text(enum resolver_status status);
const char *resolver_status_advice(enum resolver_status status);
const char *resolver_status_name(enum resolver_status status); /* "NO_NAME" */

struct resolver_config {
	struct addr server[RESOLVER_SERVERS_MAX];
	unsigned servers;
	uint16_t port;          /* 53 */
	bool rotate;            /* each look-up starts at the next server */
	nanodiff timeout;       /* wait in the first round: 2 s; doubles with each round ... */
	nanodiff timeout_max;   /* ... up to 8 s */
	nanodiff total;         /* for a whole question: 15 s */
	unsigned rounds;        /* times round the servers: 4 */
	uint16_t udp_size;      /* offered with EDNS: 1232; 0: no EDNS */
	bool mixed_case;        /* random case in questions (0x20) */
	unsigned mismatches;    /* responses that do not match until TCP is used: 32 */
	uint32_t lookups;       /* at once: 8 */
	uint32_t message_max;   /* largest answer over TCP: 65535 */
	uint32_t cache;         /* answers kept: 256; 0: none */
	uint32_t cache_message; /* largest that is kept: 512 bytes */
	uint32_t ttl_max;   /* seconds an answer is kept at most: 1 day; "no": 3 h (RFC 2308 5) */
	uint8_t secret[32]; /* from entropy, or a simulation's seed */
};

void resolver_config_default(struct resolver_config *c); /* no servers, no secret */
const char *resolver_config_check(const struct resolver_config *c);

/* How one try, one message to one server, went. */
enum resolver_try_end {
	TRY_WAITING,
	TRY_ANSWERED,    /* this is the answer */
	TRY_SILENT,      /* no matching response in time */
	TRY_UNREACHABLE, /* ICMP said so, or there is no way: see error */
	TRY_RCODE,       /* an error answer: see rcode */
	TRY_NO_EDNS,     /* FORMERR, NOTIMP or BADVERS: asked again without EDNS */
	TRY_CASE_LOST,   /* all fits but the case: asked again without that check */
	TRY_TRUNCATED,   /* TC: asked again over TCP */
	TRY_STORM,       /* too many responses that did not match: asked again over TCP */
	TRY_BROKEN,      /* a matching response that is malformed; or TCP ended early */
	TRY_ENDED,       /* the look-up ended first */
};
const char *resolver_try_text(enum resolver_try_end end); /* "no answer in time" */

struct resolver_try {
	struct addr server;
	uint16_t local_port, id;
	bool tcp, edns, mixed_case;
	uint8_t end; /* enum resolver_try_end */
	uint16_t rcode;
	uint16_t ignored; /* responses that did not match */
	enum error error;
	nanotime sent, ended;
};

/* One question and what became of it. */
struct resolver_answer {
	enum resolver_status status;
	struct dns_name name; /* as asked */
	uint16_t type;
	bool cached;               /* from the cache: no try was made */
	struct dns_name canonical; /* the end of the chain of aliases */
	unsigned aliases;          /* CNAMEs followed */
	uint32_t ttl;              /* the smallest of chain and records, or of the "no"; seconds */
	struct span message; /* the last response, checked whole; empty: none. dns_reader_begin */
	uint16_t rcode;      /* its enum dns_rcode */
	nanotime started, ended;
	unsigned tries;
	struct resolver_try try[RESOLVER_TRIES_MAX];
};

struct resolver_address {
	struct addr address;
	uint32_t ttl;
};

/*
 * A look-up: one question of any type, or the A and AAAA questions for a host in
 * parallel. Lives until lookup_release.
 */
struct lookup {
	/* PENDING until all its questions have ended. FOUND where any was. */
	enum resolver_status status;
	bool literal; /* an address, or localhost: no question was asked */
	nanotime started, ended;
	/* Grows while PENDING; in the order of arrival. Only A and AAAA records. */
	unsigned addresses;
	struct resolver_address address[RESOLVER_ADDRESSES_MAX];
	struct dns_name canonical; /* a host name by its letters (attack DNS-21) */
	unsigned answers;
	const struct resolver_answer *answer[2];
};

enum lookup_flags {
	LOOKUP_A = 1,
	LOOKUP_AAAA = 2,
	LOOKUP_BOTH = 3,
	LOOKUP_TCP = 4,      /* over TCP from the start */
	LOOKUP_NO_CACHE = 8, /* neither read nor written */
};

struct resolver;
/* NULL and *why on a broken config or too small an arena (which then tells the size: arena.h). */
struct resolver *resolver_create(
	const struct resolver_config *c, struct stack *s, struct arena *arena, const char **why);
/* Ends all look-ups, closes their sockets and takes it out of its loop. The arena's memory may be
 * used otherwise then; look-ups that were not released are gone. */
void resolver_destroy(struct resolver *r);
/* To be run by the stack's loop; or run it (app->run) from an application that uses it. */
struct app *resolver_app(struct resolver *r);

/*
 * Addresses of a host: a name, "localhost" (RFC 6761 6.3) or an address literal.
 * NULL and *error: ERR_ARGUMENT (no host name), ERR_LIMIT (all look-ups in use).
 * The result may be there at once.
 */
struct lookup *resolver_host(
	struct resolver *r, struct span host, unsigned flags, enum error *error);
/* The records of one type, any name; DNS_TYPE_ANY too. */
struct lookup *resolver_query(struct resolver *r, const struct dns_name *name, uint16_t type,
	unsigned flags, enum error *error);
/* Ends what still runs; what is known stays readable. */
void lookup_cancel(struct resolver *r, struct lookup *l);
/* Done with it: ends what still runs, and frees it. */
void lookup_release(struct resolver *r, struct lookup *l);
/* May a caller that wants to connect start now (RFC 8305 3)? AAAA has come, or all has, or A has
 * and 50 ms have passed. Else *when is the time to ask again. */
bool lookup_usable(const struct lookup *l, nanotime now, nanotime *when);
/* May a caller that wants all addresses stop waiting? All has come; or there are some, and the
 * other question has had 3 s more for its answer: as long as takes one message that gets lost
 * (2 s), and not as long as a server that answers no such question would. *when as above. */
bool lookup_settled(const struct lookup *l, nanotime now, nanotime *when);
/* One line: what happened with which server, and what to do. Length, NUL-closed. */
size_t lookup_explain(const struct lookup *l, char *out, size_t cap);

/* Forgets all cached answers. */
void resolver_flush(struct resolver *r);
struct resolver_counters {
	uint64_t lookups, questions, tries, tcp_tries, answers, cache_hits, ignored, timeouts;
};
const struct resolver_counters *resolver_counters(const struct resolver *r);

#endif
