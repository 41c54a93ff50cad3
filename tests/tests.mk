# Tests: one program of unit and story tests, one program per suite for the
# person working on it, fuzz targets, imports, benches.

unit_SRC  := $(wildcard tests/unit/*.c)

# make unit-NAME ON="core/base core/seal": one suite, linked with these folders only
unit-%:				## one suite alone: make unit-id ON="core/base"
	@$(MAKE) --no-print-directory $(B)/bin/suite-$* ON="$(ON)" WITH="$(WITH)"
	timeout 300 $(B)/bin/suite-$*

$(B)/bin/suite-%: $(B)/tests/unit/%_test.o tests/unit/one.c $(foreach d,$(ON),$(call objs,$(call src,$d))) $(call objs,$(WITH))
	@mkdir -p $(@D)
	$(call say,LD)$(CC) $(STD) $(CFLAGS) $(call cflags,tests) -DSUITE=$* -o $@ $(filter-out tests/unit/one.c,$^) tests/unit/one.c $(call ldlibs,tests)

.PRECIOUS: $(B)/tests/unit/%_test.o $(B)/%.o

include tests/fuzz/fuzz.mk
fuzz:				## every fuzz target over its corpus, FUZZ_SECONDS=5 each
