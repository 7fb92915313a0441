// SPDX-License-Identifier: GPL-2.0-or-later
/* In which order a table's rows stand, in a list and in a tree; see table.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ui/tui/table.h"

/* ---- order ---- */

/*
 * What rows are sorted by: made once for each row, so that a comparison looks at nothing else. Larger
 * comes first. A text's key is its place in memory: rank is 1 for those, and compare_values decides.
 */
struct sort_key {
	uint64_t by, then;
	const struct row *row;
};

static int compare_texts(const struct value *a, const struct value *b)
{
	return strcoll(b->text, a->text); /* a before z is "larger first" for texts */
}

/* A number whose order is that of x: negative ones do not occur, and bits of doubles sort as they do. */
static uint64_t bits_of(double x)
{
	uint64_t bits;

	memcpy(&bits, &x, sizeof(bits));
	return bits;
}

/*
 * The natural order: numbers from the largest, pids and texts from the smallest. Inverting turns
 * only the chosen column; what is not known stays at the end: it has 0, and nothing else does.
 */
static uint64_t sort_value(const struct column *c, const struct value *v, bool inverted)
{
	uint64_t n;

	if (!v->known)
		return 0;
	switch (c->type) {
	case COLUMN_TEXT:
		return 1;
	case COLUMN_RATE:
	case COLUMN_BYTE_RATE:
	case COLUMN_SHARE:
		n = bits_of(v->x);
		break;
	case COLUMN_INT:
		n = v->n ^ (1ull << 63);
		break;
	default:
		n = v->n;
	}
	n = n < UINT64_MAX - 1 ? n : UINT64_MAX - 1;
	return inverted != (c->type == COLUMN_ID) ? UINT64_MAX - n : n + 1;
}

static int compare_keys(const void *pa, const void *pb, void *arg)
{
	const struct sort_key *a = pa, *b = pb;
	const struct table *t = arg;

	if (a->by != b->by)
		return a->by > b->by ? -1 : 1;
	if (a->by == 1 && t->view->columns[t->sort].type == COLUMN_TEXT) {
		int order = compare_texts(&a->row->values[t->sort], &b->row->values[t->sort]);

		if (order)
			return t->inverted ? order : -order;
	}
	if (a->then != b->then)
		return a->then > b->then ? -1 : 1;
	return (a->row->order > b->row->order) - (a->row->order < b->row->order);
}

int table_sort_rows(struct table *t)
{
	const struct column *by = &t->view->columns[t->sort];
	const struct column *then = &t->view->columns[t->view->then_by];
	struct sort_key *keys = malloc((t->nshown + 1) * sizeof(*keys));

	if (!keys)
		return -ENOMEM;
	for (size_t i = 0; i < t->nshown; i++) {
		const struct row *row = t->shown[i];

		keys[i] = (struct sort_key){
			.by = sort_value(by, &row->values[t->sort], t->inverted),
			.then = sort_value(then, &row->values[t->view->then_by], false),
			.row = row,
		};
	}
	qsort_r(keys, t->nshown, sizeof(*keys), compare_keys, t);
	for (size_t i = 0; i < t->nshown; i++)
		t->shown[i] = keys[i].row;
	free(keys);
	return 0;
}

/* ---- the tree ---- */

enum { TREE_ABSENT, TREE_SHOWN, TREE_HUNG };

/* Below which row each one hangs: lists by index in rows, ended by ROW_NONE. [n] is above the roots. */
struct tree {
	uint32_t *first, *last, *next;
	uint8_t *state;
	const struct row **out;
	size_t n;
};

static int tree_alloc(struct tree *tree, const struct table *t)
{
	size_t n = t->rows.n;

	*tree = (struct tree){
		.first = malloc((n + 1) * sizeof(uint32_t)),
		.last = malloc((n + 1) * sizeof(uint32_t)),
		.next = malloc((n + 1) * sizeof(uint32_t)),
		.state = calloc(n + 1, 1),
		.out = malloc((t->nshown + 1) * sizeof(*tree->out)),
	};
	if (!tree->first || !tree->last || !tree->next || !tree->state || !tree->out)
		return -ENOMEM;
	for (size_t i = 0; i <= n; i++)
		tree->first[i] = tree->last[i] = tree->next[i] = ROW_NONE;
	for (size_t i = 0; i < t->nshown; i++)
		tree->state[t->shown[i] - t->rows.v] = TREE_SHOWN;
	return 0;
}

static void tree_release(struct tree *tree)
{
	free(tree->first);
	free(tree->last);
	free(tree->next);
	free(tree->state);
	free(tree->out);
}

/*
 * Hangs the row, and those above it that do not hang yet, behind what hangs there already: so in the
 * order in which the best row of each branch comes.
 */
static void tree_hang(struct tree *tree, const struct table *t, uint32_t at)
{
	uint32_t top = (uint32_t)t->rows.n;

	while (at != top && tree->state[at] == TREE_SHOWN) {
		uint32_t up = t->rows.v[at].parent;

		if (up == ROW_NONE || tree->state[up] == TREE_ABSENT)
			up = top;
		tree->state[at] = TREE_HUNG;
		if (tree->last[up] == ROW_NONE)
			tree->first[up] = at;
		else
			tree->next[tree->last[up]] = at;
		tree->last[up] = at;
		at = up;
	}
}

/* Writes out what hangs below the top, depth first. */
static void tree_walk(struct tree *tree, struct table *t)
{
	uint32_t stack[BRANCH_DEPTH_MAX + 1], rails[BRANCH_DEPTH_MAX + 1] = { 0 };
	int depth = 0;

	stack[0] = tree->first[t->rows.n];
	while (depth >= 0) {
		uint32_t at = stack[depth];
		struct branch *b;

		if (at == ROW_NONE) {
			depth--;
			continue;
		}
		stack[depth] = tree->next[at];
		b = &t->rows.v[at].branch;
		b->depth = (uint8_t)depth;
		b->is_last = stack[depth] == ROW_NONE;
		b->rails = depth ? rails[depth - 1] : 0;
		if (depth && !b->is_last)
			b->rails |= 1u << depth;
		rails[depth] = b->rails;
		tree->out[tree->n++] = &t->rows.v[at];
		if (depth < BRANCH_DEPTH_MAX)
			stack[++depth] = tree->first[at];
	}
}

/*
 * Puts t->shown into the order of a tree. What hangs deeper than BRANCH_DEPTH_MAX, or in a circle,
 * comes last, as roots: no row gets lost.
 */
int table_tree_arrange(struct table *t)
{
	struct tree tree;
	int err = tree_alloc(&tree, t);

	if (!err) {
		for (size_t i = 0; i < t->rows.n; i++)
			t->rows.v[i].branch = (struct branch){ .depth = UINT8_MAX };
		for (size_t i = 0; i < t->nshown; i++)
			tree_hang(&tree, t, (uint32_t)(t->shown[i] - t->rows.v));
		tree_walk(&tree, t);
		for (size_t i = 0; tree.n < t->nshown && i < t->nshown; i++) {
			struct row *row = &t->rows.v[t->shown[i] - t->rows.v];

			if (row->branch.depth != UINT8_MAX)
				continue;
			row->branch = (struct branch){ 0 };
			tree.out[tree.n++] = row;
		}
		if (t->nshown)
			memcpy(t->shown, tree.out, t->nshown * sizeof(*t->shown));
	}
	tree_release(&tree);
	return err;
}
