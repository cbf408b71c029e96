//! Whether a page can be used by everybody: what a screen reader, a keyboard, a phone and tired eyes need.

use crate::person::Person;
use hikyaku_testkit::browser::Screen;
use serde_json::Value;

/// What is wrong with the page, one line each. Runs in the page.
const DEFECTS: &str = include_str!("looks.js");

impl Person {
    /// The page that is open is right at both widths, by day and by night.
    pub(crate) async fn looks_right(&self, lang: &str) {
        let address = self.address().await.unwrap();
        let is = self
            .evaluate("document.documentElement.lang")
            .await
            .unwrap();
        assert_eq!(is, lang, "{address}");
        for (screen, dark) in [
            (Screen::Desktop, false),
            (Screen::Desktop, true),
            (Screen::Phone, true),
            (Screen::Phone, false),
        ] {
            self.show_on(screen).await.unwrap();
            self.prefer_dark(dark).await.unwrap();
            let defects = self.evaluate(DEFECTS).await.unwrap();
            assert_eq!(
                defects,
                Value::Array(Vec::new()),
                "{address}, {screen:?}, dark: {dark}"
            );
            assert!(
                !self.scrolls_sideways().await.unwrap(),
                "{address} has to be pushed sideways on {screen:?}"
            );
        }
        self.show_on(Screen::Desktop).await.unwrap();
    }
}
