/* SPDX-License-Identifier: MIT */
/* Freeing after a grace period, and readers that look at objects that are free. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
#include <urcu.h>

#include <slabuddy/rcupdate.h>
#include <slabuddy/slab.h>

#include "../testing.h"

#ifdef __SANITIZE_THREAD__
/* It sees nothing of what liburcu does, so readers seem to read what somebody else has by then. */
exported const char *__tsan_default_suppressions(void);
const char *__tsan_default_suppressions(void)
{
	return "race:liburcu.so\nrace:read_nodes\nrace:read_typed\n"
	       "race:construct_typed\nrace:one_cycle\n";
}
#define UNDER_TSAN true
#else
#define UNDER_TSAN false
#endif

struct node {
	unsigned long payload[3];
	struct rcu_head rcu;
	unsigned long more[2];
};

static void pay(struct node *node, unsigned long n)
{
	for (int i = 0; i < 3; i++)
		node->payload[i] = n;
	node->more[0] = node->more[1] = n;
}

/* Objects of a cache that are not free, by destroying it: 0 or its list of objects. */
static void all_are_free(struct kmem_cache *cache)
{
	stderr_capture();
	kmem_cache_destroy(cache);
	ck_assert_str_eq(stderr_captured(), "");
}

START_TEST(there_is_rcu)
{
	ck_assert(slabuddy_has_rcu());
}
END_TEST

START_TEST(barrier_waits_for_all)
{
	struct kmem_cache *cache = KMEM_CACHE(node, SLAB_NO_MERGE);

	for (unsigned long i = 0; i < 2000; i++) {
		struct node *node = kmem_cache_alloc(cache, GFP_KERNEL);

		pay(node, i);
		kfree_rcu(node, rcu);
	}
	kvfree_rcu_barrier();
	all_are_free(cache);
	assert_heap_sound();
}
END_TEST

/* Of slabs, of a run of pages and of a mapping, the head at any offset. */
static const size_t block_sizes[] = { 16, 24, 64, 100, 192, 4096, 8192, 32768, 40000, 100000, 4 << 20,
				      48 << 20 };

static void free_with_head_at(size_t size, size_t offset)
{
	char *block = kmalloc(size, GFP_KERNEL);

	ck_assert_ptr_nonnull(block);
	block[0] = block[size - 1] = 1;
	slabuddy_kvfree_call_rcu(block + offset, offset);
}

START_TEST(head_anywhere)
{
	size_t size = block_sizes[_i];
	size_t last = MIN(size - sizeof(struct rcu_head), (size_t)4088);

	free_with_head_at(size, 0);
	free_with_head_at(size, last / 2 / 8 * 8);
	free_with_head_at(size, last / 8 * 8);
	kvfree_rcu_barrier();
	assert_heap_sound();
}
END_TEST

START_TEST(nothing_is_freed_as_nothing)
{
	struct node *none = NULL;

	kfree_rcu(none, rcu);
	kvfree_rcu_mightsleep(NULL);
	kvfree_rcu_mightsleep(ZERO_SIZE_PTR);
	none = ZERO_SIZE_PTR;
	kfree_rcu(none, rcu);
	kvfree_rcu_barrier();
	assert_heap_sound();
}
END_TEST

START_TEST(mightsleep)
{
	struct kmem_cache *cache = KMEM_CACHE(node, SLAB_NO_MERGE);

	kfree_rcu_mightsleep(kmem_cache_alloc(cache, GFP_KERNEL));
	kvfree_rcu_mightsleep(kvmalloc(100000, GFP_KERNEL));
	all_are_free(cache);
}
END_TEST

#define READER_THREADS 3

static struct node *shared;
static bool stop;

/* @shared is never free to a reader that found it: its words agree with each other. */
static void *read_nodes(void *arg)
{
	unsigned long torn = 0;

	(void)arg;
	rcu_register_thread();
	while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
		struct node *node;
		unsigned long n;

		rcu_read_lock();
		node = rcu_dereference(shared);
		n = node->payload[0];
		for (int i = 0; i < 100; i++)
			torn += __atomic_load_n(&node->payload[2], __ATOMIC_RELAXED) != n ||
				__atomic_load_n(&node->more[1], __ATOMIC_RELAXED) != n;
		rcu_read_unlock();
	}
	rcu_unregister_thread();
	return (void *)torn;
}

START_TEST(readers_keep_what_they_found)
{
	struct kmem_cache *cache = KMEM_CACHE(node, SLAB_NO_MERGE);
	pthread_t readers[READER_THREADS];

	rcu_register_thread();
	shared = kmem_cache_alloc(cache, GFP_KERNEL);
	pay(shared, 0);
	for (int i = 0; i < READER_THREADS; i++)
		ck_assert(!pthread_create(&readers[i], NULL, read_nodes, NULL));
	for (unsigned long n = 1; n < 50000; n++) {
		struct node *fresh = kmem_cache_alloc(cache, GFP_KERNEL);
		struct node *old = shared;

		pay(fresh, n);
		rcu_assign_pointer(shared, fresh);
		kfree_rcu(old, rcu);
	}
	__atomic_store_n(&stop, true, __ATOMIC_RELAXED);
	for (int i = 0; i < READER_THREADS; i++) {
		void *torn;

		pthread_join(readers[i], &torn);
		ck_assert_ptr_null(torn);
	}
	kmem_cache_free(cache, shared);
	rcu_unregister_thread();
	kvfree_rcu_barrier();
	all_are_free(cache);
	assert_heap_sound();
}
END_TEST

#define TYPE_MAGIC 0x7479706573616665UL

/* Its constructor sets the magic, which nobody changes: as long as it is one of its type it is there. */
struct typed {
	unsigned long magic;
	unsigned long key;
	unsigned long filling[30];
};

static void construct_typed(void *object)
{
	struct typed *typed = object;

	typed->magic = TYPE_MAGIC;
}

#define NR_PLACES 4000

static struct typed *places[NR_PLACES];

static void *read_typed(void *arg)
{
	unsigned long wrong = 0;
	uint64_t state = (uintptr_t)arg;

	rcu_register_thread();
	while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
		struct typed *typed;

		rcu_read_lock();
		typed = __atomic_load_n(&places[random_below(&state, NR_PLACES)], __ATOMIC_ACQUIRE);
		/* it may be freed meanwhile, and its slab become empty */
		for (int i = 0; typed && i < 50; i++) {
			wrong += __atomic_load_n(&typed->magic, __ATOMIC_RELAXED) != TYPE_MAGIC;
			if (i % 10 == 0)
				sched_yield();
		}
		rcu_read_unlock();
	}
	rcu_unregister_thread();
	return (void *)wrong;
}

/* Whole slabs come and go, and what takes their pages writes all over them. */
static void one_cycle(struct kmem_cache *cache)
{
	static char *others[64];

	for (unsigned int i = 0; i < NR_PLACES; i++) {
		struct typed *typed = kmem_cache_alloc(cache, GFP_KERNEL);

		ck_assert_uint_eq(typed->magic, TYPE_MAGIC);
		__atomic_store_n(&places[i], typed, __ATOMIC_RELEASE);
	}
	for (unsigned int i = 0; i < NR_PLACES; i++)
		kmem_cache_free(cache, __atomic_exchange_n(&places[i], NULL, __ATOMIC_ACQ_REL));
	kmem_cache_shrink(cache);
	for (unsigned int i = 0; i < ARRAY_SIZE(others); i++) {
		others[i] = (char *)__get_free_pages(GFP_KERNEL, 2);
		memset(others[i], 0x5a, 4 * PAGE_SIZE);
	}
	for (unsigned int i = 0; i < ARRAY_SIZE(others); i++)
		free_pages((unsigned long)others[i], 2);
}

START_TEST(typesafe)
{
	struct kmem_cache_args args = { .ctor = construct_typed };
	struct kmem_cache *cache;
	pthread_t readers[READER_THREADS];

	ck_assert(slabuddy_has_rcu());
	cache = kmem_cache_create("typed", sizeof(struct typed), &args, SLAB_TYPESAFE_BY_RCU);
	ck_assert_ptr_nonnull(cache);
	rcu_register_thread();
	for (uintptr_t i = 0; i < READER_THREADS; i++)
		ck_assert(!pthread_create(&readers[i], NULL, read_typed, (void *)(test_seed() + i)));
	for (int cycle = 0; cycle < 100; cycle++)
		one_cycle(cache);
	__atomic_store_n(&stop, true, __ATOMIC_RELAXED);
	for (int i = 0; i < READER_THREADS; i++) {
		void *wrong;

		pthread_join(readers[i], &wrong);
		ck_assert_ptr_null(wrong);
	}
	rcu_unregister_thread();
	all_are_free(cache);
	assert_heap_sound();
}
END_TEST

/* liburcu's own rule for whoever forks and goes on with callbacks. */
START_TEST(child_of_fork)
{
	struct kmem_cache *cache = KMEM_CACHE(node, SLAB_NO_MERGE);
	int status;
	pid_t pid;

	pthread_atfork(call_rcu_before_fork, call_rcu_after_fork_parent, call_rcu_after_fork_child);
	for (int i = 0; i < 100; i++) {
		struct node *node = kmem_cache_alloc(cache, GFP_KERNEL);

		kfree_rcu(node, rcu);
	}
	pid = fork();
	for (int i = 0; i < 100; i++) {
		struct node *node = kmem_cache_alloc(cache, GFP_KERNEL);

		kfree_rcu(node, rcu);
	}
	kvfree_rcu_barrier();
	all_are_free(cache);
	assert_heap_sound();
	if (!pid)
		_exit(0);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
}
END_TEST

int main(void)
{
	TCase *tc = test_case("rcu");

	tcase_add_test(tc, there_is_rcu);
	tcase_add_test(tc, barrier_waits_for_all);
	tcase_add_loop_test(tc, head_anywhere, 0, ARRAY_SIZE(block_sizes));
	tcase_add_test(tc, nothing_is_freed_as_nothing);
	tcase_add_test(tc, mightsleep);
	tcase_add_test(tc, readers_keep_what_they_found);
	tcase_add_test(tc, typesafe);
	/* liburcu starts its thread anew in the child, which ThreadSanitizer does not allow */
	if (!UNDER_TSAN)
		tcase_add_test(tc, child_of_fork);
	return test_run(tc);
}
