/*
 * The echo client: sends requests at an interval, matches replies by sequence
 * number, checks their bytes against what was sent, and keeps the statistics
 * that ping(8) prints. ICMP errors about a request of ours are reported with it.
 */
#ifndef STRATA_APPLICATION_PING_H
#define STRATA_APPLICATION_PING_H

#include "base/arena.h"
#include "socket/app.h"

#define PING_BODY_MAX 65507 /* 65535 - 20 - 8 */
#define PING_WINDOW   1024  /* requests whose replies are still recognised */

struct ping_event {
	enum ping_kind {
		PING_REPLY,
		PING_DUPLICATE,  /* a reply to a request that was answered */
		PING_WRONG_DATA, /* a reply whose bytes are not what was sent: see offset */
		PING_ERROR,      /* an ICMP error about a request: see type, code, mtu, from */
		PING_LOST,       /* no reply in time */
		PING_SEND_FAILED /* could not be sent: see error; ERR_TOO_BIG: and mtu */
	} kind;
	uint16_t sequence;
	nanodiff rtt;
	size_t bytes; /* of the reply's body */
	size_t offset;
	struct addr from;
	uint8_t hop_limit;
	uint8_t icmp_type, icmp_code;
	const char *icmp_text; /* "destination unreachable, host unreachable" */
	uint32_t mtu;          /* that the request is too big for; 0: unknown, or no such error */
	enum error error;
};

/* The largest body that goes whole through a link of this MTU; 0: not even an empty one. */
uint32_t ping_body_within(const struct addr *destination, uint32_t mtu);

struct ping_config {
	struct addr destination;
	uint32_t count;    /* 0: until ping_stop */
	nanodiff interval; /* 1 s; at least 1 ms */
	nanodiff timeout;  /* a reply later than this is lost: 2 s */
	uint32_t size;     /* bytes behind the ICMP header: 56 */
	bool dont_fragment;
	uint8_t hop_limit;   /* 0: the configured */
	struct span pattern; /* repeated; empty: a byte is the low part of its offset */
	/* Called from within run, in order; must not call back into the ping. May be NULL. */
	void (*report)(void *user, const struct ping_event *e);
	void *user;
};

void ping_config_default(struct ping_config *c); /* no destination */
const char *ping_config_check(const struct ping_config *c);

struct ping_statistics {
	uint64_t sent, received, duplicates, wrong, errors, lost, send_failed;
	uint64_t waiting;             /* sent, and neither answered nor lost by now */
	nanodiff min, avg, max, mdev; /* of the replies' round-trip times; 0 where there is none */
	nanotime started, ended;
};

struct ping;
struct ping *ping_create(
	const struct ping_config *c, struct stack *s, struct arena *arena, const char **why);
struct app *ping_app(struct ping *p);
/* Have all requests been answered or lost? */
bool ping_done(const struct ping *p);
/* No more requests; done at once. */
void ping_stop(struct ping *p, nanotime now);
struct ping_statistics ping_statistics(const struct ping *p);

#endif
