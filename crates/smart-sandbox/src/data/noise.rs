//! Variation that is the same each time: a hash of where a value stands, not chance.

/// A number from -1 to 1 for a place in the data set.
pub(super) fn noise(patient: &str, series: &str, index: usize) -> f64 {
    // FNV-1a, with a final mixing so that neighbours differ.
    let mut hash: u32 = 0x811c_9dc5;
    for byte in patient.bytes().chain(series.bytes()).chain(index.to_le_bytes()) {
        hash = (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193);
    }
    hash ^= hash >> 15;
    hash = hash.wrapping_mul(0x2c1b_3c6d);
    hash ^= hash >> 12;
    f64::from(hash % 2001) / 1000.0 - 1.0
}
