// SPDX-License-Identifier: GPL-2.0-or-later
/* The process that gives the terminal back after kill -9; see guard.h. */
#include "ui/tui/guard.h"

#include <errno.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static pid_t guard_pid;

static bool same_modes(const struct termios *a, const struct termios *b)
{
	return a->c_iflag == b->c_iflag && a->c_oflag == b->c_oflag && a->c_cflag == b->c_cflag &&
	       a->c_lflag == b->c_lflag && __builtin_memcmp(a->c_cc, b->c_cc, sizeof(a->c_cc)) == 0;
}

static void give_back(const struct guard *g)
{
	struct termios now;
	ssize_t n = write(STDOUT_FILENO, g->undo, g->undo_len);

	(void)n; /* there is nothing else that could be done */
	if (tcgetattr(STDIN_FILENO, &now) == 0 && same_modes(&now, &g->ours))
		tcsetattr(STDIN_FILENO, TCSANOW, &g->found);
}

/*
 * The child of a process with threads: only what is safe in a signal handler. All signals are blocked
 * since before the fork, SIGTTOU among them, so that a process in the background may set modes.
 */
static _Noreturn void guard_run(const struct guard *g, pid_t parent)
{
	sigset_t death;
	int sig;

	setpgid(0, 0); /* ^C, ^Z and kill %1 are for the others */
	prctl(PR_SET_NAME, "ipctap-guard");
	close_range(STDERR_FILENO, ~0u, 0);
	sigemptyset(&death);
	sigaddset(&death, SIGUSR1);
	if (prctl(PR_SET_PDEATHSIG, SIGUSR1) == 0)
		while (getppid() == parent)
			sigwait(&death, &sig);
	if (g->is_on && getppid() != parent)
		give_back(g);
	_exit(0);
}

struct guard *guard_start(const struct guard *how)
{
	struct guard *g = mmap(NULL, sizeof(*g), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
			       -1, 0);
	pid_t parent = getpid();
	sigset_t all, before;

	if (g == MAP_FAILED)
		return NULL;
	*g = *how;
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &before);
	guard_pid = fork();
	if (guard_pid == 0)
		guard_run(g, parent);
	sigprocmask(SIG_SETMASK, &before, NULL);
	if (guard_pid > 0)
		return g;
	munmap(g, sizeof(*g));
	return NULL;
}

void guard_stop(struct guard *g)
{
	if (!g)
		return;
	g->is_on = false;
	kill(guard_pid, SIGKILL);
	while (waitpid(guard_pid, NULL, 0) < 0 && errno == EINTR)
		;
	munmap(g, sizeof(*g));
}
