/*
 * Errors that a call reports to its caller (a packet's end has a drop reason
 * instead). Core functions return a value >= 0, or -(enum error). The public
 * API shows the same numbers under the names STRATA_E_*.
 */
#ifndef STRATA_BASE_ERROR_H
#define STRATA_BASE_ERROR_H

#define ERRORS(X)                                                                                  \
	X(OK, "no error")                                                                          \
	X(AGAIN, "would block")                                                                    \
	X(ARGUMENT, "invalid argument")                                                            \
	X(STATE, "not possible in this state")                                                     \
	X(CLOSED, "closed")                                                                        \
	X(MEMORY, "out of configured memory")                                                      \
	X(TOO_MANY, "too many open sockets or connections")                                        \
	X(IN_USE, "address and port already in use")                                               \
	X(NO_ADDRESS, "no such local address")                                                     \
	X(NO_PORT, "no free local port")                                                           \
	X(NO_ROUTE, "no route to the destination")                                                 \
	X(HOST_UNREACHABLE, "host unreachable")                                                    \
	X(NET_UNREACHABLE, "network unreachable")                                                  \
	X(PORT_UNREACHABLE, "port unreachable")                                                    \
	X(PROTOCOL_UNREACHABLE, "protocol unreachable")                                            \
	X(REFUSED, "connection refused")                                                           \
	X(RESET, "connection reset by peer")                                                       \
	X(ABORTED, "connection aborted")                                                           \
	X(TIMEOUT, "timed out")                                                                    \
	X(TOO_BIG, "message too big")                                                              \
	X(FAMILY, "address family does not fit")                                                   \
	X(NOT_FOUND, "not found")                                                                  \
	X(MALFORMED, "malformed data")                                                             \
	X(LIMIT, "configured limit reached")                                                       \
	X(PERMISSION, "permission denied")                                                         \
	X(NO_DEVICE, "no such device")                                                             \
	X(SYSTEM, "operating system error")                                                        \
	X(DEADLOCK, "nothing can ever happen")                                                     \
	X(UNSUPPORTED, "not supported")

enum error {
#define ERROR_ENUM(name, text) ERR_##name,
	ERRORS(ERROR_ENUM)
#undef ERROR_ENUM
	ERR_COUNT
};

const char *error_text(enum error e); /* "connection refused" */
const char *error_name(enum error e); /* "REFUSED" */

#endif
