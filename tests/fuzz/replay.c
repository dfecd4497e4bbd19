/* replay.c - runs a fuzz target over the inputs that are kept for it, each whole and cut short.
 *
 * Without arguments: tests/fuzz/corpus/NAME and tests/fuzz/found/NAME, by the program's own name.
 */
#include <dirent.h>
#include <sys/stat.h>

#include "common/log.h"
#include "tests/fuzz/fuzz.h"

enum { CUTS = 48 };

static void run(const char *bytes, size_t length)
{
    uint8_t *exact = malloc(length ? length : 1);
    if (!exact)
        abort();
    memcpy(exact, bytes, length);
    LLVMFuzzerTestOneInput(exact, length);
    free(exact);
}

static int replay_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    if (!file)
        return 0;
    struct buf all = {0};
    char piece[4096];
    for (size_t n; (n = fread(piece, 1, sizeof piece, file)) > 0;)
        buf_bytes(&all, piece, n);
    fclose(file);
    fprintf(stderr, "%s\n", path);
    size_t step = all.length / CUTS + 1;
    for (size_t cut = 0; cut < all.length; cut += step)
        run(all.data, cut);
    run(all.data ? all.data : "", all.length);
    buf_free(&all);
    return 1;
}

static int replay(const char *path)
{
    struct stat info;
    if (stat(path, &info))
        return 0;
    if (!S_ISDIR(info.st_mode))
        return replay_file(path);
    struct dirent **names;
    int seen = 0, count = scandir(path, &names, NULL, alphasort);
    for (int i = 0; i < count; i++) {
        AUTO(mem_freep) char *file = mem_printf("%s/%s", path, names[i]->d_name);
        seen += names[i]->d_name[0] == '.' ? 0 : replay_file(file);
        free(names[i]);
    }
    if (count >= 0)
        free(names);
    return seen;
}

int main(int argc, char **argv)
{
    int seen = 0;
    char path[300];
    log_level_set(LOG_ERROR);
    for (int i = 1; i < argc; i++)
        seen += replay(argv[i]);
    if (argc < 2) {
        const char *name = strrchr(argv[0], '/') ? strrchr(argv[0], '/') + 1 : argv[0];
        snprintf(path, sizeof path, "tests/fuzz/corpus/%s", name);
        seen += replay(path);
        snprintf(path, sizeof path, "tests/fuzz/found/%s", name);
        seen += replay(path);
    }
    fprintf(stderr, "%d inputs\n", seen);
    return seen ? 0 : 1;
}
