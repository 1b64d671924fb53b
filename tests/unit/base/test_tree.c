/*
 * The tree against a plain array of its nodes in their order: after each random
 * step the shape, what each node knows of those under it, and every answer are
 * compared.
 */
#include "property.h"

#include "base/tree.h"

#define NODES 300

struct model {
	struct tree t;
	struct tree_node node[NODES];
	struct tree_node *order[NODES];
	uint8_t marks[NODES]; /* as `order` */
	unsigned count;
	struct tree_node *vacant[NODES];
	unsigned vacancies;
};

static struct model m;

/* Returns the height; *at goes through the order. */
static unsigned check_shape(const struct tree_node *n, const struct tree_node *parent, unsigned *at)
{
	if (!n)
		return 0;
	check(n->parent == parent);
	unsigned left = check_shape(n->child[0], n, at);
	check(*at < m.count && m.order[*at] == n && m.marks[*at] == n->marks);
	++*at;
	unsigned right = check_shape(n->child[1], n, at);
	check(left <= right + 1 && right <= left + 1);
	check(n->height == (left > right ? left : right) + 1);
	uint8_t below = n->marks;
	for (unsigned side = 0; side < 2; side++)
		below |= n->child[side] ? n->child[side]->below : 0;
	check(n->below == below);
	return n->height;
}

static void check_answers(struct rng *r)
{
	uint8_t marks = (uint8_t)(1 + rng_below(r, 7));
	unsigned from = m.count ? (unsigned)rng_below(r, m.count) : 0;
	struct tree_node *first = NULL, *last = NULL, *before = NULL;
	for (unsigned i = 0; i < m.count; i++) {
		if (!(m.marks[i] & marks))
			continue;
		first = first ? first : m.order[i];
		last = m.order[i];
		before = i < from ? m.order[i] : before;
	}
	check(tree_first(&m.t, marks) == first);
	check(tree_last(&m.t, marks) == last);
	if (m.count)
		check(tree_before(m.order[from], marks) == before);
}

static void insert(unsigned at, uint8_t marks)
{
	struct tree_node *n = m.vacant[--m.vacancies];
	for (unsigned i = m.count++; i > at; i--) {
		m.order[i] = m.order[i - 1];
		m.marks[i] = m.marks[i - 1];
	}
	m.order[at] = n;
	m.marks[at] = marks;
	tree_insert(&m.t, at ? m.order[at - 1] : NULL, n, marks);
}

static void take_out(unsigned at)
{
	struct tree_node *n = m.order[at];
	tree_remove(&m.t, n);
	m.vacant[m.vacancies++] = n;
	m.count--;
	for (unsigned i = at; i < m.count; i++) {
		m.order[i] = m.order[i + 1];
		m.marks[i] = m.marks[i + 1];
	}
}

static void empty(void)
{
	memset(&m, 0, sizeof m);
	for (unsigned i = 0; i < NODES; i++)
		m.vacant[m.vacancies++] = &m.node[i];
}

/* Mostly at one end, as ranges are sent and acknowledged, or anywhere; growing or shrinking. */
static void random_steps(struct rng *r)
{
	empty();
	unsigned ends = (unsigned)rng_below(r, 2), growth = 30 + (unsigned)rng_below(r, 41);
	for (unsigned step = 0; step < 600; step++) {
		uint8_t marks = (uint8_t)(rng_below(r, 8) & rng_below(r, 8));
		if (m.count && rng_below(r, 4) == 0) {
			unsigned at = (unsigned)rng_below(r, m.count);
			tree_mark(&m.t, m.order[at], marks);
			m.marks[at] = marks;
		} else if (rng_below(r, 100) < growth && m.vacancies) {
			insert(ends ? m.count : (unsigned)rng_below(r, m.count + 1), marks);
		} else if (m.count) {
			take_out(ends ? 0 : (unsigned)rng_below(r, m.count));
		}
		unsigned at = 0;
		check_shape(m.t.root, NULL, &at);
		check(at == m.count);
		check_answers(r);
	}
	while (m.count)
		take_out((unsigned)rng_below(r, m.count));
	check(!m.t.root);
}

static void test_random_steps(void **state)
{
	(void)state;
	property_each(150, random_steps);
}

/* In order, in reverse order and from both sides at once: never higher than 1.45 log2(n). */
static void test_height(void **state)
{
	(void)state;
	for (unsigned way = 0; way < 3; way++) {
		empty();
		while (m.vacancies)
			insert(way == 0 ? m.count : way == 1 ? 0 : m.count / 2, 0);
		assert_in_range(m.t.root->height, 9, 11); /* 300: 8.2 */
		unsigned at = 0;
		check_shape(m.t.root, NULL, &at);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random_steps),
		cmocka_unit_test(test_height),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
