//! Mork, the text database of `.msf` files, as far as it is needed: the cells of chosen
//! columns, row by row. Described in Mozilla's documentation of the format.

use std::collections::HashMap;

/// Octets that all values may come to for each octet of the file: a value that every row refers
/// to must not fill the memory. The cells that are wanted are a small part of any real file.
const MOST_TIMES: usize = 4;

/// Longest scope of a table, in letters; it stands in the key of each of its rows.
const MOST_SCOPE: usize = 64;

/// Longest number of a row, in letters.
const MOST_ID: usize = 64;

/// Octets of the file for each row with a cell that is wanted, at least: a message has some
/// twenty cells, and a row in memory costs more than `[1(^88=5)]` does.
const LEAST_ROW: usize = 32;

/// The chosen cells of one row, by column.
pub(crate) type Row = HashMap<&'static str, String>;

/// Reads the cells of the columns `wanted`. Rows that are told again are changed, as in
/// the file; what is damaged is passed over.
pub(crate) fn rows(octets: &[u8], wanted: &[&'static str]) -> HashMap<String, Row> {
    let mut reader = Reader {
        octets,
        at: 0,
        wanted,
        columns: HashMap::new(),
        values: HashMap::new(),
        rows: HashMap::new(),
        scope: String::new(),
        room: octets.len().saturating_mul(MOST_TIMES),
        most_rows: octets.len() / LEAST_ROW + 16,
    };
    reader.run();
    reader.rows
}

struct Reader<'a> {
    octets: &'a [u8],
    at: usize,
    wanted: &'a [&'static str],
    /// The wanted ones of the columns by their number.
    columns: HashMap<u32, &'static str>,
    /// Values by their number: where they stand.
    values: HashMap<u32, (usize, usize)>,
    rows: HashMap<String, Row>,
    /// Of the table that was begun last.
    scope: String,
    /// Octets that values may still come to.
    room: usize,
    /// Rows that may come.
    most_rows: usize,
}

impl Reader<'_> {
    fn peek(&self) -> Option<u8> {
        self.octets.get(self.at).copied()
    }

    fn run(&mut self) {
        let mut row = None;
        while let Some(octet) = self.peek() {
            self.at += 1;
            match octet {
                b'/' if self.peek() == Some(b'/') => self.skip_line(),
                b'<' => self.dictionary(),
                b'[' => row = Some(self.row_id()),
                b']' => row = None,
                // A table; what follows directly in braces of its own describes it.
                b'{' if self.peek() != Some(b'(') => self.scope = scope(self.word()),
                b'(' => self.cell(row.as_deref()),
                // Groups: `@$${1{@`.
                b'@' => self.group(),
                _ => {}
            }
        }
    }

    fn skip_line(&mut self) {
        let rest = &self.octets[self.at..];
        let end = memchr::memchr2(b'\n', b'\r', rest).unwrap_or(rest.len());
        self.at += end;
    }

    fn group(&mut self) {
        let rest = &self.octets[self.at..];
        if rest.starts_with(b"$$")
            && let Some(end) = memchr::memchr(b'@', &rest[..rest.len().min(64)])
        {
            self.at += end + 1;
        }
    }

    /// `<(80=x)(81=y)>`, or with `<(a=c)>` in front for the names of columns.
    fn dictionary(&mut self) {
        let mut is_columns = false;
        while let Some(octet) = self.peek() {
            self.at += 1;
            match octet {
                b'/' if self.peek() == Some(b'/') => self.skip_line(),
                b'>' => return,
                b'<' => {
                    let rest = &self.octets[self.at..];
                    let end = memchr::memchr(b'>', rest).unwrap_or(rest.len());
                    is_columns = memchr::memmem::find(&rest[..end], b"a=c").is_some();
                    self.at = (self.at + end + 1).min(self.octets.len());
                }
                b'(' => {
                    let number = self.hex();
                    let (from, to) = self.value();
                    let Some(number) = number else { continue };
                    // Behind `=`, which may stand on a line of its own.
                    let gap = self.octets.get(from..to).unwrap_or_default();
                    let from = from + gap.iter().take_while(|b| b.is_ascii_whitespace()).count();
                    let from = from + usize::from(self.octets.get(from) == Some(&b'='));
                    match is_columns {
                        true => {
                            let name = unescaped(self.octets.get(from..to).unwrap_or_default());
                            match self.column(&name) {
                                Some(wanted) => self.columns.insert(number, wanted),
                                None => self.columns.remove(&number),
                            };
                        }
                        false => {
                            self.values.insert(number, (from, to));
                        }
                    }
                }
                _ => {}
            }
        }
    }

    /// The row's number and scope, as text; a minus in front clears it.
    fn row_id(&mut self) -> String {
        let text = String::from_utf8_lossy(self.word()).into_owned();
        let (is_cleared, text) = match text.trim().strip_prefix('-') {
            Some(text) => (true, text),
            None => (false, text.trim()),
        };
        let (id, own) = text.split_once(':').unwrap_or((text, &self.scope));
        let short = |text: &str, most| -> String {
            let letters = text.chars().take(most);
            letters.map(|letter| letter.to_ascii_uppercase()).collect()
        };
        let key = format!("{} {}", short(id, MOST_ID), short(own, MOST_SCOPE));
        if is_cleared {
            self.rows.remove(&key);
        }
        key
    }

    /// What stands in front of the next bracket.
    fn word(&mut self) -> &[u8] {
        let start = self.at;
        while let Some(octet) = self.peek() {
            if matches!(octet, b'(' | b']' | b'[' | b'<' | b'{' | b'}') {
                break;
            }
            self.at += 1;
        }
        &self.octets[start..self.at]
    }

    /// `(^88=5)`, `(^88^91)`, `(name=5)`.
    fn cell(&mut self, row: Option<&str>) {
        let column = match self.peek() {
            Some(b'^') => {
                self.at += 1;
                let number = self.hex();
                number.and_then(|n| self.columns.get(&n).copied())
            }
            _ => {
                let start = self.at;
                while self
                    .peek()
                    .is_some_and(|b| !matches!(b, b'=' | b'^' | b')' | b'('))
                {
                    self.at += 1;
                }
                self.column(&self.octets[start..self.at])
            }
        };
        let (from, to) = self.value();
        let (Some(column), Some(row)) = (column, row) else {
            return;
        };
        let raw = match self.octets.get(from) {
            Some(b'=') => self.octets.get(from + 1..to),
            Some(b'^') => {
                let digits = self.octets.get(from + 1..to).unwrap_or_default();
                let number = hex(digits).0;
                let place = number.and_then(|n| self.values.get(&n));
                place.and_then(|(from, to)| self.octets.get(*from..*to))
            }
            _ => None,
        };
        if let Some(raw) = raw.filter(|raw| raw.len() <= self.room) {
            let value = String::from_utf8_lossy(&unescaped(raw)).into_owned();
            self.room = self.room.saturating_sub(value.len());
            if let Some(row) = self.rows.get_mut(row) {
                row.insert(column, value);
            } else if self.rows.len() < self.most_rows {
                self.rows
                    .entry(row.to_owned())
                    .or_default()
                    .insert(column, value);
            }
        }
    }

    /// The column of that name, where it is wanted.
    fn column(&self, name: &[u8]) -> Option<&'static str> {
        let mut wanted = self.wanted.iter().copied();
        wanted.find(|wanted| wanted.as_bytes() == name)
    }

    fn hex(&mut self) -> Option<u32> {
        let rest = &self.octets[self.at.min(self.octets.len())..];
        let (number, length) = hex(&rest[..rest.len().min(9)]);
        self.at += length;
        number
    }

    /// From here to the closing parenthesis, which is passed.
    fn value(&mut self) -> (usize, usize) {
        let from = self.at;
        while let Some(octet) = self.peek() {
            match octet {
                b')' => {
                    self.at += 1;
                    return (from, self.at - 1);
                }
                b'\\' => self.at += 2,
                _ => self.at += 1,
            }
        }
        self.at = self.octets.len();
        (from.min(self.at), self.at)
    }
}

/// The number at the beginning, and how many octets it has.
fn hex(octets: &[u8]) -> (Option<u32>, usize) {
    let length = octets.iter().take_while(|b| b.is_ascii_hexdigit()).count();
    let text = std::str::from_utf8(&octets[..length]).unwrap_or_default();
    (u32::from_str_radix(text, 16).ok(), length)
}

/// The scope of a table: `^80` of `1:^80`. Its rows are in it unless they say otherwise.
fn scope(word: &[u8]) -> String {
    let word = String::from_utf8_lossy(word);
    let scope = word.split_once(':').map(|(_, scope)| scope.trim());
    scope.unwrap_or_default().chars().take(MOST_SCOPE).collect()
}

/// Without escapes: `$E3`, `\)`, and a backslash at the end of a line.
fn unescaped(raw: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(raw.len());
    let mut rest = raw.iter().copied();
    while let Some(octet) = rest.next() {
        match octet {
            b'$' => {
                let pair = [rest.next().unwrap_or(0), rest.next().unwrap_or(0)];
                let text = std::str::from_utf8(&pair).unwrap_or_default();
                out.extend(u8::from_str_radix(text, 16).ok());
            }
            b'\\' => match rest.next() {
                Some(b'\r') => {
                    let mut after = rest.clone();
                    if after.next() == Some(b'\n') {
                        rest = after;
                    }
                }
                Some(b'\n') | None => {}
                Some(other) => out.push(other),
            },
            other => out.push(other),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const FILE: &str = r"// <!-- <mdb:mork:z v='1.4'/> -->
< <(a=c)> // (f=iso-8859-1)
  (88=flags)(AF=folderName)(B2=storeToken)(B4=keywords)>
<(80=1)(8F
    =\$label2 $D5$8B)(90=a\
b\)c)>
{1:^80 {(k^96:c)(s=9)}
  [1(^88=5)(^B2^90)(^B4^8F)]
  [2(^88=0)(^B2=20c)(^00=x)]}
@$${B{@
<(91=$E3$83$A1: 2024/4)>
{-1:^80 {(k^96:c)(s=9)} 1 [-2(^88=1)(^B2=20d)]}
{1:^9F {(k^A0:c)} [1(^88=4)(^AF^91)]}
@$$}B}@
";

    #[test]
    fn cells_are_read_and_changed() {
        let rows = rows(
            FILE.as_bytes(),
            &["flags", "folderName", "storeToken", "keywords"],
        );
        let told = |row: &str| {
            let mut cells: Vec<_> = rows[row].iter().map(|(c, v)| format!("{c}={v}")).collect();
            cells.sort();
            cells.join(" ")
        };
        assert_eq!(told("1 ^80"), "flags=5 keywords=$label2 Ջ storeToken=ab)c");
        assert_eq!(told("2 ^80"), "flags=1 storeToken=20d");
        assert_eq!(told("1 ^9F"), "flags=4 folderName=メ: 2024/4");
    }

    #[test]
    fn a_row_with_a_long_number_is_read_in_one_pass() {
        let id = "1".repeat(1 << 20);
        let mut text = format!("[{id}");
        for _ in 0..100_000 {
            text += "(flags=5)";
        }
        let rows = rows(text.as_bytes(), &["flags"]);
        let longest = rows.keys().map(String::len).max();
        assert!(longest.is_some_and(|longest| longest <= MOST_ID + MOST_SCOPE + 1));
        assert_eq!(rows.len(), 1);
    }

    #[test]
    fn rows_of_next_to_nothing_do_not_fill_the_memory() {
        let text: String = (0..10_000).map(|n| format!("[{n}(flags=)]")).collect();
        let rows = rows(text.as_bytes(), &["flags"]);
        assert!(rows.len() <= text.len() / LEAST_ROW + 16, "{}", rows.len());
    }

    proptest! {
        #[test]
        fn nothing_makes_it_panic(octets in prop::collection::vec(any::<u8>(), 0..120)) {
            let _rows = rows(&octets, &["flags"]);
        }

        #[test]
        fn no_cut_makes_it_panic(cut in 0usize..FILE.len(), insert in "[<>(){}\\[\\]^=$@\\\\/]{0,4}") {
            let mut text = FILE.as_bytes().to_vec();
            text.splice(cut..cut, insert.bytes());
            let _rows = rows(&text, &["flags", "folderName"]);
            let _short = rows(&text[..cut], &["flags"]);
        }
    }
}
