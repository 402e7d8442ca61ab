dnl SPDX-License-Identifier: MIT
dnl The project's own --enable and --with switches.

AC_DEFUN([SLABUDDY_ARG_MAX_PAGE_ORDER], [
	AC_ARG_WITH([max-page-order],
		[AS_HELP_STRING([--with-max-page-order=N],
			[largest block of the buddy allocator, as 2^N pages of 4 KiB: 10 to 14 @<:@14@:>@])],
		[], [with_max_page_order=14])
	AS_CASE([$with_max_page_order],
		[10|11|12|13|14], [],
		[AC_MSG_ERROR([--with-max-page-order=$with_max_page_order: not a number from 10 to 14])])
	AC_DEFINE_UNQUOTED([MAX_PAGE_ORDER], [$with_max_page_order],
		[Largest order of the buddy allocator, inclusive.])
	AC_SUBST([MAX_PAGE_ORDER], [$with_max_page_order])
])

AC_DEFUN([SLABUDDY_ARG_DEBUG], [
	AC_ARG_ENABLE([debug],
		[AS_HELP_STRING([--enable-debug], [compile the assertions in])],
		[], [enable_debug=no])
	AS_IF([test "x$enable_debug" != xno],
		[AC_DEFINE([SLABUDDY_DEBUG], [1], [Compile ASSERT and ASSERT_SLOW in.])])
	AM_CONDITIONAL([DEBUG], [test "x$enable_debug" != xno])
])

dnl A sanitizer brings a malloc of its own. So such a build has no libraries to install, and its
dnl tests are those that use the convenience library.
AC_DEFUN([SLABUDDY_ARG_SANITIZER], [
	AC_ARG_ENABLE([sanitizer],
		[AS_HELP_STRING([--enable-sanitizer=LIST],
			[build tests with -fsanitize=LIST (thread, or address,undefined); no libraries])],
		[], [enable_sanitizer=no])
	SANITIZER_CFLAGS=
	AS_CASE([$enable_sanitizer],
		[no], [],
		[yes], [AC_MSG_ERROR([--enable-sanitizer needs a list, like thread or address,undefined])],
		[SANITIZER_CFLAGS="-fsanitize=$enable_sanitizer -fno-omit-frame-pointer -fno-sanitize-recover=all"
		 AC_MSG_CHECKING([whether $CC links with $SANITIZER_CFLAGS])
		 slabuddy_save_CFLAGS=$CFLAGS
		 CFLAGS="$CFLAGS $SANITIZER_CFLAGS"
		 AC_LINK_IFELSE([AC_LANG_PROGRAM([], [])],
			[AC_MSG_RESULT([yes])],
			[AC_MSG_RESULT([no])
			 AC_MSG_ERROR([$CC cannot link with -fsanitize=$enable_sanitizer])])
		 CFLAGS=$slabuddy_save_CFLAGS])
	AM_CONDITIONAL([SANITIZER], [test -n "$SANITIZER_CFLAGS"])
	AC_SUBST([SANITIZER_CFLAGS])
	AS_IF([test -z "$SANITIZER_CFLAGS" && test "x$enable_shared" = xno],
		[AC_MSG_ERROR([--disable-shared: the shared libraries cannot be left out])])
])

dnl Only libslabuddy has to do with liburcu, so nothing of it goes into LIBS.
AC_DEFUN([SLABUDDY_ARG_URCU], [
	AC_ARG_WITH([urcu],
		[AS_HELP_STRING([--without-urcu],
			[leave out kfree_rcu() and SLAB_TYPESAFE_BY_RCU, which need liburcu])],
		[], [with_urcu=check])
	have_urcu=no
	AS_IF([test "x$with_urcu" != xno],
		[PKG_CHECK_MODULES([URCU], [liburcu >= 0.12], [have_urcu=yes],
			[AS_IF([test "x$with_urcu" != xcheck],
				[AC_MSG_ERROR([--with-urcu: no liburcu (Debian package: liburcu-dev)])])
			 AC_MSG_NOTICE([kfree_rcu() and SLAB_TYPESAFE_BY_RCU are left out: they need liburcu (Debian package: liburcu-dev)])])])
	AM_CONDITIONAL([HAVE_URCU], [test "$have_urcu" = yes])
])

AC_DEFUN([SLABUDDY_ARG_TESTS], [
	AC_ARG_ENABLE([tests],
		[AS_HELP_STRING([--disable-tests], [do not look for what only "make check" needs])],
		[], [enable_tests=yes])
	AS_IF([test "x$enable_tests" != xno],
		[PKG_CHECK_MODULES([CHECK], [check >= 0.15], [],
			[AC_MSG_ERROR([the tests need libcheck (Debian package: check); --disable-tests builds without it])])])
])
