// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Streams of wide characters. What goes through the descriptor is bytes: those that the characters are made
 * into by the stream's encoding, which is the locale's. Its buffer of wide characters lies before that of
 * bytes; both count as what has not moved yet.
 *
 * How many bytes a format made is not known when some of them went out meanwhile and characters may be of
 * several bytes: each is then counted as one, and what the channel held is marked as not sure.
 */
#include <limits.h>
#include <stdarg.h>
#include <stdlib.h>
#include <wchar.h>

#include "collector/shim/stream.h"

#undef putwc
#undef getwc
#undef putwchar
#undef getwchar

wchar_t *__fgetws_chk(wchar_t *p, size_t room, int n, FILE *f);
wchar_t *__fgetws_unlocked_chk(wchar_t *p, size_t room, int n, FILE *f);
int __vfwprintf_chk(FILE *f, int flag, const wchar_t *format, va_list ap);
int __vwprintf_chk(int flag, const wchar_t *format, va_list ap);
int __fwprintf_chk(FILE *f, int flag, const wchar_t *format, ...);
int __wprintf_chk(int flag, const wchar_t *format, ...);
int __isoc99_vfwscanf(FILE *f, const wchar_t *format, va_list ap);
int __isoc99_vwscanf(const wchar_t *format, va_list ap);
int __isoc99_fwscanf(FILE *f, const wchar_t *format, ...);
int __isoc99_wscanf(const wchar_t *format, ...);

/* The beginning of glibc's struct _IO_wide_data, the same since its wide streams began. */
struct wide {
	wchar_t *read_ptr, *read_end, *read_base, *write_base, *write_ptr;
};

static size_t bytes_of(const wchar_t *from, const wchar_t *to)
{
	mbstate_t state = { 0 };
	char one[MB_LEN_MAX];
	size_t n = 0;
	int saved = errno;
	for (; from < to; from++) {
		size_t more = wcrtomb(one, *from, &state);
		n += more == (size_t)-1 ? 1 : more;
	}
	errno = saved;
	return n;
}

size_t shim_wide_pending(const FILE *f)
{
	const struct wide *w = (const struct wide *)f->_wide_data;
	return w ? bytes_of(w->write_base, w->write_ptr) : 0;
}

size_t shim_wide_unread(const FILE *f)
{
	const struct wide *w = (const struct wide *)f->_wide_data;
	return w ? bytes_of(w->read_ptr, w->read_end) : 0;
}

static int64_t of_char(wint_t c)
{
	wchar_t one = (wchar_t)c;
	return c == WEOF ? 0 : (int64_t)bytes_of(&one, &one + 1);
}

static int64_t of_text(const wchar_t *p) { return p ? (int64_t)bytes_of(p, p + wcslen(p)) : 0; }

/* ---- written ---- */

#define OUT_WIDE(name, params, args, c, f)                                                         \
	OUT(wint_t, name, params, args, f, ret == WEOF ? -1 : of_char((wint_t)(c)))
OUT_WIDE(fputwc, (wchar_t c, FILE *f), (c, f), c, f)
OUT_WIDE(putwc, (wchar_t c, FILE *f), (c, f), c, f)
OUT_WIDE(putwchar, (wchar_t c), (c), c, stdout)
OUT_WIDE(fputwc_unlocked, (wchar_t c, FILE *f), (c, f), c, f)
OUT_WIDE(putwc_unlocked, (wchar_t c, FILE *f), (c, f), c, f)
OUT_WIDE(putwchar_unlocked, (wchar_t c), (c), c, stdout)
OUT(int, fputws, (const wchar_t *p, FILE *f), (p, f), f, ret < 0 ? -1 : of_text(p))
OUT(int, fputws_unlocked, (const wchar_t *p, FILE *f), (p, f), f, ret < 0 ? -1 : of_text(p))

static int64_t of_format(struct stream *s, int ret)
{
	size_t now = shim_pending(s->f);
	if (ret < 0)
		return -1;
	if (now >= s->before + (size_t)ret) /* all of it lies there still */
		return (int64_t)(now - s->before);
	if (MB_CUR_MAX > 1)
		s->o.io.hdr.flags |= IO_UNSURE;
	return ret;
}

OUT(int, vfwprintf, (FILE *f, const wchar_t *format, va_list ap), (f, format, ap), f, of_format(&s, ret))
OUT(int, vwprintf, (const wchar_t *format, va_list ap), (format, ap), stdout, of_format(&s, ret))
OUT(int, __vfwprintf_chk, (FILE *f, int flag, const wchar_t *format, va_list ap), (f, flag, format, ap), f, of_format(&s, ret))
OUT(int, __vwprintf_chk, (int flag, const wchar_t *format, va_list ap), (flag, format, ap), stdout, of_format(&s, ret))
FORMAT(fwprintf, (FILE *f, const wchar_t *format, ...), format, vfwprintf(f, format, ap))
FORMAT(wprintf, (const wchar_t *format, ...), format, vwprintf(format, ap))
FORMAT(__fwprintf_chk, (FILE *f, int flag, const wchar_t *format, ...), format, __vfwprintf_chk(f, flag, format, ap))
FORMAT(__wprintf_chk, (int flag, const wchar_t *format, ...), format, __vwprintf_chk(flag, format, ap))

/* ---- read ---- */

IN(wint_t, fgetwc, (FILE *f), (f), f, of_char(ret))
IN(wint_t, getwc, (FILE *f), (f), f, of_char(ret))
IN(wint_t, getwchar, (void), (), stdin, of_char(ret))
IN(wint_t, fgetwc_unlocked, (FILE *f), (f), f, of_char(ret))
IN(wint_t, getwc_unlocked, (FILE *f), (f), f, of_char(ret))
IN(wint_t, getwchar_unlocked, (void), (), stdin, of_char(ret))
IN(wchar_t *, fgetws, (wchar_t *p, int n, FILE *f), (p, n, f), f, of_text(ret))
IN(wchar_t *, fgetws_unlocked, (wchar_t *p, int n, FILE *f), (p, n, f), f, of_text(ret))
IN(wchar_t *, __fgetws_chk, (wchar_t *p, size_t room, int n, FILE *f), (p, room, n, f), f, of_text(ret))
IN(wchar_t *, __fgetws_unlocked_chk, (wchar_t *p, size_t room, int n, FILE *f), (p, room, n, f), f, of_text(ret))
IN(int, __isoc99_vfwscanf, (FILE *f, const wchar_t *format, va_list ap), (f, format, ap), f, -1)
IN(int, __isoc99_vwscanf, (const wchar_t *format, va_list ap), (format, ap), stdin, -1)
FORMAT(__isoc99_fwscanf, (FILE *f, const wchar_t *format, ...), format, __isoc99_vfwscanf(f, format, ap))
FORMAT(__isoc99_wscanf, (const wchar_t *format, ...), format, __isoc99_vfwscanf(stdin, format, ap))
