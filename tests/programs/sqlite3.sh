#!/bin/sh
# SPDX-License-Identifier: MIT
# sqlite3: its page cache, parser, sorter and full-text index.
. "$(dirname "$0")/lib.sh"
need sqlite3
loaded sqlite3 :memory: 'select 1'
# The database file itself is not compared: sqlite does not clear what lies
# between the cells of a page. The script prints a digest of what is in it.
same 'a database in memory' sqlite3 -batch :memory: ".read $here/sqlite3.sql"
same 'a database in a file' sh -c \
	'sqlite3 -batch a.db ".read $1" && sqlite3 a.db .sha3sum && rm a.db' \
	sh "$here/sqlite3.sql"
finish
