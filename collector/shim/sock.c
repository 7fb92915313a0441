// SPDX-License-Identifier: LGPL-2.1-or-later
/* Calls that only sockets have. */
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <stdarg.h>

#include "collector/shim/calls.h"

ssize_t __send(int fd, const void *buf, size_t n, int flags);
ssize_t __recv(int fd, void *buf, size_t n, int flags);
int __connect(int fd, const struct sockaddr *addr, socklen_t len);
ssize_t __recv_chk(int fd, void *buf, size_t n, size_t room, int flags);
ssize_t __recvfrom_chk(int fd, void *buf, size_t n, size_t room, int flags, struct sockaddr *addr, socklen_t *len);

/* ---- datagrams ---- */

static void tell_unix(struct shim_op *o, const struct sockaddr_un *un, unsigned int len)
{
	struct shim_io_unix r = { .io = o->io };
	size_t head = offsetof(struct sockaddr_un, sun_path);
	r.io.hdr.type = SHIM_IO_UNIX;
	r.io.hdr.size = sizeof(r);
	if (un && len > head) {
		size_t n = len - head < sizeof(un->sun_path) ? len - head : sizeof(un->sun_path);
		if (un->sun_path[0])
			n = strnlen(un->sun_path, n);
		memcpy(r.path, un->sun_path, n);
		r.len = (__u16)n;
	}
	shim_put(o->t, &r, sizeof(r), SHIM_LOST_OP);
}

static void tell_address(struct shim_op *o, const struct sockaddr *sa, unsigned int len)
{
	struct raw_io_addr r = { .io = o->io };
	r.io.hdr.type = RAW_IO_ADDR;
	r.io.hdr.size = sizeof(r);
	if (sa && len >= sizeof(struct sockaddr_in) && sa->sa_family == AF_INET) {
		const struct sockaddr_in *in = (const struct sockaddr_in *)sa;
		r.addr[10] = r.addr[11] = 0xff;
		memcpy(r.addr + 12, &in->sin_addr, 4);
		r.port = ntohs(in->sin_port);
	} else if (sa && len >= sizeof(struct sockaddr_in6) && sa->sa_family == AF_INET6) {
		const struct sockaddr_in6 *in = (const struct sockaddr_in6 *)sa;
		memcpy(r.addr, &in->sin6_addr, 16);
		r.port = ntohs(in->sin6_port);
	}
	shim_put(o->t, &r, sizeof(r), SHIM_LOST_OP);
}

void shim_end_dgram(struct shim_op *o, int64_t ret, const void *addr, unsigned int len, const void *data)
{
	(void)data;
	shim_done(o, ret);
	if (ret < 0) {
		shim_tell(o);
		return;
	}
	if (!o->io.messages) { /* an empty datagram is one, too */
		o->io.bytes = (uint64_t)ret;
		o->io.messages = 1;
	}
	if (RAW_OBJ_KIND(o->io.chan) == KIND_UDP) {
		/* a socket has its port only once it has sent: its name is to be told */
		if (o->io.hdr.flags & IO_WRITE)
			shim_fd_describe_port(o->t, o->io.fd);
		tell_address(o, addr, len);
	} else if (o->io.hdr.flags & IO_WRITE) {
		tell_unix(o, addr, len);
	} else {
		shim_tell(o);
	}
}

/* ---- messages ---- */

uint32_t shim_msg_flags(int flags, uint32_t dir)
{
	return dir | (flags & MSG_DONTWAIT ? IO_NONBLOCK : 0) |
	       /* the error queue holds copies of what was sent: nothing arrives by it */
	       (flags & (MSG_PEEK | MSG_ERRQUEUE) && dir == IO_READ ? IO_PEEK : 0) |
	       (flags & MSG_TRUNC && dir == IO_READ ? IO_TRUNC : 0);
}

void shim_end_msg(struct shim_op *o, int64_t ret, const void *addr, unsigned int len, const void *data)
{
	if (o->state & FD_DGRAM)
		shim_end_dgram(o, ret, addr, len, data);
	else
		shim_end_bytes(o, ret, data);
}

#define MSG(name, params, args, op, dir, addr, len, data)                                          \
	SHIM_EXPORT ssize_t name params                                                            \
	{                                                                                          \
		struct shim_op o;                                                                  \
		if (!shim_begin_fd(&o, fd, op, shim_msg_flags(flags, dir)))                        \
			return REAL(name) args;                                                    \
		ssize_t ret = REAL(name) args;                                                     \
		shim_end_msg(&o, ret, addr, len, data);                                            \
		return ret;                                                                        \
	}

#define LEN_AT(p) ((p) ? *(p) : 0)
MSG(send, (int fd, const void *buf, size_t n, int flags), (fd, buf, n, flags), OP_SENDTO, IO_WRITE, NULL, 0, buf)
MSG(__send, (int fd, const void *buf, size_t n, int flags), (fd, buf, n, flags), OP_SENDTO, IO_WRITE, NULL, 0, buf)
MSG(sendto, (int fd, const void *buf, size_t n, int flags, const struct sockaddr *to, socklen_t len),
    (fd, buf, n, flags, to, len), OP_SENDTO, IO_WRITE, to, len, buf)
MSG(recv, (int fd, void *buf, size_t n, int flags), (fd, buf, n, flags), OP_RECVFROM, IO_READ, NULL, 0, buf)
MSG(__recv, (int fd, void *buf, size_t n, int flags), (fd, buf, n, flags), OP_RECVFROM, IO_READ, NULL, 0, buf)
MSG(__recv_chk, (int fd, void *buf, size_t n, size_t room, int flags), (fd, buf, n, room, flags), OP_RECVFROM,
    IO_READ, NULL, 0, buf)
MSG(recvfrom, (int fd, void *buf, size_t n, int flags, struct sockaddr *from, socklen_t *len),
    (fd, buf, n, flags, from, len), OP_RECVFROM, IO_READ, from, LEN_AT(len), buf)
MSG(__recvfrom_chk, (int fd, void *buf, size_t n, size_t room, int flags, struct sockaddr *from, socklen_t *len),
    (fd, buf, n, room, flags, from, len), OP_RECVFROM, IO_READ, from, LEN_AT(len), buf)

static const void *first_piece(const struct msghdr *m, int64_t ret)
{
	return ret > 0 && m->msg_iovlen && m->msg_iov[0].iov_len >= (size_t)ret ? m->msg_iov[0].iov_base : NULL;
}

/* The descriptors in a message: how many; those that have arrived are looked at. */
static int64_t passed(struct shim_thread *t, const struct msghdr *m, bool arrived)
{
	int64_t n = 0;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR((struct msghdr *)m, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS || c->cmsg_len < CMSG_LEN(0))
			continue;
		size_t count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (size_t i = 0; arrived && i < count; i++) {
			int fd;
			memcpy(&fd, CMSG_DATA(c) + i * sizeof(fd), sizeof(fd));
			shim_fd_new(t, fd, 0, ENDPOINT_PASSED);
		}
		n += (int64_t)count;
	}
	return n;
}

void shim_end_msghdr(struct shim_op *o, int64_t ret, const struct msghdr *m, bool arrived)
{
	if (ret >= 0 && RAW_OBJ_KIND(o->io.chan) == KIND_UNIX && m->msg_controllen)
		o->io.mtype = passed(o->t, m, arrived);
	shim_end_msg(o, ret, ret >= 0 ? m->msg_name : NULL, ret >= 0 ? m->msg_namelen : 0, ret > 0 ? first_piece(m, ret) : NULL);
}

SHIM_EXPORT ssize_t sendmsg(int fd, const struct msghdr *m, int flags)
{
	struct shim_op o;
	if (!shim_begin_fd(&o, fd, OP_SENDMSG, shim_msg_flags(flags, IO_WRITE)))
		return REAL(sendmsg)(fd, m, flags);
	ssize_t ret = REAL(sendmsg)(fd, m, flags);
	shim_end_msghdr(&o, ret, m, false);
	return ret;
}

SHIM_EXPORT ssize_t recvmsg(int fd, struct msghdr *m, int flags)
{
	struct shim_op o;
	if (!shim_begin_fd(&o, fd, OP_RECVMSG, shim_msg_flags(flags, IO_READ)))
		return REAL(recvmsg)(fd, m, flags);
	ssize_t ret = REAL(recvmsg)(fd, m, flags);
	shim_end_msghdr(&o, ret, m, true);
	return ret;
}

void shim_end_mmsg(struct shim_op *o, int ret, struct mmsghdr *v, bool arrived)
{
	if (ret > 0) {
		o->io.messages = (__u16)ret;
		for (int i = 0; i < ret; i++) {
			o->io.bytes += v[i].msg_len;
			if (RAW_OBJ_KIND(o->io.chan) == KIND_UNIX && v[i].msg_hdr.msg_controllen)
				o->io.mtype += passed(o->t, &v[i].msg_hdr, arrived);
		}
	}
	if ((o->state & FD_DGRAM) && ret > 0)
		shim_end_dgram(o, ret, v[0].msg_hdr.msg_name, v[0].msg_hdr.msg_namelen, NULL);
	else
		shim_end(o, ret);
}

SHIM_EXPORT int sendmmsg(int fd, struct mmsghdr *v, unsigned int n, int flags)
{
	struct shim_op o;
	if (!shim_begin_fd(&o, fd, OP_SENDMMSG, shim_msg_flags(flags, IO_WRITE)))
		return REAL(sendmmsg)(fd, v, n, flags);
	int ret = REAL(sendmmsg)(fd, v, n, flags);
	shim_end_mmsg(&o, ret, v, false);
	return ret;
}

SHIM_EXPORT int recvmmsg(int fd, struct mmsghdr *v, unsigned int n, int flags, struct timespec *timeout)
{
	struct shim_op o;
	if (!shim_begin_fd(&o, fd, OP_RECVMMSG, shim_msg_flags(flags, IO_READ)))
		return REAL(recvmmsg)(fd, v, n, flags, timeout);
	int ret = REAL(recvmmsg)(fd, v, n, flags, timeout);
	shim_end_mmsg(&o, ret, v, true);
	return ret;
}

/* ---- sockets made and joined ---- */

static bool is_ours(int domain) { return domain == AF_UNIX || domain == AF_INET || domain == AF_INET6; }

bool shim_begin_socket(struct shim_op *o, int domain, enum ipctap_op op)
{
	return is_ours(domain) && shim_begin_none(o, op);
}

void shim_end_socket(struct shim_op *o, int fd)
{
	shim_done(o, fd);
	o->io.fd = fd;
	if (fd >= 0) {
		o->io.chan = shim_fd_new(o->t, fd, RAW_NEW, ENDPOINT_OPEN);
		if (!o->io.chan)
			return; /* raw, SCTP, …: not of ours */
	}
	shim_tell(o);
}

SHIM_EXPORT int socket(int domain, int type, int protocol)
{
	struct shim_op o;
	bool ours = shim_begin_socket(&o, domain, OP_SOCKET);
	int fd = REAL(socket)(domain, type, protocol);
	if (ours)
		shim_end_socket(&o, fd);
	else
		shim_fd_forget(fd);
	return fd;
}

SHIM_EXPORT int socketpair(int domain, int type, int protocol, int fds[2])
{
	struct shim_op o;
	if (!shim_begin_socket(&o, domain, OP_SOCKETPAIR))
		return REAL(socketpair)(domain, type, protocol, fds);
	int ret = REAL(socketpair)(domain, type, protocol, fds);
	shim_end_pair(&o, ret, fds);
	return ret;
}

/* bind, listen: the socket is to be described anew. */
void shim_end_named(struct shim_op *o, int ret)
{
	shim_done(o, ret);
	if (ret == 0)
		shim_fd_describe(o->t, o->io.fd, 0);
	shim_tell(o);
}

/* The kernel has read the address, unless it says that it could not. */
void shim_end_connect(struct shim_op *o, int ret, const void *addr, socklen_t len)
{
	shim_done(o, ret);
	if (ret == 0)
		shim_fd_describe(o->t, o->io.fd, RAW_CONNECTED);
	else if (errno != EFAULT && errno != EINVAL)
		shim_fd_describe_target(o->t, o->io.fd, errno == EINPROGRESS ? RAW_CONNECTED : RAW_REFUSED, addr, len);
	shim_tell(o);
}

#define NAMED(name, params, args, op, ...)                                                         \
	SHIM_EXPORT int name params                                                                \
	{                                                                                          \
		struct shim_op o;                                                                  \
		if (!shim_begin_fd(&o, fd, op, 0))                                                 \
			return REAL(name) args;                                                    \
		int ret = REAL(name) args;                                                         \
		__VA_ARGS__;                                                                       \
		return ret;                                                                        \
	}

NAMED(bind, (int fd, const struct sockaddr *addr, socklen_t len), (fd, addr, len), OP_BIND, shim_end_named(&o, ret))
NAMED(listen, (int fd, int n), (fd, n), OP_LISTEN, shim_end_named(&o, ret))
NAMED(connect, (int fd, const struct sockaddr *addr, socklen_t len), (fd, addr, len), OP_CONNECT,
      shim_end_connect(&o, ret, addr, len))
NAMED(__connect, (int fd, const struct sockaddr *addr, socklen_t len), (fd, addr, len), OP_CONNECT,
      shim_end_connect(&o, ret, addr, len))

SHIM_EXPORT int shutdown(int fd, int how)
{
	struct shim_op o;
	if (!shim_begin_fd(&o, fd, OP_SHUTDOWN, 0))
		return REAL(shutdown)(fd, how);
	int ret = REAL(shutdown)(fd, how);
	shim_end(&o, ret);
	return ret;
}

void shim_end_accept(struct shim_op *o, int ret)
{
	shim_done(o, ret);
	if (ret >= 0) {
		o->io.mtype = ret;
		shim_fd_new(o->t, ret, RAW_ACCEPTED, ENDPOINT_OPEN);
	}
	shim_tell(o);
}

#define ACCEPT(name, params, args, op)                                                             \
	SHIM_EXPORT int name params                                                                \
	{                                                                                          \
		struct shim_op o;                                                                  \
		if (!shim_begin_fd(&o, fd, op, 0))                                                 \
			return REAL(name) args;                                                    \
		int ret = REAL(name) args;                                                         \
		shim_end_accept(&o, ret);                                                          \
		return ret;                                                                        \
	}

ACCEPT(accept, (int fd, struct sockaddr *addr, socklen_t *len), (fd, addr, len), OP_ACCEPT)
ACCEPT(accept4, (int fd, struct sockaddr *addr, socklen_t *len, int flags), (fd, addr, len, flags), OP_ACCEPT4)

/* Not told of: only what it does to the descriptor. */
SHIM_EXPORT int ioctl(int fd, unsigned long request, ...)
{
	va_list ap;
	va_start(ap, request);
	void *arg = va_arg(ap, void *);
	va_end(ap);
	int ret = REAL(ioctl)(fd, request, arg);
	if (request == FIONBIO && ret == 0)
		shim_fd_set_nonblock(fd, *(const int *)arg != 0);
	return ret;
}
