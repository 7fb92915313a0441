#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Real programs under strace and ipctap at once: of the same run, both tell the same calls, for every
# thread in the same order, with the same results, bytes and channels. Nothing depends on timing, for
# there is one run, so nothing is left out and no difference is allowed (see strace_compare, --together).
#
# What is bounded is what the programs are told to do: so many requests, operations, seconds.
. tests/live/live.sh

command -v strace >/dev/null || live_cannot 'strace is not installed'
export ASAN_OPTIONS="${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0" # cannot look under ptrace
chmod 755 "$T" # servers that give up root look into folders of theirs below it

# has PROGRAM…: skips one test, or fails it where none may skip
has() {
	for program; do
		command -v "$program" >/dev/null && continue
		if [ "${IPCTAP_REQUIRE_LIVE:-}" = 1 ]; then
			ok 1 "$program is installed"
		else
			skip "$program is not installed; make test-long installs it where it can"
		fi
		return 1
	done
}

check() { # NAME LEAST CMD ARG…: no difference, and at least so many calls
	name=$1 least=$2
	shift 2
	run tests/live/strace_compare --together -- "$@"
	calls=$(printf '%s\n' "$out" | sed -n '$s/ calls of .*//p')
	[ "$status" = 0 ] && [ "${calls:-0}" -ge "$least" ]
	ok $? "$name: $(printf '%s\n' "$out" | tail -n 1)" ||
		diag "$(printf '%s\n' "exit status $status, at least $least calls wanted" "$out" "$err" | head -n 60)"
}

# ---- pipes between small programs ----

check 'a pipeline with tee and xargs' 100 sh -c "
	find lib ui -name '*.c' -print0 | xargs -0 -n 20 grep -h include | tee '$T/includes' | sort | uniq -c | wc -l"
check 'tar | gzip | tar' 100 sh -c "tar cf - lib ui | gzip | tar tzf - | wc -l"

if has git; then
	mkdir "$T/repo"
	(cd "$T/repo" && git init -q && cp -r "$OLDPWD/lib" "$OLDPWD/ui" . && git add . &&
		git -c user.name=test -c user.email=test@localhost commit -qm all) || diag 'no repository'
	check 'git clone' 100 git clone -q --no-local "$T/repo" "$T/clone"
	is "$(git -C "$T/clone" rev-parse HEAD)" "$(git -C "$T/repo" rev-parse HEAD)" '... and it cloned'
fi

# ---- processes that share ----

if has /usr/bin/python3; then
	check 'a Python multiprocessing pool, a lock and shared memory' 300 /usr/bin/python3 tests/progs/pool.py
fi

# ---- servers ----

PGBIN=$(printf '%s\n' /usr/lib/postgresql/*/bin | tail -n 1)
if has "$PGBIN/postgres" "$PGBIN/pgbench" setpriv; then
	mkdir "$T/pg"
	chown postgres "$T/pg"
	export PGDATA="$T/pg/data" PGHOST="$T/pg" PGUSER=postgres PGDATABASE=postgres
	cat >"$T/pg.sh" <<-END
		cd '$T/pg'
		as='setpriv --reuid postgres --regid postgres --clear-groups'
		[ -d "\$PGDATA" ] || \$as '$PGBIN/initdb' -A trust -N >'$T/pg/initdb.log' || exit
		\$as '$PGBIN/postgres' -k '$T/pg' -c listen_addresses= >'$T/pg/log' 2>&1 &
		server=\$!
		tries=300
		until '$PGBIN/pg_isready' -q; do
			tries=\$((tries - 1))
			[ \$tries -gt 0 ] || exit 1
			sleep 0.1
		done
		\$as '$PGBIN/pgbench' "\$@" >'$T/pg/bench' 2>&1
		status=\$?
		kill -INT \$server
		wait \$server && exit \$status
	END
	run sh "$T/pg.sh" -i -q
	is "$status" 0 'a PostgreSQL server is set up' || diag "$(cat "$T/pg/log" "$T/pg/bench")"
	check 'PostgreSQL under pgbench' 5000 sh "$T/pg.sh" -c 4 -j 2 -T 3
	like "$(cat "$T/pg/bench")" 'failed transactions: 0 ' '... which it answered'
fi

if has redis-server redis-cli redis-benchmark; then
	mkdir "$T/redis"
	cat >"$T/redis.sh" <<-END
		redis-server --port 0 --unixsocket '$T/redis/sock' --save '' --appendonly no --dir '$T/redis' >'$T/redis/log' 2>&1 &
		server=\$!
		tries=300
		until redis-cli -s '$T/redis/sock' ping 2>/dev/null | grep -q PONG; do
			tries=\$((tries - 1))
			[ \$tries -gt 0 ] || exit 1
			sleep 0.1
		done
		redis-benchmark -s '$T/redis/sock' -n 500 -c 20 -t set,get,lpush -q &&
			redis-benchmark -s '$T/redis/sock' -n 2000 -c 8 -P 8 -t set,get -q
		status=\$?
		kill \$server
		wait \$server && exit \$status
	END
	check 'Redis under redis-benchmark, by a unix socket' 5000 sh "$T/redis.sh"
fi

if has nginx ab; then
	mkdir "$T/nginx" "$T/nginx/www"
	echo small >"$T/nginx/www/small"
	head -c 300000 /dev/zero >"$T/nginx/www/big"
	port=$(perl -MIO::Socket::INET -e 'print IO::Socket::INET->new(Listen => 1, LocalAddr => "127.0.0.1")->sockport')
	{
		echo "daemon off; worker_processes 4; pid $T/nginx/pid; error_log $T/nginx/error;"
		echo "events { worker_connections 64; }"
		echo "http { access_log off; root $T/nginx/www; sendfile on; server { listen 127.0.0.1:$port; }"
		for kind in client_body proxy fastcgi uwsgi scgi; do
			echo "${kind}_temp_path $T/nginx/$kind;"
		done
		echo '}'
	} >"$T/nginx/conf"
	cat >"$T/nginx.sh" <<-END
		nginx -p '$T/nginx' -c '$T/nginx/conf' -e '$T/nginx/error' &
		server=\$!
		tries=300
		until [ -s '$T/nginx/pid' ]; do
			tries=\$((tries - 1))
			[ \$tries -gt 0 ] || exit 1
			sleep 0.1
		done
		ab -q -n 1000 -c 8 http://127.0.0.1:$port/small && ab -q -k -n 200 -c 8 http://127.0.0.1:$port/big
		status=\$?
		kill -QUIT \$server
		wait \$server && exit \$status
	END
	check 'nginx with four workers under ab' 10000 sh "$T/nginx.sh"
fi

# ---- stress-ng, one mechanism after the other, each so many operations ----

stress() { # STRESSOR OPS LEAST
	check "stress-ng --$1" "$3" stress-ng --"$1" 1 --"$1"-ops "$2" --timeout 60 --temp-path "$T" --quiet
}
if has stress-ng; then
	stress pipe 500 1000
	stress ring-pipe 50 500
	stress sigpipe 20 50
	stress fifo 500 1000
	stress splice 50 500
	stress tee 50 500
	stress vm-splice 50 100
	stress sendfile 20 10
	stress eventfd 30 100
	stress sockpair 40 1000
	stress sockfd 50 100
	stress sock 20 5000
	stress sockmany 5 50
	stress epoll 50 200
	stress poll 100 500
	stress udp 100 200
	stress udp-flood 50 60
	stress mq 200 500
	stress flock 200 400
	stress lockf 50 50
	stress lockofd 50 50
	stress kill 200 2000
	stress sigfd 100 200
	stress sigq 100 300
	stress sigrt 50 200
	stress sigsuspend 50 100
	stress wait 15 100
	stress vfork 20 40
	stress clone 20 20
	stress pidfd 5 50
	stress pipeherd 50 1000
	stress sockabuse 5 500
	stress sem-sysv 500 1000
	stress msg 500 1000
	stress shm-sysv 4 100
	stress locka 50 50
	stress sem 20 20
	stress futex 200 400
	stress memfd 5 1000
	stress shm 5 60
	stress mremap 20 20
	stress vm-rw 20 100
	stress io-uring 50 1000
	# pty is left out: a single operation of it is over 16,000 calls, which take strace a quarter of a minute
fi
done_testing
