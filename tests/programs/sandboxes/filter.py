# Writes a filter for bwrap: calls of administration fail, memory that is writable and executable is refused.
import struct
import sys

ALLOW, REFUSE = 0x7FFF0000, 0x00050001
LOAD, EQUAL, ANY_BIT, END = 0x20, 0x15, 0x45, 0x06
MMAP, MPROTECT = 9, 10
REFUSED = [165, 166, 167, 169, 175, 246, 250, 298, 321]
WRITE, EXECUTE = 2, 4


def instruction(code, operand, if_so=0, if_not=0):
    sys.stdout.buffer.write(struct.pack("=HBBI", code, if_so, if_not, operand))


instruction(LOAD, 0)
for number in REFUSED:
    instruction(EQUAL, number, 0, 1)
    instruction(END, REFUSE)
for number in (MMAP, MPROTECT):
    instruction(EQUAL, number, 0, 5)
    # The third argument is the protection.
    instruction(LOAD, 16 + 2 * 8)
    instruction(ANY_BIT, WRITE, 0, 2)
    instruction(ANY_BIT, EXECUTE, 0, 1)
    instruction(END, REFUSE)
    instruction(END, ALLOW)
instruction(END, ALLOW)
