/* SPDX-License-Identifier: MIT */
/*
 * fork() beside a thread that gives liburcu a callback: it waits, or the child's queue had a gap
 * that its thread waits at for ever.
 */
#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>
#include <urcu.h>

#include <slabuddy/rcupdate.h>
#include <slabuddy/slab.h>

#include "../testing.h"

#ifdef __SANITIZE_THREAD__
/* It sees nothing of what liburcu does. */
exported const char *__tsan_default_suppressions(void);
const char *__tsan_default_suppressions(void)
{
	return "race:liburcu.so\n";
}
#endif

struct item {
	unsigned long words[10];
	struct rcu_head rcu;
};

static bool inside; /* [atomic] the slow thread is in call_rcu() */
static bool forked; /* [atomic] fork() has returned in the parent */
static _Thread_local bool slow, interrupted;

void __real_urcu_memb_call_rcu(struct rcu_head *head, void (*fn)(struct rcu_head *head));
void __wrap_urcu_memb_call_rcu(struct rcu_head *head, void (*fn)(struct rcu_head *head));

/*
 * The library's call_rcu(). The slow thread stays until fork() has returned; where fork() waits for
 * it, that is never, so not for longer than a tenth of a second (arbitrary).
 */
void __wrap_urcu_memb_call_rcu(struct rcu_head *head, void (*fn)(struct rcu_head *head))
{
	if (slow) {
		store_release(&inside, true);
		for (int i = 0; i < 100 && !load_acquire(&forked); i++)
			usleep(1000);
	}
	if (interrupted) {
		interrupted = false;
		raise(SIGUSR1);
	}
	__real_urcu_memb_call_rcu(head, fn);
	if (slow)
		store_release(&inside, false);
}

static struct item *new_item(void)
{
	struct item *item = kmalloc(sizeof(*item), GFP_KERNEL);

	ck_assert_ptr_nonnull(item);
	return item;
}

static void free_one(void)
{
	struct item *item = new_item();

	kfree_rcu(item, rcu);
}

static void free_without_head(void)
{
	kfree_rcu_mightsleep(new_item());
}

static struct kmem_cache *types;

/* Its slab goes to liburcu. */
static void give_slab_back(void)
{
	kmem_cache_free(types, kmem_cache_alloc(types, GFP_KERNEL));
	kmem_cache_shrink(types);
}

static void (*const ways[])(void) = { free_one, free_without_head, give_slab_back };

static void *be_slow(void *number)
{
	slow = true;
	ways[*(int *)number]();
	return NULL;
}

START_TEST(fork_waits_for_who_is_inside)
{
	pthread_t thread;
	int status;
	pid_t pid;

	types = kmem_cache_create("typed", 200, NULL, SLAB_TYPESAFE_BY_RCU | SLAB_NO_MERGE);
	ck_assert_ptr_nonnull(types);
	store_release(&inside, false);
	store_release(&forked, false);
	pthread_create(&thread, NULL, be_slow, &_i);
	while (!load_acquire(&inside))
		usleep(100);
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (!pid)
		_exit(load_acquire(&inside));
	store_release(&forked, true);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
	pthread_join(thread, NULL);
	kvfree_rcu_barrier();
	kmem_cache_destroy(types);
	assert_heap_sound();
}
END_TEST

static struct item *handlers;

/* It allocates nothing, since the code it interrupted may hold any lock. */
static void free_in_handler(int signal)
{
	(void)signal;
	kfree_rcu(handlers, rcu);
}

/* What keeps fork() waiting must not keep a handler waiting for the code that it interrupted. */
START_TEST(a_signal_handler_frees_as_well)
{
	alarm(100); /* a safety net */
	signal(SIGUSR1, free_in_handler);
	handlers = new_item();
	interrupted = true;
	free_one();
	ck_assert(!interrupted);
	kvfree_rcu_barrier();
	assert_heap_sound();
}
END_TEST

int main(void)
{
	TCase *tc = test_case("rcu_fork");

	tcase_add_loop_test(tc, fork_waits_for_who_is_inside, 0, ARRAY_SIZE(ways));
	tcase_add_test(tc, a_signal_handler_frees_as_well);
	return test_run(tc);
}
