// build: -O1
// links: program_of_the_domain parts/exits.S -nostdlib -pie -Wl,--dynamic-linker=own_loader
// native: /bin/true the domain does not include the launcher
// What a Landlock domain forbids to execute is refused: a program, the interpreter that it names, that of a script.
// What it allows runs, even where it does not include the launcher.
#include "parts/domain.h"

int main(int argc, char **argv)
{
    (void)argc;
    if (!can_be_asked()) {
        printf("the kernel cannot be asked\n");
        return 0;
    }
    run_all(argv[0], "program_of_the_domain", NULL);
    return done();
}
