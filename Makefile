# EduRag - the study platform for plain terminals
#
#   make            build everything into build/
#   make run        build, start a school with demo accounts and lessons, open the terminal
#   make test       every test against a real private PostgreSQL (installs what is missing)
#   make test T=params            only tests whose name contains "params"
#   make test SAN=address,undefined   (or SAN=thread) the same under sanitizers
#   make torture TORTURE_MINUTES=20   breaks things on purpose for longer; prints the seed that repeats it
#   make fuzz T=sse FUZZ_SECONDS=600   searches for input that breaks what reads strangers' bytes (clang)
#   make format     clang-format over all C, as CI checks it
#   make compile_commands         compile_commands.json, for an editor's language server
#   make protocol   the protocol's manual as Markdown, for code hosts (wants mandoc)
#   make names      proves one door per library, and the names of exported functions
#   make bench      measures everything in one table, also as build/bench.json (T=search: only that)
#   make bench-readme             puts the table of build/bench.json into tests/bench/RESULTS.md
#   make install DESTDIR= PREFIX=/usr/local
#   make deb        Debian packages into build/deb/
#   make deps       only install the Debian packages that building and testing need
#   make clean, make help        (V=1 shows the commands)
#
# Objects of a sanitizer build go to build/san-NAME, so that builds do not disturb each other.

SAN     ?=
comma   := ,
B       := build$(if $(SAN),/san-$(subst $(comma),-,$(SAN)))
PREFIX  ?= /usr/local
CC      ?= cc
WERROR  ?= $(if $(CI),-Werror)
OPT     ?= -O2 -g
VERSION := 1.0.0
Q       := $(if $(V),,@)

WARN    := -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla
HARDEN  := $(if $(SAN),,-D_FORTIFY_SOURCE=2 -fstack-protector-strong -fPIE)
SANFLAG := $(if $(SAN),-fsanitize=$(SAN) -fno-omit-frame-pointer -fno-sanitize-recover=all)
CFLAGS  += -std=c17 -D_GNU_SOURCE -DEDURAG_VERSION='"$(VERSION)"' $(OPT) $(WARN) $(WERROR) $(HARDEN) $(SANFLAG)
LDFLAGS += $(SANFLAG) $(if $(SAN),,-pie -Wl$(comma)-z$(comma)relro$(comma)-z$(comma)now) -Wl,--as-needed
CPPFLAGS += -I. -I$(B) -MMD -MP
GLIB    := $(shell pkg-config --cflags poppler-glib 2>/dev/null)
PQ      := $(shell pkg-config --cflags libpq 2>/dev/null)

LIBS_COMMON := -lcjson -lpthread -lm
LIBS_CLIENT := -lwebsockets -lssl -lcrypto $(LIBS_COMMON)
LIBS_SERVER := -lwebsockets -lev -lpq -lcurl -lssl -lcrypto -licui18n -licuuc -lstemmer -lpcre2-8 $(LIBS_COMMON)
LIBS_TUI    := -lncursesw -ltinfo $(LIBS_CLIENT)

srcs    = $(sort $(wildcard $(1)))
objs    = $(patsubst %.c,$(B)/%.o,$(1))
COMMON  := $(call srcs,common/*.c)
SERVER  := $(filter-out server/main.c,$(call srcs,server/*.c server/*/*.c))
EXTRACT := $(call srcs,server/ingest/extractor/*.c)
TUI     := $(filter-out tui/main.c,$(call srcs,tui/*.c tui/*/*.c))
TESTLIB := $(call srcs,tests/lib/*.c)
QUERIES := $(call srcs,sql/queries/*.sql)
MIGRATE := $(call srcs,sql/migrations/*.sql)
ROLES   := $(wildcard sql/roles.sql)
GEN     := $(B)/gen/queries.h $(B)/gen/queries.c $(B)/gen/migrations.c

PROGRAMS := $(if $(wildcard server/main.c),$(B)/eduragd) $(if $(wildcard tui/main.c),$(B)/edurag) \
            $(if $(EXTRACT),$(B)/edurag-extractor)
# One program a test file; what it links follows from the room it tests.
TESTS_C  := $(call srcs,tests/unit/*.c tests/server/*.c tests/tui/*.c)
TESTS    := $(patsubst tests/%.c,$(B)/tests/%,$(TESTS_C))
# Those that T= names, as tests/run.sh understands it; everything without T.
wanted    = $(if $(T),$(foreach file,$(1),$(if $(findstring $(T),$(file:$(B)/tests/%=%)),$(file))),$(1))
FAKES    := $(patsubst tests/%.c,$(B)/tests/%,$(call srcs,tests/fakes/*.c))
BENCHES  := $(patsubst tests/%.c,$(B)/tests/%,$(call srcs,tests/bench/*.c))

.PHONY: all deb format compile_commands protocol run test names bench bench-readme install deps clean help _all _run _test _bench
.SECONDARY:
.DELETE_ON_ERROR:

# The libraries may be missing on a fresh machine, so the first step installs them and then starts over.
all: ; @packaging/deps.sh build && $(MAKE) --no-print-directory _all
run: ; @packaging/deps.sh build && $(MAKE) --no-print-directory _run
test: ; @packaging/deps.sh test && $(MAKE) --no-print-directory _test
bench: ; @packaging/deps.sh test && $(MAKE) --no-print-directory _bench
deps: ; @packaging/deps.sh test
help: ; @sed -n '1,/^$$/s/^# \{0,1\}//p' Makefile
clean: ; rm -rf build

include packaging/demo/demo.mk packaging/man/man.mk server/ingest/ingest.mk tui/headless/completions.mk tests/faults/faults.mk tests/fuzz/fuzz.mk

_all: $(PROGRAMS) $(B)/libserver.a $(B)/libtui.a $(B)/libcommon.a
_run: _all $(EXTRA_RUN) ; @tests/lib/run-demo.sh $(B)
_test: _all $(call wanted,$(TESTS)) $(FAKES) $(if $(SAN)$(T),,$(BENCHES)) $(EXTRA_TEST) ; @tests/run.sh $(B) '$(T)'
_bench: _all $(BENCHES) $(FAKES) $(EXTRA_BENCH) ; @tests/bench/run.sh $(B) '$(T)'
bench-readme: ; @tests/bench/results.sh $(B)/bench.json tests/bench/RESULTS.md
names: _all ; @tests/names.sh $(B)
deb: ; @packaging/deb.sh
format: ; @tests/format.sh --fix
compile_commands:
	@$(MAKE) --no-print-directory -Bn V=1 _all | awk -v dir='$(CURDIR)' -f tests/compile_commands.awk > compile_commands.json
	@echo "compile_commands.json: $$(grep -c '"file"' compile_commands.json) files"
protocol: _all ; @mandoc -T markdown $(B)/man/edurag-protocol.7 > packaging/man/edurag-protocol.md

$(B)/eduragd: $(B)/server/main.o $(B)/libserver.a $(B)/libcommon.a
	$(Q)$(if $(V),,echo "  link $@";) $(CC) $(LDFLAGS) -o $@ $^ $(LIBS_SERVER)
$(B)/edurag: $(B)/tui/main.o $(B)/libtui.a $(B)/libcommon.a
	$(Q)$(if $(V),,echo "  link $@";) $(CC) $(LDFLAGS) -o $@ $^ $(LIBS_TUI)
$(B)/edurag-extractor: $(call objs,$(EXTRACT)) $(B)/libcommon.a
	$(Q)$(if $(V),,echo "  link $@";) $(CC) $(LDFLAGS) -o $@ $^ $(shell pkg-config --libs poppler-glib 2>/dev/null) -lseccomp $(LIBS_COMMON)

$(B)/libcommon.a: $(call objs,$(COMMON))
$(B)/libserver.a: $(call objs,$(SERVER)) $(B)/gen/queries.o $(B)/gen/migrations.o
$(B)/libtui.a: $(call objs,$(TUI))
$(B)/libtest.a: $(call objs,$(TESTLIB))
$(B)/%.a:
	@rm -f $@; ar rcs $@ $^

$(B)/tests/tui/%: $(B)/tests/tui/%.o $(B)/libtest.a $(B)/libtui.a $(B)/libcommon.a
	$(Q)$(if $(V),,echo "  link $@";) $(CC) $(LDFLAGS) -o $@ $^ -lcmocka -lutil $(LIBS_TUI)
$(B)/tests/%: $(B)/tests/%.o $(B)/libtest.a $(B)/libserver.a $(B)/libtui.a $(B)/libcommon.a
	$(Q)$(if $(V),,echo "  link $@";) $(CC) $(LDFLAGS) -o $@ $< $(B)/libtest.a $(B)/libserver.a $(B)/libtui.a $(B)/libcommon.a -lcmocka -lutil $(LIBS_SERVER) $(LIBS_TUI)

$(B)/server/ingest/extractor/%.o: CFLAGS += $(GLIB)
$(B)/server/store/%.o $(B)/tests/lib/%.o $(B)/tests/server/%.o $(B)/tests/bench/%.o: CFLAGS += $(PQ)
$(B)/gen/%.o: $(B)/gen/%.c ; $(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -Wno-overlength-strings -c -o $@ $<
$(B)/%.o: %.c | $(GEN)
	@mkdir -p $(@D)
	$(Q)$(if $(V),,echo "  cc   $<";) $(CC) $(CPPFLAGS) $(CFLAGS) -c -o $@ $<

$(B)/gen/queries.h $(B)/gen/queries.c: $(QUERIES) sql/queries.awk Makefile
	@mkdir -p $(@D)
	@awk -v part=$(patsubst .%,%,$(suffix $@)) -f sql/queries.awk $(QUERIES) </dev/null > $@.new && (cmp -s $@.new $@ && rm $@.new || mv $@.new $@); touch $@
$(B)/gen/migrations.c: $(MIGRATE) $(ROLES) sql/migrations.awk
	@mkdir -p $(@D)
	@awk -f sql/migrations.awk $(MIGRATE) $(ROLES) </dev/null > $@

D = $(DESTDIR)$(PREFIX)
install: _all
	install -d $(D)/bin $(D)/sbin $(D)/lib/edurag $(D)/share/doc/edurag-server/examples
	install $(B)/edurag $(D)/bin
	install $(B)/eduragd $(D)/sbin
	install $(B)/edurag-extractor $(D)/lib/edurag
	install -m 644 packaging/examples/* packaging/systemd/edurag.* $(D)/share/doc/edurag-server/examples

-include $(shell find $(B) -path $(B)/deb -prune -o -type f -name '*.d' -print 2>/dev/null)
