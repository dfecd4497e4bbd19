/* address.c - where a server is, and what an account keeps about servers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "common/address.h"
#include "common/mem.h"
#include "common/state.h"

static char home[] = "/tmp/edurag-address-XXXXXX";

static void addresses_are_read(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool tls;
        const char *host;
        int port;
        const char *name;
    } cases[] = {
        {"wss://school.example:7443", true, "school.example", 7443, "school.example:7443"},
        {"wss://school.example", true, "school.example", 7420, "school.example:7420"},
        {"wss://school.example/", true, "school.example", 7420, "school.example:7420"},
        {"wss://school.example:1/ws", true, "school.example", 1, "school.example:1"},
        {"school.example", true, "school.example", 7420, "school.example:7420"},
        {"10.0.0.1:65535", true, "10.0.0.1", 65535, "10.0.0.1:65535"},
        {"wss://[2001:db8::1]:99", true, "2001:db8::1", 99, "[2001:db8::1]:99"},
        {"ws://127.0.0.1:7420", false, "127.0.0.1", 7420, "127.0.0.1:7420"},
        {"ws://[::1]", false, "::1", 7420, "[::1]:7420"},
        {"ws://localhost", false, "localhost", 7420, "localhost:7420"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct address a;
        struct err err = {0};
        if (!address_parse(cases[i].text, &a, &err))
            fail_msg("%s: %s", cases[i].text, err_sentence(&err));
        assert_int_equal(a.tls, cases[i].tls);
        assert_false(a.local);
        assert_string_equal(a.host, cases[i].host);
        assert_int_equal(a.port, cases[i].port);
        assert_string_equal(a.name, cases[i].name);
    }
    struct address a;
    assert_true(address_parse("unix:/run/edurag/edurag.sock", &a, NULL));
    assert_true(a.local && !a.tls);
    assert_string_equal(a.path, "/run/edurag/edurag.sock");
    assert_true(address_parse("/tmp/socket", &a, NULL));
    assert_string_equal(a.name, "/tmp/socket");
}

static void what_is_no_address_is_refused(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "",
        "wss://",
        "wss://:7420",
        "http://x",
        "ftp://x",
        "wss://x:",
        "wss://x:0",
        "wss://x:65536",
        "wss://x:-1",
        "wss://x:12a",
        "wss://x: 12",
        "wss://x/other",
        "wss://x?token=1",
        "wss://user@x",
        "wss://a b",
        "wss://[::1",
        "wss://[::1]x",
        "ws://school.example",
        "ws://10.0.0.1:7420",
        "ws://128.0.0.1",
        "ws://127.school.example",
        "unix:relative",
        "unix:",
        "/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
        "aaaaaaaaaaaaaaaaaaa",
    };
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        struct address a = {.port = 77};
        struct err err = {0};
        if (address_parse(texts[i], &a, &err))
            fail_msg("%s", texts[i]);
        assert_true(*err.say);
        assert_int_equal(a.port, 77); /* untouched */
    }
}

static void what_is_kept_is_found_again(void **state)
{
    (void)state;
    char value[100];
    struct stat st;
    assert_false(state_get("tokens", "a:1", value, sizeof value));
    assert_true(state_set("tokens", "a:1", "first", NULL));
    assert_true(state_set("tokens", "a:12", "second", NULL));
    assert_true(state_set("tokens", "/a path", "third", NULL));
    assert_true(state_get("tokens", "a:1", value, sizeof value));
    assert_string_equal(value, "first");
    assert_true(state_set("tokens", "a:1", "changed", NULL));
    assert_true(state_get("tokens", "a:1", value, sizeof value));
    assert_string_equal(value, "changed");
    assert_true(state_set("tokens", "a:1", NULL, NULL));
    assert_false(state_get("tokens", "a:1", value, sizeof value));
    assert_true(state_get("tokens", "a:12", value, sizeof value));
    assert_true(state_get("tokens", "/a path", value, sizeof value));
    assert_string_equal(value, "third");
    assert_false(state_get("tokens", "a:12", value, 3)); /* never cut */
    AUTO(mem_freep) char *path = state_path("tokens");
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
}

static void a_shared_account_keeps_no_login(void **state)
{
    (void)state;
    char value[100];
    assert_true(state_set("tokens", "b:1", "secret", NULL));
    assert_true(state_get("tokens", "b:1", value, sizeof value));
    assert_true(state_may_use_files(NULL));
    setenv("EDURAG_TOKEN", "somebody's", 1);
    state_share(); /* last of all tests: nothing takes it back */
    assert_false(state_get("tokens", "b:1", value, sizeof value));
    assert_true(state_set("servers", "b:1", "code", NULL));
    assert_false(state_get("servers", "b:1", value, sizeof value));
    assert_null(state_path("drafts"));
    assert_null(getenv("EDURAG_TOKEN"));
    assert_false(state_may_use_files(NULL));
}

static int set_up(void **state)
{
    (void)state;
    unsetenv("EDURAG_SHARED_ACCOUNT");
    return !mkdtemp(home) || setenv("XDG_STATE_HOME", home, 1);
}

static int tear_down(void **state)
{
    (void)state;
    AUTO(mem_freep) char *command = mem_printf("rm -rf %s", home);
    return system(command);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_are_read),
        cmocka_unit_test(what_is_no_address_is_refused),
        cmocka_unit_test(what_is_kept_is_found_again),
        cmocka_unit_test(a_shared_account_keeps_no_login),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
