/* A small program as people write them, for the row startup/gcc-c. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int by_length(const void *one, const void *other)
{
    size_t left = strlen(*(char *const *)one), right = strlen(*(char *const *)other);
    return (left > right) - (left < right);
}

int main(int argc, char **argv)
{
    qsort(argv + 1, (size_t)(argc - 1), sizeof *argv, by_length);
    for (int i = 1; i < argc; i++)
        printf("%zu %s\n", strlen(argv[i]), argv[i]);
    return argc > 1 ? EXIT_SUCCESS : EXIT_FAILURE;
}
