/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <errno.h>

#include <zlib.h>

#include "zip_codec_plan.h"

/*
 * What the choices rest on: test/bench/codec_bench.c, C headers ("text") and
 * executables ("binary"), Gbps of uncompressed data on one AVX-512 core,
 * Debian 12 (ISA-L 2.30, libdeflate 1.14, zlib 1.2.13).
 *
 *                     4 KiB text      4 KiB binary    32 KiB text     32 KiB binary
 *   ISA-L 1        26.02 % 2.08    48.56 % 1.34    21.34 % 4.20    45.20 % 2.60
 *   ISA-L 2        26.02 % 2.07    48.56 % 1.34    21.24 % 4.08    44.87 % 2.49
 *   ISA-L 3        25.69 % 1.31    48.44 % 1.05    20.55 % 1.83    44.44 % 1.66
 *   libdeflate 1   25.01 % 1.38    47.66 % 1.10    20.03 % 2.37    43.88 % 1.29
 *   libdeflate 5   23.82 % 0.81    45.43 % 0.61    18.33 % 1.12    40.87 % 0.64
 *   libdeflate 6   23.65 % 0.68    45.35 % 0.65    18.05 % 0.86    40.70 % 0.55
 *   zlib 6         23.70 % 0.49    45.42 % 0.26    18.06 % 0.51    41.04 % 0.24
 *   libdeflate 7   23.59 % 0.63    45.31 % 0.51    17.90 % 0.67    40.59 % 0.45
 *   libdeflate 8   23.54 % 0.45    45.29 % 0.29    17.79 % 0.31    40.54 % 0.21
 *   zlib 9         23.59 % 0.41    45.37 % 0.14    17.86 % 0.23    40.89 % 0.07
 *
 * In a small block there is little to find, so one step less of effort gives
 * the size that zlib has at that level; from 8 KiB on it would not.
 *
 * With fixed codes:
 *   ISA-L 0        30.99 % 4.25    55.69 % 3.78    24.88 % 5.60    51.24 % 3.93
 *   zlib 1         30.46 % 0.76    53.40 % 0.31    24.93 % 1.39    50.01 % 0.61
 *   zlib 3         29.50 % 0.83    52.04 % 0.27    23.29 % 1.00    48.10 % 0.40
 *   zlib 6         27.49 % 0.57    50.14 % 0.18    20.58 % 0.55    45.01 % 0.19
 * so ISA-L for the fast levels, and zlib where size is what is asked for.
 */
#define SMALL_BLOCK ((size_t)8 << 10)

struct level_choice {
	uint8_t engine;
	uint8_t level;
};

#define ISAL(n)  { ZIP_CODEC_ENGINE_ISAL, n }
#define LIBD(n)  { ZIP_CODEC_ENGINE_LIBDEFLATE, n }

/* [block is larger than SMALL_BLOCK][level] */
static const struct level_choice level_choices[2][ZIP_CODEC_LEVEL_MAX + 1] = {
	{
		{ ZIP_CODEC_ENGINE_STORED, 0 },
		ISAL(1), ISAL(2), LIBD(1), LIBD(3), LIBD(4), LIBD(5), LIBD(6), LIBD(7), LIBD(7),
	}, {
		{ ZIP_CODEC_ENGINE_STORED, 0 },
		ISAL(1), ISAL(2), ISAL(3), LIBD(4), LIBD(5), LIBD(6), LIBD(7), LIBD(7), LIBD(8),
	},
};

#define ISAL_LEVEL_MAX 3

/*
 * ISA-L's level 3 is worth its time only where it is vectorized; elsewhere
 * libdeflate's first level is both faster and smaller.
 */
static int
isal_level3_is_fast(void)
{
#if defined(__x86_64__)
	return __builtin_cpu_supports("avx2");
#else
	return 0;
#endif
}

/*
 * zlib wants at least 9 window bits for raw DEFLATE, and then makes distances
 * up to (1 << 9) - 262 = 250, which fit in a window of 8 bits too.
 */
static uint8_t
zlib_window(uint8_t window)
{
	return window < 9 ? 9 : window;
}

static struct zip_codec_plan
plan_zlib(const struct zip_codec_params *params, uint8_t level)
{
	return (struct zip_codec_plan){
		.engine = ZIP_CODEC_ENGINE_ZLIB,
		.level = level,
		.window = zlib_window(params->window),
		.strategy = params->huffman == ZIP_CODEC_HUFFMAN_FIXED ?
			Z_FIXED : Z_DEFAULT_STRATEGY,
	};
}

int
zip_codec_plan_check(const struct zip_codec_params *params)
{
	if (params->level > ZIP_CODEC_LEVEL_MAX ||
			params->window < ZIP_CODEC_WINDOW_MIN ||
			params->window > ZIP_CODEC_WINDOW_MAX ||
			params->huffman > ZIP_CODEC_HUFFMAN_DYNAMIC ||
			(params->checksum & ~(ZIP_CODEC_CRC32 | ZIP_CODEC_ADLER32)) != 0)
		return -EINVAL;
	return 0;
}

struct zip_codec_plan
zip_codec_plan_oneshot(const struct zip_codec_params *params, int whole, size_t len)
{
	const struct level_choice *choice = &level_choices[len > SMALL_BLOCK][params->level];
	struct zip_codec_plan plan = {
		.engine = choice->engine,
		.level = choice->level,
		.window = params->window,
	};

	if (plan.engine == ZIP_CODEC_ENGINE_STORED)
		return plan;

	if (params->huffman == ZIP_CODEC_HUFFMAN_FIXED) {
		if (params->level > ISAL_LEVEL_MAX)
			return plan_zlib(params, params->level);
		plan.engine = ZIP_CODEC_ENGINE_ISAL_FIXED;
		plan.level = 0;
		return plan;
	}

	if (plan.engine == ZIP_CODEC_ENGINE_ISAL && plan.level == 3 && !isal_level3_is_fast())
		plan = (struct zip_codec_plan){
			.engine = ZIP_CODEC_ENGINE_LIBDEFLATE,
			.level = 1,
		};

	/* libdeflate has one window, the largest, and one ending, the final one. */
	if (plan.engine == ZIP_CODEC_ENGINE_LIBDEFLATE &&
			(!whole || len > ((size_t)1 << params->window))) {
		if (params->level > ISAL_LEVEL_MAX)
			return plan_zlib(params, params->level);
		plan = (struct zip_codec_plan){
			.engine = ZIP_CODEC_ENGINE_ISAL,
			.level = isal_level3_is_fast() ? params->level : 2,
			.window = params->window,
		};
	}
	return plan;
}

struct zip_codec_plan
zip_codec_plan_stream(const struct zip_codec_params *params)
{
	return plan_zlib(params, params->level);
}
