/*
 * Instructions that fault within a loop of system calls.
 *
 * Each probe executes one instruction with every general register at a known value, first with operands that are good,
 * so that it runs where the loop's calls are made, then with bad ones. What the signal handler is told is printed: it is
 * the same wherever the instruction ran.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

/* Memory at fixed addresses: what is printed must not depend on where the kernel puts things. */
#define BASE 0x10000000UL
#define RW BASE
#define RO (BASE + 0x1000)
#define HOLE (BASE + 0x2000)
#define RW2 (BASE + 0x3000)
#define HOLE2 (BASE + 0x4000)
#define MAPPED_FILE 0x11000000UL
#define BEYOND_FILE (MAPPED_FILE + 0x1000)
#define STACK 0x12000000UL
#define STACK_BYTES 0x10000UL
#define TOP (STACK + 0x8000)

#define NONCANONICAL 0x4000000000000000UL
#define KERNEL_TEXT 0xffffffff81000000UL
#define KERNEL_DATA 0xffff888000001000UL

/* In the order in which the probes load them. */
enum { RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI, R8, R9, R10, R11, R12, R13, R14, R15, FLAGS, REGISTERS };

__attribute__((used)) static uint64_t in[REGISTERS], out[REGISTERS], own_rsp;

#define PROBE(name, body)                                                                                              \
	extern char probe_##name[];                                                                                    \
	asm(".pushsection .text\n.balign 64\nprobe_" #name ":\n"                                                       \
	    "push %rbx; push %rbp; push %r12; push %r13; push %r14; push %r15\n"                                       \
	    "mov %rsp, own_rsp(%rip)\n"                                                                                \
	    "mov in+8(%rip), %rcx; mov in+16(%rip), %rdx; mov in+24(%rip), %rbx\n"                                     \
	    "mov in+40(%rip), %rbp; mov in+48(%rip), %rsi; mov in+56(%rip), %rdi\n"                                    \
	    "mov in+64(%rip), %r8; mov in+72(%rip), %r9; mov in+80(%rip), %r10; mov in+88(%rip), %r11\n"               \
	    "mov in+96(%rip), %r12; mov in+104(%rip), %r13; mov in+112(%rip), %r14; mov in+120(%rip), %r15\n"          \
	    "mov in+32(%rip), %rsp; mov in(%rip), %rax\n"                                                              \
	    "cmp $1, %rax\n" body "\n"                                                                                 \
	    "mov %rax, out(%rip); mov %rcx, out+8(%rip); mov %rdx, out+16(%rip); mov %rbx, out+24(%rip)\n"             \
	    "mov %rsp, out+32(%rip); mov %rbp, out+40(%rip); mov %rsi, out+48(%rip); mov %rdi, out+56(%rip)\n"         \
	    "mov %r8, out+64(%rip); mov %r9, out+72(%rip); mov %r10, out+80(%rip); mov %r11, out+88(%rip)\n"           \
	    "mov %r12, out+96(%rip); mov %r13, out+104(%rip); mov %r14, out+112(%rip); mov %r15, out+120(%rip)\n"      \
	    "setc out+128(%rip); setz out+129(%rip); sets out+130(%rip); seto out+131(%rip); setp out+132(%rip)\n"     \
	    "mov own_rsp(%rip), %rsp\n"                                                                                \
	    "pop %r15; pop %r14; pop %r13; pop %r12; pop %rbp; pop %rbx\n"                                             \
	    "ret\n.popsection\n")

PROBE(load, "mov (%rsi), %rcx");
PROBE(load_byte, "movzbl (%rsi), %ecx");
PROBE(load_indexed, "mov 8(%rdx,%rsi,1), %rcx");
PROBE(load_scaled, "mov (,%rsi,8), %rcx");
PROBE(load_r10, "mov (%r10,%r11,1), %r15");
PROBE(load_rax, "mov (%rax), %rcx");
PROBE(load_rbp, "mov 8(%rbp), %rcx");
PROBE(load_rsp, "mov 16(%rsp), %rcx");
PROBE(load_fs, "mov %fs:(%rsi), %rcx");
PROBE(load_addr32, "mov (%esi), %rcx");
PROBE(store, "mov %rcx, (%rsi)");
PROBE(store_imm, "movl $0x1234, 4(%rsi)");
PROBE(store_rbp, "mov %rcx, 8(%rbp)");
PROBE(store_xmm, "pxor %xmm0, %xmm0; movups %xmm0, (%rsi)");
PROBE(load_xmm, "movups (%rsi), %xmm1");
PROBE(load_xmm_aligned, "movaps (%rsi), %xmm1");
PROBE(add_to, "add %rcx, (%rsi)");
PROBE(compare, "cmpq $5, (%rsi)");
PROBE(xadd, "lock xadd %rcx, (%rsi)");
PROBE(exchange, "xchg %rcx, (%rsi)");
PROBE(cmpxchg, "lock cmpxchg %rcx, (%rsi)");
PROBE(divide, "div %rcx");
PROBE(divide_signed, "idiv %ecx");
PROBE(divide_memory, "divq (%rsi)");
/* Not executed while rax is 1. */
PROBE(ud2, "je 1f; ud2; 1:");
PROBE(hlt, "je 1f; hlt; 1:");
PROBE(int3, "je 1f; int3; 1:");
PROBE(cli, "je 1f; cli; 1:");
PROBE(in_port, "je 1f; in $0x80, %al; 1:");
PROBE(rdmsr, "je 1f; rdmsr; 1:");
PROBE(rep_movsb, "rep movsb");
PROBE(rep_movsq, "rep movsq");
PROBE(rep_stosb, "rep stosb");
PROBE(rep_stosq, "rep stosq");
PROBE(movsb_down, "je 1f; std; 1: movsb; cld");
PROBE(rep_movsb_down, "je 1f; std; 1: rep movsb; cld");
PROBE(push_register, "push %rcx");
PROBE(push_value, "push $0x77");
PROBE(push_memory, "pushq (%rsi)");
PROBE(pop_register, "pop %rcx");
PROBE(call_near, "call 1f; 1:");
PROBE(call_register, "lea 1f(%rip), %r8; call *%r8; 1: xor %r8d, %r8d; movq $0, -8(%rsp)");
PROBE(ret_near, "lea 1f(%rip), %r8; je 2f; xor %r8d, %r8d; ret; 2: push %r8; ret; 1: xor %r8d, %r8d; movq $0, -8(%rsp)");
PROBE(jump_register, "je 1f; jmp *%rcx; 1:");
PROBE(jump_memory, "je 1f; jmp *(%rsi); 1:");
PROBE(load_checked, "pushfq; or %rax, (%rsp); popfq; mov (%rsi), %rcx; pushfq; andq $~0x40000, (%rsp); popfq");

struct probe {
	const char *name;
	char *code;
	/* What one register has in good rounds and in bad ones; a second one has a value in both. */
	int reg;
	uint64_t good, bad;
	int other;
	uint64_t value;
	/* 0: whatever happens natively. */
	int signal;
};

#define P(name) #name, probe_##name

static const struct probe probes[] = {
	{ P(load), RSI, RW, 0, -1, 0, SIGSEGV },
	{ P(load), RSI, RW, HOLE, -1, 0, SIGSEGV },
	{ P(load), RSI, RW, BEYOND_FILE, -1, 0, SIGBUS },
	{ P(load), RSI, RW, NONCANONICAL, -1, 0, SIGSEGV },
	{ P(load), RSI, RW, KERNEL_TEXT, -1, 0, SIGSEGV },
	{ P(load), RSI, RW, KERNEL_DATA, -1, 0, SIGSEGV },
	{ P(load), RSI, RW, ~0UL, -1, 0, SIGSEGV },
	{ P(load), RSI, RW, ~0UL >> 1, -1, 0, SIGSEGV },
	{ P(load), RSI, RW, 0x7ffffffff000, -1, 0, SIGSEGV },
	{ P(load), RSI, RW, 0x7ffffffffffc, -1, 0, SIGSEGV },
	{ P(load), RSI, RW, HOLE2 - 4, -1, 0, SIGSEGV },
	{ P(load_byte), RSI, RW, HOLE2, -1, 0, SIGSEGV },
	{ P(load_byte), RSI, RW, KERNEL_TEXT + 1, -1, 0, SIGSEGV },
	{ P(load_indexed), RSI, 0, HOLE - RW - 8, RDX, RW, SIGSEGV },
	{ P(load_indexed), RSI, 0, KERNEL_TEXT - RW, RDX, RW, SIGSEGV },
	{ P(load_scaled), RSI, RW / 8, HOLE / 8, -1, 0, SIGSEGV },
	{ P(load_scaled), RSI, RW / 8, KERNEL_TEXT / 8, -1, 0, SIGSEGV },
	{ P(load_r10), R11, 0, HOLE - RW, R10, RW, SIGSEGV },
	{ P(load_rax), RAX, RW, NONCANONICAL, -1, 0, SIGSEGV },
	{ P(load_rax), RAX, RW, KERNEL_DATA, -1, 0, SIGSEGV },
	/* What is based on rbp and rsp raises #SS, which is SIGBUS; TCG does not tell it from #GP. */
	{ P(load_rbp), RBP, RW, NONCANONICAL, -1, 0, 0 },
	{ P(load_rbp), RBP, RW, KERNEL_DATA, -1, 0, SIGSEGV },
	{ P(load_rbp), RBP, RW, HOLE, -1, 0, SIGSEGV },
	{ P(load_rsp), RSP, TOP, NONCANONICAL, -1, 0, 0 },
	{ P(load_rsp), RSP, TOP, KERNEL_TEXT, -1, 0, SIGSEGV },
	{ P(load_rsp), RSP, TOP, HOLE, -1, 0, SIGSEGV },
	{ P(load_fs), RSI, 0, NONCANONICAL, -1, 0, SIGSEGV },
	{ P(load_addr32), RSI, 0xdead00000000UL + RW, 0xdead00000000UL + HOLE, -1, 0, SIGSEGV },
	{ P(store), RSI, RW, 0, -1, 0, SIGSEGV },
	{ P(store), RSI, RW, RO, -1, 0, SIGSEGV },
	{ P(store), RSI, RW, RO - 4, -1, 0, SIGSEGV },
	{ P(store), RSI, RW, HOLE2 - 1, -1, 0, SIGSEGV },
	{ P(store), RSI, RW, BEYOND_FILE, -1, 0, SIGBUS },
	{ P(store), RSI, RW, KERNEL_TEXT, -1, 0, SIGSEGV },
	{ P(store), RSI, RW, KERNEL_DATA, -1, 0, SIGSEGV },
	{ P(store_imm), RSI, RW, RO, -1, 0, SIGSEGV },
	{ P(store_rbp), RBP, RW, NONCANONICAL, -1, 0, 0 },
	{ P(store_xmm), RSI, RW, HOLE2 - 8, -1, 0, SIGSEGV },
	{ P(store_xmm), RSI, RW, KERNEL_DATA, -1, 0, SIGSEGV },
	{ P(load_xmm), RSI, RW, 0, -1, 0, SIGSEGV },
	{ P(load_xmm), RSI, RW, BEYOND_FILE - 8, -1, 0, SIGBUS },
	{ P(load_xmm_aligned), RSI, RW, RW + 8, -1, 0, SIGSEGV },
	{ P(add_to), RSI, RW, RO, -1, 0, SIGSEGV },
	{ P(compare), RSI, RW, 0x10, -1, 0, SIGSEGV },
	{ P(xadd), RSI, RW, RO, -1, 0, SIGSEGV },
	{ P(xadd), RSI, RW, HOLE, -1, 0, SIGSEGV },
	{ P(xadd), RSI, RW, KERNEL_DATA, -1, 0, SIGSEGV },
	{ P(xadd), RSI, RW, HOLE2 - 4, -1, 0, SIGSEGV },
	{ P(exchange), RSI, RW, RO, -1, 0, SIGSEGV },
	{ P(cmpxchg), RSI, RW, RO, -1, 0, SIGSEGV },
	{ P(divide), RCX, 3, 0, RDX, 0, SIGFPE },
	{ P(divide), RDX, 1, 7, RCX, 5, SIGFPE },
	{ P(divide_signed), RDX, 0, 0x7fffffff, RCX, 1, SIGFPE },
	{ P(divide_memory), RSI, RW + 0x100, RW + 0x108, RDX, 0, SIGFPE },
	{ P(divide_memory), RSI, RW + 0x100, HOLE, RDX, 0, SIGSEGV },
	{ P(ud2), RAX, 1, 2, -1, 0, SIGILL },
	{ P(hlt), RAX, 1, 2, -1, 0, SIGSEGV },
	{ P(int3), RAX, 1, 2, -1, 0, SIGTRAP },
	{ P(cli), RAX, 1, 2, -1, 0, SIGSEGV },
	{ P(in_port), RAX, 1, 2, -1, 0, SIGSEGV },
	{ P(rdmsr), RAX, 1, 2, -1, 0, SIGSEGV },
	{ P(rep_movsb), RDI, RW2, HOLE2 - 100, RSI, RW, SIGSEGV },
	{ P(rep_movsb), RSI, RW, HOLE2 - 100, RDI, RW2, SIGSEGV },
	{ P(rep_movsb), RDI, RW2, RO, RSI, RW, SIGSEGV },
	{ P(rep_movsb), RDI, RW2, KERNEL_DATA, RSI, RW, SIGSEGV },
	{ P(rep_movsb), RSI, RW, NONCANONICAL, RDI, RW2, SIGSEGV },
	{ P(rep_movsb), RDI, RW2, BEYOND_FILE - 10, RSI, RW, SIGBUS },
	{ P(rep_movsq), RDI, RW2, HOLE2 - 100, RSI, RW, SIGSEGV },
	{ P(rep_stosb), RDI, RW2, HOLE2 - 100, -1, 0, SIGSEGV },
	{ P(rep_stosb), RDI, RW2, KERNEL_TEXT, -1, 0, SIGSEGV },
	{ P(rep_stosq), RDI, RW2, RO, -1, 0, SIGSEGV },
	{ P(movsb_down), RAX, 1, 2, -1, 0, 0 },
	{ P(rep_movsb_down), RAX, 1, 2, -1, 0, SIGSEGV },
	{ P(push_register), RSP, TOP, HOLE + 8, -1, 0, SIGSEGV },
	{ P(push_register), RSP, TOP, RO + 8, -1, 0, SIGSEGV },
	{ P(push_register), RSP, TOP, HOLE2 + 4, -1, 0, SIGSEGV },
	{ P(push_register), RSP, TOP, NONCANONICAL, -1, 0, 0 },
	{ P(push_register), RSP, TOP, KERNEL_DATA, -1, 0, SIGSEGV },
	{ P(push_value), RSP, TOP, HOLE + 8, -1, 0, SIGSEGV },
	{ P(push_memory), RSP, TOP, HOLE + 8, RSI, RW, SIGSEGV },
	{ P(push_memory), RSI, RW, HOLE, -1, 0, SIGSEGV },
	{ P(pop_register), RSP, TOP, HOLE, -1, 0, SIGSEGV },
	{ P(pop_register), RSP, TOP, NONCANONICAL, -1, 0, 0 },
	{ P(call_near), RSP, TOP, HOLE + 8, -1, 0, SIGSEGV },
	{ P(call_near), RSP, TOP, RO + 8, -1, 0, SIGSEGV },
	{ P(ret_near), RAX, 1, 2, -1, 0, SIGSEGV },
	{ P(jump_register), RAX, 1, 2, RCX, 0, SIGSEGV },
	{ P(jump_register), RAX, 1, 2, RCX, RW, SIGSEGV },
	{ P(jump_register), RAX, 1, 2, RCX, NONCANONICAL, SIGSEGV },
	{ P(jump_register), RAX, 1, 2, RCX, KERNEL_TEXT, SIGSEGV },
	{ P(jump_memory), RAX, 1, 2, RSI, RW + 0x108, SIGSEGV },
	{ P(jump_memory), RAX, 1, 2, RSI, HOLE, SIGSEGV },
	/* With AC set, an access that is not aligned; TCG does not know it before version 8. */
	{ P(load_checked), RAX, 0, 0x40000, RSI, RW + 1, 0 },
};

/* A call by an instruction of its own: the number is known there. */
#define CALL(nr)                                                                                     \
	({                                                                                           \
		long result_;                                                                        \
		asm volatile("mov %1, %%eax; syscall" : "=a"(result_) : "i"(nr) : "rcx", "r11", "memory"); \
		result_;                                                                             \
	})

static sigjmp_buf back;
static const struct probe *current;
static int signals, wrong;

static void show(const char *what, const uint64_t *regs)
{
	static const char *names[] = { "rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi",
				       "r8",  "r9",  "r10", "r11", "r12", "r13", "r14", "r15" };

	printf("%s", what);
	for (int i = 0; i < FLAGS; i++)
		printf(" %s=%lx", names[i], regs[i]);
	printf(" flags=%lx\n", regs[FLAGS]);
}

/*
 * Instructions that set the flags themselves: what these were before is known to nobody who does not look at them between
 * the fault and the second attempt.
 */
static int sets_flags(void)
{
	static const char *const names[] = { "add_to", "compare", "xadd", "cmpxchg", "divide", "divide_signed", "divide_memory" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strcmp(current->name, names[i]) == 0)
			return 1;
	}
	return 0;
}

static void handler(int number, siginfo_t *info, void *data)
{
	static const int order[] = { REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP, REG_RSI, REG_RDI, REG_R8,
				     REG_R9,  REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15, REG_EFL };
	ucontext_t *context = data;
	greg_t *gregs = context->uc_mcontext.gregs;
	uint64_t regs[REGISTERS], rip = gregs[REG_RIP];

	/* Handlers start with the flag as it was. */
	asm volatile("pushfq; andq $~0x40000, (%%rsp); popfq" : : : "cc", "memory");
	for (int i = 0; i < REGISTERS; i++)
		regs[i] = gregs[order[i]];
	regs[FLAGS] &= sets_flags() ? 0x40400 : 0x40cd5;
	if (rip - (uint64_t)current->code < 512)
		rip -= (uint64_t)current->code;
	/* A return address is where the program is. */
	if (regs[R8] - (uint64_t)current->code < 512)
		regs[R8] -= (uint64_t)current->code;
	if (strcmp(current->name, "load_fs") == 0)
		regs[RCX] = 0;
	printf("signal %d code %d rip=%lx trap=%lld error=%llx address=%lx cr2=%llx\n", number, info->si_code, rip,
	       gregs[REG_TRAPNO], gregs[REG_ERR], number == SIGTRAP ? 0 : (uint64_t)info->si_addr - (number == SIGFPE || number == SIGILL ? (uint64_t)current->code : 0),
	       gregs[REG_TRAPNO] == 14 ? gregs[REG_CR2] : 0);
	show("  ", regs);
	if (current->signal && number != current->signal) {
		printf("wrong: not signal %d\n", current->signal);
		wrong++;
	}
	signals++;
	siglongjmp(back, 1);
}

static void set_registers(uint64_t value)
{
	for (int i = 0; i < FLAGS; i++)
		in[i] = 0x1111 * (i + 1);
	in[RAX] = 1;
	in[RCX] = 200;
	in[RSP] = TOP;
	if (strstr(current->name, "movs")) {
		in[RSI] = RW + 0x800;
		in[RDI] = RW2 + 20;
	}
	if (current->other >= 0)
		in[current->other] = current->value;
	in[current->reg] = value;
}

static void run(int rounds, int zero)
{
	pid_t parent = getppid();
	void (*volatile code)(void) = (void (*)(void))current->code;
	char byte;

	for (volatile int n = 0; n < rounds; n++) {
		int is_bad = n == rounds - 1 || n == rounds - 9 || n == rounds - 20;

		if (CALL(SYS_getppid) != parent || read(zero, &byte, 1) != 1) {
			puts("a call went wrong");
			exit(1);
		}
		set_registers(is_bad ? current->bad : current->good);
		*(uint64_t *)(RW + 0x100) = 7;
		*(uint64_t *)(RW + 0x108) = 0;
		if (!is_bad) {
			code();
			continue;
		}
		int before = signals;

		printf("%s %d=%lx\n", current->name, current->reg, current->bad);
		/* Without the mask, which would take a system call of its own. */
		if (sigsetjmp(back, 0) == 0) {
			/* Back to where calls are made. */
			if (CALL(SYS_getppid) != parent || read(zero, &byte, 1) != 1)
				exit(1);
			code();
			if (strcmp(current->name, "load_fs") == 0)
				out[RCX] = 0;
			show("no signal", out);
		}
		if (current->signal && signals == before) {
			printf("wrong: no signal %d\n", current->signal);
			wrong++;
		}
	}
}

static void map(uint64_t address, size_t bytes, int protection, int flags, int fd)
{
	if (mmap((void *)address, bytes, protection, MAP_FIXED_NOREPLACE | flags, fd, 0) != (void *)address) {
		perror("mmap");
		exit(1);
	}
}

static void prepare(void)
{
	static char alternate[1 << 16];
	stack_t stack = { .ss_sp = alternate, .ss_size = sizeof(alternate) };
	struct sigaction action = { .sa_sigaction = handler, .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER };
	int fd = memfd_create("short", 0);

	if (fd < 0 || ftruncate(fd, 100) || sigaltstack(&stack, NULL)) {
		perror("prepare");
		exit(1);
	}
	map(RW, 0x1000, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
	map(RO, 0x1000, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1);
	map(RW2, 0x1000, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
	map(MAPPED_FILE, 0x2000, PROT_READ | PROT_WRITE, MAP_SHARED, fd);
	map(STACK, STACK_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
	*(volatile char *)RO;
	*(volatile char *)MAPPED_FILE = 1;
	for (const int *n = (const int[]){ SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, 0 }; *n; n++)
		sigaction(*n, &action, NULL);
}

/* The argument: rounds of each probe. */
int main(int argc, char **argv)
{
	int rounds = argc > 1 ? atoi(argv[1]) : 30;
	int zero = open("/dev/zero", O_RDONLY);

	setvbuf(stdout, NULL, _IOFBF, 1 << 16);
	prepare();
	for (size_t i = 0; i < sizeof(probes) / sizeof(probes[0]); i++) {
		current = &probes[i];
		run(rounds, zero);
	}
	printf("%d signals, %d wrong\n", signals, wrong);
	return wrong != 0;
}
