//! Taking back own copies.
use crate::job::Job;
use hikyaku_core::Fault;
use hikyaku_core::undo::{UndoPlan, UndoReport};

pub(crate) async fn plan(_: &Job) -> Result<UndoPlan, Fault> {
    Err(Fault::bug("not yet"))
}

pub(crate) async fn undo(_: &Job) -> Result<UndoReport, Fault> {
    Err(Fault::bug("not yet"))
}
