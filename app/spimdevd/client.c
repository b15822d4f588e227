/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <errno.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "admin.h"
#include "base_reap.h"
#include "client.h"
#include "log.h"
#include "qm_classes.h"
#include "qm_dev_pci.h"

/*
 * What may take time, and how the event loop is kept from waiting for it: memory that is taken
 * back, a reset and the end of a function must have let go of what requests being executed use
 * before they are answered. The loop begins each of them, and polls from time to time until
 * it is done. The connection's later messages wait with it, those of others do not. At most as
 * many functions as there are workers have requests being executed, so few wait at a time.
 *
 * Memory is freed by threads of their own (base_reap.h), as that takes as long as there is memory:
 * what was taken back, and all that a connection had when it is over. Until then it counts as the
 * user's, and who took it back has no answer.
 *
 * A mailbox command that waits for requests leaves the mailbox busy, as on silicon, and is done
 * when a later read finds it so: nobody waits, and the driver has its own idea of how long is too
 * long.
 */
enum wait {
	WAIT_NONE,
	WAIT_UNMAP,
	WAIT_RESET,
	WAIT_END, /* the connection is over */
};

/* No limit of streams: more than memory allows. */
#define STREAMS_ALL (1u << 20)

/* Lines that one function may log: workers shall not ask the log for each wrong request. */
#define LOG_LINES_MAX 16u

struct client {
	struct unread rest;      /* first: frees the client */
	struct access_point *point;
	struct vfio_user_conn *conn;
	struct user *user;
	struct qm_dev *dev;      /* made when VERSION is agreed upon */
	TAILQ_ENTRY(client) link;     /* in service->clients; loop thread */
	LIST_ENTRY(client) in_failed; /* in service->failed */
	uint64_t since_ms;
	atomic_uint log_lines;

	enum wait wait;           /* what for; others than WAIT_NONE are in service->waiting */
	TAILQ_ENTRY(client) wait_link;
	uint64_t ticket;          /* WAIT_UNMAP */
	struct base_reap_job job; /* frees */
	atomic_bool freeing;      /* it is under way */
};

static void
client_log(enum base_log_level level, const char *line, void *priv)
{
	struct client *c = priv;
	uid_t owner = vfio_user_conn_peer(c->conn)->owner;
	unsigned int n = atomic_fetch_add_explicit(&c->log_lines, 1, memory_order_relaxed);

	/* What a client does wrong is no error of the service. */
	if (n < LOG_LINES_MAX)
		log_user(owner, level == BASE_LOG_ERR ? BASE_LOG_WARNING : level, "%s", line);
	else if (n == LOG_LINES_MAX)
		log_user(owner, BASE_LOG_WARNING, "connection %llu: no more lines of it after %u",
				(unsigned long long)vfio_user_conn_id(c->conn), LOG_LINES_MAX);
}

static void
client_irq(unsigned int vector, void *priv)
{
	const struct client *c = priv;

	/* A vector that the driver did not set up reaches nobody, as on a bus. */
	(void)vfio_user_conn_irq(c->conn, VFIO_USER_PCI_MSI, vector);
}

/* Memory of the client vanished. In a worker: let the loop close the connection. */
static void
client_failed(void *priv)
{
	struct client *c = priv;
	struct service *s = c->point->service;

	pthread_mutex_lock(&s->lock);
	LIST_INSERT_HEAD(&s->failed, c, in_failed);
	pthread_mutex_unlock(&s->lock);
	eventfd_write(s->wake_fd, 1);
}

void
client_close_failed(struct service *s)
{
	struct client *c;

	pthread_mutex_lock(&s->lock);
	while ((c = LIST_FIRST(&s->failed)) != NULL) {
		LIST_REMOVE(c, in_failed);
		/* At the end of the turn: the client is not freed in here. */
		vfio_user_conn_close(c->conn, "memory that it shared vanished");
	}
	pthread_mutex_unlock(&s->lock);
}

static void
forget_failed(struct client *c)
{
	struct service *s = c->point->service;
	struct client *f;

	pthread_mutex_lock(&s->lock);
	LIST_FOREACH(f, &s->failed, in_failed)
		if (f == c) {
			LIST_REMOVE(c, in_failed);
			break;
		}
	pthread_mutex_unlock(&s->lock);
}

/* ---- What waits ---- */

static struct client *
client_of(struct base_reap_job *job)
{
	return (struct client *)((uintptr_t)job - offsetof(struct client, job));
}

static void
client_end(struct client *c)
{
	struct service *s = c->point->service;

	/* A function uses its connection to its end. */
	qm_dev_destroy(c->dev);
	c->rest = (struct unread){ .conn = c->conn, .users = s->users, .user = c->user };
	if (unread_end(&s->unread, &c->rest))
		eventfd_write(s->wake_fd, 1);
}

static bool
end_step(struct base_reap_job *job)
{
	struct client *c = client_of(job);
	struct service *s = c->point->service;

	/* A worker is done with a request before it lets go of the maps. */
	if (!qm_dev_dma_unmap_done(c->dev, c->ticket) || qm_dev_dma_free(c->dev))
		return true;
	client_end(c);
	atomic_fetch_sub_explicit(&s->ending, 1, memory_order_release);
	return false;
}

static bool
first_end_step(struct base_reap_job *job)
{
	struct client *c = client_of(job);

	/* If it cannot be taken back in parts, it goes in one with the function. */
	(void)qm_dev_dma_unmap_start(c->dev, 0, 0, &c->ticket, NULL);
	job->step = end_step;
	return true;
}

/* No request of it is being executed any more: so none can fail, and nothing touches its memory. */
static void
client_end_later(struct client *c)
{
	forget_failed(c);
	vfio_user_conn_hang_up(c->conn);
	atomic_fetch_add_explicit(&c->point->service->ending, 1, memory_order_relaxed);
	c->job.step = first_end_step;
	base_reap(&c->job, BASE_REAP_FINITE, vfio_user_conn_peer(c->conn)->owner);
}

static bool
free_step(struct base_reap_job *job)
{
	struct client *c = client_of(job);
	struct service *s = c->point->service;

	if (qm_dev_dma_free(c->dev))
		return true;
	/* The loop may end the client with this; the service stays. */
	atomic_store_explicit(&c->freeing, false, memory_order_release);
	eventfd_write(s->wake_fd, 1);
	return false;
}

/* @return Whether there is nothing to be freed. */
static bool
all_is_freed(struct client *c)
{
	if (atomic_load_explicit(&c->freeing, memory_order_acquire))
		return false;
	if (!qm_dev_dma_to_free(c->dev))
		return true;
	atomic_store_explicit(&c->freeing, true, memory_order_relaxed);
	c->job.step = free_step;
	base_reap(&c->job, BASE_REAP_FINITE, vfio_user_conn_peer(c->conn)->owner);
	return false;
}

static bool
wait_is_over(struct client *c)
{
	switch (c->wait) {
	case WAIT_UNMAP:
		return qm_dev_dma_unmap_done(c->dev, c->ticket) && all_is_freed(c);
	case WAIT_RESET:
		return qm_dev_pci_reset(c->dev);
	default:
		/* Both, as the first gives its queues to others. */
		return qm_dev_abort(c->dev) &&
			!atomic_load_explicit(&c->freeing, memory_order_acquire);
	}
}

/* @return 0: it is done; or VFIO_USER_DEFERRED. */
static int
begin(struct client *c, enum wait wait)
{
	c->wait = wait;
	if (!wait_is_over(c)) {
		TAILQ_INSERT_TAIL(&c->point->service->waiting, c, wait_link);
		return VFIO_USER_DEFERRED;
	}
	c->wait = WAIT_NONE;
	return 0;
}

static void
end_wait(struct client *c)
{
	if (c->wait != WAIT_NONE)
		TAILQ_REMOVE(&c->point->service->waiting, c, wait_link);
	c->wait = WAIT_NONE;
}

bool
client_poll_waiting(struct service *s)
{
	struct client *c, *next;

	for (c = TAILQ_FIRST(&s->waiting); c != NULL; c = next) {
		bool is_end = c->wait == WAIT_END;

		next = TAILQ_NEXT(c, wait_link);
		if (!wait_is_over(c))
			continue;
		end_wait(c);
		if (is_end)
			client_end_later(c);
		else
			vfio_user_conn_complete(c->conn, 0);
	}
	return !TAILQ_EMPTY(&s->waiting);
}

/* ---- Operations ---- */

/* Maps of a connection: what the protocol has room for, if that is less. */
static uint32_t
maps_max(const struct service *s)
{
	uint64_t max = s->opt->per_connection.maps;

	return max != 0 && max < VFIO_USER_DMA_MAPS_MAX ? (uint32_t)max : VFIO_USER_DMA_MAPS_MAX;
}

static int
turn_away(struct access_point *point, const struct vfio_user_peer *peer, int rc, const char *why)
{
	point->refused++;
	log_user(peer->owner, BASE_LOG_WARNING, "%s: connection of pid %d, user %u refused: %s",
			point->conf->path, (int)peer->pid, (unsigned int)peer->uid, why);
	return rc;
}

static int
op_connected(struct vfio_user_conn *conn, void *listener_priv, struct vfio_user_conn_conf *conf)
{
	struct access_point *point = listener_priv;
	struct service *s = point->service;
	const struct vfio_user_peer *peer = vfio_user_conn_peer(conn);
	struct client *c;
	int rc;

	if (point->draining)
		return turn_away(point, peer, -ESHUTDOWN, "it drains (spimctl undrain)");
	c = calloc(1, sizeof(*c));
	if (c == NULL)
		return turn_away(point, peer, -ENOMEM, strerror(ENOMEM));
	c->point = point;
	c->conn = conn;
	c->since_ms = service_now_ms();
	rc = users_connect(s->users, peer->owner, &c->user);
	if (rc != 0) {
		free(c);
		return turn_away(point, peer, rc, rc == -ENOMEM ? strerror(ENOMEM) :
				rc == -ENFILE ? qm_dev_quota_why(QM_DEV_FDS, rc) :
				"its user has as many as --limit-user-connections allows");
	}
	TAILQ_INSERT_TAIL(&s->clients, c, link);
	point->connections++;
	point->accepted++;
	conf->priv = c;
	conf->device = &s->device;
	conf->maps_max = maps_max(s);
	log_user(peer->owner, BASE_LOG_DEBUG, "%s: connection %llu of pid %d, user %u",
			point->conf->path, (unsigned long long)vfio_user_conn_id(conn),
			(int)peer->pid, (unsigned int)peer->uid);
	return 0;
}

struct qm_dev_conf
client_dev_conf(const struct service *s, const struct listen_options *point,
		struct zip_dev_conf *zip)
{
	const struct options *opt = s->opt;
	const struct limits *limits = &opt->per_connection;
	uint64_t queues = limits->queues != 0 && limits->queues < opt->queues ? limits->queues :
		opt->queues;
	struct qm_dev_conf conf;

	*zip = (struct zip_dev_conf){
		.engine = opt->copy ? ZIP_DEV_ENGINE_COPY : ZIP_DEV_ENGINE_DEFLATE,
		.quirks = point->quirks,
		.streams_max = limits->streams != 0 ? (uint32_t)limits->streams : STREAMS_ALL,
	};
	conf = (struct qm_dev_conf){
		.revision = opt->revision,
		.ext = opt->ext,
		.isolation = opt->isolation,
		.queues = (uint16_t)queues,
		.fault = opt->fault,
		.wake = 1,
		.free_later = 1,
		.limits = {
			.slots = (uint32_t)limits->ops,
			.maps = maps_max(s),
			.files = (uint32_t)limits->files,
			.memory = limits->memory,
		},
	};
	qm_classes_of_function(conf.classes, zip, opt->ext);
	return conf;
}

static int
op_negotiated(struct vfio_user_conn *conn, void *priv)
{
	struct client *c = priv;
	struct zip_dev_conf zip;
	struct qm_dev_conf conf = client_dev_conf(c->point->service, c->point->conf, &zip);
	const struct vfio_user_peer *peer = vfio_user_conn_peer(conn);
	char name[64];

	snprintf(name, sizeof(name), "connection %llu (pid %d, user %u)",
			(unsigned long long)vfio_user_conn_id(conn), (int)peer->pid,
			(unsigned int)peer->uid);
	conf.name = name;
	conf.group = c->point->group;
	conf.quota = users_quota(c->user);
	/* Only those who map them need doorbells in a file, which takes a descriptor. */
	conf.doorbell_memfd = vfio_user_conn_spim(conn);
	conf.log = (struct base_log){ client_log, c };
	conf.irq = client_irq;
	conf.failed = client_failed;
	conf.priv = c;
	return qm_dev_create(&conf, &c->dev);
}

static int
op_region_read(struct vfio_user_conn *conn, void *priv, uint32_t region, uint64_t offset, void *buf,
		uint32_t count)
{
	struct client *c = priv;

	(void)conn;
	if (region == VFIO_USER_PCI_CONFIG)
		return qm_dev_pci_config_read(c->dev, (uint32_t)offset, buf, count);
	return qm_dev_pci_bar_read(c->dev, region, offset, buf, count);
}

static int
op_region_write(struct vfio_user_conn *conn, void *priv, uint32_t region, uint64_t offset,
		const void *buf, uint32_t count)
{
	struct client *c = priv;
	int rc;

	(void)conn;
	if (region != VFIO_USER_PCI_CONFIG)
		return qm_dev_pci_bar_write(c->dev, region, offset, buf, count);
	rc = qm_dev_pci_config_write(c->dev, (uint32_t)offset, buf, count);
	return rc == QM_DEV_PCI_RESET ? begin(c, WAIT_RESET) : rc;
}

/* Only doorbells are in a file; whatever else a description lets be mapped, it is not given. */
static int
op_region_mmap(struct vfio_user_conn *conn, void *priv, uint32_t region,
		struct vfio_user_mmap *mmap)
{
	struct client *c = priv;
	size_t size;

	(void)conn;
	if (region != CLIENT_REGION_DOORBELLS)
		return -EINVAL;
	mmap->fd = qm_dev_doorbell_fd(c->dev, &size);
	return mmap->fd < 0 ? mmap->fd : 0;
}

static int
op_dma_map(struct vfio_user_conn *conn, void *priv, const struct vfio_user_dma *dma,
		const char **why)
{
	struct client *c = priv;
	unsigned int prot = 0;
	int rc;

	(void)conn;
	/* Reached by messages only (a ROM, RAM that is not shared): not by this function. */
	if (dma->fd < 0)
		return qm_dev_dma_map(c->dev, dma->iova, dma->size, NULL, 0);
	if (dma->prot & VFIO_USER_DMA_F_READ)
		prot |= QM_DEV_PROT_READ;
	if (dma->prot & VFIO_USER_DMA_F_WRITE)
		prot |= QM_DEV_PROT_WRITE;
	rc = qm_dev_dma_map_file(c->dev, dma->iova, dma->size, dma->fd, dma->offset, prot, why);
	if (rc != 0)
		(void)all_is_freed(c);
	return rc;
}

static int
op_dma_unmap(struct vfio_user_conn *conn, void *priv, uint64_t iova, uint64_t size,
		uint64_t *bytes)
{
	struct client *c = priv;
	int n = qm_dev_dma_unmap_start(c->dev, iova, size, &c->ticket, bytes);

	(void)conn;
	return n < 0 ? n : begin(c, WAIT_UNMAP);
}

static int
op_fds_take(struct vfio_user_conn *conn, void *priv, uint32_t n)
{
	struct client *c = priv;
	int rc = qm_dev_quota_take(users_quota(c->user), QM_DEV_FDS, n);

	if (rc != 0)
		log_user(vfio_user_conn_peer(conn)->owner, BASE_LOG_WARNING,
				"connection %llu: %u descriptors refused: %s",
				(unsigned long long)vfio_user_conn_id(conn), n,
				qm_dev_quota_why(QM_DEV_FDS, rc));
	return rc;
}

static void
op_fds_put(struct vfio_user_conn *conn, void *priv, uint32_t n)
{
	struct client *c = priv;

	(void)conn;
	qm_dev_quota_put(users_quota(c->user), QM_DEV_FDS, n);
}

static int
op_reset(struct vfio_user_conn *conn, void *priv)
{
	struct client *c = priv;

	(void)conn;
	return begin(c, WAIT_RESET);
}

static void
op_closed(struct vfio_user_conn *conn, void *priv)
{
	struct client *c = priv;
	struct service *s = c->point->service;

	log_user(vfio_user_conn_peer(conn)->owner, BASE_LOG_DEBUG, "connection %llu ended",
			(unsigned long long)vfio_user_conn_id(conn));
	/* Inspectors have seen the last of it; what is still being executed counts no more. */
	client_totals_add(c, &c->point->ended);
	admin_forget(s->admin, c);
	TAILQ_REMOVE(&s->clients, c, link);
	c->point->connections--;
	end_wait(c);
	/* Its queues are free for others now, whatever is still being executed. */
	if (c->dev == NULL)
		client_end(c);
	else if (begin(c, WAIT_END) == 0)
		client_end_later(c);
}

const struct vfio_user_ops client_ops = {
	.connected = op_connected,
	.negotiated = op_negotiated,
	.region_read = op_region_read,
	.region_write = op_region_write,
	.region_mmap = op_region_mmap,
	.dma_map = op_dma_map,
	.dma_unmap = op_dma_unmap,
	.fds_take = op_fds_take,
	.fds_put = op_fds_put,
	.reset = op_reset,
	.closed = op_closed,
};

/* ---- Inspection ---- */

struct client *
client_first(const struct service *service)
{
	return TAILQ_FIRST(&service->clients);
}

struct client *
client_next(const struct client *c)
{
	return TAILQ_NEXT(c, link);
}

uint64_t
client_last_id(const struct service *service)
{
	const struct client *c = TAILQ_LAST(&service->clients, clients);

	return c != NULL ? client_id(c) : 0;
}

uint64_t
client_id(const struct client *c)
{
	return vfio_user_conn_id(c->conn);
}

void
client_snapshot(struct client *c, struct client_snapshot *snap)
{
	*snap = (struct client_snapshot){
		.path = c->point->conf->path,
		.id = client_id(c),
		.since_ms = c->since_ms,
		.peer = *vfio_user_conn_peer(c->conn),
		.negotiated = c->dev != NULL,
	};
	vfio_user_conn_stats_get(c->conn, &snap->conn);
	if (c->dev != NULL)
		qm_dev_stats_get(c->dev, &snap->dev);
}

void
client_totals_add(struct client *c, struct client_totals *sum)
{
	struct qm_dev_stats stats;
	struct qm_dev_times times;
	uint32_t status[256];

	if (c->dev == NULL)
		return;
	qm_dev_stats_get(c->dev, &stats);
	qm_dev_stats_status(c->dev, status);
	qm_dev_times_get(c->dev, &times);
	sum->ops += stats.requests;
	sum->bytes_in += stats.bytes_in;
	sum->bytes_out += stats.bytes_out;
	sum->errors += stats.errors;
	for (unsigned int i = 0; i < 256; i++)
		sum->status[i] += status[i];
	base_hist_add(&sum->times.wait, &times.wait);
	base_hist_add(&sum->times.service, &times.service);
}

int
client_queue_stats(const struct client *c, unsigned int queue, struct qm_dev_queue_stats *stats)
{
	return c->dev == NULL || queue > UINT16_MAX ? -EINVAL :
		qm_dev_queue_stats_get(c->dev, (uint16_t)queue, stats);
}
