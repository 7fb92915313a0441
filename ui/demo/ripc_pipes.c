// SPDX-License-Identifier: GPL-2.0-or-later
/* The notes' programs with Win32 pipes, on libripc: p1 | p2, and the server of a named pipe. */
#include <pthread.h>
#include <string.h>

#include "lib/ripc/ripc_win32.h"
#include "ripc_kit.h"

/* ---- ripc-create-pipe: the program of the notes, p1 and p2 being what every system has ---- */

static HANDLE cp_start(const char *line, HANDLE in, HANDLE out)
{
	PROCESS_INFORMATION pi;
	STARTUPINFO si;

	GetStartupInfo(&si);
	if (in)
		si.hStdInput = in;
	if (out)
		si.hStdOutput = out;
	si.dwFlags = STARTF_USESTDHANDLES;
	demo_win32(CreateProcess(NULL, line, NULL, NULL, TRUE, 0, NULL, NULL, &si, &pi),
		   "CreateProcess");
	CloseHandle(pi.hThread);
	return pi.hProcess;
}

static void cp_shell(struct demo_run *run, const int *fds)
{
	SECURITY_ATTRIBUTES sa = {.nLength = sizeof(sa), .bInheritHandle = TRUE};
	DWORD code[2] = {99, 99};
	HANDLE rh, wh, p[2];

	(void)run;
	(void)fds;
	demo_win32(CreatePipe(&rh, &wh, &sa, 0), "CreatePipe");
	SetHandleInformation(rh, HANDLE_FLAG_INHERIT, 0); /* p1 must not hold the reading end */
	p[0] = cp_start("printf \"pipe\\nsocket\\nmessage\\n\"", NULL, wh);
	CloseHandle(wh); /* else p2 would never read the end */
	SetHandleInformation(rh, HANDLE_FLAG_INHERIT, HANDLE_FLAG_INHERIT);
	p[1] = cp_start("sort", rh, NULL);
	CloseHandle(rh);
	for (int i = 0; i < 2; i++) {
		WaitForSingleObject(p[i], INFINITE);
		GetExitCodeProcess(p[i], &code[i]);
		CloseHandle(p[i]);
	}
	tell("printf | sort: exit codes %u and %u\n", code[0], code[1]);
}

int demo_ripc_create_pipe(struct demo_run *run)
{
	return demo_spawn(run, "cp-shell", cp_shell, (int[]){-1});
}

/* ---- ripc-named-pipe: a server with a thread for each client, and three clients ---- */

#define CLIENTS 3
#define REQUESTS 5

struct np_request {
	int client, number;
};
struct np_answer {
	int client, number, square;
};

static struct {
	HANDLE pipe;
	pthread_t thread;
	int client, answers;
} conversations[CLIENTS];

/* fds: the supervisor's pid, then for the remote form a pipe that tells the port */

static void pipe_name(char *name, size_t size, const char *machine, int pid)
{
	snprintf(name, size, "\\\\%s\\pipe\\demo\\%d", machine, pid);
}

static void *client_thread(void *arg)
{
	int i = (int)(intptr_t)arg;
	struct np_request rm;
	HANDLE h = conversations[i].pipe;
	DWORD n;

	while (ReadFile(h, &rm, sizeof(rm), &n, NULL) && n == sizeof(rm)) {
		struct np_answer am = {rm.client, rm.number, rm.number * rm.number};

		conversations[i].client = rm.client;
		if (!WriteFile(h, &am, sizeof(am), &n, NULL))
			break;
		conversations[i].answers++;
	}
	demo_win32(GetLastError() == ERROR_BROKEN_PIPE, "ReadFile");
	DisconnectNamedPipe(h);
	CloseHandle(h);
	return NULL;
}

static void np_serve(int pid)
{
	char name[64];

	pipe_name(name, sizeof(name), ".", pid);
	for (int i = 0; i < CLIENTS; i++) {
		HANDLE h = CreateNamedPipe(
			name, PIPE_ACCESS_DUPLEX,
			PIPE_TYPE_MESSAGE | PIPE_READMODE_MESSAGE | PIPE_WAIT,
			PIPE_UNLIMITED_INSTANCES, 0, 0, 0, NULL);

		demo_win32(h != INVALID_HANDLE_VALUE, "CreateNamedPipe");
		demo_win32(ConnectNamedPipe(h, NULL) || GetLastError() == ERROR_PIPE_CONNECTED,
			   "ConnectNamedPipe");
		conversations[i].pipe = h;
		pthread_create(&conversations[i].thread, NULL, client_thread, (void *)(intptr_t)i);
	}
	for (int i = 0; i < CLIENTS; i++)
		pthread_join(conversations[i].thread, NULL);
	for (int client = 1; client <= CLIENTS; client++)
		for (int i = 0; i < CLIENTS; i++)
			if (conversations[i].client == client)
				tell("client %d: %d requests answered\n", client,
				     conversations[i].answers);
}

static HANDLE np_reach(const char *name)
{
	for (int tries = 0; tries < 1000; tries++) {
		HANDLE h = CreateFile(name, GENERIC_READ | GENERIC_WRITE, 0, NULL, OPEN_EXISTING,
				      FILE_ATTRIBUTE_NORMAL, NULL);

		if (h != INVALID_HANDLE_VALUE)
			return h;
		demo_win32(GetLastError() == ERROR_PIPE_BUSY ||
				   GetLastError() == ERROR_FILE_NOT_FOUND,
			   "CreateFile");
		/* not there yet, or between two instances */
		if (!WaitNamedPipe(name, 1000) && GetLastError() == ERROR_FILE_NOT_FOUND)
			usleep(5000);
	}
	demo_win32(!"the pipe", "CreateFile");
	return NULL;
}

static void np_ask(const char *machine, int pid, int client)
{
	DWORD mode = PIPE_READMODE_MESSAGE, n;
	char name[64];
	HANDLE h;

	pipe_name(name, sizeof(name), machine, pid);
	h = np_reach(name);
	SetNamedPipeHandleState(h, &mode, NULL, NULL);
	for (int i = 1; i <= REQUESTS; i++) {
		struct np_request rm = {client, i};
		struct np_answer am = {0};

		demo_win32(WriteFile(h, &rm, sizeof(rm), &n, NULL), "WriteFile");
		demo_win32(ReadFile(h, &am, sizeof(am), &n, NULL), "ReadFile");
		demo_must(am.client == client && am.square == i * i, EPROTO, "the answer");
	}
	CloseHandle(h);
}

static void np_server(struct demo_run *run, const int *fds)
{
	(void)run;
	np_serve(fds[0]);
}

static void np_client(struct demo_run *run, const int *fds)
{
	(void)run;
	np_ask(".", fds[0], fds[1]);
}

int demo_ripc_named_pipe(struct demo_run *run)
{
	int err = demo_spawn(run, "np-server", np_server, (int[]){getpid(), -1});

	for (int i = 1; i <= CLIENTS && !err; i++) {
		char name[16];

		snprintf(name, sizeof(name), "np-client-%d", i);
		err = demo_spawn(run, name, np_client, (int[]){getpid(), i, -1});
	}
	return err;
}

/* ---- ripc-named-pipe-tcp: the same, the clients taking this machine for another ---- */

/* fds: pid, client, the ends of a pipe in which the server says its port, once for each client */
static void nt_server(struct demo_run *run, const int *fds)
{
	WORD port = 0;

	(void)run;
	close(fds[2]);
	demo_win32(ripc_remote_serve("127.0.0.1", 0, &port), "ripc_remote_serve");
	for (int i = 0; i < CLIENTS; i++)
		demo_must(write(fds[3], &port, sizeof(port)) == sizeof(port), errno, "write");
	close(fds[3]);
	np_serve(fds[0]);
	ripc_remote_stop();
}

static void nt_client(struct demo_run *run, const int *fds)
{
	WORD port = 0;

	(void)run;
	close(fds[3]);
	demo_must(read(fds[2], &port, sizeof(port)) == sizeof(port), EPIPE, "read");
	demo_win32(ripc_remote_machine("medusa", "127.0.0.1", port), "ripc_remote_machine");
	np_ask("medusa", fds[0], fds[1]);
}

int demo_ripc_named_pipe_tcp(struct demo_run *run)
{
	int port[2], err;

	if (pipe(port) < 0)
		return -errno;
	err = demo_spawn(run, "nt-server", nt_server, (int[]){getpid(), 0, port[0], port[1], -1});
	for (int i = 1; i <= CLIENTS && !err; i++) {
		char name[16];

		snprintf(name, sizeof(name), "nt-client-%d", i);
		err = demo_spawn(run, name, nt_client,
				 (int[]){getpid(), i, port[0], port[1], -1});
	}
	demo_close((int[]){port[0], port[1], -1});
	return err;
}
