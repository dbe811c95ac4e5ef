# What every POSIX shell can.
echo "argument $1"
trap 'echo trapped' TERM
kill -TERM $$
for i in 1 2 3; do
    echo $i
done | while read -r n; do
    echo "$((n * n))"
done
cat <<END
here $(echo document)
END
sh -c 'exit 9'
echo $?
set -- a "b c" d
for word; do echo "[$word]"; done
(cd / && pwd)
x=${unset-default}; echo "$x ${x#de} ${#x}"
true & wait $!; echo "waited $?"
exit 3
