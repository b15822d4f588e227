/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#ifndef HISI_ZIP_ANSWER_ROUND_H
#define HISI_ZIP_ANSWER_ROUND_H

/** @file Rounds of questions about stateless DEFLATE: how they are put, and what is right. */

#include "hisi_zip_ask.h"

#define HISI_ZIP_QUESTIONS_MAX 160
#define HISI_ZIP_ASK_DATA_MAX  6 /**< Kinds of data that are compressed. */

/** One path that is asked about, and what it has shown so far. */
struct hisi_zip_trial {
	struct hisi_zip_asker *a;
	enum hisi_zip_path path;
	struct hisi_zip_words words;
	uint32_t trailer; /**< Bytes of it. */
	bool lists;       /**< Buffers are lists; else flat, but for a source with a trailer. */
	bool seen;        /**< Counted and sum are known. */
	uint8_t counted;
	uint8_t sum;
	bool ends;        /**< As in struct hisi_zip_path_info. */
	const char *why;  /**< It fails. */
	uint32_t packed[HISI_ZIP_ASK_DATA_MAX]; /**< Compression: bytes that came of each. */
};

/** May the function do it? */
enum hisi_zip_success { HISI_ZIP_MUST, HISI_ZIP_MAY, HISI_ZIP_NEVER };

/** A request, and what may come of it. */
struct hisi_zip_question {
	uint8_t *src;
	uint32_t src_len, room; /**< Without trailers. */
	unsigned int entries;   /**< Of the lists, if there are lists; at least. */
	bool repeat;            /**< Long data in little memory: each entry is all of it. */
	enum hisi_zip_success success;
	const uint8_t *plain;
	uint32_t len;           /**< Of it. */
	uint32_t packed;        /**< Decompression: bytes of DEFLATE data. */
	uint32_t *took;         /**< Compression: gets them; NULL: not needed. */

	/* Filled when it is put. */
	struct hisi_zip_trial *t;
	uint8_t *dst;
	struct hisi_zip_asked asked;
	struct hisi_zip_sqe sqe;
};

/** Questions that are asked at once. */
struct hisi_zip_round {
	struct hisi_zip_asker *a;
	uint8_t *trailer; /**< Behind sources, zeros; behind destinations. */
	size_t base;      /**< Bytes of the asker's memory with it. */
	size_t shared;    /**< And with what all questions of the round use. */
	unsigned int n;
	struct hisi_zip_question q[HISI_ZIP_QUESTIONS_MAX];
};

/**
 * Have a question asked with the round, or with the next one if there is no room. Nothing, once
 * the path has failed.
 */
void hisi_zip_round_put(struct hisi_zip_round *r, struct hisi_zip_trial *t,
		const struct hisi_zip_question *question);

/** Ask what was put, and see what the answers show of the paths. */
void hisi_zip_round_ask(struct hisi_zip_round *r);

#endif /* HISI_ZIP_ANSWER_ROUND_H */
