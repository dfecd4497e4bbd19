-- admin.sql - the audit log and the figures.
-- name: admin_audit
with page as (
    select a.*, row_number() over (order by a.audit_id desc) as n
      from public.audit_log a, (select api.cursor_key(:cursor, 'bigint') as key) k
     where k.key is null or a.audit_id < (k.key ->> 0)::bigint
     order by a.audit_id desc limit :limit::int + 1
)
select jsonb_build_object(
    'items', coalesce(jsonb_agg(jsonb_build_object('at', api.utc(p.at), 'actor', coalesce(u.institution_id, p.actor::text),
        'action', p.action, 'target', coalesce(t.institution_id, p.target), 'detail', p.detail) order by p.n)
        filter (where p.n <= :limit::int), '[]'),
    'next_cursor', case when count(*) > :limit::int
        then api.cursor(jsonb_build_array(min(p.audit_id) filter (where p.n = :limit::int))) end)
  from page p
  left join public.users u on u.user_id = p.actor
  left join public.users t on t.user_id::text = p.target

-- counted in the database; the server adds the health of its providers
-- name: admin_stats
select api.stats()

-- name: admin_students
select api.students(:query, :limit::int, :cursor)
