#!/bin/sh
# SPDX-License-Identifier: MIT
# One life of a redis server in the current directory: started on a free port
# of 127.0.0.1, driven, shut down, whatever happens. What it prints does not
# depend on timing. Run by redis.sh.
set -eu

pid=
load=
stop()
{
	status=$?
	trap - EXIT HUP INT TERM
	if [ -n "$load" ]; then
		kill "$load" 2>/dev/null || :
	fi
	if [ -n "$pid" ] && kill -0 "$pid" 2>/dev/null; then
		kill "$pid" 2>/dev/null || :
		# Asked first; it is our own child, so the number is still its.
		tries=50
		while kill -0 "$pid" 2>/dev/null && [ $tries -gt 0 ]; do
			sleep 0.1
			tries=$((tries - 1))
		done
		kill -9 "$pid" 2>/dev/null || :
	fi
	if [ "$status" -ne 0 ] && [ -f server.log ]; then
		tail -n 60 server.log >&2
	fi
	exit "$status"
}
trap stop EXIT
trap 'exit 1' HUP INT TERM

# Nobody can reserve a port for somebody else, so try until a server stays up.
try=0
while [ $try -lt 20 ]; do
	port=$((20000 + ($$ * 31 + try * 1543) % 12000))
	# Made here, as the one in the background may come too late to be read.
	: >server.log
	redis-server --bind 127.0.0.1 --port "$port" --protected-mode yes \
		--save '' --appendonly no --daemonize no --dir "$PWD" \
		--dbfilename dump.rdb --enable-debug-command local \
		--activerehashing no --set-proc-title no >server.log 2>&1 &
	pid=$!
	wait_ms=0
	while kill -0 "$pid" 2>/dev/null && [ $wait_ms -lt 15000 ]; do
		if grep -q 'Ready to accept connections' server.log; then
			break 2
		fi
		sleep 0.1
		wait_ms=$((wait_ms + 100))
	done
	if ! grep -q 'Address already in use' server.log; then
		echo 'redis-server does not start' >&2
		exit 1
	fi
	wait "$pid" || :
	pid=
	try=$((try + 1))
done
test -n "$pid"

cli()
{
	redis-cli -h 127.0.0.1 -p "$port" "$@"
}

# Requests done are all that is printed of a benchmark: speeds differ.
drive()
{
	redis-benchmark -h 127.0.0.1 -p "$port" --csv "$@" >bench.csv
	awk -F '","' 'NR > 1 { sub(/^"/, "", $1); print "driven", substr($1, 1, 20), ($2 > 0 ? "ok" : $2) }' bench.csv
}

# Fill database 0 with a fixed data set of every type.
awk 'BEGIN {
	for (i = 0; i < 30000; i++) {
		n = i % 97
		value = sprintf("%0*d", 1 + i * 31 % 700, i)
		if (i % 6 == 0) print "SET string:" i, value
		else if (i % 6 == 1) print "HSET hash:" i % 500, "field" i, value
		else if (i % 6 == 2) print "RPUSH list:" i % 300, value
		else if (i % 6 == 3) print "SADD set:" i % 200, "member" i
		else if (i % 6 == 4) print "ZADD zset:" i % 200, n, "member" i
		else print "APPEND grown:" i % 100, value
	}
}' >fill
cli <fill >replies
sort replies | uniq -c | sha256sum
cli DBSIZE
cli DEBUG DIGEST

# Clients with keys of their own, in another database, a pipeline deep.
drive --dbnum 1 -n 8000 -c 20 -r 5000 -d 300 -t set,get,incr,lpush,rpop,sadd,hset,zadd,mset
drive --dbnum 1 -n 50000 -c 20 -P 16 -r 20000 -d 64 -t set,lpush,hset
drive --dbnum 1 -n 300 -c 5 -d 150000 -t set,get
drive --dbnum 1 -n 2000 -c 5 -t lrange_100

# fork while clients write: three children save what the parent is changing.
redis-benchmark -h 127.0.0.1 -p "$port" --dbnum 1 -q -n 150000 -c 10 -P 4 \
	-r 20000 -d 400 -t set,hset >load.out &
load=$!
saves=0
while [ $saves -lt 3 ]; do
	cli BGSAVE | sed 's/ *$//'
	tries=0
	while [ "$(cli INFO persistence | tr -d '\r' | sed -n 's/^rdb_bgsave_in_progress://p')" != 0 ]; do
		sleep 0.1
		tries=$((tries + 1))
		test $tries -lt 300
	done
	cli INFO persistence | tr -d '\r' | grep '^rdb_last_bgsave_status'
	saves=$((saves + 1))
done
wait "$load"
load=
cli -n 1 FLUSHDB

# Everything freed by script, by expiry and by eviction of a whole database;
# database 0 must have come through it all, and through the dump file.
cli -n 2 DEBUG POPULATE 50000 filler 100
cli -n 2 DBSIZE
cli -n 2 EVAL 'local t = {} for i = 1, 20000 do t[i] = string.rep("x", i % 300) end
	redis.call("SET", "lua", table.concat(t)) return #redis.call("GET", "lua")' 0
# Freed by another thread than the one that allocated.
cli -n 2 FLUSHDB ASYNC
cli DBSIZE
cli DEBUG DIGEST
cli DEBUG RELOAD
cli DEBUG DIGEST
cli MEMORY PURGE
cli MEMORY DOCTOR >/dev/null
cli INFO memory >/dev/null
cli PING

# SHUTDOWN closes the connection instead of an answer.
cli SHUTDOWN NOSAVE || :
status=0
wait "$pid" || status=$?
pid=
echo "server's exit status $status"
if grep -q 'BUG REPORT\|crashed by signal' server.log; then
	echo 'the server reports a crash' >&2
	exit 1
fi
grep '^slabuddy' server.log >&2 || :
rm -f server.log bench.csv load.out fill replies dump.rdb
