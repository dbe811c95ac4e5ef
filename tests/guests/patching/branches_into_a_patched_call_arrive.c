// build[fixed]: -O1 -no-pie
// build[pie]: -O1 -fPIE -pie
// calls: equal
// Nobody promises that code is entered at its beginning: the load of a call's number is skipped, the call is
// skipped, each instruction after it is branched to, many times, through pointers that no table lists.
#include "enter.h"

/* The number's load and the call. */
FUNCTION(numbered, "mov $39, %eax\n" AT(numbered_call) "syscall\n" AT(numbered_behind) "ret")
FUNCTION(numbered_wide, "mov $39, %rax\n" AT(numbered_wide_call) "syscall\n" AT(numbered_wide_behind) "ret")
/* A short load: what follows is overwritten as well. */
FUNCTION(zeroed, "xor %eax, %eax\n" AT(zeroed_call) "syscall\n" AT(zeroed_compare) "cmp $-4095, %rax\n"
                 AT(zeroed_borrow) "sbb %edx, %edx\n" AT(zeroed_return) "ret")
/* The call and what follows, in instructions of one byte. */
FUNCTION(bare, "jmp bare_call\n" AT(bare_call) "syscall\n" AT(bare_1) "xchg %eax, %ebx\n" AT(bare_2)
               "xchg %eax, %esi\n" AT(bare_3) "xchg %eax, %ebp\n" AT(bare_4) "ret")
/* Branches of its own into what follows. */
FUNCTION(looped, "mov $5, %ebx\n" AT(looped_call) "syscall\n" AT(looped_next) "dec %ebx\njz 1f\n"
                 "mov $110, %eax\njmp looped_call\n1: ret")
FUNCTION(skipped, "test %edi, %edi\nmov $39, %eax\njnz 1f\nsyscall\n1: lea (%rax, %rax), %edx\nret")
/* An instruction of one byte before the call. */
#define AFTER_ONE_BYTE(name, instruction) FUNCTION(name, instruction "\n" AT(name##_call) "syscall\n" AT(name##_behind) "ret")
AFTER_ONE_BYTE(after_nop, "nop")
AFTER_ONE_BYTE(after_cltd, "cltd")
AFTER_ONE_BYTE(after_clc, "clc")
AFTER_ONE_BYTE(after_xchg, "xchg %eax, %ebx")
#define MANY 64
FUNCTION(many_after_nop, ".rept 64\nnop\nsyscall\nret\n.endr")

extern char numbered[], numbered_call[], numbered_behind[], numbered_wide[], numbered_wide_call[], numbered_wide_behind[],
    zeroed[], zeroed_call[], zeroed_compare[], zeroed_borrow[], zeroed_return[], bare[], bare_call[], bare_1[], bare_2[],
    bare_3[], bare_4[], looped[], looped_call[], looped_next[], skipped[], after_nop[], after_nop_call[],
    after_nop_behind[], after_cltd[], after_cltd_call[], after_cltd_behind[], after_clc[], after_clc_call[],
    after_clc_behind[], after_xchg[], after_xchg_call[], after_xchg_behind[], many_after_nop[];

static uint64_t seed = 0x9e3779b97f4a7c15;
static uint64_t pid, parent;
static struct registers before, now;

static void at(const void *pc, uint64_t number)
{
    fill(&before, &seed);
    before.flags = 0x202;
    before.gpr[RAX] = number;
    before.gpr[RDI] = (uint64_t)-1;
    before.gpr[RDX] = 0;
    now = before;
    enter(&now, pc);
}

/* All others are as they were. */
static void kept(unsigned changed)
{
    for (int i = 0; i < 16; i++)
        if (!(changed >> i & 1))
            CHECK_EQ(now.gpr[i], before.gpr[i]);
}

static const unsigned CALL = 1 << RAX | 1 << RCX | 1 << 11;

static void round_(void)
{
    char *starts[] = {numbered, numbered_wide, after_nop, after_clc};
    char *calls[] = {numbered_call, numbered_wide_call, after_nop_call, after_clc_call};
    char *behinds[] = {numbered_behind, numbered_wide_behind, after_nop_behind, after_clc_behind};
    for (int i = 0; i < 4; i++) {
        at(starts[i], SYS_getpid);
        CHECK_EQ(now.gpr[RAX], pid);
        CHECK_EQ(now.gpr[RCX], behinds[i]);
        kept(CALL);
        at(calls[i], SYS_getppid);
        CHECK_EQ(now.gpr[RAX], parent);
        CHECK_EQ(now.gpr[RCX], behinds[i]);
        kept(CALL);
        at(behinds[i], SYS_getppid);
        kept(0);
    }
    at(after_cltd, SYS_getppid);
    CHECK_EQ(now.gpr[RAX], parent);
    at(after_cltd_call, SYS_getppid);
    CHECK_EQ(now.gpr[RAX], parent);
    at(after_xchg_call, SYS_getppid);
    CHECK_EQ(now.gpr[RAX], parent);
    kept(CALL);
    at(after_xchg_behind, SYS_getppid);
    kept(0);
    /* read of no descriptor, by its number or another */
    at(zeroed, SYS_getppid);
    CHECK_EQ(now.gpr[RAX], -EBADF);
    CHECK_EQ(now.gpr[RDX], 0);
    at(zeroed_call, SYS_getppid);
    CHECK_EQ(now.gpr[RAX], parent);
    CHECK_EQ(now.gpr[RDX], 0xffffffff);
    CHECK_EQ(now.gpr[RCX], zeroed_compare);
    at(zeroed_compare, 3);
    CHECK_EQ(now.gpr[RDX], 0xffffffff);
    kept(1 << RDX);
    at(zeroed_borrow, 3);
    CHECK_EQ(now.gpr[RDX], 0);
    kept(1 << RDX);
    at(zeroed_return, 3);
    kept(0);
    /* Each boundary leaves another permutation. */
    at(bare, SYS_getppid);
    CHECK_EQ(now.gpr[RBX], parent);
    CHECK_EQ(now.gpr[RSI], (uint32_t)before.gpr[RBX]);
    CHECK_EQ(now.gpr[RBP], (uint32_t)before.gpr[RSI]);
    CHECK_EQ(now.gpr[RAX], (uint32_t)before.gpr[RBP]);
    at(bare_call, SYS_getppid);
    CHECK_EQ(now.gpr[RBX], parent);
    at(bare_1, 77);
    CHECK_EQ(now.gpr[RBX], 77);
    CHECK_EQ(now.gpr[RAX], (uint32_t)before.gpr[RBP]);
    at(bare_2, 77);
    CHECK_EQ(now.gpr[RSI], 77);
    CHECK_EQ(now.gpr[RBX], before.gpr[RBX]);
    at(bare_3, 77);
    CHECK_EQ(now.gpr[RBP], 77);
    CHECK_EQ(now.gpr[RSI], before.gpr[RSI]);
    at(bare_4, 77);
    kept(0);
    at(looped, SYS_getppid);
    CHECK_EQ(now.gpr[RAX], parent);
    CHECK_EQ(now.gpr[RBX], 0);
    at(numbered_behind, 0);
    now.gpr[RBX] = 2;
    enter(&now, looped_next);
    CHECK_EQ(now.gpr[RAX], parent);
    at(skipped, 0);
    CHECK_EQ(now.gpr[RDX], 78);
    now.gpr[RDI] = 0;
    enter(&now, skipped);
    CHECK_EQ(now.gpr[RDX], (uint32_t)(2 * pid));
}

int main(void)
{
    pid = (uint64_t)getpid(), parent = (uint64_t)getppid();
    for (int i = 0; i < 300; i++)
        round_();
    for (int i = 0; i < MANY * 8; i++) {
        char *place = many_after_nop + 4 * (i * 7 % MANY);
        at(place + 1, SYS_getppid);
        CHECK_EQ(now.gpr[RAX], parent);
        CHECK_EQ(now.gpr[RCX], place + 3);
        kept(CALL);
        at(place, SYS_getppid);
        CHECK_EQ(now.gpr[RAX], parent);
        kept(CALL);
        at(place + 3, SYS_getppid);
        kept(0);
    }
    return done();
}
