/*
 * The walk in words: for each step a title, what each layer put around the
 * payload or took off, why it happened, and, the first time, what there is to
 * learn from it. Plain ASCII, cut where it does not fit, always closed by a NUL;
 * every number in it comes from the step's frame.
 */
#ifndef STRATA_DIAG_WALK_WORDS_H
#define STRATA_DIAG_WALK_WORDS_H

#include "base/text.h"
#include "diag/walk.h"

#define WALK_TITLE_MAX  256
#define WALK_TEXT_MAX   512
#define WALK_LESSON_MAX 1024
#define WALK_LAYERS_MAX 4

/* "Who has 192.168.1.1?": what the step says, as one would say it aloud. */
size_t walk_title(const struct walk *w, const struct walk_step *s, char *out, size_t cap);

/* One layer of a step's frame. */
struct walk_layer {
	enum layer layer;
	const char *name; /* "IPv4" */
	uint32_t bytes;
	char text[WALK_TEXT_MAX]; /* "192.168.1.100 to 192.0.2.53, TTL 64" */
};
/* From the application down; returns how many. */
unsigned walk_layers(
	const struct walk *w, const struct walk_step *s, struct walk_layer out[WALK_LAYERS_MAX]);

/*
 * Why a frame was sent (enum tx_why), what became of it (fate or drop reason with its clause), or
 * what happened without one. Empty where there is nothing to say.
 */
size_t walk_why(const struct walk *w, const struct walk_step *s, char *out, size_t cap);
/* What a state means: "the server's FIN is awaited"; "" for unknown names. */
const char *walk_state_meaning(const char *state);

/* Which lessons were given. */
struct walk_lessons {
	uint32_t given;
};
/* What is new in this step for somebody who never saw it; empty where nothing is. */
size_t walk_lesson(const struct walk *w, const struct walk_step *s, struct walk_lessons *l,
	char *out, size_t cap);
/* "The connection", and what it is for, in a few sentences. */
const char *walk_phase_title(enum walk_phase p);
size_t walk_phase_lesson(
	const struct walk *w, enum walk_phase p, uint16_t hop, char *out, size_t cap);

/* Shared by the files behind this header. */
void walk_say_addr(struct text *t, const struct addr *a);
void walk_say_mac(struct text *t, const struct mac *m);
/* A name in lower case, without the closing dot. */
void walk_say_name(struct text *t, const struct dns_name *name);
/* "40.037 ms" */
void walk_say_ms(struct text *t, nanodiff d);
/* "the router", "the name server", or an address. */
void walk_say_host(struct text *t, const struct walk *w, uint16_t host, uint8_t peer);
/* Where a message begins with a line: that line, printable, at most `max` bytes. */
void walk_say_line(struct text *t, struct span payload, size_t max);

#endif
