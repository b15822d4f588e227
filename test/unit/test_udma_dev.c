/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

/*
 * The class UDMA: copies and fills of every shape against a model, what is refused and that it
 * writes nothing then, and both classes in one function.
 */

#include "test_udma_dev_util.h"

#include "qm_dev_run.h"

#define ARENA (8u << 20)
#define LEN   (1u << 20)
#define DEPTH 64
#define MAP2  0x100000000ull
#define PAGE  4096u

static struct td td;
static struct tq q;
static uint8_t *src, *dst, *want;

static int
setup(void **state)
{
	struct qm_dev_conf conf = td_conf_both(0);

	(void)state;
	td_open(&td, &conf, ARENA);
	tq_start(&q, &td, 0, HISI_UDMA_QC, DEPTH);
	src = td_alloc(&td, LEN, 64);
	dst = td_alloc(&td, LEN, 64);
	want = malloc(LEN);
	assert_non_null(want);
	fill_noise(src, LEN, 1);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	free(want);
	td_close(&td);
	return 0;
}

static uint32_t
copy(uint64_t from, uint64_t at, uint32_t len)
{
	udma_slot(&q, HISI_UDMA_COPY, from, at, len);
	return udma_do(&q);
}

static uint32_t
fill_with(uint64_t pattern, uint64_t at, uint32_t len)
{
	struct hisi_udma_sqe *sqe = udma_slot(&q, HISI_UDMA_FILL, 0, at, len);

	sqe->pattern_l = (uint32_t)pattern;
	sqe->pattern_h = (uint32_t)(pattern >> 32);
	return udma_do(&q);
}

static void
copies(void **state)
{
	uint32_t seed = 1;

	(void)state;
	memset(dst, 0, LEN);
	memset(want, 0, LEN);
	for (unsigned int i = 0; i < 500; i++) {
		uint32_t len = rnd(&seed) % (1u << rnd(&seed) % 20);
		uint32_t from = rnd(&seed) % (LEN - len), at = rnd(&seed) % (LEN - len);

		memcpy(want + at, src + from, len);
		assert_int_equal(copy(td_iova(&td, src + from), td_iova(&td, dst + at), len),
				HISI_UDMA_WB_GOOD);
	}
	assert_memory_equal(dst, want, LEN);
	assert_int_equal(td_stats(&td).errors, 0);
	assert_int_equal(td_stats(&td).bytes_in, td_stats(&td).bytes_out);
}

static void
fills(void **state)
{
	uint32_t seed = 2;

	(void)state;
	memset(dst, 0, LEN);
	memset(want, 0, LEN);
	for (unsigned int i = 0; i < 500; i++) {
		uint64_t pattern = rnd(&seed) | (uint64_t)rnd(&seed) << 32;
		uint32_t len = rnd(&seed) % (1u << rnd(&seed) % 20), at = rnd(&seed) % (LEN - len);

		for (uint32_t k = 0; k < len; k++)
			want[at + k] = (uint8_t)(pattern >> 8 * (k % 8));
		assert_int_equal(fill_with(pattern, td_iova(&td, dst + at), len),
				HISI_UDMA_WB_GOOD);
	}
	assert_memory_equal(dst, want, LEN);
}

/* Adjacent in addresses, not in memory, and ending where no word of a pattern does. */
static void
over_maps(void **state)
{
	const unsigned int rw = QM_DEV_PROT_READ | QM_DEV_PROT_WRITE;
	static const uint32_t len[] = { 64 * 3, 64, PAGE, 64 * 5 };
	uint8_t *mem = aligned_alloc(PAGE, 8 * PAGE), *at = mem;
	uint64_t iova = MAP2;
	uint32_t all = 0;

	(void)state;
	assert_non_null(mem);
	for (unsigned int i = 0; i < 4; i++) {
		assert_int_equal(qm_dev_dma_map(td.dev, iova, len[i], at, rw), 0);
		iova += len[i];
		all += len[i];
		at += 2 * PAGE;
	}
	assert_int_equal(copy(td_iova(&td, src), MAP2 + 3, all - 3), HISI_UDMA_WB_GOOD);
	assert_int_equal(copy(MAP2 + 3, td_iova(&td, dst), all - 3), HISI_UDMA_WB_GOOD);
	assert_memory_equal(dst, src, all - 3);
	assert_memory_equal(mem + 2 * PAGE, src + 64 * 3 - 3, 64);
	assert_int_equal(fill_with(0x0807060504030201, MAP2 + 3, all - 3), HISI_UDMA_WB_GOOD);
	assert_int_equal(copy(MAP2 + 3, td_iova(&td, dst), all - 3), HISI_UDMA_WB_GOOD);
	for (uint32_t i = 0; i < all - 3; i++)
		assert_int_equal(dst[i], 1 + i % 8);
	assert_int_equal(td_unmap(td.dev, MAP2, all), 4);
	free(mem);
}

/* Each is refused for its reason, and nothing is written. */
static void
refusals(void **state)
{
	const uint64_t from = td_iova(&td, src), at = td_iova(&td, dst);
	const uint64_t end = TD_IOVA + ARENA;
	uint8_t *mem = aligned_alloc(PAGE, 2 * PAGE);
	struct hisi_udma_sqe *sqe;
	uint32_t errors = 0, count[256];

	(void)state;
	assert_non_null(mem);
	memset(mem, 7, 2 * PAGE);
	memset(dst, 5, LEN);
	memset(want, 5, LEN);
#define BAD_FIELD(change) do { \
		sqe = udma_slot(&q, HISI_UDMA_COPY, from, at, 100); \
		change; \
		assert_int_equal(udma_do(&q), udma_refused(UDMA_DEV_BAD_SQE)); \
		errors++; \
	} while (0)
	BAD_FIELD(sqe->dw0 ^= 2);
	BAD_FIELD(sqe->dw0 ^= 1u << HISI_UDMA_DW0_TASK_SHIFT);
	BAD_FIELD(sqe->dw0 |= HISI_UDMA_DW0_INVALID);
	BAD_FIELD(sqe->dw0 |= 1u << HISI_UDMA_DW0_EXT_SHIFT);
	BAD_FIELD(sqe->dw0 |= 8u << HISI_UDMA_DW0_EXT_SHIFT);
	BAD_FIELD(sqe->dw7 |= HISI_UDMA_DW7_MULTI);
	BAD_FIELD(sqe->len = HISI_UDMA_LEN_MAX + 1);
	BAD_FIELD(sqe->len = UINT32_MAX);
	for (unsigned int bit = 0; bit < 32; bit++) {
		static const uint32_t used = 0x003f3f3f;

		if ((used >> bit & 1) == 0)
			BAD_FIELD(sqe->dw0 |= 1u << bit);
		if (bit != 15)
			BAD_FIELD(sqe->dw7 |= 1u << bit);
		if (bit < 16)
			BAD_FIELD(((uint32_t *)sqe)[bit < 2 ? bit + 1 : bit < 14 ? bit + 8 :
				bit + 10] = 1u << bit);
	}
	BAD_FIELD(sqe->ext = 2);
	BAD_FIELD(sqe->ext = 1u << 31);
	assert_int_equal(copy(end - 99, at, 100), udma_refused(UDMA_DEV_BAD_ADDR));
	assert_int_equal(copy(from, end - 99, 100), udma_refused(UDMA_DEV_BAD_ADDR));
	assert_int_equal(copy(UINT64_MAX - 9, at, 100), udma_refused(UDMA_DEV_BAD_ADDR));
	assert_int_equal(copy(from, at, HISI_UDMA_LEN_MAX), udma_refused(UDMA_DEV_BAD_ADDR));
	assert_int_equal(fill_with(1, end - 99, 100), udma_refused(UDMA_DEV_BAD_ADDR));
	/* What may only be read, or written. */
	assert_int_equal(qm_dev_dma_map(td.dev, MAP2, PAGE, mem, QM_DEV_PROT_READ), 0);
	assert_int_equal(qm_dev_dma_map(td.dev, MAP2 + PAGE, PAGE, mem + PAGE,
			QM_DEV_PROT_WRITE), 0);
	assert_int_equal(copy(from, MAP2, 100), udma_refused(UDMA_DEV_BAD_ADDR));
	assert_int_equal(copy(MAP2 + PAGE, at, 100), udma_refused(UDMA_DEV_BAD_ADDR));
	assert_int_equal(fill_with(1, MAP2 + PAGE - 1, 2), udma_refused(UDMA_DEV_BAD_ADDR));
	/* One byte in common, from either side. */
	assert_int_equal(copy(at + 99, at, 100), udma_refused(UDMA_DEV_BAD_SQE));
	assert_int_equal(copy(at, at + 99, 100), udma_refused(UDMA_DEV_BAD_SQE));
	assert_int_equal(copy(at, at, 1), udma_refused(UDMA_DEV_BAD_SQE));
	errors += 11;
	assert_memory_equal(dst, want, LEN);
	for (unsigned int i = 0; i < 2 * PAGE; i++)
		assert_int_equal(mem[i], 7);
	assert_int_equal(td_stats(&td).errors, errors);
	assert_int_equal(td_stats(&td).bytes_out, 0);
	qm_dev_stats_status(td.dev, count);
	assert_int_equal(count[UDMA_DEV_BAD_SQE], errors - 8);
	assert_int_equal(count[UDMA_DEV_BAD_ADDR], 8);
	/* And it goes on. */
	assert_int_equal(copy(at, at + 100, 100), HISI_UDMA_WB_GOOD);
	assert_int_equal(copy(0, 0, 0), HISI_UDMA_WB_GOOD);
	assert_int_equal(td_unmap(td.dev, MAP2, 2 * PAGE), 2);
	free(mem);
}

/* Nothing but the result is written to the request. */
static void
words_of_the_driver(void **state)
{
	struct hisi_udma_sqe *sqe, before;

	(void)state;
	sqe = udma_slot(&q, HISI_UDMA_COPY, td_iova(&td, src), td_iova(&td, dst), 1000);
	sqe->rsvd29[0] = sqe->rsvd29[1] = sqe->rsvd29[2] = 0x99;
	sqe->wb = 0xffffffff;
	before = *sqe;
	before.wb = HISI_UDMA_WB_GOOD;
	assert_int_equal(udma_do(&q), HISI_UDMA_WB_GOOD);
	assert_memory_equal(sqe, &before, sizeof(before));
}

/* Queues of both in one function, at once, by workers; a type of none is refused. */
static void
both(void **state)
{
	struct qm_dev_conf conf = td_conf_both(2);
	uint8_t *a, *b, *packed, *plain;
	struct td both_td;
	struct tq zip, dma;

	(void)state;
	td_open(&both_td, &conf, ARENA);
	tq_start(&zip, &both_td, 0, HISI_ZIP_QC_COMPRESS, DEPTH);
	tq_start(&dma, &both_td, 1, HISI_UDMA_QC, DEPTH);
	plain = td_alloc(&both_td, 4096, 64);
	packed = td_alloc(&both_td, 8192, 64);
	a = td_alloc(&both_td, 65536, 64);
	b = td_alloc(&both_td, 65536, 64);
	fill_text(plain, 4096, 3);
	for (uint32_t i = 0; i < 300; i++) {
		struct hisi_zip_sqe *sqe = tq_slot(&zip, HISI_ZIP_REQ_ZLIB);
		uint8_t back[4096];

		fill_noise(a, 65536, i);
		udma_slot(&dma, HISI_UDMA_COPY, td_iova(&both_td, a), td_iova(&both_td, b), 65536);
		hisi_zip_sqe_src(sqe, td_iova(&both_td, plain), 4096);
		hisi_zip_sqe_dst(sqe, td_iova(&both_td, packed) + 2, 8190);
		tq_push(&zip);
		tq_push(&dma);
		tq_ring(&dma);
		tq_ring(&zip);
		assert_int_equal(((struct hisi_udma_sqe *)tq_pop(&dma))->wb, HISI_UDMA_WB_GOOD);
		assert_memory_equal(a, b, 65536);
		sqe = tq_pop(&zip);
		assert_non_null(sqe);
		assert_int_equal(sqe->dw3, HISI_ZIP_OK);
		packed[0] = 0x78;
		packed[1] = 0x9c;
		assert_int_equal(z_inflate(15, packed, sqe->produced + 2, back, 4096), 4096);
		assert_memory_equal(back, plain, 4096);
	}
	assert_int_equal(td_stats(&both_td).requests, 600);
	assert_int_not_equal(tq_restart(&dma, 3), 0);
	/* What a queue's requests are follows its type. */
	assert_int_equal(tq_restart(&dma, HISI_ZIP_QC_DECOMPRESS), 0);
	assert_int_equal(tq_restart(&zip, HISI_UDMA_QC), 0);
	udma_slot(&zip, HISI_UDMA_FILL, 0, td_iova(&both_td, a), 8);
	assert_int_equal(udma_do(&zip), HISI_UDMA_WB_GOOD);
	td_close(&both_td);
}

/*
 * A queue that no worker serves has what its type needs: a codec takes megabytes. What it had
 * before stays.
 */
static void
executor_of_one_class(void **state)
{
	const struct qm_dev_exec *exec = qm_dev_queue_find(td.dev, 0)->exec;
	unsigned int zip = qm_dev_class_of(td.dev, HISI_ZIP_QC_COMPRESS)->slot;
	unsigned int udma = qm_dev_class_of(td.dev, HISI_UDMA_QC)->slot;

	(void)state;
	assert_ptr_equal(exec->class[udma], &udma_dev_class);
	assert_null(exec->class[zip]);
	assert_int_equal(tq_restart(&q, HISI_ZIP_QC_COMPRESS), 0);
	assert_ptr_equal(qm_dev_queue_find(td.dev, 0)->exec, exec);
	assert_ptr_equal(exec->class[udma], &udma_dev_class);
	assert_ptr_equal(exec->class[zip], &zip_dev_class);
}

/*
 * What is before a fence is done before it begins. Claimed by two executors by hand, as two workers
 * would: the second one gets nothing while the first one is at work.
 */
static void
fences(void **state)
{
	struct qm_dev_exec *other = qm_dev_exec_create();
	struct qm_dev_queue *queue = qm_dev_queue_find(td.dev, 0);
	static const bool fence[] = { false, false, true, false, true, true };

	(void)state;
	assert_non_null(other);
	assert_int_equal(qm_dev_exec_add(other, qm_dev_class_of(td.dev, HISI_UDMA_QC)->slot,
		&udma_dev_class), 0);
	for (unsigned int i = 0; i < 6; i++) {
		udma_slot(&q, HISI_UDMA_COPY, td_iova(&td, i == 0 ? src : dst + 100 * (i - 1)),
				td_iova(&td, dst + 100 * i), 100)->ext =
			fence[i] ? HISI_UDMA_EXT_FENCE : 0;
		tq_push(&q);
	}
	tq_ring(&q);
	qm_dev_view_get(&td.dev->map, &queue->exec->bufs.view);
	qm_dev_view_get(&td.dev->map, &other->bufs.view);
	assert_int_equal(qm_dev_queue_claim(td.dev, queue, queue->exec, 1, false), 1);
	assert_int_equal(qm_dev_queue_claim(td.dev, queue, other, 16, false), 1);
	qm_dev_queue_run(td.dev, queue, queue->exec, 1);
	assert_int_equal(qm_dev_queue_claim(td.dev, queue, queue->exec, 16, false), 0);
	assert_int_equal(atomic_load(&queue->ring.waiting), 4);
	qm_dev_queue_run(td.dev, queue, other, 1);
	assert_int_equal(qm_dev_queue_claim(td.dev, queue, queue->exec, 16, false), 2);
	assert_int_equal(qm_dev_queue_claim(td.dev, queue, other, 16, false), 0);
	qm_dev_queue_run(td.dev, queue, queue->exec, 2);
	qm_dev_view_put(&other->bufs.view);
	qm_dev_view_put(&queue->exec->bufs.view);
	assert_int_equal(qm_dev_poll(td.dev, 0, 1), 1);
	assert_int_equal(qm_dev_poll(td.dev, 0, 16), 1);
	for (unsigned int i = 0; i < 6; i++) {
		assert_int_equal(((struct hisi_udma_sqe *)tq_pop(&q))->wb, HISI_UDMA_WB_GOOD);
		assert_memory_equal(dst + 100 * i, src, 100);
	}
	qm_dev_exec_destroy(other);
}

/* Workers: a chain of copies, each from where the one before it wrote. */
static void
chains(void **state)
{
	struct qm_dev_conf conf = td_conf_both(3);
	struct td chain_td;
	struct tq chain;
	uint8_t *mem, *first;

	(void)state;
	td_open(&chain_td, &conf, ARENA);
	tq_start(&chain, &chain_td, 0, HISI_UDMA_QC, DEPTH);
	mem = td_alloc(&chain_td, 11 * 65536, 64);
	first = malloc(65536);
	assert_non_null(first);
	for (uint32_t round = 0; round < 20; round++) {
		fill_noise(mem, 65536, round);
		memcpy(first, mem, 65536);
		memset(mem + 65536, 0, 10 * 65536);
		for (unsigned int i = 0; i < 10; i++) {
			udma_slot(&chain, HISI_UDMA_COPY, td_iova(&chain_td, mem + i * 65536),
				td_iova(&chain_td, mem + (i + 1) * 65536), 65536)->ext =
				HISI_UDMA_EXT_FENCE;
			tq_push(&chain);
		}
		tq_ring(&chain);
		for (unsigned int i = 0; i < 10; i++)
			assert_int_equal(((struct hisi_udma_sqe *)tq_pop(&chain))->wb,
					HISI_UDMA_WB_GOOD);
		assert_memory_equal(mem + 10 * 65536, first, 65536);
	}
	free(first);
	td_close(&chain_td);
}

/* Without the class its queue type does not exist, nor its feature. */
static void
without(void **state)
{
	struct qm_dev_conf conf = td_conf(0);
	struct td zip_td;
	struct tq plain;

	(void)state;
	assert_int_equal(td_rd(&td, HISI_EXT_REG_FEATURES),
			HISI_ZIP_EXT_F_ALL | HISI_ZIP_EXT_F_UDMA);
	td_open(&zip_td, &conf, ARENA);
	assert_int_equal(td_rd(&zip_td, HISI_EXT_REG_FEATURES), HISI_ZIP_EXT_F_ALL);
	tq_start(&plain, &zip_td, 0, HISI_ZIP_QC_COMPRESS, DEPTH);
	assert_int_not_equal(tq_restart(&plain, HISI_UDMA_QC), 0);
	td_close(&zip_td);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(copies, setup, teardown),
		cmocka_unit_test_setup_teardown(fills, setup, teardown),
		cmocka_unit_test_setup_teardown(over_maps, setup, teardown),
		cmocka_unit_test_setup_teardown(refusals, setup, teardown),
		cmocka_unit_test_setup_teardown(words_of_the_driver, setup, teardown),
		cmocka_unit_test_setup_teardown(executor_of_one_class, setup, teardown),
		cmocka_unit_test_setup_teardown(fences, setup, teardown),
		cmocka_unit_test(chains),
		cmocka_unit_test(both),
		cmocka_unit_test_setup_teardown(without, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
