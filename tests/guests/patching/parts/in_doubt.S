# A library of calls and data of which no table says where they lie: the scan cannot tell one from the other. Each page is
# one function, but for the second, whose last instruction reaches into the third.
        .text
        .p2align 12
        .globl plain_page
plain_page:
        lea     1(%rdi), %rax
        ret

        # What looks like a call is never executed.
        .p2align 12
        .globl data_page
data_page:
        lea     2(%rdi), %rax
        ret
        .byte   0x06, 0x06
        .byte   0xb8, 39, 0, 0, 0, 0x0f, 0x05
        .byte   0x06
        .fill   4096 - 3 - (. - data_page), 1, 0x90
        .globl across
across:
        # mov rax, imm64: its last bytes lie on the page that follows.
        movabs  $0x1122334455667788, %rax
        ret

        # A call after what is no code; its data is on the same page.
        .byte   0x06, 0x06
        .globl call_in_doubt
call_in_doubt:
        mov     $39, %eax
        syscall
        ret
        .byte   0x06
        # A second one, which is executed later.
        .globl second_in_doubt
second_in_doubt:
        mov     $110, %eax
        syscall
        ret
        .byte   0x06, 0x06

        # The number is loaded elsewhere, and a jump leads to the call.
        .p2align 12
        .byte   0x06, 0x06
        .globl reached_by_a_jump
reached_by_a_jump:
        mov     $39, %eax
        jmp     1f
        .byte   0x06, 0xb8, 39, 0, 0
        .byte   0
1:      syscall
        ret
        .byte   0x06, 0x06
        .p2align 12
        .globl after_all
after_all:
        lea     3(%rdi), %rax
        ret
        .p2align 12
        .section .note.GNU-stack,"",@progbits
