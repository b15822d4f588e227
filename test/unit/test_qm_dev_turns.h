/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#ifndef TEST_QM_DEV_TURNS_H
#define TEST_QM_DEV_TURNS_H

/**
 * @file
 * A pool whose threads end at once: the test takes the turns itself, with a time of its own,
 * so every share, order and bill is one exact number.
 */

#include "test_qm_dev_util.h"

#include <stdio.h>
#include <string.h>

#include "qm_dev_run.h"
#include "qm_dev_sched.h"
#include "udma_dev.h"

#define CLIENTS 3
#define DEPTH   4096
#define UNIT    16384u      /**< What most requests cost: a quarter of a quantum. */
#define LEN     (UNIT - 64) /**< 64 is what a request costs by itself. */
#define PER     (QM_DEV_QUANTUM / UNIT)

/** A function with one queue, its memory, and where its requests copy from and to. */
struct client {
	struct td td;
	struct tq q;
	uint8_t *src;
	uint8_t *dst;
};

extern struct qm_dev_pool *pool;
extern struct client client[CLIENTS];
extern int64_t now; /**< The time that workers see. */
/** Keep times: for who has a clock that agrees with now. Requests are charged by them. */
extern bool turns_times;
/** What a client is a user by; NULL: itself. */
extern struct qm_dev_quota *turns_quota[CLIENTS];

/** Turns taken: which client, and how many of its requests; neighbours of one client are one. */
struct turns_entry {
	unsigned int who;
	unsigned int n;
};
extern struct turns_entry turns[512];
extern unsigned int turns_cnt;

/** A pool and a client per weight; the last one decompresses. */
void turns_open(const uint32_t weight[CLIENTS], bool wake);
/** cmocka's teardown. */
int turns_close(void **state);

/** n requests that copy len bytes, rung. */
void work(unsigned int who, unsigned int n, uint32_t len);
unsigned int who_is(const struct qm_dev_queue *q);
struct qm_dev_queue *queue_of(unsigned int who);
/** What the pool's only worker works with. */
struct qm_dev_exec *executor(void);
/** What a worker does with a queue that it got. @return Requests. */
unsigned int serve(struct qm_dev_queue *q);
/** Take one turn, and note it. @return Whether any queue had work. */
bool turn(uint32_t looks);
/** Take turns until nobody has work. */
void run_all(void);
/** The turns so far are these, like "0:4 1:4". Forgets them. */
void expect_turns(const char *want);

#endif /* TEST_QM_DEV_TURNS_H */
