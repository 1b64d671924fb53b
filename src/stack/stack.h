/*
 * The stack: layers 1 to 3 composed, with the two functions that a newcomer
 * reads first: stack_receive (a frame in) and stack_transmit (frames out).
 * Pure: time comes as an argument, memory as one arena, secrets in the config.
 * One thread at a time may be inside a stack.
 *
 * A driver's loop is always the same:
 *
 *	stack_receive(...) for each frame of a burst
 *	stack_timers(s, now)
 *	the application reads and writes its sockets (socket/socket.h)
 *	stack_transmit(s, now, budget)
 *	sleep until a frame comes or stack_next_deadline(s)
 */
#ifndef STRATA_STACK_STACK_H
#define STRATA_STACK_STACK_H

#include "transport/transport.h"

struct stack_config {
	struct access_config access;
	struct internet_config internet;
	struct transport_config transport;
	const struct checksum_ops *checksum; /* NULL: checksum_plain */
	uint8_t secret[32];                  /* from the host's entropy, or a simulation's seed */
};

struct stack;

/* A host with a handful of connections: about 100 MB of address space, touched as used. */
void stack_config_default(struct stack_config *c);
/* NULL, or the first rule that the config breaks, in words. */
const char *stack_config_check(const struct stack_config *c);
/* Bytes of memory that stack_create will want. */
size_t stack_memory(const struct stack_config *c);
/* Builds a stack in `memory` (aligned to 64; need not be zeroed). NULL and *why on a broken
 * config, and on a secret that was not filled in: sequence numbers, ports and cookies that anyone
 * can compute are worse than no stack (RFC 6056 3.3). */
struct stack *stack_create(const struct stack_config *c, void *memory, size_t size, nanotime now,
			   const char **why);

/* Interfaces, addresses, routes: see access.h and route.h for the errors. */
struct netif *stack_add_netif(struct stack *s, const struct netif_config *c, const char **why);
/* Also adds the on-link route of its prefix. */
enum error stack_add_address(struct stack *s, struct netif *nif, const struct addr *a,
			     unsigned prefix);
/* `gateway` NULL: on link. */
enum error stack_add_route(struct stack *s, const struct addr *prefix, unsigned len,
			   const struct addr *gateway, struct netif *nif);

/* One frame in, from this interface's link. Sends nothing, wakes nobody. */
void stack_receive(struct stack *s, struct netif *nif, const struct rx_frame *frame, nanotime now);
/* Fires all timers due. */
void stack_timers(struct stack *s, nanotime now);
/* Sends what is ready, at most `budget` frames; returns how many. Call until it gives 0. */
unsigned stack_transmit(struct stack *s, nanotime now, unsigned budget);
/* Has stack_transmit anything to do now? */
bool stack_has_work(const struct stack *s);
/* Endpoints with events that nobody has asked for yet. Where stack_transmit makes it more (a next
 * hop is dead, memory has come back), applications should run again. */
uint32_t stack_news(const struct stack *s);
/* When to call stack_timers next; NANOTIME_NEVER in an idle world. Never late. */
nanotime stack_next_deadline(const struct stack *s);
/* The time of socket calls that follow; never goes back. Receive, timers and transmit set it
 * too. */
void stack_set_time(struct stack *s, nanotime now);
nanotime stack_time(const struct stack *s);

void stack_set_trace(struct stack *s, void (*sink)(void *, const struct trace_event *), void *user);
const struct counters *stack_counters(const struct stack *s);
/* The parts, for the layers above. */
struct access *stack_access(struct stack *s);
struct internet *stack_internet(struct stack *s);
struct transport *stack_transport(struct stack *s);
struct netif *stack_netif(struct stack *s, unsigned index);

#endif
