/* Reads the words of site_options: links with their options, addresses, lists of servers. */
#ifndef STRATA_API_SITE_WORDS_H
#define STRATA_API_SITE_WORDS_H

#include "api/site.h"

#define SITE_NAME_MAX 64

struct site_link {
	bool simulated;
	char name[SITE_NAME_MAX]; /* of the device or lab, without prefix and options */
	uint16_t mtu;
	bool offload;
	struct lab_options lab;
};

/* Each gives ERR_OK, or ERR_ARGUMENT and in `why` one line. */
enum error site_words_link(
	const struct site_options *o, struct site_link *out, char *why, size_t cap);
enum error site_words_addresses(
	const struct site_options *o, struct machine_options *out, char *why, size_t cap);
enum error site_words_dns(const char *list, struct site *out, char *why, size_t cap);

/* Quantities as people write them. False: it is none. */
bool site_words_time(struct span s, uint64_t *ns);    /* "20ms", "150us"; plain: ms */
bool site_words_rate(struct span s, uint64_t *bits);  /* "50Mbit", "512kbit" */
bool site_words_share(struct span s, uint64_t *ppm);  /* "1%", "100ppm"; plain: %; at most 100 % */
bool site_words_size(struct span s, uint64_t *bytes); /* "1500", "256k", "4M" */

#endif
