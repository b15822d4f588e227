/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

/*
 * One lcore enqueues while another one dequeues, both directions mixed, with an
 * engine that copies, so that the rings are all there is to see. None of the
 * ops may be lost, come twice or out of order; each carries its number in its
 * data and beside itself.
 */

#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include <rte_launch.h>
#include <rte_lcore.h>

#include "pmd_test.h"

#define DEVICE "compress_hisi_zip"
#define QP_DEPTH 256
#define OPS 1024 /* more than can be in flight, so that the queue is full at times */
#define BURST_MAX 64
#define LEN_MAX 256

/* What an op carries behind itself (user_size of the pool). */
struct tag {
	uint64_t seq;
};

/*
 * Ops on their way back from the dequeuing to the enqueuing lcore. Not a
 * mempool: its ring is DPDK's, which no sanitizer sees, and this one has to
 * order nothing but what C11 says.
 */
static struct {
	struct rte_comp_op *ops[OPS];
	_Alignas(64) atomic_uint tail; /* written by the dequeuing lcore */
	_Alignas(64) atomic_uint head; /* written by the enqueuing lcore */
} spare;

static struct {
	uint8_t dev;
	unsigned long total;
	uint64_t seed;
	uint64_t full;   /* bursts that were not taken whole */
	/* EAL's launch and wait order memory too, but where no sanitizer sees it. */
	atomic_uint begun, ended;
} run;

static struct tag *
tag_of(struct rte_comp_op *op)
{
	return (struct tag *)(op + 1);
}

static uint8_t *
bytes_of(const struct rte_mbuf *m)
{
	return rte_pktmbuf_mtod(m, uint8_t *);
}

/* Every op has one of two transforms for good; what changes is length and content. */
static void
load(struct rng *rng, struct rte_comp_op *op, uint64_t seq)
{
	uint32_t len = (uint32_t)rng_range(rng, sizeof(seq) + 1, LEN_MAX);

	tag_of(op)->seq = seq;
	memcpy(bytes_of(op->m_src), &seq, sizeof(seq));
	bytes_of(op->m_src)[len - 1] = (uint8_t)(len + seq);
	op->src.length = len;
	op->status = RTE_COMP_OP_STATUS_NOT_PROCESSED;
	op->consumed = op->produced = 0;
}

static void
check(struct rte_comp_op *op, uint64_t seq)
{
	uint32_t len = op->src.length;
	uint64_t got;

	PMD_CHECK(tag_of(op)->seq == seq, "op %" PRIu64 " in the place of %" PRIu64,
		tag_of(op)->seq, seq);
	PMD_CHECK(op->status == RTE_COMP_OP_STATUS_SUCCESS && op->consumed == len &&
		op->produced == len, "op %" PRIu64 ": %s, length %u, consumed %u, produced %u",
		seq, pmd_status(op->status), len, op->consumed, op->produced);
	memcpy(&got, bytes_of(op->m_dst), sizeof(got));
	PMD_CHECK(got == seq, "op %" PRIu64 " has the data of %" PRIu64, seq, got);
	/* The first 8 bytes of each, all bytes of some. */
	if (seq % 64 == 0)
		PMD_CHECK(memcmp(bytes_of(op->m_src), bytes_of(op->m_dst), len) == 0,
			"op %" PRIu64 ": wrong data", seq);
	/* What is not copied next time shows. */
	memset(bytes_of(op->m_dst), 0xff, sizeof(got));
}

static int
enqueuer(void *arg)
{
	struct rng rng = { .state = run.seed | 1 };
	struct rte_comp_op *ops[BURST_MAX];
	unsigned int head = 0;
	uint64_t seq = 0;

	RTE_SET_USED(arg);
	atomic_load_explicit(&run.begun, memory_order_acquire);
	while (seq < run.total) {
		uint16_t want = (uint16_t)rng_range(&rng, 1, BURST_MAX), n, done = 0;
		unsigned int ready = atomic_load_explicit(&spare.tail, memory_order_acquire) - head;

		n = (uint16_t)RTE_MIN(RTE_MIN(want, ready), run.total - seq);
		for (uint16_t i = 0; i < n; i++) {
			ops[i] = spare.ops[(head + i) % OPS];
			load(&rng, ops[i], seq + i);
		}
		while (done < n) {
			uint16_t taken = rte_compressdev_enqueue_burst(run.dev, 0, ops + done,
				n - done);

			done += taken;
			if (done < n) {
				run.full++;
				sched_yield();
			}
		}
		head += n;
		atomic_store_explicit(&spare.head, head, memory_order_release);
		seq += n;
		if (n == 0)
			sched_yield();
	}
	atomic_fetch_add_explicit(&run.ended, 1, memory_order_release);
	return 0;
}

static int
dequeuer(void *arg)
{
	struct rng rng = { .state = (run.seed + 1) | 1 };
	struct rte_comp_op *ops[OPS]; /* so that too many can be seen, not felt */
	unsigned int tail = OPS;
	uint64_t seq = 0, idle = 0;

	RTE_SET_USED(arg);
	atomic_load_explicit(&run.begun, memory_order_acquire);
	while (seq < run.total) {
		uint16_t want = (uint16_t)rng_range(&rng, 1, BURST_MAX);
		uint16_t n = rte_compressdev_dequeue_burst(run.dev, 0, ops, want);

		PMD_CHECK(n <= want, "%u ops, %u were asked for, after op %" PRIu64, n, want, seq);
		for (uint16_t i = 0; i < n; i++) {
			check(ops[i], seq + i);
			spare.ops[(tail + i) % OPS] = ops[i];
		}
		tail += n;
		atomic_store_explicit(&spare.tail, tail, memory_order_release);
		seq += n;
		idle = n == 0 ? idle + 1 : 0;
		PMD_CHECK(idle < 200000000, "nothing after op %" PRIu64, seq);
		if (n == 0)
			sched_yield();
	}
	atomic_fetch_add_explicit(&run.ended, 1, memory_order_release);
	return 0;
}

static void
two_lcores(void)
{
	unsigned int enq_lcore, deq_lcore;
	struct rte_comp_op *none;
	void *comp, *decomp;
	struct rng rng;

	pmd_rng(&rng);
	run.dev = pmd_dev_id(DEVICE);
	run.total = pmd_count();
	run.seed = rng_next(&rng);
	run.full = 0;
	pmd_dev_start(run.dev, 1, QP_DEPTH);
	comp = pmd_xform(run.dev, &pmd_deflate_xform);
	decomp = pmd_xform(run.dev, &pmd_inflate_xform);
	for (unsigned int i = 0; i < OPS; i++) {
		/* Every 8th op has chained mbufs; its first segment holds all there is to check. */
		spare.ops[i] = pmd_op(rng_one_in(&rng, 2) ? comp : decomp,
			pmd_chain(&rng, PMD_LINEAR, NULL, 0, LEN_MAX, 0), 0, 0,
			pmd_chain(&rng, PMD_LINEAR, NULL, 0, LEN_MAX, 0), 0);
		if (i % 8 == 0)
			spare.ops[i]->m_dst->next = pmd_chain(&rng, PMD_FEW, NULL, 0, 100, 0);
	}
	atomic_store(&spare.head, 0);
	atomic_store(&spare.tail, OPS);

	enq_lcore = rte_get_next_lcore(-1, 1, 0);
	deq_lcore = rte_get_next_lcore(enq_lcore, 1, 0);
	PMD_CHECK(deq_lcore < RTE_MAX_LCORE, "two worker lcores are needed");
	atomic_store_explicit(&run.begun, 1, memory_order_release);
	rte_eal_remote_launch(enqueuer, NULL, enq_lcore);
	rte_eal_remote_launch(dequeuer, NULL, deq_lcore);
	rte_eal_mp_wait_lcore();
	PMD_CHECK(atomic_load_explicit(&run.ended, memory_order_acquire) == 2, "an lcore gave up");

	PMD_CHECK(rte_compressdev_dequeue_burst(run.dev, 0, &none, 1) == 0, "one op too many");
	printf("pmd_test: %lu ops, queue full %" PRIu64 " times\n", run.total, run.full);
	for (unsigned int i = 0; i < OPS; i++)
		pmd_op_free(spare.ops[i]);
	pmd_xform_free(run.dev, comp);
	pmd_xform_free(run.dev, decomp);
	pmd_dev_stop(run.dev);
}

int
main(int argc, char **argv)
{
	static const struct pmd_case cases[] = {
		{ "two_lcores", two_lcores },
		{ 0 },
	};
	static const char *const vdevs[] = { DEVICE ",engine=copy", NULL };

	return pmd_main(argc, argv, &(struct pmd_program){
		.name = "test_pmd_ring", .count = 200000, .cases = cases, .vdevs = vdevs,
	});
}
