#!/bin/bash
# format.sh - whether all C is as .clang-format says; with --fix it becomes so. Version 14 alone, since versions differ.
set -u
cd "$(dirname "$0")/.." || exit 2
program=$(command -v clang-format-14) || { echo "skipped: clang-format-14 is not here, so the format was not looked at"; exit 77; }
files=$(git ls-files 'common/*.[ch]' 'server/*.[ch]' 'tui/*.[ch]' 'tests/*.[ch]' 'server/*.cc') || exit 2
[ "${1:-}" = --fix ] && exec "$program" -i $files
"$program" --dry-run -Werror $files 2>&1 | grep -E 'warning|error' | cut -d: -f1 | sort | uniq -c >&2
[ "${PIPESTATUS[0]}" = 0 ] && echo "All C is formatted." || { echo "Run make format."; exit 1; }
