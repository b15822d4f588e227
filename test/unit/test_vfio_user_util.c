/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "fail_nth.h"
#include "qm_dev_func.h"
#include "qm_dev_guard.h"
#include "test_vfio_user_util.h"

/* ---- The device ---- */

static const struct vfio_user_region regions[VT_REGIONS] = {
	[VT_BAR2] = { VT_BAR2_LEN, VFIO_USER_REGION_F_READ | VFIO_USER_REGION_F_WRITE },
	[VT_RO] = { 4096, VFIO_USER_REGION_F_READ },
	[VT_SPARSE] = { 65536, VFIO_USER_REGION_F_READ | VFIO_USER_REGION_F_WRITE |
		VFIO_USER_REGION_F_MMAP },
	[VFIO_USER_PCI_CONFIG] = { 4096, VFIO_USER_REGION_F_READ | VFIO_USER_REGION_F_WRITE },
	[VT_DOORBELL] = { 8192, VFIO_USER_REGION_F_READ | VFIO_USER_REGION_F_WRITE |
		VFIO_USER_REGION_F_MMAP },
};
static const struct vfio_user_irq irqs[VFIO_USER_PCI_IRQS] = {
	[VFIO_USER_PCI_INTX] = { 1, VFIO_USER_IRQ_F_EVENTFD | VFIO_USER_IRQ_F_MASKABLE },
	[VFIO_USER_PCI_MSI] = { VT_MSI, VFIO_USER_IRQ_F_EVENTFD },
	[VFIO_USER_PCI_ERR] = { 1, VFIO_USER_IRQ_F_EVENTFD },
};
static const struct vfio_user_spim spim = { VT_DOORBELL, VT_BAR2, 0x3108 };
static const struct vfio_user_device device = {
	.flags = VFIO_USER_DEVICE_F_RESET | VFIO_USER_DEVICE_F_PCI,
	.num_regions = VT_REGIONS, .num_irqs = VFIO_USER_PCI_IRQS, .regions = regions,
	.irqs = irqs, .spim = &spim,
};

/* What one connection has. */
struct dev {
	struct vt *t;
	struct qm_dev fn; /* no more of it than its map */
	struct qm_dev_view view;
	uint8_t bar2[VT_BAR2_LEN];
};

static int
connected(struct vfio_user_conn *conn, void *listener_priv, struct vfio_user_conn_conf *conf)
{
	struct vt *t = listener_priv;
	struct dev *d = calloc(1, sizeof(*d));

	if (t->fail != 0) {
		free(d);
		return t->fail;
	}
	d->t = t;
	conf->priv = d;
	conf->device = &device;
	conf->maps_max = t->limits.maps;
	d->fn.conf.limits = t->limits;
	assert_int_equal(qm_dev_map_init(&d->fn.map), 0);
	qm_dev_view_add(&d->fn.map, &d->view);
	t->last = conn;
	t->seen.connected++;
	return 0;
}

static int
negotiated(struct vfio_user_conn *conn, void *priv)
{
	struct dev *d = priv;

	(void)conn;
	d->t->seen.negotiated++;
	return 0;
}

/* What an operation that may be deferred returns. */
static int
result(struct dev *d, struct vfio_user_conn *conn)
{
	if (d->t->fail != 0)
		return d->t->fail;
	if (!d->t->defer)
		return 0;
	d->t->deferred = conn;
	return VFIO_USER_DEFERRED;
}

static int
region_read(struct vfio_user_conn *conn, void *priv, uint32_t region, uint64_t offset, void *buf,
		uint32_t count)
{
	struct dev *d = priv;

	if (region == VT_BAR2)
		memcpy(buf, d->bar2 + offset, count);
	else
		memset(buf, (int)region, count);
	return region == VT_BAR2 ? result(d, conn) : 0;
}

static int
region_write(struct vfio_user_conn *conn, void *priv, uint32_t region, uint64_t offset,
		const void *buf, uint32_t count)
{
	struct dev *d = priv;

	if (region == VT_BAR2)
		memcpy(d->bar2 + offset, buf, count);
	d->t->seen.write++;
	return result(d, conn);
}

static int
region_mmap(struct vfio_user_conn *conn, void *priv, uint32_t region, struct vfio_user_mmap *mm)
{
	struct dev *d = priv;

	(void)conn;
	mm->fd = d->t->mem_fd;
	if (region == VT_SPARSE) {
		mm->nr_areas = 2;
		mm->areas[0] = (struct vfio_user_area){ 0, 4096 };
		mm->areas[1] = (struct vfio_user_area){ 61440, 4096 };
	}
	return 0;
}

static int
dma_map(struct vfio_user_conn *conn, void *priv, const struct vfio_user_dma *dma, const char **why)
{
	struct dev *d = priv;
	int rc = d->t->fail;

	(void)conn;
	if (rc == 0)
		rc = dma->fd < 0 ? qm_dev_dma_map(&d->fn, dma->iova, dma->size, NULL, 0) :
			qm_dev_dma_map_file(&d->fn, dma->iova, dma->size, dma->fd, dma->offset,
			dma->prot, why);
	if (rc != 0)
		return rc;
	d->t->seen.iova = dma->iova;
	d->t->seen.size = dma->size;
	d->t->seen.fd = dma->fd >= 0;
	d->t->seen.dma_map++;
	return 0;
}

static int
dma_unmap(struct vfio_user_conn *conn, void *priv, uint64_t iova, uint64_t size, uint64_t *bytes)
{
	struct dev *d = priv;
	uint64_t ticket;
	int n = d->t->fail;

	if (n == 0)
		n = qm_dev_dma_unmap_start(&d->fn, iova, size, &ticket, bytes);
	if (n < 0)
		return n;
	d->t->seen.iova = iova;
	d->t->seen.size = size;
	d->t->seen.dma_unmap += n != 0;
	return result(d, conn);
}

static void
irqs_set(struct vfio_user_conn *conn, void *priv, uint32_t index, uint32_t enabled)
{
	struct dev *d = priv;

	(void)conn;
	(void)index;
	d->t->seen.enabled = enabled;
	d->t->seen.irqs++;
}

static int
reset(struct vfio_user_conn *conn, void *priv)
{
	struct dev *d = priv;

	d->t->seen.reset++;
	memset(d->bar2, 0, sizeof(d->bar2));
	return result(d, conn);
}

static int
fds_take(struct vfio_user_conn *conn, void *priv, uint32_t n)
{
	struct vt *t = ((struct dev *)priv)->t;

	(void)conn;
	if (t->held_max != 0 && t->seen.held + n > t->held_max)
		return -EMFILE;
	t->seen.held += n;
	return 0;
}

static void
fds_put(struct vfio_user_conn *conn, void *priv, uint32_t n)
{
	struct vt *t = ((struct dev *)priv)->t;

	(void)conn;
	assert_true(t->seen.held >= n);
	t->seen.held -= n;
}

static void
closed(struct vfio_user_conn *conn, void *priv)
{
	struct dev *d = priv;
	struct vt *t = d->t;

	qm_dev_map_fini(&d->fn);
	free(d);
	if (t->last == conn)
		t->last = NULL;
	if (t->deferred == conn)
		t->deferred = NULL;
	if (!t->keep)
		vfio_user_conn_release(conn);
	t->seen.closed++;
}

static const struct vfio_user_ops ops = {
	.connected = connected, .negotiated = negotiated, .region_read = region_read,
	.region_write = region_write, .region_mmap = region_mmap, .dma_map = dma_map,
	.dma_unmap = dma_unmap, .irqs = irqs_set, .fds_take = fds_take, .fds_put = fds_put,
	.reset = reset, .closed = closed,
};

/* ---- The loop ---- */

struct loop {
	pthread_t thread;
	int epfd, call_fd, done_fd;
	bool stop;
	void (*f)(struct vt *t, void *arg);
	void *arg;
};

static void
log_line(enum base_log_level level, const char *line, void *priv)
{
	struct vt *t = priv;

	(void)level;
	snprintf(t->line, sizeof(t->line), "%s", line);
	t->seen.lines++;
}

static void *
run(void *arg)
{
	struct vt *t = arg;
	struct loop *l = t->thread;
	eventfd_t n;

	while (!l->stop) {
		struct epoll_event ev[2];
		int cnt = epoll_wait(l->epfd, ev, 2, -1);

		for (int i = 0; i < cnt; i++) {
			if (ev[i].data.ptr == t) {
				assert_true(vfio_user_server_run(t->server, 0) >= 0);
			} else {
				eventfd_read(l->call_fd, &n);
				l->f(t, l->arg);
				eventfd_write(l->done_fd, 1);
			}
		}
	}
	return NULL;
}

void
vt_call(struct vt *t, void (*f)(struct vt *t, void *arg), void *arg)
{
	struct loop *l = t->thread;
	eventfd_t n;

	l->f = f;
	l->arg = arg;
	eventfd_write(l->call_fd, 1);
	assert_int_equal(eventfd_read(l->done_fd, &n), 0);
}

static void
stop(struct vt *t, void *arg)
{
	struct loop *l = t->thread;

	(void)arg;
	l->stop = true;
}

static void
get_stats(struct vt *t, void *arg)
{
	if (t->last != NULL)
		vfio_user_conn_stats_get(t->last, arg);
	else
		memset(arg, 0, sizeof(struct vfio_user_conn_stats));
}

struct vfio_user_conn_stats
vt_stats(struct vt *t)
{
	struct vfio_user_conn_stats stats;

	vt_call(t, get_stats, &stats);
	return stats;
}

static void
get_memory(struct vt *t, void *arg)
{
	const struct dev *d = t->last != NULL ? vfio_user_conn_priv(t->last) : NULL;
	struct vt_memory *m = arg;

	*m = (struct vt_memory){ 0 };
	if (d != NULL)
		*m = (struct vt_memory){ d->fn.map.cnt, d->fn.map.files.cnt,
			d->fn.map.files.mapped };
}

struct vt_memory
vt_memory(struct vt *t)
{
	struct vt_memory m;

	vt_call(t, get_memory, &m);
	return m;
}

struct look {
	uint64_t iova, len;
	void *va;
};

static void
look_at(struct vt *t, void *arg)
{
	struct dev *d = vfio_user_conn_priv(t->last);
	struct look *l = arg;

	qm_dev_view_get(&d->fn.map, &d->view);
	l->va = qm_dev_view_at(&d->view, l->iova, l->len, QM_DEV_PROT_READ);
	qm_dev_view_put(&d->view);
}

void *
vt_memory_at(struct vt *t, uint64_t iova, uint64_t len)
{
	struct look l = { .iova = iova, .len = len };

	vt_call(t, look_at, &l);
	return l.va;
}

static void
get_server_stats(struct vt *t, void *arg)
{
	vfio_user_server_stats_get(t->server, arg);
}

static void
nap(void)
{
	struct timespec ts = { 0, 1000000 };

	nanosleep(&ts, NULL);
}

void
vt_only_victim(struct vt *t)
{
	struct vfio_user_server_stats stats;

	for (int i = 0; i < VT_TIMEOUT_MS; i++) {
		vt_call(t, get_server_stats, &stats);
		if (stats.conns == 1)
			return;
		nap();
	}
	fail_msg("%u connections are open; expected the victim's", stats.conns);
}

void
vt_wait(_Atomic unsigned int *v, unsigned int want)
{
	for (int i = 0; *v < want; i++) {
		if (i == VT_TIMEOUT_MS)
			fail_msg("a counter is %u; expected %u", *v, want);
		nap();
	}
}

void
vt_start(struct vt *t, const struct vfio_user_server_conf *conf)
{
	struct vfio_user_server_conf c = conf != NULL ? *conf : (struct vfio_user_server_conf){ 0 };
	struct qm_dev_guard *guard;
	struct loop *l = calloc(1, sizeof(*l));
	struct epoll_event ev = { .events = EPOLLIN };
	long blocks;

	/* What is kept once made. */
	assert_int_equal(qm_dev_guard_add(NULL, (void *)0x1000, 1, &guard), 0);
	qm_dev_guard_del(guard);
	blocks = fail_nth_blocks() - 1; /* l */
	memset(t, 0, sizeof(*t));
	t->blocks = blocks;
	t->fds = vt_fds();
	t->inherited = vt_inherited();
	t->thread = l;
	t->mem_fd = vt_memfd(65536);
	c.name = "test";
	c.ops = &ops;
	c.log = (struct base_log){ log_line, t };
	strcpy(t->dir, "/tmp/vfio-user-XXXXXX");
	assert_non_null(mkdtemp(t->dir));
	snprintf(t->path, sizeof(t->path), "%s/s", t->dir);
	assert_int_equal(vfio_user_server_create(&c, &t->server), 0);
	assert_int_equal(vfio_user_server_listen(t->server, t->path, 0600, t), 0);

	l->epfd = epoll_create1(EPOLL_CLOEXEC);
	l->call_fd = eventfd(0, EFD_CLOEXEC);
	l->done_fd = eventfd(0, EFD_CLOEXEC);
	ev.data.ptr = t;
	assert_int_equal(epoll_ctl(l->epfd, EPOLL_CTL_ADD, vfio_user_server_fd(t->server), &ev), 0);
	ev.data.ptr = l;
	assert_int_equal(epoll_ctl(l->epfd, EPOLL_CTL_ADD, l->call_fd, &ev), 0);
	assert_int_equal(pthread_create(&l->thread, NULL, run, t), 0);

	t->victim = vt_open(t);
	vt_write32(t->victim, VT_BAR2, 0x100, 0xfeedbeef);
}

void
vt_victim_works(struct vt *t)
{
	static uint32_t value;

	assert_int_equal(vt_read32(t->victim, VT_BAR2, 0x100), 0xfeedbeef);
	vt_write32(t->victim, VT_BAR2, 0x104, ++value);
	assert_int_equal(vt_read32(t->victim, VT_BAR2, 0x104), value);
}

void
vt_stop(struct vt *t)
{
	struct loop *l = t->thread;

	vt_only_victim(t);
	vt_victim_works(t);
	assert_int_equal(vt_inherited(), t->inherited);
	vt_call(t, stop, NULL);
	pthread_join(l->thread, NULL);
	vfio_user_server_destroy(t->server);
	vt_closed(t->victim);
	close(t->victim);
	assert_int_equal(t->seen.connected, t->seen.closed);
	assert_int_equal(t->seen.held, 0);
	close(l->epfd);
	close(l->call_fd);
	close(l->done_fd);
	close(t->mem_fd);
	free(l);
	assert_int_not_equal(access(t->path, F_OK), 0);
	assert_int_equal(rmdir(t->dir), 0);
	vt_fds_back(t->fds);
	/* A thread that closes what takes time has some until it is done. */
	for (int i = 0; i < VT_TIMEOUT_MS && fail_nth_blocks() != t->blocks; i++)
		nap();
	assert_int_equal(fail_nth_blocks(), t->blocks);
}

/* ---- A server without a thread ---- */

static int
plain_connected(struct vfio_user_conn *conn, void *listener_priv, struct vfio_user_conn_conf *conf)
{
	static const struct vfio_user_region region = { 4096, VFIO_USER_REGION_F_READ |
		VFIO_USER_REGION_F_WRITE };
	static const struct vfio_user_irq irq = { 1, VFIO_USER_IRQ_F_EVENTFD };
	static const struct vfio_user_device plain = { 3, 1, 1, &region, &irq, NULL };

	(void)conn;
	(void)listener_priv;
	conf->device = &plain;
	return 0;
}

static int
plain_read(struct vfio_user_conn *conn, void *priv, uint32_t region, uint64_t offset, void *buf,
		uint32_t count)
{
	(void)conn;
	(void)priv;
	(void)region;
	(void)offset;
	memset(buf, 0, count);
	return 0;
}

static int
plain_write(struct vfio_user_conn *conn, void *priv, uint32_t region, uint64_t offset,
		const void *buf, uint32_t count)
{
	(void)conn;
	(void)priv;
	(void)region;
	(void)offset;
	(void)buf;
	(void)count;
	return 0;
}

static void
plain_closed(struct vfio_user_conn *conn, void *priv)
{
	(void)priv;
	vfio_user_conn_release(conn);
}

const struct vfio_user_ops vt_plain_ops = { .connected = plain_connected,
	.region_read = plain_read, .region_write = plain_write, .closed = plain_closed };

int
vt_join(struct vfio_user_server *s)
{
	char dir[] = "/tmp/vfio-user-XXXXXX";
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_non_null(mkdtemp(dir));
	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s/s", dir);
	assert_int_equal(vfio_user_server_listen(s, addr.sun_path, 0600, NULL), 0);
	assert_int_equal(connect(sock, (struct sockaddr *)&addr, sizeof(addr)), 0);
	assert_true(vfio_user_server_run(s, 0) >= 1); /* perhaps beside a timer */
	assert_int_equal(unlink(addr.sun_path), 0);
	assert_int_equal(rmdir(dir), 0);
	return sock;
}

int
vt_joined(struct vfio_user_server *s)
{
	int sock = vt_join(s);
	struct vfio_user_hdr hdr;
	uint8_t body[512];

	vt_send(sock, VFIO_USER_VERSION, 0, "\0\0\0\0", 4, NULL, 0);
	assert_true(vfio_user_server_run(s, 0) >= 1);
	vt_recv(sock, &hdr, body, sizeof(body), NULL);
	return sock;
}
