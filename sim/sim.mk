# The simulator: one program.

weft-sim_SRC := $(wildcard sim/*.c) $(sim_SRC) $(prog_SRC)

$(B)/bin/weft-sim: $(call objs,$(weft-sim_SRC) $(core_SRC))
	@mkdir -p $(@D)
	$(call say,LD)$(CC) $(STD) $(CFLAGS) -o $@ $^ $(call ldlibs,sim) -lpthread

programs: $(B)/bin/weft-sim
