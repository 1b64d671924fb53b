/*
 * getrandom(2) without flags: it waits until the system's generator has been
 * seeded once after boot, and then never again. What a stack keys with it (ISNs,
 * ports, table hashes: RFC 6528, RFC 6056) must not be guessed from outside.
 */
#include "host/entropy.h"

#include <errno.h>
#include <sys/random.h>
#include <sys/types.h>

bool entropy_fill(void *at, size_t len)
{
	unsigned char *to = at;
	while (len) {
		ssize_t n = getrandom(to, len, 0);
		if (n < 0 && errno != EINTR)
			return false;
		if (n > 0) {
			to += n;
			len -= (size_t)n;
		}
	}
	return true;
}
