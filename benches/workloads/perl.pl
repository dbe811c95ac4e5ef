my ($steps,$words,$depth)=@ARGV;
my %h; my $t=0; for my $i (1..$steps){ $h{$i%5003}+=$i; $t+=($i*7)%13; } my $s=join(",",map{$_*3}(1..$words)); my $c=0; $c++ while $s=~/(\d+)7,/g; sub f{my $n=shift;return $n<2?$n:f($n-1)+f($n-2)} print f($depth)," $t $c\n";
