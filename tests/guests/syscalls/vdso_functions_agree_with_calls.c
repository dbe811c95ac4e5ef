// build[pie]: -O1
// build[static]: -O1 -static
// The vDSO's own functions, found in its symbol table, run and agree with the system calls.
#include "check.h"
#include <elf.h>
#include <link.h>
#include <sched.h>
#include <sys/auxv.h>
#include <sys/time.h>

static void *find(const char *wanted)
{
    char *base = (char *)getauxval(AT_SYSINFO_EHDR);
    Elf64_Ehdr *header = (Elf64_Ehdr *)base;
    Elf64_Phdr *program = (Elf64_Phdr *)(base + header->e_phoff);
    char *bias = NULL, *strings = NULL;
    Elf64_Dyn *dynamic = NULL;
    Elf64_Sym *symbols = NULL;
    uint32_t *hash = NULL;
    for (int i = 0; i < header->e_phnum; i++) {
        if (program[i].p_type == PT_LOAD && !bias)
            bias = base + program[i].p_offset - program[i].p_vaddr;
        if (program[i].p_type == PT_DYNAMIC)
            dynamic = (Elf64_Dyn *)(base + program[i].p_offset);
    }
    for (; dynamic->d_tag != DT_NULL; dynamic++) {
        if (dynamic->d_tag == DT_STRTAB)
            strings = bias + dynamic->d_un.d_ptr;
        if (dynamic->d_tag == DT_SYMTAB)
            symbols = (Elf64_Sym *)(bias + dynamic->d_un.d_ptr);
        if (dynamic->d_tag == DT_HASH)
            hash = (uint32_t *)(bias + dynamic->d_un.d_ptr);
    }
    /* Newer kernels build the vDSO with DT_GNU_HASH only: then symbols end where strings begin. */
    size_t count = hash ? hash[1] : (size_t)((Elf64_Sym *)strings - symbols);
    for (size_t i = 0; i < count; i++)
        if (strcmp(strings + symbols[i].st_name, wanted) == 0)
            return bias + symbols[i].st_value;
    return NULL;
}

static long long ns(struct timespec t) { return t.tv_sec * 1000000000LL + t.tv_nsec; }

int main(void)
{
    int (*gettime)(clockid_t, struct timespec *) = find("__vdso_clock_gettime");
    int (*getres)(clockid_t, struct timespec *) = find("__vdso_clock_getres");
    int (*timeofday)(struct timeval *, void *) = find("__vdso_gettimeofday");
    time_t (*seconds)(time_t *) = find("__vdso_time");
    long (*cpu)(unsigned *, unsigned *, void *) = find("__vdso_getcpu");
    CHECK(gettime && timeofday && seconds && cpu);
    static const clockid_t clocks[] = {CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_MONOTONIC_COARSE, CLOCK_BOOTTIME,
                                       CLOCK_PROCESS_CPUTIME_ID, CLOCK_THREAD_CPUTIME_ID, CLOCK_TAI};
    for (size_t i = 0; i < sizeof clocks / sizeof clocks[0]; i++)
        for (int round = 0; round < 100; round++) {
            struct timespec before, between, after;
            CHECK_EQ(RAW2(SYS_clock_gettime, clocks[i], &before), 0);
            CHECK_EQ(gettime(clocks[i], &between), 0);
            CHECK_EQ(RAW2(SYS_clock_gettime, clocks[i], &after), 0);
            CHECK(ns(before) <= ns(between) && ns(between) <= ns(after));
        }
    struct timespec resolution, same;
    if (getres) {
        CHECK_EQ(getres(CLOCK_MONOTONIC, &resolution), 0);
        CHECK_EQ(RAW2(SYS_clock_getres, CLOCK_MONOTONIC, &same), 0);
        CHECK_EQ(ns(resolution), ns(same));
    }
    CHECK_EQ(gettime(12345, &same), -EINVAL);
    struct timeval time;
    CHECK_EQ(timeofday(&time, NULL), 0);
    time_t stored, now = seconds(&stored);
    CHECK_EQ(now, stored);
    CHECK(now - time.tv_sec <= 2 && now >= time.tv_sec - 1 /* time() is as coarse as the tick */);
    cpu_set_t set;
    for (unsigned one = 0; one < 2; one++) {
        CPU_ZERO(&set);
        CPU_SET(one, &set);
        if (sched_setaffinity(0, sizeof set, &set) != 0)
            continue;
        unsigned number = 99, node = 99;
        CHECK_EQ(cpu(&number, &node, NULL), 0);
        CHECK_EQ(number, one);
        CHECK_EQ(RAW3(SYS_getcpu, &number, &node, NULL), 0);
        CHECK_EQ(number, one);
        CHECK_EQ(sched_getcpu(), one);
    }
    return done();
}
