/*
 * A machine: one stack on this host with its memory, its TAP device, its secrets
 * and its loop, ready to run. What the command line and the public interface
 * have read as text comes here as values.
 */
#ifndef STRATA_HOST_MACHINE_H
#define STRATA_HOST_MACHINE_H

#include "host/capture_file.h"
#include "host/loop.h"
#include "host/tap.h"

#define MACHINE_ADDRESSES 4

struct machine_address {
	struct addr address;
	uint8_t prefix;
};

struct machine_options {
	const char *tap; /* the device's name */
	bool offload;    /* checksums and segmentation are left to the kernel */
	struct machine_address address[MACHINE_ADDRESSES];
	unsigned addresses;
	struct addr gateway[MACHINE_ADDRESSES]; /* default routers */
	unsigned gateways;
	bool has_mac;
	struct mac mac;
	uint16_t mtu;     /* 0: the device's */
	const char *pcap; /* a capture; NULL: none */
	const struct stack_config
		*config; /* NULL: stack_config_default; secret and checksum are set here */
};

struct machine {
	struct tap tap;
	struct loop loop;
	struct stack *stack;
	struct netif *nif;
	void *memory;
	size_t memory_size;
	struct capture_file *capture;
	uint8_t secret[32]; /* for applications' own keys: not the stack's */
	/* What the stack traces goes to the capture and then here. */
	void (*sink)(void *user, const struct trace_event *event);
	void *sink_user;
};

/* NULL, *error and in `why` one line: what, why, and what to do. */
struct machine *machine_open(
	const struct machine_options *o, enum error *error, char *why, size_t cap);
/* Hears what the stack traces; NULL: nobody. The capture goes on. */
void machine_listen(
	struct machine *m, void (*sink)(void *, const struct trace_event *), void *user);
/* False: the capture could not be written whole. */
bool machine_close(struct machine *m);

#endif
