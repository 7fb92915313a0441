/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Shared mappings: POSIX shared memory, memfd, files, anonymous memory. Which ranges of a process
 * are mapped is kept by the collector (collector/maps.h): here a process is only known to have
 * some, so that the munmap calls of all others cost a look-up.
 */
#ifndef IPCTAP_BPF_MECH_MAP_H
#define IPCTAP_BPF_MECH_MAP_H

#include "mech_sysv.bpf.h"

#define MAP_SHARED 0x01 /* and MAP_SHARED_VALIDATE, 3, but not MAP_PRIVATE, 2 */
#define MAP_FIXED 0x10
#define MAP_ANONYMOUS 0x20
#define MREMAP_DONTUNMAP 4
#define PAGE_MASK 4095ULL

/* Processes that have, or once had, shared mappings. Forgotten at exec and exit. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 65536);
	__type(key, __u32);
	__type(value, __u8);
} mappers SEC(".maps");

static __always_inline bool is_mapper(__u32 tgid)
{
	return bpf_map_lookup_elem(&mappers, &tgid) != NULL;
}

static __always_inline void mapper_add(__u32 tgid)
{
	__u8 one = 1;
	if (!is_mapper(tgid))
		bpf_map_update_elem(&mappers, &tgid, &one, BPF_ANY);
}

static __always_inline void mapper_fork(__u32 parent, __u32 child)
{
	if (is_mapper(parent))
		mapper_add(child);
}

static __always_inline void mapper_drop(__u32 tgid) { bpf_map_delete_elem(&mappers, &tgid); }

/* ---- what a file is called ---- */

#define WALK_MAX 40
#define WALK_NAME 64
#define WALK_TEXT 128 /* a power of two, at least RAW_NAME_LEN */

/*
 * The way from a file up to the root. Not on the stack: before v6.7 (ab5cfac139ab) the verifier looks at
 * a loop's body as if it ran once, and takes out what cannot happen the first time.
 */
struct walk {
	__u64 at; /* struct dentry */
	__u64 mount;
	__u32 len;
	__u32 whole;
	/* components of the path, the last one first; beyond WALK_TEXT only room for one that overruns */
	char text[WALK_TEXT + WALK_NAME];
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct walk);
} walks SEC(".maps");

static __always_inline struct walk *walk_of_cpu(void)
{
	__u32 zero = 0;
	return bpf_map_lookup_elem(&walks, &zero);
}

static long walk_up(__u32 i, void *ctx)
{
	struct walk *w = walk_of_cpu();
	(void)i, (void)ctx;
	if (!w)
		return 1;
	struct dentry *d = (void *)w->at, *parent = BPF_CORE_READ(d, d_parent);
	struct mount *m = (void *)w->mount;
	if (d == BPF_CORE_READ(m, mnt.mnt_root) && w->len) {
		struct mount *above = BPF_CORE_READ(m, mnt_parent);
		if (above == m) {
			w->whole = 1;
			return 1;
		}
		w->at = (__u64)BPF_CORE_READ(m, mnt_mountpoint);
		w->mount = (__u64)above;
		return 0;
	}
	__u64 len = w->len;
	if (len >= RAW_NAME_LEN)
		return 1;
	/* said once more so that the verifier of 6.1 sees it of the very register that is added */
	asm volatile("%0 &= %1" : "+r"(len) : "i"(WALK_TEXT - 1));
	long n = bpf_probe_read_kernel_str(w->text + len, WALK_NAME, BPF_CORE_READ(d, d_name.name));
	if (n <= 0)
		return 1;
	w->len = (__u32)(len + (__u64)n);
	w->at = (__u64)parent;
	return parent == d; /* in no folder: memfd, anonymous memory */
}

/* Into o->name; o->hdr says whether it reaches up to the root. */
static __always_inline void name_path(struct raw_object *o, void *file)
{
	struct walk *w = walk_of_cpu();
	if (!w)
		return;
	w->at = (__u64)BPF_CORE_READ((struct file *)file, f_path.dentry);
	w->mount = (__u64)BPF_CORE_READ((struct file *)file, f_path.mnt) -
		   bpf_core_field_offset(struct mount, mnt);
	w->len = w->whole = 0;
	bpf_loop(WALK_MAX, walk_up, NULL, 0);
	bpf_probe_read_kernel(o->name, sizeof(o->name), w->text);
	__u32 len = w->len;
	o->name_len = len < sizeof(o->name) ? (__u16)len : sizeof(o->name);
	if (w->whole && len <= sizeof(o->name))
		o->hdr.flags |= RAW_PATH;
}

/* Tells of a mapped or locked file, or of a futex (at: its offset; private: its address), l->sk then the object
 * of the memory it lies in. */
__noinline int describe_memory(struct look *l, __u64 at, __u32 pid, __s32 fd, __u32 flags)
{
	if (!l)
		return 0;
	struct raw_object *o = ring_control(sizeof(*o), RAW_OBJECT, flags, bpf_ktime_get_ns());
	if (!o)
		return 0;
	__builtin_memset((void *)o + sizeof(o->hdr), 0, sizeof(*o) - sizeof(o->hdr));
	o->obj = l->obj;
	o->ino = l->ino;
	o->at = at;
	o->dev = l->dev;
	o->pid = pid;
	o->fd = fd;
	o->kind = l->kind;
	o->peer_sk = (__u64)l->sk;
	if (l->file)
		name_path(o, l->file);
	__u32 state = DESCRIBED;
	__u64 obj = l->obj;
	ring_submit(o);
	bpf_map_update_elem(&described, &obj, &state, BPF_ANY);
	return 0;
}

/* ---- which file ---- */

/*
 * *l of a mapped file: kind MAP, or SHM when it is a System V segment, which lies in memory under
 * a name of its own and in no folder. obj 0: a device or the like, no memory to share.
 */
static __always_inline void look_mapped(struct task_struct *t, void *file, struct look *l)
{
	struct file *f = file;
	struct inode *i = BPF_CORE_READ(f, f_inode);
	__builtin_memset(l, 0, sizeof(*l));
	if ((BPF_CORE_READ(i, i_mode) & S_IFMT) != S_IFREG)
		return;
	l->file = file;
	l->ino = BPF_CORE_READ(i, i_ino);
	l->dev = BPF_CORE_READ(i, i_sb, s_dev);
	l->f_mode = BPF_CORE_READ(f, f_mode);
	struct dentry *d = BPF_CORE_READ(f, f_path.dentry);
	char name[5] = {};
	if (d == BPF_CORE_READ(d, d_parent) &&
	    bpf_probe_read_kernel(name, 4, BPF_CORE_READ(d, d_name.name)) == 0 && name[0] == 'S' &&
	    name[1] == 'Y' && name[2] == 'S' && name[3] == 'V') {
		l->kind = KIND_SHM;
		l->obj = ipc_obj(t, KIND_SHM, (__s32)l->ino);
		return;
	}
	/* what was opened for reading only says nothing to anybody: locale and font caches, mostly */
	if (!(l->f_mode & FMODE_WRITE) && BPF_CORE_READ(i, i_sb, s_magic) != TMPFS_MAGIC)
		return;
	l->kind = KIND_MAP;
	l->obj = RAW_OBJ_MAP(l->dev, l->ino);
}

static __always_inline void describe_mapped(struct task_struct *t, struct look *l, __s32 fd,
					    __u64 now)
{
	__u64 obj = l->obj;
	if (l->kind == KIND_SHM)
		ipc_describe(t, KIND_SHM, (__s32)l->ino, 0, now);
	else if (!bpf_map_lookup_elem(&described, &obj))
		describe_memory(l, 0, BPF_CORE_READ(t, tgid), fd, 0);
}

/* A regular file in memory that a name in /dev/shm or memfd_create has made: for opens and passing. */
static __always_inline bool is_memory_file(void *file)
{
	struct inode *i = BPF_CORE_READ((struct file *)file, f_inode);
	return (BPF_CORE_READ(i, i_mode) & S_IFMT) == S_IFREG &&
	       BPF_CORE_READ(i, i_sb, s_magic) == TMPFS_MAGIC;
}

/* What a look at the mapping around an address tells. */
struct mapped {
	__u64 start, end, flags, pgoff;
	void *file;
};

static long mapped_vma(struct task_struct *t, struct vm_area_struct *vma, struct mapped *m)
{
	m->start = vma->vm_start;
	m->end = vma->vm_end;
	m->flags = vma->vm_flags;
	m->pgoff = vma->vm_pgoff;
	m->file = vma->vm_file;
	return 0;
}

static __always_inline __u8 mapped_dir(__u64 vm_flags)
{
	return (vm_flags & VM_READ ? ENDPOINT_DIR_READ : 0) |
	       (vm_flags & VM_WRITE ? ENDPOINT_DIR_WRITE : 0);
}

/* ---- records ---- */

/* What has changed, beside *d. */
struct change {
	__u64 old_start, old_end, start, end;
	__u8 dir, whole, moves, keeps;
};

__noinline int emit_map(struct thread *s, struct done *d, struct change *c)
{
	if (!s || !d || !c)
		return 0;
	struct task_struct *t = bpf_get_current_task_btf();
	struct raw_map *e = bpf_ringbuf_reserve(&ring, sizeof(*e), 0);
	if (!e) {
		count(RAW_COUNT_LOST_OP);
		return 0;
	}
	fill_io(&e->io, t, s, d, RAW_MAP, sizeof(*e));
	e->old_start = c->old_start;
	e->old_end = c->old_end;
	e->start = c->start;
	e->end = c->end;
	e->dir = c->dir;
	e->whole = c->whole;
	e->moves = c->moves;
	e->keeps = c->keeps;
	__builtin_memset(e->pad, 0, sizeof(e->pad));
	ring_submit(e);
	return 0;
}

/* ---- calls ---- */

/* A private mapping is none of ours, but put over a shared one it removes that. */
static __always_inline bool mmap_enter(struct task_struct *t, struct thread *s,
				       const struct pt_regs *r)
{
	__u64 flags = r->r10;
	bool shared = flags & MAP_SHARED;
	if (!shared && !((flags & MAP_FIXED) && is_mapper(t->tgid)))
		return false;
	s->mtype = (__s64)r->si;
	s->bytes = shared;
	s->arg = r->dx; /* protection */
	s->fd = flags & MAP_ANONYMOUS ? -1 : (__s32)r->r8;
	return true;
}

APART bool map_enter(struct task_struct *t, struct thread *s,
				      const struct pt_regs *r, __u8 class)
{
	switch (class) {
	case CALL_MMAP:
		return mmap_enter(t, s, r);
	case CALL_MUNMAP:
		s->arg = r->di;
		s->mtype = (__s64)r->si;
		return is_mapper(t->tgid);
	case CALL_MREMAP:
		s->arg = r->di;
		s->arg2 = r->si;
		s->mtype = (__s64)r->dx;
		s->bytes = r->r10 & MREMAP_DONTUNMAP;
		return is_mapper(t->tgid);
	default: /* memfd_create */
		return true;
	}
}

/* Through the descriptor where there is one: looking at mappings fails while another changes them. */
static __always_inline void look_at(struct task_struct *t, __s32 fd, __u64 addr, struct look *l)
{
	struct mapped m = {};
	l->obj = 0;
	if (fd >= 0)
		m.file = fd_file(t, fd);
	else
		bpf_find_vma(t, addr, mapped_vma, &m, 0);
	if (m.file)
		look_mapped(t, m.file, l);
}

static __always_inline void mmap_exit(struct task_struct *t, struct thread *s, struct done *d)
{
	__u64 len = ((__u64)s->mtype + PAGE_MASK) & ~PAGE_MASK;
	struct change c = {
		.old_start = (__u64)d->ret, .old_end = (__u64)d->ret + len,
		.dir = mapped_dir(s->arg),
	};
	if (!s->bytes) { /* private, over what may have been shared */
		s->op = OP_NONE;
		emit_map(s, d, &c);
		return;
	}
	struct look l = {};
	look_at(t, s->fd, (__u64)d->ret, &l);
	if (s->fd >= 0 && !l.obj)
		return; /* a device, or what is no memory to others */
	if (l.obj)
		describe_mapped(t, &l, s->fd, d->now);
	c.start = c.old_start;
	c.end = c.old_end;
	d->obj = l.obj;
	d->fd = s->fd;
	mapper_add(t->tgid);
	emit_map(s, d, &c);
}

static __always_inline void mremap_exit(struct thread *s, struct done *d)
{
	struct change c = {
		.old_start = s->arg,
		.old_end = s->arg + ((s->arg2 + PAGE_MASK) & ~PAGE_MASK),
		.start = (__u64)d->ret,
		.end = (__u64)d->ret + (((__u64)s->mtype + PAGE_MASK) & ~PAGE_MASK),
		.moves = 1,
		.keeps = s->bytes || !s->arg2, /* length 0 makes a second mapping */
	};
	emit_map(s, d, &c);
}

static __always_inline void memfd_exit(struct task_struct *t, struct thread *s, struct done *d)
{
	void *file = fd_file(t, (__s32)d->ret);
	struct look l = {};
	if (file)
		look_mapped(t, file, &l);
	if (!l.obj)
		return;
	describe_memory(&l, 0, t->tgid, (__s32)d->ret, RAW_NEW);
	d->obj = l.obj;
	d->fd = (__s32)d->ret;
	emit_io(s, d);
}

APART void map_exit(struct task_struct *t, struct thread *s, __u8 class,
				     struct done *d)
{
	d->fd = -1;
	if (d->ret < 0 && d->ret >= -4095)
		return; /* nothing changed, and what it was about is not known */
	if (class == CALL_MMAP) {
		mmap_exit(t, s, d);
	} else if (class == CALL_MUNMAP) {
		struct change c = {
			.old_start = s->arg,
			.old_end = s->arg + (((__u64)s->mtype + PAGE_MASK) & ~PAGE_MASK),
		};
		emit_map(s, d, &c);
	} else if (class == CALL_MREMAP) {
		mremap_exit(s, d);
	} else {
		memfd_exit(t, s, d);
	}
}

/* shmat and shmdt, once they have succeeded: a segment is mapped like any other memory. */
APART void shm_exit(struct task_struct *t, struct thread *s, __u8 class,
				     struct done *d)
{
	struct change c = {};
	struct mapped m = {};
	if (class == CALL_SHMDT) {
		c.old_start = s->arg;
		c.old_end = s->arg + 1;
		c.whole = 1;
	} else {
		bpf_find_vma(t, (__u64)d->ret, mapped_vma, &m, 0);
		c.old_start = c.start = (__u64)d->ret;
		c.old_end = c.end = m.end > c.start ? m.end : c.start + 1;
		c.dir = s->arg & SHM_RDONLY ? ENDPOINT_DIR_READ
					    : ENDPOINT_DIR_READ | ENDPOINT_DIR_WRITE;
		mapper_add(t->tgid);
	}
	emit_map(s, d, &c);
}

/* An object of POSIX shared memory, opened by the name that shm_open and sem_open make of theirs. */
static __always_inline bool is_shm_path(__u64 path)
{
	char p[16] = {};
	const char want[] = "/dev/shm/";
	if (!path || bpf_probe_read_user(p, sizeof(want) - 1, (void *)path))
		return false;
	for (unsigned int i = 0; i < sizeof(want) - 1; i++)
		if (p[i] != want[i])
			return false;
	return true;
}

__noinline int shm_open_exit(struct thread *s, struct done *d)
{
	if (!s || !d || !is_shm_path(s->arg))
		return 0;
	struct task_struct *t = bpf_get_current_task_btf();
	void *file = fd_file(t, (__s32)d->ret);
	struct look l = {};
	if (!file || !is_memory_file(file))
		return 0;
	look_mapped(t, file, &l);
	describe_mapped(t, &l, (__s32)d->ret, d->now);
	d->obj = l.obj;
	d->fd = (__s32)d->ret;
	emit_io(s, d);
	return 0;
}

#endif
