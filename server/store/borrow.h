/* borrow.h - taking a connection out of a pool and giving it back; for tx.c alone. */
#ifndef SERVER_STORE_BORROW_H
#define SERVER_STORE_BORROW_H

#include "server/store/pool.h"
#include "server/store/wire.h"

/* In pipeline mode, idle. Waits at most the pool's limit, and not at all while the database is away. */
bool pool_take(struct pool *pool, struct wire **wire, struct err *err) MUST_CHECK;
/* Kept only if it is whole and in no transaction, else closed. */
void pool_give(struct pool *pool, struct wire *wire);
const struct pool_settings *pool_settings_of(const struct pool *pool);
/* Whether statements by name can't be relied on: the setting, or a pooler that gave itself away. */
bool pool_shared(const struct pool *pool);
void pool_set_shared(struct pool *pool);

#endif
