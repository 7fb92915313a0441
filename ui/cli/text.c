// SPDX-License-Identifier: GPL-2.0-or-later
#include "text.h"

#include <errno.h>
#include <inttypes.h>
#include <stdint.h>
#include <string.h>

/* The kernel's own, which never reach a program: the call is restarted or turned into EINTR. */
#define ERESTARTSYS 512
#define ERESTARTNOINTR 513
#define ERESTARTNOHAND 514
#define ERESTART_RESTARTBLOCK 516

const char *text_comm(char buf[static TEXT_SIZE], const char *comm)
{
	escape_text(buf, TEXT_SIZE, comm[0] ? comm : "?", EV_COMM_LEN);
	return buf;
}

const char *text_proc(char buf[static TEXT_SIZE], const struct m_proc *p)
{
	size_t n;

	if (!p)
		return strcpy(buf, "?");
	n = strlen(text_comm(buf, p->comm));
	if (p->folded)
		return buf; /* a sum has a name only */
	snprintf(buf + n, TEXT_SIZE - n, "[%" PRIu32 "]", p->pid);
	return buf;
}

const char *text_task(char buf[static TEXT_SIZE], const struct m_task *t)
{
	size_t n;

	if (!t)
		return strcpy(buf, "?");
	n = strlen(text_comm(buf, t->comm));
	if (t->proc->folded)
		return buf;
	if (t->folded)
		snprintf(buf + n, TEXT_SIZE - n, "[%" PRIu32 "]", t->proc->pid);
	else if (t->tid == t->proc->pid)
		snprintf(buf + n, TEXT_SIZE - n, "[%" PRIu32 "]", t->tid);
	else
		snprintf(buf + n, TEXT_SIZE - n, "[%" PRIu32 "/%" PRIu32 "]", t->proc->pid, t->tid);
	return buf;
}

const char *text_ident(char buf[static TEXT_SIZE], const struct m_chan *c)
{
	if (!c)
		return strcpy(buf, "?");
	if (c->ident[0])
		escape_text(buf, TEXT_SIZE, c->ident, EV_IDENT_LEN);
	else
		snprintf(buf, TEXT_SIZE, "#%" PRIu64, c->id);
	return buf;
}

const char *text_chan(char buf[static TEXT_SIZE], const struct m_chan *c)
{
	if (!c || !c->name[0])
		return text_ident(buf, c);
	escape_text(buf, TEXT_SIZE, c->name, EV_NAME_LEN);
	return buf;
}

const char *text_errno(char buf[static 32], int err)
{
	static const struct {
		int err;
		const char *name;
	} internal[] = {
		{ ERESTARTSYS, "ERESTARTSYS" },
		{ ERESTARTNOINTR, "ERESTARTNOINTR" },
		{ ERESTARTNOHAND, "ERESTARTNOHAND" },
		{ ERESTART_RESTARTBLOCK, "ERESTART_RESTARTBLOCK" },
	};
	const char *name = strerrorname_np(err);

	for (size_t i = 0; !name && i < sizeof(internal) / sizeof(*internal); i++)
		if (internal[i].err == err)
			name = internal[i].name;
	if (name)
		snprintf(buf, 32, "%s", name);
	else
		snprintf(buf, 32, "errno %d", err);
	return buf;
}

json_t *json_text(const char *text)
{
	char safe[ESCAPE_SIZE(EV_ARGS_LEN)];
	json_t *string = json_string(text);

	if (string)
		return string;
	escape_text(safe, sizeof(safe), text, SIZE_MAX);
	return json_string(safe);
}

json_t *json_proc_pid(const struct m_proc *p) { return p ? json_integer(p->pid) : json_null(); }

FILE *out_open(const char *path, struct fail *fail)
{
	FILE *out = path ? fopen(path, "we") : stdout;

	if (!out)
		fail_set(fail, errno, "choose another file with -o", "cannot write '%s'", path);
	return out;
}

int out_close(FILE *out, const char *path, struct fail *fail)
{
	int err = 0;

	errno = 0;
	if (fflush(out))
		err = errno;
	if (ferror(out) && !err) { /* it failed before; why, only another try can tell */
		clearerr(out);
		err = fputc('\n', out) == EOF || fflush(out) ? errno : EIO;
	}
	if (out != stdout && fclose(out) && !err)
		err = errno;
	if (!err || err == EPIPE)
		return 0;
	return fail_set(fail, err, err == ENOSPC ? "free some space" : NULL, "cannot write %s",
			path ? path : "to standard output");
}
