//! Sums over rows: what was written is what is read, or it is damage.
//!
//! SQLite checks the shape of its pages and nothing of what they say. A flipped bit in a key would turn one message's
//! record into another's, and that message would be taken for copied (fault 32, ADR 0010).

use hikyaku_core::Fault;

use crate::fault;
use crate::link::Value;

/// The sum over values, in their order.
pub(crate) fn of(values: &[Value<'_>]) -> i64 {
    let mut octets = Vec::with_capacity(256);
    for value in values {
        match *value {
            Value::Int(number) | Value::Maybe(Some(number)) => {
                octets.push(1);
                octets.extend(number.to_le_bytes());
            }
            Value::Maybe(None) => octets.push(0),
            Value::Text(text) => block(&mut octets, 2, text.as_bytes()),
            Value::Blob(blob) => block(&mut octets, 3, blob),
        }
    }
    let hash = blake3::hash(&octets);
    let mut first = [0; 8];
    first.copy_from_slice(&hash.as_bytes()[..8]);
    i64::from_le_bytes(first)
}

/// Its length stands before it, so that no two lists of values have the same octets.
fn block(octets: &mut Vec<u8>, kind: u8, block: &[u8]) {
    octets.push(kind);
    octets.extend((block.len() as u64).to_le_bytes());
    octets.extend(block);
}

/// Compares what was read with the sum beside it. Rows of the first schemas have none.
pub(crate) fn check(table: &str, sum: Option<i64>, values: &[Value<'_>]) -> Result<(), Fault> {
    match sum {
        Some(sum) if sum != of(values) => Err(mismatch(table)),
        _ => Ok(()),
    }
}

/// A row and its sum do not fit.
pub(crate) fn mismatch(table: &str) -> Fault {
    fault::damaged(format!(
        "a row of the ledger's table {table} is not as it was written"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use hikyaku_core::Code;

    #[test]
    fn every_value_its_kind_and_its_place_count() {
        let lists: [&[Value<'_>]; 9] = [
            &[],
            &[Value::Int(0)],
            &[Value::Maybe(None)],
            &[Value::Int(1), Value::Int(2)],
            &[Value::Int(2), Value::Int(1)],
            &[Value::Text("ab"), Value::Text("c")],
            &[Value::Text("a"), Value::Text("bc")],
            &[Value::Blob(b"ab"), Value::Blob(b"c")],
            &[Value::Text("abc")],
        ];
        for (at, one) in lists.iter().enumerate() {
            check("x", Some(of(one)), one).expect("as it was written");
            check("x", None, one).expect("of a schema without sums");
            for other in &lists[at + 1..] {
                let fault = check("message", Some(of(other)), one).expect_err("another list");
                assert_eq!(fault.code, Code::LedgerDamaged);
                assert!(fault.detail.contains("message"), "{fault}");
            }
        }
        assert_eq!(of(&[Value::Maybe(Some(7))]), of(&[Value::Int(7)]));
    }

    /// Sums are stored: they must never change.
    #[test]
    fn a_sum_is_the_same_for_ever() {
        let values = [
            Value::Int(-1),
            Value::Text("受信箱"),
            Value::Blob(&[0, 255]),
        ];
        let mut octets = vec![1];
        octets.extend([255; 8]);
        octets.extend([2, 9, 0, 0, 0, 0, 0, 0, 0]);
        octets.extend("受信箱".as_bytes());
        octets.extend([3, 2, 0, 0, 0, 0, 0, 0, 0, 0, 255]);
        let hash = blake3::hash(&octets);
        assert_eq!(of(&values).to_le_bytes(), hash.as_bytes()[..8]);
    }
}
