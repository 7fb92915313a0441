// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Programs executed. Into one that loads no libraries, or gains privileges, the shim does not come, and one
 * made by Go does not call libc: its name is told beforehand, for afterwards there is nobody to tell it.
 */
#include <elf.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "collector/shim/names.h"
#include "collector/shim/shim.h"

extern char **environ;

/* ---- what is to be executed ---- */

#define NOTES_MAX 4096

/* A note of Go's linker: what it made makes its calls itself, though it may load libraries for other things. */
static bool is_go(int fd, const Elf64_Phdr *p)
{
	uint8_t notes[NOTES_MAX];
	size_t want = p->p_filesz < sizeof(notes) ? p->p_filesz : sizeof(notes), at = 0;
	long n = syscall(SYS_pread64, fd, notes, want, (long)p->p_offset);
	while (n > 0 && at + sizeof(Elf64_Nhdr) + 4 <= (size_t)n) {
		Elf64_Nhdr h;
		memcpy(&h, notes + at, sizeof(h));
		if (h.n_namesz == 4 && memcmp(notes + at + sizeof(h), "Go\0", 4) == 0)
			return true;
		at += sizeof(h) + (((uint64_t)h.n_namesz + 3) & ~3ULL) + (((uint64_t)h.n_descsz + 3) & ~3ULL);
	}
	return false;
}

/* An executable of this kind that names no interpreter is on its own. */
static bool is_on_its_own(int fd)
{
	Elf64_Ehdr h;
	Elf64_Phdr p;
	bool has_interpreter = false;
	if (syscall(SYS_pread64, fd, &h, sizeof(h), 0L) != sizeof(h) || memcmp(h.e_ident, ELFMAG, SELFMAG) != 0)
		return false; /* a script: its interpreter is what counts, and most are dynamic */
	if (h.e_ident[EI_CLASS] != ELFCLASS64 || h.e_phentsize != sizeof(p))
		return true; /* of another architecture: has libraries of its own */
	for (int i = 0; i < h.e_phnum && i < 64; i++) {
		if (syscall(SYS_pread64, fd, &p, sizeof(p), (long)(h.e_phoff + (uint64_t)i * sizeof(p))) != sizeof(p))
			continue;
		has_interpreter = has_interpreter || p.p_type == PT_INTERP;
		if (p.p_type == PT_NOTE && is_go(fd, &p))
			return true;
	}
	return !has_interpreter;
}

/* It would run, and without the shim. */
static bool is_out_of_reach(const char *path)
{
	struct stat st;
	if (faccessat(AT_FDCWD, path, X_OK, AT_EACCESS))
		return false;
	int fd = (int)syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0);
	bool out = false;
	if (fstatat(AT_FDCWD, path, &st, 0) == 0 && S_ISREG(st.st_mode))
		out = (st.st_mode & S_ISUID && st.st_uid != geteuid()) ||
		      (st.st_mode & S_ISGID && st.st_gid != getegid()) || (fd >= 0 && is_on_its_own(fd));
	if (fd >= 0)
		syscall(SYS_close, fd);
	return out;
}

/* As execvp looks for it; the name itself when it has a slash. */
static bool find(const char *name, struct path *p)
{
	const char *folders = getenv("PATH");
	path_begin(p, "");
	if (strchr(name, '/')) {
		path_append(p, name);
		return true;
	}
	for (const char *at = folders ? folders : "/bin:/usr/bin"; *at;) {
		size_t n = strcspn(at, ":");
		if (n && n < PATH_ROOM / 2) {
			memcpy(p->text, at, n);
			p->text[n] = '\0';
			p->len = n;
			path_add(p, name);
			if (faccessat(AT_FDCWD, p->text, X_OK, AT_EACCESS) == 0)
				return true;
		}
		at += n + (at[n] == ':');
	}
	return false;
}

/* Will the program find the shim, and the shim its collector? */
static bool has_env(char *const *env)
{
	bool folder = false, library = false;
	for (; env && *env; env++) {
		folder |= strncmp(*env, SHIM_ENV "=", sizeof(SHIM_ENV)) == 0;
		library |= strncmp(*env, "LD_PRELOAD=", 11) == 0 && strstr(*env, "libipctap-shim.so");
	}
	return folder && library;
}

/* Returns true, and the record to tell, when `name` will not be covered. */
static bool look(const char *name, bool search, char *const *env, struct ev_task *e)
{
	struct path p;
	int saved = errno;
	bool out = false;
	path_begin(&p, "");
	if (name && *name) {
		if (search)
			out = find(name, &p) && (is_out_of_reach(p.text) || !has_env(env));
		else
			path_append(&p, name), out = is_out_of_reach(p.text) || !has_env(env);
	}
	if (out) {
		*e = (struct ev_task){
			.hdr = { .type = EV_TASK, .size = sizeof(*e), .flags = SHIM_TASK_NOT_COVERED },
			.what = TASK_EXEC,
		};
		const char *last = strrchr(p.text, '/');
		last = last ? last + 1 : p.text;
		memcpy(e->comm, last, strnlen(last, sizeof(e->comm) - 1));
		memcpy(e->exe, p.text, strnlen(p.text, sizeof(e->exe) - 1));
	}
	errno = saved;
	return out;
}

/* In the child of vfork the ring is its parent's, which sleeps until the child has executed something. */
static struct shim_thread *ready(pid_t *pid)
{
	struct shim_thread *t = shim_ready();
	*pid = 0;
	if (t || !shim_self.vfork_pid || !shim_self.ring)
		return t;
	*pid = (pid_t)syscall(SYS_getpid);
	return &shim_self;
}

static void tell(struct shim_thread *t, struct ev_task *e, pid_t pid)
{
	e->pid = (uint32_t)pid;
	e->hdr.t_ns = shim_now();
	e->start_ns = t->ring->start_ns;
	shim_put(t, e, sizeof(*e), SHIM_LOST_CTL);
}

static void before_exec(const char *name, bool search, char *const *env)
{
	struct ev_task e;
	pid_t pid;
	struct shim_thread *t = ready(&pid);
	if (t && !shim_control->no_follow && look(name, search, env, &e))
		tell(t, &e, pid);
}

/* ---- the calls ---- */

#define EXEC(name, params, args, path, search, env)                                                     \
	SHIM_EXPORT int name params                                                                \
	{                                                                                          \
		before_exec(path, search, env);                                                         \
		return REAL(name) args;                                                            \
	}

EXEC(execve, (const char *path, char *const argv[], char *const env[]), (path, argv, env), path, false, env)
EXEC(execv, (const char *path, char *const argv[]), (path, argv), path, false, environ)
EXEC(execvp, (const char *file, char *const argv[]), (file, argv), file, true, environ)
EXEC(execvpe, (const char *file, char *const argv[], char *const env[]), (file, argv, env), file, true, env)
EXEC(fexecve, (int fd, char *const argv[], char *const env[]), (fd, argv, env), NULL, false, env)
EXEC(execveat, (int dir, const char *path, char *const argv[], char *const env[], int flags),
     (dir, path, argv, env, flags), path[0] == '/' ? path : NULL, false, env)

/* The arguments as an array, for those who give them one by one. `env`: behind them comes the environment. */
#define EXECL(name, with_env, call)                                                                \
	SHIM_EXPORT int name(const char *path, const char *arg, ...)                               \
	{                                                                                          \
		va_list ap;                                                                        \
		size_t n = 1;                                                                      \
		va_start(ap, arg);                                                                 \
		for (const char *a = arg; a; a = va_arg(ap, const char *))                         \
			n++;                                                                       \
		char *const *env = with_env ? va_arg(ap, char *const *) : environ;                 \
		va_end(ap);                                                                        \
		char *argv[n];                                                                     \
		va_start(ap, arg);                                                                 \
		argv[0] = (char *)arg;                                                             \
		for (size_t i = 1; i < n; i++)                                                     \
			argv[i] = va_arg(ap, char *);                                              \
		va_end(ap);                                                                        \
		return call(path, argv, env);                                                      \
	}

EXECL(execl, false, execve)
EXECL(execle, true, execve)
EXECL(execlp, false, execvpe)

#define SPAWN(name, search)                                                                        \
	SHIM_EXPORT int name(pid_t *pid, const char *path, const posix_spawn_file_actions_t *actions, \
			     const posix_spawnattr_t *attr, char *const argv[], char *const env[]) \
	{                                                                                          \
		struct ev_task e;                                                                  \
		pid_t unasked;                                                                     \
		pid = pid ? pid : &unasked;                                                        \
		struct shim_thread *t = shim_ready();                                              \
		bool out = t && !shim_control->no_follow && look(path, search, env, &e);                                            \
		int err = REAL(name)(pid, path, actions, attr, argv, env);                         \
		if (out && !err)                                                                   \
			tell(t, &e, *pid);                                                          \
		return err;                                                                        \
	}

SPAWN(posix_spawn, false)
SPAWN(posix_spawnp, true)

/* ---- children that are not to be traced ---- */

/*
 * What was put into the environment for us is taken out of it again, in place: this process has read
 * it, and nobody after it is to.
 */
void shim_exec_unfollow(void)
{
	char *preload = getenv("LD_PRELOAD");
	unsetenv(SHIM_ENV);
	char *rest = preload ? strchr(preload, ':') : NULL;
	if (rest)
		memmove(preload, rest + 1, strlen(rest + 1) + 1);
	else if (preload)
		unsetenv("LD_PRELOAD");
}
