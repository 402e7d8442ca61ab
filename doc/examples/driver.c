/* SPDX-License-Identifier: MIT */
/*
 * A driver as it could stand in the kernel: it knows nothing of slabuddy, and includes <linux/...> only.
 *
 * The device is a queue of messages. A message is a request, out of a mempool over a cache, and a payload
 * from kmalloc(), which is inside the request if it is short: so a few short messages can be sent even
 * when there is no memory. Requests wait in a ring that grows by doubling.
 */
#include <linux/errno.h>
#include <linux/gfp.h>
#include <linux/mempool.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "driver.h"

#define MSGQ_MIN_RING	  8
#define MSGQ_INLINE	  48
#define MSGQ_MAX_PAYLOAD  (1UL << 20)
#define MSGQ_RESERVE	  16

struct msgq_request {
	size_t len;
	void *payload; /* @inline_data, or from kmalloc() */
	unsigned long sequence;
	char inline_data[MSGQ_INLINE];
};

struct msgq {
	char *name;
	mempool_t *requests;
	struct msgq_request **ring;
	unsigned int head; /* next to come out */
	unsigned int count;
	unsigned int size; /* of the ring: a power of two */
	unsigned int max;
	unsigned long sequence;
};

static struct kmem_cache *msgq_cache;
static struct kmem_cache *msgq_request_cache;

static struct msgq_request *msgq_request_alloc(struct msgq *q, const void *data, size_t len, gfp_t gfp)
{
	struct msgq_request *req;

	/* no waiting for a request to come back: whoever would receive it may be waiting for us */
	req = mempool_alloc(q->requests, gfp & ~__GFP_DIRECT_RECLAIM);
	if (!req)
		return NULL;

	req->payload = req->inline_data;
	if (len > MSGQ_INLINE) {
		req->payload = kmalloc(len, gfp);
		if (!req->payload)
			goto err_free_request;
	}
	memcpy(req->payload, data, len);
	req->len = len;
	return req;

err_free_request:
	mempool_free(req, q->requests);
	return NULL;
}

static void msgq_request_free(struct msgq *q, struct msgq_request *req)
{
	if (req->payload != req->inline_data)
		kfree(req->payload);
	mempool_free(req, q->requests);
}

static int msgq_grow(struct msgq *q, gfp_t gfp)
{
	struct msgq_request **ring;
	unsigned int i;

	ring = kmalloc_array(q->size * 2, sizeof(*ring), gfp);
	if (!ring)
		return -ENOMEM;
	for (i = 0; i < q->count; i++)
		ring[i] = q->ring[(q->head + i) & (q->size - 1)];
	kfree(q->ring);
	q->ring = ring;
	q->head = 0;
	q->size *= 2;
	return 0;
}

struct msgq *msgq_create(const char *name, unsigned int max)
{
	struct msgq *q;

	q = kmem_cache_zalloc(msgq_cache, GFP_KERNEL);
	if (!q)
		return NULL;

	q->name = kstrdup(name, GFP_KERNEL);
	if (!q->name)
		goto err_free_queue;

	q->requests = mempool_create_slab_pool(MSGQ_RESERVE, msgq_request_cache);
	if (!q->requests)
		goto err_free_name;

	q->ring = kcalloc(MSGQ_MIN_RING, sizeof(*q->ring), GFP_KERNEL);
	if (!q->ring)
		goto err_destroy_pool;

	q->size = MSGQ_MIN_RING;
	q->max = max;
	return q;

err_destroy_pool:
	mempool_destroy(q->requests);
err_free_name:
	kfree(q->name);
err_free_queue:
	kmem_cache_free(msgq_cache, q);
	return NULL;
}

void msgq_destroy(struct msgq *q)
{
	unsigned int i;

	if (!q)
		return;
	for (i = 0; i < q->count; i++)
		msgq_request_free(q, q->ring[(q->head + i) & (q->size - 1)]);
	kfree(q->ring);
	mempool_destroy(q->requests);
	kfree(q->name);
	kmem_cache_free(msgq_cache, q);
}

int msgq_send(struct msgq *q, const void *data, size_t len, gfp_t gfp)
{
	struct msgq_request *req;
	int err;

	if (!len || len > MSGQ_MAX_PAYLOAD)
		return -EMSGSIZE;
	if (q->count == q->max)
		return -EAGAIN;

	if (q->count == q->size) {
		err = msgq_grow(q, gfp);
		if (err)
			return err;
	}
	req = msgq_request_alloc(q, data, len, gfp);
	if (!req)
		return -ENOMEM;
	req->sequence = q->sequence++;
	q->ring[(q->head + q->count++) & (q->size - 1)] = req;
	return 0;
}

int msgq_receive(struct msgq *q, void *buf, size_t size)
{
	struct msgq_request *req;
	int len;

	if (!q->count)
		return -EAGAIN;
	req = q->ring[q->head];
	if (req->len > size)
		return -EMSGSIZE;

	memcpy(buf, req->payload, req->len);
	len = (int)req->len;
	q->head = (q->head + 1) & (q->size - 1);
	q->count--;
	msgq_request_free(q, req);
	return len;
}

const char *msgq_name(const struct msgq *q)
{
	return q->name;
}

unsigned int msgq_count(const struct msgq *q)
{
	return q->count;
}

int msgq_init(void)
{
	msgq_cache = KMEM_CACHE(msgq, 0);
	if (!msgq_cache)
		return -ENOMEM;

	msgq_request_cache = kmem_cache_create("msgq_request", sizeof(struct msgq_request), 0,
					       SLAB_HWCACHE_ALIGN, NULL);
	if (!msgq_request_cache)
		goto err_destroy_cache;
	return 0;

err_destroy_cache:
	kmem_cache_destroy(msgq_cache);
	return -ENOMEM;
}

void msgq_exit(void)
{
	kmem_cache_destroy(msgq_request_cache);
	kmem_cache_destroy(msgq_cache);
}
