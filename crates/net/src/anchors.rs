//! Certificates of issuers that the person trusts beside the system's.

use hikyaku_core::{Code, Fault, Reach, Remedy};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use std::path::Path;
use std::sync::Arc;

/// Trust anchors given by the person, added to those of the system.
/// Never empty; cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Anchors(Arc<[CertificateDer<'static>]>);

impl Anchors {
    /// Every certificate of a PEM text; other sections are passed over.
    ///
    /// # Faults
    /// `config.invalid` when there is none, or one that is not a certificate.
    pub fn from_pem(pem: &[u8]) -> Result<Self, Fault> {
        let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
        let certificates =
            read.map_err(|e| invalid(format!("the trust anchors are not readable PEM: {e}")))?;
        if certificates.is_empty() {
            return Err(invalid(
                "there is no certificate among the trust anchors; expected PEM with BEGIN CERTIFICATE",
            ));
        }
        let mut store = rustls::RootCertStore::empty();
        for (i, certificate) in certificates.iter().enumerate() {
            store.add(certificate.clone()).map_err(|e| {
                invalid(format!(
                    "certificate {} of the trust anchors cannot be used: {e}",
                    i + 1
                ))
            })?;
        }
        Ok(Self(certificates.into()))
    }

    /// The same from a file.
    ///
    /// # Faults
    /// `config.invalid`, naming the file.
    pub fn from_file(path: &Path) -> Result<Self, Fault> {
        let pem = std::fs::read(path)
            .map_err(|e| invalid(format!("{}: cannot be read: {e}", path.display())))?;
        Self::from_pem(&pem).map_err(|mut fault| {
            fault.detail = format!("{}: {}", path.display(), fault.detail);
            fault
        })
    }

    pub(crate) fn certificates(&self) -> &[CertificateDer<'static>] {
        &self.0
    }
}

fn invalid(detail: impl Into<String>) -> Fault {
    Fault::new(Code::ConfigInvalid, Reach::Job, Remedy::AskUser, detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_without_a_certificate_is_named() {
        let fault = Anchors::from_file(Path::new("Cargo.toml")).unwrap_err();
        assert_eq!(fault.code, Code::ConfigInvalid);
        assert!(
            fault
                .detail
                .starts_with("Cargo.toml: there is no certificate"),
            "{fault}"
        );
    }

    #[test]
    fn a_missing_file_is_named() {
        let fault = Anchors::from_file(Path::new("no/such.pem")).unwrap_err();
        assert!(
            fault.detail.starts_with("no/such.pem: cannot be read"),
            "{fault}"
        );
    }

    #[test]
    fn octets_that_are_no_certificate_are_refused() {
        let pem = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        let fault = Anchors::from_pem(pem).unwrap_err();
        assert!(fault.detail.contains("certificate 1"), "{fault}");
    }
}
