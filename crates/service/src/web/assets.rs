//! Files that belong to the program: the style sheet, the script, the icon.

use super::{Answer, App, Rejection};
use crate::brand::Brand;
use axum::body::Body;
use axum::extract::{Path, RawQuery, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::Response;
use bytes::Bytes;
use sha2::{Digest, Sha256};
use std::sync::LazyLock;

struct Asset {
    name: &'static str,
    kind: &'static str,
    octets: &'static str,
}

const CSS: &str = "text/css; charset=utf-8";
const SVG: &str = "image/svg+xml";
const SCRIPT: &str = "text/javascript; charset=utf-8";

const ASSETS: &[Asset] = &[
    Asset {
        name: "style.css",
        kind: CSS,
        octets: include_str!("../../assets/style.css"),
    },
    Asset {
        name: "icon.svg",
        kind: SVG,
        octets: include_str!("../../assets/icon.svg"),
    },
    Asset {
        name: "upload.js",
        kind: SCRIPT,
        octets: include_str!("../../assets/upload.js"),
    },
    Asset {
        name: "progress.js",
        kind: SCRIPT,
        octets: include_str!("../../assets/progress.js"),
    },
];

static MARKS: LazyLock<Vec<String>> =
    LazyLock::new(|| ASSETS.iter().map(|asset| mark(asset.octets)).collect());

/// A few digits that change with the content.
pub(crate) fn mark(content: &str) -> String {
    mark_of(content.as_bytes())
}

/// The same for octets.
pub(crate) fn mark_of(octets: &[u8]) -> String {
    let digest = Sha256::digest(octets);
    digest
        .iter()
        .take(6)
        .map(|octet| format!("{octet:02x}"))
        .collect()
}

/// The address of a file, which changes with its content, so that browsers may keep it for ever.
pub(crate) fn address(name: &str) -> String {
    match ASSETS.iter().position(|asset| asset.name == name) {
        Some(place) => format!("/static/{name}?{}", MARKS[place]),
        None => format!("/static/{name}"),
    }
}

/// `GET /static/{file}`.
pub(crate) async fn serve(
    State(app): State<App>,
    Path(name): Path<String>,
    RawQuery(query): RawQuery,
) -> Answer {
    let own = ASSETS.iter().find(|asset| asset.name == name);
    let (octets, kind) = match own {
        Some(asset) => (Bytes::from_static(asset.octets.as_bytes()), asset.kind),
        None => of_brand(&app, &name).ok_or(Rejection::NotFound)?,
    };
    // An address of an older version is answered, but not kept.
    let keep = match query.as_deref() == Some(mark_of(&octets).as_str()) {
        true => "public, max-age=31536000, immutable",
        false => "no-cache",
    };
    let response = Response::builder()
        .header(CONTENT_TYPE, kind)
        .header(CACHE_CONTROL, keep);
    response
        .body(Body::from(octets))
        .map_err(|_| Rejection::NotFound)
}

/// Colours and picture of a brand.
fn of_brand(app: &App, name: &str) -> Option<(Bytes, &'static str)> {
    if let Some(id) = name
        .strip_prefix("brand-")
        .and_then(|name| name.strip_suffix(".css"))
    {
        return Some((style_of(app.brands().get(id)?).into(), CSS));
    }
    let logo = app
        .brands()
        .get(name.strip_prefix("logo-")?)?
        .logo
        .as_ref()?;
    Some((Bytes::copy_from_slice(&logo.octets), logo.media_type))
}

/// Colours of a brand as a style sheet.
pub(crate) fn style_of(brand: &Brand) -> String {
    let (day, night) = (brand.colours.accent, brand.colours.accent_dark);
    format!(
        ":root{{--accent:{day};--on-accent:#fff}}\n\
         @media (prefers-color-scheme:dark){{:root{{--accent:{night};--on-accent:#000}}}}\n\
         @media print{{:root{{--accent:#000}}}}\n"
    )
}
