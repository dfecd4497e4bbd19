# queries.awk - turns sql/queries/*.sql into C: one enum and one table (build/gen/queries.h, queries.c).
# A query begins with a line `-- name: courses_list`; `:name` outside quotes becomes $1, $2 … in the
# order of first appearance, and its name is kept for methods that bind their params by name.
# usage: awk -v part=h|c|sql -f queries.awk FILES; sql gives a line a query for tests: name, values, text.
function emit(    i, n, c, out, quoted, word, key) {
    if (name == "") return
    sub(/[ \t\n;]+$/, "", body)
    n = length(body); out = ""; quoted = ""; count = 0; split("", seen); list = ""
    for (i = 1; i <= n; i++) {
        c = substr(body, i, 1)
        if (quoted != "") { if (c == quoted) quoted = ""; out = out c; continue }
        if (c == "'" || c == "\"") { quoted = c; out = out c; continue }
        if (c == ":" && substr(body, i + 1, 1) == ":") { out = out "::"; i++; continue }
        if (c == ":" && match(substr(body, i + 1), /^[a-z_][a-z_0-9]*/)) {
            key = substr(body, i + 1, RLENGTH)
            if (!(key in seen)) { seen[key] = ++count; list = list "\"" key "\", " }
            out = out "$" seen[key]; i += length(key); continue
        }
        out = out c
    }
    if (part == "sql") { gsub(/\n/, " ", out); print name "\t" count "\t" out; name = ""; body = ""; return }
    gsub(/\\/, "&&", out); gsub(/"/, "\\\"", out); gsub(/\n/, "\\n\"\n     \"", out)
    enums = enums "    SQL_" toupper(name) ",\n"
    table = table "    {\"" name "\", " count ", {" list "NULL},\n     \"" out "\"},\n"
    name = ""; body = ""
}
/^-- name: / { emit(); name = $3; next }
/^[ \t]*--/ { next }
/^[ \t]*$/ { next }
name != "" { sub(/[ \t]+--[^']*$/, ""); body = body (body == "" ? "" : "\n") $0 }
END {
    emit()
    if (part == "sql") exit
    if (part == "h") {
        print "/* queries.h - made from sql/queries/ by sql/queries.awk. */\n#ifndef GEN_QUERIES_H\n#define GEN_QUERIES_H\n"
        print "enum query {\n    QUERY_NONE = 0,\n" enums "    QUERY_COUNT\n};\n"
        print "enum { QUERY_PARAMS_MOST = 24 };"
        print "/* Indexed by enum query; row 0 is empty. `params` are the names of $1, $2 … */"
        print "struct query_text {\n    const char *name;\n    int count;\n    const char *params[QUERY_PARAMS_MOST];\n    const char *text;\n};"
        print "extern const struct query_text query_texts[QUERY_COUNT];\n\n#endif"
    } else {
        print "/* queries.c - made from sql/queries/ by sql/queries.awk. */\n#include <stddef.h>\n\n#include \"gen/queries.h\"\n"
        print "const struct query_text query_texts[QUERY_COUNT] = {\n    {NULL, 0, {NULL}, NULL},\n" table "};"
    }
}
