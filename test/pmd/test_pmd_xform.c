/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

/*
 * What becomes of a transform: the words of the request, whether the function or
 * software does it, the errno and the line of the log of each wrong field, and
 * that nothing stays behind. Built a second time with the transforms of newer
 * releases (newer_api.h), which adds LZ4 and dictionaries.
 */

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_malloc.h>

#include "hisi_zip_pmd.h"
#include "pmd_test.h"

#define NAME "compress_hisi_zip_xform"
#define CTX_ADDR_OFF 64 /* of the device's address in a stream context buffer */

/* Wrapped: allocations of the driver that are left before one fails; -1: none does. */
static int allocs_left = -1;
static bool no_stream;
static unsigned int released;
static uint64_t released_addr;

void *__real_rte_zmalloc_socket(const char *type, size_t size, unsigned int align, int socket);
void *__wrap_rte_zmalloc_socket(const char *type, size_t size, unsigned int align, int socket);
struct zip_codec_stream *__real_zip_codec_stream_create(enum zip_codec_dir dir,
	const struct zip_codec_params *params);
struct zip_codec_stream *__wrap_zip_codec_stream_create(enum zip_codec_dir dir,
	const struct zip_codec_params *params);
void __real_spim_stream_release(struct spim_dev *dev, uint64_t ctx_addr);
void __wrap_spim_stream_release(struct spim_dev *dev, uint64_t ctx_addr);

void *
__wrap_rte_zmalloc_socket(const char *type, size_t size, unsigned int align, int socket)
{
	if (allocs_left == 0)
		return NULL;
	if (allocs_left > 0)
		allocs_left--;
	return __real_rte_zmalloc_socket(type, size, align, socket);
}

struct zip_codec_stream *
__wrap_zip_codec_stream_create(enum zip_codec_dir dir, const struct zip_codec_params *params)
{
	return no_stream ? NULL : __real_zip_codec_stream_create(dir, params);
}

void
__wrap_spim_stream_release(struct spim_dev *dev, uint64_t ctx_addr)
{
	released++;
	released_addr = ctx_addr;
	__real_spim_stream_release(dev, ctx_addr);
}

/* ---- Making them --------------------------------------------------------------------------- */

enum maker { XFORM, STREAM };

static struct rte_compressdev *
cdev_of(uint8_t dev)
{
	return rte_compressdev_pmd_get_named_dev(rte_compressdev_name_get(dev));
}

/* The driver's own function: compressdev keeps some wrong arguments from it. */
static int
make(uint8_t dev, enum maker maker, const struct rte_comp_xform *xform, void **made)
{
	return (maker == XFORM ? hisi_zip_xform_create : hisi_zip_stream_create)(cdev_of(dev),
		xform, made);
}

static int
unmake_try(uint8_t dev, enum maker maker, void *made)
{
	return (maker == XFORM ? hisi_zip_xform_free : hisi_zip_stream_free)(cdev_of(dev), made);
}

static void
unmake(uint8_t dev, enum maker maker, void *made)
{
	int ret = unmake_try(dev, maker, made);

	PMD_CHECK(ret == 0, "returned %d", ret);
}

/*
 * It is refused with this errno, the log has this one line after the name of the device, and
 * neither memory nor the pointer has changed.
 */
static void __attribute__((format(printf, 5, 6)))
refused(uint8_t dev, enum maker maker, const struct rte_comp_xform *xform, int err,
		const char *fmt, ...)
{
	struct pmd_usage before = pmd_usage_get();
	char want[512] = "HISI_ZIP: " NAME ": ";
	void *made = want;
	const char *log;
	va_list ap;
	int ret;

	va_start(ap, fmt);
	vsnprintf(want + strlen(want), sizeof(want) - strlen(want), fmt, ap);
	va_end(ap);
	strcat(want, "\n");
	pmd_log_begin();
	ret = make(dev, maker, xform, &made);
	log = pmd_log_end();
	PMD_CHECK(ret == err, "%d, expected %d with %s", ret, err, want);
	PMD_CHECK(made == want, "the pointer was written: %s", want);
	PMD_CHECK(strcmp(log, want) == 0, "%s, expected %s", log, want);
	pmd_usage_check(want, &before);
}

static void
refused_by_both(uint8_t dev, const struct rte_comp_xform *xform, int err, const char *line)
{
	refused(dev, XFORM, xform, err, "%s", line);
	refused(dev, STREAM, xform, err, "%s", line);
}

static void
accepted(uint8_t dev, enum maker maker, const struct rte_comp_xform *xform)
{
	struct pmd_usage before = pmd_usage_get();
	void *made = NULL;
	int ret = make(dev, maker, xform, &made);

	PMD_CHECK(ret == 0 && made != NULL, "returned %d", ret);
	unmake(dev, maker, made);
	pmd_usage_check("made and freed", &before);
}

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
	bool deflate = r->comp && r->algo == RTE_COMP_ALGO_DEFLATE;

	PMD_CHECK(x->dw7 == dw7 && x->dw8 == 0 && x->dw9 == r->dw9 && x->dw10 == r->dw10,
		"%s: row %zu: 0x%x 0x%x 0x%x 0x%x", args, i, x->dw7, x->dw8, x->dw9, x->dw10);
	PMD_CHECK(x->sw == r->sw && x->dir == !r->comp && x->algo == r->algo &&
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
		{ true, 2, 0, 2, 0, 15, true, 0x4001, 0, 0, 2, 0 },
		{ true, 2, 0, 9, 0, 15, true, 0x4001, 0, 0, 9, 0 },
		{ true, 2, 0, 1, 1, 15, true, 0x4001, 0, 0, 1, 0 },
		{ true, 2, 0, 1, 2, 15, false, 0x4001, 0, 0, 1, 0 },
		{ true, 2, 0, 1, 0, 14, false, 0x2001, 0, 0, 1, 0 },
		{ true, 2, 0, 1, 0, 12, false, 0x0001, 0, 0, 1, 0 },
		{ true, 2, 0, 1, 0, 11, true, 0x0001, 0, 0, 1, 0 },
		{ true, 2, 1, 1, 0, 15, true, 0x4001, 0, 1, 1, 1 },
		{ true, 2, 2, 1, 0, 15, true, 0x4001, 0, 1, 1, 2 },
		{ false, 2, 0, 0, 0, 8, false, 0x4001, 0, 0, 1, 0 },
		{ false, 2, 1, 0, 0, 15, true, 0x4001, 0, 1, 1, 1 },
		{ true, 1, 0, 1, 0, 15, true, 0xf0, 0, 0, 1, 0 },
		{ false, 1, 0, 1, 0, 15, true, 0xf0, 0, 0, 1, 0 },
	}, plain_alone[] = {
		/* Without software a level is a wish. */
		{ true, 2, 0, -1, 0, 15, false, 0x4001, 0, 0, 1, 0 },
		{ true, 2, 0, 9, 0, 15, false, 0x4001, 0, 0, 9, 0 },
		{ true, 2, 0, 1, 2, 12, false, 0x0001, 0, 0, 1, 0 },
		{ false, 2, 0, 0, 0, 8, false, 0x4001, 0, 0, 1, 0 },
	}, v2[] = {
		{ true, 2, 0, 1, 0, 15, true, 0x4001, 0x8000f401, 0, 1, 0 },
		{ false, 2, 0, 1, 0, 15, true, 0x4001, 0x8000f001, 0, 1, 0 },
		{ true, 1, 0, 1, 0, 15, false, 0xf0, 0x8000f001, 0, 1, 0 },
		{ false, 1, 1, 1, 0, 15, false, 0xf0, 0x8000f041, 1, 1, 1 },
	}, v2_alone[] = {
		{ true, 1, 3, 1, 0, 15, false, 0xf0, 0x8000f0c1, 1, 1, 3 },
	}, v2_plain[] = {
		{ true, 2, 0, 1, 0, 15, true, 0x4001, 0, 0, 1, 0 },
		{ false, 2, 0, 1, 0, 15, true, 0x4001, 0, 0, 1, 0 },
		{ true, 1, 0, 1, 0, 15, true, 0xf0, 0, 0, 1, 0 },
	};

	check_rows("", 0x30000000, v3, RTE_DIM(v3));
	check_rows("sw=off", 0x30000000, v3, RTE_DIM(v3));
	check_rows("ext=off", 0x30000000, plain, RTE_DIM(plain));
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
		{ .comp = true, .algo = 2, .level = 1, .window = 15, .chksum = 1 },
		{ .comp = false, .algo = 2, .window = 15, .chksum = 2 },
		{ .comp = true, .algo = 1 },
		{ .comp = false, .algo = 1 },
	};
	struct rte_comp_xform x;
	uint8_t dev = pmd_dev_add(NAME, "ext=off,sw=off");

	for (size_t i = 0; i < RTE_DIM(rows); i++) {
		x = row_xform(&rows[i]);
		refused_by_both(dev, &x, -ENOTSUP, "the function cannot do this transform "
			"(features 0x0), expected sw=on");
	}
	pmd_dev_remove(NAME);
	dev = pmd_dev_add(NAME, "rev=v2,sw=off");
	refused_by_both(dev, &pmd_deflate_xform, -ENOTSUP, "the function cannot do this transform "
		"(features 0x3ff), expected sw=on");
	refused_by_both(dev, &pmd_inflate_xform, -ENOTSUP, "the function cannot do this transform "
		"(features 0x3ff), expected sw=on");
	pmd_dev_remove(NAME);
}

/* ---- Streams ------------------------------------------------------------------------------- */

static void
check_stream(const char *args, const struct rte_comp_xform *xform, bool sw)
{
	uint8_t dev = pmd_dev_add(NAME, args);
	struct pmd_usage before = pmd_usage_get();
	struct hisi_zip_stream *s;
	void *made;
	int ret;

	ret = rte_compressdev_stream_create(dev, xform, &made);
	PMD_CHECK(ret == 0, "%s: returned %d", args, ret);
	s = made;
	PMD_CHECK(s->x.sw == sw && (s->sw != NULL) == sw && (s->ctx.va != NULL) == !sw &&
		!s->started && !s->dead && s->busy == 0, "%s: %u %p %p", args, s->x.sw,
		(void *)s->sw, s->ctx.va);
	if (!sw) {
		uint64_t addr = s->ctx.iova;

		PMD_CHECK(s->ctx.len == 0x10000 && (addr & 63) == 0, "%zu bytes "
			"at 0x%" PRIx64, s->ctx.len, addr);
		released = 0;
		unmake(dev, STREAM, s);
		PMD_CHECK(released == 1 && released_addr == addr + CTX_ADDR_OFF, "%u, 0x%" PRIx64,
			released, released_addr - addr);
	} else {
		released = 0;
		unmake(dev, STREAM, s);
		PMD_CHECK(released == 0, "%s: the function never had that stream", args);
	}
	pmd_usage_check(args, &before);
	pmd_dev_remove(NAME);
}

static void
streams(void)
{
	struct rte_comp_xform nine = pmd_deflate_xform;

	nine.compress.level = 9;
	check_stream("", &nine, false);
	check_stream("", &pmd_inflate_xform, false);
	check_stream("sw=off", &nine, false);
	check_stream("ext=off", &pmd_deflate_xform, true);
	check_stream("ext=off", &pmd_inflate_xform, true);
	check_stream("ext=off,sw=off", &nine, false);
	check_stream("ext=off,sw=off", &pmd_inflate_xform, false);
	check_stream("rev=v2", &pmd_deflate_xform, true);
	check_stream("rev=v2,ext=off", &pmd_inflate_xform, true);
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

/* ---- Memory -------------------------------------------------------------------------------- */

/* Each allocation fails once, in turn. */
static void
starve(uint8_t dev, enum maker maker, const struct rte_comp_xform *xform,
		const char *const *lines)
{
	for (int n = 0; lines[n] != NULL; n++) {
		allocs_left = n;
		refused(dev, maker, xform, -ENOMEM, "%s", lines[n]);
		allocs_left = -1;
	}
	accepted(dev, maker, xform);
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
#if HISI_ZIP_HAVE_UDC
	{
		struct rte_comp_xform c = pmd_deflate_xform;
		uint8_t dict[100] = { 1 };

		c.compress.deflate.dictionary = dict;
		c.compress.deflate.dictionary_len = sizeof(dict);
		starve(dev, XFORM, &c, (const char *const[]){ xform,
			"no memory for a dictionary: 100 bytes", NULL });
		starve(dev, XFORM, &c, (const char *const[]){ xform, NULL });
	}
#endif
	pmd_dev_remove(NAME);
}

/* ---- LZ4 ----------------------------------------------------------------------------------- */

#if HISI_ZIP_HAVE_LZ4

static const struct rte_comp_xform lz4_xform = {
	.type = RTE_COMP_COMPRESS,
	.compress = {
		.algo = (enum rte_comp_algorithm)RTE_COMP_ALGO_LZ4, .level = 1, .window_size = 16,
	},
}, unlz4_xform = {
	.type = RTE_COMP_DECOMPRESS,
	.decompress = {
		.algo = (enum rte_comp_algorithm)RTE_COMP_ALGO_LZ4, .window_size = 16,
	},
};

static void
lz4_word(uint8_t dev, const struct rte_comp_xform *xform, bool sw, uint32_t dw10)
{
	struct hisi_zip_xform *x = pmd_xform(dev, xform);

	PMD_CHECK(x->sw == sw && x->dw9 == 0xf1 && x->dw10 == dw10, "%u 0x%x 0x%x", x->sw, x->dw9,
		x->dw10);
	pmd_xform_free(dev, x);
}

static void
lz4(void)
{
	uint8_t dev = pmd_dev_add(NAME, "");
	struct rte_comp_xform x;

	lz4_word(dev, &lz4_xform, false, 0x80000001);
	lz4_word(dev, &unlz4_xform, false, 0x8000f001);
	x = lz4_xform;
	x.compress.level = 9;
	x.compress.window_size = 8;
	x.compress.lz4.flags = 0x3c;
	x.compress.chksum = (enum rte_comp_checksum_type)RTE_COMP_CHECKSUM_XXHASH32;
	lz4_word(dev, &x, false, 0x807c8009);
	for (unsigned int bit = 0; bit < 8; bit++) {
		x.compress.lz4.flags = (uint8_t)(1u << bit);
		if (bit >= 2 && bit <= 5)
			lz4_word(dev, &x, false, 0x80408009 | 1u << (bit + 16));
		else
			refused_by_both(dev, &x, -ENOTSUP, bit == 0 ?
				"LZ4 flags 0x1, expected of 0x3c" : bit == 1 ?
				"LZ4 flags 0x2, expected of 0x3c" : bit == 6 ?
				"LZ4 flags 0x40, expected of 0x3c" :
				"LZ4 flags 0x80, expected of 0x3c");
	}
	x = lz4_xform;
	for (int v = 0; v <= 6; v++) {
		char line[128];

		x.compress.chksum = (enum rte_comp_checksum_type)v;
		if (v == 0 || v == RTE_COMP_CHECKSUM_XXHASH32)
			continue;
		snprintf(line, sizeof(line), "compress checksum type %d with LZ4, expected none "
			"(0) or xxHash-32 (4)", v);
		refused_by_both(dev, &x, -ENOTSUP, line);
	}
	x = unlz4_xform;
	x.decompress.chksum = RTE_COMP_CHECKSUM_CRC32;
	refused_by_both(dev, &x, -ENOTSUP, "decompress checksum type 1 with LZ4, expected none "
		"(0) or xxHash-32 (4)");
	x = unlz4_xform;
	x.decompress.window_size = 17;
	refused_by_both(dev, &x, -EINVAL, "decompress window size 2^17, expected 2^8 to 2^16");
	x = lz4_xform;
	x.compress.window_size = 17;
	refused_by_both(dev, &x, -EINVAL, "compress window size 2^17, expected 2^8 to 2^16");
	x.compress.window_size = 7;
	refused_by_both(dev, &x, -EINVAL, "compress window size 2^7, expected 2^8 to 2^16");
	x = lz4_xform;
	x.compress.level = 10;
	refused_by_both(dev, &x, -EINVAL, "compression level 10, expected -1 to 9");
	refused(dev, STREAM, &lz4_xform, -ENOTSUP, "stream with algorithm 4, expected DEFLATE (2)");
	pmd_dev_remove(NAME);

	/* Neither the revision nor a level counts; plain silicon has none of it. */
	dev = pmd_dev_add(NAME, "rev=v2,sw=off");
	x = lz4_xform;
	x.compress.level = 9;
	lz4_word(dev, &x, false, 0x80000009);
	pmd_dev_remove(NAME);
	dev = pmd_dev_add(NAME, "ext=off");
	lz4_word(dev, &lz4_xform, true, 0);
	lz4_word(dev, &unlz4_xform, true, 0);
	pmd_dev_remove(NAME);
	dev = pmd_dev_add(NAME, "ext=off,sw=off");
	refused_by_both(dev, &lz4_xform, -ENOTSUP, "the function cannot do this transform "
		"(features 0x0), expected sw=on");
	pmd_dev_remove(NAME);
}

#endif

/* ---- Dictionaries -------------------------------------------------------------------------- */

#if HISI_ZIP_HAVE_UDC

static struct rte_comp_xform
with_dict(bool comp, uint8_t *dict, uint16_t len, int chksum)
{
	struct rte_comp_xform x = comp ? pmd_deflate_xform : pmd_inflate_xform;

	if (comp) {
		x.compress.deflate.dictionary = dict;
		x.compress.deflate.dictionary_len = len;
		x.compress.chksum = (enum rte_comp_checksum_type)chksum;
	} else {
		x.decompress.inflate.dictionary = dict;
		x.decompress.inflate.dictionary_len = len;
		x.decompress.chksum = (enum rte_comp_checksum_type)chksum;
	}
	return x;
}

/* The checksum of TS 38.323: the digits of the first and the last four bytes, inverted. */
static uint8_t
udc(const uint8_t *dict, size_t len)
{
	uint8_t eight[8];
	int sum = 0;

	memcpy(eight, dict, 4);
	memcpy(eight + 4, dict + len - 4, 4);
	for (int i = 0; i < 16; i++)
		sum += eight[i / 2] / (i % 2 == 0 ? 16 : 1) % 16;
	return (uint8_t)(15 - sum % 16);
}

static void
dict_kept(uint8_t dev, bool comp, uint8_t *dict, uint16_t len, int chksum, bool sw)
{
	struct rte_comp_xform xform = with_dict(comp, dict, len, chksum);
	struct pmd_usage before = pmd_usage_get();
	uint32_t kept = RTE_MIN(len, 32768);
	struct hisi_zip_xform *x = pmd_xform(dev, &xform);
	bool is_udc = chksum == RTE_COMP_CHECKSUM_3GPP_PDCP_UDC;

	PMD_CHECK(x->sw == sw && x->codec.dict_len == kept && x->codec.dict == x->dict.va &&
		x->dict.len == kept && x->codec.dict != dict, "%u of %u", x->codec.dict_len, len);
	PMD_CHECK(memcmp(x->codec.dict, dict + len - kept, kept) == 0, "not its end");
	PMD_CHECK(x->slot_flags == (0x10 | (chksum != 0 ? 0x1 : 0) | (is_udc ? 0x20 : 0)),
		"0x%x", x->slot_flags);
	PMD_CHECK(x->udc == (is_udc ? udc(dict, len) : 0), "%u", x->udc);
	PMD_CHECK(sw || x->dw10 == (0x8000f801 | (chksum == 1 ? 0x40 : 0)), "0x%x", x->dw10);
	pmd_xform_free(dev, x);
	pmd_usage_check("a dictionary", &before);
}

static void
dictionaries(void)
{
	static const uint16_t lens[] = { 1, 3, 4, 5, 8, 100, 32767, 32768, 32769, 65535 };
	static uint8_t dict[65535];
	uint8_t dev = pmd_dev_add(NAME, "");
	struct rte_comp_xform x;
	struct rng rng;

	pmd_rng(&rng);
	for (size_t i = 0; i < sizeof(dict); i++)
		dict[i] = (uint8_t)rng_next(&rng);
	for (int sw = 0; sw < 2; sw++) {
		for (size_t i = 0; i < RTE_DIM(lens); i++) {
			for (int comp = 0; comp < 2; comp++) {
				dict_kept(dev, comp, dict, lens[i], 0, sw);
				dict_kept(dev, comp, dict, lens[i], 1, sw);
				if (lens[i] >= 4)
					dict_kept(dev, comp, dict, lens[i], 5, sw);
			}
		}
		if (sw == 1)
			break;
		pmd_dev_remove(NAME);
		dev = pmd_dev_add(NAME, "ext=off");
	}
	for (int comp = 0; comp < 2; comp++) {
		for (uint16_t len = 0; len < 4; len++) {
			char line[128];

			snprintf(line, sizeof(line), "UDC checksum of a dictionary of %u bytes, "
				"expected 4 at least", len);
			x = with_dict(comp, dict, len, 5);
			refused_by_both(dev, &x, -EINVAL, line);
		}
		x = with_dict(comp, NULL, 1000, 0);
		refused_by_both(dev, &x, -EINVAL, "dictionary of 1000 bytes at NULL, expected an "
			"address");
		x = with_dict(comp, NULL, 0, 0);
		accepted(dev, XFORM, &x);
		x = with_dict(comp, dict, 40000, 0);
		refused(dev, STREAM, &x, -ENOTSUP, "stream with a dictionary of 32768 bytes, "
			"expected none");
		/* Only DEFLATE has dictionaries; for the others the field means nothing. */
		x = with_dict(comp, NULL, 1000, 0);
		*(comp ? &x.compress.algo : &x.decompress.algo) = RTE_COMP_ALGO_NULL;
		accepted(dev, XFORM, &x);
	}
	pmd_dev_remove(NAME);
	dev = pmd_dev_add(NAME, "ext=off,sw=off");
	x = with_dict(true, dict, 100, 0);
	refused(dev, XFORM, &x, -ENOTSUP, "the function cannot do this transform (features 0x0), "
		"expected sw=on");
	pmd_dev_remove(NAME);
}

#endif

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
#if HISI_ZIP_HAVE_LZ4
		{ "lz4", lz4 },
#endif
#if HISI_ZIP_HAVE_UDC
		{ "dictionaries", dictionaries },
#endif
		{ 0 },
	};

	return pmd_main(argc, argv, &(struct pmd_program){
		.name = "test_pmd_xform", .count = 1, .cases = cases,
	});
}
