/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

/* What all users share: whoever comes last still gets something. */

#include "test_qm_dev_util.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "qm_dev_func.h"
#include "qm_dev_group.h"
#include "qm_dev_pool.h"

#define RW   (QM_DEV_PROT_READ | QM_DEV_PROT_WRITE)
#define MORE (TD_IOVA + (1ull << 40))

/* As many as are there, one by one. */
static uint64_t
take_all(struct qm_dev_quota *q)
{
	uint64_t n = 0;
	int rc;

	while ((rc = qm_dev_quota_take(q, QM_DEV_VMAS, 1)) == 0)
		n++;
	assert_int_equal(rc, -ENFILE);
	return n;
}

static void
shares_of_a_budget(void **state)
{
	struct qm_dev_budget all = { .max = { [QM_DEV_VMAS] = 900 } };
	struct qm_dev_quota user[5] = { { .budget = &all }, { .budget = &all }, { .budget = &all },
		{ .budget = &all, .max = { [QM_DEV_VMAS] = 10 } }, { .budget = &all } };

	(void)state;
	/* Whoever comes has half of what is left, also when others have taken theirs. */
	assert_int_equal(take_all(&user[0]), 450);
	assert_int_equal(take_all(&user[1]), 225);
	assert_int_equal(take_all(&user[2]), 112);
	assert_int_equal(all.used[QM_DEV_VMAS], 787);
	/* A limit of its own is another reason. */
	for (int i = 0; i < 10; i++)
		assert_int_equal(qm_dev_quota_take(&user[3], QM_DEV_VMAS, 1), 0);
	assert_int_equal(qm_dev_quota_take(&user[3], QM_DEV_VMAS, 1), -EDQUOT);
	/* All or nothing. */
	assert_int_equal(qm_dev_quota_take(&user[4], QM_DEV_VMAS, 52), -ENFILE);
	assert_int_equal(qm_dev_quota_take(&user[4], QM_DEV_VMAS, 104), -ENFILE);
	assert_int_equal(qm_dev_quota_take(&user[4], QM_DEV_VMAS, UINT64_MAX), -ENFILE);
	assert_int_equal(all.used[QM_DEV_VMAS], 797);
	assert_int_equal(user[4].used[QM_DEV_VMAS], 0);
	assert_int_equal(qm_dev_quota_take(&user[4], QM_DEV_VMAS, 51), 0);
	/* What one gives back is for those who have less. */
	qm_dev_quota_put(&user[0], QM_DEV_VMAS, 300);
	assert_int_equal(take_all(&user[0]), 101);
	assert_int_equal(take_all(&user[1]), 13);
	assert_int_equal(take_all(&user[2]), 63);
	/* Of what has no bound, only the user's own is counted. */
	assert_int_equal(qm_dev_quota_take(&user[0], QM_DEV_FDS, 1000), 0);
	assert_int_equal(user[0].used[QM_DEV_FDS], 1000);
	assert_int_equal(all.used[QM_DEV_FDS], 0);
	qm_dev_quota_put(&user[0], QM_DEV_FDS, 1000);
	assert_int_equal(all.used[QM_DEV_FDS], 0);
	assert_int_equal(qm_dev_quota_take(NULL, QM_DEV_VMAS, 1000), 0);
	qm_dev_quota_put(NULL, QM_DEV_VMAS, 1000);
}

/* As many mappings as Linux has by default: after ten who take all, there is something left. */
static void
ten_take_all(void **state)
{
	struct qm_dev_budget all = { .max = { [QM_DEV_VMAS] = 49148 } };
	struct qm_dev_quota user[11];
	uint64_t left = all.max[QM_DEV_VMAS];

	(void)state;
	for (int i = 0; i < 11; i++) {
		uint64_t got;

		user[i] = (struct qm_dev_quota){ .budget = &all };
		got = take_all(&user[i]);
		/* What a default limit lets a user have in files, and four attackers leave. */
		assert_true(got >= (i == 0 ? 24574u : i < 5 ? 1500u : 20u));
		assert_true(got <= left / 2);
		left -= got;
	}
}

/* A function pays for its doorbells, and for each file; all is given back where one is missing. */
static void
functions_share_a_budget(void **state)
{
	struct qm_dev_budget all = { .max = { [QM_DEV_VMAS] = 4, [QM_DEV_FDS] = 1 } };
	struct qm_dev_quota quota = { .budget = &all };
	struct qm_dev_conf conf = td_conf(0);
	int fd = memfd_create("file", MFD_CLOEXEC), two = memfd_create("two", MFD_CLOEXEC);
	const char *why = NULL;
	struct qm_dev *dev, *none = NULL;

	(void)state;
	conf.quota = &quota;
	assert_true(fd >= 0 && two >= 0 && ftruncate(fd, 4096) == 0 && ftruncate(two, 4096) == 0);
	assert_int_equal(qm_dev_create(&conf, &dev), 0);
	assert_int_equal(quota.used[QM_DEV_VMAS], 1);
	assert_int_equal(quota.used[QM_DEV_FDS], 0);
	/* A file for doorbells would be the only descriptor. */
	conf.doorbell_memfd = 1;
	assert_int_equal(qm_dev_create(&conf, &none), -ENFILE);
	assert_null(none);
	assert_int_equal(all.used[QM_DEV_VMAS], 1);
	all.max[QM_DEV_FDS] = 2;
	all.max[QM_DEV_VMAS] = 1;
	assert_int_equal(qm_dev_create(&conf, &none), -ENFILE);
	all.max[QM_DEV_VMAS] = 4;
	assert_int_equal(qm_dev_dma_map_file(dev, MORE, 4096, fd, 0, RW, &why), 0);
	assert_int_equal(qm_dev_dma_map_file(dev, MORE + 4096, 4096, two, 0, RW, &why), -ENFILE);
	assert_non_null(strstr(why, "vm.max_map_count"));
	assert_int_equal(quota.used[QM_DEV_VMAS], 2);
	assert_int_equal(quota.used[QM_DEV_FILES], 1);
	assert_int_equal(quota.used[QM_DEV_MEMORY], 4096);
	/* Nor more bytes than there are addresses. */
	all.max[QM_DEV_VMAS] = 300;
	all.max[QM_DEV_MEMORY] = 4096;
	assert_int_equal(qm_dev_dma_map_file(dev, MORE + 4096, 4096, two, 0, RW, &why), -ENFILE);
	assert_non_null(strstr(why, "addresses"));
	assert_int_equal(quota.used[QM_DEV_VMAS], 2);
	all.max[QM_DEV_MEMORY] = 0;
	/* Nor more maps, of a file that is there. */
	quota.max[QM_DEV_MAPS] = 1;
	assert_int_equal(qm_dev_dma_map_file(dev, MORE + 4096, 4096, fd, 0, RW, &why), -EDQUOT);
	assert_string_equal(why, "too many maps of its user");
	quota.max[QM_DEV_MAPS] = 0;
	assert_int_equal(qm_dev_create(&conf, &none), 0);
	assert_int_equal(quota.used[QM_DEV_VMAS], 3);
	assert_int_equal(quota.used[QM_DEV_FDS], 1);
	qm_dev_destroy(none);
	qm_dev_destroy(dev);
	for (int r = 0; r < QM_DEV_RESOURCES; r++)
		assert_int_equal(quota.used[r], 0);
	close(two);
	close(fd);
}

static void
last_queues_beside_many_reserved(void **state)
{
	struct qm_dev_pool_conf conf = { .name = "pool", .classes = { &zip_dev_class },
		.workers = 1, .queues_max = 1024 };
	struct qm_dev_pool *pool;
	struct qm_dev_group *group, *own;
	uint64_t has = 0;

	(void)state;
	assert_int_equal(qm_dev_pool_create(&conf, &pool), 0);
	assert_int_equal(qm_dev_group_create(pool, 0, 1, &group), 0);
	assert_int_equal(qm_dev_group_create(pool, 900, 1, &own), 0);
	/* Others share 124, of which the last eighth is for those who have few. */
	while (qm_dev_group_take(group, has))
		has++;
	assert_int_equal(has, 124 - 124 / 8);
	for (uint64_t few = 0; few < 124 / 8; few++)
		assert_true(qm_dev_group_take(group, few));
	assert_false(qm_dev_group_take(group, 0));
	for (unsigned int i = 0; i < 124; i++)
		qm_dev_group_put(group);
	qm_dev_group_destroy(own);
	qm_dev_group_destroy(group);
	qm_dev_pool_destroy(pool);
}

/* The last eighth of what nobody reserved is for those who have few. */
static void
last_queues(void **state)
{
	struct qm_dev_pool_conf conf = { .name = "pool", .classes = { &zip_dev_class },
		.workers = 1, .queues_max = 128 };
	struct qm_dev_pool *pool;
	struct qm_dev_group *group, *own;

	(void)state;
	assert_int_equal(qm_dev_pool_create(&conf, &pool), 0);
	assert_int_equal(qm_dev_group_create(pool, 0, 1, &group), 0);
	assert_int_equal(qm_dev_group_create(pool, 2, 1, &own), 0);
	for (uint64_t has = 0; has < 111; has++)
		assert_true(qm_dev_group_take(group, has));
	assert_false(qm_dev_group_take(group, 111));
	assert_true(qm_dev_group_take(own, 110));
	assert_true(qm_dev_group_take(own, 111));
	assert_false(qm_dev_group_take(own, 112));
	for (uint64_t has = 0; has < 14; has++)
		assert_true(qm_dev_group_take(group, has));
	assert_true(qm_dev_group_take(group, 15));
	assert_false(qm_dev_group_take(group, 0));
	for (int i = 0; i < 126; i++)
		qm_dev_group_put(group);
	for (int i = 0; i < 2; i++)
		qm_dev_group_put(own);
	qm_dev_group_destroy(own);
	qm_dev_group_destroy(group);
	qm_dev_pool_destroy(pool);
}

/* As many files as a function may have in 2 MiB pages: each is found again, and there once. */
static void
many_files(void **state)
{
	enum { FILES = 900 };
	struct qm_dev_conf conf = td_conf(0);
	struct qm_dev_stats stats;
	const char *why = NULL;
	struct qm_dev *dev;
	int fd[FILES];

	(void)state;
	assert_int_equal(qm_dev_create(&conf, &dev), 0);
	for (uint64_t i = 0; i < FILES; i++) {
		fd[i] = memfd_create("file", MFD_CLOEXEC);
		assert_true(fd[i] >= 0 && ftruncate(fd[i], 8192) == 0);
		assert_int_equal(qm_dev_dma_map_file(dev, MORE + i * 8192, 4096, fd[i], 0, RW,
				&why), 0);
	}
	/* No list is long, and none has lost a file. */
	assert_in_range(dev->map.files.buckets, FILES / 2, 4 * FILES);
	for (uint64_t i = 0; i < FILES; i++) {
		assert_int_equal(qm_dev_dma_map_file(dev, MORE + i * 8192 + 4096, 4096, fd[i],
				4096, RW, &why), 0);
		close(fd[i]);
	}
	qm_dev_stats_get(dev, &stats);
	assert_int_equal(stats.files, FILES);
	assert_int_equal(stats.maps, 2 * FILES);
	qm_dev_destroy(dev);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(shares_of_a_budget),
		cmocka_unit_test(ten_take_all),
		cmocka_unit_test(functions_share_a_budget),
		cmocka_unit_test(last_queues),
		cmocka_unit_test(last_queues_beside_many_reserved),
		cmocka_unit_test(many_files),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
