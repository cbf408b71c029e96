//! Commands of Chromium that WebDriver does not have.

use anyhow::{Context, Result};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use fantoccini::wd::WebDriverCompatibleCommand;
use serde_json::{Value, json};

use super::{Browser, Screen};

#[derive(Debug)]
struct Execute {
    body: String,
}

impl WebDriverCompatibleCommand for Execute {
    fn endpoint(
        &self,
        base_url: &url::Url,
        session_id: Option<&str>,
    ) -> Result<url::Url, url::ParseError> {
        let session = session_id.unwrap_or_default();
        base_url.join(&format!("session/{session}/goog/cdp/execute"))
    }

    fn method_and_body(&self, _: &url::Url) -> (http::Method, Option<String>) {
        (http::Method::POST, Some(self.body.clone()))
    }
}

impl Browser {
    /// Runs a command of the DevTools protocol.
    pub async fn devtools(&self, command: &str, parameters: Value) -> Result<Value> {
        let body = json!({ "cmd": command, "params": parameters }).to_string();
        self.client()
            .issue_cmd(Execute { body })
            .await
            .with_context(|| format!("{command} failed"))
    }

    /// Makes the window this large.
    pub async fn show_on(&self, screen: Screen) -> Result<()> {
        let (width, height) = screen.size();
        self.devtools(
            "Emulation.setDeviceMetricsOverride",
            json!({
                "width": width,
                "height": height,
                "deviceScaleFactor": 1,
                "mobile": screen == Screen::Phone,
            }),
        )
        .await?;
        Ok(())
    }

    /// Asks pages for dark or light colours.
    pub async fn prefer_dark(&self, dark: bool) -> Result<()> {
        let value = if dark { "dark" } else { "light" };
        self.devtools(
            "Emulation.setEmulatedMedia",
            json!({ "features": [{ "name": "prefers-color-scheme", "value": value }] }),
        )
        .await?;
        Ok(())
    }

    /// The octets of a PNG of this part of the page: left, top, width and height in CSS pixels.
    pub(super) async fn picture(
        &self,
        (x, y, width, height): (f64, f64, f64, f64),
    ) -> Result<Vec<u8>> {
        let answer = self
            .devtools(
                "Page.captureScreenshot",
                json!({
                    "format": "png",
                    "captureBeyondViewport": true,
                    "optimizeForSpeed": false,
                    "clip": { "x": x, "y": y, "width": width, "height": height, "scale": 1 },
                }),
            )
            .await?;
        let data = answer["data"].as_str().context("a picture has data")?;
        Ok(STANDARD.decode(data)?)
    }
}
