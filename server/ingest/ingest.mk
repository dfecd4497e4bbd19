# The sandbox is tried by a test that enters it, so that test alone links the extractor's own files.
SANDBOXED := $(call objs,$(filter-out %/main.c,$(EXTRACT)))
$(B)/tests/unit/sandbox: LIBS_SERVER := $(SANDBOXED) $(B)/libcommon.a $(shell pkg-config --libs poppler-glib 2>/dev/null) -lseccomp $(LIBS_SERVER)
$(B)/tests/unit/sandbox: $(SANDBOXED)
