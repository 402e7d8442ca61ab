/* SPDX-License-Identifier: MIT */
/*
 * Circular doubly linked lists, the head being a node too.
 *
 * A head or node of two zero words is "unlinked": list_empty() holds for it and list_head_init()
 * makes it usable, so that zeroed memory is a valid state everywhere.
 */
#ifndef SLABUDDY_BASE_LIST_H
#define SLABUDDY_BASE_LIST_H

#include "base/compiler.h"

struct list_head {
	struct list_head *next;
	struct list_head *prev;
};

#define list_entry(ptr, type, member) container_of(ptr, type, member)
#define list_first_entry(head, type, member) list_entry((head)->next, type, member)

#define list_for_each(pos, head) \
	for (pos = (head)->next; pos && pos != (head); pos = pos->next)

static inline void list_head_init(struct list_head *head)
{
	head->next = head;
	head->prev = head;
}

static inline bool list_empty(const struct list_head *head)
{
	return !head->next || head->next == head;
}

static inline void list_insert_between(struct list_head *node, struct list_head *prev,
				       struct list_head *next)
{
	node->prev = prev;
	node->next = next;
	prev->next = node;
	next->prev = node;
}

static inline void list_add(struct list_head *node, struct list_head *head)
{
	list_insert_between(node, head, head->next);
}

static inline void list_add_tail(struct list_head *node, struct list_head *head)
{
	list_insert_between(node, head->prev, head);
}

static inline void list_del(struct list_head *node)
{
	node->prev->next = node->next;
	node->next->prev = node->prev;
	node->next = NULL;
	node->prev = NULL;
}

#endif
