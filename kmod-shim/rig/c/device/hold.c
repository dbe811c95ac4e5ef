/* Has the device open until standard input ends; says so when it is. */
#include "device.h"

int main(void)
{
	char byte;

	open_device();
	puts("open");
	fflush(stdout);
	while (read(0, &byte, 1) > 0)
		;
	return 0;
}
