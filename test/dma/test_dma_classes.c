/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

/*
 * Both classes on one access point at the same time: an lcore compresses and decompresses, another
 * one copies and fills. Every byte that either is to write is compared, and so are those around
 * what it may write. The full time is --seconds 60.
 */

#include "dma_test.h"

#include <inttypes.h>
#include <sched.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>

#include <zlib.h>

#include <rte_bus_vdev.h>
#include <rte_compressdev_pmd.h>
#include <rte_launch.h>
#include <rte_malloc.h>
#include <rte_mbuf.h>

#include "hisi_ap.h"
#include "hisi_udma_dev.h"
#include "hisi_udma_vchan.h"
#include "hisi_zip_qp.h"
#include "hisi_zip_stats.h"
#include "pmd_test.h"

#define ZIP_NAME  "compress_hisi_zip_test"
#define LEN_MAX   4096u
#define ROOM      (2 * LEN_MAX)
#define AROUND    64u  /* before and behind ROOM */
#define UNTOUCHED 0xa5 /* what no op has written */
#define SLOTS     32u  /* in flight, of each class */
#define BURST     8u
#define IDLE_S    60

/* Sides that are there, and then the lcore that has ended: EAL's waiting is unknown to TSAN. */
static atomic_uint there;

/* What a side has done. */
struct figures {
	unsigned long ops;
	uint64_t bytes;
};

static double
now_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Let the other side and the service run where there are fewer CPUs than threads. */
static void
idle(double since)
{
	PMD_CHECK(now_s() < since + IDLE_S * (1 + 4 * PMD_SLOW), "nothing came back in a minute");
	sched_yield();
}

/* Begin when the other one does. @return Now. */
static double
begin_together(void)
{
	atomic_fetch_add(&there, 1);
	while (atomic_load(&there) < 2)
		sched_yield();
	return now_s();
}

static uint64_t
mixed(unsigned long n)
{
	uint64_t x = (n + 1) * 0x9e3779b97f4a7c15u;

	x ^= x >> 29;
	x *= 0xbf58476d1ce4e5b9u;
	return x ^ x >> 32;
}

static void
check_untouched(const uint8_t *at, size_t len, const char *what, unsigned long n)
{
	for (size_t i = 0; i < len; i++)
		PMD_CHECK(at[i] == UNTOUCHED, "%s %lu: 0x%x at %zu behind or before it", what, n,
			at[i], i);
}

/* ---- Compression ---- */

/* Plain data are compressed, and what came out is decompressed. */
struct zip_slot {
	struct rte_comp_op *op;
	struct rte_mbuf *plain, *packed, *back;
	unsigned long n;
	uint32_t len, packed_len; /* 0: it is being compressed */
	bool ended;
};

struct zip_side {
	uint8_t dev;
	struct rte_mempool *ops, *mbufs;
	void *deflate, *inflate;
	struct zip_slot slots[SLOTS];
	struct figures done;
};

static uint8_t *
bytes_of(struct rte_mbuf *m)
{
	return rte_pktmbuf_mtod(m, uint8_t *);
}

static struct rte_mbuf *
zip_mbuf(const struct zip_side *z)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(z->mbufs);

	PMD_CHECK(m != NULL && rte_pktmbuf_append(m, ROOM) != NULL, "no mbuf");
	return m;
}

static void
zip_setup(struct zip_side *z)
{
	struct rte_compressdev_config conf = {
		.socket_id = SOCKET_ID_ANY, .nb_queue_pairs = 1, .max_nb_priv_xforms = 2,
	};
	const struct rte_comp_xform deflate = {
		.type = RTE_COMP_COMPRESS,
		.compress = { .algo = RTE_COMP_ALGO_DEFLATE, .level = 1, .window_size = 15 },
	}, inflate = {
		.type = RTE_COMP_DECOMPRESS,
		.decompress = { .algo = RTE_COMP_ALGO_DEFLATE, .window_size = 15 },
	};

	z->dev = (uint8_t)rte_compressdev_get_dev_id(ZIP_NAME);
	assert_int_equal(rte_compressdev_configure(z->dev, &conf), 0);
	assert_int_equal(rte_compressdev_queue_pair_setup(z->dev, 0, 2 * SLOTS, SOCKET_ID_ANY), 0);
	assert_int_equal(rte_compressdev_start(z->dev), 0);
	assert_int_equal(rte_compressdev_private_xform_create(z->dev, &deflate, &z->deflate), 0);
	assert_int_equal(rte_compressdev_private_xform_create(z->dev, &inflate, &z->inflate), 0);
	z->ops = rte_comp_op_pool_create("classes_ops", SLOTS, 0, 0, SOCKET_ID_ANY);
	z->mbufs = rte_pktmbuf_pool_create("classes_mbufs", 3 * SLOTS, 0, 0,
		RTE_PKTMBUF_HEADROOM + ROOM + AROUND, SOCKET_ID_ANY);
	assert_non_null(z->ops);
	assert_non_null(z->mbufs);
	for (unsigned int i = 0; i < SLOTS; i++) {
		struct zip_slot *s = &z->slots[i];

		s->op = rte_comp_op_alloc(z->ops);
		assert_non_null(s->op);
		s->op->op_type = RTE_COMP_OP_STATELESS;
		s->op->flush_flag = RTE_COMP_FLUSH_FINAL;
		s->plain = zip_mbuf(z);
		s->packed = zip_mbuf(z);
		s->back = zip_mbuf(z);
	}
}

static void
zip_teardown(struct zip_side *z)
{
	for (unsigned int i = 0; i < SLOTS; i++) {
		struct zip_slot *s = &z->slots[i];

		rte_pktmbuf_free(s->plain);
		rte_pktmbuf_free(s->packed);
		rte_pktmbuf_free(s->back);
		rte_comp_op_free(s->op);
	}
	rte_mempool_free(z->ops);
	rte_mempool_free(z->mbufs);
	assert_int_equal(rte_compressdev_private_xform_free(z->dev, z->deflate), 0);
	assert_int_equal(rte_compressdev_private_xform_free(z->dev, z->inflate), 0);
	rte_compressdev_stop(z->dev);
	assert_int_equal(rte_compressdev_close(z->dev), 0);
}

static void
zip_enqueue(const struct zip_side *z, struct zip_slot *s)
{
	bool inflate = s->packed_len != 0;
	struct rte_mbuf *dst = inflate ? s->back : s->packed;

	memset(bytes_of(dst) - AROUND, UNTOUCHED, ROOM + 2 * AROUND);
	s->op->private_xform = inflate ? z->inflate : z->deflate;
	s->op->m_src = inflate ? s->packed : s->plain;
	s->op->m_dst = dst;
	s->op->src.length = inflate ? s->packed_len : s->len;
	s->op->status = RTE_COMP_OP_STATUS_NOT_PROCESSED;
	PMD_CHECK(rte_compressdev_enqueue_burst(z->dev, 0, &s->op, 1) == 1, "op %lu refused", s->n);
}

/* Data of any kind, of any length. */
static void
zip_begin(const struct zip_side *z, struct zip_slot *s, unsigned long n)
{
	uint64_t x = mixed(n);

	s->n = n;
	s->packed_len = 0;
	s->len = 1 + (uint32_t)(x % LEN_MAX);
	data_fill(bytes_of(s->plain), s->len, (enum data_kind)((x >> 40) % DATA_KINDS), x);
	zip_enqueue(z, s);
}

/* zlib has the same data of what was compressed, and so has the device. */
static void
zip_check(struct zip_side *z, const struct zip_slot *s)
{
	bool inflate = s->packed_len != 0;
	const uint8_t *dst = bytes_of(s->op->m_dst);
	uint8_t judged[LEN_MAX];
	size_t consumed, produced;

	PMD_CHECK(s->op->status == RTE_COMP_OP_STATUS_SUCCESS, "op %lu: status %u", s->n,
		s->op->status);
	PMD_CHECK(s->op->consumed == s->op->src.length && s->op->produced <= ROOM,
		"op %lu: %u of %u bytes consumed, %u produced", s->n, s->op->consumed,
		s->op->src.length, s->op->produced);
	check_untouched(dst - AROUND, AROUND, "op", s->n);
	check_untouched(dst + ROOM, AROUND, "op", s->n);
	if (inflate) {
		PMD_CHECK(s->op->produced == s->len && memcmp(dst, bytes_of(s->plain), s->len) == 0,
			"op %lu: other data", s->n);
	} else {
		PMD_CHECK(judge_inflate(dst, s->op->produced, judged, s->len, &consumed,
			&produced) == Z_STREAM_END, "op %lu: not DEFLATE", s->n);
		PMD_CHECK(consumed == s->op->produced && produced == s->len &&
			memcmp(judged, bytes_of(s->plain), s->len) == 0,
			"op %lu: zlib has other data", s->n);
	}
	z->done.ops++;
	z->done.bytes += s->len;
}

static int
zip_run(void *arg)
{
	struct zip_side *z = arg;
	unsigned long n = 0, in_flight = SLOTS;
	double last = begin_together(), end = last + (double)dma_seconds();

	for (; n < SLOTS; n++)
		zip_begin(z, &z->slots[n], n);
	/* All have the same way, and come back in order. */
	for (unsigned int next = 0; in_flight > 0;) {
		struct rte_comp_op *ops[BURST];
		uint16_t got = rte_compressdev_dequeue_burst(z->dev, 0, ops, BURST);

		if (got == 0)
			idle(last);
		else
			last = now_s();
		for (uint16_t i = 0; i < got; i++, next = (next + 1) % SLOTS) {
			struct zip_slot *s = &z->slots[next];

			while (s->ended) {
				next = (next + 1) % SLOTS;
				s = &z->slots[next];
			}
			PMD_CHECK(ops[i] == s->op, "op %lu is not the next one", s->n);
			zip_check(z, s);
			if (s->packed_len == 0) {
				s->packed_len = s->op->produced;
				zip_enqueue(z, s);
			} else if (last < end) {
				zip_begin(z, s, n++);
			} else {
				s->ended = true;
				in_flight--;
			}
		}
	}
	atomic_fetch_add(&there, 1);
	return 0;
}

/* ---- Copies and fills ---- */

struct dma_side {
	int16_t dev;
	uint8_t *src, *dst; /* ROOM for each in flight */
	struct figures done;
};

/* An op by its number. */
struct dma_op {
	uint32_t len, from, to; /* where in an area */
	bool fill;
	uint64_t pattern;
	enum data_kind kind;
};

static struct dma_op
dma_op(unsigned long n)
{
	uint64_t x = mixed(n);

	return (struct dma_op){
		.len = 1 + (uint32_t)(x % LEN_MAX), .from = x >> 16 & 63, .to = x >> 24 & 63,
		.fill = (x >> 32) % 3 == 0, .pattern = x,
		.kind = (enum data_kind)((x >> 40) % DATA_KINDS),
	};
}

static void
dma_begin(const struct dma_side *d, unsigned long n)
{
	const struct dma_op op = dma_op(n);
	uint8_t *src = d->src + n % SLOTS * ROOM + op.from, *dst = d->dst + n % SLOTS * ROOM;
	int id;

	memset(dst, UNTOUCHED, ROOM);
	if (!op.fill) {
		data_fill(src, op.len, op.kind, op.pattern);
		id = dma_copy(d->dev, 0, src, dst + op.to, op.len, 0);
	} else {
		id = rte_dma_fill(d->dev, 0, op.pattern, (uintptr_t)dst + op.to, op.len, 0);
	}
	PMD_CHECK(id == (uint16_t)n, "op %lu has the number %d", n, id);
}

static void
dma_check(struct dma_side *d, unsigned long n)
{
	const struct dma_op op = dma_op(n);
	const uint8_t *src = d->src + n % SLOTS * ROOM + op.from, *dst = d->dst + n % SLOTS * ROOM;
	uint8_t expected[LEN_MAX];

	/* Made again: nobody may have written to the source. */
	if (op.fill) {
		for (uint32_t i = 0; i < op.len; i++)
			expected[i] = (uint8_t)(op.pattern >> i % 8 * 8);
	} else {
		data_fill(expected, op.len, op.kind, op.pattern);
		PMD_CHECK(memcmp(src, expected, op.len) == 0, "copy %lu: the source is other data",
			n);
	}
	PMD_CHECK(memcmp(dst + op.to, expected, op.len) == 0, "%s %lu: other data",
		op.fill ? "fill" : "copy", n);
	check_untouched(dst, op.to, "dma op", n);
	check_untouched(dst + op.to + op.len, ROOM - op.to - op.len, "dma op", n);
	d->done.ops++;
	d->done.bytes += op.len;
}

static void
dma_run(struct dma_side *d)
{
	unsigned long n = 0, back = 0;
	double last = begin_together(), end = last + (double)dma_seconds();

	while (last < end || back < n) {
		uint16_t idx = 0, got;
		bool error = false;

		if (n - back <= SLOTS - BURST && last < end) {
			for (unsigned int i = 0; i < BURST; i++)
				dma_begin(d, n++);
			assert_int_equal(rte_dma_submit(d->dev, 0), 0);
		}
		got = rte_dma_completed(d->dev, 0, BURST, &idx, &error);
		PMD_CHECK(!error && idx == (uint16_t)(back + got - 1),
			"%u ops up to %u came back after %lu, error %d", got, idx, back, error);
		if (got == 0)
			idle(last);
		else
			last = now_s();
		for (; got > 0; got--)
			dma_check(d, back++);
	}
}

/* ---- Both ---- */

static void
test_both(void **state)
{
	const struct hisi_zip_qp *qp;
	struct zip_side z = { 0 };
	struct dma_side d = { 0 };
	struct rte_dma_stats stats;

	(void)state;
	assert_int_equal(dma_try_add(ZIP_NAME, ""), 0);
	d.dev = dma_make("dev=device:" ZIP_NAME, 2 * SLOTS);
	assert_int_equal(hisi_dev_ap_of(ZIP_NAME)->users, 2);
	d.src = dma_mem(SLOTS * ROOM, 1);
	d.dst = dma_mem(SLOTS * ROOM, 2);
	zip_setup(&z);

	assert_int_equal(rte_eal_remote_launch(zip_run, &z, 1), 0);
	dma_run(&d);
	assert_int_equal(rte_eal_wait_lcore(1), 0);
	assert_int_equal(atomic_load(&there), 3);
	print_message("%lu s: %lu ops of %" PRIu64 " bytes compressed and decompressed, %lu ops of "
		"%" PRIu64 " bytes copied and filled\n", dma_seconds(), z.done.ops, z.done.bytes,
		d.done.ops, d.done.bytes);

	/* All by the function, whose queues did not fail. */
	qp = rte_compressdev_pmd_get_named_dev(ZIP_NAME)->data->queue_pairs[0];
	assert_int_equal(qp->deq.sw, 0);
	assert_int_equal(qp->deq.restarts + qp->deq.lost, 0);
	assert_int_equal(dma_vchan(d.dev, 0)->deq.restarts, 0);
	assert_int_equal(rte_dma_stats_get(d.dev, 0, &stats), 0);
	assert_int_equal(stats.completed, d.done.ops);
	assert_int_equal(stats.errors, 0);
	/* Neither had to wait until the other one was done. */
	assert_true(z.done.ops > 2 * SLOTS);
	assert_true(d.done.ops > SLOTS);
	zip_teardown(&z);
	rte_free(d.src);
	rte_free(d.dst);
	dma_end(d.dev);
	dma_remove(ZIP_NAME);
}

int
main(int argc, char **argv)
{
	static const struct CMUnitTest tests[] = { DMA_TEST(test_both) };

	dma_lcores = 2;
	return dma_test_main(argc, argv, "dma_classes", tests, RTE_DIM(tests));
}
