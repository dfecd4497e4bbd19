/* table.c - a hash table of items that carry their own link: sessions, rooms, buckets. */
#include "server/net/table.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "common/mem.h"

struct table {
    struct table_item **slots;
    size_t size, count; /* size: a power of two */
    uint64_t seed;
};

static size_t slot_of(const struct table *table, const char *key)
{
    uint64_t hash = table->seed;
    for (const unsigned char *p = (const unsigned char *)key; *p; p++) {
        hash ^= *p;
        hash *= 0x9E3779B97F4A7C15u;
        hash ^= hash >> 29;
    }
    return (size_t)(hash ^ (hash >> 32)) & (table->size - 1);
}

struct table *table_new(void)
{
    struct table *table = mem_alloc(sizeof *table);
    table->size = 64;
    table->slots = mem_array(table->size, sizeof *table->slots);
    if (getrandom(&table->seed, sizeof table->seed, 0) != (ssize_t)sizeof table->seed)
        table->seed = (uint64_t)(uintptr_t)table;
    return table;
}

void table_free(struct table *table, void (*each)(void *item))
{
    if (!table)
        return;
    for (size_t i = 0; i < table->size; i++)
        for (struct table_item *item = table->slots[i], *next; item; item = next) {
            next = item->next;
            if (each)
                each(item);
        }
    free(table->slots);
    free(table);
}

static void grow(struct table *table)
{
    struct table_item **old = table->slots;
    size_t size = table->size;
    table->size = size * 2;
    table->slots = mem_array(table->size, sizeof *table->slots);
    for (size_t i = 0; i < size; i++)
        for (struct table_item *item = old[i], *next; item; item = next) {
            next = item->next;
            struct table_item **slot = &table->slots[slot_of(table, item->key)];
            item->next = *slot;
            *slot = item;
        }
    free(old);
}

void table_add(struct table *table, struct table_item *item, const char *key)
{
    if (table->count >= table->size)
        grow(table);
    item->key = key;
    struct table_item **slot = &table->slots[slot_of(table, key)];
    item->next = *slot;
    *slot = item;
    table->count++;
}

void *table_find(const struct table *table, const char *key)
{
    for (struct table_item *item = table->slots[slot_of(table, key)]; item; item = item->next)
        if (!strcmp(item->key, key))
            return item;
    return NULL;
}

void *table_next(const void *current)
{
    const struct table_item *from = current;
    for (struct table_item *item = from->next; item; item = item->next)
        if (!strcmp(item->key, from->key))
            return item;
    return NULL;
}

void table_remove(struct table *table, struct table_item *item)
{
    struct table_item **link = &table->slots[slot_of(table, item->key)];
    while (*link && *link != item)
        link = &(*link)->next;
    if (!*link)
        return;
    *link = item->next;
    item->next = NULL;
    table->count--;
}

size_t table_count(const struct table *table)
{
    return table->count;
}

void table_sweep(struct table *table, bool (*leave)(struct table_item *item, void *context), void *context,
                 void (*each)(void *item))
{
    for (size_t i = 0; i < table->size; i++)
        for (struct table_item **link = &table->slots[i]; *link;) {
            struct table_item *item = *link;
            if (!leave(item, context)) {
                link = &item->next;
                continue;
            }
            *link = item->next;
            table->count--;
            each(item);
        }
}
