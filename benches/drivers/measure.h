/* What the drivers of `bt-bench run` share: the clocks, the loops, the lines that they print.
 *
 *     DRIVER NAME OPERATIONS LOOPS BUDGET_MS CPU_ONE CPU_TWO [PARAMETER...]
 *
 * A loop makes OPERATIONS operations; it is repeated LOOPS times, or until BUDGET_MS are over (once at least), and the loop with
 * the median time is printed; where single operations are timed, their median. Each loop is timed twice at once: by clock_gettime(CLOCK_MONOTONIC), which libc answers
 * in the vDSO, and by the time-stamp counter. One more loop, which is not timed, runs under the performance counters
 * where there are any. A driver looks at what its operations gave and exits with 1 where that is not what it must be.
 *
 * Lines, one figure each, per operation where not said otherwise:
 *
 *     ns FIGURE
 *     cycles FIGURE            of the time-stamp counter
 *     repetitions NUMBER       operations in all loops that were timed
 *     counter NAME FIGURE
 *     quantiles FIGURE...      101 of them, nanoseconds of single operations at 0, 0.01, ..., 1
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <linux/perf_event.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define MAX_LOOPS 64

struct plan {
    const char *name;
    uint64_t operations;
    unsigned loops;
    uint64_t budget_ns;
    int cpu_one, cpu_two;
    char **parameters;
    int parameter_count;
};

/* `run` is timed; what `before` and `after` do is not. Both may be missing. */
struct benchmark {
    const char *name;
    void (*run)(uint64_t operations);
    void (*before)(uint64_t operations);
    void (*after)(uint64_t operations);
};

static struct plan plan;

__attribute__((unused)) static void check(int holds, const char *what)
{
    if (!holds) {
        fprintf(stderr, "%s: %s: %s\n", plan.name ? plan.name : "driver", what, errno ? strerror(errno) : "wrong result");
        exit(1);
    }
}

__attribute__((unused)) static long raw_syscall(long number, long a, long b, long c)
{
    long result;
    __asm__ volatile("syscall" : "=a"(result) : "a"(number), "D"(a), "S"(b), "d"(c) : "rcx", "r11", "memory");
    return result;
}

static inline uint64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* rdtscp waits for what stands before it, lfence keeps what follows behind it (Intel SDM 2B, RDTSCP). */
static inline uint64_t now_cycles(void)
{
    uint32_t low, high;
    __asm__ volatile("rdtscp\n\tlfence" : "=a"(low), "=d"(high) : : "rcx", "memory");
    return (uint64_t)high << 32 | low;
}

__attribute__((unused)) static void pin_to(int cpu)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(cpu, &set);
    check(sched_setaffinity(0, sizeof set, &set) == 0, "sched_setaffinity");
}

/* A parameter after the fixed ones; the first is number 0. */
__attribute__((unused)) static const char *parameter(int number)
{
    errno = 0;
    check(number < plan.parameter_count, "a parameter is missing");
    return plan.parameters[number];
}

__attribute__((unused)) static size_t number_parameter(int number)
{
    return strtoull(parameter(number), NULL, 10);
}

/* Single operations, in cycles. */
static uint64_t *latencies;
static size_t latency_count, latency_room;
static int keep_latencies;

__attribute__((unused)) static void note_latency(uint64_t cycles)
{
    if (keep_latencies && latency_count < latency_room)
        latencies[latency_count++] = cycles;
}

/* Called before the loops, so that nothing is allocated in them. */
__attribute__((unused)) static void make_room_for_latencies(void)
{
    latency_room = plan.operations * plan.loops;
    latencies = malloc(latency_room * sizeof *latencies);
    check(latencies != NULL, "malloc");
    memset(latencies, 0, latency_room * sizeof *latencies);
}

struct timing {
    double ns, cycles;
};

static int by_ns(const void *one, const void *other)
{
    double a = ((const struct timing *)one)->ns, b = ((const struct timing *)other)->ns;
    return (a > b) - (a < b);
}

static int by_value(const void *one, const void *other)
{
    uint64_t a = *(const uint64_t *)one, b = *(const uint64_t *)other;
    return (a > b) - (a < b);
}

static const struct {
    const char *name;
    uint32_t type;
    uint64_t config;
} counters[] = {
    { "instructions", PERF_TYPE_HARDWARE, PERF_COUNT_HW_INSTRUCTIONS },
    { "cycles", PERF_TYPE_HARDWARE, PERF_COUNT_HW_CPU_CYCLES },
    { "branch-misses", PERF_TYPE_HARDWARE, PERF_COUNT_HW_BRANCH_MISSES },
    { "dTLB-load-misses", PERF_TYPE_HW_CACHE,
      PERF_COUNT_HW_CACHE_DTLB | PERF_COUNT_HW_CACHE_OP_READ << 8 | PERF_COUNT_HW_CACHE_RESULT_MISS << 16 },
};
#define COUNTERS (sizeof counters / sizeof *counters)

static void count_events(const struct benchmark *benchmark)
{
    int descriptors[COUNTERS];
    unsigned open_count = 0;
    for (unsigned i = 0; i < COUNTERS; i++) {
        struct perf_event_attr attributes = { .type = counters[i].type, .size = sizeof attributes,
            .config = counters[i].config, .disabled = 1, .inherit = 1, .exclude_hv = 1 };
        descriptors[i] = (int)syscall(SYS_perf_event_open, &attributes, 0, -1, -1, PERF_FLAG_FD_CLOEXEC);
        open_count += descriptors[i] >= 0;
    }
    if (open_count == 0)
        return;
    if (benchmark->before)
        benchmark->before(plan.operations);
    for (unsigned i = 0; i < COUNTERS; i++)
        ioctl(descriptors[i], PERF_EVENT_IOC_ENABLE, 0);
    benchmark->run(plan.operations);
    for (unsigned i = 0; i < COUNTERS; i++)
        ioctl(descriptors[i], PERF_EVENT_IOC_DISABLE, 0);
    if (benchmark->after)
        benchmark->after(plan.operations);
    for (unsigned i = 0; i < COUNTERS; i++) {
        uint64_t value;
        if (descriptors[i] >= 0 && read(descriptors[i], &value, sizeof value) == sizeof value)
            printf("counter %s %.4f\n", counters[i].name, (double)value / (double)plan.operations);
        close(descriptors[i]);
    }
}

/* Needs sorted latencies. */
static void print_quantiles(double ns_per_cycle)
{
    printf("quantiles");
    for (unsigned i = 0; i <= 100; i++)
        printf(" %.1f", (double)latencies[(latency_count - 1) * i / 100] * ns_per_cycle);
    printf("\n");
}

static struct timing timed_loop(const struct benchmark *benchmark, uint64_t operations)
{
    if (benchmark->before)
        benchmark->before(operations);
    uint64_t ns = now_ns(), cycles = now_cycles();
    benchmark->run(operations);
    cycles = now_cycles() - cycles, ns = now_ns() - ns;
    if (benchmark->after)
        benchmark->after(operations);
    return (struct timing){ (double)ns / (double)operations, (double)cycles / (double)operations };
}

static void run_loops(const struct benchmark *benchmark)
{
    struct timing timings[MAX_LOOPS];
    unsigned done = 0;
    timed_loop(benchmark, plan.operations / 10 + 1);
    keep_latencies = 1;
    uint64_t start = now_ns();
    do
        timings[done++] = timed_loop(benchmark, plan.operations);
    while (done < plan.loops && now_ns() - start < plan.budget_ns);
    keep_latencies = 0;
    qsort(timings, done, sizeof *timings, by_ns);
    struct timing median = timings[(done - 1) / 2];
    double ns_per_cycle = median.ns / median.cycles;
    if (latency_count > 0) {
        qsort(latencies, latency_count, sizeof *latencies, by_value);
        median.cycles = (double)latencies[latency_count / 2];
        median.ns = median.cycles * ns_per_cycle;
    }
    printf("ns %.4f\ncycles %.4f\nrepetitions %llu\n", median.ns, median.cycles,
           (unsigned long long)(plan.operations * done));
    if (latency_count > 0)
        print_quantiles(ns_per_cycle);
    count_events(benchmark);
}

/* Reads the command line into `plan`, and gives the benchmark of that name. */
static const struct benchmark *read_plan(int argc, char **argv, const struct benchmark *table, size_t count)
{
    if (argc >= 7) {
        plan = (struct plan){ argv[1], strtoull(argv[2], NULL, 10), (unsigned)strtoul(argv[3], NULL, 10),
            strtoull(argv[4], NULL, 10) * 1000000u, atoi(argv[5]), atoi(argv[6]), argv + 7, argc - 7 };
        if (plan.loops > MAX_LOOPS)
            plan.loops = MAX_LOOPS;
        for (size_t i = 0; plan.operations > 0 && plan.loops > 0 && i < count; i++)
            if (!strcmp(table[i].name, argv[1]))
                return &table[i];
    }
    fprintf(stderr, "usage: %s NAME OPERATIONS LOOPS BUDGET_MS CPU_ONE CPU_TWO [PARAMETER...]\n", argv[0]);
    exit(2);
}
