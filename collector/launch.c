// SPDX-License-Identifier: GPL-2.0-or-later
#include "launch.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "collector/procfs.h"

static void child_quiet(void)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (null < 0)
		return;
	dup2(null, STDIN_FILENO);
	dup2(null, STDOUT_FILENO);
	dup2(null, STDERR_FILENO);
}

/* In the child: waits for the byte that says go, then becomes the command. */
static void child_run(int go, int report, char *const *argv, bool quiet, const struct launch_prepare *prepare)
{
	char byte;
	if (read(go, &byte, 1) != 1)
		_exit(127);
	if (quiet)
		child_quiet();
	if (prepare)
		prepare->fn(prepare->arg);
	execvp(argv[0], argv);
	int err = errno;
	if (write(report, &err, sizeof(err)) < 0)
		_exit(126);
	_exit(err == ENOENT ? 127 : 126);
}

int launch_start(struct launch *l, char *const *argv, bool quiet, const struct launch_prepare *prepare,
		 struct fail *fail)
{
	int go[2], report[2];
	memset(l, 0, sizeof(*l));
	l->go_fd = l->err_fd = -1;
	if (pipe2(go, O_CLOEXEC))
		return fail_set(fail, errno, NULL, "cannot start '%s'", argv[0]);
	if (pipe2(report, O_CLOEXEC)) {
		int err = errno;
		close(go[0]);
		close(go[1]);
		return fail_set(fail, err, NULL, "cannot start '%s'", argv[0]);
	}
	pid_t pid = fork();
	if (pid == 0) {
		close(go[1]);
		close(report[0]);
		child_run(go[0], report[1], argv, quiet, prepare);
	}
	int err = errno;
	close(go[0]);
	close(report[1]);
	if (pid < 0) {
		close(go[1]);
		close(report[0]);
		return fail_set(fail, err, NULL, "cannot start '%s'", argv[0]);
	}
	l->pid = pid;
	l->go_fd = go[1];
	l->err_fd = report[0];
	return 0;
}

static void note_status(struct launch *l, int wstatus)
{
	l->exited = true;
	l->status = WIFSIGNALED(wstatus) ? 128 + WTERMSIG(wstatus) : WEXITSTATUS(wstatus);
}

static void reap(struct launch *l)
{
	int wstatus;
	pid_t pid;
	do
		pid = waitpid(l->pid, &wstatus, 0);
	while (pid < 0 && errno == EINTR);
	if (pid == l->pid)
		note_status(l, wstatus);
}

int launch_release(struct launch *l, char *const *argv, struct fail *fail)
{
	int err = 0;
	ssize_t n;
	if (write(l->go_fd, "", 1) != 1)
		return fail_set(fail, errno, NULL, "cannot start '%s'", argv[0]);
	close(l->go_fd);
	l->go_fd = -1;
	/* a successful exec closes the other end: end of file */
	do
		n = read(l->err_fd, &err, sizeof(err));
	while (n < 0 && errno == EINTR);
	close(l->err_fd);
	l->err_fd = -1;
	if (n != sizeof(err))
		return 0;
	reap(l);
	return fail_set(fail, err, err == ENOENT ? "check the spelling, or give its path" : NULL,
			"cannot run '%s'", argv[0]);
}

bool launch_poll(struct launch *l)
{
	int wstatus;
	if (!l->pid || l->exited)
		return true;
	if (waitpid(l->pid, &wstatus, WNOHANG) == l->pid)
		note_status(l, wstatus);
	return l->exited;
}

#define TREE_MAX 4096

struct tree {
	int sig;
	size_t n;
	pid_t pids[TREE_MAX];
};

/* With everything below it that has not cut itself loose, parents first. */
static void tree_add(void *arg, uint32_t pid)
{
	struct tree *t = arg;
	bool fits = t->n < TREE_MAX;
	if (fits)
		t->pids[t->n++] = (pid_t)pid;
	procfs_children(pid, tree_add, t);
	if (!fits)
		kill((pid_t)pid, t->sig);
}

/* Parents first, too: a shell would else have the time to say that its child was ended. */
static void signal_tree(pid_t pid, int sig)
{
	struct tree t = { .sig = sig };
	tree_add(&t, (uint32_t)pid);
	for (size_t i = 0; i < t.n; i++)
		kill(t.pids[i], sig);
}

void launch_end(struct launch *l)
{
	if (launch_poll(l))
		return;
	signal_tree(l->pid, SIGTERM);
	for (int i = 0; i < 200 && !launch_poll(l); i++)
		nanosleep(&(struct timespec){ .tv_nsec = 10 * 1000 * 1000 }, NULL);
	if (launch_poll(l))
		return;
	signal_tree(l->pid, SIGKILL);
	reap(l);
}

void launch_close(struct launch *l)
{
	if (l->err_fd >= 0)
		close(l->err_fd);
	if (l->go_fd >= 0) {
		close(l->go_fd);
		if (l->pid && !l->exited)
			reap(l); /* it was held, and exits by itself */
	}
	l->go_fd = l->err_fd = -1;
}
