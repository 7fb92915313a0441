// SPDX-License-Identifier: GPL-2.0-or-later
#include "fail.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int fail_set(struct fail *f, int err, const char *remedy, const char *what_fmt, ...)
{
	if (!f)
		return -err;
	f->err = err;
	va_list ap;
	va_start(ap, what_fmt);
	int n = vsnprintf(f->what, sizeof(f->what), what_fmt, ap);
	va_end(ap);
	if (err && n >= 0 && (size_t)n < sizeof(f->what))
		snprintf(f->what + n, sizeof(f->what) - (size_t)n, ": %s", strerror(err));
	snprintf(f->remedy, sizeof(f->remedy), "%s", remedy ? remedy : "");
	return -err;
}
