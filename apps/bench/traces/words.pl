# The program behind small.altrace.gz: counts words of a made-up text, groups them by length, sorts and joins them.
#
#     pnpm bench record -o apps/bench/traces/small.altrace.gz -- perl apps/bench/traces/words.pl
use strict;
use warnings;

my $state = 12345;
sub random { $state = ($state * 1103515245 + 12345) % 2147483648; return int($state / 65536) % $_[0]; }

my (%count, %places);
for my $line (1 .. 400) {
  my @words = map { join '', map { chr(97 + random(26)) } 1 .. 1 + random(3) } 1 .. 3 + random(12);
  for my $word (@words) {
    $count{$word} += 1;
    push @{ $places{$word} }, { line => $line, of => scalar @words };
  }
}

my %by_length;
push @{ $by_length{ length $_ } }, $_ for sort keys %count;
for my $round (1 .. 5) {
  for my $length (sort keys %by_length) {
    my @sorted = sort { $count{$b} <=> $count{$a} || $a cmp $b } @{ $by_length{$length} };
    my $text = join ', ', map { "$_ x $count{$_} first in line $places{$_}[0]{line}" } @sorted;
    print length($text), "\n";
  }
  delete $places{$_} for grep { $count{$_} == $round } keys %places;
  $places{$_} //= [ { line => 0, of => 0 } ] for keys %count;
}
