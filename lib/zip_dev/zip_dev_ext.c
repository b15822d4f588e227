/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include "zip_dev_request.h"

/*
 * What the extension offers that silicon has nothing like: LZ4, and dictionaries.
 * Its choices for the silicon's own requests are zip_dev_request.c's.
 */

uint32_t
zip_dev_lz4_check(uint32_t w, bool compress, struct zip_codec_params *params)
{
	const uint32_t ours = HISI_ZIP_EXT_VALID | HISI_ZIP_EXT_XXH32 |
		HISI_ZIP_EXT_LZ4_MASK << HISI_ZIP_EXT_LZ4_SHIFT |
		HISI_ZIP_EXT_LEVEL_MASK << HISI_ZIP_EXT_LEVEL_SHIFT |
		HISI_ZIP_EXT_WINDOW_MASK << HISI_ZIP_EXT_WINDOW_SHIFT;
	unsigned int level = w >> HISI_ZIP_EXT_LEVEL_SHIFT & HISI_ZIP_EXT_LEVEL_MASK;
	unsigned int window = w >> HISI_ZIP_EXT_WINDOW_SHIFT & HISI_ZIP_EXT_WINDOW_MASK;
	unsigned int flags = w >> HISI_ZIP_EXT_LZ4_SHIFT & HISI_ZIP_EXT_LZ4_MASK;

	if ((w & ~ours) != 0)
		return HISI_ZIP_BAD_SQE;
	params->checksum = w & HISI_ZIP_EXT_XXH32 ? ZIP_CODEC_XXH32 : 0;
	if (!compress)
		return HISI_ZIP_OK;
	if (window == 0)
		window = ZIP_CODEC_LZ4_WINDOW_MAX;
	if (level > ZIP_CODEC_LEVEL_MAX || window < ZIP_CODEC_WINDOW_MIN)
		return HISI_ZIP_BAD_SQE;
	params->level = (uint8_t)level;
	params->window = (uint8_t)window;
	params->lz4_flags = (uint8_t)(flags << 2);
	return HISI_ZIP_OK;
}

int
zip_dev_lz4_run(const struct zip_dev_run *x, bool compress, const struct zip_codec_params *params,
		struct zip_codec_result *res)
{
	int (*run)(struct zip_codec *, const struct zip_codec_params *, const struct iovec *,
		unsigned int, const struct iovec *, unsigned int, struct zip_codec_result *) =
		compress ? zip_codec_lz4_compress : zip_codec_lz4_decompress;

	return run(x->exec->codec, params, x->bufs->src.iov, x->bufs->src.cnt, x->bufs->dst.iov,
			x->bufs->dst.cnt, res);
}

/* The codecs want it in one segment. Its own segments are described where the input's will be. */
uint32_t
zip_dev_dict_take(const struct zip_dev_run *x, const struct hisi_zip_sqe *sqe,
		struct zip_codec_params *params)
{
	int rc = qm_dev_buf_flat(&x->bufs->view, sqe->dw24 | (uint64_t)sqe->dw25 << 32,
			params->dict_len, QM_DEV_PROT_READ, &x->bufs->src);

	if (rc != 0)
		return zip_dev_buf_status(rc);
	qm_dev_buf_read(&x->bufs->src, 0, x->exec->dict, params->dict_len);
	params->dict = x->exec->dict;
	return HISI_ZIP_OK;
}
