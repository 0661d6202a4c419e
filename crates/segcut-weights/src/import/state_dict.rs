//! Values of a pickle → the tensors that they describe.

use super::pickle::Value;
use super::storage_type;
use safetensors::Dtype;

/// Dictionaries inside dictionaries at most.
const MAX_LEVELS: usize = 8;

/// One tensor of a state dict.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Entry {
    pub name: String,
    pub dtype: Dtype,
    /// Name of the stored bytes.
    pub storage: String,
    /// First number in them.
    pub offset: usize,
    pub shape: Vec<usize>,
    pub strides: Vec<usize>,
}

impl Entry {
    /// Bytes of one value.
    pub fn item_bytes(&self) -> usize {
        self.dtype.bitsize() / 8
    }

    /// Bytes of the tensor without gaps; none where they overflow.
    pub fn bytes(&self) -> Option<u64> {
        let count = self.shape.iter().try_fold(1usize, |n, &length| n.checked_mul(length))?;
        count.checked_mul(self.item_bytes()).map(|bytes| bytes as u64)
    }
}

/// Tensors of a dictionary and of those inside it, names joined by points.
pub(crate) fn entries(value: &Value) -> Vec<Entry> {
    let mut found = Vec::new();
    collect(value, "", 0, &mut found);
    found
}

fn collect(value: &Value, name: &str, level: usize, found: &mut Vec<Entry>) {
    match value {
        Value::Dictionary(pairs) if level < MAX_LEVELS => {
            for (key, value) in pairs.borrow().iter() {
                let Some(key) = key.text() else { continue };
                let joined = if name.is_empty() { key.to_string() } else { format!("{name}.{key}") };
                collect(value, &joined, level + 1, found);
            }
        }
        _ => found.extend(tensor(value, name)),
    }
}

/// `torch._utils._rebuild_tensor_v2(storage, offset, size, stride, …)`, also inside a parameter.
fn tensor(value: &Value, name: &str) -> Option<Entry> {
    let Value::Call(call) = value else { return None };
    let (Value::Global(callee), Some(arguments)) = (&call.value.0, call.value.1.sequence()) else { return None };
    match &**callee {
        "torch._utils._rebuild_parameter" => tensor(arguments.first()?, name),
        "torch._utils._rebuild_tensor_v2" => {
            let [storage, offset, shape, strides, ..] = arguments else { return None };
            let (dtype, storage) = storage_of(storage)?;
            let sizes = |value: &Value| value.sequence()?.iter().map(Value::size).collect::<Option<Vec<_>>>();
            let (shape, strides) = (sizes(shape)?, sizes(strides)?);
            let offset = offset.size()?;
            (shape.len() == strides.len()).then(|| Entry {
                name: name.to_string(),
                dtype,
                storage,
                offset,
                shape,
                strides,
            })
        }
        _ => None,
    }
}

/// `("storage", torch.FloatStorage, key, device, length)`.
fn storage_of(value: &Value) -> Option<(Dtype, String)> {
    let Value::Persistent(id) = value else { return None };
    let [_, Value::Global(kind), key, ..] = id.value.sequence()? else { return None };
    let key = key.text()?;
    let plain = !key.is_empty() && key.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    Some((storage_type(kind.strip_prefix("torch.")?)?, plain.then(|| key.to_string())?))
}
