/* params.c - params of every method, of every shape: what is bound is within what the method's row says.
 *
 * The input chooses a method, then a shape for each of its params. FUZZ_LONGEST 512
 */
#include "common/text.h"
#include "server/rpc/params.h"
#include "tests/fuzz/fuzz.h"

static const struct method *const tables[] = {methods_server,  methods_auth,    methods_users,  methods_courses,
                                              methods_profile, methods_library, methods_search, methods_recommend,
                                              methods_memory,  methods_chat,    methods_admin};

static const struct method *chosen(unsigned number)
{
    static const struct method *all[256];
    static unsigned count;
    for (size_t t = 0; !all[0] || (t && t < COUNT_OF(tables)); t++)
        for (const struct method *m = tables[t]; m->name && count < COUNT_OF(all); m++)
            all[count++] = m;
    return all[number % count];
}

/* A short text, or one about as long as is allowed; now and then of wide characters. */
static cJSON *text_of(struct fuzz_input *in, const struct param *param)
{
    struct buf out = {0};
    uint8_t how = fuzz_byte(in);
    int64_t edge = how & 32 && param ? param->max : param ? param->min : 0;
    int64_t length = how & 128 && edge >= 2 && edge < 100000 ? edge - 2 + (how & 3) + (how >> 2 & 1) : how & 15;
    for (int64_t i = 0; i < length; i++) {
        uint32_t c = (size_t)i < in->left ? in->at[i] : 'x';
        text_append(&out, how & 64 ? c * 37 % 0xD800 + 1 : c ? c : 1);
    }
    cJSON *value = cJSON_CreateString(out.data ? out.data : "");
    buf_free(&out);
    return value;
}

static cJSON *value_of(struct fuzz_input *in, const struct param *param, int level)
{
    static const double numbers[] = {0,     -1,   1, 49, 1000.5, 4294967296.0, 9007199254740991.0, -9007199254740993.0,
                                     1e300, 86400};
    switch (fuzz_byte(in) % 9) {
    case 0: return cJSON_CreateNull();
    case 1: return cJSON_CreateBool(fuzz_byte(in) & 1);
    case 2: return cJSON_CreateNumber(numbers[fuzz_byte(in) % COUNT_OF(numbers)]);
    case 3: return cJSON_CreateNumber((double)(int8_t)fuzz_byte(in) * (fuzz_byte(in) + 1));
    case 4: return text_of(in, param);
    case 5:
        return cJSON_CreateString(fuzz_byte(in) & 1 ? "6ba7b810-9dad-11d1-80b4-00c04fd430c8"
                                                    : "6BA7B810-9DAD-11D1-80B4-00C04FD430C8Z");
    case 6: return cJSON_CreateString(param->one_of ? strrchr(param->one_of, '|') + 1 : "10");
    case 7: return cJSON_CreateObject();
    default: break;
    }
    cJSON *list = cJSON_CreateArray();
    for (unsigned n = level ? 0 : fuzz_byte(in) % 12; n; n--)
        cJSON_AddItemToArray(list, value_of(in, param, 1));
    return list;
}

static cJSON *object_of(struct fuzz_input *in, const struct param *spec)
{
    cJSON *object = cJSON_CreateObject();
    for (const struct param *p = spec; p && p->type; p++)
        if (fuzz_byte(in) % 6)
            cJSON_AddItemToObject(object, p->name, value_of(in, p, 0));
    if (fuzz_byte(in) == 77)
        cJSON_AddItemToObject(object, "stranger", text_of(in, NULL));
    return object;
}

static void bound_right(const struct param *p, const cJSON *object, const char *bound)
{
    const cJSON *value = json_get(object, p->name);
    const char *text;
    int64_t number;
    if (p->given)
        FUZZ_MUST(bound[p->given] == (value != NULL), "%s: given is wrong", p->name);
    FUZZ_MUST(value || p->optional, "%s is missing", p->name);
    if (p->type == PARAM_TYPE_INT && (p->min || p->max)) {
        memcpy(&number, bound + p->offset, sizeof number);
        FUZZ_MUST(!value || cJSON_IsNull(value) || (number >= p->min && (!p->max || number <= p->max)), "%s is %lld",
                  p->name, (long long)number);
    }
    if (p->type != PARAM_TYPE_TEXT && p->type != PARAM_TYPE_UUID)
        return;
    memcpy(&text, bound + p->offset, sizeof text);
    FUZZ_MUST((text != NULL) == (value && !cJSON_IsNull(value)), "%s is bound to something else", p->name);
    size_t n = !text ? 0 : p->bytes ? strlen(text) : text_count(text, strlen(text));
    if (text && p->type == PARAM_TYPE_TEXT)
        FUZZ_MUST(n >= (size_t)p->min && (p->max <= 0 || n <= (size_t)p->max), "%s has %zu characters", p->name, n);
    if (text && p->type == PARAM_TYPE_UUID)
        FUZZ_MUST(strlen(text) == 36 && strspn(text, "0123456789abcdef-") == 36, "%s is no id", p->name);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input in = {data, size};
    const struct method *method = chosen(fuzz_byte(&in));
    AUTO(json_freep) cJSON *object = object_of(&in, method->params);
    AUTO(mem_freep) void *bound = mem_alloc(method->params_size + 1);
    struct err err = {0};
    if (method->cost_of)
        FUZZ_MUST(method->cost_of(object) >= 0, "a negative cost");
    if (method->lane_of)
        FUZZ_MUST(method->lane_of(object) < LANE_COUNT, "no such lane");
    if (!params_read(method->params, object, bound, &err)) {
        FUZZ_MUST(err.code == ERR_INVALID_PARAMS && *err.say && *err.field, "%s: refused without a sentence: %s",
                  method->name, err.log);
        return 0;
    }
    for (const struct param *p = method->params; p && p->type; p++)
        bound_right(p, object, bound);
    struct bind binds[QUERY_PARAMS_MOST];
    struct buf texts[QUERY_PARAMS_MOST] = {{0}};
    const struct caller caller = {.address = "10.0.0.1"};
    size_t count = method->sql ? params_bind(method->params, bound, object, &caller, method->sql, binds, texts) : 0;
    FUZZ_MUST(count <= QUERY_PARAMS_MOST, "too many binds");
    for (size_t i = 0; i < COUNT_OF(texts); i++)
        buf_free(&texts[i]);
    params_wipe(method->params, object);
    for (const struct param *p = method->params; p && p->type; p++)
        FUZZ_MUST(!p->secret || !*json_text(object, p->name, ""), "%s is still there", p->name);
    return 0;
}
