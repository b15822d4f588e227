/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

/*
 * Register height on BARs that are plain memory: where accesses go, where
 * doorbells are, and what is refused. No EAL is needed for that.
 */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <rte_log.h>

#include "hisi_bar.h"
#include "hisi_zip_dev.h"

#define BAR4_PAGES 3

static struct {
	_Alignas(64) uint8_t bar2[HISI_QM_BAR2_SIZE];
	_Alignas(64) uint8_t bar4[BAR4_PAGES * HISI_QM_DB_PAGE_SIZE];
	struct hisi_bar bar;
	unsigned int resets;
} t;

static int
setup(void **state)
{
	(void)state;
	memset(&t, 0, sizeof(t));
	t.bar.io.name = "test";
	t.bar.driver = &hisi_zip_driver;
	return 0;
}

static int
init(uint8_t revision)
{
	return hisi_bar_init(&t.bar, revision, t.bar2, sizeof(t.bar2), t.bar4,
		sizeof(t.bar4));
}

static uint32_t
word(uint32_t off)
{
	uint32_t value;

	memcpy(&value, t.bar2 + off, sizeof(value));
	return value;
}

static void
set_word(uint32_t off, uint32_t value)
{
	memcpy(t.bar2 + off, &value, sizeof(value));
}

static void
test_registers(void **state)
{
	static uint8_t expected[HISI_QM_BAR2_SIZE];
	struct hisi_qm_io *io = &t.bar.io;

	(void)state;
	assert_int_equal(init(HISI_QM_REV_V3), 0);
	assert_int_equal(io->revision, HISI_QM_REV_V3);
	assert_null(io->ops->poll);
	set_word(HISI_QM_VF_STATE, 0x12345678);
	assert_int_equal(io->ops->read32(io, HISI_QM_VF_STATE), 0x12345678);
	io->ops->write32(io, HISI_QM_EQ_INT_MASK, 0x9abcdef0);
	assert_int_equal(word(HISI_QM_EQ_INT_MASK), 0x9abcdef0);
	assert_int_equal(word(HISI_QM_EQ_INT_MASK + 4), 0);
	io->ops->write64(io, 0x2810, 0x1122334455667788);
	assert_int_equal(word(0x2810), 0x55667788);
	assert_int_equal(word(0x2814), 0x11223344);
	/* A read touches nothing, and a store no other byte. */
	memset(t.bar2, 0, sizeof(t.bar2));
	io->ops->write32(io, 0x100, UINT32_MAX);
	io->ops->write64(io, 0x200, UINT64_MAX);
	memset(expected + 0x100, 0xff, 4);
	memset(expected + 0x200, 0xff, 8);
	assert_int_equal(io->ops->read32(io, 0x200), UINT32_MAX);
	assert_memory_equal(t.bar2, expected, sizeof(expected));
}

/* All 16 bytes in their places (QM 2.3), and no others. */
static void
test_mailbox(void **state)
{
	const struct hisi_qm_mailbox mb = {
		.w0 = 0x2001, .queue_num = 0x0203, .base_l = 0x04050607, .base_h = 0x08090a0b,
	};
	uint8_t expected[HISI_QM_BAR2_SIZE] = { 0 };

	(void)state;
	assert_int_equal(init(HISI_QM_REV_V3), 0);
	assert_int_equal(t.bar.io.ops->mailbox(&t.bar.io, &mb), 0);
	memcpy(expected + HISI_QM_MAILBOX, &mb, sizeof(mb));
	assert_memory_equal(t.bar2, expected, sizeof(expected));
}

static void
test_doorbells_in_bar2(void **state)
{
	static const uint8_t revisions[] = { HISI_QM_REV_V2, HISI_QM_REV_V3 };
	volatile uint64_t *sq, *cq;

	(void)state;
	for (unsigned int i = 0; i < 2; i++) {
		/* V2 has no such register: whatever reads there means nothing. */
		set_word(HISI_QM_QUE_ISO_CFG, revisions[i] == HISI_QM_REV_V2);
		assert_int_equal(init(revisions[i]), 0);
		for (uint16_t qn = 0; qn < HISI_QM_QUEUES_MAX; qn++) {
			assert_int_equal(t.bar.io.ops->doorbells(&t.bar.io, qn, &sq, &cq), 0);
			assert_ptr_equal((uintptr_t)sq, (uintptr_t)t.bar2 + 0x1000);
			assert_ptr_equal((uintptr_t)cq, (uintptr_t)sq);
		}
	}
}

static void
test_doorbells_in_bar4(void **state)
{
	volatile uint64_t *sq, *cq;

	(void)state;
	set_word(HISI_QM_QUE_ISO_CFG, 1);
	assert_int_equal(init(HISI_QM_REV_V3), 0);
	for (uint16_t qn = 0; qn < BAR4_PAGES; qn++) {
		assert_int_equal(t.bar.io.ops->doorbells(&t.bar.io, qn, &sq, &cq), 0);
		assert_ptr_equal((uintptr_t)sq, (uintptr_t)t.bar4 + qn * 0x10000 + 0x1000);
		assert_ptr_equal((uintptr_t)cq, (uintptr_t)sq);
	}
	/* Not a byte behind the BAR, whatever number the function claims. */
	assert_int_equal(t.bar.io.ops->doorbells(&t.bar.io, BAR4_PAGES, &sq, &cq), -EINVAL);
	assert_int_equal(t.bar.io.ops->doorbells(&t.bar.io, UINT16_MAX, &sq, &cq), -EINVAL);
}

static void
test_refused(void **state)
{
	(void)state;
	assert_int_equal(hisi_bar_init(&t.bar, HISI_QM_REV_V3, NULL, 0, NULL, 0), -EINVAL);
	assert_int_equal(hisi_bar_init(&t.bar, HISI_QM_REV_V3, t.bar2, HISI_BAR2_MIN - 1,
		NULL, 0), -EINVAL);
	assert_int_equal(hisi_bar_init(&t.bar, HISI_QM_REV_V3, t.bar2, HISI_BAR2_MIN,
		NULL, 0), 0);
	set_word(HISI_QM_QUE_ISO_CFG, 1);
	assert_int_equal(hisi_bar_init(&t.bar, HISI_QM_REV_V3, t.bar2, sizeof(t.bar2), NULL, 0),
		-ENODEV);
	assert_int_equal(hisi_bar_init(&t.bar, HISI_QM_REV_V3, t.bar2, sizeof(t.bar2), t.bar4,
		HISI_QM_DB_PAGE_SIZE - 1), -ENODEV);
	memset(t.bar2, 0xff, sizeof(t.bar2));
	assert_int_equal(init(HISI_QM_REV_V3), -ENODEV);
}

/* The log line of a call that is refused so. */
static void
refused(int err, const char *line, uint8_t revision, uint64_t bar2_len, void *bar4,
		uint64_t bar4_len)
{
	char *log;
	size_t len;
	FILE *f = open_memstream(&log, &len);

	rte_openlog_stream(f);
	assert_int_equal(hisi_bar_init(&t.bar, revision, t.bar2, bar2_len, bar4, bar4_len),
		err);
	rte_openlog_stream(NULL);
	fclose(f);
	assert_string_equal(log, line);
	free(log);
}

static void
test_log_lines(void **state)
{
	(void)state;
	refused(-EINVAL, "HISI_ZIP: test: BAR2 has 0x3fff bytes, expected 0x4000 or more\n",
		HISI_QM_REV_V3, 0x3fff, NULL, 0);
	set_word(HISI_QM_QUE_ISO_CFG, 1);
	refused(-ENODEV, "HISI_ZIP: test: doorbells are in BAR4, which has 0xffff bytes, expected "
		"0x10000 for each queue\n", HISI_QM_REV_V3, sizeof(t.bar2), t.bar4, 0xffff);
	refused(-ENODEV, "HISI_ZIP: test: doorbells are in BAR4, which has 0x50000 bytes, expected "
		"0x10000 for each queue\n", HISI_QM_REV_V3, sizeof(t.bar2), NULL, 0x50000);
	/* A function that does not answer: only the first register is looked at. */
	set_word(HISI_QM_MAILBOX, UINT32_MAX);
	refused(-ENODEV, "HISI_ZIP: test: registers read as all ones, expected a function that "
		"answers\n", HISI_QM_REV_V2, sizeof(t.bar2), NULL, 0);
	set_word(HISI_QM_MAILBOX, UINT32_MAX - 1);
	refused(0, "", HISI_QM_REV_V2, sizeof(t.bar2), NULL, 0);
}

/* How many queues have a page of BAR4 depends on its length, up to what there can be. */
static void
test_queues_of_bar4(void **state)
{
	static const struct {
		uint64_t len;
		uint32_t queues;
	} rows[] = {
		{ 0x10000, 1 }, { 0x1ffff, 1 }, { 0x20000, 2 }, { 1023 * 0x10000ull, 1023 },
		{ 1024 * 0x10000ull, 1024 }, { 1025 * 0x10000ull, 1024 }, { UINT64_MAX, 1024 },
	};
	volatile uint64_t *sq, *cq;

	(void)state;
	set_word(HISI_QM_QUE_ISO_CFG, 1);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint16_t last = (uint16_t)(rows[i].queues - 1);

		/* Nothing is stored there. */
		assert_int_equal(hisi_bar_init(&t.bar, HISI_QM_REV_V3, t.bar2,
			sizeof(t.bar2), t.bar4, rows[i].len), 0);
		assert_int_equal(t.bar.io.ops->doorbells(&t.bar.io, last, &sq, &cq), 0);
		assert_int_equal((uintptr_t)sq, (uintptr_t)t.bar4 + last * 0x10000ull + 0x1000);
		sq = cq = NULL;
		assert_int_equal(t.bar.io.ops->doorbells(&t.bar.io, last + 1, &sq, &cq), -EINVAL);
		assert_true(sq == NULL && cq == NULL);
	}
	/* Other bits of the register mean something else. */
	set_word(HISI_QM_QUE_ISO_CFG, 0xfffffffe);
	assert_int_equal(init(HISI_QM_REV_V3), 0);
	assert_int_equal(t.bar.io.ops->doorbells(&t.bar.io, 1023, &sq, &cq), 0);
	assert_int_equal((uintptr_t)sq, (uintptr_t)t.bar2 + 0x1000);
	assert_int_equal(t.bar.io.ops->doorbells(&t.bar.io, 1024, &sq, &cq), -EINVAL);
}

static int
count_reset(struct hisi_bar *bar)
{
	assert_ptr_equal(bar, &t.bar);
	t.resets++;
	return -EIO;
}

static void
test_reset(void **state)
{
	(void)state;
	assert_int_equal(init(HISI_QM_REV_V3), 0);
	assert_int_equal(t.bar.io.ops->reset(&t.bar.io), -ENOTSUP);
	t.bar.reset = count_reset;
	assert_int_equal(t.bar.io.ops->reset(&t.bar.io), -EIO);
	assert_int_equal(t.resets, 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_registers, setup),
		cmocka_unit_test_setup(test_mailbox, setup),
		cmocka_unit_test_setup(test_doorbells_in_bar2, setup),
		cmocka_unit_test_setup(test_doorbells_in_bar4, setup),
		cmocka_unit_test_setup(test_refused, setup),
		cmocka_unit_test_setup(test_log_lines, setup),
		cmocka_unit_test_setup(test_queues_of_bar4, setup),
		cmocka_unit_test_setup(test_reset, setup),
	};

	return cmocka_run_group_tests_name("pmd_bar", tests, NULL, NULL);
}
