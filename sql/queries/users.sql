-- users.sql - accounts: for admins, and (owner_...) for the command line as edurag_owner.
-- name: users_list
with page as (
    select u.*, row_number() over (order by lower(u.institution_id)) as n
      from public.users u, (select api.cursor_key(:cursor, 'text') as key) k
     where (k.key is null or lower(u.institution_id) > k.key ->> 0)
       and (:role::text is null or u.role = :role)
       and (:query::text is null or u.name ilike api.like_pattern(:query) or u.institution_id ilike api.like_pattern(:query))
     order by lower(u.institution_id) limit :limit::int + 1
)
select jsonb_build_object(
    'items', coalesce(jsonb_agg(jsonb_build_object('user_id', p.user_id, 'institution_id', p.institution_id, 'name', p.name,
        'role', p.role, 'avatar', p.avatar, 'plain', p.plain, 'disabled', p.disabled, 'created_at', api.utc(p.created_at),
        'last_active_at', api.utc(p.last_active_at)) order by p.n) filter (where p.n <= :limit::int), '[]'),
    'next_cursor', case when count(*) > :limit::int
        then api.cursor(jsonb_build_array(max(lower(p.institution_id)) filter (where p.n = :limit::int))) end)
  from page p

-- name: users_create
select api.user_create(:institution_id, :name, :role, :password, :id_skeleton, :name_skeleton)

-- people: [{line, institution_id, name, role}], or {line, problem}
-- name: users_import_check
select api.users_import_check(:people::jsonb)

-- name: users_import
select api.users_import(:people::jsonb)

-- name: users_import_done
select api.audit('users.import', null, jsonb_build_object('created', :created::int, 'skipped', :skipped::int, 'errors', :errors::int))

-- name: users_update
select api.user_update(:user_id::uuid, :name, :role, :disabled::boolean, :name_skeleton)

-- name: users_reset_password
select api.user_reset_password(:user_id::uuid)

-- name: users_quota
select api.quota_set(:user_id::uuid, :bytes::bigint)

-- name: users_delete
select api.user_delete(:user_id::uuid)

-- name: owner_user_add
select auth.user_add(null, :institution_id, :name, :role, :password, :id_skeleton, :name_skeleton)

-- one row a person
-- name: owner_user_list
select u.institution_id, u.name, u.role, u.disabled, api.utc(u.created_at), api.utc(u.last_active_at)
  from public.users u order by lower(u.institution_id)

-- the new password; no row: no such person
-- name: owner_user_reset
select auth.user_reset(null, u.user_id) from public.users u where lower(u.institution_id) = lower(:institution_id)

-- no row: no such person
-- name: owner_user_disable
select auth.user_change(null, u.user_id, null, null, coalesce(:disabled::boolean, true))
  from public.users u where lower(u.institution_id) = lower(:institution_id)

-- {"bcrypt_cost":..., "token_ttl":..., "chat_ttl":..., "upload_bytes":..., "person_bytes":..., "unfinished_bytes":...}: the settings that the database obeys
-- name: owner_configure
select auth.configure(:settings::jsonb)

-- the new key's id
-- name: owner_key_rotate
select auth.key_rotate()
