-- profile.sql - what a person changes about themselves.
-- name: profile_update
with done as (
    update public.users u set avatar = coalesce(:avatar, u.avatar), plain = coalesce(:plain::boolean, u.plain)
     where u.user_id = (select (auth.me()).user_id) returning api.user_json(u) as person
)
select coalesce((select person from done), api.refuse('unauthenticated'))
