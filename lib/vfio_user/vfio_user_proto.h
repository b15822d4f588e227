/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#ifndef VFIO_USER_PROTO_H
#define VFIO_USER_PROTO_H

/**
 * @file
 * The vfio-user protocol, version 0.0, as it is on the wire: a stream unix
 * socket between a client (QEMU, a driver) and a server (the device). Either
 * side sends requests; both number theirs independently. All fields are in the
 * byte order of the host; file descriptors travel beside a message (SCM_RIGHTS).
 *
 * A device is seen as vfio shows it: regions (BARs, config space), interrupt
 * indexes with vectors, and a map of the client's memory, in which addresses
 * of the device (IOVA) mean something.
 */

#include <stdint.h>

#define VFIO_USER_MAJOR 0u
#define VFIO_USER_MINOR 0u /**< QEMU 11.1 refuses a reply with a greater one. */

#define VFIO_USER_FDS_MAX        16u      /**< File descriptors beside one message. */
#define VFIO_USER_VERSION_MAX    4096u    /**< Most bytes of a VERSION request or reply. */
#define VFIO_USER_XFER_MAX       1048576u /**< Most data bytes of a message, if nobody says less. */
#define VFIO_USER_DMA_MAPS_MAX   65535u   /**< Maps, if nobody says less. */
#define VFIO_USER_PAGE           4096u    /**< Maps are made of whole pages of this size. */

/** What a message asks for. */
enum vfio_user_cmd {
	VFIO_USER_VERSION = 1,              /**< First message of a connection. */
	VFIO_USER_DMA_MAP = 2,              /**< Memory becomes visible to the device. */
	VFIO_USER_DMA_UNMAP = 3,            /**< And is taken back. */
	VFIO_USER_DEVICE_GET_INFO = 4,
	VFIO_USER_DEVICE_GET_REGION_INFO = 5,
	VFIO_USER_DEVICE_GET_REGION_IO_FDS = 6,
	VFIO_USER_DEVICE_GET_IRQ_INFO = 7,
	VFIO_USER_DEVICE_SET_IRQS = 8,
	VFIO_USER_REGION_READ = 9,
	VFIO_USER_REGION_WRITE = 10,
	VFIO_USER_DMA_READ = 11,            /**< Server to client; ours sends none. */
	VFIO_USER_DMA_WRITE = 12,           /**< The same. */
	VFIO_USER_DEVICE_RESET = 13,
	VFIO_USER_DIRTY_PAGES = 14,
	VFIO_USER_REGION_WRITE_MULTI = 15,  /**< Only if the server offers write_multiple. */
	VFIO_USER_DEVICE_FEATURE = 16,
	VFIO_USER_MIG_DATA_READ = 17,
	VFIO_USER_MIG_DATA_WRITE = 18,
	VFIO_USER_CMD_END,
};

/* Flags of a message. */
#define VFIO_USER_F_TYPE     0xfu  /**< Mask: */
#define VFIO_USER_F_REQUEST  0x0u
#define VFIO_USER_F_REPLY    0x1u
#define VFIO_USER_F_NO_REPLY 0x10u /**< Request: must not be answered (a posted write). */
#define VFIO_USER_F_ERROR    0x20u /**< Reply: error is valid and nothing follows the header. */

/** First 16 bytes of every message. */
struct vfio_user_hdr {
	uint16_t id;    /**< A reply has its request's. */
	uint16_t cmd;   /**< enum vfio_user_cmd. */
	uint32_t size;  /**< Of the message in bytes, this header included. */
	uint32_t flags; /**< VFIO_USER_F_*. */
	uint32_t error; /**< A positive errno. */
};

/** VERSION, both ways. Capabilities follow as JSON text that ends with a NUL. */
struct vfio_user_version {
	uint16_t major;
	uint16_t minor;
};

#define VFIO_USER_DMA_F_READ  0x1u /**< The device may read. */
#define VFIO_USER_DMA_F_WRITE 0x2u /**< The device may write. */

/** DMA_MAP. With one fd: bytes [offset, offset + size) of that file; without: by message. */
struct vfio_user_dma_map {
	uint32_t argsz; /**< sizeof of this. */
	uint32_t flags; /**< VFIO_USER_DMA_F_*. */
	uint64_t offset;
	uint64_t iova;
	uint64_t size;  /**< Bytes. */
};

#define VFIO_USER_UNMAP_F_BITMAP 0x1u /**< Return dirty pages; not supported. */
#define VFIO_USER_UNMAP_F_ALL    0x2u /**< All maps; iova and size are 0. */

/** DMA_UNMAP: all maps that lie in the range. The reply has the sum of their sizes in size. */
struct vfio_user_dma_unmap {
	uint32_t argsz;
	uint32_t flags;
	uint64_t iova;
	uint64_t size;
};

#define VFIO_USER_DEVICE_F_RESET 0x1u /**< DEVICE_RESET works. */
#define VFIO_USER_DEVICE_F_PCI   0x2u /**< Regions and interrupts are numbered as PCI's below. */

/** DEVICE_GET_INFO, both ways. */
struct vfio_user_device_info {
	uint32_t argsz;
	uint32_t flags;
	uint32_t num_regions;
	uint32_t num_irqs;
};

/** Regions of a PCI device. */
enum vfio_user_pci_region {
	VFIO_USER_PCI_BAR0, VFIO_USER_PCI_BAR1, VFIO_USER_PCI_BAR2,
	VFIO_USER_PCI_BAR3, VFIO_USER_PCI_BAR4, VFIO_USER_PCI_BAR5,
	VFIO_USER_PCI_ROM,
	VFIO_USER_PCI_CONFIG,
	VFIO_USER_PCI_VGA,
	VFIO_USER_PCI_REGIONS,
};

/** Interrupt indexes of a PCI device. */
enum vfio_user_pci_irq {
	VFIO_USER_PCI_INTX, VFIO_USER_PCI_MSI, VFIO_USER_PCI_MSIX, VFIO_USER_PCI_ERR,
	VFIO_USER_PCI_REQ, VFIO_USER_PCI_IRQS,
};

#define VFIO_USER_REGION_F_READ  0x1u
#define VFIO_USER_REGION_F_WRITE 0x2u
#define VFIO_USER_REGION_F_MMAP  0x4u /**< Or parts of it; one fd comes with the reply. */
#define VFIO_USER_REGION_F_CAPS  0x8u /**< Capabilities follow, at cap_offset. */

/** DEVICE_GET_REGION_INFO, both ways. */
struct vfio_user_region_info {
	uint32_t argsz;      /**< Request: room for this and what follows; reply: what is needed. */
	uint32_t flags;      /**< VFIO_USER_REGION_F_*. */
	uint32_t index;
	uint32_t cap_offset; /**< From the start of this struct; 0: none. */
	uint64_t size;       /**< Bytes; 0: there is no such region. */
	uint64_t offset;     /**< Where the region begins in the file that came. */
};

#define VFIO_USER_CAP_SPARSE_MMAP 1u

/** A capability of a region: which parts of it may be mapped. Areas follow. */
struct vfio_user_cap_sparse {
	uint16_t id;      /**< VFIO_USER_CAP_SPARSE_MMAP. */
	uint16_t version; /**< 1. */
	uint32_t next;    /**< Offset of the next capability; 0: none. */
	uint32_t nr_areas;
	uint32_t reserved;
};

/** One part that may be mapped, in whole pages. */
struct vfio_user_area {
	uint64_t offset; /**< In the region. */
	uint64_t size;   /**< Bytes. */
};

#define VFIO_USER_IRQ_F_EVENTFD    0x1u
#define VFIO_USER_IRQ_F_MASKABLE   0x2u
#define VFIO_USER_IRQ_F_AUTOMASKED 0x4u
#define VFIO_USER_IRQ_F_NORESIZE   0x8u

/** DEVICE_GET_IRQ_INFO, both ways. */
struct vfio_user_irq_info {
	uint32_t argsz;
	uint32_t flags; /**< VFIO_USER_IRQ_F_*. */
	uint32_t index;
	uint32_t count; /**< Vectors; 0: there is no such interrupt. */
};

/* Exactly one of the first three and one of the others. */
#define VFIO_USER_SET_F_NONE    0x1u  /**< No data: all vectors in the range. */
#define VFIO_USER_SET_F_BOOL    0x2u  /**< One byte for each vector follows: which of them. */
#define VFIO_USER_SET_F_EVENTFD 0x4u  /**< One eventfd for each vector comes, or none at all. */
#define VFIO_USER_SET_F_DATA    0x7u
#define VFIO_USER_SET_F_MASK    0x8u
#define VFIO_USER_SET_F_UNMASK  0x10u
#define VFIO_USER_SET_F_TRIGGER 0x20u /**< With eventfds: set them; NONE, count 0: disable all. */
#define VFIO_USER_SET_F_ACTION  0x38u

/** DEVICE_SET_IRQS. */
struct vfio_user_irq_set {
	uint32_t argsz;
	uint32_t flags; /**< VFIO_USER_SET_F_*. */
	uint32_t index;
	uint32_t start; /**< First vector. */
	uint32_t count; /**< Vectors. */
};

/** REGION_READ and REGION_WRITE, both ways; the data of a write or of a read's reply follows. */
struct vfio_user_region_rw {
	uint64_t offset; /**< In the region. */
	uint32_t region;
	uint32_t count;  /**< Bytes. */
};

#define VFIO_USER_MULTI_MAX  200u /**< Most writes in one REGION_WRITE_MULTI. */
#define VFIO_USER_MULTI_DATA 8u   /**< Most bytes of each. */

/** One write of a REGION_WRITE_MULTI. */
struct vfio_user_multi_one {
	uint64_t offset;
	uint32_t region;
	uint32_t count; /**< 1 to VFIO_USER_MULTI_DATA. */
	uint8_t data[VFIO_USER_MULTI_DATA];
};

/** REGION_WRITE_MULTI: cnt writes follow. */
struct vfio_user_multi {
	uint64_t cnt;
};

_Static_assert(sizeof(struct vfio_user_hdr) == 16, "wire");
_Static_assert(sizeof(struct vfio_user_version) == 4, "wire");
_Static_assert(sizeof(struct vfio_user_dma_map) == 32, "wire");
_Static_assert(sizeof(struct vfio_user_dma_unmap) == 24, "wire");
_Static_assert(sizeof(struct vfio_user_device_info) == 16, "wire");
_Static_assert(sizeof(struct vfio_user_region_info) == 32, "wire");
_Static_assert(sizeof(struct vfio_user_cap_sparse) == 16, "wire");
_Static_assert(sizeof(struct vfio_user_irq_info) == 16, "wire");
_Static_assert(sizeof(struct vfio_user_irq_set) == 20, "wire");
_Static_assert(sizeof(struct vfio_user_region_rw) == 16, "wire");
_Static_assert(sizeof(struct vfio_user_multi_one) == 24, "wire");

/**
 * Our own addition, negotiated in VERSION under the name "spim" and ignored by
 * everybody else: {"version":1} from a client that knows it; a server that does
 * too answers {"version":1,"doorbell_region":r,"wake_region":r,"wake_offset":o}.
 *
 * doorbell_region is a further region, which only such a client sees (so that a
 * client that does not, QEMU, finds no region to map and keeps its writes
 * posted). It can be mapped in whole; what lies in it is a matter between driver
 * and device. A client that stored there and finds the device asleep wakes it
 * with a posted REGION_WRITE of 4 bytes to wake_region at wake_offset.
 */
struct vfio_user_spim {
	uint32_t doorbell_region; /**< Index of the region. */
	uint32_t wake_region;     /**< Region of the wake-up register. */
	uint64_t wake_offset;     /**< And its offset there, in bytes. */
};

#define VFIO_USER_SPIM_VERSION 1u

#endif /* VFIO_USER_PROTO_H */
