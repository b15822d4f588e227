/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

/*
 * Functions of services that cannot be had, that go, and that come back as something else.
 */

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <rte_bus_vdev.h>
#include <rte_cycles.h>
#include <rte_malloc.h>

#include "hisi_zip_dev.h"
#include "hisi_zip_probe.h"
#include "hisi_zip_qp.h"
#include "hisi_zip_stats.h"
#include "pmd_test.h"

#define NAME  "compress_hisi_zip_service"
#define OTHER "compress_hisi_zip_service_other"
#define DEPTH 64
#define LEN   3000u
#define WAIT_S 60

static const char *
args_with(const char *more)
{
	static char args[200];

	snprintf(args, sizeof(args), "%s,%s", pmd_service_dev(), more);
	return args;
}

/* An op on memory of EAL, which the service sees. */
static struct rte_comp_op *
make_op(void *xform, char *va, struct rte_mbuf_ext_shared_info info[2])
{
	for (size_t i = 0; i < LEN; i++)
		va[i] = (char)(i % 97 + i / 300);
	return pmd_op(xform, pmd_mbuf_at(va, LEN, &info[0]), 0, LEN,
		pmd_mbuf_at(va + LEN, 2 * LEN, &info[1]), 0);
}

static char *
memory(void)
{
	char *va = rte_malloc("data", 4 * LEN, 0);

	PMD_CHECK(va != NULL, "no memory");
	return va;
}

static void
compress(uint8_t dev, uint8_t expected)
{
	char *va = memory();
	uint8_t status = pmd_compress_at(dev, va, LEN, true);

	PMD_CHECK(status == expected, "%s, expected %s", pmd_status(status),
		pmd_status(expected));
	rte_free(va);
}

/* ---- Opening ------------------------------------------------------------------------------- */

/* A service that is none: what it does with a connection. */
struct impostor {
	int fd;
	const void *answer; /* NULL: closes at once */
	size_t len;
	pthread_t thread;
};

static void *
impostor_run(void *arg)
{
	const struct impostor *im = arg;
	int fd = accept(im->fd, NULL, NULL);
	char buf[4096], answer[64];

	memcpy(answer, im->answer != NULL ? im->answer : "", im->len);
	if (fd >= 0 && im->answer != NULL && recv(fd, buf, sizeof(buf), 0) > 0 &&
			/* It bears the number of the message. */
			memcpy(answer, buf, sizeof(uint16_t)) != NULL &&
			send(fd, answer, im->len, MSG_NOSIGNAL) > 0)
		while (recv(fd, buf, sizeof(buf), 0) > 0)
			;
	if (fd >= 0)
		close(fd);
	return NULL;
}

static int
listen_at(const char *path)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", path);
	unlink(path);
	PMD_CHECK(fd >= 0 && bind(fd, (const struct sockaddr *)&addr, sizeof(addr)) == 0 &&
		listen(fd, 1) == 0, "no socket at %s", path);
	return fd;
}

/* No device is made, with that error, and a line says why. */
static void
no_device(const char *what, int error)
{
	const char *log;
	int ret;

	pmd_log_begin();
	ret = rte_vdev_init(NAME, args_with("sw=auto"));
	log = pmd_log_end();
	PMD_CHECK(ret == error, "%s: %d, expected %d", what, ret, error);
	PMD_CHECK(strstr(log, "HISI_ZIP: " NAME) != NULL && strstr(log, "could not be opened") !=
		NULL, "%s: the log says \"%s\"", what, log);
	PMD_CHECK(rte_compressdev_get_dev_id(NAME) < 0, "%s: there is a device", what);
}

static void
no_device_of(const char *what, const void *answer, size_t len, int error)
{
	struct impostor im = { .answer = answer, .len = len };

	im.fd = listen_at(pmd_service_path());
	PMD_CHECK(pthread_create(&im.thread, NULL, impostor_run, &im) == 0, "no thread");
	no_device(what, error);
	pthread_join(im.thread, NULL);
	close(im.fd);
	unlink(pmd_service_path());
}

/* The answer to the first message of a connection: version 9.0 of the protocol. */
static const struct {
	uint16_t id, command;
	uint32_t size, flags, error;
	uint16_t major, minor;
} other_version = { .command = 1, .size = 20, .flags = 1, .major = 9 };

static void
cannot_open(void)
{
	const char *path = pmd_service_path();
	int fd;

	for (int round = 0; round < 2; round++) {
		no_device("nobody listens", -ENOENT);
		fd = listen_at(path);
		close(fd);
		no_device("who listened is gone", -ECONNREFUSED);
		unlink(path);
		PMD_CHECK(mkdir(path, 0700) == 0, "mkdir");
		no_device("a folder", -ECONNREFUSED);
		rmdir(path);
		no_device_of("closes at once", NULL, 0, -ENOTCONN);
		no_device_of("another version", &other_version, sizeof(other_version), -EPROTO);
		no_device_of("no protocol", "HTTP/1.1 400 Bad Request\r\n\r\n", 28, -ENOTCONN);
	}
	/* And then a right one. */
	pmd_service_start(NULL);
	pmd_dev_start(pmd_dev_add(NAME, args_with("sw=off")), 1, DEPTH);
	compress(pmd_dev_id(NAME), RTE_COMP_OP_STATUS_SUCCESS);
	pmd_dev_stop(pmd_dev_id(NAME));
	pmd_dev_remove(NAME);
	pmd_service_end(SIGTERM);
}

/* A service that maps no memory refuses the device when the driver registers its own. */
static void
no_maps(void)
{
	const char *log;
	int ret;

	pmd_service_start((const char *const[]){ "--limit-memory", "1M", NULL });
	for (int round = 0; round < 3; round++) {
		struct pmd_usage before = pmd_usage_get();

		pmd_log_begin();
		ret = rte_vdev_init(NAME, args_with("sw=auto"));
		log = pmd_log_end();
		PMD_CHECK(ret == -ENOSPC, "%d", ret);
		PMD_CHECK(strstr(log, "could not be registered") != NULL, "the log says \"%s\"",
			log);
		if (round > 0)
			pmd_usage_check("no maps", &before);
	}
	pmd_service_end(SIGTERM);
}

/* A service has no queue left: ops wait for one, or are done in software. */
static void
no_queue(void)
{
	struct rte_mbuf_ext_shared_info info[2];
	uint8_t one, other;
	struct rte_comp_op *op;
	const char *log;
	void *xform;
	char *va;

	pmd_service_start((const char *const[]){ "--queues", "1", NULL });
	one = pmd_dev_add(NAME, args_with("sw=off"));
	other = pmd_dev_add(OTHER, args_with("sw=off"));
	pmd_dev_start(one, 1, DEPTH);
	pmd_dev_start(other, 1, DEPTH);
	compress(one, RTE_COMP_OP_STATUS_SUCCESS);
	va = memory();
	xform = pmd_xform(other, &pmd_deflate_xform);
	op = make_op(xform, va, info);
	pmd_log_begin();
	for (int i = 0; i < 300; i++)
		PMD_CHECK(rte_compressdev_enqueue_burst(other, 0, &op, 1) == 0, "taken");
	log = pmd_log_end();
	/* Said once, and tried now and then. */
	PMD_CHECK(strstr(log, "no compression queue (-16)") != NULL, "the log says \"%s\"", log);
	PMD_CHECK(strstr(strstr(log, "no compression queue") + 1, "no compression queue") == NULL,
		"it is said more than once");
	PMD_CHECK(op->status == RTE_COMP_OP_STATUS_NOT_PROCESSED, "touched");
	pmd_dev_stop(one);
	for (int i = 0; rte_compressdev_enqueue_burst(other, 0, &op, 1) == 0; i++) {
		PMD_CHECK(i < 10 * WAIT_S, "not tried again");
		usleep(100000);
	}
	pmd_dequeue(other, 0, &op, 1);
	PMD_CHECK(op->status == RTE_COMP_OP_STATUS_SUCCESS, "%s", pmd_status(op->status));
	pmd_op_free(op);
	pmd_xform_free(other, xform);
	rte_free(va);
	pmd_dev_stop(other);
	pmd_dev_remove(OTHER);
	pmd_dev_remove(NAME);
	pmd_service_end(SIGTERM);
}

/* ---- Successors ---------------------------------------------------------------------------- */

/* Dequeue until the op is back, or for so many polls. @return Whether it is. */
static bool
poll_for(uint8_t dev, unsigned int ms)
{
	uint64_t end = rte_rdtsc() + rte_get_tsc_hz() / 1000 * ms;
	struct rte_comp_op *op;

	while (rte_rdtsc() < end)
		if (rte_compressdev_dequeue_burst(dev, 0, &op, 1) == 1)
			return true;
	return false;
}

/* What comes after the service that was killed. */
static const struct successor {
	const char *name;
	const char *const options[3];
	bool fits;
} successors[] = {
	{ "the same", { NULL }, true },
	{ "fewer queues", { "--queues", "2", NULL }, true },
	{ "one queue a function", { "--limit-queues", "1", NULL }, true },
	{ "more queues", { "--limit-queues", "1000", NULL }, true },
	{ "doorbells elsewhere", { "--isolation", "on", NULL }, true },
	{ "plain silicon", { "--ext", "off", NULL }, false },
	{ "another revision", { "--rev", "v2", NULL }, false },
};

static void
device_end(uint8_t dev, void *xform, void *va)
{
	pmd_xform_free(dev, xform);
	rte_free(va);
	pmd_dev_stop(dev);
	pmd_dev_remove(NAME);
	pmd_log_end();
	pmd_service_end(SIGTERM);
}

/* An op of a stopped service is in its ring when that is killed. */
static void
successor(const struct successor *s, bool sw)
{
	struct rte_mbuf_ext_shared_info info[2];
	const struct hisi_zip_deq_stats *deq;
	struct rte_comp_op *op;
	uint8_t dev;
	void *xform;
	char *va;

	pmd_service_start(NULL);
	pmd_log_begin();
	dev = pmd_dev_add(NAME, args_with(sw ? "sw=auto" : "sw=off"));
	pmd_dev_start(dev, 1, DEPTH);
	compress(dev, RTE_COMP_OP_STATUS_SUCCESS);
	deq = &pmd_qp(dev, 0)->deq;
	va = memory();
	xform = pmd_xform(dev, &pmd_deflate_xform);
	op = make_op(xform, va, info);
	pmd_service_end(SIGKILL);
	pmd_enqueue(dev, 0, &op, 1);
	if (sw) {
		/* Nobody is there at once: software does it. */
		PMD_CHECK(poll_for(dev, WAIT_S * 1000), "it does not come back");
		PMD_CHECK(deq->sw == 1 && deq->restarts == 0 && deq->lost == 1, "%" PRIu64
			" in software, %" PRIu64 " restarts", deq->sw, deq->restarts);
	} else {
		PMD_CHECK(!poll_for(dev, 60), "%s without a service", pmd_status(op->status));
		pmd_service_start(s->options);
		if (!s->fits) {
			/* It goes on waiting for one that does. */
			PMD_CHECK(!poll_for(dev, 60), "%s: %s", s->name, pmd_status(op->status));
			pmd_service_end(SIGKILL);
			pmd_service_start(NULL);
		}
		PMD_CHECK(poll_for(dev, WAIT_S * 1000), "%s: it does not come back", s->name);
		PMD_CHECK(deq->sw == 0 && deq->restarts == 1 && deq->lost == 0, "%s: %" PRIu64
			" restarts, %" PRIu64 " lost", s->name, deq->restarts, deq->lost);
	}
	PMD_CHECK(op->status == RTE_COMP_OP_STATUS_SUCCESS && op->consumed == LEN, "%s: %s",
		s->name, pmd_status(op->status));
	pmd_op_free(op);
	if (sw) {
		/* The next try fails. Another one comes by time, however few ops there are. */
		compress(dev, RTE_COMP_OP_STATUS_SUCCESS);
		PMD_CHECK(deq->sw == 2 && pmd_qp(dev, 0)->hwq[HISI_ZIP_COMP].q.qn < 0,
			"%" PRIu64 " in software", deq->sw);
		pmd_service_start(s->options);
		for (int i = 0; pmd_qp(dev, 0)->hwq[HISI_ZIP_COMP].q.qn < 0; i++) {
			PMD_CHECK(i < 10 * WAIT_S, "the driver does not come back");
			usleep(1000 * HISI_HWQ_FAILURE_MS);
			compress(dev, RTE_COMP_OP_STATUS_SUCCESS);
		}
	}
	/* Then it is as it was: more ops, of both directions. */
	if (!sw || s->fits)
		for (int i = 0; i < 2 * DEPTH; i++)
			compress(dev, RTE_COMP_OP_STATUS_SUCCESS);
	device_end(dev, xform, va);
}

static void
each_successor(void)
{
	for (unsigned int i = 0; i < RTE_DIM(successors); i++) {
		successor(&successors[i], false);
		if (i == 0)
			successor(&successors[i], true);
	}
}

static void
stream_lists(const char *what, enum hisi_zip_path_state state)
{
	const struct hisi_zip_paths *paths = &hisi_zip_find(NAME)->known.paths;
	uint8_t is = paths->path[HISI_ZIP_PATH_STREAM_COMP_SGL].state;

	PMD_CHECK(is == state && paths->path[HISI_ZIP_PATH_COMP_ZLIB].state ==
		HISI_ZIP_PATH_ON, "%s: lists of streams: %u, expected %u", what, is, state);
}

/* The function of another service may be of another version: it is asked, too. */
static void
other_answers(void)
{
	static const char *const versions[][4] = {
		{ "--ext", "off", NULL }, { "--ext", "off", ",quirk=sge-16", NULL },
	};
	static const char *const modes[] = { "sw=auto", "sw=off" };

	for (size_t m = 0; m < 2 * RTE_DIM(modes); m++) {
		struct rte_mbuf_ext_shared_info info[2];
		unsigned int first = m % 2;
		struct rte_comp_op *op;
		void *xform;
		uint8_t dev;
		char *va;

		pmd_service_start(versions[first]);
		pmd_log_begin();
		dev = pmd_dev_add(NAME, args_with(modes[m / 2]));
		stream_lists("before", first == 0 ? HISI_ZIP_PATH_ON : HISI_ZIP_PATH_OFF);
		pmd_dev_start(dev, 1, DEPTH);
		va = memory();
		xform = pmd_xform(dev, &pmd_deflate_xform);
		op = make_op(xform, va, info);
		/* In the first mode the next queue that is taken is another one's. */
		if (m / 2 != 0)
			compress(dev, RTE_COMP_OP_STATUS_SUCCESS);
		pmd_service_end(SIGKILL);
		pmd_service_start(versions[1 - first]);
		pmd_enqueue(dev, 0, &op, 1);
		pmd_dequeue(dev, 0, &op, 1);
		PMD_CHECK(op->status == RTE_COMP_OP_STATUS_SUCCESS, "%s", pmd_status(op->status));
		PMD_CHECK(pmd_qp(dev, 0)->deq.restarts == m / 2, "%" PRIu64 " restarts",
			pmd_qp(dev, 0)->deq.restarts);
		/* A queue that was restarted is taken anew, for what comes next. */
		compress(dev, RTE_COMP_OP_STATUS_SUCCESS);
		stream_lists("after", first == 0 ? HISI_ZIP_PATH_OFF : HISI_ZIP_PATH_ON);
		pmd_op_free(op);
		device_end(dev, xform, va);
	}
}

/* A stream that is made where one was freed is another one, whenever the service hears of that. */
static void
freed_streams(void)
{
	struct rte_mbuf_ext_shared_info info[2];
	uint8_t dev;
	char *va;

	pmd_service_start(NULL);
	dev = pmd_dev_add(NAME, args_with("sw=off"));
	pmd_dev_start(dev, 1, DEPTH);
	va = memory();
	for (int i = 0; i < 4000; i++) {
		struct rte_comp_op *op = make_op(NULL, va, info);

		op->op_type = RTE_COMP_OP_STATEFUL;
		PMD_CHECK(rte_compressdev_stream_create(dev, &pmd_deflate_xform, &op->stream) ==
			0, "stream_create");
		for (int n = 0; n < 2; n++) {
			op->flush_flag = n == 0 ? RTE_COMP_FLUSH_SYNC : RTE_COMP_FLUSH_FINAL;
			op->status = RTE_COMP_OP_STATUS_NOT_PROCESSED;
			pmd_run(dev, 0, &op, 1);
			PMD_CHECK(op->status == RTE_COMP_OP_STATUS_SUCCESS, "stream %d, op %d: %s",
				i, n, pmd_status(op->status));
		}
		PMD_CHECK(rte_compressdev_stream_free(dev, op->stream) == 0, "stream_free");
		pmd_op_free(op);
	}
	rte_free(va);
	pmd_dev_stop(dev);
	pmd_dev_remove(NAME);
	pmd_service_end(SIGTERM);
}

int
main(int argc, char **argv)
{
	static const struct pmd_case cases[] = {
		{ "cannot_open", cannot_open },
		{ "no_maps", no_maps },
		{ "no_queue", no_queue, PMD_FAULTS },
		{ "each_successor", each_successor, PMD_FAULTS },
		{ "other_answers", other_answers, PMD_FAULTS },
		{ "freed_streams", freed_streams },
		{ 0 },
	};
	static const char *const none[] = { NULL };

	return pmd_main(argc, argv, &(struct pmd_program){
		.name = "test_pmd_service", .count = 1, .cases = cases, .vdevs = none,
		.own_service = true,
	});
}
