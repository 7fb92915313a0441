/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The rows of Talk as pairs of processes: what a graph and a matrix are made of. Flows between the
 * same two, through whatever channels, are added up. Only the first TABLE_PICTURED rows of the
 * table count, in its order; how many that leaves out is told.
 */
#ifndef IPCTAP_UI_TUI_PAIRS_H
#define IPCTAP_UI_TUI_PAIRS_H

#include "ui/tui/table.h"

struct party {
	const char *name; /* "dd[12]"; of the rows, escaped */
	double out, in;   /* bytes a second */
};

struct pair {
	int from, to; /* parties */
	double bytes_per_s;
	bool is_marked;     /* one of its flows is under the cursor */
	const char *kind;   /* of its first flow */
	size_t flows;
};

struct pairs {
	struct party *parties;
	struct pair *v;
	int nparties, n;
	size_t left_out; /* flows */
};

/* Parties beyond so many, and pairs, are left out with their flows: the first are the strongest. */
int pairs_make(struct pairs *p, const struct table *t, int most_parties, int most_pairs);
void pairs_release(struct pairs *p);

#endif
