#!/bin/sh
# SPDX-License-Identifier: MIT
# perl: many small scalars, hashes and strings, ithreads, fork.
. "$(dirname "$0")/lib.sh"
need perl
loaded perl -e 1
same 'hashes, regexes, threads, fork' perl "$here/perl.pl"
finish
