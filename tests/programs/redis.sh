#!/bin/sh
# SPDX-License-Identifier: MIT
# redis-server under redis-benchmark: requests, expiry, fork for BGSAVE under
# load, reload from the dump. Debian links redis-server with jemalloc; a preload
# comes first in the search order all the same, and `loaded` sees to that.
. "$(dirname "$0")/lib.sh"
need redis-server redis-cli redis-benchmark awk
loaded redis-server --version
same 'a server under load' sh "$here/redis-session.sh"
finish
