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

#endif
