/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Part of ripc_win32.h, which says what holds for all of it: named pipes, and those of other
 * machines.
 */
#ifndef RIPC_PUBLIC_WIN32_PIPE_H
#define RIPC_PUBLIC_WIN32_PIPE_H

#include "ripc_win32_base.h"
#include "ripc_win32_file.h"

#ifdef __cplusplus
extern "C" {
#endif

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
