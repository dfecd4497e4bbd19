/* device.c - what a server knows this machine by. */
#include "common/device.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/mem.h"
#include "common/state.h"

enum { NAME_MOST = 64, DEVICE_MOST = 200 };

/* Under which name it is kept; NULL for what is no school number, as a password in the wrong field. */
static char *key_of(const char *server, const cJSON *params)
{
    const char *id = json_text(params, "institution_id", "");
    size_t length = strlen(id);
    if (!length || length > NAME_MOST * 4)
        return NULL;
    char *key = mem_printf("%s/%s", server, id);
    for (char *at = key; *at; at++) {
        if ((unsigned char)*at <= ' ' || *at == 127) {
            free(key);
            return NULL;
        }
        *at = (char)tolower((unsigned char)*at);
    }
    return key;
}

static bool machine_name(char *name, size_t size)
{
    if (state_shared() || gethostname(name, size) != 0)
        return false;
    name[size - 1] = '\0';
    for (char *at = name; *at; at++)
        if (!isalnum((unsigned char)*at) && *at != '-' && *at != '.')
            return false;
    return *name;
}

static cJSON *read_params(const char *params)
{
    struct err ignored = {0};
    return json_parse(params, strlen(params), &ignored);
}

char *device_offer(const char *server, const char *params)
{
    AUTO(json_freep) cJSON *json = read_params(params);
    AUTO(mem_freep) char *key = json ? key_of(server, json) : NULL;
    char device[DEVICE_MOST + 1], name[NAME_MOST + 1];
    if (!json)
        return NULL;
    if (key && state_get("devices", key, device, sizeof device))
        cJSON_AddStringToObject(json, "device", device);
    if (machine_name(name, sizeof name))
        cJSON_AddStringToObject(json, "device_name", name);
    return cJSON_PrintUnformatted(json);
}

void device_keep(const char *server, const char *params, const cJSON *result)
{
    AUTO(json_freep) cJSON *json = read_params(params);
    AUTO(mem_freep) char *key = json ? key_of(server, json) : NULL;
    const char *device = json_text(result, "device", "");
    char kept[DEVICE_MOST + 1];
    struct err ignored = {0};
    bool fine = *device && strlen(device) <= DEVICE_MOST && !device[strcspn(device, " \r\n\t")];
    if (!key || !fine || (state_get("devices", key, kept, sizeof kept) && !strcmp(kept, device)))
        return;
    if (!state_set("devices", key, device, &ignored))
        return; /* the next login is one from anywhere */
}
