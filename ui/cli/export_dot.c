// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A graph for Graphviz: processes are boxes; an arrow is a flow, the thicker the more bytes; a red
 * one leads from who is still asleep at the end to those who could end it.
 */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#include "export.h"
#include "lib/abi/words.h"
#include "text.h"
#include "ui/tui/units.h"

/* Of a process: pids are used again, so its first time belongs to its name. NULL: one not seen. */
static void put_node(FILE *out, const struct m_proc *p)
{
	if (p)
		fprintf(out, "p%" PRIu32 "_%" PRIu64, p->pid, p->first_ns);
	else
		fputs("unknown", out);
}

static void put_process(FILE *out, const struct report *r, const struct m_proc *p)
{
	char name[TEXT_SIZE];
	bool waits = false;

	for (size_t i = 0; i < r->waits.n; i++)
		waits |= ((const struct m_wait *)r->waits.item[i])->task->proc == p;
	fputs("\t", out);
	put_node(out, p);
	fputs(" [label=", out);
	export_quoted(out, text_proc(name, p));
	fprintf(out, "%s%s]\n", waits ? ", color=red" : "", p->exited ? ", style=\"rounded,dashed\"" : "");
}

static void put_flow(FILE *out, const struct m_flow *f)
{
	char name[TEXT_SIZE], label[2 * TEXT_SIZE], bytes[UNITS_SIZE], p50[UNITS_SIZE];

	fputs("\t", out);
	put_node(out, f->src);
	fputs(" -> ", out);
	put_node(out, f->dst);
	snprintf(label, sizeof(label), "%s %s: %" PRIu64 " messages, %s bytes%s%s%s",
		 kind_word(f->chan->kind), text_chan(name, f->chan), f->messages,
		 units_bytes(bytes, (double)f->bytes), f->latency.count ? ", p50 " : "",
		 f->latency.count ? units_time(p50, hist_percentile(&f->latency, 50)) : "",
		 f->approximate ? " (approximate)" : "");
	fputs(" [label=", out);
	export_quoted(out, label);
	fprintf(out, ", penwidth=%.1f%s]\n", 1 + log10(1 + (double)f->bytes) / 2,
		f->approximate ? ", style=dashed" : "");
}

static void put_wait(FILE *out, const struct report *r, const struct m_wait *w)
{
	struct report_list ends = report_other_ends(w);
	uint64_t now_ns = model_now_ns(r->model);
	char time[UNITS_SIZE];

	units_time(time, now_ns > w->since_ns ? now_ns - w->since_ns : 0);
	for (size_t i = 0; i < ends.n; i++) {
		fputs("\t", out);
		put_node(out, w->task->proc);
		fputs(" -> ", out);
		put_node(out, ends.item[i]);
		fprintf(out, " [label=\"waits in %s for %s\", color=red, fontcolor=red]\n",
			op_word(w->op), time);
	}
	free(ends.item);
}

static int end(struct export *x, const struct report *r)
{
	bool has_unknown = false;
	FILE *out = x->out;

	fputs("digraph ipctap {\n\trankdir=LR;\n\tnode [shape=box, style=rounded, fontname=sans];\n"
	      "\tedge [fontname=sans, fontsize=9];\n",
	      out);
	for (const struct m_proc *p = model_procs(x->model); p; p = p->next)
		put_process(out, r, p);
	for (size_t i = 0; i < r->flows.n; i++) {
		const struct m_flow *f = r->flows.item[i];

		has_unknown |= !f->src || !f->dst;
	}
	if (has_unknown)
		fputs("\tunknown [label=\"?\", style=dotted]\n", out);
	for (size_t i = 0; i < r->flows.n; i++)
		put_flow(out, r->flows.item[i]);
	for (size_t i = 0; i < r->waits.n; i++)
		put_wait(out, r, r->waits.item[i]);
	fputs("}\n", out);
	return 0;
}

const struct export_format export_dot = {
	.name = "dot",
	.what = "a graph of who talks to whom, for Graphviz: dot -Tsvg",
	.end = end,
};
