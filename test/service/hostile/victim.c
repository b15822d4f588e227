/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <zlib.h>

#include "attacker.h"
#include "base_clock.h"
#include "spimdev.h"
#include "victim.h"

#define BUF_LEN  65536
#define ROOM_LEN (BUF_LEN + 4096)
#define END_MS   30000

static void
complain(struct victim *v, atomic_ullong *count, const char *what, int detail)
{
	if (atomic_load(&v->failed) + atomic_load(&v->wrong) == 0)
		snprintf(v->why, sizeof(v->why), "%s (%d), after %llu round trips", what, detail,
				atomic_load(&v->ops));
	atomic_fetch_add(count, 1);
}

/* One op, waited for with a descriptor, as a client that is no hog does. */
static bool
op_run(struct victim *v, struct spim_zip_queue *q, struct spim_zip_op *op, const char *name)
{
	struct spim_zip_op *done = NULL;
	int rc = spim_zip_submit(q, op);

	if (rc != 0) {
		complain(v, &v->failed, name, rc);
		return false;
	}
	while ((rc = spim_zip_poll(q, &done, 1)) == 0)
		if (spim_zip_wait(q, 1000) < 0)
			sched_yield();
	if (rc != 1) {
		/* The service went away: a client could live with that, but it must not be. */
		complain(v, &v->failed, name, rc);
		nap_ms(100);
		return false;
	}
	if (done != op || op->status != SPIM_ZIP_OK || op->consumed != op->src_len) {
		complain(v, &v->failed, name, op->status);
		return false;
	}
	return true;
}

struct buffers {
	uint8_t *plain, *comp, *back; /* shared with the service */
	uint8_t *copy;                /* out of its reach */
};

static bool
round_trip(struct victim *v, struct spim_zip_queue *comp, struct spim_zip_queue *deco,
		const struct buffers *b, uint32_t *seed)
{
	uint32_t len = 1 + rnd(seed) % BUF_LEN, crc;
	struct spim_zip_op op = { .src = b->plain, .dst = b->comp, .src_len = len,
		.dst_len = ROOM_LEN, .level = (uint8_t)(rnd(seed) % 7), .last = 1 };

	if (rnd(seed) % 4 == 0)
		fill_random(b->copy, len, rnd(seed));
	else
		fill_text(b->copy, len, rnd(seed));
	memcpy(b->plain, b->copy, len);
	memset(b->back, 0xee, len);
	crc = (uint32_t)crc32(0, b->copy, len);

	atomic_store(&v->began, (unsigned long long)base_now_ns());
	if (!op_run(v, comp, &op, "compression"))
		return false;
	if (op.crc32 != crc || memcmp(b->plain, b->copy, len) != 0) {
		complain(v, &v->wrong, "checksum of a compression", (int)op.crc32);
		return false;
	}
	op = (struct spim_zip_op){ .src = b->comp, .dst = b->back, .src_len = op.produced,
		.dst_len = len };
	if (!op_run(v, deco, &op, "decompression"))
		return false;
	if (op.produced != len || op.crc32 != crc || memcmp(b->back, b->copy, len) != 0) {
		complain(v, &v->wrong, "result of a decompression", (int)op.produced);
		return false;
	}
	atomic_fetch_add(&v->bytes, len);
	return true;
}

static void
victim_run(struct victim *v, const char *name, uint32_t seed)
{
	struct spim_zip_queue *comp, *deco;
	struct buffers b;
	struct spim_zip *z;

	if (spim_zip_open(name, NULL, &z) != 0)
		die("victim: cannot open %s", name);
	b.plain = spim_zip_alloc(z, BUF_LEN);
	b.comp = spim_zip_alloc(z, ROOM_LEN);
	b.back = spim_zip_alloc(z, BUF_LEN);
	b.copy = malloc(BUF_LEN);
	if (b.plain == NULL || b.comp == NULL || b.back == NULL || b.copy == NULL ||
			spim_zip_queue_take(z, SPIM_ZIP_COMPRESS, 8, &comp) != 0 ||
			spim_zip_queue_take(z, SPIM_ZIP_DECOMPRESS, 8, &deco) != 0)
		die("victim: no memory or no queue");
	while (!atomic_load(&v->stop)) {
		unsigned long long took;

		if (!round_trip(v, comp, deco, &b, &seed))
			continue;
		took = (unsigned long long)base_now_ns() - atomic_load(&v->began);
		if (took > atomic_load(&v->longest))
			atomic_store(&v->longest, took);
		base_hist_count(&v->waits, (int64_t)took);
		atomic_fetch_add(&v->ops, 1);
	}
	spim_zip_queue_put(comp);
	spim_zip_queue_put(deco);
	spim_zip_close(z);
	free(b.copy);
}

struct victim *
victim_start(const char *path, uint32_t seed, uid_t user)
{
	struct victim *v = mmap(NULL, sizeof(*v), PROT_READ | PROT_WRITE,
			MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	char name[160];

	if (v == MAP_FAILED)
		return NULL;
	snprintf(name, sizeof(name), "unix:%s", path);
	fflush(NULL);
	v->pid = fork();
	if (v->pid == 0) {
		if (setresuid(user, user, user) != 0)
			die("victim: cannot become user %u", (unsigned int)user);
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		victim_run(v, name, seed);
		_exit(0);
	}
	if (v->pid < 0) {
		munmap(v, sizeof(*v));
		return NULL;
	}
	return v;
}

int
victim_end(struct victim *v)
{
	int status = 0, rc = -1;

	atomic_store(&v->stop, true);
	for (unsigned int ms = 0; ms < END_MS; ms += 10) {
		if (waitpid(v->pid, &status, WNOHANG) == v->pid) {
			rc = WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -1;
			break;
		}
		nap_ms(10);
	}
	if (rc != 0) {
		kill(v->pid, SIGKILL);
		waitpid(v->pid, &status, 0);
	}
	munmap(v, sizeof(*v));
	return rc;
}
