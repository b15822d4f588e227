/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <errno.h>
#include <stdio.h>

#include <rte_eal.h>
#include <rte_eal_memconfig.h>
#include <rte_errno.h>
#include <rte_memory.h>

#include "hisi_extmem.h"
#include "hisi_mem.h"

/*
 * A function of the service sees only memory whose descriptor it has received. EAL has a
 * file for all of its own memory, with and without hugepages: it is registered when the
 * function is opened, and as it grows and shrinks. Memory that the application brought has
 * none that EAL would know of (hisi_extmem.c): before it is mapped, requests with it fail
 * in the function.
 */

/*
 * Adjacent segments of one file, to be registered at once; of memory that can shrink,
 * single ones, as a map can only be taken back whole.
 */
struct run {
	struct spim_dev *spim;
	bool single;
	char *va;
	size_t len;
	int fd;
	size_t offset;
	int ret;
};

static int
run_flush(struct run *run)
{
	int ret = 0;

	if (run->len != 0)
		ret = spim_mem_map(run->spim, run->va, run->len, run->fd, run->offset);
	run->len = 0;
	/* The event that told of new memory may have come while all was registered. */
	return ret == -EEXIST ? 0 : ret;
}

/* The caller holds EAL's lock of its memory. */
static int
run_add(struct run *run, const struct rte_memseg *ms)
{
	size_t offset;
	int fd = rte_memseg_get_fd_thread_unsafe(ms);

	if (fd < 0 || rte_memseg_get_fd_offset_thread_unsafe(ms, &offset) != 0)
		return -rte_errno;
	if (run->len == 0 || run->single || run->fd != fd || run->va + run->len != ms->addr ||
			run->offset + run->len != offset) {
		int ret = run_flush(run);

		if (ret != 0)
			return ret;
		run->va = ms->addr;
		run->fd = fd;
		run->offset = offset;
	}
	run->len += ms->len;
	return 0;
}

/* Called for each segment. */
static int
register_one(const struct rte_memseg_list *msl, const struct rte_memseg *ms, void *arg)
{
	struct run *run = arg;

	if (!msl->external)
		run->ret = run_add(run, ms);
	return run->ret;
}

/* EAL's memory grows or shrinks; its lock is held. */
static void
mem_event(enum rte_mem_event event, const void *addr, size_t len, void *arg)
{
	struct hisi_ap *ap = arg;
	struct run run = { .spim = ap->spim, .single = true };
	const char *at = addr, *end = at + len;
	int ret = 0;

	if (event == RTE_MEM_EVENT_FREE) {
		ret = spim_mem_unmap(ap->spim, (void *)(uintptr_t)addr, len);
	} else {
		const struct rte_memseg_list *msl = rte_mem_virt2memseg_list(at);

		if (msl == NULL || msl->external)
			return;
		while (at < end && ret == 0) {
			const struct rte_memseg *ms = rte_mem_virt2memseg(at, msl);

			ret = ms == NULL ? -ENOENT : run_add(&run, ms);
			at += msl->page_sz;
		}
		if (ret == 0)
			ret = run_flush(&run);
	}
	/* A function that is gone is told of everything when it is opened again. */
	if (ret != 0 && ret != -ENOTCONN)
		hisi_log_error(ap->driver, "%s: %zu bytes of memory at %p could not be %s (%d), "
			"expected 0", ap->name, len, addr,
			event == RTE_MEM_EVENT_FREE ? "unregistered" : "registered", ret);
}

static void
event_name(const struct hisi_ap *ap, char *name, size_t len)
{
	snprintf(name, len, "hisi_%p", (const void *)ap);
}

/* Be told of memory that comes and goes. */
static int
watch(struct hisi_ap *ap)
{
	char name[RTE_MEM_EVENT_CALLBACK_NAME_LEN];

	if (ap->mem_watched)
		return 0;
	event_name(ap, name, sizeof(name));
	/* Legacy and --no-huge memory stays as it is: there are no events. */
	if (rte_mem_event_callback_register(name, mem_event, ap) != 0 && rte_errno != ENOTSUP) {
		hisi_log_error(ap->driver, "%s: no events of memory (%d)", ap->name, rte_errno);
		return -rte_errno;
	}
	ap->mem_watched = true;
	return 0;
}

int
hisi_mem_register(struct spim_dev *spim, void *priv)
{
	struct hisi_ap *ap = priv;
	struct run run = { .spim = spim };
	int ret;

	/* First, so that nothing is missed; spim_open() has yet to return when this is called. */
	ap->spim = spim;
	ret = watch(ap);
	if (ret != 0)
		return ret;
	run.single = rte_eal_has_hugepages();
	/* Until the last one is registered: freed before, it would be registered for ever. */
	rte_mcfg_mem_read_lock();
	ret = rte_memseg_walk_thread_unsafe(register_one, &run);
	if (ret == 0)
		run.ret = run_flush(&run);
	rte_mcfg_mem_read_unlock();
	if (run.ret != 0) {
		hisi_log_error(ap->driver, "%s: memory at %p could not be registered with %s (%d), "
			"expected 0; if it has no file, EAL was started with options that do not "
			"share memory", ap->name, run.va, ap->args.dev, run.ret);
		return run.ret;
	}
	return hisi_extmem_register(ap);
}

void
hisi_mem_unwatch(struct hisi_ap *ap)
{
	char name[RTE_MEM_EVENT_CALLBACK_NAME_LEN];

	if (!ap->mem_watched)
		return;
	event_name(ap, name, sizeof(name));
	rte_mem_event_callback_unregister(name, ap);
	ap->mem_watched = false;
}
