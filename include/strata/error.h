/*
 * Errors. A function that returns a number returns a value >= 0, or the
 * negative of one of these. A function that returns a pointer returns NULL;
 * strata_error then tells which, and strata_error_message says it in one line
 * with the particulars: what failed, why, and what to do where something can be
 * done.
 */
#ifndef STRATA_ERROR_H
#define STRATA_ERROR_H

#ifndef STRATA_API
#define STRATA_API __attribute__((visibility("default")))
#endif

#ifdef __cplusplus
extern "C" {
#endif

enum strata_error {
	STRATA_E_OK = 0,
	STRATA_E_AGAIN = 1,                /* would block: nothing to read, or no room to write */
	STRATA_E_ARGUMENT = 2,             /* invalid argument */
	STRATA_E_STATE = 3,                /* not possible in this state */
	STRATA_E_CLOSED = 4,               /* closed by this side */
	STRATA_E_MEMORY = 5,               /* out of configured memory */
	STRATA_E_TOO_MANY = 6,             /* too many open sockets or connections */
	STRATA_E_IN_USE = 7,               /* address and port already in use */
	STRATA_E_NO_ADDRESS = 8,           /* no such local address */
	STRATA_E_NO_PORT = 9,              /* no free local port */
	STRATA_E_NO_ROUTE = 10,            /* no route to the destination */
	STRATA_E_HOST_UNREACHABLE = 11,    /* next hop is silent, or a router said so */
	STRATA_E_NET_UNREACHABLE = 12,     /* a router said so */
	STRATA_E_PORT_UNREACHABLE = 13,    /* nobody listens on that UDP port */
	STRATA_E_PROTOCOL_UNREACHABLE = 14,
	/* RST in answer to SYN: nobody listens on that TCP port */
	STRATA_E_REFUSED = 15,
	STRATA_E_RESET = 16,               /* RST from the peer */
	STRATA_E_ABORTED = 17,             /* connection aborted */
	/* the time limit of the call, or the peer stayed silent */
	STRATA_E_TIMEOUT = 18,
	STRATA_E_TOO_BIG = 19,             /* message too big */
	STRATA_E_FAMILY = 20,              /* IPv4 where IPv6 is wanted, or the reverse */
	STRATA_E_NOT_FOUND = 21,           /* no such name, file or record */
	STRATA_E_MALFORMED = 22,           /* the peer's data breaks the rules of its protocol */
	STRATA_E_LIMIT = 23,               /* a limit that was set has been reached */
	STRATA_E_PERMISSION = 24,          /* the system does not allow it */
	STRATA_E_NO_DEVICE = 25,           /* no such device */
	STRATA_E_SYSTEM = 26,              /* operating system error */
	STRATA_E_DEADLOCK = 27,            /* simulated network: nothing can ever happen */
	STRATA_E_UNSUPPORTED = 28,         /* not supported */
};

/* "connection refused". Any number is allowed, negative ones too. Any thread, at any time. */
STRATA_API const char *strata_error_text(int error);
/* "REFUSED" */
STRATA_API const char *strata_error_name(int error);

/*
 * The error of the last call of this thread that failed; STRATA_E_OK before the first. Calls that
 * succeed leave it as it is. Any thread: each has its own.
 */
STRATA_API int strata_error(void); /* enum strata_error */
/* The same in one line, e.g. "tap0: permission denied: run as root, or give ...". Valid until this
 * thread's next call. */
STRATA_API const char *strata_error_message(void);

#ifdef __cplusplus
}
#endif
#endif
