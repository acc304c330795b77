//! Reads assembly: functions, their loops, and the floating-point operations of a loop.

use std::collections::BTreeMap;

/// One instruction and its line in the file.
#[derive(Clone, Debug)]
pub(crate) struct Instruction {
    pub(crate) line: usize,
    pub(crate) name: String,
    pub(crate) operands: String,
}

impl Instruction {
    /// The instruction as it is written.
    pub(crate) fn text(&self) -> String {
        format!("line {}: {} {}", self.line, self.name, self.operands)
    }

    /// The target of a call or a jump: its last operand, without decoration.
    fn destination(&self) -> Option<&str> {
        let call = self.is_call();
        let jump = self.name.starts_with('j')
            || self.name == "b"
            || self.name.starts_with("b.")
            || ["cbz", "cbnz", "tbz", "tbnz"].contains(&self.name.as_str());
        let last = self.operands.rsplit([',', ' ', '\t']).next()?;
        (call || jump).then(|| last.trim_start_matches('*').split(['@', '(']).next().unwrap_or(last))
    }

    fn is_call(&self) -> bool {
        self.name.starts_with("call") || self.name == "bl" || self.name == "blr"
    }

    /// Whether a vector register is stored to the stack or loaded from it.
    fn is_spill(&self) -> bool {
        self.operands.contains("(%rsp)") && self.operands.contains("mm")
            || self.operands.contains("[sp") && self.operands.starts_with('q')
    }

    /// Whether this is AVX2's masked store, which takes ten times as long as a usual store on some CPUs.
    fn is_masked_store(&self) -> bool {
        self.name.starts_with("vmaskmov") && self.operands.ends_with(')')
    }

    /// The floating-point operation, if it is one. Moves and bitwise operations are not, because scalar code uses the packed
    /// forms of those too.
    pub(crate) fn operation(&self) -> Option<Operation> {
        x86_operation(&self.name, &self.operands).or_else(|| arm_operation(&self.name, &self.operands))
    }
}

/// The kinds of operations that the test distinguishes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Add,
    Mul,
    Fused,
    Other,
}

/// A floating-point operation: its kind, the bits of an element, and the bits of the vector, or 0 for a scalar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Operation {
    pub(crate) kind: Kind,
    pub(crate) element: usize,
    pub(crate) vector: usize,
}

fn x86_operation(name: &str, operands: &str) -> Option<Operation> {
    let (root, suffix) = name.split_at_checked(name.len().checked_sub(2)?)?;
    let (packed, element) = match suffix {
        "ps" => (true, 32),
        "pd" => (true, 64),
        "ss" => (false, 32),
        "sd" => (false, 64),
        _ => return None,
    };
    let root = root.strip_prefix('v').unwrap_or(root);
    let kind = match root {
        "add" | "sub" => Kind::Add,
        "mul" => Kind::Mul,
        "div" | "max" | "min" | "sqrt" | "comi" | "ucomi" | "round" | "rndscale" | "scalef" => Kind::Other,
        _ if root.starts_with("cmp") => Kind::Other,
        _ if ["fmadd", "fmsub", "fnmadd", "fnmsub"].iter().any(|fused| root.starts_with(fused)) => Kind::Fused,
        _ => return None,
    };
    let register = [("%zmm", 512), ("%ymm", 256), ("%xmm", 128)].into_iter().find(|(r, _)| operands.contains(r));
    Some(Operation { kind, element, vector: if packed { register?.1 } else { 0 } })
}

fn arm_operation(name: &str, operands: &str) -> Option<Operation> {
    let kind = match name {
        "fadd" | "fsub" => Kind::Add,
        "fmul" | "fnmul" => Kind::Mul,
        "fmla" | "fmls" | "fmadd" | "fmsub" | "fnmadd" | "fnmsub" => Kind::Fused,
        "fdiv" | "fmax" | "fmin" | "fmaxnm" | "fminnm" | "fcmp" | "fcsel" | "fsqrt" => Kind::Other,
        _ if name.starts_with("fcm") => Kind::Other,
        _ => return None,
    };
    let first = operands.split(',').next()?;
    let (element, vector) = match first.split_once('.') {
        Some((_, "4s")) => (32, 128),
        Some((_, "2d")) => (64, 128),
        Some((_, "2s")) => (32, 64),
        Some(_) => return None,
        None if first.starts_with('s') => (32, 0),
        None => (64, 0),
    };
    Some(Operation { kind, element, vector })
}

/// The instructions of one function, with the places of its labels.
#[derive(Clone, Debug, Default)]
pub(crate) struct Function {
    instructions: Vec<Instruction>,
    labels: BTreeMap<String, usize>,
}

/// All functions of an assembly file (ELF), by symbol. Functions with the same code are one function with several names.
pub(crate) fn functions(assembly: &str) -> BTreeMap<String, Function> {
    let mut all = BTreeMap::<String, Function>::new();
    let mut names = Vec::new();
    let mut symbol = None;
    for (line, text) in assembly.lines().enumerate() {
        if let Some(label) = text.strip_suffix(':').filter(|label| !label.starts_with(char::is_whitespace)) {
            if label.starts_with(".Lfunc_end") {
                symbol = None;
            } else if !label.starts_with(".L") {
                symbol = Some(label.to_owned());
            } else if let Some(function) = symbol.as_ref().and_then(|symbol| all.get_mut(symbol)) {
                function.labels.insert(label.to_owned(), function.instructions.len());
            }
            continue;
        }
        if let Some(name) = text.split_once(" = ").filter(|_| !text.starts_with(char::is_whitespace)) {
            names.push(name);
            continue;
        }
        let text = text.trim();
        if let Some(symbol) = symbol.as_ref().filter(|_| !text.is_empty() && !text.starts_with(['.', '#', '/'])) {
            let (name, operands) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
            let instruction = Instruction { line: line + 1, name: name.into(), operands: operands.trim().into() };
            all.entry(symbol.clone()).or_default().instructions.push(instruction);
        }
    }
    for (name, symbol) in names {
        if let Some(function) = all.get(symbol).cloned() {
            all.insert(name.to_owned(), function);
        }
    }
    all
}

impl Function {
    /// The jumps out of the function, with the symbols that they lead to.
    pub(crate) fn leaves(&self) -> impl Iterator<Item = (&Instruction, &str)> {
        self.instructions
            .iter()
            .enumerate()
            .filter_map(|(at, instruction)| Some((at, instruction, instruction.destination()?)))
            .filter(|(.., destination)| !self.labels.contains_key(*destination))
            .map(|(at, instruction, destination)| (instruction, self.loaded(at, destination).unwrap_or(destination)))
    }

    /// The symbol whose address was last put into the register, also by way of other registers. Symbols that were put there before
    /// may follow it.
    fn loaded<'a>(&'a self, at: usize, register: &str) -> Option<&'a str> {
        let mut register = register;
        let (before, behind) = self.instructions.split_at(at);
        for instruction in before.iter().rev().chain(behind.iter().rev()) {
            let Some((source, target)) = instruction.operands.rsplit_once(", ") else { continue };
            if target != register || !instruction.name.starts_with("mov") {
                continue;
            }
            if let Some((symbol, _)) = source.split_once("@GOTPCREL") {
                return Some(symbol);
            }
            if source.starts_with('%') {
                register = source;
            }
        }
        None
    }

    pub(crate) fn operations(&self) -> impl Iterator<Item = Operation> {
        self.instructions.iter().filter_map(Instruction::operation)
    }

    pub(crate) fn masked_stores(&self) -> impl Iterator<Item = &Instruction> {
        self.instructions.iter().filter(|instruction| instruction.is_masked_store())
    }

    /// The innermost loops: from a label to the last jump back to it, without another loop inside.
    pub(crate) fn innermost_loops(&self) -> Vec<Loop<'_>> {
        let mut ends = BTreeMap::new();
        for (at, instruction) in self.instructions.iter().enumerate() {
            let start = instruction.destination().and_then(|label| self.labels.get(label));
            if let Some(&start) = start.filter(|&&start| start <= at) {
                ends.insert(start, at);
            }
        }
        let inside = |(a, b): (usize, usize), (c, d): (usize, usize)| (a, b) != (c, d) && a <= c && d <= b;
        let all: Vec<(usize, usize)> = ends.into_iter().collect();
        all.iter()
            .filter(|&&outer| !all.iter().any(|&inner| inside(outer, inner)))
            .map(|&(start, end)| Loop { body: &self.instructions[start..=end] })
            .collect()
    }
}

/// A loop without loops inside.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Loop<'a> {
    pub(crate) body: &'a [Instruction],
}

impl Loop<'_> {
    pub(crate) fn operations(&self) -> impl Iterator<Item = (&Instruction, Operation)> {
        self.body.iter().filter_map(|instruction| Some((instruction, instruction.operation()?)))
    }

    /// The jumps before the one that closes the loop. They are exits and branches.
    pub(crate) fn branches(&self) -> impl Iterator<Item = &Instruction> {
        let (_, before) = self.body.split_last().expect("a loop has its jump");
        before.iter().filter(|instruction| instruction.destination().is_some() && !instruction.is_call())
    }

    pub(crate) fn spills(&self) -> usize {
        self.body.iter().filter(|instruction| instruction.is_spill()).count()
    }
}
