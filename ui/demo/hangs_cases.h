/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The cases of hangs.h, by mechanism. Each is a `run` of its table in hangs.c, which says what is wrong
 * with it: it runs in a worker of its own and never returns.
 */
#ifndef IPCTAP_UI_DEMO_HANGS_CASES_H
#define IPCTAP_UI_DEMO_HANGS_CASES_H

/* hangs_pipes.c */
void case_eof_self(void);
void case_popen_both(void);
void case_feed_cat(void);
void case_wait_undrained(void);
void case_vfork_pipe(void);
void case_ring_of_three(void);
void case_with_alarm(void);
void case_grand(void);
void case_slow(void);
void case_one_live_saves(void);
void case_cron(void);
void case_fifo_opposite(void);
void case_fifo_server(void);
void case_eventfd_pair(void);

/* hangs_holders.c */
void case_fd_in_flight(void);
void case_uring_fixed(void);
void case_uring_keeper(void);
void case_uring_write(void);
void case_thread_table(void);

/* hangs_saved.c */
void case_poll_hangup(void);
void case_memfd_keeper(void);
void case_eventfd_aio(void);
void case_asked_first(void);
void case_page_fetched(void);
void case_same_number(void);
void case_child_handler(void);
void case_child_signalfd(void);

/* hangs_sockets.c */
void case_unix_send(void);
void case_dgram_send(void);
void case_tcp_send(void);
void case_unix_recv(void);
void case_tcp_recv(void);
void case_poll_pair(void);
void case_epoll_pair(void);
void case_poll_stopped(void);
void case_socket_timeout(void);
void case_tcp_patience(void);
void case_epoll_timerfd(void);
void case_poll_deadline(void);
void case_dgram_fanin(void);
void case_dgram_sendto(void);
void case_connect_full(void);
void case_tcp_window(void);
void case_idle_server(void);

/* hangs_mutexes.c */
void case_mutex_abba(void);
void case_robust_abba(void);
void case_pi_abba(void);
void case_threads_abba(void);
void case_mutex_self(void);
void case_stdio_lock(void);
void case_owner_died(void);
void case_robust_died(void);
void case_stopped_owner(void);
void case_busy(void);
void case_fork_held(void);
void case_fork_printf(void);
void case_popen_handler(void);
void case_join_cycle(void);

/* hangs_conds.c */
void case_sem_t_abba(void);
void case_sem_handler(void);
void case_worker_sem(void);
void case_cond_lost(void);
void case_cond_shared(void);
void case_pool_own_queue(void);
void case_pool_idle(void);
void case_rwlock_paused(void);
void case_rwlock_again(void);
void case_rwlock_writer(void);
void case_barrier_short(void);
void case_futex_many(void);

/* hangs_locks.c */
void case_flock_abba(void);
void case_ofd_abba(void);
void case_fcntl_abba(void);
void case_ofd_offset(void);
void case_fcntl_upgrade(void);
void case_ofd_upgrade(void);
void case_flock_heir(void);
void case_flock_upgrade(void);

/* hangs_queues.c */
void case_philosophers(void);
void case_philosophers_bare(void);
void case_sem_partial(void);
void case_sem_feeder(void);
void case_philosophers_and(void);
void case_msg_own(void);
void case_msg_full(void);
void case_msg_type(void);
void case_mq_full(void);

#endif
