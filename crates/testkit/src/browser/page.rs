//! What a person sees on a page, and what hands do on it.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use fantoccini::elements::Element;
use fantoccini::key::Key;
use serde_json::{Value, json};

use super::{Browser, by_name, css};

/// How much of a page a picture shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shot {
    /// What the window shows.
    Window,
    /// All of it.
    Page,
}

impl Browser {
    /// The address in the address bar.
    pub async fn address(&self) -> Result<String> {
        Ok(self.client().current_url().await?.to_string())
    }

    /// The words that can be seen, with title first.
    pub async fn text(&self) -> Result<String> {
        let title = self.client().title().await?;
        let body = self.client().find(css("body")).await?.text().await?;
        Ok(format!("{title}\n{body}"))
    }

    /// The page as the server sent it, as far as the browser kept it.
    pub async fn source(&self) -> Result<String> {
        Ok(self.client().source().await?)
    }

    /// Waits until these words can be seen.
    pub async fn sees(&self, words: &str) -> Result<()> {
        self.until(&format!("“{words}”"), || async {
            Ok(self.text().await?.contains(words).then_some(()))
        })
        .await
    }

    /// Waits until one of these words can be seen and tells which.
    pub async fn sees_one_of<'w>(&self, words: &[&'w str]) -> Result<&'w str> {
        self.until(&format!("one of {words:?}"), || async {
            let text = self.text().await?;
            Ok(words.iter().copied().find(|word| text.contains(word)))
        })
        .await
    }

    /// Waits for an element.
    pub async fn find(&self, selector: &str) -> Result<Element> {
        self.until(selector, || async {
            let found = self.client().find_all(css(selector)).await?;
            Ok(found.into_iter().next())
        })
        .await
    }

    /// How many elements there are now.
    pub async fn count(&self, selector: &str) -> Result<usize> {
        Ok(self.client().find_all(css(selector)).await?.len())
    }

    /// Waits until the address ends like this.
    pub async fn arrives(&self, end: &str) -> Result<()> {
        self.until(&format!("an address that ends with {end}"), || async {
            Ok(self.address().await?.ends_with(end).then_some(()))
        })
        .await
    }

    /// Types a value into the field of this name, in place of what was there.
    pub async fn fill(&self, name: &str, value: &str) -> Result<()> {
        let field = self.find(&by_name(name)).await?;
        field
            .clear()
            .await
            .with_context(|| format!("cannot empty {name}"))?;
        field
            .send_keys(value)
            .await
            .with_context(|| format!("cannot type into {name}"))
    }

    /// What the field of this name holds.
    pub async fn value(&self, name: &str) -> Result<String> {
        let field = self.find(&by_name(name)).await?;
        Ok(field.prop("value").await?.unwrap_or_default())
    }

    /// Clicks on an element and waits until the page is another one.
    pub async fn follow(&self, selector: &str) -> Result<()> {
        let before = self.find("html").await?.element_id().to_string();
        self.click(selector).await?;
        self.until(&format!("the page behind {selector}"), || async {
            let now = self.client().find(css("html")).await?.element_id();
            Ok((now.to_string() != before).then_some(()))
        })
        .await
    }

    /// Clicks on an element.
    pub async fn click(&self, selector: &str) -> Result<()> {
        let element = self.find(selector).await?;
        element
            .click()
            .await
            .with_context(|| format!("cannot click on {selector}"))
    }

    /// Presses keys wherever the keyboard is.
    pub async fn press(&self, keys: &str) -> Result<()> {
        let focused = self.client().active_element().await?;
        Ok(focused.send_keys(keys).await?)
    }

    /// Goes on with the Tab key until the element has the keyboard; fails after as many steps as nobody would make.
    pub async fn tab_to(&self, selector: &str) -> Result<Element> {
        const STEPS: usize = 80;
        let wanted = self.find(selector).await?.element_id().to_string();
        for _ in 0..STEPS {
            let focused = self.client().active_element().await?;
            if focused.element_id().to_string() == wanted {
                return Ok(focused);
            }
            focused
                .send_keys(&String::from(char::from(Key::Tab)))
                .await?;
        }
        anyhow::bail!("{selector} cannot be reached with the Tab key")
    }

    /// The result of an expression, as JSON.
    pub async fn evaluate(&self, expression: &str) -> Result<Value> {
        let answer = self
            .devtools(
                "Runtime.evaluate",
                json!({ "expression": expression, "returnByValue": true }),
            )
            .await?;
        ensure!(
            answer.get("exceptionDetails").is_none(),
            "{expression}: {answer}"
        );
        Ok(answer["result"]["value"].clone())
    }

    /// Whether the page has to be pushed sideways to be read.
    pub async fn scrolls_sideways(&self) -> Result<bool> {
        let wide = self
            .evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")
            .await?;
        wide.as_bool().context("a width compares")
    }

    /// Keeps a picture.
    pub async fn shoot(&self, shot: Shot, path: &Path) -> Result<()> {
        let size = self
            .evaluate(
                "[document.documentElement.clientWidth, window.innerHeight, \
                 document.documentElement.scrollHeight, window.scrollY]",
            )
            .await?;
        let number = |at: usize| size[at].as_f64().context("a length is a number");
        let (width, window, page, scrolled) = (number(0)?, number(1)?, number(2)?, number(3)?);
        let part = match shot {
            Shot::Window => (0.0, scrolled, width, window.min(page)),
            Shot::Page => (0.0, 0.0, width, page),
        };
        let octets = self.picture(part).await?;
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent)?;
        }
        std::fs::write(path, octets).with_context(|| format!("cannot write {}", path.display()))
    }
}
