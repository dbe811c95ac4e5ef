// build: -O1
// native: /exe memory may not be made executable, so bt-run has no place for its code
// Where no memory may be made executable (PR_SET_MDWE, or a filter as service managers set it): the program goes on, finds what
// it loads, and what it starts runs.
#include "check.h"
#include <dlfcn.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#ifndef PR_SET_MDWE
#define PR_SET_MDWE 65
#endif

#define LOAD(field) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define IF(operation, value, yes, no) BPF_JUMP(BPF_JMP | operation | BPF_K, value, yes, no)
#define RETURN(what) BPF_STMT(BPF_RET | BPF_K, what)

/* mmap of what is writable and executable, and mprotect to executable, give EPERM. */
static void set_filter(void)
{
    struct sock_filter filter[] = {
        LOAD(nr),
        IF(BPF_JEQ, SYS_mmap, 0, 4),
        LOAD(args[2]),
        BPF_STMT(BPF_ALU | BPF_AND | BPF_K, PROT_WRITE | PROT_EXEC),
        IF(BPF_JEQ, PROT_WRITE | PROT_EXEC, 4, 0),
        RETURN(SECCOMP_RET_ALLOW),
        IF(BPF_JEQ, SYS_mprotect, 0, 3),
        LOAD(args[2]),
        IF(BPF_JSET, PROT_EXEC, 0, 1),
        RETURN(SECCOMP_RET_ERRNO | EPERM),
        RETURN(SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {sizeof filter / sizeof *filter, filter};
    CHECK_EQ(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
    CHECK_EQ(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program), 0);
}

static int forbid(int way)
{
    if (way == 1) {
        set_filter();
        return 1;
    }
    /* PR_MDWE_REFUSE_EXEC_GAIN, since Linux 6.3. */
    return prctl(PR_SET_MDWE, 1, 0, 0, 0) == 0;
}

static void loads(void)
{
    void *library = dlopen("libm.so.6", RTLD_NOW);
    CHECK(library != NULL);
    double (*root)(double) = (double (*)(double))dlsym(library, "cbrt");
    CHECK(root(27.0) > 2.999 && root(27.0) < 3.001);
    for (int i = 0; i < 1000; i++)
        CHECK(getppid() > 0);
    errno = 0;
    CHECK(mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED);
    CHECK(errno == EPERM || errno == EACCES);
}

int main(int argc, char **argv)
{
    if (argc > 1) {
        loads();
        return 3;
    }
    for (int way = 0; way < 2; way++) {
        fflush(stdout);
        pid_t child = fork();
        if (child == 0) {
            if (!forbid(way))
                _exit(3);
            loads();
            execl("/proc/self/exe", argv[0], "next", (char *)NULL);
            _exit(98);
        }
        int status;
        CHECK_EQ(waitpid(child, &status, 0), child);
        CHECK_EQ(status, 3 << 8);
    }
    return done();
}
