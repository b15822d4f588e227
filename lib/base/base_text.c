/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <stdbool.h>
#include <stdint.h>

#include "base_text.h"

/* Default_Ignorable_Code_Point, Bidi_Control, line ends and surrogates of Unicode 15; sorted. */
static const struct {
	uint32_t first, last;
} unseen[] = {
	{ 0x0080, 0x009f }, { 0x00ad, 0x00ad }, { 0x034f, 0x034f }, { 0x061c, 0x061c },
	{ 0x115f, 0x1160 }, { 0x17b4, 0x17b5 }, { 0x180b, 0x180f }, { 0x200b, 0x200f },
	{ 0x2028, 0x202e }, { 0x2060, 0x206f }, { 0x3164, 0x3164 }, { 0xd800, 0xdfff },
	{ 0xfdd0, 0xfdef }, { 0xfe00, 0xfe0f }, { 0xfeff, 0xfeff }, { 0xffa0, 0xffa0 },
	{ 0xfff0, 0xfffb }, { 0x1bca0, 0x1bca3 }, { 0x1d173, 0x1d17a }, { 0xe0000, 0xe0fff },
};

static bool
is_seen(uint32_t c)
{
	/* The last two of each plane are no characters. */
	if ((c & 0xfffe) == 0xfffe)
		return false;
	for (size_t i = 0; i < sizeof(unseen) / sizeof(unseen[0]); i++)
		if (c >= unseen[i].first && c <= unseen[i].last)
			return false;
	return true;
}

size_t
base_text_character(const char *text)
{
	/* Least values, so that no character has two forms. */
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	const unsigned char *t = (const unsigned char *)text;
	uint32_t c = t[0];
	size_t n = c < 0x80 ? 1 : c >> 5 == 6 ? 2 : c >> 4 == 14 ? 3 : c >> 3 == 30 ? 4 : 0;

	if (n <= 1)
		return n == 1 && c >= ' ' && c != 0x7f;
	c &= 0x7fu >> n;
	for (size_t i = 1; i < n; i++) {
		if (t[i] >> 6 != 2)
			return 0;
		c = c << 6 | (t[i] & 0x3f);
	}
	return c >= least[n] && c <= 0x10ffff && is_seen(c) ? n : 0;
}
