/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Part of ripc_win32.h, which says what holds for all of it: types, error numbers, handles.
 */
#ifndef RIPC_PUBLIC_WIN32_BASE_H
#define RIPC_PUBLIC_WIN32_BASE_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- types and constants ---- */

typedef int BOOL;
typedef uint8_t BYTE;
typedef uint16_t WORD;
typedef uint32_t DWORD;
typedef uint32_t UINT;
typedef unsigned long ULONG;
typedef void *HANDLE;
typedef void *LPVOID;
typedef const void *LPCVOID;
typedef char *LPSTR;
typedef const char *LPCSTR;
typedef DWORD *LPDWORD;
typedef HANDLE *LPHANDLE;

#ifndef FALSE
#define FALSE 0
#endif
#ifndef TRUE
#define TRUE 1
#endif
#define INVALID_HANDLE_VALUE ((HANDLE)(intptr_t)-1)
#define INFINITE 0xffffffffu
#define MAX_PATH 260

typedef struct _SECURITY_ATTRIBUTES {
	DWORD nLength; /* sizeof(SECURITY_ATTRIBUTES), else ERROR_INVALID_PARAMETER */
	LPVOID lpSecurityDescriptor;
	BOOL bInheritHandle;
} SECURITY_ATTRIBUTES, *LPSECURITY_ATTRIBUTES;

typedef struct _OVERLAPPED OVERLAPPED, *LPOVERLAPPED; /* never defined: pass NULL */

/* The documented numbers ("System Error Codes"). */
#define ERROR_SUCCESS 0u
#define NO_ERROR 0u
#define ERROR_FILE_NOT_FOUND 2u
#define ERROR_PATH_NOT_FOUND 3u
#define ERROR_TOO_MANY_OPEN_FILES 4u
#define ERROR_ACCESS_DENIED 5u
#define ERROR_INVALID_HANDLE 6u
#define ERROR_NOT_ENOUGH_MEMORY 8u
#define ERROR_BAD_FORMAT 11u
#define ERROR_INVALID_DATA 13u
#define ERROR_OUTOFMEMORY 14u
#define ERROR_NOT_READY 21u
#define ERROR_WRITE_FAULT 29u
#define ERROR_READ_FAULT 30u
#define ERROR_GEN_FAILURE 31u
#define ERROR_SHARING_VIOLATION 32u
#define ERROR_HANDLE_EOF 38u
#define ERROR_NOT_SUPPORTED 50u
#define ERROR_REM_NOT_LIST 51u
#define ERROR_BAD_NETPATH 53u
#define ERROR_UNEXP_NET_ERR 59u
#define ERROR_NETNAME_DELETED 64u
#define ERROR_FILE_EXISTS 80u
#define ERROR_INVALID_PARAMETER 87u
#define ERROR_BROKEN_PIPE 109u
#define ERROR_DISK_FULL 112u
#define ERROR_SEM_TIMEOUT 121u
#define ERROR_INSUFFICIENT_BUFFER 122u
#define ERROR_INVALID_NAME 123u
#define ERROR_DIRECTORY 267u
#define ERROR_NEGATIVE_SEEK 131u
#define ERROR_ALREADY_EXISTS 183u
#define ERROR_BAD_EXE_FORMAT 193u
#define ERROR_FILENAME_EXCED_RANGE 206u
#define ERROR_FILE_TOO_LARGE 223u
#define ERROR_BAD_PIPE 230u
#define ERROR_PIPE_BUSY 231u
#define ERROR_NO_DATA 232u
#define ERROR_PIPE_NOT_CONNECTED 233u
#define ERROR_MORE_DATA 234u
#define WAIT_TIMEOUT 258u
#define ERROR_NOT_OWNER 288u
#define ERROR_TOO_MANY_POSTS 298u
#define ERROR_INVALID_ADDRESS 487u
#define ERROR_PIPE_CONNECTED 535u
#define ERROR_PIPE_LISTENING 536u
#define ERROR_FILE_INVALID 1006u
#define ERROR_REVISION_MISMATCH 1306u
#define ERROR_FILE_CORRUPT 1392u
#define ERROR_NO_SYSTEM_RESOURCES 1450u
#define ERROR_MAPPED_ALIGNMENT 1132u

/* The calling thread's last error. */
DWORD GetLastError(void);
void SetLastError(DWORD dwErrCode);

/* ---- handles ---- */

#define HANDLE_FLAG_INHERIT 1u
#define DUPLICATE_CLOSE_SOURCE 1u
#define DUPLICATE_SAME_ACCESS 2u

/* ERROR_INVALID_HANDLE: not a handle of this process (or no longer). */
BOOL CloseHandle(HANDLE hObject);

/*
 * Within one process: both process handles must be GetCurrentProcess(), else ERROR_NOT_SUPPORTED.
 * The new handle has the old one's access; DUPLICATE_SAME_ACCESS must be given (a narrower access
 * is not made: ERROR_NOT_SUPPORTED). With DUPLICATE_CLOSE_SOURCE the old one is closed.
 */
BOOL DuplicateHandle(HANDLE hSourceProcessHandle, HANDLE hSourceHandle, HANDLE hTargetProcessHandle,
		     LPHANDLE lpTargetHandle, DWORD dwDesiredAccess, BOOL bInheritHandle,
		     DWORD dwOptions);
HANDLE GetCurrentProcess(void); /* a constant; closing it does nothing */
DWORD GetCurrentProcessId(void);

/* Only HANDLE_FLAG_INHERIT; any other flag: ERROR_INVALID_PARAMETER. */
BOOL GetHandleInformation(HANDLE hObject, LPDWORD lpdwFlags);
BOOL SetHandleInformation(HANDLE hObject, DWORD dwMask, DWORD dwFlags);

#ifdef __cplusplus
}
#endif

#endif
