// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Every form of every IPC call that is decoded, each with known arguments and a known outcome,
 * failures included. Exits 0 when every call returned what it should.
 *
 * Calls are made by number, since libc turns some into others (accept into accept4, pipe into
 * pipe2, open into openat). Nothing here depends on timing: the same calls with the same results
 * are made in every run, so that two tracers can be compared call by call.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "forms.h"

static char dir[] = "/tmp/callforms-XXXXXX";

/* a file offset as the two halves that the *v calls take */
#define OFF(n) (long)(n), (long)0

static char buf[70000];

static struct iovec *vec(const char *a, const char *b)
{
	static struct iovec v[2];

	v[0] = (struct iovec){(void *)a, strlen(a)};
	v[1] = (struct iovec){(void *)b, strlen(b)};
	return v;
}

static struct iovec *room(size_t a, size_t b)
{
	static struct iovec v[2];

	v[0] = (struct iovec){buf, a};
	v[1] = (struct iovec){buf + a, b};
	return v;
}

/* ---- read and write, every form, on a pipe ---- */

static void pipe_calls(void)
{
	int p[2], q[2];

	W(0, pipe, p);
	W(0, pipe2, q, O_NONBLOCK | O_CLOEXEC);
	W(-EINVAL, pipe2, buf, 0x40);
	W(-EFAULT, pipe, NULL);

	W(5, write, p[1], "write", 5);
	W(0, write, p[1], "", 0);
	W(10, writev, p[1], vec("write", "v-two"), 2);
	W(-ESPIPE, pwrite64, p[1], "x", 1L, 0L);
	W(-ESPIPE, pwritev, p[1], vec("a", "b"), 2L, OFF(0));
	W(6, pwritev2, p[1], vec("pw", "v2.."), 2L, -1L, -1L, 0L);
	W(-ESPIPE, pwritev2, p[1], vec("a", "b"), 2L, OFF(7), 0L);
	W(5, read, p[0], buf, 5);
	W(7, readv, p[0], room(3, 4), 2);
	W(-ESPIPE, pread64, p[0], buf, 1L, 0L);
	W(-ESPIPE, preadv, p[0], room(1, 1), 2L, OFF(0));
	W(9, preadv2, p[0], room(4, 100), 2L, -1L, -1L, 0L);
	W(-ESPIPE, preadv2, p[0], room(1, 1), 2L, OFF(3), 0L);

	W(-EBADF, read, p[1], buf, 1);
	W(-EBADF, write, p[0], "x", 1);
	W(-EAGAIN, read, q[0], buf, 1);
	W(65536, write, q[1], buf, sizeof(buf));
	W(-EAGAIN, write, q[1], "x", 1);
	W(-EFAULT, read, q[0], NULL, 1);
	W(60000, read, q[0], buf, 60000);
	CLOSE(q[1]);
	W(5536, read, q[0], buf, sizeof(buf));
	W(0, read, q[0], buf, sizeof(buf));
	CLOSE(q[0]);
	CLOSE(p[0]);
	W(-EPIPE, write, p[1], "x", 1);
	W(-EPIPE, writev, p[1], vec("x", "y"), 2);
	CLOSE(p[1]);
	W(-EBADF, close, p[1]);
	W(-EBADF, read, p[0], buf, 1);
	W(-EBADF, write, 999, "x", 1);
}

/* ---- splice and its family ---- */

static void splice_calls(void)
{
	struct iovec *v;
	int a[2], b[2], s[2], file;
	long off = 0;

	W(0, pipe2, a, O_CLOEXEC);
	W(0, pipe2, b, O_CLOEXEC);
	W(0, socketpair, AF_UNIX, SOCK_STREAM, 0, s);
	file = memfd_create("callforms", MFD_CLOEXEC);
	if (file < 0 || ftruncate(file, 8192) < 0)
		exit(99);

	W(-EAGAIN, splice, a[0], NULL, b[1], NULL, 10L, SPLICE_F_NONBLOCK);
	W(-EAGAIN, tee, a[0], b[1], 10L, SPLICE_F_NONBLOCK);
	W(10, write, a[1], "0123456789", 10);
	W(10, tee, a[0], b[1], 100L, 0);
	W(4, splice, a[0], NULL, b[1], NULL, 4L, 0);
	W(6, splice, a[0], NULL, s[0], NULL, 6L, 0);
	W(6, splice, s[1], NULL, a[1], NULL, 6L, 0);
	W(14, read, b[0], buf, 100);
	W(6, splice, a[0], NULL, file, &off, 6L, 0);
	off = 0;
	W(4096, splice, file, &off, a[1], NULL, 4096L, 0);
	W(-ESPIPE, splice, a[0], &off, b[1], NULL, 1L, 0);
	W(-EINVAL, splice, a[0], NULL, a[1], NULL, 1L, 0);
	W(-EINVAL, splice, s[0], NULL, s[1], NULL, 1L, 0);
	W(-EINVAL, tee, s[0], b[1], 1L, 0);
	W(4096, read, a[0], buf, 5000);

	v = vec("vmsplice", "two");
	W(11, vmsplice, a[1], v, 2L, 0);
	W(7, vmsplice, a[0], room(3, 4), 2L, 0);
	W(-EBADF, vmsplice, s[0], v, 2L, 0);
	W(4, read, a[0], buf, 100);

	off = 100;
	W(3000, sendfile, a[1], file, &off, 3000L);
	W(2000, sendfile, s[0], file, NULL, 2000L);
	W(3000, read, a[0], buf, sizeof(buf));
	W(2000, read, s[1], buf, sizeof(buf));
	W(5, write, s[0], "sendf", 5);
	W(5, sendfile, a[1], s[1], NULL, 5L);
	W(5, read, a[0], buf, sizeof(buf));
	W(-EINVAL, sendfile, s[0], a[0], NULL, 5L);

	close(file);
	for (int i = 0; i < 2; i++) {
		CLOSE(a[i]);
		CLOSE(b[i]);
		CLOSE(s[i]);
	}
}

/* ---- FIFOs: made, opened by every call that opens, used ---- */

static void fifo_calls(void)
{
	struct open_how how = {.flags = O_WRONLY};
	char one[64], two[64];
	int r, w[4];

	snprintf(one, sizeof(one), "%s/one", dir);
	snprintf(two, sizeof(two), "%s/two", dir);
	W(0, mknod, one, S_IFIFO | 0600, 0);
	W(-EEXIST, mknod, one, S_IFIFO | 0600, 0);
	W(0, mknodat, AT_FDCWD, two, S_IFIFO | 0600, 0);
	W(-ENXIO, open, one, O_WRONLY | O_NONBLOCK);
	r = FD(open, one, O_RDONLY | O_NONBLOCK);
	W(0, read, r, buf, 10); /* no writer yet */
	w[0] = FD(open, one, O_WRONLY);
	w[1] = FD(openat, AT_FDCWD, one, O_WRONLY | O_CLOEXEC);
	w[2] = FD(creat, one, 0600);
	w[3] = FD(openat2, AT_FDCWD, one, &how, sizeof(how));
	W(-EAGAIN, read, r, buf, 10);
	for (int i = 0; i < 4; i++) {
		W(4 + i, write, w[i], "fifo-----", 4 + i);
		CLOSE(w[i]);
	}
	W(22, read, r, buf, 100);
	W(0, read, r, buf, 100);
	CLOSE(r);

	r = FD(openat, AT_FDCWD, two, O_RDWR);
	W(3, write, r, "two", 3);
	W(3, read, r, buf, 100);
	CLOSE(r);
	unlink(one);
	unlink(two);
}

/* ---- descriptors ---- */

static void dup_calls(void)
{
	int p[2], d[6];

	W(0, pipe2, p, O_CLOEXEC);
	d[0] = FD(dup, p[1]);
	d[1] = (int)W(50, dup2, p[1], 50);
	d[2] = (int)W(51, dup3, p[1], 51, O_CLOEXEC);
	d[3] = (int)W(60, fcntl, p[1], F_DUPFD, 60);
	d[4] = (int)W(61, fcntl, p[1], F_DUPFD_CLOEXEC, 60);
	d[5] = (int)W(51, dup2, p[0], 51); /* closes what was 51 */
	W(50, dup2, 50, 50);
	W(-EINVAL, dup3, p[1], p[1], 0);
	W(-EINVAL, fcntl, p[1], F_DUPFD, 1 << 30);
	W(-EBADF, dup, 999);
	W(-EBADF, dup2, 999, 50);
	for (int i = 0; i < 5; i++)
		if (i != 2)
			W(3, write, d[i], "dup", 3);
	W(12, read, d[5], buf, 100);
	CLOSE(d[0]);
	W(0, close_range, 50, 61, 0);
	W(-EINVAL, close_range, 61, 50, 0);
	W(-EBADF, close, 50);
	CLOSE(p[0]);
	W(-EPIPE, write, p[1], "x", 1);
	CLOSE(p[1]);
}

/* ---- sockets ---- */

static struct msghdr *msg(struct iovec *v, void *name, socklen_t len)
{
	static struct msghdr m;

	m = (struct msghdr){.msg_iov = v, .msg_iovlen = 2, .msg_name = name, .msg_namelen = len};
	return &m;
}

/* Two messages for a *mmsg call: of 2 and 6 bytes when sent, up to 20 when received. */
static struct mmsghdr *mmsg(int receive, void *name, socklen_t len)
{
	static struct mmsghdr mm[2];
	static struct iovec v[2];

	for (int i = 0; i < 2; i++) {
		v[i] = (struct iovec){buf + 100 * i, receive ? 20 : i ? 6 : 2};
		mm[i].msg_hdr = (struct msghdr){
		    .msg_iov = &v[i], .msg_iovlen = 1, .msg_name = name, .msg_namelen = len};
	}
	return mm;
}

/* Two connected sockets: everything that can be sent and received. Boundaries are kept unless
 * `stream`. */
static void talk(int a, int b, int stream)
{
	W(-EAGAIN, recvfrom, b, buf, 10, MSG_DONTWAIT, NULL, NULL);
	W(-EAGAIN, recvmsg, b, msg(room(5, 5), NULL, 0), MSG_DONTWAIT);
	W(-EAGAIN, recvmmsg, b, mmsg(1, NULL, 0), 2, MSG_DONTWAIT, NULL);

	W(5, write, a, "write", 5);
	W(5, recvfrom, b, buf, 5, MSG_PEEK, NULL, NULL);
	W(5, read, b, buf, 100);
	W(6, writev, a, vec("wri", "tev"), 2);
	W(6, readv, b, room(4, 40), 2);
	W(4, sendto, a, "send", 4, 0, NULL, 0);
	W(4, recvfrom, b, buf, 100, 0, NULL, NULL);
	W(7, sendmsg, a, msg(vec("send", "msg"), NULL, 0), 0);
	W(7, recvmsg, b, msg(room(4, 40), NULL, 0), 0);
	if (!stream) {
		W(2, sendmmsg, a, mmsg(0, NULL, 0), 2, 0);
		W(2, recvmmsg, b, mmsg(1, NULL, 0), 2, 0, NULL);
		W(9, write, a, "truncated", 9);
		W(9, recvfrom, b, buf, 4, MSG_TRUNC, NULL, NULL);
		W(9, write, a, "truncated", 9);
		W(4, recvfrom, b, buf, 4, 0, NULL, NULL);
		W(9, write, a, "truncated", 9);
		W(9, recvfrom, b, buf, 4, MSG_TRUNC | MSG_PEEK, NULL, NULL);
		W(9, recvmsg, b, msg(room(2, 2), NULL, 0), MSG_TRUNC);
	} else {
		W(2, sendmmsg, a, mmsg(0, NULL, 0), 2, 0);
		W(8, recvfrom, b, buf, 8, MSG_WAITALL, NULL, NULL);
	}
	/* and back */
	W(4, write, b, "back", 4);
	W(4, read, a, buf, 4);
}

static void pair_calls(void)
{
	static const int types[] = {SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET};
	int s[2];

	for (int i = 0; i < 3; i++) {
		W(0, socketpair, AF_UNIX, types[i] | SOCK_CLOEXEC, 0, s);
		talk(s[0], s[1], types[i] == SOCK_STREAM);
		if (types[i] != SOCK_STREAM) {
			int small = 4096;

			setsockopt(s[0], SOL_SOCKET, SO_SNDBUF, &small, sizeof(small));
			W(-EMSGSIZE, sendto, s[0], buf, sizeof(buf), 0, NULL, 0);
		}
		W(0, shutdown, s[0], SHUT_WR);
		W(-EINVAL, shutdown, s[0], 7);
		W(-EPIPE, sendto, s[0], "x", 1, MSG_NOSIGNAL, NULL, 0);
		if (types[i] != SOCK_DGRAM)
			W(0, recvfrom, s[1], buf, 10, 0, NULL, NULL);
		CLOSE(s[0]);
		CLOSE(s[1]);
	}
	W(-EOPNOTSUPP, socketpair, AF_INET, SOCK_STREAM, 0, s);
	W(-EAFNOSUPPORT, socket, 4711, SOCK_STREAM, 0);
	W(-EPROTONOSUPPORT, socket, AF_UNIX, SOCK_STREAM, 4711);
	W(-EBADF, sendto, 999, "x", 1, 0, NULL, 0);
	W(-EBADF, recvmsg, 999, msg(room(1, 1), NULL, 0), 0);
}

/* A listener at `addr`, a client, both forms of accept, and what fails on the way. */
static void listener_calls(const struct sockaddr *addr, socklen_t len, int type)
{
	struct sockaddr_storage at;
	socklen_t at_len = sizeof(at);
	int l, other, c, s, is_path = addr->sa_family == AF_UNIX && addr->sa_data[0];

	l = FD(socket, addr->sa_family, type, 0);
	W(-EINVAL, accept, l, NULL, NULL);
	W(0, bind, l, addr, len);
	W(is_path ? -EADDRINUSE : -EINVAL, bind, l, addr, len);
	if (getsockname(l, (struct sockaddr *)&at, &at_len) < 0)
		exit(99);
	c = FD(socket, addr->sa_family, type, 0);
	W(-ECONNREFUSED, connect, c, &at, at_len);
	CLOSE(c);
	W(0, listen, l, 5);
	other = FD(socket, addr->sa_family, type, 0);
	W(-EADDRINUSE, bind, other, &at, at_len);
	CLOSE(other);

	for (int i = 0; i < 2; i++) {
		c = FD(socket, addr->sa_family, type | SOCK_CLOEXEC, 0);
		W(0, connect, c, &at, at_len);
		W(-EISCONN, connect, c, &at, at_len);
		s = i ? FD(accept4, l, NULL, NULL, SOCK_CLOEXEC) : FD(accept, l, NULL, NULL);
		talk(c, s, type == SOCK_STREAM);
		W(0, shutdown, c, SHUT_WR);
		W(-EPIPE, sendto, c, "x", 1, MSG_NOSIGNAL, NULL, 0);
		W(0, read, s, buf, 10);
		CLOSE(s);
		CLOSE(c);
	}
	W(-EINVAL, accept4, l, NULL, NULL, 0x1234);
	CLOSE(l);
	l = FD(socket, addr->sa_family, type | SOCK_NONBLOCK, 0);
	W(0, bind, l, addr->sa_family == AF_UNIX ? &(struct sockaddr){AF_UNIX, ""} : addr,
	  addr->sa_family == AF_UNIX ? sizeof(sa_family_t) : len);
	W(0, listen, l, 1);
	W(-EAGAIN, accept, l, NULL, NULL);
	W(-EAGAIN, accept4, l, NULL, NULL, 0);
	CLOSE(l);
}

/* Two datagram sockets, with and without a connection. `addr` may hold no port: one is found. */
static void dgram_calls(const struct sockaddr *addr, socklen_t len)
{
	struct sockaddr_storage at, from;
	socklen_t at_len = sizeof(at), from_len = sizeof(from);
	int s = FD(socket, addr->sa_family, SOCK_DGRAM, 0);
	int c = FD(socket, addr->sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int unnamed = addr->sa_family == AF_UNIX;

	W(0, bind, s, addr, len);
	if (getsockname(s, (struct sockaddr *)&at, &at_len) < 0)
		exit(99);
	W(-EOPNOTSUPP, listen, s, 1);
	W(-EAGAIN, recvfrom, s, buf, 10, MSG_DONTWAIT, NULL, NULL);
	W(unnamed ? -ENOTCONN : -EDESTADDRREQ, sendto, c, "x", 1, 0, NULL, 0);
	W(8, sendto, c, "datagram", 8, 0, &at, at_len);
	W(8, recvfrom, s, buf, 100, 0, &from, &from_len);
	W(9, sendmsg, c, msg(vec("data", "gram2"), &at, at_len), 0);
	W(9, recvmsg, s, msg(room(10, 10), &from, sizeof(from)), 0);
	W(2, sendmmsg, c, mmsg(0, &at, at_len), 2, 0);
	W(2, recvmmsg, s, mmsg(1, NULL, 0), 2, 0, NULL);
	if (!unnamed) {
		W(6, sendto, s, "answer", 6, 0, &from, from_len);
		W(6, recvfrom, c, buf, 100, 0, NULL, NULL);
		W(-EMSGSIZE, sendto, c, buf, sizeof(buf), 0, &at, at_len);
	}
	W(0, connect, c, &at, at_len);
	W(0, sendto, c, "", 0, 0, NULL, 0);
	W(0, recvfrom, s, buf, 100, 0, NULL, NULL);
	if (!unnamed) {
		W(0, connect, s, &from, from_len);
		talk(c, s, 0);
	}
	W(0, shutdown, c, SHUT_RDWR);
	CLOSE(c);
	CLOSE(s);
}

static void socket_calls(void)
{
	struct sockaddr_un path = {.sun_family = AF_UNIX}, abstract = {.sun_family = AF_UNIX};
	struct sockaddr_in in4 = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
	socklen_t abstract_len;
	int s;

	pair_calls();
	snprintf(path.sun_path, sizeof(path.sun_path), "%s/sock", dir);
	s = FD(socket, AF_UNIX, SOCK_STREAM, 0);
	W(-ENOENT, connect, s, &path, sizeof(path));
	W(-ENOTCONN, sendto, s, "x", 1, MSG_NOSIGNAL, NULL, 0);
	W(-EINVAL, recvfrom, s, buf, 1, 0, NULL, NULL);
	CLOSE(s);

	listener_calls((struct sockaddr *)&path, sizeof(path), SOCK_STREAM);
	unlink(path.sun_path);
	listener_calls((struct sockaddr *)&path, sizeof(path), SOCK_SEQPACKET);
	unlink(path.sun_path);
	dgram_calls((struct sockaddr *)&path, sizeof(path));
	unlink(path.sun_path);
	abstract_len =
	    (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 +
			(size_t)snprintf(abstract.sun_path + 1, sizeof(abstract.sun_path) - 1,
					 "callforms-%d", getpid()));
	listener_calls((struct sockaddr *)&abstract, abstract_len, SOCK_STREAM);

	listener_calls((struct sockaddr *)&in4, sizeof(in4), SOCK_STREAM);
	dgram_calls((struct sockaddr *)&in4, sizeof(in4));
	s = FD(socket, AF_INET, SOCK_STREAM, 0);
	W(-ENOTCONN, shutdown, s, SHUT_RDWR);
	CLOSE(s);
	/* A host without IPv6 has no ::1 to bind to; then both tracers see only this try. */
	s = socket(AF_INET6, SOCK_DGRAM, 0);
	if (s < 0)
		return;
	if (bind(s, (struct sockaddr *)&in6, sizeof(in6)) == 0) {
		listener_calls((struct sockaddr *)&in6, sizeof(in6), SOCK_STREAM);
		dgram_calls((struct sockaddr *)&in6, sizeof(in6));
	}
	close(s);
}

/* ---- System V ---- */

struct sysv_msg {
	long type;
	char text[8192];
};

static void msg_calls(key_t key)
{
	static struct sysv_msg m;
	struct msqid_ds ds;
	int q;

	W(-ENOENT, msgget, key, 0600);
	q = FD(msgget, key, IPC_CREAT | IPC_EXCL | 0600);
	W(-EEXIST, msgget, key, IPC_CREAT | IPC_EXCL | 0600);
	W(q, msgget, key, 0600);
	W(-ENOMSG, msgrcv, q, &m, 100L, 0L, IPC_NOWAIT);
	for (m.type = 1; m.type <= 5; m.type++)
		W(0, msgsnd, q, &m, 10L * m.type, 0);
	m.type = 0;
	W(-EINVAL, msgsnd, q, &m, 10L, 0);
	m.type = 1;
	W(-EINVAL, msgsnd, q, &m, 1L << 20, 0);
	W(-EFAULT, msgsnd, q, NULL, 10L, 0);
	W(30, msgrcv, q, &m, 100L, 3L, 0);  /* this type */
	W(10, msgrcv, q, &m, 100L, -4L, 0); /* the lowest up to 4 */
	W(-E2BIG, msgrcv, q, &m, 5L, 0L, 0);
	W(40, msgrcv, q, &m, 100L, 2L, MSG_EXCEPT); /* the first of another type */
	W(5, msgrcv, q, &m, 5L, 0L, MSG_NOERROR);   /* the first, cut */
	W(-ENOMSG, msgrcv, q, &m, 100L, 9L, IPC_NOWAIT);
	W(50, msgrcv, q, &m, 100L, 0L, 0);
	m.type = 7;
	W(0, msgsnd, q, &m, 8192L, IPC_NOWAIT);
	W(0, msgsnd, q, &m, 0L, 0);
	W(0, msgctl, q, IPC_STAT, &ds);
	ds.msg_qbytes = 8192;
	W(0, msgctl, q, IPC_SET, &ds);
	W(-EAGAIN, msgsnd, q, &m, 1L, IPC_NOWAIT);
	W(8192, msgrcv, q, &m, 8192L, 7L, 0);
	W(0, msgrcv, q, &m, 8192L, 7L, 0);
	W(0, msgctl, q, IPC_RMID, NULL);
	W(-EINVAL, msgctl, q, IPC_STAT, &ds);
	W(-EINVAL, msgsnd, q, &m, 1L, 0);
	W(-EINVAL, msgrcv, q, &m, 1L, 0L, 0);
}

static void sem_calls(key_t key)
{
	struct sembuf up = {0, 3, 0}, down = {0, -1, 0}, down_now = {1, -1, IPC_NOWAIT};
	struct sembuf both[] = {{0, -2, 0}, {1, 5, SEM_UNDO}}, zero = {0, 0, 0};
	struct sembuf far = {9, 1, 0}, big = {0, 32767, 0}, block = {0, -1, 0};
	struct timespec soon = {0, 5000000}, bad = {0, 2000000000};
	unsigned short values[2];
	struct semid_ds ds;
	int s;

	W(-ENOENT, semget, key, 2, 0600);
	s = FD(semget, key, 2, IPC_CREAT | IPC_EXCL | 0600);
	W(-EEXIST, semget, key, 2, IPC_CREAT | IPC_EXCL | 0600);
	W(-EINVAL, semget, key, 20, 0600);
	W(0, semop, s, &up, 1L);
	W(0, semop, s, &down, 1L);
	W(0, semop, s, both, 2L);
	W(0, semop, s, &zero, 1L);
	W(0, semctl, s, 1, SETVAL, 0);
	W(-EAGAIN, semop, s, &down_now, 1L);
	W(-EAGAIN, semtimedop, s, &block, 1L, &soon);
	W(-EINVAL, semtimedop, s, &block, 1L, &bad);
	W(0, semtimedop, s, &up, 1L, &soon);
	W(-EFBIG, semop, s, &far, 1L);
	W(-ERANGE, semop, s, &big, 1L);
	W(-E2BIG, semop, s, both, 100000L);
	W(3, semctl, s, 0, GETVAL);
	W(0, semctl, s, 0, GETALL, values);
	W(0, semctl, s, 0, IPC_STAT, &ds);
	W(-EINVAL, semctl, s, 7, GETVAL);
	W(0, semctl, s, 0, IPC_RMID);
	W(-EINVAL, semop, s, &up, 1L);
	W(-EINVAL, semctl, s, 0, GETVAL);
}

static void shm_calls(key_t key)
{
	struct shmid_ds ds;
	void *at, *again;
	int s;

	W(-ENOENT, shmget, key, 0L, 0600);
	s = FD(shmget, key, 8192L, IPC_CREAT | IPC_EXCL | 0600);
	W(-EEXIST, shmget, key, 8192L, IPC_CREAT | IPC_EXCL | 0600);
	W(s, shmget, key, 0L, 0600);
	W(-EINVAL, shmget, key, 1L << 20, 0600);
	at = (void *)G(shmat, s, NULL, 0);
	again = (void *)G(shmat, s, NULL, SHM_RDONLY);
	W(-EINVAL, shmat, s, (char *)at + 1, 0);
	strcpy(at, "shared");
	if (strcmp(again, "shared") != 0)
		failures++;
	W(0, shmctl, s, IPC_STAT, &ds);
	W(0, shmdt, again);
	W(-EINVAL, shmdt, (char *)at + 4096);
	W(0, shmctl, s, IPC_RMID, NULL);
	W(0, shmdt, at);
	W(-EINVAL, shmdt, at);
	W(-EINVAL, shmat, s, NULL, 0);
	W(-EINVAL, shmctl, s, IPC_STAT, &ds);
}

/* ---- calls that wait: another thread, another process, a signal ends them ---- */

static int thread_pipe[2];

static void *thread_main(void *arg)
{
	char c[16];

	W(6, read, thread_pipe[0], c, sizeof(c));
	return arg;
}

static void on_alarm(int sig) { (void)sig; }

/* ids: two pipes, as pipe(2) made them, then a queue and a semaphore set */
static void child_main(const int *ids, const char *fifo)
{
	struct sysv_msg m = {.type = 2};
	struct sembuf down = {0, -1, 0};
	int w = FD(open, fifo, O_WRONLY);

	W(5, write, w, "child", 5);
	CLOSE(w);
	W(4, read, ids[2], buf, 100);
	W(0, msgsnd, ids[4], &m, 20L, 0);
	W(0, semop, ids[5], &down, 1L);
	W(4, write, ids[1], "done", 4);
	_exit(failures != 0);
}

static void waiting_calls(void)
{
	struct itimerval soon = {.it_value.tv_usec = 20000};
	struct sembuf up = {0, 1, 0};
	static struct sysv_msg m;
	char fifo[64];
	pthread_t thread;
	int ids[6], status, r;
	pid_t child;

	W(0, pipe2, thread_pipe, O_CLOEXEC);
	if (pthread_create(&thread, NULL, thread_main, NULL) != 0)
		exit(99);
	W(6, write, thread_pipe[1], "thread", 6);
	pthread_join(thread, NULL);
	/* without SA_RESTART */
	sigaction(SIGALRM, &(struct sigaction){.sa_handler = on_alarm}, NULL);
	setitimer(ITIMER_REAL, &soon, NULL);
	W(-EINTR, read, thread_pipe[0], buf, 1);

	snprintf(fifo, sizeof(fifo), "%s/fifo", dir);
	W(0, mknod, fifo, S_IFIFO | 0600, 0);
	W(0, pipe2, ids, O_CLOEXEC);
	W(0, pipe2, ids + 2, O_CLOEXEC);
	ids[4] = FD(msgget, IPC_PRIVATE, IPC_CREAT | 0600);
	ids[5] = FD(semget, IPC_PRIVATE, 1, IPC_CREAT | 0600);
	child = fork();
	if (child == 0)
		child_main(ids, fifo);
	r = FD(open, fifo, O_RDONLY);
	W(5, read, r, buf, 5);
	CLOSE(r);
	W(4, write, ids[3], "go..", 4);
	W(20, msgrcv, ids[4], &m, 100L, 2L, 0);
	W(0, semop, ids[5], &up, 1L);
	W(4, read, ids[0], buf, 100);
	if (child < 0 || waitpid(child, &status, 0) != child || status != 0)
		failures++;
	W(0, msgctl, ids[4], IPC_RMID, NULL);
	W(0, semctl, ids[5], 0, IPC_RMID);
	unlink(fifo);
}

int main(void)
{
	key_t key = 0x1bc00000 | getpid();

	signal(SIGPIPE, SIG_IGN);
	alarm(30); /* whatever goes wrong, it ends */
	if (!mkdtemp(dir))
		return 99;
	pipe_calls();
	splice_calls();
	fifo_calls();
	dup_calls();
	socket_calls();
	msg_calls(key);
	sem_calls(key);
	shm_calls(key);
	waiting_calls();
	rmdir(dir);
	return failures != 0;
}
