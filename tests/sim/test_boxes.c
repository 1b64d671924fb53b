/*
 * Boxes: what comes out of a chain for what went in, each frame whole and right
 * to the last checksum, as the strict reader says.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "sim/box.h"
#include "sim/link.h"
#include "sim/strict.h"
#include "sim/tcp_frame.h"

#define FRAMES 16

struct bed {
	struct world *world;
	struct box_chain *chain;
	struct port source, sink;
	unsigned count;
	struct tcp_frame got[FRAMES];
};

static void collect(struct port *p, struct parcel *parcel)
{
	struct bed *b = list_entry(p, struct bed, sink);
	const char *wrong = strict_frame(parcel_span(parcel), STRICT_ALL);
	if (wrong)
		fail_msg("%s", wrong);
	assert_true(b->count < FRAMES);
	assert_true(tcp_frame_read(&b->got[b->count++], parcel));
}

static void open_bed(struct bed *b)
{
	*b = (struct bed){ .world = world_new(&(struct world_config){ .seed = 1 }) };
	b->chain = box_chain_new(b->world, "chain");
	b->source.world = b->sink.world = b->world;
	b->sink.receive = collect;
	link_connect(
		b->world, "in", &b->source, &b->chain->port[0], &(struct link_config){ 0 }, NULL);
	link_connect(
		b->world, "out", &b->chain->port[1], &b->sink, &(struct link_config){ 0 }, NULL);
}

static void close_bed(struct bed *b)
{
	const struct box_chain *c = b->chain;
	assert_true(c->in + c->added == c->out + c->dropped + c->kept);
	world_free(b->world);
}

/* MSS 1460, SACK permitted, timestamps; window scale 7. */
static const uint8_t syn_options[] = { 2, 4, 5, 180, 4, 2, 8, 10, 0, 0, 0, 9, 0, 0, 0, 0, 1, 3, 3,
	7 };
static const uint8_t stamp_option[] = { 1, 1, 8, 10, 0, 0, 0, 9, 0, 0, 0, 3 };

static void send(struct bed *b, uint8_t flags, uint32_t seq, uint32_t len)
{
	const bool syn = flags & TF_SYN;
	const uint32_t room = syn ? sizeof syn_options : sizeof stamp_option;
	struct parcel *p = parcel_take(b->world, 14 + 20 + 20 + room + len);
	uint8_t *e = p->bytes, *ip = e + 14, *h = ip + 20;
	memset(e, 0, p->len);
	e[0] = e[6] = 2;
	store16(e + 12, 0x0800);
	ip[0] = 0x45;
	ip[8] = 64;
	ip[9] = 6;
	memcpy(ip + 12, (const uint8_t[]){ 192, 0, 2, 1, 192, 0, 2, 2 }, 8);
	memcpy(h + 20, syn ? syn_options : stamp_option, room);
	for (uint32_t i = 0; i < len; i++)
		h[20 + room + i] = (uint8_t)(seq + i);
	struct tcp_frame f = { .parcel = p, .ip = 14, .tcp = 34, .data = 54 + room, .len = len };
	f.seq = seq;
	f.source = 1000;
	f.destination = 7;
	f.window = 500;
	f.flags = flags;
	f.ack = flags & TF_ACK ? 77 : 0;
	tcp_frame_write(&f);
	port_send(&b->source, p);
	world_run(b->world, b->world->now + NANO_MS, NULL, NULL);
}

static void test_nothing_in_the_way(void **state)
{
	struct bed b;
	(void)state;
	open_bed(&b);
	send(&b, TF_SYN, 5, 0);
	send(&b, TF_ACK, 6, 100);
	assert_int_equal(b.count, 2);
	assert_int_equal(b.got[1].len, 100);
	close_bed(&b);
}

static void test_options(void **state)
{
	struct bed b;
	uint32_t len;
	(void)state;
	for (unsigned nop = 0; nop < 2; nop++) {
		open_bed(&b);
		box_strip_options_new(b.chain, 1u << 8 | 1u << 4, true, nop);
		box_mss_clamp_new(b.chain, 1200);
		box_window_new(b.chain, 1, 65535, 3);
		send(&b, TF_SYN, 5, 0);
		send(&b, TF_ACK, 6, 10);
		const struct tcp_frame *f = &b.got[0];
		const uint8_t *bytes = f->parcel->bytes;
		assert_int_equal(tcp_frame_option(f, 8, &len), 0);
		assert_int_equal(tcp_frame_option(f, 4, &len), 0);
		assert_int_equal(load16(bytes + tcp_frame_option(f, 2, &len) + 2), 1200);
		assert_int_equal(bytes[tcp_frame_option(f, 3, &len) + 2], 3);
		assert_int_equal(f->data - f->tcp, nop ? 40 : 32);
		assert_int_not_equal(tcp_frame_option(&b.got[1], 8, &len), 0);
		assert_int_equal(b.got[1].window, 250);
		close_bed(&b);
	}
}

static void test_split_and_join(void **state)
{
	struct bed b;
	(void)state;
	open_bed(&b);
	box_split_new(b.chain, 1000000, true);
	send(&b, TF_ACK | TF_PSH, 6, 100);
	assert_int_equal(b.count, 2);
	assert_int_equal(b.got[0].len + b.got[1].len, 100);
	assert_int_equal(b.got[1].seq, 6 + b.got[0].len);
	assert_int_equal(b.got[0].flags, TF_ACK);
	assert_int_equal(b.got[1].flags, TF_ACK | TF_PSH);
	assert_int_equal(b.got[1].parcel->bytes[b.got[1].data], (uint8_t)b.got[1].seq);
	close_bed(&b);

	open_bed(&b);
	box_coalesce_new(b.chain, 1000000, 5 * NANO_MS);
	send(&b, TF_ACK, 6, 100);
	assert_int_equal(b.count, 0);
	send(&b, TF_ACK, 106, 50);
	world_run(b.world, b.world->now + 10 * NANO_MS, NULL, NULL);
	assert_int_equal(b.count, 1);
	assert_int_equal(b.got[0].len, 150);
	close_bed(&b);
}

static void test_numbers(void **state)
{
	struct bed b;
	(void)state;
	open_bed(&b);
	box_resequence_new(b.chain, true);
	send(&b, TF_SYN, 5, 0);
	send(&b, TF_ACK, 6, 10);
	assert_int_not_equal(b.got[0].seq, 5);
	assert_int_equal(b.got[1].seq, b.got[0].seq + 1);
	assert_int_not_equal(b.got[1].ack, 77);
	close_bed(&b);

	/* A flow that began while the box was off stays as it is, also when its SYN comes again. */
	open_bed(&b);
	struct box *late = box_resequence_new(b.chain, true);
	late->until = 0;
	send(&b, TF_SYN, 5, 0);
	late->until = NANOTIME_NEVER;
	send(&b, TF_SYN, 5, 0);
	send(&b, TF_ACK, 6, 10);
	assert_int_equal(b.count, 3);
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(b.got[i].seq, i < 2 ? 5 : 6);
	close_bed(&b);
}

static void test_kinds(void **state)
{
	struct bed b;
	(void)state;
	open_bed(&b);
	box_kind_loss_new(b.chain, KIND_RETRANSMIT, 1000000);
	box_black_hole_new(b.chain, 500);
	send(&b, TF_ACK, 6, 100);
	send(&b, TF_ACK, 6, 100);   /* again: lost */
	send(&b, TF_ACK, 106, 600); /* too large: lost */
	send(&b, TF_ACK, 706, 0);
	assert_int_equal(b.count, 2);
	assert_int_equal(b.got[1].seq, 706);
	assert_int_equal(b.chain->dropped, 2);
	close_bed(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing_in_the_way),
		cmocka_unit_test(test_options),
		cmocka_unit_test(test_split_and_join),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_kinds),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
