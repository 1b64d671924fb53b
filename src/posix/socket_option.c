/*
 * getsockopt and setsockopt with Linux's numbers, ranges and error numbers. What TCP
 * must know goes to the connection (or waits until there is one); the rest is kept in
 * the descriptor's record.
 */
#include "posix/posix_file.h"

#include "transport/congestion/congestion.h"

#define SNDBUF_MIN 4608 /* Linux's SOCK_MIN_SNDBUF and SOCK_MIN_RCVBUF */
#define RCVBUF_MIN 2304
#define BUFFER_MAX (64 << 20)
#define HOPS       64
#define MSS_MIN    88 /* Linux's TCP_MIN_MSS and TCP_FIN_TIMEOUT_MAX */
#define LINGER_MAX 120

/* Options that are one number of the connection's. */
static const struct plain {
	int level, name;
	enum sock_option option;
	int64_t unit; /* nanoseconds, where it is a time */
	int least, most;
} plain[] = {
	{ LINUX_SOL_TCP, LINUX_TCP_NODELAY, SOCK_NODELAY, 1, INT32_MIN, INT32_MAX },
	{ LINUX_SOL_SOCKET, LINUX_SO_KEEPALIVE, SOCK_KEEPALIVE, 1, INT32_MIN, INT32_MAX },
	{ LINUX_SOL_TCP, LINUX_TCP_KEEPIDLE, SOCK_KEEP_IDLE, NANO_S, 1, 32767 },
	{ LINUX_SOL_TCP, LINUX_TCP_KEEPINTVL, SOCK_KEEP_INTERVAL, NANO_S, 1, 32767 },
	{ LINUX_SOL_TCP, LINUX_TCP_KEEPCNT, SOCK_KEEP_PROBES, 1, 1, 127 },
	{ LINUX_SOL_TCP, LINUX_TCP_SYNCNT, SOCK_SYN_RETRIES, 1, 1, 127 },
	{ LINUX_SOL_TCP, LINUX_TCP_SAVE_SYN, SOCK_SAVE_SYN, 1, 0, 2 },
	{ LINUX_SOL_TCP, LINUX_TCP_USER_TIMEOUT, SOCK_USER_TIMEOUT, NANO_MS, 0, INT32_MAX },
	{ LINUX_SOL_IP, LINUX_IP_TOS, SOCK_TOS, 1, INT32_MIN, INT32_MAX },
	{ LINUX_SOL_IP, LINUX_IP_TTL, SOCK_HOP_LIMIT, 1, 1, 255 },
	{ LINUX_SOL_IPV6, LINUX_IPV6_TCLASS, SOCK_TOS, 1, 0, 255 },
	{ LINUX_SOL_IPV6, LINUX_IPV6_UNICAST_HOPS, SOCK_HOP_LIMIT, 1, 0, 255 },
};

static const struct plain *find_plain(int level, int name)
{
	for (size_t i = 0; i < sizeof plain / sizeof *plain; i++)
		if (plain[i].level == level && plain[i].name == name)
			return &plain[i];
	return NULL;
}

/* Does a socket of this kind have options of that level? */
static bool has_level(const struct file *f, int level)
{
	switch (level) {
	case LINUX_SOL_SOCKET:
	case LINUX_SOL_IP: return true;
	case LINUX_SOL_IPV6: return f->v6;
	case LINUX_SOL_TCP: return !f->datagram;
	default: return false;
	}
}

static int64_t remember(struct posix *p, struct file *f, enum sock_option option, int64_t value)
{
	f->option[option] = value;
	f->options_set |= 1u << option;
	if (f->id && sock_set(p->stack, f->id, option, value) != 0)
		return -LINUX_EINVAL;
	posix_flush(p);
	return 0;
}

/* IP options are one byte or an int. */
static bool get_int(int level, const void *value, uint32_t len, int *out)
{
	*out = 0;
	if (len >= sizeof *out)
		memcpy(out, value, sizeof *out);
	else if (level != LINUX_SOL_IP)
		return false;
	else if (len)
		*out = *(const uint8_t *)value;
	return true; /* none at all is 0 */
}

static int64_t set_buffer(struct posix *p, struct file *f, bool send, int asked)
{
	int64_t most = send ? p->sysctl.wmem[2] : p->sysctl.rmem[2];
	int64_t bytes = asked < 0 || asked > BUFFER_MAX ? BUFFER_MAX : asked;
	if (bytes > most)
		bytes = most;
	bytes *= 2; /* room for bookkeeping, as Linux has it */
	int64_t least = send ? SNDBUF_MIN : RCVBUF_MIN;
	if (bytes < least)
		bytes = least;
	if (send) {
		f->send_buffer = (uint32_t)bytes;
		f->send_locked = true;
		return 0;
	}
	f->receive_buffer = (uint32_t)bytes;
	f->receive_locked = true;
	return f->id ? remember(p, f, SOCK_RECEIVE_BUFFER, bytes / 2) : 0;
}

/* No more than half of the buffer, or who waits for it would wait for ever. */
static void set_read_low(struct posix *p, struct file *f, int asked)
{
	int64_t most = (f->receive_locked ? f->receive_buffer : p->sysctl.rmem[2]) / 2;
	int64_t low = asked < 0 ? INT32_MAX : asked;
	if (low > most)
		low = most;
	f->read_low = low ? (int)low : 1;
}

static int64_t set_time(nanodiff *to, const void *value, uint32_t len)
{
	struct linux_timeval tv;
	if (len < sizeof tv)
		return -LINUX_EINVAL;
	memcpy(&tv, value, sizeof tv);
	if (tv.usec < 0 || tv.usec >= 1000000 || tv.sec > INT32_MAX)
		return -LINUX_EDOM;
	*to = tv.sec < 0 ? 1 : tv.sec * NANO_S + tv.usec * NANO_US;
	return 0;
}

static int64_t set_linger(struct file *f, const void *value, uint32_t len)
{
	struct linux_linger l;
	if (len < sizeof l)
		return -LINUX_EINVAL;
	memcpy(&l, value, sizeof l);
	f->linger = l.on != 0;
	f->linger_seconds = l.seconds < 0 || l.seconds > 100000 ? 100000 : l.seconds;
	return 0;
}

/* 32 or 64 bits, of which all ones are no bound; who has had one stays paced, as in Linux. Nothing
 * is sent at no bytes a second: such a bound is told, and not kept. */
static int64_t set_pacing(struct posix *p, struct file *f, const void *value, uint32_t len)
{
	uint32_t narrow;
	uint64_t most;
	if (len < sizeof narrow)
		return -LINUX_EINVAL;
	memcpy(&narrow, value, sizeof narrow);
	most = narrow == UINT32_MAX ? UINT64_MAX : narrow;
	if (len >= sizeof most)
		memcpy(&most, value, sizeof most);
	f->pacing_most = most;
	if (most == UINT64_MAX && !(f->options_set & 1u << SOCK_PACING_MOST))
		return 0;
	return remember(p, f, SOCK_PACING_MOST, most < INT64_MAX ? (int64_t)most : INT64_MAX);
}

static int64_t set_socket_level(struct posix *p, struct file *f, int name, int n)
{
	switch (name) {
	case LINUX_SO_REUSEADDR: f->reuse_address = n != 0; return 0;
	case LINUX_SO_REUSEPORT: f->reuse_port = n != 0; return 0;
	case LINUX_SO_OOBINLINE: f->oob_inline = n != 0; return 0;
	case LINUX_SO_SNDBUF:
	case LINUX_SO_SNDBUFFORCE: return set_buffer(p, f, true, n);
	case LINUX_SO_RCVBUF:
	case LINUX_SO_RCVBUFFORCE: return set_buffer(p, f, false, n);
	case LINUX_SO_RCVLOWAT: set_read_low(p, f, n); return 0;
	case LINUX_SO_DETACH_FILTER: return -LINUX_ENOENT; /* nobody attaches one */
	case LINUX_SO_PASSCRED: return -LINUX_EOPNOTSUPP;
	case LINUX_SO_ZEROCOPY:
		if (n < 0 || n > 1)
			return -LINUX_EINVAL;
		f->zero_copy = n != 0;
		return 0;
	case LINUX_SO_TIMESTAMPING:
		if (n & LINUX_SOF_TIMESTAMPING_OPT_ID &&
			!(f->stamping & LINUX_SOF_TIMESTAMPING_OPT_ID)) {
			struct sock_tcp_info i = { 0 };
			if (f->stage != STAGE_STREAM && !f->datagram)
				return -LINUX_EINVAL;
			sock_tcp_info(p->stack, f->id, &i);
			f->stamp_base = f->queue.written - i.unsent - i.unacked;
		}
		f->stamping = (uint32_t)n;
		return 0;
	default: return -LINUX_ENOPROTOOPT;
	}
}

static int64_t set_fin_wait2(struct posix *p, struct file *f, int n)
{
	f->linger2 = n < 0 ? -1 : n > LINGER_MAX ? LINGER_MAX : n;
	/* below zero: it does not wait there at all */
	return remember(p, f, SOCK_FIN_WAIT2, n < 0 ? 1 : f->linger2 * NANO_S);
}

static int64_t set_tcp_level(struct posix *p, struct file *f, int name, int n)
{
	switch (name) {
	case LINUX_TCP_MAXSEG:
		if (n && (n < MSS_MIN || n > 32767))
			return -LINUX_EINVAL;
		return remember(p, f, SOCK_MSS, n);
	case LINUX_TCP_CORK:
		f->corked = n != 0;
		return remember(p, f, SOCK_CORK, f->corked || f->more);
	case LINUX_TCP_LINGER2: return set_fin_wait2(p, f, n);
	case LINUX_TCP_DEFER_ACCEPT:
		f->defer_seconds = n < 0 ? 0 : n;
		return remember(p, f, SOCK_DEFER_ACCEPT,
			linux_seconds_as_retries(f->defer_seconds));
	case LINUX_TCP_WINDOW_CLAMP:
		if (n <= 0)
			return f->stage == STAGE_STREAM ? -LINUX_EINVAL
							: remember(p, f, SOCK_WINDOW_CLAMP, 0);
		return remember(p, f, SOCK_WINDOW_CLAMP, n < RCVBUF_MIN / 2 ? RCVBUF_MIN / 2 : n);
	case LINUX_TCP_QUICKACK:
		f->quick_ack_off = !n;
		if (f->stage == STAGE_STREAM)
			sock_set(p->stack, f->id, SOCK_QUICK_ACK, n != 0);
		posix_flush(p);
		return 0;
	case LINUX_TCP_NOTSENT_LOWAT:
		f->unsent_low = (uint32_t)n;
		posix_look(p);
		return 0;
	case LINUX_TCP_INQ:
		if (n < 0 || n > 1)
			return -LINUX_EINVAL;
		f->inq = n != 0;
		return 0;
	case LINUX_TCP_REPAIR: /* for who may do anything to the machine's connections */
	case LINUX_TCP_TIMESTAMP: return -LINUX_EPERM;
	case LINUX_TCP_FASTOPEN:
		if (n < 0 || f->stage == STAGE_STREAM)
			return -LINUX_EINVAL;
		f->fast_open = n < SOMAXCONN ? n : SOMAXCONN;
		if (f->stage == STAGE_LISTEN)
			sock_set_fast_open(p->stack, f->id, (uint32_t)n);
		return 0;
	case LINUX_TCP_FASTOPEN_CONNECT:
		if (n < 0 || n > 1 || f->stage != STAGE_NEW)
			return -LINUX_EINVAL;
		if (!(posix_fast_open(p) & FAST_OPEN_CLIENT))
			return -LINUX_EOPNOTSUPP;
		f->fast_open_connect = n != 0;
		return 0;
	case LINUX_TCP_FASTOPEN_NO_COOKIE:
		if (n < 0 || n > 1 || f->stage == STAGE_STREAM)
			return -LINUX_EINVAL;
		f->fast_open_no_cookie = n != 0;
		return 0;
	default: return -LINUX_ENOPROTOOPT;
	}
}

static int64_t set_ip_level(struct posix *p, struct file *f, int level, int name, int n)
{
	if (name == (level == LINUX_SOL_IP ? LINUX_IP_RECVERR : LINUX_IPV6_RECVERR)) {
		f->recv_error = n != 0;
		return 0;
	}
	if (name == (level == LINUX_SOL_IP ? LINUX_IP_MTU_DISCOVER : LINUX_IPV6_MTU_DISCOVER)) {
		if (n < LINUX_IP_PMTUDISC_DONT || n > LINUX_IP_PMTUDISC_OMIT)
			return -LINUX_EINVAL;
		f->mtu_discover = n;
		return remember(p, f, SOCK_FRAGMENT,
			n == LINUX_IP_PMTUDISC_DONT || n == LINUX_IP_PMTUDISC_INTERFACE ||
				n == LINUX_IP_PMTUDISC_OMIT);
	}
	if (level == LINUX_SOL_IP && name == LINUX_IP_LOCAL_PORT_RANGE) {
		uint32_t least = (uint32_t)n & UINT16_MAX, most = (uint32_t)n >> 16;
		if (least && most && least > most)
			return -LINUX_EINVAL;
		f->port_range = (uint32_t)n;
		return 0;
	}
	if (level == LINUX_SOL_IPV6 && name == LINUX_IPV6_V6ONLY) {
		if (f->bound || f->stage != STAGE_NEW)
			return -LINUX_EINVAL;
		f->v6_only = n != 0;
		return 0;
	}
	return -LINUX_ENOPROTOOPT;
}

static int64_t set_plain(struct posix *p, struct file *f, const struct plain *o, int n)
{
	if ((o->level == LINUX_SOL_IPV6 || o->option == SOCK_HOP_LIMIT) && n == -1)
		n = 0; /* back to the default */
	else if (n < o->least || n > o->most)
		return -LINUX_EINVAL;
	if (o->option == SOCK_NODELAY || o->option == SOCK_KEEPALIVE)
		n = n != 0;
	if (o->option == SOCK_TOS)
		n &= UINT8_MAX;
	if (o->option == SOCK_TOS && !f->datagram)
		n &= ~IP_ECN_MASK; /* TCP's own: RFC 3168 */
	if (o->option == SOCK_NODELAY && n && f->id && (f->corked || f->more)) {
		/* what the cork holds goes, as in Linux; what is written next is held again */
		sock_set(p->stack, f->id, SOCK_CORK, false);
		posix_flush(p);
		sock_set(p->stack, f->id, SOCK_CORK, f->corked);
		f->more = false;
	}
	return remember(p, f, o->option, n * o->unit);
}

static int64_t set_congestion(struct posix *p, struct file *f, const char *name, uint32_t len)
{
	while (len && name[len - 1] == '\0')
		len--;
	enum cc_kind kind = cc_find(span_of(name, len));
	return kind == CC_KINDS ? -LINUX_ENOENT : remember(p, f, SOCK_CONGESTION, kind);
}

static int64_t set_fast_open_key(struct posix *p, struct file *f, const void *key, uint32_t len)
{
	if (len != 16 && len != 32)
		return -LINUX_EINVAL;
	memcpy(f->fast_open_key, key, len);
	f->fast_open_key_len = len;
	socket_apply_keys(p, f);
	return 0;
}

int64_t posix_setsockopt(
	struct posix *p, int fd, int level, int name, const void *value, uint32_t len)
{
	int64_t error;
	struct file *f = file_socket(p, fd, &error);
	if (!f)
		return error;
	if (len > INT32_MAX)
		return -LINUX_EINVAL;
	if (!has_level(f, level))
		return -LINUX_ENOPROTOOPT;
	if (!value && len)
		return -LINUX_EFAULT;
	if (level == LINUX_SOL_TCP && name == LINUX_TCP_CONGESTION)
		return set_congestion(p, f, value, len);
	if (level == LINUX_SOL_TCP && name == LINUX_TCP_FASTOPEN_KEY)
		return set_fast_open_key(p, f, value, len);
	if (level == LINUX_SOL_SOCKET && name == LINUX_SO_BINDTODEVICE)
		return option_set_device(f, value, len);
	if (level == LINUX_SOL_SOCKET && name == LINUX_SO_RCVTIMEO)
		return set_time(&f->read_timeout, value, len);
	if (level == LINUX_SOL_SOCKET && name == LINUX_SO_SNDTIMEO)
		return set_time(&f->write_timeout, value, len);
	if (level == LINUX_SOL_SOCKET && name == LINUX_SO_MAX_PACING_RATE)
		return set_pacing(p, f, value, len);
	if (level == LINUX_SOL_SOCKET && name == LINUX_SO_LINGER)
		return set_linger(f, value, len);
	int n;
	if (!get_int(level, value, len, &n) ||
		(level == LINUX_SOL_IP && name == LINUX_IP_LOCAL_PORT_RANGE && len != sizeof n))
		return -LINUX_EINVAL;
	const struct plain *o = find_plain(level, name);
	if (o)
		return set_plain(p, f, o, n);
	if (option_inert(f, level, name))
		return option_set_inert(f, level, name, n);
	switch (level) {
	case LINUX_SOL_SOCKET: return set_socket_level(p, f, name, n);
	case LINUX_SOL_TCP: return set_tcp_level(p, f, name, n);
	case LINUX_SOL_IP:
	case LINUX_SOL_IPV6: return set_ip_level(p, f, level, name, n);
	default: return -LINUX_ENOPROTOOPT;
	}
}

static int64_t put(void *value, uint32_t *len, const void *from, size_t size)
{
	if (*len > INT32_MAX)
		return -LINUX_EINVAL;
	uint32_t n = *len < size ? *len : (uint32_t)size;
	if (n && !value)
		return -LINUX_EFAULT;
	if (n)
		memcpy(value, from, n);
	*len = n;
	return 0;
}

static int64_t get_pacing(const struct file *f, void *value, uint32_t *len)
{
	uint32_t narrow = f->pacing_most < UINT32_MAX ? (uint32_t)f->pacing_most : UINT32_MAX;
	bool wide = *len >= sizeof f->pacing_most;
	return wide ? put(value, len, &f->pacing_most, sizeof f->pacing_most)
		    : put(value, len, &narrow, sizeof narrow);
}

static int64_t put_int(void *value, uint32_t *len, int64_t n)
{
	int number = (int)n;
	return put(value, len, &number, sizeof number);
}

/* IP's options are told in one byte where there is no room for four. */
static int64_t put_number(int level, void *value, uint32_t *len, int64_t n)
{
	if (level == LINUX_SOL_IP && *len > 1 && *len < sizeof(int) && n >= 0 && n <= UINT8_MAX)
		*len = 1;
	return put_int(value, len, n);
}

static int64_t put_time(void *value, uint32_t *len, nanodiff t)
{
	struct linux_timeval tv = { t / NANO_S, t % NANO_S / NANO_US };
	return put(value, len, &tv, sizeof tv);
}

/* The error that waits, which is taken; a failed connect leaves a socket that may try again. */
static int take_pending(struct posix *p, struct file *f)
{
	if (f->stage == STAGE_STREAM && f->connecting) {
		int64_t outcome = socket_connect_outcome(p, f);
		if (outcome)
			return outcome == -LINUX_EINPROGRESS ? 0 : (int)-outcome;
	}
	if (f->datagram)
		udp_mask(p, f); /* what came about its datagrams */
	int error = socket_take_error(p, f);
	if (error || f->stage != STAGE_STREAM || f->error_told)
		return error;
	return posix_errno(sock_take_trouble(p->stack, f->id));
}

static int64_t get_peer(struct posix *p, struct file *f, void *value, uint32_t *len)
{
	uint8_t name[sizeof(struct linux_sockaddr_in6)];
	uint32_t size = sizeof name;
	int64_t error = posix_getpeername(p, f->number, name, &size);
	if (!error && size < *len)
		return -LINUX_EINVAL;
	return error ? error : put(value, len, name, size);
}

static int64_t get_socket_level(
	struct posix *p, struct file *f, int name, void *value, uint32_t *len)
{
	struct linux_linger linger = { f->linger, f->linger_seconds };
	uint32_t memory[LINUX_SK_MEMINFO_VARS];
	uint32_t stamping[2] = { f->stamping }; /* no clock is bound to it */
	switch (name) {
	case LINUX_SO_REUSEADDR: return put_int(value, len, f->reuse_address);
	case LINUX_SO_REUSEPORT: return put_int(value, len, f->reuse_port);
	case LINUX_SO_OOBINLINE: return put_int(value, len, f->oob_inline);
	case LINUX_SO_TYPE:
		return put_int(value, len, f->datagram ? LINUX_SOCK_DGRAM : LINUX_SOCK_STREAM);
	case LINUX_SO_PROTOCOL:
		return put_int(value, len, f->datagram ? LINUX_IPPROTO_UDP : LINUX_IPPROTO_TCP);
	case LINUX_SO_DOMAIN: return put_int(value, len, f->v6 ? LINUX_AF_INET6 : LINUX_AF_INET);
	case LINUX_SO_ERROR: return put_int(value, len, take_pending(p, f));
	case LINUX_SO_MAX_PACING_RATE: return get_pacing(f, value, len);
	case LINUX_SO_SNDBUF: return put_int(value, len, f->send_buffer);
	case LINUX_SO_RCVBUF: return put_int(value, len, f->receive_buffer);
	case LINUX_SO_RCVLOWAT: return put_int(value, len, f->read_low);
	case LINUX_SO_SNDLOWAT: return put_int(value, len, 1);
	case LINUX_SO_ACCEPTCONN: return put_int(value, len, f->stage == STAGE_LISTEN);
	case LINUX_SO_ZEROCOPY: return put_int(value, len, f->zero_copy);
	case LINUX_SO_TIMESTAMPING: return put(value, len, stamping, sizeof stamping);
	case LINUX_SO_BINDTODEVICE:
		return put(value, len, POSIX_DEVICE,
			f->device_bound ? sizeof POSIX_DEVICE : 0);
	case LINUX_SO_PASSCRED: return -LINUX_EOPNOTSUPP;
	case LINUX_SO_PEERNAME: return get_peer(p, f, value, len);
	case LINUX_SO_LINGER: return put(value, len, &linger, sizeof linger);
	case LINUX_SO_MEMINFO:
		meminfo_fill(p, f, memory);
		return put(value, len, memory, sizeof memory);
	case LINUX_SO_RCVTIMEO: return put_time(value, len, f->read_timeout);
	case LINUX_SO_SNDTIMEO: return put_time(value, len, f->write_timeout);
	default: return -LINUX_ENOPROTOOPT;
	}
}

static int segment_size(struct posix *p, const struct file *f)
{
	if (f->stage == STAGE_STREAM && !f->connecting) {
		struct sock_tcp_info i;
		sock_tcp_info(p->stack, f->id, &i);
		return i.mss;
	}
	return f->option[SOCK_MSS] ? (int)f->option[SOCK_MSS] : 536;
}

/* Told once; who has no room for it learns how much it takes. */
static int64_t take_syn(struct posix *p, const struct file *f, void *value, uint32_t *len)
{
	uint32_t room = *len;
	if (room > INT32_MAX)
		return -LINUX_EINVAL;
	*len = 0;
	if (f->stage == STAGE_STREAM)
		*len = (uint32_t)sock_saved_syn(p->stack, f->id, value, room);
	return *len > room ? -LINUX_EINVAL : 0;
}

static int64_t get_tcp_level(struct posix *p, struct file *f, int name, void *value, uint32_t *len)
{
	struct linux_tcp_info info;
	struct linux_bbr_info bbr;
	uint32_t told;
	struct sock_tcp_info i = { .congestion = "" };
	switch (name) {
	case LINUX_TCP_INFO: tcp_info_fill(p, f, &info); return put(value, len, &info, sizeof info);
	case LINUX_TCP_CC_INFO: told = cc_info_fill(p, f, &bbr); return put(value, len, &bbr, told);
	case LINUX_TCP_CONGESTION:
		if (f->stage == STAGE_STREAM)
			sock_tcp_info(p->stack, f->id, &i);
		const char *algorithm = i.congestion[0]
			? i.congestion
			: cc_of((uint8_t)f->option[SOCK_CONGESTION])->name;
		char name16[16] = { 0 };
		for (unsigned k = 0; k + 1 < sizeof name16 && algorithm[k]; k++)
			name16[k] = algorithm[k];
		return put(value, len, name16, sizeof name16);
	case LINUX_TCP_MAXSEG: return put_int(value, len, segment_size(p, f));
	case LINUX_TCP_CORK: return put_int(value, len, f->corked);
	case LINUX_TCP_LINGER2:
		return put_int(value, len, f->linger2 < 0 ? -1 : f->linger2 ? f->linger2 : 60);
	case LINUX_TCP_DEFER_ACCEPT:
		return put_int(value, len, linux_retries_as_seconds(f->option[SOCK_DEFER_ACCEPT]));
	case LINUX_TCP_WINDOW_CLAMP: return put_int(value, len, f->option[SOCK_WINDOW_CLAMP]);
	case LINUX_TCP_QUICKACK: return put_int(value, len, !f->quick_ack_off);
	case LINUX_TCP_NOTSENT_LOWAT: return put_int(value, len, f->unsent_low);
	case LINUX_TCP_SAVED_SYN: return take_syn(p, f, value, len);
	case LINUX_TCP_REPAIR: return put_int(value, len, 0);
	case LINUX_TCP_INQ: return put_int(value, len, f->inq);
	case LINUX_TCP_FASTOPEN: return put_int(value, len, f->fast_open);
	case LINUX_TCP_FASTOPEN_KEY: return put(value, len, f->fast_open_key, f->fast_open_key_len);
	case LINUX_TCP_FASTOPEN_CONNECT: return put_int(value, len, f->fast_open_connect);
	case LINUX_TCP_FASTOPEN_NO_COOKIE: return put_int(value, len, f->fast_open_no_cookie);
	default: return -LINUX_ENOPROTOOPT;
	}
}

static int64_t get_ip_level(
	struct posix *p, struct file *f, int level, int name, void *value, uint32_t *len)
{
	if (name == (level == LINUX_SOL_IP ? LINUX_IP_MTU : LINUX_IPV6_MTU)) {
		struct sock_tcp_info i;
		if (f->stage != STAGE_STREAM)
			return -LINUX_ENOTCONN;
		sock_tcp_info(p->stack, f->id, &i);
		return put_int(value, len, i.path_mtu ? i.path_mtu : p->nif->mtu);
	}
	if (name == (level == LINUX_SOL_IP ? LINUX_IP_MTU_DISCOVER : LINUX_IPV6_MTU_DISCOVER))
		return put_int(value, len, f->mtu_discover);
	if (name == (level == LINUX_SOL_IP ? LINUX_IP_RECVERR : LINUX_IPV6_RECVERR))
		return put_int(value, len, f->recv_error);
	if (level == LINUX_SOL_IP && name == LINUX_IP_LOCAL_PORT_RANGE)
		return put_int(value, len, f->port_range);
	if (level == LINUX_SOL_IPV6 && name == LINUX_IPV6_V6ONLY)
		return put_int(value, len, f->v6_only);
	return -LINUX_ENOPROTOOPT;
}

/* What an option is while nobody has set it. */
static int64_t configured(struct posix *p, const struct plain *o)
{
	const struct transport_config *c = transport_settings(stack_transport(p->stack));
	switch (o->option) {
	case SOCK_KEEP_IDLE: return c->keepalive_idle / NANO_S;
	case SOCK_KEEP_INTERVAL: return c->keepalive_interval / NANO_S;
	case SOCK_KEEP_PROBES: return c->keepalive_probes;
	case SOCK_SYN_RETRIES: return c->syn_retries;
	case SOCK_HOP_LIMIT: return HOPS;
	default: return 0;
	}
}

int64_t posix_getsockopt(struct posix *p, int fd, int level, int name, void *value, uint32_t *len)
{
	int64_t error;
	struct file *f = file_socket(p, fd, &error);
	if (!f)
		return error;
	if (!has_level(f, level))
		return f->v6 ? -LINUX_ENOPROTOOPT : -LINUX_EOPNOTSUPP;
	if (!len)
		return -LINUX_EFAULT;
	if (*len > INT32_MAX)
		return -LINUX_EINVAL;
	const struct plain *o = find_plain(level, name);
	if (o) {
		int64_t n = f->option[o->option] / o->unit;
		return put_number(level, value, len, n ? n : configured(p, o));
	}
	const int *kept = option_inert(f, level, name);
	if (kept)
		return put_number(level, value, len, *kept);
	switch (level) {
	case LINUX_SOL_SOCKET: return get_socket_level(p, f, name, value, len);
	case LINUX_SOL_TCP: return get_tcp_level(p, f, name, value, len);
	case LINUX_SOL_IP:
	case LINUX_SOL_IPV6: return get_ip_level(p, f, level, name, value, len);
	default: return -LINUX_ENOPROTOOPT;
	}
}
