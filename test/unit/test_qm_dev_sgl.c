/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

/* Scatter-gather lists: every shape that is allowed, and what is not. */

#include "test_qm_dev_util.h"

#include <string.h>

#include "qm_dev_queue.h"

#define ARENA (64u << 20)
#define LEN   100000u

static struct td td;
static struct tq c, d;
static uint8_t *plain, *packed, *out;
static size_t mark;

static int
setup(void **state)
{
	struct qm_dev_conf conf = td_conf(0);

	*state = &td;
	td_open(&td, &conf, ARENA);
	tq_start(&c, &td, 0, HISI_ZIP_QC_COMPRESS, 16);
	tq_start(&d, &td, 1, HISI_ZIP_QC_DECOMPRESS, 16);
	plain = td_alloc(&td, 2 * LEN, 64);
	packed = td_alloc(&td, 2 * LEN, 64);
	out = td_alloc(&td, 2 * LEN, 64);
	fill_text(plain, LEN, 7);
	mark = td.used;
	return 0;
}

static struct hisi_zip_sqe *
sgl_slot(struct tq *q, uint32_t req)
{
	struct hisi_zip_sqe *sqe = tq_slot(q, req | HISI_ZIP_BUF_SGL << HISI_ZIP_DW9_BUF_SHIFT);

	sqe->dw10 = ext_level(1);
	return sqe;
}

static void
shapes_round_trip(void **state)
{
	static const unsigned int counts[] = { 1, 2, 3, 16, 254, 255, 256, 300, 1000, 5000 };
	static const uint32_t reqs[] = { HISI_ZIP_REQ_DEFLATE, HISI_ZIP_REQ_ZLIB,
		HISI_ZIP_REQ_GZIP, HISI_ZIP_REQ_EXT_COPY };

	(void)state;
	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++)
		for (size_t r = 0; r < sizeof(reqs) / sizeof(reqs[0]); r++) {
			uint32_t skip_in = (uint32_t)(i * 37), skip_out = (uint32_t)(i * 91);
			uint32_t len = LEN - skip_in, n;
			struct hisi_zip_sqe *sqe;

			td.used = mark;
			memset(packed, 0, 2 * LEN);
			memset(out, 0, 2 * LEN);
			sqe = sgl_slot(&c, reqs[r]);
			sqe->dw7 |= skip_in;
			sqe->dw8 = skip_out;
			/* More in the lists than dw4 and dw14 allow. */
			hisi_zip_sqe_src(sqe, td_sgl(&td, plain, LEN, counts[i], 255), len - 5);
			hisi_zip_sqe_dst(sqe, td_sgl(&td, packed, 2 * LEN, counts[i], 200), LEN);
			sqe = tq_do(&c);
			assert_int_equal(sqe->dw3, HISI_ZIP_OK);
			assert_int_equal(sqe->consumed, len - 5);
			n = sqe->produced;
			for (uint32_t k = 0; k < skip_out; k++)
				assert_int_equal(packed[k], 0);

			sqe = sgl_slot(&d, reqs[r]);
			sqe->dw7 |= skip_out;
			sqe->dw8 = skip_in;
			hisi_zip_sqe_src(sqe, td_sgl(&td, packed, 2 * LEN, counts[i], 10), n);
			hisi_zip_sqe_dst(sqe, td_sgl(&td, out, LEN, counts[i], 255), len - 5);
			sqe = tq_do(&d);
			assert_int_equal(sqe->dw3, HISI_ZIP_OK);
			assert_int_equal(sqe->consumed, n);
			assert_int_equal(sqe->produced, len - 5);
			assert_memory_equal(out + skip_in, plain + skip_in, len - 5);
			assert_int_equal(out[LEN - 5], 0);
		}
}

/* Entries of no bytes, and a destination list shorter than dw14. */
static void
odd_but_allowed(void **state)
{
	struct hisi_acc_sgl *sgl = td_alloc(&td, 64 + 32 * 255, 64);
	struct hisi_acc_sge *sge = (struct hisi_acc_sge *)(sgl + 1);
	struct hisi_zip_sqe *sqe;

	(void)state;
	sgl->entry_sum_in_sgl = 255;
	sge[100].buf = td_iova(&td, plain);
	sge[100].len = 600;
	sge[101].buf = 1; /* no memory, but of 0 bytes */
	sge[254].buf = td_iova(&td, plain + 600);
	sge[254].len = 400;
	sqe = sgl_slot(&c, HISI_ZIP_REQ_EXT_COPY);
	hisi_zip_sqe_src(sqe, td_iova(&td, sgl), 1000);
	hisi_zip_sqe_dst(sqe, td_sgl(&td, out, 2000, 3, 3), 8u << 20);
	sqe = tq_do(&c);
	assert_int_equal(sqe->dw3, HISI_ZIP_OK);
	assert_memory_equal(out, plain, 1000);

	/* 1000 bytes do not fit into the 500 that are there. */
	sqe = sgl_slot(&c, HISI_ZIP_REQ_EXT_COPY);
	hisi_zip_sqe_src(sqe, td_iova(&td, sgl), 1000);
	hisi_zip_sqe_dst(sqe, td_sgl(&td, out, 500, 3, 3), 1000);
	assert_int_equal(tq_do(&c)->dw3, HISI_ZIP_DSTLEN_OUT);
}

static uint32_t
status_of(uint64_t src, uint32_t skip, uint32_t len)
{
	struct hisi_zip_sqe *sqe = sgl_slot(&c, HISI_ZIP_REQ_DEFLATE);

	sqe->dw7 |= skip;
	hisi_zip_sqe_src(sqe, src, len);
	hisi_zip_sqe_dst(sqe, td_sgl(&td, out, LEN, 4, 4), LEN);
	sqe = tq_do(&c);
	if (sqe->dw3 != HISI_ZIP_OK) {
		assert_int_equal(sqe->consumed, 0);
		assert_int_equal(sqe->produced, 0);
	}
	return sqe->dw3;
}

static void
refused(void **state)
{
	uint64_t good = td_sgl(&td, plain, 1000, 10, 5);
	struct hisi_acc_sgl *sgl = (void *)(td.arena + (good - TD_IOVA));
	struct hisi_acc_sge *sge = (struct hisi_acc_sge *)(sgl + 1);
	uint64_t next = sgl->next_dma, page = td_iova(&td, td_alloc(&td, 4096, 4096));

	(void)state;
	assert_int_equal(status_of(good, 0, 1000), HISI_ZIP_OK);
	assert_int_equal(status_of(good, 999, 1), HISI_ZIP_OK);
	/* Fewer bytes than dw4 wants. */
	assert_int_equal(status_of(good, 0, 1001), HISI_ZIP_BAD_SGL);
	assert_int_equal(status_of(good, 1000, 1), HISI_ZIP_BAD_SGL);
	assert_int_equal(status_of(good, 0xffffff, 1), HISI_ZIP_BAD_SGL);
	/* Alignment. */
	assert_int_equal(status_of(good + 32, 0, 1000), HISI_ZIP_BAD_SGL);
	sgl->next_dma = next + 1;
	assert_int_equal(status_of(good, 0, 1000), HISI_ZIP_BAD_SGL);
	/* Not needed, not looked at. */
	assert_int_equal(status_of(good, 0, 500), HISI_ZIP_OK);
	/* Loops: to itself, and of two. */
	sgl->next_dma = good;
	assert_int_equal(status_of(good, 0, 500 * 256), HISI_ZIP_OK);
	assert_int_equal(status_of(good, 0, 500 * 256 + 1), HISI_ZIP_BAD_SGL);
	sgl->next_dma = next;
	((struct hisi_acc_sgl *)(td.arena + (next - TD_IOVA)))->next_dma = good;
	assert_int_equal(status_of(good, 0, 1000 * 128 + 1), HISI_ZIP_BAD_SGL);
	/* Lists outside the map: the first, the next, one that the map ends in. */
	assert_int_equal(status_of(0, 0, 1000), HISI_ZIP_BAD_SGL);
	assert_int_equal(status_of(TD_IOVA - 64, 0, 1000), HISI_ZIP_BAD_ADDR);
	assert_int_equal(status_of(UINT64_MAX - 63, 0, 1000), HISI_ZIP_BAD_ADDR);
	sgl->next_dma = TD_IOVA + ARENA;
	assert_int_equal(status_of(good, 0, 1000), HISI_ZIP_BAD_ADDR);
	((struct hisi_acc_sgl *)(td.arena + ARENA - 64))->entry_sum_in_sgl = 1;
	assert_int_equal(status_of(TD_IOVA + ARENA - 64, 0, 1), HISI_ZIP_BAD_ADDR);
	sgl->next_dma = next;
	/* Counts. */
	sgl->entry_sum_in_sgl = 0;
	assert_int_equal(status_of(good, 0, 1000), HISI_ZIP_BAD_SGL);
	sgl->entry_sum_in_sgl = 256;
	assert_int_equal(status_of(good, 0, 1000), HISI_ZIP_BAD_SGL);
	sgl->entry_sum_in_sgl = 5;
	/* Entries: too long, outside, over the end of the map, wrapping. */
	sge[0].len = HISI_ACC_SGE_LEN_MAX;
	assert_int_equal(status_of(good, 0, 1000), HISI_ZIP_OK);
	sge[0].len = HISI_ACC_SGE_LEN_MAX + 1;
	assert_int_equal(status_of(good, 0, 1000), HISI_ZIP_BAD_SGL);
	sge[0].len = 100;
	sge[0].buf = TD_IOVA + ARENA - 99;
	assert_int_equal(status_of(good, 0, 1000), HISI_ZIP_BAD_ADDR);
	sge[0].buf = UINT64_MAX - 50;
	assert_int_equal(status_of(good, 0, 1000), HISI_ZIP_BAD_ADDR);
	assert_int_equal(status_of(good, 60, 940), HISI_ZIP_BAD_ADDR);
	/* Nor does it wrap where the map has the first addresses. */
	assert_int_equal(qm_dev_dma_map(td.dev, 0, 4096, out, QM_DEV_PROT_READ), 0);
	assert_int_equal(status_of(good, 60, 940), HISI_ZIP_BAD_ADDR);
	assert_int_equal(td_unmap(td.dev, 0, 4096), 1);
	sge[0].buf = 0;
	assert_int_equal(status_of(good, 0, 1000), HISI_ZIP_BAD_ADDR);
	sge[0].buf = page;
	assert_int_equal(status_of(good, 0, 1000), HISI_ZIP_OK);
}

/* The most segments that a chain can have. */
static void
largest_chain(void **state)
{
	const unsigned int cnt = HISI_ACC_SGE_MAX * HISI_ACC_SGL_MAX;
	uint8_t *big = td_alloc(&td, 2 * cnt, 64);
	uint64_t src = td_sgl(&td, big, cnt, cnt, HISI_ACC_SGE_MAX);
	struct hisi_zip_sqe *sqe;

	(void)state;
	fill_text(big, 2 * cnt, 3);
	/* Every other byte: segments that do not touch. */
	for (uint64_t at = src, i = 0; at != 0;) {
		struct hisi_acc_sgl *sgl = (void *)(td.arena + (at - TD_IOVA));

		for (unsigned int k = 0; k < sgl->entry_sum_in_sgl; k++, i++)
			((struct hisi_acc_sge *)(sgl + 1))[k].buf = td_iova(&td, big + 2 * i);
		at = sgl->next_dma;
	}
	sqe = sgl_slot(&c, HISI_ZIP_REQ_EXT_COPY);
	hisi_zip_sqe_src(sqe, src, cnt);
	hisi_zip_sqe_dst(sqe, td_sgl(&td, out, cnt, 1, 1), cnt);
	sqe = tq_do(&c);
	assert_int_equal(sqe->dw3, HISI_ZIP_OK);
	for (unsigned int i = 0; i < cnt; i++)
		assert_int_equal(out[i], big[2 * i]);
}

/* Entries that reach over two maps are two segments: as many as there is room for, and more. */
static void
more_segments_than_entries(void **state)
{
	const unsigned int half = HISI_ACC_SGE_MAX * HISI_ACC_SGL_MAX / 2;
	const uint64_t iova = TD_IOVA + (1ull << 40);
	uint8_t *two = td_alloc(&td, 3 * 4096, 4096);
	const unsigned int rw = QM_DEV_PROT_READ | QM_DEV_PROT_WRITE;

	(void)state;
	fill_noise(two, 3 * 4096, 5);
	assert_int_equal(qm_dev_dma_map(td.dev, iova, 4096, two, rw), 0);
	assert_int_equal(qm_dev_dma_map(td.dev, iova + 4096, 4096, two + 8192, rw), 0);
	for (unsigned int more = 0; more < 2; more++) {
		uint64_t src = td_sgl(&td, plain, half + more, half + more, HISI_ACC_SGE_MAX);
		struct hisi_zip_sqe *sqe = sgl_slot(&c, HISI_ZIP_REQ_EXT_COPY);
		uint32_t len = 2 * (half + more);

		for (uint64_t at = src; at != 0;) {
			struct hisi_acc_sgl *sgl = (void *)(td.arena + (at - TD_IOVA));
			struct hisi_acc_sge *sge = (struct hisi_acc_sge *)(sgl + 1);

			for (unsigned int k = 0; k < sgl->entry_sum_in_sgl; k++) {
				sge[k].buf = iova + 4095;
				sge[k].len = 2;
			}
			at = sgl->next_dma;
		}
		hisi_zip_sqe_src(sqe, src, len);
		hisi_zip_sqe_dst(sqe, td_sgl(&td, out, len, 1, 1), len);
		sqe = tq_do(&c);
		assert_int_equal(sqe->dw3, more ? HISI_ZIP_BAD_SGL : HISI_ZIP_OK);
		for (uint32_t i = 0; i < len && !more; i++)
			assert_int_equal(out[i], i % 2 == 0 ? two[4095] : two[8192]);
	}
}

/* An SGL of cnt segments of len bytes, step apart. */
static uint64_t
comb(uint8_t *mem, unsigned int cnt, uint32_t len, uint32_t step)
{
	uint64_t first = td_sgl(&td, mem, (size_t)cnt * len, cnt, 200);
	uint64_t i = 0;

	for (uint64_t at = first; at != 0;) {
		struct hisi_acc_sgl *sgl = (void *)(td.arena + (at - TD_IOVA));

		for (unsigned int k = 0; k < sgl->entry_sum_in_sgl; k++, i++)
			((struct hisi_acc_sge *)(sgl + 1))[k].buf = td_iova(&td, mem + i * step);
		at = sgl->next_dma;
	}
	return first;
}

static uint32_t
comb_status(uint8_t *src, uint8_t *dst, unsigned int cnt, uint32_t len)
{
	struct hisi_zip_sqe *sqe = sgl_slot(&c, HISI_ZIP_REQ_EXT_COPY);

	td.used = mark;
	hisi_zip_sqe_src(sqe, comb(src, cnt, len, 64), cnt * len);
	hisi_zip_sqe_dst(sqe, comb(dst, cnt, len, 64), cnt * len);
	return tq_do(&c)->dw3;
}

/* Interleaved is fine, one shared byte is not, for few segments and many. */
static void
shared_bytes(void **state)
{
	static const unsigned int counts[] = { 1, 2, 7, 8, 9, 100, 1500 };

	(void)state;
	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		unsigned int n = counts[i];

		assert_int_equal(comb_status(plain, plain + 32, n, 32), HISI_ZIP_OK);
		assert_memory_equal(plain, plain + 32, 32);
		assert_memory_equal(plain + (n - 1) * 64, plain + (n - 1) * 64 + 32, 32);
		assert_int_equal(comb_status(plain + 32, plain, n, 32), HISI_ZIP_OK);
		assert_int_equal(comb_status(plain, plain + 31, n, 32), HISI_ZIP_BAD_SQE);
		assert_int_equal(comb_status(plain + 31, plain, n, 32), HISI_ZIP_BAD_SQE);
		assert_int_equal(comb_status(plain, plain, n, 32), HISI_ZIP_BAD_SQE);
		/* Only the very last segment and the very first one. */
		assert_int_equal(comb_status(plain, plain + (n - 1) * 64 + 31, n, 32),
				HISI_ZIP_BAD_SQE);
		assert_int_equal(comb_status(plain, plain + (n - 1) * 64 + 32, n, 32),
				HISI_ZIP_OK);
	}
}

/* Pieces in any order, long ones over short ones, up to a byte from each other: as all pairs. */
static void
overlap_as_all_pairs(void **state)
{
	enum { MAX = 300, ROUNDS = 3000 };
	static struct iovec from[MAX], to[MAX];
	struct qm_dev_segment *scratch = qm_dev_segments_alloc();
	unsigned int shared = 0, apart = 0;
	uint32_t seed = 31;

	(void)state;
	assert_non_null(scratch);
	for (unsigned int round = 0; round < ROUNDS; round++) {
		struct qm_dev_buf src = { .iov = from }, dst = { .iov = to };
		struct qm_dev_buf *bufs[2] = { &src, &dst };
		uint32_t cells = 64 + rnd(&seed) % 400;
		bool want = false;

		/* Cells of 8 bytes, each side's; now and then one that reaches further. */
		for (uint32_t i = 0; i < cells; i++) {
			struct qm_dev_buf *b = bufs[rnd(&seed) % 2];
			uint32_t span = rnd(&seed) % 40 == 0 ? 1 + rnd(&seed) % 30 : 1;

			if (b->cnt == MAX)
				continue;
			b->iov[b->cnt++] = (struct iovec){
				.iov_base = (void *)(uintptr_t)(4096 + 8 * i),
				.iov_len = 8 * span + (rnd(&seed) % (2 * cells) == 0) };
			if (span == 1 || rnd(&seed) % 8 != 0)
				i += span - 1;
		}
		for (unsigned int side = 0; side < 2; side++)
			for (unsigned int i = bufs[side]->cnt; i > 1; i--) {
				unsigned int k = rnd(&seed) % i;
				struct iovec v = bufs[side]->iov[k];

				bufs[side]->iov[k] = bufs[side]->iov[i - 1];
				bufs[side]->iov[i - 1] = v;
			}
		for (unsigned int i = 0; i < src.cnt; i++)
			for (unsigned int k = 0; k < dst.cnt; k++) {
				uintptr_t a = (uintptr_t)from[i].iov_base;
				uintptr_t b = (uintptr_t)to[k].iov_base;

				want = want || (a < b + to[k].iov_len && b < a + from[i].iov_len);
			}
		if (qm_dev_buf_overlap(&src, &dst, scratch) != want ||
				qm_dev_buf_overlap(&dst, &src, scratch) != want)
			fail_msg("round %u, %u and %u segments: expected %s", round, src.cnt,
					dst.cnt, want ? "overlap" : "none");
		shared += want;
		apart += !want;
	}
	if (shared < ROUNDS / 10 || apart < ROUNDS / 10)
		fail_msg("%u rounds overlap and %u do not, expected both", shared, apart);
	free(scratch);
}

/* A long segment that later short ones of its side hide: the other side meets its end. */
static void
a_long_segment_is_not_forgotten(void **state)
{
	enum { N = 20 };
	struct qm_dev_segment *scratch = qm_dev_segments_alloc();
	struct iovec from[N], to[N];
	struct qm_dev_buf src = { .iov = from, .cnt = N }, dst = { .iov = to, .cnt = N };

	(void)state;
	from[0] = (struct iovec){ .iov_base = (void *)4096, .iov_len = 1000 };
	for (uintptr_t i = 1; i < N; i++)
		from[i] = (struct iovec){ .iov_base = (void *)(4096 + 8 * i), .iov_len = 8 };
	for (uintptr_t i = 0; i < N; i++)
		to[i] = (struct iovec){ .iov_base = (void *)(4096 + 1000 + 8 * i), .iov_len = 8 };
	assert_false(qm_dev_buf_overlap(&src, &dst, scratch));
	to[N - 1].iov_base = (void *)(4096 + 999);
	assert_true(qm_dev_buf_overlap(&src, &dst, scratch));
	assert_true(qm_dev_buf_overlap(&dst, &src, scratch));
	free(scratch);
}

/* Bytes in and out of a buffer of segments, at every place, and no byte beside them. */
static void
segments_are_read_and_written(void **state)
{
	static const size_t lens[] = { 3, 0, 1, 7, 64, 2 };
	enum { CNT = 6, LEN_ALL = 77 };
	uint8_t mem[CNT][80], in[LEN_ALL], back[LEN_ALL + 1];
	struct iovec iov[CNT];
	struct qm_dev_buf buf = { .iov = iov, .cnt = CNT, .len = LEN_ALL };

	(void)state;
	fill_noise(in, LEN_ALL, 3);
	for (uint32_t off = 0; off <= LEN_ALL; off++)
		for (uint32_t n = 0; n <= LEN_ALL - off; n++) {
			uint32_t at = 0;

			memset(mem, 0xee, sizeof(mem));
			for (int i = 0; i < CNT; i++)
				iov[i] = (struct iovec){ .iov_base = mem[i] + 4,
					.iov_len = lens[i] };
			qm_dev_buf_write(&buf, off, in, n);
			for (int i = 0; i < CNT; i++)
				for (uint32_t k = 0; k < 80; k++) {
					bool inside = k >= 4 && k < 4 + lens[i];
					uint8_t want = 0xee;

					if (inside && at >= off && at < off + n)
						want = in[at - off];
					if (mem[i][k] != want)
						fail_msg("off %u n %u: byte %u of segment %d", off,
								n, k, i);
					at += inside;
				}
			memset(back, 0x11, sizeof(back));
			qm_dev_buf_read(&buf, off, back, n);
			assert_memory_equal(back, in, n);
			assert_int_equal(back[n], 0x11);
		}
}

/* A buffer ends with its last segment, whoever asks for more: what lies behind it is not its. */
static void
bytes_end_with_the_last_segment(void **state)
{
	uint8_t mem[3][8], bytes[24];
	struct iovec iov[3];
	struct qm_dev_buf buf = { .iov = iov, .cnt = 2, .len = 16 };

	(void)state;
	for (int i = 0; i < 3; i++)
		iov[i] = (struct iovec){ .iov_base = mem[i], .iov_len = sizeof(mem[i]) };
	for (uint64_t off = 0; off <= 16; off++) {
		memset(mem, 0xee, sizeof(mem));
		memset(bytes, 0x11, sizeof(bytes));
		qm_dev_buf_write(&buf, off, bytes, sizeof(bytes));
		for (unsigned int i = 0; i < sizeof(mem); i++)
			assert_int_equal(mem[i / 8][i % 8], i >= off && i < 16 ? 0x11 : 0xee);
		memset(mem, 0xee, sizeof(mem));
		qm_dev_buf_read(&buf, off, bytes, sizeof(bytes));
		for (unsigned int i = 0; i < sizeof(bytes); i++)
			assert_int_equal(bytes[i], i < 16 - off ? 0xee : 0x11);
	}
}

/* A trailer over small segments: all room but its own is the codec's, and no byte is beyond it. */
static void
trailer_over_small_segments(void **state)
{
	static const uint8_t tails[][8] = { { 8 }, { 7, 1 }, { 1, 7 }, { 3, 5 }, { 2, 3, 3 },
		{ 1, 1, 1, 1, 1, 1, 1, 1 }, { 4, 4 }, { 9 }, { 5, 4, 1 }, { 1, 2, 3, 4 } };
	static const uint32_t reqs[] = { HISI_ZIP_REQ_ZLIB, HISI_ZIP_REQ_GZIP };
	uint8_t whole[2000] = { 0 };

	(void)state;
	for (size_t i = 0; i < 2 * sizeof(tails) / sizeof(tails[0]); i++) {
		const uint8_t *tail = tails[i / 2];
		struct hisi_zip_sqe *sqe = sgl_slot(&c, reqs[i % 2]);
		uint32_t n, cnt = 0, left;

		td.used = mark;
		hisi_zip_sqe_src(sqe, td_sgl(&td, plain, 1000, 1, 1), 1000);
		hisi_zip_sqe_dst(sqe, td_sgl(&td, packed, 2000, 1, 1), 2000);
		sqe = tq_do(&c);
		assert_int_equal(sqe->dw3, HISI_ZIP_OK);
		n = sqe->produced;
		memcpy(whole, packed, n);
		while (cnt < 8 && tail[cnt] != 0)
			cnt++;
		/* One byte less than it takes, and just as many. */
		for (uint32_t room = n - 1; room <= n; room++) {
			uint64_t dst = td_sgl(&td, out, room, cnt + 1, HISI_ACC_SGE_MAX);
			struct hisi_acc_sgl *sgl = (void *)(td.arena + (dst - TD_IOVA));
			struct hisi_acc_sge *sge = (struct hisi_acc_sge *)(sgl + 1);

			memset(out, 0xee, 4000);
			/* Segments that do not touch, the last ones as the table has them. */
			left = room;
			for (uint32_t k = cnt; k > 0; k--) {
				left -= tail[k - 1];
				sge[k].len = tail[k - 1];
				sge[k].buf = td_iova(&td, out + 2000 + 16 * k);
			}
			sge[0].len = left;
			sge[0].buf = td_iova(&td, out);
			sqe = sgl_slot(&c, reqs[i % 2]);
			hisi_zip_sqe_src(sqe, td_sgl(&td, plain, 1000, 1, 1), 1000);
			hisi_zip_sqe_dst(sqe, dst, room);
			sqe = tq_do(&c);
			assert_int_equal(sqe->dw3, room < n ? HISI_ZIP_DSTLEN_OUT : HISI_ZIP_OK);
			assert_int_equal(sqe->produced, room < n ? 0 : n);
			assert_int_equal(sqe->consumed, room < n ? 0 : 1000);
			for (uint32_t k = 1, at = left; k <= cnt && room == n; k++) {
				const uint8_t *segment = out + 2000 + 16 * k;

				assert_memory_equal(segment, whole + at, tail[k - 1]);
				assert_int_equal(segment[tail[k - 1]], 0xee);
				at += tail[k - 1];
			}
			if (room == n)
				assert_memory_equal(out, whole, left);
			assert_int_equal(out[left], 0xee);
		}
	}
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, td_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(shapes_round_trip), T(odd_but_allowed), T(refused), T(largest_chain),
		T(more_segments_than_entries), T(shared_bytes), T(trailer_over_small_segments),
		cmocka_unit_test(overlap_as_all_pairs),
		cmocka_unit_test(a_long_segment_is_not_forgotten),
		cmocka_unit_test(segments_are_read_and_written),
		cmocka_unit_test(bytes_end_with_the_last_segment),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
