/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The Win32 calls of interprocess communication, on Linux, by their own names and with their own
 * error numbers: handles, files, file mappings (shared memory), anonymous pipes and the processes
 * they join, named pipes. Each rule comes from the Win32 documentation of the call that has its
 * name; what is decided otherwise, or left out, stands beside the declaration.
 *
 * In general:
 * - A call that fails returns FALSE, NULL or INVALID_HANDLE_VALUE as documented, and GetLastError()
 *   tells why, for each thread by itself. A call that succeeds leaves it alone, except those
 *   documented to set it (CreateFileMapping, CreateFile with CREATE_ALWAYS and OPEN_ALWAYS).
 * - Names are UTF-8; these are the "A" forms. A path is a Linux path, the name of a kernel object
 *   is case-sensitive, the name of a pipe is not (CreateNamedPipe).
 * - A HANDLE belongs to its process. A child made by CreateProcess inherits what is inheritable;
 *   a child made by fork(2) inherits files, anonymous pipes, mappings and views, and must leave
 *   process and named-pipe handles to its parent (they fail with ERROR_INVALID_HANDLE there).
 * - All calls may be made by several threads at once.
 * - Overlapped (asynchronous) I/O is not there: FILE_FLAG_OVERLAPPED, or an OVERLAPPED that is not
 *   NULL, fails with ERROR_NOT_SUPPORTED and does nothing. A thread for each client does the work.
 * - The file behind an object of libripc may be damaged (ERROR_FILE_CORRUPT), of another version of
 *   the library (ERROR_REVISION_MISMATCH: ripc(1) takes it away), or have no room for another user
 *   (ERROR_NO_SYSTEM_RESOURCES).
 * - SECURITY_ATTRIBUTES: only bInheritHandle counts; a security descriptor that is not NULL fails
 *   with ERROR_NOT_SUPPORTED. Objects are reachable by their own user (and root), as libripc's are.
 */
#ifndef RIPC_WIN32_H
#define RIPC_WIN32_H

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

/* ---- files ---- */

#define GENERIC_READ 0x80000000u
#define GENERIC_WRITE 0x40000000u
#define FILE_READ_ATTRIBUTES 0x0080u
#define FILE_WRITE_ATTRIBUTES 0x0100u
#define FILE_SHARE_READ 1u
#define FILE_SHARE_WRITE 2u
#define FILE_SHARE_DELETE 4u
#define CREATE_NEW 1u
#define CREATE_ALWAYS 2u
#define OPEN_EXISTING 3u
#define OPEN_ALWAYS 4u
#define TRUNCATE_EXISTING 5u
#define FILE_ATTRIBUTE_READONLY 0x1u
#define FILE_ATTRIBUTE_NORMAL 0x80u
#define FILE_ATTRIBUTE_TEMPORARY 0x100u
#define FILE_FLAG_FIRST_PIPE_INSTANCE 0x00080000u
#define FILE_FLAG_OVERLAPPED 0x40000000u
#define FILE_FLAG_WRITE_THROUGH 0x80000000u
#define INVALID_FILE_SIZE 0xffffffffu

/*
 * Opens a file (mode 0666 less the umask when it makes one; 0444 with FILE_ATTRIBUTE_READONLY), or
 * the client's end of a named pipe when lpFileName is \\.\pipe\[path]name or \\machine\pipe\[path]
 * name (see below). hTemplateFile must be NULL.
 *
 * dwShareMode 0 makes the opener the only one: a second CreateFile fails with
 * ERROR_SHARING_VIOLATION, also one that would share. Everything else counts as "shared": Linux has
 * no mandatory share modes, so this holds among users of libripc only (it is an flock(2)).
 *
 * ERROR_FILE_NOT_FOUND, ERROR_PATH_NOT_FOUND, ERROR_ACCESS_DENIED (also: a directory),
 * ERROR_FILE_EXISTS (CREATE_NEW), ERROR_INVALID_PARAMETER, ERROR_NOT_SUPPORTED (a flag not above).
 * CREATE_ALWAYS and OPEN_ALWAYS set ERROR_ALREADY_EXISTS, and succeed, when the file was there.
 */
HANDLE CreateFile(LPCSTR lpFileName, DWORD dwDesiredAccess, DWORD dwShareMode,
		  LPSECURITY_ATTRIBUTES lpSecurityAttributes, DWORD dwCreationDisposition,
		  DWORD dwFlagsAndAttributes, HANDLE hTemplateFile);

/*
 * The count is required (overlapped I/O is not there: NULL fails with ERROR_INVALID_PARAMETER) and
 * is set to 0 first.
 *   file             at end of file ReadFile succeeds with 0 bytes
 *   anonymous pipe   ReadFile waits for at least one byte; with the last write handle closed and
 *                    nothing left: ERROR_BROKEN_PIPE. WriteFile writes all, waiting for room; with
 *                    the last read handle closed: ERROR_NO_DATA, and no SIGPIPE. A write of 0 bytes
 *                    does nothing (the kernel's pipes carry no empty messages).
 *   named pipe       see there
 */
BOOL ReadFile(HANDLE hFile, LPVOID lpBuffer, DWORD nNumberOfBytesToRead,
	      LPDWORD lpNumberOfBytesRead, LPOVERLAPPED lpOverlapped);
BOOL WriteFile(HANDLE hFile, LPCVOID lpBuffer, DWORD nNumberOfBytesToWrite,
	       LPDWORD lpNumberOfBytesWritten, LPOVERLAPPED lpOverlapped);

/*
 * File: fsync(2). Named pipe: waits until the other end has read everything that was written.
 * Anonymous pipe: returns at once. ERROR_ACCESS_DENIED: the handle cannot write.
 */
BOOL FlushFileBuffers(HANDLE hFile);

/* INVALID_FILE_SIZE on failure; the high half goes to *lpFileSizeHigh unless that is NULL. */
DWORD GetFileSize(HANDLE hFile, LPDWORD lpFileSizeHigh);

/* ---- file mappings: shared memory ---- */

#define PAGE_READONLY 0x02u
#define PAGE_READWRITE 0x04u
#define PAGE_WRITECOPY 0x08u
#define SEC_RESERVE 0x04000000u
#define SEC_COMMIT 0x08000000u
#define FILE_MAP_COPY 0x0001u
#define FILE_MAP_WRITE 0x0002u
#define FILE_MAP_READ 0x0004u
#define FILE_MAP_ALL_ACCESS 0x000f001fu
#define RIPC_ALLOCATION_GRANULARITY 0x10000u /* GetSystemInfo: dwAllocationGranularity, 64 KiB */

/*
 * Makes a mapping object over the file hFile, or over memory of its own when that is
 * INVALID_HANDLE_VALUE; with a name, opens the one that has it, if any: then it succeeds with
 * ERROR_ALREADY_EXISTS, and size, file and protection are the existing object's.
 *
 * The size is dwMaximumSizeHigh:dwMaximumSizeLow bytes. 0 means the file's size: ERROR_FILE_INVALID
 * when that is 0 too, ERROR_INVALID_PARAMETER without a file. A file smaller than the size grows
 * (PAGE_READWRITE), or the call fails with ERROR_NOT_ENOUGH_MEMORY (read-only protections).
 * ERROR_ACCESS_DENIED: the file handle does not allow the protection. ERROR_DISK_FULL: the file
 * cannot grow. ERROR_NOT_ENOUGH_MEMORY: nor is there so much memory; with SEC_RESERVE it is not
 * taken now (and touching what cannot be had later on is a SIGBUS). Images (SEC_IMAGE) and
 * executable protections: ERROR_NOT_SUPPORTED.
 *
 * Memory of its own is zero at first, and lives until the last handle and the last view of the last
 * process are gone, also if they are killed; its name lives as long. A name of another kind of
 * object: ERROR_INVALID_HANDLE. A prefix Global\ or Local\ is dropped; another \ or a /:
 * ERROR_PATH_NOT_FOUND.
 *
 * A named mapping of a file records the file's path: OpenFileMapping needs the file to be there
 * still (ERROR_FILE_INVALID otherwise), and the opener's rights to it.
 */
HANDLE CreateFileMapping(HANDLE hFile, LPSECURITY_ATTRIBUTES lpFileMappingAttributes,
			 DWORD flProtect, DWORD dwMaximumSizeHigh, DWORD dwMaximumSizeLow,
			 LPCSTR lpName);

/* NULL and ERROR_FILE_NOT_FOUND when there is none. dwDesiredAccess: FILE_MAP_…, checked. */
HANDLE OpenFileMapping(DWORD dwDesiredAccess, BOOL bInheritHandle, LPCSTR lpName);

/*
 * Maps dwNumberOfBytesToMap bytes (0: to the end) from the offset High:Low on. FILE_MAP_COPY gives
 * private pages: what is written stays in this process. FILE_MAP_WRITE reads too.
 * ERROR_MAPPED_ALIGNMENT: the offset is no multiple of RIPC_ALLOCATION_GRANULARITY (views begin at
 * such addresses too). ERROR_ACCESS_DENIED: the object's protection does not allow it, or the view
 * would end behind the object's end. The view holds the object: the handle may be closed.
 */
LPVOID MapViewOfFile(HANDLE hFileMappingObject, DWORD dwDesiredAccess, DWORD dwFileOffsetHigh,
		     DWORD dwFileOffsetLow, size_t dwNumberOfBytesToMap);

/* ERROR_INVALID_ADDRESS: not in (for Unmap: not the start of) a view. 0 bytes: to its end. */
BOOL FlushViewOfFile(LPCVOID lpBaseAddress, size_t dwNumberOfBytesToFlush);
BOOL UnmapViewOfFile(LPCVOID lpBaseAddress);

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

/* ---- named pipes ---- */

#define PIPE_ACCESS_INBOUND 1u  /* client to server */
#define PIPE_ACCESS_OUTBOUND 2u /* server to client */
#define PIPE_ACCESS_DUPLEX 3u
#define PIPE_WAIT 0u
#define PIPE_NOWAIT 1u
#define PIPE_READMODE_BYTE 0u
#define PIPE_READMODE_MESSAGE 2u
#define PIPE_TYPE_BYTE 0u
#define PIPE_TYPE_MESSAGE 4u
#define PIPE_ACCEPT_REMOTE_CLIENTS 0u
#define PIPE_REJECT_REMOTE_CLIENTS 8u
#define PIPE_CLIENT_END 0u
#define PIPE_SERVER_END 1u
#define PIPE_UNLIMITED_INSTANCES 255u
#define NMPWAIT_USE_DEFAULT_WAIT 0u
#define NMPWAIT_NOWAIT 1u
#define NMPWAIT_WAIT_FOREVER 0xffffffffu

/*
 * Makes an instance of the pipe \\.\pipe\[path]name, and the pipe with its first instance. At most
 * 160 characters behind \\.\pipe\ (in Win32 256 in all), no difference between upper and lower case
 * (ASCII); else ERROR_INVALID_NAME, also for another machine's name. An instance is open for a client
 * from the start, ConnectNamedPipe waits for one. It is gone with its last handle; the pipe is gone
 * with its last instance.
 *
 * nMaxInstances: 1 to 255, of the first instance's call; when so many are there: ERROR_PIPE_BUSY.
 * The type (byte or message), the access and the limit are those of the first instance; others:
 * ERROR_ACCESS_DENIED, as with FILE_FLAG_FIRST_PIPE_INSTANCE when the pipe exists. A byte pipe
 * cannot be read by message: ERROR_INVALID_PARAMETER. Buffer sizes (0: 4096) are advisory: rounded
 * up, at most 1 MiB, those of the first instance count. A larger message is not refused, its writer
 * waits for the reader. nDefaultTimeOut in ms is WaitNamedPipe's default (0: 50).
 */
HANDLE CreateNamedPipe(LPCSTR lpName, DWORD dwOpenMode, DWORD dwPipeMode, DWORD nMaxInstances,
		       DWORD nOutBufferSize, DWORD nInBufferSize, DWORD nDefaultTimeOut,
		       LPSECURITY_ATTRIBUTES lpSecurityAttributes);

/*
 * Waits for a client. FALSE with ERROR_PIPE_CONNECTED when one has come before the call: a good
 * connection; ERROR_NO_DATA when that one has left and the server has not disconnected. With
 * PIPE_NOWAIT: TRUE the first time after a DisconnectNamedPipe, later FALSE with
 * ERROR_PIPE_LISTENING or ERROR_PIPE_CONNECTED. A client's handle: ERROR_INVALID_HANDLE.
 */
BOOL ConnectNamedPipe(HANDLE hNamedPipe, LPOVERLAPPED lpOverlapped);

/*
 * Throws the client off and its unread data away: its next call fails with
 * ERROR_PIPE_NOT_CONNECTED. The instance is not open for the next client until ConnectNamedPipe.
 */
BOOL DisconnectNamedPipe(HANDLE hNamedPipe);

/*
 * The client's end: CreateFile with OPEN_EXISTING. ERROR_FILE_NOT_FOUND: no such pipe;
 * ERROR_PIPE_BUSY: no instance is open for a client (WaitNamedPipe, and try again);
 * ERROR_ACCESS_DENIED: GENERIC_READ on an inbound, GENERIC_WRITE on an outbound pipe, or another
 * user's pipe. It begins in byte read mode and PIPE_WAIT. Share mode and attributes do not matter.
 *
 * ReadFile: in message mode one message, or as much as fits with FALSE and ERROR_MORE_DATA, the
 * rest by the next calls. In byte mode what is there, across writes, at least one byte; a message of
 * 0 bytes is read as 0 bytes in either mode. ERROR_BROKEN_PIPE: the other end is closed, or its
 * process dead, and everything is read (a message that its writer did not finish is dropped).
 * ERROR_NO_DATA: nothing there, with PIPE_NOWAIT. ERROR_PIPE_LISTENING: no client yet.
 * ERROR_PIPE_NOT_CONNECTED: disconnected.
 *
 * WriteFile: all, waiting for room; a message is never mixed with another, nor are the bytes of one
 * call. With PIPE_NOWAIT what fits: a message whole or (TRUE, 0 bytes) not at all. ERROR_NO_DATA:
 * the other end is closed. ERROR_ACCESS_DENIED: the handle is not open in this direction.
 */

/*
 * Waits until an instance is open for a client: nTimeOut in ms or NMPWAIT_…. ERROR_SEM_TIMEOUT;
 * ERROR_FILE_NOT_FOUND at once when the pipe has no instance at all. Another client may be faster
 * with CreateFile all the same.
 */
BOOL WaitNamedPipe(LPCSTR lpNamedPipeName, DWORD nTimeOut);

/*
 * Copies what is there without taking it, and never waits: in message mode at most the first
 * message, *lpBytesLeftThisMessage is what did not fit of it; *lpTotalBytesAvail is all that can be
 * read. Any pointer may be NULL. Also for the read handle of an anonymous pipe, without the buffer
 * (ERROR_NOT_SUPPORTED with one: the kernel's pipes cannot show their bytes without giving them).
 */
BOOL PeekNamedPipe(HANDLE hNamedPipe, LPVOID lpBuffer, DWORD nBufferSize, LPDWORD lpBytesRead,
		   LPDWORD lpTotalBytesAvail, LPDWORD lpBytesLeftThisMessage);

/*
 * Of this end of this instance. lpMode: PIPE_READMODE_… and PIPE_WAIT or PIPE_NOWAIT; message read
 * mode on a byte pipe: ERROR_INVALID_PARAMETER. The two others concern remote clients' batching,
 * which is not there: ERROR_INVALID_PARAMETER unless NULL. ERROR_ACCESS_DENIED: the client's handle
 * has neither GENERIC_WRITE nor FILE_WRITE_ATTRIBUTES.
 */
BOOL SetNamedPipeHandleState(HANDLE hNamedPipe, LPDWORD lpMode, LPDWORD lpMaxCollectionCount,
			     LPDWORD lpCollectDataTimeout);

/* lpMaxCollectionCount, lpCollectDataTimeout and lpUserName must be NULL: as above. */
BOOL GetNamedPipeHandleState(HANDLE hNamedPipe, LPDWORD lpState, LPDWORD lpCurInstances,
			     LPDWORD lpMaxCollectionCount, LPDWORD lpCollectDataTimeout,
			     LPSTR lpUserName, DWORD nMaxUserNameSize);

/* lpFlags: PIPE_SERVER_END or PIPE_CLIENT_END, and the type. Sizes as they are, not as asked. */
BOOL GetNamedPipeInfo(HANDLE hNamedPipe, LPDWORD lpFlags, LPDWORD lpOutBufferSize,
		      LPDWORD lpInBufferSize, LPDWORD lpMaxInstances);

/* Who is at the ends. The client of a remote connection is the process that serves it here. */
BOOL GetNamedPipeClientProcessId(HANDLE Pipe, ULONG *ClientProcessId);
BOOL GetNamedPipeServerProcessId(HANDLE Pipe, ULONG *ServerProcessId);

/*
 * Writes a message and reads the answer. ERROR_BAD_PIPE: not a duplex pipe in message read mode;
 * ERROR_PIPE_BUSY: there is something to read already; ERROR_MORE_DATA: the answer is longer than
 * the buffer.
 */
BOOL TransactNamedPipe(HANDLE hNamedPipe, LPVOID lpInBuffer, DWORD nInBufferSize,
		       LPVOID lpOutBuffer, DWORD nOutBufferSize, LPDWORD lpBytesRead,
		       LPOVERLAPPED lpOverlapped);

/* CreateFile (waiting for an instance up to nTimeOut), TransactNamedPipe, CloseHandle. */
BOOL CallNamedPipe(LPCSTR lpNamedPipeName, LPVOID lpInBuffer, DWORD nInBufferSize,
		   LPVOID lpOutBuffer, DWORD nOutBufferSize, LPDWORD lpBytesRead, DWORD nTimeOut);

/* ---- named pipes of other machines ---- */

/*
 * Off unless switched on, on either side, for the process that calls it.
 *
 * A server lets remote clients in: its own pipes (but those with PIPE_REJECT_REMOTE_CLIENTS) can
 * then be reached by TCP at `address`:`port` (numeric; NULL: 127.0.0.1; port 0: any, the one taken goes
 * to *port_taken, which may be NULL). There is no encryption and no login: whoever reaches the port
 * can speak to the pipes, so that anything but a loopback address must be named on purpose.
 * FALSE with ERROR_ALREADY_EXISTS when on already, ERROR_ACCESS_DENIED, ERROR_INVALID_PARAMETER.
 * Bounded: 255 connections at once, 10 s for a client to say what it wants.
 */
BOOL ripc_remote_serve(LPCSTR address, WORD port, WORD *port_taken);
void ripc_remote_stop(void); /* ends the listening and every remote connection */

/*
 * A client names the machines that it will talk to: \\machine\pipe\name reaches `address`:`port`
 * from then on, and no name lookup is made. address NULL takes the machine out. Machines that were
 * not named, or cannot be reached: ERROR_BAD_NETPATH; what answers otherwise than such a server, or
 * not at all: ERROR_UNEXP_NET_ERR. CloseHandle gives what was written up to 10 s to
 * reach the other machine; FlushFileBuffers returns when it is on its way, and a message of more
 * than 16 MiB ends the connection. The same from outside: RIPC_REMOTE="machine=address:port,…" (an
 * IPv6 address in []). At most 16.
 */
BOOL ripc_remote_machine(LPCSTR machine, LPCSTR address, WORD port);

#ifdef __cplusplus
}
#endif

#endif
