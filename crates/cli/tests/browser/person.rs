//! A person in front of the browser: the steps of the flow, each until its page shows.

use crate::service::Service;
use crate::world::{ADDRESS, NOTIFY, World};
use hikyaku_testkit::browser::{Browser, BrowserOptions};
use std::ops::Deref;

/// Somebody who uses the page.
#[derive(Debug)]
pub(crate) struct Person {
    browser: Browser,
}

/// What is typed into the form.
#[derive(Debug, Clone)]
pub(crate) struct Form {
    pub(crate) password: String,
    pub(crate) source_host: String,
    pub(crate) source_password: String,
    pub(crate) notify: String,
}

impl Form {
    /// What is right in this world.
    pub(crate) fn right(world: &World) -> Self {
        Self {
            password: world.destination.password.clone(),
            source_host: world.old_host(),
            source_password: world.source.password.clone(),
            notify: NOTIFY.to_owned(),
        }
    }
}

impl Deref for Person {
    type Target = Browser;

    fn deref(&self) -> &Browser {
        &self.browser
    }
}

impl Person {
    /// Somebody with a new browser.
    pub(crate) async fn sits_down(options: BrowserOptions) -> Self {
        let browser = Browser::open(options).await.unwrap();
        Self { browser }
    }

    /// Somebody who reads this language.
    pub(crate) async fn reading(lang: &'static str) -> Self {
        Self::sits_down(BrowserOptions {
            lang,
            ..BrowserOptions::default()
        })
        .await
    }

    /// Signs in with the mailbox at the new server.
    pub(crate) async fn signs_in(&self, service: &Service, world: &World) {
        self.go(&format!("{}/signin", service.url)).await.unwrap();
        self.types_sign_in(ADDRESS, &world.destination.password)
            .await;
        self.find("form[action='/signout']").await.unwrap();
    }

    /// Fills in the sign-in page and sends it.
    pub(crate) async fn types_sign_in(&self, address: &str, password: &str) {
        self.fill("address", address).await.unwrap();
        self.fill("password", password).await.unwrap();
        self.follow("main form button").await.unwrap();
    }

    /// Fills in the form of five fields and sends it.
    pub(crate) async fn orders(&self, service: &Service, form: &Form) {
        self.go(&format!("{}/copy", service.url)).await.unwrap();
        self.sends(form).await;
    }

    async fn sends(&self, form: &Form) {
        self.fill("password", &form.password).await.unwrap();
        self.fill("source_host", &form.source_host).await.unwrap();
        assert_eq!(self.value("source_address").await.unwrap(), ADDRESS);
        self.fill("source_password", &form.source_password)
            .await
            .unwrap();
        self.fill("notify", &form.notify).await.unwrap();
        self.follow(CHECK).await.unwrap();
    }

    /// Sends the form of the open page although the browser itself would point at what is missing.
    pub(crate) async fn orders_unchecked(&self, form: &Form) {
        self.evaluate("document.querySelector(\"form[action='/copy']\").noValidate = true")
            .await
            .unwrap();
        self.sends(form).await;
    }

    /// The same with what is right.
    pub(crate) async fn orders_right(&self, service: &Service, world: &World) {
        self.orders(service, &Form::right(world)).await;
    }

    /// Waits for a mail with these words in the catcher.
    pub(crate) async fn sees_mail(&self, service: &Service, words: &str) {
        let url = format!("{}/mail", service.url);
        self.until(&format!("a mail with “{words}”"), || async {
            self.go(&url).await?;
            let mails =
                "[...document.querySelectorAll('article')].map((mail) => mail.innerText).join()";
            let mails = self.evaluate(mails).await?;
            let has_words = mails.as_str().is_some_and(|text| text.contains(words));
            Ok(has_words.then_some(()))
        })
        .await
        .unwrap();
    }

    /// Waits for the confirmation and starts.
    pub(crate) async fn confirms(&self) {
        self.find(START).await.unwrap();
        self.follow(START).await.unwrap();
        self.arrives("/accepted").await.unwrap();
    }

    /// Signs in, orders, confirms and opens the page of the copy.
    pub(crate) async fn starts_a_copy(&self, service: &Service, world: &World) {
        self.signs_in(service, world).await;
        self.orders_right(service, world).await;
        self.confirms().await;
        self.opens_the_progress().await;
    }

    /// On the page 「もう一度」: chooses what is done with the earlier copies, and goes all the way to the new job's page.
    pub(crate) async fn again(&self, world: &World, rerun: &str) {
        self.click(&format!("[name='rerun'][value='{rerun}']"))
            .await
            .unwrap();
        self.types_passwords(world).await;
        self.follow("form[action$='/again'] .buttons button")
            .await
            .unwrap();
        self.confirms().await;
        self.opens_the_progress().await;
    }

    /// Types ① and ④ where they are asked for.
    pub(crate) async fn types_passwords(&self, world: &World) {
        for (name, password) in [
            ("password", &world.destination.password),
            ("source_password", &world.source.password),
        ] {
            if self.count(&format!("[name='{name}']")).await.unwrap() > 0 {
                self.fill(name, password).await.unwrap();
            }
        }
    }

    /// Goes to a field with the Tab key and types.
    pub(crate) async fn types_at(&self, name: &str, value: &str) {
        self.tab_to(&format!("main [name='{name}']")).await.unwrap();
        self.press(value).await.unwrap();
    }

    /// Closes the browser.
    pub(crate) async fn leaves(self) {
        self.browser.close().await.unwrap();
    }

    /// From the accepted page on.
    pub(crate) async fn opens_the_progress(&self) {
        let url = self.address().await.unwrap();
        let job = url.trim_end_matches("/accepted").to_owned();
        self.follow(&format!("main a[href='{}']", path(&job)))
            .await
            .unwrap();
    }
}

/// The button 【確認する】; the one that looks for the server comes before it.
pub(crate) const CHECK: &str = "form[action='/copy'] .buttons button";

/// The same on the page of an uploaded file.
pub(crate) const CHECK_FILE: &str =
    "form[action^='/uploads/']:not([action$='/remove']) .buttons button";

/// The button 【実行する】.
pub(crate) const START: &str = "form[action$='/start'] button";

/// Without scheme and host.
pub(crate) fn path(url: &str) -> &str {
    url.strip_prefix("http://")
        .and_then(|rest| rest.find('/').map(|at| &rest[at..]))
        .unwrap_or(url)
}
