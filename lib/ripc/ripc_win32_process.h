/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Part of ripc_win32.h, which says what holds for all of it: anonymous pipes and the processes that
 * they join, waiting, and the objects that processes wait for.
 */
#ifndef RIPC_PUBLIC_WIN32_PROCESS_H
#define RIPC_PUBLIC_WIN32_PROCESS_H

#include "ripc_win32_base.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- processes and the standard handles ---- */

#define STD_INPUT_HANDLE ((DWORD)-10)
#define STD_OUTPUT_HANDLE ((DWORD)-11)
#define STD_ERROR_HANDLE ((DWORD)-12)
#define STARTF_USESTDHANDLES 0x100u
#define WAIT_OBJECT_0 0u
#define WAIT_ABANDONED 0x80u
#define WAIT_FAILED 0xffffffffu
#define STILL_ACTIVE 259u

typedef struct _STARTUPINFO {
	DWORD cb;
	LPSTR lpReserved, lpDesktop, lpTitle;
	DWORD dwX, dwY, dwXSize, dwYSize, dwXCountChars, dwYCountChars, dwFillAttribute;
	DWORD dwFlags; /* only STARTF_USESTDHANDLES counts */
	WORD wShowWindow, cbReserved2;
	BYTE *lpReserved2;
	HANDLE hStdInput, hStdOutput, hStdError;
} STARTUPINFO, *LPSTARTUPINFO;

typedef struct _PROCESS_INFORMATION {
	HANDLE hProcess, hThread; /* both to be closed; hThread is the process once more */
	DWORD dwProcessId, dwThreadId;
} PROCESS_INFORMATION, *LPPROCESS_INFORMATION;

/* An anonymous pipe of at least nSize bytes (0: the system's default): a kernel pipe. */
BOOL CreatePipe(LPHANDLE hReadPipe, LPHANDLE hWritePipe, LPSECURITY_ATTRIBUTES lpPipeAttributes,
		DWORD nSize);

/* The descriptors 0, 1 and 2 as (inheritable) handles, or what SetStdHandle said instead. */
HANDLE GetStdHandle(DWORD nStdHandle);
BOOL SetStdHandle(DWORD nStdHandle, HANDLE hHandle);

/* All zero but cb and the three standard handles, which are the caller's own. */
void GetStartupInfo(LPSTARTUPINFO lpStartupInfo);

/*
 * Starts a program. lpApplicationName is its path, without a search; when that is NULL, the first
 * word of lpCommandLine is looked for in PATH. lpCommandLine is cut into arguments by the rules of
 * the Microsoft C runtime (white space, "", backslashes before a quote); when NULL it is the name.
 * No ".exe" is added. lpEnvironment: NULL (the caller's) or strings ended by an empty one.
 * lpCurrentDirectory: NULL, or where the program starts. dwCreationFlags must be 0 and the two
 * SECURITY_ATTRIBUTES concern the inheritance of the two handles returned.
 *
 * With bInheritHandles, every inheritable handle of a file, an anonymous pipe or an unnamed mapping
 * is inherited: as a descriptor by any program, and under the same HANDLE value by a program that
 * uses libripc (named through the variable RIPC_HANDLES in its environment). So a child that gets a
 * pipe's write handle as its standard output may hold the read handle as well, and then nobody is
 * told when the last reader has gone: take that one out with SetHandleInformation. Descriptors made
 * without libripc and without O_CLOEXEC are inherited as always.
 *
 * With STARTF_USESTDHANDLES the child's descriptors 0, 1, 2 are the three handles: files or
 * anonymous pipes that are inheritable (else ERROR_INVALID_HANDLE; louder than Win32, whose child
 * would only find them dead), NULL or INVALID_HANDLE_VALUE for none (/dev/null). bInheritHandles
 * must be TRUE then (else ERROR_INVALID_PARAMETER).
 *
 * ERROR_FILE_NOT_FOUND, ERROR_PATH_NOT_FOUND, ERROR_ACCESS_DENIED, ERROR_BAD_EXE_FORMAT,
 * ERROR_DIRECTORY (lpCurrentDirectory), ERROR_FILENAME_EXCED_RANGE (too long).
 */
BOOL CreateProcess(LPCSTR lpApplicationName, LPCSTR lpCommandLine,
		   LPSECURITY_ATTRIBUTES lpProcessAttributes,
		   LPSECURITY_ATTRIBUTES lpThreadAttributes, BOOL bInheritHandles,
		   DWORD dwCreationFlags, LPVOID lpEnvironment, LPCSTR lpCurrentDirectory,
		   LPSTARTUPINFO lpStartupInfo, LPPROCESS_INFORMATION lpProcessInformation);

/*
 * WAIT_OBJECT_0: the process has ended, the event was set, the mutex or a unit of the semaphore is
 * the caller's. WAIT_ABANDONED: the mutex is the caller's, and its owner died. WAIT_TIMEOUT after
 * dwMilliseconds (0: at once; INFINITE). WAIT_FAILED: no handle, or none of those
 * (ERROR_INVALID_HANDLE).
 */
DWORD WaitForSingleObject(HANDLE hHandle, DWORD dwMilliseconds);

/* STILL_ACTIVE before the end. A process that a signal ended: 128 + the signal, as shells say. */
BOOL GetExitCodeProcess(HANDLE hProcess, LPDWORD lpExitCode);

/* Kills it; its exit code will be uExitCode. ERROR_ACCESS_DENIED: it has ended already. */
BOOL TerminateProcess(HANDLE hProcess, UINT uExitCode);

/* ---- events, mutexes, semaphores: the objects of ripc.h by their Win32 names ---- */

/*
 * The name is needed (ERROR_NOT_SUPPORTED without: within a process there are better locks); Global\
 * and Local\ are dropped as for mappings. An existing one is opened, with ERROR_ALREADY_EXISTS, and
 * keeps its own state. ERROR_INVALID_HANDLE: the name is a mapping's, or another of these three's.
 * Open…: ERROR_FILE_NOT_FOUND. Counts: ERROR_INVALID_PARAMETER unless 0 ≤ initial ≤ maximum > 0.
 */
HANDLE CreateEvent(LPSECURITY_ATTRIBUTES lpEventAttributes, BOOL bManualReset, BOOL bInitialState,
		   LPCSTR lpName);
HANDLE OpenEvent(DWORD dwDesiredAccess, BOOL bInheritHandle, LPCSTR lpName);
BOOL SetEvent(HANDLE hEvent);
BOOL ResetEvent(HANDLE hEvent);

/* Owned by a thread, recursive. ReleaseMutex: ERROR_NOT_OWNER. */
HANDLE CreateMutex(LPSECURITY_ATTRIBUTES lpMutexAttributes, BOOL bInitialOwner, LPCSTR lpName);
HANDLE OpenMutex(DWORD dwDesiredAccess, BOOL bInheritHandle, LPCSTR lpName);
BOOL ReleaseMutex(HANDLE hMutex);

/* ERROR_TOO_MANY_POSTS, and nothing is added: beyond the maximum. lpPreviousCount must be NULL. */
HANDLE CreateSemaphore(LPSECURITY_ATTRIBUTES lpSemaphoreAttributes, long lInitialCount,
		       long lMaximumCount, LPCSTR lpName);
HANDLE OpenSemaphore(DWORD dwDesiredAccess, BOOL bInheritHandle, LPCSTR lpName);
BOOL ReleaseSemaphore(HANDLE hSemaphore, long lReleaseCount, long *lpPreviousCount);

#ifdef __cplusplus
}
#endif

#endif
