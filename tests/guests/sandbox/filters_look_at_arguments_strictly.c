// build: -O1 -pthread
// limit: 60
// options: --strict
// As the test beside it; here the filter also forbids what `--strict` needs in each new thread.
#include "filters_look_at_arguments.c"
