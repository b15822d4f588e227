/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <stdlib.h>
#include <string.h>

#include <sys/mman.h>
#include <unistd.h>

#include <zlib.h>

#include "test_zip_codec_util.h"

uint64_t
rng_next(struct rng *rng)
{
	rng->state ^= rng->state << 13;
	rng->state ^= rng->state >> 7;
	rng->state ^= rng->state << 17;
	return rng->state * 0x2545f4914f6cdd1du;
}

size_t
rng_below(struct rng *rng, size_t n)
{
	return (size_t)((rng_next(rng) >> 16) % n);
}

static void
fill_text(uint8_t *data, size_t len, struct rng *rng)
{
	static const char * const words[] = {
		"the ", "queue ", "is ", "a ", "resource", ", ", "ring ", "of ", "requests",
		".\n", "static int\n", "struct ", "return ", "0;\n", "doorbell ", "{\n", "}\n",
		"address ", "in ", "memory ", "completion ", "#include <", ">\n", "\t", "if (",
	};
	size_t at = 0;

	while (at < len) {
		/* Squared: some words are far more frequent than others. */
		size_t i = rng_below(rng, 25) * rng_below(rng, 25) / 25;
		size_t n = strlen(words[i]);

		if (n > len - at)
			n = len - at;
		memcpy(data + at, words[i], n);
		at += n;
		if (rng_below(rng, 9) == 0 && at < len)
			data[at++] = (uint8_t)('a' + rng_below(rng, 26));
	}
}

static void
fill_binary(uint8_t *data, size_t len, struct rng *rng)
{
	uint8_t record[24] = { 0x48, 0x8b, 0x05, 0, 0, 0, 0, 0xe8 };

	for (size_t at = 0; at < len; at += sizeof(record)) {
		size_t n = len - at < sizeof(record) ? len - at : sizeof(record);
		uint64_t value = rng_next(rng) >> rng_below(rng, 60);

		memcpy(record + 8 * rng_below(rng, 3), &value, sizeof(value));
		memcpy(data + at, record, n);
	}
}

static void
fill_far(uint8_t *data, size_t len, struct rng *rng)
{
	size_t at = 0;

	while (at < len) {
		size_t n = 4 + rng_below(rng, 40);

		if (n > len - at)
			n = len - at;
		if (at > 100 && rng_below(rng, 4) != 0) {
			size_t reach = at < 40000 ? at : 40000;
			size_t back = n + rng_below(rng, reach);

			if (back > at)
				back = at;
			for (size_t i = 0; i < n; i++)
				data[at + i] = data[at + i - back];
		} else {
			for (size_t i = 0; i < n; i++)
				data[at + i] = (uint8_t)rng_next(rng);
		}
		at += n;
	}
}

void
data_fill(uint8_t *data, size_t len, enum data_kind kind, uint64_t seed)
{
	struct rng rng = { .state = seed * 0x9e3779b97f4a7c15u + 1 };

	switch (kind) {
	case DATA_TEXT:
		fill_text(data, len, &rng);
		break;
	case DATA_BINARY:
		fill_binary(data, len, &rng);
		break;
	case DATA_NOISE7:
		for (size_t i = 0; i < len; i++)
			data[i] = (uint8_t)(rng_below(&rng, 255) | 1);
		break;
	case DATA_NOISE8:
		for (size_t i = 0; i < len; i++)
			data[i] = (uint8_t)(rng_next(&rng) >> 24);
		break;
	case DATA_ZERO:
		memset(data, 0, len);
		break;
	case DATA_FF:
		memset(data, 0xff, len);
		break;
	default:
		fill_far(data, len, &rng);
		break;
	}
}

struct guarded
guarded_alloc(size_t len, enum guard_side side)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	size_t inner = (len + page - 1) / page * page;
	struct guarded mem = { .len = len, .map_len = inner + page };
	uint8_t *base;

	mem.map = mmap(NULL, mem.map_len, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (mem.map == MAP_FAILED)
		abort();
	base = mem.map;
	if (side == GUARD_AFTER) {
		mem.data = base + inner - len;
		if (mprotect(base + inner, page, PROT_NONE) != 0)
			abort();
	} else {
		mem.data = base + page;
		if (mprotect(base, page, PROT_NONE) != 0)
			abort();
	}
	return mem;
}

void
guarded_free(struct guarded *mem)
{
	munmap(mem->map, mem->map_len);
}

unsigned int
cut(struct rng *rng, uint8_t *data, size_t len, struct iovec *iov)
{
	unsigned int cnt = 0;
	size_t piece_max = 1 + len / (1 + rng_below(rng, PIECES_MAX / 2));

	while (len != 0 && cnt < PIECES_MAX - 1) {
		size_t n = rng_below(rng, 8) == 0 ? 0 : rng_below(rng, 2 * piece_max);

		if (n > len)
			n = len;
		iov[cnt].iov_base = n == 0 ? NULL : data;
		iov[cnt++].iov_len = n;
		data += n;
		len -= n;
	}
	iov[cnt].iov_base = data;
	iov[cnt++].iov_len = len;
	return cnt;
}

int
judge_inflate(const uint8_t *src, size_t len, uint8_t *dst, size_t cap,
		size_t *consumed, size_t *produced)
{
	static uint8_t nothing[1];
	z_stream zlib;
	int ret;

	memset(&zlib, 0, sizeof(zlib));
	if (inflateInit2(&zlib, -15) != Z_OK)
		abort();
	zlib.next_in = (uint8_t *)(uintptr_t)src;
	zlib.avail_in = (uInt)len;
	zlib.next_out = dst != NULL ? dst : nothing;
	zlib.avail_out = (uInt)cap;
	ret = inflate(&zlib, Z_FINISH);
	*consumed = len - zlib.avail_in;
	*produced = cap - zlib.avail_out;
	inflateEnd(&zlib);
	return ret;
}

void
tune_as_codec(struct z_stream_s *zlib, int level, size_t len)
{
	static const int own[][4] = { { 8, 32, 128, 256 }, { 32, 128, 258, 1024 },
		{ 32, 258, 258, 4096 } };
	int most = len <= 16384 ? 4096 : len <= 65536 ? 512 : 128;

	if (level >= 7)
		deflateTune(zlib, own[level - 7][0], own[level - 7][1], own[level - 7][2],
			most < own[level - 7][3] ? most : own[level - 7][3]);
}
