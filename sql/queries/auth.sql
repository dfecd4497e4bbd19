-- auth.sql - logging in and out. {error: {...}} in a result is the reply; commit all the same.
-- name: auth_login
select api.login(:institution_id, :password, :address, :device, :device_name)

-- {user, sid, expires_at}, or SQL null for a token that is not (or no longer) good
-- name: auth_resume
select api.resume(:token)

-- expired, revoked, disabled, or null for a bad token: why auth_resume gave null
-- name: auth_token_end
select api.token_end(:token)

-- name: auth_refresh
select api.refresh()

-- name: auth_logout
select api.logout(coalesce(:everywhere::boolean, false))

-- name: auth_whoami
select api.whoami()

-- name: auth_change_password
select api.change_password(:old_password, :new_password)

-- name: auth_devices
select api.devices()

-- name: auth_forget_device
select api.forget_device(:device_id::uuid)

-- For nodes: which of these sessions (a JSON array of ids) are still good
-- name: worker_sessions_alive
select s::text from worker.sessions_alive(array(select x::uuid from jsonb_array_elements_text(:sids::jsonb) x)) s

-- name: worker_sweep_sessions
select worker.sweep_sessions()
