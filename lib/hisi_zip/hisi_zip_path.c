/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include "hisi_zip_path.h"
#include "hisi_zip_sqe.h"

const char *
hisi_zip_path_name(enum hisi_zip_path path)
{
	static const char *const names[HISI_ZIP_PATHS] = {
		[HISI_ZIP_PATH_COMP_RAW] = "comp_raw",
		[HISI_ZIP_PATH_COMP_ZLIB] = "comp_zlib",
		[HISI_ZIP_PATH_COMP_GZIP] = "comp_gzip",
		[HISI_ZIP_PATH_COMP_SGL] = "comp_sgl",
		[HISI_ZIP_PATH_DECOMP_RAW] = "decomp_raw",
		[HISI_ZIP_PATH_DECOMP_ZLIB] = "decomp_zlib",
		[HISI_ZIP_PATH_DECOMP_GZIP] = "decomp_gzip",
		[HISI_ZIP_PATH_DECOMP_SGL] = "decomp_sgl",
		[HISI_ZIP_PATH_STREAM_COMP] = "stream_comp",
		[HISI_ZIP_PATH_STREAM_COMP_SGL] = "stream_comp_sgl",
		[HISI_ZIP_PATH_STREAM_DECOMP] = "stream_decomp",
		[HISI_ZIP_PATH_STREAM_DECOMP_SGL] = "stream_decomp_sgl",
		[HISI_ZIP_PATH_EXT_COMP] = "ext_comp",
		[HISI_ZIP_PATH_EXT_DECOMP] = "ext_decomp",
	};

	return names[path];
}

uint32_t
hisi_zip_paths_of(uint8_t dir)
{
	const uint32_t decomp = HISI_ZIP_PATH_BIT(HISI_ZIP_PATH_DECOMP_RAW) |
		HISI_ZIP_PATH_BIT(HISI_ZIP_PATH_DECOMP_ZLIB) |
		HISI_ZIP_PATH_BIT(HISI_ZIP_PATH_DECOMP_GZIP) |
		HISI_ZIP_PATH_BIT(HISI_ZIP_PATH_DECOMP_SGL) |
		HISI_ZIP_PATH_BIT(HISI_ZIP_PATH_STREAM_DECOMP) |
		HISI_ZIP_PATH_BIT(HISI_ZIP_PATH_STREAM_DECOMP_SGL) |
		HISI_ZIP_PATH_BIT(HISI_ZIP_PATH_EXT_DECOMP);
	const uint32_t all = HISI_ZIP_PATH_BIT(HISI_ZIP_PATHS) - 1;

	return dir == HISI_ZIP_QC_DECOMPRESS ? decomp : all & ~decomp;
}

uint32_t
hisi_zip_paths_usable(const struct hisi_zip_paths *paths)
{
	uint32_t bits = 0;

	for (enum hisi_zip_path path = 0; path < HISI_ZIP_PATHS; path++) {
		if (paths->path[path].state != HISI_ZIP_PATH_OFF)
			bits |= HISI_ZIP_PATH_BIT(path);
	}
	return bits;
}

uint32_t
hisi_zip_paths_sums(const struct hisi_zip_paths *paths)
{
	uint32_t bits = 0;

	for (enum hisi_zip_path path = 0; path < HISI_ZIP_PATHS; path++) {
		if (paths->path[path].state == HISI_ZIP_PATH_ON &&
				paths->path[path].sum != HISI_ZIP_SUM_NONE)
			bits |= HISI_ZIP_PATH_BIT(path);
	}
	return bits;
}
