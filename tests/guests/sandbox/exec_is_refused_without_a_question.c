// build: -O1
// links: unasked_program parts/exits.S -nostdlib -pie -Wl,--dynamic-linker=own_loader
// native: /program the kernel cannot be asked
// native: /script the kernel cannot be asked
// native: /unasked_program the kernel cannot be asked
// native: /true the kernel cannot be asked
// A Landlock domain decides what is executed also where the kernel cannot be asked in advance, as before Linux 6.14.
#include "parts/domain.h"
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>

/* execveat(2) does not know the flag. */
static void forbid_the_question(void)
{
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_execveat, 0, 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[4])),
        BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, EXECVE_CHECK, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EINVAL),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog filter = {sizeof code / sizeof *code, code};
    CHECK_EQ(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter), 0);
}

int main(int argc, char **argv)
{
    (void)argc;
    if (!can_be_asked()) {
        printf("no Landlock, or no question to forbid\n");
        return 0;
    }
    run_all(argv[0], "unasked_program", forbid_the_question);
    return done();
}
