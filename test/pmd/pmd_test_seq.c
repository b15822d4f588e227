/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <string.h>

#include <zlib.h>

#include "hisi_zip_dev.h"
#include "hisi_zip_qp.h"
#include "pmd_test_seq.h"

#define OPS_PER_SEQ 12

/* A sequence of ops on one stream. */
struct seq {
	uint8_t dev;
	struct rte_comp_xform xform;
	void *stream;
	z_stream z;            /* the judge: always inflates */
	struct bytes plain;    /* what is compressed, or what should come out */
	/* Decompression: the stream, and more behind it. Compression: what zlib made of it. */
	struct bytes packed;
	size_t plain_at, packed_at;
	bool function_is_plain; /* without the extension */
	bool keeps_bits;        /* and with the quirk head-bits */
	size_t judged;          /* bytes that zlib made of what such a one consumed */
	unsigned int ops_left;
	unsigned int rounds_left;
	bool resubmit;         /* the op before ran out of room */
	unsigned int stuck;    /* ops without progress in a row */

	/* The op in flight. */
	struct rte_comp_op *op;
	uint16_t qp;
	size_t room, dst_skip;
	size_t len;            /* source bytes left of those that belong to flush */
	enum rte_comp_flush_flag flush;
	bool many;             /* more segments than one request can carry */
	size_t len_max;        /* of an op */
};

static bool
compresses(const struct seq *s)
{
	return s->xform.type == RTE_COMP_COMPRESS;
}

static void
judge_reset(struct seq *s)
{
	int ret = inflateReset2(&s->z, -15);

	PMD_CHECK(ret == Z_OK, "inflateReset2 returned %d", ret);
}

/* Data for one stream from its start to its end. */
static void
next_round(struct rng *rng, struct seq *s)
{
	uint8_t garbage[50];

	bytes_free(&s->plain);
	bytes_free(&s->packed);
	s->plain_at = s->packed_at = s->judged = 0;
	s->resubmit = false;
	s->stuck = 0;
	s->ops_left = (unsigned int)rng_range(rng, 1, OPS_PER_SEQ);
	s->rounds_left--;
	judge_reset(s);
	if (compresses(s)) {
		size_t len = 0;

		for (unsigned int i = 0; i < s->ops_left; i++)
			len += pmd_random_len(rng, s->len_max);
		s->plain = bytes_random(rng, len);
	} else {
		s->plain = bytes_random(rng, pmd_random_len(rng, s->len_max * 2));
		s->packed = bytes_deflate(s->plain.data, s->plain.len, (int)rng_below(rng, 10),
			(int)rng_range(rng, 9, 15));
		for (size_t i = 0; i < sizeof(garbage); i++)
			garbage[i] = (uint8_t)rng_next(rng);
		bytes_append(&s->packed, garbage, rng_below(rng, sizeof(garbage)));
	}
}

static void
seq_begin(struct rng *rng, struct seq *s, uint8_t dev, size_t len_max)
{
	int ret;

	*s = (struct seq){ .dev = dev, .len_max = len_max,
		.function_is_plain = pmd_qp(dev, 0)->dev->hisi.info.ext_features == 0,
		.keeps_bits = strstr(pmd_qp(dev, 0)->dev->hisi.args.quirk, "head-bits") != NULL };
	s->xform = rng_one_in(rng, 2) ? pmd_random_deflate(rng) : pmd_random_inflate(rng);
	ret = rte_compressdev_stream_create(s->dev, &s->xform, &s->stream);
	PMD_CHECK(ret == 0 && s->stream != NULL, "stream_create returned %d", ret);
	ret = inflateInit2(&s->z, -15);
	PMD_CHECK(ret == Z_OK, "inflateInit2 returned %d", ret);
	/* A stream can be used again after its end. */
	s->rounds_left = rng_one_in(rng, 4) ? 2 : 1;
	next_round(rng, s);
}

static void
seq_end(struct seq *s)
{
	int ret = rte_compressdev_stream_free(s->dev, s->stream);

	PMD_CHECK(ret == 0, "stream_free returned %d", ret);
	inflateEnd(&s->z);
	bytes_free(&s->plain);
	bytes_free(&s->packed);
}

static size_t
random_room(struct rng *rng, const struct seq *s)
{
	/* Whoever makes no progress gets more. */
	if (s->stuck > 3)
		return s->len_max * 2;
	switch (rng_below(rng, 8)) {
	case 0:
		return rng_below(rng, 2);
	case 1:
		return rng_below(rng, 20);
	case 2:
		return rng_below(rng, 1000);
	default:
		return rng_range(rng, 1000, s->len_max);
	}
}

static unsigned int
segments(const struct rte_mbuf *m)
{
	unsigned int n = 0;

	for (; m != NULL; m = m->next)
		n++;
	return n;
}

static void
submit(struct rng *rng, struct seq *s)
{
	const uint8_t *src = compresses(s) ? s->plain.data + s->plain_at :
		s->packed.data + s->packed_at;
	size_t left = compresses(s) ? s->plain.len - s->plain_at : s->packed.len - s->packed_at;
	size_t skip = rng_below(rng, 50);

	if (!s->resubmit) {
		s->ops_left -= s->ops_left > 0;
		if (compresses(s) && s->ops_left == 0) {
			s->len = left;
			s->flush = RTE_COMP_FLUSH_FINAL;
		} else {
			s->len = RTE_MIN(pmd_random_len(rng, s->len_max), left);
			s->flush = (enum rte_comp_flush_flag)rng_below(rng, 3);
		}
	} else if (!compresses(s) && rng_one_in(rng, 4)) {
		/* Decompression goes on with whatever input comes next. */
		s->len = RTE_MIN(pmd_random_len(rng, s->len_max), left);
	}
	s->room = random_room(rng, s);
	s->dst_skip = rng_below(rng, 50);
	s->op = pmd_op(NULL, pmd_chain(rng, pmd_random_shape(rng), src, skip, s->len,
			rng_below(rng, 10)), (uint32_t)skip, (uint32_t)s->len,
		pmd_chain(rng, pmd_random_shape(rng), NULL, s->dst_skip, s->room, 0),
		(uint32_t)s->dst_skip);
	s->op->op_type = RTE_COMP_OP_STATEFUL;
	s->op->stream = s->stream;
	s->op->flush_flag = s->flush;
	s->many = segments(s->op->m_src) > 255 || segments(s->op->m_dst) > 255;
	s->qp = (uint16_t)rng_below(rng, PMD_SEQ_QPS);
	pmd_enqueue(s->dev, s->qp, &s->op, 1);
}

static enum rte_comp_checksum_type
chksum_type(const struct seq *s)
{
	return compresses(s) ? s->xform.compress.chksum : s->xform.decompress.chksum;
}

/* The end of a round: the checksum is that of all of it. */
static void
check_chksum(const struct seq *s)
{
	uint64_t expected = pmd_chksum(chksum_type(s), 0, s->plain.data, s->plain.len);

	PMD_CHECK(s->op->output_chksum == expected, "checksum type %d: 0x%" PRIx64
		", expected 0x%" PRIx64, chksum_type(s), s->op->output_chksum, expected);
}

/* Feeds the judge. Returns what inflate() returned. */
static int
judge(struct seq *s, const uint8_t *src, size_t len, uint8_t *dst, size_t room)
{
	s->z.next_in = (Bytef *)(uintptr_t)src;
	s->z.avail_in = (uInt)len;
	s->z.next_out = dst;
	s->z.avail_out = (uInt)room;
	return inflate(&s->z, Z_SYNC_FLUSH);
}

/* Returns true at the end of the stream. */
static bool
check_compress(struct seq *s, const uint8_t *out)
{
	const struct rte_comp_compress_xform *c = &s->xform.compress;
	const struct rte_comp_op *op = s->op;
	bool done = op->status == RTE_COMP_OP_STATUS_SUCCESS;
	struct bytes back;
	int ret;

	PMD_CHECK(done || op->status == RTE_COMP_OP_STATUS_OUT_OF_SPACE_RECOVERABLE,
		"%s: level %d, huffman %d, window %u, %zu bytes, room %zu, flush %d",
		pmd_status(op->status), c->level, c->deflate.huffman, c->window_size, s->len,
		s->room, s->flush);
	PMD_CHECK(op->consumed <= s->len && (!done || op->consumed == s->len),
		"%s: consumed %u of %zu", pmd_status(op->status), op->consumed, s->len);
	/* A plain function has less input than there may be room for. */
	PMD_CHECK(done || s->function_is_plain || s->many || op->produced == s->room ||
		s->room < 64,
		"%s with %u of %zu bytes of room used, %u of %zu consumed, flush %d",
		pmd_status(op->status), op->produced, s->room, op->consumed, s->len, s->flush);

	back = bytes_alloc(s->plain.len + 1);
	ret = judge(s, out, op->produced, back.data, back.len);
	PMD_CHECK(ret == Z_OK || ret == Z_STREAM_END || (ret == Z_BUF_ERROR && op->produced == 0),
		"zlib says %d (%s) to the output, level %d, huffman %d, window %u, flush %d", ret,
		s->z.msg != NULL ? s->z.msg : "-", c->level, c->deflate.huffman, c->window_size,
		s->flush);
	PMD_CHECK(s->z.avail_in == 0, "%u bytes behind the stream's end", s->z.avail_in);
	s->plain_at += op->consumed;
	s->len -= op->consumed;
	bytes_append(&s->packed, back.data, back.len - s->z.avail_out);
	bytes_free(&back);
	PMD_CHECK(s->packed.len <= s->plain_at && memcmp(s->packed.data, s->plain.data,
			s->packed.len) == 0, "wrong data among the first %zu bytes, consumed %zu",
		s->packed.len, s->plain_at);
	if (!done)
		return false;
	PMD_CHECK(s->flush == RTE_COMP_FLUSH_NONE || s->packed.len == s->plain_at,
		"flush %d: %zu of %zu bytes are in the output", s->flush, s->packed.len,
		s->plain_at);
	PMD_CHECK((ret == Z_STREAM_END) == (s->flush == RTE_COMP_FLUSH_FINAL),
		"flush %d, zlib says %d", s->flush, ret);
	/* What follows may not look back. */
	if (s->flush == RTE_COMP_FLUSH_FULL)
		judge_reset(s);
	if (s->flush == RTE_COMP_FLUSH_FINAL)
		check_chksum(s);
	return s->flush == RTE_COMP_FLUSH_FINAL;
}

/* Could inflate() give more without more input? */
static bool
judge_has_more(const struct seq *s)
{
	uint8_t byte[1];
	z_stream copy;
	bool more;

	PMD_CHECK(inflateCopy(&copy, (z_stream *)(uintptr_t)&s->z) == Z_OK, "inflateCopy");
	copy.next_in = byte;
	copy.avail_in = 0;
	copy.next_out = byte;
	copy.avail_out = 1;
	more = inflate(&copy, Z_SYNC_FLUSH) == Z_STREAM_END || copy.avail_out == 0;
	inflateEnd(&copy);
	return more;
}

/* Returns true at the end of the stream. */
static bool
check_decompress_plain(struct seq *s, const uint8_t *out)
{
	const struct rte_comp_op *op = s->op;
	struct bytes rest = bytes_alloc(s->plain.len + 1);
	bool done = op->status == RTE_COMP_OP_STATUS_SUCCESS;
	int ret;

	PMD_CHECK(done || op->status == RTE_COMP_OP_STATUS_OUT_OF_SPACE_RECOVERABLE,
		"%s: %zu bytes at %zu of %zu, room %zu", pmd_status(op->status), s->len,
		s->packed_at, s->packed.len, s->room);
	PMD_CHECK(op->consumed <= s->len && s->plain_at + op->produced <= s->plain.len &&
		memcmp(out, s->plain.data + s->plain_at, op->produced) == 0,
		"%s: consumed %u of %zu, produced %u at %zu of %zu: wrong",
		pmd_status(op->status), op->consumed, s->len, op->produced, s->plain_at,
		s->plain.len);
	ret = judge(s, s->packed.data + s->packed_at, op->consumed, rest.data, rest.len);
	PMD_CHECK(ret == Z_OK || ret == Z_BUF_ERROR || ret == Z_STREAM_END,
		"zlib says %d (%s)", ret, s->z.msg != NULL ? s->z.msg : "-");
	PMD_CHECK(s->z.avail_in == 0, "%u bytes behind the end were consumed", s->z.avail_in);
	s->judged += rest.len - s->z.avail_out;
	bytes_free(&rest);
	s->packed_at += op->consumed;
	s->plain_at += op->produced;
	s->len -= op->consumed;
	/* On V2 the last bytes of the input, whose output is there, come again with the next op. */
	if (!done || s->plain_at > s->judged)
		return false;
	/* Or of what it keeps back of a block that it has not all of. */
	if (s->len == 0 && ret != Z_STREAM_END && s->keeps_bits)
		return false;
	PMD_CHECK(s->plain_at == s->judged, "SUCCESS after %zu of %zu bytes", s->plain_at,
		s->judged);
	if (ret != Z_STREAM_END) {
		PMD_CHECK(s->len == 0, "SUCCESS with %zu bytes of input left", s->len);
		return false;
	}
	PMD_CHECK(s->plain_at == s->plain.len, "%zu bytes, expected %zu", s->plain_at,
		s->plain.len);
	check_chksum(s);
	return true;
}

/* Returns true at the end of the stream. */
static bool
check_decompress(struct seq *s, const uint8_t *out)
{
	const struct rte_comp_op *op = s->op;
	/* An op that was cut short has done a part: the same as one of that length. */
	bool cut = s->many && op->status == RTE_COMP_OP_STATUS_OUT_OF_SPACE_RECOVERABLE;
	size_t in = cut ? op->consumed : s->len, room = cut ? op->produced : s->room;
	struct bytes expected = bytes_alloc(s->room + 1);
	size_t consumed, produced;
	int ret;

	PMD_CHECK(op->status == RTE_COMP_OP_STATUS_SUCCESS ||
		op->status == RTE_COMP_OP_STATUS_OUT_OF_SPACE_RECOVERABLE, "%s: %zu bytes at %zu "
		"of %zu, room %zu", pmd_status(op->status), s->len, s->packed_at, s->packed.len,
		s->room);
	ret = judge(s, s->packed.data + s->packed_at, in, expected.data, room);
	PMD_CHECK(ret == Z_OK || ret == Z_BUF_ERROR || ret == Z_STREAM_END,
		"zlib says %d (%s)", ret, s->z.msg != NULL ? s->z.msg : "-");
	consumed = in - s->z.avail_in;
	produced = room - s->z.avail_out;
	PMD_CHECK(op->consumed == consumed && op->produced == produced,
		"%s: consumed %u, produced %u, zlib %zu and %zu (%d), of %zu bytes with room %zu",
		pmd_status(op->status), op->consumed, op->produced, consumed, produced, ret,
		s->len, s->room);
	PMD_CHECK(memcmp(out, expected.data, produced) == 0, "wrong bytes");
	bytes_free(&expected);
	s->packed_at += consumed;
	s->plain_at += produced;
	s->len -= consumed;
	if (ret == Z_STREAM_END) {
		PMD_CHECK(op->status == RTE_COMP_OP_STATUS_SUCCESS, "%s at the stream's end",
			pmd_status(op->status));
		PMD_CHECK(s->plain_at == s->plain.len, "%zu bytes, expected %zu", s->plain_at,
			s->plain.len);
		check_chksum(s);
		return true;
	}
	if (op->status == RTE_COMP_OP_STATUS_SUCCESS)
		PMD_CHECK(s->len == 0 && !judge_has_more(s), "SUCCESS with %zu bytes of input left "
			"and %s", s->len, judge_has_more(s) ? "more to come" : "nothing to come");
	else
		PMD_CHECK(cut || op->produced == s->room, "%s with %u of %zu bytes of room used",
			pmd_status(op->status), op->produced, s->room);
	return false;
}

/* The op came back. Returns true if the sequence is over. */
static bool
finish(struct rng *rng, struct seq *s)
{
	struct rte_comp_op *op = s->op;
	struct bytes out = bytes_alloc(op->produced);
	bool end;

	PMD_CHECK(op->produced <= s->room, "produced %u, room %zu", op->produced, s->room);
	pmd_chain_read(op->m_dst, op->dst.offset, out.data, out.len);
	end = compresses(s) ? check_compress(s, out.data) : s->function_is_plain ?
		check_decompress_plain(s, out.data) : check_decompress(s, out.data);
	pmd_chain_check_skip(op->m_dst, s->dst_skip);
	bytes_free(&out);
	s->resubmit = op->status == RTE_COMP_OP_STATUS_OUT_OF_SPACE_RECOVERABLE;
	s->stuck = op->consumed == 0 && op->produced == 0 ? s->stuck + 1 : 0;
	PMD_CHECK(s->stuck < 1000, "no progress");
	pmd_op_free(op);
	s->op = NULL;
	if (!end)
		return false;
	if (s->rounds_left == 0)
		return true;
	next_round(rng, s);
	return false;
}

static struct seq *
owner(struct seq *seqs, size_t n, const struct rte_comp_op *op)
{
	for (size_t i = 0; i < n; i++) {
		if (seqs[i].op == op)
			return &seqs[i];
	}
	pmd_fail(__FILE__, __LINE__, "an op that is not in flight came back");
}

unsigned int
pmd_sequences(uint8_t dev, struct rng *rng, size_t len_max, size_t n)
{
	struct seq seqs[PMD_SEQS_MAX];
	size_t live = n;
	bool over[PMD_SEQS_MAX] = { false };
	uint16_t in_flight[PMD_SEQ_QPS] = { 0 };
	unsigned int ops = 0;

	for (size_t i = 0; i < n; i++)
		seq_begin(rng, &seqs[i], dev, len_max);
	while (live > 0) {
		size_t i = rng_below(rng, n);
		uint16_t qp = (uint16_t)rng_below(rng, PMD_SEQ_QPS);
		struct rte_comp_op *op;
		struct seq *s;

		if (!over[i] && seqs[i].op == NULL) {
			submit(rng, &seqs[i]);
			in_flight[seqs[i].qp]++;
			ops++;
		}
		if (in_flight[qp] == 0 || rng_one_in(rng, 3))
			continue;
		pmd_dequeue(dev, qp, &op, 1);
		in_flight[qp]--;
		s = owner(seqs, n, op);
		PMD_CHECK(s->qp == qp, "op of queue pair %u came from %u", s->qp, qp);
		if (finish(rng, s)) {
			over[s - seqs] = true;
			live--;
		}
	}
	for (size_t i = 0; i < n; i++)
		seq_end(&seqs[i]);
	return ops;
}
