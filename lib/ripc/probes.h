/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Static probes (USDT, provider `ripc`), so that perf, bpftrace and ipctap see the objects by name:
 *
 *     bpftrace -e 'usdt:./libripc.so:ripc:send { printf("%s %d\n", str(arg1), arg3) }'
 *
 * probe        arguments
 * open         kind, name, id, created    this process has the object now (1: it made it); also a
 *                                         child of fork, which inherits it
 * close        kind, name, id             … has it no more; not told of one that ends, or execs
 * begin                                   a call of the following begins
 * send         kind, name, id, bytes, tag a message or some bytes went in
 * receive      kind, name, id, bytes, tag … came out
 * acquire      kind, name, id             a lock, a unit, a signalled event, a client was obtained,
 *                                         a segment or view mapped
 * release      kind, name, id             … was given back, was signalled, was unmapped
 * wait_begin   kind, name, id             the caller is about to sleep
 * wait_end     kind, name, id, error      it woke; 0 or the errno that ended the wait. One that ends
 *                                         in an error ends the call, but for EOWNERDEAD
 *
 * A call is begin, perhaps waits, and one of send, receive and acquire, in one thread; release and
 * commits stand alone. A call that fails without a wait is begin alone. Calls nest where a condition
 * gives its critical section back.
 *
 * `kind` is the word that `ripc ls` has for it: "cs" "sem" "event" "cond" "buffer" "msq" "shm" "pipe"
 * "npipe" "mapping" "shared"; or "tcp" "udp", which are the kernel's own sockets: its characters, the
 * first in the lowest byte, as one number, since a probe may not wait for a page of constants to be
 * read in. `name` is the object's global name, NUL-terminated, and may be "" but not NULL. `id` tells objects of one name
 * apart that follow each other, or lie in different directories: the inode of its file, or, without
 * a file, a number of this library's; 0 for sockets. `tag` tells messages apart: a System V message's
 * type; for a named pipe 2 × instance + (0 from the server, 1 from the client); else 0.
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

#include <stdint.h>

#define RIPC_KIND_AT(word, i)                                                                      \
	((uint64_t)(unsigned char)(word)[(i) < sizeof(word) ? (i) : sizeof(word) - 1] << 8 * (i))
#define RIPC_KIND(word)                                                                            \
	(RIPC_KIND_AT(word, 0) | RIPC_KIND_AT(word, 1) | RIPC_KIND_AT(word, 2) |                   \
	 RIPC_KIND_AT(word, 3) | RIPC_KIND_AT(word, 4) | RIPC_KIND_AT(word, 5) |                   \
	 RIPC_KIND_AT(word, 6) | RIPC_KIND_AT(word, 7))

#ifdef RIPC_HAS_PROBES
#define RIPC_PROBE_OPEN(kind, name, id, created)                                                   \
	STAP_PROBE4(ripc, open, (long)(kind), (const char *)(name), (long)(id),            \
		    (long)(created))
#define RIPC_PROBE_CLOSE(kind, name, id)                                                           \
	STAP_PROBE3(ripc, close, (long)(kind), (const char *)(name), (long)(id))
#define RIPC_PROBE_BEGIN() STAP_PROBE(ripc, begin)
#define RIPC_PROBE_SEND(kind, name, id, bytes, tag)                                                \
	STAP_PROBE5(ripc, send, (long)(kind), (const char *)(name), (long)(id),            \
		    (long)(bytes), (long)(tag))
#define RIPC_PROBE_RECEIVE(kind, name, id, bytes, tag)                                             \
	STAP_PROBE5(ripc, receive, (long)(kind), (const char *)(name), (long)(id),         \
		    (long)(bytes), (long)(tag))
#define RIPC_PROBE_ACQUIRE(kind, name, id)                                                         \
	STAP_PROBE3(ripc, acquire, (long)(kind), (const char *)(name), (long)(id))
#define RIPC_PROBE_RELEASE(kind, name, id)                                                         \
	STAP_PROBE3(ripc, release, (long)(kind), (const char *)(name), (long)(id))
#define RIPC_PROBE_WAIT_BEGIN(kind, name, id)                                                      \
	STAP_PROBE3(ripc, wait_begin, (long)(kind), (const char *)(name), (long)(id))
#define RIPC_PROBE_WAIT_END(kind, name, id, error)                                                 \
	STAP_PROBE4(ripc, wait_end, (long)(kind), (const char *)(name), (long)(id),        \
		    (long)(error))
#else
/* sizeof keeps the arguments used, and unevaluated */
#define RIPC_PROBE_NONE3(a, b, c) ((void)sizeof(a), (void)sizeof(b), (void)sizeof(c))
#define RIPC_PROBE_OPEN(kind, name, id, created)                                                   \
	(RIPC_PROBE_NONE3(kind, name, id), (void)sizeof(created))
#define RIPC_PROBE_CLOSE(kind, name, id) RIPC_PROBE_NONE3(kind, name, id)
#define RIPC_PROBE_BEGIN() ((void)0)
#define RIPC_PROBE_SEND(kind, name, id, bytes, tag)                                                \
	(RIPC_PROBE_NONE3(kind, name, id), (void)sizeof(bytes), (void)sizeof(tag))
#define RIPC_PROBE_RECEIVE(kind, name, id, bytes, tag) RIPC_PROBE_SEND(kind, name, id, bytes, tag)
#define RIPC_PROBE_ACQUIRE(kind, name, id) RIPC_PROBE_NONE3(kind, name, id)
#define RIPC_PROBE_RELEASE(kind, name, id) RIPC_PROBE_NONE3(kind, name, id)
#define RIPC_PROBE_WAIT_BEGIN(kind, name, id) RIPC_PROBE_NONE3(kind, name, id)
#define RIPC_PROBE_WAIT_END(kind, name, id, error)                                                 \
	(RIPC_PROBE_NONE3(kind, name, id), (void)sizeof(error))
#endif

#endif
