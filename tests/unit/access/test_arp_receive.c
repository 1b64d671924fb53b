/*
 * ARP as a host does it: answers, merges, refuses what can't be, defends its
 * addresses at a bounded rate, and does not let go of a fresh entry on anybody's
 * word (RFC 826, RFC 5227; attacks ARP-01, ARP-03, ARP-06).
 */
#include "unit/access/fake_link.h"

static struct fake *open_host(void)
{
	struct fake *f = fake_open(NULL);
	fake_add_address(f, f->nif, "192.0.2.1", 24);
	return f;
}

static void ask(struct fake *f, const struct mac *from, const char *sender, const char *target)
{
	fake_receive_arp(f, f->nif,
		(struct fake_arp){ .from = from,
			.operation = ARP_REQUEST,
			.sender = sender,
			.target = target });
}

static void reply(struct fake *f, const struct mac *from, const char *sender)
{
	fake_receive_arp(f, f->nif,
		(struct fake_arp){ .from = from,
			.operation = ARP_REPLY,
			.sender = sender,
			.target = "192.0.2.1" });
}

/* 192.0.2.2 at FAKE_PEER, asked for and answered. */
static struct neighbour *resolve(struct fake *f)
{
	uint32_t i = fake_lookup(f, "192.0.2.2");
	neighbour_ready(&f->access, i, f->now);
	fake_flush(f);
	reply(f, &FAKE_PEER, "192.0.2.2");
	struct neighbour *n = neighbour_at(&f->access, i);
	assert_int_equal(n->state, NEIGHBOUR_REACHABLE);
	fake_clear(f);
	return n;
}

static void answers_and_learns_who_asks(void **unused)
{
	(void)unused;
	struct fake *f = open_host();
	ask(f, &FAKE_PEER, "192.0.2.2", "192.0.2.1");
	assert_int_equal(f->rx.fate, FATE_ANSWERED);
	assert_int_equal(f->count, 0); /* nothing is sent inside receive */
	fake_flush(f);
	assert_int_equal(f->count, 1);
	struct arp_packet p = fake_sent_arp(f, 0);
	struct mac to = fake_sent_to(f, 0);
	assert_int_equal(p.operation, ARP_REPLY);
	assert_int_equal(f->sent[0].why, WHY_ARP_ANSWER);
	assert_memory_equal(to.b, FAKE_PEER.b, 6);
	assert_memory_equal(p.target_mac.b, FAKE_PEER.b, 6);
	assert_memory_equal(p.sender_mac.b, FAKE_MAC.b, 6);
	assert_int_equal(addr_four(&p.sender), 0xc0000201);
	assert_int_equal(addr_four(&p.target), 0xc0000202);
	struct neighbour *n = fake_neighbour(f, "192.0.2.2");
	assert_int_equal(n->state, NEIGHBOUR_STALE);
	assert_memory_equal(n->mac.b, FAKE_PEER.b, 6);
	/* Who is not on the link is answered, and not remembered. */
	ask(f, &FAKE_PEER, "198.51.100.2", "192.0.2.1");
	assert_int_equal(f->rx.fate, FATE_ANSWERED);
	assert_null(fake_neighbour(f, "198.51.100.2"));
	fake_close(f);
}

static void answers_probes_without_learning(void **unused)
{
	(void)unused;
	struct fake *f = open_host();
	ask(f, &FAKE_PEER, "0.0.0.0", "192.0.2.1");
	assert_int_equal(f->rx.fate, FATE_ANSWERED);
	assert_int_equal(f->access.neighbour_pool.used, 0);
	fake_flush(f);
	assert_int_equal(f->count, 1);
	ask(f, &FAKE_PEER, "0.0.0.0", "192.0.2.9");
	fake_expect_drop(f, DROP_ARP_NOT_OURS);
	fake_close(f);
}

static void questions_for_others_only_refresh(void **unused)
{
	(void)unused;
	struct fake *f = open_host();
	ask(f, &FAKE_PEER, "192.0.2.2", "192.0.2.9");
	fake_expect_drop(f, DROP_ARP_NOT_OURS);
	assert_null(fake_neighbour(f, "192.0.2.2"));
	ask(f, &FAKE_PEER, "192.0.2.2", "192.0.2.1");
	ask(f, &FAKE_OTHER, "192.0.2.2", "192.0.2.9");
	assert_int_equal(f->rx.fate, FATE_DELIVERED);
	assert_memory_equal(fake_neighbour(f, "192.0.2.2")->mac.b, FAKE_OTHER.b, 6);
	fake_close(f);
}

static void replies_that_nobody_asked_for_make_no_entry(void **unused)
{
	(void)unused;
	struct fake *f = open_host();
	reply(f, &FAKE_PEER, "192.0.2.2");
	fake_expect_drop(f, DROP_ARP_UNASKED);
	assert_int_equal(f->access.neighbour_pool.used, 0);
	/* An announcement neither. */
	ask(f, &FAKE_PEER, "192.0.2.2", "192.0.2.2");
	fake_expect_drop(f, DROP_ARP_NOT_OURS);
	assert_int_equal(f->access.neighbour_pool.used, 0);
	fake_close(f);
}

static void reply_to_all_is_no_proof(void **unused)
{
	(void)unused;
	struct fake *f = open_host();
	struct mac broadcast = MAC_BROADCAST;
	uint32_t i = fake_lookup(f, "192.0.2.2");
	neighbour_ready(&f->access, i, f->now);
	fake_receive_arp(f, f->nif,
		(struct fake_arp){ .to = &broadcast,
			.operation = ARP_REPLY,
			.sender = "192.0.2.2",
			.target = "192.0.2.1" });
	assert_int_equal(fake_neighbour(f, "192.0.2.2")->state, NEIGHBOUR_STALE);
	fake_close(f);
}

static void reply_refreshes_only_what_is_in_doubt(void **unused)
{
	(void)unused;
	struct fake *f = open_host();
	struct neighbour *n = resolve(f);
	fake_run(f, f->now + 50 * NANO_S);
	assert_int_equal(n->state, NEIGHBOUR_STALE);
	reply(f, &FAKE_PEER, "192.0.2.2");
	assert_int_equal(n->state, NEIGHBOUR_STALE);
	neighbour_ready(&f->access, n->timer.owner, f->now);
	fake_run(f, f->now + 5 * NANO_S);
	assert_int_equal(n->state, NEIGHBOUR_PROBE);
	reply(f, &FAKE_PEER, "192.0.2.2");
	assert_int_equal(n->state, NEIGHBOUR_REACHABLE);
	fake_close(f);
}

static void attack_arp_01_short_and_strange(void **unused)
{
	(void)unused;
	struct fake *f = open_host();
	uint8_t frame[ETH_HEADER + ARP_LEN];
	struct arp_packet p = { .operation = ARP_REQUEST,
		.sender_mac = FAKE_PEER,
		.sender = fake_addr("192.0.2.2"),
		.target = fake_addr("192.0.2.1") };
	arp_emit(&p, frame + ETH_HEADER, ARP_LEN);
	fake_ethernet(frame, &FAKE_MAC, &FAKE_PEER, ETHERTYPE_ARP, ARP_LEN);
	for (size_t len = ETH_HEADER; len < sizeof frame; len++) {
		fake_receive(f, f->nif, frame, len);
		fake_expect_drop(f, DROP_ARP_SHORT);
	}
	static const struct {
		unsigned at;
		uint8_t value;
		enum drop reason;
	} wrong[] = {
		{ 1, 6, DROP_ARP_KIND },
		{ 2, 0x86, DROP_ARP_KIND },
		{ 4, 255, DROP_ARP_KIND },
		{ 5, 255, DROP_ARP_KIND },
		{ 5, 16, DROP_ARP_KIND },
		{ 4, 0, DROP_ARP_KIND },
		{ 7, 3, DROP_ARP_OPERATION },
		{ 7, 0, DROP_ARP_OPERATION },
	};
	for (unsigned i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		uint8_t *at = &frame[ETH_HEADER + wrong[i].at];
		uint8_t good = *at;
		*at = wrong[i].value;
		fake_receive(f, f->nif, frame, sizeof frame);
		fake_expect_drop(f, wrong[i].reason);
		*at = good;
	}
	fake_receive(f, f->nif, frame, sizeof frame);
	assert_int_equal(f->rx.fate, FATE_ANSWERED);
	fake_close(f);
}

static void senders_that_are_no_host(void **unused)
{
	(void)unused;
	struct fake *f = open_host();
	static const char *const bad[] = { "224.0.0.1", "127.0.0.1", "255.255.255.255",
		"192.0.2.255" };
	for (unsigned i = 0; i < sizeof bad / sizeof *bad; i++) {
		ask(f, &FAKE_PEER, bad[i], "192.0.2.1");
		fake_expect_drop(f, DROP_ARP_SENDER);
	}
	reply(f, &FAKE_PEER, "0.0.0.0");
	fake_expect_drop(f, DROP_ARP_SENDER);
	/* The Ethernet source is a host's, the one in the packet is not. */
	uint8_t frame[ETH_HEADER + ARP_LEN];
	struct arp_packet p = { .operation = ARP_REQUEST,
		.sender_mac = MAC_BROADCAST,
		.sender = fake_addr("192.0.2.2"),
		.target = fake_addr("192.0.2.1") };
	arp_emit(&p, frame + ETH_HEADER, ARP_LEN);
	fake_ethernet(frame, &FAKE_MAC, &FAKE_PEER, ETHERTYPE_ARP, ARP_LEN);
	fake_receive(f, f->nif, frame, sizeof frame);
	fake_expect_drop(f, DROP_ARP_SENDER);
	fake_close(f);
}

static void attack_arp_03_gratuitous_against_a_fresh_entry(void **unused)
{
	(void)unused;
	struct fake *f = open_host();
	struct neighbour *n = resolve(f);
	ask(f, &FAKE_OTHER, "192.0.2.2", "192.0.2.2");
	assert_memory_equal(n->mac.b, FAKE_PEER.b, 6);
	assert_int_equal(n->state, NEIGHBOUR_PROBE);
	fake_flush(f);
	/* The old MAC is asked, by unicast; traffic still goes there. */
	struct mac to = fake_sent_to(f, 0);
	assert_int_equal(f->count, 1);
	assert_int_equal(f->sent[0].why, WHY_ARP_CHECK);
	assert_memory_equal(to.b, FAKE_PEER.b, 6);
	assert_int_equal(neighbour_ready(&f->access, n->timer.owner, f->now), NEIGHBOUR_SEND);
	/* The attacker's own answer to that probe is no answer. */
	reply(f, &FAKE_OTHER, "192.0.2.2");
	assert_memory_equal(n->mac.b, FAKE_PEER.b, 6);
	assert_int_equal(n->state, NEIGHBOUR_PROBE);
	reply(f, &FAKE_PEER, "192.0.2.2");
	assert_int_equal(n->state, NEIGHBOUR_REACHABLE);
	/* For ten seconds nobody may start that again. */
	fake_clear(f);
	for (unsigned i = 0; i < 9; i++) {
		reply(f, &FAKE_OTHER, "192.0.2.2");
		ask(f, &FAKE_OTHER, "192.0.2.2", "192.0.2.1");
		fake_run(f, f->now + NANO_S);
		assert_int_equal(n->state, NEIGHBOUR_REACHABLE);
		assert_memory_equal(n->mac.b, FAKE_PEER.b, 6);
	}
	for (unsigned i = 0; i < f->count; i++)
		assert_int_not_equal(f->sent[i].why, WHY_ARP_CHECK);
	assert_in_range(f->nif->conflicts, 18, 22);
	fake_close(f);
}

static void attack_arp_03_a_real_change_is_followed(void **unused)
{
	(void)unused;
	struct fake *f = open_host();
	struct neighbour *n = resolve(f);
	nanotime start = f->now;
	ask(f, &FAKE_OTHER, "192.0.2.2", "192.0.2.2");
	/* The old MAC is silent: three probes, then the address is resolved afresh. */
	fake_run(f, start + 3 * NANO_S);
	assert_int_equal(f->count, 3);
	assert_null(fake_neighbour(f, "192.0.2.2"));
	assert_int_equal(n->state, NEIGHBOUR_NONE);
	uint32_t i = fake_lookup(f, "192.0.2.2");
	neighbour_ready(&f->access, i, f->now);
	reply(f, &FAKE_OTHER, "192.0.2.2");
	n = neighbour_at(&f->access, i);
	assert_int_equal(n->state, NEIGHBOUR_REACHABLE);
	assert_memory_equal(n->mac.b, FAKE_OTHER.b, 6);
	fake_close(f);
}

static void attack_arp_03_stale_entries_may_change(void **unused)
{
	(void)unused;
	struct fake *f = open_host();
	struct neighbour *n = resolve(f);
	fake_run(f, f->now + 50 * NANO_S);
	ask(f, &FAKE_OTHER, "192.0.2.2", "192.0.2.2");
	assert_int_equal(n->state, NEIGHBOUR_STALE);
	assert_memory_equal(n->mac.b, FAKE_OTHER.b, 6);
	fake_close(f);
}

static void attack_arp_06_defends_once_in_ten_seconds(void **unused)
{
	(void)unused;
	struct fake *f = open_host();
	for (unsigned i = 0; i < 200; i++) { /* ten a second, for 20 s */
		reply(f, &FAKE_OTHER, "192.0.2.1");
		fake_expect_drop(f, DROP_ADDRESS_CONFLICT);
		ask(f, &FAKE_OTHER, "192.0.2.1", "192.0.2.7");
		fake_expect_drop(f, DROP_ADDRESS_CONFLICT);
		fake_run(f, f->now + 100 * NANO_MS);
	}
	assert_int_equal(f->nif->conflicts, 400);
	assert_int_equal(f->count, 2);
	struct arp_packet p = fake_sent_arp(f, 0);
	assert_int_equal(p.operation, ARP_REQUEST);
	assert_int_equal(addr_four(&p.sender), 0xc0000201);
	assert_int_equal(addr_four(&p.target), 0xc0000201);
	assert_memory_equal(p.sender_mac.b, FAKE_MAC.b, 6);
	assert_int_equal(f->sent[0].why, WHY_ARP_ANNOUNCE);
	assert_int_equal(f->sent[1].at - f->sent[0].at, 10 * NANO_S);
	assert_true(netif_has(f->nif, &p.sender)); /* it is still ours */
	assert_null(fake_neighbour(f, "192.0.2.1"));
	fake_close(f);
}

static void our_own_frame_is_no_conflict(void **unused)
{
	(void)unused;
	struct fake *f = open_host();
	ask(f, &FAKE_MAC, "192.0.2.1", "192.0.2.7");
	fake_expect_drop(f, DROP_ARP_SENDER);
	assert_int_equal(f->nif->conflicts, 0);
	fake_flush(f);
	assert_int_equal(f->count, 0);
	fake_close(f);
}

static void questions_name_the_address_of_the_targets_net(void **unused)
{
	(void)unused;
	struct fake *f = fake_open(NULL);
	static const struct {
		const char *target, *sender;
	} row[] = {
		{ "198.51.100.9", "198.51.100.1" }, { "192.0.2.9", "192.0.2.1" },
		{ "203.0.113.9", "192.0.2.1" }, /* of none: the first */
	};
	uint32_t i = fake_lookup(f, "192.0.2.8");
	neighbour_ready(&f->access, i, f->now);
	fake_flush(f);
	struct arp_packet p = fake_sent_arp(f, 0);
	assert_int_equal(addr_four(&p.sender), 0); /* no address yet */
	fake_add_address(f, f->nif, "2001:db8::1", 64);
	fake_add_address(f, f->nif, "192.0.2.1", 24);
	fake_add_address(f, f->nif, "198.51.100.1", 24);
	for (unsigned k = 0; k < 3; k++) {
		fake_clear(f);
		i = fake_lookup(f, row[k].target);
		neighbour_ready(&f->access, i, f->now);
		fake_flush(f);
		p = fake_sent_arp(f, 0);
		struct addr expected = fake_addr(row[k].sender);
		assert_true(addr_equal(&p.sender, &expected));
	}
	fake_close(f);
}

static void announces(void **unused)
{
	(void)unused;
	struct fake *f = open_host();
	struct addr a = fake_addr("192.0.2.1"), six = fake_addr("2001:db8::1");
	access_announce(&f->access, f->nif, &a);
	access_announce(&f->access, f->nif, &six); /* ND's business */
	fake_flush(f);
	assert_int_equal(f->count, 1);
	struct arp_packet p = fake_sent_arp(f, 0);
	assert_true(addr_equal(&p.sender, &a) && addr_equal(&p.target, &a));
	assert_int_equal(p.operation, ARP_REQUEST);
	fake_close(f);
}

static void answers_are_bounded(void **unused)
{
	(void)unused;
	struct fake *f = open_host();
	for (unsigned i = 0; i < 64; i++) {
		ask(f, &FAKE_PEER, "192.0.2.2", "192.0.2.1");
		assert_int_equal(f->rx.fate, FATE_ANSWERED);
	}
	ask(f, &FAKE_PEER, "192.0.2.2", "192.0.2.1");
	fake_expect_drop(f, DROP_INTENT_FULL);
	/* A question of ours that finds no place is asked again. */
	uint32_t i = fake_lookup(f, "192.0.2.3");
	neighbour_ready(&f->access, i, f->now);
	assert_int_equal(f->counters.tx_drop[DROP_INTENT_FULL], 1);
	fake_run(f, f->now + NANO_S);
	assert_int_equal(f->count, 65);
	assert_int_equal(f->sent[64].why, WHY_ARP_ASK);
	fake_close(f);
}

static void budget_and_full_links_hold_answers_back(void **unused)
{
	(void)unused;
	struct fake *f = open_host();
	for (unsigned i = 0; i < 5; i++)
		ask(f, &FAKE_PEER, "192.0.2.2", "192.0.2.1");
	assert_int_equal(access_transmit(&f->access, 2, f->now), 2);
	assert_int_equal(f->count, 2);
	f->nif->blocked = true;
	assert_false(access_has_work(&f->access));
	assert_int_equal(access_transmit(&f->access, 10, f->now), 0);
	f->nif->blocked = false;
	assert_true(access_has_work(&f->access));
	f->fill = true; /* each frame fills the link */
	assert_int_equal(access_transmit(&f->access, 10, f->now), 1);
	f->fill = f->nif->blocked = false;
	assert_int_equal(access_transmit(&f->access, 10, f->now), 2);
	assert_int_equal(f->count, 5);
	fake_close(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers_and_learns_who_asks),
		cmocka_unit_test(answers_probes_without_learning),
		cmocka_unit_test(questions_for_others_only_refresh),
		cmocka_unit_test(replies_that_nobody_asked_for_make_no_entry),
		cmocka_unit_test(reply_to_all_is_no_proof),
		cmocka_unit_test(reply_refreshes_only_what_is_in_doubt),
		cmocka_unit_test(attack_arp_01_short_and_strange),
		cmocka_unit_test(senders_that_are_no_host),
		cmocka_unit_test(attack_arp_03_gratuitous_against_a_fresh_entry),
		cmocka_unit_test(attack_arp_03_a_real_change_is_followed),
		cmocka_unit_test(attack_arp_03_stale_entries_may_change),
		cmocka_unit_test(attack_arp_06_defends_once_in_ten_seconds),
		cmocka_unit_test(our_own_frame_is_no_conflict),
		cmocka_unit_test(questions_name_the_address_of_the_targets_net),
		cmocka_unit_test(announces),
		cmocka_unit_test(answers_are_bounded),
		cmocka_unit_test(budget_and_full_links_hold_answers_back),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
