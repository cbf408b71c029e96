//! What providers let through in a day, as far as they say so in public.

use crate::quirks::Product;

/// Octets of one account in a day. A guide for pacing, not a promise: providers change
/// it without notice, and count other programs of the same account too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// Octets that may be read.
    pub read: u64,
    /// Octets that may be written.
    pub written: u64,
}

/// The budget of a program's accounts; `None` where nothing is published.
pub(super) fn of(product: Product) -> Option<Budget> {
    const MB: u64 = 1_000_000;
    match product {
        // https://support.google.com/a/answer/1071518: 2500 MB down and 500 MB up by
        // IMAP, of Google Workspace; of other accounts nothing is published.
        Product::Gmail => Some(Budget {
            read: 2_500 * MB,
            written: 500 * MB,
        }),
        // Exchange Online publishes no figures for IMAP, and asks for pauses instead.
        Product::Dovecot | Product::Cyrus | Product::Courier | Product::Other => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_published_counts() {
        let gmail = of(Product::recognise("Gimap ready for requests", None)).expect("published");
        assert_eq!((gmail.read, gmail.written), (2_500_000_000, 500_000_000));
        assert_eq!(of(Product::recognise("Dovecot ready.", None)), None);
    }
}
