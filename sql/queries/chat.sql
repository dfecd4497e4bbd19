-- chat.sql - rooms and their lines; the second half is what each node asks for all its members at once.

-- name: chat_join
select j.result::text, j.last_seq, j.more, j.gone from api.chat_join(:room::uuid, :after_seq::bigint, :most::int) j

-- name: chat_send
select api.chat_send(:room::uuid, :text, :client_id)::text

-- name: chat_delete
select api.chat_delete(:message_id::uuid)::text

-- name: chat_mute
select api.chat_mute(:room::uuid, :user_id::uuid, :seconds::bigint)::text

-- name: chat_last_seq
select r.last_seq from public.chat_rooms r where r.room_id = :room::uuid

-- name: chat_lines
select m.seq, auth.line_json(m, u)::text
  from public.chat_messages m join public.users u on u.user_id = m.user_id
 where m.room_id = :room::uuid and m.seq > :after::bigint and m.expires_at > now()
 order by m.seq limit :most::int

-- name: chat_gone
-- What has gone, in the order of (gone_at, gone_id), behind those two. A row is dated before its commit, and
-- commits come in another order: so a first page (`behind` 0) begins somewhat earlier.
select g.gone_at::text, g.gone_id, g.room_id, g.seq is not null, to_jsonb(g.message_ids)::text
  from public.chat_gone g
 where (g.gone_at, g.gone_id) > (:since::timestamptz - case :behind::bigint when 0 then interval '30 seconds' else interval '0' end, :behind::bigint)
 order by g.gone_at, g.gone_id limit :most::int

-- name: chat_gone_last
select coalesce(max(g.gone_at), now())::text from public.chat_gone g

-- name: chat_online
select count(distinct p.user_id) from public.presence p where p.room_id = :room::uuid

-- name: chat_rooms_of
select worker.rooms_of(:user_id::uuid)

-- name: chat_sweep
select worker.sweep_chat(:most::int)

-- name: chat_beat
-- Whether anybody knew this node before: who took it for dead has forgotten who is with it.
with known as materialized (select exists (select from public.nodes n where n.node = :node) as here)
select not k.here, worker.node_beat(:node, :version) from known k

-- name: chat_present
with here as (
    select distinct p.room::uuid as room_id, p.person::uuid as user_id
      from unnest(:rooms::text[], :people::text[]) as p (room, person)
), gone as (
    delete from public.presence p where p.node = :node
       and not exists (select from here h where h.room_id = p.room_id and h.user_id = p.user_id)
)
insert into public.presence (node, room_id, user_id)
select :node, h.room_id, h.user_id from here h join public.users u using (user_id) join public.chat_rooms r using (room_id)
on conflict do nothing

-- name: chat_node_gone
delete from public.nodes n where n.node = :node
