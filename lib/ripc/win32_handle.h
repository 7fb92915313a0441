/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Inside ripc_win32: the table of a process's handles, and what a kind of object must be able to
 * do. An object is counted: its handles and the calls that are using it each hold it, so that
 * CloseHandle in one thread never pulls it from under another.
 */
#ifndef RIPC_WIN32_HANDLE_H
#define RIPC_WIN32_HANDLE_H

#include <stdatomic.h>
#include <stdbool.h>

#include "ripc_win32.h"

struct w32_object;

/* Functions return a Win32 error, 0 when it went well. NULL: ERROR_INVALID_HANDLE. */
struct w32_type {
	char letter; /* in RIPC_HANDLES */
	bool dies_in_fork;
	void (*destroy)(struct w32_object *o);
	DWORD (*read)(struct w32_object *o, void *buf, DWORD size, DWORD *got);
	DWORD (*write)(struct w32_object *o, const void *buf, DWORD size, DWORD *put);
	DWORD (*flush)(struct w32_object *o);
	DWORD (*wait)(struct w32_object *o, DWORD ms, DWORD *result); /* WAIT_… in *result */
	DWORD (*peek)(struct w32_object *o, void *buf, DWORD size, DWORD *got, DWORD *avail,
		      DWORD *left);
};

struct w32_object { /* the first member of every object */
	const struct w32_type *type;
	_Atomic unsigned int refs;
	unsigned int generation; /* of forks, when it was made */
	DWORD access;            /* GENERIC_… and FILE_…_ATTRIBUTES */
	int fd;                  /* files, anonymous pipes, mappings; else −1 */
	uint64_t size;           /* mappings: bytes, and the protection */
	DWORD protect;
};

/* One reference, the caller's. */
void w32_object_init(struct w32_object *o, const struct w32_type *type, DWORD access, int fd);
void w32_object_put(struct w32_object *o);

/* Made before a fork(2) that this process is the child of: not ours to end. */
bool w32_object_is_inherited(const struct w32_object *o);

/*
 * A handle that takes the caller's reference over, also when it fails: NULL, the error being set.
 */
HANDLE w32_handle_new(struct w32_object *o, bool inherit);

/*
 * The object, with a reference for the caller. NULL with ERROR_INVALID_HANDLE set: no handle, not
 * of this type (NULL: any), or one that its process left behind in fork(2).
 */
struct w32_object *w32_handle_get(HANDLE h, const struct w32_type *type);

/* Whether the SECURITY_ATTRIBUTES will do; sets the error when not. */
bool w32_security(const SECURITY_ATTRIBUTES *sa, bool *inherit);

/* Sets the error and returns FALSE; 0 returns TRUE and sets nothing. */
BOOL w32_result(DWORD error);

/* The Win32 error nearest to an errno (positive, or negative as libripc returns it). */
DWORD w32_error_of(int err);

/* ---- what a child made by CreateProcess inherits ---- */

struct w32_heir {
	HANDLE h;
	char letter;
	int fd;
	DWORD access, protect;
	uint64_t size;
};

/*
 * The inheritable handles that a descriptor stands for, at most `max`; each fd is a duplicate with
 * O_CLOEXEC, the caller's to close. Returns how many, or −errno.
 */
int w32_heirs(struct w32_heir *heirs, int max);

/* A handle by value, in a new process. False: that value is taken or no good. */
bool w32_handle_adopt(HANDLE h, struct w32_object *o);

/* The makers, by letter, of what can be inherited; NULL: the descriptor is no such thing. */
struct w32_object *w32_file_adopt(const struct w32_heir *heir);
struct w32_object *w32_map_adopt(const struct w32_heir *heir);

/* ---- between the files of the module ---- */

extern const struct w32_type w32_file_type, w32_pipe_type;
struct w32_object *w32_file_of_fd(int fd, DWORD access, const struct w32_type *type);
bool w32_is_pipe_name(LPCSTR name); /* \\MACHINE\pipe\… */
HANDLE w32_pipe_open(LPCSTR name, DWORD access, DWORD disposition, DWORD flags, bool inherit);

#endif
