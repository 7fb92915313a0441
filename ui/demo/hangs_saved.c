// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Cases of the corpus of waits (hangs.h) that look like deadlocks and are none: what ends them is no
 * descriptor, no mapping and no number that one would look at first.
 */
#include "hangs_cases.h"

#include <fcntl.h>
#include <linux/aio_abi.h>
#include <linux/filter.h>
#include <linux/futex.h>
#include <linux/seccomp.h>
#include <linux/userfaultfd.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "hangs_kit.h"
#include "kit.h"

static void rest_for_long(void)
{
	for (;;)
		hang_rest_ms(3600 * 1000);
}

/* What polls a write end is told when its readers have gone; the only other writer waits for it. */
void case_poll_hangup(void)
{
	int p[2];

	hang_pipe(p);
	if (hang_member("ph-reader")) {
		close(p[1]);
		rest_for_long();
	}
	close(p[0]);
	if (hang_member("ph-poller")) {
		poll(&(struct pollfd){ .fd = p[1] }, 1, -1);
		hang_got_past();
	}
	waitpid(hang_latest, NULL, 0);
	hang_got_past();
}

/* Two sleep on a word of a memfd, which a third has open, and has not mapped yet. */
void case_memfd_keeper(void)
{
	int fd = memfd_create("ipctap-demo", MFD_CLOEXEC);

	hang_must(fd >= 0 && ftruncate(fd, 4096) == 0, "memfd_create");
	if (hang_member("mk-keeper"))
		rest_for_long();
	for (int i = 0; i < 2; i++)
		if (hang_member(i ? "mk-right" : "mk-left")) {
			uint32_t *word = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

			hang_must(word != MAP_FAILED, "mmap");
			close(fd);
			syscall(SYS_futex, word, FUTEX_WAIT, 0, NULL, NULL, 0);
			hang_got_past();
		}
	close(fd);
	hang_wait_for_all();
}

/* The kernel will add to an eventfd that nobody else has, when what it was asked to look at is ready. */
void case_eventfd_aio(void)
{
	int data[2], watched[2];

	hang_pipe(data);
	hang_pipe(watched);
	if (hang_member("ea-ticker")) {
		demo_close((const int[]){ data[0], data[1], watched[0], -1 });
		rest_for_long();
	}
	close(watched[1]);
	if (hang_member("ea-reader")) {
		int e = eventfd(0, 0);
		aio_context_t aio = 0;
		struct iocb request = { .aio_lio_opcode = IOCB_CMD_POLL, .aio_fildes = (uint32_t)watched[0],
					.aio_buf = POLLIN, .aio_flags = IOCB_FLAG_RESFD,
					.aio_resfd = (uint32_t)e };
		struct iocb *list = &request;
		uint64_t count;

		close(data[1]);
		hang_must(syscall(SYS_io_setup, 1, &aio) == 0 && syscall(SYS_io_submit, aio, 1, &list) == 1,
			  "io_submit");
		hang_must(read(e, &count, sizeof(count)) < 0, "read");
		hang_got_past();
	}
	close(data[0]);
	close(watched[0]);
	if (hang_member("ea-filler")) {
		hang_fill(data[1]);
		hang_got_past();
	}
	close(data[1]);
	hang_wait_for_all();
}

/* Calls of `nr` wait for what the holder of the descriptor says. Returns that. */
static int ask_before(unsigned int nr)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, nr, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog prog = { sizeof(code) / sizeof(code[0]), code };
	int fd;

	hang_must(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0, "prctl");
	fd = (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, &prog);
	hang_must(fd >= 0, "seccomp");
	return fd;
}

/* It seems to read from itself, but the call has not begun: a supervisor, who rests, is asked first. */
void case_asked_first(void)
{
	int p[2];

	if (hang_member("af-asker")) {
		int listener;

		hang_pipe(p);
		listener = ask_before(SYS_read);
		if (hang_member("af-supervisor")) {
			close(p[0]);
			close(p[1]);
			rest_for_long();
		}
		close(listener);
		hang_drain(p[0]);
		hang_got_past();
	}
	hang_wait_for_all();
}

/* It seems to poll, but sleeps for the page on which its list is; who is to bring that rests. */
void case_page_fetched(void)
{
	size_t size = (size_t)sysconf(_SC_PAGESIZE);
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register reg = { .mode = UFFDIO_REGISTER_MODE_MISSING };
	int fd = (int)syscall(SYS_userfaultfd, O_CLOEXEC);
	void *page = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	hang_must(page != MAP_FAILED, "mmap");
	reg.range = (struct uffdio_range){ (uintptr_t)page, size };
	hang_must(fd >= 0 && ioctl(fd, UFFDIO_API, &api) == 0 && ioctl(fd, UFFDIO_REGISTER, &reg) == 0,
		  "userfaultfd");
	if (hang_member("pf-pager"))
		rest_for_long();
	close(fd);
	prctl(PR_SET_NAME, "pf-poller");
	poll(page, 4, -1);
	hang_got_past();
}

/* The first process of a new pid namespace, which knows itself as 1; its parent waits for it. */
static bool first_of_a_namespace(const char *name)
{
	pid_t parent = getpid(), pid = fork();

	hang_must(pid >= 0, "fork");
	if (pid)
		return false;
	demo_child(parent, name);
	hang_must(unshare(geteuid() ? CLONE_NEWUSER | CLONE_NEWPID : CLONE_NEWPID) == 0, "unshare");
	pid = fork();
	hang_must(pid >= 0, "fork");
	if (pid)
		hang_wait_for_all();
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	prctl(PR_SET_NAME, name);
	return true;
}

/* A mutex of two containers: its owner and who waits for it have the same number, each in its own. */
void case_same_number(void)
{
	struct {
		pthread_mutex_t lock;
		struct hang_meeting meeting;
	} *s = hang_shared(sizeof(*s));
	pthread_mutexattr_t a;

	pthread_mutexattr_init(&a);
	pthread_mutexattr_setpshared(&a, PTHREAD_PROCESS_SHARED);
	pthread_mutex_init(&s->lock, &a);
	if (first_of_a_namespace("sn-owner")) {
		pthread_mutex_lock(&s->lock);
		hang_meet(&s->meeting, 2);
		rest_for_long();
	}
	if (first_of_a_namespace("sn-waiter")) {
		hang_meet(&s->meeting, 2);
		pthread_mutex_lock(&s->lock);
		hang_got_past();
	}
	hang_wait_for_all();
}

/* ---- the end of a child is a signal ---- */

static int told[2];

static void on_child(int sig)
{
	(void)sig;
	hang_must(write(told[1], "", 1) == 1, "write");
}

static void *rest(void *arg)
{
	rest_for_long();
	return arg;
}

/* It reads what only its handler writes, when a child ends whose first thread has ended long ago. */
void case_child_handler(void)
{
	hang_pipe(told);
	signal(SIGCHLD, on_child);
	if (hang_member("ch-child")) {
		close(told[0]);
		close(told[1]);
		hang_thread(rest, NULL);
		pthread_exit(NULL);
	}
	prctl(PR_SET_NAME, "ch-parent");
	hang_must(read(told[0], hang_block, 1) < 0, "read");
	hang_got_past();
}

/* One waits for what another will write when its signalfd tells of the end of a child, which rests. */
void case_child_signalfd(void)
{
	struct signalfd_siginfo info;
	sigset_t set;
	int p[2];

	hang_pipe(p);
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, NULL);
	if (hang_member("cs-child")) {
		close(p[0]);
		close(p[1]);
		rest_for_long();
	}
	if (hang_member("cs-reader")) {
		close(p[1]);
		hang_drain(p[0]);
		hang_got_past();
	}
	close(p[0]);
	prctl(PR_SET_NAME, "cs-parent");
	hang_must(read(signalfd(-1, &set, 0), &info, sizeof(info)) < 0, "read");
	hang_got_past();
}
