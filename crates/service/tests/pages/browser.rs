//! A browser without a screen: HTTP/1.0, cookies, and forms that are sent as they stand on the page.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// How long a page may take to become what is waited for.
const PATIENCE: Duration = Duration::from_secs(120);

pub(crate) struct Browser {
    address: SocketAddr,
    lang: &'static str,
    cookies: BTreeMap<String, String>,
}

/// What came back.
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Reply {
    pub(crate) fn header(&self, name: &str) -> &str {
        let found = self
            .headers
            .iter()
            .find(|(key, _)| key.eq_ignore_ascii_case(name));
        found.map_or("", |(_, value)| value)
    }

    pub(crate) fn location(&self) -> &str {
        self.header("location")
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("UTF-8")
    }

    /// What the page says, without its marks.
    pub(crate) fn says(&self, text: &str) -> bool {
        self.text().contains(text)
    }

    /// The part of the page from the form with this action to its end.
    fn form(&self, action: &str) -> Option<&str> {
        let forms = self.text().split("<form ").skip(1);
        let mut forms = forms.filter(|form| form.contains(&format!("action=\"{action}\"")));
        forms.next().and_then(|form| form.split("</form>").next())
    }

    pub(crate) fn has_form(&self, action: &str) -> bool {
        self.form(action).is_some()
    }

    /// The fields of a form as they stand: hidden ones, typed ones, ticked ones.
    fn fields(&self, action: &str) -> Vec<(String, String)> {
        let form = self
            .form(action)
            .unwrap_or_else(|| panic!("no form {action}: {}", self.text()));
        let inputs = form.split("<input ").skip(1).filter_map(|input| {
            let input = input.split('>').next()?;
            let value = |name: &str| {
                let rest = input.split_once(&format!("{name}=\""))?.1;
                rest.split_once('"').map(|(value, _)| unescape(value))
            };
            let ticks = matches!(value("type").as_deref(), Some("checkbox" | "radio"));
            let is_sent = !ticks || input.split_whitespace().any(|word| word == "checked");
            is_sent.then(|| {
                Some((
                    value(" name").or_else(|| value("name"))?,
                    value("value").unwrap_or_default(),
                ))
            })?
        });
        inputs.collect()
    }
}

fn unescape(text: &str) -> String {
    let signs = [
        ("&#60;", "<"),
        ("&#62;", ">"),
        ("&#34;", "\""),
        ("&#39;", "'"),
        ("&#38;", "&"),
    ];
    signs
        .iter()
        .fold(text.to_owned(), |text, (from, to)| text.replace(from, to))
}

fn escape(text: &str) -> String {
    text.bytes().map(|octet| format!("%{octet:02X}")).collect()
}

/// Everything that comes until the server hangs up.
async fn answer(mut stream: TcpStream) -> Vec<u8> {
    let mut octets = Vec::new();
    let reading = stream.read_to_end(&mut octets);
    let read = tokio::time::timeout(PATIENCE, reading).await;
    read.expect("an answer in time").expect("an answer");
    octets
}

impl Browser {
    pub(crate) fn new(address: SocketAddr, lang: &'static str) -> Self {
        Self {
            address,
            lang,
            cookies: BTreeMap::new(),
        }
    }

    pub(crate) async fn get(&mut self, path: &str) -> Reply {
        let octets = answer(self.begin("GET", path, "", "").await).await;
        self.reply(&octets)
    }

    /// Sends the form with this action as it stands on the page, but for these fields.
    pub(crate) async fn submit(
        &mut self,
        page: &Reply,
        action: &str,
        typed: &[(&str, &str)],
    ) -> Reply {
        let mut fields = page.fields(action);
        fields.retain(|(name, _)| typed.iter().all(|(typed, _)| typed != name));
        fields.extend(
            typed
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned())),
        );
        self.post(action, &fields).await
    }

    /// Sends these fields with the token that the forms of a page carry.
    pub(crate) async fn send_token_of(
        &mut self,
        page: &Reply,
        path: &str,
        typed: &[(&str, &str)],
    ) -> Reply {
        let mut fields = page.fields("/lang");
        fields.retain(|(name, _)| name == "csrf");
        fields.extend(
            typed
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned())),
        );
        self.post(path, &fields).await
    }

    /// Sends a form with a file as it stands on the page.
    pub(crate) async fn send_file(
        &mut self,
        page: &Reply,
        action: &str,
        name: &str,
        content: &[u8],
    ) -> Reply {
        const BOUNDARY: &str = "----hikyakuFormBoundary9";
        let mut body = Vec::new();
        let mut fields = page.fields(action);
        fields.retain(|(name, _)| name != "file");
        for (name, value) in fields {
            let head = format!("Content-Disposition: form-data; name=\"{name}\"");
            body.extend(format!("--{BOUNDARY}\r\n{head}\r\n\r\n{value}\r\n").bytes());
        }
        let head = format!("Content-Disposition: form-data; name=\"file\"; filename=\"{name}\"");
        body.extend(format!("--{BOUNDARY}\r\n{head}\r\n\r\n").bytes());
        body.extend_from_slice(content);
        body.extend(format!("\r\n--{BOUNDARY}--\r\n").bytes());
        let head = format!(
            "Content-Type: multipart/form-data; boundary={BOUNDARY}\r\nContent-Length: {}\r\n",
            body.len()
        );
        let mut stream = self.begin_with("POST", action, &head).await;
        stream.write_all(&body).await.expect("a file");
        let octets = answer(stream).await;
        self.reply(&octets)
    }

    async fn post(&mut self, path: &str, fields: &[(String, String)]) -> Reply {
        let pairs = fields
            .iter()
            .map(|(name, value)| format!("{}={}", escape(name), escape(value)));
        let body = pairs.collect::<Vec<_>>().join("&");
        let octets = answer(self.begin("POST", path, "", &body).await).await;
        self.reply(&octets)
    }

    /// Opens the page again and again, as it does by itself without JavaScript, until it is as wanted.
    pub(crate) async fn until(&mut self, path: &str, is_so: impl Fn(&Reply) -> bool) -> Reply {
        let began = tokio::time::Instant::now();
        loop {
            let page = self.get(path).await;
            if is_so(&page) {
                return page;
            }
            assert!(began.elapsed() < PATIENCE, "{}", page.text());
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// The events of an address until the server ends them, as pairs of name and data.
    pub(crate) async fn events(
        &mut self,
        path: &str,
        last: &str,
    ) -> Vec<(String, String, serde_json::Value)> {
        let more = if last.is_empty() {
            String::new()
        } else {
            format!("Last-Event-ID: {last}\r\n")
        };
        let octets = answer(self.begin("GET", path, &more, "").await).await;
        let reply = self.reply(&octets);
        assert_eq!(
            (reply.status, reply.header("content-type")),
            (200, "text/event-stream")
        );
        let blocks = reply
            .text()
            .split("\n\n")
            .filter(|block| block.contains("data:"));
        let field = |block: &str, name: &str| {
            let lines = block
                .lines()
                .filter_map(|line| line.strip_prefix(&format!("{name}:")));
            lines.map(str::trim_start).collect::<Vec<_>>().join("\n")
        };
        let events = blocks.map(|block| {
            let data = serde_json::from_str(&field(block, "data")).expect("JSON");
            (field(block, "event"), field(block, "id"), data)
        });
        events.collect()
    }

    async fn begin(&self, method: &str, path: &str, more: &str, body: &str) -> TcpStream {
        let form = match method {
            "POST" => format!(
                "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n",
                body.len()
            ),
            _ => String::new(),
        };
        let mut stream = self
            .begin_with(method, path, &format!("{form}{more}"))
            .await;
        stream.write_all(body.as_bytes()).await.expect("a request");
        stream
    }

    /// The head of a request with this browser's cookies; the body comes from whoever asked.
    async fn begin_with(&self, method: &str, path: &str, more: &str) -> TcpStream {
        let mut stream = TcpStream::connect(self.address).await.expect("a service");
        let cookies: Vec<String> = self
            .cookies
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let request = format!(
            "{method} {path} HTTP/1.0\r\nHost: {}\r\nAccept-Language: {}\r\nCookie: {}\r\n{more}\r\n",
            self.address,
            self.lang,
            cookies.join("; ")
        );
        stream
            .write_all(request.as_bytes())
            .await
            .expect("a request");
        stream
    }

    fn reply(&mut self, octets: &[u8]) -> Reply {
        let end = octets
            .windows(4)
            .position(|four| four == b"\r\n\r\n")
            .expect("a head");
        let head = std::str::from_utf8(&octets[..end]).expect("ASCII");
        let mut lines = head.lines();
        let status = lines
            .next()
            .and_then(|line| line.split(' ').nth(1)?.parse().ok());
        let headers: Vec<_> = lines
            .filter_map(|line| line.split_once(": "))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        for (_, line) in headers
            .iter()
            .filter(|(name, _)| name.eq_ignore_ascii_case("set-cookie"))
        {
            let (name, rest) = line.split_once('=').expect("a cookie");
            let value = rest.split(';').next().unwrap_or_default();
            self.cookies.insert(name.to_owned(), value.to_owned());
        }
        let reply = Reply {
            status: status.expect("a status"),
            headers,
            body: octets[end + 4..].to_vec(),
        };
        for secret in [crate::service::NEW, crate::service::OLD] {
            let found = reply
                .body
                .windows(secret.len())
                .any(|part| part == secret.as_bytes());
            assert!(!found && !head.contains(secret), "a password was shown");
        }
        if reply.header("content-type").starts_with("text/html") {
            assert!(reply.body.len() <= 50_000, "{} octets", reply.body.len());
        }
        reply
    }
}
