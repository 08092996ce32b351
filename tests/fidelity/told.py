# SPDX-License-Identifier: Apache-2.0
"""told.py OBJECTS <LIST: what an API server tells about random objects ("kubectl get -o json"), one a line and sorted, without what it alone writes and
what a restore leaves out. OBJECTS is what "rhaii-cluster random" printed. Of its namespaces only, and not of what a snapshot need not hold."""
import json
import sys


def place(o):
    meta = o["metadata"]
    return o["apiVersion"].split("/")[0], o["kind"], meta.get("namespace", ""), meta["name"]


spaces, others = set(), set()
with open(sys.argv[1], encoding="utf-8") as lines:
    for line in lines:
        o = json.loads(line)
        if o["object"]["kind"] == "Namespace":
            spaces.add(o["object"]["metadata"]["name"])
        elif not o["captured"]:
            others.add(place(o["object"]))

of_every_namespace = {("v1", "ConfigMap", "kube-root-ca.crt"), ("v1", "ServiceAccount", "default")}
told = []
for o in json.load(sys.stdin)["items"]:
    group, kind, ns, name = place(o)
    if (name if kind == "Namespace" else ns) not in spaces or (group, kind, name) in of_every_namespace or (len(sys.argv) > 2) != ((group, kind, ns, name) in others):
        continue
    if any(owner.get("controller") for owner in o["metadata"].get("ownerReferences", [])):
        continue
    for key in ("uid", "resourceVersion", "generation", "creationTimestamp", "finalizers", "managedFields"):
        o["metadata"].pop(key, None)
    o["metadata"].get("annotations", {}).pop("kubectl.kubernetes.io/last-applied-configuration", None)
    if not o["metadata"].get("annotations", True):
        del o["metadata"]["annotations"]
    o.pop("status", None)
    told.append((group, kind, ns, name, json.dumps(o, sort_keys=True)))
for o in sorted(told):
    print("\t".join(json.dumps(part) for part in o[:4]), o[4], sep="\t")
