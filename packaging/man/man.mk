# The man pages: their prose is packaging/man/*.in, their lists come out of the programs' own tables.
MAN := $(patsubst packaging/man/%.in,$(B)/man/%,$(wildcard packaging/man/*.in))

_all: $(MAN)
$(B)/man/%: packaging/man/%.in packaging/man/fill.awk $(B)/edurag $(B)/eduragd
	@mkdir -p $(@D)
	$(Q)$(if $(V),,echo "  man  $@";) awk -v edurag=$(B)/edurag -v eduragd=$(B)/eduragd -f packaging/man/fill.awk $< > $@

install: install-man
install-man: $(MAN)
	for page in $(MAN); do install -D -m 644 $$page $(D)/share/man/man$${page##*.}/$${page##*/} || exit 1; done
.PHONY: install-man
