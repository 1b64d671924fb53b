/*
 * The neighbour cache over a link that records: resolution and its timing, the
 * states of RFC 4861 7.3, who waits and how many, bounds and eviction. Each test
 * has a machine of its own at 192.0.2.1/24, in virtual time.
 */
#include "unit/access/fake_link.h"

static struct fake *open_host(const struct access_config *c)
{
	struct fake *f = fake_open(c);
	fake_add_address(f, f->nif, "192.0.2.1", 24);
	fake_add_address(f, f->nif, "2001:db8::1", 64);
	return f;
}

static void reply_from(struct fake *f, const char *address, const struct mac *mac)
{
	fake_receive_arp(f, f->nif,
		(struct fake_arp){ .from = mac,
			.operation = ARP_REPLY,
			.sender = address,
			.target = "192.0.2.1" });
}

/* An entry in the state that a test wants. */
static uint32_t entry_in(struct fake *f, enum neighbour_state state)
{
	struct addr a = fake_addr("2001:db8::2");
	uint32_t i = neighbour_lookup(&f->access, f->nif, &a, f->now);
	struct neighbour *n = neighbour_at(&f->access, i);
	assert_int_not_equal(i, NEIGHBOUR_NO_INDEX);
	neighbour_ready(&f->access, i, f->now);
	if (state == NEIGHBOUR_INCOMPLETE)
		return i;
	if (state == NEIGHBOUR_FAILED) {
		fake_run(f, f->now + 3 * NANO_S);
		assert_int_equal(n->state, state);
		return i;
	}
	neighbour_learn(&f->access, f->nif, &a, &FAKE_PEER,
		state == NEIGHBOUR_REACHABLE ? NEWS_ADVERT_SOLICITED : NEWS_ADVERT_UNSOLICITED,
		true, false, f->now);
	if (state == NEIGHBOUR_DELAY || state == NEIGHBOUR_PROBE)
		neighbour_ready(&f->access, i, f->now);
	if (state == NEIGHBOUR_PROBE)
		fake_run(f, f->now + 5 * NANO_S);
	assert_int_equal(n->state, state);
	return i;
}

static void asks_at_once_and_every_second(void **unused)
{
	(void)unused;
	struct fake *f = open_host(NULL);
	nanotime start = f->now;
	uint32_t i = fake_lookup(f, "192.0.2.2");
	assert_int_equal(neighbour_ready(&f->access, i, f->now), NEIGHBOUR_WAIT);
	assert_int_equal(neighbour_ready(&f->access, i, f->now), NEIGHBOUR_WAIT);
	assert_true(access_has_work(&f->access));
	fake_run(f, start + 3 * NANO_S - 1);
	assert_int_equal(f->count, 3);
	for (unsigned n = 0; n < 3; n++) {
		struct arp_packet p = fake_sent_arp(f, n);
		struct mac to = fake_sent_to(f, n);
		assert_int_equal(f->sent[n].at, start + n * NANO_S);
		assert_int_equal(f->sent[n].why, WHY_ARP_ASK);
		assert_memory_equal(to.b, MAC_BROADCAST.b, 6);
		assert_int_equal(p.operation, ARP_REQUEST);
		assert_int_equal(addr_four(&p.sender), 0xc0000201);
		assert_int_equal(addr_four(&p.target), 0xc0000202);
		assert_memory_equal(p.sender_mac.b, FAKE_MAC.b, 6);
	}
	assert_int_equal(neighbour_ready(&f->access, i, f->now), NEIGHBOUR_WAIT);
	fake_run(f, start + 3 * NANO_S);
	assert_int_equal(neighbour_ready(&f->access, i, f->now), NEIGHBOUR_DEAD);
	/* The hold-down answers at once, asks nobody, and ends. */
	fake_run(f, start + 6 * NANO_S - 1);
	assert_int_equal(fake_lookup(f, "192.0.2.2"), i);
	assert_int_equal(f->count, 3);
	uint16_t generation = ((struct neighbour *)neighbour_at(&f->access, i))->generation;
	fake_run(f, start + 6 * NANO_S);
	assert_null(fake_neighbour(f, "192.0.2.2"));
	assert_int_not_equal(
		((struct neighbour *)neighbour_at(&f->access, i))->generation, generation);
	assert_false(access_has_work(&f->access));
	assert_int_equal(f->wheel.armed, 0);
	fake_close(f);
}

static void looked_up_and_never_wanted(void **unused)
{
	(void)unused;
	struct fake *f = open_host(NULL);
	fake_lookup(f, "192.0.2.2");
	fake_run(f, f->now + 2 * NANO_S);
	assert_int_equal(f->count, 0);
	assert_null(fake_neighbour(f, "192.0.2.2"));
	assert_int_equal(f->access.incomplete, 0);
	fake_close(f);
}

static void answer_wakes_who_is_parked(void **unused)
{
	(void)unused;
	struct fake *f = open_host(NULL);
	struct list endpoint[3];
	uint32_t i = fake_lookup(f, "192.0.2.2");
	for (unsigned n = 0; n < 3; n++) {
		list_init(&endpoint[n]);
		neighbour_ready(&f->access, i, f->now);
		neighbour_park(&f->access, i, &endpoint[n]);
	}
	fake_flush(f);
	assert_true(list_empty(&f->access.woken));
	reply_from(f, "192.0.2.2", &FAKE_PEER);
	assert_int_equal(f->rx.fate, FATE_DELIVERED);
	for (unsigned n = 0; n < 3; n++)
		assert_ptr_equal(list_pop_front(&f->access.woken), &endpoint[n]);
	assert_true(list_empty(&f->access.failed));
	assert_int_equal(neighbour_ready(&f->access, i, f->now), NEIGHBOUR_SEND);
	assert_int_equal(f->access.incomplete, 0);
	/* Who parks when it is over already is not lost. */
	neighbour_park(&f->access, i, &endpoint[0]);
	assert_ptr_equal(list_pop_front(&f->access.woken), &endpoint[0]);
	fake_close(f);
}

static void silence_fails_who_is_parked(void **unused)
{
	(void)unused;
	struct fake *f = open_host(NULL);
	struct list endpoint;
	list_init(&endpoint);
	uint32_t i = fake_lookup(f, "192.0.2.2");
	neighbour_ready(&f->access, i, f->now);
	neighbour_park(&f->access, i, &endpoint);
	fake_run(f, f->now + 3 * NANO_S - 1);
	assert_true(list_empty(&f->access.failed));
	fake_run(f, f->now + 1);
	assert_ptr_equal(list_pop_front(&f->access.failed), &endpoint);
	assert_true(list_empty(&f->access.woken));
	neighbour_park(&f->access, i, &endpoint);
	assert_ptr_equal(list_pop_front(&f->access.failed), &endpoint);
	fake_close(f);
}

static void datagrams_wait_by_copy(void **unused)
{
	(void)unused;
	struct fake *f = open_host(NULL);
	uint32_t i = fake_lookup(f, "192.0.2.2");
	for (uint8_t n = 1; n <= 6; n++)
		assert_true(access_send(
			&f->access, i, fake_packet(f, 100u * n, n), ETHERTYPE_IP4, true, f->now));
	/* Four wait for one neighbour; each later one pushed out the oldest. */
	assert_int_equal(f->counters.tx_drop[DROP_NEIGHBOUR_PENDING_FULL], 2);
	assert_int_equal(f->access.pending_pool.used, 4);
	fake_packet(f, 10, 0xee); /* the frame that was copied is used again */
	fake_flush(f);
	assert_int_equal(f->count, 1); /* the question */
	reply_from(f, "192.0.2.2", &FAKE_PEER);
	assert_true(access_has_work(&f->access));
	fake_flush(f);
	assert_int_equal(f->count, 5);
	for (unsigned n = 1; n <= 4; n++) {
		const struct fake_sent *s = &f->sent[n];
		uint8_t fill = (uint8_t)(n + 2);
		assert_int_equal(s->len, ETH_HEADER + 100 * fill);
		assert_int_equal(s->why, WHY_DATAGRAM);
		assert_memory_equal(s->bytes, FAKE_PEER.b, 6);
		for (size_t b = ETH_HEADER; b < s->len; b++)
			assert_int_equal(s->bytes[b], fill);
	}
	assert_int_equal(f->access.pending_pool.used, 0);
	assert_int_equal(f->counters.sent_why[WHY_DATAGRAM], 4);
	fake_close(f);
}

static void pending_places_are_bounded_in_all(void **unused)
{
	(void)unused;
	struct access_config c;
	access_config_default(&c);
	c.pending_frames = 3;
	c.pending_each = 2;
	struct fake *f = open_host(&c);
	uint32_t a = fake_lookup(f, "192.0.2.2"), b = fake_lookup(f, "192.0.2.3");
	uint32_t d = fake_lookup(f, "192.0.2.4");
	for (unsigned n = 0; n < 2; n++) {
		assert_true(access_send(
			&f->access, a, fake_packet(f, 40, 1), ETHERTYPE_IP4, true, f->now));
		access_send(&f->access, b, fake_packet(f, 40, 2), ETHERTYPE_IP4, true, f->now);
	}
	assert_int_equal(f->counters.tx_drop[DROP_NEIGHBOUR_PENDING_FULL], 1);
	assert_false(
		access_send(&f->access, d, fake_packet(f, 40, 3), ETHERTYPE_IP4, true, f->now));
	assert_int_equal(f->counters.tx_drop[DROP_NEIGHBOUR_PENDING_FULL], 2);
	assert_int_equal(f->access.pending_pool.used, 3);
	fake_close(f);
}

static void silence_returns_what_waits(void **unused)
{
	(void)unused;
	struct fake *f = open_host(NULL);
	struct access_returned r;
	uint32_t i = fake_lookup(f, "192.0.2.2");
	assert_true(access_send(&f->access, i, fake_packet(f, 77, 7), ETHERTYPE_IP4, true, f->now));
	fake_run(f, f->now + 3 * NANO_S);
	assert_true(access_returned(&f->access, &r));
	assert_int_equal(r.packet.len, 77);
	assert_int_equal(r.packet.at[76], 7);
	assert_int_equal(r.ethertype, ETHERTYPE_IP4);
	assert_int_equal(r.why, WHY_DATAGRAM);
	assert_ptr_equal(r.nif, f->nif);
	access_drop_returned(&f->access, f->now);
	assert_false(access_returned(&f->access, &r));
	assert_int_equal(f->counters.tx_drop[DROP_NEIGHBOUR_FAILED], 1);
	assert_int_equal(f->access.pending_pool.used, 0);
	/* Dead: nothing is kept any more. */
	assert_false(
		access_send(&f->access, i, fake_packet(f, 77, 7), ETHERTYPE_IP4, true, f->now));
	assert_int_equal(f->counters.tx_drop[DROP_NEIGHBOUR_FAILED], 2);
	fake_close(f);
}

static void who_does_not_wait_is_dropped(void **unused)
{
	(void)unused;
	struct fake *f = open_host(NULL);
	uint32_t i = fake_lookup(f, "192.0.2.2");
	assert_false(
		access_send(&f->access, i, fake_packet(f, 77, 7), ETHERTYPE_IP4, false, f->now));
	assert_int_equal(f->counters.tx_drop[DROP_NEIGHBOUR_UNRESOLVED], 1);
	assert_false(
		access_send(&f->access, i, fake_packet(f, 1601, 7), ETHERTYPE_IP4, true, f->now));
	assert_int_equal(f->counters.tx_drop[DROP_NEIGHBOUR_PENDING_SIZE], 1);
	assert_true(
		access_send(&f->access, i, fake_packet(f, 1600, 7), ETHERTYPE_IP4, true, f->now));
	fake_close(f);
}

static void partial_checksum_is_completed_after_waiting(void **unused)
{
	(void)unused;
	struct fake *f = open_host(NULL);
	uint8_t payload[101];
	for (unsigned n = 0; n < sizeof payload; n++)
		payload[n] = (uint8_t)(n * 7);
	struct addr from = fake_addr("192.0.2.1"), to = fake_addr("192.0.2.2");
	uint32_t i = fake_lookup(f, "192.0.2.2");
	struct tx_frame *t = &f->frame;
	frame_begin(t, WHY_DATAGRAM);
	uint8_t *udp = frame_push(t, 8);
	store16(udp, 7);
	store16(udp + 2, 9);
	store16(udp + 4, 8 + sizeof payload);
	uint16_t pseudo = checksum_fold(pseudo_sum(&from, &to, 17, 8 + sizeof payload));
	memcpy(udp + 6, &pseudo, 2);
	t->checksum = CHECKSUM_PARTIAL;
	t->checksum_start = t->head;
	t->checksum_offset = 6;
	/* Odd pieces, so that the second is summed at an odd offset. */
	frame_body(t, span_of(payload, 33));
	frame_body(t, span_of(payload + 33, sizeof payload - 33));
	memset(frame_push(t, 20), 0x45, 20);
	assert_true(access_send(&f->access, i, t, ETHERTYPE_IP4, true, f->now));
	reply_from(f, "192.0.2.2", &FAKE_PEER);
	fake_clear(f);
	fake_flush(f);
	const struct fake_sent *s = &f->sent[f->count - 1];
	size_t len = s->len - ETH_HEADER - 20;
	assert_int_equal(len, 8 + sizeof payload);
	assert_int_equal(s->checksum, CHECKSUM_VALID);
	uint64_t sum = pseudo_sum(&from, &to, 17, (uint32_t)len) +
		checksum_plain.sum(s->bytes + ETH_HEADER + 20, len);
	assert_int_equal(checksum_fold(sum), 0xffff);
	fake_close(f);
}

static void reachable_is_lazy_and_ends(void **unused)
{
	(void)unused;
	struct fake *f = open_host(NULL);
	uint32_t i = fake_lookup(f, "192.0.2.2");
	neighbour_ready(&f->access, i, f->now);
	fake_flush(f);
	reply_from(f, "192.0.2.2", &FAKE_PEER);
	struct neighbour *n = neighbour_at(&f->access, i);
	assert_int_equal(n->state, NEIGHBOUR_REACHABLE);
	assert_in_range(n->reachable, 15 * NANO_S, 45 * NANO_S);
	/* Confirmed again and again, it stays, and no timer is moved for it. */
	nanotime armed = n->timer.deadline;
	for (unsigned k = 0; k < 100; k++) {
		fake_run(f, f->now + NANO_S);
		nanotime deadline = n->timer.deadline;
		neighbour_confirm(&f->access, i, f->now);
		assert_int_equal(n->timer.deadline, deadline);
		assert_int_equal(n->state, NEIGHBOUR_REACHABLE);
	}
	assert_true(n->timer.deadline > armed);
	nanotime last = f->now;
	fake_run(f, last + n->reachable - 1);
	assert_int_equal(n->state, NEIGHBOUR_REACHABLE);
	fake_run(f, last + n->reachable);
	assert_int_equal(n->state, NEIGHBOUR_STALE);
	assert_false(timer_armed(&n->timer));
	fake_close(f);
}

static void stale_is_used_delayed_and_probed(void **unused)
{
	(void)unused;
	struct fake *f = open_host(NULL);
	uint32_t i = fake_lookup(f, "192.0.2.2");
	neighbour_ready(&f->access, i, f->now);
	fake_flush(f);
	reply_from(f, "192.0.2.2", &FAKE_PEER);
	struct neighbour *n = neighbour_at(&f->access, i);
	fake_run(f, f->now + 50 * NANO_S);
	assert_int_equal(n->state, NEIGHBOUR_STALE);
	fake_clear(f);
	nanotime start = f->now;
	assert_true(access_send(&f->access, i, fake_packet(f, 40, 1), ETHERTYPE_IP4, true, f->now));
	assert_int_equal(n->state, NEIGHBOUR_DELAY);
	fake_run(f, start + 5 * NANO_S - 1);
	assert_int_equal(f->count, 1);
	/* Three probes to its MAC, a second apart, and traffic goes on meanwhile. */
	fake_run(f, start + 7 * NANO_S);
	assert_int_equal(n->state, NEIGHBOUR_PROBE);
	assert_int_equal(f->count, 4);
	for (unsigned k = 1; k < 4; k++) {
		struct mac to = fake_sent_to(f, k);
		assert_memory_equal(to.b, FAKE_PEER.b, 6);
		assert_int_equal(f->sent[k].why, WHY_ARP_CHECK);
		assert_int_equal(f->sent[k].at, start + (4 + k) * NANO_S);
	}
	assert_int_equal(neighbour_ready(&f->access, i, f->now), NEIGHBOUR_SEND);
	uint16_t generation = n->generation;
	fake_run(f, start + 8 * NANO_S);
	assert_null(fake_neighbour(f, "192.0.2.2"));
	assert_int_not_equal(n->generation, generation);
	fake_close(f);
}

static void proof_from_above_ends_doubt(void **unused)
{
	(void)unused;
	static const enum neighbour_state doubt[] = { NEIGHBOUR_STALE, NEIGHBOUR_DELAY,
		NEIGHBOUR_PROBE };
	for (unsigned k = 0; k < 3; k++) {
		struct fake *f = open_host(NULL);
		uint32_t i = entry_in(f, doubt[k]);
		struct neighbour *n = neighbour_at(&f->access, i);
		neighbour_confirm(&f->access, i, f->now);
		assert_int_equal(n->state, NEIGHBOUR_REACHABLE);
		assert_int_equal(n->confirmed, f->now);
		fake_close(f);
	}
	/* It does not make what is unknown known. */
	struct fake *f = open_host(NULL);
	uint32_t i = entry_in(f, NEIGHBOUR_INCOMPLETE);
	neighbour_confirm(&f->access, i, f->now);
	assert_int_equal(
		((struct neighbour *)neighbour_at(&f->access, i))->state, NEIGHBOUR_INCOMPLETE);
	fake_close(f);
}

/* RFC 4861 7.2.3 and appendix C: state, what came, what becomes of state and MAC. */
enum option { NO_MAC, SAME_MAC, NEW_MAC };
static const struct {
	enum neighbour_state from;
	enum neighbour_news news;
	bool override;
	enum option option;
	enum neighbour_state to;
	bool changed, taken;
} learn_rule[] = {
	/* advertisements for an INCOMPLETE entry: the override flag is irrelevant */
	{ NEIGHBOUR_INCOMPLETE, NEWS_ADVERT_SOLICITED, false, NO_MAC, NEIGHBOUR_INCOMPLETE, 0, 0 },
	{ NEIGHBOUR_INCOMPLETE, NEWS_ADVERT_UNSOLICITED, true, NO_MAC, NEIGHBOUR_INCOMPLETE, 0, 0 },
	{ NEIGHBOUR_INCOMPLETE, NEWS_ADVERT_SOLICITED, false, NEW_MAC, NEIGHBOUR_REACHABLE, 1, 1 },
	{ NEIGHBOUR_INCOMPLETE, NEWS_ADVERT_SOLICITED, true, NEW_MAC, NEIGHBOUR_REACHABLE, 1, 1 },
	{ NEIGHBOUR_INCOMPLETE, NEWS_ADVERT_UNSOLICITED, false, NEW_MAC, NEIGHBOUR_STALE, 1, 1 },
	{ NEIGHBOUR_INCOMPLETE, NEWS_SOLICIT, true, NEW_MAC, NEIGHBOUR_STALE, 1, 1 },
	{ NEIGHBOUR_INCOMPLETE, NEWS_SOLICIT, true, NO_MAC, NEIGHBOUR_INCOMPLETE, 0, 0 },
	/* another MAC without override: REACHABLE becomes STALE, the rest stays */
	{ NEIGHBOUR_REACHABLE, NEWS_ADVERT_SOLICITED, false, NEW_MAC, NEIGHBOUR_STALE, 0, 1 },
	{ NEIGHBOUR_REACHABLE, NEWS_ADVERT_UNSOLICITED, false, NEW_MAC, NEIGHBOUR_STALE, 0, 1 },
	{ NEIGHBOUR_STALE, NEWS_ADVERT_SOLICITED, false, NEW_MAC, NEIGHBOUR_STALE, 0, 1 },
	{ NEIGHBOUR_DELAY, NEWS_ADVERT_UNSOLICITED, false, NEW_MAC, NEIGHBOUR_DELAY, 0, 1 },
	{ NEIGHBOUR_PROBE, NEWS_ADVERT_SOLICITED, false, NEW_MAC, NEIGHBOUR_PROBE, 0, 1 },
	/* solicited, and the same MAC or none */
	{ NEIGHBOUR_REACHABLE, NEWS_ADVERT_SOLICITED, false, SAME_MAC, NEIGHBOUR_REACHABLE, 0, 1 },
	{ NEIGHBOUR_STALE, NEWS_ADVERT_SOLICITED, false, SAME_MAC, NEIGHBOUR_REACHABLE, 0, 1 },
	{ NEIGHBOUR_STALE, NEWS_ADVERT_SOLICITED, false, NO_MAC, NEIGHBOUR_REACHABLE, 0, 1 },
	{ NEIGHBOUR_DELAY, NEWS_ADVERT_SOLICITED, true, SAME_MAC, NEIGHBOUR_REACHABLE, 0, 1 },
	{ NEIGHBOUR_PROBE, NEWS_ADVERT_SOLICITED, true, NO_MAC, NEIGHBOUR_REACHABLE, 0, 1 },
	/* unsolicited, and the same MAC or none: unchanged */
	{ NEIGHBOUR_REACHABLE, NEWS_ADVERT_UNSOLICITED, true, SAME_MAC, NEIGHBOUR_REACHABLE, 0, 1 },
	{ NEIGHBOUR_STALE, NEWS_ADVERT_UNSOLICITED, true, SAME_MAC, NEIGHBOUR_STALE, 0, 1 },
	{ NEIGHBOUR_DELAY, NEWS_ADVERT_UNSOLICITED, false, SAME_MAC, NEIGHBOUR_DELAY, 0, 1 },
	{ NEIGHBOUR_PROBE, NEWS_ADVERT_UNSOLICITED, true, NO_MAC, NEIGHBOUR_PROBE, 0, 1 },
	/* override and another MAC */
	{ NEIGHBOUR_REACHABLE, NEWS_ADVERT_SOLICITED, true, NEW_MAC, NEIGHBOUR_REACHABLE, 1, 1 },
	{ NEIGHBOUR_STALE, NEWS_ADVERT_SOLICITED, true, NEW_MAC, NEIGHBOUR_REACHABLE, 1, 1 },
	{ NEIGHBOUR_REACHABLE, NEWS_ADVERT_UNSOLICITED, true, NEW_MAC, NEIGHBOUR_STALE, 1, 1 },
	{ NEIGHBOUR_DELAY, NEWS_ADVERT_UNSOLICITED, true, NEW_MAC, NEIGHBOUR_STALE, 1, 1 },
	{ NEIGHBOUR_PROBE, NEWS_ADVERT_UNSOLICITED, true, NEW_MAC, NEIGHBOUR_STALE, 1, 1 },
	/* solicitations: another MAC makes it STALE, the same changes nothing */
	{ NEIGHBOUR_REACHABLE, NEWS_SOLICIT, true, SAME_MAC, NEIGHBOUR_REACHABLE, 0, 1 },
	{ NEIGHBOUR_REACHABLE, NEWS_SOLICIT, true, NEW_MAC, NEIGHBOUR_STALE, 1, 1 },
	{ NEIGHBOUR_STALE, NEWS_SOLICIT, true, SAME_MAC, NEIGHBOUR_STALE, 0, 1 },
	{ NEIGHBOUR_DELAY, NEWS_SOLICIT, true, NEW_MAC, NEIGHBOUR_STALE, 1, 1 },
	{ NEIGHBOUR_PROBE, NEWS_SOLICIT, true, SAME_MAC, NEIGHBOUR_PROBE, 0, 1 },
	/* a late answer, in the hold-down */
	{ NEIGHBOUR_FAILED, NEWS_ADVERT_SOLICITED, true, NEW_MAC, NEIGHBOUR_REACHABLE, 1, 1 },
	{ NEIGHBOUR_FAILED, NEWS_SOLICIT, true, NEW_MAC, NEIGHBOUR_STALE, 1, 1 },
};

static void learns_as_rfc_4861_7_2_5_says(void **unused)
{
	(void)unused;
	struct addr a = fake_addr("2001:db8::2");
	for (unsigned k = 0; k < sizeof learn_rule / sizeof *learn_rule; k++) {
		struct fake *f = open_host(NULL);
		uint32_t i = entry_in(f, learn_rule[k].from);
		struct neighbour *n = neighbour_at(&f->access, i);
		const struct mac *mac = learn_rule[k].option == NO_MAC ? NULL
			: learn_rule[k].option == SAME_MAC             ? &FAKE_PEER
								       : &FAKE_OTHER;
		bool taken = neighbour_learn(&f->access, f->nif, &a, mac, learn_rule[k].news,
			learn_rule[k].override, false, f->now);
		if (taken != learn_rule[k].taken || n->state != learn_rule[k].to)
			fail_msg("row %u: taken %d, state %s", k, taken,
				neighbour_state_name(n->state));
		assert_int_equal(mac_equal(&n->mac, &FAKE_OTHER), learn_rule[k].changed);
		fake_close(f);
	}
}

static void learning_creates_only_where_it_may(void **unused)
{
	(void)unused;
	struct fake *f = open_host(NULL);
	struct addr a = fake_addr("2001:db8::2");
	assert_false(neighbour_learn(
		&f->access, f->nif, &a, &FAKE_PEER, NEWS_ADVERT_SOLICITED, true, false, f->now));
	assert_false(
		neighbour_learn(&f->access, f->nif, &a, NULL, NEWS_SOLICIT, true, true, f->now));
	assert_null(fake_neighbour(f, "2001:db8::2"));
	assert_true(neighbour_learn(
		&f->access, f->nif, &a, &FAKE_PEER, NEWS_SOLICIT, true, true, f->now));
	assert_int_equal(fake_neighbour(f, "2001:db8::2")->state, NEIGHBOUR_STALE);
	fake_close(f);
}

static void static_entries_are_immutable(void **unused)
{
	(void)unused;
	struct fake *f = open_host(NULL);
	struct addr a = fake_addr("192.0.2.2"), group = fake_addr("224.0.0.1");
	struct list endpoint;
	list_init(&endpoint);
	uint32_t i = fake_lookup(f, "192.0.2.2");
	neighbour_ready(&f->access, i, f->now);
	neighbour_park(&f->access, i, &endpoint);
	assert_int_equal(neighbour_set_static(&f->access, f->nif, &a, &FAKE_PEER), ERR_OK);
	assert_ptr_equal(list_pop_front(&f->access.woken), &endpoint);
	fake_clear(f);
	for (unsigned news = 0; news < 3; news++)
		assert_true(neighbour_learn(
			&f->access, f->nif, &a, &FAKE_OTHER, news, true, true, f->now));
	fake_run(f, f->now + 1000 * NANO_S);
	struct neighbour *n = fake_neighbour(f, "192.0.2.2");
	assert_int_equal(n->state, NEIGHBOUR_STATIC);
	assert_memory_equal(n->mac.b, FAKE_PEER.b, 6);
	struct mac bad = MAC_BROADCAST;
	assert_int_equal(neighbour_set_static(&f->access, f->nif, &a, &bad), ERR_ARGUMENT);
	assert_int_equal(
		neighbour_set_static(&f->access, f->nif, &group, &FAKE_PEER), ERR_ARGUMENT);
	fake_close(f);
}

static void nd_solicitations_are_handed_up(void **unused)
{
	(void)unused;
	struct fake *f = open_host(NULL);
	struct access_solicit s;
	uint32_t i = fake_lookup(f, "2001:db8::2");
	neighbour_ready(&f->access, i, f->now);
	assert_false(access_has_work(&f->access));
	assert_true(access_take_solicit(&f->access, &s));
	assert_int_equal(s.neighbour, i);
	assert_false(s.unicast);
	assert_false(access_take_solicit(&f->access, &s));
	/* One that is no longer wanted is not sent. */
	fake_run(f, f->now + NANO_S);
	struct addr a = fake_addr("2001:db8::2");
	neighbour_learn(&f->access, f->nif, &a, &FAKE_PEER, NEWS_SOLICIT, true, false, f->now);
	assert_false(access_take_solicit(&f->access, &s));
	neighbour_ready(&f->access, i, f->now);
	fake_run(f, f->now + 5 * NANO_S);
	assert_true(access_take_solicit(&f->access, &s));
	assert_true(s.unicast);
	assert_int_equal(f->count, 0);
	fake_close(f);
}

static void nd_solicitations_keep_their_order(void **unused)
{
	(void)unused;
	struct access_config c;
	access_config_default(&c);
	c.intents = 5;
	struct fake *f = open_host(&c);
	struct access_solicit s;
	uint32_t index[6];
	for (unsigned round = 0; round < 20; round++) {
		for (unsigned n = 0; n < 6; n++) {
			struct addr a = fake_addr("2001:db8::100");
			a.b[14] = (uint8_t)round;
			a.b[15] = (uint8_t)n;
			index[n] = neighbour_lookup(&f->access, f->nif, &a, f->now);
			neighbour_ready(&f->access, index[n], f->now);
		}
		/* The sixth found no place. */
		assert_int_equal(f->counters.tx_drop[DROP_INTENT_FULL], round + 1);
		for (unsigned n = 0; n < 5; n++) {
			assert_true(access_take_solicit(&f->access, &s));
			assert_int_equal(s.neighbour, index[n]);
		}
		assert_false(access_take_solicit(&f->access, &s));
	}
	fake_close(f);
}

static struct addr host_number(uint32_t n)
{
	uint8_t four[4];
	store32(four, 0x0a000000 + n);
	return addr_from4(four);
}

static void attack_arp_05_scan_is_bounded(void **unused)
{
	(void)unused;
	struct access_config c;
	access_config_default(&c);
	struct fake *f = fake_open(&c);
	fake_add_address(f, f->nif, "10.255.255.254", 8);
	struct addr good = fake_addr("10.255.0.1");
	neighbour_learn(&f->access, f->nif, &good, &FAKE_PEER, NEWS_SOLICIT, true, true, f->now);
	unsigned refused = 0;
	for (uint32_t n = 1; n <= 65536; n++) {
		struct addr a = host_number(n);
		uint32_t i = neighbour_lookup(&f->access, f->nif, &a, f->now);
		if (i == NEIGHBOUR_NO_INDEX) {
			refused++;
			continue;
		}
		for (unsigned k = 0; k < 8; k++)
			access_send(
				&f->access, i, fake_packet(f, 40, 1), ETHERTYPE_IP4, true, f->now);
	}
	assert_int_equal(refused, 65536 - c.incomplete_max);
	assert_int_equal(f->access.incomplete, c.incomplete_max);
	assert_in_range(f->access.pending_pool.high, 1, c.pending_frames);
	assert_non_null(neighbour_find(&f->access, f->nif, &good));
	/* No address is asked for more often than once a second. */
	nanotime start = f->now;
	fake_run(f, start + 3 * NANO_S);
	assert_true(f->count <= 3 * c.incomplete_max);
	for (unsigned x = 0; x < FAKE_SENT && x < f->count; x++)
		for (unsigned y = 0; y < x; y++)
			if (memcmp(f->sent[x].bytes + 38, f->sent[y].bytes + 38, 4) == 0)
				assert_true(f->sent[x].at - f->sent[y].at >= NANO_S);
	/* And when it is over, resolution works again. */
	assert_int_not_equal(fake_lookup(f, "10.1.1.1"), NEIGHBOUR_NO_INDEX);
	fake_close(f);
}

static void attack_ip6_20_claims_do_not_evict_the_reachable(void **unused)
{
	(void)unused;
	struct access_config c;
	access_config_default(&c);
	c.neighbours = 64;
	c.incomplete_max = 16;
	struct fake *f = open_host(&c);
	struct addr good[20];
	for (unsigned n = 0; n < 20; n++) {
		good[n] = fake_addr("2001:db8::a:0");
		good[n].b[15] = (uint8_t)n;
		uint32_t i = neighbour_lookup(&f->access, f->nif, &good[n], f->now);
		assert_int_not_equal(i, n < 16 ? NEIGHBOUR_NO_INDEX : 0);
		neighbour_learn(&f->access, f->nif, &good[n], &FAKE_PEER, NEWS_ADVERT_SOLICITED,
			true, false, f->now);
	}
	struct rng r;
	rng_seed(&r, span_of("another seed of some bytes", 26));
	for (unsigned n = 0; n < 100000; n++) {
		struct addr a = fake_addr("2001:db8::");
		rng_fill(&r, a.b + 8, 8);
		if (n & 1)
			neighbour_learn(&f->access, f->nif, &a, &FAKE_OTHER, NEWS_SOLICIT, true,
				true, f->now);
		else
			neighbour_lookup(&f->access, f->nif, &a, f->now);
		if (n % 1000 == 0)
			fake_run(f, f->now + NANO_MS);
	}
	for (unsigned n = 0; n < 20; n++)
		assert_non_null(neighbour_find(&f->access, f->nif, &good[n]));
	assert_true(f->access.incomplete <= 16);
	fake_close(f);
}

static void the_least_used_stale_entry_goes_first(void **unused)
{
	(void)unused;
	struct access_config c;
	access_config_default(&c);
	c.neighbours = c.incomplete_max = 16;
	struct fake *f = open_host(&c);
	struct addr a[17];
	uint32_t index[17];
	for (unsigned n = 0; n < 17; n++) {
		a[n] = fake_addr("192.0.2.16");
		a[n].b[15] = (uint8_t)(16 + n);
	}
	for (unsigned n = 0; n < 16; n++) {
		neighbour_learn(
			&f->access, f->nif, &a[n], &FAKE_PEER, NEWS_SOLICIT, true, true, f->now);
		index[n] = neighbour_lookup(&f->access, f->nif, &a[n], f->now);
	}
	f->now += NANO_S;
	for (unsigned n = 0; n < 16; n++)
		if (n != 5)
			neighbour_ready(&f->access, index[n], f->now);
	uint16_t generation = ((struct neighbour *)neighbour_at(&f->access, index[5]))->generation;
	assert_int_equal(neighbour_lookup(&f->access, f->nif, &a[16], f->now), index[5]);
	assert_null(neighbour_find(&f->access, f->nif, &a[5]));
	assert_int_not_equal(
		((struct neighbour *)neighbour_at(&f->access, index[5]))->generation, generation);
	for (unsigned n = 0; n < 16; n++)
		if (n != 5)
			assert_non_null(neighbour_find(&f->access, f->nif, &a[n]));
	/* The rest are in DELAY: there is no victim. */
	struct addr more = fake_addr("192.0.2.99");
	assert_int_equal(neighbour_lookup(&f->access, f->nif, &more, f->now), NEIGHBOUR_NO_INDEX);
	fake_close(f);
}

static void states_are_traced(void **unused)
{
	(void)unused;
	struct fake *f = open_host(NULL);
	uint32_t i = fake_lookup(f, "192.0.2.2");
	neighbour_ready(&f->access, i, f->now);
	fake_run(f, f->now + 10 * NANO_S);
	static const char *const expected[][2] = { { "none", "incomplete" },
		{ "incomplete", "failed" }, { "failed", "none" } };
	unsigned seen = 0;
	for (unsigned n = 0; n < f->events; n++) {
		if (f->event[n].kind != TRACE_NEIGHBOUR)
			continue;
		assert_in_range(seen, 0, 2);
		assert_string_equal(f->event[n].from, expected[seen][0]);
		assert_string_equal(f->event[n].to, expected[seen][1]);
		struct addr a = fake_addr("192.0.2.2");
		assert_true(addr_equal(&f->event[n].address, &a));
		seen++;
	}
	assert_int_equal(seen, 3);
	assert_string_equal(neighbour_state_name(NEIGHBOUR_STATIC), "static");
	assert_string_equal(neighbour_state_name((enum neighbour_state)99), "?");
	fake_close(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(asks_at_once_and_every_second),
		cmocka_unit_test(looked_up_and_never_wanted),
		cmocka_unit_test(answer_wakes_who_is_parked),
		cmocka_unit_test(silence_fails_who_is_parked),
		cmocka_unit_test(datagrams_wait_by_copy),
		cmocka_unit_test(pending_places_are_bounded_in_all),
		cmocka_unit_test(silence_returns_what_waits),
		cmocka_unit_test(who_does_not_wait_is_dropped),
		cmocka_unit_test(partial_checksum_is_completed_after_waiting),
		cmocka_unit_test(reachable_is_lazy_and_ends),
		cmocka_unit_test(stale_is_used_delayed_and_probed),
		cmocka_unit_test(proof_from_above_ends_doubt),
		cmocka_unit_test(learns_as_rfc_4861_7_2_5_says),
		cmocka_unit_test(learning_creates_only_where_it_may),
		cmocka_unit_test(static_entries_are_immutable),
		cmocka_unit_test(nd_solicitations_are_handed_up),
		cmocka_unit_test(nd_solicitations_keep_their_order),
		cmocka_unit_test(attack_arp_05_scan_is_bounded),
		cmocka_unit_test(attack_ip6_20_claims_do_not_evict_the_reachable),
		cmocka_unit_test(the_least_used_stale_entry_goes_first),
		cmocka_unit_test(states_are_traced),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
