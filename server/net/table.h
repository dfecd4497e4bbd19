/* table.h - a hash table of items that carry their own link: sessions, rooms, buckets.
 *
 * An item begins with a struct table_item and is its owner's; its key is lent by the item and must not
 * change while it is in. Seeded at start, so that peers can't aim for one chain. One thread.
 */
#ifndef SERVER_NET_TABLE_H
#define SERVER_NET_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct table;
struct table_item {
    struct table_item *next;
    const char *key;
};

struct table *table_new(void);
void table_free(struct table *table, void (*each)(void *item)); /* each may be NULL */
void table_add(struct table *table, struct table_item *item, const char *key);
void *table_find(const struct table *table, const char *key); /* the first with this key, or NULL */
void *table_next(const void *item);                           /* the next with the same key, or NULL */
void table_remove(struct table *table, struct table_item *item);
size_t table_count(const struct table *table);
/* Takes out, and hands to `each`, all items for which `leave` is true. */
void table_sweep(struct table *table, bool (*leave)(struct table_item *item, void *context), void *context,
                 void (*each)(void *item));

#endif
