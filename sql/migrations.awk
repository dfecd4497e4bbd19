# migrations.awk - turns sql/migrations/*.sql into C: build/gen/migrations.c, in the order of the names.
# sql/roles.sql, given last, becomes migrate_roles.
function end_file() { if (table) print "     \"\"},"; table = 0 }
function end_table() { if (!ended) { end_file(); print "    {0}};" } ended = 1 }
BEGIN { print "/* migrations.c - made from sql/migrations/ and sql/roles.sql by sql/migrations.awk. */\n#include \"server/store/migrate.h\"\n\nconst struct migration migrations[] = {" }
FNR == 1 {
    n = split(FILENAME, part, "/"); file = part[n]
    if (file == "roles.sql") { end_table(); print "\nconst char migrate_roles[] =" }
    else { end_file(); sub(/\.sql$/, "", file); print "    {\"" file "\","; table = 1 }
}
{ line = $0; gsub(/\\/, "&&", line); gsub(/"/, "\\\"", line); print "     \"" line "\\n\"" }
END { if (ended) print "    ;"; else { end_table(); print "\nconst char migrate_roles[] = \"\";" } }
