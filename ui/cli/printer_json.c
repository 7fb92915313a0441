// SPDX-License-Identifier: GPL-2.0-or-later
/* Events as JSON objects. Their keys are documented in ipctap-events(1). */
#include <jansson.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "lib/abi/words.h"
#include "printer.h"
#include "text.h"

static void put(json_t *o, const char *key, uint64_t v)
{
	json_object_set_new(o, key, json_integer(v > INT64_MAX ? INT64_MAX : (json_int_t)v));
}

static void put_who(json_t *o, const struct model *m, uint32_t pid, uint32_t tid)
{
	const struct m_task *t = model_task(m, tid);

	put(o, "pid", pid);
	put(o, "tid", tid);
	json_object_set_new(o, "comm", t && t->proc->pid == pid ? json_text(t->comm) : json_null());
}

static void put_chan(json_t *o, const struct model *m, uint64_t id)
{
	const struct m_chan *c = model_chan(m, id);

	json_object_set_new(o, "chan",
			    id ? json_integer((json_int_t)(id & INT64_MAX)) : json_null());
	json_object_set_new(o, "kind", c ? json_string(kind_word(c->kind)) : json_null());
	json_object_set_new(o, "name", c ? json_text(c->name) : json_null());
	json_object_set_new(o, "ident", c ? json_text(c->ident) : json_null());
}

static void put_fd(json_t *o, int32_t fd)
{
	json_object_set_new(o, "fd", fd >= 0 ? json_integer(fd) : json_null());
}

/* The payload as hexadecimal digits: it may be anything. */
static void put_payload(json_t *o, const struct ev_io *io)
{
	static const char digits[] = "0123456789abcdef";
	const unsigned char *bytes = (const unsigned char *)(io + 1);
	uint64_t n = io->hdr.size - sizeof(*io);
	char hex[2 * UINT16_MAX + 1];

	n = n > io->bytes ? io->bytes : n;
	if (!n)
		return;
	for (uint64_t i = 0; i < n; i++) {
		hex[2 * i] = digits[bytes[i] >> 4];
		hex[2 * i + 1] = digits[bytes[i] & 15];
	}
	json_object_set_new(o, "data", json_stringn(hex, 2 * n));
}

static void put_io(json_t *o, const struct model *m, const struct ev_io *io)
{
	const struct m_task *waker = model_task(m, io->waker_tid);
	json_t *flags = json_array();
	char name[32];

	put(o, "t_ns", io->enter_ns);
	put_who(o, m, io->pid, io->tid);
	json_object_set_new(o, "op", json_string(op_word(io->op)));
	put_chan(o, m, io->chan);
	put_fd(o, io->fd);
	json_object_set_new(o, "ret", json_integer(io->ret));
	json_object_set_new(
	    o, "errno",
	    io->ret < 0 ? json_string(text_errno(name, io->ret > -4096 ? (int)-io->ret : 4096))
			: json_null());
	put(o, "bytes", io->bytes);
	put(o, "messages", io->messages);
	json_object_set_new(o, "mtype", json_integer(io->mtype));
	put(o, "dur_ns", io->dur_ns);
	put(o, "slept_ns", io->slept_ns);
	put(o, "waker_tid", io->waker_tid);
	json_object_set_new(o, "waker_comm", waker ? json_text(waker->comm) : json_null());
	for (const struct printer_flag *f = printer_flags; f->word; f++)
		if (io->hdr.flags & f->bit)
			json_array_append_new(flags, json_string(f->word));
	json_object_set_new(o, "flags", flags);
	put_payload(o, io);
	if (printer_range(io))
		json_object_set_new(o, "range", json_pack("{s:I,s:I}", "start",
							  (json_int_t)printer_range(io)->start, "length",
							  (json_int_t)printer_range(io)->length));
}

static void put_lost(json_t *o, const struct ev_lost *l)
{
	put(o, "t_ns", l->hdr.t_ns);
	json_object_set_new(o, "cause", json_string(loss_word(l->cause)));
	put(o, "count", l->count);
	put(o, "where", l->where);
}

static void put_new_chan(json_t *o, const struct ev_chan *c)
{
	put(o, "t_ns", c->hdr.t_ns);
	put(o, "chan", c->chan);
	json_object_set_new(o, "kind", json_string(kind_word(c->kind)));
	json_object_set_new(o, "shape", json_string(shape_word(c->shape)));
	json_object_set_new(o, "name", json_text(c->name));
	json_object_set_new(o, "ident", json_text(c->ident));
	json_object_set_new(o, "key", json_integer(c->key));
	put(o, "backlog", c->backlog);
}

static void put_room(json_t *o, const struct ev_room *e)
{
	put(o, "t_ns", e->hdr.t_ns);
	put(o, "chan", e->chan);
	put(o, "bytes", e->bytes);
	put(o, "messages", e->messages);
	if (e->hdr.flags & ROOM_INSIDE) {
		put(o, "bytes_inside", e->inside);
		put(o, "messages_inside", e->messages_inside);
	}
}

static void put_endpoint(json_t *o, const struct model *m, const struct ev_endpoint *e)
{
	static const char *const words[] = { "?",     "open",   "inherit", "seen",
					     "close", "attach", "detach",  "passed" };

	put(o, "t_ns", e->hdr.t_ns);
	json_object_set_new(o, "what",
			    json_string(words[e->what <= ENDPOINT_PASSED ? e->what : 0]));
	put_who(o, m, e->pid, e->pid);
	put_chan(o, m, e->chan);
	put_fd(o, e->fd);
	json_object_set_new(o, "read", json_boolean(e->dir & ENDPOINT_DIR_READ));
	json_object_set_new(o, "write", json_boolean(e->dir & ENDPOINT_DIR_WRITE));
	json_object_set_new(o, "side", json_string(e->side ? "b" : "a"));
	json_object_set_new(o, "synthetic", json_boolean(e->hdr.flags & EV_SYNTHETIC));
	if (e->what == ENDPOINT_PASSED)
		put(o, "from_pid", e->from);
}

static void put_task(json_t *o, const struct ev_task *t)
{
	static const char *const words[] = { "?", "seen", "fork", "exec", "rename", "exit" };

	put(o, "t_ns", t->hdr.t_ns);
	json_object_set_new(o, "what", json_string(words[t->what <= TASK_EXIT ? t->what : 0]));
	put(o, "pid", t->pid);
	put(o, "tid", t->tid);
	put(o, "ppid", t->ppid);
	json_object_set_new(o, "comm", json_text(t->comm));
	json_object_set_new(o, "exe", json_text(t->exe));
	json_object_set_new(o, "args", json_text(t->args));
	json_object_set_new(o, "exit_code",
			    t->what == TASK_EXIT ? json_integer(t->exit_code) : json_null());
	json_object_set_new(o, "synthetic", json_boolean(t->hdr.flags & EV_SYNTHETIC));
}

static void put_wait(json_t *o, const struct model *m, const struct ev_wait *w)
{
	bool ended = w->what == WAIT_END;

	put(o, "t_ns", w->hdr.t_ns);
	json_object_set_new(o, "what", json_string(ended ? "end" : "begin"));
	put_who(o, m, w->pid, w->tid);
	json_object_set_new(o, "op", json_string(op_word(w->op)));
	put_chan(o, m, w->chan);
	put_fd(o, w->fd);
	put(o, "since_ns", w->since_ns);
	json_object_set_new(o, "until_ns",
			    ended ? json_integer((json_int_t)(w->until_ns & INT64_MAX))
				  : json_null());
}

json_t *printer_json(const struct model *m, const struct ev_hdr *ev)
{
	static const char *const types[EV_TYPE_MAX] = {
		[EV_IO] = "io",     [EV_CHAN] = "chan", [EV_ENDPOINT] = "endpoint",
		[EV_TASK] = "task", [EV_WAIT] = "wait", [EV_LOST] = "lost",
		[EV_ROOM] = "room",
	};
	json_t *o = ev->type < EV_TYPE_MAX && types[ev->type] ? json_object() : NULL;

	if (!o || json_object_set_new(o, "type", json_string(types[ev->type]))) {
		json_decref(o);
		return NULL;
	}
	if (ev->type == EV_IO)
		put_io(o, m, (const struct ev_io *)ev);
	else if (ev->type == EV_CHAN)
		put_new_chan(o, (const struct ev_chan *)ev);
	else if (ev->type == EV_ENDPOINT)
		put_endpoint(o, m, (const struct ev_endpoint *)ev);
	else if (ev->type == EV_TASK)
		put_task(o, (const struct ev_task *)ev);
	else if (ev->type == EV_WAIT)
		put_wait(o, m, (const struct ev_wait *)ev);
	else if (ev->type == EV_ROOM)
		put_room(o, (const struct ev_room *)ev);
	else
		put_lost(o, (const struct ev_lost *)ev);
	return o;
}
