/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#ifndef HISI_ZIP_COMPAT_H
#define HISI_ZIP_COMPAT_H

/**
 * @file
 * All that differs between the DPDK releases that this driver is built for
 * (22.11, 24.11, 25.11): no other file of it looks at RTE_VERSION.
 */

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#include <rte_lcore.h>
#include <rte_version.h>

/* ---- Threads ------------------------------------------------------------------------------- */

#if RTE_VERSION >= RTE_VERSION_NUM(23, 11, 0, 0)

#include <rte_thread.h>

/** What a thread is to run; its own to free. */
struct hisi_zip_thread_start {
	void *(*run)(void *arg);
	void *arg;
};

static inline uint32_t
hisi_zip_thread_main(void *arg)
{
	struct hisi_zip_thread_start start = *(struct hisi_zip_thread_start *)arg;

	free(arg);
	start.run(start.arg);
	return 0;
}

/** Start a thread where EAL lets control threads run. @return 0 or negative errno. */
static inline int
hisi_zip_ctrl_thread_create(pthread_t *thread, const char *name, void *(*run)(void *arg), void *arg)
{
	struct hisi_zip_thread_start *start = malloc(sizeof(*start));
	rte_thread_t id;
	int ret;

	if (start == NULL)
		return -ENOMEM;
	*start = (struct hisi_zip_thread_start){ .run = run, .arg = arg };
	ret = rte_thread_create_control(&id, name, hisi_zip_thread_main, start);
	if (ret != 0) {
		free(start);
		return -abs(ret);
	}
	*thread = (pthread_t)id.opaque_id;
	return 0;
}

#else

static inline int
hisi_zip_ctrl_thread_create(pthread_t *thread, const char *name, void *(*run)(void *arg), void *arg)
{
	return -abs(rte_ctrl_thread_create(thread, name, NULL, run, arg));
}

#endif

/* ---- Telemetry ----------------------------------------------------------------------------- */

#if RTE_VERSION < RTE_VERSION_NUM(23, 3, 0, 0)
#define rte_tel_data_add_dict_uint rte_tel_data_add_dict_u64
#endif

/* ---- Mbufs --------------------------------------------------------------------------------- */

#if RTE_VERSION < RTE_VERSION_NUM(23, 3, 0, 0)
#define RTE_IOVA_IN_MBUF RTE_IOVA_AS_PA
#endif

/** Where an mbuf keeps the IOVA of its buffer: without a field for it, IOVAs are pointers. */
#if RTE_IOVA_IN_MBUF
#define HISI_ZIP_MBUF_IOVA offsetof(struct rte_mbuf, buf_iova)
#else
#define HISI_ZIP_MBUF_IOVA offsetof(struct rte_mbuf, buf_addr)
#endif

#endif /* HISI_ZIP_COMPAT_H */
