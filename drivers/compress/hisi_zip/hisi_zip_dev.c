/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <errno.h>

#include <rte_mbuf.h>

#include "hisi_ap.h"
#include "hisi_zip_compat.h"
#include "hisi_zip_dev.h"
#include "hisi_zip_ext.h"
#include "hisi_zip_devargs.h"
#include "hisi_zip_log.h"
#include "hisi_zip_probe.h"
#include "hisi_zip_telemetry.h"
#include "zip_codec.h"

static void
zip_log(enum base_log_level level, const char *line, void *priv)
{
	RTE_SET_USED(priv);
	if (level == BASE_LOG_ERR)
		HISI_ZIP_LOG(ERR, "%s", line);
	else
		HISI_ZIP_LOG(INFO, "%s", line);
}

struct hisi_driver hisi_zip_driver = {
	.name = "hisi_zip",
	.class_name = "compress",
	.owner_name = "queue pair",
	.log = { .line = zip_log },
	.device = HISI_PCI_DEVICE_ZIP_VF,
	.keys = hisi_zip_devarg_keys,
	.telemetry = "/compress_hisi_zip",
	.cmds = hisi_zip_telemetry_cmds,
	.pci_driver = { .name = RTE_STR(HISI_ZIP_PCI_DRIVER_NAME) },
	.pci_ids = hisi_zip_pci_ids,
	.probe = hisi_zip_pci_probe,
	.remove = hisi_zip_remove,
	.lock = PTHREAD_MUTEX_INITIALIZER,
};

HISI_REGISTER_DRIVER(hisi_zip_driver);

/* What the device can do: the function's own features, and all of them with software. */
static void
set_capabilities(struct hisi_zip_dev *dev)
{
	const uint64_t sgl = RTE_COMP_FF_OOP_SGL_IN_SGL_OUT | RTE_COMP_FF_OOP_SGL_IN_LB_OUT |
		RTE_COMP_FF_OOP_LB_IN_SGL_OUT;
	const uint64_t chksum = RTE_COMP_FF_CRC32_CHECKSUM | RTE_COMP_FF_ADLER32_CHECKSUM |
		RTE_COMP_FF_CRC32_ADLER32_CHECKSUM;
	uint32_t ext = dev->sw ? HISI_ZIP_EXT_F_ALL : dev->hisi.info.ext_features;
	bool raw = dev->sw || dev->hisi.info.revision >= HISI_QM_REV_V3;
	unsigned int n = 0;

	if (raw) {
		uint64_t flags = sgl | RTE_COMP_FF_SHAREABLE_PRIV_XFORM |
			RTE_COMP_FF_STATEFUL_COMPRESSION | RTE_COMP_FF_STATEFUL_DECOMPRESSION |
			RTE_COMP_FF_HUFFMAN_DYNAMIC;

		if (ext & HISI_ZIP_EXT_F_CHECKSUM)
			flags |= chksum;
		if (ext & HISI_ZIP_EXT_F_HUFFMAN)
			flags |= RTE_COMP_FF_HUFFMAN_FIXED;
		if (ext & HISI_ZIP_EXT_F_LEVEL)
			flags |= RTE_COMP_FF_NONCOMPRESSED_BLOCKS;
		dev->caps[n].algo = RTE_COMP_ALGO_DEFLATE;
		dev->caps[n].comp_feature_flags = flags;
		dev->caps[n].window_size.min = ext & HISI_ZIP_EXT_F_WINDOW ?
			ZIP_CODEC_WINDOW_MIN : 12;
		dev->caps[n].window_size.max = ZIP_CODEC_WINDOW_MAX;
		dev->caps[n].window_size.increment = 1;
		n++;
	}
	if (HISI_ZIP_HAVE_LZ4 && (ext & HISI_ZIP_EXT_F_LZ4)) {
		dev->caps[n].algo = HISI_ZIP_ALGO_LZ4;
		dev->caps[n].comp_feature_flags = sgl | RTE_COMP_FF_SHAREABLE_PRIV_XFORM |
			RTE_COMP_FF_NONCOMPRESSED_BLOCKS | HISI_ZIP_FF_LZ4;
		dev->caps[n].window_size.min = ZIP_CODEC_WINDOW_MIN;
		dev->caps[n].window_size.max = ZIP_CODEC_LZ4_WINDOW_MAX;
		dev->caps[n].window_size.increment = 1;
		n++;
	}
	if (ext & HISI_ZIP_EXT_F_COPY) {
		dev->caps[n].algo = RTE_COMP_ALGO_NULL;
		dev->caps[n].comp_feature_flags = sgl | RTE_COMP_FF_SHAREABLE_PRIV_XFORM |
			(ext & HISI_ZIP_EXT_F_CHECKSUM ? chksum : 0);
		n++;
	}
	dev->caps[n].algo = RTE_COMP_ALGO_UNSPECIFIED; /* RTE_COMP_END_OF_CAPABILITIES_LIST */
}

int
hisi_zip_dev_init(struct hisi_zip_dev *dev, struct hisi_ap *ap)
{
	bool bus;
	int ret;

	TAILQ_INIT(&dev->qps);
	ret = hisi_dev_open(&dev->hisi, ap);
	if (ret != 0)
		return ret;
	bus = dev->hisi.ap->io != NULL;
	/*
	 * Every access point with a name uses pointers (spim_info.va), also where memory
	 * must be registered. Only a function behind a bus uses IOVAs, in whichever mode
	 * EAL is: an external buffer has the one that it was attached with.
	 */
	dev->addr_off = bus ? HISI_ZIP_MBUF_IOVA : offsetof(struct rte_mbuf, buf_addr);
	set_capabilities(dev);
	if (dev->caps[0].algo == RTE_COMP_ALGO_UNSPECIFIED) {
		HISI_ZIP_LOG(ERR, "%s: a function of revision 0x%x has no algorithm of compressdev "
			"by itself, expected sw=auto", dev->hisi.name, dev->hisi.info.revision);
		hisi_dev_close(&dev->hisi);
		return -ENOTSUP;
	}
	dev->feature_flags = bus ? RTE_COMPDEV_FF_HW_ACCELERATED : 0;
	if (dev->hisi.info.polled)
		dev->feature_flags |= RTE_COMPDEV_FF_OP_DONE_IN_DEQUEUE;
	hisi_dev_show(&dev->hisi);
	return 0;
}

void
hisi_zip_dev_fini(struct hisi_zip_dev *dev)
{
	hisi_dev_hide(&dev->hisi);
	hisi_dev_close(&dev->hisi);
}

RTE_LOG_REGISTER_DEFAULT(hisi_zip_logtype, INFO);
