# SPDX-License-Identifier: Apache-2.0
"""
pyyaml - read YAML with PyYAML (YAML 1.1) and say where that is another value than is claimed.

pyyaml.py python|libyaml: PyYAML's own scanner, which has nothing in common with libyaml's, or libyaml below PyYAML's rules for plain scalars.
Input and output are those of tests/cluster/kserve/cmd/yaml-reader.
"""
import json
import sys

import yaml

SHOWN_MAX = 20
LOADERS = {"python": "SafeLoader", "libyaml": "CSafeLoader"}


def first_difference(want, got, path=""):
    """Empty where the two are the same, types included."""
    if type(want) is type(got):
        if isinstance(want, dict) and want.keys() == got.keys():
            return next(filter(None, (first_difference(want[key], got[key], f"{path}[{key!r:.200}]") for key in want)), "")
        if isinstance(want, list) and len(want) == len(got):
            return next(filter(None, (first_difference(a, b, f"{path}[{i}]") for i, (a, b) in enumerate(zip(want, got)))), "")
        if want == got and not isinstance(want, (dict, list)):
            return ""
    if isinstance(want, float) and isinstance(got, int) and abs(got) >= 2**63 and want == float(got):
        return ""  # what int64 cannot hold is a double to Kubernetes
    return f"{path}: read as {got!r:.200}, claimed is {want!r:.200}"


def main():
    loader = getattr(yaml, LOADERS[sys.argv[1]])
    fields = sys.stdin.buffer.read().split(b"\0")[:-1]
    counts = dict.fromkeys(("read", "differ", "refused", "not claimed"), 0)

    def show(count, what, text):
        counts[count] += 1
        if counts["differ"] + counts["refused"] <= SHOWN_MAX:
            print(f"{what}\n  in {text!r:.500}")

    for claimed, text in zip(fields[::2], fields[1::2], strict=True):
        if not claimed:
            counts["not claimed"] += 1
            continue
        counts["read"] += 1
        try:
            read = yaml.load(text.decode("utf-8"), loader)
        except (yaml.YAMLError, ValueError) as fault:
            show("refused", f"refused: {fault}", text)
            continue
        what = first_difference(json.loads(claimed), read)
        if what:
            show("differ", what, text)
    print(", ".join(f"{number} {count}" for count, number in counts.items()))


main()
