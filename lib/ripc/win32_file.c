// SPDX-License-Identifier: LGPL-2.1-or-later
/* CreateFile on ordinary files, anonymous pipes, and ReadFile and WriteFile for every object. */
#include "win32_handle.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

static void file_destroy(struct w32_object *o)
{
	close(o->fd);
	free(o);
}

/* A descriptor that is shared with programs of others may be non-blocking; a handle never is. */
static bool wait_for(int fd, short events)
{
	struct pollfd p = {.fd = fd, .events = events};

	return errno == EINTR || (errno == EAGAIN && (poll(&p, 1, -1) > 0 || errno == EINTR));
}

static DWORD file_read(struct w32_object *o, void *buf, DWORD size, DWORD *got)
{
	ssize_t n;

	do
		n = read(o->fd, buf, size);
	while (n < 0 && wait_for(o->fd, POLLIN));
	if (n < 0)
		return w32_error_of(errno);
	*got = (DWORD)n;
	return 0;
}

static DWORD pipe_read(struct w32_object *o, void *buf, DWORD size, DWORD *got)
{
	DWORD error = file_read(o, buf, size, got);

	return error ? error : size && !*got ? ERROR_BROKEN_PIPE : 0;
}

static DWORD file_write(struct w32_object *o, const void *buf, DWORD size, DWORD *put)
{
	while (*put < size) {
		ssize_t n = write(o->fd, (const char *)buf + *put, size - *put);

		if (n >= 0)
			*put += (DWORD)n;
		else if (!wait_for(o->fd, POLLOUT))
			return w32_error_of(errno);
	}
	return 0;
}

/* A broken pipe is an error here, never a signal: SIGPIPE is held back and taken off this thread. */
static DWORD pipe_write(struct w32_object *o, const void *buf, DWORD size, DWORD *put)
{
	static const struct timespec at_once;
	sigset_t sigpipe, old, pending;
	DWORD error;
	bool had;

	sigpending(&pending);
	had = sigismember(&pending, SIGPIPE);
	sigemptyset(&sigpipe);
	sigaddset(&sigpipe, SIGPIPE);
	pthread_sigmask(SIG_BLOCK, &sigpipe, &old);
	error = file_write(o, buf, size, put);
	if (error == ERROR_NO_DATA && !had)
		while (sigtimedwait(&sigpipe, NULL, &at_once) < 0 && errno == EINTR)
			;
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return error;
}

static DWORD file_flush(struct w32_object *o)
{
	/* what has nothing to flush (a terminal, a device) is flushed */
	return fsync(o->fd) < 0 && errno != EINVAL && errno != EROFS ? w32_error_of(errno) : 0;
}

static DWORD pipe_flush(struct w32_object *o)
{
	(void)o;
	return 0;
}

static DWORD pipe_peek(struct w32_object *o, void *buf, DWORD size, DWORD *got, DWORD *avail,
		       DWORD *left)
{
	struct pollfd p = {.fd = o->fd, .events = POLLIN};
	int n = 0;

	if (buf && size)
		return ERROR_NOT_SUPPORTED;
	if (ioctl(o->fd, FIONREAD, &n) < 0)
		return w32_error_of(errno);
	if (n == 0 && poll(&p, 1, 0) == 1 && (p.revents & POLLHUP))
		return ERROR_BROKEN_PIPE;
	*got = *left = 0;
	*avail = (DWORD)n;
	return 0;
}

const struct w32_type w32_file_type = {
    .letter = 'f',
    .destroy = file_destroy,
    .read = file_read,
    .write = file_write,
    .flush = file_flush,
};

const struct w32_type w32_pipe_type = {
    .letter = 'p',
    .destroy = file_destroy,
    .read = pipe_read,
    .write = pipe_write,
    .flush = pipe_flush,
    .peek = pipe_peek,
};

struct w32_object *w32_file_of_fd(int fd, DWORD access, const struct w32_type *type)
{
	struct w32_object *o = malloc(sizeof(*o));

	if (!o) {
		close(fd);
		SetLastError(ERROR_NOT_ENOUGH_MEMORY);
		return NULL;
	}
	w32_object_init(o, type, access, fd);
	return o;
}

struct w32_object *w32_file_adopt(const struct w32_heir *heir)
{
	struct stat st;

	if (fstat(heir->fd, &st) < 0 || S_ISDIR(st.st_mode) ||
	    (heir->letter == 'p') != S_ISFIFO(st.st_mode))
		return NULL;
	return w32_file_of_fd(heir->fd, heir->access & (GENERIC_READ | GENERIC_WRITE),
			      heir->letter == 'p' ? &w32_pipe_type : &w32_file_type);
}

/* ---- CreateFile ---- */

#define FLAGS_KNOWN                                                                                \
	(FILE_ATTRIBUTE_READONLY | FILE_ATTRIBUTE_NORMAL | FILE_ATTRIBUTE_TEMPORARY |              \
	 FILE_FLAG_WRITE_THROUGH)
#define ACCESS_KNOWN                                                                               \
	(GENERIC_READ | GENERIC_WRITE | FILE_READ_ATTRIBUTES | FILE_WRITE_ATTRIBUTES)

static int open_flags(DWORD access, DWORD flags)
{
	int how = O_CLOEXEC | O_NOCTTY;

	if ((access & GENERIC_READ) && (access & GENERIC_WRITE))
		how |= O_RDWR;
	else
		how |= access & GENERIC_WRITE ? O_WRONLY : O_RDONLY;
	return how | (flags & FILE_FLAG_WRITE_THROUGH ? O_SYNC : 0);
}

/* Opens it as the disposition says; *existed tells whether it was there. Returns −errno. */
static int open_file(LPCSTR path, int how, DWORD disposition, mode_t mode, bool *existed)
{
	int fd;

	*existed = true;
	if (disposition == OPEN_EXISTING || disposition == TRUNCATE_EXISTING) {
		fd = open(path, how);
		return fd < 0 ? -errno : fd;
	}
	for (;;) { /* the other side may remove or make it between the two calls */
		fd = open(path, how | O_CREAT | O_EXCL, mode);
		if (fd >= 0) {
			*existed = false;
			return fd;
		}
		if (errno != EEXIST || disposition == CREATE_NEW)
			return -errno;
		fd = open(path, how);
		if (fd >= 0 || errno != ENOENT)
			return fd < 0 ? -errno : fd;
	}
}

/* Share mode, and truncation only once that is settled. */
static DWORD settle(int fd, DWORD share, bool truncate)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return w32_error_of(errno);
	if (S_ISDIR(st.st_mode))
		return ERROR_ACCESS_DENIED;
	if (!S_ISREG(st.st_mode))
		return 0;
	if (flock(fd, (share ? LOCK_SH : LOCK_EX) | LOCK_NB) < 0 && errno == EWOULDBLOCK)
		return ERROR_SHARING_VIOLATION;
	return truncate && ftruncate(fd, 0) < 0 ? w32_error_of(errno) : 0;
}

/* ENOENT of a file whose folder is missing is another error than that of the file. */
static DWORD open_error(int err, LPCSTR path)
{
	const char *slash = strrchr(path, '/');
	char dir[4096];
	struct stat st;

	if (err != ENOENT || !slash || slash == path || (size_t)(slash - path) >= sizeof(dir))
		return w32_error_of(err);
	memcpy(dir, path, (size_t)(slash - path));
	dir[slash - path] = '\0';
	return stat(dir, &st) < 0 ? ERROR_PATH_NOT_FOUND : ERROR_FILE_NOT_FOUND;
}

HANDLE CreateFile(LPCSTR lpFileName, DWORD dwDesiredAccess, DWORD dwShareMode,
		  LPSECURITY_ATTRIBUTES lpSecurityAttributes, DWORD dwCreationDisposition,
		  DWORD dwFlagsAndAttributes, HANDLE hTemplateFile)
{
	bool inherit, existed, empties, reports;
	struct w32_object *o;
	DWORD error = 0;
	HANDLE h;
	int fd;

	if (!lpFileName || !*lpFileName || hTemplateFile || dwCreationDisposition < CREATE_NEW ||
	    dwCreationDisposition > TRUNCATE_EXISTING ||
	    (dwShareMode & ~(FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE)) ||
	    (dwDesiredAccess & ~ACCESS_KNOWN))
		error = ERROR_INVALID_PARAMETER;
	else if (w32_is_pipe_name(lpFileName))
		return w32_security(lpSecurityAttributes, &inherit)
			   ? w32_pipe_open(lpFileName, dwDesiredAccess, dwCreationDisposition,
					   dwFlagsAndAttributes, inherit)
			   : INVALID_HANDLE_VALUE;
	else if (dwFlagsAndAttributes & ~FLAGS_KNOWN)
		error = ERROR_NOT_SUPPORTED;
	else if (dwCreationDisposition == TRUNCATE_EXISTING && !(dwDesiredAccess & GENERIC_WRITE))
		error = ERROR_INVALID_PARAMETER;
	if (!w32_result(error) || !w32_security(lpSecurityAttributes, &inherit))
		return INVALID_HANDLE_VALUE;
	fd = open_file(lpFileName, open_flags(dwDesiredAccess, dwFlagsAndAttributes),
		       dwCreationDisposition,
		       dwFlagsAndAttributes & FILE_ATTRIBUTE_READONLY ? 0444 : 0666, &existed);
	if (fd < 0) {
		w32_result(open_error(-fd, lpFileName));
		return INVALID_HANDLE_VALUE;
	}
	empties = existed && (dwCreationDisposition == CREATE_ALWAYS ||
			      dwCreationDisposition == TRUNCATE_EXISTING);
	error = settle(fd, dwShareMode, empties);
	if (!w32_result(error)) {
		close(fd);
		return INVALID_HANDLE_VALUE;
	}
	o = w32_file_of_fd(fd, dwDesiredAccess, &w32_file_type);
	h = o ? w32_handle_new(o, inherit) : NULL;
	reports = dwCreationDisposition == CREATE_ALWAYS || dwCreationDisposition == OPEN_ALWAYS;
	if (h && reports)
		SetLastError(existed ? ERROR_ALREADY_EXISTS : 0);
	return h ? h : INVALID_HANDLE_VALUE;
}

/* ---- input and output by handle ---- */

BOOL ReadFile(HANDLE hFile, LPVOID lpBuffer, DWORD nNumberOfBytesToRead,
	      LPDWORD lpNumberOfBytesRead, LPOVERLAPPED lpOverlapped)
{
	struct w32_object *o;
	DWORD error;

	if (lpOverlapped)
		return w32_result(ERROR_NOT_SUPPORTED);
	if (!lpNumberOfBytesRead || (!lpBuffer && nNumberOfBytesToRead))
		return w32_result(ERROR_INVALID_PARAMETER);
	*lpNumberOfBytesRead = 0;
	o = w32_handle_get(hFile, NULL);
	if (!o)
		return FALSE;
	if (!o->type->read)
		error = ERROR_INVALID_HANDLE;
	else if (!(o->access & GENERIC_READ))
		error = ERROR_ACCESS_DENIED;
	else
		error = o->type->read(o, lpBuffer, nNumberOfBytesToRead, lpNumberOfBytesRead);
	w32_object_put(o);
	return w32_result(error);
}

BOOL WriteFile(HANDLE hFile, LPCVOID lpBuffer, DWORD nNumberOfBytesToWrite,
	       LPDWORD lpNumberOfBytesWritten, LPOVERLAPPED lpOverlapped)
{
	struct w32_object *o;
	DWORD error;

	if (lpOverlapped)
		return w32_result(ERROR_NOT_SUPPORTED);
	if (!lpNumberOfBytesWritten || (!lpBuffer && nNumberOfBytesToWrite))
		return w32_result(ERROR_INVALID_PARAMETER);
	*lpNumberOfBytesWritten = 0;
	o = w32_handle_get(hFile, NULL);
	if (!o)
		return FALSE;
	if (!o->type->write)
		error = ERROR_INVALID_HANDLE;
	else if (!(o->access & GENERIC_WRITE))
		error = ERROR_ACCESS_DENIED;
	else
		error = o->type->write(o, lpBuffer, nNumberOfBytesToWrite, lpNumberOfBytesWritten);
	w32_object_put(o);
	return w32_result(error);
}

BOOL FlushFileBuffers(HANDLE hFile)
{
	struct w32_object *o = w32_handle_get(hFile, NULL);
	DWORD error;

	if (!o)
		return FALSE;
	if (!o->type->flush)
		error = ERROR_INVALID_HANDLE;
	else if (!(o->access & GENERIC_WRITE))
		error = ERROR_ACCESS_DENIED;
	else
		error = o->type->flush(o);
	w32_object_put(o);
	return w32_result(error);
}

DWORD GetFileSize(HANDLE hFile, LPDWORD lpFileSizeHigh)
{
	struct w32_object *o = w32_handle_get(hFile, &w32_file_type);
	struct stat st;
	int err;

	if (!o)
		return INVALID_FILE_SIZE;
	err = fstat(o->fd, &st) < 0 ? errno : 0;
	w32_object_put(o);
	if (err) {
		SetLastError(w32_error_of(err));
		return INVALID_FILE_SIZE;
	}
	if (lpFileSizeHigh)
		*lpFileSizeHigh = (DWORD)((uint64_t)st.st_size >> 32);
	SetLastError(0); /* a size may look like INVALID_FILE_SIZE: then this tells, as documented */
	return (DWORD)st.st_size;
}

BOOL PeekNamedPipe(HANDLE hNamedPipe, LPVOID lpBuffer, DWORD nBufferSize, LPDWORD lpBytesRead,
		   LPDWORD lpTotalBytesAvail, LPDWORD lpBytesLeftThisMessage)
{
	DWORD got = 0, avail = 0, left = 0, error;
	struct w32_object *o = w32_handle_get(hNamedPipe, NULL);

	if (!o)
		return FALSE;
	if (!o->type->peek)
		error = ERROR_INVALID_HANDLE;
	else if (!(o->access & GENERIC_READ))
		error = ERROR_ACCESS_DENIED;
	else
		error = o->type->peek(o, lpBuffer, lpBuffer ? nBufferSize : 0, &got, &avail, &left);
	w32_object_put(o);
	if (error)
		return w32_result(error);
	if (lpBytesRead)
		*lpBytesRead = got;
	if (lpTotalBytesAvail)
		*lpTotalBytesAvail = avail;
	if (lpBytesLeftThisMessage)
		*lpBytesLeftThisMessage = left;
	return TRUE;
}
