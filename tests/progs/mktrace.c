// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * mktrace [--spilled] FILE: writes the small trace that the golden tests read (tests/golden/small.db), always
 * the same events: a pipeline, a unix socket and names that try to reach the terminal, a message
 * queue with one message left, shared memory, a semaphore, a refused connection, a writer that is
 * still asleep in a full pipe, a call that its thread did not survive, and losses. --spilled: as a recorder
 * leaves it that was killed while its disk was slow, the events in blobs.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/abi/event.h"
#include "lib/store/store.h"
#include "lib/store/writer.h"

#define BASE_NS 5000000000000ull /* 5000 s after boot */
#define US(n) (BASE_NS + (n)*1000ull)

#define EVIL_COMM "ev\033[31mil\007"
#define EVIL_PATH "/run/\033]0;owned\007\nx.sock"

enum pid { SH = 1000, DD, WC, EVIL, EVIL_THREAD, CLIENT };
enum chan { PIPE = 1, SOCKET, QUEUE, SEGMENT, SEM, FULL, REFUSED };

static struct store *store;

static void put(const struct ev_hdr *ev)
{
	int err = sink_event(store_sink(store), ev);

	if (err) {
		fprintf(stderr, "mktrace: %s\n", strerror(-err));
		exit(1);
	}
}

#define HDR(event, kind, t)                                                                        \
	{                                                                                          \
		.t_ns = (t), .type = (kind), .size = sizeof(event)                                 \
	}

static void put_task(uint64_t t_ns, enum ev_task_what what, uint32_t pid, uint32_t tid,
		     const char *comm, const char *exe, const char *args)
{
	struct ev_task e = {
		.hdr = HDR(e, EV_TASK, t_ns),
		.start_ns = BASE_NS - 1000000 + tid,
		.pid = pid,
		.tid = tid,
		.ppid = pid == SH ? 1 : SH,
		.what = (uint16_t)what,
	};

	snprintf(e.comm, sizeof(e.comm), "%s", comm);
	snprintf(e.exe, sizeof(e.exe), "%s", exe);
	snprintf(e.args, sizeof(e.args), "%s", args);
	put(&e.hdr);
}

static void put_exit(uint64_t t_ns, uint32_t pid, const char *comm, int32_t code)
{
	struct ev_task e = {
		.hdr = HDR(e, EV_TASK, t_ns),
		.start_ns = BASE_NS - 1000000 + pid,
		.pid = pid,
		.tid = pid,
		.ppid = SH,
		.exit_code = code,
		.what = TASK_EXIT,
	};

	e.hdr.flags = TASK_F_LAST;
	snprintf(e.comm, sizeof(e.comm), "%s", comm);
	put(&e.hdr);
}

static void put_chan(enum chan id, enum ipctap_kind kind, enum ipctap_shape shape, bool duplex,
		     int32_t key, const char *ident, const char *name)
{
	struct ev_chan e = {
		.hdr = HDR(e, EV_CHAN, US(0)),
		.chan = id,
		.kind = (uint16_t)kind,
		.shape = (uint16_t)shape,
		.duplex = duplex,
		.remote = id == REFUSED,
		.key = key,
	};

	snprintf(e.ident, sizeof(e.ident), "%s", ident);
	snprintf(e.name, sizeof(e.name), "%s", name);
	put(&e.hdr);
}

static void put_end(uint64_t t_ns, enum ev_endpoint_what what, enum chan chan, uint32_t pid,
		    int32_t fd, int dir, int side)
{
	struct ev_endpoint e = {
		.hdr = HDR(e, EV_ENDPOINT, t_ns),
		.chan = chan,
		.pid = pid,
		.fd = fd,
		.what = (uint8_t)what,
		.dir = (uint8_t)dir,
		.side = (uint8_t)side,
	};

	put(&e.hdr);
}

/* One operation; what is left out is 0. `at`, `dur` and `slept` in microseconds. */
struct op {
	uint64_t at, dur, slept;
	uint32_t pid, tid, waker;
	enum ipctap_op op;
	enum chan chan;
	int32_t fd;
	int64_t ret, mtype;
	uint64_t bytes;
	uint16_t messages;
	uint32_t flags;
	const char *payload;
};

static void put_op(const struct op *o)
{
	struct {
		struct ev_io io;
		char payload[32];
	} e = { 0 };
	size_t extra = o->payload ? (strlen(o->payload) + 7) / 8 * 8 : 0;

	e.io = (struct ev_io){
		.hdr =
		    HDR(e.io, EV_IO, US(o->at) + (o->slept ? o->dur * 1000 - 500 : o->dur * 500)),
		.enter_ns = US(o->at),
		.dur_ns = o->dur * 1000,
		.slept_ns = o->slept * 1000,
		.chan = o->chan,
		.ret = o->ret,
		.mtype = o->mtype,
		.bytes = o->bytes,
		.pid = o->pid,
		.tid = o->tid ? o->tid : o->pid,
		.waker_tid = o->waker,
		.fd = o->fd,
		.op = (uint16_t)o->op,
		.messages = o->messages,
	};
	e.io.hdr.flags = o->flags | (o->slept ? IO_BLOCKED : 0) | (o->ret < 0 ? IO_ERROR : 0);
	e.io.hdr.size = (uint16_t)(sizeof(e.io) + extra);
	if (o->payload)
		memcpy(e.payload, o->payload, strlen(o->payload));
	put(&e.io.hdr);
}

static void put_lost(uint64_t t_ns, enum ipctap_loss cause, uint32_t where, uint64_t count)
{
	struct ev_lost e = {
		.hdr = HDR(e, EV_LOST, t_ns), .count = count, .cause = cause, .where = where
	};

	put(&e.hdr);
}

#define R ENDPOINT_DIR_READ
#define W ENDPOINT_DIR_WRITE

static void put_world(void)
{
	put_task(US(0), TASK_SEEN, SH, SH, "sh", "/bin/sh", "sh -c run");
	put_chan(PIPE, KIND_PIPE, SHAPE_STREAM, false, 0, "pipe:[77001]", "");
	put_chan(SOCKET, KIND_UNIX, SHAPE_STREAM, true, 0, "unix:[5]-[6]", EVIL_PATH);
	put_chan(QUEUE, KIND_MSG, SHAPE_TYPED, false, 0x1234, "msg:[3]", "key 0x1234");
	put_chan(SEGMENT, KIND_SHM, SHAPE_MEMORY, false, 0x77, "shm:[9]", "key 0x77");
	put_chan(SEM, KIND_SEM, SHAPE_COUNTER, false, 0, "sem:[2]", "");
	put_chan(FULL, KIND_FIFO, SHAPE_STREAM, false, 0, "fifo:[88]", "/tmp/full");
	put_chan(REFUSED, KIND_TCP, SHAPE_NONE, false, 0, "tcp 10.0.0.1:4000-10.0.0.2:80",
		 "10.0.0.2:80");
	put_task(US(1), TASK_FORK, DD, DD, "sh", "", "");
	put_task(US(2), TASK_FORK, WC, WC, "sh", "", "");
	put_task(US(3), TASK_EXEC, DD, DD, "dd", "/bin/dd", "dd bs=1000 count=3");
	put_task(US(4), TASK_EXEC, WC, WC, "wc", "/usr/bin/wc", "wc -c");
	put_task(US(5), TASK_FORK, EVIL, EVIL, EVIL_COMM, "", "");
	put_task(US(6), TASK_FORK, EVIL, EVIL_THREAD, EVIL_COMM, "", "");
	put_task(US(7), TASK_FORK, CLIENT, CLIENT, "client", "", "");
	put_end(US(8), ENDPOINT_INHERIT, PIPE, DD, 1, W, 0);
	put_end(US(8), ENDPOINT_INHERIT, PIPE, WC, 0, R, 0);
	put_end(US(9), ENDPOINT_OPEN, SOCKET, CLIENT, 3, R | W, 0);
	put_end(US(9), ENDPOINT_OPEN, SOCKET, EVIL, 4, R | W, 1);
	put_end(US(10), ENDPOINT_ATTACH, SEGMENT, EVIL, -1, R | W, 0);
	put_end(US(10), ENDPOINT_ATTACH, SEGMENT, CLIENT, -1, R, 0);
	put_end(US(11), ENDPOINT_OPEN, FULL, SH, 5, W, 0);
	put_end(US(11), ENDPOINT_OPEN, FULL, CLIENT, 6, R, 0);
}

static const struct op ops[] = {
	{ 100, 4, 0, DD, 0, 0, OP_WRITE, PIPE, 1, 1000, 0, 1000, 1, IO_WRITE, NULL },
	{ 50, 80, 70, WC, 0, DD, OP_READ, PIPE, 0, 1000, 0, 1000, 1, IO_READ, NULL },
	{ 200, 4, 0, DD, 0, 0, OP_WRITE, PIPE, 1, 1000, 0, 1000, 1, IO_WRITE, NULL },
	{ 210, 4, 0, DD, 0, 0, OP_WRITE, PIPE, 1, 1000, 0, 1000, 1, IO_WRITE, NULL },
	{ 300, 6, 0, WC, 0, 0, OP_READ, PIPE, 0, 1500, 0, 1500, 1, IO_READ, NULL },
	{ 310, 6, 0, WC, 0, 0, OP_READ, PIPE, 0, 500, 0, 500, 1, IO_READ, NULL },
	{ 400, 2, 0, CLIENT, 0, 0, OP_SENDTO, SOCKET, 3, 11, 0, 11, 1, IO_WRITE,
	  "\033]2;pwned\007!" },
	{ 410, 2, 0, EVIL, EVIL_THREAD, 0, OP_RECVFROM, SOCKET, 4, 11, 0, 11, 1,
	  IO_READ | IO_PEEK | IO_SIDE_B, NULL },
	{ 420, 2, 0, EVIL, EVIL_THREAD, 0, OP_RECVMSG, SOCKET, 4, 11, 0, 11, 1, IO_READ | IO_SIDE_B,
	  NULL },
	{ 430, 3, 0, EVIL, 0, 0, OP_SENDMMSG, SOCKET, 4, 3, 0, 60, 3, IO_WRITE | IO_SIDE_B, NULL },
	{ 440, 1, 0, CLIENT, 0, 0, OP_RECVFROM, SOCKET, 3, 60, 0, 60, 1, IO_READ, NULL },
	{ 450, 1, 0, CLIENT, 0, 0, OP_RECVFROM, SOCKET, 3, -EAGAIN, 0, 0, 0, IO_READ | IO_NONBLOCK,
	  NULL },
	{ 500, 2, 0, EVIL, 0, 0, OP_MSGSND, QUEUE, -1, 0, 7, 32, 1, IO_WRITE, NULL },
	{ 510, 2, 0, EVIL, 0, 0, OP_MSGSND, QUEUE, -1, 0, 8, 64, 1, IO_WRITE, NULL },
	{ 520, 2, 0, CLIENT, 0, 0, OP_MSGRCV, QUEUE, -1, 64, 8, 64, 1, IO_READ, NULL },
	{ 600, 1, 0, EVIL, 0, 0, OP_SHMAT, SEGMENT, -1, 0x7000, 0, 0, 0, 0, NULL },
	{ 700, 3, 0, SH, 0, 0, OP_CONNECT, REFUSED, 7, -ECONNREFUSED, 0, 0, 0, 0, NULL },
	{ 800, 1, 0, EVIL, 0, 0, OP_SEMOP, SEM, -1, 0, 1, 0, 1, IO_WRITE, NULL },
	{ 650, 160, 150, CLIENT, 0, EVIL, OP_SEMOP, SEM, -1, 0, -1, 0, 1, IO_READ, NULL },
	{ 900, 5, 0, SH, 0, 0, OP_WRITE, FULL, 5, 4096, 0, 4096, 1, IO_WRITE, NULL },
	{ 820, 200, 190, EVIL, EVIL_THREAD, 0, OP_RECVFROM, SOCKET, 4, 0, 0, 0, 0,
	  IO_READ | IO_SIDE_B | IO_KILLED, NULL },
};

/* All that was put is in the file. */
static bool is_written(void)
{
	pthread_mutex_lock(&store->lock);
	bool held = store->held_bytes > 0;
	pthread_mutex_unlock(&store->lock);
	return !held;
}

int main(int argc, char **argv)
{
	struct store_tuning spilling = store_tuning_default;
	bool spilled = argc == 3 && strcmp(argv[1], "--spilled") == 0;
	const char *path = argv[argc - 1];
	struct store_opts opts = { .source = "bpf",
				   .command = "sh -c run",
				   .options = "scope: -- sh -c run" };
	struct fail fail = { 0 };
	struct ev_wait wait = {
		.hdr = HDR(wait, EV_WAIT, US(1500)),
		.since_ns = US(1100),
		.chan = FULL,
		.pid = SH,
		.tid = SH,
		.fd = 5,
		.op = OP_WRITE,
		.what = WAIT_BEGIN,
	};

	if (argc != 2 + spilled) {
		fprintf(stderr, "usage: mktrace [--spilled] FILE\n");
		return 2;
	}
	if (store_create(&store, path, &opts, &fail)) {
		fprintf(stderr, "mktrace: %s\n", fail.what);
		return 1;
	}
	spilling.backlog = 0;
	spilling.keep_spilled = true;
	if (spilled)
		store_tune(store, &spilling);
	put_world();
	for (size_t i = 0; i < sizeof(ops) / sizeof(*ops); i++)
		put_op(&ops[i]);
	put_lost(US(1050), LOST_RING_OP, 0, 7);
	put_lost(US(1050), LOST_COMPAT32, 3, 2);
	put_end(US(1060), ENDPOINT_DETACH, SEGMENT, CLIENT, -1, R, 0);
	put_exit(US(1070), DD, "dd", 0);
	put_exit(US(1080), WC, "wc", 9);
	put(&wait.hdr);
	for (int ms = 0; spilled && !is_written() && ms < 10000; ms++)
		usleep(1000);
	if (!spilled && store_finish(store, NULL, &fail)) {
		fprintf(stderr, "mktrace: %s\n", fail.what);
		return 1;
	}
	store_free(store);
	return 0;
}
