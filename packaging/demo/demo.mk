# The demo library: lessons of our own, set as PDFs. A file's name is its title, with _ for blanks.
LESSONS   := $(patsubst packaging/demo/%.ms,$(B)/demo/%.pdf,$(wildcard packaging/demo/*.ms))
EXTRA_RUN += $(LESSONS)
EXTRA_TEST += $(LESSONS)
EXTRA_BENCH += $(LESSONS)

$(B)/demo/%.pdf: packaging/demo/%.ms packaging/demo/lesson.tmac
	@mkdir -p $(@D)
	$(Q)$(if $(V),,echo "  set  $@";) groff -Tpdf -ms packaging/demo/lesson.tmac $< > $@
