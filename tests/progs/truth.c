// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * truth KIND WRITERS READERS MESSAGES [WORD…]: writers that all write into one channel, and readers
 * that tell afterwards, for every read, how many bytes of it came from which writer: every byte
 * written is its writer's number. What a tracer makes of it is compared by tests/progs/accuracy.c.
 *
 *     KIND      pipe unix seqpacket dgram tcp udp msg
 *     size=N    bytes of a message (16); whole=N of them in one write (1)
 *     read=N    bytes a reader asks for (16)
 *     nonblock  nobody sleeps in a read or write: they poll when there is nothing to do
 *     peek      each read is preceded by a look at the same bytes that leaves them there (sockets)
 *     packet    a write is kept together, in packets of a page at most: a read gets one, and what it has
 *               no room for is gone (pipe)
 *     splice    a process in the middle moves everything on, into a second pipe, by splice, after it
 *               has sent a copy into a third by tee (pipe)
 *     early=N   with wait: so many bytes (100); a pipe is made as large as it may be
 *     wait      those lie in the channel (in five messages), and a line on standard output says who is
 *               to be traced, before anything else happens; a line on standard input lets it go on, and
 *               the first new bytes are written before any is read
 *
 * Prints `writer N PID` for each writer (the last one, the parent, ends the readers of messages by one
 * byte, and wrote the early ones), then for every read `read PID BYTES N:BYTES…`.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define WRITERS_MAX 15
#define EARLY_MESSAGES 5
#define BUF 65536

struct got {
	uint32_t from[WRITERS_MAX + 1];
};

struct reader {
	uint32_t n; /* reads */
	struct got got[];
};

static struct options {
	const char *kind;
	unsigned int writers, readers, messages, size, whole, read, early;
	bool nonblock, packet, peek, splice, wait;
} opt = {.size = 16, .whole = 1, .read = 16, .early = 100};

static int in, out; /* the channel: where writers write, and readers read; msg: both its id */
static bool is_stream;
static volatile int *go; /* [1]: something was written since */
static char buf[BUF + sizeof(long)];

static void await(int fd, short events)
{
	struct pollfd p = {.fd = fd, .events = events};
	if (poll(&p, 1, -1) < 0)
		err(1, "poll");
}

/* ---- the channel ---- */

static void tcp_pair(int fds[2])
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(a);
	int l = socket(AF_INET, SOCK_STREAM, 0);
	fds[1] = socket(AF_INET, SOCK_STREAM, 0);
	if (l < 0 || fds[1] < 0 || bind(l, (void *)&a, len) || listen(l, 1) ||
	    getsockname(l, (void *)&a, &len) || connect(fds[1], (void *)&a, len) ||
	    (fds[0] = accept(l, NULL, NULL)) < 0)
		err(1, "tcp");
	close(l);
}

static void udp_pair(int fds[2])
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(a);
	int room = 64 << 20; /* for all there is: what finds none is lost */
	fds[0] = socket(AF_INET, SOCK_DGRAM, 0);
	fds[1] = socket(AF_INET, SOCK_DGRAM, 0);
	if (setsockopt(fds[0], SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room)))
		err(1, "SO_RCVBUFFORCE");
	if (fds[0] < 0 || fds[1] < 0 || bind(fds[0], (void *)&a, len) ||
	    getsockname(fds[0], (void *)&a, &len) || connect(fds[1], (void *)&a, len))
		err(1, "udp");
}

static void channel(void)
{
	int fds[2], type = !strcmp(opt.kind, "unix") ? SOCK_STREAM
			   : !strcmp(opt.kind, "dgram") ? SOCK_DGRAM : SOCK_SEQPACKET;
	is_stream = !strcmp(opt.kind, "pipe") || !strcmp(opt.kind, "unix") || !strcmp(opt.kind, "tcp");
	if (!strcmp(opt.kind, "msg")) {
		fds[0] = fds[1] = msgget(IPC_PRIVATE, 0600);
		if (fds[0] < 0)
			err(1, "msgget");
	} else if (!strcmp(opt.kind, "pipe")) {
		if (pipe(fds))
			err(1, "pipe");
	} else if (!strcmp(opt.kind, "tcp")) {
		tcp_pair(fds);
	} else if (!strcmp(opt.kind, "udp")) {
		udp_pair(fds);
	} else if (socketpair(AF_UNIX, type, 0, fds)) {
		err(1, "socketpair");
	}
	out = fds[0];
	in = fds[1];
	int flags = opt.nonblock ? O_NONBLOCK : 0;
	if ((flags && fcntl(out, F_SETFL, flags)) ||
	    ((flags || opt.packet) && fcntl(in, F_SETFL, flags | (opt.packet ? O_DIRECT : 0))))
		err(1, "F_SETFL");
}

/* ---- writers ---- */

static void write_as(unsigned int writer, size_t n)
{
	memset(buf + sizeof(long), (int)writer, n);
	if (!strcmp(opt.kind, "msg")) {
		long type = 1;
		memcpy(buf, &type, sizeof(type));
		if (msgsnd(out, buf, n, 0))
			err(1, "msgsnd");
		return;
	}
	for (size_t done = 0; done < n;) {
		ssize_t w = write(in, buf + sizeof(long), n - done);
		if (w < 0 && errno != EAGAIN)
			err(1, "write");
		if (w < 0)
			await(in, POLLOUT);
		else
			done += (size_t)w;
	}
}

/* What the parent wrote before anybody looked. */
static void write_early(void)
{
	unsigned int piece = is_stream ? 4096 : opt.early / EARLY_MESSAGES;
	if (!strcmp(opt.kind, "pipe") && fcntl(in, F_SETPIPE_SZ, 1 << 20) < 0)
		err(1, "F_SETPIPE_SZ");
	for (unsigned int done = 0; done < opt.early; done += piece)
		write_as(opt.writers, opt.early - done < piece ? opt.early - done : piece);
}

static void writer(unsigned int me)
{
	if (strcmp(opt.kind, "msg"))
		close(out);
	while (!*go)
		sched_yield();
	for (unsigned int i = 0; i < opt.messages; i += opt.whole) {
		write_as(me, (size_t)opt.size * opt.whole);
		go[1] = 1;
	}
	exit(0);
}

/* ---- readers ---- */

static ssize_t get(int flags)
{
	if (!strcmp(opt.kind, "msg"))
		return msgrcv(out, buf, opt.read, 0, 0);
	if (flags)
		return recv(out, buf + sizeof(long), opt.read, flags);
	return read(out, buf + sizeof(long), opt.read);
}

static void reader(struct reader *r)
{
	if (strcmp(opt.kind, "msg"))
		close(in);
	while (opt.wait && !go[1])
		sched_yield();
	for (;;) {
		if (opt.peek)
			get(MSG_PEEK);
		ssize_t n = get(0);
		if (n < 0 && errno == EAGAIN) {
			await(out, POLLIN);
			continue;
		}
		if (n < 0)
			err(1, "read");
		if (n == 0)
			exit(0);
		struct got *g = &r->got[r->n++];
		for (ssize_t i = 0; i < n; i++)
			g->from[(unsigned char)buf[sizeof(long) + i]]++;
		if (!is_stream && n == 1 && (unsigned char)buf[sizeof(long)] == opt.writers)
			exit(0);
	}
}

/* ---- in the middle ---- */

static void drain(int fd)
{
	while (read(fd, buf, sizeof(buf)) > 0)
		;
	exit(0);
}

/* Everything goes on into pipe `to`, and a copy of it into pipe `copy`. */
static void middle(int to, int copy)
{
	close(in);
	for (;;) {
		ssize_t n = tee(out, copy, BUF, 0);
		if (n < 0)
			err(1, "tee");
		if (n == 0)
			exit(0);
		while (n > 0) {
			ssize_t moved = splice(out, NULL, to, NULL, (size_t)n, 0);
			if (moved <= 0)
				err(1, "splice");
			n -= moved;
		}
	}
}

static void start_middle(void)
{
	int to[2], copy[2];
	if (pipe(to) || pipe(copy))
		err(1, "pipe");
	if (fork() == 0) {
		close(to[0]);
		close(copy[0]);
		middle(to[1], copy[1]);
	}
	if (fork() == 0) {
		close(in);
		close(to[0]);
		close(to[1]);
		close(copy[1]);
		drain(copy[0]);
	}
	close(out);
	close(to[1]);
	close(copy[0]);
	close(copy[1]);
	out = to[0];
}

/* ---- all ---- */

static void *shared(size_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (p == MAP_FAILED)
		err(1, "mmap");
	return p;
}

static void parse(int argc, char **argv)
{
	if (argc < 5)
		errx(2, "usage: truth KIND WRITERS READERS MESSAGES [WORD…]");
	opt.kind = argv[1];
	opt.writers = (unsigned int)atoi(argv[2]);
	opt.readers = (unsigned int)atoi(argv[3]);
	opt.messages = (unsigned int)atoi(argv[4]);
	for (int i = 5; i < argc; i++) {
		opt.nonblock |= !strcmp(argv[i], "nonblock");
		opt.packet |= !strcmp(argv[i], "packet");
		opt.peek |= !strcmp(argv[i], "peek");
		opt.splice |= !strcmp(argv[i], "splice");
		opt.wait |= !strcmp(argv[i], "wait");
		sscanf(argv[i], "size=%u", &opt.size);
		sscanf(argv[i], "whole=%u", &opt.whole);
		sscanf(argv[i], "read=%u", &opt.read);
		sscanf(argv[i], "early=%u", &opt.early);
	}
	if (!opt.writers || opt.writers > WRITERS_MAX || !opt.readers || opt.readers > 8 ||
	    !opt.read || opt.read > BUF || !opt.whole || !opt.size || opt.size * opt.whole > BUF)
		errx(2, "out of bounds");
}

static void tell_reads(pid_t pid, const struct reader *r)
{
	for (uint32_t i = 0; i < r->n; i++) {
		unsigned int sum = 0;
		for (unsigned int w = 0; w <= opt.writers; w++)
			sum += r->got[i].from[w];
		printf("read %d %u", pid, sum);
		for (unsigned int w = 0; w <= opt.writers; w++)
			if (r->got[i].from[w])
				printf(" %u:%u", w, r->got[i].from[w]);
		putchar('\n');
	}
}

int main(int argc, char **argv)
{
	parse(argc, argv);
	go = shared(2 * sizeof(*go));
	channel();
	if (opt.wait) {
		char line[8];
		write_early();
		printf("ready %d\n", getpid());
		fflush(stdout);
		if (!fgets(line, sizeof(line), stdin))
			return 1;
	}
	if (opt.splice)
		start_middle();
	/* no read is shorter than a byte of what is left of a write */
	size_t bytes = (size_t)opt.writers * opt.messages * opt.size + opt.early + 64;
	size_t room = sizeof(struct reader) + bytes * sizeof(struct got);
	struct reader *readers[8];
	pid_t reader_pids[8], writer_pids[WRITERS_MAX];
	for (unsigned int i = 0; i < opt.readers; i++) {
		readers[i] = shared(room);
		reader_pids[i] = fork();
		if (reader_pids[i] == 0)
			reader(readers[i]);
	}
	for (unsigned int i = 0; i < opt.writers; i++) {
		writer_pids[i] = fork();
		if (writer_pids[i] == 0)
			writer(i);
	}
	if (strcmp(opt.kind, "msg") && out != in)
		close(out);
	*go = 1;
	int status, failed = 0;
	for (unsigned int i = 0; i < opt.writers; i++) {
		waitpid(writer_pids[i], &status, 0);
		failed |= status;
	}
	for (unsigned int i = 0; !is_stream && i < opt.readers; i++)
		write_as(opt.writers, 1);
	if (strcmp(opt.kind, "msg"))
		close(in);
	while (wait(&status) > 0)
		failed |= status;
	if (!strcmp(opt.kind, "msg"))
		msgctl(in, IPC_RMID, NULL);
	for (unsigned int i = 0; i < opt.writers; i++)
		printf("writer %u %d\n", i, writer_pids[i]);
	printf("writer %u %d\n", opt.writers, getpid());
	for (unsigned int i = 0; i < opt.readers; i++)
		tell_reads(reader_pids[i], readers[i]);
	return failed != 0;
}
