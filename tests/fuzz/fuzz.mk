# Fuzz targets: tests/fuzz/NAME_fuzz.c becomes $(B)/fuzz/NAME, by clang with
# libFuzzer, ASan and UBSan. Its first line says what to link, folders or files:
#
#	/* ON: core/base core/link/remember.c */

FUZZ_CC      ?= clang
FUZZ_SECONDS ?= 5
FUZZ_FLAGS   ?= -timeout=10 -rss_limit_mb=1024 -max_len=4096

fuzz_NAMES   := $(patsubst tests/fuzz/%_fuzz.c,%,$(wildcard tests/fuzz/*_fuzz.c))
fuzz_SAN     := -O1 -g -fno-omit-frame-pointer -fno-sanitize-recover=undefined -fsanitize=address,undefined
fuzz_on       = $(shell sed -n '1s@^/\* *ON: *\(.*[^ ]\) *\*/.*@\1@p' tests/fuzz/$(1)_fuzz.c)
fuzz_objs     = $(foreach o,$(call fuzz_on,$(1)),$(patsubst %.c,$(B)/fuzz/%.o,$(if $(filter %.c,$o),$o,$(call src,$o))))

fuzz: $(addprefix fuzz-,$(fuzz_NAMES))

# make fuzz-NAME FUZZ_SECONDS=600: one target. New inputs of worth stay under $(B)/fuzz/corpus.
$(addprefix fuzz-,$(fuzz_NAMES)): fuzz-%: $(B)/fuzz/%
	@mkdir -p $(B)/fuzz/corpus/$* $(B)/fuzz/found
	@if $< -max_total_time=$(FUZZ_SECONDS) -print_final_stats=1 $(FUZZ_FLAGS) \
		-artifact_prefix=$(B)/fuzz/found/$*- $(B)/fuzz/corpus/$* \
		$(wildcard tests/fuzz/corpus/$*) >$(B)/fuzz/$*.log 2>&1; then \
		printf '  FUZZ  %-16s %s inputs\n' $* \
			"$$(sed -n 's/^stat::number_of_executed_units: *//p' $(B)/fuzz/$*.log)"; \
	else \
		tail -n 60 $(B)/fuzz/$*.log; \
		echo "fuzz: $* fails; show it again with: $< $$(sed -n 's/.*Test unit written to //p' $(B)/fuzz/$*.log)"; \
		exit 1; \
	fi

.SECONDEXPANSION:
$(addprefix $(B)/fuzz/,$(fuzz_NAMES)): $(B)/fuzz/%: $(B)/fuzz/tests/fuzz/%_fuzz.o $$(call fuzz_objs,$$*)
	$(call say,LD)$(FUZZ_CC) $(fuzz_SAN) -fsanitize=fuzzer -o $@ $^ $(call ldlibs,tests)

$(B)/fuzz/%.o: %.c
	@mkdir -p $(@D)
	$(call say,CC)$(FUZZ_CC) $(STD) $(fuzz_SAN) -fsanitize=fuzzer-no-link $(call cflags,$(call top,$<)) \
		-DWEFT_VERSION='"$(VERSION)"' -MMD -MP -c -o $@ $<

.PHONY: fuzz $(addprefix fuzz-,$(fuzz_NAMES))
.PRECIOUS: $(B)/fuzz/%.o
