/*
 * TAP: an Ethernet segment between this program and the host's kernel. What we
 * write, the kernel receives on the device; what the kernel sends there, we
 * read. Frames go out by one writev each, gathered from the stack's memory.
 *
 * With `offload` each frame carries a small header (virtio_net_hdr) that hands
 * checksums and segmentation over in both directions: the kernel then gives and
 * takes super-frames of up to 64 KB.
 */
#ifndef STRATA_HOST_TAP_H
#define STRATA_HOST_TAP_H

#include "base/error.h"
#include "stack/stack.h"

#define TAP_NAME_MAX 15

struct tap {
	int fd;
	char name[TAP_NAME_MAX + 1];
	uint16_t mtu; /* the device's, when it was opened */
	bool offload;
	uint8_t *buffer; /* one frame, as it is read */
	uint64_t lost;   /* frames that the kernel did not take */
};

/*
 * Attaches to the device `name`, making it where it does not exist, and brings
 * it up. On an error `why` gets one line: what, why, and what to do.
 * ERR_ARGUMENT, ERR_NO_DEVICE, ERR_PERMISSION, ERR_IN_USE, ERR_SYSTEM.
 */
enum error tap_open(struct tap *t, const char *name, bool offload, char *why, size_t cap);
/* Detaches; a device that was made by tap_open disappears with it. */
void tap_close(struct tap *t);

/* Reads up to `max` frames and gives each to the stack; returns how many there were. Sets *gone
 * where the device has been deleted. */
unsigned tap_receive(
	struct tap *t, struct stack *s, struct netif *nif, nanotime now, unsigned max, bool *gone);
/*
 * Frames for who has no stack behind the device; it must be open without `offload`. tap_read gives
 * the next frame, valid until the next call; a length of 0: none waits. tap_write: false where the
 * kernel did not take it (the device is down), which is counted. *gone as above.
 */
struct span tap_read(struct tap *t, bool *gone);
bool tap_write(struct tap *t, struct span frame, bool *gone);
/* The link of a netif whose `link` is a struct tap. */
extern const struct link_ops tap_ops;

#endif
