# Fuzzing. Each tests/fuzz/NAME.c is built twice: with replay.c, to run the inputs that are kept, by any compiler and
# under any sanitizer; and by clang with libFuzzer, to search for new ones (build/fuzz; tests/fuzz/search.sh).
#   make fuzz                       every target, for FUZZ_SECONDS (60) each
#   make fuzz T=sse FUZZ_SECONDS=600   one target; what is learnt stays in build/fuzz/corpus
FUZZ_TARGETS := $(filter-out replay,$(patsubst tests/fuzz/%.c,%,$(wildcard tests/fuzz/*.c)))
FUZZ_SAN     := fuzzer-no-link,address,undefined
FUZZ_CC      := $(if $(findstring ccache,$(CC)),ccache )clang
# Those that T= names, as tests/run.sh understands it; the search is built for no others.
FUZZ_WANTED  := $(strip $(if $(T),$(foreach name,$(FUZZ_TARGETS),$(if $(findstring $(T),fuzz/$(name).search),$(name))),$(FUZZ_TARGETS)))
EXTRA_TEST   += $(call wanted,$(FUZZ_TARGETS:%=$(B)/tests/fuzz/%)) $(if $(SAN),,$(if $(FUZZ_WANTED),fuzz-build))

ifeq ($(SAN),$(FUZZ_SAN))
$(FUZZ_TARGETS:%=$(B)/tests/fuzz/%): $(B)/tests/fuzz/%: $(B)/tests/fuzz/%.o $(B)/libtest.a $(B)/libserver.a $(B)/libtui.a $(B)/libcommon.a
	$(Q)$(if $(V),,echo "  link $@";) $(CC) $(subst fuzzer-no-link,fuzzer,$(LDFLAGS)) -o $@ $^ -lcmocka -lutil $(LIBS_SERVER) $(LIBS_TUI)
fuzz-targets: $(FUZZ_WANTED:%=$(B)/tests/fuzz/%)
else
$(FUZZ_TARGETS:%=$(B)/tests/fuzz/%): $(B)/tests/fuzz/%: $(B)/tests/fuzz/%.o $(B)/tests/fuzz/replay.o $(B)/libtest.a $(B)/libserver.a $(B)/libtui.a $(B)/libcommon.a
	$(Q)$(if $(V),,echo "  link $@";) $(CC) $(LDFLAGS) -o $@ $^ -lcmocka -lutil $(LIBS_SERVER) $(LIBS_TUI)
endif

# Where clang can't do it, tests/fuzz/search.sh says so and is counted as skipped.
fuzz-build:
	@! tests/fuzz/search.sh can >/dev/null || $(MAKE) --no-print-directory B=build/fuzz CC='$(FUZZ_CC)' SAN=$(FUZZ_SAN) OPT='-O2 -g' WARN=-Wall WERROR= fuzz-targets
fuzz: ; @packaging/deps.sh test && $(MAKE) --no-print-directory _fuzz
_fuzz: fuzz-build
	@for name in $(FUZZ_WANTED); do echo "== $$name"; \
	    FUZZ_SECONDS=$${FUZZ_SECONDS:-60} FUZZ_KEEP=build/fuzz/corpus/$$name tests/fuzz/search.sh $$name || exit 1; done
.PHONY: fuzz _fuzz fuzz-build fuzz-targets

# Replies come from the input, not from a network.
$(B)/tests/fuzz/models: LDFLAGS += -Wl,--wrap=http_send
