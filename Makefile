# SPDX-License-Identifier: MIT
# A thin front on Meson.  Everything that is missing is installed (Debian packages,
# which needs root); each target is all a newcomer has to type.

BUILD ?= build
PREFIX ?= /usr/local
BUILDTYPE ?= debugoptimized
MINUTES ?= 30
SEED := $(or $(SEED),$(shell date +%s))
MESON_FLAGS ?=

.PHONY: all deps deps-test deps-bench demo test test-wire test-asan test-tsan test-delays bench soak install fuzz check-layers clean

all: deps
	@scripts/configure.sh $(BUILD) --buildtype=$(BUILDTYPE) --prefix=$(PREFIX) --libdir=lib $(MESON_FLAGS)
	@ninja -C $(BUILD)

# What building and the demo need, and what the tests need on top.
deps:
	@scripts/deps.sh build
deps-test: deps
	@scripts/deps.sh test
# A peer the benchmark is compared with; without it the benchmark runs all the same.
deps-bench: deps
	@scripts/deps.sh bench

# Streams real files through asynchronous pipes between two processes.
demo: all
	@BUILD_DIR=$(BUILD) scripts/demo.sh

# Ends with the line "N passed, N failed".
test: deps-test all
	@scripts/test.sh $(BUILD)

# The same, with captures of all that goes over the wire, dissected by Wireshark at the end.
test-wire: deps-test all
	@PENSTOCK_TEST_PCAP=$(abspath $(BUILD))/captures scripts/test.sh $(BUILD)

test-asan: deps-test
	@scripts/configure.sh $(BUILD)-asan -Db_sanitize=address,undefined -Db_lundef=false $(MESON_FLAGS)
	@ninja -C $(BUILD)-asan
	@scripts/test.sh $(BUILD)-asan

test-tsan: deps-test
	@scripts/configure.sh $(BUILD)-tsan -Db_sanitize=thread -Db_lundef=false $(MESON_FLAGS)
	@ninja -C $(BUILD)-tsan
	@scripts/test.sh $(BUILD)-tsan

# With random delays wherever threads meet (docs/design/delays.md); SEED=... for those of another
# run, MESON_FLAGS="-Db_sanitize=thread -Db_lundef=false" for a sanitizer as well.
test-delays: deps-test
	@scripts/configure.sh $(BUILD)-delays -Ddelays=true $(MESON_FLAGS)
	@ninja -C $(BUILD)-delays
	@echo "random delays: SEED=$(SEED)"
	@PENSTOCK_DELAY_SEED=$(SEED) scripts/test.sh $(BUILD)-delays

# Beside the raw-socket ceiling in the same run; a table and $(BUILD)/bench.json.
bench: deps-bench all
	@[ -x $(BUILD)/bench/marshal_protobuf ] || meson setup --reconfigure $(BUILD) >/dev/null
	@ninja -C $(BUILD)
	@python3 bench/run.py --build $(BUILD)/bench --json $(BUILD)/bench.json

# Processes that call each other in every way and are killed now and then; fails when
# anything grows, hangs or differs (docs/design/soak.md).
soak: all
	@$(BUILD)/tests/soak/soak --minutes $(MINUTES)

install: all
	@meson install -C $(BUILD) --no-rebuild
	@[ -n "$(DESTDIR)" ] || [ "$$(id -u)" != 0 ] || ldconfig

# libFuzzer programs of all targets in $(BUILD)-fuzz/fuzz.
fuzz: deps-test
	@CC=clang scripts/configure.sh $(BUILD)-fuzz -Dfuzzers=true -Db_sanitize=address,undefined -Db_lundef=false
	@ninja -C $(BUILD)-fuzz

check-layers:
	@scripts/check-layers.sh

clean:
	rm -rf $(BUILD) $(BUILD)-asan $(BUILD)-tsan $(BUILD)-delays $(BUILD)-fuzz
