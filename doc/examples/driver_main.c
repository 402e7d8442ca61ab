/* SPDX-License-Identifier: MIT */
/* Drives driver.c, whose source is the kernel's idiom and nothing else: this is the world around it. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <slabuddy/report.h>

#include "driver.h"

enum {
	NR_MESSAGES = 1000,
	MAX_MESSAGE = 5000,
};

static bool expect(const char *what, long got, long wanted)
{
	printf("%s: %s\n", what, got == wanted ? "as it should be" : "WRONG");
	if (got != wanted)
		printf("  %ld, not %ld\n", got, wanted);
	return got == wanted;
}

static size_t message_size(int i)
{
	return 1 + (size_t)(i * 37) % MAX_MESSAGE;
}

/* Messages in, messages out, in waves: the ring grows while it has wrapped around. */
static long exchange(struct msgq *queue)
{
	static char message[MAX_MESSAGE], got[MAX_MESSAGE];
	int nr_sent = 0, nr_received = 0;
	long right = 0;

	while (nr_received < NR_MESSAGES) {
		for (int i = 0; i < 30 && nr_sent < NR_MESSAGES; i++, nr_sent++) {
			memset(message, nr_sent, message_size(nr_sent));
			if (msgq_send(queue, message, message_size(nr_sent), GFP_KERNEL))
				return -1;
		}
		for (int i = 0; i < 20 && nr_received < nr_sent; i++, nr_received++) {
			int len = msgq_receive(queue, got, sizeof(got));

			memset(message, nr_received, sizeof(message));
			right += len == (int)message_size(nr_received) &&
				 !memcmp(got, message, (size_t)len);
		}
	}
	return right;
}

int main(void)
{
	struct msgq *queue;
	char buf[8];
	bool good;

	if (msgq_init())
		return EXIT_FAILURE;
	queue = msgq_create("msgq0", 600);
	if (!queue) {
		msgq_exit();
		return EXIT_FAILURE;
	}
	printf("queue %s\n", msgq_name(queue));
	good = expect("messages right", exchange(queue), NR_MESSAGES);
	good &= expect("nothing left", msgq_receive(queue, buf, sizeof(buf)), -EAGAIN);
	good &= expect("an empty message", msgq_send(queue, buf, 0, GFP_KERNEL), -EMSGSIZE);
	good &= expect("a message", msgq_send(queue, "too long for eight", 19, GFP_ATOMIC), 0);
	good &= expect("into a short buffer", msgq_receive(queue, buf, sizeof(buf)), -EMSGSIZE);
	while (!msgq_send(queue, "x", 1, GFP_NOWAIT))
		;
	good &= expect("messages when full", msgq_count(queue), 600);
	printf("\n");
	fflush(stdout);
	good &= !slabuddy_slabinfo(stdout);
	msgq_destroy(queue);
	msgq_exit();
	return good ? EXIT_SUCCESS : EXIT_FAILURE;
}
