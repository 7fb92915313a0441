/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A small world for the screens: fixed events, so that every refresh is the same in every run.
 *
 *     dd 101 -> wc 102        a pipe, busy; wc is asleep in it at the end
 *     srv 200 (thread 201)    a unix socket, one client 301 with a wide and one with a hostile name
 *     left 401 <> right 402   two full pipes: each waits for the other to read
 *     sh 90                   parent of them, holds pipe ends, does nothing
 *     gone 103                has exited
 *     a message queue written by srv and read by a process that was never announced
 *
 * world_begin makes all that up to T0 + 1 s, world_go_on the second that follows, with losses.
 */
#ifndef IPCTAP_TESTS_SCREENS_WORLD_H
#define IPCTAP_TESTS_SCREENS_WORLD_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/analysis/waittree.h"
#include "lib/model/model.h"
#include "ui/tui/tail.h"

#define T0 1000000000000ull
#define MS 1000000ull
#define US 1000ull

/* Who is given the events, when it is not the model. */
static void (*world_listener)(const struct ev_hdr *ev);
static struct tail *world_tail; /* gets the operations, too; NULL: nobody does */

static void world_apply(struct model *m, const struct ev_hdr *ev)
{
	int err = 0;

	if (world_listener)
		world_listener(ev);
	else
		err = model_apply(m, ev);

	if (!err && world_tail)
		err = sink_event(&world_tail->sink, ev);
	if (!err)
		return;
	printf("Bail out! the model refused an event of type %u: %d\n", ev->type, err);
	exit(1);
}

static void world_task(struct model *m, uint64_t t, uint16_t what, uint32_t pid, uint32_t tid,
		       uint32_t ppid, const char *comm)
{
	struct ev_task ev = {
		.hdr = { .t_ns = t, .type = EV_TASK, .size = sizeof(ev) },
		.start_ns = T0,
		.pid = pid,
		.tid = tid,
		.ppid = ppid,
		.what = what,
	};

	if (what == TASK_EXIT)
		ev.hdr.flags = TASK_F_LAST;
	snprintf(ev.comm, sizeof(ev.comm), "%s", comm);
	snprintf(ev.exe, sizeof(ev.exe), "/usr/bin/%s", comm);
	world_apply(m, &ev.hdr);
}

static void world_chan(struct model *m, uint64_t id, uint16_t kind, uint16_t shape,
		       const char *ident, const char *name)
{
	struct ev_chan ev = {
		.hdr = { .t_ns = T0, .type = EV_CHAN, .size = sizeof(ev) },
		.chan = id,
		.kind = kind,
		.shape = shape,
		.duplex = kind == KIND_UNIX,
	};

	snprintf(ev.ident, sizeof(ev.ident), "%s", ident);
	snprintf(ev.name, sizeof(ev.name), "%s", name);
	world_apply(m, &ev.hdr);
}

/* full: the kernel was asked at t, and had no room in it */
static void world_room(struct model *m, uint64_t t, uint64_t id, uint64_t bytes, uint32_t messages,
		       bool full)
{
	struct ev_room ev = {
		.hdr = { .t_ns = t, .type = EV_ROOM, .size = sizeof(ev),
			 .flags = full ? ROOM_INSIDE : 0 },
		.chan = id,
		.bytes = bytes,
		.messages = messages,
		.inside = full ? bytes : 0,
		.messages_inside = full ? messages : 0,
	};

	world_apply(m, &ev.hdr);
}

/* dir: 1 reads, 2 writes, 3 both; side: 0 or 1 */
static void world_end(struct model *m, uint64_t chan, uint32_t pid, int32_t fd, uint8_t dir,
		      uint8_t side)
{
	struct ev_endpoint ev = {
		.hdr = { .t_ns = T0 + MS, .type = EV_ENDPOINT, .size = sizeof(ev) },
		.chan = chan,
		.pid = pid,
		.fd = fd,
		.what = ENDPOINT_OPEN,
		.dir = dir,
		.side = side,
	};

	world_apply(m, &ev.hdr);
}

struct world_io {
	uint32_t pid, tid;
	uint16_t op;
	uint64_t chan;
	int32_t fd;
	uint32_t flags;
	int64_t ret;
	uint64_t slept_ns;
	int64_t mtype;
};

/* It takes 2 us besides what it slept, and takes effect 1 us before its end. */
static void world_io(struct model *m, uint64_t t, const struct world_io *w)
{
	struct ev_io ev = {
		.hdr = { .t_ns = t, .type = EV_IO, .size = sizeof(ev), .flags = w->flags },
		.enter_ns = t - US - w->slept_ns,
		.dur_ns = 2 * US + w->slept_ns,
		.slept_ns = w->slept_ns,
		.chan = w->chan,
		.ret = w->ret,
		.mtype = w->mtype,
		.bytes = w->ret > 0 ? (uint64_t)w->ret : 0,
		.pid = w->pid,
		.tid = w->tid,
		.fd = w->fd,
		.op = w->op,
		.messages = w->ret > 0,
	};

	if (w->slept_ns)
		ev.hdr.flags |= IO_BLOCKED;
	if (w->ret < 0)
		ev.hdr.flags |= IO_ERROR;
	world_apply(m, &ev.hdr);
}

static void world_wait(struct model *m, uint64_t t, uint64_t since, uint32_t pid, uint16_t op,
		       uint64_t chan, int32_t fd)
{
	struct ev_wait ev = {
		.hdr = { .t_ns = t, .type = EV_WAIT, .size = sizeof(ev) },
		.since_ns = since,
		.chan = chan,
		.pid = pid,
		.tid = pid,
		.fd = fd,
		.op = op,
		.what = WAIT_BEGIN,
	};

	world_apply(m, &ev.hdr);
}

static void world_lost(struct model *m, uint64_t t, uint32_t cause, uint64_t count)
{
	struct ev_lost ev = {
		.hdr = { .t_ns = t, .type = EV_LOST, .size = sizeof(ev) },
		.count = count,
		.cause = cause,
	};

	world_apply(m, &ev.hdr);
}

/* `n` rounds from t on: dd writes `bytes` and wc sleeps 3 ms for them; a client asks, srv answers. */
static void world_traffic(struct model *m, uint64_t t, int n, int64_t bytes)
{
	for (int i = 0; i < n; i++, t += 10 * MS) {
		world_io(m, t, &(struct world_io){ 101, 101, OP_WRITE, 1, 1, IO_WRITE, bytes, 0, 0 });
		world_io(m, t + 40 * US,
			 &(struct world_io){ 102, 102, OP_READ, 1, 0, IO_READ, bytes, 3 * MS, 0 });
		world_io(m, t + 100 * US,
			 &(struct world_io){ 301, 301, OP_SENDTO, 2, 3, IO_WRITE | IO_SIDE_B, 64, 0, 0 });
		world_io(m, t + 200 * US,
			 &(struct world_io){ 200, 201, OP_RECVFROM, 2, 5, IO_READ, 64, 9600 * US, 0 });
		world_io(m, t + 300 * US,
			 &(struct world_io){ 200, 201, OP_SENDTO, 2, 5, IO_WRITE, 512, 0, 0 });
		world_io(m, t + 400 * US,
			 &(struct world_io){ 301, 301, OP_RECVFROM, 2, 3, IO_READ | IO_SIDE_B, 512,
					     250 * US, 0 });
	}
}

static void world_tasks(struct model *m)
{
	world_task(m, T0, TASK_SEEN, 90, 90, 1, "sh");
	world_task(m, T0, TASK_FORK, 101, 101, 90, "dd");
	world_task(m, T0, TASK_FORK, 102, 102, 90, "wc");
	world_task(m, T0, TASK_FORK, 103, 103, 90, "gone");
	world_task(m, T0, TASK_SEEN, 200, 200, 1, "srv");
	world_task(m, T0, TASK_FORK, 200, 201, 200, "worker");
	world_task(m, T0, TASK_SEEN, 301, 301, 1, "\u65e5\u672ccli"); /* two wide ones */
	world_task(m, T0, TASK_SEEN, 302, 302, 1, "e\xcc\x81\x1b[31m\xff"); /* e + acute, ESC, a bad byte */
	world_task(m, T0, TASK_SEEN, 401, 401, 90, "left");
	world_task(m, T0, TASK_SEEN, 402, 402, 90, "right");
}

static void world_chans(struct model *m)
{
	world_chan(m, 1, KIND_PIPE, SHAPE_STREAM, "pipe:[5001]", "");
	world_chan(m, 2, KIND_UNIX, SHAPE_STREAM, "unix:[6001]-[6002]", "/run/srv.sock");
	world_chan(m, 3, KIND_UNIX, SHAPE_STREAM, "unix:[6003]-[6004]", "/tmp/\u65e5\x1b]0;x\x07");
	world_chan(m, 4, KIND_PIPE, SHAPE_STREAM, "pipe:[5002]", "");
	world_chan(m, 5, KIND_PIPE, SHAPE_STREAM, "pipe:[5003]", "");
	world_chan(m, 6, KIND_MSG, SHAPE_TYPED, "msg:0", "key 0x1234");
	world_chan(m, 7, KIND_FIFO, SHAPE_STREAM, "fifo:[77]", "/tmp/old fifo");
	world_room(m, T0 + MS, 1, 65536, 16, false);
	world_room(m, T0 + MS, 4, 65536, 16, false);
	world_room(m, T0 + MS, 5, 65536, 16, false);
	world_room(m, T0 + MS, 6, 16384, 0, false);
	world_room(m, T0 + MS, 7, 4096, 1, false);
	world_end(m, 1, 90, 10, ENDPOINT_DIR_READ, 0);
	world_end(m, 1, 101, 1, ENDPOINT_DIR_WRITE, 0);
	world_end(m, 1, 102, 0, ENDPOINT_DIR_READ, 0);
	world_end(m, 2, 200, 5, 3, 0);
	world_end(m, 2, 301, 3, 3, 1);
	world_end(m, 3, 200, 6, 3, 0);
	world_end(m, 3, 302, 3, 3, 1);
	world_end(m, 4, 401, 4, ENDPOINT_DIR_WRITE, 0);
	world_end(m, 4, 402, 3, ENDPOINT_DIR_READ, 0);
	world_end(m, 5, 402, 4, ENDPOINT_DIR_WRITE, 0);
	world_end(m, 5, 401, 3, ENDPOINT_DIR_READ, 0);
	world_end(m, 7, 103, 3, ENDPOINT_DIR_WRITE, 0);
}

static inline void world_begin(struct model *m)
{
	world_tasks(m);
	world_chans(m);
	world_io(m, T0 + 5 * MS, &(struct world_io){ 103, 103, OP_WRITE, 7, 3, IO_WRITE, 10, 0, 0 });
	world_io(m, T0 + 6 * MS, &(struct world_io){ 302, 302, OP_READ, 3, 3, IO_READ | IO_SIDE_B,
						     -11 /* EAGAIN */, 0, 0 });
	world_traffic(m, T0 + 10 * MS, 20, 1000);
	world_io(m, T0 + 300 * MS, &(struct world_io){ 401, 401, OP_WRITE, 4, 4, IO_WRITE, 65536, 0, 0 });
	world_io(m, T0 + 301 * MS, &(struct world_io){ 402, 402, OP_WRITE, 5, 4, IO_WRITE, 65536, 0, 0 });
	world_io(m, T0 + 400 * MS,
		 &(struct world_io){ 200, 200, OP_MSGSND, 6, -1, IO_WRITE, 100, 0, 1 });
	world_io(m, T0 + 401 * MS,
		 &(struct world_io){ 555, 555, OP_MSGRCV, 6, -1, IO_READ, 100, 0, 1 });
	world_task(m, T0 + 500 * MS, TASK_EXIT, 103, 103, 90, "gone");
	world_wait(m, T0 + 900 * MS, T0 + 310 * MS, 401, OP_WRITE, 4, 4);
	world_wait(m, T0 + 900 * MS, T0 + 311 * MS, 402, OP_WRITE, 5, 4);
	world_room(m, T0 + 900 * MS, 4, 65536, 16, true);
	world_room(m, T0 + 900 * MS, 5, 65536, 16, true);
}

static inline void world_go_on(struct model *m)
{
	world_traffic(m, T0 + 1010 * MS, 50, 4096);
	world_wait(m, T0 + 1900 * MS, T0 + 1560 * MS, 102, OP_READ, 1, 0);
	world_lost(m, T0 + 1950 * MS, LOST_RING_OP, 7);
	world_lost(m, T0 + 1950 * MS, LOST_COMPAT32, 2);
}

/* What a search for deadlocks would say of it: left and right, and wc that waits for right. */
static inline const struct waittree *world_waits(void *arg)
{
	static struct wt_row rows[] = {
		{ .pid = 401, .tid = 401, .comm = "left", .wait = WG_WRITE, .fd = 4, .kind = KIND_PIPE,
		  .call = "write(4)", .chan = "pipe:[5002]", .since_ns = T0 + 310 * MS,
		  .parent = WT_NONE, .finding = 0, .root = WT_CORE },
		{ .pid = 402, .tid = 402, .comm = "right", .wait = WG_WRITE, .fd = 4, .kind = KIND_PIPE,
		  .call = "write(4)", .chan = "pipe:[5003]", .since_ns = T0 + 311 * MS,
		  .parent = WT_NONE, .finding = 0, .root = WT_CORE },
		{ .pid = 102, .tid = 102, .comm = "wc", .wait = WG_READ, .fd = 0, .kind = KIND_PIPE,
		  .call = "read(0)", .chan = "pipe:[5001]", .since_ns = T0 + 1560 * MS, .parent = 1,
		  .depth = 1, .finding = 0 },
		{ .pid = 302, .tid = 302, .comm = "e\xcc\x81\x1b[31m\xff", .wait = WG_MUTEX, .fd = -1,
		  .call = "pthread_mutex_lock", .detail = "owner 402", .since_ns = T0 + 500 * MS,
		  .parent = 1, .depth = 1, .finding = 0 },
		{ .pid = 90, .tid = 90, .comm = "sh", .wait = WG_TERMINAL, .fd = 0, .call = "read(0)",
		  .chan = "/dev/pts/1", .parent = WT_NONE, .finding = WT_NONE, .root = WT_OUTSIDE,
		  .outside = WG_PERSON, .why = "somebody types" },
		{ .pid = 200, .tid = 200, .comm = "srv", .wait = WG_CHILD, .fd = -1, .call = "wait4",
		  .since_ns = T0 + 400 * MS, .parent = 4, .depth = 1, .finding = WT_NONE },
		/* slept at that instant, as one that is busy does now and then */
		{ .pid = 555, .tid = 555, .comm = "busy", .wait = WG_CHILD, .fd = -1, .call = "wait4",
		  .since_ns = T0 + 1890 * MS, .parent = 4, .depth = 1, .finding = WT_NONE },
	};
	static uint32_t core[] = { 0, 1 }, victims[] = { 2, 3 };
	static struct wt_finding finding = {
		.verdict = WG_PROVEN, .key = 1, .core = core, .ncore = 2, .victims = victims,
		.nvictims = 2, .cause = "Each fills a channel that the next should read, and nobody reads.",
		.cure = "Read while writing: poll both directions, or let a thread of its own do one of them.",
	};
	static const struct waittree tree = { .t_ns = T0 + 1900 * MS, .rows = rows, .nrows = 7,
					      .findings = &finding, .nfindings = 1 };

	(void)arg;
	return &tree;
}

#endif
