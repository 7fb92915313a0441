// SPDX-License-Identifier: GPL-2.0-or-later
#include "shim_folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define LIBRARY "libipctap-shim.so"
#define DEFAULT_DATA_BYTES (1u << 20)
#define FOLDER_PREFIX "ipctap-%u-"

/* ---- the library ---- */

static bool is_readable(char *buf, size_t size, const char *folder, const char *below)
{
	int n = snprintf(buf, size, "%s%s", folder, below);
	return n > 0 && (size_t)n < size && access(buf, R_OK) == 0;
}

/* Beside the program, as built; or where it was installed to. */
static int find_library(struct shim_folder *f, struct fail *fail)
{
	char self[4096];
	const char *asked = getenv("IPCTAP_SHIM_LIBRARY");
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	self[n > 0 ? n : 0] = '\0';
	char *slash = strrchr(self, '/');
	if (slash)
		*slash = '\0';
	if ((asked && is_readable(f->library, sizeof(f->library), asked, "")) ||
	    is_readable(f->library, sizeof(f->library), self, "/" LIBRARY) ||
	    is_readable(f->library, sizeof(f->library), self, "/../lib/ipctap/" LIBRARY))
		return 0;
	return fail_set(fail, ENOENT, "build it with `make`, or set IPCTAP_SHIM_LIBRARY to where it is",
			"cannot find %s", LIBRARY);
}

/* ---- the control page ---- */

static struct shim_control *control_map(int folder, int flags)
{
	struct stat st;
	int fd = openat(folder, SHIM_CONTROL, O_RDWR | O_CLOEXEC | O_NOFOLLOW | flags, 0600);
	if (fd < 0)
		return NULL;
	void *p = MAP_FAILED;
	if ((!flags || ftruncate(fd, SHIM_PAGE) == 0) && fstat(fd, &st) == 0 && st.st_size >= SHIM_PAGE)
		p = mmap(NULL, SHIM_PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	int saved = errno;
	close(fd);
	errno = saved;
	return p == MAP_FAILED ? NULL : p;
}

static void control_set(struct shim_control *c, const struct shim_folder_opts *o)
{
	c->snap_bytes = o->snap_bytes < EV_PAYLOAD_MAX ? o->snap_bytes : EV_PAYLOAD_MAX;
	c->no_follow = o->no_follow;
	c->data_bytes = o->data_bytes ? o->data_bytes : DEFAULT_DATA_BYTES;
	c->collector = (uint32_t)getpid();
	c->asleep = 0;
	if (!c->on) /* nobody looked for a while: who has ended meanwhile did what is not known */
		memset(c->ended, 0, sizeof(c->ended));
	c->generation++;
	c->version = SHIM_VERSION;
	c->magic = SHIM_MAGIC;
	__atomic_store_n(&c->on, 1, __ATOMIC_RELEASE);
}

/* ---- folders ---- */

static bool is_private(int fd)
{
	struct stat st;
	return fstat(fd, &st) == 0 && S_ISDIR(st.st_mode) && !(st.st_mode & 077) &&
	       (st.st_uid == geteuid() || geteuid() == 0);
}

/* Held for as long as we live, however we end: there is but one that reads. */
static bool is_free(int fd) { return flock(fd, LOCK_EX | LOCK_NB) == 0; }

static int env_of(uint32_t pid, char *buf, size_t size)
{
	char path[64];
	char *line = NULL;
	size_t room = 0;
	int err = -ENOENT;
	snprintf(path, sizeof(path), "/proc/%u/environ", pid);
	FILE *in = fopen(path, "re");
	if (!in)
		return -errno;
	while (err && getdelim(&line, &room, '\0', in) > 0)
		if (strncmp(line, SHIM_ENV "=", sizeof(SHIM_ENV)) == 0 &&
		    snprintf(buf, size, "%s", line + sizeof(SHIM_ENV)) < (int)size)
			err = 0;
	free(line);
	fclose(in);
	return err;
}

bool shim_folder_has(uint32_t pid)
{
	char path[sizeof(((struct shim_folder *)0)->path)];
	return env_of(pid, path, sizeof(path)) == 0;
}

bool shim_folder_is_shared(uint32_t pid, uint32_t other)
{
	char one[sizeof(((struct shim_folder *)0)->path)], two[sizeof(one)];
	return env_of(pid, one, sizeof(one)) == 0 && env_of(other, two, sizeof(two)) == 0 && strcmp(one, two) == 0;
}

static void remove_all(const char *path)
{
	DIR *dir = opendir(path);
	for (struct dirent *d; dir && (d = readdir(dir));)
		if (d->d_name[0] != '.')
			unlinkat(dirfd(dir), d->d_name, 0);
	if (dir)
		closedir(dir);
	rmdir(path);
}

static int is_process(const struct dirent *d) { return d->d_name[0] >= '1' && d->d_name[0] <= '9'; }

/* May a program that still runs tell of itself there, to whoever asks? */
static bool is_in_use(const char *folder)
{
	struct dirent **all;
	char theirs[PATH_MAX];
	bool used = false;
	int n = scandir("/proc", &all, is_process, NULL);
	for (int i = 0; i < n; i++) {
		used = used || (env_of((uint32_t)strtoul(all[i]->d_name, NULL, 10), theirs, sizeof(theirs)) == 0 &&
				strcmp(theirs, folder) == 0);
		free(all[i]);
	}
	if (n >= 0)
		free(all);
	return used || n < 0;
}

/* What collectors of ours that were killed have left at `place`, and nobody needs any more. */
static void sweep(const char *place)
{
	char prefix[32], path[PATH_MAX];
	DIR *dir = opendir(place);
	snprintf(prefix, sizeof(prefix), FOLDER_PREFIX, (unsigned int)getuid());
	for (struct dirent *d; dir && (d = readdir(dir));) {
		if (strncmp(d->d_name, prefix, strlen(prefix)) != 0)
			continue;
		snprintf(path, sizeof(path), "%s/%s", place, d->d_name);
		int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
		if (fd >= 0 && is_private(fd) && faccessat(fd, SHIM_CONTROL, F_OK, 0) == 0 && is_free(fd) &&
		    !is_in_use(path))
			remove_all(path);
		if (fd >= 0)
			close(fd);
	}
	if (dir)
		closedir(dir);
}

/* ---- making ---- */

int shim_folder_make(struct shim_folder *f, const struct shim_folder_opts *opts, struct fail *fail)
{
	static const char *const places[] = { "/dev/shm", "/tmp" };
	memset(f, 0, sizeof(*f));
	f->fd = -1;
	int err = find_library(f, fail);
	if (err)
		return err;
	for (size_t i = 0; i < sizeof(places) / sizeof(*places) && !f->is_ours; i++) {
		sweep(places[i]);
		snprintf(f->path, sizeof(f->path), "%s/" FOLDER_PREFIX "XXXXXX", places[i], (unsigned int)getuid());
		f->is_ours = mkdtemp(f->path) != NULL;
	}
	if (f->is_ours)
		f->fd = open(f->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (f->fd >= 0 && is_free(f->fd))
		f->control = control_map(f->fd, O_CREAT | O_EXCL);
	if (!f->control) {
		err = fail_set(fail, errno, "make room in /dev/shm or /tmp", "cannot make the folder of the rings, %s", f->path);
		shim_folder_release(f);
		return err;
	}
	control_set(f->control, opts);
	return 0;
}

/* ---- taking over ---- */

int shim_folder_take(struct shim_folder *f, uint32_t pid, const struct shim_folder_opts *opts, struct fail *fail)
{
	memset(f, 0, sizeof(*f));
	f->fd = -1;
	if (env_of(pid, f->path, sizeof(f->path)))
		return fail_set(fail, ENOENT, "start it with `ipctap record -- CMD`, or trace it as root with --source bpf",
				"pid %u was started without the shim", pid);
	f->fd = open(f->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (f->fd >= 0 && is_private(f->fd))
		f->control = control_map(f->fd, 0);
	if (!f->control || f->control->magic != SHIM_MAGIC || f->control->version != SHIM_VERSION) {
		shim_folder_release(f);
		return fail_set(fail, ENOENT, "start it anew with `ipctap record -- CMD`",
				"the folder through which pid %u could be traced is gone", pid);
	}
	if (!is_free(f->fd)) {
		uint32_t other = f->control->collector;
		shim_folder_release(f);
		return fail_set(fail, EBUSY, "end that one first", "pid %u is being traced by ipctap[%u]", pid, other);
	}
	control_set(f->control, opts);
	return 0;
}

/* ---- the command's environment ---- */

static void prepend(const char *name, const char *value)
{
	const char *old = getenv(name);
	char *both = NULL;
	if (!old || !*old)
		setenv(name, value, 1);
	else if (asprintf(&both, "%s:%s", value, old) > 0)
		setenv(name, both, 1);
	free(both);
}

/*
 * A program built with AddressSanitizer refuses to run when its library is not the first; ours
 * allocates nothing before it, so that it does not matter.
 */
void shim_folder_env(const struct shim_folder *f)
{
	setenv(SHIM_ENV, f->path, 1);
	prepend("LD_PRELOAD", f->library);
	prepend("ASAN_OPTIONS", "verify_asan_link_order=0");
}

/* ---- the end ---- */

void shim_folder_off(struct shim_folder *f)
{
	if (f->control && __atomic_exchange_n(&f->control->on, 0, __ATOMIC_ACQ_REL))
		__atomic_fetch_add(&f->control->offs, 1, __ATOMIC_RELEASE);
}

void shim_folder_release(struct shim_folder *f)
{
	shim_folder_off(f);
	if (f->control)
		munmap(f->control, SHIM_PAGE);
	if (f->is_ours)
		remove_all(f->path);
	if (f->path[0] && f->fd >= 0)
		close(f->fd);
	*f = (struct shim_folder){ .fd = -1 };
}
