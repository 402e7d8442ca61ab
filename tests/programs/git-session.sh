#!/bin/sh
# SPDX-License-Identifier: MIT
# One life of a git repository in the current directory, with a fixed output:
# authors and dates are given, and no setting comes from the machine. Run by
# git.sh.
set -eu

GIT_CONFIG_NOSYSTEM=1 GIT_CONFIG_GLOBAL=/dev/null
GIT_AUTHOR_NAME=author GIT_AUTHOR_EMAIL=author@example.org
GIT_COMMITTER_NAME=committer GIT_COMMITTER_EMAIL=committer@example.org
export GIT_CONFIG_NOSYSTEM GIT_CONFIG_GLOBAL GIT_AUTHOR_NAME GIT_AUTHOR_EMAIL
export GIT_COMMITTER_NAME GIT_COMMITTER_EMAIL

# write SEED: 120 files, of which the seed changes some lines each time.
write()
{
	mkdir -p src/deep/er doc
	awk -v seed="$1" 'BEGIN {
		for (f = 0; f < 120; f++) {
			name = (f % 3 ? "src/deep/er/" : "doc/") "file" f ".txt"
			for (line = 0; line < 60 + f; line++) {
				salt = (line + f) % 29 == seed % 29 ? seed : 0
				printf "line %d of %d: %d %d\n", line, f, \
					line * 7919 % 10007, salt * line > name
			}
			close(name)
		}
	}'
}

commit()
{
	git add -A
	GIT_AUTHOR_DATE="$((1600000000 + $1 * 1000)) +0000"
	GIT_COMMITTER_DATE=$GIT_AUTHOR_DATE
	export GIT_AUTHOR_DATE GIT_COMMITTER_DATE
	git commit -q -m "change $1"
}

git init -q -b main repo
cd repo
git config gc.auto 0
git config pack.threads 2
for n in 1 2 3 4 5 6 7 8 9 10 11 12; do
	write "$n"
	commit "$n"
done
git checkout -q -b side HEAD~4
echo 'on the side' >side.txt
commit 20
git checkout -q main
git merge -q -m 'a merge' side
git tag -a -m 'a tag' v1

git log --stat --format='%H %an %s' | sha256sum
git log -p --reverse -M | sha256sum
git blame doc/file3.txt | sha256sum
git grep -c 'line 1[0-9] of' HEAD | sha256sum
git diff --stat HEAD~6 | tail -n 1
git diff --word-diff HEAD~3 -- doc | sha256sum

git fsck --full --strict --no-progress
git repack -q -a -d -f --depth=50 --window=50
git gc -q --aggressive --prune=now
git fsck --full --strict --no-progress
git count-objects -v | grep -E '^(count|in-pack|packs|garbage)'
git rev-list --objects --all | sort | sha256sum
git archive HEAD | sha256sum

cd ..
git clone -q --no-local repo other
git -C other log --format='%H %d %s' -n 3
git -C other fsck --full --no-progress
git -C other rebase -q HEAD~2
git -C other rev-parse 'HEAD^{tree}'

# Packs depend on the threads' race for deltas, the index on inodes and times.
rm -rf repo/.git other/.git
