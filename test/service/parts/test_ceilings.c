/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

/* What clients may take together is less than the kernel allows the process. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

#include "ceilings.h"

/* @return Mappings that clients may have where the kernel says this. */
static uint64_t
mappings(const char *text)
{
	char path[] = "/tmp/spimdevd-maps-XXXXXX";
	struct qm_dev_budget budget = { 0 };
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
	ceilings_set(path, &budget);
	unlink(path);
	return budget.max[QM_DEV_VMAS];
}

static void
test_mappings(void **state)
{
	struct qm_dev_budget budget = { 0 };
	const uint64_t usual = 49147;

	(void)state;
	assert_in_range(mappings("65530\n"), usual, usual + 1);
	assert_in_range(mappings("1048576\n"), 786432, 786433);
	/* What cannot be read is as usual; nothing is ever without a bound. */
	assert_in_range(mappings("none\n"), usual, usual + 1);
	assert_in_range(mappings("0\n"), usual, usual + 1);
	assert_in_range(mappings("1\n"), 1, 1);
	ceilings_set("/nonexistent", &budget);
	assert_in_range(budget.max[QM_DEV_VMAS], usual, usual + 1);
	/* What options limit has no budget. */
	assert_int_equal(budget.max[QM_DEV_FILES], 0);
	assert_int_equal(budget.max[QM_DEV_QUEUES], 0);
}

static void
test_descriptors_and_addresses(void **state)
{
	struct qm_dev_budget budget = { 0 };
	struct rlimit was, few;

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &was), 0);
	few = (struct rlimit){ 400, was.rlim_max };
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	ceilings_set(CEILINGS_MAPS_FILE, &budget);
	assert_in_range(budget.max[QM_DEV_FDS], 300, 301);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &was), 0);
	assert_in_range(budget.max[QM_DEV_MEMORY], 1, 1ull << 47);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_mappings),
		cmocka_unit_test(test_descriptors_and_addresses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
