# Monitor mode without a terminal: stop, background, continue, list.
set -m
while :; do :; done &
job=$!
kill -STOP %1
while [ "$(ps -o stat= -p $job | cut -c1)" != T ]; do :; done
jobs
kill -CONT %1
while [ "$(ps -o stat= -p $job | cut -c1)" != R ]; do :; done
jobs
kill -TERM %1
wait %1
echo "status $?"
cat < /dev/null | { wait; echo pipeline; } &
wait
echo end
