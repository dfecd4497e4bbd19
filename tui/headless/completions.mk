# Completions come out of the program's own table of commands.
install: install-completions
install-completions: $(B)/edurag
	install -d $(D)/share/bash-completion/completions $(D)/share/fish/vendor_completions.d
	$(B)/edurag completions bash > $(D)/share/bash-completion/completions/edurag
	$(B)/edurag completions fish > $(D)/share/fish/vendor_completions.d/edurag.fish
.PHONY: install-completions
