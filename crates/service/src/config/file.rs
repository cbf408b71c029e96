//! How the configuration is written down.

use super::*;
use crate::brand::{self, DestinationFile, is_link};
use crate::strict::Document;
use crate::values::{mail_address, networks, secret_from};
use serde::Deserialize;

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct ConfigFile {
    listen: Option<SocketAddr>,
    public_url: Option<String>,
    state: Option<PathBuf>,
    database: Option<String>,
    database_file: Option<PathBuf>,
    database_env: Option<String>,
    key_file: Option<PathBuf>,
    key_env: Option<String>,
    brands: Vec<PathBuf>,
    destination: Option<DestinationFile>,
    handover_secret_file: Option<PathBuf>,
    handover_secret_env: Option<String>,
    #[serde(deserialize_with = "networks")]
    trusted_proxies: Vec<Network>,
    catch_mail: bool,
    smtp: Option<SmtpFile>,
    egress: EgressFile,
    limits: LimitsFile,
    attempts: AttemptsFile,
    uploads: UploadsFile,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SmtpFile {
    host: String,
    port: Option<u16>,
    #[serde(default)]
    security: SmtpSecurity,
    user: Option<String>,
    password_file: Option<PathBuf>,
    password_env: Option<String>,
    ca_file: Option<PathBuf>,
    from: String,
    per_recipient_per_day: Option<u32>,
    per_day: Option<u32>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct EgressFile {
    #[serde(deserialize_with = "networks")]
    allow: Vec<Network>,
    #[serde(deserialize_with = "networks")]
    deny: Vec<Network>,
    ports: Option<Vec<u16>>,
    resolver: Option<SocketAddr>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct UploadsFile {
    offered: Option<bool>,
    most: Option<String>,
    per_owner_most: Option<String>,
    per_owner: Option<u32>,
    unfinished_hours: Option<u32>,
    reserve: Option<String>,
    memory: Option<String>,
    most_unpacked: Option<String>,
}

/// A table whose values are whole numbers from 1; what is missing keeps its default.
macro_rules! counts {
    ($file:ident for $type:ident { $($field:ident),* }) => {
        #[derive(Deserialize, Default)]
        #[serde(deny_unknown_fields, default)]
        struct $file {
            $($field: Option<u32>,)*
        }

        impl $file {
            fn read(self, document: &Document<'_>, table: &str) -> Result<$type, Problem> {
                let mut counts = $type::default();
                $(match self.$field {
                    Some(0) => {
                        let key = format!("{table}.{}", stringify!($field));
                        return Err(document.wrong(&key, AT_LEAST_ONE));
                    }
                    Some(count) => counts.$field = count,
                    None => {}
                })*
                Ok(counts)
            }
        }
    };
}

counts!(LimitsFile for Limits { jobs, checks, per_host, per_account, per_owner, connections });
counts!(AttemptsFile for Attempts { per_address, per_account, per_source_account, per_source_host });

const AT_LEAST_ONE: &str = "expected at least 1";

pub(super) fn parse(text: &str, path: &Path) -> Result<Config, Problem> {
    let document = Document::new(text, path);
    let file: ConfigFile = document.read()?;
    let usual = Config::default();
    let secret = |key: &str, path: Option<PathBuf>, env: Option<String>| {
        let path = path.map(|path| document.path(&path));
        secret_from(path, env).map_err(|why| document.wrong(&format!("{key}_file"), why))
    };
    let destination = file
        .destination
        .map(|file| brand::destination(&document, file))
        .transpose()?;
    if destination.is_some() && !file.brands.is_empty() {
        let why = "the brand files name their own destinations; remove this table";
        return Err(document.wrong("destination", why));
    }
    if file.catch_mail && file.smtp.is_some() {
        let why = "mails are either caught or sent; remove this or the table `[smtp]`";
        return Err(document.wrong("catch_mail", why));
    }
    Ok(Config {
        listen: file.listen.unwrap_or(usual.listen),
        public_url: file
            .public_url
            .map(|url| public_url(&document, &url))
            .transpose()?,
        state: file.state.map(|path| document.path(&path)),
        database: database(
            &document,
            file.database,
            secret("database", file.database_file, file.database_env)?,
        )?,
        key: secret("key", file.key_file, file.key_env)?,
        brands: file.brands.iter().map(|path| document.path(path)).collect(),
        destination,
        handover_secret: secret(
            "handover_secret",
            file.handover_secret_file,
            file.handover_secret_env,
        )?,
        trusted_proxies: file.trusted_proxies,
        catch_mail: file.catch_mail,
        smtp: file.smtp.map(|file| smtp(&document, file)).transpose()?,
        egress: egress(&document, file.egress)?,
        limits: file.limits.read(&document, "limits")?,
        attempts: file.attempts.read(&document, "attempts")?,
        uploads: uploads(&document, file.uploads)?,
    })
}

fn public_url(document: &Document<'_>, url: &str) -> Result<String, Problem> {
    let bare = url.trim_end_matches('/');
    match is_link(bare) && !bare.contains(['?', '#']) {
        true => Ok(bare.to_owned()),
        false => {
            let why = "expected an address such as `https://copy.example.jp`";
            Err(document.wrong("public_url", why))
        }
    }
}

fn database(
    document: &Document<'_>,
    url: Option<String>,
    secret: Option<SecretFrom>,
) -> Result<Option<Database>, Problem> {
    let wrong = |why: &str| Err(document.wrong("database", why));
    match (url, secret) {
        (Some(_), Some(_)) => {
            wrong("only one of `database`, `database_file` and `database_env` can hold")
        }
        (None, secret) => Ok(secret.map(Database::Secret)),
        (Some(url), None) => {
            let rest = url
                .strip_prefix("postgres://")
                .or_else(|| url.strip_prefix("postgresql://"));
            let Some(rest) = rest else {
                return wrong("expected an address such as `postgres://user@host/name`");
            };
            let user = rest
                .split(['/', '?'])
                .next()
                .and_then(|a| a.rsplit_once('@'));
            let has_password = user.is_some_and(|(user, _)| user.contains(':'));
            match has_password || url.contains("password=") {
                true => wrong(
                    "a secret must not stand in this file: use `database_file` or `database_env`",
                ),
                false => Ok(Some(Database::Url(url))),
            }
        }
    }
}

fn smtp(document: &Document<'_>, file: SmtpFile) -> Result<Smtp, Problem> {
    let wrong = |key: &str, why: &str| document.wrong(&format!("smtp.{key}"), why);
    if file.host.trim().is_empty() || file.host.contains(char::is_whitespace) {
        return Err(wrong("host", "expected a host name or an IP address"));
    }
    if file.port == Some(0) {
        return Err(wrong("port", "expected a port from 1 to 65535"));
    }
    let port = file.port.unwrap_or(match file.security {
        SmtpSecurity::Tls => 465,
        SmtpSecurity::StartTls | SmtpSecurity::Clear => 587,
    });
    let path = file.password_file.map(|path| document.path(&path));
    let password =
        secret_from(path, file.password_env).map_err(|why| wrong("password_file", why))?;
    if file.user.is_some() != password.is_some() {
        let why = "`user` goes with `password_file` or `password_env`";
        return Err(wrong("user", why));
    }
    if password.is_some() && file.security == SmtpSecurity::Clear {
        return Err(wrong("security", "a password is never sent in clear text"));
    }
    let ca_file = file.ca_file.map(|path| document.path(&path));
    if let Some(path) = &ca_file {
        hikyaku_net::Anchors::from_file(path).map_err(|fault| wrong("ca_file", &fault.detail))?;
    }
    let count = |key: &str, count: Option<u32>, usual: u32| match count {
        Some(0) => Err(wrong(key, AT_LEAST_ONE)),
        count => Ok(count.unwrap_or(usual)),
    };
    Ok(Smtp {
        host: file.host,
        port,
        security: file.security,
        user: file.user,
        password,
        ca_file,
        from: mail_address(&file.from).map_err(|why| wrong("from", &why))?,
        per_recipient_per_day: count("per_recipient_per_day", file.per_recipient_per_day, 50)?,
        per_day: count("per_day", file.per_day, 10_000)?,
    })
}

fn uploads(document: &Document<'_>, file: UploadsFile) -> Result<Uploads, Problem> {
    let usual = Uploads::default();
    let wrong = |key: &str, why: &str| document.wrong(&format!("uploads.{key}"), why);
    let amount = |key: &str, text: Option<String>, usual: u64| match text {
        None => Ok(usual),
        Some(text) => crate::values::octets(&text)
            .ok_or_else(|| wrong(key, "expected an amount such as `10G`")),
    };
    let count = |key: &str, count: Option<u32>, usual: u32| match count {
        Some(0) => Err(wrong(key, AT_LEAST_ONE)),
        count => Ok(count.unwrap_or(usual)),
    };
    Ok(Uploads {
        offered: file.offered.unwrap_or(usual.offered),
        most_octets: amount("most", file.most, usual.most_octets)?,
        per_owner_octets: amount(
            "per_owner_most",
            file.per_owner_most,
            usual.per_owner_octets,
        )?,
        per_owner: count("per_owner", file.per_owner, usual.per_owner)?,
        unfinished_hours: count(
            "unfinished_hours",
            file.unfinished_hours,
            usual.unfinished_hours,
        )?,
        reserve_octets: amount("reserve", file.reserve, usual.reserve_octets)?,
        memory_octets: amount("memory", file.memory, usual.memory_octets)?,
        most_unpacked_octets: amount(
            "most_unpacked",
            file.most_unpacked,
            usual.most_unpacked_octets,
        )?,
    })
}

fn egress(document: &Document<'_>, file: EgressFile) -> Result<Egress, Problem> {
    let usual = Egress::default();
    let ports = file.ports.unwrap_or(usual.ports);
    match ports.is_empty() || ports.contains(&0) {
        true => Err(document.wrong("egress.ports", "expected ports from 1 to 65535")),
        false => Ok(Egress {
            allow: file.allow,
            deny: file.deny,
            ports,
            resolver: file.resolver,
        }),
    }
}
