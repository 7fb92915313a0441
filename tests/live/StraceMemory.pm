# SPDX-License-Identifier: GPL-2.0-or-later
#
# For strace_compare: what processes have mapped shared, followed through strace's lines in order of
# time, so that of every munmap, mremap and futex it is known whether it concerns memory that others may
# have; and the rows that ipctap should have for calls on memory.
#
# A row may be marked maybe: ipctap tells it or not, as strace_compare says at its top.
package StraceMemory;

use strict;
use warnings;
no warnings qw(portable); # addresses have 64 bits
use POSIX ();

my $FD = $main::FD;
my $SHARED_FILE = qr{^(?:/dev/shm/|/memfd:)}; # ipctap tells of it however it was opened

# What each thread's process has mapped shared: by tid, a list of ranges [start, end, offset in the
# file, sure], which threads of one process share. Not sure: ipctap may know it or not.
my %space;
sub space { return $space{$_[0]} //= { ranges => [], unsure => 0 } }

# A process of its own begins with a copy. Of one that lives in its parent's memory ipctap keeps a copy
# as well, and so does this; but from then on neither may know what the other has done there.
sub born {
	my ($parent, $child, $op, $args) = @_;
	my $of = space($parent);
	if ($args =~ /CLONE_THREAD/) {
		$space{$child} = $of;
		return;
	}
	$space{$child} = { ranges => [map { [@$_] } @{ $of->{ranges} }], unsure => $of->{unsure} };
	$_->{unsure} = 1 for $op eq 'vfork' || $args =~ /CLONE_VM/ ? $space{$child} : ();
	$of->{unsure} = 1 if $args =~ /CLONE_VM/ && $args !~ /CLONE_VFORK/;
}

sub executed { $space{$_[0]} = { ranges => [], unsure => 0 } }

# How large a segment is, and what else is mapped there, its id does not say.
sub attached {
	my ($tid, $op, $args, $ret) = @_;
	push @{ space($tid)->{ranges} }, [$ret, $ret + 4096, 0, 0] if $op eq 'shmat' && is_address($ret);
}

# The range in which an address lies.
sub range_at {
	my ($tid, $at) = @_;
	return (grep { $_->[0] <= $at && $at < $_->[1] } @{ space($tid)->{ranges} })[0];
}

# Takes what lies in [start, end) out of the process's ranges, and returns it.
sub take {
	my ($tid, $start, $end) = @_;
	my (@left, @taken);
	for (@{ space($tid)->{ranges} }) {
		my ($s, $e, $at, $sure) = @$_;
		my ($from, $to) = ($s > $start ? $s : $start, $e < $end ? $e : $end);
		if ($from >= $to) {
			push @left, $_;
			next;
		}
		push @taken, [$from, $to, $at + $from - $s, $sure];
		push @left, [$s, $from, $at, $sure] if $s < $from;
		push @left, [$to, $e, $at + $to - $s, $sure] if $to < $e;
	}
	space($tid)->{ranges} = \@left;
	return @taken;
}

sub pages { return ($_[0] + 4095) & ~4095 }
sub is_address { return $_[0] ne '?' && ($_[0] >= 0 || $_[0] < -4095) }

sub maybe {
	my ($is, @rows) = @_;
	$_->{maybe} = 1 for $is ? @rows : ();
	return @rows;
}

# Rows of what changed ranges: they must be there when a sure one did.
sub rows_changed {
	my ($tid, $row, @taken) = @_;
	return () unless @taken;
	return maybe(space($tid)->{unsure} || !grep({ $_->[3] } @taken), $row);
}

sub rows_mmap {
	my ($tid, $args, $ret) = @_;
	my ($len, $prot, $flags, $rest) = $args =~ /^(?:NULL|0x[0-9a-f]+), (\d+), ([^,]+), ([^,]+), (.*)/ or return ();
	take($tid, $ret, $ret + pages($len)) if $flags =~ /MAP_FIXED\b/;
	return () unless $flags =~ /MAP_SHARED/;
	my ($fd, $note) = $rest =~ /^$FD/;
	($fd, $note) = (-1, undef) if $flags =~ /MAP_ANON/;
	my ($offset) = $rest =~ /(\d+|0x[0-9a-f]+)$/;
	# of a file that is opened for writing, or in memory; devices, rings and the like are none of ours
	return () if defined $note && ($note !~ m{^/} || ($note =~ m{^/(?:dev|SYSV)} && $note !~ $SHARED_FILE));
	my $sure = !defined $note || $note =~ $SHARED_FILE || $prot =~ /PROT_WRITE/;
	push @{ space($tid)->{ranges} }, [$ret, $ret + pages($len), defined $note ? oct_or_hex($offset) : 0, $sure];
	return maybe(!$sure, main::row('mmap', 'map', $fd, $ret, 0, $len));
}

sub oct_or_hex { return $_[0] =~ /^0x/ ? hex $_[0] : $_[0] }

sub rows_mremap {
	my ($tid, $args, $ret) = @_;
	my ($old, $old_len, $len, $flags) = $args =~ /^(0x[0-9a-f]+), (\d+), (\d+)(?:, ([^,]+))?/ or return ();
	my $from = hex $old;
	take($tid, $ret, $ret + pages($len)) if ($flags // '') =~ /MREMAP_FIXED/;
	my @taken;
	if ($old_len == 0) { # a second mapping of the same
		@taken = map { [@$_] } range_at($tid, $from) // ();
	} else {
		@taken = take($tid, $from, $from + pages($old_len));
		push @{ space($tid)->{ranges} }, map { [@$_] } @taken if ($flags // '') =~ /DONTUNMAP/;
	}
	my $row = main::row('mremap', undef, -1, $ret, 0, $len);
	push @{ space($tid)->{ranges} }, [$ret, $ret + pages($len), $taken[0][2] + ($old_len ? 0 : $from - $taken[0][0]),
		$taken[0][3]] if @taken;
	return rows_changed($tid, $row, @taken);
}

my %FUTEX = do { my $n = 0; map { $_ => $n++ } qw(WAIT WAKE FD REQUEUE CMP_REQUEUE WAKE_OP LOCK_PI UNLOCK_PI
	TRYLOCK_PI WAIT_BITSET WAKE_BITSET WAIT_REQUEUE_PI CMP_REQUEUE_PI LOCK_PI2) };

# Where in its channel's memory the futex at an address lies: "+0x…" of its identity; whether it must be told.
sub futex_place {
	my ($tid, $at) = @_;
	my $range = range_at($tid, $at) // return (sprintf('+0x%x', $at), 0);
	return (undef, 0) if !$range->[3] || space($tid)->{unsure};
	return (sprintf('+0x%x', $range->[2] + $at - $range->[0]), 1);
}

sub rows_futex {
	my ($tid, $args, $ret) = @_;
	my ($at, $cmd, $flags, $rest) =
		$args =~ /^(NULL|0x[0-9a-f]+), FUTEX_(\w+)(\|FUTEX_CLOCK_REALTIME)?(.*)/ or return ();
	my $private = $cmd =~ s/_PRIVATE$//;
	my $waits = $cmd =~ /^(?:WAIT|WAIT_BITSET|WAIT_REQUEUE_PI|LOCK_PI2?)$/;
	return () if $private && !$waits;
	my $word = ($FUTEX{$cmd} // return ()) + ($private ? 128 : 0) + ($flags ? 256 : 0);
	my $addr = $at eq 'NULL' ? 0 : hex $at;
	my ($where, $must) = $private ? (sprintf('+0x%x', $addr), 0) : futex_place($tid, $addr);
	my $kind = $private || $must ? 'futex' : undef; # where nothing is mapped, none
	my @rows = maybe(!$must, main::row('futex', $kind, -1, $ret, 0, $word, 0, $where));
	# a second futex, to which waiters go or at which they are woken, has a row of its own
	if ($cmd =~ /REQUEUE|WAKE_OP/ && $cmd !~ /^WAIT/ && $rest =~ /^(?:, [^,]+){2}, (0x[0-9a-f]+)/) {
		my ($second, $sure) = futex_place($tid, hex $1);
		push @rows, maybe(!$must || !$sure, main::row('futex', $kind, -1, $ret, 0, $word, 1, $second));
	}
	return @rows;
}

# Any one of several words: the row names the one that ended it, or, where none did, the set of them.
sub rows_futex_waitv {
	my ($tid, $args, $ret) = @_;
	my @words = $args =~ /uaddr=(0x[0-9a-f]+), flags=([^,}]+)/g or return ();
	my $n = $ret ne '?' && $ret >= 0 && $ret < @words / 2 ? $ret : @words > 2 ? -1 : 0;
	return maybe($words[1] =~ /PRIVATE/, main::row('futex_waitv', 'set', -1, $ret, 0)) if $n < 0;
	my ($addr, $private) = (hex $words[2 * $n], $words[2 * $n + 1] =~ /PRIVATE/);
	my ($where, $must) = $private ? (sprintf('+0x%x', $addr), 0) : futex_place($tid, $addr);
	return maybe(!$must, main::row('futex_waitv', $private || $must ? 'futex' : undef, -1, $ret, 0, undef, 0, $where));
}

# The rows of a call on memory; what the process has mapped changes with it.
sub rows {
	my ($tid, $op, $args, $ret, $note) = @_;
	return rows_futex($tid, $args, $ret) if $op eq 'futex';
	return rows_futex_waitv($tid, $args, $ret) if $op eq 'futex_waitv';
	if ($op =~ /^process_vm/) {
		my ($pid) = $args =~ /^(\d+)/;
		my $bytes = $ret ne '?' && $ret > 0 ? $ret : 0;
		return maybe($ret eq '?' || $ret == -POSIX::ESRCH(), main::row($op, 'mem', -1, $ret, $bytes, $pid));
	}
	return maybe(1, main::row($op, undef, $args =~ /^(\d+)/ ? $1 : undef, $ret, 0)) if $op eq 'io_uring_enter';
	return () unless is_address($ret);
	return rows_mmap($tid, $args, $ret) if $op eq 'mmap';
	return rows_mremap($tid, $args, $ret) if $op eq 'mremap';
	if ($op eq 'munmap') {
		my ($at, $len) = $args =~ /^(0x[0-9a-f]+), (\d+)/ or return ();
		my @taken = take($tid, hex $at, hex($at) + pages($len));
		return rows_changed($tid, main::row('munmap', undef, -1, $ret, 0, $len), @taken);
	}
	return main::row($op, 'map', $ret, $ret, 0) if $op eq 'memfd_create';
	my $kind = main::kind_of($note // '') // (($note // '') =~ $SHARED_FILE ? 'map' : return ()); # pidfd_getfd
	return main::row($op, $kind, $ret, $ret, 0);
}

1;
