# SPDX-License-Identifier: MIT
# Strings, hashes of lists, regular expressions, objects that go out of scope: perl gives each its malloc.
use strict;
use warnings;

my $state = 20;
sub any { $state = ($state * 16807) % 2147483647; return $state % $_[0]; }

# A text of made-up words, some much more frequent than others.
sub text {
	my ($count) = @_;
	return join(" ", map { sprintf("word%x", int(any(2000) * any(1000) / 400)) } 1 .. $count);
}

my (%places, $lines);
for my $document (1 .. 60) {
	my $text = text(4000);
	my $at = 0;
	push @{ $places{$_}{$document} }, $at++ for split / /, $text;
	$text =~ s/word([0-9a-f])([0-9a-f]*)/"<$1>" . uc($2)/ge;
	$lines += () = $text =~ /<[0-7]>\S*/g;
}

my @common = sort { keys %{ $places{$b} } <=> keys %{ $places{$a} } || $a cmp $b } keys %places;
my $sum = 0;
for my $word (@common[0 .. 2000]) {
	$sum += scalar(map { @$_ } values %{ $places{$word} });
	delete $places{$word} if any(3) == 0;
}

# A linked list of small objects, of which one in four is dropped, and built anew.
my @heads;
for my $i (1 .. 150000) {
	my $slot = any(5000);
	$heads[$slot] = { number => $i, text => "x" x any(80), next => $heads[$slot] };
	$heads[$slot] = undef if any(40) == 0;
}
my $nodes = 0;
for my $head (@heads) {
	for (my $node = $head; $node; $node = $node->{next}) { $nodes++ }
}
print scalar(keys %places), " $lines $sum $nodes\n";
