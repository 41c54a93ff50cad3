# Installing, packages, and other machines: node/pack/README.md.

PREFIX   ?= /usr/local
DESTDIR  ?=
install_BIN  := weftctl weft-sim weft-report
install_SBIN := weft-node
install_UNIT := weft-node@.service weft-resolver@.service
install_MAN  := weft-node.8 weftctl.1 weft.conf.5 weft-sim.1 weft-report.1
units     = $(if $(filter /usr,$(PREFIX)),/lib,$(PREFIX)/lib)/systemd/system
share    := $(PREFIX)/share
to        = $(DESTDIR)$(PREFIX)

$(B)/man/weft-sim.1: sim/weft-sim.1.scd
	@mkdir -p $(@D)
	$(call say,MAN)scdoc <$< >$@

$(B)/man/weft-report.1: analysis/weft-report.1.scd
	@mkdir -p $(@D)
	$(call say,MAN)scdoc <$< >$@

$(B)/pack/%.service: node/pack/%.service again	# PREFIX may be another one now
	@mkdir -p $(@D)
	$(call say,GEN)sed 's|@SBIN@|$(PREFIX)/sbin|; s|@BIN@|$(PREFIX)/bin|' <$< >$@

# What is put where, one line each: mode, source, place under DESTDIR. Install and uninstall read the same list.
# install_node is what a node needs, install_sim the simulator beside it.
install_node := $(foreach p,$(install_SBIN),755:$(B)/bin/$p:$(PREFIX)/sbin/$p) 755:$(B)/bin/weftctl:$(PREFIX)/bin/weftctl \
	$(foreach m,$(filter-out weft-sim.1 weft-report.1,$(install_MAN)),644:$(B)/man/$m:$(share)/man/man$(lastword $(subst ., ,$m))/$m) \
	$(foreach u,$(install_UNIT),644:$(B)/pack/$u:$(units)/$u) \
	644:node/pack/weftctl.bash:$(share)/bash-completion/completions/weftctl \
	644:node/pack/weftctl.bash:$(share)/bash-completion/completions/weft-node \
	644:node/pack/weft.conf.example:$(share)/doc/weft/examples/weft.conf
install_sim := $(foreach p,weft-sim weft-report,755:$(B)/bin/$p:$(PREFIX)/bin/$p) \
	$(foreach m,weft-sim.1 weft-report.1,644:$(B)/man/$m:$(share)/man/man1/$m) \
	$(foreach s,$(wildcard scenarios/*.ini scenarios/README.md),644:$s:$(share)/weft/$s)

what      = $(word 2,$(subst :, ,$(1)))
where     = $(word 3,$(subst :, ,$(1)))
put       = install -D -m $(word 1,$(subst :, ,$(1))) $(call what,$(1)) '$(2)$(call where,$(1))' &&

node_made := $(B)/bin/weft-node $(B)/bin/weftctl $(addprefix $(B)/man/,weft-node.8 weftctl.1 weft.conf.5) $(addprefix $(B)/pack/,$(install_UNIT))

install-node: $(node_made)	## the same without the simulator
	@$(foreach i,$(install_node),$(call put,$i,$(DESTDIR))) true
	@echo "  INST  into $(DESTDIR)$(PREFIX)"

install: programs $(addprefix $(B)/man/,$(install_MAN)) $(addprefix $(B)/pack/,$(install_UNIT))	## programs, manuals, unit, completion, scenarios: DESTDIR=, PREFIX=/usr/local
	@$(foreach i,$(install_node) $(install_sim),$(call put,$i,$(DESTDIR))) true
	@echo "  INST  into $(DESTDIR)$(PREFIX)"

uninstall:			## remove what install put there
	@$(RM) $(foreach i,$(install_node) $(install_sim),'$(DESTDIR)$(call where,$i)')
	@rmdir -p --ignore-fail-on-non-empty $(foreach d,share/doc/weft/examples share/weft/scenarios,'$(to)/$d') 2>/dev/null || true

# ---- Debian packages --------------------------------------------------------
# Made with dpkg-deb from what install puts there: two, so that a node does not bring the simulator's libraries.

DEB_PACKAGES := dpkg-dev lintian
deb_VERSION  := 0.$(shell git log -1 --format=%cd --date=format:%Y%m%d.%H%M 2>/dev/null || echo 0)

deps-deb:			## install what `make deb` needs besides (as root)
	apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $(DEB_PACKAGES) >/dev/null

deb:				## Debian packages into build/deb: weft, weft-sim
	@$(MAKE) --no-print-directory PREFIX=/usr CFLAGS='$(CFLAGS) -fstack-protector-strong -D_FORTIFY_SOURCE=2' B=$(B)/deb-build deb-made OUT=$(abspath $(B))/deb

deb-made: programs $(addprefix $(B)/man/,$(install_MAN)) $(addprefix $(B)/pack/,$(install_UNIT))
	@$(RM) -r $(B)/root
	@$(foreach i,$(install_node),$(call put,$i,$(B)/root/weft)) true
	@$(foreach i,$(install_sim),$(call put,$i,$(B)/root/weft-sim)) true
	@mkdir -p $(OUT) && $(RM) $(OUT)/*.deb && for p in weft weft-sim; do node/pack/deb.sh $(B)/root/$$p $$p $(deb_VERSION) $(OUT) || exit 1; done

check-deb: deb			## lintian on them, and install, run, remove in a private root (as root)
	node/pack/check-deb.sh $(B)/deb

check-oci: $(B)/bin/weftctl	## the container recipe, built by docker or podman; two containers join (as root)
	node/pack/check-oci.sh $(B)/bin

# ---- other machines ---------------------------------------------------------
# Core, its unit tests and stories, for another architecture; `make deps-cross` brings compiler, libraries and qemu.

ARCH ?= arm64
cross_TRIPLET_arm64 := aarch64-linux-gnu
cross_TRIPLET_armhf := arm-linux-gnueabihf
cross_QEMU_arm64    := qemu-aarch64
cross_QEMU_armhf    := qemu-arm
cross_TRIPLET := $(cross_TRIPLET_$(ARCH))
cross_LIBS    := libsodium-dev libcunit1-dev libev-dev libjansson-dev libmnl-dev libcap-ng-dev libglib2.0-dev libjson-glib-dev
CROSS_PACKAGES = gcc-$(cross_TRIPLET) libc6-dev-$(ARCH)-cross qemu-user $(cross_LIBS:%=%:$(ARCH))

deps-cross:			## install what `make cross check-cross ARCH=arm64|armhf` needs (as root; adds the architecture to dpkg)
	dpkg --add-architecture $(ARCH) && apt-get update -qq && \
	DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $(CROSS_PACKAGES) >/dev/null

cross_MAKE = $(MAKE) --no-print-directory CC=$(cross_TRIPLET)-gcc B=$(B)/$(ARCH) \
	     PKG_CONFIG_LIBDIR=/usr/lib/$(cross_TRIPLET)/pkgconfig:/usr/share/pkgconfig

cross:				## weft-node and weftctl for ARCH=arm64 or armhf
	@PKG_CONFIG_LIBDIR=/usr/lib/$(cross_TRIPLET)/pkgconfig:/usr/share/pkgconfig $(cross_MAKE) $(B)/$(ARCH)/bin/weft-node $(B)/$(ARCH)/bin/weftctl

# Suites that need nothing but core: whatever includes, itself or by a header beside it, nothing of the programs.
cross_SRC := $(shell not='"(sim|node|analysis)/|glib|jansson|pcap$(if $(filter armhf,$(ARCH)),|__int128)'; \
	       for h in $$(grep -lE "$$not" tests/unit/*.h tests/story/*.h); do not="$$not|\"$$h"; done; \
	       grep -LE "$$not" tests/unit/*_test.c tests/story/*.c) tests/unit/vnet_lab.c
cross_NAMES = $(patsubst tests/unit/%_test.c,%,$(filter tests/unit/%_test.c,$(cross_SRC))) \
	      $(patsubst tests/story/%_test.c,story_%,$(filter tests/story/%_test.c,$(cross_SRC)))

$(B)/cross-main.c: $(cross_SRC) node/pack/pack.mk
	@mkdir -p $(@D)
	@{ echo '#define SUITES_H'; echo '#include <CUnit/CUnit.h>'; \
	   for n in $(cross_NAMES); do echo "extern CU_TestInfo $${n}_tests[];"; done; \
	   printf '#define SUITE_LIST(X)'; for n in $(cross_NAMES); do printf ' X(%s)' $$n; done; echo; \
	   echo '#include "tests/unit/main.c"'; } >$@

$(B)/bin/core-tests: $(call objs,$(cross_SRC) $(core_SRC)) $(B)/cross-main.c
	@mkdir -p $(@D)
	$(call say,LD)$(CC) $(STD) $(CFLAGS) -o $@ $^ -lcunit -lsodium -lm

check-core: $(B)/bin/core-tests	## the suites that need nothing but core
	timeout 1200 $<

check-cross:			## core's suites for ARCH=arm64 or armhf, under qemu-user
	@$(cross_MAKE) $(B)/$(ARCH)/bin/core-tests
	timeout 3000 $(cross_QEMU_$(ARCH)) $(B)/$(ARCH)/bin/core-tests

again:

.PHONY: again install install-node uninstall deps-deb deb deb-made check-deb check-oci deps-cross cross check-core check-cross
