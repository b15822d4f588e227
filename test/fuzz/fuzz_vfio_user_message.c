/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

/*
 * Any bytes and fds that a client can send, cut anywhere, beside what an owner
 * does meanwhile: deferred operations, interrupts. Afterwards nothing is left of the
 * connection.
 *
 * Input: operations, each a byte that says which, followed by its arguments.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base_reap.h"
#include "fuzz_util.h"
#include "vfio_user_server.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define BAR_LEN 4096u

#define LOWEST_MAX 40 /* the lowest free descriptor when all is closed is less */

/* One connection's owner. */
static struct {
	struct vfio_user_conn *conn; /* NULL: closed */
	bool defer, deferred;
	uint8_t bar[BAR_LEN];
} dev;

static struct vfio_user_server *server;
static struct sockaddr_un addr = { .sun_family = AF_UNIX };
static int mem_fd, other_sock;

static void
quiet(enum base_log_level level, const char *line, void *priv)
{
	(void)level;
	(void)priv;
	require(strlen(line) < 1024);
}

/* ---- What takes its time ---- */

void __wrap_base_reap(struct base_reap_job *job, enum base_reap_kind kind, uint32_t owner);

/* Done by now, so that no input finds what another one has left, and none waits for a thread. */
void
__wrap_base_reap(struct base_reap_job *job, enum base_reap_kind kind, uint32_t owner)
{
	(void)kind;
	(void)owner;
	while (job->step(job))
		;
}

/* ---- The owner ---- */

static const struct vfio_user_region regions[] = {
	{ BAR_LEN, VFIO_USER_REGION_F_READ | VFIO_USER_REGION_F_WRITE },
	{ 0, 0 },
	{ BAR_LEN, VFIO_USER_REGION_F_READ | VFIO_USER_REGION_F_MMAP },
	{ BAR_LEN, VFIO_USER_REGION_F_READ | VFIO_USER_REGION_F_WRITE | VFIO_USER_REGION_F_MMAP },
};
static const struct vfio_user_irq irqs[] = {
	{ 1, VFIO_USER_IRQ_F_EVENTFD | VFIO_USER_IRQ_F_MASKABLE },
	{ 8, VFIO_USER_IRQ_F_EVENTFD },
};
static const struct vfio_user_spim spim = { 3, 0, 8 };
static const struct vfio_user_device device = { 3, 4, 2, regions, irqs, &spim };

static int
result(void)
{
	if (!dev.defer)
		return 0;
	require(!dev.deferred);
	dev.deferred = true;
	return VFIO_USER_DEFERRED;
}

static int
connected(struct vfio_user_conn *conn, void *listener_priv, struct vfio_user_conn_conf *conf)
{
	(void)listener_priv;
	conf->device = &device;
	dev.conn = conn;
	return 0;
}

static int
region_read(struct vfio_user_conn *conn, void *priv, uint32_t region, uint64_t offset, void *buf,
		uint32_t count)
{
	(void)conn;
	(void)priv;
	require(region != 1 && region < 4 && count != 0);
	require(offset < BAR_LEN && count <= BAR_LEN - offset);
	memcpy(buf, dev.bar + offset, count);
	return result();
}

static int
region_write(struct vfio_user_conn *conn, void *priv, uint32_t region, uint64_t offset,
		const void *buf, uint32_t count)
{
	(void)conn;
	(void)priv;
	require((region == 0 || region == 3) && count != 0);
	require(offset < BAR_LEN && count <= BAR_LEN - offset);
	memcpy(dev.bar + offset, buf, count);
	return result();
}

static int
region_mmap(struct vfio_user_conn *conn, void *priv, uint32_t region, struct vfio_user_mmap *mm)
{
	(void)conn;
	(void)priv;
	mm->fd = mem_fd;
	mm->nr_areas = region == 2;
	mm->areas[0] = (struct vfio_user_area){ 0, BAR_LEN };
	return 0;
}

static int
dma_map(struct vfio_user_conn *conn, void *priv, const struct vfio_user_dma *dma, const char **why)
{
	(void)conn;
	(void)priv;
	require(dma->size != 0 && dma->size - 1 <= UINT64_MAX - dma->iova);
	require((dma->iova | dma->size) % VFIO_USER_PAGE == 0 && dma->prot != 0 && dma->prot <= 3);
	if (dma->fd >= 0) {
		require(dma->offset <= INT64_MAX && dma->size <= INT64_MAX - dma->offset);
		require(fcntl(dma->fd, F_GETFD) >= 0);
	}
	*why = "the fuzzer";
	return dma->iova % (3 * VFIO_USER_PAGE) == 0 ? -ENOSPC : 0;
}

static int
dma_unmap(struct vfio_user_conn *conn, void *priv, uint64_t iova, uint64_t size, uint64_t *bytes)
{
	(void)conn;
	(void)priv;
	require(size != 0 || iova == 0);
	*bytes = size;
	return result();
}

static int
reset(struct vfio_user_conn *conn, void *priv)
{
	(void)conn;
	(void)priv;
	return result();
}

static void
closed(struct vfio_user_conn *conn, void *priv)
{
	struct vfio_user_conn_stats stats;

	(void)priv;
	require(conn == dev.conn);
	dev.deferred = false;
	vfio_user_conn_stats_get(conn, &stats);
	require(stats.eventfds == 0);
	vfio_user_conn_release(conn);
	dev.conn = NULL;
}

static const struct vfio_user_ops ops = {
	.connected = connected, .region_read = region_read, .region_write = region_write,
	.region_mmap = region_mmap, .dma_map = dma_map, .dma_unmap = dma_unmap, .reset = reset,
	.closed = closed,
};

/* ---- The client ---- */

static void
send_bytes(int sock, const void *buf, size_t len, const int *fds, unsigned int nfds)
{
	union {
		struct cmsghdr hdr;
		char room[CMSG_SPACE(32 * sizeof(int))];
	} control = { 0 };
	struct iovec iov = { (void *)(uintptr_t)buf, len };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };

	if (nfds != 0) {
		msg.msg_control = control.room;
		msg.msg_controllen = CMSG_SPACE(nfds * sizeof(int));
		control.hdr.cmsg_level = SOL_SOCKET;
		control.hdr.cmsg_type = SCM_RIGHTS;
		control.hdr.cmsg_len = CMSG_LEN(nfds * sizeof(int));
		memcpy(CMSG_DATA(&control.hdr), fds, nfds * sizeof(int));
	}
	if (sendmsg(sock, &msg, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
		return;
}

/* A message with a header that fits, or nearly; its body and fds from the input. */
static void
send_message(int sock, struct input *in)
{
	static const struct vfio_user_hdr none;
	struct vfio_user_hdr hdr = none;
	uint8_t buf[sizeof(hdr) + 256], what;
	size_t len;
	int fds[32];
	unsigned int nfds;

	hdr.cmd = (uint16_t)(take(in, 1) % (VFIO_USER_CMD_END + 1));
	what = (uint8_t)take(in, 1);
	hdr.flags = what & 1 ? VFIO_USER_F_NO_REPLY : what & 2 ? VFIO_USER_F_REPLY :
		what & 4 ? VFIO_USER_F_REPLY | VFIO_USER_F_ERROR : 0;
	hdr.id = (uint16_t)take(in, 1);
	nfds = (unsigned int)take(in, 1) % 20;
	len = take(in, 1);
	len = len < in->left ? len : in->left;
	hdr.size = (uint32_t)(sizeof(hdr) + len);
	memcpy(buf, &hdr, sizeof(hdr));
	memcpy(buf + sizeof(hdr), in->at, len);
	in->at += len;
	in->left -= len;
	for (unsigned int i = 0; i < nfds; i++)
		fds[i] = what & 8 ? eventfd(0, EFD_CLOEXEC) :
			dup(what & 16 ? other_sock : mem_fd);
	send_bytes(sock, buf, sizeof(hdr) + len, fds, nfds);
	for (unsigned int i = 0; i < nfds; i++)
		close(fds[i]);
}

static void
run(void)
{
	int n = 1;

	for (int i = 0; i < 4 && n != 0; i++) {
		n = vfio_user_server_run(server, 0);
		require(n >= 0);
	}
}

static void
one_op(int sock, struct input *in)
{
	static const char version[] = "\0\0\0\0{\"capabilities\":{\"spim\":{\"version\":1}}}";
	struct vfio_user_hdr hdr = { .cmd = VFIO_USER_VERSION,
		.size = sizeof(hdr) + sizeof(version) };
	uint8_t buf[4096];
	size_t len;

	switch (take(in, 1) % 10) {
	case 0: /* bytes as they are */
		len = take(in, 1);
		len = len < in->left ? len : in->left;
		send_bytes(sock, in->at, len, NULL, 0);
		in->at += len;
		in->left -= len;
		break;
	case 1:
	case 2:
	case 3:
		send_message(sock, in);
		break;
	case 4:
		run();
		break;
	case 5:
		while (recv(sock, buf, sizeof(buf), MSG_DONTWAIT) > 0)
			;
		break;
	case 6:
		send_bytes(sock, &hdr, sizeof(hdr), NULL, 0);
		send_bytes(sock, version, sizeof(version), NULL, 0);
		break;
	case 7:
	case 8:
		dev.defer = take(in, 1) % 2;
		if (dev.deferred) {
			dev.deferred = false;
			vfio_user_conn_complete(dev.conn, -(int)take(in, 1) % 2);
		}
		break;
	default:
		if (dev.conn != NULL)
			vfio_user_conn_irq(dev.conn, (uint32_t)take(in, 1) % 3,
					(uint32_t)take(in, 1) % 9);
		break;
	}
}

static void
setup(void)
{
	const struct vfio_user_server_conf conf = { .name = "fuzz", .ops = &ops,
		.log = { .line = quiet } };

	mem_fd = memfd_create("fuzz", MFD_CLOEXEC);
	require(ftruncate(mem_fd, 1 << 17) == 0);
	/* Not the client's own: that would keep it open, until the server's patience ends. */
	other_sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	require(vfio_user_server_create(&conf, &server) == 0);
	snprintf(addr.sun_path, sizeof(addr.sun_path), "/tmp/fuzz-vfio-user-%ld", (long)getpid());
	require(vfio_user_server_listen(server, addr.sun_path, 0600, NULL) == 0);
}

static int
join(void)
{
	int sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	require(connect(sock, (struct sockaddr *)&addr, sizeof(addr)) == 0);
	require(vfio_user_server_run(server, 0) >= 1 && dev.conn != NULL);
	return sock;
}

/* No descriptor is left open. Some may be libFuzzer's own: what is lost again and again counts. */
static void
descriptors_back(void)
{
	int lowest = dup(mem_fd);

	require(lowest >= 0);
	close(lowest);
	require(lowest < LOWEST_MAX);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { .at = data, .left = size };
	struct vfio_user_server_stats stats;
	int sock;

	if (server == NULL)
		setup();
	memset(&dev, 0, sizeof(dev));
	sock = join();
	while (in.left != 0)
		one_op(sock, &in);
	run();
	close(sock);
	while (dev.conn != NULL)
		run();
	vfio_user_server_stats_get(server, &stats);
	require(stats.conns == 0);
	descriptors_back();
	return 0;
}
