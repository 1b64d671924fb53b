/*
 * The TAP driver. Opening is where a user's machine can say no in many ways, so
 * each refusal of the kernel is turned into a sentence about the user's
 * situation. Reading and writing are single system calls on a descriptor that
 * never blocks: one frame each, whole or not at all.
 *
 * The buffer for reading has room for the largest frame that there can be, so
 * that a device whose MTU is raised later costs oversized frames, not cut ones.
 */
#include "host/tap.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <linux/virtio_net.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "wire/eth.h"
#include "wire/tcp.h"

#define TAP_DEVICE "/dev/net/tun"
#define TAP_FRAME  (65536 + 64) /* the largest IP packet, link header, tags */
#define TAP_VNET   sizeof(struct virtio_net_hdr)

/* ---- opening ---- */

__attribute__((format(printf, 4, 5))) static enum error refuse(
	enum error e, char *why, size_t cap, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(why, cap, format, arguments);
	va_end(arguments);
	return e;
}

static bool good_name(const char *name)
{
	size_t len = strlen(name);
	if (len == 0 || len > TAP_NAME_MAX || name[0] == '.')
		return false;
	for (size_t i = 0; i < len; i++)
		if (name[i] <= ' ' || name[i] > '~' || strchr("/:%", name[i]))
			return false;
	return true;
}

static enum error open_device(struct tap *t, char *why, size_t cap)
{
	t->fd = open(TAP_DEVICE, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (t->fd >= 0)
		return ERR_OK;
	switch (errno) {
	case ENOENT:
	case ENODEV:
	case ENXIO:
		return refuse(ERR_NO_DEVICE, why, cap,
			"%s: %s is missing: load the kernel module with 'modprobe tun', or "
			"give the container the device",
			t->name, TAP_DEVICE);
	case EACCES:
	case EPERM:
		return refuse(ERR_PERMISSION, why, cap,
			"%s: no permission to open %s: run as root, or let root allow it "
			"(chmod 666 %s)",
			t->name, TAP_DEVICE, TAP_DEVICE);
	default:
		return refuse(ERR_SYSTEM, why, cap, "%s: cannot open %s: %s", t->name, TAP_DEVICE,
			strerror(errno));
	}
}

static enum error attach(struct tap *t, char *why, size_t cap)
{
	struct ifreq request = { .ifr_flags = IFF_TAP | IFF_NO_PI };
	if (t->offload)
		request.ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR;
	memcpy(request.ifr_name, t->name, sizeof t->name);
	if (!ioctl(t->fd, TUNSETIFF, &request))
		return ERR_OK;
	switch (errno) {
	case EPERM:
	case EACCES:
		return refuse(ERR_PERMISSION, why, cap,
			"%s: no permission to use or make the device: run as root, or let root "
			"make it for you: ip tuntap add dev %s mode tap user $USER",
			t->name, t->name);
	case EBUSY:
		return refuse(ERR_IN_USE, why, cap,
			"%s: another program is attached to the device: stop it, or take another "
			"name",
			t->name);
	case EINVAL:
		return refuse(ERR_ARGUMENT, why, cap,
			"%s: exists, but is no TAP device that one program may attach to: take "
			"another name, or make it with 'ip tuntap add dev NAME mode tap'",
			t->name);
	default:
		return refuse(ERR_SYSTEM, why, cap, "%s: cannot attach to the device: %s", t->name,
			strerror(errno));
	}
}

static enum error bring_up(struct tap *t, int control, char *why, size_t cap)
{
	struct ifreq request = { 0 };
	memcpy(request.ifr_name, t->name, sizeof t->name);
	if (ioctl(control, SIOCGIFFLAGS, &request))
		return refuse(ERR_SYSTEM, why, cap, "%s: cannot read the device's state: %s",
			t->name, strerror(errno));
	if (request.ifr_flags & IFF_UP)
		return ERR_OK;
	request.ifr_flags = (short)(request.ifr_flags | IFF_UP);
	if (!ioctl(control, SIOCSIFFLAGS, &request))
		return ERR_OK;
	return refuse(errno == EPERM ? ERR_PERMISSION : ERR_SYSTEM, why, cap,
		"%s: the device is down, and bringing it up failed (%s): let root run 'ip link set "
		"%s up'",
		t->name, strerror(errno), t->name);
}

static enum error read_mtu(struct tap *t, int control, char *why, size_t cap)
{
	struct ifreq request = { 0 };
	memcpy(request.ifr_name, t->name, sizeof t->name);
	if (ioctl(control, SIOCGIFMTU, &request))
		return refuse(ERR_SYSTEM, why, cap, "%s: cannot read the device's MTU: %s", t->name,
			strerror(errno));
	/* RFC 791 3.1: every host must take 576 bytes; 68 is the least that IPv4 can live with. */
	if (request.ifr_mtu < 576)
		return refuse(ERR_ARGUMENT, why, cap,
			"%s: the device's MTU is %d, and 576 is the least that works: 'ip link "
			"set %s mtu 1500'",
			t->name, request.ifr_mtu, t->name);
	t->mtu = (uint16_t)(request.ifr_mtu < 65535 ? request.ifr_mtu : 65535);
	return ERR_OK;
}

static enum error configure(struct tap *t, char *why, size_t cap)
{
	int control = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (control < 0)
		return refuse(ERR_SYSTEM, why, cap, "%s: cannot make a control socket: %s", t->name,
			strerror(errno));
	enum error e = bring_up(t, control, why, cap);
	if (!e)
		e = read_mtu(t, control, why, cap);
	close(control);
	return e;
}

/* Tells the kernel what we take from it. It must stand before the first frame is read. */
static enum error set_offload(struct tap *t, char *why, size_t cap)
{
	int header = (int)TAP_VNET;
	unsigned features = t->offload ? TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6 : 0;
	if (t->offload && ioctl(t->fd, TUNSETVNETHDRSZ, &header))
		return refuse(ERR_SYSTEM, why, cap, "%s: the kernel refuses offload headers: %s",
			t->name, strerror(errno));
	if (ioctl(t->fd, TUNSETOFFLOAD, (unsigned long)features) && t->offload)
		return refuse(ERR_SYSTEM, why, cap, "%s: the kernel refuses offloads: %s", t->name,
			strerror(errno));
	return ERR_OK;
}

enum error tap_open(struct tap *t, const char *name, bool offload, char *why, size_t cap)
{
	*t = (struct tap){ .fd = -1, .offload = offload };
	if (!good_name(name))
		return refuse(ERR_ARGUMENT, why, cap,
			"'%s' is no name of a network device: 1 to 15 printable characters without "
			"blank, '/', ':' and '%%'",
			name);
	memcpy(t->name, name, strlen(name));
	t->buffer = malloc(TAP_VNET + TAP_FRAME);
	enum error e = t->buffer ? ERR_OK : refuse(ERR_MEMORY, why, cap, "out of memory");
	if (!e)
		e = open_device(t, why, cap);
	if (!e)
		e = attach(t, why, cap);
	if (!e)
		e = set_offload(t, why, cap);
	if (!e)
		e = configure(t, why, cap);
	if (e)
		tap_close(t);
	return e;
}

void tap_close(struct tap *t)
{
	if (t->fd >= 0)
		close(t->fd);
	t->fd = -1;
	free(t->buffer);
	t->buffer = NULL;
}

/* ---- frames in ---- */

/* Bytes of headers in front of a TCP segment's text, as the segment says; 0: it is no TCP. */
static size_t tcp_text_at(struct span frame, size_t transport)
{
	if (frame.len < transport + TCP_HEADER)
		return 0;
	size_t header = (size_t)(frame.at[transport + 12] >> 4) * 4;
	if (header < TCP_HEADER || frame.len < transport + header)
		return 0;
	return transport + header;
}

/*
 * What the kernel says about a frame. Its header is the kernel's word, but the
 * lengths in it were made from a packet that anybody may have sent: what does not
 * add up is taken as a plain frame, which the stack then checks itself.
 */
static struct rx_frame describe(const struct virtio_net_hdr *h, struct span frame)
{
	struct rx_frame f = rx_frame_of(frame.at, frame.len);
	if (h->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM)
		f.checksum = CHECKSUM_PARTIAL;
	else if (h->flags & VIRTIO_NET_HDR_F_DATA_VALID)
		f.checksum = CHECKSUM_VALID;
	unsigned type = h->gso_type & ~(unsigned)VIRTIO_NET_HDR_GSO_ECN;
	if (type != VIRTIO_NET_HDR_GSO_TCPV4 && type != VIRTIO_NET_HDR_GSO_TCPV6)
		return f;
	size_t text = tcp_text_at(frame, h->csum_start);
	if (!text || !h->gso_size || !(h->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM))
		return f;
	size_t segments = (frame.len - text + h->gso_size - 1) / h->gso_size;
	f.seg_size = h->gso_size;
	f.seg_count = (uint16_t)(segments ? segments : 1);
	return f;
}

/* One read: its length; 0: nothing waits, or the device is down (EIO) or deleted (EBADFD). */
static size_t read_device(struct tap *t, size_t room, bool *gone)
{
	ssize_t n;
	do
		n = read(t->fd, t->buffer, room);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		*gone = errno == EBADFD || errno == EBADF;
	return n < 0 ? 0 : (size_t)n;
}

struct span tap_read(struct tap *t, bool *gone)
{
	assert(!t->offload);
	return span_of(t->buffer, read_device(t, TAP_FRAME, gone));
}

unsigned tap_receive(
	struct tap *t, struct stack *s, struct netif *nif, nanotime now, unsigned max, bool *gone)
{
	size_t extra = t->offload ? TAP_VNET : 0;
	for (unsigned count = 0; count < max; count++) {
		size_t n = read_device(t, extra + TAP_FRAME, gone);
		if (!n)
			return count;
		if (n <= extra)
			continue;
		struct span bytes = span_of(t->buffer + extra, n - extra);
		struct rx_frame frame = rx_frame_of(bytes.at, bytes.len);
		if (extra) {
			struct virtio_net_hdr h;
			memcpy(&h, t->buffer, sizeof h);
			frame = describe(&h, bytes);
		}
		stack_receive(s, nif, &frame, now);
	}
	return max;
}

/* ---- frames out ---- */

/* The header for a frame whose checksum or segmentation is left to the kernel. */
static struct virtio_net_hdr instruct(const struct tx_frame *frame)
{
	struct virtio_net_hdr h = { 0 };
	if (frame->checksum != CHECKSUM_PARTIAL)
		return h;
	struct span head = frame_head(frame);
	size_t start = (size_t)(frame->checksum_start - frame->head);
	h.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
	h.csum_start = (uint16_t)start;
	h.csum_offset = frame->checksum_offset;
	size_t text = frame->seg_size ? tcp_text_at(head, start) : 0;
	if (text && frame->seg_count > 1) {
		size_t type = load16(head.at + 12) == ETHERTYPE_VLAN ? 16 : 12;
		bool v6 = load16(head.at + type) == ETHERTYPE_IP6;
		h.gso_type = v6 ? VIRTIO_NET_HDR_GSO_TCPV6 : VIRTIO_NET_HDR_GSO_TCPV4;
		h.gso_size = frame->seg_size;
		h.hdr_len = (uint16_t)text;
	}
	return h;
}

static bool transmit(void *link, struct netif *nif, const struct tx_frame *frame, nanotime now)
{
	(void)now;
	struct tap *t = link;
	struct iovec io[2 + FRAME_SPANS];
	int pieces = 0;
	struct virtio_net_hdr h;
	if (t->offload) {
		h = instruct(frame);
		io[pieces++] = (struct iovec){ .iov_base = &h, .iov_len = sizeof h };
	}
	struct span head = frame_head(frame);
	io[pieces++] = (struct iovec){ .iov_base = (void *)(uintptr_t)head.at,
		.iov_len = head.len };
	for (unsigned i = 0; i < frame->spans; i++)
		io[pieces++] = (struct iovec){ .iov_base = (void *)(uintptr_t)frame->body[i].at,
			.iov_len = frame->body[i].len };
	ssize_t n;
	do
		n = writev(t->fd, io, pieces);
	while (n < 0 && errno == EINTR);
	if (n >= 0)
		return true;
	if (errno == EAGAIN)
		nif->blocked = true; /* the loop clears it when poll says that there is room */
	t->lost++;
	return false;
}

bool tap_write(struct tap *t, struct span frame, bool *gone)
{
	assert(!t->offload);
	ssize_t n;
	do
		n = write(t->fd, frame.at, frame.len);
	while (n < 0 && errno == EINTR);
	if (n >= 0)
		return true;
	*gone = errno == EBADFD || errno == EBADF;
	t->lost++;
	return false;
}

const struct link_ops tap_ops = { .name = "tap", .transmit = transmit };
