/*
 * Socket options that Linux has and that change nothing here: they are taken, checked as
 * there, and told again.
 */
#include "posix/posix_file.h"

/* A truth is told as 0 or 1. */
enum inert_kind { TRUTH, ZERO_OR_ONE, NOT_BELOW_ZERO, ANY, FORGOTTEN };
static const struct {
	int level, name;
	enum inert_kind kind;
} inert[] = {
	{ LINUX_SOL_SOCKET, LINUX_SO_PRIORITY, ANY },
	{ LINUX_SOL_SOCKET, LINUX_SO_MARK, ANY },
	{ LINUX_SOL_SOCKET, LINUX_SO_DEBUG, TRUTH },
	{ LINUX_SOL_SOCKET, LINUX_SO_DONTROUTE, TRUTH },
	{ LINUX_SOL_SOCKET, LINUX_SO_BROADCAST, TRUTH },
	{ LINUX_SOL_SOCKET, LINUX_SO_NO_CHECK, TRUTH },
	{ LINUX_SOL_SOCKET, LINUX_SO_BSDCOMPAT, FORGOTTEN },
	{ LINUX_SOL_SOCKET, LINUX_SO_RXQ_OVFL, TRUTH },
	{ LINUX_SOL_SOCKET, LINUX_SO_NOFCS, TRUTH },
	{ LINUX_SOL_SOCKET, LINUX_SO_LOCK_FILTER, TRUTH },
	{ LINUX_SOL_SOCKET, LINUX_SO_SELECT_ERR_QUEUE, TRUTH },
	{ LINUX_SOL_SOCKET, LINUX_SO_BUSY_POLL, NOT_BELOW_ZERO },
	{ LINUX_SOL_SOCKET, LINUX_SO_TIMESTAMP, TRUTH },
	{ LINUX_SOL_SOCKET, LINUX_SO_TIMESTAMPNS, TRUTH },
	{ LINUX_SOL_SOCKET, LINUX_SO_INCOMING_CPU, ANY },
	{ LINUX_SOL_TCP, LINUX_TCP_THIN_LINEAR_TIMEOUTS, ZERO_OR_ONE },
	{ LINUX_SOL_TCP, LINUX_TCP_THIN_DUPACK, ZERO_OR_ONE },
	{ LINUX_SOL_IP, LINUX_IP_FREEBIND, TRUTH },
	{ LINUX_SOL_IP, LINUX_IP_TRANSPARENT, TRUTH },
	{ LINUX_SOL_IP, LINUX_IP_PKTINFO, TRUTH },
	{ LINUX_SOL_IP, LINUX_IP_RECVTTL, TRUTH },
	{ LINUX_SOL_IP, LINUX_IP_RECVTOS, TRUTH },
	{ LINUX_SOL_IP, LINUX_IP_BIND_ADDRESS_NO_PORT, TRUTH },
	{ LINUX_SOL_IPV6, LINUX_IPV6_FREEBIND, TRUTH },
	{ LINUX_SOL_IPV6, LINUX_IPV6_RECVPKTINFO, TRUTH },
	{ LINUX_SOL_IPV6, LINUX_IPV6_RECVHOPLIMIT, TRUTH },
	{ LINUX_SOL_IPV6, LINUX_IPV6_RECVTCLASS, TRUTH },
};
static_assert(sizeof inert / sizeof *inert == POSIX_INERT, "a place for each");

static int place_of(int level, int name)
{
	for (int i = 0; i < POSIX_INERT; i++)
		if (inert[i].level == level && inert[i].name == name)
			return i;
	return -1;
}

const int *option_inert(const struct file *f, int level, int name)
{
	int at = place_of(level, name);
	return at < 0 ? NULL : &f->inert[at];
}

int64_t option_set_inert(struct file *f, int level, int name, int n)
{
	int at = place_of(level, name);
	enum inert_kind kind = inert[at].kind;
	if ((kind == ZERO_OR_ONE && (n < 0 || n > 1)) || (kind == NOT_BELOW_ZERO && n < 0))
		return -LINUX_EINVAL;
	if (kind != FORGOTTEN)
		f->inert[at] = kind == TRUTH ? n != 0 : n;
	return 0;
}

int64_t option_set_device(struct file *f, const char *name, uint32_t len)
{
	uint32_t n = 0;
	while (n < len && name[n])
		n++;
	if (n && (n != sizeof POSIX_DEVICE - 1 || memcmp(name, POSIX_DEVICE, n) != 0))
		return -LINUX_ENODEV;
	f->device_bound = n > 0;
	return 0;
}
