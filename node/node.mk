# weft-node and weftctl. node_LIB and ctl_LIB are all of them but main, for the tests.
# weft-node links no GObject: see "Memory" in node/README.md.

ctl_SRC   := $(wildcard node/ctl*.c)
node_SRC  := $(filter-out $(ctl_SRC) node/weftctl.c,$(wildcard node/*.c))
node_LIB  := $(filter-out node/weft-node.c,$(node_SRC))
shared_SRC := node/config.c node/config_network.c node/config_table.c node/keep.c node/home.c node/saves.c node/scribe.c node/text.c \
	      node/charter.c node/draft.c

# of node/prog, what the daemon needs: the schema and messages
node_PROG := $(addprefix node/prog/,fail.c locator.c nearest.c schema.c schema_find.c schema_log.c schema_value.c \
	       units.c dist.c real.c)
ctl_OWN   := $(ctl_SRC) $(shared_SRC) $(wildcard node/overlay*.c)

# asked when something is linked, not when this is read: in `make deps run` the packages come in between
node_LIBS_NODE = $(shell pkg-config --libs glib-2.0 libsodium jansson libmnl libcap-ng) -lev -lm
node_LIBS_CTL  = $(shell pkg-config --libs glib-2.0 json-glib-1.0 libsodium) -lm

$(B)/bin/weft-node: $(call objs,$(filter-out $(wildcard node/overlay*.c),$(node_SRC)) $(node_PROG) $(core_SRC))
	@mkdir -p $(@D)
	$(call say,LD)$(CC) $(STD) $(CFLAGS) -o $@ $^ -Wl,--as-needed $(node_LIBS_NODE)

$(B)/bin/weftctl: $(call objs,node/weftctl.c $(ctl_OWN) $(prog_SRC) $(core_SRC))
	@mkdir -p $(@D)
	$(call say,LD)$(CC) $(STD) $(CFLAGS) -o $@ $^ -Wl,--as-needed $(node_LIBS_CTL)

programs: $(B)/bin/weft-node $(B)/bin/weftctl

man: $(B)/man/weft-node.8 $(B)/man/weftctl.1 $(B)/man/weft.conf.5	## the man pages

$(B)/man/%: node/%.scd
	@mkdir -p $(@D)
	$(call say,MAN)scdoc <$< >$@

$(B)/man/weft.conf.5: $(B)/bin/weftctl
	@mkdir -p $(@D)
	$(call say,MAN)$< config man | scdoc >$@

.PHONY: man
