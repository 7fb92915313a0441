#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Servers under load with the shim, as an ordinary user: what they answer is the same as without it, and no
# byte between them and their clients is missing.
. tests/live/shim_programs.sh

has() { # PROGRAM…: skips the tests of one program
	for program; do
		command -v "$program" >/dev/null && continue
		skip "$program is not installed; make test-long installs it where it can" 6
		return 1
	done
}

# As many bytes were written into connections of a kind as were read from them, and nothing was lost. A
# server that is told to stop may not have read the last client's farewell, of FAREWELL bytes.
balanced() { # KIND [FAREWELL]
	is "$(sql 'select coalesce(sum(count), 0) from loss')" 0 '... nothing was lost'
	unread=$(sql "select sum(case when op in ('read', 'readv', 'recvfrom', 'recvmsg') then -bytes else bytes end)
		from v_event where kind = '$1' and ret > 0 and bytes > 0")
	[ "$unread" = 0 ] || [ "$unread" = "${2:-0}" ]
	ok $? '... what was sent arrived, to the byte' || diag "$unread bytes did not"
}

cat >"$T/wait" <<'END'
# until CMD ARG… succeeds, thirty seconds at most
tries=300
until "$@" >/dev/null 2>&1; do
	tries=$((tries - 1))
	[ $tries -gt 0 ] || exit 1
	sleep 0.1
done
END
chmod 644 "$T/wait"

least=10000
PGBIN=$(printf '%s\n' /usr/lib/postgresql/*/bin | tail -n 1)
if has "$PGBIN/postgres" "$PGBIN/pgbench"; then
	cat >"$T/pg.sh" <<-END
		export PGHOST=\$PWD PGUSER=nobody PGDATABASE=postgres LC_ALL=C
		$PGBIN/initdb -D data -U nobody -A trust -N >initdb.log 2>&1 || exit
		$PGBIN/postgres -D data -k "\$PWD" -c listen_addresses= >log 2>&1 &
		server=\$!
		sh $T/wait $PGBIN/pg_isready -q || exit 1
		$PGBIN/pgbench -i -q 2>/dev/null
		$PGBIN/pgbench -c 4 -j 2 -t 200 2>&1 | grep '^number of \\(transactions\\|failed\\)'
		$PGBIN/psql -At -c 'select sum(abalance) = (select sum(tbalance) from pgbench_tellers) and
			sum(abalance) = (select sum(bbalance) from pgbench_branches), count(*) from pgbench_accounts' \\
			-c 'select count(*) from pgbench_history'
		kill -INT \$server
		wait \$server
		echo \$?
	END
	same 'PostgreSQL: initdb, pgbench' sh "$T/pg.sh"
	balanced unix 5
fi

if has redis-server redis-cli redis-benchmark; then
	cat >"$T/redis.sh" <<-END
		redis-server --port 0 --unixsocket sock --save '' --appendonly no --io-threads 2 >log 2>&1 &
		server=\$!
		sh $T/wait redis-cli -s sock ping || exit 1
		redis-benchmark -s sock -n 2000 -c 20 -t set,get,lpush -q >/dev/null &&
			redis-benchmark -s sock -n 4000 -c 8 -P 8 -t set,get -q >/dev/null
		echo \$?
		redis-cli -s sock info commandstats | grep -o 'cmdstat_\\(set\\|get\\|lpush\\):calls=[0-9]*' | sort
		kill \$server
		wait \$server
		echo \$?
	END
	same 'Redis under redis-benchmark' sh "$T/redis.sh"
	balanced unix
fi

if has nginx ab; then
	port=$(perl -MIO::Socket::INET -e 'print IO::Socket::INET->new(Listen => 1, LocalAddr => "127.0.0.1")->sockport')
	cat >"$T/nginx.sh" <<-END
		mkdir www
		echo small >www/small
		head -c 300000 /dev/zero >www/big
		{
			echo "daemon off; worker_processes 4; pid \$PWD/pid; error_log \$PWD/error;"
			echo "events { worker_connections 64; }"
			echo "http { access_log off; root \$PWD/www; sendfile on; server { listen 127.0.0.1:$port; }"
			for kind in client_body proxy fastcgi uwsgi scgi; do
				echo "\${kind}_temp_path \$PWD/\$kind;"
			done
			echo '}'
		} >conf
		nginx -p . -c "\$PWD/conf" -e error &
		server=\$!
		sh $T/wait test -s pid || exit 1
		told='^\\(Complete\\|Failed\\|Non-2xx\\|Document\\|HTML\\)'
		ab -q -c 8 -n 1000 http://127.0.0.1:$port/small | grep "\$told"
		ab -q -c 8 -n 200 -k http://127.0.0.1:$port/big | grep "\$told"
		kill -QUIT \$server
		wait \$server
		echo \$?
	END
	same 'nginx with four workers under ab' sh "$T/nginx.sh"
	is "$(sql 'select coalesce(sum(count), 0) from loss')" 0 '... nothing was lost'
	is "$(sql "select sum(bytes) >= 1000 * 6 + 200 * 300000 from v_talk where kind = 'tcp' and src_comm = 'nginx' and dst_comm = 'ab'")" 1 \
		'... all that was sent went from nginx to ab'
fi
done_testing
