//! What becomes of Gmail's labels.

use crate::problem::Problem;
use crate::values;
use clap::{Args, ValueEnum};
use hikyaku_core::MailboxName;
use hikyaku_imap::Labels;

/// The options about labels.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct LabelArgs {
    /// Gmail as source: copy every message once, or once per label, or mailbox by mailbox.
    #[arg(
        long,
        value_enum,
        value_name = "one|each|mailboxes",
        default_value_t,
        hide_possible_values = true
    )]
    labels: Choice,
    /// Gmail as source: labels that decide first where a message goes, separated by commas.
    #[arg(long, value_name = "LABELS", value_delimiter = ',', value_parser = values::mailbox)]
    label_priority: Vec<MailboxName>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Choice {
    #[default]
    One,
    Each,
    Mailboxes,
}

impl LabelArgs {
    /// As the adapter takes them.
    pub(crate) fn labels(&self) -> Result<Labels, Problem> {
        match self.labels {
            Choice::One => Ok(Labels::One {
                priority: self.label_priority.clone(),
            }),
            _ if !self.label_priority.is_empty() => Err(Problem::LabelPriority),
            Choice::Each => Ok(Labels::Each),
            Choice::Mailboxes => Ok(Labels::AsMailboxes),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        labels: LabelArgs,
    }

    fn read(given: &[&str]) -> Result<Labels, Problem> {
        let line = Line::try_parse_from(["x"].iter().chain(given)).expect("a command line");
        line.labels.labels()
    }

    #[test]
    fn labels_are_chosen_in_words() {
        let name = |text: &str| MailboxName::parse(text).expect("a name");
        assert_eq!(read(&[]).expect("labels"), Labels::default());
        let given = ["--labels=one", "--label-priority", "仕事,家族/旅行,INBOX"];
        let priority = vec![name("仕事"), name("家族/旅行"), name("INBOX")];
        assert_eq!(read(&given).expect("labels"), Labels::One { priority });
        assert_eq!(read(&["--labels", "each"]).expect("labels"), Labels::Each);
        let as_mailboxes = read(&["--labels", "mailboxes"]).expect("labels");
        assert_eq!(as_mailboxes, Labels::AsMailboxes);
        let both = read(&["--labels", "each", "--label-priority", "仕事"]);
        assert!(matches!(both, Err(Problem::LabelPriority)));
    }
}
