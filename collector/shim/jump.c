// SPDX-License-Identifier: LGPL-2.1-or-later
/* Jumps, which may be those of a signal handler out of a call that it interrupted. */
#include <setjmp.h>

#include "collector/shim/shim.h"

void __longjmp_chk(jmp_buf env, int value) __attribute__((noreturn));

#define JUMP(name, type)                                                                           \
	SHIM_EXPORT __attribute__((noreturn)) void name(type env, int value)                       \
	{                                                                                          \
		shim_jumped();                                                                     \
		REAL(name)(env, value);                                                            \
		__builtin_unreachable();                                                           \
	}

JUMP(longjmp, jmp_buf)
JUMP(_longjmp, jmp_buf)
JUMP(siglongjmp, sigjmp_buf)
JUMP(__longjmp_chk, jmp_buf)
