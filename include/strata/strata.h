/*
 * Strata: a TCP/IP stack in user space that explains every packet. This header
 * brings everything; each part has one of its own.
 *
 *	int main(void)                          an echo server, complete
 *	{
 *		struct strata *net = strata_open(&(struct strata_options){
 *			.link = "tap:tap0", .address = "192.0.2.2/24" });
 *		struct strata_listener *port = strata_listen(net, "tcp://:7");
 *		for (;;) {
 *			struct strata_stream *peer = strata_accept(port);
 *			uint8_t buf[4096];
 *			for (ssize_t n; (n = strata_read(peer, buf, sizeof buf)) > 0;)
 *				strata_write_all(peer, buf, (size_t)n);
 *			strata_close(peer);
 *		}
 *	}
 *
 * Handles may be NULL everywhere: a call on NULL fails with STRATA_E_ARGUMENT and
 * leaves the error of the call that gave the NULL for strata_error, so that a
 * chain of calls needs one check at its end.
 */
#ifndef STRATA_STRATA_H
#define STRATA_STRATA_H

#include "strata/dns.h"
#include "strata/error.h"
#include "strata/event.h"
#include "strata/http.h"
#include "strata/net.h"
#include "strata/ping.h"
#include "strata/stream.h"
#include "strata/udp.h"
#include "strata/wrap.h"

/* One name for each thing done to every kind of handle. */
#ifdef __cplusplus
static inline void strata_close(strata *net)
{
	strata_net_close(net);
}
static inline void strata_close(strata_stream *stream)
{
	strata_stream_close(stream);
}
static inline void strata_close(strata_listener *listener)
{
	strata_listener_close(listener);
}
static inline void strata_close(strata_udp *udp)
{
	strata_udp_close(udp);
}
static inline void strata_set_timeout(strata_stream *stream, int64_t limit)
{
	strata_stream_set_timeout(stream, limit);
}
static inline void strata_set_timeout(strata_listener *listener, int64_t limit)
{
	strata_listener_set_timeout(listener, limit);
}
static inline void strata_set_timeout(strata_udp *udp, int64_t limit)
{
	strata_udp_set_timeout(udp, limit);
}
#else
#define strata_close(handle)                                                                       \
	_Generic((handle), struct strata *: strata_net_close,                                      \
		struct strata_stream *: strata_stream_close,                                       \
		struct strata_listener *: strata_listener_close,                                   \
		struct strata_udp *: strata_udp_close)(handle)
#define strata_set_timeout(handle, limit)                                                          \
	_Generic((handle), struct strata_stream *: strata_stream_set_timeout,                      \
		struct strata_listener *: strata_listener_set_timeout,                             \
		struct strata_udp *: strata_udp_set_timeout)(handle, limit)
#endif

#endif
