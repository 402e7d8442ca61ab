/* SPDX-License-Identifier: MIT */
/*
 * Caches of objects and the kmalloc family, with the kernel's names: <linux/slab.h>.
 *
 * A cache hands out objects of one size, cut out of slabs; a slab is a block of pages. Every thread has
 * a sheaf of free objects of each cache that it uses, so that a pair of kmem_cache_alloc() and
 * kmem_cache_free() takes no lock. Any thread may do any of this to any cache.
 *
 * All functions: any thread, at any time, not from a signal handler, with the exceptions of
 * kmalloc_nolock() and kfree_nolock(). What fails returns NULL or an error and keeps everything as it
 * was; errno is left alone. What a broken program does (frees twice, frees to the wrong cache, writes
 * over the end) is reported where it is seen: see slabuddy(7), options bad_free and slab_debug.
 */
#ifndef SLABUDDY_SLAB_H
#define SLABUDDY_SLAB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <slabuddy/gfp.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef unsigned int slab_flags_t;

/* What slab_debug=FZPUT does, for one cache from its creation on. */
#define SLAB_CONSISTENCY_CHECKS ((slab_flags_t)0x0001) /* F: check everything at each call */
#define SLAB_RED_ZONE		((slab_flags_t)0x0002) /* Z: bytes around objects that nobody writes */
#define SLAB_POISON		((slab_flags_t)0x0004) /* P: free objects have known contents */
#define SLAB_STORE_USER		((slab_flags_t)0x0008) /* U: who allocated and freed it, with stacks */
#define SLAB_TRACE		((slab_flags_t)0x0010) /* T: a line on stderr for each call */
#define SLAB_FAILSLAB		((slab_flags_t)0x0020) /* A: allocations fail as failslab= says */

#define SLAB_HWCACHE_ALIGN   ((slab_flags_t)0x0040) /* objects start at cache lines */
#define SLAB_CACHE_DMA	     ((slab_flags_t)0x0080) /* its slabs are locked in memory */
#define SLAB_CACHE_DMA32     ((slab_flags_t)0x0100) /* its slabs lie below 4 GiB */
#define SLAB_PANIC	     ((slab_flags_t)0x0200) /* if it cannot be made, the process ends */
#define SLAB_RECLAIM_ACCOUNT ((slab_flags_t)0x0400) /* a shrinker can empty it: slabs apart from others */
#define SLAB_NO_MERGE	     ((slab_flags_t)0x0800) /* never share slabs with another cache */
#define SLAB_ACCOUNT	     ((slab_flags_t)0x1000) /* accepted; there is no one to account to */
#define SLAB_NO_USER_FLAGS   ((slab_flags_t)0x2000) /* the option slab_debug does not concern it */

/*
 * The memory of a free object stays an object of this cache for as long as a reader is in an RCU
 * read-side section (liburcu's): a reader may look at it, find that it is not, or no longer, what it
 * was looking for, and go on. It may find it in use again, as another object of the same type. Needs
 * liburcu when the library is built; without it kmem_cache_create() fails, with a line on stderr.
 */
#define SLAB_TYPESAFE_BY_RCU ((slab_flags_t)0x4000)

struct kmem_cache;
struct slab_sheaf;

/**
 * struct kmem_cache_args - what else a cache may be told; all zero is fine.
 * @align: of objects, a power of two up to PAGE_SIZE; 0: pointer size, or as SLAB_HWCACHE_ALIGN says.
 * @sheaf_capacity: objects that a thread may keep for itself; 0: found out from use.
 * @useroffset: where the part of an object begins that may be copied to other programs. Such a cache is
 *	not merged; nothing else follows from it.
 * @usersize: bytes of that part; 0: none.
 * @use_freeptr_offset: whether @freeptr_offset counts, even if it is 0.
 * @freeptr_offset: where in an object of a cache with a constructor or SLAB_TYPESAFE_BY_RCU the
 *	allocator may write a word while the object is free: a multiple of 8 within the object. Without it
 *	such objects grow by a word, because what is in them must stay.
 * @ctor: called once for each object when its slab is made. The state that it leaves is there at each
 *	allocation, so whoever frees an object must leave it in that state.
 */
struct kmem_cache_args {
	unsigned int align;
	unsigned int sheaf_capacity;
	unsigned int useroffset;
	unsigned int usersize;
	bool use_freeptr_offset;
	unsigned int freeptr_offset;
	void (*ctor)(void *object);
};

/* The largest object of a cache, and what kmalloc() can give. */
#define KMALLOC_MAX_SIZE       (PAGE_SIZE << MAX_PAGE_ORDER)
/* The largest request that comes out of a slab; what is larger is a run of pages. */
#define KMALLOC_MAX_CACHE_SIZE 32768UL
#define KMALLOC_MIN_SIZE       16UL

/* Names longer than this are refused, so that no report has to cut them. */
#define KMEM_CACHE_NAME_MAX 31

/**
 * __kmem_cache_create_args() - make a cache. Call it as kmem_cache_create(), see below.
 * @name: copied; 1 to KMEM_CACHE_NAME_MAX printable characters without blanks. One that another cache
 *	has already costs a warning.
 * @object_size: bytes of an object, 1 to KMALLOC_MAX_SIZE.
 * @args: see above, or NULL.
 * @flags: SLAB_* above.
 *
 * A cache may turn out to be another name of one that exists, if their objects fit each other and
 * nothing forbids it (a constructor, SLAB_NO_MERGE, SLAB_TYPESAFE_BY_RCU, a debug flag, a usersize, the
 * option slab_nomerge): both names then share slabs, and destroying one leaves the other. slabinfo shows
 * the first name.
 *
 * Return: the cache; NULL for a bad name, size, alignment or flag, with one line on stderr, or when there
 * is no memory or there are 16384 caches. With SLAB_PANIC the process ends instead.
 * Context: takes a lock that no allocation waits for.
 * Source: the kernel's mm/slab_common.c.
 */
struct kmem_cache *__kmem_cache_create_args(const char *name, unsigned int object_size,
					    const struct kmem_cache_args *args, slab_flags_t flags);

/* The older form: alignment, flags and constructor one by one. */
struct kmem_cache *__kmem_cache_create(const char *name, unsigned int object_size, unsigned int align,
				       slab_flags_t flags, void (*ctor)(void *object));

struct kmem_cache *kmem_cache_create_usercopy(const char *name, unsigned int size, unsigned int align,
					      slab_flags_t flags, unsigned int useroffset,
					      unsigned int usersize, void (*ctor)(void *object));

/**
 * kmem_cache_create() - make a cache, in either form:
 *
 *	kmem_cache_create(name, size, struct kmem_cache_args *args, flags)
 *	kmem_cache_create(name, size, align, flags, ctor)
 *
 * The type of the third argument decides; NULL stands for no args.
 */
#ifdef __cplusplus
} /* extern "C" */

static inline struct kmem_cache *kmem_cache_create(const char *name, unsigned int object_size,
						   const struct kmem_cache_args *args,
						   slab_flags_t flags)
{
	return __kmem_cache_create_args(name, object_size, args, flags);
}

static inline struct kmem_cache *kmem_cache_create(const char *name, unsigned int object_size,
						   unsigned int align, slab_flags_t flags,
						   void (*ctor)(void *object))
{
	return __kmem_cache_create(name, object_size, align, flags, ctor);
}

extern "C" {
#else
struct kmem_cache *__kmem_cache_default_args(const char *name, unsigned int object_size,
					     const void *null, slab_flags_t flags);

#define kmem_cache_create(name, object_size, args, ...)			\
	_Generic((args),						\
		struct kmem_cache_args *: __kmem_cache_create_args,	\
		const struct kmem_cache_args *: __kmem_cache_create_args, \
		void *: __kmem_cache_default_args,			\
		const void *: __kmem_cache_default_args,		\
		default: __kmem_cache_create)(name, object_size, args, __VA_ARGS__)
#endif

/* A cache for objects of a type, named after it, with its alignment. */
#ifdef __cplusplus
#define SLABUDDY_ALIGNOF alignof
#else
#define SLABUDDY_ALIGNOF _Alignof
#endif
#define KMEM_CACHE(type, flags) \
	__kmem_cache_create(#type, sizeof(struct type), SLABUDDY_ALIGNOF(struct type), (flags), NULL)

/* As KMEM_CACHE(), and one member of it may be copied to other programs. */
#define KMEM_CACHE_USERCOPY(type, flags, field)						\
	kmem_cache_create_usercopy(#type, sizeof(struct type), SLABUDDY_ALIGNOF(struct type),	\
				   (flags), offsetof(struct type, field),			\
				   sizeof(((struct type *)0)->field), NULL)

/**
 * kmem_cache_destroy() - end a cache, or one of its names. NULL is nothing.
 *
 * No thread may be using it, or free one of its objects later. If objects are left they are listed on
 * stderr, with the stacks of their allocation if SLAB_STORE_USER is set, and the cache stays.
 *
 * Context: waits for RCU if the cache is SLAB_TYPESAFE_BY_RCU, or something that was given to kfree_rcu() is
 * not freed yet: not from within a read-side section, nor a callback of call_rcu().
 */
void kmem_cache_destroy(struct kmem_cache *cache);

/**
 * kmem_cache_shrink() - give back what a cache holds without need.
 *
 * What running threads keep in their sheaves stays with them.
 *
 * Return: 0 when no empty slab is left, else another number.
 */
int kmem_cache_shrink(struct kmem_cache *cache);

/**
 * kmem_cache_worth_vacating() - whether the slab of an object should lose it: whether it is one of the emptier
 * ones, and another one has room.
 * @object: an object in use. Nobody may free it meanwhile.
 *
 * What a cache holds after most of its objects were freed at random is pages with a few objects each, which
 * only whoever knows the pointers to them can move together.
 *
 * Return: 1 or 0; -EINVAL: no object in use of @cache; -EOPNOTSUPP: its objects cannot be moved, because it
 * has a constructor, SLAB_TYPESAFE_BY_RCU or debugging.
 * Context: takes a lock that this node's part of the cache has.
 * Cost: 25 ns; 130 where nobody has looked at that slab for long, most of it waiting for memory.
 */
int kmem_cache_worth_vacating(struct kmem_cache *cache, const void *object);

/**
 * kmem_cache_move() - move an object into a fuller slab, if that is worth it.
 * @object: an object in use, that nobody uses meanwhile. Pointers to it, also its own, are the caller's
 *	to change.
 *
 * Never makes a slab, and so needs no memory. Whoever calls it for all objects of a cache, until it does
 * nothing any more, gets as few slabs as the objects need, and moves each about once.
 *
 * Return: where all its bytes are now, the old object being free; NULL: nothing was done, since
 * kmem_cache_worth_vacating() does not say 1.
 * Cost: about 550 ns for each of many objects of 100 bytes, again mostly waiting for memory.
 */
void *kmem_cache_move(struct kmem_cache *cache, void *object);

/* Bytes of an object as they were asked for; 0 for NULL. */
unsigned int kmem_cache_size(struct kmem_cache *cache);

const char *kmem_cache_name(struct kmem_cache *cache);

/**
 * kmem_cache_validate() - check all slabs of a cache, and the red zones and poison in them if it has
 * any. Each fault is reported on stderr.
 *
 * Return: the number of faults.
 * Context: other threads wait at their next slow path.
 */
unsigned long kmem_cache_validate(struct kmem_cache *cache);

/**
 * kmem_cache_alloc() - an object.
 * @cache: the cache. NULL gives NULL, with one warning.
 * @gfp: GFP_KERNEL and the like; __GFP_ZERO, but not for a cache with a constructor.
 *
 * Return: the object, or NULL: no memory.
 * Context: with __GFP_DIRECT_RECLAIM it may run shrinkers when there is no memory.
 * Cost: mostly about 20 instructions; no lock, no system call.
 */
void *kmem_cache_alloc(struct kmem_cache *cache, gfp_t gfp);

/* The same on a node; NUMA_NO_NODE: the nearest. Another node's object when that has no memory, unless
 * __GFP_THISNODE. Where there are several nodes, any but the nearest costs a lock. */
void *kmem_cache_alloc_node(struct kmem_cache *cache, gfp_t gfp, int nid);

static inline void *kmem_cache_zalloc(struct kmem_cache *cache, gfp_t gfp)
{
	return kmem_cache_alloc(cache, gfp | __GFP_ZERO);
}

/**
 * kmem_cache_free() - give an object back. NULL is nothing.
 * @cache: the cache that it came from. An object of another one, a pointer that is no object and an
 *	object that is free already are reported.
 */
void kmem_cache_free(struct kmem_cache *cache, void *object);

/**
 * kmem_cache_alloc_bulk() - several objects, or none.
 * @nr: how many. 0 is nothing.
 * @objects: gets them.
 *
 * Return: @nr, or 0: no memory, and then there is nothing to free.
 */
int kmem_cache_alloc_bulk(struct kmem_cache *cache, gfp_t gfp, size_t nr, void **objects);

/**
 * kmem_cache_free_bulk() - give several objects back.
 * @cache: where they came from; NULL: each its own cache, like kfree_bulk().
 */
void kmem_cache_free_bulk(struct kmem_cache *cache, size_t nr, void **objects);

static inline void kfree_bulk(size_t nr, void **objects)
{
	kmem_cache_free_bulk(NULL, nr, objects);
}

/**
 * kmem_cache_prefill_sheaf() - take objects aside, so that later allocations cannot fail.
 * @size: how many, 0 to KMEM_SHEAF_MAX.
 *
 * Return: a sheaf with @size objects, or NULL: no memory, or @size is too large.
 */
#define KMEM_SHEAF_MAX 131068U

struct slab_sheaf *kmem_cache_prefill_sheaf(struct kmem_cache *cache, gfp_t gfp, unsigned int size);

/**
 * kmem_cache_refill_sheaf() - fill a sheaf up again to at least @size objects.
 * @sheaf: the sheaf, which may be replaced by a larger one.
 *
 * Return: 0; or -ENOMEM, and then the sheaf is as it was; -EINVAL for NULL and for another cache's sheaf,
 * which is reported, as it is by the two below.
 */
int kmem_cache_refill_sheaf(struct kmem_cache *cache, gfp_t gfp, struct slab_sheaf **sheaf,
			    unsigned int size);

/**
 * kmem_cache_alloc_from_sheaf() - an object out of a prefilled sheaf.
 * @gfp: __GFP_ZERO counts, nothing else does.
 *
 * Return: an object; NULL only when the sheaf is empty.
 * Context: no lock, no system call. One thread at a time.
 */
void *kmem_cache_alloc_from_sheaf(struct kmem_cache *cache, gfp_t gfp, struct slab_sheaf *sheaf);

/* Give a sheaf back with what is left in it. NULL is nothing. */
void kmem_cache_return_sheaf(struct kmem_cache *cache, gfp_t gfp, struct slab_sheaf *sheaf);

/* Objects in a sheaf. */
unsigned int kmem_cache_sheaf_size(struct slab_sheaf *sheaf);

/*
 * kmalloc and its family. What it gives is aligned to 16 bytes, for a size that is a power of two to
 * that size. A request for no bytes gives ZERO_SIZE_PTR, which must not be touched and may be freed.
 */
#define ZERO_SIZE_PTR	     ((void *)16)
#define ZERO_OR_NULL_PTR(ptr) ((uintptr_t)(ptr) <= (uintptr_t)ZERO_SIZE_PTR)

/**
 * kmalloc() - @size bytes.
 *
 * Return: memory; NULL: none, or @size is over KMALLOC_MAX_SIZE, which costs one warning unless
 * __GFP_NOWARN.
 * Cost: as kmem_cache_alloc().
 */
void *kmalloc(size_t size, gfp_t gfp);
void *kmalloc_node(size_t size, gfp_t gfp, int nid);

static inline void *kzalloc(size_t size, gfp_t gfp)
{
	return kmalloc(size, gfp | __GFP_ZERO);
}

static inline void *kzalloc_node(size_t size, gfp_t gfp, int nid)
{
	return kmalloc_node(size, gfp | __GFP_ZERO, nid);
}

/* Memory for @nr elements of @size bytes; NULL also when the product overflows. */
void *kmalloc_array(size_t nr, size_t size, gfp_t gfp);

static inline void *kcalloc(size_t nr, size_t size, gfp_t gfp)
{
	return kmalloc_array(nr, size, gfp | __GFP_ZERO);
}

/**
 * krealloc() - another size for a block.
 * @ptr: a block of kmalloc(), ZERO_SIZE_PTR, or NULL: then as kmalloc().
 * @size: 0: the block is freed and the result is ZERO_SIZE_PTR.
 * @gfp: with __GFP_ZERO what is added reads as zero, if it was given at every call before.
 *
 * Return: the block, perhaps elsewhere; NULL: no memory, @ptr being as it was.
 */
void *krealloc(const void *ptr, size_t size, gfp_t gfp);
void *krealloc_array(void *ptr, size_t nr, size_t size, gfp_t gfp);

/* Give a block of kmalloc() or an object of any cache back. NULL and ZERO_SIZE_PTR are nothing. */
void kfree(const void *ptr);

/* The same after its contents were overwritten. */
void kfree_sensitive(const void *ptr);

/**
 * ksize() - bytes that may be used at @ptr, at least what was asked for.
 *
 * Return: bytes; 0 for NULL, ZERO_SIZE_PTR and what is no block of this library.
 */
size_t ksize(const void *ptr);

/* The least that ksize() would say of a block of @size bytes. */
size_t kmalloc_size_roundup(size_t size);

void *kmemdup(const void *src, size_t len, gfp_t gfp);
void *kmemdup_array(const void *src, size_t count, size_t element_size, gfp_t gfp);
/* A copy of @len bytes with a zero behind it. */
char *kmemdup_nul(const char *text, size_t len, gfp_t gfp);
/* NULL gives NULL. */
char *kstrdup(const char *text, gfp_t gfp);
char *kstrndup(const char *text, size_t max, gfp_t gfp);
char *kasprintf(gfp_t gfp, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* As kmalloc(), of any size up to PTRDIFF_MAX. */
void *kvmalloc(size_t size, gfp_t gfp);
void *kvmalloc_node(size_t size, gfp_t gfp, int nid);

static inline void *kvzalloc(size_t size, gfp_t gfp)
{
	return kvmalloc(size, gfp | __GFP_ZERO);
}

void *kvmalloc_array(size_t nr, size_t size, gfp_t gfp);

static inline void *kvcalloc(size_t nr, size_t size, gfp_t gfp)
{
	return kvmalloc_array(nr, size, gfp | __GFP_ZERO);
}

void *kvrealloc(const void *ptr, size_t size, gfp_t gfp);
void kvfree(const void *ptr);
void kvfree_sensitive(const void *ptr, size_t len);

/**
 * kmalloc_nolock() - memory in a signal handler.
 * @gfp: __GFP_ZERO counts; __GFP_NOWARN is implied.
 *
 * Waits for nobody: a lock that somebody holds, perhaps the very code that the signal interrupted, is left
 * alone. Asks the OS for nothing either.
 *
 * Return: memory; NULL when what it needs is locked or used up at the moment, and always for a size whose
 * cache slab_debug watches, since a check would have to wait.
 * Context: any, signal handlers included.
 */
void *kmalloc_nolock(size_t size, gfp_t gfp, int nid);

/**
 * kfree_nolock() - give memory of kmalloc() or kmalloc_nolock() back, in a signal handler. NULL is nothing.
 *
 * It is on a list until the next slow path of any thread, which checks it as kfree() would.
 */
void kfree_nolock(const void *ptr);

#ifdef __cplusplus
}
#endif

#endif
