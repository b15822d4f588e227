/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <errno.h>

#include <dev_driver.h>
#include <rte_eal.h>
#include <rte_lcore.h>
#include <rte_memory.h>

#include "hisi_alloc.h"
#include "hisi_compat.h"
#include "hisi_dev.h"
#include "hisi_extmem.h"
#include "hisi_mem.h"
#include "hisi_telemetry.h"

int
hisi_dev_probe_allowed(const struct hisi_driver *driver, const char *name)
{
	if (rte_eal_process_type() == RTE_PROC_PRIMARY)
		return 0;
	hisi_log_error(driver, "%s: secondary process, expected the primary one", name);
	return -ENOTSUP;
}

int
hisi_dev_socket(const struct hisi_devargs *args, const struct rte_device *device)
{
	return args->socket_id != SOCKET_ID_ANY ? args->socket_id :
		device->numa_node >= 0 ? device->numa_node : (int)rte_socket_id();
}

/* Workers run where EAL lets control threads run: off the lcores' CPUs. */
static int
spawn(pthread_t *thread, void *(*run)(void *), void *arg, void *priv)
{
	RTE_SET_USED(priv);
	return hisi_ctrl_thread_create(thread, "hisi-worker", run, arg);
}

int
hisi_dev_open(struct hisi_dev *dev, struct hisi_qm_io *io)
{
	struct spim_conf conf = {
		.owner = dev->name,
		.device = dev->driver->device,
		.mem = &dev->mem,
		.log = dev->driver->log_line,
		.announce = hisi_mem_register,
		.announce_priv = dev,
		.local = dev->args.local,
	};
	int ret;

	SLIST_INIT(&dev->extmem);
	pthread_mutex_init(&dev->extmem_lock, NULL);
	dev->io = io;
	conf.local.spawn = spawn;
	conf.local.fault = dev->args.fault;
	hisi_alloc_init(dev);
	ret = io == NULL ? spim_open(dev->args.dev, &conf, &dev->spim) :
		spim_open_io(io, 0, &conf, &dev->spim);
	if (ret != 0) {
		hisi_mem_unwatch(dev);
		hisi_extmem_fini(dev);
		hisi_log_error(dev->driver, "%s: dev=%s could not be opened (%d)", dev->name,
			dev->args.dev, ret);
		return ret;
	}
	spim_info_get(dev->spim, &dev->info);
	return 0;
}

void
hisi_dev_close(struct hisi_dev *dev)
{
	hisi_mem_unwatch(dev);
	spim_close(dev->spim);
	hisi_extmem_fini(dev);
}

void
hisi_dev_show(struct hisi_dev *dev)
{
	hisi_log_info(dev->driver, "%s: dev=%s revision 0x%x, %u queues, features 0x%x",
		dev->name, dev->args.dev, dev->info.revision, dev->info.queues,
		dev->info.ext_features);
	hisi_telemetry_add(dev);
}
