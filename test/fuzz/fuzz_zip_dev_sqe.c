/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

/*
 * Requests of a hostile driver: every SQE must complete, nothing outside the
 * map may be touched, and only the result words of an SQE may change.
 *
 * Input: 1 byte flags, 1 byte number of SQEs (0 to 7), the SQEs, and the image
 * of the memory at ARENA_IOVA, in which SGLs and data lie.
 */

#include <string.h>

#include "fuzz_sqe.h"
#include "hisi_zip_ext.h"
#include "hisi_zip_sqe.h"
#include "zip_dev.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define FLAG_PLAIN      0x1u /* no extension */
#define FLAG_DECOMPRESS 0x2u
#define FLAG_V2         0x4u
#define FLAG_FIT        0x8u /* bend addresses so that they point into the arena */
#define FLAG_QUIRKS_1   0x10u /* every other quirk */
#define FLAG_QUIRKS_2   0x20u /* the others */

#define QUIRKS_1 UINT64_C(0x5555555555555555)

#define LEN_MAX    (128u << 10)

#define RESULTS (1u << 0 | 1u << 1 | 1u << 2 | 1u << 3 | 1u << 15 | 1u << 28 | 1u << 29 | \
		1u << 30 | 1u << 31)

/* One function per revision, extension and set of quirks, made once. */
static struct qm_dev *
function(unsigned int flags, uint8_t *arena, struct rings *rings)
{
	static struct qm_dev *devs[64];
	struct qm_dev **dev = &devs[flags & (FLAG_PLAIN | FLAG_V2 | FLAG_QUIRKS_1 |
			FLAG_QUIRKS_2)];

	if (*dev == NULL) {
		const struct zip_dev_conf zip = { .streams_max = 4,
			.quirks = ((flags & FLAG_QUIRKS_1) != 0 ? QUIRKS_1 : 0) |
				((flags & FLAG_QUIRKS_2) != 0 ? ~QUIRKS_1 : 0) };
		struct qm_dev_conf conf = {
			.classes = { { &zip_dev_class, &zip } },
			.revision = (flags & FLAG_V2) != 0 ? HISI_QM_REV_V2 : HISI_QM_REV_V3,
			.ext = (flags & FLAG_PLAIN) == 0 };

		*dev = function_create(&conf, arena, rings);
	}
	return *dev;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t *arena;
	static struct rings *rings;
	struct hisi_zip_sqe sqe[DEPTH];
	struct qm_dev *dev;
	struct sqe_input in;

	if (arena == NULL) {
		arena = guarded_map(ARENA);
		rings = (struct rings *)guarded_map(4096);
	}
	if (take_input(data, size, &in, sqe, arena) != 0)
		return -1;

	dev = function(in.flags, arena, rings);
	start(dev, rings, (in.flags & FLAG_DECOMPRESS) != 0 ? HISI_ZIP_QC_DECOMPRESS :
			HISI_ZIP_QC_COMPRESS);

	for (unsigned int i = 0; i < in.n; i++) {
		if ((in.flags & FLAG_FIT) != 0) {
			bend(&sqe[i].source_addr_l, &sqe[i].source_addr_h);
			bend(&sqe[i].dest_addr_l, &sqe[i].dest_addr_h);
			sqe[i].stream_ctx_addr_h = 0;
			sqe[i].stream_ctx_addr_l &= 7;
		}
		/* Lists may name the same memory often; megabytes at level 9 would take all day. */
		if (sqe[i].input_data_length <= HISI_ZIP_REQ_LEN_MAX)
			sqe[i].input_data_length %= LEN_MAX;
		memcpy(rings->sq[i], &sqe[i], SQE_SIZE);
	}
	run(dev, rings, in.n);
	for (unsigned int i = 0; i < in.n; i++) {
		struct hisi_zip_sqe after;

		memcpy(&after, rings->sq[i], SQE_SIZE);
		check_unchanged(&sqe[i], &after, RESULTS);
		require(after.consumed <= sqe[i].input_data_length);
		require(after.produced <= sqe[i].dest_avail_out);
	}

	/* Leave no stream behind for the next input, so that one input shows a fault again. */
	for (unsigned int i = 0; i < in.n; i++) {
		struct qm_dev_stats stats;
		const struct hisi_zip_sqe *s = &sqe[i];

		qm_dev_write(dev, HISI_ZIP_EXT_REG_STREAM_RELEASE, 8, s->stream_ctx_addr_l |
				(uint64_t)s->stream_ctx_addr_h << 32);
		qm_dev_stats_get(dev, &stats);
		require(i + 1 < in.n || stats.contexts == 0 || (in.flags & FLAG_PLAIN) != 0);
	}
	return 0;
}
