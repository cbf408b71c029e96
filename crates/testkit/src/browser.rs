//! A private Chromium, driven by WebDriver, and what a person does in it.
//!
//! Every browser has a profile of its own and ends with the test. Waiting is always for something that can be seen on
//! the page, with a limit that is only there so that a broken page fails the test instead of hanging it.

mod devtools;
mod page;

pub use page::Shot;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use fantoccini::error::NewSessionError;
use fantoccini::{Client, ClientBuilder, Locator};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};

use crate::process::{InstanceDirectory, Port, Running};

/// The browser, from Debian's package.
pub(crate) const PROGRAM: &str = "/usr/bin/chromium";
/// What speaks WebDriver for it.
pub(crate) const DRIVER: &str = "/usr/bin/chromedriver";

/// How long something may take to appear: generous, because the machine may be busy with other tests.
const LIMIT: Duration = Duration::from_secs(90);

/// Between two looks.
const PERIOD: Duration = Duration::from_millis(30);

/// How large the window is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Screen {
    /// 1280 × 900.
    #[default]
    Desktop,
    /// 390 × 844, with a finger for a mouse.
    Phone,
}

impl Screen {
    /// Width and height in CSS pixels.
    pub fn size(self) -> (u32, u32) {
        match self {
            Self::Desktop => (1280, 900),
            Self::Phone => (390, 844),
        }
    }
}

/// Who sits in front of the browser.
#[derive(Debug, Clone, Copy)]
pub struct BrowserOptions {
    /// The language asked for, `ja` or `en`.
    pub lang: &'static str,
    /// Whether pages may run scripts.
    pub script: bool,
    /// Whether the person prefers dark pages.
    pub dark: bool,
    /// The window.
    pub screen: Screen,
}

impl Default for BrowserOptions {
    fn default() -> Self {
        Self {
            lang: "ja",
            script: true,
            dark: false,
            screen: Screen::Desktop,
        }
    }
}

/// A running browser with one window.
#[derive(Debug)]
pub struct Browser {
    client: Client,
    downloads: PathBuf,
    // Order matters: the processes end before their directory goes.
    _driver: Running,
    _directory: InstanceDirectory,
    _port: Port,
}

impl Browser {
    /// Starts a browser and waits until it can be used.
    pub async fn open(options: BrowserOptions) -> Result<Self> {
        for program in [PROGRAM, DRIVER] {
            ensure!(
                Path::new(program).exists(),
                "{program} is not installed: run `cargo xtask test`, which installs what the tests need"
            );
        }
        let directory = InstanceDirectory::create(false)?;
        let home = directory.subdirectory("home", 0o700, None)?;
        let scratch = directory.subdirectory("tmp", 0o700, None)?;
        let port = Port::reserve()?;
        let mut driver = Running::start(
            Path::new(DRIVER),
            |command| {
                command
                    .arg(format!("--port={}", port.number()))
                    .arg("--allowed-ips=127.0.0.1")
                    .env("HOME", &home)
                    .env("XDG_CONFIG_HOME", home.join("config"))
                    .env("XDG_CACHE_HOME", home.join("cache"))
                    // It leaves much behind when it is ended; all of it goes with the directory.
                    .env("TMPDIR", &scratch)
                    // What the browser itself says, such as how a date is typed.
                    .env("LANGUAGE", options.lang)
                    .env("TZ", "Asia/Tokyo");
            },
            directory.path(),
        )?;
        let log = directory.path().join("output.log");
        let said = || fs::read_to_string(&log).unwrap_or_default();
        driver
            .wait_until(|| said().contains("was started successfully").then_some(()))
            .with_context(said)?;
        let downloads = directory.subdirectory("downloads", 0o700, None)?;
        let client = new_session(&port, options, directory.path())
            .await
            .with_context(said)?;
        let browser = Self {
            client,
            downloads,
            _driver: driver,
            _directory: directory,
            _port: port,
        };
        browser.show_on(options.screen).await?;
        browser.prefer_dark(options.dark).await?;
        if !options.script {
            browser
                .devtools(
                    "Emulation.setScriptExecutionDisabled",
                    json!({ "value": true }),
                )
                .await?;
        }
        Ok(browser)
    }

    /// The WebDriver client, for what has no word of its own here.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Opens an address, as one types it.
    pub async fn go(&self, url: &str) -> Result<()> {
        self.client
            .goto(url)
            .await
            .with_context(|| format!("cannot open {url}"))
    }

    /// Asks again and again until `look` finds something; `what` is for the words of a failed test, which also shows
    /// the page as it is then.
    pub async fn until<T, F>(&self, what: &str, mut look: impl FnMut() -> F) -> Result<T>
    where
        F: Future<Output = Result<Option<T>>>,
    {
        let deadline = Instant::now() + LIMIT;
        loop {
            let last = match look().await {
                Ok(Some(found)) => return Ok(found),
                Ok(None) => String::new(),
                // A page that is just being replaced cannot answer.
                Err(error) => format!(" ({error:#})"),
            };
            if Instant::now() > deadline {
                let page = self.text().await.unwrap_or_default();
                let url = self.address().await.unwrap_or_default();
                bail!("{what} did not appear{last}; {url} shows:\n{page}");
            }
            tokio::time::sleep(PERIOD).await;
        }
    }

    /// Waits for a file that the page has given out, and takes it: its name and its octets.
    pub async fn downloaded(&self) -> Result<(String, Vec<u8>)> {
        let path = self
            .until("a downloaded file", || async {
                let files = fs::read_dir(&self.downloads)?.flatten().map(|e| e.path());
                let mut files: Vec<PathBuf> = files.collect();
                // What is still on its way has a hidden name, and then one that says so.
                let whole = files.len() == 1 && !is_under_way(&files[0]);
                Ok(if whole { files.pop() } else { None })
            })
            .await?;
        let octets = fs::read(&path)?;
        fs::remove_file(&path)?;
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        Ok((name.into_owned(), octets))
    }

    /// Closes the window and ends the browser. Dropping it does the same, less politely.
    pub async fn close(self) -> Result<()> {
        self.client.clone().close().await?;
        Ok(())
    }
}

fn is_under_way(file: &Path) -> bool {
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    name.starts_with('.') || name.ends_with(".crdownload")
}

async fn new_session(port: &Port, options: BrowserOptions, directory: &Path) -> Result<Client> {
    let arguments = [
        "--headless=new".to_owned(),
        // Chromium refuses to sandbox what root starts; it only ever sees pages of the test.
        "--no-sandbox".to_owned(),
        // With a pipe the browser ends when its driver does.
        "--remote-debugging-pipe".to_owned(),
        // Containers have a small /dev/shm.
        "--disable-dev-shm-usage".to_owned(),
        "--disable-gpu".to_owned(),
        "--disable-background-networking".to_owned(),
        "--disable-component-update".to_owned(),
        "--disable-extensions".to_owned(),
        "--disable-sync".to_owned(),
        "--no-first-run".to_owned(),
        "--hide-scrollbars".to_owned(),
        format!("--lang={}", options.lang),
        format!("--user-data-dir={}", directory.join("profile").display()),
    ];
    let capabilities = json!({
        "browserName": "chrome",
        "goog:chromeOptions": {
            "binary": PROGRAM,
            "args": arguments,
            "prefs": {
                "intl.accept_languages": options.lang,
                "credentials_enable_service": false,
                "profile.password_manager_enabled": false,
                "download.default_directory": directory.join("downloads"),
                "download.prompt_for_download": false,
            },
        },
    });
    let Value::Object(capabilities) = capabilities else {
        bail!("capabilities are an object");
    };
    let connected: Result<Client, NewSessionError> = ClientBuilder::new(HttpConnector::new())
        .capabilities(capabilities)
        .connect(&format!("http://127.0.0.1:{}", port.number()))
        .await;
    connected.context("the browser does not start")
}

/// The element with this name of a form field.
pub(crate) fn by_name(name: &str) -> String {
    format!("[name={name:?}]")
}

/// A selector as a locator.
pub(crate) fn css(selector: &str) -> Locator<'_> {
    Locator::Css(selector)
}
