/*
 * What the files share that put a dissection into words: pieces of a line, and
 * the teller of one layer's fields.
 */
#ifndef STRATA_DIAG_DISSECT_WORDS_H
#define STRATA_DIAG_DISSECT_WORDS_H

#include "base/text.h"
#include "diag/dissect.h"

static inline void put_number(struct text *t, const char *before, uint64_t v)
{
	text_string(t, before);
	text_padded(t, v, 1);
}

static inline void put_address(struct text *t, const struct addr *a)
{
	char s[ADDR_TEXT_MAX];
	addr_format(a, s);
	text_string(t, s);
}

static inline void put_end(struct text *t, const struct addr *a, uint16_t port)
{
	bool bracket = !addr_is4(a);
	if (bracket)
		text_char(t, '[');
	put_address(t, a);
	text_string(t, bracket ? "]:" : ":");
	text_padded(t, port, 1);
}

static inline void put_mac(struct text *t, const struct mac *m)
{
	char s[MAC_TEXT_MAX];
	mac_format(m, s);
	text_string(t, s);
}

struct teller {
	const struct dissection *d;
	const struct dissect_layer *l;
	void (*tell)(void *user, const struct dissect_field *f);
	void *user;
};

/* A field that is no part of the table: `at` and `len` are bytes within the layer. */
static inline void tell_bytes(const struct teller *w, const char *name, const char *key,
	const char *meaning, size_t at, size_t len, const char *value)
{
	struct dissect_field f = {
		.name = name,
		.key = key,
		.meaning = meaning,
		.bit = (uint32_t)(w->l->at + at) * 8,
		.bits = (uint32_t)len * 8,
		.value = value,
	};
	w->tell(w->user, &f);
}

/* ICMP and ICMPv6. `bytes` is the layer's own; a line may also quote what follows. */
void icmp_line(struct text *t, const struct dissection *d, const struct dissect_layer *l);
/* What the header's last four bytes mean, and what stands behind them. */
void icmp_fields(const struct teller *w, struct span bytes);
/* Are the header's last four bytes told by icmp_fields? */
bool icmp_has_fields(struct span bytes, bool v6);

#endif
