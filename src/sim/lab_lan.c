/* lab:lan, the smallest network in which ARP makes sense: two machines and a switch. */
#include "sim/lab_build.h"

static const struct plan_machine machine[] = {
	{ .name = "client", .role = "the machine that you sit at" },
	{ .name = "server", .role = "name server and web server" },
	{ .name = NULL },
};

static const char *const segment[] = { "switch", NULL };

static const struct plan_cable cable[] = {
	{ .name = "client cable",
		.a = "client/eth0",
		.b = "switch",
		.config = { .rate = 1000000000, .delay = 500 } },
	{ .name = "server cable",
		.a = "server/eth0",
		.b = "switch",
		.config = { .rate = 1000000000, .delay = 500 } },
	{ .name = NULL },
};

static const struct plan_address address[] = {
	{ "client/eth0", "192.168.1.100/24" },
	{ "client/eth0", "2001:db8:1::100/64" },
	{ "server/eth0", "192.168.1.10/24" },
	{ "server/eth0", "2001:db8:1::10/64" },
	{ NULL, NULL },
};

static const struct plan plan = {
	.machine = machine,
	.segment = segment,
	.cable = cable,
	.address = address,
};

static const struct lab_host host[] = {
	{ "www.example.test", "192.168.1.10" },
	{ "www.example.test", "2001:db8:1::10" },
	{ "ns.example.test", "192.168.1.10" },
	{ "ns.example.test", "2001:db8:1::10" },
	{ NULL, NULL },
};

static const char *const dns_address[] = { "192.168.1.10", "2001:db8:1::10", NULL };

const struct lab_kind lab_lan = {
	.info = { .name = "lan",
		.line = "two machines on one Ethernet segment, no router",
		.drawing = "        192.168.1.0/24, 2001:db8:1::/64, 1 Gbit/s\n"
			   "\n"
			   "  +--------+     o--------o     +--------+\n"
			   "  | client |-----| switch |-----| server |\n"
			   "  +--------+     o--------o     +--------+\n"
			   "     .100                          .10\n",
		.url = "http://www.example.test/" },
	.plan = &plan,
	.client = "client",
	.main_link = "server cable",
	.dns = "server",
	.web = "server",
	.dns_address = dns_address,
	.host = host,
	.zone_lines = "",
};
