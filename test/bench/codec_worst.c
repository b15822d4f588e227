/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

/*
 * The worst requests that we know to construct, for each level and kind, and how long the codec
 * is with them: CPU time of this thread.
 *
 * usage: codec_worst [-a]
 *   -a  every level, more inputs, and up to 8 MiB: the table of the guides (minutes)
 *
 * Fails if a request of up to 256 KiB takes longer than RATIO plain ones of 256 KiB (text, level 1,
 * whole), or a longer one more than RATIO for each 256 KiB of it. Whatever slows down the machine
 * slows down both.
 */

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "zip_codec.h"

#define KIB      ((size_t)1 << 10)
#define UNIT     (256 * KIB)
#define LEN_MAX  ((size_t)8 << 20)
#define ROOM     (LEN_MAX + LEN_MAX / 4)
#define RATIO    500.0
#define HISTORY  (32 * KIB)

enum kind {
	WHOLE, PIECE, WINDOW, FIXED, DICT, STREAM, PARTIAL, LZ4, INFLATE, INFLATE_DICT,
	INFLATE_STREAM, KINDS,
};

static const char *const kind_names[] = { "whole", "piece", "window", "fixed", "dict", "stream",
	"partial", "lz4", "inflate", "infl-dict", "infl-strm" };

static struct zip_codec *codec;
static uint8_t *plain, *packed, *dict;
static size_t deep_len; /* of the hard stream in packed */

static double
cpu_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static void
die(const char *what)
{
	fprintf(stderr, "codec_worst: %s\n", what);
	exit(1);
}

/* ---- Inputs ---- */

static uint32_t
rnd(void)
{
	static uint32_t s = 1;

	s ^= s << 13;
	s ^= s >> 17;
	s ^= s << 5;
	return s;
}

/* Few letters: matches everywhere, all of them short. The first two are the worst we know. */
#define INPUTS 7

static void
fill(unsigned int input, uint8_t *to, size_t len)
{
	static uint8_t row[64];

	for (size_t i = 0; i < len; i++) {
		switch (input) {
		case 0:
			to[i] = (uint8_t)('a' + (rnd() & 1));
			break;
		case 1:
			to[i] = (uint8_t)('a' + (rnd() & 3));
			break;
		case 2:
			to[i] = (uint8_t)('a' + rnd() % 3);
			break;
		case 3: /* rarely another */
			to[i] = rnd() % 16 == 0 ? 'b' : 'a';
			break;
		case 4:
			to[i] = rnd() % 256 == 0 ? 'b' : 'a';
			break;
		case 5: /* rows that differ in a byte */
			row[i % 64] = i < 64 || i % 64 == 63 ? (uint8_t)rnd() : row[i % 64];
			to[i] = row[i % 64];
			break;
		default: /* matches as long as they can be, and a byte between them */
			to[i] = i % 259 == 0 ? (uint8_t)rnd() : 'a';
			break;
		}
	}
}

static void
fill_text(uint8_t *to, size_t len)
{
	static const char *const words[] = { "the", "queue", "of", "a", "function", "is", "worker",
		"request", "and", "memory", "client", "that", "executes", "service", "in", "when" };

	for (size_t at = 0; at < len;) {
		const char *word = words[rnd() % 16];

		for (; *word != 0 && at < len; word++)
			to[at++] = (uint8_t)*word;
		if (at < len)
			to[at++] = rnd() % 8 == 0 ? '\n' : ' ';
	}
}

static void
put_bits(uint8_t *to, size_t *bit, uint32_t value, unsigned int n)
{
	for (; n != 0; n--, value >>= 1, ++*bit) {
		if (*bit % 8 == 0)
			to[*bit / 8] = 0;
		to[*bit / 8] |= (uint8_t)((value & 1) << *bit % 8);
	}
}

/*
 * Blocks with dynamic codes and nothing in them, 11 bytes each: tables are built for every one.
 * Code lengths: 256 and one distance have one bit, the others none.
 */
static size_t
fill_empty_blocks(uint8_t *to, size_t len)
{
	size_t bit = 0;

	for (bool last = false; !last;) {
		last = bit / 8 + 2 * 12 > len;
		put_bits(to, &bit, last, 1);
		put_bits(to, &bit, 2, 2);
		put_bits(to, &bit, 0, 10); /* 257 literals, 1 distance */
		put_bits(to, &bit, 14, 4); /* 18 lengths of code lengths: of 18 and of 1, one bit */
		for (unsigned int i = 0; i < 18; i++)
			put_bits(to, &bit, i == 2 || i == 17, 3);
		for (unsigned int zeros = 0; zeros < 256; zeros += zeros == 0 ? 138 : 118) {
			put_bits(to, &bit, 1, 1);
			put_bits(to, &bit, (zeros == 0 ? 138 : 118) - 11, 7);
		}
		put_bits(to, &bit, 0, 2);
		put_bits(to, &bit, 0, 1); /* 256: the end */
	}
	return (bit + 7) / 8;
}

/* ---- Requests ---- */

static int
run_stream(enum zip_codec_dir dir, const struct zip_codec_params *params, size_t len,
		const struct iovec *out, double *ms)
{
	struct zip_codec_stream *s = zip_codec_stream_create(dir, params);
	struct iovec in = { dict, dir == ZIP_CODEC_COMPRESS ? HISTORY : 0 };
	struct zip_codec_result r;
	int rc = 0;

	if (s == NULL)
		die("no stream");
	/* With all the history that there can be. */
	if (in.iov_len != 0)
		rc = zip_codec_stream_run(s, ZIP_CODEC_FLUSH_SYNC, &in, 1, out, 1, &r);
	in = (struct iovec){ dir == ZIP_CODEC_COMPRESS ? plain : packed, len };
	*ms = cpu_ms();
	if (rc == 0)
		rc = zip_codec_stream_run(s, ZIP_CODEC_FLUSH_SYNC, &in, 1, out, 1, &r);
	*ms = cpu_ms() - *ms;
	zip_codec_stream_destroy(s);
	return rc;
}

/* @return CPU time in ms. */
static double
request(enum kind kind, uint8_t level, size_t len)
{
	static uint8_t *to;
	struct zip_codec_params params = { .level = level, .window = kind == WINDOW ? 14 :
		kind == LZ4 ? 16 : 15, .huffman = kind == FIXED ? ZIP_CODEC_HUFFMAN_FIXED : 0,
		.adler32 = 1 };
	enum zip_codec_flush flush = kind == PIECE ? ZIP_CODEC_FLUSH_FULL :
		ZIP_CODEC_FLUSH_FINISH;
	struct iovec in = { plain, len }, out;
	struct zip_codec_result r;
	double ms = 0;
	int rc;

	if (to == NULL)
		to = malloc(ROOM);
	if (to == NULL)
		die("no memory");
	out = (struct iovec){ to, ROOM };
	if (kind == DICT || kind == INFLATE_DICT) {
		params.dict = dict;
		params.dict_len = ZIP_CODEC_DICT_MAX;
	}
	if (kind >= INFLATE)
		in = (struct iovec){ packed, deep_len };
	if (kind == PARTIAL) { /* nearly all of it has room */
		rc = zip_codec_deflate(codec, &params, flush, 0, &in, 1, &out, 1, &r);
		if (rc != 0)
			die("compression");
		out.iov_len = r.produced - r.produced / 16;
	}
	switch (kind) {
	case STREAM:
		rc = run_stream(ZIP_CODEC_COMPRESS, &params, len, &out, &ms);
		break;
	case INFLATE_STREAM:
		rc = run_stream(ZIP_CODEC_DECOMPRESS, &params, deep_len, &out, &ms);
		break;
	default:
		ms = cpu_ms();
		rc = kind == LZ4 ? zip_codec_lz4_compress(codec, &params, &in, 1, &out, 1, &r) :
			kind >= INFLATE ?
			zip_codec_inflate(codec, &params, &in, 1, &out, 1, &r) :
			zip_codec_deflate(codec, &params, flush, kind == PARTIAL, &in, 1, &out, 1,
					&r);
		ms = cpu_ms() - ms;
	}
	if (rc != 0 && kind != PARTIAL)
		die("a request failed");
	return ms;
}

/* ---- Table ---- */

static double
plain_ms(void)
{
	double best = 1e9;

	fill_text(plain, UNIT);
	for (unsigned int i = 0; i < 20; i++) {
		double ms = request(WHOLE, 1, UNIT);

		best = ms < best ? ms : best;
	}
	return best;
}

static double worst[KINDS][ZIP_CODEC_LEVEL_MAX + 1];
static double worst_ratio;

/* Requests of one length, with all inputs, of all kinds and levels. */
static void
measure(size_t len, unsigned int inputs, const char *levels, double plain_time)
{
	double units = len > UNIT ? (double)len / UNIT : 1;

	memset(worst, 0, sizeof(worst));
	deep_len = fill_empty_blocks(packed, len);
	for (unsigned int i = 0; i < inputs; i++) {
		fill(i, dict, HISTORY);
		fill(i, plain, len);
		for (const char *l = levels; *l != 0; l++) {
			uint8_t level = (uint8_t)(*l - '0');

			for (unsigned int k = 0; k < KINDS; k++) {
				double ms;

				if (k >= INFLATE && (i != 0 || l != levels))
					continue;
				ms = request((enum kind)k, level, len);
				if (ms > worst[k][level])
					worst[k][level] = ms;
				if (ms / plain_time / units > worst_ratio)
					worst_ratio = ms / plain_time / units;
			}
		}
	}
	printf("%zu KiB, ms:\nlevel", len / KIB);
	for (unsigned int k = 0; k < INFLATE; k++)
		printf(" %9s", kind_names[k]);
	for (const char *l = levels; *l != 0; l++) {
		printf("\n%5c", *l);
		for (unsigned int k = 0; k < INFLATE; k++)
			printf(" %9.2f", worst[k][*l - '0']);
	}
	printf("\n     ");
	for (unsigned int k = INFLATE; k < KINDS; k++)
		printf(" %s %.2f", kind_names[k], worst[k][levels[0] - '0']);
	printf("\n");
	fflush(stdout);
}

int
main(int argc, char **argv)
{
	static const size_t lens[] = { 16 * KIB, 64 * KIB, UNIT, 1024 * KIB, LEN_MAX };
	bool all = argc == 2 && strcmp(argv[1], "-a") == 0;
	double plain_time;

	if (argc != 1 && !all)
		die("usage: codec_worst [-a]");
	codec = zip_codec_create(ROOM);
	plain = malloc(LEN_MAX);
	packed = malloc(LEN_MAX + 64);
	dict = malloc(HISTORY);
	if (codec == NULL || plain == NULL || packed == NULL || dict == NULL)
		die("no memory");
	/* The form that test/lib.sh counts. */
	printf("plan codec_worst\n");
	plain_time = plain_ms();
	printf("plain: text, level 1, 256 KiB: %.3f ms\n", plain_time);
	for (unsigned int i = 0; i < (all ? 5 : 3); i++)
		measure(lens[i], all && lens[i] <= UNIT ? INPUTS : 2, all ? "123456789" : "69",
				plain_time);
	printf("worst: %.0f times plain ones of as many bytes, 256 KiB at least (at most %.0f)\n",
			worst_ratio, RATIO);
	zip_codec_destroy(codec);
	printf("%s codec_worst\n", worst_ratio > RATIO ? "not ok" : "ok");
	return worst_ratio > RATIO;
}
