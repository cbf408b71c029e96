//! Questions to DNS: addresses for connecting, where mail for a domain is delivered, where its owner says that IMAP is.
//!
//! Every name is asked for as it stands: no search list of the machine is appended, so that a short name cannot become
//! one of the operator's own. What is asked has a deadline of its own.

use crate::job::Delivery;
use futures::FutureExt;
use futures::future::{BoxFuture, join_all};
use hickory_resolver::config::{ConnectionConfig, NameServerConfig, ResolverConfig, ResolverOpts};
use hickory_resolver::lookup::Lookup as Answer;
use hickory_resolver::net::NetError;
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::proto::rr::{Name, RData, RecordType};
use hickory_resolver::{ResolverBuilder, TokioResolver};
use hikyaku_core::{Code, Fault, Reach, Remedy};
use hikyaku_net::Host;
use hikyaku_net::guard::Lookup;
use std::collections::BTreeSet;
use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

/// Longest wait for all answers to one question.
const PATIENCE: Duration = Duration::from_secs(4);

/// Most hosts of a domain that are looked at.
const MOST_HOSTS: usize = 8;

/// Asks DNS. Cheap to clone; clones share what was answered, as long as it is valid.
#[derive(Clone)]
pub struct Dns {
    resolver: TokioResolver,
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DnsProblem {
    /// There is no such name.
    NotFound,
    /// Nobody answers, or with an error.
    Unanswered(String),
}

/// Where mail for a domain is delivered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MailHost {
    /// Lower is tried first.
    pub preference: u16,
    /// The host; empty where the domain takes no mail (RFC 7505).
    pub host: String,
}

/// Where a service of a domain is (RFC 2782).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceHost {
    /// Lower is tried first.
    pub priority: u16,
    /// Among the same priority more is tried first.
    pub weight: u16,
    /// TCP port.
    pub port: u16,
    /// The host; empty where the service is not offered.
    pub host: String,
}

/// Why nothing can be sent to an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotifyProblem {
    /// It is no mail address.
    Syntax,
    /// Its domain does not exist.
    Domain,
    /// Its domain takes no mail.
    NoMail,
}

impl Dns {
    /// The resolver of the machine, or the one at this address.
    ///
    /// # Errors
    /// `config.invalid` when the machine's configuration cannot be read.
    pub fn new(server: Option<SocketAddr>) -> Result<Self, Fault> {
        let builder = match server {
            Some(server) => at(server),
            None => TokioResolver::builder_tokio().map_err(unusable)?,
        };
        Self::with(builder)
    }

    fn with(mut builder: ResolverBuilder<TokioRuntimeProvider>) -> Result<Self, Fault> {
        let options: &mut ResolverOpts = builder.options_mut();
        options.timeout = Duration::from_secs(2);
        options.attempts = 2;
        let resolver = builder.build().map_err(unusable)?;
        Ok(Self { resolver })
    }

    /// The addresses of a host, in the order in which they are to be tried; empty where it has none.
    ///
    /// # Errors
    /// See [`DnsProblem`].
    pub async fn addresses(&self, host: &str) -> Result<Vec<IpAddr>, DnsProblem> {
        if let Ok(address) = host.parse() {
            return Ok(vec![address]);
        }
        let looking = self.resolver.lookup_ip(absolute(host)?);
        match in_time(looking).await {
            Ok(found) => Ok(found.iter().collect()),
            Err(problem) => problem.or_none(),
        }
    }

    /// The hosts that take mail for a domain, most preferred first; empty where none is named, and then the domain's
    /// own addresses count (RFC 5321 §5.1).
    ///
    /// # Errors
    /// See [`DnsProblem`].
    pub async fn mail_hosts(&self, domain: &str) -> Result<Vec<MailHost>, DnsProblem> {
        let answer = self.ask(domain, RecordType::MX).await?;
        let mut hosts: Vec<MailHost> = records(answer.as_ref())
            .filter_map(|data| match data {
                RData::MX(mx) => Some(MailHost {
                    preference: mx.preference,
                    host: written(&mx.exchange),
                }),
                _ => None,
            })
            .collect();
        hosts.sort_by(|a, b| (a.preference, &a.host).cmp(&(b.preference, &b.host)));
        hosts.truncate(MOST_HOSTS);
        Ok(hosts)
    }

    /// Where a service of a domain is, such as `_imaps._tcp` (RFC 6186), most preferred first.
    ///
    /// # Errors
    /// See [`DnsProblem`].
    pub async fn service_hosts(
        &self,
        service: &str,
        domain: &str,
    ) -> Result<Vec<ServiceHost>, DnsProblem> {
        let answer = self
            .ask(&format!("{service}.{domain}"), RecordType::SRV)
            .await?;
        let mut hosts: Vec<ServiceHost> = records(answer.as_ref())
            .filter_map(|data| match data {
                RData::SRV(srv) => Some(ServiceHost {
                    priority: srv.priority,
                    weight: srv.weight,
                    port: srv.port,
                    host: written(&srv.target),
                }),
                _ => None,
            })
            .collect();
        hosts.sort_by(|a, b| (a.priority, b.weight, &a.host).cmp(&(b.priority, a.weight, &b.host)));
        hosts.truncate(MOST_HOSTS);
        Ok(hosts)
    }

    /// Whether mail for a domain is delivered to this destination: to one of `hosts` (names and what lies below
    /// them), or to an address that one of them has. The most preferred hosts of the domain decide.
    pub async fn delivery(&self, domain: &str, hosts: &[String]) -> Delivery {
        let Ok(found) = self.mail_hosts(domain).await else {
            return Delivery::Unknown;
        };
        let best = found.first().map(|mx| mx.preference);
        let mut targets: Vec<String> = found
            .into_iter()
            .filter(|mx| Some(mx.preference) == best && !mx.host.is_empty())
            .map(|mx| mx.host)
            .collect();
        if best.is_none() {
            targets.push(domain.to_owned());
        }
        let is_ours = |target: &String| hosts.iter().any(|host| is_within(target, host));
        if targets.iter().any(is_ours) {
            return Delivery::Here;
        }
        let (there, ours) = tokio::join!(self.all_addresses(&targets), self.all_addresses(hosts));
        match (there.is_empty(), ours.is_empty()) {
            (false, false) if !there.is_disjoint(&ours) => Delivery::Here,
            (false, false) => Delivery::Elsewhere,
            _ => Delivery::Unknown,
        }
    }

    /// Whether a notice could be sent to an address: its form, and whether its domain takes mail. When DNS does not
    /// answer the address is taken as it is.
    ///
    /// # Errors
    /// See [`NotifyProblem`].
    pub async fn check_notify(&self, address: &str) -> Result<(), NotifyProblem> {
        let (_, domain) = split_address(address).ok_or(NotifyProblem::Syntax)?;
        match self.mail_hosts(&domain).await {
            Ok(hosts) if hosts.is_empty() => match self.addresses(&domain).await {
                Ok(addresses) if addresses.is_empty() => Err(NotifyProblem::NoMail),
                Err(DnsProblem::NotFound) => Err(NotifyProblem::Domain),
                Ok(_) | Err(DnsProblem::Unanswered(_)) => Ok(()),
            },
            Ok(hosts) if hosts.iter().all(|mx| mx.host.is_empty()) => Err(NotifyProblem::NoMail),
            Err(DnsProblem::NotFound) => Err(NotifyProblem::Domain),
            Ok(_) | Err(DnsProblem::Unanswered(_)) => Ok(()),
        }
    }

    async fn all_addresses(&self, hosts: &[String]) -> BTreeSet<IpAddr> {
        let mut asked = Vec::new();
        for host in hosts {
            asked.push(self.addresses(host));
        }
        let found = join_all(asked).await;
        found.into_iter().filter_map(Result::ok).flatten().collect()
    }

    /// The answer; `None` where the name has no such records.
    async fn ask(&self, name: &str, kind: RecordType) -> Result<Option<Answer>, DnsProblem> {
        let looking = self.resolver.lookup(absolute(name)?, kind);
        match in_time(looking).await {
            Ok(answer) => Ok(Some(answer)),
            Err(problem) => problem.or_none(),
        }
    }
}

impl fmt::Debug for Dns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Dns")
    }
}

impl Lookup for Dns {
    fn addresses<'a>(&'a self, host: &'a str) -> BoxFuture<'a, io::Result<Vec<IpAddr>>> {
        async move {
            let found = Dns::addresses(self, host).await;
            found.map_err(|problem| match problem {
                DnsProblem::NotFound => io::Error::new(io::ErrorKind::NotFound, "no such name"),
                DnsProblem::Unanswered(why) => io::Error::new(io::ErrorKind::TimedOut, why),
            })
        }
        .boxed()
    }
}

/// The two parts of a mail address (RFC 5321 §4.1.2, RFC 6531): what is before the last `@`, and the domain in its
/// ASCII form. `None` for what is no address of a mailbox.
pub fn split_address(address: &str) -> Option<(&str, String)> {
    let (local, domain) = address.rsplit_once('@')?;
    let is_fine = |c: char| !c.is_control() && !c.is_whitespace() && !"<>()[],;:\\\"@".contains(c);
    let domain = Host::name(domain).filter(|name| name.contains('.'))?;
    let fits = (1..=64).contains(&local.len()) && local.len() + 1 + domain.len() <= 254;
    let dots = !local.starts_with('.') && !local.ends_with('.') && !local.contains("..");
    (fits && dots && local.chars().all(is_fine)).then_some((local, domain))
}

/// A failure that may only mean that there are none.
enum Failure {
    NoRecords,
    Problem(DnsProblem),
}

impl Failure {
    fn or_none<T: Default>(self) -> Result<T, DnsProblem> {
        match self {
            Self::NoRecords => Ok(T::default()),
            Self::Problem(problem) => Err(problem),
        }
    }
}

async fn in_time<T>(asked: impl Future<Output = Result<T, NetError>>) -> Result<T, Failure> {
    let unanswered = |why: String| Failure::Problem(DnsProblem::Unanswered(why));
    match tokio::time::timeout(PATIENCE, asked).await {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(error)) if error.is_nx_domain() => Err(Failure::Problem(DnsProblem::NotFound)),
        Ok(Err(error)) if error.is_no_records_found() => Err(Failure::NoRecords),
        Ok(Err(error)) => Err(unanswered(error.to_string())),
        Err(_) => Err(unanswered("the resolver did not answer".to_owned())),
    }
}

fn at(server: SocketAddr) -> ResolverBuilder<TokioRuntimeProvider> {
    let mut ways = vec![ConnectionConfig::udp(), ConnectionConfig::tcp()];
    for way in &mut ways {
        way.port = server.port();
    }
    let server = NameServerConfig::new(server.ip(), true, ways);
    let config = ResolverConfig::from_parts(None, Vec::new(), vec![server]);
    TokioResolver::builder_with_config(config, TokioRuntimeProvider::default())
}

fn records(answer: Option<&Answer>) -> impl Iterator<Item = &RData> {
    let records = answer.map(Answer::answers).unwrap_or_default();
    records.iter().map(|record| &record.data)
}

/// With a closing dot: nothing is appended to it.
fn absolute(name: &str) -> Result<Name, DnsProblem> {
    let mut parsed = Name::from_ascii(name).map_err(|_| DnsProblem::NotFound)?;
    parsed.set_fqdn(true);
    Ok(parsed)
}

/// In lower case, without the closing dot.
fn written(name: &Name) -> String {
    let text = name.to_ascii().to_lowercase();
    text.strip_suffix('.').unwrap_or(&text).to_owned()
}

fn is_within(name: &str, host: &str) -> bool {
    name == host
        || name
            .strip_suffix(host)
            .is_some_and(|rest| rest.ends_with('.'))
}

fn unusable(error: NetError) -> Fault {
    Fault::new(
        Code::ConfigInvalid,
        Reach::Job,
        Remedy::AskUser,
        format!("the configuration of the resolver cannot be used: {error}"),
    )
}

#[cfg(test)]
mod tests;
