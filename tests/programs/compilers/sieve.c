#include <math.h>
#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv)
{
    int limit = argc > 1 ? atoi(argv[1]) : 1000, count = 0;
    char *composite = calloc((size_t)limit + 1, 1);
    double sum = 0;
    for (int i = 2; i <= limit; i++) {
        if (composite[i])
            continue;
        count++;
        sum += sqrt(i) * sin(i);
        for (long j = (long)i * i; j <= limit; j += i)
            composite[j] = 1;
    }
    printf("%d primes, %.12f\n", count, sum);
    free(composite);
}
