dnl SPDX-License-Identifier: MIT

dnl Google Benchmark is for bench/micro alone, which is left out without it. Its one file of C++ is
dnl compiled by a rule of bench/local.mk: AC_PROG_CXX would make libtool learn C++ for it.
AC_DEFUN([SLABUDDY_CHECK_BENCHMARK], [
	AC_CHECK_PROGS([CXX], [g++ c++ clang++])
	have_benchmark=no
	AS_IF([test -n "$CXX"],
		[PKG_CHECK_MODULES([BENCHMARK], [benchmark], [have_benchmark=yes], [:])])
	AS_IF([test "$have_benchmark" = no],
		[AC_MSG_NOTICE([bench/micro is left out: it needs a C++ compiler and Google Benchmark (Debian package: libbenchmark-dev)])])
	AM_CONDITIONAL([HAVE_BENCHMARK], [test "$have_benchmark" = yes])
])

dnl SLABUDDY_CHECK_POOL(NAME, MODULE)
dnl ---------------------------------
dnl A library that bench/cache compares with, if pkg-config knows it: HAVE_NAME and the flags go into
dnl POOL_CPPFLAGS and POOL_LIBS. Its headers are not warned about.
AC_DEFUN([SLABUDDY_CHECK_POOL], [
	PKG_CHECK_MODULES([$1], [$2],
		[POOL_CPPFLAGS="$POOL_CPPFLAGS -DHAVE_$1 `AS_ECHO([" $$1_CFLAGS"]) | sed 's/ -I/ -isystem /g'`"
		 POOL_LIBS="$POOL_LIBS $$1_LIBS"],
		[AC_MSG_NOTICE([bench/cache is built without $2])])
])

AC_DEFUN([SLABUDDY_CHECK_POOLS], [
	POOL_CPPFLAGS=
	POOL_LIBS=
	SLABUDDY_CHECK_POOL([GLIB], [glib-2.0])
	SLABUDDY_CHECK_POOL([DPDK], [libdpdk])
	SLABUDDY_CHECK_POOL([TALLOC], [talloc])
	SLABUDDY_CHECK_POOL([APR], [apr-1])
	AC_SUBST([POOL_CPPFLAGS])
	AC_SUBST([POOL_LIBS])
])
