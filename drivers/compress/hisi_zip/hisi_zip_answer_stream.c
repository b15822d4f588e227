/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <stdlib.h>
#include <string.h>

#include "hisi_zip_answer.h"
#include "hisi_zip_stream.h"

/*
 * Questions about streams: whole ones, of ops of many lengths, by the state machine that ops use.
 * What comes of them must be right to the byte, as must be what was consumed, and where the end is.
 */

#define WINDOW   ZIP_CODEC_WINDOW_MAX
#define LEN      40000u /* bytes of plain data, at most */
#define BEHIND   8u     /* bytes behind a stream, at most */
#define OPS_MAX  1000u  /* of a stream: more of them lead nowhere */
/* Of lists, short and long ones: some entries of the former have no bytes. */
#define ENTRIES(len) ((len) < 1000 ? 3u : (unsigned int)HISI_ACC_SGE_MAX)
/* A match of the largest distance that there is, but for some bytes. */
#define FAR      32500u

/* One path that is asked about. */
struct trial {
	struct hisi_zip_asker *a;
	struct hisi_zip_plain_stream s;
	bool lists;      /* buffers are lists */
	uint8_t *out;    /* all output of a stream: HISI_ZIP_ASK_ROOM bytes */
	uint32_t got;    /* bytes of it */
	bool ends;       /* all output ended in an empty stored block */
	const char *why; /* it fails */
};

static void
stream_fails(struct trial *t, const char *why)
{
	if (t->why == NULL)
		t->why = why;
}

static bool
over(const struct trial *t)
{
	return t->why != NULL || t->a->error != 0;
}

/* Zeros; or some text, some noise, a run, and what comes again: matches of all distances. */
static void
stream_make_plain(uint8_t *to, uint32_t len, bool zeros)
{
	static const char text[] = "some words of a text";
	uint32_t x = 4711;

	if (zeros)
		memset(to, 0, len);
	if (zeros)
		return;

	for (uint32_t i = 0; i < len; i++) {
		x = x * 1664525 + 1013904223;
		if (i >= FAR && i < FAR + 500)
			to[i] = to[i - FAR];
		else if (i % 5000 < 1000)
			to[i] = (uint8_t)(x >> 24);
		else if (i % 5000 < 4500)
			to[i] = (uint8_t)text[x >> 27 < 20 ? x >> 27 : i % 20];
		else
			to[i] = 'z';
	}
}

/* ---- One op ---- */

/* A buffer as a list; in the last entry is what is left. */
static uint64_t
stream_make_list(const struct trial *t, unsigned int which, const uint8_t *at, uint32_t len)
{
	struct hisi_zip_ask_mem *mem = hisi_zip_ask_mem(t->a);
	const unsigned int entries = ENTRIES(len);
	struct hisi_acc_sge *sge = hisi_zip_sgl_begin(&mem->lists[which].head,
		(uint16_t)entries);
	uint32_t done = 0;

	for (unsigned int i = 0; i < entries; i++, sge++) {
		uint32_t n = i + 1 == entries ? len - done : len / entries;

		hisi_zip_sge_set(sge, hisi_zip_ask_iova(t->a, at + done), n);
		done += n;
	}
	return hisi_zip_ask_iova(t->a, &mem->lists[which]);
}

/* As a driver does it: src lies in the asker's memory, the output goes to the end of t->out. */
static enum hisi_zip_outcome
do_op(struct trial *t, const uint8_t *src, uint32_t len, uint32_t room, enum hisi_zip_flush flush,
		struct hisi_zip_stream_done *done)
{
	const struct hisi_zip_stream_op op = { .src_len = len, .dst_len = room, .flush = flush };
	struct hisi_zip_ask_mem *mem = hisi_zip_ask_mem(t->a);
	struct hisi_zip_result r = { 0 };
	struct hisi_zip_stream_plan plan;
	struct hisi_zip_sqe sqe = { 0 };
	enum hisi_zip_outcome ret;
	const uint8_t *store;

	if (over(t))
		return HISI_ZIP_FAILED;
	hisi_zip_stream_plan(&t->s, &op, &plan);
	store = hisi_zip_stream_begin(&t->s, &plan);
	memcpy(mem->dst, store, plan.delivered);
	if (plan.request) {
		const uint8_t *from = plan.trailer || plan.src_len == 0 ?
			mem->ctx + HISI_ZIP_STREAM_TRAILER_OFF : src;
		const uint8_t *to = plan.store ? mem->ctx + HISI_ZIP_STREAM_STORE_OFF :
			mem->dst + plan.delivered;
		struct hisi_zip_asked asked;

		hisi_zip_req_buffers(&sqe, &asked,
			t->lists ? stream_make_list(t, 0, from, plan.src_len) :
			hisi_zip_ask_iova(t->a, from), plan.src_len,
			t->lists ? stream_make_list(t, 1, to, plan.dst_len) :
			hisi_zip_ask_iova(t->a, to), plan.dst_len);
		hisi_zip_req_words(&sqe, &t->s.words);
		if (t->lists)
			hisi_zip_req_lists(&sqe);
		hisi_zip_req_plain_stream(&sqe, &t->s, hisi_zip_ask_iova(t->a, mem->ctx));
		if (hisi_zip_ask(t->a, &sqe) != 0)
			return HISI_ZIP_FAILED;
		r = hisi_zip_result_read(&sqe);
		if (!hisi_zip_result_possible(&asked, false, r)) {
			stream_fails(t, "lengths that cannot be true");
			return HISI_ZIP_FAILED;
		}
		if (r.produced < HISI_ZIP_FLUSH_END_LEN ||
				!hisi_zip_flush_end_is(to + r.produced - HISI_ZIP_FLUSH_END_LEN))
			t->ends = false;
	}
	ret = hisi_zip_stream_end(&t->s, &sqe, r, done);
	if (ret > HISI_ZIP_DONE_PART)
		return ret;
	memcpy(mem->dst + done->produced - done->delivered,
		hisi_zip_stream_delivered(&t->s, done), done->delivered);
	if (done->produced > HISI_ZIP_ASK_ROOM - t->got) {
		stream_fails(t, "more output than there can be");
		return HISI_ZIP_FAILED;
	}
	memcpy(t->out + t->got, mem->dst, done->produced);
	t->got += done->produced;
	return ret;
}

/* ---- Compression ---- */

/* Some input, in as many ops as it takes. */
static void
stream_compress(struct trial *t, const uint8_t *src, uint32_t len, uint32_t room,
		enum hisi_zip_flush flush)
{
	const enum hisi_zip_outcome end = flush == HISI_ZIP_FLUSH_FINISH ? HISI_ZIP_DONE_END :
		HISI_ZIP_DONE;
	enum hisi_zip_outcome ret = HISI_ZIP_DONE_PART;

	for (unsigned int ops = 0; ret == HISI_ZIP_DONE_PART && ops < OPS_MAX; ops++) {
		struct hisi_zip_stream_done done;

		ret = do_op(t, src, len, room, flush, &done);
		if (ret > HISI_ZIP_DONE_PART)
			break;
		src += done.consumed;
		len -= done.consumed;
	}
	if (ret != end || len != 0)
		stream_fails(t, "an error where none is");
}

/* Is the output from somewhere on a whole stream of the plain data from somewhere on? */
static void
stream_check_packed(struct trial *t, uint32_t out_at, uint32_t plain_at, uint32_t plain_end)
{
	const struct iovec from = { t->out + out_at, t->got - out_at };
	const struct iovec to = { t->a->check, HISI_ZIP_ASK_ROOM };
	const struct zip_codec_params params = { .adler32 = 1 };
	struct zip_codec_result res;

	if (over(t))
		return;
	if (zip_codec_inflate(t->a->codec, &params, &from, 1, &to, 1, &res) != 0 ||
			res.consumed != from.iov_len || res.produced != plain_end - plain_at ||
			memcmp(t->a->check, t->a->plain + plain_at, res.produced) != 0)
		stream_fails(t, "output that is not the data");
}

static void
stream_try_compress(struct trial *t)
{
	static const uint32_t lens[] = { 1, 300, 16, 4500, 2, 1200, 16000, 37 };
	const uint8_t *src = hisi_zip_ask_mem(t->a)->src;

	/*
	 * A stream that ends behind each of these: our last block lies there, so it shows that
	 * what came before ends at a byte. A full flush somewhere: the rest stands alone.
	 */
	for (unsigned int n = t->lists ? RTE_DIM(lens) : 1; n <= RTE_DIM(lens); n++) {
		uint32_t at = 0, plain_full = 0, out_full = 0;

		t->got = 0;
		for (unsigned int i = 0; i < n; i++) {
			uint32_t len = lens[i], room = (n + i) % 3 == 0 ? 150 : (n + i) % 3 == 1 ?
				len * 9 / 8 + 202 : 1000;
			bool full = n > 2 && i == n / 2;

			stream_compress(t, src + at, len, room, full ? HISI_ZIP_FLUSH_FULL :
				i + 1 == n ? HISI_ZIP_FLUSH_FINISH : HISI_ZIP_FLUSH_SYNC);
			at += len;
			if (full) {
				plain_full = at;
				out_full = t->got;
			}
		}
		stream_check_packed(t, 0, 0, at);
		stream_check_packed(t, out_full, plain_full, at);
	}
	/* As long as there is room for. */
	t->got = 0;
	stream_compress(t, src, LEN, HISI_ZIP_ASK_ROOM, HISI_ZIP_FLUSH_FINISH);
	stream_check_packed(t, 0, 0, LEN);
}

/* ---- Decompression ---- */

/* How a stream is given to the ops. */
struct division {
	uint32_t first; /* bytes of input of the first op */
	uint32_t part;  /* of those that follow */
	uint32_t room;
	uint32_t behind; /* bytes behind the stream */
};

/* Decompress what lies in src: packed bytes that are a stream of len bytes. */
static void
stream_decompress(struct trial *t, uint32_t packed, uint32_t len, const struct division *d)
{
	const uint8_t *src = hisi_zip_ask_mem(t->a)->src;
	enum hisi_zip_outcome ret = HISI_ZIP_DONE;
	uint32_t at = 0, left = d->first, all = packed + d->behind;

	t->got = 0;
	for (unsigned int ops = 0; ret != HISI_ZIP_DONE_END && ops < OPS_MAX; ops++) {
		struct hisi_zip_stream_done done;

		left = RTE_MIN(left, all - at);
		ret = do_op(t, src + at, left, d->room, HISI_ZIP_FLUSH_SYNC, &done);
		if (ret > HISI_ZIP_DONE_PART)
			break;
		at += done.consumed;
		left = ret == HISI_ZIP_DONE ? d->part : left - done.consumed;
		if (at > packed || t->got > len)
			break;
	}
	if (over(t))
		return;
	if (ret != HISI_ZIP_DONE_END)
		stream_fails(t, ret > HISI_ZIP_DONE_PART ? "an error where none is" :
			"no end where there is one");
	else if (at != packed)
		stream_fails(t, "more or less input than there is");
	else if (t->got != len || memcmp(t->out, t->a->plain, len) != 0)
		stream_fails(t, "output that is not the data");
}

/* Input that is no stream, or not all of one: no end can be right. */
static void
stream_decompress_bad(struct trial *t, uint32_t packed)
{
	const uint8_t *src = hisi_zip_ask_mem(t->a)->src;
	struct hisi_zip_stream_done done;
	enum hisi_zip_outcome ret;

	t->got = 0;
	ret = do_op(t, src, packed, HISI_ZIP_ASK_ROOM, HISI_ZIP_FLUSH_SYNC, &done);
	if (!over(t) && ret == HISI_ZIP_DONE_END)
		stream_fails(t, "an end where there is none");
	/* Whatever it is: what follows is new. */
	hisi_zip_stream_leave(&t->s);
}

/* Make a stream in src. @return Its length. */
static uint32_t
stream_pack(const struct trial *t, uint32_t len, uint8_t level, enum zip_codec_huffman huffman)
{
	uint8_t *src = hisi_zip_ask_mem(t->a)->src;
	const struct iovec from = { t->a->plain, len };
	const struct iovec to = { src, HISI_ZIP_ASK_ROOM - BEHIND };
	const struct zip_codec_params params = {
		.level = level, .window = WINDOW, .huffman = (uint8_t)huffman, .adler32 = 1,
		.checksum = ZIP_CODEC_ADLER32,
	};
	struct zip_codec_result res;
	uint32_t adler;

	if (zip_codec_deflate(t->a->codec, &params, ZIP_CODEC_FLUSH_FINISH, 0, &from, 1, &to, 1,
			&res) != 0)
		return 0;
	/* Behind it, what a zlib body has there. */
	adler = rte_cpu_to_be_32(res.adler32);
	memset(src + res.produced, 0xa5, BEHIND);
	memcpy(src + res.produced, &adler, sizeof(adler));
	return (uint32_t)res.produced;
}

/* One stream, which lies in src, in all ways in which it can come. */
static void
try_stream(struct trial *t, uint32_t packed, uint32_t len)
{
	/* The first ones also for what takes its time. */
	const struct division divisions[] = {
		{ packed + 3, 1, len / 3 + 201, 3 },             /* output by and by */
		{ packed / 2, packed, len + 300, 0 },            /* input in two parts */
		{ packed, 0, len > 201 ? len - 1 : 201, 0 },     /* one byte short */
		{ packed, 0, len / 30 + 100, 0 },                /* with the store */
		{ packed, 0, len + 300, 0 },                     /* at once */
		{ packed, 0, len > 200 ? len : 201, 0 },         /* exact fit */
		{ packed - 1, 1, len + 300, 0 },                 /* the last byte alone */
		{ 1, packed, len + 300, 0 },                     /* the first one */
		{ RTE_MIN(packed, 9u), packed / 20 + 1, len / 4 + 201, 0 },
		/* With other bytes behind it. */
		{ packed + 1, 1, len + 300, 1 }, { packed + 2, 1, len + 300, 2 },
		{ packed + 3, 1, len + 300, 3 }, { packed + 4, 1, len + 300, 4 },
		{ packed + 8, 1, len + 300, 8 }, { packed - 1, 4, len + 300, 3 },
	};
	const unsigned int n = t->lists || len > 10000 ? 4 : RTE_DIM(divisions);
	uint8_t *src = hisi_zip_ask_mem(t->a)->src;

	for (unsigned int i = 0; i < n; i++)
		stream_decompress(t, packed, len, &divisions[i]);
	if (n < RTE_DIM(divisions))
		return;
	if (packed < 100)
		stream_decompress(t, packed, len, &(struct division){ 1, 1, 300, 0 });
	/* With what cannot be a trailer. */
	memset(src + packed, 0xa5, BEHIND);
	for (uint32_t behind = 1; behind <= BEHIND; behind += 3)
		stream_decompress(t, packed, len, &(struct division){ packed + behind, 1, len + 300,
			behind });
	stream_decompress_bad(t, packed - 1);
	if (packed > 20)
		stream_decompress_bad(t, packed / 2);
}

static void
stream_try_decompress(struct trial *t)
{
	static const struct {
		uint32_t len;
		uint8_t level;
		enum zip_codec_huffman huffman;
		bool zeros;
	} data[] = {
		{ 1, 6, ZIP_CODEC_HUFFMAN_FIXED }, { 700, 0, ZIP_CODEC_HUFFMAN_DEFAULT },
		{ 1500, 6, ZIP_CODEC_HUFFMAN_FIXED }, { 5000, 6, ZIP_CODEC_HUFFMAN_DYNAMIC },
		{ LEN, 6, ZIP_CODEC_HUFFMAN_DEFAULT },
		/* All input is taken before the last output is there. */
		{ 3000, 6, ZIP_CODEC_HUFFMAN_FIXED, true },
		{ 8000, 6, ZIP_CODEC_HUFFMAN_DYNAMIC, true },
	};
	uint8_t *src = hisi_zip_ask_mem(t->a)->src;

	for (unsigned int i = 0; i < RTE_DIM(data) && !over(t); i++) {
		uint32_t packed;

		stream_make_plain(t->a->plain, data[i].len, data[i].zeros);
		packed = stream_pack(t, data[i].len, data[i].level, data[i].huffman);
		if (packed != 0)
			try_stream(t, packed, data[i].len);
	}
	/* A block of no type, lengths that differ, and a distance before the data. */
	memcpy(src, "\x07\x00\x00\x00", 4);
	stream_decompress_bad(t, 4);
	memcpy(src, "\x01\x05\x00\xfa\xfe\x61\x62\x63", 8);
	stream_decompress_bad(t, 8);
	memcpy(src, "\x4b\x04\x52\x00\x00\x00", 6);
	stream_decompress_bad(t, 6);
}

/* ---- Paths ---- */

/* @return Why it fails, or NULL. */
static const char *
stream_try_path(struct hisi_zip_asker *a, uint8_t counted, bool lists, bool *ends)
{
	const struct hisi_zip_function f = hisi_zip_function_of(a->dev);
	struct hisi_zip_ask_mem *mem = hisi_zip_ask_mem(a);
	struct trial t = { .a = a, .lists = lists, .ends = true, .out = malloc(HISI_ZIP_ASK_ROOM) };

	if (t.out == NULL)
		return "no memory to try it";
	memset(mem->ctx, 0, sizeof(mem->ctx));
	hisi_zip_stream_init(&t.s, &f, a->dir, WINDOW, mem->ctx);
	hisi_zip_stream_set_counted(&t.s, counted);
	stream_make_plain(a->plain, LEN, false);
	memcpy(mem->src, a->plain, LEN);
	if (a->dir == HISI_ZIP_COMP)
		stream_try_compress(&t);
	else
		stream_try_decompress(&t);
	free(t.out);
	*ends = t.ends && a->dir == HISI_ZIP_COMP;
	return t.why;
}

void
hisi_zip_answers_stream(struct hisi_zip_asker *a)
{
	bool comp = a->dir == HISI_ZIP_COMP;
	const enum hisi_zip_path path = comp ? HISI_ZIP_PATH_STREAM_COMP :
		HISI_ZIP_PATH_STREAM_DECOMP;
	const enum hisi_zip_path lists = comp ? HISI_ZIP_PATH_STREAM_COMP_SGL :
		HISI_ZIP_PATH_STREAM_DECOMP_SGL;
	struct hisi_zip_path_info *info = a->dev->paths.path;
	bool carried = !comp && a->dev->hisi.info.revision < HISI_QM_REV_V3;
	bool ends = false, ends_lists;
	const char *why;

	if (info[path].state == HISI_ZIP_PATH_UNTRIED) {
		info[path].counted = carried ? HISI_ZIP_STREAM_TRAILER_LEN : 0;
		why = stream_try_path(a, info[path].counted, false, &ends);
		if (why != NULL && carried && a->error == 0) {
			info[path].counted = 0;
			why = stream_try_path(a, 0, false, &ends);
		}
		if (a->error != 0)
			return;
		info[path].ends = ends;
		if (why != NULL)
			hisi_zip_path_fails(a->dev, path, why);
		else
			info[path].state = HISI_ZIP_PATH_ON;
	}
	if (info[lists].state != HISI_ZIP_PATH_UNTRIED)
		return;
	if (info[path].state != HISI_ZIP_PATH_ON) {
		hisi_zip_path_fails(a->dev, lists, "no requests for it");
		return;
	}
	why = stream_try_path(a, info[path].counted, true, &ends_lists);
	if (a->error != 0)
		return;
	if (why != NULL)
		hisi_zip_path_fails(a->dev, lists, why);
	else
		info[lists].state = HISI_ZIP_PATH_ON;
	if (!ends_lists)
		info[path].ends = false;
}
