/* Lists against an array that is shifted by hand. */
#include "property.h"

#include "base/list.h"

#define ITEMS 40

struct item {
	int value;
	struct list link;
};

static struct item item[ITEMS];

/* Forwards, backwards, and the state of each item. */
static void compare(const struct list *head, const int *expected, int count)
{
	int i = 0;
	list_each(l, (struct list *)(uintptr_t)head)
	{
		check(i < count && list_entry(l, struct item, link)->value == expected[i]);
		check(l->next->prev == l && l->prev->next == l);
		i++;
	}
	check(i == count && list_empty(head) == (count == 0));
	for (const struct list *l = head->prev; l != head; l = l->prev)
		check(list_entry(l, struct item, link)->value == expected[--i]);
}

static int find(const int *in, int count, int value)
{
	int i = 0;
	while (i < count && in[i] != value)
		i++;
	return i;
}

static void take_out(int *from, int *count, int at)
{
	--*count;
	memmove(from + at, from + at + 1, (size_t)(*count - at) * sizeof *from);
}

static void put_in(int *to, int *count, int at, int value)
{
	memmove(to + at + 1, to + at, (size_t)(*count - at) * sizeof *to);
	to[at] = value;
	++*count;
}

static void shifted_array(struct rng *r)
{
	struct list head[2];
	int expected[2][ITEMS + 1], count[2] = { 0, 0 };
	list_init(&head[0]);
	list_init(&head[1]);
	for (int i = 0; i < ITEMS; i++) {
		item[i].value = i;
		list_init(&item[i].link);
	}
	for (int step = 0; step < 500; step++) {
		unsigned k = rng_below(r, 2);
		int *in = expected[k], *n = &count[k], pick = (int)rng_below(r, ITEMS);
		struct list *link = &item[pick].link;
		bool linked = list_linked(link);
		for (unsigned side = 0; side < 2 && linked; side++) {
			int at = find(expected[side], count[side], pick);
			if (at < count[side])
				take_out(expected[side], &count[side], at);
		}
		list_remove(link);
		list_remove(link); /* twice is harmless */
		check(!list_linked(link));
		switch (rng_below(r, 6)) {
		case 0:
			list_push_back(&head[k], link);
			put_in(in, n, *n, pick);
			break;
		case 1:
			list_push_front(&head[k], link);
			put_in(in, n, 0, pick);
			break;
		case 2:
			if (*n > 0) {
				int at = (int)rng_below(r, (uint32_t)*n);
				list_insert_before(&item[in[at]].link, link);
				put_in(in, n, at, pick);
			}
			break;
		case 3: {
			struct list *first = list_pop_front(&head[k]);
			check((first == NULL) == (*n == 0));
			if (first) {
				check(list_entry(first, struct item, link)->value == in[0]);
				check(!list_linked(first));
				take_out(in, n, 0);
			}
			break;
		}
		case 4:
			if (rng_below(r, 4) == 0) {
				list_splice_back(&head[k], &head[!k]);
				memcpy(in + *n, expected[!k], (size_t)count[!k] * sizeof *in);
				*n += count[!k];
				count[!k] = 0;
			}
			break;
		default: break;
		}
		compare(&head[0], expected[0], count[0]);
		compare(&head[1], expected[1], count[1]);
	}
}

static void test_shifted_array(void **state)
{
	(void)state;
	property_each(200, shifted_array);
}

static void test_each_safe(void **state)
{
	(void)state;
	struct list head;
	int seen = 0;
	list_init(&head);
	for (int i = 0; i < ITEMS; i++) {
		item[i].value = i;
		list_push_back(&head, &item[i].link);
	}
	list_each_safe(l, &head)
	{
		assert_int_equal(list_entry(l, struct item, link)->value, seen);
		if (seen++ % 3)
			list_remove(l);
	}
	assert_int_equal(seen, ITEMS);
	seen = 0;
	list_each(l, &head)
	{
		assert_int_equal(list_entry(l, struct item, link)->value, 3 * seen);
		seen++;
	}
	assert_int_equal(seen, (ITEMS + 2) / 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_shifted_array),
		cmocka_unit_test(test_each_safe),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
