#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The files of a snapshot's objects/ as lines for raw_post: cluster-scoped ones, an empty line, the others."""
import json
import os
import sys

import yaml

loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def files(top):
	for folder, folders, names in os.walk(top):
		folders.sort()
		for name in sorted(names):
			yield os.path.join(folder, name)


def line(path):
	with open(path, encoding="utf-8") as file:
		body = yaml.load(file, loader)
	version, space = body["apiVersion"], body["metadata"].get("namespace")
	plural = os.path.basename(os.path.dirname(path)).split(".")[0]
	return "%s/%s%s/%s\t%s" % ("/apis" if "/" in version else "/api", version, "/namespaces/" + space if space else "", plural,
		json.dumps(body, separators=(",", ":")))


for part in ("cluster", "namespaces"):
	for path in files(os.path.join(sys.argv[1], part)):
		print(line(path))
	print()
