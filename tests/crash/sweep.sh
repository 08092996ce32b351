#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# make crash: every point of tests/integration/crash.sh, tests/integration/faults.sh with a hundred snapshots of a churning cluster, and
# tests/integration/resume.sh with 200 points of a restore of 300 objects and a server that is away for 20 s, each fault of tests/integration/rough.sh alone,
# and tests/integration/trouble.sh with webhooks that are away for 30 s. The subset in `make check` is chosen by RHAII_TEST_SEED (1).
set -uo pipefail
cd "$(dirname "$0")/../.." || exit 1
export RHAII_DR=${RHAII_DR:-$PWD/build/rhaii-dr} RHAII_TEST_POINTS=all RHAII_TEST_CHURN=100 RHAII_TEST_RESTORE_POINTS=200 RHAII_TEST_RESTORE_EACH=33 RHAII_TEST_AWAY=20 RHAII_TEST_ROUGH=each RHAII_TEST_LIMIT=300
bad=0
bash tests/integration/crash.sh || bad=1
bash tests/integration/faults.sh || bad=1
bash tests/integration/resume.sh || bad=1
bash tests/integration/rough.sh || bad=1
RHAII_TEST_WEBHOOK_AWAY=30 bash tests/integration/trouble.sh || bad=1
exit $bad
