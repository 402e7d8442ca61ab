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
