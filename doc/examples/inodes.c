/* SPDX-License-Identifier: MIT */
/*
 * A file system's two best-known caches. Inodes and directory entries come and go as files are made and
 * removed; their constructors run once for each object of a slab, not once for each file; and in the end
 * slabinfo shows what is left, in the format of the kernel's /proc/slabinfo.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <slabuddy/report.h>
#include <slabuddy/slab.h>

enum {
	NR_DIRS = 40,
	NR_FILES = 500, /* in each directory */
	NR_BUCKETS = 4096,
};

struct inode {
	/* From the constructor on, and back in this state when an inode is freed. */
	pthread_mutex_t lock;
	struct dentry *aliases; /* names of this file */
	/* Set anew for each file. */
	unsigned long number;
	unsigned int nr_links;
	unsigned long size;
	char data[64];
};

struct dentry {
	/* From the constructor on, likewise. */
	struct dentry *next;	   /* in its bucket */
	struct dentry *next_alias; /* of the same inode */
	struct inode *inode;
	unsigned int dir;
	char name[28];
};

static struct kmem_cache *inode_cache, *dentry_cache;
static struct dentry *buckets[NR_BUCKETS];
static unsigned long nr_inodes_constructed, nr_dentries_constructed;
static unsigned long nr_inodes, nr_dentries; /* that are in use */

static void inode_init_once(void *object)
{
	struct inode *inode = object;

	pthread_mutex_init(&inode->lock, NULL);
	inode->aliases = NULL;
	nr_inodes_constructed++;
}

static void dentry_init_once(void *object)
{
	memset(object, 0, sizeof(struct dentry));
	nr_dentries_constructed++;
}

static bool make_caches(void)
{
	struct kmem_cache_args args = { .ctor = inode_init_once };

	/* Both forms of kmem_cache_create(): with a structure, and with everything one by one. */
	inode_cache = kmem_cache_create("inode_cache", sizeof(struct inode), &args,
					SLAB_RECLAIM_ACCOUNT | SLAB_HWCACHE_ALIGN);
	dentry_cache = kmem_cache_create("dentry", sizeof(struct dentry), 0, SLAB_RECLAIM_ACCOUNT,
					 dentry_init_once);
	return inode_cache && dentry_cache;
}

static struct dentry **bucket_of(unsigned int dir, const char *name)
{
	unsigned long hash = dir;

	for (; *name; name++)
		hash = hash * 31 + (unsigned char)*name;
	return &buckets[hash % NR_BUCKETS];
}

/* The place that points to a name's entry, or to NULL. */
static struct dentry **find(unsigned int dir, const char *name)
{
	struct dentry **at = bucket_of(dir, name);

	while (*at && ((*at)->dir != dir || strcmp((*at)->name, name)))
		at = &(*at)->next;
	return at;
}

static struct inode *lookup(unsigned int dir, const char *name)
{
	struct dentry *dentry = *find(dir, name);

	return dentry ? dentry->inode : NULL;
}

/* Give an inode one more name. Return: 0, or -1: no memory. */
static int link_inode(struct inode *inode, unsigned int dir, const char *name)
{
	struct dentry *dentry = kmem_cache_alloc(dentry_cache, GFP_KERNEL);
	struct dentry **bucket = bucket_of(dir, name);

	if (!dentry)
		return -1;
	snprintf(dentry->name, sizeof(dentry->name), "%s", name);
	dentry->dir = dir;
	dentry->inode = inode;
	dentry->next = *bucket;
	*bucket = dentry;
	pthread_mutex_lock(&inode->lock);
	dentry->next_alias = inode->aliases;
	inode->aliases = dentry;
	inode->nr_links++;
	pthread_mutex_unlock(&inode->lock);
	nr_dentries++;
	return 0;
}

static int create_file(unsigned int dir, const char *name)
{
	static unsigned long next_number = 1;
	struct inode *inode = kmem_cache_alloc(inode_cache, GFP_KERNEL);

	if (!inode)
		return -1;
	inode->number = next_number++;
	inode->nr_links = 0;
	inode->size = (unsigned long)snprintf(inode->data, sizeof(inode->data), "%u/%s", dir, name);
	if (link_inode(inode, dir, name)) {
		kmem_cache_free(inode_cache, inode);
		return -1;
	}
	nr_inodes++;
	return 0;
}

static void drop_link(struct inode *inode, struct dentry *dentry)
{
	struct dentry **at = &inode->aliases;
	unsigned int left;

	pthread_mutex_lock(&inode->lock);
	while (*at != dentry)
		at = &(*at)->next_alias;
	*at = dentry->next_alias;
	left = --inode->nr_links;
	pthread_mutex_unlock(&inode->lock);
	if (left)
		return;
	/* the lock is free and there are no aliases: as the constructor left it */
	kmem_cache_free(inode_cache, inode);
	nr_inodes--;
}

static void unlink_name(unsigned int dir, const char *name)
{
	struct dentry **at = find(dir, name);
	struct dentry *dentry = *at;

	if (!dentry)
		return;
	*at = dentry->next;
	drop_link(dentry->inode, dentry);
	kmem_cache_free(dentry_cache, dentry);
	nr_dentries--;
}

static const char *file_name(char *name, size_t size, const char *kind, int i)
{
	snprintf(name, size, "%s-%d", kind, i);
	return name;
}

/* Directories full of files, a second name for every tenth; and then two files of three go. */
static int workload(void)
{
	char name[28], other[28];

	for (unsigned int dir = 0; dir < NR_DIRS; dir++) {
		for (int i = 0; i < NR_FILES; i++) {
			file_name(name, sizeof(name), "file", i);
			if (create_file(dir, name))
				return -1;
			if (i % 10 == 0 && link_inode(lookup(dir, name), dir,
						      file_name(other, sizeof(other), "link", i)))
				return -1;
		}
		for (int i = 0; i < NR_FILES; i++)
			if (i % 3)
				unlink_name(dir, file_name(name, sizeof(name), "file", i));
	}
	return 0;
}

static unsigned long count_intact(void)
{
	unsigned long intact = 0;
	char name[28], text[64];

	for (unsigned int dir = 0; dir < NR_DIRS; dir++) {
		for (int i = 0; i < NR_FILES; i++) {
			struct inode *inode = lookup(dir, file_name(name, sizeof(name), "file", i));

			snprintf(text, sizeof(text), "%u/%s", dir, name);
			intact += inode && !strcmp(inode->data, text);
		}
	}
	return intact;
}

static void remove_everything(void)
{
	char name[28];

	for (unsigned int dir = 0; dir < NR_DIRS; dir++) {
		for (int i = 0; i < NR_FILES; i++) {
			unlink_name(dir, file_name(name, sizeof(name), "file", i));
			unlink_name(dir, file_name(name, sizeof(name), "link", i));
		}
	}
}

int main(void)
{
	if (!make_caches())
		return EXIT_FAILURE;
	if (workload())
		return EXIT_FAILURE;
	printf("files made: %d, of which %lu are left and intact\n", NR_DIRS * NR_FILES, count_intact());
	printf("in use: %lu inodes, %lu directory entries\n", nr_inodes, nr_dentries);
	printf("constructors ran %lu and %lu times\n\n", nr_inodes_constructed, nr_dentries_constructed);
	fflush(stdout);
	if (slabuddy_slabinfo(stdout))
		return EXIT_FAILURE;

	remove_everything();
	/* these would list what had been forgotten */
	kmem_cache_destroy(dentry_cache);
	kmem_cache_destroy(inode_cache);
	return nr_inodes || nr_dentries ? EXIT_FAILURE : EXIT_SUCCESS;
}
