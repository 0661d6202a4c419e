//! How many clusters: a number, or the clusterer's own choice.

use serde::{Deserialize, Serialize};

/// The parameter `k` of a clusterer; written `"auto"` or as a number from 1.
///
/// ```
/// use segcut_core::ClusterCount;
/// assert_eq!(ClusterCount::default(), ClusterCount::Auto);
/// assert_eq!(ClusterCount::Fixed(3).fixed(), Some(3));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(try_from = "Written", into = "Written")]
pub enum ClusterCount {
    /// The clusterer chooses.
    #[default]
    Auto,
    /// This many, at least 1.
    Fixed(usize),
}

impl ClusterCount {
    /// The number, where there is one.
    pub fn fixed(self) -> Option<usize> {
        match self {
            Self::Auto => None,
            Self::Fixed(k) => Some(k),
        }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(untagged, expecting = "k must be \"auto\" or a number from 1")]
enum Written {
    Number(i64),
    Word(String),
}

impl TryFrom<Written> for ClusterCount {
    type Error = &'static str;

    fn try_from(written: Written) -> Result<Self, Self::Error> {
        match written {
            Written::Number(k) if k >= 1 => Ok(Self::Fixed(k as usize)),
            Written::Word(word) if word == "auto" => Ok(Self::Auto),
            _ => Err("k must be \"auto\" or a number from 1"),
        }
    }
}

impl From<ClusterCount> for Written {
    fn from(count: ClusterCount) -> Self {
        match count {
            ClusterCount::Auto => Self::Word("auto".into()),
            ClusterCount::Fixed(k) => Self::Number(k as i64),
        }
    }
}
