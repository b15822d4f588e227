/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <errno.h>
#include <limits.h>

#include <zlib.h>

#include "zip_codec_plan.h"

/*
 * What the choices rest on: codec_bench on the corpora of app/perf.sh, size in %
 * and Gbps of uncompressed data, on one core of a busy AVX-512 machine, Debian 12
 * (ISA-L 2.30, libdeflate 1.14, zlib 1.2.13). Ratios within a column hold.
 *
 *                 4 KiB text    4 KiB binary   32 KiB text   32 KiB binary
 *   ISA-L 1      36.57  1.78    47.92  1.56    31.15  3.85    45.56  2.51
 *   ISA-L 2      36.57  1.76    47.92  1.32    30.87  3.71    45.24  2.49
 *   ISA-L 3      36.04  1.29    47.86  1.10    29.85  2.12    44.96  1.61
 *   libdeflate 1 35.48  1.26    47.16  1.17
 *   libdeflate 4 34.83  0.88    45.50  0.86    28.07  1.04    42.10  0.82
 *   libdeflate 5 34.41  0.73    45.01  0.72    27.53  0.72    41.35  0.68
 *   libdeflate 6 34.34  0.68    44.93  0.64    27.34  0.68    41.17  0.53
 *   zlib 6       34.51  0.45    45.02  0.26    27.39  0.39    41.58  0.22
 *   libdeflate 7 34.31  0.65    44.88  0.49    27.23  0.51    41.07  0.42
 *   libdeflate 8 34.21  0.48    44.86  0.22    27.09  0.28    41.01  0.18
 *   zlib 9       34.47  0.35    44.96  0.12    27.29  0.19    41.34  0.04
 *
 * In a small block there is little to find: one step less of effort gives the
 * size that zlib has at that level. From 16 KiB on it would not, with text that
 * repeats a lot (32 KiB of C headers: 1.8 % more than zlib 6).
 *
 * With fixed codes:
 *   ISA-L 0      45.60  3.73    56.62  4.08    37.29  4.10    52.34  4.28
 *   zlib 1       44.71  0.63    53.54  0.54    37.53  1.08    50.55  0.71
 *   zlib 3       43.36  0.57    52.39  0.46    34.94  0.74    48.86  0.45
 *   zlib 6       41.13  0.50    50.76  0.25    31.53  0.34    46.16  0.24
 * so ISA-L for the fast levels, and zlib where size is what is asked for.
 */
#define SMALL_BLOCK ((size_t)8 << 10)

/*
 * What bounds the time of a call. The levels from 7 on have no bound that is of use: in noise of
 * two letters every place has matches, none of them long, so all that a level allows are tried.
 * Seconds of CPU for 1 MiB of it, and size in % of 8 MB of text and of 1.3 MB of program:
 *
 *                    noise   text    program
 *   libdeflate 6     0.13    17.56   47.34
 *   libdeflate 7     0.38    17.44   47.24
 *   libdeflate 8     0.54    17.28   47.23
 *   zlib 6           0.12    17.59   48.16
 *   zlib 7                   17.52   48.08
 *   zlib 9           3.0     17.45   47.95
 *   zlib 9, chain of 512, 128 matches
 *                    0.64    17.46   48.02
 *                    0.15    17.48   48.14
 *   LZ4 HC 6, 7, 9   0.09 0.15 0.58 (four letters)
 *
 * So a level has all of its effort in short calls, and that of level 6 in long ones: none takes
 * longer than some 50 ms up to 256 KiB, and a second or so with 8 MiB.
 */
#define LEVEL_BOUNDED 6
#define LONG_LEN  ((size_t)64 << 10)
#define SHORT_LEN ((size_t)16 << 10)
#define CHAIN_LONG   128
#define CHAIN_MIDDLE 512

struct level_choice {
	uint8_t backend;
	uint8_t level;
};

#define ISAL(n)  { ZIP_CODEC_BACKEND_ISAL, n }
#define LIBD(n)  { ZIP_CODEC_BACKEND_LIBDEFLATE, n }

/* [block is larger than SMALL_BLOCK][level] */
static const struct level_choice level_choices[2][ZIP_CODEC_LEVEL_MAX + 1] = {
	{
		{ ZIP_CODEC_BACKEND_STORED, 0 },
		ISAL(1), ISAL(2), LIBD(1), LIBD(3), LIBD(4), LIBD(5), LIBD(6), LIBD(7), LIBD(7),
	}, {
		{ ZIP_CODEC_BACKEND_STORED, 0 },
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

unsigned int
zip_codec_plan_chain(size_t len)
{
	return len <= SHORT_LEN ? UINT_MAX : len <= LONG_LEN ? CHAIN_MIDDLE : CHAIN_LONG;
}

uint8_t
zip_codec_plan_lz4(const struct zip_codec_params *params, size_t len)
{
	return len > LONG_LEN && params->level > LEVEL_BOUNDED ? LEVEL_BOUNDED : params->level;
}

static struct zip_codec_plan
plan_zlib(const struct zip_codec_params *params)
{
	return (struct zip_codec_plan){
		.backend = ZIP_CODEC_BACKEND_ZLIB,
		.level = params->level,
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
		.backend = choice->backend,
		.level = choice->level,
		.window = params->window,
	};

	if (plan.backend == ZIP_CODEC_BACKEND_STORED)
		return plan;

	if (params->huffman == ZIP_CODEC_HUFFMAN_FIXED) {
		if (params->level > ISAL_LEVEL_MAX)
			return plan_zlib(params);
		plan.backend = ZIP_CODEC_BACKEND_ISAL_FIXED;
		plan.level = 0;
		return plan;
	}

	if (plan.backend == ZIP_CODEC_BACKEND_ISAL && plan.level == 3 && !isal_level3_is_fast())
		plan = (struct zip_codec_plan){
			.backend = ZIP_CODEC_BACKEND_LIBDEFLATE,
			.level = 1,
		};

	/* libdeflate has one window, the largest, and one ending, the final one. */
	if (plan.backend == ZIP_CODEC_BACKEND_LIBDEFLATE && (!whole || (params->window <
			ZIP_CODEC_WINDOW_MAX && len > ((size_t)1 << params->window)))) {
		if (params->level > ISAL_LEVEL_MAX)
			return plan_zlib(params);
		plan = (struct zip_codec_plan){
			.backend = ZIP_CODEC_BACKEND_ISAL,
			.level = isal_level3_is_fast() ? params->level : 2,
			.window = params->window,
		};
	}
	if (plan.backend == ZIP_CODEC_BACKEND_LIBDEFLATE && len > LONG_LEN &&
			plan.level > LEVEL_BOUNDED)
		plan.level = LEVEL_BOUNDED;
	return plan;
}

struct zip_codec_plan
zip_codec_plan_stream(const struct zip_codec_params *params)
{
	return plan_zlib(params);
}
