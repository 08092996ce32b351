/* SPDX-License-Identifier: Apache-2.0 */
#include "support.h"

#include "fake_cluster.h"

#include <stdlib.h>
#include <string.h>

#include "kube/client.h"
#include "util/mem.h"

char *fake_quoted(const char *text)
{
	char *copy = xstrdup(text);

	for (char *c = copy; c && *c; c++)
		if (*c == '\'')
			*c = '"';
	return copy;
}

json_t *fake_value(const char *text)
{
	auto_free char *json = fake_quoted(text);
	json_t *value = json_loads(json, 0, NULL);

	if (!value)
		fail_msg("not JSON: %s", json);
	return value;
}

struct fake_exchange *fake_cluster_say(struct fake_cluster *cluster, const char *path, int status, const char *body)
{
	struct fake_exchange *row = &cluster->rows[cluster->count];

	assert_true(cluster->count < FAKE_ROWS_MAX);
	cluster->bodies[cluster->count] = fake_quoted(body);
	*row = (struct fake_exchange){.path = path, .status = status, .body = cluster->bodies[cluster->count]};
	cluster->count++;
	return row;
}

void fake_cluster_say_times(struct fake_cluster *cluster, size_t times, const char *path, int status, const char *body)
{
	while (times-- > 0)
		(void)fake_cluster_say(cluster, path, status, body);
}

void fake_cluster_list(struct fake_cluster *cluster, const char *path, const char *version, const char *kind, const char *items)
{
	auto_free char *body =
		xasprintf("{'apiVersion':'%s','kind':'%sList','metadata':{'resourceVersion':'7'},'items':[%s]}", version, kind, items);

	(void)fake_cluster_say(cluster, path, 200, body);
}

void fake_cluster_hello(struct fake_cluster *cluster, const char *uid, const char *core_versions, const char *groups)
{
	static const char head[] = "{'kind':'APIGroupDiscoveryList','apiVersion':'apidiscovery.k8s.io/v2','metadata':{},'items':[";
	auto_free char *space = xasprintf("{'metadata':{'name':'kube-system','uid':'%s'}}", uid);
	auto_free char *core = xasprintf("%s{'metadata':{},'versions':[%s]}]}", head, core_versions);
	auto_free char *others = xasprintf("%s%s]}", head, groups);

	(void)fake_cluster_say(cluster, "GET /api/v1/namespaces/kube-system ", 200, space);
	(void)fake_cluster_say(cluster, "GET /version ", 200, "{'gitVersion':'v1.34.1'}");
	(void)fake_cluster_say(cluster, "GET /api ", 200, core);
	(void)fake_cluster_say(cluster, "GET /apis ", 200, others);
}

void fake_cluster_start(struct fake_cluster *cluster)
{
	struct error err = ERROR_INIT;

	cluster->api = fake_api_start(cluster->rows, cluster->count);
	cluster->config.server = xstrdup(fake_api_url(cluster->api));
	cluster->config.source = xstrdup("test");
	cluster->config.namespace_ = xstrdup("default");
	if (kube_client_new(&cluster->client, &cluster->config, &err) < 0)
		fail_msg("%s", err.text);
}

void fake_cluster_stop(struct fake_cluster *cluster)
{
	kube_client_free(cluster->client);
	fake_api_stop(cluster->api);
	free(cluster->config.server);
	free(cluster->config.source);
	free(cluster->config.namespace_);
	for (size_t i = 0; i < cluster->count; i++)
		free(cluster->bodies[i]);
	*cluster = (struct fake_cluster){0};
}

size_t fake_cluster_seen(const struct fake_cluster *cluster, const char *text)
{
	auto_free char *quoted = fake_quoted(text);

	return fake_api_seen(cluster->api, quoted);
}
