// SPDX-License-Identifier: LGPL-2.1-or-later
/* Named pipes: the Win32 calls. Arguments are checked here; npipe_*.c do the work. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "npipe.h"
#include "npipe_remote.h"

#define NAME_CHARS_MAX 256 /* "up to 256 characters long" */

void np_destroy(struct w32_object *o)
{
	struct np_end *end = (struct np_end *)o;
	void *bridge = w32_object_is_inherited(o) ? NULL : end->bridge;

	np_leave(end);
	np_bridge_release(bridge);
}

const struct w32_type np_type = {
    .dies_in_fork = true,
    .destroy = np_destroy,
    .read = np_read,
    .write = np_write,
    .flush = np_flush,
    .peek = np_peek,
};

/* ---- names ---- */

static const char *skip_machine(LPCSTR path)
{
	const char *end;

	if (strncmp(path, "\\\\", 2) != 0)
		return NULL;
	end = strchr(path + 2, '\\');
	return end && end > path + 2 && strncasecmp(end, "\\pipe\\", 6) == 0 ? end : NULL;
}

bool w32_is_pipe_name(LPCSTR name) { return skip_machine(name) != NULL; }

bool np_parse(LPCSTR path, char *machine, char *name)
{
	const char *end = path ? skip_machine(path) : NULL;
	size_t len;

	if (!end || strlen(path) > NAME_CHARS_MAX || end - (path + 2) >= NP_MACHINE_MAX)
		return false;
	memcpy(machine, path + 2, (size_t)(end - (path + 2)));
	machine[end - (path + 2)] = '\0';
	end += 6;
	len = strlen(end);
	/* [path\]name: no empty part; ~ at the start is ours (np_pair) */
	if (len == 0 || len > NP_NAME_MAX || end[0] == '\\' || end[0] == '~' ||
	    end[len - 1] == '\\' || strstr(end, "\\\\"))
		return false;
	for (size_t i = 0; i <= len; i++)
		name[i] = (char)tolower((unsigned char)end[i]);
	return true;
}

/* ---- CreateNamedPipe, CreateFile ---- */

static uint32_t ring_bytes(DWORD asked)
{
	if (asked == 0)
		asked = NP_BUFFER_DEFAULT;
	if (asked > NP_BUFFER_MAX - 64)
		return NP_BUFFER_MAX;
	return (asked + 64 + 63) / 64 * 64; /* with room for what goes before messages */
}

static DWORD check_create(DWORD open_mode, DWORD pipe_mode, DWORD max)
{
	const DWORD known = PIPE_ACCESS_DUPLEX | FILE_FLAG_FIRST_PIPE_INSTANCE |
			    FILE_FLAG_WRITE_THROUGH | FILE_FLAG_OVERLAPPED;

	if ((open_mode & ~known) || !(open_mode & PIPE_ACCESS_DUPLEX) || max < 1 ||
	    max > PIPE_UNLIMITED_INSTANCES ||
	    (pipe_mode & ~(PIPE_NOWAIT | PIPE_READMODE_MESSAGE | PIPE_TYPE_MESSAGE |
			   PIPE_REJECT_REMOTE_CLIENTS)) ||
	    ((pipe_mode & PIPE_READMODE_MESSAGE) && !(pipe_mode & PIPE_TYPE_MESSAGE)))
		return ERROR_INVALID_PARAMETER;
	return open_mode & FILE_FLAG_OVERLAPPED ? ERROR_NOT_SUPPORTED : 0;
}

HANDLE CreateNamedPipe(LPCSTR lpName, DWORD dwOpenMode, DWORD dwPipeMode, DWORD nMaxInstances,
		       DWORD nOutBufferSize, DWORD nInBufferSize, DWORD nDefaultTimeOut,
		       LPSECURITY_ATTRIBUTES lpSecurityAttributes)
{
	struct np_shape want = {
	    .type = dwPipeMode & (PIPE_TYPE_MESSAGE | PIPE_REJECT_REMOTE_CLIENTS),
	    .access = dwOpenMode & PIPE_ACCESS_DUPLEX,
	    .max_instances = nMaxInstances,
	    .slots = 2 * nMaxInstances + NP_SLOTS_SPARE,
	    .timeout_ms = nDefaultTimeOut ? nDefaultTimeOut : 50,
	    .bytes = {[NP_TO_SERVER] = ring_bytes(nInBufferSize),
		      [NP_TO_CLIENT] = ring_bytes(nOutBufferSize)},
	};
	char machine[NP_MACHINE_MAX], name[NP_NAME_MAX + 1];
	DWORD error = check_create(dwOpenMode, dwPipeMode, nMaxInstances);
	struct np_end *end;
	bool inherit;
	HANDLE h;

	if (!error && (!np_parse(lpName, machine, name) || strcmp(machine, ".") != 0))
		error = ERROR_INVALID_NAME;
	if (!w32_result(error) || !w32_security(lpSecurityAttributes, &inherit))
		return INVALID_HANDLE_VALUE;
	error = np_create(&end, name, &want, dwOpenMode & FILE_FLAG_FIRST_PIPE_INSTANCE);
	if (!w32_result(error))
		return INVALID_HANDLE_VALUE;
	atomic_store(&end->mode, dwPipeMode & (PIPE_READMODE_MESSAGE | PIPE_NOWAIT));
	h = w32_handle_new(&end->base, inherit);
	return h ? h : INVALID_HANDLE_VALUE;
}

HANDLE w32_pipe_open(LPCSTR path, DWORD access, DWORD disposition, DWORD flags, bool inherit)
{
	char machine[NP_MACHINE_MAX], name[NP_NAME_MAX + 1];
	struct np_end *end;
	DWORD error;
	HANDLE h;

	if (!np_parse(path, machine, name))
		error = ERROR_INVALID_NAME;
	else if (flags & FILE_FLAG_OVERLAPPED)
		error = ERROR_NOT_SUPPORTED;
	else if (disposition != OPEN_EXISTING && disposition != OPEN_ALWAYS)
		error = disposition == CREATE_NEW ? ERROR_ACCESS_DENIED : ERROR_INVALID_PARAMETER;
	else if (strcmp(machine, ".") == 0)
		error = np_open(&end, name, access, false);
	else
		error = np_remote_open(&end, machine, name, access);
	if (!w32_result(error))
		return INVALID_HANDLE_VALUE;
	h = w32_handle_new(&end->base, inherit);
	return h ? h : INVALID_HANDLE_VALUE;
}

BOOL WaitNamedPipe(LPCSTR lpNamedPipeName, DWORD nTimeOut)
{
	char machine[NP_MACHINE_MAX], name[NP_NAME_MAX + 1];

	if (!np_parse(lpNamedPipeName, machine, name))
		return w32_result(ERROR_INVALID_NAME);
	if (strcmp(machine, ".") == 0)
		return w32_result(np_wait(name, nTimeOut));
	return w32_result(np_remote_wait(machine, name, nTimeOut));
}

/* ---- calls on an end ---- */

static struct np_end *end_get(HANDLE h) { return (struct np_end *)w32_handle_get(h, &np_type); }

static BOOL end_done(struct np_end *end, DWORD error)
{
	w32_object_put(&end->base);
	return w32_result(error);
}

BOOL ConnectNamedPipe(HANDLE hNamedPipe, LPOVERLAPPED lpOverlapped)
{
	struct np_end *end;

	if (lpOverlapped)
		return w32_result(ERROR_NOT_SUPPORTED);
	end = end_get(hNamedPipe);
	return end ? end_done(end, np_connect(end)) : FALSE;
}

BOOL DisconnectNamedPipe(HANDLE hNamedPipe)
{
	struct np_end *end = end_get(hNamedPipe);

	return end ? end_done(end, np_disconnect(end)) : FALSE;
}

BOOL SetNamedPipeHandleState(HANDLE hNamedPipe, LPDWORD lpMode, LPDWORD lpMaxCollectionCount,
			     LPDWORD lpCollectDataTimeout)
{
	struct np_end *end = end_get(hNamedPipe);
	DWORD error = 0;

	if (!end)
		return FALSE;
	if (!end->is_server && !(end->base.access & (GENERIC_WRITE | FILE_WRITE_ATTRIBUTES)))
		error = ERROR_ACCESS_DENIED;
	else if (lpMaxCollectionCount || lpCollectDataTimeout ||
		 (lpMode && (*lpMode & ~(PIPE_READMODE_MESSAGE | PIPE_NOWAIT))) ||
		 (lpMode && (*lpMode & PIPE_READMODE_MESSAGE) &&
		  !(end->shape.type & PIPE_TYPE_MESSAGE)))
		error = ERROR_INVALID_PARAMETER;
	else if (lpMode)
		atomic_store(&end->mode, *lpMode);
	return end_done(end, error);
}

BOOL GetNamedPipeHandleState(HANDLE hNamedPipe, LPDWORD lpState, LPDWORD lpCurInstances,
			     LPDWORD lpMaxCollectionCount, LPDWORD lpCollectDataTimeout,
			     LPSTR lpUserName, DWORD nMaxUserNameSize)
{
	struct np_end *end = end_get(hNamedPipe);
	DWORD error = 0;

	(void)nMaxUserNameSize;
	if (!end)
		return FALSE;
	if (lpMaxCollectionCount || lpCollectDataTimeout || lpUserName)
		error = ERROR_INVALID_PARAMETER;
	if (!error && lpState)
		*lpState = atomic_load(&end->mode);
	if (!error && lpCurInstances)
		*lpCurInstances = np_instances(end);
	return end_done(end, error);
}

BOOL GetNamedPipeInfo(HANDLE hNamedPipe, LPDWORD lpFlags, LPDWORD lpOutBufferSize,
		      LPDWORD lpInBufferSize, LPDWORD lpMaxInstances)
{
	struct np_end *end = end_get(hNamedPipe);

	if (!end)
		return FALSE;
	if (lpFlags)
		*lpFlags = (end->is_server ? PIPE_SERVER_END : PIPE_CLIENT_END) |
			   (end->shape.type & PIPE_TYPE_MESSAGE);
	if (lpOutBufferSize)
		*lpOutBufferSize = end->shape.bytes[NP_TO_CLIENT];
	if (lpInBufferSize)
		*lpInBufferSize = end->shape.bytes[NP_TO_SERVER];
	if (lpMaxInstances)
		*lpMaxInstances = end->shape.max_instances;
	return end_done(end, 0);
}

static BOOL process_id(HANDLE h, ULONG *pid, bool of_server)
{
	struct np_end *end;
	ripc_id id;

	if (!pid)
		return w32_result(ERROR_INVALID_PARAMETER);
	end = end_get(h);
	if (!end)
		return FALSE;
	pthread_mutex_lock(&end->control);
	id = atomic_load(of_server ? &end->slot->server : &end->slot->client);
	pthread_mutex_unlock(&end->control);
	*pid = (ULONG)ripc_id_pid(id);
	return end_done(end, id ? 0 : ERROR_PIPE_NOT_CONNECTED);
}

BOOL GetNamedPipeClientProcessId(HANDLE Pipe, ULONG *ClientProcessId)
{
	return process_id(Pipe, ClientProcessId, false);
}

BOOL GetNamedPipeServerProcessId(HANDLE Pipe, ULONG *ServerProcessId)
{
	return process_id(Pipe, ServerProcessId, true);
}

/* ---- transactions ---- */

BOOL TransactNamedPipe(HANDLE hNamedPipe, LPVOID lpInBuffer, DWORD nInBufferSize,
		       LPVOID lpOutBuffer, DWORD nOutBufferSize, LPDWORD lpBytesRead,
		       LPOVERLAPPED lpOverlapped)
{
	struct np_end *end;
	DWORD error;

	if (lpOverlapped)
		return w32_result(ERROR_NOT_SUPPORTED);
	if (!lpBytesRead || (!lpInBuffer && nInBufferSize) || (!lpOutBuffer && nOutBufferSize))
		return w32_result(ERROR_INVALID_PARAMETER);
	*lpBytesRead = 0;
	end = end_get(hNamedPipe);
	if (!end)
		return FALSE;
	if (~end->base.access & (GENERIC_READ | GENERIC_WRITE))
		error = end->shape.access == PIPE_ACCESS_DUPLEX ? ERROR_ACCESS_DENIED
								: ERROR_BAD_PIPE;
	else
		error = np_transact(end, lpInBuffer, nInBufferSize, lpOutBuffer, nOutBufferSize,
				    lpBytesRead);
	return end_done(end, error);
}

/* Opens it, waiting for an instance; each round is one that another client was faster in. */
static HANDLE open_patiently(LPCSTR name, DWORD timeout)
{
	int64_t deadline = timeout == NMPWAIT_WAIT_FOREVER
			       ? RIPC_FOREVER
			       : ripc_deadline_in((int64_t)timeout * 1000000);

	for (;;) {
		HANDLE h = CreateFile(name, GENERIC_READ | GENERIC_WRITE, 0, NULL, OPEN_EXISTING, 0,
				      NULL);
		DWORD left = timeout;

		if (h != INVALID_HANDLE_VALUE || GetLastError() != ERROR_PIPE_BUSY ||
		    timeout == NMPWAIT_NOWAIT)
			return h;
		if (timeout != NMPWAIT_WAIT_FOREVER && timeout != NMPWAIT_USE_DEFAULT_WAIT) {
			int64_t ms = (deadline - ripc_now_ns()) / 1000000;

			left = ms > 1 ? (DWORD)ms : NMPWAIT_NOWAIT;
		}
		if (!WaitNamedPipe(name, left))
			return INVALID_HANDLE_VALUE;
	}
}

BOOL CallNamedPipe(LPCSTR lpNamedPipeName, LPVOID lpInBuffer, DWORD nInBufferSize,
		   LPVOID lpOutBuffer, DWORD nOutBufferSize, LPDWORD lpBytesRead, DWORD nTimeOut)
{
	DWORD mode = PIPE_READMODE_MESSAGE, error = 0;
	HANDLE h;

	if (!lpBytesRead)
		return w32_result(ERROR_INVALID_PARAMETER);
	h = open_patiently(lpNamedPipeName, nTimeOut);
	if (h == INVALID_HANDLE_VALUE)
		return FALSE;
	if (!SetNamedPipeHandleState(h, &mode, NULL, NULL))
		error = ERROR_BAD_PIPE; /* a byte pipe */
	else if (!TransactNamedPipe(h, lpInBuffer, nInBufferSize, lpOutBuffer, nOutBufferSize,
				    lpBytesRead, NULL))
		error = GetLastError();
	CloseHandle(h);
	return w32_result(error);
}
