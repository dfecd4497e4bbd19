#!/bin/bash
# policies.sh - who may see and do what, in the database itself (pgTAP).
. "$(dirname "$0")/lib/cluster.bash"
cluster_start
prove_files "$here"/pgtap/*.sql
