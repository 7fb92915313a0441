// SPDX-License-Identifier: GPL-2.0-or-later
/* Handles, files, mappings, anonymous pipes and processes by the Win32 documentation. */
#include "children.h"

#include <fcntl.h>
#include <pthread.h>
#include <sys/stat.h>

#include "lib/ripc/ripc_win32.h"
#include "lib/ripc/win32_cmdline.h"

#define SHARE (FILE_SHARE_READ | FILE_SHARE_WRITE)
#define RW (GENERIC_READ | GENERIC_WRITE)
#define GRAIN RIPC_ALLOCATION_GRANULARITY

static char path[128];
static const char *self;

static HANDLE file_open(DWORD access, DWORD share, DWORD how)
{
	return CreateFile(path, access, share, NULL, how, FILE_ATTRIBUTE_NORMAL, NULL);
}

static HANDLE file_new(DWORD access, size_t bytes)
{
	HANDLE h = file_open(RW, SHARE, CREATE_ALWAYS);

	assert_ptr_not_equal(h, INVALID_HANDLE_VALUE);
	CloseHandle(h);
	assert_int_equal(truncate(path, (off_t)bytes), 0);
	return file_open(access, SHARE, OPEN_EXISTING);
}

/* ---- errors and handles ---- */

static void *sets_its_own_error(void *arg)
{
	(void)arg;
	SetLastError(77);
	return (void *)(uintptr_t)GetLastError();
}

static void the_last_error_is_each_threads_own(void **state)
{
	pthread_t t;
	void *other;

	(void)state;
	SetLastError(5);
	pthread_create(&t, NULL, sets_its_own_error, NULL);
	pthread_join(t, &other);
	assert_int_equal((uintptr_t)other, 77);
	assert_int_equal(GetLastError(), 5);
}

static void handles(void **state)
{
	HANDLE h = file_new(RW, 10), h2, self_process = GetCurrentProcess();
	DWORD flags = 9, n;
	char c;

	(void)state;
	assert_true(GetHandleInformation(h, &flags));
	assert_int_equal(flags, 0);
	assert_true(SetHandleInformation(h, HANDLE_FLAG_INHERIT, HANDLE_FLAG_INHERIT));
	assert_true(GetHandleInformation(h, &flags));
	assert_int_equal(flags, HANDLE_FLAG_INHERIT);
	assert_fails(SetHandleInformation(h, 2, 2), ERROR_INVALID_PARAMETER);
	assert_true(DuplicateHandle(self_process, h, self_process, &h2, 0, FALSE,
				    DUPLICATE_SAME_ACCESS));
	assert_ptr_not_equal(h, h2);
	assert_true(CloseHandle(h));
	assert_true(ReadFile(h2, &c, 1, &n, NULL)); /* the object lives on */
	assert_fails(DuplicateHandle(self_process, h, self_process, &h, 0, FALSE,
				     DUPLICATE_SAME_ACCESS),
		     ERROR_INVALID_HANDLE);
	assert_fails(DuplicateHandle(self_process, h2, self_process, &h, GENERIC_READ, FALSE, 0),
		     ERROR_NOT_SUPPORTED);
	assert_fails(DuplicateHandle(h2, h2, self_process, &h, 0, FALSE, DUPLICATE_SAME_ACCESS),
		     ERROR_NOT_SUPPORTED);
	assert_true(DuplicateHandle(self_process, h2, self_process, &h, 0, TRUE,
				    DUPLICATE_SAME_ACCESS | DUPLICATE_CLOSE_SOURCE));
	assert_fails(CloseHandle(h2), ERROR_INVALID_HANDLE);
	assert_true(CloseHandle(h));
	assert_fails(CloseHandle(h), ERROR_INVALID_HANDLE);
	assert_fails(CloseHandle(NULL), ERROR_INVALID_HANDLE);
	assert_fails(CloseHandle((HANDLE)5), ERROR_INVALID_HANDLE);
	assert_fails(GetHandleInformation(h, &flags), ERROR_INVALID_HANDLE);
	assert_true(CloseHandle(self_process));
}

static void many_handles(void **state)
{
	enum { N = 600 };
	static HANDLE h[N];

	(void)state;
	h[0] = file_new(GENERIC_READ, 1);
	for (int i = 1; i < N; i++)
		assert_true(DuplicateHandle(GetCurrentProcess(), h[0], GetCurrentProcess(), &h[i], 0,
					    FALSE, DUPLICATE_SAME_ACCESS));
	for (int i = 0; i < N; i++)
		assert_true(CloseHandle(h[i]));
}

/* ---- files ---- */

static void dispositions(void **state)
{
	HANDLE h;

	(void)state;
	unlink(path);
	assert_bad_handle(file_open(RW, 0, OPEN_EXISTING), ERROR_FILE_NOT_FOUND);
	assert_bad_handle(file_open(RW, 0, TRUNCATE_EXISTING), ERROR_FILE_NOT_FOUND);
	SetLastError(99);
	h = file_open(RW, 0, OPEN_ALWAYS);
	assert_int_equal(GetLastError(), 0);
	CloseHandle(h);
	h = file_open(RW, 0, OPEN_ALWAYS);
	assert_int_equal(GetLastError(), ERROR_ALREADY_EXISTS);
	CloseHandle(h);
	assert_bad_handle(file_open(RW, 0, CREATE_NEW), ERROR_FILE_EXISTS);
	assert_int_equal(truncate(path, 100), 0);
	h = file_open(RW, 0, TRUNCATE_EXISTING);
	assert_int_equal(GetFileSize(h, NULL), 0);
	CloseHandle(h);
	assert_int_equal(truncate(path, 100), 0);
	h = file_open(GENERIC_WRITE, 0, CREATE_ALWAYS);
	assert_int_equal(GetLastError(), ERROR_ALREADY_EXISTS);
	assert_int_equal(GetFileSize(h, NULL), 0);
	CloseHandle(h);
	for (DWORD how = 0; how < 7; how += 6)
		assert_bad_handle(file_open(RW, 0, how), ERROR_INVALID_PARAMETER);
	assert_bad_handle(file_open(GENERIC_READ, 0, TRUNCATE_EXISTING), ERROR_INVALID_PARAMETER);
	assert_bad_handle(CreateFile("/nowhere/at/all", RW, 0, NULL, OPEN_EXISTING, 0, NULL),
			  ERROR_PATH_NOT_FOUND);
	assert_bad_handle(CreateFile("/tmp", GENERIC_READ, 0, NULL, OPEN_EXISTING, 0, NULL),
			  ERROR_ACCESS_DENIED);
	assert_bad_handle(CreateFile(path, RW, 0, NULL, OPEN_EXISTING, FILE_FLAG_OVERLAPPED, NULL),
			  ERROR_NOT_SUPPORTED);
	assert_bad_handle(CreateFile(NULL, RW, 0, NULL, OPEN_EXISTING, 0, NULL),
			  ERROR_INVALID_PARAMETER);
}

static void attributes_and_flags(void **state)
{
	static const DWORD known[] = {FILE_ATTRIBUTE_TEMPORARY, FILE_FLAG_WRITE_THROUGH, 0};
	struct stat st;
	DWORD n;
	HANDLE h;

	(void)state;
	unlink(path);
	h = CreateFile(path, RW, FILE_SHARE_DELETE, NULL, CREATE_NEW, FILE_ATTRIBUTE_READONLY, NULL);
	assert_true(WriteFile(h, "x", 1, &n, NULL)); /* its maker still writes */
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0222, 0);
	CloseHandle(h);
	unlink(path);
	for (int i = 0; i < 3; i++) {
		h = CreateFile(path, RW, SHARE, NULL, CREATE_ALWAYS, known[i], NULL);
		assert_true(WriteFile(h, "x", 1, &n, NULL));
		CloseHandle(h);
	}
	h = CreateFile(path, FILE_READ_ATTRIBUTES, SHARE, NULL, OPEN_EXISTING, 0, NULL);
	assert_int_equal(GetFileSize(h, NULL), 1);
	assert_fails(ReadFile(h, &(char){0}, 1, &n, NULL), ERROR_ACCESS_DENIED);
	assert_fails(WriteFile(h, "x", 1, &n, NULL), ERROR_ACCESS_DENIED);
	CloseHandle(h);
	assert_bad_handle(CreateFile(path, RW, SHARE, NULL, OPEN_EXISTING, 0x04000000, NULL),
			  ERROR_NOT_SUPPORTED); /* FILE_FLAG_DELETE_ON_CLOSE */
	SetLastError(0);
	assert_int_equal(GetFileSize(h, NULL), INVALID_FILE_SIZE);
	assert_int_equal(GetLastError(), ERROR_INVALID_HANDLE);
}

static void share_modes(void **state)
{
	HANDLE h, h2;

	(void)state;
	h = file_new(RW, 5);
	h2 = file_open(GENERIC_READ, SHARE, OPEN_EXISTING);
	assert_ptr_not_equal(h2, INVALID_HANDLE_VALUE);
	assert_bad_handle(file_open(RW, 0, OPEN_EXISTING), ERROR_SHARING_VIOLATION);
	CloseHandle(h);
	CloseHandle(h2);
	h = file_open(RW, 0, OPEN_EXISTING);
	assert_ptr_not_equal(h, INVALID_HANDLE_VALUE);
	assert_bad_handle(file_open(RW, SHARE, CREATE_ALWAYS), ERROR_SHARING_VIOLATION);
	assert_int_equal(GetFileSize(h, NULL), 5); /* and it is not emptied by that */
	CloseHandle(h);
}

static void reading_and_writing_files(void **state)
{
	HANDLE h = file_new(RW, 0), r = file_open(GENERIC_READ, SHARE, OPEN_EXISTING);
	DWORD n = 9, high = 9;
	char buf[8];

	(void)state;
	assert_true(WriteFile(h, "hello", 5, &n, NULL) && n == 5);
	assert_true(ReadFile(r, buf, 8, &n, NULL) && n == 5);
	assert_true(ReadFile(r, buf, 8, &n, NULL) && n == 0); /* end of file: no error */
	assert_fails(WriteFile(r, buf, 1, &n, NULL), ERROR_ACCESS_DENIED);
	assert_fails(ReadFile(r, buf, 1, NULL, NULL), ERROR_INVALID_PARAMETER);
	assert_fails(ReadFile(r, NULL, 1, &n, NULL), ERROR_INVALID_PARAMETER);
	assert_true(FlushFileBuffers(h));
	assert_int_equal(GetFileSize(h, &high), 5);
	assert_int_equal(high, 0);
	CloseHandle(h);
	CloseHandle(r);
	assert_fails(ReadFile(r, buf, 1, &n, NULL), ERROR_INVALID_HANDLE);
}

/* ---- mappings ---- */

static HANDLE memory_new(DWORD protect, DWORD bytes, LPCSTR name)
{
	return CreateFileMapping(INVALID_HANDLE_VALUE, NULL, protect, 0, bytes, name);
}

static void mapping_arguments(void **state)
{
	char name[300];
	HANDLE h, ro = file_new(GENERIC_READ, 100), wo = file_open(GENERIC_WRITE, SHARE, OPEN_EXISTING);

	(void)state;
	assert_fails(memory_new(PAGE_READWRITE, 0, NULL), ERROR_INVALID_PARAMETER);
	assert_fails(memory_new(0, 10, NULL), ERROR_INVALID_PARAMETER);
	assert_fails(memory_new(PAGE_READWRITE | PAGE_READONLY, 10, NULL), ERROR_INVALID_PARAMETER);
	assert_fails(memory_new(0x40, 10, NULL), ERROR_NOT_SUPPORTED); /* PAGE_EXECUTE_READWRITE */
	assert_fails(memory_new(0x1000002, 10, NULL), ERROR_NOT_SUPPORTED); /* SEC_IMAGE */
	assert_fails(memory_new(PAGE_READWRITE, 10, "a\\b"), ERROR_PATH_NOT_FOUND);
	assert_fails(memory_new(PAGE_READWRITE, 10, "a/b"), ERROR_PATH_NOT_FOUND);
	assert_fails(CreateFileMapping(ro, NULL, PAGE_READWRITE, 0, 0, NULL), ERROR_ACCESS_DENIED);
	assert_fails(CreateFileMapping(wo, NULL, PAGE_READONLY, 0, 0, NULL), ERROR_ACCESS_DENIED);
	assert_fails(CreateFileMapping(ro, NULL, PAGE_READONLY, 0, 101, NULL),
		     ERROR_NOT_ENOUGH_MEMORY);
	assert_fails(CreateFileMapping((HANDLE)0x40000, NULL, PAGE_READONLY, 0, 1, NULL),
		     ERROR_INVALID_HANDLE);
	assert_fails(CreateFileMapping(INVALID_HANDLE_VALUE, NULL, PAGE_READWRITE, 0x7fffff, 0, NULL),
		     ERROR_NOT_ENOUGH_MEMORY);
	assert_fails(CreateFileMapping(INVALID_HANDLE_VALUE, NULL, PAGE_READWRITE, 0x7fffff, 0, "n"),
		     ERROR_NOT_ENOUGH_MEMORY);
	memset(name, 'x', sizeof(name));
	name[299] = 0;
	assert_fails(memory_new(PAGE_READWRITE, 10, name), ERROR_FILENAME_EXCED_RANGE);
	assert_fails(OpenFileMapping(FILE_MAP_READ, FALSE, "no such"), ERROR_FILE_NOT_FOUND);
	CloseHandle(ro);
	CloseHandle(wo);
	h = file_new(RW, 0);
	assert_fails(CreateFileMapping(h, NULL, PAGE_READWRITE, 0, 0, NULL), ERROR_FILE_INVALID);
	CloseHandle(h);
}

static void views(void **state)
{
	HANDLE m = memory_new(PAGE_READWRITE | SEC_RESERVE, 3 * GRAIN + 10, NULL);
	char *all = MapViewOfFile(m, FILE_MAP_ALL_ACCESS, 0, 0, 0), *part, *ro, *copy;
	pid_t child;
	int end;

	(void)state;
	assert_non_null(all);
	assert_int_equal((uintptr_t)all % GRAIN, 0);
	for (size_t i = 0; i < 3 * GRAIN + 10; i += 4096)
		assert_int_equal(all[i], 0);
	part = MapViewOfFile(m, FILE_MAP_WRITE, 0, 2 * GRAIN, 100);
	assert_int_equal((uintptr_t)part % GRAIN, 0);
	part[7] = 'A';
	assert_int_equal(all[2 * GRAIN + 7], 'A');
	copy = MapViewOfFile(m, FILE_MAP_COPY, 0, 2 * GRAIN, 0);
	assert_int_equal(copy[7], 'A');
	copy[7] = 'B';
	assert_int_equal(part[7], 'A');
	assert_int_equal(copy[7], 'B');
	ro = MapViewOfFile(m, FILE_MAP_READ, 0, 0, 1);
	fflush(stdout);
	child = fork();
	if (child == 0) {
		signal(SIGSEGV, SIG_DFL);
		*(volatile char *)ro = 1;
		_exit(0);
	}
	end = end_of_child(child);
	assert_int_equal(end, 128 + SIGSEGV);
	assert_fails(MapViewOfFile(m, FILE_MAP_READ, 0, 4096, 1), ERROR_MAPPED_ALIGNMENT);
	assert_fails(MapViewOfFile(m, FILE_MAP_READ, 0, 3 * GRAIN, 11), ERROR_ACCESS_DENIED);
	assert_fails(MapViewOfFile(m, FILE_MAP_READ, 0, 4 * GRAIN, 0), ERROR_ACCESS_DENIED);
	assert_fails(MapViewOfFile(m, FILE_MAP_READ, 1, 0, 0), ERROR_ACCESS_DENIED);
	assert_fails(MapViewOfFile(m, 0, 0, 0, 0), ERROR_INVALID_PARAMETER);
	assert_fails(MapViewOfFile(NULL, FILE_MAP_READ, 0, 0, 0), ERROR_INVALID_HANDLE);
	assert_true(CloseHandle(m));
	all[5] = 'C'; /* views hold the object */
	assert_int_equal(ro[5], 'C');
	assert_true(FlushViewOfFile(all + 5, 10));
	assert_fails(FlushViewOfFile((char *)0x1000, 0), ERROR_INVALID_ADDRESS);
	assert_fails(UnmapViewOfFile(all + 1), ERROR_INVALID_ADDRESS);
	assert_true(UnmapViewOfFile(all));
	assert_fails(UnmapViewOfFile(all), ERROR_INVALID_ADDRESS);
	assert_true(UnmapViewOfFile(part) && UnmapViewOfFile(copy) && UnmapViewOfFile(ro));
}

static void protections(void **state)
{
	HANDLE m, ro = memory_new(PAGE_READONLY, 10, "ro"), wc = memory_new(PAGE_WRITECOPY, 10, NULL);

	(void)state;
	assert_fails(MapViewOfFile(ro, FILE_MAP_WRITE, 0, 0, 0), ERROR_ACCESS_DENIED);
	assert_fails(MapViewOfFile(ro, FILE_MAP_ALL_ACCESS, 0, 0, 0), ERROR_ACCESS_DENIED);
	assert_fails(MapViewOfFile(wc, FILE_MAP_WRITE, 0, 0, 0), ERROR_ACCESS_DENIED);
	assert_true(UnmapViewOfFile(MapViewOfFile(ro, FILE_MAP_READ, 0, 0, 0)));
	assert_true(UnmapViewOfFile(MapViewOfFile(wc, FILE_MAP_COPY, 0, 0, 0)));
	CloseHandle(ro);
	CloseHandle(wc);
	m = memory_new(PAGE_READWRITE, 10, "narrow");
	ro = OpenFileMapping(FILE_MAP_READ, FALSE, "narrow");
	assert_fails(MapViewOfFile(ro, FILE_MAP_WRITE, 0, 0, 0), ERROR_ACCESS_DENIED);
	CloseHandle(m);
	CloseHandle(ro);
}

static void child_reads_letter(void *arg)
{
	HANDLE m = CreateFileMapping(INVALID_HANDLE_VALUE, NULL, PAGE_READWRITE, 0, 100, arg);
	char *p;

	CHECK(m && GetLastError() == ERROR_ALREADY_EXISTS);
	p = MapViewOfFile(m, FILE_MAP_ALL_ACCESS, 0, 0, 0);
	CHECK(p && p[GRAIN] == 'A'); /* the existing one's size counts */
	p[GRAIN] = 'B';
}

static void names_join_processes(void **state)
{
	HANDLE m = memory_new(PAGE_READWRITE, GRAIN + 1, "Global\\letter");
	char *p = MapViewOfFile(m, FILE_MAP_ALL_ACCESS, 0, 0, 0);

	(void)state;
	p[GRAIN] = 'A';
	CloseHandle(m); /* the view keeps object and name */
	join_child(start_child(child_reads_letter, (void *)(uintptr_t)"letter"));
	assert_int_equal(p[GRAIN], 'B');
	UnmapViewOfFile(p);
	assert_fails(OpenFileMapping(FILE_MAP_READ, FALSE, "letter"), ERROR_FILE_NOT_FOUND);
	assert_int_equal(objects_left(false), 0);
}

static void child_maps_and_waits(void *arg)
{
	HANDLE m = memory_new(PAGE_READWRITE, 10, "killed");

	CHECK(MapViewOfFile(m, FILE_MAP_WRITE, 0, 0, 0));
	step_done(arg);
	pause();
}

static void a_killed_holder_leaves_nothing(void **state)
{
	struct step ready;
	pid_t child;

	(void)state;
	step_init(&ready);
	child = start_child(child_maps_and_waits, &ready);
	step_await(&ready);
	kill_child(child);
	assert_fails(OpenFileMapping(FILE_MAP_READ, FALSE, "killed"), ERROR_FILE_NOT_FOUND);
	assert_int_equal(objects_left(false), 0);
	step_release(&ready);
}

static void child_maps_named_file(void *arg)
{
	HANDLE m = OpenFileMapping(FILE_MAP_WRITE, FALSE, "zzz");
	char *p;

	(void)arg;
	CHECK(m);
	p = MapViewOfFile(m, FILE_MAP_WRITE, 0, 0, 0);
	CHECK(p && p[0] == 'A');
	p[1] = 'B';
	CHECK(FlushViewOfFile(p, 0));
}

static void file_mappings(void **state)
{
	HANDLE h = file_new(RW, 10), m = CreateFileMapping(h, NULL, PAGE_READWRITE, 0, 5000, "zzz");
	char *p = MapViewOfFile(m, FILE_MAP_ALL_ACCESS, 0, 0, 0), c[2];
	DWORD n;

	(void)state;
	assert_int_equal(GetFileSize(h, NULL), 5000); /* it has grown */
	p[0] = 'A';
	join_child(start_child(child_maps_named_file, NULL));
	assert_true(ReadFile(h, c, 2, &n, NULL));
	assert_memory_equal(c, "AB", 2);
	CloseHandle(h); /* the mapping holds the file */
	unlink(path);
	assert_fails(OpenFileMapping(FILE_MAP_READ, FALSE, "zzz"), ERROR_FILE_INVALID);
	p[2] = 'x';
	UnmapViewOfFile(p);
	CloseHandle(m);
	assert_int_equal(objects_left(false), 0);
}

/* ---- anonymous pipes and processes ---- */

static SECURITY_ATTRIBUTES inherits = {.nLength = sizeof(inherits), .bInheritHandle = TRUE};

static void anonymous_pipes(void **state)
{
	HANDLE r, w;
	char buf[8];
	DWORD n = 4, avail = 4;

	(void)state;
	assert_true(CreatePipe(&r, &w, NULL, 10000));
	assert_fails(CreatePipe(NULL, &w, NULL, 0), ERROR_INVALID_PARAMETER);
	assert_true(WriteFile(w, "abc", 3, &n, NULL) && n == 3);
	assert_true(PeekNamedPipe(r, NULL, 0, NULL, &avail, NULL) && avail == 3);
	assert_fails(PeekNamedPipe(r, buf, 8, NULL, &avail, NULL), ERROR_NOT_SUPPORTED);
	assert_true(ReadFile(r, buf, 8, &n, NULL) && n == 3);
	assert_fails(ReadFile(w, buf, 1, &n, NULL), ERROR_ACCESS_DENIED);
	assert_fails(WriteFile(r, buf, 1, &n, NULL), ERROR_ACCESS_DENIED);
	CloseHandle(w);
	assert_fails(ReadFile(r, buf, 1, &n, NULL), ERROR_BROKEN_PIPE);
	assert_fails(PeekNamedPipe(r, NULL, 0, NULL, &avail, NULL), ERROR_BROKEN_PIPE);
	CloseHandle(r);
	assert_true(CreatePipe(&r, &w, NULL, 0));
	CloseHandle(r);
	assert_fails(WriteFile(w, "x", 1, &n, NULL), ERROR_NO_DATA); /* and no SIGPIPE */
	CloseHandle(w);
}

/* Starts it; what it writes to its output comes back in `out`. Its exit code. */
static DWORD run(LPCSTR app, LPCSTR line, LPCSTR input, char *out, size_t size)
{
	HANDLE ir, iw, or, ow;
	PROCESS_INFORMATION pi;
	STARTUPINFO si;
	DWORD n, code = 0;
	size_t used = 0;

	assert_true(CreatePipe(&ir, &iw, &inherits, 0) && CreatePipe(&or, &ow, &inherits, 0));
	SetHandleInformation(iw, HANDLE_FLAG_INHERIT, 0);
	SetHandleInformation(or, HANDLE_FLAG_INHERIT, 0);
	GetStartupInfo(&si);
	si.dwFlags = STARTF_USESTDHANDLES;
	si.hStdInput = ir;
	si.hStdOutput = ow;
	assert_true(CreateProcess(app, line, NULL, NULL, TRUE, 0, NULL, NULL, &si, &pi));
	CloseHandle(ir);
	CloseHandle(ow);
	if (input)
		WriteFile(iw, input, (DWORD)strlen(input), &n, NULL);
	CloseHandle(iw);
	while (ReadFile(or, out + used, (DWORD)(size - 1 - used), &n, NULL) && n)
		used += n;
	out[used] = 0;
	CloseHandle(or);
	assert_int_equal(WaitForSingleObject(pi.hProcess, 20000), WAIT_OBJECT_0);
	assert_true(GetExitCodeProcess(pi.hProcess, &code));
	CloseHandle(pi.hThread);
	CloseHandle(pi.hProcess);
	return code;
}

static void real_programs_at_both_ends(void **state)
{
	char out[256];

	(void)state;
	assert_int_equal(run(NULL, "tr a-z A-Z", "hello\n", out, sizeof(out)), 0);
	assert_string_equal(out, "HELLO\n");
	assert_int_equal(run(NULL, "sh -c \"cat; exit 3\"", "x", out, sizeof(out)), 3);
	assert_string_equal(out, "x");
	assert_int_equal(run("/bin/sh", "any -c \"kill -9 $$\"", NULL, out, sizeof(out)),
			 128 + SIGKILL);
	assert_int_equal(run("/bin/cat", NULL, "app only", out, sizeof(out)), 0);
	assert_string_equal(out, "app only");
}

static void command_lines(void **state)
{
	/* the table of the Microsoft documentation, and the program's own rules */
	static const struct {
		const char *line, *argv[5];
	} cases[] = {
	    {"p \"a b c\" d e", {"p", "a b c", "d", "e", NULL}},
	    {"p \"ab\\\"c\" \"\\\\\" d", {"p", "ab\"c", "\\", "d", NULL}},
	    {"p a\\\\\\b d\"e f\"g h", {"p", "a\\\\\\b", "de fg", "h", NULL}},
	    {"p a\\\\\\\"b c d", {"p", "a\\\"b", "c", "d", NULL}},
	    {"p a\\\\\\\\\"b c\" d e", {"p", "a\\\\b c", "d", "e", NULL}},
	    {"p a\"b\"\" c d", {"p", "ab\" c d", NULL}},
	    {"\"a b\\\" c", {"a b\\", "c", NULL}},
	    {"p \t \"\" ", {"p", "", NULL}},
	    {"", {"", NULL}},
	    {"p \"open", {"p", "open", NULL}},
	    {"\\\"p x\\", {"\\\"p", "x\\", NULL}},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char **argv = w32_cmdline_split(cases[i].line);
		int n;

		for (n = 0; cases[i].argv[n]; n++)
			assert_string_equal(argv[n], cases[i].argv[n]);
		assert_null(argv[n]);
		free(argv);
	}
}

static void processes_that_cannot_start(void **state)
{
	PROCESS_INFORMATION pi;
	STARTUPINFO si;
	HANDLE r, w;

	(void)state;
	GetStartupInfo(&si);
#define TRY(app, line, dir)                                                                        \
	CreateProcess(app, line, NULL, NULL, TRUE, 0, NULL, dir, &si, &pi)
	assert_fails(TRY("/no/such", NULL, NULL), ERROR_FILE_NOT_FOUND);
	assert_fails(TRY(NULL, "no-such-program-anywhere x", NULL), ERROR_FILE_NOT_FOUND);
	assert_fails(TRY(NULL, "", NULL), ERROR_FILE_NOT_FOUND);
	assert_fails(TRY(NULL, NULL, NULL), ERROR_INVALID_PARAMETER);
	assert_fails(TRY("/etc/passwd/x", NULL, NULL), ERROR_PATH_NOT_FOUND);
	assert_fails(TRY("/etc/passwd", NULL, NULL), ERROR_ACCESS_DENIED);
	assert_fails(TRY("/bin/true", NULL, "/no/such"), ERROR_DIRECTORY);
	CloseHandle(file_new(RW, 10));
	chmod(path, 0700);
	assert_fails(TRY(path, NULL, NULL), ERROR_BAD_EXE_FORMAT);
	si.dwFlags = STARTF_USESTDHANDLES;
	assert_fails(CreateProcess("/bin/true", NULL, NULL, NULL, FALSE, 0, NULL, NULL, &si, &pi),
		     ERROR_INVALID_PARAMETER);
	assert_true(CreatePipe(&r, &w, NULL, 0)); /* not inheritable */
	si.hStdOutput = w;
	assert_fails(TRY("/bin/true", NULL, NULL), ERROR_INVALID_HANDLE);
	CloseHandle(r);
	CloseHandle(w);
	assert_fails(CreateProcess("/bin/true", NULL, NULL, NULL, FALSE, 4, NULL, NULL, NULL, &pi),
		     ERROR_NOT_SUPPORTED);
}

static void standard_handles(void **state)
{
	HANDLE was = GetStdHandle(STD_OUTPUT_HANDLE), r, w;
	STARTUPINFO si;
	DWORD n, flags;
	char c;

	(void)state;
	assert_true(was && was != INVALID_HANDLE_VALUE);
	assert_true(GetHandleInformation(was, &flags));
	assert_int_equal(flags, HANDLE_FLAG_INHERIT);
	assert_ptr_equal(GetStdHandle(STD_OUTPUT_HANDLE), was);
	assert_ptr_not_equal(GetStdHandle(STD_ERROR_HANDLE), was);
	assert_bad_handle(GetStdHandle(0), ERROR_INVALID_PARAMETER);
	assert_bad_handle(GetStdHandle(STD_ERROR_HANDLE - 1), ERROR_INVALID_PARAMETER);
	assert_fails(SetStdHandle(1, NULL), ERROR_INVALID_PARAMETER);
	assert_true(CreatePipe(&r, &w, NULL, 0));
	assert_true(SetStdHandle(STD_OUTPUT_HANDLE, w));
	assert_true(WriteFile(GetStdHandle(STD_OUTPUT_HANDLE), "x", 1, &n, NULL));
	assert_true(ReadFile(r, &c, 1, &n, NULL) && c == 'x');
	GetStartupInfo(&si);
	assert_int_equal(si.cb, sizeof(si));
	assert_ptr_equal(si.hStdOutput, w);
	assert_ptr_equal(si.hStdInput, GetStdHandle(STD_INPUT_HANDLE));
	assert_true(SetStdHandle(STD_OUTPUT_HANDLE, was));
	assert_int_equal(GetCurrentProcessId(), getpid());
	CloseHandle(r);
	CloseHandle(w);
}

static void waiting_for_processes(void **state)
{
	PROCESS_INFORMATION pi;
	DWORD code;
	int64_t t = test_now_ms();

	(void)state;
	assert_true(CreateProcess(NULL, "sleep 100", NULL, NULL, FALSE, 0, NULL, NULL, NULL, &pi));
	assert_int_equal(WaitForSingleObject(pi.hProcess, 0), WAIT_TIMEOUT);
	assert_int_equal(WaitForSingleObject(pi.hProcess, 50), WAIT_TIMEOUT);
	assert_true(test_now_ms() - t >= 50);
	assert_true(GetExitCodeProcess(pi.hProcess, &code));
	assert_int_equal(code, STILL_ACTIVE);
	assert_true(TerminateProcess(pi.hProcess, 42));
	assert_int_equal(WaitForSingleObject(pi.hThread, INFINITE), WAIT_OBJECT_0);
	assert_int_equal(WaitForSingleObject(pi.hProcess, INFINITE), WAIT_OBJECT_0);
	assert_true(GetExitCodeProcess(pi.hProcess, &code));
	assert_int_equal(code, 42);
	assert_fails(TerminateProcess(pi.hProcess, 1), ERROR_ACCESS_DENIED);
	CloseHandle(pi.hThread);
	CloseHandle(pi.hProcess);
	assert_int_equal(WaitForSingleObject(pi.hProcess, 0), WAIT_FAILED);
	assert_int_equal(GetLastError(), ERROR_INVALID_HANDLE);
}

/* This program again, as a child that is told handles by value and uses them. */
static int inherited_main(char **argv)
{
	HANDLE w = (HANDLE)strtoul(argv[2], NULL, 10), m = (HANDLE)strtoul(argv[3], NULL, 10);
	HANDLE hidden = (HANDLE)strtoul(argv[4], NULL, 10);
	char *p = MapViewOfFile(m, FILE_MAP_READ, 0, 0, 0);
	DWORD n;

	if (!p || getenv("RIPC_HANDLES"))
		return 1;
	if (!WriteFile(w, p, 5, &n, NULL) || n != 5)
		return 2;
	return WriteFile(hidden, "x", 1, &n, NULL) || GetLastError() != ERROR_INVALID_HANDLE;
}

static void handles_are_inherited_by_value(void **state)
{
	HANDLE r, w, m, hr, hw;
	PROCESS_INFORMATION pi;
	char line[512], buf[8];
	DWORD n, code;

	(void)state;
	assert_true(CreatePipe(&r, &w, &inherits, 0) && CreatePipe(&hr, &hw, NULL, 0));
	SetHandleInformation(r, HANDLE_FLAG_INHERIT, 0);
	m = CreateFileMapping(INVALID_HANDLE_VALUE, &inherits, PAGE_READWRITE, 0, 100, NULL);
	memcpy(MapViewOfFile(m, FILE_MAP_WRITE, 0, 0, 0), "heirs", 5);
	snprintf(line, sizeof(line), "\"%s\" --inherited %lu %lu %lu", self, (unsigned long)w,
		 (unsigned long)m, (unsigned long)hw);
	assert_true(CreateProcess(self, line, NULL, NULL, TRUE, 0, NULL, NULL, NULL, &pi));
	CloseHandle(w);
	assert_true(ReadFile(r, buf, 8, &n, NULL) && n == 5);
	assert_memory_equal(buf, "heirs", 5);
	assert_fails(ReadFile(r, buf, 8, &n, NULL), ERROR_BROKEN_PIPE);
	assert_int_equal(WaitForSingleObject(pi.hProcess, 20000), WAIT_OBJECT_0);
	assert_true(GetExitCodeProcess(pi.hProcess, &code));
	assert_int_equal(code, 0);
	CloseHandle(pi.hProcess);
	CloseHandle(pi.hThread);
	CloseHandle(r);
	CloseHandle(m);
	CloseHandle(hr);
	CloseHandle(hw);
}

/* The variable may hold anything: a program starts all the same. */
static void a_hostile_inheritance_is_ignored(void **state)
{
	static const char *const texts[] = {
	    "x", "4:p:99999:1:1:1;", "4:p:0:1:1:1;", "4:f:-1:1:1:1;", "ffffffff:p:5:1:1:1;",
	    "0:f:2:c0000000:0:0;", "4:m:1:1:4:ffffffffffffffff;", ";;;;", "4:p:1:1:1:1;4:p:1:1:1:1;",
	};
	char line[256], out[64];

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		snprintf(line, sizeof(line), "env \"RIPC_HANDLES=%s\" \"%s\" --nothing", texts[i],
			 self);
		assert_int_equal(run(NULL, line, NULL, out, sizeof(out)), 0);
		assert_string_equal(out, "nothing\n"); /* its standard output was not taken away */
	}
}

static int setup(void **state)
{
	int err = objects_setup(state);

	snprintf(path, sizeof(path), "/tmp/ripc-test-file-%d", (int)getpid());
	return err;
}

static int teardown(void **state)
{
	unlink(path);
	return objects_teardown(state);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_last_error_is_each_threads_own),
	    cmocka_unit_test(handles),
	    cmocka_unit_test(many_handles),
	    cmocka_unit_test(dispositions),
	    cmocka_unit_test(attributes_and_flags),
	    cmocka_unit_test(share_modes),
	    cmocka_unit_test(reading_and_writing_files),
	    cmocka_unit_test(mapping_arguments),
	    cmocka_unit_test(views),
	    cmocka_unit_test(protections),
	    cmocka_unit_test(names_join_processes),
	    cmocka_unit_test(a_killed_holder_leaves_nothing),
	    cmocka_unit_test(file_mappings),
	    cmocka_unit_test(anonymous_pipes),
	    cmocka_unit_test(real_programs_at_both_ends),
	    cmocka_unit_test(command_lines),
	    cmocka_unit_test(processes_that_cannot_start),
	    cmocka_unit_test(standard_handles),
	    cmocka_unit_test(waiting_for_processes),
	    cmocka_unit_test(handles_are_inherited_by_value),
	    cmocka_unit_test(a_hostile_inheritance_is_ignored),
	};

	if (argc == 5 && strcmp(argv[1], "--inherited") == 0)
		return inherited_main(argv);
	if (argc == 2 && strcmp(argv[1], "--nothing") == 0)
		return puts("nothing") < 0;
	self = realpath("/proc/self/exe", NULL);
	return cmocka_run_group_tests(tests, setup, teardown);
}
