//! What all fuzz targets have in common. The properties themselves stand beside what they are
//! about (`crates/*/src/properties.rs`), where the tests call them too.

use rustix::time::{ClockId, clock_gettime};

/// Longest time for one input.
const LONGEST_MILLIS: i64 = 1_000;

/// Tries a property.
///
/// # Panics
/// Where it does not hold, and where it takes more than a second of this process's
/// processor time: the fuzzer's own clock runs on while others have the processor.
pub fn holds<T>(property: fn(&[u8]) -> T, octets: &[u8]) {
    let start = millis();
    property(octets);
    let spent = millis() - start;
    assert!(spent <= LONGEST_MILLIS, "{spent} ms for one input");
}

fn millis() -> i64 {
    let now = clock_gettime(ClockId::ProcessCPUTime);
    now.tv_sec * 1_000 + now.tv_nsec / 1_000_000
}
