/*
 * Options of streams and listeners: the public numbers, which never change their
 * meaning, beside those of the sockets, which follow the code.
 */
#include "api/api_handles.h"

#define NO_OPTION SOCK_OPTIONS /* of a socket: it is set another way, or there is none */

static const uint8_t option_of[] = {
	[STRATA_OPTION_NODELAY] = SOCK_NODELAY,
	[STRATA_OPTION_CORK] = SOCK_CORK,
	[STRATA_OPTION_QUICK_ACK] = SOCK_QUICK_ACK,
	[STRATA_OPTION_KEEPALIVE] = SOCK_KEEPALIVE,
	[STRATA_OPTION_KEEPALIVE_IDLE] = SOCK_KEEP_IDLE,
	[STRATA_OPTION_KEEPALIVE_INTERVAL] = SOCK_KEEP_INTERVAL,
	[STRATA_OPTION_KEEPALIVE_PROBES] = SOCK_KEEP_PROBES,
	[STRATA_OPTION_USER_TIMEOUT] = SOCK_USER_TIMEOUT,
	[STRATA_OPTION_CONGESTION] = SOCK_CONGESTION,
	[STRATA_OPTION_SEND_BUFFER] = SOCK_SEND_BUFFER,
	[STRATA_OPTION_RECEIVE_BUFFER] = SOCK_RECEIVE_BUFFER,
	[STRATA_OPTION_UNSENT_LOW_WATER] = SOCK_UNSENT_MARK,
	[STRATA_OPTION_READ_LOW_WATER] = SOCK_READ_MARK,
	[STRATA_OPTION_WINDOW_CLAMP] = SOCK_WINDOW_CLAMP,
	[STRATA_OPTION_MAX_SEGMENT] = SOCK_MSS,
	[STRATA_OPTION_TRAFFIC_CLASS] = SOCK_TOS,
	[STRATA_OPTION_HOP_LIMIT] = SOCK_HOP_LIMIT,
	[STRATA_OPTION_DEFER_ACCEPT] = SOCK_DEFER_ACCEPT,
	[STRATA_OPTION_FAST_OPEN] = NO_OPTION,
	[STRATA_OPTION_ADVERTISED_TIMEOUT] = SOCK_ADVERTISED_TIMEOUT,
};

static unsigned known(enum strata_option option)
{
	bool is = (unsigned)option > 0 && (unsigned)option < sizeof option_of;
	return is ? option_of[option] : NO_OPTION;
}

static int set_option(struct handle *h, enum strata_option option, int64_t value)
{
	struct stack *s = net_enter(h ? h->net : NULL);
	if (!s)
		return -ERR_ARGUMENT;
	int r = -ERR_ARGUMENT;
	if (option == STRATA_OPTION_FAST_OPEN && value >= 0 && value <= UINT32_MAX)
		r = sock_set_fast_open(s, h->sock, (uint32_t)value);
	else if (known(option) != NO_OPTION)
		r = sock_set(s, h->sock, (enum sock_option)known(option), value);
	if (r < 0)
		api_fail((enum error) - r, "option %d: %lld is out of its range, or not of this "
			 "handle", (int)option, (long long)value);
	net_leave(h->net);
	return r < 0 ? r : 0;
}

static int64_t get_option(struct handle *h, enum strata_option option)
{
	struct stack *s = net_enter(h ? h->net : NULL);
	if (!s)
		return -ERR_ARGUMENT;
	int64_t r = -ERR_ARGUMENT;
	if (known(option) != NO_OPTION)
		r = sock_get(s, h->sock, (enum sock_option)known(option));
	if (r < 0)
		api_fail((enum error) - r, "option %d can't be asked for", (int)option);
	net_leave(h->net);
	return r;
}

int strata_stream_set(struct strata_stream *stream, enum strata_option option, int64_t value)
{
	return set_option(stream_handle(stream), option, value);
}

int64_t strata_stream_get(struct strata_stream *stream, enum strata_option option)
{
	return get_option(stream_handle(stream), option);
}

int strata_listener_set(struct strata_listener *listener, enum strata_option option, int64_t value)
{
	return set_option(listener_handle(listener), option, value);
}

int64_t strata_listener_get(struct strata_listener *listener, enum strata_option option)
{
	return get_option(listener_handle(listener), option);
}
