/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

/*
 * A connection: who gets one and how it is counted, what it may have without limits, what its
 * function is told of memory, and which messages are answered later.
 */

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ceilings.h"
#include "hisi_qm_regs.h"
#include "in_process.h"
#include "log.h"
#include "owners.h"
#include "said.h"
#include "qm_dev_guard.h"
#include "qm_dev_pci.h"

/* ---- What the service asks of others ---- */

static atomic_bool busy; /* requests are being executed, whatever is asked */

bool __real_qm_dev_dma_unmap_done(struct qm_dev *dev, uint64_t ticket);
bool __wrap_qm_dev_dma_unmap_done(struct qm_dev *dev, uint64_t ticket);
bool
__wrap_qm_dev_dma_unmap_done(struct qm_dev *dev, uint64_t ticket)
{
	return !busy && __real_qm_dev_dma_unmap_done(dev, ticket);
}

bool __real_qm_dev_pci_reset(struct qm_dev *dev);
bool __wrap_qm_dev_pci_reset(struct qm_dev *dev);
bool
__wrap_qm_dev_pci_reset(struct qm_dev *dev)
{
	return !busy && __real_qm_dev_pci_reset(dev);
}

static struct {
	uint64_t iova, size, offset;
	unsigned int prot;
} dma;
static int dma_rc;

int __real_qm_dev_dma_map_file(struct qm_dev *dev, uint64_t iova, uint64_t size, int fd,
		uint64_t offset, unsigned int prot, const char **why);
int __wrap_qm_dev_dma_map_file(struct qm_dev *dev, uint64_t iova, uint64_t size, int fd,
		uint64_t offset, unsigned int prot, const char **why);
int
__wrap_qm_dev_dma_map_file(struct qm_dev *dev, uint64_t iova, uint64_t size, int fd,
		uint64_t offset, unsigned int prot, const char **why)
{
	dma.iova = iova;
	dma.size = size;
	dma.offset = offset;
	dma.prot = prot;
	return dma_rc != 0 ? dma_rc :
		__real_qm_dev_dma_map_file(dev, iova, size, fd, offset, prot, why);
}

/* ---- Who ---- */

static void
counted(uint32_t now, uint64_t accepted, uint64_t refused)
{
	const struct access_point *p = &service.points[0];

	assert_int_equal(p->connections, now);
	assert_int_equal(p->accepted, accepted);
	assert_int_equal(p->refused, refused);
}

/* Somebody comes, and is turned away. */
static void
is_turned_away(void)
{
	int sock = vt_connect(&vt);
	char byte;

	serve(sock);
	assert_true(recv(sock, &byte, 1, 0) <= 0);
	close(sock);
}

static void
test_connections_of_a_user(void **state)
{
	int sock[USER_CONNS - 1], more;
	char want[200], text[2000];
	struct said said;

	(void)state;
	for (unsigned int i = 0; i < USER_CONNS - 1; i++) {
		sock[i] = open_client();
		counted(i + 1, i + 1, 0);
	}
	said_begin(&said, SAID_ERR);
	is_turned_away();
	snprintf(want, sizeof(want), "spimdevd: warning: %s: connection of pid %d, user %u "
			"refused: its user has as many as --limit-user-connections allows\n",
			vt.path, (int)getpid(), (unsigned int)getuid());
	assert_non_null(strstr(said_end(&said, text, sizeof(text)), want));
	counted(USER_CONNS - 1, USER_CONNS - 1, 1);
	/* One that goes is one that may come. */
	close(sock[0]);
	left_with(USER_CONNS - 2, 0, 0);
	all_is_freed();
	counted(USER_CONNS - 2, USER_CONNS - 1, 1);
	more = open_client();
	counted(USER_CONNS - 1, USER_CONNS, 1);
	is_turned_away();
	for (unsigned int i = 1; i < USER_CONNS - 1; i++)
		close(sock[i]);
	close(more);
	all_gone();
	counted(0, USER_CONNS, 2);
}

/* What the kernel has for the service is the limit where no option is. */
static void
test_shares_of_a_user(void **state)
{
	int sock = open_client(), other;
	char text[2000];
	struct said said;

	(void)state;
	assert_int_equal(map_memory(sock), 0);
	assert_int_equal(used(QM_DEV_VMAS), 2); /* doorbells and a file */
	assert_int_equal(used(QM_DEV_FDS), 3);  /* doorbells, its socket, and that of me */
	said_begin(&said, SAID_ERR);
	service.budget.max[QM_DEV_VMAS] = service.budget.used[QM_DEV_VMAS] + 1;
	other = vt_connect(&vt);
	assert_int_equal(say_version(other), ENFILE);
	close(other);
	service.budget.max[QM_DEV_FDS] = service.budget.used[QM_DEV_FDS];
	left_with(1, 1, 1);
	is_turned_away();
	said_end(&said, text, sizeof(text));
	assert_non_null(strstr(text, "vm.max_map_count"));
	assert_non_null(strstr(text, "RLIMIT_NOFILE"));
	ceilings_set(CEILINGS_MAPS_FILE, &service.budget);
	close(sock);
	all_gone();
}

/* Who ends without having read the descriptor of its doorbells. */
static int
open_unread(void)
{
	const struct vfio_user_region_info info = { .argsz = 256,
		.index = CLIENT_REGION_DOORBELLS };
	int sock = open_client();

	vt_send(sock, VFIO_USER_DEVICE_GET_REGION_INFO, 0, &info, sizeof(info), NULL, 0);
	serve(sock);
	assert_int_equal(shutdown(sock, SHUT_WR), 0);
	return sock;
}

static void
is_used(enum qm_dev_resource resource, uint64_t want)
{
	for (int ms = 0; used(resource) != want; ms++) {
		assert_true(ms < PATIENCE);
		turn();
		nap();
	}
}

/* The kernel counts it as the service's, so its connection counts as its user's. */
static void
test_descriptors_that_nobody_read(void **state)
{
	enum { UNREAD = 3 };
	int sock[UNREAD], fd = -1, later;
	struct vfio_user_hdr hdr;
	uint8_t body[256];

	(void)state;
	assert_int_equal(used(QM_DEV_FDS), 1);
	for (int i = 0; i < UNREAD; i++)
		sock[i] = open_unread();
	left_with(0, 0, 0);
	all_is_freed();
	is_used(QM_DEV_VMAS, 0);
	assert_int_equal(used(QM_DEV_FDS), 1 + UNREAD);
	/* However often it is looked at. */
	service.unread.look_ms = 0;
	assert_true(unread_poll(&service.unread, service_now_ms()) > 0);
	assert_true(unread_poll(&service.unread, service_now_ms()) > 0);
	assert_int_equal(used(QM_DEV_FDS), 1 + UNREAD);
	vt_recv(sock[1], &hdr, body, sizeof(body), &fd);
	assert_true(fd >= 0);
	close(fd);
	is_used(QM_DEV_FDS, UNREAD);
	close(sock[2]);
	is_used(QM_DEV_FDS, UNREAD - 1);
	/* Who has read it, or never asked, is gone at once. */
	later = open_client();
	close_client(later);
	all_is_freed();
	assert_int_equal(used(QM_DEV_FDS), UNREAD - 1);
	assert_true(unread_poll(&service.unread, service_now_ms()) >= 0);
	close(sock[1]);
	/* At the end of the service nobody waits for it. */
	unread_fini(&service.unread);
	assert_int_equal(used(QM_DEV_FDS), 1);
	unread_init(&service.unread);
	close(sock[0]);
}

static void
test_draining(void **state)
{
	int sock = open_client();

	(void)state;
	service.points[0].draining = true;
	is_turned_away();
	counted(1, 1, 1);
	/* Who is there stays, and works. */
	assert_int_equal(map_memory(sock), 0);
	service.points[0].draining = false;
	close_client(sock);
	close_client(open_client());
	counted(0, 2, 1);
}

/* Whoever is turned away, the log says why, in one line. */
static void
test_why_turned_away(void **state)
{
	char text[2000];
	unsigned int without_memory = 0;
	struct said said;

	(void)state;
	service.points[0].draining = true;
	said_begin(&said, SAID_ERR);
	is_turned_away();
	said_end(&said, text, sizeof(text));
	assert_non_null(strstr(text, " refused: it drains (spimctl undrain)\n"));
	assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1);
	service.points[0].draining = false;
	/*
	 * The server's own memory for a user and a connection, then the client's. The first call
	 * is accept4(), which is not tried again at once.
	 */
	for (unsigned int n = 2; without_memory < 3; n++) {
		int sock = vt_connect(&vt);

		said_begin(&said, SAID_ERR);
		let_fail(n);
		turn();
		let_fail(0);
		said_end(&said, text, sizeof(text));
		assert_non_null(what_failed);
		close(sock);
		if (strcmp(what_failed, "calloc") == 0) {
			without_memory++;
			assert_non_null(strstr(text, " refused: Cannot allocate memory\n"));
			assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1);
		}
	}
	all_gone();
	counted(0, service.points[0].accepted, 2);
}

/* ---- What ---- */

/* A limit of 0 is none; then the user's count. */
static void
test_no_limits(void **state)
{
	struct limits *limits = &((struct options *)(uintptr_t)service.opt)->per_connection;
	int fd[6], large = vt_memfd(USER_BYTES), sock;

	(void)state;
	limits->files = 0;
	limits->memory = 0;
	sock = open_client();
	for (unsigned int i = 0; i < 6; i++) {
		fd[i] = vt_memfd(0x1000);
		assert_int_equal(map(sock, fd[i], 0x1000000u * (i + 1), 0x1000, 0),
				i < 5 ? 0 : EDQUOT);
	}
	has(5 * 0x1000, 5, 5);
	for (unsigned int i = 0; i < 6; i++)
		close(fd[i]);
	assert_int_equal(unmap(sock, 0, 0x10000000), 0);
	has(0, 0, 0);
	assert_int_equal(map(sock, large, MEM_IOVA, USER_BYTES, 0), 0);
	has(USER_BYTES, 1, 1);
	close(large);
	close_client(sock);
}

static void
test_memory(void **state)
{
	static const unsigned int prots[] = { 0, QM_DEV_PROT_READ, QM_DEV_PROT_WRITE,
		QM_DEV_PROT_READ | QM_DEV_PROT_WRITE };
	int sock = open_client();

	(void)state;
	for (uint32_t flags = 1; flags <= 3; flags++) {
		struct vfio_user_dma_map m = { sizeof(m), flags, 0x2000, MEM_IOVA, 0x3000 };

		assert_int_equal(ask(sock, VFIO_USER_DMA_MAP, &m, sizeof(m), memfd), 0);
		assert_int_equal(dma.prot, prots[flags]);
		assert_int_equal(dma.iova, MEM_IOVA);
		assert_int_equal(dma.size, 0x3000);
		assert_int_equal(dma.offset, 0x2000);
		assert_int_equal(unmap(sock, MEM_IOVA, 0x3000), 0);
	}
	/* What the function does not take is not paid for. */
	dma_rc = -ENOSPC;
	assert_int_equal(map_memory(sock), ENOSPC);
	has(0, 0, 0);
	dma_rc = 0;
	/* A ROM is none of its. */
	dma.size = 0;
	assert_int_equal(map(sock, -1, 0x80000000, 0x1000, 0), 0);
	assert_int_equal(dma.size, 0);
	close_client(sock);
}

/* ---- Who pays ---- */

/* A user id that is lent to somebody counts as that one's, over all that have limits. */
static void
test_lent_ids_are_their_owners(void **state)
{
	char path[] = "/tmp/spimdevd-owners-XXXXXX";
	const uid_t owner = 12345;
	struct user *u;
	int fd = mkstemp(path), sock;

	(void)state;
	assert_true(fd >= 0);
	assert_true(dprintf(fd, "%u:%u:1\n", (unsigned int)owner, (unsigned int)getuid()) > 0);
	close(fd);
	assert_int_equal(owners_read(path), 0);
	unlink(path);
	assert_int_equal(users_connect(service.users, owner, &u), 0);
	sock = open_client();
	assert_int_equal(map_memory(sock), 0);
	assert_int_equal(users_quota(u)->used[QM_DEV_MAPS], 1);
	has(0, 0, 0); /* of the id itself */
	close(sock);
	for (int ms = 0; users_quota(u)->used[QM_DEV_MAPS] != 0; ms++) {
		assert_true(ms < PATIENCE);
		turn();
		nap();
	}
	users_disconnect(service.users, u);
	owners_forget();
}

/* ---- Who waits ---- */

static bool
is_answered(int sock)
{
	char byte;

	return recv(sock, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 1;
}

/* It is answered when no request is executed any more; others are served meanwhile. */
static void
waits(int sock, int other, uint16_t cmd, const void *body, size_t len)
{
	struct vfio_user_region_rw rw = { 0, VFIO_USER_PCI_CONFIG, 2 };
	uint8_t answer[64];
	uint16_t id, next;

	busy = true;
	id = vt_send(sock, cmd, 0, body, len, NULL, 0);
	next = vt_send(sock, VFIO_USER_REGION_READ, 0, &rw, sizeof(rw), NULL, 0);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(ask(other, VFIO_USER_REGION_READ, &rw, sizeof(rw), -1), 0);
		assert_false(TAILQ_EMPTY(&service.waiting));
		assert_false(is_answered(sock));
	}
	busy = false;
	serve(sock);
	assert_true(TAILQ_EMPTY(&service.waiting));
	vt_ok(sock, id, answer, sizeof(answer));
	serve(sock);
	vt_ok(sock, next, answer, sizeof(answer));
}

static void
test_messages_that_wait(void **state)
{
	struct vfio_user_dma_unmap m = { sizeof(m), 0, MEM_IOVA, MEM_LEN };
	struct {
		struct vfio_user_region_rw rw;
		uint16_t value;
	} flr = { { 0x48, VFIO_USER_PCI_CONFIG, 2 }, 0x8000 }, none = { flr.rw, 0 };
	int sock = open_client(), other = open_client();

	(void)state;
	assert_int_equal(map_memory(sock), 0);
	assert_int_equal(take_queue(sock), 0x100);
	waits(sock, other, VFIO_USER_REGION_WRITE, &flr, sizeof(flr.rw) + 2);
	assert_int_equal(take_queue(sock), 0x100);
	waits(sock, other, VFIO_USER_DEVICE_RESET, NULL, 0);
	waits(sock, other, VFIO_USER_DMA_UNMAP, &m, sizeof(m));
	/* Other writes do not, nor do commands: the mailbox is busy then. */
	assert_int_equal(map_memory(sock), 0);
	assert_int_equal(take_queue(sock), 0x100);
	busy = true;
	assert_int_equal(ask(sock, VFIO_USER_REGION_WRITE, &none, sizeof(none.rw) + 2, -1), 0);
	assert_int_equal(write_mailbox(sock), 0x103);
	assert_true(TAILQ_EMPTY(&service.waiting));
	/* Who is gone waits for nothing but its end. */
	vt_send(sock, VFIO_USER_DEVICE_RESET, 0, NULL, 0, NULL, 0);
	turn();
	assert_false(TAILQ_EMPTY(&service.waiting));
	close(sock);
	for (int ms = 0; connections() != 1 || !TAILQ_EMPTY(&service.waiting); ms++) {
		assert_true(ms < PATIENCE);
		turn();
		nap();
	}
	busy = false;
	left_with(1, 0, 0);
	close_client(other);
}

/*
 * A worker that has done the last request may still hold the maps: then the end waits, as it
 * could else not free them in parts.
 */
static void
test_the_end_waits_for_maps_to_be_let_go(void **state)
{
	int sock = open_client();
	unsigned int before = atomic_load(&destroyed);

	(void)state;
	assert_int_equal(map_memory(sock), 0);
	busy = true;
	close(sock);
	for (int ms = 0; connections() != 0 || !TAILQ_EMPTY(&service.waiting); ms++) {
		assert_true(ms < PATIENCE);
		turn();
		nap();
	}
	for (int ms = 0; ms < 50; ms++) {
		turn();
		nap();
	}
	assert_int_equal(atomic_load(&destroyed), before);
	has(MEM_LEN, 1, 0);
	busy = false;
	all_gone();
	assert_int_equal(atomic_load(&destroyed), before + 1);
}

/* The end of the service does not wait for requests longer than a second. */
static void
test_the_end_waits_a_second(void **state)
{
	int sock = open_client();
	char said[200], byte;
	struct said s;

	(void)state;
	assert_int_equal(map_memory(sock), 0);
	shut_waits = true;
	said_begin(&s, SAID_ERR);
	assert_false(service_close(&service));
	said_end(&s, said, sizeof(said));
	assert_string_equal(said, "spimdevd: ends without waiting for the last requests, or "
			"for memory to be freed\n");
	assert_int_equal(access(vt.path, F_OK), -1);
	has(MEM_LEN, 1, 1);
	shut_waits = false;
	assert_false(client_poll_waiting(&service));
	assert_int_equal(recv(sock, &byte, 1, 0), 0);
	close(sock);
	all_is_freed();
}

/* ---- What inspectors see ---- */

static void
test_snapshot(void **state)
{
	int one, two;
	struct client_snapshot snap;
	struct qm_dev_queue_stats queue;
	struct client *c;

	(void)state;
	assert_null(client_first(&service));
	one = open_client();
	two = vt_connect(&vt);
	turn();
	assert_int_equal(map_memory(one), 0);
	assert_int_equal(take_queue(one), 0x100);
	c = client_first(&service);
	assert_non_null(c);
	assert_int_equal(client_id(c), 1);
	client_snapshot(c, &snap);
	assert_string_equal(snap.path, vt.path);
	assert_int_equal(snap.id, 1);
	assert_true(snap.since_ms >= service.started_ms && snap.since_ms <= service_now_ms());
	assert_int_equal(snap.peer.pid, getpid());
	assert_int_equal(snap.peer.uid, getuid());
	assert_int_equal(snap.peer.gid, getgid());
	assert_true(snap.negotiated);
	assert_int_equal(snap.dev.queues_live, 1);
	assert_int_equal(snap.dev.maps, 1);
	assert_int_equal(snap.dev.mapped, MEM_LEN);
	assert_int_equal(client_queue_stats(c, 0, &queue), 0);
	assert_int_equal(client_queue_stats(c, 8, &queue), -EINVAL);
	c = client_next(c);
	assert_non_null(c);
	assert_null(client_next(c));
	client_snapshot(c, &snap);
	assert_int_equal(snap.id, 2);
	assert_false(snap.negotiated);
	assert_int_equal(snap.dev.queues_live, 0);
	assert_int_equal(snap.conn.messages, 0);
	assert_int_equal(client_queue_stats(c, 0, &queue), -EINVAL);
	close(one);
	close(two);
	all_gone();
	assert_null(client_first(&service));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_connections_of_a_user, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_shares_of_a_user, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_descriptors_that_nobody_read, set_up,
				tear_down),
		cmocka_unit_test_setup_teardown(test_draining, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_why_turned_away, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_no_limits, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_memory, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_lent_ids_are_their_owners, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_messages_that_wait, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_the_end_waits_for_maps_to_be_let_go, set_up,
				tear_down),
		cmocka_unit_test_setup_teardown(test_the_end_waits_a_second, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_snapshot, set_up, tear_down),
	};

	log_init(false);
	if (qm_dev_guard_install() != 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
