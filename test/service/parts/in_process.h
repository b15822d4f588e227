/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#ifndef IN_PROCESS_H
#define IN_PROCESS_H

/**
 * @file
 * The service without its main(), run turn by turn while its client, in the same process, waits
 * for each of them; and a client of raw messages.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "client.h"
#include "service.h"
#include "test_vfio_user_util.h"

#define MEM_IOVA   0x100000u
#define MEM_LEN    0x10000u
#define USER_BYTES (1u << 20)
#define USER_CONNS 70 /* that a user may have; the test has one of them */
#define PATIENCE   5000 /* ms */

extern struct service service;
extern struct vt vt;   /**< For vt_connect(): the path. */
extern int memfd;      /**< Of the client, MEM_LEN bytes. */

/* What the service asks of others, and what comes of it. */
extern bool mmap_fails;            /**< With ENFILE. */
extern int guard_rc;               /**< Of qm_dev_guard_add(), if not 0. */
extern struct zip_dev_conf made_zip; /**< What made says to the class ZIP. */
extern struct qm_dev_conf made;   /**< Of the function made last. */
extern char made_name[64];         /**< Its name, which made.name does not point to any more. */

extern bool shut_waits;            /**< A function that ends has requests being executed. */

extern atomic_uint destroyed;     /**< Functions, so far. */

/** Of a group of tests, for each. The user of the test is kept, and has nothing in the end. */
int set_up(void **state);
int tear_down(void **state);

/** The loop takes a turn. */
void turn(void);
/** A millisecond. */
void nap(void);
/** From now on the n-th call of the loop fails; 0: none any more. */
void let_fail(unsigned int n);
extern const char *what_failed; /**< After let_fail(0): which it was, or NULL. */
extern int errno_failed;        /**< Its errno. */

/** What the user has of it. */
uint64_t used(enum qm_dev_resource resource);
/** It has just that. */
void has(uint64_t memory, uint64_t files, uint64_t maps);
unsigned int connections(void);

/* ---- A client ---- */

/** Turns until the client can read something. */
void serve(int sock);
/** A request. @return The errno of the reply, 0: none, -1: the connection is closed. */
int ask(int sock, uint16_t cmd, const void *body, size_t len, int fd);
/** The same; the first max bytes of what it says go to answer, as far as there are some. */
int ask_for(int sock, uint16_t cmd, const void *body, size_t len, void *answer, size_t max);
int open_client(void);
/** Turns until so many are connected, and the user has that. */
void left_with(unsigned int conns, uint64_t files, uint64_t maps);
/** Waits until what connections that are over had is freed. */
void all_is_freed(void);
/** Turns until nobody is connected, and functions are gone. */
void all_gone(void);
void close_client(int sock);
int map(int sock, int fd, uint64_t iova, uint64_t size, uint64_t offset);
int unmap(int sock, uint64_t iova, uint64_t size);
int write_region(int sock, uint32_t region, uint64_t offset, const void *data, uint32_t len);
/** @return errno, or the mailbox's status from 0x100 on. */
int mailbox(int sock, uint16_t cmd, uint16_t qn, uint64_t base);

/* Steps of a connection, each with the same result as ask(). */
int say_version(int sock);
int map_memory(int sock);
int take_queue(int sock);
int set_irqs(int sock);
int doorbells(int sock);
int reset(int sock);
int unmap_memory(int sock);
/** A mailbox command while there is a queue, which may have to wait. */
int write_mailbox(int sock);

#endif /* IN_PROCESS_H */
