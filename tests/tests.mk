# Tests. `make check` is what CI runs: purity of core, fuzz targets for a
# bounded time, digests of scenarios over compilers and shards, and all unit
# and story suites, once under ASan and UBSan and once plain.

unit_SRC  := $(filter-out tests/unit/one.c,$(wildcard tests/unit/*.c)) $(wildcard tests/story/*.c)
unit_ON   := $(core_SRC) $(sim_SRC) $(prog_SRC) $(analysis_LIB) $(node_LIB) node/ctl_judge.c node/ctl_reach.c

$(B)/bin/tests: $(call objs,$(unit_SRC) $(unit_ON))
	@mkdir -p $(@D)
	$(call say,LD)$(CC) $(STD) $(CFLAGS) -o $@ $^ $(call ldlibs,tests)

check: programs			## every test: minutes; kernels and taps need root (CI runs this)
	$(MAKE) --no-print-directory imports
	$(MAKE) --no-print-directory check-scenarios
	$(MAKE) --no-print-directory check-net
	$(MAKE) --no-print-directory check-tap
	$(MAKE) --no-print-directory check-invite
	$(MAKE) --no-print-directory check-operate
	$(MAKE) --no-print-directory check-security
	$(MAKE) --no-print-directory check-nat
	$(MAKE) --no-print-directory fuzz
	$(MAKE) --no-print-directory check-san
	$(MAKE) --no-print-directory check-unit

check-unit: $(B)/bin/tests	## unit and story suites
	timeout 600 $<

check-san:			## unit and story suites under ASan and UBSan
	$(MAKE) --no-print-directory SAN=1 $(B)/san/bin/tests
	timeout 900 $(B)/san/bin/tests

check-scenarios: $(B)/bin/weft-sim	## scenario digests: twice, gcc and clang, -O0 and -O2, shards, real and model
	timeout 900 tests/scenarios/digests.sh $(B)

# What core may ask of libc and libsodium is a committed list; and no mutable
# static may hide in it (constant tables of pointers lie in .data.rel.ro).
imports: $(call objs,$(core_SRC))	## what core asks of the world, against tests/imports.txt
	@nm $^ | awk '$$2 ~ /^[A-TV-Za-tv-z]$$/ {d[$$3]} $$1 == "U" {u[$$2]} \
		END {for (s in u) if (!(s in d)) print s}' | LC_ALL=C sort > $(B)/imports.txt
	@LC_ALL=C comm -13 tests/imports.txt $(B)/imports.txt | grep -v '^__\(asan\|ubsan\)\|^_GLOBAL_OFFSET_TABLE_$$' > $(B)/imports.new || true
	@if [ -s $(B)/imports.new ]; then \
		echo "imports: core asks for what tests/imports.txt does not list:"; cat $(B)/imports.new; exit 1; fi
	@objdump -t $^ | awk '/ O / && $$0 ~ / (\.data|\.bss|\.tbss|\.tdata)(\.[^r][^ \t]*)?[ \t]/ {print; bad = 1} END {exit bad}' || \
		{ echo "imports: the objects above are mutable statics in core"; exit 1; }
	@echo "  CORE  asks for $$(wc -l < $(B)/imports.txt) symbols, has no mutable static"

# make unit-NAME ON="core/base core/seal": one suite, linked with these folders only
unit-%:				## one suite alone: make unit-id ON="core/base"
	@$(MAKE) --no-print-directory $(B)/bin/suite-$* ON="$(ON)" WITH="$(WITH)"
	timeout 300 $(B)/bin/suite-$*

$(B)/bin/suite-%: $(B)/tests/unit/%_test.o tests/unit/one.c $(foreach d,$(ON),$(call objs,$(call src,$d))) $(call objs,$(WITH))
	@mkdir -p $(@D)
	$(call say,LD)$(CC) $(STD) $(CFLAGS) $(call cflags,tests) -DSUITE=$* -o $@ $(filter-out tests/unit/one.c,$^) tests/unit/one.c $(call ldlibs,tests)

.PRECIOUS: $(B)/tests/unit/%_test.o $(B)/%.o
.PHONY: check check-unit check-san check-scenarios imports

include tests/fuzz/fuzz.mk
-include tests/defects/defects.mk tests/bench/bench.mk tests/net/net.mk
