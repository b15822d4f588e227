/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

/*
 * Telemetry: what each command answers, number by number, and what it refuses. The library's
 * functions are wrapped by the linker, so that an answer is a text to compare.
 */

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_telemetry.h>
#include <rte_version.h>

#include "hisi_zip_dev.h"
#include "hisi_zip_probe.h"
#include "hisi_zip_qp.h"
#include "hisi_zip_stats.h"
#include "pmd_test.h"

#define NAME "compress_hisi_zip_tel"
#define OTHER "compress_hisi_zip_tel_other"
#define CMDS 6

/* ---- The library, wrapped ------------------------------------------------------------------ */

#if RTE_VERSION < RTE_VERSION_NUM(23, 3, 0, 0)
typedef int tel_int;
#else
typedef int64_t tel_int;
#endif

struct rte_tel_data {
	char text[4096];
};

static struct {
	char name[64];
	const char *help;
	telemetry_cb run;
} cmds[16];
static unsigned int cmds_cnt;
static unsigned int allocated;      /* answers that are not freed */
static int containers_left = -1;    /* that an answer has room for; -1: any number */
static int answers_left = -1;       /* that there is memory for */

int __wrap_rte_telemetry_register_cmd(const char *cmd, telemetry_cb fn, const char *help);
int __wrap_rte_tel_data_start_array(struct rte_tel_data *d, enum rte_tel_value_type type);
int __wrap_rte_tel_data_add_array_int(struct rte_tel_data *d, tel_int x);
int __wrap_rte_tel_data_start_dict(struct rte_tel_data *d);
int __wrap_rte_tel_data_add_dict_string(struct rte_tel_data *d, const char *name, const char *val);
int __wrap_rte_tel_data_add_dict_int(struct rte_tel_data *d, const char *name, tel_int val);
int __wrap_rte_tel_data_add_dict_u64(struct rte_tel_data *d, const char *name, uint64_t val);
int __wrap_rte_tel_data_add_dict_uint(struct rte_tel_data *d, const char *name, uint64_t val);
int __wrap_rte_tel_data_add_dict_container(struct rte_tel_data *d, const char *name,
	struct rte_tel_data *val, int keep);
struct rte_tel_data *__wrap_rte_tel_data_alloc(void);
void __wrap_rte_tel_data_free(struct rte_tel_data *d);

/* The one lock that commands take, and how often it was taken. */
static pthread_mutex_t *lock;
static unsigned int locked, unlocked;

int __real_pthread_mutex_lock(pthread_mutex_t *m);
int __wrap_pthread_mutex_lock(pthread_mutex_t *m);
int __real_pthread_mutex_unlock(pthread_mutex_t *m);
int __wrap_pthread_mutex_unlock(pthread_mutex_t *m);

static bool asking;

int
__wrap_pthread_mutex_lock(pthread_mutex_t *m)
{
	/* The first command has no device, whose workers have locks of their own. */
	if (asking && lock == NULL)
		lock = m;
	if (m == lock)
		locked++;
	return __real_pthread_mutex_lock(m);
}

int
__wrap_pthread_mutex_unlock(pthread_mutex_t *m)
{
	if (m == lock)
		unlocked++;
	return __real_pthread_mutex_unlock(m);
}

/* Nothing that is shown may go away meanwhile. */
static void
check_locked(void)
{
	PMD_CHECK(locked == unlocked + 1, "shown without the lock");
}

static void __attribute__((format(printf, 2, 3)))
add(struct rte_tel_data *d, const char *fmt, ...)
{
	size_t used = strlen(d->text);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(d->text + used, sizeof(d->text) - used, fmt, ap);
	va_end(ap);
}

/* Before main(), by the driver's constructor. */
int
__wrap_rte_telemetry_register_cmd(const char *cmd, telemetry_cb fn, const char *help)
{
	if (cmds_cnt < RTE_DIM(cmds)) {
		snprintf(cmds[cmds_cnt].name, sizeof(cmds[cmds_cnt].name), "%s", cmd);
		cmds[cmds_cnt].help = help;
		cmds[cmds_cnt].run = fn;
	}
	cmds_cnt++;
	return 0;
}

int
__wrap_rte_tel_data_start_array(struct rte_tel_data *d, enum rte_tel_value_type type)
{
	PMD_CHECK(type == RTE_TEL_INT_VAL, "%d", type);
	add(d, "array");
	return 0;
}

int
__wrap_rte_tel_data_add_array_int(struct rte_tel_data *d, tel_int x)
{
	check_locked();
	add(d, " %" PRId64, (int64_t)x);
	return 0;
}

int
__wrap_rte_tel_data_start_dict(struct rte_tel_data *d)
{
	check_locked();
	add(d, "dict");
	return 0;
}

int
__wrap_rte_tel_data_add_dict_string(struct rte_tel_data *d, const char *name, const char *val)
{
	check_locked();
	add(d, " %s=%s", name, val);
	return 0;
}

int
__wrap_rte_tel_data_add_dict_int(struct rte_tel_data *d, const char *name, tel_int val)
{
	check_locked();
	add(d, " %s=%" PRId64, name, (int64_t)val);
	return 0;
}

int
__wrap_rte_tel_data_add_dict_u64(struct rte_tel_data *d, const char *name, uint64_t val)
{
	check_locked();
	add(d, " %s=%" PRIu64, name, val);
	return 0;
}

int
__wrap_rte_tel_data_add_dict_uint(struct rte_tel_data *d, const char *name, uint64_t val)
{
	return __wrap_rte_tel_data_add_dict_u64(d, name, val);
}

int
__wrap_rte_tel_data_add_dict_container(struct rte_tel_data *d, const char *name,
		struct rte_tel_data *val, int keep)
{
	if (containers_left == 0)
		return -ENOSPC;
	if (containers_left > 0)
		containers_left--;
	PMD_CHECK(keep == 0, "%s is nobody's to free", name);
	add(d, " %s=(%s)", name, val->text);
	/* The library frees it with the answer. */
	allocated--;
	free(val);
	return 0;
}

struct rte_tel_data *
__wrap_rte_tel_data_alloc(void)
{
	struct rte_tel_data *d;

	if (answers_left == 0)
		return NULL;
	if (answers_left > 0)
		answers_left--;
	d = calloc(1, sizeof(*d));
	PMD_CHECK(d != NULL, "no memory");
	allocated++;
	return d;
}

void
__wrap_rte_tel_data_free(struct rte_tel_data *d)
{
	allocated--;
	free(d);
}

/* ---- Asking -------------------------------------------------------------------------------- */

/* Runs a command; its answer is valid until the next one. */
static const char *
ask(const char *cmd, const char *params, int expected)
{
	static struct rte_tel_data d;
	char name[64];
	int ret = -ENOENT;

	snprintf(name, sizeof(name), "/compress_hisi_zip/%s", cmd);
	d.text[0] = '\0';
	asking = true;
	for (unsigned int i = 0; i < cmds_cnt; i++) {
		if (strcmp(cmds[i].name, name) == 0)
			ret = cmds[i].run(name, params, &d);
	}
	asking = false;
	PMD_CHECK(locked == unlocked, "%s: the lock is kept", cmd);
	PMD_CHECK(ret == expected, "%s,%s returned %d", cmd, params, ret);
	PMD_CHECK(allocated == 0, "%s: %u answers were not freed", cmd, allocated);
	return d.text;
}

static void
answers(const char *cmd, uint8_t dev, const char *want)
{
	const char id[] = { (char)('0' + dev), '\0' }, *got = ask(cmd, id, 0);
	PMD_CHECK(strcmp(got, want) == 0, "%s: \"%s\", expected \"%s\"", cmd, got, want);
}

static void
lists(const char *want)
{
	PMD_CHECK(strcmp(ask("list", NULL, 0), want) == 0, "expected \"%s\"", want);
}

/* The device's queue pairs, in the order in which they were set up. */
static struct hisi_zip_qp *
qp_of(const char *name, uint16_t id)
{
	struct hisi_zip_qp *qp;

	TAILQ_FOREACH(qp, &hisi_zip_find(name)->qps, next) {
		if (qp->id == id)
			return qp;
	}
	pmd_fail(__FILE__, __LINE__, "%s has no queue pair %u", name, id);
}

/* The lock was taken so often since the last look, and given back. */
static void
check_locks(const char *what, unsigned int n)
{
	static unsigned int before;

	PMD_CHECK(locked - before == n && unlocked == locked, "%s: taken %u times", what,
		locked - before);
	before = locked;
}

/* ---- Cases --------------------------------------------------------------------------------- */

static void
commands(void)
{
	static const struct {
		const char *name, *help;
	} want[CMDS] = {
		{ "list", "Returns the ids of the driver's devices. Takes no parameters" },
		{ "info", "Returns what a device is. Parameters: int dev_id" },
		{ "queues", "Returns queue pairs and the hardware queues they hold. Parameters: "
			"int dev_id" },
		{ "stats", "Returns operations and bytes. Parameters: int dev_id" },
		{ "errors", "Returns errors by cause. Parameters: int dev_id" },
		{ "paths", "Returns the kinds of requests that the function is used with. "
			"Parameters: int dev_id" },
	};

	PMD_CHECK(cmds_cnt == CMDS, "%u commands", cmds_cnt);
	for (unsigned int i = 0; i < CMDS; i++) {
		PMD_CHECK(strcmp(cmds[i].name + strlen("/compress_hisi_zip/"), want[i].name) == 0,
			"%s", cmds[i].name);
		PMD_CHECK(strcmp(cmds[i].help, want[i].help) == 0, "%s", cmds[i].help);
	}
}

static void
list(void)
{
	uint8_t a = pmd_dev_add(NAME, ""), b;
	char want[64];

	b = pmd_dev_add(OTHER, "");
	snprintf(want, sizeof(want), "array %u %u", a, b);
	lists(want);
	pmd_dev_remove(NAME);
	snprintf(want, sizeof(want), "array %u", b);
	lists(want);
	a = pmd_dev_add(NAME, "");
	snprintf(want, sizeof(want), "array %u %u", b, a);
	lists(want);
	pmd_dev_remove(OTHER);
	pmd_dev_remove(NAME);
	lists("array");
}

static void
info(void)
{
	uint8_t dev;

	lists("array");
	dev = pmd_dev_add(NAME, "workers=3");
	answers("info", dev, "dict name=" NAME " dev=local revision=48 queues=1024 "
		"ext_features=66559 workers=3 engine=deflate sw=auto");
	pmd_dev_remove(NAME);
	dev = pmd_dev_add(NAME, "rev=v2,ext=off,engine=copy");
	answers("info", dev, "dict name=" NAME " dev=local revision=33 queues=1024 "
		"ext_features=0 workers=0 engine=copy sw=auto");
	PMD_CHECK(strstr(ask("paths", "0", 0), " comp_raw=off: not in V2 comp_zlib=off: "),
		"paths");
	pmd_dev_remove(NAME);
	dev = pmd_dev_add(NAME, "sw=off");
	answers("info", dev, "dict name=" NAME " dev=local revision=48 queues=1024 "
		"ext_features=66559 workers=0 engine=deflate sw=off");
	PMD_CHECK(strstr(ask("paths", "0", 0), "ext_decomp=on known_answers_us=0"), "paths");
	pmd_dev_remove(NAME);
}

static void
wrong_parameters(void)
{
	static const char *const by_dev[] = { "info", "queues", "stats", "errors", "paths" };
	static const char *const wrong[] = {
		NULL, "", "x", "0x", "0,0", "0 ", "-1", "99", "256", "4294967296",
		"99999999999999999999",
	};
	uint8_t a = pmd_dev_add(NAME, ""), b = pmd_dev_add(OTHER, "");

	PMD_CHECK(a == 0 && b == 1, "%u, %u", a, b);
	for (size_t c = 0; c < RTE_DIM(by_dev); c++) {
		for (size_t i = 0; i < RTE_DIM(wrong); i++) {
			const char *got = ask(by_dev[c], wrong[i], -EINVAL);

			PMD_CHECK(got[0] == '\0', "%s,%s: %s", by_dev[c], wrong[i], got);
		}
		/* The lock is not kept by any of them. */
		PMD_CHECK(ask(by_dev[c], "1", 0)[0] == 'd', "%s", by_dev[c]);
	}
	PMD_CHECK(strstr(ask("info", "1", 0), "name=" OTHER " ") != NULL, "not that device");
	PMD_CHECK(strstr(ask("info", "0", 0), "name=" NAME " ") != NULL, "not that device");
	pmd_dev_remove(OTHER);
	ask("info", "1", -EINVAL);
	pmd_dev_remove(NAME);
	ask("info", "0", -EINVAL);
}

static void
queues(void)
{
	struct rte_comp_op *ops[3], *back[3];
	uint8_t dev = pmd_dev_add(NAME, "workers=0");
	struct rng rng;
	void *c, *d;

	pmd_rng(&rng);
	answers("queues", dev, "dict");
	pmd_dev_start(dev, 2, 48);
	answers("queues", dev, "dict qp_0=(dict depth=48 in_flight=0 compress_queue=-1 "
		"decompress_queue=-1) qp_1=(dict depth=48 in_flight=0 compress_queue=-1 "
		"decompress_queue=-1)");
	c = pmd_xform(dev, &pmd_deflate_xform);
	d = pmd_xform(dev, &pmd_inflate_xform);
	for (unsigned int i = 0; i < 3; i++)
		ops[i] = pmd_op(i == 2 ? d : c, pmd_chain(&rng, PMD_LINEAR, NULL, 0, 100, 0), 0,
			100, pmd_chain(&rng, PMD_LINEAR, NULL, 0, 300, 0), 0);
	pmd_enqueue(dev, 1, ops, 2);
	answers("queues", dev, "dict qp_0=(dict depth=48 in_flight=0 compress_queue=-1 "
		"decompress_queue=-1) qp_1=(dict depth=48 in_flight=2 compress_queue=0 "
		"decompress_queue=-1)");
	pmd_enqueue(dev, 1, ops + 2, 1);
	answers("queues", dev, "dict qp_0=(dict depth=48 in_flight=0 compress_queue=-1 "
		"decompress_queue=-1) qp_1=(dict depth=48 in_flight=3 compress_queue=0 "
		"decompress_queue=1)");
	/* An answer that is full ends there; what did not fit is freed. */
	containers_left = 1;
	answers("queues", dev, "dict qp_0=(dict depth=48 in_flight=0 compress_queue=-1 "
		"decompress_queue=-1)");
	containers_left = -1;
	answers_left = 0;
	ask("queues", "0", -ENOMEM);
	answers_left = -1;
	pmd_dequeue(dev, 1, back, 3);
	answers("queues", dev, "dict qp_0=(dict depth=48 in_flight=0 compress_queue=-1 "
		"decompress_queue=-1) qp_1=(dict depth=48 in_flight=0 compress_queue=0 "
		"decompress_queue=1)");
	for (unsigned int i = 0; i < 3; i++)
		pmd_op_free(ops[i]);
	pmd_xform_free(dev, c);
	pmd_xform_free(dev, d);
	pmd_dev_stop(dev);
	answers("queues", dev, "dict");
	pmd_dev_remove(NAME);
}

/* Every counter of both queue pairs has a value of its own. */
#define NO_SOFTWARE \
	"software_wish=0 software_checksum=0 software_flush=0 software_dictionary=0 " \
	"software_algorithm=0 software_too_long=0 software_stream=0 software_path_off=0 " \
	"software_no_queue=0 software_no_result=0 software_lost=0 software_verify=0 verified=0 "

static void
stats(void)
{
	uint8_t dev = pmd_dev_add(NAME, "");
	struct hisi_zip_qp *a, *b;

	pmd_dev_start(dev, 2, 16);
	a = qp_of(NAME, 0);
	b = qp_of(NAME, 1);
	answers("stats", dev, "dict enqueued=0 enqueued_bytes=0 enqueue_full=0 enqueue_rejected=0 "
		"dequeued=0 dequeued_bytes=0 function_ops=0 software_ops=0 software_repeated=0 "
		NO_SOFTWARE "errors=0");
	a->enq = (struct hisi_zip_enq_stats){
		.ops = 1000, .bytes = 20000, .rejected = 3, .full = 4, .software = 50,
	};
	a->deq = (struct hisi_zip_deq_stats){
		.ops = 600, .bytes = 7000, .errors = 8, .sw = 9, .repeated = 10,
	};
	b->enq = (struct hisi_zip_enq_stats){
		.ops = 100000, .bytes = 2000000, .rejected = 300, .full = 400, .software = 5000,
	};
	b->deq = (struct hisi_zip_deq_stats){
		.ops = 60000, .bytes = 700000, .errors = 800, .sw = 900, .repeated = 100,
		.verified = 33,
	};
	for (unsigned int why = 0; why < HISI_ZIP_WHYS; why++)
		*(why < HISI_ZIP_WHY_REPEATED ? &a->enq.why[why] : &b->deq.why[why]) = 10 + why;
	answers("stats", dev, "dict enqueued=101000 enqueued_bytes=2020000 enqueue_full=404 "
		"enqueue_rejected=303 dequeued=60600 dequeued_bytes=707000 function_ops=95647 "
		"software_ops=909 software_repeated=110 software_wish=11 software_checksum=12 "
		"software_flush=13 software_dictionary=14 software_algorithm=15 "
		"software_too_long=16 software_stream=17 software_path_off=18 "
		"software_no_queue=19 software_no_result=20 software_lost=21 software_verify=22 "
		"verified=33 errors=808");
	/* Read while the data path counts: never less than none. */
	b->enq.software = 1000000;
	PMD_CHECK(strstr(ask("stats", "0", 0), " function_ops=0 ") != NULL, "below 0");
	pmd_dev_stop(dev);
	pmd_dev_remove(NAME);
}

static void
errors(void)
{
	uint8_t dev = pmd_dev_add(NAME, "");
	struct hisi_zip_qp *a, *b;

	pmd_dev_start(dev, 2, 16);
	a = qp_of(NAME, 0);
	b = qp_of(NAME, 1);
	for (unsigned int i = 0; i < HISI_ZIP_OP_STATUSES; i++) {
		a->deq.status[i] = i + 1;
		b->deq.status[i] = 100 * (i + 1);
	}
	for (unsigned int i = 0; i < 64; i++) {
		a->deq.hw_status[i] = 10000 + i;
		b->deq.hw_status[i] = 20000 + i;
	}
	for (unsigned int i = 0; i < HISI_WATCH_FAILS; i++) {
		a->deq.fails[i] = 70 + i;
		b->deq.fails[i] = 7000 + i;
	}
	a->enq.no_queue = 5;
	b->enq.no_queue = 600;
	a->deq.lost = 11;
	b->deq.lost = 1200;
	a->deq.restarts = 13;
	b->deq.restarts = 1400;
	answers("errors", dev, "dict invalid_args=303 invalid_state=505 error=404 "
		"out_of_space_terminated=606 out_of_space_recoverable=707 "
		"hw_destination_too_small=30028 hw_checksum_mismatch=30032 hw_bad_data=30064 "
		"hw_bad_request=30066 hw_bad_address=30068 hw_bad_sgl=30070 hw_bad_stream=30072 "
		"hw_no_stream=30074 hw_internal=30076 hw_other=30126 no_hardware_queue=605 "
		"queue_stalled=7070 queue_reset=7072 queue_gone=7074 requests_lost=1211 "
		"queue_restarted=1413");
	pmd_dev_stop(dev);
	pmd_dev_remove(NAME);
}

/* Whatever is added to or taken from the lists, the lock is held. */
static void
locks(void)
{
	uint8_t dev;

	lists("array");
	check_locks("before", locked);
	dev = pmd_dev_add(NAME, "");
	check_locks("a device", 1);
	pmd_dev_start(dev, 2, 16);
	check_locks("two queue pairs", 2);
	pmd_dev_stop(dev);
	check_locks("close", 2);
	pmd_dev_remove(NAME);
	check_locks("removal", 1);
}

/* What compressdev's own statistics take of it, and that a reset sets all of it to 0. */
static void
compressdev_stats(void)
{
	uint8_t dev = pmd_dev_add(NAME, "");
	struct rte_compressdev_config config = { .nb_queue_pairs = 3 };
	struct rte_compressdev_stats got;
	struct hisi_zip_qp *qp;

	pmd_dev_start(dev, 2, 16);
	for (uint16_t i = 0; i < 2; i++) {
		qp = qp_of(NAME, i);
		memset(&qp->enq, 1, sizeof(qp->enq));
		memset(&qp->deq, 1, sizeof(qp->deq));
		qp->enq.ops = 1000u << i * 8;
		qp->deq.ops = 300u << i * 8;
		qp->deq.errors = 20u << i * 8;
	}
	PMD_CHECK(rte_compressdev_stats_get(dev, &got) == 0, "stats_get");
	PMD_CHECK(got.enqueued_count == 257000 && got.dequeued_count == 77100 &&
		got.enqueue_err_count == 0 && got.dequeue_err_count == 5140, "%" PRIu64 " %" PRIu64
		" %" PRIu64 " %" PRIu64, got.enqueued_count, got.dequeued_count,
		got.enqueue_err_count, got.dequeue_err_count);
	rte_compressdev_stats_reset(dev);
	answers("stats", dev, "dict enqueued=0 enqueued_bytes=0 enqueue_full=0 enqueue_rejected=0 "
		"dequeued=0 dequeued_bytes=0 function_ops=0 software_ops=0 software_repeated=0 "
		NO_SOFTWARE "errors=0");
	answers("errors", dev, "dict invalid_args=0 invalid_state=0 error=0 "
		"out_of_space_terminated=0 out_of_space_recoverable=0 hw_destination_too_small=0 "
		"hw_checksum_mismatch=0 hw_bad_data=0 hw_bad_request=0 hw_bad_address=0 "
		"hw_bad_sgl=0 hw_bad_stream=0 hw_no_stream=0 hw_internal=0 hw_other=0 "
		"no_hardware_queue=0 queue_stalled=0 queue_reset=0 queue_gone=0 requests_lost=0 "
		"queue_restarted=0");
	pmd_dev_stop(dev);
	/* Without queue pairs, or with one that was not set up, there is nothing to touch. */
	PMD_CHECK(rte_compressdev_configure(dev, &config) == 0 &&
		rte_compressdev_queue_pair_setup(dev, 1, 16, 0) == 0, "not configured");
	qp_of(NAME, 1)->enq.ops = 7;
	PMD_CHECK(rte_compressdev_stats_get(dev, &got) == 0 && got.enqueued_count == 7, "%" PRIu64,
		got.enqueued_count);
	PMD_CHECK(rte_compressdev_start(dev) == 0, "not started");
	PMD_CHECK(qp_of(NAME, 1)->state == HISI_ZIP_QP_RUNNING, "%u", qp_of(NAME, 1)->state);
	rte_compressdev_stats_reset(dev);
	PMD_CHECK(qp_of(NAME, 1)->enq.ops == 0, "%" PRIu64, qp_of(NAME, 1)->enq.ops);
	rte_compressdev_stop(dev);
	PMD_CHECK(qp_of(NAME, 1)->state == HISI_ZIP_QP_STOPPED, "%u", qp_of(NAME, 1)->state);
	PMD_CHECK(rte_compressdev_close(dev) == 0, "not closed");
	PMD_CHECK(rte_compressdev_stats_get(dev, &got) == 0 && got.enqueued_count == 0, "%" PRIu64,
		got.enqueued_count);
	pmd_dev_remove(NAME);
}

int
main(int argc, char **argv)
{
	static const char *const none[] = { NULL };
	static const struct pmd_case cases[] = {
		{ "commands", commands },
		{ "locks", locks },
		{ "list", list },
		{ "info", info },
		{ "wrong_parameters", wrong_parameters },
		{ "queues", queues, PMD_BAD_OPS },
		{ "stats", stats, PMD_FAULTS },
		{ "errors", errors, PMD_FAULTS },
		{ "compressdev_stats", compressdev_stats, PMD_FAULTS },
		{ 0 },
	};

	return pmd_main(argc, argv, &(struct pmd_program){
		.name = "test_pmd_telemetry", .count = 1, .cases = cases, .vdevs = none,
	});
}
