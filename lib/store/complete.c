// SPDX-License-Identifier: GPL-2.0-or-later
/* What the recorder would have done at the end, had it not been killed. */
#include <errno.h>

#include "db.h"
#include "finish.h"
#include "rows.h"
#include "schema.h"
#include "spill.h"
#include "trace.h"

struct replay {
	struct sink sink;
	struct model *model;
};

static int replay_event(struct sink *self, const struct ev_hdr *ev)
{
	int rc = model_apply(((struct replay *)self)->model, ev);
	return rc == -EINVAL ? 0 : rc; /* as live: what makes no sense changes nothing */
}

static int replay(struct trace *t, struct model *m)
{
	struct replay into = {.sink.event = replay_event, .model = m};
	struct source *source;
	uint64_t complete_ns;
	int rc = trace_source(t, &source, NULL);
	if (rc)
		return rc;
	do
		rc = source_poll(source, &into.sink, 0, &complete_ns);
	while (rc > 0);
	source_free(source);
	return rc;
}

static int expand_all(sqlite3 *db)
{
	struct rows rows;
	int rc = rows_open(&rows, db);
	if (rc)
		return rc;
	do
		rc = spill_expand(&rows);
	while (rc > 0);
	rows_release(&rows);
	return rc;
}

static int finish_by_replay(struct trace *t)
{
	struct model *m = model_new();
	if (!m)
		return -ENOMEM;
	int rc = replay(t, m);
	if (rc == 0) /* for good: that something may be missing at its end does not change */
		rc = meta_set(t->db, "torn", "1");
	if (rc == 0)
		rc = finish_trace(t->db, m);
	model_free(m);
	return rc;
}

int trace_complete(struct trace *t)
{
	int rc = db_open(&t->db, t->path, SQLITE_OPEN_READWRITE, NULL);
	if (rc)
		return rc;
	rc = schema_pragmas(t->db);
	if (rc == 0)
		rc = schema_migrate(t->db);
	if (rc == 0)
		rc = expand_all(t->db);
	if (rc == 0)
		rc = finish_by_replay(t);
	sqlite3_close(t->db);
	t->db = NULL;
	return rc;
}
