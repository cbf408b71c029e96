//! `hikyaku find`: the mail that programs keep on this computer.

use super::Context;
use crate::args::FindArgs;
use crate::problem::{Failure, Problem};
use crate::side::{found_view, name_of, told};
use crate::{exit, json};
use hikyaku_archive::{Look, MailStore};
use hikyaku_core::Code;
use hikyaku_text::escape::clean;
use hikyaku_text::{Lang, archive as text};
use hikyaku_view::{FaultView, Line, StoreView};

/// `find`. Exit code 0 also where there is nothing: it was looked for.
pub(super) fn run(context: &Context, args: &FindArgs) -> Result<u8, Failure> {
    let home = match &args.home {
        Some(home) if home.is_dir() => home.clone(),
        Some(home) => return Err(Problem::Place(home.display().to_string()).into()),
        None => crate::paths::home().ok_or(Problem::NoHome)?,
    };
    let stores = hikyaku_archive::find(&home);
    let (output, lang) = (context.output, context.output.lang);
    if output.json {
        for store in &stores {
            json::line(output, &Line::Store(view(store)));
        }
    } else if stores.is_empty() {
        output.note(&text::no_stores(lang));
    } else {
        let mut parts = vec![text::stores(lang)];
        parts.extend(stores.iter().map(|store| described(store, lang)));
        output.result(&parts.join("\n\n"));
    }
    Ok(exit::DONE)
}

/// Program, path, what is in it.
fn described(store: &MailStore, lang: Lang) -> String {
    let program = text::program(name_of(store.program), lang);
    let mut lines = vec![format!("{program}: {}", store.path.display())];
    match &store.look {
        Ok(look) => lines.extend(told(look, lang)),
        Err(fault) if fault.code == Code::ArchiveMissing => lines.push(text::closed(lang)),
        Err(fault) => lines.extend(crate::output::told(fault, lang)),
    }
    let lines: Vec<_> = lines.iter().map(|line| clean(line)).collect();
    lines.join("\n  ")
}

fn view(store: &MailStore) -> StoreView {
    let found = match &store.look {
        Ok(Look::Found(found)) => vec![found],
        Ok(Look::Several(found)) => found.iter().collect(),
        _ => Vec::new(),
    };
    StoreView {
        program: name_of(store.program).to_owned(),
        path: store.path.display().to_string(),
        found: found.into_iter().map(found_view).collect(),
        outlook_files: match store.look {
            Ok(Look::Outlook(files)) => Some(files),
            _ => None,
        },
        fault: store.look.as_ref().err().map(FaultView::from),
    }
}
