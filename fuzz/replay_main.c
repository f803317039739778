/* SPDX-License-Identifier: MIT */
/* replay_main.c - runs a fuzz target over a corpus without a fuzzer, so that
 * ordinary test runs replay every seed and every past finding.
 *
 *   pdu_fuzz_replay FILE_OR_FOLDER...
 *
 * Folders are read without their subfolders.  Each input lies in a heap block of
 * exactly its size.  Prints how many inputs were run; fails when there was none,
 * so that a misplaced corpus is not taken for success. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

/* More than any seed needs; keeps a stray file from being swallowed whole. */
#define INPUT_LEN_MAX (16u << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void die(const char *path)
{
    perror(path);
    exit(2);
}

static void replay_file(const char *path, size_t len)
{
    FILE *file = fopen(path, "rb");
    uint8_t *data = malloc(len > 0 ? len : 1);
    if (!file || !data)
        die(path);
    if (fread(data, 1, len, file) != len) {
        fprintf(stderr, "%s: short read\n", path);
        exit(2);
    }
    fclose(file);
    LLVMFuzzerTestOneInput(data, len);
    free(data);
}

/* Number of inputs run.  What is neither file nor folder is passed over. */
static unsigned replay_path(const char *path, int depth)
{
    struct stat st;
    if (stat(path, &st) != 0)
        die(path);
    if (S_ISREG(st.st_mode) && st.st_size <= (off_t)INPUT_LEN_MAX) {
        replay_file(path, (size_t)st.st_size);
        return 1;
    }
    if (!S_ISDIR(st.st_mode) || depth > 0)
        return 0;

    unsigned count = 0;
    DIR *folder = opendir(path);
    if (!folder)
        die(path);
    for (struct dirent *entry = readdir(folder); entry; entry = readdir(folder)) {
        char *member;
        if (entry->d_name[0] == '.')
            continue;
        if (asprintf(&member, "%s/%s", path, entry->d_name) < 0)
            die(path);
        count += replay_path(member, depth + 1);
        free(member);
    }
    closedir(folder);
    return count;
}

int main(int argc, char **argv)
{
    unsigned count = 0;
    for (int i = 1; i < argc; i++)
        count += replay_path(argv[i], 0);
    printf("%u inputs replayed\n", count);
    return count > 0 ? 0 : 1;
}
