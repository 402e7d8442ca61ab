/* SPDX-License-Identifier: MIT */
#include "base/option.h"

#include <string.h>

#include "base/bits.h"
#include "base/fault.h"
#include "base/lock.h"
#include "base/root.h"
#include "base/slab_debug.h"

enum option_type {
	OPTION_UINT,   /* decimal number within bounds */
	OPTION_BYTES,  /* the same, or with K, M or G behind it; or 0, whatever the bounds */
	OPTION_CHOICE, /* one of a list of words; the value is its index */
	OPTION_STRING, /* anything that fits */
	OPTION_NUMA,   /* "auto", "off" or "fake=N" */
	OPTION_FAULT,  /* a struct fault_attr, see base/fault.h */
	OPTION_DEBUG,  /* see base/slab_debug.h; the word alone is like an empty value */
	OPTION_WORD,   /* no "=value": the word alone sets the value to min */
};

struct option {
	const char *name;
	enum option_type type;
	void *value;
	unsigned long min;
	unsigned long max;
	const char *const *words; /* [OPTION_CHOICE] */
	const char *help;
};

struct options options = {
	.percpu = PERCPU_AUTO,
	.purge = PURGE_ON,
	.slab_merge = 1,
	/* derived: an idle heap is to keep 16 MiB + 20 % at most, of which struct pages take 1.6 %, code and
	 * sheaves some MiB; what sheaves pin breaks that, see doc/memory.md */
	.dirty_min_kib = 9216,
	.dirty_percent = 18,
	.dirty_decay_ms = 10000, /* arbitrary: other allocators' threads take as long */
	.sheaf_kib = 64, /* the trial before the project: 1,000 small objects; not measured anew */
};

ROOT_PLACE(options);

static struct lock options_lock;
static slabuddy_limit_handler *limit_handler; /* [options_lock] */
static void *limit_handler_arg;		      /* [options_lock] */

static const char *const off_on[] = { "off", "on", NULL };
static const char *const off_on_auto[] = { "off", "on", "auto", NULL };
static const char *const off_on_batch[] = { "off", "on", "batch", NULL };
static const char *const abort_warn[] = { "abort", "warn", NULL };
static const char *const thp_words[] = { "auto", "always", "never", NULL };
static const char *const audit_words[] = { "off", "exit", NULL };

static const struct option table[] = {
	{ "audit", OPTION_CHOICE, &options.audit, 0, 0, audit_words,
	  "check the whole heap: off, or at exit (debug builds abort on a fault)" },
	{ "bad_free", OPTION_CHOICE, &options.bad_free, 0, 0, abort_warn,
	  "a pointer that cannot be freed: abort, or warn and leave it alone" },
	{ "dirty_decay_ms", OPTION_UINT, &options.dirty_decay_ms, 100, 3600000, NULL,
	  "with kswapd=on, milliseconds after which free pages that were not needed are all back" },
	{ "dirty_min", OPTION_UINT, &options.dirty_min_kib, 0, 1UL << 40, NULL,
	  "KiB of free dirty pages that are kept, fewer after most of a heap was given up" },
	{ "dirty_percent", OPTION_UINT, &options.dirty_percent, 0, 1000, NULL,
	  "free dirty pages kept, in percent of the pages in use" },
	{ "exit_report", OPTION_STRING, options.exit_report, 0, 0, NULL,
	  "file that gets the heap's figures when the process exits" },
	{ "exit_report_pid", OPTION_UINT, &options.exit_report_pid, 0, 1UL << 31, NULL,
	  "only the process with this id writes the report (0: any)" },
	{ "fail_page_alloc", OPTION_FAULT, &fail_page_alloc, 0, 0, NULL,
	  "interval,probability,space,times[,min-order=N]: blocks of pages fail on purpose" },
	{ "failslab", OPTION_FAULT, &failslab, 0, 0, NULL,
	  "interval,probability,space,times: objects of caches with slab_debug=A fail on purpose" },
	{ "kswapd", OPTION_CHOICE, &options.kswapd, 0, 0, off_on,
	  "a thread that gives back what lies idle for dirty_decay_ms, or when memory is short" },
	{ "memory_limit", OPTION_BYTES, &options.memory_limit, MEMORY_LIMIT_MIN, MEMORY_LIMIT_MAX, NULL,
	  "bytes, 4M to 1048576G, that the heap may hold before allocations fail (0: any)" },
	{ "numa", OPTION_NUMA, &options.numa, 1, 8, NULL,
	  "auto: the machine's nodes; off: one; fake=N: N that mean nothing, for tests" },
	{ "percpu", OPTION_CHOICE, &options.percpu, 0, 0, off_on_auto,
	  "threads share their processor's slot: none, all of them, or those beyond 8 a processor" },
	{ "purge", OPTION_CHOICE, &options.purge, 0, 0, off_on_batch,
	  "give free pages above the watermark back to the OS; batch: many by one process_madvise" },
	{ "slab_debug", OPTION_DEBUG, options.slab_debug, 0, 0, NULL,
	  "[FZPUTAO-][,name*,...][;...]: watch the caches of these names; alone: FZPU, all of them" },
	{ "slab_merge", OPTION_WORD, &options.slab_merge, 1, 0, NULL,
	  "takes no value: caches of like objects share slabs" },
	{ "slab_nomerge", OPTION_WORD, &options.slab_merge, 0, 0, NULL,
	  "takes no value: each cache has slabs of its own" },
	{ "sheaf", OPTION_UINT, &options.sheaf_kib, 0, 1024, NULL,
	  "KiB of free objects that a thread's sheaf may grow to" },
	{ "thp", OPTION_CHOICE, &options.thp, 0, 0, thp_words,
	  "auto: huge pages for what will be used as a whole; always: for all; never" },
};

static bool parse_uint(const char *text, size_t len, unsigned long min, unsigned long max,
		       unsigned long *value)
{
	unsigned long n = 0;

	if (!len)
		return false;
	for (size_t i = 0; i < len; i++) {
		unsigned long digit = (unsigned long)(text[i] - '0');

		if (text[i] < '0' || text[i] > '9')
			return false;
		if (__builtin_mul_overflow(n, 10, &n) || __builtin_add_overflow(n, digit, &n))
			return false;
	}
	if (n < min || n > max)
		return false;
	*value = n;
	return true;
}

/* The power of two that a unit stands for; 0: it is none. */
static unsigned int unit_shift(char unit)
{
	switch (unit) {
	case 'K':
	case 'k':
		return 10;
	case 'M':
	case 'm':
		return 20;
	case 'G':
	case 'g':
		return 30;
	default:
		return 0;
	}
}

static bool parse_bytes(const struct option *opt, const char *text, size_t len,
			unsigned long *value)
{
	unsigned int shift = len ? unit_shift(text[len - 1]) : 0;
	unsigned long n;

	if (!parse_uint(text, len - !!shift, 0, opt->max >> shift, &n))
		return false;
	*value = n << shift;
	return !n || *value >= opt->min;
}

static bool word_is(const char *word, const char *text, size_t len)
{
	return strlen(word) == len && !memcmp(word, text, len);
}

static bool parse_choice(const struct option *opt, const char *text, size_t len,
			 unsigned long *value)
{
	for (unsigned long i = 0; opt->words[i]; i++) {
		if (word_is(opt->words[i], text, len)) {
			*value = i;
			return true;
		}
	}
	return false;
}

static bool parse_numa(const struct option *opt, const char *text, size_t len, unsigned long *value)
{
	static const char fake[] = "fake=";
	const size_t skip = sizeof(fake) - 1;

	if (word_is("auto", text, len) || word_is("off", text, len)) {
		*value = word_is("off", text, len) ? 1 : NUMA_AUTO;
		return true;
	}
	return len > skip && !memcmp(text, fake, skip) &&
	       parse_uint(text + skip, len - skip, opt->min, opt->max, value);
}

static bool parse_string(const struct option *opt, const char *text, size_t len)
{
	if (len >= OPTION_STRING_BYTES)
		return false;
	memcpy(opt->value, text, len);
	((char *)opt->value)[len] = '\0';
	return true;
}

static bool parse_debug(const struct option *opt, const char *text, size_t len)
{
	if (!slab_debug_is_valid(text, len) || !parse_string(opt, text, len))
		return false;
	options.slab_debugged = 1;
	return true;
}

static bool parse_value(const struct option *opt, const char *text, size_t len)
{
	unsigned long value = 0;
	bool good = false;

	switch (opt->type) {
	case OPTION_UINT:
		good = parse_uint(text, len, opt->min, opt->max, &value);
		break;
	case OPTION_BYTES:
		good = parse_bytes(opt, text, len, &value);
		break;
	case OPTION_CHOICE:
		good = parse_choice(opt, text, len, &value);
		break;
	case OPTION_NUMA:
		good = parse_numa(opt, text, len, &value);
		break;
	case OPTION_FAULT:
		return fault_attr_parse(opt->value, text, len);
	case OPTION_WORD:
		break;
	case OPTION_DEBUG:
		return parse_debug(opt, text, len);
	case OPTION_STRING:
		return parse_string(opt, text, len);
	}
	if (good)
		WRITE_ONCE(*(unsigned long *)opt->value, value);
	return good;
}

static const struct option *find_option(const char *name, size_t len)
{
	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		if (word_is(table[i].name, name, len))
			return &table[i];
	}
	return NULL;
}

/* One item, from @item to @end. */
static bool parse_item(const char *item, const char *end, const char *source)
{
	const char *equals = memchr(item, '=', (size_t)(end - item));
	const char *name_end = equals ? equals : end;
	const struct option *opt = find_option(item, (size_t)(name_end - item));
	int len = (int)MIN(end - item, 200);

	if (!opt) {
		warn("%s: unknown option \"%.*s\"", source, len, item);
		return false;
	}
	if (!equals && opt->type == OPTION_WORD) {
		WRITE_ONCE(*(unsigned long *)opt->value, opt->min);
		return true;
	}
	if (!equals && opt->type == OPTION_DEBUG)
		return parse_debug(opt, "", 0);
	if (!equals || !parse_value(opt, equals + 1, (size_t)(end - equals - 1))) {
		warn("%s: bad value in \"%.*s\": %s", source, len, item, opt->help);
		return false;
	}
	return true;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n';
}

int options_parse(const char *text, const char *source)
{
	int refused = 0;

	if (!text)
		return 0;
	lock_acquire(&options_lock, LOCK_OPTIONS);
	while (*text) {
		const char *end = text;

		while (*end && !is_blank(*end))
			end++;
		if (end > text && !parse_item(text, end, source))
			refused++;
		text = *end ? end + 1 : end;
	}
	lock_release(&options_lock, LOCK_OPTIONS);
	return refused;
}

void options_set_memory_limit(size_t bytes, slabuddy_limit_handler *handler, void *arg)
{
	lock_acquire(&options_lock, LOCK_OPTIONS);
	limit_handler = handler;
	limit_handler_arg = arg;
	WRITE_ONCE(options.memory_limit, bytes);
	lock_release(&options_lock, LOCK_OPTIONS);
}

slabuddy_limit_handler *options_limit_handler(void **arg)
{
	slabuddy_limit_handler *handler;

	lock_acquire(&options_lock, LOCK_OPTIONS);
	handler = limit_handler;
	*arg = limit_handler_arg;
	lock_release(&options_lock, LOCK_OPTIONS);
	return handler;
}

void options_walk_locks(lock_visit *visit, void *arg)
{
	visit(&options_lock, arg);
}
