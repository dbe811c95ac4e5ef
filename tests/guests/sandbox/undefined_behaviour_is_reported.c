// build: -O1 -fsanitize=undefined
// The sanitizer's calls are made where they are due, and the program goes on.
#include <limits.h>
#include <stdio.h>

int main(int argc, char **argv)
{
    (void)argv;
    int big = INT_MAX, shift = 31 + argc;
    big += argc;
    printf("%d\n", big);
    printf("%d\n", 1 << shift);
    return 0;
}
