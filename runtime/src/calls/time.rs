//! Clocks and timers.

macro_rules! time_rows {
    ($then:ident [$($before:tt)*] $next:ident $($rest:ident)*) => {
        $next! { $then [$($before)*
            //: time gettimeofday clock_gettime clock_getres: At `exact` the vDSO is asked, which tells what the kernel
            //:     tells; of other clocks than the system's seven (CPU time, alarms, devices) the call is passed on.
            //:     test: syscalls/vdso_functions_agree_with_calls.pie emulation/clocks_run_forward_in_every_order
            //:         emulation/clocks_survive_what_befalls_the_vdso
            __NR_time: [exact, clock(Clock::Time), blind] (Out(Time)) -> Time;
            //: times: The kernel counts the processor time of the process and of its children.
            __NR_times: [blind] (Out(Tms)) -> Int;
            __NR_gettimeofday: [exact, clock(Clock::Gettimeofday), blind] (Out(Timeval), Out(Timezone)) -> Int;
            //: settimeofday clock_settime clock_adjtime adjtimex: Sets the clocks of the system, or asks how they are
            //:     kept.
            __NR_settimeofday: (In(Timeval), In(Timezone)) -> Int;
            __NR_clock_gettime: [exact, clock(Clock::Gettime), blind] (Flags(Set::Clock), Out(Timespec)) -> Int;
            __NR_clock_settime: (Flags(Set::Clock), In(Timespec)) -> Int;
            __NR_clock_getres: [exact, clock(Clock::Getres), blind] (Flags(Set::Clock), Out(Timespec)) -> Int;
            //: nanosleep clock_nanosleep: The kernel sleeps, and a signal ends it.
            //:     test: syscalls/interrupted_calls_restart_by_flag
            __NR_clock_nanosleep: [blind]
                (Flags(Set::Clock), Flags(Set::TimerFlags), In(Timespec), OutRemaining) -> Int;
            __NR_clock_adjtime: (Flags(Set::Clock), Out(Timex)) -> Int;
            __NR_adjtimex: (Out(Timex)) -> Int;
            __NR_nanosleep: [blind] (In(Timespec), OutRemaining) -> Int;
            //: alarm getitimer setitimer timer_create timer_settime timer_gettime timer_getoverrun timer_delete: Timers
            //:     run in the kernel and send signals.
            //:     test: signals/timers_carry_their_value emulation/bursts_disturb_no_call
            __NR_alarm: (Uint) -> Int;
            __NR_getitimer: [blind] (Flags(Set::Itimer), Out(Itimerval)) -> Int;
            __NR_setitimer: [blind] (Flags(Set::Itimer), In(Itimerval), Out(Itimerval)) -> Int;
            __NR_timer_create: {Timer} (Flags(Set::Clock), In(Sigevent), Out(I32)) -> Int;
            __NR_timer_settime: {Timer} (Int, Flags(Set::TimerFlags), In(Itimerspec), Out(Itimerspec)) -> Int;
            __NR_timer_gettime: {Timer} (Int, Out(Itimerspec)) -> Int;
            __NR_timer_getoverrun: {Timer} (Int) -> Int;
            __NR_timer_delete: {Timer} (Int) -> Int;
            //: timerfd_create timerfd_settime timerfd_gettime: Timers run in the kernel and make a descriptor readable.
            //:     test: signals/timers_carry_their_value
            __NR_timerfd_create: [makes] (Flags(Set::Clock), Flags(Set::TimerfdCreate)) -> Int;
            __NR_timerfd_settime: (Fd, Flags(Set::TimerfdSet), In(Itimerspec), Out(Itimerspec)) -> Int;
            __NR_timerfd_gettime: (Fd, Out(Itimerspec)) -> Int;
        ] $($rest)* }
    };
}
