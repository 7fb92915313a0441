// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The canonical text. Every object is one line whose first words are its key; lines are sorted
 * within their section, numbers by value, so neither addresses nor hash order show.
 */
#include "world.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "lib/abi/words.h"
#include "lib/base/escape.h"

struct lines {
	FILE *text; /* each line ends in a NUL */
	char *data;
	size_t size, n;
};

static int lines_open(struct lines *l)
{
	*l = (struct lines){0};
	l->text = open_memstream(&l->data, &l->size);
	return l->text ? 0 : -ENOMEM;
}

static void line_end(struct lines *l)
{
	fputc('\0', l->text);
	l->n++;
}

static int compare(const void *a, const void *b)
{
	return strverscmp(*(const char *const *)a, *(const char *const *)b);
}

/* Sorts, prints and frees. */
static int lines_close(struct lines *l, FILE *out)
{
	int err = ferror(l->text) ? -ENOMEM : 0;
	if (fclose(l->text) != 0)
		err = -ENOMEM;
	const char **v = err ? NULL : calloc(l->n + 1, sizeof(*v));
	if (v) {
		const char *at = l->data;
		for (size_t i = 0; i < l->n; i++, at += strlen(at) + 1)
			v[i] = at;
		qsort(v, l->n, sizeof(*v), compare);
		for (size_t i = 0; i < l->n; i++)
			fprintf(out, "%s\n", v[i]);
	} else {
		err = -ENOMEM;
	}
	free(v);
	free(l->data);
	return err;
}

static void print_text(FILE *f, const char *word, const char *text, size_t size)
{
	char safe[ESCAPE_SIZE(EV_ARGS_LEN)];
	escape_text(safe, sizeof(safe), text, size);
	fprintf(f, " %s=\"%s\"", word, safe);
}

static void print_proc_id(FILE *f, const char *word, const struct m_proc *p)
{
	if (p)
		fprintf(f, " %s=%u/%" PRIu64, word, p->pid, p->start_ns);
	else
		fprintf(f, " %s=?", word);
}

static void print_task_id(FILE *f, const struct m_task *t)
{
	print_proc_id(f, "proc", t->proc);
	fprintf(f, " tid=%u/%" PRIu64, t->tid, t->start_ns);
}

static void print_count(FILE *f, const struct m_count *n)
{
	fprintf(f, " ops=%" PRIu64 " errors=%" PRIu64 " blocked=%" PRIu64 " slept=%" PRIu64, n->ops,
		n->errors, n->blocked, n->slept_ns);
	fprintf(f, " in=%" PRIu64 ":%" PRIu64 " out=%" PRIu64 ":%" PRIu64, n->msgs_in, n->bytes_in,
		n->msgs_out, n->bytes_out);
}

static void print_hist(FILE *f, const char *word, const struct hist *h)
{
	fprintf(f, " %s=%" PRIu64 ":%" PRIu64 ":%" PRIu64 ":%" PRIu64 "[", word, h->count, h->sum,
		h->min, h->max);
	hist_print(h, f);
	fputc(']', f);
}

static void dump_procs(const struct model *m, struct lines *l)
{
	for (const struct m_proc *p = m->procs; p; p = p->next) {
		fputs("proc", l->text);
		print_proc_id(l->text, "pid", p);
		fprintf(l->text,
			" first=%" PRIu64 " ppid=%u threads=%u waits=%u exited=%d outside=%d",
			p->first_ns, p->ppid, p->nthreads, p->nwaits, p->exited, p->outside);
		fprintf(l->text, " exit=%" PRIu64 " code=%d", p->exit_ns, p->exit_code);
		print_text(l->text, "comm", p->comm, sizeof(p->comm));
		print_text(l->text, "exe", p->exe, sizeof(p->exe));
		print_text(l->text, "args", p->args, sizeof(p->args));
		print_text(l->text, "cgroup", p->cgroup, sizeof(p->cgroup));
		print_count(l->text, &p->count);
		line_end(l);
	}
}

static void dump_tasks(const struct model *m, struct lines *l)
{
	for (const struct m_proc *p = m->procs; p; p = p->next)
		for (const struct m_task *t = p->tasks; t; t = t->sibling) {
			fputs("task", l->text);
			print_task_id(l->text, t);
			fprintf(l->text, " exited=%d exit=%" PRIu64, t->exited, t->exit_ns);
			print_text(l->text, "comm", t->comm, sizeof(t->comm));
			line_end(l);
		}
}

static void dump_chans(const struct model *m, struct lines *l)
{
	for (const struct m_chan *c = m->chans; c; c = c->next) {
		fprintf(l->text, "chan id=%" PRIu64 " kind=%s shape=%s duplex=%d remote=%d key=%d",
			c->id, kind_word(c->kind), shape_word(c->shape), c->duplex, c->remote,
			c->key);
		print_text(l->text, "ident", c->ident, sizeof(c->ident));
		print_text(l->text, "name", c->name, sizeof(c->name));
		fprintf(l->text, " first=%" PRIu64 " last=%" PRIu64 " open=%u", c->first_ns,
			c->last_ns, c->nopen);
		fprintf(l->text, " unread=%" PRIu64 " known=%d", c->unread_bytes, c->unread_known);
		if (c->room_bytes || c->room_messages)
			fprintf(l->text, " room=%" PRIu64 ":%u", c->room_bytes, c->room_messages);
		if (c->found)
			fprintf(l->text, " found=%" PRIu64 ":%u", c->found_bytes, c->found_messages);
		print_count(l->text, &c->count);
		print_hist(l->text, "latency", &c->latency);
		print_hist(l->text, "sizes", &c->sizes);
		line_end(l);
	}
}

static void dump_endpoints(const struct model *m, struct lines *l)
{
	for (const struct m_chan *c = m->chans; c; c = c->next)
		for (const struct m_endpoint *e = c->endpoints; e; e = e->next) {
			fprintf(l->text, "endpoint chan=%" PRIu64, c->id);
			print_proc_id(l->text, "proc", e->proc);
			fprintf(l->text, " fd=%d from=%" PRIu64 " to=%" PRIu64, e->fd, e->from_ns,
				e->to_ns);
			fprintf(l->text, " open=%d dir=%u side=%u synthetic=%d", e->open, e->dir,
				e->side, e->synthetic);
			line_end(l);
		}
}

static void dump_flows(const struct model *m, struct lines *l)
{
	for (const struct m_flow *f = m->flows; f; f = f->next) {
		fprintf(l->text, "flow chan=%" PRIu64, f->chan->id);
		print_proc_id(l->text, "src", f->src);
		print_proc_id(l->text, "dst", f->dst);
		fprintf(l->text, " messages=%" PRIu64 " bytes=%" PRIu64, f->messages, f->bytes);
		fprintf(l->text, " first=%" PRIu64 " last=%" PRIu64 " approximate=%d", f->first_ns,
			f->last_ns, f->approximate);
		print_hist(l->text, "latency", &f->latency);
		line_end(l);
	}
}

static void dump_waits(const struct model *m, struct lines *l)
{
	for (const struct m_wait *w = m->waits; w; w = w->next) {
		fputs("wait", l->text);
		print_task_id(l->text, w->task);
		fprintf(l->text, " op=%s chan=%" PRIu64 " fd=%d", op_word(w->op),
			w->chan ? w->chan->id : 0, w->fd);
		fprintf(l->text, " since=%" PRIu64 " deadline=%" PRIu64, w->since_ns,
			w->deadline_ns);
		line_end(l);
	}
}

static void dump_blocked(const struct model *m, struct lines *l)
{
	for (const struct m_blocked *b = m->blocked; b; b = b->next) {
		fputs("blocked", l->text);
		print_task_id(l->text, b->task);
		fprintf(l->text, " op=%s chan=%" PRIu64, op_word(b->op), b->chan ? b->chan->id : 0);
		fprintf(l->text, " total=%" PRIu64 " longest=%" PRIu64 " times=%" PRIu64,
			b->total_slept_ns, b->longest_ns, b->times);
		fprintf(l->text, " still=%d since=%" PRIu64, b->still, b->still_since_ns);
		line_end(l);
	}
}

static void dump_losses(const struct model *m, struct lines *l)
{
	for (const struct m_loss *x = m->losses; x; x = x->next) {
		fprintf(l->text, "loss cause=%s where=%u count=%" PRIu64, loss_word(x->cause),
			x->where, x->count);
		line_end(l);
	}
}

static void print_folded(const struct model *m, FILE *out)
{
	struct m_folded n = model_folded(m);
	if (n.procs || n.tasks || n.chans || n.endpoints)
		fprintf(out,
			"folded procs=%" PRIu64 " tasks=%" PRIu64 " chans=%" PRIu64
			" endpoints=%" PRIu64 "\n",
			n.procs, n.tasks, n.chans, n.endpoints);
}

int model_dump(const struct model *m, FILE *out)
{
	static void (*const sections[])(const struct model *, struct lines *) = {
	    dump_procs, dump_tasks, dump_chans,   dump_endpoints,
	    dump_flows, dump_waits, dump_blocked, dump_losses,
	};
	fprintf(out, "model first=%" PRIu64 " now=%" PRIu64 " ops=%" PRIu64 "\n", m->first_ns,
		m->now_ns, m->ops);
	print_folded(m, out);
	for (size_t i = 0; i < sizeof(sections) / sizeof(sections[0]); i++) {
		struct lines l;
		int err = lines_open(&l);
		if (err)
			return err;
		sections[i](m, &l);
		err = lines_close(&l, out);
		if (err)
			return err;
	}
	return ferror(out) ? -EIO : 0;
}
