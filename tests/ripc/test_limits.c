// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What happens when something runs out: identifiers, holders, descriptors, memory, room on the disk.
 * The error that the headers name; nothing half made is left; and it works again with more.
 */
#include <limits.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/resource.h>

#include "lib/ripc/ripc.h"
#include "lib/ripc/ripc_pipe.h"
#include "lib/ripc/ripc_sysv.h"
#include "lib/ripc/ripc_win32.h"
#include "tests/ripc/tap.h"

#define MIB (1ul << 20)

/* ---- identifiers ---- */

/* Files that count as such, though nothing is in them; or their removal. */
static void fill(const char *type, int n, bool make)
{
	char path[128];
	for (int i = 0; i < n; i++) {
		snprintf(path, sizeof(path), "%s/%s.i%d", tap_dir, type, i + 1);
		int fd = make ? open(path, O_CREAT | O_WRONLY, 0600) : unlink(path);
		if (fd > 0)
			close(fd);
	}
}

static void identifiers(void)
{
	fill("msq", RIPC_MSGMNI - 1, true);
	int q = ripc_msgget(IPC_PRIVATE, 0600);
	OK(q >= 0, "msgget: MSGMNI queues");
	FAILS(ripc_msgget(IPC_PRIVATE, 0600), ENOSPC, "msgget: one more: ENOSPC");
	FAILS(ripc_msgget(0x4c, 0600 | IPC_CREAT), ENOSPC, "msgget: with a key, too");
	ripc_msgctl(q, IPC_RMID, NULL);
	q = ripc_msgget(0x4c, 0600 | IPC_CREAT);
	OK(q >= 0, "msgget: one is gone: again");
	IS(ripc_msgget(0x4c, 0), q, "msgget: what is there is found whatever the number");
	ripc_msgctl(q, IPC_RMID, NULL);
	fill("msq", RIPC_MSGMNI - 1, false);

	fill("shm", RIPC_SHMMNI - 1, true);
	int s = ripc_shmget(IPC_PRIVATE, 1, 0600);
	OK(s >= 0, "shmget: SHMMNI segments");
	FAILS(ripc_shmget(IPC_PRIVATE, 1, 0600), ENOSPC, "shmget: one more: ENOSPC");
	ripc_shmctl(s, IPC_RMID, NULL);
	s = ripc_shmget(IPC_PRIVATE, 1, 0600);
	OK(s >= 0, "shmget: one is gone: again");
	ripc_shmctl(s, IPC_RMID, NULL);
	fill("shm", RIPC_SHMMNI - 1, false);
}

/* ---- holders ---- */

static void holders(void)
{
	struct ripc_pipe_end *r, *w, *copy[RIPC_PIPE_PROCESSES] = {NULL};
	int n = 1;
	IS(ripc_pipe_create(&r, &w, 0), 0, "(a pipe)");
	while (n < RIPC_PIPE_PROCESSES && ripc_pipe_dup(&copy[n], w) == 0)
		n++;
	IS(n, RIPC_PIPE_PROCESSES, "as many hold an end as it says");
	IS(ripc_pipe_dup(&copy[0], w), -EUSERS, "one more: EUSERS");
	ripc_pipe_close(copy[1]);
	IS(ripc_pipe_dup(&copy[1], w), 0, "one is closed: again");
	for (int i = 0; i < RIPC_PIPE_PROCESSES; i++)
		ripc_pipe_close(copy[i]);
	ripc_pipe_close(w);
	IS(ripc_pipe_read(r, &(char){0}, 1), 0, "and with the last the end");
	ripc_pipe_close(r);

	struct ripc_semaphore *s[497];
	for (n = 0; n < 497 && ripc_semaphore_open(&s[n], "h", 1, 0, RIPC_CREATE, 0) >= 0; n++)
		;
	IS(n, 496, "an object has 496 holders");
	IS(ripc_semaphore_open(&s[n], "h", 1, 0, RIPC_CREATE, 0), -EUSERS, "one more: EUSERS");
	ripc_semaphore_close(s[--n]);
	IS(ripc_semaphore_open(&s[n], "h", 1, 0, RIPC_CREATE, 0), 0, "one is closed: again");
	for (; n >= 0; n--)
		ripc_semaphore_close(s[n]);
}

/* ---- descriptors and memory: what a child is let have ---- */

/* RLIM_INFINITY: as much as it may have */
static void limit(int what, rlim_t to)
{
	struct rlimit r;
	getrlimit(what, &r);
	r.rlim_cur = to < r.rlim_max ? to : r.rlim_max;
	setrlimit(what, &r);
}

static int buffer_of(size_t room)
{
	struct ripc_buffer *b;
	const struct ripc_buffer_shape shape = {.message_bytes = 64, .room_bytes = room};
	int r = ripc_buffer_open(&b, "l", &shape, RIPC_CREATE, 0);
	ripc_buffer_close(b);
	return r;
}

static DWORD of_handle(HANDLE h)
{
	if (h && h != INVALID_HANDLE_VALUE)
		CloseHandle(h);
	return h && h != INVALID_HANDLE_VALUE ? 0 : GetLastError();
}

static DWORD create_file(void)
{
	return of_handle(CreateFile("/dev/null", GENERIC_READ, FILE_SHARE_READ, NULL, OPEN_EXISTING, 0, NULL));
}

static DWORD create_pipe_instance(void)
{
	return of_handle(CreateNamedPipe("\\\\.\\pipe\\l", PIPE_ACCESS_DUPLEX, 0, 1, 0, 0, 0, NULL));
}

/* Each is the number of the first that was wrong. */
static int no_descriptor(void *arg)
{
	HANDLE r, w;
	int id = *(int *)arg, next = dup(0);
	close(next);
	limit(RLIMIT_NOFILE, (rlim_t)next);
	if (buffer_of(MIB) != -EMFILE)
		return 1;
	if (init_semaphore(1, "l") || errno != EMFILE)
		return 2;
	if (ripc_msgget(IPC_PRIVATE, 0600) != -1 || errno != EMFILE)
		return 3;
	if (ripc_shmget(IPC_PRIVATE, 10, 0600) != -1 || errno != EMFILE)
		return 4;
	if (ripc_shmat(id, NULL, 0) != (void *)-1 || errno != EMFILE)
		return 5;
	if (create_file() != ERROR_TOO_MANY_OPEN_FILES)
		return 6;
	if (CreatePipe(&r, &w, NULL, 0) || GetLastError() != ERROR_TOO_MANY_OPEN_FILES)
		return 7;
	if (create_pipe_instance() != ERROR_TOO_MANY_OPEN_FILES)
		return 8;
	limit(RLIMIT_NOFILE, RLIM_INFINITY);
	void *p = ripc_shmat(id, NULL, 0);
	return buffer_of(MIB) != 1 || p == (void *)-1 || create_file() || create_pipe_instance() ? 9 : 0;
}

#ifndef __SANITIZE_ADDRESS__ /* which has taken more address space than there is */
static int no_memory(void *arg)
{
	struct ripc_pipe_end *r, *w;
	int id = *(int *)arg;
	HANDLE m = CreateFileMapping(INVALID_HANDLE_VALUE, NULL, PAGE_READWRITE, 0, 512 * MIB, "l");
	if (!m)
		return 1;
	limit(RLIMIT_AS, 128 * MIB);
	if (buffer_of(256 * MIB) != -ENOMEM)
		return 2;
	int err = 0;
	for (int i = 0; i < 3 && !err; i++)
		err = ripc_pipe_create(&r, &w, RIPC_PIPE_MAX);
	if (err != -ENOMEM)
		return 3;
	if (ripc_shmat(id, NULL, 0) != (void *)-1 || errno != ENOMEM)
		return 4;
	if (MapViewOfFile(m, FILE_MAP_WRITE, 0, 0, 0) || GetLastError() != ERROR_NOT_ENOUGH_MEMORY)
		return 5;
	limit(RLIMIT_AS, RLIM_INFINITY);
	void *p = ripc_shmat(id, NULL, 0);
	void *view = MapViewOfFile(m, FILE_MAP_WRITE, 0, 0, 0);
	bool works = buffer_of(256 * MIB) == 1 && p != (void *)-1 && UnmapViewOfFile(view);
	return works && CloseHandle(m) ? 0 : 6;
}
#endif

static void of_the_process(void)
{
	int id = ripc_shmget(IPC_PRIVATE, 256 * MIB, 0600);
	IS(tap_wait(tap_fork(no_descriptor, &id)), 0, "no descriptor: EMFILE, ERROR_TOO_MANY_OPEN_FILES");
#ifndef __SANITIZE_ADDRESS__
	IS(tap_wait(tap_fork(no_memory, &id)), 0, "no memory: ENOMEM, ERROR_NOT_ENOUGH_MEMORY");
#else
	printf("ok %d # SKIP no limit of memory under AddressSanitizer\n", ++tap_done);
#endif
	IS(ripc_shmctl(id, IPC_RMID, NULL), 0, "(the segment)");
}

/* ---- the disk ---- */

static int write_one(HANDLE h)
{
	DWORD n;
	return WriteFile(h, "x", 1, &n, NULL) ? 0 : (int)GetLastError();
}

/* A file system of its own, of 32 pages. 77: not allowed */
static int small_disk(void *arg)
{
	struct ripc_semaphore *s[64];
	char name[16];
	int n = 0, err = 0;
	(void)arg;
	if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("tmpfs", tap_dir, "tmpfs", 0, "size=131072"))
		return 77;
	if (buffer_of(256 * MIB) != -ENOSPC || tap_files(true))
		return 1;
	for (; n < 64; n++) {
		snprintf(name, sizeof(name), "s%d", n);
		err = ripc_semaphore_open(&s[n], name, 1, 0, RIPC_CREATE, 0);
		if (err < 0)
			break;
	}
	if (err != -ENOSPC || n < 2 || tap_files(false) != n)
		return 2;
	if (ripc_msgget(IPC_PRIVATE, 0600) != -1 || errno != ENOSPC || tap_files(false) != n)
		return 3;
	if (of_handle(CreateFileMapping(INVALID_HANDLE_VALUE, NULL, PAGE_READWRITE, 0, MIB, "m")) !=
		    ERROR_NOT_ENOUGH_MEMORY ||
	    tap_files(false) != n)
		return 4;
	for (int i = 0; i < n; i++) {
		if (ripc_semaphore_try(s[i]))
			return 5;
		ripc_semaphore_close(s[i]);
	}
	return tap_files(true) || ripc_semaphore_open(&s[0], "s", 1, 0, RIPC_CREATE, 0) != 1 ? 6 : 0;
}

/* Files of one page at most */
static int small_files(void *arg)
{
	char path[128];
	DWORD n;
	(void)arg;
	snprintf(path, sizeof(path), "%s/.file", tap_dir);
	signal(SIGXFSZ, SIG_IGN);
	limit(RLIMIT_FSIZE, 4096);
	HANDLE h = CreateFile(path, GENERIC_READ | GENERIC_WRITE, 0, NULL, CREATE_NEW, 0, NULL);
	if (h == INVALID_HANDLE_VALUE)
		return 1;
	if (CreateFileMapping(h, NULL, PAGE_READWRITE, 0, 4097, NULL) || GetLastError() != ERROR_DISK_FULL)
		return 2;
	if (!WriteFile(h, (char[4096]){0}, 4096, &n, NULL) || write_one(h) != ERROR_FILE_TOO_LARGE)
		return 3;
	HANDLE m = CreateFileMapping(h, NULL, PAGE_READWRITE | SEC_COMMIT, 0, 4096, NULL);
	return m && MapViewOfFile(m, FILE_MAP_WRITE, 0, 0, 0) ? 0 : 4;
}

static void disk(void)
{
	int r = tap_wait(tap_fork(small_disk, NULL));
	if (r == 77)
		printf("ok %d # SKIP needs root\n", ++tap_done);
	else
		IS(r, 0, "a full file system: ENOSPC, and what was there works on");
	IS(tap_wait(tap_fork(small_files, NULL)), 0, "files that may not grow: ERROR_DISK_FULL, FILE_TOO_LARGE");
	HANDLE full = CreateFile("/dev/full", GENERIC_WRITE, FILE_SHARE_WRITE, NULL, OPEN_EXISTING, 0, NULL);
	IS(write_one(full), ERROR_DISK_FULL, "a device without room: ERROR_DISK_FULL");
	CloseHandle(full);
}

int main(void)
{
	tap_begin(0700);
	identifiers();
	holders();
	of_the_process();
	disk();
	return tap_end();
}
