use super::*;
use proptest::prelude::*;

/// Reads frames until one is refused or there are none; what was understood.
async fn frames<T: for<'de> Deserialize<'de>>(mut octets: &[u8]) -> Vec<(T, Vec<u8>)> {
    let mut understood = Vec::new();
    while let Ok(Some(frame)) = read::<T>(&mut octets).await {
        understood.push(frame);
    }
    understood
}

fn on_a_thread<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    runtime.expect("a runtime").block_on(work)
}

fn framed(words: &[u8], raw: &[u8]) -> Vec<u8> {
    let length = |octets: &[u8]| u32::try_from(octets.len()).expect("short").to_le_bytes();
    [&length(words)[..], &length(raw), words, raw].concat()
}

fn faults() -> impl Strategy<Value = FaultWire> {
    let place = (any::<Option<String>>(), any::<Option<u64>>());
    (
        any::<String>(),
        any::<u8>(),
        any::<u8>(),
        place,
        any::<String>(),
    )
        .prop_map(
            |(code, reach, remedy, (mailbox, message), detail)| FaultWire {
                code,
                reach,
                remedy,
                mailbox,
                message,
                file: None,
                detail,
            },
        )
}

fn letters() -> impl Strategy<Value = LetterWire> {
    let flags = prop::collection::vec(any::<String>(), 0..4);
    let date = any::<Option<(i64, i16)>>();
    (any::<u64>(), flags, date, any::<u64>(), any::<bool>()).prop_map(
        |(key, flags, date, octets, whole)| LetterWire {
            key,
            flags,
            date,
            octets,
            whole,
        },
    )
}

fn items() -> impl Strategy<Value = Vec<Result<LetterWire, FaultWire>>> {
    let item = prop_oneof![letters().prop_map(Ok), faults().prop_map(Err)];
    prop::collection::vec(item, 0..5)
}

proptest! {
    /// Octets of any kind are understood or refused; nothing panics, and nothing is understood of nothing.
    #[test]
    fn any_octets_are_read(octets in prop::collection::vec(any::<u8>(), 0..600)) {
        on_a_thread(async {
            frames::<Ask>(&octets).await;
            frames::<Answer>(&octets).await;
        });
    }

    /// The same behind true lengths, where the words are looked at.
    #[test]
    fn any_words_are_read(words in ".{0,200}", raw in prop::collection::vec(any::<u8>(), 0..50)) {
        let octets = framed(words.as_bytes(), &raw);
        on_a_thread(async {
            frames::<Ask>(&octets).await;
            frames::<Answer>(&octets).await;
        });
    }

    /// What is written is read, octet for octet, and its faults and dates can be looked at.
    #[test]
    fn what_is_written_is_read(
        items in items(), end: bool, raw in prop::collection::vec(any::<u8>(), 0..500)
    ) {
        let said = Answer::Letters { items: items.clone(), end };
        let mut octets = Vec::new();
        let read = on_a_thread(async {
            write(&mut octets, &said, &raw).await.expect("written");
            frames::<Answer>(&octets).await
        });
        prop_assert_eq!(read, vec![(said, raw)]);
        for item in items {
            match item {
                Ok(letter) => {
                    let again = flags_in(&flags_out(&flags_in(&letter.flags)));
                    prop_assert_eq!(again, flags_in(&letter.flags));
                    let date = letter.date.and_then(date_in);
                    prop_assert_eq!(date.map(date_out), letter.date.filter(|d| d.1.abs() < 1440));
                }
                Err(fault) => {
                    let again = FaultWire::from(&fault.fault());
                    prop_assert_eq!(again.fault(), fault.fault().clone_short());
                }
            }
        }
    }

    /// No set of keys can make anybody count further than there are numbers.
    #[test]
    fn keys_stay_countable(text in "[0-9:,]{0,60}") {
        if let Some(keys) = keys_in(&text) {
            prop_assert!(keys.len() <= (1 << 62) + 1);
        }
    }
}

/// As it comes back: the log gets a thousand characters.
trait Short {
    fn clone_short(&self) -> Fault;
}

impl Short for Fault {
    fn clone_short(&self) -> Fault {
        let mut fault = self.clone();
        fault.detail = fault.detail.chars().take(1_000).collect();
        fault
    }
}

#[test]
fn a_frame_beyond_the_limits_is_refused_before_anything_is_kept() {
    for (words, raw) in [(MOST_WORDS + 1, 0), (0, MOST_RAW + 1), (u32::MAX, u32::MAX)] {
        let octets = [words.to_le_bytes(), raw.to_le_bytes()].concat();
        let read = on_a_thread(async { read::<Ask>(&mut octets.as_slice()).await });
        assert_eq!(
            read.expect_err("too large").kind(),
            io::ErrorKind::InvalidData
        );
    }
    let too_much = vec![0; MOST_RAW as usize + 1];
    let written = on_a_thread(write(&mut Vec::new(), &Answer::Piece, &too_much));
    assert_eq!(
        written.expect_err("too large").kind(),
        io::ErrorKind::InvalidInput
    );
}

#[test]
fn a_frame_that_breaks_off_is_no_frame() {
    let whole = framed(b"\"folders\"", b"xyz");
    for length in 1..whole.len() {
        let read = on_a_thread(async { read::<Ask>(&mut &whole[..length]).await });
        assert_eq!(
            read.expect_err("broken off").kind(),
            io::ErrorKind::UnexpectedEof,
            "{length}"
        );
    }
    let came = on_a_thread(async { read::<Ask>(&mut &whole[..]).await });
    assert_eq!(came.expect("whole"), Some((Ask::Folders, b"xyz".to_vec())));
    let nothing = on_a_thread(async { read::<Ask>(&mut &[][..]).await });
    assert_eq!(nothing.expect("an end"), None);
}
