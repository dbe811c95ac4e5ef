// build[dynamic]: -nostartfiles -no-pie
// build[pie]: -nostartfiles -static-pie
// Branches and calls that a translator likes to get wrong. The exit code names the first that fails.
    .globl _start
    .text
    .macro expect number, register, value
    mov $\number, %edi
    cmp $\value, \register
    jne fail
    .endm
_start:
    // 1: call and pop, the return address is the program's own
    call 1f
1:  pop %rax
    lea 1b(%rip), %rbx
    sub %rbx, %rax
    expect 1, %rax, 0
    // 2: push and ret as a jump
    lea 2f(%rip), %rax
    push %rax
    ret
    ud2
2:  // 3: ret with an immediate
    push $11
    push $12
    call 3f
    jmp 4f
3:  ret $16
4:  mov %rsp, %rbx
    // 4: call through memory relative to the stack pointer
    lea 5f(%rip), %rax
    push %rax
    call *(%rsp)
    jmp 6f
5:  mov (%rsp), %rcx
    mov 8(%rsp), %rdx
    ret
6:  mov $4, %edi
    cmp %rax, %rdx
    jne fail
    pop %rax
    cmp %rsp, %rbx
    jne fail
    // 5: jump through memory relative to the stack pointer
    lea 7f(%rip), %rax
    mov %rax, -16(%rsp)
    jmp *-16(%rsp)
    ud2
7:  // 6: push of the stack pointer stores its old value
    mov %rsp, %rax
    push %rsp
    pop %rbx
    sub %rax, %rbx
    expect 6, %rbx, 0
    // 7: pop to memory relative to the stack pointer uses the new value
    push $0
    push $77
    pop (%rsp)
    pop %rax
    expect 7, %rax, 77
    // 8: pop of the stack pointer
    mov %rsp, %rax
    lea -64(%rsp), %rbx
    push %rbx
    pop %rsp
    mov %rsp, %rcx
    mov %rax, %rsp
    sub %rbx, %rcx
    expect 8, %rcx, 0
    // 9: jrcxz both ways, and ecx with an address size prefix
    xor %ecx, %ecx
    mov $9, %edi
    jrcxz 9f
    jmp fail
9:  mov $0x100000000, %rcx
    jrcxz 8f
    jmp 7f
8:  jmp fail
7:    jecxz 9f
    jmp fail
9:  // 10: loop, loope, loopne
    mov $5, %ecx
    xor %eax, %eax
10: inc %eax
    loop 10b
    expect 10, %eax, 5
    expect 10, %rcx, 0
    mov $10, %ecx
    xor %eax, %eax
11: inc %eax
    cmp $4, %eax
    loopne 11b
    expect 11, %eax, 4
    expect 11, %rcx, 6
    mov $10, %ecx
    xor %eax, %eax
12: inc %eax
    cmp %eax, %eax
    loope 12b
    expect 12, %eax, 10
    // loop does not touch flags
    mov $2, %ecx
    stc
13: loop 13b
    mov $13, %edi
    jnc fail
    // 14: jump into the middle of an instruction that was executed whole before
    xor %ebx, %ebx
14: .byte 0x48, 0xb8                    // mov $…, %rax hides: mov $14, %ebx; jmp +n
15: mov $14, %bl
    jmp 16f
    nop
    nop
    nop
    nop
    test %ebx, %ebx
    jnz fail
    jmp 15b
16: expect 14, %ebx, 14
    // 17: an indirect branch with notrack, and a call with redundant prefixes
    lea 17f(%rip), %rax
    .byte 0x3e
    jmp *%rax
    ud2
17: lea 18f(%rip), %rax
    .byte 0x2e, 0x48, 0xff, 0xd0        // cs rex.w call *%rax
    jmp 19f
18: .byte 0xf2
    ret                                 // bnd ret
19: .byte 0xf3
    jmp 20f                             // rep jmp
    ud2
20: // 21: rep ret
    call 21f
    jmp 22f
21: .byte 0xf3
    ret
22: // 22: branch hints
    xor %eax, %eax
    .byte 0x2e
    jnz fail_near
    .byte 0x3e
    jz 23f
    jmp fail
23: // 23: every condition both ways
    mov $23, %edi
    mov $200, %eax
24: push %rax
    popfq                               // arbitrary flags from the counter
    .macro condition cc, not
    j\cc 1f
    set\not %cl
    cmp $1, %cl
    jne fail
    jmp 2f
1:  set\cc %cl
    cmp $1, %cl
    jne fail
2:  push %rax
    popfq
    .endm
    condition o, no
    condition b, ae
    condition z, nz
    condition be, a
    condition s, ns
    condition p, np
    condition l, ge
    condition le, g
    add $0x11, %eax
    and $0x8d7, %eax
    or $0x202, %eax
    dec %r15d
    jz 25f
    cmp $-400, %r15d
    jg 24b
25: // 26: another stack
    mov %rsp, %rbx
    lea stack_end(%rip), %rsp
    call 26f
    mov %rbx, %rsp
    jmp 27f
26: push $5
    pop %rax
    ret
27: expect 26, %eax, 5
    // 28: xchg switches the stack with a return address on it
    lea stack_end-8(%rip), %rax
    lea 28f(%rip), %rcx
    mov %rcx, (%rax)
    mov %rsp, %rbx
    xchg %rax, %rsp
    ret
    ud2
28: mov %rbx, %rsp
    // 29: leave and enter
    mov $0x1234, %ebp
    enter $32, $0
    leave
    expect 29, %rbp, 0x1234
    // 30: far return and iretq stay in the same segment
    mov %cs, %eax
    push %rax
    lea 30f(%rip), %rcx
    push %rcx
    lretq
    ud2
30: mov %ss, %eax
    mov %rsp, %rbx
    push %rax
    push %rbx
    pushfq
    orq $1, (%rsp)
    mov %cs, %eax
    push %rax
    lea 31f(%rip), %rcx
    push %rcx
    iretq
    ud2
31: mov $31, %edi
    jnc fail
    cmp %rsp, %rbx
    jne fail
    // 32: a call whose target is computed from its own return address
    call 32f
32: addq $(33f - 32b), (%rsp)
    ret
    ud2
33: // 34: a function that returns to an address of its caller's choice
    lea 34f(%rip), %rax
    call 35f
    ud2
35: mov %rax, (%rsp)
    ret
34: // 36: a tail of instructions that look at the flags left by the one before the branch
    mov $-1, %eax
    add $1, %eax
    jmp 36f
36: mov $36, %edi
    jnz fail
    jnc fail
    // 37: 8-bit and 16-bit stack operations
    pushw $0x1234
    popw %ax
    expect 37, %ax, 0x1234
    push %fs
    pop %rax
    xor %edi, %edi
fail:
    mov $60, %eax
    syscall
fail_near:
    jmp fail
    .bss
    .space 4096
stack_end:
    .space 64
    .section .note.GNU-stack, "", @progbits
