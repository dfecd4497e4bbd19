/* sizes.c - every window from 20x5 to 250x80, and every kind of hostile text in every pane. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/mem.h"
#include "tests/lib/glass_data.h"

static void draw(struct glass *g)
{
    ui_draw(&g->ui);
    glass_sane(g);
}

static void every_pane(struct glass *g)
{
    for (int pane = PANE_SEARCH; pane < PANE_COUNT; pane++) {
        if (!ui_visible(&g->ui, (enum pane)pane))
            continue;
        ui_open(&g->ui, (enum pane)pane);
        draw(g);
    }
}

/* One pane for each size, in turn, so that all of them meet all kinds of sizes; then back in jumps. Every size at every
 * fourth height and each seventh width between; all of them with EDURAG_ALL_SIZES=1. */
static void through_all_sizes(void **state)
{
    (void)state;
    struct glass g;
    glass_start(&g, 24, 80);
    glass_data_fill(&g, "admin", "An ordinary text of some words, 表 と 文字, naïve cafe\xcc\x81 and so on");
    enum pane pane = PANE_SEARCH;
    int step = getenv("EDURAG_ALL_SIZES") ? 1 : 7;
    for (int rows = 5; rows <= 80; rows++) {
        for (int cols = 20; cols <= 250; cols += rows % 4 == 1 ? 1 : step) {
            do
                pane = pane == PANE_ADMIN ? PANE_SEARCH : (enum pane)(pane + 1);
            while (!ui_visible(&g.ui, pane));
            ui_resize(&g.ui, rows, cols);
            ui_open(&g.ui, pane);
            draw(&g);
        }
    }
    static const int jumps[][2] = {{80, 250}, {5, 20}, {24, 80}, {1, 1}, {10, 40}, {9, 39}, {50, 160}, {4, 300}, {200, 19}, {16, 60}, {15, 60}, {16, 59}};
    for (size_t i = 0; i < COUNT_OF(jumps); i++) {
        ui_resize(&g.ui, jumps[i][0], jumps[i][1]);
        every_pane(&g);
        static const char *const keys[] = {"?", "Esc", ":", "m", "Esc", "/", "x", "Esc", "g"};
        for (size_t k = 0; k < COUNT_OF(keys); k++) {
            glass_key(&g, keys[k]);
            glass_later(&g, 500);
            draw(&g);
        }
        glass_key(&g, "g End Home PgDn PgUp Down Up Tab");
        draw(&g);
    }
    glass_stop(&g);
}

static const char *const hostile[] = {
    "\033[2J\033]0;title\007\033[31mred\033P1$r\033\\\033c",
    "\xc2\x9b" "31m\xc2\x9d" "8;;http://x\xc2\x9c link \x9b\x9d",
    "abc \xe2\x80\xae evil \xe2\x81\xa6 more \xe2\x80\x8b\xe2\x80\x8d\xef\xbb\xbf \xe2\x80\x8f\xd8\x9c",
    "\xcc\x81\xcc\x81\xcc\x81\xcc\x81 a\xcc\x81\xcc\x82\xcc\x83\xcc\x84\xcc\x85\xcc\x86 \xcc\xb7\xcc\xb7\xcc\xb7",
    "\xff\xfe\xc0\x80\xed\xa0\x80\xf4\x90\x80\x80 broken \xe2\x82",
    "\xf0\x9f\x91\xa8\xe2\x80\x8d\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x91\xa7 \xf0\x9f\x87\xa9\xf0\x9f\x87\xaa \xee\x80\x80 \xf3\xa0\x81\xa2",
    "表表表表表表表表表表表表表表表表表表表表表表表表表表表表表表表表表表表表表表表表表表表表",
    "אני מסכימה ולכן זה ارتفاع العربية",
    "%s%n%d \\ \" ' ` $(x) \t\t\r\n\r\n\v\f\b\b\b\x7f",
    "",
};

static void hostile_text(void **state)
{
    (void)state;
    static const char *const roles[] = {"student", "teacher", "admin"};
    static const int sizes[][2] = {{24, 80}, {10, 40}, {60, 200}, {6, 21}};
    for (size_t i = 0; i < COUNT_OF(hostile); i++) {
        struct glass g;
        glass_start(&g, 24, 80);
        glass_data_fill(&g, roles[i % 3], hostile[i]);
        for (size_t s = 0; s < COUNT_OF(sizes); s++) {
            ui_resize(&g.ui, sizes[s][0], sizes[s][1]);
            every_pane(&g);
            struct err err = {.code = ERR_INTERNAL};
            strncpy(err.say, hostile[i], sizeof err.say - 1);
            ui_error(&g.ui, &err);
            draw(&g);
            ui_text(&g.ui, hostile[i], hostile[i]);
            draw(&g);
            glass_key(&g, "Esc");
        }
        glass_stop(&g);
    }
}

static void a_line_of_ten_megabytes(void **state)
{
    (void)state;
    size_t length = 10 << 20;
    AUTO(mem_freep) char *line = mem_alloc(length + 1);
    for (size_t i = 0; i < length; i += 8)
        memcpy(line + i, "a\xcc\x81\xcc\x82\xcc\x83 ", 8);
    struct glass g;
    glass_start(&g, 24, 80);
    glass_login(&g, "student");
    AUTO(mem_freep) char *json = mem_printf("{\"source\":\"memory\",\"items\":[{\"topic\":\"%s\",\"query\":\"x\",\"reason\":\"y\",\"documents\":[]}]}", line);
    ui_open(&g.ui, PANE_RECOMMEND);
    glass_answer(&g, "recommend.list", json);
    draw(&g);
    AUTO(mem_freep) char *chat = mem_printf("{\"message_id\":\"m\",\"seq\":1,\"room\":null,\"user_id\":\"u\",\"name\":\"n\",\"text\":\"%s\",\"at\":\"2026-11-23T14:05:00Z\"}", line);
    ui_open(&g.ui, PANE_CHAT);
    glass_news(&g, "chat.message", chat);
    draw(&g);
    glass_stop(&g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(through_all_sizes), cmocka_unit_test(hostile_text), cmocka_unit_test(a_line_of_ten_megabytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
