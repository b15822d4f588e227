/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <string.h>

#include "hisi_zip_answer.h"
#include "hisi_zip_result.h"

/*
 * Questions about stateless DEFLATE. Software makes the data that is decompressed, and decompresses
 * what the function has compressed.
 */

/* The window of V2 is not known (U19): all of it. */
#define WINDOW ZIP_CODEC_WINDOW_MAX
#define LONG_ENTRIES (HISI_ZIP_REQ_LEN_MAX / HISI_ZIP_ASK_LEN)
#define CANARY 0xc5
/* Data of which all that may be wrong is asked; longer data is asked once. */
#define SHORT 4096u

/* What plain data is like. */
enum kind { TEXT, NOISE, ZEROS };

/* One path that is asked about, and what it has shown so far. */
struct trial {
	struct hisi_zip_asker *a;
	enum hisi_zip_path path;
	struct hisi_zip_words words;
	uint32_t trailer; /* bytes of it */
	bool lists;       /* buffers are lists; else flat, but for a source with a trailer */
	bool seen;        /* counted and sum are known */
	uint8_t counted;
	uint8_t sum;
	bool ends;
	const char *why;  /* it fails */
};

/* How a request is to be put. */
struct question {
	uint32_t src_len, room;
	unsigned int entries; /* of the lists, if there are lists; at least */
	bool repeat;          /* each entry is all of src, and of dst: long data in little memory */
};

static void
fails(struct trial *t, const char *why)
{
	if (t->why == NULL)
		t->why = why;
}

/* ---- Data ---- */

static void
make_plain(uint8_t *to, uint32_t len, enum kind kind)
{
	static const char words[] = "the quick brown fox jumps over the lazy dog again and again; ";
	uint32_t x = len * 2654435761u + 12345;

	for (uint32_t i = 0; i < len; i++) {
		if (kind != TEXT || i % 24 == 0)
			x = x * 1664525 + 1013904223;
		to[i] = kind == ZEROS ? 0 : kind == NOISE ? (uint8_t)(x >> 24) :
			(uint8_t)words[(i + (x >> 20)) % (sizeof(words) - 1)];
	}
}

/* Checksums of plain data by software. */
static uint32_t
sum_of(const struct trial *t, const uint8_t *plain, uint32_t len)
{
	const struct iovec iov = { (void *)(uintptr_t)plain, len };
	const struct iovec to = { t->a->check, HISI_ZIP_ASK_ROOM };
	const struct zip_codec_params params = {
		.checksum = ZIP_CODEC_CRC32 | ZIP_CODEC_ADLER32, .adler32 = 1,
	};
	struct zip_codec_result r;

	zip_codec_copy(&params, &iov, 1, &to, 1, &r);
	return t->trailer == HISI_ZIP_TRAILER_ZLIB ? r.adler32 : r.crc32;
}

/* Where a request shows the checksum of plain data that it is right about. */
static uint8_t
sum_in(const struct hisi_zip_sqe *sqe, uint32_t sum)
{
	if (hisi_zip_sum_of(HISI_ZIP_SUM_PLAIN, sqe->checksum) == sum)
		return HISI_ZIP_SUM_PLAIN;
	if (hisi_zip_sum_of(HISI_ZIP_SUM_REVERSED, sqe->checksum) == sum)
		return HISI_ZIP_SUM_REVERSED;
	return HISI_ZIP_SUM_NONE;
}

static void
learn_sum(struct trial *t, const struct hisi_zip_sqe *sqe, const uint8_t *plain, uint32_t len)
{
	uint8_t sum;

	if (t->trailer == 0)
		return;
	sum = sum_in(sqe, sum_of(t, plain, len));
	if (!t->seen)
		t->sum = sum;
	else if (t->sum != sum)
		t->sum = HISI_ZIP_SUM_NONE;
}

/* Does the trailer of a compression lie behind its data? */
static void
learn_end(struct trial *t, const uint8_t *behind, const uint8_t *plain, uint32_t len)
{
	const struct hisi_zip_trailer_of of = { .sum = sum_of(t, plain, len), .told = true,
		.len = len };
	bool ends = !t->lists && hisi_zip_trailer_is(t->trailer, behind, &of);

	t->ends = t->seen ? t->ends && ends : ends;
}

/* ---- Requests ---- */

/* Split bytes of a buffer over entries of odd lengths, the last one taking the rest. */
static void
make_list(const struct trial *t, unsigned int which, uint8_t *at, uint32_t len,
		const struct question *q, uint32_t trailer)
{
	struct hisi_zip_ask_mem *mem = hisi_zip_ask_mem(t->a);
	uint32_t entries = RTE_MAX(q->repeat ? len / HISI_ZIP_ASK_LEN : RTE_MIN(q->entries, len),
		1u);
	struct hisi_acc_sge *sge = hisi_zip_sgl_begin(&mem->lists[which].head,
		(uint16_t)(entries + (trailer != 0)));
	uint32_t done = 0;

	for (uint32_t i = 0; i < entries; i++, sge++) {
		uint32_t left = entries - 1 - i;
		uint32_t n = left == 0 ? len - done : q->repeat ? HISI_ZIP_ASK_LEN :
			RTE_MIN(1 + i * 7 % 61 + (len / entries) / 2, len - done - left);

		hisi_zip_sge_set(sge, hisi_zip_ask_iova(t->a, q->repeat ? at : at + done), n);
		done += n;
	}
	if (trailer != 0)
		hisi_zip_sge_set(sge, hisi_zip_ask_iova(t->a, mem->trailer), trailer);
}

/*
 * Ask. The lengths are those of the data; the trailer is added where it belongs.
 * Returns how the request ended, and its numbers without the trailer; HISI_ZIP_FAILED also if
 * they cannot be true, which fails the path.
 */
static enum hisi_zip_outcome
ask(struct trial *t, const struct question *q, struct hisi_zip_sqe *sqe,
		struct hisi_zip_result *r)
{
	struct hisi_zip_asker *a = t->a;
	struct hisi_zip_ask_mem *mem = hisi_zip_ask_mem(a);
	bool comp = a->dir == HISI_ZIP_COMP;
	bool lists = t->lists || (!comp && t->trailer != 0);
	uint32_t src_trailer = comp ? 0 : t->trailer, dst_trailer = lists && comp ? t->trailer : 0;
	struct hisi_zip_asked asked;

	memset(sqe, 0, sizeof(*sqe));
	memset(mem->dst, CANARY, sizeof(mem->dst));
	memset(mem->trailer, 0, sizeof(mem->trailer));
	if (lists) {
		make_list(t, 0, mem->src, q->src_len, q, src_trailer);
		make_list(t, 1, mem->dst, q->room, q, dst_trailer);
		hisi_zip_req_buffers(sqe, &asked, hisi_zip_ask_iova(a, &mem->lists[0]),
			q->src_len + src_trailer, hisi_zip_ask_iova(a, &mem->lists[1]),
			q->room + dst_trailer);
	} else {
		hisi_zip_req_buffers(sqe, &asked, hisi_zip_ask_iova(a, mem->src), q->src_len,
			hisi_zip_ask_iova(a, mem->dst), q->room);
	}
	hisi_zip_req_words(sqe, &t->words);
	if (lists)
		hisi_zip_req_lists(sqe);
	if (hisi_zip_ask(a, sqe) != 0)
		return HISI_ZIP_FAILED;
	*r = hisi_zip_result_read(sqe);
	if (!hisi_zip_result_possible(&asked, comp, *r)) {
		fails(t, "lengths that cannot be true");
		return HISI_ZIP_FAILED;
	}
	if (q->room < HISI_ZIP_ASK_ROOM && mem->dst[q->room] != CANARY) {
		fails(t, "output behind the destination");
		return HISI_ZIP_FAILED;
	}
	if (t->trailer == 0)
		return hisi_zip_result_outcome(a->dir, *r);
	/* The first answer shows what is counted. Decompressing: all of the source was read. */
	if (!t->seen && !comp) {
		t->counted = r->consumed == asked.src_len ? (uint8_t)t->trailer : 0;
		t->ends = hisi_zip_result_outcome(a->dir, *r) == HISI_ZIP_MISMATCH;
	}
	return hisi_zip_result_carried(a->dir, &asked, t->trailer, comp && !t->seen ? 0 :
		t->counted, r);
}

/* ---- Compression ---- */

/* Is the output right? Shows what of it is the trailer, the first time. */
static void
check_packed(struct trial *t, const struct hisi_zip_sqe *sqe, const struct hisi_zip_result *r,
		const uint8_t *plain, uint32_t len)
{
	struct hisi_zip_ask_mem *mem = hisi_zip_ask_mem(t->a);
	const struct iovec from = { mem->dst, RTE_MIN(r->produced, HISI_ZIP_ASK_ROOM) };
	const struct iovec to = { t->a->check, HISI_ZIP_ASK_ROOM };
	const struct zip_codec_params params = { .adler32 = 1 };
	struct zip_codec_result res;
	int ret = zip_codec_inflate(t->a->codec, &params, &from, 1, &to, 1, &res);

	if (ret != 0 || res.produced != len || memcmp(t->a->check, plain, len) != 0) {
		fails(t, "output that is not the data");
		return;
	}
	if (!t->seen && t->trailer != 0 && r->produced == res.consumed + t->trailer)
		t->counted = (uint8_t)t->trailer;
	else if (r->produced != res.consumed)
		fails(t, "more or less output than it says");
	learn_sum(t, sqe, plain, len);
	if (t->trailer != 0)
		learn_end(t, mem->dst + res.consumed, plain, len);
}

/* @return Bytes of DEFLATE data; 0: none. */
static uint32_t
compress(struct trial *t, uint32_t len, uint32_t room, unsigned int entries, bool must)
{
	const struct question q = { .src_len = len, .room = room, .entries = entries };
	struct hisi_zip_sqe sqe;
	struct hisi_zip_result r;
	enum hisi_zip_outcome outcome;

	if (t->why != NULL || t->a->error != 0)
		return 0;
	memcpy(hisi_zip_ask_mem(t->a)->src, t->a->plain, len);
	outcome = ask(t, &q, &sqe, &r);
	if (outcome != HISI_ZIP_DONE) {
		if (must)
			fails(t, "an error where none is");
		return 0;
	}
	check_packed(t, &sqe, &r, t->a->plain, len);
	if (!t->seen && t->trailer != 0)
		r.produced -= t->counted;
	t->seen = true;
	return r.produced;
}

/* As much as one request may have, of the same bytes again and again. */
static void
compress_long(struct trial *t)
{
	const struct question q = { .src_len = HISI_ZIP_REQ_LEN_MAX, .room = HISI_ZIP_ASK_LEN,
		.repeat = true };
	struct hisi_zip_ask_mem *mem = hisi_zip_ask_mem(t->a);
	const struct zip_codec_params params = { .adler32 = 1 };
	struct iovec to[LONG_ENTRIES];
	struct zip_codec_result res;
	struct hisi_zip_sqe sqe;
	struct hisi_zip_result r;
	struct iovec from;

	if (t->why != NULL || t->a->error != 0)
		return;
	memset(mem->src, 0, HISI_ZIP_ASK_LEN);
	if (ask(t, &q, &sqe, &r) != HISI_ZIP_DONE)
		return; /* software repeats it */
	/* Of all that comes out, the last part is looked at. */
	memset(t->a->check, CANARY, HISI_ZIP_ASK_LEN);
	memset(t->a->plain, 0, HISI_ZIP_ASK_LEN);
	for (unsigned int i = 0; i < LONG_ENTRIES; i++)
		to[i] = (struct iovec){ t->a->check, HISI_ZIP_ASK_LEN };
	from = (struct iovec){ mem->dst, RTE_MIN(r.produced, HISI_ZIP_ASK_LEN) };
	if (zip_codec_inflate(t->a->codec, &params, &from, 1, to, LONG_ENTRIES, &res) != 0 ||
			res.produced != HISI_ZIP_REQ_LEN_MAX || res.consumed != r.produced ||
			memcmp(t->a->check, t->a->plain, HISI_ZIP_ASK_LEN) != 0)
		fails(t, "output that is not the data");
}

static void
try_compress(struct trial *t, bool lists)
{
	static const struct {
		uint32_t len;
		enum kind kind;
	} data[] = {
		{ 1, TEXT }, { 2, NOISE }, { 13, TEXT }, { 100, TEXT }, { 4096, TEXT },
		{ 4097, NOISE }, { HISI_ZIP_ASK_LEN, TEXT }, { HISI_ZIP_ASK_LEN, NOISE },
		{ 60000, ZEROS },
	};

	t->lists = lists;
	for (unsigned int i = 0; i < RTE_DIM(data); i++) {
		uint32_t len = data[i].len, room = len + len / 8 + 80, packed;

		if (t->seen && hisi_zip_ask_late(t->a))
			return;
		make_plain(t->a->plain, len, data[i].kind);
		packed = compress(t, len, room, lists ? 3 : 1, true);
		if (packed == 0)
			return;
		if (len > SHORT)
			continue;
		/* Lists have the trailer elsewhere. */
		packed += lists ? 0 : t->trailer;
		compress(t, len, packed, 2, false);
		if (packed > 1)
			compress(t, len, packed - 1, 2, false);
	}
	if (!lists)
		return;
	make_plain(t->a->plain, 40000, TEXT);
	compress(t, 40000, 46000, 16, true);
	compress(t, 40000, 46000, HISI_ACC_SGE_MAX - 1, false);
	compress_long(t);
}

/* ---- Decompression ---- */

/* Make DEFLATE data of the plain data, in src. @return Its length. */
static uint32_t
pack(const struct trial *t, uint32_t len, uint8_t level, enum zip_codec_huffman huffman)
{
	const struct iovec from = { t->a->plain, len };
	const struct iovec to = { hisi_zip_ask_mem(t->a)->src, HISI_ZIP_ASK_ROOM };
	const struct zip_codec_params params = {
		.level = level, .window = WINDOW, .huffman = (uint8_t)huffman, .adler32 = 1,
	};
	struct zip_codec_result res;

	if (zip_codec_deflate(t->a->codec, &params, ZIP_CODEC_FLUSH_FINISH, 0, &from, 1, &to, 1,
			&res) != 0)
		return 0;
	return (uint32_t)res.produced;
}

/*
 * Decompress what is in src: packed bytes of DEFLATE data, and what may be behind them. Success
 * must be right. @return Whether it was a success.
 */
static bool
decompress(struct trial *t, const struct question *q, uint32_t packed, uint32_t len)
{
	struct hisi_zip_ask_mem *mem = hisi_zip_ask_mem(t->a);
	struct hisi_zip_sqe sqe;
	struct hisi_zip_result r;

	if (t->why != NULL || t->a->error != 0)
		return false;
	if (ask(t, q, &sqe, &r) != HISI_ZIP_DONE)
		return false;
	if (r.consumed != packed)
		fails(t, "more or less input than there is");
	else if (r.produced != len || memcmp(mem->dst, t->a->plain, len) != 0)
		fails(t, "output that is not the data");
	else
		learn_sum(t, &sqe, t->a->plain, len);
	t->seen = true;
	return true;
}

/* Whole data, and all that may be wrong with room and what is behind it. */
static void
decompress_all(struct trial *t, uint32_t packed, uint32_t len, unsigned int entries)
{
	struct hisi_zip_ask_mem *mem = hisi_zip_ask_mem(t->a);
	struct question q = { .src_len = packed, .room = len + 100, .entries = entries };

	if (!decompress(t, &q, packed, len))
		fails(t, "an error where none is");
	if (len > SHORT)
		return;
	q.room = len;
	decompress(t, &q, packed, len);
	/* Success with less than all of it would be wrong. */
	q.room = len - 1;
	if (q.room != 0)
		decompress(t, &q, packed, len);
	q.room = len + 100;
	memset(mem->src + packed, 0xa5, 9);
	q.src_len = packed + 5;
	decompress(t, &q, packed, len);
	q.src_len = packed + 9;
	decompress(t, &q, packed, len);
	/* Cut off: no success can be right. Decompressing makes more of our trailer then. */
	for (uint32_t cut = 1; cut < packed; cut = cut * 9 + 1) {
		q.src_len = packed - cut;
		if (decompress(t, &q, UINT32_MAX, len))
			fails(t, "success with data that was cut off");
	}
}

/* What is no DEFLATE data. */
static void
decompress_bad(struct trial *t)
{
	static const struct {
		uint8_t len, data[12];
	} bad[] = {
		{ 4, { 0x07, 0x00, 0x00, 0x00 } },             /* a block of no type */
		{ 8, { 0x01, 0x05, 0x00, 0xfa, 0xfe, 'a', 'b', 'c' } }, /* LEN and NLEN differ */
		{ 6, { 0x4b, 0x04, 0x52, 0x00, 0x00, 0x00 } }, /* a distance before the data */
		{ 12, { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff } },
		/* One that the trailer ends: its last byte is 0. */
		{ 2, { 0x4b, 0x04 } },
		/* And one whose last bytes are all 0. */
		{ 5, { 0x01, 0x04, 0x00, 0xfb, 0xff } },
	};
	struct hisi_zip_ask_mem *mem = hisi_zip_ask_mem(t->a);

	for (unsigned int i = 0; i < RTE_DIM(bad); i++) {
		const struct question q = { .src_len = bad[i].len, .room = 1000, .entries = 1 };

		memcpy(mem->src, bad[i].data, bad[i].len);
		if (decompress(t, &q, UINT32_MAX, 0))
			fails(t, "success with bad data");
	}
}

static void
decompress_long(struct trial *t)
{
	/* An empty last block, behind pieces that need nothing of each other. */
	static const uint8_t last[] = { 0x01, 0x00, 0x00, 0xff, 0xff };
	struct question q = { .room = HISI_ZIP_REQ_LEN_MAX, .repeat = true };
	const struct zip_codec_params params = { .level = 1, .window = WINDOW, .adler32 = 1 };
	struct hisi_zip_ask_mem *mem = hisi_zip_ask_mem(t->a);
	const struct iovec from = { t->a->plain, HISI_ZIP_ASK_LEN };
	const struct iovec to = { mem->src, HISI_ZIP_ASK_LEN };
	struct zip_codec_result res;
	struct hisi_zip_sqe sqe;
	struct hisi_zip_result r;

	if (t->why != NULL || t->a->error != 0)
		return;
	memset(t->a->plain, 0, HISI_ZIP_ASK_LEN);
	if (zip_codec_deflate(t->a->codec, &params, ZIP_CODEC_FLUSH_FULL, 0, &from, 1, &to, 1,
			&res) != 0 || res.produced * LONG_ENTRIES + sizeof(last) > HISI_ZIP_ASK_LEN)
		return;
	for (unsigned int i = 0; i < LONG_ENTRIES; i++, q.src_len += (uint32_t)res.produced)
		memmove(mem->src + q.src_len, mem->src, res.produced);
	memcpy(mem->src + q.src_len, last, sizeof(last));
	q.src_len += sizeof(last);
	if (ask(t, &q, &sqe, &r) != HISI_ZIP_DONE)
		return;
	if (r.consumed != q.src_len || r.produced != HISI_ZIP_REQ_LEN_MAX ||
			memcmp(mem->dst, t->a->plain, HISI_ZIP_ASK_LEN) != 0)
		fails(t, "output that is not the data");
}

static void
try_decompress(struct trial *t, bool lists)
{
	static const struct {
		uint32_t len;
		enum kind kind;
		uint8_t level;
		enum zip_codec_huffman huffman;
	} data[] = {
		{ 1, TEXT, 6, ZIP_CODEC_HUFFMAN_DEFAULT },
		{ 2, NOISE, 0, ZIP_CODEC_HUFFMAN_DEFAULT },
		{ 100, TEXT, 6, ZIP_CODEC_HUFFMAN_FIXED },
		{ 300, NOISE, 0, ZIP_CODEC_HUFFMAN_DEFAULT },
		{ 4096, TEXT, 6, ZIP_CODEC_HUFFMAN_DYNAMIC },
		{ HISI_ZIP_ASK_LEN, TEXT, 1, ZIP_CODEC_HUFFMAN_DYNAMIC },
		{ HISI_ZIP_ASK_LEN - 50, NOISE, 1, ZIP_CODEC_HUFFMAN_DEFAULT },
		{ 60000, ZEROS, 6, ZIP_CODEC_HUFFMAN_DEFAULT },
	};

	t->lists = lists;
	for (unsigned int i = 0; i < RTE_DIM(data); i++) {
		uint32_t packed;

		if (t->seen && hisi_zip_ask_late(t->a))
			return;
		make_plain(t->a->plain, data[i].len, data[i].kind);
		packed = pack(t, data[i].len, data[i].level, data[i].huffman);
		if (packed != 0)
			decompress_all(t, packed, data[i].len, lists ? 3 : 1);
		if (t->why != NULL || t->a->error != 0)
			return;
	}
	decompress_bad(t);
	if (!lists)
		return;
	make_plain(t->a->plain, 40000, TEXT);
	{
		struct question q = { .src_len = pack(t, 40000, 1, ZIP_CODEC_HUFFMAN_DYNAMIC),
			.room = 41000, .entries = 15 };
		uint32_t packed = q.src_len;

		if (!decompress(t, &q, packed, 40000))
			fails(t, "an error where none is");
		q.entries = HISI_ACC_SGE_MAX - 1;
		decompress(t, &q, packed, 40000);
	}
	decompress_long(t);
}

/* ---- Paths ---- */

/* Words of requests of a path, whatever is off. */
static void
words_of(struct trial *t)
{
	const struct hisi_zip_function f = {
		.revision = t->a->dev->hisi.info.revision,
		.paths = HISI_ZIP_PATH_BIT(t->path),
	};
	const struct hisi_zip_job job = { .dir = t->a->dir, .level = 1, .window = WINDOW };

	hisi_zip_words_set(&t->words, &f, &job);
	t->trailer = hisi_zip_path_trailer(t->path);
}

static struct trial
try_path(struct hisi_zip_asker *a, enum hisi_zip_path path, bool lists)
{
	struct trial t = { .a = a, .path = path };

	words_of(&t);
	if (a->dir == HISI_ZIP_COMP)
		try_compress(&t, lists);
	else
		try_decompress(&t, lists);
	return t;
}

void
hisi_zip_answers_deflate(struct hisi_zip_asker *a)
{
	bool comp = a->dir == HISI_ZIP_COMP;
	const enum hisi_zip_path first = comp ? HISI_ZIP_PATH_COMP_RAW :
		HISI_ZIP_PATH_DECOMP_RAW;
	const enum hisi_zip_path lists = comp ? HISI_ZIP_PATH_COMP_SGL :
		HISI_ZIP_PATH_DECOMP_SGL;
	struct hisi_zip_path_info *info = a->dev->paths.path;
	enum hisi_zip_path on = HISI_ZIP_PATHS;
	struct trial t;

	for (enum hisi_zip_path path = first; path < lists; path++) {
		if (info[path].state != HISI_ZIP_PATH_UNTRIED) {
			/* Of an earlier call, that had no time left for lists. */
			if (info[path].state == HISI_ZIP_PATH_ON && on == HISI_ZIP_PATHS)
				on = path;
			continue;
		}
		if (hisi_zip_ask_late(a))
			return;
		t = try_path(a, path, false);
		if (a->error != 0)
			return;
		if (t.why != NULL) {
			hisi_zip_path_fails(a->dev, path, t.why);
			continue;
		}
		info[path].state = HISI_ZIP_PATH_ON;
		info[path].ends = t.ends;
		info[path].counted = t.counted;
		info[path].sum = t.sum;
		if (on == HISI_ZIP_PATHS)
			on = path;
	}
	/* Lists, with one of them: all are the same in that. */
	if (info[lists].state != HISI_ZIP_PATH_UNTRIED || hisi_zip_ask_late(a))
		return;
	if (on == HISI_ZIP_PATHS) {
		hisi_zip_path_fails(a->dev, lists, "no requests for it");
		return;
	}
	t = try_path(a, on, true);
	if (a->error != 0)
		return;
	if (t.why != NULL)
		hisi_zip_path_fails(a->dev, lists, t.why);
	else
		info[lists].state = HISI_ZIP_PATH_ON;
}
