# SPDX-License-Identifier: GPL-2.0-or-later
# ipctap's front door: make help

O       ?= build
V       ?= 0
BPF     ?= 1
CC      ?= gcc
CLANG   ?= clang
BPFTOOL ?= bpftool

Q := $(if $(filter 1,$V),,@)
say = $(if $(filter 1,$V),,@printf '  %-7s %s\n' '$1' '$2')

WARN   := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith -Wwrite-strings -Werror
CFLAGS ?= -O2 -g
ALL_CFLAGS := -std=gnu11 $(CFLAGS) $(WARN) -D_GNU_SOURCE -I. -I$(O) -fno-strict-aliasing

LIB_SRC  := $(wildcard lib/abi/*.c lib/base/*.c lib/stream/*.c lib/model/*.c lib/store/*.c lib/analysis/*.c)
LIB_OBJ  := $(LIB_SRC:%.c=$(O)/%.o)
PROG_SRC := $(filter-out $(if $(filter 0,$(BPF)),collector/src_bpf.c),$(wildcard collector/*.c ui/cli/*.c ui/tui/*.c ui/demo/*.c))
PROG_OBJ := $(PROG_SRC:%.c=$(O)/%.o)
LIBS     := -lsqlite3 -lncursesw -ltinfo -lsmartcols -ljansson -lcap -lpthread -lm $(if $(filter 0,$(BPF)),,-lbpf -lelf -lz)

.DEFAULT_GOAL := all
all: $(O)/ipctap

$(O)/ipctap: $(PROG_OBJ) $(O)/libipctap.a
	$(call say,LD,$@)
	$(Q)$(CC) $(ALL_CFLAGS) $(LDFLAGS) -o $@ $(PROG_OBJ) $(O)/libipctap.a $(LIBS)

$(O)/libipctap.a: $(LIB_OBJ)
	$(call say,AR,$@)
	$(Q)rm -f $@ && $(AR) rcs $@ $(LIB_OBJ)

$(O)/%.o: %.c
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(CC) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

BPF_CFLAGS := -target bpf -O2 -g -mcpu=v3 -Wall -Werror -D__TARGET_ARCH_x86 -I. \
	-I/usr/include/$(shell $(CC) -dumpmachine 2>/dev/null)
$(O)/bpf/%.bpf.o: bpf/%.bpf.c
	@mkdir -p $(@D)
	$(call say,BPF,$@)
	$(Q)$(CLANG) $(BPF_CFLAGS) -MMD -MP -MF $(@:.o=.d) -c -o $@ $<
$(O)/bpf/%.skel.h: $(O)/bpf/%.bpf.o
	$(call say,SKEL,$@)
	$(Q)$(BPFTOOL) gen skeleton $< name $*_bpf > $@.tmp && mv $@.tmp $@
ifneq ($(BPF),0)
$(O)/collector/src_bpf.o: $(O)/bpf/ipctap.skel.h
endif

UNIT := $(patsubst tests/unit/%.c,$(O)/tests/unit/%,$(wildcard tests/unit/test_*.c))
unit: $(UNIT)
$(O)/tests/unit/%: $(O)/tests/unit/%.o $(O)/libipctap.a
	$(call say,LD,$@)
	$(Q)$(CC) $(ALL_CFLAGS) $(LDFLAGS) -o $@ $^ -lcmocka -lsqlite3 -lpthread -lm

clean:
	rm -rf $(O)
.PHONY: all unit clean
.SECONDARY:
-include $(shell find $(O) -name '*.d' 2>/dev/null)
