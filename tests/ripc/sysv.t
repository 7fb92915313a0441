#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Rows 2 and 6 under the kernel's names: programs written from the standard, and from what Linux adds
# to it, pass on the kernel's System V IPC and, unmodified, on libripc-sysv.so preloaded.
. tests/lib.sh

preload=$O/libripc-sysv.so
case $SAN in
*address*) preload="$(${CC:-gcc} -print-file-name=libasan.so) $preload" ;;
esac

# plan FILE: how many passed, of how many; the failures as remarks
plan() {
	sed -n 's/^not ok/# &/p' "$1" >&2
	echo "$(grep -c '^ok' "$1") of $(sed -n 's/^1\.\.//p' "$1")"
}

for conform in "$O/tests/ripc/sysv_conform" "$O/tests/ripc/sysv_conform_linux"; do
	name=${conform##*/}
	run "$conform"
	cp "$T/out" "$T/kernel"
	cat "$T/err" >&2
	is "$status" 0 "$name, the kernel's: conforms"
	like "$(plan "$T/kernel")" '^([0-9]+) of \1$' "$name, the kernel's: every test"

	run env LD_PRELOAD="$preload" "$conform"
	cp "$T/out" "$T/ours"
	cat "$T/err" >&2
	is "$status" 0 "$name, preloaded: conforms"
	like "$(plan "$T/ours")" '^([0-9]+) of \1$' "$name, preloaded: every test"
	# what a kernel does not let us try is left out there
	grep -q '# SKIP' "$T/kernel" || same_file "$T/ours" "$T/kernel" "$name: the same results"
done

# It is ours that it ran on: a queue made under the preload is known to us, not to the kernel.
RIPC_DIR=$T/objects
export RIPC_DIR
mkdir "$RIPC_DIR"
cat >"$T/make.c" <<'END'
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/shm.h>
#include <stdio.h>
int main(void)
{
	struct { long type; char text[5]; } m = {7, "hello"};
	int q = msgget(0x1234, 0600 | IPC_CREAT), s = shmget(0x4321, 100, 0640 | IPC_CREAT);
	if (q < 0 || s < 0 || msgsnd(q, &m, 5, 0) < 0)
		return 1;
	printf("%d %d\n", q, s);
	return 0;
}
END
run "${CC:-gcc}" -o "$T/make" "$T/make.c"
is "$status" 0 'a program of anybody'
run env LD_PRELOAD="$preload" "$T/make"
is "$status" 0 'makes a queue and a segment'
q=${out% *} s=${out#* }

ripc=$O/ripc
run "$ripc" ls
is "$status" 0 'ripc ls'
like "$out" "^msq .* 600 .* $q +key 0x00001234, 1 messages, 5 of 16384 bytes" 'shows the queue'
like "$out" "^shm .* 660? .* $s +key 0x00004321" 'shows the segment'
run "$ripc" ls msq
unlike "$out" '^shm' 'of one type'
run ipcs -q
unlike "$out" '0x00001234' 'the kernel knows nothing of it'
run "$ripc" ls nonsense
is "$status" 2 'ripc ls of no type: 2'
like "$err" '^usage: ripc' 'and says how'
run "$ripc" rm msq "$q"
is "$status" 0 'ripc rm msq'
run "$ripc" rm shm "$s"
is "$status" 0 'ripc rm shm'
run "$ripc" rm shm "$s"
is "$status" 1 'once'
like "$err" 'No such file' 'and says why'
run "$ripc" rm cs nobody
is "$status" 1 'ripc rm of what is not there: 1'
printf garbage >"$RIPC_DIR/sem.x"
run "$ripc" ls
is "$status" 0 'garbage in the folder'
like "$out" 'x +\(Bad message\)' 'is shown as such'
run "$ripc" rm sem x
is "$status" 0 'and can be removed'
is "$(ls "$RIPC_DIR")" '' 'nothing is left'

# Of an older library: its number is the third word of the file. Both names of a queue.
run env LD_PRELOAD="$preload" "$T/make"
q=${out% *} s=${out#* }
printf '\001\000\000\000' | dd of="$RIPC_DIR/msq.i$q" bs=1 seek=8 conv=notrunc status=none
run env LD_PRELOAD="$preload" "$T/make"
is "$status" 1 'a queue of layout 1 is not used'
run "$ripc" ls msq
like "$out" "msq +\? .* $q +\(of another version of libripc; ripc rm takes it away\)" 'ripc ls says why, and the remedy'
run "$ripc" rm msq "$q" k00001234
is "$status" 0 'which is one'
run env LD_PRELOAD="$preload" "$T/make"
is "$status" 0 'then there is a new one'
run "$ripc" rm msq "${out% *}"
run "$ripc" rm shm "$s"
is "$(ls "$RIPC_DIR")" '' 'and nothing is left'

run "$ripc" -h
is "$status" 0 'ripc -h'
run "$ripc"
is "$status" 2 'ripc alone: 2'

# A library for others exports what it says and nothing else.
is "$(nm -D --defined-only "$O/libripc-sysv.so" | awk '{print $3}' | grep -v '^__' | sort | xargs)" \
	'msgctl msgget msgrcv msgsnd shmat shmctl shmdt shmget' 'libripc-sysv.so exports eight calls'

done_testing
