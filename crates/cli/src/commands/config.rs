//! `hikyaku config check`: what the configuration says. Reading it has found every
//! mistake already.

use super::Context;
use crate::account::AccountOptions;
use crate::exit;
use crate::problem::Failure;
use crate::secret::SecretFrom;
use crate::terminal::{Align, Table};
use crate::words;

pub(super) fn check(context: &Context) -> Result<u8, Failure> {
    let lang = context.output.lang;
    if context.config.accounts.is_empty() {
        context.output.note(words::no_accounts(lang));
        return Ok(exit::DONE);
    }
    let headings = words::account_headings(lang);
    let mut table = Table::new(headings.map(|heading| (heading, Align::Left)));
    for (name, account) in &context.config.accounts {
        table.row([
            format!("{name}:"),
            account.place.to_string(),
            signs_in(&account.options),
        ]);
    }
    context.output.result(&table.to_string());
    Ok(exit::DONE)
}

/// The setting by which the account signs in; never what is behind it.
fn signs_in(options: &AccountOptions) -> String {
    let (kind, from) = match (&options.password, &options.token) {
        (Some(from), _) => ("password", from),
        (None, Some(from)) => ("token", from),
        (None, None) => return "-".to_owned(),
    };
    match from {
        SecretFrom::File(path) => format!("{kind}-file {}", path.display()),
        SecretFrom::Command(_) => format!("{kind}-command"),
        SecretFrom::Env(name) => format!("{kind}-env {name}"),
    }
}
