/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * More of the kernel's structures, as bpf/kernel.h declares them: what the wait-graph iterators read
 * and nothing else does. All carry the suffix ___w, which CO-RE ignores, so that kernel.h may have the
 * same ones.
 */
#ifndef IPCTAP_BPF_WAITS_KERNEL_H
#define IPCTAP_BPF_WAITS_KERNEL_H

#include "kernel.h"

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct list_head___w {
	struct list_head___w *next;
};
struct refcount_struct___w {
	atomic_t refs;
};
typedef struct refcount_struct___w refcount_t___w;
typedef struct {
	__s64 counter;
} atomic64_t___w;

/* ---- tasks ---- */

struct hrtimer___w {
	__u8 state;
};
struct upid___w {
	int nr;
	struct pid_namespace *ns;
};
struct pid___w {
	unsigned int level;
	struct upid___w numbers[0];
};
struct signal_struct___w {
	struct list_head___w posix_timers; /* an hlist_head since v6.12: 5fa75a432f1a */
	struct hrtimer___w real_timer;
	struct pid___w *pids[4];
};
struct sigaction___w {
	void *sa_handler;
};
struct k_sigaction___w {
	struct sigaction___w sa;
};
struct sighand_struct___w {
	struct k_sigaction___w action[64];
};
struct sem_undo_list;
struct sysv_sem___w {
	struct sem_undo_list *undo_list;
};
struct rt_mutex_base___w {
	void *owner; /* a task; its lowest bit says that there are waiters */
};
struct rt_mutex_waiter___w {
	struct rt_mutex_base___w *lock; /* struct rt_mutex before v5.15, with the same field */
};
struct restart_block___w {
	void *fn;
};
struct thread_struct___w {
	unsigned long fsbase;
};
struct files_struct___w {
	atomic_t count;
};
struct seccomp___w {
	int mode;
};
struct task_struct___w {
	struct thread_info thread_info;
	unsigned int __state;
	unsigned int flags;
	unsigned int ptrace;
	int exit_state;
	int on_cpu;
	int pid;
	int tgid;
	unsigned long nvcsw, nivcsw;
	__u64 start_time;
	char comm[16];
	struct mm_struct *mm;
	struct task_struct___w *real_parent;
	struct task_struct___w *parent;
	struct task_struct___w *group_leader;
	struct signal_struct___w *signal;
	struct sighand_struct___w *sighand;
	struct files_struct___w *files;
	struct nsproxy *nsproxy;
	struct pid___w *thread_pid;
	struct sched_info sched_info;
	struct sysv_sem___w sysvsem;
	struct rt_mutex_waiter___w *pi_blocked_on;
	struct restart_block___w restart_block;
	int *clear_child_tid;
	struct seccomp___w seccomp;
	void *vfork_done;
	void *worker_private; /* of an io_uring's worker: struct io_worker; v5.17: e32cf5dfbe22 */
	struct thread_struct___w thread;
};
struct pt_regs___w {
	unsigned long r10, r9, r8, dx, si, di, orig_ax, sp;
};

/* ---- files ---- */

typedef struct {
	atomic64_t___w refcnt; /* one less than the number of references */
} file_ref_t___w;
struct file_lock_context___w {
	struct list_head___w flc_flock;
	struct list_head___w flc_posix;
};
struct inode___w {
	__u16 i_mode;
	__u32 i_rdev;
	unsigned long i_ino;
	unsigned int i_nlink;
	struct super_block *i_sb;
	struct file_lock_context___w *i_flctx;
};
struct qstr___w {
	const unsigned char *name;
};
struct dentry___w {
	struct qstr___w d_name;
};
struct path___w {
	struct dentry___w *dentry;
};
struct file___w {
	unsigned int f_mode;
	unsigned int f_flags;
	struct inode___w *f_inode;
	struct path___w f_path;
	void *private_data;
	file_ref_t___w f_ref; /* v6.13: 90ee6ed776c0; f_count before */
};
struct file___old {
	atomic64_t___w f_count;
};

struct file_lock_core___w { /* v6.9: 587a67b6830b; before, part of struct file_lock___w */
	struct list_head___w flc_list;
	struct list_head___w flc_blocked_requests;
	struct list_head___w flc_blocked_member;
	void *flc_owner;
	unsigned int flc_flags;
	unsigned char flc_type;
	int flc_pid;
	void *flc_file;
};
struct file_lock___w {
	struct file_lock_core___w c;
	long long fl_start;
	long long fl_end;
};
struct file_lock___old {
	struct list_head___w fl_list;
	struct list_head___w fl_blocked_requests;
	struct list_head___w fl_blocked_member;
	void *fl_owner;
	unsigned int fl_flags;
	unsigned char fl_type;
	unsigned int fl_pid;
	void *fl_file;
	long long fl_start;
	long long fl_end;
};

/* ---- io_uring ---- */

struct io_uring___w {
	__u32 head;
};
struct io_rings___w {
	struct io_uring___w cq;
};
struct io_rsrc_node___w {
	unsigned long file_ptr; /* its low bits are flags */
};
struct io_rsrc_data___w {
	unsigned int nr;
	struct io_rsrc_node___w **nodes;
};
struct io_file_table___w {
	struct io_rsrc_data___w data;
};
struct io_file_table___old {
	void *files; /* an array of words like file_ptr */
};
struct io_hash_bucket___w {
	struct list_head___w list; /* an hlist_head */
};
struct io_hash_table___w {
	struct io_hash_bucket___w *hbs;
	unsigned int hash_bits;
};
struct io_ring_ctx___w {
	struct io_rings___w *rings;
	unsigned int cached_sq_head, cached_cq_tail;
	struct io_file_table___w file_table;
	struct io_hash_table___w cancel_table;
	struct list_head___w timeout_list;
};
struct io_ring_ctx___old {
	struct io_file_table___old file_table;
	unsigned int nr_user_files;
	struct io_hash_table___w cancel_table_locked;
};
struct io_kiocb___w {
	struct file___w *file;
	__u8 opcode;
	__u64 flags; /* 32 bits before v6.9; the bit that is read is the first */
	struct list_head___w hash_node; /* an hlist_node */
};
struct io_worker___w {
	void *cur_work; /* NULL: idle */
};

struct pipe_inode_info___w {
	unsigned int head, tail, max_usage;
	unsigned int readers, writers;
};

/* ---- sockets ---- */

struct sk_buff___w {
	struct sk_buff___w *next;
	char cb[48];
};
struct sk_buff_head___w {
	struct sk_buff___w *next; /* in an anonymous union on newer kernels: the same offset */
	__u32 qlen;
};
struct sock___w {
	struct sock_common __sk_common;
	struct socket *sk_socket;
	struct sk_buff_head___w sk_receive_queue;
	refcount_t___w sk_wmem_alloc;
	int sk_sndbuf;
	long sk_rcvtimeo;
	long sk_sndtimeo;
	__u8 sk_shutdown;
	__u32 sk_ack_backlog;
	__u32 sk_max_ack_backlog;
	__u16 sk_type;
	__u16 sk_protocol;
};
struct unix_sock___w {
	struct sock___w sk;
	struct sock___w *peer;
	struct sock___w *listener; /* v6.10: aed6ecef55d7 */
};
struct scm_fp_list___w {
	short count;
	void *fp[253];
};
struct unix_skb_parms___w {
	struct scm_fp_list___w *fp;
};

/* ---- System V and POSIX queues ---- */

struct sem___w {
	int semval;
	struct pid___w *sempid;
};
struct kern_ipc_perm___w {
	int id;
	int key;
};
struct sem_array___w {
	struct kern_ipc_perm___w sem_perm;
	struct list_head___w list_id;
	int sem_nsems;
	struct sem___w sems[0];
};
struct sem_undo___w {
	struct sem_undo_list *ulp;
	struct list_head___w list_id;
	short semadj[0]; /* a pointer in v6.1 still; of another kind, so that it does not count as there */
};
struct sem_undo___old {
	short *semadj;
};
struct msg_queue___w {
	struct kern_ipc_perm___w q_perm;
	unsigned long q_cbytes, q_qnum, q_qbytes;
	struct pid___w *q_lspid;
	struct pid___w *q_lrpid;
};
struct mq_attr___w {
	long mq_maxmsg, mq_curmsgs;
};
struct mqueue_inode_info___w {
	struct inode___w vfs_inode;
	struct mq_attr___w attr;
};

struct bpf_iter__unix {
	struct bpf_iter_meta *meta;
	struct unix_sock___w *unix_sk;
};

#pragma clang attribute pop

#define PF_IO_WORKER 0x10 /* v5.12: cc440e8738e5 */
#define REQ_F_FIXED_FILE 1
#define MQUEUE_MAGIC 0x19800202
#define IPPROTO_TCP 6
#define S_IFREG 0100000
#define S_IFDIR 0040000
#define S_IFCHR 0020000
#define FL_OFDLCK 1024
#define F_WRLCK 1
#define HRTIMER_ENQUEUED 1
#define PIDTYPE_PGID 2
#define SECCOMP_MODE_FILTER 2
#define SIGCHLD 17

#endif
