/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#ifndef HISI_QM_REGS_H
#define HISI_QM_REGS_H

/**
 * @file
 * The queue manager (QM) of HiSilicon accelerators as software sees it:
 * registers of one function, mailbox, queue contexts, doorbells, completion
 * and event entries. The ZIP, SEC and HPRE accelerators share it.
 *
 * This is the contract between driver and device; both sides include it, and
 * it contains no code beyond field packing. Citations such as "QM 2.3" name sections
 * of the hardware reference, doc/hw. Everything is little endian in memory. Offsets
 * are in bytes from the start of BAR2 unless said otherwise.
 */

#include <stdint.h>

/* ---- PCI identity (QM 1.1, 1.5) --------------------------------------------------------- */

#define HISI_PCI_VENDOR        0x19e5 /**< Huawei. */
#define HISI_PCI_DEVICE_ZIP_PF 0xa250
#define HISI_PCI_DEVICE_ZIP_VF 0xa251

#define HISI_QM_REV_V2 0x21 /**< PCI revision id: Kunpeng 920. */
#define HISI_QM_REV_V3 0x30 /**< PCI revision id: Kunpeng 930. */

#define HISI_QM_BAR2_SIZE 0x10000 /**< Function registers (QM 1.2). */

/* ---- Function registers (QM 2.1) -------------------------------------------------------- */

#define HISI_QM_AEQ_INT_SOURCE 0x0000 /**< RO: not 0 while an AEQ event is pending. */
#define HISI_QM_AEQ_INT_MASK   0x0004 /**< Bit 0: 1 = masked. */
#define HISI_QM_EQ_INT_SOURCE  0x0008 /**< RO: not 0 while an EQ event is pending. */
#define HISI_QM_EQ_INT_MASK    0x000c /**< Bit 0: 1 = masked. */
#define HISI_QM_IFC_INT_SOURCE 0x0020 /**< Bit 0: message from the PF; write 1 clears. */
#define HISI_QM_IFC_INT_MASK   0x0024 /**< Bit 0: 1 = message interrupt off. */
#define HISI_QM_IFC_INT_STATUS 0x0028 /**< Bit 0: masked status. */
#define HISI_QM_IFC_INT_SET    0x002c /**< Bit 0: rings the PF; reads 0 once acknowledged. */
#define HISI_QM_QUE_ISO_CFG    0x0030 /**< Bit 0: doorbells are in BAR4 pages (V3). */
#define HISI_QM_PAGE_SIZE      0x0034 /**< Host page: 0 = 4, 1 = 16, 2 = 64 KiB. */
#define HISI_QM_VF_STATE       0x0060 /**< 0 = ready, 1 = not ready. */
#define HISI_QM_ACTIVE_ST      0x0200 /**< RO, debug. */
#define HISI_QM_CACHE_WB_START 0x0204 /**< Write 1: write cached contexts back. */
#define HISI_QM_CACHE_WB_DONE  0x0208 /**< Bit 0: done. */
#define HISI_QM_SUB_VERSION    0x0210 /**< 0 on V3. */
#define HISI_QM_MAILBOX        0x0300 /**< 16 bytes, see below. */
#define HISI_QM_DB_SQ_CQ       0x1000 /**< SQ and CQ doorbells (V2+, 64 bit). */
#define HISI_QM_DB_EQ_AEQ      0x2000 /**< EQ and AEQ doorbells (V2+, 64 bit). */
#define HISI_QM_CAP_VERSION    0x3100 /**< [7:0] 0: driver defaults, the rest is not read. */
#define HISI_QM_CAP_END        0x317c

#define HISI_QM_DB_PAGE_SIZE 0x10000 /**< BAR4: one page per queue when isolated (QM 1.2). */

/* ---- Mailbox (QM 2.3, 2.4) -------------------------------------------------------------- */

/** The 16 bytes at HISI_QM_MAILBOX, to be written in one store. */
struct hisi_qm_mailbox {
	uint16_t w0;        /**< Command, status, busy, direction: HISI_QM_MB_*. */
	uint16_t queue_num; /**< Queue of the function, 0-based. */
	uint32_t base_l;    /**< Address or data, low half. */
	uint32_t base_h;    /**< Address or data, high half. */
	uint32_t rsvd;      /**< 0. */
};

#define HISI_QM_MB_CMD_MASK     0x00ffu
#define HISI_QM_MB_STATUS_SHIFT 9
#define HISI_QM_MB_STATUS_MASK  0x0fu
#define HISI_QM_MB_BUSY         (1u << 13) /**< Written 1; the function clears it when done. */
#define HISI_QM_MB_OP_READ      (1u << 14) /**< 1: get, 0: set. */

enum hisi_qm_mb_cmd {
	HISI_QM_MB_SQC = 0x0,      /**< Set or dump an SQC; base = address of the image. */
	HISI_QM_MB_CQC = 0x1,      /**< Set or dump a CQC. */
	HISI_QM_MB_EQC = 0x2,
	HISI_QM_MB_AEQC = 0x3,
	HISI_QM_MB_SQC_BT = 0x4,   /**< Address of the array of all SQCs. */
	HISI_QM_MB_CQC_BT = 0x5,   /**< Address of the array of all CQCs. */
	HISI_QM_MB_SQC_VFT = 0x6,  /**< Read: which queues the function has. */
	HISI_QM_MB_STOP_QP = 0x8,  /**< Returns when the queue has drained (V3). */
	HISI_QM_MB_FLUSH_QM = 0x9, /**< Drains the whole function. */
	HISI_QM_MB_SRC = 0xc,      /**< Message to the PF. */
	HISI_QM_MB_DST = 0xd,      /**< Message from the PF. */
	HISI_QM_MB_PAUSE_QM = 0xe,
};

/* The 64 bits that HISI_QM_MB_SQC_VFT returns in base_h:base_l (QM 2.4). */
#define HISI_QM_VFT_BASE_SHIFT 28 /**< First queue, information only. */
#define HISI_QM_VFT_BASE_MASK  0xffffull
#define HISI_QM_VFT_VALID      (1ull << 44)
#define HISI_QM_VFT_NUM_SHIFT  45 /**< Number of queues - 1. */
#define HISI_QM_VFT_NUM_MASK   0x3ffull

#define HISI_QM_QUEUES_MAX 1024 /**< Queues of one function, V2+. */
#define HISI_QM_DEPTH_MAX  4096 /**< 12-bit depth field of the contexts. */

/* ---- Queue contexts (QM 3.1 to 3.3), layout of V2 and later ----------------------------- */

/** Submission queue context, 32 bytes, address aligned to 32. */
struct hisi_qm_sqc {
	uint16_t head; /**< 0 at start. */
	uint16_t tail; /**< 0 at start. */
	uint32_t base_l;
	uint32_t base_h;
	uint32_t dw3;  /**< [11:0] depth - 1, [15:12] log2(entry size). */
	uint16_t w8;   /**< Random data that each doorbell must repeat. */
	uint16_t rsvd0;
	uint16_t pasid;
	uint16_t w11;  /**< HISI_QM_CTX_*SIG, HISI_QM_SQC_PASID_EN. */
	uint16_t cq_num;
	uint16_t w13;  /**< HISI_QM_SQC_ORDER, HISI_QM_SQC_DISABLE, [11:8] type. */
	uint32_t rsvd1;
};

/** Completion queue context, 32 bytes, address aligned to 32. */
struct hisi_qm_cqc {
	uint16_t head;
	uint16_t tail;
	uint32_t base_l;
	uint32_t base_h;
	uint32_t dw3;  /**< [11:0] depth - 1, [15:12] log2(entry size). */
	uint16_t w8;
	uint16_t rsvd0;
	uint16_t pasid;
	uint16_t w11;
	uint32_t dw6;  /**< HISI_QM_CQC_PHASE, HISI_QM_CQC_C_FLAG. */
	uint32_t rsvd1;
};

/** Event queue context (EQ and AEQ): 28 bytes used of 32. */
struct hisi_qm_eqc {
	uint16_t head;
	uint16_t tail;
	uint32_t base_l;
	uint32_t base_h;
	uint32_t dw3;
	uint32_t rsvd[2];
	uint32_t dw6;  /**< [15:0] depth - 1, HISI_QM_EQC_PHASE. */
	uint32_t pad;
};

#define HISI_QM_CTX_DEPTH_MASK     0xfffu
#define HISI_QM_CTX_ENTRY_SHIFT    12
#define HISI_QM_CTX_ENTRY_MASK     0xfu
#define HISI_QM_CTX_HEAD_SIG       (1u << 5) /**< w11: head wrap flag. */
#define HISI_QM_CTX_TAIL_SIG       (1u << 6) /**< w11: tail wrap flag. */
#define HISI_QM_SQC_PASID_EN       (1u << 7)
#define HISI_QM_SQC_ORDER          (1u << 4) /**< Complete in submission order. */
#define HISI_QM_SQC_DISABLE        (1u << 6)
#define HISI_QM_SQC_TYPE_SHIFT     8
#define HISI_QM_SQC_TYPE_MASK      0xfu
#define HISI_QM_CQC_PHASE          (1u << 0) /**< Phase of the first pass. */
#define HISI_QM_CQC_C_FLAG         (1u << 1) /**< An event is armed. */
#define HISI_QM_EQC_DEPTH_MASK     0xffffu
#define HISI_QM_EQC_PHASE          (1u << 16)

#define HISI_QM_CQE_LOG2 4 /**< A CQE has 16 bytes. */
#define HISI_QM_SQE_LOG2 7 /**< The SQE of every accelerator has 128 bytes. */

/* ---- Doorbells (QM 4.1) ----------------------------------------------------------------- */

enum hisi_qm_db_cmd {
	HISI_QM_DB_SQ = 0,  /**< index = new tail. */
	HISI_QM_DB_CQ = 1,  /**< index = new head; priority 1 arms an event. */
	HISI_QM_DB_EQ = 2,  /**< index = new head. */
	HISI_QM_DB_AEQ = 3, /**< index = new head. */
};

#define HISI_QM_DB_QN_MASK        0x3ffull
#define HISI_QM_DB_CMD_SHIFT      12
#define HISI_QM_DB_CMD_MASK       0xfull
#define HISI_QM_DB_RAND_SHIFT     16
#define HISI_QM_DB_RAND_MASK      0xffffull
#define HISI_QM_DB_INDEX_SHIFT    32
#define HISI_QM_DB_INDEX_MASK     0xffffull
#define HISI_QM_DB_PRIORITY_SHIFT 48

/** The 64 bits to store for a doorbell. */
static inline uint64_t
hisi_qm_db(uint16_t qn, enum hisi_qm_db_cmd cmd, uint16_t rand, uint16_t index, uint16_t priority)
{
	return ((uint64_t)qn & HISI_QM_DB_QN_MASK) | (uint64_t)cmd << HISI_QM_DB_CMD_SHIFT |
		(uint64_t)rand << HISI_QM_DB_RAND_SHIFT |
		(uint64_t)index << HISI_QM_DB_INDEX_SHIFT |
		(uint64_t)priority << HISI_QM_DB_PRIORITY_SHIFT;
}

/* ---- Completion and event entries (QM 4.4 to 4.6) --------------------------------------- */

/** Completion queue entry. Valid when w7 bit 0 equals the expected phase. */
struct hisi_qm_cqe {
	uint32_t rsvd0;
	uint16_t cmd_id;
	uint16_t rsvd1;
	uint16_t sq_head; /**< Slot of the finished SQE; the result is in that SQE. */
	uint16_t sq_num;
	uint16_t rsvd2;
	uint16_t w7;      /**< [0] phase. Written last. */
};

#define HISI_QM_CQE_PHASE 0x1u

#define HISI_QM_EQE_PHASE_SHIFT  16 /**< EQE and AEQE: [15:0] queue, [16] phase. */
#define HISI_QM_AEQE_TYPE_SHIFT  17 /**< AEQE: [20:17] type. */

enum hisi_qm_aeqe_type {
	HISI_QM_AEQE_CQ_OVERFLOW = 0,
	HISI_QM_AEQE_EQ_OVERFLOW = 1,
	HISI_QM_AEQE_CQE_ERROR = 2, /**< Also what a queue's DMA fault raises. */
};

_Static_assert(sizeof(struct hisi_qm_mailbox) == 16, "mailbox");
_Static_assert(sizeof(struct hisi_qm_sqc) == 32, "SQC");
_Static_assert(sizeof(struct hisi_qm_cqc) == 32, "CQC");
_Static_assert(sizeof(struct hisi_qm_eqc) == 32, "EQC");
_Static_assert(sizeof(struct hisi_qm_cqe) == 16, "CQE");

#endif /* HISI_QM_REGS_H */
