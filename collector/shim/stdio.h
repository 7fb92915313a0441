/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef IPCTAP_SHIM_STDIO_H
#define IPCTAP_SHIM_STDIO_H

/* The program ends: what is left in its streams is written out, and told of. */
void shim_stdio_end(void);

#endif
