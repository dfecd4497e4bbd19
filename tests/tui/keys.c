/* keys.c - bytes become keys, keys become actions, and text fields edit. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/mem.h"
#include "tui/keymap.h"
#include "tui/settings.h"
#include "tui/widgets/field.h"
#include "tui/widgets/wrap.h"

static void note(void *context, const struct key *key)
{
    struct buf *out = context;
    char name[64];
    keys_name(key, name, sizeof name);
    buf_printf(out, "%s%s", out->length ? " " : "", key->code == KEYS_PASTE ? "Paste:" : name);
    if (key->code == KEYS_PASTE)
        buf_bytes(out, key->paste, key->paste_length);
}

static void bytes_become_keys(void **state)
{
    (void)state;
    static const struct {
        const char *bytes, *keys;
    } cases[] = {
        {"a", "a"},
        {"é表", "é 表"},
        {"\r", "Enter"},
        {"\t", "Tab"},
        {"\177", "Backspace"},
        {"\x12", "Ctrl-R"},
        {"\n", "Ctrl-J"},
        {"\033[A\033OB\033[C\033OD", "Up Down Right Left"},
        {"\033[H\033[4~\033[7~\033OF", "Home End Home End"},
        {"\033[5~\033[6~\033[3~\033[2~", "PgUp PgDn Delete Insert"},
        {"\033[Z", "Shift-Tab"},
        {"\033[1;3D\033[1;5C", "Alt-Left Ctrl-Right"},
        {"\033OP\033[11~\033[[A\033[15~", "F1 F1 F1 F5"},
        {"\0331\033x", "Alt-1 Alt-x"},
        {"\033\r", "Alt-Enter"},
        {"\033\033[A", "Alt-Up"},
        /* what is not known is swallowed whole */
        {"\033[?1;2cq", "q"},
        {"\033[<0;3;4Mq", "q"},
        {"\033[99;99zq", "q"},
        {"\033]11;rgb:00/00/00\007q", "q"},
        {"\033]11;rgb:0\033\\q", "q"},
        {"\033P1$r0m\033\\q", "q"},
        {"\033Oxq", "q"},
        {"\033[1;2;3;4;5;6;7;8;9;10;11;12;13;14;15;16;17;18;19;20;21;22;23;24;25;26;27mq", "q"},
        /* a paste is one key, whatever it holds */
        {"\033[200~d\ry\033[Ax\033[201~z", "Paste:d\ry\033[Ax z"},
        /* broken bytes say nothing, and what follows is whole */
        {"\xffq", "q"},
        {"\xc3q", "q"},
        {"\xe8\xa1q", "q"},
        {"\xed\xa0\x80q", "q"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        for (int whole = 0; whole < 2; whole++) { /* at once, and byte by byte */
            struct keys k = {0};
            AUTO(buf_free) struct buf out = {0};
            for (size_t at = 0; whole ? at == 0 : at < strlen(cases[i].bytes); at++)
                keys_feed(&k, cases[i].bytes + at, whole ? strlen(cases[i].bytes) : 1, note, &out);
            if (strcmp(out.data ? out.data : "", cases[i].keys) != 0)
                fail_msg("case %zu: expected %s, came %s", i, cases[i].keys, out.data ? out.data : "");
            assert_int_equal(keys_wait(&k), -1);
            keys_free(&k);
        }
    }
}

static void a_long_paste_is_cut_and_still_ends(void **state)
{
    (void)state;
    struct keys k = {0};
    AUTO(buf_free) struct buf bytes = {0};
    AUTO(buf_free) struct buf out = {0};
    buf_text(&bytes, "\033[200~");
    for (size_t i = 0; i < KEYS_PASTE_MOST + 1000; i++)
        buf_char(&bytes, i % 7 ? 'x' : '\033');
    buf_text(&bytes, "\033[201~z");
    keys_feed(&k, bytes.data, bytes.length, note, &out);
    assert_int_equal(out.length, strlen("Paste:") + KEYS_PASTE_MOST + strlen(" z"));
    assert_string_equal(out.data + out.length - 2, " z");
    assert_int_equal(keys_wait(&k), -1);
    keys_free(&k);
}

static void escape_alone_is_a_key_after_a_moment(void **state)
{
    (void)state;
    struct keys k = {0};
    AUTO(buf_free) struct buf out = {0};
    keys_feed(&k, "\033", 1, note, &out);
    assert_int_equal(out.length, 0);
    assert_int_equal(keys_wait(&k), KEYS_ESC_MS);
    keys_rest(&k, note, &out);
    assert_string_equal(out.data, "Esc");
    keys_feed(&k, "\033[1", 3, note, &out); /* half a sequence never becomes letters */
    assert_true(keys_wait(&k) > KEYS_ESC_MS);
    keys_rest(&k, note, &out);
    keys_feed(&k, "x", 1, note, &out);
    assert_string_equal(out.data, "Esc x");
    keys_free(&k);
}

static enum action does(struct keymap *map, const char *name, enum pane pane, bool in_text)
{
    struct key key;
    assert_true(keys_parse(name, &key));
    return keymap_action(map, &key, pane, in_text);
}

static void keys_do_what_the_table_says(void **state)
{
    (void)state;
    struct keymap map;
    keymap_defaults(&map);
    assert_int_equal(does(&map, "j", PANE_SEARCH, false), ACT_DOWN);
    assert_int_equal(does(&map, "j", PANE_SEARCH, true), ACT_NONE);
    assert_int_equal(does(&map, "?", PANE_CHAT, true), ACT_NONE);
    assert_int_equal(does(&map, "F1", PANE_CHAT, true), ACT_HELP);
    assert_int_equal(does(&map, "n", PANE_READER, false), ACT_NEXT);
    assert_int_equal(does(&map, "3", PANE_SEARCH, false), ACT_SOURCE);
    assert_int_equal(does(&map, "3", PANE_CHAT, false), ACT_NONE);
    assert_int_equal(does(&map, "Alt-3", PANE_CHAT, true), ACT_PANE);
    assert_int_equal(does(&map, "d", PANE_SEARCH, false), ACT_NONE);
    assert_int_equal(does(&map, "d", PANE_MEMORY, false), ACT_DELETE);
    assert_int_equal(does(&map, "q", PANE_MEMORY, false), ACT_QUIT);
    assert_int_equal(does(&map, "Ctrl-C", PANE_MEMORY, true), ACT_STOP);
    /* Every key of a pane means one thing there. */
    for (size_t i = 0; i < keymap_row_count; i++)
        for (size_t k = 0; k < i; k++)
            if (keymap_rows[i].panes & keymap_rows[k].panes & 0x1FFu && keymap_rows[i].panes < 0x200u &&
                keymap_rows[k].panes < 0x200u && *keymap_rows[i].keys &&
                strcmp(keymap_rows[i].keys, keymap_rows[k].keys) == 0)
                fail_msg("%s means two things", keymap_rows[i].keys);
}

static void the_configuration_changes_keys(void **state)
{
    (void)state;
    struct keymap map;
    struct settings s;
    char keys[64];
    keymap_defaults(&map);
    settings_parse(&s, &map, "# mine\n\ntheme = light\nglyphs=ascii\nkey.search = F4 Ctrl-T\n");
    assert_string_equal(s.theme, "light");
    assert_string_equal(s.glyphs, "ascii");
    assert_string_equal(s.wrong, "");
    assert_int_equal(does(&map, "F4", PANE_CHAT, false), ACT_SEARCH);
    assert_int_equal(does(&map, "s", PANE_CHAT, false), ACT_NONE);
    keymap_keys(&map, ACT_SEARCH, true, keys, sizeof keys);
    assert_string_equal(keys, "F4 Ctrl-T");
    settings_parse(&s, &map, "theme = pink\nkey.search = q\n");
    assert_string_equal(s.wrong, "Line 1 of your configuration is not understood: theme");
    settings_parse(&s, &map, "\n\nkey.fly = x");
    assert_non_null(strstr(s.wrong, "Line 3"));
}

static void press(struct field *f, const char *names)
{
    AUTO(mem_freep) char *copy = mem_dup(names);
    char *save = NULL;
    for (char *word = strtok_r(copy, " ", &save); word; word = strtok_r(NULL, " ", &save)) {
        struct key key;
        assert_true(keys_parse(word, &key));
        field_key(f, &key);
    }
}

static void fields_edit(void **state)
{
    (void)state;
    static const struct {
        const char *keys, *text;
    } cases[] = {
        {"a b c", "abc"},
        {"a b Left c", "acb"},
        {"a b Home c", "cab"},
        {"a b Backspace", "a"},
        {"a b Left Delete", "a"},
        {"a Space b c Ctrl-W", "a "},
        {"a Space b c Ctrl-U d", "d"},
        {"a b Home Ctrl-K Ctrl-Y Ctrl-Y", "abab"},
        {"a Space b Ctrl-Left x", "a xb"},
        {"表 é Backspace", "表"},
        {"Backspace Delete Left Right Ctrl-W Ctrl-K", ""},
        {"x Ctrl-A y Ctrl-E z", "yxz"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct field f = {0};
        press(&f, cases[i].keys);
        if (strcmp(field_text(&f), cases[i].text) != 0)
            fail_msg("%s: expected %s, came %s", cases[i].keys, cases[i].text, field_text(&f));
        field_free(&f);
    }
}

static void fields_remember_and_take_pastes_whole(void **state)
{
    (void)state;
    struct field f = {0};
    field_remember(&f, "one");
    field_remember(&f, "two");
    press(&f, "x Up");
    assert_string_equal(field_text(&f), "two");
    press(&f, "Up Up");
    assert_string_equal(field_text(&f), "one");
    press(&f, "Down Down");
    assert_string_equal(field_text(&f), "x");
    field_insert(&f, "a\r\nb\033[2Jc\x07", 11);
    assert_string_equal(field_text(&f), "xa bc");
    f.many_lines = true;
    field_insert(&f, "1\r\n2\n3", 6);
    assert_string_equal(field_text(&f), "xa bc1\n2\n3");
    f.most = 4;
    assert_int_equal(field_too_long(&f), 6);
    field_free(&f);
}

static void lines_break_between_words(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int width;
        const char *lines;
    } cases[] = {
        {"one two three", 7, "one two|three"},
        {"one two", 3, "one|two"},
        {"abcdefgh", 3, "abc|def|gh"},
        {"a\n\nb", 9, "a||b"},
        {"表表表", 5, "表表|表"},
        {"a 表", 2, "a|表"},
        {"x   y", 2, "x|y"},
        {"", 5, ""},
        {"a\n", 5, "a|"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        AUTO(wrap_free) struct wrap w = {0};
        AUTO(buf_free) struct buf out = {0};
        wrap_text(&w, cases[i].text, strlen(cases[i].text), cases[i].width);
        for (size_t k = 0; k < w.count; k++) {
            if (k)
                buf_char(&out, '|');
            buf_bytes(&out, cases[i].text + w.lines[k].from, w.lines[k].to - w.lines[k].from);
        }
        if (strcmp(out.data ? out.data : "", cases[i].lines) != 0)
            fail_msg("case %zu: expected %s, came %s", i, cases[i].lines, out.data ? out.data : "");
    }
}

static void cells_are_never_half(void **state)
{
    (void)state;
    struct sheet s = {0};
    AUTO(buf_free) struct buf row = {0};
    canvas_resize(&s, 2, 6);
    struct canvas c = canvas_all(&s);
    assert_int_equal(canvas_text(c, 0, 0, ROLE_TEXT, "ab表表表"), 6);
    canvas_row(&s, 0, &row);
    assert_string_equal(row.data, "ab表表");
    assert_int_equal(canvas_text(c, 0, 3, ROLE_TEXT, "x"), 1); /* over a right half: the left one goes */
    buf_clear(&row);
    canvas_row(&s, 0, &row);
    assert_string_equal(row.data, "ab x表");
    buf_clear(&row);
    canvas_text(c, 1, 0, ROLE_TEXT, "123456");
    canvas_row(&s, 1, &row);
    assert_string_equal(row.data, "12345"); /* the last cell is never written */
    buf_clear(&row);
    assert_int_equal(canvas_cut(canvas_part(c, 0, 0, 1, 4), 0, 0, 4, ROLE_TEXT, "表表表"), 3);
    canvas_row(&s, 0, &row);
    assert_string_equal(row.data, "表…x表");
    canvas_free(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_become_keys),
        cmocka_unit_test(a_long_paste_is_cut_and_still_ends),
        cmocka_unit_test(escape_alone_is_a_key_after_a_moment),
        cmocka_unit_test(keys_do_what_the_table_says),
        cmocka_unit_test(the_configuration_changes_keys),
        cmocka_unit_test(fields_edit),
        cmocka_unit_test(fields_remember_and_take_pastes_whole),
        cmocka_unit_test(lines_break_between_words),
        cmocka_unit_test(cells_are_never_half),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
