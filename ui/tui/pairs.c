// SPDX-License-Identifier: GPL-2.0-or-later
/* The rows of Talk as pairs of processes; see pairs.h. */
#include "ui/tui/pairs.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* -1: one more than there is room for. */
static int party_find(struct pairs *p, const char *name, int most)
{
	for (int i = 0; i < p->nparties; i++)
		if (strcmp(p->parties[i].name, name) == 0)
			return i;
	if (p->nparties == most)
		return -1;
	p->parties[p->nparties] = (struct party){ .name = name };
	return p->nparties++;
}

static struct pair *pair_find(struct pairs *p, int from, int to, int most)
{
	for (int i = 0; i < p->n; i++)
		if (p->v[i].from == from && p->v[i].to == to)
			return &p->v[i];
	if (p->n == most)
		return NULL;
	p->v[p->n] = (struct pair){ .from = from, .to = to };
	return &p->v[p->n++];
}

/* The columns that a pair is made of, by what JSON calls them or the screen does. */
static const struct value *value_of(const struct view *view, const struct row *row, const char *name)
{
	for (int i = 0; i < view->ncolumns; i++)
		if (strcmp(view->columns[i].name, name) == 0)
			return &row->values[i];
	return NULL;
}

static bool add_row(struct pairs *p, const struct table *t, const struct row *row, int most_parties,
		    int most_pairs)
{
	const struct value *from = value_of(t->view, row, "FROM"), *to = value_of(t->view, row, "TO");
	const struct value *rate = value_of(t->view, row, "B/s"), *kind = value_of(t->view, row, "KIND");
	double per_s = rate->known ? rate->x : 0;
	int a, b;
	struct pair *pair;

	if (!from->known || !to->known)
		return false;
	a = party_find(p, from->text, most_parties);
	b = a < 0 ? -1 : party_find(p, to->text, most_parties);
	pair = b < 0 ? NULL : pair_find(p, a, b, most_pairs);
	if (!pair)
		return false;
	if (!pair->flows++)
		pair->kind = kind->text;
	pair->bytes_per_s += per_s;
	p->parties[a].out += per_s;
	p->parties[b].in += per_s;
	if (row == table_cursor_row(t))
		pair->is_marked = true;
	return true;
}

int pairs_make(struct pairs *p, const struct table *t, int most_parties, int most_pairs)
{
	size_t n = t->nshown < TABLE_PICTURED ? t->nshown : TABLE_PICTURED;

	*p = (struct pairs){
		.parties = calloc((size_t)most_parties, sizeof(struct party)),
		.v = calloc((size_t)most_pairs, sizeof(struct pair)),
	};
	if (!p->parties || !p->v) {
		pairs_release(p);
		return -ENOMEM;
	}
	p->left_out = t->nshown - n;
	for (size_t i = 0; i < n; i++)
		p->left_out += !add_row(p, t, t->shown[i], most_parties, most_pairs);
	return 0;
}

void pairs_release(struct pairs *p)
{
	free(p->parties);
	free(p->v);
	*p = (struct pairs){ 0 };
}
