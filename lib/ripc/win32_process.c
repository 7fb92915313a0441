// SPDX-License-Identifier: LGPL-2.1-or-later
/* Processes as objects: waiting for their end, their exit codes. (Starting them: win32_spawn.c.) */
#include "win32_process.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct process {
	struct w32_object base; /* fd: a pidfd, readable once the process has ended */
	pthread_mutex_t lock;
	pid_t pid;
	bool ended, killed;
	DWORD code, kill_code;
	struct process *next_orphan;
};

/* Closed handles of running processes: someone must still collect those when they end. */
static pthread_mutex_t orphans_lock = PTHREAD_MUTEX_INITIALIZER;
static struct process *orphans;

/* With p->lock held (or nobody else knowing p): collects the process if it has ended. */
static bool has_ended(struct process *p)
{
	int status;

	if (p->ended)
		return true;
	if (waitpid(p->pid, &status, WNOHANG) == 0)
		return false;
	/* A failure means that another part of the program has collected it: its code is lost. */
	p->ended = true;
	if (p->killed)
		p->code = p->kill_code;
	else
		p->code = WIFSIGNALED(status) ? 128 + (DWORD)WTERMSIG(status)
					      : (DWORD)WEXITSTATUS(status);
	return true;
}

static void process_free(struct process *p)
{
	close(p->base.fd);
	pthread_mutex_destroy(&p->lock);
	free(p);
}

void w32_process_collect(void)
{
	pthread_mutex_lock(&orphans_lock);
	for (struct process **at = &orphans; *at;) {
		struct process *p = *at;

		if (has_ended(p)) {
			*at = p->next_orphan;
			process_free(p);
		} else {
			at = &p->next_orphan;
		}
	}
	pthread_mutex_unlock(&orphans_lock);
}

static void process_destroy(struct w32_object *o)
{
	struct process *p = (struct process *)o;

	w32_process_collect();
	if (has_ended(p)) {
		process_free(p);
		return;
	}
	pthread_mutex_lock(&orphans_lock);
	p->next_orphan = orphans;
	orphans = p;
	pthread_mutex_unlock(&orphans_lock);
}

static uint64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

/* poll(2) that goes on after signals. Returns as poll does. */
static int poll_until(int fd, DWORD ms)
{
	uint64_t end = now_ms() + ms;

	for (;;) {
		struct pollfd pfd = {.fd = fd, .events = POLLIN};
		uint64_t now = now_ms();
		uint64_t left = end > now ? end - now : 0;
		int n = poll(&pfd, 1, ms == INFINITE ? -1 : left > 1 << 30 ? 1 << 30 : (int)left);

		if (n > 0 || (n < 0 && errno != EINTR))
			return n;
		if (n == 0 && (left <= 1 << 30))
			return 0;
	}
}

static DWORD process_wait(struct w32_object *o, DWORD ms, DWORD *result)
{
	struct process *p = (struct process *)o;
	int n = poll_until(p->base.fd, ms);

	if (n < 0)
		return w32_error_of(errno);
	*result = n ? WAIT_OBJECT_0 : WAIT_TIMEOUT;
	if (n) {
		pthread_mutex_lock(&p->lock);
		has_ended(p);
		pthread_mutex_unlock(&p->lock);
	}
	return 0;
}

static const struct w32_type process_type = {
    .dies_in_fork = true,
    .destroy = process_destroy,
    .wait = process_wait,
};

struct w32_object *w32_process_new(pid_t pid, int pidfd)
{
	struct process *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	w32_object_init(&p->base, &process_type, 0, pidfd);
	pthread_mutex_init(&p->lock, NULL);
	p->pid = pid;
	return &p->base;
}

BOOL GetExitCodeProcess(HANDLE hProcess, LPDWORD lpExitCode)
{
	struct process *p;

	if (!lpExitCode)
		return w32_result(ERROR_INVALID_PARAMETER);
	p = (struct process *)w32_handle_get(hProcess, &process_type);
	if (!p)
		return FALSE;
	pthread_mutex_lock(&p->lock);
	*lpExitCode = has_ended(p) ? p->code : STILL_ACTIVE;
	pthread_mutex_unlock(&p->lock);
	w32_object_put(&p->base);
	return TRUE;
}

BOOL TerminateProcess(HANDLE hProcess, UINT uExitCode)
{
	struct process *p = (struct process *)w32_handle_get(hProcess, &process_type);
	DWORD error = 0;

	if (!p)
		return FALSE;
	pthread_mutex_lock(&p->lock);
	if (has_ended(p)) {
		error = ERROR_ACCESS_DENIED;
	} else if (kill(p->pid, SIGKILL) < 0) { /* not collected yet, so the pid is still its own */
		error = w32_error_of(errno);
	} else if (!p->killed) {
		p->killed = true;
		p->kill_code = uExitCode;
	}
	pthread_mutex_unlock(&p->lock);
	w32_object_put(&p->base);
	return w32_result(error);
}
