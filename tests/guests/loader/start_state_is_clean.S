// build[static]: -nostdlib -static
// build[static_pie]: -nostdlib -static-pie
// At the entry point registers are zero, the stack is aligned, flags, MXCSR and the x87 control
// word have their initial values. The exit code names the first check that fails.
    .globl _start
    .text
_start:
    mov %rsp, saved_rsp(%rip)
    pushfq
    popq saved_flags(%rip)
    mov $1, %edi
    .irp reg, rax, rbx, rcx, rdx, rsi, rbp, r8, r9, r10, r11, r12, r13, r14, r15
    test %\reg, %\reg
    jnz fail
    .endr
    mov $2, %edi
    mov saved_rsp(%rip), %rax
    test $15, %al
    jnz fail
    mov $3, %edi
    cmpq $1, (%rax)             /* argc */
    jne fail
    cmpq $0, 8(%rax)            /* argv[0] */
    je fail
    cmpq $0, 16(%rax)           /* end of argv */
    jne fail
    mov $4, %edi
    mov saved_flags(%rip), %rax
    and $0xcd5, %eax            /* CF PF AF ZF SF DF OF */
    jnz fail
    mov $5, %edi
    stmxcsr scratch(%rip)
    cmpl $0x1f80, scratch(%rip)
    jne fail
    mov $6, %edi
    fnstcw scratch(%rip)
    cmpw $0x37f, scratch(%rip)
    jne fail
    mov $7, %edi
    .irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
    movq %xmm\n, %rax
    test %rax, %rax
    jnz fail
    .endr
    mov $158, %eax              /* arch_prctl(ARCH_GET_FS) */
    mov $0x1003, %edi
    lea scratch(%rip), %rsi
    movq $-1, scratch(%rip)
    syscall
    mov $8, %edi
    cmpq $0, scratch(%rip)
    jne fail
    mov $158, %eax              /* arch_prctl(ARCH_GET_GS) */
    mov $0x1004, %edi
    lea scratch(%rip), %rsi
    movq $-1, scratch(%rip)
    syscall
    mov $9, %edi
    cmpq $0, scratch(%rip)
    jne fail
    xor %edi, %edi
fail:
    mov $60, %eax
    syscall
    hlt
    .bss
    .balign 8
saved_rsp: .quad 0
saved_flags: .quad 0
scratch: .quad 0
    .section .note.GNU-stack, "", @progbits
