// SPDX-License-Identifier: GPL-2.0-or-later
/* The carriers of bench_ripc: libripc's, and the kernel's. */
#include <fcntl.h>
#include <mqueue.h>
#include <stdio.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/ripc/ripc.h"
#include "lib/ripc/ripc_sysv.h"
#include "tests/ripc/bench.h"

/* ---- libripc ---- */

static struct ripc_buffer *buffers[BENCH_CHANNELS];

static void buffer_close(void)
{
	for (int c = 0; c < BENCH_CHANNELS; c++) {
		ripc_buffer_close(buffers[c]);
		buffers[c] = NULL;
	}
}

static int buffer_open(size_t bytes, unsigned depth)
{
	struct ripc_buffer_shape shape = {.messages = depth, .message_bytes = (uint32_t)bytes};
	char name[32];
	for (int c = 0; c < BENCH_CHANNELS; c++) {
		snprintf(name, sizeof(name), "bench-%d-%d", getpid(), c);
		if (ripc_buffer_open(&buffers[c], name, &shape, RIPC_CREATE, 0) < 0)
			return -1;
	}
	return 0;
}

static int buffer_send(int c, const void *m, size_t n)
{
	return ripc_buffer_send(buffers[c], m, n);
}

static int buffer_receive(int c, void *m, size_t n)
{
	return ripc_buffer_receive(buffers[c], m, n) == (ssize_t)n ? 0 : -1;
}

/* The sender writes all of it, as one who makes it in place would; the receiver has it there. */
static int span_send(int c, const void *m, size_t n)
{
	struct ripc_span s;
	if (ripc_buffer_reserve(buffers[c], n, &s, RIPC_FOREVER))
		return -1;
	memcpy(s.data, m, n);
	return ripc_buffer_commit(buffers[c], &s, n);
}

static int span_receive(int c, void *m, size_t n)
{
	struct ripc_span s;
	if (ripc_buffer_view(buffers[c], &s, RIPC_FOREVER) || s.bytes != n)
		return -1;
	*(volatile char *)m = *(char *)s.data;
	return ripc_buffer_release(buffers[c], &s);
}

/* ---- System V, ours and the kernel's ---- */

static int queues[BENCH_CHANNELS];

/* bench.h: the long in front of a message */
static void *with_type(const void *message) { return (char *)message - sizeof(long); }

static void ours_close(void)
{
	for (int c = 0; c < BENCH_CHANNELS; c++)
		ripc_msgctl(queues[c], IPC_RMID, NULL);
}

static int ours_open(size_t bytes, unsigned depth)
{
	(void)depth;
	for (int c = 0; c < BENCH_CHANNELS; c++)
		queues[c] = ripc_msgget(IPC_PRIVATE, 0600);
	return queues[1] < 0 || bytes > RIPC_MSGMAX ? -1 : 0;
}

static int ours_send(int c, const void *m, size_t n)
{
	return ripc_msgsnd(queues[c], with_type(m), n, 0);
}

static int ours_receive(int c, void *m, size_t n)
{
	return ripc_msgrcv(queues[c], with_type(m), n, 0, 0) == (ssize_t)n ? 0 : -1;
}

static void sysv_close(void)
{
	for (int c = 0; c < BENCH_CHANNELS; c++)
		msgctl(queues[c], IPC_RMID, NULL);
}

static int sysv_open(size_t bytes, unsigned depth)
{
	struct msqid_ds ds;
	for (int c = 0; c < BENCH_CHANNELS; c++) {
		queues[c] = msgget(IPC_PRIVATE, 0600);
		if (msgctl(queues[c], IPC_STAT, &ds) == 0 && ds.msg_qbytes < bytes * depth) {
			ds.msg_qbytes = bytes * depth;
			msgctl(queues[c], IPC_SET, &ds); /* who may, has room for as many as others */
		}
	}
	return queues[1] < 0 || bytes > 8192 ? -1 : 0;
}

static int sysv_send(int c, const void *m, size_t n)
{
	return msgsnd(queues[c], with_type(m), n, 0);
}

static int sysv_receive(int c, void *m, size_t n)
{
	return msgrcv(queues[c], with_type(m), n, 0, 0) == (ssize_t)n ? 0 : -1;
}

/* ---- POSIX mq ---- */

static mqd_t mqs[BENCH_CHANNELS] = {-1, -1};

static void mqs_close(void)
{
	for (int c = 0; c < BENCH_CHANNELS; c++)
		mq_close(mqs[c]);
}

static int mqs_open(size_t bytes, unsigned depth)
{
	char name[32];
	for (int c = 0; c < BENCH_CHANNELS; c++) {
		struct mq_attr attr = {.mq_maxmsg = depth, .mq_msgsize = (long)bytes};
		snprintf(name, sizeof(name), "/ripc-bench-%d-%d", getpid(), c);
		mqs[c] = mq_open(name, O_RDWR | O_CREAT, 0600, &attr);
		attr.mq_maxmsg = 10; /* what anybody may have */
		if (mqs[c] == (mqd_t)-1)
			mqs[c] = mq_open(name, O_RDWR | O_CREAT, 0600, &attr);
		mq_unlink(name);
		if (mqs[c] == (mqd_t)-1)
			return -1;
	}
	return 0;
}

static int mqs_send(int c, const void *m, size_t n) { return mq_send(mqs[c], m, n, 0); }

static int mqs_receive(int c, void *m, size_t n)
{
	return mq_receive(mqs[c], m, n, NULL) == (ssize_t)n ? 0 : -1;
}

/* ---- pipe and socket ---- */

static int fds[BENCH_CHANNELS][2] = {{-1, -1}, {-1, -1}};

static void fds_close(void)
{
	for (int c = 0; c < BENCH_CHANNELS; c++) {
		close(fds[c][0]);
		close(fds[c][1]);
		fds[c][0] = fds[c][1] = -1;
	}
}

static int pipe_open(size_t bytes, unsigned depth)
{
	if (pipe(fds[0]) || pipe(fds[1]))
		return -1;
	for (int c = 0; c < BENCH_CHANNELS; c++) {
		if (bytes * depth > 65536)
			fcntl(fds[c][1], F_SETPIPE_SZ, (int)(bytes * depth));
	}
	return 0;
}

static int socket_open(size_t bytes, unsigned depth)
{
	int room = 1 << 20;
	(void)bytes, (void)depth;
	for (int c = 0; c < BENCH_CHANNELS; c++) {
		if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fds[c]))
			return -1;
		setsockopt(fds[c][1], SOL_SOCKET, SO_SNDBUF, &room, sizeof(room));
	}
	return 0;
}

static int fd_send(int c, const void *m, size_t n)
{
	for (size_t done = 0; done < n;) {
		ssize_t r = write(fds[c][1], (const char *)m + done, n - done);
		if (r <= 0)
			return -1;
		done += (size_t)r;
	}
	return 0;
}

static int fd_receive(int c, void *m, size_t n)
{
	for (size_t done = 0; done < n;) {
		ssize_t r = read(fds[c][0], (char *)m + done, n - done);
		if (r <= 0)
			return -1;
		done += (size_t)r;
	}
	return 0;
}

const struct bench_carrier bench_ours[BENCH_OURS] = {
	{"ripc buffer", buffer_open, buffer_send, buffer_receive, buffer_close, 0},
	{"ripc buffer, no copy", buffer_open, span_send, span_receive, buffer_close, 0},
	{"ripc msgsnd", ours_open, ours_send, ours_receive, ours_close, 0},
};

const struct bench_carrier bench_kernels[] = {
	{"kernel SysV queue", sysv_open, sysv_send, sysv_receive, sysv_close, 0},
	{"POSIX mq", mqs_open, mqs_send, mqs_receive, mqs_close, 0},
	{"pipe", pipe_open, fd_send, fd_receive, fds_close, 0},
	{"unix seqpacket", socket_open, fd_send, fd_receive, fds_close, 0},
};
const int bench_nkernels = sizeof(bench_kernels) / sizeof(*bench_kernels);
