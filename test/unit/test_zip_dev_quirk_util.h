/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#ifndef TEST_ZIP_DEV_QUIRK_UTIL_H
#define TEST_ZIP_DEV_QUIRK_UTIL_H

/** @file A plain function with quirks, and requests to it. */

#include <string.h>
#include <zlib.h>

#include "test_qm_dev_util.h"

#define LEN    20000u /* of text in plain */
#define ROOM   65536u
#define NEW    HISI_ZIP_DW7_STREAM_NEW
#define FINISH HISI_ZIP_DW7_FINISH
#define END    (HISI_ZIP_DECOMP_END | HISI_ZIP_LSTBLK)

/* Of the function that is open; packed has 2 * ROOM bytes. */
extern struct td td;
extern struct tq c, d;
extern uint8_t *plain, *packed, *out, *ctx;

/** What dw31 is before a request. */
#define FRESH_CHECKSUM 0xdeadbeefu

uint64_t quirks_of(const char *names);
/** Open a plain function with these quirks, "" for none. */
void open_with(uint8_t revision, const char *names);

/** Fill in a slot. */
struct hisi_zip_sqe *block(struct tq *q, uint32_t req, const void *src, uint32_t len,
		const void *dst, uint32_t room);
/** Fill in a slot and have it done. */
struct hisi_zip_sqe *do_block(struct tq *q, uint32_t req, const void *src, uint32_t len,
		const void *dst, uint32_t room);
/** The same for a stream. @param dw7 NEW and FINISH. */
struct hisi_zip_sqe *do_stream(struct tq *q, uint32_t req, uint32_t dw7, const void *src,
		uint32_t len, const void *dst, uint32_t room);

/** Have zlib compress len bytes of plain, without header. @return Length, with trailer. */
uint32_t pack(int wbits, uint32_t len);
/** Expect n bytes to be raw DEFLATE of len bytes of plain. */
void is_plain(const uint8_t *data, uint32_t n, uint32_t len);

#endif /* TEST_ZIP_DEV_QUIRK_UTIL_H */
