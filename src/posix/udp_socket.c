/*
 * UDP as Linux shows it: an endpoint of the stack is opened when an address, a peer or
 * the first datagram asks for it. What ICMP says of a connected socket's datagrams
 * becomes the error of the next call, once (RFC 1122 4.1.3.3): that nobody is there
 * always, that a datagram was too big unless the socket lets routers cut it, other
 * things only where IP_RECVERR asks for them.
 */
#include "posix/posix_file.h"

#include "wire/icmp.h"

#define GATHER_MAX 9000 /* a datagram that is written in pieces */

int64_t udp_open(struct posix *p, struct file *f)
{
	if (f->id)
		return 0;
	struct sock_options o = {
		.local = f->bound && !addr_is_any(&f->local) ? f->local : ADDR_ANY,
		.local_port = f->port,
		.v4_only = !f->v6,
		.v6_only = f->v6 && f->v6_only,
		.dont_fragment = f->mtu_discover == LINUX_IP_PMTUDISC_DO ||
			f->mtu_discover == LINUX_IP_PMTUDISC_PROBE,
		.tos = (uint8_t)f->option[SOCK_TOS],
		.hop_limit = (uint8_t)f->option[SOCK_HOP_LIMIT],
	};
	int e = sock_udp(p->stack, &o, &f->id);
	return e < 0 ? -posix_errno((enum error) - e) : 0;
}

int64_t udp_connect(struct posix *p, struct file *f, const void *sockaddr, uint32_t len)
{
	struct addr remote;
	uint16_t port, family = LINUX_AF_INET;
	if (len >= sizeof family)
		memcpy(&family, sockaddr, sizeof family);
	if (family ==
		LINUX_AF_UNSPEC) { /* everybody's again; the port stays where it was asked for */
		if (f->id)
			sock_close(p->stack, f->id);
		f->id = 0;
		f->connected = false;
		return f->bound ? udp_open(p, f) : 0;
	}
	int64_t error = sockaddr_parse(f, sockaddr, len, &remote, &port);
	if (!error)
		error = udp_open(p, f);
	if (error)
		return error;
	int e = sock_udp_connect(p->stack, f->id, &remote, port);
	f->connected = e == 0;
	return e < 0 ? -posix_errno((enum error) - e) : 0;
}

/* The errno that an ICMP error means to this socket, 0: none. */
static int meaning(const struct file *f, const struct sock_datagram *d)
{
	bool v6 = !addr_is4(&d->original_destination);
	if (!f->connected && !f->recv_error)
		return 0;
	if (v6 ? d->icmp_type == ICMP6_TOO_BIG
	       : d->icmp_type == ICMP4_UNREACHABLE && d->icmp_code == 4)
		return f->mtu_discover == LINUX_IP_PMTUDISC_DONT ? 0 : LINUX_EMSGSIZE;
	if (d->icmp_type != (v6 ? ICMP6_UNREACHABLE : ICMP4_UNREACHABLE))
		return f->recv_error ? LINUX_EHOSTUNREACH : 0;
	if (d->icmp_code == (v6 ? 4 : 3))
		return LINUX_ECONNREFUSED;
	if (!v6 && d->icmp_code == 2)
		return LINUX_ENOPROTOOPT;
	if (v6 && d->icmp_code == 1)
		return LINUX_EACCES;
	return !f->recv_error ? 0 : d->icmp_code == 0 ? LINUX_ENETUNREACH : LINUX_EHOSTUNREACH;
}

/* Takes errors off the head of the queue; a datagram there is kept in the host's one place. */
static void pull(struct posix *p, struct file *f)
{
	struct udp_held *h = &p->held;
	while (f->id && !f->pending_error && h->owner == 0) {
		int64_t n = sock_recv_from(p->stack, f->id, h->bytes, sizeof h->bytes, &h->about);
		if (n < 0)
			return;
		if (h->about.is_error) {
			f->pending_error = meaning(f, &h->about);
			continue;
		}
		h->owner = f->number;
		h->len = (uint32_t)n;
	}
}

static bool has_datagram(const struct posix *p, const struct file *f)
{
	return p->held.owner == f->number ||
		(p->held.owner != 0 && sock_poll(p->stack, f->id) & EVENT_READABLE);
}

uint32_t udp_mask(struct posix *p, struct file *f)
{
	uint32_t mask = LINUX_POLLOUT | LINUX_POLLWRNORM;
	pull(p, f);
	if (f->read_shut || (f->id && has_datagram(p, f)))
		mask |= LINUX_POLLIN | LINUX_POLLRDNORM;
	return mask | (f->pending_error ? (uint32_t)LINUX_POLLERR : 0);
}

void udp_close(struct posix *p, struct file *f)
{
	if (p->held.owner == f->number)
		p->held.owner = 0;
	if (f->id)
		sock_close(p->stack, f->id);
	f->id = 0;
}

static int64_t hand_over(struct posix *p, struct file *f, struct posix_call *c)
{
	struct udp_held *h = &p->held;
	const struct linux_iovec *v = c->iov ? c->iov : &c->one;
	size_t count = c->iov ? c->iov_len : 1, done = 0;
	for (size_t i = 0; i < count && done < h->len; i++) {
		size_t n = h->len - done < v[i].len ? h->len - done : v[i].len;
		if (n && !v[i].base)
			return -LINUX_EFAULT;
		if (n)
			memcpy(v[i].base, h->bytes + done, n);
		done += n;
	}
	bool cut = done < h->len;
	if (c->msg) {
		c->msg->flags = cut ? LINUX_MSG_TRUNC : 0;
		c->msg->control_len = 0;
		sockaddr_emit(f, &h->about.source, h->about.port, c->msg->name, &c->msg->name_len);
	} else {
		sockaddr_emit(f, &h->about.source, h->about.port, c->address, c->address_len);
	}
	if (!(c->flags & LINUX_MSG_PEEK))
		h->owner = 0;
	return cut && c->flags & LINUX_MSG_TRUNC ? (int64_t)h->len : (int64_t)done;
}

int64_t udp_read_try(struct posix *p, struct file *f, struct posix_call *c)
{
	if (!c->started && f->read_timeout)
		c->deadline = p->now + f->read_timeout;
	c->started = true;
	pull(p, f);
	if (f->pending_error)
		return -socket_take_error(p, f);
	if (p->held.owner == f->number)
		return hand_over(p, f, c);
	if (f->read_shut)
		return 0;
	return call_may_wait(p, c) ? POSIX_WAIT : -LINUX_EAGAIN;
}

int64_t udp_write_try(struct posix *p, struct file *f, struct posix_call *c)
{
	const struct linux_iovec *v = c->iov ? c->iov : &c->one;
	size_t count = c->iov ? c->iov_len : 1, total = 0;
	uint8_t gathered[GATHER_MAX];
	const void *from = count ? v[0].base : gathered;
	struct addr to;
	uint16_t port = 0;
	if (c->flags & LINUX_MSG_OOB)
		return -LINUX_EOPNOTSUPP;
	pull(p, f);
	if (f->pending_error)
		return -socket_take_error(p, f);
	int64_t error = c->address ? sockaddr_parse(f, c->address, c->address_size, &to, &port) : 0;
	if (!error)
		error = udp_open(p, f);
	if (error)
		return error;
	if (!c->address && !f->connected)
		return -LINUX_EDESTADDRREQ;
	for (size_t i = 0; i < count; i++) {
		if (count > 1 && v[i].len > sizeof gathered - total)
			return -LINUX_EMSGSIZE;
		if (v[i].len && !v[i].base)
			return -LINUX_EFAULT;
		if (count > 1 && v[i].len)
			memcpy(gathered + total, v[i].base, v[i].len);
		total += v[i].len;
	}
	int64_t n = sock_send_to(
		p->stack, f->id, count > 1 ? gathered : from, total, c->address ? &to : NULL, port);
	posix_flush(p);
	return n < 0 ? -posix_errno((enum error) - n) : n;
}
