dnl SPDX-License-Identifier: MIT

dnl SLABUDDY_TRY_FLAGS(VARIABLE, FLAGS)
dnl -----------------------------------
dnl Append to VARIABLE each of FLAGS that the compiler takes without a word.
AC_DEFUN([SLABUDDY_TRY_FLAGS], [
	for slabuddy_flag in $2; do
		AC_MSG_CHECKING([whether $CC takes $slabuddy_flag])
		slabuddy_save_CFLAGS=$CFLAGS
		CFLAGS="$CFLAGS -Werror $slabuddy_flag"
		AC_COMPILE_IFELSE([AC_LANG_PROGRAM([], [])],
			[AC_MSG_RESULT([yes])
			 $1="$$1 $slabuddy_flag"],
			[AC_MSG_RESULT([no])])
		CFLAGS=$slabuddy_save_CFLAGS
	done
])

dnl SLABUDDY_NEED_FLAGS(VARIABLE, FLAGS)
dnl ------------------------------------
dnl Append FLAGS to VARIABLE; the code is wrong without them, so fail where one is not taken.
AC_DEFUN([SLABUDDY_NEED_FLAGS], [
	AC_MSG_CHECKING([whether $CC takes $2])
	slabuddy_save_CFLAGS=$CFLAGS
	CFLAGS="$CFLAGS -Werror $2"
	AC_COMPILE_IFELSE([AC_LANG_PROGRAM([], [])],
		[AC_MSG_RESULT([yes])],
		[AC_MSG_RESULT([no])
		 AC_MSG_ERROR([$CC does not take all of: $2])])
	CFLAGS=$slabuddy_save_CFLAGS
	$1="$$1 $2"
])

dnl How all code is compiled, whatever CFLAGS say. NO_BUILTIN_MALLOC keeps the compiler from
dnl knowing malloc's names better than the code that defines them: it would make calloc() of a
dnl malloc() and a memset(), and drop a malloc() whose result is only freed.
AC_DEFUN([SLABUDDY_CODE_FLAGS], [
	SLABUDDY_CFLAGS=
	SLABUDDY_NEED_FLAGS([SLABUDDY_CFLAGS],
		[-std=gnu11 -pthread -fvisibility=hidden -ftls-model=initial-exec])
	SLABUDDY_TRY_FLAGS([SLABUDDY_CFLAGS], [-fno-semantic-interposition])
	dnl so that the linker can put things in order, see src/start.ld
	SLABUDDY_TRY_FLAGS([SLABUDDY_CFLAGS], [-ffunction-sections -fdata-sections])
	NO_BUILTIN_MALLOC=
	SLABUDDY_NEED_FLAGS([NO_BUILTIN_MALLOC], [m4_normalize([
		-fno-builtin-malloc -fno-builtin-calloc -fno-builtin-realloc -fno-builtin-free
		-fno-builtin-aligned_alloc -fno-builtin-posix_memalign])])
	AC_SUBST([SLABUDDY_CFLAGS])
	AC_SUBST([NO_BUILTIN_MALLOC])
])

AC_DEFUN([SLABUDDY_WARNINGS], [
	WARNING_CFLAGS=
	SLABUDDY_TRY_FLAGS([WARNING_CFLAGS], [m4_normalize([
		-Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes
		-Wold-style-definition -Wvla -Wundef -Wpointer-arith -Wcast-qual -Wwrite-strings
		-Wformat=2 -Wno-format-nonliteral -Winit-self -Wnested-externs -Wimplicit-fallthrough -Wlogical-op
		-Wduplicated-cond -Wdate-time])])
	AC_ARG_ENABLE([werror],
		[AS_HELP_STRING([--enable-werror], [make compiler warnings errors (development, CI)])],
		[], [enable_werror=no])
	AS_IF([test "x$enable_werror" != xno], [WARNING_CFLAGS="$WARNING_CFLAGS -Werror"])
	AC_SUBST([WARNING_CFLAGS])
])
