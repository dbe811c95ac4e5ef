//! [`bt_shim::uapi`] says what the module's header says.
//!
//! The header's names are read from its text, their values from a C program that includes it: nothing that is added
//! there can be forgotten here.

use bt_shim::uapi::{self, Allow, Info, Kind, Load, Op, REASONS, Reason, Run, flags};
use std::collections::BTreeMap;
use std::fs;
use std::mem::{offset_of, size_of};
use std::path::Path;
use std::process::Command;

/// Values by name: a constant's, `struct NAME` with its size, `NAME.FIELD` with offset and size.
type Values = BTreeMap<String, String>;

#[test]
fn header_and_mirror_say_the_same() {
    let header = Path::new(env!("CARGO_MANIFEST_DIR")).join("../module/uapi/btshim.h");
    let names = Names::read(&fs::read_to_string(&header).expect("the header is readable"));
    let theirs = values_by_c(&header, &names);
    let ours = mirror();
    let mut complaints = Vec::new();
    for (name, value) in &theirs {
        match ours.get(name) {
            None => complaints.push(format!("{name} ({value}) is missing in Rust")),
            Some(other) if other != value => complaints.push(format!("{name}: {value} in C, {other} in Rust")),
            Some(_) => {}
        }
    }
    complaints.extend(ours.keys().filter(|name| !theirs.contains_key(*name)).map(|name| format!("{name} is not in C")));
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}

#[test]
fn names_are_found_in_a_header() {
    let names = Names::read(
        "#define GUARD\n#define TWO 2 /* struct x { */\nenum e {\n\t/* a,\n\t * b */\n\tONE = 1,\n\tLAST\n};\n\
         struct s {\n\t__u8 kind;\n\t__u64 calls[TWO / 2]; /* 0 */\n};\n#define IO _IOR(0xbb, 0x00, struct s)\n",
    );
    assert_eq!(names.constants, ["TWO", "IO", "ONE", "LAST"]);
    assert_eq!(names.structs, [("s".to_owned(), vec!["kind".to_owned(), "calls".to_owned()])]);
}

/// What a header declares.
#[derive(Default)]
struct Names {
    constants: Vec<String>,
    structs: Vec<(String, Vec<String>)>,
}

impl Names {
    /// Reads a header of definitions, enumerations and structures that are not nested.
    fn read(text: &str) -> Self {
        let text = without_comments(text);
        let mut names = Self::default();
        for line in text.lines() {
            let mut words = line.split_whitespace();
            // A definition without value is a guard.
            if let (Some("#define"), Some(name), Some(_)) = (words.next(), words.next(), words.next()) {
                names.constants.push(name.to_owned());
            }
        }
        for (head, body) in text.split('}').filter_map(|part| part.rsplit_once('{')) {
            let mut words = head.split_whitespace().rev();
            match (words.next(), words.next()) {
                (Some(_), Some("enum")) => names.constants.extend(body.split(',').filter_map(first_name)),
                (Some(name), Some("struct")) => {
                    // Of `__u64 calls[8]`, `calls`.
                    let fields = body.split(';').filter_map(|field| first_name(field.trim().split_once(' ')?.1));
                    names.structs.push((name.to_owned(), fields.collect()));
                }
                other => panic!("{other:?} is not read"),
            }
        }
        names
    }

    /// A C program that prints all values, `NAME VALUE` a line.
    fn program(&self) -> String {
        let mut lines: Vec<String> =
            self.constants.iter().map(|name| format!("\tSHOW(\"{name}\", {name});\n")).collect();
        for (name, fields) in &self.structs {
            lines.push(format!("\tprintf(\"struct {name}=%zu\\n\", sizeof(struct {name}));\n"));
            for field in fields {
                lines.push(format!(
                    "\tprintf(\"{name}.{field}=%zu %zu\\n\", offsetof(struct {name}, {field}), \
                     sizeof(((struct {name} *)0)->{field}));\n"
                ));
            }
        }
        format!("{PROLOGUE}int main(void)\n{{\n{}\treturn 0;\n}}\n", lines.concat())
    }
}

const PROLOGUE: &str = r#"#include <stddef.h>
#include <stdio.h>
#include "btshim.h"
static void show_text(const char *name, const char *text) { printf("%s=%s\n", name, text); }
static void show_number(const char *name, unsigned long long number) { printf("%s=%llu\n", name, number); }
#define SHOW(name, value) _Generic((value), char *: show_text, default: show_number)(name, value)
"#;

fn first_name(text: &str) -> Option<String> {
    let text = text.trim();
    let end = text.find(|letter: char| !letter.is_alphanumeric() && letter != '_').unwrap_or(text.len());
    text.get(..end).filter(|name| !name.is_empty()).map(str::to_owned)
}

fn without_comments(text: &str) -> String {
    let mut parts = text.split("/*");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| text + part.split_once("*/").map_or("", |(_, rest)| rest))
}

/// Compiles and runs the program.
fn values_by_c(header: &Path, names: &Names) -> Values {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let (source, program) = (directory.join("header.c"), directory.join("header"));
    fs::write(&source, names.program()).expect("the program is writable");
    let include = header.parent().expect("the header is in a directory");
    let mut gcc = Command::new("gcc");
    gcc.args(["-Wall", "-Werror", "-I"]).arg(include).arg("-o").args([&program, &source]);
    let compiled = gcc.output().expect("gcc is installed");
    assert!(compiled.status.success(), "{}", String::from_utf8_lossy(&compiled.stderr));
    let printed = Command::new(&program).output().expect("the program starts").stdout;
    let printed = String::from_utf8(printed).expect("the program prints text");
    let pair = |line: &str| line.split_once('=').map(|(name, value)| (name.to_owned(), value.to_owned()));
    printed.lines().filter_map(pair).collect()
}

/// The numbers of the interface by their names in C.
fn numbers() -> [(&'static str, u64); 24] {
    [
        ("BTSHIM_VERSION", uapi::VERSION.into()),
        ("BTSHIM_REGS", uapi::REGS as u64),
        ("BTSHIM_MEMORY", uapi::MEMORY.into()),
        ("BTSHIM_PC", uapi::PC.into()),
        ("BTSHIM_NONE", uapi::NONE.into()),
        ("BTSHIM_ANY_CALL", uapi::ANY_CALL),
        ("BTSHIM_LEGACY", uapi::LEGACY.into()),
        ("BTSHIM_VEX", uapi::VEX.into()),
        ("BTSHIM_FLAGS_DEAD", flags::DEAD.into()),
        ("BTSHIM_FS", flags::FS.into()),
        ("BTSHIM_ADDR32", flags::ADDR32.into()),
        ("BTSHIM_LOCK", flags::LOCK.into()),
        ("BTSHIM_HIGH_BYTE", flags::HIGH_BYTE.into()),
        ("BTSHIM_ALL_FLAGS", flags::ALL.into()),
        ("BTSHIM_LOAD_UNMASKED", uapi::LOAD_UNMASKED.into()),
        ("BTSHIM_MAX_OPS", uapi::MAX_OPS as u64),
        ("BTSHIM_CALLS", uapi::CALLS as u64),
        ("BTSHIM_RUN", uapi::RUN.into()),
        ("BTSHIM_CAN_FS", uapi::CAN_FS.into()),
        ("BTSHIM_CAN_UNMASKED", uapi::CAN_UNMASKED.into()),
        ("BTSHIM_IOC_INFO", uapi::INFO.into()),
        ("BTSHIM_IOC_LOAD", uapi::LOAD.into()),
        ("BTSHIM_IOC_ALLOW", uapi::ALLOW.into()),
        ("BTSHIM_IOC_CLEAR", uapi::CLEAR.into()),
    ]
}

/// The same from Rust.
fn mirror() -> Values {
    let mut values = Values::new();
    let mut add = |name: &str, value: String| assert!(values.insert(name.to_owned(), value).is_none(), "{name} twice");

    for kind in KINDS {
        add(name_of_kind(kind), (kind as u64).to_string());
    }
    add("BTSHIM_KINDS", KINDS.len().to_string());
    for (reason, _) in REASONS {
        add(name_of_reason(reason), (reason as u64).to_string());
    }
    // They begin with 1.
    add("BTSHIM_REASONS", (REASONS.len() + 1).to_string());
    add("BTSHIM_DEVICE", uapi::DEVICE.to_str().expect("a path").to_owned());
    for (name, value) in numbers() {
        add(name, value.to_string());
    }

    /// A structure with all its fields: a pattern without `..` leaves none out.
    macro_rules! layout {
        ($name:literal, $type:ident { $($field:ident),* }) => {
            add(concat!("struct ", $name), size_of::<$type>().to_string());
            let _ = |$type { $($field: _),* }: $type| ();
            $(add(
                concat!($name, ".", stringify!($field)),
                format!("{} {}", offset_of!($type, $field), size_of_field(|it: &$type| it.$field)),
            );)*
        };
    }
    layout!(
        "btshim_op",
        Op {
            kind,
            flags,
            size,
            encoding,
            map,
            opcode,
            prefix,
            wide,
            reg,
            rm,
            vvvv,
            base,
            index,
            scale,
            len,
            reserved,
            disp,
            at,
            imm
        }
    );
    layout!("btshim_load", Load { ops, count, flags, code_bytes, refused, reserved });
    layout!("btshim_run", Run { regs, pc, flags, reason, call, calls, counts, reserved });
    layout!("btshim_allow", Allow { calls, any });
    layout!(
        "btshim_info",
        Info { version, size_of_op, size_of_load, size_of_run, size_of_allow, flags, code_bytes, calls, reserved }
    );
    values
}

/// Size of what the function returns.
fn size_of_field<T, F>(_: fn(&T) -> F) -> usize {
    size_of::<F>()
}

const KINDS: [Kind; 15] = [
    Kind::Block,
    Kind::Insn,
    Kind::Lea,
    Kind::Push,
    Kind::Pop,
    Kind::Jump,
    Kind::Jcc,
    Kind::Call,
    Kind::JumpTo,
    Kind::CallTo,
    Kind::Ret,
    Kind::Syscall,
    Kind::Leave,
    Kind::String,
    Kind::Check,
];

/// A kind that is new in Rust does not compile here.
const fn name_of_kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Block => "BTSHIM_BLOCK",
        Kind::Insn => "BTSHIM_INSN",
        Kind::Lea => "BTSHIM_LEA",
        Kind::Push => "BTSHIM_PUSH",
        Kind::Pop => "BTSHIM_POP",
        Kind::Jump => "BTSHIM_JUMP",
        Kind::Jcc => "BTSHIM_JCC",
        Kind::Call => "BTSHIM_CALL",
        Kind::JumpTo => "BTSHIM_JUMP_TO",
        Kind::CallTo => "BTSHIM_CALL_TO",
        Kind::Ret => "BTSHIM_RET",
        Kind::Syscall => "BTSHIM_SYSCALL",
        Kind::Leave => "BTSHIM_LEAVE",
        Kind::String => "BTSHIM_STRING",
        Kind::Check => "BTSHIM_CHECK",
    }
}

const fn name_of_reason(reason: Reason) -> &'static str {
    match reason {
        Reason::Missing => "BTSHIM_MISSING",
        Reason::Untranslated => "BTSHIM_UNTRANSLATED",
        Reason::Native => "BTSHIM_NATIVE",
        Reason::Watched => "BTSHIM_WATCHED",
        Reason::InCall => "BTSHIM_IN_CALL",
        Reason::Work => "BTSHIM_WORK",
        Reason::Fault => "BTSHIM_FAULT",
        Reason::Vector => "BTSHIM_VECTOR",
        Reason::Checked => "BTSHIM_CHECKED",
        Reason::State => "BTSHIM_STATE",
    }
}
