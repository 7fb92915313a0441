// SPDX-License-Identifier: LGPL-2.1-or-later
#include "real.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdarg.h>
#include <string.h>

extern const struct shim_real __start_shim_reals[], __stop_shim_reals[];

/* What is called where libc has no such function; nobody who was linked with it comes here. */
static long not_there(void)
{
	errno = ENOSYS;
	return -1;
}

/*
 * Condition variables changed their layout in glibc 2.3.2: on the oldest architectures there are two
 * sets of functions, and dlsym gives the one that nobody uses any more.
 */
static void *look_up(const char *name)
{
	void *fn = NULL;
#ifdef __x86_64__
	if (strncmp(name, "pthread_cond_", strlen("pthread_cond_")) == 0)
		fn = dlvsym(RTLD_NEXT, name, "GLIBC_2.3.2");
#endif
	return fn ? fn : dlsym(RTLD_NEXT, name);
}

void *shim_real_resolve(const char *name, void **slot)
{
	int saved = errno;
	void *fn = look_up(name);
	if (!fn)
		fn = (void *)not_there;
	__atomic_store_n(slot, fn, __ATOMIC_RELAXED);
	errno = saved;
	return fn;
}

void shim_real_resolve_all(void)
{
	for (const struct shim_real *r = __start_shim_reals; r < __stop_shim_reals; r++)
		if (!__atomic_load_n(r->slot, __ATOMIC_RELAXED))
			shim_real_resolve(r->name, r->slot);
}

#ifdef __x86_64__
long shim_syscall(long nr, ...)
{
	long a[6], ret;
	va_list ap;
	va_start(ap, nr);
	for (int i = 0; i < 6; i++)
		a[i] = va_arg(ap, long);
	va_end(ap);
	register long r10 __asm__("r10") = a[3];
	register long r8 __asm__("r8") = a[4];
	register long r9 __asm__("r9") = a[5];
	__asm__ volatile("syscall"
			 : "=a"(ret)
			 : "a"(nr), "D"(a[0]), "S"(a[1]), "d"(a[2]), "r"(r10), "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory");
	if (ret < 0 && ret > -4096) {
		errno = (int)-ret;
		return -1;
	}
	return ret;
}
#endif
