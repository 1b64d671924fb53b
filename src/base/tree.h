/*
 * An intrusive balanced tree (AVL) over items that have an order of their own: a node
 * goes in behind its neighbour, so the tree never compares. Its owner searches by
 * going down from the root: child[0] comes before a node, child[1] after it.
 *
 * Each node carries marks, and knows the marks of all under it, so that the first
 * or last item with a mark is found without a look at the others. All of it takes
 * O(log n) steps; putting items in one after the other at the end takes O(1) for each,
 * all together.
 */
#ifndef STRATA_BASE_TREE_H
#define STRATA_BASE_TREE_H

#include <stddef.h>
#include <stdint.h>

struct tree_node {
	struct tree_node *parent, *child[2];
	uint8_t height;       /* of what begins here; a leaf's is 1 */
	uint8_t marks, below; /* the owner's bits; those of this node and all under it */
};

struct tree {
	struct tree_node *root; /* NULL: empty */
};

#define tree_entry(ptr, type, member) ((type *)(void *)((char *)(ptr) - offsetof(type, member)))

/* Puts `n`, with these marks, behind `at`; NULL: before all others. */
void tree_insert(struct tree *t, struct tree_node *at, struct tree_node *n, uint8_t marks);
/* Takes it out; it was in. */
void tree_remove(struct tree *t, struct tree_node *n);
/* Gives it these marks instead. */
void tree_mark(struct tree *t, struct tree_node *n, uint8_t marks);
/* The first and the last node that has one of `marks`; NULL: none has. */
struct tree_node *tree_first(const struct tree *t, uint8_t marks);
struct tree_node *tree_last(const struct tree *t, uint8_t marks);
/* The last such node before `n`. */
struct tree_node *tree_before(const struct tree_node *n, uint8_t marks);

#endif
