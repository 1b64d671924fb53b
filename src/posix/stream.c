/*
 * The life of a stream socket as Linux shows it: made without a connection, bound,
 * turned into a listener or connected; a connection that failed leaves a socket that
 * may try again; one that died tells its error once.
 */
#include "posix/posix_file.h"

/* What Linux has numbers for. */
#define SOCKADDR_MOST 128
#define TYPE_MASK 15
#define TYPE_LAST 10 /* SOCK_PACKET */
#define PROTOCOLS 263


/* As an address of any family. */
static int64_t sockaddr_wrong(const void *sockaddr, uint32_t len)
{
	if (len > SOCKADDR_MOST)
		return -LINUX_EINVAL;
	return len && !sockaddr ? -LINUX_EFAULT : 0;
}

int64_t sockaddr_parse(const struct file *f, const void *sockaddr, uint32_t len,
	struct addr *address, uint16_t *port)
{
	struct linux_sockaddr_in four;
	struct linux_sockaddr_in6 six;
	if (!sockaddr || len < sizeof four.family)
		return -LINUX_EINVAL;
	memcpy(&four.family, sockaddr, sizeof four.family);
	if (!f->v6) {
		if (len < sizeof four)
			return -LINUX_EINVAL;
		if (four.family != LINUX_AF_INET)
			return -LINUX_EAFNOSUPPORT;
		memcpy(&four, sockaddr, sizeof four);
		*address = addr_from4(four.address);
		*port = load16(four.port);
		return 0;
	}
	if (four.family != LINUX_AF_INET6)
		return -LINUX_EAFNOSUPPORT;
	if (len < offsetof(struct linux_sockaddr_in6, scope)) /* RFC 2133's form will do */
		return -LINUX_EINVAL;
	memcpy(&six, sockaddr, offsetof(struct linux_sockaddr_in6, scope));
	*address = addr_from6(six.address);
	*port = load16(six.port);
	return 0;
}

void sockaddr_emit(const struct file *f, const struct addr *address, uint16_t port, void *sockaddr,
	uint32_t *len)
{
	if (!sockaddr || !len)
		return;
	struct linux_sockaddr_in four = { .family = LINUX_AF_INET };
	struct linux_sockaddr_in6 six = { .family = LINUX_AF_INET6 };
	const void *from = &six;
	uint32_t size = sizeof six;
	if (f->v6) {
		store16(six.port, port);
		memcpy(six.address, address->b, sizeof six.address);
	} else {
		store16(four.port, port);
		memcpy(four.address, address->b + 12, sizeof four.address);
		from = &four;
		size = sizeof four;
	}
	memcpy(sockaddr, from, *len < size ? *len : size);
	*len = size;
}

void socket_adopt_defaults(struct posix *p, struct file *f)
{
	f->send_buffer = (uint32_t)p->sysctl.wmem[1];
	f->receive_buffer = (uint32_t)p->sysctl.rmem[1];
	f->read_low = 1;
	f->pacing_most = UINT64_MAX;
	f->mtu_discover = LINUX_IP_PMTUDISC_WANT;
}

int64_t posix_socket(struct posix *p, int family, int type, int protocol)
{
	int kind = type & ~(LINUX_SOCK_NONBLOCK | LINUX_SOCK_CLOEXEC);
	bool udp = kind == LINUX_SOCK_DGRAM;
	if (kind < 0 || kind > TYPE_MASK)
		return -LINUX_EINVAL;
	if (family != LINUX_AF_INET && family != LINUX_AF_INET6)
		return -LINUX_EAFNOSUPPORT;
	if (kind > TYPE_LAST || protocol < 0 || protocol >= PROTOCOLS)
		return -LINUX_EINVAL;
	if (kind != LINUX_SOCK_STREAM && !udp)
		return -LINUX_ESOCKTNOSUPPORT;
	if (protocol && protocol != (udp ? LINUX_IPPROTO_UDP : LINUX_IPPROTO_TCP))
		return -LINUX_EPROTONOSUPPORT;
	struct file *f = file_new(p, FILE_SOCKET);
	if (!f)
		return -LINUX_EMFILE;
	f->v6 = family == LINUX_AF_INET6;
	f->datagram = udp;
	f->flags |= type & LINUX_SOCK_NONBLOCK;
	socket_adopt_defaults(p, f);
	return f->number;
}

static struct addr any_of(const struct file *f)
{
	static const uint8_t zero[4];
	return f->v6 ? ADDR_ANY : addr_from4(zero);
}

/* Does who is bound to any address stand at the other's, too? */
static bool reaches(const struct file *any, const struct file *other)
{
	if (any->v6 == other->v6)
		return true;
	if (any->v6)
		return !any->v6_only;
	return addr_is4(&other->local) || (!other->v6_only && addr_is_any(&other->local));
}

/* Does another socket stand where this one wants to be bound? */
static bool is_taken(
	const struct posix *p, const struct file *f, const struct addr *a, uint16_t port)
{
	for (uint32_t i = 0; i < p->config.descriptors; i++) {
		const struct file *o = &p->file[i];
		if (o == f || o->kind != FILE_SOCKET || !o->bound || o->port != port ||
			o->datagram != f->datagram)
			continue;
		bool overlap = addr_equal(a, &o->local) || (addr_is_any(a) && reaches(f, o)) ||
			(addr_is_any(&o->local) && reaches(o, f));
		bool shared = o->stage != STAGE_LISTEN && f->reuse_address && o->reuse_address;
		if (overlap && !shared && !(f->reuse_port && o->reuse_port))
			return true;
	}
	return false;
}

static uint16_t free_port(struct posix *p, const struct file *f)
{
	for (unsigned i = 0; i < 28232; i++) {
		uint16_t port = p->next_port++;
		if (p->next_port > 60999)
			p->next_port = 32768;
		struct addr any = any_of(f);
		if (!is_taken(p, f, &any, port))
			return port;
	}
	return 0;
}

int64_t posix_bind(struct posix *p, int fd, const void *sockaddr, uint32_t len)
{
	int64_t error;
	struct file *f = file_socket(p, fd, &error);
	if (!f)
		return error;
	struct addr a;
	uint16_t port;
	error = sockaddr_wrong(sockaddr, len);
	if (!error)
		error = sockaddr_parse(f, sockaddr, len, &a, &port);
	if (error)
		return error;
	if (!addr_is_any(&a) && !internet_is_ours(stack_internet(p->stack), &a))
		return -LINUX_EADDRNOTAVAIL;
	if (f->stage != STAGE_NEW || f->bound)
		return -LINUX_EINVAL;
	if (!port)
		port = free_port(p, f);
	if (!port || is_taken(p, f, &a, port))
		return -LINUX_EADDRINUSE;
	f->local = a;
	f->port = port;
	f->bound = true;
	error = f->datagram ? udp_open(p, f) : 0;
	f->bound = !error;
	return error;
}

void socket_apply_options(struct posix *p, struct file *f)
{
	for (unsigned o = 0; o < SOCK_OPTIONS; o++)
		if (f->options_set & 1u << o)
			sock_set(p->stack, f->id, (enum sock_option)o, f->option[o]);
	if (p->sysctl.told_timeout)
		sock_set(p->stack, f->id, SOCK_ADVERTISED_TIMEOUT,
			p->sysctl.told_timeout * NANO_S);
	if (f->receive_locked)
		sock_set(p->stack, f->id, SOCK_RECEIVE_BUFFER, f->receive_buffer / 2);
}

void socket_apply_keys(struct posix *p, struct file *f)
{
	if (f->stage != STAGE_LISTEN || !f->fast_open_key_len)
		return;
	if (f->fast_open_key_len > 16)
		sock_set_fast_open_key(p->stack, f->id, f->fast_open_key + 16);
	sock_set_fast_open_key(p->stack, f->id, f->fast_open_key);
}

static struct sock_options sock_options_of(const struct file *f)
{
	return (struct sock_options){
		.local = addr_is_any(&f->local) ? ADDR_ANY : f->local,
		.local_port = f->port,
		.receive_buffer = f->receive_locked ? f->receive_buffer / 2 : 0,
		.fast_open = f->fast_open > 0 ? (uint32_t)f->fast_open : 0,
		.v4_only = !f->v6,
		.v6_only = f->v6 && f->v6_only,
	};
}

int64_t posix_listen(struct posix *p, int fd, int backlog)
{
	int64_t error;
	struct file *f = file_socket(p, fd, &error);
	if (!f)
		return error;
	if (f->datagram)
		return -LINUX_EOPNOTSUPP;
	if (f->stage != STAGE_NEW && f->stage != STAGE_LISTEN)
		return -LINUX_EINVAL;
	f->backlog = backlog < 0 || backlog > SOMAXCONN ? SOMAXCONN : (uint32_t)backlog;
	uint32_t waiting = f->backlog + 1; /* one more may wait than was asked for, as in Linux */
	if (f->stage == STAGE_LISTEN) { /* only the queue's length is another */
		sock_set_backlog(p->stack, f->id, waiting);
		return 0;
	}
	if (!f->port)
		f->port = free_port(p, f);
	struct sock_options o = sock_options_of(f);
	o.backlog = waiting;
	int e = sock_listen(p->stack, &o, &f->id);
	if (e < 0)
		return -posix_errno((enum error) - e);
	f->stage = STAGE_LISTEN;
	f->bound = true;
	socket_apply_options(p, f);
	socket_apply_keys(p, f);
	return 0;
}

int64_t accept_try(struct posix *p, struct posix_call *c)
{
	int64_t error;
	struct file *l = file_socket(p, c->fd, &error);
	if (!l)
		return error;
	if (l->stage != STAGE_LISTEN)
		return l->datagram ? -LINUX_EOPNOTSUPP : -LINUX_EINVAL;
	if (!c->started) {
		c->started = true;
		if (l->read_timeout)
			c->deadline = p->now + l->read_timeout;
	}
	if (!(sock_poll(p->stack, l->id) & EVENT_READABLE))
		return call_may_wait(p, c) ? POSIX_WAIT : -LINUX_EAGAIN;
	struct file *f = file_new(p, FILE_SOCKET);
	if (!f)
		return -LINUX_EMFILE;
	int number = f->number;
	struct watched *watched = f->watched;
	*f = *l; /* options are inherited; what belongs to the listener is not */
	f->watched = watched;
	f->number = number;
	f->flags = LINUX_O_RDWR;
	f->stage = STAGE_STREAM;
	f->connected = true;
	f->connected_at = p->now;
	f->notes = f->records = 0;
	f->seen = (struct seen){ 0 };
	f->queue = (struct send_queue){ 0 };
	f->oob = (struct oob){ 0 };
	f->consumed = 0;
	f->accepted = true;
	struct sock_peer peer;
	int e = sock_accept(p->stack, l->id, NULL, NULL, &f->id, &peer);
	if (e < 0) {
		f->kind = FILE_FREE;
		return -posix_errno((enum error) - e);
	}
	struct sock_peer local;
	sock_name(p->stack, f->id, &local, NULL);
	f->local = local.address;
	sockaddr_emit(f, &peer.address, peer.port, c->address, c->address_len);
	posix_flush(p);
	return f->number;
}

int64_t posix_accept(
	struct posix *p, struct posix_call *keep, int fd, void *sockaddr, uint32_t *len)
{
	struct posix_call c = { .kind = CALL_ACCEPT,
		.fd = fd,
		.address = sockaddr,
		.address_len = len,
		.deadline = NANOTIME_NEVER };
	return call_begin(p, keep, &c);
}

bool socket_dead(struct posix *p, const struct file *f)
{
	return sock_poll(p->stack, f->id) & (EVENT_ERROR | EVENT_CLOSED);
}

int socket_take_error(struct posix *p, struct file *f)
{
	int pending = f->pending_error;
	f->pending_error = 0;
	if (pending)
		return pending;
	if (f->stage != STAGE_STREAM || f->error_told)
		return 0;
	enum error e = sock_error(p->stack, f->id);
	if (e == ERR_OK)
		return 0;
	f->error_told = true;
	/* A reset in CLOSE-WAIT is a broken pipe, as in Linux. */
	if (e == ERR_RESET && sock_poll(p->stack, f->id) & EVENT_PEER_CLOSED && !f->write_shut)
		return LINUX_EPIPE;
	return posix_errno(e);
}

/* From the first port that is free towards the peer, where the socket has a range of its own. */
static int connect_from_range(struct posix *p, struct file *f, struct sock_options *o,
	const struct addr *remote, uint16_t port)
{
	uint32_t least = f->port_range & UINT16_MAX, most = f->port_range >> 16;
	if (o->local_port || !f->port_range)
		return sock_connect(p->stack, o, remote, port, &f->id);
	struct transport_config *c = transport_settings(stack_transport(p->stack));
	uint16_t first = c->port_first, last = c->port_last;
	/* A bound that is zero, or no port of the configured range, is the configured one. */
	c->port_first = (uint16_t)(least ? least : first);
	c->port_last = (uint16_t)(most ? most : last);
	int e = -ERR_NO_PORT;
	if (c->port_first <= c->port_last)
		e = sock_connect(p->stack, o, remote, port, &f->id);
	c->port_first = first;
	c->port_last = last;
	return e;
}

int64_t socket_connect(
	struct posix *p, struct file *f, const struct addr *remote, uint16_t port, bool fast)
{
	struct sock_options o = sock_options_of(f);
	o.fast_open = fast;
	int e = connect_from_range(p, f, &o, remote, port);
	if (e < 0) /* an address that is in use is told of by bind, one towards this peer here */
		return e == -ERR_IN_USE ? -LINUX_EADDRNOTAVAIL : -posix_errno((enum error) - e);
	f->stage = STAGE_STREAM;
	f->connecting = true;
	f->connected = f->error_told = f->connect_owed = false;
	f->connected_at = 0;
	f->queue = (struct send_queue){ 0 };
	f->seen = (struct seen){ 0 };
	f->oob = (struct oob){ 0 };
	f->consumed = 0;
	socket_apply_options(p, f);
	/* Where the server's cookie is known, the SYN waits for data and there is room for some. */
	f->deferred = fast && sock_room(p->stack, f->id) > 0;
	posix_flush(p);
	return 0;
}

int64_t socket_connect_outcome(struct posix *p, struct file *f)
{
	bool dead = socket_dead(p, f) && sock_error(p->stack, f->id) != ERR_OK;
	if (dead && !f->connected_at) {
		int error = socket_take_error(p, f);
		sock_close(p->stack, f->id); /* the socket may try again */
		f->id = 0;
		f->stage = STAGE_NEW;
		f->connecting = f->deferred = false;
		return error ? -error : -LINUX_ECONNABORTED;
	}
	if (!f->connected_at && !(sock_poll(p->stack, f->id) & EVENT_CONNECTED))
		return -LINUX_EINPROGRESS;
	f->connecting = false;
	f->connected = true;
	return 0;
}

static bool has_begun(const struct file *f)
{
	return f->stage == STAGE_STREAM;
}

/* connect to AF_UNSPEC: the connection is reset, and the socket is as new, still bound where a
 * program had bound it. */
static int64_t disconnect(struct posix *p, struct file *f)
{
	bool listens = f->stage == STAGE_LISTEN, dead = f->id && !listens && socket_dead(p, f);
	if (f->id && listens)
		sock_close(p->stack, f->id);
	else if (f->id)
		sock_abort(p->stack, f->id);
	if (f->id && !listens && !dead)
		f->pending_error = LINUX_ECONNRESET;
	f->id = 0;
	f->stage = STAGE_NEW;
	f->connecting = f->connected = f->deferred = f->error_told = false;
	f->read_shut = f->write_shut = f->more = false;
	f->records = 0;
	posix_flush(p);
	watched_wake(p, f);
	return 0;
}

static bool is_unspecified(const struct posix_call *c)
{
	uint16_t family = LINUX_AF_INET;
	if (c->address && c->address_size >= sizeof family)
		memcpy(&family, c->address, sizeof family);
	return family == LINUX_AF_UNSPEC;
}

int64_t connect_try(struct posix *p, struct posix_call *c)
{
	int64_t error;
	struct file *f = file_socket(p, c->fd, &error);
	if (!f)
		return error;
	if (f->datagram)
		return udp_connect(p, f, c->address, c->address_size);
	if (!c->started && is_unspecified(c))
		return disconnect(p, f);
	if (f->stage == STAGE_LISTEN)
		return -LINUX_EISCONN;
	if (!c->started) {
		struct addr remote;
		uint16_t port;
		error = sockaddr_parse(f, c->address, c->address_size, &remote, &port);
		if (error)
			return error;
		c->started = true;
		if (f->write_timeout)
			c->deadline = p->now + f->write_timeout;
		if (!has_begun(f)) {
			error = socket_connect(p, f, &remote, port, f->fast_open_connect);
			if (error || f->deferred)
				return error;
			if (socket_connect_outcome(p, f) == -LINUX_EINPROGRESS) {
				f->connect_owed = true;
				return call_may_wait(p, c) ? POSIX_WAIT : -LINUX_EINPROGRESS;
			}
			return f->stage == STAGE_STREAM ? 0 : -LINUX_ECONNREFUSED;
		}
		if (f->deferred)
			return -LINUX_EISCONN;
		if (!f->connecting && (!f->connected || socket_dead(p, f)))
			return -LINUX_ECONNABORTED;
		if (!f->connecting) { /* the next connect hears of it, whoever has heard before */
			bool owed = f->connect_owed;
			f->connect_owed = false;
			return owed ? 0 : -LINUX_EISCONN;
		}
		if (!call_may_wait(p, c) && socket_connect_outcome(p, f) == -LINUX_EINPROGRESS)
			return -LINUX_EALREADY;
	}
	if (!f->connecting) {
		f->connect_owed = false;
		return has_begun(f) ? 0 : -LINUX_ECONNABORTED;
	}
	int64_t outcome = socket_connect_outcome(p, f);
	if (outcome == -LINUX_EINPROGRESS && call_may_wait(p, c))
		return POSIX_WAIT;
	f->connect_owed = outcome == -LINUX_EINPROGRESS;
	return outcome;
}

int64_t posix_connect(
	struct posix *p, struct posix_call *keep, int fd, const void *sockaddr, uint32_t len)
{
	int64_t error;
	if (!file_socket(p, fd, &error))
		return error;
	error = sockaddr_wrong(sockaddr, len);
	if (error)
		return error;
	struct posix_call c = { .kind = CALL_CONNECT,
		.fd = fd,
		.address = (void *)(uintptr_t)sockaddr,
		.address_size = len,
		.deadline = NANOTIME_NEVER };
	return call_begin(p, keep, &c);
}

int64_t posix_shutdown(struct posix *p, int fd, int how)
{
	int64_t error;
	struct file *f = file_socket(p, fd, &error);
	if (!f)
		return error;
	if (how < LINUX_SHUT_RD || how > LINUX_SHUT_RDWR)
		return -LINUX_EINVAL;
	if (f->datagram) {
		f->read_shut |= how != LINUX_SHUT_WR;
		return f->connected ? 0 : -LINUX_ENOTCONN;
	}
	if (f->stage == STAGE_LISTEN && how == LINUX_SHUT_WR) /* it writes nothing anyway */
		return 0;
	if (f->stage == STAGE_LISTEN) { /* it listens no more */
		sock_close(p->stack, f->id);
		f->id = 0;
		f->stage = STAGE_NEW;
		f->bound = false;
		return 0;
	}
	if (f->stage == STAGE_STREAM && f->connecting && !f->connected_at && !socket_dead(p, f)) {
		sock_close(p->stack, f->id); /* not connected yet: it gives up, as in Linux */
		f->id = 0;
		f->stage = STAGE_NEW;
		f->connecting = f->deferred = false;
		f->pending_error = LINUX_ECONNRESET;
		return 0;
	}
	if (f->stage != STAGE_STREAM || (socket_dead(p, f) && sock_error(p->stack, f->id)))
		return -LINUX_ENOTCONN;
	if (how != LINUX_SHUT_WR) {
		f->read_shut = true;
		sock_shutdown_read(p->stack, f->id);
	}
	if (how != LINUX_SHUT_RD) {
		f->write_shut = true;
		sock_shutdown(p->stack, f->id);
	}
	posix_flush(p);
	watched_wake(p, f);
	return 0;
}

static int64_t name_of(struct posix *p, int fd, bool peer, void *sockaddr, uint32_t *len)
{
	int64_t error;
	struct file *f = file_socket(p, fd, &error);
	if (!f)
		return error;
	struct sock_peer local = { f->bound ? f->local : any_of(f), f->port }, remote = { 0 };
	if (f->id)
		sock_name(p->stack, f->id, &local, &remote);
	if (peer && ((f->stage != STAGE_STREAM && !f->datagram) || !f->connected))
		return -LINUX_ENOTCONN;
	const struct sock_peer *told = peer ? &remote : &local;
	sockaddr_emit(f, &told->address, told->port, sockaddr, len);
	return 0;
}

int64_t posix_getsockname(struct posix *p, int fd, void *sockaddr, uint32_t *len)
{
	return name_of(p, fd, false, sockaddr, len);
}

int64_t posix_getpeername(struct posix *p, int fd, void *sockaddr, uint32_t *len)
{
	return name_of(p, fd, true, sockaddr, len);
}
