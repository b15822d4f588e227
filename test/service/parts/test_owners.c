/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

/* Subordinate user ids count as whom they are lent to. */

#include <errno.h>
#include <pwd.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "fail_nth.h"
#include "owners.h"

struct passwd *__wrap_getpwnam(const char *name);
struct passwd *
__wrap_getpwnam(const char *name)
{
	static struct passwd pw;

	pw.pw_uid = strcmp(name, "anna") == 0 ? 1001 : 1002;
	return strcmp(name, "anna") == 0 || strcmp(name, "bob") == 0 ? &pw : NULL;
}

/* Read a file with this in it. @return What owners_read() does. */
static int
read_text(const char *text)
{
	char path[] = "/tmp/spimdevd-owners-XXXXXX";
	int fd = mkstemp(path), rc;

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
	rc = owners_read(path);
	unlink(path);
	return rc;
}

static void
test_lent(void **state)
{
	(void)state;
	assert_int_equal(owners_read("/nonexistent"), 0);
	assert_int_equal(owners_of(100000), 100000);
	assert_int_equal(read_text("bob:165536:65536\nanna:100000:65536\n1003:4294967295:1"), 0);
	assert_int_equal(owners_of(0), 0);
	assert_int_equal(owners_of(1001), 1001);
	assert_int_equal(owners_of(99999), 99999);
	assert_int_equal(owners_of(100000), 1001);
	assert_int_equal(owners_of(165535), 1001);
	assert_int_equal(owners_of(165536), 1002);
	assert_int_equal(owners_of(231071), 1002);
	assert_int_equal(owners_of(231072), 231072);
	assert_int_equal(owners_of(4294967294), 4294967294);
	assert_int_equal(owners_of(4294967295), 1003);
	owners_forget();
	assert_int_equal(owners_of(100000), 100000);
}

/* Of what is lent twice the innermost owner counts, and none of it comes back to nobody. */
static void
test_nested(void **state)
{
	(void)state;
	/* What root lends to containers is not root's; each loan is one user. */
	assert_int_equal(read_text("0:100000:65536\n0:200000:65536\n"), 0);
	assert_int_equal(owners_of(0), 0);
	assert_int_equal(owners_of(100000), 100000);
	assert_int_equal(owners_of(165535), 100000);
	assert_int_equal(owners_of(200001), 200000);
	owners_forget();
	assert_int_equal(read_text("anna:100000:1000000\nbob:165536:65536\n1003:165536:10\n"), 0);
	assert_int_equal(owners_of(100000), 1001);
	assert_int_equal(owners_of(165535), 1001);
	assert_int_equal(owners_of(165536), 1003);
	assert_int_equal(owners_of(165545), 1003);
	assert_int_equal(owners_of(165546), 1002);
	assert_int_equal(owners_of(231071), 1002);
	assert_int_equal(owners_of(231072), 1001);
	assert_int_equal(owners_of(1099999), 1001);
	assert_int_equal(owners_of(1100000), 1100000);
	owners_forget();
	/* The order of the lines does not matter. */
	assert_int_equal(read_text("1003:165536:10\nbob:165536:65536\n"), 0);
	assert_int_equal(owners_of(165536), 1003);
	assert_int_equal(owners_of(165546), 1002);
	owners_forget();
}

/* One wrong line is no reason to leave out the others. */
static void
test_wrong_lines(void **state)
{
	(void)state;
	assert_int_equal(read_text("\n# anna:1:1\n:5:5\nanna\nanna:\nanna:7\nanna:7:\nanna::7\n"
			"anna:7:0\nanna:-7:7\nanna:7:7x\nanna:0x7:7\nanna:4294967296:1\n"
			"anna:99999999999999999999:1\nanna:4294967295:2\nnobody-known:7:7\n"
			"bob:7:2:more\n"), 0);
	assert_int_equal(owners_of(5), 5);
	assert_int_equal(owners_of(7), 1002);
	assert_int_equal(owners_of(8), 1002);
	assert_int_equal(owners_of(9), 9);
	assert_int_equal(owners_of(UINT32_MAX), UINT32_MAX);
	owners_forget();
}

static void
test_no_memory(void **state)
{
	(void)state;
	fail_nth_of("reallocarray", 1);
	assert_int_equal(read_text("anna:7:7\n"), -ENOMEM);
	fail_nth_end();
	owners_forget();
	assert_int_equal(fail_nth_blocks(), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lent),
		cmocka_unit_test(test_nested),
		cmocka_unit_test(test_wrong_lines),
		cmocka_unit_test(test_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
