/*
 * lab:synflood: a server under a flood of SYNs from addresses where nobody is. The
 * flood is a million SYNs long and begins with the lab; the server answers with SYN
 * cookies once three quarters of its half-open connections are taken, so that the
 * client hardly notices. (With cookies off, a half-open connection of the client
 * would be pushed out long before its ACK comes: 512 of them at 20,000 SYNs a second
 * last 26 ms, and the client is 40 ms away.)
 */
#include "sim/lab_build.h"
#include "sim/syn_flood.h"

static const struct plan_machine machine[] = {
	{ .name = "client", .role = "the machine that you sit at" },
	{ .name = "gateway", .role = "the server's router", .router = true },
	{ .name = "server", .role = "name server and web server, the flood's victim" },
	{ .name = NULL },
};

static const char *const segment[] = { "exchange", "rack", NULL };

static const struct plan_cable cable[] = {
	{ .name = "access",
		.a = "client/eth0",
		.b = "exchange",
		.config = { .rate = 100000000, .delay = 20 * NANO_MS } },
	{ .name = "gateway cable",
		.a = "gateway/wan0",
		.b = "exchange",
		.config = { .rate = 1000000000, .delay = 500 } },
	{ .name = "inner cable",
		.a = "gateway/lan0",
		.b = "rack",
		.config = { .rate = 1000000000, .delay = 500 } },
	{ .name = "server cable",
		.a = "server/eth0",
		.b = "rack",
		.config = { .rate = 1000000000, .delay = 500 } },
	{ .name = NULL },
};

static const struct plan_address address[] = {
	{ "client/eth0", "203.0.113.10/24" },
	{ "client/eth0", "2001:db8:3::10/64" },
	{ "gateway/wan0", "203.0.113.1/24" },
	{ "gateway/wan0", "2001:db8:3::1/64" },
	{ "gateway/lan0", "192.0.2.1/24" },
	{ "gateway/lan0", "2001:db8:2::1/64" },
	{ "server/eth0", "192.0.2.80/24" },
	{ "server/eth0", "2001:db8:2::80/64" },
	{ NULL, NULL },
};

/* What the server answers goes back to where the flood comes from. */
static const struct plan_route route[] = {
	{ "client/eth0", "default", "203.0.113.1" },
	{ "client/eth0", "default", "2001:db8:3::1" },
	{ "gateway/wan0", "198.18.0.0/15", "203.0.113.66" },
	{ "server/eth0", "default", "192.0.2.1" },
	{ "server/eth0", "default", "2001:db8:2::1" },
	{ NULL, NULL, NULL },
};

static const struct plan plan = {
	.machine = machine,
	.segment = segment,
	.cable = cable,
	.address = address,
	.route = route,
};

static const struct lab_host host[] = {
	{ "www.example.test", "192.0.2.80" },
	{ "www.example.test", "2001:db8:2::80" },
	{ "ns.example.test", "192.0.2.80" },
	{ "ns.example.test", "2001:db8:2::80" },
	{ NULL, NULL },
};

static const char *const dns_address[] = { "192.0.2.80", "2001:db8:2::80", NULL };

static const char *start_flood(struct lab *l)
{
	struct eth_switch *exchange = NULL;
	struct node *gateway = world_node(l->world, "gateway");
	list_each(at, &l->world->switches)
	{
		struct eth_switch *s = list_entry(at, struct eth_switch, in_world);
		if (strcmp(s->name, "exchange") == 0)
			exchange = s;
	}
	assert(exchange && gateway);
	struct syn_flood_config c = {
		.mac = { { 0x02, 0x66, 0x6c, 0x6f, 0x6f, 0x64 } },
		.next_hop = node_netif(gateway, "wan0")->mac,
		.from = addr_from4((const uint8_t[]){ 198, 18, 0, 0 }),
		.hosts = 1u << 17,
		.victim = addr_from4((const uint8_t[]){ 192, 0, 2, 80 }),
		.port = 80,
		.interval = 50 * NANO_US,
		.count = 1000000,
	};
	struct addr self = addr_from4((const uint8_t[]){ 203, 0, 113, 66 });
	if (node_neighbour(gateway, "wan0", &self, &c.mac) != ERR_OK)
		return "the gateway can't know the flood's machine";
	struct syn_flood *f = syn_flood_new(l->world, "attacker", &c);
	struct link_config cord = { .rate = 1000000000, .delay = 500 };
	link_connect(l->world, "attacker cable", &f->port, switch_port(exchange), &cord, NULL);
	return NULL;
}

const struct lab_kind lab_synflood = {
	.info = { .name = "synflood",
		.line = "a web server under a flood of a million SYNs from false addresses",
		.drawing = "       203.0.113.0/24                      192.0.2.0/24\n"
			   "  +--------+ 20 ms  o----------o  +---------+  o------o  +--------+\n"
			   "  | client |--------| exchange |--| gateway |--| rack |--| server |\n"
			   "  +--------+        o----+-----o  +---------+  o------o  +--------+\n"
			   "     .10                 |         .1     .1                .80\n"
			   "                    +----+-----+\n"
			   "                    | attacker |  20,000 SYNs/s of 198.18.0.0/15\n"
			   "                    +----------+\n"
			   "                        .66\n"
			   "  IPv6: 2001:db8:3::/64                    2001:db8:2::/64\n",
		.url = "http://www.example.test/" },
	.plan = &plan,
	.client = "client",
	.main_link = "access",
	.dns = "server",
	.web = "server",
	.dns_address = dns_address,
	.host = host,
	.zone_lines = "",
	.more = start_flood,
};
