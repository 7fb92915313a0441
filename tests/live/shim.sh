# SPDX-License-Identifier: GPL-2.0-or-later
# What the tests of the shim share; they source it instead of tests/lib.sh. What they trace runs as
# an ordinary user: as nobody where the tests run as root, so that nothing but the shim can see it.

. tests/lib.sh

PROGS=${PROGS:-${O:-build}/tests/progs}
shim_dir=$(dirname "$IPCTAP")
[ -e "$shim_dir/libipctap-shim.so" ] || skip_all 'the shim was not built'
command -v setpriv >/dev/null || skip_all 'setpriv is not installed'

# Where that user may read and write, whatever folder the build is in.
DB=$T/work/t.db
mkdir "$T/work" && cp "$IPCTAP" "$shim_dir/libipctap-shim.so" "$T" && cp -r "$PROGS" "$T/progs"
SHIM_IPCTAP=$T/$(basename "$IPCTAP")
if [ "$(id -u)" = 0 ]; then
	chown 65534:65534 "$T/work"
	chmod 755 "$T" "$T/progs"
	user() { (cd "$T/work" && exec setpriv --reuid=65534 --regid=65534 --clear-groups --no-new-privs -- "$@"); }
else
	user() { (cd "$T/work" && exec "$@"); }
fi

# What was started is ended with the test, however it ends.
trap 'shim_cleanup; rm -rf "$T"' EXIT
shim_pids=
shim_cleanup() {
	for shim_pid in $shim_pids; do
		kill -KILL "$shim_pid" 2>/dev/null
		wait "$shim_pid" 2>/dev/null
	done
}

# shim ARG…: ipctap record --source shim into $DB as that user, sets what run sets
shim() {
	rm -f "$DB" "$DB"-wal "$DB"-shm
	run user "$SHIM_IPCTAP" record --source shim -o "$DB" "$@"
}

sql() { sqlite3 -batch -noheader "$DB" "$1"; }
