/* SPDX-License-Identifier: Apache-2.0 */
#include "support.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "util/proxy.h"

#define PROXY "http://user:pass@proxy.test:3128"

static int clear(void **state)
{
	static const char *const names[] = {
		"HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy", "NO_PROXY", "no_proxy"};

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		assert_int_equal(unsetenv(names[i]), 0);
	return 0;
}

static int set(void **state)
{
	return clear(state) < 0 ? -1 : setenv("HTTPS_PROXY", PROXY, 1);
}

static void assert_proxied(const char *host, const char *port)
{
	const char *proxy = proxy_for_https(host, port);

	if (!proxy || strcmp(proxy, PROXY) != 0)
		fail_msg("%s: %s", host, proxy ? proxy : "none");
}

static void assert_direct(const char *host, const char *port)
{
	const char *proxy = proxy_for_https(host, port);

	if (proxy)
		fail_msg("%s: %s", host, proxy);
}

static void test_without_a_variable_there_is_none(void **state)
{
	(void)clear(state);
	assert_direct("example.com", "443");
	/* For http, and so general that nobody thinks of the credentials in there. */
	assert_int_equal(setenv("HTTP_PROXY", PROXY, 1), 0);
	assert_int_equal(setenv("http_proxy", PROXY, 1), 0);
	assert_int_equal(setenv("ALL_PROXY", PROXY, 1), 0);
	assert_direct("example.com", "443");
}

static void test_upper_case_comes_first(void **state)
{
	(void)clear(state);
	assert_int_equal(setenv("https_proxy", PROXY, 1), 0);
	assert_proxied("example.com", "443");
	assert_int_equal(setenv("HTTPS_PROXY", "http://other", 1), 0);
	assert_string_equal(proxy_for_https("example.com", "443"), "http://other");
	assert_int_equal(setenv("no_proxy", "example.com", 1), 0);
	assert_direct("example.com", "443");
	assert_int_equal(setenv("NO_PROXY", "example.org", 1), 0);
	assert_string_equal(proxy_for_https("example.com", "443"), "http://other");
}

static void test_loopback_has_none(void **state)
{
	static const char *const hosts[] = {
		"localhost", "LOCALHOST", "localhost.", "a.localhost", "127.0.0.1", "127.255.1.2", "[::1]", "::1", "[::ffff:127.0.0.1]"};
	static const char *const others[] = {
		"localhost.example.com", "notlocalhost", "128.0.0.1", "10.127.0.0", "[::2]", "[::]", "0.0.0.0"};

	(void)state;
	for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++)
		assert_direct(hosts[i], "443");
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		assert_proxied(others[i], "443");
}

/* The rules of golang.org/x/net/http/httpproxy. */
static void test_no_proxy(void **state)
{
	static const struct {
		const char *list, *host;
		bool direct;
	} cases[] = {
		{"*", "example.com", true},
		{"a,*", "10.0.0.1", true},
		{"example.com", "example.com", true},
		{"example.com", "EXAMPLE.com.", true},
		{"example.com", "a.b.example.com", true},
		{"example.com", "notexample.com", false},
		{"example.com", "example.com.evil", false},
		{".example.com", "example.com", false},
		{".example.com", "a.example.com", true},
		{"*.example.com", "a.example.com", true},
		{"*.example.com", "example.com", false},
		{" a , example.com ", "example.com", true},
		{"example.com:6443", "example.com", true},
		{"example.com:443", "example.com", false},
		{"10.0.0.1", "10.0.0.1", true},
		{"10.0.0.1", "10.0.0.10", false},
		{"10.0.0.1:6443", "10.0.0.1", true},
		{"10.0.0.1:443", "10.0.0.1", false},
		{"10.0.0.0/8", "10.200.0.1", true},
		{"10.0.0.0/8", "11.0.0.1", false},
		{"10.64.0.0/10", "10.127.255.255", true},
		{"10.64.0.0/10", "10.128.0.0", false},
		{"10.0.0.1/32", "10.0.0.1", true},
		{"0.0.0.0/0", "9.9.9.9", true},
		{"0.0.0.0/0", "[2001:db8::1]", false},
		{"0.0.0.0/0", "example.com", false},
		{"::/0", "9.9.9.9", false},
		{"2001:db8::/32", "[2001:db8:5::1]", true},
		{"2001:db8::1", "[2001:db8::1]", true},
		{"[2001:db8::1]:6443", "[2001:db8::1]", true},
		{"[2001:db8::1]:443", "[2001:db8::1]", false},
		{"10.0.0.0/33", "10.0.0.0", false},
		{"10.0.0.0/-1", "10.0.0.0", false},
		{"10.0.0.0/", "10.0.0.0", false},
		{"10.0.0.0/8x", "10.0.0.0", false},
		{"/", "example.com", false},
		{":", "example.com", false},
		{".", "example.com", false},
		{"*.", "example.com", false},
		{"[", "example.com", false},
		{"[]", "example.com", false},
		{",,", "example.com", false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(setenv("NO_PROXY", cases[i].list, 1), 0);
		if (!proxy_for_https(cases[i].host, "6443") != cases[i].direct)
			fail_msg("'%s' and '%s'", cases[i].list, cases[i].host);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_without_a_variable_there_is_none, set, clear),
		cmocka_unit_test_setup_teardown(test_upper_case_comes_first, set, clear),
		cmocka_unit_test_setup_teardown(test_loopback_has_none, set, clear),
		cmocka_unit_test_setup_teardown(test_no_proxy, set, clear),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
