/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

/*
 * What becomes of transforms that only newer releases of DPDK have: LZ4 (23.03), dictionaries
 * (25.11). On older ones it is built with newer_api.h.
 */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "hisi_zip_compat.h"
#include "hisi_zip_xform.h"
#include "pmd_test.h"
#include "pmd_test_xform.h"

static const struct rte_comp_xform lz4_xform = {
	.type = RTE_COMP_COMPRESS,
	.compress = {
		.algo = (enum rte_comp_algorithm)RTE_COMP_ALGO_LZ4, .level = 1, .window_size = 16,
	},
}, unlz4_xform = {
	.type = RTE_COMP_DECOMPRESS,
	.decompress = {
		.algo = (enum rte_comp_algorithm)RTE_COMP_ALGO_LZ4, .window_size = 16,
	},
};

static void
lz4_word(uint8_t dev, const struct rte_comp_xform *xform, bool sw, uint32_t dw10)
{
	struct hisi_zip_xform *x = pmd_xform(dev, xform);

	PMD_CHECK((x->sw != 0) == sw && x->words.dw9 == 0xf1 && x->words.dw10 == dw10,
		"%u 0x%x 0x%x", x->sw, x->words.dw9, x->words.dw10);
	pmd_xform_free(dev, x);
}

static void
lz4(void)
{
	uint8_t dev = pmd_dev_add(NAME, "");
	struct rte_comp_xform x;

	lz4_word(dev, &lz4_xform, false, 0x80000001);
	lz4_word(dev, &unlz4_xform, false, 0x8000f001);
	x = lz4_xform;
	x.compress.level = 9;
	x.compress.window_size = 8;
	x.compress.lz4.flags = 0x3c;
	x.compress.chksum = (enum rte_comp_checksum_type)RTE_COMP_CHECKSUM_XXHASH32;
	lz4_word(dev, &x, false, 0x807c8009);
	for (unsigned int bit = 0; bit < 8; bit++) {
		x.compress.lz4.flags = (uint8_t)(1u << bit);
		if (bit >= 2 && bit <= 5)
			lz4_word(dev, &x, false, 0x80408009 | 1u << (bit + 16));
		else
			refused_by_both(dev, &x, -ENOTSUP, bit == 0 ?
				"LZ4 flags 0x1, expected of 0x3c" : bit == 1 ?
				"LZ4 flags 0x2, expected of 0x3c" : bit == 6 ?
				"LZ4 flags 0x40, expected of 0x3c" :
				"LZ4 flags 0x80, expected of 0x3c");
	}
	x = lz4_xform;
	for (int v = 0; v <= 6; v++) {
		char line[128];

		x.compress.chksum = (enum rte_comp_checksum_type)v;
		if (v == 0 || v == RTE_COMP_CHECKSUM_XXHASH32)
			continue;
		snprintf(line, sizeof(line), "compress checksum type %d with LZ4, expected none "
			"(0) or xxHash-32 (4)", v);
		refused_by_both(dev, &x, -ENOTSUP, line);
	}
	x = unlz4_xform;
	x.decompress.chksum = RTE_COMP_CHECKSUM_CRC32;
	refused_by_both(dev, &x, -ENOTSUP, "decompress checksum type 1 with LZ4, expected none "
		"(0) or xxHash-32 (4)");
	x = unlz4_xform;
	x.decompress.window_size = 17;
	refused_by_both(dev, &x, -EINVAL, "decompress window size 2^17, expected 2^8 to 2^16");
	x = lz4_xform;
	x.compress.window_size = 17;
	refused_by_both(dev, &x, -EINVAL, "compress window size 2^17, expected 2^8 to 2^16");
	x.compress.window_size = 7;
	refused_by_both(dev, &x, -EINVAL, "compress window size 2^7, expected 2^8 to 2^16");
	x = lz4_xform;
	x.compress.level = 10;
	refused_by_both(dev, &x, -EINVAL, "compression level 10, expected -1 to 9");
	refused(dev, STREAM, &lz4_xform, -ENOTSUP, "stream with algorithm 4, expected DEFLATE (2)");
	pmd_dev_remove(NAME);

	/* Neither the revision nor a level counts; plain silicon has none of it. */
	dev = pmd_dev_add(NAME, "rev=v2,sw=off");
	x = lz4_xform;
	x.compress.level = 9;
	lz4_word(dev, &x, false, 0x80000009);
	pmd_dev_remove(NAME);
	dev = pmd_dev_add(NAME, "ext=off");
	lz4_word(dev, &lz4_xform, true, 0);
	lz4_word(dev, &unlz4_xform, true, 0);
	pmd_dev_remove(NAME);
	dev = pmd_dev_add(NAME, "ext=off,sw=off");
	refused_by_both(dev, &lz4_xform, -ENOTSUP, "the function cannot do this transform "
		"(features 0x0), expected sw=auto");
	pmd_dev_remove(NAME);
}

/* ---- Dictionaries -------------------------------------------------------------------------- */

#if HISI_ZIP_HAVE_UDC

static struct rte_comp_xform
with_dict(bool comp, uint8_t *dict, uint16_t len, int chksum)
{
	struct rte_comp_xform x = comp ? pmd_deflate_xform : pmd_inflate_xform;

	if (comp) {
		x.compress.deflate.dictionary = dict;
		x.compress.deflate.dictionary_len = len;
		x.compress.chksum = (enum rte_comp_checksum_type)chksum;
	} else {
		x.decompress.inflate.dictionary = dict;
		x.decompress.inflate.dictionary_len = len;
		x.decompress.chksum = (enum rte_comp_checksum_type)chksum;
	}
	return x;
}

/* The checksum of TS 38.323: the digits of the first and the last four bytes, inverted. */
static uint8_t
udc(const uint8_t *dict, size_t len)
{
	uint8_t eight[8];
	int sum = 0;

	memcpy(eight, dict, 4);
	memcpy(eight + 4, dict + len - 4, 4);
	for (int i = 0; i < 16; i++)
		sum += eight[i / 2] / (i % 2 == 0 ? 16 : 1) % 16;
	return (uint8_t)(15 - sum % 16);
}

static void
dict_kept(uint8_t dev, bool comp, uint8_t *dict, uint16_t len, int chksum, bool sw)
{
	struct rte_comp_xform xform = with_dict(comp, dict, len, chksum);
	struct pmd_usage before = pmd_usage_get();
	uint32_t kept = RTE_MIN(len, 32768);
	struct hisi_zip_xform *x = pmd_xform(dev, &xform);
	bool is_udc = chksum == RTE_COMP_CHECKSUM_3GPP_PDCP_UDC;

	PMD_CHECK((x->sw != 0) == sw && x->codec.dict_len == kept && x->codec.dict == x->dict.va &&
		x->dict.len == kept && x->codec.dict != dict, "%u of %u", x->codec.dict_len, len);
	PMD_CHECK(memcmp(x->codec.dict, dict + len - kept, kept) == 0, "not its end");
	PMD_CHECK(x->slot_flags == (0x10 | (chksum != 0 ? 0x1 : 0) | (is_udc ? 0x20 : 0)),
		"0x%x", x->slot_flags);
	PMD_CHECK(x->udc == (is_udc ? udc(dict, len) : 0), "%u", x->udc);
	PMD_CHECK(sw || x->words.dw10 == (0x8000f801 | (chksum == 1 ? 0x40 : 0)), "0x%x",
		x->words.dw10);
	pmd_xform_free(dev, x);
	pmd_usage_check("a dictionary", &before);
}

static void
dictionaries(void)
{
	static const uint16_t lens[] = { 1, 3, 4, 5, 8, 100, 32767, 32768, 32769, 65535 };
	static uint8_t dict[65535];
	uint8_t dev = pmd_dev_add(NAME, "");
	struct rte_comp_xform x;
	struct rng rng;

	pmd_rng(&rng);
	for (size_t i = 0; i < sizeof(dict); i++)
		dict[i] = (uint8_t)rng_next(&rng);
	for (int sw = 0; sw < 2; sw++) {
		for (size_t i = 0; i < RTE_DIM(lens); i++) {
			for (int comp = 0; comp < 2; comp++) {
				dict_kept(dev, comp, dict, lens[i], 0, sw);
				dict_kept(dev, comp, dict, lens[i], 1, sw);
				if (lens[i] >= 4)
					dict_kept(dev, comp, dict, lens[i], 5, sw);
			}
		}
		if (sw == 1)
			break;
		pmd_dev_remove(NAME);
		dev = pmd_dev_add(NAME, "ext=off");
	}
	for (int comp = 0; comp < 2; comp++) {
		for (uint16_t len = 0; len < 4; len++) {
			char line[128];

			snprintf(line, sizeof(line), "UDC checksum of a dictionary of %u bytes, "
				"expected 4 at least", len);
			x = with_dict(comp, dict, len, 5);
			refused_by_both(dev, &x, -EINVAL, line);
		}
		x = with_dict(comp, NULL, 1000, 0);
		refused_by_both(dev, &x, -EINVAL, "dictionary of 1000 bytes at NULL, expected an "
			"address");
		x = with_dict(comp, NULL, 0, 0);
		accepted(dev, XFORM, &x);
		x = with_dict(comp, dict, 40000, 0);
		refused(dev, STREAM, &x, -ENOTSUP, "stream with a dictionary of 32768 bytes, "
			"expected none");
		/* Only DEFLATE has dictionaries; for the others the field means nothing. */
		x = with_dict(comp, NULL, 1000, 0);
		*(comp ? &x.compress.algo : &x.decompress.algo) = RTE_COMP_ALGO_NULL;
		accepted(dev, XFORM, &x);
	}
	pmd_dev_remove(NAME);
	dev = pmd_dev_add(NAME, "ext=off,sw=off");
	x = with_dict(true, dict, 100, 0);
	refused(dev, XFORM, &x, -ENOTSUP, "the function cannot do this transform (features 0x0), "
		"expected sw=auto");
	pmd_dev_remove(NAME);
}

/* It is the second allocation of a transform. */
static void
no_memory(void)
{
	uint8_t dev = pmd_dev_add(NAME, ""), dict[100] = { 1 };
	struct rte_comp_xform x = with_dict(true, dict, sizeof(dict), 0);
	char line[128];

	snprintf(line, sizeof(line), "no memory for a transform: %zu bytes",
		sizeof(struct hisi_zip_xform));
	starve(dev, XFORM, &x, (const char *const[]){ line,
		"no memory for a dictionary: 100 bytes", NULL });
	snprintf(line, sizeof(line), "no memory for a stream: %zu bytes",
		sizeof(struct hisi_zip_stream));
	allocs_left = 0;
	refused(dev, STREAM, &x, -ENOMEM, "%s", line);
	allocs_left = 1;
	refused(dev, STREAM, &x, -ENOMEM, "no memory for a dictionary: 100 bytes");
	allocs_left = -1;
	pmd_dev_remove(NAME);
}

#endif

int
main(int argc, char **argv)
{
	static const struct pmd_case cases[] = {
		{ "lz4", lz4 },
#if HISI_ZIP_HAVE_UDC
		{ "dictionaries", dictionaries },
		{ "no_memory", no_memory },
#endif
		{ 0 },
	};

	return pmd_main(argc, argv, &(struct pmd_program){
		.name = "test_pmd_xform_newer", .count = 1, .cases = cases,
	});
}
