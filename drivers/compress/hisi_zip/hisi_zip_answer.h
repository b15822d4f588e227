/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#ifndef HISI_ZIP_ANSWER_H
#define HISI_ZIP_ANSWER_H

/**
 * @file
 * Known answers: what no source says of silicon, the driver asks it. Before a path is used on a
 * function without the extension, requests with known results are run on it. A path that answers
 * otherwise, or not at all, is off, and its ops are done in software.
 *
 *   hisi_zip_answer.c          when a function is asked, and what becomes of a path
 *   hisi_zip_ask.c             asking: requests, and how long the answers may take
 *   hisi_zip_answer_deflate.c  the questions about stateless DEFLATE
 *   hisi_zip_answer_round.c    how these are put, and what is right
 *   hisi_zip_answer_stream.c   those about streams
 *   hisi_zip_answer_script.c   which streams
 *
 * An error is a safe answer: software repeats such an op. What may not be is a success that is
 * none. So a path is on if it does what is usual, and never says that it has done what it has not.
 *
 * After a restart of its service a function may be of another version. Queues of the old one are
 * not used any more (hisi_zip_recover.c), and of those that are taken anew the first one of each
 * direction is asked. So a request is only ever for a function that was asked.
 *
 * Control path: the caller holds the lock of struct hisi_zip_known, but where it says otherwise.
 */

#include <stdint.h>

#include "hisi_zip_ask.h"
#include "hisi_zip_dev.h"

/**
 * A path is off: log it, once.
 * @param why
 *   A constant, in some words.
 */
void hisi_zip_path_fails(struct hisi_zip_dev *dev, enum hisi_zip_path path, const char *why);

/** The questions of the stateless paths of a direction; sets their state. */
void hisi_zip_answers_deflate(struct hisi_zip_asker *a);

/** The same of streams. */
void hisi_zip_answers_stream(struct hisi_zip_asker *a);

/** Begin: which paths the function may have at all. */
void hisi_zip_paths_begin(struct hisi_zip_dev *dev);

/**
 * Try what has not been tried, if queues are free. What has no answer in time stays untried. Takes
 * half a second of this process's time at most (hisi_zip_ask.c), whatever the function does, beside
 * what taking queues takes.
 */
void hisi_zip_paths_try(struct hisi_zip_dev *dev);

/**
 * The same of a direction, on a queue that was just taken: hisi_zip_hwq_take(). What is late then,
 * and was late before, is off. So no path of it is untried then, unless the function is gone.
 * @param later
 *   Whether answers were late for the first time since the function was opened, as all clients of a
 *   service that was restarted ask at once: no op may use the queue, and all is asked again later.
 * @return Whether the queue owes an answer. It is the device's then, as an answer that comes late
 *   would be taken for that of another request: the caller has it no more.
 */
bool hisi_zip_paths_try_on(struct hisi_zip_dev *dev, enum hisi_zip_dir dir,
		struct spim_queue *queue, bool *later);

/**
 * The function may have been replaced by another one. If it is not asked anything, what was found
 * wrong with the old one does not count any more. Enqueuing thread, which does not wait.
 * @return Whether that is done; else another time.
 */
bool hisi_zip_paths_again(struct hisi_zip_dev *dev);

/** Put queues that have given the answers that they owed. */
void hisi_zip_paths_reap(struct hisi_zip_dev *dev);

/** Put what a function that did not answer still has. The device's other queues are put. */
void hisi_zip_paths_end(struct hisi_zip_dev *dev);

#endif /* HISI_ZIP_ANSWER_H */
