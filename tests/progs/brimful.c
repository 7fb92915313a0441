// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * brimful: channels of a known size, each filled to a known point, and left so.
 *
 *     pipe     F_SETPIPE_SZ 16384 before anything is written, 12288 bytes
 *     grown    F_SETPIPE_SZ 262144 after 65536 bytes were written: 65536
 *     packet   O_DIRECT, 16 pages as it was made: 3 packets, 4 pages
 *     fifo     one that is opened for both, F_SETPIPE_SZ 8192: 8192 bytes, all of it
 *     msg      msg_qbytes set to 8192 (IPC_SET) after 2048 bytes were sent: 2048
 *     number   the same through syscall(2), msg_qbytes set to 4096: 2048
 *     mq       mq_maxmsg 4: 3 messages
 *     hold     with that word only: writes 65537 bytes into a pipe of 65536, and sleeps until it is ended
 *
 * Prints `NAME INSIDE ROOM`, as the kernel tells it (F_GETPIPE_SZ, FIONREAD, IPC_STAT, mq_getattr), of
 * packets the pages. Argument: a folder for the FIFO. Takes back what it made.
 */
#include <err.h>
#include <fcntl.h>
#include <mqueue.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/msg.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static char bytes[65537];

static void put(int fd, size_t n)
{
	if (write(fd, bytes, n) != (ssize_t)n)
		err(1, "write");
}

static void resize(int fd, int size)
{
	if (fcntl(fd, F_SETPIPE_SZ, size) != size)
		err(1, "F_SETPIPE_SZ %d", size);
}

static void tell_pipe(const char *name, int fd)
{
	int inside;
	if (ioctl(fd, FIONREAD, &inside))
		err(1, "FIONREAD");
	printf("%s %d %d\n", name, inside, fcntl(fd, F_GETPIPE_SZ));
}

static void pipes(void)
{
	int p[2];
	if (pipe(p))
		err(1, "pipe");
	resize(p[1], 16384);
	put(p[1], 12288);
	tell_pipe("pipe", p[0]);

	if (pipe(p))
		err(1, "pipe");
	put(p[1], 65536);
	resize(p[0], 262144);
	tell_pipe("grown", p[0]);

	if (pipe2(p, O_DIRECT))
		err(1, "pipe2");
	put(p[1], 1);
	put(p[1], 4096);
	put(p[1], 4097); /* two: one of a page, one of a byte */
	printf("packet 4 %d\n", fcntl(p[1], F_GETPIPE_SZ) / 4096);
}

static void fifo(const char *folder)
{
	char path[4096];
	snprintf(path, sizeof(path), "%s/brimful", folder);
	if (mkfifo(path, 0600))
		err(1, "%s", path);
	int fd = open(path, O_RDWR);
	if (fd < 0)
		err(1, "%s", path);
	unlink(path);
	resize(fd, 8192);
	put(fd, 8192);
	tell_pipe("fifo", fd);
}

static void tell_msg(const char *name, unsigned long qbytes, bool by_number)
{
	struct {
		long type;
		char text[1024];
	} m = {.type = 3};
	struct msqid_ds ds;
	int id = msgget(IPC_PRIVATE, 0600);
	if (id < 0 || msgsnd(id, &m, sizeof(m.text), 0) || msgsnd(id, &m, sizeof(m.text), 0) ||
	    msgctl(id, IPC_STAT, &ds))
		err(1, "%s", name);
	ds.msg_qbytes = qbytes;
	if ((by_number ? (int)syscall(SYS_msgctl, id, IPC_SET, &ds) : msgctl(id, IPC_SET, &ds)) ||
	    msgctl(id, IPC_STAT, &ds))
		err(1, "%s: msgctl", name);
	printf("%s %lu %lu\n", name, ds.__msg_cbytes, ds.msg_qbytes);
	msgctl(id, IPC_RMID, NULL);
}

static void queues(void)
{
	tell_msg("msg", 8192, false);
	tell_msg("number", 4096, true);

	char name[64];
	struct mq_attr a = {.mq_maxmsg = 4, .mq_msgsize = 64};
	snprintf(name, sizeof(name), "/brimful-%d", (int)getpid());
	mqd_t q = mq_open(name, O_RDWR | O_CREAT | O_EXCL, 0600, &a);
	if (q < 0)
		err(1, "mq_open");
	mq_unlink(name);
	for (unsigned int i = 0; i < 3; i++)
		if (mq_send(q, "x", 1, i))
			err(1, "mq_send");
	if (mq_getattr(q, &a))
		err(1, "mq_getattr");
	printf("mq %ld %ld\n", a.mq_curmsgs, a.mq_maxmsg);
}

int main(int argc, char **argv)
{
	int p[2];
	if (argc == 2 && strcmp(argv[1], "hold") == 0) {
		if (pipe(p))
			err(1, "pipe");
		put(p[1], 65537); /* nobody reads */
		return 1;
	}
	if (argc != 2)
		errx(2, "usage: brimful FOLDER | hold");
	pipes();
	fifo(argv[1]);
	queues();
	return 0;
}
