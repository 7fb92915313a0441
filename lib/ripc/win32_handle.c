// SPDX-License-Identifier: LGPL-2.1-or-later
/* The table of handles: values are multiples of four, as in Windows, reused after CloseHandle. */
#include "win32_handle.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define HANDLES_MAX 65536u
#define CURRENT_PROCESS ((HANDLE)(intptr_t)-1) /* the same value as INVALID_HANDLE_VALUE, as there */

struct slot {
	struct w32_object *object; /* NULL: free */
	bool inherit;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct slot *slots;
static unsigned int nslots, first_free;
static _Atomic unsigned int forks;

/* A fork must not copy the table in the middle of a change. */
static void fork_prepare(void) { pthread_mutex_lock(&lock); }
static void fork_parent(void) { pthread_mutex_unlock(&lock); }

static void fork_child(void)
{
	atomic_fetch_add(&forks, 1);
	pthread_mutex_unlock(&lock);
}

static void __attribute__((constructor)) handle_start(void)
{
	pthread_atfork(fork_prepare, fork_parent, fork_child);
}

/* ---- objects ---- */

void w32_object_init(struct w32_object *o, const struct w32_type *type, DWORD access, int fd)
{
	memset(o, 0, sizeof(*o));
	o->type = type;
	o->access = access;
	o->fd = fd;
	o->generation = atomic_load(&forks);
	atomic_init(&o->refs, 1);
}

void w32_object_put(struct w32_object *o)
{
	if (o && atomic_fetch_sub(&o->refs, 1) == 1)
		o->type->destroy(o);
}

bool w32_object_is_inherited(const struct w32_object *o)
{
	return o->generation != atomic_load(&forks);
}

/* ---- the table ---- */

/* With the lock held: room for `n` slots. */
static bool grow(unsigned int n)
{
	unsigned int want = nslots ? nslots : 64;
	struct slot *more;

	while (want < n)
		want *= 2;
	if (n > HANDLES_MAX)
		return false;
	if (want == nslots)
		return true;
	more = realloc(slots, want * sizeof(*slots));
	if (!more)
		return false;
	memset(more + nslots, 0, (want - nslots) * sizeof(*more));
	slots = more;
	nslots = want;
	return true;
}

static HANDLE handle_of(unsigned int i) { return (HANDLE)(uintptr_t)((i + 1) * 4); }

/* With the lock held. NULL: no such handle. */
static struct slot *slot_of(HANDLE h)
{
	uintptr_t v = (uintptr_t)h;

	if (v == 0 || v % 4 || v / 4 > nslots)
		return NULL;
	return slots[v / 4 - 1].object ? &slots[v / 4 - 1] : NULL;
}

HANDLE w32_handle_new(struct w32_object *o, bool inherit)
{
	unsigned int i;

	pthread_mutex_lock(&lock);
	for (i = first_free; i < nslots && slots[i].object; i++)
		;
	if (!grow(i + 1)) {
		pthread_mutex_unlock(&lock);
		w32_object_put(o);
		SetLastError(ERROR_TOO_MANY_OPEN_FILES);
		return NULL;
	}
	slots[i].object = o;
	slots[i].inherit = inherit;
	first_free = i + 1;
	pthread_mutex_unlock(&lock);
	return handle_of(i);
}

bool w32_handle_adopt(HANDLE h, struct w32_object *o)
{
	uintptr_t v = (uintptr_t)h;
	bool good = false;

	pthread_mutex_lock(&lock);
	if (v && v % 4 == 0 && v / 4 <= HANDLES_MAX && grow((unsigned int)(v / 4)) &&
	    !slots[v / 4 - 1].object) {
		slots[v / 4 - 1].object = o;
		slots[v / 4 - 1].inherit = true;
		good = true;
	}
	pthread_mutex_unlock(&lock);
	return good;
}

struct w32_object *w32_handle_get(HANDLE h, const struct w32_type *type)
{
	struct w32_object *o = NULL;
	struct slot *slot;

	pthread_mutex_lock(&lock);
	slot = slot_of(h);
	if (slot && (!type || slot->object->type == type) &&
	    !(slot->object->type->dies_in_fork && w32_object_is_inherited(slot->object))) {
		o = slot->object;
		atomic_fetch_add(&o->refs, 1);
	}
	pthread_mutex_unlock(&lock);
	if (!o)
		SetLastError(ERROR_INVALID_HANDLE);
	return o;
}

static int heir_of(struct w32_heir *heir, const struct w32_object *o, unsigned int i)
{
	heir->h = handle_of(i);
	heir->letter = o->type->letter;
	heir->access = o->access;
	heir->protect = o->protect;
	heir->size = o->size;
	heir->fd = fcntl(o->fd, F_DUPFD_CLOEXEC, 3);
	return heir->fd < 0 ? -errno : 0;
}

int w32_heirs(struct w32_heir *heirs, int max)
{
	int n = 0, err = 0;

	pthread_mutex_lock(&lock);
	for (unsigned int i = 0; i < nslots && !err; i++) {
		const struct w32_object *o = slots[i].object;

		if (!o || !slots[i].inherit || !o->type->letter || o->fd < 0)
			continue;
		err = n == max ? -E2BIG : heir_of(&heirs[n], o, i);
		n += !err;
	}
	pthread_mutex_unlock(&lock);
	while (err && n > 0)
		close(heirs[--n].fd);
	return err ? err : n;
}

/* ---- the calls ---- */

BOOL CloseHandle(HANDLE hObject)
{
	struct w32_object *o = NULL;
	struct slot *slot;

	if (hObject == CURRENT_PROCESS)
		return TRUE;
	pthread_mutex_lock(&lock);
	slot = slot_of(hObject);
	if (slot) {
		o = slot->object;
		slot->object = NULL;
		if ((unsigned int)(slot - slots) < first_free)
			first_free = (unsigned int)(slot - slots);
	}
	pthread_mutex_unlock(&lock);
	if (!o)
		return w32_result(ERROR_INVALID_HANDLE);
	w32_object_put(o);
	return TRUE;
}

BOOL DuplicateHandle(HANDLE hSourceProcessHandle, HANDLE hSourceHandle, HANDLE hTargetProcessHandle,
		     LPHANDLE lpTargetHandle, DWORD dwDesiredAccess, BOOL bInheritHandle,
		     DWORD dwOptions)
{
	struct w32_object *o;
	HANDLE h;

	(void)dwDesiredAccess; /* ignored with DUPLICATE_SAME_ACCESS, as documented */
	if (hSourceProcessHandle != CURRENT_PROCESS || hTargetProcessHandle != CURRENT_PROCESS)
		return w32_result(ERROR_NOT_SUPPORTED);
	if (dwOptions & ~(DUPLICATE_CLOSE_SOURCE | DUPLICATE_SAME_ACCESS))
		return w32_result(ERROR_INVALID_PARAMETER);
	if (lpTargetHandle && !(dwOptions & DUPLICATE_SAME_ACCESS))
		return w32_result(ERROR_NOT_SUPPORTED);
	o = w32_handle_get(hSourceHandle, NULL);
	if (!o)
		return FALSE;
	if (dwOptions & DUPLICATE_CLOSE_SOURCE) /* also when the duplication fails, as there */
		CloseHandle(hSourceHandle);
	if (!lpTargetHandle) {
		w32_object_put(o);
		return dwOptions & DUPLICATE_CLOSE_SOURCE ? TRUE
							  : w32_result(ERROR_INVALID_PARAMETER);
	}
	h = w32_handle_new(o, bInheritHandle);
	if (!h)
		return FALSE;
	*lpTargetHandle = h;
	return TRUE;
}

HANDLE GetCurrentProcess(void) { return CURRENT_PROCESS; }
DWORD GetCurrentProcessId(void) { return (DWORD)getpid(); }

BOOL GetHandleInformation(HANDLE hObject, LPDWORD lpdwFlags)
{
	struct slot *slot;

	if (!lpdwFlags)
		return w32_result(ERROR_INVALID_PARAMETER);
	pthread_mutex_lock(&lock);
	slot = slot_of(hObject);
	if (slot)
		*lpdwFlags = slot->inherit ? HANDLE_FLAG_INHERIT : 0;
	pthread_mutex_unlock(&lock);
	return w32_result(slot ? 0 : ERROR_INVALID_HANDLE);
}

BOOL SetHandleInformation(HANDLE hObject, DWORD dwMask, DWORD dwFlags)
{
	struct slot *slot;

	if ((dwMask | dwFlags) & ~HANDLE_FLAG_INHERIT)
		return w32_result(ERROR_INVALID_PARAMETER);
	pthread_mutex_lock(&lock);
	slot = slot_of(hObject);
	if (slot && dwMask)
		slot->inherit = dwFlags & HANDLE_FLAG_INHERIT;
	pthread_mutex_unlock(&lock);
	return w32_result(slot ? 0 : ERROR_INVALID_HANDLE);
}
