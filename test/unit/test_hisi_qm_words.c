/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

/*
 * Words that both sides take from one header: a mistake there would be made by both, and
 * only silicon, or a program of another version, would notice. So here they stand as the
 * hardware reference has them (and for our extension, as they were released).
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "hisi_acc_sgl.h"
#include "hisi_qm_regs.h"
#include "hisi_qm_shadow.h"
#include "hisi_zip_ext.h"
#include "hisi_zip_sqe.h"

struct word {
	const char *name;
	uint64_t is, must;
};

#define WORD(name, must) { #name, name, must }
#define AT(type, field, must) { #type "." #field, offsetof(struct type, field), must }
#define SIZE(type, must) { "sizeof " #type, sizeof(struct type), must }

static void
check(const struct word *words, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (words[i].is != words[i].must)
			fail_msg("%s: 0x%llx, expected 0x%llx", words[i].name,
				(unsigned long long)words[i].is,
				(unsigned long long)words[i].must);
	}
}

#define CHECK(words) check(words, sizeof(words) / sizeof((words)[0]))

static void
test_registers(void **state)
{
	static const struct word words[] = {
		WORD(HISI_PCI_VENDOR, 0x19e5),
		WORD(HISI_PCI_DEVICE_ZIP_PF, 0xa250),
		WORD(HISI_PCI_DEVICE_ZIP_VF, 0xa251),
		WORD(HISI_QM_REV_V2, 0x21),
		WORD(HISI_QM_REV_V3, 0x30),
		WORD(HISI_QM_BAR2_SIZE, 65536),
		WORD(HISI_QM_AEQ_INT_SOURCE, 0x0),
		WORD(HISI_QM_AEQ_INT_MASK, 0x4),
		WORD(HISI_QM_EQ_INT_SOURCE, 0x8),
		WORD(HISI_QM_EQ_INT_MASK, 0xc),
		WORD(HISI_QM_IFC_INT_SOURCE, 0x20),
		WORD(HISI_QM_IFC_INT_MASK, 0x24),
		WORD(HISI_QM_IFC_INT_STATUS, 0x28),
		WORD(HISI_QM_IFC_INT_SET, 0x2c),
		WORD(HISI_QM_QUE_ISO_CFG, 0x30),
		WORD(HISI_QM_PAGE_SIZE, 0x34),
		WORD(HISI_QM_VF_STATE, 0x60),
		WORD(HISI_QM_ACTIVE_ST, 0x200),
		WORD(HISI_QM_CACHE_WB_START, 0x204),
		WORD(HISI_QM_CACHE_WB_DONE, 0x208),
		WORD(HISI_QM_SUB_VERSION, 0x210),
		WORD(HISI_QM_MAILBOX, 0x300),
		WORD(HISI_QM_DB_SQ_CQ, 0x1000),
		WORD(HISI_QM_DB_EQ_AEQ, 0x2000),
		WORD(HISI_QM_CAP_VERSION, 0x3100),
		WORD(HISI_QM_CAP_END, 0x317c),
		WORD(HISI_QM_DB_PAGE_SIZE, 65536),
	};

	(void)state;
	CHECK(words);
}

static void
test_mailbox(void **state)
{
	static const struct word words[] = {
		AT(hisi_qm_mailbox, w0, 0),
		AT(hisi_qm_mailbox, queue_num, 2),
		AT(hisi_qm_mailbox, base_l, 4),
		AT(hisi_qm_mailbox, base_h, 8),
		AT(hisi_qm_mailbox, rsvd, 12),
		WORD(HISI_QM_MB_CMD_MASK, 0xff),
		WORD(HISI_QM_MB_STATUS_SHIFT, 9),
		WORD(HISI_QM_MB_STATUS_MASK, 0xf),
		WORD(HISI_QM_MB_BUSY, 0x2000),
		WORD(HISI_QM_MB_OP_READ, 0x4000),
		WORD(HISI_QM_MB_SQC, 0),
		WORD(HISI_QM_MB_CQC, 1),
		WORD(HISI_QM_MB_EQC, 2),
		WORD(HISI_QM_MB_AEQC, 3),
		WORD(HISI_QM_MB_SQC_BT, 4),
		WORD(HISI_QM_MB_CQC_BT, 5),
		WORD(HISI_QM_MB_SQC_VFT, 6),
		WORD(HISI_QM_MB_STOP_QP, 8),
		WORD(HISI_QM_MB_FLUSH_QM, 9),
		WORD(HISI_QM_MB_SRC, 0xc),
		WORD(HISI_QM_MB_DST, 0xd),
		WORD(HISI_QM_MB_PAUSE_QM, 0xe),
		WORD(HISI_QM_MB_STATUS_NO_QUEUE, 7),
		WORD(HISI_QM_VFT_BASE_SHIFT, 28),
		WORD(HISI_QM_VFT_BASE_MASK, 0xffff),
		WORD(HISI_QM_VFT_VALID, 1ull << 44),
		WORD(HISI_QM_VFT_NUM_SHIFT, 45),
		WORD(HISI_QM_VFT_NUM_MASK, 0x3ff),
		WORD(HISI_QM_QUEUES_MAX, 1024),
		WORD(HISI_QM_DEPTH_MAX, 4096),
	};

	(void)state;
	CHECK(words);
}

static void
test_contexts(void **state)
{
	static const struct word words[] = {
		SIZE(hisi_qm_sqc, 32),
		AT(hisi_qm_sqc, head, 0),
		AT(hisi_qm_sqc, tail, 2),
		AT(hisi_qm_sqc, base_l, 4),
		AT(hisi_qm_sqc, base_h, 8),
		AT(hisi_qm_sqc, dw3, 12),
		AT(hisi_qm_sqc, w8, 16),
		AT(hisi_qm_sqc, pasid, 20),
		AT(hisi_qm_sqc, w11, 22),
		AT(hisi_qm_sqc, cq_num, 24),
		AT(hisi_qm_sqc, w13, 26),
		SIZE(hisi_qm_cqc, 32),
		AT(hisi_qm_cqc, head, 0),
		AT(hisi_qm_cqc, tail, 2),
		AT(hisi_qm_cqc, base_l, 4),
		AT(hisi_qm_cqc, base_h, 8),
		AT(hisi_qm_cqc, dw3, 12),
		AT(hisi_qm_cqc, w8, 16),
		AT(hisi_qm_cqc, pasid, 20),
		AT(hisi_qm_cqc, w11, 22),
		AT(hisi_qm_cqc, dw6, 24),
		SIZE(hisi_qm_eqc, 32),
		AT(hisi_qm_eqc, base_l, 4),
		AT(hisi_qm_eqc, base_h, 8),
		AT(hisi_qm_eqc, dw3, 12),
		AT(hisi_qm_eqc, dw6, 24),
		WORD(HISI_QM_CTX_DEPTH_MASK, 0xfff),
		WORD(HISI_QM_CTX_ENTRY_SHIFT, 12),
		WORD(HISI_QM_CTX_ENTRY_MASK, 0xf),
		WORD(HISI_QM_CTX_HEAD_SIG, 0x20),
		WORD(HISI_QM_CTX_TAIL_SIG, 0x40),
		WORD(HISI_QM_SQC_PASID_EN, 0x80),
		WORD(HISI_QM_SQC_ORDER, 0x10),
		WORD(HISI_QM_SQC_DISABLE, 0x40),
		WORD(HISI_QM_SQC_TYPE_SHIFT, 8),
		WORD(HISI_QM_SQC_TYPE_MASK, 0xf),
		WORD(HISI_QM_CQC_PHASE, 1),
		WORD(HISI_QM_CQC_C_FLAG, 2),
		WORD(HISI_QM_EQC_DEPTH_MASK, 0xffff),
		WORD(HISI_QM_EQC_PHASE, 0x10000),
		WORD(HISI_QM_CQE_LOG2, 4),
		WORD(HISI_QM_SQE_LOG2, 7),
	};

	(void)state;
	CHECK(words);
}

static void
test_doorbells_and_entries(void **state)
{
	static const struct word words[] = {
		WORD(HISI_QM_DB_SQ, 0),
		WORD(HISI_QM_DB_CQ, 1),
		WORD(HISI_QM_DB_EQ, 2),
		WORD(HISI_QM_DB_AEQ, 3),
		WORD(HISI_QM_DB_QN_MASK, 0x3ff),
		WORD(HISI_QM_DB_CMD_SHIFT, 12),
		WORD(HISI_QM_DB_CMD_MASK, 0xf),
		WORD(HISI_QM_DB_RAND_SHIFT, 16),
		WORD(HISI_QM_DB_RAND_MASK, 0xffff),
		WORD(HISI_QM_DB_INDEX_SHIFT, 32),
		WORD(HISI_QM_DB_INDEX_MASK, 0xffff),
		WORD(HISI_QM_DB_PRIORITY_SHIFT, 48),
		SIZE(hisi_qm_cqe, 16),
		AT(hisi_qm_cqe, cmd_id, 4),
		AT(hisi_qm_cqe, sq_head, 8),
		AT(hisi_qm_cqe, sq_num, 10),
		AT(hisi_qm_cqe, w7, 14),
		WORD(HISI_QM_CQE_PHASE, 1),
		WORD(HISI_QM_EQE_PHASE_SHIFT, 16),
		WORD(HISI_QM_AEQE_TYPE_SHIFT, 17),
		WORD(HISI_QM_AEQE_CQ_OVERFLOW, 0),
		WORD(HISI_QM_AEQE_EQ_OVERFLOW, 1),
		WORD(HISI_QM_AEQE_CQE_ERROR, 2),
		SIZE(hisi_qm_shadow, 128),
		AT(hisi_qm_shadow, sq, 0),
		AT(hisi_qm_shadow, asleep, 8),
		AT(hisi_qm_shadow, cq, 64),
		WORD(HISI_QM_SHADOW_REG_WAKE, 0x2818),
	};

	(void)state;
	CHECK(words);
	assert_true(hisi_qm_db(0x123, HISI_QM_DB_AEQ, 0x4567, 0x89ab, 0xcdef) ==
		0xcdef89ab45673123ull);
	/* A queue that there cannot be does not reach into the command. */
	assert_true(hisi_qm_db(0xffff, HISI_QM_DB_SQ, 0, 0, 0) == 0x3ff);
	assert_true(hisi_qm_db(0, HISI_QM_DB_SQ, 0, 0, 0) == 0);
}

static void
test_sqe(void **state)
{
	static const struct word words[] = {
		SIZE(hisi_zip_sqe, 128),
		AT(hisi_zip_sqe, consumed, 0),
		AT(hisi_zip_sqe, produced, 4),
		AT(hisi_zip_sqe, comp_data_length, 8),
		AT(hisi_zip_sqe, dw3, 12),
		AT(hisi_zip_sqe, input_data_length, 16),
		AT(hisi_zip_sqe, lba_l, 20),
		AT(hisi_zip_sqe, lba_h, 24),
		AT(hisi_zip_sqe, dw7, 28),
		AT(hisi_zip_sqe, dw8, 32),
		AT(hisi_zip_sqe, dw9, 36),
		AT(hisi_zip_sqe, dw10, 40),
		AT(hisi_zip_sqe, dw11, 44),
		AT(hisi_zip_sqe, dw12, 48),
		AT(hisi_zip_sqe, dw13, 52),
		AT(hisi_zip_sqe, dest_avail_out, 56),
		AT(hisi_zip_sqe, ctx_dw0, 60),
		AT(hisi_zip_sqe, comp_head_addr_l, 64),
		AT(hisi_zip_sqe, source_addr_l, 72),
		AT(hisi_zip_sqe, source_addr_h, 76),
		AT(hisi_zip_sqe, dest_addr_l, 80),
		AT(hisi_zip_sqe, dest_addr_h, 84),
		AT(hisi_zip_sqe, stream_ctx_addr_l, 88),
		AT(hisi_zip_sqe, stream_ctx_addr_h, 92),
		AT(hisi_zip_sqe, dw24, 96),
		AT(hisi_zip_sqe, dw25, 100),
		AT(hisi_zip_sqe, tag_l, 104),
		AT(hisi_zip_sqe, tag_h, 108),
		AT(hisi_zip_sqe, ctx_dw1, 112),
		AT(hisi_zip_sqe, ctx_dw2, 116),
		AT(hisi_zip_sqe, isize, 120),
		AT(hisi_zip_sqe, checksum, 124),
		WORD(HISI_ZIP_REQ_LEN_MAX, 8388608),
		WORD(HISI_ZIP_STATUS_MASK, 0xff),
		WORD(HISI_ZIP_LSTBLK, 0x100),
		WORD(HISI_ZIP_DW7_OFFSET_MASK, 0xffffff),
		WORD(HISI_ZIP_DW7_FINISH, 1u << 25),
		WORD(HISI_ZIP_DW7_STREAM, 1u << 26),
		WORD(HISI_ZIP_DW7_STREAM_NEW, 1u << 27),
		WORD(HISI_ZIP_DW7_TYPE_SHIFT, 28),
		WORD(HISI_ZIP_SQE_TYPE0, 0),
		WORD(HISI_ZIP_SQE_TYPE3, 3),
		WORD(HISI_ZIP_DW9_REQ_MASK, 0xff),
		WORD(HISI_ZIP_DW9_BUF_SHIFT, 8),
		WORD(HISI_ZIP_DW9_BUF_MASK, 0xf),
		WORD(HISI_ZIP_BUF_FLAT, 0),
		WORD(HISI_ZIP_BUF_SGL, 1),
		WORD(HISI_ZIP_DW9_WINDOW_SHIFT, 12),
		WORD(HISI_ZIP_DW9_WINDOW_MASK, 0xf),
		WORD(HISI_ZIP_REQ_DEFLATE, 1),
		WORD(HISI_ZIP_REQ_ZLIB, 2),
		WORD(HISI_ZIP_REQ_GZIP, 3),
		WORD(HISI_ZIP_WINDOW_4K, 0),
		WORD(HISI_ZIP_WINDOW_8K, 1),
		WORD(HISI_ZIP_WINDOW_16K, 2),
		WORD(HISI_ZIP_WINDOW_24K, 3),
		WORD(HISI_ZIP_WINDOW_32K, 4),
		WORD(HISI_ZIP_QC_COMPRESS, 0),
		WORD(HISI_ZIP_QC_DECOMPRESS, 1),
		WORD(HISI_ZIP_OK, 0),
		WORD(HISI_ZIP_NEGACOMPRESS, 0x0d),
		WORD(HISI_ZIP_DSTLEN_OUT, 0x0e),
		WORD(HISI_ZIP_CRC_ERR, 0x10),
		WORD(HISI_ZIP_DECOMP_END, 0x13),
		WORD(HISI_ZIP_BAD_DATA, 0x20),
		WORD(HISI_ZIP_BAD_SQE, 0x21),
		WORD(HISI_ZIP_BAD_ADDR, 0x22),
		WORD(HISI_ZIP_BAD_SGL, 0x23),
		WORD(HISI_ZIP_BAD_STREAM, 0x24),
		WORD(HISI_ZIP_NO_STREAM, 0x25),
		WORD(HISI_ZIP_INTERNAL, 0x26),
		WORD(HISI_ZIP_CTX_ST_MASK, 0xf),
		WORD(HISI_ZIP_CTX_NO_SPACE, 1),
		WORD(HISI_ZIP_CTX_DECOMPING_NO_SPACE, 2),
		WORD(HISI_ZIP_CTX_BLK_NOSTART, 3),
		WORD(HISI_ZIP_CTX_NO_CRC, 4),
		WORD(HISI_ZIP_CTX_BFINAL, 0x80),
		WORD(HISI_ZIP_CTX_DW1_STORE_MASK, 0x7ffff),
		WORD(HISI_ZIP_CTX_DW2_WINDOW_MASK, 0xffff),
		WORD(HISI_ZIP_CTX_SIZE, 65536),
		WORD(HISI_ZIP_CTX_HW_OFF, 64),
		WORD(HISI_ZIP_CTX_HW_END, 0x9800),
	};
	struct hisi_zip_sqe sqe = { 0 };

	(void)state;
	CHECK(words);
	hisi_zip_sqe_src(&sqe, 0x123456789abcdef0, 0x11223344);
	hisi_zip_sqe_dst(&sqe, 0xfedcba9876543210, 0x55667788);
	hisi_zip_sqe_ctx(&sqe, 0x0badcafe00c0ffee);
	assert_int_equal(sqe.source_addr_l, 0x9abcdef0);
	assert_int_equal(sqe.source_addr_h, 0x12345678);
	assert_int_equal(sqe.input_data_length, 0x11223344);
	assert_int_equal(sqe.dest_addr_l, 0x76543210);
	assert_int_equal(sqe.dest_addr_h, 0xfedcba98);
	assert_int_equal(sqe.dest_avail_out, 0x55667788);
	assert_int_equal(sqe.stream_ctx_addr_l, 0x00c0ffee);
	assert_int_equal(sqe.stream_ctx_addr_h, 0x0badcafe);
}

static void
test_sgl(void **state)
{
	static const struct word words[] = {
		SIZE(hisi_acc_sge, 32),
		AT(hisi_acc_sge, buf, 0),
		AT(hisi_acc_sge, page_ctrl, 8),
		AT(hisi_acc_sge, len, 16),
		AT(hisi_acc_sge, vbuff, 24),
		SIZE(hisi_acc_sgl, 64),
		AT(hisi_acc_sgl, next_dma, 0),
		AT(hisi_acc_sgl, entry_sum_in_chain, 8),
		AT(hisi_acc_sgl, entry_sum_in_sgl, 10),
		AT(hisi_acc_sgl, entry_length_in_sgl, 12),
		AT(hisi_acc_sgl, sw, 16),
		WORD(HISI_ACC_SGE_MAX, 255),
		WORD(HISI_ACC_SGL_MAX, 256),
		WORD(HISI_ACC_SGL_ALIGN, 64),
		WORD(HISI_ACC_SGE_LEN_MAX, 8388608),
	};

	(void)state;
	CHECK(words);
}

static void
test_extension(void **state)
{
	static const struct word words[] = {
		WORD(HISI_EXT_REG_MAGIC, 0x2800),
		WORD(HISI_EXT_REG_FEATURES, 0x2804),
		WORD(HISI_ZIP_EXT_REG_STREAM_RELEASE, 0x2810),
		WORD(HISI_EXT_MAGIC, 0x4d495053),
		WORD(HISI_ZIP_EXT_F_LEVEL, 0x1),
		WORD(HISI_ZIP_EXT_F_HUFFMAN, 0x2),
		WORD(HISI_ZIP_EXT_F_WINDOW, 0x4),
		WORD(HISI_ZIP_EXT_F_CHECKSUM, 0x8),
		WORD(HISI_ZIP_EXT_F_FLUSH, 0x10),
		WORD(HISI_ZIP_EXT_F_PARTIAL, 0x20),
		WORD(HISI_ZIP_EXT_F_COPY, 0x40),
		WORD(HISI_ZIP_EXT_F_RELEASE, 0x80),
		WORD(HISI_ZIP_EXT_F_LZ4, 0x100),
		WORD(HISI_ZIP_EXT_F_DICT, 0x200),
		WORD(HISI_ZIP_EXT_F_ALL, 0x3ff),
		WORD(HISI_ZIP_REQ_EXT_COPY, 0xf0),
		WORD(HISI_ZIP_REQ_EXT_LZ4, 0xf1),
		WORD(HISI_ZIP_EXT_LEVEL_SHIFT, 0),
		WORD(HISI_ZIP_EXT_LEVEL_MASK, 0xf),
		WORD(HISI_ZIP_EXT_HUFFMAN_SHIFT, 4),
		WORD(HISI_ZIP_EXT_HUFFMAN_MASK, 3),
		WORD(HISI_ZIP_EXT_CRC32, 0x40),
		WORD(HISI_ZIP_EXT_ADLER32, 0x80),
		WORD(HISI_ZIP_EXT_FLUSH_SHIFT, 8),
		WORD(HISI_ZIP_EXT_FLUSH_MASK, 3),
		WORD(HISI_ZIP_EXT_PARTIAL, 0x400),
		WORD(HISI_ZIP_EXT_DICT, 0x800),
		WORD(HISI_ZIP_EXT_WINDOW_SHIFT, 12),
		WORD(HISI_ZIP_EXT_WINDOW_MASK, 0xf),
		WORD(HISI_ZIP_EXT_LZ4_SHIFT, 18),
		WORD(HISI_ZIP_EXT_LZ4_MASK, 0xf),
		WORD(HISI_ZIP_EXT_XXH32, 1u << 22),
		WORD(HISI_ZIP_EXT_VALID, 1u << 31),
		/* What no field takes. */
		WORD(HISI_ZIP_EXT_RSVD_MASK, 0x7f830000),
		WORD(HISI_ZIP_EXT_HUFFMAN_DEFAULT, 0),
		WORD(HISI_ZIP_EXT_HUFFMAN_FIXED, 1),
		WORD(HISI_ZIP_EXT_HUFFMAN_DYNAMIC, 2),
		WORD(HISI_ZIP_EXT_FLUSH_DW7, 0),
		WORD(HISI_ZIP_EXT_FLUSH_NONE, 1),
		WORD(HISI_ZIP_EXT_FLUSH_FULL, 2),
		WORD(HISI_ZIP_EXT_DICT_MAX, 32768),
		WORD(HISI_ZIP_EXT_DW3_PARTIAL, 0x10000),
	};

	(void)state;
	CHECK(words);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_registers),
		cmocka_unit_test(test_mailbox),
		cmocka_unit_test(test_contexts),
		cmocka_unit_test(test_doorbells_and_entries),
		cmocka_unit_test(test_sqe),
		cmocka_unit_test(test_sgl),
		cmocka_unit_test(test_extension),
	};

	return cmocka_run_group_tests_name("hisi_qm_words", tests, NULL, NULL);
}
