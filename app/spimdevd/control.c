/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <time.h>

#include "control.h"

#define IDLE_S     2           /* how long a thread waits for another job */
#define STACK_SIZE (256 << 10) /* nothing deep runs here, and there may be thousands */

struct control {
	pthread_mutex_t lock; /* guards all */
	pthread_cond_t work;  /* a job came, or the end */
	pthread_cond_t ended; /* a thread ended */
	pthread_attr_t attr;
	struct control_job *head;
	struct control_job **tail;
	unsigned int waiting; /* jobs in the list */
	unsigned int idle;    /* threads that wait for one */
	unsigned int threads;
	bool stop;
};

static void *
control_thread(void *arg)
{
	struct control *c = arg;

	pthread_mutex_lock(&c->lock);
	for (;;) {
		struct control_job *job;
		struct timespec until;
		int rc = 0;

		clock_gettime(CLOCK_MONOTONIC, &until);
		until.tv_sec += IDLE_S;
		c->idle++;
		while (c->head == NULL && !c->stop && rc != ETIMEDOUT)
			rc = pthread_cond_timedwait(&c->work, &c->lock, &until);
		c->idle--;
		job = c->head;
		if (job == NULL) {
			/* The last one stays, so that a job always finds one at last. */
			if (c->stop || c->threads > 1)
				break;
			continue;
		}
		c->head = job->next;
		if (c->head == NULL)
			c->tail = &c->head;
		c->waiting--;
		pthread_mutex_unlock(&c->lock);
		job->run(job);
		pthread_mutex_lock(&c->lock);
	}
	c->threads--;
	pthread_cond_signal(&c->ended);
	pthread_mutex_unlock(&c->lock);
	return NULL;
}

/* One more thread; lock is held. */
static int
control_spawn(struct control *c)
{
	pthread_t thread;
	int rc = pthread_create(&thread, &c->attr, control_thread, c);

	if (rc != 0)
		return -rc;
	c->threads++;
	return 0;
}

int
control_create(struct control **control)
{
	struct control *c = calloc(1, sizeof(*c));
	pthread_condattr_t attr;
	int rc;

	if (c == NULL)
		return -ENOMEM;
	c->tail = &c->head;
	pthread_mutex_init(&c->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&c->work, &attr);
	pthread_cond_init(&c->ended, NULL);
	pthread_condattr_destroy(&attr);
	pthread_attr_init(&c->attr);
	pthread_attr_setdetachstate(&c->attr, PTHREAD_CREATE_DETACHED);
	pthread_attr_setstacksize(&c->attr, STACK_SIZE);
	pthread_mutex_lock(&c->lock);
	rc = control_spawn(c);
	pthread_mutex_unlock(&c->lock);
	if (rc != 0) {
		control_destroy(c);
		return rc;
	}
	*control = c;
	return 0;
}

void
control_destroy(struct control *c)
{
	if (c == NULL)
		return;
	pthread_mutex_lock(&c->lock);
	c->stop = true;
	pthread_cond_broadcast(&c->work);
	while (c->threads != 0)
		pthread_cond_wait(&c->ended, &c->lock);
	pthread_mutex_unlock(&c->lock);
	pthread_attr_destroy(&c->attr);
	pthread_cond_destroy(&c->ended);
	pthread_cond_destroy(&c->work);
	pthread_mutex_destroy(&c->lock);
	free(c);
}

void
control_submit(struct control *c, struct control_job *job)
{
	job->next = NULL;
	pthread_mutex_lock(&c->lock);
	*c->tail = job;
	c->tail = &job->next;
	c->waiting++;
	/* If the system gives no more threads, the job waits for one to be free. */
	if (c->waiting > c->idle)
		(void)control_spawn(c);
	pthread_cond_signal(&c->work);
	pthread_mutex_unlock(&c->lock);
}
