//! Uncompressed TIFFs of every layout.

/// What to write; `value(row, column, channel)` gives the samples.
pub struct TiffFile<'a> {
    pub big_tiff: bool,
    pub big_endian: bool,
    pub size: (usize, usize),
    pub channels: usize,
    pub bytes: usize,
    pub sample_format: u16,
    pub photometric: u16,
    pub planar: bool,
    pub tile: Option<(usize, usize)>,
    pub extra: &'a [(u16, Vec<u16>)],
    pub nodata: Option<&'a str>,
    pub pages: usize,
    pub value: &'a dyn Fn(usize, usize, usize) -> f64,
}

impl Default for TiffFile<'_> {
    fn default() -> Self {
        Self {
            big_tiff: false,
            big_endian: false,
            size: (5, 7),
            channels: 1,
            bytes: 1,
            sample_format: 1,
            photometric: 1,
            planar: false,
            tile: None,
            extra: &[],
            nodata: None,
            pages: 1,
            value: &|y, x, c| (y * 20 + x * 3 + c) as f64,
        }
    }
}

impl TiffFile<'_> {
    pub fn write(&self) -> Vec<u8> {
        let mut out = if self.big_endian { b"MM".to_vec() } else { b"II".to_vec() };
        out.extend(self.word(if self.big_tiff { 43 } else { 42 }, 2));
        if self.big_tiff {
            out.extend([self.word(8, 2), self.word(0, 2)].concat());
        }
        for _ in 0..self.pages {
            self.page(&mut out);
        }
        out.extend(self.word(0, self.wide()));
        out
    }

    fn wide(&self) -> usize {
        if self.big_tiff { 8 } else { 4 }
    }

    /// The offset field was just reached: data, out-of-line values and the directory follow it.
    fn page(&self, out: &mut Vec<u8>) {
        let hole = out.len();
        out.extend(vec![0; self.wide()]);
        let (mut offsets, mut lengths) = (Vec::new(), Vec::new());
        for chunk in self.chunks() {
            offsets.push(out.len());
            lengths.push(chunk.len());
            out.extend(chunk);
        }
        let short = |values: &[usize]| (3usize, 2usize, values.to_vec());
        let (h, w) = self.size;
        let mut tags = vec![
            (256, short(&[w])),
            (257, short(&[h])),
            (258, short(&vec![self.bytes * 8; self.channels])),
            (259, short(&[1])),
            (262, short(&[usize::from(self.photometric)])),
            (277, short(&[self.channels])),
            (284, short(&[if self.planar { 2 } else { 1 }])),
            (339, short(&vec![usize::from(self.sample_format); self.channels])),
        ];
        match self.tile {
            Some((th, tw)) => {
                tags.extend([(322, short(&[tw])), (323, short(&[th])), (324, (4, 4, offsets)), (325, (4, 4, lengths))])
            }
            None => tags.extend([(273, (4, 4, offsets)), (278, short(&[h])), (279, (4, 4, lengths))]),
        }
        if let Some(text) = self.nodata {
            tags.push((42113, (2, 1, text.bytes().chain([0]).map(usize::from).collect())));
        }
        for (tag, values) in self.extra {
            tags.push((*tag, short(&values.iter().map(|&v| usize::from(v)).collect::<Vec<_>>())));
        }
        tags.sort();
        let mut directory = self.word(tags.len(), if self.big_tiff { 8 } else { 2 });
        for (tag, (kind, size, values)) in tags {
            directory
                .extend([self.word(tag.into(), 2), self.word(kind, 2), self.word(values.len(), self.wide())].concat());
            let mut bytes: Vec<u8> = values.iter().flat_map(|&v| self.word(v, size)).collect();
            if bytes.len() > self.wide() {
                let at = out.len();
                out.extend(bytes);
                bytes = self.word(at, self.wide());
            }
            bytes.resize(self.wide(), 0);
            directory.extend(bytes);
        }
        let at = self.word(out.len(), self.wide());
        out[hole..hole + at.len()].copy_from_slice(&at);
        out.extend(directory);
    }

    /// Strips or tiles in file order; tiles are padded with 0.
    fn chunks(&self) -> Vec<Vec<u8>> {
        let (h, w) = self.size;
        let (th, tw) = self.tile.unwrap_or((h, w));
        let planes: Vec<Vec<usize>> = if self.planar {
            (0..self.channels).map(|c| vec![c]).collect()
        } else {
            vec![(0..self.channels).collect()]
        };
        let mut chunks = Vec::new();
        for plane in &planes {
            let corners = (0..h).step_by(th).flat_map(|y| (0..w).step_by(tw).map(move |x| (y, x)));
            chunks.extend(corners.map(|corner| self.chunk(corner, (th, tw), plane)));
        }
        chunks
    }

    fn chunk(&self, (top, left): (usize, usize), (height, width): (usize, usize), plane: &[usize]) -> Vec<u8> {
        let inside = |y, x| y < self.size.0 && x < self.size.1;
        let pixels = (top..top + height).flat_map(|y| (left..left + width).map(move |x| (y, x)));
        let values = pixels
            .flat_map(|(y, x)| plane.iter().map(move |&c| if inside(y, x) { (self.value)(y, x, c) } else { 0.0 }));
        values.flat_map(|value| self.sample(value)).collect()
    }

    fn sample(&self, value: f64) -> Vec<u8> {
        let little = match (self.sample_format, self.bytes) {
            (3, 4) => (value as f32).to_le_bytes().to_vec(),
            (3, _) => value.to_le_bytes().to_vec(),
            (2, n) => (value as i64).to_le_bytes()[..n].to_vec(),
            (_, n) => (value as u64).to_le_bytes()[..n].to_vec(),
        };
        if self.big_endian { little.into_iter().rev().collect() } else { little }
    }

    fn word(&self, value: usize, bytes: usize) -> Vec<u8> {
        let little = (value as u64).to_le_bytes()[..bytes].to_vec();
        if self.big_endian { little.into_iter().rev().collect() } else { little }
    }
}
