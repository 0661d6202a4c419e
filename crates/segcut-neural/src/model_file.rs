//! Named arrays ↔ the file of a trained model. Names begin with the kind of the model and a point.

use ndarray::{Array1, Array2, ArrayView1, ArrayView2};
use safetensors::tensor::{Dtype, SafeTensors, TensorView, serialize};
use safetensors::{SafeTensorError, View};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io::{self, Write};
use thiserror::Error;

/// Why a file holds no model for these parameters.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ModelError {
    /// The header or the layout is damaged.
    #[error("the model's file is damaged: {0}")]
    Format(#[from] SafeTensorError),
    /// Arrays of another method.
    #[error("the file holds the array {found}: it is no model of the kind {wanted}")]
    Kind {
        /// The kind in the recipe.
        wanted: &'static str,
        /// An array of another kind.
        found: String,
    },
    /// An array is not there.
    #[error("the model has no array {name}")]
    Absent {
        /// The array.
        name: String,
    },
    /// An array has other sides than the parameters say.
    #[error("the model's array {name} is {found:?}, where {wanted:?} is needed")]
    Shape {
        /// The array.
        name: String,
        /// Its sides.
        found: Vec<usize>,
        /// The sides that fit.
        wanted: Vec<usize>,
    },
    /// A value is NaN or infinite.
    #[error("the model's array {name} has a value that is not finite")]
    NotFinite {
        /// The array.
        name: String,
    },
    /// Nodes with other features than those of training.
    #[error("the model reads {wanted} features per node, and these nodes have {found}")]
    Features {
        /// In training.
        wanted: usize,
        /// Here.
        found: usize,
    },
}

/// Named arrays of f64, written as safetensors; f32 values survive the way there and back.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct ModelFile {
    arrays: BTreeMap<String, Values>,
}

#[derive(Debug, Clone, PartialEq)]
struct Values {
    shape: Vec<usize>,
    values: Vec<f64>,
}

impl ModelFile {
    pub(crate) fn put_matrix<T: Copy + Into<f64>>(&mut self, name: impl Into<String>, matrix: ArrayView2<'_, T>) {
        let values = matrix.iter().map(|&x| x.into()).collect();
        self.arrays.insert(name.into(), Values { shape: matrix.shape().to_vec(), values });
    }

    pub(crate) fn put_vector<T: Copy + Into<f64>>(&mut self, name: impl Into<String>, vector: ArrayView1<'_, T>) {
        let values = vector.iter().map(|&x| x.into()).collect();
        self.arrays.insert(name.into(), Values { shape: vec![vector.len()], values });
    }

    fn get(&self, name: &str) -> Result<&Values, ModelError> {
        self.arrays.get(name).ok_or_else(|| ModelError::Absent { name: name.to_string() })
    }

    /// A matrix; a side of `None` may be any.
    pub(crate) fn matrix(&self, name: &str, sides: [Option<usize>; 2]) -> Result<Array2<f64>, ModelError> {
        let found = self.get(name)?;
        let fits = |(at, side): (usize, &Option<usize>)| side.is_none_or(|side| found.shape.get(at) == Some(&side));
        let wrong = || ModelError::Shape {
            name: name.to_string(),
            found: found.shape.clone(),
            wanted: sides.iter().map(|side| side.unwrap_or(0)).collect(),
        };
        let &[rows, cols] = &found.shape[..] else { return Err(wrong()) };
        if !sides.iter().enumerate().all(fits) {
            return Err(wrong());
        }
        Array2::from_shape_vec((rows, cols), found.values.clone()).map_err(|_| wrong())
    }

    /// A vector; a length of `None` may be any.
    pub(crate) fn vector(&self, name: &str, length: Option<usize>) -> Result<Array1<f64>, ModelError> {
        let found = self.get(name)?;
        if found.shape.len() != 1 || length.is_some_and(|length| found.values.len() != length) {
            let wanted = vec![length.unwrap_or(0)];
            return Err(ModelError::Shape { name: name.to_string(), found: found.shape.clone(), wanted });
        }
        Ok(Array1::from(found.values.clone()))
    }

    pub(crate) fn to_bytes(&self, kind: &str) -> io::Result<Vec<u8>> {
        let views = self.arrays.iter().map(|(name, values)| (format!("{kind}.{name}"), values));
        serialize(views, None).map_err(io::Error::other)
    }

    pub(crate) fn write(&self, kind: &str, out: &mut dyn Write) -> io::Result<()> {
        out.write_all(&self.to_bytes(kind)?)
    }

    /// Bytes → arrays of a model of this kind.
    pub(crate) fn read(kind: &'static str, bytes: &[u8]) -> Result<Self, ModelError> {
        let mut arrays = BTreeMap::new();
        for (full, view) in SafeTensors::deserialize(bytes)?.tensors() {
            let Some((_, name)) = full.split_once('.').filter(|(prefix, _)| *prefix == kind) else {
                return Err(ModelError::Kind { wanted: kind, found: full });
            };
            let values = numbers(&view).ok_or_else(|| ModelError::NotFinite { name: full.clone() })?;
            arrays.insert(name.to_string(), Values { shape: view.shape().to_vec(), values });
        }
        Ok(Self { arrays })
    }
}

/// Finite values of an f64 array; none where there is another number.
fn numbers(view: &TensorView<'_>) -> Option<Vec<f64>> {
    if view.dtype() != Dtype::F64 {
        return None;
    }
    let values = view.data().as_chunks::<8>().0.iter().map(|&bytes| f64::from_le_bytes(bytes));
    values.map(|x| x.is_finite().then_some(x)).collect()
}

impl View for &Values {
    fn dtype(&self) -> Dtype {
        Dtype::F64
    }

    fn shape(&self) -> &[usize] {
        &self.shape
    }

    fn data(&self) -> Cow<'_, [u8]> {
        self.values.iter().flat_map(|x| x.to_le_bytes()).collect()
    }

    fn data_len(&self) -> usize {
        8 * self.values.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn arrays_come_back_and_strangers_are_refused() {
        let mut file = ModelFile::default();
        file.put_matrix("a", array![[1.0f32, 0.1], [3.0, -4.0]].view());
        file.put_vector("b", array![0.1f64].view());
        let bytes = file.to_bytes("mine").unwrap();
        let back = ModelFile::read("mine", &bytes).unwrap();
        assert_eq!(back, file);
        assert_eq!(back.matrix("a", [None, Some(2)]).unwrap()[[0, 1]], f64::from(0.1f32));
        assert!(matches!(back.matrix("a", [Some(3), None]), Err(ModelError::Shape { .. })));
        assert!(matches!(back.vector("c", None), Err(ModelError::Absent { .. })));
        assert!(matches!(ModelFile::read("other", &bytes), Err(ModelError::Kind { .. })));
        for cut in [0, 5, bytes.len() - 1] {
            assert!(ModelFile::read("mine", &bytes[..cut]).is_err(), "{cut}");
        }
        file.put_vector("c", array![f64::NAN].view());
        let bytes = file.to_bytes("mine").unwrap();
        assert!(matches!(ModelFile::read("mine", &bytes), Err(ModelError::NotFinite { .. })));
    }
}
