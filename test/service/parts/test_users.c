/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

/* User ids: one account each, exact limits, nothing left at the end. */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fail_nth.h"
#include "users.h"

#define SAME_BUCKET 256

static const struct limits limits = { .connections = 3, .queues = 4, .memory = 1000, .files = 10,
	.maps = 20, .streams = 5, .ops = 6 };

static void
test_connections(void **state)
{
	long blocks = fail_nth_blocks();
	struct users *users = users_create(&limits, NULL);
	struct user *a[4], *b, *c, *again;

	(void)state;
	for (int i = 0; i < 3; i++)
		assert_int_equal(users_connect(users, 7, &a[i]), 0);
	assert_ptr_equal(a[0], a[1]);
	assert_ptr_equal(a[0], a[2]);
	assert_int_equal(users_connect(users, 7, &a[3]), -EDQUOT);
	/* Others, two of which are looked for in the same place. */
	assert_int_equal(users_connect(users, 7 + SAME_BUCKET, &b), 0);
	assert_int_equal(users_connect(users, 7 + 2 * SAME_BUCKET, &c), 0);
	assert_ptr_not_equal(a[0], b);
	assert_ptr_not_equal(b, c);
	assert_ptr_not_equal(a[0], c);
	users_disconnect(users, b); /* the one in the middle */
	assert_int_equal(users_connect(users, 7 + 2 * SAME_BUCKET, &again), 0);
	assert_ptr_equal(again, c);
	users_disconnect(users, a[0]);
	assert_int_equal(users_connect(users, 7, &again), 0);
	assert_ptr_equal(again, a[0]);
	assert_int_equal(users_connect(users, 7, &again), -EDQUOT);
	for (int i = 0; i < 3; i++)
		users_disconnect(users, a[0]);
	for (int i = 0; i < 2; i++)
		users_disconnect(users, c);
	/* Who is back after the last one owes what it owed. */
	assert_int_equal(users_connect(users, 7, &a[0]), 0);
	users_quota(a[0])->used[QM_DEV_MEMORY] = 1000;
	users_disconnect(users, a[0]);
	assert_int_equal(users_connect(users, 7, &again), 0);
	assert_ptr_equal(again, a[0]);
	assert_int_equal(users_quota(again)->used[QM_DEV_MEMORY], 1000);
	users_disconnect(users, again);
	users_destroy(users);
	users_destroy(NULL);
	assert_int_equal(fail_nth_blocks(), blocks);
}

static void
test_no_limit_of_connections(void **state)
{
	const struct limits none = { 0 };
	struct users *users = users_create(&none, NULL);
	struct user *u;

	(void)state;
	for (int i = 0; i < 1000; i++)
		assert_int_equal(users_connect(users, 1, &u), 0);
	for (int i = 0; i < QM_DEV_RESOURCES; i++)
		assert_int_equal(users_quota(u)->max[i], 0);
	for (int i = 0; i < 1000; i++)
		users_disconnect(users, u);
	users_destroy(users);
}

static void
test_quota(void **state)
{
	struct users *users = users_create(&limits, NULL);
	struct user *a, *again;

	(void)state;
	assert_int_equal(users_connect(users, 1, &a), 0);
	assert_int_equal(users_quota(a)->max[QM_DEV_QUEUES], 4);
	assert_int_equal(users_quota(a)->max[QM_DEV_CONTEXTS], 5);
	assert_int_equal(users_quota(a)->max[QM_DEV_SLOTS], 6);
	assert_int_equal(users_quota(a)->max[QM_DEV_MEMORY], 1000);
	assert_int_equal(users_quota(a)->max[QM_DEV_FILES], 10);
	assert_int_equal(users_quota(a)->max[QM_DEV_MAPS], 20);
	assert_int_equal(users_connect(users, 1, &again), 0);
	assert_ptr_equal(users_quota(a), users_quota(again));
	users_disconnect(users, a);
	users_disconnect(users, a);
	users_destroy(users);
}

/* A connection is a descriptor, and all users share these. */
static void
test_share_of_descriptors(void **state)
{
	const struct limits none = { 0 };
	struct qm_dev_budget budget = { .max = { [QM_DEV_FDS] = 30 } };
	struct users *users = users_create(&none, &budget);
	struct user *a, *b;

	(void)state;
	for (int i = 0; i < 15; i++)
		assert_int_equal(users_connect(users, 1, &a), 0);
	assert_int_equal(users_connect(users, 1, &a), -ENFILE);
	assert_int_equal(users_quota(a)->used[QM_DEV_FDS], 15);
	assert_int_equal(budget.used[QM_DEV_FDS], 15);
	/* Who comes next has half of the rest, and so on. */
	for (int i = 0; i < 7; i++)
		assert_int_equal(users_connect(users, 2, &b), 0);
	assert_int_equal(users_connect(users, 2, &b), -ENFILE);
	users_disconnect(users, a);
	assert_int_equal(users_connect(users, 1, &a), -ENFILE);
	assert_int_equal(users_connect(users, 2, &b), 0);
	for (int i = 0; i < 14; i++)
		users_disconnect(users, a);
	for (int i = 0; i < 8; i++)
		users_disconnect(users, b);
	assert_int_equal(budget.used[QM_DEV_FDS], 0);
	users_destroy(users);
}

static void
test_no_memory(void **state)
{
	struct users *users;
	struct user *a;

	(void)state;
	fail_nth(1);
	users = users_create(&limits, NULL);
	assert_string_equal(fail_nth_end(), "calloc");
	assert_null(users);
	users = users_create(&limits, NULL);
	fail_nth(1);
	assert_int_equal(users_connect(users, 1, &a), -ENOMEM);
	assert_string_equal(fail_nth_end(), "calloc");
	/* The place is not lost, nor is the lock. */
	for (int i = 0; i < 3; i++)
		assert_int_equal(users_connect(users, 1, &a), 0);
	for (int i = 0; i < 3; i++)
		users_disconnect(users, a);
	users_destroy(users);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_connections),
		cmocka_unit_test(test_no_limit_of_connections),
		cmocka_unit_test(test_quota),
		cmocka_unit_test(test_share_of_descriptors),
		cmocka_unit_test(test_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
