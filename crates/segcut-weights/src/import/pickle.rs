//! A pickle → values, by the instructions that PyTorch's state dicts use.
//!
//! Protocol 2 to 5 of Python's `pickletools`. A called or built object is kept as what it is called
//! with, never called.

use std::rc::Rc;
use thiserror::Error;

/// Values inside values at most; a state dict has a handful.
const MAX_DEPTH: u32 = 64;
/// Values at most, so that a small file cannot fill the memory.
const MAX_VALUES: usize = 4 << 20;

/// Why a pickle is refused.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum PickleError {
    /// An instruction that no state dict has.
    #[error("instruction {code:#04x} at byte {at} is none that a state dict needs")]
    Instruction {
        /// The instruction.
        code: u8,
        /// Where it stands.
        at: usize,
    },
    /// The end comes too early.
    #[error("it ends in the middle (byte {0})")]
    Truncated(usize),
    /// An instruction finds no or another value than it needs.
    #[error("the instruction before byte {0} does not find its values")]
    Stack(usize),
    /// Values are nested too deep.
    #[error("more than {MAX_DEPTH} values inside each other")]
    Deep,
    /// Too many values.
    #[error("more than {MAX_VALUES} values")]
    Many,
}

/// What a pickle's instructions make.
#[derive(Debug, Clone)]
pub(crate) enum Value {
    None,
    Int(i64),
    Text(Rc<str>),
    /// A tuple or a list.
    Sequence(Rc<Node<Vec<Value>>>),
    /// Keys and values in order.
    Dictionary(Rc<std::cell::RefCell<Vec<(Value, Value)>>>),
    /// `module.name`.
    Global(Rc<str>),
    /// What a persistent id says.
    Persistent(Rc<Node<Value>>),
    /// A call that is not made: what would be called, and its arguments.
    Call(Rc<Node<(Value, Value)>>),
    /// Anything that tensors do not need.
    Other,
}

/// A value with how many values are inside it, one in the other.
#[derive(Debug)]
pub(crate) struct Node<T> {
    pub depth: u32,
    pub value: T,
}

impl Value {
    /// Levels of containers inside this one.
    pub fn depth(&self) -> u32 {
        match self {
            Self::Sequence(node) => node.depth,
            Self::Persistent(node) => node.depth,
            Self::Call(node) => node.depth,
            Self::Dictionary(_) => 1,
            _ => 0,
        }
    }

    /// The text, of a text.
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The values, of a list or a tuple.
    pub fn sequence(&self) -> Option<&[Value]> {
        match self {
            Self::Sequence(node) => Some(&node.value),
            _ => None,
        }
    }

    /// A whole number that is not negative.
    pub fn size(&self) -> Option<usize> {
        match self {
            Self::Int(n) => usize::try_from(*n).ok(),
            _ => None,
        }
    }
}

fn node<T>(value: T, inside: u32) -> Result<Rc<Node<T>>, PickleError> {
    if inside >= MAX_DEPTH {
        return Err(PickleError::Deep);
    }
    Ok(Rc::new(Node { depth: inside + 1, value }))
}

/// Bytes of a pickle → the value that it leaves.
pub(crate) fn parse(bytes: &[u8]) -> Result<Value, PickleError> {
    let mut machine = Machine { bytes, at: 0, stack: Vec::new(), marks: Vec::new(), memo: Vec::new(), made: 0 };
    loop {
        let start = machine.at;
        let code = machine.byte()?;
        if code == b'.' {
            return machine.pop();
        }
        machine.step(code, start)?;
    }
}

struct Machine<'a> {
    bytes: &'a [u8],
    at: usize,
    stack: Vec<Value>,
    marks: Vec<usize>,
    memo: Vec<Option<Value>>,
    made: usize,
}

impl<'a> Machine<'a> {
    fn take(&mut self, n: usize) -> Result<&'a [u8], PickleError> {
        let end = self.at.checked_add(n).filter(|&end| end <= self.bytes.len());
        let piece = &self.bytes[self.at..end.ok_or(PickleError::Truncated(self.bytes.len()))?];
        self.at += n;
        Ok(piece)
    }

    fn byte(&mut self) -> Result<u8, PickleError> {
        Ok(self.take(1)?[0])
    }

    /// A little-endian number of up to 8 bytes.
    fn number(&mut self, width: usize) -> Result<u64, PickleError> {
        Ok(self.take(width)?.iter().rev().fold(0, |n, &b| n << 8 | u64::from(b)))
    }

    fn line(&mut self) -> Result<String, PickleError> {
        let rest = &self.bytes[self.at..];
        let length = rest.iter().position(|&b| b == b'\n').ok_or(PickleError::Truncated(self.bytes.len()))?;
        self.at += length + 1;
        Ok(String::from_utf8_lossy(&rest[..length]).into_owned())
    }

    fn text(&mut self, width: usize) -> Result<Value, PickleError> {
        let length = usize::try_from(self.number(width)?).unwrap_or(usize::MAX);
        Ok(Value::Text(String::from_utf8_lossy(self.take(length)?).into()))
    }

    fn push(&mut self, value: Value) -> Result<(), PickleError> {
        self.made += 1;
        if self.made > MAX_VALUES {
            return Err(PickleError::Many);
        }
        self.stack.push(value);
        Ok(())
    }

    fn pop(&mut self) -> Result<Value, PickleError> {
        self.stack.pop().ok_or(PickleError::Stack(self.at))
    }

    fn top(&self) -> Result<&Value, PickleError> {
        self.stack.last().ok_or(PickleError::Stack(self.at))
    }

    fn since_mark(&mut self) -> Result<Vec<Value>, PickleError> {
        let mark = self.marks.pop().filter(|&mark| mark <= self.stack.len()).ok_or(PickleError::Stack(self.at))?;
        Ok(self.stack.split_off(mark))
    }

    fn push_sequence(&mut self, values: Vec<Value>) -> Result<(), PickleError> {
        let inside = values.iter().map(Value::depth).max().unwrap_or(0);
        let sequence = Value::Sequence(node(values, inside)?);
        self.push(sequence)
    }

    fn last(&mut self, n: usize) -> Result<Vec<Value>, PickleError> {
        let from = self.stack.len().checked_sub(n).ok_or(PickleError::Stack(self.at))?;
        Ok(self.stack.split_off(from))
    }

    fn remember(&mut self, index: u64) -> Result<(), PickleError> {
        let index = usize::try_from(index).ok().filter(|&i| i < MAX_VALUES).ok_or(PickleError::Many)?;
        let value = self.top()?.clone();
        if index >= self.memo.len() {
            self.memo.resize(index + 1, None);
        }
        self.memo[index] = Some(value);
        Ok(())
    }

    fn recall(&mut self, index: u64) -> Result<(), PickleError> {
        let at = self.at;
        let value = usize::try_from(index).ok().and_then(|i| self.memo.get(i)?.clone());
        self.push(value.ok_or(PickleError::Stack(at))?)
    }

    /// Puts pairs into the dictionary on the stack; what a built object gets is dropped.
    fn put(&mut self, values: Vec<Value>) -> Result<(), PickleError> {
        let Value::Dictionary(pairs) = self.top()?.clone() else { return Ok(()) };
        let mut values = values.into_iter();
        while let (Some(key), Some(value)) = (values.next(), values.next()) {
            if value.depth() >= MAX_DEPTH || matches!(&value, Value::Dictionary(inner) if Rc::ptr_eq(inner, &pairs)) {
                return Err(PickleError::Deep);
            }
            pairs.borrow_mut().push((key, value));
        }
        Ok(())
    }

    fn call(&mut self) -> Result<(), PickleError> {
        let (arguments, callee) = (self.pop()?, self.pop()?);
        if matches!(&callee, Value::Global(name) if &**name == "collections.OrderedDict") {
            return self.push(Value::Dictionary(Rc::default()));
        }
        let inside = arguments.depth().max(callee.depth());
        let call = Value::Call(node((callee, arguments), inside)?);
        self.push(call)
    }

    /// Appends to a list: only numbers and names are ever in lists of a state dict, so they are dropped.
    fn drop_values(&mut self, _: Vec<Value>) -> Result<(), PickleError> {
        self.top().map(drop)
    }

    fn step(&mut self, code: u8, start: usize) -> Result<(), PickleError> {
        match code {
            0x80 => self.take(1).map(drop),
            0x95 => self.take(8).map(drop),
            b'(' => {
                self.marks.push(self.stack.len());
                Ok(())
            }
            b'0' => self.pop().map(drop),
            b'q' | b'r' => {
                let index = self.number(if code == b'q' { 1 } else { 4 })?;
                self.remember(index)
            }
            0x94 => self.remember(self.memo.len() as u64),
            b'h' | b'j' => {
                let index = self.number(if code == b'h' { 1 } else { 4 })?;
                self.recall(index)
            }
            _ => self.make(code, start),
        }
    }

    /// Instructions that make values of what stands in the pickle.
    fn make(&mut self, code: u8, start: usize) -> Result<(), PickleError> {
        let value = match code {
            b'N' => Value::None,
            0x88 | 0x89 => Value::Other,
            b'K' => Value::Int(self.number(1)? as i64),
            b'M' => Value::Int(self.number(2)? as i64),
            b'J' => Value::Int(i64::from(self.number(4)? as u32 as i32)),
            0x8a => self.long()?,
            b'G' => {
                self.take(8)?;
                Value::Other
            }
            b'X' => self.text(4)?,
            0x8c => self.text(1)?,
            0x8d => self.text(8)?,
            b'c' => Value::Global(format!("{}.{}", self.line()?, self.line()?).into()),
            b'}' => Value::Dictionary(Rc::default()),
            _ => return self.combine(code, start),
        };
        self.push(value)
    }

    fn long(&mut self) -> Result<Value, PickleError> {
        let width = self.number(1)? as usize;
        let bytes = self.take(width)?;
        if width > 8 {
            return Ok(Value::Other);
        }
        let negative = bytes.last().is_some_and(|b| b & 0x80 != 0);
        let start = if negative { -1i64 } else { 0 };
        Ok(Value::Int(bytes.iter().rev().fold(start, |n, &b| n << 8 | i64::from(b))))
    }

    /// Instructions that make values of values.
    fn combine(&mut self, code: u8, start: usize) -> Result<(), PickleError> {
        match code {
            b')' | b']' => self.push_sequence(Vec::new()),
            0x85..=0x87 => {
                let values = self.last(usize::from(code - 0x84))?;
                self.push_sequence(values)
            }
            b't' => {
                let values = self.since_mark()?;
                self.push_sequence(values)
            }
            b'Q' => {
                let id = self.pop()?;
                let inside = id.depth();
                let persistent = Value::Persistent(node(id, inside)?);
                self.push(persistent)
            }
            b'R' | 0x81 => self.call(),
            b'b' => self.pop().map(drop),
            b's' => {
                let pair = self.last(2)?;
                self.put(pair)
            }
            b'u' => {
                let pairs = self.since_mark()?;
                self.put(pairs)
            }
            b'a' => {
                let value = self.last(1)?;
                self.drop_values(value)
            }
            b'e' => {
                let values = self.since_mark()?;
                self.drop_values(values)
            }
            0x93 => {
                let names = self.last(2)?;
                let (Some(module), Some(name)) = (names[0].text(), names[1].text()) else {
                    return Err(PickleError::Stack(self.at));
                };
                self.push(Value::Global(format!("{module}.{name}").into()))
            }
            _ => Err(PickleError::Instruction { code, at: start }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dictionary_of_numbers() {
        // pickle.dumps({"a": 1, "b": (2, -3)}, 2)
        let bytes =
            b"\x80\x02}q\x00(X\x01\x00\x00\x00aq\x01K\x01X\x01\x00\x00\x00bq\x02K\x02J\xfd\xff\xff\xff\x86q\x03u.";
        let Value::Dictionary(pairs) = parse(bytes).unwrap() else { panic!("a dictionary") };
        let pairs = pairs.borrow();
        assert_eq!(pairs[0].0.text(), Some("a"));
        assert_eq!(pairs[0].1.size(), Some(1));
        assert!(matches!(pairs[1].1.sequence().unwrap(), [Value::Int(2), Value::Int(-3)]));
    }

    #[test]
    fn damaged_and_hostile_pickles_are_refused() {
        assert_eq!(parse(b"\x80\x02").unwrap_err(), PickleError::Truncated(2));
        assert!(matches!(parse(b"."), Err(PickleError::Stack(_))));
        assert!(matches!(parse(b"\x80\x02i"), Err(PickleError::Instruction { code: b'i', at: 2 })));
        let nested = [b")".as_slice(), &[0x85; 1000], b"."].concat();
        assert_eq!(parse(&nested).unwrap_err(), PickleError::Deep);
        let text = b"X\xff\xff\xff\xff.";
        assert!(matches!(parse(text), Err(PickleError::Truncated(_))));
    }
}
