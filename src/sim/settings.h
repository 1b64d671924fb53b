/*
 * Settings of TCP that a random world may draw beside its faults: each is a group
 * of fields of a stack's config, or of options of its sockets, that an operator
 * or an application may choose. None but cookies may harm a flow; so the judge of
 * a trial asks the same whatever was drawn. Each group draws from a generator of its own
 * for each machine and socket: one that goes leaves the others as they were.
 */
#ifndef STRATA_SIM_SETTINGS_H
#define STRATA_SIM_SETTINGS_H

#include "sim/world.h"
#include "socket/socket.h"

/* The texts name the generators as well: another text is another draw.
 *       id          text */
#define SETTINGS(X) \
	X(SEARCH, \
		"the path's MTU is looked for from the first segment on, for black holes, never") \
	X(CONTROL, "reno, CUBIC, BBR") \
	X(RECOVERY, "how losses are found and taken back, and which of it is done at all") \
	X(TIMES, "the first and the smallest RTO, TIME-WAIT, how long a flight is kept") \
	X(WINDOWS, "initial and idle windows, buffers that grow or do not, segments in one frame") \
	X(COOKIES, "SYN cookies: always, soon, never") \
	X(TIMEOUT, "user timeouts are told and adapted to (RFC 5482)") \
	X(FAST_OPEN, "data in SYNs (RFC 7413)") \
	X(OPTIONS, "what applications choose for their sockets; the ends of records")

enum setting {
#define SETTING_ENUM(id, text) SETTING_##id,
	SETTINGS(SETTING_ENUM)
#undef SETTING_ENUM
		SETTING_COUNT
};

typedef uint32_t setting_set; /* bit n: enum setting n */
#define SETTING_BIT(id) (UINT32_C(1) << SETTING_##id)
#define SETTING_ALL     ((UINT32_C(1) << SETTING_COUNT) - 1)

const char *setting_text(enum setting id);
/* What they say about the stack of a machine. */
void settings_config(
	setting_set set, const struct world *w, const char *node, struct transport_config *c);
/* ... about a socket that `o` will make, of a connection or a listener called `name` ... */
void settings_before(
	setting_set set, const struct world *w, const char *name, struct sock_options *o);
/* ... and about one that is there. The chance in a million that what was written ends a record. */
uint32_t settings_after(
	setting_set set, const struct world *w, const char *name, struct stack *s, sock_id id);

#endif
