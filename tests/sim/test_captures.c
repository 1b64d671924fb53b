/*
 * Captures, judged by tshark: nothing malformed, no wrong checksum, times to the
 * nanosecond, interface names, and a reason beside every packet.
 */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>

#include "packet/record.h"
#include "support/seed.h"
#include "support/visitor.h"

#define SUMS \
	"-o ip.check_checksum:TRUE -o tcp.check_checksum:TRUE -o udp.check_checksum:TRUE " \
	"-o tcp.desegment_tcp_streams:FALSE "

static char path[] = "/tmp/strata-capture-XXXXXX";
static char output[1 << 20];

/* tshark's output on the capture; false where there is no tshark. */
static bool tshark(const char *arguments)
{
	char command[1000];
	if (system("tshark --version >/dev/null 2>&1") != 0)
		return false;
	snprintf(command, sizeof command, "tshark -r %s " SUMS " %s 2>/dev/null", path, arguments);
	FILE *p = popen(command, "r");
	assert_non_null(p);
	size_t n = fread(output, 1, sizeof output - 1, p);
	output[n] = '\0';
	assert_int_equal(pclose(p), 0);
	return true;
}

static unsigned lines(void)
{
	unsigned n = 0;
	for (const char *c = output; *c; c++)
		n += *c == '\n';
	return n;
}

/* How many lines of the output hold a text. */
static unsigned count(const char *text)
{
	unsigned n = 0;
	for (const char *c = output; (c = strstr(c, text)); c += strlen(text))
		n++;
	return n;
}

static struct lab *open_lab(const char *name)
{
	char why[300] = "";
	struct lab *l = lab_open(
		name, &(struct lab_options){ .seed = test_seed() }, why, sizeof why);
	if (!l)
		fail_msg("%s", why);
	return l;
}

static struct sim_capture *open_capture(struct lab *l)
{
	char why[300] = "";
	struct sim_capture *c = sim_capture_open(lab_world(l), path, LAB_EPOCH, why, sizeof why);
	if (!c)
		fail_msg("%s", why);
	return c;
}

static void visit(struct lab *l, unsigned flags, const char *page)
{
	struct addr a[RESOLVER_ADDRESSES_MAX];
	uint8_t *whole;
	assert_int_equal(visitor_resolve(l, "www.example.test", flags, a), 1);
	assert_true(visitor_get(l, &a[0], page, &whole) > 0);
	free(whole);
}

static void assert_clean(unsigned frames)
{
	if (!tshark("-T fields -e frame.number"))
		skip();
	assert_int_equal(lines(), frames);
	tshark("-Y '_ws.malformed or ip.checksum.status==0 or tcp.checksum.status==0 or "
	       "udp.checksum.status==0 or icmp.checksum.status==0 or icmpv6.checksum.status==0'");
	assert_string_equal(output, "");
}

static void test_client(void **state)
{
	struct lab *l = open_lab("home");
	struct sim_capture *c = open_capture(l);
	struct addr named = addr_from4((const uint8_t[4]){ 192, 0, 2, 80 });
	(void)state;
	sim_capture_name(c, &named, "www.example.test");
	sim_capture_node(c, lab_client(l));
	nanotime start = lab_world(l)->now;
	visit(l, LOOKUP_A, "/");
	visit(l, LOOKUP_AAAA, "/big");
	unsigned frames = (unsigned)sim_capture_frames(c);
	assert_true(frames > 700);
	assert_true(sim_capture_close(c));
	lab_close(l);
	assert_clean(frames);
	/* The first frame asks for the router, at the lab's time to the nanosecond. */
	tshark("-c 3 -T fields -E separator=/t -e frame.time_epoch -e frame.interface_name "
	       "-e frame.packet_flags_direction -e frame.comment -e _ws.col.Protocol");
	char want[300];
	snprintf(want, sizeof want,
		"%lld.%09lld\tclient/eth0\t0x00000002\tsent ARP_ASK: ask who has the next hop's "
		"address\tARP\n",
		(long long)((LAB_EPOCH + start) / NANO_S),
		(long long)((LAB_EPOCH + start) % NANO_S));
	assert_memory_equal(output, want, strlen(want));
	tshark("-T fields -e frame.comment");
	assert_int_equal(count("sent SYN:"), 2);
	assert_int_equal(count("received: "), count("received: taken"));
	assert_true(count("received: ") + count("sent ") == frames);
	/* Its peer's name is in the file. */
	tshark("-N n -Y tcp.flags.syn==1 -T fields -e ip.dst_host");
	assert_non_null(strstr(output, "www.example.test"));
}

struct sums {
	unsigned sent, received;
};

static struct sums sums_of(struct lab *l)
{
	struct sums sums = { 0 };
	list_each(at, &lab_world(l)->nodes)
	{
		const struct counters *c = stack_counters(
			list_entry(at, struct node, in_world)->stack);
		sums.sent += (unsigned)c->tx_frames;
		sums.received += (unsigned)c->rx_frames;
	}
	return sums;
}

/* All machines of a bad day: the capture holds what each stack says that it sent and received. */
static void test_world(void **state)
{
	struct lab *l = open_lab("lossy");
	struct sim_capture *c = open_capture(l);
	struct sums before = sums_of(l);
	(void)state;
	sim_capture_world(c);
	visit(l, LOOKUP_A, "/big");
	unsigned sent = sums_of(l).sent - before.sent;
	unsigned received = sums_of(l).received - before.received;
	unsigned frames = (unsigned)sim_capture_frames(c);
	assert_true(sim_capture_close(c));
	lab_close(l);
	assert_int_equal(frames, sent + received);
	assert_clean(frames);
	tshark("-T fields -e frame.interface_name");
	assert_true(count("client/eth0") > 0 && count("router/lan0") > 0);
	assert_true(count("router/wan0") > 0 && count("web/eth0") > 0);
	tshark("-T fields -e frame.comment");
	assert_true(count("sent FAST_RETRANSMIT: ") + count("sent RTO_RETRANSMIT: ") > 0);
	assert_int_equal(count("sent ") - count(": sent again"), sent);
	assert_int_equal(count("received: ") + count("dropped by the "), received);
	assert_true(count("received: to be forwarded") > 500);
	assert_true(count("sent FORWARD: ") > 500);
}

/* On the link: each frame once, with what the link did to it. */
static void test_link(void **state)
{
	struct lab *l = open_lab("lossy");
	struct sim_capture *c = open_capture(l);
	struct link *wan = lab_main_link(l);
	(void)state;
	uint64_t before = wan->way[0].count.offered + wan->way[1].count.offered;
	sim_capture_link(c, wan);
	visit(l, LOOKUP_A, "/big");
	uint64_t lost = wan->way[0].count.lost[LINK_LOST_LOSS] +
		wan->way[1].count.lost[LINK_LOST_LOSS];
	uint64_t duplicated = wan->way[0].count.duplicated + wan->way[1].count.duplicated;
	unsigned frames = (unsigned)sim_capture_frames(c);
	assert_in_range(wan->way[0].count.offered + wan->way[1].count.offered - before, frames,
		frames + 50); /* some may still be in the queue */
	assert_true(sim_capture_close(c));
	lab_close(l);
	assert_clean(frames);
	tshark("-T fields -e frame.interface_name -e frame.comment");
	assert_int_equal(count("lost on the link: lost at random"), lost);
	assert_in_range(count("duplicated on the link"), duplicated * 8 / 10, duplicated);
	assert_true(count("router/wan0>provider/wan0") > 100);
	assert_true(count("provider/wan0>router/wan0") > 100);
}

/* A link without a link header: a capture of it holds packets, and says so. */
static void test_bare(void **state)
{
	struct world *w = world_new(&(struct world_config){ .seed = test_seed() });
	struct node *n[2];
	struct port *p[2];
	char why[300] = "";
	const char *broken = "";
	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		n[i] = node_new(w, i ? "right" : "left", NULL, &broken);
		p[i] = node_port_with(n[i], &(struct netif_config){
			.name = "ppp0", .mtu = 1500, .features = LINK_BARE });
		assert_int_equal(
			node_address(n[i], "ppp0", i ? "192.0.2.2/24" : "192.0.2.1/24"), ERR_OK);
		assert_int_equal(node_address(n[i], "ppp0",
			i ? "2001:db8::2/64" : "2001:db8::1/64"), ERR_OK);
	}
	struct link *l = link_connect(
		w, "serial", p[0], p[1], &(struct link_config){ .delay = NANO_MS }, NULL);
	struct sim_capture *c = sim_capture_open(w, path, LAB_EPOCH, why, sizeof why);
	assert_non_null(c);
	sim_capture_node(c, n[0]);
	sim_capture_link(c, l);
	static const uint8_t four[4] = { 192, 0, 2, 2 };
	static const uint8_t six[16] = { 0x20, 1, 0x0d, 0xb8, [15] = 2 };
	const struct addr to[] = { addr_from4(four), addr_from6(six) };
	for (unsigned i = 0; i < 2; i++) {
		sock_id id;
		const struct sock_options o = { 0 };
		assert_int_equal(sock_connect(node_use(n[0]), &o, &to[i], 9, &id), 0);
		world_run(w, w->now + NANO_S, NULL, NULL);
		assert_int_equal(sock_error(node_use(n[0]), id), ERR_REFUSED);
	}
	unsigned frames = (unsigned)sim_capture_frames(c);
	assert_true(sim_capture_close(c));
	world_free(w);
	assert_clean(frames);
	tshark("-Y tcp -T fields -E separator=/t -e frame.encap_type -e frame.protocols");
	/* SYN and reset, at the node and on the link */
	assert_int_equal(count("7\traw:ip:tcp"), 4);
	assert_int_equal(count("7\traw:ipv6:tcp"), 4);
}

static void test_cannot_write(void **state)
{
	struct lab *l = open_lab("lan");
	char why[300] = "";
	(void)state;
	assert_null(sim_capture_open(lab_world(l), "/nowhere/x.pcapng", 0, why, sizeof why));
	assert_string_equal(why, "cannot write /nowhere/x.pcapng");
	FILE *full = fopen("/dev/full", "wb");
	if (full) {
		struct sim_capture *c = sim_capture_stream(lab_world(l), full, 0);
		sim_capture_node(c, lab_client(l));
		assert_false(sim_capture_close(c));
		fclose(full);
	}
	/* One that is still open is closed with the world. */
	FILE *null = fopen("/dev/null", "wb");
	sim_capture_node(sim_capture_stream(lab_world(l), null, 0), lab_client(l));
	lab_close(l);
	fclose(null);
}

static int make_file(void **state)
{
	(void)state;
	int fd = mkstemp(path);
	return fd < 0 ? -1 : close(fd);
}

static int remove_file(void **state)
{
	(void)state;
	return unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_client),
		cmocka_unit_test(test_world),
		cmocka_unit_test(test_link),
		cmocka_unit_test(test_bare),
		cmocka_unit_test(test_cannot_write),
	};
	return test_seed_report(cmocka_run_group_tests(tests, make_file, remove_file));
}
