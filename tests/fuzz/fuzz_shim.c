// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Rings that no shim wrote, given to the source that reads them and to all that is behind it: the
 * reader, the joiner, the ordering queue and the model. What comes out must be well-formed, whatever
 * went in.
 *
 * An input is a number of rings (its first byte), for each the length of what follows (two bytes,
 * little-endian) and that: the header as in lib/abi/shimring.h, then the bytes from its tail on. What
 * is left over is done to the rings between one drain and the next, as a program might:
 * struct poke after struct poke. tests/fuzz/pack makes inputs of real rings.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "collector/src_shim.h"
#include "lib/model/model.h"
#include "lib/stream/order.h"
#include "tests/fuzz/fuzz.h"

#define RINGS_MAX 4
#define POKES_MAX 16
#define DATA_BYTES SHIM_DATA_MIN

struct poke {
	uint8_t ring;
	uint8_t at_data; /* odd: in the data, else in the header */
	uint16_t at;
	uint8_t value[8];
};

struct input {
	const uint8_t *data;
	size_t size;
};

struct rings {
	char folder[64];
	uint8_t *base[RINGS_MAX]; /* our own view of each; NULL: too small to have one */
	int n;
};

struct checked {
	struct sink sink;
	struct sink *next;
};

/* ---- the kernel's word of new files ---- */

/*
 * A pipe in place of inotify, whose end takes the kernel ten milliseconds, which is a hundred inputs.
 * These take the place of libc's functions.
 */
static int told = -1;

int inotify_init1(int flags)
{
	int fds[2];
	(void)flags;
	if (pipe2(fds, O_NONBLOCK | O_CLOEXEC))
		return -1;
	told = fds[1];
	return fds[0];
}

int inotify_add_watch(int fd, const char *path, uint32_t mask)
{
	(void)fd;
	(void)path;
	return mask & IN_MOVED_TO ? 1 : -1;
}

static void must(bool holds, const char *what)
{
	if (!holds) {
		perror(what);
		abort();
	}
}

/* `name` has been moved there; or, NULL, so much was that some of it is not told. */
static void tell(const char *name)
{
	struct inotify_event e = { .wd = 1, .mask = name ? IN_MOVED_TO : IN_Q_OVERFLOW, .len = name ? 32 : 0 };
	char word[sizeof(e) + 32];
	size_t size = sizeof(e) + e.len;
	memcpy(word, &e, sizeof(e));
	if (name)
		snprintf(word + sizeof(e), 32, "%s", name);
	must(told < 0 || write(told, word, size) == (ssize_t)size, "write");
}

/* ---- rings ---- */

static size_t take(struct input *in, void *to, size_t want)
{
	size_t n = in->size < want ? in->size : want;
	memcpy(to, in->data, n);
	in->data += n;
	in->size -= n;
	return n;
}

/* Of processes that run there is but this one, so that an input does the same again. */
static uint32_t tame(uint32_t pid) { return pid & 1 ? (uint32_t)getpid() : 0x7f000000u | (pid & 0xff); }

static size_t file_bytes(uint8_t choice)
{
	static const size_t sizes[] = { SHIM_PAGE + DATA_BYTES,     SHIM_PAGE + DATA_BYTES * 2, 0, 8, SHIM_PAGE,
					SHIM_PAGE + DATA_BYTES - 8, SHIM_PAGE + DATA_BYTES + 8, SHIM_PAGE * 2 };
	return sizes[choice % (sizeof(sizes) / sizeof(*sizes))];
}

/* The file of one ring, under the name that says it is whole. */
static void ring_make(struct rings *r, struct input *in)
{
	char made[96], named[128], name[32];
	static uint8_t image[sizeof(struct shim_ring)];
	uint8_t len[2] = { 0, 0 };
	memset(image, 0, sizeof(image));
	take(in, len, sizeof(len));
	struct input chunk = { in->data, len[0] | (size_t)len[1] << 8 };
	if (chunk.size > in->size)
		chunk.size = in->size;
	in->data += chunk.size;
	in->size -= chunk.size;
	take(&chunk, image, sizeof(image));
	struct shim_ring h;
	memcpy(&h, image, sizeof(h));
	h.pid = tame(h.pid);
	h.tid = h.tid & 1 ? h.pid : tame(h.tid) + 1;
	h.ppid = tame(h.ppid);

	int i = r->n++;
	size_t bytes = file_bytes(h.pad0[0]);
	snprintf(made, sizeof(made), "%s/new.%d", r->folder, i);
	snprintf(name, sizeof(name), SHIM_RING_PREFIX "%u.%u.%d", h.tid & 0xfffffff, h.pid & 0xfffffff, i);
	snprintf(named, sizeof(named), "%s/%s", r->folder, name);
	int fd = open(made, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	must(fd >= 0 && ftruncate(fd, (off_t)bytes) == 0, made);
	if (bytes >= SHIM_PAGE + DATA_BYTES) {
		r->base[i] = mmap(NULL, SHIM_PAGE + DATA_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
		must(r->base[i] != MAP_FAILED, "mmap");
		memcpy(r->base[i], &h, sizeof(h));
		for (size_t at = h.tail; chunk.size; at++)
			take(&chunk, r->base[i] + SHIM_PAGE + (at & (DATA_BYTES - 1)), 1);
	}
	close(fd);
	must(rename(made, named) == 0, named);
	tell(h.pad0[1] & 1 ? NULL : name);
}

static void poke(struct rings *r, const struct poke *p)
{
	uint8_t *base = r->base[p->ring % r->n];
	size_t at = p->at_data & 1 ? (size_t)SHIM_PAGE + p->at : p->at % sizeof(struct shim_ring);
	if (base && at + sizeof(p->value) <= SHIM_PAGE + DATA_BYTES)
		memcpy(base + at, p->value, sizeof(p->value));
}

unsigned long fuzz_told;

static int check(struct sink *self, const struct ev_hdr *ev)
{
	struct checked *c = (struct checked *)self;
	must(event_is_valid(ev, ev->size), "an event that is none");
	return sink_event(c->next, ev);
}

struct into_model {
	struct sink sink;
	struct model *model;
};

static int to_model(struct sink *self, const struct ev_hdr *ev)
{
	fuzz_told++;
	return model_apply(((struct into_model *)self)->model, ev);
}

/* ---- what comes out ---- */

/* Errors end a stream, as they would end a recording; only memory may be a reason. */
static bool drain(struct source *src, struct sink *out, struct order *order)
{
	uint64_t complete_ns = 0;
	int more = source_poll(src, out, 0, &complete_ns);
	must(more >= 0, "the stream broke");
	must(order_release(order, complete_ns) == 0, "the order broke");
	return more > 0;
}

static void folder_open(struct shim_folder *f, const char *path)
{
	memset(f, 0, sizeof(*f));
	snprintf(f->path, sizeof(f->path), "%s", path);
	f->is_ours = true;
	f->fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	f->control = mmap(NULL, SHIM_PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	must(f->fd >= 0 && f->control != MAP_FAILED, path);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, size };
	struct rings rings = { .n = 0 };
	struct shim_folder folder;
	struct src_shim *shim = NULL;
	struct into_model into = { .sink.event = to_model, .model = model_new() };
	struct checked ordered = { .sink.event = check, .next = &into.sink };
	struct order *order = order_new(&ordered.sink);
	struct checked raw = { .sink.event = check, .next = order_sink(order) };
	struct feed_opts opts = { .keep_idle = 4, .wait_look_ms = 1 };
	struct poke p;
	uint8_t n = 0;

	take(&in, &n, 1);
	strcpy(rings.folder, "/dev/shm/ipctap-fuzz-XXXXXX");
	must(mkdtemp(rings.folder) && into.model && order, "mkdtemp");
	for (int i = n % RINGS_MAX; i >= 0; i--)
		if (i % 2) /* there before anybody looks */
			ring_make(&rings, &in);
	folder_open(&folder, rings.folder);
	must(src_shim_open(&shim, &folder, &opts, 0, NULL) == 0, "src_shim_open");
	struct source *src = src_shim_source(shim);
	drain(src, &raw.sink, order);
	for (int i = n % RINGS_MAX; i >= 0; i--)
		if (i % 2 == 0)
			ring_make(&rings, &in);
	for (int i = 0; i < POKES_MAX && take(&in, &p, sizeof(p)) == sizeof(p); i++) {
		drain(src, &raw.sink, order);
		poke(&rings, &p);
	}
	drain(src, &raw.sink, order);
	src_shim_detach(shim);
	must(!drain(src, &raw.sink, order), "a detached source has more");
	must(order_pending(order) == 0, "events that never come");
	source_free(src);
	close(told);
	told = -1;
	order_free(order);
	model_free(into.model);
	must(access(rings.folder, F_OK) != 0, "the folder is left");
	for (int i = 0; i < rings.n; i++)
		if (rings.base[i])
			munmap(rings.base[i], SHIM_PAGE + DATA_BYTES);
	return 0;
}
