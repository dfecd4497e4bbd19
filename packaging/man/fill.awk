# fill.awk - puts into a man page what the programs say about themselves.
# awk -v edurag=PROGRAM -v eduragd=PROGRAM -f fill.awk PAGE.in: a line @NAME@ becomes the output of
# `PROGRAM manual name`. Commands are those of the program whose page it is. Fails where nothing comes.
/^@[A-Z]+@$/ {
    name = tolower(substr($0, 2, length($0) - 2))
    program = name ~ /^(keys|options)$/ || (name == "commands" && FILENAME ~ /edurag\.1\.in$/) ? edurag : eduragd
    command = program " manual " name
    lines = 0
    while ((command | getline line) > 0) {
        print line
        lines++
    }
    if (close(command) != 0 || lines == 0) {
        print FILENAME ": `" command "` says nothing" > "/dev/stderr"
        exit 1
    }
    next
}
{ print }
