#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Variables shared by every process that loads a library (ripc_shared.h): two libraries, programs
# that know nothing of each other, and a library that does not fit.
. tests/lib.sh
CC=${CC:-gcc}

command -v "$CC" >/dev/null || skip_all "no compiler ($CC)"
case ${SAN:-} in ?*) flags="-fsanitize=$SAN" ;; *) flags= ;; esac
[ -z "$flags" ] || skip_all 'the libraries of this test are plain ones'
RIPC_DIR=$T/objects LD_LIBRARY_PATH=$O
export RIPC_DIR LD_LIBRARY_PATH
mkdir -m 700 "$RIPC_DIR"

cat >"$T/visits.c" <<'END'
#include "lib/ripc/ripc_shared.h"
RIPC_SHARED_LIBRARY("test.visits");
static int mine = 100;              /* next to the shared ones, and private */
RIPC_SHARED _Atomic int visits = 7; /* its initial value comes once */
int visit(void) { mine++; return ++visits; }
int private_value(void) { return mine; }
int visits_error(void) { return RIPC_SHARED_ERROR(); }
END
cat >"$T/visits2.c" <<'END'
#include "lib/ripc/ripc_shared.h"
RIPC_SHARED char big[10000] = "second file";
const char *big_text(void) { return big; }
END
cat >"$T/other.c" <<'END'
#include "lib/ripc/ripc_shared.h"
RIPC_SHARED_LIBRARY("test.other");
RIPC_SHARED _Atomic long others = 1000;
long other(void) { return ++others; }
END
cat >"$T/wrong.c" <<'END'
#include "lib/ripc/ripc_shared.h"
RIPC_SHARED_LIBRARY("test.visits");
RIPC_SHARED int visits = 8;
int visit(void) { return ++visits; }
int visits_error(void) { return RIPC_SHARED_ERROR(); }
END
cat >"$T/user.c" <<'END'
#include <stdio.h>
#include <unistd.h>
int visit(void), private_value(void), visits_error(void);
long other(void);
const char *big_text(void);
int main(int argc, char **argv)
{
	(void)argv;
	int n = visit();
	printf("%d %d %ld %s %d\n", n, private_value(), other(), big_text(), visits_error());
	fflush(stdout);
	if (argc > 1) /* stays until its input ends */
		(void)!read(0, &(char){0}, 1);
	return 0;
}
END
cat >"$T/user_wrong.c" <<'END'
#include <stdio.h>
int visit(void), visits_error(void);
int main(void) { int n = visit(); printf("%d %d\n", n, visits_error()); return 0; }
END
lib() { # lib NAME FILE…
	l_name=$1
	shift
	"$CC" -O2 -Wall -Werror -fPIC -shared -I. -o "$T/lib$l_name.so" "$@" -L"$O" -lripc -Wl,-rpath,"$O"
}
lib visits "$T/visits.c" "$T/visits2.c" && lib other "$T/other.c" && lib wrong "$T/wrong.c" &&
	"$CC" -o "$T/user" "$T/user.c" -L"$T" -lvisits -lother -Wl,-rpath,"$T" &&
	"$CC" -o "$T/user_wrong" "$T/user_wrong.c" -L"$T" -lwrong -Wl,-rpath,"$T"
ok $? 'libraries and programs are built'

mkfifo "$T/hold"
"$T/user" stay <"$T/hold" >"$T/first" &
first=$!
exec 3>"$T/hold"
n=0
until [ -s "$T/first" ] || [ $n -gt 500 ]; do sleep 0.01; n=$((n + 1)); done
is "$(cat "$T/first")" '8 101 1001 second file 0' 'the first process brings the initial values'
run "$T/user"
is "$out" '9 101 1002 second file 0' 'the second sees them changed, and its private ones not'
run "$T/user"
is "$out" '10 101 1003 second file 0' 'so does the third'
run "$T/user_wrong"
is "$out" '9 -71' 'a library of that name with other variables keeps its own: EPROTO'
kill -9 $first
wait $first 2>/dev/null
exec 3>&-
run "$T/user"
is "$out" '8 101 1001 second file 0' 'after the last has gone, even killed, they begin again'
run readelf -SW "$T/libvisits.so"
like "$out" 'ripc_shared +PROGBITS +[0-9a-f]+000 [0-9a-f]+ 004000 ' 'the section is whole pages'
done_testing
