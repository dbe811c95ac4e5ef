// build: -O1
// options: --strict
// The same where the runtime needs SIGSYS itself: it is not blocked in the kernel then, nor ignored.
#include "trapped_calls_end_the_process.c"
