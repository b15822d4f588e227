/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#ifndef HISI_COMPAT_H
#define HISI_COMPAT_H

/**
 * @file
 * All of EAL that differs between the DPDK releases that the drivers are built for
 * (22.11, 24.11, 25.11). Who takes the drivers into DPDK drops it.
 */

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#include <dev_driver.h>
#include <rte_atomic.h>
#include <rte_lcore.h>
#include <rte_log.h>
#include <rte_version.h>

/* ---- Atomics ------------------------------------------------------------------------------- */

#if RTE_VERSION >= RTE_VERSION_NUM(23, 11, 0, 0)
#include <rte_stdatomic.h>
#else

#define RTE_ATOMIC(type) type
#define __rte_atomic
#define rte_memory_order_relaxed __ATOMIC_RELAXED
#define rte_memory_order_acquire __ATOMIC_ACQUIRE
#define rte_memory_order_release __ATOMIC_RELEASE
#define rte_memory_order_seq_cst __ATOMIC_SEQ_CST
#define rte_atomic_load_explicit(ptr, order) __atomic_load_n(ptr, order)
#define rte_atomic_store_explicit(ptr, val, order) __atomic_store_n(ptr, val, order)
#define rte_atomic_fetch_add_explicit(ptr, val, order) __atomic_fetch_add(ptr, val, order)
#define rte_atomic_fetch_and_explicit(ptr, val, order) __atomic_fetch_and(ptr, val, order)
#define rte_atomic_fetch_or_explicit(ptr, val, order) __atomic_fetch_or(ptr, val, order)

#endif

/* ---- Log ----------------------------------------------------------------------------------- */

#ifndef RTE_LOG_LINE
#define RTE_LOG_LINE(level, type, ...) \
	RTE_LOG(level, type, RTE_FMT(RTE_FMT_HEAD(__VA_ARGS__ ,) "\n", \
		RTE_FMT_TAIL(__VA_ARGS__ ,)))
#endif

/* ---- Threads ------------------------------------------------------------------------------- */

#if RTE_VERSION >= RTE_VERSION_NUM(23, 11, 0, 0)

#include <rte_thread.h>

/** What a thread is to run; its own to free. */
struct hisi_thread_start {
	void *(*run)(void *arg);
	void *arg;
};

static inline uint32_t
hisi_thread_main(void *arg)
{
	struct hisi_thread_start start = *(struct hisi_thread_start *)arg;

	free(arg);
	start.run(start.arg);
	return 0;
}

/** Start a thread where EAL lets control threads run. @return 0 or negative errno. */
static inline int
hisi_ctrl_thread_create(pthread_t *thread, const char *name, void *(*run)(void *arg), void *arg)
{
	struct hisi_thread_start *start = malloc(sizeof(*start));
	rte_thread_t id;
	int ret;

	if (start == NULL)
		return -ENOMEM;
	*start = (struct hisi_thread_start){ .run = run, .arg = arg };
	ret = rte_thread_create_internal_control(&id, name, hisi_thread_main, start);
	if (ret != 0) {
		free(start);
		return -abs(ret);
	}
	*thread = (pthread_t)id.opaque_id;
	return 0;
}

#else

static inline int
hisi_ctrl_thread_create(pthread_t *thread, const char *name, void *(*run)(void *arg), void *arg)
{
	return -abs(rte_ctrl_thread_create(thread, name, NULL, run, arg));
}

#endif

/* ---- Description of a driver ----------------------------------------------------------------- */

/** A name for dpdk-pmdinfo of what is registered elsewhere. It may be a macro. */
#ifdef RTE_PMD_EXPORT_NAME_ARRAY
#define HISI_PMD_EXPORT_NAME(name) RTE_PMD_EXPORT_NAME(name, __COUNTER__)
#else
#define HISI_PMD_EXPORT_NAME(name) RTE_PMD_EXPORT_NAME(name)
#endif

/* ---- Telemetry ----------------------------------------------------------------------------- */

#if RTE_VERSION < RTE_VERSION_NUM(23, 3, 0, 0)
#define rte_tel_data_add_dict_uint rte_tel_data_add_dict_u64
#endif

#endif /* HISI_COMPAT_H */
