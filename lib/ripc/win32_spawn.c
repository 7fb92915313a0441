// SPDX-License-Identifier: LGPL-2.1-or-later
/* CreatePipe, CreateProcess, the standard handles, and what passes from one process to the next. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "win32_cmdline.h"
#include "win32_process.h"

#define HEIRS_MAX 128
#define HEIR_TEXT 80 /* "65532:p:1023:c0000000:4:18446744073709551615;" and some */
#define HEIRS_NAME "RIPC_HANDLES"

/* ---- CreatePipe ---- */

BOOL CreatePipe(LPHANDLE hReadPipe, LPHANDLE hWritePipe, LPSECURITY_ATTRIBUTES lpPipeAttributes,
		DWORD nSize)
{
	struct w32_object *r, *w;
	bool inherit;
	int fds[2];

	if (!hReadPipe || !hWritePipe)
		return w32_result(ERROR_INVALID_PARAMETER);
	if (!w32_security(lpPipeAttributes, &inherit))
		return FALSE;
	if (pipe2(fds, O_CLOEXEC) < 0)
		return w32_result(w32_error_of(errno));
	if (nSize) /* "only a suggestion" */
		fcntl(fds[1], F_SETPIPE_SZ, nSize > INT_MAX ? INT_MAX : (int)nSize);
	r = w32_file_of_fd(fds[0], GENERIC_READ, &w32_pipe_type);
	w = w32_file_of_fd(fds[1], GENERIC_WRITE, &w32_pipe_type);
	if (!r || !w) {
		w32_object_put(r);
		w32_object_put(w);
		return FALSE;
	}
	*hReadPipe = w32_handle_new(r, inherit);
	if (!*hReadPipe) {
		w32_object_put(w);
		return FALSE;
	}
	*hWritePipe = w32_handle_new(w, inherit);
	if (!*hWritePipe)
		CloseHandle(*hReadPipe);
	return *hWritePipe != NULL;
}

/* ---- the standard handles ---- */

static pthread_mutex_t std_lock = PTHREAD_MUTEX_INITIALIZER;
static HANDLE std_handle[3];
static bool std_known[3];

static HANDLE std_of_fd(int fd)
{
	int copy = fcntl(fd, F_DUPFD_CLOEXEC, 3), flags = fcntl(fd, F_GETFL);
	struct w32_object *o;
	struct stat st;
	DWORD access;

	if (copy < 0 || flags < 0 || fstat(copy, &st) < 0) {
		if (copy >= 0)
			close(copy);
		return NULL; /* "no standard handles: NULL" */
	}
	flags &= O_ACCMODE;
	access = flags == O_RDONLY   ? GENERIC_READ
		 : flags == O_WRONLY ? GENERIC_WRITE
				     : GENERIC_READ | GENERIC_WRITE;
	o = w32_file_of_fd(copy, access, S_ISFIFO(st.st_mode) ? &w32_pipe_type : &w32_file_type);
	return o ? w32_handle_new(o, true) : NULL;
}

HANDLE GetStdHandle(DWORD nStdHandle)
{
	DWORD i = STD_INPUT_HANDLE - nStdHandle;
	HANDLE h;

	if (i > 2) {
		SetLastError(ERROR_INVALID_PARAMETER);
		return INVALID_HANDLE_VALUE;
	}
	pthread_mutex_lock(&std_lock);
	if (!std_known[i]) {
		std_handle[i] = std_of_fd((int)i);
		std_known[i] = std_handle[i] != NULL;
	}
	h = std_handle[i];
	pthread_mutex_unlock(&std_lock);
	return h;
}

BOOL SetStdHandle(DWORD nStdHandle, HANDLE hHandle)
{
	DWORD i = STD_INPUT_HANDLE - nStdHandle;

	if (i > 2)
		return w32_result(ERROR_INVALID_PARAMETER);
	pthread_mutex_lock(&std_lock);
	std_handle[i] = hHandle;
	std_known[i] = true;
	pthread_mutex_unlock(&std_lock);
	return TRUE;
}

void GetStartupInfo(LPSTARTUPINFO lpStartupInfo)
{
	memset(lpStartupInfo, 0, sizeof(*lpStartupInfo));
	lpStartupInfo->cb = sizeof(*lpStartupInfo);
	lpStartupInfo->hStdInput = GetStdHandle(STD_INPUT_HANDLE);
	lpStartupInfo->hStdOutput = GetStdHandle(STD_OUTPUT_HANDLE);
	lpStartupInfo->hStdError = GetStdHandle(STD_ERROR_HANDLE);
}

/* ---- inheritance ---- */

/* RIPC_HANDLES=value:letter:fd:access:protect:size;… */
static int heirs_print(char *buf, size_t size, const struct w32_heir *heirs, int n)
{
	int len = snprintf(buf, size, "%s=", HEIRS_NAME);

	for (int i = 0; i < n; i++)
		len += snprintf(buf + len, size - (size_t)len, "%lx:%c:%d:%x:%x:%llx;",
				(unsigned long)(uintptr_t)heirs[i].h, heirs[i].letter, heirs[i].fd,
				heirs[i].access, heirs[i].protect,
				(unsigned long long)heirs[i].size);
	return len;
}

static void adopt(const struct w32_heir *heir)
{
	struct w32_object *o;

	if (heir->fd < 3 || fcntl(heir->fd, F_SETFD, FD_CLOEXEC) < 0)
		return;
	if (heir->letter == 'm')
		o = w32_map_adopt(heir);
	else
		o = heir->letter == 'p' || heir->letter == 'f' ? w32_file_adopt(heir) : NULL;
	if (o && !w32_handle_adopt(heir->h, o))
		w32_object_put(o);
}

/*
 * Before main, so that nobody else reads the environment meanwhile. It may hold anything: a
 * descriptor is taken only when it is open and what it is said to be. The variable goes, since the
 * descriptors are not our children's any more.
 */
static void __attribute__((constructor)) adopt_all(void)
{
	const char *text = getenv(HEIRS_NAME);
	struct w32_heir heir;
	unsigned long value;
	unsigned long long size;
	int len, n = 0;

	if (!text)
		return;
	while (n++ < HEIRS_MAX && sscanf(text, "%8lx:%c:%9d:%8x:%8x:%16llx;%n", &value, &heir.letter,
					 &heir.fd, &heir.access, &heir.protect, &size, &len) == 6) {
		heir.h = (HANDLE)value;
		heir.size = size;
		adopt(&heir);
		text += len;
	}
	unsetenv(HEIRS_NAME);
}

/* ---- CreateProcess ---- */

struct launch {
	posix_spawn_file_actions_t actions;
	struct w32_heir heirs[HEIRS_MAX];
	int nheirs;
	int std[3]; /* descriptors for 0, 1, 2, ours to close; −1: as it is */
	char heirs_text[sizeof(HEIRS_NAME) + 1 + HEIRS_MAX * HEIR_TEXT];
	char **envp;
};

static int std_fd(HANDLE h)
{
	struct w32_object *o;
	DWORD flags;
	int fd;

	if (!h || h == INVALID_HANDLE_VALUE)
		return open("/dev/null", O_RDWR | O_CLOEXEC);
	if (!GetHandleInformation(h, &flags) || !(flags & HANDLE_FLAG_INHERIT)) {
		errno = EBADF;
		return -1;
	}
	o = w32_handle_get(h, NULL);
	if (!o || (o->type != &w32_file_type && o->type != &w32_pipe_type)) {
		w32_object_put(o);
		errno = EBADF;
		return -1;
	}
	fd = fcntl(o->fd, F_DUPFD_CLOEXEC, 3);
	w32_object_put(o);
	return fd;
}

static int launch_std(struct launch *l, const STARTUPINFO *si)
{
	const HANDLE h[3] = {si->hStdInput, si->hStdOutput, si->hStdError};
	int err;

	for (int i = 0; i < 3; i++) {
		l->std[i] = std_fd(h[i]);
		if (l->std[i] < 0)
			return -errno;
		err = posix_spawn_file_actions_adddup2(&l->actions, l->std[i], i);
		if (err)
			return -err;
	}
	return 0;
}

/* dup2 of a descriptor onto itself takes its O_CLOEXEC away, in the child only. */
static int launch_heirs(struct launch *l)
{
	int n = w32_heirs(l->heirs, HEIRS_MAX), err = 0;

	if (n < 0)
		return n;
	l->nheirs = n;
	for (int i = 0; i < n && !err; i++)
		err = posix_spawn_file_actions_adddup2(&l->actions, l->heirs[i].fd, l->heirs[i].fd);
	heirs_print(l->heirs_text, sizeof(l->heirs_text), l->heirs, n);
	return -err;
}

/* The child's environment: what was given or ours, with our variable in place of any there. */
static int launch_env(struct launch *l, const char *block)
{
	size_t n = 0, max = 2;

	if (block)
		for (const char *s = block; *s; s += strlen(s) + 1)
			max++;
	else
		for (char **e = environ; *e; e++)
			max++;
	l->envp = calloc(max, sizeof(*l->envp));
	if (!l->envp)
		return -ENOMEM;
	for (size_t i = 0; block ? *block : environ[i] != NULL; i++) {
		char *s = block ? (char *)(uintptr_t)block : environ[i];

		if (block)
			block += strlen(block) + 1;
		if (strncmp(s, HEIRS_NAME "=", sizeof(HEIRS_NAME)) != 0)
			l->envp[n++] = s;
	}
	if (l->nheirs)
		l->envp[n++] = l->heirs_text;
	return 0;
}

static void launch_release(struct launch *l)
{
	posix_spawn_file_actions_destroy(&l->actions);
	for (int i = 0; i < l->nheirs; i++)
		close(l->heirs[i].fd);
	for (int i = 0; i < 3; i++)
		if (l->std[i] >= 0)
			close(l->std[i]);
	free(l->envp);
	free(l);
}

static int launch_new(struct launch **result, BOOL inherits, const STARTUPINFO *si, LPVOID env,
		      LPCSTR dir)
{
	struct launch *l = calloc(1, sizeof(*l));
	int err;

	*result = l;
	if (!l)
		return -ENOMEM;
	l->std[0] = l->std[1] = l->std[2] = -1;
	err = -posix_spawn_file_actions_init(&l->actions);
	if (!err && inherits)
		err = launch_heirs(l);
	if (!err && si && (si->dwFlags & STARTF_USESTDHANDLES))
		err = launch_std(l, si);
	if (!err && dir)
		err = -posix_spawn_file_actions_addchdir_np(&l->actions, dir);
	return err ? err : launch_env(l, env);
}

/* Signals begin as usual in the child: what we ignore or block is no business of it. */
static int spawn_it(pid_t *pid, const char *app, char **argv, const struct launch *l)
{
	posix_spawnattr_t attr;
	sigset_t none, dfl;
	int err = posix_spawnattr_init(&attr);

	if (err)
		return -err;
	sigemptyset(&none);
	sigemptyset(&dfl);
	sigaddset(&dfl, SIGPIPE);
	posix_spawnattr_setsigmask(&attr, &none);
	posix_spawnattr_setsigdefault(&attr, &dfl);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	err = app ? posix_spawn(pid, app, &l->actions, &attr, argv, l->envp)
		  : posix_spawnp(pid, argv[0], &l->actions, &attr, argv, l->envp);
	posix_spawnattr_destroy(&attr);
	return -err;
}

static DWORD process_handles(PROCESS_INFORMATION *pi, pid_t pid, bool inherit_p, bool inherit_t)
{
	int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	struct w32_object *o = pidfd < 0 ? NULL : w32_process_new(pid, pidfd);

	if (!o) { /* a process that nobody can wait for is not left behind */
		DWORD error = pidfd < 0 ? w32_error_of(errno) : ERROR_NOT_ENOUGH_MEMORY;

		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		if (pidfd >= 0)
			close(pidfd);
		return error;
	}
	atomic_fetch_add(&o->refs, 1);
	pi->hProcess = w32_handle_new(o, inherit_p);
	pi->hThread = w32_handle_new(o, inherit_t);
	pi->dwProcessId = pi->dwThreadId = (DWORD)pid;
	if (pi->hProcess && pi->hThread)
		return 0;
	kill(pid, SIGKILL);
	if (pi->hProcess)
		CloseHandle(pi->hProcess);
	return ERROR_TOO_MANY_OPEN_FILES;
}

/* Why a spawn failed: some errors belong to the folder. */
static DWORD spawn_error(int err, LPCSTR dir)
{
	struct stat st;

	if (dir && (stat(dir, &st) < 0 || !S_ISDIR(st.st_mode)))
		return ERROR_DIRECTORY;
	return w32_error_of(err);
}

BOOL CreateProcess(LPCSTR lpApplicationName, LPCSTR lpCommandLine,
		   LPSECURITY_ATTRIBUTES lpProcessAttributes,
		   LPSECURITY_ATTRIBUTES lpThreadAttributes, BOOL bInheritHandles,
		   DWORD dwCreationFlags, LPVOID lpEnvironment, LPCSTR lpCurrentDirectory,
		   LPSTARTUPINFO lpStartupInfo, LPPROCESS_INFORMATION lpProcessInformation)
{
	const STARTUPINFO *si = lpStartupInfo;
	bool inherit_p, inherit_t;
	struct launch *l = NULL;
	char *alone[2] = {(char *)(uintptr_t)lpApplicationName, NULL}, **argv = alone;
	pid_t pid;
	int err;

	if ((!lpApplicationName && !lpCommandLine) || !lpProcessInformation ||
	    (si && (si->dwFlags & STARTF_USESTDHANDLES) && !bInheritHandles))
		return w32_result(ERROR_INVALID_PARAMETER);
	if (dwCreationFlags)
		return w32_result(ERROR_NOT_SUPPORTED);
	if (!w32_security(lpProcessAttributes, &inherit_p) ||
	    !w32_security(lpThreadAttributes, &inherit_t))
		return FALSE;
	w32_process_collect();
	if (lpCommandLine)
		argv = w32_cmdline_split(lpCommandLine);
	err = argv ? launch_new(&l, bInheritHandles, si, lpEnvironment, lpCurrentDirectory)
		   : -ENOMEM;
	if (!err && !lpApplicationName && !*argv[0])
		err = -ENOENT;
	if (!err)
		err = spawn_it(&pid, lpApplicationName, argv, l);
	if (l)
		launch_release(l);
	if (argv != alone)
		free(argv);
	if (err)
		return w32_result(spawn_error(err, lpCurrentDirectory));
	return w32_result(process_handles(lpProcessInformation, pid, inherit_p, inherit_t));
}
