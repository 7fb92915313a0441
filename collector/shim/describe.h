/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What user space can know of an object: the same ids, addresses and names that the probes tell. */
#ifndef IPCTAP_SHIM_DESCRIBE_H
#define IPCTAP_SHIM_DESCRIBE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "lib/abi/raw.h"

/* A socket whose peer is not known by number; a connection all the same (raw_object.peer_sk). */
#define SHIM_PEER_UNKNOWN (~0ULL)

/*
 * Fills in *o, zeroed before, for the descriptor, all but the stamp; false: it is no channel. A
 * unix connection's peer is asked of the kernel when `flags` of the caller say that it is new
 * (RAW_ACCEPTED): shim_describe_peer.
 */
bool shim_describe_fd(int fd, struct raw_object *o);

/*
 * Where a connect goes that is under way, or was to go that failed, of a socket that *o, from
 * shim_describe_fd, tells nothing else of. false: it does, or that is no address. The kernel must have read
 * `addr` before.
 */
bool shim_describe_target(struct raw_object *o, const void *addr, socklen_t len);

/* The file as something to map or to lock: device, inode, and its path's components. */
bool shim_describe_file(int fd, uint16_t kind, struct raw_object *o);

/* Its name from a path, as the probes tell it: components, the last one first, a NUL after each. */
void shim_name_path(struct raw_object *o, const char *path, size_t len);

/* The number of the socket that the unix socket of this number is connected to; 0: not known. */
uint64_t shim_unix_peer(uint64_t ino);

uint32_t shim_ipc_ns(void);

#endif
