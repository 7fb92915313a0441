#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# PostgreSQL of the distribution, in a folder of its own: two psql sessions and a row lock. Its locks lie
# in shared memory and its backends wait for latches, which any of them may set: who waits for a row can
# move, and so it is a wait and no deadlock, also when both wait for each other's rows; for that the
# server has a detector of its own, which is turned off here.
. tests/live/live.sh

bin=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | tail -n 1)
[ -x "$bin/postgres" ] && command -v psql >/dev/null && command -v setpriv >/dev/null ||
	skip_all 'PostgreSQL is not installed'
uid=$(id -u postgres) gid=$(id -g postgres) || skip_all 'there is no user postgres'

home=$(mktemp -d /tmp/ipctap-pg.XXXXXX)
chown "$uid:$gid" "$home"
as_postgres() { (cd "$home" && exec setpriv --reuid="$uid" --regid="$gid" --clear-groups "$@"); }
server=
at_end() { # told to end, it removes what it has of System V
	[ -z "$server" ] || { kill -INT "$server" && wait "$server"; } 2>/dev/null
	rm -rf "$home"
}

as_postgres "$bin/initdb" -D "$home/d" -A trust -N >"$T/initdb" 2>&1
is $? 0 'a server of its own'
(cd "$home" && exec setpriv --reuid="$uid" --regid="$gid" --clear-groups "$bin/postgres" -D "$home/d" -k "$home" -c listen_addresses= -c fsync=off \
	-c deadlock_timeout=1h) >"$T/server" 2>&1 &
server=$!
db() { psql -h "$home" -U postgres -X -q "$@"; }
wait_until 60 db -c 'select'
db -c 'create table t (id int primary key, n int)' -c 'insert into t values (1, 0), (2, 0)'

# ---- what a report of the server says ----

if command -v pgbench >/dev/null; then
	pgbench -h "$home" -U postgres -i -q postgres >"$T/pgbench" 2>&1
	record_bg -p "$server"
	wait_until 30 is_recorded "$server"
	pgbench -h "$home" -U postgres -c 4 -j 2 -T 3 postgres >"$T/pgbench" 2>&1
	is $? 0 'pgbench ran'
	kill -INT "$recorder"
	wait "$recorder"
	run "$IPCTAP" report "$DB"
	like "$out" "pgbench\[[0-9]+\] +postgres\[[0-9]+\] +unix .*$home/" 'who asks which backend'
	like "$out" 'postgres\[[0-9]+\] +pgbench\[[0-9]+\] +unix' 'and who gets the answer'
	like "$out" 'postgres\[[0-9]+\] +postgres\[[0-9]+\] +futex .*anonymous' 'whose semaphores the backends wait for'
	like "$out" "^key 0x[0-9a-f]+ .*postgres\\[$server\\]" 'the segment, by its key'
	like "$out" "^/dev/shm/PostgreSQL\.[0-9]+ .*postgres" 'the memory that has a name'
	like "$out" "^anonymous \\[[0-9]+\\] .*postgres\\[$server\\]" 'and what has none'
	like "$out" '^Lost: +nothing' 'nothing is lost'
else
	skip 'pgbench is not installed' 8
fi

# session NAME: a psql that reads from a FIFO, its pid in $session
session() {
	mkfifo "$T/$1"
	psql -h "$home" -U postgres -X -q <"$T/$1" >"$T/$1.out" 2>&1 &
	session=$!
	live_pids="$live_pids $session"
}
session one
first=$session
exec 7>"$T/one"
session two
second=$session
exec 8>"$T/two"
asleep() { [ "$(db -At -c "select count(*) from pg_stat_activity where wait_event_type = 'Lock'")" = "$1" ]; }
idle() { [ "$(db -At -c "select count(*) from pg_stat_activity where state = 'idle in transaction'")" = "$1" ]; }

echo 'begin; update t set n = 1 where id = 1;' >&7
echo 'begin; update t set n = 1 where id = 2;' >&8
wait_until 30 idle 2
echo 'update t set n = 2 where id = 1;' >&8
wait_until 30 asleep 1
ok $? 'one session waits for the row of the other'
waiter=$(db -At -c "select pid from pg_stat_activity where wait_event_type = 'Lock'")

run "$IPCTAP" deadlock --no-stacks -p "$first,$second,$waiter"
is "$status" 0 'that is no deadlock'
run "$IPCTAP" deadlock --no-stacks --json --level leak-suspect -p "$first,$second,$waiter"
is "$status" 0 'at no level'
slow() { "$IPCTAP" deadlock --no-stacks --level slow -p "$1" >"$T/slow"; [ $? -eq 1 ]; }
wait_until 20 slow "$waiter"
ok $? 'but slow'
like "$(cat "$T/slow")" "postgres\[$waiter\]  epoll_wait" '... in its latch'
run "$IPCTAP" why --no-stacks "$second"
like "$out" "^psql\[$second\]  poll" 'why begins with psql'
like "$out" "^  postgres\[$waiter\]  epoll_wait" '... which waits for its backend'
unlike "$out" 'cannot move' '... and to no deadlock'

echo 'update t set n = 2 where id = 2;' >&7
wait_until 30 asleep 2
ok $? 'both wait for each other'
run "$IPCTAP" deadlock --no-stacks --level leak-suspect -p "$first,$second,$waiter"
is "$status" 0 'which nobody can see from outside, and so nobody claims'
exec 7>&- 8>&-
done_testing
