/*
 * What a node knows of those under it is reckoned anew from the place of a change
 * upwards, with a rotation where one side has become two higher than the other, until
 * a part of the tree looks to those above as it did before.
 */
#include "base/tree.h"

static unsigned height(const struct tree_node *n)
{
	return n ? n->height : 0;
}

static uint8_t below(const struct tree_node *n)
{
	return n ? n->below : 0;
}

static void reckon(struct tree_node *n)
{
	unsigned left = height(n->child[0]), right = height(n->child[1]);
	n->height = (uint8_t)((left > right ? left : right) + 1);
	n->below = (uint8_t)(n->marks | below(n->child[0]) | below(n->child[1]));
}

/* `by`, or nothing, stands where `n` stood. */
static void replace(struct tree *t, const struct tree_node *n, struct tree_node *by)
{
	struct tree_node *up = n->parent;
	if (!up)
		t->root = by;
	else
		up->child[up->child[1] == n] = by;
	if (by)
		by->parent = up;
}

/* The child on `side` takes the place of its parent, which goes to its other side. */
static struct tree_node *rotate(struct tree *t, struct tree_node *n, unsigned side)
{
	struct tree_node *up = n->child[side], *inner = up->child[!side];
	replace(t, n, up);
	n->child[side] = inner;
	if (inner)
		inner->parent = n;
	up->child[!side] = n;
	n->parent = up;
	reckon(n);
	reckon(up);
	return up;
}

/* Returns what then stands there. */
static struct tree_node *balance(struct tree *t, struct tree_node *n)
{
	reckon(n);
	unsigned left = height(n->child[0]), right = height(n->child[1]);
	if (left <= right + 1 && right <= left + 1)
		return n;
	unsigned side = right > left;
	struct tree_node *high = n->child[side];
	if (height(high->child[!side]) > height(high->child[side]))
		rotate(t, high, !side);
	return rotate(t, n, side);
}

static void changed(struct tree *t, struct tree_node *n)
{
	while (n) {
		uint8_t before = n->height, marks = n->below;
		n = balance(t, n);
		if (n->height == before && n->below == marks)
			return;
		n = n->parent;
	}
}

static struct tree_node *end_of(struct tree_node *n, unsigned side)
{
	while (n->child[side])
		n = n->child[side];
	return n;
}

void tree_insert(struct tree *t, struct tree_node *at, struct tree_node *n, uint8_t marks)
{
	unsigned side = 1;
	if (!at && t->root) {
		at = end_of(t->root, 0);
		side = 0;
	} else if (at && at->child[1]) {
		at = end_of(at->child[1], 0);
		side = 0;
	}
	*n = (struct tree_node){ .parent = at, .height = 1, .marks = marks, .below = marks };
	if (at)
		at->child[side] = n;
	else
		t->root = n;
	changed(t, at);
}

void tree_remove(struct tree *t, struct tree_node *n)
{
	if (!n->child[0] || !n->child[1]) {
		replace(t, n, n->child[!n->child[0]]);
		changed(t, n->parent);
		return;
	}
	/* What comes after it has no child before itself, and takes its place. */
	struct tree_node *next = end_of(n->child[1], 0);
	struct tree_node *low = next->parent == n ? next : next->parent;
	replace(t, next, next->child[1]);
	replace(t, n, next);
	for (unsigned side = 0; side < 2; side++) {
		next->child[side] = n->child[side];
		if (next->child[side])
			next->child[side]->parent = next;
	}
	next->height = n->height;
	next->below = n->below;
	changed(t, low);
	changed(t, next);
}

void tree_mark(struct tree *t, struct tree_node *n, uint8_t marks)
{
	if (n->marks == marks)
		return;
	n->marks = marks;
	changed(t, n);
}

/* Under `n`, or itself, the outermost on `side`. */
static struct tree_node *outermost(struct tree_node *n, uint8_t marks, unsigned side)
{
	if (!(below(n) & marks))
		return NULL;
	for (;;) {
		if (below(n->child[side]) & marks)
			n = n->child[side];
		else if (n->marks & marks)
			return n;
		else
			n = n->child[!side];
	}
}

struct tree_node *tree_first(const struct tree *t, uint8_t marks)
{
	return outermost(t->root, marks, 0);
}

struct tree_node *tree_last(const struct tree *t, uint8_t marks)
{
	return outermost(t->root, marks, 1);
}

struct tree_node *tree_before(const struct tree_node *n, uint8_t marks)
{
	for (;;) {
		if (below(n->child[0]) & marks)
			return outermost(n->child[0], marks, 1);
		while (n->parent && n->parent->child[0] == n)
			n = n->parent;
		n = n->parent;
		if (!n)
			return NULL;
		if (n->marks & marks)
			return (struct tree_node *)(uintptr_t)n;
	}
}
