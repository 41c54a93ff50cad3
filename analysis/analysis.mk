# Reports: one program. analysis_LIB is all of it but main, for the tests.

analysis_SRC := $(wildcard analysis/*.c)
analysis_LIB := $(filter-out analysis/weft-report.c,$(analysis_SRC))

$(B)/bin/weft-report: $(call objs,$(analysis_SRC) $(prog_SRC))
	@mkdir -p $(@D)
	$(call say,LD)$(CC) $(STD) $(CFLAGS) -o $@ $^ $(call ldlibs,analysis)

programs: $(B)/bin/weft-report
