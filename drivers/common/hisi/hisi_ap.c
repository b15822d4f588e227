/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <errno.h>
#include <stdlib.h>

#include <rte_string_fns.h>

#include "hisi_alloc.h"
#include "hisi_ap.h"
#include "hisi_compat.h"
#include "hisi_extmem.h"
#include "hisi_mem.h"

/* Of all users: a device is found, and its access point gets one more, in one step. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

/* Workers run where EAL lets control threads run: off the lcores' CPUs. */
static int
spawn(pthread_t *thread, void *(*run)(void *), void *arg, void *priv)
{
	RTE_SET_USED(priv);
	return hisi_ctrl_thread_create(thread, "hisi-worker", run, arg);
}

int
hisi_ap_open(const struct hisi_driver *driver, const char *name, const struct hisi_devargs *args,
		struct hisi_qm_io *io, struct hisi_ap **out)
{
	struct hisi_ap *ap = calloc(1, sizeof(*ap));
	struct spim_conf conf = {
		.device = driver->device,
		.log = driver->log,
		.mem_register = hisi_mem_register,
		.mem_register_priv = ap,
		.local = args->local,
	};
	int ret;

	if (ap == NULL) {
		hisi_log_error(driver, "%s: no memory for %zu bytes", name, sizeof(*ap));
		return -ENOMEM;
	}
	ap->driver = driver;
	rte_strscpy(ap->name, name, sizeof(ap->name));
	ap->args = *args;
	ap->io = io;
	ap->users = 1;
	SLIST_INIT(&ap->extmem);
	pthread_mutex_init(&ap->extmem_lock, NULL);
	hisi_alloc_init(ap);
	conf.owner = ap->name;
	conf.mem = &ap->mem;
	conf.local.spawn = spawn;
	conf.local.fault = ap->args.fault;
	conf.local.quirk = ap->args.quirk;
	ret = io == NULL ? spim_open(args->dev, &conf, &ap->spim) :
		spim_open_io(io, 0, &conf, &ap->spim);
	if (ret != 0) {
		hisi_mem_unwatch(ap);
		hisi_extmem_fini(ap);
		hisi_log_error(driver, "%s: dev=%s could not be opened (%d)", name, args->dev, ret);
		free(ap);
		return ret;
	}
	spim_info_get(ap->spim, &ap->info);
	*out = ap;
	return 0;
}

void
hisi_ap_get(struct hisi_ap *ap)
{
	pthread_mutex_lock(&lock);
	ap->users++;
	pthread_mutex_unlock(&lock);
}

struct hisi_ap *
hisi_ap_get_of(const char *name, struct hisi_ap *(*find)(const char *name))
{
	struct hisi_ap *ap;

	pthread_mutex_lock(&lock);
	ap = find(name);
	if (ap != NULL)
		ap->users++;
	pthread_mutex_unlock(&lock);
	return ap;
}

void
hisi_ap_put(struct hisi_ap *ap)
{
	bool last;

	pthread_mutex_lock(&lock);
	last = --ap->users == 0;
	pthread_mutex_unlock(&lock);
	if (!last)
		return;
	hisi_mem_unwatch(ap);
	spim_close(ap->spim);
	hisi_extmem_fini(ap);
	free(ap);
}
