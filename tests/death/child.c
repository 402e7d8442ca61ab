/* SPDX-License-Identifier: MIT */
#include "death/child.h"

#include <check.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../own_slot.h"

/* "0x" and hexadecimal digits become PTR, in place. */
static void mask_addresses(char *text)
{
	char *to = text;

	while (*text) {
		size_t digits = 0;

		if (text[0] == '0' && text[1] == 'x')
			digits = strspn(text + 2, "0123456789abcdef");
		if (digits) {
			memcpy(to, "PTR", 3);
			to += 3;
			text += 2 + digits;
		} else {
			*to++ = *text++;
		}
	}
	*to = '\0';
}

static _Noreturn void be_child(int fd, void (*code)(const void *arg), const void *arg)
{
	const struct rlimit no_core = { 0, 0 };

	setrlimit(RLIMIT_CORE, &no_core);
	dup2(fd, STDERR_FILENO);
	close(fd);
	signal(SIGABRT, SIG_DFL);
	alarm(100); /* a safety net */
	take_own_slot();
	code(arg);
	_exit(0);
}

void run_child(void (*code)(const void *arg), const void *arg, struct child_end *end)
{
	size_t len = 0;
	ssize_t got;
	int fds[2];
	pid_t pid;

	ck_assert_int_eq(pipe(fds), 0);
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (!pid) {
		close(fds[0]);
		be_child(fds[1], code, arg);
	}
	close(fds[1]);
	while ((got = read(fds[0], end->said + len, sizeof(end->said) - 1 - len)) > 0)
		len += (size_t)got;
	end->said[len] = '\0';
	close(fds[0]);
	ck_assert_int_eq(waitpid(pid, &end->status, 0), pid);
	mask_addresses(end->said);
}

void expect_death(const char *name, const struct child_end *end, const char *line)
{
	ck_assert_msg(!strcmp(end->said, line), "%s: it said\n%sand not\n%s", name, end->said, line);
	ck_assert_msg(WIFSIGNALED(end->status) && WTERMSIG(end->status) == SIGABRT,
		      "%s: status 0x%x", name, (unsigned int)end->status);
}

void expect_life(const char *name, const struct child_end *end, const char *lines)
{
	ck_assert_msg(!strcmp(end->said, lines), "%s: it said\n%sand not\n%s", name, end->said,
		      lines);
	ck_assert_msg(end->status == 0, "%s: status 0x%x", name, (unsigned int)end->status);
}
