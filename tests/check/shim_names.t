#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-or-later
# Every public function of this libc that belongs to a mechanism the shim knows is one that the shim stands
# before, under each of its names (__, _chk, 64, _unlocked …), or is listed here with the reason why not. A
# later libc with one more fails this test until somebody has looked at it.
use strict;
use warnings;

my $shim = "$ENV{O}/libipctap-shim.so";
-e $shim or do { print "1..0 # SKIP the shim was not built\n"; exit };
my ($libc) = map { m{(/\S*/libc\.so\.6)} ? $1 : () } `ldd $shim`;
$libc or do { print "1..0 # SKIP ldd does not name libc\n"; exit };

sub functions {
	my ($file, $public) = @_;
	my %names;
	for (`nm -D --defined-only $file`) {
		my ($type, $name) = /^\S+ (\S) (\S+)$/ or next;
		next unless $type =~ /[TWi]/;
		# GLIBC_PRIVATE is nobody's to call; a single @ is for programs linked long ago
		next if $public && ($name !~ /@@/ || $name =~ /GLIBC_PRIVATE/);
		$name =~ s/@.*//;
		$names{$name} = 1;
	}
	return %names;
}

# What belongs to a mechanism, by the name without its prefixes and suffixes.
my $mechanisms = qr{^(?:
	(?:p?(?:read|write)v?2?) | preadv2? | pwritev2? | (?:vm)?splice | tee | sendfile | copy_file_range
	| pipe2? | socket(?:pair)? | bind | listen | accept4? | connect | shutdown
	| (?:send|recv)(?:to|from|msg|mmsg)? | (?:get|put)p?msg | isfdtype
	| open(?:at)? | creat | dup[23]? | fcntl | close(?:_range|from)? | mkfifo(?:at)? | mknod(?:at)? | xmknod(?:at)?
	| mmap | munmap | mremap | shm.* | mem.*fd.* | memfd_create | process_vm_.* | process_mrelease | process_madvise
	| msg(?:get|snd|rcv|ctl) | sem(?:get|op|timedop|ctl) | sem_.* | mq_.*
	| p?poll | p?select | epoll_.* | eventfd(?:_read|_write)? | signalfd | timerfd_.* | inotify_.* | pidfd_.*
	| kill(?:pg)? | tgkill | raise | sigqueue | pthread_(?:kill|sigqueue) | sig(?:pause|suspend|wait|waitinfo|timedwait)
	| gsignal | pause | wait[34]? | waitpid | waitid | v?fork | clone[23]? | daemon | forkpty | openpty | login_tty
	| (?:f?exec[vl][pe]*|execveat|fexecve) | posix_spawnp? | system | p(?:open|close) | rexec.* | wordexp
	| flock | lockf | syscall | (?:sig|_)?longjmp(?:_chk)? | _?exit | _Exit | quick_exit
	| pthread_(?:mutex|rwlock|cond|barrier|spin)_.* | pthread_.*join.* | pthread_(?:create|exit|cancel|setname) | pthread_once
	| (?:mtx|cnd)_.* | thrd_.* | call_once
	| f?(?:put|get)(?:w?c|w?s|line|delim|w|char|wchar) | (?:put|get)(?:w?c|wchar|char) | ungetw?c
	| f(?:read|write|flush|open|dopen|close|reopen|closeall) | fre?open | overflow | underflow | uflow
	| v?[fd]?w?(?:printf|scanf) | isoc\d+_v?f?w?scanf | perror | psiginfo | psignal
	| opendir | closedir | fdopendir | dl(?:m?open|close) | prctl | aio_.* | lio_listio | lockf
)$}x;

my %not = (
	# families: what only prepares, asks or destroys
	(map { $_ => 'prepares or destroys an object that is told of when it is used' } qw(
		pthread_mutex_init pthread_mutex_destroy pthread_rwlock_init pthread_rwlock_destroy pthread_cond_destroy
		pthread_barrier_destroy pthread_spin_init pthread_spin_destroy sem_destroy mtx_init mtx_destroy cnd_init
		cnd_destroy pthread_mutex_consistent pthread_mutex_consistent_np pthread_mutex_getprioceiling
		pthread_mutex_setprioceiling sem_getvalue epoll_create epoll_create1 epoll_ctl
		timerfd_create timerfd_settime timerfd_gettime inotify_init inotify_init1 inotify_add_watch inotify_rm_watch
		pidfd_open)),
	(map { $_ => 'a name goes, which no operation is told of' } qw(sem_unlink shm_unlink)),
	(map { $_ => 'no wait, and of no other process' } qw(
		pthread_create pthread_exit pthread_cancel pthread_once call_once thrd_create thrd_current thrd_detach thrd_equal
		thrd_exit thrd_sleep thrd_yield ungetc ungetwc fdopen fdopendir isfdtype process_madvise process_mrelease)),
	(map { $_ => 'on Linux it only says ENOSYS' } qw(getmsg putmsg getpmsg putpmsg)),
	(map { $_ => 'libc does it in threads of its own, by calls inside itself' } qw(
		aio_cancel aio_error aio_fsync aio_init aio_read aio_return aio_suspend aio_write lio_listio)),
	(map { $_ => 'text about errors: libc writes it inside itself' } qw(perror psignal psiginfo)),
	(map { $_ => 'made of calls that are stood before, or that the child is told by: its ring is made anew' } qw(
		forkpty openpty login_tty daemon clone gsignal sigpause rexec rexec_af wordexp
		fcloseall exit dlopen dlmopen dlclose)),
	(map { $_ => 'only what was built as C89 or C++98 calls them, where %a has another meaning' } qw(
		scanf fscanf vscanf vfscanf wscanf fwscanf vwscanf vfwscanf)),
	_IO_getline => 'a part of fgets, by which nobody calls it',
	copy_file_range => 'between files, which are no channels',
);

my %ours = functions($shim, 0);
my %theirs = functions($libc, 1);
my (@missing, %used);
for my $name (sort keys %theirs) {
	(my $base = $name) =~ s/^_{1,2}(?:libc_|IO_)?//;
	1 while $base =~ s/_(?:chk|unlocked|np|time64|2)$// || ($base !~ /^(?:isoc|wait)/ && $base =~ s/64$//);
	next unless $name =~ $mechanisms || $base =~ $mechanisms;
	next if $ours{$name};
	my ($why) = grep { $not{$_} } $name, $base;
	if ($why) { $used{$why} = 1 } else { push @missing, $name }
}
print @missing ? 'not ok' : 'ok', " 1 - the shim stands before every such function of libc\n";
print "#   of libc, and neither wrapped nor listed with a reason: @missing\n" if @missing;
my @stale = grep { $ours{$_} } sort keys %not;
print @stale ? 'not ok' : 'ok', " 2 - what is listed as not wrapped is not\n";
print "#   wrapped, so to be taken off the list: @stale\n" if @stale;
my $n = grep { $ours{$_} } keys %theirs;
print $n > 200 ? 'ok' : 'not ok', " 3 - $n functions of libc are wrapped\n";
print "1..3\n";
