/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

/*
 * What becomes of a transform: the words of the request, whether the function or
 * software does it, the errno and the line of the log of each wrong field, and
 * that nothing stays behind. Those of newer releases: test_pmd_xform_newer.c.
 */

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hisi_zip_compat.h"
#include "hisi_zip_dev.h"
#include "hisi_zip_xform.h"
#include "pmd_test.h"
#include "pmd_test_xform.h"

#define CTX_ADDR_OFF 64 /* of the device's address in a stream context buffer */

/* ---- Wrong fields -------------------------------------------------------------------------- */

#define LINE(...) (snprintf(line, sizeof(line), __VA_ARGS__), line)

static void
both_wrong(uint8_t dev, bool comp)
{
	const char *what = comp ? "compress" : "decompress";
	char line[256];

	for (int v = -1; v <= 256; v++) {
		struct rte_comp_xform x = comp ? pmd_deflate_xform : pmd_inflate_xform;

		if (v < 0 || v == 256)
			continue;
		*(comp ? &x.compress.window_size : &x.decompress.window_size) = (uint8_t)v;
		if (v >= 8 && v <= 15)
			accepted(dev, XFORM, &x);
		else
			refused_by_both(dev, &x, -EINVAL, LINE("%s window size 2^%d, expected "
				"2^8 to 2^15", what, v));
	}
	for (int v = -1; v <= 6; v++) {
		struct rte_comp_xform x = comp ? pmd_deflate_xform : pmd_inflate_xform;

		*(comp ? &x.compress.algo : &x.decompress.algo) = (enum rte_comp_algorithm)v;
		if (v != 1 && v != 2 && !(HISI_ZIP_HAVE_LZ4 && v == 4))
			refused_by_both(dev, &x, -ENOTSUP, LINE("%s algorithm %d, expected "
				"NULL (1)%s or DEFLATE (2)", what, v,
				HISI_ZIP_HAVE_LZ4 ? ", LZ4" : ""));
	}
	for (int v = -1; v <= 6; v++) {
		struct rte_comp_xform x = comp ? pmd_deflate_xform : pmd_inflate_xform;

		*(comp ? &x.compress.chksum : &x.decompress.chksum) =
			(enum rte_comp_checksum_type)v;
		if (v >= 0 && v <= 3)
			accepted(dev, XFORM, &x);
		else if (!HISI_ZIP_HAVE_UDC || v != 5)
			refused_by_both(dev, &x, -ENOTSUP, LINE("%s checksum type %d, expected "
				"0 to 3", what, v));
		/* No copy has the checksum of a dictionary. */
		*(comp ? &x.compress.algo : &x.decompress.algo) = RTE_COMP_ALGO_NULL;
		if (v < 0 || v > 3)
			refused_by_both(dev, &x, -ENOTSUP, LINE("%s checksum type %d, expected "
				"0 to 3", what, v));
	}
	for (int v = 0; v <= 3; v++) {
		struct rte_comp_xform x = comp ? pmd_deflate_xform : pmd_inflate_xform;

		*(comp ? &x.compress.hash_algo : &x.decompress.hash_algo) =
			(enum rte_comp_hash_algorithm)v;
		if (v != 0)
			refused_by_both(dev, &x, -ENOTSUP, LINE("%s hash algorithm %d, expected "
				"none (0)", what, v));
	}
}

static void
wrong(void)
{
	uint8_t dev = pmd_dev_add(NAME, "");
	struct rte_comp_xform x;
	char line[256];

	both_wrong(dev, true);
	both_wrong(dev, false);
	for (int v = -3; v <= 11; v++) {
		x = pmd_deflate_xform;
		x.compress.level = v;
		if (v >= -1 && v <= 9)
			accepted(dev, XFORM, &x);
		else
			refused_by_both(dev, &x, -EINVAL, LINE("compression level %d, expected "
				"-1 to 9", v));
	}
	for (int v = -1; v <= 4; v++) {
		x = pmd_deflate_xform;
		x.compress.deflate.huffman = (enum rte_comp_huffman)v;
		if (v >= 0 && v <= 2)
			accepted(dev, XFORM, &x);
		else
			refused_by_both(dev, &x, -EINVAL, LINE("Huffman type %d, expected 0 to 2",
				v));
	}
	for (int v = -1; v <= 3; v++) {
		x = pmd_deflate_xform;
		x.type = (enum rte_comp_xform_type)v;
		if (v != RTE_COMP_COMPRESS && v != RTE_COMP_DECOMPRESS)
			refused_by_both(dev, &x, -EINVAL, LINE("transform type %d, expected %d "
				"or %d", v, RTE_COMP_COMPRESS, RTE_COMP_DECOMPRESS));
	}
	refused_by_both(dev, NULL, -EINVAL, "no transform was given");
	x = pmd_deflate_xform;
	x.compress.algo = RTE_COMP_ALGO_NULL;
	accepted(dev, XFORM, &x);
	refused(dev, STREAM, &x, -ENOTSUP, "stream with algorithm 1, expected DEFLATE (2)");
	/* What a copy does not need is not looked at. */
	x.compress.level = 77;
	x.compress.window_size = 0;
	accepted(dev, XFORM, &x);
	pmd_dev_remove(NAME);
}

/* ---- Words --------------------------------------------------------------------------------- */

/* One transform, and what it becomes on one kind of function. */
struct row {
	bool comp;
	uint8_t algo, chksum;
	int level;
	uint8_t huffman, window;
	bool sw;
	uint32_t dw9, dw10;
	uint16_t slot_flags;
	uint8_t codec_level, codec_checksum;
};

static struct rte_comp_xform
row_xform(const struct row *r)
{
	struct rte_comp_xform x = r->comp ? pmd_deflate_xform : pmd_inflate_xform;

	if (!r->comp) {
		x.decompress.algo = (enum rte_comp_algorithm)r->algo;
		x.decompress.chksum = (enum rte_comp_checksum_type)r->chksum;
		x.decompress.window_size = r->window;
		return x;
	}
	x.compress.algo = (enum rte_comp_algorithm)r->algo;
	x.compress.chksum = (enum rte_comp_checksum_type)r->chksum;
	x.compress.level = r->level;
	x.compress.deflate.huffman = (enum rte_comp_huffman)r->huffman;
	x.compress.window_size = r->window;
	return x;
}

static void
check_row(const char *args, uint8_t dev, uint32_t dw7, size_t i, const struct row *r)
{
	struct rte_comp_xform xform = row_xform(r);
	struct hisi_zip_xform *x = pmd_xform(dev, &xform);
	const struct hisi_zip_words *w = &x->words;
	bool deflate = r->comp && r->algo == RTE_COMP_ALGO_DEFLATE;

	PMD_CHECK(w->dw7 == dw7 && w->dw8 == 0 && w->dw9 == r->dw9 && w->dw10 == r->dw10,
		"%s: row %zu: 0x%x 0x%x 0x%x 0x%x", args, i, w->dw7, w->dw8, w->dw9, w->dw10);
	PMD_CHECK((x->sw != 0) == r->sw && x->dir == !r->comp && x->algo == r->algo &&
		x->chksum == r->chksum && x->slot_flags == r->slot_flags, "%s: row %zu: %u %u %u "
		"%u 0x%x", args, i, x->sw, x->dir, x->algo, x->chksum, x->slot_flags);
	PMD_CHECK(x->codec.level == r->codec_level && x->codec.checksum == r->codec_checksum &&
		x->codec.window == (deflate ? r->window : 15) && x->codec.crc32 == 0 &&
		x->codec.huffman == r->huffman && x->codec.adler32 == 1 && x->codec.dict_len == 0 &&
		x->dict.va == NULL, "%s: row %zu: %u %u %u %u", args, i, x->codec.level,
		x->codec.checksum, x->codec.window, x->codec.huffman);
	pmd_xform_free(dev, x);
}

static void
check_rows(const char *args, uint32_t dw7, const struct row *rows, size_t n)
{
	uint8_t dev = pmd_dev_add(NAME, args);

	for (size_t i = 0; i < n; i++)
		check_row(args, dev, dw7, i, &rows[i]);
	pmd_dev_remove(NAME);
}

static void
words(void)
{
	static const struct row v3[] = {
		{ true, 2, 0, -1, 0, 15, false, 0x4001, 0x8000f401, 0, 1, 0 },
		{ true, 2, 0, 0, 0, 15, false, 0x4001, 0x8000f400, 0, 0, 0 },
		{ true, 2, 0, 1, 0, 15, false, 0x4001, 0x8000f401, 0, 1, 0 },
		{ true, 2, 0, 9, 0, 15, false, 0x4001, 0x8000f409, 0, 9, 0 },
		{ true, 2, 0, 1, 1, 15, false, 0x4001, 0x8000f411, 0, 1, 0 },
		{ true, 2, 0, 1, 2, 15, false, 0x4001, 0x8000f421, 0, 1, 0 },
		{ true, 2, 0, 1, 0, 14, false, 0x2001, 0x8000e401, 0, 1, 0 },
		{ true, 2, 0, 1, 0, 13, false, 0x1001, 0x8000d401, 0, 1, 0 },
		{ true, 2, 0, 1, 0, 12, false, 0x0001, 0x8000c401, 0, 1, 0 },
		{ true, 2, 0, 1, 0, 11, false, 0x0001, 0x8000b401, 0, 1, 0 },
		{ true, 2, 0, 1, 0, 8, false, 0x0001, 0x80008401, 0, 1, 0 },
		{ true, 2, 1, 1, 0, 15, false, 0x4001, 0x8000f441, 1, 1, 1 },
		{ true, 2, 2, 1, 0, 15, false, 0x4001, 0x8000f481, 1, 1, 2 },
		{ true, 2, 3, 1, 0, 15, false, 0x4001, 0x8000f4c1, 1, 1, 3 },
		{ false, 2, 0, 0, 0, 15, false, 0x4001, 0x8000f001, 0, 1, 0 },
		{ false, 2, 3, 0, 0, 8, false, 0x4001, 0x8000f0c1, 1, 1, 3 },
		{ true, 1, 0, 9, 0, 9, false, 0xf0, 0x8000f001, 0, 1, 0 },
		{ true, 1, 1, 1, 0, 15, false, 0xf0, 0x8000f041, 1, 1, 1 },
		{ false, 1, 2, 1, 0, 15, false, 0xf0, 0x8000f081, 1, 1, 2 },
	}, plain[] = {
		{ true, 2, 0, -1, 0, 15, false, 0x4001, 0, 0, 1, 0 },
		{ true, 2, 0, 1, 0, 15, false, 0x4001, 0, 0, 1, 0 },
		{ true, 2, 0, 0, 0, 15, true, 0x4001, 0, 0, 0, 0 },
		{ true, 2, 0, 2, 0, 15, false, 0x4001, 0, 0, 2, 0 },
		{ true, 2, 0, 9, 0, 15, false, 0x4001, 0, 0, 9, 0 },
		{ true, 2, 0, 1, 1, 15, true, 0x4001, 0, 0, 1, 0 },
		{ true, 2, 0, 1, 2, 15, false, 0x4001, 0, 0, 1, 0 },
		{ true, 2, 0, 1, 0, 14, false, 0x2001, 0, 0, 1, 0 },
		{ true, 2, 0, 1, 0, 12, false, 0x0001, 0, 0, 1, 0 },
		{ true, 2, 0, 1, 0, 11, true, 0x0001, 0, 0, 1, 0 },
		/* gzip's and zlib's requests return one checksum each; both are the CPU's. */
		{ true, 2, 1, 1, 0, 15, false, 0x4003, 0, 0x40, 1, 1 },
		{ true, 2, 2, 1, 0, 15, false, 0x4002, 0, 0x40, 1, 2 },
		{ true, 2, 3, 1, 0, 15, false, 0x4001, 0, 0x40, 1, 3 },
		{ false, 2, 0, 1, 0, 8, false, 0x4001, 0, 0, 1, 0 },
		{ false, 2, 1, 0, 0, 15, false, 0x4003, 0, 0x40, 1, 1 },
		{ false, 2, 3, 0, 0, 15, false, 0x4001, 0, 0x40, 1, 3 },
		{ true, 1, 0, 1, 0, 15, true, 0xf0, 0, 0, 1, 0 },
		{ false, 1, 0, 1, 0, 15, true, 0xf0, 0, 0, 1, 0 },
	}, exact[] = {
		{ true, 2, 0, -1, 0, 15, false, 0x4001, 0, 0, 1, 0 },
		{ true, 2, 0, 1, 0, 15, false, 0x4001, 0, 0, 1, 0 },
		{ true, 2, 0, 2, 0, 15, true, 0x4001, 0, 0, 2, 0 },
		{ true, 2, 0, 9, 0, 15, true, 0x4001, 0, 0, 9, 0 },
		{ true, 2, 0, 1, 2, 15, false, 0x4001, 0, 0, 1, 0 },
		{ true, 2, 2, 1, 0, 15, false, 0x4002, 0, 0x40, 1, 2 },
	}, plain_alone[] = {
		/* Without software a level is a wish. */
		{ true, 2, 0, -1, 0, 15, false, 0x4001, 0, 0, 1, 0 },
		{ true, 2, 0, 9, 0, 15, false, 0x4001, 0, 0, 9, 0 },
		{ true, 2, 0, 1, 2, 12, false, 0x0001, 0, 0, 1, 0 },
		{ true, 2, 1, 1, 2, 12, false, 0x0003, 0, 0x40, 1, 1 },
		{ true, 2, 3, 1, 2, 12, false, 0x0001, 0, 0x40, 1, 3 },
		{ false, 2, 0, 0, 0, 8, false, 0x4001, 0, 0, 1, 0 },
		{ false, 2, 2, 0, 0, 8, false, 0x4002, 0, 0x40, 1, 2 },
	}, v2[] = {
		{ true, 2, 0, 1, 0, 15, false, 0x0002, 0, 0x40, 1, 0 },
		{ true, 2, 0, 9, 0, 15, false, 0x0002, 0, 0x40, 9, 0 },
		/* There is no window to choose. */
		{ true, 2, 0, 1, 0, 14, true, 0x0002, 0, 0, 1, 0 },
		{ true, 2, 1, 1, 0, 15, false, 0x0003, 0, 0x40, 1, 1 },
		{ true, 2, 3, 1, 0, 15, false, 0x0002, 0, 0x40, 1, 3 },
		{ false, 2, 0, 1, 0, 15, false, 0x0002, 0, 0x40, 1, 0 },
		{ false, 2, 1, 1, 0, 9, false, 0x0003, 0, 0x40, 1, 1 },
		{ true, 1, 0, 1, 0, 15, false, 0xf0, 0x8000f001, 0, 1, 0 },
		{ false, 1, 1, 1, 0, 15, false, 0xf0, 0x8000f041, 1, 1, 1 },
	}, v2_alone[] = {
		{ true, 1, 3, 1, 0, 15, false, 0xf0, 0x8000f0c1, 1, 1, 3 },
		{ true, 2, 0, 9, 0, 15, false, 0x0002, 0, 0x40, 9, 0 },
	}, v2_plain[] = {
		{ true, 2, 0, 1, 0, 15, false, 0x0002, 0, 0x40, 1, 0 },
		{ false, 2, 0, 1, 0, 15, false, 0x0002, 0, 0x40, 1, 0 },
		{ true, 1, 0, 1, 0, 15, true, 0xf0, 0, 0, 1, 0 },
	};

	check_rows("", 0x30000000, v3, RTE_DIM(v3));
	check_rows("sw=off", 0x30000000, v3, RTE_DIM(v3));
	check_rows("ext=off", 0x30000000, plain, RTE_DIM(plain));
	check_rows("ext=off,sw=exact", 0x30000000, exact, RTE_DIM(exact));
	check_rows("ext=off,sw=off", 0x30000000, plain_alone, RTE_DIM(plain_alone));
	check_rows("rev=v2", 0, v2, RTE_DIM(v2));
	check_rows("rev=v2,sw=off", 0, v2_alone, RTE_DIM(v2_alone));
	check_rows("rev=v2,ext=off", 0, v2_plain, RTE_DIM(v2_plain));
}

/* What the function cannot do, and nobody else shall. */
static void
unable(void)
{
	static const struct row rows[] = {
		{ .comp = true, .algo = 2, .level = 0, .window = 15 },
		{ .comp = true, .algo = 2, .level = 1, .huffman = 1, .window = 15 },
		{ .comp = true, .algo = 2, .level = 1, .window = 11 },
		{ .comp = true, .algo = 1 },
		{ .comp = false, .algo = 1 },
	};
	struct rte_comp_xform x;
	uint8_t dev = pmd_dev_add(NAME, "ext=off,sw=off");

	for (size_t i = 0; i < RTE_DIM(rows); i++) {
		x = row_xform(&rows[i]);
		refused_by_both(dev, &x, -ENOTSUP, "the function cannot do this transform "
			"(features 0x0), expected sw=auto");
	}
	pmd_dev_remove(NAME);
	/* V2 has no window to choose. */
	dev = pmd_dev_add(NAME, "rev=v2,sw=off");
	x = pmd_deflate_xform;
	x.compress.window_size = 14;
	refused_by_both(dev, &x, -ENOTSUP, "the function cannot do this transform "
		"(features 0x103ff), expected sw=auto");
	pmd_dev_remove(NAME);
}

/* ---- Streams ------------------------------------------------------------------------------- */

/* Who does a stream. */
enum who {
	FUNCTION, /* alone */
	BOTH,     /* the function, and software where it fails */
	SOFTWARE, /* alone */
};

static void
check_stream(const char *args, const struct rte_comp_xform *xform, enum who who)
{
	uint8_t dev = pmd_dev_add(NAME, args);
	struct pmd_usage before = pmd_usage_get();
	struct hisi_zip_stream *s;
	void *made;
	int ret;

	sw_streams = 0; /* of a function that was asked for known answers, which has some */
	ret = rte_compressdev_stream_create(dev, xform, &made);
	PMD_CHECK(ret == 0, "%s: returned %d", args, ret);
	s = made;
	PMD_CHECK((s->x.sw != 0) == (who == SOFTWARE) && (s->sw != NULL) == (who != FUNCTION) &&
		(s->ctx.va != NULL) == (who != SOFTWARE) && !s->in_software &&
		!s->state.started && !s->dead && s->busy == 0, "%s: %u %p %p", args, s->x.sw,
		(void *)s->sw, s->ctx.va);
	PMD_CHECK(sw_streams == (who != FUNCTION), "%s: %d", args, sw_streams);
	if (who != SOFTWARE) {
		/* The end of a stream is told to whoever offers to be told. */
		bool offered = s->x.dev->hisi.info.ext_features & HISI_ZIP_EXT_F_RELEASE;
		static uint64_t last_name;
		uint64_t addr = s->name;

		PMD_CHECK(s->ctx.len == 0x10000 && (s->ctx.iova & 63) == 0 && (addr & 63) == 0,
			"%zu bytes at 0x%" PRIx64, s->ctx.len, addr);
		/* By no name that there was, though the buffer may be where the last one was. */
		PMD_CHECK(offered ? addr > last_name : addr == s->ctx.iova, "%s: 0x%" PRIx64
			" after 0x%" PRIx64, args, addr, last_name);
		if (offered)
			last_name = addr;
		released = 0;
		released_addr = addr + CTX_ADDR_OFF;
		unmake(dev, STREAM, s);
		PMD_CHECK(released == offered && released_addr == addr + CTX_ADDR_OFF, "%s: %u, "
			"0x%" PRIx64, args, released, released_addr - addr);
	} else {
		released = 0;
		unmake(dev, STREAM, s);
		PMD_CHECK(released == 0, "%s: the function never had that stream", args);
	}
	PMD_CHECK(sw_streams == 0, "%s: %d", args, sw_streams);
	pmd_usage_check(args, &before);
	pmd_dev_remove(NAME);
}

static void
streams(void)
{
	struct rte_comp_xform nine = pmd_deflate_xform, narrow = nine, tiny = nine, fixed = nine;
	struct rte_comp_xform zero = nine;

	nine.compress.level = 9;
	nine.compress.chksum = RTE_COMP_CHECKSUM_CRC32_ADLER32;
	zero.compress.level = 0;
	narrow.compress.window_size = 12;
	tiny.compress.window_size = 11;
	fixed.compress.deflate.huffman = RTE_COMP_HUFFMAN_FIXED;
	check_stream("", &nine, FUNCTION);
	check_stream("", &pmd_inflate_xform, FUNCTION);
	check_stream("sw=off", &nine, FUNCTION);
	check_stream("ext=off", &nine, BOTH);
	check_stream("ext=off", &narrow, BOTH);
	check_stream("ext=off", &pmd_inflate_xform, BOTH);
	check_stream("ext=off", &tiny, SOFTWARE);
	check_stream("ext=off", &fixed, SOFTWARE);
	check_stream("ext=off", &zero, SOFTWARE);
	check_stream("ext=off,sw=exact", &nine, SOFTWARE);
	check_stream("ext=off,sw=exact", &pmd_deflate_xform, BOTH);
	check_stream("ext=off,sw=off", &pmd_deflate_xform, FUNCTION);
	check_stream("ext=off,sw=off", &pmd_inflate_xform, FUNCTION);
	/* The window of V2 is not known. */
	check_stream("rev=v2,ext=off", &nine, BOTH);
	check_stream("rev=v2,ext=off", &narrow, SOFTWARE);
	check_stream("rev=v2,ext=off", &pmd_inflate_xform, BOTH);
	/* Raw DEFLATE is no part of the extension. */
	check_stream("rev=v2", &pmd_deflate_xform, SOFTWARE);
}

/* A device frees what it made itself, and only that. */
static void
not_ours(void)
{
	static const char other_name[] = NAME "_other";
	uint8_t dev = pmd_dev_add(NAME, ""), other = pmd_dev_add(other_name, "");

	for (enum maker maker = XFORM; maker <= STREAM; maker++) {
		void *made;
		int ret = make(other, maker, &pmd_deflate_xform, &made);

		PMD_CHECK(ret == 0, "returned %d", ret);
		for (int i = 0; i < 2; i++) {
			void *p = i == 0 ? made : NULL;
			char want[256];
			const char *log;

			snprintf(want, sizeof(want), "HISI_ZIP: " NAME ": %s %p was to be freed, "
				"expected one of this device\n",
				maker == XFORM ? "transform" : "stream", p);
			pmd_log_begin();
			ret = unmake_try(dev, maker, p);
			log = pmd_log_end();
			PMD_CHECK(ret == -EINVAL, "returned %d", ret);
			PMD_CHECK(strcmp(log, want) == 0, "%s, expected %s", log, want);
		}
		unmake(other, maker, made);
	}
	pmd_dev_remove(other_name);
	pmd_dev_remove(NAME);
}

static void
no_memory(void)
{
	uint8_t dev = pmd_dev_add(NAME, "");
	char xform[128], stream[128];

	snprintf(xform, sizeof(xform), "no memory for a transform: %zu bytes",
		sizeof(struct hisi_zip_xform));
	snprintf(stream, sizeof(stream), "no memory for a stream: %zu bytes",
		sizeof(struct hisi_zip_stream));
	starve(dev, XFORM, &pmd_deflate_xform, (const char *const[]){ xform, NULL });
	starve(dev, STREAM, &pmd_deflate_xform, (const char *const[]){ stream,
		"no memory for a stream's state (-12)", NULL });
	pmd_dev_remove(NAME);
	dev = pmd_dev_add(NAME, "ext=off");
	starve(dev, STREAM, &pmd_inflate_xform, (const char *const[]){ stream, NULL });
	no_stream = true;
	refused(dev, STREAM, &pmd_inflate_xform, -ENOMEM, "no memory for a stream's state (-12)");
	no_stream = false;
	accepted(dev, STREAM, &pmd_inflate_xform);
	pmd_dev_remove(NAME);
}

int
main(int argc, char **argv)
{
	static const struct pmd_case cases[] = {
		{ "wrong", wrong },
		{ "words", words },
		{ "unable", unable },
		{ "streams", streams },
		{ "not_ours", not_ours },
		{ "no_memory", no_memory },
		{ 0 },
	};

	return pmd_main(argc, argv, &(struct pmd_program){
		.name = "test_pmd_xform", .count = 1, .cases = cases,
	});
}
