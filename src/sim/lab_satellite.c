/*
 * lab:satellite: a geostationary satellite between client and server. Each way is
 * 300 ms long (36,000 km up and down again, and some equipment), so that round trips
 * are what everything costs: here one sees what Fast Open saves, and what a window
 * that can't be scaled loses.
 *
 * The satellite link is a line between two machines that know each other: no ARP or
 * ND over it.
 */
#include "sim/lab_build.h"

static const struct plan_machine machine[] = {
	{ .name = "client", .role = "the machine that you sit at" },
	{ .name = "server", .role = "name server and web server" },
	{ .name = NULL },
};

static const struct plan_cable cable[] = {
	{ .name = "satellite",
		.a = "client/sat0",
		.b = "server/sat0",
		.line = true,
		.config = { .rate = 20000000, .delay = 300 * NANO_MS } },
	{ .name = NULL },
};

static const struct plan_address address[] = {
	{ "client/sat0", "203.0.113.2/30" },
	{ "client/sat0", "2001:db8:5::2/64" },
	{ "server/sat0", "203.0.113.1/30" },
	{ "server/sat0", "2001:db8:5::1/64" },
	{ NULL, NULL },
};

static const struct plan plan = {
	.machine = machine,
	.cable = cable,
	.address = address,
};

static const struct lab_host host[] = {
	{ "www.example.test", "203.0.113.1" },
	{ "www.example.test", "2001:db8:5::1" },
	{ "ns.example.test", "203.0.113.1" },
	{ "ns.example.test", "2001:db8:5::1" },
	{ NULL, NULL },
};

static const char *const dns_address[] = { "203.0.113.1", "2001:db8:5::1", NULL };

const struct lab_kind lab_satellite = {
	.info = { .name = "satellite",
		.line = "two machines and a geostationary satellite between them: 600 ms",
		.drawing = "                          .-----------.\n"
			   "                 300 ms  /  satellite  \\  300 ms\n"
			   "                        '               '\n"
			   "  +--------+           /    20 Mbit/s    \\           +--------+\n"
			   "  | client |----------'                   '----------| server |\n"
			   "  +--------+                                         +--------+\n"
			   "      .2        203.0.113.0/30, 2001:db8:5::/64          .1\n",
		.url = "http://www.example.test/" },
	.plan = &plan,
	.client = "client",
	.main_link = "satellite",
	.dns = "server",
	.web = "server",
	.dns_address = dns_address,
	.host = host,
	.zone_lines = "",
};
