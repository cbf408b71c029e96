//! The check before the plan: is the source reached, do both accounts open, what would be copied, does it fit.
//!
//! Both sides are looked at at the same time, line by line; whoever waits is told at each change. A check never fails:
//! what is wrong is in its answer. Nothing is written at either account. Start reading at [`check`].

mod board;
mod hidden;
mod sizes;
mod source;

use crate::accounts;
use crate::brand::{Availability, Brand, Plan};
use crate::dns::{Dns, split_address};
use crate::job::{CheckStep, Checked, Delivery, Order};
use crate::jobs::Secrets;
use crate::origin;
use crate::policy::policy;
use crate::uploads::Uploads;
use board::Board;
use hikyaku_core::ledger::Ledger;
use hikyaku_core::plan::{Plan as CopyPlan, Step};
use hikyaku_core::policy::Policy;
use hikyaku_core::report::Outcome;
use hikyaku_core::traits::Source as _;
use hikyaku_core::{Code, Fault, Reach, Remedy, Side};
use hikyaku_engine::{Stop, SystemClock};
use hikyaku_imap::ImapAccount;
use hikyaku_ledger::{PairLedger, Store};
use hikyaku_net::guard::Guard;
use hikyaku_text::Lang;
use hikyaku_view::{PlanView, RoomView};
use source::Source;
use std::sync::Arc;
use std::time::Duration;

/// The longest that a check may take, whatever the servers do.
const LONGEST: Duration = Duration::from_secs(120);

/// The same for a file: it is read whole, and nobody's server keeps anybody waiting.
const LONGEST_OF_FILES: Duration = Duration::from_secs(15 * 60);

/// What is looked at.
#[derive(Clone, Copy)]
pub struct Request<'a> {
    /// What was ordered.
    pub order: &'a Order,
    /// The passwords.
    pub secrets: &'a Secrets,
    /// Of the order.
    pub brand: &'a Brand,
    /// Of the order.
    pub plan: &'a Plan,
    /// Which servers may be reached, and how their names are looked up.
    pub guard: &'a Guard,
    /// Where domains deliver.
    pub dns: &'a Dns,
    /// What was uploaded, where that can be done.
    pub uploads: Option<&'a Uploads>,
    /// What earlier runs know.
    pub store: &'a Store,
    /// Now, in milliseconds since 1970 UTC.
    pub now_millis: i64,
}

/// Looks at both accounts. What is wrong is in the answer.
pub async fn check(request: Request<'_>, tell: &(dyn Fn(&Checked) + Send + Sync)) -> Checked {
    let board = Board::new(tell, request.order.source.upload().is_some());
    let looking = look(&request, &board);
    let longest = match request.order.source.upload() {
        Some(_) => LONGEST_OF_FILES,
        None => LONGEST,
    };
    if tokio::time::timeout(longest, looking).await.is_err() {
        board.give_up(&accounts::too_long(
            Side::Source,
            request.order.source.host.clone(),
        ));
    }
    board.result()
}

/// The answer where there is nothing to look at: what was ordered is not offered any more.
pub fn impossible(fault: &Fault) -> Checked {
    let board = Board::new(&|_| {}, false);
    board.give_up(fault);
    board.result()
}

async fn look(request: &Request<'_>, board: &Board<'_>) {
    let (source, destination, ()) = tokio::join!(
        source::open(request, board),
        open_destination(request, board),
        delivery(request, board),
    );
    match (source, destination) {
        (Some(source), Some(destination)) => {
            let both = Both {
                source,
                destination: Arc::new(destination),
            };
            both.look(request, board).await;
            tokio::join!(both.source.opened.source.close(), both.destination.close());
        }
        (Some(source), None) => source.opened.source.close().await,
        (None, Some(destination)) => destination.close().await,
        (None, None) => {}
    }
}

/// Signs in at the destination.
async fn open_destination(request: &Request<'_>, board: &Board<'_>) -> Option<ImapAccount> {
    let step = CheckStep::DestinationLogin;
    board.begin(step);
    let address = &request.order.destination;
    let secret = request.secrets.destination.as_ref();
    let opened = async {
        let options = accounts::destination_options(request.brand, address, secret)?;
        let options = accounts::while_waited_for(options, 1);
        let account = ImapAccount::connect(options.clone()).await?;
        Ok((account, options))
    };
    match opened.await {
        Ok((account, options)) => {
            let peer = account.peer();
            board.connected(peer.map(|peer| origin::connected(&options.endpoint, &peer)));
            board.good(step);
            Some(account)
        }
        Err(fault) => {
            board.bad(step, &Fault::on(fault, Side::Destination));
            None
        }
    }
}

/// Where mail for the address is delivered, and whether the plan may be used before that is the destination.
async fn delivery(request: &Request<'_>, board: &Board<'_>) {
    board.begin(CheckStep::Dns);
    let delivery = delivery_of(request.dns, request.brand, &request.order.destination).await;
    board.change(|checked| checked.delivery = delivery);
    match (delivery, request.plan.available_after) {
        (Delivery::Here, _) => board.good(CheckStep::Dns),
        (_, Some(Availability::MxMoved)) => board.bad(CheckStep::Dns, &not_moved(request)),
        (Delivery::Elsewhere, None) => board.notable(CheckStep::Dns, None),
        (Delivery::Unknown, None) => board.good(CheckStep::Dns),
    }
}

/// Where mail for an address of a brand's destination is delivered.
pub async fn delivery_of(dns: &Dns, brand: &Brand, address: &str) -> Delivery {
    let Some((_, domain)) = split_address(address) else {
        return Delivery::Unknown;
    };
    let mut hosts = vec![brand.destination.host.to_lowercase()];
    hosts.extend(brand.destination.mail_hosts.iter().cloned());
    dns.delivery(&domain, &hosts).await
}

fn not_moved(request: &Request<'_>) -> Fault {
    Fault::new(
        Code::DeliveryElsewhere,
        Reach::Job,
        Remedy::AskUser,
        format!(
            "the plan {} is available once mail for the domain is delivered to the destination",
            request.plan.id
        ),
    )
    .on(Side::Destination)
}

/// Both accounts, signed in.
struct Both {
    source: Source,
    destination: Arc<ImapAccount>,
}

impl Both {
    async fn look(&self, request: &Request<'_>, board: &Board<'_>) {
        board.begin(CheckStep::Folders);
        let (plan, policy, ledger) = match self.plan(request, board).await {
            Ok(planned) => planned,
            Err(fault) => return board.bad(CheckStep::Folders, &fault),
        };
        let copied_before = copied_before(&ledger, &plan).await;
        board.change(|checked| {
            checked.estimate_seconds = Some(estimate(&plan, copied_before, &policy));
            checked.copied_before = copied_before;
            checked.plan = Some(PlanView::from(&plan));
        });
        if is_empty(&plan) {
            return board.bad(CheckStep::Folders, &nothing_there());
        }
        board.good(CheckStep::Folders);
        tokio::join!(
            sizes::look(&self.source.opened, &plan, self.limit(request), board),
            self.room(request, &plan, &policy, board),
        );
    }

    /// The engine's own plan; hidden mailboxes are left out of it unless they were ticked.
    async fn plan(
        &self,
        request: &Request<'_>,
        board: &Board<'_>,
    ) -> Result<(CopyPlan, Policy, PairLedger), Fault> {
        let source = &self.source.id;
        let destination = accounts::destination_id(request.brand, &request.order.destination);
        let ledger = request.store.pair(source, &destination).await?;
        let visible = chosen(request, &[]);
        let job = hikyaku_engine::Job {
            source: self.source.opened.source.clone(),
            destination: self.destination.clone(),
            undo: None,
            ledger: Arc::new(ledger.clone()),
            observer: Arc::new(()),
            clock: Arc::new(SystemClock::default()),
            policy: visible,
            stop: Stop::new(),
            seed: 0,
        };
        let mut plan = job.plan().await?;
        let hidden = hidden::hidden(&plan, &request.plan.exclude_roles);
        let chosen = chosen(request, &hidden);
        for line in &mut plan.mailboxes {
            if let Some(rule) = chosen.skips_mailbox(&line.source) {
                line.step = Step::Skip(rule);
            }
        }
        board.change(|checked| checked.hidden = hidden);
        Ok((plan, chosen, ledger))
    }

    /// The largest message that is copied, in octets: what the plan and the destination let through.
    fn limit(&self, request: &Request<'_>) -> Option<u64> {
        let told = self.destination.abilities().max_octets;
        match (request.plan.max_message_octets, told) {
            (Some(plan), Some(told)) => Some(plan.min(told)),
            (plan, told) => plan.or(told),
        }
    }

    /// Free space at the destination.
    async fn room(
        &self,
        request: &Request<'_>,
        plan: &CopyPlan,
        policy: &Policy,
        board: &Board<'_>,
    ) {
        let step = CheckStep::Space;
        board.begin(step);
        // What cannot be told is no reason not to begin.
        let quota = self.destination.quota().await.ok().flatten();
        let Some(quota) = quota else {
            return board.good(step);
        };
        let needed = match policy.fresh {
            Some(_) => plan.octets(),
            None => plan.needed(),
        };
        let room = RoomView::new(quota, policy.reserve, needed);
        board.change(|checked| {
            if let Some(view) = &mut checked.plan {
                view.room = Some(room);
            }
        });
        match room.missing {
            None | Some(0) => board.good(step),
            Some(_) => board.short_of_room(&no_room(&room), request.order.choices.fit),
        }
    }
}

/// What the engine would be told, with these mailboxes left out unless they were ticked.
fn chosen(request: &Request<'_>, hidden: &[String]) -> Policy {
    let order = request.order;
    let lang = Lang::from_name(&order.lang).unwrap_or(Lang::Ja);
    policy(
        request.plan,
        &order.source.kind,
        &order.choices,
        hidden,
        request.now_millis,
        lang,
    )
}

fn no_room(room: &RoomView) -> Fault {
    let (code, what) = match room.left {
        Some(left) if left >= 0 => (Code::QuotaReserve, "beside what is kept free"),
        _ => (Code::QuotaExceeded, "at the destination"),
    };
    let missing = room.missing.unwrap_or_default();
    Fault::new(
        code,
        Reach::Job,
        Remedy::AskUser,
        format!("{missing} octets are missing {what}"),
    )
    .on(Side::Destination)
}

/// Messages that are recorded as copied by an earlier run.
async fn copied_before(ledger: &PairLedger, plan: &CopyPlan) -> u64 {
    let mut copied = 0;
    for line in plan.copied() {
        let Some(pairing) = &line.pairing else {
            continue;
        };
        copied += match &pairing.checkpoint {
            Some(checkpoint) => checkpoint.tally.messages(Outcome::Copied),
            // A count that cannot be read is not shown.
            None => unfinished(ledger, pairing.id).await.unwrap_or_default(),
        };
    }
    copied
}

/// The same for a mailbox that no run has finished.
async fn unfinished(
    ledger: &PairLedger,
    pairing: hikyaku_core::ledger::PairingId,
) -> Result<u64, Fault> {
    const PAGE: u32 = 2_000;
    let Some(epoch) = ledger.epochs(pairing).await?.pop() else {
        return Ok(0);
    };
    let (mut copied, mut after) = (0, None);
    loop {
        let page = ledger.known(pairing, epoch, after, PAGE).await?;
        let is_copied = |outcome| outcome == Outcome::Copied;
        copied += page
            .iter()
            .filter(|record| is_copied(record.outcome))
            .count() as u64;
        match page.last() {
            Some(last) if page.len() == PAGE as usize => after = Some(last.key),
            _ => return Ok(copied),
        }
    }
}

/// Seconds that a copy takes, about: what is left to bring, at a rate that ordinary servers reach.
fn estimate(plan: &CopyPlan, copied_before: u64, policy: &Policy) -> u64 {
    const SECONDS_AT_LEAST: u64 = 5;
    const OCTETS_A_SECOND: u64 = 2_500_000;
    const MESSAGES_A_SECOND: u64 = 60;
    /// Where a server tells no sizes.
    const USUAL_MESSAGE: u64 = 75_000;
    let (messages, octets) = match policy.fresh {
        Some(_) => (plan.messages(), plan.octets()),
        None => (plan.messages().saturating_sub(copied_before), plan.needed()),
    };
    let octets = octets.unwrap_or(messages.saturating_mul(USUAL_MESSAGE));
    let seconds = (octets / OCTETS_A_SECOND).max(messages / MESSAGES_A_SECOND);
    SECONDS_AT_LEAST + seconds
}

/// Whether every mailbox that can hold mail says that it holds none.
fn is_empty(plan: &CopyPlan) -> bool {
    let mut holding = plan.mailboxes.iter().filter(|line| line.source.selectable);
    holding.all(|line| line.source.state.is_some_and(|state| state.messages == 0))
}

fn nothing_there() -> Fault {
    Fault::new(
        Code::SourceEmpty,
        Reach::Job,
        Remedy::AskUser,
        "every mailbox of the source is empty",
    )
    .on(Side::Source)
}

#[cfg(test)]
mod tests;
