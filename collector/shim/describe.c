// SPDX-License-Identifier: LGPL-2.1-or-later
#include "collector/shim/describe.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <unistd.h>

#include "collector/shim/names.h"
#include "collector/shim/real.h"

#define PIPEFS_MAGIC 0x50495045
#define MQUEUE_MAGIC 0x19800202
#define ANON_INODE_MAGIC 0x09041934
#define PTS_MAJOR 136 /* up to 143 */
#define DEV_PTMX_MAJOR 5
#define DEV_PTMX_MINOR 2

static uint32_t kernel_dev(dev_t dev) { return (uint32_t)major(dev) << 20 | (uint32_t)minor(dev); }

static uint32_t inode_of(const char *path)
{
	struct stat st;
	return fstatat(AT_FDCWD, path, &st, 0) == 0 ? (uint32_t)st.st_ino : 0;
}

/* Programs that move to another namespace after their first use of it are taken to be where they were. */
static uint32_t net_ns(void)
{
	static uint32_t ns;
	if (!ns)
		ns = inode_of("/proc/self/ns/net");
	return ns;
}

uint32_t shim_ipc_ns(void)
{
	static uint32_t ns;
	if (!ns)
		ns = inode_of("/proc/self/ns/ipc");
	return ns;
}

/* Where the descriptor leads, as the kernel has it; "" when that cannot be read. */
static size_t fd_link(int fd, char *buf, size_t size)
{
	struct path p;
	path_begin(&p, "/proc/self/fd");
	path_append(&p, "/");
	path_number(&p, (uint32_t)fd);
	long n = syscall(SYS_readlinkat, AT_FDCWD, p.text, buf, size - 1);
	buf[n > 0 ? n : 0] = '\0';
	return n > 0 ? (size_t)n : 0;
}

/* ---- sockets ---- */

static void map_address(const struct sockaddr_storage *sa, uint8_t addr[16], uint16_t *port)
{
	if (sa->ss_family == AF_INET) {
		const struct sockaddr_in *in = (const struct sockaddr_in *)sa;
		memset(addr, 0, 10);
		addr[10] = addr[11] = 0xff;
		memcpy(addr + 12, &in->sin_addr, 4);
		*port = ntohs(in->sin_port);
	} else if (sa->ss_family == AF_INET6) {
		const struct sockaddr_in6 *in = (const struct sockaddr_in6 *)sa;
		memcpy(addr, &in->sin6_addr, 16);
		*port = ntohs(in->sin6_port);
	}
}

static void unix_name(struct raw_object *o, const struct sockaddr_storage *sa, socklen_t len)
{
	const struct sockaddr_un *un = (const struct sockaddr_un *)sa;
	size_t head = offsetof(struct sockaddr_un, sun_path);
	if (len <= head || o->name_len)
		return;
	size_t n = len - head;
	if (n > sizeof(un->sun_path))
		n = sizeof(un->sun_path);
	if (un->sun_path[0])
		n = strnlen(un->sun_path, n);
	memcpy(o->name, un->sun_path, n);
	o->name_len = (uint16_t)n;
}

/* Sockets are known by their inode numbers, which here stand for the kernel's addresses as well. */
static void describe_unix(int fd, struct raw_object *o)
{
	struct sockaddr_storage sa;
	socklen_t len = sizeof(sa);
	if (getsockname(fd, (struct sockaddr *)&sa, &len) == 0)
		unix_name(o, &sa, len);
	len = sizeof(sa);
	if (getpeername(fd, (struct sockaddr *)&sa, &len) == 0) {
		o->peer_sk = SHIM_PEER_UNKNOWN;
		if (o->sock_type != SOCK_DGRAM) /* a connection is known by its server's path */
			unix_name(o, &sa, len);
	}
}

static void describe_inet(int fd, struct raw_object *o)
{
	struct sockaddr_storage sa;
	socklen_t len = sizeof(sa);
	if (getsockname(fd, (struct sockaddr *)&sa, &len) == 0)
		map_address(&sa, o->laddr, &o->lport);
	len = sizeof(sa);
	if (getpeername(fd, (struct sockaddr *)&sa, &len) == 0)
		map_address(&sa, o->raddr, &o->rport);
}

bool shim_describe_target(struct raw_object *o, const void *addr, socklen_t len)
{
	struct sockaddr_storage sa = { .ss_family = AF_UNSPEC };
	if (o->rport || o->peer_sk || o->name_len || o->hdr.flags & RAW_LISTENING || len > sizeof(sa))
		return false;
	memcpy(&sa, addr, len);
	if (o->kind == KIND_UNIX)
		unix_name(o, &sa, len);
	else if (o->kind == KIND_TCP)
		map_address(&sa, o->raddr, &o->rport);
	return o->name_len || o->rport;
}

static bool describe_sock(int fd, struct raw_object *o)
{
	int domain = 0, type = 0, protocol = 0, listens = 0;
	socklen_t len = sizeof(int);
	getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &len);
	len = sizeof(int);
	getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len);
	len = sizeof(int);
	getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &protocol, &len);
	len = sizeof(int);
	getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &len);
	if (domain == AF_UNIX)
		o->kind = KIND_UNIX;
	else if (domain == AF_INET || domain == AF_INET6)
		o->kind = protocol == IPPROTO_TCP || protocol == IPPROTO_MPTCP ? KIND_TCP
			  : protocol == IPPROTO_UDP			       ? KIND_UDP : KIND_NONE;
	if (!o->kind)
		return false;
	o->obj = RAW_OBJ(o->kind, o->ino);
	o->sk = o->ino;
	o->sock_type = (uint16_t)type;
	o->family = (uint16_t)domain;
	o->ns = net_ns();
	if (listens)
		o->hdr.flags |= RAW_LISTENING;
	if (protocol == IPPROTO_MPTCP)
		o->hdr.flags |= RAW_MPTCP;
	if (o->kind == KIND_UNIX)
		describe_unix(fd, o);
	else
		describe_inet(fd, o);
	return true;
}

/*
 * By the kernel's own list of unix sockets, which any user may ask, of the one socket alone. Only an
 * accepted socket is worth it: who made both ends, or can be told by the other one, need not ask.
 */
uint64_t shim_unix_peer(uint64_t ino)
{
	struct {
		struct nlmsghdr h;
		struct unix_diag_req r;
	} ask = {
		.h = { .nlmsg_len = sizeof(ask), .nlmsg_type = SOCK_DIAG_BY_FAMILY, .nlmsg_flags = NLM_F_REQUEST },
		.r = { .sdiag_family = AF_UNIX, .udiag_states = ~0u, .udiag_ino = (uint32_t)ino,
		       .udiag_show = UDIAG_SHOW_PEER, .udiag_cookie = { ~0u, ~0u } },
	};
	char buf[1024] __attribute__((aligned(8)));
	uint64_t peer = 0;
	int fd = (int)syscall(SYS_socket, AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
	if (fd < 0)
		return 0;
	long n = syscall(SYS_sendto, fd, &ask, sizeof(ask), 0, NULL, 0);
	if (n > 0)
		n = syscall(SYS_recvfrom, fd, buf, sizeof(buf), MSG_DONTWAIT, NULL, NULL);
	syscall(SYS_close, fd);
	const struct nlmsghdr *h = (const struct nlmsghdr *)buf;
	size_t at = NLMSG_LENGTH(sizeof(struct unix_diag_msg));
	if (n < (long)at || h->nlmsg_type != SOCK_DIAG_BY_FAMILY)
		return 0;
	while (at + sizeof(struct nlattr) <= (size_t)n) {
		const struct nlattr *a = (const struct nlattr *)(buf + at);
		if (a->nla_type == UNIX_DIAG_PEER && at + NLA_HDRLEN + 4 <= (size_t)n) {
			uint32_t value;
			memcpy(&value, buf + at + NLA_HDRLEN, sizeof(value));
			peer = value;
		}
		if (a->nla_len < NLA_HDRLEN)
			break;
		at += NLA_ALIGN(a->nla_len);
	}
	return peer;
}

/* ---- files ---- */

/* A path as the probes tell it: its components, the last one first, a NUL after each. */
void shim_name_path(struct raw_object *o, const char *path, size_t len)
{
	/* what has no name is called by the kernel's word for it, in no folder */
	if (strncmp(path, "/memfd:", 7) == 0) {
		path++;
		len--;
	}
	size_t at = 0, end = len;
	static const char deleted[] = " (deleted)";
	if (len > sizeof(deleted) && memcmp(path + len - (sizeof(deleted) - 1), deleted, sizeof(deleted) - 1) == 0)
		end = len -= sizeof(deleted) - 1;
	/* the kernel's word for memory that has no file */
	if (len == 9 && memcmp(path, "/dev/zero", 9) == 0)
		path++, end = --len;
	o->hdr.flags |= path[0] == '/' ? RAW_PATH : 0;
	while (end > 0) {
		size_t begin = end;
		while (begin > 0 && path[begin - 1] != '/')
			begin--;
		size_t n = end - begin;
		if (at + n + 1 > sizeof(o->name)) {
			o->hdr.flags &= ~RAW_PATH;
			break;
		}
		memcpy(o->name + at, path + begin, n);
		at += n + 1;
		end = begin ? begin - 1 : 0;
	}
	o->name_len = (uint16_t)at;
}

bool shim_describe_file(int fd, uint16_t kind, struct raw_object *o)
{
	struct stat st;
	char path[PATH_ROOM];
	int saved = errno;
	bool ok = fstat(fd, &st) == 0;
	if (ok) {
		o->kind = kind;
		o->ino = st.st_ino;
		o->dev = kernel_dev(st.st_dev);
		o->obj = RAW_OBJ_FILE(kind, o->dev, o->ino);
		size_t n = fd_link(fd, path, sizeof(path));
		shim_name_path(o, path, n);
	}
	errno = saved;
	return ok;
}

static void describe_fifo(int fd, struct raw_object *o)
{
	struct statfs fs;
	int inside = 0;
	long room = syscall(SYS_fcntl, fd, F_GETPIPE_SZ);
	if (room > 0) {
		/* packets take whole pages, and the shim's operations do not tell of them: no bytes then */
		o->at = syscall(SYS_fcntl, fd, F_GETFL) & O_DIRECT ? 0 : (uint64_t)room;
		o->peer_ino = (uint64_t)(room / sysconf(_SC_PAGESIZE));
	}
	if (ioctl(fd, FIONREAD, &inside) == 0 && inside > 0)
		o->backlog = (uint64_t)inside;
	if (fstatfs(fd, &fs) == 0 && fs.f_type == PIPEFS_MAGIC) {
		o->kind = KIND_PIPE;
		o->obj = RAW_OBJ(KIND_PIPE, (uint64_t)(o->dev & 0xffffff) << 32 | (uint32_t)o->ino);
		return;
	}
	o->kind = KIND_FIFO;
	o->obj = RAW_OBJ_FIFO(o->dev, o->ino);
	fd_link(fd, o->name, sizeof(o->name));
	if (o->name[0] == '/')
		o->hdr.flags |= RAW_PATH;
}

static bool describe_mq(int fd, struct raw_object *o)
{
	o->kind = KIND_MQ;
	o->obj = RAW_OBJ(KIND_MQ, (uint64_t)(o->dev & 0xffffff) << 32 | (uint32_t)o->ino);
	char path[PATH_ROOM];
	fd_link(fd, path, sizeof(path)); /* "/NAME", wherever it is mounted */
	const char *last = strrchr(path, '/');
	o->name[0] = '/';
	last = last ? last + 1 : path;
	memcpy(o->name + 1, last, strnlen(last, sizeof(o->name) - 2));
	return true;
}

/* Both ends of a terminal have its number; which of the two this is, the device says. */
static bool describe_tty(int fd, const struct stat *st, struct raw_object *o)
{
	unsigned int number = 0, dev_major = major(st->st_rdev), dev_minor = minor(st->st_rdev);
	bool is_master = dev_major == DEV_PTMX_MAJOR && dev_minor == DEV_PTMX_MINOR;
	if (is_master) {
		if (ioctl(fd, TIOCGPTN, &number))
			return false;
	} else if (dev_major >= PTS_MAJOR && dev_major < PTS_MAJOR + 8) {
		number = (dev_major - PTS_MAJOR) << 20 | dev_minor;
	} else {
		return false;
	}
	uint64_t identity = ((uint64_t)number << 1) + 2; /* of the one devpts that there usually is */
	o->kind = KIND_PTY;
	o->ino = number;
	o->sk = identity + is_master;
	o->peer_sk = identity + !is_master;
	o->obj = RAW_OBJ(KIND_PTY, o->sk);
	return true;
}

/* The kernel's number of an eventfd, in its fdinfo. */
static bool eventfd_number(int fd, uint64_t *number)
{
	static const char word[] = "eventfd-id:";
	struct path p;
	char text[512];
	path_begin(&p, "/proc/self/fdinfo/");
	path_number(&p, (uint32_t)fd);
	int info = (int)syscall(SYS_openat, AT_FDCWD, p.text, O_RDONLY | O_CLOEXEC, 0);
	if (info < 0)
		return false;
	long n = syscall(SYS_read, info, text, sizeof(text) - 1);
	syscall(SYS_close, info);
	text[n > 0 ? n : 0] = '\0';
	const char *at = strstr(text, word);
	if (!at)
		return false;
	at += sizeof(word) - 1;
	while (*at == ' ')
		at++;
	for (*number = 0; *at >= '0' && *at <= '9'; at++)
		*number = *number * 10 + (uint64_t)(*at - '0');
	return true;
}

static bool describe_anon(int fd, struct raw_object *o)
{
	char what[64];
	uint64_t number = 0;
	fd_link(fd, what, sizeof(what));
	if (strcmp(what, "anon_inode:[signalfd]") == 0) {
		o->kind = KIND_SIGNAL;
		o->obj = RAW_OBJ_SIGNAL((uint32_t)syscall(SYS_getpid), 0);
		return true;
	}
	if (strcmp(what, "anon_inode:[eventfd]") != 0 || !eventfd_number(fd, &number))
		return false;
	o->kind = KIND_EVENTFD;
	o->ino = number;
	o->obj = RAW_OBJ(KIND_EVENTFD, number);
	return true;
}

bool shim_describe_fd(int fd, struct raw_object *o)
{
	struct stat st;
	struct statfs fs;
	if (fstat(fd, &st))
		return false;
	o->ino = st.st_ino;
	o->dev = kernel_dev(st.st_dev);
	switch (st.st_mode & S_IFMT) {
	case S_IFIFO:
		describe_fifo(fd, o);
		return true;
	case S_IFSOCK:
		return describe_sock(fd, o);
	case S_IFCHR:
		return describe_tty(fd, &st, o);
	case S_IFREG:
		if (fstatfs(fd, &fs))
			return false;
		if (fs.f_type == MQUEUE_MAGIC)
			return describe_mq(fd, o);
		return fs.f_type == ANON_INODE_MAGIC && describe_anon(fd, o);
	case 0: /* what an anonymous inode had before Linux 6.16, cfd86ef7e8e7: no type */
		return describe_anon(fd, o);
	}
	return false;
}
