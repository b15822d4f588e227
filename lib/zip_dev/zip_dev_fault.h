/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#ifndef ZIP_DEV_FAULT_H
#define ZIP_DEV_FAULT_H

/**
 * @file
 * Injected faults (zip_dev_conf.fault), to test how drivers stand them.
 *
 * A list of faults separated by commas, each "name[=value]@n": it strikes once,
 * at the n-th event it counts (from 1); "/n" instead of "@n": at every n-th.
 * Requests and mailbox commands are counted over the whole function, from its
 * creation on.
 *
 *   status=S@n             the n-th request is not executed; it completes with
 *                          status S, 0x01 to 0xff (QM 5.4)
 *   stall@n                the queue of the n-th request executes nothing more
 *                          from that request on, until it is set up again
 *   aeq=cq_overflow@n      the queue of the n-th request stops before that
 *   aeq=cqe_error@n        request completes; an AEQE of that type says so
 *   aeq=eq_overflow@n      at the n-th request the event queue stops, and an
 *                          AEQE says so, until the function starts again
 *   mailbox_timeout@n      the n-th mailbox command is not executed, and the
 *                          mailbox stays busy until the function is reset
 *   vanish@n               from the n-th request on the function is gone: reads
 *                          of registers and config space give all ones, writes
 *                          and doorbells are lost, nothing completes; for good
 */

#define ZIP_DEV_FAULTS_MAX 8 /**< Faults of one list. */

#endif /* ZIP_DEV_FAULT_H */
