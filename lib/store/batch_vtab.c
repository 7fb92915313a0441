// SPDX-License-Identifier: GPL-2.0-or-later
#include "batch_vtab.h"

#include "db.h"
#include "schema.h"

struct vtab {
	sqlite3_vtab base;
	const struct batch *const *current;
};

struct cursor {
	sqlite3_vtab_cursor base;
	const struct batch *batch;
	const struct ev_io *io; /* NULL: at the end */
	size_t offset;          /* of the record after io */
	uint64_t seq;           /* of io */
	uint64_t next_seq;
};

static void advance(struct cursor *c)
{
	const struct ev_hdr *ev;
	while ((ev = batch_at(c->batch, c->offset))) {
		c->offset += ev->size;
		c->seq = c->next_seq++;
		if (ev->type == EV_IO)
			break;
	}
	c->io = (const struct ev_io *)ev;
}

static int vtab_connect(sqlite3 *db, void *arg, int argc, const char *const *argv,
			sqlite3_vtab **out, char **err)
{
	(void)argc, (void)argv, (void)err;
	int rc = sqlite3_declare_vtab(db, "CREATE TABLE batch(" EVENT_COLUMNS ")");
	if (rc != SQLITE_OK)
		return rc;
	struct vtab *v = sqlite3_malloc(sizeof(*v));
	if (!v)
		return SQLITE_NOMEM;
	*v = (struct vtab){.current = arg};
	*out = &v->base;
	return SQLITE_OK;
}

static int vtab_disconnect(sqlite3_vtab *v)
{
	sqlite3_free(v);
	return SQLITE_OK;
}

static int vtab_best_index(sqlite3_vtab *v, sqlite3_index_info *info)
{
	(void)v;
	info->estimatedCost = 1e6;
	return SQLITE_OK;
}

static int cursor_open(sqlite3_vtab *v, sqlite3_vtab_cursor **out)
{
	(void)v;
	struct cursor *c = sqlite3_malloc(sizeof(*c));
	if (!c)
		return SQLITE_NOMEM;
	*c = (struct cursor){0};
	*out = &c->base;
	return SQLITE_OK;
}

static int cursor_close(sqlite3_vtab_cursor *base)
{
	sqlite3_free(base);
	return SQLITE_OK;
}

static int cursor_filter(sqlite3_vtab_cursor *base, int idx, const char *idx_str, int argc,
			 sqlite3_value **argv)
{
	(void)idx, (void)idx_str, (void)argc, (void)argv;
	struct cursor *c = (struct cursor *)base;
	c->batch = *((struct vtab *)base->pVtab)->current;
	c->offset = 0;
	c->next_seq = c->batch->seq;
	advance(c);
	return SQLITE_OK;
}

static int cursor_next(sqlite3_vtab_cursor *base)
{
	advance((struct cursor *)base);
	return SQLITE_OK;
}

static int cursor_eof(sqlite3_vtab_cursor *base) { return !((struct cursor *)base)->io; }

static int cursor_rowid(sqlite3_vtab_cursor *base, sqlite3_int64 *rowid)
{
	*rowid = (sqlite3_int64)((struct cursor *)base)->seq;
	return SQLITE_OK;
}

static int64_t io_column(const struct ev_io *io, enum event_column column)
{
	switch (column) {
	case COL_T:
		return (int64_t)io->enter_ns;
	case COL_DUR:
		return (int64_t)io->dur_ns;
	case COL_SLEPT:
		return (int64_t)io->slept_ns;
	case COL_PID:
		return io->pid;
	case COL_TID:
		return io->tid;
	case COL_OP:
		return io->op;
	case COL_CHAN:
		return (int64_t)io->chan;
	case COL_FD:
		return io->fd;
	case COL_RET:
		return io->ret;
	case COL_BYTES:
		return (int64_t)io->bytes;
	case COL_MTYPE:
		return io->mtype;
	case COL_FLAGS:
		return io->hdr.flags;
	case COL_WAKER:
		return io->waker_tid;
	case COL_AT:
		return (int64_t)(io->hdr.t_ns - io->enter_ns);
	case COL_MESSAGES:
		return io->messages;
	default:
		return 0;
	}
}

static int cursor_column(sqlite3_vtab_cursor *base, sqlite3_context *ctx, int column)
{
	const struct cursor *c = (const struct cursor *)base;
	sqlite3_result_int64(ctx, column == COL_ID ? (sqlite3_int64)c->seq
						   : io_column(c->io, (enum event_column)column));
	return SQLITE_OK;
}

/* no xCreate: eponymous only, so it exists in this connection and nowhere in the file */
static const sqlite3_module module = {
    .xConnect = vtab_connect,
    .xBestIndex = vtab_best_index,
    .xDisconnect = vtab_disconnect,
    .xOpen = cursor_open,
    .xClose = cursor_close,
    .xFilter = cursor_filter,
    .xNext = cursor_next,
    .xEof = cursor_eof,
    .xColumn = cursor_column,
    .xRowid = cursor_rowid,
};

int batch_vtab_register(sqlite3 *db, const struct batch *const *current)
{
	int rc = sqlite3_create_module(db, "batch", &module, (void *)current);
	return rc == SQLITE_OK ? 0 : db_errno(db);
}
