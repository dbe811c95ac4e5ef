#!/bin/bash
# Makes the input files of the compute workloads in the current folder:
# big and small (binary), lines and text (fixed seeds).
# usage: make-inputs.sh BIG_BYTES SMALL_BYTES LINES TEXT_LINES
set -eu
export LC_ALL=C
find /usr/lib/x86_64-linux-gnu /usr/bin -xdev -type f -size +20k 2>/dev/null | sort |
    tar cf - --no-recursion -T - 2>/dev/null | head -c "$1" >big || true
[ "$(stat -c %s big)" = "$1" ] || { echo "too few files under /usr to make $1 bytes of input" >&2; exit 1; }
head -c "$2" big >small
awk -v count="$3" 'BEGIN {
    srand(7)
    for (i = 0; i < count; i++) {
        n = int(rand() * 8) + 3; s = ""
        for (k = 0; k < n; k++) s = s sprintf("%c", 97 + int(rand() * 26))
        print s, int(rand() * 1e7)
    }
}' >lines
awk -v count="$4" 'BEGIN {
    srand(9)
    for (i = 0; i < count; i++) {
        s = ""; w = int(rand() * 8) + 3
        for (j = 0; j < w; j++) {
            n = int(rand() * 9) + 2
            for (k = 0; k < n; k++) s = s sprintf("%c", 97 + int(rand() * 26))
            s = s " "
        }
        print s int(rand() * 1e6)
    }
}' >text
