#!/bin/sh
# SPDX-License-Identifier: MIT
# manual-links.sh install|uninstall SOURCE-DIRECTORY MANUAL-DIRECTORY PAGE...
#
# A manual page tells of many functions. This makes a page for each name in its NAME section, which
# sends man on to it: `man kmem_cache_alloc` shows kmem_cache_create(3), in every man there is.
set -e

action=$1
source=$2
manual=$3
shift 3

for page; do
	file=$(basename "$page")
	sed -n '/^\.Sh NAME/,/^\.Nd/s/^\.Nm \([A-Za-z0-9_]*\).*/\1/p' "$source/$page" |
		while read -r name; do
			link=$manual/$name.${file##*.}
			case $action.$name.${file##*.} in
			*."$file") ;;
			install.*) printf '.so man%s/%s\n' "${file##*.}" "$file" >"$link" ;;
			uninstall.*) rm -f "$link" ;;
			esac
		done
done
