// SPDX-License-Identifier: GPL-2.0-or-later
/* Rows that the user has marked; see tags.h. */
#include "ui/tui/tags.h"

#include <string.h>

static int find(const struct tags *tags, const struct row_key *key)
{
	for (int i = 0; tags && i < tags->n; i++)
		if (memcmp(&tags->v[i], key, sizeof(*key)) == 0)
			return i;
	return -1;
}

bool tags_have(const struct tags *tags, const struct row_key *key)
{
	return find(tags, key) >= 0;
}

bool tags_have_row(const struct tags *tags, const struct row *row)
{
	if (!tags || !tags->n)
		return false;
	if (tags_have(tags, &row->key))
		return true;
	for (int i = 0; i < row->nends; i++) {
		struct row_key key = row_key_of(row->ends[i].pid, row->ends[i].since_ns);

		if (tags_have(tags, &key))
			return true;
	}
	return false;
}

void tags_toggle(struct tags *tags, const struct row_key *key)
{
	int at = find(tags, key);

	if (at < 0 && tags->n < TAGS_MAX) {
		tags->v[tags->n++] = *key;
		return;
	}
	/* out with it, or with the oldest */
	memmove(&tags->v[at < 0 ? 0 : at], &tags->v[at < 0 ? 1 : at + 1],
		(size_t)(tags->n - 1 - (at < 0 ? 0 : at)) * sizeof(tags->v[0]));
	if (at < 0)
		tags->v[tags->n - 1] = *key;
	else
		tags->n--;
}
