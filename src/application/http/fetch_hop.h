/*
 * A fetch from the inside: private to fetch.c, which moves it, and fetch_text.c,
 * which puts its failure into words.
 */
#ifndef STRATA_APPLICATION_FETCH_HOP_H
#define STRATA_APPLICATION_FETCH_HOP_H

#include "application/http/fetch.h"

#define FETCH_URL_MAX    (URL_MAX + 16)
#define FETCH_FIELDS_MAX 64
#define FETCH_DRAIN_MAX \
	65536 /* bytes of a redirect's own body that are read to keep the connection */

struct fetch {
	struct app app;
	struct fetch_config config;
	struct stack *stack;
	struct fetch_info info;
	struct fetch_request request;
	nanotime give_up;
	/* This hop */
	struct lookup *lookup;
	struct http_exchange *exchange;
	enum http_step seen; /* the exchange's step as taken notice of */
	unsigned given;      /* addresses of the look-up that the exchange has */
	bool looked_up;      /* the look-up's end was taken notice of */
	bool probing;        /* only asking whether the other family has addresses */
	bool redirecting;    /* the response leads to `next` */
	bool sink_full;
	size_t drained;
	/* The request as it is now: redirects change it */
	struct span method;
	bool send_body;
	unsigned fields;
	struct http1_field field[FETCH_FIELDS_MAX];
	char url[FETCH_URL_MAX], next[FETCH_URL_MAX];
	uint8_t target[FETCH_URL_MAX];
};

/* Writes info.text for what failed. */
void fetch_explain(struct fetch *f, nanotime now);

#endif
