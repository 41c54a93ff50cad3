# weft - one make for the whole tree; objects go under $(B), never beside sources.
#
#	make deps run		on a fresh machine: install the packages, run the main job
#	make deps check		on a fresh machine: install the packages, pass the tests
#	make help		everything else

B       ?= build
CFLAGS  ?= -O2 -g
VERSION := $(shell git describe --always --dirty --tags 2>/dev/null || echo unknown)
STD     := -std=gnu11 -D_GNU_SOURCE -I. -Wall -Wextra -Wshadow \
	   -Wstrict-prototypes -Wmissing-prototypes -Wvla -ffp-contract=off
ifneq ($(SAN),)
override B := $(B)/san
override CFLAGS := -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=undefined
endif
ifneq ($(WERROR),)
STD     += -Werror
endif
ifneq ($(V),1)
say      = @printf '  %-5s %s\n' $(1) $@;
endif

# Debian packages: what builds and runs weft, and what its tests use besides.
PACKAGES := gcc libc6-dev make pkg-config git libglib2.0-dev libjson-glib-dev libjansson-dev \
	    libsodium-dev libev-dev libmnl-dev libcap-ng-dev libpcap-dev libcunit1-dev libgsl-dev \
	    libxxhash-dev zlib1g-dev gnuplot-nox scdoc \
	    clang libclang-rt-14-dev tshark tcpdump \
	    iproute2 nftables conntrack udhcpc busybox isc-dhcp-client iputils-ping iputils-arping bind9-dnsutils \
	    dhcpcd-base iperf3 dropbear-bin openssh-client faketime avahi-daemon avahi-utils libnss-mdns

.DEFAULT_GOAL := all
.DELETE_ON_ERROR:

# ---- folders ---------------------------------------------------------------
# Flags belong to folders: core sees libsodium's header and nothing else.
src      = $(wildcard $(1)/*.c)
core_DIRS   := core core/base core/seal core/link core/ring core/dht core/vnet
sim_DIRS    := sim/engine sim/net sim/guest sim/world sim/check sim/record
core_SRC    := $(call src,core) $(foreach d,$(core_DIRS),$(if $(filter core,$d),,$(call src,$d)))
sim_SRC     := $(foreach d,$(sim_DIRS),$(call src,$d))
prog_SRC    := $(call src,node/prog)

core_PKGS     := libsodium
sim_PKGS      := glib-2.0 json-glib-1.0 libsodium
node_PKGS     := glib-2.0 json-glib-1.0 jansson libsodium libmnl libcap-ng
analysis_PKGS := glib-2.0 json-glib-1.0 gsl
tests_PKGS    := glib-2.0 json-glib-1.0 jansson libsodium libmnl libcap-ng gsl
sim_LIBS      := -lpcap -lz -lxxhash -lm
node_LIBS     := -lev -lm
analysis_LIBS := -lm
tests_LIBS    := -lcunit -lpcap -lz -lxxhash -lev -lm -lpthread

top      = $(firstword $(subst /, ,$(1)))
cflags   = $(if $($(1)_PKGS),$(shell pkg-config --cflags $($(1)_PKGS)))
ldlibs   = $(if $($(1)_PKGS),$(shell pkg-config --libs $($(1)_PKGS))) $($(1)_LIBS)
objs     = $(patsubst %.c,$(B)/%.o,$(1))

$(B)/%.o: %.c
	@mkdir -p $(@D)
	$(call say,CC)$(CC) $(STD) $(CFLAGS) $(call cflags,$(call top,$<)) \
		-DWEFT_VERSION='"$(VERSION)"' -MMD -MP -c -o $@ $<

-include sim/sim.mk node/node.mk analysis/analysis.mk node/pack/pack.mk
include tests/tests.mk

# ---- what everybody asks for ----------------------------------------------
all: programs			## build all programs

deps:				## install the Debian packages (as root)
	@missing=; for p in $(PACKAGES); do \
		dpkg-query -W -f '$${Status}' $$p 2>/dev/null | grep -q 'ok installed' || missing="$$missing $$p"; \
	done; \
	if [ -n "$$missing" ]; then \
		echo "  DEPS $$missing"; \
		apt-get update -qq && DEBIAN_FRONTEND=noninteractive \
		apt-get install -y -qq --no-install-recommends $$missing >/dev/null; \
	fi

run: programs			## the main job: a churn hour of 1,000 real cores, and its report
	$(B)/bin/weft-sim run scenarios/churn-1k.ini

clean:				## remove what make built
	$(RM) -r $(B)

help:				## this list
	@sed -n 's/^\([a-z][a-z-]*\):[^#]*## /  \1\t/p' Makefile $(filter %.mk,$(MAKEFILE_LIST)) | expand -t 18

.PHONY: all programs deps run clean help
-include $(shell find $(B) -name systemd-tree -prune -o -type f -name '*.d' -print 2>/dev/null)
