/* A library whose code must not run in place, page by page: it holds another way into the kernel, which nobody goes. */
#define FUNCTION(name, body)                                                                       \
    __asm__(".text\n.p2align 12\n.globl " #name "\n.type " #name ", @function\n" #name ":\n.cfi_startproc\n" body \
            "\n.cfi_endproc\n.size " #name ", . - " #name "\n");
FUNCTION(page_one, "mov $39, %eax\nsyscall\nret")
FUNCTION(page_two, "mov $110, %eax\nsyscall\nret")
FUNCTION(page_three, "int $0x80\nret\njmp 1f\n1: ret")
FUNCTION(page_four, "mov $39, %eax\njmp 1f\n1: syscall\nret")
FUNCTION(page_five, "ret")
FUNCTION(page_six, "ret")
