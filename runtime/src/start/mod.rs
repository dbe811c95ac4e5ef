//! From the kernel's first instruction to the guest's first instruction.

pub mod command_line;
pub mod doctor;
pub mod image_cache;
pub mod layout;
pub mod list_calls;
pub mod list_sites;
pub mod map;
pub mod stack;

use crate::elf::LoadError;
use crate::elf::headers::{FileBytes, Headers};
use crate::emulate::{follow, identity};
use crate::engine::memory::Mapping;
use crate::engine::{self, Engine, ring0};
use crate::gate::asm::on_runtime_stack;
use crate::gate::facts::Fact;
use crate::gate::lane::leave_data;
use crate::gate::routes::{self, note_own_descriptors};
use crate::mem::guest;
use crate::observe::stats;
use crate::options;
use crate::process::descriptors::keep_high;
use crate::process::policy;
use crate::process::{EXE_FD, SELF_FD, TRACE_FD, set_exe_path};
use crate::report::{Bytes, say};
use crate::signal::{action, alt_stack, kept};
use crate::start::map::Image;
use crate::start::stack::{Built, Guest, Initial, at};
use crate::sys;
use crate::sys::cpu;
use crate::sys::types::sig;
use crate::sys::{Errno, Fd, fs, mem, process};
use crate::syscall::exec;
use crate::syscall::handoff::Handoff;
use crate::syscall::permission::{Native, RESTRICTED};
use crate::syscall::program::{self, Found};
use crate::syscall::thread::prepare_state;
use crate::thread::registers::Gpr;
use crate::thread::state::ThreadState;
use crate::thread::{actions, registry};
use alloc::vec::Vec;
use core::cell::Cell;
use core::sync::atomic::Ordering;
use linux_raw_sys::{general as k, prctl as p};

/// First Rust code, on the kernel's stack. `sp` is the initial stack pointer.
pub extern "C" fn first(sp: u64) -> ! {
    // SAFETY: nothing has been done yet.
    let begun = unsafe {
        leave_data();
        registry::begin()
    };
    let Some(ts) = begun else {
        say(format_args!("out of memory for the first thread: raise the limits (ulimit -v)"));
        sys::process::exit_group(126)
    };
    // SAFETY: fresh, and nobody else knows it.
    let state = unsafe { &mut *ts };
    prepare_state(state);
    identity::set_ids(state);
    state.actions = &raw const actions::FIRST;
    state.regs[Gpr::Rsp] = sp;
    // SAFETY: the initial stack pointer; this is the thread that the state is for.
    unsafe {
        cpu::set_hwcap2(hwcap2(sp));
        state.install_gs();
        state.populate_stack();
        on_runtime_stack(ts, second)
    }
}

/// AT_HWCAP2 from the initial stack, before anything else can be used.
unsafe fn hwcap2(sp: u64) -> u64 {
    // SAFETY: `sp` is the initial stack pointer.
    unsafe { Initial::read(sp) }.aux(at::HWCAP2).unwrap_or(0)
}

/// What is to be run, and how.
struct Plan {
    found: Found,
    /// Guest arguments, as addresses on the initial stack.
    argv: Vec<u64>,
    comm: [u8; 16],
    /// The user started it; otherwise a program of the family did.
    is_first: bool,
}

impl Plan {
    /// The interpreter that the program names, with its headers.
    fn interpreter(&self, program: &Headers) -> Result<Option<(Fd, Headers)>, LoadError> {
        if program.interp().is_none() {
            return Ok(None);
        }
        let fd = self.found.interp.ok_or(LoadError::Invalid("was handed over without its interpreter"))?;
        Headers::parse(&fd).map(|headers| Some((fd, headers)))
    }
}

extern "C" fn second(ts: *mut ThreadState) {
    // SAFETY: the thread's own.
    let ts = unsafe { &mut *ts };
    let sp = ts.regs[Gpr::Rsp];
    // SAFETY: the initial stack pointer, kept by `first`.
    let mut initial = unsafe { Initial::read(sp) };
    let execfn = initial.aux(at::EXECFN).unwrap_or(0);
    // SAFETY: a string of the initial stack.
    let execfn = if execfn == 0 { &[][..] } else { unsafe { Initial::string(execfn) } };
    // SAFETY: as above.
    let first_env = initial.envp.first().map_or(&[][..], |&e| unsafe { Initial::string(e) });
    let plan = match Handoff::take(execfn, first_env) {
        Some((handoff, self_fd, execfn)) => {
            initial.envp.remove(0);
            resume_family(&handoff, self_fd, execfn, &initial)
        }
        None => from_command_line(&initial),
    };
    identity::start(ts, [at::UID, at::EUID, at::GID, at::EGID].map(|id| initial.aux(id)));
    if let Some(min) = initial.aux(at::MINSIGSTKSZ) {
        // The kernel's own minimum for sigaltstack(2) is the constant; AT_MINSIGSTKSZ is what it enforces with AMX.
        alt_stack::set_min_bytes(min.min(2048));
    }
    ts.install_alt_stack();
    action::start();
    kept::start(ts);
    let headers = match Headers::parse(&plan.found.fd) {
        Ok(headers) => headers,
        Err(error) => fail(&plan.found.execfn, error),
    };
    let fixed = if headers.is_dyn { (0, 0) } else { headers.span() };
    if let Err(what) = engine::start(fixed) {
        say(format_args!("{what}"));
        sys::process::exit_group(126)
    }
    if let Err(error) = ring0::start(ts, plan.is_first) {
        say(format_args!("--engine ring0: {error}"));
        sys::process::exit_group(126)
    }
    note_own_descriptors();
    if sys::process::is_filtered() {
        routes::learn(Fact::Filtered, true);
    }
    routes::update();
    ts.is_translating = !options::get().engine.runs_in_place();
    engine::lock().set_cache_limit(u64::from(options::get().cache_mib) << 20);
    let interp = match plan.interpreter(&headers) {
        Ok(interp) => interp,
        Err(error) => fail(&plan.found.execfn, error),
    };
    match load(ts, &initial, &plan, &headers, interp.as_ref()) {
        Ok(()) => {}
        Err(e) => fail_to_load(&plan, e),
    }
    crate::engine::direct::strict::arm();
    let pc = ts.regs.rip;
    engine::redirect(ts, pc);
}

/// An exec inside the family.
fn resume_family(handoff: &Handoff, self_fd: i32, execfn: Vec<u8>, initial: &Initial) -> Plan {
    options::set(handoff.options);
    crate::engine::cpuid::take(&handoff.cpuid);
    crate::engine::direct::volume::take(&handoff.volumes);
    RESTRICTED.store(handoff.restricted != 0, Ordering::Relaxed);
    // The string may be anybody's (`handoff`): what is no descriptor is none.
    for (place, fd) in [(&SELF_FD, self_fd), (&TRACE_FD, handoff.trace_fd)] {
        if fd >= 0 && exec::keep_over_exec(fd, false).is_ok() {
            place.store(fd, Ordering::Relaxed);
        }
    }
    Plan {
        found: Found {
            fd: Fd(handoff.exe_fd),
            interp: Some(Fd(handoff.interp_fd)).filter(|fd| fd.0 >= 0),
            execfn,
            head: Vec::new(),
        },
        argv: initial.argv.clone(),
        comm: handoff.comm,
        is_first: false,
    }
}

/// A start by the user.
fn from_command_line(initial: &Initial) -> Plan {
    // SAFETY: strings of the initial stack.
    let args: Vec<&[u8]> = initial.argv.iter().map(|&a| unsafe { Initial::string(a) }).collect();
    // SAFETY: as above.
    let environment: Vec<&[u8]> = initial.envp.iter().map(|&e| unsafe { Initial::string(e) }).collect();
    let (options, first) = crate::start::command_line::parse(&args, &environment);
    options::set(options);
    if let (Some(&b"sites"), Some(&path), 2) = (args.get(first), args.get(first + 1), args.len() - first) {
        match list_sites::print(path) {
            Ok(()) => sys::process::exit_group(0),
            Err(e) => fail(path, e),
        }
    }
    if let (Some(&b"doctor"), 1) = (args.get(first), args.len() - first) {
        crate::start::doctor::print();
        sys::process::exit_group(0)
    }
    if let (Some(&b"calls"), 1) = (args.get(first), args.len() - first) {
        list_calls::print();
        sys::process::exit_group(0)
    }
    if let (Some(&b"cache"), Some(&command), 2) = (args.get(first), args.get(first + 1), args.len() - first)
        && let Some(result) = image_cache::run(command)
    {
        match result {
            Ok(()) => sys::process::exit_group(0),
            Err(e) => fail(b"cache", e),
        }
    }
    if let Ok(fd) = fs::open(c"/proc/self/exe", k::O_RDONLY) {
        SELF_FD.store(keep_high(fd), Ordering::Relaxed);
    }
    crate::observe::trace_line::start();
    let name = args.get(first).copied().unwrap_or(b"");
    let argv: Vec<u64> = initial.argv.get(first..).unwrap_or(&[]).to_vec();
    // SAFETY: strings of the initial stack.
    let path_var = initial.envp.iter().map(|&e| unsafe { Initial::string(e) }).find_map(|e| e.strip_prefix(b"PATH="));
    let path = match crate::start::command_line::look_up(name, path_var) {
        Ok(path) => path,
        Err(e) => fail(name, e),
    };
    if !policy::can_make_code() {
        stats::native(&path, policy::REASON);
        run_natively(&path, &argv, initial)
    }
    match program::find_for_start(&path) {
        Ok(found) => {
            let mut comm = [0u8; 16];
            let base = found.execfn.rsplit(|&b| b == b'/').next().unwrap_or(&[]);
            for (to, from) in comm.iter_mut().take(15).zip(base) {
                *to = *from;
            }
            Plan { found, argv, comm, is_first: true }
        }
        Err(Native::Refused(errno)) => fail(&path, LoadError::Failed("cannot be executed", errno.number())),
        Err(Native::Because(reason)) => {
            stats::native(&path, reason);
            run_natively(&path, &argv, initial)
        }
        Err(Native::Quietly) => run_natively(&path, &argv, initial),
    }
}

/// The kernel runs it, or says why not.
fn run_natively(path: &[u8], argv: &[u64], initial: &Initial) -> ! {
    let mut path_z = path.to_vec();
    path_z.push(0);
    let mut argv = argv.to_vec();
    argv.push(0);
    let mut envp = initial.envp.clone();
    envp.push(0);
    let errno = match core::ffi::CStr::from_bytes_with_nul(&path_z) {
        // SAFETY: null-terminated vectors of NUL-terminated strings.
        Ok(path) => unsafe { process::execute(path, &argv, &envp) },
        Err(_) => Errno::ENOENT,
    };
    let error = match program::diagnose(path) {
        Some(what) => LoadError::Invalid(what),
        None if errno == Errno::ENOENT => LoadError::NotFound,
        None => LoadError::Failed("cannot be executed", errno.number()),
    };
    fail(path, error)
}

/// A program cannot be loaded. What executed it is gone by then: the kernel ends the process by SIGSEGV (fs/exec.c,
/// `bprm_execve`). The user is told why.
fn fail_to_load(plan: &Plan, error: LoadError) -> ! {
    if plan.is_first {
        fail(&plan.found.execfn, error);
    }
    tell(&plan.found.execfn, error);
    sys::signal::set_default(sig::SIGSEGV);
    sys::signal::set_mask(0);
    sys::signal::raise(sig::SIGSEGV);
    sys::process::exit_group(128 + sig::SIGSEGV)
}

/// Says why a program cannot be run, and exits as a shell would.
fn fail(name: &[u8], error: LoadError) -> ! {
    let status = error.status();
    tell(name, error);
    sys::process::exit_group(status)
}

fn tell(name: &[u8], error: LoadError) {
    match error {
        LoadError::NotFound => say(format_args!("{}: not found", Bytes(name))),
        LoadError::Failed(what, errno) => {
            say(format_args!("{}: {what}: {}", Bytes(name), crate::start::command_line::errno_text(errno)));
        }
        LoadError::Invalid(what) | LoadError::Unusual(what) => say(format_args!("{}: {what}", Bytes(name))),
    }
}

/// Maps program and interpreter and prepares stack, brk, names and registers.
fn load(
    ts: &mut ThreadState,
    initial: &Initial,
    plan: &Plan,
    headers: &Headers,
    interp: Option<&(Fd, Headers)>,
) -> Result<(), LoadError> {
    let fd = plan.found.fd;
    let mut guard = engine::lock();
    let engine = &mut *guard;
    let has_open_code = Cell::new(headers.wants_exec_stack());
    let on_exec = |engine: &mut Engine, start, end, prot, fd, offset: Option<u64>| {
        has_open_code.set(has_open_code.get() || prot & k::PROT_WRITE != 0);
        let file = offset.map(|offset| (fd, offset));
        engine.on_map(Mapping { span: (start, end), prot, is_shared: false, file, is_reserved: false });
    };
    // fs/binfmt_elf.c: what has no interpreter (a static program, or a loader started by hand) lies where libraries do.
    let stands_alone = headers.is_dyn && headers.interp().is_none();
    let base = if headers.is_dyn && !stands_alone { layout::program_base(headers.align()) } else { 0 };
    let program = map::map(fd, headers, base, &mut |start, end, prot, offset| {
        on_exec(engine, start, end, prot, fd, offset);
    })?;
    let mut entry = program.entry;
    let mut interp_base = 0;
    if let Some((interp_fd, headers)) = interp {
        let interp = map::map(*interp_fd, headers, 0, &mut |start, end, prot, offset| {
            on_exec(engine, start, end, prot, *interp_fd, offset);
        });
        interp_fd.close();
        let interp = interp?;
        entry = interp.entry;
        interp_base = interp.bias;
    }
    if let Some(vdso) = initial.aux(at::SYSINFO_EHDR)
        && let Some(len) = vdso_len(vdso)
    {
        let end = vdso + len;
        crate::gate::vdso::start(vdso, end);
        // The vDSO asks the kernel only for what the clock's hardware does not tell; such a call is always passed on,
        // and to patch it at every start costs more than it could bring.
        engine.vdso_mapped(vdso, end, options::get().tells_calls());
    }
    if !headers.is_dyn && headers.interp().is_none() {
        engine.program_is_whole();
    }
    drop(guard);
    if has_open_code.get() && options::get().engine.runs_in_place() {
        // As memory that it makes so later: calls in it are not seen.
        follow::give_up();
    }
    EXE_FD.store(keep_high(fd), Ordering::Relaxed);
    note_own_descriptors();

    let mut argv: Vec<&[u8]> = plan.found.head.iter().map(Vec::as_slice).collect();
    let skip = usize::from(!argv.is_empty());
    // SAFETY: strings of the initial stack.
    argv.extend(plan.argv.iter().skip(skip).map(|&a| unsafe { Initial::string(a) }));
    let guest = Guest { argv: &argv, execfn: &plan.found.execfn, program: &program, interp_base };
    // SAFETY: this runs on the runtime's stack; the kernel's initial stack is the guest's.
    let built = unsafe { stack::build(initial, &guest) };
    if headers.wants_exec_stack() {
        make_stack_executable(built.sp);
    }
    // Its brk could not grow there: the kernel moves it to where programs lie.
    let brk = layout::brk_start(if stands_alone { layout::DYN_BASE } else { program.brk });
    describe_to_kernel(&program, &built, brk);
    process::set_name(&plan.comm);
    set_exe_path(&plan.found.execfn);
    stats::started(&plan.found.execfn);
    ts.regs = crate::thread::registers::Regs { rip: entry, rflags: 0x202, ..Default::default() };
    ts.regs[Gpr::Rsp] = built.sp;
    Ok(())
}

/// Bytes of the vDSO image, whole pages.
fn vdso_len(at: u64) -> Option<u64> {
    struct Memory(u64);
    impl FileBytes for Memory {
        fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<usize, Errno> {
            Ok(guest::read_bytes(self.0 + offset, buf))
        }
    }
    let headers = Headers::parse(&Memory(at)).ok()?;
    let (start, end) = headers.span();
    Some(end - start)
}

/// PT_GNU_STACK asks for it (fs/binfmt_elf.c, EXSTACK_ENABLE_X).
fn make_stack_executable(sp: u64) {
    let prot = k::PROT_READ | k::PROT_WRITE | k::PROT_EXEC;
    let page = sp & !4095;
    // SAFETY: the main stack; PROT_GROWSDOWN takes the whole mapping.
    if unsafe { mem::mprotect(page, 4096, prot | k::PROT_GROWSDOWN) }.is_ok() {
        crate::syscall::memory::note_exec_mapping(page);
    }
}

/// Makes /proc/PID/{cmdline,environ,auxv,stat} and brk the guest's (prctl(2), PR_SET_MM_MAP: unprivileged without
/// exe_fd).
fn describe_to_kernel(program: &Image, built: &Built, brk: u64) {
    /// `struct prctl_mm_map` (include/uapi/linux/prctl.h).
    #[repr(C)]
    struct MmMap {
        code: (u64, u64),
        data: (u64, u64),
        brk: (u64, u64),
        start_stack: u64,
        arg: (u64, u64),
        env: (u64, u64),
        auxv: u64,
        auxv_size: u32,
        exe_fd: u32,
    }
    let map = MmMap {
        code: program.code,
        data: if program.data.1 == 0 { program.code } else { program.data },
        brk: (brk, brk),
        start_stack: built.sp,
        arg: built.argv,
        env: built.envp,
        auxv: built.auxv.0,
        auxv_size: u32::try_from(built.auxv.1).unwrap_or(0),
        exe_fd: u32::MAX,
    };
    let args = [u64::from(p::PR_SET_MM_MAP), &raw const map as u64, core::mem::size_of::<MmMap>() as u64, 0];
    // SAFETY: the kernel reads the structure and the auxiliary vector.
    let result = unsafe { process::prctl(p::PR_SET_MM, args) };
    if result.is_err() {
        crate::syscall::memory::own_brk(brk);
    }
}
