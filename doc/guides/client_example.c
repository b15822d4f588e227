/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

/* Compresses standard input to standard output, as one raw DEFLATE stream. */

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <spimdev.h>

#define PIECES 4u                       /* worked on at a time */
#define PIECE  (256u << 10)             /* bytes of input of each */
#define ROOM   (PIECE + PIECE / 8 + 64) /* what does not compress grows by little */

#define TRIES  500                      /* of 10 ms each */

static void
pause_10ms(void)
{
	static const struct timespec ts = { .tv_nsec = 10000000 };

	nanosleep(&ts, NULL);
}

/* -EBUSY: others have the queues. -ENOTCONN and others: the service is away. */
static int
take(struct spim_zip *z, struct spim_zip_queue **q)
{
	int ret = -EBUSY;

	for (int i = 0; i < TRIES && ret != 0; i++) {
		ret = spim_zip_queue_take(z, SPIM_ZIP_COMPRESS, PIECES, q);
		if (ret != 0)
			pause_10ms();
	}
	return ret;
}

/* The oldest op: they come back in the order of submission. */
static int
wait_for_one(struct spim_zip_queue *q, struct spim_zip_op **op)
{
	for (int tries = 0; tries < TRIES;) {
		int ret = spim_zip_poll(q, op, 1);

		if (ret == 1)
			return 0;
		if (ret == 0)
			ret = spim_zip_wait(q, -1);
		if (ret == -ENOTCONN) {
			/* The service is away. Its successor will execute what is in flight. */
			pause_10ms();
			tries++;
		} else if (ret < 0 && ret != -EINTR) {
			return ret;
		}
	}
	return -ENOTCONN;
}

static int
compress(struct spim_zip_queue *q, unsigned char *mem)
{
	struct spim_zip_op ops[PIECES] = { 0 }, *op;
	unsigned int submitted = 0, written = 0;
	int end = 0, ret;

	while (!end || written < submitted) {
		if (!end && submitted - written < PIECES) {
			unsigned char *src = mem + submitted % PIECES * (PIECE + ROOM);

			op = &ops[submitted++ % PIECES];
			op->src = src;
			op->src_len = (uint32_t)fread(src, 1, PIECE, stdin);
			op->dst = src + PIECE;
			op->dst_len = ROOM;
			op->level = 6;
			end = op->src_len < PIECE;
			op->last = (uint8_t)end;
			ret = spim_zip_submit(q, op);
		} else {
			ret = wait_for_one(q, &op);
			if (ret == 0 && op->status != SPIM_ZIP_OK) {
				fprintf(stderr, "%s\n", spim_zip_status_text(op->status));
				return -EIO;
			}
			if (ret == 0 && fwrite(op->dst, 1, op->produced, stdout) != op->produced)
				ret = -errno;
			written++;
		}
		if (ret != 0)
			return ret;
	}
	return ferror(stdin) || fflush(stdout) != 0 ? -errno : 0;
}

int
main(int argc, char **argv)
{
	struct spim_zip_queue *q = NULL;
	unsigned char *mem;
	struct spim_zip *z;
	int ret;

	ret = spim_zip_open(argc > 1 ? argv[1] : "local", NULL, &z);
	if (ret != 0) {
		fprintf(stderr, "no access point: %s\n", strerror(-ret));
		return 1;
	}
	mem = spim_zip_alloc(z, (size_t)PIECES * (PIECE + ROOM));
	ret = mem != NULL ? take(z, &q) : -errno;
	if (ret == 0)
		ret = compress(q, mem);
	if (ret != 0)
		fprintf(stderr, "failed: %s\n", strerror(-ret));
	spim_zip_queue_put(q);
	spim_zip_close(z); /* the memory goes with it */
	return ret != 0;
}
