/* SPDX-License-Identifier: MIT */
/*
 * A table of keys and values, as in a database that is kept in memory. It is filled; then nine of ten keys
 * are deleted at random, and what is left lies scattered over all the pages that held them. Since the table
 * knows every pointer to its memory, it can move it together: slabuddy_move() does so where it helps.
 *
 * The program is one for any malloc. Where the function is not there it says so:
 *
 *	./defrag						with the C library's
 *	LD_PRELOAD=libslabuddy-malloc.so ./defrag		or by slabuddy run ./defrag
 *	cc defrag.c -lslabuddy-malloc && ./a.out		linked
 *
 * Usage: defrag [KEYS]
 */
#include <malloc.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <slabuddy/report.h>
#include <slabuddy/slabuddy.h>

/* NULL where the library is not there. */
#pragma weak slabuddy_move
#pragma weak slabuddy_slabinfo

enum {
	KEY_BYTES = 28,
	MIN_VALUE = 16,
	MAX_VALUE = 600,
	STAYS_ONE_OF = 10,
	MAX_PASSES = 20,
};

struct entry {
	struct entry *next; /* in its bucket */
	unsigned char *value;
	uint32_t value_bytes;
	char key[KEY_BYTES];
};

struct table {
	struct entry **buckets;
	size_t nr_buckets;
	size_t nr_entries;
	size_t bytes; /* of entries and values */
};

/* splitmix64 */
static uint64_t mix(uint64_t n)
{
	n += 0x9e3779b97f4a7c15;
	n = (n ^ n >> 30) * 0xbf58476d1ce4e5b9;
	n = (n ^ n >> 27) * 0x94d049bb133111eb;
	return n ^ n >> 31;
}

static void *must_have(void *memory)
{
	if (!memory) {
		fprintf(stderr, "defrag: no memory\n");
		exit(EXIT_FAILURE);
	}
	return memory;
}

static void make_key(char *key, uint64_t number)
{
	memset(key, 0, KEY_BYTES);
	snprintf(key, KEY_BYTES, "key:%llu", (unsigned long long)number);
}

/* What belongs to a key can be worked out from its number, so that it can be found intact. */
static uint32_t value_bytes_of(uint64_t number)
{
	return (uint32_t)(MIN_VALUE + mix(number) % (MAX_VALUE - MIN_VALUE + 1));
}

static unsigned char value_byte(uint64_t number)
{
	return (unsigned char)mix(~number);
}

static struct entry **find(struct table *table, const char *key)
{
	uint64_t hash = 0xcbf29ce484222325;
	struct entry **at;

	for (const char *c = key; *c; c++)
		hash = mix(hash ^ (unsigned char)*c);
	at = &table->buckets[hash % table->nr_buckets];
	while (*at && strcmp((*at)->key, key))
		at = &(*at)->next;
	return at;
}

static void put(struct table *table, uint64_t number)
{
	struct entry *entry = must_have(malloc(sizeof(*entry)));

	entry->next = NULL;
	entry->value_bytes = value_bytes_of(number);
	entry->value = must_have(malloc(entry->value_bytes));
	memset(entry->value, value_byte(number), entry->value_bytes);
	make_key(entry->key, number);
	*find(table, entry->key) = entry;
	table->nr_entries++;
	table->bytes += sizeof(*entry) + entry->value_bytes;
}

static void delete(struct table *table, uint64_t number)
{
	char key[KEY_BYTES];
	struct entry **at, *entry;

	make_key(key, number);
	at = find(table, key);
	entry = *at;
	*at = entry->next;
	table->nr_entries--;
	table->bytes -= sizeof(*entry) + entry->value_bytes;
	free(entry->value);
	free(entry);
}

static bool stays(uint64_t number)
{
	return mix(number * 3 + 1) % STAYS_ONE_OF == 0;
}

/* Return: how many keys still have all of their value. */
static size_t count_intact(struct table *table, uint64_t nr_keys)
{
	size_t intact = 0;

	for (uint64_t number = 0; number < nr_keys; number++) {
		char key[KEY_BYTES];
		const struct entry *entry;

		make_key(key, number);
		entry = *find(table, key);
		if (!entry || entry->value_bytes != value_bytes_of(number))
			continue;
		intact += entry->value[0] == value_byte(number) &&
			  !memcmp(entry->value, entry->value + 1, entry->value_bytes - 1);
	}
	return intact;
}

/* ---- What the program is about ---- */

/* Whoever points to a block that was moved has to hear of it: here it is one pointer each. */
static bool move(void **pointer)
{
	void *now = slabuddy_move(*pointer);

	if (now)
		*pointer = now;
	return now;
}

/* One pass over the table. Return: how many blocks were moved. A database would do this bit by bit, a few
 * buckets whenever it has nothing else to do. */
static size_t move_what_helps(struct table *table)
{
	size_t moved = 0;

	for (size_t i = 0; i < table->nr_buckets; i++) {
		for (struct entry **at = &table->buckets[i]; *at; at = &(*at)->next) {
			moved += move((void **)at);
			moved += move((void **)&(*at)->value);
		}
	}
	return moved;
}

/* ---- What there is to see ---- */

static double mib(size_t bytes)
{
	return (double)bytes / (1 << 20);
}

static size_t rss(void)
{
	FILE *file = fopen("/proc/self/statm", "r");
	unsigned long pages = 0;

	if (!file || fscanf(file, "%*u %lu", &pages) != 1)
		pages = 0;
	if (file)
		fclose(file);
	return pages * (size_t)sysconf(_SC_PAGESIZE);
}

/* What slabinfo says: bytes of objects that the program has, and of all slabs. */
static void print_slabs(void)
{
	char *text = NULL, *line, *rest;
	size_t bytes, live = 0, slabs = 0;
	FILE *file = must_have(open_memstream(&text, &bytes));

	if (slabuddy_slabinfo(file) || fclose(file)) {
		perror("slabinfo");
		exit(EXIT_FAILURE);
	}
	for (line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
		unsigned long active, size, pages, nr;

		if (sscanf(line, "%*s %lu %*u %lu %*u %lu : tunables %*u %*u %*u : slabdata %*u %lu",
			   &active, &size, &pages, &nr) != 4)
			continue;
		live += active * size;
		slabs += nr * pages * (size_t)sysconf(_SC_PAGESIZE);
	}
	free(text);
	printf(", %6.1f MiB of objects in %6.1f MiB of slabs", mib(live), mib(slabs));
}

/* With nothing kept for later, so that what is left is what objects hold. */
static void print_memory(const char *when, const struct table *table)
{
	malloc_trim(0);
	printf("%-8s %8zu keys, %6.1f MiB: RSS %6.1f MiB", when, table->nr_entries, mib(table->bytes),
	       mib(rss()));
	if (slabuddy_slabinfo)
		print_slabs();
	printf("\n");
}

static void defragment(struct table *table)
{
	size_t moved, total = 0;
	int passes = 0;

	if (!slabuddy_move) {
		printf("this malloc has no slabuddy_move(): everything stays where it is\n");
		return;
	}
	do {
		moved = move_what_helps(table);
		total += moved;
	} while (moved && ++passes < MAX_PASSES);
	printf("moved %zu of %zu blocks in %d passes\n", total, 2 * table->nr_entries, passes);
	print_memory("moved", table);
}

int main(int argc, char **argv)
{
	uint64_t nr_keys = argc > 1 ? strtoul(argv[1], NULL, 10) : 200000;
	struct table table = { .nr_buckets = nr_keys / 4 + 1 };
	size_t intact;
	bool good;

	table.buckets = must_have(calloc(table.nr_buckets, sizeof(*table.buckets)));
	for (uint64_t number = 0; number < nr_keys; number++)
		put(&table, number);
	print_memory("filled", &table);
	for (uint64_t number = 0; number < nr_keys; number++) {
		if (!stays(number))
			delete(&table, number);
	}
	print_memory("deleted", &table);
	defragment(&table);
	intact = count_intact(&table, nr_keys);
	printf("keys with their whole value: %zu of %zu\n", intact, table.nr_entries);
	good = intact == table.nr_entries;
	for (uint64_t number = 0; number < nr_keys; number++) {
		if (stays(number))
			delete(&table, number);
	}
	free(table.buckets);
	return good ? EXIT_SUCCESS : EXIT_FAILURE;
}
