# Seeded defects: each oracle is shown to be able to fail. See README.md here.
#
# A scenario must pass on the real core, for every seed a defect may use it with,
# before a defect may be said to be caught by it.

defects_NAMES := $(sort $(basename $(notdir $(wildcard tests/defects/*.patch))))
defects_INIS  := $(sort $(basename $(notdir $(wildcard tests/defects/*.ini))))
defects_SEEDS := 1 2 3 4 5
defects_SUITES := $(patsubst %,tests/unit/%_test.o,$(sort replica $(shell sed -n 's/^caught by: unit //p' tests/defects/*.patch))) \
	tests/story/stage.o $(patsubst %,tests/story/%_test.o,$(sort $(shell sed -n 's/^caught by: story //p' tests/defects/*.patch)))

defects_ENV = B='$(B)' CC='$(CC)' CFLAGS='$(CFLAGS)' STD='$(STD)' CORE_CFLAGS='$(call cflags,core)' \
	SIM_OBJS='$(call objs,$(weft-sim_SRC) $(core_SRC))' SIM_LIBS='$(call ldlibs,sim) -lpthread' \
	UNIT_OBJS='$(call objs,$(core_SRC) $(sim_SRC) $(prog_SRC))' UNIT_FLAGS='$(call cflags,tests)' \
	UNIT_LIBS='$(call ldlibs,tests)'

$(B)/defects/%.ok: tests/defects/%.ini $(B)/bin/weft-sim
	@mkdir -p $(@D)
	@for s in $(defects_SEEDS); do \
		timeout 120 $(B)/bin/weft-sim run $< --seed $$s --no-files >$(B)/defects/$*.log 2>&1 || \
		{ cat $(B)/defects/$*.log; echo "$<: does not pass on the real core (seed $$s)"; exit 1; } >&2; \
	done; touch $@

# The same for schedules of members: as many as any defect asks for.
$(B)/defects/schedules.ok: $(B)/defects/replica
	@mkdir -p $(@D)
	@REPLICA_COUNT=3000 timeout 300 $< >$(B)/defects/schedules.log 2>&1 || { cat $(B)/defects/schedules.log; exit 1; }
	@touch $@

$(B)/defects/replica: $(call objs,tests/unit/replica_test.c $(core_SRC)) tests/unit/one.c
	@mkdir -p $(@D)
	$(call say,LD)$(CC) $(STD) $(CFLAGS) $(call cflags,tests) -DSUITE=replica -o $@ $^ $(call ldlibs,tests)

$(B)/defects/%.done: tests/defects/%.patch tests/defects/run.sh $(B)/bin/weft-sim \
		$(defects_SUITES:%=$(B)/%) $(defects_INIS:%=$(B)/defects/%.ok) $(B)/defects/schedules.ok
	@if $(defects_ENV) tests/defects/run.sh $*; then touch $@; \
	elif test ! -e $(B)/defects/$*.row; then exit 1; fi

defects: $(defects_NAMES:%=$(B)/defects/%.done)	## seeded defects: is each caught by its oracle? (minutes)
	@printf '%-24s %-44s %-18s %6s %9s %9s\n' defect 'caught by' in seed at took
	@cat $(defects_NAMES:%=$(B)/defects/%.row)
	@! grep -q MISSED $(defects_NAMES:%=$(B)/defects/%.row)

.PHONY: defects
.SECONDARY: $(defects_INIS:%=$(B)/defects/%.ok)
