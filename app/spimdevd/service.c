/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "admin.h"
#include "base_clock.h"
#include "ceilings.h"
#include "client.h"
#include "log.h"
#include "owners.h"
#include "placement.h"
#include "service.h"
#include "qm_classes.h"
#include "qm_dev_pci.h"

/*
 * A message is mostly followed by another: who opens an access point and takes a queue says a
 * dozen, each when it has the answer to the one before. So we poll for so long before we
 * sleep, as to be woken costs more than a message itself. Whatever clients do, others have their
 * turn after SERVE_NS: signals, the administrator, and functions that failed.
 */
#define LINGER_NS 50000
#define SERVE_NS  2000000
#define ADMIN_NS  1000000 /* of sessions; a long answer is not cut into many turns of clients */

/*
 * How long the end of the service waits for requests that are being executed, and for memory that
 * is freed. What they use ends with the process, and nobody is there any more to whom results
 * would matter.
 */
#define CLOSE_NS 1000000000

/* How long we sleep while somebody waits for a request that is being executed. */
#define POLL_WAITING_MS 1

static void
service_log(enum base_log_level level, const char *line, void *priv)
{
	(void)priv;
	log_line(level, "%s", line);
}

static void
service_complain(uid_t owner, const char *line, void *priv)
{
	(void)priv;
	log_user(owner, BASE_LOG_WARNING, "%s", line);
}

/* What the server says of itself. Clients who take all descriptors can have it say that. */
static void
server_log(enum base_log_level level, const char *line, void *priv)
{
	(void)priv;
	log_user(LOG_NOBODY, level, "%s", line);
}

uint64_t
service_now_ms(void)
{
	return (uint64_t)base_clock_ns(CLOCK_BOOTTIME) / 1000000;
}

/* ---- Start ---- */

int
service_open(struct service *s, const struct options *opt)
{
	const struct vfio_user_server_conf conf = {
		.name = "",
		.ops = &client_ops,
		.owner = owners_of,
		.log = { .line = server_log },
		.complain = service_complain,
	};
	int rc;

	*s = (struct service){ .opt = opt, .wake_fd = -1, .started_ms = service_now_ms() };
	TAILQ_INIT(&s->clients);
	TAILQ_INIT(&s->waiting);
	unread_init(&s->unread);
	pthread_mutex_init(&s->lock, NULL);
	s->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (s->wake_fd < 0) {
		rc = -errno;
		log_line(BASE_LOG_ERR, "eventfd: %s", strerror(-rc));
		return rc;
	}
	rc = owners_read(OWNERS_FILE);
	if (rc == 0)
		rc = vfio_user_server_create(&conf, &s->server);
	if (rc != 0) {
		log_line(BASE_LOG_ERR, "server: %s", strerror(-rc));
		return rc;
	}
	for (unsigned int i = 0; i < opt->listen_cnt; i++) {
		struct access_point *p = &s->points[i];

		p->service = s;
		p->conf = &opt->listen[i];
		rc = vfio_user_server_listen(s->server, p->conf->path, p->conf->mode, p);
		if (rc != 0) {
			log_line(BASE_LOG_ERR, "--listen '%s': %s", p->conf->path,
					rc == -EADDRINUSE ? "somebody listens there, or it is "
					"no socket" : strerror(-rc));
			return rc;
		}
	}
	return admin_open(s, &s->admin);
}

/*
 * What clients see is asked of a function that is made for that and thrown away;
 * it also tells now, and not when somebody connects, if an option is wrong.
 */
static int
describe(struct service *s)
{
	struct zip_dev_conf zip;
	struct qm_dev_conf conf = client_dev_conf(s, &s->opt->listen[0], &zip);
	struct qm_dev *dev;
	size_t doorbells = 0;
	int rc;

	conf.name = "options";
	conf.log.line = service_log;
	conf.doorbell_memfd = 1;
	rc = qm_dev_create(&conf, &dev);
	if (rc != 0)
		return rc;
	rc = qm_dev_doorbell_fd(dev, &doorbells);

	for (unsigned int i = 0; i < QM_DEV_PCI_BARS; i++)
		s->regions[VFIO_USER_PCI_BAR0 + i] = (struct vfio_user_region){
			.size = qm_dev_pci_bar_size(dev, i),
			.flags = VFIO_USER_REGION_F_READ | VFIO_USER_REGION_F_WRITE,
		};
	s->regions[VFIO_USER_PCI_CONFIG] = (struct vfio_user_region){
		.size = QM_DEV_PCI_CONFIG_SIZE,
		.flags = VFIO_USER_REGION_F_READ | VFIO_USER_REGION_F_WRITE,
	};
	s->regions[CLIENT_REGION_DOORBELLS] = (struct vfio_user_region){
		.size = doorbells,
		.flags = VFIO_USER_REGION_F_MMAP,
	};
	s->irqs[VFIO_USER_PCI_MSI] = (struct vfio_user_irq){
		.count = qm_dev_pci_irqs(dev), .flags = VFIO_USER_IRQ_F_EVENTFD,
	};
	/* Never raised; without it a VM monitor warns. */
	s->irqs[VFIO_USER_PCI_ERR] = (struct vfio_user_irq){
		.count = 1, .flags = VFIO_USER_IRQ_F_EVENTFD,
	};
	s->spim = (struct vfio_user_spim){
		.doorbell_region = CLIENT_REGION_DOORBELLS,
		.wake_region = VFIO_USER_PCI_BAR0 + QM_DEV_BAR_REGS,
		.wake_offset = HISI_QM_SHADOW_REG_WAKE,
	};
	s->device = (struct vfio_user_device){
		.flags = VFIO_USER_DEVICE_F_PCI | VFIO_USER_DEVICE_F_RESET,
		.num_regions = CLIENT_REGION_DOORBELLS + 1,
		.num_irqs = VFIO_USER_PCI_IRQS,
		.regions = s->regions,
		.irqs = s->irqs,
		.spim = &s->spim,
	};
	qm_dev_destroy(dev);
	return rc < 0 ? rc : 0;
}

static int
start_threads(struct service *s)
{
	struct qm_dev_pool_conf conf = {
		.name = "pool",
		.workers = (uint16_t)s->opt->workers,
		.queues_max = s->opt->queues,
		.stats = 1,
		.spawn = placement_spawn,
		.log = { .line = service_log },
	};
	int rc;

	qm_classes_of_pool(conf.classes);
	rc = qm_dev_pool_create(&conf, &s->pool);
	for (unsigned int i = 0; rc == 0 && i < s->opt->listen_cnt; i++)
		rc = qm_dev_group_create(s->pool, s->opt->listen[i].reserve,
				s->opt->listen[i].weight, &s->points[i].group);
	return rc;
}

int
service_start(struct service *s)
{
	int rc;

	ceilings_set(CEILINGS_MAPS_FILE, &s->budget);
	s->users = users_create(&s->opt->per_user, &s->budget);
	if (s->users == NULL)
		rc = -ENOMEM;
	else
		rc = start_threads(s);
	if (rc == 0)
		rc = describe(s);
	if (rc != 0)
		log_line(BASE_LOG_ERR, "cannot start: %s", strerror(-rc));
	return rc;
}

/* ---- Run ---- */

static void
report_client(struct vfio_user_conn *conn, void *arg)
{
	struct client_snapshot c;

	(void)arg;
	client_snapshot(vfio_user_conn_priv(conn), &c);
	log_line(BASE_LOG_INFO, "%s: connection %llu: pid %d, user %u, %u queues, %u streams, "
			"%u maps, %llu requests, %llu errors, %llu bytes in, %llu out", c.path,
			(unsigned long long)c.id, (int)c.peer.pid, (unsigned int)c.peer.uid,
			c.dev.queues_live, c.dev.contexts, c.dev.maps,
			(unsigned long long)c.dev.requests, (unsigned long long)c.dev.errors,
			(unsigned long long)c.dev.bytes_in, (unsigned long long)c.dev.bytes_out);
}

/* SIGUSR1: one line for all, and one for each connection. */
static void
log_report(struct service *s)
{
	struct vfio_user_server_stats server;
	struct qm_dev_pool_stats pool;

	vfio_user_server_stats_get(s->server, &server);
	qm_dev_pool_stats_get(s->pool, &pool);
	log_line(BASE_LOG_INFO, "%u connections, %llu so far, %llu refused; %u of %u queues, "
			"%u at most; %u workers; %llu requests, %llu bytes in, %llu out",
			server.conns, (unsigned long long)server.accepted,
			(unsigned long long)server.refused, pool.queues_live, pool.queues_max,
			pool.queues_peak, pool.workers, (unsigned long long)pool.requests,
			(unsigned long long)pool.bytes_in, (unsigned long long)pool.bytes_out);
	vfio_user_server_each(s->server, report_client, NULL);
}

/* @return The signal that ends the service, or 0. */
static int
signals(struct service *s, int fd)
{
	struct signalfd_siginfo info;

	while (read(fd, &info, sizeof(info)) == sizeof(info)) {
		if (info.ssi_signo != SIGUSR1)
			return (int)info.ssi_signo;
		log_report(s);
	}
	return 0;
}

/* @return 0 or a negative errno. */
static int
serve_clients(struct service *s)
{
	int64_t now = base_now_ns(), until = now + LINGER_NS, end = now + SERVE_NS;

	while (now < until && now < end) {
		int rc = vfio_user_server_run(s->server, 0);

		if (rc < 0)
			return rc;
		(void)client_poll_waiting(s);
		/* The next message may be waiting for this CPU. */
		if (rc == 0)
			sched_yield();
		now = base_now_ns();
		if (rc != 0)
			until = now + LINGER_NS;
	}
	return 0;
}

static void
serve_admin(struct service *s)
{
	int64_t end = base_now_ns() + ADMIN_NS;

	while (admin_run(s->admin) > 0 && base_now_ns() < end)
		;
}

/* How long the loop may sleep if nothing happens; -1: as long as it likes. */
static int
sleep_ms(struct service *s)
{
	int ms = client_poll_waiting(s) ? POLL_WAITING_MS :
		s->admin == NULL ? -1 : admin_timeout(s->admin);
	int unread_ms = unread_poll(&s->unread, service_now_ms());

	return ms < 0 || (unread_ms >= 0 && unread_ms < ms) ? unread_ms : ms;
}

int
service_run(struct service *s, int signal_fd)
{
	struct pollfd fds[] = {
		{ .fd = vfio_user_server_fd(s->server), .events = POLLIN },
		{ .fd = signal_fd, .events = POLLIN },
		{ .fd = s->wake_fd, .events = POLLIN },
		{ .fd = s->admin == NULL ? -1 : admin_fd(s->admin), .events = POLLIN },
	};
	eventfd_t n;
	int rc;

	for (;;) {
		if (poll(fds, sizeof(fds) / sizeof(fds[0]), sleep_ms(s)) < 0) {
			if (errno == EINTR)
				continue;
			rc = -errno;
			log_line(BASE_LOG_ERR, "poll: %s", strerror(-rc));
			return rc;
		}
		if (fds[2].revents != 0) {
			(void)eventfd_read(s->wake_fd, &n);
			client_close_failed(s);
		}
		if (fds[0].revents != 0) {
			rc = serve_clients(s);
			if (rc < 0) {
				log_line(BASE_LOG_ERR, "event loop: %s", strerror(-rc));
				return rc;
			}
		}
		if (s->admin != NULL && (fds[3].revents != 0 || admin_timeout(s->admin) >= 0))
			serve_admin(s);
		if (fds[1].revents != 0) {
			rc = signals(s, signal_fd);
			if (rc != 0) {
				log_line(BASE_LOG_INFO, "ends on %s", strsignal(rc));
				return 0;
			}
		}
	}
}

bool
service_close(struct service *s)
{
	int64_t end = base_now_ns() + CLOSE_NS;
	bool waits;

	admin_close(s->admin);
	s->admin = NULL;
	/* The connections first, then the functions that they leave, then the threads. */
	vfio_user_server_destroy(s->server);
	s->server = NULL;
	while ((waits = client_poll_waiting(s) || atomic_load(&s->ending) != 0) &&
			base_now_ns() < end)
		nanosleep(&(struct timespec){ 0, POLL_WAITING_MS * 1000000 }, NULL);
	if (waits) {
		log_line(BASE_LOG_INFO, "ends without waiting for the last requests, or for "
				"memory to be freed");
		return false;
	}
	unread_fini(&s->unread);
	for (unsigned int i = 0; i < s->opt->listen_cnt; i++)
		qm_dev_group_destroy(s->points[i].group);
	qm_dev_pool_destroy(s->pool);
	users_destroy(s->users);
	owners_forget();
	if (s->wake_fd >= 0)
		close(s->wake_fd);
	pthread_mutex_destroy(&s->lock);
	return true;
}
