/* SPDX-License-Identifier: MIT */
/*
 * Freeing after a grace period: the allocator's part of <linux/rcupdate.h>.
 *
 * Readers are those of liburcu's default flavour ("memb"): include <urcu.h>, link -lurcu, and each thread
 * that reads calls rcu_register_thread(). A library that was built without liburcu has these names too,
 * and ends the process with one line when they are called; slabuddy_has_rcu() tells.
 *
 * A program that forks and goes on with these in the child does as liburcu says of call_rcu():
 * pthread_atfork(call_rcu_before_fork, call_rcu_after_fork_parent, call_rcu_after_fork_child). The library
 * does not, since a program that did as well would wait for itself. fork() waits for threads that are in
 * kfree_rcu(). For those in call_rcu() itself nobody waits: with one cut in two there, the child's
 * callbacks never run. A program that calls that keeps its fork() away from it.
 */
#ifndef SLABUDDY_RCUPDATE_H
#define SLABUDDY_RCUPDATE_H

#include <stdbool.h>
#include <stddef.h>

#include <slabuddy/slab.h>

#ifdef __cplusplus
extern "C" {
#endif

bool slabuddy_has_rcu(void);

/* What kfree_rcu() is made of: @head lies @offset bytes behind the start of the block. At most 4095. */
void slabuddy_kvfree_call_rcu(void *head, size_t offset);

/**
 * kfree_rcu() - kfree() a structure once all readers of now are gone.
 * @ptr: block of kmalloc() or object of a cache without SLAB_TYPESAFE_BY_RCU. NULL is nothing.
 * @field: its member of type struct rcu_head, which lies in the first 4096 bytes.
 *
 * Context: any thread; does not wait.
 */
#define kfree_rcu(ptr, field)								\
	do {										\
		__typeof__(ptr) kfree_rcu_ptr_ = (ptr);					\
											\
		if (kfree_rcu_ptr_)							\
			slabuddy_kvfree_call_rcu(&kfree_rcu_ptr_->field,		\
						 offsetof(__typeof__(*kfree_rcu_ptr_), field)); \
	} while (0)
#define kvfree_rcu(ptr, field) kfree_rcu(ptr, field)

/* The same for blocks without a struct rcu_head. May wait for a grace period. */
void kvfree_rcu_mightsleep(const void *ptr);
#define kfree_rcu_mightsleep(ptr) kvfree_rcu_mightsleep(ptr)

/* Wait until everything that was given to kfree_rcu() before is freed. */
void kvfree_rcu_barrier(void);

#ifdef __cplusplus
}
#endif

#endif
