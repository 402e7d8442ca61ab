#!/bin/sh
# SPDX-License-Identifier: MIT
# node: buffers, zlib, crypto and streams on libuv's thread pool, worker
# threads (an isolate each), child processes.
. "$(dirname "$0")/lib.sh"
# By path, as a version manager's node in PATH may be anything.
need /usr/bin/node
loaded /usr/bin/node --version
same 'buffers, workers, children' /usr/bin/node "$here/node.mjs"
finish
