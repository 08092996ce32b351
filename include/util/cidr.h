/* SPDX-License-Identifier: Apache-2.0 */
/* cidr - nets and addresses of IPv4 and IPv6 as text: "10.0.0.0/8", or "10.1.2.3", which is a net of one address. */
#ifndef RHAII_UTIL_CIDR_H
#define RHAII_UTIL_CIDR_H

#include <stdbool.h>
#include <stddef.h>

struct cidr {
	size_t bytes; /* of the address: 4 or 16 */
	unsigned char address[16];
	unsigned bits; /* of its prefix */
	bool bare;     /* written without it */
};
#define CIDR_TEXT_SIZE 64

/* 0, or -1 when it is none. */
int cidr_parse(struct cidr *out, const char *text);
bool cidr_contains(const struct cidr *net, const struct cidr *inner);
/* What lies in `from` (cidr_contains), at the same place of `to`, whose prefix is as long. */
struct cidr cidr_move(const struct cidr *inner, const struct cidr *to);
const char *cidr_text(const struct cidr *cidr, char text[CIDR_TEXT_SIZE]);

#endif
