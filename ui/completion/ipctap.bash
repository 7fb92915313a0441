# SPDX-License-Identifier: GPL-2.0-or-later
# bash completion for ipctap. What there is to complete is asked of ipctap itself (--help), so that it
# cannot be out of date; what an option's argument may be is here.

_ipctap_verbs() {
	"$1" --help 2>/dev/null | sed -n '/^Verbs:/,/^$/s/^  \([a-z]*\) .*/\1/p'
}

# The options of a verb, long and short.
_ipctap_options() {
	"$1" "$2" --help 2>/dev/null | sed -n 's/^ *\(-[-a-zA-Z, ]*\).*/\1/p' |
		grep -oE -- '(^|[ ,])--?[a-zA-Z][a-z-]*' | tr -d ' ,'
}

# What may follow an option: words, "FILE", "PID", or nothing.
_ipctap_argument() {
	case $1:$2 in
	export:-f | export:--format) echo json csv dot perfetto html ;;
	*:--source) echo auto bpf shim bpf+shim ;;
	*:--view) echo processes channels talk blocked ;;
	*:--level) echo proven closed-world orphan stuck quiescent leak-suspect slow ;;
	replay:--at | replay:--since) echo start end 50% ;;
	*:-e | *:--filter)
		echo kind= op= pid= tid= comm= chan= 'bytes>' 'latency>' 'slept>' blocked error
		;;
	*:-p | *:--pid) echo PID ;;
	*:-o | *:--output | *:--cgroup) echo FILE ;;
	*:-d | *:-n | *:-s | *:-i | *:--keep | *:--ring | *:--sort | *:--comm | *:--exec | *:--interval | \
		*:--duration | *:--count | *:--snap) echo - ;;
	esac
}

_ipctap_words() { # WORD…: those that begin with what is typed
	mapfile -t COMPREPLY < <(compgen -W "$*" -- "$cur")
	[[ ${COMPREPLY[0]-} != *[=\>] ]] || compopt -o nospace 2>/dev/null
}

_ipctap_files() {
	compopt -o filenames 2>/dev/null
	mapfile -t COMPREPLY < <(compgen -f -X "$1" -- "$cur"; compgen -d -- "$cur")
}

_ipctap() {
	local program=${COMP_WORDS[0]} verb=${COMP_WORDS[1]-} cur=${COMP_WORDS[COMP_CWORD]}
	local before=${COMP_WORDS[COMP_CWORD - 1]} argument i
	COMPREPLY=()
	if ((COMP_CWORD == 1)); then
		_ipctap_words "$(_ipctap_verbs "$program") help --help --version"
		return
	fi
	# behind -- is somebody else's command line
	for ((i = 2; i < COMP_CWORD; i++)); do
		[[ ${COMP_WORDS[i]} == -- ]] || continue
		((COMP_CWORD == i + 1)) && mapfile -t COMPREPLY < <(compgen -c -- "$cur") || _ipctap_files ''
		return
	done
	argument=$(_ipctap_argument "$verb" "$before")
	case $argument in
	-) return ;;
	FILE) _ipctap_files '' ;;
	PID) _ipctap_words "$(cd /proc && echo [0-9]*)" ;;
	?*) _ipctap_words "$argument" ;;
	esac
	[[ -z $argument ]] || return 0
	case $verb:$cur in
	help:*) _ipctap_words "$(_ipctap_verbs "$program")" ;;
	*:-*) _ipctap_words "$(_ipctap_options "$program" "$verb")" ;;
	demo:*) _ipctap_words "$("$program" demo 2>/dev/null | sed -n 's/^\([a-z][a-z0-9-]*\) .*/\1/p')" ;;
	why:*) _ipctap_words "$(cd /proc && echo [0-9]*)" ;;
	report:* | events:* | replay:* | export:* | deadlock:*) _ipctap_files '!*.db' ;;
	esac
}

complete -F _ipctap ipctap
