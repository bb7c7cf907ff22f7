# SPDX-License-Identifier: MIT
# A thin front for Meson. `make` builds only; nothing here ever starts or enables a service.
BUILD     ?= build
PREFIX    ?= /usr/local
DESTDIR   ?=
RUN_ARGS  ?=
FUZZ_TIME ?= 60

.PHONY: all build run test bench install uninstall format fuzz clean

all: build

$(BUILD)/build.ninja:
	@command -v meson >/dev/null || { echo "meson is missing: 'make run' installs what the build needs (tools/packages.build)"; exit 1; }
	meson setup $(BUILD)

build: $(BUILD)/build.ninja
	@ninja -C $(BUILD)

# Serves in the foreground with the default configuration.
run:
	@tools/install_packages tools/packages.build
	@$(MAKE) --no-print-directory build
	@exec $(BUILD)/symgate serve $(RUN_ARGS)

test:
	@tools/install_packages tools/packages.build tools/packages.test
	@tools/run_tests

bench:
	@tools/install_packages tools/packages.build tools/packages.bench
	@$(MAKE) --no-print-directory build
	@bench/run $(BENCH_ARGS)

install: build
	install -D -m 755 $(BUILD)/symgate $(DESTDIR)$(PREFIX)/bin/symgate
	if [ -x $(BUILD)/symgate-smb ]; then \
	    install -D -m 755 $(BUILD)/symgate-smb $(DESTDIR)$(PREFIX)/libexec/symgate/symgate-smb; fi
	install -D -m 644 docs/symgate.1 $(DESTDIR)$(PREFIX)/share/man/man1/symgate.1
	install -D -m 644 packaging/grafana-dashboard.json $(DESTDIR)$(PREFIX)/share/symgate/grafana-dashboard.json
	install -d -m 755 $(DESTDIR)/etc/symgate $(DESTDIR)$(PREFIX)/lib/systemd/system
	sed 's|@PREFIX@|$(PREFIX)|g' packaging/symgate.service >$(DESTDIR)$(PREFIX)/lib/systemd/system/symgate.service
	chmod 644 $(DESTDIR)$(PREFIX)/lib/systemd/system/symgate.service

# The configuration and what was cached stay.
uninstall:
	rm -f $(DESTDIR)$(PREFIX)/bin/symgate $(DESTDIR)$(PREFIX)/libexec/symgate/symgate-smb $(DESTDIR)$(PREFIX)/share/man/man1/symgate.1 \
	    $(DESTDIR)$(PREFIX)/lib/systemd/system/symgate.service $(DESTDIR)$(PREFIX)/share/symgate/grafana-dashboard.json

format:
	@find src tests bench -name '*.[ch]' -exec clang-format -i {} +

# Each fuzz target for FUZZ_TIME seconds, from its corpus; what it finds there stays in build-fuzz.
fuzz:
	@tools/install_packages tools/packages.build tools/packages.test
	@tools/run_fuzzers $(FUZZ_TIME)

clean:
	rm -rf build build-asan build-tsan build-fuzz build-results
