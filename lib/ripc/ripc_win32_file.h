/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Part of ripc_win32.h, which says what holds for all of it: files, and file mappings, by which
 * processes share memory.
 */
#ifndef RIPC_PUBLIC_WIN32_FILE_H
#define RIPC_PUBLIC_WIN32_FILE_H

#include "ripc_win32_base.h"

#ifdef __cplusplus
extern "C" {
#endif

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

#ifdef __cplusplus
}
#endif

#endif
