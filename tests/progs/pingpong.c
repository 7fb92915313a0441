// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Two processes, `ping` and `pong`, that hand a message to and fro ROUNDS times:
 *
 *     pingpong pipe|unix|dgram|seqpacket|tcp|udp|msg|sem ROUNDS [BYTES]
 *
 * At the end: `sent=N bytes=N ping=PID pong=PID`, over both directions. Every message is one call
 * and arrives in one call, and after the first one every receiver waits for its peer alone.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/msg.h>
#include <sys/prctl.h>
#include <sys/sem.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define BYTES_MAX 4096

/* One side: where it sends and where it receives. */
struct side {
	int out, in;        /* descriptors, or the id of the System V object */
	long out_no, in_no; /* message types, semaphore numbers */
};

struct mech {
	const char *name;
	int (*make)(struct side side[2]);
	int (*send)(const struct side *s, const char *buf, size_t n); /* 0: the whole message */
	int (*receive)(const struct side *s, char *buf, size_t n);
	void (*remove)(const struct side *s);
};

static int send_fd(const struct side *s, const char *buf, size_t n)
{
	return write(s->out, buf, n) == (ssize_t)n ? 0 : -1;
}

static int receive_fd(const struct side *s, char *buf, size_t n)
{
	return read(s->in, buf, n) == (ssize_t)n ? 0 : -1;
}

static int make_pipe(struct side side[2])
{
	int there[2], back[2];

	if (pipe(there) < 0 || pipe(back) < 0)
		return -1;
	side[0] = (struct side){.out = there[1], .in = back[0]};
	side[1] = (struct side){.out = back[1], .in = there[0]};
	return 0;
}

static void use(struct side *side, int fd) { side->in = side->out = fd; }

static int make_pair(struct side side[2], int type)
{
	int fds[2];

	if (socketpair(AF_UNIX, type, 0, fds) < 0)
		return -1;
	use(&side[0], fds[0]);
	use(&side[1], fds[1]);
	return 0;
}

static int make_unix(struct side side[2]) { return make_pair(side, SOCK_STREAM); }
static int make_dgram(struct side side[2]) { return make_pair(side, SOCK_DGRAM); }
static int make_seqpacket(struct side side[2]) { return make_pair(side, SOCK_SEQPACKET); }

static int local_socket(int type, struct sockaddr_in *addr)
{
	socklen_t len = sizeof(*addr);
	int fd = socket(AF_INET, type, 0);

	*addr =
	    (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	if (fd < 0 || bind(fd, (struct sockaddr *)addr, len) < 0 ||
	    getsockname(fd, (struct sockaddr *)addr, &len) < 0)
		return -1;
	return fd;
}

static int make_tcp(struct side side[2])
{
	struct sockaddr_in addr, from;
	int one = 1, l = local_socket(SOCK_STREAM, &addr), c = local_socket(SOCK_STREAM, &from), s;

	if (l < 0 || c < 0 || listen(l, 1) < 0 ||
	    connect(c, (struct sockaddr *)&addr, sizeof(addr)) < 0 ||
	    (s = accept(l, NULL, NULL)) < 0)
		return -1;
	close(l);
	setsockopt(c, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	setsockopt(s, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	use(&side[0], c);
	use(&side[1], s);
	return 0;
}

static int make_udp(struct side side[2])
{
	struct sockaddr_in a, b;
	int fa = local_socket(SOCK_DGRAM, &a), fb = local_socket(SOCK_DGRAM, &b);

	if (fa < 0 || fb < 0 || connect(fa, (struct sockaddr *)&b, sizeof(b)) < 0 ||
	    connect(fb, (struct sockaddr *)&a, sizeof(a)) < 0)
		return -1;
	use(&side[0], fa);
	use(&side[1], fb);
	return 0;
}

struct packet {
	long type;
	char data[BYTES_MAX];
};

static int make_msg(struct side side[2])
{
	int id = msgget(IPC_PRIVATE, IPC_CREAT | 0600);

	side[0] = (struct side){.out = id, .in = id, .out_no = 1, .in_no = 2};
	side[1] = (struct side){.out = id, .in = id, .out_no = 2, .in_no = 1};
	return id;
}

static int send_msg(const struct side *s, const char *buf, size_t n)
{
	static struct packet p;

	p.type = s->out_no;
	memcpy(p.data, buf, n);
	return msgsnd(s->out, &p, n, 0);
}

static int receive_msg(const struct side *s, char *buf, size_t n)
{
	static struct packet p;

	(void)buf;
	return msgrcv(s->in, &p, n, s->in_no, 0) == (ssize_t)n ? 0 : -1;
}

static void remove_msg(const struct side *s) { msgctl(s->in, IPC_RMID, NULL); }

static int make_sem(struct side side[2])
{
	int id = semget(IPC_PRIVATE, 2, IPC_CREAT | 0600);

	side[0] = (struct side){.out = id, .in = id, .out_no = 0, .in_no = 1};
	side[1] = (struct side){.out = id, .in = id, .out_no = 1, .in_no = 0};
	return id;
}

static int sem_by(int id, long no, short by)
{
	struct sembuf op = {.sem_num = (unsigned short)no, .sem_op = by};

	return semop(id, &op, 1);
}

static int send_sem(const struct side *s, const char *buf, size_t n)
{
	(void)buf;
	(void)n;
	return sem_by(s->out, s->out_no, 1);
}

static int receive_sem(const struct side *s, char *buf, size_t n)
{
	(void)buf;
	(void)n;
	return sem_by(s->in, s->in_no, -1);
}

static void remove_sem(const struct side *s) { semctl(s->in, 0, IPC_RMID); }

static const struct mech mechs[] = {
    {"pipe", make_pipe, send_fd, receive_fd, NULL},
    {"unix", make_unix, send_fd, receive_fd, NULL},
    {"dgram", make_dgram, send_fd, receive_fd, NULL},
    {"seqpacket", make_seqpacket, send_fd, receive_fd, NULL},
    {"tcp", make_tcp, send_fd, receive_fd, NULL},
    {"udp", make_udp, send_fd, receive_fd, NULL},
    {"msg", make_msg, send_msg, receive_msg, remove_msg},
    {"sem", make_sem, send_sem, receive_sem, remove_sem},
};

static int pong(const struct mech *m, const struct side *s, long rounds, size_t bytes)
{
	static char buf[BYTES_MAX];

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	prctl(PR_SET_NAME, "pong");
	for (long i = 0; i < rounds; i++)
		if (m->receive(s, buf, bytes) < 0 || m->send(s, buf, bytes) < 0)
			return 1;
	return 0;
}

static int ping(const struct mech *m, const struct side *s, long rounds, size_t bytes)
{
	static char buf[BYTES_MAX];

	prctl(PR_SET_NAME, "ping");
	for (long i = 0; i < rounds; i++)
		if (m->send(s, buf, bytes) < 0 || m->receive(s, buf, bytes) < 0)
			return 1;
	return 0;
}

int main(int argc, char **argv)
{
	const struct mech *m = NULL;
	struct side side[2];
	long rounds = argc > 2 ? atol(argv[2]) : 0, bytes = argc > 3 ? atol(argv[3]) : 16;
	int status = 1, failed;
	pid_t child;

	for (size_t i = 0; argc > 2 && i < sizeof(mechs) / sizeof(mechs[0]); i++)
		if (strcmp(mechs[i].name, argv[1]) == 0)
			m = &mechs[i];
	if (!m || rounds < 1 || bytes < 1 || bytes > BYTES_MAX)
		return 2;
	alarm(60);
	if (m->make(side) < 0)
		return 1;
	child = fork();
	if (child == 0)
		_exit(pong(m, &side[1], rounds, (size_t)bytes));
	failed = child < 0 || ping(m, &side[0], rounds, (size_t)bytes);
	if (failed && child > 0)
		kill(child, SIGKILL);
	if (child > 0 && waitpid(child, &status, 0) != child)
		status = 1;
	if (m->remove)
		m->remove(&side[0]);
	printf("sent=%ld bytes=%ld ping=%d pong=%d\n", 2 * rounds, 2 * rounds * bytes, getpid(),
	       child);
	return failed || status;
}
