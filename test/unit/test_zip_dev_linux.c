/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

/*
 * The function under a driver that makes the accesses of Linux's hisi_zip, in its
 * order, through config space and BARs: probe, start, queues, jobs by interrupt,
 * stop, remove, on V3 and V2; and the FLR with which VFIO takes over between two
 * such drivers.
 */

#include "test_qm_dev_util.h"

#include <sched.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>

#include "qm_dev_pci.h"

#define ARENA     (32u << 20)
#define PAGE      4096u
#define DEPTH     1024u
#define EQ_DEPTH  2048u
#define AEQ_DEPTH 1024u
#define IN_FLIGHT 200u
#define JOBS      3000u  /* both rings wrap */
#define WAIT_S    60

struct job {
	struct hisi_acc_sgl *sgl[2];
	uint8_t *in, *out;
};

struct queue {
	struct hisi_zip_sqe *sq;
	struct hisi_qm_cqe *cq;
	uint16_t tail, head, phase;
	unsigned int done;
};

static struct td td;
static bool v3;
static _Atomic unsigned int irqs[QM_DEV_IRQS];
static uint32_t *eqe, *aeqe;
static uint16_t eq_head, eq_phase;
static uint8_t *tmp; /* the one buffer for context images */
static struct queue queues[2];
static struct job jobs[DEPTH];

static void
on_irq(unsigned int vector, void *priv)
{
	(void)priv;
	atomic_fetch_add(&irqs[vector], 1);
}

static uint32_t
rd(uint32_t off)
{
	uint32_t v;

	assert_int_equal(qm_dev_pci_bar_read(td.dev, 2, off, &v, 4), 0);
	return v;
}

static void
wr(uint32_t off, uint32_t v)
{
	assert_int_equal(qm_dev_pci_bar_write(td.dev, 2, off, &v, 4), 0);
}

static void
wr64(uint32_t off, uint64_t v)
{
	assert_int_equal(qm_dev_pci_bar_write(td.dev, 2, off, &v, 8), 0);
}

static uint32_t
cap(uint8_t id)
{
	uint32_t at = td_cfg(&td, 0x34, 1);

	while (at != 0 && td_cfg(&td, at, 1) != id)
		at = td_cfg(&td, at + 1, 1);
	assert_int_not_equal(at, 0);
	return at;
}

/* The mailbox as Linux on x86 writes it: four dwords, ascending. */
static void
mb(unsigned int cmd, unsigned int op, uint16_t qn, uint64_t base)
{
	time_t end = time(NULL) + WAIT_S;

	assert_int_equal(rd(0x300) & HISI_QM_MB_BUSY, 0);
	wr(0x300, cmd | HISI_QM_MB_BUSY | op << 14 | (uint32_t)qn << 16);
	wr(0x304, (uint32_t)base);
	wr(0x308, (uint32_t)(base >> 32));
	wr(0x30c, 0);
	while ((rd(0x300) & HISI_QM_MB_BUSY) != 0)
		assert_true(time(NULL) < end);
	assert_int_equal(rd(0x300) >> HISI_QM_MB_STATUS_SHIFT & HISI_QM_MB_STATUS_MASK, 0);
}

/* A context image of 8 dwords in the temporary buffer, which is reused at once. */
static void
mb_image(unsigned int cmd, uint16_t qn, uint64_t base, uint32_t dw3, uint32_t dw6)
{
	uint32_t image[8] = { 0, (uint32_t)base, (uint32_t)(base >> 32), dw3, 0, 0, dw6, 0 };

	memcpy(tmp, image, sizeof(image));
	mb(cmd, 0, qn, td_iova(&td, tmp));
	memset(tmp, 0xee, sizeof(image));
}

static void
probe(void)
{
	uint32_t msi = cap(0x05), grant = v3 ? 2 : 1;

	assert_int_equal(td_cfg(&td, 0, 4), 0xa25119e5);
	if (v3) {
		assert_int_equal(rd(0x30), 0);
		assert_int_equal(rd(0x3100), 0);
		assert_int_equal(rd(0x210), 0);
	}
	mb(HISI_QM_MB_SQC_VFT, 1, 0, 0);
	/* Valid, two queues or more. */
	assert_true((rd(0x308) >> 12 & 1) == 1 && (rd(0x308) >> 13 & 0x3ff) + 1 >= 2);
	td_cfg_wr(&td, 4, 2, td_cfg(&td, 4, 2) | 4);
	assert_int_equal(td_cfg(&td, msi + 2, 2), 0x80 | grant << 1);
	td_cfg_wr(&td, msi + 2, 2, td_cfg(&td, msi + 2, 2) | grant << 4);
	td_cfg_wr(&td, msi + 4, 4, 0xfee00000);
	td_cfg_wr(&td, msi + 8, 4, 0);
	td_cfg_wr(&td, msi + 12, 2, 0x30);
	td_cfg_wr(&td, 4, 2, td_cfg(&td, 4, 2) | 0x400);
	td_cfg_wr(&td, msi + 2, 2, td_cfg(&td, msi + 2, 2) | 1);
	assert_int_equal(td_cfg(&td, msi + 2, 2), 0x81 | grant << 1 | grant << 4);
	if (v3) {
		wr(0x20, rd(0x20) | 1);
		wr(0x24, rd(0x24) & ~1u);
	}
}

static void
start(uint64_t sqc_array)
{
	memset(eqe, 0, EQ_DEPTH * sizeof(*eqe));
	memset(aeqe, 0, AEQ_DEPTH * sizeof(*aeqe));
	eq_head = 0;
	eq_phase = 1;
	mb_image(HISI_QM_MB_EQC, 0, td_iova(&td, eqe), 0, 0x107ff);
	mb_image(HISI_QM_MB_AEQC, 0, td_iova(&td, aeqe), 0, 0x103ff);
	mb(HISI_QM_MB_SQC_BT, 0, 0, sqc_array);
	mb(HISI_QM_MB_CQC_BT, 0, 0, sqc_array + 32 * 4);
	if (v3)
		wr(0x34, 0);
	wr64(0x2000, 0x3000);
	wr64(0x2000, 0x2000);
	wr(0x0c, 0);
	wr(0x04, 0);
	if (v3)
		wr(0x60, 0);
}

static void
start_queue(uint16_t qn)
{
	struct queue *q = &queues[qn];

	memset(q->cq, 0, DEPTH * sizeof(*q->cq));
	q->tail = q->head = 0;
	q->phase = 1;
	q->done = 0;
	mb_image(HISI_QM_MB_SQC, qn, td_iova(&td, q->sq), 0x73ff,
			qn == 0 ? 0x00100000 : 0x01100001);
	mb_image(HISI_QM_MB_CQC, qn, td_iova(&td, q->cq), 0x43ff, 3);
}

static void
set_sgl(struct hisi_acc_sgl *sgl, const void *va, uint32_t len)
{
	struct hisi_acc_sge *sge = (struct hisi_acc_sge *)(sgl + 1);

	sgl->entry_sum_in_chain = 10; /* the pool's entries */
	sgl->entry_length_in_sgl = 10;
	sgl->entry_sum_in_sgl = 1;
	sge[0].buf = td_iova(&td, va);
	sge[0].len = len;
}

static void
submit(uint16_t qn, uint32_t len, uint32_t avail)
{
	struct queue *q = &queues[qn];
	struct job *j = &jobs[q->tail];
	struct hisi_zip_sqe *sqe = &q->sq[q->tail];

	set_sgl(j->sgl[0], j->in, PAGE);
	set_sgl(j->sgl[1], j->out, 2 * PAGE); /* longer than dw14 allows */
	memset(sqe, 0, sizeof(*sqe));
	sqe->input_data_length = len;
	sqe->dw7 = v3 ? 0x30000000 : 0;
	sqe->dw9 = v3 ? 0x101 : 0x102;
	sqe->dest_avail_out = avail;
	hisi_zip_sqe_src(sqe, td_iova(&td, j->sgl[0]), len);
	hisi_zip_sqe_dst(sqe, td_iova(&td, j->sgl[1]), avail);
	if (v3)
		memcpy(&sqe->tag_l, &j, sizeof(j));
	q->tail = (uint16_t)((q->tail + 1) % DEPTH);
	wr64(0x1000, (uint64_t)q->tail << 32 | qn);
}

static uint32_t in_len, out_avail; /* of the jobs of this run */
static uint32_t failed;

/* A job is done: its pages are what they should be, or it says why not. */
static void
reap(uint16_t qn, const struct hisi_zip_sqe *sqe)
{
	const struct job *j = &jobs[sqe - queues[qn].sq];
	uint32_t st = sqe->dw3 & HISI_ZIP_STATUS_MASK;
	uint8_t plain[PAGE];
	struct job *tag;

	if (v3) {
		memcpy(&tag, &sqe->tag_l, sizeof(tag));
		assert_ptr_equal(tag, j);
	}
	assert_int_equal(sqe->ctx_dw0, 0);
	if (st == HISI_ZIP_DSTLEN_OUT) {
		failed++;
	} else {
		assert_true(st == HISI_ZIP_OK || st == HISI_ZIP_NEGACOMPRESS);
		assert_true(sqe->produced <= out_avail);
		if (qn == 0 && v3) {
			assert_int_equal(z_inflate(-15, j->out, sqe->produced, plain, PAGE),
					in_len);
			assert_memory_equal(plain, j->in, in_len);
		}
	}
	/* Not a byte behind what dw14 allows, whatever the SGE says. */
	for (uint32_t i = out_avail; i < 2 * PAGE; i++)
		assert_int_equal(j->out[i], 0xdd);
	queues[qn].done++;
}

static void
handle_cq(uint16_t qn)
{
	struct queue *q = &queues[qn];

	while ((__atomic_load_n(&q->cq[q->head].w7, __ATOMIC_ACQUIRE) & 1) == q->phase) {
		assert_int_equal(q->cq[q->head].sq_num, qn);
		reap(qn, &q->sq[q->cq[q->head].sq_head]);
		if (++q->head == DEPTH) {
			q->head = 0;
			q->phase ^= 1;
		}
		wr64(0x1000, (uint64_t)q->head << 32 | 1u << 12 | qn);
	}
	wr64(0x1000, 1ull << 48 | (uint64_t)q->head << 32 | 1u << 12 | qn);
}

/* Vector 0, as 6.1 handles it. */
static void
handle_eq(void)
{
	uint16_t found[EQ_DEPTH / 2];
	unsigned int n = 0;

	assert_int_not_equal(rd(0x08), 0); /* 0: "nobody cared" */
	while (n < EQ_DEPTH / 2 - 1 && (__atomic_load_n(&eqe[eq_head], __ATOMIC_ACQUIRE) >> 16 &
			1) == eq_phase) {
		found[n++] = (uint16_t)eqe[eq_head];
		if (++eq_head == EQ_DEPTH) {
			eq_head = 0;
			eq_phase ^= 1;
		}
	}
	assert_int_not_equal(n, 0); /* a message with nothing behind it */
	wr64(0x2000, (uint64_t)eq_head << 32 | 0x2000);
	while (n-- != 0)
		handle_cq(found[n]);
}

/* n jobs of one queue, up to IN_FLIGHT at a time; all completions come by interrupt. */
static void
run_jobs(uint16_t qn, unsigned int n, uint32_t len, uint32_t avail)
{
	struct queue *q = &queues[qn];
	unsigned int sent = 0, seen = atomic_load(&irqs[0]), goal = q->done + n;
	unsigned int done = q->done;
	time_t end = time(NULL) + WAIT_S;

	in_len = len;
	out_avail = avail;
	while (q->done < goal) {
		while (sent < n && done + sent - q->done < IN_FLIGHT) {
			struct job *j = &jobs[q->tail];

			memset(j->out, 0xdd, 2 * PAGE);
			submit(qn, len, avail);
			sent++;
		}
		if (atomic_load(&irqs[0]) != seen) {
			seen++;
			handle_eq();
		} else if (time(NULL) > end) {
			fail_msg("%u of %u jobs came back", q->done - done, n);
		} else {
			sched_yield();
		}
	}
}

static void
stop_queue(uint16_t qn)
{
	struct hisi_qm_sqc sqc;
	struct hisi_qm_cqc cqc;

	if (v3) {
		mb(HISI_QM_MB_STOP_QP, 0, qn, 0);
		return;
	}
	/* V2 has drained when both tails and their wrap flags agree. */
	mb(HISI_QM_MB_SQC, 1, qn, td_iova(&td, tmp));
	memcpy(&sqc, tmp, sizeof(sqc));
	mb(HISI_QM_MB_CQC, 1, qn, td_iova(&td, tmp));
	memcpy(&cqc, tmp, sizeof(cqc));
	assert_int_equal(sqc.tail, cqc.tail);
	assert_int_equal(sqc.w11 & HISI_QM_CTX_TAIL_SIG, cqc.w11 & HISI_QM_CTX_TAIL_SIG);
}

static void
function_off(void)
{
	uint32_t msi = cap(0x05);

	wr(0x0c, 1);
	wr(0x04, 1);
	if (v3)
		wr(0x24, rd(0x24) | 1);
	wr(0x204, 1);
	assert_int_equal(rd(0x208) & 1, 1);
	if (v3)
		wr(0x60, 1);
	td_cfg_wr(&td, msi + 2, 2, td_cfg(&td, msi + 2, 2) & ~1u);
}

/* zlib trailers and headers: the driver skips the header, the device does the rest. */
static void
fill_pages(uint16_t qn, bool noise)
{
	for (unsigned int i = 0; i < DEPTH; i++) {
		uint8_t plain[PAGE], packed[2 * PAGE];
		size_t n;

		if (noise)
			fill_noise(plain, PAGE, i);
		else
			fill_text(plain, PAGE, i);
		if (qn == 0) {
			memcpy(jobs[i].in, plain, PAGE);
			continue;
		}
		memset(jobs[i].in, 0, PAGE);
		n = z_deflate(v3 ? -15 : 15, plain, PAGE, packed, sizeof(packed));
		assert_true(n <= PAGE);
		memcpy(jobs[i].in, packed + (v3 ? 0 : 2), n - (v3 ? 0 : 2));
	}
}

static void
whole_life(uint64_t sqc_array)
{
	struct qm_dev_stats s;

	probe();
	start(sqc_array);
	start_queue(0);
	start_queue(1);
	failed = 0;
	fill_pages(0, false);
	run_jobs(0, JOBS, PAGE, PAGE);
	assert_int_equal(failed, 0);
	/* Pages that do not compress into a page: zswap's case. */
	fill_pages(0, true);
	run_jobs(0, 50, PAGE, PAGE);
	assert_int_equal(failed, 50);
	fill_pages(1, false);
	run_jobs(1, JOBS, PAGE, PAGE); /* the input ends before its page does */
	for (unsigned int i = 0; i < DEPTH; i++) {
		uint8_t plain[PAGE];

		fill_text(plain, PAGE, i);
		assert_memory_equal(jobs[i].out, plain, PAGE);
	}
	assert_int_equal(failed, 50);
	qm_dev_stats_get(td.dev, &s);
	assert_int_equal(s.doorbells_dropped, 0);
	assert_int_equal(s.mailbox_errors, 0);
	assert_int_equal(s.aeqes, 0);
	stop_queue(0);
	stop_queue(1);
	/* The way of an AEQE of type 1: stop and start the function, then the queues. */
	wr(0x0c, 1);
	wr(0x04, 1);
	start(sqc_array);
	start_queue(0);
	fill_pages(0, false);
	run_jobs(0, 10, PAGE, PAGE);
	stop_queue(0);
	function_off();
}

static void
check_power_on(void)
{
	for (uint32_t off = 0; off < 0x4000; off += 4) {
		uint32_t want = off == 0x04 || off == 0x0c || (v3 && off == 0x24);

		if (rd(off) != want)
			fail_msg("register 0x%x is 0x%x after a reset", off, rd(off));
	}
	assert_int_equal(td_cfg(&td, 4, 2), 0);
	assert_int_equal(td_cfg(&td, cap(0x05) + 2, 2), v3 ? 0x84 : 0x82);
}

static void
run(uint8_t revision)
{
	struct qm_dev_conf conf = td_conf(1);
	const struct hisi_qm_sqc *sqc;
	uint64_t sqc_array;

	conf.revision = revision;
	conf.ext = 0;
	conf.irq = on_irq;
	v3 = revision >= HISI_QM_REV_V3;
	td_open(&td, &conf, ARENA);
	for (unsigned int i = 0; i < QM_DEV_IRQS; i++)
		atomic_store(&irqs[i], 0);
	tmp = td_alloc(&td, 32, 32);
	eqe = td_alloc(&td, EQ_DEPTH * sizeof(*eqe), PAGE);
	aeqe = td_alloc(&td, AEQ_DEPTH * sizeof(*aeqe), 32);
	sqc = td_alloc(&td, 2 * 4 * 32, 32);
	sqc_array = td_iova(&td, sqc);
	for (int i = 0; i < 2; i++) {
		queues[i].sq = td_alloc(&td, DEPTH * sizeof(*queues[i].sq), PAGE);
		queues[i].cq = td_alloc(&td, DEPTH * sizeof(*queues[i].cq), PAGE);
	}
	for (unsigned int i = 0; i < DEPTH; i++) {
		jobs[i].in = td_alloc(&td, PAGE, PAGE);
		jobs[i].out = td_alloc(&td, 2 * PAGE, PAGE);
		for (int k = 0; k < 2; k++)
			jobs[i].sgl[k] = td_alloc(&td, 64 + 10 * 32, 64);
	}
	check_power_on();
	whole_life(sqc_array);
	/* The removal's write-back; V2 knows no stop, so its queue is still there. */
	assert_int_equal(sqc->tail, v3 ? 0 : 10);
	/* VFIO takes over and gives back. */
	td_cfg_wr(&td, cap(0x10) + 8, 2, 0x8000);
	check_power_on();
	td_cfg_wr(&td, cap(0x10) + 8, 2, 0x8000);
	whole_life(sqc_array);
	assert_int_equal(irqs[QM_DEV_IRQ_AEQ] + irqs[QM_DEV_IRQ_MESSAGE] +
			irqs[QM_DEV_IRQ_ABNORMAL], 0);
	td_close(&td);
}

static void
linux_on_v3(void **state)
{
	(void)state;
	run(HISI_QM_REV_V3);
}

static void
linux_on_v2(void **state)
{
	(void)state;
	run(HISI_QM_REV_V2);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(linux_on_v3), cmocka_unit_test(linux_on_v2),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
