/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Shared memory through the global variables of a shared library (in Win32 a DLL's data section
 * that is marked shared): every process that loads the library sees the same variables.
 *
 *     // counter.c, becomes libcounter.so
 *     #include <ripc_shared.h>
 *     RIPC_SHARED_LIBRARY("counter.1")                 // once in the library: its global name
 *     RIPC_SHARED _Atomic int visits = 0;              // as many as you like, in any of its files
 *     int count_visit(void) { return atomic_fetch_add(&visits, 1) + 1; }
 *
 * The variables lie in a section of their own that begins and ends on a page. When the library is
 * loaded, a constructor maps an object of shared memory over that section. The first process brings
 * the initial values; they come again once the last process that has the library is gone.
 *
 * Limits
 * - Two libraries with one name but other variables do not go together: the second to be loaded
 *   keeps private variables, and RIPC_SHARED_ERROR() is -EPROTO there. What is compared is the
 *   section's size and its initial values. So give a new version a new name.
 * - Pointers in the variables mean nothing to another process, and there are no constructors of C++.
 * - Nothing orders the accesses: use atomics, or an object of ripc.h.
 * - The variables must be initialised by constants, zero included; 16 MiB in all. Not with -flto (the
 *   section's borders are written in assembly), not in a static program's main file unless it is
 *   linked with libripc.a, when "library" means the program.
 * - Constructors of the library that run before this one (priorities below 200) see private values.
 * - The processes must be of one user, as with every object of libripc.
 */
#ifndef RIPC_SHARED_H
#define RIPC_SHARED_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__x86_64__) || defined(__i386__)
#define RIPC_SHARED_PAGE "4096"
#else
#define RIPC_SHARED_PAGE "65536" /* the largest page of the machines that have several sizes */
#endif

/*
 * Each file's part of the section begins on a page, and its last subsection fills it up to one: so
 * the whole does too, in whatever order the linker puts the parts.
 */
__asm__(".pushsection ripc_shared,\"aw\",@progbits\n\t"
	".balign " RIPC_SHARED_PAGE "\n\t"
	".popsection\n\t"
	".pushsection ripc_shared,8192,\"aw\",@progbits\n\t"
	".balign " RIPC_SHARED_PAGE "\n\t"
	".popsection");

#define RIPC_SHARED __attribute__((section("ripc_shared")))

/* 0, or the negative errno that left this library's variables private (see ripc_shared_attach). */
#define RIPC_SHARED_ERROR() ripc_shared_error_

extern __attribute__((visibility("hidden"))) int ripc_shared_error_;
extern __attribute__((visibility("hidden"))) char __start_ripc_shared[], __stop_ripc_shared[];

#define RIPC_SHARED_LIBRARY(name)                                                                  \
	int ripc_shared_error_;                                                                    \
	static void *ripc_shared_object_;                                                          \
	static __attribute__((constructor(200))) void ripc_shared_start_(void)                     \
	{                                                                                          \
		ripc_shared_error_ = ripc_shared_attach(                                           \
		    &ripc_shared_object_, name, __start_ripc_shared,                               \
		    (size_t)(__stop_ripc_shared - __start_ripc_shared));                           \
	}                                                                                          \
	static __attribute__((destructor(200))) void ripc_shared_stop_(void)                       \
	{                                                                                          \
		ripc_shared_detach(ripc_shared_object_);                                           \
	}                                                                                          \
	struct ripc_shared_needs_a_semicolon_

/*
 * Maps the object `name` over [start, start + bytes), whole pages; what is there now are the initial
 * values if it is the first. Returns 0 or a negative errno, with the memory as it was: -EPROTO the
 * object was made by another library, -EINVAL not whole pages or too many of them, else as the core
 * (-EACCES, -EBADMSG, -ENOSPC, …). Detaching leaves the variables mapped, with their last values.
 */
int ripc_shared_attach(void **object, const char *name, void *start, size_t bytes);
void ripc_shared_detach(void *object);

#ifdef __cplusplus
}
#endif

#endif
