/*
 * The numbers and memory layouts that Linux's socket calls use on 64-bit
 * machines, in our own words: the core may not include the system's headers, and
 * a program that speaks to us speaks Linux's dialect whatever it runs on. The
 * shared object for packetdrill compares every one of them with the system's.
 *
 * Each constant stands in one table, LINUX_CONSTANTS, so that a name in a script
 * finds its number (linux_constant) and a number its name in a message.
 */
#ifndef STRATA_POSIX_LINUX_ABI_H
#define STRATA_POSIX_LINUX_ABI_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* clang-format off */
#define LINUX_CONSTANTS(X) \
	/* families, kinds, protocols */ \
	X(AF_UNSPEC, 0) X(AF_INET, 2) X(AF_INET6, 10) X(PF_INET, 2) X(PF_INET6, 10) \
	X(SOCK_STREAM, 1) X(SOCK_DGRAM, 2) X(SOCK_NONBLOCK, 04000) X(SOCK_CLOEXEC, 02000000) \
	X(IPPROTO_IP, 0) X(IPPROTO_ICMP, 1) X(IPPROTO_TCP, 6) X(IPPROTO_UDP, 17) \
	X(IPPROTO_IPV6, 41) \
	/* levels */ \
	X(SOL_SOCKET, 1) X(SOL_IP, 0) X(SOL_TCP, 6) X(SOL_IPV6, 41) \
	/* SOL_SOCKET */ \
	X(SO_DEBUG, 1) X(SO_REUSEADDR, 2) X(SO_TYPE, 3) X(SO_ERROR, 4) X(SO_DONTROUTE, 5) \
	X(SO_BROADCAST, 6) X(SO_SNDBUF, 7) X(SO_RCVBUF, 8) X(SO_KEEPALIVE, 9) \
	X(SO_OOBINLINE, 10) X(SO_NO_CHECK, 11) X(SO_PRIORITY, 12) X(SO_LINGER, 13) \
	X(SO_REUSEPORT, 15) X(SO_RCVLOWAT, 18) X(SO_SNDLOWAT, 19) X(SO_RCVTIMEO, 20) \
	X(SO_SNDTIMEO, 21) X(SO_BINDTODEVICE, 25) X(SO_TIMESTAMP, 29) X(SO_ACCEPTCONN, 30) \
	X(SO_SNDBUFFORCE, 32) X(SO_RCVBUFFORCE, 33) X(SO_TIMESTAMPNS, 35) X(SO_MARK, 36) \
	X(SO_TIMESTAMPING, 37) X(SO_PROTOCOL, 38) X(SO_DOMAIN, 39) X(SO_BUSY_POLL, 46) \
	X(SO_MAX_PACING_RATE, 47) X(SO_INCOMING_CPU, 49) X(SO_ZEROCOPY, 60) X(SO_TXTIME, 61) \
	X(SO_MEMINFO, 55) X(SO_DETACH_FILTER, 27) X(SO_PEERNAME, 28) X(SO_BSDCOMPAT, 14) \
	X(SO_PASSCRED, 16) X(SO_RXQ_OVFL, 40) \
	X(SO_NOFCS, 43) X(SO_LOCK_FILTER, 44) X(SO_SELECT_ERR_QUEUE, 45) \
	/* SOL_TCP */ \
	X(TCP_NODELAY, 1) X(TCP_MAXSEG, 2) X(TCP_CORK, 3) X(TCP_KEEPIDLE, 4) \
	X(TCP_KEEPINTVL, 5) X(TCP_KEEPCNT, 6) X(TCP_SYNCNT, 7) X(TCP_LINGER2, 8) \
	X(TCP_DEFER_ACCEPT, 9) X(TCP_WINDOW_CLAMP, 10) X(TCP_INFO, 11) X(TCP_QUICKACK, 12) \
	X(TCP_CONGESTION, 13) X(TCP_MD5SIG, 14) X(TCP_THIN_LINEAR_TIMEOUTS, 16) \
	X(TCP_THIN_DUPACK, 17) X(TCP_USER_TIMEOUT, 18) X(TCP_REPAIR, 19) X(TCP_FASTOPEN, 23) \
	X(TCP_TIMESTAMP, 24) X(TCP_NOTSENT_LOWAT, 25) X(TCP_CC_INFO, 26) X(TCP_SAVE_SYN, 27) \
	X(TCP_SAVED_SYN, 28) X(TCP_FASTOPEN_CONNECT, 30) X(TCP_ULP, 31) \
	X(TCP_MD5SIG_EXT, 32) X(TCP_FASTOPEN_KEY, 33) X(TCP_FASTOPEN_NO_COOKIE, 34) \
	X(TCP_ZEROCOPY_RECEIVE, 35) X(TCP_INQ, 36) X(TCP_CM_INQ, 36) X(TCP_TX_DELAY, 37) \
	/* SOL_IP, SOL_IPV6 */ \
	X(IP_TOS, 1) X(IP_TTL, 2) X(IP_OPTIONS, 4) X(IP_PKTINFO, 8) X(IP_MTU_DISCOVER, 10) \
	X(IP_RECVERR, 11) X(IP_RECVTTL, 12) X(IP_RECVTOS, 13) X(IP_MTU, 14) \
	X(IP_FREEBIND, 15) X(IP_TRANSPARENT, 19) X(IP_MINTTL, 21) \
	X(IP_BIND_ADDRESS_NO_PORT, 24) X(IP_LOCAL_PORT_RANGE, 51) \
	X(IP_PMTUDISC_DONT, 0) X(IP_PMTUDISC_WANT, 1) X(IP_PMTUDISC_DO, 2) \
	X(IP_PMTUDISC_PROBE, 3) X(IP_PMTUDISC_INTERFACE, 4) X(IP_PMTUDISC_OMIT, 5) \
	X(IPV6_UNICAST_HOPS, 16) X(IPV6_MTU_DISCOVER, 23) X(IPV6_MTU, 24) \
	X(IPV6_RECVERR, 25) X(IPV6_V6ONLY, 26) X(IPV6_MINHOPCOUNT, 73) X(IPV6_TCLASS, 67) \
	X(IPV6_FREEBIND, 78) X(IPV6_FLOWINFO_SEND, 33) X(IPV6_RECVPKTINFO, 49) \
	X(IPV6_RECVHOPLIMIT, 51) X(IPV6_RECVTCLASS, 66) \
	/* messages */ \
	X(MSG_OOB, 1) X(MSG_PEEK, 2) X(MSG_DONTROUTE, 4) X(MSG_CTRUNC, 8) X(MSG_TRUNC, 0x20) \
	X(MSG_DONTWAIT, 0x40) X(MSG_EOR, 0x80) X(MSG_WAITALL, 0x100) X(MSG_FIN, 0x200) \
	X(MSG_SYN, 0x400) X(MSG_CONFIRM, 0x800) X(MSG_RST, 0x1000) X(MSG_ERRQUEUE, 0x2000) \
	X(MSG_NOSIGNAL, 0x4000) X(MSG_MORE, 0x8000) X(MSG_ZEROCOPY, 0x4000000) \
	X(MSG_FASTOPEN, 0x20000000) X(MSG_CMSG_CLOEXEC, 0x40000000) \
	X(SCM_TIMESTAMPING, 37) X(SCM_TSTAMP_SND, 0) X(SCM_TSTAMP_SCHED, 1) \
	X(SCM_TSTAMP_ACK, 2) \
	X(SO_EE_ORIGIN_NONE, 0) X(SO_EE_ORIGIN_LOCAL, 1) X(SO_EE_ORIGIN_ICMP, 2) \
	X(SO_EE_ORIGIN_ICMP6, 3) X(SO_EE_ORIGIN_TIMESTAMPING, 4) X(SO_EE_ORIGIN_ZEROCOPY, 5) \
	X(SO_EE_CODE_ZEROCOPY_COPIED, 1) \
	X(SOF_TIMESTAMPING_TX_HARDWARE, 1) X(SOF_TIMESTAMPING_TX_SOFTWARE, 2) \
	X(SOF_TIMESTAMPING_RX_HARDWARE, 4) X(SOF_TIMESTAMPING_RX_SOFTWARE, 8) \
	X(SOF_TIMESTAMPING_SOFTWARE, 16) X(SOF_TIMESTAMPING_SYS_HARDWARE, 32) \
	X(SOF_TIMESTAMPING_RAW_HARDWARE, 64) X(SOF_TIMESTAMPING_OPT_ID, 128) \
	X(SOF_TIMESTAMPING_TX_SCHED, 256) X(SOF_TIMESTAMPING_TX_ACK, 512) \
	X(SOF_TIMESTAMPING_OPT_CMSG, 1024) X(SOF_TIMESTAMPING_OPT_TSONLY, 2048) \
	/* descriptors */ \
	X(F_DUPFD, 0) X(F_GETFD, 1) X(F_SETFD, 2) X(F_GETFL, 3) X(F_SETFL, 4) \
	X(F_GETOWN, 9) X(O_RDONLY, 0) X(O_WRONLY, 1) X(O_RDWR, 2) X(O_NONBLOCK, 04000) \
	X(O_APPEND, 02000) X(FD_CLOEXEC, 1) \
	X(FIONREAD, 0x541b) X(SIOCINQ, 0x541b) X(SIOCOUTQ, 0x5411) X(TIOCOUTQ, 0x5411) \
	X(SIOCOUTQNSD, 0x894b) X(FIONBIO, 0x5421) X(SIOCATMARK, 0x8905) \
	X(SHUT_RD, 0) X(SHUT_WR, 1) X(SHUT_RDWR, 2) \
	X(POLLIN, 1) X(POLLPRI, 2) X(POLLOUT, 4) X(POLLERR, 8) X(POLLHUP, 0x10) \
	X(POLLNVAL, 0x20) X(POLLRDNORM, 0x40) X(POLLRDBAND, 0x80) X(POLLWRNORM, 0x100) \
	X(POLLWRBAND, 0x200) X(POLLRDHUP, 0x2000) \
	X(EPOLLIN, 1) X(EPOLLPRI, 2) X(EPOLLOUT, 4) X(EPOLLERR, 8) X(EPOLLHUP, 0x10) \
	X(EPOLLRDNORM, 0x40) X(EPOLLRDBAND, 0x80) X(EPOLLWRNORM, 0x100) \
	X(EPOLLWRBAND, 0x200) X(EPOLLRDHUP, 0x2000) X(EPOLLEXCLUSIVE, 0x10000000) \
	X(EPOLLWAKEUP, 0x20000000) X(EPOLLONESHOT, 0x40000000) X(EPOLLET, 0x80000000) \
	X(EPOLL_CTL_ADD, 1) X(EPOLL_CTL_DEL, 2) X(EPOLL_CTL_MOD, 3) \
	/* tcp_info */ \
	X(TCP_ESTABLISHED, 1) X(TCP_SYN_SENT, 2) X(TCP_SYN_RECV, 3) X(TCP_FIN_WAIT1, 4) \
	X(TCP_FIN_WAIT2, 5) X(TCP_TIME_WAIT, 6) X(TCP_CLOSE, 7) X(TCP_CLOSE_WAIT, 8) \
	X(TCP_LAST_ACK, 9) X(TCP_LISTEN, 10) X(TCP_CLOSING, 11) X(TCP_NEW_SYN_RECV, 12) \
	X(TCP_CA_Open, 0) X(TCP_CA_Disorder, 1) X(TCP_CA_CWR, 2) X(TCP_CA_Recovery, 3) \
	X(TCP_CA_Loss, 4) \
	X(TCPI_OPT_TIMESTAMPS, 1) X(TCPI_OPT_SACK, 2) X(TCPI_OPT_WSCALE, 4) \
	X(TCPI_OPT_ECN, 8) X(TCPI_OPT_ECN_SEEN, 16) X(TCPI_OPT_SYN_DATA, 32) \
	X(TCPI_OPT_USEC_TS, 64) X(TCP_INFINITE_SSTHRESH, 0x7fffffff)

#define LINUX_ERRORS(X) \
	X(EPERM, 1) X(ENOENT, 2) X(EINTR, 4) X(EIO, 5) X(EBADF, 9) X(EAGAIN, 11) \
	X(EWOULDBLOCK, 11) X(ENOMEM, 12) X(EACCES, 13) X(EFAULT, 14) X(EBUSY, 16) \
	X(EEXIST, 17) X(ENODEV, 19) X(EINVAL, 22) X(EMFILE, 24) X(ENOTTY, 25) X(ENOSPC, 28) \
	X(ESPIPE, 29) X(EPIPE, 32) X(EDOM, 33) X(ENAMETOOLONG, 36) X(ENOSYS, 38) \
	X(ENOMSG, 42) X(EPROTO, 71) X(EOVERFLOW, 75) X(ENOTSOCK, 88) X(EDESTADDRREQ, 89) \
	X(EMSGSIZE, 90) X(EPROTOTYPE, 91) X(ENOPROTOOPT, 92) X(EPROTONOSUPPORT, 93) \
	X(ESOCKTNOSUPPORT, 94) X(EOPNOTSUPP, 95) X(EAFNOSUPPORT, 97) X(EADDRINUSE, 98) \
	X(EADDRNOTAVAIL, 99) X(ENETDOWN, 100) X(ENETUNREACH, 101) X(ECONNABORTED, 103) \
	X(ECONNRESET, 104) X(ENOBUFS, 105) X(EISCONN, 106) X(ENOTCONN, 107) \
	X(ETIMEDOUT, 110) X(ECONNREFUSED, 111) X(EHOSTDOWN, 112) X(EHOSTUNREACH, 113) \
	X(EALREADY, 114) X(EINPROGRESS, 115)
/* clang-format on */

enum linux_constant {
#define LINUX_ENUM(name, number) LINUX_##name = (int)(number),
	LINUX_CONSTANTS(LINUX_ENUM) LINUX_ERRORS(LINUX_ENUM)
#undef LINUX_ENUM
};

/* The number that Linux gives to a name (an option, flag, level or errno). False: not known. */
bool linux_constant(const char *name, size_t len, int64_t *number);
/* "ECONNRESET" for 104; NULL for what is none of ours. */
const char *linux_error_name(int number);
/* As TCP_DEFER_ACCEPT counts: so many SYN-ACKs, at 1, 3, 7 ... s, cover the time; and back. */
int64_t linux_seconds_as_retries(int seconds);
int linux_retries_as_seconds(int64_t retries);

struct linux_iovec {
	void *base;
	size_t len;
};

struct linux_msghdr {
	void *name;
	uint32_t name_len;
	struct linux_iovec *iov;
	size_t iov_len;
	void *control;
	size_t control_len;
	int flags;
};
static_assert(sizeof(struct linux_msghdr) == 56, "as on every 64-bit Linux");

/* In msghdr.control: header, data, padding to 8 bytes. */
struct linux_cmsghdr {
	size_t len; /* header included */
	int level, type;
};
#define LINUX_CMSG_SPACE(len) (sizeof(struct linux_cmsghdr) + (((size_t)(len) + 7) & ~(size_t)7))

struct linux_pollfd {
	int fd;
	int16_t events, revents;
};

/* Packed on x86-64 only. */
struct linux_epoll_event {
	uint32_t events;
	uint64_t data;
}
#ifdef __x86_64__
__attribute__((packed))
#endif
;

/* What SO_MEMINFO tells: bytes, an array in this order. */
/* clang-format off */
#define LINUX_MEMINFO(X) \
	X(RMEM_ALLOC) X(RCVBUF) X(WMEM_ALLOC) X(SNDBUF) X(FWD_ALLOC) X(WMEM_QUEUED) X(OPTMEM) \
	X(BACKLOG) X(DROPS)
/* clang-format on */

enum linux_meminfo {
#define LINUX_ENUM(name) LINUX_SK_MEMINFO_##name,
	LINUX_MEMINFO(LINUX_ENUM) LINUX_SK_MEMINFO_VARS,
#undef LINUX_ENUM
};

/* What TCP_CC_INFO tells of BBR; of the others it tells nothing. */
struct linux_bbr_info {
	uint32_t bw_lo, bw_hi; /* bytes a second */
	uint32_t min_rtt;      /* microseconds */
	uint32_t pacing_gain, cwnd_gain;
};

struct linux_linger {
	int on, seconds;
};

struct linux_timeval {
	int64_t sec, usec;
};

struct linux_sockaddr_in {
	uint16_t family; /* host order */
	uint8_t port[2], address[4], zero[8];
};

struct linux_sockaddr_in6 {
	uint16_t family;
	uint8_t port[2], flow[4], address[16];
	uint32_t scope;
};

/* What a MSG_ERRQUEUE message carries. */
struct linux_extended_err {
	uint32_t error;
	uint8_t origin, type, code, pad;
	uint32_t info, data;
};

/* clang-format off */
/* struct tcp_info, field by field: type, name without "tcpi_". The bit fields of Linux stand in
 * `wscales` (snd | rcv << 4), `limited` (bit 0: the delivery rate is limited by the application;
 * bits 1-2: why Fast Open failed) and `accurate` (bits 0-1: ecn_mode; 2-3: accecn_opt_seen; 4-7:
 * accecn_fail_mode; the rest: options2). */
#define LINUX_TCP_INFO(X) \
	X(uint8_t, state) X(uint8_t, ca_state) X(uint8_t, retransmits) X(uint8_t, probes) \
	X(uint8_t, backoff) X(uint8_t, options) X(uint8_t, wscales) X(uint8_t, limited) \
	X(uint32_t, rto) X(uint32_t, ato) X(uint32_t, snd_mss) X(uint32_t, rcv_mss) \
	X(uint32_t, unacked) X(uint32_t, sacked) X(uint32_t, lost) X(uint32_t, retrans) \
	X(uint32_t, fackets) X(uint32_t, last_data_sent) X(uint32_t, last_ack_sent) \
	X(uint32_t, last_data_recv) X(uint32_t, last_ack_recv) X(uint32_t, pmtu) \
	X(uint32_t, rcv_ssthresh) X(uint32_t, rtt) X(uint32_t, rttvar) \
	X(uint32_t, snd_ssthresh) X(uint32_t, snd_cwnd) X(uint32_t, advmss) \
	X(uint32_t, reordering) X(uint32_t, rcv_rtt) X(uint32_t, rcv_space) \
	X(uint32_t, total_retrans) X(uint64_t, pacing_rate) X(uint64_t, max_pacing_rate) \
	X(uint64_t, bytes_acked) X(uint64_t, bytes_received) X(uint32_t, segs_out) \
	X(uint32_t, segs_in) X(uint32_t, notsent_bytes) X(uint32_t, min_rtt) \
	X(uint32_t, data_segs_in) X(uint32_t, data_segs_out) X(uint64_t, delivery_rate) \
	X(uint64_t, busy_time) X(uint64_t, rwnd_limited) X(uint64_t, sndbuf_limited) \
	X(uint32_t, delivered) X(uint32_t, delivered_ce) X(uint64_t, bytes_sent) \
	X(uint64_t, bytes_retrans) X(uint32_t, dsack_dups) X(uint32_t, reord_seen) \
	X(uint32_t, rcv_ooopack) X(uint32_t, snd_wnd) X(uint32_t, rcv_wnd) \
	X(uint32_t, rehash) X(uint16_t, total_rto) X(uint16_t, total_rto_recoveries) \
	X(uint32_t, total_rto_time) X(uint32_t, received_ce) X(uint32_t, delivered_e1_bytes) \
	X(uint32_t, delivered_e0_bytes) X(uint32_t, delivered_ce_bytes) \
	X(uint32_t, received_e1_bytes) X(uint32_t, received_e0_bytes) \
	X(uint32_t, received_ce_bytes) X(uint32_t, accurate)
/* clang-format on */

struct linux_tcp_info {
#define LINUX_FIELD(type, name) type name;
	LINUX_TCP_INFO(LINUX_FIELD)
#undef LINUX_FIELD
};
static_assert(offsetof(struct linux_tcp_info, rto) == 8, "as Linux lays it out");
static_assert(offsetof(struct linux_tcp_info, pacing_rate) == 104, "as Linux lays it out");
static_assert(offsetof(struct linux_tcp_info, total_rto_time) == 244, "as Linux lays it out");
static_assert(sizeof(struct linux_tcp_info) == 280, "as Linux lays it out");

/* The value of a field of tcp_info, by its name with or without "tcpi_"; bit fields are named as
 * in Linux (snd_wscale, rcv_wscale, delivery_rate_app_limited, fastopen_client_fail, ecn_mode,
 * accecn_opt_seen, accecn_fail_mode, options2). */
bool linux_tcp_info_value(
	const struct linux_tcp_info *i, const char *name, size_t len, uint64_t *value);
/* The same of SO_MEMINFO's array: "SK_MEMINFO_RCVBUF" and so on. */
bool linux_meminfo_value(
	const uint32_t info[LINUX_SK_MEMINFO_VARS], const char *name, size_t len, uint64_t *value);

#endif
