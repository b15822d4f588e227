/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "hisi_zip_answer.h"
#include "hisi_zip_answer_script.h"
#include "hisi_zip_stream.h"
#include "zip_codec.h"

/*
 * Questions about streams: whole ones, of ops of many lengths, by the state machine that ops use.
 * What comes of them must be right to the byte, as must be what was consumed, and where the end is.
 * Some streams are under way at a time, each with one request.
 */

#define WINDOW   ZIP_CODEC_WINDOW_MAX
#define OPS_MAX  200u   /* of a stream: more of them lead nowhere */
#define LANES    14u    /* streams that are under way */
/* Of lists, short and long ones. */
#define ENTRIES(len) ((len) < 1000 ? 3u : (unsigned int)HISI_ACC_SGE_MAX)

/* A stream that is under way. */
struct lane {
	const struct hisi_zip_script *script; /* NULL: none is */
	struct hisi_zip_plain_stream s;
	uint8_t *ctx, *dst;
	uint32_t room;       /* bytes at dst */
	struct hisi_acc_sgl *lists[2]; /* source and destination */
	uint8_t *out;        /* compression: all output of the stream */
	uint32_t got;        /* bytes of output */
	uint32_t at;         /* bytes of input that were consumed */
	uint32_t left;       /* bytes of input of this op */
	unsigned int ops;
	unsigned int i;      /* compression: parts that are done */
	uint32_t plain_full, out_full; /* where a full flush was */

	/* The op. */
	struct hisi_zip_stream_plan plan;
	struct hisi_zip_asked asked;
	struct hisi_zip_sqe sqe;
};

/* One path that is asked about. */
struct trial {
	struct hisi_zip_asker *a;
	bool lists;          /* buffers are lists */
	bool ends;           /* all output ended in an empty stored block */
	const char *why;     /* it fails */
	struct hisi_zip_scripts scripts;
	struct lane lanes[LANES];
};

static void
stream_fails(struct trial *t, const char *why)
{
	if (t->why == NULL)
		t->why = why;
}

/* ---- One op -------------------------------------------------------------------------------- */

/* A buffer as a list; in the last entry is what is left. */
static uint64_t
stream_make_list(const struct trial *t, struct hisi_acc_sgl *list, const uint8_t *at, uint32_t len)
{
	/* No entry is empty; how many bytes of a list count, the request says. */
	const unsigned int entries = RTE_MAX(RTE_MIN(ENTRIES(len), len), 1u);
	struct hisi_acc_sge *sge = hisi_zip_sgl_begin(list, (uint16_t)entries);
	uint32_t done = 0;

	for (unsigned int i = 0; i < entries; i++, sge++) {
		uint32_t n = i + 1 == entries ? len - done : len / entries;

		hisi_zip_sge_set(sge, hisi_zip_ask_iova(t->a, at + done), RTE_MAX(n, 1u));
		done += n;
	}
	return hisi_zip_ask_iova(t->a, list);
}

/* As a driver does it: begin an op. @return Whether it has a request. */
static bool
begin_op(const struct trial *t, struct lane *l, const struct hisi_zip_stream_op *op)
{
	struct hisi_zip_stream_plan *plan = &l->plan;
	const uint8_t *store, *from, *to;

	hisi_zip_stream_plan(&l->s, op, plan);
	store = hisi_zip_stream_begin(&l->s, plan);
	memcpy(l->dst, store, plan->delivered);
	if (!plan->request)
		return false;
	from = plan->trailer || plan->src_len == 0 ? l->ctx + HISI_ZIP_STREAM_TRAILER_OFF :
		l->script->src + l->at;
	to = plan->store ? l->ctx + HISI_ZIP_STREAM_STORE_OFF : l->dst + plan->delivered;
	memset(&l->sqe, 0, sizeof(l->sqe));
	hisi_zip_req_buffers(&l->sqe, &l->asked, t->lists ?
		stream_make_list(t, l->lists[0], from, plan->src_len) :
		hisi_zip_ask_iova(t->a, from), plan->src_len, t->lists ?
		stream_make_list(t, l->lists[1], to, plan->dst_len) :
		hisi_zip_ask_iova(t->a, to), plan->dst_len);
	hisi_zip_req_words(&l->sqe, &l->s.words);
	if (t->lists)
		hisi_zip_req_lists(&l->sqe);
	hisi_zip_req_plain_stream(&l->sqe, &l->s, hisi_zip_ask_iova(t->a, l->ctx));
	return true;
}

/* It is done. What was produced is in l->dst. */
static enum hisi_zip_outcome
end_op(struct trial *t, struct lane *l, struct hisi_zip_stream_done *done)
{
	const uint8_t *to = l->plan.store ? l->ctx + HISI_ZIP_STREAM_STORE_OFF :
		l->dst + l->plan.delivered;
	struct hisi_zip_result r = { 0 };
	enum hisi_zip_outcome ret;

	if (l->plan.request) {
		r = hisi_zip_result_read(&l->sqe);
		if (!hisi_zip_result_possible(&l->asked, false, r)) {
			stream_fails(t, "lengths that cannot be true");
			return HISI_ZIP_FAILED;
		}
		if (r.produced < HISI_ZIP_FLUSH_END_LEN ||
				!hisi_zip_flush_end_is(to + r.produced - HISI_ZIP_FLUSH_END_LEN))
			t->ends = false;
	}
	ret = hisi_zip_stream_end(&l->s, &l->sqe, r, done);
	if (ret > HISI_ZIP_DONE_PART)
		return ret;
	memcpy(l->dst + done->produced - done->delivered,
		hisi_zip_stream_delivered(&l->s, done), done->delivered);
	return ret;
}

/* ---- Compression ----------------------------------------------------------------------------- */

static bool
flushes_all(const struct hisi_zip_script *script, unsigned int i)
{
	return script->parts > 2 && i == script->parts / 2;
}

static void
compress_op(const struct lane *l, struct hisi_zip_stream_op *op)
{
	const struct hisi_zip_script *script = l->script;
	unsigned int kind = (script->parts + l->i) % 3;

	op->dst_len = script->room != 0 ? script->room : kind == 0 ? 150 : kind == 1 ?
		hisi_zip_script_part(script, l->i) * 9 / 8 + 202 : 1000;
	op->flush = flushes_all(script, l->i) ? HISI_ZIP_FLUSH_FULL :
		l->i + 1 == script->parts ? HISI_ZIP_FLUSH_FINISH : HISI_ZIP_FLUSH_SYNC;
}

/* Is the output from somewhere on a whole stream of the plain data from somewhere on? */
static void
stream_check_packed(struct trial *t, const struct lane *l, uint32_t out_at, uint32_t plain_at)
{
	const struct iovec from = { l->out + out_at, l->got - out_at };
	const struct iovec to = { t->a->check, HISI_ZIP_ASK_LEN };
	const struct zip_codec_params params = { .adler32 = 1 };
	struct zip_codec_result res;

	if (zip_codec_inflate(t->a->codec, &params, &from, 1, &to, 1, &res) != 0 ||
			res.consumed != from.iov_len || res.produced != l->at - plain_at ||
			memcmp(t->a->check, l->script->plain + plain_at, res.produced) != 0)
		stream_fails(t, "output that is not the data");
}

/* An op has ended. @return Whether the stream goes on. */
static bool
compressed(struct trial *t, struct lane *l, enum hisi_zip_outcome ret,
		const struct hisi_zip_stream_done *done)
{
	const struct hisi_zip_script *script = l->script;
	bool last = l->i + 1 == script->parts;

	if (ret > HISI_ZIP_DONE_PART) {
		stream_fails(t, "an error where none is");
		return false;
	}
	if (done->produced > HISI_ZIP_SCRIPT_ROOM_LONG - l->got) {
		stream_fails(t, "more output than there can be");
		return false;
	}
	memcpy(l->out + l->got, l->dst, done->produced);
	l->got += done->produced;
	l->at += done->consumed;
	l->left -= done->consumed;
	if (ret == HISI_ZIP_DONE_PART)
		return true;
	if (ret != (last ? HISI_ZIP_DONE_END : HISI_ZIP_DONE) || l->left != 0) {
		stream_fails(t, "an error where none is");
		return false;
	}
	if (flushes_all(script, l->i)) {
		l->plain_full = l->at;
		l->out_full = l->got;
	}
	l->i++;
	if (!last) {
		l->left = hisi_zip_script_part(script, l->i);
		return true;
	}
	stream_check_packed(t, l, 0, 0);
	stream_check_packed(t, l, l->out_full, l->plain_full);
	return false;
}

/* ---- Decompression --------------------------------------------------------------------------- */

/* An op has ended. @return Whether the stream goes on. */
static bool
decompressed(struct trial *t, struct lane *l, enum hisi_zip_outcome ret,
		const struct hisi_zip_stream_done *done)
{
	const struct hisi_zip_script *script = l->script;

	if (script->bad) {
		if (ret == HISI_ZIP_DONE_END)
			stream_fails(t, "an end where there is none");
		return false;
	}
	if (ret > HISI_ZIP_DONE_PART) {
		stream_fails(t, "an error where none is");
		return false;
	}
	if (done->produced > script->len - l->got ||
			memcmp(l->dst, script->plain + l->got, done->produced) != 0) {
		stream_fails(t, "output that is not the data");
		return false;
	}
	l->got += done->produced;
	l->at += done->consumed;
	if (ret == HISI_ZIP_DONE_END) {
		if (l->at != script->packed)
			stream_fails(t, "more or less input than there is");
		else if (l->got != script->len)
			stream_fails(t, "output that is not the data");
		return false;
	}
	if (l->at > script->packed) {
		stream_fails(t, "more or less input than there is");
		return false;
	}
	l->left = RTE_MIN(ret == HISI_ZIP_DONE ? script->part : l->left - done->consumed,
		script->all - l->at);
	return true;
}

/* ---- Lanes --------------------------------------------------------------------------------- */

/* @return Whether there is memory. */
static bool
lane_init(struct trial *t, struct lane *l)
{
	const size_t list = sizeof(struct hisi_acc_sgl) +
		HISI_ACC_SGE_MAX * sizeof(struct hisi_acc_sge);

	l->ctx = hisi_zip_ask_alloc(t->a, HISI_ZIP_CTX_SIZE);
	l->room = l < t->lanes + HISI_ZIP_SCRIPTS_LONG ? HISI_ZIP_SCRIPT_ROOM_LONG :
		HISI_ZIP_SCRIPT_ROOM;
	l->dst = hisi_zip_ask_alloc(t->a, l->room);
	for (unsigned int i = 0; i < RTE_DIM(l->lists); i++)
		l->lists[i] = hisi_zip_ask_alloc(t->a, list);
	l->out = t->a->dir == HISI_ZIP_COMP ? malloc(HISI_ZIP_SCRIPT_ROOM_LONG) : NULL;
	if (l->ctx != NULL)
		memset(l->ctx, 0, HISI_ZIP_CTX_SIZE);
	return l->ctx != NULL && l->dst != NULL && l->lists[0] != NULL && l->lists[1] != NULL &&
		(t->a->dir != HISI_ZIP_COMP || l->out != NULL);
}

static void
lane_begin(struct trial *t, struct lane *l, const struct hisi_zip_script *script, uint8_t counted)
{
	const struct hisi_zip_function f = hisi_zip_function_of(t->a->dev);

	/* The first streams are the longest. */
	if (script->room > l->room)
		stream_fails(t, "no memory to try it");
	hisi_zip_stream_init(&l->s, &f, t->a->dir, WINDOW, l->ctx);
	hisi_zip_stream_set_counted(&l->s, counted);
	l->script = script;
	l->got = l->at = l->ops = l->i = l->plain_full = l->out_full = 0;
	l->left = t->a->dir == HISI_ZIP_COMP ? hisi_zip_script_part(script, 0) :
		RTE_MIN(script->first, script->all);
}

/* Begin the next op of the stream. @return Whether it has a request. */
static bool
lane_op(const struct trial *t, struct lane *l)
{
	struct hisi_zip_stream_op op = { .src_len = l->left, .dst_len = l->script->room,
		.flush = HISI_ZIP_FLUSH_SYNC };

	if (t->a->dir == HISI_ZIP_COMP)
		compress_op(l, &op);
	return begin_op(t, l, &op);
}

static void
lane_end_op(struct trial *t, struct lane *l)
{
	struct hisi_zip_stream_done done = { 0 };
	enum hisi_zip_outcome ret = end_op(t, l, &done);
	bool goes_on;

	if (t->why != NULL)
		return;
	goes_on = (t->a->dir == HISI_ZIP_COMP ? compressed : decompressed)(t, l, ret, &done);
	if (goes_on && ++l->ops == OPS_MAX)
		stream_fails(t, "no end where there is one");
	if (!goes_on)
		l->script = NULL;
}

/* All streams, some at a time. */
static void
run_scripts(struct trial *t, uint8_t counted)
{
	struct hisi_zip_sqe *sqes[LANES];
	unsigned int next = 0, lanes, busy;

	for (lanes = 0; lanes < LANES && lane_init(t, &t->lanes[lanes]); lanes++)
		;
	if (lanes < LANES)
		stream_fails(t, "no memory to try it");
	do {
		busy = 0;
		for (struct lane *l = t->lanes; l < t->lanes + lanes; l++) {
			/* Ops without a request do not wait for the others. */
			while (t->why == NULL && (l->script != NULL || next < t->scripts.n)) {
				if (l->script == NULL)
					lane_begin(t, l, &t->scripts.script[next++], counted);
				if (lane_op(t, l)) {
					sqes[busy++] = &l->sqe;
					break;
				}
				lane_end_op(t, l);
			}
		}
		if (t->why != NULL || hisi_zip_ask(t->a, sqes, busy) != 0)
			break;
		for (struct lane *l = t->lanes; l < t->lanes + lanes && t->why == NULL; l++) {
			if (l->script != NULL)
				lane_end_op(t, l);
		}
	} while (busy > 0 && t->why == NULL);
	for (struct lane *l = t->lanes; l < t->lanes + LANES; l++)
		free(l->out);
}

/* ---- Paths --------------------------------------------------------------------------------- */

/* @return Why it fails, or NULL. */
static const char *
stream_try_path(struct hisi_zip_asker *a, uint8_t counted, bool lists, bool *ends)
{
	struct trial *t = calloc(1, sizeof(*t));
	const char *why;

	if (t == NULL)
		return "no memory to try it";
	t->a = a;
	t->lists = lists;
	t->ends = a->dir == HISI_ZIP_COMP;
	a->used = 0;
	hisi_zip_scripts_make(&t->scripts, a, lists);
	if (t->scripts.incomplete)
		stream_fails(t, "no memory to try it");
	run_scripts(t, counted);
	why = t->why;
	*ends = t->ends;
	free(t);
	return why;
}

void
hisi_zip_answers_stream(struct hisi_zip_asker *a)
{
	bool comp = a->dir == HISI_ZIP_COMP;
	const enum hisi_zip_path path = comp ? HISI_ZIP_PATH_STREAM_COMP :
		HISI_ZIP_PATH_STREAM_DECOMP;
	const enum hisi_zip_path lists = comp ? HISI_ZIP_PATH_STREAM_COMP_SGL :
		HISI_ZIP_PATH_STREAM_DECOMP_SGL;
	struct hisi_zip_path_info *info = a->dev->known.paths.path;
	bool carried = !comp && a->dev->hisi.info.revision < HISI_QM_REV_V3;
	uint8_t counted = carried ? HISI_ZIP_STREAM_TRAILER_LEN : 0;
	bool ends = false;
	const char *why;

	if (info[path].state == HISI_ZIP_PATH_UNTRIED) {
		why = stream_try_path(a, counted, false, &ends);
		if (why != NULL && carried && a->error == 0) {
			counted = 0;
			why = stream_try_path(a, 0, false, &ends);
		}
		if (a->error != 0)
			return;
		info[path].counted = counted;
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
	why = stream_try_path(a, info[path].counted, true, &ends);
	if (a->error != 0)
		return;
	if (why != NULL)
		hisi_zip_path_fails(a->dev, lists, why);
	else
		info[lists].state = HISI_ZIP_PATH_ON;
	if (!ends)
		info[path].ends = false;
}
