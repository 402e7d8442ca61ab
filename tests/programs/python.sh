#!/bin/sh
# SPDX-License-Identifier: MIT
# python3: threads, fork, multiprocessing, with its own small-object allocator
# in front of malloc and without it (PYTHONMALLOC=malloc).
. "$(dirname "$0")/lib.sh"
# By path: a version manager's python3 in PATH may be anything.
need /usr/bin/python3
# No __pycache__ beside the sources, the same hashes in every run.
PYTHONDONTWRITEBYTECODE=1 PYTHONHASHSEED=0
export PYTHONDONTWRITEBYTECODE PYTHONHASHSEED
loaded /usr/bin/python3 -c pass
# Not python.py: make's suffix rules would take that for the test.
same 'own allocator' /usr/bin/python3 "$here/python-work.py"
PYTHONMALLOC=malloc
export PYTHONMALLOC
same 'PYTHONMALLOC=malloc' /usr/bin/python3 "$here/python-work.py"
finish
