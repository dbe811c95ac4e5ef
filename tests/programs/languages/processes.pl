use strict; use warnings; $| = 1;
my @kids; pipe(my $r, my $w);
for my $i (1 .. 5) { my $pid = fork; if (!$pid) { close $r; syswrite $w, "child $i\n"; exit $i } push @kids, $pid }
close $w; my @lines = sort <$r>; print @lines;
for (@kids) { waitpid $_, 0; print $? >> 8, "\n" }
my $got = 0; $SIG{USR1} = sub { $got++ }; kill USR1 => $$ for 1 .. 10; print "$got\n";
my $pid = fork; if (!$pid) { kill KILL => $$; } waitpid $pid, 0; print "signal ", $? & 127, "\n";
exec 'echo', 'exec', 'ed';
