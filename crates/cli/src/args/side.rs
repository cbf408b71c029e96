//! The options of one account, once for each side.

use crate::account::AccountOptions;
use crate::secret::SecretFrom;
use clap::{Args, ValueHint};
use hikyaku_net::Fingerprint;
use std::path::PathBuf;

macro_rules! side {
    ($name:ident, $heading:literal, $front:literal $(, alias $alias:literal)?) => {
        #[doc = $heading]
        #[derive(Clone, Debug, Default, Args)]
        #[command(next_help_heading = $heading)]
        pub(crate) struct $name {
            #[arg(
                long = concat!($front, "password-file"), id = concat!($front, "password-file"),
                $(alias = concat!($alias, "password-file"),)?
                value_name = "FILE", value_hint = ValueHint::FilePath, group = concat!($front, "secret"),
                help = "Read the password from the first line of this file [default: ask]"
            )]
            password_file: Option<PathBuf>,
            #[arg(
                long = concat!($front, "password-command"), id = concat!($front, "password-command"),
                $(alias = concat!($alias, "password-command"),)?
                value_name = "COMMAND", value_hint = ValueHint::CommandString, group = concat!($front, "secret"),
                help = "Read the password from the output of this shell command"
            )]
            password_command: Option<String>,
            #[arg(
                long = concat!($front, "password-env"), id = concat!($front, "password-env"),
                $(alias = concat!($alias, "password-env"),)?
                value_name = "NAME", group = concat!($front, "secret"),
                help = "Read the password from this environment variable"
            )]
            password_env: Option<String>,
            #[arg(
                long = concat!($front, "token-file"), id = concat!($front, "token-file"),
                $(alias = concat!($alias, "token-file"),)?
                value_name = "FILE", value_hint = ValueHint::FilePath, group = concat!($front, "secret"),
                help = "Sign in by OAuth with the access token in this file"
            )]
            token_file: Option<PathBuf>,
            #[arg(
                long = concat!($front, "token-command"), id = concat!($front, "token-command"),
                $(alias = concat!($alias, "token-command"),)?
                value_name = "COMMAND", value_hint = ValueHint::CommandString, group = concat!($front, "secret"),
                help = "Sign in by OAuth with the access token that this shell command prints"
            )]
            token_command: Option<String>,
            #[arg(
                long = concat!($front, "token-env"), id = concat!($front, "token-env"),
                $(alias = concat!($alias, "token-env"),)?
                value_name = "NAME", group = concat!($front, "secret"),
                help = "Sign in by OAuth with the access token in this environment variable"
            )]
            token_env: Option<String>,
            #[arg(
                long = concat!($front, "authzid"), id = concat!($front, "authzid"),
                $(alias = concat!($alias, "authzid"),)?
                value_name = "USER",
                help = "Whose mail it is, when the user of the locator signs in for somebody else"
            )]
            authzid: Option<String>,
            #[arg(
                long = concat!($front, "ca-file"), id = concat!($front, "ca-file"),
                $(alias = concat!($alias, "ca-file"),)?
                value_name = "PEM", value_hint = ValueHint::FilePath, group = concat!($front, "trust"),
                help = "Trust the issuers in this file as well"
            )]
            ca_file: Option<PathBuf>,
            #[arg(
                long = concat!($front, "pin"), id = concat!($front, "pin"),
                $(alias = concat!($alias, "pin"),)?
                value_name = "SHA256", value_parser = pin, group = concat!($front, "trust"),
                help = "Trust exactly the certificate with this fingerprint"
            )]
            pin: Option<Fingerprint>,
        }

        impl $name {
            /// As options of an account.
            pub(crate) fn options(&self) -> AccountOptions {
                let file = |path: &PathBuf| SecretFrom::File(path.clone());
                let command = |text: &String| SecretFrom::Command(text.clone());
                let env = |name: &String| SecretFrom::Env(name.clone());
                AccountOptions {
                    password: (self.password_file.as_ref().map(file))
                        .or(self.password_command.as_ref().map(command))
                        .or(self.password_env.as_ref().map(env)),
                    token: (self.token_file.as_ref().map(file))
                        .or(self.token_command.as_ref().map(command))
                        .or(self.token_env.as_ref().map(env)),
                    authzid: self.authzid.clone(),
                    ca_file: self.ca_file.clone(),
                    pin: self.pin,
                    connections: None,
                }
            }
        }
    };
}

side!(SourceArgs, "Source account", "source-");
side!(DestinationArgs, "Destination account", "destination-");
side!(AccountArgs, "Account", "", alias "source-");

fn pin(text: &str) -> Result<Fingerprint, String> {
    text.parse()
        .map_err(|e: hikyaku_net::NotAFingerprint| e.to_string())
}
