// build[goto]: -O2 -fno-gcse
// build[switch]: -O2 -DUSE_SWITCH
// A byte code interpreter by computed goto and by jump table runs three programs of different sizes.
#include "check.h"

enum { ADD, SUB, XOR, SHIFT, LOAD, STORE, LOOP, HALT };

static uint64_t run(const unsigned char *program, int rounds)
{
    uint64_t a = 1, memory[16] = {0};
    const unsigned char *at = program;
#ifdef USE_SWITCH
    for (;;)
        switch (*at++ & 7) {
        case ADD: a += (uint64_t)(at - program); break;
        case SUB: a -= 3; break;
        case XOR: a ^= memory[a & 15]; break;
        case SHIFT: a = a << 3 | a >> 61; break;
        case LOAD: a += memory[*at++ & 15]; break;
        case STORE: memory[*at++ & 15] = a; break;
        case LOOP: if (--rounds > 0) at = program; break;
        case HALT: return a;
        }
#else
    static const void *table[] = {&&add, &&sub, &&xor, &&shift, &&load, &&store, &&loop, &&halt};
#define NEXT goto *table[*at++ & 7]
    NEXT;
add: a += (uint64_t)(at - program); NEXT;
sub: a -= 3; NEXT;
xor: a ^= memory[a & 15]; NEXT;
shift: a = a << 3 | a >> 61; NEXT;
load: a += memory[*at++ & 15]; NEXT;
store: memory[*at++ & 15] = a; NEXT;
loop: if (--rounds > 0) at = program; NEXT;
halt: return a;
#endif
}

int main(void)
{
    static unsigned char program[100002];
    static const int sizes[] = {48, 500, 100000};
    uint64_t seed = 99;
    for (int i = 0; i < 3; i++) {
        for (int j = 0; j < sizes[i]; j++)
            program[j] = (unsigned char)(next_random(&seed) % 6);
        program[sizes[i] - 1] = SUB; /* no operand reaches over the end */
        program[sizes[i]] = LOOP;
        program[sizes[i] + 1] = HALT;
        printf("%lx\n", run(program, 3000000 / sizes[i]));
    }
    return done();
}
