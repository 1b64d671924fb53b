/*
 * Urgent data of streams (RFC 9293 3.8.5), for programs that speak to such as need it; no
 * application of ours does (RFC 6093, SHLD-13).
 */
#include "api/api_handles.h"

struct urgent {
	const uint8_t *from;
	size_t size;
};

static int64_t try_write_urgent(struct stack *s, struct handle *h, void *user)
{
	const struct urgent *u = user;
	return sock_write_urgent(s, h->sock, u->from, u->size);
}

ssize_t strata_write_urgent(struct strata_stream *stream, const void *from, size_t size)
{
	struct urgent u = { .from = from, .size = size };
	if (stream && size == 0)
		return 0;
	return handle_call(stream_handle(stream), try_write_urgent, &u);
}

static int64_t try_urgent(struct stack *s, struct handle *h, void *user)
{
	(void)user;
	return sock_urgent(s, h->sock);
}

ssize_t strata_urgent(struct strata_stream *stream)
{
	return handle_call(stream_handle(stream), try_urgent, NULL);
}
