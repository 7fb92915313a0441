// SPDX-License-Identifier: LGPL-2.1-or-later
/* The last error of each thread, and which Win32 error an errno is. */
#include "win32_handle.h"

#include <errno.h>
#include <stdlib.h>

static _Thread_local DWORD last_error;

DWORD GetLastError(void) { return last_error; }
void SetLastError(DWORD dwErrCode) { last_error = dwErrCode; }

BOOL w32_result(DWORD error)
{
	if (error)
		last_error = error;
	return error == 0;
}

bool w32_security(const SECURITY_ATTRIBUTES *sa, bool *inherit)
{
	*inherit = sa && sa->bInheritHandle;
	if (!sa)
		return true;
	if (sa->nLength != sizeof(*sa))
		return w32_result(ERROR_INVALID_PARAMETER);
	return w32_result(sa->lpSecurityDescriptor ? ERROR_NOT_SUPPORTED : 0);
}

DWORD w32_error_of(int err)
{
	static const struct {
		int err;
		DWORD error;
	} table[] = {
	    {0, 0},
	    {ENOENT, ERROR_FILE_NOT_FOUND},
	    {ENOTDIR, ERROR_PATH_NOT_FOUND},
	    {ELOOP, ERROR_PATH_NOT_FOUND},
	    {EACCES, ERROR_ACCESS_DENIED},
	    {EPERM, ERROR_ACCESS_DENIED},
	    {EISDIR, ERROR_ACCESS_DENIED},
	    {EROFS, ERROR_ACCESS_DENIED},
	    {ETXTBSY, ERROR_SHARING_VIOLATION},
	    {EEXIST, ERROR_FILE_EXISTS},
	    {EMFILE, ERROR_TOO_MANY_OPEN_FILES},
	    {ENFILE, ERROR_TOO_MANY_OPEN_FILES},
	    {ENOMEM, ERROR_NOT_ENOUGH_MEMORY},
	    {EAGAIN, ERROR_NO_SYSTEM_RESOURCES},
	    {ENOLCK, ERROR_NO_SYSTEM_RESOURCES},
	    {EUSERS, ERROR_NO_SYSTEM_RESOURCES},
	    {EBADF, ERROR_INVALID_HANDLE},
	    {EINVAL, ERROR_INVALID_PARAMETER},
	    {EFAULT, ERROR_INVALID_ADDRESS},
	    {ENOSPC, ERROR_DISK_FULL},
	    {EDQUOT, ERROR_DISK_FULL},
	    {EFBIG, ERROR_FILE_TOO_LARGE},
	    {EPIPE, ERROR_NO_DATA},
	    {ENAMETOOLONG, ERROR_FILENAME_EXCED_RANGE},
	    {E2BIG, ERROR_FILENAME_EXCED_RANGE},
	    {ENOEXEC, ERROR_BAD_EXE_FORMAT},
	    {ELIBBAD, ERROR_BAD_EXE_FORMAT},
	    {ETIMEDOUT, ERROR_SEM_TIMEOUT},
	    {EOPNOTSUPP, ERROR_NOT_SUPPORTED},
	    {ENOSYS, ERROR_NOT_SUPPORTED},
	    {EBADMSG, ERROR_FILE_CORRUPT},
	    {EPROTONOSUPPORT, ERROR_REVISION_MISMATCH},
	    {EIO, ERROR_GEN_FAILURE},
	};

	err = abs(err);
	for (unsigned int i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		if (table[i].err == err)
			return table[i].error;
	return ERROR_GEN_FAILURE;
}
