// SPDX-License-Identifier: GPL-2.0-or-later
#include "stacks.h"

#include <elfutils/libdwfl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>

#define FRAMES_MAX 24
#define LINE_SIZE 200

#if defined(__x86_64__)
#define DWARF_SP 7
#elif defined(__aarch64__)
#define DWARF_SP 31
#else
#define DWARF_SP (-1)
#endif

struct trail {
	struct trail *next;
	uint32_t pid, tid;
	size_t n;
	char line[FRAMES_MAX][LINE_SIZE];
};

struct program {
	struct program *next;
	uint32_t pid;
	Dwfl *dwfl; /* NULL: its mappings cannot be read */
};

struct stacks {
	struct trail *trails;
	struct program *programs;
};

struct stacks *stacks_new(void) { return calloc(1, sizeof(struct stacks)); }

void stacks_free(struct stacks *s)
{
	if (!s)
		return;
	for (struct trail *t = s->trails, *next; t; t = next) {
		next = t->next;
		free(t);
	}
	for (struct program *p = s->programs, *next; p; p = next) {
		next = p->next;
		if (p->dwfl)
			dwfl_end(p->dwfl);
		free(p);
	}
	free(s);
}

/* ---- what libdw asks of a process; `arg` of the state is the tid that is wanted ---- */

static bool read_registers(uint32_t pid, uint32_t tid, uint64_t *sp, uint64_t *pc)
{
	char path[64], text[256], *at;
	FILE *f;
	bool ok;

	snprintf(path, sizeof(path), "/proc/%u/task/%u/syscall", pid, tid);
	f = fopen(path, "re");
	ok = f && fgets(text, sizeof(text), f);
	if (f)
		fclose(f);
	at = ok ? strrchr(text, ' ') : NULL;
	if (!at) /* "running" */
		return false;
	*pc = strtoull(at, NULL, 16);
	*at = 0;
	at = strrchr(text, ' ');
	*sp = at ? strtoull(at, NULL, 16) : 0;
	return *sp && *pc;
}

static pid_t next_thread(Dwfl *dwfl, void *arg, void **thread_arg)
{
	(void)dwfl;
	if (*thread_arg)
		return 0;
	*thread_arg = arg;
	return *(pid_t *)arg;
}

static bool get_thread(Dwfl *dwfl, pid_t tid, void *arg, void **thread_arg)
{
	(void)dwfl;
	*(pid_t *)arg = tid;
	*thread_arg = arg;
	return true;
}

static bool memory_read(Dwfl *dwfl, Dwarf_Addr address, Dwarf_Word *result, void *arg)
{
	struct iovec to = { result, sizeof(*result) };
	struct iovec from = { (void *)(uintptr_t)address, sizeof(*result) };

	(void)arg;
	return process_vm_readv(dwfl_pid(dwfl), &to, 1, &from, 1, 0) == sizeof(*result);
}

static bool set_registers(Dwfl_Thread *thread, void *thread_arg)
{
	uint64_t sp, pc;

	(void)thread_arg;
	if (DWARF_SP < 0 || !read_registers((uint32_t)dwfl_pid(dwfl_thread_dwfl(thread)),
					    (uint32_t)dwfl_thread_tid(thread), &sp, &pc))
		return false;
	dwfl_thread_state_register_pc(thread, pc);
	return dwfl_thread_state_registers(thread, DWARF_SP, 1, &sp);
}

static const Dwfl_Thread_Callbacks callbacks = {
	.next_thread = next_thread,
	.get_thread = get_thread,
	.memory_read = memory_read,
	.set_initial_registers = set_registers,
};

static pid_t wanted; /* what next_thread offers; libdw asks with get_thread where it is told one */

static Dwfl *open_program(uint32_t pid)
{
	static const Dwfl_Callbacks find = {
		.find_elf = dwfl_linux_proc_find_elf,
		.find_debuginfo = dwfl_standard_find_debuginfo,
	};
	Dwfl *dwfl = dwfl_begin(&find);

	if (!dwfl)
		return NULL;
	if (dwfl_linux_proc_report(dwfl, (pid_t)pid) == 0 &&
	    dwfl_report_end(dwfl, NULL, NULL) == 0 &&
	    dwfl_attach_state(dwfl, NULL, (pid_t)pid, &callbacks, &wanted))
		return dwfl;
	dwfl_end(dwfl);
	return NULL;
}

static Dwfl *program_of(struct stacks *s, uint32_t pid)
{
	struct program *p = s->programs;

	while (p && p->pid != pid)
		p = p->next;
	if (p)
		return p->dwfl;
	p = calloc(1, sizeof(*p));
	if (!p)
		return NULL;
	*p = (struct program){ .next = s->programs, .pid = pid, .dwfl = open_program(pid) };
	s->programs = p;
	return p->dwfl;
}

/* ---- frames ---- */

static void describe(Dwfl *dwfl, Dwarf_Addr pc, Dwarf_Addr inside, char line[static LINE_SIZE])
{
	Dwfl_Module *module = dwfl_addrmodule(dwfl, inside);
	const char *file = NULL, *name = NULL, *slash;
	GElf_Off offset = 0;
	GElf_Sym sym;
	Dwfl_Line *src;
	int row = 0;

	if (module) {
		file = dwfl_module_info(module, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
		name = dwfl_module_addrinfo(module, inside, &offset, &sym, NULL, NULL, NULL);
		src = dwfl_module_getsrc(module, inside);
		if (src) {
			const char *path = dwfl_lineinfo(src, NULL, &row, NULL, NULL, NULL);

			file = path ? path : file;
		}
	}
	slash = file ? strrchr(file, '/') : NULL;
	if (slash)
		file = slash + 1;
	if (name)
		snprintf(line, LINE_SIZE, "%.100s+0x%" PRIx64, name,
			 (uint64_t)(offset + (pc - inside)));
	else
		snprintf(line, LINE_SIZE, "0x%" PRIx64, (uint64_t)pc);
	if (!file)
		return;
	if (row)
		snprintf(line + strlen(line), LINE_SIZE - strlen(line), "  %.60s:%d", file, row);
	else
		snprintf(line + strlen(line), LINE_SIZE - strlen(line), "  %.60s", file);
}

static int take_frame(Dwfl_Frame *frame, void *arg)
{
	struct trail *t = arg;
	bool exact;
	Dwarf_Addr pc;

	if (t->n == FRAMES_MAX || !dwfl_frame_pc(frame, &pc, &exact))
		return DWARF_CB_ABORT;
	/* a return address may be behind the end of its function: look one byte before it */
	describe(dwfl_thread_dwfl(dwfl_frame_thread(frame)), pc, exact ? pc : pc - 1,
		 t->line[t->n++]);
	return DWARF_CB_OK;
}

static struct trail *trail_of(struct stacks *s, uint32_t pid, uint32_t tid)
{
	struct trail *t = s->trails;
	Dwfl *dwfl;

	while (t && t->tid != tid)
		t = t->next;
	if (t)
		return t;
	t = calloc(1, sizeof(*t));
	if (!t)
		return NULL;
	t->next = s->trails;
	t->pid = pid;
	t->tid = tid;
	s->trails = t;
	dwfl = program_of(s, pid);
	if (dwfl) /* that the last frame has no caller is reported as an error as well */
		dwfl_getthread_frames(dwfl, (pid_t)tid, take_frame, t);
	return t;
}

const char *stacks_line(struct stacks *s, uint32_t pid, uint32_t tid, size_t i)
{
	const struct trail *t = trail_of(s, pid, tid);

	return t && i < t->n ? t->line[i] : NULL;
}
