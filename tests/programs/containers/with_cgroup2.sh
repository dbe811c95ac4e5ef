# Runs a command where only version 2 of the control groups is mounted: crun refuses a mixture.
umount -R /sys/fs/cgroup 2>/dev/null
mount -t tmpfs none /sys/fs/cgroup 2>/dev/null || mount -t tmpfs none /sys/fs
mkdir -p /sys/fs/cgroup
mount -t cgroup2 none /sys/fs/cgroup
exec "$@"
