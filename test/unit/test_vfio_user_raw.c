/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base_reap.h"
#include "test_vfio_user_util.h"
#include "vfio_user_sock.h"

int
vt_connect(struct vt *t)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	struct timeval tv = { VT_TIMEOUT_MS / 1000, 0 };
	int sock = -1;

	/* The server is in this process, and closes what was thrown at it in threads. */
	for (int ms = 0; sock < 0 && ms < VT_TIMEOUT_MS; ms++) {
		sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
		if (sock < 0)
			usleep(1000);
	}
	assert_return_code(sock, errno);
	strcpy(addr.sun_path, t->path);
	assert_int_equal(connect(sock, (struct sockaddr *)&addr, sizeof(addr)), 0);
	setsockopt(sock, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
	setsockopt(sock, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv));
	return sock;
}

/* Fds that were sent beyond what one message may have. */
static unsigned int fds_beyond;

void
vt_raw(int sock, const void *buf, size_t len, const int *fds, unsigned int nfds)
{
	union {
		struct cmsghdr hdr;
		char room[CMSG_SPACE(64 * sizeof(int))];
	} control = { 0 };

	if (nfds > VFIO_USER_FDS_MAX)
		fds_beyond += nfds - VFIO_USER_FDS_MAX;
	do {
		struct iovec iov = { (void *)(uintptr_t)buf, len };
		struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
		ssize_t n;

		if (nfds != 0) {
			msg.msg_control = control.room;
			msg.msg_controllen = CMSG_SPACE(nfds * sizeof(int));
			control.hdr.cmsg_level = SOL_SOCKET;
			control.hdr.cmsg_type = SCM_RIGHTS;
			control.hdr.cmsg_len = CMSG_LEN(nfds * sizeof(int));
			memcpy(CMSG_DATA(&control.hdr), fds, nfds * sizeof(int));
		}
		n = sendmsg(sock, &msg, MSG_NOSIGNAL);
		assert_true(n >= 0);
		buf = (const uint8_t *)buf + n;
		len -= (size_t)n;
		nfds = 0;
	} while (len != 0);
}

bool
vt_answer(int sock, const struct vfio_user_hdr *req, const void *body, size_t len, const int *fds,
		unsigned int nfds)
{
	struct vfio_user_hdr hdr = *req;
	uint8_t buf[1024];
	struct iovec iov = { .iov_base = buf };

	hdr.flags = VFIO_USER_F_REPLY;
	hdr.size = (uint32_t)(sizeof(hdr) + len);
	memcpy(buf, &hdr, sizeof(hdr));
	memcpy(buf + sizeof(hdr), body, len);
	iov.iov_len = sizeof(hdr) + len;
	return vfio_user_sock_send(sock, &iov, 1, fds, nfds) == (ssize_t)iov.iov_len;
}

uint16_t
vt_send(int sock, uint16_t cmd, uint32_t flags, const void *body, size_t len, const int *fds,
		unsigned int nfds)
{
	static uint16_t id = 100;
	struct vfio_user_hdr hdr = { .id = ++id, .cmd = cmd, .flags = flags,
		.size = (uint32_t)(sizeof(hdr) + len) };
	uint8_t *buf = malloc(sizeof(hdr) + len);

	memcpy(buf, &hdr, sizeof(hdr));
	if (len != 0)
		memcpy(buf + sizeof(hdr), body, len);
	vt_raw(sock, buf, sizeof(hdr) + len, fds, nfds);
	free(buf);
	return hdr.id;
}

static void
recv_all(int sock, void *buf, size_t len, int *fd)
{
	union {
		struct cmsghdr hdr;
		char room[CMSG_SPACE(sizeof(int))];
	} control;

	while (len != 0) {
		struct iovec iov = { buf, len };
		struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1,
			.msg_control = control.room, .msg_controllen = sizeof(control.room) };
		ssize_t n = recvmsg(sock, &msg, MSG_CMSG_CLOEXEC);

		if (n <= 0)
			fail_msg("recvmsg gave %zd (%s); expected %zu bytes", n,
					n < 0 ? strerror(errno) : "end", len);
		if (msg.msg_controllen != 0) {
			assert_non_null(fd);
			memcpy(fd, CMSG_DATA(&control.hdr), sizeof(*fd));
		}
		buf = (uint8_t *)buf + n;
		len -= (size_t)n;
	}
}

size_t
vt_recv(int sock, struct vfio_user_hdr *hdr, void *body, size_t max, int *fd)
{
	size_t len;

	recv_all(sock, hdr, sizeof(*hdr), fd);
	assert_true(hdr->size >= sizeof(*hdr));
	len = hdr->size - sizeof(*hdr);
	if (len > max)
		fail_msg("message with a body of %zu bytes; expected at most %zu", len, max);
	recv_all(sock, body, len, fd);
	return len;
}

size_t
vt_ok(int sock, uint16_t id, void *body, size_t max)
{
	struct vfio_user_hdr hdr;
	size_t len = vt_recv(sock, &hdr, body, max, NULL);

	assert_int_equal(hdr.id, id);
	if (hdr.flags != VFIO_USER_F_REPLY)
		fail_msg("flags 0x%x, error %u; expected a reply", hdr.flags, hdr.error);
	return len;
}

void
vt_error(int sock, uint16_t id, int error)
{
	struct vfio_user_hdr hdr;

	assert_int_equal(vt_recv(sock, &hdr, NULL, 0, NULL), 0);
	assert_int_equal(hdr.id, id);
	assert_int_equal(hdr.flags, VFIO_USER_F_REPLY | VFIO_USER_F_ERROR);
	assert_int_equal(hdr.error, error);
}

void
vt_closed(int sock)
{
	char buf[256];
	ssize_t n;

	do
		n = recv(sock, buf, sizeof(buf), 0);
	while (n > 0);
	if (n < 0 && errno != ECONNRESET)
		fail_msg("recv: %s; expected the end", strerror(errno));
}

void
vt_version(int sock, const char *caps, char *text)
{
	uint8_t buf[4 + 4096];
	struct vfio_user_version v = { 0, 0 };
	size_t len = strlen(caps) + 1;
	uint16_t id;

	memcpy(buf, &v, sizeof(v));
	memcpy(buf + sizeof(v), caps, len);
	id = vt_send(sock, VFIO_USER_VERSION, 0, buf, sizeof(v) + len, NULL, 0);
	len = vt_ok(sock, id, buf, sizeof(buf));
	memcpy(&v, buf, sizeof(v));
	assert_int_equal(v.major, 0);
	assert_int_equal(v.minor, 0);
	assert_true(len > sizeof(v) && buf[len - 1] == '\0');
	if (text != NULL)
		memcpy(text, buf + sizeof(v), len - sizeof(v));
}

int
vt_open(struct vt *t)
{
	int sock = vt_connect(t);

	vt_version(sock, "{\"capabilities\":{\"max_msg_fds\":16}}", NULL);
	return sock;
}

void
vt_refused(struct vt *t, int sock, uint16_t cmd, const void *body, size_t len, const int *fds,
		unsigned int nfds, int error)
{
	vt_error(sock, vt_send(sock, cmd, 0, body, len, fds, nfds), error);
	vt_write32(sock, VT_BAR2, 0x200, 0x12345678);
	assert_int_equal(vt_read32(sock, VT_BAR2, 0x200), 0x12345678);
	vt_victim_works(t);
}

void
vt_write32(int sock, uint32_t region, uint64_t offset, uint32_t value)
{
	struct {
		struct vfio_user_region_rw rw;
		uint32_t value;
	} m = { { offset, region, 4 }, value };
	uint16_t id = vt_send(sock, VFIO_USER_REGION_WRITE, 0, &m, sizeof(m.rw) + 4, NULL, 0);

	assert_int_equal(vt_ok(sock, id, &m, sizeof(m)), sizeof(m.rw));
}

uint32_t
vt_read32(int sock, uint32_t region, uint64_t offset)
{
	struct {
		struct vfio_user_region_rw rw;
		uint32_t value;
	} m = { { offset, region, 4 }, 0 };
	uint16_t id = vt_send(sock, VFIO_USER_REGION_READ, 0, &m, sizeof(m.rw), NULL, 0);

	assert_int_equal(vt_ok(sock, id, &m, sizeof(m)), sizeof(m.rw) + 4);
	assert_int_equal(m.rw.count, 4);
	return m.value;
}

void
vt_map(int sock, uint64_t iova, uint64_t size, int fd, uint64_t offset, int error)
{
	struct vfio_user_dma_map m = { sizeof(m), 3, offset, iova, size };
	uint16_t id = vt_send(sock, VFIO_USER_DMA_MAP, 0, &m, sizeof(m), &fd, fd >= 0 ? 1 : 0);

	if (error != 0)
		vt_error(sock, id, error);
	else
		assert_int_equal(vt_ok(sock, id, NULL, 0), 0);
}

uint64_t
vt_unmap(int sock, uint64_t iova, uint64_t size, int error)
{
	struct vfio_user_dma_unmap m = { sizeof(m), 0, iova, size };
	uint16_t id = vt_send(sock, VFIO_USER_DMA_UNMAP, 0, &m, sizeof(m), NULL, 0);

	if (error != 0) {
		vt_error(sock, id, error);
		return 0;
	}
	assert_int_equal(vt_ok(sock, id, &m, sizeof(m)), sizeof(m));
	return m.size;
}

int
vt_memfd(uint64_t size)
{
	int fd = memfd_create("vfio-user-test", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, (off_t)size), 0);
	return fd;
}

/* Those that are being closed are not there any more; unless somebody keeps who closes them. */
static void
settle(void)
{
	static const unsigned int most_ms[BASE_REAP_KINDS] = { VT_TIMEOUT_MS, 300 };

	for (int kind = 0; kind < BASE_REAP_KINDS; kind++)
		for (unsigned int i = 0; i < most_ms[kind] && !base_reap_is_done(kind); i++)
			usleep(1000);
}

unsigned int
vt_fds(void)
{
	DIR *dir;
	unsigned int n = 0;

	settle();
	dir = opendir("/proc/self/fd");

	assert_non_null(dir);
	while (readdir(dir) != NULL)
		n++;
	closedir(dir);
	return n;
}

unsigned int
vt_inherited(void)
{
	DIR *dir = opendir("/proc/self/fd");
	const struct dirent *e;
	unsigned int n = 0;

	assert_non_null(dir);
	while ((e = readdir(dir)) != NULL) {
		int flags = e->d_name[0] == '.' ? FD_CLOEXEC : fcntl(atoi(e->d_name), F_GETFD);

		/* Closed in between: by a thread that closes what a test has thrown at it. */
		n += flags >= 0 && (flags & FD_CLOEXEC) == 0;
	}
	closedir(dir);
	return n;
}

/* Whether fds that had no room in a control buffer stay open. */
static bool
fds_are_lost(void)
{
	union {
		struct cmsghdr hdr;
		char room[CMSG_SPACE(sizeof(int))];
	} control;
	char byte = 0;
	struct iovec iov = { &byte, 1 };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control.room,
		.msg_controllen = sizeof(control.room) };
	const int fds[4] = { 0, 0, 0, 0 };
	unsigned int before, after;
	int pair[2], got;

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	before = vt_fds();
	vt_raw(pair[0], &byte, 1, fds, 4);
	assert_int_equal(recvmsg(pair[1], &msg, MSG_CMSG_CLOEXEC), 1);
	memcpy(&got, CMSG_DATA(&control.hdr), sizeof(got));
	close(got);
	/* One has room, or two where what aligns the buffer is used for the second. */
	if (control.hdr.cmsg_len == CMSG_LEN(2 * sizeof(int))) {
		memcpy(&got, CMSG_DATA(&control.hdr) + sizeof(got), sizeof(got));
		close(got);
	}
	after = vt_fds();
	close(pair[0]);
	close(pair[1]);
	return after != before;
}

void
vt_fds_back(unsigned int before)
{
	unsigned int now = vt_fds();

	/*
	 * The kernel closes what has no room. qemu-user (7.2) receives into a buffer of twice
	 * the size, and forgets what it does not pass on: that is no fault of the server's.
	 */
	if (now > before && now - before <= fds_beyond && fds_are_lost()) {
		print_message("%u fds were lost on the way; %u were too many for a message\n",
				now - before, fds_beyond);
		return;
	}
	assert_int_equal(now, before);
}

unsigned int
vt_mappings(const char *name)
{
	FILE *f = fopen("/proc/self/maps", "r");
	unsigned int n = 0;
	char line[512];

	assert_non_null(f);
	while (fgets(line, sizeof(line), f) != NULL)
		n += strstr(line, name) != NULL;
	fclose(f);
	return n;
}
