# The simulator: one program.

weft-sim_SRC := $(wildcard sim/*.c) $(sim_SRC) $(prog_SRC)

$(B)/bin/weft-sim: $(call objs,$(weft-sim_SRC) $(core_SRC))
	@mkdir -p $(@D)
	$(call say,LD)$(CC) $(STD) $(CFLAGS) -o $@ $^ $(call ldlibs,sim) -lpthread

programs: $(B)/bin/weft-sim

# Published routing figures beside ours: minutes, about 2 GB. `make validate VALIDATE="-n 1024"` is quick.
validate: $(B)/bin/weft-sim	## published routing figures on rings of 32,768 real cores: ~10 minutes
	$< validate $(VALIDATE)

.PHONY: validate
