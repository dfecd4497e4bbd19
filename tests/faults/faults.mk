# The faults suite: things are broken on purpose. `make torture` goes on for TORTURE_MINUTES with TORTURE_SEED.
FAULTS := $(patsubst tests/%.c,$(B)/tests/%,$(call srcs,tests/faults/*.c))
TESTS  += $(FAULTS)
EXTRA_TEST += $(patsubst tests/%.c,$(B)/tests/%.so,$(wildcard tests/faults/shim/*.c))
TORTURE_MINUTES ?= 20
TORTURE_SEED    ?= $(shell date +%s)

$(B)/tests/faults/%.o: CFLAGS += $(PQ)
# Goes into programs of others too, PostgreSQL among them: no sanitizer.
$(B)/tests/faults/shim/%.so: tests/faults/shim/%.c
	@mkdir -p $(@D)
	$(Q)$(if $(V),,echo "  link $@";) $(CC) $(filter-out -fsanitize=% -fno-sanitize% -fPIE,$(CPPFLAGS) $(CFLAGS)) -fPIC -shared -o $@ $<

.PHONY: torture _torture
torture: ; @packaging/deps.sh test && $(MAKE) --no-print-directory _torture
_torture: _all $(TESTS) $(FAKES) $(EXTRA_TEST)
	@TORTURE_SEED='$(TORTURE_SEED)' TORTURE_MINUTES='$(TORTURE_MINUTES)' tests/faults/torture.sh $(B) '$(T)'
