/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#ifndef HISI_ZIP_ANSWER_SCRIPT_H
#define HISI_ZIP_ANSWER_SCRIPT_H

/** @file The streams that a function is asked about (hisi_zip_answer_stream.c). */

#include "hisi_zip_ask.h"

#define HISI_ZIP_SCRIPTS_MAX  160u
#define HISI_ZIP_SCRIPT_LEN   34000u /**< Bytes of plain data, at most. */
#define HISI_ZIP_SCRIPT_PARTS 8u     /**< Ops of a compression, but for those that go on. */
/** Bytes of room of the longest ones, which come first, and of the others. */
#define HISI_ZIP_SCRIPT_ROOM_LONG (HISI_ZIP_SCRIPT_LEN + HISI_ZIP_SCRIPT_LEN / 8 + 256)
#define HISI_ZIP_SCRIPT_ROOM      16384u
#define HISI_ZIP_SCRIPTS_LONG     4u /**< At most. */

/** How a stream is given to the ops, and what is to come of it. */
struct hisi_zip_script {
	const uint8_t *src, *plain;
	uint32_t len;        /**< Decompression: bytes of the plain data. */
	uint32_t packed;     /**< And of the stream. */
	/** Decompression: bytes of input of the first op, and of those that follow; all of it. */
	uint32_t first, part, all;
	uint32_t room;
	bool bad;            /**< It is no stream: its one op must not find an end. */
	unsigned int parts;  /**< Compression: ops. */
};

/** All of a path. */
struct hisi_zip_scripts {
	unsigned int n;
	bool incomplete; /**< There was no memory for all of them. */
	struct hisi_zip_script script[HISI_ZIP_SCRIPTS_MAX];
};

/**
 * Make them, with the asker's memory, plain data and codec.
 * @param lists
 *   Buffers will be lists: fewer of them.
 */
void hisi_zip_scripts_make(struct hisi_zip_scripts *s, struct hisi_zip_asker *a, bool lists);

/** Bytes of a part of a compression. */
uint32_t hisi_zip_script_part(const struct hisi_zip_script *script, unsigned int i);

#endif /* HISI_ZIP_ANSWER_SCRIPT_H */
