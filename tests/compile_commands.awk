# compile_commands.awk - from `make -Bn V=1` to the JSON Compilation Database of clang's tools.
BEGIN { print "[" }
/ -c -o [^ ]+\.o [^ ]+\.(c|cc)$/ {
    command = $0; sub(/^[ \t]*(if .*; fi; )?/, "", command); gsub(/\\/, "\\\\", command); gsub(/"/, "\\\"", command)
    printf "%s  {\"directory\": \"%s\", \"file\": \"%s\", \"command\": \"%s\"}", n++ ? ",\n" : "", dir, $NF, command
}
END { print "\n]" }
