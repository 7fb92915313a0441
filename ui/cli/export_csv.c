// SPDX-License-Identifier: GPL-2.0-or-later
/* Operations as comma-separated values (RFC 4180, lines end in \n), a header first. */
#include <inttypes.h>

#include "export.h"
#include "lib/abi/words.h"
#include "lib/base/csv.h"
#include "text.h"

static int begin(struct export *x)
{
	fputs("t_ns,pid,tid,comm,op,chan,kind,name,ident,fd,ret,bytes,messages,mtype,dur_ns,slept_ns,"
	      "waker_tid,flags\n",
	      x->out);
	return 0;
}

static void put_escaped(FILE *out, const char *text, size_t max)
{
	char buf[ESCAPE_SIZE(EV_NAME_LEN)];

	_Static_assert(EV_NAME_LEN >= EV_IDENT_LEN && EV_NAME_LEN >= EV_COMM_LEN, "any of them fits");
	escape_text(buf, sizeof(buf), text, max);
	csv_put(out, buf);
	fputc(',', out);
}

static int event(struct export *x, const struct ev_hdr *ev)
{
	const struct ev_io *io = (const struct ev_io *)ev;
	const struct m_task *t;
	const struct m_chan *c;
	FILE *out = x->out;

	if (ev->type != EV_IO)
		return 0;
	t = model_task(x->model, io->tid);
	c = io->chan ? model_chan(x->model, io->chan) : NULL;
	fprintf(out, "%" PRIu64 ",%" PRIu32 ",%" PRIu32 ",", (uint64_t)io->enter_ns, io->pid, io->tid);
	put_escaped(out, t ? t->comm : "", EV_COMM_LEN);
	fprintf(out, "%s,%" PRIu64 ",%s,", op_word(io->op), (uint64_t)io->chan,
		c ? kind_word(c->kind) : "");
	put_escaped(out, c ? c->name : "", EV_NAME_LEN);
	put_escaped(out, c ? c->ident : "", EV_IDENT_LEN);
	fprintf(out,
		"%" PRId32 ",%" PRId64 ",%" PRIu64 ",%u,%" PRId64 ",%" PRIu64 ",%" PRIu64 ",%" PRIu32
		",%" PRIu32 "\n",
		io->fd, (int64_t)io->ret, (uint64_t)io->bytes, io->messages, (int64_t)io->mtype,
		(uint64_t)io->dur_ns, (uint64_t)io->slept_ns, io->waker_tid, ev->flags);
	return 0;
}

const struct export_format export_csv = {
	.name = "csv",
	.what = "a line for each operation",
	.begin = begin,
	.event = event,
};
