/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "hisi_zip_answer.h"
#include "hisi_zip_answer_round.h"
#include "zip_codec.h"

/*
 * Questions about stateless DEFLATE. Software makes the data that is decompressed, and decompresses
 * what the function has compressed. Questions that need nothing of each other are asked at once, of
 * all paths.
 */

/* The window of V2 is not known (U19): all of it. */
#define WINDOW ZIP_CODEC_WINDOW_MAX
#define LONG_ENTRIES (HISI_ZIP_REQ_LEN_MAX / HISI_ZIP_ASK_LEN)
/* Data of which all that may be wrong is asked; longer data is asked once. */
#define SHORT 4096u
#define ROOM(len) ((len) + (len) / 8 + 80)

/* Plain data is of three kinds in turn, and has a match of almost the largest distance. */
#define TEXT  0u
#define NOISE 4096u
#define TURN  12288u
#define FAR   32500u
#define FAR_AT (FAR + NOISE + 100)

/* ---- Data ---- */

static void
make_plain(uint8_t *to)
{
	static const char words[] = "the quick brown fox jumps over the lazy dog again and again; ";
	uint32_t x = 12345;

	for (uint32_t i = 0; i < HISI_ZIP_ASK_LEN; i++) {
		uint32_t at = i % TURN;

		if (at >= NOISE || i % 24 == 0)
			x = x * 1664525 + 1013904223;
		to[i] = at >= 2 * NOISE ? 0 : at >= NOISE ? (uint8_t)(x >> 24) :
			(uint8_t)words[(i + (x >> 20)) % (sizeof(words) - 1)];
	}
	memcpy(to + FAR_AT, to + FAR_AT - FAR, 500);
}

/* ---- Compression ---- */

static const struct {
	uint32_t at, len;
} comp_data[] = {
	{ TEXT, 1 }, { NOISE, 2 }, { TEXT, 100 }, { TEXT, 4096 }, { NOISE, 4000 },
	{ TEXT, HISI_ZIP_ASK_LEN },
};
_Static_assert(RTE_DIM(comp_data) == HISI_ZIP_ASK_DATA_MAX, "trial.packed");

static void
ask_compress(struct hisi_zip_round *r, struct hisi_zip_trial *trials, unsigned int n)
{
	const uint8_t *plain = r->a->plain;
	uint8_t *src = hisi_zip_ask_alloc(r->a, HISI_ZIP_ASK_LEN);
	const struct hisi_zip_question most = {
		.src = src, .src_len = HISI_ZIP_ASK_LEN, .room = ROOM(HISI_ZIP_ASK_LEN),
		.plain = plain, .len = HISI_ZIP_ASK_LEN,
	};

	/* It has room for this always. */
	memcpy(src, plain, HISI_ZIP_ASK_LEN);
	r->shared = r->a->used;
	for (struct hisi_zip_trial *t = trials; t < trials + n; t++) {
		for (unsigned int i = 0; i < RTE_DIM(comp_data); i++) {
			struct hisi_zip_question q = most;

			q.src += comp_data[i].at;
			q.plain += comp_data[i].at;
			q.src_len = q.len = comp_data[i].len;
			q.room = ROOM(q.len);
			q.entries = 3;
			q.took = &t->packed[i];
			hisi_zip_round_put(r, t, &q);
		}
		if (t->lists) {
			struct hisi_zip_question q = most;

			q.entries = 16;
			q.success = HISI_ZIP_MUST;
			hisi_zip_round_put(r, t, &q);
			q.entries = HISI_ACC_SGE_MAX - 1;
			q.success = HISI_ZIP_MAY;
			hisi_zip_round_put(r, t, &q);
		}
	}
	hisi_zip_round_ask(r);
	/* With what is known now: exact fit, and one byte less. */
	for (struct hisi_zip_trial *t = trials; t < trials + n; t++) {
		for (unsigned int i = 0; i < RTE_DIM(comp_data) && t->why == NULL; i++) {
			/* Lists have the trailer elsewhere. */
			uint32_t room = t->packed[i] + (t->lists ? 0 : t->trailer);
			struct hisi_zip_question q = most;

			if (comp_data[i].len > SHORT || t->packed[i] < 2)
				continue;
			q.src += comp_data[i].at;
			q.plain += comp_data[i].at;
			q.src_len = q.len = comp_data[i].len;
			q.entries = 2;
			q.success = HISI_ZIP_MAY;
			for (q.room = room; q.room >= room - 1; q.room--)
				hisi_zip_round_put(r, t, &q);
		}
	}
	hisi_zip_round_ask(r);
}

/* As much as one request may have, of the same bytes again and again. */
static void
ask_compress_long(struct hisi_zip_round *r, struct hisi_zip_trial *t)
{
	uint8_t *src;

	r->a->used = r->base;
	src = hisi_zip_ask_alloc(r->a, HISI_ZIP_ASK_LEN);
	r->shared = r->a->used;
	memset(src, 0, HISI_ZIP_ASK_LEN);
	hisi_zip_round_put(r, t, &(struct hisi_zip_question){ .src = src,
		.src_len = HISI_ZIP_REQ_LEN_MAX, .room = HISI_ZIP_ASK_LEN, .repeat = true,
		.success = HISI_ZIP_MAY, .plain = r->a->zeros, .len = HISI_ZIP_REQ_LEN_MAX });
	hisi_zip_round_ask(r);
}

/* ---- Decompression ---- */

/* DEFLATE data of plain data, and bytes behind it that are none. @return Its length; 0: none. */
static uint32_t
pack(struct hisi_zip_asker *a, const uint8_t *plain, uint32_t len, uint8_t level,
		enum zip_codec_huffman huffman, uint8_t **packed)
{
	const struct iovec from = { (void *)(uintptr_t)plain, len };
	const uint32_t behind = 9;
	const struct iovec to = { hisi_zip_ask_alloc(a, ROOM(len) + behind), ROOM(len) };
	const struct zip_codec_params params = {
		.level = level, .window = WINDOW, .huffman = (uint8_t)huffman, .adler32 = 1,
	};
	struct zip_codec_result res;

	if (to.iov_base == NULL || zip_codec_deflate(a->codec, &params, ZIP_CODEC_FLUSH_FINISH, 0,
			&from, 1, &to, 1, &res) != 0)
		return 0;
	*packed = to.iov_base;
	memset(*packed + res.produced, 0xa5, behind);
	return (uint32_t)res.produced;
}

/* Whole data, and all that may be wrong with room and what is behind it. */
static void
put_decompress(struct hisi_zip_round *r, struct hisi_zip_trial *t,
		const struct hisi_zip_question *whole)
{
	struct hisi_zip_question q = *whole;

	q.entries = t->lists ? 3 : 1;
	q.room = q.len + 100;
	hisi_zip_round_put(r, t, &q);
	if (q.len > SHORT)
		return;
	q.success = HISI_ZIP_MAY;
	q.room = q.len;
	hisi_zip_round_put(r, t, &q);
	/* Success with less than all of it would be wrong. */
	q.room = q.len - 1;
	if (q.room != 0)
		hisi_zip_round_put(r, t, &q);
	q.room = q.len + 100;
	q.src_len = q.packed + 5;
	hisi_zip_round_put(r, t, &q);
	q.src_len = q.packed + 9;
	hisi_zip_round_put(r, t, &q);
	/* Cut off: no success can be right. Decompressing makes more of our trailer then. */
	q.success = HISI_ZIP_NEVER;
	for (uint32_t cut = 1; cut < q.packed; cut = cut * 9 + 1) {
		q.src_len = q.packed - cut;
		hisi_zip_round_put(r, t, &q);
	}
}

/* What is no DEFLATE data. */
static void
put_bad(struct hisi_zip_round *r, struct hisi_zip_trial *t, uint8_t *src)
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

	for (unsigned int i = 0; i < RTE_DIM(bad); i++, src += sizeof(bad[0].data)) {
		memcpy(src, bad[i].data, bad[i].len);
		hisi_zip_round_put(r, t, &(struct hisi_zip_question){ .src = src,
			.src_len = bad[i].len, .room = 1000, .entries = 1,
			.success = HISI_ZIP_NEVER });
	}
}

static void
ask_decompress(struct hisi_zip_round *r, struct hisi_zip_trial *trials, unsigned int n)
{
	static const struct {
		uint32_t at, len;
		uint8_t level;
		enum zip_codec_huffman huffman;
	} data[] = {
		{ TEXT, 1, 6, ZIP_CODEC_HUFFMAN_DEFAULT },
		{ NOISE, 2, 0, ZIP_CODEC_HUFFMAN_DEFAULT },
		{ TEXT, 100, 6, ZIP_CODEC_HUFFMAN_FIXED },
		{ NOISE, 300, 0, ZIP_CODEC_HUFFMAN_DEFAULT },
		{ TEXT, 4096, 6, ZIP_CODEC_HUFFMAN_DYNAMIC },
		{ TEXT, HISI_ZIP_ASK_LEN - 50, 1, ZIP_CODEC_HUFFMAN_DEFAULT },
	};
	struct hisi_zip_question whole[RTE_DIM(data)] = { 0 };
	uint8_t *bad = hisi_zip_ask_alloc(r->a, 128);

	for (unsigned int i = 0; i < RTE_DIM(data); i++) {
		struct hisi_zip_question *q = &whole[i];

		q->plain = r->a->plain + data[i].at;
		q->len = data[i].len;
		q->packed = q->src_len = pack(r->a, q->plain, q->len, data[i].level,
			data[i].huffman, &q->src);
	}
	r->shared = r->a->used;
	for (struct hisi_zip_trial *t = trials; t < trials + n; t++) {
		for (unsigned int i = 0; i < RTE_DIM(data); i++) {
			if (whole[i].packed != 0)
				put_decompress(r, t, &whole[i]);
		}
		put_bad(r, t, bad);
		if (t->lists && whole[RTE_DIM(data) - 1].packed != 0) {
			struct hisi_zip_question q = whole[RTE_DIM(data) - 1];

			q.room = q.len + 100;
			q.entries = 15;
			hisi_zip_round_put(r, t, &q);
			q.entries = HISI_ACC_SGE_MAX - 1;
			q.success = HISI_ZIP_MAY;
			hisi_zip_round_put(r, t, &q);
		}
	}
	hisi_zip_round_ask(r);
}

static void
ask_decompress_long(struct hisi_zip_round *r, struct hisi_zip_trial *t)
{
	/* An empty last block, behind pieces that need nothing of each other. */
	static const uint8_t last[] = { 0x01, 0x00, 0x00, 0xff, 0xff };
	const struct zip_codec_params params = { .level = 1, .window = WINDOW, .adler32 = 1 };
	const struct iovec from = { r->a->zeros, HISI_ZIP_ASK_LEN };
	struct iovec to = { NULL, HISI_ZIP_ASK_LEN };
	struct zip_codec_result res;
	uint32_t len = 0;
	uint8_t *src;

	r->a->used = r->base;
	to.iov_base = src = hisi_zip_ask_alloc(r->a, HISI_ZIP_ASK_LEN);
	r->shared = r->a->used;
	if (zip_codec_deflate(r->a->codec, &params, ZIP_CODEC_FLUSH_FULL, 0, &from, 1, &to, 1,
			&res) != 0 || res.produced * LONG_ENTRIES + sizeof(last) > HISI_ZIP_ASK_LEN)
		return;
	for (unsigned int i = 0; i < LONG_ENTRIES; i++, len += (uint32_t)res.produced)
		memmove(src + len, src, res.produced);
	memcpy(src + len, last, sizeof(last));
	len += sizeof(last);
	hisi_zip_round_put(r, t, &(struct hisi_zip_question){ .src = src, .src_len = len,
		.packed = len, .room = HISI_ZIP_REQ_LEN_MAX, .repeat = true,
		.success = HISI_ZIP_MAY, .plain = r->a->zeros, .len = HISI_ZIP_REQ_LEN_MAX });
	hisi_zip_round_ask(r);
}

/* ---- Paths ---- */

/* A trial that has not begun; its words are of a function that has this path only. */
static struct hisi_zip_trial
trial_of(struct hisi_zip_asker *a, enum hisi_zip_path path, bool lists)
{
	const struct hisi_zip_function f = {
		.revision = a->dev->hisi.info.revision,
		.paths = HISI_ZIP_PATH_BIT(path),
	};
	const struct hisi_zip_job job = { .dir = a->dir, .level = 1, .window = WINDOW };
	struct hisi_zip_trial t = { .a = a, .path = path, .lists = lists,
		.trailer = hisi_zip_path_trailer(path) };

	hisi_zip_words_set(&t.words, &f, &job);
	return t;
}

static void
try_paths(struct hisi_zip_asker *a, struct hisi_zip_trial *trials, unsigned int n)
{
	struct hisi_zip_round *r = malloc(sizeof(*r));

	if (r == NULL) {
		a->error = -ENOMEM;
		return;
	}
	r->a = a;
	r->n = 0;
	a->used = 0;
	r->trailer = hisi_zip_ask_alloc(a, HISI_ACC_SGL_ALIGN);
	memset(r->trailer, 0, HISI_ACC_SGL_ALIGN);
	r->base = a->used;
	if (a->dir == HISI_ZIP_COMP)
		ask_compress(r, trials, n);
	else
		ask_decompress(r, trials, n);
	if (n > 0 && trials[0].lists)
		(a->dir == HISI_ZIP_COMP ? ask_compress_long : ask_decompress_long)(r, trials);
	free(r);
}

/* What the trial of a path has shown is known now. */
static void
decide(const struct hisi_zip_trial *t, enum hisi_zip_path path)
{
	struct hisi_zip_path_info *info = &t->a->dev->known.paths.path[path];

	if (t->why != NULL) {
		hisi_zip_path_fails(t->a->dev, path, t->why);
		return;
	}
	/* Lists have nothing of their own. */
	if (path == t->path) {
		info->ends = t->ends;
		info->counted = t->counted;
		info->sum = t->sum;
	}
	info->state = HISI_ZIP_PATH_ON;
}

void
hisi_zip_answers_deflate(struct hisi_zip_asker *a)
{
	bool comp = a->dir == HISI_ZIP_COMP;
	const enum hisi_zip_path first = comp ? HISI_ZIP_PATH_COMP_RAW :
		HISI_ZIP_PATH_DECOMP_RAW;
	const enum hisi_zip_path lists = comp ? HISI_ZIP_PATH_COMP_SGL :
		HISI_ZIP_PATH_DECOMP_SGL;
	const struct hisi_zip_path_info *info = a->dev->known.paths.path;
	enum hisi_zip_path on = HISI_ZIP_PATHS;
	struct hisi_zip_trial trials[3];
	unsigned int n = 0;

	make_plain(a->plain);
	for (enum hisi_zip_path path = first; path < lists; path++) {
		if (info[path].state == HISI_ZIP_PATH_UNTRIED)
			trials[n++] = trial_of(a, path, false);
	}
	try_paths(a, trials, n);
	for (unsigned int i = 0; i < n && a->error == 0; i++)
		decide(&trials[i], trials[i].path);
	if (a->error != 0 || info[lists].state != HISI_ZIP_PATH_UNTRIED)
		return;
	/* Lists, with one of them: all are the same in that. */
	for (enum hisi_zip_path path = lists; path-- > first;) {
		if (info[path].state == HISI_ZIP_PATH_ON)
			on = path;
	}
	if (on == HISI_ZIP_PATHS) {
		hisi_zip_path_fails(a->dev, lists, "no requests for it");
		return;
	}
	trials[0] = trial_of(a, on, true);
	try_paths(a, trials, 1);
	if (a->error == 0)
		decide(&trials[0], lists);
}
