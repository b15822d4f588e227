/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

/*
 * A hostile driver: wild requests and lists, memory that is taken away, maps
 * of every kind. Nothing may be touched outside the map (the arena lies between
 * guard pages), and the function must stay able to serve. What is not about the
 * requests of a class runs for both.
 */

#include "fewer.h"
#include "test_udma_dev_util.h"

#include <errno.h>
#include <pthread.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define ARENA (16u << 20)
#define MAP2  0x100000000ull
#define PAGE  4096u

#define PATIENCE_S 100 /* for threads to meet each other */

static struct td td;
static struct tq c, d;
static bool udma; /* c is of this class */

static void
open_with(unsigned int workers, uint8_t ext)
{
	struct qm_dev_conf conf = td_conf_both(workers);

	conf.ext = ext;
	td_zip(&conf)->streams_max = 16;
	td_open(&td, &conf, ARENA);
	tq_start(&c, &td, 0, udma ? HISI_UDMA_QC : HISI_ZIP_QC_COMPRESS, 64);
	tq_start(&d, &td, 1, HISI_ZIP_QC_DECOMPRESS, 64);
}

static int
setup(void **state)
{
	(void)state;
	open_with(0, 1);
	return 0;
}

static int
choose_udma(void **state)
{
	(void)state;
	udma = true;
	return 0;
}

static int
choose_zip(void **state)
{
	(void)state;
	udma = false;
	return 0;
}

static int
setup_udma(void **state)
{
	(void)choose_udma(state);
	return setup(state);
}

static int
teardown(void **state)
{
	td_close(&td);
	return choose_zip(state);
}

static uint64_t
wild_addr(uint32_t *seed)
{
	uint64_t in = TD_IOVA + (1u << 20) + rnd(seed) % (ARENA - (1u << 20));

	switch (rnd(seed) % 12) {
	case 0: return rnd(seed) | (uint64_t)rnd(seed) << 32;
	case 1: return TD_IOVA + ARENA - rnd(seed) % 300;
	case 2: return TD_IOVA - rnd(seed) % 300;
	case 3: return UINT64_MAX - rnd(seed) % 300;
	case 4: return rnd(seed) % 300;
	case 5: return in & ~63ull;
	default: return in;
	}
}

static uint32_t
zip_len(uint32_t *seed)
{
	return wild_len(seed, HISI_ZIP_REQ_LEN_MAX, 20);
}

/* Lists that are nearly right, all over the first MiB behind the rings. */
static void
wild_lists(uint32_t *seed, uint8_t *mem, size_t len)
{
	for (size_t at = 0; at + 64 + 32 * 16 <= len; at += 64 * (1 + rnd(seed) % 9)) {
		struct hisi_acc_sgl *sgl = (struct hisi_acc_sgl *)(mem + at);
		struct hisi_acc_sge *sge = (struct hisi_acc_sge *)(sgl + 1);

		sgl->next_dma = rnd(seed) % 3 == 0 ? 0 : rnd(seed) % 4 == 0 ? wild_addr(seed) :
			td_iova(&td, mem) + (rnd(seed) % len & ~63u);
		sgl->entry_sum_in_sgl = (uint16_t)(rnd(seed) % 10 == 0 ? rnd(seed) :
				1 + rnd(seed) % 16);
		for (unsigned int i = 0; i < 16; i++) {
			sge[i].buf = wild_addr(seed);
			sge[i].len = zip_len(seed);
		}
	}
}

/* A right request between wild ones: into q, a copy or, on plain silicon, a zlib stream. */
static void
right_request(struct tq *q, uint8_t ext, uint8_t *mem, uint32_t seed)
{
	struct hisi_zip_sqe *sqe = tq_slot(q, ext ? HISI_ZIP_REQ_EXT_COPY : HISI_ZIP_REQ_ZLIB);
	uint32_t len = 100 + seed % 1000, n = len;
	uint8_t *plain = mem, *src = mem + 2048, *dst = mem + 4096;

	fill_text(plain, len, seed);
	memcpy(src, plain, len);
	if (!ext && q == &d)
		n = (uint32_t)z_deflate(15, plain, len, src, 2048) - 2;
	memset(dst, 0, len);
	hisi_zip_sqe_src(sqe, td_iova(&td, src + (!ext && q == &d ? 2 : 0)), n);
	hisi_zip_sqe_dst(sqe, td_iova(&td, dst), 2048);
	sqe = tq_do(q);
	assert_int_equal(sqe->dw3, HISI_ZIP_OK);
	assert_int_equal(sqe->consumed, n);
	if (ext || q == &d) {
		assert_int_equal(sqe->produced, len);
		assert_memory_equal(dst, plain, len);
	}
}

static void
wild_requests(uint8_t ext, uint32_t seed, unsigned int rounds)
{
	static const uint8_t reqs[] = { 1, 2, 3, 0xf0, 1, 0xf1, 0, 4 };
	const size_t list_len = 1u << 20;
	unsigned int right = 0, wrong = 0, other = 0;
	uint8_t *lists, *own;
	uint32_t status[256];
	struct qm_dev_stats s;

	open_with(0, ext);
	own = td_alloc(&td, 8192, 64); /* in front of what wild addresses are in */
	assert_true(td.used < 1u << 20);
	td.used = 1u << 20;
	lists = td_alloc(&td, list_len, 64);
	fill_noise(td.arena + td.used, ARENA - td.used, seed);
	for (unsigned int round = 0; round < rounds; round++) {
		struct tq *q = rnd(&seed) % 2 ? &c : &d;
		struct hisi_zip_sqe *sqe = tq_slot(q, 0);
		uint32_t *w = (uint32_t *)sqe;

		/* A valid stream here and there, so that more than errors is tried. */
		if (round % 64 == 0) {
			wild_lists(&seed, lists, list_len);
			z_deflate(-15, lists, 1000, td.arena + td.used + rnd(&seed) % 4096, 2000);
		}
		for (unsigned int i = 0; i < 32; i++)
			w[i] = rnd(&seed);
		hisi_zip_sqe_src(sqe, wild_addr(&seed), zip_len(&seed));
		hisi_zip_sqe_dst(sqe, wild_addr(&seed), zip_len(&seed));
		if (rnd(&seed) % 8 != 0) {
			sqe->dw7 = HISI_ZIP_SQE_TYPE3 << HISI_ZIP_DW7_TYPE_SHIFT |
				(rnd(&seed) & 7u) << 25 | rnd(&seed) % (1u << rnd(&seed) % 24);
			sqe->dw8 = rnd(&seed) % (1u << rnd(&seed) % 24);
			sqe->dw9 = reqs[rnd(&seed) % sizeof(reqs)] | (rnd(&seed) & 1) << 8 |
				(rnd(&seed) % 5) << 12;
			sqe->dw10 &= ~HISI_ZIP_EXT_RSVD_MASK;
			sqe->dw10 |= (rnd(&seed) & 1) << 31 | 8u << HISI_ZIP_EXT_WINDOW_SHIFT;
			/* Fields of one request type are faults in another: often only few. */
			if (rnd(&seed) % 4 != 0)
				sqe->dw10 &= ~(rnd(&seed) % 2 ? 0x0ff00u : 0x7ff0ff0u);
			if ((sqe->dw10 & HISI_ZIP_EXT_DICT) != 0) {
				uint64_t at = wild_addr(&seed);

				sqe->dw13 = zip_len(&seed) & 0xffff;
				sqe->dw24 = (uint32_t)at;
				sqe->dw25 = (uint32_t)(at >> 32);
			}
			if ((sqe->dw9 >> 8 & 1) != 0)
				hisi_zip_sqe_src(sqe, td_iova(&td, lists) +
						(rnd(&seed) % list_len & ~63u), zip_len(&seed));
			hisi_zip_sqe_ctx(sqe, rnd(&seed) % 24);
		}
		/* No address points into the rings, so it must complete, whatever it is. */
		tq_push(q);
		tq_ring(q);
		sqe = tq_pop(q);
		assert_non_null(sqe);
		switch (sqe->dw3 & HISI_ZIP_STATUS_MASK) {
		case HISI_ZIP_OK: case HISI_ZIP_NEGACOMPRESS: case HISI_ZIP_DECOMP_END:
			right++;
			break;
		case HISI_ZIP_BAD_DATA: case HISI_ZIP_BAD_SQE: case HISI_ZIP_BAD_ADDR:
		case HISI_ZIP_BAD_SGL: case HISI_ZIP_BAD_STREAM: case HISI_ZIP_NO_STREAM:
		case HISI_ZIP_CRC_ERR:
			wrong++;
			break;
		case HISI_ZIP_DSTLEN_OUT:
			other++;
			break;
		default:
			fail_msg("status 0x%x", sqe->dw3);
		}
		/* In both queues, so that what the wild ones left behind is met. */
		if (round % 16 == 0) {
			right_request(&c, ext, own, round + 1);
			right_request(&d, ext, own, round + 1);
			right += 2;
		}
		/* And one that is wrong in one field. */
		if (round % 16 == 8) {
			sqe = tq_slot(&c, ext ? HISI_ZIP_REQ_EXT_COPY : HISI_ZIP_REQ_ZLIB);
			hisi_zip_sqe_src(sqe, TD_IOVA + ARENA - 99, 100);
			hisi_zip_sqe_dst(sqe, td_iova(&td, own), 2048);
			assert_int_equal(tq_do(&c)->dw3, HISI_ZIP_BAD_ADDR);
			wrong++;
		}
	}
	qm_dev_stats_get(td.dev, &s);
	qm_dev_stats_status(td.dev, status);
	/* Nothing is lost, and every status is counted. */
	assert_int_equal(s.requests, right + wrong + other);
	assert_in_range(s.errors, wrong, wrong + other);
	assert_true(right > rounds / 8 && wrong > rounds / 10);
	assert_int_equal(status[HISI_ZIP_DSTLEN_OUT], other);
	assert_int_equal(status[HISI_ZIP_INTERNAL], 0);
	assert_true(status[HISI_ZIP_BAD_ADDR] > rounds / 16 && status[HISI_ZIP_BAD_SQE] != 0 &&
			status[HISI_ZIP_BAD_SGL] != 0);
	assert_true(s.contexts <= 16);
	td_close(&td);
}

static void
wild_with_extension(void **state)
{
	(void)state;
	wild_requests(1, 1, 20000 / test_fewer());
	wild_requests(1, 77, 20000 / test_fewer());
}

static void
wild_plain(void **state)
{
	(void)state;
	wild_requests(0, 2, 20000 / test_fewer());
}

/* Flat copies of either class over every kind of edge. */
static void
copy_push(uint64_t src, uint64_t dst, uint32_t len)
{
	if (udma) {
		udma_slot(&c, HISI_UDMA_COPY, src, dst, len);
	} else {
		struct hisi_zip_sqe *sqe = tq_slot(&c, HISI_ZIP_REQ_EXT_COPY);

		sqe->dw10 = HISI_ZIP_EXT_VALID;
		hisi_zip_sqe_src(sqe, src, len);
		hisi_zip_sqe_dst(sqe, dst, len);
	}
	tq_push(&c);
}

/* The status of the next copy that completes, as ZIP says it. */
static uint32_t
copy_pop(void)
{
	const struct hisi_zip_sqe *sqe = tq_pop(&c);
	uint32_t wb;

	assert_non_null(sqe);
	if (!udma)
		return sqe->dw3;
	wb = ((const struct hisi_udma_sqe *)sqe)->wb;
	return wb == HISI_UDMA_WB_GOOD ? HISI_ZIP_OK : wb == udma_refused(UDMA_DEV_BAD_ADDR) ?
		HISI_ZIP_BAD_ADDR : wb;
}

static uint32_t
copy_status(uint64_t src, uint64_t dst, uint32_t len)
{
	copy_push(src, dst, len);
	tq_ring(&c);
	return copy_pop();
}

static void
map_edges(void **state)
{
	const unsigned int rw = QM_DEV_PROT_READ | QM_DEV_PROT_WRITE;
	uint8_t *mem = aligned_alloc(PAGE, 8 * PAGE);
	uint64_t out = td_iova(&td, td_alloc(&td, 8 * PAGE, PAGE));
	uint8_t *out_va = td.arena + (out - TD_IOVA);

	(void)state;
	fill_noise(mem, 8 * PAGE, 4);
	/* Refusals. */
	assert_int_equal(qm_dev_dma_map(td.dev, MAP2, 0, mem, rw), -EINVAL);
	assert_int_equal(qm_dev_dma_map(td.dev, MAP2, PAGE, mem, 4), -EINVAL);
	assert_int_equal(qm_dev_dma_map(td.dev, MAP2 + 1, PAGE, mem, rw), -EINVAL);
	assert_int_equal(qm_dev_dma_map(td.dev, UINT64_MAX - PAGE + 1, PAGE + 64, mem, rw),
			-EINVAL);
	assert_int_equal(qm_dev_dma_map(td.dev, TD_IOVA, PAGE, mem, rw), -EEXIST);
	assert_int_equal(qm_dev_dma_map(td.dev, TD_IOVA - PAGE, 2 * PAGE, mem, rw), -EEXIST);
	assert_int_equal(qm_dev_dma_map(td.dev, TD_IOVA + ARENA - 64, PAGE, mem, rw), -EEXIST);
	assert_int_equal(qm_dev_dma_map(td.dev, 0, UINT64_MAX, NULL, rw), -EEXIST);
	/* Adjacent in addresses, not in memory; read, read and write, write only. */
	assert_int_equal(qm_dev_dma_map(td.dev, MAP2, PAGE, mem, QM_DEV_PROT_READ), 0);
	assert_int_equal(qm_dev_dma_map(td.dev, MAP2 + PAGE, PAGE, mem + 4 * PAGE, rw), 0);
	assert_int_equal(qm_dev_dma_map(td.dev, MAP2 + 2 * PAGE, PAGE, mem + 2 * PAGE,
			QM_DEV_PROT_WRITE), 0);
	assert_int_equal(copy_status(MAP2, out, 2 * PAGE), HISI_ZIP_OK);
	assert_memory_equal(out_va, mem, PAGE);
	assert_memory_equal(out_va + PAGE, mem + 4 * PAGE, PAGE);
	assert_int_equal(copy_status(MAP2, out, 2 * PAGE + 1), HISI_ZIP_BAD_ADDR);
	assert_int_equal(copy_status(MAP2 - 1, out, 1), HISI_ZIP_BAD_ADDR);
	assert_int_equal(copy_status(MAP2 + 2 * PAGE, out, 1), HISI_ZIP_BAD_ADDR);
	assert_int_equal(copy_status(out, MAP2 + PAGE, 2 * PAGE), HISI_ZIP_OK);
	assert_int_equal(copy_status(out, MAP2 + PAGE - 1, 2), HISI_ZIP_BAD_ADDR);
	assert_int_equal(copy_status(out, MAP2 + PAGE, 2 * PAGE + 1), HISI_ZIP_BAD_ADDR);
	/* The last page of all addresses. */
	assert_int_equal(qm_dev_dma_map(td.dev, UINT64_MAX - PAGE + 1, PAGE, mem, rw), 0);
	assert_int_equal(copy_status(UINT64_MAX - PAGE + 1, out, PAGE), HISI_ZIP_OK);
	assert_int_equal(copy_status(UINT64_MAX - 9, out, 10), HISI_ZIP_OK);
	assert_int_equal(copy_status(UINT64_MAX - 9, out, 11), HISI_ZIP_BAD_ADDR);
	/* A map at address 0 does not follow on the last one. */
	assert_int_equal(qm_dev_dma_map(td.dev, 0, PAGE, mem, rw), 0);
	assert_int_equal(copy_status(UINT64_MAX - 9, out, 11), HISI_ZIP_BAD_ADDR);
	assert_int_equal(copy_status(0, out, 11), HISI_ZIP_OK);
	/* Unmap: half a map is an error, two at once is fine, nothing is nothing. */
	assert_int_equal(td_unmap(td.dev, MAP2 + 64, PAGE), -EINVAL);
	assert_int_equal(td_unmap(td.dev, MAP2, PAGE + 64), -EINVAL);
	assert_int_equal(td_unmap(td.dev, MAP2, 0), -EINVAL);
	assert_int_equal(td_unmap(td.dev, UINT64_MAX, 2), -EINVAL);
	assert_int_equal(copy_status(MAP2, out, 2 * PAGE), HISI_ZIP_OK);
	assert_int_equal(td_unmap(td.dev, MAP2, 3 * PAGE), 3);
	assert_int_equal(td_unmap(td.dev, MAP2, 3 * PAGE), 0);
	assert_int_equal(copy_status(MAP2, out, 1), HISI_ZIP_BAD_ADDR);
	assert_int_equal(td_unmap(td.dev, UINT64_MAX - PAGE + 1, PAGE), 1);
	assert_int_equal(td_unmap(td.dev, 0, PAGE), 1);
	free(mem);
}

/* Many maps: look-ups hit each of them and nothing between. */
static void
many_maps(void **state)
{
	const unsigned int n = 512;
	uint8_t *mem = aligned_alloc(PAGE, (size_t)n * 64);
	uint64_t out = td_iova(&td, td_alloc(&td, PAGE, PAGE));
	uint32_t seed = 5;

	(void)state;
	fill_noise(mem, (size_t)n * 64, 6);
	for (unsigned int i = 0; i < n; i++) { /* in no order */
		unsigned int k = i * 37 % n;

		assert_int_equal(qm_dev_dma_map(td.dev, MAP2 + k * 128, 64, mem + k * 64,
				QM_DEV_PROT_READ), 0);
	}
	for (unsigned int i = 0; i < 5000; i++) {
		unsigned int k = rnd(&seed) % n;

		assert_int_equal(copy_status(MAP2 + k * 128, out, 64), HISI_ZIP_OK);
		assert_memory_equal(td.arena + (out - TD_IOVA), mem + k * 64, 64);
		assert_int_equal(copy_status(MAP2 + k * 128 + 64, out, 1), HISI_ZIP_BAD_ADDR);
		assert_int_equal(copy_status(MAP2 + k * 128, out, 65), HISI_ZIP_BAD_ADDR);
	}
	assert_int_equal(td_unmap(td.dev, MAP2, n * 128), n);
	free(mem);
}

/* The whole process: addresses are pointers. */
static void
identity_map(void **state)
{
	struct qm_dev_conf conf = td_conf(0);
	struct hisi_zip_sqe *sqe;
	static uint8_t src[1000], dst[1000];
	struct tq q;
	struct td id;

	(void)state;
	td_open(&id, &conf, ARENA);
	assert_int_equal(td_unmap(id.dev, TD_IOVA, ARENA), 1);
	assert_int_equal(qm_dev_dma_map(id.dev, 0, UINT64_MAX, NULL,
			QM_DEV_PROT_READ | QM_DEV_PROT_WRITE), 0);
	q = (struct tq){ .td = &id, .depth = 16, .db = qm_dev_doorbell(id.dev, 0) };
	q.sq = td_alloc(&id, 16 * sizeof(*q.sq), 4096);
	q.cq = td_alloc(&id, 16 * sizeof(*q.cq), 4096);
	{
		struct hisi_qm_sqc *sqc = td_alloc(&id, 32, 32);
		struct hisi_qm_cqc *cqc = td_alloc(&id, 32, 32);

		*sqc = (struct hisi_qm_sqc){ .base_l = (uint32_t)(uintptr_t)q.sq,
			.base_h = (uint32_t)((uintptr_t)q.sq >> 32), .dw3 = 15 | 7 << 12,
			.w8 = TD_RAND, .w13 = 0x10 };
		*cqc = (struct hisi_qm_cqc){ .base_l = (uint32_t)(uintptr_t)q.cq,
			.base_h = (uint32_t)((uintptr_t)q.cq >> 32), .dw3 = 15 | 4 << 12,
			.w8 = TD_RAND, .dw6 = 1 };
		q.phase = 1;
		assert_int_equal(td_mb(&id, HISI_QM_MB_SQC, 0, (uintptr_t)sqc, false), 0);
		assert_int_equal(td_mb(&id, HISI_QM_MB_CQC, 0, (uintptr_t)cqc, false), 0);
	}
	fill_text(src, sizeof(src), 9);
	sqe = tq_slot(&q, HISI_ZIP_REQ_EXT_COPY);
	hisi_zip_sqe_src(sqe, (uintptr_t)src, sizeof(src));
	hisi_zip_sqe_dst(sqe, (uintptr_t)dst, sizeof(dst));
	assert_int_equal(tq_do(&q)->dw3, HISI_ZIP_OK);
	assert_memory_equal(src, dst, sizeof(src));
	/* NULL is no memory even here. */
	sqe = tq_slot(&q, HISI_ZIP_REQ_EXT_COPY);
	hisi_zip_sqe_src(sqe, 0, 100);
	hisi_zip_sqe_dst(sqe, (uintptr_t)dst, sizeof(dst));
	assert_int_equal(tq_do(&q)->dw3, HISI_ZIP_BAD_ADDR);
	td_close(&id);
}

struct unmapper {
	_Atomic bool stop;
	uint8_t *mem;
	size_t len;
	_Atomic unsigned int rounds;
	unsigned int bad;
};

/* Takes memory back under load, and makes it inaccessible as soon as unmap says so. */
static void *
unmap_run(void *arg)
{
	struct unmapper *u = arg;

	while (!u->stop) {
		if (td_unmap(td.dev, MAP2, u->len) != 1)
			u->bad++;
		if (mprotect(u->mem, u->len, PROT_NONE) != 0 ||
				mprotect(u->mem, u->len, PROT_READ | PROT_WRITE) != 0)
			u->bad++;
		if (qm_dev_dma_map(td.dev, MAP2, u->len, u->mem,
				QM_DEV_PROT_READ | QM_DEV_PROT_WRITE) != 0)
			u->bad++;
		u->rounds++;
	}
	return NULL;
}

/* Work in the memory that comes and goes; ZIP's takes longer than a copy. */
static void
push_work(uint32_t i)
{
	struct hisi_zip_sqe *sqe;

	if (udma) {
		copy_push(MAP2, MAP2 + 65536 + i * 40960, 40960);
		return;
	}
	sqe = tq_slot(&c, HISI_ZIP_REQ_DEFLATE);
	sqe->dw10 = ext_level(1);
	hisi_zip_sqe_src(sqe, MAP2, 30000);
	hisi_zip_sqe_dst(sqe, MAP2 + 65536 + i * 40960, 40960);
	tq_push(&c);
}

static void
unmap_under_load(void **state)
{
	struct unmapper u = { .len = 1u << 20 };
	time_t until;
	pthread_t t;

	(void)state;
	for (unsigned int workers = 0; workers <= 2; workers += 2) {
		unsigned int ok = 0, gone = 0;

		u.mem = mmap(NULL, u.len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
				-1, 0);
		assert_true(u.mem != MAP_FAILED);
		open_with(workers, 1);
		u.stop = false;
		u.rounds = 0;
		assert_int_equal(qm_dev_dma_map(td.dev, MAP2, u.len, u.mem,
				QM_DEV_PROT_READ | QM_DEV_PROT_WRITE), 0);
		assert_int_equal(pthread_create(&t, NULL, unmap_run, &u), 0);
		/* At least once: one thread may get all its turns before the other. */
		until = time(NULL) + PATIENCE_S;
		while (u.rounds < 300 || ok == 0 || gone == 0) {
			if (time(NULL) > until)
				fail_msg("%u rounds, %u requests done, %u without memory", u.rounds,
						ok, gone);
			for (uint32_t i = 0; i < 20; i++)
				push_work(i);
			tq_ring(&c);
			for (int i = 0; i < 20; i++) {
				uint32_t status = copy_pop();

				if (status == HISI_ZIP_OK)
					ok++;
				else if (status == HISI_ZIP_BAD_ADDR)
					gone++;
				else
					fail_msg("status 0x%x", status);
			}
		}
		u.stop = true;
		pthread_join(t, NULL);
		assert_int_equal(u.bad, 0);
		td_close(&td);
		munmap(u.mem, u.len);
	}
}

/* Random accesses to all of BAR2 and wild mailbox commands, by two threads, under load. */
static void *
scribble(void *arg)
{
	uint32_t seed = (uint32_t)(uintptr_t)arg;

	for (int i = 0; i < 20000; i++) {
		uint32_t off = rnd(&seed) % 3 == 0 ? rnd(&seed) % 0x12000 :
			rnd(&seed) % 2 == 0 ? HISI_QM_DB_SQ_CQ : rnd(&seed) % 0x400;
		unsigned int size = 1u << rnd(&seed) % 4;
		struct hisi_qm_mailbox mb;

		qm_dev_read(td.dev, off, size);
		/* Not the mailbox piece by piece: that could set up queues 0 and 1 anew. */
		if (off < HISI_QM_MAILBOX || off >= HISI_QM_MAILBOX + 16)
			qm_dev_write(td.dev, off, size, (rnd(&seed) | (uint64_t)rnd(&seed) << 32) &
					~3ull);
		mb.w0 = (uint16_t)(HISI_QM_MB_BUSY | (rnd(&seed) & HISI_QM_MB_OP_READ) |
				rnd(&seed) % 16);
		mb.queue_num = (uint16_t)(2 + rnd(&seed) % 4);
		mb.base_h = (uint32_t)(TD_IOVA >> 32);
		mb.base_l = (uint32_t)TD_IOVA + (8u << 20) + (rnd(&seed) % 65536 & ~31u);
		mb.rsvd = rnd(&seed);
		qm_dev_mailbox(td.dev, &mb);
	}
	/* The last command, which may be a flush, is done when somebody finds it so. */
	while ((qm_dev_read(td.dev, HISI_QM_MAILBOX, 4) & HISI_QM_MB_BUSY) != 0)
		usleep(50);
	return NULL;
}

static void
scribbled_registers(void **state)
{
	pthread_t t[2];
	unsigned int n = 0;

	(void)state;
	open_with(1, 1);
	fill_noise(td.arena + (8u << 20), 65536, 3);
	for (uintptr_t i = 0; i < 2; i++)
		assert_int_equal(pthread_create(&t[i], NULL, scribble, (void *)(i + 1)), 0);
	for (; n < 2000; n++)
		assert_int_equal(copy_status(TD_IOVA + (4u << 20), TD_IOVA + (5u << 20), 1000),
				HISI_ZIP_OK);
	pthread_join(t[0], NULL);
	pthread_join(t[1], NULL);
	assert_int_equal(copy_status(TD_IOVA + (4u << 20), TD_IOVA + (5u << 20), 1000),
			HISI_ZIP_OK);
	td_close(&td);
}

/* Of either class; those that open functions themselves. */
#define T(f) \
	cmocka_unit_test_setup_teardown(f, setup, teardown), \
	{ #f ", UDMA", f, setup_udma, teardown, NULL }
#define BOTH(f) \
	cmocka_unit_test(f), { #f ", UDMA", f, choose_udma, choose_zip, NULL }

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(wild_with_extension),
		cmocka_unit_test(wild_plain),
		T(map_edges), T(many_maps),
		cmocka_unit_test(identity_map),
		BOTH(unmap_under_load), BOTH(scribbled_registers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
