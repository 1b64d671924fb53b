/*
 * What the files of posix/ share: the host, its descriptors, and the small
 * functions between them. A descriptor's record (struct file) holds what Linux
 * keeps in its socket beside the TCP connection: options set before there is a
 * connection, errors that were told, what waits for room, the send queue as Linux
 * counts it.
 */
#ifndef STRATA_POSIX_POSIX_FILE_H
#define STRATA_POSIX_POSIX_FILE_H

#include "posix/posix.h"

#define SOMAXCONN      4096  /* Linux's: the longest queue that a listener may ask for */
#define POSIX_DEVICE   "tun0" /* as packetdrill calls its interface elsewhere */
#define POSIX_INERT    27    /* options that are kept and change nothing */
#define POSIX_NOTES    16    /* messages in one error queue */
#define POSIX_RECORDS  16    /* sends that wait to be acknowledged before they are told of */
#define POSIX_WATCHED  32    /* descriptors in one epoll */
#define POSIX_PIPE     65536 /* bytes in one pipe */
#define POSIX_PIPES    2

enum file_kind {
	FILE_FREE,
	FILE_SOCKET,
	FILE_EPOLL,
	FILE_PIPE_READ,
	FILE_PIPE_WRITE,
};

enum socket_stage {
	STAGE_NEW, /* made, perhaps bound */
	STAGE_LISTEN,
	STAGE_STREAM, /* has a connection, in whatever state */
};

/* A message in the error queue: an extended error, and for time stamps the time. */
struct note {
	struct linux_extended_err error;
	nanotime time;
	bool stamped, with_data;
};

/* A send that somebody wants to hear of. */
struct record {
	uint64_t end;    /* offset behind its last byte */
	uint32_t id;     /* zero-copy: its number */
	uint32_t stamps; /* SOF_TIMESTAMPING_TX_*: what is still to be told */
	bool zero_copy;
};

struct watched {
	int number;      /* 0: free (no descriptor of ours is 0) */
	uint32_t events; /* as asked for, with EPOLLET and EPOLLONESHOT */
	uint64_t data;
	bool ready;    /* something happened since it was last reported */
	bool disabled; /* one shot was reported */
};

struct send_queue {
	uint64_t written; /* bytes taken from the application so far */
	uint64_t tail;    /* offset at which the last, not yet full piece begins */
	uint64_t pushed;  /* written up to here when it was last told to go */
	bool no_space;    /* somebody was refused and waits to hear of room */
	bool tail_closed; /* MSG_EOR: nothing is added to the last piece */
};

/* What posix_watch compares, to see that something happened. */
struct seen {
	uint64_t received;
	uint32_t unread, waiting;
	uint32_t events;
};

struct file {
	int number;
	uint8_t kind; /* enum file_kind */
	int flags;    /* O_RDWR, O_NONBLOCK, O_APPEND */
	bool close_on_exec;
	/* sockets */
	uint8_t stage; /* enum socket_stage */
	bool v6;       /* AF_INET6 */
	bool datagram; /* UDP: stays in STAGE_NEW */
	bool v6_only;
	sock_id id;
	struct addr local;
	uint16_t port;
	bool bound;
	bool connecting;   /* a connect was begun and its outcome not told yet */
	bool connected;    /* it was told */
	bool connect_owed; /* a connect that did not wait has not been told */
	bool accepted;     /* from a listener */
	bool error_told;   /* the connection's end was reported by one call */
	int pending_error; /* of a connection that is gone: for SO_ERROR */
	bool read_shut, write_shut;
	bool reuse_address, reuse_port, linger, inq, zero_copy, quick_ack_off;
	bool oob_inline;       /* SO_OOBINLINE */
	struct oob {           /* urgent data: oob.c */
		uint64_t mark; /* bytes of the stream up to it; 0: none */
		uint8_t byte;  /* the last of the urgent ones, once it has come */
		bool come, read;
	} oob;
	uint64_t consumed;                /* bytes that left the stream for the program */
	bool send_locked, receive_locked; /* SO_SNDBUF, SO_RCVBUF: no autotuning */
	bool more;                        /* the last send had MSG_MORE: a short segment waits */
	bool corked;
	bool recv_error; /* IP_RECVERR */
	int mtu_discover;
	int fast_open;             /* TCP_FASTOPEN: queue length */
	uint8_t fast_open_key[32]; /* TCP_FASTOPEN_KEY: one of 16 bytes, or two, the older last */
	uint32_t fast_open_key_len;
	bool fast_open_connect, fast_open_no_cookie;
	bool deferred; /* Fast Open: the SYN waits for the first write */
	uint32_t backlog; /* as asked for, at most SOMAXCONN */
	int linger_seconds;
	int defer_seconds;
	int linger2;
	bool device_bound;
	uint32_t port_range; /* IP_LOCAL_PORT_RANGE: least port | most << 16; 0: the configured */
	uint32_t unsent_low; /* TCP_NOTSENT_LOWAT; 0: sysctl's */
	int read_low;
	uint32_t stamping;                    /* SO_TIMESTAMPING */
	uint64_t stamp_base;                  /* keys count from here */
	nanodiff read_timeout, write_timeout; /* 0: none */
	uint32_t send_buffer, receive_buffer; /* as Linux counts: twice what was asked */
	uint64_t pacing_most;                 /* SO_MAX_PACING_RATE: bytes/s; UINT64_MAX: none */
	int64_t option[SOCK_OPTIONS];
	int inert[POSIX_INERT]; /* what options that change nothing were set to */
	uint32_t options_set;         /* bit by enum sock_option */
	struct send_queue queue;
	struct seen seen;
	nanotime connected_at;
	/* time spent, for tcp_info */
	nanodiff busy, window_limited, buffer_limited;
	struct note note[POSIX_NOTES];
	unsigned notes;
	struct record record[POSIX_RECORDS];
	unsigned records;
	uint32_t zero_copies; /* number of the next send */
	/* epoll */
	struct watched *watched; /* POSIX_WATCHED of them, belong to the slot */
	unsigned watched_next;   /* where the next report begins: everybody's turn comes */
	/* pipes: the two ends name each other; the reading end's record holds the bytes */
	int other;
	uint8_t pipe; /* which buffer */
	uint32_t pipe_head, pipe_filled;
};

/* Settings that change no config of the stack, but what calls do. */
struct sysctls {
	int64_t wmem[3], rmem[3];
	int64_t unsent_low;
	int64_t reuse, reuse_delay; /* of TIME-WAIT: 0 never, 1 after so many ms, 2 over loopback */
	int64_t told_timeout; /* seconds: RFC 5482's ADV_UTO of all sockets; 0: none */
};

/* The datagram that was taken off a queue to be looked at, and not read yet: one for all. */
struct udp_held {
	int owner; /* descriptor; 0: none */
	uint32_t len;
	struct sock_datagram about;
	uint8_t bytes[POSIX_DATAGRAM_MAX];
};

struct posix {
	struct stack *stack;
	struct netif *nif;
	struct posix_config config;
	nanotime now;
	struct sysctls sysctl;
	struct file *file;
	struct list waiting; /* calls */
	uint8_t *pipe_bytes; /* POSIX_PIPES buffers */
	bool pipe_used[POSIX_PIPES];
	uint8_t *box; /* a ring of what left: header, datagram */
	uint32_t box_head, box_used;
	uint32_t unknown; /* sysctl names */
	uint16_t next_port;
	struct udp_held held;
};

/* posix.c */
/* What happened since it was last looked at: wakes who waits for it, tells who asked. */
void posix_look(struct posix *p);
/* Lets the stack send what it has to send, then looks. */
void posix_flush(struct posix *p);

/* descriptor.c */
struct file *file_find(const struct posix *p, int fd);
/* A socket, or NULL and *error = -EBADF or -ENOTSOCK. */
struct file *file_socket(const struct posix *p, int fd, int64_t *error);
struct file *file_new(struct posix *p, enum file_kind kind);
void file_free(struct posix *p, struct file *f);
int posix_errno(enum error e);

/* stream.c */
/* Gives a new connection or listener the options that were set before it was there. */
void socket_apply_options(struct posix *p, struct file *f);
void socket_adopt_defaults(struct posix *p, struct file *f);
/* The error that killed the connection, told once; 0: none, or told already. */
int socket_take_error(struct posix *p, struct file *f);
bool socket_dead(struct posix *p, const struct file *f);
/* Begins a connection; `fast`: with Fast Open. 0 or -errno. */
int64_t socket_connect(
	struct posix *p, struct file *f, const struct addr *remote, uint16_t port, bool fast);
/* -EINPROGRESS while the handshake runs, 0, or -errno (told once). */
int64_t socket_connect_outcome(struct posix *p, struct file *f);
/* Tells a listener its Fast Open keys. */
void socket_apply_keys(struct posix *p, struct file *f);
int64_t sockaddr_parse(const struct file *f, const void *sockaddr, uint32_t len,
	struct addr *address, uint16_t *port);
void sockaddr_emit(const struct file *f, const struct addr *address, uint16_t port, void *sockaddr,
	uint32_t *len);

/* udp_socket.c */
/* Makes the endpoint where there is none yet. 0 or -errno. */
int64_t udp_open(struct posix *p, struct file *f);
int64_t udp_connect(struct posix *p, struct file *f, const void *sockaddr, uint32_t len);
int64_t udp_read_try(struct posix *p, struct file *f, struct posix_call *c);
int64_t udp_write_try(struct posix *p, struct file *f, struct posix_call *c);
uint32_t udp_mask(struct posix *p, struct file *f);
void udp_close(struct posix *p, struct file *f);

/* send_queue.c: room as Linux counts it */
bool send_has_room(struct posix *p, const struct file *f, bool wake);
bool send_is_writable(struct posix *p, const struct file *f);
/* Takes up to `len` bytes; sets no_space where not all. Bytes, or -errno. */
/* oob.c: urgent data. How many bytes may be read now: reads stop in front of the urgent byte. */
size_t oob_room(struct posix *p, struct file *f, bool something_read);
/* Of so many unread bytes, those before the urgent one. */
uint32_t oob_before(struct posix *p, struct file *f, uint32_t unread);
bool oob_at_mark(struct posix *p, struct file *f);
/* Is there an urgent byte that nobody has read? Is it all that could be read? */
bool oob_waits(struct posix *p, struct file *f);
bool oob_alone(struct posix *p, struct file *f);
/* MSG_OOB */
int64_t oob_read(struct posix *p, struct file *f, uint8_t *to, size_t room, int flags);
int64_t send_take(struct posix *p, struct file *f, const uint8_t *from, size_t len, int flags);
/* Bytes of the send buffer that are in use, as Linux counts them. */
uint64_t send_memory(const struct file *f, const struct sock_tcp_info *i);
void send_progress(struct posix *p, struct file *f, const struct sock_tcp_info *i);

/* note.c: the error queue */
void note_sent(struct posix *p, struct file *f, uint64_t from, int flags);
void note_progress(struct posix *p, struct file *f, const struct sock_tcp_info *i);
void note_all_done(struct posix *p, struct file *f);
int64_t note_receive(struct file *f, struct linux_msghdr *msg);

/* Which parts of Fast Open are on: enum fast_open_flag. */
static inline unsigned posix_fast_open(const struct posix *p)
{
	return transport_settings(stack_transport(p->stack))->fast_open;
}

/* readiness.c */
uint32_t file_mask(struct posix *p, struct file *f);
/* Everybody who watches this descriptor learns that something happened. */
void watched_wake(struct posix *p, const struct file *f);
void watched_forget(struct posix *p, int number);

/* transfer.c, readiness.c, stream.c, descriptor.c: one attempt of a waiting call */
int64_t accept_try(struct posix *p, struct posix_call *c);
int64_t connect_try(struct posix *p, struct posix_call *c);
int64_t read_try(struct posix *p, struct posix_call *c);
int64_t write_try(struct posix *p, struct posix_call *c);
int64_t poll_try(struct posix *p, struct posix_call *c);
int64_t epoll_try(struct posix *p, struct posix_call *c);
int64_t close_try(struct posix *p, struct posix_call *c);

enum call_kind {
	CALL_NONE,
	CALL_ACCEPT,
	CALL_CONNECT,
	CALL_READ,
	CALL_WRITE,
	CALL_POLL,
	CALL_EPOLL,
	CALL_CLOSE,
};

/* Runs a call for the first time; `keep` NULL: it does not wait. */
int64_t call_begin(struct posix *p, struct posix_call *keep, struct posix_call *call);
/* Those who wait to write until a handshake is done write before its ACK goes: it goes along with
 * their data, as in Linux, and ACKs are delayed from then on. */
void call_writers(struct posix *p);
/* May this call wait? False: it must answer now. */
bool call_may_wait(const struct posix *p, const struct posix_call *c);

/* tcp_info.c */
void tcp_info_fill(struct posix *p, struct file *f, struct linux_tcp_info *out);
void meminfo_fill(struct posix *p, const struct file *f, uint32_t out[LINUX_SK_MEMINFO_VARS]);
/* Bytes of *out that TCP_CC_INFO has to tell: 0 for all but BBR. */
uint32_t cc_info_fill(struct posix *p, const struct file *f, struct linux_bbr_info *out);
/* inert_option.c */
/* Where the value of such an option is kept; NULL: it is another. */
const int *option_inert(const struct file *f, int level, int name);
int64_t option_set_inert(struct file *f, int level, int name, int n);
/* SO_BINDTODEVICE: there is one interface, and an empty name is any. */
int64_t option_set_device(struct file *f, const char *name, uint32_t len);
/* sysctl.c */
void sysctl_defaults(struct posix *p);
void sysctl_stack_config(struct stack_config *c);
/* pipe.c */
int64_t pipe_read(struct posix *p, struct file *f, void *to, size_t len);
int64_t pipe_write(struct posix *p, struct file *f, const void *from, size_t len);

#endif
