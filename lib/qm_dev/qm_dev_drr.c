/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <stddef.h>

#include "qm_dev_drr.h"

static void
list_init(struct qm_dev_drr_list *l)
{
	TAILQ_INIT(&l->entries);
	l->cnt = 0;
}

static struct qm_dev_drr_list *
list_of(struct qm_dev_drr *drr, enum qm_dev_drr_in in)
{
	return in == QM_DEV_DRR_FIRST ? &drr->first :
		in == QM_DEV_DRR_TURN ? &drr->turn : &drr->held;
}

static void
add_tail(struct qm_dev_drr *drr, enum qm_dev_drr_in in, struct qm_dev_drr_entry *e)
{
	TAILQ_INSERT_TAIL(&list_of(drr, in)->entries, e, link);
	list_of(drr, in)->cnt++;
	e->in = (uint8_t)in;
}

static inline int64_t
share_of(const struct qm_dev_drr_entry *e)
{
	return (int64_t)QM_DEV_QUANTUM * e->weight;
}

/* Take what came out late from what it may have. */
static void
settle(struct qm_dev_drr_entry *e)
{
	if (atomic_load_explicit(&e->debt, memory_order_relaxed) != 0)
		e->deficit -= atomic_exchange_explicit(&e->debt, 0, memory_order_relaxed);
}

/*
 * What the rounds since its last one give an entry: they pay back what it
 * overdrew by a long request; idle time is not saved up as credit.
 */
static void
credit(struct qm_dev_drr *drr, struct qm_dev_drr_entry *e)
{
	int64_t share = share_of(e);
	uint64_t rounds = drr->round - e->round;

	settle(e);
	e->round = drr->round;
	if (rounds > (uint64_t)(share - e->deficit) / (uint64_t)share)
		e->deficit = share;
	else
		e->deficit += (int64_t)rounds * share;
}

/* Rounds until one of those that wait has something to use: in one step, however many. */
static uint64_t
rounds_to_go(struct qm_dev_drr *drr)
{
	struct qm_dev_drr_entry *e;
	uint64_t least = UINT64_MAX;

	TAILQ_FOREACH(e, &drr->turn.entries, link) {
		uint64_t n = 1;

		settle(e);
		if (e->deficit < 0)
			n += (uint64_t)-e->deficit / (uint64_t)share_of(e);
		/* All had their turn in this round; who had it not comes earlier. */
		n -= n > drr->round - e->round ? drr->round - e->round : n - 1;
		if (n < least)
			least = n;
		if (least == 1)
			break;
	}
	return least;
}

void
qm_dev_drr_init(struct qm_dev_drr *drr)
{
	list_init(&drr->first);
	list_init(&drr->turn);
	list_init(&drr->held);
	drr->round = 1;
}

void
qm_dev_drr_add(struct qm_dev_drr *drr, struct qm_dev_drr_entry *e)
{
	credit(drr, e);
	add_tail(drr, e->deficit > 0 ? QM_DEV_DRR_FIRST : QM_DEV_DRR_TURN, e);
}

void
qm_dev_drr_again(struct qm_dev_drr *drr, struct qm_dev_drr_entry *e)
{
	if (e->deficit <= 0) {
		add_tail(drr, QM_DEV_DRR_TURN, e);
		return;
	}
	TAILQ_INSERT_HEAD(&drr->first.entries, e, link);
	drr->first.cnt++;
	e->in = QM_DEV_DRR_FIRST;
}

void
qm_dev_drr_pass(struct qm_dev_drr *drr, struct qm_dev_drr_entry *e)
{
	add_tail(drr, e->deficit > 0 ? QM_DEV_DRR_FIRST : QM_DEV_DRR_TURN, e);
}

void
qm_dev_drr_hold(struct qm_dev_drr *drr, struct qm_dev_drr_entry *e)
{
	add_tail(drr, QM_DEV_DRR_HELD, e);
}

void
qm_dev_drr_release(struct qm_dev_drr *drr)
{
	struct qm_dev_drr_entry *e;

	while ((e = TAILQ_FIRST(&drr->held.entries)) != NULL) {
		qm_dev_drr_del(drr, e);
		qm_dev_drr_pass(drr, e);
	}
}

void
qm_dev_drr_del(struct qm_dev_drr *drr, struct qm_dev_drr_entry *e)
{
	TAILQ_REMOVE(&list_of(drr, e->in)->entries, e, link);
	list_of(drr, e->in)->cnt--;
	e->in = QM_DEV_DRR_OUT;
}

struct qm_dev_drr_entry *
qm_dev_drr_next(struct qm_dev_drr *drr)
{
	struct qm_dev_drr_entry *e;

	while ((e = TAILQ_FIRST(&drr->first.entries)) != NULL) {
		qm_dev_drr_del(drr, e);
		settle(e);
		if (e->deficit > 0)
			return e;
		add_tail(drr, QM_DEV_DRR_TURN, e);
	}
	while ((e = TAILQ_FIRST(&drr->turn.entries)) != NULL) {
		/* The list is in the order of rounds: its head had its turn, so all had. */
		if (e->round == drr->round)
			drr->round += rounds_to_go(drr);
		qm_dev_drr_del(drr, e);
		credit(drr, e);
		if (e->deficit > 0)
			return e;
		add_tail(drr, QM_DEV_DRR_TURN, e);
	}
	return NULL;
}
