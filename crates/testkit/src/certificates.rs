//! A private certificate authority and the good and bad server certificates that tests need.

use anyhow::Result;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, date_time_ymd,
};
use sha2::{Digest, Sha256};

/// Which certificate a server shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Shown {
    /// For `localhost` and `127.0.0.1`, signed by the authority of the instance: clients should accept it.
    #[default]
    Good,
    /// For `somebody-else.example`: the name is wrong.
    WrongName,
    /// For the right name, but expired in 2001.
    Expired,
    /// For the right name, but signed by an authority nobody was told of.
    OtherAuthority,
    /// For the right name, signed by its own key.
    SelfSigned,
}

/// A server's certificate and key, with the authority that a client is told to trust.
#[derive(Clone)]
pub struct Identity {
    /// PEM of the authority to trust. For [`Shown::OtherAuthority`] this is not the one that signed.
    pub authority_pem: String,
    /// PEM of the server's certificate.
    pub certificate_pem: String,
    /// PEM (PKCS#8) of the server's private key.
    pub key_pem: String,
    /// SHA-256 of the certificate's DER in lower-case hexadecimal, as for `--pin`.
    pub pin: String,
}

impl std::fmt::Debug for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Identity")
            .field("pin", &self.pin)
            .finish_non_exhaustive()
    }
}

impl Identity {
    /// Makes a new authority and one server certificate of the wanted sort.
    pub fn create(shown: Shown) -> Result<Self> {
        let (trusted, trusted_pem) = authority("hikyaku test authority")?;
        let mut leaf = CertificateParams::new(match shown {
            Shown::WrongName => vec!["somebody-else.example".to_owned()],
            _ => vec!["localhost".to_owned(), "127.0.0.1".to_owned()],
        })?;
        leaf.distinguished_name
            .push(DnType::CommonName, "hikyaku test server");
        leaf.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        leaf.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        (leaf.not_before, leaf.not_after) = match shown {
            Shown::Expired => (date_time_ymd(2000, 1, 1), date_time_ymd(2001, 1, 1)),
            _ => (date_time_ymd(2020, 1, 1), date_time_ymd(2120, 1, 1)),
        };
        let key = KeyPair::generate()?;
        let certificate = match shown {
            Shown::OtherAuthority => leaf.signed_by(&key, &authority("an unknown authority")?.0)?,
            Shown::SelfSigned => leaf.self_signed(&key)?,
            Shown::Good | Shown::WrongName | Shown::Expired => leaf.signed_by(&key, &trusted)?,
        };
        Ok(Self {
            authority_pem: trusted_pem,
            pin: hexadecimal(&Sha256::digest(certificate.der())),
            certificate_pem: certificate.pem(),
            key_pem: key.serialize_pem(),
        })
    }
}

fn authority(name: &str) -> Result<(Issuer<'static, KeyPair>, String)> {
    let mut params = CertificateParams::new(Vec::new())?;
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.distinguished_name.push(DnType::CommonName, name);
    (params.not_before, params.not_after) = (date_time_ymd(2020, 1, 1), date_time_ymd(2120, 1, 1));
    let key = KeyPair::generate()?;
    let pem = params.self_signed(&key)?.pem();
    Ok((Issuer::new(params, key), pem))
}

/// Octets as lower-case hexadecimal digits.
pub(crate) fn hexadecimal(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}
