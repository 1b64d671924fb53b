/*
 * A script's calls on a host: descriptors by the script's numbers, arguments in
 * Linux's layouts, results and what a call filled in held against the script.
 */
#ifndef STRATA_DRILL_CALL_H
#define STRATA_DRILL_CALL_H

#include "drill/drill_script.h"
#include "posix/posix.h"

#define DRILL_DESCRIPTORS 256                /* a script's numbers: 0 .. 255 */
#define DRILL_BUFFER      (4u * 1024 * 1024) /* the most that one call may move */
#define DRILL_VECTOR      64                 /* pieces of a message, descriptors polled */

struct drill_host {
	struct posix *posix;
	bool ip6;
	bool mapped; /* sockets of IPv6 with IPv4 beneath: addresses ::ffff:A */
	struct addr local, remote;
	nanotime start;                    /* of the script, on the host's clock */
	nanotime tolerance;                /* of times that a call reports */
	int descriptor[DRILL_DESCRIPTORS]; /* the host's number, or -1 */
	int current;      /* the script's number of the socket that code looks at; -1: none */
	bool listening;   /* a call to listen came since the last new flow */
	bool opening;     /* a call may have opened a connection whose SYN was not seen yet */
	uint8_t *zeroes;  /* DRILL_BUFFER bytes that calls write from, and ... */
	uint8_t *scratch; /* ... read to */
};

/* One call under way, with all memory that it names. */
struct drill_running {
	const struct drill_call *call;
	unsigned line;
	struct posix_call state;
	int fd; /* of the script */
	bool waits;
	int64_t result;
	/* What calls fill in */
	union {
		struct linux_sockaddr_in in;
		struct linux_sockaddr_in6 in6;
	} address;
	uint32_t address_len;
	uint8_t value[256]; /* of a socket option; of ioctl */
	uint32_t value_len;
	int pair[2];
	struct linux_iovec iov[DRILL_VECTOR];
	struct linux_msghdr message;
	_Alignas(8) uint8_t control[1024];
	struct linux_pollfd poll[DRILL_VECTOR];
	struct linux_epoll_event events[DRILL_VECTOR];
	struct drill_problem *problem;
};

/*
 * Begins a call. False: the call makes no sense (`p` says why). Else either `waits` is true, and
 * drill_call_retry goes on until it is not, or `result` holds what came, and drill_call_check
 * compares.
 */
bool drill_call_begin(struct drill_host *h, const struct drill_call *c, unsigned line,
	struct drill_running *r, struct drill_problem *p);
void drill_call_retry(struct drill_host *h, struct drill_running *r);
bool drill_call_check(struct drill_host *h, struct drill_running *r, struct drill_problem *p);

/* The parts. */
struct drill_expr *drill_argument(const struct drill_call *c, unsigned index);
struct drill_expr *drill_field(const struct drill_expr *e, const char *name);
bool drill_call_fail(struct drill_running *r, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* A number, in any of the forms that stand for one; false and a problem where it is none. */
bool drill_number_of(struct drill_running *r, const struct drill_expr *e, int64_t *value);
int drill_live(const struct drill_host *h, int64_t script);
/* msghdr, its pieces and its control data; out (`sends`) or in. */
bool drill_message_begin(
	struct drill_host *h, struct drill_running *r, const struct drill_expr *e, bool sends);
bool drill_message_check(struct drill_host *h, struct drill_running *r, const struct drill_expr *e);
/* An address, or the default where the script writes "..." */
bool drill_address(struct drill_host *h, struct drill_running *r, const struct drill_expr *e,
	const struct addr *otherwise, uint16_t port);

bool drill_length_of(struct drill_running *r, unsigned index, size_t *len);
bool drill_flags_of(struct drill_running *r, unsigned index, int *flags);

/* How each call begins: `live` is the host's number of the first argument. */
#define DRILL_BEGIN(name) \
	bool drill_begin_##name(struct drill_host *h, struct drill_running *r, int live)
DRILL_BEGIN(socket);
DRILL_BEGIN(bind);
DRILL_BEGIN(listen);
DRILL_BEGIN(accept);
DRILL_BEGIN(connect);
DRILL_BEGIN(read);
DRILL_BEGIN(recv);
DRILL_BEGIN(recvfrom);
DRILL_BEGIN(write);
DRILL_BEGIN(send);
DRILL_BEGIN(sendto);
DRILL_BEGIN(sendmsg);
DRILL_BEGIN(recvmsg);
DRILL_BEGIN(vector);
DRILL_BEGIN(close);
DRILL_BEGIN(shutdown);
DRILL_BEGIN(fcntl);
DRILL_BEGIN(ioctl);
DRILL_BEGIN(setsockopt);
DRILL_BEGIN(getsockopt);
DRILL_BEGIN(name);
DRILL_BEGIN(poll);
DRILL_BEGIN(epoll_create);
DRILL_BEGIN(epoll_ctl);
DRILL_BEGIN(epoll_wait);
DRILL_BEGIN(pipe);
DRILL_BEGIN(splice);
#undef DRILL_BEGIN

#endif
