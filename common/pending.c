/* pending.c - requests that wait for their replies. */
#include "common/pending.h"

#include <stdlib.h>

#include "common/mem.h"

struct pending_request {
    struct pending_request *next;
    uint64_t id;
    int64_t deadline;
    client_reply *reply;
    void *user;
};

static struct pending_request *find(const struct pending *p, uint64_t id)
{
    struct pending_request *r = p->first;
    while (r && r->id != id)
        r = r->next;
    return r;
}

uint64_t pending_add(struct pending *p, int64_t deadline, client_reply *reply, void *user)
{
    struct pending_request *r = mem_alloc(sizeof *r), **end = &p->first;
    *r = (struct pending_request){.id = ++p->last_id, .deadline = deadline, .reply = reply, .user = user};
    while (*end)
        end = &(*end)->next;
    *end = r;
    return r->id;
}

static void answer(struct pending_request *r, const cJSON *result, const struct err *err)
{
    if (r->reply)
        r->reply(r->user, result, err);
    free(r);
}

bool pending_answer(struct pending *p, uint64_t id, const cJSON *result, const struct err *err)
{
    struct pending_request **link = &p->first, *r = find(p, id);
    if (!r)
        return false;
    while (*link != r)
        link = &(*link)->next;
    *link = r->next;
    answer(r, result, err);
    return true;
}

bool pending_fail(struct pending *p, const struct err *err)
{
    struct pending_request *list = p->first;
    bool any = list;
    p->first = NULL;
    while (list) {
        struct pending_request *r = list;
        list = r->next;
        answer(r, NULL, err);
    }
    return any;
}

void pending_forget(struct pending *p, uint64_t id)
{
    struct pending_request *r = find(p, id);
    if (r)
        r->reply = NULL;
}

void pending_silence(struct pending *p)
{
    for (struct pending_request *r = p->first; r; r = r->next)
        r->reply = NULL;
}

bool pending_has(const struct pending *p, uint64_t id)
{
    return find(p, id);
}

size_t pending_count(const struct pending *p)
{
    size_t count = 0;
    for (const struct pending_request *r = p->first; r; r = r->next)
        count++;
    return count;
}

uint64_t pending_late(const struct pending *p, int64_t now)
{
    for (const struct pending_request *r = p->first; r; r = r->next)
        if (r->deadline && now >= r->deadline)
            return r->id;
    return 0;
}

int64_t pending_deadline(const struct pending *p)
{
    int64_t next = 0;
    for (const struct pending_request *r = p->first; r; r = r->next)
        if (r->deadline && (!next || r->deadline < next))
            next = r->deadline;
    return next;
}
