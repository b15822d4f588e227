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
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "hisi_zip_bar.h"

#define BAR4_PAGES 3

static struct {
	_Alignas(64) uint8_t bar2[HISI_QM_BAR2_SIZE];
	_Alignas(64) uint8_t bar4[BAR4_PAGES * HISI_QM_DB_PAGE_SIZE];
	struct hisi_zip_bar bar;
	unsigned int resets;
} t;

static int
setup(void **state)
{
	(void)state;
	memset(&t, 0, sizeof(t));
	t.bar.io.name = "test";
	return 0;
}

static int
init(uint8_t revision)
{
	return hisi_zip_bar_init(&t.bar, revision, t.bar2, sizeof(t.bar2), t.bar4,
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
}

/* All 16 bytes in their places (reference 2.3), and no others. */
static void
test_mailbox(void **state)
{
	const struct hisi_qm_mailbox mb = {
		.w0 = 0x2001, .queue_num = 0x0203, .base_l = 0x04050607, .base_h = 0x08090a0b,
	};
	uint8_t expected[HISI_QM_BAR2_SIZE] = { 0 };

	(void)state;
	assert_int_equal(init(HISI_QM_REV_V3), 0);
	t.bar.io.ops->mailbox(&t.bar.io, &mb);
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
	assert_int_equal(hisi_zip_bar_init(&t.bar, HISI_QM_REV_V3, NULL, 0, NULL, 0), -EINVAL);
	assert_int_equal(hisi_zip_bar_init(&t.bar, HISI_QM_REV_V3, t.bar2, HISI_ZIP_BAR2_MIN - 1,
		NULL, 0), -EINVAL);
	assert_int_equal(hisi_zip_bar_init(&t.bar, HISI_QM_REV_V3, t.bar2, HISI_ZIP_BAR2_MIN,
		NULL, 0), 0);
	set_word(HISI_QM_QUE_ISO_CFG, 1);
	assert_int_equal(hisi_zip_bar_init(&t.bar, HISI_QM_REV_V3, t.bar2, sizeof(t.bar2), NULL, 0),
		-ENODEV);
	assert_int_equal(hisi_zip_bar_init(&t.bar, HISI_QM_REV_V3, t.bar2, sizeof(t.bar2), t.bar4,
		HISI_QM_DB_PAGE_SIZE - 1), -ENODEV);
	memset(t.bar2, 0xff, sizeof(t.bar2));
	assert_int_equal(init(HISI_QM_REV_V3), -ENODEV);
}

static int
count_reset(struct hisi_zip_bar *bar)
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
		cmocka_unit_test_setup(test_reset, setup),
	};

	return cmocka_run_group_tests_name("pmd_bar", tests, NULL, NULL);
}
