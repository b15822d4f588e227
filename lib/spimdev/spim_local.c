/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>

#include "qm_classes.h"
#include "qm_dev.h"
#include "spim_qm.h"

/*
 * The "local" transport: register level on a software function in the same
 * process. Addresses are pointers, as on silicon with the process's own PASID:
 * the function is given the whole address space as its map.
 */

#define STREAMS_MAX 65536

struct spim_local {
	struct hisi_qm_io io;
	struct qm_dev *dev;
	struct spim_local_conf conf;
	_Atomic int eventfd; /* written for vector 0, or -1 */
};

/* io is the first member. */
static struct spim_local *
to_local(struct hisi_qm_io *io)
{
	return (struct spim_local *)io;
}

static uint32_t
local_read32(struct hisi_qm_io *io, uint32_t off)
{
	return (uint32_t)qm_dev_read(to_local(io)->dev, off, 4);
}

static void
local_write32(struct hisi_qm_io *io, uint32_t off, uint32_t value)
{
	qm_dev_write(to_local(io)->dev, off, 4, value);
}

static void
local_write64(struct hisi_qm_io *io, uint32_t off, uint64_t value)
{
	qm_dev_write(to_local(io)->dev, off, 8, value);
}

static int
local_mailbox(struct hisi_qm_io *io, const struct hisi_qm_mailbox *mb)
{
	qm_dev_mailbox(to_local(io)->dev, mb);
	return 0;
}

static int
local_doorbells(struct hisi_qm_io *io, uint16_t qn, volatile uint64_t **sq,
		volatile uint64_t **cq)
{
	struct hisi_qm_shadow *db = qm_dev_doorbell(to_local(io)->dev, qn);

	if (db == NULL)
		return -EINVAL;
	*sq = &db->sq;
	*cq = &db->cq;
	return 0;
}

static unsigned int
local_poll(struct hisi_qm_io *io, uint16_t qn, unsigned int budget)
{
	return qm_dev_poll(to_local(io)->dev, qn, budget);
}

/* Without threads this must not run while other queues are polled, which we cannot know. */
static int
local_reset(struct hisi_qm_io *io)
{
	qm_dev_reset(to_local(io)->dev);
	return 0;
}

/* What both kinds have. */
#define LOCAL_OPS \
	.read32 = local_read32, \
	.write32 = local_write32, \
	.write64 = local_write64, \
	.mailbox = local_mailbox, \
	.doorbells = local_doorbells

static const struct hisi_qm_io_ops polled_ops = { LOCAL_OPS, .poll = local_poll };
static const struct hisi_qm_io_ops threaded_ops = { LOCAL_OPS, .reset = local_reset };

static int
local_spawn(pthread_t *thread, void *(*run)(void *), void *arg, void *priv)
{
	const struct spim_local *local = priv;

	if (local->conf.spawn == NULL)
		return pthread_create(thread, NULL, run, arg);
	return local->conf.spawn(thread, run, arg, local->conf.spawn_priv);
}

/* Engine threads and pollers come here. */
static void
local_irq(unsigned int vector, void *priv)
{
	struct spim_local *local = priv;
	int fd = atomic_load_explicit(&local->eventfd, memory_order_acquire);

	if (vector == QM_DEV_IRQ_EQ && fd >= 0)
		(void)eventfd_write(fd, 1);
}

static int
local_events(struct hisi_qm_io *io, int eventfd, int epfd)
{
	(void)epfd;
	atomic_store_explicit(&to_local(io)->eventfd, eventfd, memory_order_release);
	return 0;
}

static int
parse_quirks(const struct spim_conf *conf, uint64_t *quirks)
{
	char all[ZIP_DEV_QUIRKS_TEXT_LEN];
	const char *wrong = NULL;

	if (conf->local.quirk != NULL && conf->local.quirk[0] != '\0')
		wrong = zip_dev_quirks_parse(conf->local.quirk, quirks);
	if (wrong == NULL)
		return 0;
	spim_log(conf, BASE_LOG_ERR, "quirk \"%.*s\", expected some of %s",
			(int)strcspn(wrong, ":"), wrong, zip_dev_quirks_text(all));
	return -EINVAL;
}

int
spim_local_open(const struct spim_conf *conf, struct hisi_qm_io **io)
{
	struct spim_local *local;
	struct zip_dev_conf zip_conf = {
		.engine = conf->local.copy ? ZIP_DEV_ENGINE_COPY : ZIP_DEV_ENGINE_DEFLATE,
		/* The only client is this process: no limit but its own memory. */
		.streams_max = STREAMS_MAX,
	};
	struct qm_dev_conf dev_conf = {
		.name = conf->owner,
		.revision = conf->local.revision != 0 ? conf->local.revision : HISI_QM_REV_V3,
		.ext = !conf->local.plain,
		.queues = conf->local.queues != 0 ? conf->local.queues : HISI_QM_QUEUES_MAX,
		.workers = conf->local.workers,
		.fault = conf->local.fault,
		.spawn = local_spawn,
		.log = conf->log,
		.irq = local_irq,
	};
	int ret = parse_quirks(conf, &zip_conf.quirks);

	if (ret != 0)
		return ret;
	local = calloc(1, sizeof(*local));
	if (local == NULL)
		return -ENOMEM;
	local->eventfd = -1;
	local->conf = conf->local;
	dev_conf.priv = local;
	qm_classes_of_function(dev_conf.classes, &zip_conf, !conf->local.plain);
	ret = qm_dev_create(&dev_conf, &local->dev);
	if (ret != 0) {
		spim_log(conf, BASE_LOG_ERR,
			"local function with %u workers, revision 0x%x: error %d", dev_conf.workers,
			dev_conf.revision, ret);
		free(local);
		return ret;
	}
	ret = qm_dev_dma_map(local->dev, 0, UINT64_MAX, NULL,
		QM_DEV_PROT_READ | QM_DEV_PROT_WRITE);
	if (ret != 0) {
		qm_dev_destroy(local->dev);
		free(local);
		return ret;
	}
	local->io.ops = dev_conf.workers == 0 ? &polled_ops : &threaded_ops;
	local->io.name = conf->owner;
	local->io.revision = dev_conf.revision;
	*io = &local->io;
	return 0;
}

static void
local_close(struct hisi_qm_io *io)
{
	struct spim_local *local = to_local(io);

	qm_dev_destroy(local->dev);
	free(local);
}

const struct spim_qm_transport spim_local_transport = {
	.close = local_close,
	.events = local_events,
};

static int
local_open(const char *rest, const struct spim_conf *conf, struct spim_dev **dev)
{
	struct hisi_qm_io *io;
	int ret = spim_local_open(conf, &io);

	(void)rest;
	return ret != 0 ? ret : spim_qm_open(io, &spim_local_transport, 1, conf, dev);
}

const struct spim_transport spim_local = { .name = "local", .open = local_open };
