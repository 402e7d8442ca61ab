#!/bin/sh
# SPDX-License-Identifier: MIT
# git: a repository made here; commits, a merge, repack, gc, fsck, log, clone.
. "$(dirname "$0")/lib.sh"
need git awk
loaded git hash-object --stdin
same 'a repository' sh "$here/git-session.sh"
finish
