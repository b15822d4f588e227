/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

/* Config space, capabilities, BARs: what a PCI core and vfio see of the function. */

#include "test_qm_dev_util.h"

#include <errno.h>
#include <string.h>

#include "qm_dev_pci.h"

#define ARENA (8u << 20)

static struct td td;

static void
open_as(uint8_t revision, uint8_t isolation, uint16_t queues)
{
	struct qm_dev_conf conf = td_conf(0);

	conf.revision = revision;
	conf.isolation = isolation;
	conf.queues = queues;
	td_open(&td, &conf, ARENA);
}

static int
setup(void **state)
{
	*state = &td;
	open_as(HISI_QM_REV_V3, 0, 4);
	return 0;
}

/* Offset of a capability, by walking the list as a PCI core does. */
static uint32_t
cap(uint8_t id)
{
	uint32_t at = td_cfg(&td, 0x34, 1);

	assert_int_equal(td_cfg(&td, 0x06, 2) & 0x10, 0x10);
	for (int i = 0; at != 0 && i < 48; i++, at = td_cfg(&td, at + 1, 1)) {
		assert_true(at >= 0x40 && at % 4 == 0);
		if (td_cfg(&td, at, 1) == id)
			return at;
	}
	fail_msg("no capability 0x%x", id);
	return 0;
}

static uint64_t
bar64(unsigned int bar)
{
	return td_cfg(&td, 0x10 + 4 * bar, 4) | (uint64_t)td_cfg(&td, 0x14 + 4 * bar, 4) << 32;
}

static void
set_bar64(unsigned int bar, uint64_t v)
{
	td_cfg_wr(&td, 0x10 + 4 * bar, 4, (uint32_t)v);
	td_cfg_wr(&td, 0x14 + 4 * bar, 4, (uint32_t)(v >> 32));
}

static void
identity(void **state)
{
	(void)state;
	assert_int_equal(td_cfg(&td, 0, 4), 0xa25119e5);
	assert_int_equal(td_cfg(&td, 8, 1), 0x30);
	assert_int_equal(td_cfg(&td, 0x0a, 2), 0x1200);
	assert_int_equal(td_cfg(&td, 0x0e, 1), 0); /* one function, normal header */
	assert_int_equal(td_cfg(&td, 0x3d, 1), 0); /* no INTx pin */
	assert_int_equal(td_cfg(&td, 0x100, 4), 0); /* no extended capability */
	assert_int_equal(td_cfg(&td, 0xffc, 4), 0);
	td_close(&td);
	open_as(HISI_QM_REV_V2, 0, 4);
	assert_int_equal(td_cfg(&td, 8, 1), 0x21);
}

static void
only_writable_bits_change(void **state)
{
	uint8_t before[QM_DEV_PCI_CONFIG_SIZE], ones[QM_DEV_PCI_CONFIG_SIZE],
		after[QM_DEV_PCI_CONFIG_SIZE];
	uint32_t exp = cap(0x10), msi = cap(0x05), pm = cap(0x01);

	(void)state;
	assert_int_equal(qm_dev_pci_config_read(td.dev, 0, before, sizeof(before)), 0);
	memset(ones, 0xff, sizeof(ones));
	ones[exp + 9] = 0x7f; /* all but the reset */
	assert_int_equal(qm_dev_pci_config_write(td.dev, 0, ones, sizeof(ones)), 0);
	assert_int_equal(td_cfg(&td, 0x04, 2), 0x0546);
	assert_int_equal(td_cfg(&td, exp + 8, 2), 0x7fff);
	assert_int_equal(td_cfg(&td, msi + 2, 2), 0xf5);
	assert_int_equal(td_cfg(&td, pm + 4, 2), 3);
	assert_int_equal(qm_dev_pci_config_read(td.dev, 0, after, sizeof(after)), 0);
	for (uint32_t i = 0; i < sizeof(after); i++) {
		bool writable = i == 0x04 || i == 0x05 || i == 0x0c || i == 0x3c ||
			(i >= 0x18 && i < 0x20) || i == exp + 8 || i == exp + 9 ||
			(i >= msi + 2 && i < msi + 14) || i == pm + 4;

		if (!writable && before[i] != after[i])
			fail_msg("byte 0x%x became 0x%x", i, after[i]);
	}
}

static void
bars_tell_their_size(void **state)
{
	(void)state;
	assert_int_equal(qm_dev_pci_bar_size(td.dev, 2), 0x10000);
	for (unsigned int bar = 0; bar < 8; bar++)
		if (bar != 2)
			assert_int_equal(qm_dev_pci_bar_size(td.dev, bar), 0);
	assert_int_equal(bar64(2), 0xc);
	set_bar64(2, UINT64_MAX);
	assert_true(bar64(2) == 0xffffffffffff000cull);
	set_bar64(2, 0x380000012345678ull);
	assert_true(bar64(2) == 0x38000001234000cull);
	td_cfg_wr(&td, 0x10, 4, UINT32_MAX);
	td_cfg_wr(&td, 0x20, 4, UINT32_MAX);
	td_cfg_wr(&td, 0x24, 4, UINT32_MAX);
	assert_int_equal(td_cfg(&td, 0x10, 4), 0);
	assert_int_equal(bar64(4), 0);

	td_close(&td);
	open_as(HISI_QM_REV_V3, 1, 33);
	assert_int_equal(qm_dev_pci_bar_size(td.dev, 4), 64 * 0x10000);
	set_bar64(4, UINT64_MAX);
	assert_true(bar64(4) == 0xffffffffffc0000cull);
	assert_int_equal(qm_dev_read(td.dev, HISI_QM_QUE_ISO_CFG, 4), 1);
}

static void
msi_has_the_vectors_linux_asks_for(void **state)
{
	uint32_t msi = cap(0x05);

	(void)state;
	/* As the guest of a VFIO user reads and writes them. */
	assert_int_equal(qm_dev_pci_irqs(td.dev), 4);
	assert_int_equal(td_cfg(&td, msi + 2, 2), 0x84);
	td_cfg_wr(&td, msi + 2, 2, 0xa4);
	assert_int_equal(td_cfg(&td, msi + 2, 2), 0xa4);
	td_cfg_wr(&td, msi + 4, 4, 0xfee0100c);
	td_cfg_wr(&td, msi + 8, 4, 1);
	td_cfg_wr(&td, msi + 12, 2, 0x4022);
	td_cfg_wr(&td, msi + 2, 2, 0xa5);
	assert_int_equal(td_cfg(&td, msi + 2, 2), 0xa5);
	assert_int_equal(td_cfg(&td, msi + 4, 4), 0xfee0100c);
	assert_int_equal(td_cfg(&td, msi + 12, 2), 0x4022);
	td_close(&td);
	open_as(HISI_QM_REV_V2, 0, 4);
	assert_int_equal(qm_dev_pci_irqs(td.dev), 2);
	assert_int_equal(td_cfg(&td, cap(0x05) + 2, 2), 0x82);
}

/* A function that has been set up, so that a reset has something to undo. */
static void
dirty(struct tq *q)
{
	tq_start(q, &td, 0, HISI_ZIP_QC_COMPRESS, 8);
	qm_dev_write(td.dev, HISI_QM_VF_STATE, 4, 1);
	td_cfg_wr(&td, 0x04, 2, 6);
	set_bar64(2, 0x12340000);
	td_cfg_wr(&td, cap(0x05) + 2, 2, 0xa5);
}

static void
check_reset(uint64_t resets)
{
	struct qm_dev_stats s;

	qm_dev_stats_get(td.dev, &s);
	assert_int_equal(s.resets, resets);
	assert_int_equal(s.queues_live, 0);
	assert_int_equal(qm_dev_read(td.dev, HISI_QM_VF_STATE, 4), 0);
	assert_int_equal(td_cfg(&td, 0x04, 2), 0);
	assert_int_equal(bar64(2), 0xc);
	assert_int_equal(td_cfg(&td, cap(0x05) + 2, 2), 0x84);
}

static void
function_level_reset(void **state)
{
	uint32_t exp = cap(0x10), pm = cap(0x01);
	struct tq q;

	(void)state;
	assert_int_equal(td_cfg(&td, exp + 4, 4) >> 28 & 1, 1);
	assert_int_equal(td_cfg(&td, pm + 4, 2) & 8, 0); /* D3hot to D0 is a reset */
	dirty(&q);
	/* As VFIO does it: the bit alone, or with what was there. */
	td_cfg_wr(&td, exp + 8, 2, 0x8000);
	check_reset(1);
	assert_int_equal(td_cfg(&td, exp + 8, 2), 0x2810);
	dirty(&q);
	td_cfg_wr(&td, exp + 9, 1, 0x80);
	check_reset(2);
	/* Everything but the bit is none. */
	dirty(&q);
	td_cfg_wr(&td, exp + 8, 2, 0x7fff);
	td_cfg_wr(&td, exp + 10, 2, 0xffff);
	td_cfg_wr(&td, pm + 4, 2, 3);
	td_cfg_wr(&td, pm + 4, 2, 1);
	assert_int_equal(td_cfg(&td, 0x04, 2), 6);
	td_cfg_wr(&td, pm + 4, 2, 3);
	td_cfg_wr(&td, pm + 4, 2, 0);
	check_reset(3);
	td_cfg_wr(&td, pm + 4, 2, 0);
	check_reset(3);
	dirty(&q);
	assert_true(qm_dev_pci_reset(td.dev));
	check_reset(4);
}

static void
config_range_is_checked(void **state)
{
	uint8_t buf[16] = { 0 };

	(void)state;
	assert_int_equal(qm_dev_pci_config_read(td.dev, 4096, buf, 0), 0);
	assert_int_equal(qm_dev_pci_config_read(td.dev, 4096, buf, 1), -EINVAL);
	assert_int_equal(qm_dev_pci_config_read(td.dev, 4090, buf, 8), -EINVAL);
	assert_int_equal(qm_dev_pci_config_read(td.dev, UINT32_MAX, buf, 8), -EINVAL);
	assert_int_equal(qm_dev_pci_config_read(td.dev, 0, buf, SIZE_MAX), -EINVAL);
	assert_int_equal(qm_dev_pci_config_write(td.dev, 4095, buf, 2), -EINVAL);
	assert_int_equal(qm_dev_pci_config_write(td.dev, 8, buf, SIZE_MAX), -EINVAL);
	/* Across the end of what has a meaning. */
	assert_int_equal(qm_dev_pci_config_write(td.dev, 0xf8, buf, 16), 0);
	memset(buf, 0xff, sizeof(buf));
	assert_int_equal(qm_dev_pci_config_read(td.dev, 0xf8, buf, 16), 0);
	for (size_t i = 0; i < sizeof(buf); i++)
		assert_int_equal(buf[i], 0);
}

static void
bar_accesses_are_cut_as_a_bus_does(void **state)
{
	uint32_t regs[4] = { 0 }, mb[4] = {
		HISI_QM_MB_SQC_VFT | HISI_QM_MB_BUSY | HISI_QM_MB_OP_READ, 0, 0, 0 };
	uint8_t b[8];

	(void)state;
	/* A user space store of 16 bytes: two of 8. */
	assert_int_equal(qm_dev_pci_bar_write(td.dev, 2, HISI_QM_MAILBOX, mb, 16), 0);
	assert_int_equal(qm_dev_pci_bar_read(td.dev, 2, HISI_QM_MAILBOX, regs, 16), 0);
	assert_int_equal(regs[0] & HISI_QM_MB_BUSY, 0);
	assert_int_equal(regs[2] >> 12 & 1, 1);
	assert_int_equal(regs[2] >> 13, 4 - 1);
	/* Four of 4. */
	for (uint32_t i = 0; i < 4; i++)
		assert_int_equal(qm_dev_pci_bar_write(td.dev, 2, HISI_QM_MAILBOX + 4 * i,
				&mb[i], 4), 0);
	assert_int_equal(qm_dev_read(td.dev, HISI_QM_MAILBOX + 8, 4), regs[2]);
	/* Odd offset and length: bytes 1 to 5 of the magic and the features. */
	assert_int_equal(qm_dev_pci_bar_read(td.dev, 2, HISI_EXT_REG_MAGIC + 1, b, 5), 0);
	assert_memory_equal(b, "PIM", 3);
	assert_int_equal(b[3], (uint8_t)HISI_ZIP_EXT_F_ALL);

	assert_int_equal(qm_dev_pci_bar_read(td.dev, 2, 0xffff, b, 2), -EINVAL);
	assert_int_equal(qm_dev_pci_bar_read(td.dev, 2, UINT64_MAX, b, 4), -EINVAL);
	assert_int_equal(qm_dev_pci_bar_write(td.dev, 2, 0, b, SIZE_MAX), -EINVAL);
	assert_int_equal(qm_dev_pci_bar_read(td.dev, 0, 0, b, 1), -EINVAL);
	assert_int_equal(qm_dev_pci_bar_write(td.dev, 4, 0x1000, b, 8), -EINVAL);
	assert_int_equal(qm_dev_pci_bar_write(td.dev, 1000, 0, b, 1), -EINVAL);
}

static uint64_t
dropped(void)
{
	struct qm_dev_stats s;

	qm_dev_stats_get(td.dev, &s);
	return s.doorbells_dropped;
}

static void
doorbell_pages(void **state)
{
	struct qm_dev_conf conf = td_conf(0);
	struct qm_dev *dev;
	uint64_t db, v = 1;
	struct tq q;

	(void)state;
	td_close(&td);
	open_as(HISI_QM_REV_V3, 1, 3);
	tq_start(&q, &td, 2, HISI_ZIP_QC_COMPRESS, 8);
	tq_slot(&q, HISI_ZIP_REQ_EXT_COPY)->dw10 = HISI_ZIP_EXT_VALID;
	tq_push(&q);
	db = hisi_qm_db(2, HISI_QM_DB_SQ, TD_RAND, 1, 0);
	/* Not in BAR2, not in another queue's page, not beside the doorbell, not in halves. */
	qm_dev_write(td.dev, HISI_QM_DB_SQ_CQ, 8, db);
	assert_int_equal(qm_dev_pci_bar_write(td.dev, 4, 0x11000, &db, 8), 0);
	assert_int_equal(qm_dev_pci_bar_write(td.dev, 4, 0x31000, &db, 8), 0);
	assert_int_equal(dropped(), 3);
	assert_int_equal(qm_dev_pci_bar_write(td.dev, 4, 0x21008, &db, 8), 0);
	assert_int_equal(qm_dev_pci_bar_write(td.dev, 4, 0x21000, &db, 4), 0);
	assert_int_equal(qm_dev_poll(td.dev, 2, 8), 0);
	assert_int_equal(qm_dev_pci_bar_write(td.dev, 4, 0x21000, &db, 8), 0);
	assert_int_equal(qm_dev_poll(td.dev, 2, 8), 1);
	assert_non_null(tq_pop(&q));
	assert_int_equal(dropped(), 3);
	assert_int_equal(qm_dev_pci_bar_read(td.dev, 4, 0x21000, &v, 8), 0);
	assert_int_equal(v, 0);
	/* The fourth page exists, as the size is a power of two; the fifth does not. */
	assert_int_equal(qm_dev_pci_bar_write(td.dev, 4, 0x41000, &db, 8), -EINVAL);

	conf.isolation = 1;
	conf.revision = HISI_QM_REV_V2;
	assert_int_equal(qm_dev_create(&conf, &dev), -EINVAL);
	conf.isolation = 2;
	conf.revision = HISI_QM_REV_V3;
	assert_int_equal(qm_dev_create(&conf, &dev), -EINVAL);
}

static void
v2_has_no_registers_of_v3(void **state)
{
	static const uint32_t v3_only[] = { HISI_QM_IFC_INT_SOURCE, HISI_QM_IFC_INT_MASK,
		HISI_QM_IFC_INT_STATUS, HISI_QM_QUE_ISO_CFG, HISI_QM_PAGE_SIZE, HISI_QM_VF_STATE,
		HISI_QM_CAP_VERSION };

	(void)state;
	td_close(&td);
	open_as(HISI_QM_REV_V2, 0, 4);
	for (size_t i = 0; i < sizeof(v3_only) / sizeof(v3_only[0]); i++) {
		qm_dev_write(td.dev, v3_only[i], 4, 1);
		assert_int_equal(qm_dev_read(td.dev, v3_only[i], 4), 0);
	}
	assert_int_equal(qm_dev_read(td.dev, HISI_QM_EQ_INT_MASK, 4), 1);
	assert_int_equal(qm_dev_read(td.dev, HISI_QM_AEQ_INT_MASK, 4), 1);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, td_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(identity), T(only_writable_bits_change), T(bars_tell_their_size),
		T(msi_has_the_vectors_linux_asks_for), T(function_level_reset),
		T(config_range_is_checked), T(bar_accesses_are_cut_as_a_bus_does),
		T(doorbell_pages), T(v2_has_no_registers_of_v3),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
