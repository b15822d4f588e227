/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <rte_malloc.h>

#include "hisi_zip_compat.h"
#include "hisi_zip_dev.h"
#include "hisi_zip_devargs.h"
#include "hisi_zip_log.h"
#include "hisi_zip_stats.h"
#include "hisi_zip_xform.h"

#define DEFAULT_LEVEL 1 /* as the other software drivers choose for the fastest useful one */

/* The extension's numbers of Huffman kinds are the codec's. */
static_assert((int)HISI_ZIP_EXT_HUFFMAN_FIXED == (int)ZIP_CODEC_HUFFMAN_FIXED &&
	(int)HISI_ZIP_EXT_HUFFMAN_DYNAMIC == (int)ZIP_CODEC_HUFFMAN_DYNAMIC, "Huffman kinds");

/*
 * The checksum of 3GPP PDCP uplink data compression: over the first and the
 * last four bytes of the dictionary, half a byte at a time.
 */
#define HISI_ZIP_UDC_DICT_MIN 4u

static uint8_t
udc_checksum(const uint8_t *dict, size_t len)
{
	unsigned int sum = 0;

	for (unsigned int i = 0; i < 4; i++) {
		const uint8_t first = dict[i], last = dict[len - 4 + i];

		sum += (first & 0xf) + (first >> 4) + (last & 0xf) + (last >> 4);
	}
	return ~sum & 0xf;
}

/* What a transform asks for, in the function's terms. */
static struct hisi_zip_job
job_of(const struct hisi_zip_xform *x)
{
	bool deflate = x->algo == RTE_COMP_ALGO_DEFLATE;

	return (struct hisi_zip_job){
		.dir = x->dir,
		.format = deflate ? HISI_ZIP_FORMAT_DEFLATE : x->algo == RTE_COMP_ALGO_NULL ?
			HISI_ZIP_FORMAT_COPY : HISI_ZIP_FORMAT_LZ4,
		.checksums = (x->codec.checksum & ZIP_CODEC_CRC32 ? HISI_ZIP_EXT_CRC32 : 0) |
			(x->codec.checksum & ZIP_CODEC_ADLER32 ? HISI_ZIP_EXT_ADLER32 : 0) |
			(x->codec.checksum & ZIP_CODEC_XXH32 ? HISI_ZIP_EXT_XXH32 : 0),
		.dict = x->codec.dict_len != 0,
		.level = x->codec.level,
		.huffman = (uint8_t)x->codec.huffman,
		.window = x->codec.window,
		.lz4_flags = x->codec.lz4_flags,
		.partial = x->dir == HISI_ZIP_COMP && deflate && x->codec.dict_len == 0,
	};
}

/*
 * Why can the function itself not do what the transform asks? Fills in the job that it can do:
 * where it returns no checksum, the CPU makes that beside it.
 */
static enum hisi_zip_why
why_software(const struct hisi_zip_dev *dev, const struct hisi_zip_xform *x,
		const struct hisi_zip_function *f, struct hisi_zip_job *job)
{
	const struct hisi_zip_job least = {
		.dir = job->dir, .format = job->format, .level = DEFAULT_LEVEL,
		.window = ZIP_CODEC_WINDOW_MAX,
	};
	struct hisi_zip_job some = least;
	/* Else a level is a wish, as in other hardware that has only one. */
	bool level = x->dir == HISI_ZIP_COMP && x->algo == RTE_COMP_ALGO_DEFLATE &&
		x->codec.level != DEFAULT_LEVEL && dev->sw == HISI_ZIP_SW_EXACT;
	uint32_t wishes = level ? HISI_ZIP_EXT_F_LEVEL : 0;

	if (hisi_zip_can(f, job, wishes))
		return HISI_ZIP_WHY_NOT;
	if (!hisi_zip_can(f, &least, 0))
		return hisi_zip_path_of(f, &least) == HISI_ZIP_PATHS ? HISI_ZIP_WHY_PATH :
			HISI_ZIP_WHY_ALGO;
	some.dict = job->dict;
	if (!hisi_zip_can(f, &some, 0))
		return HISI_ZIP_WHY_DICT;
	some.checksums = job->checksums;
	if (!hisi_zip_can(f, &some, 0)) {
		if (job->format != HISI_ZIP_FORMAT_DEFLATE)
			return HISI_ZIP_WHY_CHECKSUM;
		job->checksums = 0;
	}
	return hisi_zip_can(f, job, wishes) ? HISI_ZIP_WHY_NOT : HISI_ZIP_WHY_WISH;
}

/* The requests of a transform whose API terms have been checked, or why there are none. */
static void
set_requests(struct hisi_zip_dev *dev, struct hisi_zip_xform *x)
{
	struct hisi_zip_job job = job_of(x);
	struct hisi_zip_function f;
	enum hisi_zip_path path;

	/* The first op of a queue pair may be asking known answers. */
	pthread_mutex_lock(&dev->known.lock);
	f = hisi_zip_function_of(dev);
	pthread_mutex_unlock(&dev->known.lock);
	x->sw = (uint8_t)why_software(dev, x, &f, &job);
	hisi_zip_words_set(&x->words, &f, &job);
	path = hisi_zip_path_of(&f, &job);
	if (x->sw != HISI_ZIP_WHY_NOT || path == HISI_ZIP_PATHS)
		return;
	x->paths = HISI_ZIP_PATH_BIT(path);
	if (hisi_zip_path_is_ext(path))
		return;
	x->trailer = (uint8_t)hisi_zip_path_trailer(path);
	x->path = (uint8_t)path;
	x->sums = job.checksums != 0;
	/* dw11 and dw12 are the extension's: the function is not asked for a checksum. */
	if (x->trailer != 0 || (x->slot_flags & HISI_ZIP_SLOT_F_CHKSUM))
		x->slot_flags = (uint16_t)((x->slot_flags & ~HISI_ZIP_SLOT_F_CHKSUM) |
			HISI_ZIP_SLOT_F_PLAIN);
}

static int
check_common(const struct hisi_zip_dev *dev, const char *what, enum rte_comp_algorithm algo,
		enum rte_comp_checksum_type chksum, enum rte_comp_hash_algorithm hash,
		struct hisi_zip_xform *x)
{
	bool lz4 = HISI_ZIP_HAVE_LZ4 && (int)algo == HISI_ZIP_ALGO_LZ4;

	if (algo != RTE_COMP_ALGO_NULL && algo != RTE_COMP_ALGO_DEFLATE && !lz4) {
		HISI_ZIP_LOG(ERR, "%s: %s algorithm %d, expected NULL (%d)%s or DEFLATE (%d)",
			dev->hisi.name, what, algo, RTE_COMP_ALGO_NULL,
			HISI_ZIP_HAVE_LZ4 ? ", LZ4" : "", RTE_COMP_ALGO_DEFLATE);
		return -ENOTSUP;
	}
	x->algo = (uint8_t)algo;
	if (hash != RTE_COMP_HASH_ALGO_NONE) {
		HISI_ZIP_LOG(ERR, "%s: %s hash algorithm %d, expected none (%d)", dev->hisi.name,
			what, hash, RTE_COMP_HASH_ALGO_NONE);
		return -ENOTSUP;
	}
	x->chksum = (uint8_t)chksum;
	if (chksum == RTE_COMP_CHECKSUM_NONE)
		return 0;
	x->slot_flags |= HISI_ZIP_SLOT_F_CHKSUM;
	if (lz4) {
		if ((int)chksum == HISI_ZIP_CHECKSUM_XXHASH32) {
			x->codec.checksum = ZIP_CODEC_XXH32;
			return 0;
		}
		HISI_ZIP_LOG(ERR, "%s: %s checksum type %d with LZ4, expected none (%d) or "
			"xxHash-32 (%d)", dev->hisi.name, what, chksum, RTE_COMP_CHECKSUM_NONE,
			HISI_ZIP_CHECKSUM_XXHASH32);
		return -ENOTSUP;
	}
	if (HISI_ZIP_HAVE_UDC && (int)chksum == HISI_ZIP_CHECKSUM_UDC &&
			algo == RTE_COMP_ALGO_DEFLATE) {
		x->slot_flags |= HISI_ZIP_SLOT_F_UDC;
		return 0;
	}
	switch (chksum) {
	case RTE_COMP_CHECKSUM_CRC32:
		x->codec.checksum = ZIP_CODEC_CRC32;
		break;
	case RTE_COMP_CHECKSUM_ADLER32:
		x->codec.checksum = ZIP_CODEC_ADLER32;
		break;
	case RTE_COMP_CHECKSUM_CRC32_ADLER32:
		x->codec.checksum = ZIP_CODEC_CRC32 | ZIP_CODEC_ADLER32;
		break;
	default:
		HISI_ZIP_LOG(ERR, "%s: %s checksum type %d, expected %d to %d", dev->hisi.name,
			what, chksum, RTE_COMP_CHECKSUM_NONE, RTE_COMP_CHECKSUM_CRC32_ADLER32);
		return -ENOTSUP;
	}
	return 0;
}

static int
check_window(const struct hisi_zip_dev *dev, const char *what, const struct hisi_zip_xform *x,
		uint8_t window)
{
	unsigned int max = x->algo == HISI_ZIP_ALGO_LZ4 ? ZIP_CODEC_LZ4_WINDOW_MAX :
		ZIP_CODEC_WINDOW_MAX;

	if (window >= ZIP_CODEC_WINDOW_MIN && window <= max)
		return 0;
	HISI_ZIP_LOG(ERR, "%s: %s window size 2^%u, expected 2^%u to 2^%u", dev->hisi.name, what,
		window, ZIP_CODEC_WINDOW_MIN, max);
	return -EINVAL;
}

/*
 * Keep a copy of the dictionary where the function can read it. Only what can
 * be referred to counts, which is its end.
 */
static int
set_dict(struct hisi_zip_dev *dev, struct hisi_zip_dict dict, struct hisi_zip_xform *x)
{
	uint32_t skip = dict.len > ZIP_CODEC_DICT_MAX ? dict.len - ZIP_CODEC_DICT_MAX : 0;
	int ret;

	if (x->algo != RTE_COMP_ALGO_DEFLATE)
		return 0;
	if ((x->slot_flags & HISI_ZIP_SLOT_F_UDC) && dict.len < HISI_ZIP_UDC_DICT_MIN) {
		HISI_ZIP_LOG(ERR, "%s: UDC checksum of a dictionary of %u bytes, expected %u at "
			"least", dev->hisi.name, dict.len, HISI_ZIP_UDC_DICT_MIN);
		return -EINVAL;
	}
	if (dict.len == 0)
		return 0;
	if (dict.data == NULL) {
		HISI_ZIP_LOG(ERR, "%s: dictionary of %u bytes at NULL, expected an address",
			dev->hisi.name, dict.len);
		return -EINVAL;
	}
	ret = hisi_dev_alloc(&dev->hisi, dict.len - skip, RTE_CACHE_LINE_SIZE,
		dev->hisi.args.socket_id, &x->dict);
	if (ret != 0) {
		HISI_ZIP_LOG(ERR, "%s: no memory for a dictionary: %u bytes", dev->hisi.name,
			dict.len);
		return ret;
	}
	memcpy(x->dict.va, dict.data + skip, dict.len - skip);
	x->codec.dict = x->dict.va;
	x->codec.dict_len = dict.len - skip;
	x->slot_flags |= HISI_ZIP_SLOT_F_DICT;
	if (x->slot_flags & HISI_ZIP_SLOT_F_UDC)
		x->udc = udc_checksum(dict.data, dict.len);
	return 0;
}

static void
free_dict(struct hisi_zip_xform *x)
{
	if (x->dict.va != NULL)
		hisi_dev_free(&x->dev->hisi, &x->dict);
}

static int
set_compress(const struct hisi_zip_dev *dev, const struct rte_comp_compress_xform *c,
		struct hisi_zip_xform *x)
{
	int ret;

	x->dir = HISI_ZIP_COMP;
	ret = check_common(dev, "compress", c->algo, c->chksum, c->hash_algo, x);
	if (ret != 0 || c->algo == RTE_COMP_ALGO_NULL)
		return ret;
	ret = check_window(dev, "compress", x, c->window_size);
	if (ret != 0)
		return ret;
	x->codec.window = c->window_size;
	if (c->level < RTE_COMP_LEVEL_PMD_DEFAULT || c->level > RTE_COMP_LEVEL_MAX) {
		HISI_ZIP_LOG(ERR, "%s: compression level %d, expected %d to %d", dev->hisi.name,
			c->level, RTE_COMP_LEVEL_PMD_DEFAULT, RTE_COMP_LEVEL_MAX);
		return -EINVAL;
	}
	x->codec.level = c->level == RTE_COMP_LEVEL_PMD_DEFAULT ? DEFAULT_LEVEL :
		(uint8_t)c->level;
	if (x->algo == HISI_ZIP_ALGO_LZ4) {
		x->codec.lz4_flags = hisi_zip_lz4_flags(c);
		if ((x->codec.lz4_flags & ~ZIP_CODEC_LZ4_FLAGS) == 0)
			return 0;
		HISI_ZIP_LOG(ERR, "%s: LZ4 flags 0x%x, expected of 0x%x", dev->hisi.name,
			x->codec.lz4_flags, ZIP_CODEC_LZ4_FLAGS);
		return -ENOTSUP;
	}
	switch (c->deflate.huffman) {
	case RTE_COMP_HUFFMAN_DEFAULT:
		x->codec.huffman = ZIP_CODEC_HUFFMAN_DEFAULT;
		break;
	case RTE_COMP_HUFFMAN_FIXED:
		x->codec.huffman = ZIP_CODEC_HUFFMAN_FIXED;
		break;
	case RTE_COMP_HUFFMAN_DYNAMIC:
		x->codec.huffman = ZIP_CODEC_HUFFMAN_DYNAMIC;
		break;
	default:
		HISI_ZIP_LOG(ERR, "%s: Huffman type %d, expected %d to %d", dev->hisi.name,
			c->deflate.huffman, RTE_COMP_HUFFMAN_DEFAULT, RTE_COMP_HUFFMAN_DYNAMIC);
		return -EINVAL;
	}
	return 0;
}

static int
set_decompress(const struct hisi_zip_dev *dev, const struct rte_comp_decompress_xform *d,
		struct hisi_zip_xform *x)
{
	int ret;

	x->dir = HISI_ZIP_DECOMP;
	ret = check_common(dev, "decompress", d->algo, d->chksum, d->hash_algo, x);
	if (ret != 0 || d->algo == RTE_COMP_ALGO_NULL)
		return ret;
	/* Any stream is accepted whatever window it was made with; still, say what is absurd. */
	return check_window(dev, "decompress", x, d->window_size);
}

/* Fill in a transform from API terms, all of them checked. */
static int
xform_set(struct hisi_zip_dev *dev, const struct rte_comp_xform *xform, struct hisi_zip_xform *x)
{
	int ret;

	if (xform == NULL) {
		HISI_ZIP_LOG(ERR, "%s: no transform was given", dev->hisi.name);
		return -EINVAL;
	}
	*x = (struct hisi_zip_xform){
		.dev = dev,
		.codec = { .level = DEFAULT_LEVEL, .window = ZIP_CODEC_WINDOW_MAX, .adler32 = 1 },
	};
	switch (xform->type) {
	case RTE_COMP_COMPRESS:
		ret = set_compress(dev, &xform->compress, x);
		break;
	case RTE_COMP_DECOMPRESS:
		ret = set_decompress(dev, &xform->decompress, x);
		break;
	default:
		HISI_ZIP_LOG(ERR, "%s: transform type %d, expected %d or %d", dev->hisi.name,
			xform->type, RTE_COMP_COMPRESS, RTE_COMP_DECOMPRESS);
		return -EINVAL;
	}
	if (ret == 0)
		ret = set_dict(dev, hisi_zip_dict_of(xform), x);
	return ret;
}

/* Software would have to do it, and shall not. */
static int
check_sw(const struct hisi_zip_dev *dev, struct hisi_zip_xform *x)
{
	if (!x->sw || dev->sw)
		return 0;
	HISI_ZIP_LOG(ERR, "%s: the function cannot do this transform (features 0x%x), "
		"expected sw=auto", dev->hisi.name, dev->hisi.info.ext_features);
	free_dict(x);
	return -ENOTSUP;
}

int
hisi_zip_xform_create(struct rte_compressdev *cdev, const struct rte_comp_xform *xform,
		void **private_xform)
{
	struct hisi_zip_dev *dev = cdev->data->dev_private;
	struct hisi_zip_xform *x;
	int ret;

	x = rte_zmalloc_socket("hisi_zip_xform", sizeof(*x), RTE_CACHE_LINE_SIZE,
		cdev->data->socket_id);
	if (x == NULL) {
		HISI_ZIP_LOG(ERR, "%s: no memory for a transform: %zu bytes", dev->hisi.name,
			sizeof(*x));
		return -ENOMEM;
	}
	ret = xform_set(dev, xform, x);
	if (ret == 0) {
		set_requests(dev, x);
		ret = check_sw(dev, x);
	}
	if (ret != 0) {
		rte_free(x);
		return ret;
	}
	*private_xform = x;
	return 0;
}

int
hisi_zip_xform_free(struct rte_compressdev *cdev, void *private_xform)
{
	struct hisi_zip_xform *x = private_xform;

	if (x == NULL || x->dev != cdev->data->dev_private) {
		HISI_ZIP_LOG(ERR, "%s: transform %p was to be freed, expected one of this device",
			cdev->data->name, private_xform);
		return -EINVAL;
	}
	free_dict(x);
	x->dev = NULL; /* a second free, or an op that still uses it, is then noticed */
	rte_free(x);
	return 0;
}

/*
 * The same of a stream on a plain function: V2 has zlib's requests for it, whose window is not
 * known, and the driver does the checksums.
 */
static enum hisi_zip_why
why_software_stream(const struct hisi_zip_dev *dev, const struct hisi_zip_xform *x)
{
	const struct hisi_zip_function f = { .revision = HISI_QM_REV_V3,
		.paths = HISI_ZIP_PATH_BIT(HISI_ZIP_PATH_COMP_RAW) |
			HISI_ZIP_PATH_BIT(HISI_ZIP_PATH_DECOMP_RAW) };
	struct hisi_zip_job job = job_of(x);

	job.checksums = 0;
	if (!(rte_atomic_load_explicit(&dev->paths_on, rte_memory_order_relaxed) &
			HISI_ZIP_PATH_BIT(x->dir == HISI_ZIP_COMP ? HISI_ZIP_PATH_STREAM_COMP :
			HISI_ZIP_PATH_STREAM_DECOMP)))
		return HISI_ZIP_WHY_PATH;
	if (!hisi_zip_can(&f, &job, 0))
		return HISI_ZIP_WHY_WISH;
	if (x->dir == HISI_ZIP_COMP && ((dev->sw == HISI_ZIP_SW_EXACT &&
			x->codec.level != DEFAULT_LEVEL) ||
			(dev->hisi.info.revision < HISI_QM_REV_V3 &&
			x->codec.window < ZIP_CODEC_WINDOW_MAX)))
		return HISI_ZIP_WHY_WISH;
	return HISI_ZIP_WHY_NOT;
}

/* Aligned as an address of a buffer would be. One for all devices, as they may share a function. */
static uint64_t
new_name(void)
{
	static RTE_ATOMIC(uint64_t) names;

	return (rte_atomic_fetch_add_explicit(&names, 1, rte_memory_order_relaxed) + 1) *
		RTE_CACHE_LINE_MIN_SIZE;
}

/* Free a stream, also one that is not complete. */
static void
stream_destroy(struct hisi_zip_dev *dev, struct hisi_zip_stream *s)
{
	zip_codec_stream_destroy(s->sw);
	if (s->ctx.va != NULL && !s->ctx_owed)
		hisi_dev_free(&dev->hisi, &s->ctx);
	free(s->plain);
	s->x.dev = NULL; /* a second free, or an op that still uses it, is then noticed */
	rte_free(s);
}

int
hisi_zip_stream_create(struct rte_compressdev *cdev, const struct rte_comp_xform *xform,
		void **stream)
{
	struct hisi_zip_dev *dev = cdev->data->dev_private;
	struct hisi_zip_stream *s;
	int ret;

	s = rte_zmalloc_socket("hisi_zip_stream", sizeof(*s), RTE_CACHE_LINE_SIZE,
		cdev->data->socket_id);
	if (s == NULL) {
		HISI_ZIP_LOG(ERR, "%s: no memory for a stream: %zu bytes", dev->hisi.name,
			sizeof(*s));
		return -ENOMEM;
	}
	ret = xform_set(dev, xform, &s->x);
	if (ret != 0)
		goto fail;
	if (s->x.algo != RTE_COMP_ALGO_DEFLATE) {
		set_requests(dev, &s->x);
		ret = check_sw(dev, &s->x);
		if (ret != 0)
			goto fail;
		HISI_ZIP_LOG(ERR, "%s: stream with algorithm %d, expected DEFLATE (%d)",
			dev->hisi.name, s->x.algo, RTE_COMP_ALGO_DEFLATE);
		ret = -ENOTSUP;
		goto fail;
	}
	if (s->x.codec.dict_len != 0) {
		HISI_ZIP_LOG(ERR, "%s: stream with a dictionary of %u bytes, expected none",
			dev->hisi.name, s->x.codec.dict_len);
		free_dict(&s->x);
		ret = -ENOTSUP;
		goto fail;
	}
	/* The extension brings no raw DEFLATE to V2, where software has streams as one with it. */
	s->is_plain = !(dev->hisi.info.ext_features & HISI_ZIP_EXT_F_FLUSH) ||
		(dev->hisi.info.revision < HISI_QM_REV_V3 && !dev->sw);
	if (s->is_plain)
		s->x.sw = (uint8_t)why_software_stream(dev, &s->x);
	else if (dev->hisi.info.revision < HISI_QM_REV_V3)
		s->x.sw = HISI_ZIP_WHY_STREAM;
	else
		set_requests(dev, &s->x);
	ret = check_sw(dev, &s->x);
	if (ret != 0)
		goto fail;
	s->sum = zip_codec_sum_start(&s->x.codec);
	if (s->x.sw == HISI_ZIP_WHY_NOT)
		ret = hisi_dev_alloc(&dev->hisi, HISI_ZIP_CTX_SIZE, RTE_CACHE_LINE_SIZE,
			cdev->data->socket_id, &s->ctx);
	s->name = dev->hisi.info.ext_features & HISI_ZIP_EXT_F_RELEASE ? new_name() : s->ctx.iova;
	if (ret == 0 && s->is_plain && s->ctx.va != NULL) {
		const struct hisi_zip_function f = { .revision = dev->hisi.info.revision };

		s->plain = malloc(sizeof(*s->plain));
		if (s->plain != NULL)
			hisi_zip_stream_init(s->plain, &f, s->x.dir, s->x.codec.window,
				s->ctx.va);
		else
			ret = -ENOMEM;
	}
	/* Also for what a plain function may leave to be done, and for one that is caught. */
	if (ret == 0 && (s->x.sw != HISI_ZIP_WHY_NOT ||
			(dev->sw && (s->is_plain || dev->verify != 0)))) {
		s->sw = zip_codec_stream_create(s->x.dir == HISI_ZIP_COMP ? ZIP_CODEC_COMPRESS :
			ZIP_CODEC_DECOMPRESS, &s->x.codec);
		ret = s->sw != NULL ? 0 : -ENOMEM;
	}
	if (ret != 0) {
		HISI_ZIP_LOG(ERR, "%s: no memory for a stream's state (%d)", dev->hisi.name, ret);
		goto fail;
	}
	*stream = s;
	return 0;

fail:
	stream_destroy(dev, s);
	return ret;
}

int
hisi_zip_stream_free(struct rte_compressdev *cdev, void *stream)
{
	struct hisi_zip_dev *dev = cdev->data->dev_private;
	struct hisi_zip_stream *s = stream;

	if (s == NULL || s->x.dev != dev) {
		HISI_ZIP_LOG(ERR, "%s: stream %p was to be freed, expected one of this device",
			dev->hisi.name, stream);
		return -EINVAL;
	}
	if (rte_atomic_load_explicit(&s->busy, rte_memory_order_acquire)) {
		HISI_ZIP_LOG(ERR, "%s: stream %p with an op in flight was to be freed, "
			"expected none", dev->hisi.name, stream);
		return -EBUSY;
	}
	if (s->ctx.va != NULL && (dev->hisi.info.ext_features & HISI_ZIP_EXT_F_RELEASE))
		hisi_dev_reg_write64(&dev->hisi, HISI_ZIP_EXT_REG_STREAM_RELEASE,
			s->name + HISI_ZIP_CTX_HW_OFF);
	stream_destroy(dev, s);
	return 0;
}
