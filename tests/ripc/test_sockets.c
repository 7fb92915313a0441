// SPDX-License-Identifier: GPL-2.0-or-later
/* Socket servers and clients: TCP and UDP, IPv4 and IPv6, limits, and how they stop. */
#include "children.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "lib/ripc/ripc_socket.h"

static void echo(struct ripc_peer *peer, void *arg)
{
	char buf[2048];
	ssize_t n;

	(void)arg;
	while ((n = ripc_receive(peer, buf, sizeof(buf))) > 0)
		if (ripc_send(peer, buf, (size_t)n) < 0)
			break;
}

static struct ripc_server *server_new(const char *host, int type, unsigned int max)
{
	struct ripc_server_options o = {.serve = echo, .type = type, .max_clients = max};
	struct ripc_server *s;

	assert_int_equal(ripc_server_start(&s, host, 0, &o), 0);
	assert_true(ripc_server_port(s) > 0);
	return s;
}

static struct ripc_peer *client_new(struct ripc_server *s, const char *host, int type)
{
	struct ripc_peer *p;

	assert_int_equal(ripc_connect(&p, host, ripc_server_port(s), type, 5000), 0);
	return p;
}

static void ask(struct ripc_peer *p, const char *text)
{
	char buf[64];

	assert_int_equal(ripc_send(p, text, strlen(text)), 0);
	assert_int_equal(ripc_receive(p, buf, sizeof(buf)), strlen(text));
	assert_memory_equal(buf, text, strlen(text));
}

static bool has_ipv6(void)
{
	struct sockaddr_in6 a = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
	int fd = socket(AF_INET6, SOCK_DGRAM, 0);
	bool has = fd >= 0 && bind(fd, (struct sockaddr *)&a, sizeof(a)) == 0;

	if (fd >= 0)
		close(fd);
	return has;
}

static void each_form(void **state)
{
	static const int types[] = {SOCK_STREAM, SOCK_DGRAM};
	static const char *const hosts[] = {"127.0.0.1", "::1"};

	(void)state;
	for (int h = 0; h < (has_ipv6() ? 2 : 1); h++) {
		for (int t = 0; t < 2; t++) {
			struct ripc_server *s = server_new(hosts[h], types[t], 0);
			struct ripc_peer *p[3];
			struct ripc_server_counts c;

			for (int i = 0; i < 3; i++)
				p[i] = client_new(s, hosts[h], types[t]);
			for (int round = 0; round < 3; round++)
				for (int i = 0; i < 3; i++)
					ask(p[i], i ? "one" : "zero");
			assert_non_null(strstr(ripc_peer_name(p[0]), hosts[h]));
			ripc_server_counts(s, &c);
			assert_int_equal(c.served, 3);
			assert_int_equal(c.now, 3);
			assert_int_equal(c.dropped, 0);
			for (int i = 0; i < 3; i++)
				ripc_close(p[i]);
			/* TCP's clients have said goodbye, UDP's cannot */
			assert_int_equal(ripc_server_stop(s, t ? 0 : 5000), t ? 3 : 0);
		}
	}
}

/* A network of its own, of which only loopback is there. */
static bool own_network(void)
{
	struct ifreq lo = {.ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING};
	int fd;
	bool up;

	if (unshare(CLONE_NEWNET) < 0)
		return false;
	fd = socket(AF_INET, SOCK_DGRAM, 0);
	up = fd >= 0 && ioctl(fd, SIOCSIFFLAGS, &lo) == 0;
	close(fd);
	return up;
}

static void name_back(struct ripc_peer *peer, void *arg)
{
	char c;

	(void)arg;
	while (ripc_receive(peer, &c, 1) > 0)
		ripc_send(peer, ripc_peer_name(peer), strlen(ripc_peer_name(peer)));
}

/* 0; 77: not possible here */
static int serve_both(int type)
{
	static const char *const hosts[] = {"127.0.0.1", "::1"};
	static const char *const names[] = {"127.0.0.1:", "[::1]:"};
	struct ripc_server_options o = {.serve = name_back, .type = type};
	struct ripc_server *s;

	if (!own_network())
		return 77;
	CHECK(ripc_server_start(&s, "::", 0, &o) == 0);
	for (int h = 0; h < 2; h++) {
		struct ripc_peer *p;
		char name[64] = "";

		CHECK(ripc_connect(&p, hosts[h], ripc_server_port(s), type, 5000) == 0);
		CHECK(ripc_send(p, "?", 1) == 0);
		CHECK(ripc_receive(p, name, sizeof(name) - 1) > 0);
		CHECK(strncmp(name, names[h], strlen(names[h])) == 0);
		ripc_close(p);
	}
	ripc_server_stop(s, 100);
	return 0;
}

static void one_server_for_both(void **state)
{
	static const int types[] = {SOCK_STREAM, SOCK_DGRAM};

	(void)state;
	if (!has_ipv6())
		skip();
	for (int t = 0; t < 2; t++) {
		int status;
		pid_t pid = fork();

		if (pid == 0)
			_exit(serve_both(types[t]));
		assert_int_equal(waitpid(pid, &status, 0), pid);
		if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
			skip();
		assert_int_equal(status, 0);
	}
}

static void errors(void **state)
{
	struct ripc_server_options o = {.serve = echo, .type = SOCK_STREAM};
	struct ripc_server *s, *s2;
	struct ripc_peer *p;
	uint16_t port;

	(void)state;
	s = server_new(NULL, SOCK_STREAM, 0);
	port = ripc_server_port(s);
	assert_int_equal(ripc_server_start(&s2, NULL, port, &o), -EADDRINUSE);
	assert_null(s2);
	ripc_server_stop(s, 0);
	assert_int_equal(ripc_connect(&p, "127.0.0.1", port, SOCK_STREAM, 1000), -ECONNREFUSED);
	assert_null(p);
	assert_int_equal(ripc_connect(&p, "127.0.0.1", port, SOCK_RAW, 1000), -EINVAL);
	o.type = 77;
	assert_int_equal(ripc_server_start(&s, NULL, 0, &o), -EINVAL);
	o.type = SOCK_STREAM;
	o.serve = NULL;
	assert_int_equal(ripc_server_start(&s, NULL, 0, &o), -EINVAL);
	ripc_close(NULL);
	assert_int_equal(ripc_server_stop(NULL, 0), 0);
}

static void more_clients_than_allowed_wait(void **state)
{
	struct ripc_server *s = server_new(NULL, SOCK_STREAM, 1);
	struct ripc_peer *a = client_new(s, "127.0.0.1", SOCK_STREAM), *b;
	char c;

	(void)state;
	ask(a, "first");
	b = client_new(s, "127.0.0.1", SOCK_STREAM); /* in the kernel's queue */
	assert_int_equal(ripc_send(b, "x", 1), 0);
	assert_int_equal(ripc_set_timeout(b, 100), 0);
	assert_int_equal(ripc_receive(b, &c, 1), -ETIMEDOUT);
	ripc_close(a);
	assert_int_equal(ripc_set_timeout(b, 5000), 0);
	assert_int_equal(ripc_receive(b, &c, 1), 1);
	ripc_close(b);
	ripc_server_stop(s, 1000);
}

static void more_udp_clients_than_allowed_are_counted(void **state)
{
	struct ripc_server *s = server_new(NULL, SOCK_DGRAM, 1);
	struct ripc_peer *a = client_new(s, "127.0.0.1", SOCK_DGRAM),
			 *b = client_new(s, "127.0.0.1", SOCK_DGRAM);
	struct ripc_server_counts counts;
	char c;

	(void)state;
	ask(a, "first");
	assert_int_equal(ripc_send(b, "x", 1), 0);
	assert_int_equal(ripc_set_timeout(b, 100), 0);
	assert_int_equal(ripc_receive(b, &c, 1), -ETIMEDOUT);
	ripc_server_counts(s, &counts);
	assert_int_equal(counts.dropped, 1);
	ripc_close(a);
	ripc_close(b);
	ripc_server_stop(s, 0);
}

static void datagrams_keep_their_boundaries(void **state)
{
	struct ripc_server *s = server_new(NULL, SOCK_DGRAM, 0);
	struct ripc_peer *p = client_new(s, "127.0.0.1", SOCK_DGRAM);
	static char big[70000], buf[8];

	(void)state;
	ask(p, "a");
	ask(p, "bcd");
	assert_int_equal(ripc_send(p, big, sizeof(big)), -EMSGSIZE);
	assert_int_equal(ripc_send(p, "0123456789", 10), 0);
	assert_int_equal(ripc_receive(p, buf, 8), 8); /* the rest is lost */
	assert_int_equal(ripc_receive_all(p, buf, 8), -EINVAL);
	ask(p, "next");
	ripc_close(p);
	ripc_server_stop(s, 0);
}

static void stop_cuts_off_who_does_not_finish(void **state)
{
	struct ripc_server *s = server_new(NULL, SOCK_STREAM, 0);
	struct ripc_peer *p[4];
	int64_t t;
	char c;

	(void)state;
	for (int i = 0; i < 4; i++) {
		p[i] = client_new(s, "127.0.0.1", SOCK_STREAM);
		ask(p[i], "hello");
	}
	ripc_close(p[0]);
	t = test_now_ms();
	assert_int_equal(ripc_server_stop(s, 200), 3);
	assert_in_range(test_now_ms() - t, 190, 3000);
	for (int i = 1; i < 4; i++) {
		assert_int_equal(ripc_receive(p[i], &c, 1), 0);
		ripc_close(p[i]);
	}
}

static void *close_soon(void *arg)
{
	struct timespec ms = {.tv_nsec = 50 * 1000000};

	nanosleep(&ms, NULL);
	ripc_close(arg);
	return NULL;
}

static void stop_lets_clients_finish(void **state)
{
	struct ripc_server *s = server_new(NULL, SOCK_STREAM, 0);
	struct ripc_peer *p = client_new(s, "127.0.0.1", SOCK_STREAM);
	pthread_t t;

	(void)state;
	ask(p, "hello");
	pthread_create(&t, NULL, close_soon, p);
	assert_int_equal(ripc_server_stop(s, 10000), 0);
	pthread_join(t, NULL);
}

static void half_a_message_is_told(void **state)
{
	struct ripc_server *s = server_new(NULL, SOCK_STREAM, 0);
	struct ripc_peer *p = client_new(s, "127.0.0.1", SOCK_STREAM);
	char buf[8];

	(void)state;
	assert_int_equal(ripc_send(p, "abc", 3), 0);
	assert_int_equal(ripc_send_end(p), 0);
	assert_int_equal(ripc_receive_all(p, buf, 8), -EPIPE);
	assert_int_equal(ripc_receive_all(p, buf, 8), 0);
	ripc_close(p);
	ripc_server_stop(s, 1000);
}

static void *receives(void *p)
{
	char c;

	return (void *)(intptr_t)ripc_receive(p, &c, 1);
}

static void a_cut_ends_another_threads_wait(void **state)
{
	(void)state;
	for (int i = 0; i < 20; i++) { /* before, in and after the wait */
		struct ripc_server *s = server_new(NULL, SOCK_STREAM, 0);
		struct ripc_peer *p = client_new(s, "127.0.0.1", SOCK_STREAM);
		pthread_t t;
		void *r;

		pthread_create(&t, NULL, receives, p);
		if (i % 2)
			sched_yield();
		ripc_cut(p);
		pthread_join(t, &r);
		assert_int_equal((intptr_t)r, -ESHUTDOWN);
		assert_int_equal(ripc_send(p, "x", 1), -ESHUTDOWN);
		ripc_close(p);
		assert_int_equal(ripc_server_stop(s, 5000), 0); /* the server's side has come to its end */
	}
}

static void child_dies_talking(void *arg)
{
	struct ripc_peer *p = client_new(arg, "127.0.0.1", SOCK_STREAM);

	ask(p, "hello");
	raise(SIGKILL);
}

static void killed_clients_end_their_threads(void **state)
{
	struct ripc_server *s = server_new(NULL, SOCK_STREAM, 8);

	(void)state;
	for (int i = 0; i < 50; i++)
		assert_int_equal(end_of_child(start_child(child_dies_talking, s)), 128 + SIGKILL);
	assert_int_equal(ripc_server_stop(s, 5000), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(each_form),
	    cmocka_unit_test(one_server_for_both),
	    cmocka_unit_test(errors),
	    cmocka_unit_test(more_clients_than_allowed_wait),
	    cmocka_unit_test(more_udp_clients_than_allowed_are_counted),
	    cmocka_unit_test(datagrams_keep_their_boundaries),
	    cmocka_unit_test(stop_cuts_off_who_does_not_finish),
	    cmocka_unit_test(stop_lets_clients_finish),
	    cmocka_unit_test(half_a_message_is_told),
	    cmocka_unit_test(a_cut_ends_another_threads_wait),
	    cmocka_unit_test(killed_clients_end_their_threads),
	};

	return cmocka_run_group_tests(tests, objects_setup, objects_teardown);
}
