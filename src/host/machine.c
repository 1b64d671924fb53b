/*
 * Opening a machine goes from what may fail for the user's reasons (the device)
 * to what may fail for ours. The secrets come from the system's entropy. The
 * link address is made from the host's identity, the device's name and our
 * first address: locally administered (IEEE 802c), unlike any other machine's on
 * the segment, and the same at the next start, so that the neighbours' caches
 * stay true.
 */
#include "host/machine.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "host/cpu.h"
#include "host/entropy.h"
#include "host/hostclock.h"
#include "host/pages.h"

/* Takes what identifies this host; nothing where there is none (a bare container). */
static size_t host_identity(uint8_t *out, size_t cap)
{
	int fd = open("/etc/machine-id", O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	ssize_t n = read(fd, out, cap);
	close(fd);
	return n > 0 ? (size_t)n : 0;
}

static struct mac make_mac(const struct machine_options *o)
{
	static const struct hash_key key = { { UINT64_C(0x7374726174612d31), 0 } };
	uint8_t seed[128] = { 0 };
	size_t len = host_identity(seed, 64);
	size_t name = strlen(o->tap);
	memcpy(seed + len, o->tap, name < TAP_NAME_MAX ? name : TAP_NAME_MAX);
	len += TAP_NAME_MAX;
	if (o->addresses) {
		memcpy(seed + len, o->address[0].address.b, 16);
		len += 16;
	}
	struct mac m;
	uint64_t hash = siphash24(&key, span_of(seed, len));
	memcpy(m.b, &hash, sizeof m.b);
	m.b[0] = (uint8_t)((m.b[0] & 0xf0) | 0x02); /* unicast; local, quadrant AAI */
	return m;
}

static void hear(void *user, const struct trace_event *event)
{
	struct machine *m = user;
	if (m->capture)
		capture_file_event(m->capture, event);
	if (m->sink)
		m->sink(m->sink_user, event);
}

static void tune_sink(struct machine *m)
{
	stack_set_trace(m->stack, m->capture || m->sink ? hear : NULL, m);
}

void machine_listen(struct machine *m, void (*sink)(void *, const struct trace_event *), void *user)
{
	m->sink = sink;
	m->sink_user = user;
	tune_sink(m);
}

/* ---- opening ---- */

static enum error make_stack(struct machine *m, const struct machine_options *o, const char **why)
{
	struct stack_config c;
	if (o->config)
		c = *o->config;
	else
		stack_config_default(&c);
	c.checksum = cpu_checksum();
	*why = "the system has no entropy";
	if (!entropy_fill(c.secret, sizeof c.secret) || !entropy_fill(m->secret, sizeof m->secret))
		return ERR_SYSTEM;
	*why = stack_config_check(&c);
	if (*why)
		return ERR_ARGUMENT;
	m->memory_size = stack_memory(&c);
	m->memory = pages_map(m->memory_size);
	*why = "no address space for the stack's tables";
	if (!m->memory)
		return ERR_MEMORY;
	m->stack = stack_create(&c, m->memory, m->memory_size, clock_now(), why);
	return m->stack ? ERR_OK : ERR_ARGUMENT;
}

static enum error make_netif(struct machine *m, const struct machine_options *o, const char **why)
{
	const struct netif_config c = {
		.name = m->tap.name,
		.mac = o->has_mac ? o->mac : make_mac(o),
		.mtu = o->mtu && o->mtu < m->tap.mtu ? o->mtu : m->tap.mtu,
		.features = o->offload ? LINK_CHECKSUM | LINK_GSO : 0,
		.ops = &tap_ops,
		.link = &m->tap,
	};
	m->nif = stack_add_netif(m->stack, &c, why);
	return m->nif ? ERR_OK : ERR_ARGUMENT;
}

/* Is this router on one of our own networks? */
static bool on_link(const struct machine_options *o, const struct addr *router)
{
	if (!addr_is4(router) && addr_is_linklocal(router))
		return true;
	for (unsigned i = 0; i < o->addresses; i++)
		if (addr_is4(router) == addr_is4(&o->address[i].address) &&
			addr_in_prefix(router, &o->address[i].address, o->address[i].prefix))
			return true;
	return false;
}

static enum error add_addresses(
	struct machine *m, const struct machine_options *o, char *why, size_t cap)
{
	char text[ADDR_TEXT_MAX];
	for (unsigned i = 0; i < o->addresses; i++) {
		const struct machine_address *a = &o->address[i];
		enum error e = stack_add_address(m->stack, m->nif, &a->address, a->prefix);
		if (e) {
			addr_format(&a->address, text);
			snprintf(why, cap, "address %s/%u: %s", text, a->prefix, error_text(e));
			return e;
		}
	}
	for (unsigned i = 0; i < o->gateways; i++) {
		const struct addr *g = &o->gateway[i];
		const struct addr any = addr_is4(g) ? addr_from4((const uint8_t[4]){ 0 })
						    : ADDR_ANY;
		enum error e = on_link(o, g) ? stack_add_route(m->stack, &any, 0, g, m->nif)
					     : ERR_NO_ROUTE;
		if (e) {
			addr_format(g, text);
			snprintf(why, cap, "gateway %s: %s", text,
				e == ERR_NO_ROUTE
					? "is on none of our own networks: a router must be "
					  "a neighbour"
					: e == ERR_IN_USE ? "there is another one: one for each "
							    "of IPv4 and IPv6"
							  : error_text(e));
			return e == ERR_IN_USE ? ERR_ARGUMENT : e;
		}
	}
	return ERR_OK;
}

static unsigned receive(
	void *link, struct stack *s, struct netif *nif, nanotime now, unsigned max, bool *gone)
{
	return tap_receive(link, s, nif, now, max, gone);
}

static enum error make_loop(struct machine *m)
{
	if (!loop_init(&m->loop, m->stack))
		return ERR_SYSTEM;
	loop_add_link(&m->loop,
		&(struct loop_link){
			.fd = m->tap.fd,
			.nif = m->nif,
			.link = &m->tap,
			.receive = receive,
		});
	return ERR_OK;
}

static enum error build(struct machine *m, const struct machine_options *o, char *why, size_t cap)
{
	const char *reason = "the system has no file descriptor left";
	enum error e = make_stack(m, o, &reason);
	if (!e)
		e = make_netif(m, o, &reason);
	if (!e)
		e = make_loop(m);
	if (e) {
		snprintf(why, cap, "%s: %s", m->tap.name, reason);
		return e;
	}
	if (o->pcap) {
		m->capture = capture_file_open(o->pcap, m->nif, &e, why, cap);
		if (!m->capture)
			return e;
		loop_add_app(&m->loop, capture_file_app(m->capture));
		tune_sink(m);
	}
	return add_addresses(m, o, why, cap);
}

struct machine *machine_open(
	const struct machine_options *o, enum error *error, char *why, size_t cap)
{
	struct machine *m = calloc(1, sizeof *m);
	if (!m) {
		*error = ERR_MEMORY;
		snprintf(why, cap, "out of memory");
		return NULL;
	}
	m->loop.kick = m->loop.poller = m->loop.timer = -1;
	*error = tap_open(&m->tap, o->tap, o->offload, why, cap);
	if (!*error)
		*error = build(m, o, why, cap);
	if (!*error)
		return m;
	machine_close(m);
	return NULL;
}

bool machine_close(struct machine *m)
{
	bool good = true;
	if (m->stack)
		stack_set_trace(m->stack, NULL, NULL);
	if (m->capture)
		good = capture_file_close(m->capture);
	loop_free(&m->loop);
	tap_close(&m->tap);
	pages_unmap(m->memory, m->memory_size);
	free(m);
	return good;
}
