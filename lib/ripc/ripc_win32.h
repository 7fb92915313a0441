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

#include "ripc_win32_base.h"
#include "ripc_win32_file.h"
#include "ripc_win32_pipe.h"
#include "ripc_win32_process.h"

#endif
