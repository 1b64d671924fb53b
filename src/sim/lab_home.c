/*
 * lab:home, the network that everybody knows: a home, a provider, and servers
 * some way off; and lab:lossy, the same on a bad day. No address is translated
 * on the way: the provider has a route to the home network, so that every packet
 * is seen from end to end as it was sent.
 *
 * The wide-area link is a line between two routers, which know each other: no
 * ARP or ND there, as on a PPP line, so a first packet does not pay an extra
 * round trip that a real one would not pay either.
 */
#include "sim/lab_build.h"

#define DRAWING(line1) \
	"   home network            wide-area link            server network\n" \
	"  192.168.1.0/24           203.0.113.0/30             192.0.2.0/24\n" \
	"                           " line1 "\n" \
	"  +--------+  o------o  +--------+        +----------+  o------o  +-----+\n" \
	"  | client |--| home |--| router |========| provider |--| rack |--| dns |\n" \
	"  +--------+  o------o  +--------+        +----------+  o--+---o  +-----+\n" \
	"     .100                .1    .2          .1      .1      |        .53\n" \
	"                                                           |      +-----+\n" \
	"                                                           +------| web |\n" \
	"                                                                  +-----+\n" \
	"                                                                    .80\n" \
	"  IPv6: 2001:db8:1::/64         2001:db8:f::/64        2001:db8:2::/64\n"

/* 100 m of cable at two thirds of the speed of light: 500 ns. */
#define GIGABIT \
	{ \
		.rate = 1000000000, .delay = 500 \
	}
#define TEN_GIGABIT \
	{ \
		.rate = UINT64_C(10000000000), .delay = 50 \
	}

static const struct plan_machine machine[] = {
	{ .name = "client", .role = "the machine that you sit at" },
	{ .name = "router", .role = "home router", .router = true },
	{ .name = "provider", .role = "the provider's router", .router = true },
	{ .name = "dns", .role = "name server" },
	{ .name = "web", .role = "web server" },
	{ .name = NULL },
};

static const char *const segment[] = { "home", "rack", NULL };

#define LAN_CABLES \
	{ .name = "client cable", .a = "client/eth0", .b = "home", .config = GIGABIT }, \
		{ .name = "router cable", .a = "router/lan0", .b = "home", .config = GIGABIT }, \
		{ .name = "provider cable", \
			.a = "provider/lan0", \
			.b = "rack", \
			.config = TEN_GIGABIT }, \
		{ .name = "dns cable", .a = "dns/eth0", .b = "rack", .config = TEN_GIGABIT }, \
		{ .name = "web cable", .a = "web/eth0", .b = "rack", .config = TEN_GIGABIT }, \
	{ \
		.name = NULL \
	}

static const struct plan_cable home_cable[] = {
	{ .name = "wan",
		.a = "router/wan0",
		.b = "provider/wan0",
		.line = true,
		.config = { .rate = 100000000, .delay = 20 * NANO_MS } },
	LAN_CABLES,
};

static const struct plan_cable lossy_cable[] = {
	{ .name = "wan",
		.a = "router/wan0",
		.b = "provider/wan0",
		.line = true,
		.config = { .rate = 100000000,
			.delay = 20 * NANO_MS,
			.faults = { .loss = 20000,
				.reorder = 10000,
				.reorder_by = 3,
				.reorder_delay = 5 * NANO_MS,
				.duplicate = 10000,
				.jitter = NANO_MS,
				.jitter_kind = JITTER_NORMAL } } },
	LAN_CABLES,
};

static const struct plan_address address[] = {
	{ "client/eth0", "192.168.1.100/24" },
	{ "client/eth0", "2001:db8:1::100/64" },
	{ "router/lan0", "192.168.1.1/24" },
	{ "router/lan0", "2001:db8:1::1/64" },
	{ "router/wan0", "203.0.113.2/30" },
	{ "router/wan0", "2001:db8:f::2/64" },
	{ "provider/wan0", "203.0.113.1/30" },
	{ "provider/wan0", "2001:db8:f::1/64" },
	{ "provider/lan0", "192.0.2.1/24" },
	{ "provider/lan0", "2001:db8:2::1/64" },
	{ "dns/eth0", "192.0.2.53/24" },
	{ "dns/eth0", "2001:db8:2::53/64" },
	{ "web/eth0", "192.0.2.80/24" },
	{ "web/eth0", "2001:db8:2::80/64" },
	{ NULL, NULL },
};

static const struct plan_route route[] = {
	{ "client/eth0", "default", "192.168.1.1" },
	{ "client/eth0", "default", "2001:db8:1::1" },
	{ "router/wan0", "default", "203.0.113.1" },
	{ "router/wan0", "default", "2001:db8:f::1" },
	{ "provider/wan0", "192.168.1.0/24", "203.0.113.2" },
	{ "provider/wan0", "2001:db8:1::/64", "2001:db8:f::2" },
	{ "dns/eth0", "default", "192.0.2.1" },
	{ "dns/eth0", "default", "2001:db8:2::1" },
	{ "web/eth0", "default", "192.0.2.1" },
	{ "web/eth0", "default", "2001:db8:2::1" },
	{ NULL, NULL, NULL },
};

static const struct plan home_plan = {
	.machine = machine,
	.segment = segment,
	.cable = home_cable,
	.address = address,
	.route = route,
};

static const struct plan lossy_plan = {
	.machine = machine,
	.segment = segment,
	.cable = lossy_cable,
	.address = address,
	.route = route,
};

static const struct lab_host host[] = {
	{ "www.example.test", "192.0.2.80" },
	{ "www.example.test", "2001:db8:2::80" },
	{ "example.test", "192.0.2.80" },
	{ "example.test", "2001:db8:2::80" },
	{ "ns.example.test", "192.0.2.53" },
	{ "ns.example.test", "2001:db8:2::53" },
	{ "ipv4.example.test", "192.0.2.80" },
	{ "ipv6.example.test", "2001:db8:2::80" },
	{ "router.example.test", "192.168.1.1" },
	{ "router.example.test", "2001:db8:1::1" },
	{ "nobody.example.test", "192.0.2.99" }, /* an address that no machine has */
	{ NULL, NULL },
};

static const char zone_lines[] = "web IN CNAME www\n"
				 "@ IN MX 10 mail\n"
				 "@ IN TXT \"a network that fits in one process\"\n";

static const char *const dns_address[] = { "192.0.2.53", "2001:db8:2::53", NULL };

const struct lab_kind lab_home = {
	.info = { .name = "home",
		.line = "a home network, a 20 ms wide-area link, a name server and a web server",
		.drawing = DRAWING("20 ms each way, 100 Mbit/s"),
		.url = "http://www.example.test/" },
	.plan = &home_plan,
	.client = "client",
	.main_link = "wan",
	.dns = "dns",
	.web = "web",
	.dns_address = dns_address,
	.host = host,
	.zone_lines = zone_lines,
};

const struct lab_kind lab_lossy = {
	.info = { .name = "lossy",
		.line = "lab:home on a bad day: 2 % loss, reordering, duplicates and jitter",
		.drawing = DRAWING("20 ms each way, 2 % loss"),
		.url = "http://www.example.test/" },
	.plan = &lossy_plan,
	.client = "client",
	.main_link = "wan",
	.dns = "dns",
	.web = "web",
	.dns_address = dns_address,
	.host = host,
	.zone_lines = zone_lines,
};
