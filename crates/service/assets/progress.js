// Shows how a job is going as the server tells it. Without this script the page reloads by itself.
(function () {
  "use strict";
  var failures = 0;

  function live() {
    return document.getElementById("live");
  }

  // Only what is different is written: whatever is read aloud is read once.
  function put(id, text) {
    var place = document.getElementById(id);
    if (!place) { return; }
    if (place.textContent !== text) { place.textContent = text; }
    if (id === "hint") { place.hidden = text === ""; }
  }

  function lost(is) {
    var place = document.getElementById("lost");
    if (place) { place.hidden = !is; }
  }

  // The page as it is now, in place of the one that is shown: other buttons, more folders.
  function renew() {
    return fetch(location.href, { credentials: "same-origin" }).then(function (answer) {
      if (answer.redirected) { location.assign(answer.url); }
      return answer.text();
    }).then(function (text) {
      var page = new DOMParser().parseFromString(text, "text/html").getElementById("live");
      if (!page) { location.reload(); return; }
      live().replaceWith(document.importNode(page, true));
    });
  }

  function show(seen) {
    var bar = document.getElementById("bar");
    var folders = document.getElementById("folders");
    var rows = folders ? folders.rows : [];
    if (seen.controls !== live().dataset.controls || seen.rows !== rows.length) { renew(); return; }
    ["heading", "hint", "line", "octets", "copied"].forEach(function (id) { put(id, seen[id]); });
    if (seen.bar) {
      bar.max = seen.bar[1];
      bar.value = seen.bar[0];
    } else {
      bar.removeAttribute("value");
    }
    seen.folders.forEach(function (change) {
      var cells = rows[change[0]].cells;
      for (var n = 0; n < 3; n += 1) { cells[n + 1].textContent = change[n + 1]; }
    });
  }

  function listen() {
    var source = new EventSource(live().dataset.events);
    source.onopen = function () { failures = 0; lost(false); };
    source.addEventListener("progress", function (event) { show(JSON.parse(event.data)); });
    source.addEventListener("check", renew);
    source.addEventListener("go", function (event) {
      source.close();
      location.assign(JSON.parse(event.data).location);
    });
    source.onerror = function () {
      lost(true);
      // The browser connects again by itself, unless it was given another answer than events.
      if (source.readyState !== EventSource.CLOSED) { return; }
      failures += 1;
      setTimeout(again, Math.min(30000, 1000 * Math.pow(2, failures)));
    };
  }

  // Signed out or an older page: the page says what to do, once the server is there again.
  function again() {
    fetch(location.href, { method: "HEAD", credentials: "same-origin" }).then(function (answer) {
      if (answer.ok && failures < 4 && !answer.redirected) { listen(); return; }
      location.reload();
    }, function () {
      failures += 1;
      setTimeout(again, Math.min(30000, 1000 * Math.pow(2, failures)));
    });
  }

  if (!live()) { return; }
  if (window.EventSource && window.fetch) { listen(); } else { setTimeout(function () { location.reload(); }, 5000); }
}());
