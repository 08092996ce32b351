/* SPDX-License-Identifier: Apache-2.0 */
#include "util/cidr.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int parse_bits(struct cidr *out, const char *text)
{
	char *end;
	unsigned long bits;

	if (!isdigit((unsigned char)*text))
		return -1;
	bits = strtoul(text, &end, 10);
	if (*end || bits > out->bytes * 8)
		return -1;
	out->bits = (unsigned)bits;
	return 0;
}

int cidr_parse(struct cidr *out, const char *text)
{
	const char *slash = strchr(text, '/');
	size_t len = slash ? (size_t)(slash - text) : strlen(text);
	char address[INET6_ADDRSTRLEN];

	*out = (struct cidr){.bare = !slash};
	if (len >= sizeof(address))
		return -1;
	memcpy(address, text, len);
	address[len] = '\0';
	out->bytes = strchr(address, ':') ? 16 : 4;
	out->bits = (unsigned)out->bytes * 8;
	if (inet_pton(out->bytes == 16 ? AF_INET6 : AF_INET, address, out->address) != 1)
		return -1;
	return slash ? parse_bits(out, slash + 1) : 0;
}

/* The bits of this byte that the prefix covers. */
static unsigned char mask_of(unsigned bits, size_t byte)
{
	unsigned before = (unsigned)byte * 8;

	if (bits >= before + 8)
		return 0xff;
	return bits <= before ? 0 : (unsigned char)(0xff << (before + 8 - bits));
}

bool cidr_contains(const struct cidr *net, const struct cidr *inner)
{
	if (net->bytes != inner->bytes || net->bits > inner->bits)
		return false;
	for (size_t i = 0; i < net->bytes; i++)
		if ((net->address[i] ^ inner->address[i]) & mask_of(net->bits, i))
			return false;
	return true;
}

struct cidr cidr_move(const struct cidr *inner, const struct cidr *to)
{
	struct cidr moved = *inner;

	for (size_t i = 0; i < to->bytes; i++) {
		unsigned char mask = mask_of(to->bits, i);

		moved.address[i] = (unsigned char)((to->address[i] & mask) | (inner->address[i] & (unsigned char)~mask));
	}
	return moved;
}

const char *cidr_text(const struct cidr *cidr, char text[CIDR_TEXT_SIZE])
{
	char address[INET6_ADDRSTRLEN] = "";

	(void)inet_ntop(cidr->bytes == 16 ? AF_INET6 : AF_INET, cidr->address, address, sizeof(address));
	if (cidr->bare)
		(void)snprintf(text, CIDR_TEXT_SIZE, "%s", address);
	else
		(void)snprintf(text, CIDR_TEXT_SIZE, "%s/%u", address, cidr->bits);
	return text;
}
