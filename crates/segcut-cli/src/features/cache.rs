//! Network features kept on disk, by the content of the image and everything that makes them.

use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};
use segcut::Vit;
use segcut_core::{Context, FeatureExtractor, FeatureMap, Features, Grid, Image, Samples, StageError};
use segcut_io::atomic;
use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};

/// Changes where features of the same settings come out otherwise, or files have another form.
const FORM: &str = concat!("segcut ", env!("CARGO_PKG_VERSION"), " features 1");

/// A network whose features are looked for in a folder first, and stored there.
///
/// A file's name is the SHA-256 of the image's size and samples, of every setting of the extractor and of its weights,
/// so recipes that differ do not mix and no file is ever out of date. Files are written under another name and
/// renamed: runs may share a folder. A file that cannot be read as features is made again.
pub struct CachedVit {
    vit: Vit,
    folder: PathBuf,
    /// Hash of everything but the image.
    settings: Sha256,
}

impl CachedVit {
    /// The same network with a folder, which exists.
    pub fn new(vit: Vit, folder: PathBuf) -> Self {
        let mut params = vit.params().clone();
        // The digest says which weights they are; what they are called does not matter.
        params.weights.clear();
        // Where a processor lacks a precision, it computes in another one.
        let precise = params.precision.is_fast();
        let settings = Sha256::new_with_prefix(format!("{FORM}\n{params:?} {precise}\n"));
        Self { vit, folder, settings }
    }

    fn file(&self, image: &Image) -> PathBuf {
        let mut hash = self.settings.clone();
        let (height, width, channels) = (image.height(), image.width(), image.channels());
        hash.update(format!("{height} {width} {channels}\n"));
        match image.samples() {
            Samples::U8(values) => hash.update(values),
            Samples::U16(values) => update(&mut hash, "u16\n", values, |v| v.to_le_bytes()),
            Samples::F32(values) => update(&mut hash, "f32\n", values, |v| v.to_le_bytes()),
        }
        let name: String = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        self.folder.join(&name[..2]).join(format!("{}.safetensors", &name[2..]))
    }

    fn stored(&self, image: &Image) -> Option<Features<'static>> {
        decode(&std::fs::read(self.file(image)).ok()?)
    }
}

/// A folder that takes no more files costs the next run time and nothing else.
fn store(file: &Path, features: &Features<'_>) {
    if let Some(bytes) = encode(features) {
        let _ = atomic::write(file, &bytes);
    }
}

fn update<T: Copy, const N: usize>(hash: &mut Sha256, kind: &str, values: &[T], bytes: impl Fn(T) -> [u8; N]) {
    hash.update(kind);
    for block in values.chunks(1 << 14) {
        hash.update(block.iter().flat_map(|&v| bytes(v)).collect::<Vec<u8>>());
    }
}

/// `vit` (rows × columns × numbers), `attention` (rows × columns) and `grid` (step and origin, rows first).
fn encode(features: &Features<'_>) -> Option<Vec<u8>> {
    let ([map], Some(attention)) = (&features.maps[..], &features.attention) else { return None };
    let Grid { rows, cols, step, origin } = *map.grid();
    let bytes = |values: &[f32]| values.iter().flat_map(|v| v.to_le_bytes()).collect::<Vec<u8>>();
    let place: Vec<u8> = step.iter().chain(&origin).flat_map(|v| v.to_le_bytes()).collect();
    let (vit, attention) = (bytes(map.held_values()?), bytes(attention.held_values()?));
    let tensors = [
        ("vit", TensorView::new(Dtype::F32, vec![rows, cols, map.dims()], &vit).ok()?),
        ("attention", TensorView::new(Dtype::F32, vec![rows, cols], &attention).ok()?),
        ("grid", TensorView::new(Dtype::F64, vec![4], &place).ok()?),
    ];
    safetensors::serialize(tensors, None).ok()
}

fn decode(bytes: &[u8]) -> Option<Features<'static>> {
    let file = SafeTensors::deserialize(bytes).ok()?;
    let (vit, attention, place) = (file.tensor("vit").ok()?, file.tensor("attention").ok()?, file.tensor("grid").ok()?);
    let &[rows, cols, dims] = vit.shape() else { return None };
    let kinds = [vit.dtype(), attention.dtype(), place.dtype()];
    if kinds != [Dtype::F32, Dtype::F32, Dtype::F64] || place.shape() != [4] {
        return None;
    }
    let f32s = |view: &TensorView<'_>| {
        view.data().chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect::<Vec<_>>()
    };
    let mut place = place.data().chunks_exact(8).map(|b| f64::from_le_bytes(std::array::from_fn(|i| b[i])));
    let mut next = || place.next().filter(|v| v.is_finite());
    let grid = Grid { rows, cols, step: [next()?, next()?], origin: [next()?, next()?] };
    let map = FeatureMap::held("vit", grid, dims, f32s(&vit)).ok()?;
    let attention = FeatureMap::held("attention", grid, 1, f32s(&attention)).ok()?;
    Some(Features { maps: vec![map], attention: Some(attention) })
}

impl FeatureExtractor for CachedVit {
    fn extract<'a>(&self, images: &'a [Image], context: &Context) -> Result<Vec<Features<'a>>, StageError> {
        let mut all: Vec<Features<'a>> = Vec::with_capacity(images.len());
        while let Some(image) = images.get(all.len()) {
            if let Some(stored) = self.stored(image) {
                all.push(stored);
                continue;
            }
            let rest = &images[all.len()..];
            let missing = rest.iter().take_while(|image| !self.file(image).is_file()).count().max(1);
            let made = self.vit.extract(&rest[..missing], context)?;
            rest.iter().zip(&made).for_each(|(image, features)| store(&self.file(image), features));
            all.extend(made);
        }
        Ok(all)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn features_come_back_bit_by_bit_and_damage_is_noticed() {
        let grid = Grid { rows: 1, cols: 2, step: [8.1, 8.2], origin: [3.5, 1.0 / 3.0] };
        let map = FeatureMap::held("vit", grid, 3, vec![0.1, -2.0, 3.0, 4.0, 5.0, 1e-30]).unwrap();
        let attention = FeatureMap::held("attention", grid, 1, vec![0.25, 0.75]).unwrap();
        let bytes = encode(&Features { maps: vec![map], attention: Some(attention) }).unwrap();
        let back = decode(&bytes).unwrap();
        assert_eq!((back.maps[0].grid(), back.maps[0].dims()), (&grid, 3));
        assert_eq!(back.maps[0].held_values().unwrap(), [0.1, -2.0, 3.0, 4.0, 5.0, 1e-30]);
        assert_eq!(back.attention.unwrap().held_values().unwrap(), [0.25, 0.75]);
        for cut in [0, 7, bytes.len() / 2, bytes.len() - 1] {
            assert!(decode(&bytes[..cut]).is_none());
        }
    }
}
