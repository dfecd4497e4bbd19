/* clipboard.c - how text gets out of a terminal: through tmux, or by OSC 52. */
#include "tui/clipboard.h"

#include <fcntl.h>
#include <openssl/evp.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/mem.h"
#include "tui/screen.h"

enum { PIPE = 65536 };
extern char **environ;

/* tmux as Debian configures it passes no OSC 52 on; its own command reaches the outer clipboard. */
static const char *by_tmux(const char *text, size_t length)
{
    char *const arguments[] = {"tmux", "load-buffer", "-w", "-", NULL};
    int ends[2];
    pid_t child;
    posix_spawn_file_actions_t actions;
    if (length >= PIPE || pipe2(ends, O_CLOEXEC) != 0)
        return "This is too much to copy. Press v and select it with the mouse.";
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[0], STDIN_FILENO);
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    int failed = posix_spawnp(&child, arguments[0], &actions, NULL, arguments, environ);
    posix_spawn_file_actions_destroy(&actions);
    close(ends[0]);
    if (!failed && write(ends[1], text, length) != (ssize_t)length)
        failed = 1;
    close(ends[1]); /* the child is collected by SIGCHLD being ignored */
    return failed ? "tmux did not take it. Press v and select it with the mouse." : NULL;
}

const char *clipboard_copy(const char *text)
{
    size_t length = strlen(text);
    if (getenv("TMUX"))
        return by_tmux(text, length);
    if (getenv("STY"))
        return "GNU screen passes nothing on to copy. Press v and select it with the mouse.";
    AUTO(mem_freep) char *bytes = mem_alloc(length * 4 / 3 + 32);
    memcpy(bytes, "\033]52;c;", 7);
    int n = EVP_EncodeBlock((unsigned char *)bytes + 7, (const unsigned char *)text, (int)length);
    bytes[7 + n] = '\a';
    screen_write(bytes, (size_t)n + 8);
    return NULL;
}
