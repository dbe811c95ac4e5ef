// Calls getppid(2) often and compares the results: the plainest guest of the ring 0 engine.

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	long count = argc > 1 ? atol(argv[1]) : 1000;
	pid_t parent = getppid();

	for (long i = 0; i < count; i++)
		if (getppid() != parent) {
			printf("call %ld returned another pid\n", i);
			return 1;
		}
	printf("%ld calls agree\n", count);
	return 0;
}
