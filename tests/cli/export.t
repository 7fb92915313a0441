#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# What ipctap export writes is what the programs that it is for can read, and says what the trace says.
. tests/lib.sh

DB=$T/small.db
cp tests/golden/small.db "$DB"
for format in json csv dot perfetto html; do
	run "$IPCTAP" export -f $format -o "$T/x.$format" "$DB"
	is "$status:$out" 0: "-f $format"
	is "$(LC_ALL=C tr -d '\n\011\040-\176' <"$T/x.$format" | wc -c | tr -d ' ')" 0 \
		"$format: nothing but printable ASCII comes out of this trace"
done
like "$err" '^ipctap: lost 7 operations' 'losses are said'

# ask PYTHON: d is the parsed document, db the trace
ask() {
	python3 - "$T" "$1" 2>&1 <<'PY'
import csv, html.parser, json, sqlite3, sys
T, question = sys.argv[1:3]
db = lambda q: sqlite3.connect(T + "/small.db").execute(q).fetchall()
load = lambda name: json.load(open(f"{T}/x.{name}"))
class Page(html.parser.HTMLParser):
    void = {"meta", "rect"}
    def __init__(self, text):
        super().__init__()
        self.open, self.tables, self.headings, self.bad = [], [], [], []
        self.cell = None
        self.feed(text)
    def handle_starttag(self, tag, attrs):
        if tag not in self.void: self.open.append(tag)
        if tag == "tbody": self.tables.append([])
        if tag == "tr" and self.tables and "tbody" in self.open: self.tables[-1].append([])
        if tag in ("td", "h2"): self.cell = ""
    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag: self.bad.append(tag)
        if tag == "td" : self.tables[-1][-1].append(self.cell)
        if tag == "h2" : self.headings.append(self.cell)
    def handle_data(self, data):
        if self.cell is not None: self.cell += data
print(eval(f"({question})"))
PY
}
is "$(ask 'sum(e["type"] == "io" for e in load("json")["events"])')" 21 'json: every operation'
is "$(ask 'load("json")["report"]["summary"]["operations"]')" 21 'json: and the report'
is "$(ask '[(r["op"], int(r["bytes"]), int(r["ret"])) for r in csv.DictReader(open(T + "/x.csv"))] ==
	db("select (select name from op where op.id = event.op), bytes, ret from event order by id")')" True \
	'csv: the operations of the trace, in order'
is "$(ask 'len(set(len(r) for r in csv.reader(open(T + "/x.csv"))))')" 1 'csv: all lines have as many columns'

# the slices of a thread lie side by side or one in the other
is "$(ask 'sum(e["ph"] == "X" and e.get("cat") not in ("asleep",) for e in load("perfetto")["traceEvents"])')" 21 \
	'perfetto: a slice for each operation'
is "$(ask '(lambda by: [t for t, v in by.items() for a in v for b in v
	if a[0] < b[0] < a[1] < b[1]])((lambda ev: {t: [(round(e["ts"] * 1000), round((e["ts"] + e["dur"]) * 1000))
	for e in ev if e["ph"] == "X" and e["tid"] == t] for t in {e["tid"] for e in ev}})(load("perfetto")["traceEvents"]))')" \
	'[]' 'perfetto: slices of a thread do not cross'
is "$(ask 'sorted(e["args"]["name"] for e in load("perfetto")["traceEvents"]
	if e["ph"] == "M" and e["name"] == "process_name" and e["pid"] == 1001)')" "['dd', 'sh']" \
	'perfetto: processes have their names'
is "$(ask '(lambda ev, f: [(s["tid"], f[s["id"]]["tid"]) for s in ev if s["ph"] == "s"])(
	load("perfetto")["traceEvents"], {e["id"]: e for e in load("perfetto")["traceEvents"] if e["ph"] == "f"})')" \
	'[(1001, 1002), (1003, 1005)]' 'perfetto: an arrow from the waker to the sleeper'
is "$(ask '(lambda ev: [e for e in ev if e["ph"] in "sf" and not any(x["ph"] == "X" and x["tid"] == e["tid"]
	and x["ts"] <= e["ts"] <= x["ts"] + x["dur"] and (e["ph"] == "s" or x["cat"] == "asleep") for x in ev)])(
	load("perfetto")["traceEvents"])')" '[]' 'perfetto: which begin in an operation and end in a sleep'
is "$(ask '[e["name"] for e in load("perfetto")["traceEvents"] if e["ph"] == "i"]')" \
	"['lost 7 ring-op', 'lost 2 compat32']" 'perfetto: losses'

is "$(ask '(lambda p: (p.open, p.bad))(Page(open(T + "/x.html").read()))')" '([], [])' 'html: its tags are balanced'
is "$(ask '(lambda p: p.headings)(Page(open(T + "/x.html").read()))')" \
	"['Lost', 'Still waiting at the end', 'Who talked to whom', 'Who slept where', 'Processes']" 'html: the tables'
is "$(ask '(lambda p: [r[0] for r in p.tables[1]])(Page(open(T + "/x.html").read()))')" "['sh[1000]']" \
	'html: who is still waiting'
unlike "$(cat "$T/x.html")" 'https?://|<link|<script src' 'html: it needs nothing but itself'

if command -v dot >/dev/null; then
	dot -Tsvg "$T/x.dot" >"$T/x.svg" 2>"$T/err"
	is "$?:$(cat "$T/err")" 0: 'dot takes it'
	dot -Tplain "$T/x.dot" >"$T/plain" 2>/dev/null
	is "$(grep -c '^node' "$T/plain")" "$(grep -c '^	p[0-9_]* \[\|^	unknown \[' "$T/x.dot")" 'dot: every process is a node'
	is "$(grep -c '^edge' "$T/plain")" "$(grep -c -- '->' "$T/x.dot")" 'dot: every flow and wait an edge'
else
	skip 'Graphviz is not installed' 3
fi
is "$(grep -c 'messages' "$T/x.dot")" "$("$IPCTAP" report --json "$DB" 2>/dev/null |
	python3 -c 'import json, sys; print(len(json.load(sys.stdin)["talk"]))')" 'dot: as many as the report has'
like "$(cat "$T/x.dot")" 'label="dd\[1001\]"' 'dot: by name'
like "$(cat "$T/x.dot")" 'waits in write for .*color=red' 'dot: who waits'

run "$IPCTAP" export -f csv "$DB" -e 'kind=pipe op=write'
is "$(grep -c . "$T/out")" 4 '-e: only what matches, and the header'
run "$IPCTAP" export -f csv "$DB" -n 2
is "$(grep -c . "$T/out")" 3 '-n: so many'
run "$IPCTAP" export "$DB"
is "$status" 2 'no format'
like "$err" 'json, csv, dot, perfetto or html' 'the remedy'
run "$IPCTAP" export -f xml "$DB"
is "$status" 2 'a format that is none'
run "$IPCTAP" export -f csv
is "$status" 2 'no trace'
run "$IPCTAP" export -f csv "$T/missing.db"
is "$status" 3 'a trace that is not there'
sh -c '"$1" export -f csv "$2" >/dev/full' sh "$IPCTAP" "$DB" 2>"$T/err"
is $? 3 'a full disk: 3'
like "$(cat "$T/err")" 'No space left' 'and says so'
sh -c '"$1" export -f json "$2"; echo $? >"$3"' sh "$IPCTAP" "$DB" "$T/status" 2>"$T/err" | head -n 1 >/dev/null
is "$(cat "$T/status")" 0 'a reader that goes away is no error'
done_testing
