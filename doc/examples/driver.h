/* SPDX-License-Identifier: MIT */
/* The interface of driver.c: queues of messages. Callers see to it that one at a time uses a queue. */
#ifndef DRIVER_H
#define DRIVER_H

#include <linux/gfp.h>
#include <linux/types.h>

struct msgq;

int msgq_init(void);
void msgq_exit(void);

/* A queue of up to @max messages. */
struct msgq *msgq_create(const char *name, unsigned int max);
void msgq_destroy(struct msgq *q);

/* Return: 0, -EMSGSIZE for an impossible length, -EAGAIN: full, or -ENOMEM. */
int msgq_send(struct msgq *q, const void *data, size_t len, gfp_t gfp);

/* Return: the message's length, -EAGAIN: empty, -EMSGSIZE: @size is too small, and the message stays. */
int msgq_receive(struct msgq *q, void *buf, size_t size);

const char *msgq_name(const struct msgq *q);
unsigned int msgq_count(const struct msgq *q);

#endif
