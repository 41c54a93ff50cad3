# Benches: tests/bench/NAME_bench.c becomes $(B)/bench/NAME. Its first line says
# what to link, folders or files:
#
#	/* ON: sim/engine core/base */

bench_NAMES := $(patsubst tests/bench/%_bench.c,%,$(wildcard tests/bench/*_bench.c))
bench_on     = $(shell sed -n '1s@^/\* *ON: *\(.*[^ ]\) *\*/.*@\1@p' tests/bench/$(1)_bench.c)
bench_objs   = $(foreach o,$(call bench_on,$(1)),$(patsubst %.c,$(B)/%.o,$(if $(filter %.c,$o),$o,$(call src,$o))))

bench: $(addprefix $(B)/bench/,$(bench_NAMES)) $(B)/bin/weft-sim	## speed and memory: churn at 1,000 to 100,000 nodes, queues, packets, seals
	tests/bench/run.sh $(B)/bench $(B)/bin/weft-sim

bench-leases: $(B)/bin/weft-sim	## what leases, DHCP and first packets cost: two minutes
	tests/bench/leases.sh $<

bench-million: $(B)/bench/world	## how far 1,000,000 nodes come in MILLION_S=1800 seconds of CPU
	tests/bench/million.sh $(B)/bench $(or $(MILLION_S),1800)

bench-node: $(B)/bin/weft-node $(B)/bin/weftctl	## what an idle node with a tap costs: memory, processor, traffic (root, 3 minutes)
	tests/bench/node.sh $(B)/bin

.SECONDEXPANSION:
$(addprefix $(B)/bench/,$(bench_NAMES)): $(B)/bench/%: $(B)/tests/bench/%_bench.o $$(call bench_objs,$$*)
	@mkdir -p $(@D)
	$(call say,LD)$(CC) $(STD) $(CFLAGS) -o $@ $^ $(call ldlibs,tests)

.PHONY: bench bench-leases bench-million
