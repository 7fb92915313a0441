// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Streams. What printf or fgets read and write, libc does by calls of its own that no library can
 * stand before. But how much lies in a stream's buffer before and after says how many bytes went
 * through its descriptor in between: all exactly, as one operation marked IO_SUM, for in how many
 * system calls it was is not known. A call that only touches the buffer is not told of.
 *
 * What is left in the buffers when the program ends is written by libc after the last handler of
 * exit; ours is the last, and flushes those streams that were seen, if nobody holds them.
 */
#include <dirent.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdio_ext.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "collector/shim/stdio.h"
#include "collector/shim/stream.h"

#undef putc
#undef getc
#undef putchar
#undef getchar
#undef putc_unlocked
#undef getc_unlocked
#undef putchar_unlocked
#undef getchar_unlocked
#undef fputc_unlocked
#undef fgetc_unlocked
#undef fread_unlocked
#undef fwrite_unlocked

int _IO_putc(int c, FILE *f);
int _IO_getc(FILE *f);
int __uflow(FILE *f);
int __underflow(FILE *f);
int __overflow(FILE *f, int c);
int __printf_chk(int flag, const char *format, ...);
int __fprintf_chk(FILE *f, int flag, const char *format, ...);
int __vprintf_chk(int flag, const char *format, va_list ap);
int __vfprintf_chk(FILE *f, int flag, const char *format, va_list ap);
int __dprintf_chk(int fd, int flag, const char *format, ...);
int __vdprintf_chk(int fd, int flag, const char *format, va_list ap);
size_t __fread_chk(void *p, size_t room, size_t size, size_t n, FILE *f);
char *__fgets_chk(char *p, size_t room, int n, FILE *f);
ssize_t __getdelim(char **line, size_t *room, int delim, FILE *f);
int __isoc99_vfscanf(FILE *f, const char *format, va_list ap);
int __isoc99_fscanf(FILE *f, const char *format, ...);
int __isoc99_scanf(const char *format, ...);
int __isoc99_vscanf(const char *format, va_list ap);
char *gets(char *p); /* C11 has it no more, programs do */
char *__gets_chk(char *p, size_t room);
size_t __fread_unlocked_chk(void *p, size_t room, size_t size, size_t n, FILE *f);
char *__fgets_unlocked_chk(char *p, size_t room, int n, FILE *f);

/* ---- streams seen ---- */

#define SEEN 64
static FILE *seen[SEEN];

static void note(FILE *f)
{
	for (int i = 0; i < SEEN; i++) {
		FILE *there = __atomic_load_n(&seen[i], __ATOMIC_RELAXED);
		if (there == f)
			return;
		if (!there && __atomic_compare_exchange_n(&seen[i], &there, f, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED))
			return;
	}
}

static void unnote(FILE *f)
{
	for (int i = 0; i < SEEN; i++)
		if (__atomic_load_n(&seen[i], __ATOMIC_RELAXED) == f)
			__atomic_store_n(&seen[i], NULL, __ATOMIC_RELAXED);
}

/* ---- before and after ---- */

static bool begin(struct stream *s, FILE *f, enum ipctap_op op, uint32_t dir)
{
	if (!f || !shim_begin_fd(&s->o, f->_fileno, op, dir | IO_SUM))
		return false;
	s->f = f;
	return true;
}

bool shim_out_begin(struct stream *s, FILE *f)
{
	if (!begin(s, f, OP_WRITE, IO_WRITE))
		return false;
	note(f);
	s->before = shim_pending(f);
	return true;
}

static void moved(struct stream *s, int64_t n, bool told_anyway)
{
	if (n <= 0 && !told_anyway) {
		shim_drop(&s->o);
		return;
	}
	shim_done(&s->o, n);
	if (n > 0) {
		s->o.io.bytes = (uint64_t)n;
		s->o.io.messages = 1;
	}
	shim_tell(&s->o);
}

void shim_out_end(struct stream *s, int64_t put)
{
	int64_t n = (int64_t)s->before + (put > 0 ? put : 0) - (int64_t)shim_pending(s->f);
	if (put < 0 && n <= 0)
		moved(s, -1, true);
	else
		moved(s, n, false);
}

/* Does it fit into the buffer, and stay there? */
static inline bool stays(const FILE *f, size_t n)
{
	return (size_t)(f->_IO_buf_end - f->_IO_write_ptr) > n && f->_IO_write_end > f->_IO_write_ptr + n;
}

bool shim_in_begin(struct stream *s, FILE *f)
{
	if (!begin(s, f, OP_READ, IO_READ))
		return false;
	s->before = shim_unread(f);
	s->base = f->_IO_read_end;
	return true;
}

void shim_in_end(struct stream *s, int64_t got)
{
	const FILE *f = s->f;
	int64_t n;
	if (got >= 0)
		n = got + (int64_t)shim_unread(f) - (int64_t)s->before;
	else
		n = f->_IO_read_end != s->base ? f->_IO_read_end - f->_IO_read_base : 0;
	moved(s, n, n == 0 && (feof_unlocked((FILE *)f) || ferror_unlocked((FILE *)f)));
}

/* ---- written ---- */

#define OUT_CHAR(name, params, args, f)                                                            \
	SHIM_EXPORT int name params                                                                \
	{                                                                                          \
		struct stream s;                                                                   \
		if (stays(f, 1) || !shim_out_begin(&s, f))                                              \
			return REAL(name) args;                                                    \
		int ret = REAL(name) args;                                                         \
		shim_out_end(&s, ret == EOF ? -1 : 1);                                                  \
		return ret;                                                                        \
	}

OUT(size_t, fwrite, (const void *p, size_t size, size_t n, FILE *f), (p, size, n, f), f, (int64_t)(ret * size))
OUT(size_t, fwrite_unlocked, (const void *p, size_t size, size_t n, FILE *f), (p, size, n, f), f, (int64_t)(ret * size))
OUT(int, fputs, (const char *p, FILE *f), (p, f), f, ret == EOF ? -1 : (int64_t)strlen(p))
OUT(int, fputs_unlocked, (const char *p, FILE *f), (p, f), f, ret == EOF ? -1 : (int64_t)strlen(p))
OUT(int, puts, (const char *p), (p), stdout, ret == EOF ? -1 : (int64_t)strlen(p) + 1)
OUT(int, vfprintf, (FILE *f, const char *format, va_list ap), (f, format, ap), f, ret)
OUT(int, vprintf, (const char *format, va_list ap), (format, ap), stdout, ret)
OUT(int, __vfprintf_chk, (FILE *f, int flag, const char *format, va_list ap), (f, flag, format, ap), f, ret)
OUT(int, __vprintf_chk, (int flag, const char *format, va_list ap), (flag, format, ap), stdout, ret)
OUT(int, putw, (int w, FILE *f), (w, f), f, ret ? -1 : (int64_t)sizeof(int))
OUT_CHAR(fputc, (int c, FILE *f), (c, f), f)
OUT_CHAR(putc, (int c, FILE *f), (c, f), f)
OUT_CHAR(_IO_putc, (int c, FILE *f), (c, f), f)
OUT_CHAR(putchar, (int c), (c), stdout)
OUT_CHAR(fputc_unlocked, (int c, FILE *f), (c, f), f)
OUT_CHAR(putc_unlocked, (int c, FILE *f), (c, f), f)
OUT_CHAR(putchar_unlocked, (int c), (c), stdout)

/* What the putc of a header calls when the buffer is full. */
OUT(int, __overflow, (FILE *f, int c), (f, c), f, ret == EOF ? -1 : c == EOF ? 0 : 1)

FORMAT(printf, (const char *format, ...), format, vprintf(format, ap))
FORMAT(fprintf, (FILE *f, const char *format, ...), format, vfprintf(f, format, ap))
FORMAT(__printf_chk, (int flag, const char *format, ...), format, __vprintf_chk(flag, format, ap))
FORMAT(__fprintf_chk, (FILE *f, int flag, const char *format, ...), format, __vfprintf_chk(f, flag, format, ap))

#define TO_FD(name, params, args)                                                                  \
	SHIM_EXPORT int name params                                                                \
	{                                                                                          \
		struct shim_op o;                                                                  \
		if (!shim_begin_fd(&o, fd, OP_WRITE, IO_WRITE | IO_SUM))                           \
			return REAL(name) args;                                                    \
		int ret = REAL(name) args;                                                         \
		shim_end_bytes(&o, ret < 0 ? -1 : ret, NULL);                                      \
		return ret;                                                                        \
	}
TO_FD(vdprintf, (int fd, const char *format, va_list ap), (fd, format, ap))
TO_FD(__vdprintf_chk, (int fd, int flag, const char *format, va_list ap), (fd, flag, format, ap))
FORMAT(dprintf, (int fd, const char *format, ...), format, vdprintf(fd, format, ap))
FORMAT(__dprintf_chk, (int fd, int flag, const char *format, ...), format, __vdprintf_chk(fd, flag, format, ap))

static void flush_seen(bool at_end)
{
	for (int i = 0; i < SEEN; i++) {
		FILE *f = __atomic_load_n(&seen[i], __ATOMIC_RELAXED);
		if (!f || !shim_pending(f) || (at_end && ftrylockfile(f)))
			continue;
		fflush_unlocked(f);
		if (at_end)
			funlockfile(f);
	}
}

void shim_stdio_end(void) { flush_seen(true); }

OUT(int, fflush_unlocked, (FILE *f), (f), f, ret)
SHIM_EXPORT int fflush(FILE *f)
{
	struct stream s;
	if (!f)
		flush_seen(false);
	if (!f || !shim_out_begin(&s, f))
		return REAL(fflush)(f);
	int ret = REAL(fflush)(f);
	shim_out_end(&s, ret);
	return ret;
}

/* ---- read ---- */

#define IN_CHAR(name, params, args, f)                                                             \
	SHIM_EXPORT int name params                                                                \
	{                                                                                          \
		struct stream s;                                                                   \
		if (shim_unread(f) || !shim_in_begin(&s, f))                                                 \
			return REAL(name) args;                                                    \
		int ret = REAL(name) args;                                                         \
		shim_in_end(&s, ret == EOF ? 0 : 1);                                                    \
		return ret;                                                                        \
	}

IN(size_t, fread, (void *p, size_t size, size_t n, FILE *f), (p, size, n, f), f, (int64_t)(ret * size))
IN(size_t, fread_unlocked, (void *p, size_t size, size_t n, FILE *f), (p, size, n, f), f, (int64_t)(ret * size))
IN(size_t, __fread_chk, (void *p, size_t room, size_t size, size_t n, FILE *f), (p, room, size, n, f), f, (int64_t)(ret * size))
IN(char *, fgets, (char *p, int n, FILE *f), (p, n, f), f, ret ? (int64_t)strlen(p) : 0)
IN(char *, fgets_unlocked, (char *p, int n, FILE *f), (p, n, f), f, ret ? (int64_t)strlen(p) : 0)
IN(char *, __fgets_chk, (char *p, size_t room, int n, FILE *f), (p, room, n, f), f, ret ? (int64_t)strlen(p) : 0)
IN(size_t, __fread_unlocked_chk, (void *p, size_t room, size_t size, size_t n, FILE *f), (p, room, size, n, f), f,
   (int64_t)(ret * size))
IN(char *, __fgets_unlocked_chk, (char *p, size_t room, int n, FILE *f), (p, room, n, f), f, ret ? (int64_t)strlen(p) : 0)
#define OF_LINE (ret ? (int64_t)strlen(p) + !feof_unlocked(stdin) : 0)
IN(char *, gets, (char *p), (p), stdin, OF_LINE)
IN(char *, __gets_chk, (char *p, size_t room), (p, room), stdin, OF_LINE)
IN(int, getw, (FILE *f), (f), f, feof_unlocked(f) || ferror_unlocked(f) ? 0 : (int64_t)sizeof(int))
IN(ssize_t, getline, (char **line, size_t *room, FILE *f), (line, room, f), f, ret > 0 ? ret : 0)
IN(ssize_t, getdelim, (char **line, size_t *room, int delim, FILE *f), (line, room, delim, f), f, ret > 0 ? ret : 0)
IN(ssize_t, __getdelim, (char **line, size_t *room, int delim, FILE *f), (line, room, delim, f), f, ret > 0 ? ret : 0)
IN(int, __isoc99_vfscanf, (FILE *f, const char *format, va_list ap), (f, format, ap), f, -1)
IN(int, __uflow, (FILE *f), (f), f, ret == EOF ? 0 : 1)
IN(int, __underflow, (FILE *f), (f), f, 0)
IN_CHAR(fgetc, (FILE *f), (f), f)
IN_CHAR(getc, (FILE *f), (f), f)
IN_CHAR(_IO_getc, (FILE *f), (f), f)
IN_CHAR(getchar, (void), (), stdin)
IN_CHAR(fgetc_unlocked, (FILE *f), (f), f)
IN_CHAR(getc_unlocked, (FILE *f), (f), f)
IN_CHAR(getchar_unlocked, (void), (), stdin)
FORMAT(__isoc99_fscanf, (FILE *f, const char *format, ...), format, __isoc99_vfscanf(f, format, ap))
IN(int, __isoc99_vscanf, (const char *format, va_list ap), (format, ap), stdin, -1)
FORMAT(__isoc99_scanf, (const char *format, ...), format, __isoc99_vfscanf(stdin, format, ap))

/* ---- opened and closed ---- */

static FILE *opened(FILE *f)
{
	if (f)
		shim_fd_forget(f->_fileno);
	return f;
}

SHIM_EXPORT FILE *fopen(const char *path, const char *mode) { return opened(REAL(fopen)(path, mode)); }
SHIM_EXPORT FILE *fopen64(const char *path, const char *mode) { return opened(REAL(fopen64)(path, mode)); }
SHIM_EXPORT DIR *opendir(const char *path)
{
	DIR *d = REAL(opendir)(path);
	if (d)
		shim_fd_forget(dirfd(d));
	return d;
}

/* The buffer is written out, then the descriptor is closed. */
#define CLOSE(name, op_)                                                                           \
	SHIM_EXPORT int name(FILE *f)                                                              \
	{                                                                                          \
		struct shim_op o;                                                                  \
		struct shim_thread *t = shim_ready();                                              \
		if (!t || !f || f->_fileno < 0)                                                    \
			return REAL(name)(f);                                                      \
		if (shim_pending(f))                                                                    \
			fflush(f);                                                                 \
		unnote(f);                                                                         \
		int fd = f->_fileno;                                                               \
		uint64_t obj = shim_fd_closing(t, fd);                                             \
		if (!obj)                                                                          \
			return REAL(name)(f);                                                      \
		shim_begin(&o, t, obj, fd, op_, 0);                                                \
		int ret = REAL(name)(f);                                                           \
		shim_done(&o, ret);                                                                \
		shim_fd_closed(t, fd, obj);                                                        \
		shim_tell(&o);                                                                     \
		return ret;                                                                        \
	}

CLOSE(fclose, OP_CLOSE)
CLOSE(pclose, OP_CLOSE)

#define REOPEN(name)                                                                               \
	SHIM_EXPORT FILE *name(const char *path, const char *mode, FILE *f)                        \
	{                                                                                          \
		struct shim_thread *t = shim_ready();                                              \
		int fd = t && f ? f->_fileno : -1;                                                 \
		uint64_t obj = fd >= 0 ? shim_fd_closing(t, fd) : 0;                               \
		FILE *ret = REAL(name)(path, mode, f);                                             \
		if (t && obj)                                                                      \
			shim_fd_closed(t, fd, obj);                                                \
		return opened(ret);                                                                \
	}
REOPEN(freopen)
REOPEN(freopen64)

SHIM_EXPORT int closedir(DIR *d)
{
	shim_fd_forget(dirfd(d));
	return REAL(closedir)(d);
}

SHIM_EXPORT FILE *popen(const char *command, const char *mode)
{
	FILE *f = REAL(popen)(command, mode);
	struct shim_thread *t = f ? shim_ready() : NULL;
	if (t)
		shim_fd_new(t, f->_fileno, RAW_NEW, ENDPOINT_OPEN);
	return f;
}

/* It waits for a child, whose number it keeps to itself. */
SHIM_EXPORT int system(const char *command)
{
	struct shim_op o;
	struct shim_thread *t = command ? shim_ready() : NULL;
	if (!t)
		return REAL(system)(command);
	shim_begin(&o, t, RAW_OBJ_ANY_CHILD(shim_pid), -1, OP_WAIT4, IO_READ);
	int ret = REAL(system)(command);
	o.io.mtype = ret;
	shim_end(&o, ret);
	return ret;
}

/* ---- names of long ago ---- */

#define ALIAS(name, of) extern __typeof__(of) name __attribute__((alias(#of), copy(of), visibility("default")));
ALIAS(_IO_fwrite, fwrite)
ALIAS(_IO_fputs, fputs)
ALIAS(_IO_puts, puts)
ALIAS(_IO_fread, fread)
ALIAS(_IO_fgets, fgets)
ALIAS(_IO_gets, gets)
ALIAS(_IO_fflush, fflush)
ALIAS(_IO_fopen, fopen)
ALIAS(_IO_fclose, fclose)
ALIAS(_IO_popen, popen)
ALIAS(_IO_printf, printf)
ALIAS(_IO_fprintf, fprintf)
ALIAS(_IO_vfprintf, vfprintf)
