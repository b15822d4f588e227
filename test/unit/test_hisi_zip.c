/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

/*
 * Requests and their results as the driver side of ZIP builds and reads them: every word of a
 * slot against the reference, and every answer that a device can give.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "hisi_qm_regs.h"
#include "hisi_zip_request.h"
#include "hisi_zip_result.h"

#define V2    HISI_QM_REV_V2
#define V3    HISI_QM_REV_V3
#define ALL   HISI_ZIP_EXT_F_ALL
#define WORDS (sizeof(struct hisi_zip_sqe) / sizeof(uint32_t))

/* Bits of paths, in both directions. */
#define BIT(path) (HISI_ZIP_PATH_BIT(HISI_ZIP_PATH_COMP_ ## path) | \
	HISI_ZIP_PATH_BIT(HISI_ZIP_PATH_DECOMP_ ## path))
#define RAW     BIT(RAW)
#define ZLIB    BIT(ZLIB)
#define GZIP    BIT(GZIP)
#define BOTH    (ZLIB | GZIP)
#define NONE    HISI_ZIP_PATHS
#define C1      HISI_ZIP_PATH_COMP_RAW
#define C2      HISI_ZIP_PATH_COMP_ZLIB
#define C3      HISI_ZIP_PATH_COMP_GZIP
#define D1      HISI_ZIP_PATH_DECOMP_RAW
#define D2      HISI_ZIP_PATH_DECOMP_ZLIB
#define D3      HISI_ZIP_PATH_DECOMP_GZIP
#define CRC32   HISI_ZIP_EXT_CRC32
#define ADLER32 HISI_ZIP_EXT_ADLER32

/* What the words of a slot were before it was used: what stays is seen. */
#define OLD 0xa5a5a5a5u

/* ---- What a function can do ---- */

static void
test_can(void **state)
{
	static const struct {
		struct hisi_zip_job job;
		uint32_t needs; /* features */
		bool on_v2;
	} rows[] = {
		{ { .level = 1, .window = 15 }, 0 },
		{ { .level = 9, .window = 12 }, 0 },
		{ { .level = 1, .window = 11 }, HISI_ZIP_EXT_F_WINDOW },
		{ { .level = 0, .window = 15 }, HISI_ZIP_EXT_F_LEVEL | HISI_ZIP_EXT_F_HUFFMAN },
		{ { .level = 1, .window = 15, .huffman = HISI_ZIP_EXT_HUFFMAN_FIXED },
			HISI_ZIP_EXT_F_LEVEL | HISI_ZIP_EXT_F_HUFFMAN },
		{ { .level = 1, .window = 15, .huffman = HISI_ZIP_EXT_HUFFMAN_DYNAMIC }, 0 },
		{ { .level = 1, .window = 15, .checksums = HISI_ZIP_EXT_CRC32 },
			HISI_ZIP_EXT_F_CHECKSUM },
		{ { .level = 1, .window = 15, .dict = true }, HISI_ZIP_EXT_F_DICT },
		/* A decompression needs nothing of what only a compression chooses. */
		{ { .dir = HISI_ZIP_DECOMP, .window = 8,
			.huffman = HISI_ZIP_EXT_HUFFMAN_FIXED }, 0 },
		{ { .dir = HISI_ZIP_DECOMP, .checksums = HISI_ZIP_EXT_ADLER32 },
			HISI_ZIP_EXT_F_CHECKSUM },
		{ { .dir = HISI_ZIP_DECOMP, .dict = true }, HISI_ZIP_EXT_F_DICT },
		{ { .format = HISI_ZIP_FORMAT_COPY }, HISI_ZIP_EXT_F_COPY, true },
		{ { .format = HISI_ZIP_FORMAT_COPY, .checksums = HISI_ZIP_EXT_CRC32 },
			HISI_ZIP_EXT_F_COPY | HISI_ZIP_EXT_F_CHECKSUM, true },
		{ { .format = HISI_ZIP_FORMAT_LZ4, .level = 0, .window = 8,
			.checksums = HISI_ZIP_EXT_XXH32 }, HISI_ZIP_EXT_F_LZ4, true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct hisi_zip_function least = { V3, rows[i].needs, RAW };
		const struct hisi_zip_function old = { V2, ALL };

		assert_true(hisi_zip_can(&least, &rows[i].job, 0));
		assert_int_equal(hisi_zip_can(&old, &rows[i].job, 0), rows[i].on_v2);
		/* Without any one of what it needs, it cannot. */
		for (uint32_t bit = 1; bit != 0 && bit <= ALL; bit <<= 1) {
			const struct hisi_zip_function less = { V3, ALL & ~bit, RAW };

			assert_int_equal(hisi_zip_can(&less, &rows[i].job, 0),
				(rows[i].needs & bit) == 0);
			assert_int_equal(hisi_zip_can(&least, &rows[i].job, bit),
				(rows[i].needs & bit) != 0);
		}
	}
}

/* Which requests plain DEFLATE goes by, as paths are off and checksums are asked for. */
static void
test_paths(void **state)
{
	static const struct {
		struct hisi_zip_function f;
		uint32_t checksums;
		enum hisi_zip_path comp, decomp;
	} rows[] = {
		{ { V3, 0, RAW | BOTH, BOTH }, 0, C1, D1 },
		{ { V3, 0, RAW | BOTH, BOTH }, CRC32, C3, D3 },
		{ { V3, 0, RAW | BOTH, BOTH }, ADLER32, C2, D2 },
		{ { V3, 0, RAW | BOTH, BOTH }, CRC32 | ADLER32, NONE, NONE },
		{ { V3, 0, RAW | BOTH, 0 }, CRC32, NONE, NONE },
		{ { V3, 0, RAW | BOTH, ZLIB }, CRC32, NONE, NONE },
		{ { V3, 0, RAW | ZLIB, BOTH }, ADLER32, C2, D2 },
		{ { V3, 0, RAW, BOTH }, ADLER32, NONE, NONE },
		{ { V3, 0, 0, 0 }, 0, NONE, NONE },
		{ { V2, 0, BOTH, BOTH }, 0, C2, D2 },
		{ { V2, 0, GZIP, GZIP }, 0, C3, D3 },
		{ { V2, 0, GZIP, GZIP }, CRC32, C3, D3 },
		{ { V2, 0, 0, 0 }, 0, NONE, NONE },
		/* What the extension has instead; raw DEFLATE of V2 it has not. */
		{ { V3, ALL, 0, 0 }, CRC32 | ADLER32, HISI_ZIP_PATH_EXT_COMP,
			HISI_ZIP_PATH_EXT_DECOMP },
		{ { V2, ALL, BOTH, 0 }, 0, C2, D2 },
		{ { V2, ALL, 0, 0 }, 0, NONE, NONE },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct hisi_zip_job job = { .level = 9, .window = 15,
			.checksums = rows[i].checksums };
		struct hisi_zip_words words;

		assert_int_equal(hisi_zip_path_of(&rows[i].f, &job), rows[i].comp);
		assert_int_equal(hisi_zip_can(&rows[i].f, &job, 0), rows[i].comp != NONE);
		hisi_zip_words_set(&words, &rows[i].f, &job);
		assert_int_equal(words.dw9 & 0xf, rows[i].comp == C2 ? 2 : rows[i].comp == C3 ?
			3 : 1);
		assert_int_equal(words.dw9 >> 12, rows[i].f.revision == V3 ? 4 : 0);
		assert_int_equal(words.dw10 == 0, rows[i].comp != HISI_ZIP_PATH_EXT_COMP);
		/* V2 has no window to choose, and no dictionaries whatever its features. */
		job.window = 14;
		assert_int_equal(hisi_zip_can(&rows[i].f, &job, 0), rows[i].comp != NONE &&
			rows[i].f.revision == V3);
		job.window = 15;
		job.dict = true;
		assert_int_equal(hisi_zip_can(&rows[i].f, &job, 0),
			rows[i].comp == HISI_ZIP_PATH_EXT_COMP);
		job.dict = false;
		job.dir = HISI_ZIP_DECOMP;
		assert_int_equal(hisi_zip_path_of(&rows[i].f, &job), rows[i].decomp);
		hisi_zip_words_set(&words, &rows[i].f, &job);
		assert_int_equal(words.dw9 & 0xf, rows[i].decomp == D2 ? 2 : rows[i].decomp == D3 ?
			3 : 1);
	}
	for (enum hisi_zip_path path = 0; path < HISI_ZIP_PATHS; path++) {
		assert_int_equal(hisi_zip_path_trailer(path), path == C2 || path == D2 ? 4 :
			path == C3 || path == D3 ? 8 : 0);
		for (enum hisi_zip_path other = 0; other < path; other++)
			assert_string_not_equal(hisi_zip_path_name(path),
				hisi_zip_path_name(other));
	}
}

static void
test_path_bits(void **state)
{
	struct hisi_zip_paths paths = { 0 };

	(void)state;
	for (enum hisi_zip_path path = 0; path < HISI_ZIP_PATHS; path++)
		paths.path[path] = (struct hisi_zip_path_info){
			.state = path % 3, .sum = path / 3 % 3,
		};
	/* Untried, on, off, untried, ...; sums of three each. */
	assert_int_equal(hisi_zip_paths_usable(&paths), 0xdb6db6db &
		(HISI_ZIP_PATH_BIT(HISI_ZIP_PATHS) - 1));
	assert_int_equal(hisi_zip_paths_sums(&paths), 0x2090 &
		(HISI_ZIP_PATH_BIT(HISI_ZIP_PATHS) - 1));
}

/* ---- Words ---- */

static void
test_words(void **state)
{
	static const struct {
		struct hisi_zip_job job;
		uint32_t dw9, dw10;
	} rows[] = {
		{ { .level = 1, .window = 15 }, 0x4001, 0x8000f001 },
		{ { .level = 9, .window = 14 }, 0x2001, 0x8000e009 },
		{ { .level = 1, .window = 13 }, 0x1001, 0x8000d001 },
		{ { .level = 1, .window = 12 }, 0x0001, 0x8000c001 },
		{ { .level = 1, .window = 8 }, 0x0001, 0x80008001 },
		{ { .level = 2, .window = 15, .huffman = HISI_ZIP_EXT_HUFFMAN_DYNAMIC },
			0x4001, 0x8000f022 },
		{ { .window = 15, .checksums = HISI_ZIP_EXT_CRC32 | HISI_ZIP_EXT_ADLER32 },
			0x4001, 0x8000f0c0 },
		{ { .window = 15, .dict = true }, 0x4001, 0x8000f800 },
		{ { .window = 15, .partial = true }, 0x4001, 0x8000f400 },
		{ { .dir = HISI_ZIP_DECOMP, .window = 15 }, 0x4001, 0x8000f000 },
		{ { .format = HISI_ZIP_FORMAT_COPY }, 0xf0, 0x80000000 },
		{ { .format = HISI_ZIP_FORMAT_LZ4, .level = 1, .lz4_flags = 0x3c,
			.checksums = HISI_ZIP_EXT_XXH32 }, 0xf1, 0x807c0001 },
		/* 2^16, the frame's default, has no bit of its own. */
		{ { .format = HISI_ZIP_FORMAT_LZ4, .window = 16 }, 0xf1, 0x80000000 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		for (int v3 = 0; v3 < 2; v3++) {
			const struct hisi_zip_function ext = { v3 ? V3 : V2, ALL };
			const struct hisi_zip_function plain = { v3 ? V3 : V2, 0 };
			struct hisi_zip_words words = { OLD, OLD, OLD, OLD };
			/* V2 has no windows, and with the extension the same raw DEFLATE: none. */
			bool bare = !v3 && rows[i].job.format == HISI_ZIP_FORMAT_DEFLATE;
			uint32_t dw9 = bare ? 1 : rows[i].dw9;

			hisi_zip_words_set(&words, &ext, &rows[i].job);
			assert_int_equal(words.dw7, v3 ? 0x30000000 : 0);
			assert_int_equal(words.dw8, 0);
			assert_int_equal(words.dw9, dw9);
			assert_int_equal(words.dw10, bare ? 0 : rows[i].dw10);
			/* Plain silicon is to see 0. */
			hisi_zip_words_set(&words, &plain, &rows[i].job);
			assert_int_equal(words.dw7, v3 ? 0x30000000 : 0);
			assert_int_equal(words.dw9, dw9);
			assert_int_equal(words.dw10, 0);
		}
	}
}

/* ---- Requests ---- */

static const struct hisi_zip_words some_words = { 0x30000000, 0, 0x4001, 0x8000f401 };

/* A slot of which all words but these are what they were. */
struct word {
	unsigned int dw;
	uint32_t value;
};

static void
check_slot(const struct hisi_zip_sqe *sqe, uint32_t others, const struct word *words, size_t n)
{
	uint32_t want[WORDS];

	for (size_t i = 0; i < WORDS; i++)
		want[i] = others;
	for (size_t i = 0; i < n; i++)
		want[words[i].dw] = words[i].value;
	assert_memory_equal(sqe, want, sizeof(want));
}

#define CHECK_SLOT(sqe, others, ...) do { \
	const struct word words_[] = { __VA_ARGS__ }; \
	check_slot(sqe, others, words_, sizeof(words_) / sizeof(words_[0])); \
} while (0)

#define BUFFERS \
	{ 4, 0x1000 }, { 14, 0x2000 }, { 18, 0x89abcdef }, { 19, 0x01234567 }, \
	{ 20, 0x76543210 }, { 21, 0xfedcba98 }

static void
begin(struct hisi_zip_sqe *sqe, struct hisi_zip_asked *asked, uint32_t others)
{
	memset(sqe, (int)(others & 0xff), sizeof(*sqe));
	hisi_zip_req_buffers(sqe, asked, 0x0123456789abcdef, 0x1000, 0xfedcba9876543210, 0x2000);
	assert_int_equal(asked->src_len, 0x1000);
	assert_int_equal(asked->dst_len, 0x2000);
}

static void
test_requests(void **state)
{
	struct hisi_zip_asked asked;
	struct hisi_zip_sqe sqe;

	(void)state;
	begin(&sqe, &asked, OLD);
	CHECK_SLOT(&sqe, OLD, BUFFERS);
	hisi_zip_req_words(&sqe, &some_words);
	CHECK_SLOT(&sqe, OLD, BUFFERS, { 7, 0x30000000 }, { 8, 0 }, { 9, 0x4001 },
		{ 10, 0x8000f401 });
	hisi_zip_req_lists(&sqe);
	hisi_zip_req_level(&sqe, 8);
	hisi_zip_req_flush_full(&sqe);
	CHECK_SLOT(&sqe, OLD, BUFFERS, { 7, 0x30000000 }, { 8, 0 }, { 9, 0x4101 },
		{ 10, 0x8000f609 });
	hisi_zip_req_checksums(&sqe, 0x11223344, 0x55667788);
	hisi_zip_req_dict(&sqe, 0x0011223344556677, 0x8000);
	CHECK_SLOT(&sqe, OLD, BUFFERS, { 7, 0x30000000 }, { 8, 0 }, { 9, 0x4101 },
		{ 10, 0x8000f609 }, { 11, 0x11223344 }, { 12, 0x55667788 }, { 13, 0x8000 },
		{ 24, 0x44556677 }, { 25, 0x00112233 });
}

static void
test_streams(void **state)
{
	static const struct {
		enum hisi_zip_flush flush;
		uint32_t dw7, ext, plain; /* dw10 with and without the extension */
	} rows[] = {
		{ HISI_ZIP_FLUSH_NONE, 0, 0x8000f101, 0 },
		{ HISI_ZIP_FLUSH_SYNC, 0, 0x8000f001, 0 },
		{ HISI_ZIP_FLUSH_FULL, 0, 0x8000f201, 0x200 },
		{ HISI_ZIP_FLUSH_FINISH, 0x02000000, 0x8000f001, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		for (int n = 0; n < 4; n++) {
			const struct hisi_zip_state old = { 1, 2, 3, 4, 5, n & 1 };
			struct hisi_zip_words words = some_words;
			struct hisi_zip_asked asked;
			struct hisi_zip_sqe sqe;

			if (n & 2)
				words.dw10 = 0;
			begin(&sqe, &asked, OLD);
			hisi_zip_req_words(&sqe, &words);
			hisi_zip_req_stream(&sqe, &words, &old, 0x100000000, rows[i].flush);
			CHECK_SLOT(&sqe, OLD, BUFFERS,
				{ 7, 0x34000000 | rows[i].dw7 | (n & 1 ? 0 : 0x08000000) },
				{ 8, 0 }, { 9, 0x4001 },
				{ 10, n & 2 ? rows[i].plain : rows[i].ext },
				{ 11, 0 }, { 12, 1 }, { 15, 1 }, { 22, 64 }, { 23, 1 }, { 28, 2 },
				{ 29, 3 }, { 30, 4 }, { 31, 5 });
			/* What comes behind it in the slot finds what it relies on. */
			hisi_zip_req_clear(&sqe);
			CHECK_SLOT(&sqe, OLD, BUFFERS, { 7, sqe.dw7 }, { 8, 0 }, { 9, 0x4001 },
				{ 10, sqe.dw10 }, { 11, 0 }, { 12, 0 }, { 13, 0 }, { 15, 0 },
				{ 22, 0 }, { 23, 0 }, { 24, 0 }, { 25, 0 }, { 28, 0 }, { 29, 0 },
				{ 30, 0 }, { 31, 0 });
		}
	}
}

static void
test_lists(void **state)
{
	struct {
		struct hisi_acc_sgl sgl;
		struct hisi_acc_sge sge[3];
	} list;
	struct hisi_acc_sge *first;

	(void)state;
	memset(&list, 0xa5, sizeof(list));
	first = hisi_zip_sgl_begin(&list.sgl, 2);
	assert_ptr_equal(first, list.sge);
	hisi_zip_sge_set(&first[0], 0x123456789abc, 100);
	hisi_zip_sge_set(&first[1], 0xffffffff00000001, 0x800000);
	assert_int_equal(list.sgl.next_dma, 0);
	assert_int_equal(list.sgl.entry_sum_in_chain, 2);
	assert_int_equal(list.sgl.entry_sum_in_sgl, 2);
	assert_int_equal(list.sgl.entry_length_in_sgl, 2);
	assert_true(list.sge[0].buf == 0x123456789abc && list.sge[0].len == 100);
	assert_true(list.sge[1].buf == 0xffffffff00000001 && list.sge[1].len == 0x800000);
	assert_int_equal(list.sge[2].len, OLD);
}

/* ---- Results ---- */

static void
test_read(void **state)
{
	struct hisi_zip_sqe sqe = { .consumed = 1, .produced = 2, .dw3 = 0xabcd12,
		.isize = 3, .checksum = 4 };
	struct hisi_zip_result r = hisi_zip_result_read(&sqe);

	(void)state;
	assert_int_equal(r.consumed, 1);
	assert_int_equal(r.produced, 2);
	assert_int_equal(r.dw3, 0xabcd12);
	assert_int_equal(hisi_zip_result_status(r), 0x12);
	assert_int_equal(hisi_zip_result_adler32(&sqe), 3);
	assert_int_equal(hisi_zip_result_crc32(&sqe), 4);
}

/* The lengths are those that the client kept, whatever the slot has. */
static void
test_possible(void **state)
{
	enum { SRC = 100, DST = 50 };
	static const uint32_t lens[] = { 0, 1, DST - 1, DST, DST + 1, SRC - 1, SRC, SRC + 1,
		INT32_MAX, UINT32_MAX };
	static const uint32_t dw3s[] = { HISI_ZIP_OK, HISI_ZIP_NEGACOMPRESS, HISI_ZIP_DSTLEN_OUT,
		HISI_ZIP_BAD_DATA, HISI_ZIP_OK | HISI_ZIP_LSTBLK };
	const struct hisi_zip_asked asked = { SRC, DST };
	size_t n = sizeof(lens) / sizeof(lens[0]);

	(void)state;
	for (size_t i = 0; i < n * n * 5 * 2; i++) {
		const struct hisi_zip_result r = { lens[i % n], lens[i / n % n],
			dw3s[i / n / n % 5] };
		bool whole = i / n / n / 5, done = i / n / n % 5 < 2 || i / n / n % 5 == 4;
		bool fits = r.consumed <= SRC && r.produced <= DST;
		bool all = r.consumed == SRC && r.produced > 0;

		assert_int_equal(hisi_zip_result_possible(&asked, whole, r),
			fits && (all || !whole || !done));
		assert_int_equal(hisi_zip_result_usual(&asked, r), fits && all);
	}
}

/* A request that may write nothing has no usual result, and none that wrote something. */
static void
test_no_room(void **state)
{
	const struct hisi_zip_asked asked = { 0, 0 };

	(void)state;
	for (uint32_t n = 0; n < 3; n++) {
		const struct hisi_zip_result r = { 0, n, HISI_ZIP_OK };

		assert_false(hisi_zip_result_usual(&asked, r));
		assert_int_equal(hisi_zip_result_possible(&asked, false, r), n == 0);
	}
}

static void
test_outcome(void **state)
{
	(void)state;
	for (uint32_t dw3 = 0; dw3 < 0x20000; dw3++) {
		bool part = dw3 & 0x10000;
		enum hisi_zip_outcome want, want_none, want_decomp;

		switch (dw3 & 0xff) {
		case 0x00:
		case 0x0d:
			want = want_none = HISI_ZIP_DONE;
			break;
		case 0x0e:
			want = part ? HISI_ZIP_DONE_PART : HISI_ZIP_NO_SPACE;
			want_none = HISI_ZIP_NO_SPACE;
			break;
		case 0x10:
			want = want_none = HISI_ZIP_MISMATCH;
			break;
		case 0x20:
			want = want_none = HISI_ZIP_CORRUPT;
			break;
		default:
			want = want_none = HISI_ZIP_FAILED;
			break;
		}
		/* The end of a stream is one of a decompression only, and if it says so twice. */
		want_decomp = (dw3 & 0x1ff) == 0x113 ? HISI_ZIP_DONE : want;
		assert_int_equal(hisi_zip_result_outcome(HISI_ZIP_COMP,
			(struct hisi_zip_result){ 1, 1, dw3 }), want);
		assert_int_equal(hisi_zip_result_outcome(HISI_ZIP_DECOMP,
			(struct hisi_zip_result){ 1, 1, dw3 }), want_decomp);
		/* A part of nothing is none. */
		assert_int_equal(hisi_zip_result_outcome(HISI_ZIP_COMP,
			(struct hisi_zip_result){ 0, 1, dw3 }), want_none);
	}
}

/* Requests with a trailer that ops have not. */
static void
test_carried(void **state)
{
	static const struct hisi_zip_asked asked = { .src_len = 104, .dst_len = 204 };
	static const struct {
		enum hisi_zip_dir dir;
		uint32_t counted, consumed, produced, dw3;
		enum hisi_zip_outcome want;
		uint32_t consumed_want, produced_want;
	} rows[] = {
		{ HISI_ZIP_COMP, 4, 104, 54, 0x00, HISI_ZIP_DONE, 104, 50 },
		{ HISI_ZIP_COMP, 4, 104, 204, 0x0d, HISI_ZIP_DONE, 104, 200 },
		{ HISI_ZIP_COMP, 0, 104, 54, 0x00, HISI_ZIP_DONE, 104, 54 },
		{ HISI_ZIP_COMP, 0, 104, 200, 0x00, HISI_ZIP_DONE, 104, 200 },
		/* DEFLATE data where the trailer has to be. */
		{ HISI_ZIP_COMP, 0, 104, 201, 0x00, HISI_ZIP_FAILED, 0, 0 },
		{ HISI_ZIP_COMP, 4, 104, 4, 0x00, HISI_ZIP_FAILED, 0, 0 },
		{ HISI_ZIP_COMP, 4, 104, 3, 0x00, HISI_ZIP_FAILED, 0, 0 },
		{ HISI_ZIP_COMP, 4, 104, 54, 0x10, HISI_ZIP_MISMATCH, 0, 0 },
		{ HISI_ZIP_COMP, 4, 104, 54, 0x113, HISI_ZIP_FAILED, 0, 0 },
		{ HISI_ZIP_COMP, 4, 0, 0, 0x0e, HISI_ZIP_NO_SPACE, 0, 0 },
		{ HISI_ZIP_DECOMP, 4, 104, 150, 0x10, HISI_ZIP_DONE, 100, 150 },
		{ HISI_ZIP_DECOMP, 4, 104, 150, 0x00, HISI_ZIP_DONE, 100, 150 },
		{ HISI_ZIP_DECOMP, 4, 104, 150, 0x113, HISI_ZIP_DONE, 100, 150 },
		{ HISI_ZIP_DECOMP, 4, 104, 0, 0x10, HISI_ZIP_DONE, 100, 0 },
		{ HISI_ZIP_DECOMP, 4, 5, 150, 0x10, HISI_ZIP_DONE, 1, 150 },
		{ HISI_ZIP_DECOMP, 0, 100, 150, 0x10, HISI_ZIP_DONE, 100, 150 },
		/* Its own trailer was data, or nothing was read. */
		{ HISI_ZIP_DECOMP, 0, 101, 150, 0x10, HISI_ZIP_FAILED, 0, 0 },
		{ HISI_ZIP_DECOMP, 4, 4, 150, 0x10, HISI_ZIP_FAILED, 0, 0 },
		{ HISI_ZIP_DECOMP, 4, 0, 0, 0x10, HISI_ZIP_FAILED, 0, 0 },
		{ HISI_ZIP_DECOMP, 0, 0, 0, 0x10, HISI_ZIP_FAILED, 0, 0 },
		{ HISI_ZIP_DECOMP, 4, 104, 150, 0x20, HISI_ZIP_CORRUPT, 0, 0 },
		{ HISI_ZIP_DECOMP, 4, 104, 150, 0x13, HISI_ZIP_FAILED, 0, 0 },
		{ HISI_ZIP_DECOMP, 4, 0, 0, 0x0e, HISI_ZIP_NO_SPACE, 0, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct hisi_zip_result r = { rows[i].consumed, rows[i].produced, rows[i].dw3 };

		assert_int_equal(hisi_zip_result_carried(rows[i].dir, &asked, 4, rows[i].counted,
			&r), rows[i].want);
		if (rows[i].want != HISI_ZIP_DONE)
			continue;
		assert_int_equal(r.consumed, rows[i].consumed_want);
		assert_int_equal(r.produced, rows[i].produced_want);
	}
	assert_int_equal(hisi_zip_sum_of(HISI_ZIP_SUM_PLAIN, 0x12345678), 0x12345678);
	/* CRC-32 of "123456789", as ZIP 5.7 has it. */
	assert_int_equal(hisi_zip_sum_of(HISI_ZIP_SUM_REVERSED, 0x9b63d02c), 0xcbf43926);
}

static void
test_stream_results(void **state)
{
	static const struct {
		uint32_t dw3, ctx_dw0;
		enum hisi_zip_dir dir;
		bool finish;
		enum hisi_zip_outcome outcome;
		int started; /* -1: no matter */
	} rows[] = {
		{ 0x00, 0, HISI_ZIP_COMP, false, HISI_ZIP_DONE, 1 },
		{ 0x0d, 0, HISI_ZIP_COMP, false, HISI_ZIP_DONE, 1 },
		{ 0x00, 0, HISI_ZIP_COMP, true, HISI_ZIP_DONE, 0 },
		{ 0x0d, 0, HISI_ZIP_COMP, true, HISI_ZIP_DONE, 0 },
		/* These states are a decompression's. */
		{ 0x00, 1, HISI_ZIP_COMP, false, HISI_ZIP_DONE, 1 },
		{ 0x00, 2, HISI_ZIP_COMP, true, HISI_ZIP_DONE, 0 },
		{ 0x00, 0xf1, HISI_ZIP_DECOMP, false, HISI_ZIP_DONE_PART, 1 },
		{ 0x00, 2, HISI_ZIP_DECOMP, false, HISI_ZIP_DONE_PART, 1 },
		{ 0x0d, 2, HISI_ZIP_DECOMP, false, HISI_ZIP_DONE_PART, 1 },
		{ 0x00, 3, HISI_ZIP_DECOMP, false, HISI_ZIP_DONE, 1 },
		{ 0x00, 4, HISI_ZIP_DECOMP, false, HISI_ZIP_DONE, 1 },
		{ 0x00, 0x12, HISI_ZIP_DECOMP, false, HISI_ZIP_DONE_PART, 1 },
		{ 0x13, 0, HISI_ZIP_DECOMP, false, HISI_ZIP_DONE_END, 0 },
		{ 0x113, 1, HISI_ZIP_DECOMP, false, HISI_ZIP_DONE_END, 0 },
		{ 0x1000e, 0, HISI_ZIP_COMP, false, HISI_ZIP_DONE_PART, 1 },
		/* It goes on: the output of its end is pending. */
		{ 0x1000e, 0, HISI_ZIP_COMP, true, HISI_ZIP_DONE_PART, 1 },
		{ 0x0e, 0, HISI_ZIP_COMP, false, HISI_ZIP_NO_SPACE, -1 },
		{ 0x10000 | 0x20, 0, HISI_ZIP_DECOMP, false, HISI_ZIP_FAILED, -1 },
		{ 0x10, 0, HISI_ZIP_DECOMP, false, HISI_ZIP_FAILED, -1 },
		{ 0x24, 0, HISI_ZIP_COMP, true, HISI_ZIP_FAILED, -1 },
		{ 0xff, 1, HISI_ZIP_DECOMP, false, HISI_ZIP_FAILED, -1 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		for (int started = 0; started < 2; started++) {
			const struct hisi_zip_sqe sqe = { .dw3 = 0x99, .ctx_dw0 = rows[i].ctx_dw0,
				.ctx_dw1 = 21, .ctx_dw2 = 22, .isize = 23, .checksum = 24 };
			struct hisi_zip_state s = { 1, 2, 3, 4, 5, started };

			/* The status is what was read, not what is in the slot now. */
			assert_int_equal(hisi_zip_result_stream(&s, &sqe, rows[i].dir,
				rows[i].finish, (struct hisi_zip_result){ 0, 0, rows[i].dw3 }),
				rows[i].outcome);
			assert_int_equal(s.ctx_dw0, rows[i].ctx_dw0);
			assert_int_equal(s.ctx_dw1, 21);
			assert_int_equal(s.ctx_dw2, 22);
			assert_int_equal(s.isize, 23);
			assert_int_equal(s.checksum, 24);
			if (rows[i].started >= 0)
				assert_int_equal(s.started, rows[i].started);
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_can),
		cmocka_unit_test(test_paths),
		cmocka_unit_test(test_path_bits),
		cmocka_unit_test(test_carried),
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_requests),
		cmocka_unit_test(test_streams),
		cmocka_unit_test(test_lists),
		cmocka_unit_test(test_read),
		cmocka_unit_test(test_possible),
		cmocka_unit_test(test_no_room),
		cmocka_unit_test(test_outcome),
		cmocka_unit_test(test_stream_results),
	};

	return cmocka_run_group_tests_name("hisi_zip", tests, NULL, NULL);
}
