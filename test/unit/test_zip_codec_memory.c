/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

/*
 * Memory: what is taken when a codec or a stream is made is all that it ever takes; it is
 * given back, also if there is not enough of it.
 */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sys/mman.h>

#include <cmocka.h>
#include <libdeflate.h>
#include <zlib.h>

#include "test_zip_codec_util.h"

#define LEN ((size_t)20000)
#define CAP (2 * LEN)

static unsigned int taken; /* so far */
static int held;           /* now */
static int fail_at;        /* how many may be taken before one fails; -1: all */

static bool
refused(void)
{
	if (fail_at == 0)
		return true;
	if (fail_at > 0)
		fail_at--;
	taken++;
	held++;
	return false;
}

/* The library's own calls come here (--wrap). */
void *__real_calloc(size_t n, size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__real_aligned_alloc(size_t align, size_t size);
void *__wrap_aligned_alloc(size_t align, size_t size);
void __real_free(void *mem);
void __wrap_free(void *mem);
void *__real_mmap(void *at, size_t len, int prot, int flags, int fd, off_t off);
void *__wrap_mmap(void *at, size_t len, int prot, int flags, int fd, off_t off);
void *__wrap_mmap64(void *at, size_t len, int prot, int flags, int fd, off_t off);
int __real_munmap(void *at, size_t len);
int __wrap_munmap(void *at, size_t len);
struct libdeflate_compressor *__real_libdeflate_alloc_compressor(int level);
struct libdeflate_compressor *__wrap_libdeflate_alloc_compressor(int level);
struct libdeflate_decompressor *__real_libdeflate_alloc_decompressor(void);
struct libdeflate_decompressor *__wrap_libdeflate_alloc_decompressor(void);
void __real_libdeflate_free_compressor(struct libdeflate_compressor *c);
void __wrap_libdeflate_free_compressor(struct libdeflate_compressor *c);
void __real_libdeflate_free_decompressor(struct libdeflate_decompressor *d);
void __wrap_libdeflate_free_decompressor(struct libdeflate_decompressor *d);

static void *mapped;
static size_t mapped_len;
static unsigned int advices, discards, accesses, trims;

/* Access to what was reserved can be refused, but is nothing to give back. */
int __real_mprotect(void *at, size_t len, int prot);
int __wrap_mprotect(void *at, size_t len, int prot);
int
__wrap_mprotect(void *at, size_t len, int prot)
{
	if (refused()) {
		errno = ENOMEM;
		return -1;
	}
	taken--;
	held--;
	accesses++;
	assert_int_equal(prot, PROT_READ | PROT_WRITE);
	return __real_mprotect(at, len, prot);
}

int __real_madvise(void *at, size_t len, int advice);
int __wrap_madvise(void *at, size_t len, int advice);
int
__wrap_madvise(void *at, size_t len, int advice)
{
	const size_t huge = (size_t)2 << 20;

	assert_int_equal((uintptr_t)at % huge, 0);
	assert_int_equal(len, huge);
	assert_true(advice == MADV_HUGEPAGE || advice == MADV_DONTNEED);
	assert_true((char *)at >= (char *)mapped);
	assert_true((char *)at + len <= (char *)mapped + mapped_len);
	advices += advice == MADV_HUGEPAGE;
	discards += advice == MADV_DONTNEED;
	return __real_madvise(at, len, advice);
}

/* zlib is refused what it needs, which its memory has room for: a later one may want more. */
static int zlib_fails_at; /* that call; 0: none */

static int
zlib_refused(void)
{
	return zlib_fails_at > 0 && --zlib_fails_at == 0;
}

#define ZLIB_CALL(name, ret, params, ...) \
	__typeof__(name) __real_##name, __wrap_##name; \
	int \
	__wrap_##name params \
	{ \
		return zlib_refused() ? (ret) : __real_##name(__VA_ARGS__); \
	}

ZLIB_CALL(deflateInit2_, Z_MEM_ERROR, (z_streamp z, int level, int method, int window, int mem,
	int strategy, const char *version, int size), z, level, method, window, mem, strategy,
	version, size)
ZLIB_CALL(inflateInit2_, Z_MEM_ERROR, (z_streamp z, int window, const char *version, int size), z,
	window, version, size)
ZLIB_CALL(deflateReset, Z_STREAM_ERROR, (z_streamp z), z)
ZLIB_CALL(inflateReset, Z_STREAM_ERROR, (z_streamp z), z)
ZLIB_CALL(deflateSetDictionary, Z_STREAM_ERROR, (z_streamp z, const Bytef *dict, uInt len), z,
	dict, len)
ZLIB_CALL(inflateSetDictionary, Z_STREAM_ERROR, (z_streamp z, const Bytef *dict, uInt len), z,
	dict, len)

void *
__wrap_calloc(size_t n, size_t size)
{
	if (!refused())
		return __real_calloc(n, size);
	errno = ENOMEM;
	return NULL;
}

void *
__wrap_aligned_alloc(size_t align, size_t size)
{
	assert_int_equal(size % align, 0);
	return refused() ? NULL : __real_aligned_alloc(align, size);
}

void
__wrap_free(void *mem)
{
	held -= mem != NULL;
	__real_free(mem);
}

void *
__wrap_mmap(void *at, size_t len, int prot, int flags, int fd, off_t off)
{
	/* Of all that is reserved, only what is touched may count. */
	assert_int_equal(flags & ~MAP_FIXED, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE);
	assert_int_equal(prot, PROT_NONE);
	if (flags & MAP_FIXED) {
		trims++;
		assert_true((char *)at >= (char *)mapped);
		assert_true((char *)at + len <= (char *)mapped + mapped_len);
		return __real_mmap(at, len, prot, flags, fd, off);
	}
	if (refused())
		return MAP_FAILED;
	mapped = __real_mmap(at, len, prot, flags, fd, off);
	mapped_len = len;
	return mapped;
}

/* Its name where files may be large. */
void *
__wrap_mmap64(void *at, size_t len, int prot, int flags, int fd, off_t off)
{
	return __wrap_mmap(at, len, prot, flags, fd, off);
}

int
__wrap_munmap(void *at, size_t len)
{
	assert_ptr_equal(at, mapped);
	assert_int_equal(len, mapped_len);
	held--;
	return __real_munmap(at, len);
}

struct libdeflate_compressor *
__wrap_libdeflate_alloc_compressor(int level)
{
	return refused() ? NULL : __real_libdeflate_alloc_compressor(level);
}

struct libdeflate_decompressor *
__wrap_libdeflate_alloc_decompressor(void)
{
	return refused() ? NULL : __real_libdeflate_alloc_decompressor();
}

void
__wrap_libdeflate_free_compressor(struct libdeflate_compressor *c)
{
	held -= c != NULL;
	__real_libdeflate_free_compressor(c);
}

void
__wrap_libdeflate_free_decompressor(struct libdeflate_decompressor *d)
{
	held -= d != NULL;
	__real_libdeflate_free_decompressor(d);
}

static int
setup(void **state)
{
	(void)state;
	taken = 0;
	held = 0;
	advices = discards = accesses = trims = 0;
	fail_at = -1;
	zlib_fails_at = 0;
	return 0;
}

static void
test_codec_made(void **state)
{
	struct zip_codec *codec;
	unsigned int all;

	(void)state;
	codec = zip_codec_create(CAP);
	assert_non_null(codec);
	all = taken;
	/* Itself, its memory, two that inflate, nine levels. */
	assert_int_equal(all, 1 + 1 + 2 + 9);
	assert_int_equal(held, all);
	assert_int_equal(advices, 1);
	assert_int_equal(discards, 0);
	/* To the backends' memory and both scratches. */
	all += accesses;
	assert_int_equal(accesses, 3);
	zip_codec_destroy(codec);
	assert_int_equal(held, 0);
	zlib_fails_at = 1;
	errno = 0;
	assert_null(zip_codec_create(CAP));
	assert_int_equal(errno, ENOMEM);
	assert_int_equal(held, 0);
	for (unsigned int n = 0; n < all; n++) {
		fail_at = (int)n;
		errno = 0;
		assert_null(zip_codec_create(CAP));
		assert_int_equal(errno, ENOMEM);
		assert_int_equal(held, 0);
	}
	fail_at = -1;
	taken = 0;
	errno = 0;
	assert_null(zip_codec_create(ZIP_CODEC_LEN_MAX + 1));
	assert_int_equal(errno, EINVAL);
	assert_int_equal(taken, 0);
	codec = zip_codec_create(ZIP_CODEC_LEN_MAX);
	assert_non_null(codec);
	zip_codec_destroy(codec);
	codec = zip_codec_create(0);
	assert_non_null(codec);
	zip_codec_destroy(codec);
	zip_codec_destroy(NULL);
	assert_int_equal(held, 0);
}

/* KiB of this process that are in memory. */
static unsigned long
resident(void)
{
	unsigned long pages = 0;
	FILE *f = fopen("/proc/self/statm", "re");

	assert_non_null(f);
	assert_int_equal(fscanf(f, "%*u %lu", &pages), 1);
	fclose(f);
	return pages * 4;
}

/* A chain of two, of so many bytes, there and back by the codec's scratches. */
static int
long_call(struct zip_codec *codec, uint8_t *plain, uint8_t *packed, uint8_t *back, size_t len)
{
	struct zip_codec_params params = { .level = 1, .window = 15, .checksum = ZIP_CODEC_CRC32 };
	struct iovec src[2] = { { plain, 100 }, { plain + 100, len - 100 } };
	struct iovec mid[2] = { { packed, 100 }, { packed + 100, len - 100 } };
	struct iovec dst[2] = { { back, 100 }, { back + 100, len - 100 } };
	struct zip_codec_result r;
	int ret;

	ret = zip_codec_deflate(codec, &params, ZIP_CODEC_FLUSH_FINISH, 0, src, 2, mid, 2, &r);
	if (ret != 0)
		return ret;
	assert_int_equal(r.consumed, len);
	mid[1].iov_len = r.produced - 100;
	ret = zip_codec_inflate(codec, &params, mid, 2, dst, 2, &r);
	if (ret != 0)
		return ret;
	assert_int_equal(r.produced, len);
	assert_memory_equal(plain, back, len);
	return 0;
}

/* What a long call takes of the kernel goes back by zip_codec_trim(), and it works again. */
static void
test_long_calls(void **state)
{
	const size_t kept = ZIP_CODEC_LEN_KEPT, len = kept + kept / 2;
	uint8_t *plain = malloc(len), *packed = malloc(len), *back = malloc(len);
	struct zip_codec *codec = zip_codec_create(ZIP_CODEC_LEN_MAX);
	unsigned long before;

	(void)state;
	assert_non_null(codec);
	data_fill(plain, len, DATA_TEXT, 1);
	/* In memory now. Not 0: clang would make calloc() of it, which is counted. */
	memset(back, 1, len);
	memset(packed, 1, len);
	/* Short ones ask for nothing. */
	accesses = 0;
	assert_int_equal(long_call(codec, plain, packed, back, kept), 0);
	zip_codec_trim(codec);
	assert_int_equal(accesses, 0);
	assert_int_equal(trims, 0);
	before = resident();
	for (int i = 0; i < 2; i++) {
		accesses = trims = 0;
		assert_int_equal(long_call(codec, plain, packed, back, len), 0);
		assert_int_equal(accesses, 2);
		zip_codec_trim(codec);
		assert_int_equal(trims, 2);
		/* Half of what its scratches held, at most. */
		assert_true(resident() < before + kept / 2 / 1024);
		zip_codec_trim(codec);
		assert_int_equal(trims, 2);
	}
	/* The kernel has no more: nothing is done, and shorter calls go on. */
	for (int n = 0; n < 2; n++) {
		fail_at = n;
		assert_int_equal(long_call(codec, plain, packed, back, len), -ENOMEM);
		fail_at = -1;
		assert_int_equal(long_call(codec, plain, packed, back, kept), 0);
	}
	assert_int_equal(long_call(codec, plain, packed, back, len), 0);
	/* Of all that it has, and it works again. */
	zip_codec_discard(codec);
	assert_int_equal(discards, 1);
	assert_int_equal(long_call(codec, plain, packed, back, len), 0);
	zip_codec_destroy(codec);
	assert_int_equal(held, 0);
	__real_free(plain);
	__real_free(packed);
	__real_free(back);
}

static void
test_stream_made(void **state)
{
	struct zip_codec_params params = { .level = 9, .window = 15 };
	struct zip_codec_result r;

	(void)state;
	for (int dir = ZIP_CODEC_COMPRESS; dir <= ZIP_CODEC_DECOMPRESS; dir++) {
		struct zip_codec_params bad = params, dict = params;
		struct zip_codec_stream *stream = zip_codec_stream_create(dir, &params);

		assert_non_null(stream);
		assert_int_equal(held, 2);
		taken = 0;
		for (int i = 0; i < 5; i++)
			assert_int_equal(zip_codec_stream_reset(stream, &params), 0);
		assert_int_equal(taken, 0);
		/* One that could not be set up takes nothing, until it is. */
		zlib_fails_at = 1;
		assert_int_equal(zip_codec_stream_reset(stream, &params), -ENOMEM);
		assert_int_equal(zip_codec_stream_run(stream, ZIP_CODEC_FLUSH_NONE, NULL, 0, NULL,
			0, &r), -EPIPE);
		assert_int_equal(zip_codec_stream_reset(stream, &params), 0);
		assert_int_equal(zip_codec_stream_run(stream, ZIP_CODEC_FLUSH_NONE, NULL, 0, NULL,
			0, &r), 0);
		zip_codec_stream_destroy(stream);
		assert_int_equal(held, 0);
		for (int n = 0; n < 2; n++) {
			fail_at = n;
			errno = 0;
			assert_null(zip_codec_stream_create(dir, &params));
			assert_int_equal(errno, ENOMEM);
			assert_int_equal(held, 0);
		}
		fail_at = -1;
		zlib_fails_at = 1;
		errno = 0;
		assert_null(zip_codec_stream_create(dir, &params));
		assert_int_equal(errno, ENOMEM);
		assert_int_equal(held, 0);
		bad.checksum = ZIP_CODEC_XXH32;
		errno = 0;
		assert_null(zip_codec_stream_create(dir, &bad));
		assert_int_equal(errno, EINVAL);
		dict.dict_len = 1;
		errno = 0;
		assert_null(zip_codec_stream_create(dir, &dict));
		assert_int_equal(errno, EINVAL);
		assert_int_equal(held, 0);
	}
	taken = 0;
	for (int dir = -1; dir <= 2; dir += 3) {
		errno = 0;
		assert_null(zip_codec_stream_create((enum zip_codec_dir)dir, &params));
		assert_int_equal(errno, EINVAL);
	}
	assert_int_equal(taken, 0);
}

/* Every backend, both ways, from and to pieces; not a byte is taken for it. */
static void
test_calls_take_nothing(void **state)
{
	uint8_t *plain = __real_calloc(1, LEN), *packed = __real_calloc(1, CAP);
	uint8_t *back = __real_calloc(1, LEN), dict[100] = "some words";
	struct zip_codec *codec = zip_codec_create(CAP);
	unsigned int all = taken;

	(void)state;
	assert_non_null(codec);
	for (unsigned int i = 0; i < 10 * 3 * 2 * 2; i++) {
		struct zip_codec_params params = { .level = (uint8_t)(i % 10),
			.window = (uint8_t)(i / 30 % 2 ? 15 : 9), .huffman = (uint8_t)(i / 10 % 3),
			.checksum = 3, .adler32 = 1, .dict = dict,
			.dict_len = i / 60 ? sizeof(dict) : 0 };
		struct zip_codec_params lz4 = { .level = (uint8_t)(i % 10), .window = 16 };
		struct iovec in[2] = {
			{ .iov_base = plain, .iov_len = LEN / 2 },
			{ .iov_base = plain + LEN / 2, .iov_len = LEN - LEN / 2 },
		};
		struct iovec out[2] = {
			{ .iov_base = packed, .iov_len = 7 },
			{ .iov_base = packed + 7, .iov_len = CAP - 7 },
		};
		struct iovec whole = { .iov_base = packed, .iov_len = 0 };
		struct iovec to = { .iov_base = back, .iov_len = LEN };
		struct zip_codec_result r;

		/* Each engine begins anew then. */
		if (i % 7 == 0)
			zip_codec_discard(codec);
		data_fill(plain, LEN, i % DATA_KINDS, i);
		assert_int_equal(zip_codec_deflate(codec, &params, ZIP_CODEC_FLUSH_FINISH, 0, in, 2,
			out, 2, &r), 0);
		whole.iov_len = r.produced;
		assert_int_equal(zip_codec_inflate(codec, &params, &whole, 1, &to, 1, &r), 0);
		assert_memory_equal(back, plain, LEN);
		assert_int_equal(zip_codec_lz4_compress(codec, &lz4, in, 2, out, 2, &r), 0);
		whole.iov_len = r.produced;
		memset(back, 0, LEN);
		assert_int_equal(zip_codec_lz4_decompress(codec, &lz4, &whole, 1, &to, 1, &r), 0);
		assert_memory_equal(back, plain, LEN);
	}
	assert_int_equal(taken, all);
	zip_codec_destroy(codec);
	assert_int_equal(held, 0);
	__real_free(plain);
	__real_free(packed);
	__real_free(back);
}

static void
deflate_and_back(struct zip_codec *codec, const struct zip_codec_params *params,
		const uint8_t *plain, size_t expected)
{
	uint8_t packed[1000], back[500];
	struct iovec in = { .iov_base = (uint8_t *)(uintptr_t)plain, .iov_len = sizeof(back) };
	struct iovec out = { .iov_base = packed, .iov_len = sizeof(packed) };
	struct iovec to = { .iov_base = back, .iov_len = sizeof(back) };
	struct zip_codec_result r;

	assert_int_equal(zip_codec_deflate(codec, params, ZIP_CODEC_FLUSH_FINISH, 0, &in, 1, &out,
		1, &r), 0);
	assert_int_equal(r.produced, expected);
	out.iov_len = r.produced;
	assert_int_equal(zip_codec_inflate(codec, params, &out, 1, &to, 1, &r), 0);
	assert_int_equal(r.produced, sizeof(back));
	assert_memory_equal(back, plain, sizeof(back));
}

/* Where zlib cannot be set up, stored blocks are there, and next time all is as ever. */
static void
test_zlib_fails(void **state)
{
	static const uint8_t plain[500], dict[100];
	const struct zip_codec_params params[] = {
		/* Fixed codes in a small window; and what only zlib can do. */
		{ .level = 9, .window = 9, .huffman = ZIP_CODEC_HUFFMAN_FIXED },
		{ .level = 6, .window = 12, .dict = dict, .dict_len = sizeof(dict) },
	};
	struct zip_codec *codec = zip_codec_create(CAP);
	struct iovec in = { .iov_base = (uint8_t *)(uintptr_t)plain, .iov_len = sizeof(plain) };
	uint8_t packed[1000], back[500];
	struct iovec out = { .iov_base = packed, .iov_len = sizeof(packed) };
	struct iovec to = { .iov_base = back, .iov_len = sizeof(back) };
	struct zip_codec_result r;

	(void)state;
	for (int i = 0; i < 2; i++) {
		assert_int_equal(zip_codec_deflate(codec, &params[i], ZIP_CODEC_FLUSH_FINISH, 0,
			&in, 1, &out, 1, &r), 0);
		assert_true(r.produced < 50);
		/* Set up, or given its dictionary; then what the other one has to set up. */
		for (int n = 1; n <= i + 1; n++) {
			zlib_fails_at = n;
			deflate_and_back(codec, &params[i], plain, sizeof(plain) + 5);
			assert_int_equal(zlib_fails_at, 0);
			deflate_and_back(codec, &params[i], plain, r.produced);
			zlib_fails_at = 1;
			deflate_and_back(codec, &params[1 - i], plain, sizeof(plain) + 5);
			deflate_and_back(codec, &params[i], plain, r.produced);
		}
	}
	zip_codec_destroy(codec);
	/* To inflate with a dictionary there is nothing else: set up, then reset, each filled. */
	assert_non_null(codec = zip_codec_create(CAP));
	assert_int_equal(zip_codec_deflate(codec, &params[1], ZIP_CODEC_FLUSH_FINISH, 0, &in, 1,
		&out, 1, &r), 0);
	out.iov_len = r.produced;
	for (int i = 0; i < 4; i++) {
		zlib_fails_at = 1 + i % 2;
		assert_int_equal(zip_codec_inflate(codec, &params[1], &out, 1, &to, 1, &r),
			-ENOMEM);
		assert_int_equal(r.produced, 0);
		assert_int_equal(zlib_fails_at, 0);
		if (i % 2 == 0 && i < 2)
			continue;
		assert_int_equal(zip_codec_inflate(codec, &params[1], &out, 1, &to, 1, &r), 0);
		assert_int_equal(r.produced, sizeof(back));
		assert_memory_equal(back, plain, sizeof(back));
	}
	zip_codec_destroy(codec);
	assert_int_equal(held, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_codec_made, setup),
		cmocka_unit_test_setup(test_long_calls, setup),
		cmocka_unit_test_setup(test_stream_made, setup),
		cmocka_unit_test_setup(test_calls_take_nothing, setup),
		cmocka_unit_test_setup(test_zlib_fails, setup),
	};

	return cmocka_run_group_tests_name("zip_codec_memory", tests, NULL, NULL);
}
