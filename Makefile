# rhaii-dr: one Makefile. `make help` lists the targets.
#
#   make            the program                          make check        all tests (sets the machine up first)
#   make demo       a real recovery, cluster to cluster   make lint         the rules of the house
#   make check-asan / coverage / fuzz / sweep / bench     make install      PREFIX=/usr/local DESTDIR=

SHELL := /bin/bash
# V=1 shows the commands.
Q := $(if $(V),,@)
say = $(if $(V),,@echo "  $(1) $@")
VERSION := 0.1.0
PREFIX ?= /usr/local
DESTDIR ?=
CC ?= gcc
BUILD ?= build
O := $(BUILD)/obj

PACKAGES := libcurl jansson libgit2 libarchive libzstd yaml-0.1 libcrypto zlib
WARNINGS := -Wall -Wextra -Wpedantic -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wold-style-definition -Wpointer-arith \
	-Wcast-qual -Wwrite-strings -Wformat=2 -Wundef -Wvla -Wconversion -Wno-sign-conversion -Wswitch-enum -Wdouble-promotion -Wnull-dereference \
	-Wimplicit-fallthrough -Wredundant-decls -Werror
HARDENING := -fstack-protector-strong -fPIE -D_FORTIFY_SOURCE=2 -fno-strict-overflow -fno-delete-null-pointer-checks
# clang 14 knows it only behind a second flag
HARDENING += $(shell echo 'int x;' | $(CC) -Werror -ftrivial-auto-var-init=zero -x c -c -o /dev/null - 2>/dev/null && echo -ftrivial-auto-var-init=zero)
LINKHARD := -pie -Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack -Wl,--as-needed
OPT ?= -O2 -g
# Sanitizers change the code that gcc's range warnings reason about: there they are no errors.
SANITIZE ?=
# pkg-config is asked only when something is compiled, so that `make check` can install it first.
PKG_CFLAGS = $(eval PKG_CFLAGS := $(shell pkg-config --cflags $(PACKAGES)))$(PKG_CFLAGS)
PKG_LIBS = $(eval PKG_LIBS := $(shell pkg-config --libs $(PACKAGES)))$(PKG_LIBS)
CPPFLAGS += -Iinclude -I$(BUILD)/gen -D_GNU_SOURCE -DRHAII_VERSION='"$(VERSION)"'
ALL_CFLAGS = -std=c17 -pthread $(OPT) $(WARNINGS) $(if $(SANITIZE),$(filter-out -D_FORTIFY_SOURCE=2,$(HARDENING)) -fsanitize=$(SANITIZE) -fno-omit-frame-pointer -Wno-error,$(HARDENING)) $(PKG_CFLAGS) $(CFLAGS)
ALL_LDFLAGS = $(LINKHARD) $(if $(SANITIZE),-fsanitize=$(SANITIZE)) $(LDFLAGS)

SRC := $(sort $(wildcard src/*/*.c))
CMD := $(sort $(wildcard cmd/*.c))
UNIT := $(sort $(wildcard tests/unit/test_*.c))
UNIT_LIB := $(sort $(filter-out $(UNIT),$(wildcard tests/unit/*.c)))
SRC_OBJ := $(SRC:%.c=$(O)/%.o) $(O)/gen/policies.o $(O)/gen/report_style.o
CMD_OBJ := $(CMD:%.c=$(O)/%.o)
UNIT_BIN := $(UNIT:tests/unit/%.c=$(BUILD)/unit/%)

.PHONY: all
all: $(BUILD)/rhaii-dr

$(BUILD)/rhaii-dr: $(CMD_OBJ) $(SRC_OBJ)
	@mkdir -p $(@D)
	$(call say,LD)
	$(Q)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $^ $(PKG_LIBS)

$(O)/%.o: %.c
	@mkdir -p $(@D)
	$(call say,CC)
	$(Q)$(CC) $(CPPFLAGS) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

# The policies are built into the binary as they stand in policies/.
$(BUILD)/gen/policies.c: $(sort $(wildcard policies/*.yaml)) tools/embed.sh
	@mkdir -p $(@D)
	$(call say,GEN)
	$(Q)tools/embed.sh $(sort $(wildcard policies/*.yaml)) > $@.tmp && mv $@.tmp $@

# So is the style of the HTML report.
$(BUILD)/gen/report_style.c: src/drill/report.css tools/embed_text.sh
	@mkdir -p $(@D)
	$(call say,GEN)
	$(Q)tools/embed_text.sh src/drill/html.h report_style $< > $@.tmp && mv $@.tmp $@

$(O)/gen/%.o: $(BUILD)/gen/%.c
	@mkdir -p $(@D)
	$(call say,CC)
	$(Q)$(CC) $(CPPFLAGS) -I. $(ALL_CFLAGS) -c -o $@ $<

$(BUILD)/unit/%: $(O)/tests/unit/%.o $(UNIT_LIB:%.c=$(O)/%.o) $(SRC_OBJ)
	@mkdir -p $(@D)
	$(call say,LD)
	$(Q)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $^ $(PKG_LIBS) $(shell pkg-config --libs cmocka)

# Texts for the other readers of YAML (tests/integration/readers.sh).
TEXTS := $(BUILD)/readers/texts
TEXTS_OBJ := $(O)/tests/readers/texts.o $(O)/tests/unit/any_value.o
$(TEXTS): $(TEXTS_OBJ) $(SRC_OBJ)
	@mkdir -p $(@D)
	$(call say,LD)
	$(Q)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $^ $(PKG_LIBS)

# What it was built with, for `version -o json`.
$(O)/cmd/version.o: CPPFLAGS += -DRHAII_LIBRARIES='"$(foreach p,$(PACKAGES),$(p) $(shell pkg-config --modversion $(p)))"'

.PHONY: unit
unit: $(UNIT_BIN)

# --- the two commands -----------------------------------------------------------------------------------------------------------

.PHONY: setup cluster check demo
setup:
	@tools/setup.sh check

# The control-plane binaries and the harness that runs them, cached outside the tree.
cluster: setup
	@tests/cluster/build.sh >/dev/null

check: setup
	@tools/setup.sh browser
	@echo "check: building the program and its tests"
	@$(MAKE) --no-print-directory -j2 all unit $(TEXTS)
	@echo "check: the test clusters' binaries (built once, then cached)"
	@tests/cluster/build.sh >/dev/null
	@tests/run.sh unit cli integration

demo: setup
	@echo "demo: building the program"
	@$(MAKE) --no-print-directory -j2 all
	@echo "demo: the clusters' binaries (built once, then cached)"
	@tests/cluster/build.sh >/dev/null
	@tests/demo.sh

# Parts of check, for the one who works on them.
.PHONY: check-unit check-cli check-integration
check-unit: unit
	@tests/run.sh unit
check-cli: all
	@tests/run.sh cli
check-integration: all $(TEXTS)
	@tests/run.sh integration

# --- the rules of the house ----------------------------------------------------------------------------------------------------------

.PHONY: lint format
lint: build/gen/policies.c build/gen/report_style.c
	@tools/setup.sh lint
	@tools/lint.sh

format:
	clang-format -i $(SRC) $(CMD) $(wildcard src/*/*.h cmd/*.h include/*/*.h tests/*/*.c tests/*/*.h)

# --- other ways to run the tests -------------------------------------------------------------------------------------------------------

.PHONY: check-asan coverage fuzz sweep bench crash fidelity compare
# The list of the samples, with what became of each, stays in build/samples.jsonl. The seed of the random objects is that of the day unless it is given.
FIDELITY_SEEDS ?= 200
FIDELITY_OBJECTS ?= 3000
FIDELITY_SEED ?= $(shell date +%Y%m%d)
fidelity: setup
	@$(MAKE) --no-print-directory -j2 all $(BUILD)/unit/test_snapshot_random
	@tests/cluster/build.sh >/dev/null
	@RANDOM_SEEDS=$(FIDELITY_SEEDS) $(BUILD)/unit/test_snapshot_random
	@FIDELITY_LIST=$(abspath $(BUILD))/samples.jsonl bash tests/fidelity/samples.sh
	@RANDOM_OBJECTS=$(FIDELITY_OBJECTS) RANDOM_SEED=$(FIDELITY_SEED) bash tests/integration/random.sh
	@RANDOM_ROLE= RANDOM_OBJECTS=300 RANDOM_SEED=$(FIDELITY_SEED) bash tests/integration/random.sh
	@bash tests/integration/shapes.sh
	@tests/cluster/samples.sh $(BUILD)/samples.jsonl

crash: setup
	@$(MAKE) --no-print-directory -j2 all
	@tests/cluster/build.sh >/dev/null
	@tests/crash/sweep.sh

# docs/COMPARISON.md has the table.
compare: setup
	@$(MAKE) --no-print-directory -j2 all
	@tests/cluster/build.sh >/dev/null
	@COMPARE_TABLE=$(abspath $(BUILD))/comparison.md bash tests/compare/compare.sh

check-asan: setup
	@$(MAKE) --no-print-directory -j2 BUILD=build/asan OPT="-O1 -g" SANITIZE=address,undefined all unit
	@BUILD=build/asan tests/run.sh unit cli

coverage: setup
	@tools/setup.sh coverage
	@$(MAKE) --no-print-directory -j2 BUILD=build/coverage OPT="-O0 -g" CFLAGS="--coverage -Wno-error" LDFLAGS=--coverage HARDENING= all unit
	@BUILD=build/coverage tests/run.sh unit cli
	@lcov -q -c -d build/coverage -o build/coverage/all.info && lcov -q -r build/coverage/all.info '*/tests/*' -o build/coverage/src.info
	@lcov --summary build/coverage/src.info

FUZZ := $(sort $(wildcard tests/fuzz/fuzz_*.c))
FUZZ_BIN := $(FUZZ:tests/fuzz/%.c=build/fuzz/%)
FUZZ_SECONDS ?= 60
FUZZ_OBJ := $(SRC:%.c=build/fuzz/obj/%.o) build/fuzz/obj/policies.o build/fuzz/obj/report_style.o
FUZZ_CC = clang -std=c17 -O1 -g -fsanitize=address,undefined $(CPPFLAGS) $(PKG_CFLAGS)
build/fuzz/obj/%.o: %.c
	@mkdir -p $(@D)
	$(call say,CC)
	$(Q)$(FUZZ_CC) -fsanitize=fuzzer-no-link -MMD -MP -c -o $@ $<

build/fuzz/obj/%.o: build/gen/%.c
	@mkdir -p $(@D)
	$(call say,CC)
	$(Q)$(FUZZ_CC) -I. -fsanitize=fuzzer-no-link -c -o $@ $<

build/fuzz/%: tests/fuzz/%.c $(FUZZ_OBJ)
	$(call say,LD)
	$(Q)$(FUZZ_CC) -fsanitize=fuzzer -o $@ $^ $(PKG_LIBS)

fuzz:
	@tools/setup.sh fuzz
	@$(MAKE) --no-print-directory $(FUZZ_BIN)
	@for target in $(FUZZ_BIN); do mkdir -p build/corpus/$$(basename $$target); echo "fuzz: $$target for $(FUZZ_SECONDS) s"; \
		$$target -max_total_time=$(FUZZ_SECONDS) -print_final_stats=1 -artifact_prefix=build/corpus/ build/corpus/$$(basename $$target) \
			$$(ls -d tests/fuzz/seeds/$$(basename $$target) 2>/dev/null) 2>&1 | tail -4 || exit 1; done

# The property tests of the canonical text with other seeds, SWEEP times as many.
SWEEP ?= 20
sweep: setup
	@$(MAKE) --no-print-directory -j2 all $(BUILD)/unit/test_object_canonical $(TEXTS)
	@CANONICAL_SEEDS=$(SWEEP) $(BUILD)/unit/test_object_canonical
	@SWEEP=$(SWEEP) tests/integration/readers.sh

bench: setup
	@$(MAKE) --no-print-directory -j2 all
	@tests/cluster/build.sh >/dev/null
	@tests/bench/run.sh

# --- install ------------------------------------------------------------------------------------------------------------------------

.PHONY: install clean help
install: all
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/share/doc/rhaii-dr $(DESTDIR)$(PREFIX)/share/rhaii-dr/policies \
		$(DESTDIR)$(PREFIX)/share/rhaii-dr/kubernetes $(DESTDIR)$(PREFIX)/share/rhaii-dr/monitoring
	install -m 0755 $(BUILD)/rhaii-dr $(DESTDIR)$(PREFIX)/bin/rhaii-dr
	ln -sf rhaii-dr $(DESTDIR)$(PREFIX)/bin/kubectl-rhaii_dr
	install -m 0644 README.md docs/*.md LICENSE $(DESTDIR)$(PREFIX)/share/doc/rhaii-dr
	install -m 0644 policies/*.yaml $(DESTDIR)$(PREFIX)/share/rhaii-dr/policies
	install -m 0644 packaging/kubernetes/* $(DESTDIR)$(PREFIX)/share/rhaii-dr/kubernetes
	install -m 0644 packaging/monitoring/* $(DESTDIR)$(PREFIX)/share/rhaii-dr/monitoring

clean:
	rm -rf build

help:
	@sed -n '/^# rhaii-dr/,/^$$/p' Makefile | sed 's/^# \{0,1\}//'

-include $(FUZZ_OBJ:.o=.d) $(TEXTS_OBJ:.o=.d) $(SRC_OBJ:.o=.d) $(CMD_OBJ:.o=.d) $(UNIT:%.c=$(O)/%.d) $(UNIT_LIB:%.c=$(O)/%.d)
.SECONDARY: $(FUZZ_OBJ) $(UNIT:%.c=$(O)/%.o) $(UNIT_LIB:%.c=$(O)/%.o)
