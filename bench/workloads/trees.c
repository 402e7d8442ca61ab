/* SPDX-License-Identifier: MIT */
/*
 * Balanced trees, as in compilers and databases: built, walked, changed at random, destroyed, again
 * and again. Nodes are of several sizes, and the tree's order has nothing to do with that of
 * allocation. The tree is that of G. Adelson-Velsky and E. Landis, 1962; the workload is our own,
 * in the way of binary-trees by H. Boehm, 2000 (after P. Kovac and J. Ellis).
 */
#include "workload.h"

static size_t trees = 8, nodes = 50000, changes = 100000, min_bytes = 40, max_bytes = 64;

/* Its block has that word at the beginning, and another one at its end. */
struct node {
	uint64_t word;
	struct node *left, *right;
	uint32_t key, height;
};
_Static_assert(sizeof(struct node) == 32, "a node with a word at its end has 40 bytes");

static uint32_t height(const struct node *node)
{
	return node ? node->height : 0;
}

static void set_height(struct node *node)
{
	uint32_t left = height(node->left), right = height(node->right);

	node->height = 1 + (left > right ? left : right);
}

static struct node *turn_right(struct node *node)
{
	struct node *top = node->left;

	node->left = top->right;
	top->right = node;
	set_height(node);
	set_height(top);
	return top;
}

static struct node *turn_left(struct node *node)
{
	struct node *top = node->right;

	node->right = top->left;
	top->left = node;
	set_height(node);
	set_height(top);
	return top;
}

/* The sides differ by two at most, and by one afterwards. */
static struct node *balance(struct node *node)
{
	uint32_t left = height(node->left), right = height(node->right);

	if (left > right + 1) {
		if (height(node->left->left) < height(node->left->right))
			node->left = turn_left(node->left);
		return turn_right(node);
	}
	if (right > left + 1) {
		if (height(node->right->right) < height(node->right->left))
			node->right = turn_right(node->right);
		return turn_left(node);
	}
	set_height(node);
	return node;
}

static struct node *new_node(struct worker *self, uint32_t key)
{
	struct node *node = block_new(self, pick_between(&self->random, min_bytes, max_bytes));

	node->left = node->right = NULL;
	node->key = key;
	node->height = 1;
	return node;
}

static struct node *insert(struct worker *self, struct node *node, uint32_t key)
{
	if (!node)
		return new_node(self, key);
	if (key < node->key)
		node->left = insert(self, node->left, key);
	else if (key > node->key)
		node->right = insert(self, node->right, key);
	else
		return node;
	return balance(node);
}

/* Without its first node, which goes to *first. */
static struct node *take_first(struct node *node, struct node **first)
{
	if (!node->left) {
		*first = node;
		return node->right;
	}
	node->left = take_first(node->left, first);
	return balance(node);
}

static struct node *remove_key(struct worker *self, struct node *node, uint32_t key)
{
	struct node *next;

	if (!node)
		return NULL;
	if (key < node->key) {
		node->left = remove_key(self, node->left, key);
		return balance(node);
	}
	if (key > node->key) {
		node->right = remove_key(self, node->right, key);
		return balance(node);
	}
	if (node->right) {
		struct node *right = take_first(node->right, &next);

		next->left = node->left;
		next->right = right;
		next = balance(next);
	} else {
		next = node->left;
	}
	block_drop(self, node);
	return next;
}

/* In order; the sum of its keys. */
static uint64_t walk(const struct node *node, uint32_t *before)
{
	uint64_t sum;

	if (!node)
		return 0;
	sum = walk(node->left, before);
	if (node->key < *before)
		workload_fail("a tree is out of order");
	*before = node->key;
	block_check(node);
	return sum + node->key + walk(node->right, before);
}

static void destroy(struct worker *self, struct node *node)
{
	if (!node)
		return;
	destroy(self, node->left);
	destroy(self, node->right);
	block_drop(self, node);
}

/* Of twice as many keys as nodes are wanted, half are there. */
static void one_tree(struct worker *self)
{
	struct node *root = NULL;
	uint32_t before = 0;

	for (size_t i = 0; i < nodes; i++)
		root = insert(self, root, (uint32_t)pick(&self->random, 2 * nodes));
	for (size_t i = 0; i < changes; i++) {
		root = remove_key(self, root, (uint32_t)pick(&self->random, 2 * nodes));
		root = insert(self, root, (uint32_t)pick(&self->random, 2 * nodes));
	}
	self->checksum += walk(root, &before);
	destroy(self, root);
}

static void work(struct worker *self)
{
	size_t nr = workload_share(trees);

	for (size_t i = 0; i < nr; i++)
		one_tree(self);
}

static const struct workload_value values[] = {
	{ "trees", &trees, 1, 1000000, "of all threads together" },
	{ "nodes", &nodes, 1, 10000000, "that a tree begins with, at most" },
	{ "changes", &changes, 1, 1000000000, "of a tree" },
	{ "min", &min_bytes, sizeof(struct node) + BLOCK_MIN, 4096, "bytes of a node" },
	{ "max", &max_bytes, sizeof(struct node) + BLOCK_MIN, 4096, "bytes of a node" },
	{ 0 },
};

static const struct workload trees_workload = {
	.name = "trees",
	.about = "balanced trees, built, changed at random, walked and destroyed",
	.threads = 1,
	.values = values,
	.work = work,
	.alone = true,
};
WORKLOAD(trees_workload);
