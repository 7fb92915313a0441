// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Two processes, `ping` and `pong`, that hand a message to and fro ROUNDS times:
 *
 *     pingpong pipe|unix|dgram|seqpacket|tcp|udp|msg|sem|mq|semt|futex|mutex|eventfd|epoll|poll ROUNDS [BYTES]
 *
 * At the end: `sent=N bytes=N ping=PID pong=PID`, over both directions. Every message is one call
 * and arrives in one call, and after the first one every receiver waits for its peer alone. The last
 * seven carry no bytes, but for mq and poll. It ends itself after a minute; with PINGPONG_NO_ALARM in
 * the environment not (an armed timer is something that may wake it).
 */
#include <arpa/inet.h>
#include <linux/futex.h>
#include <mqueue.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/prctl.h>
#include <sys/sem.h>
#include <sys/socket.h>
#include <sys/syscall.h>
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

static int make_mq(struct side side[2])
{
	struct mq_attr a = {.mq_maxmsg = 2, .mq_msgsize = BYTES_MAX};
	int q[2];

	for (int i = 0; i < 2; i++) {
		char name[64];

		snprintf(name, sizeof(name), "/pingpong-%d-%d", getpid(), i);
		q[i] = mq_open(name, O_RDWR | O_CREAT | O_EXCL, 0600, &a);
		mq_unlink(name);
		if (q[i] < 0)
			return -1;
	}
	side[0] = (struct side){.out = q[0], .in = q[1]};
	side[1] = (struct side){.out = q[1], .in = q[0]};
	return 0;
}

static int send_mq(const struct side *s, const char *buf, size_t n)
{
	return mq_send(s->out, buf, n, 0);
}

static int receive_mq(const struct side *s, char *buf, size_t n)
{
	return mq_receive(s->in, buf, BYTES_MAX, NULL) == (ssize_t)n ? 0 : -1;
}

/* What the mechanisms without descriptors share: one of each for either direction. */
static struct shared {
	sem_t sem;
	uint32_t word;
	pthread_mutex_t mutex;
	pthread_cond_t cond;
	int full;
} *shared;

static int make_shared(struct side side[2])
{
	pthread_mutexattr_t ma;
	pthread_condattr_t ca;

	shared = mmap(NULL, 2 * sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED)
		return -1;
	pthread_mutexattr_init(&ma);
	pthread_mutexattr_setpshared(&ma, PTHREAD_PROCESS_SHARED);
	pthread_condattr_init(&ca);
	pthread_condattr_setpshared(&ca, PTHREAD_PROCESS_SHARED);
	for (int i = 0; i < 2; i++) {
		sem_init(&shared[i].sem, 1, 0);
		pthread_mutex_init(&shared[i].mutex, &ma);
		pthread_cond_init(&shared[i].cond, &ca);
		side[i] = (struct side){.out_no = i, .in_no = !i};
	}
	return 0;
}

static int send_semt(const struct side *s, const char *buf, size_t n)
{
	(void)buf, (void)n;
	return sem_post(&shared[s->out_no].sem);
}

static int receive_semt(const struct side *s, char *buf, size_t n)
{
	(void)buf, (void)n;
	return sem_wait(&shared[s->in_no].sem);
}

static int send_futex(const struct side *s, const char *buf, size_t n)
{
	uint32_t *word = &shared[s->out_no].word;

	(void)buf, (void)n;
	__atomic_store_n(word, 1, __ATOMIC_SEQ_CST);
	return syscall(SYS_futex, word, FUTEX_WAKE, 1, NULL, NULL, 0) < 0 ? -1 : 0;
}

static int receive_futex(const struct side *s, char *buf, size_t n)
{
	uint32_t *word = &shared[s->in_no].word;

	(void)buf, (void)n;
	while (__atomic_exchange_n(word, 0, __ATOMIC_SEQ_CST) == 0)
		syscall(SYS_futex, word, FUTEX_WAIT, 0, NULL, NULL, 0);
	return 0;
}

static int send_mutex(const struct side *s, const char *buf, size_t n)
{
	struct shared *to = &shared[s->out_no];

	(void)buf, (void)n;
	pthread_mutex_lock(&to->mutex);
	to->full = 1;
	pthread_cond_signal(&to->cond);
	return pthread_mutex_unlock(&to->mutex) ? -1 : 0;
}

static int receive_mutex(const struct side *s, char *buf, size_t n)
{
	struct shared *from = &shared[s->in_no];

	(void)buf, (void)n;
	pthread_mutex_lock(&from->mutex);
	while (!from->full)
		pthread_cond_wait(&from->cond, &from->mutex);
	from->full = 0;
	return pthread_mutex_unlock(&from->mutex) ? -1 : 0;
}

static int make_eventfd(struct side side[2])
{
	int a = eventfd(0, 0), b = eventfd(0, 0);

	side[0] = (struct side){.out = a, .in = b};
	side[1] = (struct side){.out = b, .in = a};
	return a < 0 || b < 0 ? -1 : 0;
}

static int send_eventfd(const struct side *s, const char *buf, size_t n)
{
	uint64_t one = 1;

	(void)buf, (void)n;
	return write(s->out, &one, sizeof(one)) == sizeof(one) ? 0 : -1;
}

static int receive_eventfd(const struct side *s, char *buf, size_t n)
{
	uint64_t got;

	(void)buf, (void)n;
	return read(s->in, &got, sizeof(got)) == sizeof(got) ? 0 : -1;
}

/* Each has a set of its own, made when it is first needed, so that it is nobody else's. */
static int receive_epoll(const struct side *s, char *buf, size_t n)
{
	static int set = -1;
	struct epoll_event e = {.events = EPOLLIN};

	if (set < 0) {
		set = epoll_create1(0);
		if (epoll_ctl(set, EPOLL_CTL_ADD, s->in, &e) < 0)
			return -1;
	}
	return epoll_wait(set, &e, 1, -1) == 1 ? receive_eventfd(s, buf, n) : -1;
}

static int receive_poll(const struct side *s, char *buf, size_t n)
{
	struct pollfd p = {.fd = s->in, .events = POLLIN};

	return poll(&p, 1, -1) == 1 ? receive_fd(s, buf, n) : -1;
}

static const struct mech mechs[] = {
    {"pipe", make_pipe, send_fd, receive_fd, NULL},
    {"unix", make_unix, send_fd, receive_fd, NULL},
    {"dgram", make_dgram, send_fd, receive_fd, NULL},
    {"seqpacket", make_seqpacket, send_fd, receive_fd, NULL},
    {"tcp", make_tcp, send_fd, receive_fd, NULL},
    {"udp", make_udp, send_fd, receive_fd, NULL},
    {"msg", make_msg, send_msg, receive_msg, remove_msg},
    {"sem", make_sem, send_sem, receive_sem, remove_sem},
    {"mq", make_mq, send_mq, receive_mq, NULL},
    {"semt", make_shared, send_semt, receive_semt, NULL},
    {"futex", make_shared, send_futex, receive_futex, NULL},
    {"mutex", make_shared, send_mutex, receive_mutex, NULL},
    {"eventfd", make_eventfd, send_eventfd, receive_eventfd, NULL},
    {"epoll", make_eventfd, send_eventfd, receive_epoll, NULL},
    {"poll", make_unix, send_fd, receive_poll, NULL},
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

static const struct mech *used;
static struct side sides[2];

/* Told to end, it takes its System V object with it. */
static void on_term(int sig)
{
	(void)sig;
	used->remove(&sides[0]);
	_exit(1);
}

int main(int argc, char **argv)
{
	const struct mech *m = NULL;
	struct side *side = sides;
	long rounds = argc > 2 ? atol(argv[2]) : 0, bytes = argc > 3 ? atol(argv[3]) : 16;
	int status = 1, failed;
	pid_t child;

	for (size_t i = 0; argc > 2 && i < sizeof(mechs) / sizeof(mechs[0]); i++)
		if (strcmp(mechs[i].name, argv[1]) == 0)
			m = &mechs[i];
	if (!m || rounds < 1 || bytes < 1 || bytes > BYTES_MAX)
		return 2;
	if (!getenv("PINGPONG_NO_ALARM"))
		alarm(60);
	if (m->make(side) < 0)
		return 1;
	child = fork();
	used = m;
	if (child > 0 && m->remove)
		signal(SIGTERM, on_term);
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
