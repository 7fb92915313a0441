/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the BPF probes hand to the collector, beside the events of event.h.
 *
 * A probe sees one end of a channel at a time: an object (a pipe's inode, one socket, one System V
 * id). Inside the kernel and the ring, the field `chan` of ev_io, ev_endpoint and ev_wait holds an
 * object id; the collector (collector/join.h) joins the two sockets of a connection into one
 * channel and replaces object ids by channel ids before anything else sees the event.
 *
 * Kernel pointers appear here as identity only. They never leave the collector.
 */
#ifndef IPCTAP_ABI_RAW_H
#define IPCTAP_ABI_RAW_H

#include "event.h"

enum raw_type {
	RAW_OBJECT = 64, /* struct raw_object: precedes the first record that names the object */
	RAW_IO_ADDR,     /* struct raw_io_addr */
	RAW_MKNOD,       /* struct raw_mknod */
	RAW_MAP,         /* struct raw_map */
	RAW_MQ_UNLINK,   /* struct raw_mknod: path is the queue's name */
};

/* An object id: its kind in the top byte, below it what identifies it there. */
#define RAW_OBJ(kind, rest) ((__u64)(kind) << 56 | ((__u64)(rest) & 0xffffffffffffffULL))
#define RAW_OBJ_KIND(obj) ((unsigned int)((obj) >> 56))
#define RAW_MIX(a, b) ((((__u64)(a) ^ (__u64)(b) << 40) * 0x9e3779b97f4a7c15ULL) >> 8)
/* pipe: 24 bits of device, 32 of inode. Socket: its inode in sockfs. System V: 24 bits of IPC
 * namespace, 32 of id. FIFO, lock: a mix of its file's device (major << 20 | minor) and inode.
 * POSIX queue: like a pipe. eventfd: its id. Terminal: the address of its struct tty_struct. */
#define RAW_OBJ_FILE(kind, dev, ino) RAW_OBJ(kind, RAW_MIX(ino, dev))
#define RAW_OBJ_FIFO(dev, ino) RAW_OBJ_FILE(KIND_FIFO, dev, ino)
/* Mapped file or memory: a mix of device and inode. Futex: of that and its offset, or of its address
 * and the memory it is private to. Process memory: of the pid and its start. */
#define RAW_OBJ_MAP(dev, ino) RAW_OBJ(KIND_MAP, RAW_MIX(ino, dev))
#define RAW_OBJ_FUTEX(where, at, is_private)                                                       \
	((RAW_OBJ(KIND_FUTEX, (((where) ^ RAW_MIX(at, 0)) * 0x9e3779b97f4a7c15ULL) >> 8) & ~1ULL) | \
	 !!(is_private))
/* Object of libripc: a mix of its id, its kind's word (8 bytes of it) and, of a named pipe, 1 + the
 * instance, else 0. */
#define RAW_OBJ_RIPC(id, word, instance)                                                           \
	RAW_OBJ(KIND_RIPC, RAW_MIX((id) ^ (word) * 0x9e3779b97f4a7c15ULL, instance))
#define RAW_OBJ_IS_PRIVATE(obj) ((obj) & 1) /* of a futex: in memory of one process */
#define RAW_OBJ_MEM(pid, start_ns) RAW_OBJ(KIND_MEM, RAW_MIX(start_ns, pid))
/*
 * Objects that no descriptor leads to, and that no raw_object describes: their id says all. A
 * signal of one number (0: any) to one process; the end of one child, or of any child of a process;
 * what an epoll descriptor of a process, or a thread in poll or select, waits for.
 */
#define RAW_OBJ_SIGNAL(pid, sig) RAW_OBJ(KIND_SIGNAL, (__u64)(__u32)(pid) << 8 | ((sig) & 0xff))
#define RAW_OBJ_CHILD(pid) RAW_OBJ(KIND_CHILD, (__u32)(pid))
#define RAW_OBJ_ANY_CHILD(parent) RAW_OBJ(KIND_CHILD, 1ULL << 32 | (__u32)(parent))
#define RAW_OBJ_SET(pid, fd) RAW_OBJ(KIND_SET, (__u64)(__u32)(pid) << 32 | (__u32)(fd))
#define RAW_SET_NO_FD (-1) /* poll, select: pid is the thread's */

#define RAW_NAME_LEN 112

/* raw_object.hdr.flags */
#define RAW_NEW 0x0001u      /* made just now by the call that follows: its backlog is 0 and known */
#define RAW_ACCEPTED 0x0002u /* this socket came out of accept: its local address is the service */
#define RAW_CONNECTED 0x0004u /* this socket called connect: its remote address is the service */
#define RAW_LISTENING 0x0008u
#define RAW_PATH 0x0010u     /* FIFO: name is the whole path; mapping: its components reach the root */
#define RAW_IF_PEER 0x0020u  /* a socket outside the scope: of interest only if it joins one inside */
#define RAW_PRIVATE 0x0040u  /* a futex of one process's own memory */
#define RAW_BACKLOG 0x0080u  /* a socket: backlog (and at) are known, in messages if it has those, else bytes */
#define RAW_ROOM 0x0100u     /* described again only because what it has room for has changed */
#define RAW_MPTCP 0x0200u    /* a TCP socket that may use several paths */
#define RAW_REFUSED 0x0400u  /* a connect failed: raddr and rport, or name, are where it was to go */

/* hdr.flags of EV_ENDPOINT, before the joiner: of interest only if the object is known */
#define RAW_IF_KNOWN 0x0001u

struct raw_object {
	struct ev_hdr hdr;
	__u64 obj;
	__u64 sk;       /* sockets: struct sock */
	__u64 peer_sk;  /* futex: the object it lies in; connected unix sockets: the other struct sock … */
	__u64 peer_ino; /* … and its inode; 0: not accepted yet, or closed already; pipe, FIFO, mq: messages it
			   has room for (ev_room.messages) */
	__u64 backlog;  /* bytes inside at first sight; a socket's: what it has to read */
	__u64 ino;
	__u64 at;       /* futex: offset in the file, or address; ripc: 1 + the instance, or 0; connected
			   unix sockets: what the other end has to read; pipe, FIFO, msg: bytes it has room for */
	__u32 dev;
	__u32 ns;       /* network or IPC namespace, by inode number */
	__u32 pid;      /* a process that has it … */
	__s32 fd;       /* … under this descriptor; -1: none */
	__s32 key;      /* System V */
	__u16 kind;     /* enum ipctap_kind */
	__u16 sock_type; /* SOCK_STREAM … */
	__u16 family;   /* AF_*; IPv4 addresses are stored in IPv6's mapped form */
	__u16 lport, rport; /* host byte order; 0: none */
	__u16 name_len; /* bytes of name; unix: a leading NUL means abstract */
	__u8 laddr[16]; /* ripc: the word of its kind (lib/ripc/probes.h) */
	__u8 raddr[16];
	/* unix: the bound path; FIFO: its path (RAW_PATH), else the last component; mapping, shared
	 * futex and lock: the components of the file's path, the last one first, a NUL after each;
	 * process memory: the process's name; mq, ripc: its name */
	char name[RAW_NAME_LEN];
};

/*
 * A datagram operation whose partner is known by address only: ev_io.chan is the socket's own
 * object, addr:port the destination of a send that was not seen to reach a socket of this host, or the
 * source of what was received.
 */
struct raw_io_addr {
	struct ev_io io;
	__u8 addr[16];
	__u16 port;
	__u16 refused; /* a send: the socket at that address had no room for it */
	__u16 pad[2];
};

/* mknod of a FIFO: like the ev_io, with the path as given and the directory it is relative to. */
struct raw_mknod {
	struct ev_io io;
	__s32 dirfd;
	__u32 pad;
	char path[EV_PATH_LEN];
};

/*
 * A change of what is mapped shared. io.op OP_NONE: no call to tell of, found by a snapshot or done in
 * passing. io.chan is the object mapped; 0: the collector knows from the ranges.
 */
struct raw_map {
	struct ev_io io;
	__u64 old_start, old_end; /* what is gone from there; equal: nothing */
	__u64 start, end;         /* what is there now; equal: nothing */
	__u8 dir;                 /* ENDPOINT_DIR_* */
	__u8 whole;               /* the whole mapping that old_start lies in is gone (shmdt) */
	__u8 moves;               /* what was at old is now at start (mremap) */
	__u8 keeps;               /* … and stays at old as well */
	__u8 pad[4];
};

/* What the in-flight look of the BPF iterator yields, one for each thread asleep inside a call. */
struct raw_inflight {
	__u64 enter_ns;
	__u64 sleep_ns;    /* when it fell asleep */
	__u64 deadline_ns; /* 0: none known */
	__u64 obj;
	__u64 path; /* obj 0, an open: address of the path in the process's memory; fd is its dirfd */
	__u64 set[3]; /* a set: poll, futex_waitv: address and number of its members; select: two sets and their size */
	__u32 pid;
	__u32 tid;
	__s32 fd;
	__u16 op;
	__u16 has_room; /* 1: it sleeps for room, in what struct ev_room would say with ROOM_INSIDE: */
	__u64 room_bytes, inside;
	__u32 room_messages, messages_inside;
};

/*
 * A static probe of libripc (bpf/ripc.bpf.c): which one, and where its arguments are, by the number
 * that the kernel gives back when it is hit.
 */
enum raw_ripc_probe {
	RAW_RIPC_OPEN = 1, RAW_RIPC_CLOSE, RAW_RIPC_BEGIN, RAW_RIPC_SEND, RAW_RIPC_RECEIVE,
	RAW_RIPC_ACQUIRE, RAW_RIPC_RELEASE, RAW_RIPC_WAIT_BEGIN, RAW_RIPC_WAIT_END,
};
enum raw_usdt_form { RAW_USDT_CONST, RAW_USDT_REG, RAW_USDT_MEMORY };
#define RAW_USDT_ARGS 5
struct raw_usdt_arg {
	__s64 value; /* the constant; memory: displacement from the register */
	__u16 reg;   /* offset in struct pt_regs */
	__u8 form;   /* enum raw_usdt_form */
	__u8 size;   /* 1, 2, 4 or 8 bytes … */
	__u8 is_signed;
	__u8 pad[3];
};
struct raw_usdt {
	__u32 probe; /* enum raw_ripc_probe */
	__u32 nargs;
	struct raw_usdt_arg arg[RAW_USDT_ARGS];
};

/* Counters kept by the probes, one per CPU; what could not be sent. */
enum raw_counter {
	RAW_COUNT_LOST_OP, /* operations: no room in the ring */
	RAW_COUNT_LOST_CTL,
	RAW_COUNT_NO_STORAGE,
	RAW_COUNT_URING, /* changes when any of those counted by opcode does */
	RAW_COUNT_MAX
};

_Static_assert(sizeof(struct raw_object) == 248, "wire");
_Static_assert(sizeof(struct raw_map) == 136, "wire");
_Static_assert(sizeof(struct raw_io_addr) == 120, "wire");
_Static_assert(sizeof(struct raw_mknod) == 232, "wire");
_Static_assert(sizeof(struct raw_inflight) == 104, "wire");
_Static_assert(sizeof(struct raw_usdt) == 88, "wire");

#endif
