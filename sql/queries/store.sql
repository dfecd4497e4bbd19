-- The frame of every transaction (server/store/tx.c).

-- name: tx_begin
begin

-- name: tx_commit
commit

-- name: tx_rollback
rollback

-- name: tx_token
select pg_catalog.set_config('edurag.token', :token, true)

-- Behind a pooler nothing can be set for the session, so each transaction brings its limits itself.
-- name: tx_token_limits
select pg_catalog.set_config('edurag.token', :token, true),
    pg_catalog.set_config('statement_timeout', :limit_ms, true),
    pg_catalog.set_config('lock_timeout', :limit_ms, true),
    pg_catalog.set_config('row_security', 'on', true),
    pg_catalog.set_config('search_path', 'pg_catalog, public, pg_temp', true),
    pg_catalog.set_config('TimeZone', 'UTC', true)
