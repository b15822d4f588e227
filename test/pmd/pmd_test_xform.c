/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <rte_compressdev_pmd.h>
#include <rte_malloc.h>

#include "hisi_zip_xform.h"
#include "pmd_test.h"
#include "pmd_test_xform.h"
#include "spim.h"

int allocs_left = -1;
bool no_stream;
unsigned int released;
uint64_t released_addr;
int sw_streams;

__typeof__(rte_zmalloc_socket) __real_rte_zmalloc_socket, __wrap_rte_zmalloc_socket;
__typeof__(zip_codec_stream_create) __real_zip_codec_stream_create, __wrap_zip_codec_stream_create;
__typeof__(zip_codec_stream_destroy) __real_zip_codec_stream_destroy,
	__wrap_zip_codec_stream_destroy;
__typeof__(spim_reg_write64) __real_spim_reg_write64, __wrap_spim_reg_write64;

void *
__wrap_rte_zmalloc_socket(const char *type, size_t size, unsigned int align, int socket)
{
	if (allocs_left == 0)
		return NULL;
	if (allocs_left > 0)
		allocs_left--;
	return __real_rte_zmalloc_socket(type, size, align, socket);
}

struct zip_codec_stream *
__wrap_zip_codec_stream_create(enum zip_codec_dir dir, const struct zip_codec_params *params)
{
	if (no_stream)
		return NULL;
	sw_streams++;
	return __real_zip_codec_stream_create(dir, params);
}

void
__wrap_zip_codec_stream_destroy(struct zip_codec_stream *stream)
{
	sw_streams -= stream != NULL;
	__real_zip_codec_stream_destroy(stream);
}

void
__wrap_spim_reg_write64(struct spim_dev *dev, uint32_t off, uint64_t value)
{
	PMD_CHECK(off == HISI_ZIP_EXT_REG_STREAM_RELEASE, "register 0x%x", off);
	released++;
	released_addr = value;
	__real_spim_reg_write64(dev, off, value);
}

static struct rte_compressdev *
cdev_of(uint8_t dev)
{
	return rte_compressdev_pmd_get_named_dev(rte_compressdev_name_get(dev));
}

int
make(uint8_t dev, enum maker maker, const struct rte_comp_xform *xform, void **made)
{
	return (maker == XFORM ? hisi_zip_xform_create : hisi_zip_stream_create)(cdev_of(dev),
		xform, made);
}

int
unmake_try(uint8_t dev, enum maker maker, void *made)
{
	return (maker == XFORM ? hisi_zip_xform_free : hisi_zip_stream_free)(cdev_of(dev), made);
}

void
unmake(uint8_t dev, enum maker maker, void *made)
{
	int ret = unmake_try(dev, maker, made);

	PMD_CHECK(ret == 0, "returned %d", ret);
}

void
refused(uint8_t dev, enum maker maker, const struct rte_comp_xform *xform, int err,
		const char *fmt, ...)
{
	struct pmd_usage before = pmd_usage_get();
	char want[512] = "HISI_ZIP: " NAME ": ";
	void *made = want;
	const char *log;
	va_list ap;
	int ret;

	va_start(ap, fmt);
	vsnprintf(want + strlen(want), sizeof(want) - strlen(want), fmt, ap);
	va_end(ap);
	strcat(want, "\n");
	pmd_log_begin();
	ret = make(dev, maker, xform, &made);
	log = pmd_log_end();
	PMD_CHECK(ret == err, "%d, expected %d with %s", ret, err, want);
	PMD_CHECK(made == want, "the pointer was written: %s", want);
	PMD_CHECK(strcmp(log, want) == 0, "%s, expected %s", log, want);
	pmd_usage_check(want, &before);
}

void
refused_by_both(uint8_t dev, const struct rte_comp_xform *xform, int err, const char *line)
{
	refused(dev, XFORM, xform, err, "%s", line);
	refused(dev, STREAM, xform, err, "%s", line);
}

void
accepted(uint8_t dev, enum maker maker, const struct rte_comp_xform *xform)
{
	struct pmd_usage before = pmd_usage_get();
	void *made = NULL;
	int ret = make(dev, maker, xform, &made);

	PMD_CHECK(ret == 0 && made != NULL, "returned %d", ret);
	unmake(dev, maker, made);
	pmd_usage_check("made and freed", &before);
}

void
starve(uint8_t dev, enum maker maker, const struct rte_comp_xform *xform,
		const char *const *lines)
{
	for (int n = 0; lines[n] != NULL; n++) {
		allocs_left = n;
		refused(dev, maker, xform, -ENOMEM, "%s", lines[n]);
		allocs_left = -1;
	}
	accepted(dev, maker, xform);
}
