/*
 * Initial sequence numbers (RFC 6528): a 4 us clock plus a keyed
 * hash of the connection's addresses and ports. The same hash gives the offset of
 * the timestamp clock (RFC 7323 5.4, 7.1), so that neither tells of uptime or of
 * other connections (TCP-28, TCP-30, TCP-31).
 */
#include "transport/tcp/tcp_conn.h"

/* MUST-8, SHLD-1; the key is a secret of this stack's: MUST-9. */
struct tcp_secret_numbers tcp_secret_numbers(const struct transport *t,
					     const struct tcp_tuple *tuple, nanotime now)
{
	uint64_t word[5];
	unsigned count = tuple_words(tuple, word);
	uint64_t hash = count == 2 ? hash_secret(&t->secret, word, 2)
				   : hash_secret(&t->secret, word, 5);
	return (struct tcp_secret_numbers){
		.isn = (uint32_t)hash + (uint32_t)(now / (4 * NANO_US)),
		.ts_offset = (uint32_t)(hash >> 32),
	};
}
