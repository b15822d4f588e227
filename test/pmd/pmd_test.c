/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <inttypes.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <rte_bus_vdev.h>
#include <rte_cycles.h>
#include <rte_eal.h>
#include <rte_compressdev_pmd.h>

#include "pmd_test.h"
#include "pmd_test_priv.h"

/* A minute is nothing that a slow machine reaches. */
#define DEQUEUE_TIMEOUT_S (60 * (1 + 4 * PMD_SLOW))

#define OPS_MAX 8191

static struct {
	const struct pmd_program *program;
	const struct pmd_case *running;
	uint64_t seed;
	unsigned long count, first, iteration;
	bool started; /* the running case has asked for an iteration */
	const char *only;
	const char *dev_args;
	struct rte_mempool *ops;
} test = { .seed = 1 };

void
pmd_fail(const char *file, int line, const char *fmt, ...)
{
	const char *name = strrchr(file, '/');
	va_list ap;

	fflush(stdout);
	pmd_log_show();
	fprintf(stderr, "pmd_test: FAILED %s:%d: ", name != NULL ? name + 1 : file, line);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fprintf(stderr, "\npmd_test: again: %s -- --case %s --seed %" PRIu64
		" --first %lu --count 1", test.program->name, test.running->name, test.seed,
		test.iteration);
	if (test.dev_args[0] != '\0')
		fprintf(stderr, " --dev %s", test.dev_args);
	fprintf(stderr, "\n");
	pmd_service_cleanup();
	pmd_huge_restore();
	pmd_runtime_remove();
	/* Neither EAL nor a sanitizer's leak check has anything to say about what was cut short. */
	_exit(1);
}

void
pmd_rng(struct rng *rng)
{
	/* Far apart, and not 0, which xorshift never leaves. */
	rng->state = (test.seed * 1000003 + test.iteration + 1) * 0x9e3779b97f4a7c15u | 1;
	for (int i = 0; i < 4; i++)
		rng_next(rng);
}

bool
pmd_next(struct rng *rng)
{
	if (!test.started)
		test.iteration = test.first;
	else
		test.iteration++;
	test.started = true;
	if (test.iteration >= test.first + test.count)
		return false;
	pmd_rng(rng);
	return true;
}

unsigned long
pmd_iteration(void)
{
	return test.iteration;
}

unsigned long
pmd_count(void)
{
	return test.count;
}

bool
rng_one_in(struct rng *rng, unsigned int n)
{
	return rng_below(rng, n) == 0;
}

size_t
rng_range(struct rng *rng, size_t min, size_t max)
{
	return min + rng_below(rng, max - min + 1);
}

/* ---- Devices ------------------------------------------------------------------------------- */

uint8_t
pmd_dev_id(const char *name)
{
	int id = rte_compressdev_get_dev_id(name);

	PMD_CHECK(id >= 0, "no device %s (%d)", name, id);
	return (uint8_t)id;
}

struct hisi_zip_qp *
pmd_qp(uint8_t dev, uint16_t qp)
{
	const char *name = rte_compressdev_name_get(dev);

	return rte_compressdev_pmd_get_named_dev(name)->data->queue_pairs[qp];
}

/* A case's arguments, and those of --dev, which count more. */
static const char *
dev_args(char *buf, size_t len, const char *args)
{
	snprintf(buf, len, "%s", test.dev_args);
	while (*args != '\0') {
		int n = (int)strcspn(args, ",");
		char key[32];

		snprintf(key, sizeof(key), "%.*s=", (int)strcspn(args, "="), args);
		if (strstr(test.dev_args, key) == NULL)
			snprintf(buf + strlen(buf), len - strlen(buf), "%s%.*s",
				buf[0] != '\0' ? "," : "", n, args);
		args += n + (args[n] == ',');
	}
	return buf;
}

uint8_t
pmd_dev_add(const char *name, const char *args)
{
	char buf[256];
	int ret = rte_vdev_init(name, dev_args(buf, sizeof(buf), args));

	PMD_CHECK(ret == 0, "rte_vdev_init(%s, \"%s\") returned %d", name, buf, ret);
	return pmd_dev_id(name);
}

void
pmd_dev_remove(const char *name)
{
	int ret = rte_vdev_uninit(name);

	PMD_CHECK(ret == 0, "rte_vdev_uninit(%s) returned %d", name, ret);
}

void
pmd_dev_start(uint8_t dev, uint16_t qps, uint32_t depth)
{
	struct rte_compressdev_config config = {
		.socket_id = (int)rte_socket_id(),
		.nb_queue_pairs = qps,
		.max_nb_priv_xforms = 1024,
		.max_nb_streams = 1024,
	};
	int ret = rte_compressdev_configure(dev, &config);

	PMD_CHECK(ret == 0, "configure(%u queue pairs) returned %d", qps, ret);
	for (uint16_t qp = 0; qp < qps; qp++) {
		ret = rte_compressdev_queue_pair_setup(dev, qp, depth, (int)rte_socket_id());
		PMD_CHECK(ret == 0, "queue_pair_setup(%u, depth %u) returned %d", qp, depth, ret);
	}
	ret = rte_compressdev_start(dev);
	PMD_CHECK(ret == 0, "start returned %d", ret);
}

void
pmd_dev_stop(uint8_t dev)
{
	int ret;

	rte_compressdev_stop(dev);
	ret = rte_compressdev_close(dev);
	PMD_CHECK(ret == 0, "close returned %d", ret);
}

void *
pmd_xform(uint8_t dev, const struct rte_comp_xform *xform)
{
	void *priv = NULL;
	int ret = rte_compressdev_private_xform_create(dev, xform, &priv);

	PMD_CHECK(ret == 0 && priv != NULL, "private_xform_create returned %d", ret);
	return priv;
}

void
pmd_xform_free(uint8_t dev, void *xform)
{
	int ret = rte_compressdev_private_xform_free(dev, xform);

	PMD_CHECK(ret == 0, "private_xform_free returned %d", ret);
}

const struct rte_comp_xform pmd_deflate_xform = {
	.type = RTE_COMP_COMPRESS,
	.compress = {
		.algo = RTE_COMP_ALGO_DEFLATE,
		.deflate.huffman = RTE_COMP_HUFFMAN_DEFAULT,
		.level = 1,
		.window_size = 15,
	},
};

const struct rte_comp_xform pmd_inflate_xform = {
	.type = RTE_COMP_DECOMPRESS,
	.decompress = {
		.algo = RTE_COMP_ALGO_DEFLATE,
		.window_size = 15,
	},
};

struct rte_comp_xform
pmd_random_deflate(struct rng *rng)
{
	struct rte_comp_xform xform = pmd_deflate_xform;

	xform.compress.level = (int)rng_range(rng, 0, 10) - 1;
	xform.compress.deflate.huffman = (enum rte_comp_huffman)rng_below(rng, 3);
	xform.compress.window_size = rng_one_in(rng, 2) ? 15 : (uint8_t)rng_range(rng, 8, 15);
	xform.compress.chksum = (enum rte_comp_checksum_type)rng_below(rng, 4);
	return xform;
}

struct rte_comp_xform
pmd_random_inflate(struct rng *rng)
{
	struct rte_comp_xform xform = pmd_inflate_xform;

	xform.decompress.chksum = (enum rte_comp_checksum_type)rng_below(rng, 4);
	return xform;
}

/* ---- Ops ----------------------------------------------------------------------------------- */

struct rte_comp_op *
pmd_op(void *xform, struct rte_mbuf *src, uint32_t src_offset, uint32_t src_len,
		struct rte_mbuf *dst, uint32_t dst_offset)
{
	struct rte_comp_op *op = rte_comp_op_alloc(test.ops);

	PMD_CHECK(op != NULL, "no op left");
	op->op_type = RTE_COMP_OP_STATELESS;
	op->private_xform = xform;
	op->m_src = src;
	op->src.offset = src_offset;
	op->src.length = src_len;
	op->m_dst = dst;
	op->dst.offset = dst_offset;
	op->flush_flag = RTE_COMP_FLUSH_FINAL;
	op->input_chksum = 0;
	/* What a driver forgets to write shows. */
	op->consumed = op->produced = UINT32_MAX;
	op->output_chksum = UINT64_MAX;
	return op;
}

void
pmd_op_free(struct rte_comp_op *op)
{
	pmd_chain_free(op->m_src);
	pmd_chain_free(op->m_dst);
	rte_comp_op_free(op);
}

void
pmd_enqueue(uint8_t dev, uint16_t qp, struct rte_comp_op **ops, uint16_t n)
{
	uint16_t done;

	pmd_look_ops(dev, qp, ops, n);
	done = rte_compressdev_enqueue_burst(dev, qp, ops, n);
	PMD_CHECK(done == n, "enqueue took %u of %u ops", done, n);
}

void
pmd_dequeue(uint8_t dev, uint16_t qp, struct rte_comp_op **ops, uint16_t n)
{
	uint64_t end = rte_rdtsc() + rte_get_tsc_hz() * DEQUEUE_TIMEOUT_S;
	/* Elsewhere first, so that too many can be seen, not felt. */
	static __thread struct rte_comp_op *back[UINT16_MAX];
	uint16_t done = 0;

	while (done < n) {
		uint16_t got = rte_compressdev_dequeue_burst(dev, qp, back, n - done);

		PMD_CHECK(got <= n - done, "dequeue gave %u ops, asked for %u", got, n - done);
		memcpy(ops + done, back, got * sizeof(back[0]));
		done += got;
		PMD_CHECK(got != 0 || rte_rdtsc() < end, "%u of %u ops came back in %d s", done, n,
			DEQUEUE_TIMEOUT_S);
		if (got == 0)
			sched_yield();
	}
}

void
pmd_run(uint8_t dev, uint16_t qp, struct rte_comp_op **ops, uint16_t n)
{
	struct rte_comp_op *back[n];

	pmd_enqueue(dev, qp, ops, n);
	pmd_dequeue(dev, qp, back, n);
	for (uint16_t i = 0; i < n; i++)
		PMD_CHECK(back[i] == ops[i], "op %u of %u is not the one enqueued there", i, n);
}

uint8_t
pmd_compress_at(uint8_t dev, char *va, uint32_t len, bool touch)
{
	struct rte_mbuf_ext_shared_info info[2];
	void *xform = pmd_xform(dev, &pmd_deflate_xform);
	struct bytes back = bytes_alloc(len);
	size_t consumed, produced;
	struct rte_comp_op *op;
	uint8_t status;

	for (size_t i = 0; touch && i < len; i++)
		va[i] = (char)(i % 100 + i / 100);
	op = pmd_op(xform, pmd_mbuf_at(va, (uint16_t)len, &info[0]), 0, len,
		pmd_mbuf_at(va + 2 * len, (uint16_t)(2 * len), &info[1]), 0);
	pmd_run(dev, 0, &op, 1);
	status = op->status;
	if (touch && status == RTE_COMP_OP_STATUS_SUCCESS) {
		judge_inflate((uint8_t *)va + 2 * len, op->produced, back.data, len, &consumed,
			&produced);
		PMD_CHECK(produced == len && memcmp(back.data, va, len) == 0,
			"zlib gets other data");
	}
	bytes_free(&back);
	rte_pktmbuf_free(op->m_src);
	rte_pktmbuf_free(op->m_dst);
	rte_comp_op_free(op);
	pmd_xform_free(dev, xform);
	return status;
}

const char *
pmd_status(uint8_t status)
{
	static const char *const names[] = {
		"SUCCESS", "NOT_PROCESSED", "INVALID_ARGS", "ERROR", "INVALID_STATE",
		"OUT_OF_SPACE_TERMINATED", "OUT_OF_SPACE_RECOVERABLE",
	};

	return status < RTE_DIM(names) ? names[status] : "unknown";
}

/* ---- Program ------------------------------------------------------------------------------- */

#define EAL_ARGS_MAX 64

struct eal_args {
	char *argv[EAL_ARGS_MAX];
	int argc;
};

static void __attribute__((format(printf, 2, 3)))
eal_arg(struct eal_args *args, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	if (args->argc >= EAL_ARGS_MAX - 1 || vasprintf(&args->argv[args->argc++], fmt, ap) < 0)
		rte_exit(2, "pmd_test: too many EAL arguments\n");
	va_end(ap);
}

static void
parse_own(int argc, char **argv)
{
	for (int i = 0; i < argc; i += 2) {
		if (i + 1 == argc)
			rte_exit(2, "pmd_test: %s has no value\n", argv[i]);
		if (strcmp(argv[i], "--seed") == 0)
			test.seed = strtoull(argv[i + 1], NULL, 0);
		else if (strcmp(argv[i], "--count") == 0)
			test.count = strtoul(argv[i + 1], NULL, 0);
		else if (strcmp(argv[i], "--first") == 0)
			test.first = strtoul(argv[i + 1], NULL, 0);
		else if (strcmp(argv[i], "--case") == 0)
			test.only = argv[i + 1];
		else if (strcmp(argv[i], "--dev") == 0)
			test.dev_args = argv[i + 1];
		else if (strcmp(argv[i], "--spimdevd") == 0)
			pmd_service_use(argv[i + 1], NULL);
		else if (strcmp(argv[i], "--sandbox") == 0)
			pmd_service_use(NULL, argv[i + 1]);
		else
			rte_exit(2, "pmd_test: %s, expected --seed, --count, --first, --case, "
				"--dev, --spimdevd or --sandbox\n", argv[i]);
	}
}

static bool
case_wanted(const struct pmd_case *c)
{
	return test.only == NULL || strcmp(test.only, c->name) == 0;
}

/*
 * Seconds of all CPUs: others that use the machine do not count. The longest cases take some 30;
 * more iterations take longer.
 */
static double
case_max_s(void)
{
	unsigned long usual = RTE_MAX(test.program->count, 1ul);

	return 120.0 * (PMD_SLOW ? 4 : 1) * (double)RTE_MAX(test.count / usual, 1ul);
}

static double
cpu_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void
run_cases(void)
{
	const struct pmd_program *p = test.program;
	unsigned int run = 0;

	/* The form that test/lib.sh counts. */
	for (const struct pmd_case *c = p->cases; c->name != NULL; c++)
		if (case_wanted(c))
			printf("plan %s %s\n", p->name, c->name);
	fflush(stdout);
	for (test.running = p->cases; test.running->name != NULL; test.running++) {
		double took, start = cpu_s();

		if (!case_wanted(test.running))
			continue;
		test.started = false;
		test.iteration = 0;
		pmd_look_case(test.running);
		took = cpu_s() - start;
		PMD_CHECK(took <= case_max_s() || (test.running->expect & PMD_LONG) != 0,
			"%s took %.2f s, expected %.0f at most",
			test.running->name, took, case_max_s());
		printf("ok %s %s (seed %" PRIu64 ", %.2f s", p->name, test.running->name,
			test.seed, took);
		if (test.started)
			printf(", iterations %lu to %lu", test.first, test.iteration - 1);
		printf(")\n");
		fflush(stdout);
		run++;
	}
	test.running = p->cases; /* what comes after is nobody's */
	if (run == 0)
		rte_exit(2, "pmd_test: no case %s\n", test.only);
}

int
pmd_main(int argc, char **argv, const struct pmd_program *program)
{
	static const char *const one[] = { "compress_hisi_zip", NULL };
	const char *const *vdevs = program->vdevs != NULL ? program->vdevs : one;
	struct eal_args args = { 0 };
	char *argv_eal[EAL_ARGS_MAX];
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	int own;

	test.program = program;
	test.running = program->cases;
	test.count = PMD_SLOW ? RTE_MAX(program->count / 4, 1ul) : program->count;
	test.dev_args = "";
	for (own = 1; own < argc && strcmp(argv[own], "--") != 0; own++)
		;
	if (own < argc)
		parse_own(argc - own - 1, argv + own + 1);

	if (pmd_service_have() && !program->own_service) {
		PMD_CHECK(test.dev_args[0] == '\0', "--dev and --spimdevd");
		pmd_service_start(NULL);
		test.dev_args = pmd_service_dev();
	}
	eal_arg(&args, "%s", argv[0]);
	if (program->huge_mb != 0) {
		/* Memory that grows and shrinks, and needs no mount. */
		pmd_huge_reserve(program->huge_mb);
		eal_arg(&args, "--in-memory");
	} else {
		eal_arg(&args, "--no-huge");
		eal_arg(&args, "-m");
		eal_arg(&args, "512");
	}
	eal_arg(&args, "--no-pci");
	eal_arg(&args, "--no-telemetry");
	eal_arg(&args, "--file-prefix");
	eal_arg(&args, "%s_%d", program->name, (int)getpid());
	/* Three lcores wherever there are CPUs: the tests are about order, not about speed. */
	eal_arg(&args, "--lcores");
	eal_arg(&args, "0@(0-%ld),1@(0-%ld),2@(0-%ld)", cpus - 1, cpus - 1, cpus - 1);
	eal_arg(&args, "--log-level=*:warning");
	for (; *vdevs != NULL; vdevs++) {
		eal_arg(&args, "--vdev");
		eal_arg(&args, "%s%s%s", *vdevs, test.dev_args[0] != '\0' ? "," : "",
			test.dev_args);
	}
	for (int i = 1; i < own; i++)
		eal_arg(&args, "%s", argv[i]);
	/* EAL changes the array. */
	memcpy(argv_eal, args.argv, sizeof(argv_eal));
	if (rte_eal_init(args.argc, argv_eal) < 0)
		rte_exit(2, "pmd_test: EAL does not start\n");

	pmd_pools_create();
	test.ops = rte_comp_op_pool_create("pmd_test_ops", OPS_MAX, 0, 16, SOCKET_ID_ANY);
	PMD_CHECK(test.ops != NULL, "no memory for ops");
	pmd_look_begin();
	run_cases();
	pmd_look_end();
	rte_mempool_free(test.ops);
	pmd_pools_free();
	for (vdevs = program->vdevs != NULL ? program->vdevs : one; *vdevs != NULL; vdevs++) {
		char name[64];

		snprintf(name, sizeof(name), "%.*s", (int)strcspn(*vdevs, ","), *vdevs);
		pmd_dev_remove(name);
	}
	pmd_look_gone();
	rte_eal_cleanup();
	pmd_runtime_remove();
	PMD_CHECK(access(rte_eal_get_runtime_dir(), F_OK) != 0, "left in %s",
		rte_eal_get_runtime_dir());
	if (pmd_service_have() && !program->own_service)
		pmd_service_end(SIGTERM);
	pmd_service_cleanup();
	pmd_huge_restore();
	for (int i = 0; i < args.argc; i++)
		free(args.argv[i]);
	return 0;
}
