// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What is behind each descriptor of the process: looked up once, then a load. The objects have the
 * ids that the probes in the kernel give them (lib/abi/raw.h), wherever user space can know them.
 *
 * A table of tables, allocated as descriptors come and never freed. Descriptors change hands only in
 * calls that are wrapped; what a library closes behind our back is forgotten where its function is
 * wrapped (fclose, closedir), and looked at anew where it is told of as new.
 */
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <unistd.h>

#include "collector/shim/describe.h"
#include "collector/shim/shim.h"

#define CHUNK 1024
#define CHUNKS 1024 /* a million descriptors; beyond, each use is a look-up */

static struct shim_fd *chunks[CHUNKS];

struct shim_fd *shim_fd_entry(int fd)
{
	if (SHIM_RARE((unsigned int)fd >= CHUNK * CHUNKS))
		return NULL;
	struct shim_fd *c = __atomic_load_n(&chunks[fd / CHUNK], __ATOMIC_ACQUIRE);
	return c ? &c[fd % CHUNK] : NULL;
}

static struct shim_fd *entry_make(int fd)
{
	struct shim_fd *e = shim_fd_entry(fd), *none = NULL;
	if (e || (unsigned int)fd >= CHUNK * CHUNKS)
		return e;
	struct shim_fd *c = (struct shim_fd *)syscall(SYS_mmap, NULL, sizeof(*c) * CHUNK,
						      PROT_READ | PROT_WRITE,
						      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0L);
	if (c == MAP_FAILED)
		return NULL;
	if (!__atomic_compare_exchange_n(&chunks[fd / CHUNK], &none, c, false, __ATOMIC_ACQ_REL,
					 __ATOMIC_ACQUIRE))
		syscall(SYS_munmap, c, sizeof(*c) * CHUNK);
	return shim_fd_entry(fd);
}

static void entry_set(int fd, struct shim_fd f)
{
	struct shim_fd *e = entry_make(fd);
	if (!e)
		return;
	__atomic_store_n(&e->state, 0, __ATOMIC_RELAXED);
	__atomic_store_n(&e->obj, f.obj, __ATOMIC_RELEASE);
	__atomic_store_n(&e->state, f.state, __ATOMIC_RELEASE);
}

static uint32_t generation_bits(void) { return shim_control->generation << FD_GENERATION; }

/* ---- looking ---- */

static void tell_object(struct shim_thread *t, int fd, struct raw_object *o, uint32_t flags)
{
	o->hdr = (struct ev_hdr){ .t_ns = shim_now(), .type = RAW_OBJECT, .size = sizeof(*o),
				  .flags = o->hdr.flags | flags };
	o->fd = fd;
	shim_put(t, o, sizeof(*o), SHIM_LOST_CTL);
}

/* Describes what is there, with `flags`; *f is filled in. */
static void look(struct shim_thread *t, int fd, uint32_t flags, uint64_t peer_ino, struct shim_fd *f)
{
	struct raw_object o;
	int saved = errno;
	memset(&o, 0, sizeof(o));
	*f = (struct shim_fd){ .state = FD_OTHER };
	if (shim_describe_fd(fd, &o)) {
		int mode = (int)syscall(SYS_fcntl, fd, F_GETFL);
		f->obj = o.obj;
		f->state = FD_CHANNEL | (mode & O_NONBLOCK ? FD_NONBLOCK : 0) |
			   ((mode & O_ACCMODE) != O_WRONLY ? FD_READ : 0) |
			   ((mode & O_ACCMODE) != O_RDONLY ? FD_WRITE : 0) |
			   (o.sock_type == SOCK_DGRAM && o.kind != KIND_PTY ? FD_DGRAM : 0) |
			   (o.kind == KIND_SIGNAL ? FD_SIGNALFD : 0) | (o.lport ? FD_PORT : 0);
	}
	f->state |= generation_bits();
	if (f->obj && o.kind != KIND_SIGNAL) {
		if (peer_ino) {
			o.peer_ino = peer_ino;
			o.peer_sk = peer_ino;
		} else if (o.kind == KIND_UNIX && o.peer_sk && (flags & RAW_ACCEPTED || o.sock_type == SOCK_DGRAM)) {
			o.peer_ino = shim_unix_peer(o.ino);
			o.peer_sk = o.peer_ino ? o.peer_ino : SHIM_PEER_UNKNOWN;
		}
		tell_object(t, fd, &o, flags);
	}
	entry_set(fd, *f); /* last: whoever finds it there may name it */
	errno = saved;
}

struct shim_fd shim_fd_look_up(struct shim_thread *t, int fd)
{
	struct shim_fd f;
	look(t, fd, 0, 0, &f);
	return f;
}

void shim_fd_describe(struct shim_thread *t, int fd, uint32_t flags)
{
	struct shim_fd f;
	look(t, fd, flags, 0, &f);
}

void shim_fd_describe_target(struct shim_thread *t, int fd, uint32_t flags, const void *addr, unsigned int len)
{
	struct raw_object o;
	int saved = errno;
	memset(&o, 0, sizeof(o));
	if (shim_describe_fd(fd, &o) && (shim_describe_target(&o, addr, len) || !(flags & RAW_REFUSED)))
		tell_object(t, fd, &o, flags);
	errno = saved;
}

void shim_fd_describe_port(struct shim_thread *t, int fd)
{
	const struct shim_fd *e = shim_fd_entry(fd);
	if (e && !(e->state & FD_PORT))
		shim_fd_describe(t, fd, 0);
}

static uint8_t dir_of(uint32_t state)
{
	return (state & FD_READ ? ENDPOINT_DIR_READ : 0) | (state & FD_WRITE ? ENDPOINT_DIR_WRITE : 0);
}

static void tell_end(struct shim_thread *t, uint64_t obj, int fd, uint8_t what, uint8_t dir)
{
	struct ev_endpoint e = {
		.hdr = { .t_ns = shim_now(), .type = EV_ENDPOINT, .size = sizeof(e) },
		.chan = obj, .fd = fd, .what = what, .dir = dir,
	};
	shim_put(t, &e, sizeof(e), SHIM_LOST_CTL);
}

uint64_t shim_fd_new(struct shim_thread *t, int fd, uint32_t flags, uint8_t what)
{
	struct shim_fd f;
	if (fd < 0)
		return 0;
	look(t, fd, flags, 0, &f);
	if ((f.state & FD_STATE) != FD_CHANNEL)
		return 0;
	if (!(f.state & FD_SIGNALFD))
		tell_end(t, f.obj, fd, what, dir_of(f.state));
	return f.obj;
}

/* Both ends of a pair are known to whoever made it. */
uint64_t shim_fd_new_pair(struct shim_thread *t, const int fds[2])
{
	struct shim_fd f[2];
	struct stat st[2];
	int saved = errno;
	uint64_t ino[2] = { 0, 0 };
	if (fstat(fds[0], &st[0]) == 0 && fstat(fds[1], &st[1]) == 0 && S_ISSOCK(st[0].st_mode)) {
		ino[0] = st[0].st_ino;
		ino[1] = st[1].st_ino;
	}
	errno = saved;
	for (int i = 0; i < 2; i++) {
		look(t, fds[i], RAW_NEW, ino[!i], &f[i]);
		if ((f[i].state & FD_STATE) == FD_CHANNEL)
			tell_end(t, f[i].obj, fds[i], ENDPOINT_OPEN, dir_of(f[i].state));
	}
	return f[0].obj;
}

/* ---- closing ---- */

void shim_fd_forget(int fd)
{
	struct shim_fd *e = fd >= 0 ? shim_fd_entry(fd) : NULL;
	if (e)
		__atomic_store_n(&e->state, 0, __ATOMIC_RELEASE);
}

uint64_t shim_fd_closing(struct shim_thread *t, int fd)
{
	struct shim_fd f;
	if (fd < 0)
		return 0;
	bool is_channel = shim_fd_get(t, fd, &f);
	/* before it is closed: afterwards the number may already be another thread's */
	shim_fd_forget(fd);
	return is_channel && !(f.state & FD_SIGNALFD) ? f.obj : 0;
}

void shim_fd_closed(struct shim_thread *t, int fd, uint64_t obj)
{
	if (obj)
		tell_end(t, obj, fd, ENDPOINT_CLOSE, 0);
}

/* Only those that are known of: of the others nobody was told that they are open. */
void shim_fd_close_range(struct shim_thread *t, unsigned int first, unsigned int last)
{
	for (unsigned int c = first / CHUNK; c < CHUNKS && c <= last / CHUNK; c++) {
		struct shim_fd *chunk = __atomic_load_n(&chunks[c], __ATOMIC_ACQUIRE);
		for (unsigned int i = 0; chunk && i < CHUNK; i++) {
			unsigned int fd = c * CHUNK + i;
			uint32_t state = chunk[i].state;
			if (fd < first || fd > last || !(state & FD_STATE))
				continue;
			shim_fd_forget((int)fd);
			if ((state & FD_STATE) == FD_CHANNEL && !(state & FD_SIGNALFD) &&
			    state >> FD_GENERATION == (shim_control->generation & 0xffffff))
				tell_end(t, chunk[i].obj, (int)fd, ENDPOINT_CLOSE, 0);
		}
	}
}

void shim_fd_set_nonblock(int fd, bool on)
{
	struct shim_fd *e = fd >= 0 ? shim_fd_entry(fd) : NULL;
	if (!e)
		return;
	if (on)
		__atomic_fetch_or(&e->state, (uint32_t)FD_NONBLOCK, __ATOMIC_RELAXED);
	else
		__atomic_fetch_and(&e->state, ~(uint32_t)FD_NONBLOCK, __ATOMIC_RELAXED);
}

/* ---- all at once ---- */

struct dirent64_head {
	uint64_t ino;
	int64_t off;
	uint16_t reclen;
	uint8_t type;
	char name[];
};

static int number_of(const char *name)
{
	int n = 0;
	if (*name < '0' || *name > '9')
		return -1;
	for (; *name >= '0' && *name <= '9' && n < 100000000; name++)
		n = n * 10 + (*name - '0');
	return n;
}

void shim_fds_adopt(struct shim_thread *t, uint8_t what)
{
	char buf[4096];
	long n;
	int saved = errno;
	int dir = (int)syscall(SYS_openat, AT_FDCWD, "/proc/self/fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
	while (dir >= 0 && (n = syscall(SYS_getdents64, dir, buf, sizeof(buf))) > 0)
		for (long at = 0; at < n;) {
			const struct dirent64_head *d = (const struct dirent64_head *)(buf + at);
			int fd = number_of(d->name);
			if (fd >= 0 && fd != dir)
				shim_fd_new(t, fd, 0, what);
			at += d->reclen;
		}
	if (dir >= 0)
		syscall(SYS_close, dir);
	errno = saved;
}

void shim_fds_inherit(struct shim_thread *t)
{
	for (int c = 0; c < CHUNKS; c++)
		for (int i = 0; chunks[c] && i < CHUNK; i++) {
			const struct shim_fd *f = &chunks[c][i];
			if ((f->state & FD_STATE) == FD_CHANNEL && !(f->state & FD_SIGNALFD))
				tell_end(t, f->obj, c * CHUNK + i, ENDPOINT_INHERIT, dir_of(f->state));
			else if (f->state & FD_SIGNALFD)
				shim_fd_forget(c * CHUNK + i); /* names the process */
		}
}
