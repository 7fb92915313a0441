// SPDX-License-Identifier: GPL-2.0-or-later
#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>
#include <cmocka.h>

#include "lib/base/escape.h"

static void assert_escaped(const char *src, const char *expected)
{
	char out[256];
	assert_int_equal(escape_text(out, sizeof(out), src, SIZE_MAX), strlen(expected));
	assert_string_equal(out, expected);
}

static void plain_text_is_left_alone(void **state)
{
	(void)state;
	assert_escaped("", "");
	assert_escaped("/run/user/1000/bus @abstract a b", "/run/user/1000/bus @abstract a b");
	assert_escaped("Grüße, Привет, 日本語, 😀", "Grüße, Привет, 日本語, 😀");
}

static void control_bytes_become_visible(void **state)
{
	(void)state;
	assert_escaped("a\tb\nc\r", "a\\x09b\\x0Ac\\x0D");
	assert_escaped("\033[31mred\033]0;title\a", "\\x1B[31mred\\x1B]0;title\\x07");
	assert_escaped("\x01\x1f\x7f", "\\x01\\x1F\\x7F");
	assert_escaped("\302\233"
		       "31m",
		       "\\u{9B}31m"); /* CSI as one C1 character */
	assert_escaped("\233"
		       "31m",
		       "\\x9B31m"); /* and as one byte */
}

static void a_backslash_cannot_forge_an_escape(void **state)
{
	(void)state;
	assert_escaped("\\x1B", "\\\\x1B");
	assert_escaped("C:\\", "C:\\\\");
}

static void invisible_and_bidi_characters_become_visible(void **state)
{
	(void)state;
	assert_escaped("a\342\200\256b", "a\\u{202E}b"); /* right-to-left override */
	assert_escaped("\342\201\246\342\201\251", "\\u{2066}\\u{2069}"); /* isolates */
	assert_escaped("\330\234", "\\u{61C}");
	assert_escaped("\342\200\213\357\273\277", "\\u{200B}\\u{FEFF}");
	assert_escaped("\342\200\250", "\\u{2028}");
	assert_escaped("\363\240\200\201", "\\u{E0001}"); /* a tag */
	assert_escaped("\357\277\277", "\\u{FFFF}");
}

static void invalid_utf8_is_shown_byte_by_byte(void **state)
{
	(void)state;
	assert_escaped("\xff\xfe", "\\xFF\\xFE");
	assert_escaped("\x80", "\\x80");
	assert_escaped("\xc3", "\\xC3"); /* cut off */
	assert_escaped("\xe2\x82", "\\xE2\\x82");
	assert_escaped("\xc0\xaf", "\\xC0\\xAF"); /* overlong '/' */
	assert_escaped("\xe0\x80\x9b", "\\xE0\\x80\\x9B");
	assert_escaped("\xed\xa0\x80", "\\xED\\xA0\\x80");          /* a surrogate */
	assert_escaped("\xf4\x90\x80\x80", "\\xF4\\x90\\x80\\x80"); /* above U+10FFFF */
	assert_escaped("\xc3(", "\\xC3(");
}

static void src_max_bounds_the_reading(void **state)
{
	(void)state;
	char out[64];
	static const char comm[4] = {'a', 'b', 'c', 'd'}; /* no NUL: nothing past it may be read */
	assert_int_equal(escape_text(out, sizeof(out), comm, sizeof(comm)), 4);
	assert_string_equal(out, "abcd");
	escape_text(out, sizeof(out), "\342\202\254", 2); /* the bound cuts the character */
	assert_string_equal(out, "\\xE2\\x82");
	assert_int_equal(escape_text(out, sizeof(out), "x", 0), 0);
	assert_string_equal(out, "");
}

static void any_size_of_buffer_is_respected(void **state)
{
	(void)state;
	static const char src[] = "a\033\342\200\256é\\😀";
	char whole[128];
	size_t full = escape_text(whole, sizeof(whole), src, SIZE_MAX);
	for (size_t size = 0; size <= full + 2; size++) {
		char *dst = malloc(size + 1);
		dst[size] = '#';
		size_t n = escape_text(dst, size, src, SIZE_MAX);
		assert_int_equal(dst[size], '#');
		if (size > 0) {
			assert_true(n < size);
			assert_int_equal(strlen(dst), n);
			assert_int_equal(strncmp(dst, whole, n), 0);
		} else {
			assert_int_equal(n, 0);
		}
		free(dst);
	}
	escape_text(whole, 4, "ab\033",
		    SIZE_MAX); /* an escape that does not fit is left out whole */
	assert_string_equal(whole, "ab");
}

/* The C library's own decoder and tables judge random bytes after they went through. */
static void random_bytes_come_out_printable(void **state)
{
	(void)state;
	if (!setlocale(LC_CTYPE, "C.UTF-8"))
		skip();
	srandom(5);
	for (int round = 0; round < 20000; round++) {
		char src[40], out[ESCAPE_SIZE(sizeof(src))];
		for (size_t i = 0; i < sizeof(src); i++)
			src[i] =
			    (char)(round % 2 ? random() % 255 + 1
					     : "\xe2\x80\xae\xc2\x9b\x1b\xf3\xa0"[random() % 8]);
		size_t n = escape_text(out, sizeof(out), src, sizeof(src)), at = 0;
		assert_true(n >= sizeof(src));
		mbstate_t mb = {0};
		while (at < n) {
			wchar_t wc;
			size_t len = mbrtowc(&wc, out + at, n - at, &mb);
			assert_true(len > 0 && len <= 4);
			assert_false(wc < 0x20 || (wc >= 0x7f && wc < 0xa0));
			assert_false((wc >= 0x202a && wc <= 0x202e) ||
				     (wc >= 0x2066 && wc <= 0x2069));
			at += len;
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(plain_text_is_left_alone),
	    cmocka_unit_test(control_bytes_become_visible),
	    cmocka_unit_test(a_backslash_cannot_forge_an_escape),
	    cmocka_unit_test(invisible_and_bidi_characters_become_visible),
	    cmocka_unit_test(invalid_utf8_is_shown_byte_by_byte),
	    cmocka_unit_test(src_max_bounds_the_reading),
	    cmocka_unit_test(any_size_of_buffer_is_respected),
	    cmocka_unit_test(random_bytes_come_out_printable),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
