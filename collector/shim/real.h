/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The functions behind ours: REAL(read) is the next `read` in the program's search order, be it
 * libc's or that of another preloaded library.
 *
 * All are looked up when the library is loaded, so that no look-up, which takes the loader's lock, is
 * made inside an allocator or a signal handler. A call that comes even earlier, from the constructor
 * of a library that was loaded before, looks up its own. The list is made by the linker: every use of
 * REAL puts its name and its slot into the section "shim_reals".
 */
#ifndef IPCTAP_SHIM_REAL_H
#define IPCTAP_SHIM_REAL_H

struct shim_real {
	const char *name;
	void **slot;
};

void shim_real_resolve_all(void);
void *shim_real_resolve(const char *name, void **slot); /* NULL: there is none */

#define REAL_SLOT(fn)                                                                              \
	({                                                                                         \
		static void *real_slot;                                                            \
		static const struct shim_real real_row                                             \
			__attribute__((used, section("shim_reals"))) = { #fn, &real_slot };        \
		(void)real_row;                                                                    \
		&real_slot;                                                                        \
	})
#define REAL(fn)                                                                                   \
	({                                                                                         \
		void **slot_of_real = REAL_SLOT(fn);                                               \
		void *real_fn = __atomic_load_n(slot_of_real, __ATOMIC_RELAXED);                   \
		(__typeof__(&fn))(__builtin_expect(real_fn != 0, 1) ?                              \
					  real_fn :                                                \
					  shim_real_resolve(#fn, slot_of_real));                   \
	})

/*
 * A system call by number, errno set as libc's syscall(2) does. Ours is by that name the program's
 * (direct.c), so in here it is this one that is meant.
 */
long shim_syscall(long nr, ...);
#define syscall shim_syscall

#endif
