/*
 * The walk of exchanges whose every number is known: an ordinary one, and those
 * in which something goes wrong.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "diag/walk_words.h"
#include "unit/diag/exchange.h"

#define MS NANO_MS

static int setup(void **state)
{
	struct exchange *x = malloc(sizeof *x);
	exchange_begin(x);
	*state = x;
	return 0;
}

static int teardown(void **state)
{
	free(*state);
	return 0;
}

/* ---- pieces of exchanges ---- */

static void look_up(struct exchange *x)
{
	trace_neighbour(x, &x->router, "none", "incomplete");
	arp(x, true, ARP_REQUEST);
	x->now += 1000;
	trace_neighbour(x, &x->router, "incomplete", "reachable");
	arp(x, false, ARP_REPLY);
	dns(x, true, 7, 30000);
	x->now += 40 * MS;
	dns(x, false, 7, 30000);
}

static void shake_hands(struct exchange *x)
{
	trace_state(x, "CLOSED", "SYN-SENT");
	tcp(x, true, (struct segment){ .flags = TCP_SYN, .why = WHY_SYN });
	x->now += 40 * MS;
	trace_state(x, "SYN-SENT", "ESTABLISHED");
	tcp(x, false, (struct segment){ .flags = TCP_SYN | TCP_ACK, .ack = 1 });
}

static void ask(struct exchange *x)
{
	tcp(x, true,
		(struct segment){ .flags = TCP_ACK | TCP_PSH,
			.seq = 1,
			.ack = 1,
			.text = "GET / HTTP/1.1\r\n\r\n",
			.why = WHY_DATA_LAST });
}

static void close_both(struct exchange *x, uint32_t ours, uint32_t theirs)
{
	tcp(x, true,
		(struct segment){
			.flags = TCP_FIN | TCP_ACK, .seq = ours, .ack = theirs, .why = WHY_FIN });
	x->now += 40 * MS;
	tcp(x, false,
		(struct segment){ .flags = TCP_FIN | TCP_ACK, .seq = theirs, .ack = ours + 1 });
	tcp(x, true,
		(struct segment){
			.flags = TCP_ACK, .seq = ours + 1, .ack = theirs + 1, .why = WHY_ACK_FIN });
}

static const struct walk_stage *stage(const struct exchange *x, enum walk_phase p, unsigned hop)
{
	for (unsigned i = 0; i < x->walk.stages; i++)
		if (x->walk.stage[i].phase == p && x->walk.stage[i].hop == hop)
			return &x->walk.stage[i];
	return NULL;
}

static void has_title(const struct exchange *x, uint32_t step, const char *text)
{
	char title[WALK_TITLE_MAX];
	size_t len = walk_title(&x->walk, &x->step[step], title, sizeof title);
	assert_int_equal(len, strlen(title));
	if (!strstr(title, text))
		fail_msg("step %u: \"%s\" does not say \"%s\"", step, title, text);
}

/* ---- an ordinary exchange ---- */

static void play_page(struct exchange *x)
{
	look_up(x);
	shake_hands(x);
	ask(x);
	x->now += 41 * MS;
	tcp(x, false,
		(struct segment){
			.flags = TCP_ACK,
			.seq = 1,
			.ack = 19,
			.text = "HTTP/1.1 200 OK\r\n\r\n",
		});
	tcp(x, true,
		(struct segment){ .flags = TCP_ACK, .seq = 19, .ack = 20, .why = WHY_ACK_NOW });
	x->now += 2 * MS;
	tcp(x, false,
		(struct segment){ .flags = TCP_ACK | TCP_PSH, .seq = 20, .ack = 19, .len = 1000 });
	close_both(x, 19, 1020);
	walk_now(x, 1000);
}

static void test_steps(void **state)
{
	static const enum walk_step_kind kinds[] = { STEP_NEIGHBOUR_ASK, STEP_NEIGHBOUR_ANSWER,
		STEP_NAME_ASK, STEP_NAME_ANSWER, STEP_SYN, STEP_SYN_ACK, STEP_DATA, STEP_DATA,
		STEP_ACK, STEP_DATA, STEP_FIN, STEP_FIN, STEP_ACK };
	static const enum walk_phase phases[] = { WALK_LOOKUP, WALK_LOOKUP, WALK_LOOKUP,
		WALK_LOOKUP, WALK_CONNECT, WALK_CONNECT, WALK_REQUEST, WALK_RESPONSE, WALK_RESPONSE,
		WALK_RESPONSE, WALK_CLOSE, WALK_CLOSE, WALK_CLOSE };
	struct exchange *x = *state;
	play_page(x);
	assert_int_equal(x->walk.steps, sizeof kinds / sizeof *kinds);
	for (unsigned i = 0; i < x->walk.steps; i++) {
		assert_int_equal(x->step[i].kind, kinds[i]);
		assert_int_equal(x->step[i].phase, phases[i]);
		assert_false(x->step[i].background || x->step[i].again || x->step[i].early);
	}
	assert_int_equal(x->step[0].states, 1);
	assert_int_equal(x->step[4].states, 1);
	assert_true(x->step[6].handshake);
	assert_false(x->step[8].handshake);
}

static void test_numbers_from_zero(void **state)
{
	struct exchange *x = *state;
	play_page(x);
	assert_int_equal(x->walk.flows, 1);
	assert_int_equal(x->walk.flow[0].iss, 0xfffffff0);
	assert_int_equal(x->walk.flow[0].irs, 5000);
	assert_int_equal(x->walk.flow[0].sent, 18);
	assert_int_equal(x->walk.flow[0].received, 1019);
	assert_int_equal(x->walk.flow[0].remote_mss, 1460);
	assert_int_equal(x->step[6].seq, 1);
	assert_int_equal(x->step[10].seq, 19); /* past zero on the wire */
	assert_int_equal(x->step[10].ack, 1020);
	assert_int_equal(x->step[12].ack, 1021);
}

static void test_hosts(void **state)
{
	struct exchange *x = *state;
	play_page(x);
	assert_int_equal(x->walk.hosts, 4);
	assert_int_equal(x->walk.host[0].roles, WALK_CLIENT);
	const struct walk_host *router = &x->walk.host[x->step[4].router];
	assert_int_equal(router->roles, WALK_ROUTER);
	assert_true(mac_equal(&router->mac, &router_mac));
	assert_true(addr_equal(&router->address[0], &x->router));
	const struct walk_host *dns_host = &x->walk.host[x->step[2].host];
	assert_int_equal(dns_host->roles, WALK_DNS);
	assert_int_equal(dns_host->nearest[0], 40 * MS);
	const struct walk_host *server = &x->walk.host[x->step[4].host];
	assert_int_equal(server->roles, WALK_SERVER);
	assert_int_equal(server->nearest[0], 40 * MS);
}

static void test_phases(void **state)
{
	struct exchange *x = *state;
	nanotime start = x->now;
	play_page(x);
	assert_int_equal(stage(x, WALK_LOOKUP, 0)->to - start, 40 * MS + 1000);
	assert_int_equal(stage(x, WALK_CONNECT, 0)->to - start, 80 * MS + 1000);
	assert_int_equal(stage(x, WALK_REQUEST, 0)->to - stage(x, WALK_REQUEST, 0)->from, 0);
	assert_int_equal(stage(x, WALK_WAIT, 0)->to - start, 121 * MS + 1000);
	assert_int_equal(stage(x, WALK_RESPONSE, 0)->to - start, 123 * MS + 1000);
	assert_int_equal(stage(x, WALK_CLOSE, 0)->to - start, 163 * MS + 1000);
	for (unsigned i = 1; i < x->walk.stages; i++)
		assert_int_equal(x->walk.stage[i].from, x->walk.stage[i - 1].to);
	assert_int_equal(x->walk.page_at - start, 123 * MS + 1000);
}

static void test_round_trips(void **state)
{
	struct exchange *x = *state;
	play_page(x);
	/* The last byte came 43 ms behind the request, but 2 ms behind our ACK: it answers the
	 * request. */
	assert_int_equal(x->walk.round_trips, 3);
	assert_int_equal(x->walk.distance, 3 * 40 * MS);
	assert_int_equal(x->walk.trip[0].sent, 6);
	assert_int_equal(x->walk.trip[0].answered, 9);
	assert_int_equal(x->walk.trip[1].sent, 4);
	assert_int_equal(x->walk.trip[2].sent, 2);
	assert_int_equal(stage(x, WALK_LOOKUP, 0)->round_trips, 1);
	assert_int_equal(stage(x, WALK_CONNECT, 0)->round_trips, 1);
	assert_int_equal(stage(x, WALK_WAIT, 0)->round_trips, 1);
}

static void test_bytes(void **state)
{
	struct exchange *x = *state;
	play_page(x);
	uint64_t sum = 0;
	for (unsigned i = 0; i < x->timeline.count; i++)
		if (moment_is_frame(&x->moment[i]))
			sum += x->moment[i].len;
	assert_int_equal(x->walk.in.bytes + x->walk.out.bytes, sum);
	for (unsigned way = 0; way < 2; way++) {
		const struct walk_bytes *b = way ? &x->walk.in : &x->walk.out;
		assert_int_equal(b->bytes, b->layer[1] + b->layer[2] + b->layer[3] + b->layer[4]);
	}
	assert_int_equal(x->walk.out.layer[LAYER_ACCESS], 6 * ETH_HEADER + ETH_HEADER + ARP_LEN);
	assert_int_equal(x->walk.http_bytes, 18 + 1019);
	assert_int_equal(x->walk.dns_bytes,
		x->walk.in.layer[LAYER_APPLICATION] + x->walk.out.layer[LAYER_APPLICATION] - 18 -
			1019);
}

static void test_titles(void **state)
{
	struct exchange *x = *state;
	play_page(x);
	has_title(x, 0, "who has 192.168.1.1?");
	has_title(x, 1, "192.168.1.1 is at 02:00:00:00:00:02");
	has_title(x, 2, "which IPv4 address has www.example.test?");
	has_title(x, 3, "www.example.test is 192.0.2.80");
	has_title(x, 4, "from 4294967280");
	has_title(x, 6, "GET / HTTP/1.1");
	has_title(x, 7, "HTTP/1.1 200 OK");
	has_title(x, 9, "bytes 19 to 1018, the last");
}

/* ---- when things go wrong ---- */

static void test_syn_again(void **state)
{
	struct exchange *x = *state;
	tcp(x, true, (struct segment){ .flags = TCP_SYN, .why = WHY_SYN });
	x->now += 1000 * MS;
	tcp(x, true, (struct segment){ .flags = TCP_SYN, .why = WHY_SYN_RETRANSMIT });
	x->now += 40 * MS;
	tcp(x, false, (struct segment){ .flags = TCP_SYN | TCP_ACK, .ack = 1 });
	walk_now(x, 0);
	assert_false(x->step[0].again);
	assert_true(x->step[1].again);
	assert_int_equal(x->walk.retransmissions, 1);
	/* Which of the two was answered, nobody knows: Karn. */
	assert_int_equal(x->walk.host[x->step[0].host].nearest[0], NANOTIME_NEVER);
	assert_int_equal(x->walk.round_trips, 0);
	has_title(x, 1, "SYN again");
}

static void test_refused(void **state)
{
	struct exchange *x = *state;
	struct walk_lessons lessons = { 0 };
	char text[WALK_LESSON_MAX];
	tcp(x, true, (struct segment){ .flags = TCP_SYN, .why = WHY_SYN });
	x->now += 40 * MS;
	x->irs = 0;
	tcp(x, false, (struct segment){ .flags = TCP_RST | TCP_ACK, .ack = 1 });
	walk_now(x, 0);
	assert_int_equal(x->step[1].kind, STEP_RESET);
	assert_int_equal(x->step[1].phase, WALK_CONNECT);
	assert_int_equal(x->walk.flow[0].sent, 0);
	assert_int_equal(x->walk.stages, 1);
	assert_int_equal(x->walk.stage[0].to, x->now);
	has_title(x, 1, "nobody listens");
	walk_lesson(&x->walk, &x->step[1], &lessons, text, sizeof text);
	assert_non_null(strstr(text, "no program listens"));
}

static void test_out_of_order_and_twice(void **state)
{
	struct exchange *x = *state;
	shake_hands(x);
	ask(x);
	x->now += 40 * MS;
	tcp(x, false, (struct segment){ .flags = TCP_ACK, .seq = 101, .ack = 19, .len = 100 });
	tcp(x, true,
		(struct segment){
			.flags = TCP_ACK, .seq = 19, .ack = 1, .why = WHY_ACK_OUT_OF_ORDER });
	tcp(x, false, (struct segment){ .flags = TCP_ACK, .seq = 1, .ack = 19, .len = 100 });
	tcp(x, true,
		(struct segment){ .flags = TCP_ACK, .seq = 19, .ack = 201, .why = WHY_ACK_NOW });
	tcp(x, false,
		(struct segment){ .flags = TCP_ACK,
			.seq = 101,
			.ack = 19,
			.len = 100,
			.drop = DROP_TCP_SEQUENCE });
	tcp(x, false, (struct segment){ .flags = TCP_ACK, .seq = 201, .ack = 19, .len = 10 });
	walk_now(x, 0);
	assert_true(x->step[3].early);
	assert_false(x->step[5].early);
	assert_true(x->step[7].again);
	assert_false(x->step[8].again || x->step[8].early);
	assert_int_equal(x->walk.flow[0].received, 210);
	char text[WALK_TEXT_MAX];
	walk_why(&x->walk, &x->step[7], text, sizeof text);
	assert_non_null(strstr(text, "dropped by the transport layer: outside the receive window"));
}

/* An ACK alone tells how far the server has sent, not what has come: bytes before it may be lost,
 * and come for the first time afterwards. */
static void test_ack_behind_a_gap(void **state)
{
	struct exchange *x = *state;
	shake_hands(x);
	ask(x);
	x->now += 40 * MS;
	tcp(x, false, (struct segment){ .flags = TCP_ACK, .seq = 101, .ack = 19, .len = 100 });
	tcp(x, false, (struct segment){ .flags = TCP_ACK, .seq = 201, .ack = 19 });
	tcp(x, false, (struct segment){ .flags = TCP_ACK, .seq = 1, .ack = 19, .len = 100 });
	walk_now(x, 0);
	assert_true(x->step[3].early);
	assert_false(x->step[4].early || x->step[4].again);
	assert_false(x->step[5].early || x->step[5].again);
}

static void test_sent_again(void **state)
{
	struct exchange *x = *state;
	shake_hands(x);
	ask(x);
	x->now += 300 * MS;
	timeline_event(&x->timeline,
		&(struct trace_event){ .kind = TRACE_TCP_TIMER,
			.time = x->now,
			.flow = { x->us, x->server, x->port, 80 },
			.to = "retransmission" });
	tcp(x, true,
		(struct segment){ .flags = TCP_ACK | TCP_PSH,
			.seq = 1,
			.ack = 1,
			.len = 18,
			.why = WHY_RTO_RETRANSMIT });
	walk_now(x, 0);
	assert_int_equal(x->step[3].kind, STEP_TIMER);
	has_title(x, 3, "retransmission");
	assert_true(x->step[4].again);
	assert_int_equal(x->walk.flow[0].sent, 18);
	assert_int_equal(x->walk.retransmissions, 1);
}

static void test_question_again(void **state)
{
	struct exchange *x = *state;
	dns(x, true, 7, 30000);
	x->now += 2000 * MS;
	dns(x, true, 8, 30001);
	x->now += 40 * MS;
	dns(x, false, 7, 30000); /* too late, from another port: still an answer to the first */
	dns(x, false, 9, 30001); /* to none */
	walk_now(x, 0);
	assert_false(x->step[0].again);
	assert_true(x->step[1].again);
	assert_int_equal(x->walk.question[0].answered, 2);
	assert_int_equal(x->walk.question[1].answered, UINT32_MAX);
	assert_int_equal(x->step[3].question, WALK_NONE);
	has_title(x, 3, "no question of ours");
}

static void test_next_hop(void **state)
{
	struct exchange *x = *state;
	look_up(x);
	shake_hands(x);
	ask(x);
	x->now += 40 * MS;
	tcp(x, false,
		(struct segment){
			.flags = TCP_ACK, .seq = 1, .ack = 19, .text = "HTTP/1.1 302 Found\r\n" });
	nanotime first = x->now;
	close_both(x, 19, 21);
	x->port++;
	x->iss = 77;
	shake_hands(x);
	ask(x);
	x->now += 40 * MS;
	tcp(x, false,
		(struct segment){
			.flags = TCP_ACK, .seq = 1, .ack = 19, .text = "HTTP/1.1 200 OK\r\n" });
	walk_now(x, 0);
	assert_int_equal(x->walk.flows, 2);
	assert_int_equal(x->walk.flow[1].hop, 1);
	assert_int_equal(x->walk.flow[1].host, x->walk.flow[0].host);
	assert_int_equal(stage(x, WALK_CONNECT, 1)->from, first);
	assert_null(stage(x, WALK_CLOSE, 0)); /* it overlaps the next hop */
	for (unsigned i = 1; i < x->walk.stages; i++)
		assert_int_equal(x->walk.stage[i].from, x->walk.stage[i - 1].to);
	assert_int_equal(x->walk.page_at, x->now);
}

static void test_background(void **state)
{
	struct exchange *x = *state;
	struct addr other = four(192, 168, 1, 7);
	look_up(x);
	struct addr us = x->us;
	x->us = other; /* somebody else's packet, dropped */
	tcp(x, false,
		(struct segment){ .flags = TCP_ACK,
			.seq = 9,
			.ack = 9,
			.len = 5,
			.drop = DROP_TCP_NO_CONNECTION });
	x->us = us;
	walk_now(x, 0);
	const struct walk_step *last = &x->step[x->walk.steps - 1];
	assert_true(last->background);
	assert_int_equal(x->walk.background.frames, 1);
	assert_int_equal(x->walk.in.frames, 2);
	assert_int_equal(x->walk.stages, 1); /* only the look-up */
}

static void test_change_without_a_frame(void **state)
{
	struct exchange *x = *state;
	shake_hands(x);
	trace_state(x, "ESTABLISHED", "CLOSED");
	x->now += MS;
	tcp(x, false, (struct segment){ .flags = TCP_ACK, .seq = 1, .ack = 1 });
	walk_now(x, 0);
	assert_int_equal(x->step[2].kind, STEP_CHANGE);
	has_title(x, 2, "ESTABLISHED to CLOSED");
}

/* ---- bounds ---- */

static void test_more_than_fits(void **state)
{
	struct exchange *x = *state;
	for (unsigned i = 0; i < 2 * WALK_FLOWS; i++) {
		x->port = (uint16_t)(40000 + i);
		x->server = four(198, 51, 100, (uint8_t)i);
		tcp(x, true, (struct segment){ .flags = TCP_SYN, .why = WHY_SYN });
	}
	for (unsigned i = 0; i < 2 * WALK_QUESTIONS; i++)
		dns(x, true, (uint16_t)i, (uint16_t)(30000 + i));
	walk_now(x, 0);
	assert_true(x->walk.flows <= WALK_FLOWS);
	assert_int_equal(x->walk.questions, WALK_QUESTIONS);
	assert_true(x->walk.hosts <= WALK_HOSTS);
	walk_build(&x->walk, &x->timeline, &x->input, x->step, 3);
	assert_int_equal(x->walk.steps, 3);
	walk_build(&x->walk, &x->timeline, &x->input, NULL, 0);
	assert_int_equal(x->walk.steps, 0);
}

static void test_timeline_without_room(void **state)
{
	struct exchange *x = *state;
	for (unsigned i = 0; i < EXCHANGE_MOMENTS + 10; i++)
		tcp(x, true, (struct segment){ .flags = TCP_ACK, .len = 1000 });
	assert_int_equal(x->timeline.count, EXCHANGE_MOMENTS);
	assert_int_equal(x->timeline.left_out, 10);
	assert_int_equal(x->timeline.frames, EXCHANGE_MOMENTS + 10);
	assert_true(x->timeline.used <= x->timeline.size);
	assert_int_equal(x->moment[0].kept, x->moment[0].len);
	assert_int_equal(x->moment[400].kept, TIMELINE_HEADS); /* the store was half full */
	assert_int_equal(x->moment[400].len, x->moment[0].len);
	assert_int_equal(x->moment[400].frame, 401);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_steps, setup, teardown),
		cmocka_unit_test_setup_teardown(test_numbers_from_zero, setup, teardown),
		cmocka_unit_test_setup_teardown(test_hosts, setup, teardown),
		cmocka_unit_test_setup_teardown(test_phases, setup, teardown),
		cmocka_unit_test_setup_teardown(test_round_trips, setup, teardown),
		cmocka_unit_test_setup_teardown(test_bytes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_titles, setup, teardown),
		cmocka_unit_test_setup_teardown(test_syn_again, setup, teardown),
		cmocka_unit_test_setup_teardown(test_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(test_out_of_order_and_twice, setup, teardown),
		cmocka_unit_test_setup_teardown(test_ack_behind_a_gap, setup, teardown),
		cmocka_unit_test_setup_teardown(test_sent_again, setup, teardown),
		cmocka_unit_test_setup_teardown(test_question_again, setup, teardown),
		cmocka_unit_test_setup_teardown(test_next_hop, setup, teardown),
		cmocka_unit_test_setup_teardown(test_background, setup, teardown),
		cmocka_unit_test_setup_teardown(test_change_without_a_frame, setup, teardown),
		cmocka_unit_test_setup_teardown(test_more_than_fits, setup, teardown),
		cmocka_unit_test_setup_teardown(test_timeline_without_room, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
