<?php
require 'included.php';

echo hello('include'), "\n";
$table = [];
for ($i = 0; $i < 100000; $i++) {
    $table[$i % 1000] = md5((string)$i);
}
echo count($table), ' ', md5(implode($table)), "\n";
echo shell_exec('echo a child');
$process = proc_open(['cat'], [['pipe', 'r'], ['pipe', 'w']], $pipes);
fwrite($pipes[0], str_repeat('through cat ', 10000));
fclose($pipes[0]);
echo strlen(stream_get_contents($pipes[1])), ' bytes, status ', proc_close($process), "\n";
try {
    intdiv(1, 0);
} catch (DivisionByZeroError $error) {
    echo get_class($error), "\n";
}
[$left, $right] = stream_socket_pair(STREAM_PF_UNIX, STREAM_SOCK_STREAM, 0);
fwrite($left, "over a socket\n");
echo fgets($right);
file_put_contents('written', serialize($table));
echo md5_file('written'), ' ', preg_replace('/(\w+) (\w+)/', '$2 $1', 'first second'), "\n";
exit(7);
