// SPDX-License-Identifier: GPL-2.0-or-later
/* What -v adds: lines that begin with *** after the time and the thread. */
#include <inttypes.h>

#include "lib/abi/words.h"
#include "lib/base/escape.h"
#include "printer_line.h"
#include "text.h"

static const char *endpoint_word(unsigned int what)
{
	static const char *const words[] = {
		[ENDPOINT_OPEN] = "opens",      [ENDPOINT_INHERIT] = "inherits",
		[ENDPOINT_SEEN] = "holds",      [ENDPOINT_CLOSE] = "closes",
		[ENDPOINT_ATTACH] = "attaches", [ENDPOINT_DETACH] = "detaches",
		[ENDPOINT_PASSED] = "is passed"
	};

	return what < sizeof(words) / sizeof(*words) && words[what] ? words[what] : "?";
}

static const char *task_word(unsigned int what)
{
	static const char *const words[] = { [TASK_SEEN] = "is there",
					     [TASK_FORK] = "starts",
					     [TASK_EXEC] = "executes",
					     [TASK_RENAME] = "is renamed",
					     [TASK_EXIT] = "exits" };

	return what < sizeof(words) / sizeof(*words) && words[what] ? words[what] : "?";
}

static const char *dir_word(unsigned int dir)
{
	static const char *const words[] = { "", " to read", " to write", "" };

	return words[dir & 3];
}

static void print_task(const struct printer *p, const struct ev_task *t)
{
	char buf[ESCAPE_SIZE(EV_ARGS_LEN)];

	printer_time(p, p->out, t->hdr.t_ns);
	printer_who(p, t->pid, t->tid);
	fprintf(p->out, "*** %s", task_word(t->what));
	if (t->what == TASK_FORK)
		fprintf(p->out, ", child of %" PRIu32, t->ppid);
	if ((t->what == TASK_SEEN || t->what == TASK_EXEC) && t->exe[0]) {
		escape_text(buf, sizeof(buf), t->exe, EV_PATH_LEN);
		fprintf(p->out, " %s", buf);
		escape_text(buf, sizeof(buf), t->args, EV_ARGS_LEN);
		fprintf(p->out, " [%s]", buf);
	}
	if (t->what == TASK_EXIT && t->exit_code & 0x7f)
		fprintf(p->out, ", signal %d", t->exit_code & 0x7f);
	else if (t->what == TASK_EXIT)
		fprintf(p->out, ", status %d", t->exit_code >> 8 & 0xff);
	fputc('\n', p->out);
}

static void print_endpoint(const struct printer *p, const struct ev_endpoint *e)
{
	const struct m_task *from = e->from ? model_task(p->model, e->from) : NULL;
	char buf[TEXT_SIZE];

	printer_time(p, p->out, e->hdr.t_ns);
	printer_who(p, e->pid, e->pid);
	fprintf(p->out, "*** %s ", endpoint_word(e->what));
	printer_chan(p, e->chan);
	if (e->fd >= 0)
		fprintf(p->out, ", fd=%" PRId32, e->fd);
	fputs(dir_word(e->dir), p->out);
	if (from)
		fprintf(p->out, ", by %s", text_task(buf, from));
	else if (e->from)
		fprintf(p->out, ", by ?[%" PRIu32 "]", e->from);
	fputc('\n', p->out);
}

static void print_wait(const struct printer *p, const struct ev_wait *w)
{
	printer_time(p, p->out, w->hdr.t_ns);
	printer_who(p, w->pid, w->tid);
	fprintf(p->out, "*** %s in %s(", w->what == WAIT_BEGIN ? "waits" : "waited",
		op_word(w->op));
	printer_chan(p, w->chan);
	if (w->fd >= 0)
		fprintf(p->out, ", fd=%" PRId32, w->fd);
	fputs(") since ", p->out);
	printer_time(p, p->out, w->since_ns);
	fputc('\n', p->out);
}

static void print_new_chan(const struct printer *p, const struct ev_chan *c)
{
	char buf[ESCAPE_SIZE(EV_IDENT_LEN)];

	printer_time(p, p->out, c->hdr.t_ns);
	escape_text(buf, sizeof(buf), c->ident, EV_IDENT_LEN);
	fprintf(p->out, "*** channel %" PRIu64 ": %s %s", (uint64_t)c->chan, kind_word(c->kind),
		buf);
	escape_text(buf, sizeof(buf), c->name, EV_NAME_LEN);
	fprintf(p->out, "%s%s\n", buf[0] ? " named " : "", buf);
}

static void print_room(const struct printer *p, const struct ev_room *e)
{
	printer_time(p, p->out, e->hdr.t_ns);
	fprintf(p->out, "*** channel %" PRIu64 ": room for", (uint64_t)e->chan);
	if (e->bytes)
		fprintf(p->out, " %" PRIu64 " bytes", (uint64_t)e->bytes);
	if (e->messages)
		fprintf(p->out, "%s %u %s", e->bytes ? "," : "", e->messages, e->bytes ? "pages" : "messages");
	if (e->hdr.flags & ROOM_INSIDE)
		fprintf(p->out, "; in use %" PRIu64 ", %u", (uint64_t)e->inside, e->messages_inside);
	fputc('\n', p->out);
}

void printer_verbose(const struct printer *p, const struct ev_hdr *ev)
{
	switch (ev->type) {
	case EV_TASK:
		print_task(p, (const struct ev_task *)ev);
		break;
	case EV_ENDPOINT:
		print_endpoint(p, (const struct ev_endpoint *)ev);
		break;
	case EV_WAIT:
		print_wait(p, (const struct ev_wait *)ev);
		break;
	case EV_CHAN:
		print_new_chan(p, (const struct ev_chan *)ev);
		break;
	case EV_ROOM:
		print_room(p, (const struct ev_room *)ev);
		break;
	}
}
