//! From a row of the outbox to the octets of a mail.

use crate::brand::{Brand, Brands};
use hikyaku_ledger::service::Letter;
use hikyaku_text::{Lang, escape};
use lettre::message::header::{ContentType, Header, HeaderName, HeaderValue};
use lettre::message::{Mailbox, SinglePart};
use lettre::{Address, Message};
use std::error::Error;
use std::time::{Duration, UNIX_EPOCH};

/// Why a row can never become a mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Unwritable(pub(super) &'static str);

/// The mail of a row: the same octets however often it is made, but for the encoding's own boundaries, of which it has
/// none.
pub(super) fn message(
    letter: &Letter,
    brands: &Brands,
    sender: Option<&Mailbox>,
) -> Result<Message, Unwritable> {
    let row = &letter.letter;
    let brand = brands.get(&row.tenant).unwrap_or_else(|| brands.usual());
    let from = from(brand, sender);
    let to = recipient(&row.recipient).ok_or(Unwritable("address"))?;
    let created = Duration::from_millis(u64::try_from(letter.created).unwrap_or(0));
    let text = SinglePart::builder()
        .header(ContentType::TEXT_PLAIN)
        .body(row.body.clone());
    Message::builder()
        .header(AutoSubmitted)
        .raw_header(list_id(brand, &from))
        .message_id(Some(row.message_id.clone()))
        .date(UNIX_EPOCH + created)
        .from(from)
        .to(Mailbox::new(None, to))
        .subject(escape::clean(&row.subject).into_owned())
        .singlepart(text)
        .map_err(|_| Unwritable("message"))
}

/// The brand's sender, else the configuration's, else one that says that nothing was configured.
fn from(brand: &Brand, sender: Option<&Mailbox>) -> Mailbox {
    let unset = || {
        Mailbox::new(
            None,
            Address::new_dangerous(crate::brand::BUILTIN, "localhost"),
        )
    };
    let from = brand.notices.from.as_ref().or(sender);
    let mut from = from.cloned().unwrap_or_else(unset);
    let name = brand.name.get(Lang::Ja);
    from.name
        .get_or_insert_with(|| escape::clean(name).into_owned());
    from
}

/// One address; a domain in any script is written as the network knows it.
pub(crate) fn recipient(text: &str) -> Option<Address> {
    let (local, domain) = text.trim().rsplit_once('@')?;
    let domain = idna::domain_to_ascii(domain).ok()?;
    Address::new(local, domain).ok()
}

/// `Auto-Submitted: auto-generated` (RFC 3834): nobody's absence is to answer it.
#[derive(Clone)]
struct AutoSubmitted;

impl Header for AutoSubmitted {
    fn name() -> HeaderName {
        HeaderName::new_from_ascii_str("Auto-Submitted")
    }

    fn parse(_: &str) -> Result<Self, Box<dyn Error + Send + Sync>> {
        Ok(Self)
    }

    fn display(&self) -> HeaderValue {
        HeaderValue::new(Self::name(), "auto-generated".to_owned())
    }
}

/// `List-Id` (RFC 2919), so that people can sort these mails.
fn list_id(brand: &Brand, from: &Mailbox) -> HeaderValue {
    let name = HeaderName::new_from_ascii_str("List-Id");
    // A brand's identity and a domain that was parsed are ASCII without blanks.
    HeaderValue::new(
        name,
        format!("<{}.notices.{}>", brand.id, from.email.domain()),
    )
}
