//! Clocks and timers.

macro_rules! time_rows {
    ($then:ident [$($before:tt)*] $next:ident $($rest:ident)*) => {
        $next! { $then [$($before)*
            __NR_time: [exact, clock(Clock::Time), blind] (Out(Time)) -> Time;
            __NR_times: [blind] (Out(Tms)) -> Int;
            __NR_gettimeofday: [exact, clock(Clock::Gettimeofday), blind] (Out(Timeval), Out(Timezone)) -> Int;
            __NR_settimeofday: (In(Timeval), In(Timezone)) -> Int;
            __NR_clock_gettime: [exact, clock(Clock::Gettime), blind] (Flags(Set::Clock), Out(Timespec)) -> Int;
            __NR_clock_settime: (Flags(Set::Clock), In(Timespec)) -> Int;
            __NR_clock_getres: [exact, clock(Clock::Getres), blind] (Flags(Set::Clock), Out(Timespec)) -> Int;
            __NR_clock_nanosleep: [blind]
                (Flags(Set::Clock), Flags(Set::TimerFlags), In(Timespec), OutRemaining) -> Int;
            __NR_clock_adjtime: (Flags(Set::Clock), Out(Timex)) -> Int;
            __NR_adjtimex: (Out(Timex)) -> Int;
            __NR_nanosleep: [blind] (In(Timespec), OutRemaining) -> Int;
            __NR_alarm: (Uint) -> Int;
            __NR_getitimer: [blind] (Flags(Set::Itimer), Out(Itimerval)) -> Int;
            __NR_setitimer: [blind] (Flags(Set::Itimer), In(Itimerval), Out(Itimerval)) -> Int;
            __NR_timer_create: (Flags(Set::Clock), In(Sigevent), Out(I32)) -> Int;
            __NR_timer_settime: (Int, Flags(Set::TimerFlags), In(Itimerspec), Out(Itimerspec)) -> Int;
            __NR_timer_gettime: (Int, Out(Itimerspec)) -> Int;
            __NR_timer_getoverrun: (Int) -> Int;
            __NR_timer_delete: (Int) -> Int;
            __NR_timerfd_create: (Flags(Set::Clock), Flags(Set::TimerfdCreate)) -> Int;
            __NR_timerfd_settime: (Fd, Flags(Set::TimerfdSet), In(Itimerspec), Out(Itimerspec)) -> Int;
            __NR_timerfd_gettime: (Fd, Out(Itimerspec)) -> Int;
        ] $($rest)* }
    };
}
