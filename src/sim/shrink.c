/*
 * Greedy: one thing is taken away at a time, and kept away where the rest still
 * fails, until a whole round has taken nothing. First what makes a world hard to
 * read (faults, flows), then how much happens in it (bytes, windows), at last
 * what was drawn and could be plain. A fault that goes may make another way to
 * fail show up; for who looks for a bug that is as good.
 */
#include "sim/shrink.h"

static bool try(struct shrink *s, struct trial *t, struct trial smaller)
{
	if (s->tries_most && s->tries >= s->tries_most)
		return false;
	s->tries++;
	if (!s->fails(s->user, &smaller))
		return false;
	*t = smaller;
	return true;
}

/* Half of what is left at once, where that works: most faults have nothing to do with it. */
static bool drop_faults(struct shrink *s, struct trial *t)
{
	bool any = false;
	struct trial smaller = *t;
	unsigned kept = 0;
	for (unsigned i = 0; i < FAULT_COUNT; i++)
		if (t->faults >> i & 1 && kept++ % 2)
			smaller.faults &= ~(UINT64_C(1) << i);
	if (kept > 3)
		any |= try(s, t, smaller);
	for (unsigned i = 0; i < FAULT_COUNT; i++) {
		smaller = *t;
		smaller.faults &= ~(UINT64_C(1) << i);
		if (smaller.faults != t->faults)
			any |= try(s, t, smaller);
	}
	return any;
}

static bool drop_flows(struct shrink *s, struct trial *t)
{
	bool any = false;
	for (unsigned i = 0; i < TRAFFIC_FLOWS; i++) {
		struct trial smaller = *t;
		if (!(t->flows >> i & 1))
			continue;
		/* Alone? */
		smaller.flows = 1u << i;
		if (smaller.flows != t->flows && try(s, t, smaller))
			return true;
	}
	for (unsigned i = 0; i < TRAFFIC_FLOWS; i++) {
		struct trial smaller = *t;
		smaller.flows &= ~(1u << i);
		if (smaller.flows != t->flows && smaller.flows)
			any |= try(s, t, smaller);
	}
	for (unsigned i = 0; i < DATAGRAM_FLOWS; i++) {
		struct trial smaller = *t;
		smaller.datagrams &= ~(1u << i);
		if (smaller.datagrams != t->datagrams)
			any |= try(s, t, smaller);
	}
	for (unsigned i = 0; i < SETTING_COUNT; i++) {
		struct trial smaller = *t;
		smaller.settings &= ~(1u << i);
		if (smaller.settings != t->settings)
			any |= try(s, t, smaller);
	}
	return any;
}

static bool drop_size(struct shrink *s, struct trial *t)
{
	bool any = false;
	struct trial smaller = *t;
	for (smaller.shift = 17; smaller.shift > t->shift; smaller.shift--)
		if (try(s, t, smaller)) {
			any = true;
			break;
		}
	smaller = *t;
	for (smaller.brief = 12; smaller.brief > t->brief; smaller.brief--)
		if (try(s, t, smaller)) {
			any = true;
			break;
		}
	smaller = *t;
	smaller.plain = true;
	if (!t->plain)
		any |= try(s, t, smaller);
	return any;
}

void shrink_trial(struct shrink *s, struct trial *t)
{
	bool any = true;
	while (any) {
		any = drop_faults(s, t);
		any |= drop_flows(s, t);
		any |= drop_size(s, t);
	}
}
