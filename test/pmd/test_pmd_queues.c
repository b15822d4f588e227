/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

/*
 * Queues and queue pairs that cannot be had: nothing is kept of the attempt, it is repeated
 * after some time, and said once. Of two directions that share the last queue, each gets
 * it when the other has nothing to do.
 */

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include <linux/mempolicy.h>

#include <rte_cycles.h>
#include <rte_errno.h>
#include <rte_malloc.h>

#include "hisi_ap.h"
#include "hisi_zip_dev.h"
#include "hisi_zip_qp.h"
#include "hisi_zip_slot.h"
#include "pmd_test.h"
#include "spim_qm.h"

#define NAME "compress_hisi_zip_queues"
#define DEPTH 64
#define LEN   400u
#define SLOW_MS 50u

static uint8_t dev;
static void *xform[HISI_ZIP_DIRS];
static struct bytes src[HISI_ZIP_DIRS];

/* The device's memory: the n-th allocation from now on, and those after it, fail. */
static struct {
	struct hisi_qm_mem_ops real;
	unsigned int asked, from;
	int error;
	bool slow; /* and that takes SLOW_MS */
} memory;

static int
alloc_or_fail(void *priv, size_t len, size_t align, int socket, struct hisi_qm_mem *mem)
{
	if (memory.from != 0 && ++memory.asked >= memory.from) {
		if (memory.slow)
			rte_delay_us_block(SLOW_MS * US_PER_S / MS_PER_S);
		return memory.error;
	}
	return memory.real.alloc(priv, len, align, socket, mem);
}

static void
memory_fails(unsigned int from, int error)
{
	memory.asked = 0;
	memory.from = from;
	memory.error = error;
}

/* Order rings of PAIR_DEPTH ops, known by their length, and where they were last put. */
#define PAIR_DEPTH 1023
#define RING_BYTES ((PAIR_DEPTH + 1) * sizeof(struct hisi_zip_slot))

static struct {
	bool fails;
	unsigned int held;
	void *va;
	unsigned int binds;
	long bound, mode, nodes_max;
	unsigned long nodes;
} rings;

/* That is what mmap() is called where file offsets have 64 bits. */
void *__real_mmap64(void *at, size_t len, int prot, int flags, int fd, off_t off);
void *__wrap_mmap64(void *at, size_t len, int prot, int flags, int fd, off_t off);
int __real_munmap(void *at, size_t len);
int __wrap_munmap(void *at, size_t len);
long __real_syscall(long nr, ...);
long __wrap_syscall(long nr, ...);

void *
__wrap_mmap64(void *at, size_t len, int prot, int flags, int fd, off_t off)
{
	if (len != RING_BYTES)
		return __real_mmap64(at, len, prot, flags, fd, off);
	if (rings.fails) {
		errno = ENOMEM;
		return MAP_FAILED;
	}
	rings.held++;
	rings.va = __real_mmap64(at, len, prot, flags, fd, off);
	return rings.va;
}

int
__wrap_munmap(void *at, size_t len)
{
	if (at == rings.va && len == RING_BYTES)
		rings.held--;
	return __real_munmap(at, len);
}

long
__wrap_syscall(long nr, ...)
{
	long arg[6];
	va_list ap;

	va_start(ap, nr);
	for (int i = 0; i < 6; i++)
		arg[i] = va_arg(ap, long);
	va_end(ap);
	if (nr == SYS_mbind && arg[1] == (long)RING_BYTES) {
		rings.binds++;
		rings.bound = arg[0];
		rings.mode = arg[2];
		rings.nodes = *(const unsigned long *)arg[3];
		rings.nodes_max = arg[4];
	}
	return __real_syscall(nr, arg[0], arg[1], arg[2], arg[3], arg[4], arg[5]);
}

static struct rte_comp_op *
make_op(struct rng *rng, enum hisi_zip_dir dir)
{
	return pmd_op(xform[dir], pmd_chain(rng, PMD_LINEAR, src[dir].data, 0, src[dir].len, 0), 0,
		(uint32_t)src[dir].len, pmd_chain(rng, PMD_LINEAR, NULL, 0, 2 * LEN, 0), 0);
}

static void
start(struct rng *rng, const char *args)
{
	struct hisi_zip_dev *d;

	dev = pmd_dev_add(NAME, args);
	pmd_dev_start(dev, 1, DEPTH);
	xform[HISI_ZIP_COMP] = pmd_xform(dev, &pmd_deflate_xform);
	xform[HISI_ZIP_DECOMP] = pmd_xform(dev, &pmd_inflate_xform);
	src[HISI_ZIP_COMP] = bytes_random(rng, LEN);
	src[HISI_ZIP_DECOMP] = bytes_deflate(src[HISI_ZIP_COMP].data, LEN, 6, 15);
	d = pmd_qp(dev, 0)->dev;
	memory.real = d->hisi.ap->mem;
	memory_fails(0, 0);
	d->hisi.ap->mem.alloc = alloc_or_fail;
}

static void
stop(void)
{
	for (int dir = 0; dir < HISI_ZIP_DIRS; dir++) {
		pmd_xform_free(dev, xform[dir]);
		bytes_free(&src[dir]);
	}
	pmd_dev_stop(dev);
	pmd_dev_remove(NAME);
}

static void
run_one(struct rng *rng, enum hisi_zip_dir dir, uint8_t status)
{
	struct rte_comp_op *op = make_op(rng, dir);

	pmd_run(dev, 0, &op, 1);
	PMD_CHECK(op->status == status, "%s, expected %s", pmd_status(op->status),
		pmd_status(status));
	pmd_op_free(op);
}

static bool
taken(enum hisi_zip_dir dir)
{
	const struct hisi_zip_hwq *hwq = &pmd_qp(dev, 0)->hwq[dir];

	PMD_CHECK((hwq->q.qn >= 0) == (hwq->q.queue != NULL) &&
		(hwq->q.qn >= 0 || hwq->q.qn == HISI_HWQ_NONE), "queue number %d", hwq->q.qn);
	return hwq->q.qn >= 0;
}

static unsigned int
count(const char *text, const char *word)
{
	unsigned int n = 0;

	for (; (text = strstr(text, word)) != NULL; text++)
		n++;
	return n;
}

/* Whether the next try comes so many ms after the last one, which began and ended then. */
static void
check_pause(const struct hisi_hwq *q, unsigned int ms, uint64_t begin, uint64_t end)
{
	uint64_t took = (end - begin) * MS_PER_S / rte_get_tsc_hz();

	PMD_CHECK(q->failed_at >= begin && q->failed_at <= end && q->pause_ms >= ms &&
		q->pause_ms <= RTE_MAX(ms, took * HISI_HWQ_PAUSE), "the next try is in %u ms, "
		"expected %u", q->pause_ms, ms);
}

/* No time, or all time passes. */
static void
time_stands(struct hisi_hwq *q)
{
	q->failed_at = rte_rdtsc();
	q->pause_ms = UINT32_MAX;
}

static void
time_is_over(struct hisi_hwq *q)
{
	q->pause_ms = 0;
}

/* Each allocation of a queue in its turn: memory for lists, rings. */
static void
no_memory(void)
{
	struct rng rng;

	pmd_rng(&rng);
	for (enum hisi_zip_dir dir = 0; dir < HISI_ZIP_DIRS; dir++) {
		for (unsigned int from = 1; from <= 2; from++) {
			/* Ops before the next try, each done in software. */
			const unsigned int tries = 3, between = 300;
			struct pmd_usage before;
			struct hisi_hwq *q;
			uint64_t sw, begin;
			const char *log;

			start(&rng, "workers=0,sw=auto");
			pmd_log_begin();
			/* What software needs stays. */
			memory_fails(1, -ENOMEM);
			q = &pmd_qp(dev, 0)->hwq[dir].q;
			begin = rte_rdtsc();
			run_one(&rng, dir, RTE_COMP_OP_STATUS_SUCCESS);
			PMD_CHECK(memory.asked == 1, "asked for memory %u times", memory.asked);
			check_pause(q, HISI_HWQ_BUSY_MS, begin, rte_rdtsc());
			time_stands(q);
			before = pmd_usage_get();
			for (unsigned int i = 1; i <= tries * (between + 1); i++) {
				if (i % (between + 1) == 0) {
					memory_fails(from, -ENOMEM);
					time_is_over(q);
				}
				run_one(&rng, dir, RTE_COMP_OP_STATUS_SUCCESS);
				PMD_CHECK(memory.asked == (i < between + 1 ? 1 : from),
					"op %u: asked for memory %u times", i, memory.asked);
				time_stands(q);
				PMD_CHECK(!taken(dir), "taken without memory");
			}
			log = pmd_log_end();
			pmd_usage_check("no memory for a queue", &before);
			PMD_CHECK(count(log, "queue (-12), expected 0") == 1 && count(log,
				dir == HISI_ZIP_COMP ? "no compression" : "no decompression") == 1,
				"the log says \"%s\"", log);
			sw = pmd_qp(dev, 0)->deq.sw;
			PMD_CHECK(sw == tries * (between + 1) + 1 &&
				pmd_qp(dev, 0)->enq.no_queue == sw, "%" PRIu64 " ops in software",
				sw);
			/* With memory, the next try works, and nothing is done in software. */
			memory_fails(0, 0);
			for (unsigned int i = 0; i < between; i++)
				run_one(&rng, dir, RTE_COMP_OP_STATUS_SUCCESS);
			PMD_CHECK(!taken(dir), "tried before its time");
			time_is_over(q);
			for (unsigned int i = 0; i < 10; i++)
				run_one(&rng, dir, RTE_COMP_OP_STATUS_SUCCESS);
			PMD_CHECK(taken(dir) && pmd_qp(dev, 0)->deq.sw == sw + between, "%" PRIu64
				" ops in software after that", pmd_qp(dev, 0)->deq.sw - sw);
			/* Another time it is said again. */
			PMD_CHECK(!q->warned && q->pause_ms == 0, "it will not be said again");
			stop();
		}
	}
}

/* A function that does not answer is left alone for long. */
static void
no_answer(void)
{
	struct rte_comp_op *op;
	struct hisi_hwq *q;
	uint64_t begin;
	struct rng rng;

	pmd_rng(&rng);
	start(&rng, "workers=0,sw=off");
	pmd_log_begin();
	memory_fails(1, -EIO);
	q = &pmd_qp(dev, 0)->hwq[HISI_ZIP_COMP].q;
	op = make_op(&rng, HISI_ZIP_COMP);
	for (unsigned int i = 0; i < 1000; i++) {
		struct rte_comp_op *back;

		begin = rte_rdtsc();
		pmd_enqueue(dev, 0, &op, 1);
		if (i == 0)
			check_pause(q, HISI_HWQ_FAILURE_MS, begin, rte_rdtsc());
		time_stands(q);
		pmd_dequeue(dev, 0, &back, 1);
		PMD_CHECK(op->status == RTE_COMP_OP_STATUS_ERROR && op->consumed == 0 &&
			op->produced == 0, "op %u: %s", i, pmd_status(op->status));
		PMD_CHECK(memory.asked == 1, "op %u: tried %u times", i, memory.asked);
	}
	/* Where a try takes long, the next one is so much later. */
	time_is_over(q);
	memory.slow = true;
	begin = rte_rdtsc();
	pmd_enqueue(dev, 0, &op, 1);
	memory.slow = false;
	PMD_CHECK(memory.asked == 2, "tried %u times", memory.asked);
	PMD_CHECK(q->pause_ms >= (SLOW_MS - 1) * HISI_HWQ_PAUSE, "the next try is in %u ms",
		q->pause_ms);
	pmd_dequeue(dev, 0, &op, 1);
	/* If the TSC goes back, it is not waited for, */
	time_stands(q);
	q->failed_at += rte_get_tsc_hz() * 3600;
	pmd_enqueue(dev, 0, &op, 1);
	PMD_CHECK(memory.asked == 3, "tried %u times", memory.asked);
	pmd_dequeue(dev, 0, &op, 1);
	/* nor is it taken for a long try. And no try is as long as it seems. */
	hisi_hwq_later(q, -EIO, rte_rdtsc() + rte_get_tsc_hz() * 3600);
	PMD_CHECK(q->pause_ms == HISI_HWQ_FAILURE_MS, "%u ms after a TSC that went back",
		q->pause_ms);
	hisi_hwq_later(q, -EIO, 0);
	PMD_CHECK(q->pause_ms <= HISI_HWQ_PAUSE_MS, "%u ms", q->pause_ms);
	PMD_CHECK(count(pmd_log_end(), "no compression queue (-5)") == 1, "said more than once");
	pmd_op_free(op);
	stop();
}

/* Without software, what may come is waited for. */
static void
waits_for_memory(void)
{
	struct rte_comp_op *op;
	struct rng rng;

	pmd_rng(&rng);
	start(&rng, "workers=0,sw=off");
	pmd_log_begin();
	memory_fails(1, -ENOMEM);
	op = make_op(&rng, HISI_ZIP_COMP);
	for (unsigned int i = 0; i < 257; i++) {
		PMD_CHECK(rte_compressdev_enqueue_burst(dev, 0, &op, 1) == 0, "taken");
		time_stands(&pmd_qp(dev, 0)->hwq[HISI_ZIP_COMP].q);
	}
	PMD_CHECK(memory.asked == 1, "tried %u times", memory.asked);
	memory_fails(0, 0);
	time_is_over(&pmd_qp(dev, 0)->hwq[HISI_ZIP_COMP].q);
	pmd_log_end();
	pmd_run(dev, 0, &op, 1);
	PMD_CHECK(op->status == RTE_COMP_OP_STATUS_SUCCESS, "%s", pmd_status(op->status));
	pmd_op_free(op);
	stop();
}

/* ---- The last queue ------------------------------------------------------------------------ */

static void
last_queue(void)
{
	struct rte_comp_op *ops[2], *back[2];
	struct rng rng;

	pmd_rng(&rng);
	start(&rng, "workers=0,sw=off");
	/* All but one are somebody else's. */
	spim_qm_of(pmd_qp(dev, 0)->dev->hisi.ap->spim)->qm.queues = 1;
	/* It goes back and forth. */
	for (int i = 0; i < 10; i++) {
		enum hisi_zip_dir dir = i % 2 == 0 ? HISI_ZIP_COMP : HISI_ZIP_DECOMP;

		run_one(&rng, dir, RTE_COMP_OP_STATUS_SUCCESS);
		PMD_CHECK(taken(dir) && !taken(!dir), "round %d", i);
	}
	pmd_log_begin();
	for (enum hisi_zip_dir dir = 0; dir < HISI_ZIP_DIRS; dir++) {
		/* Each time of trying, as to try too often is left to another case. */
		struct hisi_hwq *q = &pmd_qp(dev, 0)->hwq[!dir].q;
		uint64_t begin;

		/* Not while an op is in flight, */
		ops[0] = make_op(&rng, dir);
		ops[1] = make_op(&rng, !dir);
		time_is_over(q);
		time_is_over(&pmd_qp(dev, 0)->hwq[dir].q);
		pmd_enqueue(dev, 0, ops, 1);
		begin = rte_rdtsc();
		PMD_CHECK(rte_compressdev_enqueue_burst(dev, 0, &ops[1], 1) == 0, "taken");
		PMD_CHECK(taken(dir) && !taken(!dir), "another one's queue was given back");
		check_pause(q, HISI_HWQ_BUSY_MS, begin, rte_rdtsc());
		pmd_dequeue(dev, 0, back, 1);
		PMD_CHECK(ops[0]->status == RTE_COMP_OP_STATUS_SUCCESS, "%s",
			pmd_status(ops[0]->status));
		/* or in the same burst. */
		time_is_over(q);
		PMD_CHECK(rte_compressdev_enqueue_burst(dev, 0, ops, 2) == 1, "both are taken");
		PMD_CHECK(taken(dir) && !taken(!dir), "another one's queue was given back");
		pmd_dequeue(dev, 0, back, 1);
		PMD_CHECK(back[0] == ops[0] && ops[0]->status == RTE_COMP_OP_STATUS_SUCCESS, "%s",
			pmd_status(ops[0]->status));
		time_is_over(q);
		pmd_enqueue(dev, 0, &ops[1], 1);
		PMD_CHECK(!taken(dir) && taken(!dir), "it was not given back");
		pmd_dequeue(dev, 0, back, 1);
		PMD_CHECK(back[0] == ops[1] && ops[1]->status == RTE_COMP_OP_STATUS_SUCCESS, "%s",
			pmd_status(ops[1]->status));
		pmd_op_free(ops[0]);
		pmd_op_free(ops[1]);
	}
	pmd_log_end();
	stop();
}

/* ---- Queue pairs --------------------------------------------------------------------------- */

/* Take what there is of EAL's heap, down to pieces of that size. */
static unsigned int
exhaust(void **pieces, unsigned int max, size_t least)
{
	unsigned int n = 0;

	for (size_t size = 256u << 20; size >= least; size /= 2) {
		void *p;

		while (n < max && (p = rte_malloc("exhaust", size, 0)) != NULL)
			pieces[n++] = p;
	}
	PMD_CHECK(n < max, "too much memory");
	return n;
}

static void
refuses_pair(const char *what)
{
	struct pmd_usage before = pmd_usage_get();
	const char *log;
	int ret;

	for (int i = 0; i < 3; i++) {
		pmd_log_begin();
		ret = rte_compressdev_queue_pair_setup(dev, 0, PAIR_DEPTH, (int)rte_socket_id());
		log = pmd_log_end();
		PMD_CHECK(ret == -ENOMEM, "%s: %d", what, ret);
		PMD_CHECK(strstr(log, NAME ": queue pair 0: no memory for 1023 ops") != NULL,
			"%s: the log says \"%s\"", what, log);
		pmd_usage_check(what, &before);
		PMD_CHECK(rings.held == 0, "%s: %u order rings are kept", what, rings.held);
	}
}

/* Memory for no part of a queue pair, or for all but its order ring. */
static void
no_memory_for_pair(void)
{
	static void *pieces[65536];
	struct rte_compressdev_config config = { .nb_queue_pairs = 1,
		.socket_id = (int)rte_socket_id() };
	unsigned int n;

	dev = pmd_dev_add(NAME, "workers=0");
	PMD_CHECK(rte_compressdev_configure(dev, &config) == 0, "configure");
	n = exhaust(pieces, RTE_DIM(pieces), 1024);
	refuses_pair("no memory of EAL's");
	while (n-- > 0)
		rte_free(pieces[n]);
	rings.fails = true;
	refuses_pair("no memory for its order ring");
	rings.fails = false;
	pmd_dev_start(dev, 1, PAIR_DEPTH);
	pmd_dev_stop(dev);
	pmd_dev_remove(NAME);
}

/* No service sees an order ring: it is none of EAL's memory. It lies where it is asked for. */
static void
order_ring(void)
{
	static const struct hisi_zip_slot zero;
	struct rte_compressdev_config config = { .nb_queue_pairs = 1,
		.socket_id = (int)rte_socket_id() };

	dev = pmd_dev_add(NAME, "workers=0");
	PMD_CHECK(rte_compressdev_configure(dev, &config) == 0, "configure");
	for (int socket = SOCKET_ID_ANY; socket <= (int)rte_socket_id(); socket++) {
		const struct hisi_zip_slot *slots;
		int ret;

		rings.binds = 0;
		ret = rte_compressdev_queue_pair_setup(dev, 0, PAIR_DEPTH, socket);
		PMD_CHECK(ret == 0, "socket %d: %d", socket, ret);
		slots = pmd_qp(dev, 0)->slots;
		PMD_CHECK(rings.held == 1 && slots == rings.va, "%u rings, the last at %p, used "
			"%p", rings.held, rings.va, (const void *)slots);
		for (unsigned int i = 0; i <= PAIR_DEPTH; i++)
			PMD_CHECK(rte_mem_virt2memseg(&slots[i], NULL) == NULL &&
				memcmp(&slots[i], &zero, sizeof(zero)) == 0, "slot %u", i);
		PMD_CHECK(rings.binds == (socket >= 0 ? 1 : 0), "%u binds", rings.binds);
		/* The kernel looks at one bit less than it is told of. */
		PMD_CHECK(socket < 0 || (rings.bound == (long)slots &&
			rings.mode == MPOL_PREFERRED && rings.nodes == 1ul << socket &&
			rings.nodes_max == 65), "bound to 0x%lx of %ld, mode %ld",
			rings.nodes, rings.nodes_max, rings.mode);
	}
	PMD_CHECK(rte_compressdev_close(dev) == 0 && rings.held == 0, "%u rings are kept",
		rings.held);
	pmd_dev_remove(NAME);
}

int
main(int argc, char **argv)
{
	static const struct pmd_case cases[] = {
		{ "no_memory", no_memory, PMD_FAULTS },
		{ "no_answer", no_answer, PMD_FAULTS },
		{ "waits_for_memory", waits_for_memory, PMD_FAULTS },
		{ "last_queue", last_queue, PMD_FAULTS },
		{ "no_memory_for_pair", no_memory_for_pair },
		{ "order_ring", order_ring },
		{ 0 },
	};
	static const char *const none[] = { NULL };

	return pmd_main(argc, argv, &(struct pmd_program){
		.name = "test_pmd_queues", .count = 1, .cases = cases, .vdevs = none,
	});
}
