/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

/*
 * zip_codec beside the libraries it is made of, block by block, on one core.
 *
 * usage: codec_bench [-b BLOCK] [-r ROUNDS] [-d] FILE...
 *   -b  bytes in a block (default: 4096 and 32768)
 *   -r  rounds (default 7)
 *   -d  decompression only
 *
 * Every line compares zip_codec with one direct use of a library, as a
 * compressdev driver would use it. In each round both run over each slice of
 * the file in turns; the best time of each slice counts, in CPU time of the
 * thread, so that other load on the machine disturbs as little as it can.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <isa-l/igzip_lib.h>
#include <libdeflate.h>
#include <zlib.h>

#include "zip_codec.h"

#define FILE_MAX ((size_t)64 << 20)
#define SLICE ((size_t)512 << 10)

enum peer {
	PEER_ISAL,
	PEER_LIBDEFLATE,
	PEER_ZLIB,
};

static const char * const peer_names[] = { "isal", "libdeflate", "zlib" };

/* A file cut in blocks, and room for each block's output. */
struct corpus {
	uint8_t *data;
	size_t len;
	size_t block;
	size_t blocks;
	uint8_t *packed; /* blocks slots of room bytes */
	size_t room;
	size_t *packed_len;
	uint8_t *out; /* one block */
};

static struct zip_codec *codec;
static struct isal_zstream isal;
static struct inflate_state isal_inflate_state;
static uint8_t isal_level_buf[ISAL_DEF_LVL3_DEFAULT];
static struct libdeflate_compressor *libd;
static struct libdeflate_decompressor *libd_inflate;
static z_stream zlib_deflate, zlib_inflate;

static double
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void
die(const char *what)
{
	fprintf(stderr, "codec_bench: %s\n", what);
	exit(1);
}

static void
peer_setup(enum peer peer, int level, int fixed)
{
	switch (peer) {
	case PEER_LIBDEFLATE:
		libdeflate_free_compressor(libd);
		libd = libdeflate_alloc_compressor(level);
		if (libd == NULL)
			die("libdeflate_alloc_compressor failed");
		break;
	case PEER_ZLIB:
		deflateEnd(&zlib_deflate);
		memset(&zlib_deflate, 0, sizeof(zlib_deflate));
		if (deflateInit2(&zlib_deflate, level, Z_DEFLATED, -15, 8,
				fixed ? Z_FIXED : Z_DEFAULT_STRATEGY) != Z_OK)
			die("deflateInit2 failed");
		break;
	default:
		break;
	}
}

static size_t
peer_deflate(enum peer peer, int level, int fixed, const uint8_t *src, size_t len, uint8_t *dst,
		size_t cap)
{
	static const uint32_t level_buf_size[] = {
		ISAL_DEF_LVL0_DEFAULT, ISAL_DEF_LVL1_DEFAULT,
		ISAL_DEF_LVL2_DEFAULT, ISAL_DEF_LVL3_DEFAULT,
	};

	switch (peer) {
	case PEER_ISAL:
		isal_deflate_init(&isal);
		isal.level = fixed ? 0 : (uint32_t)level;
		isal.level_buf = isal_level_buf;
		isal.level_buf_size = level_buf_size[isal.level];
		isal_deflate_set_hufftables(&isal, NULL,
				fixed ? IGZIP_HUFFTABLE_STATIC : IGZIP_HUFFTABLE_DEFAULT);
		isal.end_of_stream = 1;
		isal.next_in = (uint8_t *)(uintptr_t)src;
		isal.avail_in = (uint32_t)len;
		isal.next_out = dst;
		isal.avail_out = (uint32_t)cap;
		if (isal_deflate_stateless(&isal) != COMP_OK)
			die("isal_deflate_stateless failed");
		return isal.total_out;
	case PEER_LIBDEFLATE:
		return libdeflate_deflate_compress(libd, src, len, dst, cap);
	default:
		zlib_deflate.next_in = (uint8_t *)(uintptr_t)src;
		zlib_deflate.avail_in = (uInt)len;
		zlib_deflate.next_out = dst;
		zlib_deflate.avail_out = (uInt)cap;
		if (deflate(&zlib_deflate, Z_FINISH) != Z_STREAM_END)
			die("deflate failed");
		len = zlib_deflate.total_out;
		deflateReset(&zlib_deflate);
		return len;
	}
}

static size_t
peer_inflate(enum peer peer, const uint8_t *src, size_t len, uint8_t *dst, size_t cap)
{
	size_t produced = 0;

	switch (peer) {
	case PEER_ISAL:
		isal_inflate_init(&isal_inflate_state);
		isal_inflate_state.next_in = (uint8_t *)(uintptr_t)src;
		isal_inflate_state.avail_in = (uint32_t)len;
		isal_inflate_state.next_out = dst;
		isal_inflate_state.avail_out = (uint32_t)cap;
		if (isal_inflate_stateless(&isal_inflate_state) != ISAL_DECOMP_OK)
			die("isal_inflate_stateless failed");
		return isal_inflate_state.total_out;
	case PEER_LIBDEFLATE:
		if (libdeflate_deflate_decompress(libd_inflate, src, len, dst, cap, &produced) !=
				LIBDEFLATE_SUCCESS)
			die("libdeflate_deflate_decompress failed");
		return produced;
	default:
		zlib_inflate.next_in = (uint8_t *)(uintptr_t)src;
		zlib_inflate.avail_in = (uInt)len;
		zlib_inflate.next_out = dst;
		zlib_inflate.avail_out = (uInt)cap;
		if (inflate(&zlib_inflate, Z_NO_FLUSH) != Z_STREAM_END)
			die("inflate failed");
		produced = zlib_inflate.total_out;
		inflateReset(&zlib_inflate);
		return produced;
	}
}

static struct zip_codec_params
make_params(int level, int fixed)
{
	return (struct zip_codec_params){
		.level = (uint8_t)level,
		.window = 15,
		.huffman = fixed ? ZIP_CODEC_HUFFMAN_FIXED : ZIP_CODEC_HUFFMAN_DEFAULT,
		.adler32 = 1,
	};
}

static size_t
our_deflate(const struct zip_codec_params *params, uint8_t *src, size_t len, uint8_t *dst,
		size_t cap)
{
	struct iovec in = { .iov_base = src, .iov_len = len };
	struct iovec out = { .iov_base = dst, .iov_len = cap };
	struct zip_codec_result result;

	if (zip_codec_deflate(codec, params, ZIP_CODEC_FLUSH_FINISH, 0, &in, 1, &out, 1,
			&result) != 0)
		die("zip_codec_deflate failed");
	return result.produced;
}

static size_t
our_inflate(const struct zip_codec_params *params, uint8_t *src, size_t len, uint8_t *dst,
		size_t cap)
{
	struct iovec in = { .iov_base = src, .iov_len = len };
	struct iovec out = { .iov_base = dst, .iov_len = cap };
	struct zip_codec_result result;

	if (zip_codec_inflate(codec, params, &in, 1, &out, 1, &result) != 0)
		die("zip_codec_inflate failed");
	return result.produced;
}

static size_t
block_len(const struct corpus *c, size_t i)
{
	size_t at = i * c->block;

	return c->len - at < c->block ? c->len - at : c->block;
}

/* What is measured: one way to go over some blocks. */
struct job {
	struct corpus *c;
	int decompress;
	int who; /* enum peer, or OURS */
	int level;
	int fixed;
};

#define OURS (-1)

static void
run_block(const struct job *job, size_t i)
{
	struct corpus *c = job->c;
	struct zip_codec_params params = make_params(job->level, job->fixed);
	uint8_t *plain = c->data + i * c->block, *packed = c->packed + i * c->room;
	size_t len = block_len(c, i), got;

	if (!job->decompress) {
		c->packed_len[i] = job->who == OURS ?
			our_deflate(&params, plain, len, packed, c->room) :
			peer_deflate((enum peer)job->who, job->level, job->fixed, plain, len,
					packed, c->room);
		return;
	}
	got = job->who == OURS ?
		our_inflate(&params, packed, c->packed_len[i], c->out, c->block) :
		peer_inflate((enum peer)job->who, packed, c->packed_len[i], c->out, c->block);
	if (got != len)
		die("wrong length");
}

/* Seconds for the blocks from first up to, but not including, end. */
static double
run_blocks(const struct job *job, size_t first, size_t end)
{
	double start = now();

	for (size_t i = first; i < end; i++)
		run_block(job, i);
	return now() - start;
}

static size_t
packed_size(const struct corpus *c)
{
	size_t size = 0;

	for (size_t i = 0; i < c->blocks; i++)
		size += c->packed_len[i];
	return size;
}

/* The best seconds of both jobs over all of the file. */
static void
compare(const struct job *ours, const struct job *theirs, int rounds, double best[2])
{
	const struct job *jobs[2] = { ours, theirs };
	struct corpus *c = ours->c;
	size_t step = c->block < SLICE ? SLICE / c->block : 1;

	best[0] = 0;
	best[1] = 0;
	for (size_t first = 0; first < c->blocks; first += step) {
		size_t end = first + step < c->blocks ? first + step : c->blocks;
		double slice[2] = { 1e9, 1e9 };

		for (int round = 0; round < rounds; round++) {
			for (int k = 0; k < 2; k++) {
				double t = run_blocks(jobs[k], first, end);

				if (t < slice[k])
					slice[k] = t;
			}
		}
		best[0] += slice[0];
		best[1] += slice[1];
	}
}

static double
gbps(const struct corpus *c, double seconds)
{
	return (double)c->len * 8e-9 / seconds;
}

static void
compare_deflate(struct corpus *c, int rounds, enum peer peer, int level, int fixed)
{
	struct job ours = { c, 0, OURS, level, fixed }, theirs = { c, 0, (int)peer, level, fixed };
	size_t our_size, their_size;
	double best[2];

	peer_setup(peer, level, fixed);
	run_blocks(&theirs, 0, c->blocks);
	their_size = packed_size(c);
	run_blocks(&ours, 0, c->blocks);
	our_size = packed_size(c);
	compare(&ours, &theirs, rounds, best);
	printf("%8zu deflate %-7s %d %8.2f %7.2f %+7.2f  %7.2f %7.2f %7.2f  %s\n", c->block,
			fixed ? "fixed" : "dynamic", level,
			100.0 * (double)our_size / (double)c->len,
			100.0 * (double)their_size / (double)c->len,
			100.0 * ((double)our_size / (double)their_size - 1),
			gbps(c, best[0]), gbps(c, best[1]), best[1] / best[0], peer_names[peer]);
}

/* Inflates what zip_codec made of the file at this level. */
static void
compare_inflate(struct corpus *c, int rounds, enum peer peer, int level, int fixed)
{
	struct job pack = { c, 0, OURS, level, fixed };
	struct job ours = { c, 1, OURS, 0, 0 }, theirs = { c, 1, (int)peer, 0, 0 };
	double best[2];

	run_blocks(&pack, 0, c->blocks);
	compare(&ours, &theirs, rounds, best);
	printf("%8zu inflate %-7s %d %26s %7.2f %7.2f %7.2f  %s\n", c->block,
			fixed ? "fixed" : "dynamic", level, "", gbps(c, best[0]),
			gbps(c, best[1]), best[1] / best[0], peer_names[peer]);
}

static void
corpus_block(struct corpus *c, size_t block)
{
	free(c->packed);
	free(c->packed_len);
	free(c->out);
	c->block = block;
	c->blocks = (c->len + block - 1) / block;
	c->room = block + block / 8 + 512;
	c->packed = malloc(c->blocks * c->room);
	c->packed_len = malloc(c->blocks * sizeof(*c->packed_len));
	c->out = malloc(block);
	if (c->packed == NULL || c->packed_len == NULL || c->out == NULL)
		die("out of memory");
}

static void
bench_file(const char *path, const size_t *sizes, size_t sizes_cnt, int rounds,
		int inflate_only)
{
	struct corpus c = { .data = malloc(FILE_MAX) };
	FILE *file = fopen(path, "rb");

	if (c.data == NULL || file == NULL)
		die(path);
	c.len = fread(c.data, 1, FILE_MAX, file);
	fclose(file);
	if (c.len == 0)
		die("empty file");

	printf("%s: %zu bytes\n", path, c.len);
	printf("%8s %7s %-7s %s %6s %7s %7s  %7s %7s %7s  %s\n", "block", "", "codes", "level",
			"size %", "peer %", "diff %", "Gbps", "peer", "ratio", "peer");
	for (size_t s = 0; s < sizes_cnt; s++) {
		corpus_block(&c, sizes[s]);
		for (int fixed = 0; fixed <= 1; fixed++) {
			for (int level = 1; level <= 9 && !inflate_only; level++) {
				if (level <= 3)
					compare_deflate(&c, rounds, PEER_ISAL, level, fixed);
				if (!fixed)
					compare_deflate(&c, rounds, PEER_LIBDEFLATE, level, 0);
				compare_deflate(&c, rounds, PEER_ZLIB, level, fixed);
			}
			for (int level = 1; level <= 6; level += 5) {
				compare_inflate(&c, rounds, PEER_ISAL, level, fixed);
				compare_inflate(&c, rounds, PEER_LIBDEFLATE, level, fixed);
				compare_inflate(&c, rounds, PEER_ZLIB, level, fixed);
			}
		}
	}
	free(c.data);
	free(c.packed);
	free(c.packed_len);
	free(c.out);
}

int
main(int argc, char **argv)
{
	size_t sizes[2] = { 4096, 32768 }, sizes_cnt = 2;
	int rounds = 7, inflate_only = 0, opt;

	while ((opt = getopt(argc, argv, "b:r:d")) != -1) {
		switch (opt) {
		case 'b':
			sizes[0] = strtoul(optarg, NULL, 0);
			sizes_cnt = 1;
			break;
		case 'r':
			rounds = atoi(optarg);
			break;
		case 'd':
			inflate_only = 1;
			break;
		default:
			die("usage: codec_bench [-b BLOCK] [-r ROUNDS] [-d] FILE...");
		}
	}
	if (optind == argc || sizes[0] == 0 || rounds < 1)
		die("usage: codec_bench [-b BLOCK] [-r ROUNDS] [-d] FILE...");

	codec = zip_codec_create(2 * (sizes[0] > sizes[1] ? sizes[0] : sizes[1]));
	libd_inflate = libdeflate_alloc_decompressor();
	if (codec == NULL || libd_inflate == NULL || inflateInit2(&zlib_inflate, -15) != Z_OK)
		die("out of memory");
	for (; optind < argc; optind++)
		bench_file(argv[optind], sizes, sizes_cnt, rounds, inflate_only);

	zip_codec_destroy(codec);
	libdeflate_free_compressor(libd);
	libdeflate_free_decompressor(libd_inflate);
	deflateEnd(&zlib_deflate);
	inflateEnd(&zlib_inflate);
	return 0;
}
