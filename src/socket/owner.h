/*
 * How a handle finds its owner record. Private to socket/.
 */
#ifndef STRATA_SOCKET_OWNER_H
#define STRATA_SOCKET_OWNER_H

#include "socket/socket.h"
#include "transport/endpoints.h"

enum sock_kind {
	SOCK_FREE,
	SOCK_LISTENER,
	SOCK_STREAM,
	SOCK_DATAGRAM,
};

/* The owner record of a live handle and its number, or NULL. */
struct endpoint_owner *sock_owner(struct transport *t, sock_id id, uint32_t *number);

#endif
