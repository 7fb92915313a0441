// SPDX-License-Identifier: GPL-2.0-or-later
/*
 *     hard NAME
 *
 * Programs that are hard on whoever stands between them and libc. Each says at the end what came out of
 * it, in one line that is known in advance; status 1: something did not come out as it should.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <mqueue.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <setjmp.h>
#include <signal.h>
#include <spawn.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;
static const char *self;

static void must(int holds, const char *what)
{
	if (!holds) {
		fprintf(stderr, "hard: %s: %s\n", what, strerror(errno));
		exit(1);
	}
}

static int reaped(pid_t pid)
{
	int status = -1;
	must(pid > 0 && waitpid(pid, &status, 0) == pid, "waitpid");
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* Reads until all writers are gone. */
static long drained(int fd)
{
	char buf[4096];
	long total = 0;
	ssize_t n;
	while ((n = read(fd, buf, sizeof(buf))) > 0)
		total += n;
	must(n == 0, "read");
	return total;
}

static void pipe_make(int fds[2]) { must(pipe(fds) == 0, "pipe"); }
static void put(int fd) { must(write(fd, "x", 1) == 1, "write"); }

/* ---- processes ---- */

/* A child of vfork borrows its parent's memory: what it does there is done. */
static int vfork_code; /* -1: cannot execute; odd: executes; else ends */

static pid_t vforked(void)
{
	pid_t pid = vfork();
	if (pid == 0) {
		if (vfork_code < 0)
			execl("/does/not/exist", "x", (char *)NULL);
		else if (vfork_code & 1)
			execl(self, "hard", "status", "7", (char *)NULL);
		_exit(vfork_code < 0 ? 127 : vfork_code);
	}
	return pid;
}

static void do_vfork(void)
{
	char name[] = "hard", status[] = "status", three[] = "3", *argv[] = { name, status, three, NULL };
	int fds[2], sum = 0;
	pipe_make(fds);
	for (int i = 0; i < 20; i++) {
		put(fds[1]);
		vfork_code = i;
		sum += reaped(vforked());
		vfork_code = -1;
		sum += reaped(vforked());
		put(fds[1]);
	}
	for (int i = 0; i < 10; i++) {
		pid_t pid;
		must(posix_spawn(&pid, self, NULL, NULL, argv, environ) == 0, "posix_spawn");
		sum += reaped(pid);
	}
	close(fds[1]);
	printf("vfork: statuses=%d bytes=%ld system=%d\n", sum, drained(fds[0]), WEXITSTATUS(system("exit 9")));
}

static void *fork_here(void *arg)
{
	int fd = *(int *)arg;
	long sum = 0;
	for (int i = 0; i < 10; i++) {
		pid_t pid = fork();
		if (pid == 0) {
			put(fd);
			_exit(2);
		}
		sum += reaped(pid);
	}
	return (void *)sum;
}

static void do_fork_in_thread(void)
{
	pthread_t threads[8];
	int fds[2];
	long sum = 0;
	pipe_make(fds);
	for (int i = 0; i < 8; i++)
		must(pthread_create(&threads[i], NULL, fork_here, &fds[1]) == 0, "pthread_create");
	for (int i = 0; i < 8; i++) {
		void *part;
		pthread_join(threads[i], &part);
		sum += (long)part;
	}
	close(fds[1]);
	printf("fork in a thread: statuses=%ld bytes=%ld\n", sum, drained(fds[0]));
}

static int unread[2];

static void *read_for_ever(void *arg)
{
	char byte;
	(void)arg;
	must(read(unread[0], &byte, 1) >= 0, "read");
	return NULL;
}

static void *exec_here(void *arg)
{
	execl(self, "hard", "after", (char *)arg, (char *)NULL);
	must(0, "execl");
	return NULL;
}

/* Becomes another program while other threads are in the middle of a call. */
static void do_exec_in_thread(void)
{
	pthread_t t;
	char number[16];
	pipe_make(unread);
	fcntl(unread[0], F_SETFD, FD_CLOEXEC);
	put(unread[1]); /* the first of the readers is done, the others wait */
	for (int i = 0; i < 4; i++)
		must(pthread_create(&t, NULL, read_for_ever, NULL) == 0, "pthread_create");
	snprintf(number, sizeof(number), "%d", getpid());
	must(pthread_create(&t, NULL, exec_here, number) == 0, "pthread_create");
	pthread_join(t, NULL);
}

static void do_after(const char *pid)
{
	printf("exec in a thread: the same process=%d\n", atoi(pid) == getpid());
}

/* Ends what it was begun with, then everything else, and only then begins to work. */
static void do_daemon(const char *result)
{
	int fds[2], status;
	long moved = 0;
	pid_t pid = fork();
	if (pid > 0)
		exit(reaped(pid));
	setsid();
	pid = fork();
	if (pid > 0)
		_exit(0);
	for (int fd = 0; fd < 4096; fd++)
		close(fd);
	must(open("/dev/null", O_RDWR) == 0 && dup(0) == 1 && dup(0) == 2, "open");
	must(chdir("/") == 0, "chdir");
	for (int i = 0; i < 100; i++) {
		pipe_make(fds); /* numbers 3 and 4: whatever else had them before */
		put(fds[1]);
		pid = fork();
		if (pid == 0)
			_exit(write(fds[1], "xy", 2) == 2 ? 0 : 1);
		close(fds[1]);
		must(waitpid(pid, &status, 0) == pid && status == 0, "waitpid");
		moved += drained(fds[0]);
		close(fds[0]);
		if (i % 10 == 0)
			closefrom(3);
	}
	FILE *out = fopen(result, "w");
	must(out != NULL, result);
	fprintf(out, "daemon: bytes=%ld\n", moved);
	must(fclose(out) == 0, result);
	_exit(0);
}

/* ---- threads ---- */

enum { THREADS = 1000, EACH = 10 };
static pthread_barrier_t all_there;
static pthread_mutex_t counting = PTHREAD_MUTEX_INITIALIZER;
static long counted;

static void *small_thread(void *arg)
{
	int fd = *(int *)arg;
	pthread_barrier_wait(&all_there);
	for (int i = 0; i < EACH; i++) {
		put(fd);
		pthread_mutex_lock(&counting);
		counted++;
		pthread_mutex_unlock(&counting);
	}
	return NULL;
}

static void do_threads(void)
{
	static pthread_t threads[THREADS];
	pthread_attr_t attr;
	int fds[2];
	pipe_make(fds);
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 64 << 10);
	pthread_barrier_init(&all_there, NULL, THREADS);
	for (int i = 0; i < THREADS; i++)
		must(pthread_create(&threads[i], &attr, small_thread, &fds[1]) == 0, "pthread_create");
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	close(fds[1]);
	printf("threads: bytes=%ld counted=%ld\n", drained(fds[0]), counted);
}

/* ---- cancellation ---- */

static sem_t never_posted;
static pthread_cond_t never_signalled = PTHREAD_COND_INITIALIZER;
static pthread_mutex_t cond_lock = PTHREAD_MUTEX_INITIALIZER;
static int empty_pipe[2], empty_pair[2], empty_queue;
static atomic_int cleaned;

static void clean(void *arg)
{
	(void)arg;
	cleaned++;
}

static void unlock(void *arg) { pthread_mutex_unlock(arg); }

static void block_in(int which)
{
	char buf[64];
	struct pollfd p = { .fd = empty_pipe[0], .events = POLLIN };
	struct msghdr m = { .msg_iov = &(struct iovec){ buf, sizeof(buf) }, .msg_iovlen = 1 };
	fd_set set;
	switch (which) {
	case 0:
		must(read(empty_pipe[0], buf, 1) == 1, "read");
		break;
	case 1:
		must(recv(empty_pair[0], buf, 1, 0) == 1, "recv");
		break;
	case 2:
		must(recvmsg(empty_pair[0], &m, 0) == 1, "recvmsg");
		break;
	case 3:
		must(poll(&p, 1, -1) == 1, "poll");
		break;
	case 4:
		FD_ZERO(&set);
		FD_SET(empty_pipe[0], &set);
		must(select(empty_pipe[0] + 1, &set, NULL, NULL, NULL) == 1, "select");
		break;
	case 5:
		must(sem_wait(&never_posted) == 0, "sem_wait");
		break;
	case 6:
		pthread_mutex_lock(&cond_lock);
		pthread_cleanup_push(unlock, &cond_lock);
		for (;;)
			pthread_cond_wait(&never_signalled, &cond_lock);
		pthread_cleanup_pop(1);
		break;
	case 7:
		must(msgrcv(empty_queue, buf, 8, 0, 0) >= 0, "msgrcv");
		break;
	default:
		pause();
	}
}
enum { BLOCKED_IN = 9, ROUNDS = 20 };

static void *blocked(void *arg)
{
	pthread_cleanup_push(clean, NULL);
	block_in((int)(long)arg);
	pthread_cleanup_pop(0);
	return NULL;
}

/* Cancelled on its way in or asleep there: the outcome is the same. */
static void do_cancel(void)
{
	pthread_t threads[BLOCKED_IN];
	int cancelled = 0;
	pipe_make(empty_pipe);
	must(socketpair(AF_UNIX, SOCK_STREAM, 0, empty_pair) == 0, "socketpair");
	empty_queue = msgget(IPC_PRIVATE, 0600);
	must(empty_queue >= 0 && sem_init(&never_posted, 0, 0) == 0, "msgget");
	for (int round = 0; round < ROUNDS; round++) {
		for (long i = 0; i < BLOCKED_IN; i++)
			must(pthread_create(&threads[i], NULL, blocked, (void *)i) == 0, "pthread_create");
		if (round % 2)
			usleep(2000); /* most are asleep by then; it matters to no outcome */
		for (int i = 0; i < BLOCKED_IN; i++)
			pthread_cancel(threads[i]);
		for (int i = 0; i < BLOCKED_IN; i++) {
			void *how;
			pthread_join(threads[i], &how);
			cancelled += how == PTHREAD_CANCELED;
		}
	}
	msgctl(empty_queue, IPC_RMID, NULL);
	printf("cancel: cancelled=%d cleaned=%d lock=%d\n", cancelled, cleaned, pthread_mutex_trylock(&cond_lock));
}

/* ---- signals ---- */

enum { TICKS = 2000 };
static volatile sig_atomic_t ticks, may_jump;
static sigjmp_buf back;
static int noted[2];
static sem_t ticked;

static void on_tick(int sig)
{
	int saved = errno;
	(void)sig;
	ticks++;
	if (write(noted[1], "t", 1) != 1)
		_exit(3);
	sem_post(&ticked);
	errno = saved;
	if (may_jump && ticks % 3 == 0)
		siglongjmp(back, 1);
}

/* Every call that is interposed, interrupted wherever it may be; and left by a jump now and then. */
static void do_signals(void)
{
	struct sigaction sa = { .sa_handler = on_tick, .sa_flags = SA_RESTART | SA_NODEFER };
	struct itimerval every = { { 0, 300 }, { 0, 300 } }, never = { { 0, 0 }, { 0, 0 } };
	static volatile long sent, received, jumps, posts;
	int fds[2], pair[2];
	char byte;
	pipe_make(fds);
	pipe_make(noted);
	fcntl(noted[1], F_SETPIPE_SZ, 1 << 16);
	must(socketpair(AF_UNIX, SOCK_DGRAM, 0, pair) == 0 && sem_init(&ticked, 0, 0) == 0, "socketpair");
	sa.sa_flags &= ~SA_NODEFER;
	sigaction(SIGALRM, &sa, NULL);
	setitimer(ITIMER_REAL, &every, NULL);
	while (ticks < TICKS) {
		int moved = fcntl(fds[0], F_GETFD) == 0 && dup2(pair[1], pair[1]) == pair[1];
		must(moved, "fcntl");
		if (write(fds[1], "x", 1) == 1)
			sent++;
		if (read(fds[0], &byte, 1) == 1)
			received++;
		must(send(pair[0], "d", 1, 0) == 1 && recv(pair[1], &byte, 1, 0) == 1, "send");
		pthread_mutex_lock(&counting);
		pthread_mutex_unlock(&counting);
		poll(&(struct pollfd){ .fd = fds[0], .events = POLLIN }, 1, 0);
		if (sigsetjmp(back, 1) == 0) { /* calls that a handler may leave for good */
			may_jump = 1;
			for (int i = 0; i < 20; i++)
				must(lseek(fds[0], 0, SEEK_CUR) == -1 && errno == ESPIPE &&
					     read(-1, &byte, 1) == -1 && errno == EBADF &&
					     write(fds[1], "", 0) == 0, "errno");
			may_jump = 0;
		} else {
			may_jump = 0;
			jumps++;
		}
	}
	setitimer(ITIMER_REAL, &never, NULL);
	while (sem_trywait(&ticked) == 0)
		posts++;
	close(noted[1]);
	must(jumps > 0, "no handler jumped");
	printf("signals: unread=%ld noted=%d posted=%d\n", sent - received, drained(noted[0]) == ticks, posts == ticks);
}

/* ---- before main, and after it ---- */

static int early_fds[2], early_said;

static void early(void)
{
	char byte = 0;
	if (pipe(early_fds) == 0 && write(early_fds[1], "e", 1) == 1 && read(early_fds[0], &byte, 1) == 1)
		early_said += byte == 'e';
	close(early_fds[0]);
	close(early_fds[1]);
}

/* Before the constructor of any library. */
__attribute__((used, section(".preinit_array"))) static void (*const first_of_all)(void) = early;
__attribute__((constructor(101))) static void constructed(void) { early(); }
static void at_the_end(void) { early(); }

__attribute__((destructor)) static void destructed(void)
{
	if (early_said > 3 && write(1, "late: 1\n", 8) != 8)
		_exit(4);
}

static void key_ends(void *arg)
{
	(void)arg;
	early();
}

static void *with_key(void *arg)
{
	pthread_setspecific(*(pthread_key_t *)arg, arg);
	return NULL;
}

static void do_early(void)
{
	pthread_key_t key;
	pthread_t t;
	must(pthread_key_create(&key, key_ends) == 0 && pthread_create(&t, NULL, with_key, &key) == 0, "key");
	pthread_join(t, NULL);
	atexit(at_the_end);
	printf("early: said=%d\n", early_said);
}

static void do_dlopen(const char *library)
{
	void *h = dlopen(library, RTLD_NOW);
	long (*moved)(void) = NULL;
	must(h != NULL, library);
	*(void **)&moved = dlsym(h, "moved");
	must(moved != NULL, "dlsym");
	long n = moved();
	must(dlclose(h) == 0, "dlclose");
	printf("dlopen: bytes=%ld\n", n);
}

int main(int argc, char **argv)
{
	const char *name = argc > 1 ? argv[1] : "", *arg = argc > 2 ? argv[2] : "";
	self = argv[0];
	if (strcmp(name, "status") == 0)
		return atoi(arg);
	if (strcmp(name, "vfork") == 0)
		do_vfork();
	else if (strcmp(name, "fork-in-thread") == 0)
		do_fork_in_thread();
	else if (strcmp(name, "exec-in-thread") == 0)
		do_exec_in_thread();
	else if (strcmp(name, "after") == 0)
		do_after(arg);
	else if (strcmp(name, "daemon") == 0)
		do_daemon(arg);
	else if (strcmp(name, "threads") == 0)
		do_threads();
	else if (strcmp(name, "cancel") == 0)
		do_cancel();
	else if (strcmp(name, "signals") == 0)
		do_signals();
	else if (strcmp(name, "early") == 0)
		do_early();
	else if (strcmp(name, "dlopen") == 0)
		do_dlopen(arg);
	else
		return 2;
	fflush(stdout);
	return 0;
}
