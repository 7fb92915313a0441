/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Static probes (USDT, provider `ripc`), so that perf, bpftrace and ipctap see the objects by name:
 *
 *     bpftrace -e 'usdt:./libripc.so:ripc:send { printf("%s %s %d\n", str(arg0), str(arg1), arg2) }'
 *
 * probe        arguments
 * send         kind, name, bytes, tag     a message or some bytes went in
 * receive      kind, name, bytes, tag     … came out
 * acquire      kind, name                 a lock, a unit, a signalled event was obtained
 * release      kind, name                 … was given back, was signalled
 * wait_begin   kind, name                 the caller is about to sleep
 * wait_end     kind, name, error          it woke; 0 or the errno that ended the wait
 *
 * `kind` is a word: "cs" "sem" "event" "cond" "mbuf" "msg" "shm" "pipe" "npipe" "map" "tcp" "udp".
 * `name` is the object's global name, NUL-terminated, and may be "" but not NULL. `tag` tells
 * messages apart: a System V message's type; for a named pipe 2 × instance + (0 from the server,
 * 1 from the client); else 0.
 *
 * A probe is one nop and a note in the ELF file; its arguments must be at hand already (values in
 * variables), so that nothing is paid when nobody looks. Without <sys/sdt.h> they are nothing.
 */
#ifndef RIPC_PROBES_H
#define RIPC_PROBES_H

#if defined(__has_include) && !defined(RIPC_NO_PROBES)
#if __has_include(<sys/sdt.h>)
#define RIPC_HAS_PROBES 1
#include <sys/sdt.h>
#endif
#endif

#ifdef RIPC_HAS_PROBES
#define RIPC_PROBE_SEND(kind, name, bytes, tag)                                                    \
	STAP_PROBE4(ripc, send, (const char *)(kind), (const char *)(name), (long)(bytes),         \
		    (long)(tag))
#define RIPC_PROBE_RECEIVE(kind, name, bytes, tag)                                                 \
	STAP_PROBE4(ripc, receive, (const char *)(kind), (const char *)(name), (long)(bytes),      \
		    (long)(tag))
#define RIPC_PROBE_ACQUIRE(kind, name)                                                             \
	STAP_PROBE2(ripc, acquire, (const char *)(kind), (const char *)(name))
#define RIPC_PROBE_RELEASE(kind, name)                                                             \
	STAP_PROBE2(ripc, release, (const char *)(kind), (const char *)(name))
#define RIPC_PROBE_WAIT_BEGIN(kind, name)                                                          \
	STAP_PROBE2(ripc, wait_begin, (const char *)(kind), (const char *)(name))
#define RIPC_PROBE_WAIT_END(kind, name, error)                                                     \
	STAP_PROBE3(ripc, wait_end, (const char *)(kind), (const char *)(name), (long)(error))
#else
/* sizeof keeps the arguments used, and unevaluated */
#define RIPC_PROBE_NONE2(a, b) ((void)sizeof(a), (void)sizeof(b))
#define RIPC_PROBE_SEND(kind, name, bytes, tag)                                                    \
	(RIPC_PROBE_NONE2(kind, name), RIPC_PROBE_NONE2(bytes, tag))
#define RIPC_PROBE_RECEIVE(kind, name, bytes, tag)                                                 \
	(RIPC_PROBE_NONE2(kind, name), RIPC_PROBE_NONE2(bytes, tag))
#define RIPC_PROBE_ACQUIRE(kind, name) RIPC_PROBE_NONE2(kind, name)
#define RIPC_PROBE_RELEASE(kind, name) RIPC_PROBE_NONE2(kind, name)
#define RIPC_PROBE_WAIT_BEGIN(kind, name) RIPC_PROBE_NONE2(kind, name)
#define RIPC_PROBE_WAIT_END(kind, name, error)                                                     \
	(RIPC_PROBE_NONE2(kind, name), (void)sizeof(error))
#endif

#endif
