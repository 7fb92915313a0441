// SPDX-License-Identifier: LGPL-2.1-or-later
/* WaitForSingleObject; events, mutexes and semaphores: the named objects of ripc.h, as handles. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "object.h"
#include "ripc.h"
#include "win32_handle.h"

struct sync {
	struct w32_object base;
	union {
		struct ripc_event *event;
		struct ripc_cs *cs;
		struct ripc_semaphore *semaphore;
	};
};

/* What one of the three is made with. */
struct sync_spec {
	const struct w32_type *type;
	unsigned int flags; /* RIPC_CREATE or 0 */
	bool manual, is_set;
	unsigned int count, max;
};

static int64_t deadline_of(DWORD ms)
{
	if (ms == INFINITE)
		return RIPC_FOREVER;
	return ms ? ripc_deadline_in((int64_t)ms * 1000000) : RIPC_TRY;
}

static DWORD waited(int err, DWORD *result)
{
	if (err && err != -EOWNERDEAD && err != -ETIMEDOUT && err != -EAGAIN)
		return w32_error_of(err);
	*result = !err ? WAIT_OBJECT_0 : err == -EOWNERDEAD ? WAIT_ABANDONED : WAIT_TIMEOUT;
	return 0;
}

static DWORD event_wait(struct w32_object *o, DWORD ms, DWORD *result)
{
	return waited(ripc_event_wait_until(((struct sync *)o)->event, deadline_of(ms)), result);
}

static DWORD mutex_wait(struct w32_object *o, DWORD ms, DWORD *result)
{
	return waited(ripc_cs_enter_until(((struct sync *)o)->cs, deadline_of(ms)), result);
}

static DWORD semaphore_wait(struct w32_object *o, DWORD ms, DWORD *result)
{
	return waited(ripc_semaphore_wait_until(((struct sync *)o)->semaphore, deadline_of(ms)),
		      result);
}

static void event_destroy(struct w32_object *o)
{
	ripc_event_close(((struct sync *)o)->event);
	free(o);
}

/* Closing the last handle of a mutex that a thread owns keeps it owned, as in Windows. */
static void mutex_destroy(struct w32_object *o)
{
	ripc_cs_close(((struct sync *)o)->cs);
	free(o);
}

static void semaphore_destroy(struct w32_object *o)
{
	ripc_semaphore_close(((struct sync *)o)->semaphore);
	free(o);
}

static const struct w32_type event_type = {.destroy = event_destroy, .wait = event_wait};
static const struct w32_type mutex_type = {.destroy = mutex_destroy, .wait = mutex_wait};
static const struct w32_type semaphore_type = {.destroy = semaphore_destroy,
					       .wait = semaphore_wait};

DWORD WaitForSingleObject(HANDLE hHandle, DWORD dwMilliseconds)
{
	struct w32_object *o = w32_handle_get(hHandle, NULL);
	DWORD result = WAIT_FAILED, error;

	if (!o)
		return WAIT_FAILED;
	error = o->type->wait ? o->type->wait(o, dwMilliseconds, &result) : ERROR_INVALID_HANDLE;
	w32_object_put(o);
	return w32_result(error) ? result : WAIT_FAILED;
}

/* ---- opening ---- */

/* Events, mutexes, semaphores and mappings share one name space in Win32; here each has its own. */
static bool name_is_others(enum ripc_type mine, LPCSTR name)
{
	static const enum ripc_type all[] = {RIPC_TYPE_EVENT, RIPC_TYPE_CS, RIPC_TYPE_SEMAPHORE,
					     RIPC_TYPE_MAPPING};

	for (unsigned int i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		if (all[i] != mine && ripc_dir_taken(all[i], name))
			return true;
	return false;
}

/* 1 when it was created, 0 when it was there, or a negative errno. */
static int sync_open(struct sync *s, LPCSTR name, const struct sync_spec *spec)
{
	if (spec->type == &event_type)
		return ripc_event_open(&s->event, name,
				       spec->manual ? RIPC_EVENT_MANUAL : RIPC_EVENT_AUTO,
				       spec->is_set, spec->flags, 0);
	if (spec->type == &mutex_type)
		return ripc_cs_open(&s->cs, name, spec->flags, 0);
	return ripc_semaphore_open(&s->semaphore, name, spec->count, spec->max, spec->flags, 0);
}

static HANDLE sync_new(LPCSTR name, bool inherit, const struct sync_spec *spec)
{
	enum ripc_type type = spec->type == &event_type	  ? RIPC_TYPE_EVENT
			      : spec->type == &mutex_type ? RIPC_TYPE_CS
							  : RIPC_TYPE_SEMAPHORE;
	struct sync *s;
	DWORD error = 0;
	HANDLE h;
	int err;

	if (!name)
		return w32_result(ERROR_NOT_SUPPORTED), NULL;
	if (strncmp(name, "Global\\", 7) == 0)
		name += 7;
	else if (strncmp(name, "Local\\", 6) == 0)
		name += 6;
	if (strpbrk(name, "\\/"))
		error = ERROR_PATH_NOT_FOUND;
	else if (name_is_others(type, name))
		error = ERROR_INVALID_HANDLE;
	s = error ? NULL : calloc(1, sizeof(*s));
	if (!s)
		return w32_result(error ? error : ERROR_NOT_ENOUGH_MEMORY), NULL;
	err = sync_open(s, name, spec);
	if (err < 0) {
		free(s);
		return w32_result(w32_error_of(err)), NULL;
	}
	w32_object_init(&s->base, spec->type, 0, -1);
	h = w32_handle_new(&s->base, inherit);
	if (h && spec->flags)
		SetLastError(err == 0 ? ERROR_ALREADY_EXISTS : 0);
	return h;
}

HANDLE CreateEvent(LPSECURITY_ATTRIBUTES lpEventAttributes, BOOL bManualReset, BOOL bInitialState,
		   LPCSTR lpName)
{
	const struct sync_spec spec = {.type = &event_type,
				       .flags = RIPC_CREATE,
				       .manual = bManualReset,
				       .is_set = bInitialState};
	bool inherit;

	return w32_security(lpEventAttributes, &inherit) ? sync_new(lpName, inherit, &spec) : NULL;
}

HANDLE OpenEvent(DWORD dwDesiredAccess, BOOL bInheritHandle, LPCSTR lpName)
{
	(void)dwDesiredAccess;
	return sync_new(lpName, bInheritHandle, &(struct sync_spec){.type = &event_type});
}

HANDLE CreateMutex(LPSECURITY_ATTRIBUTES lpMutexAttributes, BOOL bInitialOwner, LPCSTR lpName)
{
	const struct sync_spec spec = {.type = &mutex_type, .flags = RIPC_CREATE};
	bool inherit;
	HANDLE h;

	h = w32_security(lpMutexAttributes, &inherit) ? sync_new(lpName, inherit, &spec) : NULL;
	/* "if the mutex is new, the calling thread obtains it" */
	if (h && bInitialOwner && GetLastError() == 0)
		WaitForSingleObject(h, INFINITE);
	return h;
}

HANDLE OpenMutex(DWORD dwDesiredAccess, BOOL bInheritHandle, LPCSTR lpName)
{
	(void)dwDesiredAccess;
	return sync_new(lpName, bInheritHandle, &(struct sync_spec){.type = &mutex_type});
}

HANDLE CreateSemaphore(LPSECURITY_ATTRIBUTES lpSemaphoreAttributes, long lInitialCount,
		       long lMaximumCount, LPCSTR lpName)
{
	const struct sync_spec spec = {.type = &semaphore_type,
				       .flags = RIPC_CREATE,
				       .count = (unsigned int)lInitialCount,
				       .max = (unsigned int)lMaximumCount};
	bool inherit;

	if (lMaximumCount <= 0 || lInitialCount < 0 || lInitialCount > lMaximumCount ||
	    lMaximumCount > (long)RIPC_SEMAPHORE_MAX)
		return w32_result(ERROR_INVALID_PARAMETER), NULL;
	return w32_security(lpSemaphoreAttributes, &inherit) ? sync_new(lpName, inherit, &spec)
							     : NULL;
}

HANDLE OpenSemaphore(DWORD dwDesiredAccess, BOOL bInheritHandle, LPCSTR lpName)
{
	(void)dwDesiredAccess;
	return sync_new(lpName, bInheritHandle, &(struct sync_spec){.type = &semaphore_type});
}

/* ---- using ---- */

static BOOL sync_done(struct sync *s, int err)
{
	w32_object_put(&s->base);
	return w32_result(err == -EPERM	      ? ERROR_NOT_OWNER
			  : err == -EOVERFLOW ? ERROR_TOO_MANY_POSTS
					      : w32_error_of(err));
}

BOOL SetEvent(HANDLE hEvent)
{
	struct sync *s = (struct sync *)w32_handle_get(hEvent, &event_type);

	return s ? sync_done(s, ripc_event_set(s->event)) : FALSE;
}

BOOL ResetEvent(HANDLE hEvent)
{
	struct sync *s = (struct sync *)w32_handle_get(hEvent, &event_type);

	return s ? sync_done(s, ripc_event_reset(s->event)) : FALSE;
}

BOOL ReleaseMutex(HANDLE hMutex)
{
	struct sync *s = (struct sync *)w32_handle_get(hMutex, &mutex_type);

	return s ? sync_done(s, ripc_cs_leave(s->cs)) : FALSE;
}

BOOL ReleaseSemaphore(HANDLE hSemaphore, long lReleaseCount, long *lpPreviousCount)
{
	struct sync *s;

	if (lReleaseCount <= 0 || lReleaseCount > (long)RIPC_SEMAPHORE_MAX)
		return w32_result(ERROR_INVALID_PARAMETER);
	if (lpPreviousCount) /* between reading it and adding, others may have come */
		return w32_result(ERROR_NOT_SUPPORTED);
	s = (struct sync *)w32_handle_get(hSemaphore, &semaphore_type);
	return s ? sync_done(s, ripc_semaphore_post(s->semaphore, (unsigned int)lReleaseCount))
		 : FALSE;
}
