/*
 * A link's properties in words: "50 Mbit/s, 20 ms each way, 1 % loss". `each` is what stands behind
 * the delay.
 */
#ifndef STRATA_CLI_LINK_WORDS_H
#define STRATA_CLI_LINK_WORDS_H

#include "sim/link.h"

#define LINK_WORDS_MAX 256

void link_words(char line[LINK_WORDS_MAX], const struct link_config *c, const char *each);

#endif
