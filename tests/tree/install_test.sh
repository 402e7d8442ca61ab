#!/bin/bash
# SPDX-License-Identifier: MIT
# make install, and then what a user of the installed libraries does: C and C++ programs built with
# pkg-config's answers, shared, partly static and static, and the installed tool.
set -u

# shellcheck disable=SC2154 # from the test environment
build=$abs_top_builddir
dir=$(mktemp -d) || exit 99
trap 'rm -rf "$dir"' EXIT
unset MAKEFLAGS MFLAGS MAKELEVEL SLABUDDY_LIBRARY SLABUDDY_OPTIONS LD_PRELOAD LD_LIBRARY_PATH
CC=${CC:-cc}
CXX=${CXX:-g++}
PKG_CONFIG=${PKG_CONFIG:-pkg-config}
cd "$dir" || exit 99

faults=0
fail() {
	echo "FAIL: $*"
	faults=$((faults + 1))
}

root=$dir/root
if ! make -s -C "$build" install DESTDIR="$root" >install.log 2>&1; then
	cat install.log
	fail 'make install'
	exit 1
fi
libdir=$(dirname "$(find "$root" -name libslabuddy-malloc.so)")
prefix=$(dirname "$libdir")
for file in lib/libslabuddy.so lib/libslabuddy.a lib/libslabuddy-malloc.so lib/libslabuddy-malloc.a \
	lib/pkgconfig/slabuddy.pc lib/pkgconfig/slabuddy-malloc.pc include/slabuddy/version.h \
	include/slabuddy/compat/linux/slab.h \
	bin/slabuddy share/man/man1/slabuddy.1 share/man/man3/kmem_cache_create.3 \
	share/man/man3/kmem_cache_alloc.3 share/man/man7/slabuddy.7; do
	[ -e "$prefix/$file" ] || fail "not installed: $file"
done

export PKG_CONFIG_PATH=$libdir/pkgconfig
export PKG_CONFIG_SYSROOT_DIR=$root
flags() {
	$PKG_CONFIG "$@"
}
version=$(flags --modversion slabuddy) || fail 'pkg-config knows no slabuddy'

cat >program.c <<'END'
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <slabuddy/version.h>

static void *work(void *arg)
{
	char *text = strdup("thread");

	text = realloc(text, 100000);
	memset(text, 1, 100000);
	free(text);
	return arg;
}

int main(void)
{
	pthread_t thread;
	void *block = aligned_alloc(4096, 8192);

	if (!block || (unsigned long)block % 4096 || pthread_create(&thread, NULL, work, NULL))
		return 1;
	pthread_join(thread, NULL);
	free(block);
	printf("%s\n", SLABUDDY_VERSION_STRING);
	return 0;
}
END
cat >program.cc <<'END'
#include <cstdint>
#include <iostream>
#include <map>
#include <string>
#include <thread>
#include <slabuddy/version.h>

struct alignas(256) wide {
	char bytes[512];
};

int main()
{
	std::map<int, std::string> map;
	std::thread thread([&map] {
		for (int i = 0; i < 1000; i++)
			map[i] = std::string(static_cast<std::size_t>(i), 'x');
	});
	thread.join();
	wide *one = new wide;
	bool aligned = reinterpret_cast<std::uintptr_t>(one) % 256 == 0;
	delete one;
	std::cout << SLABUDDY_VERSION_STRING << std::endl;
	return aligned && map.size() == 1000 ? 0 : 1;
}
END

# try NAME COMMAND...: compile, run, and see in the report at exit that our malloc served it.
try() {
	local name=$1 out
	shift
	rm -f program report
	if ! "$@" -o program; then
		fail "$name: does not build: $*"
		return
	fi
	if ! out=$(LD_LIBRARY_PATH=$libdir SLABUDDY_OPTIONS="exit_report=$dir/report" ./program); then
		fail "$name: fails"
		return
	fi
	[ "$out" = "$version" ] || fail "$name: version.h says $out, pkg-config $version"
	grep -q '^live_objects ' report 2>/dev/null || fail "$name: did not run on our malloc"
}

# shellcheck disable=SC2046 # lists of words
{
	cflags=$(flags --cflags slabuddy-malloc)
	c="$CC -Wall -Werror $cflags program.c"
	try 'C, shared' $c $(flags --libs slabuddy-malloc)
	try 'C, our part static' $c "$libdir/libslabuddy-malloc.a" -pthread
	try 'C, static' $c -static $(flags --static --libs slabuddy-malloc)
	if command -v "${CXX%% *}" >/dev/null; then
		cxx="$CXX -std=c++17 -Wall -Werror $cflags program.cc"
		try 'C++, shared' $cxx $(flags --libs slabuddy-malloc)
		try 'C++, our part static' $cxx "$libdir/libslabuddy-malloc.a" -pthread
		try 'C++, static' $cxx -static $(flags --static --libs slabuddy-malloc)
	fi

	# the page and cache API must link as well, and leave malloc alone
	c="$CC -Wall -Werror $(flags --cflags slabuddy) program.c -Wl,--no-as-needed"
	$c $(flags --libs slabuddy) -pthread -o shared || fail 'libslabuddy.so does not link'
	[ "$(LD_LIBRARY_PATH=$libdir ./shared)" = "$version" ] || fail 'libslabuddy.so does not load'
	$c -static $(flags --static --libs slabuddy) -o static || fail 'libslabuddy.a does not link'
	[ "$(./static)" = "$version" ] || fail 'libslabuddy.a: the program fails'

	# code in the kernel's style, by the kernel's header names
	kernel=$(flags --variable=compat_includedir slabuddy)
	kernel=-I$root${kernel#"$root"} # pkgconf puts the sysroot before it, pkg-config does not
	c="$CC -Wall -Werror $kernel $(flags --cflags slabuddy)"
	$c "$abs_top_srcdir/tests/api/compat_headers.c" $(flags --libs slabuddy) -o kernel-style ||
		fail 'kernel-style code does not build'
	LD_LIBRARY_PATH=$libdir ./kernel-style || fail 'kernel-style code: the program fails'
}

# Each header alone, in both languages, with nothing before it.
for header in "$prefix"/include/slabuddy/*.h; do
	printf "#include <slabuddy/%s>\nextern int not_empty;\n" "$(basename "$header")" >header.c
	$CC -Wall -Wextra -Wpedantic -Werror $cflags -fsyntax-only header.c ||
		fail "$header: not C by itself"
	command -v "${CXX%% *}" >/dev/null || continue
	$CXX -Wall -Wextra -Wpedantic -Werror $cflags -fsyntax-only -x c++ header.c ||
		fail "$header: not C++ by itself"
done

tool=$prefix/bin/slabuddy
[ "$("$tool" --version)" = "slabuddy $version" ] || fail 'the installed tool says another version'
out=$(SLABUDDY_LIBRARY=$libdir/libslabuddy-malloc.so "$tool" run echo hello 2>summary)
[ "$out" = hello ] || fail 'the installed tool does not run a program'
grep -q 'heap at exit: live' summary || fail 'the installed tool runs it on another malloc'

make -s -C "$build" uninstall DESTDIR="$root" >uninstall.log 2>&1 || fail 'make uninstall'
left=$(find "$root" ! -type d)
[ -z "$left" ] || fail "left by make uninstall:" $left
[ $faults = 0 ]
