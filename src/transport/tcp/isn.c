/*
 * Initial sequence numbers (RFC 6528, MUST-8, MUST-9): a 4 us clock plus a keyed
 * hash of the connection's addresses and ports. The same hash gives the offset of
 * the timestamp clock (RFC 7323 5.4, 7.1), so that neither tells of uptime or of
 * other connections (TCP-28, TCP-30, TCP-31).
 */
#include "transport/tcp/tcp_conn.h"

struct tcp_secret_numbers tcp_secret_numbers(const struct transport *t,
					     const struct tcp_tuple *tuple, nanotime now)
{
	uint8_t bytes[36];
	bool four = addr_is4(&tuple->remote);
	size_t len = four ? 4 : 16; /* the mapped form's constant bytes add nothing */
	memcpy(bytes, tuple->local.b + 16 - len, len);
	memcpy(bytes + len, tuple->remote.b + 16 - len, len);
	store16(bytes + 2 * len, tuple->local_port);
	store16(bytes + 2 * len + 2, tuple->remote_port);
	uint64_t hash = siphash24(&t->secret, span_of(bytes, 2 * len + 4));
	return (struct tcp_secret_numbers){
		.isn = (uint32_t)hash + (uint32_t)(now / (4 * NANO_US)),
		.ts_offset = (uint32_t)(hash >> 32),
	};
}
