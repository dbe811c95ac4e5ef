use std::panic::{self, AssertUnwindSafe};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::{env, process, thread};

static DROPPED: AtomicUsize = AtomicUsize::new(0);

struct Guard;
impl Drop for Guard {
    fn drop(&mut self) {
        DROPPED.fetch_add(1, Ordering::Relaxed);
    }
}

#[inline(never)]
fn deep(n: usize, values: &[u32]) -> u32 {
    let _guard = Guard;
    if n == 0 { values[values.len()] } else { deep(n - 1, values).wrapping_add(1) }
}

struct Double;
impl Drop for Double {
    fn drop(&mut self) {
        panic!("while unwinding");
    }
}

fn main() {
    match env::args().nth(1).as_deref() {
        Some("main") => panic!("in main"),
        Some("double") => {
            let _double = Double;
            panic!("first");
        }
        _ => {}
    }
    panic::set_hook(Box::new(|_| {}));
    let mut caught = 0;
    for i in 0..2000 {
        if panic::catch_unwind(AssertUnwindSafe(|| deep(i % 60, &[1, 2]))).is_err() {
            caught += 1;
        }
    }
    println!("caught {caught}, dropped {}", DROPPED.load(Ordering::Relaxed));
    let poisoned = Arc::new(Mutex::new(0));
    let shared = Arc::clone(&poisoned);
    let joined = thread::spawn(move || {
        let _held = shared.lock().unwrap();
        panic!("in a thread");
    })
    .join();
    println!("{} {}", joined.is_err(), poisoned.is_poisoned());
    let (sender, receiver) = mpsc::channel();
    for id in 0..8u64 {
        let sender = sender.clone();
        thread::spawn(move || (0..1000).for_each(|n| sender.send(id * n).unwrap()));
    }
    drop(sender);
    println!("{}", receiver.iter().sum::<u64>());
    let child = process::Command::new("sh").args(["-c", "exit 9"]).status().unwrap();
    println!("{child}");
    println!("{:?}", process::Command::new("no-such-program").spawn().map_err(|error| error.kind()).err());
}
