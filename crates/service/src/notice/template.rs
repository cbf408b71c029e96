//! Texts of the operator with places that are filled in: `{dest}`, `{receipt}` …

use serde::de::{self, Deserialize, Deserializer};
use std::fmt;
use std::str::FromStr;

/// What may be filled in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Place {
    /// The destination's address, masked as the brand wants it.
    Dest,
    /// The brand's name.
    Brand,
    /// The name of the function, such as メールデータコピー.
    Title,
    /// 受付番号.
    Receipt,
    /// Address of the job's page.
    Url,
    /// Address of the report.
    ReportUrl,
    /// The brand's web mail.
    WebmailUrl,
    /// The brand's page of questions and answers.
    FaqUrl,
    /// Messages that the source showed.
    Messages,
    /// Messages that are accounted for.
    Done,
    /// Messages that were not copied.
    Failed,
    /// When a wait ends.
    Until,
    /// What happened and what to do, line by line; without this place it follows the text.
    Details,
}

const PLACES: [(&str, Place); 13] = [
    ("dest", Place::Dest),
    ("brand", Place::Brand),
    ("title", Place::Title),
    ("receipt", Place::Receipt),
    ("url", Place::Url),
    ("report_url", Place::ReportUrl),
    ("webmail_url", Place::WebmailUrl),
    ("faq_url", Place::FaqUrl),
    ("messages", Place::Messages),
    ("done", Place::Done),
    ("failed", Place::Failed),
    ("until", Place::Until),
    ("details", Place::Details),
];

/// A text with places.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template(Vec<Part>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Text(String),
    Place(Place),
}

impl Template {
    /// The text with every place filled.
    pub fn fill(&self, of: impl Fn(Place) -> String) -> String {
        let parts = self.0.iter().map(|part| match part {
            Part::Text(text) => text.clone(),
            Part::Place(place) => of(*place),
        });
        parts.collect()
    }

    /// Whether the place is in it.
    pub fn has(&self, place: Place) -> bool {
        self.0.contains(&Part::Place(place))
    }

    /// Whether it fits on one line of a header.
    pub(crate) fn is_line(&self) -> bool {
        !self.0.is_empty()
            && self.0.iter().all(|part| match part {
                Part::Text(text) => !text.contains(char::is_control),
                Part::Place(place) => *place != Place::Details,
            })
    }
}

/// Why a text is no template.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct NoTemplate(String);

impl fmt::Display for NoTemplate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Template {
    type Err = NoTemplate;

    /// `{name}` is a place, `{{` and `}}` are braces.
    fn from_str(text: &str) -> Result<Self, NoTemplate> {
        let mut parts = Vec::new();
        let mut plain = String::new();
        let mut rest = text;
        while let Some(at) = rest.find(['{', '}']) {
            plain.push_str(&rest[..at]);
            let brace = &rest[at..=at];
            rest = &rest[at + 1..];
            if let Some(after) = rest.strip_prefix(brace) {
                plain.push_str(brace);
                rest = after;
                continue;
            }
            let end = match brace {
                "{" => rest.find('}'),
                _ => None,
            };
            let Some(end) = end else {
                let why = format!("a brace without its other half; `{brace}{brace}` is one brace");
                return Err(NoTemplate(why));
            };
            let place = place(&rest[..end])?;
            if !plain.is_empty() {
                parts.push(Part::Text(std::mem::take(&mut plain)));
            }
            parts.push(Part::Place(place));
            rest = &rest[end + 1..];
        }
        plain.push_str(rest);
        if !plain.is_empty() {
            parts.push(Part::Text(plain));
        }
        Ok(Self(parts))
    }
}

fn place(name: &str) -> Result<Place, NoTemplate> {
    if let Some((_, place)) = PLACES.iter().find(|(known, _)| *known == name) {
        return Ok(*place);
    }
    let names = PLACES.map(|(name, _)| name);
    Err(NoTemplate(match crate::strict::nearest(name, names) {
        Some(like) => format!("there is no place `{{{name}}}`; did you mean `{{{like}}}`?"),
        None => format!(
            "there is no place `{{{name}}}`; there are {{{}}}",
            names.join("}, {")
        ),
    }))
}

impl<'de> Deserialize<'de> for Template {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        text.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_filled_and_everything_else_stays() {
        let fill = |text: &str| {
            let template: Template = text.parse().expect(text);
            template.fill(|place| format!("<{place:?}>"))
        };
        for (text, filled) in [
            ("", ""),
            ("メール\n", "メール\n"),
            ("{dest} へ", "<Dest> へ"),
            ("{brand}{title}", "<Brand><Title>"),
            ("{{dest}} {receipt}", "{dest} <Receipt>"),
            ("a}}b{{", "a}b{"),
            ("{{{url}}}", "{<Url>}"),
        ] {
            assert_eq!(fill(text), filled, "{text}");
        }
    }

    #[test]
    fn a_place_that_does_not_exist_is_found_before_any_mail() {
        for (text, why) in [
            ("{dst}", "there is no place `{dst}`; did you mean `{dest}`?"),
            ("{", "a brace without its other half; `{{` is one brace"),
            ("a}b", "a brace without its other half; `}}` is one brace"),
            (
                "{password}",
                "there is no place `{password}`; there are {dest}, {brand}, {title}, {receipt}, {url}, {report_url}, {webmail_url}, {faq_url}, {messages}, {done}, {failed}, {until}, {details}",
            ),
        ] {
            let error = text.parse::<Template>().unwrap_err();
            assert_eq!(error.to_string(), why, "{text}");
        }
    }

    #[test]
    fn subjects_are_one_line() {
        for (text, is_line) in [
            ("{brand}より", true),
            ("", false),
            ("a\nb", false),
            ("a\r\nBcc: x", false),
            ("{details}", false),
        ] {
            assert_eq!(
                text.parse::<Template>().unwrap().is_line(),
                is_line,
                "{text}"
            );
        }
    }
}
