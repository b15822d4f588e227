/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <string.h>

#include <rte_byteorder.h>

#include "hisi_zip_answer_script.h"
#include "zip_codec.h"

#define WINDOW ZIP_CODEC_WINDOW_MAX
#define BEHIND 8u     /* bytes behind a stream, at most */
/* A match of the largest distance that there is, but for some bytes. */
#define FAR    32500u

/* Bytes of the parts of a stream. */
static const uint32_t lens[HISI_ZIP_SCRIPT_PARTS] = { 1, 300, 16, 1100, 2, 600, 2500, 37 };

/* Zeros; or some text, some noise, a run, and what comes again: matches of all distances. */
static void
stream_make_plain(uint8_t *to, uint32_t len)
{
	static const char text[] = "some words of a text";
	uint32_t x = 4711;

	for (uint32_t i = 0; i < len; i++) {
		x = x * 1664525 + 1013904223;
		if (i >= FAR && i < FAR + 500)
			to[i] = to[i - FAR];
		else if (i % 5000 < 1000)
			to[i] = (uint8_t)(x >> 24);
		else if (i % 5000 < 4500)
			to[i] = (uint8_t)text[x >> 27 < 20 ? x >> 27 : i % 20];
		else
			to[i] = 'z';
	}
}

static void
add_script(struct hisi_zip_scripts *s, const struct hisi_zip_script *script)
{
	if (s->n < HISI_ZIP_SCRIPTS_MAX)
		s->script[s->n++] = *script;
	else
		s->incomplete = true;
}

/* ---- Compression --------------------------------------------------------------------------- */

/*
 * A stream that ends behind each of these: our last block lies there, so it shows that what came
 * before ends at a byte. A full flush somewhere: the rest stands alone. And a long one in one op.
 */
static void
make_compressions(struct hisi_zip_scripts *s, struct hisi_zip_asker *a, bool lists)
{
	uint8_t *src = hisi_zip_ask_alloc(a, HISI_ZIP_SCRIPT_LEN);

	/* It has room for this always. */
	memcpy(src, a->plain, HISI_ZIP_SCRIPT_LEN);
	add_script(s, &(struct hisi_zip_script){ .src = src, .plain = a->plain, .parts = 1,
		.len = HISI_ZIP_SCRIPT_LEN, .room = HISI_ZIP_SCRIPT_ROOM_LONG });
	for (unsigned int n = lists ? 5 : 1; n <= (lists ? 5 : HISI_ZIP_SCRIPT_PARTS); n++)
		add_script(s, &(struct hisi_zip_script){ .src = src, .plain = a->plain,
			.parts = n });
}

uint32_t
hisi_zip_script_part(const struct hisi_zip_script *script, unsigned int i)
{
	return script->len != 0 ? script->len : lens[i];
}

/* ---- Decompression ------------------------------------------------------------------------- */

/*
 * Make a stream in the asker's memory, twice: with a trailer behind it, as a zlib body has there,
 * and with what is none. @return Its length; 0: there is no memory.
 */
static uint32_t
stream_pack(struct hisi_zip_asker *a, const uint8_t *plain, uint32_t len, uint8_t level,
		enum zip_codec_huffman huffman, uint8_t *src[2])
{
	const uint32_t room = len + len / 8 + 64;
	const struct iovec from = { (void *)(uintptr_t)plain, len };
	const struct iovec to = { hisi_zip_ask_alloc(a, room + BEHIND), room };
	const struct zip_codec_params params = {
		.level = level, .window = WINDOW, .huffman = (uint8_t)huffman, .adler32 = 1,
		.checksum = ZIP_CODEC_ADLER32,
	};
	struct zip_codec_result res;
	uint32_t adler;

	if (to.iov_base == NULL || zip_codec_deflate(a->codec, &params,
			ZIP_CODEC_FLUSH_FINISH, 0, &from, 1, &to, 1, &res) != 0)
		return 0;
	src[0] = to.iov_base;
	src[1] = hisi_zip_ask_alloc(a, res.produced + BEHIND);
	if (src[1] == NULL)
		return 0;
	memset(src[0] + res.produced, 0xa5, BEHIND);
	memcpy(src[1], src[0], res.produced + BEHIND);
	adler = rte_cpu_to_be_32(res.adler32);
	memcpy(src[0] + res.produced, &adler, sizeof(adler));
	return (uint32_t)res.produced;
}

static void
make_script(struct hisi_zip_scripts *s, const struct hisi_zip_script *stream,
		const uint8_t *src, uint32_t first, uint32_t part, uint32_t room, uint32_t behind)
{
	struct hisi_zip_script script = *stream;

	script.src = src;
	script.first = first;
	script.part = part;
	script.room = room;
	script.all = stream->packed + behind;
	add_script(s, &script);
}

static void
make_bad(struct hisi_zip_scripts *s, const uint8_t *src, uint32_t len)
{
	add_script(s, &(struct hisi_zip_script){ .src = src, .first = len, .all = len, .room = 1000,
		.bad = true });
}

/* One stream, in all ways in which it can come. */
static void
make_decompression(struct hisi_zip_scripts *s, bool lists, const struct hisi_zip_script *stream,
		uint8_t *const src[2])
{
	const uint32_t packed = stream->packed, len = stream->len;
	const struct {
		uint32_t first, part, room, behind;
	} ways[] = {
		/* The first ones also for what takes its time. */
		{ packed + 3, 1, len / 2 + 101, 3 },             /* output by and by */
		{ packed / 2, packed, len + 300, 0 },            /* input in two parts */
		{ packed, 0, len > 201 ? len - 1 : 201, 0 },     /* one byte short */
		{ packed, 0, len / 6 + 30, 0 },                  /* with the store */
		{ packed, 0, len + 300, 0 },                     /* at once */
		{ packed, 0, len > 200 ? len : 201, 0 },         /* exact fit */
		{ packed - 1, 1, len + 300, 0 },                 /* the last byte alone */
		{ 1, packed, len + 300, 0 },                     /* the first one */
		{ RTE_MIN(packed, 9u), packed / 4 + 1, len / 2 + 101, 0 },
		/* With other bytes behind it. */
		{ packed + 1, 1, len + 300, 1 }, { packed + 2, 1, len + 300, 2 },
		{ packed + 3, 1, len + 300, 3 }, { packed + 4, 1, len + 300, 4 },
		{ packed + 8, 1, len + 300, 8 }, { packed - 1, 4, len + 300, 3 },
	};
	const unsigned int n = lists || len > 10000 ? 4 : RTE_DIM(ways);

	for (unsigned int i = 0; i < n; i++)
		make_script(s, stream, src[0], ways[i].first, ways[i].part, ways[i].room,
			ways[i].behind);
	if (n < RTE_DIM(ways))
		return;
	/* Byte by byte. */
	if (packed < 30)
		make_script(s, stream, src[0], 1, 1, len / 4 + 201, 0);
	/* With what cannot be a trailer. */
	for (uint32_t behind = 1; behind <= BEHIND; behind += 3)
		make_script(s, stream, src[1], packed + behind, 1, len + 300, behind);
	make_bad(s, src[0], packed - 1);
	if (packed > 20)
		make_bad(s, src[0], packed / 2);
}

static void
make_decompressions(struct hisi_zip_scripts *s, struct hisi_zip_asker *a, bool lists)
{
	static const struct {
		uint32_t len;
		uint8_t level;
		enum zip_codec_huffman huffman;
		bool zeros;
	} data[] = {
		/* What has most ops comes first, so that no lane is the last one for long. */
		{ HISI_ZIP_SCRIPT_LEN, 1, ZIP_CODEC_HUFFMAN_DEFAULT },
		/* All input is taken before the last output is there. */
		{ 8000, 6, ZIP_CODEC_HUFFMAN_DYNAMIC, true },
		{ 3000, 6, ZIP_CODEC_HUFFMAN_FIXED, true },
		{ 5000, 6, ZIP_CODEC_HUFFMAN_DYNAMIC }, { 1500, 6, ZIP_CODEC_HUFFMAN_FIXED },
		{ 700, 0, ZIP_CODEC_HUFFMAN_DEFAULT }, { 1, 6, ZIP_CODEC_HUFFMAN_FIXED },
	};
	/* A block of no type, lengths that differ, and a distance before the data. */
	static const struct {
		uint8_t len, data[8];
	} bad[] = {
		{ 4, { 0x07, 0x00, 0x00, 0x00 } },
		{ 8, { 0x01, 0x05, 0x00, 0xfa, 0xfe, 'a', 'b', 'c' } },
		{ 6, { 0x4b, 0x04, 0x52, 0x00, 0x00, 0x00 } },
	};

	for (unsigned int i = 0; i < RTE_DIM(data); i++) {
		struct hisi_zip_script stream = { .len = data[i].len,
			.plain = data[i].zeros ? a->zeros : a->plain };
		uint8_t *src[2];

		stream.packed = stream_pack(a, stream.plain, stream.len, data[i].level,
			data[i].huffman, src);
		if (stream.packed == 0)
			s->incomplete = true;
		else
			make_decompression(s, lists, &stream, src);
	}
	for (unsigned int i = 0; i < RTE_DIM(bad); i++) {
		uint8_t *src = hisi_zip_ask_alloc(a, bad[i].len);

		if (src == NULL)
			return;
		memcpy(src, bad[i].data, bad[i].len);
		make_bad(s, src, bad[i].len);
	}
}

void
hisi_zip_scripts_make(struct hisi_zip_scripts *s, struct hisi_zip_asker *a, bool lists)
{
	s->n = 0;
	s->incomplete = false;
	stream_make_plain(a->plain, HISI_ZIP_SCRIPT_LEN);
	if (a->dir == HISI_ZIP_COMP)
		make_compressions(s, a, lists);
	else
		make_decompressions(s, a, lists);
}
