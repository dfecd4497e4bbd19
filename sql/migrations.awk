# migrations.awk - turns sql/migrations/*.sql into C: build/gen/migrations.c, in the order of the names.
function close_file() { if (open) print "     \"\"},"; open = 0 }
BEGIN { print "/* migrations.c - made from sql/migrations/ by sql/migrations.awk. */\n#include \"server/store/migrate.h\"\n\nconst struct migration migrations[] = {" }
FNR == 1 { close_file(); n = split(FILENAME, part, "/"); file = part[n]; sub(/\.sql$/, "", file); print "    {\"" file "\","; open = 1 }
{ line = $0; gsub(/\\/, "&&", line); gsub(/"/, "\\\"", line); print "     \"" line "\\n\"" }
END { close_file(); print "    {0}};" }
