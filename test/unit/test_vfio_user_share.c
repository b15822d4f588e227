/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

/* Whose turn it is: users one after the other, and a user's connections in the order they came. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "fail_nth.h"
#include "vfio_user_share.h"

#define MANY 100

static struct vfio_user_server server;

static int
set_up(void **state)
{
	(void)state;
	server = (struct vfio_user_server){ 0 };
	TAILQ_INIT(&server.turns);
	return 0;
}

static struct vfio_user_conn
conn_of(uid_t uid)
{
	struct vfio_user_conn c = { .server = &server, .user = vu_user_get(&server, uid) };

	assert_non_null(c.user);
	return c;
}

static void
test_users_take_turns(void **state)
{
	static struct vfio_user_conn many[MANY];
	struct vfio_user_conn one = conn_of(7), two = conn_of(7 + VU_USER_BUCKETS);

	(void)state;
	assert_null(vu_ready_next(&server));
	for (int i = 0; i < MANY; i++) {
		many[i] = conn_of(1000);
		vu_ready_add(&many[i], 1);
	}
	vu_ready_add(&one, 1);
	vu_ready_add(&two, 1);
	assert_ptr_equal(vu_ready_next(&server), &many[0]);
	assert_ptr_equal(vu_ready_next(&server), &one);
	vu_ready_add(&one, 1);
	assert_ptr_equal(vu_ready_next(&server), &two);
	assert_ptr_equal(vu_ready_next(&server), &many[1]);
	/* It had its turn, and comes behind who waits; but before the next one of the many. */
	assert_ptr_equal(vu_ready_next(&server), &one);
	for (int i = 2; i < MANY; i++)
		assert_ptr_equal(vu_ready_next(&server), &many[i]);
	assert_null(vu_ready_next(&server));
	for (int i = 0; i < MANY; i++)
		vu_user_put(many[i].user);
	vu_user_put(one.user);
	vu_user_put(two.user);
}

static void
test_a_connection_waits_once(void **state)
{
	struct vfio_user_conn c = conn_of(1), d = conn_of(1), closing = conn_of(1);

	(void)state;
	assert_ptr_equal(c.user, d.user);
	closing.state = VU_CLOSING;
	vu_ready_add(&closing, 1);
	vu_ready_add(&c, 1);
	vu_ready_add(&d, 2);
	vu_ready_add(&c, 4);
	assert_ptr_equal(vu_ready_next(&server), &c);
	assert_int_equal(c.ready_events, 5);
	vu_ready_add(&c, 2);
	assert_int_equal(c.ready_events, 2);
	vu_ready_remove(&d);
	vu_ready_remove(&d);
	assert_ptr_equal(vu_ready_next(&server), &c);
	assert_null(vu_ready_next(&server));
	vu_user_put(c.user);
	vu_user_put(d.user);
	vu_user_put(closing.user);
	assert_true(LIST_EMPTY(&server.users[1]));
}

static void
test_no_memory_for_a_user(void **state)
{
	(void)state;
	fail_nth(1);
	assert_null(vu_user_get(&server, 1));
	assert_string_equal(fail_nth_end(), "calloc");
	assert_true(LIST_EMPTY(&server.users[1]));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_users_take_turns, set_up),
		cmocka_unit_test_setup(test_a_connection_waits_once, set_up),
		cmocka_unit_test_setup(test_no_memory_for_a_user, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
