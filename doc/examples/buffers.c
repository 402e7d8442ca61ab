/* SPDX-License-Identifier: MIT */
/*
 * A pool of buffers for input that bypasses the page cache: blocks of __get_dma_pages(), aligned to their
 * size and locked in memory. A file is read through them with O_DIRECT, and with io_uring, which is told
 * the buffers once (registered) instead of looking their pages up at each read.
 *
 * What the system does not allow is said in a line and left out: locked memory beyond RLIMIT_MEMLOCK,
 * O_DIRECT on some file systems, io_uring in some containers.
 *
 * Usage: buffers [DIRECTORY]	where the file is made that is read (default: the current one)
 */
#define _GNU_SOURCE /* O_DIRECT */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifdef HAVE_LIBURING
#include <liburing.h>
#endif

#include <slabuddy/gfp.h>

enum {
	NR_BUFFERS = 8,
	BUFFER_ORDER = 3, /* 32 KiB */
	NR_CHUNKS = 64,	  /* length of the file, in buffers */
};

static const size_t buffer_bytes = PAGE_SIZE << BUFFER_ORDER;

struct pool {
	void *free[NR_BUFFERS];
	unsigned int nr_free;
	bool locked;
};

static unsigned long get_buffer(bool locked)
{
	if (locked)
		return __get_dma_pages(GFP_KERNEL | __GFP_NOWARN, BUFFER_ORDER);
	return __get_free_pages(GFP_KERNEL, BUFFER_ORDER);
}

static bool pool_fill(struct pool *pool, bool locked)
{
	pool->locked = locked;
	while (pool->nr_free < NR_BUFFERS) {
		unsigned long addr = get_buffer(locked);

		if (!addr)
			return false;
		pool->free[pool->nr_free++] = (void *)addr;
	}
	return true;
}

static void pool_empty(struct pool *pool)
{
	while (pool->nr_free)
		free_pages((unsigned long)pool->free[--pool->nr_free], BUFFER_ORDER);
}

static bool pool_init(struct pool *pool)
{
	*pool = (struct pool){ 0 };
	if (pool_fill(pool, true))
		return true;
	pool_empty(pool);
	printf("locked memory: refused (ulimit -l); ordinary pages instead\n");
	return pool_fill(pool, false);
}

static void *pool_get(struct pool *pool)
{
	return pool->nr_free ? pool->free[--pool->nr_free] : NULL;
}

static void pool_put(struct pool *pool, void *buffer)
{
	pool->free[pool->nr_free++] = buffer;
}

/* Chunk n of the file is full of this word. */
static uint64_t word_of(unsigned int chunk)
{
	return 0x0101010101010101 * (chunk + 1);
}

static bool chunk_is_right(const void *buffer, unsigned int chunk)
{
	const uint64_t *words = buffer;

	return words[0] == word_of(chunk) && !memcmp(words, words + 1, buffer_bytes - sizeof(*words));
}

/* A file without a name. Return: its descriptor, opened anew with O_DIRECT if that is possible. */
static int make_file(struct pool *pool, const char *dir)
{
	uint64_t *buffer = pool_get(pool);
	char path[4096];
	int fd, direct;

	snprintf(path, sizeof(path), "%s/buffers.XXXXXX", dir);
	fd = mkstemp(path);
	if (fd < 0) {
		perror(path);
		exit(EXIT_FAILURE);
	}
	for (unsigned int chunk = 0; chunk < NR_CHUNKS; chunk++) {
		for (size_t i = 0; i < buffer_bytes / sizeof(*buffer); i++)
			buffer[i] = word_of(chunk);
		if (write(fd, buffer, buffer_bytes) != (ssize_t)buffer_bytes) {
			perror(path);
			exit(EXIT_FAILURE);
		}
	}
	pool_put(pool, buffer);
	fsync(fd); /* a direct read of what only the page cache has would have to wait for it */
	direct = open(path, O_RDONLY | O_DIRECT | O_CLOEXEC);
	unlink(path);
	if (direct < 0) {
		printf("O_DIRECT: refused (%s); through the page cache instead\n", strerror(errno));
		return fd;
	}
	close(fd);
	return direct;
}

static bool read_plainly(struct pool *pool, int fd)
{
	void *buffer = pool_get(pool);
	unsigned int right = 0;

	for (unsigned int chunk = 0; chunk < NR_CHUNKS; chunk++) {
		off_t at = (off_t)chunk * (off_t)buffer_bytes;

		if (pread(fd, buffer, buffer_bytes, at) != (ssize_t)buffer_bytes) {
			perror("pread");
			break;
		}
		right += chunk_is_right(buffer, chunk);
	}
	pool_put(pool, buffer);
	printf("pread: %u of %d chunks right\n", right, NR_CHUNKS);
	return right == NR_CHUNKS;
}

#ifdef HAVE_LIBURING
/* One read of each buffer at a time, all of them on their way together. */
static unsigned int read_with_ring(struct io_uring *ring, int fd, struct iovec *iovecs)
{
	unsigned int right = 0;

	for (unsigned int first = 0; first < NR_CHUNKS; first += NR_BUFFERS) {
		for (unsigned int i = 0; i < NR_BUFFERS; i++) {
			struct io_uring_sqe *sqe = io_uring_get_sqe(ring);

			io_uring_prep_read_fixed(sqe, fd, iovecs[i].iov_base, (unsigned int)buffer_bytes,
						 (first + i) * buffer_bytes, (int)i);
			io_uring_sqe_set_data64(sqe, i);
		}
		if (io_uring_submit_and_wait(ring, NR_BUFFERS) != NR_BUFFERS)
			return right;
		for (unsigned int i = 0; i < NR_BUFFERS; i++) {
			struct io_uring_cqe *cqe;
			uint64_t at;

			if (io_uring_wait_cqe(ring, &cqe))
				return right;
			at = io_uring_cqe_get_data64(cqe);
			if (cqe->res == (int)buffer_bytes)
				right += chunk_is_right(iovecs[at].iov_base, first + (unsigned int)at);
			io_uring_cqe_seen(ring, cqe);
		}
	}
	return right;
}

static bool read_registered(struct pool *pool, int fd)
{
	struct iovec iovecs[NR_BUFFERS];
	struct io_uring ring;
	unsigned int right;
	int err = io_uring_queue_init(NR_BUFFERS, &ring, 0);

	if (err) {
		printf("io_uring: refused (%s)\n", strerror(-err));
		return true;
	}
	for (int i = 0; i < NR_BUFFERS; i++)
		iovecs[i] = (struct iovec){ pool_get(pool), buffer_bytes };
	err = io_uring_register_buffers(&ring, iovecs, NR_BUFFERS);
	if (err) {
		printf("io_uring: registered buffers refused (%s)\n", strerror(-err));
		right = NR_CHUNKS;
	} else {
		right = read_with_ring(&ring, fd, iovecs);
		printf("io_uring: %u of %d chunks right\n", right, NR_CHUNKS);
	}
	io_uring_queue_exit(&ring);
	for (int i = 0; i < NR_BUFFERS; i++)
		pool_put(pool, iovecs[i].iov_base);
	return right == NR_CHUNKS;
}
#else
static bool read_registered(struct pool *pool, int fd)
{
	(void)pool;
	(void)fd;
	printf("io_uring: left out, there was no liburing when this was compiled\n");
	return true;
}
#endif

int main(int argc, char **argv)
{
	struct pool pool;
	bool good;
	int fd;

	if (!pool_init(&pool)) {
		printf("no memory\n");
		return EXIT_FAILURE;
	}
	printf("%d buffers of %zu KiB, %s, zone DMA: %ld pages\n", NR_BUFFERS, buffer_bytes / 1024,
	       pool.locked ? "locked" : "not locked", zone_page_state(0, "DMA", ZONE_ITEM_MANAGED));
	fd = make_file(&pool, argc > 1 ? argv[1] : ".");
	good = read_plainly(&pool, fd);
	good &= read_registered(&pool, fd);
	close(fd);
	good &= pool.nr_free == NR_BUFFERS;
	pool_empty(&pool);
	return good ? EXIT_SUCCESS : EXIT_FAILURE;
}
