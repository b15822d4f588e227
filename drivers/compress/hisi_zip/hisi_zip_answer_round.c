/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <string.h>

#include "hisi_zip_answer_round.h"
#include "hisi_zip_result.h"
#include "zip_codec_checksum.h"

#define CANARY 0xc5

static void
fails(struct hisi_zip_trial *t, const char *why)
{
	if (t->why == NULL)
		t->why = why;
}

/* The checksum of plain data that a request has. */
static uint32_t
sum_of(const struct hisi_zip_trial *t, const uint8_t *plain, uint32_t len)
{
	bool zlib = t->trailer == HISI_ZIP_TRAILER_ZLIB;
	struct zip_codec_sum sum = {
		.adler32 = 1, .wanted = zlib ? ZIP_CODEC_ADLER32 : ZIP_CODEC_CRC32,
	};

	zip_codec_sum_update(&sum, plain, len);
	return zlib ? sum.adler32 : sum.crc32;
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
learn_sum(struct hisi_zip_trial *t, const struct hisi_zip_sqe *sqe,
		const uint8_t *plain, uint32_t len)
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
learn_end(struct hisi_zip_trial *t, const struct hisi_zip_question *q, size_t packed)
{
	const struct hisi_zip_trailer_of of = { .sum = sum_of(t, q->plain, q->len),
		.told = true, .len = q->len };
	bool ends = !t->lists && packed + t->trailer <= q->room &&
		hisi_zip_trailer_is(t->trailer, q->dst + packed, &of);

	t->ends = t->seen ? t->ends && ends : ends;
}

/* ---- Answers ---- */

/* Is the output right? Shows what of it is the trailer, the first time. */
static void
check_packed(struct hisi_zip_trial *t, const struct hisi_zip_question *q, struct hisi_zip_result *r)
{
	const struct iovec from = { q->dst, RTE_MIN(r->produced, q->room) };
	const struct iovec to = { t->a->check, HISI_ZIP_REQ_LEN_MAX };
	const struct zip_codec_params params = { .adler32 = 1 };
	struct zip_codec_result res;

	/* Of long data, the last part is looked at. */
	memset(t->a->check, CANARY, RTE_MIN(q->len, HISI_ZIP_ASK_LEN));
	if (zip_codec_inflate(t->a->codec, &params, &from, 1, &to, 1, &res) != 0 ||
			res.produced != q->len ||
			memcmp(t->a->check, q->plain, RTE_MIN(q->len, HISI_ZIP_ASK_LEN)) != 0) {
		fails(t, "output that is not the data");
		return;
	}
	if (!t->seen && t->trailer != 0 && r->produced == res.consumed + t->trailer)
		t->counted = (uint8_t)t->trailer;
	else if (r->produced != res.consumed)
		fails(t, "more or less output than it says");
	if (!q->repeat)
		learn_sum(t, &q->sqe, q->plain, q->len);
	if (!q->repeat && t->trailer != 0)
		learn_end(t, q, res.consumed);
	if (q->took != NULL)
		*q->took = (uint32_t)res.consumed;
	t->seen = true;
}

static void
check_plain(struct hisi_zip_trial *t, const struct hisi_zip_question *q,
		const struct hisi_zip_result *r)
{
	if (r->consumed != q->packed)
		fails(t, "more or less input than there is");
	else if (r->produced != q->len ||
			memcmp(q->dst, q->plain, RTE_MIN(q->len, HISI_ZIP_ASK_LEN)) != 0)
		fails(t, "output that is not the data");
	else if (!q->repeat)
		learn_sum(t, &q->sqe, q->plain, q->len);
	t->seen = true;
}

/*
 * How did the request end? The numbers of the result are then without the trailer.
 * HISI_ZIP_FAILED also if they cannot be true, which fails the path.
 */
static enum hisi_zip_outcome
outcome_of(struct hisi_zip_trial *t, const struct hisi_zip_question *q, struct hisi_zip_result *r)
{
	bool comp = t->a->dir == HISI_ZIP_COMP;

	if (!hisi_zip_result_possible(&q->asked, comp, *r)) {
		fails(t, "lengths that cannot be true");
		return HISI_ZIP_FAILED;
	}
	if (!q->repeat && q->dst[q->room] != CANARY) {
		fails(t, "output behind the destination");
		return HISI_ZIP_FAILED;
	}
	if (t->trailer == 0)
		return hisi_zip_result_outcome(t->a->dir, *r);
	/* The first answer shows what is counted. Decompressing: all of the source was read. */
	if (!t->seen && !comp) {
		t->counted = r->consumed == q->asked.src_len ? (uint8_t)t->trailer : 0;
		t->ends = hisi_zip_result_outcome(t->a->dir, *r) == HISI_ZIP_MISMATCH;
	}
	return hisi_zip_result_carried(t->a->dir, &q->asked, t->trailer, comp && !t->seen ? 0 :
		t->counted, r);
}

static void
check(const struct hisi_zip_question *q)
{
	struct hisi_zip_result r = hisi_zip_result_read(&q->sqe);
	struct hisi_zip_trial *t = q->t;
	bool comp = t->a->dir == HISI_ZIP_COMP;

	if (t->why != NULL)
		return;
	if (outcome_of(t, q, &r) != HISI_ZIP_DONE) {
		if (q->success == HISI_ZIP_MUST)
			fails(t, "an error where none is");
	} else if (q->success == HISI_ZIP_NEVER) {
		fails(t, "success with bad data");
	} else if (comp) {
		check_packed(t, q, &r);
	} else {
		check_plain(t, q, &r);
	}
}

/* ---- Requests ---- */

void
hisi_zip_round_ask(struct hisi_zip_round *r)
{
	struct hisi_zip_sqe *sqes[HISI_ZIP_QUESTIONS_MAX];

	for (unsigned int i = 0; i < r->n; i++)
		sqes[i] = &r->q[i].sqe;
	if (hisi_zip_ask(r->a, sqes, r->n) == 0) {
		for (unsigned int i = 0; i < r->n; i++)
			check(&r->q[i]);
	}
	r->n = 0;
	r->a->used = r->shared;
}

/* Split bytes of a buffer over entries of odd lengths, the last one taking the rest. */
static struct hisi_acc_sgl *
make_list(const struct hisi_zip_round *r, uint8_t *at, uint32_t len,
		const struct hisi_zip_question *q, uint32_t trailer)
{
	uint32_t entries = RTE_MAX(q->repeat ? len / HISI_ZIP_ASK_LEN : RTE_MIN(q->entries, len),
		1u);
	struct hisi_acc_sgl *list = hisi_zip_ask_alloc(r->a, sizeof(*list) +
		(entries + 1) * sizeof(struct hisi_acc_sge));
	struct hisi_acc_sge *sge;
	uint32_t done = 0;

	if (list == NULL)
		return NULL;
	sge = hisi_zip_sgl_begin(list, (uint16_t)(entries + (trailer != 0)));
	for (uint32_t i = 0; i < entries; i++, sge++) {
		uint32_t left = entries - 1 - i;
		uint32_t n = left == 0 ? len - done : q->repeat ? HISI_ZIP_ASK_LEN :
			RTE_MIN(1 + i * 7 % 61 + (len / entries) / 2, len - done - left);

		hisi_zip_sge_set(sge, hisi_zip_ask_iova(r->a, q->repeat ? at : at + done), n);
		done += n;
	}
	if (trailer != 0)
		hisi_zip_sge_set(sge, hisi_zip_ask_iova(r->a, r->trailer), trailer);
	return list;
}

/* Make the request. The trailer is added where it belongs. @return Whether there is memory. */
static bool
make_request(struct hisi_zip_round *r, struct hisi_zip_question *q)
{
	struct hisi_zip_asker *a = r->a;
	bool comp = a->dir == HISI_ZIP_COMP;
	bool lists = q->t->lists || (!comp && q->t->trailer != 0);
	uint32_t src_trailer = comp ? 0 : q->t->trailer;
	uint32_t dst_trailer = lists && comp ? q->t->trailer : 0;
	uint32_t room = q->repeat ? HISI_ZIP_ASK_LEN : q->room;
	const void *src = q->src, *dst;

	dst = q->dst = hisi_zip_ask_alloc(a, room + 1);
	if (dst != NULL && lists) {
		src = make_list(r, q->src, q->src_len, q, src_trailer);
		dst = make_list(r, q->dst, q->room, q, dst_trailer);
	}
	if (src == NULL || dst == NULL)
		return false;
	memset(q->dst, CANARY, room + 1);
	memset(&q->sqe, 0, sizeof(q->sqe));
	hisi_zip_req_buffers(&q->sqe, &q->asked, hisi_zip_ask_iova(a, src), q->src_len +
		src_trailer, hisi_zip_ask_iova(a, dst), q->room + dst_trailer);
	hisi_zip_req_words(&q->sqe, &q->t->words);
	if (lists)
		hisi_zip_req_lists(&q->sqe);
	return true;
}

void
hisi_zip_round_put(struct hisi_zip_round *r, struct hisi_zip_trial *t,
		const struct hisi_zip_question *question)
{
	for (;;) {
		struct hisi_zip_question *q = &r->q[r->n];

		if (t->why != NULL || r->a->error != 0)
			return;
		if (r->n < HISI_ZIP_QUESTIONS_MAX) {
			size_t used = r->a->used;

			*q = *question;
			q->t = t;
			if (make_request(r, q)) {
				r->n++;
				return;
			}
			r->a->used = used;
		}
		if (r->n == 0) {
			fails(t, "no memory to try it");
			return;
		}
		hisi_zip_round_ask(r);
	}
}
