// SPDX-License-Identifier: GPL-2.0-or-later
#include "printer.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>

#include "lib/abi/words.h"
#include "printer_line.h"
#include "text.h"
#include "wall.h"

#define SNAP_SHOWN 64 /* payload bytes of a line of text; JSON has them all */

void printer_time(const struct printer *p, FILE *out, uint64_t t_ns)
{
	char buf[WALL_SIZE];

	if (p->monotonic || !p->wall_ns)
		fprintf(out, "%" PRIu64 ".%09" PRIu64 " ", t_ns / 1000000000, t_ns % 1000000000);
	else
		fprintf(out, "%s ", wall_text(buf, t_ns, p->wall_ns));
}

/* "dd[12] ", "x[12/13] "; a thread that was never announced has its numbers all the same. */
void printer_who(const struct printer *p, uint32_t pid, uint32_t tid)
{
	const struct m_task *t = model_task(p->model, tid);
	char buf[TEXT_SIZE];

	if (t && t->proc->pid == pid)
		fprintf(p->out, "%s ", text_task(buf, t));
	else if (pid == tid)
		fprintf(p->out, "?[%" PRIu32 "] ", pid);
	else
		fprintf(p->out, "?[%" PRIu32 "/%" PRIu32 "] ", pid, tid);
}

void printer_chan(const struct printer *p, uint64_t id)
{
	const struct m_chan *c = model_chan(p->model, id);
	char buf[TEXT_SIZE];

	if (!id)
		fputs("?", p->out);
	else if (!c || !c->kind)
		fprintf(p->out, "? #%" PRIu64, id);
	else if (!c->name[0] &&
		 strncmp(c->ident, kind_word(c->kind), strlen(kind_word(c->kind))) == 0)
		fputs(text_ident(buf, c), p->out); /* "pipe:[12]" says the kind itself */
	else
		fprintf(p->out, "%s %s", kind_word(c->kind), text_chan(buf, c));
}

static void print_duration(FILE *out, uint64_t ns)
{
	fprintf(out, "%" PRIu64 ".%06" PRIu64, ns / 1000000000, ns / 1000 % 1000000);
}

const struct printer_flag printer_flags[] = {
	{ IO_READ, "read", false },        { IO_WRITE, "write", false },
	{ IO_SIDE_B, "side-b", false },    { IO_BLOCKED, "blocked", false },
	{ IO_NONBLOCK, "nonblock", true }, { IO_ERROR, "error", false },
	{ IO_PEEK, "peek", true },         { IO_HALF, "half", true },
	{ IO_KILLED, "killed", true },     { IO_EARLY, "early", true },
	{ IO_TRUNC, "trunc", true },       { IO_URING, "io_uring", true },
	{ IO_SLEPT_ABOUT, "slept-about", false }, { IO_SUM, "sum", true },
	{ IO_COOKED, "cooked", true },     { IO_POS, "position", false },
	{ IO_POS_SURE, "sure", false },
	{ IO_ASSUMED, "assumed", true },
	{ IO_UNSURE, "unsure", true },     { IO_PACKET, "packet", true },
	{ 0, NULL, false },
};

static void print_result(const struct printer *p, const struct ev_io *io)
{
	char name[32];

	if (io->hdr.flags & IO_KILLED)
		fputs(" = ?", p->out);
	else if (io->ret < 0)
		fprintf(p->out, " = -1 %s",
			text_errno(name, io->ret > -4096 ? (int)-io->ret : 4096));
	else
		fprintf(p->out, " = %" PRId64, (int64_t)io->ret);
}

const struct ev_range *printer_range(const struct ev_io *io)
{
	bool has = io->op == OP_FCNTL && !io->bytes &&
		   io->hdr.size >= sizeof(*io) + sizeof(struct ev_range);

	return has ? (const struct ev_range *)(io + 1) : NULL;
}

static void print_payload(const struct printer *p, const struct ev_io *io)
{
	char safe[ESCAPE_SIZE(SNAP_SHOWN)];
	uint64_t n = io->hdr.size - sizeof(*io);
	char bytes[SNAP_SHOWN];

	n = n > io->bytes ? io->bytes : n;
	n = n > SNAP_SHOWN ? SNAP_SHOWN : n;
	if (!n)
		return;
	for (uint64_t i = 0; i < n; i++) { /* a NUL would end the text */
		char c = ((const char *)(io + 1))[i];

		bytes[i] = c ? c : ' ';
	}
	escape_text(safe, sizeof(safe), bytes, n);
	fprintf(p->out, " \"%s\"%s", safe, n < io->bytes ? "..." : "");
}

static void print_sleep(const struct printer *p, const struct ev_io *io)
{
	const struct m_task *waker = model_task(p->model, io->waker_tid);
	char buf[TEXT_SIZE];

	fputs(" slept ", p->out);
	print_duration(p->out, io->slept_ns);
	if (waker)
		fprintf(p->out, ", woken by %s", text_task(buf, waker));
	else if (io->waker_tid)
		fprintf(p->out, ", woken by ?[%" PRIu32 "]", io->waker_tid);
}

/* What mtype is, by the call; NULL where the result says it already (dup, accept). */
static const char *detail_word(unsigned int op)
{
	switch (op) {
	case OP_MSGSND:
	case OP_MSGRCV:
		return "type";
	case OP_RIPC_SEND:
	case OP_RIPC_RECEIVE:
		return "tag";
	case OP_SEMOP:
	case OP_SEMTIMEDOP:
		return "sem_op";
	case OP_MSGCTL:
	case OP_SEMCTL:
	case OP_SHMCTL:
		return "cmd";
	case OP_MMAP:
	case OP_MUNMAP:
	case OP_MREMAP:
		return "length";
	case OP_FUTEX:
		return "futex_op";
	case OP_SENDMSG:
	case OP_RECVMSG:
	case OP_SENDMMSG:
	case OP_RECVMMSG:
		return "passed";
	case OP_PROCESS_VM_READV:
	case OP_PROCESS_VM_WRITEV:
	case OP_PIDFD_GETFD:
		return "pid";
	case OP_MQ_TIMEDSEND:
	case OP_MQ_TIMEDRECEIVE:
		return "prio";
	case OP_WAIT4:
	case OP_WAITID:
		return "status";
	case OP_JOIN:
		return "thread";
	case OP_MUTEX_UNLOCK:
	case OP_RWLOCK_UNLOCK:
	case OP_SPIN_UNLOCK:
	case OP_LOCK_HELD:
		return "held_ns";
	default:
		return NULL;
	}
}

/* Does an operation that takes or gives move bytes? */
static bool has_bytes(unsigned int op)
{
	return op != OP_SEMOP && op != OP_SEMTIMEDOP && op != OP_WAIT4 && op != OP_WAITID &&
	       op != OP_RT_SIGTIMEDWAIT && op != OP_SIGNAL &&
	       !(op >= OP_KILL && op <= OP_PIDFD_SEND_SIGNAL);
}

static void print_signal(const struct printer *p, int64_t sig)
{
	const char *abbrev = sig > 0 && sig < NSIG ? sigabbrev_np((int)sig) : NULL;

	if (abbrev)
		fprintf(p->out, ", SIG%s", abbrev);
	else if (sig == SIGRTMIN)
		fprintf(p->out, ", SIGRTMIN");
	else if (sig > 31 && sig < NSIG)
		fprintf(p->out, ", SIGRTMIN%+d", (int)sig - SIGRTMIN);
	else
		fprintf(p->out, ", signal %" PRId64, sig);
}

/* The commands and operations of locks as their manual pages have them. */
static void print_lock(const struct printer *p, const struct ev_io *io)
{
	static const char *const types[] = { "F_RDLCK", "F_WRLCK", "F_UNLCK" };
	static const char *const ops[] = { "?", "LOCK_SH", "LOCK_EX", "?", "?", "?", "?", "?",
					   "LOCK_UN" };
	static const char *const cmds[] = {
		[5] = "F_GETLK",      [6] = "F_SETLK",      [7] = "F_SETLKW",
		[36] = "F_OFD_GETLK", [37] = "F_OFD_SETLK", [38] = "F_OFD_SETLKW",
	};
	uint64_t cmd = (uint64_t)io->mtype & 0xffff, type = (uint64_t)io->mtype >> 16;
	uint64_t op = (uint64_t)io->mtype & ~4ull;

	if (io->op == OP_FLOCK)
		fprintf(p->out, ", %s%s", op < 9 ? ops[op] : "?", io->mtype & 4 ? "|LOCK_NB" : "");
	else
		fprintf(p->out, ", %s, %s", cmd < 39 && cmds[cmd] ? cmds[cmd] : "?",
			type < 3 ? types[type] : "?");
	const struct ev_range *r = printer_range(io);
	if (r && r->length)
		fprintf(p->out, ", bytes %" PRIu64 "-%" PRIu64, (uint64_t)r->start,
			(uint64_t)(r->start + r->length - 1));
	else if (r)
		fprintf(p->out, ", bytes %" PRIu64 "-", (uint64_t)r->start);
}

/* What mtype is where it is more than a number. */
static void print_detail(const struct printer *p, const struct ev_io *io)
{
	const struct m_chan *c = model_chan(p->model, io->chan);
	unsigned int kind = c ? c->kind : KIND_NONE;

	if (io->op >= OP_KILL && io->op <= OP_PIDFD_SEND_SIGNAL)
		print_signal(p, io->mtype);
	else if (kind == KIND_SIGNAL && io->mtype)
		print_signal(p, io->mtype);
	else if (kind == KIND_LOCK)
		print_lock(p, io);
	else if (kind == KIND_EVENTFD && io->hdr.flags & (IO_READ | IO_WRITE) && io->messages)
		fprintf(p->out, ", value=%" PRId64, (int64_t)io->mtype);
	else if (io->mtype && !(io->hdr.flags & IO_POS) && detail_word(io->op))
		fprintf(p->out, ", %s=%" PRId64, detail_word(io->op), (int64_t)io->mtype);
}

static void print_io(const struct printer *p, const struct ev_io *io)
{
	const char *sep = " ";

	printer_time(p, p->out, io->enter_ns);
	printer_who(p, io->pid, io->tid);
	fprintf(p->out, "%s(", op_word(io->op));
	printer_chan(p, io->chan);
	if (io->fd >= 0)
		fprintf(p->out, ", fd=%" PRId32, io->fd);
	print_detail(p, io);
	if (io->messages > 1)
		fprintf(p->out, ", messages=%" PRIu16, io->messages);
	if (io->hdr.flags & (IO_READ | IO_WRITE) && has_bytes(io->op))
		fprintf(p->out, ", bytes=%" PRIu64, (uint64_t)io->bytes);
	fputs(")", p->out);
	print_result(p, io);
	fputs(" <", p->out);
	print_duration(p->out, io->dur_ns);
	fputs(">", p->out);
	if (io->hdr.flags & IO_BLOCKED)
		print_sleep(p, io);
	for (const struct printer_flag *f = printer_flags; f->word; f++) {
		if (!f->in_text || !(io->hdr.flags & f->bit))
			continue;
		fprintf(p->out, "%s%s", sep, f->word);
		sep = ",";
	}
	print_payload(p, io);
	fputc('\n', p->out);
}

/* ---- other lines ---- */

static void print_lost(const struct printer *p, const struct ev_lost *l)
{
	if (!p->notes)
		return;
	fflush(p->out); /* where both go to one terminal, the loss stands where it happened */
	printer_time(p, p->notes, l->hdr.t_ns);
	fprintf(p->notes, "--- lost %" PRIu64 " %s [%s]\n", (uint64_t)l->count, loss_what(l->cause),
		loss_word(l->cause));
}

static void print_text(const struct printer *p, const struct ev_hdr *ev)
{
	if (ev->type == EV_IO)
		print_io(p, (const struct ev_io *)ev);
	else if (ev->type == EV_LOST)
		print_lost(p, (const struct ev_lost *)ev);
	else if (p->verbose)
		printer_verbose(p, ev);
}

/* ---- the sink ---- */

static int printer_event(struct sink *self, const struct ev_hdr *ev)
{
	struct printer *p = (struct printer *)((char *)self - offsetof(struct printer, sink));
	json_t *o;
	int err;

	if (!p->json) {
		print_text(p, ev);
		return ferror(p->out) ? -(errno ? errno : EIO) : 0;
	}
	if (ev->type != EV_IO && ev->type != EV_LOST && !p->verbose)
		return 0;
	if (ev->type == EV_TIME || ev->type == EV_GONE) /* of interest to nobody but the model */
		return 0;
	o = printer_json(p->model, ev);
	if (!o)
		return -ENOMEM;
	err = json_dumpf(o, p->out, JSON_COMPACT | JSON_ENSURE_ASCII) || fputc('\n', p->out) == EOF;
	json_decref(o);
	return err ? -(errno ? errno : EIO) : 0;
}

void printer_init(struct printer *p) { p->sink.event = printer_event; }
