/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel's structures, as far as the probes read them. Only the fields in use are declared,
 * in any order: every access is relocated (CO-RE) against the BTF of the running kernel.
 */
#ifndef IPCTAP_BPF_KERNEL_H
#define IPCTAP_BPF_KERNEL_H

#include <linux/types.h>

typedef _Bool bool;
#define true 1
#define false 0
#define NULL ((void *)0)

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

typedef struct {
	int counter;
} atomic_t;

/* ---- tasks ---- */

struct thread_info {
	__u32 status; /* x86: TS_COMPAT */
};

struct kernfs_node {
	__u64 id;
};

struct cgroup {
	int level;
	struct kernfs_node *kn;
	struct cgroup *ancestors[0]; /* v6.1: 7f203bc89eb6; before, ancestor_ids[] */
};

struct css_set {
	struct cgroup *dfl_cgrp;
};

struct ns_common {
	unsigned int inum;
};

struct ipc_namespace;
struct xarray {
	void *xa_head;
};
struct idr {
	struct xarray idr_rt;
};
struct xa_node {
	unsigned char shift;
	void *slots[64];
};
struct pid_namespace {
	struct idr idr;
	struct ns_common ns;
};
struct net {
	struct ns_common ns;
};
struct nsproxy {
	struct ipc_namespace *ipc_ns;
};

struct upid {
	int nr;
	struct pid_namespace *ns;
};
struct hlist_node {
	struct hlist_node *next;
};
struct hlist_head {
	struct hlist_node *first;
};
struct pid {
	unsigned int level;
	struct hlist_head tasks[4];
	struct upid numbers[0];
};

struct kernel_siginfo {
	int si_code;
};

struct signal_struct {
	atomic_t live;
	int group_exit_code;
};

struct mm_struct {
	unsigned long arg_start;
	unsigned long arg_end;
};

struct sched_info {
	unsigned long long last_arrival;
};

struct restart_block {
	void *fn;
};

struct files_struct;
struct task_struct {
	struct thread_info thread_info;
	unsigned int __state;
	unsigned int flags;
	int on_cpu;
	int pid;
	int tgid;
	int exit_code;
	__u64 start_time;
	char comm[16];
	struct mm_struct *mm;
	struct task_struct *real_parent;
	struct task_struct *group_leader;
	struct signal_struct *signal;
	struct files_struct *files;
	struct nsproxy *nsproxy;
	struct pid *thread_pid;
	struct hlist_node pid_links[4];
	struct css_set *cgroups;
	struct sched_info sched_info;
	struct restart_block restart_block;
};

/* before v5.14 (2f064a59a11f) the field was `state`: such kernels have no bpf_loop either */

struct linux_binprm {
	const char *filename;
};

struct pt_regs {
	unsigned long r10, r9, r8, dx, si, di, orig_ax;
};

/* ---- files ---- */

struct super_block {
	unsigned long s_magic;
	__u32 s_dev;
};

struct inode {
	__u16 i_mode;
	__u32 i_rdev;
	__s64 i_size;
	unsigned long i_ino;
	struct super_block *i_sb;
	void *i_private;
};

struct qstr {
	const unsigned char *name;
};
struct dentry {
	struct dentry *d_parent;
	struct qstr d_name;
};
struct vfsmount {
	struct dentry *mnt_root;
};
struct mount {
	struct mount *mnt_parent;
	struct dentry *mnt_mountpoint;
	struct vfsmount mnt;
};
struct path {
	struct vfsmount *mnt;
	struct dentry *dentry;
};

struct file {
	unsigned int f_mode;
	unsigned int f_flags;
	struct inode *f_inode;
	__s64 f_pos;
	void *private_data;
	struct path f_path;
};

struct fdtable {
	unsigned int max_fds;
	struct file **fd;
	unsigned long *open_fds;
};

struct files_struct {
	atomic_t count;
	struct fdtable *fdt;
};

struct vm_area_struct {
	unsigned long vm_start;
	unsigned long vm_end;
	unsigned long vm_flags;
	unsigned long vm_pgoff;
	struct file *vm_file;
};

/* ---- pipes ---- */

struct pipe_buffer {
	unsigned int offset, len;
};

struct pipe_inode_info {
	unsigned int head;
	unsigned int tail;
	unsigned int ring_size;
	unsigned int max_usage; /* of the ring, what F_SETPIPE_SZ left; v5.5: 6718b6f855a0 */
	struct pipe_buffer *bufs;
};

/* ---- other things behind a descriptor ---- */

struct eventfd_ctx {
	__u64 count;
	int id; /* v5.2: b556db17b0e7 */
};

struct mq_attr {
	long mq_maxmsg, mq_curmsgs;
};
struct mqueue_inode_info {
	struct inode vfs_inode;
	struct mq_attr attr;
	unsigned long qsize; /* bytes of all messages */
};

struct tty_driver {
	int major;
};
struct ktermios {
	__u32 c_iflag, c_oflag, c_cflag, c_lflag;
};
struct tty_struct {
	int index;
	struct tty_driver *driver;
	struct ktermios termios;
	struct tty_struct *link; /* the other end of a pseudo terminal */
};
struct tty_file_private {
	struct tty_struct *tty;
};

/* ---- sockets ---- */

struct in6_addr {
	__u8 s6_bytes[16];
};
typedef struct {
	struct net *net;
} possible_net_t;

struct sock_common {
	__be32 skc_daddr;
	__be32 skc_rcv_saddr;
	__be16 skc_dport;
	__u16 skc_num;
	unsigned short skc_family;
	volatile unsigned char skc_state;
	possible_net_t skc_net;
	struct in6_addr skc_v6_daddr;
	struct in6_addr skc_v6_rcv_saddr;
};

struct sk_buff {
	struct sk_buff *next;
	unsigned int len;
	char cb[48];
};
struct sk_buff_head {
	struct sk_buff *next;
	__u32 qlen;
};
struct unix_skb_parms { /* in sk_buff.cb */
	__u32 consumed;
};

struct socket;
struct sock {
	struct sock_common __sk_common;
	struct socket *sk_socket;
	struct sk_buff_head sk_receive_queue;
	__u16 sk_type;
	__u16 sk_protocol;
	int sk_rcvlowat;
};

struct socket {
	short type;
	struct file *file;
	struct sock *sk;
};

struct sockaddr_un {
	unsigned short sun_family;
	char sun_path[108];
};
struct unix_address {
	int len;
	struct sockaddr_un name[0];
};
struct unix_sock {
	struct sock sk;
	struct unix_address *addr;
	struct sock *peer;
};

struct udp_sock {
	int pending; /* not 0: what was sent with MSG_MORE waits for the rest */
	__u16 gso_size; /* UDP_SEGMENT as a socket option */
	struct sk_buff_head reader_queue;
};
struct inet_connection_sock {
	void *icsk_ulp_ops;
	__u32 icsk_user_timeout;
};
struct tcp_sock {
	__u32 write_seq;
	__u32 rcv_nxt;
	__u32 copied_seq;
};

struct iov_iter {
	unsigned long count;
};
struct msghdr {
	struct iov_iter msg_iter;
};

/* ---- System V IPC ---- */

struct kern_ipc_perm {
	int id;
	int key;
};

struct ipc_ids {
	struct idr ipcs_idr;
};
struct ipc_namespace {
	struct ipc_ids ids[3]; /* sem, msg, shm */
	struct ns_common ns;
};
struct msg_queue {
	struct kern_ipc_perm q_perm;
	unsigned long q_cbytes, q_qbytes, q_qnum;
};

/* ---- io_uring ---- */

struct io_ring_ctx;
struct io_cqe {
	__u64 user_data;
	int fd;
};
struct io_kiocb {
	struct file *file;
	__u8 opcode;
	__u64 flags; /* of 32 bits before v6.9: only low ones are looked at */
	struct io_cqe cqe;
	struct io_ring_ctx *ctx;
};
/* what lies at the beginning of a request, by opcode */
struct io_splice {
	int splice_fd_in;
	unsigned int flags;
};
struct io_close {
	int fd;
	__u32 file_slot;
};
struct io_accept {
	__u32 file_slot;
};
struct io_socket {
	__u32 file_slot;
};
struct io_sr_msg {
	unsigned int msg_flags;
};
struct io_uring_cqe {
	__u64 user_data;
	__s32 res;
	__u32 flags;
};

/* ---- iterators ---- */

struct seq_file;
struct bpf_iter_meta {
	struct seq_file *seq;
};
struct bpf_iter__task {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
};
struct bpf_iter__task_vma {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
	struct vm_area_struct *vma;
};
struct bpf_iter__task_file {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
	__u32 fd;
	struct file *file;
};

struct list_head {
	struct list_head *next;
};

#pragma clang attribute pop

#define S_IFMT 0170000
#define S_IFSOCK 0140000
#define S_IFIFO 0010000
#define S_IFREG 0100000
#define PIPEFS_MAGIC 0x50495045
#define TMPFS_MAGIC 0x01021994
#define VM_READ 1
#define VM_WRITE 2
#define VM_MAYSHARE 0x80 /* MAP_SHARED; VM_SHARED is cleared where the file cannot be written */
#define S_IFCHR 0020000
#define MQUEUE_MAGIC 0x19800202
#define ANON_INODE_FS_MAGIC 0x09041934
#define O_NONBLOCK 04000
#define O_DIRECT 040000
#define FMODE_READ 1
#define FMODE_WRITE 2
#define PF_KTHREAD 0x00200000
#define PF_EXITING 0x00000004
#define TS_COMPAT 0x0002
#define AF_UNIX 1
#define AF_INET 2
#define AF_INET6 10
#define SOCK_STREAM 1
#define SOCK_DGRAM 2
#define SOCK_SEQPACKET 5
#define IPPROTO_TCP 6
#define IPPROTO_UDP 17
#define IPPROTO_MPTCP 262 /* v5.6: f870fa0b5768 */
#define TCP_ESTABLISHED 1
#define TCP_FIN_WAIT1 4
#define TCP_FIN_WAIT2 5
#define TCP_CLOSE 7
#define TCP_LISTEN 10
#define MSG_PEEK 0x2
#define MSG_TRUNC 0x20
#define MSG_DONTWAIT 0x40
#define MSG_WAITALL 0x100
#define MSG_ERRQUEUE 0x2000

#endif
