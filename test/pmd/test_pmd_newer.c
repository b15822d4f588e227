/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

/*
 * What only newer releases of DPDK have: LZ4 with xxHash-32 (23.03),
 * dictionaries and the status of a wrong checksum (25.11). With an older one:
 * that it is refused.
 */

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <xxhash.h>
#include <zlib.h>

#include "hisi_zip_compat.h"
#include "pmd_test.h"

#define DEVICE "compress_hisi_zip"
#define DEPTH 64
#define LZ4_ALGO ((enum rte_comp_algorithm)4)

static uint8_t dev;

#if HISI_ZIP_HAVE_LZ4

/* Runs one op over data, into room bytes. The op is the caller's to free. */
static struct rte_comp_op *
run_one(struct rng *rng, void *xform, const struct bytes *data, size_t room, uint64_t chksum,
		enum rte_comp_flush_flag flush)
{
	struct rte_comp_op *op = pmd_op(xform, pmd_chain(rng, pmd_random_shape(rng), data->data, 0,
		data->len, 0), 0, (uint32_t)data->len,
		pmd_chain(rng, pmd_random_shape(rng), NULL, 0, room, 0), 0);

	op->input_chksum = chksum;
	op->flush_flag = flush;
	pmd_run(dev, 0, &op, 1);
	return op;
}

/* What an op made, which must have succeeded. */
static struct bytes
taken(struct rte_comp_op *op, const struct bytes *data)
{
	struct bytes out;

	PMD_CHECK(op->status == RTE_COMP_OP_STATUS_SUCCESS, "%s", pmd_status(op->status));
	PMD_CHECK(op->consumed == data->len, "%u of %zu", op->consumed, data->len);
	out = bytes_alloc(op->produced);
	pmd_chain_read(op->m_dst, 0, out.data, out.len);
	pmd_op_free(op);
	return out;
}

static void
expect(struct rte_comp_op *op, int status)
{
	PMD_CHECK(op->status == status, "%s, expected %s", pmd_status(op->status),
		pmd_status((uint8_t)status));
	PMD_CHECK(op->produced == 0 && op->consumed == 0, "%u, %u", op->consumed, op->produced);
	pmd_op_free(op);
}

static bool
equal(const struct bytes *a, const struct bytes *b)
{
	return a->len == b->len && memcmp(a->data, b->data, a->len) == 0;
}

#if HISI_ZIP_HAVE_UDC
#define MISMATCH RTE_COMP_OP_STATUS_CHECKSUM_VALIDATION_FAILED
#else
#define MISMATCH RTE_COMP_OP_STATUS_ERROR
#endif

static void
lz4(void)
{
	struct rng rng;

	pmd_dev_start(dev, 1, DEPTH);
	while (pmd_next(&rng)) {
		bool sum = rng_one_in(&rng, 2);
		struct rte_comp_xform c = {
			.type = RTE_COMP_COMPRESS,
			.compress = {
				.algo = RTE_COMP_ALGO_LZ4,
				.lz4.flags = (uint8_t)(rng_next(&rng) & 0x3c),
				.level = (int)rng_below(&rng, 11) - 1,
				.window_size = (uint8_t)rng_range(&rng, 8, 16),
				.chksum = sum ? RTE_COMP_CHECKSUM_XXHASH32 :
					RTE_COMP_CHECKSUM_NONE,
			},
		}, d = {
			.type = RTE_COMP_DECOMPRESS,
			.decompress = {
				.algo = RTE_COMP_ALGO_LZ4, .window_size = 16,
				.chksum = c.compress.chksum,
			},
		};
		struct bytes plain = bytes_random(&rng, 1 + pmd_random_len(&rng, 300000));
		void *cx = pmd_xform(dev, &c), *dx = pmd_xform(dev, &d);
		uint64_t want = sum ? XXH32(plain.data, plain.len, 0) : 0;
		struct bytes packed, back;
		struct rte_comp_op *op;

		op = run_one(&rng, cx, &plain, plain.len + plain.len / 8 + 100, 1,
			RTE_COMP_FLUSH_FINAL);
		PMD_CHECK(op->output_chksum == want, "0x%" PRIx64, op->output_chksum);
		packed = taken(op, &plain);
		op = run_one(&rng, dx, &packed, plain.len, 2, RTE_COMP_FLUSH_FINAL);
		PMD_CHECK(op->output_chksum == want, "0x%" PRIx64, op->output_chksum);
		back = taken(op, &packed);
		PMD_CHECK(equal(&plain, &back), "%zu bytes came back as %zu", plain.len, back.len);

		/* What liblz4 did before makes its output a few bytes longer or shorter. */
		expect(run_one(&rng, cx, &plain, packed.len / 2, 0, RTE_COMP_FLUSH_FINAL),
			RTE_COMP_OP_STATUS_OUT_OF_SPACE_TERMINATED);
		if (plain.len > 1)
			expect(run_one(&rng, dx, &packed, plain.len - 1, 0, RTE_COMP_FLUSH_FINAL),
				RTE_COMP_OP_STATUS_OUT_OF_SPACE_TERMINATED);
		packed.data[6]++; /* the header's checksum, or of what is behind it */
		if (!(c.compress.lz4.flags & RTE_COMP_LZ4_FLAG_CONTENT_SIZE))
			expect(run_one(&rng, dx, &packed, plain.len, 0, RTE_COMP_FLUSH_FINAL),
				MISMATCH);
		packed.data[0]++;
		expect(run_one(&rng, dx, &packed, plain.len, 0, RTE_COMP_FLUSH_FINAL),
			RTE_COMP_OP_STATUS_ERROR);
		bytes_free(&plain);
		bytes_free(&packed);
		bytes_free(&back);
		pmd_xform_free(dev, cx);
		pmd_xform_free(dev, dx);
	}
	pmd_dev_stop(dev);
}

#endif

static void
lz4_refused(void)
{
	struct rte_comp_xform c = {
		.type = RTE_COMP_COMPRESS,
		.compress = { .algo = LZ4_ALGO, .level = 1, .window_size = 15 },
	};
	void *x = NULL;
	int ret;

	pmd_dev_start(dev, 1, DEPTH);
#if HISI_ZIP_HAVE_LZ4
	c.compress.lz4.flags = RTE_COMP_LZ4_FLAG_DICT_ID;
#else
	PMD_CHECK(rte_compressdev_capability_get(dev, LZ4_ALGO) == NULL, "offered");
#endif
	ret = rte_compressdev_private_xform_create(dev, &c, &x);
	PMD_CHECK(ret == -ENOTSUP, "%d", ret);
	c.compress.window_size = 17;
	ret = rte_compressdev_private_xform_create(dev, &c, &x);
	/* The flags are looked at last. */
	PMD_CHECK(ret == (HISI_ZIP_HAVE_LZ4 ? -EINVAL : -ENOTSUP), "%d", ret);
	c.compress.window_size = 15;
	ret = rte_compressdev_stream_create(dev, &c, &x);
	PMD_CHECK(ret == -ENOTSUP, "%d", ret);
	pmd_dev_stop(dev);
}

#if HISI_ZIP_HAVE_UDC

/* zlib must take the stream with that dictionary, which DEFLATE looks back at most 32 KiB into. */
static void
judge(const struct bytes *packed, const struct bytes *dict, const struct bytes *plain)
{
	size_t skip = dict->len > 32768 ? dict->len - 32768 : 0;
	struct bytes out = bytes_alloc(plain->len);
	z_stream z = { 0 };

	PMD_CHECK(inflateInit2(&z, -15) == Z_OK, "zlib");
	PMD_CHECK(inflateSetDictionary(&z, dict->data + skip, (uInt)(dict->len - skip)) == Z_OK,
		"%zu bytes", dict->len);
	z.next_in = packed->data;
	z.avail_in = (uInt)packed->len;
	z.next_out = out.data;
	z.avail_out = (uInt)out.len;
	PMD_CHECK(inflate(&z, Z_FINISH) == Z_STREAM_END && z.avail_in == 0 &&
		z.total_out == plain->len && memcmp(out.data, plain->data, plain->len) == 0,
		"zlib does not take it: %s", z.msg);
	inflateEnd(&z);
	bytes_free(&out);
}

/* The checksum of TS 38.323: all digits of its first and last four bytes, inverted. */
static uint64_t
udc_of(const struct bytes *dict)
{
	unsigned int sum = 0;

	for (size_t i = 0; i < 4; i++) {
		sum += dict->data[i] / 16 + dict->data[i] % 16;
		sum += dict->data[dict->len - 1 - i] / 16 + dict->data[dict->len - 1 - i] % 16;
	}
	return 15 - sum % 16;
}

/* What zlib makes with the dictionary. */
static struct bytes
deflated(const struct bytes *plain, const struct bytes *dict)
{
	struct bytes out = bytes_alloc(plain->len + plain->len / 4 + 1000);
	z_stream z = { 0 };

	PMD_CHECK(deflateInit2(&z, 6, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY) == Z_OK, "zlib");
	PMD_CHECK(deflateSetDictionary(&z, dict->data, (uInt)dict->len) == Z_OK, "zlib");
	z.next_in = plain->data;
	z.avail_in = (uInt)plain->len;
	z.next_out = out.data;
	z.avail_out = (uInt)out.len;
	PMD_CHECK(deflate(&z, Z_FINISH) == Z_STREAM_END, "zlib");
	out.len = z.total_out;
	deflateEnd(&z);
	return out;
}

static void
dictionary(void)
{
	struct rng rng;

	pmd_dev_start(dev, 1, DEPTH);
	while (pmd_next(&rng)) {
		struct rte_comp_xform c = pmd_random_deflate(&rng), d = pmd_inflate_xform;
		struct bytes dict = bytes_random(&rng, 8 + rng_below(&rng, 40000));
		struct bytes plain = bytes_random(&rng, 1 + pmd_random_len(&rng, 100000));
		bool udc = rng_one_in(&rng, 2);
		struct bytes packed, back, foreign;
		struct rte_comp_op *op;
		void *cx, *dx, *stream;
		uint64_t sum;
		int ret;

		if (plain.len >= 500 && dict.len >= 1000)
			memcpy(plain.data, dict.data + dict.len - 700, 500);
		c.compress.deflate.dictionary = dict.data;
		c.compress.deflate.dictionary_len = (uint16_t)dict.len;
		d.decompress.inflate.dictionary = dict.data;
		d.decompress.inflate.dictionary_len = (uint16_t)dict.len;
		if (udc)
			c.compress.chksum = RTE_COMP_CHECKSUM_3GPP_PDCP_UDC;
		d.decompress.chksum = c.compress.chksum;
		cx = pmd_xform(dev, &c);
		dx = pmd_xform(dev, &d);
		ret = rte_compressdev_stream_create(dev, &c, &stream);
		PMD_CHECK(ret == -ENOTSUP, "%d", ret);

		op = run_one(&rng, cx, &plain, plain.len + plain.len / 8 + 100, 0,
			RTE_COMP_FLUSH_FINAL);
		sum = op->output_chksum;
		if (udc)
			PMD_CHECK(sum == udc_of(&dict), "0x%" PRIx64, sum);
		else
			PMD_CHECK(sum == pmd_chksum(c.compress.chksum, 0, plain.data, plain.len),
				"0x%" PRIx64, sum);
		packed = taken(op, &plain);
		judge(&packed, &dict, &plain);
		foreign = deflated(&plain, &dict);
		op = run_one(&rng, dx, &foreign, plain.len, udc ? sum : 0, RTE_COMP_FLUSH_FINAL);
		PMD_CHECK(op->output_chksum == sum, "0x%" PRIx64, op->output_chksum);
		back = taken(op, &foreign);
		PMD_CHECK(equal(&plain, &back), "%zu bytes came back as %zu", plain.len, back.len);
		bytes_free(&foreign);
		bytes_free(&back);
		op = run_one(&rng, dx, &packed, plain.len, udc ? sum : 0, RTE_COMP_FLUSH_FINAL);
		PMD_CHECK(op->output_chksum == sum, "0x%" PRIx64, op->output_chksum);
		back = taken(op, &packed);
		PMD_CHECK(equal(&plain, &back), "%zu bytes came back as %zu", plain.len, back.len);
		if (udc)
			expect(run_one(&rng, dx, &packed, plain.len, sum ^ 1, RTE_COMP_FLUSH_FINAL),
				MISMATCH);
		expect(run_one(&rng, cx, &plain, packed.len - 1, 0, RTE_COMP_FLUSH_FINAL),
			RTE_COMP_OP_STATUS_OUT_OF_SPACE_TERMINATED);
		expect(run_one(&rng, cx, &plain, plain.len * 2, 0, RTE_COMP_FLUSH_FULL),
			RTE_COMP_OP_STATUS_INVALID_ARGS);
		bytes_free(&dict);
		bytes_free(&plain);
		bytes_free(&packed);
		bytes_free(&back);
		pmd_xform_free(dev, cx);
		pmd_xform_free(dev, dx);
	}
	pmd_dev_stop(dev);
}

/* Noise that is the end of the dictionary takes next to nothing, and without it all of its room. */
static void
dictionary_used(void)
{
	struct rte_comp_xform c = pmd_deflate_xform;
	struct bytes dict = bytes_alloc(40000), plain = bytes_alloc(5000);
	struct rng rng;

	pmd_rng(&rng);
	pmd_dev_start(dev, 1, DEPTH);
	for (size_t i = 0; i < dict.len; i++)
		dict.data[i] = (uint8_t)(rng_next(&rng) >> 11);
	memcpy(plain.data, dict.data + dict.len - plain.len, plain.len);
	c.compress.deflate.dictionary = dict.data;
	c.compress.deflate.dictionary_len = (uint16_t)dict.len;
	for (int with = 0; with < 2; with++) {
		void *x = pmd_xform(dev, &c);
		struct rte_comp_op *op = run_one(&rng, x, &plain, 6000, 0, RTE_COMP_FLUSH_FINAL);
		struct bytes packed = taken(op, &plain);

		PMD_CHECK(with == 0 ? packed.len < 500 : packed.len >= plain.len, "%zu bytes",
			packed.len);
		bytes_free(&packed);
		pmd_xform_free(dev, x);
		c.compress.deflate.dictionary_len = 0;
	}
	bytes_free(&dict);
	bytes_free(&plain);
	pmd_dev_stop(dev);
}

/* By hand: 1+2+3+4+5+6+7+8 and 9+a+b+c+d+e+f+0, of which the complement's low half. */
static void
udc_value(void)
{
	uint8_t dict[] = { 0x12, 0x34, 0x56, 0x78, 0xff, 0x9a, 0xbc, 0xde, 0xf0 };
	struct rte_comp_xform c = pmd_deflate_xform;
	struct bytes plain = bytes_alloc(100);
	struct rte_comp_op *op;
	struct rng rng;
	void *x;

	pmd_rng(&rng);
	pmd_dev_start(dev, 1, DEPTH);
	memset(plain.data, 'a', plain.len);
	c.compress.chksum = RTE_COMP_CHECKSUM_3GPP_PDCP_UDC;
	c.compress.deflate.dictionary = dict;
	c.compress.deflate.dictionary_len = 3;
	PMD_CHECK(rte_compressdev_private_xform_create(dev, &c, &x) == -EINVAL, "3 bytes");
	c.compress.deflate.dictionary_len = sizeof(dict);
	x = pmd_xform(dev, &c);
	op = run_one(&rng, x, &plain, 200, 0, RTE_COMP_FLUSH_FINAL);
	PMD_CHECK(op->output_chksum == (~(36u + 84u) & 0xf), "0x%" PRIx64, op->output_chksum);
	pmd_op_free(op);
	pmd_xform_free(dev, x);
	bytes_free(&plain);
	pmd_dev_stop(dev);
}

#endif

int
main(int argc, char **argv)
{
	static const struct pmd_case cases[] = {
#if HISI_ZIP_HAVE_LZ4
		{ "lz4", lz4, PMD_BAD_OPS },
#endif
		{ "lz4_refused", lz4_refused, PMD_LINES },
#if HISI_ZIP_HAVE_UDC
		{ "dictionary", dictionary, PMD_BAD_OPS | PMD_LINES },
		{ "dictionary_used", dictionary_used, PMD_BAD_OPS },
		{ "udc_value", udc_value, PMD_BAD_OPS | PMD_LINES },
#endif
		{ NULL, NULL },
	};
	static const struct pmd_program program = {
		.name = "test_pmd_newer",
		.count = 400,
		.cases = cases,
	};

	return pmd_main(argc, argv, &program);
}
