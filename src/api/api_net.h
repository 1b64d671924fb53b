/*
 * Behind the public interface: a net and its handles, how a call gets in, waits,
 * and gets out. Every public call has the same shape:
 *
 *	struct stack *s = net_enter(n);          the lock, or the check of the thread rule
 *	... sockets; net_wait or net_await where there is nothing yet ...
 *	net_leave(n);                            what became ready is sent
 *
 * The core's thread rule (one at a time) is kept by the lock of the net. Its
 * thread holds it for one turn of the loop, a caller for one call, and a caller
 * that waits gives it back.
 */
#ifndef STRATA_API_API_NET_H
#define STRATA_API_API_NET_H

#include <pthread.h>

#include "api/api_error.h"
#include "api/site.h"
#include "application/http/fetch.h"
#include "strata/net.h"

enum net_drive {
	NET_THREAD, /* a thread of the net's own runs the loop */
	NET_SELF,   /* calls run the loop */
	NET_LAB,    /* calls run the simulated world */
};

enum handle_kind { HANDLE_STREAM = 1, HANDLE_LISTENER, HANDLE_UDP };

/* What the three kinds of handles have in common. Under the net's lock. */
struct handle {
	enum handle_kind kind;
	struct strata *net;
	sock_id sock;
	int64_t limit;   /* how long a call waits */
	uint64_t news;   /* counts events: who waits compares */
	uint32_t events; /* of a watched handle: what strata_next_event has not told */
	bool watched;
	void *user;
	unsigned inside; /* calls that wait with this handle */
	pthread_cond_t changed;
	struct list in_net;
	struct list in_events;
};

struct strata {
	enum net_drive drive;
	struct site *site;
	struct sock_queue queue; /* of all handles */
	struct app app;          /* drains it */
	struct list handles;
	struct list events; /* watched handles with news */
	uint64_t happened;  /* counts events of all handles */
	int64_t linger;
	unsigned next_port; /* for listeners on any port */
	/* NET_THREAD: */
	pthread_mutex_t lock;
	pthread_cond_t changed; /* something happened to any handle, or to a net_await */
	unsigned waiting;       /* calls that wait for `changed` */
	atomic_uint wanting;    /* calls that want the lock */
	pthread_t thread;
	bool stopping;
	bool gone; /* the device was deleted */
	/* Else: */
	atomic_bool inside_self;
	atomic_bool *inside;
	unsigned calls; /* calls inside, waiting or not */
	/* Made when first needed. */
	struct resolver *resolver;
	struct http_client *http;
	struct list memory; /* see net_memory */
};

/* Enters; NULL: there is no net (STRATA_E_ARGUMENT is set). The stack's clock is set. */
struct stack *net_enter(struct strata *n);
/* After calls of sockets, before waiting or leaving. */
void net_leave(struct strata *n);
/* The stack again, after a wait. */
struct stack *net_use(struct strata *n);

/* `limit` of a call from now on, as a time. */
nanotime net_deadline(const struct strata *n, int64_t limit);
/* Waits for news of a handle since it had counted `seen`. ERR_OK, ERR_TIMEOUT, ERR_DEADLOCK,
 * ERR_NO_DEVICE, ERR_SYSTEM. */
enum error net_wait(struct strata *n, struct handle *h, uint64_t seen, nanotime deadline);
/* Waits until `done(user)`, asked after each turn. The same errors. */
enum error net_await(struct strata *n, nanotime deadline, bool (*done)(void *user), void *user);
/* Turns the error of a wait into this thread's, with the reason where there is one. */
int net_fail(struct strata *n, enum error e);

/* Handles. */
void handle_init(struct handle *h, enum handle_kind kind, struct strata *n);
/* Takes it out of its net; the caller frees it. */
void handle_end(struct handle *h);
/*
 * The shape of a call that may wait: `attempt` until it gives something else than -ERR_AGAIN, or
 * until the handle's limit. What it gives is returned; an error is set.
 */
int64_t handle_call(struct handle *h,
	int64_t (*attempt)(struct stack *s, struct handle *h, void *user), void *user);

/* Text to values and back. */
struct endpoint_words {
	struct span host; /* empty: any */
	bool has_addr;    /* host is an address, or empty (then ::) */
	bool v4_only, v6_only;
	struct addr addr;
	uint16_t port;
};
/* "tcp://HOST:PORT"; on an error this thread's is set. */
bool endpoint_words(const char *text, const char *scheme, struct endpoint_words *out);
struct strata_address address_out(const struct addr *a, uint16_t port);
struct addr address_in(const struct strata_address *a);

/* The net's resolver and HTTP client, made at the first call; NULL: this thread's error is set. */
struct resolver *net_resolver(struct strata *n);
struct http_client *net_http(struct strata *n);
/* Memory for an application of this net, which lives as long as its stack may know it. */
void *net_memory(struct strata *n, size_t size);
/* Sets the error of a look-up that found nothing; `host` is what was asked for. Returns -error. */
int net_lookup_fail(const char *host, const struct lookup *l);

/*
 * Addresses of a host, waiting for them: a name, or an address as text; those first that we have a
 * source address for. Returns how many (at least 1), or -(enum error), which is set.
 */
int net_addresses(
	struct strata *n, const char *host, struct addr *out, unsigned max, nanotime deadline);

#endif
