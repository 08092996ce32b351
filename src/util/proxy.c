/* SPDX-License-Identifier: Apache-2.0 */
#include "util/proxy.h"

#include <arpa/inet.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "util/env.h"
#include "util/mem.h"

#define V4_BITS 32
#define V6_BITS 128

/* IPv4 addresses as IPv6 ones that map them: one length for all. */
struct address {
	unsigned char bytes[16];
	bool is_v4;
};

struct target {
	char *host; /* without brackets and without a dot at its end */
	const char *port;
	bool is_address;
	struct address address;
};

/* ---- addresses ---- */

static bool address_read(struct address *out, const char *text)
{
	static const unsigned char mapped[12] = {[10] = 0xFF, [11] = 0xFF};

	if (inet_pton(AF_INET6, text, out->bytes) == 1) {
		out->is_v4 = memcmp(out->bytes, mapped, sizeof(mapped)) == 0;
		return true;
	}
	memcpy(out->bytes, mapped, sizeof(mapped));
	out->is_v4 = true;
	return inet_pton(AF_INET, text, out->bytes + sizeof(mapped)) == 1;
}

static bool is_loopback(const struct address *address)
{
	static const unsigned char v6[16] = {[15] = 1};

	return address->is_v4 ? address->bytes[12] == 127 : memcmp(address->bytes, v6, sizeof(v6)) == 0;
}

/* Whether the first bits of both are the same. */
static bool same_bits(const unsigned char *a, const unsigned char *b, int bits)
{
	int bytes = bits / 8, rest = bits % 8;

	if (memcmp(a, b, (size_t)bytes) != 0)
		return false;
	return rest == 0 || (a[bytes] ^ b[bytes]) >> (8 - rest) == 0;
}

/* "10.0.0.0/8". */
static bool is_in_network(const struct target *target, char *text)
{
	char *slash = strchr(text, '/'), *end;
	struct address network;
	long bits, most;

	if (!slash || !target->is_address)
		return false;
	*slash = '\0';
	bits = strtol(slash + 1, &end, 10);
	if (end == slash + 1 || *end || !address_read(&network, text) || network.is_v4 != target->address.is_v4)
		return false;
	most = network.is_v4 ? V4_BITS : V6_BITS;
	return bits >= 0 && bits <= most && same_bits(network.bytes, target->address.bytes, (int)(bits + V6_BITS - most));
}

/* ---- names ---- */

/* Cut the brackets of an IPv6 address off. */
static char *unbracket(char *host)
{
	size_t len = strlen(host);

	if (len < 2 || host[0] != '[' || host[len - 1] != ']')
		return host;
	host[len - 1] = '\0';
	return host + 1;
}

/* The port behind "host:" or "[address]:", cut off; NULL: none. An address without brackets has colons of its own. */
static char *cut_port(char *text)
{
	char *colon = strrchr(text, ':');

	if (!colon || (colon != strchr(text, ':') && colon[-1] != ']'))
		return NULL;
	*colon = '\0';
	return colon + 1;
}

/* The name, or one below it; ".name" and "*.name" are only those below. */
static bool is_below(const char *host, const char *name)
{
	bool itself = true;
	size_t len, name_len;

	if (strncmp(name, "*.", 2) == 0)
		name++;
	if (*name == '.') {
		itself = false;
		name++;
	}
	len = strlen(host);
	name_len = strlen(name);
	if (name_len == 0 || len < name_len || strcasecmp(host + len - name_len, name) != 0)
		return false;
	return len == name_len ? itself : host[len - name_len - 1] == '.';
}

/* ---- NO_PROXY ---- */

static bool is_named(const struct target *target, char *entry)
{
	struct address address;
	const char *port, *name;

	if (strcmp(entry, "*") == 0)
		return true;
	if (strchr(entry, '/'))
		return is_in_network(target, entry);
	port = cut_port(entry);
	name = unbracket(entry);
	if (port && *port && strcmp(port, target->port) != 0)
		return false;
	if (address_read(&address, name))
		return target->is_address && memcmp(address.bytes, target->address.bytes, sizeof(address.bytes)) == 0;
	return !target->is_address && is_below(target->host, name);
}

static bool is_excepted(const struct target *target, const char *list)
{
	auto_free char *copy = xstrdup(list);
	char *rest = NULL;

	for (char *entry = strtok_r(copy, ", \t", &rest); entry; entry = strtok_r(NULL, ", \t", &rest))
		if (is_named(target, entry))
			return true;
	return false;
}

/* ---- together ---- */

static const char *either(const char *upper, const char *lower)
{
	const char *value = env_get(upper);

	return value ? value : env_get(lower);
}

const char *proxy_for_https(const char *host, const char *port)
{
	auto_free char *copy = xstrdup(host);
	struct target target = {.host = unbracket(copy), .port = port};
	const char *proxy = either("HTTPS_PROXY", "https_proxy"), *except = either("NO_PROXY", "no_proxy");
	size_t len = strlen(target.host);

	if (len > 1 && target.host[len - 1] == '.')
		target.host[len - 1] = '\0';
	target.is_address = address_read(&target.address, target.host);
	if (!proxy || is_below(target.host, "localhost") || (target.is_address && is_loopback(&target.address)))
		return NULL;
	return except && is_excepted(&target, except) ? NULL : proxy;
}
