/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#ifndef TEST_VFIO_USER_UTIL_H
#define TEST_VFIO_USER_UTIL_H

/**
 * @file
 * A server with a small device in a thread of its own, and a client that speaks
 * raw bytes, for the tests of vfio_user. Beside the client under test there is
 * always another one, the victim, which must notice nothing.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "qm_dev.h"
#include "vfio_user_server.h"

#define VT_BAR2     2u     /**< 64 KiB of memory, read and write. */
#define VT_BAR2_LEN 65536u
#define VT_RO       4u     /**< 4 KiB that can only be read. */
#define VT_SPARSE   5u     /**< 64 KiB, of which two pages can be mapped. */
#define VT_DOORBELL 9u     /**< 8 KiB, "spim" only, mapped in whole. */
#define VT_REGIONS  10u
#define VT_MSI      4u     /**< Vectors of MSI. */
#define VT_TIMEOUT_MS 5000 /**< A test that waits so long has failed. */

/** What the owner has seen; the newest connection that did something. */
struct vt_seen {
	_Atomic unsigned int connected, negotiated, closed, dma_map, dma_unmap, reset, irqs, write;
	_Atomic uint32_t enabled;
	_Atomic uint64_t iova, size;
	_Atomic int fd; /**< 1: one came, 0: none. */
	_Atomic unsigned int lines; /**< Log lines. */
	_Atomic unsigned int held;  /**< Descriptors kept for connections now. */
};

/** A server in a thread. */
struct vt {
	struct vfio_user_server *server;
	char dir[32];
	char path[64];
	struct vt_seen seen;
	struct qm_dev_limits limits; /**< For those who connect from now on. */
	_Atomic bool keep;    /**< Connections that are over are not released. */
	_Atomic bool defer;   /**< Operations that can are deferred... */
	_Atomic(struct vfio_user_conn *) deferred; /**< ...here. */
	_Atomic(struct vfio_user_conn *) last; /**< Connected last. */
	_Atomic int fail;     /**< Operations return that. */
	_Atomic unsigned int held_max; /**< Most of seen.held; 0: no bound. */
	char line[512];       /**< Last log line; after vt_call() it is complete. */
	int mem_fd;           /**< Of regions that are mapped. */
	int victim;           /**< Socket. */
	unsigned int fds;     /**< Open before. */
	long blocks;          /**< Of memory, allocated before. */
	unsigned int inherited; /**< Of those, what a program executed by us would have. */
	void *thread;
};

/** Start; conf: further settings or NULL. */
void vt_start(struct vt *t, const struct vfio_user_server_conf *conf);
/** The victim is well; everything is back to where it was; stop. */
void vt_stop(struct vt *t);
/** Run f in the loop thread and wait for it. */
void vt_call(struct vt *t, void (*f)(struct vt *t, void *arg), void *arg);
/** The victim's accesses work. */
void vt_victim_works(struct vt *t);
/** Wait until only the victim is connected and everybody else was released. */
void vt_only_victim(struct vt *t);
/** Wait until *v is at least want. */
void vt_wait(_Atomic unsigned int *v, unsigned int want);
/** Counters of the newest connection. */
struct vfio_user_conn_stats vt_stats(struct vt *t);
/** Its memory, which is the owner's. */
struct vt_memory {
	uint32_t maps, files;
	uint64_t mapped; /**< Bytes of files. */
};
struct vt_memory vt_memory(struct vt *t);
/** Where this process sees it; NULL: nowhere. */
void *vt_memory_at(struct vt *t, uint64_t iova, uint64_t len);

/** Of a server that the test runs itself, turn by turn: a device of one page, with the least. */
extern const struct vfio_user_ops vt_plain_ops;
/** Connect to such a server, which takes a turn. @return The client's socket. */
int vt_join(struct vfio_user_server *s);
/** The same, and VERSION. */
int vt_joined(struct vfio_user_server *s);

/** Raw client. */
int vt_connect(struct vt *t);
/** Connect and say VERSION. */
int vt_open(struct vt *t);
/** VERSION with these capabilities; the answer's text goes to text (4096 bytes) if not NULL. */
void vt_version(int sock, const char *caps, char *text);
/** Send bytes and fds as they are. */
void vt_raw(int sock, const void *buf, size_t len, const int *fds, unsigned int nfds);
/**
 * A server's answer to req: len bytes, at most 1000, and descriptors beside them. Any thread.
 * @return Whether it was sent whole.
 */
bool vt_answer(int sock, const struct vfio_user_hdr *req, const void *body, size_t len,
		const int *fds, unsigned int nfds);
/** Send a message with a right header. @return its id. */
uint16_t vt_send(int sock, uint16_t cmd, uint32_t flags, const void *body, size_t len,
		const int *fds, unsigned int nfds);
/** Receive a message; at most max bytes of body. @return length of body. */
size_t vt_recv(int sock, struct vfio_user_hdr *hdr, void *body, size_t max, int *fd);
/** The next message is the answer to id, without error; its body. */
size_t vt_ok(int sock, uint16_t id, void *body, size_t max);
/** The next message is the answer to id with that (positive) error. */
void vt_error(int sock, uint16_t id, int error);
/** The server has closed. */
void vt_closed(int sock);
/** Send, expect the error, see that one line was written and that the connection goes on. */
void vt_refused(struct vt *t, int sock, uint16_t cmd, const void *body, size_t len, const int *fds,
		unsigned int nfds, int error);
/** Region accesses. */
void vt_write32(int sock, uint32_t region, uint64_t offset, uint32_t value);
uint32_t vt_read32(int sock, uint32_t region, uint64_t offset);
/** DMA_MAP with fd (-1: none), expected to give error (0: to succeed). */
void vt_map(int sock, uint64_t iova, uint64_t size, int fd, uint64_t offset, int error);
/** DMA_UNMAP. @return bytes. */
uint64_t vt_unmap(int sock, uint64_t iova, uint64_t size, int error);
/** A memfd of so many bytes. */
int vt_memfd(uint64_t size);
/** Open fds of the process. */
unsigned int vt_fds(void);
/** Open fds that a program executed by this process would have: none of the server's may be. */
unsigned int vt_inherited(void);
/** As many are open as before; but for those that an emulator is known to lose. */
void vt_fds_back(unsigned int before);
/** Mappings of this process whose name has that in it. */
unsigned int vt_mappings(const char *name);

#endif /* TEST_VFIO_USER_UTIL_H */
