/* Loaded by libraries_come_and_go. */
#include <stdio.h>
static int state = 1;
__attribute__((constructor)) static void begin(void) { state = 10; }
__attribute__((destructor)) static void finish(void) { state = -1; }
__attribute__((noinline)) static int step(int x) { return x * 2 + state; }
int value(int x) { return step(x) + 1; }
int other(int (*back)(int), int x) { return back(x) + state; }
