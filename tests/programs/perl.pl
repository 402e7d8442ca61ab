# SPDX-License-Identifier: MIT
# Allocation-heavy perl with an output that depends on nothing but the heap
# keeping its contents. Driven by perl.sh.
use strict;
use warnings;
use Config;

$| = 1;
my $seed = 12345;

sub next_random
{
	my ($limit) = @_;
	$seed = ($seed * 1103515245 + 12345) & 0x7fffffff;
	return ($seed >> 8) % $limit;
}

# A checksum that perl computes itself: every byte goes through scalars.
sub digest
{
	my ($text) = @_;
	return unpack('%32C*', $text) . '/' . length $text;
}

sub hashes
{
	my ($rounds) = @_;
	my %table;
	for my $i (1 .. $rounds) {
		my $key = 'key' . next_random(20000);
		if (next_random(3) == 0) {
			delete $table{$key};
		} else {
			push @{ $table{$key} }, 'x' x next_random(200);
		}
	}
	my $text = '';
	for my $key (sort keys %table) {
		$text .= "$key=" . join(',', map { length } @{ $table{$key} }) . "\n";
	}
	return digest($text);
}

sub strings
{
	my $text = '';
	$text .= chr(97 + $_ % 26) x (1 + $_ % 50) for 1 .. 20000;
	(my $upper = $text) =~ s/([aeiou])+/uc($1) . '-'/ge;
	my @words = split /-/, $upper;
	my %count;
	$count{ length $_ }++ for @words;
	my @sorted = sort { $count{$a} <=> $count{$b} || $a <=> $b } keys %count;
	return digest(join ' ', map { sprintf '%d:%d', $_, $count{$_} } @sorted)
		. ' ' . digest($upper);
}

# A tree of closures and objects, built and torn down several times.
sub tree
{
	my ($depth) = @_;
	return undef if $depth == 0;
	my $value = next_random(1000);
	return {
		left  => tree($depth - 1),
		right => tree($depth - 1),
		get   => sub { return $value },
	};
}

sub tree_sum
{
	my ($node) = @_;
	return 0 unless $node;
	return $node->{get}->() + tree_sum($node->{left}) + tree_sum($node->{right});
}

print 'hashes ', hashes(150000), "\n";
print 'strings ', strings(), "\n";
print "tree ", tree_sum(tree(13)), "\n" for 1 .. 3;

# The large end: strings that grow to tens of megabytes and shrink.
my $big = 'abcdefghij' x 1000;
$big .= $big for 1 .. 11;
print 'big ', digest($big), "\n";
substr($big, 1000) = '';
print 'shrunk ', digest($big), "\n";

if ($Config{useithreads}) {
	require threads;
	my @threads = map {
		my $n = $_;
		threads->create(sub { $seed = $n; return hashes(20000) . strings() });
	} 1 .. 4;
	print 'thread ', $_->join, "\n" for @threads;
}

for my $n (1 .. 8) {
	pipe(my $from, my $to) or die "pipe: $!";
	my $pid = fork // die "fork: $!";
	if ($pid == 0) {
		close $from;
		$seed = $n;
		print $to hashes(5000);
		close $to;
		exit $n;
	}
	close $to;
	my $answer = <$from>;
	waitpid $pid, 0;
	print "child $n $answer status ", $? >> 8, "\n";
}
print STDERR "perl is done\n";
