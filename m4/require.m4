dnl SPDX-License-Identifier: MIT
dnl What the allocator's safety rests on. Each is a failure of configure, in one line: there is no
dnl degraded build without it.

dnl SLABUDDY_REQUIRE(WHAT, CONSEQUENCE, PROLOGUE, BODY)
dnl ----------------------------------------------------
dnl A program that must compile and link.
AC_DEFUN([SLABUDDY_REQUIRE], [
	AC_MSG_CHECKING([for $1])
	AC_LINK_IFELSE([AC_LANG_PROGRAM([$3], [$4])],
		[AC_MSG_RESULT([yes])],
		[AC_MSG_RESULT([no])
		 AC_MSG_ERROR([$1: not found, and $2])])
])

AC_DEFUN([SLABUDDY_REQUIRE_TARGET], [
	slabuddy_save_CFLAGS=$CFLAGS
	CFLAGS="$CFLAGS -pthread"
	SLABUDDY_REQUIRE([a 64-bit Linux target],
		[the section table maps a 64-bit address space],
		[[#ifndef __linux__
		  #error not Linux
		  #endif
		  _Static_assert(sizeof(void *) == 8 && sizeof(long) == 8, "64 bits");]], [[]])
	SLABUDDY_REQUIRE([C11 lock-free atomics of 64 bits],
		[locks and counters need them],
		[[#include <stdatomic.h>
		  #include <stdint.h>
		  static _Atomic uint64_t word;
		  _Static_assert(ATOMIC_LLONG_LOCK_FREE == 2 && ATOMIC_POINTER_LOCK_FREE == 2,
				 "lock-free");]],
		[[uint64_t seen = 0;
		  return !atomic_compare_exchange_strong(&word, &seen, 1);]])
	SLABUDDY_REQUIRE([initial-exec thread-local variables],
		[any other kind may allocate memory at its first use],
		[[static _Thread_local void *slot __attribute__((tls_model("initial-exec")));]],
		[[return slot != 0;]])
	SLABUDDY_REQUIRE([pthread_atfork],
		[without it a fork() of a program with threads would inherit locked locks],
		[[#include <pthread.h>
		  static void nothing(void) { }]],
		[[return pthread_atfork(nothing, nothing, nothing);]])
	CFLAGS=$slabuddy_save_CFLAGS
])

dnl One shared library with every flag that ours get.
AC_DEFUN([SLABUDDY_REQUIRE_LINKER], [
	SLABUDDY_LDFLAGS='-Wl,-z,nodelete -Wl,-z,now -Wl,-z,relro -Wl,-z,defs'
	AC_MSG_CHECKING([for a linker with version scripts and -z nodelete, now, relro, defs])
	echo '{ global: main; local: *; };' >conftest.map
	slabuddy_save_CFLAGS=$CFLAGS
	slabuddy_save_LDFLAGS=$LDFLAGS
	CFLAGS="$CFLAGS -fPIC"
	LDFLAGS="$LDFLAGS -shared $SLABUDDY_LDFLAGS -Wl,--version-script=conftest.map"
	AC_LINK_IFELSE([AC_LANG_PROGRAM([], [])],
		[AC_MSG_RESULT([yes])],
		[AC_MSG_RESULT([no])
		 AC_MSG_ERROR([the linker cannot hide symbols or pin a library: internals would capture the names of host programs])])
	CFLAGS=$slabuddy_save_CFLAGS
	LDFLAGS=$slabuddy_save_LDFLAGS
	rm -f conftest.map
	AS_IF([test -z "$OBJCOPY"],
		[AC_MSG_ERROR([objcopy: not found, and the static libraries need it to hide their internals])])
	AC_SUBST([SLABUDDY_LDFLAGS])
])

dnl What every program touches first, see src/start.ld. A linker that cannot do it makes libraries that only
dnl take more memory. The segment begins at a multiple of 64 KiB, what the kernel maps at one fault.
AC_DEFUN([SLABUDDY_START_ORDER], [
	START_LDFLAGS='-Wl,-z,noseparate-code -Wl,-z,max-page-size=65536'
	AC_MSG_CHECKING([whether the linker puts functions in order])
	slabuddy_save_CFLAGS=$CFLAGS
	slabuddy_save_LDFLAGS=$LDFLAGS
	CFLAGS="$CFLAGS -fPIC"
	LDFLAGS="$LDFLAGS -shared $SLABUDDY_LDFLAGS $START_LDFLAGS -Wl,-T,$srcdir/src/start.ld"
	AC_LINK_IFELSE([AC_LANG_PROGRAM([], [])],
		[AC_MSG_RESULT([yes])
		 START_LDFLAGS="$START_LDFLAGS "'-Wl,-T,$(top_srcdir)/src/start.ld'],
		[AC_MSG_RESULT([no])
		 START_LDFLAGS=])
	CFLAGS=$slabuddy_save_CFLAGS
	LDFLAGS=$slabuddy_save_LDFLAGS
	AC_SUBST([START_LDFLAGS])
	AM_CONDITIONAL([START_ORDER], [test -n "$START_LDFLAGS"])
])
