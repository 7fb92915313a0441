// SPDX-License-Identifier: GPL-2.0-or-later
#include "names.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <ifaddrs.h>
#include <inttypes.h>
#include <netdb.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "collector/procfs.h"
#include "collector/ripc.h"
#include "lib/base/clock.h"

static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

static bool is_v4(const uint8_t addr[16]) { return memcmp(addr, mapped, sizeof(mapped)) == 0; }

bool names_is_any(const uint8_t addr[16])
{
	static const uint8_t zero[16];
	return memcmp(addr, zero, 16) == 0 ||
	       (is_v4(addr) && memcmp(addr + 12, zero, 4) == 0);
}

void names_addr(char *buf, size_t size, const uint8_t addr[16], uint16_t port)
{
	char text[INET6_ADDRSTRLEN];
	if (names_is_any(addr)) {
		if (port)
			snprintf(buf, size, "*:%u", port);
		else
			buf[0] = '\0';
	} else if (is_v4(addr)) {
		inet_ntop(AF_INET, addr + 12, text, sizeof(text));
		snprintf(buf, size, "%s:%u", text, port);
	} else {
		inet_ntop(AF_INET6, addr, text, sizeof(text));
		snprintf(buf, size, "[%s]:%u", text, port);
	}
}

/* From here on the kernel gives ports to whoever asks for just any. */
#define ANY_PORT_FROM 32768

/* What a port is called, of those asked for lately; "" when it has no name. */
static const char *service_of(uint16_t port, const char *proto)
{
	static struct {
		uint16_t port;
		char proto, name[24];
	} known[64];
	if (!port || port >= ANY_PORT_FROM)
		return "";
	size_t at = (port ^ (unsigned char)proto[0]) % 64;
	if (known[at].port != port || known[at].proto != proto[0]) {
		struct servent *s = getservbyport(htons(port), proto);
		known[at].port = port;
		known[at].proto = proto[0];
		snprintf(known[at].name, sizeof(known[at].name), "%s", s ? s->s_name : "");
	}
	return known[at].name;
}

void names_service(char *buf, size_t size, const uint8_t addr[16], uint16_t port, uint16_t kind)
{
	const char *service = service_of(port, kind == KIND_TCP ? "tcp" : "udp");
	names_addr(buf, size, addr, port);
	size_t len = strlen(buf);
	if (service[0])
		snprintf(buf + len, size - len, " (%s)", service);
}

/* ---- addresses of this host ---- */

#define LOCAL_MAX 256
static struct {
	uint8_t addr[LOCAL_MAX][16];
	int n;
	uint64_t read_at_s;
} local;

static void local_add(const struct sockaddr *sa)
{
	if (local.n == LOCAL_MAX)
		return;
	uint8_t *to = local.addr[local.n];
	if (sa->sa_family == AF_INET) {
		memcpy(to, mapped, sizeof(mapped));
		memcpy(to + 12, &((const struct sockaddr_in *)sa)->sin_addr, 4);
	} else if (sa->sa_family == AF_INET6) {
		memcpy(to, &((const struct sockaddr_in6 *)sa)->sin6_addr, 16);
	} else {
		return;
	}
	local.n++;
}

static void local_read(void)
{
	uint64_t now_s = clock_now_ns() / NS_PER_S + 1; /* never 0: not read yet */
	struct ifaddrs *list, *i;
	if (local.read_at_s == now_s || getifaddrs(&list))
		return;
	local.read_at_s = now_s;
	local.n = 0;
	for (i = list; i; i = i->ifa_next)
		if (i->ifa_addr)
			local_add(i->ifa_addr);
	freeifaddrs(list);
}

bool names_is_local(const uint8_t addr[16])
{
	if (is_v4(addr) ? addr[12] == 127 : IN6_IS_ADDR_LOOPBACK((const struct in6_addr *)addr))
		return true;
	local_read();
	for (int i = 0; i < local.n; i++)
		if (memcmp(local.addr[i], addr, 16) == 0)
			return true;
	return false;
}

/* ---- objects ---- */

static void names_unix(char *name, size_t size, const struct raw_object *o)
{
	size_t len = o->name_len < sizeof(o->name) ? o->name_len : sizeof(o->name);
	if (len && !o->name[0]) /* abstract: any bytes, its length counts */
		snprintf(name, size, "@%.*s", (int)len - 1, o->name + 1);
	else
		snprintf(name, size, "%.*s", (int)len, o->name);
}

static void names_fifo(struct ev_chan *c, const struct raw_object *o)
{
	snprintf(c->ident, sizeof(c->ident), "fifo:[%u:%u:%" PRIu64 "]", o->dev >> 20,
		 o->dev & 0xfffff, (uint64_t)o->ino);
	if (o->hdr.flags & RAW_PATH) {
		snprintf(c->name, sizeof(c->name), "%.*s", (int)sizeof(o->name), o->name);
		return;
	}
	if (c->name[0] == '/')
		return; /* already known in full */
	if (o->fd < 0 || procfs_fd_path(o->pid, o->fd, c->name, sizeof(c->name)) ||
	    c->name[0] != '/')
		snprintf(c->name, sizeof(c->name), "…/%.*s", (int)sizeof(o->name), o->name);
}

static void names_sysv(struct ev_chan *c, const struct raw_object *o, const char *word)
{
	snprintf(c->ident, sizeof(c->ident), "%s:[%" PRIu64 "]", word, (uint64_t)o->ino);
	if (o->key)
		snprintf(c->name, sizeof(c->name), "key 0x%08x", (unsigned int)o->key);
	else
		snprintf(c->name, sizeof(c->name), "private %" PRIu64, (uint64_t)o->ino);
	c->key = o->key;
}

static void names_sock(struct ev_chan *c, const struct raw_object *o, const char *word)
{
	snprintf(c->ident, sizeof(c->ident), "%s:[%" PRIu64 "]", word, (uint64_t)o->ino);
	if (o->kind == KIND_UNIX)
		names_unix(c->name, sizeof(c->name), o);
	else if (o->hdr.flags & RAW_REFUSED)
		names_service(c->name, sizeof(c->name), o->raddr, o->rport, o->kind);
	else
		names_service(c->name, sizeof(c->name), o->laddr, o->lport, o->kind);
	size_t len = strlen(c->name);
	if (len && (o->hdr.flags & (RAW_LISTENING | RAW_REFUSED)))
		snprintf(c->name + len, sizeof(c->name) - len,
			 o->hdr.flags & RAW_REFUSED ? " (not connected)" : " (listening)");
}

/* ---- memory ---- */

#define SHM_DIR "/dev/shm/"

/* The last component came first: turned round, with a slash before each where the root was reached. */
static void path_of(char *buf, size_t size, const struct raw_object *o)
{
	size_t at = 0, len = o->name_len < sizeof(o->name) ? o->name_len : sizeof(o->name);
	bool rooted = o->hdr.flags & RAW_PATH;
	buf[0] = '\0';
	while (len && !o->name[len - 1])
		len--;
	for (size_t end = len, i = len; i-- > 0;) {
		if (i && o->name[i - 1])
			continue;
		int n = snprintf(buf + at, size - at, "%s%.*s", rooted || at ? "/" : "",
				 (int)(end - i), o->name + i);
		if (n < 0 || (size_t)n >= size - at)
			return;
		at += (size_t)n;
		end = i ? i - 1 : 0;
	}
}

/*
 * A file that was made under a passing name and then given its own, in the same folder: sem_open
 * does so in /dev/shm, and a file that began without one (O_TMPFILE) is "#INODE" until then.
 */
static void final_name(char *path, size_t size, const struct raw_object *o)
{
	struct stat st;
	char *slash = strrchr(path, '/');
	if (!slash || (strncmp(path, SHM_DIR, strlen(SHM_DIR)) != 0 && slash[1] != '#') ||
	    (stat(path, &st) == 0 && st.st_ino == o->ino))
		return;
	slash[0] = '\0';
	DIR *dir = opendir(path[0] ? path : "/");
	slash[0] = '/';
	for (struct dirent *d; dir && (d = readdir(dir));)
		if (d->d_ino == o->ino) {
			snprintf(slash + 1, size - (size_t)(slash + 1 - path), "%s", d->d_name);
			break;
		}
	if (dir)
		closedir(dir);
}

static void memory_name(char *buf, size_t size, const struct raw_object *o)
{
	path_of(buf, size, o);
	if (strcmp(buf, "dev/zero") == 0) /* what the kernel calls memory that has no file */
		snprintf(buf, size, "anonymous [%" PRIu64 "]", (uint64_t)o->ino);
	else
		final_name(buf, size, o);
}

static void names_map(struct ev_chan *c, const struct raw_object *o)
{
	snprintf(c->ident, sizeof(c->ident), "map:[%u:%u:%" PRIu64 "]", o->dev >> 20,
		 o->dev & 0xfffff, (uint64_t)o->ino);
	memory_name(c->name, sizeof(c->name), o);
}

static void names_lock(struct ev_chan *c, const struct raw_object *o)
{
	snprintf(c->ident, sizeof(c->ident), "lock:[%u:%u:%" PRIu64 "]", o->dev >> 20,
		 o->dev & 0xfffff, (uint64_t)o->ino);
	path_of(c->name, sizeof(c->name), o);
}

static void names_futex(struct ev_chan *c, const struct raw_object *o)
{
	if (o->hdr.flags & RAW_PRIVATE) {
		snprintf(c->ident, sizeof(c->ident), "futex:[pid %" PRIu64 "]+0x%" PRIx64,
			 (uint64_t)o->ino, (uint64_t)o->at);
		if (o->name[0]) /* the end of a thread */
			snprintf(c->name, sizeof(c->name), "%.*s", (int)sizeof(o->name), o->name);
		else
			snprintf(c->name, sizeof(c->name), "private 0x%" PRIx64, (uint64_t)o->at);
		return;
	}
	char file[RAW_NAME_LEN];
	memory_name(file, sizeof(file), o);
	snprintf(c->ident, sizeof(c->ident), "futex:[%u:%u:%" PRIu64 "]+0x%" PRIx64, o->dev >> 20,
		 o->dev & 0xfffff, (uint64_t)o->ino, (uint64_t)o->at);
	if (file[0])
		snprintf(c->name, sizeof(c->name), "%.*s+0x%" PRIx64, (int)sizeof(file), file,
			 (uint64_t)o->at);
}

static void names_mem(struct ev_chan *c, const struct raw_object *o)
{
	snprintf(c->ident, sizeof(c->ident), "mem:[%" PRIu64 "]", (uint64_t)o->ino);
	if (o->name[0])
		snprintf(c->name, sizeof(c->name), "memory of %.*s[%" PRIu64 "]", EV_COMM_LEN, o->name,
			 (uint64_t)o->ino);
}

/* ---- terminals, and what belongs to a process ---- */

static void names_pty(struct ev_chan *c, const struct raw_object *o)
{
	snprintf(c->ident, sizeof(c->ident), "pty:[%" PRIu64 "]", (uint64_t)o->ino);
	snprintf(c->name, sizeof(c->name), "/dev/pts/%" PRIu64, (uint64_t)o->ino);
}

static void names_signal(struct ev_chan *c, uint32_t pid, int sig)
{
	const char *abbrev = sigabbrev_np(sig);
	snprintf(c->ident, sizeof(c->ident), "signal:[%u:%d]", pid, sig);
	if (!sig)
		snprintf(c->name, sizeof(c->name), "any signal");
	else if (abbrev)
		snprintf(c->name, sizeof(c->name), "SIG%s", abbrev);
	else if (sig == SIGRTMIN)
		snprintf(c->name, sizeof(c->name), "SIGRTMIN");
	else
		snprintf(c->name, sizeof(c->name), "SIGRTMIN%+d", sig - SIGRTMIN);
}

static void names_child(struct ev_chan *c, uint32_t pid, bool any, const char *comm)
{
	snprintf(c->ident, sizeof(c->ident), any ? "child:[any of %u]" : "child:[%u]", pid);
	if (any)
		snprintf(c->name, sizeof(c->name), "any child");
	else
		snprintf(c->name, sizeof(c->name), "%s[%u]", comm[0] ? comm : "?", pid);
}

void names_own(struct ev_chan *c, uint64_t obj, const char *comm)
{
	uint32_t low = (uint32_t)obj, high = (uint32_t)(obj >> 32) & 0xffffff;
	switch (RAW_OBJ_KIND(obj)) {
	case KIND_SIGNAL:
		names_signal(c, (uint32_t)(obj >> 8), (int)(obj & 0xff));
		break;
	case KIND_CHILD:
		names_child(c, low, high != 0, comm);
		break;
	case KIND_SET:
		if ((int32_t)low == RAW_SET_NO_FD)
			snprintf(c->ident, sizeof(c->ident), "poll:[%u]", high);
		else
			snprintf(c->ident, sizeof(c->ident), "epoll:[%u:%d]", high, (int32_t)low);
		break;
	}
}

static const char *tcp_word(const struct raw_object *o)
{
	return o->hdr.flags & RAW_MPTCP ? "mptcp" : "tcp";
}

void names_object(struct ev_chan *c, const struct raw_object *o)
{
	switch (o->kind) {
	case KIND_PIPE:
		snprintf(c->ident, sizeof(c->ident), "pipe:[%" PRIu64 "]", (uint64_t)o->ino);
		break;
	case KIND_FIFO:
		names_fifo(c, o);
		break;
	case KIND_UNIX:
		names_sock(c, o, "unix");
		break;
	case KIND_TCP:
		names_sock(c, o, tcp_word(o));
		break;
	case KIND_UDP:
		names_sock(c, o, "udp");
		break;
	case KIND_MSG:
		names_sysv(c, o, "msg");
		break;
	case KIND_SEM:
		names_sysv(c, o, "sem");
		break;
	case KIND_SHM:
		names_sysv(c, o, "shm");
		break;
	case KIND_MAP:
		names_map(c, o);
		break;
	case KIND_FUTEX:
		names_futex(c, o);
		break;
	case KIND_MEM:
		names_mem(c, o);
		break;
	case KIND_MQ:
		snprintf(c->ident, sizeof(c->ident), "mq:[%" PRIu64 "]", (uint64_t)o->ino);
		snprintf(c->name, sizeof(c->name), "%.*s", (int)sizeof(o->name), o->name);
		break;
	case KIND_EVENTFD:
		snprintf(c->ident, sizeof(c->ident), "eventfd:[%" PRIu64 "]", (uint64_t)o->ino);
		break;
	case KIND_PTY:
		names_pty(c, o);
		break;
	case KIND_LOCK:
		names_lock(c, o);
		break;
	case KIND_RIPC:
		ripc_name(c, o);
		break;
	}
}

static void names_unix_pair(struct ev_chan *c, const struct raw_object *a,
			    const struct raw_object *b)
{
	if (b)
		snprintf(c->ident, sizeof(c->ident), "unix:[%" PRIu64 "]-[%" PRIu64 "]",
			 (uint64_t)a->ino, (uint64_t)b->ino);
	else
		snprintf(c->ident, sizeof(c->ident), "unix:[%" PRIu64 "]", (uint64_t)a->ino);
	names_unix(c->name, sizeof(c->name), a);
	if (!c->name[0] && b)
		names_unix(c->name, sizeof(c->name), b);
}

/* The end people know a connection by: the one that was connected to; if unknown, the lower port. */
static bool serves(const struct raw_object *o)
{
	if (o->hdr.flags & RAW_CONNECTED)
		return false;
	if (o->hdr.flags & RAW_ACCEPTED)
		return true;
	return o->lport < o->rport;
}

void names_pair(struct ev_chan *c, const struct raw_object *a, const struct raw_object *b)
{
	if (a->kind == KIND_UNIX) {
		names_unix_pair(c, a, b);
		return;
	}
	if (a->kind == KIND_PTY) {
		names_pty(c, a);
		return;
	}
	char from[NAMES_ADDR_LEN], to[NAMES_ADDR_LEN];
	names_addr(from, sizeof(from), a->laddr, a->lport);
	names_addr(to, sizeof(to), a->raddr, a->rport);
	snprintf(c->ident, sizeof(c->ident), "%s %s-%s", tcp_word(a), from, to);
	bool a_serves = b && (b->hdr.flags & (RAW_CONNECTED | RAW_ACCEPTED)) ? !serves(b)
									      : serves(a);
	if (a_serves)
		names_service(c->name, sizeof(c->name), a->laddr, a->lport, KIND_TCP);
	else
		names_service(c->name, sizeof(c->name), a->raddr, a->rport, KIND_TCP);
}
