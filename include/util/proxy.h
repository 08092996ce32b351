/* SPDX-License-Identifier: Apache-2.0 */
/*
 * proxy - which proxy the environment names for an https request, by the rules of kubectl (Go's net/http): HTTPS_PROXY, but for the hosts of NO_PROXY.
 *
 * NO_PROXY is a list with commas: "*" (all hosts), an address, a network ("10.0.0.0/8"), a name (that host and all below it), ".name" or "*.name" (only those
 * below it); an address or a name may end in ":port". Lower-case variables stand in for upper-case ones that are not set. localhost and loopback addresses never
 * have a proxy. Names are not looked up.
 */
#ifndef RHAII_UTIL_PROXY_H
#define RHAII_UTIL_PROXY_H

/* The proxy's URL, borrowed from the environment, or NULL: none. host may be an IPv6 address in brackets; port in digits. */
const char *proxy_for_https(const char *host, const char *port);

#endif
