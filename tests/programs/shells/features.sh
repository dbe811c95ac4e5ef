#!/bin/bash
# Pipes, traps, here documents, substitutions, arrays, subshells, coprocesses.
set -u
echo "arguments: $# [${1-}] [${2-}]"
trap 'echo "exit trap, status $?"' EXIT
trap 'echo "USR1 arrived"' USR1
kill -USR1 $$
seq 1 1000 | grep 7 | sed 's/7/seven/g' | sort | head -n 5
cat <<END | tr a-z A-Z
here document with $((6 * 7)) and $(echo a substitution)
END
cat <<'END'
literal $HOME `no`
END
read -r first rest <<< "a here string"
echo "$first/$rest"
declare -A map=([x]=1 [y]=2)
for key in x y; do echo "$key=${map[$key]}"; done
list=(a b c d)
echo "${list[@]:1:2} ${#list[@]} ${list[@]/b/B}"
diff <(printf '1\n2\n') <(printf '1\n3\n')
echo "diff said $?"
(exit 5); echo "subshell exit $?"
{ echo out; echo err >&2; } 2>&1 | cat
false | true; echo "pipe ${PIPESTATUS[*]}"
bash -c 'kill -SEGV $$' 2>/dev/null; echo "segv is $?"
for i in 1 2 3; do (exit "$i") & pids[i]=$!; done
for i in 1 2 3; do wait "${pids[i]}"; echo "job $i: $?"; done
mkfifo ready
bash -c 'echo up > ready; exec sleep 100' & child=$!
read -r line < ready; echo "$line"
kill "$child"; wait "$child" 2>/dev/null; echo "killed job: $?"
f() { local depth=$1; [ "$depth" -eq 0 ] || f $((depth - 1)); echo -n "$depth "; }
f 20; echo
printf '%s\n' {a..e}{1..2} | tr '\n' ' '; echo
shopt -s extglob
case abcabc in +(abc)) echo extglob;; esac
[[ "key=value" =~ ^([a-z]+)=(.*)$ ]] && echo "${BASH_REMATCH[2]} of ${BASH_REMATCH[1]}"
exec 3<> file; echo "through fd 3" >&3; exec 3>&-; cat file
coproc tr a-z A-Z
echo "to the coprocess" >&"${COPROC[1]}"
to=${COPROC[1]} from=${COPROC[0]} pid=$COPROC_PID
exec {to}>&-
read -r answer <&"$from"
echo "$answer"
wait "$pid"; echo "coprocess ended: $?"
ulimit -n 64; ulimit -n
umask 027; touch masked; stat -c %a masked
exit 7
