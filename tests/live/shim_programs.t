#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Real programs under the shim, as an ordinary user: nothing that they do, say or return is different.
. tests/live/shim_programs.sh

HARD=$T/progs/hard
python=/usr/bin/python3
CC=${CC:-cc}

least=20
same 'bash: pipelines, substitutions, traps, redirections' bash -c '
	x=$(for i in 1 2 3; do echo $i | cat; done | sort -r | tr -d "\n"); echo "$x"
	set -o pipefail; cat <(echo sub) | wc -c; false | true; echo $?
	trap "echo usr1" USR1; kill -USR1 $$; (exit 3); echo $?
	coproc cat; echo hi >&"${COPROC[1]}"; read -r y <&"${COPROC[0]}"; echo "$y"; exec {COPROC[1]}>&-; wait
	exec 7</dev/null 8>&1; echo eight >&8; ls /does/not/exist; echo $?
	( exec sleep 100 ) & kill -TERM $!; wait $!; echo $?
	ulimit -n; echo "${#LD_PRELOAD}" >/dev/null; exit 5'
same 'make -j8' sh -c '
	printf "%s\n" "all: \$(patsubst %,o%,1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16)" "	@cat o* | sort | uniq -c" \
		"o%:" "	@sh -c \"echo built\" | cat >\$@" >Makefile
	make -j8 && make -j8 -k nothing; echo $?'
if [ -x "$python" ]; then
	cp tests/progs/pool.py tests/progs/unix_echo.py "$T" && chmod 644 "$T"/*.py
	same 'python: processes and threads' "$python" -c '
import threading, multiprocessing, subprocess, os, signal
def square(q, i): q.put(i * i)
multiprocessing.set_start_method("fork")
q = multiprocessing.Queue()
ps = [multiprocessing.Process(target=square, args=(q, i)) for i in range(8)]
[p.start() for p in ps]; print(sorted(q.get() for _ in ps)); [p.join() for p in ps]
with multiprocessing.Pool(3) as p: print(p.map(abs, range(-5, 5)))
lock, n, c = threading.Lock(), [0], threading.Condition()
def count():
    for _ in range(1000):
        with lock: n[0] += 1
    with c: c.notify_all()
ts = [threading.Thread(target=count) for _ in range(20)]
[t.start() for t in ts]; [t.join() for t in ts]; print(n)
print(subprocess.run(["sh", "-c", "echo out; echo err >&2; exit 3"], capture_output=True))
print(os.popen("echo popen").read(), os.system("exit 4") >> 8, os.waitstatus_to_exitcode(os.spawnlp(os.P_WAIT, "true", "true") << 8))
p = subprocess.Popen(["sleep", "100"]); p.send_signal(signal.SIGTERM); print(p.wait())
os._exit(6)'
	same 'python: a unix-socket server and clients' "$python" "$T/unix_echo.py" 3 20
else
	skip 'python3 is not installed' 8
fi
if command -v git >/dev/null; then
	same 'git: commits, gc, clone' sh -c '
		export HOME=$PWD GIT_CONFIG_NOSYSTEM=1 GIT_AUTHOR_DATE="2020-01-01T00:00:00Z" GIT_COMMITTER_DATE="2020-01-01T00:00:00Z"
		git init -q g 2>/dev/null && cd g && git config user.email a@b && git config user.name n
		for i in 1 2 3; do echo $i >f$i; git add .; git commit -qm c$i; done
		git log --format="%H %s"; git gc -q; git fsck 2>&1; git clone -q . ../h; git -C ../h log --format=%H | wc -l'
else
	skip 'git is not installed' 4
fi
# What does not come to libc for its calls runs just the same, and is named.
if command -v gron >/dev/null; then
	same 'gron: made by Go' sh -c 'printf "%s" "{\"a\":[1,2]}" | gron | cat; echo "$?"; gron </dev/null 2>&1 | cat; exit 3'
	like "$err" 'not-covered.*gron\[[0-9]+\]' 'gron: is named as not covered'
	run user "$SHIM_IPCTAP" report "$DB"
	like "$out" 'not covered: .*/gron \[[0-9]+\]' '... in the report, too'
else
	skip 'gron is not installed' 6
fi
if command -v mmark >/dev/null && file=$(command -v mmark) && [ "$(ldd "$file" 2>&1 | grep -c 'not a dynamic')" = 1 ]; then
	least=3
	same 'mmark: made by Go, static' sh -c 'printf "# a\n\nb *c*\n" | mmark -html -fragment | cat; echo "$?"; mmark -no-such >/dev/null 2>&1; exit $?'
	least=20
	like "$err" 'not-covered.*mmark\[[0-9]+\], mmark\[' 'mmark: is named as not covered, both times'
	run user "$SHIM_IPCTAP" report "$DB"
	like "$out" 'not covered: .*/mmark \[[0-9]+\]' '... in the report, too'
else
	skip 'no static mmark is installed' 6
fi
if command -v busybox >/dev/null && [ "$(ldd "$(command -v busybox)" 2>&1 | grep -c 'not a dynamic')" = 1 ]; then
	least=5
	same 'busybox, static' sh -c 'busybox seq 5 | busybox tail -n 2; echo "$?"'
	least=20
	like "$err" 'not-covered.*busybox\[[0-9]+\]' 'busybox: is named as not covered'
else
	skip 'no static busybox is installed' 5
fi
same 'sqlite3: a database, a log, a pipe' sh -c '
	sqlite3 s.db "pragma journal_mode=wal; create table t(a); with recursive c(x) as (select 1 union all
		select x+1 from c where x<1000) insert into t select x from c; select sum(a), count(*) from t"
	sqlite3 s.db .dump | sqlite3 t.db; sqlite3 t.db "select sum(a) from t" | cat; sqlite3 s.db "select nothing"; echo $?'
unset least

# ---- programs that are hard on whoever stands in between; the bytes they move are known ----

moved() { sql "select coalesce(sum(bytes), 0) from v_event where op = '$1' and kind = 'pipe'"; }
calls() { sql "select count(*) from v_event where op = '$1'"; }

# hard NAME BYTES SAID: every run of it moves one byte before main, which counts
hard() {
	same "hard $1" "$HARD" "$1"
	is "$out" "$3" '... does what it should'
	is "$(moved write) $(moved read)" "$2 $2" "... $2 bytes were written and read"
	is "$(sql 'select count(*) from loss')" 0 '... and nothing was lost'
}
# 40 of its own, one of it and of each of twenty that it executes
hard vfork 61 'vfork: statuses=2730 bytes=40 system=9'
hard fork-in-thread 81 'fork in a thread: statuses=160 bytes=80'
hard exec-in-thread 3 'exec in a thread: the same process=1'
hard threads 10001 'threads: bytes=10000 counted=10000'
is "$(sql "select count(distinct tid) from v_event where op = 'write'")" 1001 '... each by its own thread'
hard cancel 1 'cancel: cancelled=180 cleaned=180 lock=0'
hard early 3 'early: said=3
late: 1'

# A handler every 300 us that jumps out of every third call: nothing is told twice, what is lost is counted
for i in 1 2 3; do
	shim --ring 64m -- "$HARD" signals
	is "$status $out" '0 signals: unread=0 noted=1 posted=1' 'signals in every call: it does what it should'
	lost=$(sql 'select coalesce(sum(count), 0) from loss')
	[ "$(sql "select sum(case op when 'write' then bytes else -bytes end) from v_event where kind = 'pipe'" | tr -d -)" -le "$lost" ]
	ok $? '... every byte that was written was read, but for what was counted as lost'
	[ "$lost" -le 100 ]
	ok $? '... which is next to nothing' || diag "$lost lost"
done

# A daemon ends everything that it did not make itself, and goes on being watched
shim -- sh -c '"$1" daemon "$PWD/said"; until [ -s said ]; do sleep 0.02; done; cat said; rm said' - "$HARD"
is "$status $out" '0 daemon: bytes=300' 'a daemon that closes all its descriptors'
is "$(moved write)" 301 '... every byte of it was seen'
is "$(sql 'select count(*) from loss')" 0 '... and nothing was lost'

if command -v "$CC" >/dev/null; then
	cat >"$T/moved.c" <<-'END'
		#include <unistd.h>
		long moved(void);
		static long n;
		__attribute__((constructor)) static void load(void)
		{
			int f[2];
			char b[8];
			if (pipe(f) == 0 && write(f[1], "abc", 3) == 3)
				n = read(f[0], b, sizeof(b));
			close(f[0]);
			close(f[1]);
		}
		long moved(void) { return n; }
	END
	"$CC" -shared -fPIC -o "$T/moved.so" "$T/moved.c"
	shim -- "$HARD" dlopen "$T/moved.so"
	is "$status $out" '0 dlopen: bytes=3' 'a library that is loaded later'
	is "$(moved write)" 4 '... its calls are seen, from its constructor on'

	# The program's own allocator makes calls and takes locks: whoever comes through it must not need it
	cat >"$T/own_malloc.c" <<-'END'
		#include <pthread.h>
		#include <stdio.h>
		#include <string.h>
		#include <unistd.h>
		static char room[1 << 24];
		static size_t used;
		static int fds[2] = { -1, -1 };
		static long calls;
		static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
		void *malloc(size_t n)
		{
			char byte;
			pthread_mutex_lock(&lock);
			if (fds[0] < 0 && pipe(fds))
				_exit(9);
			if (write(fds[1], "m", 1) != 1 || read(fds[0], &byte, 1) != 1)
				_exit(9);
			calls++;
			used = (used + 15) & ~(size_t)15;
			void *p = used + n <= sizeof(room) ? room + used : NULL;
			used += n;
			pthread_mutex_unlock(&lock);
			return p;
		}
		void *calloc(size_t n, size_t m) { void *p = malloc(n * m); return p ? memset(p, 0, n * m) : p; }
		void *realloc(void *old, size_t n)
		{
			void *p = malloc(n);
			if (p && old)
				memcpy(p, old, (size_t)(room + sizeof(room) - (char *)old) < n ? 0 : n);
			return p;
		}
		void free(void *p) { (void)p; }
		static void *thread(void *arg)
		{
			for (int i = 0; i < 100; i++)
				if (!malloc(100))
					_exit(9);
			return arg;
		}
		int main(void)
		{
			pthread_t t[8];
			for (int i = 0; i < 8; i++)
				pthread_create(&t[i], NULL, thread, NULL);
			for (int i = 0; i < 8; i++)
				pthread_join(t[i], NULL);
			char said[64];
			int n = snprintf(said, sizeof(said), "%d\n", calls >= 800);
			return write(1, said, (size_t)n) != n;
		}
	END
	"$CC" -w -o "$T/own_malloc" "$T/own_malloc.c" -lpthread
	least=1600
	same 'calls in the allocator' "$T/own_malloc"
	unset least
	is "$(moved write)" "$(moved read)" '... as many bytes out of it as into it'

	# Built with a sanitizer that has wrappers of its own
	cat >"$T/asan.c" <<-'END'
		#include <pthread.h>
		#include <stdio.h>
		#include <stdlib.h>
		#include <sys/wait.h>
		#include <unistd.h>
		static void *t(void *fd)
		{
			char *p = calloc(100, 4);
			if (write(*(int *)fd, p, 400) != 400)
				_exit(9);
			free(p);
			return 0;
		}
		int main(int argc, char **argv)
		{
			int f[2], n = 0, s = 0;
			pthread_t th[4];
			char b[1600];
			if (pipe(f))
				return 9;
			for (int i = 0; i < 4; i++)
				pthread_create(&th[i], 0, t, &f[1]);
			for (int i = 0; i < 4; i++)
				pthread_join(th[i], 0);
			while (n < 1600)
				n += read(f[0], b + n, 1600 - n);
			printf("%d\n", n);
			fflush(stdout);
			if (argc > 1) {
				char *p = malloc(8);
				free(p);
				return p[2] + !argv;
			}
			if (fork() == 0)
				_exit(3);
			wait(&s);
			return WEXITSTATUS(s);
		}
	END
	export ASAN_OPTIONS="${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0:abort_on_error=0:log_path=stderr"
	if "$CC" -w -g -fsanitize=address -o "$T/asan" "$T/asan.c" -lpthread 2>/dev/null; then
		least=7
		same 'a program under AddressSanitizer' "$T/asan"
		unset least
		is "$(moved write)" 1600 '... all of its bytes are seen'
		run user "$T/asan" bad
		like "$err" 'heap-use-after-free' 'what it finds without the shim'
		shim -- "$T/asan" bad
		is "$status" 1 '... it finds with it'
		like "$err" 'heap-use-after-free' '... and says so'
	else
		skip 'there is no AddressSanitizer here' 9
	fi
else
	skip 'there is no compiler here' 18
fi

done_testing
