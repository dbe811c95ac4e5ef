//! Clocks and timers.

use super::arg::Arg::*;
use super::arg::Shape::*;
use super::{Ret, Row, Set, rows};

rows! {
    __NR_time: Passthrough Exact (Out(Time)) -> Time;
    __NR_times: Passthrough (Out(Tms)) -> Int;
    __NR_gettimeofday: Passthrough Exact (Out(Timeval), Out(Timezone)) -> Int;
    __NR_settimeofday: Passthrough (In(Timeval), In(Timezone)) -> Int;
    __NR_clock_gettime: Passthrough Exact (Flags(Set::Clock), Out(Timespec)) -> Int;
    __NR_clock_settime: Passthrough (Flags(Set::Clock), In(Timespec)) -> Int;
    __NR_clock_getres: Passthrough Exact (Flags(Set::Clock), Out(Timespec)) -> Int;
    __NR_clock_nanosleep: Passthrough
        (Flags(Set::Clock), Flags(Set::TimerFlags), In(Timespec), OutRemaining) -> Int;
    __NR_clock_adjtime: Passthrough (Flags(Set::Clock), Out(Timex)) -> Int;
    __NR_adjtimex: Passthrough (Out(Timex)) -> Int;
    __NR_nanosleep: Passthrough (In(Timespec), OutRemaining) -> Int;
    __NR_alarm: Passthrough (Uint) -> Int;
    __NR_getitimer: Passthrough (Flags(Set::Itimer), Out(Itimerval)) -> Int;
    __NR_setitimer: Passthrough (Flags(Set::Itimer), In(Itimerval), Out(Itimerval)) -> Int;
    __NR_timer_create: Passthrough (Flags(Set::Clock), In(Sigevent), Out(I32)) -> Int;
    __NR_timer_settime: Passthrough (Int, Flags(Set::TimerFlags), In(Itimerspec), Out(Itimerspec)) -> Int;
    __NR_timer_gettime: Passthrough (Int, Out(Itimerspec)) -> Int;
    __NR_timer_getoverrun: Passthrough (Int) -> Int;
    __NR_timer_delete: Passthrough (Int) -> Int;
    __NR_timerfd_create: Passthrough (Flags(Set::Clock), Flags(Set::TimerfdCreate)) -> Int;
    __NR_timerfd_settime: Passthrough (Fd, Flags(Set::TimerfdSet), In(Itimerspec), Out(Itimerspec)) -> Int;
    __NR_timerfd_gettime: Passthrough (Fd, Out(Itimerspec)) -> Int;
}
