# SPDX-License-Identifier: MIT
# Real programs, each compared with its run without the library: lib.sh says how. What the scripts
# need compiled they compile themselves, as anybody's program, with none of the library's flags.
if !SANITIZER
source_scripts += tests/programs/able-to-fail.sh
program_scripts += \
	tests/programs/cxx-late.sh \
	tests/programs/cxx.sh \
	tests/programs/gcc.sh \
	tests/programs/git.sh \
	tests/programs/node.sh \
	tests/programs/perl.sh \
	tests/programs/python.sh \
	tests/programs/redis.sh \
	tests/programs/sqlite3.sh \
	tests/programs/watched.sh
endif

EXTRA_DIST += \
	tests/programs/bindings.awk \
	tests/programs/broken.c \
	tests/programs/cxx-late.c \
	tests/programs/cxx-late.cc \
	tests/programs/cxx.cc \
	tests/programs/faulty.c \
	tests/programs/git-session.sh \
	tests/programs/heavy-c.awk \
	tests/programs/heavy.cc \
	tests/programs/lib.sh \
	tests/programs/node.mjs \
	tests/programs/perl.pl \
	tests/programs/python-work.py \
	tests/programs/redis-session.sh \
	tests/programs/sqlite3.sql
