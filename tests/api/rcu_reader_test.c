/* SPDX-License-Identifier: MIT */
/* Readers that keep what was freed, step by step, and beside shrinking, ending caches and forks. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <urcu.h>

#include <slabuddy/rcupdate.h>
#include <slabuddy/slab.h>
#include <slabuddy/slabuddy.h>

#include "../testing.h"
#include "base/check.h"
#include "fault/faulty_os.h"
#include "malloc/huge.h"
#include "malloc/large.h"

/* For several threads and children: check's own assertions take a lock. */
#define REQUIRE(cond) ((cond) ? (void)0 : fatal("not so: %s (line %d)", #cond, __LINE__))

#ifdef __SANITIZE_THREAD__
/* It sees nothing of what liburcu does, so readers seem to read what somebody else has by then. */
exported const char *__tsan_default_suppressions(void);
const char *__tsan_default_suppressions(void)
{
	return "race:liburcu.so\nrace:read_types\nrace:use_memory\n";
}
#define UNDER_TSAN true
#else
#define UNDER_TSAN false
#endif

struct item {
	unsigned long number;
	unsigned long words[10];
	struct rcu_head rcu;
};

static void fill(struct item *item, unsigned long number)
{
	item->number = number;
	for (size_t i = 0; i < ARRAY_SIZE(item->words); i++)
		item->words[i] = number;
}

static bool is_filled(const struct item *item, unsigned long number)
{
	for (size_t i = 0; i < ARRAY_SIZE(item->words); i++) {
		if (item->words[i] != number)
			return false;
	}
	return item->number == number;
}

static struct kmem_cache *item_cache(void)
{
	return kmem_cache_create("item", sizeof(struct item), 0, SLAB_NO_MERGE, NULL);
}

/* The cache ends, so everything was freed. */
static void end(struct kmem_cache *cache)
{
	stderr_capture();
	kmem_cache_destroy(cache);
	ck_assert_str_eq(stderr_captured(), "");
	assert_heap_sound();
}

static bool reading, let_go;

static void *read_for_long(void *unused)
{
	rcu_register_thread();
	rcu_read_lock();
	store_release(&reading, true);
	while (!load_acquire(&let_go))
		usleep(100);
	rcu_read_unlock();
	rcu_unregister_thread();
	return unused;
}

static pthread_t start_reader(void)
{
	pthread_t reader;

	store_release(&reading, false);
	store_release(&let_go, false);
	ck_assert_int_eq(pthread_create(&reader, NULL, read_for_long, NULL), 0);
	while (!load_acquire(&reading))
		usleep(100);
	return reader;
}

static void end_reader(pthread_t reader)
{
	store_release(&let_go, true);
	pthread_join(reader, NULL);
}

START_TEST(a_reader_keeps_what_was_freed)
{
	struct kmem_cache *cache = item_cache();
	struct item *items[300], *more;
	pthread_t reader = start_reader();

	for (size_t i = 0; i < ARRAY_SIZE(items); i++) {
		items[i] = kmem_cache_alloc(cache, GFP_KERNEL);
		fill(items[i], i);
		if (i % 2)
			kfree_rcu(items[i], rcu);
		else
			kvfree_rcu_mightsleep(items[i]);
	}
	usleep(30000);
	for (size_t i = 0; i < ARRAY_SIZE(items); i++)
		ck_assert(is_filled(items[i], i));
	for (int n = 0; n < 100; n++) {
		more = kmem_cache_alloc(cache, GFP_KERNEL);
		for (size_t i = 0; i < ARRAY_SIZE(items); i++)
			ck_assert_ptr_ne(more, items[i]);
		kfree_rcu(more, rcu);
	}
	end_reader(reader);
	kvfree_rcu_barrier();
	end(cache);
}
END_TEST

struct edge {
	char before[4080];
	struct rcu_head rcu;
};

/* Every kind of block, with the head at its start and at the end of what is allowed. */
START_TEST(all_kinds_of_blocks)
{
	static const size_t sizes[] = { sizeof(struct edge), 5000, 32768, 32769, 100000, 33 << 20, 100 << 20 };
	size_t large = large_count(), huge = huge_count();
	struct kmem_cache *cache = kmem_cache_create("edge", sizeof(struct edge), 0,
						     SLAB_NO_MERGE, NULL);
	struct rcu_head *small;
	struct edge *edge;

	for (int round = 0; round < 20; round++) {
		for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
			edge = kvmalloc(sizes[i], GFP_KERNEL);
			kvfree_rcu(edge, rcu);
			small = kvmalloc(sizes[i], GFP_KERNEL);
			slabuddy_kvfree_call_rcu(small, 0);
			kvfree_rcu_mightsleep(kvmalloc(sizes[i], GFP_KERNEL));
		}
		small = kmalloc(sizeof(*small), GFP_KERNEL);
		slabuddy_kvfree_call_rcu(small, 0);
		edge = kmem_cache_alloc(cache, GFP_KERNEL);
		kfree_rcu(edge, rcu);
	}
	kvfree_rcu_barrier();
	ck_assert_uint_eq(large_count(), large);
	ck_assert_uint_eq(huge_count(), huge);
	end(cache);
}
END_TEST

/* An object still on its way when its cache ends. */
START_TEST(destroy_waits)
{
	for (int round = 0; round < 20; round++) {
		struct kmem_cache *cache = item_cache();
		struct item *item = kmem_cache_alloc(cache, GFP_KERNEL);

		if (round % 2)
			kfree_rcu(item, rcu);
		else
			kfree_rcu_mightsleep(item);
		end(cache);
	}
}
END_TEST

/* No room for a note: then it waits itself. */
START_TEST(mightsleep_without_memory)
{
	struct kmem_cache *cache = item_cache();
	void *item = kmem_cache_alloc(cache, GFP_KERNEL);

	faulty_os_fail(1, (unsigned long)-1 / 2);
	while (kmalloc(32, GFP_NOWAIT))
		;
	kfree_rcu_mightsleep(item);
	faulty_os_work();
	/* it has been freed already, without a barrier */
	ck_assert_ptr_eq(kmem_cache_alloc(cache, GFP_KERNEL), item);
	kmem_cache_free(cache, item);
	end(cache);
}
END_TEST

/* ---- SLAB_TYPESAFE_BY_RCU ---- */

#define MAGIC 0x7970657361666521UL
#define NR_PLACES 64

struct typed {
	unsigned long magic; /* [const] made by the constructor */
	unsigned long key;   /* [atomic] 0: free */
	char room[200];
};

static void construct(void *object)
{
	struct typed *typed = object;

	WRITE_ONCE(typed->magic, MAGIC);
	WRITE_ONCE(typed->key, 0);
}

/* arbitrary; beside a dozen busy threads on two CPUs, one to nine were enough */
#define MAX_ROUNDS 1000

static struct kmem_cache *types;
static struct typed *places[NR_PLACES]; /* [atomic] */
static bool stop;
static unsigned long nr_stale; /* [atomic] looks at an object that was freed meanwhile */

/* Whoever finds an object keeps it for a while, freed or not; it must stay what it is. */
static void *read_types(void *unused)
{
	uint64_t seed = (uintptr_t)&seed;

	rcu_register_thread();
	while (!READ_ONCE(stop)) {
		struct typed *held[8];

		rcu_read_lock();
		for (size_t i = 0; i < ARRAY_SIZE(held); i++)
			held[i] = load_acquire(&places[random_below(&seed, NR_PLACES)]);
		for (int look = 0; look < 200; look++) {
			for (size_t i = 0; i < ARRAY_SIZE(held); i++) {
				if (!held[i])
					continue;
				REQUIRE(READ_ONCE(held[i]->magic) == MAGIC);
				if (look == 199 && !READ_ONCE(held[i]->key))
					__atomic_add_fetch(&nr_stale, 1, __ATOMIC_RELAXED);
			}
		}
		rcu_read_unlock();
	}
	rcu_unregister_thread();
	return unused;
}

static void free_typed(struct typed *typed)
{
	if (!typed)
		return;
	WRITE_ONCE(typed->key, 0);
	kmem_cache_free(types, typed);
}

/* Many objects at once, so that whole slabs come and go. */
static void *write_types(void *unused)
{
	for (unsigned long round = 0; round < 300; round++) {
		struct typed *mine[NR_PLACES];

		for (size_t i = 0; i < NR_PLACES; i++) {
			mine[i] = kmem_cache_alloc(types, GFP_KERNEL);
			REQUIRE(mine[i] && READ_ONCE(mine[i]->magic) == MAGIC);
			WRITE_ONCE(mine[i]->key, round + 1);
		}
		for (size_t i = 0; i < NR_PLACES; i++)
			free_typed(__atomic_exchange_n(&places[i], mine[i], __ATOMIC_ACQ_REL));
		for (size_t i = 0; i < NR_PLACES; i++)
			free_typed(__atomic_exchange_n(&places[i], NULL, __ATOMIC_ACQ_REL));
		kmem_cache_shrink(types);
	}
	return unused;
}

/* Takes what was given back, and makes something else of it. */
static void *use_memory(void *unused)
{
	while (!READ_ONCE(stop)) {
		void *blocks[50];

		for (size_t i = 0; i < ARRAY_SIZE(blocks); i++) {
			blocks[i] = kmalloc(4096 + i % 3 * 20000, GFP_KERNEL);
			memset(blocks[i], 0xee, 4096);
		}
		for (size_t i = 0; i < ARRAY_SIZE(blocks); i++)
			kfree(blocks[i]);
		slabuddy_option("dirty_min=0 dirty_percent=0");
	}
	return unused;
}

START_TEST(the_type_stays)
{
	pthread_t readers[2], writers[2], user;
	struct kmem_cache_args args = { .ctor = construct };

	slabuddy_option("dirty_min=0 dirty_percent=0");
	for (int i = 0; i < 2; i++)
		pthread_create(&readers[i], NULL, read_types, NULL);
	pthread_create(&user, NULL, use_memory, NULL);
	/* on until a reader had its turn at the right moment, as nothing else would be tested */
	for (int round = 0; round < 10 || (!READ_ONCE(nr_stale) && round < MAX_ROUNDS); round++) {
		types = kmem_cache_create("typed", sizeof(struct typed), &args,
					  SLAB_TYPESAFE_BY_RCU);
		ck_assert_ptr_nonnull(types);
		for (int i = 0; i < 2; i++)
			pthread_create(&writers[i], NULL, write_types, NULL);
		for (int i = 0; i < 2; i++)
			pthread_join(writers[i], NULL);
		/* readers may still hold what was freed */
		stderr_capture();
		kmem_cache_destroy(types);
		ck_assert_str_eq(stderr_captured(), "");
	}
	WRITE_ONCE(stop, true);
	for (int i = 0; i < 2; i++)
		pthread_join(readers[i], NULL);
	pthread_join(user, NULL);
	/* or nothing was tested */
	ck_assert_uint_gt(nr_stale, 0);
	assert_heap_sound();
}
END_TEST

/* One reader, one look, step by step: a slab that is empty and shrunk away stays for it. */
START_TEST(an_empty_slab_stays_for_a_reader)
{
	struct kmem_cache_args args = { .ctor = construct };
	struct typed *typed, *objects[500];
	pthread_t reader;

	slabuddy_option("dirty_min=0 dirty_percent=0");
	types = kmem_cache_create("typed", sizeof(struct typed), &args, SLAB_TYPESAFE_BY_RCU);
	for (size_t i = 0; i < ARRAY_SIZE(objects); i++)
		objects[i] = kmem_cache_alloc(types, GFP_KERNEL);
	reader = start_reader();
	typed = objects[250];
	for (size_t i = 0; i < ARRAY_SIZE(objects); i++)
		kmem_cache_free(types, objects[i]);
	ck_assert_int_eq(kmem_cache_shrink(types), 0);
	slabuddy_option("dirty_min=0");
	kfree(kmalloc(1 << 20, GFP_KERNEL));
	ck_assert_uint_eq(typed->magic, MAGIC);
	end_reader(reader);
	end(types);
}
END_TEST

/* Without a constructor the contents stay as well, and the mark of a free object lies behind them. */
START_TEST(contents_stay_without_a_constructor)
{
	struct kmem_cache *cache = kmem_cache_create("plain", 64, NULL, SLAB_TYPESAFE_BY_RCU);
	char *object = kmem_cache_zalloc(cache, GFP_KERNEL);

	ck_assert(all_zero(object, 64));
	memset(object, 7, 64);
	kmem_cache_free(cache, object);
	for (int i = 0; i < 64; i++)
		ck_assert_int_eq(object[i], 7);
	end(cache);
}
END_TEST

/* ---- fork() ---- */

static _Noreturn void be_child(struct kmem_cache *cache)
{
	alarm(100); /* a safety net */
	for (int i = 0; i < 10; i++) {
		struct item *item = kmem_cache_alloc(cache, GFP_KERNEL);

		kfree_rcu(item, rcu);
	}
	kvfree_rcu_barrier();
	_exit(0);
}

static void *free_on(void *cache)
{
	while (!READ_ONCE(stop)) {
		for (int i = 0; i < 20; i++) {
			struct item *item = kmem_cache_alloc(cache, GFP_KERNEL);

			kfree_rcu(item, rcu);
		}
		write_types(NULL);
		kvfree_rcu_barrier();
	}
	return NULL;
}

START_TEST(fork_meanwhile)
{
	struct kmem_cache *cache = item_cache();
	struct kmem_cache_args args = { .ctor = construct };
	pthread_t threads[2];
	int status;

	pthread_atfork(call_rcu_before_fork, call_rcu_after_fork_parent, call_rcu_after_fork_child);
	types = kmem_cache_create("typed", sizeof(struct typed), &args, SLAB_TYPESAFE_BY_RCU);
	for (int i = 0; i < 2; i++)
		pthread_create(&threads[i], NULL, free_on, cache);
	for (int i = 0; i < 50; i++) {
		pid_t pid = fork();

		ck_assert_int_ge(pid, 0);
		if (!pid)
			be_child(cache);
		ck_assert_int_eq(waitpid(pid, &status, 0), pid);
		ck_assert_int_eq(status, 0);
		usleep(1000);
	}
	WRITE_ONCE(stop, true);
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	end(types);
	end(cache);
}
END_TEST

int main(void)
{
	TCase *tc = test_case("rcu_reader");

	tcase_add_test(tc, a_reader_keeps_what_was_freed);
	tcase_add_test(tc, all_kinds_of_blocks);
	tcase_add_test(tc, destroy_waits);
	tcase_add_test(tc, mightsleep_without_memory);
	tcase_add_test(tc, the_type_stays);
	tcase_add_test(tc, an_empty_slab_stays_for_a_reader);
	tcase_add_test(tc, contents_stay_without_a_constructor);
	/* liburcu starts its thread anew in the child, which ThreadSanitizer does not allow */
	if (!UNDER_TSAN)
		tcase_add_test(tc, fork_meanwhile);
	return test_run(tc);
}
