//! `hikyaku explain`: an error code in words.

use super::Context;
use crate::problem::{Failure, Problem};
use crate::terminal::{Align, Table};
use crate::{exit, json, suggest, words};
use hikyaku_core::Code;
use hikyaku_text::explain;
use hikyaku_view::{CodeView, Line};

pub(super) fn run(context: &Context, wanted: Option<&str>) -> Result<u8, Failure> {
    let output = context.output;
    let Some(wanted) = wanted else {
        match output.json {
            true => Code::ALL
                .iter()
                .for_each(|code| json::line(output, &line(*code))),
            false => output.result(&list(context).to_string()),
        }
        return Ok(exit::DONE);
    };
    let code = Code::ALL.iter().copied().find(|code| {
        code.short().eq_ignore_ascii_case(wanted) || code.as_str().eq_ignore_ascii_case(wanted)
    });
    let Some(code) = code else {
        let names = Code::ALL.iter().map(|code| code.as_str());
        let like = suggest::nearest(wanted, names).map(str::to_owned);
        return Err(Problem::UnknownCode(wanted.to_owned(), like).into());
    };
    match output.json {
        true => json::line(output, &line(code)),
        false => output.result(&in_words(context, code)),
    }
    Ok(exit::DONE)
}

fn line(code: Code) -> Line {
    Line::Code(CodeView::from(code))
}

fn list(context: &Context) -> Table {
    let lang = context.output.lang;
    let headings = words::explain_headings(lang);
    let mut table = Table::new(headings.map(|heading| (heading, Align::Left)));
    for code in Code::ALL {
        table.row([
            code.short().to_owned(),
            code.as_str().to_owned(),
            explain(*code, lang).title.to_owned(),
        ]);
    }
    table
}

fn in_words(context: &Context, code: Code) -> String {
    let lang = context.output.lang;
    let explained = explain(code, lang);
    format!(
        "{} {}  {}\n\n{}\n{}\n\n{}\n{}",
        code.short(),
        code.as_str(),
        explained.title,
        explained.cause,
        words::remedy(explained.remedy),
        words::who(explained.who, lang),
        words::exit_code(
            exit::before_start(code),
            exit::without_start(code, true),
            lang
        ),
    )
}
