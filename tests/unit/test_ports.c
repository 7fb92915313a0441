// SPDX-License-Identifier: GPL-2.0-or-later
/* Which UDP socket gets what is sent to an address. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <arpa/inet.h>
#include <cmocka.h>

#include "collector/ports.h"

#define NS 4026531840u

static void address(__u8 to[16], const char *text)
{
	memset(to, 0, 16);
	if (strchr(text, ':')) {
		assert_int_equal(inet_pton(AF_INET6, text, to), 1);
		return;
	}
	to[10] = to[11] = 0xff;
	assert_int_equal(inet_pton(AF_INET, text, to + 12), 1);
}

static struct raw_object udp(__u64 obj, const char *laddr, __u16 lport, const char *raddr, __u16 rport)
{
	struct raw_object o = { .obj = obj, .kind = KIND_UDP, .ns = NS, .lport = lport, .rport = rport };
	address(o.laddr, laddr);
	address(o.raddr, raddr);
	return o;
}

static void bound(struct ports *p, __u64 obj, const char *laddr, __u16 lport)
{
	struct raw_object o = udp(obj, laddr, lport, "0.0.0.0", 0);
	assert_int_equal(ports_set(p, &o), 0);
}

/* From an unbound socket. */
static __u64 to(const struct ports *p, const char *addr, __u16 port)
{
	struct raw_object from = udp(1000, "0.0.0.0", 9999, "0.0.0.0", 0);
	__u8 a[16];
	address(a, addr);
	return ports_find(p, &from, a, port);
}

static void a_datagram_goes_to_the_socket_at_its_address(void **state)
{
	(void)state;
	struct ports *p = ports_new();
	bound(p, 1, "127.0.0.1", 53);
	bound(p, 2, "127.0.0.53", 53);
	bound(p, 3, "0.0.0.0", 54);
	bound(p, 4, "::", 55);
	bound(p, 5, "0.0.0.0", 0); /* has none yet */
	assert_int_equal(to(p, "127.0.0.1", 53), 1);
	assert_int_equal(to(p, "127.0.0.53", 53), 2);
	assert_int_equal(to(p, "127.0.0.2", 53), 0);
	assert_int_equal(to(p, "10.0.0.1", 54), 3);
	assert_int_equal(to(p, "::1", 54), 0);
	assert_int_equal(to(p, "::1", 55), 4);
	assert_int_equal(to(p, "127.0.0.1", 55), 4);
	assert_int_equal(to(p, "127.0.0.1", 56), 0);
	ports_free(p);
}

static void the_closest_one_gets_it(void **state)
{
	(void)state;
	struct ports *p = ports_new();
	bound(p, 1, "0.0.0.0", 53);
	bound(p, 2, "127.0.0.1", 53);
	struct raw_object c = udp(3, "127.0.0.1", 53, "127.0.0.1", 7777);
	assert_int_equal(ports_set(p, &c), 0);
	assert_int_equal(to(p, "127.0.0.1", 53), 2);
	assert_int_equal(to(p, "127.0.0.9", 53), 1);
	struct raw_object from = udp(4, "127.0.0.1", 7777, "127.0.0.1", 53);
	assert_int_equal(ports_find(p, &from, c.laddr, 53), 3);
	from.ns++;
	assert_int_equal(ports_find(p, &from, c.laddr, 53), 0);
	ports_free(p);
}

static void of_several_alike_none_is_named(void **state)
{
	(void)state;
	struct ports *p = ports_new();
	bound(p, 1, "127.0.0.1", 53);
	bound(p, 2, "127.0.0.1", 53);
	bound(p, 3, "0.0.0.0", 53);
	assert_int_equal(to(p, "127.0.0.1", 53), 0);
	ports_drop(p, 1);
	ports_drop(p, 1);
	assert_int_equal(to(p, "127.0.0.1", 53), 2);
	ports_drop(p, 2);
	assert_int_equal(to(p, "127.0.0.1", 53), 3);
	ports_drop(p, 3);
	assert_int_equal(to(p, "127.0.0.1", 53), 0);
	ports_free(p);
}

static void a_socket_may_get_another_address(void **state)
{
	(void)state;
	struct ports *p = ports_new();
	bound(p, 1, "0.0.0.0", 53);
	bound(p, 1, "127.0.0.1", 54);
	assert_int_equal(to(p, "127.0.0.1", 53), 0);
	assert_int_equal(to(p, "127.0.0.1", 54), 1);
	for (__u64 i = 0; i < 1000; i++)
		bound(p, 10 + i, "127.0.0.1", (__u16)(100 + i % 10));
	for (__u64 i = 0; i < 1000; i += 2)
		ports_drop(p, 10 + i);
	bound(p, 10, "127.0.0.1", 2000);
	assert_int_equal(to(p, "127.0.0.1", 2000), 10);
	ports_free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_datagram_goes_to_the_socket_at_its_address),
	    cmocka_unit_test(the_closest_one_gets_it),
	    cmocka_unit_test(of_several_alike_none_is_named),
	    cmocka_unit_test(a_socket_may_get_another_address),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
