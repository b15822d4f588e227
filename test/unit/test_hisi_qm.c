/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

/*
 * The driver side of the queue manager against a scripted function: what it
 * sends, in which order, and what it does when the function misbehaves.
 */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "hisi_qm.h"

#define MB_MAX 4096

/* A function that records what it is told and answers as a test wants. */
struct fake {
	struct hisi_qm_io io;
	uint16_t queues;
	uint8_t status;         /* mailbox status of commands that match fail_cmd */
	int fail_cmd;           /* -1: none */
	int busy_cmd;           /* this command never finishes; -1: none */
	int gone;               /* all registers read as ones */
	uint64_t bt;            /* where the SQCs are, as it was told */
	unsigned int resets;    /* function resets */
	int reset_result;       /* of the next ones */
	uint32_t mb[4];
	struct hisi_qm_mailbox log[MB_MAX];
	unsigned int logged;
	uint32_t aeq_mask, eq_mask, ifc_mask, vf_state, wb;
	volatile uint64_t db[HISI_QM_QUEUES_MAX][2];
	struct hisi_qm_sqc sqc[HISI_QM_QUEUES_MAX];
	struct hisi_qm_cqc cqc[HISI_QM_QUEUES_MAX];
	uint16_t drain_after;   /* V2: dumps until the queue has drained */
	unsigned int allocs;    /* memory now given out */
	int alloc_fail_at;      /* this allocation fails; -1: none */
	char line[512];         /* last log line */
};

static struct fake *f;

static void
take_line(int error, const char *line)
{
	(void)error;
	snprintf(f->line, sizeof(f->line), "%s", line);
}

static int
fake_alloc(void *priv, size_t len, size_t align, int socket, struct hisi_qm_mem *mem)
{
	(void)priv;
	(void)socket;
	if (f->alloc_fail_at >= 0 && f->alloc_fail_at-- == 0)
		return -ENOMEM;
	assert_int_equal(posix_memalign(&mem->va, align < 64 ? 64 : align, len), 0);
	memset(mem->va, 0, len);
	mem->iova = (uintptr_t)mem->va;
	mem->len = len;
	f->allocs++;
	return 0;
}

static void
fake_free(void *priv, struct hisi_qm_mem *mem)
{
	(void)priv;
	free(mem->va);
	f->allocs--;
}

static const struct hisi_qm_mem_ops mem_ops = { .alloc = fake_alloc, .free = fake_free };

static uint32_t
fake_read32(struct hisi_qm_io *io, uint32_t off)
{
	(void)io;
	if (f->gone)
		return UINT32_MAX;
	if (off >= HISI_QM_MAILBOX && off < HISI_QM_MAILBOX + 16)
		return f->mb[(off - HISI_QM_MAILBOX) / 4];
	return off == HISI_QM_CACHE_WB_DONE ? f->wb : 0;
}

static void
fake_write32(struct hisi_qm_io *io, uint32_t off, uint32_t value)
{
	(void)io;
	switch (off) {
	case HISI_QM_AEQ_INT_MASK:
		f->aeq_mask = value;
		break;
	case HISI_QM_EQ_INT_MASK:
		f->eq_mask = value;
		break;
	case HISI_QM_IFC_INT_MASK:
		f->ifc_mask = value;
		break;
	case HISI_QM_VF_STATE:
		f->vf_state = value;
		break;
	case HISI_QM_CACHE_WB_START:
		f->wb = value;
		break;
	default:
		fail_msg("write of 0x%x to 0x%x", value, off);
	}
}

static void
fake_write64(struct hisi_qm_io *io, uint32_t off, uint64_t value)
{
	(void)io;
	fail_msg("64-bit write of 0x%llx to 0x%x", (unsigned long long)value, off);
}

static void
fake_mailbox(struct hisi_qm_io *io, const struct hisi_qm_mailbox *mb)
{
	unsigned int cmd = mb->w0 & HISI_QM_MB_CMD_MASK;
	void *image = (void *)(uintptr_t)(mb->base_l | (uint64_t)mb->base_h << 32);
	bool dump = mb->w0 & HISI_QM_MB_OP_READ;

	(void)io;
	assert_true(mb->w0 & HISI_QM_MB_BUSY);
	assert_int_equal(mb->rsvd, 0);
	assert_true(f->logged < MB_MAX);
	f->log[f->logged++] = *mb;
	memcpy(f->mb, mb, sizeof(f->mb));
	if ((int)cmd == f->busy_cmd)
		return;
	f->mb[0] &= ~HISI_QM_MB_BUSY;
	if ((int)cmd == f->fail_cmd) {
		f->mb[0] |= (uint32_t)f->status << HISI_QM_MB_STATUS_SHIFT;
		return;
	}
	if (cmd == HISI_QM_MB_SQC_VFT) {
		uint64_t vft = HISI_QM_VFT_VALID |
			(uint64_t)(f->queues - 1) << HISI_QM_VFT_NUM_SHIFT;

		f->mb[1] = (uint32_t)vft;
		f->mb[2] = (uint32_t)(vft >> 32);
	} else if (cmd == HISI_QM_MB_SQC_BT && !dump) {
		f->bt = mb->base_l | (uint64_t)mb->base_h << 32;
	} else if (cmd == HISI_QM_MB_SQC_BT) {
		f->mb[1] = (uint32_t)f->bt;
		f->mb[2] = (uint32_t)(f->bt >> 32);
	} else if (cmd == HISI_QM_MB_SQC && !dump) {
		memcpy(&f->sqc[mb->queue_num], image, sizeof(f->sqc[0]));
	} else if (cmd == HISI_QM_MB_CQC && !dump) {
		memcpy(&f->cqc[mb->queue_num], image, sizeof(f->cqc[0]));
	} else if (cmd == HISI_QM_MB_SQC) {
		struct hisi_qm_sqc sqc = { .tail = 7, .w11 = HISI_QM_CTX_TAIL_SIG };

		memcpy(image, &sqc, sizeof(sqc));
	} else if (cmd == HISI_QM_MB_CQC) {
		/* First behind, then level but a lap behind, then done. */
		struct hisi_qm_cqc cqc = {
			.tail = f->drain_after > 1 ? 6 : 7,
			.w11 = f->drain_after > 0 ? 0 : HISI_QM_CTX_TAIL_SIG,
		};

		if (f->drain_after > 0)
			f->drain_after--;
		memcpy(image, &cqc, sizeof(cqc));
	}
}

static int
fake_doorbells(struct hisi_qm_io *io, uint16_t qn, volatile uint64_t **sq, volatile uint64_t **cq)
{
	(void)io;
	*sq = &f->db[qn][0];
	*cq = &f->db[qn][1];
	return 0;
}

static int
fake_reset(struct hisi_qm_io *io)
{
	(void)io;
	f->resets++;
	if (f->reset_result != 0)
		return f->reset_result;
	f->fail_cmd = f->busy_cmd = -1;
	f->mb[0] = 0;
	f->bt = 0;
	return 0;
}

static const struct hisi_qm_io_ops io_ops = {
	.read32 = fake_read32,
	.write32 = fake_write32,
	.write64 = fake_write64,
	.mailbox = fake_mailbox,
	.doorbells = fake_doorbells,
};

static int
setup(void **state)
{
	(void)state;
	f = calloc(1, sizeof(*f));
	f->io = (struct hisi_qm_io){ .ops = &io_ops, .name = "fake", .revision = HISI_QM_REV_V3 };
	f->queues = 4;
	f->fail_cmd = f->busy_cmd = -1;
	f->alloc_fail_at = -1;
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	assert_int_equal(f->allocs, 0);
	free(f);
	return 0;
}

static unsigned int
logged_cmd(unsigned int i)
{
	return f->log[i].w0 & HISI_QM_MB_CMD_MASK;
}

static void
test_bring_up(void **state)
{
	struct hisi_qm qm;

	(void)state;
	f->ifc_mask = f->vf_state = 77;
	assert_int_equal(hisi_qm_init(&qm, &f->io, &mem_ops, take_line), 0);
	assert_int_equal(qm.queues, 4);
	/* Order of 2.6: VFT, SQC_BT, CQC_BT, both interrupts masked. */
	assert_int_equal(f->logged, 3);
	assert_int_equal(logged_cmd(0), HISI_QM_MB_SQC_VFT);
	assert_true(f->log[0].w0 & HISI_QM_MB_OP_READ);
	assert_int_equal(logged_cmd(1), HISI_QM_MB_SQC_BT);
	assert_int_equal(logged_cmd(2), HISI_QM_MB_CQC_BT);
	assert_int_equal(f->log[2].base_l, (uint32_t)(f->log[1].base_l + 4 * 32));
	assert_int_equal(f->log[1].base_l % 32, 0);
	assert_int_equal(f->aeq_mask, 1);
	assert_int_equal(f->eq_mask, 1);
	assert_int_equal(f->ifc_mask, 1);
	assert_int_equal(f->vf_state, 0);
	hisi_qm_fini(&qm);
	assert_int_equal(f->wb, 1);
	assert_int_equal(f->vf_state, 1);
}

static void
test_bring_up_v2_leaves_v3_registers(void **state)
{
	struct hisi_qm qm;

	(void)state;
	f->io.revision = HISI_QM_REV_V2;
	f->ifc_mask = f->vf_state = 77;
	assert_int_equal(hisi_qm_init(&qm, &f->io, &mem_ops, take_line), 0);
	hisi_qm_fini(&qm);
	assert_int_equal(f->ifc_mask, 77);
	assert_int_equal(f->vf_state, 77);
}

static void
test_bring_up_fails(void **state)
{
	static const int cmds[] = { HISI_QM_MB_SQC_VFT, HISI_QM_MB_SQC_BT, HISI_QM_MB_CQC_BT };
	struct hisi_qm qm;

	(void)state;
	for (unsigned int i = 0; i < sizeof(cmds) / sizeof(cmds[0]); i++) {
		f->fail_cmd = cmds[i];
		f->status = 9;
		assert_int_equal(hisi_qm_init(&qm, &f->io, &mem_ops, take_line), -EIO);
		/* The line names device, value and expectation. */
		assert_non_null(strstr(f->line, "fake"));
		assert_non_null(strstr(f->line, "status 0x9, expected 0"));
		assert_int_equal(f->allocs, 0);
	}
	f->fail_cmd = -1;

	f->gone = 1;
	assert_int_equal(hisi_qm_init(&qm, &f->io, &mem_ops, take_line), -ENODEV);
	f->gone = 0;

	f->busy_cmd = HISI_QM_MB_SQC_VFT;
	assert_int_equal(hisi_qm_init(&qm, &f->io, &mem_ops, take_line), -ETIMEDOUT);
	assert_non_null(strstr(f->line, "no answer within 1000 ms"));
	f->busy_cmd = -1;
	f->mb[0] = 0;

	f->alloc_fail_at = 0;
	assert_int_equal(hisi_qm_init(&qm, &f->io, &mem_ops, take_line), -ENOMEM);

	f->io.revision = 0x20;
	assert_int_equal(hisi_qm_init(&qm, &f->io, &mem_ops, take_line), -ENOTSUP);
	assert_non_null(strstr(f->line, "revision 0x20, expected 0x21"));
}

static void
test_queue_contexts(void **state)
{
	struct hisi_qm_qp qp;
	struct hisi_qm qm;

	(void)state;
	assert_int_equal(hisi_qm_init(&qm, &f->io, &mem_ops, take_line), 0);
	assert_int_equal(hisi_qm_qp_start(&qm, &qp, 1, 1024, -1), 0);
	/* The images that the reference gives for ZIP (3.1, 3.2), without an armed event. */
	assert_int_equal(f->sqc[0].dw3, 0x73ff);
	assert_int_equal(f->sqc[0].w13, 0x0110);
	assert_int_equal(f->sqc[0].cq_num, 0);
	assert_int_equal(f->sqc[0].base_l, (uint32_t)(uintptr_t)qp.ring.sq);
	assert_int_equal(f->cqc[0].dw3, 0x43ff);
	assert_int_equal(f->cqc[0].dw6, 1);
	assert_int_equal(f->cqc[0].base_l, (uint32_t)(uintptr_t)qp.ring.cq);
	assert_ptr_equal(qp.ring.cq, qp.ring.sq + 1024 * 128);
	assert_int_equal(hisi_qm_qp_stop(&qm, &qp), 0);
	assert_int_equal(logged_cmd(f->logged - 1), HISI_QM_MB_STOP_QP);
	hisi_qm_qp_free(&qm, &qp);
	hisi_qm_fini(&qm);
}

static void
test_queues_run_out_and_return(void **state)
{
	struct hisi_qm_qp qp[5];
	struct hisi_qm qm;

	(void)state;
	assert_int_equal(hisi_qm_init(&qm, &f->io, &mem_ops, take_line), 0);
	for (int round = 0; round < 100; round++) {
		for (int i = 0; i < 4; i++) {
			assert_int_equal(hisi_qm_qp_start(&qm, &qp[i], 0, 16, -1), 0);
			assert_int_equal(qp[i].ring.qn, i);
		}
		assert_int_equal(hisi_qm_qp_start(&qm, &qp[4], 0, 16, -1), -EBUSY);
		/* Any one that is freed is the one that is taken next. */
		hisi_qm_qp_stop(&qm, &qp[2]);
		hisi_qm_qp_free(&qm, &qp[2]);
		assert_int_equal(hisi_qm_qp_start(&qm, &qp[4], 0, 16, -1), 0);
		assert_int_equal(qp[4].ring.qn, 2);
		qp[2] = qp[4];
		for (int i = 0; i < 4; i++) {
			hisi_qm_qp_stop(&qm, &qp[i]);
			hisi_qm_qp_free(&qm, &qp[i]);
		}
	}
	hisi_qm_fini(&qm);
}

static void
test_queue_start_fails(void **state)
{
	static const uint16_t bad_depth[] = { 0, 1, 8, 17, 1000, 2048 };
	struct hisi_qm_qp qp;
	struct hisi_qm qm;

	(void)state;
	assert_int_equal(hisi_qm_init(&qm, &f->io, &mem_ops, take_line), 0);
	for (unsigned int i = 0; i < sizeof(bad_depth) / sizeof(bad_depth[0]); i++) {
		assert_int_equal(hisi_qm_qp_start(&qm, &qp, 0, bad_depth[i], -1), -EINVAL);
		assert_non_null(strstr(f->line, "expected a power of two from 16 to 1024"));
	}
	f->alloc_fail_at = 0;
	assert_int_equal(hisi_qm_qp_start(&qm, &qp, 0, 64, -1), -ENOMEM);
	f->alloc_fail_at = -1;
	f->fail_cmd = HISI_QM_MB_CQC;
	f->status = 1;
	assert_int_equal(hisi_qm_qp_start(&qm, &qp, 0, 64, -1), -EIO);
	/* A pool that has no queue now is no fault, and no line in the log. */
	f->status = HISI_QM_MB_STATUS_NO_QUEUE;
	f->line[0] = '\0';
	assert_int_equal(hisi_qm_qp_start(&qm, &qp, 0, 64, -1), -EBUSY);
	assert_string_equal(f->line, "");
	f->fail_cmd = -1;
	/* No queue was lost on the way. */
	for (int i = 0; i < 4; i++) {
		assert_int_equal(hisi_qm_qp_start(&qm, &qp, 0, 64, -1), 0);
		assert_int_equal(qp.ring.qn, 0);
		hisi_qm_qp_stop(&qm, &qp);
		hisi_qm_qp_free(&qm, &qp);
	}
	hisi_qm_fini(&qm);
}

static void
test_drain_v2(void **state)
{
	struct hisi_qm_qp qp;
	struct hisi_qm qm;
	unsigned int before;

	(void)state;
	f->io.revision = HISI_QM_REV_V2;
	assert_int_equal(hisi_qm_init(&qm, &f->io, &mem_ops, take_line), 0);
	assert_int_equal(hisi_qm_qp_start(&qm, &qp, 0, 64, -1), 0);
	f->drain_after = 3;
	before = f->logged;
	assert_int_equal(hisi_qm_qp_stop(&qm, &qp), 0);
	/* Both contexts were dumped four times: three times not drained, then drained. */
	assert_int_equal(f->logged - before, 8);
	for (unsigned int i = before; i < f->logged; i++) {
		assert_true(f->log[i].w0 & HISI_QM_MB_OP_READ);
		assert_int_not_equal(logged_cmd(i), HISI_QM_MB_STOP_QP);
	}
	hisi_qm_qp_free(&qm, &qp);
	hisi_qm_fini(&qm);
}

/* What the data path stores and expects over several passes of the rings. */
static void
test_rings(void **state)
{
	struct hisi_qm_qp qp;
	struct hisi_qm qm;
	uint16_t device_phase = 1, slot = 0;

	(void)state;
	assert_int_equal(hisi_qm_init(&qm, &f->io, &mem_ops, take_line), 0);
	assert_int_equal(hisi_qm_qp_start(&qm, &qp, 0, 16, -1), 0);
	for (int i = 0; i < 16 * 5 + 3; i++) {
		struct hisi_qm_ring *ring = &qp.ring;

		assert_int_equal(hisi_qm_cq_ready(ring, 1), 0);
		assert_ptr_equal(hisi_qm_sq_slot(ring, slot), ring->sq + slot * 128);
		ring->sq_tail = (ring->sq_tail + 1) & ring->mask;
		hisi_qm_sq_ring(ring);
		slot = (slot + 1) % 16;
		assert_int_equal(f->db[0][0], (uint64_t)slot << 32);
		/* The device answers. */
		ring->cq[(slot + 15) % 16].w7 = device_phase;
		device_phase ^= slot == 0;
		assert_int_equal(hisi_qm_cq_ready(ring, 1), 1);
		hisi_qm_cq_skip(ring, 1);
		hisi_qm_cq_ring(ring);
		assert_int_equal(f->db[0][1], 1ull << 12 | (uint64_t)slot << 32);
	}
	hisi_qm_qp_stop(&qm, &qp);
	hisi_qm_qp_free(&qm, &qp);
	hisi_qm_fini(&qm);
}

/* Submit n requests, of which the device answers the first done. */
static void
submit(struct hisi_qm_ring *ring, unsigned int n, unsigned int done)
{
	uint16_t slot = ring->cq_head, phase = ring->cq_phase;

	ring->sq_tail = (uint16_t)(ring->sq_tail + n) & ring->mask;
	hisi_qm_sq_ring(ring);
	for (unsigned int i = 0; i < done; i++) {
		ring->cq[slot].w7 = phase;
		slot = (slot + 1) & ring->mask;
		phase ^= slot == 0;
	}
	assert_int_equal(hisi_qm_cq_ready(ring, 16), done);
	hisi_qm_cq_skip(ring, (uint16_t)done);
}

/* The rings go on where they were, on another function with the same doorbells. */
static void
test_restart(void **state)
{
	struct hisi_qm_qp qp;
	struct hisi_qm qm;

	(void)state;
	assert_int_equal(hisi_qm_init(&qm, &f->io, &mem_ops, take_line), 0);
	assert_int_equal(hisi_qm_qp_start(&qm, &qp, 1, 16, -1), 0);
	submit(&qp.ring, 12, 12);
	submit(&qp.ring, 9, 5); /* slot 1 of the second pass is the first without an answer */

	memset(f->sqc, 0, sizeof(f->sqc));
	memset(f->cqc, 0, sizeof(f->cqc));
	f->db[0][0] = UINT64_MAX;
	assert_int_equal(hisi_qm_reinit(&qm), 0);
	assert_int_equal(hisi_qm_qp_restart(&qm, &qp), 0);
	assert_int_equal(f->sqc[0].head, 1);
	assert_int_equal(f->sqc[0].tail, 1);
	assert_int_equal(f->sqc[0].w13 >> HISI_QM_SQC_TYPE_SHIFT & HISI_QM_SQC_TYPE_MASK, 1);
	assert_int_equal(f->cqc[0].head, 1);
	assert_int_equal(f->cqc[0].tail, 1);
	assert_int_equal(f->cqc[0].dw6 & HISI_QM_CQC_PHASE, 0);
	assert_int_equal(f->db[0][0], 5ull << 32);

	/* What the producer rings after the function was made comes after our own ring. */
	f->db[0][0] = 7ull << 32;
	assert_int_equal(hisi_qm_qp_restart(&qm, &qp), 0);
	assert_int_equal(f->db[0][0], 7ull << 32);

	/* Fewer queues than before. */
	f->queues = 2;
	assert_int_equal(hisi_qm_reinit(&qm), 0);
	qp.ring.qn = 2;
	assert_int_equal(hisi_qm_qp_restart(&qm, &qp), -EBUSY);
	qp.ring.qn = 0;
	/* More: there are contexts for four. */
	f->queues = 4;
	assert_int_equal(hisi_qm_reinit(&qm), 0);
	f->queues = 8;
	assert_int_equal(hisi_qm_reinit(&qm), 0);
	assert_int_equal(qm.queues, 4);
	hisi_qm_qp_free(&qm, &qp);
	hisi_qm_fini(&qm);
}

/* Two queue pairs of a function that can be reset. */
static void
two_queues(struct hisi_qm *qm, struct hisi_qm_qp qp[2], struct hisi_qm_io_ops *ops)
{
	*ops = *f->io.ops;
	ops->reset = fake_reset;
	f->io.ops = ops;
	assert_int_equal(hisi_qm_init(qm, &f->io, &mem_ops, take_line), 0);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(hisi_qm_qp_start(qm, &qp[i], 0, 64, -1), 0);
		assert_int_equal(hisi_qm_qp_check(qm, &qp[i]), 0);
	}
}

/* Both are given back, and queues can be had again. */
static void
two_queues_end(struct hisi_qm *qm, struct hisi_qm_qp qp[2])
{
	hisi_qm_qp_free(qm, &qp[0]);
	hisi_qm_qp_free(qm, &qp[1]);
	assert_int_equal(hisi_qm_qp_start(qm, &qp[0], 0, 64, -1), 0);
	assert_int_equal(hisi_qm_qp_check(qm, &qp[0]), 0);
	assert_int_equal(hisi_qm_qp_stop(qm, &qp[0]), 0);
	hisi_qm_qp_free(qm, &qp[0]);
	hisi_qm_fini(qm);
}

/* A queue that does not stop costs the function a reset; the other queue learns of it. */
static void
test_reset_if_not_stopped(void **state)
{
	struct hisi_qm_io_ops ops;
	struct hisi_qm_qp qp[2];
	struct hisi_qm qm;
	unsigned int before;

	(void)state;
	two_queues(&qm, qp, &ops);
	f->fail_cmd = HISI_QM_MB_STOP_QP;
	f->status = 1;
	f->eq_mask = 0;
	assert_int_equal(hisi_qm_qp_stop(&qm, &qp[0]), 0);
	assert_int_equal(f->resets, 1);
	/* It was brought up again. */
	assert_int_equal(logged_cmd(f->logged - 2), HISI_QM_MB_SQC_BT);
	assert_int_equal(logged_cmd(f->logged - 1), HISI_QM_MB_CQC_BT);
	assert_int_equal(f->bt, qm.ctx.iova);
	assert_int_equal(f->eq_mask, 1);
	assert_int_equal(hisi_qm_qp_check(&qm, &qp[1]), -ESTALE);
	before = f->logged;
	assert_int_equal(hisi_qm_qp_stop(&qm, &qp[1]), 0);
	assert_int_equal(hisi_qm_qp_abort(&qm, &qp[1]), 0);
	assert_int_equal(f->logged, before);
	assert_int_equal(f->resets, 1);
	two_queues_end(&qm, qp);
}

/* What cannot be reset may still write to memory, and that is what is returned. */
static void
test_not_stopped_nor_reset(void **state)
{
	struct hisi_qm_io_ops ops;
	struct hisi_qm_qp qp[2];
	struct hisi_qm qm;

	(void)state;
	two_queues(&qm, qp, &ops);
	f->fail_cmd = HISI_QM_MB_STOP_QP;
	f->status = 1;
	f->reset_result = -ENOTTY;
	assert_int_equal(hisi_qm_qp_stop(&qm, &qp[0]), -EIO);
	assert_non_null(strstr(f->line, "cannot be reset"));
	ops.reset = NULL;
	assert_int_equal(hisi_qm_qp_abort(&qm, &qp[0]), -EIO);
	assert_int_equal(hisi_qm_qp_check(&qm, &qp[1]), 0);
	f->fail_cmd = -1;
	two_queues_end(&qm, qp);
}

static void
test_gone(void **state)
{
	struct hisi_qm_io_ops ops;
	struct hisi_qm_qp qp[2];
	struct hisi_qm qm;

	(void)state;
	two_queues(&qm, qp, &ops);
	f->gone = 1;
	f->reset_result = -EIO;
	assert_int_equal(hisi_qm_qp_check(&qm, &qp[0]), -ENODEV);
	assert_int_equal(hisi_qm_qp_abort(&qm, &qp[0]), -ENODEV);
	assert_int_equal(hisi_qm_qp_stop(&qm, &qp[1]), -ENODEV);
	f->gone = 0;
	two_queues_end(&qm, qp);
}

/* Somebody else's reset shows by the contexts, which the function has forgotten. */
static void
test_reset_behind_our_back(void **state)
{
	struct hisi_qm_io_ops ops;
	struct hisi_qm_qp qp[2];
	struct hisi_qm qm;

	(void)state;
	two_queues(&qm, qp, &ops);
	f->bt = 0;
	assert_int_equal(hisi_qm_qp_abort(&qm, &qp[0]), 0);
	assert_int_equal(f->bt, qm.ctx.iova);
	assert_int_equal(f->resets, 0);
	assert_int_equal(hisi_qm_qp_check(&qm, &qp[1]), -ESTALE);
	two_queues_end(&qm, qp);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_bring_up, setup, teardown),
		cmocka_unit_test_setup_teardown(test_bring_up_v2_leaves_v3_registers, setup,
			teardown),
		cmocka_unit_test_setup_teardown(test_bring_up_fails, setup, teardown),
		cmocka_unit_test_setup_teardown(test_queue_contexts, setup, teardown),
		cmocka_unit_test_setup_teardown(test_queues_run_out_and_return, setup, teardown),
		cmocka_unit_test_setup_teardown(test_queue_start_fails, setup, teardown),
		cmocka_unit_test_setup_teardown(test_drain_v2, setup, teardown),
		cmocka_unit_test_setup_teardown(test_rings, setup, teardown),
		cmocka_unit_test_setup_teardown(test_reset_if_not_stopped, setup, teardown),
		cmocka_unit_test_setup_teardown(test_not_stopped_nor_reset, setup, teardown),
		cmocka_unit_test_setup_teardown(test_gone, setup, teardown),
		cmocka_unit_test_setup_teardown(test_reset_behind_our_back, setup, teardown),
		cmocka_unit_test_setup_teardown(test_restart, setup, teardown),
	};

	return cmocka_run_group_tests_name("hisi_qm", tests, NULL, NULL);
}
