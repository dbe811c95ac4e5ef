/* nothing.c without a libc: on a virtual machine the tens of `cpuid` in a libc's start may cost more than all the rest. */
void _start(void)
{
    __asm__ volatile("mov $231, %eax\n\tmov $7, %edi\n\tsyscall"); /* exit_group(7) */
}
