# SPDX-License-Identifier: GPL-2.0-or-later
#
## ipctap: who talks to whom, and who waits for whom.
##
##   make run         build, then the live dashboard over a demo (no terminal: a text report);
##                    ARGS='top -a' runs any other ipctap command instead
##   make test        build, then every tier of tests this machine allows; TIERS='unit cli' picks some
##   make test-long   the tests that take minutes: minutes of load, a million channels, real servers and
##                    stress-ng against strace; installs the servers it can get; then kernels
##   make kernels     Debian's own cloud kernel under QEMU, tests inside; KERNEL=IMAGE boots another one
##   make             build into build/ only, install nothing: build/ipctap
##   make deps        install the packages that building and testing need (run and test do it too)
##   make unit, cli, screens, ripc, live     one tier of tests
##   make check       check-layers (includes look one way), check-headers (each compiles alone) and
##                    check-frames (the stack of every probe fits the oldest kernel's verifier)
##   make asan, ubsan the suite again, built with that sanitizer into build/asan, build/ubsan
##   make fuzz        libFuzzer (clang) on the shim's rings, traces and filters, FUZZ_S=600 seconds each; what
##                    it finds is kept in O/fuzz. The inputs in tests/fuzz/corpus are part of tier cli, and
##                    need no clang
##   make bench-ripc  libripc beside the kernel's queues, pipes and sockets, and boost's
##   make bench       what tracing costs, beside strace, perf and bpftrace; BENCH_OUT=FILE keeps the table
##   make man         the manual pages, into build/man
##   make install, uninstall           PREFIX=/usr/local DESTDIR=
##   make clean       remove build/
##   make help        this text
##
##   V=1              show the commands
##   O=DIR            build into DIR instead of build/
##   DEBUG=1          -O0 -g3 instead of -O2 -g
##   SAN=LIST         sanitizers: address, undefined, or address,undefined
##   BPF=0            build without clang, bpftool and libbpf: reads traces, traces with the shim
##   CC CLANG BPFTOOL CFLAGS LDFLAGS   the tools and their options
#
# There is no configure step. An object depends on the headers it saw (-MMD -MP, C and BPF alike)
# and on a stamp that changes only when the flags do, so a changed header, O, SAN, BPF or CFLAGS
# remakes what it should and nothing else.

O       ?= build
V       ?= 0
BPF     ?= 1
DEBUG   ?= 0
SAN     ?=
CC      := $(if $(filter default,$(origin CC)),gcc,$(CC))
CLANG   ?= clang
BPFTOOL ?= bpftool
PREFIX  ?= /usr/local
DESTDIR ?=
ARGS    ?=
KERNEL  ?=
FUZZ_S  ?= 600
TIERS   ?= check unit cli screens ripc live

# The same folder is the same word, however it was written: O is part of the flags
override O := $(patsubst $(CURDIR)/%,%,$(abspath $(O)))

# ---- the packages of Debian 12 ----

PKG_C     := gcc libc6-dev linux-libc-dev pkg-config libsqlite3-dev libncurses-dev libsmartcols-dev \
	libjansson-dev uthash-dev libcap-dev libdw-dev libzstd-dev scdoc systemtap-sdt-dev
PKG_BPF   := clang libbpf-dev bpftool libelf-dev zlib1g-dev
PKG_BUILD := $(PKG_C) $(if $(filter 0,$(BPF)),,$(PKG_BPF))
PKG_TEST  := libcmocka-dev perl strace sqlite3 python3 tmux procps netbase graphviz gron mmark
# Programs that the long tests trace. Debian starts such servers when it installs them.
PKG_KERNELS := qemu-system-x86 busybox-static cpio
PKG_LONG  := git postgresql redis-server redis-tools nginx-light apache2-utils stress-ng
PKG_FUZZ  := clang libclang-rt-dev
PKG_BENCH := strace sqlite3 python3 linux-perf bpftrace

# ---- flags ----

# bpftool lives in sbin, which is not on everybody's PATH
export PATH := $(PATH):/usr/sbin:/sbin

Q   := $(if $(filter 1,$V),,@)
say = $(if $(filter 1,$V),,@printf '  %-7s %s\n' '$1' '$2')
# $(call once,VAR,COMMAND): runs COMMAND when VAR is first used (tools may be installed by then)
once = $(eval $1 := $(shell $2))$($1)

WARN    := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith \
	-Wwrite-strings -Werror
CFLAGS  ?= $(if $(filter 1,$(DEBUG)),-O0 -g3,-O2 -g)
SANFLAGS := $(if $(SAN),-fsanitize=$(SAN) -fno-sanitize-recover=undefined -fno-omit-frame-pointer)
ALL_CFLAGS = -std=gnu11 $(CFLAGS) $(SANFLAGS) $(WARN) -D_GNU_SOURCE -I. -I$(O) \
	-fno-strict-aliasing $(if $(filter 0,$(BPF)),-DIPCTAP_NO_BPF)
ALL_LDFLAGS = $(SANFLAGS) $(LDFLAGS) -Wl,--as-needed

PC_NAMES := sqlite3 ncursesw smartcols jansson libcap libdw libzstd $(if $(filter 0,$(BPF)),,libbpf)
PC_LIBS  = $(call once,PC_LIBS,pkg-config --libs $(PC_NAMES))
LIBS     = $(PC_LIBS) -lpthread -lm

BPF_ARCH := $(patsubst aarch64,arm64,$(patsubst x86_64,x86,$(shell uname -m)))
# asm/types.h is in the multiarch folder, which clang -target bpf does not look into
TRIPLET  = $(call once,TRIPLET,$(CC) -dumpmachine)
BPF_CFLAGS = -target bpf -O2 -g -mcpu=v3 -Wall -Werror -D__TARGET_ARCH_$(BPF_ARCH) -I. \
	-I/usr/include/$(TRIPLET)

# ---- what there is to build ----

BPF_ONLY := $(if $(filter 0,$(BPF)),collector/src_bpf%.c collector/features_bpf%.c tests/progs/verifier.c)
LIB_SRC  := $(wildcard lib/abi/*.c lib/base/*.c lib/stream/*.c lib/model/*.c lib/store/*.c \
	lib/analysis/*.c)
PROG_SRC := $(filter-out $(BPF_ONLY),$(wildcard collector/*.c ui/cli/*.c ui/tui/*.c ui/demo/*.c))
TEST_SRC := $(filter-out $(BPF_ONLY),$(wildcard tests/unit/test_*.c tests/progs/*.c tests/screens/*.c tests/fuzz/fuzz_*.c \
		tests/fuzz/pack.c)) \
	$(filter-out $(if $(filter 0,$(BPF)),tests/bench/floor.c), \
	$(filter-out %.bpf.c tests/bench/interpose.c,$(wildcard tests/bench/*.c)))
SKELS    := $(patsubst %.bpf.c,$(O)/%.skel.h,$(if $(filter 0,$(BPF)),,$(wildcard bpf/*.bpf.c)))
FRAMES   := $(if $(SKELS),$(O)/tests/check/frames.bpf.o)

LIB_OBJ  := $(LIB_SRC:%.c=$(O)/%.o)
PROG_OBJ := $(PROG_SRC:%.c=$(O)/%.o)
UNIT     := $(patsubst %.c,$(O)/%,$(wildcard tests/unit/test_*.c))
PROGS    := $(patsubst %.c,$(O)/%,$(filter tests/progs/%,$(TEST_SRC)))
SCREENS  := $(patsubst %.c,$(O)/%,$(wildcard tests/screens/*.c))
BENCHES  := $(patsubst %.c,$(O)/%,$(filter tests/bench/%,$(TEST_SRC)))
MAN      := $(patsubst ui/man/%.scd,$(O)/man/%,$(wildcard ui/man/*.scd))

.DEFAULT_GOAL := all
all: $(O)/ipctap $(O)/libipctap-shim.so ripc-all
test-programs: $(UNIT) $(PROGS) $(SCREENS) $(FRAMES) ripc-programs
unit-programs: $(UNIT)
bench-programs: $(BENCHES) $(O)/tests/bench/interpose.so
man: $(MAN)

# ---- how ----

# $(call stamp,TEXT): rewrites the target only when TEXT is not what it holds
define stamp
@mkdir -p $(@D)
@printf '%s\n' '$(subst ','\'',$1)' >$@.$$$$ && \
	if cmp -s $@.$$$$ $@; then rm $@.$$$$; else mv $@.$$$$ $@; fi
endef

# A first build on a machine that lacks packages says so, rather than only fail.
$(O)/.cflags: FORCE
	@[ -e $@ ] || { $(call find_missing,$(PKG_BUILD)); [ -z "$$missing" ] || \
		echo "make: not installed:$$missing; 'make deps' installs what is missing" >&2; }
	$(call stamp,$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS))
$(O)/.bpfflags: FORCE
	$(call stamp,$(CLANG) $(BPF_CFLAGS))
$(O)/.objects: FORCE
	$(call stamp,$(LIB_OBJ) $(PROG_OBJ))

$(O)/ipctap: $(PROG_OBJ) $(O)/libipctap.a $(O)/libripc.a $(O)/.objects
	$(call say,LD,$@)
	$(Q)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $(PROG_OBJ) $(O)/libipctap.a $(O)/libripc.a $(LIBS)

$(O)/libipctap.a: $(LIB_OBJ)
$(O)/libcollector.a: $(filter $(O)/collector/%,$(PROG_OBJ))
$(O)/libui.a: $(filter-out $(O)/ui/cli/main.o,$(filter $(O)/ui/%,$(PROG_OBJ)))
$(O)/libipctap.a $(O)/libcollector.a $(O)/libui.a: $(O)/.objects
	$(call say,AR,$@)
	$(Q)rm -f $@ && $(AR) rcs $@ $(filter %.o,$^)

$(O)/%.o: %.c $(O)/.cflags
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(CC) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

$(O)/%.bpf.o: %.bpf.c $(O)/.bpfflags
	@mkdir -p $(@D)
	$(call say,BPF,$@)
	$(Q)$(CLANG) $(BPF_CFLAGS) -MMD -MP -MF $(@:.o=.d) -c -o $@ $<
$(O)/%.skel.h: $(O)/%.bpf.o
	$(call say,SKEL,$@)
	$(Q)$(BPFTOOL) gen skeleton $< name $(notdir $*)_bpf >$@.tmp && mv $@.tmp $@

# Skeletons must be there before the first compile; after it the .d files know who uses which.
$(filter $(O)/collector/%,$(PROG_OBJ)): | $(SKELS)
$(O)/tests/bench/floor.o: | $(O)/tests/bench/floor.skel.h

# Test programs are linked with those parts of ours whose headers they include, and no others.
uses = $(patsubst %.c,$(O)/%,$(shell grep -sl '^\#include "$1/' $(TEST_SRC)))
USE_LIB := $(UNIT) $(call uses,lib)
USE_COLLECTOR := $(call uses,collector)
USE_UI := $(call uses,ui)
$(USE_LIB) $(USE_COLLECTOR) $(USE_UI): $(O)/libipctap.a
$(USE_COLLECTOR) $(USE_UI): $(O)/libcollector.a
$(USE_UI): $(O)/libui.a

# Workloads that use none of them are traced, not tested: they stay as they are under SAN.
PLAIN := $(filter-out $(USE_LIB) $(USE_COLLECTOR) $(USE_UI),$(PROGS) $(BENCHES))
$(PLAIN) $(PLAIN:=.o): private SANFLAGS :=

$(UNIT): private LIBS = -lcmocka $(PC_LIBS) -lpthread -lm
$(UNIT) $(PROGS) $(BENCHES) $(SCREENS): $(O)/%: $(O)/%.o
	$(call say,LD,$@)
	$(Q)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $(filter %.o,$^) \
		-Wl,--start-group $(filter %.a,$^) -Wl,--end-group $(LIBS)

$(O)/man/%: ui/man/%.scd
	@mkdir -p $(@D)
	$(call say,MAN,$@)
	$(Q)scdoc <$< >$@.tmp && mv $@.tmp $@

# ---- the shim ----

# Goes into other people's programs: libc only, no sanitizer, nothing exported but what it wraps.
SHIM_OBJ := $(patsubst %.c,$(O)/%.o,$(wildcard collector/shim/*.c))
$(SHIM_OBJ): private ALL_CFLAGS += -fPIC -fvisibility=hidden -U_FORTIFY_SOURCE
$(SHIM_OBJ) $(O)/libipctap-shim.so: private SANFLAGS :=
$(O)/.shim-objects: FORCE
	$(call stamp,$(SHIM_OBJ))
$(O)/libipctap-shim.so: $(SHIM_OBJ) $(O)/.shim-objects
	$(call say,LD,$@)
	$(Q)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -shared -Wl,-soname,libipctap-shim.so -Wl,-z,defs \
		-Wl,-z,nodelete -o $@ $(filter %.o,$^)
-include $(SHIM_OBJ:.o=.d)

# The floor beside which its cost is measured
$(O)/tests/bench/interpose.so: tests/bench/interpose.c $(O)/.cflags
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) $(filter-out $(SANFLAGS),$(ALL_CFLAGS)) -fPIC -shared -o $@ $<

# ---- lib/ripc ----

# Stands alone: libc only. libripc-sysv.so is what it needs of libripc.a, under the kernel's names.
RIPC_OBJ   := $(patsubst %.c,$(O)/%.o,$(wildcard lib/ripc/*.c))
RIPC_APART := $(addprefix $(O)/lib/ripc/,tool.o sysv_preload.o)
RIPC_LIBS  := $(addprefix $(O)/,libripc.a libripc.so libripc-sysv.so libripc.pc)
RIPC_TESTS := $(patsubst %.c,$(O)/%,$(filter-out tests/ripc/bench_%,$(wildcard tests/ripc/*.c)))
RIPC_BOOST := $(if $(wildcard /usr/include/boost/interprocess/ipc/message_queue.hpp),$(O)/tests/ripc/bench_boost.o)
RIPC_VERSION := 0.1
CXX ?= g++

ripc-all: $(RIPC_LIBS) $(O)/ripc
ripc-programs: ripc-all $(RIPC_TESTS)

$(RIPC_OBJ): private ALL_CFLAGS += -fPIC
$(O)/.ripc-objects: FORCE
	$(call stamp,$(RIPC_OBJ))
$(O)/libripc.a: $(filter-out $(RIPC_APART),$(RIPC_OBJ)) $(O)/.ripc-objects
	$(call say,AR,$@)
	$(Q)rm -f $@ && $(AR) rcs $@ $(filter %.o,$^)
$(O)/libripc.so: $(filter-out $(RIPC_APART),$(RIPC_OBJ)) $(O)/.ripc-objects
	$(call say,LD,$@)
	$(Q)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -shared -Wl,-soname,libripc.so.0 -o $@ $(filter %.o,$^) -lpthread
	$(Q)ln -sf libripc.so $@.0
$(O)/libripc-sysv.so: $(O)/lib/ripc/sysv_preload.o $(O)/libripc.a lib/ripc/sysv.map
	$(call say,LD,$@)
	$(Q)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -shared -Wl,--version-script=lib/ripc/sysv.map -o $@ \
		$(filter %.o %.a,$^) -lpthread
$(O)/libripc.pc: Makefile
	@mkdir -p $(@D)
	@printf '%s\n' 'prefix=$(PREFIX)' 'libdir=$${prefix}/lib' 'includedir=$${prefix}/include' '' \
		'Name: libripc' 'Description: Interprocess communication by name, in user space' \
		'Version: $(RIPC_VERSION)' 'Libs: -L$${libdir} -lripc' 'Libs.private: -lpthread' \
		'Cflags: -I$${includedir}' >$@
$(O)/ripc: $(O)/lib/ripc/tool.o $(O)/libripc.a
$(RIPC_TESTS): $(O)/%: $(O)/%.o $(O)/libripc.a
$(RIPC_TESTS): private LIBS = -lcmocka -lpthread
$(O)/tests/ripc/bench_boost.o: tests/ripc/bench_boost.cc $(O)/.cflags
	@mkdir -p $(@D)
	$(call say,CXX,$@)
	$(Q)$(CXX) -O2 -g -Wall -Wextra -Werror -I. -c -o $@ $<
RIPC_BENCH := $(patsubst %.c,$(O)/%.o,$(wildcard tests/ripc/bench_*.c)) $(RIPC_BOOST)
$(O)/tests/ripc/bench_ripc: $(RIPC_BENCH) $(O)/libripc.a
	$(call say,LD,$@)
	$(Q)$(if $(RIPC_BOOST),$(CXX),$(CC)) $(SANFLAGS) $(ALL_LDFLAGS) -o $@ $(filter %.o %.a,$^) -lpthread -lrt
$(O)/tests/ripc/bench_ripc.o: private ALL_CFLAGS += $(if $(RIPC_BOOST),-DBENCH_BOOST)
$(O)/ripc $(RIPC_TESTS):
	$(call say,LD,$@)
	$(Q)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $(filter %.o %.a,$^) $(if $(filter %/ripc,$@),-lpthread,$(LIBS))

# programs of tests/progs and the demos that use it
$(call uses,lib/ripc): $(O)/libripc.a

bench-ripc: $(O)/tests/ripc/bench_ripc
	@$<

install-ripc: ripc-all
	install -D -m 755 $(O)/ripc $(DESTDIR)$(PREFIX)/bin/ripc
	install -D -m 755 $(O)/libripc.so $(DESTDIR)$(PREFIX)/lib/libripc.so.0
	ln -sf libripc.so.0 $(DESTDIR)$(PREFIX)/lib/libripc.so
	install -m 755 $(O)/libripc-sysv.so $(DESTDIR)$(PREFIX)/lib/libripc-sysv.so
	install -m 644 $(O)/libripc.a $(DESTDIR)$(PREFIX)/lib/libripc.a
	install -d $(DESTDIR)$(PREFIX)/lib/pkgconfig
	sed 's|^prefix=.*|prefix=$(PREFIX)|' $(O)/libripc.pc >$(DESTDIR)$(PREFIX)/lib/pkgconfig/libripc.pc
	install -d $(DESTDIR)$(PREFIX)/include
	install -m 644 $(wildcard lib/ripc/ripc.h lib/ripc/ripc_*.h) $(DESTDIR)$(PREFIX)/include
uninstall-ripc:
	rm -f $(addprefix $(DESTDIR)$(PREFIX)/,bin/ripc lib/libripc.so lib/libripc.so.0 lib/libripc-sysv.so \
		lib/libripc.a lib/pkgconfig/libripc.pc $(addprefix include/,$(notdir $(wildcard lib/ripc/ripc*.h))))
install: install-ripc
uninstall: uninstall-ripc
.PHONY: ripc-all ripc-programs bench-ripc install-ripc uninstall-ripc
-include $(RIPC_OBJ:.o=.d) $(RIPC_TESTS:=.d) $(patsubst %.o,%.d,$(RIPC_BENCH))

# ---- doing the job ----

# find_missing: sets $missing to those of PACKAGES ($1) that are not installed; a system that has
# no dpkg is taken to have them all
find_missing = missing=; if command -v dpkg-query >/dev/null; then \
	have=";$$(dpkg-query -W -f '$${db:Status-Abbrev}$${Package};' $1 2>/dev/null)"; \
	for p in $1; do case $$have in *";ii $$p;"*) ;; *) missing="$$missing $$p";; esac; done; fi

# need: installs what is missing; fast when nothing is
define need
@$(call find_missing,$(sort $1)); if [ -n "$$missing" ]; then \
	if [ "$$(id -u)" = 0 ]; then sudo=; elif command -v sudo >/dev/null; then sudo=sudo; else \
		echo "make: not installed, and neither root nor sudo to do it. As root:" >&2; \
		echo "    apt-get install --no-install-recommends$$missing" >&2; exit 1; fi; \
	echo "make: installing$$missing"; \
	apt="env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=120 -o Acquire::Retries=3"; \
	$$sudo $$apt -qq update && $$sudo $$apt -qq -y install --no-install-recommends $$missing; fi
endef

# want: installs what is missing and can be had, each by itself; the tests that miss one say so
define want
@for p in $1; do $(MAKE) -s --no-print-directory need-one PKG=$$p || \
	echo "make: there is no $$p here: its tests will be skipped"; done
endef

# As many jobs as there are processors, unless -j was given
JOBS = $(if $(findstring -j,$(MAKEFLAGS)),,-j$(shell nproc))
AGAIN = +$(Q)$(MAKE) --no-print-directory $(JOBS)
SUDO = $$([ "$$(id -u)" = 0 ] || command -v sudo)

deps:
	$(call need,$(PKG_BUILD) $(PKG_TEST))

run:
	$(call need,$(PKG_BUILD))
	$(AGAIN) all
ifneq ($(ARGS),)
	@$(SUDO) $(O)/ipctap $(ARGS)
else
	@if [ -t 0 ] && [ -t 1 ]; then $(SUDO) $(O)/ipctap top -- $(O)/ipctap demo mixed -d 600; \
	else $(SUDO) $(O)/ipctap report -- $(O)/ipctap demo mixed -d 3; fi
endif

test:
	$(call need,$(PKG_BUILD) $(PKG_TEST))
	$(AGAIN) $(if $(filter-out unit,$(TIERS)),all man test-programs,unit-programs)
	@O='$(O)' BPF='$(BPF)' SAN='$(SAN)' CC='$(CC)' tests/run $(TIERS)

test-long:
	$(call want,$(PKG_LONG))
	@$(MAKE) --no-print-directory test TIERS=long
	@$(MAKE) --no-print-directory kernels
kernels:
	$(call need,$(PKG_BUILD) $(PKG_TEST) $(PKG_KERNELS))
	$(AGAIN) all test-programs
	@O='$(O)' KERNEL='$(KERNEL)' tests/kernels/run
need-one:
	$(call need,$(PKG))
unit cli screens ripc live:
	@$(MAKE) --no-print-directory test TIERS=$@
asan:
	@$(MAKE) --no-print-directory test O=$(O)/asan SAN=address TIERS='$(filter-out check,$(TIERS))'
ubsan:
	@$(MAKE) --no-print-directory test O=$(O)/ubsan SAN=undefined TIERS='$(filter-out check,$(TIERS))'

check: check-layers check-headers check-frames
check-layers:
	@tests/check/layers .
check-headers:
	$(call need,$(PKG_BUILD))
	@CC='$(CC)' CLANG='$(if $(filter 0,$(BPF)),,$(CLANG))' CFLAGS='$(ALL_CFLAGS)' \
		BPF_CFLAGS='$(BPF_CFLAGS)' tests/check/headers .
check-frames:
	$(call need,$(PKG_BUILD))
	$(if $(SKELS),$(AGAIN) $(SKELS:.skel.h=.bpf.o))
	$(if $(SKELS),@tests/check/frames $(SKELS:.skel.h=.bpf.o))

bench:
	$(call need,$(PKG_BUILD) $(PKG_BENCH))
	$(AGAIN) all bench-programs
	@$(SUDO) env O='$(abspath $(O))' BENCH_OUT='$(BENCH_OUT)' tests/bench/run

# ---- fuzzing ----

# A target's main is libFuzzer's, or a plain one that gives it the inputs that are kept.
FUZZERS := $(patsubst %.c,$(O)/%,$(wildcard tests/fuzz/fuzz_*.c))
FUZZ_TOOLS := $(O)/tests/fuzz/pack
fuzz-programs: $(FUZZERS)
test-programs: $(FUZZERS) $(FUZZ_TOOLS)
ifneq ($(findstring fuzzer-no-link,$(SAN)),)
$(FUZZERS): private ALL_LDFLAGS += -fsanitize=fuzzer
else
$(FUZZERS): $(O)/tests/fuzz/run.o
endif
$(FUZZERS) $(FUZZ_TOOLS): $(O)/%: $(O)/%.o
	$(call say,LD,$@)
	$(Q)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $(filter %.o,$^) \
		-Wl,--start-group $(filter %.a,$^) -Wl,--end-group $(LIBS)
-include $(O)/tests/fuzz/run.d

fuzz:
	$(call need,$(PKG_BUILD) $(PKG_FUZZ))
	$(AGAIN) O=$(O)/fuzz BPF=0 CC='$(CLANG)' SAN=fuzzer-no-link,address,undefined fuzz-programs
	@O='$(O)/fuzz' tests/fuzz/session $(FUZZ_S)
.PHONY: fuzz fuzz-programs

DOC := $(DESTDIR)$(PREFIX)/share/doc/ipctap
COMPLETION := $(DESTDIR)$(PREFIX)/share/bash-completion/completions/ipctap
install: all man
	install -D -m 755 $(O)/ipctap $(DESTDIR)$(PREFIX)/bin/ipctap
	install -D -m 755 $(O)/libipctap-shim.so $(DESTDIR)$(PREFIX)/lib/ipctap/libipctap-shim.so
	@set -e; for m in $(MAN); do \
		install -D -m 644 $$m $(DESTDIR)$(PREFIX)/share/man/man$${m##*.}/$${m##*/}; done
	install -D -m 644 ui/completion/ipctap.bash $(COMPLETION)
	install -D -m 644 README.md $(DOC)/README.md
	install -D -m 644 LICENSE $(DOC)/LICENSE
uninstall:
	rm -f $(DESTDIR)$(PREFIX)/lib/ipctap/libipctap-shim.so
	@[ ! -d $(DESTDIR)$(PREFIX)/lib/ipctap ] || rmdir $(DESTDIR)$(PREFIX)/lib/ipctap
	rm -f $(DESTDIR)$(PREFIX)/bin/ipctap $(DOC)/README.md $(DOC)/LICENSE $(COMPLETION)
	@for m in $(MAN); do rm -f $(DESTDIR)$(PREFIX)/share/man/man$${m##*.}/$${m##*/}; done
	@[ ! -d $(DOC) ] || rmdir $(DOC)

help:
	@sed -n 's/^## \{0,1\}//p' Makefile

# Only a folder that a build made is removed, whatever O says.
clean:
	@if [ -e $(O)/.cflags ]; then rm -rf $(O); elif [ -e $(O) ]; then \
		echo "make: $(O) was not made by a build; not removed" >&2; exit 1; fi

.PHONY: all test-programs unit-programs bench-programs man deps run test test-long kernels need-one unit cli screens ripc live asan ubsan check \
	check-layers check-headers check-frames bench install uninstall help clean FORCE
.SECONDARY:
.DELETE_ON_ERROR:

-include $(patsubst %.o,%.d,$(LIB_OBJ) $(PROG_OBJ)) $(patsubst %.c,$(O)/%.d,$(TEST_SRC)) \
	$(SKELS:.skel.h=.bpf.d) $(O)/tests/bench/floor.bpf.d
