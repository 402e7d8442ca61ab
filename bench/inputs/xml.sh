#!/bin/sh
# SPDX-License-Identifier: MIT
# xml.sh MEASURE: writes an XML file here, without the preload, and has MEASURE measure xmllint with it.
set -eu

awk 'BEGIN {
	seed = 20
	print "<library>"
	for (book = 0; book < 100000; book++) {
		printf "<book id=\"b%d\" shelf=\"%d\"><title>Title %d</title>", book, any(50), any(100000)
		for (author = any(4); author >= 0; author--)
			printf "<author born=\"%d\"><name>Name %d</name></author>", 1800 + any(200), any(5000)
		for (word = any(30); word > 0; word--)
			printf "%s", "text and "
		print "<price>" any(9000) "</price></book>"
	}
	print "</library>"
}
function any(limit) {
	seed = (seed * 16807) % 2147483647
	return seed % limit
}' >library.xml
# Its limit is below that of the whole run, so that nothing outlives this.
exec "$1" "$BENCH_FIGURES" 60 env ${BENCH_PRELOAD:+"LD_PRELOAD=$BENCH_PRELOAD"} \
	xmllint --xpath 'count(//book[author/@born > 1900]/title) + count(//author[name = ../author[1]/name])' library.xml
