/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "vfio_user_call.h"

#define TIMEOUT_DEFAULT 5000u
#define AREAS_MAX       8u

/* A request with a body of fixed size, and a reply that overwrites it. */
static int
ask_simple(struct vfio_user_client *c, uint16_t cmd, void *body, size_t len, bool answer,
		const int *fds, unsigned int nfds)
{
	struct iovec iov = { body, len };
	struct vfio_user_call call = { .cmd = cmd, .body = &iov, .body_cnt = len != 0 ? 1 : 0,
		.fds = fds, .nfds = nfds };
	int rc;

	if (answer) {
		call.reply = body;
		call.reply_min = call.reply_max = (uint32_t)len;
	}
	rc = vfio_user_call(c, &call);
	vfio_user_fds_close(&call.got);
	return rc;
}

/* ---- Life ---- */

static int
negotiate(struct vfio_user_client *c)
{
	struct {
		struct vfio_user_version v;
		char text[VFIO_USER_VERSION_MAX];
	} m = { .v = { VFIO_USER_MAJOR, VFIO_USER_MINOR } }, reply;
	struct vfio_user_caps mine = { .max_msg_fds = VFIO_USER_FDS_MAX,
		.max_xfer = VFIO_USER_XFER_MAX, .max_dma_maps = VFIO_USER_DMA_MAPS_MAX,
		.spim_version = c->conf.spim ? VFIO_USER_SPIM_VERSION : 0 };
	struct iovec iov = { &m, sizeof(m.v) };
	struct vfio_user_call call = { .cmd = VFIO_USER_VERSION, .body = &iov, .body_cnt = 1,
		.reply = &reply, .reply_min = sizeof(m.v), .reply_max = sizeof(reply) };
	const char *what = "version";
	size_t len;
	int rc;

	iov.iov_len += vfio_user_caps_format(&mine, false, m.text);
	rc = vfio_user_call(c, &call);
	if (rc != 0)
		return rc;
	vfio_user_fds_close(&call.got);
	len = call.reply_len - sizeof(m.v);
	if (len != 0 && reply.text[--len] != '\0')
		rc = -EINVAL;
	if (reply.v.major != VFIO_USER_MAJOR)
		rc = -EINVAL;
	if (rc == 0)
		rc = vfio_user_caps_parse(reply.text, len, &c->caps, &what);
	if (rc == 0 && (c->caps.max_xfer == 0 || c->caps.max_msg_fds == 0)) {
		what = "limits of 0";
		rc = -EINVAL;
	}
	if (rc != 0) {
		base_log(&c->conf.log, BASE_LOG_ERR, "vfio-user",
				"the server's %s cannot be used", what);
		return -EPROTO;
	}
	if (c->caps.max_xfer > VFIO_USER_XFER_MAX)
		c->caps.max_xfer = VFIO_USER_XFER_MAX;
	/* What was not asked for does not count. */
	if (!c->conf.spim)
		c->caps.spim_version = 0;
	return 0;
}

int
vfio_user_client_adopt(int fd, const struct vfio_user_client_conf *conf,
		struct vfio_user_client **client)
{
	struct vfio_user_client *c = calloc(1, sizeof(*c));
	int rc;

	if (c == NULL) {
		close(fd);
		return -ENOMEM;
	}
	c->sock = fd;
	c->conf = *conf;
	if (c->conf.timeout_ms == 0)
		c->conf.timeout_ms = TIMEOUT_DEFAULT;
	pthread_mutex_init(&c->call_lock, NULL);
	pthread_mutex_init(&c->send_lock, NULL);
	atomic_init(&c->dead, false);
	rc = negotiate(c);
	if (rc != 0) {
		vfio_user_client_close(c);
		return rc;
	}
	*client = c;
	return 0;
}

int
vfio_user_client_connect(const char *path, const struct vfio_user_client_conf *conf,
		struct vfio_user_client **client)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	uint32_t ms = conf->timeout_ms != 0 ? conf->timeout_ms : TIMEOUT_DEFAULT;
	struct timeval tv = { .tv_sec = (time_t)(ms / 1000),
		.tv_usec = (suseconds_t)(ms % 1000) * 1000 };
	int fd, rc;

	if (strlen(path) >= sizeof(addr.sun_path))
		return -ENAMETOOLONG;
	memcpy(addr.sun_path, path, strlen(path) + 1);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	/* connect() waits for room among those that were not accepted yet. */
	if (setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv)) != 0 ||
			connect(fd, (struct sockaddr *)&addr, sizeof(addr)) != 0) {
		rc = errno == EAGAIN ? -ETIMEDOUT : -errno;
		close(fd);
		return rc;
	}
	return vfio_user_client_adopt(fd, conf, client);
}

void
vfio_user_client_close(struct vfio_user_client *client)
{
	if (client == NULL)
		return;
	close(client->sock);
	pthread_mutex_destroy(&client->call_lock);
	pthread_mutex_destroy(&client->send_lock);
	free(client);
}

int
vfio_user_client_alive(struct vfio_user_client *client)
{
	struct pollfd p = { .fd = client->sock, .events = POLLRDHUP };

	/* POLLHUP and POLLERR need not be asked for, and tell of its end, too. */
	if (poll(&p, 1, 0) == 1)
		return vfio_user_client_lost(client, "it closed the connection");
	return 0;
}

int
vfio_user_client_fd(const struct vfio_user_client *client)
{
	return client->sock;
}

const struct vfio_user_spim *
vfio_user_client_spim(const struct vfio_user_client *client)
{
	return client->caps.spim_version != 0 ? &client->caps.spim : NULL;
}

/* ---- What the device is ---- */

/* The areas that may be mapped, from the capabilities in a reply of len bytes. */
static int
read_areas(const uint8_t *reply, uint32_t len, uint32_t at, struct vfio_user_client_region *region)
{
	/* Each capability takes its size, so that a loop of them comes to an end. */
	for (uint32_t n = 0; at != 0; n += (uint32_t)sizeof(struct vfio_user_cap_sparse)) {
		struct vfio_user_cap_sparse cap;

		if (n > len || at > len || len - at < sizeof(cap))
			return -EPROTO;
		memcpy(&cap, reply + at, sizeof(cap));
		if (cap.id == VFIO_USER_CAP_SPARSE_MMAP) {
			if (cap.nr_areas > AREAS_MAX || len - at - sizeof(cap) <
					cap.nr_areas * sizeof(region->areas[0]))
				return -EPROTO;
			memcpy(region->areas, reply + at + sizeof(cap),
					cap.nr_areas * sizeof(region->areas[0]));
			region->nr_areas = cap.nr_areas;
		}
		at = cap.next;
	}
	for (uint32_t i = 0; i < region->nr_areas; i++)
		if (region->areas[i].offset > region->size ||
				region->areas[i].size > region->size - region->areas[i].offset)
			return -EPROTO;
	return 0;
}

int
vfio_user_client_region_info(struct vfio_user_client *client, uint32_t index,
		struct vfio_user_client_region *region)
{
	struct vfio_user_region_info info = { .index = index };
	uint8_t reply[sizeof(info) + sizeof(struct vfio_user_cap_sparse) +
		AREAS_MAX * sizeof(struct vfio_user_area)];
	struct iovec iov = { &info, sizeof(info) };
	struct vfio_user_call call = { .cmd = VFIO_USER_DEVICE_GET_REGION_INFO, .body = &iov,
		.body_cnt = 1, .reply = reply, .reply_min = sizeof(info),
		.reply_max = sizeof(reply) };
	int rc;

	info.argsz = sizeof(reply);
	rc = vfio_user_call(client, &call);
	if (rc != 0)
		return rc;
	memcpy(&info, reply, sizeof(info));
	*region = (struct vfio_user_client_region){ .size = info.size, .flags = info.flags,
		.fd = -1, .offset = info.offset };
	if ((info.flags & VFIO_USER_REGION_F_CAPS) != 0)
		rc = read_areas(reply, call.reply_len, info.cap_offset, region);
	if (rc == 0 && (info.flags & VFIO_USER_REGION_F_MMAP) != 0 && call.got.cnt != 0) {
		region->fd = call.got.fd[0];
		call.got.fd[0] = -1;
	}
	vfio_user_fds_close(&call.got);
	return rc;
}

/* ---- Accesses ---- */

int
vfio_user_client_region_read(struct vfio_user_client *client, uint32_t region, uint64_t offset,
		void *buf, uint32_t count)
{
	struct vfio_user_region_rw rw = { .offset = offset, .region = region, .count = count };
	struct iovec iov = { &rw, sizeof(rw) };
	struct vfio_user_call call = { .cmd = VFIO_USER_REGION_READ, .body = &iov, .body_cnt = 1 };
	uint8_t small[sizeof(rw) + 64], *reply = small;
	int rc;

	if (count == 0 || count > client->caps.max_xfer)
		return -EINVAL;
	call.reply_min = call.reply_max = (uint32_t)sizeof(rw) + count;
	if (call.reply_max > sizeof(small)) {
		reply = malloc(call.reply_max);
		if (reply == NULL)
			return -ENOMEM;
	}
	call.reply = reply;
	rc = vfio_user_call(client, &call);
	vfio_user_fds_close(&call.got);
	if (rc == 0)
		memcpy(buf, reply + sizeof(rw), count);
	if (reply != small)
		free(reply);
	return rc;
}

int
vfio_user_client_region_post(struct vfio_user_client *client, uint32_t region, uint64_t offset,
		const void *buf, uint32_t count)
{
	struct vfio_user_region_rw rw = { .offset = offset, .region = region, .count = count };
	struct iovec iov[2] = { { &rw, sizeof(rw) }, { (void *)(uintptr_t)buf, count } };
	const struct vfio_user_call call = { .cmd = VFIO_USER_REGION_WRITE, .body = iov,
		.body_cnt = 2 };

	if (count == 0 || count > client->caps.max_xfer)
		return -EINVAL;
	return vfio_user_post(client, &call);
}

/* ---- Memory, reset, interrupts ---- */

int
vfio_user_client_dma_map(struct vfio_user_client *client, uint64_t iova, uint64_t size, int fd,
		uint64_t offset, uint32_t prot)
{
	struct vfio_user_dma_map m = { .argsz = sizeof(m), .flags = prot, .offset = offset,
		.iova = iova, .size = size };

	if (fd < 0)
		return -EINVAL;
	return ask_simple(client, VFIO_USER_DMA_MAP, &m, sizeof(m), false, &fd, 1);
}

int
vfio_user_client_dma_unmap(struct vfio_user_client *client, uint64_t iova, uint64_t size)
{
	struct vfio_user_dma_unmap m = { .argsz = sizeof(m), .iova = iova, .size = size };

	return ask_simple(client, VFIO_USER_DMA_UNMAP, &m, sizeof(m), true, NULL, 0);
}

int
vfio_user_client_reset(struct vfio_user_client *client)
{
	return ask_simple(client, VFIO_USER_DEVICE_RESET, NULL, 0, false, NULL, 0);
}

int
vfio_user_client_set_irqs(struct vfio_user_client *client, uint32_t index, uint32_t start,
		uint32_t count, const int *fds)
{
	struct vfio_user_irq_set set = { .argsz = sizeof(set), .index = index, .start = start,
		.count = count };

	if (fds != NULL && (count == 0 || count > VFIO_USER_FDS_MAX ||
			count > client->caps.max_msg_fds))
		return -EINVAL;
	set.flags = VFIO_USER_SET_F_TRIGGER |
		(count == 0 ? VFIO_USER_SET_F_NONE : VFIO_USER_SET_F_EVENTFD);
	return ask_simple(client, VFIO_USER_DEVICE_SET_IRQS, &set, sizeof(set), false, fds,
			fds != NULL ? count : 0);
}
