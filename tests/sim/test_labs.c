/*
 * The labs that ship: names resolve, pages come whole, options change what they
 * say they change, and a seed repeats a whole visit, name look-up to last ACK
 * (tests/interop/test_determinism.sh compares its hash over all builds).
 */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "application/http/content.h"
#include "support/seed.h"
#include "support/visitor.h"

static struct lab *open_lab(const char *name, struct lab_options o)
{
	char why[300] = "";
	if (!o.seed)
		o.seed = test_seed();
	struct lab *l = lab_open(name, &o, why, sizeof why);
	if (!l)
		fail_msg("%s", why);
	return l;
}

/* The body of a page from the first address of www.example.test. */
static struct span get(struct lab *l, unsigned flags, const char *path, uint8_t **whole)
{
	struct addr a[RESOLVER_ADDRESSES_MAX];
	assert_int_equal(visitor_resolve(l, "www.example.test", flags, a), 1);
	int64_t n = visitor_get(l, &a[0], path, whole);
	if (n < 0)
		fail_msg("%s: %s", path, error_text((enum error) - n));
	return visitor_body(span_of(*whole, (size_t)n));
}

static void assert_status(const uint8_t *response, unsigned status)
{
	char line[20];
	snprintf(line, sizeof line, "HTTP/1.1 %u ", status);
	assert_memory_equal(response, line, strlen(line));
}

static void test_register(void **state)
{
	char why[300];
	(void)state;
	assert_true(lab_count() >= 3);
	for (unsigned i = 0; i < lab_count(); i++) {
		const struct lab_info *info = lab_info(i);
		assert_ptr_equal(lab_find(info->name), info);
		assert_true(strlen(info->line) > 10 && strlen(info->line) < 80);
		struct lab *l = open_lab(info->name, (struct lab_options){ 0 });
		assert_ptr_equal(lab_about(l), info);
		/* Every machine stands in the drawing, every role is told. */
		list_each(at, &lab_world(l)->nodes)
		{
			struct node *n = list_entry(at, struct node, in_world);
			assert_non_null(strstr(info->drawing, n->name));
			assert_non_null(n->role);
		}
		for (const char *line = info->drawing; *line; line += strcspn(line, "\n") + 1)
			assert_true(strcspn(line, "\n") <= 80);
		lab_close(l);
	}
	assert_non_null(lab_find("lab:home"));
	assert_null(lab_find("lab:nowhere"));
	assert_null(lab_info(lab_count()));
	assert_null(lab_open("nowhere", &(struct lab_options){ 0 }, why, sizeof why));
	assert_non_null(strstr(why, "lab:home"));
}

static void test_names(void **state)
{
	struct lab *l = open_lab("lab:home", (struct lab_options){ 0 });
	struct addr a[RESOLVER_ADDRESSES_MAX];
	const char *name;
	struct addr want;
	unsigned known = 0;
	(void)state;
	for (unsigned i = 0; lab_name(l, i, &name, &want); i++) {
		int n = visitor_resolve(l, name, LOOKUP_BOTH, a);
		bool found = false;
		for (int k = 0; k < n; k++)
			found |= addr_equal(&a[k], &want);
		assert_true(found);
		known++;
	}
	assert_true(known >= 6);
	assert_int_equal(visitor_resolve(l, "web.example.test", LOOKUP_BOTH, a), 2);
	assert_int_equal(visitor_resolve(l, "no.example.test", LOOKUP_BOTH, a), -1);
	assert_int_equal(visitor_resolve(l, "www.example.org", LOOKUP_BOTH, a), -1);
	lab_close(l);
}

static void test_pages_of_each_lab(void **state)
{
	(void)state;
	for (unsigned i = 0; i < lab_count(); i++) {
		for (unsigned flags = LOOKUP_A; flags <= LOOKUP_AAAA; flags++) {
			struct lab *l = open_lab(lab_info(i)->name, (struct lab_options){ 0 });
			uint8_t *whole;
			struct span body = get(l, flags, "/", &whole);
			assert_status(whole, 200);
			assert_memory_equal(body.at, "<!DOCTYPE html>", 15);
			assert_non_null(memmem(body.at, body.len, "It works", 8));
			free(whole);
			body = get(l, flags, "/nothing", &whole);
			assert_status(whole, 404);
			free(whole);
			body = get(l, flags, "/hello.txt", &whole);
			assert_status(whole, 200);
			assert_true(span_equal(body, span_of("Hello.\n", 7)));
			free(whole);
			lab_close(l);
		}
	}
}

static void test_big_page(void **state)
{
	const char *const labs[] = { "home", "lossy", "lan" };
	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		struct lab *l = open_lab(labs[i], (struct lab_options){ .big = 700001 });
		uint8_t *whole;
		struct span body = get(l, LOOKUP_A, "/big", &whole);
		assert_int_equal(body.len, 700001);
		for (size_t k = 0; k < body.len; k++)
			if (body.at[k] != http_pattern(k))
				fail_msg("byte %zu of /big is wrong", k);
		free(whole);
		lab_close(l);
	}
}

static void test_own_page(void **state)
{
	static const char text[] = "mine";
	struct lab *l = open_lab("home", (struct lab_options){ .page = span_of(text, 4) });
	uint8_t *whole;
	(void)state;
	assert_true(span_equal(get(l, LOOKUP_A, "/", &whole), span_of(text, 4)));
	free(whole);
	assert_true(span_equal(get(l, LOOKUP_A, "/index.html", &whole), span_of(text, 4)));
	free(whole);
	lab_close(l);
}

/* How long a page takes. */
static nanodiff duration(struct lab_options o)
{
	struct lab *l = open_lab("home", o);
	uint8_t *whole;
	nanotime start = lab_world(l)->now;
	get(l, LOOKUP_A, "/", &whole);
	nanodiff d = lab_world(l)->now - start;
	free(whole);
	lab_close(l);
	return d;
}

/* Look-up, handshake, request: three round trips of 40 ms, and the rest is small. */
static void test_delay_option(void **state)
{
	(void)state;
	assert_in_range(duration((struct lab_options){ 0 }), 120 * NANO_MS, 122 * NANO_MS);
	assert_in_range(
		duration((struct lab_options){ .delay = 5 * NANO_MS }), 30 * NANO_MS, 32 * NANO_MS);
	assert_in_range(duration((struct lab_options){ .delay = LAB_NONE }), 1, 2 * NANO_MS);
	assert_true(duration((struct lab_options){ .rate = 1000000 }) >
		duration((struct lab_options){ 0 }) + 15 * NANO_MS);
}

static void test_bad_options(void **state)
{
	const struct lab_options bad[] = {
		{ .delay = -2 },
		{ .rate = 50 },
		{ .rate = -7 },
		{ .loss = 1000001 },
		{ .delay = 90000 * NANO_S },
		{ .big = UINT64_MAX },
	};
	char why[300];
	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		why[0] = '\0';
		assert_null(lab_open("home", &bad[i], why, sizeof why));
		assert_memory_equal(why, "lab:home: ", 10);
	}
}

static void test_loss_option(void **state)
{
	struct lab *l = open_lab("lossy", (struct lab_options){ .loss = 100000 });
	uint8_t *whole;
	(void)state;
	get(l, LOOKUP_A, "/big", &whole);
	const struct link_counters *c = &lab_main_link(l)->way[1].count;
	assert_in_range(c->lost[LINK_LOST_LOSS] * 100 / c->offered, 6, 14);
	free(whole);
	lab_close(l);
	l = open_lab("lossy", (struct lab_options){ .loss = LAB_NONE });
	get(l, LOOKUP_A, "/big", &whole);
	assert_int_equal(lab_main_link(l)->way[1].count.lost[LINK_LOST_LOSS], 0);
	assert_true(lab_main_link(l)->way[1].count.reordered > 0);
	free(whole);
	lab_close(l);
}

/* The hash of a whole visit. */
static uint64_t visit_hash(uint64_t seed, int fill)
{
	struct lab *l = open_lab("lossy", (struct lab_options){ .seed = seed, .fill = fill });
	uint8_t *whole;
	get(l, LOOKUP_A, "/big", &whole);
	free(whole);
	get(l, LOOKUP_AAAA, "/", &whole);
	free(whole);
	world_run(lab_world(l), NANOTIME_NEVER, NULL, NULL);
	uint64_t hash = world_hash(lab_world(l));
	lab_close(l);
	return hash;
}

static void test_same_seed_same_hash(void **state)
{
	(void)state;
	uint64_t hash = visit_hash(test_seed(), 0);
	print_message("visit hash %016llx\n", (unsigned long long)hash);
	assert_true(hash == visit_hash(test_seed(), 0));
	assert_true(hash == visit_hash(test_seed(), 0xa5));
	assert_true(hash != visit_hash(test_seed() + 1, 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_register),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_pages_of_each_lab),
		cmocka_unit_test(test_big_page),
		cmocka_unit_test(test_own_page),
		cmocka_unit_test(test_delay_option),
		cmocka_unit_test(test_bad_options),
		cmocka_unit_test(test_loss_option),
		cmocka_unit_test(test_same_seed_same_hash),
	};
	return test_seed_report(cmocka_run_group_tests(tests, NULL, NULL));
}
