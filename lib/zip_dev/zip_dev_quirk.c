/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <stdio.h>
#include <string.h>

#include "zip_dev_quirk.h"

const struct zip_dev_quirk_info zip_dev_quirks[ZIP_DEV_QUIRKS] = {
	/* zlib and gzip */
	[ZIP_DEV_QUIRK_PRODUCED_DATA] = { "produced-data", "U16",
		"produced of a compression does not count the trailer, which is written" },
	[ZIP_DEV_QUIRK_CONSUMED_DATA] = { "consumed-data", "U16",
		"consumed of a decompression does not count the trailer, which is checked" },
	[ZIP_DEV_QUIRK_CONSUMED_ALL] = { "consumed-all", "U16",
		"consumed of a stateless decompression is all of the input" },
	[ZIP_DEV_QUIRK_NO_TRAILER] = { "no-trailer", "U16",
		"trailers are neither written nor read" },
	[ZIP_DEV_QUIRK_CRC_ZERO] = { "crc-zero", "U16",
		"status 0x10 comes with consumed and produced 0" },
	[ZIP_DEV_QUIRK_DW31_ZERO] = { "dw31-zero", "U17", "dw31 of zlib and gzip is 0" },
	[ZIP_DEV_QUIRK_DW31_PLAIN] = { "dw31-plain", "U17",
		"dw31 of gzip is the CRC-32 as the trailer has it" },
	[ZIP_DEV_QUIRK_DW31_RAW] = { "dw31-raw", "U17",
		"raw DEFLATE has dw30 and dw31 of gzip" },
	/* How an end is told */
	[ZIP_DEV_QUIRK_END_STATELESS] = { "end-stateless", "U12",
		"a stateless decompression ends with 0x13 and LSTBLK" },
	[ZIP_DEV_QUIRK_END_13] = { "end-13", "U12",
		"the end of a stream is 0x13 without LSTBLK" },
	[ZIP_DEV_QUIRK_END_LSTBLK] = { "end-lstblk", "U12",
		"the end of a stream is LSTBLK with status 0" },
	[ZIP_DEV_QUIRK_CTX4_NEVER] = { "ctx4-never", "U14",
		"a stream that lacks its trailer waits without ctx_st 4" },
	/* Streams */
	[ZIP_DEV_QUIRK_HEAD_BITS] = { "head-bits", "U14",
		"up to 39 bits of a block that has not begun stay in the context, consumed" },
	[ZIP_DEV_QUIRK_FLUSH_BITS] = { "flush-bits", "U15",
		"a sync flush ends a block, and keeps up to 7 bits for the next request" },
	[ZIP_DEV_QUIRK_EMPTY_REFUSED] = { "empty-refused", "U14",
		"a request of a stream with input length 0 is refused" },
	[ZIP_DEV_QUIRK_ROOM_200] = { "room-200", "U20",
		"less than 200 bytes of room for a stream is 0x0e" },
	/* Limits */
	[ZIP_DEV_QUIRK_ROOM_8M] = { "room-8m", "U20", "more than 8 MiB of room is refused" },
	[ZIP_DEV_QUIRK_SGE_16] = { "sge-16", "U20",
		"an SGL with more than 16 entries is refused" },
	[ZIP_DEV_QUIRK_SGE_ZERO] = { "sge-zero", "U20", "an SGL entry of length 0 is refused" },
	[ZIP_DEV_QUIRK_SGL_SINGLE] = { "sgl-single", "U20",
		"an SGL with another one behind it is refused" },
	[ZIP_DEV_QUIRK_SGL_8M] = { "sgl-8m", "U20",
		"entries of more than 8 MiB in all are refused" },
	[ZIP_DEV_QUIRK_WINDOW_STRICT] = { "window-strict", "U19",
		"a distance above the window, 16 KiB on V2, is corrupt input" },
	/* Status */
	[ZIP_DEV_QUIRK_NC_NEVER] = { "nc-never", "U18", "0x0d is never told" },
	[ZIP_DEV_QUIRK_NC_STORED] = { "nc-stored", "U18", "0x0d comes with stored blocks" },
	[ZIP_DEV_QUIRK_NOSPACE_COUNTS] = { "nospace-counts", "U11",
		"a stateless 0x0e leaves consumed and produced as far as it came" },
	[ZIP_DEV_QUIRK_STATUS_30] = { "status-30", "U11",
		"errors without a known status are 0x30 to 0x36" },
};

const char *
zip_dev_quirks_parse(const char *text, uint64_t *mask)
{
	uint64_t found = 0;

	for (;;) {
		size_t len = strcspn(text, ":");
		unsigned int i = 0;

		while (i < ZIP_DEV_QUIRKS && (strlen(zip_dev_quirks[i].name) != len ||
				memcmp(text, zip_dev_quirks[i].name, len) != 0))
			i++;
		if (i == ZIP_DEV_QUIRKS)
			return text;
		found |= UINT64_C(1) << i;
		text += len;
		if (*text++ == '\0')
			break;
	}
	*mask = found;
	return NULL;
}

const char *
zip_dev_quirks_text(char text[ZIP_DEV_QUIRKS_TEXT_LEN])
{
	size_t used = 0;

	for (unsigned int i = 0; i < ZIP_DEV_QUIRKS; i++)
		used += (size_t)snprintf(text + used, ZIP_DEV_QUIRKS_TEXT_LEN - used, "%s%s",
				i == 0 ? "" : ":", zip_dev_quirks[i].name);
	return text;
}
